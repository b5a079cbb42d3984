/* initiators.conf: what a section gives to the table of accounts, and each mistake with its place. */
#include "tests/unit/harness.h"

#include <stdlib.h>
#include <sys/stat.h>
#include "ppg/config/initiators.h"

#define HA1_SHA256 "7b3ff5a2d4c4a9b3b7f1c2c7d6a0b1f24c9a8f6e5d3b2a190817263544332211"
#define HA1_MD5    "939e7578ed9e3c518a452acee763bce9"

struct fixture {
    struct ppg_config_errors errs;
    struct ppg_load load;
    struct sec_accounts *accounts;
};

/* The file's name is one that exists nowhere but for the tests that say otherwise. */
static struct fixture *read_text(const char *text, const char *file, bool md5)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (!f)
        abort();
    f->load.errs = &f->errs;
    ppg_initiators_read_text(&f->load, slice_str(text), file, SLICE("ppg"), md5, NULL, &f->accounts);
    return f;
}

static void forget(struct fixture *f)
{
    sec_accounts_free(&f->accounts);
    free(f);
}

static void test_accounts(void)
{
    struct fixture *f =
        read_text("[initiator mms]\ncertificate = URI:https://mmsc.example.net  # how it proves itself\n"
                  "certificate = DNS:mmsc.example.net\nnetwork = 192.0.2.0/28\n"
                  "initiator-uri = https://mmsc.example.net/*\ntrusted = yes\nrequire = all\n"
                  "ask-protection = no\nanonymous = yes\n"
                  "[initiator bank]\ndigest-user = bank\ndigest-ha1-sha256 = " HA1_SHA256 "\n"
                  "digest-ha1-md5 = " HA1_MD5 "\nbasic = yes\nbasic-clear = yes\n",
                  "no-such-file", true);
    const struct sec_account *mms = sec_accounts_find(f->accounts, SLICE("mms"));
    const struct sec_account *bank = sec_accounts_find(f->accounts, SLICE("bank"));

    CU_ASSERT_EQUAL(f->errs.n, 0);
    CU_ASSERT_EQUAL_FATAL(sec_accounts_count(f->accounts), 2);
    TEST_SLICE_EQ(sec_accounts_realm(f->accounts), SLICE("ppg"));
    CU_ASSERT_EQUAL(mms->certificates_n, 2);
    CU_ASSERT_EQUAL(mms->networks_n, 1);
    CU_ASSERT_EQUAL(mms->initiator_uris_n, 1);
    TEST_SLICE_EQ(mms->initiator_uris[0], SLICE("https://mmsc.example.net/*"));
    CU_ASSERT_TRUE(mms->trusted);
    CU_ASSERT_FALSE(mms->may_ask_protection);
    CU_ASSERT_TRUE(mms->anonymous);
    CU_ASSERT_EQUAL(mms->require, SEC_REQUIRE_ALL);
    CU_ASSERT_EQUAL(mms->digest_user.n, 0);
    TEST_SLICE_EQ(bank->digest_user, SLICE("bank"));
    CU_ASSERT(bank->ha1_sha256.n > 0 && bank->ha1_md5.n > 0);
    CU_ASSERT_TRUE(bank->basic);
    CU_ASSERT_TRUE(bank->basic_clear);
    CU_ASSERT_FALSE(bank->trusted);
    CU_ASSERT_TRUE(bank->may_ask_protection);
    CU_ASSERT_FALSE(bank->anonymous);
    CU_ASSERT_EQUAL(bank->require, SEC_REQUIRE_ANY);
    CU_ASSERT_EQUAL(bank->certificates_n, 0);
    forget(f);
}

