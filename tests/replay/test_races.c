/* Submissions, cancels, replacements, answers, deadlines, a store that fails and the power that goes, at random and all
 * at once, on the virtual clock.  Whatever happens, the delivery contract of ppg/README.md holds in the end. */
#include <stdio.h>

#include "base/num.h"
#include "pap/vocab.h"
#include "ppg/stage.h"
#include "tests/replay/replay_words.h"
#include "tests/replay/replay_world.h"
#include "tests/unit/base/random.h"
#include "tests/unit/harness.h"

#define RUNS       24u
#define STEPS      80u
#define PUSHES_MAX STEPS
#define KEYS_N     3u
#define SETTLE_MS  1200000 /* longer than any lifetime and any wait between tries */

static const struct slice keys[KEYS_N] = {{"+1001", 5}, {"+1002", 5}, {"+1003", 5}};

struct race_push {
    char id[16];
    unsigned to; /* bits of keys */
    int64_t from_ms, until_ms;
    int64_t accepted_ms;
    enum ppg_priority priority;
    const struct replay_submission *sub;
};

struct race {
    struct replay_world *w;
    uint32_t dice;
    struct race_push pushes[PUSHES_MAX];
    size_t pushes_n;
    bool disturbed;                     /* the store failed or the power went */
    enum { BEFORE, BEHIND, DONE } when; /* of this step's action, and ... */
    int64_t act_mono;                   /* ... from which moment on */
};

static uint32_t roll(struct race *r, uint32_t end)
{
    return random_below(&r->dice, end);
}

/* --- what happens --- */

static size_t take_keys(unsigned bits, struct slice out[KEYS_N])
{
    size_t n = 0;

    for (unsigned i = 0; i < KEYS_N; i++)
        if (bits & 1u << i)
            out[n++] = keys[i];
    return n;
}

/* One of the last few: most others have ended. */
static const struct race_push *recent(struct race *r)
{
    return &r->pushes[r->pushes_n - 1 - roll(r, (uint32_t)num_min(r->pushes_n, 4))];
}

static void submit(struct race *r)
{
    struct race_push *p = &r->pushes[r->pushes_n];
    struct replay_submit how = {.initiator = SLICE("pi"), .notify = true, .body_n = 5};
    struct slice to[KEYS_N];

    *p = (struct race_push){.to = 1 + roll(r, (1u << KEYS_N) - 1)};
    (void)snprintf(p->id, sizeof p->id, "p%zu", r->pushes_n);
    how.push_id = slice_str(p->id);
    how.to = to;
    how.to_n = take_keys(p->to, to);
    how.priority = p->priority = roll(r, 4) ? PPG_PRIO_MEDIUM : PPG_PRIO_HIGH;
    how.after_ms = roll(r, 3) ? 0 : 100 + 100 * (int64_t)roll(r, 50);
    how.before_ms = roll(r, 4) ? 0 : how.after_ms + 100 + 100 * (int64_t)roll(r, 60);
    if (r->pushes_n && roll(r, 2)) {
        how.replaces = slice_str(recent(r)->id);
        how.replace = roll(r, 2) ? PPG_REPLACE_ALL : PPG_REPLACE_PENDING_ONLY;
    }
    p->accepted_ms = clk_utc_ms(&r->w->clk.clk);
    p->from_ms = p->accepted_ms + how.after_ms;
    p->until_ms = p->accepted_ms + (how.before_ms ? how.before_ms : INT64_C(600000));
    p->sub = replay_submit(r->w, &how);
    r->pushes_n++;
}

static void cancel(struct race *r)
{
    struct slice to[KEYS_N];
    size_t n = roll(r, 2) ? 0 : take_keys(roll(r, 1u << KEYS_N), to);

    if (r->pushes_n)
        (void)replay_cancel(r->w, SLICE("pi"), slice_str(recent(r)->id), to, n);
}

static bool act(void *arg, bool behind)
{
    struct race *r = arg;

    if (r->when != (behind ? BEHIND : BEFORE) || clk_mono_ms(&r->w->clk.clk) < r->act_mono)
        return false;
    r->when = DONE;
    if (roll(r, 5) < 3)
        submit(r);
    else
        cancel(r);
    return true;
}

static void terminal_changes(struct race *r)
{
    static const char *const ways[] = {"ok",         "ok",       "ok@1s",
                                       "ok@300ms",   "retry,ok", "retry@200ms,retry,ok@100ms",
                                       "refused,ok", "busy,ok",  "ambiguous@500ms,ok",
                                       "fail,ok",    "retry@1s"};
    struct replay_terminal *t = replay_net_terminal(r->w->net, keys[roll(r, KEYS_N)]);

    MUST(word_answers(slice_str(ways[roll(r, COUNT(ways))]), word_terminal_answer, &t->answers));
}

