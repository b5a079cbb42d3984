/* The table of bearers, in order of preference.  A new way to reach terminals is one more row.  Any thread. */
#include "ota/bearer.h"

const struct ota_bearer *const ota_bearers[] = {&ota_bearer_http, &ota_bearer_udp, &ota_bearer_sip,
                                                &ota_bearer_inbox};
const size_t ota_bearers_n = sizeof ota_bearers / sizeof ota_bearers[0];

const struct ota_bearer *ota_bearer_find(struct slice name)
{
    for (size_t i = 0; i < ota_bearers_n; i++)
        if (slice_eq(name, slice_str(ota_bearers[i]->name)))
            return ota_bearers[i];
    return NULL;
}

const struct ota_bearer *ota_bearer_for(const struct ota_terminal *t)
{
    for (size_t i = 0; i < ota_bearers_n; i++)
        if (ota_bearers[i]->reaches(t))
            return ota_bearers[i];
    return NULL;
}
