/* `expect` of the scenario language; the list stands in replay_script.h. */
#include "tests/replay/replay_expect.h"

#include <stdio.h>
#include "base/list.h"
#include "pap/vocab.h"
#include "ppg/stage.h"
#include "tests/replay/replay_words.h"
#include "tests/unit/harness.h"

/* "ID/A" or "ID". */
struct about {
    struct slice push_id;
    struct slice key; /* p NULL: not said */
};

static struct about about_next(struct slice *rest)
{
    struct about a;

    if (!slice_cut(word_next(rest), '/', &a.push_id, &a.key))
        a.key = SLICE_NONE;
    return a;
}

static bool is_about(const struct replay_send *send, const struct about *a)
{
    return slice_eq(slice_str(send->push_id), a->push_id) &&
           (!a->key.p || slice_eq(slice_str(send->key), a->key));
}

/* --- submissions --- */

static const struct replay_submission *submission(struct replay_script *s, struct slice push_id)
{
    LIST_EACH (at, &s->w->submissions) { /* the newest is first */
        const struct replay_submission *sub = container_of(at, struct replay_submission, link);

        if (slice_eq(slice_str(sub->push_id), push_id))
            return sub;
    }
    return NULL;
}

static bool told(struct replay_script *s, struct slice rest, bool answered, enum err result)
{
    const struct replay_submission *sub = submission(s, word_next(&rest));

    if (!sub)
        return replay_fail(s, "no such submission");
    if (sub->answered != answered || (answered && sub->result != result))
        return replay_fail(s, "it was told %s", sub->answered ? err_name(sub->result) : "nothing");
    return true;
}

static bool expect_accepted(struct replay_script *s, struct slice rest)
{
    return told(s, rest, true, ERR_OK);
}
static bool expect_exists(struct replay_script *s, struct slice rest)
{
    return told(s, rest, true, ERR_EXISTS);
}
static bool expect_failed(struct replay_script *s, struct slice rest)
{
    return told(s, rest, true, ERR_IO);
}
static bool expect_lost(struct replay_script *s, struct slice rest)
{
    return told(s, rest, false, ERR_OK);
}

static bool expect_replaced(struct replay_script *s, struct slice rest)
{
    const struct replay_submission *sub = submission(s, word_next(&rest));
    uint64_t want = 0;

    if (!sub || !sub->answered || !word_number(word_next(&rest), &want))
        return replay_fail(s, "expect replaced ID N, of what was answered");
    return sub->enqueue.replaced_n == want || replay_fail(s, "%zu", sub->enqueue.replaced_n);
}

/* --- cancels --- */

static const struct replay_cancel *cancel_of(struct replay_script *s, struct slice push_id)
{
    LIST_EACH (at, &s->w->cancels) {
        const struct replay_cancel *c = container_of(at, struct replay_cancel, link);

        if (slice_eq(c->push_id, push_id))
            return c;
    }
    return NULL;
}

static const char *said_of(const struct replay_cancel *c, struct slice key)
{
    static const char *const codes[] = {[STORE_CANCEL_DONE] = "1000",
                                        [STORE_CANCEL_LATE] = "2008",
                                        [STORE_CANCEL_HELD] = "2008",
                                        [STORE_CANCEL_STRANGER] = "2003"};

    for (size_t i = 0; i < c->targets_n; i++)
        if (slice_eq(c->targets[i].key, key))
            return codes[c->targets[i].what];
    return "nothing of that one";
}

static bool expect_cancelled(struct replay_script *s, struct slice rest)
{
    struct about a = about_next(&rest);
    const struct replay_cancel *c = cancel_of(s, a.push_id);
    const char *said;

    if (!c)
        return replay_fail(s, "nobody cancelled it");
    if (!c->answered)
        said = "lost";
    else if (c->result)
        said = c->result == ERR_ABSENT ? "absent" : "failed";
    else
        said = said_of(c, a.key);
    return slice_eq(word_next(&rest), slice_str(said)) || replay_fail(s, "it was told %s", said);
}

