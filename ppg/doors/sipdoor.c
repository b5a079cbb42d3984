/* The SIP door; see sipdoor.h. */
#include "ppg/doors/sipdoor.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ota/registrar/registrar.h"
#include "ota/registry.h"
#include "ota/sip/refusal.h"
#include "ota/sip/uri.h"
#include "ppg/schedule.h"
#include "ppg/doors/sip_aka.h"
#include "ppg/doors/sip_names.h"
#include "ppg/doors/wake.h"

#define RESPONSES_MAX 20000 /* kept for retransmissions, of one loop, half a minute each */
#define ASKED_MAX     1000
#define DOMAINS_MAX   16
#define MORE_N        ((size_t)24 << 10) /* octets of the header lines of a response */

struct ppg_sipdoor {
    struct ppg_core *core;
    const struct net_env *env;
    struct ota_sip_door *door;
    struct ppg_sip_aka *aka;
    struct buf more; /* scratch */
    void (*closed)(void *arg);
    void *closed_arg;
};

/* --- between loops --- */

struct carrier {
    struct ppg_errand errand;
    struct ota_sip_parcel *parcel;
};

static void deliver(struct ppg_core *c, struct ppg_errand *e)
{
    if (c->sip)
        ota_sip_door_parcel(ppg_sipdoor_of(c->sip), container_of(e, struct carrier, errand)->parcel);
}

static void delivered(struct ppg_core *c, struct ppg_errand *e)
{
    struct carrier *carrier = container_of(e, struct carrier, errand);

    (void)c;
    free(carrier->parcel);
    free(carrier);
}

/* What is not carried is as lost on the way: a timer tells. */
static void post(unsigned loop, struct ota_sip_parcel *p, void *arg)
{
    struct ppg_sipdoor *s = arg;
    struct carrier *carrier = calloc(1, sizeof *carrier);

    if (!carrier) {
        free(p);
        return;
    }
    carrier->errand.run = deliver;
    carrier->errand.back = delivered;
    carrier->parcel = p;
    ppg_core_errand(s->core, &carrier->errand, loop);
}

/* To the loop that owns the terminal: what waits for it is due. */
struct news {
    struct ppg_errand errand;
    size_t key_n;
    char key[];
};

static void tell(struct ppg_core *c, struct ppg_errand *e)
{
    const struct news *n = container_of(e, struct news, errand);

    ppg_schedule_called(c->schedule, slice_of(n->key, n->key_n));
}

static void told(struct ppg_core *c, struct ppg_errand *e)
{
    (void)c;
    free(container_of(e, struct news, errand));
}

static void wake(struct ppg_sipdoor *s, struct slice key)
{
    struct news *n = calloc(1, sizeof *n + key.n);

    if (!n)
        return; /* it waits a little longer */
    n->errand.run = tell;
    n->errand.back = told;
    n->key_n = key.n;
    mem_copy(n->key, key.n, key);
    ppg_core_errand(s->core, &n->errand, ppg_core_owner(s->core, key));
}

/* --- who it is --- */

static bool account(void *arg, struct slice user, struct ota_sip_account *out)
{
    const struct ppg_sipdoor *s = arg;
    const struct ota_terminal *t = ota_registry_find_sip_user(ppg_config_registry(s->core->config), user);

    if (!t || !t->call_in.password.n)
        return false;
    *out = (struct ota_sip_account){t->sip_record, t->call_in.password, t->registers == OTA_CALLS_TLS};
    return true;
}

static struct ota_sip_registrar registrar_of(struct ppg_sipdoor *s, struct slice domains[DOMAINS_MAX])
{
    const struct ppg_settings *set = ppg_core_settings(s->core);
    struct slice rest = ppg_sip_domains(set);
    struct ota_sip_registrar g = {.clk = s->env->clk,
                                  .location = s->core->shared->location,
                                  .guard = s->core->shared->guard,
                                  .domains = domains,
                                  .realm = ppg_sip_realm(set),
                                  .app_tag = slice_str(set->ota_sip.app_tag),
                                  .sha256 = set->ota_sip.digest != PPG_SIP_MD5,
                                  .md5 = set->ota_sip.digest != PPG_SIP_SHA256,
                                  .expires_min_s = set->ota_sip.expires_min_ms / 1000,
                                  .expires_s = set->ota_sip.expires_ms / 1000,
                                  .expires_max_s = set->ota_sip.expires_max_ms / 1000,
                                  .flow_s = set->ota_sip.flow_ms / 1000,
                                  .account = account,
                                  .arg = s};

