/* A dialog as far as a session for pushes needs one: founded by the 2xx to our INVITE (RFC 3261 §12.1.2), what its requests look like
 * (§12.2.1.1), which requests of the far end belong to it (§12.2.2).  Texts alone.  Any thread. */
#ifndef OTA_AGENT_DIALOG_H
#define OTA_AGENT_DIALOG_H

#include "ota/sip/message.h"
#include "ota/sip/reply.h"
#include "ota/sip/request.h"
#include "ota/sip/uri.h"

#define OTA_SIP_ROUTES_MAX 8
#define OTA_SIP_DIALOG_TAG 64 /* octets of a tag that is compared */

struct ota_sip_dialog {
    char target[OTA_SIP_URI_MAX_N +
                1]; /* Request-URI: the far end's Contact, or a first route that is strict */
    char next[OTA_SIP_URI_MAX_N + 1]; /* where requests go: the first route, else the target */
    struct buf lines;                 /* Route, From, To and Call-ID, each with its CRLF */
    char call_id[OTA_SIP_URI_MAX_N + 1];
    char own_tag[OTA_SIP_DIALOG_TAG + 1];
    char peer_tag[OTA_SIP_DIALOG_TAG + 1];
    uint32_t cseq; /* of the INVITE */
};

/* From the 2xx to an INVITE.  ERR_MALFORMED: no Contact, or one that cannot be used, no tags; ERR_LIMIT: too many routes, or too
 * long; ERR_NOMEM.  Otherwise give it back with ota_sip_dialog_clear. */
enum err ota_sip_dialog_read(const struct ota_sip_reply *r, struct ota_sip_dialog *out) MUST_USE;
void ota_sip_dialog_clear(struct ota_sip_dialog *d);

/* A request inside the dialog, without a body: ACK, with the number of the INVITE (§13.2.2.4), or BYE, with the next.  more:
 * header lines of its own, or empty.  Appended; ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_dialog_print(const struct ota_sip_dialog *d, const char *method, enum ota_sip_via via,
                              struct slice sent_by, struct slice branch, struct slice more,
                              struct buf *out) MUST_USE;
bool ota_sip_dialog_owns(const struct ota_sip_dialog *d, const struct ota_sip_request *r);

/* The CANCEL of an INVITE that we have printed: its Request-URI, Via, Route, From, To, Call-ID and number (§9.1).  ERR_MALFORMED: it
 * is none; ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_cancel_print(struct slice invite, struct buf *out) MUST_USE;

#endif
