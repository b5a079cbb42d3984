/* See bsfc.h.  Runs on its loop. */
#include "ppg/bsfc.h"

#include <stdlib.h>
#include "base/mem.h"
#include "base/net/httpc.h"
#include "base/net/uri.h"
#include "base/num.h"
#include "ppg/keyservice.h"

#define HEAD_MAX_N      4096u
#define URL_MAX_N       2048u
#define CONNECTIONS_MAX 32u
#define IDLE_MS         30000
#define TRY_EVERY_MS    1000

struct ppg_bsfc {
    const struct net_env *env;
    struct ppg_core *core;
    struct ppg_snapshot *snapshot;
    struct net_httpc_pool *pool;
    bool closing;
    void (*closed)(void *arg);
    void *arg;
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
    const char *tls = net_httpc_pool_tls_why(b->pool);

    return tls[0]            ? tls
           : e == ERR_LATE   ? "no answer in time"
           : e == ERR_ABSENT ? "its name is not known"
                             : err_text(e);
}

/* A kept connection may just have ended.  To ask for a key once more does no harm; push info would cost a vector. */
static bool may_repeat(const struct question *q)
{
    return q->k && !q->again && !q->redirected && !q->bsfc->closing;
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
    if (err && e != ERR_AGAIN && !q->bsfc->closing)
        note_failed(q->bsfc, why_of(q->bsfc, err));
    if (e != ERR_AGAIN)
        end(q, e);
}

/* --- questions --- */

static void print_head(const struct net_uri *uri, struct slice target, size_t body_n, struct buf *head)
{
    bool v6 = slice_find(uri->host, ':') != SIZE_MAX;

    net_http_print_request(head, SLICE("POST"), target);
    buf_addf(head, v6 ? "Host: [%.*s]:%u\r\n" : "Host: %.*s:%u\r\n", SLICE_FMT(uri->host), uri->port);
    net_http_print_header(head, SLICE("User-Agent"), SLICE("ppgd/" PPG_VERSION));
    net_http_print_header(head, SLICE("Content-Type"), SLICE("application/json"));
    buf_addf(head, "Content-Length: %zu\r\n\r\n", body_n);
}

/* The service's path behind apiRoot; a redirection names all of it. */
static enum err question_send(struct question *q, struct slice url)
{
    struct ppg_bsfc *b = q->bsfc;
    struct buf head, target;
    struct net_uri uri;
    enum err e = net_uri_parse(url, &uri);

    if (e || !uri.https)
        return e ? e : ERR_UNSUPPORTED;
    buf_init(&head, HEAD_MAX_N);
    buf_init(&target, URL_MAX_N);
    if (!slice_eq(uri.target, SLICE("/")))
        buf_add(&target, uri.target);
    if (!q->redirected)
        buf_add_str(&target, q->k ? PPG_KEYSERVICE_KEYS_PATH : PPG_KEYSERVICE_PUSH_PATH);
    print_head(&uri, buf_slice(&target), q->json.n, &head);
    e = buf_err(&target) ? buf_err(&target) : buf_err(&head);
    if (!e)
        e = net_httpc_pool_send(b->pool, uri.host, uri.port, true, buf_slice(&head), buf_slice(&q->json),
                                ppg_core_settings(b->core)->key_server.bsf_timeout_ms, answered, q);
    buf_clear(&head);
    buf_clear(&target);
    return e;
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
    struct question *q = !b->closing && may_ask(b) ? calloc(1, sizeof *q) : NULL;

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
    struct ppg_snapshot *old = b->snapshot;

    b->snapshot = ppg_snapshot_hold(snapshot);
    net_httpc_pool_set_tls(b->pool, snapshot->bsf);
    ppg_snapshot_drop(&old);
}

enum err ppg_bsfc_create(const struct net_env *env, struct ppg_core *core, struct ppg_snapshot *snapshot,
                         struct ppg_bsfc **out)
{
    const struct ppg_settings *set = ppg_config_settings(snapshot->config);
    int64_t timeout_ms = set->key_server.bsf_timeout_ms;
    struct net_httpc_pool_conf conf = {.conn_max = CONNECTIONS_MAX,
                                       .conn_per_host_max = CONNECTIONS_MAX,
                                       .base = {.tls = snapshot->bsf,
                                                .limits = {.head_max_n = 16384,
                                                           .headers_max = 64,
                                                           .value_max_n = 4096,
                                                           .target_max_n = URL_MAX_N,
                                                           .body_max_n = PPG_KEYSERVICE_MAX_N,
                                                           .head_ms = timeout_ms,
                                                           .idle_ms = IDLE_MS},
                                                .connect_ms = timeout_ms,
                                                .idle_ms = IDLE_MS,
                                                .pipeline_max = 1}};
    struct ppg_bsfc *b = calloc(1, sizeof *b);
    enum err e = b ? net_httpc_pool_create(env, &conf, &b->pool) : ERR_NOMEM;

    if (e) {
        free(b);
        return e;
    }
    b->env = env;
    b->core = core;
    b->snapshot = ppg_snapshot_hold(snapshot);
    *out = b;
    return ERR_OK;
}

static void pool_closed(void *arg)
{
    struct ppg_bsfc *b = arg;
    void (*closed)(void *) = b->closed;
    void *closed_arg = b->arg;

    ppg_snapshot_drop(&b->snapshot);
    free(b);
    closed(closed_arg);
}

void ppg_bsfc_close(struct ppg_bsfc *b, void (*closed)(void *arg), void *arg)
{
    b->closing = true;
    b->closed = closed;
    b->arg = arg;
    net_httpc_pool_close(b->pool, pool_closed, b);
}
