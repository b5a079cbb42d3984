/* Hexadecimal, base64 (vectors of RFC 4648 §10) and percent encoding: there, back, and refused. */
#include "tests/unit/harness.h"

#include "base/codec.h"
#include "tests/unit/base/random.h"

static const struct {
    const char *octets, *text;
} base64_rows[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+"},
};

static void test_base64(void)
{
    for (size_t i = 0; i < COUNT(base64_rows); i++) {
        struct buf text, octets;

        test_row(i);
        buf_init(&text, strlen(base64_rows[i].text)); /* a ceiling that just fits */
        buf_init(&octets, strlen(base64_rows[i].octets));
        codec_base64(&text, slice_str(base64_rows[i].octets));
        TEST_SLICE_EQ(buf_slice(&text), slice_str(base64_rows[i].text));
        CU_ASSERT_EQUAL(buf_err(&text), ERR_OK);
        CU_ASSERT_EQUAL(codec_unbase64(buf_slice(&text), false, &octets), ERR_OK);
        TEST_SLICE_EQ(buf_slice(&octets), slice_str(base64_rows[i].octets));
        buf_clear(&text);
        buf_clear(&octets);
    }
}

static const struct {
    const char *in;
    enum err strict, lenient;
    const char *out;
} unbase64_rows[] = {
    {"Zm9v", ERR_OK, ERR_OK, "foo"},
    {" Zm\r\n9v\t", ERR_MALFORMED, ERR_OK, "foo"},
    {"Zg= =\n", ERR_MALFORMED, ERR_OK, "f"},
    {"\r\n", ERR_MALFORMED, ERR_OK, ""},
    {"Z", ERR_MALFORMED, ERR_MALFORMED, ""},
    {"Zg", ERR_MALFORMED, ERR_MALFORMED, ""},
    {"Zg=", ERR_MALFORMED, ERR_MALFORMED, ""},
    {"Zg===", ERR_MALFORMED, ERR_MALFORMED, ""},
    {"Z===", ERR_MALFORMED, ERR_MALFORMED, ""},
    {"====", ERR_MALFORMED, ERR_MALFORMED, ""},
    {"=", ERR_MALFORMED, ERR_MALFORMED, ""},
    {"Z=g=", ERR_MALFORMED, ERR_MALFORMED, ""},
    {"Zm=8", ERR_MALFORMED, ERR_MALFORMED, ""},
    {"Zm=v", ERR_MALFORMED, ERR_MALFORMED, ""},
    {"Zg==Zg==", ERR_MALFORMED, ERR_MALFORMED, ""},
    {"Zm9vYg==x", ERR_MALFORMED, ERR_MALFORMED, ""},
    {"Zh==", ERR_MALFORMED, ERR_MALFORMED, ""}, /* pad bits set */
    {"Zm9=", ERR_MALFORMED, ERR_MALFORMED, ""},
    {"Zm-_", ERR_MALFORMED, ERR_MALFORMED, ""}, /* the alphabet of §5 is not ours */
    {"Zm9\xc3", ERR_MALFORMED, ERR_MALFORMED, ""},
    {"Zm9v\v", ERR_MALFORMED, ERR_MALFORMED, ""},
};

static const struct {
    const char *in, *out;
    enum err want;
} unbase64url_rows[] = {
    {"", "", ERR_OK},
    {"Zg", "f", ERR_OK},
    {"Zm8", "fo", ERR_OK},
    {"Zm9v", "foo", ERR_OK},
    {"_-__", "\xff\xef\xff", ERR_OK},
    {"Z", "", ERR_MALFORMED},
    {"Zm9vY", "", ERR_MALFORMED},
    {"Zg==", "", ERR_MALFORMED}, /* no padding (RFC 7515 §2) */
    {"Zh", "", ERR_MALFORMED},   /* pad bits */
    {"Zm9", "", ERR_MALFORMED},
    {"/+//", "", ERR_MALFORMED}, /* the other alphabet */
    {"Zm 9v", "", ERR_MALFORMED},
    {"Zm9v\n", "", ERR_MALFORMED},
    {"Zm9\xc3", "", ERR_MALFORMED},
};

