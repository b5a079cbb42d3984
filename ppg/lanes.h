/* Who stands in line on one core: initiators take turns, terminals are served one attempt at a time.
 *
 * Story.  A target that comes in stands in the queue of its initiator, its terminal and its priority, by id.  The three
 * queues of an initiator for one terminal are a stand; the stands at one terminal are its lane, those of one initiator
 * its line.  ppg_lanes_next() goes round the lines: a line whose turn it is gets a quantum of octets and begins
 * attempts until it is spent, high before medium before low, terminals in the order in which they had work (deficit
 * round robin; what a line overdraws it pays at its next turns).  Priority counts within one line alone.  A stand whose
 * terminal is busy parks at the lane; when the terminal is free, the one that parked first has the lane before any
 * other, so that initiators take turns at a terminal too.  The last attempts that are free on a core are not for a line
 * that has more under way than are free: terminals that hang leave room for other initiators.
 *
 * Constant work a step: an attempt, a stand that parks (each once an attempt at its lane), or a quantum (each paid for
 * by octets).  Nothing is allocated for a target; a lane and a line are one block each.  Not for time, the store or
 * attempts themselves: schedule.c.  The core's loop. */
#ifndef PPG_LANES_H
#define PPG_LANES_H

#include "base/list.h"
#include "base/map.h"
#include "ppg/away.h"
#include "ppg/push.h"

#define PPG_PRIORITIES 3u

#define PPG_TURN_N     4096u /* octets of a turn */
#define PPG_CHARGE_N   1024u /* octets an attempt costs beside its content */

struct ppg_queue {
    struct list waiting; /* struct ppg_target.link, ids ascending */
    size_t n;
    struct ppg_away away;
    int64_t busy_id; /* the target that was tried last and goes on later, */
    uint8_t busy_n;  /* and how often it was answered "busy" */
};

struct ppg_lane;
struct ppg_line;

enum ppg_stand_where { PPG_STAND_IDLE, PPG_STAND_READY, PPG_STAND_PARKED };

/* One initiator at one terminal. */
struct ppg_stand {
    struct ppg_line *line;
    struct ppg_lane *lane;
    struct list turn;    /* in line.ready or lane.parked, as `where` says */
    struct list at_lane; /* in lane.stands */
    struct list early;   /* targets not due yet, leased by a claim that looks ahead; any order */
    struct ppg_queue queues[PPG_PRIORITIES];
    size_t waiting_n; /* in all queues */
    uint8_t where;    /* enum ppg_stand_where */
    uint8_t ready_at; /* the priority it is ready at */
};

/* One terminal. */
struct ppg_lane {
    struct list stands;
    struct list parked;
    struct ppg_stand *granted;  /* has the lane next; NULL: whose turn comes first */
    struct ppg_target *sending; /* on the wire, or NULL */
    int64_t closed_until_ms;    /* UTC; nothing waits here before */
    bool by_call;               /* the terminal may call in, which opens the lane earlier */
    bool waking;                /* it has; what waits in the store is being woken */
    bool wake_again;            /* more has gone there meanwhile */
    int64_t began_ms;           /* the attempt under way, on the monotonic clock */
    int64_t took_ms;            /* how long attempts take here, smoothed; 0: not known */
    struct ppg_stand first;     /* room for the stand of one initiator */
    bool first_used;
    size_t key_n;
    char key[];
};

/* One initiator. */
struct ppg_line {
    struct list turn; /* in lanes.turns, in lanes.held, or alone */
    struct list ready[PPG_PRIORITIES];
    struct ppg_share *share;
    int64_t credit_n; /* octets left of its turn; below 0: overdrawn */
    size_t stands_n;
    size_t sending; /* attempts under way */
    bool held;      /* has too many attempts under way */
    size_t name_n;
    char name[];
};

struct ppg_lanes {
    struct map lanes;
    struct map lines;
    struct list turns;
    struct list held;
    size_t sending;     /* attempts under way, all lines */
    size_t sending_max; /* at most */
};

void ppg_lanes_init(struct ppg_lanes *l, size_t lanes_max, size_t sending_max);
void ppg_lanes_clear(struct ppg_lanes *l); /* no target may stand here */

/* The stand of a target, made when there is none; t->push->share is set.  ERR_LIMIT, ERR_NOMEM. */
enum err ppg_lanes_stand(struct ppg_lanes *l, const struct ppg_target *t, struct ppg_stand **out) MUST_USE;
struct ppg_lane *ppg_lanes_find(const struct ppg_lanes *l, struct slice key); /* or NULL */
static inline struct ppg_queue *ppg_stand_queue(struct ppg_stand *st, const struct ppg_target *t)
{
    return &st->queues[t->push->priority < PPG_PRIORITIES ? t->push->priority : PPG_PRIORITIES - 1];
}

/* Into its queue, by id; sets t->stand. */
void ppg_lanes_put(struct ppg_lanes *l, struct ppg_stand *st, struct ppg_target *t);
/* Out of its queue (or its stand's early ones), not to be tried now. */
void ppg_lanes_take(struct ppg_lanes *l, struct ppg_target *t);
/* The target whose turn it is, taken out; it has the lane and counts as sending until ppg_lanes_ended().  NULL: nobody
 * may begin. */
struct ppg_target *ppg_lanes_next(struct ppg_lanes *l);
void ppg_lanes_ended(struct ppg_lanes *l, struct ppg_target *t);
/* Frees the stand, and its lane, when nothing stands there and nothing has to be remembered. */
void ppg_lanes_tidy(struct ppg_lanes *l, struct ppg_stand *st);
/* Frees lines without stands. */
void ppg_lanes_sweep(struct ppg_lanes *l);

#endif
