/* The far ends of a scenario: terminals behind a bearer, and the initiator that takes notifications.  Each answers
 * what its script says, when it says so, on a virtual clock; nothing fires from inside send() or post().
 *
 * It also watches what must hold whatever the scenario is about, and counts every breach in `breaches`: one attempt
 * in flight per terminal, one message id per target and never another's, sequence numbers that only rise. */
#ifndef TESTS_REPLAY_NET_H
#define TESTS_REPLAY_NET_H

#include "base/clk.h"
#include "ota/bearer.h"
#include "pap/message.h"
#include "pap/parse.h"
#include "ppg/core.h"
#include "security/gba/usim.h"
#include "security/sa.h"

#define REPLAY_TERMINALS_MAX 1200
#define REPLAY_SENDS_MAX     8192
#define REPLAY_NOTICES_MAX   4096
#define REPLAY_ANSWERS_MAX   16
#define REPLAY_CORES_MAX     4
#define REPLAY_SERVERS_MAX   32
#define REPLAY_NAME_N        48

struct replay_answer {
    enum replay_answer_kind {
        REPLAY_OUTCOME, /* of the bearer: outcome, code */
        REPLAY_REFUSE,  /* send() or post() itself fails with err */
        REPLAY_HANG,    /* no answer ever */
        REPLAY_HTTP,    /* to a notification: status and, if code is not 0, a document with it */
        REPLAY_BROKEN   /* to a notification: done() with ERR_PEER */
    } kind;
    enum ota_outcome outcome;
    enum err err;
    unsigned code;
    unsigned status;
    int64_t retry_after_ms; /* with a status */
    int64_t delay_ms;
    bool rings; /* until then the terminal has only been asked, and the bearer takes the push back */
};

/* Answers in turn; the last one stays. */
struct replay_answers {
    struct replay_answer v[REPLAY_ANSWERS_MAX];
    size_t n;
    size_t at;
};

struct replay_terminal {
    char key[REPLAY_NAME_N];
    bool present; /* in the configuration when it is written next */
    bool tls;
    bool datagrams;      /* reached by them */
    bool inbox;          /* it may fetch */
    bool fetches;        /* and nothing else reaches it */
    bool away;           /* must call in first, and has not; a datagram may ask it to */
    unsigned asked;      /* how often one has */
    bool sealed;         /* has an association, */
    const char *suites;  /* with these; NULL: some of each kind */
    const char *expires; /* and until then; NULL: never */
    bool maced;          /* has a key for x-syncml-hmac */
    bool xml;            /* has keys for XML-Signature and XML-Encryption */
    bool registers;      /* over SIP, with the password "sesame" */
    bool gba;            /* its module's keys are known to the key server; a push may bring its association */
    struct replay_gba {
        struct sec_usim *usim; /* made when it is needed */
        struct sec_sa sa;      /* the last that a push brought */
        bool has_sa;
        unsigned made;             /* associations so far */
        unsigned infos;            /* messages that carried push info */
        uint32_t confirmed;        /* confirmations so far */
        struct ota_sa_answer told; /* what the answer to the message in hand says */
        bool deaf;                 /* says nothing of associations, and takes nothing */
        bool mute;                 /* says nothing of those that it has */
        bool forges;               /* what it says of those is not protected by their keys */
        bool errs;                 /* it names another push than the one it answers */
    } module;
    unsigned key_no; /* which key of the association; another number is another key */
    size_t max_size;
    char takes[80];                /* what it says at registration: with the answer `unsuited` */
    struct replay_answers answers; /* n 0: delivered at once */
    unsigned in_flight;
    uint32_t sn_high;
};

struct replay_send {
    char push_id[REPLAY_NAME_N];
    char key[REPLAY_NAME_N];
    char message_id[80];
    char type[400]; /* Content-Type, of the inner message when it was sealed */
    int64_t at_ms;  /* UTC */
    uint32_t sn;    /* 0: not sealed */
    unsigned core;
};

struct replay_notice {
    char push_id[REPLAY_NAME_N];
    char address[REPLAY_NAME_N];
    enum pap_state state;
    unsigned code;
    int64_t at_ms;
};

/* Where notifications go. */
struct replay_server {
    char host[REPLAY_NAME_N];
    struct replay_answers answers; /* n 0: 200 and code 1000 */
    size_t posts;
    size_t under_way;
    size_t most; /* at once */
};

struct replay_port {
    struct replay_net *net;
    unsigned core;
};

struct replay_net {
    const struct clk *clk;
    struct ota_profiles *profiles; /* the cores' table; told what terminals say */
    struct pap_parser *parser;
    struct replay_terminal terminals[REPLAY_TERMINALS_MAX];
    size_t terminals_n;
    struct replay_answers initiator; /* of every server that has none of its own */
    struct replay_server servers[REPLAY_SERVERS_MAX];
    size_t servers_n;
    struct replay_send sends[REPLAY_SENDS_MAX];
    size_t sends_n;
    struct replay_notice notices[REPLAY_NOTICES_MAX]; /* every POST */
    size_t notices_n;
    struct replay_port ports[REPLAY_CORES_MAX];
    struct list pending; /* answers on their way */
    bool dead;           /* the gateway is gone: nothing it does is seen */
    size_t breaches;
    size_t withdrawn; /* attempts taken back */
};

struct replay_net *replay_net_create(const struct clk *clk); /* ends the program when memory is out */
void replay_net_free(struct replay_net **net);               /* nothing may be pending */

extern const struct ota_bearer replay_bearer;
extern const struct ota_bearer replay_datagrams; /* confirms nothing */
ppg_post_fn replay_net_post;                     /* host: struct replay_port */

/* Gives the answers that are due; true when there was one. */
bool replay_net_fire(struct replay_net *net);
/* Answers everything that waits as if the line were cut. */
void replay_net_break(struct replay_net *net);

struct replay_terminal *replay_net_terminal(struct replay_net *net, struct slice key); /* NULL: none */
struct replay_terminal *replay_net_add(struct replay_net *net, struct slice key);
struct replay_server *replay_net_server(struct replay_net *net, struct slice host); /* made when it is new */
/* The octets of a terminal's association, as hexadecimal digits: 32 and 64, NUL added. */
void replay_net_said(const struct replay_net *net, const struct replay_terminal *t, char out[33]);
void replay_net_key(const struct replay_net *net, const struct replay_terminal *t, char out[65]);

/* Its IMPI, and the octets of K as hexadecimal digits, NUL added; OPc is the same. */
void replay_net_impi(const struct replay_net *net, const struct replay_terminal *t, char out[REPLAY_NAME_N]);
void replay_net_k(const struct replay_net *net, const struct replay_terminal *t, char out[33]);

struct sec_usim *replay_net_usim(struct replay_net *net, struct replay_terminal *t);

/* How often this push was sent to that terminal; NULL address: to any. */
size_t replay_net_sent(const struct replay_net *net, struct slice push_id, struct slice key);

#endif
