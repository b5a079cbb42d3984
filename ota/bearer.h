/* One way to reach a terminal; the seam every bearer stands behind.
 *
 * Story of an attempt.  route.c looks the terminal up in the registry, asks the bearer what its transport to
 * that terminal gives (`caps`) and lets policy decide; deliver.c has the content protected, fills a job and calls send().  The
 * bearer connects if it must, registers the terminal if the protocol says so, sends, waits for the answer within its own
 * deadlines, and calls done() exactly once with a result that says in the words of the field what happened.  The job stays
 * the caller's; the bearer holds no pointer into it after done(). */
#ifndef OTA_BEARER_H
#define OTA_BEARER_H

#include "base/err.h"
#include "base/net/env.h"
#include "base/net/tls.h"
#include "base/slice.h"
#include "ota/headers.h"
#include "ota/profile.h"
#include "ota/registry.h"
#include "security/policy.h"
#include "security/rules/network.h"

/* What an attempt came to.  The bearer maps its own protocol's answers to one of these and to the PAP code that
 * goes with a final outcome ([OTA-HTTP status table], [PAP §6]); deliver.c maps outcome to stage and retry. */
enum ota_outcome {
    OTA_DELIVERED,     /* the terminal's application has it */
    OTA_ABORTED,       /* the terminal refused or gave up: final, code 5xxx */
    OTA_UNDELIVERABLE, /* cannot work: final, code 2xxx-4xxx */
    OTA_BUSY,          /* the terminal lacks resources: try again, at most 3 times, then final with code */
    OTA_RETRY,         /* not reached, nothing was taken: try again until the deadline */
    OTA_AMBIGUOUS,     /* all was sent, no answer came: try again with the same message id */
    OTA_UNSUITED, /* nothing was sent: this form is not what the terminal takes, and its profile is known now; code is
                   * for when there is no other form */
};

struct ota_result {
    enum ota_outcome outcome;
    unsigned code;        /* PAP code for final outcomes, and for BUSY when tries run out */
    unsigned http_status; /* 0 when there was none */
    unsigned push_status; /* X-Wap-Push-Status, 0 when there was none */
    bool taken; /* the terminal itself said that it has taken the push; never so for what nobody answers */
    bool large; /* it is its size alone that does not go this way: to be told where it lies would */
    struct ota_sa_answer association; /* what it said of the association of a sealed push */
    size_t wire_n;                    /* octets of the push request as sent */
    int64_t retry_after_ms;           /* the far end wants so long a pause; 0: it said nothing */
    char note[128]; /* one line for operators: "connect refused", "status 235 refused by user" */
};

/* One attempt at one address; owned by ppg/deliver.c. */
struct ota_job {
    const struct ota_terminal *terminal; /* pinned by the caller until done */
    struct slice message_head; /* push message header lines, each ending in CRLF, without the empty line */
    struct slice body;         /* content, or the sealed message */
    struct slice content_type; /* of the content, sealed or not */
    bool mac;                  /* it must carry x-syncml-hmac, made with the terminal's key */
    struct slice device;       /* the one that is meant (RFC 5627); empty: any of the terminal's */
    bool authenticated;        /* X-Wap-Push-Info */
    bool trusted;
    bool confirmed;           /* it must be known to have reached the application */
    bool unconfirmed;         /* delivered when written; the answer does not matter but for a stale tag */
    uint8_t priority;         /* 0 high, 1 medium, 2 low */
    int64_t expires_ms;       /* UTC: of no use any more; 0: never */
    struct slice push_id;     /* for logs */
    struct ota_result result; /* out */
    void *attempt;            /* the bearer's own, while under way */
};

struct ota_sip_door;     /* ota/registrar/door.h */
struct ota_sip_location; /* ota/registrar/location.h */
struct ota_msrp_door;    /* ota/agent/msrp_door.h */

struct ota_env {
    const struct net_env *net;
    struct slice product;     /* User-Agent */
    struct net_tls_ctx *tls;  /* client context towards terminals; may be NULL: no TLS route works */
    struct net_tls_ctx *dtls; /* the same for datagrams; without it only those with a shared key work */
    int64_t connect_ms;
    int64_t response_ms;
    int64_t idle_ms;        /* a kept connection closes after so long without a push */
    size_t connections_max; /* of this loop */
    struct slice prov_url;  /* X-Wap-Push-ProvURL; may be empty */
    struct ota_wsp_env {
        uint16_t source_port; /* of datagrams in the clear; 0: the system chooses */
        size_t datagram_max_n;
        int64_t settle_ms; /* so long an ICMP error is waited for before a datagram counts as handed over */
        int64_t idle_ms;   /* a socket closes after so long without a push */
        size_t mtu;        /* octets of a datagram of DTLS */
        size_t flows_max;  /* terminals with an open socket, of this loop */
    } wsp;
    struct ota_sip_env {
        struct slice identity; /* URI that pushes come from */
        struct slice host;     /* of ours, for Via; empty: that of the identity */
        struct slice proxy;    /* URI of the next hop for all; empty: each route's own host */
        struct slice service;  /* URN of the push service; may be empty */
        struct slice app_tag;  /* feature tag that names applications */
        bool large_ok;         /* the whole path is known to take more than 1300 octets over TCP */
        bool
            sec_agree; /* security is agreed on with next hops that are not reached over TLS anyway (RFC 3329) */
        const char *dns;                   /* servers for service records; NULL or empty: the system's */
        const struct sec_network *trusted; /* next hops in our trust domain */
        size_t trusted_n;
        struct ota_login login;            /* to who challenges us, where the terminal has none of its own */
        size_t hops_max;                   /* next hops with an open socket, of this loop */
        size_t transactions_max;           /* of this loop */
        int64_t idle_ms;                   /* a socket closes after so long without a push */
        struct ota_sip_door *door;         /* what devices register at; NULL: there is none */
        struct ota_sip_location *location; /* where those are; NULL: nowhere */
        bool untagged_ok;                  /* one that has not said which applications it has gets all */
        bool probe; /* who has not said what it takes is asked with OPTIONS before the first push */
        enum ota_form form;
        size_t sessions_max;        /* of MSRP, of this loop */
        struct ota_msrp_door *msrp; /* where terminals connect for them; NULL: we always do */
        int64_t registered_ms;      /* no device is registered for longer without saying so again */
        int64_t ring_ms;            /* an INVITE may ring so long */
        int64_t report_ms;          /* a success report may take so long */
        int64_t session_idle_ms;    /* a session ends after so long without a push */
    } sip;
    struct ota_profiles *profiles; /* gets what terminals say at registration; may be NULL */
    size_t calls_max;              /* of this loop: connections that terminals opened */
    int64_t keep_alive_ms;         /* such a connection is asked so often whether it lives */
};

