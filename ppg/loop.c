/* See loop.h.  Everything but the mail functions runs on the loop's own thread, or before it starts. */
#include "ppg/loop.h"

#include "base/net/hub.h"
#include "ppg/accept.h"
#include "ppg/keys/bsf.h"
#include "ppg/keys/bsfc.h"
#include "ppg/doors/callin.h"
#include "ppg/doors/inbox.h"
#include "ppg/keys/keyask.h"
#include "ppg/schedule.h"
#include "ppg/doors/msrpdoor.h"
#include "ppg/doors/sipdoor.h"
#include "ppg/doors/verify.h"
#include "ppg/keys/visit.h"
#include "ppg/keys/zn.h"

#define DRAIN_MS         20000 /* what is on the wire may finish for so long */
#define INBOX_BODY_MAX_N 4096  /* octets: requests of terminals that fetch need none */
#define SMALL_BODY_MAX_N 16384 /* octets: at other doors than those of initiators nobody has more to say */

/* --- mail --- */

void ppg_loop_mail_ops(struct ppg_loop *l, struct list *ops)
{
    uv_mutex_lock(&l->mail_lock);
    list_splice_back(&l->mail_ops, ops);
    uv_mutex_unlock(&l->mail_lock);
    (void)uv_async_send(&l->wake);
}

void ppg_loop_mail_targets(struct ppg_loop *l, struct list *targets)
{
    uv_mutex_lock(&l->mail_lock);
    list_splice_back(&l->mail_targets, targets);
    uv_mutex_unlock(&l->mail_lock);
    (void)uv_async_send(&l->wake);
}

void ppg_loop_mail_errand(struct ppg_loop *l, struct ppg_errand *e)
{
    uv_mutex_lock(&l->mail_lock);
    list_push_back(&l->mail_errands, &e->link);
    uv_mutex_unlock(&l->mail_lock);
    (void)uv_async_send(&l->wake);
}

void ppg_loop_mail_snapshot(struct ppg_loop *l, struct ppg_snapshot *snapshot)
{
    struct ppg_snapshot *unread;

    uv_mutex_lock(&l->mail_lock);
    unread = l->mail_snapshot;
    l->mail_snapshot = ppg_snapshot_hold(snapshot);
    uv_mutex_unlock(&l->mail_lock);
    ppg_snapshot_drop(&unread);
    (void)uv_async_send(&l->wake);
}

void ppg_loop_stop(struct ppg_loop *l)
{
    uv_mutex_lock(&l->mail_lock);
    l->mail_stop = true;
    uv_mutex_unlock(&l->mail_lock);
    (void)uv_async_send(&l->wake);
}

const char *ppg_listen_name(enum ppg_listen_kind kind)
{
    static const char *const names[] = {"pap",      "pap-tls",   "pap-psk",    "ub",        "naf",
                                        "entities", "verify",    "verify-psk", "ota",       "ota-tls",
                                        "ota-psk",  "inbox-tls", "inbox-psk",  "sip-udp",   "sip-tcp",
                                        "sip-tls",  "msrp",      "msrps",      "msrps-psk", "peer"};

    return names[kind];
}

static struct net_tls_ctx *tls_of(const struct ppg_snapshot *s, enum ppg_listen_kind kind)
{
    switch (kind) {
    case PPG_LISTEN_TLS:
        return s->pap;
    case PPG_LISTEN_PSK:
        return s->psk;
    case PPG_LISTEN_UB:
    case PPG_LISTEN_ENTITIES:
        return s->ub;
    case PPG_LISTEN_NAF:
    case PPG_LISTEN_PEER:
        return s->naf;
    case PPG_LISTEN_INBOX:
    case PPG_LISTEN_VERIFY:
        return s->calls;
    case PPG_LISTEN_INBOX_PSK:
    case PPG_LISTEN_VERIFY_PSK:
        return s->calls_psk;
    default:
        return NULL;
    }
}

static bool is_inbox(enum ppg_listen_kind kind)
{
    return kind == PPG_LISTEN_INBOX || kind == PPG_LISTEN_INBOX_PSK;
}

static struct net_http_limits limits_of(const struct ppg_settings *set, enum ppg_listen_kind kind)
{
    bool initiators = kind == PPG_LISTEN_CLEAR || kind == PPG_LISTEN_TLS || kind == PPG_LISTEN_PSK;

