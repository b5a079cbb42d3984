/* A keyring on disk: master keys, permissions, changes that appear whole or not at all.  Under SIGKILL:
 * tests/fault/test_keyring_kill.c. */
#include "security/keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/unit/security/keyring_fix.h"

#define HEX1 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HEX2 "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

struct at {
    char ring[200], master[200], master2[200];
    struct sec_keyring_conf conf;
    char why[SEC_KEYRING_WHY_N];
};

static void put(const char *path, struct slice text, unsigned mode)
{
    FILE *f;

    (void)unlink(path);
    f = fopen(path, "w");
    MUST(f && fwrite(text.p, 1, text.n, f) == text.n && fclose(f) == 0 && chmod(path, mode) == 0);
}

static void begin(struct at *a)
{
    (void)snprintf(a->ring, sizeof a->ring, "%s/keyring", test_scratch());
    (void)snprintf(a->master, sizeof a->master, "%s/master", test_scratch());
    (void)snprintf(a->master2, sizeof a->master2, "%s/master2", test_scratch());
    (void)unlink(a->ring);
    put(a->master, SLICE(HEX1 "\n"), 0600);
    put(a->master2, SLICE(HEX2), 0400);
    a->conf = (struct sec_keyring_conf){.path = a->ring, .master = a->master};
    a->why[0] = '\0';
}

static enum err add_psk(struct sec_keyring *r, void *name)
{
    return ring_add(r, SEC_KEY_PSK, name);
}

static enum err refuse(struct sec_keyring *r, void *arg)
{
    (void)arg;
    MUST(ring_add(r, SEC_KEY_PSK, "never") == ERR_OK);
    return ERR_DENIED;
}

static enum err nothing(struct sec_keyring *r, void *arg)
{
    (void)r;
    (void)arg;
    return ERR_OK;
}

static void test_change_and_load(void)
{
    struct sec_keyring *r = NULL;
    struct stat st;
    struct at a;

    begin(&a);
    CU_ASSERT(sec_keyring_load(&a.conf, &r, a.why) == ERR_ABSENT && !r);
    CU_ASSERT(strstr(a.why, a.ring) != NULL);
    a.conf.previous = "/nowhere/at/all"; /* nobody knows what is in there, and not that there is nothing */
    CU_ASSERT(sec_keyring_load(&a.conf, &r, a.why) == ERR_IO && !r);
    a.conf.previous = NULL;
    CU_ASSERT(sec_keyring_change(&a.conf, add_psk, "one", a.why) == ERR_OK);
    CU_ASSERT(sec_keyring_change(&a.conf, add_psk, "two", a.why) == ERR_OK);
    CU_ASSERT_FATAL(sec_keyring_load(&a.conf, &r, a.why) == ERR_OK);
    CU_ASSERT(sec_keyring_n(r) == 2 && sec_keyring_generation(r) == 2);
    CU_ASSERT(opens_to(r, sec_keyring_find(r, SLICE("two")), KS));
    CU_ASSERT(stat(a.ring, &st) == 0 && (st.st_mode & 0777) == 0600);
    sec_keyring_free(&r);
}

static void test_refused_change_writes_nothing(void)
{
    struct sec_keyring *r = NULL;
    struct at a;

    begin(&a);
    CU_ASSERT(sec_keyring_change(&a.conf, refuse, NULL, a.why) == ERR_DENIED);
    CU_ASSERT(access(a.ring, F_OK) != 0);
    CU_ASSERT(sec_keyring_change(&a.conf, add_psk, "one", a.why) == ERR_OK);
    CU_ASSERT(sec_keyring_change(&a.conf, add_psk, "one", a.why) == ERR_EXISTS);
    CU_ASSERT(sec_keyring_change(&a.conf, refuse, NULL, a.why) == ERR_DENIED);
    CU_ASSERT_FATAL(sec_keyring_load(&a.conf, &r, a.why) == ERR_OK);
    CU_ASSERT(sec_keyring_n(r) == 1 && sec_keyring_generation(r) == 1);
    sec_keyring_free(&r);
}

