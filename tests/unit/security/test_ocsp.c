/* OCSP against requests and responses that openssl made (tests/vectors/ocsp): an authority, three leaves, and answers
 * signed by those who may and those who may not. */
#include "security/ocsp.h"

#include <stdlib.h>

#include "base/mem.h"
#include "tests/unit/harness.h"

#define MADE_S INT64_C(1795277544) /* when the responses were made */
#define DAY_S  86400

struct file {
    char *p;
    struct slice s;
};

static struct file load(const char *name)
{
    char path[100];
    struct file f;
    size_t n;

    (void)snprintf(path, sizeof path, "vectors/ocsp/%s.der", name);
    f.p = test_read(path, &n);
    f.s = slice_of(f.p, n);
    return f;
}

static void test_judge(void)
{
    static const struct {
        const char *response, *leaf, *issuer;
        int64_t at_s; /* after they were made */
        enum err want;
        enum sec_ocsp_status status;
        int64_t kept_s;
    } rows[] = {
        {"r_good", "good", "ca", 10, ERR_OK, SEC_OCSP_GOOD, DAY_S},
        {"r_revoked", "gone", "ca", 10, ERR_OK, SEC_OCSP_REVOKED, DAY_S},
        {"r_unknown", "lost", "ca", 10, ERR_OK, SEC_OCSP_UNKNOWN, DAY_S},
        {"r_delegated", "good", "ca", 10, ERR_OK, SEC_OCSP_GOOD, DAY_S},
        {"r_brief", "good", "ca", 100, ERR_OK, SEC_OCSP_GOOD, 200},
        {"r_open", "good", "ca", 10, ERR_OK, SEC_OCSP_GOOD, 3600},
        {"r_good", "good", "ca", 50 * DAY_S, ERR_OK, SEC_OCSP_GOOD, DAY_S},
        {"r_brief", "good", "ca", 301, ERR_LATE, 0, 0},       /* past its next update */
        {"r_open", "good", "ca", DAY_S + 60, ERR_LATE, 0, 0}, /* there must be a newer one */
        {"r_good", "good", "ca", -600, ERR_LATE, 0, 0},       /* from the future */
        {"r_good", "gone", "ca", 10, ERR_MALFORMED, 0, 0},    /* about another certificate */
        {"r_revoked", "good", "ca", 10, ERR_MALFORMED, 0, 0},
        {"r_clerk", "good", "ca", 10, ERR_DENIED, 0, 0},    /* of the authority, but not for this */
        {"r_intruder", "good", "ca", 10, ERR_DENIED, 0, 0}, /* for this, but of another authority */
        {"r_foreign", "good", "ca", 10, ERR_DENIED, 0, 0},
        {"r_good", "good", "foreign", 10, ERR_DENIED, 0, 0},
        {"r_trylater", "good", "ca", 10, ERR_PEER, 0, 0},
        {"good", "good", "ca", 10, ERR_MALFORMED, 0, 0}, /* no response at all */
        {"r_good", "r_good", "ca", 10, ERR_MALFORMED, 0, 0},
        {"r_good", "good", "r_good", 10, ERR_MALFORMED, 0, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct file response = load(rows[i].response), leaf = load(rows[i].leaf),
                    issuer = load(rows[i].issuer);
        struct sec_ocsp_answer a = {SEC_OCSP_UNKNOWN, -7};

        test_row(i);
        CU_ASSERT_EQUAL(sec_ocsp_judge(response.s, leaf.s, issuer.s, MADE_S + rows[i].at_s, &a),
                        rows[i].want);
        if (rows[i].want) {
            CU_ASSERT(a.status == SEC_OCSP_UNKNOWN && a.until_s == -7);
        } else {
            CU_ASSERT_EQUAL(a.status, rows[i].status);
            CU_ASSERT(llabs(a.until_s - MADE_S - rows[i].at_s - rows[i].kept_s) < 10);
        }
        free(response.p);
        free(leaf.p);
        free(issuer.p);
    }
}

/* No octet of a response can be changed or left out without its being worth nothing, or saying the same. */
static void test_damaged(void)
{
    struct file response = load("r_revoked"), leaf = load("gone"), issuer = load("ca");
    struct sec_ocsp_answer a;

    for (size_t i = 0; i < response.s.n; i++) {
        bool taken;

        response.p[i] = (char)(response.p[i] ^ 1);
        taken = sec_ocsp_judge(response.s, leaf.s, issuer.s, MADE_S + 10, &a) == ERR_OK;
        CU_ASSERT(!taken || a.status == SEC_OCSP_REVOKED);
        response.p[i] = (char)(response.p[i] ^ 1);
        CU_ASSERT(sec_ocsp_judge(slice_sub(response.s, 0, i), leaf.s, issuer.s, MADE_S + 10, &a) != ERR_OK);
    }
    free(response.p);
    free(leaf.p);
    free(issuer.p);
}

static void test_url(void)
{
    static const struct {
        const char *leaf;
        enum err want;
        const char *url;
    } rows[] = {
        {"good", ERR_OK, "http://127.0.0.1:9/status"}, /* the first of two; caIssuers is another matter */
        {"gone", ERR_ABSENT, ""},
        {"r_good", ERR_MALFORMED, ""}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct file leaf = load(rows[i].leaf);
        struct buf url;

        test_row(i);
        buf_init(&url, 200);
        CU_ASSERT_EQUAL(sec_ocsp_url(leaf.s, &url), rows[i].want);
        TEST_SLICE_EQ(buf_slice(&url), slice_str(rows[i].url));
        buf_clear(&url);
        free(leaf.p);
    }
}

static void test_request(void)
{
    struct file good = load("good"), gone = load("gone"), ca = load("ca"), made = load("request");
    uint8_t key[SEC_OCSP_KEY_N], other[SEC_OCSP_KEY_N];
    struct buf out;

    buf_init(&out, 500);
    CU_ASSERT_EQUAL(sec_ocsp_request(good.s, ca.s, &out), ERR_OK);
    TEST_SLICE_EQ(buf_slice(&out), made.s); /* as openssl words it */
    CU_ASSERT_EQUAL(sec_ocsp_request(SLICE("x"), ca.s, &out), ERR_MALFORMED);
    CU_ASSERT_EQUAL(sec_ocsp_request(good.s, SLICE_NONE, &out), ERR_MALFORMED);
    TEST_SLICE_EQ(buf_slice(&out), made.s);
    buf_clear(&out);
    CU_ASSERT_EQUAL(sec_ocsp_key(good.s, ca.s, key), ERR_OK);
    CU_ASSERT_EQUAL(sec_ocsp_key(gone.s, ca.s, other), ERR_OK);
    CU_ASSERT(!slice_eq(slice_of(key, sizeof key), slice_of(other, sizeof other)));
    CU_ASSERT_EQUAL(sec_ocsp_key(good.s, ca.s, other), ERR_OK);
    CU_ASSERT(slice_eq(slice_of(key, sizeof key), slice_of(other, sizeof other)));
    free(good.p);
    free(gone.p);
    free(ca.p);
    free(made.p);
}

const struct test_case test_cases[] = {
    {"judge", test_judge}, {"damaged", test_damaged}, {"url", test_url}, {"request", test_request},
    {NULL, NULL},
};
