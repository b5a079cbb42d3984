/* A push as a row of a statement, copied out of SQLite once, into the memory it lives in from then on.  Runs on the store's
 * thread. */
#include "ppg/store/sqlite.h"

#define TARGET_FIRST_N 256u /* octets of arena per target: the struct and short texts */
#define FIELD_N        32u  /* octets that the arena adds to a text at most */

struct slice sq_load_text(struct sq_load *l, int column)
{
    struct slice out = SLICE_NONE;

    if (!l->err)
        l->err = arena_dup(l->mem, sq_col_bytes(l->u, column), &out);
    return out;
}

/* The content gets memory of its own, so that its size does not drive the growth of the arena. */
enum err sq_load_body(const struct sq_use *u, struct ppg_push *p)
{
    struct slice body;
    struct sq_load l = {u, &p->mem, ERR_OK};

    p->how = sq_load_text(&l, SQ_COL_HOW);
    if (l.err)
        return l.err;
    body = sq_col_bytes(u, SQ_COL_BODY);
    buf_init(&p->body_mem, body.n);
    buf_add(&p->body_mem, body);
    p->body = buf_slice(&p->body_mem);
    return buf_err(&p->body_mem);
}

enum err sq_load_target(const struct sq_use *u, struct ppg_push *p, struct ppg_target **out)
{
    struct sq_load l = {u, &p->mem, ERR_OK};
    struct ppg_target *t = arena_alloc(&p->mem, sizeof *t);

    if (!t)
        return ERR_NOMEM;
    t->id = sq_col(u, 0);
    t->due_ms = sq_col(u, 2);
    t->address = sq_load_text(&l, 3);
    t->key = sq_load_text(&l, 4);
    t->code = (uint16_t)sq_col(u, 5);
    t->tries = (uint16_t)sq_col(u, 6);
    t->demanded = (uint8_t)sq_col(u, 7);
    t->group_id = sq_col(u, 8);
    t->rule = sq_load_text(&l, 9);
    t->stage = ST_WAITING;
    if (l.err)
        return l.err;
    t->push = ppg_push_hold(p);
    *out = t;
    return ERR_OK;
}

/* The columns PUSH_COLUMNS of sqlite_sql.c. */
static enum err load_fields(const struct sq_use *u, struct ppg_push *p)
{
    struct sq_load l = {u, &p->mem, ERR_OK};

    p->id = sq_col(u, 0);
    p->initiator = sq_load_text(&l, 1);
    p->push_id = sq_load_text(&l, 2);
    p->accepted_ms = sq_col(u, 3);
    p->not_before_ms = sq_col(u, 4);
    p->expires_ms = sq_col(u, 5);
    p->flags = (uint32_t)sq_col(u, 6);
    p->version = (uint8_t)sq_col(u, 7);
    p->priority = (uint8_t)sq_col(u, 8);
    p->method = (uint8_t)sq_col(u, 9);
    p->asked = (uint8_t)sq_col(u, 10);
    p->source_ref = sq_load_text(&l, 11);
    p->notify_url = sq_load_text(&l, 12);
    p->network = sq_load_text(&l, 13);
    p->bearer = sq_load_text(&l, 14);
    p->app_id = sq_load_text(&l, 15);
    p->initiator_uri = sq_load_text(&l, 16);
    p->content_type = sq_load_text(&l, 17);
    p->headers = sq_load_text(&l, 18);
    return l.err;
}

/* A push with its fields and no content; room for one target is set aside. */
enum err sq_load_push(const struct sq_use *u, struct ppg_push **out)
{
    static const int texts[] = {1, 2, 11, 12, 13, 14, 15, 16, 17, 18};
    size_t first_n = TARGET_FIRST_N;
    struct ppg_push *p;
    enum err e;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        first_n += sq_col_bytes(u, texts[i]).n + FIELD_N;
    p = ppg_push_create(first_n, SQ_LOADED_MAX_N);
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
