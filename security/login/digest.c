/* HTTP Digest headers: reading an Authorization value (RFC 7616 §3.4), and the whole client side: choosing a
 * challenge (§3.3, §3.7), answering it, and checking that the server knows the secret too (§3.5).  The server's
 * decisions are in digest_guard.c.  Any thread. */
#include "security/login/digest.h"

#include "base/codec.h"
#include "base/scan.h"
#include "security/login/digest_hash.h"
#include "security/login/digest_params.h"
#include "security/login/digest_read.h"

#define CNONCE_MAX_N 256 /* octets; part of what is hashed for a stranger */

static enum err algorithm_of(const struct sec_params *p, enum sec_digest_family family,
                             enum sec_digest_algorithm *out)
{
    struct slice name = p->has[SEC_PARAM_ALGORITHM] ? p->value[SEC_PARAM_ALGORITHM] : SLICE("MD5");
    unsigned a = family == SEC_DIGEST_PASSWORDS ? 0 : SEC_DIGEST_ALGORITHM_COUNT;
    unsigned end = family == SEC_DIGEST_PASSWORDS ? SEC_DIGEST_ALGORITHM_COUNT : SEC_DIGEST_ALL_COUNT;

    if (slice_eq_ci(name, SLICE("SHA2-256"))) /* as TS 24.109 §5.2 writes it */
        name = SLICE("SHA-256");
    for (; a < end; a++) /* absent is MD5 (RFC 7616 §3.3) */
        if (slice_eq_ci(name, slice_str(sec_digest_algorithm_name((enum sec_digest_algorithm)a)))) {
            *out = (enum sec_digest_algorithm)a;
            return ERR_OK;
        }
    return ERR_UNSUPPORTED;
}

static int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    ch = (char)(ch | 0x20);
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

static bool is_hex(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (hex_digit(s.p[i]) < 0)
            return false;
    return true;
}

/* nc = 8LHEX, from 1 (§3.4). */
static enum err nc_of(struct slice text, uint32_t *out)
{
    uint32_t v = 0;

    if (text.n != 8 || !is_hex(text))
        return ERR_MALFORMED;
    for (size_t i = 0; i < 8; i++)
        v = v << 4 | (uint32_t)hex_digit(text.p[i]);
    if (v == 0)
        return ERR_MALFORMED;
    *out = v;
    return ERR_OK;
}

static enum err qop_of(struct slice text, enum sec_digest_qop *out)
{
    if (slice_eq_ci(text, SLICE("auth")))
        *out = SEC_QOP_AUTH;
    else if (slice_eq_ci(text, SLICE("auth-int")))
        *out = SEC_QOP_AUTH_INT;
    else
        return ERR_UNSUPPORTED;
    return ERR_OK;
}

static bool userhash_wanted(const struct sec_params *p)
{
    return p->has[SEC_PARAM_USERHASH] && !slice_eq_ci(p->value[SEC_PARAM_USERHASH], SLICE("false"));
}

static enum err mandatory(const struct sec_params *p)
{
    static const enum sec_param all[] = {SEC_PARAM_USERNAME, SEC_PARAM_REALM, SEC_PARAM_NONCE, SEC_PARAM_URI,
                                         SEC_PARAM_RESPONSE};

    if (p->has[SEC_PARAM_USERNAME_EXT] || userhash_wanted(p))
        return ERR_UNSUPPORTED;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (!p->has[all[i]])
            return ERR_MALFORMED;
    if (!p->has[SEC_PARAM_QOP])
        return ERR_UNSUPPORTED; /* nothing would stop a replay */
    return p->has[SEC_PARAM_NC] && p->value[SEC_PARAM_CNONCE].n ? ERR_OK : ERR_MALFORMED;
}

static void views(const struct sec_params *p, struct sec_digest_response *v)
{
    v->username = p->value[SEC_PARAM_USERNAME];
    v->realm = p->value[SEC_PARAM_REALM];
    v->nonce = p->value[SEC_PARAM_NONCE];
    v->uri = p->value[SEC_PARAM_URI];
    v->cnonce = p->value[SEC_PARAM_CNONCE];
    v->opaque = p->value[SEC_PARAM_OPAQUE];
    v->response = p->value[SEC_PARAM_RESPONSE];
    v->nc_text = p->value[SEC_PARAM_NC];
}

enum err sec_digest_params(struct slice authorization, struct sec_params *out)
{
    struct scan s = scan_of(authorization);

    if (!scan_skip_ci(&s, SLICE("Digest")) || (scan_peek(&s) != ' ' && scan_peek(&s) != '\t'))
        return ERR_UNSUPPORTED;
    return sec_params_parse(scan_left(&s), out);
}

