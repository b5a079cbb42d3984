/* Bearer tokens: good ones of each algorithm, and forged, truncated, oversized and confused ones; rejected rows outnumber good. */
#include "security/login/token.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/tokens.h"

#define NOW   1000000
#define GOOD  "\"iss\":\"https://login.example\",\"sub\":\"bank\",\"aud\":\"https://ppg.example/pap\""
#define TIMES ",\"exp\":1000300,\"nbf\":999900"
#define SCOPE ",\"scope\":\"push.submit push.status\""

static const struct slice audiences[] = {{"https://ppg.example/pap", 23}, {"ppg", 3}};

struct world {
    struct test_keys *keys;
    struct sec_jwks *set;
    struct sec_issuer issuer, other;
    const struct sec_issuer *issuers[2];
    struct buf token;
};

static void world_open(struct world *w)
{
    const char *why;
    struct buf text;

    *w = (struct world){.keys = test_keys_open()};
    buf_init(&text, 100000);
    buf_init(&w->token, 100000);
    test_jwks_print(w->keys, 0, &text);
    MUST(sec_jwks_parse(buf_slice(&text), &w->set, &why) == ERR_OK);
    buf_clear(&text);
    w->issuer = (struct sec_issuer){.name = SLICE("https://login.example"),
                                    .audiences = audiences,
                                    .audiences_n = COUNT(audiences),
                                    .skew_s = 30,
                                    .keys = w->set};
    w->other = w->issuer;
    w->other.name = SLICE("https://other.example");
    w->other.subject = SEC_TOKEN_CLIENT_ID;
    w->issuers[0] = &w->other;
    w->issuers[1] = &w->issuer;
}

static void world_close(struct world *w)
{
    sec_jwks_free(&w->set);
    test_keys_close(w->keys);
    buf_clear(&w->token);
}

static struct slice made(struct world *w, enum test_key kind, unsigned which, const char *header,
                         const char *claims)
{
    buf_reset(&w->token, SIZE_MAX);
    test_token_print(w->keys, kind, which, header, claims, &w->token);
    return buf_slice(&w->token);
}

static enum err judged(struct world *w, struct slice token, int64_t now_s, struct sec_token *out)
{
    const char *why = NULL;
    enum err e = sec_token_verify(w->issuers, COUNT(w->issuers), token, now_s, out, &why);

    CU_ASSERT((why != NULL) == (e != ERR_OK));
    return e;
}

static void test_good_of_each_algorithm(void)
{
    static const char *const headers[] = {NULL, "{\"alg\":\"%s\"}", "{\"alg\":\"%s\",\"typ\":\"at+jwt\"}",
                                          "{\"alg\":\"%s\",\"typ\":\"application/at+JWT\",\"new\":[1]}"};
    static const char *const algorithms[] = {"RS256", "ES256", "EdDSA", "HS256"};
    struct sec_token t;
    struct world w;
    char header[100];

    world_open(&w);
    for (unsigned i = 0; i < COUNT(headers) * TEST_KEY_COUNT; i++) {
        unsigned kind = i % TEST_KEY_COUNT;
        const char *form = headers[i / TEST_KEY_COUNT];

        test_row(i);
        if (form) {
            const char *rest = strchr(form, '%') + 2;

            (void)snprintf(header, sizeof header, "{\"alg\":\"%s%s", algorithms[kind], rest);
        }
        CU_ASSERT(judged(&w, made(&w, (enum test_key)kind, 0, form ? header : NULL, "{" GOOD TIMES SCOPE "}"),
                         NOW, &t) == ERR_OK);
        TEST_SLICE_EQ(slice_of(t.who, t.who_n), SLICE("https://login.example bank"));
        CU_ASSERT(t.scopes == (SEC_SCOPE_SUBMIT | SEC_SCOPE_STATUS) && t.expires_s == 1000330);
    }
    world_close(&w);
}

