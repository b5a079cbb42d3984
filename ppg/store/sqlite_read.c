/* The operations of the embedded engine that load rows: claims, which lease what they load, and the operator's
 * views.  Loaded data is copied out of SQLite once, into the memory of the push or notice it belongs to.  Not for
 * deciding what is due when; that is schedule.c. */
#include "ppg/store/sqlite.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"

#define TARGET_FIRST_N 256u           /* octets of arena per target: the struct and two short addresses */
#define FIELD_N        32u            /* octets that the arena adds to a text at most */
#define LOADED_MAX_N   (SIZE_MAX / 4) /* our own rows; what was accepted was bounded then */

/* Copies of columns in one arena; the first failure sticks. */
struct load {
    const struct sq_use *u;
    struct arena *mem;
    enum err err;
};

static struct slice load_text(struct load *l, int column)
{
    struct slice out = SLICE_NONE;

    if (!l->err)
        l->err = arena_dup(l->mem, sq_col_bytes(l->u, column), &out);
    return out;
}

/* The columns PUSH_COLUMNS of sqlite_sql.c. */
static enum err load_fields(const struct sq_use *u, struct ppg_push *p)
{
    struct load l = {u, &p->mem, ERR_OK};

    p->id = sq_col(u, 0);
    p->initiator = load_text(&l, 1);
    p->push_id = load_text(&l, 2);
    p->accepted_ms = sq_col(u, 3);
    p->not_before_ms = sq_col(u, 4);
    p->expires_ms = sq_col(u, 5);
    p->flags = (uint32_t)sq_col(u, 6);
    p->version = (uint8_t)sq_col(u, 7);
    p->priority = (uint8_t)sq_col(u, 8);
    p->method = (uint8_t)sq_col(u, 9);
    p->asked = (uint8_t)sq_col(u, 10);
    p->source_ref = load_text(&l, 11);
    p->notify_url = load_text(&l, 12);
    p->network = load_text(&l, 13);
    p->bearer = load_text(&l, 14);
    p->app_id = load_text(&l, 15);
    p->initiator_uri = load_text(&l, 16);
    p->content_type = load_text(&l, 17);
    p->headers = load_text(&l, 18);
    return l.err;
}
enum { COL_TARGETS_N = 19, COL_BODY_N = 20, COL_BODY = 21 };

/* A push with its fields and no content; room for one target is set aside. */
static enum err load_push(const struct sq_use *u, struct ppg_push **out)
{
    static const int texts[] = {1, 2, 11, 12, 13, 14, 15, 16, 17, 18};
    size_t first_n = TARGET_FIRST_N;
    struct ppg_push *p;
    enum err e;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        first_n += sq_col_bytes(u, texts[i]).n + FIELD_N;
    p = ppg_push_create(first_n, LOADED_MAX_N);
    if (!p)
        return ERR_NOMEM;
    e = load_fields(u, p);
    if (e) {
        ppg_push_drop(p);
        return e;
    }
    *out = p;
    return ERR_OK;
}

/* The content gets memory of its own, so that its size does not drive the growth of the arena. */
static enum err load_body(const struct sq_use *u, struct ppg_push *p)
{
    struct slice body = sq_col_bytes(u, COL_BODY);

    buf_init(&p->body_mem, body.n);
    buf_add(&p->body_mem, body);
    p->body = buf_slice(&p->body_mem);
    return buf_err(&p->body_mem);
}

/* A claim under way: the pushes loaded so far, each held once by the map, and the octets of their content. */
struct claim {
    struct sq *q;
    struct store_claim *o;
    struct map pushes; /* key: the octets of ppg_push.id */
    size_t targets_n;
    size_t body_n;
    bool full; /* the next target has no room */
};

static enum err claim_keep(struct claim *c, struct ppg_push *p)
{
    enum err e = map_put(&c->pushes, slice_of(&p->id, sizeof p->id), p);

    if (e)
        ppg_push_drop(p);
    return e;
}

static enum err claim_push(struct claim *c, int64_t id, struct ppg_push **out)
{
    struct sq_use u = sq_use(c->q, SQ_PUSH_GET);
    struct ppg_push *p = map_get(&c->pushes, slice_of(&id, sizeof id));
    size_t body_n;
    enum err e;

    *out = p;
    if (p)
        return ERR_OK;
    sq_i64(&u, id);
    if (!sq_row(&u)) {
        e = sq_done(&u);
        return e ? e : ERR_IO; /* a target without its push: the file is damaged */
    }
    body_n = (size_t)sq_col(&u, COL_BODY_N);
    c->full = c->targets_n > 0 && (c->body_n >= c->o->max_n || body_n > c->o->max_n - c->body_n);
    e = c->full ? ERR_OK : load_push(&u, &p);
    if (p && !e)
        e = load_body(&u, p);
    if (p && e)
        ppg_push_drop(p);
    (void)sq_done(&u);
    if (e || c->full)
        return e;
    c->body_n += body_n;
    *out = p;
    return claim_keep(c, p);
}

