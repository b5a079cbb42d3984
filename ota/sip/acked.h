/* What is left of an INVITE that was refused over UDP: its ACK, said again to each repetition of the refusal until timer D
 * (RFC 3261 §17.1.1.2).  Bounded: over a ceiling, or without memory, nothing is kept, and the far end gives up repeating itself.
 * One thread. */
#ifndef OTA_SIP_ACKED_H
#define OTA_SIP_ACKED_H

#include "base/clk.h"
#include "base/list.h"
#include "base/map.h"

#define OTA_SIP_TIMER_D_MS 32000

struct ota_sip_acked {
    const struct clk *clk;
    struct map by_branch;
    struct list oldest; /* first */
};

void ota_sip_acked_init(struct ota_sip_acked *a, const struct clk *clk, size_t max);
void ota_sip_acked_clear(struct ota_sip_acked *a);
/* Copies both. */
void ota_sip_acked_keep(struct ota_sip_acked *a, struct slice branch, struct slice ack);
/* n 0: there is none.  Borrowed until the next call. */
struct slice ota_sip_acked_find(const struct ota_sip_acked *a, struct slice branch);
/* Forgets those whose time is over. */
void ota_sip_acked_tick(struct ota_sip_acked *a);
/* When the next is to be forgotten, monotonic; -1: there is none. */
int64_t ota_sip_acked_due_ms(const struct ota_sip_acked *a);

#endif
