/* Questions and answers of the key service: round trips, members left out or of another form, answers that are about
 * something else. */
#include "ppg/keys/keyservice.h"

#include "base/mem.h"
#include "tests/unit/harness.h"

#define NOW 1700000000
#define KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define NAF "\"nafId\":{\"nafFqdn\":\"Naf.example\",\"uaSecProtId\":\"0100000005\"}"
#define PUSH                                                                                                 \
    "\"ueId\":\"tel:+1555\",\"ueIdType\":\"PUBLIC\",\"uiccAppLabel\":\"USIM\",\"ptId\":\"0a0b\","            \
    "\"uiccOrMe\":"                                                                                          \
    "\"GBA_ME\",\"requestedLifeTime\":\"2023-11-15T00:00:00Z\""
#define RAND "\"rand\":\"00112233445566778899aabbccddeeff\""
#define AUTS "\"auts\":\"00112233445566778899aabbccdd\""

static enum err parse(const char *json, bool push, struct ppg_key_ask *out)
{
    static struct arena mem; /* what a row leaves behind goes with the next */
    const char *why = NULL;
    enum err e;

    arena_clear(&mem);
    arena_init(&mem, 256, 1 << 16);
    e = ppg_key_ask_parse(slice_str(json), push, &mem, out, &why);
    CU_ASSERT((why != NULL && why[0] != '\0') == (e != ERR_OK));
    if (e)
        arena_clear(&mem);
    return e;
}

static void test_keys_asked(void)
{
    static const struct {
        const char *json;
        enum err want;
    } rows[] = {
        {"{" NAF ",\"btId\":\"a@b\"}", ERR_OK},
        {"{" NAF ",\"btId\":\"a@b\",\"gbaUAware\":true,\"gsIds\":[9],\"other\":null}", ERR_OK},
        {"", ERR_MALFORMED},
        {"[]", ERR_MALFORMED},
        {"{}", ERR_MALFORMED},
        {"{" NAF "}", ERR_MALFORMED},
        {"{\"btId\":\"a@b\"}", ERR_MALFORMED},
        {"{" NAF ",\"btId\":\"\"}", ERR_MALFORMED},
        {"{" NAF ",\"btId\":7}", ERR_MALFORMED},
        {"{" NAF ",\"btId\":\"a\",\"btId\":\"b\"}", ERR_MALFORMED},
        {"{" NAF ",\"btId\":\"a@b\"} x", ERR_MALFORMED},
        {"{" NAF ",\"btId\":\"a@b\",\"gbaUAware\":\"true\"}", ERR_MALFORMED},
        {"{\"nafId\":\"naf.example\",\"btId\":\"a@b\"}", ERR_MALFORMED},
        {"{\"nafId\":{\"nafFqdn\":\"naf.example\"},\"btId\":\"a@b\"}", ERR_MALFORMED},
        {"{\"nafId\":{\"nafFqdn\":\"naf.example\",\"uaSecProtId\":\"01000000\"},\"btId\":\"a@b\"}",
         ERR_MALFORMED},
        {"{\"nafId\":{\"nafFqdn\":\"naf.example\",\"uaSecProtId\":\"010000000x\"},\"btId\":\"a@b\"}",
         ERR_MALFORMED},
        {"{\"nafId\":{\"nafFqdn\":\"naf/example\",\"uaSecProtId\":\"0100000005\"},\"btId\":\"a@b\"}",
         ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_key_ask a = {.ptid_n = 7};

        test_row(i);
        CU_ASSERT(parse(rows[i].json, false, &a) == rows[i].want);
        if (rows[i].want) {
            CU_ASSERT(a.ptid_n == 7);
            continue;
        }
        TEST_SLICE_EQ(a.btid, SLICE("a@b"));
        TEST_SLICE_EQ(slice_of(a.naf.octets, a.naf.n), SLICE("naf.example\x01\x00\x00\x00\x05"));
        CU_ASSERT(a.aware == (i == 1));
    }
}

static void test_push_asked(void)
{
    static const struct {
        const char *json;
        enum err want;
    } rows[] = {
        {"{" NAF "," PUSH "}", ERR_OK},
        {"{" NAF "," PUSH "," RAND "," AUTS ",\"privateIdRequest\":true}", ERR_OK},
        {"{" NAF "," PUSH "," RAND "}", ERR_MALFORMED},
        {"{" NAF "," PUSH "," AUTS "}", ERR_MALFORMED},
        {"{" NAF "," PUSH ",\"rand\":\"00\"," AUTS "}", ERR_MALFORMED},
        {"{" PUSH "}", ERR_MALFORMED},
        {"{" NAF ",\"ueId\":\"tel:+1555\"}", ERR_MALFORMED},
    };
    static const char *const broken[] = {"PUBLIC", "GBA_ME",   "0a0b", "2023-11-15T00:00:00Z",
                                         "USIM",   "tel:+1555"};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_key_ask a = {.ptid_n = 7};

        test_row(i);
        CU_ASSERT(parse(rows[i].json, true, &a) == rows[i].want);
        if (rows[i].want)
            continue;
        TEST_SLICE_EQ(a.ue, SLICE("tel:+1555"));
        TEST_SLICE_EQ(slice_of(a.ptid, a.ptid_n), SLICE("\x0a\x0b"));
        CU_ASSERT(!a.is_private && !a.gba_u && a.label.n == 0 && a.expires_s == 1700006400);
        CU_ASSERT(a.resync == (i == 1) && a.wants_impi == (i == 1));
    }
    for (size_t i = 0; i < COUNT(broken); i++) { /* each value in turn is emptied */
        struct ppg_key_ask a;
        struct slice all = SLICE("{" NAF "," PUSH "}");
        size_t at = slice_find_slice(all, slice_str(broken[i])), n = strlen(broken[i]);
        struct buf text;

        test_row(100 + i);
        buf_init(&text, 4096);
        buf_add(&text, slice_sub(all, 0, at));
        buf_add(&text, slice_sub(all, at + n, all.n));
        buf_add_ch(&text, '\0');
        CU_ASSERT(parse(text.p, true, &a) == ERR_MALFORMED);
        buf_clear(&text);
    }
}

