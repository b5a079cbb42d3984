/* Challenges, nonces and the price of wrong responses; see authmd5.h. */
#include "ppg/doors/authmd5.h"

#include "base/codec.h"
#include "ppg/kept.h"

static bool is_on(const struct ppg_core *c)
{
    return c->shared->logins && ota_registry_syncml_md5(ppg_config_registry(c->config));
}

struct sec_mac_session *ppg_authmd5_begin(struct ppg_core *c, struct net_http_exchange *x)
{
    struct sec_mac_session *session = is_on(c) ? ppg_kept_mac(x) : NULL;

    if (session)
        session->proved = false;
    return session;
}

int64_t ppg_authmd5_wait_ms(struct ppg_core *c, struct slice authorization)
{
    struct sec_mac said;

    return is_on(c) && !sec_authmd5_parse(authorization, &said)
               ? sec_penalty_wait_ms(c->shared->login_users, said.user, ppg_core_mono_ms(c))
               : 0;
}

void ppg_authmd5_count(struct ppg_core *c, struct slice authorization, bool good)
{
    struct sec_mac said;

    if (!is_on(c) || sec_authmd5_parse(authorization, &said))
        return;
    if (good)
        sec_penalty_clear(c->shared->login_users, said.user);
    else
        sec_penalty_fail(c->shared->login_users, said.user, ppg_core_mono_ms(c));
}

void ppg_authmd5_challenge(const struct ppg_core *c, struct sec_mac_session *session, struct buf *headers)
{
    struct slice realm = slice_str(ppg_core_settings(c)->ota_http.realm);

    buf_add_str(headers, "WWW-Authenticate: ");
    if (sec_authmd5_challenge(session, realm, headers))
        LOG(c->shared->log, LOG_ERROR, "auth.challenge.fail", LOG_S("realm", realm));
    buf_add_str(headers, "\r\n");
}

unsigned ppg_authmd5_refuse(struct ppg_core *c, struct net_http_exchange *x, struct sec_mac_session *session,
                            struct buf *headers)
{
    if (session->only) {
        net_http_exchange_last(x);
        return 403;
    }
    session->only = true;
    ppg_authmd5_challenge(c, session, headers);
    return 401;
}

void ppg_authmd5_next(const struct ppg_core *c, struct net_http_exchange *x, struct buf *headers)
{
    const struct sec_mac_session *session = is_on(c) ? ppg_kept_mac(x) : NULL;

    if (!session || !session->proved)
        return;
    buf_add_str(headers, SEC_MAC_NONCE_HEADER ": ");
    codec_base64(headers, slice_of(session->next, sizeof session->next));
    buf_add_str(headers, "\r\n");
}
