/* base/net/tls_psk.c by way of base/net/tls.c: two sessions back to back that share a key, or do not. */
#include "base/net/tls_psk.h"

#include <stdio.h>
#include "base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/tlsduo.h"

#define KEY_16  "0123456789abcdef"
#define KEY_64  KEY_16 KEY_16 KEY_16 KEY_16
#define TWO_56  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define ONLY_12 "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:"
#define ONLY_13 "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:"

struct book {
    size_t asked, dropped;
    unsigned version; /* of the last question */
    uint16_t suite;
    bool fetched; /* what is far away has come */
    size_t used;  /* handshakes that came to their end */
};

static bool find(void *arg, struct slice identity, unsigned version, struct slice *key)
{
    struct book *b = arg;

    b->asked++;
    b->version = version;
    if (version == 12 && slice_eq(identity, SLICE("old")))
        *key = SLICE(KEY_16);
    else if (slice_eq(identity, SLICE("mms")))
        *key = SLICE(KEY_64);
    else
        return false;
    return true;
}

static void drop(void *arg)
{
    ((struct book *)arg)->dropped++;
}

static struct net_tls_ctx *server_ctx(struct book *b, unsigned version_min)
{
    struct net_tls_conf conf = {.role = NET_TLS_SERVER,
                                .version_min = version_min,
                                .psk = {.find = find, .drop = drop, .arg = b, .hint = "3GPP-bootstrapping"}};
    struct net_tls_ctx *ctx = NULL;
    const char *why;

    CU_ASSERT_EQUAL_FATAL(net_tls_ctx_create(&conf, &ctx, &why), ERR_OK);
    return ctx;
}

static struct net_tls_ctx *client_ctx(const char *identity, const char *key, const char *priority)
{
    struct net_tls_conf conf = {.role = NET_TLS_CLIENT,
                                .version_min = 12,
                                .psk_identity = slice_str(identity),
                                .psk_key = slice_str(key),
                                .priority = priority};
    struct net_tls_ctx *ctx = NULL;
    const char *why;

    CU_ASSERT_EQUAL_FATAL(net_tls_ctx_create(&conf, &ctx, &why), ERR_OK);
    return ctx;
}

/* --- keys that depend on the session --- */

/* The key of "made" is a text of the suite's number. */
static bool derive(void *arg, struct slice identity, unsigned version, uint16_t suite,
                   uint8_t key[NET_TLS_PSK_MAX_N], size_t *key_n)
{
    struct book *b = arg;

    b->version = version;
    b->suite = suite;
    if (!slice_eq(identity, SLICE("made")))
        return false;
    *key_n = (size_t)snprintf((char *)key, NET_TLS_PSK_MAX_N, "0123456789abcdef-%04x", suite);
    return true;
}

