/* What it costs to know who asks, among a thousand accounts: sec_trust_identify() for each kind of proof (the token is an
 * HS256 one), and sec_login_holds() for what a connection has proved before.  Prints
 *     bench authenticate WHAT_ns=N ...
 * What a submission pays besides, the decision of the whitelist, is bench_whitelist's. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/codec.h"
#include "security/kdf.h"
#include "security/login/login.h"
#include "security/rules/trust.h"

#define ACCOUNTS 1000
#define REALM    SLICE("push")
#define SHARED   "0123456789abcdef0123456789abcdef"
#define SET                                                                                                  \
    "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"k\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}]}"
#define HEADER "{\"alg\":\"HS256\",\"kid\":\"k\"}"
#define CLAIMS                                                                                               \
    "{\"iss\":\"https://i\",\"aud\":\"ppg\",\"sub\":\"s500\",\"exp\":2000,\"scope\":\"push.submit\"}"

struct world {
    struct sec_accounts *accounts;
    struct sec_digest_guard *guard;
    struct buf token, digest, basic;
    struct slice san;
};

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void base64url(struct buf *out, struct slice in)
{
    size_t from = out->n;

    codec_base64(out, in);
    while (out->n > from && out->p[out->n - 1] == '=')
        buf_cut(out, out->n - 1);
    for (size_t i = from; i < out->n; i++)
        out->p[i] = (char)(out->p[i] == '+' ? '-' : out->p[i] == '/' ? '_' : out->p[i]);
}

static void make_token(struct world *w)
{
    uint8_t mac[SEC_SHA256_N];
    struct slice what;

    buf_add_str(&w->token, "Bearer ");
    base64url(&w->token, SLICE(HEADER));
    buf_add_ch(&w->token, '.');
    base64url(&w->token, SLICE(CLAIMS));
    what = slice_sub(buf_slice(&w->token), 7, w->token.n);
    MUST(!sec_hmac_sha256(SLICE(SHARED), &what, 1, mac));
    buf_add_ch(&w->token, '.');
    base64url(&w->token, slice_of(mac, sizeof mac));
    MUST(!buf_err(&w->token));
}

static void add_accounts(struct world *w)
{
    for (int i = 0; i < ACCOUNTS; i++) {
        char name[16], san[32], token[32];
        struct slice matcher = slice_of(san, (size_t)snprintf(san, sizeof san, "URI:https://h%d.example", i));
        struct slice subject = slice_of(token, (size_t)snprintf(token, sizeof token, "https://i s%d", i));
        struct sec_account a = {.name = slice_of(name, (size_t)snprintf(name, sizeof name, "u%d", i)),
                                .certificates = &matcher,
                                .certificates_n = 1,
                                .tokens = &subject,
                                .tokens_n = 1,
                                .basic = true};
        const char *why;

        a.digest_user = a.name;
        MUST(!sec_digest_ha1(SEC_DIGEST_SHA256, a.name, REALM, SLICE("p"), &a.ha1_sha256));
        MUST(!sec_accounts_add(w->accounts, &a, &why));
    }
}

static void world_open(struct world *w)
{
    struct sec_digest_guard_conf conf = {1000, 1000, false};
    struct slice audience = SLICE("ppg");
    struct sec_issuer issuer = {.name = SLICE("https://i"), .audiences = &audience, .audiences_n = 1};
    struct sec_jwks *set;
    const char *why;

    *w = (struct world){.san = SLICE("https://h500.example")};
    buf_init(&w->token, 10000);
    buf_init(&w->digest, 10000);
    buf_init(&w->basic, 1000);
    MUST(!sec_accounts_create(REALM, ACCOUNTS, &w->accounts) && !sec_digest_guard_create(&conf, &w->guard));
    MUST(!sec_jwks_parse(SLICE(SET), &set, &why));
    MUST(!sec_delegates_add_issuer(sec_accounts_delegates(w->accounts), &issuer, &set, &why));
    add_accounts(w);
    make_token(w);
    buf_add_str(&w->basic, "Basic ");
    codec_base64(&w->basic, SLICE("u500:p"));
}

/* The next answer to one challenge, as a client that stays prints it. */
static struct slice next_digest(struct world *w, struct slice challenge, uint32_t nc)
{
    struct sec_digest_request request = {SLICE("POST"), SLICE("/pap"), SLICE_NONE, false};
    struct sec_digest_response sent;
    struct sec_digest_offer offer;
    struct sec_secret ha1;

