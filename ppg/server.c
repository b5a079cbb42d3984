/* See server.h.  What is here runs on the main thread, which is loop 0's; the store's thread and the other loops
 * come in only through the mail of loop.h. */
#include "ppg/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/net/listen.h"
#include "base/thread.h"
#include "ota/registrar/location.h"
#include "ppg/admin/admin.h"
#include "ppg/admin/audit.h"
#include "ppg/admin/metrics.h"
#include "ppg/config/schema.h"
#include "ppg/expiry.h"
#include "ppg/limits.h"
#include "ppg/loop.h"
#include "ppg/schedule.h"
#include "ppg/doors/sip_aka.h"
#include "ppg/doors/sip_names.h"
#include "ppg/doors/verify.h"
#include "ppg/doors/waits.h"
#include "security/gba/bootstrap.h"
#include "security/kdf.h"
#include "security/pseudonym.h"

#define LOOPS_MAX           64u
#define PURGE_EVERY_MS      1000
#define SWEEP_EVERY_MS      60000
#define PURGE_MAX           200u   /* pushes forgotten at once: others wait some 2 ms */
#define PENALTY_SOURCES_MAX 10000u /* addresses remembered for failed logins */
#define MAC_USERS_MAX       10000u /* names under which wrong macs came */
#define NONCES_MAX          100000u
#define PROFILES_MAX        200000u /* terminals whose word is kept; the others' comes again when they register */

struct ppg_server {
    struct ppg_shared shared;
    struct net_gate *gate;
    struct net_gate *calls; /* of terminals */
    struct ppg_loop *loops;
    uv_thread_t *threads; /* of loops 1.. */
    unsigned loops_n;
    uv_signal_t signals[3];
    struct ppg_admin *admin;
    struct ppg_metrics_doors *metrics; /* NULL: none */
    struct ppg_reload *reload;
    struct ppg_snapshot *snapshot; /* in use; reload holds it */
    /* Keys that the last reload found changed, and only a start can change: "pap.listen, ..." */
    char at_start[512];
    struct ppg_audit *audit;
    struct sec_pseudonyms *names; /* of subscribers in the log */
    struct store_purge purge;
    bool purging;
    int64_t purge_at_ms;
    int64_t expiry_at_ms; /* monotonic */
    int64_t sweep_at_ms;  /* likewise */
    unsigned quiet_ticks;
    bool stopping;
    size_t own_open; /* handles of ours that still have to close */
};

/* --- between threads --- */

static void post_ops(void *arg, unsigned loop, struct list *done)
{
    struct ppg_server *s = arg;

    ppg_loop_mail_ops(&s->loops[loop], done);
}

static void hand_over(void *host, unsigned loop, struct list *targets)
{
    struct ppg_loop *from = host;
    struct ppg_server *s = from->on_tick_arg;

    ppg_loop_mail_targets(&s->loops[loop], targets);
}

static void run_errand(void *host, struct ppg_errand *e)
{
    struct ppg_loop *from = host;
    struct ppg_server *s = from->on_tick_arg;

    ppg_loop_mail_errand(&s->loops[e->returning ? e->from : e->to], e);
}

/* --- reload --- */

/* What only a start can change; a reload keeps the old value and says so. */
static void tell_unchanged(const char *section, const char *key, void *arg)
{
    struct ppg_server *s = arg;
    size_t used = strlen(s->at_start);
    char name[64];

    (void)snprintf(name, sizeof name, "%s.%s", section, key);
    (void)snprintf(s->at_start + used, sizeof s->at_start - used, "%s%s", used ? ", " : "", name);
    LOG(s->shared.log, LOG_WARN, "reload.needs-restart", LOG_C("key", name));
}

