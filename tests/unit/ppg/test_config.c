/* The whole configuration: the files in conf/ load, a mistake in any file keeps nothing, holders keep a value alive. */
#include "tests/unit/harness.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ppg/config.h"

static struct ppg_config_errors errs;

/* A small good set of files, which each test spoils in its own way. */
static void write_all(void)
{
    test_write_file("ppg.conf", "[pap]\nlisten = 127.0.0.1:0\n", 0644);
    test_write_file("initiators.conf", "[initiator mms]\ncertificate = DNS:mmsc.example.net\n", 0644);
    test_write_file("whitelist.conf", "allow mms +1555* *\n", 0644);
    test_write_file("terminals.conf", "[terminal +15550100]\nroute = http://198.51.100.7:4035\n", 0644);
}

static void test_shipped(void)
{
    struct ppg_config *c = NULL;
    struct sec_whitelist_verdict v;

    CU_ASSERT_EQUAL_FATAL(ppg_config_load(test_path("../conf/ppg.conf"), &c, &errs), ERR_OK);
    CU_ASSERT_EQUAL(errs.n, 0);
    CU_ASSERT_EQUAL(sec_accounts_count(ppg_config_accounts(c)), 2);
    CU_ASSERT_EQUAL(sec_whitelist_rules(ppg_config_whitelist(c)), 3);
    CU_ASSERT_EQUAL(ota_registry_n(ppg_config_registry(c)), 2);
    CU_ASSERT(slice_ends(slice_str(ppg_config_path(c)), SLICE("conf/ppg.conf")));
    sec_whitelist_decide(ppg_config_whitelist(c),
                         &(struct sec_whitelist_query){.initiator = SLICE("bank"),
                                                       .recipient = SLICE("sip:alice@example.net"),
                                                       .application = SLICE("x")},
                         &v);
    CU_ASSERT(v.allow && v.demanded == SEC_LEVEL_FULL);
    ppg_config_drop(&c);
    CU_ASSERT_PTR_NULL(c);
}

static void test_own_files(void)
{
    struct ppg_config *c = NULL, *again = NULL;

    write_all();
    CU_ASSERT_EQUAL_FATAL(ppg_config_load(test_in_scratch("ppg.conf"), &c, &errs), ERR_OK);
    CU_ASSERT_EQUAL(ppg_config_settings(c)->pap.listen[0].port, 0);
    CU_ASSERT_PTR_NOT_NULL(sec_accounts_find(ppg_config_accounts(c), SLICE("mms")));
    CU_ASSERT_PTR_NOT_NULL(ota_registry_find(ppg_config_registry(c), SLICE("+15550100")));
    CU_ASSERT_EQUAL_FATAL(ppg_config_load(test_in_scratch("ppg.conf"), &again, &errs), ERR_OK);
    CU_ASSERT(ppg_config_generation(again) > ppg_config_generation(c));
    ppg_config_drop(&again);
    ppg_config_drop(&c);
}

#define SUBSCRIBER                                                                                           \
    "[subscriber one@ims.example]\nk = 465b5ce8b199b49faa5f0a2ee238a6bc\nidentity = +15550100\n"             \
    "opc = cd63cb71954a9f4e48a5994e37a02baf\n"

/* The key server is there when subscribers are, for the name of the settings and with their lifetime. */
static void test_key_server(void)
{
    struct sec_push_request q = {SLICE("+15550100"), SLICE("push.example\x01\x00\x00\x00\x05"), SLICE("p"),
                                 SLICE_NONE, 100000};
    struct sec_push_info info;
    struct ppg_config *c = NULL;

    write_all();
    CU_ASSERT_EQUAL_FATAL(ppg_config_load(test_in_scratch("ppg.conf"), &c, &errs), ERR_OK);
    CU_ASSERT_PTR_NULL(ppg_config_keyserver(c));
    ppg_config_drop(&c);
    test_write_file("subscribers.conf", SUBSCRIBER, 0600);
    test_write_file("ppg.conf",
                    "[pap]\nlisten = 127.0.0.1:0\n[files]\nsubscribers = subscribers.conf\n"
                    "[key-server]\nname = push.example\nkey-lifetime = 2min\nslot = 3\n",
                    0644);
    CU_ASSERT_EQUAL_FATAL(ppg_config_load(test_in_scratch("ppg.conf"), &c, &errs), ERR_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ppg_config_keyserver(c));
    CU_ASSERT(sec_keyserver_reserved(ppg_config_keyserver(c), q.ue, 1, 2) == ERR_OK);
    CU_ASSERT(sec_keyserver_push_info(ppg_config_keyserver(c), &q, 1000, &info) == ERR_OK);
    CU_ASSERT(info.expires_s == 1120);
    sec_push_info_clear(&info);
    ppg_config_drop(&c);
    test_write_file("subscribers.conf", SUBSCRIBER, 0640);
    CU_ASSERT(ppg_config_load(test_in_scratch("ppg.conf"), &c, &errs) == ERR_DENIED && !c);
}

