/* The door of entities (CPNS security 5.x.1 to 5.x.3), HTTP over TLS:
 *
 *   POST /sec/v1/entities/ID         a user, by password: a key for that entity, told this once (201)
 *   GET  /sec/v1/entity              an entity, by Digest with its key: who it is
 *   GET  /sec/v1/users/ID/entities   the same: the entities of its user; of another's: 403
 *   POST /sec/v1/one-time-keys       the same: {"to", "key"}, a one-time key for another entity, wrapped (202)
 *   GET  /sec/v1/one-time-keys       the same: those that wait for it, wrapped; they are forgotten here
 *
 * Bodies are JSON, octets in them base64.  What counts is security/rules/entities.h's.  One per loop. */
#ifndef PPG_DOORS_ENTITY_DOOR_H
#define PPG_DOORS_ENTITY_DOOR_H

#include "base/net/env.h"
#include "base/net/httpd.h"
#include "ppg/core.h"

struct ppg_entity_door {
    struct ppg_core *core;
    const struct net_env *env;
};

/* As net_httpd_head_fn and net_httpd_request_fn; arg is the door. */
unsigned ppg_entity_head(struct net_http_exchange *x, struct buf *headers, void *arg);
void ppg_entity_request(struct net_http_exchange *x, void *arg);

#endif
