/* Which terminal is reached how: the table of known terminals, built whole from configuration, then immutable
 * (a reload builds another and swaps).  Pins let an attempt outlive a swap.  Lookups from any thread. */
#ifndef OTA_REGISTRY_H
#define OTA_REGISTRY_H

#include "base/err.h"
#include "base/slice.h"
#include "ota/profile.h"
#include "security/login/mac.h"
#include "security/secret.h"
#include "security/xml/xmlsec.h"

#define OTA_SUITES_MAX 6

/* How the gateway proves itself when the terminal asks with 401. */
struct ota_login {
    struct slice user;
    struct slice password; /* in secret storage of the registry, wiped on free */
};

/* How pushes in the clear carry integrity where there is no association: x-syncml-hmac (OTA-HTTP). */
struct ota_mac {
    struct slice user; /* the gateway's name there; empty: none */
    struct sec_mac_keys keys;
};

/* How pushes of XML are signed and encrypted as XML where neither of the others does. */
struct ota_xml {
    struct slice name; /* of the keys, as both ends know them; empty: none */
    struct sec_xml_keys keys;
};

/* A provisioned association (sender side). */
struct ota_association {
    bool present;
    uint8_t said[16];
    struct sec_secret key;          /* 32 octets */
    uint8_t suites[OTA_SUITES_MAX]; /* in order of preference */
    size_t suites_n;
    int64_t expires_ms; /* UTC; 0: never */
    int64_t made_s;     /* UTC; when its key was provisioned; 0: not known */
};

/* What is spoken on the way to a terminal. */
enum ota_route {
    OTA_ROUTE_HTTP, /* OTA-HTTP, connection opened by the gateway (PO-TCP) */
    OTA_ROUTE_WSP,  /* unit push in datagrams (OTA-WSP connectionless) */
    OTA_ROUTE_SIP   /* OTA-SIP: MESSAGE requests */
};

/* A terminal that opens the connection (TO-TCP): whether it may, over what, and how it proves who it is. */
enum ota_calls { OTA_CALLS_NO, OTA_CALLS_TLS, OTA_CALLS_ANY };
enum ota_proof {
    OTA_PROOF_CERTIFICATE, /* of TLS, with `certificate` among its names */
    OTA_PROOF_PSK, /* of TLS, by the key shared under `psk_identity`, or one that `subscriber` has bootstrapped */
    OTA_PROOF_DIGEST,     /* X-Wap-Authorization */
    OTA_PROOF_BASIC,      /* the same, inside TLS alone; Digest will do too */
    OTA_PROOF_SYNCML_MD5, /* syncml:auth-md5, likewise inside TLS alone; Digest will do too */
    OTA_PROOF_AKA,        /* SIP alone: Digest with an AKA run of `subscriber` */
    OTA_PROOF_NONE,       /* it says who it is: for networks that vouch for it */
};
struct ota_call_in {
    enum ota_calls calls;
    enum ota_proof proof;
    struct slice certificate; /* "URI:...", "DNS:..." or "email:..." */
    struct slice user;        /* empty: its identity as it sends it */
    struct slice password;    /* in secret storage of the registry, wiped on free */
    struct slice subscriber;  /* IMPI of the subscriber whose bootstrapped keys are its own; empty: none */
    struct slice psk_identity;
    struct sec_secret psk;  /* 16 octets or more */
    unsigned psk_version;   /* the one TLS version it is good for: 12, 13 (RFC 9257 §4) */
    struct slice wake_host; /* where a datagram asks it to call (session initiation); empty: nowhere */
    uint16_t wake_port;
    bool wake_tls; /* inside DTLS, by the terminal's psk or certificates (tls_name) */
};

/* When a push over SIP goes in a session of MSRP instead of a MESSAGE. */
enum ota_session {
    OTA_SESSION_NO,
    OTA_SESSION_LARGE,  /* one that is too large for a MESSAGE, or that the terminal will not take as one */
    OTA_SESSION_ALWAYS, /* all: it takes no MESSAGE */
    OTA_SESSION_TLS /* all, inside TLS, with the terminal itself by its key or the name in its certificate */
};

/* What the body of a MESSAGE is. */
enum ota_form {
    OTA_FORM_AUTO,     /* as `direct` of the terminal says, else as it is found to take it */
    OTA_FORM_ENVELOPE, /* of all, and no other is tried */
    OTA_FORM_DIRECT    /* the content itself: likewise */
};

