/* See home.h. */
#include "ppg/handset/home.h"

#include "ppg/tool/net.h"

enum err tool_home_tls(const struct tool_home *h, struct net_tls_ctx **out, char why[TOOL_WHY_N])
{
    struct net_tls_conf conf = {
        .role = NET_TLS_CLIENT, .verify = NET_TLS_VERIFY_REQUIRED, .version_min = 12, .alpn_http11 = true};
    struct sec_secret key;
    enum err e;

    if (!h->psk)
        return tool_tls(conf, h->cert, h->key, h->ca, out, why);
    sec_secret_init(&key);
    e = tool_psk(h->psk, &conf.psk_identity, &key, why);
    conf.verify = NET_TLS_VERIFY_NONE;
    conf.version_min = 13; /* a key is good for one version (RFC 9257 §4) */
    conf.psk_key = sec_secret_slice(&key);
    if (!e)
        e = tool_tls(conf, NULL, NULL, NULL, out, why);
    sec_secret_clear(&key);
    return e;
}