static const struct {
    const char *claims;
    enum err want;
    unsigned scopes;
} claim_rows[] = {
    {"{" GOOD TIMES "}", ERR_OK, 0},
    {"{" GOOD TIMES SCOPE "}", ERR_OK, 3},
    {"{" GOOD ",\"exp\":1000300.5,\"scope\":\"  push.admin x push.admin\"}", ERR_OK, 4},
    {"{" GOOD ",\"exp\":1000300,\"scope\":\"push.submitx Push.status push\"}", ERR_OK, 0},
    {"{\"iss\":\"https://login.example\",\"sub\":\"bank\",\"aud\":[\"x\",\"ppg\"]" TIMES "}", ERR_OK, 0},
    {"{\"iss\":\"https://other.example\",\"sub\":\"x\",\"client_id\":\"bank\",\"aud\":\"ppg\"" TIMES "}",
     ERR_OK, 0},
    {"{}", ERR_MALFORMED, 0},
    {"[]", ERR_MALFORMED, 0},
    {"\"text\"", ERR_MALFORMED, 0},
    {"{" GOOD TIMES "} ", ERR_OK, 0},
    {"{" GOOD TIMES "}x", ERR_MALFORMED, 0},
    {"{" GOOD TIMES, ERR_MALFORMED, 0},
    {"{" GOOD ",\"exp\":1000300,\"exp\":2000000}", ERR_MALFORMED, 0},         /* a member twice */
    {"{" GOOD ",\"sub\":\"mms\",\"exp\":1000300}", ERR_MALFORMED, 0},         /* likewise */
    {"{" GOOD ",\"exp\":1000300,\"x\":{\"a\":1,\"a\":2}}", ERR_MALFORMED, 0}, /* deeper down too */
    {"{" GOOD "}", ERR_MALFORMED, 0},                                         /* no exp */
    {"{" GOOD ",\"exp\":\"1000300\"}", ERR_MALFORMED, 0},
    {"{" GOOD ",\"exp\":true}", ERR_MALFORMED, 0},
    {"{" GOOD ",\"exp\":-1}", ERR_MALFORMED, 0},
    {"{" GOOD ",\"exp\":1e300}", ERR_MALFORMED, 0},
    {"{" GOOD ",\"exp\":99999999999999999999}", ERR_MALFORMED, 0},
    {"{" GOOD ",\"exp\":9223372036854775807}", ERR_MALFORMED, 0},
    {"{" GOOD ",\"exp\":1000300,\"nbf\":null}", ERR_MALFORMED, 0},
    {"{" GOOD ",\"exp\":1000300,\"scope\":[\"push.submit\"]}", ERR_MALFORMED, 0},
    {"{" GOOD ",\"exp\":999970}", ERR_LATE, 0}, /* with the skew: this very second */
    {"{" GOOD ",\"exp\":999971}", ERR_OK, 0},
    {"{" GOOD ",\"exp\":0}", ERR_LATE, 0},
    {"{" GOOD ",\"exp\":1000300,\"nbf\":1000030}", ERR_OK, 0},
    {"{" GOOD ",\"exp\":1000300,\"nbf\":1000031}", ERR_LATE, 0},
    {"{\"sub\":\"bank\",\"aud\":\"ppg\"" TIMES "}", ERR_MALFORMED, 0},
    {"{\"iss\":\"\",\"sub\":\"bank\",\"aud\":\"ppg\"" TIMES "}", ERR_MALFORMED, 0},
    {"{\"iss\":5,\"sub\":\"bank\",\"aud\":\"ppg\"" TIMES "}", ERR_MALFORMED, 0},
    {"{\"iss\":\"https://login.example/\",\"sub\":\"bank\",\"aud\":\"ppg\"" TIMES "}", ERR_DENIED, 0},
    {"{\"iss\":\"https://LOGIN.example\",\"sub\":\"bank\",\"aud\":\"ppg\"" TIMES "}", ERR_DENIED, 0},
    {"{\"iss\":\"https://login.example\",\"aud\":\"ppg\"" TIMES "}", ERR_MALFORMED, 0},
    {"{\"iss\":\"https://login.example\",\"sub\":\"\",\"aud\":\"ppg\"" TIMES "}", ERR_MALFORMED, 0},
    {"{\"iss\":\"https://login.example\",\"client_id\":\"bank\",\"aud\":\"ppg\"" TIMES "}", ERR_MALFORMED, 0},
    {"{\"iss\":\"https://other.example\",\"sub\":\"bank\",\"aud\":\"ppg\"" TIMES "}", ERR_MALFORMED, 0},
    {"{\"iss\":\"https://login.example\",\"sub\":{},\"aud\":\"ppg\"" TIMES "}", ERR_MALFORMED, 0},
    {"{\"iss\":\"https://login.example\",\"sub\":\"a\\u0000b\",\"aud\":\"ppg\"" TIMES "}", ERR_MALFORMED, 0},
    {"{\"iss\":\"https://login.example\",\"sub\":\"bank\"" TIMES "}", ERR_MALFORMED, 0},
    {"{\"iss\":\"https://login.example\",\"sub\":\"bank\",\"aud\":\"ppg2\"" TIMES "}", ERR_DENIED, 0},
    {"{\"iss\":\"https://login.example\",\"sub\":\"bank\",\"aud\":\"\"" TIMES "}", ERR_DENIED, 0},
    {"{\"iss\":\"https://login.example\",\"sub\":\"bank\",\"aud\":[]" TIMES "}", ERR_DENIED, 0},
    {"{\"iss\":\"https://login.example\",\"sub\":\"bank\",\"aud\":[[\"ppg\"],{\"ppg\":\"ppg\"}]" TIMES "}",
     ERR_DENIED, 0},
    {"{\"iss\":\"https://login.example\",\"sub\":\"bank\",\"aud\":{\"0\":\"ppg\"}" TIMES "}", ERR_DENIED, 0},
    {"{\"iss\":\"https://login.example\",\"sub\":\"\xff\",\"aud\":\"ppg\"" TIMES "}", ERR_MALFORMED, 0},
};

