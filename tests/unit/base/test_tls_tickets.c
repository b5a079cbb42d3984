/* Sessions kept for resuming: the last of each name, once, in time, and no more than there may be. */
#include "base/net/tls_tickets.h"

#include <stdio.h>
#include <stdlib.h>
#include "tests/unit/harness.h"

static bool taken(struct tls_tickets *t, const char *name, int64_t now_s, const char *want)
{
    struct buf got;
    bool is;

    buf_init(&got, TLS_TICKET_MAX_N);
    is = tls_tickets_take(t, slice_str(name), now_s, &got) && slice_eq(buf_slice(&got), slice_str(want));
    buf_wipe(&got);
    return is;
}

static void keep(struct tls_tickets *t, const char *name, const char *session, int64_t now_s)
{
    tls_tickets_keep(t, slice_str(name), slice_str(session), now_s);
}

static void test_once(void)
{
    struct tls_tickets *t;

    CU_ASSERT_FATAL(tls_tickets_create(3, &t) == ERR_OK);
    CU_ASSERT(!taken(t, "a", 0, "1"));
    keep(t, "a", "1", 0);
    keep(t, "a", "2", 0);
    keep(t, "b", "3", 0);
    CU_ASSERT(tls_tickets_n(t) == 2);
    CU_ASSERT(!taken(t, "ab", 0, "2") && !taken(t, "", 0, "2"));
    CU_ASSERT(taken(t, "a", 0, "2"));  /* the last */
    CU_ASSERT(!taken(t, "a", 0, "2")); /* and once */
    CU_ASSERT(taken(t, "b", 0, "3") && tls_tickets_n(t) == 0);
    tls_tickets_free(&t);
    CU_ASSERT(t == NULL);
    tls_tickets_free(&t);
}

static void test_in_time(void)
{
    static const struct {
        int64_t now_s;
        bool good;
    } rows[] = {
        {1000, true}, {1000 + TLS_TICKET_LIFE_S, true}, {1001 + TLS_TICKET_LIFE_S, false}, {999, false}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tls_tickets *t;

        test_row(i);
        CU_ASSERT_FATAL(tls_tickets_create(1, &t) == ERR_OK);
        keep(t, "a", "1", 1000);
        CU_ASSERT(taken(t, "a", rows[i].now_s, "1") == rows[i].good);
        CU_ASSERT(tls_tickets_n(t) == 0);
        tls_tickets_free(&t);
    }
}

static void test_bounded(void)
{
    struct tls_tickets *t = NULL;
    char *large = calloc(1, TLS_TICKET_MAX_N + 1);

    CU_ASSERT_FATAL(large != NULL);
    CU_ASSERT(tls_tickets_create(0, &t) == ERR_LIMIT &&
              tls_tickets_create(TLS_TICKETS_MAX + 1, &t) == ERR_LIMIT);
    CU_ASSERT_FATAL(tls_tickets_create(3, &t) == ERR_OK);
    for (int i = 0; i < 10; i++) {
        char name[8];

        (void)snprintf(name, sizeof name, "n%d", i);
        keep(t, name, name, 0);
        keep(t, "n0", "n0", 0); /* one that is used stays */
        CU_ASSERT(tls_tickets_n(t) <= 3);
    }
    CU_ASSERT(taken(t, "n0", 0, "n0") && taken(t, "n9", 0, "n9") && !taken(t, "n1", 0, "n1"));
    tls_tickets_keep(t, SLICE("l"), slice_of(large, TLS_TICKET_MAX_N + 1), 0);
    CU_ASSERT(!taken(t, "l", 0, ""));
    tls_tickets_free(&t);
    free(large);
}

const struct test_case test_cases[] = {
    {"once", test_once}, {"in_time", test_in_time}, {"bounded", test_bounded}, {NULL, NULL}};
