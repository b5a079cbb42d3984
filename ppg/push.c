/* The memory of a push and of a notice: each lives inside the first block of its own arena, so that one allocation
 * makes it and one call frees it.  Not for what happens to a push; that is stage.c.  The count of holders is the one
 * counted reference of the house: hold and drop run on any thread, the rest on the thread that fills the push. */
#include "ppg/push.h"

#include "base/num.h"

#define NOTICE_FIRST_N 512u           /* octets: two addresses, a URL and an id of the usual length */
#define NOTICE_MAX_N   (256u * 1024u) /* octets; far above what a control entity may carry */

/* n zeroed octets at the head of a new arena, which then has room for first_n more before it grows. */
static void *arena_start(struct arena *mem, size_t n, size_t first_n, size_t max_n)
{
    const size_t slack = sizeof(max_align_t); /* the arena rounds sizes up */
    size_t first;
    size_t max;

    if (!num_add(n + slack, first_n, &first) || !num_add(n + slack, max_n, &max))
        return NULL;
    arena_init(mem, first, max);
    return arena_alloc(mem, n);
}

struct ppg_push *ppg_push_create(size_t first_n, size_t max_n)
{
    struct arena mem;
    struct ppg_push *p = arena_start(&mem, sizeof *p, first_n, max_n);

    if (!p)
        return NULL;
    p->mem = mem;
    buf_init(&p->body_mem, 0);
    atomic_init(&p->refs, 1);
    return p;
}

struct ppg_push *ppg_push_hold(struct ppg_push *p)
{
    MUST(atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed) > 0);
    return p;
}

void ppg_push_drop(struct ppg_push *p)
{
    struct arena mem;
    unsigned before;

    if (!p)
        return;
    before = atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel);
    MUST(before > 0);
    if (before > 1)
        return;
    if (p->charged)
        (void)atomic_fetch_sub(p->charged, p->charged_n);
    buf_clear(&p->body_mem);
    mem = p->mem; /* p lies inside */
    arena_clear(&mem);
}

void ppg_push_charge(struct ppg_push *p, atomic_size_t *octets)
{
    if (p->charged)
        return;
    p->charged = octets;
    p->charged_n = p->mem.used + p->body_mem.n;
    (void)atomic_fetch_add(octets, p->charged_n);
}

struct ppg_notice *ppg_notice_create(void)
{
    struct arena mem;
    struct ppg_notice *n = arena_start(&mem, sizeof *n, NOTICE_FIRST_N, NOTICE_MAX_N);

    if (!n)
        return NULL;
    n->mem = mem;
    list_init(&n->link);
    return n;
}

void ppg_notice_free(struct ppg_notice **n)
{
    struct arena mem;

    if (!*n)
        return;
    mem = (*n)->mem; /* *n lies inside */
    arena_clear(&mem);
    *n = NULL;
}
