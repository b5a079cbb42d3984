/* See entity_door.h.  A key is on disk, in the keyring, before it is told. */
#include "ppg/doors/entity_door.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/codec.h"
#include "base/mem.h"
#include "base/net/tls.h"
#include "ppg/config/users.h"
#include "ppg/reply.h"
#include "security/rules/entities.h"
#include "security/rules/trust.h"

#define BODY_MAX_N   4096u
#define ANSWER_MAX_N 65536u
#define TAKE_MAX     16u /* one-time keys in one answer */
#define REALM        SLICE("entities")
#define ENTITIES     SLICE("/sec/v1/entities/")
#define USERS        SLICE("/sec/v1/users/")
#define JSON_TYPE    SLICE("application/json")

/* One request, in the turn that it is handled in. */
struct call {
    struct ppg_core *core;
    const struct net_env *env;
    struct net_http_exchange *x;
    const struct net_http_msg *m;
    struct sec_digest_response r; /* of the entity that asks; views into the message */
    struct sec_secret ha1;        /* its own */
    char user[SEC_ENTITY_USER_MAX_N];
    size_t user_n;
};

static struct buf *headers_of(struct call *c)
{
    struct buf *h = &c->core->answer_headers;

    buf_reset(h, 4096);
    return h;
}

static void answer_status(struct call *c, unsigned status)
{
    net_httpd_reply(c->x, status, SLICE("text/plain"), buf_slice(headers_of(c)), SLICE_NONE);
}

static void refuse(struct call *c, unsigned status, const char *why)
{
    LOG(c->core->shared->log, LOG_INFO, "entity.refused", LOG_S("peer", net_http_exchange_ip(c->x)),
        LOG_I("status", status), LOG_C("reason", why));
    answer_status(c, status);
}

/* To an entity, with the proof that we have its key too. */
static void answer(struct call *c, unsigned status, struct slice body)
{
    struct buf *h = headers_of(c);

    buf_add_str(h, "Authentication-Info: ");
    if (sec_digest_info(&c->r, &c->ha1, body, h)) {
        answer_status(c, 503);
        return;
    }
    buf_add_str(h, "\r\nCache-Control: no-store\r\n");
    net_httpd_reply(c->x, status, JSON_TYPE, buf_slice(h), body);
}

unsigned ppg_entity_head(struct net_http_exchange *x, struct buf *headers, void *arg)
{
    struct ppg_entity_door *d = arg;
    const struct net_http_msg *m = net_http_exchange_msg(x);

    if (!slice_eq(m->method, SLICE("GET")) && !slice_eq(m->method, SLICE("POST"))) {
        buf_add_str(headers, "Allow: GET, POST\r\n");
        return 405;
    }
    if (m->body_announced_n > BODY_MAX_N)
        return 413;
    if (atomic_load(&d->core->shared->draining) || !ppg_config_entities(d->core->config)) {
        ppg_reply_retry_after(PPG_BUSY_RETRY_MS, headers);
        return 503;
    }
    return ppg_reply_slowed(d->core, net_http_exchange_ip(x), headers);
}

static void challenge(struct call *c, struct slice realm, bool stale, bool basic)
{
    struct buf *h = headers_of(c);
    enum err e;

    buf_add_str(h, "WWW-Authenticate: ");
    e = sec_digest_challenge(c->core->shared->guard, SEC_DIGEST_SHA256, realm, stale,
                             ppg_core_mono_ms(c->core), h);
    buf_add_str(h, "\r\n");
    if (basic)
        buf_addf(h, "WWW-Authenticate: Basic realm=\"%.*s\", charset=\"UTF-8\"\r\n", SLICE_FMT(realm));
    net_httpd_reply(c->x, e ? 503 : 401, SLICE("text/plain"), buf_slice(h), SLICE_NONE);
}

static void note_failed(struct call *c, struct slice who, const char *why)
{
    sec_penalty_fail(c->core->shared->penalty, net_http_exchange_ip(c->x), ppg_core_mono_ms(c->core));
    LOG(c->core->shared->log, LOG_WARN, "entity.login.failed", LOG_S("peer", net_http_exchange_ip(c->x)),
        LOG_U("who", who), LOG_C("reason", why));
}

