/* Inside the terminal kit: what a kit holds.  kit.c answers requests, kit_push.c judges a push, kit_state.c makes
 * kits, holds associations, and saves and loads what must survive a restart.  One thread. */
#ifndef OTA_TERMINAL_KIT_STATE_H
#define OTA_TERMINAL_KIT_STATE_H

#include "base/arena.h"
#include "ota/terminal/entity.h"
#include "ota/terminal/kit.h"
#include "ota/terminal/seen.h"
#include "base/scan.h"
#include "ota/headers.h"
#include "security/login/digest.h"
#include "security/login/mac_guard.h"
#include "security/gba/usim.h"

#define KIT_SA_MAX             64 /* associations of one terminal */
#define KIT_SERVERS_MAX        64
#define KIT_TAG_N              8 /* octets of base64 of 4 octets */
#define KIT_REALM              "push"
/* What the terminal was provisioned with: the version and hash of the object, in the answer to it (SEC_CF B.8). */
#define KIT_PROVISIONED_HEADER "X-Push-Provisioned"

/* Why something was not delivered; the first word of each event, and a counter each. */
#define KIT_REASON_LIST(X)                                                                                   \
    X(NONE, "none")                                                                                          \
    X(PATH, "path") /* not /wappush */                                                                       \
    X(METHOD, "method")                                                                                      \
    X(LOGIN, "login") /* asked for credentials */                                                            \
    X(STALE_TAG, "stale-tag")                                                                                \
    X(SIZE, "size")                                                                                          \
    X(FORM, "malformed-message")    /* the message breaks its grammar */                                     \
    X(CONTENT_TYPE, "content-type") /* none, or not in our list */                                           \
    X(APPLICATION, "application")   /* not in our list */                                                    \
    X(SERVER, "server")             /* not on the server list */                                             \
    X(UNPROVED, "server-unproved")  /* and not sealed */                                                     \
    X(FLOOR, "protection-below-floor")                                                                       \
    X(UNTRUSTED, "untrusted")                                                                                \
    X(INITIATOR, "initiator")       /* not on the white list, or on the black one */                         \
    X(PROVISIONING, "provisioning") /* an object that cannot be put in force */                              \
    X(PROVISIONING_OLD, "provisioning-expired")                                                              \
    X(MALFORMED, "malformed") /* a seal: these are sec_gpl_reject_name's words */                            \
    X(SUITE, "suite")                                                                                        \
    X(MAC, "mac")                                                                                            \
    X(REPLAY, "replay")                                                                                      \
    X(NO_SA, "no-sa")                                                                                        \
    X(EXPIRED, "expired")                                                                                    \
    X(GPI, "gpi")               /* key material rides along; this terminal takes none */                     \
    X(GPI_RATE, "gpi-rate")     /* too many that came to nothing */                                          \
    X(GPI_POLICY, "gpi-policy") /* these are sec_gpi_verdict_name's words, but for malformed and expired */  \
    X(AUTH_MAC, "auth-mac")                                                                                  \
    X(AUTH_SYNC, "auth-sync")                                                                                \
    X(GPI_MAC, "gpi-mac")                                                                                    \
    X(GPI_MALFORMED, "gpi-malformed")                                                                        \
    X(GPI_EXPIRED, "gpi-expired")                                                                            \
    X(GPI_DUPLICATE, "gpi-duplicate")                                                                        \
    X(HMAC, "hmac")                           /* asked for x-syncml-hmac, or it was wrong */                 \
    X(INNER, "inner-malformed")               /* the seal is good, what was in it is not a message */        \
    X(OTHER, "other-content")                 /* than the push that named it has said */                     \
    X(USER, "user")                           /* the user did not prove who he is, or could not be asked */  \
    X(VERIFY_NOBODY, "verify-nobody")         /* asks to connect, and there is no home function to ask */    \
    X(VERIFY_TOKEN, "verify-token")           /* there is no token to ask by, or none that could be one */   \
    X(VERIFY_KNOWN, "verify-known")           /* it was asked about already, or is being asked about */      \
    X(VERIFY_RATE, "verify-rate")             /* too many that came to nothing, or are open */               \
    X(VERIFY_INVALID, "verify-invalid")       /* the home function says no, */                               \
    X(VERIFY_LATE, "verify-late")             /* its yes is over, */                                         \
    X(VERIFY_UNANSWERED, "verify-unanswered") /* or it says nothing */                                       \
    X(DUPLICATE, "duplicate")                                                                                \
    X(RESOURCES, "resources")

