/* A change of a keyring, and its move to another master key, killed at each system call in turn: the file opens afterwards
 * and is the old one or the new one, whole.  The child is traced, so each place to die is met once. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "security/keyring.h"
#include "tests/unit/security/keyring_fix.h"

#define CALLS_MAX 2000 /* system calls of one change; far from it */

struct at {
    char ring[200], master[200], master2[200];
    struct sec_keyring_conf was, is; /* before and after the master key is another */
};

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    MUST(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void begin(struct at *a)
{
    (void)umask(077);
    (void)snprintf(a->ring, sizeof a->ring, "%s/keyring", test_scratch());
    (void)snprintf(a->master, sizeof a->master, "%s/master", test_scratch());
    (void)snprintf(a->master2, sizeof a->master2, "%s/master2", test_scratch());
    put(a->master, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
    put(a->master2, "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
    a->was = (struct sec_keyring_conf){.path = a->ring, .master = a->master};
    a->is = (struct sec_keyring_conf){.path = a->ring, .master = a->master2, .previous = a->master};
}

static enum err add(struct sec_keyring *r, void *name)
{
    return ring_add(r, SEC_KEY_PSK, name);
}

/* Runs the change in a child that dies before its n-th system call.  True when it lived to the end. */
static bool change_killed_at(const struct sec_keyring_conf *conf, size_t n, bool *traced)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        char why[SEC_KEYRING_WHY_N];

        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP))
            _exit(9);
        _exit(sec_keyring_change(conf, add, "new", why) ? 1 : 0);
    }
    MUST(child > 0 && waitpid(child, &status, 0) == child);
    *traced = WIFSTOPPED(status);
    for (size_t i = 0; i < n && WIFSTOPPED(status); i++)
        MUST(!ptrace(PTRACE_SYSCALL, child, NULL, NULL) && waitpid(child, &status, 0) == child);
    if (WIFSTOPPED(status))
        MUST(!kill(child, SIGKILL) && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The file opens, has the old key, and the new one or not; both openings agree with `conf` in force. */
static bool whole(const struct sec_keyring_conf *conf, bool *changed)
{
    struct sec_keyring *r = NULL;
    char why[SEC_KEYRING_WHY_N];
    bool good = sec_keyring_load(conf, &r, why) == ERR_OK;

    good = good && opens_to(r, sec_keyring_find(r, SLICE("old")), KS);
    *changed = good && sec_keyring_find(r, SLICE("new"));
    good = good && (!*changed || opens_to(r, sec_keyring_find(r, SLICE("new")), KS));
    good = good && sec_keyring_generation(r) == (*changed ? 2u : 1u);
    sec_keyring_free(&r);
    return good;
}

/* From nothing to the end; how often the change had happened by the time of death, and how often not. */
static void kill_everywhere(struct at *a, const struct sec_keyring_conf *conf)
{
    size_t before = 0, after = 0;
    bool ended = false, traced = true, changed = false;
    char why[SEC_KEYRING_WHY_N];

    for (size_t n = 0; n < CALLS_MAX && !ended && traced; n++) {
        test_row(n);
        (void)unlink(a->ring);
        CU_ASSERT_FATAL(sec_keyring_change(&a->was, add, "old", why) == ERR_OK);
        ended = change_killed_at(conf, n, &traced);
        CU_ASSERT_FATAL(whole(conf, &changed));
        CU_ASSERT(!ended || changed);
        before += !changed;
        after += changed;
        CU_ASSERT(sec_keyring_change(conf, add, "later", why) == ERR_OK); /* nothing stands in the way */
    }
    CU_ASSERT(ended && before > 10 && after > 2);
}

static void test_change_killed_at_every_call(void)
{
    struct at a;

    begin(&a);
    kill_everywhere(&a, &a.was);
}

static void test_rewrap_killed_at_every_call(void)
{
    struct at a;

    begin(&a);
    kill_everywhere(&a, &a.is);
}

/* A full disk: the change is refused with the file's name and the old keys are there. */
static void test_disk_full(void)
{
    struct sec_keyring *r = NULL;
    char why[SEC_KEYRING_WHY_N];
    struct at a;
    pid_t child;
    int status;

    begin(&a);
    (void)unlink(a.ring);
    CU_ASSERT(sec_keyring_change(&a.was, add, "old", why) == ERR_OK);
    child = fork();
    if (child == 0) {
        const struct rlimit none = {100, 100};

        (void)signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &none))
            _exit(9);
        _exit(sec_keyring_change(&a.was, add, "new", why) == ERR_IO && strstr(why, a.ring) ? 0 : 1);
    }
    CU_ASSERT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CU_ASSERT_FATAL(sec_keyring_load(&a.was, &r, why) == ERR_OK);
    CU_ASSERT(sec_keyring_n(r) == 1);
    sec_keyring_free(&r);
}

const struct test_case test_cases[] = {
    {"change_killed_at_every_call", test_change_killed_at_every_call},
    {"rewrap_killed_at_every_call", test_rewrap_killed_at_every_call},
    {"disk_full", test_disk_full},
    {NULL, NULL},
};