static struct slice authorization_of(const struct call *c, size_t *n)
{
    return net_http_header(c->m, SLICE("Authorization"), n);
}

static struct sec_digest_request request_of(const struct call *c)
{
    return (struct sec_digest_request){c->m->method, c->m->target, c->m->body, true};
}

/* --- users: a key for an entity --- */

struct assignment {
    uv_work_t work;
    struct ppg_core *core;
    struct net_http_exchange *x;
    struct ppg_config *config; /* held: whose keyring */
    struct sec_secret key;
    char entity[SEC_KEY_NAME_MAX_N];
    char user[SEC_ENTITY_USER_MAX_N];
    size_t entity_n, user_n;
    enum err err;
    char why[SEC_KEYRING_WHY_N];
};

static struct slice entity_of(const struct assignment *a)
{
    return slice_of(a->entity, a->entity_n);
}

static struct slice owner_of(const struct assignment *a)
{
    return slice_of(a->user, a->user_n);
}

/* In the keyring, under its lock: a new one takes the place of what the same user's entity had. */
static enum err record(struct sec_keyring *r, void *arg)
{
    const struct assignment *a = arg;
    struct sec_key k = {.kind = SEC_KEY_ENTITY,
                        .name = entity_of(a),
                        .attr = owner_of(a),
                        .created_s = clk_utc_ms(&clk_real) / 1000};
    const struct sec_key *was = sec_keyring_find(r, k.name);
    enum err e = ERR_OK;

    if (was && (was->kind != SEC_KEY_ENTITY || !slice_eq(was->attr, k.attr)))
        return ERR_EXISTS;
    if (was)
        e = sec_keyring_remove(r, k.name);
    return e ? e : sec_keyring_add(r, &k, sec_secret_slice(&a->key));
}

static void write_down(uv_work_t *work)
{
    struct assignment *a = work->data;
    struct sec_keyring_conf conf;

    a->err = ERR_IO;
    if (ppg_config_keyring_at(a->config, &conf))
        a->err = sec_keyring_change(&conf, record, a, a->why);
}

static void told(struct assignment *a, unsigned status, struct slice body)
{
    net_httpd_reply(a->x, status, body.n ? JSON_TYPE : SLICE("text/plain"),
                    SLICE("Cache-Control: no-store\r\n"), body);
    ppg_config_drop(&a->config);
    mem_wipe(a, sizeof *a);
    free(a);
}

static void tell(struct assignment *a)
{
    struct buf body;

    buf_init(&body, ANSWER_MAX_N);
    if (buf_room(&body, 4096)) { /* all of it first: growth would leave a copy of the key behind */
        buf_add_str(&body, "{\"entity\":");
        codec_json(&body, entity_of(a));
        buf_add_str(&body, ",\"user\":");
        codec_json(&body, owner_of(a));
        buf_add_str(&body, ",\"key\":\"");
        codec_base64(&body, sec_secret_slice(&a->key));
        buf_add_str(&body, "\"}");
    }
    LOG(a->core->shared->log, LOG_INFO, "entity.assigned", LOG_A("entity", entity_of(a)),
        LOG_A("user", owner_of(a)));
    told(a, buf_err(&body) ? 503 : 201, buf_slice(&body));
    buf_wipe(&body);
}

static void written(uv_work_t *work, int status)
{
    struct assignment *a = work->data;
    struct sec_entities *entities = ppg_config_entities(a->core->config);

    if (status)
        a->err = ERR_IO;
    if (!a->err)
        a->err = entities ? sec_entities_put(entities, entity_of(a), owner_of(a), &a->key) : ERR_IO;
    if (!a->err) {
        tell(a);
        return;
    }
    LOG(a->core->shared->log, a->err == ERR_EXISTS ? LOG_WARN : LOG_ERROR, "entity.assign.fail",
        LOG_A("entity", entity_of(a)), LOG_A("user", owner_of(a)), LOG_C("error", err_name(a->err)),
        LOG_C("why", a->why));
    told(a, a->err == ERR_EXISTS ? 403 : 503, SLICE_NONE);
}

