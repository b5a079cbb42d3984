/* Writes about targets; see settle.h. */
#include "ppg/settle.h"

#include <stdlib.h>
#include "base/mem.h"
#include "base/num.h"
#include "ppg/notify.h"
#include "ppg/schedule.h"
#include "ppg/stage.h"

struct ppg_settle {
    union {
        struct store_op op;
        struct store_finish finish;
        struct store_move move;
        struct store_notice_move debt;
    } as;
    struct ppg_settles *settles;
    struct ppg_target *target;
    struct list again; /* in settles.handed or settles.refused */
    bool delayed;      /* it has been there */
    struct ppg_settle *next_spare;
    char protection[128]; /* the record's texts, until they are written */
    char note[160];
};

/* NULL: memory. */
static struct ppg_settle *settle_any(struct ppg_settles *s, enum store_kind kind, store_done_fn *done)
{
    struct ppg_settle *w = s->spare;

    if (w)
        s->spare = w->next_spare;
    else
        w = malloc(sizeof *w);
    if (!w)
        return NULL;
    w->as.finish = (struct store_finish){.target_id = 0};
    w->as.op = (struct store_op){.kind = kind, .done = done};
    w->settles = s;
    w->target = NULL;
    list_init(&w->again);
    w->delayed = false;
    s->under_way++;
    return w;
}

static struct ppg_settle *settle_new(struct ppg_settles *s, struct ppg_target *t, enum store_kind kind,
                                     store_done_fn *done)
{
    struct ppg_settle *w = settle_any(s, kind, done);

    if (w)
        w->target = t;
    else
        list_push_back(&s->unwritten, &t->link);
    return w;
}

static void settle_spare(struct ppg_settle *w)
{
    struct ppg_settles *s = w->settles;

    w->next_spare = s->spare;
    s->spare = w;
    s->under_way--;
}

/* Both it and its target leave memory. */
static void settle_over(struct ppg_settle *w)
{
    struct ppg_settles *s = w->settles;

    s->held--;
    ppg_schedule_release(s->core, w->target);
    settle_spare(w);
}

/* The texts of a record live in the write until it is done. */
static void settle_record(struct ppg_settle *w, struct store_record *to, const struct store_record *from)
{
    struct slice protection = slice_sub(from->protection, 0, sizeof w->protection);
    struct slice note = slice_sub(from->note, 0, sizeof w->note);

    mem_copy(w->protection, sizeof w->protection, protection);
    mem_copy(w->note, sizeof w->note, note);
    to->bearer = from->bearer; /* a bearer's static name */
    to->protection = slice_of(w->protection, protection.n);
    to->note = slice_of(w->note, note.n);
    to->began_ms = from->began_ms;
    to->wire_n = from->wire_n;
}

/* The store could not write (a full disk).  The target stays in memory, where it is bounded, and the write is tried
 * again; should the program end before, its lease ends too and the next run takes the target up. */
static bool refused(struct ppg_settle *w)
{
    struct ppg_settles *s = w->settles;

    if (!w->as.op.err || w->as.op.err == ERR_LATE)
        return false;
    LOG(s->core->shared->log, LOG_ERROR, "target.unrecorded", LOG_S("push_id", w->target->push->push_id),
        LOG_I("target", w->target->id), LOG_C("error", err_name(w->as.op.err)));
    if (atomic_load(&s->core->shared->draining))
        return false;
    w->delayed = true;
    list_push_back(&s->refused, &w->again);
    return true;
}

static void log_final(const struct ppg_settle *w)
{
    const struct ppg_target *t = w->target;

    LOG(w->settles->core->shared->log, LOG_INFO, "target.final", LOG_S("push_id", t->push->push_id),
        LOG_S("initiator", t->push->initiator), LOG_A("to", t->key),
        LOG_C("stage", ppg_stage_name((enum ppg_stage)t->stage)), LOG_I("code", t->code),
        LOG_I("tries", t->tries));
}

static void debt_back(struct store_op *op)
{
    struct ppg_settle *w = container_of(op, struct ppg_settle, as.op);

    if (refused(w))
        return;
    ppg_shared_due(&w->settles->core->shared->next_notice_ms, w->as.debt.due_ms);
    settle_over(w);
}

/* The debt is on disk and leased to this run.  What notify.c does not take now goes back in this very write's memory,
 * so that no lease is held for want of some.  True: the write is under way again.  A group's debt waits unleased. */
static bool owe(struct ppg_settle *w)
{
    struct ppg_core *c = w->settles->core;
    const struct store_finish *f = &w->as.finish;
    struct store_notice_move back = {.notice_id = f->notice_id};

    if (f->group_ended)
        ppg_shared_due(&c->shared->next_notice_ms, f->event_ms);
    if (!f->notice_id || ppg_notify_owe(c->notify, w->target, f->notice_id, f->event_ms, &back.due_ms))
        return false;
    back.op = (struct store_op){.kind = STORE_NOTICE_MOVE, .done = debt_back};
    w->as.debt = back;
    ppg_core_submit(c, &w->as.op);
    return true;
}

