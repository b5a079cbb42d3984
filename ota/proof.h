/* Whether a terminal that called in is who it says: the roles of HTTP authentication turned round (the gateway, which
 * sends the request, challenges; the terminal, which answers it, proves), or its TLS certificate or shared key.  Decisions over what
 * was received; no I/O.  [OTA-HTTP §5, §6]: X-Wap-Authenticate, X-Wap-Authorization; RFC 7616, RFC 7617.  Any thread. */
#ifndef OTA_PROOF_H
#define OTA_PROOF_H

#include "base/buf.h"
#include "base/net/tls.h"
#include "ota/registry.h"
#include "security/login/authmd5.h"
#include "security/login/digest.h"

/* What is asked of who calls. */
struct ota_proof_offer {
    struct slice realm;
    bool md5;                        /* Digest of MD5 too */
    bool tls;                        /* Basic too, and */
    struct sec_mac_session *session; /* syncml:auth-md5, with a nonce of this connection; NULL: not offered */
    int64_t now_ms;
};
/* Appends X-Wap-Authenticate lines, one a challenge, the strongest first.  The errors of sec_digest_challenge() and
 * sec_authmd5_challenge(). */
enum err ota_proof_challenge(struct sec_digest_guard *guard, const struct ota_proof_offer *offer,
                             struct buf *out) MUST_USE;

/* The terminal that has one of the certificate's names; NULL: none, or nothing was verified.  peer may be NULL. */
const struct ota_terminal *ota_proof_certificate(const struct ota_registry *r,
                                                 const struct net_tls_peer *peer);

/* The terminal whose shared key made the session; NULL: there is none.  peer may be NULL. */
const struct ota_terminal *ota_proof_psk(const struct ota_registry *r, const struct net_tls_peer *peer);

struct ota_proof_in {
    const struct ota_terminal *terminal;
    bool by_certificate; /* it was found by its certificate, */
    bool by_psk;         /* or by its shared key */
    bool tls;
    bool asks;                    /* it does not call but has a question: who fetches may, too */
    struct slice stated;          /* X-Wap-Terminal-Id, */
    bool states_another;          /* which is the identity of another terminal */
    struct slice authorization;   /* X-Wap-Authorization; empty: none */
    struct sec_mac_guard *logins; /* nonces of syncml:auth-md5, which is taken when both are there */
    struct sec_mac_session *session;
    struct sec_digest_request request; /* what a login is for; no method: the OPTIONS of a call */
    struct slice realm;
    int64_t now_ms; /* the clock of the challenges */
};
/* ERR_OK; ERR_UNSUPPORTED: it may not call in, or not over this transport; ERR_DENIED: not proved, or an identity stated
 * that is not its own; ERR_LATE: right, but of a nonce that was used or is too old; ERR_NOMEM, ERR_IO. */
enum err ota_proof_check(struct sec_digest_guard *guard, const struct ota_proof_in *in) MUST_USE;

/* The part of it that judges syncml:auth-md5, when it is shown: terminal NULL, or one that may not log in so, is denied in the
 * time of a wrong password. */
enum err ota_proof_md5(const struct ota_proof_in *in) MUST_USE;

/* Once it has said ERR_OK for a login with Digest: appends the value of Authentication-Info, by which the terminal knows that
 * we have its password too (RFC 7616 §3.5).  ERR_ABSENT: it was proved otherwise; else as sec_digest_info. */
enum err ota_proof_info(const struct ota_proof_in *in, struct slice body, struct buf *out) MUST_USE;

/* What proved it, once ota_proof_check() has said ERR_OK; static, as struct ota_line has it. */
const char *ota_proof_name(const struct ota_proof_in *in);
bool ota_proof_is_login(const struct ota_proof_in *in); /* a password proved it */
/* The identity that is proved so; borrowed from t.  Empty: what it stated. */
struct slice ota_proof_identity(const struct ota_terminal *t);

#endif
