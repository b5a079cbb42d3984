/* The records of terminals with associations of our own making; see gba.h.  One thing at a time is under way for a
 * terminal (`doing`); who needs something meanwhile waits for its end and asks again.  Runs on the core's loop. */
#include "ppg/keys/gba.h"

#include <stdlib.h>
#include "base/codec.h"
#include "base/map.h"
#include "base/mem.h"
#include "ppg/keys/gba_record.h"
#include "ppg/keys/pushinfo.h"
#include "ppg/keys/seq.h"

#define TERMINALS_MAX 50000u /* records in memory; the store has the others */
#define REST_S        300    /* a terminal that took none is let alone for so long */

enum doing { IDLE, FINDING, VECTOR, KEEPING, NUMBERS };

struct terminal {
    struct list link; /* in gba->idle, while nothing is under way */
    struct ppg_gba *gba;
    struct sec_naf_sa *sa;
    struct list waiting; /* struct ppg_protect_wait */
    enum doing doing;
    bool found;    /* the store was asked what is left */
    bool orphan;   /* forgotten while something was under way */
    bool waking;   /* in done(): may not be freed */
    bool alarmed;  /* the operator knows that it takes none */
    enum err told; /* to who is being woken, in place of another try */
    struct ppg_seq_wait seq;
    struct ppg_pushinfo push; /* being asked for */
    struct sec_naf_id naf;    /* our own name in it */
    union {
        struct store_sa_find find;
        struct store_sa_keep keep;
        struct store_numbers numbers;
    } op;
    struct ppg_gba_record *made; /* being kept; owned, wiped */
    struct buf octets;           /* of it, sealed */
    size_t key_n;
    char key[];
};

struct ppg_gba {
    struct ppg_core *core;
    struct map terminals;
    struct list idle; /* the longest idle first */
    struct sec_naf_sa_conf conf;
    uint8_t suites[3];
    size_t busy;    /* records with something under way */
    size_t writing; /* operations of nobody's */
};

static struct slice key_of(const struct terminal *t)
{
    return slice_of(t->key, t->key_n);
}

static int64_t now_s(const struct ppg_gba *g)
{
    return ppg_core_utc_ms(g->core) / 1000;
}

static void log_sa(const struct terminal *t, enum log_level level, const char *event,
                   const uint8_t said[SEC_SA_RAND_N], const char *why)
{
    struct buf text;

    buf_init(&text, 2 * SEC_SA_RAND_N);
    codec_hex(&text, slice_of(said, SEC_SA_RAND_N));
    LOG(t->gba->core->shared->log, level, event, LOG_A("terminal", key_of(t)),
        LOG_S("said", buf_slice(&text)), LOG_C("why", why));
    buf_clear(&text);
}

/* --- suites --- */

static const uint8_t wanted[] = {SEC_GPL_CTR, SEC_GPL_GCM, SEC_GPL_HMAC}; /* what every terminal opens */

static size_t suites_of(const struct ppg_settings *set, uint8_t out[3])
{
    size_t n = 0;

    for (size_t i = 0; i < sizeof wanted; i++)
        if (set->protection.suites >> wanted[i] & 1)
            out[n++] = wanted[i];
    return n;
}

bool ppg_gba_offers(const struct ppg_core *c, struct slice terminal, bool encrypts)
{
    struct sec_keyserver *server = ppg_config_keyserver(c->config);
    uint8_t suites[3];
    struct slice impi;
    uint64_t from;
    size_t n = suites_of(ppg_core_settings(c), suites);

    if (n == 0 || (encrypts && !sec_gpl_suite_encrypts(suites[0])))
        return false;
    if (ppg_core_settings(c)->key_server.bsf_url) /* it alone knows its subscribers */
        return true;
    return server && !sec_keyserver_wants(server, terminal, &impi, &from);
}

/* --- records --- */

static void record_drop(struct ppg_gba_record **r)
{
    if (!*r)
        return;
    mem_wipe(*r, sizeof **r);
    free(*r);
    *r = NULL;
}

