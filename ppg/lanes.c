/* Lines, lanes and turns; see lanes.h.  A stand with work is in exactly one place: ready in its line, or parked at its
 * lane.  A stand may be ready while another has its lane; it parks when its line comes to it. */
#include "ppg/lanes.h"

#include <stdlib.h>
#include "base/mem.h"
#include "base/num.h"

#define LINES_MAX     100000u /* initiators with work on one core */
#define RESERVED_PART 8u      /* one of so many attempts is for those who have few */

static struct slice lane_key(const struct ppg_lane *lane)
{
    return slice_of(lane->key, lane->key_n);
}

static struct slice line_name(const struct ppg_line *line)
{
    return slice_of(line->name, line->name_n);
}

/* --- making and freeing --- */

static struct ppg_lane *lane_get(struct ppg_lanes *l, struct slice key, enum err *e)
{
    struct ppg_lane *lane = map_get(&l->lanes, key);

    if (lane)
        return lane;
    lane = calloc(1, sizeof *lane + key.n);
    *e = lane ? ERR_OK : ERR_NOMEM;
    if (*e)
        return NULL;
    list_init(&lane->stands);
    list_init(&lane->parked);
    lane->key_n = key.n;
    mem_copy(lane->key, key.n, key);
    *e = map_put(&l->lanes, lane_key(lane), lane);
    if (!*e)
        return lane;
    free(lane);
    return NULL;
}

static struct ppg_line *line_get(struct ppg_lanes *l, const struct ppg_push *p, enum err *e)
{
    struct ppg_line *line = map_get(&l->lines, p->initiator);

    if (line)
        return line;
    line = calloc(1, sizeof *line + p->initiator.n);
    *e = line ? ERR_OK : ERR_NOMEM;
    if (*e)
        return NULL;
    list_init(&line->turn);
    for (size_t i = 0; i < PPG_PRIORITIES; i++)
        list_init(&line->ready[i]);
    line->share = p->share;
    line->name_n = p->initiator.n;
    mem_copy(line->name, p->initiator.n, p->initiator);
    *e = map_put(&l->lines, line_name(line), line);
    if (!*e)
        return line;
    free(line);
    return NULL;
}

static struct ppg_stand *stand_make(struct ppg_lane *lane, struct ppg_line *line)
{
    struct ppg_stand *st = lane->first_used ? calloc(1, sizeof *st) : &lane->first;

    if (!st)
        return NULL;
    if (st == &lane->first)
        lane->first_used = true;
    st->line = line;
    st->lane = lane;
    list_init(&st->turn);
    list_init(&st->early);
    for (size_t i = 0; i < PPG_PRIORITIES; i++)
        list_init(&st->queues[i].waiting);
    list_push_back(&lane->stands, &st->at_lane);
    line->stands_n++;
    return st;
}

static void stand_free(struct ppg_stand *st)
{
    struct ppg_lane *lane = st->lane;

    list_remove(&st->at_lane);
    st->line->stands_n--;
    if (st == &lane->first) {
        *st = (struct ppg_stand){.line = NULL};
        lane->first_used = false;
    } else {
        free(st);
    }
}

static void lane_tidy(struct ppg_lanes *l, struct ppg_lane *lane)
{
    if (lane->sending || lane->closed_until_ms || lane->waking || !list_empty(&lane->stands))
        return;
    (void)map_del(&l->lanes, lane_key(lane));
    free(lane);
}

enum err ppg_lanes_stand(struct ppg_lanes *l, const struct ppg_target *t, struct ppg_stand **out)
{
    enum err e = ERR_OK;
    struct ppg_lane *lane = lane_get(l, t->key, &e);
    struct ppg_line *line = lane ? line_get(l, t->push, &e) : NULL;
    struct ppg_stand *st = NULL;

    if (line) {
        LIST_EACH (at, &lane->stands) {
            st = container_of(at, struct ppg_stand, at_lane);
            if (st->line == line)
                break;
            st = NULL;
        }
        st = st ? st : stand_make(lane, line);
    }
    if (!st) {
        if (lane)
            lane_tidy(l, lane);
        return e ? e : ERR_NOMEM;
    }
    *out = st;
    return ERR_OK;
}

