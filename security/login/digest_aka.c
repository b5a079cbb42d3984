/* HTTP Digest AKA over the formulas of digest_hash.c: RFC 3310 §3, RFC 4169 §3, TS 24.109 §4.  Any thread. */
#include "security/login/digest_aka.h"

#include <gnutls/crypto.h>
#include "base/codec.h"
#include "base/mem.h"
#include "security/login/digest_hash.h"
#include "security/login/digest_params.h"
#include "security/login/digest_read.h"

#define MD5_N         16
#define MD5_BASE64_N  24
#define NONCE_FIXED_N (SEC_AKA_RAND_N + SEC_AKA_AUTN_N)
#define NONCE_MAX_N   (NONCE_FIXED_N + SEC_DIGEST_AKA_SERVER_MAX_N)

/* PRF(RES || IK || CK, "http-digest-akav2-password"), as base64 (RFC 4169 §3). */
static enum err password_v2(const struct sec_aka_vector *v, struct sec_secret *out)
{
    struct slice label = SLICE("http-digest-akav2-password");
    uint8_t key[SEC_AKA_RES_N + 2 * SEC_AKA_CK_N], mac[MD5_N];
    struct buf text;
    enum err e = ERR_OK;

    mem_copy(key, sizeof key, slice_of(v->res, sizeof v->res));
    mem_copy(key + SEC_AKA_RES_N, SEC_AKA_CK_N, slice_of(v->ik, sizeof v->ik));
    mem_copy(key + SEC_AKA_RES_N + SEC_AKA_CK_N, SEC_AKA_CK_N, slice_of(v->ck, sizeof v->ck));
    buf_init(&text, MD5_BASE64_N);
    if (gnutls_hmac_fast(GNUTLS_MAC_MD5, key, sizeof key, label.p, label.n, mac) < 0)
        e = ERR_IO;
    if (!e && buf_room(&text, MD5_BASE64_N)) /* all of it first: growth would leave a copy behind */
        codec_base64(&text, slice_of(mac, sizeof mac));
    if (!e)
        e = buf_err(&text);
    if (!e)
        e = sec_secret_set(out, buf_slice(&text));
    buf_wipe(&text);
    mem_wipe(key, sizeof key);
    mem_wipe(mac, sizeof mac);
    return e;
}

enum err sec_digest_aka_password(enum sec_digest_algorithm a, const struct sec_aka_vector *v,
                                 struct sec_secret *out)
{
    MUST(a == SEC_DIGEST_AKAV1_MD5 || a == SEC_DIGEST_AKAV2_MD5);
    return a == SEC_DIGEST_AKAV1_MD5 ? sec_secret_set(out, slice_of(v->res, sizeof v->res))
                                     : password_v2(v, out);
}

enum err sec_digest_aka_ha1(enum sec_digest_algorithm a, struct slice username, struct slice realm,
                            const struct sec_aka_vector *v, struct sec_secret *out)
{
    struct sec_secret password;
    enum err e;

    sec_secret_init(&password);
    e = sec_digest_aka_password(a, v, &password);
    if (!e)
        e = sec_digest_ha1(a, username, realm, sec_secret_slice(&password), out);
    sec_secret_clear(&password);
    return e;
}

/* --- server --- */

enum err sec_digest_aka_nonce_print(const struct sec_aka_vector *v, struct slice server_data, struct buf *out)
{
    uint8_t octets[NONCE_MAX_N];
    size_t before = out->n;

    if (server_data.n > SEC_DIGEST_AKA_SERVER_MAX_N)
        return ERR_LIMIT;
    mem_copy(octets, SEC_AKA_RAND_N, slice_of(v->rand, sizeof v->rand));
    mem_copy(octets + SEC_AKA_RAND_N, SEC_AKA_AUTN_N, slice_of(v->autn, sizeof v->autn));
    mem_copy(octets + NONCE_FIXED_N, SEC_DIGEST_AKA_SERVER_MAX_N, server_data);
    codec_base64(out, slice_of(octets, NONCE_FIXED_N + server_data.n));
    if (buf_err(out))
        buf_cut(out, before);
    return buf_err(out);
}

enum err sec_digest_aka_challenge(const struct sec_digest_aka_offer *c, struct buf *out)
{
    size_t before = out->n;

    if (!sec_param_quotable(c->realm) || !sec_param_quotable(c->nonce) || !sec_param_quotable(c->opaque))
        return ERR_MALFORMED;
    buf_add(out, SLICE("Digest realm=\""));
    buf_add(out, c->realm);
    buf_addf(out, "\", qop=\"%s\", algorithm=%s, nonce=\"", c->auth ? "auth,auth-int" : "auth-int",
             sec_digest_algorithm_name(c->algorithm));
    buf_add(out, c->nonce);
    if (c->opaque.n) {
        buf_add(out, SLICE("\", opaque=\""));
        buf_add(out, c->opaque);
    }
    buf_add_ch(out, '"');
    if (buf_err(out))
        buf_cut(out, before);
    return buf_err(out);
}

/* FIRST and SYNC: who asks, for what; the response says nothing then. */
static enum err names_of(const struct sec_params *p, struct sec_digest_response *out)
{
    static const enum sec_param all[] = {SEC_PARAM_USERNAME, SEC_PARAM_REALM, SEC_PARAM_NONCE, SEC_PARAM_URI};

    if (p->has[SEC_PARAM_USERNAME_EXT])
        return ERR_UNSUPPORTED;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (!p->has[all[i]])
            return ERR_MALFORMED;
    *out = (struct sec_digest_response){.username = p->value[SEC_PARAM_USERNAME],
                                        .realm = p->value[SEC_PARAM_REALM],
                                        .nonce = p->value[SEC_PARAM_NONCE],
                                        .uri = p->value[SEC_PARAM_URI],
                                        .opaque = p->value[SEC_PARAM_OPAQUE]};
    return ERR_OK;
}

