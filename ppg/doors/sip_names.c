/* Names of the SIP door; see sip_names.h. */
#include "ppg/doors/sip_names.h"

/* Of sip:push@[2001:db8::1] what is between the brackets: as hosts are compared. */
static struct slice host_of(struct slice identity)
{
    struct slice user, host;

    if (!slice_cut(identity, '@', &user, &host))
        return identity;
    if (slice_starts(host, SLICE("[")) && slice_ends(host, SLICE("]")))
        return slice_sub(host, 1, host.n - 2);
    return host;
}

struct slice ppg_sip_domains(const struct ppg_settings *set)
{
    struct slice domains = slice_str(set->ota_sip.domains);

    return domains.n ? domains : host_of(slice_str(set->ota_sip.identity));
}

struct slice ppg_sip_realm(const struct ppg_settings *set)
{
    struct slice realm = slice_str(set->ota_sip.realm), domains = ppg_sip_domains(set), first;

    if (realm.n || !slice_item(&domains, &first))
        return realm;
    return first;
}
