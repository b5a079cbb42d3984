/* terminals.conf and association files: what becomes of a section, and each mistake with its place. */
#include "tests/unit/harness.h"

#include <stdlib.h>
#include <sys/stat.h>
#include "ppg/config/terminals.h"
#include "security/gpl.h"

#define SAID       "000102030405060708090a0b0c0d0e0f"
#define KEY        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

#define ALL_SUITES (~0u)

#define DOMAINS    SLICE("ppg.example, 127.0.0.1")

struct fixture {
    struct ppg_config_errors errs;
    struct ppg_load load;
    struct ota_registry *registry;
    struct sec_keyring *keyring;
};

static struct fixture *read_text(const char *text)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (!f)
        abort();
    f->load.errs = &f->errs;
    test_write_file("terminals.conf", text, 0644);
    ppg_terminals_read(&f->load, test_in_scratch("terminals.conf"), f->keyring, ALL_SUITES, true, DOMAINS,
                       &f->registry);
    return f;
}

static void forget(struct fixture *f)
{
    ota_registry_drop(&f->registry);
    free(f);
}

/* The address of record is the address, the number in the first domain, or what is said. */
static void test_registers(void)
{
    static const struct {
        const char *text, *key, *record, *user;
    } rows[] = {
        {"[terminal sip:alice@PPG.example]", "sip:alice@ppg.example", "sip:alice@ppg.example", "a@b"},
        {"[terminal +15550100]", "+15550100", "sip:+15550100@ppg.example", "a@b"},
        {"[terminal +15550100]\nregisters-as = sip:Alice@127.0.0.1", "+15550100", "sip:Alice@127.0.0.1",
         "a@b"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[512];
        struct fixture *f;
        const struct ota_terminal *t;

        test_row(i);
        (void)snprintf(text, sizeof text, "%s\nregisters = tls\ncall-proof = aka\ncall-subscriber = a@b\n",
                       rows[i].text);
        f = read_text(text);
        CU_ASSERT_EQUAL_FATAL(f->errs.n, 0);
        t = ota_registry_find(f->registry, slice_str(rows[i].key));
        CU_ASSERT_PTR_NOT_NULL_FATAL(t);
        CU_ASSERT_EQUAL(t->registers, OTA_CALLS_TLS);
        TEST_SLICE_EQ(t->sip_record, slice_str(rows[i].record));
        CU_ASSERT(ota_registry_find_record(f->registry, slice_str(rows[i].record)) == t);
        CU_ASSERT(ota_registry_find_sip_user(f->registry, slice_str(rows[i].user)) == t);
        CU_ASSERT_PTR_NULL(ota_registry_find_sip_user(f->registry, SLICE("alice")));
        forget(f);
    }
}

static void test_terminals(void)
{
    struct fixture *f;
    const struct ota_terminal *t;

    test_write_file("password", "sesame\n", 0600);
    test_write_file("sa",
                    "said = " SAID "\nkey = " KEY
                    "\nsuites = aes-gcm, hmac-sha256\nexpires = 2027-01-31T00:00:00Z\n",
                    0600);
    f = read_text(
        "[terminal +15550100]\nroute = http://198.51.100.7:4035\n"
        "[terminal Alice@Example.com]\nroute = https://[2001:db8::1]:4036\ntls-name = phone\nform = direct\n"
        "terminal-id = t1\nlogin-user = ppg\nlogin-password-file = password\nmax-size = 64k\n"
        "association-file = sa\n");
    CU_ASSERT_EQUAL(f->errs.n, 0);
    CU_ASSERT_EQUAL(ota_registry_n(f->registry), 2);
    t = ota_registry_find(f->registry, SLICE("+15550100"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    TEST_SLICE_EQ(t->host, SLICE("198.51.100.7"));
    CU_ASSERT_EQUAL(t->port, 4035);
    CU_ASSERT(!t->tls && !t->direct && t->profile.size_max == 0 && t->login.user.n == 0 &&
              !t->association.present);
    t = ota_registry_find(f->registry, SLICE("Alice@example.com"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    TEST_SLICE_EQ(t->host, SLICE("2001:db8::1"));
    TEST_SLICE_EQ(t->tls_name, SLICE("phone"));
    TEST_SLICE_EQ(t->terminal_id, SLICE("t1"));
    TEST_SLICE_EQ(t->login.user, SLICE("ppg"));
    TEST_SLICE_EQ(t->login.password, SLICE("sesame"));
    CU_ASSERT(t->tls && t->direct && t->port == 4036 && t->profile.size_max == 65536);
    CU_ASSERT(t->association.present && t->association.said[15] == 15 && t->association.suites_n == 2);
    CU_ASSERT_EQUAL(t->association.suites[0], SEC_GPL_GCM);
    CU_ASSERT_EQUAL(t->association.suites[1], SEC_GPL_HMAC);
    CU_ASSERT_EQUAL(t->association.key.n, 32);
    CU_ASSERT_EQUAL(t->association.expires_ms, INT64_C(1801353600000));
    forget(f);
}

#define DIGITS_64 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define TWO_KEYS  DIGITS_64 DIGITS_64

/* DM-06: a terminal that shares keys for XML-Signature and XML-Encryption. */
static void test_xml_keys(void)
{
    struct fixture *f;
    const struct ota_terminal *t;

    test_write_file("xml", DIGITS_64 "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f\n",
                    0600);
    f = read_text(
        "[terminal sip:a@example.com]\nroute = sip:a@example.com\nxml-name = ppg\nxml-key-file = xml\n"
        "[terminal +1]\nroute = wap://a\n");
    CU_ASSERT_EQUAL(f->errs.n, 0);
    t = ota_registry_find(f->registry, SLICE("sip:a@example.com"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    TEST_SLICE_EQ(t->xml.name, SLICE("ppg"));
    CU_ASSERT(sec_xml_keys_any(&t->xml.keys) && t->xml.keys.sign.octets[31] == 31 &&
              t->xml.keys.encrypt.octets[0] == 32 && t->xml.keys.encrypt.octets[31] == 63);
    t = ota_registry_find(f->registry, SLICE("+1"));
    CU_ASSERT(t && t->xml.name.n == 0 && !sec_xml_keys_any(&t->xml.keys));
    forget(f);
}

static void test_shared_keys(void)
{
    struct fixture *f;
    const struct ota_terminal *t;

    test_write_file("psk", "000102030405060708090a0b0c0d0e0f\n", 0600);
    test_write_file("weak", "0001\n", 0600);
    f = read_text("[terminal +1]\nroute = waps://a\npsk-identity = x-ppg:1\npsk-file = psk\n");
    CU_ASSERT_EQUAL(f->errs.n, 0);
    t = ota_registry_find(f->registry, SLICE("+1"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    TEST_SLICE_EQ(t->psk_identity, SLICE("x-ppg:1"));
    CU_ASSERT(t->psk.n == 16 && t->psk.octets[15] == 15);
    forget(f);
    f = read_text("[terminal +1]\nroute = https://a\npsk-identity = a\npsk-file = psk\n"
                  "[terminal +2]\nroute = waps://a\npsk-identity = a\npsk-file = weak\n"
                  "[terminal +3]\nroute = wap://a\npsk-file = psk\n");
    CU_ASSERT_EQUAL(f->errs.n, 3);
    forget(f);
}

/* Where a terminal is asked to call: a place of its own, or its route; inside DTLS with what that needs. */
static void test_wake(void)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
        bool tls, key;
    } rows[] = {
        {"wake = wap://a", "a", 2948, false, false},
        {"wake = wap://a:1", "a", 1, false, false},
        {"wake = waps://a", "a", 2949, true, false},
        {"wake = waps://a:1\ntls-name = b", "a", 1, true, false},
        {"wake = WAPS://a\npsk-identity = k\npsk-file = psk", "a", 2949, true, true},
        {"route = wap://a", "a", 2948, false, false},
        {"route = waps://a\npsk-identity = k\npsk-file = psk", "a", 2949, true, true},
        {"route = https://b\nwake = waps://a\npsk-identity = k\npsk-file = psk", "a", 2949, true, true},
    };
    char text[256];

    test_write_file("psk", "000102030405060708090a0b0c0d0e0f\n", 0600);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct ota_terminal *t;
        struct fixture *f;

        test_row(i);
        (void)snprintf(text, sizeof text, "[terminal +1]\ncalls-in = tls\ncall-proof = none\n%s\n",
                       rows[i].text);
        f = read_text(text);
        CU_ASSERT_EQUAL(f->errs.n, 0);
        t = ota_registry_find(f->registry, SLICE("+1"));
        CU_ASSERT_PTR_NOT_NULL_FATAL(t);
        TEST_SLICE_EQ(t->call_in.wake_host, slice_str(rows[i].host));
        CU_ASSERT(t->call_in.wake_port == rows[i].port && t->call_in.wake_tls == rows[i].tls);
        CU_ASSERT((t->psk.n == 16) == rows[i].key && t->route == OTA_ROUTE_HTTP);
        CU_ASSERT(t->tls == (t->host.n != 0));
        forget(f);
    }
}

static void test_sip_routes(void)
{
    static const struct {
        const char *route, *host;
        bool tls;
        unsigned port;
    } rows[] = {
        {"sip:alice@a", "a", false, 5060},
        {"sip:alice@192.0.2.1:5070;transport=tcp", "192.0.2.1", false, 5070},
        {"SIPS:alice@a", "a", true, 5061},
        {"sip:alice@a;transport=tls", "a", true, 5061},
        {"sip:alice@[2001:db8::1]", "2001:db8::1", false, 5060},
    };
    static const char *const bad[] = {"sip:",
                                      "sip:a",
                                      "sip:alice@",
                                      "sip:al ice@a",
                                      "sip:alice:secret@a",
                                      "sip:alice@a?x=y",
                                      "sip:alice@a;transport=sctp",
                                      "sips:alice@a;transport=udp",
                                      "sip:alice@a:99999"};
    struct fixture *f;
    char text[128];

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct ota_terminal *t;

        test_row(i);
        (void)snprintf(text, sizeof text, "[terminal sip:alice@a]\nroute = %s\n", rows[i].route);
        f = read_text(text);
        t = ota_registry_find(f->registry, SLICE("sip:alice@a"));
        CU_ASSERT_PTR_NOT_NULL_FATAL(t);
        CU_ASSERT(t->route == OTA_ROUTE_SIP && t->tls == rows[i].tls && t->port == rows[i].port);
        TEST_SLICE_EQ(t->host, slice_str(rows[i].host));
        TEST_SLICE_EQ(t->sip_uri, slice_str(rows[i].route));
        forget(f);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        test_row(100 + i);
        (void)snprintf(text, sizeof text, "[terminal sip:alice@a]\nroute = %s\n", bad[i]);
        f = read_text(text);
        CU_ASSERT(f->errs.n >= 1 &&
                  strstr(f->errs.text[0], "not like sip:alice@example.net;transport=tcp") != NULL);
        forget(f);
    }
    f = read_text("[terminal sip:a@b]\nroute = sips:a@b\ntls-name = c\n"
                  "[terminal sip:b@b]\nroute = sips:b@b\npsk-identity = a\npsk-file = psk\n"
                  "[terminal sip:c@b]\nroute = sip:c@b\ncalls-in = tls\n");
    CU_ASSERT_EQUAL(f->errs.n, 3);
    forget(f);
}

static void test_sessions(void)
{
    static const struct {
        const char *text;
        enum ota_session session;
    } good[] = {{"", OTA_SESSION_NO},
                {"session = no\n", OTA_SESSION_NO},
                {"session = large\n", OTA_SESSION_LARGE},
                {"session = always\n", OTA_SESSION_ALWAYS},
                {"session = tls\ntls-name = phone.example.net\n", OTA_SESSION_TLS},
                {"session = tls\npsk-identity = a\npsk-file = psk\n", OTA_SESSION_TLS}};
    static const char *const bad[] = {
        "route = sip:a@b\nsession = yes\n",
        "route = sip:a@b\nsession =\n",
        "route = http://a\nsession = large\n",
        "route = wap://a\nsession = tls\ntls-name = a\n",
        "route = sip:a@b\nsession = tls\n",
        "route = sips:a@b\nsession = tls\n",
        "route = sip:a@b\nsession = large\ntls-name = a\n",
        "route = sip:a@b\nsession = tls\ntls-name = a\npsk-identity = a\npsk-file = psk\n",
        "route = sip:a@b\nsession = tls\npsk-identity = a\n"};
    char text[256];
    struct fixture *f;

    test_write_file("psk", KEY "\n", 0600);
    for (size_t i = 0; i < COUNT(good); i++) {
        const struct ota_terminal *t;

        test_row(i);
        (void)snprintf(text, sizeof text, "[terminal sip:a@b]\nroute = sip:a@b\n%s", good[i].text);
        f = read_text(text);
        t = ota_registry_find(f->registry, SLICE("sip:a@b"));
        CU_ASSERT_PTR_NOT_NULL_FATAL(t);
        CU_ASSERT(f->errs.n == 0 && t->session == good[i].session);
        forget(f);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        test_row(i);
        (void)snprintf(text, sizeof text, "[terminal sip:a@b]\n%s", bad[i]);
        f = read_text(text);
        CU_ASSERT_EQUAL(f->errs.n, 1);
        forget(f);
    }
}

static void test_routes(void)
{
    static const struct {
        const char *route;
        enum ota_route kind;
        bool tls;
        unsigned port;
    } rows[] = {
        {"http://a", OTA_ROUTE_HTTP, false, 80},         {"https://a", OTA_ROUTE_HTTP, true, 443},
        {"HTTP://a:4035/", OTA_ROUTE_HTTP, false, 4035}, {"wap://a", OTA_ROUTE_WSP, false, 2948},
        {"wap://a:2000", OTA_ROUTE_WSP, false, 2000},    {"waps://a", OTA_ROUTE_WSP, true, 2949},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[128];
        struct fixture *f;
        const struct ota_terminal *t;

        test_row(i);
        (void)snprintf(text, sizeof text, "[terminal +1]\nroute = %s\n", rows[i].route);
        f = read_text(text);
        t = ota_registry_find(f->registry, SLICE("+1"));
        CU_ASSERT_PTR_NOT_NULL_FATAL(t);
        CU_ASSERT(t->route == rows[i].kind && t->tls == rows[i].tls && t->port == rows[i].port);
        TEST_SLICE_EQ(t->host, SLICE("a"));
        forget(f);
    }
}

/* The section's own words, then its profile's; two sections may name one profile. */
static void test_profiles(void)
{
    const struct ota_terminal *a, *b, *c, *d;
    struct fixture *f;

    test_write_file("model.rdf",
                    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:p='http://x/'>"
                    "<p:Push-Accept>text/html</p:Push-Accept><p:Push-MsgSize>1400</p:Push-MsgSize>"
                    "<p:Push-Accept-AppID>*</p:Push-Accept-AppID></rdf:RDF>",
                    0644);
    f = read_text(
        "[terminal +1]\nroute = http://a\nprofile-file = model.rdf\n"
        "[terminal +2]\nroute = http://a\nmax-size = 5\nprofile-file = model.rdf\naccept = text/*, a/b;q=1\n"
        "applications = 2, x-wap-application:mms.ua\ncharsets = utf-8\nencodings = gzip\nlanguages = en, de\n"
        "[terminal +3]\nroute = http://a\n[terminal +4]\nroute = http://a\naccept = *\n");
    CU_ASSERT_FATAL(f->errs.n == 0 && f->registry);
    a = ota_registry_find(f->registry, SLICE("+1"));
    b = ota_registry_find(f->registry, SLICE("+2"));
    c = ota_registry_find(f->registry, SLICE("+3"));
    d = ota_registry_find(f->registry, SLICE("+4"));
    CU_ASSERT_FATAL(a && b && c && d);
    CU_ASSERT(a->profile.known && a->profile.size_max == 1400 && a->profile.charsets.n == 0);
    TEST_SLICE_EQ(a->profile.accept, SLICE("text/html"));
    TEST_SLICE_EQ(a->profile.app_ids, SLICE("*"));
    CU_ASSERT(b->profile.known && b->profile.size_max == 5);
    TEST_SLICE_EQ(b->profile.accept, SLICE("text/*, a/b;q=1"));
    TEST_SLICE_EQ(b->profile.app_ids, SLICE("2, x-wap-application:mms.ua"));
    TEST_SLICE_EQ(b->profile.charsets, SLICE("utf-8"));
    TEST_SLICE_EQ(b->profile.encodings, SLICE("gzip"));
    TEST_SLICE_EQ(b->profile.languages, SLICE("en, de"));
    CU_ASSERT(!c->profile.known && c->profile.accept.n == 0 && d->profile.known);
    forget(f);
}

#define INBOX   "[terminal +15550100]\ninbox = yes\ncall-proof = digest\ncall-password-file = good\n"
#define SECTION "[terminal +15550100]\nroute = http://198.51.100.7:4035\n"

#define TEN     "0123456789"
#define LONG                                                                                                 \
    TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct {
    const char *text, *ends; /* of the one mistake */
} bad[] = {
    {"route = http://a", ":1: route: stands before any section"},
    {"[+15550100]\n", ":1: +15550100: sections here are [terminal NAME]"},
    {"[terminal ]\nroute = http://a", ":1: terminal: sections here are [terminal NAME]"},
    {"[terminal a b]\nroute = http://a", ":1: a b: not an address"},
    {"[terminal +1]\nregisters = any",
     ":1: +1: registers needs call-proof = digest with call-password-file, or aka with "
     "call-subscriber"},
    {"[terminal +1]\nregisters = yes", ":2: registers: no, tls or any"},
    {"[terminal sip:a@elsewhere.example]\nregisters = any\ncall-proof = aka\ncall-subscriber = a@b",
     "registers needs registers-as: the address is not of a domain of [ota-sip] domains"},
    {"[terminal +1]\nregisters = any\nregisters-as = sip:a@elsewhere.example\ncall-proof = "
     "aka\ncall-subscriber = a@b",
     ":3: registers-as: not of a domain of [ota-sip] domains"},
    {"[terminal +1]\nregisters = any\nregisters-as = sips:a@ppg.example\ncall-proof = aka\ncall-subscriber = "
     "a@b",
     ":3: registers-as: not like sip:alice@example.net"},
    {"[terminal +1]\nroute = http://h\nregisters-as = sip:a@ppg.example",
     ":1: +1: registers-as is for terminals with registers = tls or any"},
    {"[terminal +1]\nroute = sip:a@h\nregisters = any\ncall-proof = aka\ncall-subscriber = a@b",
     ":1: +1: registers goes with no sip route: where it is, it says itself"},
    {"[terminal +1]\nregisters = any\ncall-proof = aka",
     ":1: +1: call-proof = aka goes with call-subscriber alone"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = aka\ncall-subscriber = a@b",
     ":1: +1: call-proof = aka is for terminals that register and do nothing else"},
    {"[terminal +1]\nregisters = any\ncall-proof = aka\ncall-subscriber = a@b\n"
     "[terminal +2]\nregisters = any\ncall-proof = aka\ncall-subscriber = a@b",
     ":5: +2: calls in or registers as another terminal does"},
    {"[terminal +1]\n", ":1: +1: neither route nor calls-in nor inbox nor registers"},
    {"[terminal +1]\ncalls-in = no", ":1: +1: neither route nor calls-in nor inbox nor registers"},
    {"[terminal +1]\ncalls-in = yes", ":2: calls-in: no, tls or any"},
    {"[terminal +1]\ncalls-in = tls",
     ":1: +1: calls-in needs call-proof = certificate, psk, digest, basic, syncml-md5 or none"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = syncml-md5",
     ":1: +1: call-proof = digest, basic or syncml-md5 and call-password-file go together"},
    {"[terminal +1]\ncalls-in = any\ncall-proof = syncml-md5\ncall-password-file = good",
     ":1: +1: that call-proof needs calls-in = tls"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = key",
     ":3: call-proof: certificate, psk, digest, basic, syncml-md5, aka or none"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = psk",
     ":1: +1: call-proof = psk goes with call-key, call-subscriber, or call-psk-identity and call-psk-file"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = psk\ncall-psk-identity = a",
     ":1: +1: call-proof = psk goes with call-key, call-subscriber, or call-psk-identity and call-psk-file"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = none\ncall-subscriber = a@b",
     ":1: +1: call-proof = psk goes with call-key, call-subscriber, or call-psk-identity and call-psk-file"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = psk\ncall-subscriber = a@b\n"
     "[terminal +2]\ncalls-in = tls\ncall-proof = psk\ncall-subscriber = a@b",
     ":5: +2: calls in or registers as another terminal does"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = none\ncall-psk-tls = 1.2",
     ":1: +1: call-proof = psk goes with call-key, call-subscriber, or call-psk-identity and call-psk-file"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = psk\ncall-psk-tls = 1.1", ":4: call-psk-tls: 1.2 or 1.3"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = psk\ncall-key = a",
     ":4: call-key: the keyring has no shared key of that name"},
    {SECTION "call-psk-identity = a", ":1: +15550100: call-... and wake are for terminals with calls-in = "
                                      "tls or any, inbox = yes, or registers = tls or any"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = certificate",
     ":1: +1: call-proof = certificate and call-certificate go together"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = none\ncall-certificate = DNS:a",
     ":1: +1: call-proof = certificate and call-certificate go together"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = certificate\ncall-certificate = a",
     ":4: call-certificate: URI:, DNS: or email: and a name"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = certificate\ncall-certificate = DNS:",
     ":4: call-certificate: URI:, DNS: or email: and a name"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = digest",
     ":1: +1: call-proof = digest, basic or syncml-md5 and call-password-file go together"},
    {"[terminal +1]\ncalls-in = any\ncall-proof = none\ncall-user = a",
     ":1: +1: call-proof = digest, basic or syncml-md5 and call-password-file go together"},
    {"[terminal +1]\ncalls-in = any\ncall-proof = certificate\ncall-certificate = DNS:a",
     ":1: +1: that call-proof needs calls-in = tls"},
    {"[terminal +1]\ninbox = yes",
     ":1: +1: inbox needs call-proof = certificate, psk, digest, basic or syncml-md5"},
    {"[terminal +1]\ninbox = yes\ncall-proof = none",
     ":1: +1: inbox needs call-proof = certificate, psk, digest, basic or syncml-md5"},
    {"[terminal +1]\ninbox = maybe", ":2: inbox: yes or no"},
    {"[terminal +1]\ninbox = yes\ncall-proof = certificate",
     ":1: +1: call-proof = certificate and call-certificate go together"},
    {SECTION "peer-store = yes", ":1: +15550100: peer-store is for terminals with inbox = yes"},
    {"[terminal +1]\ninbox = yes\ncall-proof = certificate\ncall-certificate = DNS:a\n"
     "[terminal +2]\ninbox = yes\ncall-proof = certificate\ncall-certificate = DNS:a",
     ":5: +2: calls in or registers as another terminal does"},
    {SECTION "call-proof = none", ":1: +15550100: call-... and wake are for terminals with calls-in = tls or "
                                  "any, inbox = yes, or registers = tls or any"},
    {"[terminal a@b]\ncalls-in = tls\ncall-proof = none",
     ":1: a@b: calls in without terminal-id, and its address is no number"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = none\n"
     "[terminal a@b]\ncalls-in = tls\ncall-proof = none\nterminal-id = 4+1",
     ":4: a@b: calls in or registers as another terminal does"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = certificate\ncall-certificate = DNS:a\n"
     "[terminal +2]\ncalls-in = tls\ncall-proof = certificate\ncall-certificate = DNS:a",
     ":5: +2: calls in or registers as another terminal does"},
    {"[terminal +1]\nroute = waps://a\ncalls-in = tls\ncall-proof = none\nwake = wap://b",
     ":1: +1: calls-in goes with an http or wap route, or none"},
    {"[terminal +1]\nroute = wap://a\ncalls-in = tls\ncall-proof = none\nwake = wap://b",
     ":1: +1: calls-in goes with an http or wap route, or none"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = none\nwake = https://b",
     ":4: wake: not HOST[:PORT] behind wap:// or waps://"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = none\nwake = b",
     ":4: wake: not HOST[:PORT] behind wap:// or waps://"},
    {"[terminal +1]\ncalls-in = tls\ncall-proof = none\nwake = wap://b\ntls-name = b",
     ":1: +1: tls-name is for https and waps routes, wake = waps:// and session = tls"},
    {SECTION "wake = wap://b", ":1: +15550100: call-... and wake are for terminals with calls-in = tls or "
                               "any, inbox = yes, or registers = tls or any"},
    {"[terminal +1]\nroute = ftp://a",
     ":2: route: not HOST:PORT behind http://, https://, wap:// or waps://, nor a SIP URI"},
    {"[terminal +1]\nroute = 198.51.100.7:4035",
     ":2: route: not HOST:PORT behind http://, https://, wap:// or waps://, nor a SIP URI"},
    {"[terminal +1]\nroute = http://a/push",
     ":2: route: not HOST:PORT behind http://, https://, wap:// or waps://, nor a SIP URI"},
    {"[terminal +1]\nroute = http://u:p@a",
     ":2: route: not HOST:PORT behind http://, https://, wap:// or waps://, nor a SIP URI"},
    {"[terminal +1]\nroute = http://a:65536",
     ":2: route: not HOST:PORT behind http://, https://, wap:// or waps://, nor a SIP URI"},
    {SECTION "route = http://a", ":3: route: already set in this section"},
    {SECTION "from = direct", ":3: from: unknown key, did you mean form?"},
    {SECTION "form = both", ":3: form: embedded or direct"},
    {SECTION "max-size = -1", ":3: max-size: octets, 0 to 1G; 0: as the terminal says"},
    {SECTION "max-size = 2G", ":3: max-size: octets, 0 to 1G; 0: as the terminal says"},
    {SECTION "accept =", ":3: accept: not media types, comma separated"},
    {SECTION "accept = text", ":3: accept: not media types, comma separated"},
    {SECTION "accept = a/b, \"c/d\"", ":3: accept: not media types, comma separated"},
    {SECTION "applications = ,", ":3: applications: not names, comma separated"},
    {SECTION "charsets = \xC3\xA4", ":3: charsets: not names, comma separated"},
    {SECTION "encodings = \"gzip\"", ":3: encodings: not names, comma separated"},
    {SECTION "languages = " LONG, ":3: languages: not names, comma separated"},
    {SECTION "profile-file = gone", "gone: No such file or directory"},
    {SECTION "profile-file = bad.rdf", "bad.rdf: not RDF"},
    {SECTION "profile-file = good", "good: text before the root"},
    {SECTION "terminal-id =", ":3: terminal-id: empty"},
    {SECTION "tls-name = a", ":1: +15550100: tls-name is for https and waps routes, wake = waps:// and "
                             "session = tls"},
    {SECTION "login-user = a", ":1: +15550100: login-user and login-password-file go together"},
    {SECTION "login-password-file = good", ":1: +15550100: login-user and login-password-file go together"},
    {SECTION "login-user = a\nlogin-password-file = wide", "wide is open to others: mode 0644, at most 0600"},
    {SECTION "login-user = a\nlogin-password-file = gone", "gone: No such file or directory"},
    {SECTION "mac-user = ppg", ":1: +15550100: mac-user goes with mac-key-file or mac-password-file"},
    {SECTION "mac-password-file = good",
     ":1: +15550100: mac-user goes with mac-key-file or mac-password-file"},
    {SECTION "mac-user = ppg\nmac-key-file = good", "the file holds no key of 64 hexadecimal digits"},
    {SECTION "mac-user = ppg\nmac-key-file = gone", "gone: No such file or directory"},
    {SECTION "mac-user = ppg\nmac-password-file = wide", "wide is open to others: mode 0644, at most 0600"},
    {SECTION "mac-user = p\"g\nmac-password-file = good",
     "mac-user is too long, or has a character that cannot be quoted"},
    {SECTION "mac-user = ppg\nmac-password-file = good\nform = direct", "mac-user needs form = embedded"},
    {"[terminal +15550100]\nroute = wap://127.0.0.1\nmac-user = ppg\nmac-password-file = good",
     "mac-user is for terminals with an http route, or that call in"},
    {SECTION "xml-name = ppg", ":1: +15550100: xml-name and xml-key-file go together"},
    {SECTION "xml-name = p<g\nxml-key-file = two",
     ":1: +15550100: xml-name is too long, or has markup in it"},
    {SECTION "xml-key-file = two", ":1: +15550100: xml-name and xml-key-file go together"},
    {SECTION "xml-key-file = wide", "wide is open to others: mode 0644, at most 0600"},
    {SECTION "xml-key-file = good", "the file holds no two keys, 128 hexadecimal digits"},
    {SECTION "object-name = o", ":1: +15550100: object-name and object-key-file go together"},
    {SECTION "object-key-file = two", ":1: +15550100: object-name and object-key-file go together"},
    {SECTION "object-key-file = good", "the file holds no two keys, 128 hexadecimal digits"},
    {SECTION "object-name = o\nobject-key-file = two",
     ":1: +15550100: object-name is for terminals with inbox = yes"},
    {INBOX "object-name = p<g\nobject-key-file = two",
     ":1: +15550100: object-name is too long, or has markup in it"},
    {INBOX "object-name = o\nobject-key-file = two\nxml-name = p\nxml-key-file = two",
     ":1: +15550100: object-key-file and xml-key-file must not have the same key"},
    {SECTION "association-file = wide", "wide is open to others: mode 0644, at most 0600"},
    {SECTION "association-file = gone", "gone: No such file or directory"},
    {SECTION SECTION, ":3: +15550100: already described"},
    {SECTION "psk-identity = a", ":1: +15550100: psk-identity and psk-file go together"},
    {SECTION "[terminal tel:+1-555-0100]\nroute = http://a", ":3: +15550100: already described"},
};

static void test_bad(void)
{
    test_write_file("good", "secret", 0600);
    test_write_file("two", TWO_KEYS "\n", 0600);
    test_write_file("wide", "secret", 0644);
    test_write_file("bad.rdf", "<rdf>", 0644);
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct fixture *f = read_text(bad[i].text);

        test_row(i);
        CU_ASSERT_EQUAL(f->errs.n, 1);
        CU_ASSERT(slice_ends(slice_str(f->errs.text[0]), slice_str(bad[i].ends)));
        forget(f);
    }
}

#define SAID_LINE "said = " SAID "\n"
#define KEY_LINE  "key = " KEY "\n"
#define REST      "suites = aes-gcm\nexpires = never\n"
#define SUITES                                                                                               \
    "unknown or repeated suite, allowed: hmac-sha256, aes-ctr-hmac-sha256, aes-cbc-hmac-sha256, aes-gcm, "   \
    "hmac-sha256-8, aes-ctr-hmac-sha256-8"
#define TIME "never, or a time as 2027-01-31T00:00:00Z"

static const struct {
    const char *text, *want; /* the first mistake, NULL: none */
    int64_t expires_ms;
} associations[] = {
    {SAID_LINE KEY_LINE REST, NULL, 0},
    {SAID_LINE KEY_LINE
     "suites = hmac-sha256, aes-ctr-hmac-sha256, aes-cbc-hmac-sha256, aes-gcm, hmac-sha256-8, "
     "aes-ctr-hmac-sha256-8\nexpires = 1970-01-02T00:00:00Z",
     NULL, 86400000},
    {KEY_LINE REST, "f:0: said: missing", 0},
    {SAID_LINE REST, "f:0: key: missing", 0},
    {SAID_LINE KEY_LINE "expires = never", "f:0: suites: missing", 0},
    {SAID_LINE KEY_LINE "suites = aes-gcm", "f:0: expires: missing", 0},
    {"said = 00\n" KEY_LINE REST, "f:1: said: not 32 hexadecimal digits", 0},
    {"said = " SAID "00\n" KEY_LINE REST, "f:1: said: not 32 hexadecimal digits", 0},
    {SAID_LINE "key = " SAID "\n" REST, "f:2: key: not 64 hexadecimal digits", 0},
    {SAID_LINE "key = x" KEY "\n" REST, "f:2: key: not 64 hexadecimal digits", 0},
    {SAID_LINE KEY_LINE KEY_LINE REST, "f:3: key: already set in this section", 0},
    {SAID_LINE KEY_LINE "suites = aes\nexpires = never", "f:3: suites: " SUITES, 0},
    {SAID_LINE KEY_LINE "suites = unknown\nexpires = never", "f:3: suites: " SUITES, 0},
    {SAID_LINE KEY_LINE "suites = aes-gcm, aes-gcm\nexpires = never", "f:3: suites: " SUITES, 0},
    {SAID_LINE KEY_LINE "suites =\nexpires = never", "f:3: suites: names no suite", 0},
    {SAID_LINE KEY_LINE "suites = aes-gcm\nexpires = 2027-02-29T00:00:00Z", "f:4: expires: " TIME, 0},
    {SAID_LINE KEY_LINE "suites = aes-gcm\nexpires = 2027-01-31", "f:4: expires: " TIME, 0},
    {SAID_LINE KEY_LINE "suites = aes-gcm\nexpires =", "f:4: expires: " TIME, 0},
    {"[association]\n" SAID_LINE KEY_LINE REST, "f:1: association: this file has no sections", 0},
    {"sadi = 1\n" SAID_LINE KEY_LINE REST, "f:1: sadi: unknown key, did you mean said?", 0},
};

static void test_associations(void)
{
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);

    for (size_t i = 0; i < COUNT(associations); i++) {
        struct ota_association a = {.present = false};
        struct ppg_load load = {.errs = errs};

        test_row(i);
        errs->n = 0;
        sec_secret_init(&a.key);
        ppg_association_read_text(&load, slice_str(associations[i].text), "f", &a);
        CU_ASSERT_EQUAL(a.present, associations[i].want == NULL);
        CU_ASSERT_EQUAL(errs->n > 0, associations[i].want != NULL);
        if (associations[i].want) {
            TEST_SLICE_EQ(slice_str(errs->text[0]), slice_str(associations[i].want));
        } else {
            CU_ASSERT_EQUAL(a.expires_ms, associations[i].expires_ms);
        }
        sec_secret_clear(&a.key);
    }
    free(errs);
}

/* The keys of a keyring: an association, a password, one of unknown suites, one that has no place here. */
static struct sec_keyring *keyring(void)
{
    static const struct {
        enum sec_key_kind kind;
        struct slice name, attr, secret;
    } rows[] = {{SEC_KEY_ASSOCIATION, SLICE("phone"), SLICE("sixteen octets !\4\1"),
                 SLICE("k k k k k k k k k k k k k k k k ")},
                {SEC_KEY_PASSWORD, SLICE("gate"), SLICE_NONE, SLICE("sesame")},
                {SEC_KEY_ASSOCIATION, SLICE("odd"), SLICE("sixteen octets !\x09"),
                 SLICE("k k k k k k k k k k k k k k k k ")},
                {SEC_KEY_ASSOCIATION, SLICE("twice"), SLICE("sixteen octets !\1\1"),
                 SLICE("k k k k k k k k k k k k k k k k ")},
                {SEC_KEY_PSK, SLICE("psk"), SLICE_NONE, SLICE("k k k k k k k k ")}};
    struct sec_keyring *r;

    MUST(sec_keyring_create(SLICE("a master key of 32 octets, right"), &r) == ERR_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_key k = {.kind = rows[i].kind,
                            .name = rows[i].name,
                            .attr = rows[i].attr,
                            .expires_s = i ? 0 : 1900000000};

        MUST(sec_keyring_add(r, &k, rows[i].secret) == ERR_OK);
    }
    return r;
}

static struct fixture *read_with_keys(struct sec_keyring *r, const char *more)
{
    struct fixture *f = calloc(1, sizeof *f);
    char text[300];

    MUST(f != NULL);
    f->load.errs = &f->errs;
    f->keyring = r;
    (void)snprintf(text, sizeof text, "[terminal 1]\nroute = http://127.0.0.1:9\n%s", more);
    test_write_file("terminals.conf", text, 0644);
    ppg_terminals_read(&f->load, test_in_scratch("terminals.conf"), r, ALL_SUITES, true, DOMAINS,
                       &f->registry);
    return f;
}

/* What the gateway may not seal with is not in the table, whatever the association allows. */
static void test_suites_are_narrowed(void)
{
    static const struct {
        unsigned suites;
        uint8_t want[2];
        size_t n;
    } rows[] = {{ALL_SUITES, {SEC_GPL_GCM, SEC_GPL_HMAC}, 2},
                {1u << SEC_GPL_HMAC | 1u << SEC_GPL_CTR, {SEC_GPL_HMAC, 0}, 1},
                {1u << SEC_GPL_GCM, {SEC_GPL_GCM, 0}, 1},
                {1u << SEC_GPL_CTR_8, {0, 0}, 0}};

    test_write_file("sa", "said = " SAID "\nkey = " KEY "\nsuites = aes-gcm, hmac-sha256\nexpires = never\n",
                    0600);
    test_write_file("terminals.conf", "[terminal 1]\nroute = http://127.0.0.1:9\nassociation-file = sa\n",
                    0644);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f = {.load = {.errs = &f.errs}};
        const struct ota_terminal *t;

        test_row(i);
        ppg_terminals_read(&f.load, test_in_scratch("terminals.conf"), NULL, rows[i].suites, true, DOMAINS,
                           &f.registry);
        CU_ASSERT_EQUAL_FATAL(f.errs.n, 0);
        t = ota_registry_find(f.registry, SLICE("1"));
        CU_ASSERT(t && t->association.present && t->association.suites_n == rows[i].n);
        for (size_t j = 0; t && j < rows[i].n; j++)
            CU_ASSERT_EQUAL(t->association.suites[j], rows[i].want[j]);
        ota_registry_drop(&f.registry);
    }
}

static void test_keys_of_the_keyring(void)
{
    struct sec_keyring *r = keyring();
    struct fixture *f = read_with_keys(r, "association = phone\nlogin-key = gate\n");
    const struct ota_terminal *t = ota_registry_find(f->registry, SLICE("1"));
    uint8_t attr[SEC_KEY_ATTR_MAX_N];
    size_t n;

    CU_ASSERT_EQUAL(f->errs.n, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    CU_ASSERT(t->association.present && t->association.expires_ms == INT64_C(1900000000000));
    CU_ASSERT(t->association.suites_n == 2 && t->association.suites[0] == 4 && t->association.suites[1] == 1);
    TEST_SLICE_EQ(slice_of(t->association.said, 16), SLICE("sixteen octets !"));
    TEST_SLICE_EQ(sec_secret_slice(&t->association.key), SLICE("k k k k k k k k k k k k k k k k "));
    TEST_SLICE_EQ(t->login.user, SLICE("gate"));
    TEST_SLICE_EQ(t->login.password, SLICE("sesame"));
    n = ppg_association_attr(&t->association, attr);
    TEST_SLICE_EQ(slice_of(attr, n), SLICE("sixteen octets !\4\1"));
    forget(f);
    sec_keyring_free(&r);
}

static void test_keys_that_will_not_do(void)
{
    static const struct {
        const char *more, *word;
    } rows[] = {
        {"association = nobody\n", "no association"},
        {"association = gate\n", "no association"},
        {"association = psk\n", "no association"},
        {"association = odd\n", "no association"},
        {"association = twice\n", "no association"},
        {"association = \n", "no association"},
        {"login-key = psk\n", "no password"},
        {"login-key = nobody\n", "no password"},
        {"association = phone\nassociation-file = sa\n", "two ways"},
        {"login-user = x\nlogin-key = gate\n", "leave them out"},
        {"login-key = gate\nlogin-user = x\n", ":4: login-user: another key of this section has said it"},
        {"login-key = gate\nlogin-password-file = pw\n",
         ":4: login-password-file: another key of this section has said it"},
        {"calls-in = tls\ncall-proof = psk\ncall-key = psk\ncall-psk-identity = x\n",
         ":6: call-psk-identity: another key of this section has said it"},
        {"calls-in = tls\ncall-proof = psk\ncall-key = psk\ncall-psk-file = pw\n",
         ":6: call-psk-file: another key of this section has said it"},
    };
    struct sec_keyring *r = keyring();

    test_write_file("pw", KEY "\n", 0600);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *f = read_with_keys(r, rows[i].more);

        test_row(i);
        CU_ASSERT(f->errs.n >= 1 && strstr(f->errs.text[0], "terminals.conf:") &&
                  strstr(f->errs.text[0], rows[i].word));
        forget(f);
        f = read_with_keys(NULL, rows[i].more); /* without a keyring no name is known */
        CU_ASSERT(f->errs.n >= 1);
        forget(f);
    }
    sec_keyring_free(&r);
}

const struct test_case test_cases[] = {
    {"registers", test_registers},
    {"terminals", test_terminals},
    {"profiles", test_profiles},
    {"bad", test_bad},
    {"associations", test_associations},
    {"routes", test_routes},
    {"sip_routes", test_sip_routes},
    {"sessions", test_sessions},
    {"keys_of_the_keyring", test_keys_of_the_keyring},
    {"suites_are_narrowed", test_suites_are_narrowed},
    {"keys_that_will_not_do", test_keys_that_will_not_do},
    {"shared_keys", test_shared_keys},
    {"xml_keys", test_xml_keys},
    {"wake", test_wake},
    {NULL, NULL},
};
