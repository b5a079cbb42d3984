/* Digest hashes and the response formula: RFC 7616 §3.4.1 to §3.4.3, and RFC 2617 §3.2.2.1 without qop.  Any
 * thread. */
#include "security/login/digest_hash.h"

#include <stdio.h>
#include "base/mem.h"
#include "security/hash.h"

static const struct {
    const char *name;
    enum sec_hash hash;
} algorithms[SEC_DIGEST_ALL_COUNT] = {
    [SEC_DIGEST_MD5] = {"MD5", SEC_HASH_MD5},
    [SEC_DIGEST_SHA256] = {"SHA-256", SEC_HASH_SHA256},
    [SEC_DIGEST_AKAV1_MD5] = {"AKAv1-MD5", SEC_HASH_MD5},
    [SEC_DIGEST_AKAV2_MD5] = {"AKAv2-MD5", SEC_HASH_MD5},
};

const char *sec_digest_algorithm_name(enum sec_digest_algorithm a)
{
    return algorithms[a].name;
}

size_t sec_digest_hex_n(enum sec_digest_algorithm a)
{
    return 2 * sec_hash_n(algorithms[a].hash);
}

enum err sec_digest_hash(enum sec_digest_algorithm a, const struct slice *parts, size_t count,
                         struct sec_digest_hex *out)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[SEC_HASH_MAX_N];
    enum err e = sec_hash_make(algorithms[a].hash, parts, count, digest);

    if (e)
        return e;
    out->n = sec_digest_hex_n(a);
    for (size_t i = 0; i < out->n; i++)
        out->p[i] = digits[i % 2 ? digest[i / 2] & 15 : digest[i / 2] >> 4];
    mem_wipe(digest, sizeof digest);
    return ERR_OK;
}

/* H(A2) = H(method ":" uri [":" H(body)]). */
static enum err hash_a2(const struct sec_digest_response *r, struct slice method, struct slice body,
                        struct sec_digest_hex *out)
{
    struct sec_digest_hex content;
    struct slice parts[] = {method, SLICE(":"), r->uri, SLICE(":"), SLICE_NONE};
    enum err e;

    if (r->qop != SEC_QOP_AUTH_INT)
        return sec_digest_hash(r->algorithm, parts, 3, out);
    e = sec_digest_hash(r->algorithm, &body, 1, &content);
    if (e)
        return e;
    parts[4] = slice_of(content.p, content.n);
    return sec_digest_hash(r->algorithm, parts, 5, out);
}

/* H(HA1 ":" nonce ":" nc ":" cnonce ":" qop ":" H(A2)) */
static enum err hash_qop(const struct sec_digest_response *r, struct slice ha1, struct slice a2,
                         struct sec_digest_hex *out)
{
    char nc[9];
    struct slice colon = SLICE(":");
    struct slice qop = r->qop == SEC_QOP_AUTH_INT ? SLICE("auth-int") : SLICE("auth");
    struct slice printed = slice_of(nc, (size_t)snprintf(nc, sizeof nc, "%08x", (unsigned)r->nc));
    struct slice parts[] = {ha1,   colon,     r->nonce, colon, r->nc_text.n ? r->nc_text : printed,
                            colon, r->cnonce, colon,    qop,   colon,
                            a2};

    return sec_digest_hash(r->algorithm, parts, sizeof parts / sizeof parts[0], out);
}

enum err sec_digest_formula(const struct sec_digest_response *r, struct slice ha1, struct slice method,
                            struct slice body, struct sec_digest_hex *out)
{
    struct sec_digest_hex a2;
    enum err e = hash_a2(r, method, body, &a2);
    struct slice legacy[] = {ha1, SLICE(":"), r->nonce, SLICE(":"),
                             slice_of(a2.p, sec_digest_hex_n(r->algorithm))};

    if (e)
        return e;
    if (r->qop == SEC_QOP_NONE)
        return sec_digest_hash(r->algorithm, legacy, 5, out);
    return hash_qop(r, ha1, legacy[4], out);
}

/* Lower case hexadecimal into `to`; false when it is not hexadecimal, or longer than any digest. */
static bool fold(struct slice hex, char to[SEC_DIGEST_HEX_MAX_N])
{
    if (hex.n > SEC_DIGEST_HEX_MAX_N)
        return false;
    for (size_t i = 0; i < hex.n; i++) {
        to[i] = hex.p[i] >= 'A' && hex.p[i] <= 'F' ? (char)(hex.p[i] | 0x20) : hex.p[i];
        if (!((to[i] >= '0' && to[i] <= '9') || (to[i] >= 'a' && to[i] <= 'f')))
            return false;
    }
    return true;
}

bool sec_digest_hex_eq(struct slice got, const struct sec_digest_hex *want)
{
    char folded[SEC_DIGEST_HEX_MAX_N];

    return fold(got, folded) && slice_eq_ct(slice_of(folded, got.n), slice_of(want->p, want->n));
}

enum err sec_digest_ha1(enum sec_digest_algorithm a, struct slice user, struct slice realm,
                        struct slice password, struct sec_secret *out)
{
    struct slice parts[] = {user, SLICE(":"), realm, SLICE(":"), password};
    struct sec_digest_hex hex;
    enum err e = sec_digest_hash(a, parts, 5, &hex);

    if (!e)
        e = sec_secret_set(out, slice_of(hex.p, hex.n));
    mem_wipe(&hex, sizeof hex);
    return e;
}

enum err sec_digest_ha1_parse(enum sec_digest_algorithm a, struct slice hex, struct sec_secret *out)
{
    char folded[SEC_DIGEST_HEX_MAX_N];
    enum err e = ERR_MALFORMED;

    if (hex.n == sec_digest_hex_n(a) && fold(hex, folded))
        e = sec_secret_set(out, slice_of(folded, hex.n));
    mem_wipe(folded, sizeof folded);
    return e;
}