static void case_derived(void)
{
    static const struct {
        const char *identity, *key, *priority;
        enum err want;
        uint16_t suite;
    } rows[] = {
        {"made", KEY_16 "-00aa", ONLY_12 "+DHE-PSK:-CIPHER-ALL:+AES-128-GCM", ERR_OK, 0x00aa},
        {"made", KEY_16 "-00ab", ONLY_12 "+DHE-PSK:-CIPHER-ALL:+AES-256-GCM", ERR_OK, 0x00ab},
        {"made", KEY_16 "-ccad", ONLY_12 "+DHE-PSK:-CIPHER-ALL:+CHACHA20-POLY1305", ERR_OK, 0xccad},
        {"made", KEY_16 "-ccac", ONLY_12 "+ECDHE-PSK:-CIPHER-ALL:+CHACHA20-POLY1305", ERR_OK, 0xccac},
        {"made", KEY_16 "-0000", NULL, ERR_OK, 0},
        {"made", KEY_16 "-00aa", ONLY_12 "+DHE-PSK:-CIPHER-ALL:+AES-256-GCM", ERR_PEER, 0x00ab},
        {"made", KEY_16 "-00aa", NULL, ERR_PEER, 0},
        {"other", KEY_16 "-00aa", ONLY_12 "+DHE-PSK:-CIPHER-ALL:+AES-128-GCM", ERR_PEER, 0x00aa},
        {"mms", KEY_64, ONLY_12 "+DHE-PSK", ERR_OK, 0xffff}, /* has a key: never asked */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct book book = {.suite = 0xffff};
        struct net_tls_conf conf = {
            .role = NET_TLS_SERVER, .version_min = 12, .psk = {.find = find, .derive = derive, .arg = &book}};
        struct net_tls_ctx *cc = client_ctx(rows[i].identity, rows[i].key, rows[i].priority), *sc = NULL;
        const char *why;
        struct tls_duo d;

        test_row(i);
        CU_ASSERT_EQUAL_FATAL(net_tls_ctx_create(&conf, &sc, &why), ERR_OK);
        d = tls_duo_of(cc, sc, "push.example");
        CU_ASSERT_EQUAL(d.server_err, rows[i].want);
        CU_ASSERT_EQUAL(book.suite, rows[i].suite);
        tls_duo_close(&d);
        net_tls_ctx_free(&cc);
        net_tls_ctx_free(&sc);
    }
}

/* --- keys for one handshake --- */

static bool used(void *arg, struct slice identity)
{
    struct book *b = arg;

    CU_ASSERT(slice_eq(identity, SLICE("mms")));
    return b->used++ == 0;
}

/* Whoever fails before the end uses nothing up; the second that comes there is turned away, of either version. */
static void case_used(void)
{
    static const char *const priorities[] = {NULL, ONLY_12 "+DHE-PSK"};

    for (size_t i = 0; i < COUNT(priorities); i++) {
        struct book book = {.used = 0};
        struct net_tls_conf conf = {
            .role = NET_TLS_SERVER, .version_min = 12, .psk = {.find = find, .used = used, .arg = &book}};
        struct net_tls_ctx *good = client_ctx("mms", KEY_64, priorities[i]), *sc = NULL;
        struct net_tls_ctx *bad = client_ctx("mms", KEY_16, priorities[i]);
        const char *why;
        struct tls_duo d;

        test_row(i);
        CU_ASSERT_EQUAL_FATAL(net_tls_ctx_create(&conf, &sc, &why), ERR_OK);
        d = tls_duo_of(bad, sc, "push.example");
        CU_ASSERT(d.server_err == ERR_PEER && book.used == 0);
        tls_duo_close(&d);
        d = tls_duo_of(good, sc, "push.example");
        CU_ASSERT(d.server_err == ERR_OK && d.client_err == ERR_OK && book.used == 1);
        tls_duo_close(&d);
        d = tls_duo_of(good, sc, "push.example");
        CU_ASSERT(d.server_err == ERR_DENIED && book.used == 2);
        CU_ASSERT_STRING_EQUAL(net_tls_why(d.server), "psk");
        CU_ASSERT(net_tls_handshake(d.server) == ERR_PEER && book.used == 2);
        tls_duo_close(&d);
        net_tls_ctx_free(&good);
        net_tls_ctx_free(&bad);
        net_tls_ctx_free(&sc);
    }
}

/* --- keys that are far away --- */

static bool wants(void *arg, struct slice identity, unsigned version, uint16_t suite)
{
    struct book *b = arg;

    (void)version, (void)suite;
    return slice_eq(identity, SLICE("made")) && !b->fetched;
}

