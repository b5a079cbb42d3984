/* Tokens for pushes, and the questions about them; see verify.h. */
#include "ppg/doors/verify.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "ota/proof.h"
#include "ota/sia.h"
#include "pap/time.h"
#include "ppg/doors/authmd5.h"
#include "ppg/keys/keyask.h"
#include "ppg/keys/naf.h"
#include "ppg/keys/psk.h"
#include "ppg/reply.h"
#include "ppg/keys/visit.h"

#define PATH          SLICE("/sec/v1/verify")
#define BODY_MAX_N    1024u /* octets of a question */
#define HEADERS_MAX_N 8192u /* octets of header lines of an answer */
#define MINUTE_MS     60000

enum err ppg_verify_create(const struct ppg_settings *set, struct sec_verify **out)
{
    return set->verify.listen_tls_n || set->verify.listen_psk_n
               ? sec_verify_create(set->verify.tokens_max, out)
               : ERR_OK;
}

/* --- which pushes --- */

static bool lists_initiator(const char *list, struct slice initiator)
{
    struct slice rest = slice_str(list), item;

    while (slice_item(&rest, &item))
        if (slice_eq(item, initiator))
            return true;
    return false;
}

/* It asks to connect by what it is, or the operator says so. */
static bool asks(const struct ppg_settings *set, const struct ppg_push *push,
                 const struct ppg_content *content)
{
    struct slice applications = slice_str(set->verify.applications);

    return slice_eq_ci(ota_type_bare(content->type), SLICE(OTA_SIA_TYPE)) ||
           slice_eq_ci(push->app_id, SLICE(OTA_SIA_APP)) ||
           (applications.n && ota_accepts_app(applications, push->app_id)) ||
           lists_initiator(set->verify.initiators, push->initiator);
}

static enum err issue(struct ppg_core *c, struct slice terminal, struct slice initiator, struct slice content,
                      char token[SEC_VERIFY_TOKEN_N])
{
    struct sec_verify_content digest;
    const struct sec_verify_push p = {.terminal = terminal,
                                      .initiator = initiator,
                                      .content = &digest,
                                      .life_ms = ppg_core_settings(c)->verify.life_ms,
                                      .utc_ms = ppg_core_utc_ms(c),
                                      .mono_ms = ppg_core_mono_ms(c)};
    enum err e = sec_verify_digest(content, &digest);

    if (!e)
        e = sec_verify_issue(c->shared->verify, &p, token);
    if (e)
        LOG(c->shared->log, LOG_WARN, "verify.token.fail", LOG_A("to", terminal),
            LOG_C("error", err_name(e)));
    return e;
}

enum err ppg_verify_token(struct ppg_core *c, const struct ppg_target *t, const struct ppg_content *content,
                          char token[SEC_VERIFY_TOKEN_N])
{
    const struct ppg_push *push = t->push;
    bool uri = push->initiator_uri.n && push->initiator_uri.n <= SEC_VERIFY_INITIATOR_MAX_N;

    if (!c->shared->verify || !asks(ppg_core_settings(c), push, content))
        return ERR_ABSENT;
    return issue(c, t->key, uri ? push->initiator_uri : SLICE_NONE, content->body, token);
}

enum err ppg_verify_own_token(struct ppg_core *c, struct slice terminal, struct slice content,
                              char token[SEC_VERIFY_TOKEN_N])
{
    struct slice name = slice_str(ppg_core_settings(c)->gateway.name);

    return c->shared->verify
               ? issue(c, terminal, slice_sub(name, 0, SEC_VERIFY_INITIATOR_MAX_N), content, token)
               : ERR_ABSENT;
}

/* --- who asks --- */

/* One question, its asker, and how that was proved. */
struct ask {
    struct ppg_core *c;
    struct net_http_exchange *x;
    struct ota_proof_in in;
    struct sec_naf_want want;
    bool bootstrapped; /* by Digest with a key that was (TS 24.109 §5.2) */
    bool stale;
};