    while (g.domains_n < DOMAINS_MAX && slice_item(&rest, &domains[g.domains_n]))
        g.domains_n++;
    return g;
}

static bool trusted(const struct ppg_sipdoor *s, struct slice ip)
{
    const struct ppg_settings *set = ppg_core_settings(s->core);

    for (size_t i = 0; i < set->ota_sip.trusted_n; i++)
        if (sec_network_has(&set->ota_sip.trusted[i], ip))
            return true;
    return false;
}

/* --- requests --- */

/* By the address that all other lines have it by; what is no terminal's record is a stranger's word. */
static void log_register(const struct ppg_sipdoor *s, const struct ota_sip_asked *q, unsigned status,
                         struct slice record)
{
    const struct ota_terminal *t =
        record.n ? ota_registry_find_record(ppg_config_registry(s->core->config), record) : NULL;

    LOG(s->core->shared->log, status == 403 ? LOG_WARN : LOG_INFO, "sip.register",
        t ? LOG_A("terminal", t->key) : LOG_U("terminal", record), LOG_S("peer", q->ip),
        LOG_C("via", ota_sip_via_name(q->flow.via)), LOG_I("status", status));
}

/* Anybody may write any source on a datagram: such failures slow nobody at the other doors. */
static struct slice source_of(const struct ota_sip_asked *q, char text[SEC_PENALTY_SOURCE_MAX_N])
{
    (void)snprintf(text, SEC_PENALTY_SOURCE_MAX_N, "%s%.*s", q->flow.via == OTA_SIP_UDP ? "udp " : "",
                   SLICE_FMT(q->ip));
    return slice_str(text);
}

static void failed(const struct ppg_sipdoor *s, const struct ota_sip_asked *q)
{
    char source[SEC_PENALTY_SOURCE_MAX_N];

    sec_penalty_fail(s->core->shared->penalty, source_of(q, source), ppg_core_mono_ms(s->core));
}

/* Who asks is known: may it, and what comes of it. */
static unsigned let_in(struct ppg_sipdoor *s, struct ota_sip_asked *q, const struct ota_sip_registrar *g,
                       const struct ota_sip_account *who, struct ota_sip_answer *answer)
{
    const struct ota_sip_origin from = {q->flow, ota_sip_door_bound(s->door, &q->flow), trusted(s, q->ip)};
    const struct ota_terminal *t;
    unsigned status = ota_sip_register_bind(g, &q->r, &from, who, answer);

    q->let_in = answer->record->n != 0;
    t = ota_registry_find_record(ppg_config_registry(s->core->config), buf_slice(answer->record));
    if (t && status == 200 && answer->fresh)
        wake(s, t->key);
    log_register(s, q, status, who->record);
    return status;
}

static void on_aka(struct ota_sip_asked *q, const struct ppg_sip_aka_end *end, void *arg)
{
    struct ppg_sipdoor *s = arg;
    const struct ota_terminal *t =
        ota_registry_find_sip_user(ppg_config_registry(s->core->config), end->impi);
    unsigned status = end->status;
    struct slice domains[DOMAINS_MAX];
    struct ota_sip_registrar g = registrar_of(s, domains);
    struct buf record;
    struct ota_sip_answer answer = {.record = &record, .more = end->more};

    buf_init(&record, OTA_SIP_URI_MAX_N);
    if (end->failed_login)
        failed(s, q);
    if (status == 0 && !t)
        status = 403;
    if (status == 0)
        status = ota_sip_register_begin(&g, &q->r, &answer);
    if (status == 0) {
        const struct ota_sip_account who = {t->sip_record, SLICE_NONE, t->registers == OTA_CALLS_TLS};

        status = let_in(s, q, &g, &who, &answer);
    } else if (status != 401) {
        log_register(s, q, status, SLICE_NONE);
    }
    buf_clear(&record);
    ota_sip_door_answer(s->door, q, status, buf_slice(end->more));
}

