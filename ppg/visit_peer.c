/* Where home functions bring keys for their terminals; see visit.h.  TLS has verified a certificate before anything is read. */
#include <jansson.h>
#include <stdio.h>
#include "base/codec.h"
#include "pap/time.h"
#include "ppg/reply.h"
#include "ppg/visit.h"

#define BODY_MAX_N    2048u
#define BUSY_RETRY_MS 1000

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
    const struct net_http_msg *m = net_http_exchange_msg(x);

    if (!home_of(c, x)) {
        LOG(c->shared->log, LOG_WARN, "visit.stranger", LOG_S("peer", net_http_exchange_ip(x)));
        return 403;
    }
    if (!slice_eq(m->target, PPG_PEER_PATH))
        return 404;
    if (!slice_eq(m->method, SLICE("POST"))) {
        buf_add_str(headers, "Allow: POST\r\n");
        return 405;
    }
    if (m->body_announced_n > BODY_MAX_N)
        return 413;
    if (atomic_load(&c->shared->draining)) {
        ppg_reply_retry_after(BUSY_RETRY_MS, headers);
        return 503;
    }
    return 0;
}

static struct slice text_of(const json_t *o, const char *key)
{
    const json_t *t = json_object_get(o, key);

    return json_is_string(t) ? slice_of(json_string_value(t), json_string_length(t)) : SLICE_NONE;
}

/* A user's name here begins with who says so: a home speaks for its own users alone. */
static enum err take(struct ppg_core *c, const struct ppg_home *home, const json_t *o)
{
    struct slice told = text_of(o, "user");
    struct sec_visit visit = {.identity = text_of(o, "psk_identity")};
    struct buf key, user;
    enum err e;

    if (!slice_eq(text_of(o, "enabler"), slice_str(ppg_core_settings(c)->key_server.name)))
        return ERR_DENIED;
    buf_init(&key, SEC_VISIT_KEY_N);
    buf_init(&user, SEC_VISIT_USER_MAX_N);
    if (told.n)
        buf_addf(&user, "visit:%.*s:%.*s", SLICE_FMT(home->name), SLICE_FMT(told));
    e = buf_err(&user) ? ERR_MALFORMED : codec_unbase64(text_of(o, "psk"), false, &key);
    if (!e)
        e = pap_time_parse(text_of(o, "expires"), true, &visit.expires_s);
    visit.key = buf_slice(&key);
    visit.user = buf_slice(&user);
    if (!e)
        e = sec_visits_add(ppg_config_visitors(c->config), &visit, ppg_core_utc_ms(c) / 1000);
    buf_wipe(&key);
    buf_clear(&user);
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
    case ERR_NOMEM:
    case ERR_IO:
        return 503;
    default:
        return e == ERR_LIMIT ? 503 : 400;
    }
}

void ppg_peer_request(struct net_http_exchange *x, void *arg)
{
    struct ppg_core *c = arg;
    const struct ppg_home *home = home_of(c, x); /* a reload may have come since the head */
    struct slice body = net_http_exchange_msg(x)->body;
    json_t *o = home ? json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    enum err e = !home ? ERR_DENIED : json_is_object(o) ? take(c, home, o) : ERR_MALFORMED;

    LOG(c->shared->log, e ? LOG_WARN : LOG_INFO, e ? "visit.refused" : "visit.expected",
        LOG_S("home", home ? home->name : SLICE_NONE), LOG_B("user", text_of(o, "user").n != 0),
        LOG_C("error", err_name(e)));
    json_decref(o);
    net_httpd_reply(x, status_of(e), SLICE_NONE, SLICE_NONE, SLICE_NONE);
}