static const struct {
    const char *file, *text;
    mode_t mode;
    enum err want;
    const char *ends; /* of the one mistake */
} rows[] = {
    {"ppg.conf", "[pap]\nlsten = 127.0.0.1:0\n", 0644, ERR_MALFORMED,
     "/ppg.conf:2: lsten: unknown key, did you mean listen?"},
    {"ppg.conf", "[files]\nterminals = gone\n", 0644, ERR_IO, "gone: No such file or directory"},
    {"initiators.conf", "[initiator mms]\ncertificate = DNS:a\ntrusted = 1\n", 0644, ERR_MALFORMED,
     "/initiators.conf:3: trusted: yes or no"},
    {"initiators.conf", "[initiator mms]\ncertificate = DNS:a\nrate = 1/d\n", 0644, ERR_MALFORMED,
     "/initiators.conf:3: rate: like 200/s burst 400: 1 to 1000000 each s, min or h; a burst of 10 ms to a "
     "day of it"},
    {"initiators.conf",
     "[initiator mms]\ndigest-user = mms\n"
     "digest-ha1-sha256 = 7b3ff5a2d4c4a9b3b7f1c2c7d6a0b1f24c9a8f6e5d3b2a190817263544332211\n",
     0644, ERR_DENIED, "/initiators.conf is open to others: mode 0644, at most 0640"},
    {"initiators.conf", "[initiator a]\ncertificate = DNS:a\n[initiator a]\ncertificate = DNS:b\n", 0644,
     ERR_MALFORMED, NULL},
    {"terminals.conf", "[terminal +1]\nroute = http://a\n[terminal +1]\nroute = http://a\n", 0644,
     ERR_MALFORMED, "/terminals.conf:3: +1: already described"},
    {"whitelist.conf", "allow mms +1555* *\nmaybe mms * *\n", 0644, ERR_MALFORMED, NULL},
    {"whitelist.conf", "allow mms @gone *\n", 0644, ERR_IO, NULL},
    {"terminals.conf", "[terminal +15550100]\n", 0644, ERR_MALFORMED,
     "/terminals.conf:1: +15550100: neither route nor calls-in nor inbox nor registers"},
};

static void test_bad(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_config *c = NULL;

        test_row(i);
        write_all();
        test_write_file(rows[i].file, rows[i].text, rows[i].mode);
        CU_ASSERT_EQUAL(ppg_config_load(test_in_scratch("ppg.conf"), &c, &errs), rows[i].want);
        CU_ASSERT_PTR_NULL(c);
        CU_ASSERT(errs.n >= 1);
        CU_ASSERT(!rows[i].ends ||
                  (errs.n == 1 && slice_ends(slice_str(errs.text[0]), slice_str(rows[i].ends))));
    }
}

#define HEX16 "00112233445566778899aabbccddeeff"

/* Each in the line of the key that is to blame; a master key that is not there is no sign of an empty keyring. */
static void test_keyring_places(void)
{
    static const struct {
        const char *conf, *begins;
    } ring[] = {
        {"path = k\nmaster = m\n", NULL},
        {"path = k\nmaster = m\nmaster-previous = m2\n", NULL},
        {"path = k\n", "4: path: needs master"},
        {"path = k\nmaster = gone\n", "5: master: "},
        {"master = open\npath = k\n", "4: master: "},
        {"path = k\nmaster = short\n", "5: master: "},
        {"path = k\nmaster = credential:gone\n", "5: master: "},
        {"path = k\nmaster = m\nmaster-previous = gone\n", "6: master-previous: "},
        {"path = k\nmaster-previous = short\nmaster = m\n", "5: master-previous: "},
        {"path = open\nmaster = m\n", "4: path: "},
        {"master = m\n\npath = bad\n", "6: path: "},
        {"path = k\nmaster = " HEX16 HEX16 "\n", "5: master: a key itself"}, /* which must not show */
        {"path = k\nmaster = m\nmaster-previous = credential:" HEX16 HEX16 "\n",
         "6: master-previous: a key itself"},
    };
    char want[700], text[300];

    write_all();
    test_write_file("m", HEX16 HEX16 "\n", 0600);
    test_write_file("m2", HEX16 "ffeeddccbbaa99887766554433221100\n", 0600);
    test_write_file("open", HEX16 HEX16 "\n", 0644);
    test_write_file("short", HEX16 "\n", 0600);
    test_write_file("bad", "no keyring", 0600);
    for (size_t i = 0; i < COUNT(ring); i++) {
        struct ppg_config *c = NULL;
        enum err e;

        test_row(i);
        (void)snprintf(text, sizeof text, "[pap]\nlisten = 127.0.0.1:0\n[keyring]\n%s", ring[i].conf);
        test_write_file("ppg.conf", text, 0644);
        (void)snprintf(want, sizeof want, "%s:%s", test_in_scratch("ppg.conf"), ring[i].begins);
        e = ppg_config_load(test_in_scratch("ppg.conf"), &c, &errs);
        CU_ASSERT((e == ERR_OK) == (ring[i].begins == NULL));
        CU_ASSERT(e == ERR_OK || (errs.n == 1 && slice_starts(slice_str(errs.text[0]), slice_str(want))));
        CU_ASSERT(!strstr(errs.text[0], HEX16));
        ppg_config_drop(&c);
    }
}

