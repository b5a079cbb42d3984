/* What a line looks like in both formats, above all when the values want to be something else. */
#include "tests/unit/harness.h"

#include <jansson.h>

#include "base/log_line.h"
#include "tests/unit/base/random.h"

#define AT_MS 1769860800123 /* 2026-01-31T12:00:00.123Z */

/* Stands for a hash: which octets it was asked about is seen in it.  arg: NULL when it cannot. */
static bool token_of(void *arg, struct slice identity, char out[LOG_TOKEN_N])
{
    for (size_t i = 0; arg && i < LOG_TOKEN_N; i++)
        out[i] = (char)('a' + (identity.n + (i < identity.n ? (unsigned char)identity.p[i] : 0)) % 26);
    return arg != NULL;
}

static struct slice print(struct log_line *l, enum log_format format, enum log_identities identities,
                          const struct log_kv *kv)
{
    static char good;
    struct log_style style = {LOG_INFO, format, identities, token_of, &good};

    log_line_print(l, &style, AT_MS, "t.e", kv);
    return slice_of(l->p, l->n);
}

static const struct {
    int64_t utc_ms;
    const char *want;
} time_rows[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {AT_MS, "2026-01-31T12:00:00.123Z"},
    {1709208000999, "2024-02-29T12:00:00.999Z"},
    {253402300799999, "9999-12-31T23:59:59.999Z"},
    {-1, "1970-01-01T00:00:00.000Z"},
    {INT64_MAX, "9999-12-31T23:59:59.999Z"},
};

static void test_times(void)
{
    struct log_style style = {LOG_ERROR, LOG_TEXT, LOG_HASHED, NULL, NULL};
    struct log_line l;

    for (size_t i = 0; i < COUNT(time_rows); i++) {
        test_row(i);
        log_line_print(&l, &style, time_rows[i].utc_ms, "x", (const struct log_kv[]){LOG_END});
        TEST_SLICE_EQ(slice_sub(slice_of(l.p, l.n), 0, 24), slice_str(time_rows[i].want));
        TEST_SLICE_EQ(slice_sub(slice_of(l.p, l.n), 24, 99), SLICE(" level=error event=x\n"));
    }
}

static void test_ordinary(void)
{
    const struct log_kv kv[] = {LOG_C("push_id", "a-1@x"), LOG_I("try", -2),        LOG_B("ok", true),
                                LOG_B("late", 0),          LOG_I("min", INT64_MIN), LOG_END};
    struct log_line l;

    TEST_SLICE_EQ(
        print(&l, LOG_TEXT, LOG_HASHED, kv),
        SLICE("2026-01-31T12:00:00.123Z level=info event=t.e push_id=a-1@x try=-2 ok=true late=false "
              "min=-9223372036854775808\n"));
    TEST_SLICE_EQ(print(&l, LOG_JSON, LOG_HASHED, kv),
                  SLICE("{\"time\":\"2026-01-31T12:00:00.123Z\",\"level\":\"info\",\"event\":\"t.e\","
                        "\"push_id\":\"a-1@x\",\"try\":-2,\"ok\":true,\"late\":false,"
                        "\"min\":-9223372036854775808}\n"));
}

