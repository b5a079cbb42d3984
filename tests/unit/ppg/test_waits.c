/* Requests that wait, by terminal and in all, from several threads. */
#include "ppg/doors/waits.h"

#include <pthread.h>
#include "tests/unit/harness.h"

#define A SLICE("+15550100")
#define B SLICE("+15550101")

static void ceilings(void)
{
    struct ppg_waits *w;

    CU_ASSERT_FATAL(ppg_waits_create(&w) == ERR_OK);
    CU_ASSERT(ppg_waits_begin(w, A, 2, 3) == ERR_OK);
    CU_ASSERT(ppg_waits_begin(w, A, 2, 3) == ERR_OK);
    CU_ASSERT(ppg_waits_begin(w, A, 2, 3) == ERR_LIMIT);
    CU_ASSERT(ppg_waits_begin(w, B, 2, 3) == ERR_OK);
    CU_ASSERT(ppg_waits_begin(w, B, 2, 3) == ERR_AGAIN);
    CU_ASSERT(ppg_waits_begin(w, SLICE(""), 2, 3) == ERR_AGAIN);
    ppg_waits_end(w, A);
    CU_ASSERT(ppg_waits_begin(w, B, 2, 3) == ERR_OK);
    CU_ASSERT(ppg_waits_begin(w, A, 1, 9) == ERR_LIMIT); /* a reload has made it less */
    ppg_waits_end(w, A);
    CU_ASSERT(ppg_waits_begin(w, A, 1, 9) == ERR_OK);
    ppg_waits_end(w, A);
    ppg_waits_end(w, B);
    ppg_waits_end(w, B);
    ppg_waits_free(&w);
    CU_ASSERT_PTR_NULL(w);
    ppg_waits_free(&w);
}

static void *come_and_go(void *arg)
{
    struct ppg_waits *w = arg;

    for (int i = 0; i < 20000; i++)
        if (!ppg_waits_begin(w, i % 2 ? A : B, 2, 3))
            ppg_waits_end(w, i % 2 ? A : B);
    return NULL;
}

static void loops_share_it(void)
{
    struct ppg_waits *w;
    pthread_t threads[4];

    CU_ASSERT_FATAL(ppg_waits_create(&w) == ERR_OK);
    for (size_t i = 0; i < COUNT(threads); i++)
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, come_and_go, w) == 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        CU_ASSERT(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < 3; i++) /* all of it was given back */
        CU_ASSERT(ppg_waits_begin(w, A, 3, 3) == ERR_OK);
    for (int i = 0; i < 3; i++)
        ppg_waits_end(w, A);
    ppg_waits_free(&w);
}

const struct test_case test_cases[] = {
    {"ceilings", ceilings},
    {"loops_share_it", loops_share_it},
    {NULL, NULL},
};
