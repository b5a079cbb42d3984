/* A terminal that bootstraps, request by request, with the real key server at the other end; what it then shows servers is
 * what the key server tells them. */
#include "ota/terminal/boot.h"

#include "ota/terminal/kit_state.h"
#include "security/gba/bootinfo.h"
#include "security/gba/bootstrap.h"
#include "tests/unit/harness.h"

#define NOW_S INT64_C(1800000000)
#define LIFE  3600
#define K     SLICE("0123456789abcdef")
#define OPC   SLICE("fedcba9876543210")
#define IMPI  SLICE("user@operator.example")
#define BSF   SLICE("bsf.operator.example")
#define NAF   "ppg.operator.example"

struct bench {
    struct sec_keyserver *server;
    struct sec_bootstrap *bsf;
    struct kit *kit;
    struct kit_boot *boot;
    struct sec_bootstrap_answer answer;
    struct buf head, header, body; /* the request, and the value and the content of the answer */
    bool synced, knows_tmpis;
    int64_t asked; /* requests so far: time goes on with each */
    int64_t later_s, life_s;
    const char *why;
};

static int64_t now_s(const struct bench *t)
{
    return NOW_S + t->later_s;
}

static const struct sec_digest_request get_root = {{"GET", 3}, {"/", 1}, {NULL, 0}, true};

static void open_bench(struct bench *t, struct slice opc, enum sec_aka_star star, uint64_t seq)
{
    const struct sec_keyserver_conf servers = {10, 3};
    const struct sec_subscriber s = {
        .impi = IMPI, .k = K, .opc = opc, .sqn = seq << SEC_AKA_IND_BITS, .star = star};
    const struct sec_bootstrap_conf bsf = {BSF, 10, 60000, false};
    const struct kit_conf conf = {.max_size = 10000, .max_outstanding = 1, .seen_max = 3};
    const struct kit_module module = {
        .impi = IMPI, .k = K, .opc = OPC, .star = star, .life_max_s = LIFE, .rate = 5};

    *t = (struct bench){.why = "", .life_s = LIFE};
    CU_ASSERT_FATAL(
        sec_keyserver_create(&servers, &t->server) == ERR_OK && sec_keyserver_add(t->server, &s) == ERR_OK &&
        sec_bootstrap_create(&bsf, &t->bsf) == ERR_OK && kit_create(&conf, &t->kit) == ERR_OK &&
        kit_add_module(t->kit, &module) == ERR_OK && kit_boot_create(t->kit, BSF, &t->boot) == ERR_OK);
    buf_init(&t->head, 8192);
    buf_init(&t->header, 8192);
    buf_init(&t->body, 8192);
}

static void close_bench(struct bench *t)
{
    sec_secret_clear(&t->answer.ha1);
    kit_boot_free(&t->boot);
    kit_free(&t->kit);
    sec_bootstrap_free(&t->bsf);
    sec_keyserver_free(&t->server);
    buf_clear(&t->head);
    buf_clear(&t->header);
    buf_clear(&t->body);
}

static struct slice authorization(const struct bench *t)
{
    struct slice text = buf_slice(&t->head);
    size_t at = slice_find_slice(text, SLICE("Authorization: "));

    CU_ASSERT_FATAL(at < text.n);
    text = slice_sub(text, at + 15, text.n);
    return slice_sub(text, 0, slice_find_slice(text, SLICE("\r\n")));
}

/* As ppg/keys/seq.h does, with a store that forgets nothing. */
static void reserve(struct bench *t)
{
    struct slice impi;
    uint64_t from = 0;

    if (t->answer.sync) {
        CU_ASSERT(sec_keyserver_resync(t->server, IMPI, t->answer.rand, t->answer.auts, &from) == ERR_OK);
        t->synced = true;
    } else {
        CU_ASSERT(sec_keyserver_wants(t->server, IMPI, &impi, &from) == ERR_OK);
    }
    CU_ASSERT(sec_keyserver_reserved(t->server, IMPI, from, from + 10) == ERR_OK);
}

