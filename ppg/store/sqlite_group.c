/* The end of a group of recipients: whoever makes members final tells it here, in the same transaction.  The group's row
 * counts its open members, so that this costs the same however many there are; only the end reads them all.  Runs on the
 * store's thread. */
#include "ppg/store/sqlite.h"

#define CODE_OK 1000 /* [PAP §6] */

/* Delivered when one member was; else what most hopeful ways came to: SQ_GROUP_OUTCOME has the order. */
static enum err outcome(struct sq *q, int64_t group_id, int64_t members_n, int64_t *stage, int64_t *code)
{
    struct sq_use u = sq_use(q, SQ_GROUP_OUTCOME);
    bool row;
    enum err e;

    sq_i64(&u, group_id);
    sq_i64(&u, members_n);
    row = sq_row(&u);
    if (row) {
        *stage = sq_col(&u, 0);
        *code = *stage == ST_DELIVERED ? CODE_OK : sq_col(&u, 1);
    }
    e = sq_done(&u);
    return e || row ? e : ERR_IO; /* a group without its members: the file is damaged */
}

enum err sq_group_end(struct sq *q, int64_t group_id, int64_t members_n, int64_t event_ms, bool notify)
{
    struct sq_use u = sq_use(q, SQ_GROUP_END);
    int64_t stage = 0;
    int64_t code = 0;
    enum err e = outcome(q, group_id, members_n, &stage, &code);

    if (e)
        return e;
    sq_i64(&u, group_id);
    sq_i64(&u, stage);
    sq_i64(&u, code);
    sq_i64(&u, event_ms);
    sq_i64(&u, notify);
    e = sq_exec(&u);
    return !e && notify ? sq_notice_add(q, group_id, event_ms, false) : e;
}

enum err sq_group_less(struct sq *q, int64_t group_id, int64_t n, int64_t event_ms, bool notify, bool *ended)
{
    struct sq_use u = sq_use(q, SQ_GROUP_LESS);
    int64_t members_n = 0;
    bool last = false;
    enum err e;

    sq_i64(&u, group_id);
    sq_i64(&u, n);
    if (sq_row(&u)) {
        last = sq_col(&u, 0) == 0;
        members_n = sq_col(&u, 1);
    }
    e = sq_done(&u);
    if (!e && last)
        e = sq_group_end(q, group_id, members_n, event_ms, notify);
    if (!e)
        *ended = last;
    return e;
}
