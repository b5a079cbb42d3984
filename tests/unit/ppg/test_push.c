/* The memory of a push and of a notice. */
#include "ppg/push.h"

#include <pthread.h>
#include "tests/unit/harness.h"

static void starts_empty(void)
{
    struct ppg_push *p = ppg_push_create(100, 1000);

    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT(atomic_load(&p->refs) == 1);
    CU_ASSERT(p->id == 0 && p->targets_n == 0 && p->body.n == 0 && p->targets == NULL);
    ppg_push_drop(p);
}

static void ceiling_of_arena(void)
{
    static const struct {
        size_t first, max, ask;
        bool good;
    } rows[] = {
        {100, 1000, 100, true},   {100, 1000, 1000, true}, {0, 0, 256, false},
        {100, 1000, 1500, false}, {0, 1000, 900, true},    {64, 64, 512, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_push *p = ppg_push_create(rows[i].first, rows[i].max);

        test_row(i);
        CU_ASSERT_PTR_NOT_NULL_FATAL(p);
        CU_ASSERT((arena_alloc(&p->mem, rows[i].ask) != NULL) == rows[i].good);
        ppg_push_drop(p);
    }
}

static void absurd_sizes_fail(void)
{
    CU_ASSERT_PTR_NULL(ppg_push_create(SIZE_MAX, SIZE_MAX));
    CU_ASSERT_PTR_NULL(ppg_push_create(8, SIZE_MAX - 8));
    ppg_push_drop(NULL);
}

static void last_holder_frees(void)
{
    struct ppg_push *p = ppg_push_create(16, 1u << 20);

    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    buf_init(&p->body_mem, 100);
    buf_add_str(&p->body_mem, "body"); /* a leak here would fail the run */
    CU_ASSERT(ppg_push_hold(p) == p);
    ppg_push_drop(p);
    CU_ASSERT(atomic_load(&p->refs) == 1);
    TEST_SLICE_EQ(buf_slice(&p->body_mem), SLICE("body"));
    CU_ASSERT_PTR_NOT_NULL(arena_alloc(&p->mem, 100000));
    ppg_push_drop(p);
}

#define HOLDS 20000

static void *dropper(void *arg)
{
    for (int i = 0; i < HOLDS; i++) {
        struct ppg_push *p = ppg_push_hold(arg);

        ppg_push_drop(p);
    }
    ppg_push_drop(arg);
    return NULL;
}

static void holders_on_threads(void)
{
    struct ppg_push *p = ppg_push_create(16, 64);
    pthread_t threads[3];

    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    for (size_t i = 0; i < COUNT(threads); i++)
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, dropper, ppg_push_hold(p)) == 0);
    ppg_push_drop(p); /* the threads may outlive this hold */
    for (size_t i = 0; i < COUNT(threads); i++)
        (void)pthread_join(threads[i], NULL);
}

static void notice(void)
{
    struct ppg_notice *n = ppg_notice_create();
    struct slice url = SLICE_NONE;

    CU_ASSERT_PTR_NOT_NULL_FATAL(n);
    CU_ASSERT(n->id == 0 && n->url.n == 0 && list_empty(&n->link));
    CU_ASSERT(arena_dup(&n->mem, SLICE("http://127.0.0.1/"), &url) == ERR_OK);
    CU_ASSERT_PTR_NULL(arena_alloc(&n->mem, 1u << 20));
    ppg_notice_free(&n);
    CU_ASSERT_PTR_NULL(n);
    ppg_notice_free(&n);
}

const struct test_case test_cases[] = {
    {"starts_empty", starts_empty},
    {"ceiling_of_arena", ceiling_of_arena},
    {"absurd_sizes_fail", absurd_sizes_fail},
    {"last_holder_frees", last_holder_frees},
    {"holders_on_threads", holders_on_threads},
    {"notice", notice},
    {NULL, NULL},
};
