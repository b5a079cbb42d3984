/* What far ends take, as far as their answers have told: by Request-URI, for an hour, or until the device registers again.  Bounded: the
 * one not heard of for longest makes room.  One thread. */
#ifndef OTA_AGENT_LEARNT_H
#define OTA_AGENT_LEARNT_H

#include "base/clk.h"
#include "base/list.h"
#include "base/map.h"
#include "ota/sip/said.h"

#define OTA_SIP_LEARNT_MS 3600000 /* it counts so long */

enum ota_sip_form { OTA_SIP_ANY_FORM, OTA_SIP_ENVELOPE, OTA_SIP_BARE };

struct ota_sip_takes {
    struct ota_sip_methods methods;
    bool pushes; /* it has named the application tag: who answers is no telephone */
    enum ota_sip_form form;
    char accept[OTA_SIP_SAID_MAX_N + 1]; /* "": not said */
};

struct ota_sip_learnt {
    const struct clk *clk;
    struct map by_uri;
    struct list used; /* longest ago first */
};

void ota_sip_learnt_init(struct ota_sip_learnt *l, const struct clk *clk, size_t max);
void ota_sip_learnt_clear(struct ota_sip_learnt *l);
/* What was learnt after since_ms (monotonic), for a moment; NULL: nothing that still counts. */
const struct ota_sip_takes *ota_sip_learnt_find(struct ota_sip_learnt *l, struct slice uri, int64_t since_ms);
/* Takes the place of what is known.  Without memory nothing is remembered. */
void ota_sip_learnt_put(struct ota_sip_learnt *l, struct slice uri, const struct ota_sip_takes *takes);

#endif