enum kit_reason {
#define KIT_REASON_ENUM(name, text) KIT_REASON_##name,
    KIT_REASON_LIST(KIT_REASON_ENUM)
#undef KIT_REASON_ENUM
        KIT_REASON_COUNT
};
const char *kit_reason_text(enum kit_reason r);

/* An association, or only what a saved state says about one that is not installed (now). */
struct kit_assoc {
    bool present; /* sa holds a key */
    uint8_t said[SEC_SA_RAND_N];
    struct sec_sa sa;
    uint32_t high; /* while not present */
    uint64_t seen;
    uint8_t gpi[SEC_GPI_MAX_N]; /* what it was made from, gpi_n octets; 0: it was provisioned */
    size_t gpi_n;
    int64_t made_s; /* UTC, with gpi_n */
};

/* What pushes may bring associations with. */
struct kit_gba {
    struct sec_usim *usim;                  /* NULL: they may not */
    struct slice gateways[KIT_SERVERS_MAX]; /* in the kit's arena */
    size_t gateways_n;
    int64_t life_max_s;
    unsigned rate;
    unsigned failed; /* in the minute that began at since_s */
    int64_t since_s;
    struct sec_aka_seen seen; /* as saved; without a module, and until it is there */
    bool has_seen;
};

/* Where the ids are remembered whose first letter says how their push was proved. */
enum { KIT_SEEN_SEALED, KIT_SEEN_TLS, KIT_SEEN_CLEAR, KIT_SEEN_RINGS };

struct kit_prov;
#define KIT_PENDING_MAX 8

/* A push that asks to connect, while it is being asked about. */
struct kit_pending {
    bool open;
    bool taken;       /* by kit_verify_next() */
    struct arena mem; /* of what follows; kept for a while after it is closed */
    struct kit_push push;
    struct slice token;
    struct slice digest;
};

struct kit_verify {
    struct kit_pending pending[KIT_PENDING_MAX];
    unsigned next;        /* place that is used next, if it is free */
    struct kit_seen done; /* "TOKEN:DIGEST" of those that were asked about */
    unsigned failed;      /* in the minute that began at since_s */
    int64_t since_s;
};

struct kit {
    struct kit_conf conf; /* strings in arena; no password */
    struct arena arena;
    char tag[KIT_TAG_N]; /* names the current CPI */
    struct kit_assoc *assocs[KIT_SA_MAX];
    size_t assocs_n;
    struct kit_gba gba;
    struct kit_prov *prov;     /* NULL: none */
    struct ota_sa_answer said; /* of the association of the push in hand */
    struct kit_seen
        seen[KIT_SEEN_RINGS]; /* by how they were proved: a stranger's ids push out strangers' alone */
    struct kit_verify verify;
    struct sec_digest_guard *guard; /* NULL: no login asked for */
    struct sec_secret ha1[SEC_DIGEST_ALGORITHM_COUNT];
    struct sec_mac_guard *macs; /* NULL: pushes carry none */
    struct sec_mac_keys mac_keys;
    struct sec_mac_session mac_session;
    struct sec_xml_keys xml_keys;
    struct buf proof_password; /* empty: it does not prove itself */
    struct buf plain;          /* of the last sealed message */
    struct buf text;           /* a direct push's header lines, and copies of slices handed out */
    uint64_t counts[KIT_REASON_COUNT];
};

/* The ring for an id as it is kept, with its letter. */
struct kit_seen *kit_seen_of(struct kit *k, struct slice id);
struct kit_assoc *kit_assoc_find(struct kit *k, struct slice said); /* present or not; NULL */
/* ERR_LIMIT: there are too many. */
enum err kit_assoc_add(struct kit *k, struct slice said, struct kit_assoc **out) MUST_USE;
void kit_assoc_drop(struct kit *k, size_t at);
/* The gateway's name in a GPI that was taken. */
struct slice kit_assoc_gateway(const struct kit_assoc *a);

/* kit_gba.c.  Step 2 of the receiver: the association that the message's GPI makes, or the one it has made before.
 * KIT_REASON_NONE, or why there is none; k->said may have something to tell the gateway. */
enum kit_reason kit_gba_take(struct kit *k, const struct sec_gpl_msg *msg, int64_t now_s, bool *made);
/* The message, which opened, brought push info along: k->said shows the gateway that the association is here. */
void kit_gba_confirm(struct kit *k, struct kit_assoc *a, const struct sec_gpl_msg *msg,
                     struct slice message_id, int64_t now_s);