static void terminal_free(struct terminal *t)
{
    list_remove(&t->link);
    sec_naf_sa_free(&t->sa);
    record_drop(&t->made);
    buf_clear(&t->octets);
    free(t);
}

static void terminal_out(struct ppg_gba *g, struct terminal *t)
{
    (void)map_del(&g->terminals, key_of(t));
    if (t->doing == IDLE && !t->waking)
        terminal_free(t);
    else
        t->orphan = true;
}

static enum err terminal_new(struct ppg_gba *g, struct slice key, struct terminal **out)
{
    struct terminal *t = calloc(1, sizeof *t + key.n);
    enum err e;

    if (!t)
        return ERR_NOMEM;
    t->gba = g;
    t->key_n = key.n;
    mem_copy(t->key, key.n, key);
    list_init(&t->link);
    list_init(&t->waiting);
    buf_init(&t->octets, PPG_GBA_SEALED_MAX_N);
    e = sec_naf_sa_create(&g->conf, &t->sa);
    if (!e && g->terminals.n == TERMINALS_MAX && !list_empty(&g->idle))
        terminal_out(g, container_of(g->idle.next, struct terminal, link));
    if (!e)
        e = map_put(&g->terminals, key_of(t), t);
    if (e) {
        terminal_free(t);
        return e;
    }
    *out = t;
    return ERR_OK;
}

/* --- one thing at a time --- */

static void begin(struct terminal *t, enum doing doing)
{
    t->doing = doing;
    t->gba->busy++;
    list_remove(&t->link);
}

static void wake(struct terminal *t)
{
    struct list waiting, *at;

    list_init(&waiting);
    list_splice_back(&waiting, &t->waiting);
    while ((at = list_pop_front(&waiting))) {
        struct ppg_protect_wait *w = container_of(at, struct ppg_protect_wait, link);

        w->fn(w->arg);
    }
}

/* It came to nothing before anybody waited for it. */
static void undo(struct terminal *t)
{
    t->doing = IDLE;
    t->gba->busy--;
    if (!t->waking)
        list_push_back(&t->gba->idle, &t->link);
}

/* What was begun is over.  e: what who waits is to hear; ERR_OK: they ask again, and the first may begin the next thing. */
static void done(struct terminal *t, enum err e)
{
    struct ppg_gba *g = t->gba;

    t->doing = IDLE;
    g->busy--;
    t->told = e;
    t->waking = true;
    wake(t); /* an orphan's find the one in its place */
    t->waking = false;
    t->told = ERR_OK;
    if (t->doing != IDLE)
        return;
    if (t->orphan)
        terminal_free(t);
    else
        list_push_back(&g->idle, &t->link);
}

/* --- a new one --- */

static void kept(struct store_op *op)
{
    struct terminal *t = op->arg;
    struct ppg_gba_record *r = t->made;
    enum err e = op->err;

    if (!e && !t->orphan)
        e = sec_naf_sa_adopt(t->sa, &r->info, slice_of(r->ptid, r->ptid_n), now_s(t->gba));
    if (!e && !t->orphan)
        e = sec_naf_sa_reserved(t->sa, r->info.rand, 1, 1 + t->op.keep.count);
    if (e)
        LOG(t->gba->core->shared->log, LOG_ERROR, "sa.keep.fail", LOG_A("terminal", key_of(t)),
            LOG_C("error", err_name(e)));
    else
        log_sa(t, LOG_INFO, "sa.made", r->info.rand, "push info");
    record_drop(&t->made);
    buf_reset(&t->octets, 0);
    done(t, e);
}

/* It is used when it is on disk: a run that dies leaves nothing that the next one does not know. */
static enum err keep(struct terminal *t)
{
    struct ppg_core *c = t->gba->core;
    struct ppg_gba_record *r = t->made;
    struct store_sa_keep *op = &t->op.keep;
    enum err e = ppg_gba_record_seal(ppg_config_sa_key(c->config), key_of(t), r, &t->octets);