/* Handed to every loop; each changes over between two of its turns. */
static void take(void *arg, struct ppg_snapshot *before, struct ppg_snapshot *fresh)
{
    struct ppg_server *s = arg;
    const struct ppg_settings *was = ppg_config_settings(before->config);
    const struct ppg_settings *set = ppg_config_settings(fresh->config);

    s->at_start[0] = '\0';
    ppg_schema_each_at_start(was, set, tell_unchanged, s);
    if (!set->ota_sip.realm[0] && !was->ota_sip.realm[0] && !slice_eq(ppg_sip_realm(was), ppg_sip_realm(set)))
        tell_unchanged("ota-sip", "realm", s); /* not set: it is the first domain */
    s->snapshot = fresh;
    s->expiry_at_ms = 0;
    ppg_limits_begin(ppg_config_limits(fresh->config));
    net_gate_set(s->gate, set->pap.connections_max, set->pap.connections_per_address_max);
    ota_sip_location_set_max(s->shared.location, set->ota_sip.registered_max);
    net_gate_set(s->calls, set->ota_http.calls_max, set->ota_http.calls_per_address_max);
    log_set(s->shared.log, set->log.level, set->log.format, set->log.identities);
    for (unsigned i = 0; i < s->loops_n; i++)
        ppg_loop_mail_snapshot(&s->loops[i], fresh);
}

static enum err reload(void *arg, ppg_reload_done_fn *done, void *done_arg)
{
    struct ppg_server *s = arg;

    return s->stopping ? ERR_LATE : ppg_reload_begin(s->reload, done, done_arg);
}

/* --- drain --- */

static void drain(void *arg)
{
    struct ppg_server *s = arg;

    if (atomic_exchange(&s->shared.draining, true))
        return;
    LOG(s->shared.log, LOG_WARN, "server.drain", LOG_I("live", atomic_load(&s->shared.live)));
}

static void own_closed(void *arg)
{
    struct ppg_server *s = arg;

    if (--s->own_open == 0)
        for (unsigned i = 0; i < s->loops_n; i++)
            ppg_loop_stop(&s->loops[i]);
}

static void signal_closed(uv_handle_t *h)
{
    own_closed(h->data);
}

static void stop(struct ppg_server *s)
{
    s->stopping = true;
    s->own_open = sizeof s->signals / sizeof s->signals[0] + (s->admin ? 1 : 0) + (s->metrics ? 1 : 0);
    for (size_t i = 0; i < sizeof s->signals / sizeof s->signals[0]; i++)
        uv_close((uv_handle_t *)&s->signals[i], signal_closed);
    if (s->admin)
        ppg_admin_close(s->admin, own_closed, s);
    if (s->metrics)
        ppg_metrics_doors_close(s->metrics, own_closed, s);
}

/* Quiet on all loops for two ticks: nothing is on its way between them any more. */
static void stop_when_quiet(struct ppg_server *s)
{
    bool quiet = !ppg_reload_busy(s->reload) && !s->purging;

    for (unsigned i = 0; i < s->loops_n; i++)
        quiet = quiet && atomic_load(&s->loops[i].quiet);
    s->quiet_ticks = quiet ? s->quiet_ticks + 1 : 0;
    if (s->quiet_ticks >= 2 && !s->stopping)
        stop(s);
}

/* --- the server's own work, on loop 0 --- */

static void purged(struct store_op *op);

static void purge_batch(struct ppg_server *s)
{
    s->purging = true;
    s->purge = (struct store_purge){
        .before_ms = clk_utc_ms(s->shared.clk) - ppg_config_settings(s->snapshot->config)->store.keep_ms,
        .max = PURGE_MAX,
    };
    s->purge.op = (struct store_op){.kind = STORE_PURGE, .done = purged, .arg = s};
    ppg_core_submit(&s->loops[0].core, &s->purge.op);
}

/* A full batch is followed by the next one at once: pushes must go as fast as they come. */
static void purged(struct store_op *op)
{
    struct ppg_server *s = op->arg;

    s->purging = false;
    if (op->err)
        LOG(s->shared.log, LOG_ERROR, "store.purge.fail", LOG_C("error", err_name(op->err)));
    else if (s->purge.gone == PURGE_MAX && !atomic_load(&s->shared.draining))
        purge_batch(s);
}