/* One that is made from a GPI and its key; ERR_MALFORMED, ERR_LIMIT, ERR_NOMEM. */
struct kit_gba_conf {
    struct slice gpi, ptid, ks;
    int64_t expires_s, made_s;
};
enum err kit_gba_make(struct kit *k, const struct kit_gba_conf *conf, struct kit_assoc **out) MUST_USE;
/* Lines of the saved state: what the module has taken, and associations from GPIs. */
void kit_gba_save(const struct kit *k, struct buf *out);
enum err kit_gba_load_seen(struct kit *k, struct scan *s, bool apply) MUST_USE;
enum err kit_gba_load_assoc(struct kit *k, struct scan *s, bool apply) MUST_USE;

/* kit_prov.c.  What the object in force says. */
enum kit_standing kit_prov_standing(const struct kit_prov *p, struct slice server);
bool kit_prov_has_servers(const struct kit_prov *p); /* those alone may push */
enum kit_reason kit_prov_police(const struct kit_prov *p, const struct kit_push *push, int64_t now_s);
enum kit_protection kit_prov_floor(const struct kit_prov *p);
/* A push that is an object; full: nobody but its sender and us can have read it.  KIT_REASON_NONE: in force, and *push
 * says so. */
enum kit_reason kit_prov_take(struct kit *k, bool full, int64_t now_s, struct kit_push *push);
void kit_prov_free(struct kit_prov **p);

/* How the message reached us: decided once, in kit.c. */
struct kit_transport {
    unsigned proofs; /* of the gateway's name; of enum kit_proof, none: 0 */
    bool full;       /* proved, inside TLS or DTLS */
    bool mac;        /* the entity has a right x-syncml-hmac */
    bool tls;
    bool answered; /* what the kit says of an association gets to the gateway */
    struct slice server;
    struct ota_push_info info; /* what was said outside a seal */
    int64_t now_s;
    const struct kit_expected *expected; /* NULL: anything */
};

/* What a POST came to. */
struct kit_verdict {
    enum kit_event event;
    enum kit_reason reason;
    unsigned http;        /* status */
    unsigned push_status; /* 0: none */
};

/* kit_push.c.  Fill *push with event KIT_PUSH. */
struct kit_verdict kit_push_judge(struct kit *k, const struct kit_request *req, const struct kit_transport *t,
                                  struct kit_push *push);
struct kit_verdict kit_push_judge_datagram(struct kit *k, struct slice datagram, struct kit_transport *t,
                                           struct kit_push *push);
struct kit_verdict kit_push_judge_message(struct kit *k, const struct kit_message *m,
                                          const struct kit_transport *t, struct kit_push *push);
/* kit_verify.c.  ERR_NOMEM. */
enum err kit_verify_init(struct kit_verify *v) MUST_USE;
void kit_verify_clear(struct kit_verify *v);
/* Does it ask to connect?  Then kit_verify_take() holds it: KIT_VERIFY, or why it is dropped. */
bool kit_verify_wanted(const struct kit *k, const struct kit_push *push);
struct kit_verdict kit_verify_take(struct kit *k, int64_t now_s, const struct kit_push *push);
/* kit_prove.c.  Adds the proof that the gateway asks for, if it does and there is one. */
void kit_prove(const struct kit *k, const struct kit_request *req, struct kit_answer *a);
/* kit_mac.c.  What the request's x-syncml-hmac is worth: ERR_OK; ERR_ABSENT: it has none, or none is known here; else it is
 * not taken. */
enum err kit_mac_check(struct kit *k, const struct kit_request *req) MUST_USE;
/* A line of the answer that asks for one, and one that says what to make the next with. */
void kit_mac_challenge(struct kit *k, struct kit_answer *a);
void kit_mac_next(struct kit *k, struct kit_answer *a);
enum err kit_mac_make(struct kit *k, const struct kit_conf *conf) MUST_USE;
/* kit_xml.c.  The message inside one that is signed, or signed and encrypted, as XML, into k->plain; *level: what that gives it.  KIT_REASON_NONE, or why
 * it is dropped. */
bool kit_xml_is(struct slice content_type);
enum kit_reason kit_xml_open(struct kit *k, struct slice body, int64_t now_s, struct kit_entity *inner,
                             enum kit_protection *level);
enum err kit_xml_make(struct kit *k, const struct kit_conf *conf) MUST_USE;
enum kit_reason kit_seal_reason(enum err e); /* kit_push.c */
struct slice kit_header_find(const struct kit_request *req, struct slice name);

#endif
