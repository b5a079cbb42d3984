/* See ocsp.h.  An entry is a certificate with what is known of it: nothing yet (a request is under way, handshakes wait in
 * its list), an answer, or a failure, whose meaning is the operator's (fail closed or open).  Runs on its loop. */
#include "ppg/ocsp.h"

#include <stdlib.h>
#include "base/map.h"
#include "base/mem.h"
#include "ppg/poster.h"
#include "security/ocsp.h"

#define DER_MAX_N 65536u
#define URL_MAX_N 2048u
#define IDLE_MS   10000

struct entry {
    struct list link; /* of the service, the one asked longest ago first */
    struct ppg_ocsp *service;
    uint8_t key[SEC_OCSP_KEY_N];
    bool asking;
    bool failed;
    struct sec_ocsp_answer answer; /* until_s: of a failure too */
    struct list waiting;           /* struct net_tls_wait, while asking */
    struct buf leaf, issuer;       /* DER, while asking */
};

struct ppg_ocsp {
    struct ppg_poster poster;
    const struct net_env *env;
    struct map by_key;
    struct list entries;
    size_t asking_n;
};

static const struct ppg_settings *settings_of(const struct ppg_ocsp *o)
{
    return ppg_poster_settings(&o->poster);
}

static int64_t now_s(const struct ppg_ocsp *o)
{
    return clk_utc_ms(o->env->clk) / 1000;
}

static struct slice key_of(const struct entry *e)
{
    return slice_of(e->key, sizeof e->key);
}

static void entry_free(struct entry *e)
{
    (void)map_del(&e->service->by_key, key_of(e));
    list_remove(&e->link);
    buf_clear(&e->leaf);
    buf_clear(&e->issuer);
    free(e);
}

/* What a handshake is told when nobody could be asked. */
static enum net_tls_status without_answer(const struct ppg_ocsp *o)
{
    return settings_of(o)->pap.ocsp == PPG_OCSP_FAIL_OPEN ? NET_TLS_STATUS_GOOD : NET_TLS_STATUS_UNKNOWN;
}

static enum net_tls_status verdict(const struct entry *e)
{
    if (e->failed)
        return without_answer(e->service);
    return e->answer.status == SEC_OCSP_GOOD      ? NET_TLS_STATUS_GOOD
           : e->answer.status == SEC_OCSP_REVOKED ? NET_TLS_STATUS_REVOKED
                                                  : NET_TLS_STATUS_UNKNOWN;
}

static void tell_failure(const struct ppg_ocsp *o, const char *why)
{
    bool open = settings_of(o)->pap.ocsp == PPG_OCSP_FAIL_OPEN;

    LOG(o->env->log, LOG_WARN, "tls.ocsp.fail", LOG_C("reason", why),
        LOG_C("certificate", open ? "taken" : "refused"));
}

/* The request is over, one way or the other: everybody who waits is told. */
static void settle(struct entry *e, const char *failure)
{
    enum net_tls_status status;
    struct list *at;

    e->asking = false;
    e->service->asking_n--;
    e->failed = failure != NULL;
    buf_clear(&e->leaf);
    buf_clear(&e->issuer);
    if (failure) {
        e->answer.until_s = now_s(e->service) + PPG_OCSP_RETRY_S;
        tell_failure(e->service, failure);
    }
    status = verdict(e);
    while ((at = list_pop_front(&e->waiting))) {
        struct net_tls_wait *w = container_of(at, struct net_tls_wait, link);

        w->answer(w, status);
    }
}

static const char *judge(struct entry *e, const struct net_http_msg *msg)
{
    enum err err;

    if (msg->status != 200)
        return "the responder's HTTP status is not 200";
    err =
        sec_ocsp_judge(msg->body, buf_slice(&e->leaf), buf_slice(&e->issuer), now_s(e->service), &e->answer);
    return err == ERR_OK       ? NULL
           : err == ERR_DENIED ? "the response is signed by somebody who may not"
           : err == ERR_LATE   ? "the response is outdated"
           : err == ERR_PEER   ? "the responder gives no answer"
                               : "the response cannot be read, or is about another certificate";
}

static void answered(enum err err, const struct net_http_msg *msg, bool sent, void *arg)
{
    struct entry *e = arg;

    (void)sent;
    settle(e, err == ERR_OK     ? judge(e, msg)
              : err == ERR_LATE ? "the responder took too long"
                                : "the responder cannot be reached");
}

static enum err post(struct entry *e, struct slice url, struct slice body)
{
    const struct ppg_post post = {.url = url,
                                  .type = "application/ocsp-request",
                                  .accept = "application/ocsp-response",
                                  .body = body,
                                  .timeout_ms = settings_of(e->service)->pap.ocsp_timeout_ms};

    return ppg_poster_send(&e->service->poster, &post, answered, e);
}

/* The operator's responder, else the one that the certificate names. */
static enum err send_request(struct entry *e)
{
    const char *responder = settings_of(e->service)->pap.ocsp_responder;
    struct slice leaf = buf_slice(&e->leaf);
    struct buf url, body;
    enum err err = ERR_OK;