/* Whose key made the session, else whose certificate it is, else whom the request states.  ERR_AGAIN: q->want must be
 * asked for first. */
static enum err who(const struct ota_registry *r, struct ask *q)
{
    const struct net_http_msg *m = net_http_exchange_msg(q->x);
    const struct net_tls_peer *peer = net_http_exchange_peer(q->x);
    struct ota_proof_in *in = &q->in;
    char impi[SEC_GBA_IMPI_MAX_N];
    size_t n;
    enum err e = ERR_ABSENT;
    struct slice stated = net_http_header(m, SLICE("X-Wap-Terminal-Id"), &n);
    const struct ota_terminal *named;

    in->stated = n == 1 ? stated : SLICE_NONE;
    named = ota_registry_find_id(r, in->stated);
    in->terminal = ota_proof_psk(r, peer);
    if (!in->terminal && peer)
        e = ppg_psk_subscriber(q->c->config, ppg_core_utc_ms(q->c), peer, &q->want, impi, &n);
    if (!e)
        in->terminal = ota_registry_find_subscriber(r, slice_of(impi, n));
    in->by_psk = in->terminal != NULL;
    if (!in->terminal) {
        in->terminal = ota_proof_certificate(r, peer);
        in->by_certificate = in->terminal != NULL;
    }
    in->states_another = in->terminal && named && named != in->terminal;
    if (!in->terminal)
        in->terminal = named;
    return e == ERR_AGAIN ? e : ERR_OK;
}

/* The B-TID of a subscriber that a terminal is; any other is a wrong password. */
static enum err by_bootstrapped(struct ask *a, const struct ota_registry *r)
{
    const struct net_tls_peer *peer = net_http_exchange_peer(a->x);
    const struct ota_terminal *t = NULL;
    struct sec_naf naf = ppg_config_naf(a->c->config, ppg_core_utc_ms(a->c));
    struct sec_digest_response d;
    char impi[SEC_GBA_IMPI_MAX_N];
    struct sec_secret ha1;
    size_t n = 0;
    enum err e = sec_digest_parse(a->in.authorization, &d);

    if (e || !sec_naf_realm(d.realm))
        return ERR_DENIED;
    a->bootstrapped = true;
    naf.want = &a->want;
    sec_secret_init(&ha1);
    e = sec_naf_ha1(&naf, &d, &a->in.request, peer ? peer->suite_number : 0, &ha1, impi, &n);
    a->stale = e == ERR_ABSENT; /* no guess: it bootstraps anew */
    if (!e)
        e = sec_digest_verify(a->c->shared->guard, &d, &a->in.request, d.realm, &ha1, a->in.now_ms);
    if (!e)
        t = ota_registry_find_subscriber(r, slice_of(impi, n));
    sec_secret_clear(&ha1);
    if (e || !t || t->call_in.proof != OTA_PROOF_PSK || a->in.by_psk || a->in.by_certificate)
        return e == ERR_NOMEM || e == ERR_AGAIN ? e : ERR_DENIED;
    a->in.terminal = t;
    return ERR_OK;
}

/* What is right for a network that vouches for who calls is no proof here. */
static enum err prove(struct ask *a, const struct ota_registry *r)
{
    struct ppg_core *c = a->c;
    struct ota_proof_in *in = &a->in;
    struct slice source = net_http_exchange_ip(a->x);
    struct sec_naf naf = ppg_config_naf(c->config, 0);
    enum err e = sec_naf_on(&naf) ? by_bootstrapped(a, r) : ERR_DENIED;

