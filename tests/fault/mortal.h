/* A child process that works on a store until it dies, and tells its parent over a pipe what it does: its ledger.  Used by the tests of
 * the store under SIGKILL; each test program is one file, so everything here is static inline. */
#ifndef TESTS_FAULT_MORTAL_H
#define TESTS_FAULT_MORTAL_H

#include <signal.h>
#include <sys/wait.h>
#include "tests/unit/harness.h"
#include "tests/unit/ppg/store_fix.h"

struct mortal {
    struct fix f;
    int ledger; /* in the child: the end to write */
    uint32_t seed;
    size_t kill_at; /* steps of the store until the end; 0 never */
};

static inline uint32_t mortal_next(uint32_t seed)
{
    return seed * 1664525u + 1013904223u;
}

static inline uint32_t mortal_roll(struct mortal *m, uint32_t sides)
{
    m->seed = mortal_next(m->seed);
    return (m->seed >> 8) % sides;
}

/* Writes an entry of the ledger. */
static inline void mortal_tell(const struct mortal *m, const void *entry, size_t n)
{
    if (write(m->ledger, entry, n) != (ssize_t)n)
        _exit(3);
}

static inline void mortal_step(void *arg, const char *name)
{
    struct mortal *m = arg;

    (void)name;
    if (m->kill_at > 0 && --m->kill_at == 0)
        (void)raise(SIGKILL);
}

static inline void mortal_open(struct mortal *m)
{
    m->f.conf.step = mortal_step;
    m->f.conf.step_arg = m;
    if (fix_open(&m->f))
        _exit(4);
}

/* Runs live() in a child, which is to end it with _exit(), and follow() here, which reads the ledger to its end.  True: it was killed. */
static inline bool mortal_run(struct mortal *m, void (*live)(struct mortal *m),
                              void (*follow)(int ledger, pid_t child, void *arg), void *arg)
{
    int ends[2], status = 0;
    pid_t pid;

    CU_ASSERT_FATAL(pipe(ends) == 0);
    pid = fork();
    CU_ASSERT_FATAL(pid >= 0);
    if (pid == 0) {
        (void)close(ends[0]);
        m->ledger = ends[1];
        live(m);
        _exit(5);
    }
    (void)close(ends[1]);
    follow(ends[0], pid, arg);
    (void)close(ends[0]);
    CU_ASSERT_FATAL(waitpid(pid, &status, 0) == pid);
    CU_ASSERT(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

#endif