    if (e)
        return e;
    *op = (struct store_sa_keep){.count = ppg_core_settings(c)->protection.number_range};
    op->sa = (struct store_sa){.terminal = key_of(t),
                               .made_s = r->info.created_s,
                               .expires_s = r->info.expires_s,
                               .octets = buf_slice(&t->octets)};
    mem_copy(op->sa.said, sizeof op->sa.said, slice_of(r->info.rand, sizeof r->info.rand));
    op->op = (struct store_op){.kind = STORE_SA_KEEP, .done = kept, .arg = t};
    t->doing = KEEPING;
    ppg_core_submit(c, &op->op);
    return ERR_OK;
}

/* What came is the record's; nothing of it stays here. */
static void take(struct terminal *t)
{
    t->made->info = t->push.info;
    sec_push_info_clear(&t->push.info);
    t->push.resync = false;
}

static void informed(void *arg, enum err e)
{
    struct terminal *t = arg;

    take(t);
    if (!e && !t->orphan)
        e = keep(t);
    if (!e && !t->orphan)
        return;
    record_drop(&t->made);
    done(t, e);
}

/* Push info from wherever it is to be had; ERR_AGAIN: informed() hears of it. */
static enum err ask(struct terminal *t)
{
    struct ppg_core *c = t->gba->core;
    struct ppg_gba_record *r = t->made;
    enum err e = sec_gba_naf_id(slice_str(ppg_core_settings(c)->key_server.name), SEC_GBA_UA_GPL, &t->naf);

    if (!e)
        e = sec_random(r->ptid, SEC_GBA_PTID_N);
    r->ptid_n = SEC_GBA_PTID_N;
    t->push.request = (struct sec_push_request){.ue = key_of(t),
                                                .naf_id = slice_of(t->naf.octets, t->naf.n),
                                                .ptid = slice_of(r->ptid, SEC_GBA_PTID_N),
                                                .expires_s = INT64_MAX};
    t->push.done = informed;
    t->push.arg = t;
    return e ? e : ppg_pushinfo_get(c, &t->push);
}

/* Not ERR_OK: nothing is under way. */
static enum err make(struct terminal *t)
{
    enum err e;

    t->made = calloc(1, sizeof *t->made);
    if (!t->made)
        return ERR_NOMEM;
    t->doing = VECTOR;
    e = ask(t);
    if (e == ERR_AGAIN)
        return ERR_OK;
    take(t);
    if (!e)
        e = keep(t);
    if (e)
        record_drop(&t->made);
    return e;
}

static void numbered(void *arg, enum err e)
{
    struct terminal *t = arg;

    if (!e && !t->orphan)
        e = make(t);
    if (e || t->orphan)
        done(t, e);
}

static enum err begin_making(struct terminal *t)
{
    enum err e;

    begin(t, VECTOR);
    e = make(t);
    if (!e)
        return ERR_OK;
    LOG(t->gba->core->shared->log, LOG_WARN, "sa.make.fail", LOG_A("terminal", key_of(t)),
        LOG_C("error", err_name(e)));
    undo(t);
    return e;
}

/* --- what an earlier run left --- */

static enum err put_back(struct terminal *t, const struct store_sa *row)
{
    struct ppg_gba_record r = {.ptid_n = 0};
    enum err e = ppg_gba_record_open(ppg_config_sa_key(t->gba->core->config), row, &r);

    if (!e)
        e = sec_naf_sa_restore(t->sa, &r.info, slice_of(r.ptid, r.ptid_n), row->confirmed, now_s(t->gba));
    mem_wipe(&r, sizeof r);
    return e;
}

static void found(struct store_op *op)
{
    struct terminal *t = op->arg;
    struct store_sa_find *o = &t->op.find;

    for (size_t i = o->n; !op->err && !t->orphan && i-- > 0;) { /* the oldest first */
        enum err e = put_back(t, &o->sas[i]);

        if (e)
            log_sa(t, LOG_INFO, "sa.lost", o->sas[i].said, err_name(e));
    }
    arena_clear(&o->mem);
    t->found = !op->err;
    done(t, op->err);
}