static void test_limits(void)
{
    struct fixture *f =
        read_text("[initiator mms]\ncertificate = DNS:mms\nrate = 200/s burst 400\n"
                  "recipient-rate = 6000/min\nqueue-limit = 100000\nbody-max = 64k\nconnections-max = 16\n"
                  "[initiator bank]\ncertificate = DNS:bank\n",
                  "no-such-file", false);
    const struct sec_account *mms = sec_accounts_find(f->accounts, SLICE("mms"));
    const struct sec_account *bank = sec_accounts_find(f->accounts, SLICE("bank"));

    CU_ASSERT_EQUAL_FATAL(f->errs.n, 0);
    CU_ASSERT(mms->limits.requests.count == 200 && mms->limits.requests.burst == 400);
    CU_ASSERT_EQUAL(mms->limits.requests.period_ms, 1000);
    CU_ASSERT(mms->limits.recipients.count == 6000 && mms->limits.recipients.burst == 6000);
    CU_ASSERT_EQUAL(mms->limits.recipients.period_ms, 60000);
    CU_ASSERT_EQUAL(mms->limits.queue_max, 100000);
    CU_ASSERT_EQUAL(mms->limits.body_max_n, 65536);
    CU_ASSERT_EQUAL(mms->limits.connections_max, 16);
    CU_ASSERT(!bank->limits.requests.count && !bank->limits.recipients.count && !bank->limits.queue_max &&
              !bank->limits.body_max_n && !bank->limits.connections_max);
    forget(f);
}

/* A password file and the HA1 made from that password are the same account (RFC 7616 §3.4.2). */
static void test_password_file(void)
{
    struct sec_secret sha256, md5;
    struct fixture *f;

    sec_secret_init(&sha256);
    sec_secret_init(&md5);
    CU_ASSERT_EQUAL(
        sec_digest_ha1(SEC_DIGEST_SHA256, SLICE("u"), SLICE("ppg"), SLICE("correct horse"), &sha256), ERR_OK);
    CU_ASSERT_EQUAL(sec_digest_ha1(SEC_DIGEST_MD5, SLICE("u"), SLICE("ppg"), SLICE("correct horse"), &md5),
                    ERR_OK);
    test_write_file("password", "correct horse\n", 0600);
    for (int with_md5 = 0; with_md5 < 2; with_md5++) {
        const struct sec_account *a;

        f = read_text("[initiator a]\ndigest-user = u\npassword-file = password\n",
                      test_in_scratch("initiators.conf"), with_md5);
        CU_ASSERT_EQUAL(f->errs.n, 0);
        a = sec_accounts_find(f->accounts, SLICE("a"));
        CU_ASSERT_PTR_NOT_NULL_FATAL(a);
        TEST_SLICE_EQ(sec_secret_slice(&a->ha1_sha256), sec_secret_slice(&sha256));
        TEST_SLICE_EQ(sec_secret_slice(&a->ha1_md5), with_md5 ? sec_secret_slice(&md5) : SLICE_NONE);
        forget(f);
    }
    sec_secret_clear(&sha256);
    sec_secret_clear(&md5);
}

#define SECTION     "[initiator a]\n"
#define RATE_WANTED "like 200/s burst 400: 1 to 1000000 each s, min or h; a burst of 10 ms to a day of it"

