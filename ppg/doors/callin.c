/* Doors for terminals; see callin.h. */
#include "ppg/doors/callin.h"

#include <stdlib.h>
#include "base/net/listen.h"
#include "ota/caller.h"
#include "ppg/keys/psk.h"
#include "ppg/schedule.h"
#include "ppg/doors/wake.h"

#define DOORS_MAX (PPG_CALLIN_DOORS * PPG_LISTEN_MAX)

struct door {
    struct ppg_callin *callin;
    struct net_listener *listener; /* NULL: closed */
    enum ppg_callin_door kind;
};

struct ppg_callin {
    struct ppg_callin_conf conf;
    struct net_tls_ctx *tls[PPG_CALLIN_DOORS]; /* by kind of door; NULL: clear, or none is open */
    struct ota_callers *callers;
    struct door doors[DOORS_MAX];
    size_t doors_n;
    size_t open; /* doors and callers that still have to report closed */
    bool drained;
    bool closing;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* A call between two loops. */
struct transfer {
    struct ppg_errand errand;
    struct ota_call *call;
};

static struct slice key_of(const struct ota_call *call)
{
    return slice_of(call->key, call->key_n);
}

/* The bearer of this core that terminals call in over; NULL when it is being closed. */
static const struct ota_bearer *bearer_of(const struct ppg_core *c, void **self)
{
    for (size_t i = 0; i < c->bearers_n; i++)
        if (c->bearers[i]->take && c->bearer_self[i]) {
            *self = c->bearer_self[i];
            return c->bearers[i];
        }
    return NULL;
}

/* On the loop that owns the terminal.  The configuration may have changed since it was let in. */
static void at_home(struct ppg_core *c, struct ppg_errand *e)
{
    struct transfer *t = container_of(e, struct transfer, errand);
    struct ota_registry *registry = ota_registry_hold(ppg_config_registry(c->config));
    const struct ota_terminal *terminal = ota_registry_find(registry, key_of(t->call));
    void *self = NULL;
    const struct ota_bearer *bearer = bearer_of(c, &self);

    if (!bearer || !terminal || !terminal->call_in.calls) {
        ota_call_drop(&t->call);
        ota_registry_drop(&registry);
        return;
    }
    bearer->take(self, t->call, terminal, registry);
    t->call = NULL;
    ppg_wake_called(c->wake, terminal->key);
    ppg_schedule_called(c->schedule, terminal->key);
}

static void transferred(struct ppg_core *c, struct ppg_errand *e)
{
    (void)c;
    free(container_of(e, struct transfer, errand));
}

static void arrived(struct ota_call *call, void *arg)
{
    struct ppg_callin *c = arg;
    struct ppg_core *core = c->conf.core;
    struct transfer *t = c->closing ? NULL : calloc(1, sizeof *t);

    if (!t) {
        ota_call_drop(&call);
        return;
    }
    t->errand.run = at_home;
    t->errand.back = transferred;
    t->call = call;
    ppg_core_errand(core, &t->errand, ppg_core_owner(core, key_of(call)));
}

static struct ota_registry *registry_now(void *arg)
{
    const struct ppg_callin *c = arg;

    return ota_registry_hold(ppg_config_registry(c->conf.core->config));
}

/* The handshake has just brought the key here, if it is a far BSF's. */
static enum err subscriber(void *arg, const struct net_tls_peer *peer, char impi[SEC_GBA_IMPI_MAX_N],
                           size_t *impi_n)
{
    const struct ppg_callin *c = arg;

    return ppg_psk_subscriber(c->conf.core->config, ppg_core_utc_ms(c->conf.core), peer, NULL, impi, impi_n);
}

/* --- doors --- */

static void accepted(uv_os_sock_t fd, struct net_gate_seat *seat, void *arg)
{
    const struct door *d = arg;
    struct net_tls_ctx *const *tls = d->callin->tls;

    ota_callers_take(d->callin->callers, fd, seat, tls[d->kind],
                     d->kind == PPG_CALLIN_CLEAR && (tls[PPG_CALLIN_TLS] || tls[PPG_CALLIN_PSK]));
}

enum err ppg_callin_listen(struct ppg_callin *c, const char *name, const struct ppg_listen *at,
                           enum ppg_callin_door kind, uint16_t *port, const char **why)
{
    struct door *d = &c->doors[c->doors_n];
    struct net_listen_conf conf = {.name = name,
                                   .address = at->address,
                                   .port = *port,
                                   .gate = c->conf.gate,
                                   .accepted = accepted,
                                   .arg = d};
    enum err e;

    MUST(c->doors_n < DOORS_MAX && (kind == PPG_CALLIN_CLEAR || c->tls[kind]));
    *d = (struct door){.callin = c, .kind = kind};
    e = net_listen(c->conf.ota->net, &conf, &d->listener, why);
    if (e)
        return e;
    *port = net_listener_port(d->listener);
    c->doors_n++;
    c->open++;
    return ERR_OK;
}

void ppg_callin_set_tls(struct ppg_callin *c, struct net_tls_ctx *tls, struct net_tls_ctx *psk)
{
    c->tls[PPG_CALLIN_TLS] = tls;
    c->tls[PPG_CALLIN_PSK] = psk;
}

/* --- life --- */

enum err ppg_callin_create(const struct ppg_callin_conf *conf, struct ppg_callin **out)
{
    const struct ppg_settings *set = ppg_core_settings(conf->core);
    struct ppg_callin *c = calloc(1, sizeof *c);
    struct ota_callers_conf callers = {.env = conf->ota,
                                       .guard = conf->core->shared->guard,
                                       .penalty = conf->core->shared->penalty,
                                       .logins = conf->core->shared->logins,
                                       .users = conf->core->shared->login_users,
                                       .gate = conf->gate,
                                       .realm = slice_str(set->ota_http.realm),
                                       .md5 = set->pap.digest_md5,
                                       .registry = registry_now,
                                       .subscriber = subscriber,
                                       .arrived = arrived,
                                       .arg = c};

    if (!c || ota_callers_create(&callers, &c->callers)) {
        free(c);
        return ERR_NOMEM;
    }
    c->conf = *conf;
    c->open = 1;
    *out = c;
    return ERR_OK;
}

static void part_closed(void *arg)
{
    struct ppg_callin *c = arg;
    void (*closed)(void *arg) = c->closed;
    void *closed_arg = c->closed_arg;

    if (--c->open > 0)
        return;
    free(c);
    closed(closed_arg);
}

void ppg_callin_drain(struct ppg_callin *c)
{
    if (c->drained)
        return;
    c->drained = true;
    for (size_t i = 0; i < c->doors_n; i++)
        net_listener_close(c->doors[i].listener, part_closed, c);
}

void ppg_callin_close(struct ppg_callin *c, void (*closed)(void *arg), void *arg)
{
    c->closing = true;
    c->closed = closed;
    c->closed_arg = arg;
    ppg_callin_drain(c);
    ota_callers_close(c->callers, part_closed, c);
}
