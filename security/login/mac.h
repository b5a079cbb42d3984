/* The header x-syncml-hmac: transport-neutral integrity of one message and proof of who sent it, where the transport
 * gives neither.  The arithmetic and the grammar, both roles; which nonces are good is mac_guard.h's.
 *
 *     mac = B64(MD5(B64(MD5(user ":" password)) ":" nonce ":" B64(MD5(body))))            algorithm=MD5
 *     mac = B64(HMAC-SHA-256(key, nonce ":" B64(SHA-256(body))))                          algorithm=SHA-256
 *
 * The first is what OMA DM calls HMAC-MD5 though it is a nested MD5: for interoperation only.  The second is a profile
 * of ours on the same grammar.  The nonce goes in as its octets.  [DM-SEC §5.1.4].  Any thread. */
#ifndef SECURITY_LOGIN_MAC_H
#define SECURITY_LOGIN_MAC_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "security/secret.h"

#define SEC_MAC_HEADER       "x-syncml-hmac"
#define SEC_MAC_NONCE_HEADER "x-syncml-nonce" /* in answers: base64 of the nonce for the next message */
#define SEC_MAC_HEADER_MAX_N 1024             /* octets of a header value; longer is ERR_LIMIT */
#define SEC_MAC_USER_MAX_N   256
#define SEC_MAC_NONCE_MAX_N  64 /* octets of a nonce somebody else made */
#define SEC_MAC_TEXT_MAX_N   44 /* base64 of the longest mac, and of an MD5 in hexadecimal */
#define SEC_MAC_KEY_N        32 /* octets of the key for SHA-256 */
#define SEC_MAC_INNER_N      24 /* octets of the key for MD5: B64(MD5(user ":" password)) */

enum sec_mac_algorithm { SEC_MAC_MD5, SEC_MAC_SHA256, SEC_MAC_ALGORITHM_COUNT };
const char *sec_mac_algorithm_name(enum sec_mac_algorithm a); /* "MD5", "SHA-256" */

/* The keys of one sender; an empty one: that algorithm is not used. */
struct sec_mac_keys {
    struct sec_secret key[SEC_MAC_ALGORITHM_COUNT];
};
bool sec_mac_keys_any(const struct sec_mac_keys *k);
/* The strongest there is a key for; sec_mac_keys_any() holds. */
enum sec_mac_algorithm sec_mac_keys_best(const struct sec_mac_keys *k);
void sec_mac_keys_clear(struct sec_mac_keys *k);

/* The key for MD5, as good as the password.  ERR_NOMEM. */
enum err sec_mac_inner(struct slice user, struct slice password, struct sec_secret *out) MUST_USE;

/* A header value as received; slices are views into it. */
struct sec_mac {
    struct slice user; /* who sent it, without quotes */
    struct slice mac;  /* base64 */
    enum sec_mac_algorithm algorithm;
};
/* #( algorithm / username / mac ), each at most once, the last two once, in any order.  ERR_MALFORMED (also: another
 * parameter, an empty one, escapes in the user), ERR_LIMIT, ERR_UNSUPPORTED (another algorithm). */
enum err sec_mac_parse(struct slice value, struct sec_mac *out) MUST_USE;

struct sec_mac_text {
    char p[SEC_MAC_TEXT_MAX_N]; /* valid: p[0..n) */
    size_t n;
};
/* B64(H(parts joined)): of a body, made once for several nonces.  ERR_NOMEM. */
enum err sec_mac_body(enum sec_mac_algorithm a, const struct slice *parts, size_t count,
                      struct sec_mac_text *out) MUST_USE;
/* The mac over a body of sec_mac_body().  ERR_NOMEM. */
enum err sec_mac_make(enum sec_mac_algorithm a, struct slice key, struct slice nonce,
                      const struct sec_mac_text *body, struct sec_mac_text *out) MUST_USE;
/* In time that tells nothing about where they differ.  hex: base64 of an MD5's hexadecimal digits will do too, as
 * some senders make it. */
bool sec_mac_same(const struct sec_mac *got, const struct sec_mac_text *want, bool hex);

/* Appends a header value.  ERR_MALFORMED (quote, backslash or control in the user), ERR_NOMEM, or the sticky error of
 * `out`. */
enum err sec_mac_print(struct slice user, const struct sec_mac_keys *keys, struct slice nonce,
                       const struct slice *body, size_t body_parts, struct buf *out) MUST_USE;

/* --- challenges: Syncml-MAC realm="..", nonce="<base64>" --- */
/* Appends one.  ERR_MALFORMED (realm), or the sticky error of `out`. */
enum err sec_mac_challenge(struct slice realm, struct slice nonce, struct buf *out) MUST_USE;
struct sec_mac_nonce { /* of the other end */
    uint8_t p[SEC_MAC_NONCE_MAX_N];
    size_t n; /* 0: none is known */
};
/* The nonce of a WWW-Authenticate value that is one such challenge.  ERR_UNSUPPORTED (another scheme), ERR_MALFORMED,
 * ERR_LIMIT, ERR_NOMEM. */
enum err sec_mac_challenged(struct slice value, struct sec_mac_nonce *out) MUST_USE;
/* Of an x-syncml-nonce value: ERR_MALFORMED, ERR_LIMIT, ERR_NOMEM. */
enum err sec_mac_nonce_parse(struct slice text, struct sec_mac_nonce *out) MUST_USE;

#endif