/* --- attempts --- */

static bool expect_sent(struct replay_script *s, struct slice rest)
{
    struct about a = about_next(&rest);
    size_t n = replay_net_sent(s->w->net, a.push_id, a.key);
    uint64_t want = 0;

    if (!word_number(word_next(&rest), &want))
        return replay_fail(s, "expect sent ID/A N");
    return n == want || replay_fail(s, "sent %zu times", n);
}

/* Times of the last attempt and the one before; false when there are fewer. */
static bool last_two(struct replay_script *s, const struct about *a, int64_t at[2], size_t need)
{
    size_t n = 0;

    for (size_t i = s->w->net->sends_n; i-- > 0 && n < 2;)
        if (is_about(&s->w->net->sends[i], a))
            at[n++] = s->w->net->sends[i].at_ms;
    return n >= need || replay_fail(s, "sent %zu times only", n);
}

static bool within(struct replay_script *s, struct slice word, int64_t ms)
{
    int64_t from = 0;
    int64_t to = 0;

    if (!word_times(word, &from, &to))
        return replay_fail(s, "not T..T");
    return (ms >= from && ms <= to) || replay_fail(s, "after %lld ms", (long long)ms);
}

static bool expect_type(struct replay_script *s, struct slice rest)
{
    struct about a = about_next(&rest);
    const struct replay_send *last = NULL;
    struct slice want = word_next(&rest);

    for (size_t i = 0; i < s->w->net->sends_n; i++)
        if (is_about(&s->w->net->sends[i], &a))
            last = &s->w->net->sends[i];
    return (last && slice_eq(slice_str(last->type), want)) ||
           replay_fail(s, "the last one was of type %s", last ? last->type : "none");
}

static bool expect_last(struct replay_script *s, struct slice rest)
{
    struct about a = about_next(&rest);
    int64_t at[2] = {0, 0};

    return last_two(s, &a, at, 1) && within(s, word_next(&rest), at[0] - REPLAY_START_MS);
}

static bool expect_gap(struct replay_script *s, struct slice rest)
{
    struct about a = about_next(&rest);
    int64_t at[2] = {0, 0};

    return last_two(s, &a, at, 2) && within(s, word_next(&rest), at[0] - at[1]);
}

static void order_print(struct replay_script *s, const struct about *a)
{
    size_t n = 0;

    for (size_t i = 0; i < s->w->net->sends_n && n < sizeof s->why - 60; i++)
        if (!a->key.p || slice_eq(slice_str(s->w->net->sends[i].key), a->key))
            n += (size_t)snprintf(s->why + n, sizeof s->why - n, "%s,", s->w->net->sends[i].push_id);
}

static bool expect_order(struct replay_script *s, struct slice rest)
{
    struct slice word = word_next(&rest);
    struct about a = {.key = SLICE_NONE};
    struct slice list, id;
    bool good = true;

    if (slice_starts(word, SLICE("+"))) {
        a.key = word;
        word = word_next(&rest);
    }
    list = word;
    for (size_t i = 0; i < s->w->net->sends_n; i++) {
        const struct replay_send *send = &s->w->net->sends[i];

        if (!a.key.p || slice_eq(slice_str(send->key), a.key))
            good = good && slice_item(&list, &id) && slice_eq(slice_str(send->push_id), id);
    }
    if (good && !slice_item(&list, &id))
        return true;
    order_print(s, &a);
    return false;
}

static bool expect_sealed(struct replay_script *s, struct slice rest)
{
    const struct replay_terminal *t = replay_net_terminal(s->w->net, word_next(&rest));
    uint64_t want = 0;

    if (!t || !word_number(word_next(&rest), &want))
        return replay_fail(s, "expect sealed A N");
    return t->sn_high == want || replay_fail(s, "the last one had %u", (unsigned)t->sn_high);
}

