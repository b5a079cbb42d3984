/* multipart/related: what is split, every field quirk strict and lenient, what is refused, headers, transfer
 * encodings, media types, and time that stays linear. */
#include "tests/unit/harness.h"

#include <stdlib.h>
#include "base/arena.h"
#include "base/buf.h"
#include "pap/mime.h"

#define TYPE "multipart/related; type=\"application/xml\"; boundary=\"b\""
#define XML  "Content-Type: application/xml\r\n"
#define OPEN "--b\r\n" XML "\r\n<pap/>\r\n"
#define HI   "--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n"

static const struct {
    const char *type, *body;
    enum err strict, lenient;
    const char *part[PAP_MIME_PARTS_MAX]; /* bodies in the order handed out */
} rows[] = {
    {TYPE, OPEN HI "--b--\r\n", ERR_OK, ERR_OK, {"<pap/>", "hi"}},
    {TYPE, OPEN HI "--b--", ERR_OK, ERR_OK, {"<pap/>", "hi"}}, /* final CRLF missing */
    {TYPE, OPEN HI HI "--b--\r\n", ERR_OK, ERR_OK, {"<pap/>", "hi", "hi"}},
    {TYPE, "a preamble\r\n" OPEN HI "--b--\r\nan epilogue\r\n--b\r\n", ERR_OK, ERR_OK, {"<pap/>", "hi"}},
    {TYPE, "--b \t\r\n" XML "\r\n<pap/>\r\n--b  \r\n\r\nhi\r\n--b-- \r\n", ERR_OK, ERR_OK, {"<pap/>", "hi"}},
    {TYPE, OPEN "--b\r\n\r\n\r\n--b--", ERR_OK, ERR_OK, {"<pap/>", ""}},
    {TYPE, OPEN "--b\r\n\r\n--b--", ERR_OK, ERR_OK, {"<pap/>", ""}},
    {TYPE, OPEN "--b\r\n\r\n--bb\r\n --b\r\n-b\r\n--b--", ERR_OK, ERR_OK, {"<pap/>", "--bb\r\n --b\r\n-b"}},
    {TYPE, OPEN "--b\r\n\r\n\r\n\r\n--b--", ERR_OK, ERR_OK, {"<pap/>", "\r\n"}},
    {"Multipart/Related;\r\n boundary=b;TYPE=\"Application/XML\"",
     OPEN HI "--b--",
     ERR_OK,
     ERR_OK,
     {"<pap/>", "hi"}},
    /* deployed initiators */
    {"multipart/related; type=application/xml; boundary=b",
     OPEN HI "--b--",
     ERR_MALFORMED,
     ERR_OK,
     {"<pap/>", "hi"}},
    {"multipart/related; boundary=b", OPEN HI "--b--", ERR_MALFORMED, ERR_OK, {"<pap/>", "hi"}},
    {"multipart/related; type=application/xml; boundary=b;",
     OPEN HI "--b--",
     ERR_MALFORMED,
     ERR_OK,
     {"<pap/>", "hi"}},
    {"multipart/related; boundary = b; type=\"application/xml\"",
     OPEN HI "--b--",
     ERR_MALFORMED,
     ERR_OK,
     {"<pap/>", "hi"}},
    {TYPE, "--b\n\n<pap/>\n--b\n\nhi\nho\n--b--\n", ERR_MALFORMED, ERR_OK, {"<pap/>", "hi\nho"}},
    {TYPE, "--b\n" XML "\r\n<pap/>\n--b\n\nhi\r\n--b--\n", ERR_MALFORMED, ERR_OK, {"<pap/>", "hi"}},
    {"multipart/related; boundary=\"a b\"; type=\"application/xml\"",
     "--a b\r\n" XML "\r\n<pap/>\r\n--a b\r\n\r\nhi\r\n--a b--",
     ERR_OK,
     ERR_OK,
     {"<pap/>", "hi"}},
    {"multipart/related; boundary=a b; type=\"application/xml\"",
     "--a b\r\n" XML "\r\n<pap/>\r\n--a b\r\n\r\nhi\r\n--a b--",
     ERR_MALFORMED,
     ERR_OK,
     {"<pap/>", "hi"}},
    {TYPE,
     "--b\r\nContent-Disposition: form-data; name=\"control\"\r\n" XML "\r\n<pap/>\r\n"
     "--b\r\nContent-Encoding: binary\r\nPush-Message-ID: 7\r\n\r\nhi\r\n--b--",
     ERR_OK,
     ERR_OK,
     {"<pap/>", "hi"}},
    {TYPE, "--b\r\n\r\n<pap/>\r\n" HI "--b--", ERR_MALFORMED, ERR_OK, {"<pap/>", "hi"}},
    {TYPE,
     "--b\r\nContent-Type: text/xml\r\n\r\n<pap/>\r\n" HI "--b--",
     ERR_MALFORMED,
     ERR_OK,
     {"<pap/>", "hi"}},
    /* start names the root */
    {TYPE "; start=\"<r>\"",
     "--b\r\n\r\nhi\r\n--b\r\n\r\nho\r\n--b\r\nContent-ID: <r>\r\n" XML "\r\n<pap/>\r\n--b--",
     ERR_OK,
     ERR_OK,
     {"<pap/>", "hi", "ho"}},
    {TYPE "; start=r",
     "--b\r\n\r\nhi\r\n--b\r\nCONTENT-ID: <r>\r\n" XML "\r\n<pap/>\r\n--b--",
     ERR_OK,
     ERR_OK,
     {"<pap/>", "hi"}},
    {TYPE "; start=\"<nobody>\"", OPEN HI "--b--", ERR_OK, ERR_OK, {"<pap/>", "hi"}},
    /* refused */
    {"application/xml", OPEN HI "--b--", ERR_UNSUPPORTED, ERR_UNSUPPORTED, {NULL}},
    {"multipart/mixed; boundary=b", OPEN HI "--b--", ERR_UNSUPPORTED, ERR_UNSUPPORTED, {NULL}},
    {"", OPEN HI "--b--", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {"multipart/related", OPEN HI "--b--", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {"multipart/related; type=\"application/xml\"", OPEN HI "--b--", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {"multipart/related; type=\"application/xml\"; boundary=\"\"",
     "--\r\n\r\na\r\n--\r\n\r\n----",
     ERR_MALFORMED,
     ERR_MALFORMED,
     {NULL}},
    {"multipart/related; type=\"application/xml\"; boundary=", OPEN, ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {"multipart/related; type=\"application/xml\"; boundary=\"b \"",
     OPEN,
     ERR_MALFORMED,
     ERR_MALFORMED,
     {NULL}},
    {"multipart/related; type=\"application/xml\"; boundary=\"b", OPEN, ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {"multipart/related; type=\"text/plain\"; boundary=b",
     OPEN HI "--b--",
     ERR_MALFORMED,
     ERR_MALFORMED,
     {NULL}},
    {"multipart/related; type=\"application/xml\"; "
     "boundary=12345678901234567890123456789012345678901234567890123456789012345678901",
     OPEN,
     ERR_MALFORMED,
     ERR_MALFORMED,
     {NULL}},
    {TYPE, "", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {TYPE, "nothing here", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {TYPE, "--b--", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {TYPE, OPEN "--b--", ERR_MALFORMED, ERR_MALFORMED, {NULL}},  /* one part */
    {TYPE, OPEN HI HI HI "--b--", ERR_LIMIT, ERR_LIMIT, {NULL}}, /* four */
    {TYPE, OPEN HI, ERR_MALFORMED, ERR_MALFORMED, {NULL}},       /* not closed */
    {TYPE, OPEN HI "--b-", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {TYPE, OPEN HI " --b--", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {TYPE, OPEN "--b\r\n--b--", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {TYPE, OPEN "--b\r\nContent-Type: text/plain\r\n--b--", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {TYPE, OPEN "--b\r\nNo colon\r\n\r\nhi\r\n--b--", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {TYPE, OPEN "--b\r\nX : y\r\n\r\nhi\r\n--b--", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {TYPE, OPEN "--b\r\n: y\r\n\r\nhi\r\n--b--", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {TYPE, OPEN "--b\r\n folded: y\r\n\r\nhi\r\n--b--", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {TYPE, OPEN "--b\r\nX: a\rb\r\n\r\nhi\r\n--b--", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
    {TYPE, OPEN "--b\r\nX: a\x01\r\n\r\nhi\r\n--b--", ERR_MALFORMED, ERR_MALFORMED, {NULL}},
};

static size_t count(const char *const *bodies)
{
    size_t n = 0;

    while (n < PAP_MIME_PARTS_MAX && bodies[n])
        n++;
    return n;
}

static void row_check(size_t i, bool strict)
{
    enum err want = strict ? rows[i].strict : rows[i].lenient;
    struct pap_parts got = {.n = 77};
    const char *why = NULL;

    test_row(i);
    CU_ASSERT_EQUAL(pap_mime_split(slice_str(rows[i].type), slice_str(rows[i].body), strict, &got, &why),
                    want);
    CU_ASSERT_EQUAL(why == NULL, want == ERR_OK);
    CU_ASSERT_EQUAL(got.n, want ? 77 : count(rows[i].part));
    for (size_t k = 0; !want && k < got.n; k++)
        TEST_SLICE_EQ(got.part[k].body, slice_str(rows[i].part[k]));
}

static void test_strict(void)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        row_check(i, true);
}

static void test_lenient(void)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        row_check(i, false);
}

static void test_truncated(void)
{
    struct slice whole = SLICE(OPEN HI "--b--");

    for (size_t n = 0; n < whole.n; n++) {
        char *exact = malloc(n ? n : 1); /* an over-read is the sanitizer's to see */
        struct pap_parts got;
        const char *why;

        test_row(n);
        for (size_t i = 0; i < n; i++)
            exact[i] = whole.p[i];
        CU_ASSERT_NOT_EQUAL(pap_mime_split(SLICE(TYPE), slice_of(exact, n), false, &got, &why), ERR_OK);
        free(exact);
    }
}

static void test_nul(void)
{
    struct slice body = SLICE(OPEN "--b\r\nX: a\0b\r\n\r\nhi\r\n--b--");
    struct slice binary = SLICE(OPEN "--b\r\n\r\nh\0i\r\n--b--");
    struct pap_parts got;
    const char *why;

    CU_ASSERT_EQUAL(pap_mime_split(SLICE(TYPE), body, false, &got, &why), ERR_MALFORMED);
    CU_ASSERT_EQUAL(pap_mime_split(SLICE(TYPE), binary, true, &got, &why), ERR_OK);
    TEST_SLICE_EQ(got.part[1].body, SLICE("h\0i"));
}

/* A body that repeats one field, then closes. */
static enum err many_headers(size_t fields, size_t value_n, const char **why)
{
    struct pap_parts got;
    struct buf b;
    enum err e;

    buf_init(&b, 1 << 20);
    buf_add(&b, SLICE(OPEN "--b\r\n"));
    for (size_t i = 0; i < fields; i++) {
        buf_add(&b, SLICE("X: "));
        for (size_t k = 0; k < value_n; k++)
            buf_add_ch(&b, 'a');
        buf_add(&b, SLICE("\r\n"));
    }
    buf_add(&b, SLICE("\r\nhi\r\n--b--"));
    e = pap_mime_split(SLICE(TYPE), buf_slice(&b), false, &got, why);
    buf_clear(&b);
    return e;
}

static void test_header_limits(void)
{
    const char *why = NULL;

    CU_ASSERT_EQUAL(many_headers(64, 8, &why), ERR_OK);
    CU_ASSERT_EQUAL(many_headers(65, 8, &why), ERR_LIMIT);
    CU_ASSERT_STRING_EQUAL(why, "too many part headers");
    CU_ASSERT_EQUAL(many_headers(1, 4096, &why), ERR_OK);
    CU_ASSERT_EQUAL(many_headers(1, 4097, &why), ERR_LIMIT);
    CU_ASSERT_EQUAL(many_headers(1, 100000, &why), ERR_LIMIT);
    CU_ASSERT_EQUAL(many_headers(4, 4000, &why), ERR_OK);
    CU_ASSERT_EQUAL(many_headers(5, 4000, &why), ERR_LIMIT); /* 16 KiB in all */
}

static void test_headers(void)
{
    struct slice block =
        SLICE("Content-Type: text/plain\r\nX-A:b \r\nX-Fold: one\r\n  two\r\n\tthree\r\nX-Empty:\r\n"
              "x-a: second\nX-Last: z");
    static const char *const want[][2] = {
        {"Content-Type", "text/plain"},
        {"X-A", "b"},
        {"X-Fold", "one two three"},
        {"X-Empty", ""},
        {"x-a", "second"},
        {"X-Last", "z"},
    };
    struct slice left = block, value = SLICE_NONE;
    struct pap_header h;
    struct arena arena;

    arena_init(&arena, 256, 4096);
    for (size_t i = 0; i < COUNT(want); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(pap_mime_header_next(&left, &arena, &h), ERR_OK);
        TEST_SLICE_EQ(h.name, slice_str(want[i][0]));
        TEST_SLICE_EQ(h.value, slice_str(want[i][1]));
    }
    CU_ASSERT_EQUAL(pap_mime_header_next(&left, &arena, &h), ERR_ABSENT);
    CU_ASSERT_EQUAL(pap_mime_header_find(block, SLICE("X-FOLD"), &arena, &value), ERR_OK);
    TEST_SLICE_EQ(value, SLICE("one two three"));
    CU_ASSERT_EQUAL(pap_mime_header_find(block, SLICE("x-a"), &arena, &value), ERR_OK);
    TEST_SLICE_EQ(value, SLICE("b")); /* the first */
    CU_ASSERT_EQUAL(pap_mime_header_find(block, SLICE("X-None"), &arena, &value), ERR_ABSENT);
    left = SLICE("bad header");
    CU_ASSERT_EQUAL(pap_mime_header_next(&left, &arena, &h), ERR_MALFORMED);
    CU_ASSERT_EQUAL(left.n, 10); /* not moved */
    arena_clear(&arena);
    arena_init(&arena, 4, 4);
    CU_ASSERT_EQUAL(pap_mime_header_find(block, SLICE("X-Fold"), &arena, &value), ERR_NOMEM);
    arena_clear(&arena);
}

static const struct {
    const char *encoding, *in;
    enum err want;
    const char *out;
} encodings[] = {
    {"", "a=41", ERR_OK, "a=41"},
    {"7bit", "a=41", ERR_OK, "a=41"},
    {"8BIT", "\xff", ERR_OK, "\xff"},
    {" binary ", "a\r\n", ERR_OK, "a\r\n"},
    {"base64", "aGVs\r\nbG8=\r\n", ERR_OK, "hello"},
    {"BASE64", "", ERR_OK, ""},
    {"quoted-printable", "h=65l=6Co", ERR_OK, "hello"},
    {"Quoted-Printable", "a=\r\nb \t\r\nc=3D=\n", ERR_OK, "ab\r\nc="},
    {"quoted-printable", "a\nb\r\n", ERR_OK, "a\nb\r\n"},
    {"quoted-printable", "a= \t\r\nb", ERR_OK, "ab"},
    {"quoted-printable", "a=4", ERR_MALFORMED, ""},
    {"quoted-printable", "a=4\r\n", ERR_MALFORMED, ""},
    {"quoted-printable", "a=XY", ERR_MALFORMED, ""},
    {"quoted-printable", "==", ERR_MALFORMED, ""},
    {"base64", "a", ERR_MALFORMED, ""},
    {"base64", "aGVsbG8=*", ERR_MALFORMED, ""},
    {"uuencode", "x", ERR_UNSUPPORTED, ""},
    {"base64, gzip", "x", ERR_UNSUPPORTED, ""},
};

static void test_decode(void)
{
    for (size_t i = 0; i < COUNT(encodings); i++) {
        struct slice out = SLICE("untouched");
        struct buf work;

        test_row(i);
        buf_init(&work, 64);
        CU_ASSERT_EQUAL(
            pap_mime_decode(slice_str(encodings[i].encoding), slice_str(encodings[i].in), &work, &out),
            encodings[i].want);
        TEST_SLICE_EQ(out, encodings[i].want ? SLICE("untouched") : slice_str(encodings[i].out));
        buf_clear(&work);
    }
}

static void test_decode_limit(void)
{
    struct slice out;
    struct buf work;

    buf_init(&work, 4);
    CU_ASSERT_EQUAL(pap_mime_decode(SLICE("quoted-printable"), SLICE("hello"), &work, &out), ERR_LIMIT);
    buf_clear(&work);
    CU_ASSERT_EQUAL(pap_mime_decode(SLICE("base64"), SLICE("aGVsbG8="), &work, &out), ERR_LIMIT);
    buf_clear(&work);
}

static const struct {
    const char *in;
    enum err strict, lenient;
    const char *full, *name, *value; /* value NULL: absent */
} media[] = {
    {"text/plain", ERR_OK, ERR_OK, "text/plain", "charset", NULL},
    {"TEXT/Plain; Charset=utf-8", ERR_OK, ERR_OK, "TEXT/Plain", "charset", "utf-8"},
    {"a/b;x=\"q;\\\"=\"; y=z", ERR_OK, ERR_OK, "a/b", "y", "z"},
    {"a/b\r\n ;\r\n\ty=z", ERR_OK, ERR_OK, "a/b", "y", "z"},
    {"a/b; x=1; x=2", ERR_OK, ERR_OK, "a/b", "x", "1"},
    {"a/b;; y=z;", ERR_MALFORMED, ERR_OK, "a/b", "y", "z"},
    {"a/b; y=c/d", ERR_MALFORMED, ERR_OK, "a/b", "y", "c/d"},
    {"a/b; y = z", ERR_MALFORMED, ERR_OK, "a/b", "y", "z"},
    {"a", ERR_MALFORMED, ERR_MALFORMED, "", "", NULL},
    {"a/", ERR_MALFORMED, ERR_MALFORMED, "", "", NULL},
    {"/b", ERR_MALFORMED, ERR_MALFORMED, "", "", NULL},
    {"a/b c", ERR_MALFORMED, ERR_MALFORMED, "", "", NULL},
    {"a/b; x", ERR_MALFORMED, ERR_MALFORMED, "", "", NULL},
    {"a/b; =x", ERR_MALFORMED, ERR_MALFORMED, "", "", NULL},
    {"a/b; x=", ERR_MALFORMED, ERR_MALFORMED, "", "", NULL},
    {"a/b; x=\"y", ERR_MALFORMED, ERR_MALFORMED, "", "", NULL},
    {"a/b; x=\"y\"z", ERR_MALFORMED, ERR_MALFORMED, "", "", NULL},
    {"", ERR_MALFORMED, ERR_MALFORMED, "", "", NULL},
};

static void test_media(void)
{
    for (size_t i = 0; i < COUNT(media); i++)
        for (int strict = 0; strict < 2; strict++) {
            enum err want = strict ? media[i].strict : media[i].lenient;
            struct slice value = SLICE_NONE;
            struct pap_media m;

            test_row(i);
            CU_ASSERT_EQUAL(pap_media_parse(slice_str(media[i].in), strict, &m), want);
            if (want)
                continue;
            CU_ASSERT_TRUE(pap_media_is(&m, slice_str(media[i].full)));
            CU_ASSERT_EQUAL(pap_media_param(&m, slice_str(media[i].name), &value),
                            media[i].value ? ERR_OK : ERR_ABSENT);
            TEST_SLICE_EQ(value, slice_str(media[i].value));
        }
}

static void test_charset(void)
{
    static const char *const types[][2] = {
        {"application/xml; charset=utf-8", "utf-8"},
        {"application/xml;CHARSET=\"ISO-8859-1\"", "ISO-8859-1"},
        {"application/xml;\r\n charset = utf-8", "utf-8"},
        {"application/xml; x=y; charset=\"\"", ""},
        {"application/xml", NULL},
        {"application/xml; charsets=utf-8", NULL},
        {"application/xml; charset", NULL},
        {"application/xml; charset=utf-8; x", NULL}, /* no media type */
        {"xml; charset=utf-8", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < COUNT(types); i++) {
        struct slice got = pap_mime_charset(slice_str(types[i][0]));

        test_row(i);
        CU_ASSERT_EQUAL(got.p != NULL, types[i][1] != NULL);
        TEST_SLICE_EQ(got, slice_str(types[i][1]));
    }
    CU_ASSERT_PTR_NULL(pap_mime_charset(SLICE_NONE).p);
}

/* 16 MiB that look like a boundary at every turn; quadratic work would never end. */
static void test_linear(void)
{
    size_t n = 16 << 20;
    char *body = malloc(n);
    struct pap_parts got;
    const char *why;

    for (size_t i = 0; i < n; i++)
        body[i] = "\n--"[i % 3];
    CU_ASSERT_EQUAL(pap_mime_split(SLICE(TYPE), slice_of(body, n), false, &got, &why), ERR_MALFORMED);
    CU_ASSERT_EQUAL(pap_mime_split(SLICE(TYPE), slice_of(body, n), true, &got, &why), ERR_MALFORMED);
    free(body);
}

const struct test_case test_cases[] = {
    {"strict", test_strict},
    {"lenient", test_lenient},
    {"truncated", test_truncated},
    {"nul", test_nul},
    {"header limits", test_header_limits},
    {"headers", test_headers},
    {"decode", test_decode},
    {"decode limit", test_decode_limit},
    {"media types", test_media},
    {"charset", test_charset},
    {"linear", test_linear},
    {NULL, NULL},
};
