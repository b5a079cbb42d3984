/* HTTP Digest access authentication (RFC 7616, with MD5 also as RFC 2617): both roles, as bytes and decisions.
 * A user's secret is HA1 = H(user:realm:password) in lower case hexadecimal inside a struct sec_secret, never
 * the password.  Not here: AKA (digest_aka.h, on the same functions), userhash, session algorithms, SHA-512-256, proxies' header names (the caller names
 * the header).
 *
 * Server: sec_digest_challenge prints a challenge; sec_digest_parse reads the answer; sec_digest_verify decides.
 * Nonces carry their own proof, so no memory is spent on a stranger; only a nonce that was once used with good
 * credentials gets a place in the bounded table that tracks nonce counts.
 * Client: sec_digest_choose, sec_digest_answer, and sec_digest_check_info on what comes back. */
#ifndef SECURITY_LOGIN_DIGEST_H
#define SECURITY_LOGIN_DIGEST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "security/secret.h"

#define SEC_DIGEST_HEADER_MAX_N 4096 /* octets of one header value; longer is ERR_LIMIT */
#define SEC_DIGEST_VALUE_MAX_N  1024 /* octets of one parameter; longer is ERR_LIMIT */
#define SEC_DIGEST_HEX_MAX_N    64   /* hexadecimal digits of the longest digest */

enum sec_digest_algorithm { /* of each kind weakest first */
                            SEC_DIGEST_MD5,
                            SEC_DIGEST_SHA256,
                            SEC_DIGEST_ALGORITHM_COUNT,                        /* of users with passwords */
                            SEC_DIGEST_AKAV1_MD5 = SEC_DIGEST_ALGORITHM_COUNT, /* of AKA runs: RFC 3310 */
                            SEC_DIGEST_AKAV2_MD5,                              /* RFC 4169 */
                            SEC_DIGEST_ALL_COUNT
};
const char *sec_digest_algorithm_name(enum sec_digest_algorithm a); /* "MD5", "AKAv1-MD5" ... */
enum sec_digest_qop {
    SEC_QOP_NONE,
    SEC_QOP_AUTH,
    SEC_QOP_AUTH_INT
}; /* NONE: RFC 2617's legacy, client only */

/* HA1 of a user; ERR_NOMEM.  Wipe the password afterwards. */
enum err sec_digest_ha1(enum sec_digest_algorithm a, struct slice user, struct slice realm,
                        struct slice password, struct sec_secret *out) MUST_USE;
/* HA1 as stored: hexadecimal digits of the right count, any case; ERR_MALFORMED. */
enum err sec_digest_ha1_parse(enum sec_digest_algorithm a, struct slice hex, struct sec_secret *out) MUST_USE;

/* What of a request goes into the digest. */
struct sec_digest_request {
    struct slice method;
    struct slice uri;  /* request-target as sent */
    struct slice body; /* for auth-int */
    bool body_known;   /* false: the body has not been read (yet) */
};

/* An Authorization value of scheme Digest; all slices are views into it. */
struct sec_digest_response {
    struct slice username, realm, nonce, uri, cnonce, opaque, response;
    struct slice nc_text; /* the count as sent; n 0: print nc */
    uint32_t nc;          /* 1.. */
    enum sec_digest_algorithm algorithm;
    enum sec_digest_qop qop;
};

/* Strict: every parameter at most once, the mandatory ones of RFC 7616 §3.4 present, no escapes inside quoted
 * strings, nothing behind; AKA is another algorithm.  ERR_MALFORMED, ERR_LIMIT, ERR_UNSUPPORTED (other scheme, algorithm or qop, username*,
 * userhash, no qop). */
enum err sec_digest_parse(struct slice authorization, struct sec_digest_response *out) MUST_USE;

/* --- server --- */
/* Nonce secret and nonce-count table; any thread, locks inside for a moment.  Its now_ms should be a clock that
 * never goes back: after a step back the nonces of busy sets are stale until the clock has caught up. */
struct sec_digest_guard;
struct sec_digest_guard_conf {
    int64_t nonce_life_ms; /* older nonces are stale */
    size_t nonces_max;     /* nonces tracked at once; beyond it the oldest become stale */
    bool auth_int;         /* offer and accept qop=auth-int */
};
/* ERR_LIMIT (a value out of range), ERR_NOMEM, ERR_IO (no random numbers). */
enum err sec_digest_guard_create(const struct sec_digest_guard_conf *conf,
                                 struct sec_digest_guard **out) MUST_USE;
