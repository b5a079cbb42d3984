/* subscribers.conf: what becomes of a section, each mistake with its place, and that it must be its owner's alone. */
#include "tests/unit/harness.h"

#include <stdlib.h>
#include <sys/stat.h>
#include "base/codec.h"
#include "ppg/config/subscribers.h"
#include "security/gba/usim.h"

#define K    "465b5ce8b199b49faa5f0a2ee238a6bc"
#define OP   "cdc202d5123e20f62b6d676ac72cb318"
#define OPC  "cd63cb71954a9f4e48a5994e37a02baf"
#define ONE  "[subscriber one@ims.example]\n"
#define KEYS "k = " K "\nopc = " OPC "\n"
#define NOW  1700000000

struct fixture {
    struct ppg_config_errors errs;
    struct ppg_load load;
    struct sec_keyserver *server;
};

/* A keyring with the module's keys under "sim-1", and a password under "pw". */
static struct sec_keyring *keyring_make(void)
{
    static const uint8_t amf[] = {0x80, 0x00};
    struct sec_key sim = {.kind = SEC_KEY_SUBSCRIBER, .name = SLICE("sim-1"), .attr = slice_of(amf, 2)};
    struct sec_key pw = {.kind = SEC_KEY_PASSWORD, .name = SLICE("pw")};
    struct sec_keyring *r = NULL;
    uint8_t keys[32];

    MUST(sec_keyring_create(SLICE("0123456789abcdef0123456789abcdef"), &r) == ERR_OK);
    MUST(codec_unhex(SLICE(K OPC), keys, sizeof keys) == ERR_OK);
    MUST(sec_keyring_add(r, &sim, slice_of(keys, sizeof keys)) == ERR_OK);
    sim.name = SLICE("sim-revoked");
    sim.expires_s = NOW - 1;
    MUST(sec_keyring_add(r, &sim, slice_of(keys, sizeof keys)) == ERR_OK);
    MUST(sec_keyring_add(r, &pw, SLICE("sesame")) == ERR_OK);
    return r;
}

static const char *path_of(void)
{
    static char path[600];

    (void)snprintf(path, sizeof path, "%s/subscribers.conf", test_scratch());
    return path;
}

static void write_file(const char *text, mode_t mode)
{
    FILE *f = fopen(path_of(), "w");

    if (!f || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path_of(), mode) != 0)
        abort();
}

static struct fixture *read_file(const char *name)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct sec_keyring *keyring = keyring_make();
    struct ppg_subscribers_conf conf = {slice_str(name), 3600, 7, keyring};

    MUST(f);
    f->load.errs = &f->errs;
    ppg_subscribers_read(&f->load, path_of(), &conf, &f->server);
    sec_keyring_free(&keyring);
    return f;
}

static void forget(struct fixture *f)
{
    sec_keyserver_free(&f->server);
    free(f);
}

/* The server that comes of the file, and the module that the file describes, agree. */
static enum sec_gpi_verdict bootstrap(struct fixture *f, const char *ue, enum sec_aka_star star)
{
    uint8_t k[SEC_AKA_K_N] = {0}, opc[SEC_AKA_K_N] = {0};
    struct sec_usim_conf conf = {SLICE("one@ims.example"), slice_of(k, 16), slice_of(opc, 16), star};
    struct slice naf = SLICE("ppg.example.net"), impi;
    struct sec_usim_policy policy = {&naf, 1, 3600, NOW};
    struct sec_push_request q = {slice_str(ue), SLICE("ppg.example.net\x01\x00\x00\x00\x05"), SLICE("p"),
                                 SLICE_NONE, NOW + 100000};
    struct sec_push_info info;
    struct sec_usim_result r;
    struct sec_usim *u = NULL;
    struct sec_gpi_msg msg;
    uint64_t from;

    MUST(codec_unhex(SLICE(K), k, sizeof k) == ERR_OK && codec_unhex(SLICE(OPC), opc, sizeof opc) == ERR_OK);
    MUST(sec_keyserver_wants(f->server, q.ue, &impi, &from) == ERR_OK);
    MUST(sec_keyserver_reserved(f->server, q.ue, from, from + 1) == ERR_OK);
    if (sec_keyserver_push_info(f->server, &q, NOW, &info) != ERR_OK)
        return SEC_GPI_POLICY;
    CU_ASSERT(info.expires_s == NOW + 3600);
    MUST(sec_usim_create(&conf, &u) == ERR_OK &&
         sec_gpi_parse(slice_of(info.gpi, info.gpi_n), &msg) == ERR_OK);
    MUST(sec_usim_accept(u, &msg, &policy, &r) == ERR_OK);
    CU_ASSERT(r.verdict != SEC_GPI_GOOD ||
              sec_aka_seen_highest(sec_usim_seen(u)) == (from << SEC_AKA_IND_BITS | 7));
    sec_usim_free(&u);
    return r.verdict;
}

