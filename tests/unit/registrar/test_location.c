/* The table of registered devices, on a virtual clock. */
#include "ota/registrar/location.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/harness.h"

#define ALICE SLICE("sip:alice@a")
#define WML   SLICE("wml.ua")

struct fix {
    struct clk_virtual clk;
    struct ota_sip_location *l;
};

static void fix_open(struct fix *f, size_t records_max)
{
    clk_virtual_init(&f->clk, 0);
    CU_ASSERT_FATAL(ota_sip_location_create(&f->clk.clk, records_max, &f->l) == ERR_OK);
}

static struct ota_sip_binding binding(const char *contact, int64_t expires_s)
{
    return (struct ota_sip_binding){.contact = slice_str(contact),
                                    .apps = SLICE("mms.ua,WML.ua"),
                                    .tagged = true,
                                    .q = 1000,
                                    .expires_s = expires_s};
}

static enum err update(struct fix *f, struct slice record, struct slice call_id, uint32_t cseq,
                       const struct ota_sip_binding *b, size_t n)
{
    bool fresh;

    return ota_sip_location_update(f->l, record, call_id, cseq, b, n, &fresh);
}

static enum err put(struct fix *f, const char *call_id, uint32_t cseq, struct ota_sip_binding b)
{
    return update(f, ALICE, slice_str(call_id), cseq, &b, 1);
}

static void check(struct fix *f, const char *want)
{
    struct buf got;

    buf_init(&got, 4096);
    ota_sip_location_print(f->l, ALICE, &got);
    TEST_SLICE_EQ(buf_slice(&got), slice_str(want));
    buf_clear(&got);
}

static enum err find_by(struct fix *f, const struct ota_sip_wanted *wanted, size_t skip, const char *want)
{
    struct ota_sip_found got = {.contact = ""};
    enum err e = ota_sip_location_find(f->l, wanted, skip, &got);

    CU_ASSERT_STRING_EQUAL(got.contact, want);
    return e;
}

static enum err find(struct fix *f, struct slice app, bool untagged_ok, size_t skip, const char *want)
{
    const struct ota_sip_wanted wanted = {.record = ALICE, .app = app, .untagged_ok = untagged_ok};

    return find_by(f, &wanted, skip, want);
}

static void they_come_and_go(void)
{
    struct fix f;

    fix_open(&f, 8);
    check(&f, "");
    CU_ASSERT_EQUAL(put(&f, "c", 1, binding("sip:1", 60)), ERR_OK);
    clk_virtual_advance(&f.clk, 10500);
    CU_ASSERT_EQUAL(put(&f, "d", 1, binding("sip:2", 60)), ERR_OK);
    check(&f, "Contact: <sip:2>;expires=60\r\nContact: <sip:1>;expires=50\r\n");
    CU_ASSERT_EQUAL(put(&f, "c", 2, binding("sip:1", 90)), ERR_OK);
    check(&f, "Contact: <sip:1>;expires=90\r\nContact: <sip:2>;expires=60\r\n");
    CU_ASSERT_EQUAL(put(&f, "c", 3, binding("sip:1", 0)), ERR_OK);
    check(&f, "Contact: <sip:2>;expires=60\r\n");
    CU_ASSERT_EQUAL(put(&f, "c", 4, binding("sip:1", 0)), ERR_OK); /* was not there */
    clk_virtual_advance(&f.clk, 59999);
    check(&f, "Contact: <sip:2>;expires=1\r\n");
    clk_virtual_advance(&f.clk, 1);
    check(&f, "");
    CU_ASSERT_EQUAL(ota_sip_location_n(f.l), 0);
    ota_sip_location_free(&f.l);
}

