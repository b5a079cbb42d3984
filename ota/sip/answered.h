/* Server transactions other than INVITE, for who answers at once (RFC 3261 §17.2.2): what is left of one then is its response, said again to
 * each retransmission until timer J.  Only where requests can be lost and sent again: over UDP.  Bounded: at the ceiling the
 * oldest is forgotten.  One thread. */
#ifndef OTA_SIP_ANSWERED_H
#define OTA_SIP_ANSWERED_H

#include "base/clk.h"
#include "base/list.h"
#include "base/map.h"
#include "ota/sip/request.h"

#define OTA_SIP_TIMER_J_MS 32000

struct ota_sip_answered {
    const struct clk *clk;
    struct map by_key;
    struct map by_source;
    struct list oldest; /* first */
};

void ota_sip_answered_init(struct ota_sip_answered *a, const struct clk *clk, size_t responses_max);
void ota_sip_answered_clear(struct ota_sip_answered *a);
/* The response to this very request (§17.2.3); n 0: it is new.  Borrowed until the next call. */
struct slice ota_sip_answered_find(struct ota_sip_answered *a, const struct ota_sip_request *r);
/* Keeps a copy.  Without memory it is not kept: a retransmission is served anew.  source: the address that it goes to, of which no more
 * than an eighth of all are kept; empty: not counted.  True: one of its own had to make room for that. */
bool ota_sip_answered_keep(struct ota_sip_answered *a, const struct ota_sip_request *r, struct slice source,
                           struct slice response);

#endif
