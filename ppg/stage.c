/* The state table of a target.  [PAP §7]: no way leaves a final state. */
#include "ppg/stage.h"

/* An empty cell is "not possible"; ST_WAITING is 0, so ways back to it carry the mark. */
#define WAY(stage) ((uint8_t)((stage) | 0x80u))

static const uint8_t next[ST_COUNT][EV_COUNT] = {
    [ST_WAITING] = {[EV_DUE] = WAY(ST_SENDING),
                    [EV_FAIL] = WAY(ST_UNDELIVERABLE),
                    [EV_TIMEOUT] = WAY(ST_TIMEOUT),
                    [EV_EXPIRE] = WAY(ST_EXPIRED),
                    [EV_CANCEL] = WAY(ST_CANCELLED)},
    [ST_SENDING] = {[EV_OK] = WAY(ST_DELIVERED),
                    [EV_RETRY] = WAY(ST_WAITING),
                    [EV_FAIL] = WAY(ST_UNDELIVERABLE),
                    [EV_ABORT] = WAY(ST_ABORTED),
                    [EV_TIMEOUT] = WAY(ST_TIMEOUT),
                    [EV_EXPIRE] = WAY(ST_EXPIRED)},
};

static const struct {
    const char *name;
    enum pap_state state;
} stages[ST_COUNT] = {
    [ST_WAITING] = {"waiting", PAP_STATE_PENDING},
    [ST_SENDING] = {"sending", PAP_STATE_PENDING},
    [ST_DELIVERED] = {"delivered", PAP_STATE_DELIVERED},
    [ST_UNDELIVERABLE] = {"undeliverable", PAP_STATE_UNDELIVERABLE},
    [ST_EXPIRED] = {"expired", PAP_STATE_EXPIRED},
    [ST_ABORTED] = {"aborted", PAP_STATE_ABORTED},
    [ST_TIMEOUT] = {"timeout", PAP_STATE_TIMEOUT},
    [ST_CANCELLED] = {"cancelled", PAP_STATE_CANCELLED},
};

static const char *const events[EV_COUNT] = {"due",   "ok",      "retry",  "fail",
                                             "abort", "timeout", "expire", "cancel"};

enum err ppg_stage_next(enum ppg_stage from, enum ppg_event ev, enum ppg_stage *to)
{
    uint8_t way = next[from][ev];

    if (!way)
        return ERR_LATE;
    *to = (enum ppg_stage)(way & 0x7fu);
    return ERR_OK;
}

enum pap_state ppg_stage_state(enum ppg_stage s)
{
    return stages[s].state;
}

const char *ppg_stage_name(enum ppg_stage s)
{
    return stages[s].name;
}

const char *ppg_event_name(enum ppg_event ev)
{
    return events[ev];
}