/* 0: it is answered later. */
static unsigned do_register(struct ppg_sipdoor *s, struct ota_sip_asked *q)
{
    struct slice domains[DOMAINS_MAX];
    struct ota_sip_registrar g = registrar_of(s, domains);
    const struct ota_terminal *t;
    struct ota_sip_account who;
    struct buf record;
    struct ota_sip_answer answer = {.record = &record, .more = &s->more};
    unsigned status;

    buf_init(&record, OTA_SIP_URI_MAX_N);
    status = ota_sip_register_begin(&g, &q->r, &answer);
    t = ota_registry_find_record(ppg_config_registry(s->core->config), buf_slice(&record));
    if (status == 0 && t && !t->call_in.password.n) {
        buf_clear(&record);
        ppg_sip_aka_begin(s->aka, q, t->call_in.subscriber);
        return 0;
    }
    if (status == 0) {
        status = ota_sip_register_who(&g, &q->r, &who, &answer);
        if (status == 0)
            status = let_in(s, q, &g, &who, &answer);
    }
    if (answer.failed_login) {
        failed(s, q);
        log_register(s, q, status, buf_slice(&record));
    }
    buf_clear(&record);
    return status;
}

/* What the gateway does not do for devices; never a 6xx, which would speak for others (RFC 3261 §21.6).  SUBSCRIBE is a method like
 * others that it has not: 489 must name an event package that is offered (RFC 6665 §8.2, §8.4), and there is none. */
static unsigned refuse(struct ppg_sipdoor *s, const struct ota_sip_asked *q)
{
    unsigned status = 481;

    if (!q->r.to_tag)
        status = ota_sip_request_refused(&q->r, SLICE(OTA_SIP_DOOR_METHODS), &s->more);
    return status == 0 && slice_eq(q->r.method, SLICE("BYE")) ? 481 : status;
}

/* Its own methods, and the applications back that the device has said it has (RFC 3261 §11.2). */
static void print_options(struct ppg_sipdoor *s, const struct ota_sip_asked *q)
{
    const struct ppg_settings *set = ppg_core_settings(s->core);
    struct ota_sip_wish w;
    const struct ota_sip_origin from = {.flow = q->flow};

    buf_add(&s->more,
            SLICE("Allow: " OTA_SIP_DOOR_METHODS "\r\nAccept: \r\nSupported: path, outbound, gruu\r\n"));
    ota_sip_wish_init(&w);
    if (!ota_sip_wish_read(&w, &q->r, &from, slice_str(set->ota_sip.app_tag), 0) && w.n) {
        buf_addf(&s->more, "Contact: <%s>", set->ota_sip.identity);
        if (w.bindings[0].apps.n && slice_find(w.bindings[0].apps, '"') == SIZE_MAX)
            buf_addf(&s->more, ";+%s=\"%.*s\"", set->ota_sip.app_tag, SLICE_FMT(w.bindings[0].apps));
        buf_add(&s->more, SLICE("\r\n"));
    }
    ota_sip_wish_clear(&w);
}

static unsigned do_options(struct ppg_sipdoor *s, struct ota_sip_asked *q)
{
    struct slice domains[DOMAINS_MAX];
    struct ota_sip_registrar g = registrar_of(s, domains);
    struct ota_sip_account account;
    struct ota_sip_answer answer = {.more = &s->more};
    unsigned status = refuse(s, q);

    if (status)
        return status;
    if (ppg_core_settings(s->core)->ota_sip.address_bound && ota_sip_register_bound(&g, &q->r, &q->flow)) {
        print_options(s, q);
        return 200;
    }
    status = ota_sip_register_who(&g, &q->r, &account, &answer);
    q->let_in = status == 0;
    if (answer.failed_login)
        failed(s, q);
    if (status)
        return status;
    print_options(s, q);
    return 200;
}

