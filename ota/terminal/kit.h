/* The handset's side of push as a library: bytes in, events out; no sockets, no clock of its own, no files.  The
 * program around it owns the listener and feeds each request; the kit answers and, when a push is good, says
 * what it was.  It authenticates first and decrypts after; what it cannot authenticate it drops and counts.
 *
 * One kit per terminal, one thread.  The program calls sec_xml_start() before it gives a kit keys for XML. */
#ifndef OTA_TERMINAL_KIT_H
#define OTA_TERMINAL_KIT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "security/aka.h"
#include "security/sa.h"
#include "security/terminal/secprov.h"
#include "security/xml/xmlsec.h"

#define KIT_USER_HEADER "X-User-Authentication"

struct kit;

/* A header of a request as received. */
struct kit_header {
    struct slice name;
    struct slice value;
};

/* What a push that named the content said of it (RFC 4483 §4). */
struct kit_expected {
    bool sized, hashed;
    uint64_t size;    /* octets */
    uint8_t sha1[20]; /* of them: tells whether it is the same, proves nothing */
};

struct kit_request {
    struct slice method;
    struct slice target;
    const struct kit_header *headers;
    size_t headers_n;
    struct slice body;
    bool tls;                            /* came inside TLS */
    bool server_proved;                  /* the program knows the gateway by its certificate, or */
    bool by_psk;                         /* by the key that both share */
    struct slice server;                 /* its name or address, for the server list and reports */
    int64_t now_s;                       /* UTC */
    const struct kit_expected *expected; /* of what was fetched; other content is dropped.  NULL: anything */
};

/* A datagram of a gateway that pushes without a connection (OTA-WSP); nothing answers it. */
struct kit_datagram {
    struct slice octets; /* as they came, or out of a DTLS record */
    bool dtls;
    unsigned proofs;     /* of DTLS: KIT_PROOF_CERTIFICATE or KIT_PROOF_PSK; 0: none */
    struct slice server; /* its name or address */
    int64_t now_s;       /* UTC */
};

/* A push as a SIP MESSAGE brought it (OTA-SIP): an envelope, or the content alone. */
struct kit_message {
    struct slice content_type; /* of the request */
    struct slice app_id;       /* that the request is for; counts where there is no envelope */
    struct slice body;
    bool tls;
    unsigned proofs;     /* of TLS: KIT_PROOF_CERTIFICATE or KIT_PROOF_PSK; 0: none */
    struct slice server; /* its name or address */
    int64_t now_s;       /* UTC */
};

/* Print it as the HTTP answer. */
struct kit_answer {
    unsigned status;    /* 204, 400, 401, 404, 405, 413, 426 */
    struct buf headers; /* lines ending in CRLF; init by kit_handle, clear by the caller */
};

enum kit_protection { KIT_NONE, KIT_INTEGRITY, KIT_FULL };
/* How it was known who delivers; several may hold at once. */
enum kit_proof {
    KIT_PROOF_CERTIFICATE = 1,
    KIT_PROOF_DIGEST = 2,
    KIT_PROOF_SEAL = 4,
    KIT_PROOF_PSK = 8,
    KIT_PROOF_MAC = 16,
    KIT_PROOF_XML = 32 /* an XML-Signature */
};

/* A push the application may have.  Slices live until the next kit_handle, and no longer than the request. */
struct kit_push {
    struct slice message_id;
    struct slice app_id;
    struct slice initiator_uri;
    struct slice content_type;
    struct slice headers; /* all header lines of the message that counts (the sealed one when there is one) */
    struct slice body;
    bool authenticated; /* the gateway vouches for the initiator URI */
    bool trusted;
    enum kit_protection message_protection; /* by the seal, x-syncml-hmac, or as XML */
    bool xml;                               /* as XML */
    bool tls;                               /* or DTLS */
    struct slice server;                    /* who delivered it ... */
    unsigned proofs;                        /* ... and how that was known: of enum kit_proof; 0: it was not */
    uint8_t suite;                          /* 0 without seal */
    uint32_t sn;
    struct slice
        gateway; /* who holds the other end of a bootstrapped association; n 0: it was provisioned, or no seal */
    bool associated; /* this very push brought the association along */
    uint64_t
        provisioned; /* version of the object that body is, and that is in force now: keep it, and show it to nobody; 0 */
    struct slice provisioned_hash;
};

