/* Associations that the gateway has set up itself, as operators see and end them: what the store has of them, added to what
 * key_sa.c has found in the configuration.  Loop 0, but for what the loop that owns a terminal forgets. */
#include "ppg/admin/key.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/mem.h"
#include "ppg/admin/work.h"
#include "ppg/protect.h"
#include "security/address.h"

#define ROWS_MAX 1000u

struct look {
    struct ppg_keyjob *job;
    struct sec_address address; /* what the job's name means, as an address */
    union {
        struct store_op op;
        struct store_sa_list list;
        struct store_sa_drop drop;
    };
    struct ppg_errand errand;
    size_t ended;
    size_t terminal_n;
    char terminal[SEC_ADDRESS_MAX_N];
};

static void finish(struct look *l)
{
    struct ppg_keyjob *job = l->job;

    free(l);
    ppg_keyjob_finish(job);
}

/* Asks the store for what the name means; false: nothing of the store's. */
static bool look_begin(struct ppg_keyjob *job, store_done_fn *done)
{
    struct ppg_core *c = job->admin->conf.core;
    struct look *l = calloc(1, sizeof *l);
    bool all = !job->name.n;

    if (!l)
        return false;
    l->job = job;
    l->list = (struct store_sa_list){.max = ROWS_MAX};
    l->list.op = (struct store_op){.kind = STORE_SA_LIST, .done = done, .arg = l};
    l->list.by_said = !all && !codec_unhex(job->name, l->list.said, sizeof l->list.said);
    if (!all && !l->list.by_said) {
        if (sec_address_canonical(job->name, &l->address)) {
            free(l);
            return false;
        }
        l->list.terminal = slice_of(l->address.text, l->address.n);
    }
    ppg_core_submit(c, &l->list.op);
    return true;
}

/* --- lists --- */

static json_t *row(const struct store_sa *sa, int64_t now_s)
{
    json_t *o = json_object();
    struct buf said;

    buf_init(&said, 2 * sizeof sa->said);
    codec_hex(&said, slice_of(sa->said, sizeof sa->said));
    ppg_json_set_text(o, "terminal", sa->terminal);
    ppg_json_set_text(o, "said", buf_slice(&said));
    ppg_json_set_text(o, "key", SLICE("gba-push"));
    ppg_json_set_text(o, "agreed", SLICE("push-info"));
    ppg_json_set_time(o, "made", sa->made_s * 1000);
    ppg_json_set_time(o, "expires", sa->expires_s * 1000);
    ppg_json_set_text(o, "state",
                      sa->expires_s <= now_s ? SLICE("expired")
                      : sa->confirmed        ? SLICE("confirmed")
                                             : SLICE("pending"));
    buf_clear(&said);
    return o;
}

static void listed(struct store_op *op)
{
    struct look *l = op->arg;
    struct ppg_keyjob *job = l->job;
    json_t *rows = json_object_get(job->answer, "associations");
    size_t n = op->err ? 0 : l->list.n;

    if (op->err && (!job->err || job->err == ERR_ABSENT))
        job->err = ppg_keyjob_no(job, op->err, "the store cannot be read");
    for (size_t i = 0; i < n && json_array_size(rows) < ROWS_MAX; i++)
        (void)json_array_append_new(rows, row(&l->list.sas[i], job->now_s));
    if (n && job->err == ERR_ABSENT)
        job->err = ERR_OK;
    arena_clear(&l->list.mem);
    finish(l);
}

void ppg_keyjob_sa_stored(struct ppg_keyjob *job)
{
    if ((job->err && job->err != ERR_ABSENT) || !look_begin(job, listed))
        ppg_keyjob_finish(job);
}

/* --- revocation: gone from the disk first, then from the memory of who seals --- */

static void at_owner(struct ppg_core *c, struct ppg_errand *e)
{
    struct look *l = container_of(e, struct look, errand);

    ppg_protect_revoke(c->protect, slice_of(l->terminal, l->terminal_n));
}

static void forgotten(struct ppg_core *c, struct ppg_errand *e)
{
    struct look *l = container_of(e, struct look, errand);
    struct ppg_keyjob *job = l->job;
    bool alone = job->err == ERR_ABSENT; /* the configuration has none of that name */

    (void)c;
    if (alone) {
        json_decref(job->answer);
        job->answer = json_object();
        ppg_json_set_text(job->answer, "terminal", slice_of(l->terminal, l->terminal_n));
        job->err = ERR_OK;
    }
    ppg_json_set_n(job->answer, "associations_ended", l->ended);
    LOG(job->admin->env->log, LOG_WARN, "sa.revoked", LOG_A("terminal", slice_of(l->terminal, l->terminal_n)),
        LOG_I("associations", l->ended));
    free(l);
    if (alone) {
        ppg_admin_note(job->admin, job->x, "sa.revoked", job->answer);
        ppg_keyjob_answer(job);
    } else {
        ppg_keyjob_finish(job);
    }
}

static void dropped(struct store_op *op)
{
    struct look *l = op->arg;
    struct ppg_core *c = l->job->admin->conf.core;

    if (op->err) {
        l->job->err = ppg_keyjob_no(l->job, op->err, "the store cannot be written");
        finish(l);
        return;
    }
    l->ended = l->drop.gone;
    l->errand.run = at_owner;
    l->errand.back = forgotten;
    ppg_core_errand(c, &l->errand, ppg_core_owner(c, slice_of(l->terminal, l->terminal_n)));
}

static void found(struct store_op *op)
{
    struct look *l = op->arg;
    struct slice terminal = !op->err && l->list.n ? l->list.sas[0].terminal : SLICE_NONE;

    l->terminal_n = terminal.n < sizeof l->terminal ? terminal.n : 0;
    mem_copy(l->terminal, sizeof l->terminal, slice_sub(terminal, 0, l->terminal_n));
    arena_clear(&l->list.mem);
    if (op->err)
        l->job->err = ppg_keyjob_no(l->job, op->err, "the store cannot be read");
    if (!l->terminal_n) {
        finish(l);
        return;
    }
    l->drop = (struct store_sa_drop){.terminal = slice_of(l->terminal, l->terminal_n)};
    l->drop.op = (struct store_op){.kind = STORE_SA_DROP, .done = dropped, .arg = l};
    ppg_core_submit(l->job->admin->conf.core, &l->drop.op);
}

void ppg_keyjob_revoke_stored(struct ppg_keyjob *job)
{
    if ((job->err && job->err != ERR_ABSENT) || !look_begin(job, found))
        ppg_keyjob_finish(job);
}