    if (in->session && sec_authmd5_is(in->authorization))
        e = ota_proof_md5(in);
    else if (e && !a->bootstrapped && in->terminal && in->terminal->call_in.proof != OTA_PROOF_NONE)
        e = ota_proof_check(c->shared->guard, in);
    if (e == ERR_AGAIN || e == ERR_LATE || (e == ERR_DENIED && a->stale))
        return e;
    if (e && e != ERR_NOMEM && in->authorization.n) {
        sec_penalty_fail(c->shared->penalty, source, in->now_ms);
        ppg_authmd5_count(c, in->authorization, false);
    } else if (!e && (a->bootstrapped || ota_proof_is_login(in))) {
        sec_penalty_clear(c->shared->penalty, source);
        ppg_authmd5_count(c, in->authorization, true);
    }
    return e;
}

/* --- answers --- */

static void reply(struct ppg_core *c, struct net_http_exchange *x, unsigned status)
{
    ppg_authmd5_next(c, x, &c->answer_headers);
    net_httpd_reply(x, status, SLICE("text/plain"), buf_slice(&c->answer_headers), SLICE_NONE);
}

/* Who announces that it bootstraps is asked for that (TS 24.109 §5.2.3). */
static void challenge(const struct ask *q, bool stale)
{
    struct ppg_core *c = q->c;
    struct net_http_exchange *x = q->x;
    struct sec_mac_session *session = q->in.session;
    struct buf *headers = &c->answer_headers;
    const struct ppg_settings *set = ppg_core_settings(c);

    buf_reset(headers, HEADERS_MAX_N);
    if (session && (session->only || sec_authmd5_is(q->in.authorization))) {
        reply(c, x, ppg_authmd5_refuse(c, x, session, headers));
        return;
    }
    if (ppg_naf_client(c, x)) {
        ppg_naf_challenges(c, false, headers);
        reply(c, x, headers->n ? 401 : 503);
        return;
    }
    for (int a = SEC_DIGEST_ALGORITHM_COUNT - 1; a >= 0; a--) {
        if (a == SEC_DIGEST_MD5 && !set->pap.digest_md5)
            continue;
        buf_add_str(headers, "WWW-Authenticate: ");
        if (sec_digest_challenge(c->shared->guard, (enum sec_digest_algorithm)a,
                                 slice_str(set->ota_http.realm), stale, ppg_core_mono_ms(c), headers)) {
            buf_reset(headers, HEADERS_MAX_N);
            reply(c, x, 503);
            return;
        }
        buf_add_str(headers, "\r\n");
    }
    if (session)
        ppg_authmd5_challenge(c, session, headers);
    reply(c, x, 401);
}

static json_t *said(const struct sec_verify_answer *a)
{
    json_t *o = json_object();
    struct buf until;

    (void)json_object_set_new(o, "valid", json_boolean(a->word == SEC_VERIFY_VALID));
    if (a->word != SEC_VERIFY_VALID)
        return o;
    buf_init(&until, 64);
    (void)json_object_set_new(o, "initiator", json_stringn(a->initiator, a->initiator_n));
    if (!pap_time_print(a->not_after_s, &until))
        (void)json_object_set_new(o, "not_after", json_stringn(until.p, until.n));
    buf_clear(&until);
    return o;
}

/* To a login with Digest we prove that we know the password too. */
static enum err add_info(const struct ask *q, struct slice body, struct buf *headers)
{
    struct sec_digest_response d;
    size_t before = headers->n;
    enum err e;

    buf_add_str(headers, "Authentication-Info: ");
    if (q->bootstrapped)
        e = sec_digest_parse(q->in.authorization, &d) ? ERR_MALFORMED
                                                      : ppg_naf_info(q->c, q->x, &d, body, headers);
    else
        e = ota_proof_info(&q->in, body, headers);
    buf_add_str(headers, "\r\n");
    if (e == ERR_ABSENT)
        buf_cut(headers, before);
    return e == ERR_ABSENT ? ERR_OK : e ? e : buf_err(headers);
}

