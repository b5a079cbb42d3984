/* Bearer tokens; see token.h.  A token is header.payload.signature, each base64url (RFC 7515 §7.1); header and payload
 * are JSON objects, read by jansson, in which no member may stand twice (§4).  Read first, signature last: what is
 * read before decides nothing but which key it must be, or to refuse. */
#include "security/login/token.h"

#include <jansson.h>
#include "base/codec.h"
#include "base/mem.h"
#include "base/scan.h"

#define TIME_MAX_S 253402300799.0 /* end of the year 9999 */

const char *sec_scope_name(enum sec_scope s)
{
    return s == SEC_SCOPE_SUBMIT ? "push.submit" : s == SEC_SCOPE_STATUS ? "push.status" : "push.admin";
}

/* credentials = "Bearer" 1*SP b64token */
enum err sec_token_of(struct slice authorization, struct slice *out)
{
    struct scan s = scan_of(authorization);
    struct slice text;

    if (!scan_skip_ci(&s, SLICE("Bearer")) || (scan_peek(&s) != ' ' && !scan_done(&s)))
        return ERR_UNSUPPORTED;
    text = slice_trim(scan_left(&s));
    if (text.n > SEC_TOKEN_MAX_N)
        return ERR_LIMIT;
    if (text.n == 0)
        return ERR_MALFORMED;
    *out = text;
    return ERR_OK;
}

/* One token under judgement.  What is wrong with it comes as a static text; the first ends it. */
struct reading {
    struct slice what;       /* that is signed: header.payload, as sent */
    json_t *header, *claims; /* owned */
    struct buf signature;
    enum err err;
    const char *why;
};

static bool fail(struct reading *r, enum err e, const char *why)
{
    r->err = e;
    r->why = why;
    return false;
}

/* --- the three parts --- */

static bool read_object(struct reading *r, struct slice part, json_t **out)
{
    json_error_t at;
    struct buf text;

    buf_init(&text, SEC_TOKEN_MAX_N);
    if (part.n && codec_unbase64url(part, &text) == ERR_OK && codec_is_utf8(buf_slice(&text)))
        *out = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &at);
    buf_wipe(&text);
    return json_is_object(*out) ||
           fail(r, ERR_MALFORMED, "not a token: base64url of JSON objects without doubled members");
}

static bool read_parts(struct reading *r, struct slice text)
{
    struct slice header, payload, signature, rest;

    if (!slice_cut(text, '.', &header, &rest) || !slice_cut(rest, '.', &payload, &signature))
        return fail(r, ERR_MALFORMED, "not a token: three parts are needed");
    r->what = slice_of(text.p, header.n + 1 + payload.n);
    if (!read_object(r, header, &r->header) || !read_object(r, payload, &r->claims))
        return false;
    if (signature.n == 0 || codec_unbase64url(signature, &r->signature))
        return fail(r, ERR_MALFORMED, "not a token: the signature is no base64url");
    return true;
}

/* A member that is absent or a text; false when it is anything else, or too long. */
static bool text_of(const json_t *o, const char *name, struct slice *out)
{
    const json_t *v = json_object_get(o, name);

    *out = json_is_string(v) ? slice_of(json_string_value(v), json_string_length(v)) : SLICE_NONE;
    return !v || (json_is_string(v) && out->n <= SEC_TOKEN_NAME_MAX_N);
}

/* RFC 7515 §4.1.11: an extension that must be understood is one that we do not know.  RFC 9068 §4: at+jwt; plain
 * JWT as most providers still write.  Keys that the header brings along are not looked at (RFC 8725 §3.5). */
static bool check_header(struct reading *r, struct slice *algorithm, struct slice *kid)
{
    struct slice type;

    if (json_object_get(r->header, "crit"))
        return fail(r, ERR_UNSUPPORTED, "crit in the header");
    if (json_object_get(r->header, "enc") || json_object_get(r->header, "zip"))
        return fail(r, ERR_UNSUPPORTED, "an encrypted token");
    if (!text_of(r->header, "alg", algorithm) || !text_of(r->header, "kid", kid) ||
        !text_of(r->header, "typ", &type) || algorithm->n == 0)
        return fail(r, ERR_MALFORMED, "alg, kid or typ in the header");
    if (type.n && !slice_eq_ci(type, SLICE("JWT")) && !slice_eq_ci(type, SLICE("at+jwt")) &&
        !slice_eq_ci(type, SLICE("application/at+jwt")))
        return fail(r, ERR_UNSUPPORTED, "a JWT that is no access token");
    return true;
}

/* --- claims --- */

static const struct sec_issuer *issuer_of(const struct sec_issuer *const *issuers, size_t n,
                                          struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(issuers[i]->name, name))
            return issuers[i];
    return NULL;
}

static bool is_ours(const struct sec_issuer *issuer, const json_t *audience)
{
    struct slice text = slice_of(json_string_value(audience), json_string_length(audience));

    for (size_t i = 0; json_is_string(audience) && i < issuer->audiences_n; i++)
        if (slice_eq(issuer->audiences[i], text))
            return true;
    return false;
}