static void late_requests_change_nothing(void)
{
    struct fix f;

    fix_open(&f, 8);
    CU_ASSERT_EQUAL(put(&f, "c", 5, binding("sip:1", 60)), ERR_OK);
    CU_ASSERT_EQUAL(put(&f, "c", 5, binding("sip:1", 90)), ERR_LATE);
    CU_ASSERT_EQUAL(put(&f, "c", 4, binding("sip:1", 0)), ERR_LATE);
    CU_ASSERT_EQUAL(ota_sip_location_remove(f.l, ALICE, SLICE("c"), 5), ERR_LATE);
    check(&f, "Contact: <sip:1>;expires=60\r\n");
    CU_ASSERT_EQUAL(put(&f, "other", 1, binding("sip:1", 70)),
                    ERR_OK); /* another Call-ID: it has started anew */
    check(&f, "Contact: <sip:1>;expires=70\r\n");
    CU_ASSERT_EQUAL(ota_sip_location_remove(f.l, ALICE, SLICE("other"), 2), ERR_OK);
    check(&f, "");
    CU_ASSERT_EQUAL(ota_sip_location_remove(f.l, ALICE, SLICE("other"), 2), ERR_OK);
    ota_sip_location_free(&f.l);
}

static void all_or_nothing(void)
{
    struct ota_sip_binding two[] = {binding("sip:2", 60), binding("sip:1", 60)};
    char large[OTA_SIP_BINDING_MAX_N + 1];
    struct fix f;

    fix_open(&f, 8);
    CU_ASSERT_EQUAL(put(&f, "c", 5, binding("sip:1", 30)), ERR_OK);
    CU_ASSERT_EQUAL(update(&f, ALICE, SLICE("c"), 5, two, 2), ERR_LATE);
    check(&f, "Contact: <sip:1>;expires=30\r\n");
    memset(large, 'a', sizeof large);
    two[1].apps = slice_of(large, sizeof large);
    CU_ASSERT_EQUAL(update(&f, ALICE, SLICE("c"), 6, two, 2), ERR_LIMIT);
    check(&f, "Contact: <sip:1>;expires=30\r\n");
    two[1] = binding("sip:1", 0);
    CU_ASSERT_EQUAL(update(&f, ALICE, SLICE("c"), 6, two, 2), ERR_OK);
    check(&f, "Contact: <sip:2>;expires=60\r\n");
    ota_sip_location_free(&f.l);
}

static void ceilings(void)
{
    char text[32];
    struct fix f;

    fix_open(&f, 2);
    for (unsigned i = 0; i < OTA_SIP_BINDINGS_MAX; i++) {
        (void)snprintf(text, sizeof text, "sip:%u", i);
        CU_ASSERT_EQUAL(put(&f, "c", i, binding(text, 60)), ERR_OK);
    }
    CU_ASSERT_EQUAL(put(&f, "c", 99, binding("sip:more", 60)), ERR_LIMIT);
    CU_ASSERT_EQUAL(put(&f, "c", 99, binding("sip:3", 60)), ERR_OK); /* one of them */
    for (unsigned i = 0; i < 3; i++) {
        struct ota_sip_binding b = binding("sip:x", 60);

        (void)snprintf(text, sizeof text, "sip:bob%u@a", i);
        CU_ASSERT_EQUAL(update(&f, slice_str(text), SLICE("c"), 1, &b, 1), i == 0 ? ERR_OK : ERR_AGAIN);
    }
    clk_virtual_advance(&f.clk, 60000);
    {
        struct ota_sip_binding b = binding("sip:x", 60);

        CU_ASSERT_EQUAL(update(&f, SLICE("sip:carol@a"), SLICE("c"), 1, &b, 1),
                        ERR_OK); /* the expired made room */
    }
    CU_ASSERT_EQUAL(ota_sip_location_n(f.l), 1);
    ota_sip_location_free(&f.l);
}

