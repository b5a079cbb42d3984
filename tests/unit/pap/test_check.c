/* Rules of a submission: each alone, their order, and notify URLs. */
#include "tests/unit/harness.h"

#include "pap/check.h"

#define NOW_S 1714564800

static struct slice address = {"WAPPUSH=+15550100/TYPE=PLMN", 27};
static char long_id[300];

static struct pap_push good(void)
{
    struct pap_push p = {.push_id = SLICE("a@b")};

    p.addrs.v = &address;
    p.addrs.n = 1;
    return p;
}

static struct pap_verdict check(const struct pap_push *p)
{
    return pap_check_push(p, &PAP_CHECK_LIMITS_DEFAULT, NOW_S);
}

static void test_good(void)
{
    struct pap_push p = good();
    struct pap_verdict v = check(&p);

    CU_ASSERT_EQUAL(v.code, PAP_CODE_OK);
    CU_ASSERT_STRING_EQUAL(v.why, "");
    p.push_id = slice_of(long_id, 255);
    p.notify_to = SLICE("https://pi.example.com/n");
    p.deliver_after = (struct pap_time){NOW_S + 1, true};
    p.deliver_before = (struct pap_time){NOW_S + 2, true};
    p.qos = (struct pap_qos){
        .given = true, .delivery = PAP_DELIVERY_CONFIRMED, .bearer = SLICE("SMS"), .bearer_required = true};
    CU_ASSERT_EQUAL(check(&p).code, PAP_CODE_OK);
}

static void test_fields(void)
{
    struct pap_push p = good();

    p.push_id = SLICE("");
    CU_ASSERT_EQUAL(check(&p).code, PAP_CODE_BAD_REQUEST);
    p.push_id = slice_of(long_id, 256);
    CU_ASSERT_EQUAL(check(&p).code, PAP_CODE_BAD_REQUEST);
    p = good();
    p.replace_push_id = SLICE("");
    CU_ASSERT_EQUAL(check(&p).code, PAP_CODE_BAD_REQUEST);
    p.replace_push_id = p.push_id;
    CU_ASSERT_EQUAL(check(&p).code, PAP_CODE_BAD_REQUEST);
    p = good();
    p.addrs.n = 0;
    CU_ASSERT_EQUAL(check(&p).code, PAP_CODE_BAD_REQUEST);
    p.addrs.n = 1001;
    CU_ASSERT_EQUAL(check(&p).code, PAP_CODE_MULTIPLE_ADDRESSES);
    p = good();
    p.qos.network_required = true;
    CU_ASSERT_EQUAL(check(&p).code, PAP_CODE_BAD_REQUEST);
    p = good();
    p.qos.bearer_required = true;
    CU_ASSERT_EQUAL(check(&p).code, PAP_CODE_BAD_REQUEST);
    p = good();
    p.notify_to = SLICE("mailto:a@example.com");
    CU_ASSERT_EQUAL(check(&p).code, PAP_CODE_BAD_REQUEST);
}

static void test_times(void)
{
    static const struct {
        struct pap_time after, before;
        enum pap_code want;
    } rows[] = {
        {{NOW_S + 9, true}, {NOW_S + 10, true}, PAP_CODE_OK},
        {{NOW_S + 10, true},
         {NOW_S + 10, true},
         PAP_CODE_BAD_REQUEST}, /* no attempt begins at the deadline */
        {{NOW_S - 10, true}, {0, false}, PAP_CODE_OK},
        {{0, false}, {NOW_S + 1, true}, PAP_CODE_OK},
        {{NOW_S + 11, true}, {NOW_S + 10, true}, PAP_CODE_BAD_REQUEST},
        {{NOW_S - 5, true}, {NOW_S - 10, true}, PAP_CODE_BAD_REQUEST}, /* before 2001 */
        {{0, false}, {NOW_S, true}, PAP_CODE_FORBIDDEN},
        {{0, false}, {NOW_S - 1, true}, PAP_CODE_FORBIDDEN},
        {{0, false}, {0, true}, PAP_CODE_FORBIDDEN},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pap_push p = good();

        test_row(i);
        p.deliver_after = rows[i].after;
        p.deliver_before = rows[i].before;
        CU_ASSERT_EQUAL(check(&p).code, rows[i].want);
    }
}

