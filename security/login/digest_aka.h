/* HTTP Digest AKA, both roles, as Ub uses it: the challenge's nonce carries RAND and AUTN, and what the AKA run gives
 * both ends is the password.  RFC 3310 (AKAv1), RFC 4169 (AKAv2), TS 33.220 §4.5.2, TS 24.109 §4.
 *
 * One bootstrapping: the terminal's first request names it (sec_digest_aka_first); the server makes a vector and
 * answers with sec_digest_aka_challenge.  The terminal finds it (sec_digest_aka_choose, _nonce), runs AKA, and
 * answers with sec_digest_answer over sec_digest_aka_ha1; or, when the number was not fresh, with sec_digest_aka_sync.
 * The server reads (sec_digest_aka_parse) and decides (sec_digest_aka_verify); sec_digest_info and
 * sec_digest_check_info prove the server's side.
 * A challenge is good for one answer: the caller forgets its vector with it.  Any thread. */
#ifndef SECURITY_LOGIN_DIGEST_AKA_H
#define SECURITY_LOGIN_DIGEST_AKA_H

#include "security/aka.h"
#include "security/login/digest.h"

#define SEC_DIGEST_AKA_SERVER_MAX_N 64 /* octets of server data behind RAND and AUTN in a nonce */

/* The password of a run: RES as octets (AKAv1), base64(HMAC-MD5(RES || IK || CK, label)) (AKAv2).  ERR_IO. */
enum err sec_digest_aka_password(enum sec_digest_algorithm a, const struct sec_aka_vector *v,
                                 struct sec_secret *out) MUST_USE;
/* HA1 with that password.  ERR_IO, ERR_NOMEM. */
enum err sec_digest_aka_ha1(enum sec_digest_algorithm a, struct slice username, struct slice realm,
                            const struct sec_aka_vector *v, struct sec_secret *out) MUST_USE;

/* --- server --- */
struct sec_digest_aka_offer {
    enum sec_digest_algorithm algorithm; /* an AKA one */
    struct slice realm;                  /* the BSF's name */
    struct slice nonce;                  /* of sec_digest_aka_nonce_print */
    struct slice opaque;                 /* n 0: none */
    bool auth;                           /* qop auth is offered and taken too, as SIP has it */
};
/* Appends base64(RAND || AUTN || server data).  ERR_LIMIT (server data), or the sticky error of `out`. */
enum err sec_digest_aka_nonce_print(const struct sec_aka_vector *v, struct slice server_data,
                                    struct buf *out) MUST_USE;
/* Appends the value of WWW-Authenticate; qop is auth-int alone (TS 24.109 §4.3)
 * unless auth is offered.  ERR_MALFORMED (a value that cannot
 * stand between quotes), or the sticky error of `out`. */
enum err sec_digest_aka_challenge(const struct sec_digest_aka_offer *c, struct buf *out) MUST_USE;

enum sec_digest_aka_kind {
    SEC_DIGEST_AKA_FIRST,  /* names itself; no nonce, no response */
    SEC_DIGEST_AKA_ANSWER, /* to be verified */
    SEC_DIGEST_AKA_SYNC    /* the terminal's numbers are elsewhere: auts */
};
struct sec_digest_aka_request {
    enum sec_digest_aka_kind kind;
    struct sec_digest_response r; /* FIRST, SYNC: only username, realm, uri, nonce and opaque */
    uint8_t auts[SEC_AKA_AUTS_N]; /* SYNC */
};
/* An Authorization value, as strict as sec_digest_parse; ERR_MALFORMED, ERR_LIMIT, ERR_UNSUPPORTED (scheme, an
 * algorithm that is not AKA, qop). */
enum err sec_digest_aka_parse(struct slice authorization, struct sec_digest_aka_request *out) MUST_USE;
/* Decides about an answer to that offer; `ha1` is of sec_digest_aka_ha1 with the vector's XRES.  ERR_DENIED (wrong
 * digest, or not to this offer and request; or the challenge is used again), ERR_AGAIN (body not known), ERR_NOMEM. */
enum err sec_digest_aka_verify(const struct sec_digest_response *r, const struct sec_digest_request *request,
                               const struct sec_digest_aka_offer *offer,
                               const struct sec_secret *ha1) MUST_USE;

/* --- terminal --- */
/* Appends the first request's Authorization value.  ERR_MALFORMED, or the sticky error of `out`. */
enum err sec_digest_aka_first(struct slice username, struct slice realm, struct slice uri,
                              struct buf *out) MUST_USE;
/* As sec_digest_choose, among AKA challenges; AKAv2 before AKAv1. */
enum err sec_digest_aka_choose(const struct slice *values, size_t count,
                               struct sec_digest_offer *out) MUST_USE;
/* ERR_MALFORMED: not base64 of RAND, AUTN and perhaps server data; ERR_NOMEM. */
enum err sec_digest_aka_nonce(struct slice nonce, uint8_t rand[SEC_AKA_RAND_N],
                              uint8_t autn[SEC_AKA_AUTN_N]) MUST_USE;
/* As sec_digest_answer, with an empty password and AUTS (RFC 3310 §3.4). */
enum err sec_digest_aka_sync(const struct sec_digest_offer *offer, struct slice username,
                             const uint8_t auts[SEC_AKA_AUTS_N], const struct sec_digest_request *request,
                             struct slice cnonce, struct buf *out) MUST_USE;

#endif