static void finished(struct store_op *op)
{
    struct ppg_settle *w = container_of(op, struct ppg_settle, as.op);

    if (refused(w))
        return;
    if (!op->err) {
        log_final(w);
        ppg_stats_final(&w->settles->core->stats, w->target->push, (enum ppg_stage)w->target->stage,
                        w->as.finish.event_ms);
        if (owe(w))
            return;
    }
    settle_over(w);
}

static void moved(struct store_op *op)
{
    struct ppg_settle *w = container_of(op, struct ppg_settle, as.op);

    if (refused(w))
        return;
    if (!op->err)
        ppg_shared_due(&w->target->push->share->next_due_ms, w->as.move.due_ms);
    /* Its terminal may have called while it could not be written, and found nothing. */
    if (!op->err && w->delayed && w->as.move.by_call)
        ppg_schedule_called(w->settles->core->schedule, w->target->key);
    if (!op->err && w->as.move.by_call)
        atomic_fetch_add(ppg_shared_bell(w->settles->core->shared, w->target->key), 1);
    settle_over(w);
}

void ppg_settle_finish(struct ppg_settles *s, struct ppg_target *t, const struct store_record *record)
{
    struct ppg_settle *w = settle_new(s, t, STORE_FINISH, finished);
    struct store_finish *f;

    if (!w)
        return;
    f = &w->as.finish;
    f->target_id = t->id;
    f->push_id = t->push->id;
    f->initiator = t->push->initiator;
    f->group_id = t->group_id;
    f->stage = (enum ppg_stage)t->stage;
    f->code = t->code;
    f->tries = t->tries;
    f->event_ms = ppg_core_utc_ms(s->core);
    f->notify = t->push->notify_url.n > 0;
    if (record)
        settle_record(w, &f->record, record);
    ppg_core_submit(s->core, &f->op);
}

void ppg_settle_move(struct ppg_settles *s, struct ppg_target *t, const struct store_record *record)
{
    struct ppg_settle *w = settle_new(s, t, STORE_MOVE, moved);
    struct store_move *m;

    if (!w)
        return;
    m = &w->as.move;
    m->target_id = t->id;
    m->due_ms = num_min64(t->due_ms, t->push->expires_ms);
    m->tries = t->tries;
    m->by_call = t->by_call;
    if (record)
        settle_record(w, &m->record, record);
    list_push_back(&s->handed, &w->again);
    ppg_core_submit(s->core, &m->op);
}

/* Before it is durable, and again then: a new target that comes in between must not overtake it.  Not before it is handed
 * over, for a claim that misses it would forget it. */
void ppg_settle_flushed(struct ppg_settles *s)
{
    struct list *at;

    while ((at = list_pop_front(&s->handed))) {
        const struct ppg_settle *w = container_of(at, struct ppg_settle, again);

        ppg_shared_due(&w->target->push->share->next_due_ms, w->as.move.due_ms);
    }
}

static void noted(struct store_op *op)
{
    struct ppg_settle *w = container_of(op, struct ppg_settle, as.op);

    if (op->err)
        LOG(w->settles->core->shared->log, LOG_WARN, "attempt.unrecorded",
            LOG_I("target", w->as.move.target_id), LOG_C("error", err_name(op->err)));
    settle_spare(w);
}

void ppg_settle_note(struct ppg_settles *s, const struct ppg_target *t, const struct store_record *record)
{
    struct ppg_settle *w = settle_any(s, STORE_MOVE, noted);
    struct store_move *m;

    if (!w)
        return;
    m = &w->as.move;
    m->target_id = t->id;
    m->due_ms = t->due_ms;
    m->tries = t->tries;
    m->keep = true;
    settle_record(w, &m->record, record);
    ppg_core_submit(s->core, &m->op);
    ppg_core_flush(s->core);
}

static void write_unwritten(struct ppg_settles *s)
{
    struct list now, *at;

    list_init(&now);
    list_splice_back(&now, &s->unwritten);
    while ((at = list_pop_front(&now))) {
        struct ppg_target *t = container_of(at, struct ppg_target, link);

        if (atomic_load(&s->core->shared->draining)) {
            s->held--;
            ppg_schedule_release(s->core, t);
        } else if (ppg_stage_final((enum ppg_stage)t->stage)) {
            ppg_settle_finish(s, t, NULL);
        } else {
            ppg_settle_move(s, t, NULL);
        }
    }
}

void ppg_settle_again(struct ppg_settles *s)
{
    struct list *at;

    while ((at = list_pop_front(&s->refused))) {
        struct ppg_settle *w = container_of(at, struct ppg_settle, again);

        if (w->as.op.kind == STORE_MOVE)
            list_push_back(&s->handed, &w->again);
        ppg_core_submit(s->core, &w->as.op);
    }
    write_unwritten(s);
}

void ppg_settles_init(struct ppg_settles *s, struct ppg_core *c)
{
    *s = (struct ppg_settles){.core = c};
    list_init(&s->handed);
    list_init(&s->refused);
    list_init(&s->unwritten);
}

void ppg_settles_clear(struct ppg_settles *s)
{
    struct ppg_settle *w;

    MUST(s->held == 0 && s->under_way == 0);
    while ((w = s->spare)) {
        s->spare = w->next_spare;
        free(w);
    }
}
