/* Visits (SEC_CF 1.1, use case B.6): a terminal of ours that is to be served by a function of another network gets a key for it from
 * us, and so does that function, over the link that our networks have between them: TLS with certificates both ways.
 *
 *     POST /sec/v1/visit {"enabler": "push.visited.example"}             the terminal to its home, at the door of verify.h
 *     200 {"psk_identity": "..", "psk": base64 of 32 octets, "expires": "2026-01-01T00:00:00Z", "host": "HOST:PORT"}
 *     403 no function that we trust, 429 too many in a minute ([verify] rate), 503 it does not answer, or has too many of our keys
 *
 *     POST /sec/v1/peer-key {"enabler", "psk_identity", "psk", "expires", "user"?}     the home to that function: 204
 *     403 for another function, 409 known already, 429 that home has its share, 503 there is no place
 *
 * The terminal hears of its key when the other side has it.  Whom we visit and who may send us keys: config/visits.h; what becomes of
 * them here: security/terminal/visits.h.  The JSON is visit_json.h's.  HTTP; on the core's loop. */
#ifndef PPG_KEYS_VISIT_H
#define PPG_KEYS_VISIT_H

#include "base/net/httpd.h"
#include "ppg/snapshot.h"
#include "ppg/core.h"
#include "security/terminal/visits.h"

#define PPG_VISIT_PATH SLICE("/sec/v1/visit")
#define PPG_PEER_PATH  SLICE("/sec/v1/peer-key")

struct ppg_visit; /* our side of the links; one per loop */
enum err ppg_visit_create(const struct net_env *env, struct ppg_core *core, struct ppg_snapshot *snapshot,
                          struct ppg_visit **out) MUST_USE; /* ERR_NOMEM */
void ppg_visit_set(struct ppg_visit *v, struct ppg_snapshot *snapshot);
/* Ends what is under way (done with ERR_IO); the memory goes before closed() runs. */
void ppg_visit_close(struct ppg_visit *v, void (*closed)(void *arg), void *arg);

/* A key for one terminal.  Good until done() has run, which it does once, later. */
struct ppg_visit_ask {
    struct slice terminal; /* borrowed: its address */
    void (*done)(struct ppg_visit_ask *a, enum err e);
    struct buf json; /* out, with ERR_OK: the answer to the terminal; wipe it.  Init'ed by ppg_visit_go */
};
/* question: the terminal's.  ERR_AGAIN: done() will run, with ERR_OK; ERR_DENIED: it takes no keys from us; ERR_LIMIT: it holds
 * our whole share of keys (429), room comes when one of them ends; ERR_IO: no answer, or a 5xx.
 * Else at once: ERR_MALFORMED; ERR_ABSENT: we trust no such function; ERR_IO, ERR_NOMEM. */
enum err ppg_visit_go(struct ppg_visit *v, struct slice question, struct ppg_visit_ask *a) MUST_USE;

/* The door where homes bring keys; as net_httpd_head_fn and net_httpd_request_fn, arg is the core. */
unsigned ppg_peer_head(struct net_http_exchange *x, struct buf *headers, void *arg);
void ppg_peer_request(struct net_http_exchange *x, void *arg);

#endif