void sec_digest_guard_free(struct sec_digest_guard **guard);

/* Appends the value of one WWW-Authenticate header.  Send one header an algorithm, strongest first (RFC 7616
 * §3.7).  ERR_MALFORMED (quote, backslash or control in the realm), ERR_IO, or the sticky error of `out`. */
enum err sec_digest_challenge(struct sec_digest_guard *guard, enum sec_digest_algorithm a, struct slice realm,
                              bool stale, int64_t now_ms, struct buf *out) MUST_USE;

/* Decides.  `ha1` is of r->algorithm and may be NULL or empty for an unknown user: the same work is done and the
 * answer is ERR_DENIED.  ERR_OK; ERR_DENIED (wrong digest, realm or request-target, qop not offered);
 * ERR_LATE (right, but the nonce is not ours, too old, or its count was used: challenge with stale=true);
 * ERR_AGAIN (auth-int with a good nonce, but the body is not known); ERR_NOMEM.  ERR_OK uses the count up. */
enum err sec_digest_verify(struct sec_digest_guard *guard, const struct sec_digest_response *r,
                           const struct sec_digest_request *request, struct slice realm,
                           const struct sec_secret *ha1, int64_t now_ms) MUST_USE;

/* Appends the value of Authentication-Info that proves to the client that we know HA1 too (RFC 7616 §3.5).
 * ERR_NOMEM or the sticky error of `out`. */
enum err sec_digest_info(const struct sec_digest_response *r, const struct sec_secret *ha1,
                         struct slice response_body, struct buf *out) MUST_USE;

/* Appends ", nextnonce=.." to a value of Authentication-Info when the nonce that was used is in the second half of its
 * life, so that a client that goes on need not be told that it is stale (RFC 7616 §3.5).  ERR_NOMEM, ERR_IO, or the
 * sticky error of `out`. */
enum err sec_digest_next_nonce(const struct sec_digest_guard *guard, struct slice nonce, int64_t now_ms,
                               struct buf *out) MUST_USE;

/* --- client --- */
struct sec_digest_offer { /* one challenge; slices are views into the header */
    struct slice realm, nonce, opaque;
    enum sec_digest_algorithm algorithm;
    bool qop_given, auth, auth_int; /* what qop offered; none given: legacy */
    bool stale;
};
/* The strongest challenge we can answer among WWW-Authenticate values, each a list of challenges of any scheme
 * (RFC 9110 §11.6.1).  ERR_ABSENT when there is none, ERR_MALFORMED, ERR_LIMIT. */
enum err sec_digest_choose(const struct slice *values, size_t count, struct sec_digest_offer *out) MUST_USE;

/* Appends the Authorization value.  `ha1` is of offer->algorithm and offer->realm; `cnonce` is fresh token
 * characters; nc counts the uses of this nonce from 1.  auth-int when offered and the body is known, else auth.
 * *sent (views into offer and arguments; response and nc_text stay empty) is what sec_digest_check_info needs.
 * ERR_AGAIN (only auth-int offered and no body), ERR_MALFORMED (quote, backslash or control in a value), ERR_NOMEM
 * or the sticky error of `out`. */
enum err sec_digest_answer(const struct sec_digest_offer *offer, struct slice username,
                           const struct sec_secret *ha1, const struct sec_digest_request *request,
                           struct slice cnonce, uint32_t nc, struct buf *out,
                           struct sec_digest_response *sent) MUST_USE;
/* Appends what a cnonce should be: 128 bits of chance in hexadecimal digits.  ERR_IO: no random numbers; or the sticky error of
 * `out`. */
#define SEC_DIGEST_CNONCE_N 32
enum err sec_digest_cnonce(struct buf *out) MUST_USE;
/* The same as sec_digest_answer with a cnonce of its own, for who has the password and does not check what comes back.  ERR_IO
 * too. */
enum err sec_digest_answer_password(const struct sec_digest_offer *offer, struct slice username,
                                    struct slice password, const struct sec_digest_request *request,
                                    uint32_t nc, struct buf *out) MUST_USE;
/* Checks an Authentication-Info value.  ERR_OK: the server knows HA1.  ERR_DENIED, ERR_MALFORMED, ERR_LIMIT,
 * ERR_ABSENT (no rspauth), ERR_NOMEM. */
enum err sec_digest_check_info(struct slice info, const struct sec_digest_response *sent,
                               const struct sec_secret *ha1, struct slice response_body) MUST_USE;

#endif