static void assign(struct call *c, struct slice entity, struct slice user)
{
    struct assignment *a = calloc(1, sizeof *a);

    if (!a || sec_secret_random(&a->key, SEC_EUKEY_N)) {
        free(a);
        answer_status(c, 503);
        return;
    }
    a->work.data = a;
    a->core = c->core;
    a->x = c->x;
    a->config = ppg_config_hold(c->core->config);
    mem_copy(a->entity, sizeof a->entity, entity);
    a->entity_n = entity.n;
    mem_copy(a->user, sizeof a->user, user);
    a->user_n = user.n;
    if (uv_queue_work(c->env->loop, &a->work, write_down, written))
        told(a, 503, SLICE_NONE);
}

/* The user's own words count against the user too, wherever they come from. */
static void by_user(struct call *c, struct slice entity)
{
    struct sec_evidence ev = {.tls = true, .peer = net_http_exchange_ip(c->x), .request = request_of(c)};
    const struct sec_accounts *users = ppg_config_users(c->core->config);
    struct sec_identity id;

    if (!sec_key_name_ok(entity)) {
        refuse(c, 400, "no entity's id");
        return;
    }
    ev.authorization = authorization_of(c, &ev.authorization_n);
    if (sec_trust_identify(users, &ev, c->core->shared->guard, ppg_core_mono_ms(c->core), &id)) {
        answer_status(c, 503);
        return;
    }
    if (id.outcome != SEC_IDENTIFIED) {
        if (id.failed_login)
            note_failed(c, entity, id.reason);
        challenge(c, PPG_USERS_REALM, id.outcome == SEC_CHALLENGE_STALE, true);
        return;
    }
    sec_penalty_clear(c->core->shared->penalty, ev.peer);
    assign(c, entity, id.account->name);
}

/* --- entities --- */

/* False: answered already. */
static bool by_entity(struct call *c)
{
    struct sec_entities *t = ppg_config_entities(c->core->config);
    struct sec_digest_request q = request_of(c);
    size_t n;
    struct slice says = authorization_of(c, &n);
    enum err e = n == 1 ? sec_digest_parse(says, &c->r) : ERR_MALFORMED;
    bool known;

    if (e) {
        challenge(c, REALM, false, false);
        return false;
    }
    known = !sec_entities_ha1(t, c->r.username, c->r.algorithm, REALM, &c->ha1) &&
            !sec_entities_user(t, c->r.username, c->user, &c->user_n);
    e = sec_digest_verify(c->core->shared->guard, &c->r, &q, REALM, known ? &c->ha1 : NULL,
                          ppg_core_mono_ms(c->core));
    if (!e) {
        sec_penalty_clear(c->core->shared->penalty, net_http_exchange_ip(c->x));
        return true;
    }
    if (e == ERR_DENIED)
        note_failed(c, c->r.username, "wrong entity or key");
    challenge(c, REALM, e == ERR_LATE, false);
    return false;
}

static void tell_self(struct call *c)
{
    struct buf body;

    buf_init(&body, ANSWER_MAX_N);
    buf_add_str(&body, "{\"entity\":");
    codec_json(&body, c->r.username);
    buf_add_str(&body, ",\"user\":");
    codec_json(&body, slice_of(c->user, c->user_n));
    buf_add_ch(&body, '}');
    answer(c, 200, buf_slice(&body));
    buf_clear(&body);
}

static void print_list(struct slice lines, struct buf *body)
{
    struct slice line;

    buf_add_str(body, "{\"entities\":[");
    while (lines.n && slice_cut(lines, '\n', &line, &lines)) {
        codec_json(body, line);
        if (lines.n)
            buf_add_ch(body, ',');
    }
    buf_add_str(body, "]}");
}

static void tell_entities(struct call *c, struct slice user)
{
    struct buf lines, body;

    if (!slice_eq(user, slice_of(c->user, c->user_n))) {
        refuse(c, 403, "another user's");
        return;
    }
    buf_init(&lines, ANSWER_MAX_N);
    buf_init(&body, ANSWER_MAX_N);
    if (!sec_entities_of(ppg_config_entities(c->core->config), user, &lines))
        print_list(buf_slice(&lines), &body);
    if (buf_err(&lines) || buf_err(&body))
        answer_status(c, 503);
    else
        answer(c, 200, buf_slice(&body));
    buf_clear(&lines);
    buf_clear(&body);
}