static void purge(struct ppg_server *s)
{
    int64_t now = clk_mono_ms(s->shared.clk);

    if (s->purging || now < s->purge_at_ms)
        return;
    s->purge_at_ms = now + PURGE_EVERY_MS;
    purge_batch(s);
}

/* Keys that are over are wiped, also when nobody asks for them. */
static void sweep(struct ppg_server *s)
{
    struct sec_bootstrap *bootstrap = ppg_config_bootstrap(s->snapshot->config);
    struct sec_farkeys *far = ppg_config_naf(s->snapshot->config, 0).far;
    int64_t now = clk_mono_ms(s->shared.clk);

    if (now < s->sweep_at_ms)
        return;
    s->sweep_at_ms = now + SWEEP_EVERY_MS;
    if (bootstrap)
        sec_bootstrap_sweep(bootstrap, clk_utc_ms(s->shared.clk) / 1000);
    if (far)
        sec_farkeys_sweep(far, clk_utc_ms(s->shared.clk) / 1000);
    if (s->shared.sip_aka)
        sec_bootstrap_sweep(s->shared.sip_aka, clk_utc_ms(s->shared.clk) / 1000);
}

/* At the start, after each reload, and every hour. */
static void tell_expiry(struct ppg_server *s)
{
    int64_t now = clk_mono_ms(s->shared.clk);

    if (now < s->expiry_at_ms)
        return;
    s->expiry_at_ms = now + PPG_EXPIRY_EVERY_MS;
    ppg_expiry_tell(s->snapshot, clk_utc_ms(s->shared.clk) / 1000, s->shared.log);
}

static void on_tick(struct ppg_loop *l, void *arg)
{
    struct ppg_server *s = arg;

    if (l->index != 0)
        return;
    tell_expiry(s);
    sweep(s);
    ppg_reload_tick(s->reload);
    if (atomic_load(&s->shared.draining))
        stop_when_quiet(s);
    else
        purge(s);
}

static void on_signal(uv_signal_t *h, int number)
{
    struct ppg_server *s = h->data;

    if (number != SIGHUP)
        drain(s);
    else if (!s->stopping && ppg_reload_soon(s->reload))
        LOG(s->shared.log, LOG_ERROR, "reload.fail");
}

/* --- the operator's view --- */

static void status(void *arg, struct ppg_status *out)
{
    struct ppg_server *s = arg;

    out->loops = s->loops_n;
    out->generation = ppg_config_generation(s->snapshot->config);
    out->connections = net_gate_open(s->gate);
    out->live = atomic_load(&s->shared.live);
    out->draining = atomic_load(&s->shared.draining);
    for (unsigned i = 0; i < s->loops_n; i++)
        ppg_stats_add(&out->stats, &s->loops[i].core.stats);
    out->changes = ppg_reload_changes(s->reload);
    out->at_start = s->at_start;
}

static enum err audit_start(struct ppg_server *s, char why[256])
{
    const struct ppg_settings *set = ppg_config_settings(s->snapshot->config);
    char reason[PPG_AUDIT_WHY_N + SEC_KEYRING_WHY_N] = "";
    struct sec_secret key;
    enum err e = ERR_OK;

    sec_secret_init(&key);
    if (set->admin.audit && set->admin.audit_key)
        e = sec_master_read(set->admin.audit_key, &key, reason);
    if (!e && set->admin.audit)
        e = ppg_audit_open(set->admin.audit, sec_secret_slice(&key), s->shared.log, &s->audit, reason);
    sec_secret_clear(&key);
    if (e)
        (void)snprintf(why, 256, "audit log %.200s", reason);
    return e;
}

static enum err admin_start(struct ppg_server *s, char why[256])
{
    const struct ppg_settings *set = ppg_config_settings(s->snapshot->config);
    const char *reason = "";
    struct ppg_admin_conf conf = {.socket = set->admin.socket,
                                  .core = &s->loops[0].core,
                                  .status = status,
                                  .reload = reload,
                                  .drain = drain,
                                  .audit = s->audit,
                                  .arg = s};
    enum err e = set->admin.socket ? ppg_admin_create(&s->loops[0].env, &conf, &s->admin, &reason) : ERR_OK;

