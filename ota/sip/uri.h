/* A SIP URI as the gateway uses one: where a request goes, and the address of record behind it.  libosip2 has the grammar
 * (RFC 3261 §19.1, §25.1); what is not used here is refused rather than guessed at.  Any thread. */
#ifndef OTA_SIP_URI_H
#define OTA_SIP_URI_H

#include "base/err.h"
#include "base/slice.h"

#define OTA_SIP_URI_MAX_N  255
#define OTA_SIP_HOST_MAX_N 253

enum ota_sip_transport { OTA_SIP_BY_ANY, OTA_SIP_BY_UDP, OTA_SIP_BY_TCP, OTA_SIP_BY_TLS };

struct ota_sip_uri {
    bool secure; /* sips: TLS on every hop (§26.2.2) */
    bool loose;  /* ";lr" */
    bool flow;   /* ";ob": over the way that it came by (RFC 5626) */
    enum ota_sip_transport transport;
    uint16_t port; /* 0: none is named */
    bool has_user;
    char host[OTA_SIP_HOST_MAX_N + 1];  /* without brackets */
    char record[OTA_SIP_URI_MAX_N + 1]; /* address of record: scheme, user and host alone (§10.3) */
};

/* ERR_MALFORMED; ERR_UNSUPPORTED: another scheme, a password, headers, another transport; ERR_LIMIT: more than 255 octets;
 * ERR_NOMEM. */
enum err ota_sip_uri_parse(struct slice text, struct ota_sip_uri *out) MUST_USE;
/* The first URI of a Route or a Path, borrowed; ERR_MALFORMED: not between angle brackets. */
enum err ota_sip_route_first(struct slice route, struct slice *uri) MUST_USE;
/* Do both name the same (§19.1.4)?  As libosip2 prints them: escapes have one form, there are no headers. */
bool ota_sip_uri_same(struct slice a, struct slice b);
/* The port that is meant: 5060, or 5061 for TLS, when none is named (§19.1.2). */
uint16_t ota_sip_uri_port(const struct ota_sip_uri *uri);

#endif