static void store_changes(struct race *r)
{
    static const enum store_kind kinds[] = {STORE_INSERT, STORE_FINISH, STORE_MOVE, STORE_CLAIM,
                                            STORE_CANCEL};

    for (size_t i = 0; i < COUNT(kinds); i++)
        r->w->cut.fails[kinds[i]] = false;
    if (roll(r, 12) == 0)
        r->w->cut.fails[kinds[roll(r, COUNT(kinds))]] = r->disturbed = true;
    if (roll(r, 25) == 0)
        r->w->cut.before = kinds[roll(r, COUNT(kinds))];
    if (roll(r, 25) == 0)
        r->w->cut.after = kinds[roll(r, COUNT(kinds))];
}

static void step(struct race *r, bool calm)
{
    int64_t ms;

    if (roll(r, 5) == 0)
        terminal_changes(r);
    if (!calm)
        store_changes(r);
    r->when = roll(r, 2) ? BEFORE : BEHIND;
    ms = 100 * (int64_t)roll(r, 10);
    r->act_mono = clk_mono_ms(&r->w->clk.clk) + 100 * (int64_t)roll(r, (uint32_t)(ms / 100) + 1);
    replay_run(r->w, ms, REPLAY_TICK_MS);
    if (r->w->cut.cut || (!calm && roll(r, 40) == 0)) {
        r->disturbed = true;
        CU_ASSERT_FATAL(replay_crash(r->w, 100 * (int64_t)roll(r, 30)));
    }
}

/* --- what must hold --- */

static void wrong(const struct race *r, const struct race_push *p, struct slice key, const char *what)
{
    (void)fprintf(stderr, "%s/%.*s: %s (%zu pushes, %s)\n", p->id, SLICE_FMT(key), what, r->pushes_n,
                  r->disturbed ? "disturbed" : "calm");
    CU_FAIL("the contract is broken");
}

/* In its time, and never again once its end was told; as often as the store says, when nothing was lost. */
static void check_sends(const struct race *r, const struct race_push *p, struct slice key, unsigned tries,
                        int64_t told_ms)
{
    size_t n = 0;

    for (size_t i = 0; i < r->w->net->sends_n; i++) {
        const struct replay_send *s = &r->w->net->sends[i];

        if (!slice_eq(slice_str(s->push_id), slice_str(p->id)) || !slice_eq(slice_str(s->key), key))
            continue;
        n++;
        if (s->at_ms < p->from_ms || s->at_ms > p->until_ms)
            wrong(r, p, key, "sent out of its time");
        if (s->at_ms > told_ms)
            wrong(r, p, key, "sent when its end had been told");
    }
    if (!r->disturbed && n != tries)
        wrong(r, p, key, "tries and attempts differ");
}

/* Told at least once, and always the end the store has.  When first. */
static int64_t check_notices(const struct race *r, const struct race_push *p, struct slice key,
                             const struct replay_state *st)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < r->w->net->notices_n; i++) {
        const struct replay_notice *n = &r->w->net->notices[i];

        if (!slice_eq(slice_str(n->push_id), slice_str(p->id)) || !slice_eq(slice_str(n->address), key))
            continue;
        first = num_min64(first, n->at_ms);
        if (n->state != ppg_stage_state(st->stage) || n->code != st->code)
            wrong(r, p, key, "two ends told");
    }
    if (first == INT64_MAX || st->notified != 2)
        wrong(r, p, key, "its end was not told");
    return first;
}

/* What a cancel called cancelled is, and was not sent any more from then on. */
static void check_cancels(const struct race *r, const struct race_push *p, struct slice key,
                          const struct replay_state *st)
{
    LIST_EACH (at, &r->w->cancels) {
        const struct replay_cancel *c = container_of(at, struct replay_cancel, link);

        if (!c->answered || c->result || !slice_eq(c->push_id, slice_str(p->id)))
            continue;
        for (size_t i = 0; i < c->targets_n; i++) {
            if (!slice_eq(c->targets[i].key, key))
                continue;
            if (c->targets[i].what == STORE_CANCEL_DONE && (st->stage != ST_CANCELLED || st->code != 1000))
                wrong(r, p, key, "cancelled, and ended otherwise");
            for (size_t s = c->sends_n; c->targets[i].what == STORE_CANCEL_DONE && s < r->w->net->sends_n;
                 s++)
                if (slice_eq(slice_str(r->w->net->sends[s].push_id), slice_str(p->id)) &&
                    slice_eq(slice_str(r->w->net->sends[s].key), key))
                    wrong(r, p, key, "cancelled, and sent");
        }
    }
}

