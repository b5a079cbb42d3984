/* base/net/tls_ctx.c: settings of which no context can be made; good ones serve all the other tests. */
#include "base/net/tls_ctx.h"

#include "tests/unit/harness.h"
#include "tests/unit/tlsduo.h"

static void case_bad_settings(void)
{
    struct net_tls_pair good, mixed, broken = {.cert_pem = SLICE("no PEM"), .key_pem = SLICE("no PEM")};
    const struct {
        const struct net_tls_pair *pair;
        enum net_tls_role role;
        enum net_tls_verify verify;
        const char *ca, *crl, *priority;
        unsigned version_min;
    } rows[] = {
        {NULL, NET_TLS_SERVER, NET_TLS_VERIFY_NONE, NULL, NULL, NULL, 12},
        {&mixed, NET_TLS_SERVER, NET_TLS_VERIFY_NONE, NULL, NULL, NULL, 12},
        {&broken, NET_TLS_SERVER, NET_TLS_VERIFY_NONE, NULL, NULL, NULL, 12},
        {&good, NET_TLS_SERVER, NET_TLS_VERIFY_NONE, NULL, NULL, NULL, 11},
        {&good, NET_TLS_SERVER, NET_TLS_VERIFY_REQUIRED, NULL, NULL, NULL, 12},
        {&good, NET_TLS_SERVER, NET_TLS_VERIFY_REQUIRED, "no PEM", NULL, NULL, 12},
        {&good, NET_TLS_SERVER, NET_TLS_VERIFY_REQUIRED, tls_pki.ca.cert_pem, "no PEM", NULL, 12},
        {&good, NET_TLS_SERVER, NET_TLS_VERIFY_NONE, NULL, NULL, "+NONSENSE", 12},
        {NULL, NET_TLS_CLIENT, NET_TLS_VERIFY_REQUIRED, NULL, NULL, NULL, 12},
    };

    tls_pki_make();
    good = tls_pair_of(&tls_pki.server);
    mixed = (struct net_tls_pair){.cert_pem = good.cert_pem, .key_pem = slice_str(tls_pki.other.key_pem)};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_tls_conf conf = {.role = rows[i].role,
                                    .verify = rows[i].verify,
                                    .pairs = rows[i].pair,
                                    .pairs_n = rows[i].pair != NULL,
                                    .ca_pem = slice_str(rows[i].ca),
                                    .crl_pem = slice_str(rows[i].crl),
                                    .version_min = rows[i].version_min,
                                    .priority = rows[i].priority};
        struct net_tls_ctx *ctx = NULL;
        const char *why = NULL;

        test_row(i);
        CU_ASSERT_EQUAL(net_tls_ctx_create(&conf, &ctx, &why), ERR_MALFORMED);
        CU_ASSERT(ctx == NULL && why && *why);
    }
}

const struct test_case test_cases[] = {
    {"bad_settings", case_bad_settings},
    {NULL, NULL},
};
