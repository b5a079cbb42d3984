/* Turns, deadlines and retries; see schedule.h.  Who stands where is lanes.c, what is away in the store away.c, writes
 * are settle.c, claims claim.c.  Runs on the core's loop.  [PAP §4.1, §7], delivery contract in the README of this
 * room. */
#include "ppg/schedule.h"

#include <stdlib.h>
#include "base/mem.h"
#include "base/num.h"
#include "ppg/claim.h"
#include "ppg/deliver.h"
#include "ppg/lanes.h"
#include "ppg/settle.h"
#include "ppg/doors/wake.h"

#define SENDING_MAX   4096u  /* attempts under way on one core, at most */
#define IDLE_LANES    65536u /* terminals that are only remembered, beside those with targets in memory */
#define QUEUE_MAX     256u   /* targets of one initiator, terminal and priority that wait in memory */
#define SCAN_MS       1000   /* queued targets are looked at for expiry so often */
#define STEP_MIN_MS   50     /* a batch of a long queue comes back after that, at the earliest */
#define STEP_MAX_MS   4000   /* and after that, at the latest: 960 targets a minute */
#define KEEP_MS       5000   /* what was away is remembered so much longer */
#define ABSENT_MS     3600000 /* a terminal that must call in is looked for so often, should its call be missed */
#define CLOCK_BACK_MS 1000 /* a clock that falls behind by more was set back */

struct ppg_schedule {
    struct ppg_core *core;
    struct ppg_lanes lanes;
    struct ppg_settles settles;
    struct ppg_claim claim; /* of core 0 */
    bool pumping;
    int64_t scan_mono_ms;
    int64_t early_ms; /* UTC: the first of the early targets is due; INT64_MAX none */
    int64_t clock_ms; /* between the two clocks, as last seen */
};

/* --- ends --- */

static void finish(struct ppg_schedule *s, struct ppg_target *t, enum ppg_event ev, unsigned code,
                   const struct store_record *record)
{
    enum ppg_stage to;

    MUST(!ppg_stage_next((enum ppg_stage)t->stage, ev, &to) && ppg_stage_final(to));
    t->stage = (uint8_t)to;
    t->code = (uint16_t)code;
    ppg_settle_finish(&s->settles, t, record);
}

static void expire(struct ppg_schedule *s, struct ppg_target *t)
{
    const struct store_record record = {.note = SLICE("deadline reached before delivery")};

    finish(s, t, EV_EXPIRE, PAP_CODE_SERVICE_FAILURE, t->tries ? NULL : &record);
}

static bool past_deadline(const struct ppg_target *t, int64_t now)
{
    return t->push->expires_ms <= now;
}

/* An unconfirmed push is tried once; one that was begun before a crash is not begun again. */
static bool interrupted(const struct ppg_target *t)
{
    return t->push->method == PPG_METHOD_UNCONFIRMED && t->tries > 0;
}

/* --- away --- */

static bool lane_closed(const struct ppg_lane *lane, int64_t now)
{
    return lane->closed_until_ms > now;
}

/* How fast a queue that is longer than memory takes comes back: as fast as its terminal serves it, within bounds. */
static int64_t step_ms(const struct ppg_lane *lane, int64_t now)
{
    int64_t batch_ms = lane->took_ms * PPG_AWAY_BATCH;

    return lane_closed(lane, now) ? STEP_MAX_MS : num_min64(num_max64(batch_ms, STEP_MIN_MS), STEP_MAX_MS);
}

/* To the store until at least not_before_ms, at its place among those that are there. */
static void send_away(struct ppg_schedule *s, struct ppg_stand *st, struct ppg_target *t,
                      int64_t not_before_ms, const struct store_record *record)
{
    struct ppg_away *a = &ppg_stand_queue(st, t)->away;
    int64_t now = ppg_core_utc_ms(s->core);
    int64_t until = num_max64(not_before_ms, ppg_away_soonest(now));

    t->stage = ST_WAITING;
    t->by_call = st->lane->by_call;
    st->lane->wake_again |= st->lane->waking && t->by_call;
    t->due_ms = ppg_away_send(a, t->due_ms, t->id, until, step_ms(st->lane, now));
    ppg_settle_move(&s->settles, t, record);
}

