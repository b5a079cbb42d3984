/* Where terminals connect for sessions of MSRP: the door of one loop (ota/agent/msrp_door.h), and the parcels between the doors of
 * the loops.  One per loop; the core's loop. */
#ifndef PPG_DOORS_MSRPDOOR_H
#define PPG_DOORS_MSRPDOOR_H

#include "ota/agent/msrp_door.h"
#include "ppg/core.h"
#include "ppg/snapshot.h"

struct ppg_msrpdoor;

/* gate: of the connections.  ERR_NOMEM. */
enum err ppg_msrpdoor_create(const struct net_env *env, struct ppg_core *c, struct net_gate *gate,
                             struct ppg_msrpdoor **out) MUST_USE;
struct ota_msrp_door *ppg_msrpdoor_of(const struct ppg_msrpdoor *m); /* where the bearer expects terminals */
/* As ota_msrp_door_listen. */
enum err ppg_msrpdoor_listen(struct ppg_msrpdoor *m, enum ota_msrp_entry entry, const char *name,
                             const struct ppg_listen *at, uint16_t *port, const char **why) MUST_USE;
/* After a reload: its times, and the contexts for connections from now on. */
void ppg_msrpdoor_set(struct ppg_msrpdoor *m, const struct ppg_snapshot *snapshot);
/* closed() later, then the memory goes. */
void ppg_msrpdoor_close(struct ppg_msrpdoor *m, void (*closed)(void *arg), void *arg);

#endif