static void serve(struct bench *t)
{
    const struct sec_bootstrap_request q = {.authorization = authorization(t),
                                            .http = get_root,
                                            .tmpi = t->knows_tmpis,
                                            .life_s = t->life_s,
                                            .utc_ms = now_s(t) * 1000 + ++t->asked,
                                            .mono_ms = (t->later_s + t->asked) * 1000};
    struct sec_bootstrap_request now = q;
    enum err e = ERR_AGAIN;

    for (int i = 0; i < 3 && e == ERR_AGAIN; i++) {
        now.synced = t->synced;
        buf_reset(&t->header, 8192);
        sec_secret_clear(&t->answer.ha1);
        e = sec_bootstrap_step(t->bsf, t->server, &now, &t->answer, &t->header);
        if (e == ERR_AGAIN)
            reserve(t);
    }
    CU_ASSERT_FATAL(e == ERR_OK);
    t->synced = false;
    buf_reset(&t->body, 8192);
    if (t->answer.outcome != SEC_BOOTSTRAP_DONE)
        return;
    CU_ASSERT(sec_bootinfo_print(slice_of(t->answer.btid, t->answer.btid_n), t->answer.expires_s, now_s(t),
                                 &t->body) == ERR_OK);
    buf_reset(&t->header, 8192);
    CU_ASSERT(sec_digest_info(&t->answer.says, &t->answer.ha1, buf_slice(&t->body), &t->header) == ERR_OK);
}

static enum kit_boot_word tell(struct bench *t, unsigned status, const char *name, struct slice value,
                               struct slice body)
{
    const struct kit_header h[] = {{SLICE("Server"), t->knows_tmpis ? SLICE("x 3gpp-gba-tmpi") : SLICE("x")},
                                   {slice_str(name), value}};
    const struct kit_heard a = {status, h, COUNT(h), body};

    return kit_boot_heard(t->boot, &a, now_s(t), &t->why);
}

static void ask(struct bench *t)
{
    buf_reset(&t->head, 8192);
    CU_ASSERT(kit_boot_request(t->boot, &t->head) == ERR_OK);
    CU_ASSERT(slice_starts(buf_slice(&t->head), SLICE("GET / HTTP/1.1\r\nHost: bsf.operator.example\r\n")));
}

/* One request and its answer, as it comes. */
static enum kit_boot_word turn(struct bench *t)
{
    ask(t);
    serve(t);
    switch (t->answer.outcome) {
    case SEC_BOOTSTRAP_CHALLENGE:
        return tell(t, 401, "www-authenticate", buf_slice(&t->header), SLICE_NONE);
    case SEC_BOOTSTRAP_DONE:
        return tell(t, 200, "authentication-info", buf_slice(&t->header), buf_slice(&t->body));
    case SEC_BOOTSTRAP_REFUSED:
    case SEC_BOOTSTRAP_BUSY:
        break;
    }
    return tell(t, t->answer.outcome == SEC_BOOTSTRAP_BUSY ? 503 : 403, "X", SLICE_NONE, SLICE_NONE);
}

/* What the key server would tell a server that is shown this B-TID. */
static void check_psk(const struct bench *t, unsigned version, uint16_t suite, struct slice ua)
{
    struct sec_secret key;
    struct sec_naf_key told;
    struct sec_naf_id id;
    struct buf identity;
    enum sec_gba_kind kind;
    struct slice btid;

    sec_secret_init(&key);
    buf_init(&identity, 512);
    CU_ASSERT(kit_boot_psk(t->boot, SLICE(NAF), version, suite, &identity, &key) == ERR_OK);
    CU_ASSERT_FATAL(sec_gba_psk_identity_parse(buf_slice(&identity), &kind, &btid) == ERR_OK);
    CU_ASSERT(kind == SEC_GBA_ME && sec_gba_naf_id(SLICE(NAF), ua, &id) == ERR_OK);
    CU_ASSERT_FATAL(sec_bootstrap_key(t->bsf, t->server, btid, slice_of(id.octets, id.n), now_s(t), &told) ==
                    ERR_OK);
    CU_ASSERT(slice_eq(sec_secret_slice(&told.ks_naf), sec_secret_slice(&key)));
    sec_naf_key_clear(&told);
    sec_secret_clear(&key);
    buf_clear(&identity);
}