static void queue_send_away(struct ppg_schedule *s, struct ppg_stand *st, struct ppg_queue *q,
                            int64_t not_before_ms)
{
    while (!list_empty(&q->waiting)) {
        struct ppg_target *t = container_of(q->waiting.next, struct ppg_target, link);

        ppg_lanes_take(&s->lanes, t);
        send_away(s, st, t, not_before_ms, NULL);
    }
}

/* An unreachable terminal: all that waits for it goes. */
static void lane_close(struct ppg_schedule *s, struct ppg_lane *lane, int64_t until_ms)
{
    lane->closed_until_ms = until_ms;
    LIST_EACH (at, &lane->stands) {
        struct ppg_stand *st = container_of(at, struct ppg_stand, at_lane);

        for (size_t p = 0; p < PPG_PRIORITIES; p++)
            queue_send_away(s, st, &st->queues[p], until_ms);
    }
}

static void lane_open(struct ppg_lane *lane)
{
    lane->closed_until_ms = 0;
    LIST_EACH (at, &lane->stands) {
        struct ppg_stand *st = container_of(at, struct ppg_stand, at_lane);

        for (size_t p = 0; p < PPG_PRIORITIES; p++)
            st->queues[p].away = (struct ppg_away){.steps_n = 0};
    }
}

/* Forgets what lanes remember of targets that are away; it may cost those their order. */
static void lanes_forget(struct ppg_schedule *s)
{
    struct ppg_lane *lane;
    size_t pos = 0;

    while ((lane = map_next(&s->lanes.lanes, &pos)))
        lane_open(lane);
}

/* A due time that was set by a clock that has been set back since says nothing: nobody waits for it. */
static void clock_look(struct ppg_schedule *s)
{
    int64_t between = ppg_core_utc_ms(s->core) - ppg_core_mono_ms(s->core);

    if (between < s->clock_ms - CLOCK_BACK_MS)
        lanes_forget(s);
    s->clock_ms = between;
}

/* --- turns --- */

static void begin(struct ppg_schedule *s, struct ppg_target *t)
{
    struct ppg_stand *st = t->stand;
    enum ppg_stage to;

    if (past_deadline(t, ppg_core_utc_ms(s->core)) || interrupted(t)) {
        ppg_lanes_ended(&s->lanes, t);
        ppg_lanes_tidy(&s->lanes, st);
        if (past_deadline(t, ppg_core_utc_ms(s->core)))
            expire(s, t);
        else
            finish(s, t, EV_TIMEOUT, PAP_CODE_SERVICE_UNAVAILABLE, NULL);
        return;
    }
    MUST(!ppg_stage_next((enum ppg_stage)t->stage, EV_DUE, &to));
    t->stage = (uint8_t)to;
    t->tries++;
    st->lane->began_ms = st->waiting_n >= PPG_AWAY_BATCH ? ppg_core_mono_ms(s->core) : 0;
    ppg_deliver_start(s->core->deliver, t);
}

static void pump(struct ppg_schedule *s)
{
    struct ppg_target *t;

    if (s->pumping)
        return;
    s->pumping = true;
    while (!atomic_load(&s->core->shared->draining) && (t = ppg_lanes_next(&s->lanes)))
        begin(s, t);
    s->pumping = false;
}

/* Longer than may wait in memory; but an older one goes in front of what waits. */
static bool queue_full(const struct ppg_queue *q, const struct ppg_target *t)
{
    return q->n >= QUEUE_MAX && container_of(q->waiting.prev, struct ppg_target, link)->id < t->id;
}

/* Its initiator put it off, so it never stood among those that are away: older ones may be there that come back later. */
static bool was_put_off(const struct ppg_queue *q, const struct ppg_target *t)
{
    return t->tries == 0 && t->due_ms == t->push->not_before_ms && t->id < q->away.last.id &&
           t->due_ms < q->away.last.due_ms;
}

