/* Cancelling what waits of a push, by itself or for the push that replaces it.  First everything is looked at, then
 * answered, and only then written: when a loop holds something of what is asked for, nothing has changed.  A group is
 * looked at through its members.  Runs on the store's thread.  [PAP §8.3, §4.1] */
#include "ppg/store/sqlite.h"

#define CODE_CANCELLED 1000 /* of a target that was cancelled */

/* What was found out about one target; beside its struct sq_target. */
struct look {
    struct look *group;  /* of a member */
    struct look *same;   /* another target with this key */
    int64_t cancelled_n; /* of a group: members that are cancelled */
    enum store_cancel_what what;
    bool listed; /* asked for; a member through its group */
};

struct sq_cancel {
    struct sq *q;
    struct store_cancel *o;
    const struct slice *keys;
    size_t keys_n;
    struct sq_push push;
    struct sq_target *rows;
    struct look *looks;
    size_t rows_n;
};

static bool among(const int64_t *ids, size_t n, int64_t id)
{
    while (n > 0) {
        size_t half = n / 2;

        if (ids[half] == id)
            return true;
        if (ids[half] < id) {
            ids += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return false;
}

static enum store_cancel_what look_at(const struct store_cancel *o, const struct sq_target *t)
{
    if (ppg_stage_final(t->stage))
        return STORE_CANCEL_LATE;
    if (!t->held || among(o->released, o->released_n, t->id))
        return STORE_CANCEL_DONE;
    if (o->force || among(o->busy, o->busy_n, t->id))
        return STORE_CANCEL_LATE;
    return STORE_CANCEL_HELD;
}

/* A group is late until one of its members can be cancelled. */
static void look_all(struct sq_cancel *c)
{
    struct look *group = NULL;

    for (size_t i = 0; i < c->rows_n; i++) {
        const struct sq_target *t = &c->rows[i];
        struct look *k = &c->looks[i];

        if (t->members_n) {
            group = k;
            k->what = STORE_CANCEL_LATE;
            continue;
        }
        k->what = look_at(c->o, t);
        k->group = t->group_id ? group : NULL;
        if (k->group && k->what == STORE_CANCEL_DONE)
            k->group->what = STORE_CANCEL_DONE;
    }
}

/* Recipients by key: the first of each in the map, others of the same key behind it in order.  Members are nobody's
 * to name. */
static enum err keys_index(struct sq_cancel *c, struct map *by_key)
{
    enum err e = ERR_OK;

    for (size_t i = c->rows_n; !e && i-- > 0;) {
        if (c->rows[i].group_id)
            continue;
        c->looks[i].same = map_del(by_key, c->rows[i].key);
        e = map_put(by_key, c->rows[i].key, &c->looks[i]);
    }
    return e;
}

static void list_keys(const struct sq_cancel *c, const struct map *by_key)
{
    for (size_t i = 0; i < c->keys_n; i++)
        for (struct look *k = map_get(by_key, c->keys[i]); k && !k->listed; k = k->same)
            k->listed = true;
}

/* Who is asked for; true when a loop holds one of them. */
static bool list_all(struct sq_cancel *c)
{
    bool held = false;

    for (size_t i = 0; i < c->rows_n; i++) {
        struct look *k = &c->looks[i];

        k->listed |= k->group ? k->group->listed : !c->keys_n;
        held |= k->listed && k->what == STORE_CANCEL_HELD;
    }
    return held;
}

static void answer_one(struct sq_cancel *c, size_t row)
{
    const struct sq_target *t = &c->rows[row];

    c->o->targets[c->o->targets_n++] = (struct store_cancel_target){.what = c->looks[row].what,
                                                                    .id = t->id,
                                                                    .group_id = t->group_id,
                                                                    .address = t->address,
                                                                    .key = t->key};
}

/* In the order of the push; members only while they are held. */
static void answer_rows(struct sq_cancel *c)
{
    for (size_t i = 0; i < c->rows_n; i++)
        if (c->looks[i].listed && (!c->looks[i].group || c->looks[i].what == STORE_CANCEL_HELD))
            answer_one(c, i);
}

/* In the order of the keys, one each: of several targets with this key the one that is cancelled speaks. */
static enum err answer_keys(struct sq_cancel *c, const struct map *by_key)
{
    for (size_t i = 0; i < c->keys_n; i++) {
        const struct look *k = map_get(by_key, c->keys[i]);
        struct store_cancel_target *out = &c->o->targets[c->o->targets_n];
        enum err e;

        if (!k) {
            *out = (struct store_cancel_target){.what = STORE_CANCEL_STRANGER};
            e = arena_dup(&c->o->mem, c->keys[i], &out->key);
            c->o->targets_n++;
            if (e)
                return e;
            continue;
        }
        for (const struct look *other = k; other; other = other->same)
            if (other->what == STORE_CANCEL_DONE) {
                k = other;
                break;
            }
        answer_one(c, (size_t)(k - c->looks));
    }
    return ERR_OK;
}

/* ERR_AGAIN: a loop holds one of those that are asked for, and the answer says which. */
static enum err answer(struct sq_cancel *c)
{
    struct map by_key;
    bool held = false;
    enum err e;

    map_init(&by_key, SIZE_MAX / 2);
    e = c->keys_n ? keys_index(c, &by_key) : ERR_OK;
    if (!e) {
        list_keys(c, &by_key);
        held = list_all(c);
        c->o->targets = arena_array(&c->o->mem, c->rows_n + c->keys_n, sizeof *c->o->targets);
        c->o->targets_n = 0;
        e = c->o->targets ? ERR_OK : ERR_NOMEM;
    }
    if (!e && c->keys_n && !held)
        e = answer_keys(c, &by_key);
    else if (!e)
        answer_rows(c);
    map_clear(&by_key);
    return !e && held ? ERR_AGAIN : e;
}

/* Reads and answers; writes nothing. */
static enum err look(struct sq_cancel *c, struct slice initiator)
{
    enum err e = sq_push_find(c->q, initiator, c->o->push_id, &c->push);

    if (!e)
        e = sq_push_targets(c->q, &c->push, &c->o->mem, &c->rows, &c->rows_n);
    if (e)
        return e;
    c->looks = arena_array(&c->o->mem, c->rows_n, sizeof *c->looks);
    if (!c->looks)
        return ERR_NOMEM;
    look_all(c);
    return answer(c);
}

static enum err cancel_one(struct sq_cancel *c, size_t row)
{
    struct sq_use u = sq_use(c->q, SQ_CANCEL);
    struct look *group = c->looks[row].group;
    bool owes = c->push.notify && !group;
    enum err e;

    sq_i64(&u, c->rows[row].id);
    sq_i64(&u, ST_CANCELLED);
    sq_i64(&u, CODE_CANCELLED);
    sq_i64(&u, c->o->event_ms);
    sq_i64(&u, owes);
    sq_text_or_null(&u, slice_sub(c->o->note, 0, SQ_TEXT_MAX_N));
    c->q->tally.open--;
    if (group)
        group->cancelled_n++;
    e = sq_exec(&u);
    return !e && owes ? sq_notice_add(c->q, c->rows[row].id, c->o->event_ms, false) : e;
}

static bool is_cancelled(const struct sq_cancel *c, size_t row)
{
    return c->looks[row].listed && c->looks[row].what == STORE_CANCEL_DONE && !c->rows[row].members_n;
}

enum err sq_cancel_write(struct sq_cancel *c)
{
    enum err e = ERR_OK;
    bool ended;

    for (size_t i = 0; !e && i < c->rows_n; i++)
        if (is_cancelled(c, i))
            e = cancel_one(c, i);
    for (size_t i = 0; !e && i < c->rows_n; i++)
        if (c->looks[i].cancelled_n)
            e = sq_group_less(c->q, c->rows[i].id, c->looks[i].cancelled_n, c->o->event_ms, c->push.notify,
                              &ended);
    return e;
}

size_t sq_cancel_n(const struct sq_cancel *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->rows_n; i++)
        n += is_cancelled(c, i);
    return n;
}

enum err sq_cancel(struct sq *q, struct store_cancel *o)
{
    struct sq_cancel c = {.q = q, .o = o, .keys = o->keys, .keys_n = o->keys_n};
    uint64_t before = q->tally.open;
    enum err e = look(&c, o->initiator);

    if (!e)
        e = sq_cancel_write(&c);
    if (!e)
        sq_open_change(q, c.push.initiator_no, before);
    return e;
}

/* The recipients of a push; members of groups are none. */
static enum err recipients(const struct ppg_push *p, struct sq_cancel *c)
{
    struct slice *keys = arena_array(&c->o->mem, p->targets_n, sizeof *keys);

    if (!keys)
        return ERR_NOMEM;
    for (size_t i = 0; i < p->targets_n; i += 1 + p->targets[i].members_n)
        keys[c->keys_n++] = p->targets[i].key;
    c->keys = keys;
    return ERR_OK;
}

enum err sq_replace_look(struct sq *q, struct store_insert *o, struct sq_cancel **out)
{
    struct sq_cancel *c = arena_alloc(&o->old->mem, sizeof *c);
    struct sq_push same;
    enum err e;

    if (!c)
        return ERR_NOMEM;
    e = sq_push_find(q, o->push->initiator, o->push->push_id, &same);
    if (e != ERR_ABSENT)
        return e ? e : ERR_EXISTS;
    *c = (struct sq_cancel){.q = q, .o = o->old};
    e = recipients(o->push, c);
    if (!e)
        e = look(c, o->push->initiator);
    if (!e)
        *out = c;
    return e;
}