static const struct {
    const char *text, *want; /* the one mistake; ends with it */
} bad[] = {
    {"certificate = URI:https://a", "f:1: certificate: stands before any section"},
    {"[a]\ncertificate = URI:https://a",
     "f:1: a: sections here are [initiator NAME], [token-issuer NAME], [auth-proxy NAME]"},
    {"[terminal a]\n",
     "f:1: terminal a: sections here are [initiator NAME], [token-issuer NAME], [auth-proxy NAME]"},
    {SECTION "certficate = URI:https://a", "f:2: certficate: unknown key, did you mean certificate?"},
    {SECTION "colour = red", "f:2: colour: unknown key"},
    {SECTION "trusted = yes\ntrusted = yes", "f:3: trusted: already set in this section"},
    {SECTION "trusted = 1", "f:2: trusted: yes or no"},
    {SECTION "basic = maybe", "f:2: basic: yes or no"},
    {SECTION "require = both", "f:2: require: any or all"},
    {SECTION "certificate =", "f:2: certificate: empty"},
    {SECTION "network =", "f:2: network: empty"},
    {SECTION "certificate = DNS:a\nnetwork = 192.0.2.0/24\nnetwork = 192.0.2.0/33\nbasic = no",
     "f:4: network: not address/bits, or bits set behind the prefix"},
    {SECTION "certificate = DNS:a\nnetwork = 192.0.2.1/24\nbasic = no",
     "f:3: network: not address/bits, or bits set behind the prefix"},
    {SECTION "certificate = DNS:a\ninitiator-uri = ftp://a\nbasic = no",
     "f:3: initiator-uri: not an http(s) URI, \"*\" at most at its end"},
    {SECTION "certificate = DNS:a\ncertificate-issuer = 00",
     "f:3: certificate-issuer: not the SHA-256 fingerprint of "
     "a certificate: 64 hexadecimal digits"},
    {SECTION "certificate = DNS:a\ncertificate-issuer = " HA1_SHA256 "00",
     "f:3: certificate-issuer: not the SHA-256 fingerprint of a certificate: 64 hexadecimal digits"},
    {SECTION "digest-user = a\ncertificate-issuer = " HA1_SHA256 "\ndigest-ha1-sha256 = " HA1_SHA256,
     "f:1: a: certificate-issuer needs certificate"},
    {SECTION "psk-identity = a", "f:1: a: psk-identity and psk-file go together"},
    {SECTION "psk-identity = a\npsk-tls = 1.1", "f:3: psk-tls: 1.2 or 1.3"},
    {SECTION "psk-identity = a\npsk-file = no-such",
     "f:3: psk-file: cannot open no-such: No such file or directory"},
    {SECTION "digest-user =", "f:2: digest-user: empty"},
    {SECTION "digest-ha1-sha256 = abc", "f:2: digest-ha1-sha256: not 64 hexadecimal digits"},
    {SECTION "digest-ha1-sha256 = " HA1_MD5, "f:2: digest-ha1-sha256: not 64 hexadecimal digits"},
    {SECTION "digest-ha1-md5 = " HA1_MD5,
     "f:2: digest-ha1-md5: MD5 is off: digest-md5 of [pap] or of the policy of algorithms is no"},
    {SECTION "digest-ha1-sha256 = " HA1_SHA256, "f:1: a: digest-user is missing"},
    {SECTION "digest-user = a", "f:1: a: digest-user needs password-file, digest-ha1-sha256 or mac-key-file"},
    {SECTION "certificate = DNS:a\nbasic-clear = yes", "f:1: a: basic-clear needs basic = yes"},
    {SECTION "mac-md5 = yes",
     "f:2: mac-md5: MD5 is off: digest-md5 of [pap] or of the policy of algorithms is no"},
    {SECTION "mac-md5 = 1", "f:2: mac-md5: yes or no"},
    {SECTION "mac-key-file = no-such", "f:2: mac-key-file: cannot open no-such: No such file or directory"},
    {SECTION "rate = 200", "f:2: rate: " RATE_WANTED},
    {SECTION "rate = 200/s burst 1", "f:2: rate: " RATE_WANTED},
    {SECTION "rate = 1/s\nrate = 2/s", "f:3: rate: already set in this section"},
    {SECTION "recipient-rate = fast", "f:2: recipient-rate: " RATE_WANTED},
    {SECTION "queue-limit = 0", "f:2: queue-limit: a number, 1 to 1000000000"},
    {SECTION "queue-limit = 1000000001", "f:2: queue-limit: a number, 1 to 1000000000"},
    {SECTION "queue-limit = 100k", "f:2: queue-limit: a number, 1 to 1000000000"},
    {SECTION "body-max = 1023", "f:2: body-max: octets, 1k to 64M"},
    {SECTION "body-max = 65M", "f:2: body-max: octets, 1k to 64M"},
    {SECTION "connections-max = 0", "f:2: connections-max: a number, 1 to 1000000"},
    {SECTION "connections-max = many", "f:2: connections-max: a number, 1 to 1000000"},
    {SECTION "digest-user = a\npassword-file = no-such",
     "f:3: password-file: cannot open no-such: No such file or directory"},
};

static void test_bad(void)
{
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct fixture *f = read_text(bad[i].text, "f", false);

        test_row(i);
        CU_ASSERT_EQUAL(f->errs.n, 1);
        TEST_SLICE_EQ(slice_str(f->errs.text[0]), slice_str(bad[i].want));
        forget(f);
    }
}

static const struct {
    const char *text, *starts; /* the rest is trust.c's to say */
} refused[] = {
    {SECTION, "f:1: a: "},
    {"[initiator ]\ncertificate = DNS:a", "f:1: "},
    {SECTION "certificate = mmsc.example.net", "f:1: a: "},
    {SECTION "certificate = DNS:a\n" SECTION "certificate = DNS:b", "f:3: a: "},
    {SECTION "certificate = DNS:a\n[initiator b]\ncertificate = DNS:a", "f:3: b: "},
};

