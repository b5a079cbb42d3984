/* Deferred work, timers and shared buffers of one loop.  libuv runs timers, then idle and prepare, then waits
 * for I/O, then check: deferred work runs at prepare and check, so what any callback puts off is done before the
 * loop waits again.  Timers sit in a wheel of lists; one that was moved later stays where it is and is put in its
 * place when its old slot comes round.  Not thread-safe: one hub per loop. */
#include "base/net/hub.h"

#include <stdlib.h>
#include "base/num.h"

#define WHEEL_N   512 /* slots; with 50 ms ticks one turn takes 25.6 s, later timers go round again */
#define SPARE_MAX 16  /* buffers kept for the next writes */
#define SPARE_N   ((size_t)64 << 10) /* a buffer that grew beyond this is not kept */
#define QUEUE_N   ((size_t)64 << 20) /* ceiling of one buffer: octets one stream may queue */
#define HANDLES   4

struct net_hub {
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;   /* active only while work waits: keeps the loop from waiting or ending */
    uv_timer_t ticks; /* active only while timers are set */
    unsigned open_handles;
    struct list tasks;
    struct list wheel[WHEEL_N];
    size_t timers_n; /* timers in the wheel */
    int64_t tick;    /* last tick served: uv_now / NET_HUB_TICK_MS */
    struct buf spare[SPARE_MAX];
    unsigned spare_n;
    void (*closed)(void *arg);
    void *arg;
    char read_buf[NET_HUB_READ_N];
    char plain_buf[NET_HUB_PLAIN_N];
};

static void idle_noop(uv_idle_t *idle)
{
    (void)idle;
}

static void tasks_run(struct net_hub *h)
{
    struct list now;
    struct list *l;

    if (list_empty(&h->tasks))
        return;
    list_init(&now);
    list_splice_back(&now, &h->tasks);
    while ((l = list_pop_front(&now)) != NULL) {
        struct net_task *t = container_of(l, struct net_task, link);

        t->run(t);
    }
    if (list_empty(&h->tasks))
        (void)uv_idle_stop(&h->idle);
}

static void prepare_cb(uv_prepare_t *handle)
{
    tasks_run(handle->data);
}

static void check_cb(uv_check_t *handle)
{
    tasks_run(handle->data);
}

void net_task_init(struct net_task *t, void (*run)(struct net_task *task))
{
    list_init(&t->link);
    t->run = run;
}

void net_hub_defer(struct net_hub *h, struct net_task *t)
{
    if (!list_empty(&t->link))
        return;
    if (list_empty(&h->tasks))
        MUST(uv_idle_start(&h->idle, idle_noop) == 0);
    list_push_back(&h->tasks, &t->link);
}

void net_task_cancel(struct net_task *t)
{
    list_remove(&t->link);
}

static int64_t hub_now(const struct net_hub *h)
{
    return (int64_t)uv_now(h->ticks.loop);
}

/* The slot is served once its tick has wholly passed, so a timer never fires early. */
static void wheel_put(struct net_hub *h, struct net_timer *t)
{
    int64_t due = num_max64(t->at_ms / NET_HUB_TICK_MS, h->tick) + 1;

    list_push_back(&h->wheel[(uint64_t)due % WHEEL_N], &t->link);
}

/* Timers of one slot: due ones fire, moved or far ones go (back) to their place. */
static void slot_run(struct net_hub *h, struct list *slot, int64_t now)
{
    struct list mine;
    struct list *l;

    list_init(&mine);
    list_splice_back(&mine, slot);
    while ((l = list_pop_front(&mine)) != NULL) {
        struct net_timer *t = container_of(l, struct net_timer, link);

        if (t->at_ms > now) {
            wheel_put(h, t);
            continue;
        }
        h->timers_n--;
        t->at_ms = 0;
        t->fire(t);
    }
}

