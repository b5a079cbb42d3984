/* The assigned numbers: looked up both ways, and no two rows for one name or number that differ. */
#include "ota/wsp_tables.h"

#include "tests/unit/harness.h"

static void headers_are_found(void)
{
    static const struct {
        const char *name;
        int code; /* -1: travels by name */
    } rows[] = {
        {"Content-Length", 0x0D},
        {"content-length", 0x0D},
        {"X-Wap-Application-Id", 0x2F},
        {"X-Wap-Push-Info", 0x34},
        {"Cache-Control", 0x47},
        {"Content-ID", 0x40},
        {"Content-Type", -1},
        {"Push-Flag", -1},
        {"X-Push-Message-ID", -1},
        {"Content-Lengt", -1},
        {"", -1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct ota_wsp_header *row = ota_wsp_header_named(slice_str(rows[i].name));

        test_row(i);
        CU_ASSERT_EQUAL(row ? row->code : -1, rows[i].code);
    }
}

static void every_code_names_one_header(void)
{
    for (unsigned code = 0; code < 0x80; code++) {
        const struct ota_wsp_header *row = ota_wsp_header_coded((uint8_t)code);

        test_row(code);
        if (row) {
            CU_ASSERT_EQUAL(row->code, code);
            CU_ASSERT(ota_wsp_header_named(slice_str(row->name))->kind == row->kind);
        }
    }
    CU_ASSERT_STRING_EQUAL(ota_wsp_header_coded(0x08)->name, "Cache-Control");
    CU_ASSERT(ota_wsp_header_coded(0x11) == NULL); /* Content-Type has a place of its own */
}

static void numbers_and_names_agree(void)
{
    size_t types = 0, charsets = 0;

    for (uint32_t n = 0; n < 0x1000; n++) {
        struct slice type = ota_wsp_type_name(n), charset = ota_wsp_charset_name(n);

        test_row(n);
        if (type.n)
            CU_ASSERT_EQUAL(ota_wsp_type_number(type), (int32_t)n);
        if (charset.n)
            CU_ASSERT_EQUAL(ota_wsp_charset_number(charset), (int32_t)n);
        types += type.n != 0;
        charsets += charset.n != 0;
    }
    CU_ASSERT(types > 80 && charsets > 20);
}

static void looked_up(void)
{
    CU_ASSERT_EQUAL(ota_wsp_type_number(SLICE("application/vnd.wap.sic")), 0x2E);
    CU_ASSERT_EQUAL(ota_wsp_type_number(SLICE("APPLICATION/VND.WAP.SIA")), 0x34);
    CU_ASSERT_EQUAL(ota_wsp_type_number(SLICE("application/vnd.wap.emn+wbxml")), 0x30A);
    CU_ASSERT_EQUAL(ota_wsp_type_number(SLICE("text/plain; charset=utf-8")), -1);
    CU_ASSERT_EQUAL(ota_wsp_type_number(SLICE_NONE), -1);
    CU_ASSERT_EQUAL(ota_wsp_type_name(0x7E).n, 0);
    CU_ASSERT_EQUAL(ota_wsp_type_name(UINT32_MAX).n, 0);
    CU_ASSERT_EQUAL(ota_wsp_charset_number(SLICE("UTF-8")), 106);
    CU_ASSERT_EQUAL(ota_wsp_charset_number(SLICE("utf8")), -1);
    CU_ASSERT_EQUAL(ota_wsp_charset_name(0).n, 0);
}

static void tokens(void)
{
    CU_ASSERT_EQUAL(ota_wsp_token_number(ota_wsp_codings, SLICE("GZIP")), 0);
    CU_ASSERT_EQUAL(ota_wsp_token_number(ota_wsp_codings, SLICE("deflate")), 2);
    CU_ASSERT_EQUAL(ota_wsp_token_number(ota_wsp_codings, SLICE("br")), -1);
    CU_ASSERT_EQUAL(ota_wsp_token_number(ota_wsp_cache_tokens, SLICE("no-transform")), 8);
    CU_ASSERT_EQUAL(ota_wsp_token_number(ota_wsp_cache_tokens, SLICE("max-age=3")), -1);
    TEST_SLICE_EQ(ota_wsp_token_text(ota_wsp_parameters, 0x05), SLICE("name"));
    TEST_SLICE_EQ(ota_wsp_token_text(ota_wsp_parameters, 0x17), SLICE("name"));
    CU_ASSERT_EQUAL(ota_wsp_token_text(ota_wsp_parameters, OTA_WSP_PARAMETER_CHARSET).n, 0);
    CU_ASSERT_EQUAL(ota_wsp_token_text(ota_wsp_codings, 3).n, 0);
}

const struct test_case test_cases[] = {
    {"headers_are_found", headers_are_found},
    {"every_code_names_one_header", every_code_names_one_header},
    {"numbers_and_names_agree", numbers_and_names_agree},
    {"looked_up", looked_up},
    {"tokens", tokens},
    {NULL, NULL},
};
