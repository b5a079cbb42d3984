/* security/credentials.c: files made in the scratch folder, good ones and every way to get them wrong. */
#include "security/credentials.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/certs.h"
#include "tests/unit/harness.h"

static struct {
    bool made;
    struct test_cert ca, leaf, other, expired, future;
    char crl[2048];
} pki;

static void pki_make(void)
{
    static const char *const sans[] = {"DNS:push.example", NULL};

    if (pki.made)
        return;
    test_cert_make(&(struct test_cert_conf){.cn = "ca", .ca = true}, NULL, &pki.ca);
    test_cert_make(&(struct test_cert_conf){.cn = "leaf", .sans = sans}, &pki.ca, &pki.leaf);
    test_cert_make(&(struct test_cert_conf){.cn = "other", .sans = sans}, &pki.ca, &pki.other);
    test_cert_make(&(struct test_cert_conf){.cn = "old", .from_s = -7200, .to_s = -10}, &pki.ca,
                   &pki.expired);
    test_cert_make(&(struct test_cert_conf){.cn = "new", .from_s = 7200, .to_s = 9000}, &pki.ca, &pki.future);
    test_crl_make(&pki.ca, NULL, 0, pki.crl, sizeof pki.crl);
    pki.made = true;
}

static enum err load(const char *cert, const char *key, const char *ca, const char *crl,
                     char why[SEC_CREDENTIALS_WHY_N])
{
    struct sec_credentials_pair pair = {.cert_file = cert, .key_file = key};
    struct sec_credentials_conf conf = {.role = NET_TLS_SERVER,
                                        .verify = ca ? NET_TLS_VERIFY_REQUIRED : NET_TLS_VERIFY_NONE,
                                        .pairs = &pair,
                                        .pairs_n = 1,
                                        .ca_file = ca,
                                        .crl_file = crl,
                                        .version_min = 12,
                                        .alpn_http11 = true};
    struct net_tls_ctx *ctx = NULL;
    enum err e = sec_credentials_load(&conf, &clk_real, &ctx, why);

    CU_ASSERT_EQUAL(ctx != NULL, e == ERR_OK);
    net_tls_ctx_free(&ctx);
    return e;
}

static void case_good_files(void)
{
    char why[SEC_CREDENTIALS_WHY_N] = "?";
    const char *cert, *key, *ca, *crl;
    char chain[8192];

    pki_make();
    (void)snprintf(chain, sizeof chain, "%s%s", pki.leaf.cert_pem, pki.ca.cert_pem);
    cert = test_file_write("chain.pem", chain, 0644);
    key = test_file_write("key.pem", pki.leaf.key_pem, 0600);
    ca = test_file_write("ca.pem", pki.ca.cert_pem, 0644);
    crl = test_file_write("crl.pem", pki.crl, 0644);
    CU_ASSERT_EQUAL(load(cert, key, NULL, NULL, why), ERR_OK);
    CU_ASSERT_STRING_EQUAL(why, "");
    CU_ASSERT_EQUAL(load(cert, key, ca, NULL, why), ERR_OK);
    CU_ASSERT_EQUAL(load(cert, key, ca, crl, why), ERR_OK);
    CU_ASSERT(chmod(key, 0400) == 0);
    CU_ASSERT_EQUAL(load(cert, key, ca, crl, why), ERR_OK);
}

