/* The answer to a terminal that has bootstrapped, octet by octet; and what cannot be printed. */
#include "security/gba/bootinfo.h"

#include "tests/unit/harness.h"

static void test_document(void)
{
    struct buf out;

    buf_init(&out, 1024);
    buf_add_str(&out, "kept");
    CU_ASSERT(sec_bootinfo_print(SLICE("I1U8vpY3qJ0hiuZNrke/NQ==@bsf.operator.example"), 1906204800,
                                 1906118400, &out) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&out),
                  SLICE("kept<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                        "<BootstrappingInfo xmlns=\"uri:3gpp-gba\">"
                        "<btid>I1U8vpY3qJ0hiuZNrke/NQ==@bsf.operator.example</btid>"
                        "<lifetime>2030-05-28T13:20:00Z</lifetime>"
                        "<Extension><currenttime>2030-05-27T13:20:00Z</currenttime></Extension>"
                        "</BootstrappingInfo>\n"));
    buf_clear(&out);
}

static void test_markup_is_escaped(void)
{
    struct buf out;

    buf_init(&out, 1024);
    CU_ASSERT(sec_bootinfo_print(SLICE("<&>"), 1, 0, &out) == ERR_OK);
    CU_ASSERT(slice_find_slice(buf_slice(&out), SLICE("<btid>&lt;&amp;&gt;</btid>")) < out.n);
    buf_clear(&out);
}

static void test_refused(void)
{
    static const struct {
        int64_t expires_s, now_s;
        size_t max_n;
    } rows[] = {{253402300800, 0, 1024}, {0, 253402300800, 1024}, {-1, 0, 1024}, {0, -1, 1024}, {1, 0, 50}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;

        test_row(i);
        buf_init(&out, rows[i].max_n);
        CU_ASSERT(sec_bootinfo_print(SLICE("a"), rows[i].expires_s, rows[i].now_s, &out) == ERR_LIMIT);
        CU_ASSERT(out.n == 0);
        buf_clear(&out);
    }
}

#define INFO(inside) "<BootstrappingInfo xmlns=\"uri:3gpp-gba\">" inside "</BootstrappingInfo>"
#define BTID         "<btid>r@bsf</btid>"
#define LIFE         "<lifetime>2030-05-28T13:20:00Z</lifetime>"

static void test_documents_read(void)
{
    static const struct {
        const char *xml;
        enum err want;
    } rows[] = {
        {INFO(BTID LIFE), ERR_OK},
        {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" INFO(LIFE "\n " BTID "<x y=\"1\"><btid>z</btid></x>"),
         ERR_OK},
        {"<b:BootstrappingInfo xmlns:b=\"uri:3gpp-gba\"><b:btid> "
         "r@bsf </b:btid><b:lifetime>2030-05-28T13:20:00Z"
         "</b:lifetime></b:BootstrappingInfo>",
         ERR_OK},
        {INFO(BTID LIFE "<btid xmlns=\"other\">z</btid>"), ERR_OK},
        {INFO(BTID), ERR_MALFORMED},
        {INFO(LIFE), ERR_MALFORMED},
        {INFO("<btid/>" LIFE), ERR_MALFORMED},
        {INFO(BTID BTID LIFE), ERR_MALFORMED},
        {INFO(BTID "<lifetime>tomorrow</lifetime>"), ERR_MALFORMED},
        {INFO(BTID "<lifetime>2030-05-28T13:20:00+02:00</lifetime>"), ERR_MALFORMED},
        {"<BootstrappingInfo>" BTID LIFE "</BootstrappingInfo>", ERR_MALFORMED},
        {"<Other xmlns=\"uri:3gpp-gba\">" BTID LIFE "</Other>", ERR_MALFORMED},
        {"<!DOCTYPE BootstrappingInfo>" INFO(BTID LIFE), ERR_MALFORMED},
        {INFO(BTID LIFE "<a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a>"), ERR_LIMIT},
        {INFO("<x>" BTID LIFE "</x>"), ERR_MALFORMED},
        {INFO(BTID LIFE) "x", ERR_MALFORMED},
        {INFO(BTID), ERR_MALFORMED},
        {"", ERR_MALFORMED},
        {"\xff", ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_bootinfo info = {.btid_n = 7};

        test_row(i);
        CU_ASSERT(sec_bootinfo_parse(slice_str(rows[i].xml), &info) == rows[i].want);
        CU_ASSERT(rows[i].want ? info.btid_n == 7
                               : info.expires_s == 1906204800 &&
                                     slice_eq(slice_of(info.btid, info.btid_n), SLICE("r@bsf")));
    }
}

/* What is printed is read; cut short anywhere it is nothing. */
static void test_round_trip(void)
{
    struct sec_bootinfo info;
    struct buf out;

    buf_init(&out, 1024);
    CU_ASSERT(sec_bootinfo_print(SLICE("a<b>@bsf"), 1906204800, 0, &out) == ERR_OK);
    CU_ASSERT(sec_bootinfo_parse(buf_slice(&out), &info) == ERR_OK && info.expires_s == 1906204800);
    TEST_SLICE_EQ(slice_of(info.btid, info.btid_n), SLICE("a<b>@bsf"));
    for (size_t n = 0; n + 2 < out.n; n++)
        CU_ASSERT(sec_bootinfo_parse(slice_sub(buf_slice(&out), 0, n), &info) == ERR_MALFORMED);
    buf_clear(&out);
}

static void test_too_long(void)
{
    static char text[SEC_BOOTINFO_MAX_N + 1];
    struct sec_bootinfo info;
    struct buf long_id;

    CU_ASSERT(sec_bootinfo_parse(slice_of(text, sizeof text), &info) == ERR_LIMIT);
    buf_init(&long_id, 4096);
    buf_add_str(&long_id, "<BootstrappingInfo xmlns=\"uri:3gpp-gba\">" LIFE "<btid>");
    for (size_t i = 0; i < 600; i++)
        buf_add_ch(&long_id, 'x');
    buf_add_str(&long_id, "</btid></BootstrappingInfo>");
    CU_ASSERT(sec_bootinfo_parse(buf_slice(&long_id), &info) == ERR_LIMIT);
    buf_clear(&long_id);
}

const struct test_case test_cases[] = {{"document", test_document},
                                       {"markup_is_escaped", test_markup_is_escaped},
                                       {"refused", test_refused},
                                       {"documents_read", test_documents_read},
                                       {"round_trip", test_round_trip},
                                       {"too_long", test_too_long},
                                       {NULL, NULL}};