static bool expect_cores(struct replay_script *s, struct slice rest)
{
    bool seen[REPLAY_CORES_MAX] = {false};
    uint64_t want = 0;
    size_t n = 0;

    for (size_t i = 0; i < s->w->net->sends_n; i++)
        seen[s->w->net->sends[i].core] = true;
    for (size_t i = 0; i < REPLAY_CORES_MAX; i++)
        n += seen[i];
    return (word_number(word_next(&rest), &want) && n == want) || replay_fail(s, "from %zu cores", n);
}

static bool expect_live(struct replay_script *s, struct slice rest)
{
    uint64_t want = 0;

    return (word_number(word_next(&rest), &want) && s->w->live_most == want) ||
           replay_fail(s, "at most %zu", s->w->live_most);
}

/* --- the store --- */

static bool state_word(struct replay_script *s, const struct replay_state *st, struct slice word)
{
    uint64_t n = 0;

    if (slice_starts(word, SLICE("note=")))
        return slice_find_slice(slice_str(st->note), word_value(word)) != SIZE_MAX ||
               replay_fail(s, "note is \"%s\"", st->note);
    if (slice_starts(word, SLICE("tries=")))
        return (word_number(word_value(word), &n) && st->tries == n) || replay_fail(s, "%u tries", st->tries);
    return (word_number(word, &n) && st->code == n) || replay_fail(s, "code is %u", st->code);
}

static bool expect_state(struct replay_script *s, struct slice rest)
{
    struct about a = about_next(&rest);
    struct slice stage = word_next(&rest);
    struct replay_state st = {.code = 0};
    struct slice word;

    if (replay_show(s->w, a.push_id, a.key, &st))
        return slice_eq(stage, SLICE("absent")) || replay_fail(s, "the store does not know it");
    if (!slice_eq(stage, slice_str(ppg_stage_name(st.stage))))
        return replay_fail(s, "it is %s, code %u, %u tries, note \"%s\"", ppg_stage_name(st.stage), st.code,
                           st.tries, st.note);
    while ((word = word_next(&rest)).n)
        if (!state_word(s, &st, word))
            return false;
    return true;
}

static bool expect_debt(struct replay_script *s, struct slice rest)
{
    static const char *const words[] = {"none", "owed", "told", "dropped"};
    struct about a = about_next(&rest);
    struct replay_state st = {.code = 0};

    if (replay_show(s->w, a.push_id, a.key, &st))
        return replay_fail(s, "the store does not know it");
    return slice_eq(word_next(&rest), slice_str(words[st.notified])) ||
           replay_fail(s, "it is %s", words[st.notified]);
}

static bool expect_debts(struct replay_script *s, struct slice rest)
{
    static const char *const words[] = {"none", "owed", "told", "dropped"};
    struct store_show show = {.push_id = word_next(&rest), .brief = true};
    size_t state = 0;
    size_t n = 0;
    uint64_t want = 0;

    if (!word_choice(word_next(&rest), words, COUNT(words), &state) || !word_number(word_next(&rest), &want))
        return replay_fail(s, "expect debts ID STATE N");
    if (replay_store(s->w, &show.op, STORE_SHOW))
        return replay_fail(s, "the store does not know it");
    for (size_t i = 0; i < show.targets_n; i++)
        n += (size_t)show.targets[i].notified == state;
    ppg_push_drop(show.push);
    return n == want || replay_fail(s, "%zu of them", n);
}

/* --- notifications --- */

static bool expect_posts(struct replay_script *s, struct slice rest)
{
    const struct replay_server *server = replay_net_server(s->w->net, word_next(&rest));
    struct slice word = word_next(&rest);
    size_t dots = slice_find_slice(word, SLICE(".."));
    uint64_t from = 0;
    uint64_t to = 0;

    if (dots == SIZE_MAX || !word_number(slice_sub(word, 0, dots), &from) ||
        !word_number(slice_sub(word, dots + 2, word.n), &to))
        return replay_fail(s, "expect posts HOST N..N");
    return (server->posts >= from && server->posts <= to) || replay_fail(s, "%zu", server->posts);
}

