/* Lanes, deadlines, retries and claims; see schedule.h.  Runs on the core's loop.  [PAP §4.1, §7], delivery
 * contract in the README of this room. */
#include "ppg/schedule.h"

#include <stdlib.h>
#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"
#include "ppg/deliver.h"
#include "ppg/enqueue.h"
#include "ppg/notify.h"

#define LANES_MAX       1000000u /* terminals with work on one core; live_max bounds it in practice */
#define SENDING_MAX     4096u    /* attempts under way on one core, at most */
#define PRIORITIES      3u
#define EXPIRY_SCAN_MS  1000        /* queued targets are looked at for expiry so often */
#define CLAIM_CONTENT_N (16u << 20) /* octets of content one claim may bring into memory */

struct lane {
    struct list ready; /* in schedule.ready while it has work and nothing on the wire */
    struct list waiting[PRIORITIES];
    struct ppg_target *sending;
    size_t waiting_n;
    int64_t closed_until_ms; /* UTC; an unreachable terminal's lane takes nothing before */
    size_t key_n;
    char key[];
};

/* A write on its way to the store, and what is to be done when it is durable. */
struct settle {
    union {
        struct store_op op;
        struct store_finish finish;
        struct store_move move;
        struct store_notice_move debt;
    } as;
    struct ppg_schedule *schedule;
    struct ppg_target *target;
    struct list again; /* in schedule.again while the store could not write it */
    struct settle *next_free;
    char protection[128]; /* the record's texts, until they are written */
    char note[160];
};

struct ppg_schedule {
    struct ppg_core *core;
    struct map lanes;
    struct list ready;
    struct settle *free_settles;
    struct list again; /* writes the store refused; tried again by the tick */
    size_t live;
    size_t sending;
    size_t sending_max; /* an attempt takes a connection at most: none must fail for want of one */
    size_t settling;    /* writes under way */
    bool pumping;
    bool claiming;
    int64_t scan_mono_ms;
    struct store_claim claim;
};

/* --- lanes --- */

static struct slice lane_key(const struct lane *l)
{
    return slice_of(l->key, l->key_n);
}

static struct lane *lane_get(struct ppg_schedule *s, struct slice key)
{
    struct lane *l = map_get(&s->lanes, key);

    if (l)
        return l;
    l = calloc(1, sizeof *l + key.n);
    if (!l)
        return NULL;
    list_init(&l->ready);
    for (size_t p = 0; p < PRIORITIES; p++)
        list_init(&l->waiting[p]);
    l->key_n = key.n;
    mem_copy(l->key, key.n, key);
    if (map_put(&s->lanes, lane_key(l), l)) {
        free(l);
        return NULL;
    }
    return l;
}

/* No closure is longer than the longest retry: one that looks so was made before the clock was set back. */
static bool lane_open(const struct ppg_schedule *s, const struct lane *l)
{
    int64_t left_ms = l->closed_until_ms - ppg_core_utc_ms(s->core);

    return left_ms <= 0 || left_ms > ppg_core_settings(s->core)->delivery.retry_max_ms;
}

static void lane_settle(struct ppg_schedule *s, struct lane *l)
{
    if (l->sending)
        return;
    if (l->waiting_n) {
        if (list_empty(&l->ready))
            list_push_back(&s->ready, &l->ready);
        return;
    }
    list_remove(&l->ready);
    if (lane_open(s, l)) {
        (void)map_del(&s->lanes, lane_key(l));
        free(l);
    }
}

static struct ppg_target *lane_pop(struct lane *l)
{
    for (size_t p = 0; p < PRIORITIES; p++) {
        struct list *at = list_pop_front(&l->waiting[p]);

        if (at) {
            l->waiting_n--;
            return container_of(at, struct ppg_target, link);
        }
    }
    return NULL;
}

/* Its place is that of its id: one that comes back late goes in front of the younger ones. */
static void lane_put(struct lane *l, struct ppg_target *t)
{
    struct list *head = &l->waiting[num_min(t->push->priority, PRIORITIES - 1)];
    struct list *at = head;

    while (at->prev != head && container_of(at->prev, struct ppg_target, link)->id > t->id)
        at = at->prev;
    list_insert_before(at, &t->link);
    l->waiting_n++;
}

static struct ppg_target *lane_find(struct lane *l, int64_t id)
{
    for (size_t p = 0; p < PRIORITIES; p++)
        LIST_EACH (at, &l->waiting[p]) {
            struct ppg_target *t = container_of(at, struct ppg_target, link);

            if (t->id == id)
                return t;
        }
    return NULL;
}