/* Each row is wrong in one file, and the reason begins with that file's path. */
static void case_bad_files(void)
{
    char why[SEC_CREDENTIALS_WHY_N];
    const char *cert, *key, *ca, *crl, *bad;
    char unsorted[8192];

    pki_make();
    (void)snprintf(unsorted, sizeof unsorted, "%s%s", pki.other.cert_pem, pki.leaf.cert_pem);
    const struct {
        const char *text;
        unsigned mode;
        char slot; /* which of cert, key, ca (a), crl (r) it stands for */
        enum err want;
        const char *what;
    } rows[] = {
        {pki.leaf.key_pem, 0640, 'k', ERR_DENIED, "0600"},
        {pki.leaf.key_pem, 0604, 'k', ERR_DENIED, "0600"},
        {pki.leaf.key_pem, 0620, 'k', ERR_DENIED, "0600"},
        {pki.other.key_pem, 0600, 'k', ERR_MALFORMED, "not the key"},
        {pki.leaf.cert_pem, 0600, 'k', ERR_MALFORMED, "private key"},
        {"", 0600, 'k', ERR_MALFORMED, "private key"},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", 0600, 'k',
         ERR_MALFORMED, "private key"},
        {pki.expired.cert_pem, 0644, 'c', ERR_MALFORMED, "has expired"},
        {pki.future.cert_pem, 0644, 'c', ERR_MALFORMED, "not valid yet"},
        {pki.leaf.key_pem, 0644, 'c', ERR_MALFORMED, "certificate chain"},
        {unsorted, 0644, 'c', ERR_MALFORMED, "certificate chain"},
        {"", 0644, 'c', ERR_MALFORMED, "certificate chain"},
        {"", 0644, 'a', ERR_MALFORMED, "nothing readable"},
        {"junk", 0644, 'a', ERR_MALFORMED, "nothing readable"},
        {pki.ca.cert_pem, 0644, 'r', ERR_MALFORMED, "nothing readable"},
        {"", 0644, 'r', ERR_MALFORMED, "nothing readable"},
    };
    cert = test_file_write("leaf.pem", pki.leaf.cert_pem, 0644);
    key = test_file_write("leaf.key", pki.leaf.key_pem, 0600);
    ca = test_file_write("ca.pem", pki.ca.cert_pem, 0644);
    crl = test_file_write("crl.pem", pki.crl, 0644);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char slot = rows[i].slot;

        test_row(i);
        bad = test_file_write("bad.pem", rows[i].text, rows[i].mode);
        CU_ASSERT_EQUAL(load(slot == 'c' ? bad : cert, slot == 'k' ? bad : key, slot == 'a' ? bad : ca,
                             slot == 'r' ? bad : crl, why),
                        rows[i].want);
        CU_ASSERT(strncmp(why, bad, strlen(bad)) == 0);
        CU_ASSERT(strstr(why, rows[i].what) != NULL);
        (void)unlink(bad);
    }
}

static void case_not_files(void)
{
    char why[SEC_CREDENTIALS_WHY_N];
    const char *cert, *key;
    char fifo[600];

    pki_make();
    cert = test_file_write("leaf.pem", pki.leaf.cert_pem, 0644);
    key = test_file_write("leaf.key", pki.leaf.key_pem, 0600);
    (void)snprintf(fifo, sizeof fifo, "%s/fifo", test_scratch());
    CU_ASSERT(mkfifo(fifo, 0600) == 0);
    CU_ASSERT_EQUAL(load(cert, fifo, NULL, NULL, why), ERR_DENIED); /* and does not hang */
    CU_ASSERT_EQUAL(load(fifo, key, NULL, NULL, why), ERR_DENIED);
    CU_ASSERT_EQUAL(load(cert, test_scratch(), NULL, NULL, why), ERR_DENIED);
    CU_ASSERT_EQUAL(load(cert, "/nonexistent/key", NULL, NULL, why), ERR_ABSENT);
    CU_ASSERT_STRING_EQUAL(why, "/nonexistent/key: no such file");
    CU_ASSERT_EQUAL(load(cert, key, "/nonexistent/ca", NULL, why), ERR_ABSENT);
    (void)unlink(fifo);
}

static void case_too_large(void)
{
    char why[SEC_CREDENTIALS_WHY_N];
    const char *cert, *key;

    pki_make();
    cert = test_file_write("leaf.pem", pki.leaf.cert_pem, 0644);
    key = test_file_write("leaf.key", pki.leaf.key_pem, 0600);
    CU_ASSERT(truncate(key, 70000) == 0);
    CU_ASSERT_EQUAL(load(cert, key, NULL, NULL, why), ERR_LIMIT);
    CU_ASSERT(strstr(why, "too large") != NULL);
}

static void case_client_without_certificate(void)
{
    struct sec_credentials_conf conf = {
        .role = NET_TLS_CLIENT, .verify = NET_TLS_VERIFY_REQUIRED, .version_min = 12};
    char why[SEC_CREDENTIALS_WHY_N];
    struct net_tls_ctx *ctx = NULL;

    pki_make();
    CU_ASSERT_EQUAL(sec_credentials_load(&conf, &clk_real, &ctx, why),
                    ERR_MALFORMED); /* nothing to verify with */
    CU_ASSERT(ctx == NULL && *why);
    conf.ca_file = test_file_write("ca.pem", pki.ca.cert_pem, 0644);
    CU_ASSERT_EQUAL(sec_credentials_load(&conf, &clk_real, &ctx, why), ERR_OK);
    net_tls_ctx_free(&ctx);
    conf.priority = "NONSENSE";
    CU_ASSERT_EQUAL(sec_credentials_load(&conf, &clk_real, &ctx, why), ERR_MALFORMED);
    CU_ASSERT(strstr(why, "priority") != NULL);
}

const struct test_case test_cases[] = {
    {"good_files", case_good_files},
    {"bad_files", case_bad_files},
    {"not_files", case_not_files},
    {"too_large", case_too_large},
    {"client_without_certificate", case_client_without_certificate},
    {NULL, NULL},
};
