/* The registrar: what is done with a REGISTER (RFC 3261 §10.3, in the order of its steps).  Domain, extensions, who it is (Digest), whether
 * the address of record is its own, then the bindings.  No sockets: a request in, a status and header lines out.  Any thread; the guard
 * and the location have locks of their own. */
#ifndef OTA_REGISTRAR_REGISTRAR_H
#define OTA_REGISTRAR_REGISTRAR_H

#include "ota/registrar/contact.h"
#include "security/login/digest.h"

/* What a user of the challenges may register as, and its password; borrowed until the call that asked returns. */
struct ota_sip_account {
    struct slice record; /* "sip:alice@example.com", the domain in lower case */
    struct slice password;
    bool tls; /* only over TLS, without a proxy before us */
};

struct ota_sip_registrar {
    const struct clk *clk;
    struct ota_sip_location *location;
    struct sec_digest_guard *guard;
    const struct slice *domains; /* ours */
    size_t domains_n;
    struct slice realm;
    struct slice app_tag;
    bool sha256, md5; /* what is challenged with, in this order */
    int64_t expires_min_s, expires_s, expires_max_s;
    int64_t flow_s; /* a connection that is silent for so long closes (Flow-Timer); 0: not said */
    /* False: nobody is called so. */
    bool (*account)(void *arg, struct slice user, struct ota_sip_account *out);
    void *arg;
};

/* What came of a request, besides its status. */
struct ota_sip_answer {
    struct buf *
        record; /* in: empty, of OTA_SIP_URI_MAX_N; out: the address of record of a request that was let in */
    struct buf *more;  /* header lines for the response are appended */
    bool failed_login; /* somebody tried a name or a password */
    bool fresh;        /* a device is there that was not, or something waits for one */
};

/* Whose request it is, whatever it asks: 0 and the account, or the status to refuse with. */
unsigned ota_sip_register_who(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                              struct ota_sip_account *account, struct ota_sip_answer *out);
/* It comes, past no proxy, from the address that a device of its From has registered from: all that early IMS asks (TS 33.178 §6.2). */
bool ota_sip_register_bound(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                            const struct ota_sip_flow *flow);
/* The steps before it is known who asks: 0 and the address of record that is meant - empty: nobody's -, or the status to refuse with. */
unsigned ota_sip_register_begin(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                                struct ota_sip_answer *out);
/* And after it: *account asks for out->record, which is empty then unless it may.  The status. */
unsigned ota_sip_register_bind(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                               const struct ota_sip_origin *from, const struct ota_sip_account *account,
                               struct ota_sip_answer *out);
/* All of them.  from: where the request came from. */
unsigned ota_sip_register(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                          const struct ota_sip_origin *from, struct ota_sip_answer *out);

#endif
