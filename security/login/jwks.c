/* JWK Sets; see jwks.h.  JSON by jansson, signatures by GnuTLS.  RFC 7517 (keys), RFC 7518 §3, §6 (algorithms, their
 * parameters), RFC 8037 (Ed25519). */
#include "security/login/jwks.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <jansson.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/codec.h"
#include "base/mem.h"
#include "security/kdf.h"

#define ARENA_FIRST_N  4096
#define NUMBER_MAX_N   1024 /* octets of one parameter of a key: RSA of 8192 bits */
#define KID_MAX_N      256
#define P256_N         32 /* octets of a coordinate, and of r and s of a signature */
#define ED25519_N      32
#define PARAMETERS_MAX 2

struct jwk {
    struct slice kid; /* n 0: none */
    const struct kind *kind;
    gnutls_pubkey_t public; /* NULL: a shared key */
    struct buf shared;
};

struct sec_jwks {
    struct arena mem; /* key names */
    struct jwk keys[SEC_JWKS_KEYS_MAX];
    size_t n;
    uint8_t mark[SEC_SHA256_N]; /* of the text */
};

/* A parameter of a key, decoded. */
struct parameters {
    struct buf p[PARAMETERS_MAX];
};

static gnutls_datum_t datum(struct slice s)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
}

static gnutls_datum_t parameter(const struct parameters *p, size_t i)
{
    return datum(buf_slice(&p->p[i]));
}

/* --- what is done with a key of each kind --- */

static const char *make_rsa(struct jwk *key, const struct parameters *p)
{
    gnutls_datum_t modulus = parameter(p, 0), exponent = parameter(p, 1);
    unsigned bits = 0;

    if (gnutls_pubkey_import_rsa_raw(key->public, &modulus, &exponent) ||
        gnutls_pubkey_get_pk_algorithm(key->public, &bits) != GNUTLS_PK_RSA)
        return "not an RSA key";
    return bits < SEC_JWK_RSA_MIN ? "an RSA key of less than 2048 bits" : NULL;
}

/* RFC 7518 §6.2.1.2: coordinates of full length; the point must be on the curve. */
static const char *make_ec(struct jwk *key, const struct parameters *p)
{
    gnutls_datum_t x = parameter(p, 0), y = parameter(p, 1);

    if (x.size != P256_N || y.size != P256_N ||
        gnutls_pubkey_import_ecc_raw(key->public, GNUTLS_ECC_CURVE_SECP256R1, &x, &y) ||
        gnutls_pubkey_verify_params(key->public))
        return "not a point of P-256";
    return NULL;
}

static const char *make_ed25519(struct jwk *key, const struct parameters *p)
{
    gnutls_datum_t x = parameter(p, 0);

    if (x.size != ED25519_N || gnutls_pubkey_import_ecc_raw(key->public, GNUTLS_ECC_CURVE_ED25519, &x, NULL))
        return "not a point of Ed25519";
    return NULL;
}

static const char *make_shared(struct jwk *key, const struct parameters *p)
{
    if (p->p[0].n < SEC_JWK_HMAC_MIN_N)
        return "a shared key of less than 128 bits";
    buf_add(&key->shared, buf_slice(&p->p[0]));
    return buf_err(&key->shared) ? "out of memory" : NULL;
}

static bool good_signature(const struct jwk *key, gnutls_sign_algorithm_t algorithm, struct slice what,
                           gnutls_datum_t signature)
{
    gnutls_datum_t data = datum(what);

    return gnutls_pubkey_verify_data2(key->public, algorithm, 0, &data, &signature) >= 0;
}

static enum err check_rsa(const struct jwk *key, struct slice what, struct slice signature)
{
    return good_signature(key, GNUTLS_SIGN_RSA_SHA256, what, datum(signature)) ? ERR_OK : ERR_DENIED;
}

static struct slice without_zeros(struct slice number)
{
    while (number.n > 1 && number.p[0] == 0)
        number = slice_sub(number, 1, number.n);
    return number;
}