static bool stand_remembers(const struct ppg_stand *st)
{
    for (size_t i = 0; i < PPG_PRIORITIES; i++)
        if (ppg_away_any(&st->queues[i].away))
            return true;
    return false;
}

void ppg_lanes_tidy(struct ppg_lanes *l, struct ppg_stand *st)
{
    struct ppg_lane *lane = st->lane;
    bool sending = lane->sending && lane->sending->stand == st;

    if (sending || st->waiting_n || !list_empty(&st->early) || stand_remembers(st))
        return;
    stand_free(st);
    lane_tidy(l, lane);
}

void ppg_lanes_sweep(struct ppg_lanes *l)
{
    struct ppg_line *line;
    size_t pos = 0;

    while ((line = map_next(&l->lines, &pos)))
        if (!line->stands_n) {
            list_remove(&line->turn);
            (void)map_del(&l->lines, line_name(line));
            free(line);
        }
}

struct ppg_lane *ppg_lanes_find(const struct ppg_lanes *l, struct slice key)
{
    return map_get(&l->lanes, key);
}

/* --- places --- */

static uint8_t stand_top(const struct ppg_stand *st)
{
    uint8_t p = 0;

    while (p < PPG_PRIORITIES - 1 && !st->queues[p].n)
        p++;
    return p;
}

static void line_wake(struct ppg_lanes *l, struct ppg_line *line)
{
    if (!list_empty(&line->turn))
        return;
    if (line->credit_n >= 0) /* a debt stays */
        line->credit_n = PPG_TURN_N;
    list_push_back(&l->turns, &line->turn);
}

static void stand_ready(struct ppg_lanes *l, struct ppg_stand *st, bool front)
{
    st->where = PPG_STAND_READY;
    st->ready_at = stand_top(st);
    if (front)
        list_push_front(&st->line->ready[st->ready_at], &st->turn);
    else
        list_push_back(&st->line->ready[st->ready_at], &st->turn);
    line_wake(l, st->line);
}

static void stand_park(struct ppg_stand *st)
{
    st->where = PPG_STAND_PARKED;
    list_push_back(&st->lane->parked, &st->turn);
}

static bool lane_taken(const struct ppg_stand *st)
{
    const struct ppg_lane *lane = st->lane;

    return lane->sending || (lane->granted && lane->granted != st);
}

/* The lane is free: for the one that parked first, and at its line's next turn if another waits behind it.  A line that
 * may not begin keeps nobody waiting. */
static void lane_grant(struct ppg_lanes *l, struct ppg_lane *lane)
{
    struct list *at;

    lane->granted = NULL;
    while (!lane->granted && (at = list_pop_front(&lane->parked))) {
        struct ppg_stand *st = container_of(at, struct ppg_stand, turn);
        bool others = !list_empty(&lane->parked);

        if (others && !st->line->held)
            lane->granted = st;
        stand_ready(l, st, others);
    }
}

/* Puts a stand where it belongs after its work has changed. */
static void stand_settle(struct ppg_lanes *l, struct ppg_stand *st)
{
    bool granted = st->lane->granted == st;

    if (st->waiting_n && st->where == PPG_STAND_PARKED)
        return;
    if (st->waiting_n && st->where == PPG_STAND_READY && st->ready_at == stand_top(st))
        return;
    list_remove(&st->turn);
    st->where = PPG_STAND_IDLE;
    if (!st->waiting_n) {
        if (granted)
            lane_grant(l, st->lane);
    } else if (lane_taken(st)) {
        stand_park(st);
    } else {
        stand_ready(l, st, granted);
    }
}

void ppg_lanes_put(struct ppg_lanes *l, struct ppg_stand *st, struct ppg_target *t)
{
    struct ppg_queue *q = ppg_stand_queue(st, t);
    struct list *at = &q->waiting;

    while (at->prev != &q->waiting && container_of(at->prev, struct ppg_target, link)->id > t->id)
        at = at->prev;
    list_insert_before(at, &t->link);
    t->stand = st;
    t->early = false;
    q->n++;
    st->waiting_n++;
    stand_settle(l, st);
}

void ppg_lanes_take(struct ppg_lanes *l, struct ppg_target *t)
{
    struct ppg_stand *st = t->stand;

    list_remove(&t->link);
    if (t->early)
        return;
    ppg_stand_queue(st, t)->n--;
    st->waiting_n--;
    stand_settle(l, st);
}

