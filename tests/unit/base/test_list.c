/* The intrusive list: random operations on two lists against arrays. */
#include "tests/unit/harness.h"

#include "base/list.h"
#include "tests/unit/base/random.h"

#define ITEMS 24

struct item {
    int id;
    struct list link;
    int home; /* 0 none, 1 or 2: the list it is on */
};

struct twin {
    int ids[ITEMS];
    size_t n;
};

static void twin_insert(struct twin *t, size_t at, int id)
{
    for (size_t i = t->n++; i > at; i--)
        t->ids[i] = t->ids[i - 1];
    t->ids[at] = id;
}

static void twin_remove(struct twin *t, int id)
{
    size_t at = 0;

    while (at < t->n && t->ids[at] != id)
        at++;
    CU_ASSERT_FATAL(at < t->n);
    for (t->n--; at < t->n; at++)
        t->ids[at] = t->ids[at + 1];
}

static void check_same(struct list *head, const struct twin *t)
{
    size_t n = 0;

    LIST_EACH (e, head) {
        CU_ASSERT_FATAL(n < t->n && container_of(e, struct item, link)->id == t->ids[n]);
        CU_ASSERT_FATAL(e->next->prev == e && e->prev->next == e);
        n++;
    }
    CU_ASSERT_FATAL(n == t->n && list_empty(head) == (n == 0));
}

static void place(struct item *it, struct list *head, struct twin *t, int home, uint32_t *seed)
{
    if (random_below(seed, 2)) {
        list_push_back(head, &it->link);
        twin_insert(t, t->n, it->id);
    } else {
        list_push_front(head, &it->link);
        twin_insert(t, 0, it->id);
    }
    it->home = home;
}

static void splice(struct list heads[3], struct twin twins[3], struct item *items)
{
    list_splice_back(&heads[1], &heads[2]);
    for (size_t i = 0; i < twins[2].n; i++)
        twin_insert(&twins[1], twins[1].n, twins[2].ids[i]);
    twins[2].n = 0;
    for (size_t i = 0; i < ITEMS; i++)
        items[i].home = items[i].home ? 1 : 0;
}

static void pop(struct list *head, struct twin *t)
{
    struct list *e = list_pop_front(head);

    CU_ASSERT_FATAL((e == NULL) == (t->n == 0));
    if (e) {
        struct item *it = container_of(e, struct item, link);

        CU_ASSERT_FATAL(it->id == t->ids[0] && list_empty(e));
        twin_remove(t, it->id);
        it->home = 0;
    }
}

static void test_random(void)
{
    struct item items[ITEMS];
    struct list heads[3]; /* [0] is not used: 0 means on no list */
    struct twin twins[3] = {{.n = 0}};
    uint32_t seed = 7;

    for (int i = 0; i < ITEMS; i++) {
        items[i] = (struct item){.id = i};
        list_init(&items[i].link);
    }
    list_init(&heads[1]);
    list_init(&heads[2]);
    for (size_t round = 0; round < 50000; round++) {
        struct item *it = &items[random_below(&seed, ITEMS)];
        int home = 1 + (int)random_below(&seed, 2);

        if (random_below(&seed, 20) == 0)
            splice(heads, twins, items);
        else if (random_below(&seed, 10) == 0)
            pop(&heads[home], &twins[home]);
        else if (it->home == 0)
            place(it, &heads[home], &twins[home], home, &seed);
        else {
            list_remove(&it->link);
            list_remove(&it->link); /* twice is harmless */
            twin_remove(&twins[it->home], it->id);
            it->home = 0;
        }
        test_row(round);
        check_same(&heads[1], &twins[1]);
        check_same(&heads[2], &twins[2]);
    }
}

static void test_remove_while_walking(void)
{
    struct item items[6];
    struct list head;
    int left = 0;

    list_init(&head);
    for (int i = 0; i < 6; i++) {
        items[i].id = i;
        list_push_back(&head, &items[i].link);
    }
    LIST_EACH_SAFE (e, &head) {
        if (container_of(e, struct item, link)->id % 2)
            list_remove(e);
    }
    LIST_EACH (e, &head)
        left = left * 10 + container_of(e, struct item, link)->id;
    CU_ASSERT_EQUAL(left, 24);
}

static void test_insert_before(void)
{
    struct item a = {.id = 1}, b = {.id = 2};
    struct list head;

    list_init(&head);
    list_push_back(&head, &b.link);
    list_insert_before(&b.link, &a.link);
    CU_ASSERT(head.next == &a.link && a.link.next == &b.link && b.link.next == &head && head.prev == &b.link);
}

const struct test_case test_cases[] = {
    {"random_against_twin", test_random},
    {"remove_while_walking", test_remove_while_walking},
    {"insert_before", test_insert_before},
    {NULL, NULL},
};