/* What kit_handle found: one of these; counted. */
enum kit_event {
    KIT_REGISTERED, /* OPTIONS answered */
    KIT_PUSH,       /* *push is good */
    KIT_DUPLICATE,  /* known message id: answered as accepted, not delivered again */
    KIT_DROPPED,    /* could not be authenticated or is against policy; reason says which */
    KIT_REFUSED,    /* protocol fault: path, method, framing */
    KIT_VERIFY,     /* *push asks to connect somewhere: not before kit_verify_done() says so */
    KIT_CONNECT,    /* it is genuine: go */
    KIT_UPGRADE,    /* the gateway has TLS too: call again inside it, and no more in the clear */
    KIT_EVENT_COUNT
};

struct kit_conf {
    struct slice terminal_id; /* X-Wap-Terminal-Id; may be empty */
    struct slice accept;      /* X-Wap-Push-Accept list; empty: everything */
    struct slice accept_charset;
    struct slice accept_encoding;
    struct slice accept_language;
    struct slice accept_app; /* list or "*" */
    size_t max_size;         /* octets, at most 64 MiB */
    unsigned max_outstanding;
    enum kit_protection floor;   /* pushes below it are dropped */
    bool trusted_only;           /* drop what is not flagged trusted */
    const struct slice *servers; /* names that may push; empty: any that proved itself as conf says */
    size_t servers_n;
    bool calls_tls;    /* it can call inside TLS: a gateway that offers it in the clear is told so, no more */
    bool server_proof; /* drop what comes from a gateway that did not prove itself and is not sealed */
    struct slice login_user; /* ask the gateway for Digest with these; empty: do not */
    struct slice login_password;
    struct slice
        mac_user; /* the gateway's name in x-syncml-hmac, which pushes may be protected by; empty: they may not */
    struct slice mac_key;      /* for algorithm SHA-256, SEC_MAC_KEY_N octets; empty: none */
    struct slice mac_password; /* for algorithm MD5; empty: none */
    struct slice
        xml_name; /* of the keys for pushes that are signed and encrypted as XML; empty: none are taken */
    const struct sec_xml_keys *xml_keys; /* copied */
    struct slice proof_user; /* how the terminal proves itself when the gateway asks (X-Wap-Authenticate); */
    struct slice proof_password; /* the user empty: its terminal_id; the password empty: it does not */
    bool proof_md5;    /* by syncml:auth-md5 and nothing else, inside TLS with a gateway that is proved */
    size_t seen_max;   /* message ids remembered, of each kind of proof: a seal, TLS, none */
    unsigned window;   /* replay window W, 0..64 */
    bool provisioning; /* a trusted push for SEC_SECPROV_APP, sealed or inside TLS, takes force */
    bool verify; /* there is a home function to ask about pushes that ask to connect; else they are dropped */
    struct slice verify_apps; /* application ids, a list: their pushes ask to connect whatever they hold */
    unsigned verify_rate;     /* questions that came to nothing, in a minute; further ones are not asked */
    /* Is it the user who is there: a PIN, a finger?  Asked before a push is handed out that is for one of user_apps or
     * says "X-User-Authentication: required", once it is authentic and within policy.  True: it is; else the push is
     * dropped.  NULL: such pushes are dropped.  It may block, and must not call the kit. */
    bool (*user)(const struct kit_push *push, void *arg);
    void *user_arg;
    struct slice user_apps; /* application ids, a list; empty: none */
};

/* An identity module: with it a push may bring along the material for its own association (GBA Push Info). */
struct kit_module {
    struct slice impi;            /* private identity */
    struct slice k, opc;          /* SEC_AKA_K_N octets each; copied */
    enum sec_aka_star star;       /* PLAIN: GBA_ME */
    const struct slice *gateways; /* domain names that may make associations; none: nobody may */
    size_t gateways_n;
    int64_t life_max_s; /* an association may not last longer */
    unsigned rate;      /* push infos that came to nothing, in a minute; further ones are dropped unread */
};

/* Copies conf.  ERR_MALFORMED: a text of it has no place in a header line; ERR_LIMIT, ERR_NOMEM. */
enum err kit_create(const struct kit_conf *conf, struct kit **out) MUST_USE;
void kit_free(struct kit **k);
/* An association for opening (receiver side); takes a copy of the key. */
enum err kit_add_association(struct kit *k, const uint8_t said[16], struct slice key, const uint8_t *suites,
                             size_t suites_n, int64_t expires_ms) MUST_USE;
/* Takes associations from now on.  ERR_EXISTS: it has a module; ERR_LIMIT (lengths, too many gateways, rate or life
 * below 1), ERR_NOMEM. */