/* The columns of SQ_CLAIM. */
static enum err claim_target(struct claim *c, const struct sq_use *u, struct ppg_push *p)
{
    struct load l = {u, &p->mem, ERR_OK};
    struct ppg_target *t = arena_alloc(&p->mem, sizeof *t);

    if (!t)
        return ERR_NOMEM;
    t->id = sq_col(u, 0);
    t->due_ms = sq_col(u, 2);
    t->address = load_text(&l, 3);
    t->key = load_text(&l, 4);
    t->code = (uint16_t)sq_col(u, 5);
    t->tries = (uint16_t)sq_col(u, 6);
    t->demanded = (uint8_t)sq_col(u, 7);
    t->stage = ST_WAITING;
    t->leased = true;
    if (l.err)
        return l.err;
    t->push = ppg_push_hold(p);
    list_push_back(&c->o->targets, &t->link);
    c->targets_n++;
    return ERR_OK;
}

/* Loads what is due, up to the ceilings; one row more than `max` tells whether there was more. */
static enum err claim_load(struct claim *c)
{
    struct sq_use u = sq_use(c->q, SQ_CLAIM);
    struct ppg_push *p = NULL;
    enum err e = ERR_OK;

    sq_i64(&u, c->q->old_target);
    sq_i64(&u, c->o->now_ms);
    sq_i64(&u, (int64_t)num_min(c->o->max, INT32_MAX) + 1);
    while (!e && !c->full && sq_row(&u)) {
        c->full = c->targets_n >= c->o->max;
        if (!c->full)
            e = claim_push(c, sq_col(&u, 1), &p);
        if (!e && !c->full)
            e = claim_target(c, &u, p);
    }
    c->o->more = c->full;
    if (e) {
        (void)sq_done(&u);
        return e;
    }
    return sq_done(&u);
}

static enum err lease(struct sq *q, enum sq_stmt which, int64_t id)
{
    struct sq_use u = sq_use(q, which);

    sq_i64(&u, id);
    sq_i64(&u, q->epoch);
    return sq_exec(&u);
}

/* The earliest due time of the free rows; both groups may be empty (NULL reads as 0). */
static enum err next_due(struct sq *q, enum sq_stmt which, int64_t old, int64_t *out)
{
    struct sq_use u = sq_use(q, which);
    int64_t a = 0;
    int64_t b = 0;
    enum err e;

    sq_i64(&u, old);
    if (sq_row(&u)) {
        a = sq_col(&u, 0);
        b = sq_col(&u, 1);
    }
    e = sq_done(&u);
    if (!e)
        *out = a && b ? num_min64(a, b) : a + b;
    return e;
}

/* On failure what was loaded stays on the list: store.c drops the results of every operation that failed. */
enum err sq_claim(struct sq *q, struct store_claim *o)
{
    struct claim c = {.q = q, .o = o};
    struct ppg_push *p;
    size_t pos = 0;
    enum err e;

    list_init(&o->targets);
    map_init(&c.pushes, SIZE_MAX / 2);
    e = claim_load(&c);
    LIST_EACH (at, &o->targets)
        if (!e)
            e = lease(q, SQ_LEASE, container_of(at, struct ppg_target, link)->id);
    while ((p = map_next(&c.pushes, &pos)))
        ppg_push_drop(p); /* its targets hold it */
    map_clear(&c.pushes);
    return e ? e : next_due(q, SQ_NEXT_DUE, q->old_target, &o->next_due_ms);
}

/* The columns of SQ_NOTICE_CLAIM. */
static enum err load_notice(const struct sq_use *u, struct ppg_notice *n)
{
    struct load l = {u, &n->mem, ERR_OK};

    n->id = sq_col(u, 0);
    n->due_ms = sq_col(u, 1);
    n->tries = (uint16_t)sq_col(u, 2);
    n->initiator = load_text(&l, 3);
    n->push_id = load_text(&l, 4);
    n->url = load_text(&l, 5);
    n->address = load_text(&l, 6);
    n->network = load_text(&l, 7);
    n->bearer = load_text(&l, 8);
    n->flags = (uint32_t)sq_col(u, 9);
    n->version = (uint8_t)sq_col(u, 10);
    n->priority = (uint8_t)sq_col(u, 11);
    n->method = (uint8_t)sq_col(u, 12);
    n->stage = (uint8_t)sq_col(u, 13);
    n->code = (uint16_t)sq_col(u, 14);
    n->accepted_ms = sq_col(u, 15);
    n->event_ms = sq_col(u, 16);
    return l.err;
}

