/* Order across the border between memory and store; see away.h.  What keeps it: of two that are away, the one with the
 * higher id is due earlier only where a step stands between them, or the last: then ppg_away_behind() sends it on. */
#include "ppg/away.h"

#include "base/num.h"

/* The claim goes by due time: all of these have come back. */
static void steps_drop(struct ppg_away *a, int64_t before_ms)
{
    unsigned n = 0;

    while (n < a->steps_n && a->steps[n].due_ms < before_ms)
        n++;
    a->steps_n -= n;
    for (unsigned i = 0; i < a->steps_n; i++)
        a->steps[i] = a->steps[i + n];
}

/* Until when targets older than this one were sent on. */
static int64_t older_until(const struct ppg_away *a, int64_t id)
{
    int64_t due_ms = 0;

    for (unsigned i = 0; i < a->steps_n && a->steps[i].id < id; i++)
        due_ms = a->steps[i].due_ms;
    return due_ms;
}

bool ppg_away_behind(struct ppg_away *a, int64_t due_ms, int64_t id)
{
    if (due_ms > a->last.due_ms) {
        *a = (struct ppg_away){.steps_n = 0};
        return false;
    }
    steps_drop(a, due_ms);
    return id > a->last.id || older_until(a, id) > due_ms;
}

/* It keeps those of which this one is no better; where there are too many, the two highest become one that says more than
 * either: some may be sent on that need not. */
static void step_add(struct ppg_away *a, int64_t id, int64_t due_ms)
{
    struct ppg_away_step *s = a->steps;
    unsigned at = 0;
    unsigned past;

    while (at < a->steps_n && s[at].id < id)
        at++;
    if ((at > 0 && s[at - 1].due_ms >= due_ms) ||
        (at < a->steps_n && s[at].id == id && s[at].due_ms >= due_ms))
        return;
    past = at;
    while (past < a->steps_n && s[past].due_ms <= due_ms)
        past++;
    if (past == at && a->steps_n == PPG_AWAY_STEPS) {
        s[PPG_AWAY_STEPS - 2].due_ms = s[PPG_AWAY_STEPS - 1].due_ms;
        a->steps_n--;
        step_add(a, id, due_ms);
        return;
    }
    if (past == at) {
        for (unsigned i = a->steps_n++; i > at; i--)
            s[i] = s[i - 1];
    } else {
        for (unsigned i = past; i < a->steps_n; i++)
            s[at + 1 + i - past] = s[i];
        a->steps_n -= past - at - 1;
    }
    s[at] = (struct ppg_away_step){id, due_ms};
}

/* Younger than all that are away. */
static int64_t append(struct ppg_away *a, int64_t id, int64_t not_before_ms, int64_t step_ms)
{
    int64_t due_ms = num_max64(a->last.due_ms, not_before_ms);

    if (due_ms == a->last.due_ms && a->last_n >= PPG_AWAY_BATCH)
        due_ms += step_ms;
    if (due_ms > a->last.due_ms)
        a->last_n = 0;
    a->last = (struct ppg_away_step){id, due_ms};
    a->last_n++;
    return due_ms;
}

/* Of the head, or put off until the last are due. */
static int64_t send_on(struct ppg_away *a, int64_t due_ms, int64_t id, int64_t not_before_ms)
{
    int64_t to_ms = num_max64(older_until(a, id), not_before_ms);

    if (a->head_due_ms <= due_ms) /* the head before is back */
        a->head_n = 0;
    if (a->head_n < PPG_AWAY_HEAD) {
        a->head_n++;
        a->head_due_ms = to_ms;
    } else {
        to_ms = num_max64(to_ms, a->last.due_ms);
    }
    if (to_ms > a->last.due_ms) {
        a->last.due_ms = to_ms;
        a->last_n = PPG_AWAY_BATCH; /* the next one starts a batch of its own */
    }
    step_add(a, id, to_ms);
    return to_ms;
}

int64_t ppg_away_send(struct ppg_away *a, int64_t due_ms, int64_t id, int64_t not_before_ms, int64_t step_ms)
{
    if (id > a->last.id)
        return append(a, id, not_before_ms, step_ms);
    if (due_ms < a->last.due_ms)
        return send_on(a, due_ms, id, not_before_ms);
    *a = (struct ppg_away){.last = {id, not_before_ms},
                           .last_n = 1}; /* the last are back: dealt out anew from this one on */
    return not_before_ms;
}

void ppg_away_note(struct ppg_away *a, int64_t due_ms, int64_t id)
{
    a->last.due_ms = num_max64(a->last.due_ms, due_ms);
    a->last.id = num_max64(a->last.id, id);
    a->last_n = PPG_AWAY_BATCH;
}
