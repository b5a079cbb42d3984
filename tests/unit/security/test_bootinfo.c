/* The answer to a terminal that has bootstrapped, octet by octet; and what cannot be printed. */
#include "security/bootinfo.h"

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

const struct test_case test_cases[] = {{"document", test_document},
                                       {"markup_is_escaped", test_markup_is_escaped},
                                       {"refused", test_refused},
                                       {NULL, NULL}};