static void test_master_rotation(void)
{
    struct sec_keyring_conf next;
    struct sec_keyring *r = NULL;
    struct at a;

    begin(&a);
    next = (struct sec_keyring_conf){.path = a.ring, .master = a.master2, .previous = a.master};
    CU_ASSERT(sec_keyring_change(&a.conf, add_psk, "one", a.why) == ERR_OK);
    CU_ASSERT_FATAL(sec_keyring_load(&next, &r, a.why) == ERR_OK);
    CU_ASSERT(sec_keyring_is_old(r) && opens_to(r, sec_keyring_find(r, SLICE("one")), KS));
    sec_keyring_free(&r);
    CU_ASSERT(sec_keyring_load(&a.conf, &r, a.why) == ERR_OK); /* loading has written nothing */
    sec_keyring_free(&r);
    CU_ASSERT(sec_keyring_change(&next, nothing, NULL, a.why) == ERR_OK);
    next.previous = NULL;
    CU_ASSERT_FATAL(sec_keyring_load(&next, &r, a.why) == ERR_OK);
    CU_ASSERT(!sec_keyring_is_old(r) && opens_to(r, sec_keyring_find(r, SLICE("one")), KS));
    sec_keyring_free(&r);
    CU_ASSERT(sec_keyring_load(&a.conf, &r, a.why) == ERR_DENIED && strstr(a.why, "master") && !r);
}

/* Refused with the file's name; what is there stays as it is. */
static void test_damaged_files_stay(void)
{
    static const size_t cuts[] = {0, 1, 63, 96, 150};
    struct sec_keyring *r = NULL;
    struct at a;
    char good[1024];
    size_t n;
    FILE *f;

    begin(&a);
    CU_ASSERT(sec_keyring_change(&a.conf, add_psk, "one", a.why) == ERR_OK);
    f = fopen(a.ring, "r");
    n = fread(good, 1, sizeof good, f);
    (void)fclose(f);
    for (size_t i = 0; i < COUNT(cuts) + 1; i++) {
        struct slice bad = slice_of(good, i < COUNT(cuts) ? cuts[i] : n);
        struct stat st;

        test_row(i);
        good[100] = (char)(good[100] ^ (i < COUNT(cuts) ? 0 : 4));
        put(a.ring, bad, 0600);
        a.why[0] = '\0';
        CU_ASSERT(sec_keyring_load(&a.conf, &r, a.why) == ERR_MALFORMED && !r && strstr(a.why, a.ring));
        CU_ASSERT(sec_keyring_change(&a.conf, add_psk, "two", a.why) == ERR_MALFORMED);
        CU_ASSERT(stat(a.ring, &st) == 0 && (size_t)st.st_size == bad.n);
    }
}

static void test_permissions(void)
{
    struct sec_keyring *r = NULL;
    struct at a;

    begin(&a);
    CU_ASSERT(sec_keyring_change(&a.conf, add_psk, "one", a.why) == ERR_OK);
    CU_ASSERT(chmod(a.ring, 0640) == 0);
    CU_ASSERT(sec_keyring_load(&a.conf, &r, a.why) == ERR_DENIED && strstr(a.why, a.ring));
    CU_ASSERT(chmod(a.ring, 0600) == 0 && chmod(a.master, 0604) == 0);
    CU_ASSERT(sec_keyring_load(&a.conf, &r, a.why) == ERR_DENIED && strstr(a.why, a.master));
    CU_ASSERT(chmod(a.master, 0400) == 0 && unlink(a.ring) == 0 && symlink(a.master, a.ring) == 0);
    CU_ASSERT(sec_keyring_load(&a.conf, &r, a.why) == ERR_IO && !r);
    CU_ASSERT(unlink(a.ring) == 0);
}