/* --- writes --- */

static struct settle *settle_new(struct ppg_schedule *s, struct ppg_target *t, enum store_kind kind,
                                 store_done_fn *done)
{
    struct settle *w = s->free_settles;

    if (w)
        s->free_settles = w->next_free;
    else
        w = malloc(sizeof *w);
    if (!w)
        return NULL;
    w->as.finish = (struct store_finish){.target_id = 0};
    w->as.op = (struct store_op){.kind = kind};
    w->schedule = s;
    w->target = t;
    list_init(&w->again);
    w->as.op.done = done;
    s->settling++;
    return w;
}

static void settle_free(struct settle *w)
{
    struct ppg_schedule *s = w->schedule;

    w->next_free = s->free_settles;
    s->free_settles = w;
    s->settling--;
}

/* The texts of a record live in the write until it is done. */
static void settle_record(struct settle *w, struct store_record *to, const struct store_record *from)
{
    struct slice protection = slice_sub(from->protection, 0, sizeof w->protection);
    struct slice note = slice_sub(from->note, 0, sizeof w->note);

    mem_copy(w->protection, sizeof w->protection, protection);
    mem_copy(w->note, sizeof w->note, note);
    to->bearer = from->bearer; /* a bearer's static name */
    to->began_ms = from->began_ms;
    to->wire_n = from->wire_n;
    to->protection = slice_of(w->protection, protection.n);
    to->note = slice_of(w->note, note.n);
}

void ppg_schedule_release(struct ppg_core *c, struct ppg_target *t)
{
    atomic_fetch_sub(&c->shared->live, 1);
    ppg_push_drop(t->push);
}

/* The target leaves memory. */
static void target_gone(struct ppg_schedule *s, struct ppg_target *t)
{
    s->live--;
    ppg_schedule_release(s->core, t);
}

static void finish_submit(struct settle *w)
{
    struct ppg_target *t = w->target;
    struct store_finish *f = &w->as.finish;

    f->target_id = t->id;
    f->push_id = t->push->id;
    f->group_id = t->group_id;
    f->stage = (enum ppg_stage)t->stage;
    f->code = t->code;
    f->tries = t->tries;
    f->notify = t->push->notify_url.n > 0;
    ppg_core_submit(w->schedule->core, &f->op);
}

/* The store could not write (a full disk).  The target stays in memory, where it is bounded, and the write is tried
 * again; should the program end before, its lease ends too and the next run takes the target up. */
static bool unrecorded(struct settle *w)
{
    struct ppg_schedule *s = w->schedule;

    if (!w->as.op.err || w->as.op.err == ERR_LATE)
        return false;
    LOG(s->core->shared->log, LOG_ERROR, "target.unrecorded", LOG_S("push_id", w->target->push->push_id),
        LOG_I("target", w->target->id), LOG_C("error", err_name(w->as.op.err)));
    if (atomic_load(&s->core->shared->draining))
        return false;
    list_push_back(&s->again, &w->again);
    return true;
}

static void write_again(struct ppg_schedule *s)
{
    struct list *at;

    while ((at = list_pop_front(&s->again)))
        ppg_core_submit(s->core, &container_of(at, struct settle, again)->as.op);
}

static void debt_back(struct store_op *op)
{
    struct settle *w = container_of(op, struct settle, as.op);
    struct ppg_schedule *s = w->schedule;

    if (unrecorded(w))
        return;
    ppg_shared_due(&s->core->shared->next_notice_ms, w->as.debt.due_ms);
    target_gone(s, w->target);
    settle_free(w);
}

/* The debt is on disk and leased to this run.  What notify.c does not take now goes back in this very write's memory,
 * so that no lease is held for want of some.  True: the write is under way again. */
static bool owe(struct settle *w)
{
    const struct store_finish *f = &w->as.finish;
    struct store_notice_move back = {.notice_id = f->notice_id};

    if (!f->notice_id ||
        ppg_notify_owe(w->schedule->core->notify, w->target, f->notice_id, f->event_ms, &back.due_ms))
        return false;
    back.op = (struct store_op){.kind = STORE_NOTICE_MOVE, .done = debt_back};
    w->as.debt = back;
    ppg_core_submit(w->schedule->core, &w->as.op);
    return true;
}

