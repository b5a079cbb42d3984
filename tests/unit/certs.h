/* Certificates made while a test runs: authorities, leaves and revocation lists as PEM text, with the names and
 * dates a case needs.  ECDSA P-256, or RSA when asked.  Any failure ends the program: it is the test's own mistake. */
#ifndef TESTS_UNIT_CERTS_H
#define TESTS_UNIT_CERTS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

struct test_cert {
    char cert_pem[4096]; /* NUL behind it */
    char key_pem[2048];
    unsigned serial;
};

struct test_cert_conf {
    const char *cn;
    const char *const
        *sans;      /* "DNS:a.example", "URI:https://a.example", "email:a@example", "IP:127.0.0.1"; ends
                                with NULL; may be NULL */
    int64_t from_s; /* relative to now; both 0: an hour ago until tomorrow */
    int64_t to_s;
    bool ca;
    bool rsa;
};

/* issuer NULL: self-signed. */
void test_cert_make(const struct test_cert_conf *conf, const struct test_cert *issuer, struct test_cert *out);
/* A revocation list of issuer with the n certificates in it; NUL behind it. */
/* next_s: its next update, relative to now. */
void test_crl_dated(const struct test_cert *issuer, const struct test_cert *const *revoked, size_t n,
                    int64_t next_s, char *pem, size_t pem_cap);
void test_crl_make(const struct test_cert *issuer, const struct test_cert *const *revoked, size_t n,
                   char *pem, size_t pem_cap);
/* Writes text to `name` in the scratch folder with this mode; static storage for the path, good for 64 more calls. */
const char *test_file_write(const char *name, const char *text, unsigned mode);

#endif
