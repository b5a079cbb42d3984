/* Where registered devices are (RFC 3261 §10): for each address of record its bindings - contact, expiry, what the device has said of
 * itself.  Shared by all loops behind a mutex that is held for a moment; bounded in records and in bindings of each.  Forgotten with
 * the process: devices register again. */
#ifndef OTA_SIP_LOCATION_H
#define OTA_SIP_LOCATION_H

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "base/slice.h"

#define OTA_SIP_BINDINGS_MAX  16   /* of one record */
#define OTA_SIP_CONTACT_MAX_N 255  /* octets of a contact's URI */
#define OTA_SIP_BINDING_MAX_N 1024 /* octets of all texts of a binding */

struct ota_sip_location;

/* What one Contact of a REGISTER asks for; borrowed. */
struct ota_sip_binding {
    struct slice contact; /* URI */
    struct slice apps;    /* value of the feature tag of applications, without quotes */
    bool tagged;          /* the device has said what it has: there were feature parameters */
    bool no_message;      /* and MESSAGE is not among its methods */
    unsigned q;           /* thousandths, 0..1000 */
    int64_t expires_s;    /* from now; 0: take it away */
};

/* ERR_NOMEM. */
enum err ota_sip_location_create(const struct clk *clk, size_t records_max,
                                 struct ota_sip_location **out) MUST_USE;
void ota_sip_location_free(struct ota_sip_location **l);

/* All changes or none (§10.3 step 7).  ERR_LATE: a binding of the same Call-ID has this CSeq or a higher one; ERR_LIMIT: too many
 * bindings or records, or too long; ERR_NOMEM.  Any thread. */
enum err ota_sip_location_update(struct ota_sip_location *l, struct slice record, struct slice call_id,
                                 uint32_t cseq, const struct ota_sip_binding *bindings, size_t n) MUST_USE;
/* Contact: * - all bindings of the record go, under the same rule. */
enum err ota_sip_location_remove(struct ota_sip_location *l, struct slice record, struct slice call_id,
                                 uint32_t cseq) MUST_USE;
/* A Contact line for each live binding, with what is left of its time. */
void ota_sip_location_print(struct ota_sip_location *l, struct slice record, struct buf *out);
/* Appends the contact that a push for this application goes to: of the live ones that take MESSAGE and have the application - or, with
 * untagged_ok, have said nothing at all - the one of the highest q, then the latest (RFC 3841 §7.2).  skip: so many better ones have
 * been tried.  ERR_ABSENT: nobody is registered, or no more; ERR_UNSUPPORTED: devices are, but none has the application. */
enum err ota_sip_location_find(struct ota_sip_location *l, struct slice record, struct slice app,
                               bool untagged_ok, size_t skip, struct buf *out) MUST_USE;
size_t ota_sip_location_n(
    struct ota_sip_location *l); /* records with a binding that was live when it was last looked at */

#endif
