/* What all streams of one loop share: work put off to the end of the loop turn (so that writes are joined and
 * callbacks never fire from inside the call that caused them), many cheap timers on one libuv timer, and the
 * buffers that only live while a callback runs, so that an idle connection holds none.  One hub per loop; all of
 * it on that loop's thread. */
#ifndef BASE_NET_HUB_H
#define BASE_NET_HUB_H

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/net/env.h"

#define NET_HUB_TICK_MS 50                 /* timers fire up to so much late, never early */
#define NET_HUB_READ_N  ((size_t)64 << 10) /* octets of the shared read buffer */
#define NET_HUB_PLAIN_N ((size_t)16 << 10) /* octets of the shared buffer for one TLS record's content */

struct net_hub;

/* Runs once at the end of this loop turn, then it may be deferred again.  Embedded in its owner. */
struct net_task {
    struct list link;
    void (*run)(struct net_task *task);
};

/* Embedded in its owner.  Setting it again moves it; moving it later costs one store. */
struct net_timer {
    struct list link;
    int64_t at_ms; /* uv_now() clock; 0: not set */
    void (*fire)(struct net_timer *timer);
};

/* Uses env->loop and fills in env->hub.  ERR_NOMEM. */
enum err net_hub_create(struct net_env *env) MUST_USE;
/* Last of all on the loop: nothing that uses the hub may be left.  closed may be NULL; then the memory goes. */
void net_hub_close(struct net_hub *h, void (*closed)(void *arg), void *arg);

void net_task_init(struct net_task *t, void (*run)(struct net_task *task));
/* Harmless when it waits already. */
void net_hub_defer(struct net_hub *h, struct net_task *t);
void net_task_cancel(struct net_task *t);

void net_timer_init(struct net_timer *t, void (*fire)(struct net_timer *timer));
void net_hub_timer_set(struct net_hub *h, struct net_timer *t, int64_t ms_from_now);
void net_hub_timer_stop(struct net_hub *h, struct net_timer *t); /* harmless when not set */

/* NET_HUB_READ_N and NET_HUB_PLAIN_N octets, good until the current callback of libuv returns. */
char *net_hub_read_buf(struct net_hub *h);
char *net_hub_plain_buf(struct net_hub *h);
/* An empty buffer with memory behind it, if one is spare; else one that has none yet.  *b must be clear. */
void net_hub_buf_take(struct net_hub *h, struct buf *b);
/* Gives the memory back; *b is clear afterwards. */
void net_hub_buf_give(struct net_hub *h, struct buf *b);

#endif
