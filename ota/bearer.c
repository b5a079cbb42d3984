/* The table of bearers, in order of preference.  A new way to reach terminals is one more row.  Any thread. */
#include "ota/bearer.h"

static const struct ota_bearer *const bearers[] = {&ota_bearer_http};

#define BEARERS_N (sizeof bearers / sizeof bearers[0])

const struct ota_bearer *ota_bearer_find(struct slice name)
{
    for (size_t i = 0; i < BEARERS_N; i++)
        if (slice_eq(name, slice_str(bearers[i]->name)))
            return bearers[i];
    return NULL;
}

const struct ota_bearer *ota_bearer_for(const struct ota_terminal *t)
{
    for (size_t i = 0; i < BEARERS_N; i++)
        if (bearers[i]->reaches(t))
            return bearers[i];
    return NULL;
}