static void finished(struct store_op *op)
{
    struct settle *w = container_of(op, struct settle, as.op);
    struct ppg_schedule *s = w->schedule;
    struct ppg_target *t = w->target;

    if (unrecorded(w))
        return;
    if (!op->err) {
        LOG(s->core->shared->log, LOG_INFO, "target.final", LOG_S("push_id", t->push->push_id),
            LOG_S("initiator", t->push->initiator), LOG_A("to", t->key),
            LOG_C("stage", ppg_stage_name((enum ppg_stage)t->stage)), LOG_I("code", t->code),
            LOG_I("tries", t->tries));
        if (w->as.finish.group_ended) /* the group's notification waits in the store */
            ppg_shared_due(&s->core->shared->next_notice_ms, w->as.finish.event_ms);
        if (owe(w))
            return;
    }
    settle_free(w);
    target_gone(s, t);
}

static void moved(struct store_op *op)
{
    struct settle *w = container_of(op, struct settle, as.op);
    struct ppg_schedule *s = w->schedule;

    if (unrecorded(w))
        return;
    if (!op->err)
        ppg_shared_due(&s->core->shared->next_due_ms, w->as.move.due_ms);
    target_gone(s, w->target);
    settle_free(w);
}

static void finish(struct ppg_schedule *s, struct ppg_target *t, enum ppg_event ev, unsigned code,
                   const struct store_record *record)
{
    enum ppg_stage to;
    struct settle *w = settle_new(s, t, STORE_FINISH, finished);

    MUST(!ppg_stage_next((enum ppg_stage)t->stage, ev, &to) && ppg_stage_final(to));
    t->stage = (uint8_t)to;
    t->code = (uint16_t)code;
    if (!w) { /* out of memory: the lease holds, the next run takes it up */
        target_gone(s, t);
        return;
    }
    w->as.finish.event_ms = ppg_core_utc_ms(s->core);
    if (record)
        settle_record(w, &w->as.finish.record, record);
    finish_submit(w);
}

/* Back to the store until due_ms; the claim brings it again, at the latest when it expires. */
static void give_back(struct ppg_schedule *s, struct ppg_target *t, int64_t due_ms,
                      const struct store_record *record)
{
    struct settle *w = settle_new(s, t, STORE_MOVE, moved);

    t->stage = ST_WAITING;
    if (!w) {
        target_gone(s, t);
        return;
    }
    w->as.move.target_id = t->id;
    w->as.move.due_ms = num_min64(due_ms, t->push->expires_ms);
    w->as.move.tries = t->tries;
    if (record)
        settle_record(w, &w->as.move.record, record);
    ppg_core_submit(s->core, &w->as.op);
}

static void expire(struct ppg_schedule *s, struct ppg_target *t)
{
    const struct store_record record = {.note = SLICE("deadline reached before delivery")};

    finish(s, t, EV_EXPIRE, PAP_CODE_SERVICE_FAILURE, t->tries ? NULL : &record);
}

/* --- turns --- */

static bool past_deadline(const struct ppg_schedule *s, const struct ppg_target *t)
{
    return t->push->expires_ms <= ppg_core_utc_ms(s->core);
}

/* An unconfirmed push is tried once; one that was begun before a crash is not begun again. */
static bool interrupted(const struct ppg_target *t)
{
    return t->push->method == PPG_METHOD_UNCONFIRMED && t->tries > 0;
}

static void begin(struct ppg_schedule *s, struct lane *l, struct ppg_target *t)
{
    enum ppg_stage to;

    if (past_deadline(s, t)) {
        expire(s, t);
        return;
    }
    if (interrupted(t)) {
        finish(s, t, EV_TIMEOUT, PAP_CODE_SERVICE_UNAVAILABLE, NULL);
        return;
    }
    MUST(!ppg_stage_next((enum ppg_stage)t->stage, EV_DUE, &to));
    t->stage = (uint8_t)to;
    t->tries++;
    l->sending = t;
    s->sending++;
    ppg_deliver_start(s->core->deliver, t);
}

static void pump(struct ppg_schedule *s)
{
    struct list *at;

    if (s->pumping)
        return;
    s->pumping = true;
    while (s->sending < s->sending_max && !atomic_load(&s->core->shared->draining) &&
           (at = list_pop_front(&s->ready))) {
        struct lane *l = container_of(at, struct lane, ready);
        struct ppg_target *t = lane_pop(l);

        if (t)
            begin(s, l, t);
        lane_settle(s, l); /* back in line, or gone, unless an attempt is under way */
    }
    s->pumping = false;
}

