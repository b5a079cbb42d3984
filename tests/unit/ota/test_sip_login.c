/* Answers to challenges: of AKA by an identity module, and over a list of security mechanisms. */
#include "ota/sip/login.h"

#include <stdio.h>

#include "base/codec.h"
#include "base/mem.h"

#include "tests/unit/harness.h"

#define HEAD                                                                                                 \
    "Via: SIP/2.0/UDP ppg:5060;branch=z9hG4bKa7\r\nFrom: <sip:a@b>;tag=9d\r\nTo: <sip:a@b>;tag=7\r\n"        \
    "Call-ID: 5f@ppg\r\nCSeq: 1 REGISTER\r\n"
/* Milenage, test set 1 of TS 35.208; base64(RAND || AUTN). */
#define NONCE "I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M="
#define AUTS  "b94f943f123cf44ce8d5b65b1c56"
#define AKA(nonce, more)                                                                                     \
    "WWW-Authenticate: Digest realm=\"ims\", nonce=\"" nonce                                                 \
    "\", algorithm=AKAv1-MD5, qop=\"auth-int\"" more "\r\n"

static const struct ota_login alice = {SLICE("alice@ims"), SLICE("password")};
static const struct sec_digest_request request = {SLICE("REGISTER"), SLICE("sip:ims"), SLICE(""), true};

static enum err challenge(struct ota_sip_login *l, const char *more)
{
    struct ota_sip_reply r;
    struct ota_sip_unit unit;
    struct buf text;
    char in[2048];
    enum err e;

    ota_sip_parser_start();
    buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
    (void)snprintf(in, sizeof in, "SIP/2.0 401 No\r\n" HEAD "%s\r\n", more);
    CU_ASSERT_EQUAL_FATAL(ota_sip_datagram_read(slice_str(in), &text, &unit), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(ota_sip_reply_read(&unit, &r), ERR_OK);
    e = ota_sip_login_challenged(l, &r);
    ota_sip_reply_clear(&r);
    buf_clear(&text);
    return e;
}

/* --- AKA --- */

struct module {
    enum err says;
    unsigned runs;
};

static enum err run(void *arg, const uint8_t rand[SEC_AKA_RAND_N], const uint8_t autn[SEC_AKA_AUTN_N],
                    struct sec_aka_vector *out, uint8_t auts[SEC_AKA_AUTS_N])
{
    struct module *m = arg;

    CU_ASSERT(rand[0] == 0x23 && rand[15] == 0x35 && autn[0] == 0x55 && autn[15] == 0xb3);
    m->runs++;
    *out = (struct sec_aka_vector){.ck = {1}};
    CU_ASSERT_EQUAL(codec_unhex(SLICE("a54211d5e3ba50bf"), out->res, sizeof out->res), ERR_OK);
    CU_ASSERT_EQUAL(codec_unhex(SLICE(AUTS), auts, SEC_AKA_AUTS_N), ERR_OK);
    return m->says;
}

static void print(struct ota_sip_login *l, struct buf *out)
{
    buf_init(out, SEC_DIGEST_HEADER_MAX_N);
    CU_ASSERT_EQUAL(ota_sip_login_print(l, &alice, &request, NULL, out), ERR_OK);
}

static struct slice value_of(const struct buf *line)
{
    struct slice name, value;

