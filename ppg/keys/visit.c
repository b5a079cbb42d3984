/* The home's side of visits; see visit.h.  What holds a key is a buf, which is wiped. */
#include "ppg/keys/visit.h"

#include <stdlib.h>
#include "base/codec.h"
#include "base/mem.h"
#include "ppg/poster.h"
#include "ppg/keys/visit_json.h"

#define ANSWER_MAX_N    4096u
#define CONNECTIONS_MAX 16u
#define IDLE_MS         30000
#define CHANCE_N        16 /* octets of an identity */

struct ppg_visit {
    struct ppg_poster poster;
    struct ppg_core *core;
};

struct transfer {
    struct ppg_visit *visit;
    struct ppg_visit_ask *ask;
    struct buf json; /* to the other side */
};

/* What both sides are told, but for the host and the user; *name holds the identity. */
static enum err make_grant(const struct ppg_visit *v, const struct ppg_visited *to, struct buf *name,
                           struct ppg_visit_grant *g)
{
    uint8_t chance[CHANCE_N];
    enum err e = sec_random(chance, sizeof chance);

    if (!e)
        e = sec_random(g->key, sizeof g->key);
    if (e)
        return e;
    buf_add_str(name, SEC_VISIT_NAME);
    codec_hex(name, slice_of(chance, sizeof chance));
    g->identity = buf_slice(name);
    g->expires_s = ppg_core_utc_ms(v->core) / 1000 + to->life_s;
    g->host = to->host;
    g->enabler = to->name;
    return buf_err(name);
}

static enum err print_both(const struct ppg_visit *v, const struct ppg_visited *to, struct ppg_visit_ask *a,
                           struct buf *peer)
{
    struct ppg_visit_grant g = {.user = to->identity ? a->terminal : SLICE_NONE};
    struct buf name;
    enum err e;

    buf_init(&name, SEC_VISIT_IDENTITY_MAX_N);
    e = make_grant(v, to, &name, &g);
    if (!e)
        e = ppg_visit_grant_print(&g, PPG_VISIT_TERMINAL, &a->json);
    if (!e)
        e = ppg_visit_grant_print(&g, PPG_VISIT_PEER, peer);
    mem_wipe(&g, sizeof g);
    buf_clear(&name);
    return e;
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

static enum err verdict(unsigned status)
{
    if (status / 100 == 2)
        return ERR_OK;
    if (status == 429)
        return ERR_LIMIT; /* it keeps as many of our keys as it may */
    return status < 500 ? ERR_DENIED : ERR_IO;
}

static void answered(enum err err, const struct net_http_msg *m, bool sent, void *arg)
{
    struct transfer *t = arg;
    struct log *log = t->visit->core->shared->log;
    const char *tls = net_httpc_pool_tls_why(t->visit->poster.pool);
    enum err e = err ? ERR_IO : verdict(m->status);

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
    struct ppg_post post = {.url = to->url,
                            .path = PPG_PEER_PATH,
                            .type = "application/json",
                            .body = buf_slice(&t->json),
                            .timeout_ms = ppg_core_settings(v->core)->key_server.bsf_timeout_ms};

    return ppg_poster_send(&v->poster, &post, answered, t);
}

static enum err transfer_begin(struct ppg_visit *v, const struct ppg_visited *to, struct ppg_visit_ask *a)
{
    struct transfer *t = calloc(1, sizeof *t);
    enum err e;

    if (!t)
        return ERR_NOMEM;
    t->visit = v;
    t->ask = a;
    buf_init(&t->json, PPG_VISIT_JSON_MAX_N);
    e = print_both(v, to, a, &t->json);
    if (!e)
        e = transfer_send(t, to);
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
    const struct ppg_visited *to = NULL;
    struct slice enabler = SLICE_NONE;
    struct arena mem;
    enum err e;

    buf_init(&a->json, PPG_VISIT_JSON_MAX_N);
    arena_init(&mem, 256, PPG_VISIT_JSON_MAX_N);
    e = ppg_visit_question_parse(question, &mem, &enabler);
    if (!e && visits)
        to = ppg_visits_visited(visits, enabler);
    arena_clear(&mem);
    if (e || !to)
        return e ? e : ERR_ABSENT;
    return transfer_begin(v, to, a);
}

/* --- life --- */

void ppg_visit_set(struct ppg_visit *v, struct ppg_snapshot *snapshot)
{
    ppg_poster_set(&v->poster, snapshot, snapshot->peers);
}

static void gone(struct ppg_poster *p)
{
    free(container_of(p, struct ppg_visit, poster));
}

enum err ppg_visit_create(const struct net_env *env, struct ppg_core *core, struct ppg_snapshot *snapshot,
                          struct ppg_visit **out)
{
    const struct ppg_poster_conf conf = {.tls = snapshot->peers,
                                         .tls_only = true,
                                         .connections_max = CONNECTIONS_MAX,
                                         .per_server_max = CONNECTIONS_MAX,
                                         .answer_max_n = ANSWER_MAX_N,
                                         .connect_ms =
                                             ppg_config_settings(snapshot->config)->key_server.bsf_timeout_ms,
                                         .idle_ms = IDLE_MS,
                                         .gone = gone};
    struct ppg_visit *v = calloc(1, sizeof *v);
    enum err e = v ? ppg_poster_init(&v->poster, env, snapshot, &conf) : ERR_NOMEM;

    if (e) {
        free(v);
        return e;
    }
    v->core = core;
    *out = v;
    return ERR_OK;
}

void ppg_visit_close(struct ppg_visit *v, void (*closed)(void *arg), void *arg)
{
    ppg_poster_close(&v->poster, closed, arg);
}
