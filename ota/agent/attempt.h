/* Inside the bearer for SIP: one attempt to push as a MESSAGE, or in a session, and the table's view of it.  sip.c keeps the tables and tells callers
 * the results; the files of an attempt drive one.
 *
 * A push waits until no other MESSAGE to its URI is under way (RFC 3428 §8).  Then: the next hop's places, a hop, the
 * request's text, a transaction.  A challenge, a refused form, a redirection, another address each make one more request of the
 * same attempt, with the same Call-ID and From tag.  One loop. */
#ifndef OTA_AGENT_ATTEMPT_H
#define OTA_AGENT_ATTEMPT_H

#include "base/map.h"
#include "base/net/hub.h"
#include "ota/agent/learnt.h"
#include "ota/agent/result.h"
#include "ota/msrp/uri.h"
#include "ota/sip/agree.h"
#include "ota/sip/hop.h"
#include "ota/sip/known.h"
#include "ota/registrar/location.h"
#include "ota/sip/resolve.h"
#include "ota/sip/trans.h"

struct ota_sip_session; /* session.h */
struct ota_msrp_guest;  /* msrp_door.h */

#define OTA_SIP_WAITING_MAX 64 /* pushes that wait for one URI */
#define OTA_SIP_MOVES_MAX   5  /* redirections followed */
#define OTA_SIP_AGREES_MAX  2  /* lists of the next hop answered */
#define OTA_SIP_CALL_ID_N   32 /* hexadecimal digits */
#define OTA_SIP_TAG_N       16 /* OTA_SIP_DOOR_TAG_N: the door finds back by it */

