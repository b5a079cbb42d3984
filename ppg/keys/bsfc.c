/* See bsfc.h.  Runs on its loop. */
#include "ppg/keys/bsfc.h"

#include <stdlib.h>
#include "base/mem.h"
#include "base/num.h"
#include "ppg/keys/keyservice.h"
#include "ppg/poster.h"

#define CONNECTIONS_MAX 32u
#define IDLE_MS         30000
#define TRY_EVERY_MS    1000

struct ppg_bsfc {
    struct ppg_poster poster;
    struct ppg_core *core;
};

/* One of either kind. */
struct question {
    struct ppg_bsfc *bsfc;
    struct ppg_pushinfo *p;
    struct ppg_bsfc_key *k;
    struct ppg_key_ask ask; /* of push info */
    struct buf json;
    bool redirected;
    bool again; /* sent a second time */
};

/* --- does it answer? --- */

static void note_failed(struct ppg_bsfc *b, const char *why)
{
    struct ppg_bsf_state *s = &b->core->shared->bsf;
    int64_t never = 0;

    atomic_store(&s->why, why);
    atomic_store(&s->try_at_ms, ppg_core_mono_ms(b->core) + TRY_EVERY_MS);
    if (atomic_compare_exchange_strong(&s->away_since_ms, &never, ppg_core_utc_ms(b->core)))
        LOG(b->core->shared->log, LOG_ERROR, "bsf.away", LOG_C("reason", why));
}

static void note_answered(struct ppg_bsfc *b)
{
    struct ppg_bsf_state *s = &b->core->shared->bsf;

    atomic_store(&s->why, NULL);
    if (atomic_exchange(&s->away_since_ms, 0))
        LOG(b->core->shared->log, LOG_WARN, "bsf.back");
}

/* One question at a time finds out whether it is back. */
static bool may_ask(struct ppg_bsfc *b)
{
    struct ppg_bsf_state *s = &b->core->shared->bsf;
    int64_t now = ppg_core_mono_ms(b->core), at = atomic_load(&s->try_at_ms);

    return !atomic_load(&s->away_since_ms) ||
           (now >= at && atomic_compare_exchange_strong(&s->try_at_ms, &at, now + TRY_EVERY_MS));
}

/* --- answers --- */

static void end(struct question *q, enum err e)
{
    struct ppg_pushinfo *p = q->p;
    struct ppg_bsfc_key *k = q->k;

    buf_clear(&q->json);
    free(q);
    if (k)
        k->done(k, e);
    else
        p->done(p->arg, e);
}

static enum err take(struct question *q, struct slice body)
{
    const char *why;
    enum err e =
        q->k ? ppg_key_answer_parse(body, &q->k->key, &why)
             : ppg_push_answer_parse(body, &q->ask, ppg_core_utc_ms(q->bsfc->core) / 1000, &q->p->info, &why);

    if (e == ERR_MALFORMED)
        LOG(q->bsfc->core->shared->log, LOG_ERROR, "bsf.answer.bad", LOG_C("reason", why));
    return e == ERR_MALFORMED ? ERR_IO : e;
}

static enum err question_send(struct question *q, struct slice url);

/* A B-TID that nobody has is told by who asked. */
static void tell_refusal(const struct question *q, unsigned status)
{
    struct log *log = q->bsfc->core->shared->log;

    if (!q->k)
        LOG(log, LOG_WARN, "bsf.refused", LOG_I("status", status), LOG_A("terminal", q->p->request.ue));
    else if (status != 404)
        LOG(log, LOG_WARN, "bsf.refused", LOG_I("status", status), LOG_C("wanted", "a key by B-TID"));
}

static enum err verdict(struct question *q, const struct net_http_msg *msg)
{
    struct ppg_bsfc *b = q->bsfc;

    if ((msg->status == 307 || msg->status == 308) && !q->redirected) {
        q->redirected = true;
        return question_send(q, net_http_header(msg, SLICE("Location"), NULL)) ? ERR_IO : ERR_AGAIN;
    }
    if (msg->status >= 500 || msg->status == 429 || msg->status / 100 == 3) {
        note_failed(b, "it answers that it cannot");
        return ERR_IO;
    }
    note_answered(b);
    if (msg->status == 200)
        return take(q, msg->body);
    tell_refusal(q, msg->status);
    return msg->status == 404 ? ERR_ABSENT : ERR_DENIED; /* then the NAF must leave the terminal alone */
}

static const char *why_of(const struct ppg_bsfc *b, enum err e)
{
    const char *tls = net_httpc_pool_tls_why(b->poster.pool);

    return tls[0]            ? tls
           : e == ERR_LATE   ? "no answer in time"
           : e == ERR_ABSENT ? "its name is not known"
                             : err_text(e);
}

/* A kept connection may just have ended.  To ask for a key once more does no harm; push info would cost a vector. */
static bool may_repeat(const struct question *q)
{
    return q->k && !q->again && !q->redirected;
}

static enum err repeat(struct question *q)
{
    q->again = true;
    return question_send(q, slice_str(ppg_core_settings(q->bsfc->core)->key_server.bsf_url)) ? ERR_IO
                                                                                             : ERR_AGAIN;
}

static void answered(enum err err, const struct net_http_msg *msg, bool sent, void *arg)
{
    struct question *q = arg;
    enum err e = ERR_IO;

    (void)sent;
    if (!err)
        e = verdict(q, msg);
    else if (err == ERR_PEER && may_repeat(q))
        e = repeat(q);
    if (err && e != ERR_AGAIN && !q->bsfc->poster.closed)
        note_failed(q->bsfc, why_of(q->bsfc, err));
    if (e != ERR_AGAIN)
        end(q, e);
}

