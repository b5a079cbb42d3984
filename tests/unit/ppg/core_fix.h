/* Short ways into the replay world for the unit tests of the core: one terminal, one push, one look.  Each test program
 * is one file, so everything here is static inline. */
#ifndef TESTS_UNIT_PPG_CORE_FIX_H
#define TESTS_UNIT_PPG_CORE_FIX_H

#include "tests/replay/replay_words.h"
#include "tests/replay/replay_world.h"
#include "tests/unit/harness.h"

/* A started world with `n` terminals +1000, +1001 ... that give these answers. */
static inline struct replay_world *fix_world(const char *name, unsigned n, const char *answers)
{
    struct replay_world *w = replay_world_create(name);
    struct slice address;
    struct word_range range = {.at = 1000, .end = 999 + n};

    while (n && word_range_next(&range, &address))
        MUST(word_answers(slice_str(answers), word_terminal_answer,
                          &replay_net_add(w->net, address)->answers));
    return w;
}

static inline void fix_start(struct replay_world *w)
{
    bool good = replay_start(w);

    if (!good)
        (void)fprintf(stderr, "%s\n", w->why);
    CU_ASSERT_FATAL(good);
}

/* One push to one terminal, not yet in the store. */
static inline struct replay_submission *fix_submit(struct replay_world *w, const char *push_id,
                                                   const char *to, struct replay_submit how)
{
    const struct slice address = slice_str(to);

    how.push_id = slice_str(push_id);
    how.initiator = SLICE("pi");
    how.to = &address;
    how.to_n = 1;
    return replay_submit(w, &how);
}

static inline bool fix_is(struct replay_world *w, const char *push_id, const char *to, enum ppg_stage stage,
                          unsigned code)
{
    struct replay_state st = {.code = 0};

    if (replay_show(w, slice_str(push_id), slice_str(to), &st))
        return false;
    if (st.stage != stage || st.code != code)
        (void)fprintf(stderr, "%s/%s: stage %d code %u\n", push_id, to, (int)st.stage, st.code);
    return st.stage == stage && st.code == code;
}

static inline size_t fix_sent(struct replay_world *w, const char *push_id)
{
    return replay_net_sent(w->net, slice_str(push_id), SLICE_NONE);
}

/* What the far ends saw was in order; then all memory is dropped as in a crash. */
static inline void fix_end(struct replay_world *w)
{
    CU_ASSERT(w->net->breaches == 0 && !w->restless);
    replay_world_free(&w);
}

#endif