static void test_subscribers(void)
{
    struct slice impi;
    uint64_t from = 0;
    struct fixture *f;

    write_file("# keys\n" ONE KEYS "sqn = 000000000c80\namf = 8000\nidentity = tel:+1-555-0100\n"
               "identity = sip:One@IMS.example;transport=tcp\n"
               "[subscriber two@ims.example]\nk = " K "\nop = " OP "\nmodule = gba-u\n",
               0600);
    f = read_file("ppg.example.net");
    CU_ASSERT_EQUAL(f->errs.n, 0);
    CU_ASSERT_FATAL(f->server != NULL && sec_keyserver_count(f->server) == 2);
    CU_ASSERT(sec_keyserver_wants(f->server, SLICE("+15550100"), &impi, &from) == ERR_OK && from == 101);
    TEST_SLICE_EQ(impi, SLICE("one@ims.example"));
    CU_ASSERT(sec_keyserver_wants(f->server, SLICE("two@ims.example"), &impi, &from) == ERR_OK && from == 1);
    CU_ASSERT(bootstrap(f, "+15550100", SEC_AKA_PLAIN) == SEC_GPI_GOOD);
    CU_ASSERT(bootstrap(f, "sip:One@ims.example", SEC_AKA_PLAIN) == SEC_GPI_GOOD);
    forget(f);
}

/* OPc computed from OP is the one of TS 35.208 set 1; each kind of module takes its own kind of GPI. */
static void test_op_and_modules(void)
{
    static const struct {
        const char *module;
        enum sec_aka_star star;
    } rows[] = {{"plain", SEC_AKA_PLAIN}, {"gba-u", SEC_AKA_STAR_SHA256}, {"gba-u-sha1", SEC_AKA_STAR_SHA1}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *f;
        char text[300];

        test_row(i);
        (void)snprintf(text, sizeof text, ONE "k = " K "\nop = " OP "\nmodule = %s\n", rows[i].module);
        write_file(text, 0600);
        f = read_file("ppg.example.net");
        CU_ASSERT_FATAL(f->errs.n == 0 && f->server);
        for (size_t k = 0; k < COUNT(rows); k++)
            CU_ASSERT((bootstrap(f, "one@ims.example", rows[k].star) == SEC_GPI_GOOD) == (k == i));
        forget(f);
    }
}

/* The keys are the keyring's; the file only says which. */
static void test_keys_of_the_keyring(void)
{
    struct fixture *f;

    write_file(ONE "key = sim-1\nidentity = +15550100\n", 0600);
    f = read_file("ppg.example.net");
    CU_ASSERT_FATAL(f->errs.n == 0 && f->server);
    CU_ASSERT(bootstrap(f, "+15550100", SEC_AKA_PLAIN) == SEC_GPI_GOOD);
    forget(f);
    write_file(ONE "key = sim-revoked\n", 0600);
    f = read_file("ppg.example.net");
    CU_ASSERT_FATAL(f->errs.n == 0 && f->server);
    CU_ASSERT(bootstrap(f, "one@ims.example", SEC_AKA_PLAIN) == SEC_GPI_POLICY); /* none was issued */
    forget(f);
}

static void test_others_may_not_read(void)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0666, 0601};

    for (size_t i = 0; i < COUNT(modes); i++) {
        struct fixture *f;

        test_row(i);
        write_file(ONE KEYS, modes[i]);
        f = read_file("ppg.example.net");
        CU_ASSERT(f->load.err == ERR_DENIED && f->errs.n == 1);
        CU_ASSERT(sec_keyserver_count(f->server) == 0);
        forget(f);
    }
}

