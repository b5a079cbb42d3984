/* Targets that were put off become due because their terminal has called in.  Runs on the store's thread. */
#include "ppg/store/sqlite.h"

struct put_off {
    int64_t id, initiator;
};

static enum err find(struct sq *q, struct slice key, struct put_off *rows, size_t *n)
{
    struct sq_use u = sq_use(q, SQ_PUT_OFF);

    *n = 0;
    sq_text(&u, key);
    sq_i64(&u, STORE_WAKE_MAX);
    while (*n < STORE_WAKE_MAX && sq_row(&u))
        rows[(*n)++] = (struct put_off){sq_col(&u, 0), sq_col(&u, 1)};
    return sq_done(&u);
}

static bool known(struct store_wake *o, const int64_t *numbers, int64_t no)
{
    for (size_t i = 0; i < o->initiators_n; i++)
        if (numbers[i] == no)
            return true;
    return false;
}

static enum err name(struct sq *q, struct store_wake *o, int64_t *numbers, int64_t no)
{
    enum err e = sq_initiator_name(q, no, &o->mem, &o->initiators[o->initiators_n]);

    if (!e)
        numbers[o->initiators_n++] = no;
    return e;
}

static enum err wake(struct sq *q, int64_t id, int64_t due_ms)
{
    struct sq_use u = sq_use(q, SQ_WAKE);

    sq_i64(&u, id);
    sq_i64(&u, due_ms);
    return sq_exec(&u);
}

enum err sq_wake(struct sq *q, struct store_wake *o)
{
    struct put_off rows[STORE_WAKE_MAX];
    int64_t numbers[STORE_WAKE_INITIATORS];
    size_t n;
    enum err e = find(q, o->key, rows, &n);

    o->woken_n = o->initiators_n = 0;
    o->more = n == STORE_WAKE_MAX;
    for (size_t i = 0; !e && i < n; i++) {
        bool fresh = !known(o, numbers, rows[i].initiator);

        if (fresh && o->initiators_n == STORE_WAKE_INITIATORS) {
            o->more = true; /* no room for another name: the others wait for the next time */
            break;
        }
        if (fresh)
            e = name(q, o, numbers, rows[i].initiator);
        if (!e)
            e = wake(q, rows[i].id, o->due_ms);
        o->woken_n += !e;
    }
    return e;
}