static void test_question_round_trip(void)
{
    struct ppg_key_ask in = {.ue = SLICE("sip:\"u\"@d"),
                             .label = SLICE("label"),
                             .aware = true,
                             .gba_u = true,
                             .is_private = true,
                             .resync = true,
                             .expires_s = NOW,
                             .ptid = {1, 2, 255},
                             .ptid_n = 3,
                             .rand = {7},
                             .auts = {8}};
    struct ppg_key_ask out;
    struct buf text;

    buf_init(&text, 2 * PPG_KEYSERVICE_MAX_N);
    MUST(sec_gba_naf_id(SLICE("naf.example"), SEC_GBA_UA_GPL, &in.naf) == ERR_OK);
    for (size_t i = 0; i < 2; i++) {
        test_row(i);
        buf_reset(&text, SIZE_MAX);
        CU_ASSERT(ppg_key_ask_print(&in, &text) == ERR_OK);
        buf_add_ch(&text, '\0');
        CU_ASSERT_FATAL(parse(text.p, true, &out) == ERR_OK);
        TEST_SLICE_EQ(out.ue, in.ue);
        TEST_SLICE_EQ(out.label, in.label);
        TEST_SLICE_EQ(slice_of(out.ptid, out.ptid_n), slice_of(in.ptid, in.ptid_n));
        CU_ASSERT(out.aware && out.gba_u && out.is_private && out.expires_s == NOW &&
                  out.resync == in.resync);
        CU_ASSERT(memcmp(out.rand, in.rand, sizeof in.rand) == 0 &&
                  memcmp(out.auts, in.auts, sizeof in.auts) == 0);
        in.resync = false;
        mem_wipe(in.rand, sizeof in.rand);
        mem_wipe(in.auts, sizeof in.auts);
    }
    in.ue = SLICE("\xff");
    CU_ASSERT(ppg_key_ask_print(&in, &text) == ERR_MALFORMED);
    buf_clear(&text);
}

