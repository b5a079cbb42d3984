/* Ends of validity are told in time: nothing, a warning, an error, by what it is and how far off. */
#include "ppg/expiry.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/certs.h"
#include "tests/unit/harness.h"

#define DAY_S INT64_C(86400)

static struct ppg_config *config(const char *ahead)
{
    static struct ppg_config_errors errs;
    struct ppg_config *c = NULL;
    char text[200];
    const char *path;

    (void)snprintf(text, sizeof text, "[pap]\nlisten = 127.0.0.1:0\nexpiry-warning = %s\n", ahead);
    (void)test_file_write("initiators.conf", "[initiator mms]\ncertificate = DNS:mmsc.example.net\n", 0644);
    (void)test_file_write("whitelist.conf", "allow mms +1555* *\n", 0644);
    (void)test_file_write("terminals.conf", "[terminal +15550100]\nroute = http://198.51.100.7:4035\n", 0644);
    path = test_file_write("ppg.conf", text, 0644);
    if (ppg_config_load(path, &c, &errs)) {
        (void)fprintf(stderr, "%s\n", errs.text[0]);
        abort();
    }
    return c;
}

/* Our certificate ends in two days, the revocation list in four. */
static struct net_tls_ctx *context(void)
{
    static struct test_cert ca, own;
    static char crl[2048];
    struct test_cert_conf conf = {.cn = "authority", .ca = true, .from_s = -60, .to_s = 90 * DAY_S};
    struct net_tls_pair pair;
    struct net_tls_conf tls = {.role = NET_TLS_SERVER,
                               .verify = NET_TLS_VERIFY_OPTIONAL,
                               .pairs = &pair,
                               .pairs_n = 1,
                               .version_min = 12};
    struct net_tls_ctx *ctx = NULL;
    const char *why;

    test_cert_make(&conf, NULL, &ca);
    conf = (struct test_cert_conf){.cn = "own", .from_s = -60, .to_s = 2 * DAY_S};
    test_cert_make(&conf, &ca, &own);
    test_crl_dated(&ca, NULL, 0, 4 * DAY_S, crl, sizeof crl);
    pair = (struct net_tls_pair){.cert_pem = slice_str(own.cert_pem), .key_pem = slice_str(own.key_pem)};
    tls.ca_pem = slice_str(ca.cert_pem);
    tls.crl_pem = slice_str(crl);
    MUST(net_tls_ctx_create(&tls, &ctx, &why) == ERR_OK);
    return ctx;
}

static void test_told_in_time(void)
{
    static const struct {
        const char *ahead;
        int64_t after_s;
        const char *events[3]; /* that are logged, ends with NULL */
    } rows[] = {
        {"1d", 0, {NULL}},
        {"0", 0, {NULL}},
        {"3d", 0, {"tls.cert.expiring", NULL}},
        {"7d", 0, {"tls.cert.expiring", "tls.crl.expiring", NULL}},
        {"7d", 3 * DAY_S, {"tls.cert.expired", "tls.crl.expiring", NULL}},
        {"0", 5 * DAY_S, {"tls.cert.expired", "tls.crl.expired", NULL}},
    };
    static const char *const all[] = {"tls.cert.expiring", "tls.cert.expired",    "tls.crl.expiring",
                                      "tls.crl.expired",   "tls.staple.expiring", "tls.staple.expired"};
    struct net_tls_ctx *ctx = context();

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct log_conf conf = {.level = LOG_ERROR, .format = LOG_TEXT, .fd = -1};
        struct ppg_snapshot s = {.config = config(rows[i].ahead), .pap = ctx};
        struct log *log = NULL;

        test_row(i);
        MUST(log_create(&conf, &clk_real, &log) == ERR_OK);
        ppg_expiry_tell(&s, (int64_t)time(NULL) + rows[i].after_s, log);
        for (size_t k = 0; k < COUNT(all); k++) {
            uint64_t want = 0;

            for (size_t n = 0; rows[i].events[n]; n++)
                want += slice_eq(slice_str(all[k]), slice_str(rows[i].events[n]));
            CU_ASSERT_EQUAL(log_count(log, all[k]), want);
        }
        log_free(&log);
        ppg_config_drop(&s.config);
    }
    net_tls_ctx_free(&ctx);
}

const struct test_case test_cases[] = {
    {"told_in_time", test_told_in_time},
    {NULL, NULL},
};
