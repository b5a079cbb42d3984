/* Bearer tokens and key sets from anywhere.  The octets are taken as a key set, as an Authorization value, and, with
 * an empty line between them, as header and claims of a token that is then signed rightly, so that what only a provider
 * can write is reached too. */
#include <stdint.h>
#include "base/codec.h"
#include "security/kdf.h"
#include "security/login/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define KEY "0123456789abcdef"
#define SET "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"k\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZg\"}]}"

static const struct slice audience = {"ppg", 3};

static void base64url(struct buf *out, struct slice in)
{
    size_t from = out->n;

    codec_base64(out, in);
    while (out->n > from && out->p[out->n - 1] == '=')
        buf_cut(out, out->n - 1);
    for (size_t i = from; i < out->n; i++)
        out->p[i] = (char)(out->p[i] == '+' ? '-' : out->p[i] == '/' ? '_' : out->p[i]);
}

static enum err judge(const struct sec_jwks *set, struct slice token)
{
    struct sec_issuer issuer = {
        .name = SLICE("i"), .audiences = &audience, .audiences_n = 1, .skew_s = 0, .keys = set};
    const struct sec_issuer *issuers = &issuer;
    const char *why = NULL;
    struct sec_token t;
    enum err e = sec_token_verify(&issuers, 1, token, 1000, &t, &why);

    MUST((e == ERR_OK) == (why == NULL));
    MUST(e || (t.expires_s > 1000 && t.who_n > 2 && t.who_n <= sizeof t.who && t.scopes <= SEC_SCOPE_ALL));
    return e;
}

static void sign(const struct sec_jwks *set, struct slice header, struct slice claims)
{
    uint8_t mac[SEC_SHA256_N];
    struct slice what;
    struct buf token;
    enum err e;

    buf_init(&token, 1 << 20);
    base64url(&token, header);
    buf_add_ch(&token, '.');
    base64url(&token, claims);
    what = buf_slice(&token);
    if (!buf_err(&token) && !sec_hmac_sha256(SLICE(KEY), &what, 1, mac)) {
        buf_add_ch(&token, '.');
        base64url(&token, slice_of(mac, sizeof mac));
        e = judge(set, buf_slice(&token));
        token.p[token.n - 2] ^= 1;
        MUST(judge(set, buf_slice(&token)) != ERR_OK || e != ERR_OK);
    }
    buf_clear(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n), token;
    struct sec_jwks *set = NULL, *theirs = NULL;
    size_t blank = slice_find_slice(in, SLICE("\n\n"));
    const char *why;

    MUST(sec_jwks_parse(SLICE(SET), &set, &why) == ERR_OK);
    if (sec_jwks_parse(in, &theirs, &why) == ERR_OK)
        MUST(sec_jwks_count(theirs) > 0 && judge(theirs, SLICE("a.b.c")) != ERR_OK);
    if (sec_token_of(in, &token) == ERR_OK)
        (void)judge(set, token);
    if (blank != SIZE_MAX)
        sign(set, slice_sub(in, 0, blank), slice_sub(in, blank + 2, n));
    sec_jwks_free(&set);
    sec_jwks_free(&theirs);
    return 0;
}
