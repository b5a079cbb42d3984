/* The policy of algorithms: it narrows the settings and never widens them. */
#include "ppg/config/algorithms.h"

#include <stdlib.h>

#include "base/net/tls.h"
#include "security/gpl.h"
#include "tests/unit/harness.h"

#define ALL_THREE "ciphers = aes-128-gcm, aes-256-gcm, chacha20-poly1305\n"
#define SERIAL    "serial = 7\n"
#define SEALS     "\nseal-suites = aes-gcm, aes-ctr-hmac-sha256"
#define BIT(name) (1u << SEC_GPL_##name)
#define SEALS_ARE (BIT(GCM) | BIT(CTR))

static void test_narrows(void)
{
    static const struct {
        unsigned tls_min, ciphers; /* of [pap] */
        bool md5;
        const char *text;
        unsigned want_min, want_ciphers;
        bool want_md5;
    } rows[] = {
        {12, NET_TLS_CIPHERS_ALL, true, SERIAL "tls-min = 1.2\n" ALL_THREE "digest-md5 = yes" SEALS, 12,
         NET_TLS_CIPHERS_ALL, true},
        {12, NET_TLS_CIPHERS_ALL, true, SERIAL "tls-min = 1.3\nciphers = aes-256-gcm\ndigest-md5 = no" SEALS,
         13, NET_TLS_AES_256_GCM, false},
        {13, NET_TLS_AES_256_GCM, false, SERIAL "tls-min = 1.2\n" ALL_THREE "digest-md5 = yes" SEALS, 13,
         NET_TLS_AES_256_GCM, false},
        {12, NET_TLS_AES_128_GCM | NET_TLS_AES_256_GCM, true,
         SERIAL "tls-min = 1.3\nciphers = aes-256-gcm, chacha20-poly1305\ndigest-md5 = yes" SEALS, 13,
         NET_TLS_AES_256_GCM, true},
    };
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_load load = {.errs = errs};
        struct ppg_settings s = {
            .pap = {.tls_min = rows[i].tls_min, .ciphers = rows[i].ciphers, .digest_md5 = rows[i].md5},
            .protection = {.suites = BIT(GCM) | BIT(HMAC)}};

        test_row(i);
        ppg_algorithms_read_text(&load, slice_str(rows[i].text), "f", 7, &s);
        CU_ASSERT_EQUAL(errs->n, 0);
        CU_ASSERT_EQUAL(s.pap.tls_min, rows[i].want_min);
        CU_ASSERT_EQUAL(s.pap.ciphers, rows[i].want_ciphers);
        CU_ASSERT_EQUAL(s.pap.digest_md5, rows[i].want_md5);
        CU_ASSERT(s.policy.tls_min >= 12 && s.policy.ciphers != 0 && s.policy.serial == 7);
        CU_ASSERT_EQUAL(s.protection.suites, BIT(GCM));
    }
    free(errs);
}

static void test_bad(void)
{
    static const struct {
        const char *text, *want; /* the first mistake */
    } rows[] = {
        {"", "f:0: serial: missing"},
        {SERIAL "tls-min = 1.3\ndigest-md5 = no" SEALS, "f:0: ciphers: missing"},
        {SERIAL "tls-min = 1.3\n" ALL_THREE "digest-md5 = no", "f:0: seal-suites: missing"},
        {SERIAL "tls-min = 1.1\n" ALL_THREE "digest-md5 = no" SEALS, "f:2: tls-min: 1.2 or 1.3"},
        {SERIAL "tls-min = 1.3\nciphers = chacha20-poly1305\ndigest-md5 = no" SEALS,
         "f:3: ciphers: leaves none of the ciphers in [pap]"},
        {SERIAL "tls-min = 1.3\nciphers = none\ndigest-md5 = no" SEALS,
         "f:3: ciphers: comma separated, some of aes-128-gcm, aes-256-gcm or chacha20-poly1305"},
        {SERIAL "tls-min = 1.3\nciphers = aes-256-gcm\ndigest-md5 = never" SEALS,
         "f:4: digest-md5: yes or no"},
        {SERIAL "tls-min = 1.3\nciphers = aes-256-gcm\ndigest-md5 = no\ntls-max = 1.3" SEALS,
         "f:5: tls-max: unknown key, did you mean tls-min?"},
        {SERIAL "tls-min = 1.3\nciphers = aes-256-gcm\ndigest-md5 = no\nseal-suites = hmac-sha256",
         "f:5: seal-suites: leaves none of the suites in [protection]"},
        {SERIAL "tls-min = 1.3\nciphers = aes-256-gcm\ndigest-md5 = no\nseal-suites = rot13",
         "f:5: seal-suites: comma separated, some of hmac-sha256, aes-ctr-hmac-sha256, aes-cbc-hmac-sha256, "
         "aes-gcm, "
         "hmac-sha256-8 or aes-ctr-hmac-sha256-8"},
        {"serial = 6\ntls-min = 1.3\nciphers = aes-256-gcm\ndigest-md5 = no" SEALS,
         "f:1: serial: an older policy: one with the serial 7 was in force"},
        {"serial = 0\ntls-min = 1.3\nciphers = aes-256-gcm\ndigest-md5 = no" SEALS,
         "f:1: serial: a number from 1 on"},
        {"serial = -8\ntls-min = 1.3\nciphers = aes-256-gcm\ndigest-md5 = no" SEALS,
         "f:1: serial: a number from 1 on"},
        {"[algorithms]\n", "f:1: algorithms: this file has no sections"},
    };
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_load load = {.errs = errs};
        struct ppg_settings s = {.pap = {.tls_min = 12, .ciphers = NET_TLS_AES_256_GCM, .digest_md5 = true},
                                 .protection = {.suites = SEALS_ARE}};

        test_row(i);
        errs->n = 0;
        ppg_algorithms_read_text(&load, slice_str(rows[i].text), "f", 7, &s);
        CU_ASSERT(load.err != ERR_OK && errs->n >= 1);
        TEST_SLICE_EQ(slice_str(errs->text[0]), slice_str(rows[i].want));
        CU_ASSERT(s.pap.tls_min == 12 && s.pap.digest_md5 && s.policy.serial == 0);
        CU_ASSERT_EQUAL(s.protection.suites, SEALS_ARE);
    }
    free(errs);
}

const struct test_case test_cases[] = {
    {"narrows", test_narrows},
    {"bad", test_bad},
    {NULL, NULL},
};