static void send_json(const struct ask *q, struct slice text)
{
    struct ppg_core *c = q->c;

    buf_reset(&c->answer_headers, HEADERS_MAX_N);
    buf_add_str(&c->answer_headers, "Cache-Control: no-store\r\n");
    ppg_authmd5_next(c, q->x, &c->answer_headers);
    if (text.n && !add_info(q, text, &c->answer_headers)) {
        net_httpd_reply(q->x, 200, SLICE("application/json"), buf_slice(&c->answer_headers), text);
    } else {
        buf_reset(&c->answer_headers, HEADERS_MAX_N);
        reply(c, q->x, 503);
    }
}

static void answer(const struct ask *q, const struct sec_verify_answer *a)
{
    json_t *o = said(a);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

    json_decref(o);
    send_json(q, text ? slice_str(text) : SLICE_NONE);
    free(text);
}

/* What one terminal may ask for. */
static struct rate rate_of(const struct ppg_core *c)
{
    uint32_t n = ppg_core_settings(c)->verify.rate;

    return (struct rate){n, n, MINUTE_MS};
}

static void too_often(const struct ask *q, int64_t wait_ms)
{
    struct buf *headers = &q->c->answer_headers;

    buf_reset(headers, HEADERS_MAX_N);
    ppg_reply_retry_after(wait_ms, headers);
    reply(q->c, q->x, 429);
}

/* --- visits --- */

/* While the other side is told. */
struct visiting {
    struct ask q;
    struct ota_registry *registry; /* held: q's terminal lives in it */
    struct ppg_visit_ask visit;
};

static void visit_end(struct visiting *v, enum err e)
{
    struct ppg_core *c = v->q.c;

    if (e)
        LOG(c->shared->log, LOG_WARN, "visit.not-granted", LOG_A("terminal", v->visit.terminal),
            LOG_C("error", err_name(e)));
    buf_reset(&c->answer_headers, HEADERS_MAX_N);
    if (!e)
        send_json(&v->q, buf_slice(&v->visit.json));
    else if (e == ERR_MALFORMED || e == ERR_ABSENT || e == ERR_DENIED)
        reply(c, v->q.x, e == ERR_MALFORMED ? 400 : 403);
    else {
        ppg_reply_retry_after(PPG_BUSY_RETRY_MS, &c->answer_headers);
        reply(c, v->q.x, 503);
    }
    buf_wipe(&v->visit.json);
    ota_registry_drop(&v->registry);
    free(v);
}

static void granted(struct ppg_visit_ask *a, enum err e)
{
    visit_end(container_of(a, struct visiting, visit), e);
}

/* The keys that one terminal has others keep for it are rationed as its questions are. */
static bool may_visit(const struct ask *q, int64_t *wait_ms)
{
    struct ppg_core *c = q->c;
    struct slice terminal = q->in.terminal->key;
    const struct rate rate = rate_of(c);

    return rate_take(&c->shared->visits[map_hash(c->shared->spread, terminal) % PPG_VISITORS], &rate, 1,
                     ppg_core_mono_ms(c), wait_ms);
}

static void visit(const struct ask *q, struct ota_registry *registry)
{
    struct visiting *v;
    int64_t wait_ms;
    enum err e;

    if (!may_visit(q, &wait_ms)) {
        too_often(q, wait_ms);
        return;
    }
    v = calloc(1, sizeof *v);
    if (!v) {
        reply(q->c, q->x, 503);
        return;
    }
    v->q = *q;
    v->registry = ota_registry_hold(registry);
    v->visit = (struct ppg_visit_ask){.terminal = q->in.terminal->key, .done = granted};
    e = q->c->visit ? ppg_visit_go(q->c->visit, net_http_exchange_msg(q->x)->body, &v->visit) : ERR_IO;
    if (e != ERR_AGAIN)
        visit_end(v, e);
}

/* --- questions --- */

static struct slice text_of(const json_t *o, const char *key)
{
    const json_t *t = json_object_get(o, key);

