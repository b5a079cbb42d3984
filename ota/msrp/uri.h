/* An MSRP URI (RFC 4975 §6): which session, at whose end.  Any thread. */
#ifndef OTA_MSRP_URI_H
#define OTA_MSRP_URI_H

#include "base/err.h"
#include "base/slice.h"

#define OTA_MSRP_URI_MAX_N     400
#define OTA_MSRP_HOST_MAX_N    253
#define OTA_MSRP_SESSION_MAX_N 128

struct ota_msrp_uri {
    bool secure; /* msrps: inside TLS */
    uint16_t port;
    struct slice session;               /* in the text */
    char host[OTA_MSRP_HOST_MAX_N + 1]; /* without brackets */
};

/* ERR_MALFORMED; ERR_UNSUPPORTED: no port or session-id, a user, another transport than tcp; ERR_LIMIT: too long. */
enum err ota_msrp_uri_parse(struct slice text, struct ota_msrp_uri *out) MUST_USE;
/* §6.1: scheme and host without case, port and session-id exactly; a URI that cannot be read is like none. */
bool ota_msrp_uri_same(struct slice a, struct slice b);
/* URIs with a space between any two, one by one. */
bool ota_msrp_path_same(struct slice a, struct slice b);

#endif