    sec_secret_init(&ha1);
    buf_reset(&w->digest, SIZE_MAX);
    MUST(!sec_digest_ha1(SEC_DIGEST_SHA256, SLICE("u500"), REALM, SLICE("p"), &ha1));
    MUST(!sec_digest_choose(&challenge, 1, &offer));
    MUST(!sec_digest_answer(&offer, SLICE("u500"), &ha1, &request, SLICE("cnonce"), nc, &w->digest, &sent));
    return buf_slice(&w->digest);
}

static double identify_ns(struct world *w, struct sec_evidence ev, unsigned times)
{
    struct sec_identity id;
    double start = now_s();

    for (unsigned i = 0; i < times; i++) {
        MUST(!sec_trust_identify(w->accounts, &ev, w->guard, 1, &id));
        MUST(id.outcome == SEC_IDENTIFIED);
    }
    return (now_s() - start) * 1e9 / times;
}

/* Without the time of the client. */
static double digest_ns(struct world *w, struct sec_evidence ev, unsigned times)
{
    struct buf challenge;
    double sum = 0;

    buf_init(&challenge, 1000);
    MUST(!sec_digest_challenge(w->guard, SEC_DIGEST_SHA256, REALM, false, 0, &challenge));
    for (unsigned i = 1; i <= times; i++) {
        ev.authorization = next_digest(w, buf_slice(&challenge), i);
        sum += identify_ns(w, ev, 1);
    }
    buf_clear(&challenge);
    return sum / times;
}

static double kept_ns(const struct buf *authorization, unsigned times)
{
    struct sec_login_facts facts = {.generation = 1, .until_s = INT64_MAX};
    struct sec_login *login = sec_login_create(buf_slice(authorization), &facts);
    double start = now_s();

    MUST(login);
    for (unsigned i = 0; i < times; i++)
        MUST(sec_login_holds(login, buf_slice(authorization), 1, i));
    start = (now_s() - start) * 1e9 / times;
    sec_login_free(&login);
    return start;
}

int main(void)
{
    struct sec_evidence ev = {.tls = true,
                              .peer = SLICE("192.0.2.1"),
                              .utc_s = 1000,
                              .authorization_n = 1,
                              .request = {SLICE("POST"), SLICE("/pap"), SLICE_NONE, false}};
    struct sec_evidence cert = ev, basic = ev, token = ev;
    struct world w;

    world_open(&w);
    cert.cert_verified = true;
    cert.uris = &w.san;
    cert.uris_n = 1;
    cert.authorization_n = 0;
    basic.authorization = buf_slice(&w.basic);
    token.authorization = buf_slice(&w.token);
    printf("bench authenticate certificate_ns=%.0f digest_ns=%.0f basic_ns=%.0f token_ns=%.0f "
           "kept_basic_ns=%.0f "
           "kept_token_ns=%.0f\n",
           identify_ns(&w, cert, 1000000), digest_ns(&w, ev, 50000), identify_ns(&w, basic, 200000),
           identify_ns(&w, token, 50000), kept_ns(&w.basic, 5000000), kept_ns(&w.token, 2000000));
    sec_accounts_free(&w.accounts);
    sec_digest_guard_free(&w.guard);
    buf_clear(&w.token);
    buf_clear(&w.digest);
    buf_clear(&w.basic);
    return 0;
}
