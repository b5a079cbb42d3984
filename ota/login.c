/* Answering a terminal's 401.  The password is turned into HA1 for each answer and wiped; it is kept nowhere but in
 * the registry.  [OTA-HTTP §6], RFC 7616, RFC 7617. */
#include "ota/login.h"

#include "security/login/basic.h"

#define CHALLENGES_MAX 8

void ota_login_init(struct ota_login_state *s)
{
    *s = (struct ota_login_state){.scheme = OTA_LOGIN_NONE};
    buf_init(&s->challenge, SEC_DIGEST_HEADER_MAX_N);
}

void ota_login_clear(struct ota_login_state *s)
{
    buf_clear(&s->challenge);
    ota_login_init(s);
}

static bool offers_basic(struct slice challenge)
{
    return slice_eq_ci(challenge, SLICE("Basic")) || slice_starts_ci(challenge, SLICE("Basic "));
}

/* The strongest Digest challenge among all fields: each is read alone, so that `offer` points into one of them. */
static enum err choose(const struct net_http_msg *m, struct slice *value, struct sec_digest_offer *offer,
                       bool *basic)
{
    struct sec_digest_offer found;
    bool any = false;

    for (size_t i = 0, seen = 0; i < m->headers_n && seen < CHALLENGES_MAX; i++) {
        if (!slice_eq_ci(m->headers[i].name, SLICE("WWW-Authenticate")))
            continue;
        seen++;
        *basic |= offers_basic(m->headers[i].value);
        if (sec_digest_choose(&m->headers[i].value, 1, &found) ||
            (any && found.algorithm <= offer->algorithm))
            continue;
        *offer = found;
        *value = m->headers[i].value;
        any = true;
    }
    return any ? ERR_OK : ERR_ABSENT;
}

enum err ota_login_challenged(struct ota_login_state *s, const struct net_http_msg *m, bool tls)
{
    struct sec_digest_offer offer;
    struct slice value;
    bool basic = false;
    enum err e = choose(m, &value, &offer, &basic);

    ota_login_clear(s);
    if (e) {
        if (!basic || !tls) /* never in clear [OTA-HTTP §12] */
            return ERR_ABSENT;
        s->scheme = OTA_LOGIN_BASIC;
        return ERR_OK;
    }
    buf_add(&s->challenge, value);
    e = buf_err(&s->challenge);
    if (!e) {
        value = buf_slice(&s->challenge);
        e = sec_digest_choose(&value, 1, &s->offer);
    }
    if (e)
        ota_login_clear(s);
    else
        s->scheme = OTA_LOGIN_DIGEST;
    return e;
}

enum err ota_login_mac(const struct net_http_msg *m, struct sec_mac_nonce *out)
{
    for (size_t i = 0, seen = 0; i < m->headers_n && seen < CHALLENGES_MAX; i++) {
        if (!slice_eq_ci(m->headers[i].name, SLICE("WWW-Authenticate")))
            continue;
        seen++;
        if (!sec_mac_challenged(m->headers[i].value, out))
            return ERR_OK;
    }
    return ERR_ABSENT;
}

bool ota_login_wants_body(const struct ota_login_state *s)
{
    return s->scheme == OTA_LOGIN_DIGEST && s->offer.auth_int;
}

enum err ota_login_print(struct ota_login_state *s, const struct ota_login *login,
                         const struct sec_digest_request *request, struct buf *out)
{
    enum err e;

    if (s->scheme == OTA_LOGIN_NONE || login->user.n == 0)
        return ERR_OK;
    buf_add(out, SLICE("Authorization: "));
    e = s->scheme == OTA_LOGIN_BASIC
            ? sec_basic_print(login->user, login->password, out)
            : sec_digest_answer_password(&s->offer, login->user, login->password, request, ++s->nc, out);
    buf_add(out, SLICE("\r\n"));
    return e ? e : buf_err(out);
}
