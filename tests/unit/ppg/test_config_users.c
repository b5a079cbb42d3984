/* users.conf: who may log in by which password, and each mistake with its place. */
#include "ppg/config/users.h"

#include <stdlib.h>
#include <sys/stat.h>
#include "security/rules/trust.h"
#include "tests/unit/harness.h"

#define MASTER SLICE("0123456789abcdef0123456789abcdef")
#define LONG   "12345678901234567890123456789012345678901234567890123456789012345"

struct fixture {
    struct ppg_config_errors errs;
    struct ppg_load load;
    struct sec_keyring *keyring;
    struct sec_accounts *users;
};

static const char *path_of(const char *name)
{
    static char path[600];

    (void)snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
    return path;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(path_of(name), "w");

    MUST(f && fputs(text, f) >= 0 && fclose(f) == 0 && chmod(path_of(name), mode) == 0);
}

static struct fixture *read_text(const char *text)
{
    struct sec_key pw = {.kind = SEC_KEY_PASSWORD, .name = SLICE("pw-bob")};
    struct sec_key psk = {.kind = SEC_KEY_PSK, .name = SLICE("psk")};
    struct fixture *f = calloc(1, sizeof *f);

    MUST(f && sec_keyring_create(MASTER, &f->keyring) == ERR_OK);
    MUST(sec_keyring_add(f->keyring, &pw, SLICE("sesame")) == ERR_OK);
    MUST(sec_keyring_add(f->keyring, &psk, MASTER) == ERR_OK);
    write_file("alice.pw", "open sesame\n", 0600);
    write_file("open.pw", "open sesame\n", 0644);
    write_file("users.conf", text, 0644);
    f->load.errs = &f->errs;
    ppg_users_read(&f->load, path_of("users.conf"), f->keyring, &f->users);
    return f;
}

static void forget(struct fixture *f)
{
    sec_accounts_free(&f->users);
    sec_keyring_free(&f->keyring);
    free(f);
}

/* By Basic, which the door takes inside TLS. */
static const char *who(struct fixture *f, const char *authorization)
{
    struct sec_evidence ev = {.tls = true,
                              .peer = SLICE("192.0.2.1"),
                              .authorization = slice_str(authorization),
                              .authorization_n = 1};
    struct sec_identity id;

    MUST(sec_trust_identify(f->users, &ev, NULL, 1, &id) == ERR_OK);
    return id.outcome == SEC_IDENTIFIED && slice_eq(id.account->name, SLICE("alice")) ? "alice"
           : id.outcome == SEC_IDENTIFIED && slice_eq(id.account->name, SLICE("bob")) ? "bob"
                                                                                      : "nobody";
}

static void test_users(void)
{
    struct fixture *f = read_text("[user alice]\npassword-file = alice.pw\n[user bob]\nkey = pw-bob\n");

    CU_ASSERT_EQUAL(f->errs.n, 0);
    CU_ASSERT_FATAL(f->users && sec_accounts_count(f->users) == 2);
    TEST_SLICE_EQ(slice_str(who(f, "Basic YWxpY2U6b3BlbiBzZXNhbWU=")),
                  SLICE("alice"));                                               /* alice:open sesame */
    TEST_SLICE_EQ(slice_str(who(f, "Basic Ym9iOnNlc2FtZQ==")), SLICE("bob"));    /* bob:sesame */
    TEST_SLICE_EQ(slice_str(who(f, "Basic YWxpY2U6c2VzYW1l")), SLICE("nobody")); /* alice:sesame */
    forget(f);
}

static void test_mistakes(void)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"[user x]\n", "users.conf:1: x: one of password-file and key"},
        {"[user x]\npassword-file = alice.pw\nkey = pw-bob\n", "one of password-file and key"},
        {"[user x]\nkey = pw-bob\npassword-file = alice.pw\n",
         "users.conf:3: password-file: another key of this section has said it"},
        {"[user x]\nkey = nobody\n", "users.conf:2: key: the keyring has no password"},
        {"[user x]\nkey = psk\n", "users.conf:2: key: the keyring has no password"},
        {"[user x]\npassword-file = open.pw\n", "open.pw"},
        {"[user x]\npassword-file = none.pw\n", "none.pw"},
        {"[user " LONG "]\nkey = pw-bob\n", "at most 64 octets"},
        {"[user x]\nkey = pw-bob\n[user x]\nkey = pw-bob\n", "users.conf:3: x"},
        {"[user x]\nsecret = y\n", "secret"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *f = read_text(rows[i].text);

        test_row(i);
        CU_ASSERT_FATAL(f->errs.n > 0);
        CU_ASSERT(slice_find_slice(slice_str(f->errs.text[0]), slice_str(rows[i].says)) != SIZE_MAX);
        CU_ASSERT(slice_find_slice(slice_str(f->errs.text[0]), SLICE("sesame")) == SIZE_MAX);
        forget(f);
    }
}

const struct test_case test_cases[] = {{"users", test_users}, {"mistakes", test_mistakes}, {NULL, NULL}};
