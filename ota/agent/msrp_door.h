/* Where terminals connect for sessions: the passive side of MSRP (RFC 4975 §5.4, RFC 6135 §4), of one loop.
 *
 * Story.  An offer leaves both ways open; its path names a port of this door and an id under which the session is expected here.  The
 * terminal answers that it connects, does so - on whatever loop the kernel chose -, and sends.  The first head names the session; the id
 * says which loop expects it, so the connection goes there, in a parcel if that is another, with the octets read so far.  It waits there
 * until the session that its offer became takes it.  An id that nobody expects here is answered with 481, one that has its connection
 * already with 506; whoever has not said in time where it belongs is hung up on.  Who may have an id has it from the signalling, as
 * nobody guesses one (§14.1); from which path it comes, and with whose certificate or key, is the session's to judge.  One loop. */
#ifndef OTA_AGENT_MSRP_DOOR_H
#define OTA_AGENT_MSRP_DOOR_H

#include "base/net/gate.h"
#include "base/net/stream.h"

#define OTA_MSRP_DOOR_ID_N 32 /* hexadecimal digits: two of the loop, 120 bits of chance */

struct ota_msrp_door;
struct ota_msrp_guest;

enum ota_msrp_entry { OTA_MSRP_ENTRY_CLEAR, OTA_MSRP_ENTRY_TLS, OTA_MSRP_ENTRY_PSK, OTA_MSRP_ENTRIES };

/* A connection that has said where it belongs.  Owned by whoever has it; heap. */
struct ota_msrp_parcel {
    struct net_handover socket; /* fd -1: was taken */
    struct net_gate *gate;      /* NULL: none */
    struct net_gate_seat *seat;
    enum ota_msrp_entry entry;
    char id[OTA_MSRP_DOOR_ID_N + 1];
    struct buf octets; /* that have been read from it, at least a head */
};
/* Closes what was not taken, and gives back its seat.  NULL inside is fine. */
void ota_msrp_parcel_free(struct ota_msrp_parcel **p);

struct ota_msrp_door_conf {
    const struct net_env *env;
    unsigned loop, loops;  /* at most 256 */
    int64_t wait_ms;       /* a connection that has not said where it belongs closes after so long */
    struct net_gate *gate; /* ceilings in all and per address; may be NULL */
    /* Takes p to the door of that loop (ota_msrp_door_parcel); it is the callee's. */
    void (*post)(unsigned loop, struct ota_msrp_parcel *p, void *arg);
    void *arg;
};

/* Copies conf.  ERR_NOMEM. */
enum err ota_msrp_door_create(const struct ota_msrp_door_conf *conf, struct ota_msrp_door **out) MUST_USE;
/* Binds one address; offers name the first port of an entry.  *port: in the one wanted (0: any), out the one bound.  name, address:
 * static.  ERR_IO with *why; ERR_LIMIT, ERR_NOMEM. */
enum err ota_msrp_door_listen(struct ota_msrp_door *d, enum ota_msrp_entry entry, const char *name,
                              const char *address, uint16_t *port, const char **why) MUST_USE;
/* For connections from now on; the contexts are borrowed until the next call. */
void ota_msrp_door_set(struct ota_msrp_door *d, struct net_tls_ctx *tls, struct net_tls_ctx *psk,
                       int64_t wait_ms);
/* 0: it has no such entry. */
uint16_t ota_msrp_door_port(const struct ota_msrp_door *d, enum ota_msrp_entry entry);
/* A parcel has come from another loop. */
void ota_msrp_door_parcel(struct ota_msrp_door *d, struct ota_msrp_parcel *p);
/* closed later, once nobody is expected any more; then the memory goes. */
void ota_msrp_door_close(struct ota_msrp_door *d, void (*closed)(void *arg), void *arg);

/* A connection is expected by this entry, under an id of its own.  ERR_IO, ERR_LIMIT, ERR_NOMEM. */
enum err ota_msrp_door_expect(struct ota_msrp_door *d, enum ota_msrp_entry entry,
                              struct ota_msrp_guest **out) MUST_USE;
const char *ota_msrp_guest_id(const struct ota_msrp_guest *g);
/* came() fires from the loop when it is here, perhaps soon; then it is to be taken. */
void ota_msrp_guest_await(struct ota_msrp_guest *g, void (*came)(void *arg), void *arg);
/* NULL: it is not here.  The caller's from then on. */
struct ota_msrp_parcel *ota_msrp_guest_take(struct ota_msrp_guest *g);
/* Not expected any more; what has come and was not taken is hung up on.  NULL inside is fine. */
void ota_msrp_guest_free(struct ota_msrp_guest **g);

#endif