    CU_ASSERT_TRUE_FATAL(slice_cut(buf_slice(line), ':', &name, &value));
    return slice_trim(slice_sub(value, 0, value.n - 2));
}

/* RES is the password (RFC 3310 §3.3). */
static void a_run_is_the_password(void)
{
    const struct sec_digest_aka_offer offer = {
        .algorithm = SEC_DIGEST_AKAV1_MD5, .realm = SLICE("ims"), .nonce = SLICE(NONCE)};
    struct module m = {.says = ERR_OK};
    const struct ota_sip_module module = {run, &m};
    struct sec_digest_aka_request said;
    struct sec_secret ha1;
    struct ota_sip_login l;
    struct buf line;
    uint8_t res[8];

    ota_sip_login_init(&l);
    l.module = &module;
    CU_ASSERT_EQUAL_FATAL(challenge(&l, AKA(NONCE, "")), ERR_OK);
    print(&l, &line);
    CU_ASSERT_EQUAL_FATAL(sec_digest_aka_parse(value_of(&line), &said), ERR_OK);
    CU_ASSERT_EQUAL(said.kind, SEC_DIGEST_AKA_ANSWER);
    TEST_SLICE_EQ(said.r.username, SLICE("alice@ims"));
    sec_secret_init(&ha1);
    CU_ASSERT_EQUAL(codec_unhex(SLICE("a54211d5e3ba50bf"), res, sizeof res), ERR_OK);
    CU_ASSERT_EQUAL(sec_digest_ha1(SEC_DIGEST_AKAV1_MD5, SLICE("alice@ims"), SLICE("ims"),
                                   slice_of(res, sizeof res), &ha1),
                    ERR_OK);
    CU_ASSERT_EQUAL(sec_digest_aka_verify(&said.r, &request, &offer, &ha1), ERR_OK);
    CU_ASSERT_EQUAL(challenge(&l, AKA(NONCE, "")), ERR_DENIED); /* it was not believed */
    CU_ASSERT_EQUAL(m.runs, 1);
    sec_secret_clear(&ha1);
    buf_clear(&line);
    ota_sip_login_clear(&l);
    CU_ASSERT(l.module == &module && l.n == 0);
}

/* The network's numbers are elsewhere: it is told, and its next challenge is answered as any (RFC 3310 §3.4). */
static void numbers_elsewhere(void)
{
    struct module m = {.says = ERR_EXISTS};
    const struct ota_sip_module module = {run, &m};
    struct sec_digest_aka_request said;
    struct ota_sip_login l;
    struct buf line;

    ota_sip_login_init(&l);
    l.module = &module;
    CU_ASSERT_EQUAL_FATAL(challenge(&l, AKA(NONCE, "")), ERR_OK);
    print(&l, &line);
    CU_ASSERT_EQUAL_FATAL(sec_digest_aka_parse(value_of(&line), &said), ERR_OK);
    CU_ASSERT_EQUAL(said.kind, SEC_DIGEST_AKA_SYNC);
    CU_ASSERT(said.auts[0] == 0xb9 && said.auts[13] == 0x56);
    buf_clear(&line);
    m.says = ERR_OK;
    CU_ASSERT_EQUAL(challenge(&l, AKA(NONCE, "")), ERR_OK);
    print(&l, &line);
    CU_ASSERT(sec_digest_aka_parse(value_of(&line), &said) == ERR_OK && said.kind == SEC_DIGEST_AKA_ANSWER);
    buf_clear(&line);
    CU_ASSERT_EQUAL(challenge(&l, AKA(NONCE, "")), ERR_DENIED);
    ota_sip_login_clear(&l);
}

static void not_by_the_module(void)
{
    static const struct {
        const char *asks;
        bool module;
        enum err says, want;
    } rows[] = {
        {AKA(NONCE, ""), false, ERR_OK, ERR_ABSENT},
        {AKA(NONCE, ""), true, ERR_DENIED, ERR_DENIED}, /* a network that is not ours is told nothing */
        {AKA(NONCE, ""), true, ERR_IO, ERR_IO},
        {AKA("AAAA", ""), true, ERR_OK, ERR_MALFORMED},
        {AKA("!", ""), true, ERR_OK, ERR_MALFORMED},
        {"WWW-Authenticate: Digest realm=\"ims\", nonce=\"n\", algorithm=AKAv3-MD5\r\n", true, ERR_OK,
         ERR_ABSENT},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct module m = {.says = rows[i].says};
        const struct ota_sip_module module = {run, &m};
        struct ota_sip_login l;

        test_row(i);
        ota_sip_login_init(&l);
        l.module = rows[i].module ? &module : NULL;
        CU_ASSERT_EQUAL(challenge(&l, rows[i].asks), rows[i].want);
        CU_ASSERT_EQUAL(l.n, 0);
        ota_sip_login_clear(&l);
    }
}

/* Of one realm the topmost that can be answered: with a password too (RFC 8760 §2.4). */
static void beside_a_password(void)
{
    struct module m = {.says = ERR_OK};
    const struct ota_sip_module module = {run, &m};
    struct ota_sip_login l;

    ota_sip_login_init(&l);
    l.module = &module;
    CU_ASSERT_EQUAL(
        challenge(&l,
                  "WWW-Authenticate: Digest realm=\"ims\", nonce=\"n\", algorithm=MD5, qop=\"auth\"\r\n" AKA(
                      NONCE, "")),
        ERR_OK);
    CU_ASSERT(l.n == 1 && l.realms[0].offer.algorithm == SEC_DIGEST_MD5 && m.runs == 0);
    ota_sip_login_clear(&l);
}

/* --- over a list --- */

/* A2 goes on with the list (RFC 3329 §2.2); only qop=auth will do. */
static void over_a_list(void)
{
    static const enum sec_digest_algorithm sha = SEC_DIGEST_SHA256;
    struct buf digest, line;
    const struct ota_sip_verify verify = {SLICE("tls;q=0.1, digest;q=0.2"), &sha, &digest};
    struct ota_sip_login l;

    ota_sip_login_init(&l);
    buf_init(&digest, SEC_DIGEST_HEX_MAX_N);
    buf_init(&line, SEC_DIGEST_HEADER_MAX_N);
    CU_ASSERT_EQUAL(
        challenge(
            &l,
            "WWW-Authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth-int,auth\", algorithm=MD5\r\n"),
        ERR_OK);
    CU_ASSERT_EQUAL(ota_sip_login_print(&l, &alice, &request, &verify, &line), ERR_OK);
    CU_ASSERT(slice_find_slice(buf_slice(&line), SLICE("algorithm=SHA-256")) != SIZE_MAX &&
              slice_find_slice(buf_slice(&line), SLICE("qop=auth,")) != SIZE_MAX);
    CU_ASSERT_EQUAL(digest.n, 64);
    CU_ASSERT_EQUAL(slice_find_slice(buf_slice(&line), buf_slice(&digest)),
                    SIZE_MAX); /* not the response itself */
    ota_sip_login_clear(&l);
    buf_reset(&digest, 0);
    CU_ASSERT_EQUAL(challenge(&l, "WWW-Authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth-int\"\r\n"),
                    ERR_OK);
    CU_ASSERT_EQUAL(ota_sip_login_print(&l, &alice, &request, &verify, &line), ERR_UNSUPPORTED);
    ota_sip_login_clear(&l);
    buf_clear(&digest);
    buf_clear(&line);
}

/* Values computed beside this program: of a password, and of an AKA run with the vector above. */
static void worked_values(void)
{
    static const struct {
        const char *challenge, *user, *method, *uri, *cnonce, *response;
        bool aka;
    } rows[] = {
        {"Digest realm=\"push.example.com\", nonce=\"4f2c8d1a9b7e6350f1e2d3c4b5a69788\", qop=\"auth\"", "ppg",
         "MESSAGE", "sip:alice@example.com", "c0ffee42", "35826693d97b291d7f2a91c460364fb6", false},
        {"Digest realm=\"ims.example.com\", nonce=\"" NONCE "\", algorithm=AKAv1-MD5, qop=\"auth\"",
         "alice@ims.example.com", "REGISTER", "sip:ims.example.com", "0a4f113b",
         "716cea709c34d2cc36c338ce8839ad91", true},
        {"Digest realm=\"ims.example.com\", nonce=\"" NONCE "\", algorithm=AKAv1-MD5, qop=\"auth-int\"",
         "alice@ims.example.com", "REGISTER", "sip:ims.example.com", "0a4f113b",
         "9d8a1dce908c811e268894d05c2c4d8e", true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct sec_digest_request asked = {slice_str(rows[i].method), slice_str(rows[i].uri), SLICE(""),
                                                 true};
        struct slice value = slice_str(rows[i].challenge);
        struct sec_aka_vector v = {.ck = {0}};
        struct sec_digest_response sent;
        struct sec_digest_offer offer;
        struct sec_secret ha1;
        char want[80];
        struct buf out;

        test_row(i);
        sec_secret_init(&ha1);
        buf_init(&out, 2048);
        CU_ASSERT_EQUAL(codec_unhex(SLICE("a54211d5e3ba50bf"), v.res, sizeof v.res), ERR_OK);
        CU_ASSERT_EQUAL_FATAL(rows[i].aka ? sec_digest_aka_choose(&value, 1, &offer)
                                          : sec_digest_choose(&value, 1, &offer),
                              ERR_OK);
        CU_ASSERT_EQUAL(
            rows[i].aka ? sec_digest_aka_ha1(offer.algorithm, slice_str(rows[i].user), offer.realm, &v, &ha1)
                        : sec_digest_ha1(offer.algorithm, slice_str(rows[i].user), offer.realm,
                                         SLICE("gate-secret"), &ha1),
            ERR_OK);
        CU_ASSERT_EQUAL(sec_digest_answer(&offer, slice_str(rows[i].user), &ha1, &asked,
                                          slice_str(rows[i].cnonce), 1, &out, &sent),
                        ERR_OK);
        (void)snprintf(want, sizeof want, "response=\"%s\"", rows[i].response);
        CU_ASSERT(slice_find_slice(buf_slice(&out), slice_str(want)) != SIZE_MAX);
        buf_clear(&out);
        sec_secret_clear(&ha1);
    }
}

const struct test_case test_cases[] = {{"worked_values", worked_values},
                                       {"a_run_is_the_password", a_run_is_the_password},
                                       {"numbers_elsewhere", numbers_elsewhere},
                                       {"not_by_the_module", not_by_the_module},
                                       {"beside_a_password", beside_a_password},
                                       {"over_a_list", over_a_list},
                                       {NULL, NULL}};