struct ota_sip {
    const struct ota_env *env;
    struct ota_sip_stack *stack;
    struct ota_sip_hops *hops;
    struct map targets;      /* Request-URI -> struct ota_sip_target */
    struct map sessions;     /* Call-ID -> struct ota_sip_session */
    struct list idle;        /* of these, without a push; the longest first */
    struct list leaving;     /* sessions that have ended and wait for the last word */
    struct list abandoned;   /* invitations that nobody wants an answer to any more */
    size_t sessions_open;    /* in memory */
    struct net_tls_ctx *tls; /* of the environment; towards terminals */
    struct list free;        /* targets with nothing on its way: begin the next, or go */
    struct list ready;       /* attempts whose done() is due */
    struct net_task later;
    struct net_timer timer;     /* of the transactions */
    struct ota_sip_known known; /* challenges */
    struct ota_sip_agreements agreements;
    struct ota_sip_learnt learnt; /* what far ends take */
    struct net_records *records;  /* NULL: no service records */
    size_t searches;              /* for next hops, under way; cancelled ones too */
    bool records_closed;
    struct buf scratch;
    bool ended;
    bool hops_closed;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* All that is under way to one URI; gone with the last attempt. */
struct ota_sip_target {
    struct list at; /* in free; alone while one is flying */
    struct ota_sip *sip;
    char *uri; /* owned */
    size_t uri_n;
    struct list waiting;
    size_t waiting_n;
    struct ota_sip_attempt *flying;  /* one at most */
    struct ota_sip_session *session; /* NULL: none */
};

struct ota_sip_attempt {
    struct list at; /* in waiting or ready; alone while FLYING */
    enum { OTA_SIP_WAITING, OTA_SIP_FLYING, OTA_SIP_READY } stage;
    struct ota_sip_target *target; /* not used when READY */
    struct ota_job *job;
    ota_done_fn *done;
    void *arg;
    enum err why;
    char uri[OTA_SIP_URI_MAX_N + 1];   /* Request-URI; another one after a redirection */
    struct ota_sip_uri to;             /* the same, read */
    struct ota_sip_found device;       /* of one that registered: where it is */
    size_t skip;                       /* better ones that have been tried */
    char name[OTA_SIP_HOST_MAX_N + 1]; /* of the next hop */
    char next[OTA_SIP_HOST_MAX_N + 8]; /* the same with its port, as it is remembered by */
    enum ota_sip_via via;
    struct ota_sip_search *search;
    struct ota_sip_place places[OTA_SIP_PLACES_MAX];
    size_t places_n;
    size_t place_at;
    struct ota_sip_rider rider;
    struct ota_sip_hop *hop;
    struct ota_sip_trans *trans;
    struct buf entity;  /* the body of a MESSAGE; in a session what goes before the content */
    struct buf message; /* the request, as it is sent again */
    struct buf offer;   /* the body of an INVITE */
    struct buf cancel;  /* the request that ends its ringing */
    struct ota_sip_trans *cancelling;
    char own_path[OTA_MSRP_URI_MAX_N + 1]; /* MSRP URI of ours in the offer */
    struct ota_msrp_guest *guest;          /* the terminal, that may connect to it; NULL: it may not */
    char call_id[OTA_SIP_CALL_ID_N + 1];
    char tag[OTA_SIP_TAG_N + 1];
    uint32_t cseq;
    struct ota_sip_login login;
    struct ota_sip_agreement agreed; /* with the next hop */
    struct ota_sip_takes takes;      /* what the far end does, as far as is known */
    unsigned agrees;
    unsigned moves;
    bool asking;     /* with OPTIONS, before the push itself */
    bool session;    /* in a session, not as a MESSAGE */
    unsigned told;   /* MESSAGEs that have left, but for those refused unread */
    bool bare;       /* the content itself, no envelope */
    bool form_tried; /* the other form was tried */
    bool widened;    /* over TCP for its size alone (RFC 3261 §18.1.1) */
    bool narrowed;   /* back to UDP, as TCP was refused */
};

#define OTA_SIP_AGENT_METHODS "OPTIONS, BYE" /* that the user agent serves */

/* attempt.c.  Begins.  It may have finished when this returns, as with everything here that goes on with it. */
void ota_sip_attempt_begin(struct ota_sip_attempt *a);
/* Lets go of everything that could call back. */
void ota_sip_attempt_stop(struct ota_sip_attempt *a);
/* The next request, to the place that is its turn. */
void ota_sip_attempt_launch(struct ota_sip_attempt *a);
/* It could not be sent, for this reason. */
void ota_sip_attempt_refuse(struct ota_sip_attempt *a, enum err e);

/* attempt_way.c.  Finds the first place: of the device that has registered, else of the route. */
void ota_sip_attempt_find(struct ota_sip_attempt *a);
/* The next hop's addresses, then on. */
void ota_sip_attempt_resolve(struct ota_sip_attempt *a);
/* This address did not work: the next one, another device, or what came of it. */
void ota_sip_attempt_elsewhere(struct ota_sip_attempt *a, enum ota_outcome outcome, const char *note);
/* Nor did this device, where there is another: on with that.  gone: its binding goes.  False: there is none. */
bool ota_sip_attempt_next_device(struct ota_sip_attempt *a, bool gone);
/* A redirection: followed, or v is what came of it. */
void ota_sip_attempt_move(struct ota_sip_attempt *a, const struct ota_sip_reply *r,
                          const struct ota_sip_verdict *v);
/* A device that has registered here is where it said, and nowhere else. */
bool ota_sip_attempt_registered(const struct ota_sip_attempt *a);
/* It goes over a flow of the door, to such a device. */
bool ota_sip_attempt_by_flow(const struct ota_sip_attempt *a);

/* attempt_takes.c.  The far end is known, or another one: how it is pushed to. */
void ota_sip_attempt_suit(struct ota_sip_attempt *a);
/* The answer to OPTIONS; the push is next. */
void ota_sip_attempt_asked(struct ota_sip_attempt *a, const struct ota_sip_reply *r);
/* What the answer to the push itself tells of the far end. */
void ota_sip_attempt_taught(struct ota_sip_attempt *a, const struct ota_sip_reply *r);
/* Takes the other form, once; false: it was tried. */
bool ota_sip_attempt_other_form(struct ota_sip_attempt *a);
/* It takes no MESSAGE; and whether what is no MESSAGE may go in a session instead. */
bool ota_sip_attempt_must_session(const struct ota_sip_attempt *a);
bool ota_sip_attempt_may_session(const struct ota_sip_attempt *a);
/* It refuses the session that its methods promised: that is not tried again.  False: it takes nothing else, or the operator says so. */
bool ota_sip_attempt_no_session(struct ota_sip_attempt *a);
/* The push names where its content lies, and the far end has not listed that among what it accepts (RFC 4483 §3.1). */
bool ota_sip_attempt_unreadable(const struct ota_sip_attempt *a);

/* attempt_session.c.  In the session that there is, else in one that is offered now. */
void ota_sip_attempt_offer(struct ota_sip_attempt *a);
/* Of the transaction of an INVITE: an ACK to be sent; it has rung long enough. */
void ota_sip_attempt_ack(struct slice request, void *arg);
void ota_sip_attempt_rang(void *arg);

/* abandon.c.  The INVITE under way goes on by itself, to its end: it is cancelled once it rings, and who accepts it all the same is told
 * goodbye (RFC 3261 §9.1, §15).  The attempt has none any more. */
void ota_sip_attempt_abandon(struct ota_sip_attempt *a);
/* The bearer closes: what is abandoned is cancelled without waiting for what comes of it. */
void ota_sip_abandoned_end(struct ota_sip *s);

/* attempt_text.c.  Fills entity: the push in an envelope with its push headers, or bare; for a session without its body.  ERR_MALFORMED, ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_attempt_entity(struct ota_sip_attempt *a) MUST_USE;
/* Its media type. */
struct slice ota_sip_attempt_type(const struct ota_sip_attempt *a);
/* Id of the application, or empty. */
struct slice ota_sip_attempt_app(const struct ota_sip_attempt *a);
/* Fills message with the next request: another branch, another number (RFC 3261 §8.1.1.7, §22.2).  ERR_MALFORMED, ERR_LIMIT,
 * ERR_IO, ERR_NOMEM. */
enum err ota_sip_attempt_request(struct ota_sip_attempt *a) MUST_USE;
/* What challenges are answered with: the terminal's own, else the gateway's. */
const struct ota_login *ota_sip_attempt_login(const struct ota_sip_attempt *a);
/* Credentials that were good last time go along at once. */
void ota_sip_attempt_recall(struct ota_sip_attempt *a);
/* What was good for this request is for the next one. */
void ota_sip_attempt_learn(struct ota_sip_attempt *a, const struct ota_sip_reply *r, enum ota_sip_next next);
/* It is challenged again, or there is nothing to answer with. */
bool ota_sip_attempt_login_refused(struct ota_sip_attempt *a, const struct ota_sip_reply *r);

/* attempt_text.c, for sessions.  n hexadecimal digits of chance and NUL.  ERR_IO, ERR_NOMEM. */
enum err ota_sip_chance(char *out, size_t n) MUST_USE;
/* Our host as others find it, without brackets; and as Via has it for a hop: over UDP with the port that answers come to, streams carry them
 * back themselves (RFC 3261 §18.2.2). */
void ota_sip_own_host(const struct ota_env *env, char *out, size_t cap);
void ota_sip_sent_by(const struct ota_env *env, const struct ota_sip_hop *hop, char *out, size_t cap);

/* sip.c.  A session has left it. */
void ota_sip_target_free_later(struct ota_sip_target *t);
/* sip.c.  The attempt leaves its target, which begins the next; done() fires from the loop.  Prints the note. */
void ota_sip_finish(struct ota_sip_attempt *a, enum ota_outcome outcome, unsigned code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* A transaction began: its timers want to be looked at. */
void ota_sip_watch(struct ota_sip *s);
/* A search has ended; the last one lets a bearer that was told to close end. */
void ota_sip_check_end(struct ota_sip *s);

#endif