/* aud is one text, or an array of them (RFC 7519 §4.1.3). */
static bool check_audience(struct reading *r, const struct sec_issuer *issuer)
{
    const json_t *audience = json_object_get(r->claims, "aud"), *one;
    size_t i;

    if (is_ours(issuer, audience))
        return true;
    json_array_foreach(audience, i, one)
    {
        if (is_ours(issuer, one))
            return true;
    }
    return fail(r, audience ? ERR_DENIED : ERR_MALFORMED, "for another audience");
}

/* NumericDate (RFC 7519 §2), fractions cut off; false when it is none. */
static bool time_of(const json_t *claims, const char *name, int64_t *out)
{
    const json_t *v = json_object_get(claims, name);
    double seconds = json_number_value(v);

    if (!json_is_number(v) || !(seconds >= 0 && seconds <= TIME_MAX_S))
        return false;
    *out = (int64_t)seconds;
    return true;
}

/* exp: on or after it the token is void (§4.1.4).  nbf: before it, it is not yet good (§4.1.5). */
static bool check_time(struct reading *r, const struct sec_issuer *issuer, int64_t now_s, int64_t *expires_s)
{
    int64_t expires, from = 0;

    if (!time_of(r->claims, "exp", &expires) ||
        (json_object_get(r->claims, "nbf") && !time_of(r->claims, "nbf", &from)))
        return fail(r, ERR_MALFORMED, "exp is missing, or exp or nbf is no time");
    if (now_s >= expires + issuer->skew_s)
        return fail(r, ERR_LATE, "expired");
    if (now_s < from - issuer->skew_s)
        return fail(r, ERR_LATE, "not valid yet");
    *expires_s = expires + issuer->skew_s;
    return true;
}

/* scope = scope-token *( SP scope-token ), order without meaning (RFC 6749 §3.3). */
static bool read_scopes(struct reading *r, unsigned *out)
{
    const json_t *v = json_object_get(r->claims, "scope");
    struct slice left = slice_of(json_string_value(v), json_string_length(v)), word;

    *out = 0;
    if (v && !json_is_string(v))
        return fail(r, ERR_MALFORMED, "scope is no text");
    while (left.n) {
        (void)slice_cut(left, ' ', &word, &left);
        for (unsigned s = SEC_SCOPE_SUBMIT; s <= SEC_SCOPE_ADMIN; s <<= 1)
            if (slice_eq(word, slice_str(sec_scope_name((enum sec_scope)s))))
                *out |= s;
    }
    return true;
}

static bool read_who(struct reading *r, const struct sec_issuer *issuer, struct sec_token *t)
{
    struct slice subject;

    if (!text_of(r->claims, issuer->subject == SEC_TOKEN_SUB ? "sub" : "client_id", &subject) ||
        subject.n == 0)
        return fail(r, ERR_MALFORMED, "the claim that names its subject");
    mem_copy(t->who, sizeof t->who, issuer->name);
    t->who[issuer->name.n] = ' ';
    mem_copy(t->who + issuer->name.n + 1, SEC_TOKEN_NAME_MAX_N, subject);
    t->who_n = issuer->name.n + 1 + subject.n;
    return true;
}

static void judge(struct reading *r, const struct sec_issuer *const *issuers, size_t issuers_n,
                  struct slice text, int64_t now_s, struct sec_token *t)
{
    const struct sec_issuer *issuer;
    struct slice algorithm, kid, name;

    if (!read_parts(r, text) || !check_header(r, &algorithm, &kid))
        return;
    if (!text_of(r->claims, "iss", &name) || name.n == 0) {
        fail(r, ERR_MALFORMED, "iss is missing or no text");
        return;
    }
    issuer = issuer_of(issuers, issuers_n, name);
    if (!issuer) {
        fail(r, ERR_DENIED, "of an unknown issuer");
        return;
    }
    if (!check_audience(r, issuer) || !read_scopes(r, &t->scopes) || !read_who(r, issuer, t) ||
        !check_time(r, issuer, now_s, &t->expires_s))
        return;
    r->err = sec_jwks_verify(issuer->keys, kid, algorithm, r->what, buf_slice(&r->signature));
    r->why = "no key of its issuer made this signature";
}

enum err sec_token_verify(const struct sec_issuer *const *issuers, size_t issuers_n, struct slice text,
                          int64_t now_s, struct sec_token *out, const char **why)
{
    struct reading r = {.err = ERR_OK};
    struct sec_token t;

    if (text.n > SEC_TOKEN_MAX_N) {
        *why = "longer than 4096 octets";
        return ERR_LIMIT;
    }
    buf_init(&r.signature, SEC_TOKEN_MAX_N);
    judge(&r, issuers, issuers_n, text, now_s, &t);
    json_decref(r.header);
    json_decref(r.claims);
    buf_clear(&r.signature);
    if (r.err)
        *why = r.why;
    else
        *out = t;
    return r.err;
}
