/* Keys by GnuTLS; see tokens.h. */
#include "tests/unit/tokens.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include "base/codec.h"

#define COORDINATE_N 32

struct test_keys {
    gnutls_privkey_t key[TEST_KEY_HMAC][TEST_KEYS_EACH];
    char shared[TEST_KEYS_EACH][COORDINATE_N];
};

static const struct {
    const char *name, *algorithm;
    gnutls_pk_algorithm_t pk;
    unsigned bits;
    gnutls_sign_algorithm_t sign;
} kinds[TEST_KEY_COUNT] = {
    {"rsa", "RS256", GNUTLS_PK_RSA, 2048, GNUTLS_SIGN_RSA_SHA256},
    {"ec", "ES256", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
     GNUTLS_SIGN_ECDSA_SHA256},
    {"ed", "EdDSA", GNUTLS_PK_EDDSA_ED25519, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519),
     GNUTLS_SIGN_EDDSA_ED25519},
    {"hmac", "HS256", GNUTLS_PK_UNKNOWN, 0, GNUTLS_SIGN_UNKNOWN},
};

struct test_keys *test_keys_open(void)
{
    struct test_keys *keys = calloc(1, sizeof *keys);

    MUST(keys && !gnutls_rnd(GNUTLS_RND_KEY, keys->shared, sizeof keys->shared));
    for (unsigned k = 0; k < TEST_KEY_HMAC; k++)
        for (unsigned i = 0; i < TEST_KEYS_EACH; i++)
            MUST(!gnutls_privkey_init(&keys->key[k][i]) &&
                 !gnutls_privkey_generate(keys->key[k][i], kinds[k].pk, kinds[k].bits, 0));
    return keys;
}

void test_keys_close(struct test_keys *keys)
{
    for (unsigned k = 0; k < TEST_KEY_HMAC; k++)
        for (unsigned i = 0; i < TEST_KEYS_EACH; i++)
            gnutls_privkey_deinit(keys->key[k][i]);
    free(keys);
}

void test_base64url(struct buf *out, struct slice in)
{
    size_t from = out->n;

    codec_base64(out, in);
    while (out->n > from && out->p[out->n - 1] == '=')
        buf_cut(out, out->n - 1);
    for (size_t i = from; i < out->n; i++)
        out->p[i] = (char)(out->p[i] == '+' ? '-' : out->p[i] == '/' ? '_' : out->p[i]);
    MUST(!buf_err(out));
}

/* A coordinate, r or s: without a sign octet, in front as many zeros as it lacks. */
static void add_coordinate(struct buf *out, gnutls_datum_t *number)
{
    struct slice v = slice_of(number->data, number->size);

    while (v.n > COORDINATE_N)
        v = slice_sub(v, 1, v.n);
    for (size_t i = v.n; i < COORDINATE_N; i++)
        buf_add_ch(out, '\0');
    buf_add(out, v);
    gnutls_free(number->data);
}

static void add_number(struct buf *out, const char *name, bool coordinate, gnutls_datum_t *number)
{
    struct buf octets;

    buf_init(&octets, 1000);
    if (coordinate)
        add_coordinate(&octets, number);
    else
        buf_add(&octets, slice_of(number->data, number->size));
    buf_addf(out, ",\"%s\":\"", name);
    test_base64url(out, buf_slice(&octets));
    buf_add_ch(out, '"');
    if (!coordinate)
        gnutls_free(number->data);
    buf_clear(&octets);
}

void test_jwk_print(struct test_keys *keys, enum test_key kind, unsigned which, struct buf *out)
{
    gnutls_datum_t a, b;
    gnutls_pubkey_t public;

    buf_addf(out, "{\"kid\":\"%s%u\",\"alg\":\"%s\",\"use\":\"sig\"", kinds[kind].name, which,
             kinds[kind].algorithm);
    if (kind == TEST_KEY_HMAC) {
        buf_add_str(out, ",\"kty\":\"oct\",\"k\":\"");
        test_base64url(out, slice_of(keys->shared[which], COORDINATE_N));
        buf_add_str(out, "\"}");
        return;
    }
    MUST(!gnutls_pubkey_init(&public) && !gnutls_pubkey_import_privkey(public, keys->key[kind][which], 0, 0));
    if (kind == TEST_KEY_RSA) {
        MUST(!gnutls_pubkey_export_rsa_raw2(public, &a, &b, GNUTLS_EXPORT_FLAG_NO_LZ));
        buf_add_str(out, ",\"kty\":\"RSA\"");
        add_number(out, "n", false, &a);
        add_number(out, "e", false, &b);
    } else {
        b.data = NULL;
        MUST(!gnutls_pubkey_export_ecc_raw(public, NULL, &a, kind == TEST_KEY_EC ? &b : NULL));
        buf_add_str(out, kind == TEST_KEY_EC ? ",\"kty\":\"EC\",\"crv\":\"P-256\""
                                             : ",\"kty\":\"OKP\",\"crv\":\"Ed25519\"");
        add_number(out, "x", true, &a);
        if (kind == TEST_KEY_EC)
            add_number(out, "y", true, &b);
    }
    buf_add_str(out, "}");
    gnutls_pubkey_deinit(public);
}

void test_jwks_print(struct test_keys *keys, unsigned which, struct buf *out)
{
    buf_add_str(out, "{\"keys\":[");
    for (unsigned k = 0; k < TEST_KEY_COUNT; k++) {
        buf_add_str(out, k ? "," : "");
        test_jwk_print(keys, (enum test_key)k, which, out);
    }
    buf_add_str(out, "]}");
    MUST(!buf_err(out));
}

void test_key_sign(struct test_keys *keys, enum test_key kind, unsigned which, struct slice what,
                   struct buf *out)
{
    gnutls_datum_t data = {(unsigned char *)(uintptr_t)what.p, (unsigned)what.n};
    gnutls_datum_t der, r, s;
    char mac[COORDINATE_N];

    if (kind == TEST_KEY_HMAC) {
        MUST(!gnutls_hmac_fast(GNUTLS_MAC_SHA256, keys->shared[which], COORDINATE_N, what.p, what.n, mac));
        buf_add(out, slice_of(mac, sizeof mac));
        return;
    }
    MUST(!gnutls_privkey_sign_data2(keys->key[kind][which], kinds[kind].sign, 0, &data, &der));
    if (kind == TEST_KEY_EC) {
        MUST(!gnutls_decode_rs_value(&der, &r, &s));
        add_coordinate(out, &r);
        add_coordinate(out, &s);
    } else {
        buf_add(out, slice_of(der.data, der.size));
    }
    gnutls_free(der.data);
    MUST(!buf_err(out));
}

void test_token_print(struct test_keys *keys, enum test_key kind, unsigned which, const char *header,
                      const char *claims, struct buf *out)
{
    struct buf plain, signature;
    size_t from = out->n;

    buf_init(&plain, 1000);
    buf_init(&signature, 1000);
    buf_addf(&plain, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s%u\"}", kinds[kind].algorithm,
             kinds[kind].name, which);
    test_base64url(out, header ? slice_str(header) : buf_slice(&plain));
    buf_add_ch(out, '.');
    test_base64url(out, slice_str(claims));
    test_key_sign(keys, kind, which, slice_sub(buf_slice(out), from, out->n), &signature);
    buf_add_ch(out, '.');
    test_base64url(out, buf_slice(&signature));
    buf_clear(&plain);
    buf_clear(&signature);
}