enum err sec_digest_response_of(const struct sec_params *p, enum sec_digest_family family,
                                struct sec_digest_response *out)
{
    struct sec_digest_response v = {.nc = 0};
    enum err e = mandatory(p);

    if (!e)
        e = algorithm_of(p, family, &v.algorithm);
    if (!e)
        e = qop_of(p->value[SEC_PARAM_QOP], &v.qop);
    if (!e)
        e = nc_of(p->value[SEC_PARAM_NC], &v.nc);
    if (e)
        return e;
    views(p, &v);
    if (v.response.n != sec_digest_hex_n(v.algorithm) || !is_hex(v.response) || v.cnonce.n > CNONCE_MAX_N)
        return ERR_MALFORMED;
    *out = v;
    return ERR_OK;
}

enum err sec_digest_parse(struct slice authorization, struct sec_digest_response *out)
{
    struct sec_params p;
    enum err e = sec_digest_params(authorization, &p);

    return e ? e : sec_digest_response_of(&p, SEC_DIGEST_PASSWORDS, out);
}

/* --- client --- */

/* Is this challenge one we can answer, and stronger than the one so far? */
static void offer_consider(const struct sec_params *p, enum sec_digest_family family,
                           struct sec_digest_offer *best, bool *found)
{
    struct sec_digest_offer v = {.qop_given = p->has[SEC_PARAM_QOP]};
    struct slice list = p->value[SEC_PARAM_QOP];
    struct slice item;
    enum sec_digest_qop qop;

    if (!p->has[SEC_PARAM_REALM] || !p->has[SEC_PARAM_NONCE] || algorithm_of(p, family, &v.algorithm))
        return;
    while (slice_item(&list, &item))
        if (!qop_of(item, &qop))
            *(qop == SEC_QOP_AUTH ? &v.auth : &v.auth_int) = true;
    if ((v.qop_given && !v.auth && !v.auth_int) || (*found && v.algorithm <= best->algorithm))
        return;
    v.realm = p->value[SEC_PARAM_REALM];
    v.nonce = p->value[SEC_PARAM_NONCE];
    v.opaque = p->value[SEC_PARAM_OPAQUE];
    v.stale = slice_eq_ci(p->value[SEC_PARAM_STALE], SLICE("true"));
    *best = v;
    *found = true;
}

/* A list of challenges on its way: an item of the comma list either starts a challenge or continues it. */
struct challenges {
    bool digest; /* the current challenge is a Digest one */
    struct sec_params params;
    enum sec_digest_family family;
    struct sec_digest_offer *best;
    bool found;
};

static void challenge_end(struct challenges *c)
{
    if (c->digest)
        offer_consider(&c->params, c->family, c->best, &c->found);
    c->digest = false;
    c->params = (struct sec_params){.has = {false}};
}

/* item = auth-param / ( scheme [ 1*SP ( token68 / auth-param ) ] )   (RFC 9110 §11.6.1) */
static enum err challenge_item(struct challenges *c, struct slice item)
{
    struct scan s = scan_of(item);
    struct slice scheme = scan_token(&s, SEC_DIGEST_VALUE_MAX_N);

    scan_lws(&s, 0);
    if (s.err)
        return s.err;
    if (scan_peek(&s) == '=')
        return c->digest ? sec_params_add(&c->params, item) : ERR_OK;
    challenge_end(c);
    c->digest = slice_eq_ci(scheme, SLICE("Digest"));
    if (!c->digest || scan_done(&s))
        return ERR_OK;
    return sec_params_add(&c->params, scan_left(&s));
}

enum err sec_digest_choose_of(const struct slice *values, size_t count, enum sec_digest_family family,
                              struct sec_digest_offer *out)
{
    struct sec_digest_offer best = {.stale = false};
    struct challenges c = {.family = family, .best = &best};

    for (size_t i = 0; i < count; i++) {
        struct slice list = values[i];
        struct slice item;

        if (list.n > SEC_DIGEST_HEADER_MAX_N)
            return ERR_LIMIT;
        while (slice_item(&list, &item)) {
            enum err e = challenge_item(&c, item);

            if (e)
                return e;
        }
        challenge_end(&c);
    }
    if (!c.found)
        return ERR_ABSENT;
    *out = best;
    return ERR_OK;
}

enum err sec_digest_choose(const struct slice *values, size_t count, struct sec_digest_offer *out)
{
    return sec_digest_choose_of(values, count, SEC_DIGEST_PASSWORDS, out);
}