    return (struct net_http_limits){.head_max_n = 16384,
                                    .headers_max = 64,
                                    .value_max_n = 4096,
                                    .target_max_n = 2048,
                                    .body_max_n = is_inbox(kind) ? INBOX_BODY_MAX_N
                                                  : initiators   ? set->pap.body_max_n
                                                                 : SMALL_BODY_MAX_N,
                                    .head_ms = set->pap.head_ms,
                                    .idle_ms = set->pap.idle_ms,
                                    .body_rate_min = set->pap.body_rate,
                                    .handshake_ms = set->pap.handshake_ms};
}

static struct ota_sip_env sip_env_of(const struct ppg_loop *l, const struct ppg_settings *set)
{
    return (struct ota_sip_env){
        .identity = slice_str(set->ota_sip.identity),
        .host = slice_str(set->ota_sip.host),
        .proxy = slice_str(set->ota_sip.proxy),
        .service = slice_str(set->ota_sip.service),
        .app_tag = slice_str(set->ota_sip.app_tag),
        .dns = set->ota_sip.dns,
        .trusted = set->ota_sip.trusted,
        .trusted_n = set->ota_sip.trusted_n,
        .large_ok = set->ota_sip.large_ok,
        .sec_agree = set->ota_sip.sec_agree,
        .hops_max = set->ota_sip.hops_max,
        .transactions_max = set->ota_sip.transactions_max,
        .idle_ms = set->ota_sip.idle_ms,
        .sessions_max = set->ota_sip.sessions_max,
        .registered_ms = set->ota_sip.expires_max_ms,
        .ring_ms = set->ota_sip.ring_ms,
        .report_ms = set->ota_sip.report_ms,
        .session_idle_ms = set->ota_sip.session_idle_ms,
        .msrp = ppg_msrpdoor_of(l->msrp),
        .door = ppg_sipdoor_of(l->sip),
        .location = l->core.shared->location,
        .untagged_ok = set->ota_sip.untagged_ok,
        .probe = set->ota_sip.probe,
        .form = (enum ota_form)set->ota_sip.form,
    };
}

static struct ota_env ota_env_of(struct ppg_loop *l)
{
    const struct ppg_settings *set = ppg_config_settings(l->snapshot->config);

    return (struct ota_env){
        .net = &l->env,
        .product = SLICE("ppgd/" PPG_VERSION),
        .tls = l->snapshot->terminal,
        .dtls = l->snapshot->datagram,
        .connect_ms = set->ota_http.connect_ms,
        .response_ms = set->ota_http.response_ms,
        .idle_ms = set->ota_http.idle_ms,
        .connections_max = set->ota_http.connections_max,
        .prov_url = slice_str(set->ota_http.prov_url),
        .wsp = {.source_port = (uint16_t)set->ota_wsp.source_port,
                .datagram_max_n = set->ota_wsp.datagram_max_n,
                .settle_ms = set->ota_wsp.settle_ms,
                .idle_ms = set->ota_wsp.idle_ms,
                .mtu = set->ota_wsp.mtu,
                .flows_max = set->ota_wsp.flows_max},
        .sip = sip_env_of(l, set),
        .profiles = l->core.shared->profiles,
        .calls_max = set->ota_http.calls_max,
        .keep_alive_ms = set->ota_http.keep_alive_ms,
    };
}

static void change_over(struct ppg_loop *l, struct ppg_snapshot *snapshot)
{
    struct ppg_snapshot *old = l->snapshot;

    l->snapshot = snapshot;
    l->ota = ota_env_of(l);
    ppg_core_set_config(&l->core, snapshot->config);
    for (size_t i = 0; i < l->listeners_n; i++) {
        struct net_http_limits limits = limits_of(ppg_config_settings(snapshot->config), l->listener_kind[i]);

        net_httpd_set_limits(l->listeners[i], &limits);
    }
    for (size_t i = 0; i < l->listeners_n; i++)
        if (l->listener_kind[i] != PPG_LISTEN_CLEAR)
            net_httpd_set_tls(l->listeners[i], tls_of(snapshot, l->listener_kind[i]));
    for (size_t i = 0; i < l->core.bearers_n; i++) {
        l->core.bearers[i]->set_tls(l->core.bearer_self[i], snapshot->terminal, snapshot->datagram);
        if (l->core.bearers[i]->review)
            l->core.bearers[i]->review(l->core.bearer_self[i], ppg_config_registry(snapshot->config));
    }
    ppg_callin_set_tls(l->callin, snapshot->calls, snapshot->calls_psk);
    ppg_sipdoor_set(l->sip, snapshot->sip);
    ppg_msrpdoor_set(l->msrp, snapshot);
    ppg_outbound_set(l->outbound, snapshot);
    ppg_ocsp_set(l->ocsp, snapshot);
    ppg_bsfc_set(l->bsfc, snapshot);
    ppg_visit_set(l->visit, snapshot);
    ppg_snapshot_drop(&old);
}