static void test_unbase64url(void)
{
    for (size_t i = 0; i < COUNT(unbase64url_rows); i++) {
        struct buf out;

        test_row(i);
        buf_init(&out, 100);
        CU_ASSERT_EQUAL(codec_unbase64url(slice_str(unbase64url_rows[i].in), &out), unbase64url_rows[i].want);
        TEST_SLICE_EQ(buf_slice(&out), slice_str(unbase64url_rows[i].out));
        buf_clear(&out);
    }
}

static void test_unbase64(void)
{
    for (size_t i = 0; i < COUNT(unbase64_rows); i++)
        for (int lenient = 0; lenient < 2; lenient++) {
            enum err want = lenient ? unbase64_rows[i].lenient : unbase64_rows[i].strict;
            struct buf out;

            test_row(i);
            buf_init(&out, 100);
            buf_add_str(&out, "kept ");
            CU_ASSERT_EQUAL(codec_unbase64(slice_str(unbase64_rows[i].in), lenient, &out), want);
            CU_ASSERT_EQUAL(buf_err(&out), ERR_OK);
            buf_drop(&out, 5);
            TEST_SLICE_EQ(buf_slice(&out), slice_str(want ? "" : unbase64_rows[i].out));
            buf_clear(&out);
        }
}

static const struct {
    const char *in;
    size_t out_n;
    enum err want;
} unhex_rows[] = {
    {"00ff7F", 3, ERR_OK},        {"", 0, ERR_OK},
    {"00ff", 3, ERR_MALFORMED},   {"00ff7F00", 3, ERR_MALFORMED},
    {"00ff7", 2, ERR_MALFORMED},  {"00ff7", 3, ERR_MALFORMED},
    {"00fg7F", 3, ERR_MALFORMED}, {"0x00ff", 3, ERR_MALFORMED},
    {"00 ff ", 3, ERR_MALFORMED}, {"00ff7/", 3, ERR_MALFORMED},
    {"00ff:0", 3, ERR_MALFORMED}, {"00ff@0", 3, ERR_MALFORMED},
};

static void test_hex(void)
{
    struct buf b;

    buf_init(&b, 6);
    codec_hex(&b, slice_of("\x00\xff\x7f", 3));
    TEST_SLICE_EQ(buf_slice(&b), SLICE("00ff7f"));
    codec_hex(&b, SLICE("x"));
    CU_ASSERT(buf_err(&b) == ERR_LIMIT && b.n == 6);
    buf_clear(&b);
    for (size_t i = 0; i < COUNT(unhex_rows); i++) {
        unsigned char got[3] = {1, 2, 3};
        enum err e = codec_unhex(slice_str(unhex_rows[i].in), got, unhex_rows[i].out_n);
        bool changed = e == ERR_OK && unhex_rows[i].out_n;

        test_row(i);
        CU_ASSERT_EQUAL(e, unhex_rows[i].want);
        CU_ASSERT(memcmp(got, changed ? "\x00\xff\x7f" : "\1\2\3", 3) == 0);
    }
}

static const struct {
    const char *in;
    enum err want;
    const char *out;
} unpercent_rows[] = {
    {"", ERR_OK, ""},
    {"a+b c", ERR_OK, "a+b c"},
    {"%41%62%2f%2F", ERR_OK, "Ab//"},
    {"%25%34%31", ERR_OK, "%41"},
    {"%", ERR_MALFORMED, ""},
    {"%4", ERR_MALFORMED, ""},
    {"ab%", ERR_MALFORMED, ""},
    {"ab%a", ERR_MALFORMED, ""},
    {"%%41", ERR_MALFORMED, ""},
    {"%4g", ERR_MALFORMED, ""},
    {"%g4", ERR_MALFORMED, ""},
    {"%-1", ERR_MALFORMED, ""},
    {"%u0041", ERR_MALFORMED, ""},
};

static void test_unpercent(void)
{
    for (size_t i = 0; i < COUNT(unpercent_rows); i++) {
        struct buf out;

        test_row(i);
        buf_init(&out, strlen(unpercent_rows[i].out));
        CU_ASSERT_EQUAL(codec_unpercent(slice_str(unpercent_rows[i].in), &out), unpercent_rows[i].want);
        TEST_SLICE_EQ(buf_slice(&out), slice_str(unpercent_rows[i].out));
        buf_clear(&out);
    }
}

