/* Where home functions bring keys for their terminals; see visit.h.  TLS has verified a certificate before anything is read. */
#include "base/mem.h"
#include "ppg/reply.h"
#include "ppg/keys/visit.h"
#include "ppg/keys/visit_json.h"

#define BODY_MAX_N    PPG_VISIT_JSON_MAX_N
#define HEADERS_MAX_N 256u

static const struct ppg_home *home_of(const struct ppg_core *c, const struct net_http_exchange *x)
{
    const struct net_tls_peer *p = net_http_exchange_peer(x);
    const struct ppg_visits *visits = ppg_config_visits(c->config);
    struct sec_peer_names names;

    if (!p || !p->has_cert || !p->verified || !visits)
        return NULL;
    names = (struct sec_peer_names){
        p->uris, p->dns, p->emails, p->uris_n, p->dns_n, p->emails_n, net_http_exchange_ip(x)};
    return ppg_visits_home(visits, &names);
}

unsigned ppg_peer_head(struct net_http_exchange *x, struct buf *headers, void *arg)
{
    struct ppg_core *c = arg;

    if (!home_of(c, x)) {
        LOG(c->shared->log, LOG_WARN, "visit.stranger", LOG_S("peer", net_http_exchange_ip(x)));
        return 403;
    }
    if (!slice_eq(net_http_exchange_msg(x)->target, PPG_PEER_PATH))
        return 404;
    return ppg_reply_head(c, x, "POST", BODY_MAX_N, headers);
}

/* A user's name here begins with who says so: a home speaks for its own users alone. */
static enum err keep(struct ppg_core *c, const struct ppg_home *home, const struct ppg_visit_grant *g)
{
    struct sec_visit visit = {.identity = g->identity,
                              .key = slice_of(g->key, sizeof g->key),
                              .expires_s = g->expires_s,
                              .home = home->name,
                              .share = home->share};
    struct buf user;
    enum err e;

    buf_init(&user, SEC_VISIT_USER_MAX_N);
    if (g->user.n)
        buf_addf(&user, "visit:%.*s:%.*s", SLICE_FMT(home->name), SLICE_FMT(g->user));
    visit.user = buf_slice(&user);
    e = buf_err(&user) ? ERR_MALFORMED
                       : sec_visits_add(ppg_config_visitors(c->config), &visit, ppg_core_utc_ms(c) / 1000);
    buf_clear(&user);
    return e;
}

static enum err take(struct ppg_core *c, const struct ppg_home *home, struct slice body, bool *told)
{
    struct ppg_visit_grant g = {.user = SLICE_NONE};
    struct arena mem;
    enum err e;

    arena_init(&mem, 512, 2 * BODY_MAX_N);
    e = ppg_visit_grant_parse(body, PPG_VISIT_PEER, &mem, &g);
    *told = g.user.n != 0;
    if (!e && !slice_eq(g.enabler, slice_str(ppg_core_settings(c)->key_server.name)))
        e = ERR_DENIED;
    if (!e)
        e = keep(c, home, &g);
    mem_wipe(&g, sizeof g);
    arena_clear(&mem);
    return e;
}

static unsigned status_of(enum err e)
{
    switch (e) {
    case ERR_OK:
        return 204;
    case ERR_DENIED:
        return 403;
    case ERR_EXISTS:
        return 409;
    case ERR_LIMIT:
        return 429;
    case ERR_NOMEM:
    case ERR_IO:
        return 503;
    default:
        return 400;
    }
}

void ppg_peer_request(struct net_http_exchange *x, void *arg)
{
    struct ppg_core *c = arg;
    const struct ppg_home *home = home_of(c, x); /* a reload may have come since the head */
    struct buf *headers = &c->answer_headers;
    bool told = false;
    enum err e = home ? take(c, home, net_http_exchange_msg(x)->body, &told) : ERR_DENIED;

    LOG(c->shared->log, e ? LOG_WARN : LOG_INFO,
        !e               ? "visit.expected"
        : e == ERR_LIMIT ? "visit.share.spent"
                         : "visit.refused",
        LOG_S("home", home ? home->name : SLICE_NONE), LOG_B("user", told), LOG_C("error", err_name(e)));
    buf_reset(headers, HEADERS_MAX_N);
    if (e == ERR_LIMIT || e == ERR_NOMEM)
        ppg_reply_retry_after(PPG_BUSY_RETRY_MS, headers);
    net_httpd_reply(x, status_of(e), SLICE_NONE, buf_slice(headers), SLICE_NONE);
}
