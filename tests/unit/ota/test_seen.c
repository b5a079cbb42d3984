/* Remembered message ids against a naive twin. */
#include "ota/terminal/seen.h"

#include <stdio.h>
#include <stdlib.h>
#include "tests/unit/harness.h"

static void limits(void)
{
    struct kit_seen s;

    CU_ASSERT(kit_seen_init(&s, 0) == ERR_LIMIT);
    CU_ASSERT(kit_seen_init(&s, 1000001) == ERR_LIMIT);
    CU_ASSERT(kit_seen_init(&s, 1) == ERR_OK);
    CU_ASSERT(kit_seen_add(&s, SLICE("a")) == ERR_OK && kit_seen_has(&s, SLICE("a")));
    CU_ASSERT(kit_seen_add(&s, SLICE("b")) == ERR_OK);
    CU_ASSERT(!kit_seen_has(&s, SLICE("a")) && kit_seen_has(&s, SLICE("b")));
    kit_seen_clear(&s);
    kit_seen_clear(&s);
}

#define MAX 7

static bool twin_has(const unsigned *twin, size_t n, unsigned id)
{
    for (size_t i = 0; i < n; i++)
        if (twin[i] == id)
            return true;
    return false;
}

static void twin_add(unsigned *twin, size_t *n, unsigned id)
{
    if (twin_has(twin, *n, id))
        return;
    if (*n == MAX) {
        for (size_t i = 1; i < MAX; i++)
            twin[i - 1] = twin[i];
        (*n)--;
    }
    twin[(*n)++] = id;
}

static void agrees_with_a_naive_twin(void)
{
    unsigned twin[MAX], random = 1;
    size_t twin_n = 0, pos = 0;
    struct kit_seen s;
    struct slice id;
    char text[16];

    CU_ASSERT_FATAL(kit_seen_init(&s, MAX) == ERR_OK);
    for (unsigned i = 0; i < 5000; i++) {
        random = random * 1103515245u + 12345u;
        (void)snprintf(text, sizeof text, "%u", (random >> 16) % 12);
        CU_ASSERT(kit_seen_has(&s, slice_str(text)) == twin_has(twin, twin_n, (random >> 16) % 12));
        CU_ASSERT(kit_seen_add(&s, slice_str(text)) == ERR_OK);
        twin_add(twin, &twin_n, (random >> 16) % 12);
    }
    for (size_t i = 0; i < twin_n; i++) { /* oldest first */
        (void)snprintf(text, sizeof text, "%u", twin[i]);
        CU_ASSERT(kit_seen_next(&s, &pos, &id));
        TEST_SLICE_EQ(id, slice_str(text));
    }
    CU_ASSERT(!kit_seen_next(&s, &pos, &id));
    kit_seen_clear(&s);
}

const struct test_case test_cases[] = {
    {"limits", limits},
    {"agrees_with_a_naive_twin", agrees_with_a_naive_twin},
    {NULL, NULL},
};