/* --- questions --- */

/* The service's path behind apiRoot; a redirection names all of it. */
static enum err question_send(struct question *q, struct slice url)
{
    struct ppg_bsfc *b = q->bsfc;
    struct slice path = q->k ? SLICE(PPG_KEYSERVICE_KEYS_PATH) : SLICE(PPG_KEYSERVICE_PUSH_PATH);
    struct ppg_post post = {.url = url,
                            .path = q->redirected ? SLICE_NONE : path,
                            .type = "application/json",
                            .body = buf_slice(&q->json),
                            .timeout_ms = ppg_core_settings(b->core)->key_server.bsf_timeout_ms};

    return ppg_poster_send(&b->poster, &post, answered, q);
}

/* A terminal is known by a public identity: telephone numbers as URIs, others as they are. */
static enum err question_fill(struct question *q, struct buf *ue)
{
    const struct sec_push_request *r = &q->p->request;

    buf_add_str(ue, slice_starts(r->ue, SLICE("+")) ? "tel:" : "");
    buf_add(ue, r->ue);
    if (buf_err(ue) || r->naf_id.n > sizeof q->ask.naf.octets || r->ptid.n > sizeof q->ask.ptid)
        return ERR_LIMIT;
    q->ask.ue = buf_slice(ue);
    q->ask.label = r->label;
    q->ask.expires_s =
        num_min64(r->expires_s, ppg_core_utc_ms(q->bsfc->core) / 1000 +
                                    ppg_core_settings(q->bsfc->core)->key_server.life_ms / 1000);
    q->ask.aware = true;
    q->ask.naf.n = r->naf_id.n;
    mem_copy(q->ask.naf.octets, sizeof q->ask.naf.octets, r->naf_id);
    q->ask.ptid_n = r->ptid.n;
    mem_copy(q->ask.ptid, sizeof q->ask.ptid, r->ptid);
    q->ask.resync = q->p->resync;
    mem_copy(q->ask.rand, sizeof q->ask.rand, slice_of(q->p->rand, sizeof q->p->rand));
    mem_copy(q->ask.auts, sizeof q->ask.auts, slice_of(q->p->auts, sizeof q->p->auts));
    return ppg_key_ask_print(&q->ask, &q->json);
}

/* ERR_IO: it is away. */
static enum err question_new(struct ppg_bsfc *b, struct question **out)
{
    struct question *q = may_ask(b) ? calloc(1, sizeof *q) : NULL;

    if (!q)
        return ERR_IO;
    q->bsfc = b;
    buf_init(&q->json, PPG_KEYSERVICE_MAX_N);
    *out = q;
    return ERR_OK;
}

/* e: what became of filling it. */
static enum err question_go(struct question *q, enum err e)
{
    struct ppg_bsfc *b = q->bsfc;

    if (!e)
        e = question_send(q, slice_str(ppg_core_settings(b->core)->key_server.bsf_url));
    if (e) {
        buf_clear(&q->json);
        free(q);
        return ERR_IO;
    }
    atomic_fetch_add(&b->core->shared->bsf.asked, 1);
    return ERR_AGAIN;
}

enum err ppg_bsfc_ask(struct ppg_bsfc *b, struct ppg_pushinfo *p)
{
    struct question *q;
    struct buf ue;
    enum err e = question_new(b, &q);

    if (e)
        return e;
    q->p = p;
    buf_init(&ue, SEC_KEYSERVER_IDENTITY_MAX_N + 4);
    e = question_fill(q, &ue);
    q->ask.ue = q->ask.label = SLICE_NONE; /* printed; what they were views of goes */
    buf_clear(&ue);
    return question_go(q, e);
}

enum err ppg_bsfc_ask_key(struct ppg_bsfc *b, struct ppg_bsfc_key *k)
{
    struct ppg_key_ask ask = {.naf = k->naf_id, .aware = true, .btid = k->btid};
    struct question *q;
    enum err e = question_new(b, &q);

    if (e)
        return e;
    q->k = k;
    return question_go(q, ppg_key_ask_print(&ask, &q->json));
}

/* --- life --- */

void ppg_bsfc_set(struct ppg_bsfc *b, struct ppg_snapshot *snapshot)
{
    ppg_poster_set(&b->poster, snapshot, snapshot->bsf);
}

static void gone(struct ppg_poster *p)
{
    free(container_of(p, struct ppg_bsfc, poster));
}

enum err ppg_bsfc_create(const struct net_env *env, struct ppg_core *core, struct ppg_snapshot *snapshot,
                         struct ppg_bsfc **out)
{
    const struct ppg_poster_conf conf = {.tls = snapshot->bsf,
                                         .tls_only = true,
                                         .connections_max = CONNECTIONS_MAX,
                                         .per_server_max = CONNECTIONS_MAX,
                                         .answer_max_n = PPG_KEYSERVICE_MAX_N,
                                         .connect_ms =
                                             ppg_config_settings(snapshot->config)->key_server.bsf_timeout_ms,
                                         .idle_ms = IDLE_MS,
                                         .gone = gone};
    struct ppg_bsfc *b = calloc(1, sizeof *b);
    enum err e = b ? ppg_poster_init(&b->poster, env, snapshot, &conf) : ERR_NOMEM;

    if (e) {
        free(b);
        return e;
    }
    b->core = core;
    *out = b;
    return ERR_OK;
}

void ppg_bsfc_close(struct ppg_bsfc *b, void (*closed)(void *arg), void *arg)
{
    ppg_poster_close(&b->poster, closed, arg);
}