static void test_refused(void)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct fixture *f = read_text(refused[i].text, "f", false);

        test_row(i);
        CU_ASSERT_EQUAL(f->errs.n, 1);
        CU_ASSERT(slice_starts(slice_str(f->errs.text[0]), slice_str(refused[i].starts)));
        CU_ASSERT(strlen(f->errs.text[0]) > strlen(refused[i].starts));
        forget(f);
    }
}

static void test_shared_keys(void)
{
    static const struct {
        const char *text, *key;
        mode_t mode;
        const char *ends; /* of the one mistake; NULL: none */
    } rows[] = {
        {"psk-identity = x-ppg:a\npsk-file = key\n", "000102030405060708090a0b0c0d0e0f\n", 0600, NULL},
        {"psk-identity = x-ppg:a\npsk-file = key\npsk-tls = 1.2\n", HA1_SHA256, 0600, NULL},
        {"psk-identity = x-ppg:a\npsk-file = key\n", "000102030405060708090a0b0c0d0e", 0600,
         ":3: psk-file: the file holds no key of 32 to 128 hexadecimal digits"},
        {"psk-identity = x-ppg:a\npsk-file = key\n", "correct horse battery staple", 0600,
         ":3: psk-file: the file holds no key of 32 to 128 hexadecimal digits"},
        {"psk-identity = x-ppg:a\npsk-file = key\n", HA1_SHA256, 0640,
         "key is open to others: mode 0640, at most 0600"},
        {"psk-file = key\n", HA1_SHA256, 0600, ":1: a: psk-identity and psk-file go together"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[400];
        struct fixture *f;

        test_row(i);
        test_write_file("key", rows[i].key, rows[i].mode);
        (void)snprintf(text, sizeof text, SECTION "%s", rows[i].text);
        f = read_text(text, test_in_scratch("initiators.conf"), false);
        CU_ASSERT_EQUAL(f->errs.n, rows[i].ends ? 1 : 0);
        if (rows[i].ends) {
            CU_ASSERT(slice_ends(slice_str(f->errs.text[0]), slice_str(rows[i].ends)));
        } else {
            const struct sec_account *a = sec_accounts_by_psk(f->accounts, SLICE("x-ppg:a"));

            CU_ASSERT_PTR_NOT_NULL_FATAL(a);
            CU_ASSERT_EQUAL(a->psk_version, i == 0 ? 13 : 12);
            CU_ASSERT_EQUAL(a->psk.n, i == 0 ? 16 : 32);
            CU_ASSERT_PTR_NULL(sec_accounts_by_psk(f->accounts, SLICE("x-ppg:A")));
        }
        forget(f);
    }
}

/* Files with passwords, and a list with HA1 in it, that others may read. */
static void test_open_secrets(void)
{
    static const struct {
        const char *text;
        const char *ends; /* of the one mistake */
    } rows[] = {
        {SECTION "digest-user = a\npassword-file = wide", "wide is open to others: mode 0640, at most 0600"},
        {SECTION "digest-user = a\npassword-file = empty", ":3: password-file: the file must hold one line"},
        {SECTION "digest-user = a\npassword-file = two", ":3: password-file: the file must hold one line"},
        {SECTION "digest-user = a\ndigest-ha1-sha256 = " HA1_SHA256,
         "list is open to others: mode 0644, at most 0640"},
        {SECTION "digest-user = a\npassword-file = good\ndigest-ha1-sha256 = " HA1_SHA256,
         "list is open to others: mode 0644, at most 0640"},
    };

    test_write_file("wide", "secret", 0640);
    test_write_file("empty", "\n", 0600);
    test_write_file("two", "one\ntwo\n", 0600);
    test_write_file("good", "secret", 0600);
    test_write_file("list", "", 0644);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *f = read_text(rows[i].text, test_in_scratch("list"), false);

        test_row(i);
        CU_ASSERT_EQUAL(f->errs.n, 1);
        CU_ASSERT(slice_ends(slice_str(f->errs.text[0]), slice_str(rows[i].ends)));
        forget(f);
    }
}

