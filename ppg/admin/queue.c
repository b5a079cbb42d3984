/* What waits: by initiator, and what has been due longest.  Route of admin.c; loop 0. */
#include "ppg/admin/routes.h"

#include <stdlib.h>

#define SHARES_MAX  1000u
#define HEADS_USUAL 10u

struct job {
    struct ppg_admin_ask ask;
    struct store_queue queue;
};

static json_t *share_json(const struct store_queue_share *s)
{
    json_t *o = json_object();

    ppg_json_set_text(o, "initiator", s->initiator);
    ppg_json_set_n(o, "waiting", s->waiting);
    ppg_json_set_n(o, "leased", s->leased);
    ppg_json_set_n(o, "notices", s->notices);
    ppg_json_set_time(o, "next_due", s->next_due_ms);
    return o;
}

static json_t *head_json(const struct store_queue_head *h)
{
    json_t *o = json_object();

    ppg_json_set_time(o, "due", h->due_ms);
    ppg_json_set_text(o, "initiator", h->initiator);
    ppg_json_set_text(o, "push_id", h->push_id);
    ppg_json_set_text(o, "address", h->address);
    ppg_json_set_n(o, "tries", h->tries);
    ppg_json_set(o, "leased", json_boolean(h->leased));
    ppg_json_set_text(o, "note", h->note);
    return o;
}

static json_t *queue_json(const struct store_queue *q)
{
    json_t *o = json_object(), *shares = json_array(), *heads = json_array();

    for (size_t i = 0; i < q->shares_n; i++)
        (void)json_array_append_new(shares, share_json(&q->shares[i]));
    for (size_t i = 0; i < q->heads_n; i++)
        (void)json_array_append_new(heads, head_json(&q->heads[i]));
    ppg_json_set(o, "initiators", shares);
    ppg_json_set(o, "due_longest", heads);
    return o;
}

static void queue_done(struct store_op *op)
{
    struct job *j = op->arg;

    if (op->err)
        ppg_admin_refuse_err(j->ask.x, op->err);
    else
        ppg_admin_answer(j->ask.x, 200, queue_json(&j->queue));
    arena_clear(&j->queue.mem);
    ppg_admin_ask_clear(&j->ask);
    free(j);
}

void ppg_admin_queue(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    struct job *j = ppg_admin_ask_new(a->conf.core, x, r, sizeof *j);

    if (!j)
        return;
    j->queue.initiator = j->ask.initiator;
    j->queue.max = SHARES_MAX;
    j->queue.heads_max = j->ask.given & PPG_ASK_HEADS ? (size_t)j->ask.heads : HEADS_USUAL;
    j->queue.op = (struct store_op){.kind = STORE_QUEUE, .done = queue_done, .arg = j};
    ppg_core_submit(a->conf.core, &j->queue.op);
}
