/* Reservations of sequence numbers under way, one for each subscriber at a time; see seq.h.  Runs on the core's loop. */
#include "ppg/keys/seq.h"

#include <stdlib.h>
#include "base/map.h"
#include "base/mem.h"

#define JOBS_MAX 100000u /* subscribers at a time */

struct job {
    struct ppg_seq *seq;
    struct store_seq op;
    struct list waiting; /* struct ppg_seq_wait */
    char impi[SEC_KEYSERVER_IDENTITY_MAX_N];
};

struct ppg_seq {
    struct ppg_core *core;
    struct map jobs; /* by IMPI */
};

/* Another loop may have been faster: then there are numbers, and ours are skipped. */
static enum err give(struct ppg_core *c, const struct store_seq *o)
{
    struct sec_keyserver *server = ppg_config_keyserver(c->config);
    enum err e = server ? sec_keyserver_reserved(server, o->impi, o->from, o->to) : ERR_ABSENT;

    return e == ERR_EXISTS ? ERR_OK : e;
}

static void reserved(struct store_op *op)
{
    struct job *j = op->arg;
    struct ppg_core *c = j->seq->core;
    enum err e = op->err ? op->err : give(c, &j->op);
    struct list waiting, *at;

    if (e)
        LOG(c->shared->log, LOG_ERROR, "seq.reserve.fail", LOG_A("impi", j->op.impi),
            LOG_C("error", err_name(e)));
    else
        LOG(c->shared->log, LOG_DEBUG, "seq.reserve", LOG_A("impi", j->op.impi), LOG_I("from", j->op.from),
            LOG_I("to", j->op.to));
    (void)map_del(&j->seq->jobs, j->op.impi);
    list_init(&waiting);
    list_splice_back(&waiting, &j->waiting);
    free(j);
    while ((at = list_pop_front(&waiting))) {
        struct ppg_seq_wait *w = container_of(at, struct ppg_seq_wait, link);

        w->fn(w->arg, e);
    }
}

static enum err job_start(struct ppg_seq *s, struct slice impi, uint64_t floor, bool set, struct job **out)
{
    struct job *j = calloc(1, sizeof *j);
    enum err e;

    if (!j)
        return ERR_NOMEM;
    j->seq = s;
    list_init(&j->waiting);
    mem_copy(j->impi, sizeof j->impi, impi);
    j->op = (struct store_seq){
        .impi = slice_of(j->impi, impi.n), .floor = floor, .set = set, .count = PPG_SEQ_RANGE};
    j->op.op = (struct store_op){.kind = STORE_SEQ, .done = reserved, .arg = j};
    e = map_put(&s->jobs, j->op.impi, j);
    if (e) {
        free(j);
        return e;
    }
    ppg_core_submit(s->core, &j->op.op);
    *out = j;
    return ERR_OK;
}

enum err ppg_seq_reserve(struct ppg_seq *s, struct slice ue, struct ppg_seq_wait *wait)
{
    struct sec_keyserver *server = ppg_config_keyserver(s->core->config);
    struct slice impi;
    struct job *j;
    uint64_t from;
    enum err e = server ? sec_keyserver_wants(server, ue, &impi, &from) : ERR_ABSENT;

    if (e)
        return e;
    j = map_get(&s->jobs, impi);
    if (!j)
        e = job_start(s, impi, from, false, &j);
    if (!e)
        list_push_back(&j->waiting, &wait->link);
    return e;
}

enum err ppg_seq_resync(struct ppg_seq *s, struct slice ue, const uint8_t rand[SEC_AKA_RAND_N],
                        const uint8_t auts[SEC_AKA_AUTS_N], struct ppg_seq_wait *wait)
{
    struct sec_keyserver *server = ppg_config_keyserver(s->core->config);
    struct slice impi;
    struct job *j;
    uint64_t from;
    enum err e = server ? sec_keyserver_wants(server, ue, &impi, &from) : ERR_ABSENT;

    if (!e && map_get(&s->jobs, impi))
        return ERR_LIMIT;
    if (!e)
        e = sec_keyserver_resync(server, ue, rand, auts, &from);
    if (!e)
        e = job_start(s, impi, from, true, &j);
    if (!e)
        list_push_back(&j->waiting, &wait->link);
    return e;
}

enum err ppg_seq_create(struct ppg_core *c, struct ppg_seq **out)
{
    struct ppg_seq *s = calloc(1, sizeof *s);

    if (!s)
        return ERR_NOMEM;
    s->core = c;
    map_init(&s->jobs, JOBS_MAX);
    *out = s;
    return ERR_OK;
}

void ppg_seq_free(struct ppg_seq **sp)
{
    struct ppg_seq *s = *sp;

    *sp = NULL;
    if (!s)
        return;
    MUST(s->jobs.n == 0);
    map_clear(&s->jobs);
    free(s);
}