static void read_mail(uv_async_t *wake)
{
    struct ppg_loop *l = wake->data;
    struct ppg_snapshot *snapshot;
    struct list ops, targets, errands, *at;

    list_init(&ops);
    list_init(&targets);
    list_init(&errands);
    uv_mutex_lock(&l->mail_lock);
    list_splice_back(&ops, &l->mail_ops);
    list_splice_back(&targets, &l->mail_targets);
    list_splice_back(&errands, &l->mail_errands);
    snapshot = l->mail_snapshot;
    l->mail_snapshot = NULL;
    l->stopping = l->stopping || l->mail_stop;
    uv_mutex_unlock(&l->mail_lock);
    if (snapshot && l->closing)
        ppg_snapshot_drop(&snapshot);
    else if (snapshot)
        change_over(l, snapshot);
    while ((at = list_pop_front(&targets))) /* before the operations: what is handed over is older */
        ppg_schedule_add(l->core.schedule, container_of(at, struct ppg_target, link));
    while ((at = list_pop_front(&errands))) /* after the targets they may ask for */
        ppg_core_errand_arrived(&l->core, container_of(at, struct ppg_errand, link));
    ppg_core_done(&l->core, &ops);
}

/* --- closing --- */

static void part_closed(void *arg)
{
    struct ppg_loop *l = arg;

    l->open--;
}

/* Listeners, bearers and outbound; what they still had on the wire ends with an error and goes back to the store. */
static void parts_close(struct ppg_loop *l)
{
    if (l->closing)
        return;
    l->closing = true;
    l->open = l->listeners_n + l->core.bearers_n + 7;
    ppg_callin_close(l->callin, part_closed, l);
    for (size_t i = 0; i < l->listeners_n; i++)
        net_httpd_close(l->listeners[i], part_closed, l);
    for (size_t i = 0; i < l->core.bearers_n; i++) {
        void *self = l->core.bearer_self[i];

        l->core.bearer_self[i] = NULL; /* an attempt may still be waiting for the store */
        l->core.bearers[i]->close(self, part_closed, l);
    }
    ppg_outbound_close(l->outbound, part_closed, l);
    ppg_ocsp_close(l->ocsp, part_closed, l);
    ppg_bsfc_close(l->bsfc, part_closed, l);
    l->core.bsfc = NULL;
    ppg_visit_close(l->visit, part_closed, l);
    l->core.visit = NULL;
    ppg_sipdoor_close(l->sip, part_closed, l); /* after the bearers, which send over it */
    l->core.sip = NULL;
    ppg_msrpdoor_close(l->msrp, part_closed, l); /* likewise */
    l->core.msrp = NULL;
}

static bool wire_is_quiet(const struct ppg_loop *l)
{
    for (size_t i = 0; i < l->listeners_n; i++)
        if (net_httpd_open(l->listeners[i]))
            return false;
    return !ppg_core_busy(&l->core);
}

static void drain(struct ppg_loop *l)
{
    int64_t now = clk_mono_ms(l->env.clk);

    if (!l->give_up_ms) {
        l->give_up_ms = now + DRAIN_MS;
        for (size_t i = 0; i < l->listeners_n; i++)
            net_httpd_drain(l->listeners[i]);
        ppg_callin_drain(l->callin);
        ppg_sipdoor_drain(l->sip);
    }
    if (!l->closing && (wire_is_quiet(l) || now >= l->give_up_ms))
        parts_close(l);
    atomic_store(&l->quiet, l->closing && !l->open && !ppg_core_busy(&l->core));
}

/* The end of the loop; mail that came in late is settled first. */
static void handles_close(struct ppg_loop *l)
{
    uv_close((uv_handle_t *)&l->wake, NULL);
    uv_close((uv_handle_t *)&l->turn, NULL);
    uv_close((uv_handle_t *)&l->tick, NULL);
    net_hub_close(l->env.hub, NULL, NULL);
}