/* r || s, 32 octets each (RFC 7518 §3.4). */
static enum err check_ec(const struct jwk *key, struct slice what, struct slice signature)
{
    gnutls_datum_t r = datum(without_zeros(slice_sub(signature, 0, P256_N)));
    gnutls_datum_t s = datum(without_zeros(slice_sub(signature, P256_N, P256_N)));
    gnutls_datum_t der;
    bool good;

    if (signature.n != 2 * (size_t)P256_N)
        return ERR_DENIED;
    if (gnutls_encode_rs_value(&der, &r, &s))
        return ERR_NOMEM;
    good = good_signature(key, GNUTLS_SIGN_ECDSA_SHA256, what, der);
    gnutls_free(der.data);
    return good ? ERR_OK : ERR_DENIED;
}

static enum err check_ed25519(const struct jwk *key, struct slice what, struct slice signature)
{
    return good_signature(key, GNUTLS_SIGN_EDDSA_ED25519, what, datum(signature)) ? ERR_OK : ERR_DENIED;
}

static enum err check_shared(const struct jwk *key, struct slice what, struct slice signature)
{
    uint8_t want[SEC_SHA256_N];
    enum err e = sec_hmac_sha256(buf_slice(&key->shared), &what, 1, want);

    if (!e && !slice_eq_ct(slice_of(want, sizeof want), signature))
        e = ERR_DENIED;
    mem_wipe(want, sizeof want);
    return e;
}

static const struct kind {
    const char *kty, *crv, *algorithm;
    const char *parameters[PARAMETERS_MAX]; /* of the public half, or the shared key */
    bool shared;
    const char *(*make)(struct jwk *key, const struct parameters *p); /* NULL, or what is wrong */
    enum err (*check)(const struct jwk *key, struct slice what, struct slice signature);
} kinds[] = {
    {"RSA", NULL, "RS256", {"n", "e"}, false, make_rsa, check_rsa},
    {"EC", "P-256", "ES256", {"x", "y"}, false, make_ec, check_ec},
    {"OKP", "Ed25519", "EdDSA", {"x", NULL}, false, make_ed25519, check_ed25519},
    {"oct", NULL, "HS256", {"k", NULL}, true, make_shared, check_shared},
};

/* --- reading --- */

/* The text of a member; n 0 when it is absent or no text. */
static struct slice text_of(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);

    return v ? slice_of(json_string_value(v), json_string_length(v)) : SLICE_NONE;
}

static bool says(const json_t *o, const char *name, const char *word)
{
    return slice_eq(text_of(o, name), slice_str(word));
}

/* RFC 7517 §4.2, §4.3: keys that are not for checking signatures are left alone. */
static bool is_to_verify(const json_t *o)
{
    const json_t *operations = json_object_get(o, "key_ops"), *operation;
    size_t i;

    if (json_object_get(o, "use") && !says(o, "use", "sig"))
        return false;
    if (!operations)
        return true;
    json_array_foreach(operations, i, operation)
    {
        if (slice_eq(slice_str(json_string_value(operation)), SLICE("verify")))
            return true;
    }
    return false;
}

static const struct kind *kind_of(const json_t *o)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (says(o, "kty", kinds[i].kty) && (!kinds[i].crv || says(o, "crv", kinds[i].crv)) &&
            (!json_object_get(o, "alg") || says(o, "alg", kinds[i].algorithm)))
            return &kinds[i];
    return NULL;
}

static bool read_parameter(const json_t *o, const char *name, struct buf *out)
{
    return !name || (!codec_unbase64url(text_of(o, name), out) && out->n > 0);
}

static const char *make(const json_t *o, struct jwk *key, struct parameters *p)
{
    for (size_t i = 0; i < PARAMETERS_MAX; i++)
        if (!read_parameter(o, key->kind->parameters[i], &p->p[i]))
            return "a parameter of a key is missing or not base64url";
    if (!key->kind->shared && json_object_get(o, "d"))
        return "a private key: only its public half belongs here";
    if (!key->kind->shared && gnutls_pubkey_init(&key->public))
        return "out of memory";
    return key->kind->make(key, p);
}