static void test_master_files(void)
{
    static const struct {
        struct slice text;
        enum err want;
    } rows[] = {{SLICE(HEX1), ERR_OK},
                {SLICE(HEX1 "\n"), ERR_OK},
                {SLICE(HEX1 "\n\n"), ERR_LIMIT},
                {SLICE(HEX1 "00"), ERR_LIMIT},
                {SLICE("0" HEX1), ERR_MALFORMED},
                {SLICE("00"), ERR_MALFORMED},
                {SLICE(""), ERR_MALFORMED},
                {SLICE("zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"), ERR_MALFORMED}};
    struct sec_secret s;
    struct at a;

    begin(&a);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        put(a.master, rows[i].text, 0600);
        sec_secret_init(&s);
        CU_ASSERT(sec_master_read(a.master, &s, a.why) == rows[i].want);
        CU_ASSERT(s.n == (rows[i].want ? 0 : SEC_MASTER_N));
        CU_ASSERT(!rows[i].want || (strstr(a.why, a.master) && !strstr(a.why, "00112233")));
        sec_secret_clear(&s);
    }
    CU_ASSERT(sec_master_read("/nowhere/at/all", &s, a.why) == ERR_ABSENT);
    CU_ASSERT(sec_master_read(test_scratch(), &s, a.why) == ERR_DENIED);
}

/* A credential of the service manager: a name below its folder, readable by the group of its access list. */
static void test_credentials(void)
{
    struct sec_secret s;
    struct at a;

    begin(&a);
    sec_secret_init(&s);
    CU_ASSERT(unsetenv("CREDENTIALS_DIRECTORY") == 0);
    CU_ASSERT(sec_master_read("credential:master", &s, a.why) == ERR_ABSENT && s.n == 0);
    CU_ASSERT(setenv("CREDENTIALS_DIRECTORY", test_scratch(), 1) == 0);
    CU_ASSERT(sec_master_read("credential:", &s, a.why) == ERR_MALFORMED);
    CU_ASSERT(sec_master_read("credential:../master", &s, a.why) == ERR_MALFORMED);
    CU_ASSERT(sec_master_read("credential:..", &s, a.why) == ERR_MALFORMED);
    CU_ASSERT(sec_master_read("credential:none", &s, a.why) == ERR_ABSENT);
    CU_ASSERT(chmod(a.master, 0444) == 0);
    CU_ASSERT(sec_master_read("credential:master", &s, a.why) == ERR_DENIED && s.n == 0);
    CU_ASSERT(chmod(a.master, 0440) == 0);
    CU_ASSERT(sec_master_read("credential:master", &s, a.why) == ERR_OK && s.n == SEC_MASTER_N);
    sec_secret_clear(&s);
    CU_ASSERT(unsetenv("CREDENTIALS_DIRECTORY") == 0);
}

static void test_folder_that_is_not_there(void)
{
    struct at a;

    begin(&a);
    a.conf.path = "/nowhere/at/all/keyring";
    CU_ASSERT(sec_keyring_change(&a.conf, add_psk, "one", a.why) == ERR_IO && strstr(a.why, "/nowhere"));
}

/* What somebody left behind who died while writing is no obstacle. */
static void test_left_over_part(void)
{
    struct sec_keyring *r = NULL;
    char part[220];
    struct at a;

    begin(&a);
    (void)snprintf(part, sizeof part, "%s.new", a.ring);
    put(part, SLICE("half"), 0600);
    CU_ASSERT(sec_keyring_change(&a.conf, add_psk, "one", a.why) == ERR_OK);
    CU_ASSERT(access(part, F_OK) != 0);
    CU_ASSERT(sec_keyring_load(&a.conf, &r, a.why) == ERR_OK);
    sec_keyring_free(&r);
}

const struct test_case test_cases[] = {
    {"change_and_load", test_change_and_load},
    {"refused_change_writes_nothing", test_refused_change_writes_nothing},
    {"master_rotation", test_master_rotation},
    {"damaged_files_stay", test_damaged_files_stay},
    {"permissions", test_permissions},
    {"master_files", test_master_files},
    {"credentials", test_credentials},
    {"folder_that_is_not_there", test_folder_that_is_not_there},
    {"left_over_part", test_left_over_part},
    {NULL, NULL},
};