/* auts = base64 of 14 octets (RFC 3310 §3.4) */
static enum err auts_of(struct slice text, uint8_t auts[SEC_AKA_AUTS_N])
{
    struct buf octets;
    enum err e;

    buf_init(&octets, SEC_AKA_AUTS_N + 2);
    e = codec_unbase64(text, false, &octets);
    if (!e && octets.n != SEC_AKA_AUTS_N)
        e = ERR_MALFORMED;
    if (!e)
        mem_copy(auts, SEC_AKA_AUTS_N, buf_slice(&octets));
    buf_clear(&octets);
    return e == ERR_LIMIT ? ERR_MALFORMED : e;
}

enum err sec_digest_aka_parse(struct slice authorization, struct sec_digest_aka_request *out)
{
    struct sec_digest_aka_request v = {.kind = SEC_DIGEST_AKA_ANSWER};
    struct sec_params p;
    enum err e = sec_digest_params(authorization, &p);

    if (e)
        return e;
    if (p.has[SEC_PARAM_AUTS]) {
        v.kind = SEC_DIGEST_AKA_SYNC;
        e = auts_of(p.value[SEC_PARAM_AUTS], v.auts);
    } else if (p.value[SEC_PARAM_NONCE].n == 0) {
        v.kind = SEC_DIGEST_AKA_FIRST;
        e = p.value[SEC_PARAM_RESPONSE].n ? ERR_MALFORMED : ERR_OK;
    }
    if (!e)
        e = v.kind == SEC_DIGEST_AKA_ANSWER ? sec_digest_response_of(&p, SEC_DIGEST_AKA, &v.r)
                                            : names_of(&p, &v.r);
    if (!e)
        *out = v;
    return e;
}

enum err sec_digest_aka_verify(const struct sec_digest_response *r, const struct sec_digest_request *request,
                               const struct sec_digest_aka_offer *offer, const struct sec_secret *ha1)
{
    struct sec_digest_hex want;
    enum err e;

    if (r->algorithm != offer->algorithm ||
        !(r->qop == SEC_QOP_AUTH_INT || (offer->auth && r->qop == SEC_QOP_AUTH)) || r->nc != 1 ||
        !slice_eq(r->uri, request->uri) || !slice_eq(r->realm, offer->realm) ||
        !slice_eq(r->nonce, offer->nonce) || !slice_eq(r->opaque, offer->opaque))
        return ERR_DENIED;
    if (!request->body_known)
        return ERR_AGAIN;
    e = sec_digest_formula(r, sec_secret_slice(ha1), request->method, request->body, &want);
    if (!e && !sec_digest_hex_eq(r->response, &want))
        e = ERR_DENIED;
    return e;
}

/* --- terminal --- */

enum err sec_digest_aka_first(struct slice username, struct slice realm, struct slice uri, struct buf *out)
{
    size_t before = out->n;

    if (!sec_param_quotable(username) || !sec_param_quotable(realm) || !sec_param_quotable(uri))
        return ERR_MALFORMED;
    buf_add(out, SLICE("Digest username=\""));
    buf_add(out, username);
    buf_add(out, SLICE("\", realm=\""));
    buf_add(out, realm);
    buf_add(out, SLICE("\", nonce=\"\", uri=\""));
    buf_add(out, uri);
    buf_add(out, SLICE("\", response=\"\""));
    if (buf_err(out))
        buf_cut(out, before);
    return buf_err(out);
}

enum err sec_digest_aka_choose(const struct slice *values, size_t count, struct sec_digest_offer *out)
{
    return sec_digest_choose_of(values, count, SEC_DIGEST_AKA, out);
}

enum err sec_digest_aka_nonce(struct slice nonce, uint8_t rand[SEC_AKA_RAND_N], uint8_t autn[SEC_AKA_AUTN_N])
{
    struct buf octets;
    enum err e;

    buf_init(&octets, SEC_DIGEST_VALUE_MAX_N);
    e = codec_unbase64(nonce, false, &octets);
    if (!e && octets.n < NONCE_FIXED_N)
        e = ERR_MALFORMED;
    if (!e) {
        mem_copy(rand, SEC_AKA_RAND_N, slice_sub(buf_slice(&octets), 0, SEC_AKA_RAND_N));
        mem_copy(autn, SEC_AKA_AUTN_N, slice_sub(buf_slice(&octets), SEC_AKA_RAND_N, SEC_AKA_AUTN_N));
    }
    buf_clear(&octets);
    return e;
}

enum err sec_digest_aka_sync(const struct sec_digest_offer *offer, struct slice username,
                             const uint8_t auts[SEC_AKA_AUTS_N], const struct sec_digest_request *request,
                             struct slice cnonce, struct buf *out)
{
    struct sec_digest_response sent;
    struct sec_secret ha1;
    size_t before = out->n;
    enum err e;

    sec_secret_init(&ha1);
    e = sec_digest_ha1(offer->algorithm, username, offer->realm, SLICE_NONE, &ha1);
    if (!e)
        e = sec_digest_answer(offer, username, &ha1, request, cnonce, 1, out, &sent);
    sec_secret_clear(&ha1);
    if (e)
        return e;
    buf_add(out, SLICE(", auts=\""));
    codec_base64(out, slice_of(auts, SEC_AKA_AUTS_N));
    buf_add_ch(out, '"');
    if (buf_err(out))
        buf_cut(out, before);
    return buf_err(out);
}
