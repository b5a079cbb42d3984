/* Where registered devices are (RFC 3261 §10): for each address of record its bindings - contact, expiry, what the device has said of
 * itself, the way that it came by.  Shared by all loops behind a mutex that is held for a moment; bounded in records and in bindings of
 * each.  Forgotten with the process: devices register again.
 *
 * A binding that can only be reached over the connection it came by ends with that (RFC 5626 §5.3, §6): the connection keeps a list of
 * them, which it gives back when it closes. */
#ifndef OTA_REGISTRAR_LOCATION_H
#define OTA_REGISTRAR_LOCATION_H

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "base/list.h"
#include "base/slice.h"
#include "ota/registrar/flow.h"
#include "ota/sip/said.h"

#define OTA_SIP_BINDINGS_MAX  16   /* of one record */
#define OTA_SIP_CONTACT_MAX_N 255  /* octets of a contact's URI */
#define OTA_SIP_PATH_MAX_N    512  /* octets of a Path */
#define OTA_SIP_BINDING_MAX_N 1024 /* octets of all texts of a binding */

struct ota_sip_location;

/* What one Contact of a REGISTER asks for; borrowed. */
struct ota_sip_binding {
    struct slice contact;           /* URI */
    struct slice apps;              /* value of the feature tag of applications, without quotes */
    struct slice path;              /* values of Path: the route to it (RFC 3327); empty: none */
    struct slice instance;          /* +sip.instance with its brackets, without quotes; empty: none */
    struct slice agent;             /* User-Agent */
    struct slice accept;            /* Accept of the REGISTER: what bodies it takes; empty: not said */
    bool tagged;                    /* the device has said what it has: there were feature parameters */
    struct ota_sip_methods methods; /* that it takes: of the Contact, else of Allow */
    bool gruu;                      /* it wants a name of its own (RFC 5627) */
    unsigned q;                     /* thousandths, 0..1000 */
    uint32_t reg_id;                /* RFC 5626; 0: none */
    int64_t expires_s;              /* from now; 0: take it away */
    struct ota_sip_flow flow;       /* it came by; none: its contact is where it is */
    bool flow_only;                 /* it cannot be reached otherwise */
    struct list *bound;             /* of the connection, for streams; NULL: none */
};

/* ERR_NOMEM. */
enum err ota_sip_location_create(const struct clk *clk, size_t records_max,
                                 struct ota_sip_location **out) MUST_USE;
void ota_sip_location_free(struct ota_sip_location **l);
void ota_sip_location_set_max(struct ota_sip_location *l, size_t records_max); /* nobody is thrown out */

/* All changes or none (§10.3 step 7).  ERR_LATE: a binding of the same Call-ID has this CSeq or a higher one; ERR_LIMIT: too many
 * bindings of this record, or too long; ERR_AGAIN: too many records; ERR_NOMEM.  *fresh: something waits for that, or a device is there that was not.  Any thread. */
enum err ota_sip_location_update(struct ota_sip_location *l, struct slice record, struct slice call_id,
                                 uint32_t cseq, const struct ota_sip_binding *bindings, size_t n,
                                 bool *fresh) MUST_USE;
/* Contact: * - all bindings of the record go, under the same rule. */
enum err ota_sip_location_remove(struct ota_sip_location *l, struct slice record, struct slice call_id,
                                 uint32_t cseq) MUST_USE;
/* All of a record, whatever was asked: who may not register any more.  How many went. */
size_t ota_sip_location_drop(struct ota_sip_location *l, struct slice record);
/* The connection of these bindings is gone; the list is empty afterwards. */
void ota_sip_location_lost(struct ota_sip_location *l, struct list *bound);
/* Something could not be delivered: the next REGISTER of the record is news, refreshment or not. */
void ota_sip_location_missed(struct ota_sip_location *l, struct slice record);
/* A Contact line for each live binding, with what is left of its time. */
void ota_sip_location_print(struct ota_sip_location *l, struct slice record, struct buf *out);

/* The contact is not a device's any more, whoever says so: its binding goes. */
void ota_sip_location_gone(struct ota_sip_location *l, struct slice record, struct slice contact);

/* Whom a push is for; borrowed. */
struct ota_sip_wanted {
    struct slice record;
    struct slice app;      /* as ota_sip_app_value has it */
    struct slice instance; /* that device alone, without brackets (RFC 5627 §5.4); empty: any */
    bool untagged_ok;      /* one that has said nothing of applications will do */
    bool session;          /* it must take an INVITE */
};
/* Where it goes. */
struct ota_sip_found {
    char contact[OTA_SIP_CONTACT_MAX_N + 1];
    char path[OTA_SIP_PATH_MAX_N + 1];   /* "": none */
    char accept[OTA_SIP_SAID_MAX_N + 1]; /* "": not said */
    struct ota_sip_methods methods;
    bool tagged;
    int64_t since_ms; /* monotonic: registered, or refreshed */
    struct ota_sip_flow flow;
};
/* Of the live bindings that have the application and a method that a push can go by: the one of the highest q, then the latest
 * (RFC 3841 §7.2, RFC 3840).  skip: so many better ones have been tried.  ERR_ABSENT: nobody is registered, or not that device, or no more;
 * ERR_UNSUPPORTED: devices are, but none will do. */
enum err ota_sip_location_find(struct ota_sip_location *l, const struct ota_sip_wanted *wanted, size_t skip,
                               struct ota_sip_found *out) MUST_USE;
/* Is that device (as in ota_sip_wanted) registered, or to be waited for?  False: others of the record are, it is not, and since longer than any
 * registration lasts it has not been - it is not known, or gone. */
bool ota_sip_location_may_come(struct ota_sip_location *l, struct slice record, struct slice instance,
                               int64_t registered_ms);
bool ota_sip_location_has(struct ota_sip_location *l, struct slice record); /* any live binding */

/* For operators: one live binding; what it points to is good until the callback returns, which calls nothing of this header. */
typedef void ota_sip_binding_fn(const struct ota_sip_binding *b, int64_t since_ms, void *arg);
void ota_sip_location_each(struct ota_sip_location *l, struct slice record, ota_sip_binding_fn *fn,
                           void *arg);
size_t ota_sip_location_n(
    struct ota_sip_location *l); /* records with a binding that was live when it was last looked at */

#endif
