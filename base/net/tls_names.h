/* The names in a server's certificates, and which pairs are good for the one that a client asks for, for tls_ctx.c and tls.c;
 * GnuTLS's types stay inside these two files.  Never changes once made; asked on any thread. */
#ifndef BASE_NET_TLS_NAMES_H
#define BASE_NET_TLS_NAMES_H

#include <stddef.h>
#include "base/err.h"

#define TLS_NAMES_PAIRS_MAX 64

struct gnutls_certificate_credentials_st; /* what gnutls_certificate_credentials_t points to */
struct tls_names;

/* Of the first n pairs in cred, which is only read; n at most TLS_NAMES_PAIRS_MAX.  ERR_NOMEM. */
enum err tls_names_create(struct gnutls_certificate_credentials_st *cred, size_t n,
                          struct tls_names **out) MUST_USE;
void tls_names_free(struct tls_names **names);
/* Selections of pairs: each is good for at least one name, no two are alike. */
size_t tls_names_selections(const struct tls_names *names);
/* The pairs of selection k in the order to be tried, those with the exact name before those with a wildcard; how
 * many they are. */
size_t tls_names_pairs(const struct tls_names *names, size_t k, size_t pairs[TLS_NAMES_PAIRS_MAX]);
/* The selection for a name (UTF-8); tls_names_selections() when no pair is good for it. */
size_t tls_names_find(const struct tls_names *names, const char *name);

#endif
