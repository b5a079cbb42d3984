/* Reads the ends of validity out of certificates, revocation lists (RFC 5280 §5.1.2.5) and OCSP responses (RFC 6960
 * §4.2.1), so that an operator can be warned ahead.  Judges nothing.  Any thread. */
#include "base/net/tls_dates.h"

#include <gnutls/ocsp.h>
#include <gnutls/x509.h>

static gnutls_datum_t datum_of(struct slice s)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
}

static void earlier(int64_t *until, time_t t)
{
    if (t != (time_t)-1 && t < *until)
        *until = t;
}

static void read_chain(struct slice pem, int64_t *until)
{
    gnutls_datum_t data = datum_of(pem);
    gnutls_x509_crt_t *chain;
    unsigned n = 0;

    if (gnutls_x509_crt_list_import2(&chain, &n, &data, GNUTLS_X509_FMT_PEM, 0) < 0)
        return;
    for (unsigned i = 0; i < n; i++) {
        earlier(until, gnutls_x509_crt_get_expiration_time(chain[i]));
        gnutls_x509_crt_deinit(chain[i]);
    }
    gnutls_free(chain);
}

static void read_lists(struct slice pem, int64_t *until)
{
    gnutls_datum_t data = datum_of(pem);
    gnutls_x509_crl_t *lists;
    unsigned n = 0;

    if (pem.n == 0 || gnutls_x509_crl_list_import2(&lists, &n, &data, GNUTLS_X509_FMT_PEM, 0) < 0)
        return;
    for (unsigned i = 0; i < n; i++) {
        earlier(until, gnutls_x509_crl_get_next_update(lists[i]));
        gnutls_x509_crl_deinit(lists[i]);
    }
    gnutls_free(lists);
}

static void read_staple(struct slice der, int64_t *until)
{
    gnutls_datum_t data = datum_of(der);
    gnutls_ocsp_resp_t resp;
    time_t next = (time_t)-1;

    if (der.n == 0 || gnutls_ocsp_resp_init(&resp) < 0)
        return;
    if (gnutls_ocsp_resp_import(resp, &data) == 0 &&
        gnutls_ocsp_resp_get_single(resp, 0, NULL, NULL, NULL, NULL, NULL, NULL, &next, NULL, NULL) == 0)
        earlier(until, next);
    gnutls_ocsp_resp_deinit(resp);
}

struct net_tls_dates tls_dates_of(const struct net_tls_conf *conf)
{
    struct net_tls_dates d = {INT64_MAX, INT64_MAX, INT64_MAX};

    for (size_t i = 0; i < conf->pairs_n; i++) {
        read_chain(conf->pairs[i].cert_pem, &d.cert_s);
        read_staple(conf->pairs[i].staple_der, &d.staple_s);
    }
    read_lists(conf->crl_pem, &d.crl_s);
    return d;
}
