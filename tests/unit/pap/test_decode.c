/* Documents of other character encodings in UTF-8. */
#include "pap/decode.h"

#include "tests/unit/harness.h"

static void rows(void)
{
    static const struct {
        enum pap_charset charset;
        struct slice in;
        enum err want;
        struct slice out;
    } rows[] = {
        {PAP_CHARSET_UTF8, SLICE("a\xC3\xA4"), ERR_OK, SLICE("a\xC3\xA4")},
        {PAP_CHARSET_ASCII, SLICE("abc"), ERR_OK, SLICE("abc")},
        {PAP_CHARSET_ASCII, SLICE("a\x80"), ERR_MALFORMED, SLICE_NONE},
        {PAP_CHARSET_LATIN1, SLICE("\xE4\xFF"), ERR_OK, SLICE("\xC3\xA4\xC3\xBF")},
        {PAP_CHARSET_UTF16LE, SLICE("a\0\xE4\0"), ERR_OK, SLICE("a\xC3\xA4")},
        {PAP_CHARSET_UTF16BE, SLICE("\0a\0\xE4"), ERR_OK, SLICE("a\xC3\xA4")},
        {PAP_CHARSET_UTF16LE, SLICE("a\0b"), ERR_MALFORMED, SLICE_NONE},
        {PAP_CHARSET_UTF16BE, SLICE("\xD8\0\0a"), ERR_MALFORMED, SLICE_NONE},
        {PAP_CHARSET_OTHER, SLICE("abc"), ERR_UNSUPPORTED, SLICE_NONE},
    };
    struct buf work;

    buf_init(&work, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice out = SLICE("untouched");
        enum err e = pap_decode(rows[i].charset, rows[i].in, &work, &out);

        test_row(i);
        CU_ASSERT(e == rows[i].want);
        TEST_SLICE_EQ(out, e ? SLICE("untouched") : rows[i].out);
    }
    buf_clear(&work);
}

const struct test_case test_cases[] = {
    {"rows", rows},
    {NULL, NULL},
};