    if (e)
        (void)snprintf(why, 256, "admin socket %s: %s", set->admin.socket, reason);
    return e;
}

/* --- start --- */

static unsigned loops_wanted(const struct ppg_settings *set)
{
    unsigned n = set->gateway.loops ? set->gateway.loops : uv_available_parallelism();

    return n < LOOPS_MAX ? n : LOOPS_MAX;
}

static enum err policy_start(struct ppg_server *s, char why[256])
{
    char reason[PPG_FILE_WHY_N];
    enum err e = ppg_config_fence(s->snapshot->config, reason);

    if (e)
        (void)snprintf(why, 256, "serial of the policy %.200s", reason);
    return e;
}

static enum err shared_init(struct ppg_server *s, struct log *log)
{
    const struct ppg_settings *set = ppg_config_settings(s->snapshot->config);
    struct sec_digest_guard_conf guard = {
        .nonce_life_ms = set->pap.nonce_life_ms, .nonces_max = NONCES_MAX, .auth_int = true};
    enum err e;

    s->shared.loops = s->loops_n;
    s->shared.log = log;
    s->shared.clk = &clk_real;
    ppg_config_set_log(s->snapshot->config, log);
    ppg_config_rewrap(s->snapshot->config, log);
    ppg_config_prune(s->snapshot->config, log);
    if (sec_random(s->shared.spread, sizeof s->shared.spread))
        return ERR_IO;
    e = sec_penalty_create(PENALTY_SOURCES_MAX, &s->shared.penalty);
    if (!e)
        e = sec_penalty_create(MAC_USERS_MAX, &s->shared.mac_users);
    if (!e)
        e = ppg_verify_create(set, &s->shared.verify);
    if (!e)
        e = ota_profiles_create(PROFILES_MAX, &s->shared.profiles);
    if (!e)
        e = ppg_waits_create(&s->shared.waits);
    if (!e)
        e = ota_sip_location_create(&clk_real, set->ota_sip.registered_max, &s->shared.location);
    if (!e)
        e = ppg_sip_aka_create(set, &s->shared.sip_aka);
    if (!e)
        e = sec_mac_guard_create(NONCES_MAX, &s->shared.macs);
    if (!e)
        e = sec_mac_guard_create(NONCES_MAX, &s->shared.logins);
    if (!e)
        e = sec_penalty_create(MAC_USERS_MAX, &s->shared.login_users);
    return e ? e : sec_digest_guard_create(&guard, &s->shared.guard);
}

static enum err store_start(struct ppg_server *s, char why[256])
{
    const struct ppg_settings *set = ppg_config_settings(s->snapshot->config);
    struct store_conf conf = {.engine = set->store.engine,
                              .path = set->store.path,
                              .pending_max = set->store.pending_max,
                              .loops = s->loops_n,
                              .post = post_ops,
                              .post_arg = s,
                              .clk = &clk_real,
                              .log = s->shared.log};

    return store_open(&conf, &s->shared.store, why);
}

/* The same names mean the same token as long as the store lives, and who reads the log has no store. */
static enum err names_start(struct ppg_server *s)
{
    const struct slice label = SLICE("names in the log");
    uint8_t key[SEC_SHA256_N];
    enum err e = sec_hmac_sha256(slice_str(store_secret(s->shared.store)), &label, 1, key);

    if (!e)
        e = sec_pseudonyms_create(slice_of(key, sizeof key), &s->names);
    if (!e)
        log_set_tokens(s->shared.log, sec_pseudonym, s->names);
    return e;
}

static enum err reload_start(struct ppg_server *s)
{
    struct ppg_reload_conf conf = {
        .loop = &s->loops[0].uv, .log = s->shared.log, .audit = s->audit, .take = take, .arg = s};

