/* A server that a terminal asks something of over TLS: where it is, how it is known, how the terminal proves itself to it.  For
 * push-terminal; one thread. */
#ifndef PPG_HANDSET_HOME_H
#define PPG_HANDSET_HOME_H

#include "base/net/tls.h"
#include "ppg/tool/tool.h"

/* Texts are NULL when not given. */
struct tool_home {
    const char *url;  /* https://HOST:PORT; NULL: there is no home function */
    const char *ca;   /* files: who signs it, */
    const char *cert; /* what we show it; key goes with it */
    const char *key;
    const char *psk;   /* instead of these: NAME:FILE, the key in hexadecimal */
    const char *login; /* USER:FILE, the password in FILE */
    bool mutual;       /* it must prove that it has the password too */
};

/* A client context of certificates on both sides, or of a key that both have.  ERR_MALFORMED, ERR_IO, ERR_NOMEM with why[]. */
enum err tool_home_tls(const struct tool_home *h, struct net_tls_ctx **out, char why[TOOL_WHY_N]) MUST_USE;

#endif