/* RFC 3841 §7.2: methods, applications, then q, then the latest. */
static void which_device_gets_it(void)
{
    struct ota_sip_binding b;
    struct fix f;

    fix_open(&f, 8);
    CU_ASSERT_EQUAL(find(&f, WML, true, 0, ""), ERR_ABSENT);
    b = binding("sip:silent", 60);
    b.tagged = false;
    CU_ASSERT_EQUAL(put(&f, "a", 1, b), ERR_OK);
    CU_ASSERT_EQUAL(find(&f, WML, false, 0, ""), ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(find(&f, WML, true, 0, "sip:silent"), ERR_OK);
    b = binding("sip:neither", 60);
    b.methods.said = true;
    CU_ASSERT_EQUAL(put(&f, "b", 1, b), ERR_OK);
    CU_ASSERT_EQUAL(find(&f, WML, false, 0, ""), ERR_UNSUPPORTED);
    b = binding("sip:low", 60);
    b.q = 100;
    CU_ASSERT_EQUAL(put(&f, "c", 1, b), ERR_OK);
    CU_ASSERT_EQUAL(put(&f, "d", 1, binding("sip:old", 60)), ERR_OK);
    CU_ASSERT_EQUAL(put(&f, "e", 1, binding("sip:new", 60)), ERR_OK);
    CU_ASSERT_EQUAL(find(&f, WML, false, 0, "sip:new"), ERR_OK);
    CU_ASSERT_EQUAL(find(&f, WML, false, 1, "sip:old"), ERR_OK);
    CU_ASSERT_EQUAL(find(&f, WML, false, 2, "sip:low"), ERR_OK);
    CU_ASSERT_EQUAL(find(&f, WML, false, 3, ""), ERR_ABSENT);
    CU_ASSERT_EQUAL(find(&f, SLICE("push.sia"), false, 0, ""), ERR_UNSUPPORTED);
    b = binding("sip:uri", 60);
    b.apps = SLICE("<urn:App>");
    CU_ASSERT_EQUAL(put(&f, "f", 1, b), ERR_OK);
    CU_ASSERT_EQUAL(find(&f, SLICE("<urn:App>"), false, 0, "sip:uri"), ERR_OK);
    CU_ASSERT_EQUAL(find(&f, SLICE("<urn:app>"), false, 0, ""), ERR_UNSUPPORTED); /* strings have case */
    ota_sip_location_free(&f.l);
}

/* RFC 3840: without MESSAGE it must take an INVITE, and be no telephone, which would ring. */
static void what_it_can_be_asked(void)
{
    static const struct {
        bool said, message, invite, tagged, session, found;
    } rows[] = {
        {.tagged = true, .found = true},
        {.said = true, .tagged = true},
        {.said = true, .message = true, .tagged = true, .found = true},
        {.said = true, .invite = true, .tagged = true, .found = true},
        {.said = true, .message = true, .tagged = true, .session = true},
        {.said = true, .invite = true, .tagged = true, .session = true, .found = true},
        {.tagged = true, .session = true, .found = true},
        {.said = true, .message = true, .found = true},
        {.said = true, .invite = true},
        {.said = true, .invite = true, .session = true, .found = true},
        {.session = true, .found = true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct ota_sip_wanted wanted = {
            .record = ALICE, .app = WML, .untagged_ok = true, .session = rows[i].session};
        struct ota_sip_binding b = binding("sip:1", 60);
        struct fix f;

        test_row(i);
        fix_open(&f, 8);
        b.tagged = rows[i].tagged;
        b.methods = (struct ota_sip_methods){rows[i].said, rows[i].message, rows[i].invite};
        CU_ASSERT_EQUAL(put(&f, "a", 1, b), ERR_OK);
        CU_ASSERT_EQUAL(find_by(&f, &wanted, 0, rows[i].found ? "sip:1" : ""),
                        rows[i].found ? ERR_OK : ERR_UNSUPPORTED);
        ota_sip_location_free(&f.l);
    }
}

/* RFC 5627: a name of one device finds that one, however good others are. */
static void one_device_of_several(void)
{
    struct ota_sip_wanted wanted = {.record = ALICE, .app = WML, .instance = SLICE("urn:uuid:1")};
    struct ota_sip_binding b = binding("sip:1", 60);
    struct fix f;

    fix_open(&f, 8);
    b.instance = SLICE("<urn:uuid:1>");
    b.q = 100;
    CU_ASSERT_EQUAL(put(&f, "a", 1, b), ERR_OK);
    b = binding("sip:2", 60);
    b.instance = SLICE("<urn:uuid:12>");
    CU_ASSERT_EQUAL(put(&f, "b", 1, b), ERR_OK);
    CU_ASSERT_EQUAL(put(&f, "c", 1, binding("sip:3", 60)), ERR_OK);
    CU_ASSERT_EQUAL(find_by(&f, &wanted, 0, "sip:1"), ERR_OK);
    CU_ASSERT_EQUAL(find_by(&f, &wanted, 1, ""), ERR_ABSENT);
    wanted.instance = SLICE("urn:uuid:");
    CU_ASSERT_EQUAL(find_by(&f, &wanted, 0, ""), ERR_ABSENT);
    wanted.instance = SLICE("urn:uuid:12");
    wanted.app = SLICE("push.sia");
    CU_ASSERT_EQUAL(find_by(&f, &wanted, 0, ""), ERR_UNSUPPORTED);
    wanted.app = WML;
    wanted.instance = SLICE_NONE;
    CU_ASSERT_EQUAL(find_by(&f, &wanted, 0, "sip:3"), ERR_OK);
    ota_sip_location_free(&f.l);
}

static void gone_is_one_contact(void)
{
    struct fix f;

    fix_open(&f, 8);
    ota_sip_location_gone(f.l, ALICE, SLICE("sip:1")); /* of nobody */
    CU_ASSERT_EQUAL(put(&f, "a", 1, binding("sip:1", 60)), ERR_OK);
    CU_ASSERT_EQUAL(put(&f, "b", 1, binding("sip:2", 60)), ERR_OK);
    ota_sip_location_gone(f.l, ALICE, SLICE("sip:3"));
    ota_sip_location_gone(f.l, ALICE, SLICE("sip:1"));
    check(&f, "Contact: <sip:2>;expires=60\r\n");
    ota_sip_location_gone(f.l, ALICE, SLICE("sip:2"));
    CU_ASSERT_EQUAL(ota_sip_location_n(f.l), 0);
    ota_sip_location_free(&f.l);
}

/* What it accepts keeps nobody out that would have come in without. */
static void too_much_is_accepted(void)
{
    const struct ota_sip_wanted wml = {.record = ALICE, .app = SLICE("a")};
    char apps[OTA_SIP_BINDING_MAX_N], types[OTA_SIP_SAID_MAX_N + 1];
    struct ota_sip_binding b = binding("sip:1", 60);
    struct ota_sip_found got;
    struct fix f;

    fix_open(&f, 8);
    memset(types, 't', sizeof types);
    for (size_t n = 254; n < 257; n++) {
        b.accept = slice_of(types, n);
        b.apps = SLICE("a");
        CU_ASSERT_EQUAL(put(&f, "a", (uint32_t)n, b), ERR_OK);
        CU_ASSERT_EQUAL_FATAL(ota_sip_location_find(f.l, &wml, 0, &got), ERR_OK);
        CU_ASSERT_EQUAL(strlen(got.accept), n <= OTA_SIP_SAID_MAX_N ? n : 0);
    }
    memset(apps, 'x', sizeof apps);
    apps[0] = 'a';
    apps[1] = ',';
    b.accept = slice_of(types, 20);
    b.apps = slice_of(apps, sizeof apps - 10); /* contact and Call-ID are six */
    CU_ASSERT_EQUAL(put(&f, "a", 300, b), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(ota_sip_location_find(f.l, &wml, 0, &got), ERR_OK);
    CU_ASSERT_STRING_EQUAL(got.accept, "");
    b.apps = slice_of(apps, sizeof apps);
    CU_ASSERT_EQUAL(put(&f, "a", 301, b), ERR_LIMIT);
    ota_sip_location_free(&f.l);
}

static struct ota_sip_binding over_stream(const char *contact, uint64_t id, bool only, struct list *bound)
{
    struct ota_sip_binding b = binding(contact, 60);

    b.flow = (struct ota_sip_flow){.via = OTA_SIP_TCP, .loop = 1, .id = id};
    b.flow_only = only;
    b.bound = bound;
    return b;
}

/* RFC 5626 §5.3: a connection's end ends what can be reached by it alone. */
static void what_a_connection_takes_along(void)
{
    const struct ota_sip_wanted wml = {.record = ALICE, .app = WML};
    struct ota_sip_found got;
    struct list one, two;
    struct fix f;

    fix_open(&f, 8);
    list_init(&one);
    list_init(&two);
    CU_ASSERT_EQUAL(put(&f, "a", 1, over_stream("sip:nat", 1, true, &one)), ERR_OK);
    CU_ASSERT_EQUAL(put(&f, "b", 1, over_stream("sip:open", 1, false, &one)), ERR_OK);
    CU_ASSERT_EQUAL(put(&f, "c", 1, over_stream("sip:other", 2, true, &two)), ERR_OK);
    CU_ASSERT_EQUAL(ota_sip_location_find(f.l, &wml, 1, &got), ERR_OK);
    CU_ASSERT(ota_sip_flow_any(&got.flow) && got.flow.id == 1);
    ota_sip_location_lost(f.l, &one);
    CU_ASSERT(list_empty(&one));
    check(&f, "Contact: <sip:other>;expires=60\r\nContact: <sip:open>;expires=60\r\n");
    CU_ASSERT_EQUAL(ota_sip_location_find(f.l, &wml, 1, &got), ERR_OK);
    CU_ASSERT(!ota_sip_flow_any(&got.flow)); /* its contact is where it is now */
    CU_ASSERT_EQUAL(put(&f, "c", 2, over_stream("sip:other", 2, true, &two)),
                    ERR_OK); /* once in the list still */
    CU_ASSERT_EQUAL(put(&f, "d", 1, over_stream("sip:other", 3, true, NULL)), ERR_OK); /* over another now */
    ota_sip_location_lost(f.l, &two);
    check(&f, "Contact: <sip:other>;expires=60\r\nContact: <sip:open>;expires=60\r\n");
    CU_ASSERT_EQUAL(ota_sip_location_drop(f.l, ALICE), 2);
    CU_ASSERT(!ota_sip_location_has(f.l, ALICE));
    CU_ASSERT_EQUAL(ota_sip_location_drop(f.l, ALICE), 0);
    CU_ASSERT_EQUAL(put(&f, "e", 1, over_stream("sip:last", 4, true, &one)), ERR_OK);
    ota_sip_location_lost(f.l, &one);
    CU_ASSERT_EQUAL(ota_sip_location_n(f.l), 0);
    ota_sip_location_free(&f.l);
}

/* What makes a REGISTER news for whatever waits. */
static void fresh_or_not(void)
{
    struct ota_sip_binding b = binding("sip:1", 60);
    struct fix f;
    bool fresh = false;

    fix_open(&f, 8);
    CU_ASSERT(!ota_sip_location_update(f.l, ALICE, SLICE("c"), 1, &b, 1, &fresh) && fresh);
    CU_ASSERT(!ota_sip_location_update(f.l, ALICE, SLICE("c"), 2, &b, 1, &fresh) && !fresh);
    ota_sip_location_missed(f.l, ALICE);
    CU_ASSERT(!ota_sip_location_update(f.l, ALICE, SLICE("c"), 3, &b, 1, &fresh) && fresh);
    CU_ASSERT(!ota_sip_location_update(f.l, ALICE, SLICE("c"), 4, &b, 1, &fresh) && !fresh);
    b.contact = SLICE("sip:2");
    CU_ASSERT(!ota_sip_location_update(f.l, ALICE, SLICE("d"), 1, &b, 1, &fresh) && fresh);
    ota_sip_location_missed(f.l, ALICE);
    b.expires_s = 0;
    CU_ASSERT(!ota_sip_location_update(f.l, ALICE, SLICE("d"), 2, &b, 1, &fresh) && fresh);
    ota_sip_location_missed(f.l, SLICE("sip:nobody@a"));
    fresh = true;
    CU_ASSERT_EQUAL(ota_sip_location_update(f.l, ALICE, SLICE("d"), 2, &b, 1, &fresh),
                    ERR_OK); /* is gone: nothing is late */
    CU_ASSERT(!fresh);
    ota_sip_location_free(&f.l);
}

/* RFC 5626 §6, RFC 5627 §5: a device's flow has one contact; its name goes back to it. */
static void devices_with_names(void)
{
    struct ota_sip_binding b = binding("sip:1", 60);
    struct fix f;

    fix_open(&f, 8);
    b.instance = SLICE("<urn:uuid:a>");
    b.reg_id = 1;
    b.gruu = true;
    b.q = 250;
    CU_ASSERT_EQUAL(put(&f, "a", 1, b), ERR_OK);
    check(&f, "Contact: <sip:1>;expires=60;q=0.250;+sip.instance=\"<urn:uuid:a>\";reg-id=1"
              ";pub-gruu=\"sip:alice@a;gr=urn:uuid:a\"\r\n");
    b.contact = SLICE("sip:2");
    b.q = 1000;
    b.gruu = false;
    CU_ASSERT_EQUAL(put(&f, "b", 1, b), ERR_OK);
    check(&f, "Contact: <sip:2>;expires=60;+sip.instance=\"<urn:uuid:a>\";reg-id=1\r\n");
    b.contact = SLICE("sip:3");
    b.reg_id = 2;
    CU_ASSERT_EQUAL(put(&f, "c", 1, b), ERR_OK);
    b.contact = SLICE("sip:4");
    b.instance = SLICE_NONE;
    CU_ASSERT_EQUAL(put(&f, "d", 1, b), ERR_OK);
    check(&f, "Contact: <sip:4>;expires=60;reg-id=2\r\n"
              "Contact: <sip:3>;expires=60;+sip.instance=\"<urn:uuid:a>\";reg-id=2\r\n"
              "Contact: <sip:2>;expires=60;+sip.instance=\"<urn:uuid:a>\";reg-id=1\r\n");
    ota_sip_location_free(&f.l);
}

/* One that is not here is waited for, but not beside others that are here once everybody has had to say so. */
static void whom_to_wait_for(void)
{
    static const struct {
        int64_t at_s;
        const char *instance;
        bool may;
    } rows[] = {
        {0, "urn:1", true},   {0, "urn:2", true},    {99, "urn:2", true},  {100, "urn:1", true},
        {100, "urn:", false}, {100, "urn:2", false}, {200, "urn:1", true}, /* its time is over, and nobody is here */
        {200, "urn:2", true}};
    struct ota_sip_binding b = binding("sip:1", 200);
    struct fix f;
    int64_t at_s = 0;

    fix_open(&f, 10);
    b.instance = SLICE("<urn:1>");
    CU_ASSERT_EQUAL(put(&f, "a", 1, b), ERR_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        clk_virtual_advance(&f.clk, (rows[i].at_s - at_s) * 1000);
        at_s = rows[i].at_s;
        CU_ASSERT_EQUAL(ota_sip_location_may_come(f.l, ALICE, slice_str(rows[i].instance), 100000),
                        rows[i].may);
        CU_ASSERT_TRUE(
            ota_sip_location_may_come(f.l, SLICE("sip:bob@a"), slice_str(rows[i].instance), 100000));
    }
    ota_sip_location_free(&f.l);
}

const struct test_case test_cases[] = {{"they_come_and_go", they_come_and_go},
                                       {"late_requests_change_nothing", late_requests_change_nothing},
                                       {"all_or_nothing", all_or_nothing},
                                       {"ceilings", ceilings},
                                       {"which_device_gets_it", which_device_gets_it},
                                       {"what_it_can_be_asked", what_it_can_be_asked},
                                       {"one_device_of_several", one_device_of_several},
                                       {"gone_is_one_contact", gone_is_one_contact},
                                       {"too_much_is_accepted", too_much_is_accepted},
                                       {"what_a_connection_takes_along", what_a_connection_takes_along},
                                       {"fresh_or_not", fresh_or_not},
                                       {"devices_with_names", devices_with_names},
                                       {"whom_to_wait_for", whom_to_wait_for},
                                       {NULL, NULL}};