static const struct jwk *find(const struct sec_jwks *set, struct slice kid, struct slice algorithm)
{
    const struct jwk *found = NULL;

    for (size_t i = 0; i < set->n; i++) {
        const struct jwk *key = &set->keys[i];

        if (!slice_eq(slice_str(key->kind->algorithm), algorithm) || (kid.n && !slice_eq(key->kid, kid)))
            continue;
        if (found)
            return NULL; /* which one?  Trying all would let a stranger choose how much work that is */
        found = key;
    }
    return found;
}

static const char *add(struct sec_jwks *set, const json_t *o)
{
    struct jwk *key = &set->keys[set->n];
    struct slice kid = text_of(o, "kid");
    struct parameters p;
    const char *why;

    if (!json_is_object(o))
        return "keys must be objects";
    *key = (struct jwk){.kind = kind_of(o)};
    if (!key->kind || !is_to_verify(o))
        return NULL;
    if (kid.n > KID_MAX_N || arena_dup(&set->mem, kid, &key->kid))
        return "a kid is too long";
    if (kid.n && find(set, kid, slice_str(key->kind->algorithm)))
        return "two keys of one kid";
    buf_init(&key->shared, NUMBER_MAX_N);
    set->n++; /* from here on it is freed with the set */
    for (size_t i = 0; i < PARAMETERS_MAX; i++)
        buf_init(&p.p[i], NUMBER_MAX_N);
    why = make(o, key, &p);
    for (size_t i = 0; i < PARAMETERS_MAX; i++)
        buf_wipe(&p.p[i]);
    return why;
}

static const char *add_all(struct sec_jwks *set, struct slice text, const json_t *keys)
{
    const char *why = NULL;
    const json_t *o;
    size_t i;

    if (!json_is_array(keys))
        return "no JWK Set: an object with an array \"keys\"";
    if (json_array_size(keys) > SEC_JWKS_KEYS_MAX)
        return "more than 100 keys";
    json_array_foreach(keys, i, o)
    {
        why = why ? why : add(set, o);
    }
    if (!why && sec_hmac_sha256(SLICE("jwks"), &text, 1, set->mark))
        why = "out of memory";
    if (!why && set->n == 0)
        why = "no key for RS256, ES256, EdDSA or HS256";
    return why;
}

enum err sec_jwks_parse(struct slice text, struct sec_jwks **out, const char **why)
{
    struct sec_jwks *set = calloc(1, sizeof *set);
    const char *fault = "out of memory";
    json_t *root = NULL;
    json_error_t at;

    if (set) {
        arena_init(&set->mem, ARENA_FIRST_N, SEC_JWKS_MAX_N);
        root = text.n > SEC_JWKS_MAX_N ? NULL : json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &at);
        fault =
            root ? add_all(set, text, json_object_get(root, "keys")) : "not JSON, or a member stands twice";
    }
    json_decref(root);
    if (!fault) {
        *out = set;
        return ERR_OK;
    }
    *why = fault;
    sec_jwks_free(&set);
    return ERR_MALFORMED;
}

void sec_jwks_free(struct sec_jwks **set)
{
    if (!*set)
        return;
    for (size_t i = 0; i < (*set)->n; i++) {
        gnutls_pubkey_deinit((*set)->keys[i].public);
        buf_wipe(&(*set)->keys[i].shared);
    }
    arena_clear(&(*set)->mem);
    free(*set);
    *set = NULL;
}

size_t sec_jwks_count(const struct sec_jwks *set)
{
    return set->n;
}

bool sec_jwks_same(const struct sec_jwks *a, const struct sec_jwks *b)
{
    return slice_eq(slice_of(a->mark, sizeof a->mark), slice_of(b->mark, sizeof b->mark));
}

bool sec_jwks_secret(const struct sec_jwks *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->keys[i].kind->shared)
            return true;
    return false;
}

enum err sec_jwks_verify(const struct sec_jwks *set, struct slice kid, struct slice algorithm,
                         struct slice what, struct slice signature)
{
    const struct jwk *key = find(set, kid, algorithm);

    return key ? key->kind->check(key, what, signature) : ERR_DENIED;
}
