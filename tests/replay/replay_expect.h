/* What a scenario expects; the language stands in replay_script.h. */
#ifndef TESTS_REPLAY_EXPECT_H
#define TESTS_REPLAY_EXPECT_H

#include "tests/replay/replay_world.h"

#define REPLAY_PLANS_MAX 16

struct replay_script {
    struct replay_world *w;
    struct replay_plan { /* `in`: a step for a moment to come */
        int64_t at_mono;
        bool behind;
        struct slice line; /* n 0: nothing planned */
    } plans[REPLAY_PLANS_MAX];
    bool broken;   /* one of them failed */
    char why[300]; /* the step failed */
};

/* Fills why; always false, so that a step ends with it. */
bool replay_fail(struct replay_script *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool replay_expect(struct replay_script *s, struct slice rest);

#endif