    return json_is_string(t) ? slice_of(json_string_value(t), json_string_length(t)) : SLICE_NONE;
}

static void decide(const struct ask *q, const json_t *question)
{
    struct ppg_core *c = q->c;
    const struct ota_terminal *t = q->in.terminal;
    const struct sec_verify_ask ask = {.terminal = t->key,
                                       .token = text_of(question, "token"),
                                       .digest = text_of(question, "digest"),
                                       .rate = rate_of(c),
                                       .mono_ms = ppg_core_mono_ms(c)};
    struct sec_verify_answer a;

    buf_reset(&c->answer_headers, HEADERS_MAX_N);
    if (!ask.token.n || !ask.digest.n) {
        reply(c, q->x, 400);
        return;
    }
    sec_verify_ask(c->shared->verify, &ask, &a);
    LOG(c->shared->log, LOG_INFO, "verify.asked", LOG_A("terminal", t->key),
        LOG_B("valid", a.word == SEC_VERIFY_VALID), LOG_C("why", a.reason));
    if (a.word == SEC_VERIFY_WAIT)
        too_often(q, a.wait_ms);
    else
        answer(q, &a);
}

static void listen_to(const struct ask *q)
{
    struct slice body = net_http_exchange_msg(q->x)->body;
    json_t *question =
        body.n && body.n <= BODY_MAX_N ? json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL) : NULL;

    buf_reset(&q->c->answer_headers, HEADERS_MAX_N);
    if (json_is_object(question))
        decide(q, question);
    else
        reply(q->c, q->x, 400);
    json_decref(question);
}

unsigned ppg_verify_head(struct net_http_exchange *x, struct buf *headers, void *arg)
{
    const struct ppg_core *c = arg;
    struct slice target = net_http_exchange_msg(x)->target;
    unsigned status;

    if (!slice_eq(target, PATH) && !slice_eq(target, PPG_VISIT_PATH))
        return 404;
    status = ppg_reply_head(c, x, "POST", SIZE_MAX, headers);
    return status ? status : ppg_reply_slowed(c, net_http_exchange_ip(x), headers);
}

void ppg_verify_request(struct net_http_exchange *x, void *arg)
{
    struct ppg_core *c = arg;
    const struct net_http_msg *m = net_http_exchange_msg(x);
    struct ota_registry *registry = ota_registry_hold(ppg_config_registry(c->config));
    size_t n;
    struct slice authorization = net_http_header(m, SLICE("Authorization"), &n);
    struct ask q = {.c = c,
                    .x = x,
                    .in = {.tls = true,
                           .asks = true,
                           .authorization = n == 1 ? authorization : SLICE_NONE,
                           .logins = c->shared->logins,
                           .session = ppg_authmd5_begin(c, x),
                           .request = {m->method, m->target, m->body, true},
                           .realm = slice_str(ppg_core_settings(c)->ota_http.realm),
                           .now_ms = ppg_core_mono_ms(c)}};
    int64_t wait_ms;
    enum err e;

    wait_ms = ppg_authmd5_wait_ms(c, q.in.authorization);
    e = who(registry, &q);
    if (!e && !wait_ms)
        e = prove(&q, registry);
    if (wait_ms) {
        too_often(&q, wait_ms);
    } else if (!e && slice_eq(m->target, PPG_VISIT_PATH)) {
        visit(&q, registry);
    } else if (!e) {
        listen_to(&q);
    } else if (e == ERR_AGAIN) {
        ppg_keyask_park(c, x, &q.want, ppg_verify_request);
    } else {
        LOG(c->shared->log, LOG_INFO, "verify.refused", LOG_S("peer", net_http_exchange_ip(x)),
            LOG_A("terminal", q.in.terminal ? q.in.terminal->key : SLICE_NONE), LOG_C("why", err_text(e)));
        challenge(&q, e == ERR_LATE);
    }
    ota_registry_drop(&registry);
}