/* --- answers --- */

struct given {
    struct sec_push_info info;
    struct ppg_key_ask ask;
    struct buf text;
};

static void give(struct given *g)
{
    struct sec_keyserver_conf conf = {10, 1};
    struct sec_subscriber c = {.impi = SLICE("u@d"),
                               .k = SLICE("0123456789abcdef"),
                               .opc = SLICE("0123456789abcdef"),
                               .star = SEC_AKA_STAR_SHA256};
    struct sec_push_request q = {.ue = SLICE("u@d"), .expires_s = NOW + 600};
    struct sec_keyserver *s = NULL;

    *g = (struct given){.ask = {.ptid = {1, 2}, .ptid_n = 2, .expires_s = NOW + 600}};
    MUST(sec_gba_naf_id(SLICE("naf.example"), SEC_GBA_UA_GPL, &g->ask.naf) == ERR_OK);
    q.naf_id = slice_of(g->ask.naf.octets, g->ask.naf.n);
    q.ptid = slice_of(g->ask.ptid, g->ask.ptid_n);
    MUST(sec_keyserver_create(&conf, &s) == ERR_OK);
    MUST(sec_keyserver_add(s, &c) == ERR_OK);
    MUST(sec_keyserver_allow(s, q.naf_id, 3600) == ERR_OK);
    MUST(sec_keyserver_reserved(s, c.impi, 1, 10) == ERR_OK);
    MUST(sec_keyserver_push_info(s, &q, NOW, &g->info) == ERR_OK);
    sec_keyserver_free(&s);
    buf_init(&g->text, 2 * PPG_KEYSERVICE_MAX_N);
}

static enum err print(struct given *g, int64_t expires_s)
{
    struct ppg_key_answer a = {.ks_naf = &g->info.ks_naf,
                               .ks_int = &g->info.ks_int,
                               .gpi = slice_of(g->info.gpi, g->info.gpi_n),
                               .impi = SLICE("u@d"),
                               .created_s = NOW,
                               .expires_s = expires_s};

    buf_reset(&g->text, SIZE_MAX);
    return ppg_key_answer_print(&a, &g->text);
}

static void test_answer_round_trip(void)
{
    struct sec_push_info got;
    struct given g;
    const char *why;

    give(&g);
    CU_ASSERT(print(&g, NOW + 600) == ERR_OK);
    CU_ASSERT_FATAL(ppg_push_answer_parse(buf_slice(&g.text), &g.ask, NOW + 5, &got, &why) == ERR_OK);
    TEST_SLICE_EQ(slice_of(got.gpi, got.gpi_n), slice_of(g.info.gpi, g.info.gpi_n));
    TEST_SLICE_EQ(slice_of(got.rand, sizeof got.rand), slice_of(g.info.rand, sizeof g.info.rand));
    TEST_SLICE_EQ(sec_secret_slice(&got.ks_naf), sec_secret_slice(&g.info.ks_naf));
    TEST_SLICE_EQ(sec_secret_slice(&got.ks_int), sec_secret_slice(&g.info.ks_int));
    CU_ASSERT(got.created_s == NOW + 5 && got.expires_s == NOW + 600);
    CU_ASSERT(print(&g, NOW + 60) == ERR_OK); /* the earlier end counts */
    CU_ASSERT(ppg_push_answer_parse(buf_slice(&g.text), &g.ask, NOW, &got, &why) == ERR_OK &&
              got.expires_s == NOW + 60);
    CU_ASSERT(ppg_push_answer_parse(buf_slice(&g.text), &g.ask, NOW + 60, &got, &why) == ERR_LATE);
    buf_clear(&g.text);
}

