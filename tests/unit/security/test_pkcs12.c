/* Files that openssl made (tests/vectors/pkcs12): the key and the chain come out, and nothing of those that are not whole
 * or not meant for the password. */
#include "security/pkcs12.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/net/tls.h"
#include "tests/unit/harness.h"

#define PASSWORD "sesame-7391"
#define LONG_64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LONG_512 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64

static struct slice load(const char *name)
{
    char path[100];
    size_t n;
    char *p;

    (void)snprintf(path, sizeof path, "vectors/pkcs12/%s", name);
    p = test_read(path, &n);
    return slice_of(p, n);
}

static void unload(struct slice s)
{
    free((char *)(uintptr_t)s.p);
}

/* A pair that TLS takes: the key is the first certificate's. */
static bool is_pair(struct slice key, struct slice chain)
{
    const struct net_tls_pair pair = {.cert_pem = chain, .key_pem = key};
    const struct net_tls_conf conf = {
        .role = NET_TLS_SERVER, .pairs = &pair, .pairs_n = 1, .version_min = 12};
    struct net_tls_ctx *ctx = NULL;
    const char *why;
    enum err e = net_tls_ctx_create(&conf, &ctx, &why);

    net_tls_ctx_free(&ctx);
    return e == ERR_OK;
}

static size_t certificates(struct slice pem)
{
    size_t n = 0;

    for (size_t i = 0; i < pem.n; i++)
        n += slice_starts(slice_sub(pem, i, pem.n), SLICE("-----BEGIN CERTIFICATE-----"));
    return n;
}

static void test_rows(void)
{
    static const struct {
        const char *file, *password;
        enum err want;
        size_t chain_n;
    } rows[] = {
        {"new.p12", PASSWORD, ERR_OK, 2},
        {"legacy.p12", PASSWORD, ERR_OK, 1}, /* RC2 and 3DES, as old tools write it */
        {"open.p12", "", ERR_OK, 1},
        {"new.p12", "", ERR_DENIED, 0},
        {"new.p12", PASSWORD "x", ERR_DENIED, 0},
        {"new.p12", "sesame-739", ERR_DENIED, 0},
        {"legacy.p12", "another", ERR_DENIED, 0},
        {"open.p12", PASSWORD, ERR_DENIED, 0},
        {"new.p12", LONG_512 LONG_512 "x", ERR_LIMIT, 0},
        {"new.p12", LONG_512, ERR_DENIED, 0},
        {"no-key.p12", PASSWORD, ERR_ABSENT, 0},
        {"no-certificate.p12", PASSWORD, ERR_ABSENT, 0},
        {"no-mac.p12", PASSWORD, ERR_MALFORMED, 0}, /* anybody could have put another key in */
        {"rounds.p12", PASSWORD, ERR_LIMIT, 0},     /* eight million rounds of its MAC */
        {"phone.crt", PASSWORD, ERR_MALFORMED, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice der = load(rows[i].file), phone = load("phone.crt");
        struct buf key, chain;

        test_row(i);
        buf_init(&key, 65536);
        buf_init(&chain, 65536);
        CU_ASSERT_EQUAL(sec_pkcs12_open(der, slice_str(rows[i].password), &key, &chain), rows[i].want);
        CU_ASSERT_EQUAL(certificates(buf_slice(&chain)), rows[i].chain_n);
        CU_ASSERT(slice_starts(buf_slice(&chain), phone) == !rows[i].want);
        CU_ASSERT((key.n > 0) == !rows[i].want);
        CU_ASSERT(rows[i].want || is_pair(buf_slice(&key), buf_slice(&chain)));
        buf_wipe(&key);
        buf_clear(&chain);
        unload(der);
        unload(phone);
    }
}

/* Every cut and every changed octet: nothing comes out, or, where what was changed says nothing, what was put in. */
static void test_damaged(void)
{
    struct slice der = load("open.p12"), phone = load("phone.crt");
    char *copy = malloc(der.n);

    MUST(copy != NULL);
    for (size_t i = 0; i < der.n; i++)
        copy[i] = der.p[i];
    for (size_t i = 0; i < 2 * der.n; i++) {
        bool cut = i >= der.n;
        struct buf key, chain;
        enum err e;

        test_row(i);
        copy[i % der.n] ^= cut ? 0 : 0x21;
        buf_init(&key, 65536);
        buf_init(&chain, 65536);
        e = sec_pkcs12_open(slice_of(copy, cut ? i - der.n : der.n), SLICE(""), &key, &chain);
        CU_ASSERT(e ? key.n == 0 && chain.n == 0
                    : !cut && slice_eq(buf_slice(&chain), phone) && is_pair(buf_slice(&key), phone));
        copy[i % der.n] = der.p[i % der.n];
        buf_wipe(&key);
        buf_clear(&chain);
    }
    free(copy);
    unload(der);
    unload(phone);
}

static void test_ceilings(void)
{
    struct slice der = load("new.p12");
    struct buf key, chain;

    buf_init(&key, 65536);
    buf_init(&chain, 100);
    CU_ASSERT_EQUAL(sec_pkcs12_open(der, SLICE(PASSWORD), &key, &chain), ERR_LIMIT);
    buf_wipe(&key);
    buf_clear(&chain);
    unload(der);
}

const struct test_case test_cases[] = {
    {"rows", test_rows},
    {"damaged", test_damaged},
    {"ceilings", test_ceilings},
    {NULL, NULL},
};
