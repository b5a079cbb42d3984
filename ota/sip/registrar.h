/* The registrar: what is done with a REGISTER (RFC 3261 §10.3, in the order of its steps).  Domain, extensions, who it is (Digest), whether
 * the address of record is its own, then the bindings.  No sockets: a request in, a status and header lines out.  Any thread; the guard
 * and the location have locks of their own. */
#ifndef OTA_SIP_REGISTRAR_H
#define OTA_SIP_REGISTRAR_H

#include "ota/sip/location.h"
#include "ota/sip/request.h"
#include "security/digest.h"

/* What a user of the challenges may register as, and its password; borrowed until the call that asked returns. */
struct ota_sip_account {
    struct slice record; /* "sip:alice@example.com", the domain in lower case */
    struct slice password;
};

struct ota_sip_registrar {
    const struct clk *clk;
    struct ota_sip_location *location;
    struct sec_digest_guard *guard;
    const struct slice *domains; /* ours */
    size_t domains_n;
    struct slice realm;
    struct slice app_tag;
    bool md5; /* challenged with besides SHA-256 */
    int64_t expires_min_s, expires_s, expires_max_s;
    /* False: nobody is called so. */
    bool (*account)(void *arg, struct slice user, struct ota_sip_account *out);
    void *arg;
};

/* The status; header lines for the response are appended to *more.  *record (empty, of OTA_SIP_URI_MAX_N) gets the address of record of
 * a request that was let in. */
/* Of these the last steps alone, for one that has been let in as the record. */
unsigned ota_sip_register_bind(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                               struct slice record, struct buf *more);
unsigned ota_sip_register(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                          struct buf *record, struct buf *more);

#endif
