/* Order across the border between memory and store; see away.h.  What keeps it: of two that are away, the one with the
 * higher id is not due earlier, but for those that ppg_away_behind() sends on when they come: they are as if they were
 * due when they would be sent to. */
#include "ppg/away.h"

#include "base/num.h"

bool ppg_away_behind(struct ppg_away *a, int64_t due_ms, int64_t id)
{
    if (due_ms > a->last.due_ms) { /* the claim goes by due time: all have come back */
        *a = (struct ppg_away){.put_off = false};
        return false;
    }
    if (id > a->last.id)
        return true;
    return due_ms < (a->put_off && id > a->head.id ? a->last.due_ms : a->head.due_ms);
}

/* Younger than all that are away. */
static int64_t append(struct ppg_away *a, int64_t id, int64_t not_before_ms, int64_t step_ms)
{
    struct ppg_away_mark *m = &a->last;

    if (m->due_ms < not_before_ms) {
        m->due_ms = not_before_ms;
        m->n = 0;
    } else if (m->n >= PPG_AWAY_BATCH) {
        m->due_ms += step_ms;
        m->n = 0;
    }
    m->id = id;
    m->n++;
    return m->due_ms;
}

static int64_t head_until(struct ppg_away *a, int64_t due_ms)
{
    a->head.due_ms = due_ms;
    if (a->last.due_ms < due_ms) {
        a->last.due_ms = due_ms;
        a->last.n = PPG_AWAY_BATCH;
    }
    return due_ms;
}

int64_t ppg_away_send(struct ppg_away *a, int64_t due_ms, int64_t id, int64_t not_before_ms, int64_t step_ms)
{
    struct ppg_away_mark *head = &a->head;

    if (id > a->last.id)
        return append(a, id, not_before_ms, step_ms);
    if (due_ms >= a->last.due_ms) { /* the last are back: dealt out anew from this one on */
        *a = (struct ppg_away){.last = {not_before_ms, id, 1}};
        return not_before_ms;
    }
    if (id <= head->id)
        return head_until(a, num_max64(head->due_ms, not_before_ms));
    if (a->put_off || (head->due_ms > due_ms && head->n >= PPG_AWAY_HEAD)) {
        a->put_off = true;
        return a->last.due_ms;
    }
    if (head->due_ms <= due_ms) /* the head before is back */
        *head = (struct ppg_away_mark){.due_ms = not_before_ms};
    head->id = id;
    head->n++;
    return head_until(a, num_max64(head->due_ms, not_before_ms));
}

void ppg_away_note(struct ppg_away *a, int64_t due_ms, int64_t id)
{
    a->last.due_ms = num_max64(a->last.due_ms, due_ms);
    a->last.id = num_max64(a->last.id, id);
    a->last.n = PPG_AWAY_BATCH; /* the next one starts a batch of its own */
}
