/* x-syncml-hmac: the published numbers, the grammar and all that breaks it.  The numbers were made with another
 * program.  [DM-SEC §5.1.4], requirement DM-08 (its first form). */
#include "security/login/mac.h"

#include "base/mem.h"
#include "tests/unit/harness.h"

#define USER     SLICE("ppg-client-7")
#define PASSWORD SLICE("correct horse")
#define BODY     SLICE("<SyncML xmlns=\"SYNCML:SYNCML1.2\"/>")
#define MAC      "dTm+fvDyHleJBsGHAEDUFw=="
#define MAC_HEX  "NzUzOWJlN2VmMGYyMWU1Nzg5MDZjMTg3MDA0MGQ0MTc="
#define MAC_256  "SqX6DnEnOx9+mklJh0AoVGDDYPFEGDeFFgDiGfFRpCA="
#define WBXML    "\x02\x9f\x53\x6a\x00\x6d\x6c\x71\xc3\x03\x31\x2e\x32\x01"

static const uint8_t nonce[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

static void keys_make(struct sec_mac_keys *k)
{
    uint8_t octets[SEC_MAC_KEY_N];

    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)i;
    *k = (struct sec_mac_keys){.key = {{.n = 0}}};
    MUST(sec_mac_inner(USER, PASSWORD, &k->key[SEC_MAC_MD5]) == ERR_OK);
    MUST(sec_secret_set(&k->key[SEC_MAC_SHA256], slice_of(octets, sizeof octets)) == ERR_OK);
}

static void made(enum sec_mac_algorithm a, struct slice with, struct slice body, struct sec_mac_text *out)
{
    struct sec_mac_keys k;
    struct sec_mac_text content;

    keys_make(&k);
    MUST(sec_mac_body(a, &body, 1, &content) == ERR_OK);
    MUST(sec_mac_make(a, sec_secret_slice(&k.key[a]), with, &content, out) == ERR_OK);
    sec_mac_keys_clear(&k);
    CU_ASSERT(!sec_mac_keys_any(&k));
}

static const struct {
    enum sec_mac_algorithm a;
    struct slice nonce, body;
    const char *want;
} vectors[] = {
    {SEC_MAC_MD5, {(const char *)nonce, 16}, {"<SyncML xmlns=\"SYNCML:SYNCML1.2\"/>", 34}, MAC},
    {SEC_MAC_MD5,
     {"ABEiM0RVZneImaq7zN3u/w==", 24},
     {"<SyncML xmlns=\"SYNCML:SYNCML1.2\"/>", 34},
     "ie/N93njFVR11fGIRlQi2w=="},
    {SEC_MAC_MD5, {(const char *)nonce, 16}, {WBXML, 14}, "yzLguIeDGSz8iSJC2bVe8A=="},
    {SEC_MAC_MD5, {(const char *)nonce, 16}, {NULL, 0}, "70GK/vP+1prgVlSdIPTv9g=="},
    {SEC_MAC_SHA256, {(const char *)nonce, 16}, {"<SyncML xmlns=\"SYNCML:SYNCML1.2\"/>", 34}, MAC_256},
};

static void test_vectors(void)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct sec_mac_text got;

        test_row(i);
        made(vectors[i].a, vectors[i].nonce, vectors[i].body, &got);
        TEST_SLICE_EQ(slice_of(got.p, got.n), slice_str(vectors[i].want));
    }
}

static const struct {
    const char *user, *password, *want;
} inners[] = {{"ppg-client-7", "correct horse", "TQ7K/Np+GUovElYapPD47g=="},
              {"Bruce2", "OhBehave", "PtEdr8lBQ45IbT1bZIkrOQ=="}};

static void test_inner(void)
{
    for (size_t i = 0; i < COUNT(inners); i++) {
        struct sec_secret inner;

        test_row(i);
        sec_secret_init(&inner);
        CU_ASSERT(sec_mac_inner(slice_str(inners[i].user), slice_str(inners[i].password), &inner) == ERR_OK);
        TEST_SLICE_EQ(sec_secret_slice(&inner), slice_str(inners[i].want));
    }
}

