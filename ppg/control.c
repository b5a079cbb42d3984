/* The rounds of a cancel between the store and the loops that hold its targets; see control.h.  [PAP §8.3, §4.1].
 * Runs on the core's loop; only the items of a recall are touched by another loop, while its errand is there. */
#include "ppg/control.h"

#include <stdlib.h>
#include "ppg/enqueue.h"
#include "ppg/schedule.h"

#define MEM_FIRST_N 1024u
#define MEM_MAX_N   ((size_t)64 << 20) /* octets; about 80 for each target that is held, in each round */

struct ppg_control {
    struct ppg_core *core;
    size_t under_way;
};

/* What one loop is asked to let go. */
struct recall {
    struct ppg_errand errand;
    struct list link; /* in ppg_cancel.recalls */
    struct ppg_cancel *cancel;
    struct ppg_recall *items;
    size_t items_n;
};

/* --- ends --- */

static void settle_released(struct ppg_cancel *x, bool cancelled)
{
    struct ppg_core *c = x->control->core;
    struct list *at;

    if (!cancelled) {
        ppg_enqueue_spread(c, &x->released);
        return;
    }
    while ((at = list_pop_front(&x->released)))
        ppg_schedule_release(c, container_of(at, struct ppg_target, link));
}

/* While a target is in our hands nobody else moves it: what the store was told of and did not refuse, it cancelled. */
static void end(struct ppg_cancel *x, enum err result)
{
    struct ppg_core *c = x->control->core;

    settle_released(x, !result);
    if (!result && ppg_cancel_count(x))
        ppg_shared_due(&c->shared->next_notice_ms, ppg_core_utc_ms(c));
    x->cancel.released = x->cancel.busy = NULL;
    x->cancel.released_n = x->cancel.busy_n = 0;
    arena_clear(&x->mem);
    x->control->under_way--;
    x->done(x, result); /* *x may be gone after this */
}

/* --- rounds --- */

static void asked(struct store_op *op);

static void ask(struct ppg_cancel *x)
{
    struct store_op *op = x->insert ? &x->insert->op : &x->cancel.op;

    arena_clear(&x->cancel.mem);
    x->cancel.targets = NULL;
    x->cancel.targets_n = 0;
    x->cancel.force = ++x->rounds == PPG_CANCEL_ROUNDS;
    x->cancel.event_ms = ppg_core_utc_ms(x->control->core);
    *op = (struct store_op){.kind = x->insert ? STORE_INSERT : STORE_CANCEL, .done = asked, .arg = x};
    ppg_core_submit(x->control->core, op);
}

static int by_number(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return left < right ? -1 : left > right;
}

static enum err list_released(struct ppg_cancel *x)
{
    int64_t *ids = arena_array(&x->mem, x->released_n + 1, sizeof *ids);
    size_t n = 0;

    if (!ids)
        return ERR_NOMEM;
    LIST_EACH (at, &x->released)
        ids[n++] = container_of(at, struct ppg_target, link)->id;
    qsort(ids, n, sizeof *ids, by_number);
    x->cancel.released = ids;
    x->cancel.released_n = n;
    return ERR_OK;
}

/* Once on the wire is on the wire for this cancel: an attempt that fails between two rounds changes no answer. */
static enum err list_busy(struct ppg_cancel *x)
{
    size_t most = x->cancel.busy_n + 1;
    size_t n = 0;
    int64_t *ids;

    LIST_EACH (at, &x->recalls)
        most += container_of(at, struct recall, link)->items_n;
    if (!(ids = arena_array(&x->mem, most, sizeof *ids)))
        return ERR_NOMEM;
    for (; n < x->cancel.busy_n; n++)
        ids[n] = x->cancel.busy[n];
    LIST_EACH (at, &x->recalls) {
        const struct recall *r = container_of(at, struct recall, link);

        for (size_t i = 0; i < r->items_n; i++)
            if (r->items[i].what == PPG_RECALL_BUSY)
                ids[n++] = r->items[i].id;
    }
    qsort(ids, n, sizeof *ids, by_number);
    x->cancel.busy = ids;
    x->cancel.busy_n = n;
    return ERR_OK;
}

static void ask_again(struct ppg_cancel *x)
{
    enum err e = list_released(x);

    if (!e)
        e = list_busy(x);
    if (e)
        end(x, e);
    else
        ask(x);
}

/* --- recalls --- */

static void recall_run(struct ppg_core *c, struct ppg_errand *e)
{
    struct recall *r = container_of(e, struct recall, errand);

    ppg_schedule_recall(c->schedule, r->items, r->items_n);
}