static void test_mistakes(void)
{
    static const struct {
        const char *text, *want; /* part of what is told */
    } rows[] = {
        {"[subscriber one]\n" KEYS, ":1: one: not a private identity"},
        {"[subscriber @ims.example]\n" KEYS, ":1: @ims.example: not a private identity"},
        {"[subscriber one@IMS.example]\n" KEYS, "not a private identity"},
        {"[subscriber o ne@ims.example]\n" KEYS, "not a private identity"},
        {"[terminal one@ims.example]\n" KEYS, "sections here are [subscriber NAME]"},
        {"k = " K "\n", ":1: k: stands before any section"},
        {ONE "opc = " OPC "\n", ":1: one@ims.example: one of key and k"},
        {ONE "identity = +1\n", ":1: one@ims.example: one of key and k"},
        {ONE "key = sim-2\n", ":2: key: the keyring has no subscriber"},
        {ONE "key = pw\n", ":2: key: the keyring has no subscriber"},
        {ONE "key = sim-1\nopc = " OPC "\n", ":1: one@ims.example: key stands for"},
        {ONE "key = sim-1\nk = " K "\n", ":1: one@ims.example: key stands for"},
        {ONE "k = " K "\n", ":1: one@ims.example: one of op and opc"},
        {ONE KEYS "op = " OP "\n", ":1: one@ims.example: one of op and opc"},
        {ONE "k = " K "0\nopc = " OPC "\n", ":2: k: not 32 hexadecimal digits"},
        {ONE "k = 465b\nopc = " OPC "\n", ":2: k: not 32 hexadecimal digits"},
        {ONE "k = " K "\nopc = zz63cb71954a9f4e48a5994e37a02baf\n", ":3: opc: not 32 hexadecimal digits"},
        {ONE "k = " K "\nop = \n", ":3: op: not 32 hexadecimal digits"},
        {ONE KEYS "k = " K "\n", ":4: k: already set"},
        {ONE KEYS "sqn = 1\n", ":4: sqn: not 12 hexadecimal digits"},
        {ONE KEYS "sqn = 0000000000001\n", ":4: sqn: not 12 hexadecimal digits"},
        {ONE KEYS "amf = 80\n", ":4: amf: not 4 hexadecimal digits"},
        {ONE KEYS "identity = \n", ":4: identity: not an address"},
        {ONE KEYS "identity = a b\n", ":4: identity: not an address"},
        {ONE KEYS "module = usim\n", ":4: module: plain, gba-u or gba-u-sha1"},
        {ONE KEYS "ident = a\n", ":4: ident: unknown key"},
        {ONE KEYS ONE KEYS, ":4: one@ims.example: it or one of its identities is already described"},
        {ONE KEYS "identity = +1\n[subscriber two@ims.example]\n" KEYS "identity = tel:+1\n",
         ":5: two@ims.example: it or one of its identities"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *f;

        test_row(i);
        write_file(rows[i].text, 0600);
        f = read_file("ppg.example.net");
        CU_ASSERT_EQUAL(f->errs.n, 1);
        CU_ASSERT(strstr(f->errs.text[0], rows[i].want) != NULL);
        CU_ASSERT(strstr(f->errs.text[0], "465b5c") == NULL && strstr(f->errs.text[0], "cd63cb") == NULL);
        forget(f);
    }
}

static void test_identities_ceiling(void)
{
    struct fixture *f;
    char text[2000] = ONE KEYS;
    size_t n = strlen(text);

    for (size_t i = 0; i <= SEC_KEYSERVER_PUBLICS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "identity = +1555%zu\n", i);
    write_file(text, 0600);
    f = read_file("ppg.example.net");
    CU_ASSERT(f->errs.n == 1 && strstr(f->errs.text[0], ":20: identity: more than 16") != NULL);
    forget(f);
}

static void test_no_server(void)
{
    struct fixture *f;

    write_file("", 0600);
    f = read_file("not a name");
    CU_ASSERT(f->errs.n == 1 && !f->server);
    forget(f);
    f = read_file("ppg.example.net");
    CU_ASSERT(f->errs.n == 0 && f->server && sec_keyserver_count(f->server) == 0);
    forget(f);
    (void)remove(path_of());
    f = read_file("ppg.example.net");
    CU_ASSERT(f->load.err == ERR_IO);
    forget(f);
}

const struct test_case test_cases[] = {
    {"subscribers", test_subscribers},
    {"keys_of_the_keyring", test_keys_of_the_keyring},
    {"op_and_modules", test_op_and_modules},
    {"others_may_not_read", test_others_may_not_read},
    {"mistakes", test_mistakes},
    {"identities_ceiling", test_identities_ceiling},
    {"no_server", test_no_server},
    {NULL, NULL},
};