struct ota_terminal {
    bool inbox; /* it fetches what waits for it, proved as when it calls in (call_in.proof and its like) */
    bool peer_store;          /* who fetches is the store of another gateway */
    enum ota_calls registers; /* over SIP, at the gateway itself, proved by call_in's login or subscriber */
    struct slice sip_record;  /* as that address of record; empty: it does not register */
    struct slice key;         /* canonical address: "+15550100", "alice@example.com", "198.51.100.7" */
    enum ota_route route;
    struct slice host; /* empty: no such route */
    uint16_t port;
    struct slice sip_uri;      /* Request-URI of a SIP route; host, port and tls say the same in parts */
    enum ota_session session;  /* SIP */
    bool tls;                  /* or DTLS for datagrams */
    struct slice psk_identity; /* of a key that both ends have, to reach or wake it; empty: certificates */
    struct sec_secret psk;
    struct slice tls_name;    /* name in the terminal's certificate; empty: host */
    bool direct;              /* push headers in the POST itself instead of an embedded message */
    struct slice terminal_id; /* expected X-Wap-Terminal-Id; empty: any or none */
    struct ota_login login;   /* user empty: none */
    struct ota_mac mac;
    struct ota_xml xml;
    struct ota_xml
        object; /* under which objects are encrypted for it, that it may have us open; name empty: none */
    struct ota_call_in call_in;
    struct ota_profile
        profile; /* what it takes, in the operator's words; each field not set: as the terminal says */
    struct ota_association association;
};

struct ota_registry;
enum err ota_registry_create(size_t terminals_max, struct ota_registry **out) MUST_USE;
/* Deep copy of *t; ERR_EXISTS for a key twice, or for two that call in, fetch or register with one identity, one certificate, one
 * key's name or one subscriber; ERR_MALFORMED
 * for one that calls in and could not be told from others; ERR_LIMIT, ERR_NOMEM. */
enum err ota_registry_add(struct ota_registry *r, const struct ota_terminal *t) MUST_USE;
size_t ota_registry_n(const struct ota_registry *r);
/* Of those that register: by address of record, and by the name they log in with - call_in.user, else call_in.subscriber, else the
 * address itself, without "sip:". */
const struct ota_terminal *ota_registry_find_record(const struct ota_registry *r, struct slice record);
const struct ota_terminal *ota_registry_find_sip_user(const struct ota_registry *r, struct slice user);
/* NULL when unknown.  Borrowed from the registry: hold the registry (below) while it is used. */
const struct ota_terminal *ota_registry_find(const struct ota_registry *r, struct slice key);
/* Of those that call in or fetch: by X-Wap-Terminal-Id [OTA-HTTP §5] - a number (type 4) is compared by its digits -, or by
 * a name of a certificate as ota_call_in.certificate has it, or by the identity of a shared key.  NULL.  Borrowed likewise. */
const struct ota_terminal *ota_registry_find_id(const struct ota_registry *r, struct slice id);
/* Are they one identity, however either is spelled? */
bool ota_registry_same_id(struct slice a, struct slice b);
const struct ota_terminal *ota_registry_find_certificate(const struct ota_registry *r, struct slice name);
const struct ota_terminal *ota_registry_find_subscriber(const struct ota_registry *r, struct slice impi);
const struct ota_terminal *ota_registry_find_psk(const struct ota_registry *r, struct slice identity);
/* Of those with session = tls: by the identity of the key that they have for it; of two with the same the first. */
const struct ota_terminal *ota_registry_find_session_psk(const struct ota_registry *r, struct slice identity);
/* Of those that fetch, by the name they log in with: call_in.user, else the identity as above. */
const struct ota_terminal *ota_registry_find_user(const struct ota_registry *r, struct slice user);
bool ota_registry_logs_in(const struct ota_terminal *t);    /* does a password prove it? */
bool ota_registry_syncml_md5(const struct ota_registry *r); /* is there one that may log in by it? */
const struct ota_terminal *ota_registry_next(const struct ota_registry *r, size_t *pos);
/* Atomic count, any thread; create starts at 1. The last drop frees and wipes. */
struct ota_registry *ota_registry_hold(struct ota_registry *r);
void ota_registry_drop(struct ota_registry **r);
bool ota_registry_alone(const struct ota_registry *r); /* nobody but the caller holds it */

#endif