static void test_percent(void)
{
    struct buf out;

    buf_init(&out, 100);
    codec_percent(&out, slice_of("aZ09 /\0%\xe9.", 10), ".");
    TEST_SLICE_EQ(buf_slice(&out), SLICE("aZ09%20%2F%00%25%E9."));
    buf_cut(&out, 0);
    codec_percent(&out, SLICE("-/"), NULL);
    TEST_SLICE_EQ(buf_slice(&out), SLICE("%2D%2F"));
    buf_clear(&out);
}

static void test_output_ceiling(void)
{
    struct buf out;

    buf_init(&out, 2);
    CU_ASSERT_EQUAL(codec_unbase64(SLICE("Zm9v"), false, &out), ERR_LIMIT);
    buf_reset(&out, 2);
    CU_ASSERT_EQUAL(codec_unbase64(SLICE("Z m 8 ="), true, &out), ERR_OK);
    buf_reset(&out, 2);
    CU_ASSERT_EQUAL(codec_unpercent(SLICE("%41bc"), &out), ERR_LIMIT);
    buf_reset(&out, 2);
    codec_base64(&out, SLICE("f"));
    CU_ASSERT(buf_err(&out) == ERR_LIMIT && out.n == 0);
    buf_reset(&out, 2);
    codec_percent(&out, SLICE("/"), "");
    CU_ASSERT(buf_err(&out) == ERR_LIMIT && out.n == 0);
    buf_clear(&out);
}

static void round_trip(struct slice in)
{
    struct buf text, back;
    char box[64];

    buf_init(&text, 1000);
    buf_init(&back, in.n);
    codec_base64(&text, in);
    CU_ASSERT(codec_unbase64(buf_slice(&text), false, &back) == ERR_OK && slice_eq(buf_slice(&back), in));
    buf_reset(&text, 0);
    buf_reset(&back, 0);
    codec_percent(&text, in, "-._~");
    CU_ASSERT(codec_unpercent(buf_slice(&text), &back) == ERR_OK && slice_eq(buf_slice(&back), in));
    buf_reset(&text, 0);
    codec_hex(&text, in);
    CU_ASSERT(codec_unhex(buf_slice(&text), box, in.n) == ERR_OK && slice_eq(slice_of(box, in.n), in));
    buf_clear(&text);
    buf_clear(&back);
}

static void test_round_trips(void)
{
    uint32_t seed = 5;
    char octets[64];

    for (size_t i = 0; i < 2000; i++) {
        size_t n = random_below(&seed, sizeof octets + 1);

        for (size_t k = 0; k < n; k++)
            octets[k] = (char)random_next(&seed);
        test_row(i);
        round_trip(slice_of(octets, n));
    }
}

static void test_json_rows(void)
{
    static const struct {
        const char *in, *want;
        bool utf8;
    } rows[] = {
        {"", "\"\"", true},
        {"a b", "\"a b\"", true},
        {"a\"b\\c", "\"a\\\"b\\\\c\"", true},
        {"a\nb\x7f", "\"a\\u000ab\\u007f\"", true},
        {"\xc3\xa4\xf0\x9f\x98\x80", "\"\xc3\xa4\xf0\x9f\x98\x80\"", true},
        {"\xff", "\"\\ufffd\"", false},
        {"\xc3", "\"\\ufffd\"", false},
        {"\xc0\x80", "\"\\ufffd\\ufffd\"", false},
        {"\xed\xa0\x80x", "\"\\ufffd\\ufffd\\ufffdx\"", false},
        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;

        test_row(i);
        buf_init(&out, 100);
        codec_json(&out, slice_str(rows[i].in));
        TEST_SLICE_EQ(buf_slice(&out), slice_str(rows[i].want));
        CU_ASSERT(codec_is_utf8(slice_str(rows[i].in)) == rows[i].utf8);
        buf_clear(&out);
    }
}

const struct test_case test_cases[] = {
    {"base64_rfc4648", test_base64},         {"unbase64_rows", test_unbase64},
    {"unbase64url_rows", test_unbase64url},  {"hex_rows", test_hex},
    {"unpercent_rows", test_unpercent},      {"percent", test_percent},
    {"output_ceiling", test_output_ceiling}, {"round_trips", test_round_trips},
    {"json_rows", test_json_rows},           {NULL, NULL},
};
