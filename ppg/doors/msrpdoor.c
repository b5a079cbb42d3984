/* The door for sessions of MSRP; see msrpdoor.h. */
#include "ppg/doors/msrpdoor.h"

#include <stdlib.h>

struct ppg_msrpdoor {
    struct ppg_core *core;
    struct ota_msrp_door *door;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* A connection between two loops. */
struct carrier {
    struct ppg_errand errand;
    struct ota_msrp_parcel *parcel; /* NULL: handed over */
};

static void deliver(struct ppg_core *c, struct ppg_errand *e)
{
    struct carrier *carrier = container_of(e, struct carrier, errand);

    if (!c->msrp)
        return;
    ota_msrp_door_parcel(c->msrp->door, carrier->parcel);
    carrier->parcel = NULL;
}

static void delivered(struct ppg_core *c, struct ppg_errand *e)
{
    struct carrier *carrier = container_of(e, struct carrier, errand);

    (void)c;
    ota_msrp_parcel_free(&carrier->parcel);
    free(carrier);
}

static void post(unsigned loop, struct ota_msrp_parcel *p, void *arg)
{
    struct ppg_msrpdoor *m = arg;
    struct carrier *carrier = calloc(1, sizeof *carrier);

    if (!carrier) {
        ota_msrp_parcel_free(&p);
        return;
    }
    carrier->errand.run = deliver;
    carrier->errand.back = delivered;
    carrier->parcel = p;
    ppg_core_errand(m->core, &carrier->errand, loop);
}

enum err ppg_msrpdoor_create(const struct net_env *env, struct ppg_core *c, struct net_gate *gate,
                             struct ppg_msrpdoor **out)
{
    struct ppg_msrpdoor *m = calloc(1, sizeof *m);
    const struct ota_msrp_door_conf conf = {.env = env,
                                            .loop = c->loop,
                                            .loops = c->shared->loops,
                                            .wait_ms = ppg_core_settings(c)->ota_sip.enter_ms,
                                            .gate = gate,
                                            .post = post,
                                            .arg = m};

    if (!m || ota_msrp_door_create(&conf, &m->door)) {
        free(m);
        return ERR_NOMEM;
    }
    m->core = c;
    *out = m;
    return ERR_OK;
}

struct ota_msrp_door *ppg_msrpdoor_of(const struct ppg_msrpdoor *m)
{
    return m->door;
}

enum err ppg_msrpdoor_listen(struct ppg_msrpdoor *m, enum ota_msrp_entry entry, const char *name,
                             const struct ppg_listen *at, uint16_t *port, const char **why)
{
    return ota_msrp_door_listen(m->door, entry, name, at->address, port, why);
}

void ppg_msrpdoor_set(struct ppg_msrpdoor *m, const struct ppg_snapshot *snapshot)
{
    ota_msrp_door_set(m->door, snapshot->msrp, snapshot->msrp_psk,
                      ppg_config_settings(snapshot->config)->ota_sip.enter_ms);
}

static void door_closed(void *arg)
{
    struct ppg_msrpdoor *m = arg;
    void (*closed)(void *arg) = m->closed;
    void *closed_arg = m->closed_arg;

    free(m);
    closed(closed_arg);
}

void ppg_msrpdoor_close(struct ppg_msrpdoor *m, void (*closed)(void *arg), void *arg)
{
    m->closed = closed;
    m->closed_arg = arg;
    ota_msrp_door_close(m->door, door_closed, m);
}