/* It is due.  Into its queue, or to the store when its terminal rests or older ones are there. */
static void arrive(struct ppg_schedule *s, struct ppg_stand *st, struct ppg_target *t, int64_t now)
{
    struct ppg_queue *q = ppg_stand_queue(st, t);

    if (st->lane->closed_until_ms || ppg_away_any(&q->away))
        clock_look(s);
    if (q->busy_id == t->id)
        t->busy = q->busy_n;
    if (st->lane->by_call && lane_closed(st->lane, now))
        ppg_wake(s->core->wake, t->key, t->push->app_id);
    if (was_put_off(q, t)) {
        send_away(s, st, t, q->away.last.due_ms, NULL);
        return;
    }
    if (ppg_away_behind(&q->away, t->due_ms, t->id) || lane_closed(st->lane, now) || queue_full(q, t))
        send_away(s, st, t, st->lane->closed_until_ms, NULL);
    else
        ppg_lanes_put(&s->lanes, st, t);
}

/* A claim that looks ahead brought it: it stands where it belongs, and younger ones queue behind it unless it waits
 * because its initiator wanted it to. */
static void arrive_early(struct ppg_schedule *s, struct ppg_stand *st, struct ppg_target *t)
{
    struct ppg_queue *q = ppg_stand_queue(st, t);
    bool deferred = t->tries == 0 && t->due_ms == t->push->not_before_ms;

    if (!deferred)
        ppg_away_note(&q->away, t->due_ms, t->id);
    t->early = true;
    t->stand = st;
    list_push_back(&st->early, &t->link);
    s->early_ms = num_min64(s->early_ms, t->due_ms);
}

/* The early ones that are due now. */
static void stand_wake(struct ppg_schedule *s, struct ppg_stand *st, int64_t now)
{
    LIST_EACH_SAFE (at, &st->early) {
        struct ppg_target *t = container_of(at, struct ppg_target, link);

        if (t->due_ms > now) {
            s->early_ms = num_min64(s->early_ms, t->due_ms);
            continue;
        }
        ppg_lanes_take(&s->lanes, t);
        t->early = false;
        arrive(s, st, t, now);
    }
}

/* --- retries --- */

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

/* What is behind it waits with it: all of the terminal, or its own queue. */
static void try_later(struct ppg_schedule *s, struct ppg_target *t, bool unreachable,
                      const struct store_record *record)
{
    struct ppg_stand *st = t->stand;
    struct ppg_queue *q = ppg_stand_queue(st, t);
    int64_t due = ppg_core_utc_ms(s->core) + num_max64(retry_after_ms(s, t->tries), record->pause_ms);

    LOG(s->core->shared->log, LOG_INFO, "target.retry", LOG_S("push_id", t->push->push_id),
        LOG_A("to", t->key), LOG_I("tries", t->tries), LOG_I("in_ms", due - ppg_core_utc_ms(s->core)),
        LOG_S("why", record->note));
    q->busy_id = t->id;
    q->busy_n = t->busy;
    st->lane->by_call = t->by_call;
    send_away(s, st, t, due, record);
    if (unreachable)
        lane_close(s, st->lane, due);
    else
        queue_send_away(s, st, q, due);
}