static void check_push(const struct race *r, const struct race_push *p)
{
    bool known = true, unknown = true;

    for (unsigned i = 0; i < KEYS_N; i++) {
        struct replay_state st;

        if (!(p->to & 1u << i))
            continue;
        if (replay_show(r->w, slice_str(p->id), keys[i], &st)) {
            known = false;
            continue;
        }
        unknown = false;
        if (!pap_state_is_final(ppg_stage_state(st.stage)))
            wrong(r, p, keys[i], "never ended");
        check_sends(r, p, keys[i], st.tries, check_notices(r, p, keys[i], &st));
        check_cancels(r, p, keys[i], &st);
        if (st.stage == ST_CANCELLED && st.code == 3003 &&
            replay_net_sent(r->w->net, slice_str(p->id), keys[i]))
            wrong(r, p, keys[i], "sent where the earlier one was not pending");
    }
    if (p->sub->answered && (p->sub->result == ERR_OK ? !known : !unknown))
        wrong(r, p, SLICE("?"), "accepted and lost, or refused and stored");
    if (!known && !unknown)
        wrong(r, p, SLICE("?"), "half of it is stored");
}

/* Of one initiator, terminal and priority the older one goes first, once it may go at all. */
static void check_order(const struct race *r)
{
    size_t first[PUSHES_MAX][KEYS_N];

    for (size_t p = 0; p < r->pushes_n; p++)
        for (unsigned k = 0; k < KEYS_N; k++) {
            first[p][k] = SIZE_MAX;
            for (size_t i = r->w->net->sends_n; i-- > 0;)
                if (slice_eq(slice_str(r->w->net->sends[i].push_id), slice_str(r->pushes[p].id)) &&
                    slice_eq(slice_str(r->w->net->sends[i].key), keys[k]))
                    first[p][k] = i;
        }
    for (size_t p = 0; p < r->pushes_n; p++)
        for (size_t q = p + 1; q < r->pushes_n; q++)
            for (unsigned k = 0; k < KEYS_N; k++)
                if (r->pushes[p].priority == r->pushes[q].priority &&
                    r->pushes[p].from_ms <= r->pushes[q].accepted_ms && first[p][k] != SIZE_MAX &&
                    first[q][k] < first[p][k])
                    wrong(r, &r->pushes[q], keys[k], "overtook an older one");
}

static void settle(struct race *r)
{
    r->when = DONE;
    replay_cut_init(&r->w->cut);
    for (unsigned i = 0; i < KEYS_N; i++)
        MUST(word_answers(SLICE("ok"), word_terminal_answer,
                          &replay_net_terminal(r->w->net, keys[i])->answers));
    replay_run(r->w, SETTLE_MS, 1000);
    CU_ASSERT(!replay_busy(r->w) && atomic_load(&r->w->shared.live) == 0 && !r->w->restless);
    CU_ASSERT(r->w->net->breaches == 0);
}

static void race(uint32_t seed, bool calm)
{
    struct race r = {.w = replay_world_create("race"), .dice = seed * 2654435761u + 1, .when = DONE};

    test_row(seed);
    r.w->moment = act;
    r.w->moment_arg = &r;
    r.w->cores_n = 1 + seed % 3;
    replay_set(r.w, "delivery", "retry-first", "500ms");
    replay_set(r.w, "delivery", "retry-max", "4s");
    replay_set(r.w, "delivery", "tries-max", "5");
    replay_set(r.w, "pap", "default-lifetime", "10min");
    if (seed % 2) {
        replay_set(r.w, "delivery", "in-memory-max", "4");
        replay_set(r.w, "delivery", "claim-batch", "2");
    }
    for (unsigned i = 0; i < KEYS_N; i++)
        (void)replay_net_add(r.w->net, keys[i]);
    CU_ASSERT_FATAL(replay_start(r.w));
    for (unsigned i = 0; i < STEPS; i++)
        step(&r, calm);
    settle(&r);
    for (size_t i = 0; i < r.pushes_n; i++)
        check_push(&r, &r.pushes[i]);
    if (!r.disturbed)
        check_order(&r);
    replay_world_free(&r.w);
}

static void test_calm(void)
{
    for (uint32_t seed = 1; seed <= RUNS; seed++)
        race(seed, true);
}

static void test_with_failures_and_crashes(void)
{
    for (uint32_t seed = 1; seed <= RUNS; seed++)
        race(seed + 1000, false);
}

const struct test_case test_cases[] = {
    {"calm", test_calm}, {"with_failures_and_crashes", test_with_failures_and_crashes}, {NULL, NULL}};
