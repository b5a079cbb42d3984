/* When certificates, revocation lists and staples end: the earliest of each kind. */
#include "base/net/tls_dates.h"

#include <stdio.h>
#include <time.h>

#include "tests/unit/certs.h"
#include "tests/unit/harness.h"

static bool near(int64_t at_s, int64_t from_now_s)
{
    int64_t off = at_s - (int64_t)time(NULL) - from_now_s;

    return off > -60 && off < 60;
}

static void case_earliest_of_each(void)
{
    static struct test_cert ca, soon, later;
    static char crl[2048], old[2048], both[4096];
    struct test_cert_conf conf = {.cn = "authority", .ca = true, .from_s = -60, .to_s = 90000};
    struct net_tls_pair pairs[2];
    struct net_tls_conf tls = {.pairs = pairs, .pairs_n = 2};
    struct net_tls_dates d;

    test_cert_make(&conf, NULL, &ca);
    conf = (struct test_cert_conf){.cn = "later", .from_s = -60, .to_s = 9000};
    test_cert_make(&conf, &ca, &later);
    conf = (struct test_cert_conf){.cn = "soon", .from_s = -60, .to_s = 500};
    test_cert_make(&conf, &ca, &soon);
    test_crl_dated(&ca, NULL, 0, 7000, crl, sizeof crl);
    test_crl_dated(&ca, NULL, 0, -600, old, sizeof old);
    (void)snprintf(both, sizeof both, "%s%s", crl, old);
    pairs[0] = (struct net_tls_pair){.cert_pem = slice_str(later.cert_pem)};
    pairs[1] = (struct net_tls_pair){.cert_pem = slice_str(soon.cert_pem)};
    d = tls_dates_of(&tls);
    CU_ASSERT(near(d.cert_s, 500));
    CU_ASSERT(d.crl_s == INT64_MAX && d.staple_s == INT64_MAX);
    tls.pairs_n = 1;
    tls.crl_pem = slice_str(crl);
    d = tls_dates_of(&tls);
    CU_ASSERT(near(d.cert_s, 9000) && near(d.crl_s, 7000));
    tls.crl_pem = slice_str(both);
    CU_ASSERT(near(tls_dates_of(&tls).crl_s, -600));
}

/* What cannot be read has no end. */
static void case_unreadable(void)
{
    static const char *const rows[] = {"", "x",
                                       "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
                                       "-----BEGIN X509 CRL-----\n"};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_tls_pair pair = {.cert_pem = slice_str(rows[i]), .staple_der = slice_str(rows[i])};
        struct net_tls_conf tls = {.pairs = &pair, .pairs_n = 1, .crl_pem = slice_str(rows[i])};
        struct net_tls_dates d = tls_dates_of(&tls);

        test_row(i);
        CU_ASSERT(d.cert_s == INT64_MAX && d.crl_s == INT64_MAX && d.staple_s == INT64_MAX);
    }
}

const struct test_case test_cases[] = {
    {"earliest_of_each", case_earliest_of_each},
    {"unreadable", case_unreadable},
    {NULL, NULL},
};