/* UC-B.3-4: nothing but the module is needed; of either kind. */
static void one_run(void)
{
    static const enum sec_aka_star stars[] = {SEC_AKA_PLAIN, SEC_AKA_STAR_SHA256, SEC_AKA_STAR_SHA1};

    for (size_t i = 0; i < COUNT(stars); i++) {
        struct bench t;

        test_row(i);
        open_bench(&t, OPC, stars[i], 7);
        CU_ASSERT(!kit_boot_good(t.boot, NOW_S));
        CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN);
        CU_ASSERT(turn(&t) == KIT_BOOT_DONE);
        CU_ASSERT(kit_boot_good(t.boot, NOW_S) && kit_boot_good(t.boot, NOW_S + LIFE - 1));
        CU_ASSERT(!kit_boot_good(t.boot, NOW_S + LIFE));
        check_psk(&t, 13, 0, SEC_GBA_UA_TLS13);
        check_psk(&t, 12, 0x00aa, SLICE("\x01\x00\x01\x00\xaa"));
        check_psk(&t, 12, 0xc02b, SLICE("\x01\x00\x01\xc0\x2b"));
        CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN && turn(&t) == KIT_BOOT_DONE); /* and another one */
        check_psk(&t, 13, 0, SEC_GBA_UA_TLS13);
        close_bench(&t);
    }
}

/* Is the one who asks named so? */
static bool says_to_be(struct bench *t, struct slice name)
{
    struct buf want;
    bool same;

    ask(t);
    buf_init(&want, 400);
    buf_addf(&want, "username=\"%.*s\"", SLICE_FMT(name));
    same = slice_find_slice(buf_slice(&t->head), buf_slice(&want)) < t->head.n;
    buf_clear(&want);
    return same;
}

/* The lasting name is shown once; then each run gives the name of the next, if the other side knows of those. */
static void shown_once(void)
{
    struct bench t;
    struct slice lasting = SLICE("\"user@operator.example\"");

    open_bench(&t, OPC, SEC_AKA_PLAIN, 7);
    CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN && turn(&t) == KIT_BOOT_DONE);
    CU_ASSERT(says_to_be(&t, IMPI));
    t.knows_tmpis = true;
    CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN && turn(&t) == KIT_BOOT_DONE);
    for (int i = 0; i < 3; i++) {
        test_row((size_t)i);
        CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN);
        CU_ASSERT(slice_find_slice(buf_slice(&t.head), lasting) >= t.head.n);
        CU_ASSERT(slice_find_slice(buf_slice(&t.head), SLICE("@tmpi.bsf.3gppnetwork.org\"")) < t.head.n);
        CU_ASSERT(turn(&t) == KIT_BOOT_DONE);
        CU_ASSERT(slice_find_slice(buf_slice(&t.head), lasting) >= t.head.n);
        TEST_SLICE_EQ(slice_of(t.answer.impi, t.answer.impi_n), IMPI);
        check_psk(&t, 13, 0, SEC_GBA_UA_TLS13);
    }
    close_bench(&t);
}

/* A key server that has lost its memory gets the lasting name again, at once and without a word to anybody; one that refuses
 * that too is not asked a third time.  A module that is ahead is followed under either name. */
