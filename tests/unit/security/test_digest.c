/* Digest headers: Authorization, choosing and answering a challenge, Authentication-Info. */
#include "security/login/digest.h"

#include <stdlib.h>
#include "base/mem.h"
#include "security/login/digest_hash.h"
#include "tests/unit/security/vectors.h"

#define MD5HEX "0123456789abcdef0123456789abcdef"
#define REST   ", nonce=\"n\", uri=\"/\", response=\"" MD5HEX "\""
#define QOP    ", qop=auth, nc=00000001, cnonce=\"c\""

static const struct {
    const char *in;
    enum err want;
} parse_rows[] = {
    {"Digest username=\"u\", realm=\"r\"" REST QOP, ERR_OK},
    {"dIGEST   username=\"u\",realm=\"r\"" REST QOP ", algorithm=MD5, opaque=\"o\", x=y", ERR_OK},
    {"Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/\", algorithm=sha-256, response=\"" MD5HEX
         MD5HEX "\"" QOP,
     ERR_OK},
    {"Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/\", algorithm=SHA2-256, response=\"" MD5HEX
         MD5HEX "\"" QOP,
     ERR_OK}, /* TS 24.109 */
    {"Digest username=\"u\", realm=\"r\"" REST ", qop=\"auth-int\", nc=FFFFFFFF, cnonce=\"c\"", ERR_OK},
    {"Digest username=\"u\", realm=\"r\"" REST QOP ", userhash=false", ERR_OK},
    {"Digest username=\"\", realm=\"\"" REST QOP, ERR_OK},
    {"Digest x=\"a,\\\"b\\\\\", username=\"u\", realm=\"r\"" REST QOP,
     ERR_OK}, /* what is not known is passed over (RFC 7616 §3.4) */
    {"Basic dTpw", ERR_UNSUPPORTED},
    {"Digestusername=\"u\"", ERR_UNSUPPORTED},
    {"Digest", ERR_UNSUPPORTED},
    {"", ERR_UNSUPPORTED},
    {"Digest ", ERR_MALFORMED},
    {"Digest realm=\"r\"" REST QOP, ERR_MALFORMED},
    {"Digest username=\"u\"" REST QOP, ERR_MALFORMED},
    {"Digest username=\"u\", realm=\"r\"" QOP, ERR_MALFORMED},
    {"Digest username=\"u\", username=\"v\", realm=\"r\"" REST QOP, ERR_MALFORMED},
    {"Digest username=\"u\", realm=\"r\"" REST QOP QOP, ERR_MALFORMED},
    {"Digest username=\"u\\\"v\", realm=\"r\"" REST QOP, ERR_MALFORMED},
    {"Digest username=\"u\", realm=\"r\"" REST QOP " garbage", ERR_MALFORMED},
    {"Digest username=\"u\", realm=\"r\"" REST QOP ", \"", ERR_MALFORMED},
    {"Digest username=\"u\", realm=\"r\"" REST, ERR_UNSUPPORTED}, /* no qop */
    {"Digest username=\"u\", realm=\"r\"" REST ", qop=auth", ERR_MALFORMED},
    {"Digest username=\"u\", realm=\"r\"" REST ", qop=auth, nc=00000001", ERR_MALFORMED},
    {"Digest username=\"u\", realm=\"r\"" REST ", qop=auth, nc=00000001, cnonce=\"\"", ERR_MALFORMED},
    {"Digest username=\"u\", realm=\"r\"" REST ", qop=auth, nc=00000000, cnonce=\"c\"", ERR_MALFORMED},
    {"Digest username=\"u\", realm=\"r\"" REST ", qop=auth, nc=1, cnonce=\"c\"", ERR_MALFORMED},
    {"Digest username=\"u\", realm=\"r\"" REST ", qop=auth, nc=000000001, cnonce=\"c\"", ERR_MALFORMED},
    {"Digest username=\"u\", realm=\"r\"" REST ", qop=auth, nc=0000000g, cnonce=\"c\"", ERR_MALFORMED},
    {"Digest username=\"u\", realm=\"r\"" REST ", qop=token, nc=00000001, cnonce=\"c\"", ERR_UNSUPPORTED},
    {"Digest username=\"u\", realm=\"r\"" REST QOP ", algorithm=MD5-sess", ERR_UNSUPPORTED},
    {"Digest username=\"u\", realm=\"r\"" REST QOP ", algorithm=SHA-512-256", ERR_UNSUPPORTED},
    {"Digest username=\"u\", realm=\"r\"" REST QOP ", algorithm=SHA-256",
     ERR_MALFORMED}, /* response too short */
    {"Digest username=\"u\", realm=\"r\"" REST QOP ", userhash=true", ERR_UNSUPPORTED},
    {"Digest username*=UTF-8''u, realm=\"r\"" REST QOP, ERR_UNSUPPORTED},
    {"Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/\", response=\"" MD5HEX "0\"" QOP,
     ERR_MALFORMED},
    {"Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/\", "
     "response=\"0123456789abcdef0123456789abcdeX\"" QOP,
     ERR_MALFORMED},
};

