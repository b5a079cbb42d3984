/* Where terminals register over SIP: the door of one loop (ota/registrar/door.h) with the gateway behind it - whose logins are good, which
 * addresses are theirs, what waits for who has come -, and the parcels between the doors of the loops.
 *
 * Only REGISTER and OPTIONS are served, and those only to who has logged in - with `address-bound` OPTIONS
 * to who asks from where it has registered -; what else is asked is refused, as nobody may push
 * or subscribe through the gateway.  [CPM 5.1.3.1]; RFC 3261 §8.2, §10.3, §11.2.  One per loop; the core's loop. */
#ifndef PPG_DOORS_SIPDOOR_H
#define PPG_DOORS_SIPDOOR_H

#include "ota/registrar/door.h"
#include "ppg/core.h"

struct ppg_sipdoor;

/* gate: of the connections.  ERR_NOMEM. */
enum err ppg_sipdoor_create(const struct net_env *env, struct ppg_core *c, struct net_gate *gate,
                            struct ppg_sipdoor **out) MUST_USE;
struct ota_sip_door *ppg_sipdoor_of(const struct ppg_sipdoor *s); /* what the bearer sends over */
/* As ota_sip_door_listen. */
enum err ppg_sipdoor_listen(struct ppg_sipdoor *s, enum ota_sip_via via, const char *name,
                            const struct ppg_listen *at, uint16_t *port, const char **why) MUST_USE;
/* After a reload: its times, and the context for connections from now on. */
void ppg_sipdoor_set(struct ppg_sipdoor *s, struct net_tls_ctx *tls);
void ppg_sipdoor_drain(struct ppg_sipdoor *s); /* nobody may come in any more */
/* closed() later, then the memory goes. */
void ppg_sipdoor_close(struct ppg_sipdoor *s, void (*closed)(void *arg), void *arg);

#endif