/* The value as it stands behind `k=` and behind `"k":`. */
static const struct {
    struct slice in;
    const char *text, *json;
} value_rows[] = {
    {SLICE("plain"), "plain", "\"plain\""},
    {SLICE(""), "\"\"", "\"\""},
    {SLICE("a b"), "\"a b\"", "\"a b\""},
    {SLICE("a=b"), "\"a=b\"", "\"a=b\""},
    {SLICE("x\nlevel=error event=fake"), "\"x\\nlevel=error event=fake\"", "\"x\\nlevel=error event=fake\""},
    {SLICE("\r\t"), "\"\\r\\t\"", "\"\\r\\t\""},
    {SLICE("\" ok=true \""), "\"\\\" ok=true \\\"\"", "\"\\\" ok=true \\\"\""},
    {SLICE("\",\"ok\":true"), "\"\\\",\\\"ok\\\":true\"", "\"\\\",\\\"ok\\\":true\""},
    {SLICE("\\\""), "\"\\\\\\\"\"", "\"\\\\\\\"\""},
    {SLICE("\\"), "\"\\\\\"", "\"\\\\\""},
    {SLICE("\x1b[2J"), "\"\\u{1b}[2J\"", "\"\\u001b[2J\""},
    {SLICE("a\0b"), "\"a\\u{0}b\"", "\"a\\u0000b\""},
    {SLICE("\x7f"), "\"\\u{7f}\"", "\"\\u007f\""},
    {SLICE("\xc3\xa9"), "\"\xc3\xa9\"", "\"\xc3\xa9\""},
    {SLICE("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"", "\"\xf0\x9f\x98\x80\""},
    {SLICE("\xc2\x9b"), "\"\\u{9b}\"", "\"\\u009b\""},       /* C1: CSI */
    {SLICE("\xe2\x80\xa8"), "\"\\u{2028}\"", "\"\\u2028\""}, /* line separator */
    {SLICE("\xe2\x80\xae"), "\"\\u{202e}\"", "\"\\u202e\""}, /* right-to-left override */
    {SLICE("\xe2\x81\xa6"), "\"\\u{2066}\"", "\"\\u2066\""},
    {SLICE("a\xe2\x80\x8f"
           "b"),
     "\"a\\u{200f}b\"", "\"a\\u200fb\""}, /* right-to-left mark */
    {SLICE("\xd8\x9c"), "\"\\u{61c}\"", "\"\\u061c\""},
    {SLICE("\xe2\x80\x8b"), "\"\\u{200b}\"", "\"\\u200b\""}, /* no width */
    {SLICE("\xef\xbb\xbf"), "\"\\u{feff}\"", "\"\\ufeff\""},
    {SLICE("\xe2\x80\x90"), "\"\xe2\x80\x90\"", "\"\xe2\x80\x90\""}, /* a hyphen is none */
    {SLICE("\x9b"), "\"\\x9b\"", "\"\\ufffd\""},                     /* bare continuation */
    {SLICE("\xff"), "\"\\xff\"", "\"\\ufffd\""},
    {SLICE("\xc3"), "\"\\xc3\"", "\"\\ufffd\""},           /* ends early */
    {SLICE("\xc3\""), "\"\\xc3\\\"\"", "\"\\ufffd\\\"\""}, /* may not swallow the quote */
    {SLICE("\xe2\x80\n"), "\"\\xe2\\x80\\n\"", "\"\\ufffd\\ufffd\\n\""},
    {SLICE("\xc0\x8a"), "\"\\xc0\\x8a\"", "\"\\ufffd\\ufffd\""}, /* overlong newline */
    {SLICE("\xe0\x80\x8a"), "\"\\xe0\\x80\\x8a\"", "\"\\ufffd\\ufffd\\ufffd\""},
    {SLICE("\xed\xa0\x80"), "\"\\xed\\xa0\\x80\"", "\"\\ufffd\\ufffd\\ufffd\""}, /* surrogate */
    {SLICE("\xf4\x90\x80\x80"), "\"\\xf4\\x90\\x80\\x80\"", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
};

static void test_values(void)
{
    static const size_t text_head = sizeof "2026-01-31T12:00:00.123Z level=info event=t.e k=" - 1;
    struct log_line l;

    for (size_t i = 0; i < COUNT(value_rows); i++) {
        const struct log_kv kv[] = {LOG_S("k", value_rows[i].in), LOG_END};
        struct slice got = print(&l, LOG_TEXT, LOG_HASHED, kv);
        size_t at;

        test_row(i);
        TEST_SLICE_EQ(slice_sub(got, text_head, got.n - text_head - 1), slice_str(value_rows[i].text));
        got = print(&l, LOG_JSON, LOG_HASHED, kv);
        at = slice_find_slice(got, SLICE("\"k\":")) + 4;
        TEST_SLICE_EQ(slice_sub(got, at, got.n - at - 2), slice_str(value_rows[i].json));
    }
}

static const struct {
    const char *in, *cut, *whole;
} who_rows[] = {
    {"+15551234567", "*4567", "+15551234567"},
    {"+15551234568", "*4568", "+15551234568"},
    {"4567", "*4567", "4567"},
    {"", "*", "\"\""},
    {"abcd\xc3\xa9", "\"*cd\xc3\xa9\"", "\"abcd\xc3\xa9\""},
    {"ab\xe2\x82\xac!!", "*!!", "\"ab\xe2\x82\xac!!\""}, /* no half of a character */
    {"+1555 \n12", "\"* \\n12\"", "\"+1555 \\n12\""},
    {"I1U8vpY3qJ0hiuZNrke/NQ==@bsf.example", "*mple", "\"I1U8vpY3qJ0hiuZNrke/NQ==@bsf.example\""},
};

static struct slice value_of(struct log_line *l, enum log_identities identities, struct log_kv kv)
{
    struct slice got = print(l, LOG_TEXT, identities, (const struct log_kv[]){kv, LOG_END});
    size_t at = slice_find_slice(got, SLICE("to=")) + 3;

    return slice_sub(got, at, got.n - at - 1);
}

/* A token by default; whole only what is proved. */
static void test_identities(void)
{
    struct log_line l;

    for (size_t i = 0; i < COUNT(who_rows); i++) {
        struct slice in = slice_str(who_rows[i].in);
        char token[LOG_TOKEN_N] = "", good;
        struct slice hashed = in.n ? slice_of(token, sizeof token) : SLICE("*");

        test_row(i);
        CU_ASSERT_TRUE(token_of(&good, in, token));
        TEST_SLICE_EQ(value_of(&l, LOG_HASHED, LOG_A("to", in)), hashed);
        TEST_SLICE_EQ(value_of(&l, LOG_LAST_FOUR, LOG_A("to", in)), slice_str(who_rows[i].cut));
        TEST_SLICE_EQ(value_of(&l, LOG_WHOLE, LOG_A("to", in)), slice_str(who_rows[i].whole));
        TEST_SLICE_EQ(value_of(&l, LOG_HASHED, LOG_U("to", in)), hashed);
        TEST_SLICE_EQ(value_of(&l, LOG_LAST_FOUR, LOG_U("to", in)), hashed);
        TEST_SLICE_EQ(value_of(&l, LOG_WHOLE, LOG_U("to", in)), hashed);
    }
}

/* Before the key is known, or when there is no memory for a hash: nobody is named. */
static void test_no_token(void)
{
    static const char want[] = " to=* from=* what=no\n";
    const struct log_kv kv[] = {LOG_A("to", SLICE("+15551234567")), LOG_U("from", SLICE("alice")),
                                LOG_C("what", "no"), LOG_END};
    struct log_style styles[] = {{LOG_INFO, LOG_TEXT, LOG_HASHED, NULL, NULL},
                                 {LOG_INFO, LOG_TEXT, LOG_HASHED, token_of, NULL}};

    for (size_t i = 0; i < COUNT(styles); i++) {
        struct log_line l;

        test_row(i);
        log_line_print(&l, &styles[i], AT_MS, "t.e", kv);
        TEST_SLICE_EQ(slice_sub(slice_of(l.p, l.n), l.n - strlen(want), l.n), slice_str(want));
    }
}

static void test_cut_at_200(void)
{
    char text[203];
    struct log_line l;

    memset(text, 'a', sizeof text);
    for (size_t n = 198; n <= sizeof text; n++) {
        const struct log_kv kv[] = {LOG_S("k", slice_of(text, n)), LOG_END};
        struct slice got = print(&l, LOG_JSON, LOG_HASHED, kv);

        test_row(n);
        CU_ASSERT_EQUAL(slice_ends(got, SLICE("a...\"}\n")), n > 200);
        CU_ASSERT_EQUAL(slice_ends(got, SLICE("aa\"}\n")), n <= 200);
    }
    memcpy(text + 199, "\xc3\xa9", 2); /* would end at 201: left out whole */
    const struct log_kv kv[] = {LOG_S("k", slice_of(text, 201)), LOG_END};
    CU_ASSERT_TRUE(slice_ends(print(&l, LOG_TEXT, LOG_HASHED, kv), SLICE("aa...\"\n")));
}

/* More pairs than a line holds: whole pairs go, the line says so and is still JSON. */
static void test_too_many_pairs(void)
{
    static char worst[200];
    struct log_kv kv[65];
    struct log_line l;
    struct slice got;
    json_t *j;
    size_t all_n; /* octets a line without an end would have */

    kv[0] = LOG_END;
    all_n = print(&l, LOG_JSON, LOG_HASHED, kv).n;
    memset(worst, 1, sizeof worst);
    for (size_t n = 1; n <= 64; n++) {
        kv[n - 1] = LOG_S("k", slice_of(worst, 1 + n * 67 % 200));
        kv[n] = LOG_END;
        all_n += sizeof ",\"k\":\"\"" - 1 + kv[n - 1].s.n * 6;
        got = print(&l, LOG_JSON, LOG_HASHED, kv);
        j = json_loadb(got.p, got.n, 0, NULL);
        test_row(n);
        CU_ASSERT_PTR_NOT_NULL(j);
        CU_ASSERT(got.n <= LOG_LINE_MAX_N && slice_find(got, '\n') == got.n - 1);
        if (all_n + 40 <= LOG_LINE_MAX_N ||
            all_n > LOG_LINE_MAX_N) /* between, its own end may need the room */
            CU_ASSERT_EQUAL(json_object_get(j, "cut") != NULL, all_n > LOG_LINE_MAX_N);
        json_decref(j);
    }
    CU_ASSERT_TRUE(slice_ends(print(&l, LOG_TEXT, LOG_HASHED, kv), SLICE(" cut=true\n")));
}

/* Lines that end octet by octet nearer to the end of the memory, and past it, stay whole. */
static void test_full_to_the_octet(void)
{
    static char worst[200], plain[200];
    struct slice full = slice_of(worst, sizeof worst);
    struct log_line l;
    size_t cut = 0;

    memset(worst, 1, sizeof worst);
    memset(plain, 'p', sizeof plain);
    for (size_t i = 0; i < 400; i++) {
        const struct log_kv kv[] = {LOG_S("a", full),
                                    LOG_S("b", full),
                                    LOG_S("c", full),
                                    LOG_S("d", full),
                                    LOG_S("e", full),
                                    LOG_S("f", full),
                                    LOG_S("g", slice_of(worst, 90)),
                                    LOG_S("h", slice_of(plain, i / 2)),
                                    LOG_S("i", slice_of(plain, i - i / 2)),
                                    LOG_END};
        struct slice got = print(&l, LOG_JSON, LOG_HASHED, kv);
        json_t *j = json_loadb(got.p, got.n, 0, NULL);

        test_row(i);
        CU_ASSERT_PTR_NOT_NULL(json_object_get(j, "g"));
        CU_ASSERT(got.n <= LOG_LINE_MAX_N && slice_find(got, '\n') == got.n - 1);
        CU_ASSERT_EQUAL(json_object_get(j, "i") == NULL, json_object_get(j, "cut") != NULL);
        cut += json_object_get(j, "cut") != NULL;
        json_decref(j);
    }
    CU_ASSERT(cut > 50 && cut < 350);
}

/* Random octets never break out of a line: the text has one newline, the JSON parses to three known members and
 * ours. */
static void test_random_octets(void)
{
    uint32_t seed = 31;
    struct log_line l;
    char octets[240];

    for (size_t i = 0; i < 5000; i++) {
        size_t n = random_below(&seed, sizeof octets);
        const struct log_kv kv[] = {LOG_S("k", slice_of(octets, n)), LOG_A("a", slice_of(octets, n)),
                                    LOG_END};
        struct slice got;
        json_t *j;

        for (size_t k = 0; k < n; k++)
            octets[k] = (char)random_next(&seed);
        test_row(i);
        got = print(&l, LOG_TEXT, i % 2 ? LOG_WHOLE : LOG_LAST_FOUR, kv);
        CU_ASSERT_EQUAL(slice_find(got, '\n'), got.n - 1);
        got = print(&l, LOG_JSON, i % 2 ? LOG_WHOLE : LOG_LAST_FOUR, kv);
        CU_ASSERT_EQUAL(slice_find(got, '\n'), got.n - 1);
        j = json_loadb(got.p, got.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
        CU_ASSERT_EQUAL(json_object_size(j), 5);
        json_decref(j);
    }
}

const struct test_case test_cases[] = {
    {"time_rows", test_times},
    {"ordinary_line", test_ordinary},
    {"value_rows", test_values},
    {"identities", test_identities},
    {"no_token", test_no_token},
    {"cut_at_200_octets", test_cut_at_200},
    {"too_many_pairs", test_too_many_pairs},
    {"full_to_the_octet", test_full_to_the_octet},
    {"random_octets_stay_inside", test_random_octets},
    {NULL, NULL},
};
