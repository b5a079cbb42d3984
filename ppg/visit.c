/* The home's side of visits; see visit.h.  What holds a key is a buf, which is wiped. */
#include "ppg/visit.h"

#include <jansson.h>
#include <stdlib.h>
#include "base/codec.h"
#include "base/mem.h"
#include "base/net/httpc.h"
#include "base/net/uri.h"
#include "pap/time.h"

#define HEAD_MAX_N      4096u
#define JSON_MAX_N      2048u
#define ANSWER_MAX_N    4096u
#define CONNECTIONS_MAX 16u
#define IDLE_MS         30000
#define CHANCE_N        16 /* octets of an identity */

struct ppg_visit {
    struct ppg_core *core;
    struct ppg_snapshot *snapshot;
    struct net_httpc_pool *pool;
    bool closing;
    void (*closed)(void *arg);
    void *arg;
};

struct transfer {
    struct ppg_visit *visit;
    struct ppg_visit_ask *ask;
    struct buf json; /* to the other side */
};

/* --- texts --- */

struct grant {
    char identity[64];
    size_t identity_n;
    uint8_t key[SEC_VISIT_KEY_N];
    int64_t expires_s;
};

static enum err make_grant(const struct ppg_visit *v, const struct ppg_visited *to, struct grant *g)
{
    uint8_t chance[CHANCE_N];
    struct buf text;
    enum err e = sec_random(chance, sizeof chance);

    if (!e)
        e = sec_random(g->key, sizeof g->key);
    if (e)
        return e;
    buf_init(&text, sizeof g->identity);
    buf_add_str(&text, SEC_VISIT_NAME);
    codec_hex(&text, slice_of(chance, sizeof chance));
    g->identity_n = text.n;
    mem_copy(g->identity, sizeof g->identity, buf_slice(&text));
    g->expires_s = ppg_core_utc_ms(v->core) / 1000 + to->life_s;
    e = buf_err(&text);
    buf_clear(&text);
    return e;
}

static void member(struct buf *json, const char *name, struct slice value)
{
    buf_addf(json, ",\"%s\":", name);
    codec_json(json, value);
}

/* What both sides are told. */
static enum err print_grant(const struct grant *g, struct buf *json)
{
    struct buf when;
    enum err e;

    buf_init(&when, 64);
    buf_add_str(json, "{\"psk_identity\":");
    codec_json(json, slice_of(g->identity, g->identity_n));
    buf_add_str(json, ",\"psk\":\"");
    codec_base64(json, slice_of(g->key, sizeof g->key));
    buf_add_ch(json, '"');
    e = pap_time_print(g->expires_s, &when);
    member(json, "expires", buf_slice(&when));
    buf_clear(&when);
    return e ? e : buf_err(json);
}

static enum err print_both(const struct grant *g, const struct ppg_visited *to, struct ppg_visit_ask *a,
                           struct buf *peer)
{
    enum err e = print_grant(g, &a->json);

    if (!e)
        e = print_grant(g, peer);
    if (e)
        return e;
    member(&a->json, "host", to->host);
    buf_add_ch(&a->json, '}');
    member(peer, "enabler", to->name);
    if (to->identity)
        member(peer, "user", a->terminal);
    buf_add_ch(peer, '}');
    return buf_err(&a->json) ? buf_err(&a->json) : buf_err(peer);
}

/* --- the transfer --- */

static void transfer_end(struct transfer *t, enum err e)
{
    struct ppg_visit_ask *a = t->ask;

    buf_wipe(&t->json);
    free(t);
    if (e)
        buf_wipe(&a->json);
    a->done(a, e);
}

static void answered(enum err err, const struct net_http_msg *m, bool sent, void *arg)
{
    struct transfer *t = arg;
    struct log *log = t->visit->core->shared->log;
    const char *tls = net_httpc_pool_tls_why(t->visit->pool);
    enum err e = err ? ERR_IO : m->status / 100 == 2 ? ERR_OK : m->status < 500 ? ERR_DENIED : ERR_IO;

    (void)sent;
    if (err)
        LOG(log, LOG_ERROR, "visit.peer.away", LOG_C("reason", tls[0] ? tls : err_text(err)));
    else
        LOG(log, e ? LOG_ERROR : LOG_INFO, e ? "visit.peer.refused" : "visit.granted",
            LOG_A("terminal", t->ask->terminal), LOG_I("status", m->status));
    transfer_end(t, e);
}

static enum err transfer_send(struct transfer *t, const struct ppg_visited *to)
{
    struct ppg_visit *v = t->visit;
    struct net_uri uri;
    struct buf head;
    enum err e = net_uri_parse(to->url, &uri);

