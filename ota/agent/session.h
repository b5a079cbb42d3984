/* Inside the bearer for SIP: a session with a terminal, in which larger pushes go as MSRP messages (RFC 4975).
 *
 * Story.  An attempt whose push is no MESSAGE offers a session with its INVITE.  The 2xx makes one here: it is acknowledged, the
 * answer read, the connection opened - by us, or by the terminal where it says so and the offer left that open (RFC 6135) -, the push
 * sent in chunks, and the attempt ends with what came of that.  The session stays for
 * further pushes to the same URI, until it is idle, the far end hangs up, or something in it fails; then it says BYE.  A push whose
 * session fails is tried again in another one, under the same Message-ID.  Belongs to its target; one loop. */
#ifndef OTA_AGENT_SESSION_H
#define OTA_AGENT_SESSION_H

#include "security/kdf.h"
#include "ota/msrp/frame.h"
#include "ota/msrp/sdp.h"
#include "ota/msrp/sender.h"
#include "ota/msrp/uri.h"
#include "ota/agent/attempt.h"
#include "ota/agent/dialog.h"
#include "ota/agent/msrp_door.h"

#define OTA_SIP_STREAM_PATH_N  1024 /* octets of a=path of an answer */
#define OTA_SIP_PSK_IDENTITY_N 255  /* of the name of a shared key */
#define OTA_SIP_ACCEPT_MAX_N   1024 /* and of its accept-types */

struct ota_sip_session {
    struct list at; /* in the bearer's idle or leaving ones; alone while a push is under way */
    struct ota_sip *sip;
    struct ota_sip_target *target; /* NULL: it is on its way out */
    struct ota_sip_attempt *push;  /* under way in it; NULL: idle */
    struct ota_sip_dialog dialog;
    /* requests of the dialog */
    enum ota_sip_via first_via; /* how the INVITE went */
    struct ota_sip_search *search;
    struct ota_sip_place place;
    struct ota_sip_flow flow; /* over the door, to a device that has registered; none: to place */
    char name[OTA_SIP_HOST_MAX_N + 1];
    struct ota_sip_rider rider;
    struct ota_sip_hop *hop;
    struct buf ack; /* said again to each repetition of the 2xx */
    struct buf bye;
    struct ota_sip_trans *trans; /* BYE */
    char reason[160];            /* its line that says why */
    struct ota_sip_login login;  /* challenges to it, and who we are: */
    char *user, *password;       /* owned; NULL: nobody */
    /* the stream of messages */
    enum err answer; /* what is wrong with the answer to the offer */
    bool secure;
    char own_path[OTA_MSRP_URI_MAX_N + 1];
    char path[OTA_SIP_STREAM_PATH_N + 1];
    char accept[OTA_SIP_ACCEPT_MAX_N + 1];
    uint64_t max_size; /* 0: not said */
    char tls_name[OTA_MSRP_HOST_MAX_N + 1];
    struct net_tls_ctx *tls;         /* held */
    struct ota_msrp_guest *guest;    /* the terminal connects; NULL: we do */
    struct ota_msrp_parcel *arrived; /* its connection, the stream's seat */
    uint8_t terms[SEC_SHA256_N];     /* what the operator's words for the terminal were, hashed */
    char psk_identity[OTA_SIP_PSK_IDENTITY_N +
                      1]; /* that it must have connected with; "": a certificate for tls_name */
    struct net_dns_query *query;
    struct sockaddr_storage
        *to; /* owned: addresses of the path's host, tried one after the other; only while connecting */
    size_t to_n, to_at;    /* at most NET_DNS_MAX; how many were tried */
    int64_t connect_by_ms; /* all of them */
    struct net_stream *stream;
    struct ota_msrp_frame frame;
    struct ota_msrp_sender sender;
    char message_id[OTA_MSRP_ID_MAX_N + 1];
    struct buf out; /* scratch */
    bool open;      /* the connection */
    bool awaited;   /* the terminal is to make it */
    bool sending;   /* the sender is at work */
    bool acked;
    struct net_timer timer; /* of the sender, else idle */
};

