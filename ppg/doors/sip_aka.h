/* Logins at the SIP door by AKA (RFC 3310, TS 33.203 §6.1): a subscriber of the embedded key server proves itself by its identity
 * module instead of a password.  It is a bootstrapping (security/gba/bootstrap.h) whose keys nobody asks for: a challenge costs no memory and
 * is good for one answer; sequence numbers come by way of ppg/keys/seq.h, so an answer may take a while.  The core's loop. */
#ifndef PPG_DOORS_SIP_AKA_H
#define PPG_DOORS_SIP_AKA_H

#include "ota/registrar/door.h"
#include "ppg/core.h"

/* The table of logins of all loops.  *out NULL: the realm is no domain name, so nobody logs in by AKA.  ERR_LIMIT, ERR_NOMEM, ERR_IO. */
enum err ppg_sip_aka_create(const struct ppg_settings *set, struct sec_bootstrap **out) MUST_USE;

/* What came of it: status 0, and *impi is who asks; or the status to refuse with.  more: header lines for the response.  Borrowed. */
struct ppg_sip_aka_end {
    unsigned status;
    bool failed_login;
    struct slice impi;
    struct buf *more;
};
typedef void ppg_sip_aka_fn(struct ota_sip_asked *q, const struct ppg_sip_aka_end *end, void *arg);

struct ppg_sip_aka;
struct ppg_sip_aka_conf {
    struct ppg_core *core;
    ppg_sip_aka_fn *ended; /* once for each, perhaps before ppg_sip_aka_begin returns */
    void *arg;
};
/* ERR_NOMEM. */
enum err ppg_sip_aka_start(const struct ppg_sip_aka_conf *conf, struct ppg_sip_aka **out) MUST_USE;
/* impi: who it must be for what is asked; a request that says nothing is challenged so. */
void ppg_sip_aka_begin(struct ppg_sip_aka *a, struct ota_sip_asked *q, struct slice impi);
/* Those under way end with 503; the memory goes with the last number that was waited for. */
void ppg_sip_aka_stop(struct ppg_sip_aka **a);

#endif