static void begin_finding(struct terminal *t)
{
    begin(t, FINDING);
    t->op.find = (struct store_sa_find){.terminal = key_of(t)};
    t->op.find.op = (struct store_op){.kind = STORE_SA_FIND, .done = found, .arg = t};
    ppg_core_submit(t->gba->core, &t->op.find.op);
}

/* --- numbers --- */

static void reserved(struct store_op *op)
{
    struct terminal *t = op->arg;
    struct store_numbers *o = &t->op.numbers;
    enum err e = op->err;

    if (!e && !t->orphan)
        e = sec_naf_sa_reserved(t->sa, o->said, o->from, o->to);
    if (e == ERR_LATE && !t->orphan) /* all are used: another one */
        sec_naf_sa_refuse(t->sa, o->said, now_s(t->gba));
    if (e == ERR_ABSENT || e == ERR_LATE)
        e = ERR_OK;
    if (e)
        LOG(t->gba->core->shared->log, LOG_ERROR, "sa.numbers.fail", LOG_C("error", err_name(e)));
    done(t, e);
}

static enum err begin_reserving(struct terminal *t)
{
    struct ppg_core *c = t->gba->core;
    struct store_numbers *o = &t->op.numbers;
    uint8_t said[SEC_SA_RAND_N];
    enum err e = sec_naf_sa_name(t->sa, now_s(t->gba), said);

    if (e)
        return e;
    begin(t, NUMBERS);
    *o = (struct store_numbers){.floor = sec_naf_sa_floor(t->sa, now_s(t->gba)),
                                .count = ppg_core_settings(c)->protection.number_range};
    mem_copy(o->said, sizeof o->said, slice_of(said, sizeof said));
    o->op = (struct store_op){.kind = STORE_NUMBERS, .done = reserved, .arg = t};
    ppg_core_submit(c, &o->op);
    return ERR_OK;
}

/* --- for protect.c --- */

static enum err queue(struct terminal *t, struct ppg_protect_wait *wait)
{
    list_push_back(&t->waiting, &wait->link);
    return ERR_AGAIN;
}

static enum err refused_all(struct terminal *t)
{
    if (!t->alarmed)
        LOG(t->gba->core->shared->log, LOG_ERROR, "sa.failed", LOG_A("terminal", key_of(t)),
            LOG_I("tries", SEC_NAF_SA_TRIES));
    t->alarmed = true;
    return ERR_IO;
}

enum err ppg_gba_get(struct ppg_gba *g, struct slice terminal, struct ppg_protect_wait *wait,
                     struct sec_naf_sa **out)
{
    struct terminal *t = map_get(&g->terminals, terminal);
    enum sec_naf_sa_need need;
    enum err e = t ? t->told : ERR_OK;

    if (!t && !ppg_gba_offers(g->core, terminal, false))
        return ERR_ABSENT;
    if (!t)
        e = terminal_new(g, terminal, &t);
    if (e)
        return e;
    if (!t->found && t->doing == IDLE)
        begin_finding(t);
    if (!t->found)
        return queue(t, wait);
    need = sec_naf_sa_need(t->sa, now_s(g));
    if (need == SEC_NAF_SA_FAILED)
        return refused_all(t);
    if ((need == SEC_NAF_SA_NEW || need == SEC_NAF_SA_REFRESH) && t->doing == IDLE)
        e = begin_making(t);
    if (need == SEC_NAF_SA_NEW)
        return e ? e : queue(t, wait);
    *out = t->sa;
    return ERR_OK;
}

enum err ppg_gba_reserve(struct ppg_gba *g, struct slice terminal, struct ppg_protect_wait *wait)
{
    struct terminal *t = map_get(&g->terminals, terminal);
    enum err e = t ? t->told : ERR_ABSENT;

    if (!e && t->doing == IDLE)
        e = begin_reserving(t);
    return e ? ERR_IO : queue(t, wait);
}

