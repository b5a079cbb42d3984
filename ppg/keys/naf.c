/* See naf.h. */
#include "ppg/keys/naf.h"

#include "base/mem.h"

static struct sec_naf naf_now(const struct ppg_core *c)
{
    return ppg_config_naf(c->config, ppg_core_utc_ms(c));
}

static bool has_product(struct slice agent)
{
    return slice_find_slice(agent, SLICE("3gpp-gba")) < agent.n;
}

/* What Authorization says, when it is Digest with such a realm. */
static bool shown(const struct net_http_exchange *x, struct sec_digest_response *r)
{
    struct slice authorization = net_http_header(net_http_exchange_msg(x), SLICE("Authorization"), NULL);

    return slice_starts_ci(authorization, SLICE("Digest ")) && sec_digest_parse(authorization, r) == ERR_OK &&
           sec_naf_realm(r->realm);
}

bool ppg_naf_client(const struct ppg_core *c, const struct net_http_exchange *x)
{
    struct sec_naf naf = naf_now(c);
    struct sec_digest_response r;

    return sec_naf_on(&naf) &&
           (has_product(net_http_header(net_http_exchange_msg(x), SLICE("User-Agent"), NULL)) ||
            shown(x, &r));
}

static void challenge(const struct ppg_core *c, enum sec_digest_algorithm algorithm, bool stale,
                      struct buf *headers)
{
    struct sec_naf naf = naf_now(c);
    size_t before = headers->n;
    struct buf realm;
    enum err e;

    buf_init(&realm, SEC_DIGEST_VALUE_MAX_N);
    sec_naf_realm_print(&naf, SEC_GBA_ME, &realm);
    buf_add_str(headers, "WWW-Authenticate: ");
    e = sec_digest_challenge(c->shared->guard, algorithm, buf_slice(&realm), stale, ppg_core_mono_ms(c),
                             headers);
    buf_add_str(headers, "\r\n");
    if (e) {
        LOG(c->shared->log, LOG_ERROR, "auth.challenge.fail", LOG_S("realm", buf_slice(&realm)));
        buf_cut(headers, before);
    }
    buf_clear(&realm);
}

void ppg_naf_challenges(const struct ppg_core *c, bool stale, struct buf *headers)
{
    challenge(c, SEC_DIGEST_SHA256, stale, headers);
    if (ppg_core_settings(c)->pap.digest_md5)
        challenge(c, SEC_DIGEST_MD5, stale, headers);
}

enum err ppg_naf_info(const struct ppg_core *c, const struct net_http_exchange *x,
                      const struct sec_digest_response *r, struct slice body, struct buf *out)
{
    const struct net_http_msg *m = net_http_exchange_msg(x);
    const struct net_tls_peer *peer = net_http_exchange_peer(x);
    struct sec_digest_request request = {m->method, m->target, m->body, true};
    struct sec_naf naf = naf_now(c);
    char impi[SEC_GBA_IMPI_MAX_N];
    struct sec_secret ha1;
    size_t impi_n;
    enum err e = sec_naf_ha1(&naf, r, &request, peer ? peer->suite_number : 0, &ha1, impi, &impi_n);

    if (e)
        return e;
    e = sec_digest_info(r, &ha1, body, out);
    sec_secret_clear(&ha1);
    return e;
}

struct slice ppg_naf_who(const struct ppg_core *c, const struct net_http_exchange *x, bool login,
                         char impi[SEC_GBA_IMPI_MAX_N])
{
    const struct net_tls_peer *peer = net_http_exchange_peer(x);
    struct sec_naf naf = naf_now(c);
    struct sec_digest_response r;
    size_t n = 0;
    enum err e = ERR_ABSENT;

    if (login && shown(x, &r))
        e = sec_naf_digest_impi(&naf, r.username, impi, &n);
    else if (!login && peer)
        e = sec_naf_psk_impi(&naf, peer->psk, peer->suite_number, impi, &n);
    return e ? SLICE_NONE : slice_of(impi, n);
}

bool ppg_naf_derive(void *config, struct slice identity, unsigned version, uint16_t suite,
                    uint8_t key[NET_TLS_PSK_MAX_N], size_t *key_n)
{
    struct sec_naf naf = ppg_config_naf(config, clk_utc_ms(&clk_real));
    struct sec_secret made;
    bool found = sec_naf_psk(&naf, identity, version, suite, &made);

    LOG(ppg_config_log(config), LOG_INFO, "key.lookup", LOG_C("key", "bootstrapped"), LOG_I("suite", suite),
        LOG_B("found", found));
    if (!found)
        return false;
    mem_copy(key, NET_TLS_PSK_MAX_N, sec_secret_slice(&made));
    *key_n = made.n;
    sec_secret_clear(&made);
    return true;
}

bool ppg_naf_wants(void *config, struct slice identity, unsigned version, uint16_t suite)
{
    struct sec_naf naf = ppg_config_naf(config, clk_utc_ms(&clk_real));
    struct sec_naf_want want = {.btid_n = 0};
    struct sec_secret key;

    naf.want = &want;
    if (sec_naf_psk(&naf, identity, version, suite, &key))
        sec_secret_clear(&key);
    return want.btid_n > 0;
}
