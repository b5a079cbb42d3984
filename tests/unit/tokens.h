/* Tokens and key sets made while a test runs: keys of each algorithm, tokens with any header and claims, the set that
 * a provider would publish.  Any failure ends the program: it is the test's own mistake. */
#ifndef TESTS_UNIT_TOKENS_H
#define TESTS_UNIT_TOKENS_H

#include "base/buf.h"

enum test_key { TEST_KEY_RSA, TEST_KEY_EC, TEST_KEY_ED, TEST_KEY_HMAC, TEST_KEY_COUNT };

/* The same keys from call to call in one program; `which` 0..3 tells several of one kind apart.  The kid of a key is
 * "rsa0", "ec1", "ed2", "hmac3". */
struct test_keys;
struct test_keys *test_keys_open(void);
void test_keys_close(struct test_keys *keys);

#define TEST_KEYS_EACH 2

/* Appends the key as a JWK; for others than HMAC the public half. */
void test_jwk_print(struct test_keys *keys, enum test_key kind, unsigned which, struct buf *out);
/* {"keys":[..]} of all keys numbered `which`. */
void test_jwks_print(struct test_keys *keys, unsigned which, struct buf *out);

/* Appends base64url(header).base64url(claims).signature; header NULL: alg and kid of the key. */
void test_token_print(struct test_keys *keys, enum test_key kind, unsigned which, const char *header,
                      const char *claims, struct buf *out);
/* The raw signature over `what`. */
void test_key_sign(struct test_keys *keys, enum test_key kind, unsigned which, struct slice what,
                   struct buf *out);
void test_base64url(struct buf *out, struct slice in);

#endif
