/* Session descriptions as far as MSRP needs them: one stream of messages, offered or answered (RFC 4975 §8, RFC 6135, RFC 8866).
 * Strict in what is used, deaf to the rest.  Views into the text; no I/O.  Any thread. */
#ifndef OTA_MSRP_SDP_H
#define OTA_MSRP_SDP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define OTA_MSRP_SDP_MAX_N ((size_t)8 << 10) /* octets */
#define OTA_MSRP_MEDIA_MAX 16                /* m= lines */

enum ota_msrp_setup {
    OTA_MSRP_SETUP_NONE, /* not said: the offerer connects (RFC 4975 §8) */
    OTA_MSRP_SETUP_ACTIVE,
    OTA_MSRP_SETUP_PASSIVE,
    OTA_MSRP_SETUP_ACTPASS,
    OTA_MSRP_SETUP_HOLD
};

struct ota_msrp_sdp {
    bool secure;         /* TCP/TLS/MSRP */
    bool refused;        /* port 0 */
    bool realtime;       /* a stream of RTP/SAVP or SAVPF is among the others (RFC 3711, RFC 5124) */
    struct slice path;   /* a=path */
    struct slice accept; /* a=accept-types, blanks between; wrapped types are left out */
    uint64_t max_size;   /* a=max-size; 0: not said */
    enum ota_msrp_setup setup;
    bool recv_only, send_only, inactive;
};

/* The stream of MSRP in a description.  ERR_ABSENT: there is none (out->realtime is written all the same); ERR_MALFORMED: a line
 * that is not TYPE=VALUE, no v=0 first, a path or accept-types missing or twice, more than one stream of MSRP; ERR_LIMIT. */
enum err ota_msrp_sdp_read(struct slice text, struct ota_msrp_sdp *out) MUST_USE;
/* Does the far end take content of this media type?  Parameters do not count (RFC 4975 §8.6). */
bool ota_msrp_sdp_accepts(const struct ota_msrp_sdp *d, struct slice content_type);

struct ota_msrp_offer {
    uint64_t id;       /* of the o= line */
    struct slice host; /* ours, numeric or a name; IPv6 without brackets */
    uint16_t port;
    bool secure;
    struct slice accept;
    struct slice path;
    uint64_t max_size; /* 0: not said */
    enum ota_msrp_setup setup;
    const char *direction; /* "sendonly", "recvonly" */
};
/* ERR_MALFORMED: a control octet or a blank where none may be; ERR_LIMIT, ERR_NOMEM. */
enum err ota_msrp_sdp_print(const struct ota_msrp_offer *o, struct buf *out) MUST_USE;

#endif