    return ppg_reload_create(&conf, s->snapshot, &s->reload);
}

static enum err loops_start(struct ppg_server *s)
{
    enum err e = ERR_OK;

    for (unsigned i = 0; i < s->loops_n && !e; i++) {
        struct ppg_loop_conf conf = {i,          &s->shared,   s->snapshot, hand_over,
                                     run_errand, &s->loops[i], s->calls};

        e = ppg_loop_init(&s->loops[i], &conf);
        s->loops[i].on_tick = on_tick;
        s->loops[i].on_tick_arg = s;
    }
    return e;
}

/* What terminals and devices open counts with what they have open already, not with initiators. */
static struct net_gate *gate_of(const struct ppg_server *s, enum ppg_listen_kind kind)
{
    return kind == PPG_LISTEN_CLEAR || kind == PPG_LISTEN_TLS || kind == PPG_LISTEN_PSK ||
                   kind == PPG_LISTEN_NAF || kind == PPG_LISTEN_PEER
               ? s->gate
               : s->calls;
}

static void listens(struct ppg_server *s, const char *address, uint16_t port, const char *name, bool tls,
                    FILE *ports)
{
    LOG(s->shared.log, LOG_WARN, "server.listen", LOG_C("address", address), LOG_I("port", port),
        LOG_B("tls", tls));
    if (ports)
        (void)fprintf(ports, "%s=%s:%u\n", name, address, port);
}

static enum err listen_fail(const struct ppg_listen *at, uint16_t port, const char *reason, char why[256])
{
    (void)snprintf(why, 256, "cannot listen on %s port %u: %s", at->address, port, reason);
    return ERR_IO;
}

/* One address on every loop; the first bind settles a port the system chooses. */
static enum err listen_on(struct ppg_server *s, const struct ppg_listen *at, enum ppg_listen_kind kind,
                          FILE *ports, char why[256])
{
    uint16_t port = at->port;
    const char *reason = "";

    for (unsigned i = 0; i < s->loops_n; i++)
        if (ppg_loop_listen(&s->loops[i], at, kind, gate_of(s, kind), &port, &reason))
            return listen_fail(at, port, reason, why);
    listens(s, at->address, port, ppg_listen_name(kind),
            kind != PPG_LISTEN_CLEAR && kind != PPG_LISTEN_CALLS && kind != PPG_LISTEN_SIP_UDP &&
                kind != PPG_LISTEN_SIP_TCP && kind != PPG_LISTEN_MSRP,
            ports);
    return ERR_OK;
}

/* In the order of the port file. */
#define DOOR(field) offsetof(struct ppg_settings, field), offsetof(struct ppg_settings, field##_n)
static const struct {
    enum ppg_listen_kind kind;
    size_t at; /* of an array of struct ppg_listen in the settings */
    size_t count_at;
} doors[] = {
    {PPG_LISTEN_CLEAR, DOOR(pap.listen)},
    {PPG_LISTEN_TLS, DOOR(pap.listen_tls)},
    {PPG_LISTEN_PSK, DOOR(pap.listen_psk)},
    {PPG_LISTEN_UB, DOOR(key_server.listen_ub)},
    {PPG_LISTEN_ENTITIES, DOOR(key_server.listen_entities)},
    {PPG_LISTEN_NAF, DOOR(key_server.listen_naf)},
    {PPG_LISTEN_PEER, DOOR(key_server.listen_peer)},
    {PPG_LISTEN_VERIFY, DOOR(verify.listen_tls)},
    {PPG_LISTEN_VERIFY_PSK, DOOR(verify.listen_psk)},
    {PPG_LISTEN_CALLS, DOOR(ota_http.listen)},
    {PPG_LISTEN_CALLS_TLS, DOOR(ota_http.listen_tls)},
    {PPG_LISTEN_CALLS_PSK, DOOR(ota_http.listen_psk)},
    {PPG_LISTEN_INBOX, DOOR(inbox.listen_tls)},
    {PPG_LISTEN_INBOX_PSK, DOOR(inbox.listen_psk)},
    {PPG_LISTEN_SIP_UDP, DOOR(ota_sip.listen_udp)},
    {PPG_LISTEN_SIP_TCP, DOOR(ota_sip.listen_tcp)},
    {PPG_LISTEN_SIP_TLS, DOOR(ota_sip.listen_tls)},
    {PPG_LISTEN_MSRP, DOOR(ota_sip.listen_msrp)},
    {PPG_LISTEN_MSRPS, DOOR(ota_sip.listen_msrps)},
    {PPG_LISTEN_MSRPS_PSK, DOOR(ota_sip.listen_msrps_psk)},
};