/* A retry is one only while there are attempts and time left. */
static enum ppg_event settle_retry(const struct ppg_schedule *s, const struct ppg_target *t)
{
    if (past_deadline(t, ppg_core_utc_ms(s->core)))
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

static void lane_pace(struct ppg_schedule *s, struct ppg_lane *lane)
{
    int64_t took = lane->began_ms ? ppg_core_mono_ms(s->core) - lane->began_ms : 0;

    if (lane->began_ms)
        lane->took_ms = lane->took_ms ? (3 * lane->took_ms + took) / 4 : took;
}

void ppg_schedule_ended(struct ppg_schedule *s, struct ppg_target *t, enum ppg_event ev, unsigned code,
                        bool unreachable, const struct store_record *record)
{
    struct ppg_stand *st = t->stand;

    lane_pace(s, st->lane);
    if (ev == EV_RETRY)
        ev = settle_retry(s, t);
    ppg_lanes_ended(&s->lanes, t);
    if (ev == EV_RETRY)
        try_later(s, t, unreachable, record);
    else
        finish(s, t, ev, code_for(ev, code), record);
    ppg_lanes_tidy(&s->lanes, st);
    pump(s);
}

/* --- terminals that call in --- */

void ppg_schedule_absent(struct ppg_schedule *s, struct ppg_target *t)
{
    struct ppg_stand *st = t->stand;
    int64_t until = ppg_core_utc_ms(s->core) + ABSENT_MS;

    LOG(s->core->shared->log, LOG_INFO, "target.absent", LOG_S("push_id", t->push->push_id),
        LOG_A("to", t->key));
    t->tries--;
    ppg_lanes_ended(&s->lanes, t);
    st->lane->by_call = true;
    send_away(s, st, t, until, NULL);
    lane_close(s, st->lane, until);
    ppg_lanes_tidy(&s->lanes, st);
    pump(s);
}

void ppg_schedule_parked(struct ppg_schedule *s, struct ppg_target *t, const struct store_record *record)
{
    struct ppg_stand *st = t->stand;

    LOG(s->core->shared->log, LOG_INFO, "target.parked", LOG_S("push_id", t->push->push_id),
        LOG_A("to", t->key), LOG_B("told", record->began_ms != 0));
    /* Of one that may be begun only once nothing is begun yet. */
    if (!record->began_ms || t->push->method == PPG_METHOD_UNCONFIRMED)
        t->tries--;
    ppg_lanes_ended(&s->lanes, t);
    t->stage = ST_WAITING;
    t->by_call = true;
    t->due_ms = t->push->expires_ms;
    ppg_settle_move(&s->settles, t, record);
    ppg_lanes_tidy(&s->lanes, st);
    pump(s);
}

/* What wakes the targets of one terminal. */
struct wake {
    struct store_wake op;
    struct ppg_schedule *schedule;
    size_t key_n;
    char key[];
};

static void woken(struct store_op *op);

static void wake_submit(struct wake *w)
{
    w->op =
        (struct store_wake){.key = slice_of(w->key, w->key_n), .due_ms = ppg_core_utc_ms(w->schedule->core)};
    w->op.op.kind = STORE_WAKE;
    w->op.op.done = woken;
    ppg_core_submit(w->schedule->core, &w->op.op);
}

/* The lane stays closed until the last is woken, so that nothing younger overtakes them. */
static void woken(struct store_op *op)
{
    struct wake *w = container_of(op, struct wake, op.op);
    struct ppg_schedule *s = w->schedule;
    struct ppg_lane *lane = ppg_lanes_find(&s->lanes, w->op.key);
    bool again = !op->err && (w->op.more || (lane && lane->wake_again));

    if (!op->err) {
        for (size_t i = 0; i < w->op.initiators_n; i++)
            ppg_shared_due(&ppg_shared_share(s->core->shared, w->op.initiators[i])->next_due_ms,
                           w->op.due_ms);
        arena_clear(&w->op.mem);
    }
    if (lane)
        lane->wake_again = false;
    if (again) {
        wake_submit(w);
        return;
    }
    if (lane) {
        lane->waking = false;
        lane_open(lane);
    }
    free(w);
    pump(s);
}

void ppg_schedule_called(struct ppg_schedule *s, struct slice key)
{
    struct ppg_lane *lane = ppg_lanes_find(&s->lanes, key);
    struct wake *w;

    if (atomic_load(&s->core->shared->draining))
        return;
    if (lane && lane->waking) {
        lane->wake_again = true;
        return;
    }
    w = calloc(1, sizeof *w + key.n);
    if (!w)
        return; /* they wait for ABSENT_MS */
    w->schedule = s;
    w->key_n = key.n;
    mem_copy(w->key, key.n, key);
    if (lane)
        lane->waking = true;
    wake_submit(w);
}

void ppg_schedule_look(const struct ppg_schedule *s, struct slice key, struct ppg_schedule_place *out)
{
    const struct ppg_lane *lane = ppg_lanes_find(&s->lanes, key);

    *out = (struct ppg_schedule_place){.waiting = 0};
    if (!lane)
        return;
    out->sending = lane->sending != NULL;
    if (lane_closed(lane, ppg_core_utc_ms(s->core)))
        out->closed_until_ms = lane->closed_until_ms;
    LIST_EACH (at, &lane->stands)
        out->waiting += container_of(at, struct ppg_stand, at_lane)->waiting_n;
}

/* --- recall --- */

static struct ppg_target *list_find(struct list *head, int64_t id)
{
    LIST_EACH (at, head) {
        struct ppg_target *t = container_of(at, struct ppg_target, link);

        if (t->id == id)
            return t;
    }
    return NULL;
}

static struct ppg_target *lane_find(struct ppg_lane *lane, int64_t id)
{
    struct ppg_target *t = NULL;