/* session_offer.c.  The description for an INVITE; a->own_path gets the path in it, a->guest who may connect to it.  ERR_MALFORMED,
 * ERR_IO, ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_session_offer(struct ota_sip_attempt *a, struct buf *out) MUST_USE;
/* The answer to it, as far as it can be used; a->guest becomes the session's, or goes.  ERR_DENIED: it is clear, where it must not be;
 * ERR_ABSENT, ERR_UNSUPPORTED, ERR_MALFORMED, ERR_LIMIT: no stream that can be used. */
enum err ota_sip_session_answer(struct ota_sip_session *s, struct ota_sip_attempt *a,
                                struct slice body) MUST_USE;
/* Whether it is inside TLS, and who must prove what there: as the operator has it for this push's terminal.  A session that was made
 * on other terms is not for it.  ERR_NOMEM. */
enum err ota_sip_session_terms(const struct ota_sip_attempt *a, uint8_t out[SEC_SHA256_N]) MUST_USE;
/* Fills message_id for the push under way: one for all its tries, which does not tell the push id.  ERR_NOMEM. */
enum err ota_sip_session_message_id(struct ota_sip_session *s) MUST_USE;

/* session.c.  A 2xx to that INVITE: the attempt goes on in a session, or has finished. */
void ota_sip_session_begin(struct ota_sip_attempt *a, const struct ota_sip_reply *r);
/* The next push, in the session that its target has, which must be idle.  False: that was made on other terms, and has ended. */
bool ota_sip_session_push(struct ota_sip_attempt *a);
/* The attempt is over before its push is: that is not sent any further, and the session ends. */
void ota_sip_session_leave(struct ota_sip_attempt *a);
/* Octets of its push have gone into the session's stream. */
bool ota_sip_session_told(const struct ota_sip_attempt *a);
/* Says BYE, with words for the far end; whoever is under way in it has finished. */
void ota_sip_session_close(struct ota_sip_session *s, const char *reason);
/* Room for one more, at the expense of the one that has been idle longest.  False: all are in use. */
bool ota_sip_session_room(struct ota_sip *s);
/* The bearer closes: nothing that is on its way out is waited for. */
void ota_sip_sessions_end(struct ota_sip *s);
/* A request inside a dialog: the status to answer with, for which header lines are appended; 0: of no session. */
unsigned ota_sip_session_request(struct ota_sip *s, const struct ota_sip_request *r, struct buf *more);
/* hop: that it came by; NULL: the door.  A 2xx to an INVITE that nothing waits for: acknowledged again, or a session that nobody wants is ended (§13.2.2.4, §15). */
void ota_sip_session_stray(struct ota_sip *s, struct ota_sip_hop *hop, const struct ota_sip_reply *r);

/* session_msrp.c.  Opens the connection, or waits for the terminal's, and sends what is to be sent. */
void ota_sip_session_connect(struct ota_sip_session *s);
void ota_sip_session_send(struct ota_sip_session *s);
/* Holds what TLS with the terminal needs.  ERR_UNSUPPORTED: there is nothing; ERR_MALFORMED, ERR_NOMEM. */
enum err ota_sip_session_credentials(struct ota_sip_session *s, const struct ota_terminal *t) MUST_USE;
void ota_sip_session_timer_init(struct ota_sip_session *s);
/* Those that are left to try. */
void ota_sip_session_forget_addresses(struct ota_sip_session *s);
/* No octet of it any more. */
void ota_sip_session_hang_up(struct ota_sip_session *s);

/* session.c, for session_msrp.c.  What came of the push; keep: the session can take another. */
void ota_sip_session_pushed(struct ota_sip_session *s, bool keep, enum ota_outcome outcome, unsigned code,
                            const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* A part of it has gone: frees the session when that was the last. */
void ota_sip_session_check_end(struct ota_sip_session *s);

#endif