/* Before the first of its kind is open: addresses of ours may overlap. */
static enum err vacant(const struct ppg_listen *at, bool datagrams, char why[256])
{
    const char *reason = "";

    return at->port && net_listen_vacant(at->address, at->port, datagrams, &reason)
               ? listen_fail(at, at->port, reason, why)
               : ERR_OK;
}

/* On loop 0 alone. */
static enum err listen_metrics(struct ppg_server *s, FILE *ports, char why[256])
{
    const struct ppg_settings *set = ppg_config_settings(s->snapshot->config);
    const struct ppg_metrics_from from = {
        .core = &s->loops[0].core, .status = status, .arg = s, .started_s = clk_utc_ms(s->shared.clk) / 1000};
    enum err e =
        set->admin.listen_metrics_n ? ppg_metrics_doors_create(&s->loops[0].env, &from, &s->metrics) : ERR_OK;

    for (size_t i = 0; !e && i < set->admin.listen_metrics_n; i++) {
        const struct ppg_listen *at = &set->admin.listen_metrics[i];
        uint16_t port = at->port;
        const char *reason = "";

        e = vacant(at, false, why);
        if (!e && ppg_metrics_listen(s->metrics, at, &port, &reason))
            e = listen_fail(at, port, reason, why);
        if (!e)
            listens(s, at->address, port, "metrics", false, ports);
    }
    return e;
}

static enum err each_door(struct ppg_server *s, bool look, FILE *ports, char why[256])
{
    const char *set = (const char *)ppg_config_settings(s->snapshot->config);
    enum err e = ERR_OK;

    for (size_t d = 0; d < sizeof doors / sizeof doors[0] && !e; d++) {
        const struct ppg_listen *at = (const void *)(set + doors[d].at);
        size_t n = *(const size_t *)(const void *)(set + doors[d].count_at);

        for (size_t i = 0; i < n && !e; i++)
            e = look ? vacant(&at[i], doors[d].kind == PPG_LISTEN_SIP_UDP, why)
                     : listen_on(s, &at[i], doors[d].kind, ports, why);
    }
    return e;
}

static enum err listen_all(struct ppg_server *s, FILE *ports, char why[256])
{
    enum err e = each_door(s, true, NULL, why);

    if (!e)
        e = each_door(s, false, ports, why);
    return e ? e : listen_metrics(s, ports, why);
}

/* The file appears whole, so who waits for it may read it. */
static enum err listen_and_tell(struct ppg_server *s, char why[256])
{
    const char *path = ppg_config_settings(s->snapshot->config)->gateway.port_file;
    char part[1024];
    FILE *ports = NULL;
    enum err e;

    if (!path)
        return listen_all(s, NULL, why);
    (void)snprintf(part, sizeof part, "%s.part", path);
    ports = fopen(part, "w");
    if (!ports) {
        (void)snprintf(why, 256, "cannot write %.200s", part);
        return ERR_IO;
    }
    e = listen_all(s, ports, why);
    if ((fclose(ports) || (!e && rename(part, path))) && !e) {
        (void)snprintf(why, 256, "cannot write %.200s", path);
        e = ERR_IO;
    }
    return e;
}