static enum err notice_load(struct store_notice_claim *o, struct sq_use *u)
{
    size_t taken = 0;
    enum err e = ERR_OK;

    while (!e && sq_row(u)) {
        struct ppg_notice *n;

        o->more = taken >= o->max;
        if (o->more)
            break;
        n = ppg_notice_create();
        if (!n)
            return ERR_NOMEM;
        list_push_back(&o->notices, &n->link);
        taken++;
        e = load_notice(u, n);
    }
    return e;
}

enum err sq_notice_claim(struct sq *q, struct store_notice_claim *o)
{
    struct sq_use u = sq_use(q, SQ_NOTICE_CLAIM);
    enum err done;
    enum err e;

    list_init(&o->notices);
    o->more = false;
    sq_i64(&u, q->old_notice);
    sq_i64(&u, o->now_ms);
    sq_i64(&u, (int64_t)num_min(o->max, INT32_MAX) + 1);
    e = notice_load(o, &u);
    done = sq_done(&u);
    if (!e)
        e = done;
    LIST_EACH (at, &o->notices)
        if (!e)
            e = lease(q, SQ_NOTICE_LEASE, container_of(at, struct ppg_notice, link)->id);
    return e ? e : next_due(q, SQ_NOTICE_NEXT_DUE, q->old_notice, &o->next_due_ms);
}

/* The columns of SQ_SHOW_TARGETS. */
static enum err show_target(const struct sq *q, struct load *l, struct store_show_target *t)
{
    t->id = sq_col(l->u, 0);
    t->address = load_text(l, 1);
    t->stage = (enum ppg_stage)sq_col(l->u, 2);
    t->code = (uint16_t)sq_col(l->u, 3);
    t->tries = (uint16_t)sq_col(l->u, 4);
    t->demanded = (uint8_t)sq_col(l->u, 5);
    t->leased = sq_col(l->u, 6) == q->epoch;
    t->due_ms = sq_col(l->u, 7);
    t->event_ms = sq_col(l->u, 8);
    t->notified = (int)sq_col(l->u, 9);
    t->bearer = load_text(l, 10);
    t->protection = load_text(l, 11);
    t->note = load_text(l, 12);
    return l->err;
}

static enum err show_targets(struct sq *q, struct ppg_push *p, size_t targets_n, struct store_show *o)
{
    struct sq_use u = sq_use(q, SQ_SHOW_TARGETS);
    struct load l = {&u, &p->mem, ERR_OK};
    struct store_show_target *t = arena_array(&p->mem, targets_n, sizeof *t);
    size_t n = 0;
    enum err e = t ? ERR_OK : ERR_NOMEM;

    if (e)
        return e;
    sq_i64(&u, p->id);
    sq_i64(&u, (int64_t)targets_n);
    while (!e && n < targets_n && sq_row(&u))
        e = show_target(q, &l, &t[n++]);
    if (e) {
        (void)sq_done(&u);
        return e;
    }
    o->targets = t;
    o->targets_n = n;
    return sq_done(&u);
}

enum err sq_show(struct sq *q, struct store_show *o)
{
    struct sq_use u = sq_use(q, o->initiator.n ? SQ_SHOW_PUSH : SQ_SHOW_PUSH_ANY);
    struct ppg_push *p = NULL;
    size_t targets_n = 0;
    enum err e = ERR_ABSENT;

    sq_text(&u, o->push_id);
    if (o->initiator.n)
        sq_text(&u, o->initiator);
    if (sq_row(&u)) {
        e = load_push(&u, &p);
        targets_n = (size_t)sq_col(&u, COL_TARGETS_N);
        o->body_n = (uint64_t)sq_col(&u, COL_BODY_N);
    }
    if (sq_done(&u) && e == ERR_ABSENT)
        e = u.err;
    if (!e)
        e = show_targets(q, p, targets_n, o);
    if (e)
        ppg_push_drop(p);
    else
        o->push = p;
    return e;
}

enum err sq_count(struct sq *q, struct store_count *o)
{
    struct sq_use leased = sq_use(q, SQ_COUNT_LEASED);
    struct sq_use pages = sq_use(q, SQ_COUNT_PAGES);
    enum err e;

    sq_i64(&leased, q->epoch);
    if (sq_row(&leased))
        o->leased = (uint64_t)sq_col(&leased, 0);
    e = sq_done(&leased);
    if (e)
        return e;
    if (sq_row(&pages))
        o->file_n = (uint64_t)sq_col(&pages, 0);
    e = sq_done(&pages);
    o->waiting = q->tally.open - o->leased;
    o->notices = q->tally.notices;
    return e;
}