static void test_parse_rows(void)
{
    for (size_t i = 0; i < COUNT(parse_rows); i++) {
        struct sec_digest_response r = {.nc = 7777};

        test_row(i);
        CU_ASSERT(sec_digest_parse(slice_str(parse_rows[i].in), &r) == parse_rows[i].want);
        CU_ASSERT(parse_rows[i].want == ERR_OK || r.nc == 7777);
    }
}

static void test_parse_limits(void)
{
    struct sec_digest_response r;
    size_t n = SEC_DIGEST_HEADER_MAX_N + 100;
    char *text = malloc(n);

    MUST(text);
    memset(text, ',', n);
    mem_copy(text, n, SLICE("Digest "));
    CU_ASSERT(sec_digest_parse(slice_of(text, n), &r) == ERR_LIMIT);
    mem_copy(text, n, SLICE("Digest realm=\""));
    memset(text + 14, 'a', 2000);
    text[14 + 2000] = '"';
    CU_ASSERT(sec_digest_parse(slice_of(text, 14 + 2001), &r) == ERR_LIMIT);
    free(text);
}

static void test_choose_rows(void)
{
    static const struct {
        const char *one, *two;
        enum err want;
        enum sec_digest_algorithm algorithm;
        const char *nonce;
    } rows[] = {
        {"Digest realm=\"r\", nonce=\"n\"", "", ERR_OK, SEC_DIGEST_MD5, "n"},
        {"Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth\"",
         "Digest realm=\"r\", nonce=\"m\", algorithm=SHA-256, qop=\"auth,auth-int\"", ERR_OK,
         SEC_DIGEST_SHA256, "m"},
        {"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, Digest realm=\"r\", nonce=\"m\"", "", ERR_OK,
         SEC_DIGEST_SHA256, "n"},
        {"Basic realm=\"b\", Digest realm=\"r\", nonce=\"n\", Bearer", "", ERR_OK, SEC_DIGEST_MD5, "n"},
        {"Negotiate YWJj==, Digest nonce=\"n\", realm=\"r\"", "", ERR_OK, SEC_DIGEST_MD5, "n"},
        {"Digest realm=\"r\", nonce=\"x\", algorithm=SHA-512-256", "Digest realm=\"r\", nonce=\"n\"", ERR_OK,
         SEC_DIGEST_MD5, "n"},
        {"Digest realm=\"r, Digest nonce=\", nonce=\"n\"", "", ERR_OK, SEC_DIGEST_MD5, "n"},
        {"Digest realm=\"r\", nonce=\"a\", qop=\"auth\"", "Digest realm=\"r\", nonce=\"b\", qop=\"auth\"",
         ERR_OK, SEC_DIGEST_MD5, "a"},
        {"Basic realm=\"b\"", "", ERR_ABSENT, 0, NULL},
        {"Digest realm=\"r\"", "", ERR_ABSENT, 0, NULL},
        {"Digest nonce=\"n\"", "", ERR_ABSENT, 0, NULL},
        {"Digest realm=\"r\", nonce=\"n\", qop=\"auth-conf\"", "", ERR_ABSENT, 0, NULL},
        {"Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess", "", ERR_ABSENT, 0, NULL},
        {"", "", ERR_ABSENT, 0, NULL},
        {"realm=\"r\", nonce=\"n\"", "", ERR_ABSENT, 0, NULL},
        {"Digest realm=\"r\", realm=\"s\", nonce=\"n\"", "", ERR_MALFORMED, 0, NULL},
        {"Digest realm=\"r, nonce=\"n\"", "", ERR_MALFORMED, 0, NULL},
        {"Digest realm=\"r\" nonce=\"n\"", "", ERR_MALFORMED, 0, NULL},
        {"\"Digest\"", "", ERR_MALFORMED, 0, NULL},
        {"Digest foo", "", ERR_MALFORMED, 0, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice values[] = {slice_str(rows[i].one), slice_str(rows[i].two)};
        struct sec_digest_offer o;

        test_row(i);
        CU_ASSERT(sec_digest_choose(values, 2, &o) == rows[i].want);
        if (rows[i].want)
            continue;
        CU_ASSERT(o.algorithm == rows[i].algorithm);
        TEST_SLICE_EQ(o.nonce, slice_str(rows[i].nonce));
    }
}

/* The client answers the published challenges with the published responses. */
static void test_answer_published(void)
{
    json_t *tree = vectors_load("http_digest.json");
    json_t *row;
    size_t i;

    json_array_foreach(vectors_list(tree, "vectors"), i, row)
    {
        struct sec_digest_request request = {vector_text(row, "method"), vector_text(row, "uri"), SLICE_NONE,
                                             true};
        struct sec_digest_response sent, parsed;
        struct sec_digest_offer offer;
        struct sec_secret ha1;
        struct buf challenge, out;
        struct slice value;

        test_row(i);
        if (slice_eq(vector_text(row, "algorithm"), SLICE("SHA-512-256")))
            continue;
        buf_init(&challenge, 1000);
        buf_init(&out, 1000);
        sec_secret_init(&ha1);
        buf_addf(&challenge,
                 "Digest realm=\"%.*s\", qop=\"auth\", algorithm=%.*s, nonce=\"%.*s\", opaque=\"%.*s\"",
                 SLICE_FMT(vector_text(row, "realm")), SLICE_FMT(vector_text(row, "algorithm")),
                 SLICE_FMT(vector_text(row, "nonce")), SLICE_FMT(vector_text(row, "opaque")));
        value = buf_slice(&challenge);
        CU_ASSERT_FATAL(sec_digest_choose(&value, 1, &offer) == ERR_OK);
        CU_ASSERT(sec_digest_ha1(offer.algorithm, vector_text(row, "username"), offer.realm,
                                 vector_text(row, "password"), &ha1) == ERR_OK);
        CU_ASSERT(sec_digest_answer(&offer, vector_text(row, "username"), &ha1, &request,
                                    vector_text(row, "cnonce"), 1, &out, &sent) == ERR_OK);
        CU_ASSERT_FATAL(sec_digest_parse(buf_slice(&out), &parsed) == ERR_OK);
        TEST_SLICE_EQ(parsed.response, vector_text(row, "response"));
        TEST_SLICE_EQ(parsed.opaque, vector_text(row, "opaque"));
        TEST_SLICE_EQ(parsed.nc_text, vector_text(row, "nc"));
        TEST_SLICE_EQ(parsed.username, vector_text(row, "username"));
        buf_clear(&challenge);
        buf_clear(&out);
    }
    json_decref(tree);
}

static void test_answer_qop(void)
{
    static const struct {
        const char *qop;
        bool body_known;
        enum err want;
        enum sec_digest_qop used;
    } rows[] = {
        {", qop=\"auth\"", true, ERR_OK, SEC_QOP_AUTH},
        {", qop=\"auth, auth-int\"", true, ERR_OK, SEC_QOP_AUTH_INT},
        {", qop=\"auth-int,auth\"", false, ERR_OK, SEC_QOP_AUTH},
        {", qop=\"auth-int\"", false, ERR_AGAIN, 0},
        {"", true, ERR_OK, SEC_QOP_NONE},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_digest_request request = {SLICE("GET"), SLICE("/"), SLICE("body"), rows[i].body_known};
        struct sec_digest_response sent = {.nc = 0};
        struct sec_digest_offer offer;
        struct sec_secret ha1;
        struct buf challenge, out;
        struct slice value;

        test_row(i);
        buf_init(&challenge, 1000);
        buf_init(&out, 1000);
        buf_addf(&challenge, "Digest realm=\"r\", nonce=\"n\"%s", rows[i].qop);
        value = buf_slice(&challenge);
        CU_ASSERT(sec_digest_choose(&value, 1, &offer) == ERR_OK);
        sec_secret_init(&ha1);
        CU_ASSERT(sec_digest_ha1(SEC_DIGEST_MD5, SLICE("u"), SLICE("r"), SLICE("p"), &ha1) == ERR_OK);
        CU_ASSERT(sec_digest_answer(&offer, SLICE("u"), &ha1, &request, SLICE("c"), 1, &out, &sent) ==
                  rows[i].want);
        CU_ASSERT(sent.qop == rows[i].used);
        CU_ASSERT((out.n == 0) == (rows[i].want != ERR_OK));
        CU_ASSERT((slice_find_slice(buf_slice(&out), SLICE("qop=")) < out.n) ==
                  (!rows[i].want && rows[i].used != SEC_QOP_NONE));
        CU_ASSERT(sec_digest_answer(&offer, SLICE("u\"\r\n"), &ha1, &request, SLICE("c"), 1, &out, &sent) !=
                  ERR_OK);
        buf_clear(&challenge);
        buf_clear(&out);
    }
}

/* Each answer has a cnonce of its own, and is right under the password alone. */
static void test_answer_password(void)
{
    const struct slice challenge = SLICE("Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256");
    const struct sec_digest_request request = {SLICE("GET"), SLICE("/"), SLICE_NONE, true};
    struct sec_digest_hex want[2];
    struct sec_digest_offer offer;
    struct sec_secret ha1;

    sec_secret_init(&ha1);
    CU_ASSERT_FATAL(sec_digest_choose(&challenge, 1, &offer) == ERR_OK);
    CU_ASSERT(sec_digest_ha1(SEC_DIGEST_SHA256, SLICE("u"), SLICE("r"), SLICE("p"), &ha1) == ERR_OK);
    for (uint32_t i = 0; i < 2; i++) {
        struct sec_digest_response got;
        struct buf out;

        buf_init(&out, 1000);
        CU_ASSERT(sec_digest_answer_password(&offer, SLICE("u"), SLICE("p"), &request, i + 1, &out) ==
                  ERR_OK);
        CU_ASSERT_FATAL(sec_digest_parse(buf_slice(&out), &got) == ERR_OK);
        CU_ASSERT(got.nc == i + 1 && got.cnonce.n == SEC_DIGEST_CNONCE_N);
        CU_ASSERT(sec_digest_formula(&got, sec_secret_slice(&ha1), SLICE("GET"), SLICE_NONE, &want[i]) ==
                  ERR_OK);
        CU_ASSERT(sec_digest_hex_eq(got.response, &want[i]));
        got.nc = 1;
        CU_ASSERT(sec_digest_formula(&got, sec_secret_slice(&ha1), SLICE("GET"), SLICE_NONE, &want[i]) ==
                  ERR_OK);
        CU_ASSERT(sec_digest_answer_password(&offer, SLICE("u\""), SLICE("p"), &request, 1, &out) ==
                  ERR_MALFORMED);
        buf_clear(&out);
    }
    CU_ASSERT(
        !slice_eq(slice_of(want[0].p, want[0].n), slice_of(want[1].p, want[1].n))); /* by the cnonce alone */
    sec_secret_clear(&ha1);
}

static void test_check_info(void)
{
    struct sec_digest_response sent = {.nonce = SLICE("n"),
                                       .uri = SLICE("/x"),
                                       .cnonce = SLICE("c"),
                                       .nc = 3,
                                       .algorithm = SEC_DIGEST_SHA256,
                                       .qop = SEC_QOP_AUTH_INT};
    static const char *const refused[] = {"qop=auth-int, rspauth=\"" MD5HEX MD5HEX "\"", "rspauth=\"\"",
                                          "rspauth=\"" MD5HEX "\""};
    struct sec_secret ha1, other;
    struct buf info;

    sec_secret_init(&ha1);
    sec_secret_init(&other);
    buf_init(&info, 1000);
    CU_ASSERT(sec_digest_ha1(SEC_DIGEST_SHA256, SLICE("u"), SLICE("r"), SLICE("p"), &ha1) == ERR_OK);
    CU_ASSERT(sec_digest_ha1(SEC_DIGEST_SHA256, SLICE("u"), SLICE("r"), SLICE("q"), &other) == ERR_OK);
    CU_ASSERT(sec_digest_info(&sent, &ha1, SLICE("answer"), &info) == ERR_OK);
    CU_ASSERT(sec_digest_check_info(buf_slice(&info), &sent, &ha1, SLICE("answer")) == ERR_OK);
    CU_ASSERT(sec_digest_check_info(buf_slice(&info), &sent, &ha1, SLICE("answer!")) == ERR_DENIED);
    CU_ASSERT(sec_digest_check_info(buf_slice(&info), &sent, &other, SLICE("answer")) == ERR_DENIED);
    sent.nc = 4;
    CU_ASSERT(sec_digest_check_info(buf_slice(&info), &sent, &ha1, SLICE("answer")) == ERR_DENIED);
    sent.nc = 3;
    sent.cnonce = SLICE("d");
    CU_ASSERT(sec_digest_check_info(buf_slice(&info), &sent, &ha1, SLICE("answer")) == ERR_DENIED);
    for (size_t i = 0; i < COUNT(refused); i++)
        CU_ASSERT(sec_digest_check_info(slice_str(refused[i]), &sent, &ha1, SLICE("answer")) != ERR_OK);
    CU_ASSERT(sec_digest_check_info(SLICE("nextnonce=\"x\""), &sent, &ha1, SLICE("answer")) == ERR_ABSENT);
    CU_ASSERT(sec_digest_check_info(SLICE("rspauth"), &sent, &ha1, SLICE("answer")) == ERR_MALFORMED);
    buf_clear(&info);
}

const struct test_case test_cases[] = {
    {"parse_rows", test_parse_rows},   {"parse_limits", test_parse_limits},
    {"choose_rows", test_choose_rows}, {"answer_published", test_answer_published},
    {"answer_qop", test_answer_qop},   {"answer_password", test_answer_password},
    {"check_info", test_check_info},   {NULL, NULL},
};
