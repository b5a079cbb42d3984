/* Shared keys at the doors; see psk.h. */
#include "ppg/psk.h"

#include "ota/registry.h"
#include "security/accounts.h"

static bool of_initiator(const struct ppg_config *config, struct slice identity, unsigned version,
                         struct slice *key)
{
    const struct sec_account *a = sec_accounts_by_psk(ppg_config_accounts(config), identity);

    if (!a || a->psk_version != version)
        return false;
    *key = sec_secret_slice(&a->psk);
    return true;
}

static bool of_terminal(const struct ppg_config *config, struct slice identity, unsigned version,
                        struct slice *key)
{
    const struct ota_terminal *t = ota_registry_find_psk(ppg_config_registry(config), identity);

    if (!t || t->call_in.psk_version != version)
        return false;
    *key = sec_secret_slice(&t->call_in.psk);
    return true;
}

bool ppg_psk_find(const struct ppg_config *config, enum ppg_psk_door door, struct slice identity,
                  unsigned version, struct slice *key)
{
    return door == PPG_PSK_INITIATORS ? of_initiator(config, identity, version, key)
                                      : of_terminal(config, identity, version, key);
}

static bool find_initiator(void *arg, struct slice identity, unsigned version, struct slice *key)
{
    return ppg_psk_find(arg, PPG_PSK_INITIATORS, identity, version, key);
}

static bool find_terminal(void *arg, struct slice identity, unsigned version, struct slice *key)
{
    return ppg_psk_find(arg, PPG_PSK_TERMINALS, identity, version, key);
}

static void drop(void *arg)
{
    struct ppg_config *config = arg;

    ppg_config_drop(&config);
}

struct net_tls_psk_source ppg_psk_source(struct ppg_config *config, enum ppg_psk_door door, const char *hint)
{
    return (struct net_tls_psk_source){.find = door == PPG_PSK_INITIATORS ? find_initiator : find_terminal,
                                       .drop = drop,
                                       .arg = config,
                                       .hint = hint[0] ? hint : NULL};
}