static enum err signals_start(struct ppg_server *s)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (uv_signal_init(&s->loops[0].uv, &s->signals[i]))
            return ERR_IO;
        s->signals[i].data = s;
        if (uv_signal_start(&s->signals[i], on_signal, numbers[i]))
            return ERR_IO;
    }
    return ERR_OK;
}

/* For what fails without words of its own: loops, threads and timers need descriptors. */
static enum err start_failed(enum err e, char why[256])
{
    if (!*why)
        (void)snprintf(why, 256, "%s",
                       e == ERR_NOMEM ? "out of memory"
                                      : "the system gives too few descriptors or threads (ulimit -n)");
    return e;
}

enum err ppg_server_create(struct ppg_snapshot *snapshot, struct log *log, struct ppg_server **out,
                           char why[256])
{
    const struct ppg_settings *set = ppg_config_settings(snapshot->config);
    struct ppg_server *s = calloc(1, sizeof *s);
    enum err e;

    *why = '\0';
    if (!s)
        return start_failed(ERR_NOMEM, why);
    s->snapshot = snapshot;
    s->loops_n = loops_wanted(set);
    s->loops = calloc(s->loops_n, sizeof *s->loops);
    s->threads = calloc(s->loops_n, sizeof *s->threads);
    if (!s->loops || !s->threads)
        return start_failed(ERR_NOMEM, why);
    if ((e = policy_start(s, why)) || (e = shared_init(s, log)) || (e = store_start(s, why)) ||
        (e = names_start(s)) ||
        (e = net_gate_create(set->pap.connections_max, set->pap.connections_per_address_max, &s->gate)) ||
        (e = net_gate_create(set->ota_http.calls_max, set->ota_http.calls_per_address_max, &s->calls)) ||
        (e = loops_start(s)) || (e = audit_start(s, why)) || (e = reload_start(s)) ||
        (e = signals_start(s)) || (e = admin_start(s, why)) || (e = listen_and_tell(s, why)))
        return start_failed(e, why); /* the program ends, and the system takes everything back */
    *out = s;
    return ERR_OK;
}

/* --- run --- */

/* The first loop is the main thread, whose name is the program's. */
static void loop_thread(void *arg)
{
    thread_name("loop");
    ppg_loop_run(arg);
}

void ppg_server_run(struct ppg_server *s)
{
    for (unsigned i = 1; i < s->loops_n; i++)
        MUST(!uv_thread_create(&s->threads[i], loop_thread, &s->loops[i]));
    LOG(s->shared.log, LOG_WARN, "server.ready", LOG_I("loops", s->loops_n), LOG_C("version", PPG_VERSION));
    ppg_loop_run(&s->loops[0]);
    for (unsigned i = 1; i < s->loops_n; i++)
        (void)uv_thread_join(&s->threads[i]);
    LOG(s->shared.log, LOG_WARN, "server.end");
}

void ppg_server_free(struct ppg_server **sp)
{
    struct ppg_server *s = *sp;

    store_close(&s->shared.store);
    for (unsigned i = 0; i < s->loops_n; i++)
        ppg_loop_clear(&s->loops[i]);
    net_gate_free(&s->gate);
    ppg_audit_free(&s->audit);
    net_gate_free(&s->calls);
    ota_profiles_free(&s->shared.profiles);
    ppg_waits_free(&s->shared.waits);
    ota_sip_location_free(&s->shared.location);
    sec_bootstrap_free(&s->shared.sip_aka);
    sec_verify_free(&s->shared.verify);
    sec_penalty_free(&s->shared.penalty);
    sec_penalty_free(&s->shared.mac_users);
    sec_digest_guard_free(&s->shared.guard);
    sec_mac_guard_free(&s->shared.macs);
    sec_mac_guard_free(&s->shared.logins);
    sec_penalty_free(&s->shared.login_users);
    ppg_reload_free(&s->reload);
    log_set_tokens(s->shared.log, NULL, NULL);
    sec_pseudonyms_free(&s->names);
    free(s->loops);
    free(s->threads);
    free(s);
    *sp = NULL;
}
