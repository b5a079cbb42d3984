/* Shared keys at the doors; see psk.h. */
#include "ppg/keys/psk.h"

#include "base/log.h"
#include "base/mem.h"
#include "ota/registry.h"
#include "ppg/keys/naf.h"
#include "security/rules/accounts.h"

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

/* Whoever connects of the two, it is the key of the same pair for the same purpose; what reflects our own handshake at us reaches a
 * side that takes no messages (RFC 9257 §4.1). */
static bool of_session(const struct ppg_config *config, struct slice identity, struct slice *key)
{
    const struct ota_terminal *t = ota_registry_find_session_psk(ppg_config_registry(config), identity);

    if (!t)
        return false;
    *key = sec_secret_slice(&t->psk);
    return true;
}

bool ppg_psk_find(const struct ppg_config *config, enum ppg_psk_door door, struct slice identity,
                  unsigned version, struct slice *key)
{
    if (door == PPG_PSK_SESSIONS)
        return of_session(config, identity, key);
    return door == PPG_PSK_INITIATORS ? of_initiator(config, identity, version, key)
                                      : of_terminal(config, identity, version, key);
}

/* Who comes with which key is on record; a name that was bootstrapped is told by nobody (naf.h), nor a
 * visitor's. */
static bool look_up(const struct ppg_config *config, enum ppg_psk_door door, struct slice identity,
                    unsigned version, struct slice *key)
{
    static const char *const doors[] = {"initiators", "terminals", "sessions"};
    bool found = ppg_psk_find(config, door, identity, version, key);

    if (found || (!slice_starts(identity, SLICE("3GPP-bootstrapping")) &&
                  !slice_starts(identity, SLICE(SEC_VISIT_NAME))))
        LOG(ppg_config_log(config), LOG_INFO, "key.lookup",
            found ? LOG_A("key", identity) : LOG_U("key", identity), LOG_C("door", doors[door]),
            LOG_B("found", found));
    return found;
}

static bool find_initiator(void *arg, struct slice identity, unsigned version, struct slice *key)
{
    return look_up(arg, PPG_PSK_INITIATORS, identity, version, key);
}

static bool find_terminal(void *arg, struct slice identity, unsigned version, struct slice *key)
{
    return look_up(arg, PPG_PSK_TERMINALS, identity, version, key);
}

static bool find_session(void *arg, struct slice identity, unsigned version, struct slice *key)
{
    return look_up(arg, PPG_PSK_SESSIONS, identity, version, key);
}

/* A visitor's key is for TLS 1.3. */
static bool of_visitor(const struct ppg_config *config, struct slice identity, unsigned version,
                       uint8_t key[NET_TLS_PSK_MAX_N], size_t *key_n)
{
    struct sec_visits *visitors = ppg_config_visitors(config);
    bool found =
        visitors && version == 13 && sec_visits_key(visitors, identity, clk_utc_ms(&clk_real) / 1000, key);

    if (slice_starts(identity, SLICE(SEC_VISIT_NAME)))
        LOG(ppg_config_log(config), LOG_INFO, "key.lookup", LOG_C("key", "visit"), LOG_B("found", found));
    if (found)
        *key_n = SEC_VISIT_KEY_N;
    return found;
}

static bool derive_terminal(void *config, struct slice identity, unsigned version, uint16_t suite,
                            uint8_t key[NET_TLS_PSK_MAX_N], size_t *key_n)
{
    const struct sec_naf naf = ppg_config_naf(config, 0);

    return of_visitor(config, identity, version, key, key_n) ||
           (sec_naf_on(&naf) && ppg_naf_derive(config, identity, version, suite, key, key_n));
}

/* Other keys are good as often as they are shown. */
static bool used_terminal(void *config, struct slice identity)
{
    struct sec_visits *visitors = ppg_config_visitors(config);

    return !visitors || !sec_visits_has(visitors, identity) ||
           sec_visits_use(visitors, identity, clk_utc_ms(&clk_real) / 1000);
}

static void drop(void *arg)
{
    struct ppg_config *config = arg;

    ppg_config_drop(&config);
}

struct net_tls_psk_source ppg_psk_source(struct ppg_config *config, enum ppg_psk_door door, const char *hint)
{
    const struct sec_naf naf = ppg_config_naf(config, 0);
    static bool (*const finds[])(void *arg, struct slice identity, unsigned version,
                                 struct slice *key) = {find_initiator, find_terminal, find_session};
    bool bootstrapped = sec_naf_on(&naf) && door != PPG_PSK_SESSIONS;

    if (!hint[0] && bootstrapped)
        hint = sec_gba_kind_prefix(SEC_GBA_ME); /* TS 24.109 §5.3.3 */
    return (struct net_tls_psk_source){.find = finds[door],
                                       .derive = door == PPG_PSK_TERMINALS ? derive_terminal
                                                 : bootstrapped            ? ppg_naf_derive
                                                                           : NULL,
                                       .wants = naf.far ? ppg_naf_wants : NULL,
                                       .used = door == PPG_PSK_TERMINALS ? used_terminal : NULL,
                                       .drop = drop,
                                       .arg = config,
                                       .hint = hint[0] ? hint : NULL};
}

enum err ppg_psk_subscriber(const struct ppg_config *config, int64_t utc_ms, const struct net_tls_peer *peer,
                            struct sec_naf_want *want, char impi[SEC_GBA_IMPI_MAX_N], size_t *impi_n)
{
    struct sec_visits *visitors = ppg_config_visitors(config);
    struct sec_naf naf = ppg_config_naf(config, utc_ms);
    struct buf user;
    enum err e = ERR_ABSENT;

    buf_init(&user, SEC_VISIT_USER_MAX_N);
    if (visitors)
        e = sec_visits_user(visitors, peer->psk, utc_ms / 1000, &user);
    if (!e) {
        mem_copy(impi, SEC_GBA_IMPI_MAX_N, buf_slice(&user));
        *impi_n = user.n;
    }
    buf_clear(&user);
    if (e != ERR_ABSENT)
        return e;
    naf.want = want;
    return sec_naf_psk_impi(&naf, peer->psk, peer->suite_number, impi, impi_n);
}
