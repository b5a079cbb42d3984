/* One POST of an initiator to a gateway, waited for: connects, proves who it is when asked, and hands back the
 * answer's body.  [PAP §3.1, §3.2, §8.8], RFC 7616, RFC 7617, RFC 6750; x-syncml-hmac: security/login/mac.h.  For pap-push; makes a loop of its own for the call.
 * One thread. */
#ifndef PPG_TOOL_POST_H
#define PPG_TOOL_POST_H

#include "ppg/tool/tool.h"

/* Texts are NULL when not given. */
struct tool_post {
    const char *url;
    const char *cert; /* files; key goes with it */
    const char *key;
    const char *ca;           /* who signs the gateway; NULL: the system's list */
    const char *psk_identity; /* a shared key for TLS instead of certificates; psk_file goes with it */
    const char *psk_file;     /* the key in hexadecimal */
    const char *user;
    const char *password_file; /* its first line */
    const char *token_file;    /* a bearer token, inside TLS only; instead of user and password */
    const char *mac;     /* USER:FILE, a key for x-syncml-hmac in hexadecimal; instead of the three above */
    const char *mac_md5; /* the same with the password of old gateways; instead of mac */
    bool basic;          /* allowed, inside TLS only, where the gateway offers nothing better */
    int64_t timeout_ms;  /* for everything together */
    struct slice content_type;
    struct slice body;
};

/* What was answered; buffers of the caller, initialised. */
struct tool_posted {
    struct buf type; /* Content-Type */
    struct buf body;
};

/* TOOL_OK: the gateway answered 2xx, *answer holds it; otherwise an exit status and why[].  A 401 is answered
 * once: with the strongest Digest the gateway offers, on a connection of its own, and an Authentication-Info that does
 * not fit the password is TOOL_REFUSED; or with a mac over nonce and body, on the connection that the nonce is for. */
int tool_post(const struct tool_post *in, struct tool_posted *answer, char why[TOOL_WHY_N]);

#endif