void ppg_gba_sealed(struct ppg_gba *g, struct slice terminal)
{
    struct terminal *t = map_get(&g->terminals, terminal);

    if (!t || t->doing != IDLE || t->waking)
        return;
    list_remove(&t->link);
    list_push_back(&g->idle, &t->link);
    if (sec_naf_sa_left(t->sa) < ppg_core_settings(g->core)->protection.number_range / 4)
        (void)begin_reserving(t);
}

/* --- what terminals say --- */

struct written {
    struct ppg_gba *gba;
    union {
        struct store_op op;
        struct store_sa_confirm confirm;
        struct store_sa_drop drop;
    };
    char terminal[];
};

static void written(struct store_op *op)
{
    struct written *w = op->arg;

    if (op->err && op->err != ERR_ABSENT)
        LOG(w->gba->core->shared->log, LOG_ERROR, "sa.write.fail", LOG_C("error", err_name(op->err)));
    w->gba->writing--;
    free(w);
}

static void write_begin(struct ppg_gba *g, struct written *w, enum store_kind kind)
{
    w->gba = g;
    w->op = (struct store_op){.kind = kind, .done = written, .arg = w};
    g->writing++;
    ppg_core_submit(g->core, &w->op);
}

/* Lost, it rides along again after a restart. */
static void confirm(struct ppg_gba *g, const uint8_t said[SEC_SA_RAND_N])
{
    struct written *w = calloc(1, sizeof *w);

    if (!w)
        return;
    mem_copy(w->confirm.said, sizeof w->confirm.said, slice_of(said, SEC_SA_RAND_N));
    write_begin(g, w, STORE_SA_CONFIRM);
}

/* `terminal` not empty: all of it.  Lost, the terminal refuses it again after a restart. */
static void drop(struct ppg_gba *g, const uint8_t *said, struct slice terminal)
{
    struct written *w = calloc(1, sizeof *w + terminal.n);

    if (!w)
        return;
    mem_copy(w->terminal, terminal.n, terminal);
    w->drop.terminal = slice_of(w->terminal, terminal.n);
    if (said)
        mem_copy(w->drop.said, sizeof w->drop.said, slice_of(said, SEC_SA_RAND_N));
    write_begin(g, w, STORE_SA_DROP);
}

static void shown(struct terminal *t, const uint8_t said[SEC_SA_RAND_N], const char *how)
{
    if (!sec_naf_sa_confirm(t->sa, said))
        return;
    t->alarmed = false;
    log_sa(t, LOG_INFO, "sa.confirmed", said, how);
    confirm(t->gba, said);
}

void ppg_gba_taken(struct ppg_gba *g, struct slice terminal, const uint8_t said[SEC_SA_RAND_N])
{
    struct terminal *t = map_get(&g->terminals, terminal);

    if (t)
        shown(t, said, "taken");
}

static bool says(struct slice text, struct slice message_id)
{
    struct buf want;
    bool same;

    buf_init(&want, OTA_SA_UPLINK_MAX_N);
    ota_sa_confirmation_print(message_id, &want);
    same = !buf_err(&want) && slice_eq(text, buf_slice(&want));
    buf_clear(&want);
    return same;
}

/* NULL: it is the terminal's own, and about that push; else why it is not. */
static const char *uplink_fault(struct terminal *t, const uint8_t said[SEC_SA_RAND_N],
                                struct slice message_id, struct slice octets)
{
    uint8_t by[SEC_SA_RAND_N];
    struct sec_gpl_msg msg;
    struct buf text;
    const char *why = NULL;
    enum err e = sec_gpl_parse(octets, &msg);

    buf_init(&text, OTA_SA_UPLINK_MAX_N);
    if (!e)
        e = sec_naf_sa_open(t->sa, now_s(t->gba), &msg, &text, by);
    if (e)
        why = sec_gpl_reject_name(e);
    else if (!slice_eq(slice_of(by, sizeof by), slice_of(said, SEC_SA_RAND_N)) ||
             !says(buf_slice(&text), message_id))
        why = "of another push";
    buf_clear(&text);
    return why;
}