/* --- turns --- */

static void on_tick(uv_timer_t *tick)
{
    struct ppg_loop *l = tick->data;

    ppg_core_tick(&l->core);
    if (atomic_load(&l->core.shared->draining))
        drain(l);
    if (l->on_tick)
        l->on_tick(l, l->on_tick_arg);
    if (l->stopping && l->closing && !l->open && !ppg_core_busy(&l->core))
        handles_close(l);
}

static void on_turn(uv_prepare_t *turn)
{
    struct ppg_loop *l = turn->data;

    ppg_core_flush(&l->core);
}

static enum err post(void *host, struct slice url, struct slice body, ppg_post_done_fn *done, void *arg)
{
    struct ppg_loop *l = host;

    return l->closing ? ERR_LIMIT : ppg_outbound_post(l->outbound, url, body, done, arg);
}

/* --- life --- */

static enum err handles_init(struct ppg_loop *l)
{
    if (uv_loop_init(&l->uv))
        return ERR_IO;
    if (uv_async_init(&l->uv, &l->wake, read_mail) || uv_prepare_init(&l->uv, &l->turn) ||
        uv_timer_init(&l->uv, &l->tick) || uv_prepare_start(&l->turn, on_turn) ||
        uv_timer_start(&l->tick, on_tick, PPG_LOOP_TICK_MS, PPG_LOOP_TICK_MS))
        return ERR_IO;
    l->wake.data = l->turn.data = l->tick.data = l;
    return net_hub_create(&l->env);
}

static enum err bearers_create(struct ppg_loop *l)
{
    enum err e = ERR_OK;

    l->ota = ota_env_of(l);

    for (size_t i = 0; i < l->core.bearers_n && !e; i++)
        e = l->core.bearers[i]->create(&l->ota, &l->core.bearer_self[i]);
    return e;
}

static enum err core_init(struct ppg_loop *l, const struct ppg_loop_conf *conf)
{
    l->core = (struct ppg_core){.loop = conf->index,
                                .shared = conf->shared,
                                .config = conf->snapshot->config,
                                .bearers = ota_bearers,
                                .bearers_n = ota_bearers_n,
                                .hand = conf->hand,
                                .errand = conf->errand,
                                .post = post,
                                .host = l};
    return ppg_core_init(&l->core);
}

enum err ppg_loop_init(struct ppg_loop *l, const struct ppg_loop_conf *conf)
{
    struct ppg_callin_conf callin;
    enum err e;

    *l = (struct ppg_loop){.index = conf->index};
    l->env = (struct net_env){.loop = &l->uv, .clk = conf->shared->clk, .log = conf->shared->log};
    list_init(&l->mail_ops);
    list_init(&l->mail_targets);
    list_init(&l->mail_errands);
    if (uv_mutex_init(&l->mail_lock))
        return ERR_IO;
    l->snapshot = ppg_snapshot_hold(conf->snapshot);
    if ((e = handles_init(l)) || (e = core_init(l, conf)) ||
        (e = ppg_sipdoor_create(&l->env, &l->core, conf->calls, &l->sip)) ||
        (e = ppg_msrpdoor_create(&l->env, &l->core, conf->calls, &l->msrp)) || (e = bearers_create(l)))
        return e; /* only start-up comes here: the program ends */
    l->core.sip = l->sip;
    ppg_sipdoor_set(l->sip, l->snapshot->sip);
    l->core.msrp = l->msrp;
    ppg_msrpdoor_set(l->msrp, l->snapshot);
    callin = (struct ppg_callin_conf){&l->core, &l->ota, conf->calls};
    if ((e = ppg_callin_create(&callin, &l->callin)))
        return e;
    ppg_callin_set_tls(l->callin, l->snapshot->calls, l->snapshot->calls_psk);
    if ((e = ppg_bsfc_create(&l->env, &l->core, conf->snapshot, &l->bsfc)))
        return e;
    l->core.bsfc = l->bsfc;
    if ((e = ppg_visit_create(&l->env, &l->core, conf->snapshot, &l->visit)))
        return e;
    l->core.visit = l->visit;
    l->env.key = ppg_keyask_handshake;
    l->env.key_arg = &l->core;
    l->entities = (struct ppg_entity_door){&l->core, &l->env};
    e = ppg_outbound_create(&l->env, conf->snapshot, &l->outbound);
    return e ? e : ppg_ocsp_create(&l->env, conf->snapshot, &l->ocsp);
}

