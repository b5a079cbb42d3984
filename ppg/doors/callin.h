/* Terminals that call in: the doors of one loop, and a call's way to the loop that owns the terminal's address.  Who is
 * calling is ota/caller.h's; the connection then belongs to the bearer there, and what waited for the terminal is woken.
 * One per loop. */
#ifndef PPG_DOORS_CALLIN_H
#define PPG_DOORS_CALLIN_H

#include "base/net/gate.h"
#include "ppg/core.h"

struct ppg_callin;
struct ppg_callin_conf {
    struct ppg_core *core;
    const struct ota_env *ota; /* outlives it */
    struct net_gate *gate;     /* connections that terminals opened, all loops */
};

/* Copies conf.  ERR_NOMEM. */
enum err ppg_callin_create(const struct ppg_callin_conf *conf, struct ppg_callin **out) MUST_USE;
/* Binds one address; *port: in the one wanted (0: any), out the one bound.  name: for logs; static.  ERR_IO with *why. */
enum ppg_callin_door { PPG_CALLIN_CLEAR, PPG_CALLIN_TLS, PPG_CALLIN_PSK, PPG_CALLIN_DOORS };
enum err ppg_callin_listen(struct ppg_callin *c, const char *name, const struct ppg_listen *at,
                           enum ppg_callin_door kind, uint16_t *port, const char **why) MUST_USE;
/* For connections from now on; borrowed until the next call.  NULL: no such door is open. */
void ppg_callin_set_tls(struct ppg_callin *c, struct net_tls_ctx *tls, struct net_tls_ctx *psk);
void ppg_callin_drain(struct ppg_callin *c); /* nobody may call any more */
/* closed() later, then the memory goes. */
void ppg_callin_close(struct ppg_callin *c, void (*closed)(void *arg), void *arg);

#endif