static void temporary_name_forgotten(void)
{
    const struct sec_bootstrap_conf bsf = {BSF, 10, 60000, false};
    struct bench t;

    open_bench(&t, OPC, SEC_AKA_PLAIN, 7);
    t.knows_tmpis = true;
    CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN && turn(&t) == KIT_BOOT_DONE);
    sec_bootstrap_free(&t.bsf);
    CU_ASSERT_FATAL(sec_bootstrap_create(&bsf, &t.bsf) == ERR_OK);
    CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN && t.answer.outcome == SEC_BOOTSTRAP_REFUSED &&
              !t.answer.failed_login);
    CU_ASSERT(says_to_be(&t, IMPI) && kit_boot_good(t.boot, NOW_S)); /* what it had stands */
    CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN && turn(&t) == KIT_BOOT_DONE);
    check_psk(&t, 13, 0, SEC_GBA_UA_TLS13);
    CU_ASSERT(!says_to_be(&t, IMPI));
    CU_ASSERT(tell(&t, 403, "X", SLICE_NONE, SLICE_NONE) == KIT_BOOT_AGAIN && says_to_be(&t, IMPI));
    CU_ASSERT(tell(&t, 403, "X", SLICE_NONE, SLICE_NONE) == KIT_BOOT_FAILED);
    CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN && turn(&t) == KIT_BOOT_DONE && !says_to_be(&t, IMPI));
    CU_ASSERT(tell(&t, 503, "X", SLICE_NONE, SLICE_NONE) == KIT_BOOT_FAILED && !says_to_be(&t, IMPI));
    {
        const struct sec_aka_seen far = {.seq = {[3] = 90000}};

        sec_usim_restore(t.kit->gba.usim, &far);
        CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN && turn(&t) == KIT_BOOT_AGAIN && turn(&t) == KIT_BOOT_DONE);
        CU_ASSERT(t.answer.impi_n == IMPI.n && !says_to_be(&t, IMPI));
    }
    close_bench(&t);
}

/* A program that looks at the clock as kit_boot_due_s() says, through many lives of the shortest kind, beside a key server
 * that is away now and then, at the worst moments: there is a key at every second, and a server is never shown one that is
 * over, or that the key server does not know. */
static void renewed_before_the_end(void)
{
    struct bench t;
    unsigned runs = 1;

    open_bench(&t, OPC, SEC_AKA_PLAIN, 7);
    t.life_s = 60;
    t.knows_tmpis = true;
    CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN && turn(&t) == KIT_BOOT_DONE);
    CU_ASSERT(kit_boot_due_s(t.boot, NOW_S) == 54 && kit_boot_due_s(t.boot, NOW_S + 53) == 1);
    for (t.later_s = 1; t.later_s < 1200; t.later_s++) {
        /* every third time until two seconds before the end */
        bool late = runs % 3 == 0 && kit_boot_left_s(t.boot, now_s(&t)) > 2;

        test_row((size_t)t.later_s);
        CU_ASSERT(kit_boot_good(t.boot, now_s(&t)));
        if (t.later_s % 7 == 0)
            check_psk(&t, 13, 0, SEC_GBA_UA_TLS13);
        if (kit_boot_due_s(t.boot, now_s(&t)) > 0)
            continue;
        CU_ASSERT(kit_boot_left_s(t.boot, now_s(&t)) <= 6);
        CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN);
        if (late) { /* it is gone in the middle of the run */
            ask(&t);
            CU_ASSERT(tell(&t, 503, "X", SLICE_NONE, SLICE_NONE) == KIT_BOOT_FAILED);
            check_psk(&t, 13, 0, SEC_GBA_UA_TLS13); /* the one that it has is as good as before */
        } else {
            CU_ASSERT(turn(&t) == KIT_BOOT_DONE && kit_boot_due_s(t.boot, now_s(&t)) == 54);
            runs++;
        }
    }
    CU_ASSERT(runs >= 20 && runs <= 23);
    kit_boot_forget(t.boot);
    CU_ASSERT(kit_boot_due_s(t.boot, now_s(&t)) == 0);
    close_bench(&t);
}