/* Doors that speak HTTP/1.1: who looks at a head, who answers a request.  Kinds without a request have doors of their own. */
static const struct {
    net_httpd_head_fn *head;
    net_httpd_request_fn *request;
} served[] = {
    [PPG_LISTEN_CLEAR] = {ppg_accept_head, ppg_accept_request},
    [PPG_LISTEN_TLS] = {ppg_accept_head, ppg_accept_request},
    [PPG_LISTEN_PSK] = {ppg_accept_head, ppg_accept_request},
    [PPG_LISTEN_UB] = {ppg_bsf_head, ppg_bsf_request},
    [PPG_LISTEN_NAF] = {ppg_zn_head, ppg_zn_request},
    [PPG_LISTEN_ENTITIES] = {ppg_entity_head, ppg_entity_request},
    [PPG_LISTEN_VERIFY] = {ppg_verify_head, ppg_verify_request},
    [PPG_LISTEN_VERIFY_PSK] = {ppg_verify_head, ppg_verify_request},
    [PPG_LISTEN_INBOX] = {NULL, ppg_inbox_request},
    [PPG_LISTEN_INBOX_PSK] = {NULL, ppg_inbox_request},
    [PPG_LISTEN_PEER] = {ppg_peer_head, ppg_peer_request},
};

static enum err listen_http(struct ppg_loop *l, const struct ppg_listen *at, enum ppg_listen_kind kind,
                            struct net_gate *gate, uint16_t *port, const char **why)
{
    const struct net_httpd_conf conf = {
        .name = ppg_listen_name(kind),
        .address = at->address,
        .port = *port,
        .tls = tls_of(l->snapshot, kind),
        .limits = limits_of(ppg_config_settings(l->snapshot->config), kind),
        .gate = gate,
        .server = kind == PPG_LISTEN_UB ? PPG_BSF_SERVER : "ppgd/" PPG_VERSION,
        .head = served[kind].head,
        .request = served[kind].request,
        .status = ppg_ocsp_ask,
        .status_arg = l->ocsp,
        .arg = kind == PPG_LISTEN_ENTITIES ? (void *)&l->entities : &l->core,
    };
    enum err e = net_httpd_create(&l->env, &conf, &l->listeners[l->listeners_n], why);

    if (e)
        return e;
    l->listener_kind[l->listeners_n] = kind;
    *port = net_httpd_port(l->listeners[l->listeners_n++]);
    return ERR_OK;
}

enum err ppg_loop_listen(struct ppg_loop *l, const struct ppg_listen *at, enum ppg_listen_kind kind,
                         struct net_gate *gate, uint16_t *port, const char **why)
{
    const char *name = ppg_listen_name(kind);

    switch (kind) {
    case PPG_LISTEN_CALLS:
        return ppg_callin_listen(l->callin, name, at, PPG_CALLIN_CLEAR, port, why);
    case PPG_LISTEN_CALLS_TLS:
        return ppg_callin_listen(l->callin, name, at, PPG_CALLIN_TLS, port, why);
    case PPG_LISTEN_CALLS_PSK:
        return ppg_callin_listen(l->callin, name, at, PPG_CALLIN_PSK, port, why);
    case PPG_LISTEN_SIP_UDP:
    case PPG_LISTEN_SIP_TCP:
    case PPG_LISTEN_SIP_TLS:
        return ppg_sipdoor_listen(l->sip, (enum ota_sip_via)(kind - PPG_LISTEN_SIP_UDP), name, at, port, why);
    case PPG_LISTEN_MSRP:
    case PPG_LISTEN_MSRPS:
    case PPG_LISTEN_MSRPS_PSK:
        return ppg_msrpdoor_listen(l->msrp, (enum ota_msrp_entry)(kind - PPG_LISTEN_MSRP), name, at, port,
                                   why);
    default:
        return listen_http(l, at, kind, gate, port, why);
    }
}

void ppg_loop_run(struct ppg_loop *l)
{
    (void)uv_run(&l->uv, UV_RUN_DEFAULT);
}

void ppg_loop_clear(struct ppg_loop *l)
{
    ppg_core_clear(&l->core);
    ppg_snapshot_drop(&l->mail_snapshot);
    ppg_snapshot_drop(&l->snapshot);
    MUST(!uv_loop_close(&l->uv));
    uv_mutex_destroy(&l->mail_lock);
}