void ppg_schedule_add(struct ppg_schedule *s, struct ppg_target *t)
{
    struct lane *l;

    s->live++;
    if (past_deadline(s, t)) { /* whatever its terminal is up to */
        expire(s, t);
        return;
    }
    l = atomic_load(&s->core->shared->draining) ? NULL : lane_get(s, t->key);
    if (!l || !lane_open(s, l)) {
        give_back(s, t, l ? l->closed_until_ms : ppg_core_utc_ms(s->core), NULL);
        return;
    }
    lane_put(l, t);
    lane_settle(s, l);
    pump(s);
}

static void recall(struct ppg_schedule *s, struct ppg_recall *r)
{
    struct lane *l = map_get(&s->lanes, r->key);
    struct ppg_target *t = l ? lane_find(l, r->id) : NULL;

    r->target = t;
    r->what = l && l->sending && l->sending->id == r->id ? PPG_RECALL_BUSY : PPG_RECALL_ABSENT;
    if (!t)
        return;
    list_remove(&t->link);
    l->waiting_n--;
    s->live--;
    r->what = PPG_RECALL_RELEASED;
    lane_settle(s, l);
}

void ppg_schedule_recall(struct ppg_schedule *s, struct ppg_recall *items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        recall(s, &items[i]);
}

/* --- ends --- */

/* Doubles from retry-first to retry-max, then a random quarter is taken off, so that terminals that vanished
 * together do not return together. */
static int64_t retry_after_ms(const struct ppg_schedule *s, unsigned tries)
{
    const struct ppg_settings *set = ppg_core_settings(s->core);
    int64_t ms = set->delivery.retry_first_ms;
    uint8_t dice = 0;

    for (unsigned i = 1; i < tries && ms < set->delivery.retry_max_ms; i++)
        ms *= 2;
    ms = num_min64(ms, set->delivery.retry_max_ms);
    if (sec_random(&dice, 1))
        dice = 128;
    return ms - ms / 4 * dice / 255;
}

static void lane_close(struct ppg_schedule *s, struct lane *l, int64_t until_ms)
{
    struct ppg_target *t;

    l->closed_until_ms = until_ms;
    while ((t = lane_pop(l)))
        give_back(s, t, until_ms, NULL);
}

static void try_later(struct ppg_schedule *s, struct lane *l, struct ppg_target *t, bool unreachable,
                      const struct store_record *record)
{
    int64_t due = ppg_core_utc_ms(s->core) + retry_after_ms(s, t->tries);

    LOG(s->core->shared->log, LOG_INFO, "target.retry", LOG_S("push_id", t->push->push_id),
        LOG_A("to", t->key), LOG_I("tries", t->tries), LOG_I("in_ms", due - ppg_core_utc_ms(s->core)),
        LOG_S("why", record->note));
    give_back(s, t, due, record);
    if (unreachable)
        lane_close(s, l, due);
}

/* A retry is one only while there are attempts and time left. */
static enum ppg_event settle_retry(const struct ppg_schedule *s, const struct ppg_target *t)
{
    if (past_deadline(s, t))
        return EV_EXPIRE;
    if (t->tries >= ppg_core_settings(s->core)->delivery.tries_max || interrupted(t))
        return EV_TIMEOUT;
    return EV_RETRY;
}

static unsigned code_for(enum ppg_event ev, unsigned code)
{
    if (ev == EV_EXPIRE)
        return PAP_CODE_SERVICE_FAILURE;
    return ev == EV_TIMEOUT ? PAP_CODE_SERVICE_UNAVAILABLE : code;
}

void ppg_schedule_ended(struct ppg_schedule *s, struct ppg_target *t, enum ppg_event ev, unsigned code,
                        bool unreachable, const struct store_record *record)
{
    struct lane *l = map_get(&s->lanes, t->key);

    MUST(l && l->sending == t);
    l->sending = NULL;
    s->sending--;
    if (ev == EV_RETRY)
        ev = settle_retry(s, t);
    if (ev == EV_RETRY)
        try_later(s, l, t, unreachable, record);
    else
        finish(s, t, ev, code_for(ev, code), record);
    if (s->pumping) /* ended from within begin(): pump() settles the lane */
        return;
    lane_settle(s, l);
    pump(s);
}

/* --- time --- */

static void claim(struct ppg_schedule *s);

