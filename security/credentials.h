/* TLS credentials from PEM files, for listeners and clients: read, checked, and made into a context of
 * base/net/tls.h.  A reload calls sec_credentials_load() again and swaps; the old context lives as long as its
 * sessions.  Any thread; reads files, so at start-up and reload only. */
#ifndef SECURITY_CREDENTIALS_H
#define SECURITY_CREDENTIALS_H

#include "base/clk.h"
#include "base/err.h"
#include "base/net/tls.h"

#define SEC_CREDENTIALS_WHY_N     256
#define SEC_CREDENTIALS_PAIRS_MAX 16

struct sec_credentials_pair {
    const char *cert_file;   /* PEM chain, leaf first */
    const char *key_file;    /* PEM private key, not encrypted; a regular file that only its owner may read */
    const char *staple_file; /* DER OCSP response about the leaf; NULL: none */
};

struct sec_credentials_conf {
    enum net_tls_role role;
    enum net_tls_verify verify;
    const struct sec_credentials_pair *pairs;
    size_t pairs_n;
    const char *ca_file;  /* PEM trust anchors; NULL: none */
    const char *crl_file; /* PEM revocation lists; NULL: none */
    bool crl_expired_ok;  /* as in struct net_tls_conf, like all that follows */
    bool staple_required;
    bool ask_status;
    unsigned version_min;
    unsigned ciphers;
    bool alpn_http11;
    size_t tickets_max; /* clients: as in struct net_tls_conf */
    bool datagrams;
    struct net_tls_psk_source psk; /* dropped by the context, so only when one was made */
    const char *priority;          /* NULL: the profile of base/net/tls_policy.c */
};

/* ERR_ABSENT a file that is not there; ERR_DENIED a key file others may read, or any file that is no regular file;
 * ERR_LIMIT too large; ERR_MALFORMED unreadable content, a key that is another certificate's, a certificate not
 * valid at clk's time, an OCSP response about another certificate; ERR_IO, ERR_NOMEM.  why: one line that names the file; "" on success. */
enum err sec_credentials_load(const struct sec_credentials_conf *conf, const struct clk *clk,
                              struct net_tls_ctx **out, char why[SEC_CREDENTIALS_WHY_N]) MUST_USE;

#endif