    LIST_EACH (at, &lane->stands) {
        struct ppg_stand *st = container_of(at, struct ppg_stand, at_lane);

        t = list_find(&st->early, id);
        for (size_t p = 0; !t && p < PPG_PRIORITIES; p++)
            t = list_find(&st->queues[p].waiting, id);
        if (t)
            break;
    }
    return t;
}

void ppg_schedule_withdrawn(struct ppg_schedule *s, struct ppg_target *t, const struct store_record *record)
{
    ppg_settle_note(&s->settles, t, record);
    ppg_lanes_ended(&s->lanes, t);
    t->stage = ST_WAITING;
    t->tries--;
}

static void recall(struct ppg_schedule *s, struct ppg_recall *r)
{
    struct ppg_lane *lane = ppg_lanes_find(&s->lanes, r->key);
    struct ppg_target *t = lane ? lane_find(lane, r->id) : NULL;
    struct ppg_target *sending = lane && lane->sending && lane->sending->id == r->id ? lane->sending : NULL;

    r->target = NULL;
    r->what = sending ? PPG_RECALL_BUSY : PPG_RECALL_ABSENT;
    if (t)
        ppg_lanes_take(&s->lanes, t);
    else if (sending && ppg_deliver_withdraw(s->core->deliver, sending))
        t = sending;
    if (!t)
        return;
    ppg_lanes_tidy(&s->lanes, t->stand);
    t->stand = NULL;
    s->settles.held--;
    r->target = t;
    r->what = PPG_RECALL_RELEASED;
}

/* What stands behind one that was withdrawn begins with the next tick: should the store refuse, it is back in its place by then. */
void ppg_schedule_recall(struct ppg_schedule *s, struct ppg_recall *items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        recall(s, &items[i]);
}

void ppg_schedule_release(struct ppg_core *c, struct ppg_target *t)
{
    atomic_fetch_sub(&c->shared->live, 1);
    atomic_fetch_sub(&t->push->share->live, 1);
    ppg_push_drop(t->push);
}

/* --- time --- */

/* Those that are past their deadline end; when draining all the others go as they are. */
static void list_scan(struct ppg_schedule *s, struct list *head, int64_t now, bool drain)
{
    LIST_EACH_SAFE (at, head) {
        struct ppg_target *t = container_of(at, struct ppg_target, link);

        if (!drain && !past_deadline(t, now))
            continue;
        ppg_lanes_take(&s->lanes, t);
        if (past_deadline(t, now))
            expire(s, t);
        else
            ppg_settle_move(&s->settles, t, NULL);
    }
}

/* What was away has come back, or would have: nothing of its initiator that is due by then is left in the store. */
static void queue_scan(const struct ppg_stand *st, struct ppg_queue *q, int64_t now)
{
    if (ppg_away_any(&q->away) && now > q->away.last.due_ms + KEEP_MS &&
        !ppg_share_behind(st->line->share, q->away.last.due_ms))
        q->away = (struct ppg_away){.steps_n = 0};
}

static void lane_scan(struct ppg_schedule *s, struct ppg_lane *lane, bool drain)
{
    int64_t now = ppg_core_utc_ms(s->core);
    struct list *at = lane->stands.next;
    bool more = at != &lane->stands;

    if (!lane_closed(lane, now))
        lane->closed_until_ms = 0;
    while (more) { /* the last stand may take the lane with it */
        struct ppg_stand *st = container_of(at, struct ppg_stand, at_lane);

        at = at->next;
        more = at != &lane->stands;
        list_scan(s, &st->early, now, drain);
        for (size_t p = 0; p < PPG_PRIORITIES; p++) {
            list_scan(s, &st->queues[p].waiting, now, drain);
            queue_scan(st, &st->queues[p], now);
        }
        ppg_lanes_tidy(&s->lanes, st);
    }
}

static void lanes_scan(struct ppg_schedule *s, bool drain)
{
    size_t pos = 0;
    struct ppg_lane *lane;

    while ((lane = map_next(&s->lanes.lanes, &pos)))
        lane_scan(s, lane, drain);
    ppg_lanes_sweep(&s->lanes);
}

static void early_scan(struct ppg_schedule *s)
{
    int64_t now = ppg_core_utc_ms(s->core);
    struct ppg_lane *lane;
    size_t pos = 0;

    if (s->early_ms > now)
        return;
    s->early_ms = INT64_MAX;
    while ((lane = map_next(&s->lanes.lanes, &pos)))
        LIST_EACH (at, &lane->stands)
            stand_wake(s, container_of(at, struct ppg_stand, at_lane), now);
}

/* When there is no place for more terminals, those are forgotten that nothing waits for.  NULL: there is none still. */
static struct ppg_stand *stand_of(struct ppg_schedule *s, struct ppg_target *t)
{
    struct ppg_stand *st;
    enum err e = ppg_lanes_stand(&s->lanes, t, &st);