static void recall_back(struct ppg_core *c, struct ppg_errand *e)
{
    struct recall *r = container_of(e, struct recall, errand);
    struct ppg_cancel *x = r->cancel;

    (void)c;
    for (size_t i = 0; i < r->items_n; i++)
        if (r->items[i].what == PPG_RECALL_RELEASED) {
            list_push_back(&x->released, &r->items[i].target->link);
            x->released_n++;
        }
    if (--x->recalls_out == 0)
        ask_again(x);
}

/* One recall for each loop that owns terminals of held targets, in by_loop; items are counted, not filled. */
static enum err recalls_make(struct ppg_cancel *x, struct recall **by_loop)
{
    const struct ppg_core *c = x->control->core;

    for (size_t i = 0; i < x->cancel.targets_n; i++) {
        const struct store_cancel_target *t = &x->cancel.targets[i];
        struct recall **at = &by_loop[ppg_core_owner(c, t->key)];

        if (t->what != STORE_CANCEL_HELD)
            continue;
        if (!*at && !(*at = arena_alloc(&x->mem, sizeof **at)))
            return ERR_NOMEM;
        (*at)->items_n++;
    }
    for (unsigned i = 0; i < c->shared->loops; i++) {
        struct recall *r = by_loop[i];

        if (!r)
            continue;
        if (!(r->items = arena_array(&x->mem, r->items_n, sizeof *r->items)))
            return ERR_NOMEM;
        r->items_n = 0;
        r->errand.run = recall_run;
        r->errand.back = recall_back;
        r->cancel = x;
    }
    return ERR_OK;
}

static void recalls_send(struct ppg_cancel *x, struct recall **by_loop)
{
    struct ppg_core *c = x->control->core;

    for (size_t i = 0; i < x->cancel.targets_n; i++) {
        const struct store_cancel_target *t = &x->cancel.targets[i];
        struct recall *r = by_loop[ppg_core_owner(c, t->key)];

        if (t->what == STORE_CANCEL_HELD)
            r->items[r->items_n++] = (struct ppg_recall){.id = t->id, .key = t->key};
    }
    for (unsigned i = 0; i < c->shared->loops; i++)
        if (by_loop[i]) {
            list_push_back(&x->recalls, &by_loop[i]->link);
            x->recalls_out++;
            ppg_core_errand(c, &by_loop[i]->errand, i);
        }
}

static void recall_held(struct ppg_cancel *x)
{
    struct recall **by_loop = arena_array(&x->mem, x->control->core->shared->loops, sizeof(struct recall *));

    list_init(&x->recalls);
    if (!by_loop || recalls_make(x, by_loop)) {
        end(x, ERR_NOMEM);
        return;
    }
    recalls_send(x, by_loop);
    MUST(x->recalls_out > 0); /* the store said that something is held */
}

static void asked(struct store_op *op)
{
    struct ppg_cancel *x = op->arg;

    if (op->err == ERR_AGAIN && !x->cancel.force)
        recall_held(x);
    else
        end(x, op->err);
}

/* --- starts --- */

void ppg_cancel_start(struct ppg_control *control, struct ppg_cancel *x)
{
    x->control = control;
    list_init(&x->recalls);
    list_init(&x->released);
    x->recalls_out = x->released_n = 0;
    x->rounds = 0;
    x->cancel.released = x->cancel.busy = NULL;
    x->cancel.released_n = x->cancel.busy_n = 0;
    x->cancel.mem = (struct arena){.last = NULL};
    arena_init(&x->mem, MEM_FIRST_N, MEM_MAX_N);
    control->under_way++;
    if (x->insert)
        x->insert->old = &x->cancel;
    ask(x);
}

size_t ppg_cancel_count(const struct ppg_cancel *x)
{
    size_t n = 0;

    for (size_t i = 0; i < x->cancel.targets_n; i++)
        n += x->cancel.targets[i].what == STORE_CANCEL_DONE;
    return n;
}

/* --- life --- */

enum err ppg_control_create(struct ppg_core *c, struct ppg_control **out)
{
    struct ppg_control *control = calloc(1, sizeof *control);

    if (!control)
        return ERR_NOMEM;
    control->core = c;
    *out = control;
    return ERR_OK;
}

void ppg_control_free(struct ppg_control **control)
{
    if (!*control)
        return;
    MUST((*control)->under_way == 0);
    free(*control);
    *control = NULL;
}

size_t ppg_control_under_way(const struct ppg_control *control)
{
    return control->under_way;
}