/* Another's association would be planted in a terminal. */
static void test_answers_about_something_else(void)
{
    struct sec_push_info got = {.gpi_n = 7};
    struct ppg_key_ask other;
    struct given g;
    const char *why;

    give(&g);
    CU_ASSERT(print(&g, NOW + 600) == ERR_OK);
    other = g.ask;
    other.ptid[0] ^= 1;
    CU_ASSERT(ppg_push_answer_parse(buf_slice(&g.text), &other, NOW, &got, &why) == ERR_MALFORMED);
    other = g.ask;
    MUST(sec_gba_naf_id(SLICE("other.example"), SEC_GBA_UA_GPL, &other.naf) == ERR_OK);
    CU_ASSERT(ppg_push_answer_parse(buf_slice(&g.text), &other, NOW, &got, &why) == ERR_MALFORMED);
    g.info.ks_naf.octets[5] ^= 1;
    CU_ASSERT(print(&g, NOW + 600) == ERR_OK);
    CU_ASSERT(ppg_push_answer_parse(buf_slice(&g.text), &g.ask, NOW, &got, &why) == ERR_MALFORMED);
    g.info.ks_naf.octets[5] ^= 1;
    for (size_t i = 0; i < g.info.gpi_n; i++) {
        test_row(i);
        g.info.gpi[i] ^= 1;
        CU_ASSERT(print(&g, NOW + 600) == ERR_OK);
        CU_ASSERT(ppg_push_answer_parse(buf_slice(&g.text), &g.ask, NOW, &got, &why) == ERR_MALFORMED);
        g.info.gpi[i] ^= 1;
    }
    CU_ASSERT(got.gpi_n == 7);
    buf_clear(&g.text);
}

static void test_answer_rows(void)
{
    static const char *const rows[] = {"",
                                       "null",
                                       "{}",
                                       "{\"gbaPushInfo\":\"00\"}",
                                       "{\"meKeyMaterial\":\"" KEY "\"}",
                                       "{\"gbaPushInfo\":\"00\",\"meKeyMaterial\":\"00\"}",
                                       "{\"gbaPushInfo\":\"0\",\"meKeyMaterial\":\"" KEY "\"}",
                                       "{\"gbaPushInfo\":7,\"meKeyMaterial\":\"" KEY "\"}",
                                       "{\"gbaPushInfo\":\"00\",\"meKeyMaterial\":\"" KEY "\"}",
                                       "{\"gbaPushInfo\":\"00\",\"meKeyMaterial\":\"" KEY
                                       "\",\"keyExpiryTime\":\"soon\"}"};
    struct sec_push_info got = {.gpi_n = 7};
    struct given g;
    const char *why;

    give(&g);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(ppg_push_answer_parse(slice_str(rows[i]), &g.ask, NOW, &got, &why) == ERR_MALFORMED);
        CU_ASSERT(why && why[0] && got.gpi_n == 7);
    }
    buf_clear(&g.text);
}

static void test_keys_question_round_trip(void)
{
    struct ppg_key_ask in = {.btid = SLICE("AAAAAAAAAAAAAAAAAAAAAA==@bsf.example"), .aware = true};
    struct ppg_key_ask out;
    struct buf text;

    buf_init(&text, PPG_KEYSERVICE_MAX_N);
    MUST(sec_gba_naf_id(SLICE("naf.example"), SEC_GBA_UA_DIGEST, &in.naf) == ERR_OK);
    CU_ASSERT(ppg_key_ask_print(&in, &text) == ERR_OK);
    buf_add_ch(&text, '\0');
    CU_ASSERT_FATAL(parse(text.p, false, &out) == ERR_OK);
    TEST_SLICE_EQ(out.btid, in.btid);
    TEST_SLICE_EQ(slice_of(out.naf.octets, out.naf.n), slice_of(in.naf.octets, in.naf.n));
    CU_ASSERT(out.aware);
    buf_clear(&text);
}