static void test_claims(void)
{
    struct sec_token t;
    struct world w;

    world_open(&w);
    for (size_t i = 0; i < COUNT(claim_rows); i++) {
        test_row(i);
        t.scopes = 77;
        CU_ASSERT(judged(&w, made(&w, TEST_KEY_ED, 0, NULL, claim_rows[i].claims), NOW, &t) ==
                  claim_rows[i].want);
        CU_ASSERT(t.scopes == (claim_rows[i].want ? 77 : claim_rows[i].scopes)); /* untouched on failure */
    }
    world_close(&w);
}

static const struct {
    const char *header;
    enum err want;
} header_rows[] = {
    {"{\"alg\":\"EdDSA\",\"kid\":\"ed0\"}", ERR_OK},
    {"{\"alg\":\"none\"}", ERR_DENIED},
    {"{\"alg\":\"None\",\"kid\":\"ed0\"}", ERR_DENIED},
    {"{\"alg\":\"HS256\",\"kid\":\"ed0\"}", ERR_DENIED}, /* the public key as a shared one */
    {"{\"alg\":\"HS256\"}", ERR_DENIED},
    {"{\"alg\":\"RS256\",\"kid\":\"ed0\"}", ERR_DENIED},
    {"{\"alg\":\"eddsa\",\"kid\":\"ed0\"}", ERR_DENIED},
    {"{\"alg\":\"EdDSA\",\"kid\":\"ed1\"}", ERR_DENIED},
    {"{\"alg\":\"EdDSA\",\"kid\":\"../../ed0\"}", ERR_DENIED},
    {"{\"alg\":\"EdDSA\",\"kid\":\"rsa0\"}", ERR_DENIED},
    {"{\"kid\":\"ed0\"}", ERR_MALFORMED},
    {"{\"alg\":\"\",\"kid\":\"ed0\"}", ERR_MALFORMED},
    {"{\"alg\":null}", ERR_MALFORMED},
    {"{\"alg\":[\"EdDSA\"]}", ERR_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"alg\":\"none\"}", ERR_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"kid\":7}", ERR_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"crit\":[\"exp\"],\"exp\":1}", ERR_UNSUPPORTED},
    {"{\"alg\":\"EdDSA\",\"crit\":[]}", ERR_UNSUPPORTED},
    {"{\"alg\":\"EdDSA\",\"b64\":false,\"crit\":[\"b64\"]}", ERR_UNSUPPORTED},
    {"{\"alg\":\"RSA-OAEP\",\"enc\":\"A256GCM\"}", ERR_UNSUPPORTED},
    {"{\"alg\":\"EdDSA\",\"zip\":\"DEF\"}", ERR_UNSUPPORTED},
    {"{\"alg\":\"EdDSA\",\"typ\":\"logout+jwt\"}", ERR_UNSUPPORTED},
    {"{\"alg\":\"EdDSA\",\"typ\":1}", ERR_MALFORMED},
    {"[]", ERR_MALFORMED},
    {"", ERR_MALFORMED},
};

static void test_headers(void)
{
    struct sec_token t;
    struct world w;

    world_open(&w);
    for (size_t i = 0; i < COUNT(header_rows); i++) {
        test_row(i);
        CU_ASSERT(judged(&w, made(&w, TEST_KEY_ED, 0, header_rows[i].header, "{" GOOD TIMES "}"), NOW, &t) ==
                  header_rows[i].want);
    }
    world_close(&w);
}

/* A header that brings its own key, or says where to find one, signed with that key. */
static void test_keys_in_the_header_are_not_used(void)
{
    struct sec_token t;
    struct world w;
    struct buf header;

    world_open(&w);
    buf_init(&header, 10000);
    buf_add_str(&header, "{\"alg\":\"EdDSA\",\"kid\":\"ed0\",\"jku\":\"http://127.0.0.1/\",\"jwk\":");
    test_jwk_print(w.keys, TEST_KEY_ED, 1, &header);
    buf_add(&header, slice_of("}", 2)); /* with its NUL */
    CU_ASSERT(judged(&w, made(&w, TEST_KEY_ED, 1, header.p, "{" GOOD TIMES "}"), NOW, &t) == ERR_DENIED);
    CU_ASSERT(judged(&w, made(&w, TEST_KEY_ED, 0, header.p, "{" GOOD TIMES "}"), NOW, &t) == ERR_OK);
    buf_clear(&header);
    world_close(&w);
}