static void ticks_cb(uv_timer_t *handle)
{
    struct net_hub *h = handle->data;
    int64_t now = hub_now(h);
    int64_t last = now / NET_HUB_TICK_MS;

    if (last - h->tick > WHEEL_N)
        h->tick = last - WHEEL_N;
    while (h->tick < last) {
        h->tick++;
        slot_run(h, &h->wheel[(uint64_t)h->tick % WHEEL_N], now);
    }
    if (h->timers_n == 0)
        (void)uv_timer_stop(&h->ticks);
}

void net_timer_init(struct net_timer *t, void (*fire)(struct net_timer *timer))
{
    list_init(&t->link);
    t->at_ms = 0;
    t->fire = fire;
}

void net_hub_timer_set(struct net_hub *h, struct net_timer *t, int64_t ms_from_now)
{
    int64_t at = hub_now(h) + num_max64(ms_from_now, 1);
    bool later = !list_empty(&t->link) && at >= t->at_ms;

    if (later) {
        t->at_ms = at;
        return;
    }
    net_hub_timer_stop(h, t);
    if (h->timers_n++ == 0) {
        h->tick = hub_now(h) / NET_HUB_TICK_MS;
        MUST(uv_timer_start(&h->ticks, ticks_cb, NET_HUB_TICK_MS, NET_HUB_TICK_MS) == 0);
    }
    t->at_ms = at;
    wheel_put(h, t);
}

void net_hub_timer_stop(struct net_hub *h, struct net_timer *t)
{
    if (list_empty(&t->link))
        return;
    list_remove(&t->link);
    t->at_ms = 0;
    h->timers_n--;
}

char *net_hub_read_buf(struct net_hub *h)
{
    return h->read_buf;
}

char *net_hub_plain_buf(struct net_hub *h)
{
    return h->plain_buf;
}

void net_hub_buf_take(struct net_hub *h, struct buf *b)
{
    if (h->spare_n)
        buf_move(&h->spare[--h->spare_n], b);
    else
        buf_init(b, QUEUE_N);
}

void net_hub_buf_give(struct net_hub *h, struct buf *b)
{
    if (h->spare_n == SPARE_MAX || b->cap == 0 || b->cap > SPARE_N) {
        buf_clear(b);
        return;
    }
    buf_reset(b, SPARE_N);
    buf_init(&h->spare[h->spare_n], QUEUE_N);
    buf_move(b, &h->spare[h->spare_n++]);
}

enum err net_hub_create(struct net_env *env)
{
    struct net_hub *h = calloc(1, sizeof *h);

    if (!h)
        return ERR_NOMEM;
    list_init(&h->tasks);
    for (size_t i = 0; i < WHEEL_N; i++)
        list_init(&h->wheel[i]);
    /* These four only fill in the structs and cannot fail. */
    MUST(uv_prepare_init(env->loop, &h->prepare) == 0);
    MUST(uv_check_init(env->loop, &h->check) == 0);
    MUST(uv_idle_init(env->loop, &h->idle) == 0);
    MUST(uv_timer_init(env->loop, &h->ticks) == 0);
    h->prepare.data = h->check.data = h->idle.data = h->ticks.data = h;
    h->open_handles = HANDLES;
    MUST(uv_prepare_start(&h->prepare, prepare_cb) == 0);
    MUST(uv_check_start(&h->check, check_cb) == 0);
    uv_unref((uv_handle_t *)&h->prepare);
    uv_unref((uv_handle_t *)&h->check);
    env->hub = h;
    return ERR_OK;
}

static void handle_closed(uv_handle_t *handle)
{
    struct net_hub *h = handle->data;

    if (--h->open_handles)
        return;
    while (h->spare_n)
        buf_clear(&h->spare[--h->spare_n]);
    if (h->closed)
        h->closed(h->arg);
    free(h);
}

void net_hub_close(struct net_hub *h, void (*closed)(void *arg), void *arg)
{
    MUST(list_empty(&h->tasks) && h->timers_n == 0);
    h->closed = closed;
    h->arg = arg;
    uv_close((uv_handle_t *)&h->prepare, handle_closed);
    uv_close((uv_handle_t *)&h->check, handle_closed);
    uv_close((uv_handle_t *)&h->idle, handle_closed);
    uv_close((uv_handle_t *)&h->ticks, handle_closed);
}
