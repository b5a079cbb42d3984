/* base/net/tls_hold.c: the name of a shared key in records made by hand, whole and in pieces, and what is no name; the
 * waiting itself is test_tls_psk.c's. */
#include "base/net/tls_hold.h"

#include "tests/unit/harness.h"

#define VERSION "\x03\x03"
#define RANDOM  "0123456789abcdef0123456789abcdef"

static void add16(struct buf *b, size_t n)
{
    buf_add_ch(b, (char)(n >> 8));
    buf_add_ch(b, (char)n);
}

static void add_message(struct buf *b, uint8_t type, struct slice body)
{
    buf_add_ch(b, (char)type);
    buf_add_ch(b, '\0');
    add16(b, body.n);
    buf_add(b, body);
}

static void add_record(struct buf *b, uint8_t type, struct slice payload)
{
    buf_add_ch(b, (char)type);
    buf_add_str(b, VERSION);
    add16(b, payload.n);
    buf_add(b, payload);
}

/* A ClientHello of one extension: no session id, one suite, no compression. */
static void add_hello(struct buf *b, uint16_t extension, struct slice content)
{
    struct buf body;

    buf_init(&body, 4096);
    buf_add_str(&body, VERSION RANDOM);
    buf_add(&body, SLICE("\x00\x00\x02\x13\x01\x01\x00"));
    add16(&body, content.n + 4);
    add16(&body, extension);
    add16(&body, content.n);
    buf_add(&body, content);
    add_message(b, 1, buf_slice(&body));
    buf_clear(&body);
}

/* Two identities, and a binder that nobody looks at. */
#define OFFER SLICE("\x00\x12\x00\x03one\x00\x00\x00\x00\x00\x03two\x00\x00\x00\x00\x00\x04\x03yyy")

/* Everything in records of at most `piece` octets; the name that is found last. */
static unsigned feed(struct tls_hold *h, struct slice messages, size_t piece, char name[64], size_t *name_n)
{
    unsigned found = 0, version;
    struct slice identity;
    struct buf b;

    *name_n = 0;
    for (size_t at = 0; at < messages.n; at += piece) {
        buf_init(&b, 65536);
        add_record(&b, 22, slice_sub(messages, at, piece));
        CU_ASSERT(tls_hold_record_n(buf_slice(&b)) == b.n);
        if (tls_hold_look(h, buf_slice(&b), &version, &identity)) {
            found = version;
            *name_n = identity.n < 64 ? identity.n : 63;
            for (size_t i = 0; i < *name_n; i++)
                name[i] = identity.p[i];
        }
        buf_clear(&b);
    }
    return found;
}

static void test_names(void)
{
    struct buf m;

    for (size_t piece = 1; piece < 120; piece++) {
        struct tls_hold *h = NULL;
        char name[64];
        size_t n;

        test_row(piece);
        CU_ASSERT_FATAL(tls_hold_create(&h) == ERR_OK);
        buf_init(&m, 4096);
        add_hello(&m, 41, OFFER);
        CU_ASSERT(feed(h, buf_slice(&m), piece, name, &n) == 13 && !h->over);
        TEST_SLICE_EQ(slice_of(name, n), SLICE("one"));
        buf_reset(&m, 4096);
        add_hello(&m, 41, OFFER); /* a second one, asked for by HelloRetryRequest */
        CU_ASSERT(feed(h, buf_slice(&m), piece, name, &n) == 13);
        buf_reset(&m, 4096);
        add_message(&m, 16, SLICE("\x00\x05three\x00\x20more"));
        CU_ASSERT(feed(h, buf_slice(&m), piece, name, &n) == 12 && h->over);
        TEST_SLICE_EQ(slice_of(name, n), SLICE("three"));
        buf_clear(&m);
        tls_hold_free(&h);
    }
}

static void test_no_names(void)
{
    static const struct {
        uint16_t extension;
        struct slice content;
    } rows[] = {{40, {"\x00\x09\x00\x03one\x00\x00\x00\x00", 11}},
                {41, {"", 0}},
                {41, {"\x00", 1}},
                {41, {"\x00\x00", 2}},
                {41, {"\x00\x09\x00", 3}},
                {41, {"\x00\x09\x00\x00", 4}},
                {41, {"\x00\x09\x00\x0aone", 7}},
                {41, {"\x00\x09\xff\xffone", 7}}};
    char name[64];
    struct buf m;
    size_t n;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tls_hold *h = NULL;

        test_row(i);
        CU_ASSERT_FATAL(tls_hold_create(&h) == ERR_OK);
        buf_init(&m, 4096);
        add_hello(&m, rows[i].extension, rows[i].content);
        CU_ASSERT(feed(h, buf_slice(&m), 4096, name, &n) == 0 && n == 0);
        buf_clear(&m);
        tls_hold_free(&h);
    }
}