    buf_init(&url, URL_MAX_N);
    buf_init(&body, DER_MAX_N);
    if (responder[0])
        buf_add_str(&url, responder);
    else
        err = sec_ocsp_url(leaf, &url);
    if (!err)
        err = sec_ocsp_request(leaf, buf_slice(&e->issuer), &body);
    if (!err)
        err = buf_err(&url);
    if (!err)
        err = post(e, buf_slice(&url), buf_slice(&body));
    buf_clear(&url);
    buf_clear(&body);
    return err;
}

static void start(struct entry *e, struct slice leaf, struct slice issuer)
{
    enum err err;

    e->asking = true;
    e->service->asking_n++;
    list_remove(&e->link);
    list_push_back(&e->service->entries, &e->link);
    buf_init(&e->leaf, DER_MAX_N);
    buf_init(&e->issuer, DER_MAX_N);
    buf_add(&e->leaf, leaf);
    buf_add(&e->issuer, issuer);
    err = buf_err(&e->leaf) ? buf_err(&e->leaf) : buf_err(&e->issuer);
    if (!err)
        err = send_request(e);
    if (err)
        settle(e, err == ERR_ABSENT ? "the certificate names no responder" : "the responder cannot be asked");
}

/* Room for one more: the one asked longest ago goes, unless it is being asked. */
static void make_room(struct ppg_ocsp *o)
{
    LIST_EACH_SAFE (at, &o->entries) {
        struct entry *e = container_of(at, struct entry, link);

        if (!e->asking) {
            entry_free(e);
            return;
        }
    }
}

static struct entry *entry_new(struct ppg_ocsp *o, const uint8_t key[SEC_OCSP_KEY_N])
{
    struct entry *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    if (o->by_key.n >= PPG_OCSP_KEPT_MAX)
        make_room(o);
    e->service = o;
    list_init(&e->link);
    list_init(&e->waiting);
    mem_copy(e->key, sizeof e->key, slice_of(key, SEC_OCSP_KEY_N));
    if (map_put(&o->by_key, key_of(e), e)) {
        free(e);
        return NULL;
    }
    list_push_back(&o->entries, &e->link);
    return e;
}

/* The entry, made if need be; NULL when nobody can be asked now. */
static struct entry *entry_for(struct ppg_ocsp *o, struct slice leaf, struct slice issuer)
{
    uint8_t key[SEC_OCSP_KEY_N];
    struct entry *e;

    if (issuer.n == 0 || sec_ocsp_key(leaf, issuer, key))
        return NULL;
    e = map_get(&o->by_key, slice_of(key, sizeof key));
    if (e && (e->asking || e->answer.until_s > now_s(o)))
        return e;
    if (o->asking_n >= PPG_OCSP_ASKING_MAX)
        return NULL;
    return e ? e : entry_new(o, key);
}

void ppg_ocsp_ask(struct slice leaf, struct slice issuer, struct net_tls_wait *w, void *arg)
{
    struct ppg_ocsp *o = arg;
    struct entry *e = entry_for(o, leaf, issuer);

    if (!e) {
        tell_failure(o,
                     issuer.n ? "too many requests under way" : "who signed the certificate is not at hand");
        w->answer(w, without_answer(o));
        return;
    }
    if (!e->asking && e->answer.until_s > now_s(o)) {
        w->answer(w, verdict(e));
        return;
    }
    list_push_back(&e->waiting, &w->link);
    if (!e->asking)
        start(e, leaf, issuer);
}

void ppg_ocsp_set(struct ppg_ocsp *o, struct ppg_snapshot *snapshot)
{
    ppg_poster_set(&o->poster, snapshot, NULL);
    LIST_EACH (at, &o->entries) {
        container_of(at, struct entry, link)->answer.until_s = 0;
    }
}

static void gone(struct ppg_poster *p)
{
    struct ppg_ocsp *o = container_of(p, struct ppg_ocsp, poster);

    LIST_EACH_SAFE (at, &o->entries) {
        entry_free(container_of(at, struct entry, link));
    }
    map_clear(&o->by_key);
    free(o);
}

enum err ppg_ocsp_create(const struct net_env *env, struct ppg_snapshot *snapshot, struct ppg_ocsp **out)
{
    const struct ppg_poster_conf conf = {.connections_max = PPG_OCSP_ASKING_MAX,
                                         .per_server_max = PPG_OCSP_ASKING_MAX,
                                         .answer_max_n = SEC_OCSP_RESPONSE_MAX,
                                         .connect_ms =
                                             ppg_config_settings(snapshot->config)->pap.ocsp_timeout_ms,
                                         .idle_ms = IDLE_MS,
                                         .gone = gone};
    struct ppg_ocsp *o = calloc(1, sizeof *o);
    enum err e = o ? ppg_poster_init(&o->poster, env, snapshot, &conf) : ERR_NOMEM;

    if (e) {
        free(o);
        return e;
    }
    o->env = env;
    map_init(&o->by_key, PPG_OCSP_KEPT_MAX);
    list_init(&o->entries);
    *out = o;
    return ERR_OK;
}

void ppg_ocsp_close(struct ppg_ocsp *o, void (*closed)(void *arg), void *arg)
{
    ppg_poster_close(&o->poster, closed, arg);
}