/* A module that is ahead is followed; its numbers are part of what the kit saves. */
static void module_ahead(void)
{
    struct bench t, again;
    struct buf saved;

    buf_init(&saved, 65536);
    open_bench(&t, OPC, SEC_AKA_PLAIN, 5000);
    CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN && turn(&t) == KIT_BOOT_DONE);
    kit_save(t.kit, &saved);
    close_bench(&t);
    open_bench(&again, OPC, SEC_AKA_PLAIN, 7);
    CU_ASSERT(kit_load(again.kit, buf_slice(&saved)) == ERR_OK);
    CU_ASSERT(turn(&again) == KIT_BOOT_AGAIN); /* a challenge of old */
    CU_ASSERT(turn(&again) == KIT_BOOT_AGAIN); /* AUTS; a fresh one */
    CU_ASSERT(turn(&again) == KIT_BOOT_DONE);
    check_psk(&again, 13, 0, SEC_GBA_UA_TLS13);
    close_bench(&again);
    buf_clear(&saved);
}

static void nothing_left(struct bench *t)
{
    struct kit_login *login = NULL;
    struct sec_secret key;
    struct buf identity;

    sec_secret_init(&key);
    buf_init(&identity, 512);
    CU_ASSERT(!kit_boot_good(t->boot, NOW_S));
    CU_ASSERT(kit_boot_psk(t->boot, SLICE(NAF), 13, 0, &identity, &key) == ERR_ABSENT && key.n == 0);
    CU_ASSERT(kit_boot_login(t->boot, SLICE(NAF), &login) == ERR_ABSENT && !login);
    buf_clear(&identity);
}

/* The other end is not our network, or changes what it says: there is no key, and the next run is a whole one. */
static void networks_that_are_not_ours(void)
{
    struct bench t;

    open_bench(&t, SLICE("another OPc here"), SEC_AKA_PLAIN, 7);
    CU_ASSERT(turn(&t) == KIT_BOOT_FAILED);
    CU_ASSERT_STRING_EQUAL(t.why, "the network is not ours");
    nothing_left(&t);
    close_bench(&t);
}

static void changed_answers(void)
{
    static const char *const whys[] = {"it does not prove that it is the key server",
                                       "it does not prove that it is the key server",
                                       "it does not prove that it is the key server",
                                       "our answer is refused",
                                       "refused",
                                       "not now",
                                       "refused"};
    struct bench t;

    open_bench(&t, OPC, SEC_AKA_PLAIN, 7);
    for (size_t i = 0; i < COUNT(whys); i++) {
        struct slice info, body;
        enum kit_boot_word word = KIT_BOOT_FAILED;

        test_row(i);
        CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN);
        ask(&t);
        serve(&t);
        info = buf_slice(&t.header);
        body = buf_slice(&t.body);
        if (i == 0)
            word = tell(&t, 200, "X", info, body);
        else if (i == 1)
            word = tell(&t, 200, "Authentication-Info", info, slice_sub(body, 1, body.n));
        else if (i == 2)
            word = tell(&t, 200, "Authentication-Info", SLICE("rspauth=\"00\""), body);
        else
            word = tell(&t, i == 3 ? 401 : i == 4 ? 403 : i == 5 ? 503 : 500, "X", info, body);
        CU_ASSERT(word == KIT_BOOT_FAILED);
        CU_ASSERT_STRING_EQUAL(t.why, whys[i]);
        nothing_left(&t);
    }
    CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN && turn(&t) == KIT_BOOT_DONE);
    close_bench(&t);
}

static void challenges_that_are_none(void)
{
    static const struct {
        const char *value, *why;
    } rows[] = {
        {"", "no challenge of AKA"},
        {"Digest realm=\"bsf.operator.example\", nonce=\"AAAA\", algorithm=MD5, qop=\"auth-int\"",
         "no challenge of AKA"},
        {"Digest realm=\"bsf.operator.example\", nonce=\"AAAA\", algorithm=AKAv1-MD5, qop=\"auth-int\"",
         "a challenge that is none"},
        {"Digest realm=\"bsf.evil.example\", nonce=\"AAAA\", algorithm=AKAv1-MD5, qop=\"auth-int\"",
         "another key server"},
        {"Basic realm=\"bsf.operator.example\"", "no challenge of AKA"},
    };
    struct bench t;

    open_bench(&t, OPC, SEC_AKA_PLAIN, 7);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        ask(&t);
        CU_ASSERT(tell(&t, 401, "WWW-Authenticate", slice_str(rows[i].value), SLICE_NONE) == KIT_BOOT_FAILED);
        CU_ASSERT_STRING_EQUAL(t.why, rows[i].why);
    }
    ask(&t);
    CU_ASSERT(tell(&t, 200, "X", SLICE_NONE, SLICE("<x/>")) == KIT_BOOT_FAILED); /* nobody was challenged */
    CU_ASSERT_STRING_EQUAL(t.why, "it does not prove that it is the key server");
    nothing_left(&t);
    close_bench(&t);
}