/* x-syncml-hmac: a key of its own, or the password by another formula. */
static void test_macs(void)
{
    static const struct {
        const char *text, *ends; /* of the one mistake; NULL: none */
        size_t md5_n, sha256_n;
    } rows[] = {
        {SECTION "digest-user = u\nmac-key-file = key", NULL, 0, SEC_MAC_KEY_N},
        {SECTION "digest-user = u\npassword-file = good\nmac-md5 = yes", NULL, SEC_MAC_INNER_N, 0},
        {SECTION "digest-user = u\npassword-file = good\nmac-md5 = yes\nmac-key-file = key", NULL,
         SEC_MAC_INNER_N, SEC_MAC_KEY_N},
        {SECTION "digest-user = u\npassword-file = good\nmac-md5 = no", NULL, 0, 0},
        {SECTION "certificate = DNS:a\nmac-key-file = key", ": digest-user is missing", 0, 0},
        {SECTION "digest-user = u\nmac-md5 = yes\nmac-key-file = key",
         "mac-md5 needs password-file: a stored digest is of another formula", 0, 0},
        {SECTION "digest-user = u\nmac-key-file = good",
         ":3: mac-key-file: the file holds no key of 64 hexadecimal digits", 0, 0},
        {SECTION "digest-user = u\nmac-key-file = short",
         ":3: mac-key-file: the file holds no key of 64 hexadecimal digits", 0, 0},
        {SECTION "digest-user = u\nmac-key-file = wide", "wide is open to others: mode 0640, at most 0600", 0,
         0},
    };

    test_write_file("good", "secret\n", 0600);
    test_write_file("key", HA1_SHA256 "\n", 0600);
    test_write_file("short", HA1_MD5 "\n", 0600);
    test_write_file("wide", HA1_SHA256 "\n", 0640);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *f = read_text(rows[i].text, test_in_scratch("initiators.conf"), true);
        const struct sec_account *a = sec_accounts_find(f->accounts, SLICE("a"));

        test_row(i);
        CU_ASSERT_EQUAL(f->errs.n, rows[i].ends != NULL);
        if (rows[i].ends)
            CU_ASSERT(slice_ends(slice_str(f->errs.text[0]), slice_str(rows[i].ends)));
        if (!rows[i].ends && a)
            CU_ASSERT(a->mac.key[SEC_MAC_MD5].n == rows[i].md5_n &&
                      a->mac.key[SEC_MAC_SHA256].n == rows[i].sha256_n);
        CU_ASSERT(rows[i].ends != NULL || a != NULL);
        forget(f);
    }
}

static void test_two_ways(void)
{
    struct fixture *f;

    test_write_file("good", "secret", 0600);
    test_write_file("list", "", 0600);
    f = read_text(SECTION "digest-user = a\npassword-file = good\ndigest-ha1-sha256 = " HA1_SHA256,
                  test_in_scratch("list"), false);
    CU_ASSERT_EQUAL(f->errs.n, 1);
    CU_ASSERT(slice_ends(slice_str(f->errs.text[0]), SLICE("leave one out")));
    forget(f);
}

static void test_too_many(void)
{
    struct fixture *f;
    struct buf text;

    buf_init(&text, 100000);
    buf_add_str(&text, SECTION);
    for (size_t i = 0; i <= SEC_ACCOUNT_LIST_MAX; i++)
        buf_addf(&text, "certificate = DNS:a%zu\n", i);
    buf_add_ch(&text, '\0');
    f = read_text(text.p, "f", false);
    CU_ASSERT_EQUAL(f->errs.n, 1);
    CU_ASSERT_STRING_EQUAL(f->errs.text[0], "f:66: certificate: more than 64 in one section");
    forget(f);
    buf_clear(&text);
}

const struct test_case test_cases[] = {
    {"limits", test_limits},
    {"shared_keys", test_shared_keys},
    {"accounts", test_accounts},
    {"password_file", test_password_file},
    {"bad", test_bad},
    {"refused", test_refused},
    {"open_secrets", test_open_secrets},
    {"macs", test_macs},
    {"two_ways", test_two_ways},
    {"too_many", test_too_many},
    {NULL, NULL},
};
