/* The inbox of a terminal: the targets that wait until it calls or fetches them.  Runs on the store's thread. */
#include "ppg/store/sqlite.h"

#include "base/num.h"

#define ITEMS_MAX 10000u /* of one answer, whatever is asked for */

/* The columns of SQ_INBOX. */
static enum err add(struct store_inbox *o, const struct sq_use *u)
{
    struct sq_load l = {u, &o->mem, ERR_OK};
    struct store_inbox_item *i = &o->items[o->items_n];

    i->id = sq_col(u, 0);
    i->accepted_ms = sq_col(u, 1);
    i->expires_ms = sq_col(u, 2);
    i->priority = (uint8_t)sq_col(u, 3);
    i->app_id = sq_load_text(&l, 4);
    i->body_n = (uint64_t)sq_col(u, 5);
    if (!l.err)
        o->items_n++;
    return l.err;
}

enum err sq_inbox(struct sq *q, struct store_inbox *o)
{
    struct sq_use u = sq_use(q, SQ_INBOX);
    size_t max = num_min(o->max, ITEMS_MAX);
    enum err e = ERR_OK, done;

    o->more = false;
    o->items = arena_array(&o->mem, max + 1, sizeof *o->items);
    if (!o->items)
        return ERR_NOMEM;
    sq_text(&u, o->key);
    sq_i64(&u, o->after_id);
    sq_i64(&u, o->now_ms);
    sq_i64(&u, (int64_t)max + 1);
    while (!e && !o->more && sq_row(&u)) {
        o->more = o->items_n == max;
        e = o->more ? ERR_OK : add(o, &u);
    }
    done = sq_done(&u);
    return e ? e : done;
}

bool sq_item_is(struct sq *q, int64_t id, struct slice key, enum err *e)
{
    struct sq_use u = sq_use(q, SQ_ITEM);
    bool is;

    sq_text(&u, key);
    sq_i64(&u, id);
    is = sq_row(&u);
    *e = sq_done(&u);
    return is && !*e;
}

/* The push of a target, with its content; held once. */
static enum err load_push(struct sq *q, int64_t push_row, struct ppg_push **out)
{
    struct sq_use u = sq_use(q, SQ_PUSH_GET);
    struct ppg_push *p = NULL;
    enum err e;

    sq_i64(&u, push_row);
    if (!sq_row(&u)) {
        e = sq_done(&u);
        return e ? e : ERR_IO; /* a target without its push: the file is damaged */
    }
    e = sq_load_push(&u, &p);
    if (!e)
        e = sq_load_body(&u, p);
    (void)sq_done(&u);
    if (e && p)
        ppg_push_drop(p);
    if (!e)
        *out = p;
    return e;
}

enum err sq_item(struct sq *q, struct store_item *o)
{
    struct sq_use u = sq_use(q, SQ_ITEM);
    struct ppg_push *p;
    enum err e;

    sq_text(&u, o->key);
    sq_i64(&u, o->id);
    if (!sq_row(&u)) {
        e = sq_done(&u);
        return e ? e : ERR_ABSENT;
    }
    e = load_push(q, sq_col(&u, 1), &p);
    if (!e) {
        e = p->expires_ms <= o->now_ms ? ERR_ABSENT : sq_load_target(&u, p, &o->target);
        ppg_push_drop(p); /* the target holds it */
    }
    (void)sq_done(&u);
    return e;
}
