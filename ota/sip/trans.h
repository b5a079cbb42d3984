/* Client transactions (RFC 3261 §17.1): libosip2's tables of states, our clock.  libosip2 says how long a timer runs; when it
 * has run is found out here, by ota_sip_stack_tick(), so that a test's clock does as well.  A stack belongs to one loop; no
 * sockets.
 *
 * Timer K has nothing to wait for: a response that matches no transaction is dropped by us anyway, so a transaction is gone with
 * its final response, and memory follows what is under way (§17.1.2.2, §18.1.2).  Of an INVITE that was refused over UDP the ACK
 * stays for timer D, to be said again to each repetition of the response (§17.1.1.2). */
#ifndef OTA_SIP_TRANS_H
#define OTA_SIP_TRANS_H

#include "base/clk.h"
#include "ota/sip/reply.h"

struct ota_sip_stack;
struct ota_sip_trans;

struct ota_sip_trans_user {
    /* The request leaves once more, octet for octet.  Anything but ERR_OK: the way to the peer is gone. */
    enum err (*send)(void *arg);
    /* Once, last, never from inside start: ERR_OK and the final response; ERR_LATE timer F; ERR_PEER not sent; ERR_NOMEM.  The reply
     * is borrowed; NULL without ERR_OK. */
    void (*done)(enum err why, const struct ota_sip_reply *reply, void *arg);
    void *arg;
    /* INVITE alone.  The ACK to a final response other than 2xx, before done(); a 2xx has its ACK from the user (§13.2.2.4). */
    void (*ack)(struct slice request, void *arg);
    /* It has rung for ring_ms: a CANCEL is due.  The response to the INVITE is waited for as long as timer B from now on (§9.1). */
    void (*rang)(void *arg);
    int64_t ring_ms; /* from the first provisional response on */
};

/* ERR_NOMEM. */
enum err ota_sip_stack_create(const struct clk *clk, size_t transactions_max,
                              struct ota_sip_stack **out) MUST_USE;
void ota_sip_stack_free(struct ota_sip_stack **s); /* no transaction may be under way */

/* Begins with sending `request`, a whole one, with headers' long names; it is read during the call only.  ERR_MALFORMED: libosip2 cannot read it; ERR_EXISTS: its
 * branch is under way; ERR_LIMIT: too many are; ERR_PEER: send() said no; ERR_NOMEM. */
enum err ota_sip_trans_start(struct ota_sip_stack *s, struct slice request,
                             const struct ota_sip_trans_user *user, struct ota_sip_trans **out) MUST_USE;
/* Another user hears the rest.  A ring_ms of 0: rang() with the next tick, if it rings, else once it does. */
void ota_sip_trans_give(struct ota_sip_trans *t, const struct ota_sip_trans_user *user);
/* Without a word to the user. */
void ota_sip_trans_drop(struct ota_sip_trans **t);

/* The ACK that has answered such a response, of which this is a repetition; n 0: it is none.  Borrowed until the next tick. */
struct slice ota_sip_stack_ack(const struct ota_sip_stack *s, const struct ota_sip_reply *r);
/* A response came: goes to the transaction it answers (§17.1.3) - then *r is clear and done() may have run -, or is not ours: false. */
bool ota_sip_stack_reply(struct ota_sip_stack *s, struct ota_sip_reply *r);
/* Runs what is due. */
void ota_sip_stack_tick(struct ota_sip_stack *s);
/* Milliseconds of the clock until the next tick is needed; -1: never. */
int64_t ota_sip_stack_wait_ms(const struct ota_sip_stack *s);
size_t ota_sip_stack_n(const struct ota_sip_stack *s); /* under way */

#endif