/* 0: it is answered later. */
static unsigned serve(struct ppg_sipdoor *s, struct ota_sip_asked *q)
{
    struct ppg_shared *shared = s->core->shared;
    bool login = q->r.logins.n != 0;
    char source[SEC_PENALTY_SOURCE_MAX_N];
    int64_t wait_ms =
        login ? sec_penalty_wait_ms(shared->penalty, source_of(q, source), ppg_core_mono_ms(s->core)) : 0;

    if (wait_ms > 0 || atomic_load(&shared->draining)) {
        buf_addf(&s->more, "Retry-After: %lld\r\n", (long long)(wait_ms + 999) / 1000 + 1);
        return 503;
    }
    if (slice_eq(q->r.method, SLICE("REGISTER")))
        return do_register(s, q);
    if (slice_eq(q->r.method, SLICE("OPTIONS")))
        return do_options(s, q);
    return refuse(s, q);
}

static void on_request(struct ota_sip_asked *q, void *arg)
{
    struct ppg_sipdoor *s = arg;
    unsigned status;

    buf_reset(&s->more, MORE_N);
    LOG(s->core->shared->log, LOG_DEBUG, "sip.asked", LOG_S("method", q->r.method), LOG_S("peer", q->ip));
    status = serve(s, q);
    if (status)
        ota_sip_door_answer(s->door, q, status, buf_slice(&s->more));
}

/* --- life --- */

struct ota_sip_door *ppg_sipdoor_of(const struct ppg_sipdoor *s)
{
    return s->door;
}

enum err ppg_sipdoor_create(const struct net_env *env, struct ppg_core *c, struct net_gate *gate,
                            struct ppg_sipdoor **out)
{
    struct ppg_sipdoor *s = calloc(1, sizeof *s);
    struct ota_sip_door_conf conf = {.env = env,
                                     .location = c->shared->location,
                                     .loop = c->loop,
                                     .loops = c->shared->loops,
                                     .responses_max = RESPONSES_MAX,
                                     .asked_max = ASKED_MAX,
                                     .enter_ms = ppg_core_settings(c)->ota_sip.enter_ms,
                                     .idle_ms = ppg_core_settings(c)->ota_sip.flow_ms,
                                     .gate = gate,
                                     .request = on_request,
                                     .post = post,
                                     .arg = s};

    const struct ppg_sip_aka_conf aka = {c, on_aka, s};
    enum err e = s ? ppg_sip_aka_start(&aka, &s->aka) : ERR_NOMEM;

    if (!e)
        e = ota_sip_door_create(&conf, &s->door);
    if (e) {
        if (s && s->aka)
            ppg_sip_aka_stop(&s->aka);
        free(s);
        return e;
    }
    s->core = c;
    s->env = env;
    buf_init(&s->more, MORE_N);
    *out = s;
    return ERR_OK;
}

enum err ppg_sipdoor_listen(struct ppg_sipdoor *s, enum ota_sip_via via, const char *name,
                            const struct ppg_listen *at, uint16_t *port, const char **why)
{
    return ota_sip_door_listen(s->door, via, name, at->address, port, why);
}

void ppg_sipdoor_set(struct ppg_sipdoor *s, struct net_tls_ctx *tls)
{
    const struct ppg_settings *set = ppg_core_settings(s->core);

    ota_sip_door_set_times(s->door, set->ota_sip.enter_ms, set->ota_sip.flow_ms);
    ota_sip_door_set_tls(s->door, tls);
}

void ppg_sipdoor_drain(struct ppg_sipdoor *s)
{
    ota_sip_door_drain(s->door);
}

static void door_closed(void *arg)
{
    struct ppg_sipdoor *s = arg;
    void (*closed)(void *arg) = s->closed;
    void *closed_arg = s->closed_arg;

    buf_clear(&s->more);
    free(s);
    closed(closed_arg);
}

void ppg_sipdoor_close(struct ppg_sipdoor *s, void (*closed)(void *arg), void *arg)
{
    s->closed = closed;
    s->closed_arg = arg;
    ppg_sip_aka_stop(&s->aka);
    ota_sip_door_close(s->door, door_closed, s);
}