/* The body in pieces is the body: a chunked transfer and one of known length have the same mac. */
static void test_pieces(void)
{
    struct slice body = BODY;
    struct sec_mac_text whole, pieces;

    for (size_t at = 0; at <= body.n; at++) {
        struct slice parts[] = {slice_sub(body, 0, at), SLICE_NONE, slice_sub(body, at, body.n)};

        CU_ASSERT(sec_mac_body(SEC_MAC_MD5, &body, 1, &whole) == ERR_OK);
        CU_ASSERT(sec_mac_body(SEC_MAC_MD5, parts, 3, &pieces) == ERR_OK);
        TEST_SLICE_EQ(slice_of(pieces.p, pieces.n), slice_of(whole.p, whole.n));
    }
}

/* Each bit of the body, of the nonce and of the mac counts. */
static void test_flipped_bits(void)
{
    char body[34], other[16];
    struct sec_mac_text got;

    mem_copy(body, sizeof body, BODY);
    mem_copy(other, sizeof other, slice_of(nonce, sizeof nonce));
    for (size_t bit = 0; bit < 8 * sizeof body; bit++) {
        body[bit / 8] = (char)(body[bit / 8] ^ 1 << bit % 8);
        made(SEC_MAC_MD5, slice_of(nonce, sizeof nonce), slice_of(body, sizeof body), &got);
        CU_ASSERT(!slice_eq(slice_of(got.p, got.n), SLICE(MAC)));
        body[bit / 8] = (char)(body[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof other; bit++) {
        other[bit / 8] = (char)(other[bit / 8] ^ 1 << bit % 8);
        made(SEC_MAC_SHA256, slice_of(other, sizeof other), BODY, &got);
        CU_ASSERT(!slice_eq(slice_of(got.p, got.n), SLICE(MAC_256)));
        other[bit / 8] = (char)(other[bit / 8] ^ 1 << bit % 8);
    }
}

static const struct {
    const char *got;
    enum sec_mac_algorithm a;
    bool plain, hex; /* is it the vector, without and with hexadecimal? */
} sames[] = {
    {MAC, SEC_MAC_MD5, true, true},
    {MAC_HEX, SEC_MAC_MD5, false, true},
    {MAC_HEX, SEC_MAC_SHA256, false, false},
    {"dTm+fvDyHleJBsGHAEDUFw=", SEC_MAC_MD5, false, false},
    {"dTm+fvDyHleJBsGHAEDUFx==", SEC_MAC_MD5, false, false}, /* the same octets, other pad bits */
    {"dTm+fvDyHleJBsGHAEDUGw==", SEC_MAC_MD5, false, false},
    {"NzUzOWJlN2VmMGYyMWU1Nzg5MDZjMTg3MDA0MGQ0MTc", SEC_MAC_MD5, false, false},
    {"NzUzOUJFN0VGMEYyMUU1Nzg5MDZDMTg3MDA0MEQ0MTc=", SEC_MAC_MD5, false, false},
    {"A", SEC_MAC_MD5, false, false},
    {"", SEC_MAC_MD5, false, false},
};

static void test_same(void)
{
    for (size_t i = 0; i < COUNT(sames); i++) {
        struct sec_mac got = {.mac = slice_str(sames[i].got), .algorithm = sames[i].a};
        struct sec_mac_text want;

        test_row(i);
        made(SEC_MAC_MD5, slice_of(nonce, sizeof nonce), BODY, &want);
        CU_ASSERT(sec_mac_same(&got, &want, false) == sames[i].plain);
        CU_ASSERT(sec_mac_same(&got, &want, true) == sames[i].hex);
    }
}

static const struct {
    const char *in;
    enum err want;
    enum sec_mac_algorithm a;
    const char *user, *mac;
} rows[] = {
    {"algorithm=MD5, username=\"ppg-client-7\", mac=" MAC, ERR_OK, SEC_MAC_MD5, "ppg-client-7", MAC},
    {"username=\"u\",mac=" MAC, ERR_OK, SEC_MAC_MD5, "u", MAC},
    {"mac=" MAC ",username=\"u\"", ERR_OK, SEC_MAC_MD5, "u", MAC},
    {" mac = " MAC " ,\t, UserName\t=\t\"a, b\" , ALGORITHM=sha-256 ", ERR_OK, SEC_MAC_SHA256, "a, b", MAC},
    {"username=\"u\", mac=" MAC ", algorithm=md5", ERR_OK, SEC_MAC_MD5, "u", MAC},
    {"username=\"u\", mac=A", ERR_OK, SEC_MAC_MD5, "u", "A"},
    {"", ERR_MALFORMED, 0, NULL, NULL},
    {",", ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u\"", ERR_MALFORMED, 0, NULL, NULL}, /* no mac */
    {"mac=" MAC, ERR_MALFORMED, 0, NULL, NULL},       /* no user */
    {"algorithm=MD5", ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u\", mac=" MAC ", mac=" MAC, ERR_MALFORMED, 0, NULL, NULL}, /* repeated */
    {"username=\"u\", username=\"u\", mac=" MAC, ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u\", username=\"v\", mac=" MAC, ERR_MALFORMED, 0, NULL, NULL},
    {"algorithm=MD5, username=\"u\", mac=" MAC ", algorithm=MD5", ERR_MALFORMED, 0, NULL, NULL},
    {"algorithm=SHA-1, username=\"u\", mac=" MAC, ERR_UNSUPPORTED, 0, NULL, NULL}, /* unknown algorithm */
    {"algorithm=MD5-sess, username=\"u\", mac=" MAC, ERR_UNSUPPORTED, 0, NULL, NULL},
    {"algorithm=, username=\"u\", mac=" MAC, ERR_MALFORMED, 0, NULL, NULL},
    {"algorithm=\"MD5\", username=\"u\", mac=" MAC, ERR_MALFORMED, 0, NULL, NULL}, /* a token */
    {"username=u, mac=" MAC, ERR_MALFORMED, 0, NULL, NULL},                        /* not quoted */
    {"username=\"\", mac=" MAC, ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u, mac=" MAC, ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u\\\"\", mac=" MAC, ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u\\\\\", mac=" MAC, ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u\x01\", mac=" MAC, ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u\" x, mac=" MAC, ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u\", mac=\"" MAC "\"", ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u\", mac=", ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u\", mac=d!m+", ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u\", mac=" MAC " " MAC, ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u\"; mac=" MAC, ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u\", mac=" MAC ", nonce=\"x\"", ERR_MALFORMED, 0, NULL, NULL}, /* no such parameter */
    {"username=\"u\", mac" MAC, ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u\", =" MAC, ERR_MALFORMED, 0, NULL, NULL},
    {"Digest username=\"u\", mac=" MAC, ERR_MALFORMED, 0, NULL, NULL},
    {"username=\"u\", mac=" MAC_256 "A", ERR_LIMIT, 0, NULL, NULL},
};

static void test_rows(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_mac got = {.user = SLICE("before")};

        test_row(i);
        CU_ASSERT(sec_mac_parse(slice_str(rows[i].in), &got) == rows[i].want);
        if (rows[i].want) {
            TEST_SLICE_EQ(got.user, SLICE("before"));
            continue;
        }
        CU_ASSERT(got.algorithm == rows[i].a);
        TEST_SLICE_EQ(got.user, slice_str(rows[i].user));
        TEST_SLICE_EQ(got.mac, slice_str(rows[i].mac));
    }
}

static void test_too_long(void)
{
    struct sec_mac got;
    struct buf text;

    buf_init(&text, 4096);
    buf_add_str(&text, "username=\"");
    for (size_t i = 0; i <= SEC_MAC_USER_MAX_N; i++)
        buf_add_ch(&text, 'u');
    buf_add_str(&text, "\", mac=" MAC);
    CU_ASSERT(sec_mac_parse(buf_slice(&text), &got) == ERR_LIMIT);
    buf_cut(&text, 0);
    buf_add_str(&text, "username=\"u\", mac=" MAC);
    while (text.n <= SEC_MAC_HEADER_MAX_N)
        buf_add_ch(&text, ',');
    CU_ASSERT(sec_mac_parse(buf_slice(&text), &got) == ERR_LIMIT);
    buf_cut(&text, SEC_MAC_HEADER_MAX_N);
    CU_ASSERT(sec_mac_parse(buf_slice(&text), &got) == ERR_OK);
    buf_clear(&text);
}

/* What is printed is read again, and is of the stronger key. */
static void test_print(void)
{
    static const struct {
        const char *user;
        enum err want;
    } users[] = {{"ppg-client-7", ERR_OK},
                 {"a, b", ERR_OK},
                 {"", ERR_MALFORMED},
                 {"a\"b", ERR_MALFORMED},
                 {"a\nb", ERR_MALFORMED}};
    struct slice body = BODY;

    for (size_t i = 0; i < COUNT(users) * 2; i++) {
        struct sec_mac_keys k;
        struct sec_mac got;
        struct buf out;

        test_row(i);
        keys_make(&k);
        if (i % 2)
            sec_secret_clear(&k.key[SEC_MAC_SHA256]);
        buf_init(&out, 1024);
        CU_ASSERT(sec_mac_print(slice_str(users[i / 2].user), &k, slice_of(nonce, sizeof nonce), &body, 1,
                                &out) == users[i / 2].want);
        if (!users[i / 2].want) {
            CU_ASSERT(sec_mac_parse(buf_slice(&out), &got) == ERR_OK);
            TEST_SLICE_EQ(got.user, slice_str(users[i / 2].user));
            TEST_SLICE_EQ(got.mac, i % 2 ? SLICE(MAC) : SLICE(MAC_256));
            CU_ASSERT(got.algorithm == (i % 2 ? SEC_MAC_MD5 : SEC_MAC_SHA256));
        }
        buf_clear(&out);
    }
}

static const struct {
    const char *in;
    enum err want;
    size_t n;
} challenges[] = {
    {"Syncml-MAC realm=\"r\", nonce=\"ABEiM0RVZneImaq7zN3u/w==\"", ERR_OK, 16},
    {"SYNCML-mac nonce=\"QQ==\",realm=\"r\"", ERR_OK, 1},
    {"syncml-mac nonce=\"QQ==\"", ERR_OK, 1},
    {"Syncml-MAC realm=\"r\"", ERR_MALFORMED, 0},
    {"Syncml-MAC", ERR_UNSUPPORTED, 0},
    {"Syncml-MAC nonce=\"\"", ERR_MALFORMED, 0},
    {"Syncml-MAC nonce=\"QQ=\"", ERR_MALFORMED, 0},
    {"Syncml-MAC nonce=\"QQ==\", nonce=\"Qg==\"", ERR_MALFORMED, 0},
    {"Digest nonce=\"QQ==\"", ERR_UNSUPPORTED, 0},
    {"Syncml-MACs nonce=\"QQ==\"", ERR_UNSUPPORTED, 0},
    {"Basic realm=\"r\"", ERR_UNSUPPORTED, 0},
    {"", ERR_UNSUPPORTED, 0},
};

static void test_challenges(void)
{
    struct sec_mac_nonce got;
    struct buf out;

    for (size_t i = 0; i < COUNT(challenges); i++) {
        got.n = 99;
        test_row(i);
        CU_ASSERT(sec_mac_challenged(slice_str(challenges[i].in), &got) == challenges[i].want);
        CU_ASSERT(got.n == (challenges[i].want ? 99 : challenges[i].n));
    }
    buf_init(&out, 4096);
    CU_ASSERT(sec_mac_challenge(SLICE("a \"b\""), SLICE("x"), &out) == ERR_MALFORMED);
    CU_ASSERT(out.n == 0 && sec_mac_challenge(SLICE("push"), slice_of(nonce, sizeof nonce), &out) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&out), SLICE("Syncml-MAC realm=\"push\", nonce=\"ABEiM0RVZneImaq7zN3u/w==\""));
    CU_ASSERT(sec_mac_challenged(buf_slice(&out), &got) == ERR_OK);
    TEST_SLICE_EQ(slice_of(got.p, got.n), slice_of(nonce, sizeof nonce));
    buf_cut(&out, 0);
    for (size_t i = 0; i < SEC_MAC_NONCE_MAX_N + 3; i += 3)
        buf_add_str(&out, "AAAA");
    got.n = 99;
    CU_ASSERT(sec_mac_nonce_parse(buf_slice(&out), &got) == ERR_LIMIT && got.n == 99);
    buf_clear(&out);
}

const struct test_case test_cases[] = {
    {"vectors", test_vectors},
    {"inner", test_inner},
    {"pieces", test_pieces},
    {"flipped_bits", test_flipped_bits},
    {"same", test_same},
    {"rows", test_rows},
    {"too_long", test_too_long},
    {"print", test_print},
    {"challenges", test_challenges},
    {NULL, NULL},
};
