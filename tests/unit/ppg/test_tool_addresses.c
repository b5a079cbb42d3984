/* Recipients as people write them, read back by the gateway's own reader. */
#include "ppg/tool/addresses.h"

#include "pap/address.h"
#include "tests/unit/harness.h"

static void spellings(void)
{
    static const struct {
        const char *in, *want;
        enum pap_address_type type; /* as the gateway reads it, strictly */
        const char *value;
    } rows[] = {
        {"+1555", "WAPPUSH=+1555/TYPE=PLMN", PAP_ADDRESS_PLMN, "+1555"},
        {"+1-555.01", "WAPPUSH=+1-555.01/TYPE=PLMN", PAP_ADDRESS_PLMN, "+155501"},
        {"192.0.2.1", "WAPPUSH=192.0.2.1/TYPE=IPV4", PAP_ADDRESS_IPV4, "192.0.2.1"},
        {"user@host", "WAPPUSH=user%40host/TYPE=USER", PAP_ADDRESS_USER, "user@host"},
        {"sip:a@b.example;x=1", "WAPPUSH=sip%3Aa%40b.example%3Bx%3D1/TYPE=USER", PAP_ADDRESS_SIP,
         "sip:a@b.example;x=1"},
        {"tel:+1555", "WAPPUSH=tel%3A+1555/TYPE=USER", PAP_ADDRESS_SIP, "tel:+1555"},
        {"a/TYPE=PLMN@x", "WAPPUSH=a%2FTYPE%3DPLMN%40x/TYPE=USER", PAP_ADDRESS_USER, "a/TYPE=PLMN@x"},
        {"$staff", "WAPPUSH=%24staff/TYPE=USER", PAP_ADDRESS_USER, "$staff"},
        {"+x", "WAPPUSH=+x/TYPE=USER", PAP_ADDRESS_USER, "+x"},
        {"100%", "WAPPUSH=100%25/TYPE=USER", PAP_ADDRESS_USER, "100%"},
        {"wappush=+1/type=plmn@ppg", "wappush=+1/type=plmn@ppg", PAP_ADDRESS_PLMN, "+1"},
        {"/WAPPUSH=x/TYPE=USER", "/WAPPUSH=x/TYPE=USER", PAP_ADDRESS_USER, "x"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pap_address a;
        struct arena mem;
        struct buf b;

        test_row(i);
        arena_init(&mem, 512, 4096);
        buf_init(&b, 512);
        tool_address_print(slice_str(rows[i].in), &b);
        TEST_SLICE_EQ(buf_slice(&b), slice_str(rows[i].want));
        CU_ASSERT(pap_address_parse(buf_slice(&b), true, &mem, &a) == ERR_OK && a.type == rows[i].type);
        TEST_SLICE_EQ(a.value, slice_str(rows[i].value));
        buf_clear(&b);
        arena_clear(&mem);
    }
}

static void words_add_up(void)
{
    static const char *const first[] = {"+1", "a@b"}, *const second[] = {"WAPPUSH=x/TYPE=USER"};
    struct pap_addrs out = {.n = 0};
    struct arena mem;
    char why[TOOL_WHY_N];

    arena_init(&mem, 512, 65536);
    CU_ASSERT(tool_addresses_add(first, 2, &mem, &out, why) == ERR_OK && out.n == 2);
    CU_ASSERT(tool_addresses_add(NULL, 0, &mem, &out, why) == ERR_OK && out.n == 2);
    CU_ASSERT(tool_addresses_add(second, 1, &mem, &out, why) == ERR_OK && out.n == 3);
    TEST_SLICE_EQ(out.v[0], SLICE("WAPPUSH=+1/TYPE=PLMN"));
    TEST_SLICE_EQ(out.v[1], SLICE("WAPPUSH=a%40b/TYPE=USER"));
    TEST_SLICE_EQ(out.v[2], SLICE("WAPPUSH=x/TYPE=USER"));
    arena_clear(&mem);
}

static void bad_words(void)
{
    static char endless[2000];
    static const struct {
        const char *word, *why;
    } rows[] = {{"", "recipient 1 is empty"}, {endless, "recipient 1 is too long"}};
    struct arena mem;

    for (size_t i = 0; i + 1 < sizeof endless; i++)
        endless[i] = 'a';
    arena_init(&mem, 512, 65536);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pap_addrs out = {.n = 0};
        char why[TOOL_WHY_N] = "";

        test_row(i);
        CU_ASSERT(tool_addresses_add(&rows[i].word, 1, &mem, &out, why) == ERR_MALFORMED && out.n == 0);
        CU_ASSERT_STRING_EQUAL(why, rows[i].why);
    }
    arena_clear(&mem);
}

static void file_with(const char *text, char path[300])
{
    FILE *f;

    (void)snprintf(path, 300, "%s/to", test_scratch());
    f = fopen(path, "we");
    CU_ASSERT_FATAL(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void files(void)
{
    static const struct {
        const char *text;
        enum err want;
        size_t n;
        const char *last;
    } rows[] = {
        {"+1\n+2\n", ERR_OK, 2, "WAPPUSH=+2/TYPE=PLMN"},
        {"+1\n+2", ERR_OK, 2, "WAPPUSH=+2/TYPE=PLMN"},
        {"# all\n\n  +1\t\r\n \n#+2\n", ERR_OK, 1, "WAPPUSH=+1/TYPE=PLMN"},
        {"sip:a@b # no comment here\n", ERR_OK, 1,
         "WAPPUSH=sip%3Aa%40b%20%23%20no%20comment%20here/TYPE=USER"},
        {"\xEF\xBB\xBF+1\r\n", ERR_OK, 1, "WAPPUSH=+1/TYPE=PLMN"}, /* as some editors begin a file */
        {"\xEF\xBB\xBF# one\n+1\n", ERR_OK, 1, "WAPPUSH=+1/TYPE=PLMN"},
        {"", ERR_OK, 0, NULL},
        {"\n#\n", ERR_OK, 0, NULL},
    };
    char path[300];

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pap_addrs out = {.n = 0};
        struct arena mem;
        char why[TOOL_WHY_N];

        test_row(i);
        arena_init(&mem, 512, 65536);
        file_with(rows[i].text, path);
        CU_ASSERT(tool_addresses_read(path, &mem, &out, why) == rows[i].want && out.n == rows[i].n);
        if (rows[i].last)
            TEST_SLICE_EQ(out.v[out.n - 1], slice_str(rows[i].last));
        arena_clear(&mem);
    }
}

static void files_that_cannot_be(void)
{
    struct pap_addrs out = {.n = 0};
    struct arena mem;
    char path[300], why[TOOL_WHY_N] = "";

    arena_init(&mem, 512, 2048);
    CU_ASSERT(tool_addresses_read("/absent/to", &mem, &out, why) == ERR_IO);
    CU_ASSERT(slice_starts(slice_str(why), SLICE("/absent/to: ")));
    file_with("+1\n+2\n+3\n+4\n+5\n+6\n+7\n+8\n+9\n", path);
    arena_init(&mem, 64, 128);
    CU_ASSERT(tool_addresses_read(path, &mem, &out, why) == ERR_NOMEM);
    arena_clear(&mem);
}

const struct test_case test_cases[] = {
    {"spellings", spellings},
    {"words_add_up", words_add_up},
    {"bad_words", bad_words},
    {"files", files},
    {"files_that_cannot_be", files_that_cannot_be},
    {NULL, NULL},
};
