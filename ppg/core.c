/* Puts the parts of one loop's share together; see core.h. */
#include "ppg/core.h"

#include "base/map.h"
#include "ppg/accept.h"
#include "ppg/control.h"
#include "ppg/deliver.h"
#include "ppg/doors/inbox.h"
#include "ppg/notify.h"
#include "ppg/keys/keyask.h"
#include "ppg/protect.h"
#include "ppg/reply.h"
#include "ppg/schedule.h"
#include "ppg/doors/wake.h"
#include "ppg/keys/seq.h"

#define HEADERS_MAX_N 65536u /* octets of the header lines of one answer */

enum err ppg_core_init(struct ppg_core *c)
{
    enum err e;

    list_init(&c->ops);
    c->config = ppg_config_hold(c->config);
    buf_init(&c->answer, ppg_reply_max_n(ppg_core_settings(c)));
    buf_init(&c->answer_headers, HEADERS_MAX_N);
    if ((e = pap_parser_create(&c->parser)) || (e = ppg_accept_create(c, &c->accept)) ||
        (e = ppg_control_create(c, &c->control)) || (e = ppg_schedule_create(c, &c->schedule)) ||
        (e = ppg_deliver_create(c, &c->deliver)) || (e = ppg_seq_create(c, &c->seq)) ||
        (e = ppg_protect_create(c, &c->protect)) || (e = ppg_notify_create(c, &c->notify)) ||
        (e = ppg_wake_create(c, &c->wake)) || (e = ppg_inbox_create(c, &c->inbox)) ||
        (e = ppg_keyask_create(&c->keyask)))
        ppg_core_clear(c);
    return e;
}

void ppg_core_clear(struct ppg_core *c)
{
    ppg_accept_free(&c->accept);
    ppg_inbox_free(&c->inbox);
    ppg_keyask_free(&c->keyask);
    ppg_control_free(&c->control);
    ppg_wake_free(&c->wake);
    ppg_notify_free(&c->notify);
    ppg_protect_free(&c->protect);
    ppg_seq_free(&c->seq);
    ppg_deliver_free(&c->deliver);
    ppg_schedule_free(&c->schedule);
    pap_parser_free(&c->parser);
    buf_clear(&c->answer);
    buf_clear(&c->answer_headers);
    ppg_config_drop(&c->config);
}

void ppg_core_tick(struct ppg_core *c)
{
    ppg_schedule_tick(c->schedule);
    ppg_notify_tick(c->notify);
    ppg_wake_tick(c->wake);
    ppg_inbox_tick(c->inbox);
}

void ppg_core_flush(struct ppg_core *c)
{
    if (list_empty(&c->ops))
        return;
    store_submit(c->shared->store, &c->ops);
    if (c->schedule) /* a test's core may have none */
        ppg_schedule_flushed(c->schedule);
}

void ppg_core_done(struct ppg_core *c, struct list *ops)
{
    struct list *at;

    while ((at = list_pop_front(ops))) {
        struct store_op *op = container_of(at, struct store_op, link);

        c->ops_out--;
        op->done(op);
    }
}

void ppg_core_set_config(struct ppg_core *c, struct ppg_config *config)
{
    struct ppg_config *old = c->config;

    c->config = ppg_config_hold(config);
    buf_clear(&c->answer);
    buf_init(&c->answer, ppg_reply_max_n(ppg_core_settings(c)));
    ppg_protect_forget(c->protect);
    ppg_config_drop(&old);
}

bool ppg_core_busy(const struct ppg_core *c)
{
    return ppg_schedule_live(c->schedule) || ppg_notify_under_way(c->notify) ||
           ppg_control_under_way(c->control) || ppg_wake_under_way(c->wake) || ppg_inbox_open(c->inbox) ||
           c->ops_out || c->errands_out;
}

unsigned ppg_core_owner(const struct ppg_core *c, struct slice key)
{
    return c->shared->loops > 1 ? (unsigned)(map_hash(c->shared->spread, key) % c->shared->loops) : 0;
}

struct ppg_share *ppg_shared_share(struct ppg_shared *s, struct slice initiator)
{
    return &s->shares[map_hash(s->spread, initiator) % PPG_SHARES];
}

atomic_uint *ppg_shared_bell(struct ppg_shared *s, struct slice key)
{
    return &s->bells[map_hash(s->spread, key) % PPG_BELLS];
}

bool ppg_share_behind(const struct ppg_share *share, int64_t now_ms)
{
    return atomic_load(&share->claiming) || atomic_load(&share->next_due_ms) <= now_ms ||
           atomic_load(&share->unleased) > 0;
}

size_t ppg_share_room(const struct ppg_shared *s, const struct ppg_share *share, size_t live_max)
{
    size_t live = atomic_load(&s->live);
    size_t own = atomic_load(&share->live);
    size_t left = live < live_max ? live_max - live : 0;

    return own < left ? (left - own + 1) / 2 : 0;
}

void ppg_core_errand(struct ppg_core *c, struct ppg_errand *e, unsigned to)
{
    e->from = c->loop;
    e->to = to;
    e->returning = false;
    c->errands_out++;
    c->errand(c->host, e);
}

void ppg_core_errand_begin(struct ppg_core *c, struct ppg_errand *e)
{
    e->from = e->to = c->loop;
    c->errands_out++;
}

void ppg_core_errand_return(struct ppg_core *c, struct ppg_errand *e)
{
    e->returning = true;
    c->errand(c->host, e);
}

void ppg_core_errand_arrived(struct ppg_core *c, struct ppg_errand *e)
{
    if (e->returning) {
        c->errands_out--;
        e->back(c, e);
        return;
    }
    e->run(c, e);
    e->returning = true;
    c->errand(c->host, e);
}

void ppg_shared_due(_Atomic int64_t *next, int64_t at_ms)
{
    int64_t was = atomic_load(next);

    while (at_ms < was && !atomic_compare_exchange_weak(next, &was, at_ms))
        ;
}