void ppg_gba_confirmed(struct ppg_gba *g, struct slice terminal, const uint8_t said[SEC_SA_RAND_N],
                       struct slice message_id, const struct ota_sa_answer *answer)
{
    struct terminal *t = map_get(&g->terminals, terminal);
    const char *why =
        t ? uplink_fault(t, said, message_id, slice_of(answer->uplink, answer->uplink_n)) : NULL;

    if (why)
        log_sa(t, LOG_WARN, "sa.confirm.refused", said, why);
    else if (t)
        shown(t, said, "uplink");
}

/* The module stands elsewhere: the key server goes there, and makes the next one from there.  A far one says what it
 * thinks of that with its next answer. */
static enum err resync(struct terminal *t, const struct ota_sa_answer *a)
{
    enum err e;

    if (ppg_core_settings(t->gba->core)->key_server.bsf_url) {
        t->push.resync = true;
        mem_copy(t->push.rand, sizeof t->push.rand, slice_of(a->rand, sizeof a->rand));
        mem_copy(t->push.auts, sizeof t->push.auts, slice_of(a->auts, sizeof a->auts));
        return begin_making(t);
    }
    t->seq = (struct ppg_seq_wait){.fn = numbered, .arg = t};
    begin(t, VECTOR);
    e = ppg_seq_resync(t->gba->core->seq, key_of(t), a->rand, a->auts, &t->seq);
    if (e)
        undo(t);
    return e == ERR_EXISTS ? ERR_OK : e;
}

bool ppg_gba_answered(struct ppg_gba *g, struct slice terminal, const uint8_t said[SEC_SA_RAND_N],
                      const struct ota_sa_answer *answer)
{
    struct terminal *t = map_get(&g->terminals, terminal);
    bool moved = answer->word == OTA_SA_RESYNC;
    enum err e = ERR_OK;

    if (!t || answer->word == OTA_SA_NOTHING || answer->word == OTA_SA_CONFIRMED ||
        (moved && !slice_eq(slice_of(answer->rand, sizeof answer->rand), slice_of(said, SEC_SA_RAND_N))))
        return false;
    if (moved && t->doing == IDLE)
        e = resync(t, answer);
    log_sa(t, e ? LOG_WARN : LOG_INFO, moved ? "sa.resync" : "sa.unknown", said,
           e ? err_name(e) : "answered");
    if (e == ERR_DENIED || e == ERR_ABSENT) /* not its own module's word: somebody on the way, perhaps */
        return false;
    sec_naf_sa_refuse(t->sa, said, now_s(g));
    drop(g, said, SLICE_NONE);
    return true;
}

/* --- operators --- */

void ppg_gba_revoke(struct ppg_gba *g, struct slice terminal)
{
    struct terminal *t = map_get(&g->terminals, terminal);

    drop(g, NULL, terminal);
    if (t)
        terminal_out(g, t);
}

static void configure(struct ppg_gba *g)
{
    size_t n = suites_of(ppg_core_settings(g->core), g->suites);

    g->conf = (struct sec_naf_sa_conf){
        .suites = slice_of(g->suites, n), .rest_s = REST_S, .window = SEC_SA_WINDOW_MAX};
}

void ppg_gba_forget(struct ppg_gba *g)
{
    struct terminal *t;
    size_t pos = 0;

    while ((t = map_next(&g->terminals, &pos)))
        terminal_out(g, t);
    configure(g);
}

enum err ppg_gba_create(struct ppg_core *c, struct ppg_gba **out)
{
    struct ppg_gba *g = calloc(1, sizeof *g);

    if (!g)
        return ERR_NOMEM;
    g->core = c;
    map_init(&g->terminals, TERMINALS_MAX);
    list_init(&g->idle);
    configure(g);
    *out = g;
    return ERR_OK;
}

void ppg_gba_free(struct ppg_gba **gp)
{
    struct ppg_gba *g = *gp;

    *gp = NULL;
    if (!g)
        return;
    MUST(g->busy == 0 && g->writing == 0);
    ppg_gba_forget(g);
    map_clear(&g->terminals);
    free(g);
}