enum err kit_add_module(struct kit *k, const struct kit_module *m) MUST_USE;
/* One AKA run of the module, for a login elsewhere (SIP: RFC 3310); the program saves the kit before it uses what came.  ERR_ABSENT: no
 * module; ERR_DENIED: the network is not ours; ERR_EXISTS: its number is not fresh, auts says where the module stands; ERR_NOMEM, ERR_IO. */
enum err kit_aka(struct kit *k, const uint8_t rand[SEC_AKA_RAND_N], const uint8_t autn[SEC_AKA_AUTN_N],
                 struct sec_aka_vector *out, uint8_t auts[SEC_AKA_AUTS_N]) MUST_USE;
/* The module's private identity; n 0: no module. */
struct slice kit_impi(const struct kit *k);
/* What the lists of conf, or of the object in force, say of a server's name. */
enum kit_standing { KIT_NEUTRAL, KIT_LISTED, KIT_BANNED };
enum kit_standing kit_server_standing(const struct kit *k, struct slice server);
/* Puts an object in force, whole or not at all: its lists take the place of conf's, its associations that of those of the
 * object before.  The one in force again is fine.  ERR_LATE: an older version, or another object of that version;
 * ERR_EXISTS: an association of that name has another key; ERR_LIMIT, ERR_NOMEM. */
enum err kit_provision(struct kit *k, const struct sec_secprov *object, int64_t now_s) MUST_USE;
enum kit_event kit_handle(struct kit *k, const struct kit_request *req, struct kit_answer *answer,
                          struct kit_push *push, const char **reason);
/* The same for a message that the terminal has fetched: the header fields and the content of an answer of its gateway, in
 * req->headers and req->body; method and target are not looked at.  KIT_PUSH, KIT_DUPLICATE, KIT_DROPPED, KIT_REFUSED. */
enum kit_event kit_handle_fetched(struct kit *k, const struct kit_request *req, struct kit_push *push,
                                  const char **reason);
/* The same for a datagram, which cannot be registered by: KIT_PUSH, KIT_DUPLICATE, KIT_DROPPED, KIT_REFUSED. */
enum kit_event kit_handle_datagram(struct kit *k, const struct kit_datagram *d, struct kit_push *push,
                                   const char **reason);
/* The same for a SIP MESSAGE; *status: 200, or why not: 400, 413, 415, 486 no resources, 603 everything else, without a reason. */
enum kit_event kit_handle_message(struct kit *k, const struct kit_message *m, unsigned *status,
                                  struct kit_push *push, const char **reason);
/* A push that asks the terminal to connect - a session initiation, one that brings a token to ask by, or one of
 * verify_apps - is not acted on before the home function has said that it is genuine.  Network-initiated requests: SEC_CF
 * 1.1, use case B.7.
 *
 * Story: kit_handle() says KIT_VERIFY; the program takes the questions with kit_verify_next(), asks each over its own
 * authenticated channel (POST /sec/v1/verify), and says with kit_verify_done() what came of it.  A token is asked about
 * once; few questions are open at a time, and a flood of forged pushes is dropped unasked. */
struct kit_question {
    unsigned place;
    struct slice token;  /* as it came: visible characters */
    struct slice digest; /* SHA-256 of the content, lower case hexadecimal */
};
/* A question that nobody has taken yet; false: there is none.  Its slices live until kit_verify_done(). */
bool kit_verify_next(struct kit *k, struct kit_question *out);
struct kit_verified {
    bool answered; /* false: nobody could be asked */
    bool valid;
    int64_t not_after_s; /* UTC; may be connected until then */
    int64_t now_s;
};
/* KIT_CONNECT with *push, whose slices live until the next kit_handle(), or KIT_DROPPED with *reason. */
enum kit_event kit_verify_done(struct kit *k, unsigned place, const struct kit_verified *v,
                               struct kit_push *push, const char **reason);
/* After kit_handle_message: a header line for the answer, appended, when the gateway is to know something of the push's
 * association; kit_handle has it among the answer's headers.  A push that brought its association is confirmed so, by a protected
 * message under a number that kit_save() must have kept before it leaves. */
void kit_answer_more(const struct kit *k, struct buf *out);
/* What must survive a restart (highest numbers seen, message ids, what the module has taken, associations that pushes
 * brought, with their keys: keep it as secret as the module's), as text lines; the program stores it before it answers.  load: ERR_MALFORMED, ERR_LIMIT. */
void kit_save(const struct kit *k, struct buf *out);
enum err kit_load(struct kit *k, struct slice saved) MUST_USE;
/* Counters by reason: start with *pos 0. */
bool kit_count_next(const struct kit *k, size_t *pos, const char **reason, uint64_t *n);

#endif
