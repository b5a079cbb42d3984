/* Lists of security mechanisms: which is taken, and how they are said back. */
#include "ota/sip/agree.h"

#include <stdio.h>

#include "tests/unit/harness.h"

static void the_best_that_we_know(void)
{
    static const struct {
        const char *list;
        enum err want;
        enum ota_sip_mechanism mechanism;
    } rows[] = {
        {"tls;q=0.2, digest;d-alg=MD5;d-qop=auth;q=0.1", ERR_OK, OTA_SIP_AGREED_TLS},
        {"tls;q=0.1, digest;d-alg=SHA-256;d-qop=auth;q=0.2", ERR_OK, OTA_SIP_AGREED_DIGEST},
        {"ipsec-ike;q=0.9,TLS ; q = 0.5", ERR_OK, OTA_SIP_AGREED_TLS},
        {"ipsec-3gpp;alg=hmac-sha-1-96;spi-c=1;q=1.000,Digest", ERR_OK, OTA_SIP_AGREED_DIGEST},
        {"digest;q=0.9;d-qop=auth-int, tls;q=0.001", ERR_OK, OTA_SIP_AGREED_TLS}, /* what we cannot do */
        {"digest;q=0.9;d-alg=AKAv1-MD5, tls;q=0.001", ERR_OK, OTA_SIP_AGREED_TLS},
        {"tls", ERR_OK, OTA_SIP_AGREED_TLS},
        {"tls;x=\"a,b;c\";q=0.2,\t digest;q=0.21", ERR_OK, OTA_SIP_AGREED_DIGEST},
        {"ipsec-ike;q=0.1, ipsec-man;q=0.2", ERR_ABSENT, 0},
        {"digest;d-qop=auth-int", ERR_ABSENT, 0},
        {"tls;q=0.1, digest;q=0.1", ERR_MALFORMED, 0}, /* §2.2 */
        {"tls;q=0.1, digest;q=0.100", ERR_MALFORMED, 0},
        {"tls, digest", ERR_MALFORMED, 0},
        {"tls;q=2", ERR_MALFORMED, 0},
        {"tls;q=1.1", ERR_MALFORMED, 0},
        {"tls;q=0.1234", ERR_MALFORMED, 0},
        {"tls;q=", ERR_MALFORMED, 0},
        {"tls;q", ERR_MALFORMED, 0},
        {"tls;;q=0.1", ERR_MALFORMED, 0},
        {"tls,", ERR_MALFORMED, 0},
        {"tls x", ERR_MALFORMED, 0},
        {"tls\r\n ;q=0.1", ERR_MALFORMED, 0},
        {"", ERR_MALFORMED, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_agreement a = {.mechanism = OTA_SIP_NOT_AGREED, .list = "was"};

        test_row(i);
        CU_ASSERT_EQUAL(ota_sip_agree(slice_str(rows[i].list), &a), rows[i].want);
        CU_ASSERT_EQUAL(a.mechanism, rows[i].mechanism);
        CU_ASSERT(rows[i].want == ERR_OK || strcmp(a.list, "was") == 0);
    }
}

static void digest_parameters(void)
{
    struct ota_sip_agreement a;

    CU_ASSERT(ota_sip_agree(SLICE("digest;D-ALG=sha-256"), &a) == ERR_OK && a.algorithm_given &&
              a.digest.algorithm == SEC_DIGEST_SHA256);
    CU_ASSERT(ota_sip_agree(SLICE("digest;d-alg=MD5"), &a) == ERR_OK && a.algorithm_given &&
              a.digest.algorithm == SEC_DIGEST_MD5);
    CU_ASSERT(ota_sip_agree(SLICE("digest"), &a) == ERR_OK && !a.algorithm_given);
}

static void ceilings(void)
{
    struct ota_sip_agreement a;
    struct buf list;

    buf_init(&list, 4096);
    for (int i = 0; i < 16; i++)
        buf_addf(&list, "%sx%d;q=0.%d", i ? "," : "", i, 100 + i);
    CU_ASSERT_EQUAL(ota_sip_agree(buf_slice(&list), &a), ERR_ABSENT);
    buf_add(&list, SLICE(",tls;q=0.2"));
    CU_ASSERT_EQUAL(ota_sip_agree(buf_slice(&list), &a), ERR_MALFORMED); /* more than anybody has */
    buf_reset(&list, 4096);
    buf_add(&list, SLICE("tls;x="));
    while (list.n < OTA_SIP_LIST_MAX_N)
        buf_add_ch(&list, 'y');
    CU_ASSERT_EQUAL(ota_sip_agree(buf_slice(&list), &a), ERR_OK);
    buf_add_ch(&list, 'y');
    CU_ASSERT_EQUAL(ota_sip_agree(buf_slice(&list), &a), ERR_LIMIT);
    buf_clear(&list);
}

#define REQUIRES "Require: sec-agree\r\nProxy-Require: sec-agree\r\n"

static void said_back(void)
{
    static const struct {
        const char *list, *verify, *want;
    } rows[] = {
        {"", "", "Security-Client: tls, digest\r\n"},
        {"ipsec-ike;q=0.1,tls ;q=0.2;x=\"a, b\"", "",
         "Security-Verify: ipsec-ike;q=0.1,tls ;q=0.2;x=\"a, b\"\r\n"},
        {" tls;q=0.2, \t digest;q=0.3  ", "", "Security-Verify: tls;q=0.2, digest;q=0.3\r\n"},
        {"digest;d-alg=MD5;q=0.3,tls;q=0.1", "0123",
         "Security-Verify: digest;d-alg=MD5;q=0.3;d-ver=\"0123\", tls;q=0.1\r\n"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_agreement a = {.mechanism = OTA_SIP_NOT_AGREED};
        struct buf got, want;

        test_row(i);
        buf_init(&got, 1024);
        buf_init(&want, 1024);
        if (rows[i].list[0])
            CU_ASSERT_EQUAL(ota_sip_agree(slice_str(rows[i].list), &a), ERR_OK);
        CU_ASSERT_EQUAL(ota_sip_agree_print(&a, slice_str(rows[i].verify), &got), ERR_OK);
        buf_add_str(&want, rows[i].want);
        buf_add(&want, SLICE(REQUIRES));
        TEST_SLICE_EQ(buf_slice(&got), buf_slice(&want));
        buf_clear(&got);
        buf_clear(&want);
    }
}

static void remembered(void)
{
    struct ota_sip_agreements s;
    struct ota_sip_agreement tls, digest;

    CU_ASSERT_EQUAL(ota_sip_agree(SLICE("tls"), &tls), ERR_OK);
    CU_ASSERT_EQUAL(ota_sip_agree(SLICE("digest"), &digest), ERR_OK);
    ota_sip_agreements_init(&s, 2);
    CU_ASSERT_EQUAL(ota_sip_agreements_find(&s, SLICE("a:0")).mechanism, OTA_SIP_NOT_AGREED);
    ota_sip_agreements_put(&s, SLICE("a:0"), &digest);
    ota_sip_agreements_put(&s, SLICE("a:0"), &tls);
    ota_sip_agreements_put(&s, SLICE("b:0"), &digest);
    ota_sip_agreements_put(&s, SLICE("c:0"), &digest); /* no room */
    CU_ASSERT_EQUAL(ota_sip_agreements_find(&s, SLICE("a:0")).mechanism, OTA_SIP_AGREED_TLS);
    CU_ASSERT_EQUAL(ota_sip_agreements_find(&s, SLICE("b:0")).mechanism, OTA_SIP_AGREED_DIGEST);
    CU_ASSERT_EQUAL(ota_sip_agreements_find(&s, SLICE("c:0")).mechanism, OTA_SIP_NOT_AGREED);
    ota_sip_agreements_clear(&s);
}

const struct test_case test_cases[] = {{"the_best_that_we_know", the_best_that_we_know},
                                       {"digest_parameters", digest_parameters},
                                       {"ceilings", ceilings},
                                       {"said_back", said_back},
                                       {"remembered", remembered},
                                       {NULL, NULL}};