static void claimed(struct store_op *op)
{
    struct store_claim *cl = container_of(op, struct store_claim, op);
    struct ppg_schedule *s = op->arg;
    struct ppg_shared *shared = s->core->shared;

    s->claiming = false;
    arena_clear(&cl->mem);
    if (op->err) {
        ppg_shared_due(&shared->next_due_ms, ppg_core_utc_ms(s->core) + EXPIRY_SCAN_MS);
        atomic_store(&shared->claiming, false);
        return;
    }
    LIST_EACH (at, &cl->targets) {
        atomic_fetch_add(&shared->live, 1);
        ppg_push_charge(container_of(at, struct ppg_target, link)->push, &shared->live_n);
    }
    if (cl->more)
        ppg_shared_due(&shared->next_due_ms, ppg_core_utc_ms(s->core));
    else if (cl->next_due_ms)
        ppg_shared_due(&shared->next_due_ms, cl->next_due_ms);
    ppg_enqueue_spread(s->core, &cl->targets);
    atomic_store(&shared->claiming, false); /* handed over: who comes now queues behind them */
    claim(s);
}

static void claim(struct ppg_schedule *s)
{
    const struct ppg_settings *set = ppg_core_settings(s->core);
    struct ppg_shared *shared = s->core->shared;
    int64_t now = ppg_core_utc_ms(s->core);
    size_t live = atomic_load(&shared->live);

    if (s->claiming || atomic_load(&shared->draining) || now < atomic_load(&shared->next_due_ms) ||
        live >= set->delivery.live_max || !ppg_shared_room(shared))
        return;
    atomic_store(&shared->claiming, true);
    atomic_store(&shared->next_due_ms, INT64_MAX); /* what comes due meanwhile lowers it again */
    s->claim = (struct store_claim){.now_ms = now,
                                    .max = num_min(set->delivery.claim_max, set->delivery.live_max - live),
                                    .max_n = CLAIM_CONTENT_N};
    s->claim.op.kind = STORE_CLAIM;
    s->claim.op.done = claimed;
    s->claim.op.arg = s;
    list_init(&s->claim.targets);
    s->claiming = true;
    ppg_core_submit(s->core, &s->claim.op);
}

static void lane_expire(struct ppg_schedule *s, struct lane *l)
{
    for (size_t p = 0; p < PRIORITIES; p++)
        LIST_EACH_SAFE (at, &l->waiting[p]) {
            struct ppg_target *t = container_of(at, struct ppg_target, link);

            if (past_deadline(s, t)) {
                list_remove(&t->link);
                l->waiting_n--;
                expire(s, t);
            }
        }
}

static void lanes_scan(struct ppg_schedule *s)
{
    size_t pos = 0;
    struct lane *l;
    bool drain = atomic_load(&s->core->shared->draining);

    while ((l = map_next(&s->lanes, &pos))) {
        lane_expire(s, l);
        if (drain)
            lane_close(s, l, ppg_core_utc_ms(s->core));
        lane_settle(s, l);
    }
}

void ppg_schedule_tick(struct ppg_schedule *s)
{
    int64_t mono = ppg_core_mono_ms(s->core);
    bool drain = atomic_load(&s->core->shared->draining);

    if (drain || mono >= s->scan_mono_ms) {
        s->scan_mono_ms = mono + EXPIRY_SCAN_MS;
        lanes_scan(s);
        write_again(s);
    }
    if (s->core->loop == 0)
        claim(s);
    pump(s);
}

/* --- life --- */

enum err ppg_schedule_create(struct ppg_core *c, struct ppg_schedule **out)
{
    struct ppg_schedule *s = calloc(1, sizeof *s);

    if (!s)
        return ERR_NOMEM;
    s->core = c;
    s->sending_max = num_min(ppg_core_settings(c)->ota_http.connections_max, SENDING_MAX);
    map_init(&s->lanes, LANES_MAX);
    list_init(&s->ready);
    list_init(&s->again);
    *out = s;
    return ERR_OK;
}

void ppg_schedule_free(struct ppg_schedule **sp)
{
    struct ppg_schedule *s = *sp;
    struct lane *l;
    size_t pos = 0;

    if (!s)
        return;
    MUST(s->live == 0 && s->settling == 0 && !s->claiming);
    while ((l = map_next(&s->lanes, &pos)))
        free(l);
    map_clear(&s->lanes);
    while (s->free_settles) {
        struct settle *w = s->free_settles;

        s->free_settles = w->next_free;
        free(w);
    }
    free(s);
    *sp = NULL;
}

size_t ppg_schedule_live(const struct ppg_schedule *s)
{
    return s->live;
}

size_t ppg_schedule_sending(const struct ppg_schedule *s)
{
    return s->sending;
}
