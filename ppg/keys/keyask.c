/* See keyask.h.  A question is known to its loop and, by its errand, to the table, where questions of all loops for one key
 * meet: the one that began asks, the others' errands come back with its answer. */
#include "ppg/keys/keyask.h"

#include <stdlib.h>
#include "base/map.h"
#include "base/mem.h"
#include "ppg/keys/bsfc.h"
#include "ppg/reply.h"

#define ASKING_MAX  16u /* questions under way, all loops; half of what one loop's connections could carry */
#define REFUSED_MAX 10000 /* B-TIDs that nobody has */
#define REFUSED_S   10
#define TRIES_MAX                                                                                            \
    4u /* one request may want: the key of its TLS session, of Digest, of Digest in the tunnel */
#define SECOND_MS 1000

struct ppg_keyask {
    struct list questions;
    unsigned tries; /* of the request that a door has again in this moment */
};

struct question {
    struct list link;
    struct ppg_errand errand;
    struct ppg_core *core;
    struct sec_farkeys *table; /* held */
    struct sec_naf_want want;
    struct ppg_bsfc_key ask; /* of the one that asks */
    struct list parked;      /* requests */
    struct list handshakes;  /* struct net_tls_wait */
    enum err result;         /* ERR_OK: the table knows */
};

struct parked {
    struct list link;
    struct net_http_exchange *exchange;
    net_httpd_request_fn *again;
    unsigned tries;
};

enum err ppg_keyask_table(const struct ppg_settings *set, struct sec_farkeys **out)
{
    const struct sec_farkeys_conf conf = {set->key_server.bootstrapped_max, REFUSED_MAX, ASKING_MAX,
                                          REFUSED_S};

    return set->key_server.bsf_url ? sec_farkeys_create(&conf, out) : ERR_OK;
}

/* --- questions --- */

static struct slice btid_of(const struct sec_naf_want *w)
{
    return slice_of(w->btid, w->btid_n);
}

static struct slice naf_id_of(const struct sec_naf_want *w)
{
    return slice_of(w->naf_id.octets, w->naf_id.n);
}

static void question_free(struct question *q)
{
    list_remove(&q->link);
    sec_farkeys_free(&q->table);
    sec_naf_key_clear(&q->ask.key);
    free(q);
}

static void tell_away(struct ppg_core *c, struct slice ip, enum err why)
{
    LOG(c->shared->log, LOG_WARN, "auth.key.wait", LOG_S("peer", ip),
        LOG_C("reason", why == ERR_LATE    ? "this source made us ask too often"
                        : why == ERR_LIMIT ? "too many questions"
                                           : "the BSF gives no answer"));
}

static void unavailable(struct ppg_core *c, struct net_http_exchange *x, enum err why, int64_t wait_ms)
{
    struct buf *headers = &c->answer_headers;

    buf_reset(headers, 0);
    ppg_reply_retry_after(wait_ms, headers);
    tell_away(c, net_http_exchange_ip(x), why);
    net_httpd_reply(x, why == ERR_LATE ? 429 : 503, SLICE("text/plain"), buf_slice(headers), SLICE_NONE);
}

static void request_on(struct ppg_core *c, struct parked *p, enum err result)
{
    c->keyask->tries = p->tries;
    if (result)
        unavailable(c, p->exchange, result, PPG_BUSY_RETRY_MS);
    else
        p->again(p->exchange, c);
    c->keyask->tries = 0;
    free(p);
}

/* Back on its own loop: who waited goes on, in the order of arrival. */
static void came_back(struct ppg_core *c, struct ppg_errand *e)
{
    struct question *q = container_of(e, struct question, errand);
    struct list *at;

    list_remove(&q->link);
    while ((at = list_pop_front(&q->handshakes))) {
        struct net_tls_wait *w = container_of(at, struct net_tls_wait, link);

        if (q->result)
            tell_away(c, SLICE_NONE, q->result);
        w->answer(w, q->result ? NET_TLS_STATUS_UNKNOWN : NET_TLS_STATUS_GOOD);
    }
    while ((at = list_pop_front(&q->parked)))
        request_on(c, container_of(at, struct parked, link), q->result);
    question_free(q);
}

/* The table has the answer, or there is none: every loop that waits is told. */
static void settle(struct question *q, enum err e)
{
    struct ppg_core *c = q->core;
    bool known = !e || e == ERR_ABSENT || e == ERR_DENIED;
    struct list waiters, *at;

    list_init(&waiters);
    sec_farkeys_end(q->table, btid_of(&q->want), naf_id_of(&q->want), e, &q->ask.key,
                    ppg_core_utc_ms(c) / 1000, &waiters);
    while ((at = list_pop_front(&waiters))) {
        struct ppg_errand *errand = container_of(at, struct ppg_errand, link);

        container_of(errand, struct question, errand)->result = known ? ERR_OK : ERR_IO;
        ppg_core_errand_return(c, errand);
    }
}

/* Our own policy may end it earlier (TS 33.220 §4.5.3). */
static void answered(struct ppg_bsfc_key *k, enum err e)
{
    struct question *q = container_of(k, struct question, ask);
    struct ppg_core *c = q->core;
    int64_t now_s = ppg_core_utc_ms(c) / 1000;
    int64_t longest_s = now_s + ppg_core_settings(c)->key_server.life_ms / 1000;

    if (!e && k->key.expires_s > longest_s)
        k->key.expires_s = longest_s;
    if (!e && k->key.expires_s <= now_s)
        e = ERR_ABSENT;
    LOG(c->shared->log, e == ERR_IO ? LOG_WARN : LOG_INFO, "bsf.key", LOG_B("found", !e),
        LOG_C("reason", e               ? err_text(e)
                        : k->key.impi_n ? ""
                                        : "it does not say whose"),
        LOG_I("life_s", e ? 0 : k->key.expires_s - now_s));
    settle(q, e);
}