    if (e || !uri.https)
        return e ? e : ERR_UNSUPPORTED;
    buf_init(&head, HEAD_MAX_N);
    net_http_print_request(&head, SLICE("POST"), PPG_PEER_PATH);
    buf_addf(&head, "Host: %.*s:%u\r\n", SLICE_FMT(uri.host), uri.port);
    net_http_print_header(&head, SLICE("User-Agent"), SLICE("ppgd/" PPG_VERSION));
    net_http_print_header(&head, SLICE("Content-Type"), SLICE("application/json"));
    buf_addf(&head, "Content-Length: %zu\r\n\r\n", t->json.n);
    e = buf_err(&head);
    if (!e)
        e = net_httpc_pool_send(v->pool, uri.host, uri.port, true, buf_slice(&head), buf_slice(&t->json),
                                ppg_core_settings(v->core)->key_server.bsf_timeout_ms, answered, t);
    buf_clear(&head);
    return e;
}

static enum err transfer_begin(struct ppg_visit *v, const struct ppg_visited *to, struct ppg_visit_ask *a)
{
    struct transfer *t = calloc(1, sizeof *t);
    struct grant g = {.identity_n = 0};
    enum err e = t ? make_grant(v, to, &g) : ERR_NOMEM;

    if (!t)
        return e;
    t->visit = v;
    t->ask = a;
    buf_init(&t->json, JSON_MAX_N);
    if (!e)
        e = print_both(&g, to, a, &t->json);
    if (!e)
        e = transfer_send(t, to);
    mem_wipe(&g, sizeof g);
    if (!e)
        return ERR_AGAIN;
    buf_wipe(&t->json);
    buf_wipe(&a->json);
    free(t);
    return e == ERR_NOMEM ? e : ERR_IO;
}

enum err ppg_visit_go(struct ppg_visit *v, struct slice question, struct ppg_visit_ask *a)
{
    const struct ppg_visits *visits = ppg_config_visits(v->core->config);
    json_t *o = json_loadb(question.p, question.n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *name = json_object_get(o, "enabler");
    const struct ppg_visited *to = NULL;
    bool good = json_is_string(name);

    buf_init(&a->json, JSON_MAX_N);
    if (good && visits)
        to = ppg_visits_visited(visits, slice_of(json_string_value(name), json_string_length(name)));
    json_decref(o);
    if (!good)
        return ERR_MALFORMED;
    if (!to)
        return ERR_ABSENT;
    return v->closing ? ERR_IO : transfer_begin(v, to, a);
}

/* --- life --- */

void ppg_visit_set(struct ppg_visit *v, struct ppg_snapshot *snapshot)
{
    struct ppg_snapshot *old = v->snapshot;

    v->snapshot = ppg_snapshot_hold(snapshot);
    net_httpc_pool_set_tls(v->pool, snapshot->peers);
    ppg_snapshot_drop(&old);
}

enum err ppg_visit_create(const struct net_env *env, struct ppg_core *core, struct ppg_snapshot *snapshot,
                          struct ppg_visit **out)
{
    int64_t timeout_ms = ppg_config_settings(snapshot->config)->key_server.bsf_timeout_ms;
    struct net_httpc_pool_conf conf = {.conn_max = CONNECTIONS_MAX,
                                       .conn_per_host_max = CONNECTIONS_MAX,
                                       .base = {.tls = snapshot->peers,
                                                .limits = {.head_max_n = HEAD_MAX_N,
                                                           .headers_max = 64,
                                                           .value_max_n = 1024,
                                                           .target_max_n = 256,
                                                           .body_max_n = ANSWER_MAX_N,
                                                           .head_ms = timeout_ms,
                                                           .idle_ms = IDLE_MS},
                                                .connect_ms = timeout_ms,
                                                .idle_ms = IDLE_MS,
                                                .pipeline_max = 1}};
    struct ppg_visit *v = calloc(1, sizeof *v);
    enum err e = v ? net_httpc_pool_create(env, &conf, &v->pool) : ERR_NOMEM;

    if (e) {
        free(v);
        return e;
    }
    v->core = core;
    v->snapshot = ppg_snapshot_hold(snapshot);
    *out = v;
    return ERR_OK;
}

static void pool_closed(void *arg)
{
    struct ppg_visit *v = arg;
    void (*closed)(void *) = v->closed;
    void *closed_arg = v->arg;

    ppg_snapshot_drop(&v->snapshot);
    free(v);
    closed(closed_arg);
}

void ppg_visit_close(struct ppg_visit *v, void (*closed)(void *arg), void *arg)
{
    v->closing = true;
    v->closed = closed;
    v->arg = arg;
    net_httpc_pool_close(v->pool, pool_closed, v);
}