static void test_bad_key_exchanges(void)
{
    static const struct slice rows[] = {
        {"", 0}, {"\x00", 1}, {"\x00\x00", 2}, {"\x00\x05one", 5}, {"\xff\xffone", 5}};
    char name[64];
    struct buf m;
    size_t n;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tls_hold *h = NULL;

        test_row(i);
        CU_ASSERT_FATAL(tls_hold_create(&h) == ERR_OK);
        buf_init(&m, 4096);
        add_message(&m, 16, rows[i]);
        CU_ASSERT(feed(h, buf_slice(&m), 4096, name, &n) == 0 && h->over);
        buf_clear(&m);
        tls_hold_free(&h);
    }
}

/* Where a record ends, and what is none. */
static void test_records(void)
{
    static const struct {
        struct slice wire;
        size_t want;
    } rows[] = {{{"", 0}, 0},
                {{"\x16\x03\x03\x00", 4}, 0},
                {{"\x16\x03\x03\x00\x02x", 6}, 0},
                {{"\x16\x03\x03\x00\x02xy", 7}, 7},
                {{"\x16\x03\x03\x00\x02xyz", 8}, 7},
                {{"\x14\x03\x03\x00\x01\x01", 6}, 6},
                {{"\x17\x03\x03\x00\x00", 5}, 5},
                {{"\x16\x03\x03\x48\x01x", 6}, 6}, /* longer than any */
                {{"GET / HTTP/1.1", 14}, 14},
                {{"\x80\x2e\x01\x03\x03zzz", 8}, 8}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(tls_hold_record_n(rows[i].wire) == rows[i].want);
    }
}

/* Nothing is looked at behind what is encrypted, no TLS, or too long. */
static void test_over(void)
{
    static const struct slice ends[] = {
        {"\x17\x03\x03\x00\x01x", 6}, {"GET / HTTP/1.1", 14}, {"\x16\x03", 2}};
    static const struct slice goes_on[] = {{"\x14\x03\x03\x00\x01\x01", 6},
                                           {"\x15\x03\x03\x00\x02\x01\x00", 7}};
    struct slice identity;
    unsigned version;
    struct tls_hold *h = NULL;

    for (size_t i = 0; i < COUNT(ends); i++) {
        test_row(i);
        CU_ASSERT_FATAL(tls_hold_create(&h) == ERR_OK);
        CU_ASSERT(!tls_hold_look(h, ends[i], &version, &identity) && h->over);
        tls_hold_free(&h);
    }
    for (size_t i = 0; i < COUNT(goes_on); i++) {
        test_row(i);
        CU_ASSERT_FATAL(tls_hold_create(&h) == ERR_OK);
        CU_ASSERT(!tls_hold_look(h, goes_on[i], &version, &identity) && !h->over);
        tls_hold_free(&h);
    }
}

static void test_a_message_without_end(void)
{
    struct slice identity;
    unsigned version, records = 0;
    struct tls_hold *h = NULL;
    struct buf b;

    CU_ASSERT_FATAL(tls_hold_create(&h) == ERR_OK);
    buf_init(&b, 65536);
    buf_add(&b, SLICE("\x16\x03\x03\x40\x00\x01\xff\xff\xff"));
    while (b.n < 5 + 16384)
        buf_add_ch(&b, 'x');
    while (!h->over && records++ < 100)
        CU_ASSERT(!tls_hold_look(h, buf_slice(&b), &version, &identity));
    CU_ASSERT(h->over && records < 8);
    buf_clear(&b);
    tls_hold_free(&h);
}

const struct test_case test_cases[] = {
    {"names", test_names},
    {"no_names", test_no_names},
    {"bad_key_exchanges", test_bad_key_exchanges},
    {"records", test_records},
    {"over", test_over},
    {"a_message_without_end", test_a_message_without_end},
    {NULL, NULL},
};
