/* Answering a terminal's 401.  The password is turned into HA1 for each answer and wiped; it is kept nowhere but in
 * the registry.  [OTA-HTTP §6], RFC 7616, RFC 7617. */
#include "ota/login.h"

#include "base/codec.h"

#define CHALLENGES_MAX 8
#define CNONCE_N       16 /* octets of chance in a cnonce */

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

static enum err print_digest(struct ota_login_state *s, const struct ota_login *login,
                             const struct sec_digest_request *request, struct buf *out)
{
    uint8_t chance[CNONCE_N];
    struct sec_secret ha1;
    struct sec_digest_response sent;
    struct buf cnonce;
    enum err e = sec_random(chance, sizeof chance);

    if (e)
        return e;
    sec_secret_init(&ha1);
    buf_init(&cnonce, 2 * CNONCE_N);
    codec_hex(&cnonce, slice_of(chance, sizeof chance));
    e = buf_err(&cnonce);
    if (!e)
        e = sec_digest_ha1(s->offer.algorithm, login->user, s->offer.realm, login->password, &ha1);
    if (!e)
        e = sec_digest_answer(&s->offer, login->user, &ha1, request, buf_slice(&cnonce), ++s->nc, out, &sent);
    sec_secret_clear(&ha1);
    buf_clear(&cnonce);
    return e;
}

static enum err print_basic(const struct ota_login *login, struct buf *out)
{
    struct buf pair;
    enum err e;

    buf_init(&pair, login->user.n + login->password.n + 1);
    (void)buf_room(&pair, pair.max);
    buf_add(&pair, login->user);
    buf_add_ch(&pair, ':');
    buf_add(&pair, login->password);
    e = buf_err(&pair);
    buf_add(out, SLICE("Basic "));
    codec_base64(out, buf_slice(&pair));
    buf_wipe(&pair);
    return e ? e : buf_err(out);
}

enum err ota_login_print(struct ota_login_state *s, const struct ota_login *login,
                         const struct sec_digest_request *request, struct buf *out)
{
    enum err e;

    if (s->scheme == OTA_LOGIN_NONE || login->user.n == 0)
        return ERR_OK;
    buf_add(out, SLICE("Authorization: "));
    e = s->scheme == OTA_LOGIN_BASIC ? print_basic(login, out) : print_digest(s, login, request, out);
    buf_add(out, SLICE("\r\n"));
    return e ? e : buf_err(out);
}