static const struct {
    const char *key, *priority;
    enum net_tls_status answer;
    enum err want;
    const char *why;
    unsigned version;
    uint16_t suite;
} far_rows[] = {
    {KEY_16 "-00aa", ONLY_12 "+DHE-PSK:-CIPHER-ALL:+AES-128-GCM", NET_TLS_STATUS_GOOD, ERR_OK, "", 12, 0xaa},
    {KEY_16 "-ccac", ONLY_12 "+ECDHE-PSK:-CIPHER-ALL:+CHACHA20-POLY1305", NET_TLS_STATUS_GOOD, ERR_OK, "", 12,
     0xccac},
    {KEY_16 "-0000", NULL, NET_TLS_STATUS_GOOD, ERR_OK, "", 13, 0},
    {KEY_16 "-00ab", ONLY_12 "+DHE-PSK:-CIPHER-ALL:+AES-128-GCM", NET_TLS_STATUS_GOOD, ERR_PEER, "psk", 12,
     0xaa},
    {KEY_16 "-0001", NULL, NET_TLS_STATUS_GOOD, ERR_PEER, "psk", 13, 0},
    {KEY_16 "-00aa", ONLY_12 "+DHE-PSK:-CIPHER-ALL:+AES-128-GCM", NET_TLS_STATUS_UNKNOWN, ERR_DENIED,
     "key-away", 12, 0xaa},
    {KEY_16 "-0000", NULL, NET_TLS_STATUS_UNKNOWN, ERR_DENIED, "key-away", 13, 0},
};

static void case_far(void)
{
    for (size_t i = 0; i < COUNT(far_rows); i++) {
        struct book book = {.suite = 0xffff};
        struct net_tls_conf conf = {.role = NET_TLS_SERVER,
                                    .version_min = 12,
                                    .psk = {.find = find, .derive = derive, .wants = wants, .arg = &book}};
        struct net_tls_ctx *cc = client_ctx("made", far_rows[i].key, far_rows[i].priority), *sc = NULL;
        struct net_tls_key_name name;
        const char *why;
        struct tls_duo d;

        test_row(i);
        CU_ASSERT_EQUAL_FATAL(net_tls_ctx_create(&conf, &sc, &why), ERR_OK);
        d = tls_duo_of(cc, sc, "push.example");
        CU_ASSERT(d.client_err == ERR_AGAIN && d.server_err == ERR_AGAIN && book.asked == 0);
        CU_ASSERT_FATAL(net_tls_key_question(d.server, &name));
        TEST_SLICE_EQ(name.identity, SLICE("made"));
        CU_ASSERT(name.version == far_rows[i].version && name.suite == far_rows[i].suite);
        book.fetched = far_rows[i].answer == NET_TLS_STATUS_GOOD;
        net_tls_answer(d.server, far_rows[i].answer);
        CU_ASSERT(!net_tls_key_question(d.server, &name));
        tls_duo_go_on(&d);
        CU_ASSERT_EQUAL(d.server_err, far_rows[i].want);
        CU_ASSERT_EQUAL(d.client_err, far_rows[i].want ? ERR_PEER : ERR_OK);
        CU_ASSERT_STRING_EQUAL(net_tls_why(d.server), far_rows[i].why);
        CU_ASSERT((far_rows[i].want == ERR_DENIED) == !strcmp(net_tls_why(d.client), NET_TLS_PEER_TROUBLE));
        tls_duo_close(&d);
        net_tls_ctx_free(&cc);
        net_tls_ctx_free(&sc);
    }
}

/* Whoever leaves, or goes on talking, while it waits harms nobody but itself. */
static void case_far_and_gone(void)
{
    struct book book = {.suite = 0xffff};
    struct net_tls_conf conf = {.role = NET_TLS_SERVER,
                                .version_min = 12,
                                .psk = {.find = find, .derive = derive, .wants = wants, .arg = &book}};
    struct net_tls_ctx *cc = client_ctx("made", KEY_16 "-0000", NULL), *sc = NULL;
    struct net_tls_key_name name;
    const char *why;
    enum err e = ERR_OK;
    struct tls_duo d;

    CU_ASSERT_EQUAL_FATAL(net_tls_ctx_create(&conf, &sc, &why), ERR_OK);
    d = tls_duo_of(cc, sc, "push.example");
    CU_ASSERT(net_tls_key_question(d.server, &name));
    tls_duo_close(&d);
    d = tls_duo_of(cc, sc, "push.example");
    for (int i = 0; i < 100 && !e; i++) {
        char more[4096] = {22, 3, 3, 15, 0};

        e = net_tls_feed(d.server, slice_of(more, sizeof more));
        CU_ASSERT(net_tls_handshake(d.server) == ERR_AGAIN);
    }
    CU_ASSERT(e == ERR_LIMIT);
    tls_duo_close(&d);
    net_tls_ctx_free(&cc);
    net_tls_ctx_free(&sc);
}