static void print_quoted(struct buf *out, const char *name, struct slice value)
{
    buf_add_str(out, name);
    buf_add(out, SLICE("=\""));
    buf_add(out, value);
    buf_add(out, SLICE("\""));
}

static void answer_print(const struct sec_digest_response *r, const struct sec_digest_hex *response,
                         struct buf *out)
{
    print_quoted(out, "Digest username", r->username);
    print_quoted(out, ", realm", r->realm);
    print_quoted(out, ", nonce", r->nonce);
    print_quoted(out, ", uri", r->uri);
    buf_addf(out, ", algorithm=%s", sec_digest_algorithm_name(r->algorithm));
    print_quoted(out, ", response", slice_of(response->p, response->n));
    if (r->opaque.n)
        print_quoted(out, ", opaque", r->opaque);
    if (r->qop == SEC_QOP_NONE)
        return;
    buf_addf(out, ", qop=%s, nc=%08x", r->qop == SEC_QOP_AUTH_INT ? "auth-int" : "auth", (unsigned)r->nc);
    print_quoted(out, ", cnonce", r->cnonce);
}

enum err sec_digest_answer(const struct sec_digest_offer *offer, struct slice username,
                           const struct sec_secret *ha1, const struct sec_digest_request *request,
                           struct slice cnonce, uint32_t nc, struct buf *out,
                           struct sec_digest_response *sent)
{
    struct sec_digest_response r = {.username = username,
                                    .realm = offer->realm,
                                    .nonce = offer->nonce,
                                    .uri = request->uri,
                                    .cnonce = cnonce,
                                    .opaque = offer->opaque,
                                    .nc = nc,
                                    .algorithm = offer->algorithm};
    struct sec_digest_hex response;
    size_t before = out->n;
    enum err e;

    if (offer->auth_int && request->body_known)
        r.qop = SEC_QOP_AUTH_INT;
    else if (offer->auth)
        r.qop = SEC_QOP_AUTH;
    else if (offer->qop_given)
        return ERR_AGAIN;
    if (!sec_param_quotable(username) || !sec_param_quotable(request->uri) || !sec_param_quotable(cnonce) ||
        !sec_param_quotable(offer->realm))
        return ERR_MALFORMED;
    e = sec_digest_formula(&r, sec_secret_slice(ha1), request->method, request->body, &response);
    if (e)
        return e;
    answer_print(&r, &response, out);
    if (buf_err(out)) {
        buf_cut(out, before);
        return buf_err(out);
    }
    *sent = r;
    return ERR_OK;
}

enum err sec_digest_cnonce(struct buf *out)
{
    uint8_t chance[SEC_DIGEST_CNONCE_N / 2];
    enum err e = sec_random(chance, sizeof chance);

    if (!e)
        codec_hex(out, slice_of(chance, sizeof chance));
    return e ? e : buf_err(out);
}

enum err sec_digest_answer_password(const struct sec_digest_offer *offer, struct slice username,
                                    struct slice password, const struct sec_digest_request *request,
                                    uint32_t nc, struct buf *out)
{
    struct sec_digest_response sent;
    struct sec_secret ha1;
    struct buf cnonce;
    enum err e;

    sec_secret_init(&ha1);
    buf_init(&cnonce, SEC_DIGEST_CNONCE_N);
    e = sec_digest_cnonce(&cnonce);
    if (!e)
        e = sec_digest_ha1(offer->algorithm, username, offer->realm, password, &ha1);
    if (!e)
        e = sec_digest_answer(offer, username, &ha1, request, buf_slice(&cnonce), nc, out, &sent);
    sec_secret_clear(&ha1);
    buf_clear(&cnonce);
    return e;
}

enum err sec_digest_check_info(struct slice info, const struct sec_digest_response *sent,
                               const struct sec_secret *ha1, struct slice response_body)
{
    struct sec_digest_hex want;
    struct sec_params p;
    uint32_t nc;
    enum err e = sec_params_parse(info, &p);

    if (e)
        return e;
    if (!p.has[SEC_PARAM_RSPAUTH])
        return ERR_ABSENT;
    if (p.has[SEC_PARAM_CNONCE] && !slice_eq(p.value[SEC_PARAM_CNONCE], sent->cnonce))
        return ERR_DENIED;
    if (p.has[SEC_PARAM_NC] && (nc_of(p.value[SEC_PARAM_NC], &nc) || nc != sent->nc))
        return ERR_DENIED;
    e = sec_digest_formula(sent, sec_secret_slice(ha1), SLICE_NONE, response_body, &want);
    if (e)
        return e;
    return sec_digest_hex_eq(p.value[SEC_PARAM_RSPAUTH], &want) ? ERR_OK : ERR_DENIED;
}
