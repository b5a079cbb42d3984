/* A hash of a hash, and two header values; see authmd5.h.  [DM-SEC §5.1.3]; RFC 9110 §11.  Any thread. */
#include "security/login/authmd5.h"

#include "base/codec.h"
#include "security/login/digest_params.h"

#define RESPONSE_N 24 /* base64 of an MD5 */

/* --- arithmetic --- */

enum err sec_authmd5_make(struct slice inner, struct slice nonce, enum sec_authmd5_reading reading,
                          struct sec_mac_text *out)
{
    struct buf text;
    enum err e;

    buf_init(&text, 2 * SEC_MAC_NONCE_MAX_N);
    if (reading == SEC_AUTHMD5_TEXT)
        codec_base64(&text, nonce);
    e = buf_err(&text);
    if (!e) {
        const struct slice parts[] = {inner, SLICE(":"),
                                      reading == SEC_AUTHMD5_TEXT ? buf_slice(&text) : nonce};

        e = sec_mac_body(SEC_MAC_MD5, parts, 3, out);
    }
    buf_clear(&text);
    return e;
}

enum err sec_authmd5_verify(struct sec_mac_guard *guard, const struct sec_mac *said,
                            const struct slice *password, struct sec_mac_session *session, int64_t now_ms)
{
    struct sec_mac_keys keys = {.key = {{.n = 0}}};
    const struct sec_mac_message message = {.mac = said, .keys = password ? &keys : NULL, .login = true};
    enum err e = sec_mac_inner(said->user, password ? *password : SLICE_NONE, &keys.key[SEC_MAC_MD5]);

    if (!e)
        e = sec_mac_guard_verify(guard, &message, session, now_ms);
    sec_mac_keys_clear(&keys);
    return e;
}

/* --- credentials --- */

/* The parameters of a value of our scheme. */
static enum err params_of(struct slice value, struct sec_params *out)
{
    struct slice scheme, rest;

    if (!slice_cut(value, ' ', &scheme, &rest) || !slice_eq_ci(scheme, SLICE(SEC_AUTHMD5_SCHEME)))
        return ERR_UNSUPPORTED;
    return sec_params_parse(rest, out);
}

bool sec_authmd5_is(struct slice authorization)
{
    return slice_eq_ci(authorization, SLICE(SEC_AUTHMD5_SCHEME)) ||
           slice_starts_ci(authorization, SLICE(SEC_AUTHMD5_SCHEME " "));
}

enum err sec_authmd5_parse(struct slice authorization, struct sec_mac *out)
{
    struct sec_params p;
    struct slice user, response;
    enum err e = params_of(authorization, &p);

    if (e)
        return e;
    user = p.value[SEC_PARAM_USERNAME];
    response = p.value[SEC_PARAM_RESPONSE];
    if (!user.n || !sec_param_quotable(user) || response.n != RESPONSE_N)
        return ERR_MALFORMED;
    if (user.n > SEC_MAC_USER_MAX_N)
        return ERR_LIMIT;
    *out = (struct sec_mac){.user = user, .mac = response, .algorithm = SEC_MAC_MD5};
    return ERR_OK;
}

enum err sec_authmd5_print(struct slice user, struct slice password, const struct sec_mac_nonce *nonce,
                           struct buf *out)
{
    struct sec_secret inner;
    struct sec_mac_text response = {.n = 0};
    enum err e = user.n && sec_param_quotable(user) ? ERR_OK : ERR_MALFORMED;

    if (!e && user.n > SEC_MAC_USER_MAX_N)
        e = ERR_LIMIT;
    if (e)
        return e;
    sec_secret_init(&inner);
    e = sec_mac_inner(user, password, &inner);
    if (!e)
        e = sec_authmd5_make(sec_secret_slice(&inner), slice_of(nonce->p, nonce->n), SEC_AUTHMD5_OCTETS,
                             &response);
    sec_secret_clear(&inner);
    if (e)
        return e;
    buf_add_str(out, SEC_AUTHMD5_SCHEME " username=\"");
    buf_add(out, user);
    buf_add_str(out, "\", response=\"");
    buf_add(out, slice_of(response.p, response.n));
    buf_add_ch(out, '"');
    return buf_err(out);
}

/* --- challenges --- */

enum err sec_authmd5_challenge(struct sec_mac_session *session, struct slice realm, struct buf *out)
{
    size_t before = out->n;
    enum err e = sec_param_quotable(realm) ? sec_mac_guard_offer(session) : ERR_MALFORMED;

    if (e)
        return e;
    buf_add_str(out, SEC_AUTHMD5_SCHEME " realm=\"");
    buf_add(out, realm);
    buf_add_str(out, "\", nonce=\"");
    codec_base64(out, slice_of(session->nonce, sizeof session->nonce));
    buf_add_ch(out, '"');
    if (buf_err(out))
        buf_cut(out, before);
    return buf_err(out);
}

enum err sec_authmd5_challenged(struct slice value, struct sec_mac_nonce *out)
{
    struct sec_params p;
    enum err e = params_of(value, &p);

    if (!e && !p.has[SEC_PARAM_NONCE])
        e = ERR_MALFORMED;
    return e ? e : sec_mac_nonce_parse(p.value[SEC_PARAM_NONCE], out);
}