static void case_keys(void)
{
    static const struct {
        const char *identity, *key, *priority;
        unsigned version_min;
        enum err want;
        const char *why, *version;
    } rows[] = {
        {"mms", KEY_64, NULL, 12, ERR_OK, "", "TLS1.3"},
        {"mms", KEY_64, NULL, 13, ERR_OK, "", "TLS1.3"},
        {"mms", KEY_64, ONLY_12 "+DHE-PSK", 12, ERR_OK, "", "TLS1.2"},
        {"mms", KEY_64, ONLY_12 "+ECDHE-PSK", 12, ERR_OK, "", "TLS1.2"},
        {"old", KEY_16, ONLY_12 "+DHE-PSK", 12, ERR_OK, "", "TLS1.2"},
        {"old", KEY_16, NULL, 12, ERR_PEER, "psk", ""}, /* not for TLS 1.3 */
        {"mms", KEY_16, NULL, 12, ERR_PEER, "psk", ""},
        {"mms", KEY_16, ONLY_12 "+DHE-PSK", 12, ERR_PEER, "psk", ""},
        {"mms", KEY_16, ONLY_12 "+ECDHE-PSK", 12, ERR_PEER, "psk", ""},
        {"nobody", KEY_64, NULL, 12, ERR_PEER, "psk", ""},
        {"nobody", KEY_64, ONLY_12 "+DHE-PSK", 12, ERR_PEER, "psk", ""},
        {"MMS", KEY_64, NULL, 12, ERR_PEER, "psk", ""},
        {"mms ", KEY_64, NULL, 12, ERR_PEER, "psk", ""},
        {TWO_56 TWO_56 TWO_56 TWO_56, KEY_64, NULL, 12, ERR_PEER, "psk", ""},
        {"mms", KEY_64, ONLY_12 "+PSK", 12, ERR_PEER, "no-shared-suite", ""}, /* no forward secrecy */
        {"mms", KEY_64, ONLY_13 "+PSK", 12, ERR_PEER, "no-shared-suite", ""},
        {"mms", KEY_64, ONLY_12 "+DHE-PSK", 13, ERR_PEER, "version", ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct book book = {.asked = 0};
        struct net_tls_ctx *cc = client_ctx(rows[i].identity, rows[i].key, rows[i].priority);
        struct net_tls_ctx *sc = server_ctx(&book, rows[i].version_min);
        struct tls_duo d = tls_duo_of(cc, sc, "push.example");

        test_row(i);
        CU_ASSERT_EQUAL(d.server_err, rows[i].want);
        TEST_SLICE_EQ(slice_str(net_tls_why(d.server)), slice_str(rows[i].why));
        TEST_SLICE_EQ(slice_str(net_tls_peer(d.server)->version), slice_str(rows[i].version));
        TEST_SLICE_EQ(net_tls_peer(d.server)->psk, rows[i].want ? SLICE_NONE : slice_str(rows[i].identity));
        CU_ASSERT(!net_tls_peer(d.server)->has_cert && !net_tls_peer(d.server)->verified);
        CU_ASSERT_EQUAL(d.client_err == ERR_OK, rows[i].want == ERR_OK);
        net_tls_ctx_free(&cc);
        net_tls_ctx_free(&sc);
        CU_ASSERT_EQUAL(book.dropped, 0); /* the session still asks */
        tls_duo_close(&d);
        CU_ASSERT_EQUAL(book.dropped, 1);
    }
}

/* What the server sends to a stranger is what it sends to one with a wrong key, flight by flight. */
static void case_stranger_looks_alike(void)
{
    static const char *const priorities[] = {NULL, ONLY_12 "+DHE-PSK", ONLY_12 "+ECDHE-PSK"};

    for (size_t i = 0; i < COUNT(priorities); i++) {
        size_t sent[2][10] = {{0}};

        for (size_t who = 0; who < 2; who++) {
            struct book book = {.asked = 0};
            struct net_tls_ctx *cc = client_ctx(who ? "you" : "mms", KEY_16, priorities[i]);
            struct net_tls_ctx *sc = server_ctx(&book, 12);
            struct net_tls *client, *server;
            enum err ce = ERR_AGAIN, se = ERR_AGAIN;

            CU_ASSERT_EQUAL_FATAL(net_tls_create(cc, SLICE("push.example"), &client), ERR_OK);
            CU_ASSERT_EQUAL_FATAL(net_tls_create(sc, SLICE_NONE, &server), ERR_OK);
            for (size_t k = 0; k < 10; k++) {
                ce = ce == ERR_AGAIN ? net_tls_handshake(client) : ce;
                tls_carry(client, server);
                se = se == ERR_AGAIN ? net_tls_handshake(server) : se;
                sent[who][k] = net_tls_out_n(server);
                tls_carry(server, client);
            }
            CU_ASSERT(book.asked >= 1);
            CU_ASSERT_EQUAL(se, ERR_PEER);
            TEST_SLICE_EQ(slice_str(net_tls_why(client)), SLICE("alert"));
            net_tls_free(&client);
            net_tls_free(&server);
            net_tls_ctx_free(&cc);
            net_tls_ctx_free(&sc);
        }
        test_row(i);
        for (size_t k = 0; k < 10; k++) {
            size_t a = sent[0][k], b = sent[1][k];

            CU_ASSERT((a > b ? a - b : b - a) <=
                      (i == 1 ? 2 : 0)); /* DHE: a random number's first octets may be 0 */
        }
    }
}

static void case_bad_settings(void)
{
    struct book book = {.asked = 0};
    const struct {
        struct slice identity, key;
    } rows[] = {{SLICE("mms"), SLICE("")},
                {SLICE("mms"), SLICE(KEY_64 "x")},
                {SLICE(TWO_56 TWO_56 TWO_56 TWO_56 TWO_56 TWO_56 TWO_56 TWO_56 TWO_56 TWO_56 TWO_56 TWO_56
                           TWO_56 TWO_56 TWO_56 TWO_56 "x"),
                 SLICE(KEY_64)}};
    struct net_tls_conf server = {.role = NET_TLS_SERVER,
                                  .verify = NET_TLS_VERIFY_OPTIONAL,
                                  .version_min = 12,
                                  .ca_pem = SLICE("x"),
                                  .psk = {.find = find, .drop = drop, .arg = &book}};
    struct net_tls_ctx *ctx = NULL;
    const char *why = "";

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_tls_conf conf = {.role = NET_TLS_CLIENT,
                                    .version_min = 12,
                                    .psk_identity = rows[i].identity,
                                    .psk_key = rows[i].key};

        test_row(i);
        CU_ASSERT_EQUAL(net_tls_ctx_create(&conf, &ctx, &why), ERR_MALFORMED);
        CU_ASSERT(*why && !ctx);
    }
    CU_ASSERT_EQUAL(net_tls_ctx_create(&server, &ctx, &why), ERR_MALFORMED);
    CU_ASSERT_EQUAL(book.dropped, 0); /* who gave it keeps it */
}

const struct test_case test_cases[] = {
    {"keys", case_keys},
    {"stranger_looks_alike", case_stranger_looks_alike},
    {"bad_settings", case_bad_settings},
    {"derived", case_derived},
    {"used", case_used},
    {"far", case_far},
    {"far_and_gone", case_far_and_gone},
    {NULL, NULL},
};