    if (e == ERR_LIMIT) {
        lanes_forget(s);
        lanes_scan(s, false);
        e = ppg_lanes_stand(&s->lanes, t, &st);
    }
    return e ? NULL : st;
}

void ppg_schedule_add(struct ppg_schedule *s, struct ppg_target *t)
{
    int64_t now = ppg_core_utc_ms(s->core);
    struct ppg_stand *st;

    s->settles.held++;
    t->early = false;
    if (past_deadline(t, now)) { /* whatever its terminal is up to */
        expire(s, t);
        return;
    }
    if (atomic_load(&s->core->shared->draining)) {
        ppg_settle_move(&s->settles, t, NULL);
        return;
    }
    st = stand_of(s, t);
    if (!st) {
        t->due_ms = now + ppg_core_settings(s->core)->delivery.retry_first_ms;
        ppg_settle_move(&s->settles, t, NULL);
        return;
    }
    if (!list_empty(&st->early))
        stand_wake(s, st, now);
    if (t->due_ms > now)
        arrive_early(s, st, t);
    else
        arrive(s, st, t, now);
    ppg_lanes_tidy(&s->lanes, st);
    pump(s);
}

void ppg_schedule_tick(struct ppg_schedule *s)
{
    int64_t mono = ppg_core_mono_ms(s->core);
    bool drain = atomic_load(&s->core->shared->draining);

    clock_look(s);
    early_scan(s);
    if (drain || mono >= s->scan_mono_ms) {
        s->scan_mono_ms = mono + SCAN_MS;
        lanes_scan(s, drain);
        ppg_settle_again(&s->settles);
    }
    if (s->core->loop == 0)
        ppg_claim_tick(&s->claim);
    pump(s);
}

void ppg_schedule_flushed(struct ppg_schedule *s)
{
    ppg_settle_flushed(&s->settles);
}

/* --- life --- */

enum err ppg_schedule_create(struct ppg_core *c, struct ppg_schedule **out)
{
    const struct ppg_settings *set = ppg_core_settings(c);
    struct ppg_schedule *s = calloc(1, sizeof *s);

    if (!s)
        return ERR_NOMEM;
    s->core = c;
    s->early_ms = INT64_MAX;
    s->clock_ms = ppg_core_utc_ms(c) - ppg_core_mono_ms(c);
    /* An attempt takes a connection at most: none must fail for want of one. */
    ppg_lanes_init(&s->lanes, set->delivery.live_max + IDLE_LANES,
                   num_min(set->ota_http.connections_max, SENDING_MAX));
    ppg_settles_init(&s->settles, c);
    ppg_claim_init(&s->claim, c);
    *out = s;
    return ERR_OK;
}

void ppg_schedule_free(struct ppg_schedule **sp)
{
    struct ppg_schedule *s = *sp;

    if (!s)
        return;
    MUST(!s->claim.under_way);
    ppg_settles_clear(&s->settles);
    ppg_lanes_clear(&s->lanes);
    free(s);
    *sp = NULL;
}

size_t ppg_schedule_live(const struct ppg_schedule *s)
{
    return s->settles.held;
}

size_t ppg_schedule_sending(const struct ppg_schedule *s)
{
    return s->lanes.sending;
}
