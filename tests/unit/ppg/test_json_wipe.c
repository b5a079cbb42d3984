/* What jansson gives back is wiped: the block, and that jansson goes by it. */
#include "ppg/json_wipe.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/harness.h"

static void block(void)
{
    static const char nothing[100];
    char *p = malloc(sizeof nothing);

    CU_ASSERT_FATAL(p != NULL);
    memset(p, 'k', sizeof nothing);
    ppg_json_wipe_block(p);
    CU_ASSERT(memcmp(p, nothing, sizeof nothing) == 0);
    free(p);
    ppg_json_wipe_block(NULL);
}

/* Objects of all kinds come and go under it, and its allocator is the one in use. */
static void in_use(void)
{
    json_malloc_t take;
    json_free_t give;
    json_t *o;
    char *text;

    ppg_json_wipe();
    json_get_alloc_funcs(&take, &give);
    CU_ASSERT(take == malloc && give != free);
    o = json_loads(
        "{\"key\": \"00112233445566778899aabbccddeeff\", \"n\": [1, 2.5, true, null, {\"a\": \"b\"}]}", 0,
        NULL);
    CU_ASSERT_FATAL(o != NULL);
    text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
    CU_ASSERT_STRING_EQUAL(
        text, "{\"key\":\"00112233445566778899aabbccddeeff\",\"n\":[1,2.5,true,null,{\"a\":\"b\"}]}");
    free(text);
    json_decref(o);
}

const struct test_case test_cases[] = {{"block", block}, {"in_use", in_use}, {NULL, NULL}};
