/* The packed set against arithmetic, and its borders. */
#include "security/rules/addrset.h"

#include <stdio.h>
#include "tests/unit/harness.h"

static struct slice item_of(unsigned i, char *text, size_t cap)
{
    return slice_of(text, (size_t)snprintf(text, cap, "+1555%u", i * 7));
}

/* Against arithmetic: what was added is there, its neighbours are not. */
static void test_many(void)
{
    struct sec_addrset *s;
    char text[32];

    CU_ASSERT_FATAL(sec_addrset_create(&s) == ERR_OK);
    for (unsigned i = 0; i < 50000; i++)
        CU_ASSERT(sec_addrset_add(s, item_of(i, text, sizeof text)) == ERR_OK);
    for (unsigned i = 0; i < 1000; i++) /* again: nothing new */
        CU_ASSERT(sec_addrset_add(s, item_of(i, text, sizeof text)) == ERR_OK);
    CU_ASSERT(sec_addrset_count(s) == 50000);
    for (unsigned i = 0; i < 50000; i++) {
        struct slice item = item_of(i, text, sizeof text);

        test_row(i);
        CU_ASSERT(sec_addrset_has(s, item));
        item.n = (size_t)snprintf(text, sizeof text, "+1555%u", i * 7 + 1);
        CU_ASSERT(!sec_addrset_has(s, item));
    }
    CU_ASSERT(sec_addrset_memory(s) < 50000 * 64);
    sec_addrset_free(&s);
}

static void test_borders(void)
{
    struct sec_addrset *s;
    char big[256];

    memset(big, 'x', sizeof big);
    CU_ASSERT_FATAL(sec_addrset_create(&s) == ERR_OK);
    CU_ASSERT(!sec_addrset_has(s, SLICE_NONE));
    CU_ASSERT(!sec_addrset_has(s, SLICE("a")));
    CU_ASSERT(sec_addrset_add(s, SLICE_NONE) == ERR_OK);
    CU_ASSERT(sec_addrset_has(s, SLICE_NONE));
    CU_ASSERT(sec_addrset_add(s, slice_of(big, 256)) == ERR_LIMIT);
    for (size_t n = 255; n > 200; n--)
        CU_ASSERT(sec_addrset_add(s, slice_of(big, n)) == ERR_OK);
    for (size_t n = 255; n > 200; n--)
        CU_ASSERT(sec_addrset_has(s, slice_of(big, n)));
    CU_ASSERT(!sec_addrset_has(s, slice_of(big, 200)));
    CU_ASSERT(!sec_addrset_has(s, slice_of(big, 256)));
    sec_addrset_free(&s);
    CU_ASSERT(s == NULL);
    sec_addrset_free(&s);
}

const struct test_case test_cases[] = {
    {"many", test_many},
    {"borders", test_borders},
    {NULL, NULL},
};