static bool expect_held(struct replay_script *s, struct slice rest)
{
    const struct replay_server *server = replay_net_server(s->w->net, word_next(&rest));
    uint64_t want = 0;

    return (word_number(word_next(&rest), &want) && server->most == want) ||
           replay_fail(s, "at most %zu", server->most);
}

static size_t notices_of(const struct replay_net *net, const struct about *a,
                         const struct replay_notice **last)
{
    size_t n = 0;

    *last = NULL;
    for (size_t i = 0; i < net->notices_n; i++)
        if (slice_eq(slice_str(net->notices[i].push_id), a->push_id) &&
            slice_eq(slice_str(net->notices[i].address), a->key)) {
            *last = &net->notices[i];
            n++;
        }
    return n;
}

static bool expect_notice(struct replay_script *s, struct slice rest)
{
    struct about a = about_next(&rest);
    struct slice state = word_next(&rest);
    const struct replay_notice *last;
    size_t n = notices_of(s->w->net, &a, &last);
    uint64_t code = 0;
    uint64_t times = 1;
    struct slice word;

    if (slice_eq(state, SLICE("none")))
        return n == 0 || replay_fail(s, "%zu notices", n);
    if (!word_number(word_next(&rest), &code))
        return replay_fail(s, "expect notice ID/A STATE CODE");
    word = word_next(&rest);
    if (word.n && !word_number(word_value(word), &times))
        return replay_fail(s, "n=N");
    if (n != times)
        return replay_fail(s, "%zu notices", n);
    return (slice_eq(state, slice_str(pap_state_text(last->state))) && last->code == code) ||
           replay_fail(s, "%s %u", pap_state_text(last->state), last->code);
}

static bool expect_last_notice(struct replay_script *s, struct slice rest)
{
    size_t n = s->w->net->notices_n;

    return n ? within(s, word_next(&rest), s->w->net->notices[n - 1].at_ms - REPLAY_START_MS)
             : replay_fail(s, "no notice yet");
}

static bool expect_quiet(struct replay_script *s, struct slice rest)
{
    (void)rest;
    return !replay_busy(s->w) || replay_fail(s, "something is under way");
}

static bool expect_busy(struct replay_script *s, struct slice rest)
{
    (void)rest;
    return replay_busy(s->w) || replay_fail(s, "nothing is under way");
}

static bool expect_withdrawn(struct replay_script *s, struct slice rest)
{
    uint64_t want = 0;

    return (word_number(word_next(&rest), &want) && s->w->net->withdrawn == want) ||
           replay_fail(s, "%zu attempts", s->w->net->withdrawn);
}

static const struct {
    const char *name;
    bool (*run)(struct replay_script *s, struct slice rest);
} rows[] = {
    {"accepted", expect_accepted}, {"exists", expect_exists},     {"failed", expect_failed},
    {"lost", expect_lost},         {"replaced", expect_replaced}, {"cancelled", expect_cancelled},
    {"sent", expect_sent},         {"last", expect_last},         {"type", expect_type},
    {"gap", expect_gap},           {"order", expect_order},       {"state", expect_state},
    {"notice", expect_notice},     {"debt", expect_debt},         {"debts", expect_debts},
    {"posts", expect_posts},       {"held", expect_held},         {"last-notice", expect_last_notice},
    {"sealed", expect_sealed},     {"live", expect_live},         {"cores", expect_cores},
    {"quiet", expect_quiet},       {"busy", expect_busy},         {"withdrawn", expect_withdrawn},
};

bool replay_expect(struct replay_script *s, struct slice rest)
{
    struct slice name = word_next(&rest);

    for (size_t i = 0; i < COUNT(rows); i++)
        if (slice_eq(name, slice_str(rows[i].name)))
            return rows[i].run(s, rest);
    return replay_fail(s, "no such expectation");
}