/* --- turns --- */

static bool line_may(const struct ppg_lanes *l, const struct ppg_line *line)
{
    size_t open = l->sending_max - l->sending;

    return open > l->sending_max / RESERVED_PART || line->sending < open;
}

static void line_hold(struct ppg_lanes *l, struct ppg_line *line)
{
    list_remove(&line->turn);
    list_push_back(&l->held, &line->turn);
    line->held = true;
}

static void line_unhold(struct ppg_lanes *l, struct ppg_line *line)
{
    list_remove(&line->turn);
    line->held = false;
    list_push_back(&l->turns, &line->turn);
}

/* The next stand of the line that has its lane for itself; those that have not, park. */
static struct ppg_stand *line_stand(struct ppg_line *line)
{
    for (size_t p = 0; p < PPG_PRIORITIES; p++) {
        struct list *at;

        while ((at = list_pop_front(&line->ready[p]))) {
            struct ppg_stand *st = container_of(at, struct ppg_stand, turn);

            st->where = PPG_STAND_IDLE;
            if (!lane_taken(st))
                return st;
            stand_park(st);
        }
    }
    return NULL;
}

/* The line whose turn it is, with credit. */
static struct ppg_line *turn_of(struct ppg_lanes *l)
{
    while (!list_empty(&l->turns)) {
        struct ppg_line *line = container_of(l->turns.next, struct ppg_line, turn);

        if (!line_may(l, line)) {
            line_hold(l, line);
        } else if (line->credit_n > 0) {
            return line;
        } else {
            line->credit_n += PPG_TURN_N;
            list_remove(&line->turn);
            list_push_back(&l->turns, &line->turn);
        }
    }
    return NULL;
}

static struct ppg_target *stand_begin(struct ppg_lanes *l, struct ppg_stand *st)
{
    struct ppg_queue *q = &st->queues[stand_top(st)];
    struct ppg_target *t = container_of(list_pop_front(&q->waiting), struct ppg_target, link);

    q->n--;
    st->waiting_n--;
    st->lane->sending = t;
    st->lane->granted = NULL;
    st->line->sending++;
    st->line->credit_n -= (int64_t)num_min(t->push->body.n, INT32_MAX) + PPG_CHARGE_N;
    l->sending++;
    if (st->waiting_n)
        stand_park(st);
    return t;
}

struct ppg_target *ppg_lanes_next(struct ppg_lanes *l)
{
    struct ppg_line *line;

    while (l->sending < l->sending_max && (line = turn_of(l))) {
        struct ppg_stand *st = line_stand(line);

        if (st)
            return stand_begin(l, st);
        list_remove(&line->turn); /* nothing it could begin */
    }
    return NULL;
}

void ppg_lanes_ended(struct ppg_lanes *l, struct ppg_target *t)
{
    struct ppg_stand *st = t->stand;

    MUST(st->lane->sending == t);
    st->lane->sending = NULL;
    st->line->sending--;
    l->sending--;
    if (st->line->held)
        line_unhold(l, st->line);
    if (!list_empty(&l->held))
        line_unhold(l, container_of(l->held.next, struct ppg_line, turn));
    lane_grant(l, st->lane);
}

/* --- life --- */

void ppg_lanes_init(struct ppg_lanes *l, size_t lanes_max, size_t sending_max)
{
    *l = (struct ppg_lanes){.sending_max = sending_max};
    map_init(&l->lanes, lanes_max);
    map_init(&l->lines, LINES_MAX);
    list_init(&l->turns);
    list_init(&l->held);
}

void ppg_lanes_clear(struct ppg_lanes *l)
{
    struct ppg_lane *lane;
    struct ppg_line *line;
    size_t pos = 0;

    while ((lane = map_next(&l->lanes, &pos))) {
        LIST_EACH_SAFE (at, &lane->stands) {
            struct ppg_stand *st = container_of(at, struct ppg_stand, at_lane);

            MUST(!st->waiting_n && list_empty(&st->early) && !lane->sending);
            if (st != &lane->first)
                free(st);
        }
        free(lane);
    }
    for (pos = 0; (line = map_next(&l->lines, &pos));)
        free(line);
    map_clear(&l->lanes);
    map_clear(&l->lines);
}