typedef void ota_done_fn(struct ota_job *job, enum err why, void *arg);

struct ota_call; /* ota/caller.h */

/* A terminal's place at a bearer, for operators; what it points to is borrowed until the callback returns. */
struct ota_line {
    struct slice address;
    bool called;      /* the terminal opened the connection */
    bool tls;         /* so does the connection */
    bool registered;  /* and the terminal has said what it takes */
    const char *from; /* far end, as logs have it */
    int64_t since_ms; /* monotonic */
    const char *
        proof; /* what the terminal proved its identity with: "certificate", "psk", "digest", "basic", "nothing" */
    struct slice identity; /* that was proved, or that it states; may be empty */
    size_t waiting;        /* pushes in the bearer's hands */
    size_t flying;         /* of these, sent and not answered yet */
    struct slice tag;
};
typedef void ota_line_fn(const struct ota_line *line, void *arg);

struct ota_bearer {
    const char *name;  /* as conf spells it: "http" */
    size_t body_max_n; /* octets; bigger content is refused before send() */
    bool confirms;     /* OTA_DELIVERED means that the terminal said so; else that it is on the wire */
    bool fetched; /* nothing is sent over it: the terminal fetches what waits for it, in parts if it likes */
    bool devices; /* it tells the devices behind one address apart */
    bool narrow;  /* terminals behind it take the tokenised form of a content, unless they say otherwise */
    enum err (*create)(const struct ota_env *env, void **self) MUST_USE;
    bool (*reaches)(const struct ota_terminal *t); /* no I/O */
    /* What the transport to this terminal gives; no I/O. */
    struct sec_caps (*caps)(const struct ota_terminal *t);
    /* It could be sent to only over a connection that the terminal opens, and there is none.  NULL: never so. */
    bool (*absent)(void *self, const struct ota_terminal *t);
    /* Is that one of the terminal's devices, or may it become one?  Any loop.  NULL without `devices`. */
    bool (*device)(void *self, const struct ota_terminal *t, struct slice device);
    /* The terminal has called in, on this loop, which owns its address: the call is the bearer's now.  Replaces a
     * connection that is open.  NULL: terminals do not call in. */
    void (*take)(void *self, struct ota_call *call, const struct ota_terminal *t, struct ota_registry *held);
    /* After a reload: who called in and may not any more, or not on that proof, is hung up on.  NULL with take. */
    void (*review)(void *self, const struct ota_registry *now);
    /* Calls fn for the terminal's connection, or when t is NULL for all there are.  NULL: it has no connections. */
    void (*lines)(void *self, const struct ota_terminal *t, ota_line_fn *fn, void *arg);
    /* Ends the terminal's connection; false: there is none.  NULL with lines. */
    bool (*hang_up)(void *self, const struct ota_terminal *t);
    enum err (*send)(void *self, struct ota_job *job, ota_done_fn *done, void *arg) MUST_USE;
    void (*cancel)(void *self, struct ota_job *job); /* done() still fires */
    /* The job is not wanted any more.  True: nothing of the push itself has left but what was refused unread, or will, whoever was asked to take it is told so, and
     * the job is the caller's again without done().  False: it goes on as before.  NULL: never so. */
    bool (*withdraw)(void *self, struct ota_job *job);
    /* After a reload, as in the environment; connections already open go on. */
    void (*set_tls)(void *self, struct net_tls_ctx *tls, struct net_tls_ctx *dtls);
    void (*close)(void *self, void (*closed)(void *arg), void *arg);
};

extern const struct ota_bearer ota_bearer_http;  /* OTA-HTTP, see ota/http.c */
extern const struct ota_bearer ota_bearer_udp;   /* OTA-WSP connectionless, see ota/wsp_udp.c */
extern const struct ota_bearer ota_bearer_sip;   /* OTA-SIP, see ota/agent/sip.c */
extern const struct ota_bearer ota_bearer_inbox; /* fetched by the terminal, see ota/inbox.c */
/* The table, in order of preference. */
#define OTA_BEARERS_MAX 8
extern const struct ota_bearer *const ota_bearers[];
extern const size_t ota_bearers_n;
/* By name; NULL when there is none. */
const struct ota_bearer *ota_bearer_find(struct slice name);
/* The first bearer that reaches the terminal, in the order of the table; NULL. */
const struct ota_bearer *ota_bearer_for(const struct ota_terminal *t);

#endif