static void test_keys_answer_round_trip(void)
{
    struct sec_secret me, uicc;
    struct ppg_key_answer in = {
        .ks_naf = &me, .ks_int = &uicc, .impi = SLICE("u@d"), .created_s = NOW, .expires_s = NOW + 60};
    struct sec_naf_key out;
    struct buf text;
    const char *why;

    MUST(sec_secret_set_hex(&me, SLICE(KEY)) == ERR_OK && sec_secret_random(&uicc, SEC_GBA_KEY_N) == ERR_OK);
    buf_init(&text, PPG_KEYSERVICE_MAX_N);
    CU_ASSERT(ppg_key_answer_print(&in, &text) == ERR_OK);
    CU_ASSERT_FATAL(ppg_key_answer_parse(buf_slice(&text), &out, &why) == ERR_OK);
    TEST_SLICE_EQ(sec_secret_slice(&out.ks_naf), sec_secret_slice(&me));
    TEST_SLICE_EQ(sec_secret_slice(&out.ks_int), sec_secret_slice(&uicc));
    TEST_SLICE_EQ(slice_of(out.impi, out.impi_n), in.impi);
    CU_ASSERT(out.created_s == NOW && out.expires_s == NOW + 60);
    buf_wipe(&text);
}

static void test_keys_answer_rows(void)
{
    static const char *const rows[] = {"",
                                       "[]",
                                       "{}",
                                       "{\"meKeyMaterial\":\"00\"}",
                                       "{\"meKeyMaterial\":7}",
                                       "{\"meKeyMaterial\":\"" KEY "00\"}",
                                       "{\"meKeyMaterial\":\"" KEY "\",\"meKeyMaterial\":\"" KEY "\"}",
                                       "{\"meKeyMaterial\":\"" KEY "\",\"impi\":\"\"}",
                                       "{\"meKeyMaterial\":\"" KEY "\",\"impi\":[]}",
                                       "{\"meKeyMaterial\":\"" KEY "\",\"keyExpiryTime\":\"soon\"}",
                                       "{\"meKeyMaterial\":\"" KEY "\",\"uiccKeyMaterial\":\"zz\"}"};
    struct sec_naf_key out = {.impi_n = 7};
    const char *why;

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(ppg_key_answer_parse(slice_str(rows[i]), &out, &why) == ERR_MALFORMED);
        CU_ASSERT(why && why[0] && out.impi_n == 7);
    }
    CU_ASSERT(ppg_key_answer_parse(SLICE("{\"meKeyMaterial\":\"" KEY "\"}"), &out, &why) == ERR_OK);
    CU_ASSERT(out.impi_n == 0 && out.ks_int.n == 0 && out.expires_s == INT64_MAX);
}

static void test_problem(void)
{
    struct buf out;

    buf_init(&out, 200);
    ppg_problem_print(403, "not \"you\"", &out);
    TEST_SLICE_EQ(buf_slice(&out), SLICE("{\"status\":403,\"detail\":\"not \\\"you\\\"\"}"));
    buf_clear(&out);
}

const struct test_case test_cases[] = {{"keys_asked", test_keys_asked},
                                       {"push_asked", test_push_asked},
                                       {"question_round_trip", test_question_round_trip},
                                       {"answer_round_trip", test_answer_round_trip},
                                       {"answers_about_something_else", test_answers_about_something_else},
                                       {"answer_rows", test_answer_rows},
                                       {"keys_question_round_trip", test_keys_question_round_trip},
                                       {"keys_answer_round_trip", test_keys_answer_round_trip},
                                       {"keys_answer_rows", test_keys_answer_rows},
                                       {"problem", test_problem},
                                       {NULL, NULL}};