/* The password goes to who asks in the name of that server alone. */
static void login(void)
{
    static const struct {
        const char *realm;
        enum kit_login_word want;
    } rows[] = {{"3GPP-bootstrapping@" NAF, KIT_LOGIN_AGAIN},
                {"3GPP-bootstrapping@evil.example", KIT_LOGIN_REFUSED},
                {"3GPP-bootstrapping-uicc@" NAF, KIT_LOGIN_REFUSED},
                {"push", KIT_LOGIN_REFUSED}};
    struct bench t;

    open_bench(&t, OPC, SEC_AKA_PLAIN, 7);
    CU_ASSERT(turn(&t) == KIT_BOOT_AGAIN && turn(&t) == KIT_BOOT_DONE);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kit_login *l = NULL;
        struct kit_header h = {SLICE("WWW-Authenticate"), SLICE_NONE};
        struct kit_heard a = {401, &h, 1, SLICE_NONE};
        struct buf value;

        test_row(i);
        buf_init(&value, 512);
        buf_addf(&value, "Digest realm=\"%s\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"", rows[i].realm);
        h.value = buf_slice(&value);
        CU_ASSERT_FATAL(kit_boot_login(t.boot, SLICE(NAF), &l) == ERR_OK);
        CU_ASSERT(kit_login_heard(l, &a) == rows[i].want);
        kit_login_free(&l);
        buf_clear(&value);
    }
    kit_boot_forget(t.boot);
    nothing_left(&t);
    close_bench(&t);
}

static void names(void)
{
    const struct kit_conf conf = {.max_size = 10000, .max_outstanding = 1, .seen_max = 3};
    const struct kit_module ims = {.impi = SLICE("234150999999999@ims.mnc015.mcc234.3gppnetwork.org"),
                                   .k = K,
                                   .opc = OPC,
                                   .life_max_s = LIFE,
                                   .rate = 5};
    struct kit_boot *b = NULL;
    struct kit *k = NULL;

    CU_ASSERT_FATAL(kit_create(&conf, &k) == ERR_OK);
    CU_ASSERT(kit_boot_create(k, BSF, &b) == ERR_ABSENT && !b);
    CU_ASSERT(kit_add_module(k, &ims) == ERR_OK);
    CU_ASSERT(kit_boot_create(k, SLICE("No Name"), &b) == ERR_MALFORMED && !b);
    CU_ASSERT_FATAL(kit_boot_create(k, SLICE_NONE, &b) == ERR_OK);
    TEST_SLICE_EQ(kit_boot_bsf(b), SLICE("bsf.ims.mnc015.mcc234.pub.3gppnetwork.org"));
    kit_boot_free(&b);
    kit_free(&k);
}

const struct test_case test_cases[] = {{"one_run", one_run},
                                       {"shown_once", shown_once},
                                       {"temporary_name_forgotten", temporary_name_forgotten},
                                       {"renewed_before_the_end", renewed_before_the_end},
                                       {"module_ahead", module_ahead},
                                       {"networks_that_are_not_ours", networks_that_are_not_ours},
                                       {"changed_answers", changed_answers},
                                       {"challenges_that_are_none", challenges_that_are_none},
                                       {"login", login},
                                       {"names", names},
                                       {NULL, NULL}};