/* Not more than so many a second; who makes us ask without end holds nobody else up. */
static enum err may_ask(struct ppg_core *c, struct slice source, int64_t *wait_ms)
{
    struct ppg_bsf_state *s = &c->shared->bsf;
    uint32_t count = ppg_core_settings(c)->key_server.bsf_rate, one = count / 10 ? count / 10 : 1;
    const struct rate all = {count, count, SECOND_MS}, each = {one, one, SECOND_MS};
    int64_t now = ppg_core_mono_ms(c);

    if (!rate_take(&s->key_sources[map_hash(c->shared->spread, source) % PPG_KEY_SOURCES], &each, 1, now,
                   wait_ms))
        return ERR_LATE;
    return rate_take(&s->keys, &all, 1, now, wait_ms) ? ERR_OK : ERR_LIMIT;
}

static struct question *question_new(struct ppg_core *c, const struct sec_naf_want *want)
{
    struct sec_naf naf = ppg_config_naf(c->config, ppg_core_utc_ms(c));
    struct question *q = naf.far && c->bsfc ? calloc(1, sizeof *q) : NULL;

    if (!q)
        return NULL;
    q->core = c;
    q->table = sec_farkeys_hold(naf.far);
    q->want = *want;
    q->ask = (struct ppg_bsfc_key){btid_of(&q->want), q->want.naf_id, {.impi_n = 0}, answered};
    q->errand.back = came_back;
    list_init(&q->link);
    list_init(&q->parked);
    list_init(&q->handshakes);
    return q;
}

static enum err question_go(struct ppg_core *c, struct question *q)
{
    enum err e;

    ppg_core_errand_begin(c, &q->errand);
    e = sec_farkeys_begin(q->table, btid_of(&q->want), naf_id_of(&q->want), &q->errand.link);
    if (e && e != ERR_AGAIN) {
        c->errands_out--;
        return e;
    }
    if (!e && ppg_bsfc_ask_key(c->bsfc, &q->ask) != ERR_AGAIN)
        settle(q, ERR_IO); /* others may have joined by now: all hear of it in the same way */
    return ERR_AGAIN;
}

static bool same(const struct sec_naf_want *a, const struct sec_naf_want *b)
{
    return slice_eq(btid_of(a), btid_of(b)) && slice_eq(naf_id_of(a), naf_id_of(b));
}

/* ERR_AGAIN: *out has been asked, now or before.  Else why it cannot be, with the time to wait. */
static enum err ask(struct ppg_core *c, const struct sec_naf_want *want, struct slice source,
                    struct question **out, int64_t *wait_ms)
{
    struct question *q;
    enum err e;

    *wait_ms = PPG_BUSY_RETRY_MS;
    LIST_EACH (at, &c->keyask->questions) {
        *out = container_of(at, struct question, link);
        if (same(want, &(*out)->want))
            return ERR_AGAIN;
    }
    e = may_ask(c, source, wait_ms);
    if (e)
        return e;
    q = question_new(c, want);
    e = q ? question_go(c, q) : ERR_IO;
    if (e == ERR_AGAIN) {
        list_push_back(&c->keyask->questions, &q->link);
        *out = q;
    } else if (q) {
        question_free(q);
    }
    return e;
}

/* --- requests --- */

void ppg_keyask_park(struct ppg_core *c, struct net_http_exchange *x, const struct sec_naf_want *want,
                     net_httpd_request_fn *again)
{
    struct parked *p = c->keyask->tries < TRIES_MAX ? calloc(1, sizeof *p) : NULL;
    struct question *q;
    int64_t wait_ms = PPG_BUSY_RETRY_MS;
    enum err e = p ? ask(c, want, net_http_exchange_ip(x), &q, &wait_ms) : ERR_NOMEM;

    if (e != ERR_AGAIN) {
        free(p);
        unavailable(c, x, e, wait_ms);
        return;
    }
    *p = (struct parked){.exchange = x, .again = again, .tries = c->keyask->tries + 1};
    list_push_back(&q->parked, &p->link);
}

/* --- handshakes --- */

/* The context that asks may be of an older configuration: what this one knows already is no question. */
void ppg_keyask_handshake(const struct net_tls_key_name *name, struct slice peer_ip, struct net_tls_wait *w,
                          void *core)
{
    struct ppg_core *c = core;
    struct sec_naf naf = ppg_config_naf(c->config, ppg_core_utc_ms(c));
    struct sec_naf_want want = {.btid_n = 0};
    struct sec_secret key;
    struct question *q;
    int64_t wait_ms;
    enum err e = ERR_OK;

    naf.want = &want;
    if (sec_naf_psk(&naf, name->identity, name->version, name->suite, &key))
        sec_secret_clear(&key);
    if (want.btid_n)
        e = ask(c, &want, peer_ip, &q, &wait_ms);
    if (e == ERR_AGAIN) {
        list_push_back(&q->handshakes, &w->link);
        return;
    }
    if (e)
        tell_away(c, peer_ip, e);
    w->answer(w, e ? NET_TLS_STATUS_UNKNOWN : NET_TLS_STATUS_GOOD);
}

/* --- life --- */

enum err ppg_keyask_create(struct ppg_keyask **out)
{
    struct ppg_keyask *k = calloc(1, sizeof *k);

    if (!k)
        return ERR_NOMEM;
    list_init(&k->questions);
    *out = k;
    return ERR_OK;
}

void ppg_keyask_free(struct ppg_keyask **kp)
{
    MUST(!*kp || list_empty(&(*kp)->questions));
    free(*kp);
    *kp = NULL;
}