static void test_not_offered(void)
{
    struct pap_check_limits limits = PAP_CHECK_LIMITS_DEFAULT;
    struct pap_push p = good();

    limits.confirmed = limits.replace = false;
    p.qos.delivery = PAP_DELIVERY_CONFIRMED;
    CU_ASSERT_EQUAL(pap_check_push(&p, &limits, NOW_S).code, PAP_CODE_METHOD_NOT_POSSIBLE);
    p.qos.delivery = PAP_DELIVERY_PREFERCONFIRMED;
    CU_ASSERT_EQUAL(pap_check_push(&p, &limits, NOW_S).code, PAP_CODE_OK);
    p.replace_push_id = SLICE("old");
    CU_ASSERT_EQUAL(pap_check_push(&p, &limits, NOW_S).code, PAP_CODE_REPLACEMENT_NOT_SUPPORTED);
}

/* The first rule that fails decides, whatever else is wrong. */
static void test_order(void)
{
    struct pap_push p = good();

    p.push_id = SLICE("");
    p.deliver_before = (struct pap_time){1, true};
    p.addrs.n = 5000;
    CU_ASSERT_STRING_EQUAL(check(&p).why, "push-id is empty");
    p.push_id = SLICE("x");
    CU_ASSERT_EQUAL(check(&p).code, PAP_CODE_MULTIPLE_ADDRESSES);
    p.addrs.n = 1;
    CU_ASSERT_EQUAL(check(&p).code, PAP_CODE_FORBIDDEN);
}

static void test_urls(void)
{
    static const struct {
        const char *url;
        bool good;
    } rows[] = {
        {"https://pi.example.com/pap-notify", true},
        {"http://pi", true},
        {"HTTP://192.0.2.1:8080?x=1", true},
        {"https://[2001:db8::1]:443/n", true},
        {"https://pi.example.com/a@b", true}, /* an @ in the path is no userinfo */
        {"https://user@pi.example.com/", false},
        {"https://user:pw@pi.example.com/", false},
        {"https://", false},
        {"https:///n", false},
        {"https://:80/", false},
        {"https://pi:/", false},
        {"https://pi:123456/", false},
        {"https://pi:8a/", false},
        {"https://[::1/", false},
        {"https://[]/", false},
        {"https://[g::]/", false},
        {"https://pi.example.com/#x", false},
        {"https://pi.example.com/a b", false},
        {"https://pi.example.com/\r\nX: y", false},
        {"https://pi%2eexample.com/", false},
        {"https://pi\\@evil/", false},
        {"https://p\xC3\xAF/", false},
        {"ftp://pi.example.com/", false},
        {"file:///etc/passwd", false},
        {"javascript:alert(1)", false},
        {"pi.example.com", false},
        {"http:/pi", false},
        {" http://pi/", false},
        {"", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(pap_check_url(slice_str(rows[i].url)), rows[i].good);
    }
    CU_ASSERT_FALSE(pap_check_url(slice_of("http://a\0b/", 11)));
}

static void test_url_length(void)
{
    static char url[4096] = "https://pi/";
    struct pap_push p = good();

    (void)memset(url + 11, 'a', sizeof url - 11);
    p.notify_to = slice_of(url, 2048);
    CU_ASSERT_EQUAL(check(&p).code, PAP_CODE_OK);
    p.notify_to = slice_of(url, 2049);
    CU_ASSERT_EQUAL(check(&p).code, PAP_CODE_BAD_REQUEST);
}

const struct test_case test_cases[] = {
    {"good", test_good},
    {"fields", test_fields},
    {"times", test_times},
    {"not offered", test_not_offered},
    {"order", test_order},
    {"urls", test_urls},
    {"url length", test_url_length},
    {NULL, NULL},
};