/* --- one-time keys --- */

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "";
}

static void take_offer(struct call *c)
{
    json_t *o = json_loadb(c->m->body.n ? c->m->body.p : "", c->m->body.n, JSON_REJECT_DUPLICATES, NULL);
    struct buf wrapped;
    enum err e;

    buf_init(&wrapped, SEC_ONE_TIME_WRAPPED_N);
    e = codec_unbase64(slice_str(text_of(o, "key")), false, &wrapped);
    if (!e)
        e = sec_entities_offer(ppg_config_entities(c->core->config), c->r.username,
                               slice_str(text_of(o, "to")), buf_slice(&wrapped),
                               ppg_core_utc_ms(c->core) / 1000);
    if (e == ERR_NOMEM || e == ERR_IO)
        answer_status(c, 503);
    else if (e)
        refuse(c,
               e == ERR_ABSENT               ? 404
               : e == ERR_DENIED             ? 403
               : e == ERR_LIMIT && wrapped.n ? 429
                                             : 400,
               err_text(e));
    else
        answer(c, 202, SLICE("{}"));
    if (!e)
        LOG(c->core->shared->log, LOG_INFO, "entity.one-time-key", LOG_A("from", c->r.username),
            LOG_A("to", slice_str(text_of(o, "to"))));
    json_decref(o);
    buf_clear(&wrapped);
}

static void give_offers(struct call *c)
{
    struct sec_entities *t = ppg_config_entities(c->core->config);
    int64_t now_s = ppg_core_utc_ms(c->core) / 1000;
    uint8_t wrapped[SEC_ONE_TIME_WRAPPED_N];
    char from[SEC_KEY_NAME_MAX_N];
    size_t from_n, wrapped_n;
    struct buf body;

    buf_init(&body, ANSWER_MAX_N);
    buf_add_str(&body, "{\"keys\":[");
    for (size_t i = 0;
         i < TAKE_MAX && !sec_entities_take(t, c->r.username, now_s, from, &from_n, wrapped, &wrapped_n);
         i++) {
        buf_add_str(&body, i ? ",{\"from\":" : "{\"from\":");
        codec_json(&body, slice_of(from, from_n));
        buf_add_str(&body, ",\"key\":\"");
        codec_base64(&body, slice_of(wrapped, wrapped_n));
        buf_add_str(&body, "\"}");
    }
    buf_add_str(&body, "]}");
    answer(c, 200, buf_slice(&body));
    buf_clear(&body);
}

/* --- requests --- */

/* "/sec/v1/users/" ID "/entities" */
static bool user_path(struct slice target, struct slice *user)
{
    struct slice rest = slice_sub(target, USERS.n, target.n), tail;

    return slice_starts(target, USERS) && slice_cut(rest, '/', user, &tail) &&
           slice_eq(tail, SLICE("entities"));
}

static void as_entity(struct call *c, bool post)
{
    struct slice target = c->m->target, user;
    bool self = !post && slice_eq(target, SLICE("/sec/v1/entity"));
    bool list = !post && user_path(target, &user);

    if (!self && !list && !slice_eq(target, SLICE("/sec/v1/one-time-keys"))) {
        answer_status(c, 404);
        return;
    }
    if (!by_entity(c))
        return;
    if (self)
        tell_self(c);
    else if (list)
        tell_entities(c, user);
    else if (post)
        take_offer(c);
    else
        give_offers(c);
}

void ppg_entity_request(struct net_http_exchange *x, void *arg)
{
    struct ppg_entity_door *d = arg;
    struct call c = {.core = d->core, .env = d->env, .x = x, .m = net_http_exchange_msg(x)};
    bool post = slice_eq(c.m->method, SLICE("POST"));

    sec_secret_init(&c.ha1);
    if (!ppg_config_entities(d->core->config)) /* since the head */
        answer_status(&c, 503);
    else if (post && slice_starts(c.m->target, ENTITIES))
        by_user(&c, slice_sub(c.m->target, ENTITIES.n, c.m->target.n));
    else
        as_entity(&c, post);
    sec_secret_clear(&c.ha1);
}