/* "file:line: " of the whitelist's own mistake. */
static void test_whitelist_place(void)
{
    struct ppg_config *c = NULL;
    char want[700];

    write_all();
    test_write_file("whitelist.conf", "# why\nallow mms +1555* *\n\nmaybe mms * *\n", 0644);
    CU_ASSERT_EQUAL(ppg_config_load(test_in_scratch("ppg.conf"), &c, &errs), ERR_MALFORMED);
    (void)snprintf(want, sizeof want, "%s:4: ", test_in_scratch("whitelist.conf"));
    CU_ASSERT(slice_starts(slice_str(errs.text[0]), slice_str(want)));
    CU_ASSERT(strlen(errs.text[0]) > strlen(want));
}

static void test_missing(void)
{
    static const char *const names[] = {"ppg.conf", "initiators.conf", "whitelist.conf", "terminals.conf"};

    for (size_t i = 0; i < COUNT(names); i++) {
        struct ppg_config *c = NULL;

        test_row(i);
        write_all();
        (void)unlink(test_in_scratch(names[i]));
        CU_ASSERT_EQUAL(ppg_config_load(test_in_scratch("ppg.conf"), &c, &errs), ERR_IO);
        CU_ASSERT(errs.n == 1 && strstr(errs.text[0], names[i]) != NULL);
        CU_ASSERT_PTR_NULL(c);
    }
}

/* Every file has a mistake: all of them are told in one go. */
static void test_all_told(void)
{
    struct ppg_config *c = NULL;

    test_write_file("ppg.conf", "[pap]\nstrict = 1\n", 0644);
    test_write_file("initiators.conf", "[initiator mms]\ntrusted = 1\nbasic = 1\n", 0644);
    test_write_file("whitelist.conf", "maybe\n", 0644);
    test_write_file("terminals.conf", "[terminal +15550100]\n", 0644);
    CU_ASSERT_EQUAL(ppg_config_load(test_in_scratch("ppg.conf"), &c, &errs), ERR_MALFORMED);
    CU_ASSERT_EQUAL(errs.n, 5);
    CU_ASSERT_EQUAL(errs.more, 0);
}

#define HOLDERS 4
#define TURNS   1000

static void *hold_and_drop(void *arg)
{
    struct ppg_config *mine = arg;

    for (int i = 0; i < TURNS; i++) {
        struct ppg_config *c = ppg_config_hold(mine);

        if (!ppg_config_settings(c)->pap.listen_n)
            abort();
        ppg_config_drop(&c);
    }
    ppg_config_drop(&mine);
    return NULL;
}

/* The loader lets go first; the last of the threads frees. */
static void test_holders(void)
{
    struct ppg_config *c = NULL;
    pthread_t threads[HOLDERS];

    write_all();
    CU_ASSERT_EQUAL_FATAL(ppg_config_load(test_in_scratch("ppg.conf"), &c, &errs), ERR_OK);
    for (int i = 0; i < HOLDERS; i++)
        if (pthread_create(&threads[i], NULL, hold_and_drop, ppg_config_hold(c)) != 0)
            abort();
    ppg_config_drop(&c);
    for (int i = 0; i < HOLDERS; i++)
        CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
}

const struct test_case test_cases[] = {
    {"shipped", test_shipped},
    {"own_files", test_own_files},
    {"keyring_places", test_keyring_places},
    {"key_server", test_key_server},
    {"bad", test_bad},
    {"whitelist_place", test_whitelist_place},
    {"missing", test_missing},
    {"all_told", test_all_told},
    {"holders", test_holders},
    {NULL, NULL},
};