/* Every octet changed, and every length: nothing but the token itself is good. */
static void test_changed_and_truncated(void)
{
    struct sec_token t;
    struct world w;

    world_open(&w);
    for (unsigned kind = 0; kind < TEST_KEY_COUNT; kind++) {
        struct slice token = made(&w, (enum test_key)kind, 0, NULL, "{" GOOD TIMES "}");

        for (size_t i = 0; i < token.n; i++) {
            test_row(i);
            CU_ASSERT(judged(&w, slice_sub(token, 0, i), NOW, &t) != ERR_OK);
            w.token.p[i] ^= 1;
            CU_ASSERT(judged(&w, token, NOW, &t) != ERR_OK);
            w.token.p[i] ^= 1;
        }
        CU_ASSERT(judged(&w, token, NOW, &t) == ERR_OK);
        buf_add_ch(&w.token, '.');
        CU_ASSERT(judged(&w, buf_slice(&w.token), NOW, &t) == ERR_MALFORMED);
    }
    world_close(&w);
}

static void test_oversized(void)
{
    struct sec_token t;
    struct world w;
    struct buf claims;

    world_open(&w);
    for (size_t pad = 0; pad < 4; pad++) {
        buf_init(&claims, 100000);
        buf_add_str(&claims, "{" GOOD TIMES ",\"pad\":\"");
        for (size_t i = 0; i < pad * 2500; i++)
            buf_add_ch(&claims, 'x');
        buf_add(&claims, slice_of("\"}", 3));
        test_row(pad);
        CU_ASSERT(judged(&w, made(&w, TEST_KEY_HMAC, 0, NULL, claims.p), NOW, &t) ==
                  (pad < 2 ? ERR_OK : ERR_LIMIT));
        buf_clear(&claims);
    }
    buf_init(&claims, 100000); /* depth */
    buf_add_str(&claims, "{" GOOD TIMES ",\"pad\":");
    for (size_t i = 0; i < 2500; i++)
        buf_add_ch(&claims, '[');
    buf_add_ch(&claims, '\0');
    CU_ASSERT(judged(&w, made(&w, TEST_KEY_HMAC, 0, NULL, claims.p), NOW, &t) == ERR_MALFORMED);
    buf_clear(&claims);
    buf_init(&claims, 100000); /* a subject past its ceiling */
    buf_add_str(&claims, "{\"iss\":\"https://login.example\",\"aud\":\"ppg\"" TIMES ",\"sub\":\"");
    for (size_t i = 0; i <= SEC_TOKEN_NAME_MAX_N; i++)
        buf_add_ch(&claims, 'x');
    buf_add(&claims, slice_of("\"}", 3));
    CU_ASSERT(judged(&w, made(&w, TEST_KEY_HMAC, 0, NULL, claims.p), NOW, &t) == ERR_MALFORMED);
    buf_clear(&claims);
    world_close(&w);
}

static const struct {
    const char *in, *out;
    enum err want;
} credential_rows[] = {
    {"Bearer a.b.c", "a.b.c", ERR_OK},
    {"bearer   a.b.c ", "a.b.c", ERR_OK},
    {"Bearer", NULL, ERR_MALFORMED},
    {"Bearer ", NULL, ERR_MALFORMED},
    {"Bearera.b.c", NULL, ERR_UNSUPPORTED},
    {"Basic a.b.c", NULL, ERR_UNSUPPORTED},
    {"", NULL, ERR_UNSUPPORTED},
};

static void test_credentials(void)
{
    char *big = calloc(1, SEC_TOKEN_MAX_N + 8);

    MUST(big);
    for (size_t i = 0; i < COUNT(credential_rows); i++) {
        struct slice got = SLICE_NONE;

        test_row(i);
        CU_ASSERT(sec_token_of(slice_str(credential_rows[i].in), &got) == credential_rows[i].want);
        TEST_SLICE_EQ(got, slice_str(credential_rows[i].out));
    }
    memset(big, 'x', SEC_TOKEN_MAX_N + 8);
    mem_copy(big, 7, SLICE("Bearer "));
    CU_ASSERT(sec_token_of(slice_of(big, SEC_TOKEN_MAX_N + 7), &(struct slice){0}) == ERR_OK);
    CU_ASSERT(sec_token_of(slice_of(big, SEC_TOKEN_MAX_N + 8), &(struct slice){0}) == ERR_LIMIT);
    free(big);
}

const struct test_case test_cases[] = {
    {"good_of_each_algorithm", test_good_of_each_algorithm},
    {"claims", test_claims},
    {"headers", test_headers},
    {"keys_in_the_header_are_not_used", test_keys_in_the_header_are_not_used},
    {"changed_and_truncated", test_changed_and_truncated},
    {"oversized", test_oversized},
    {"credentials", test_credentials},
    {NULL, NULL},
};
