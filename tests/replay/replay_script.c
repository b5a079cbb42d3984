/* Steps of the scenario language but for `expect`; see replay_script.h. */
#include "tests/replay/replay_script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/codec.h"
#include "base/mem.h"
#include "tests/replay/replay_expect.h"
#include "tests/replay/replay_words.h"
#include "tests/unit/harness.h"

#define TO_MAX          1200u
#define CRASH_WITHIN_MS 3600000 /* an armed crash that has not come by then never comes */

/* --- the world as configured --- */

static bool step_cores(struct replay_script *s, struct slice rest)
{
    uint64_t n = 0;

    if (s->w->started || !word_number(word_next(&rest), &n) || n < 1 || n > REPLAY_CORES_MAX)
        return replay_fail(s, "cores: 1 to 4, before the start");
    s->w->cores_n = (unsigned)n;
    return true;
}

static bool step_set(struct replay_script *s, struct slice rest)
{
    struct slice section, key;
    struct slice name = word_next(&rest);
    char text[3][80];

    if (!slice_cut(name, '.', &section, &key) || section.n >= 24 || key.n >= 40 || rest.n >= 80)
        return replay_fail(s, "set SECTION.KEY VALUE");
    (void)snprintf(text[0], 80, "%.*s", SLICE_FMT(section));
    (void)snprintf(text[1], 80, "%.*s", SLICE_FMT(key));
    (void)snprintf(text[2], 80, "%.*s", SLICE_FMT(slice_trim(rest)));
    replay_set(s->w, text[0], text[1], text[2]);
    return true;
}

static bool terminal_word(struct replay_terminal *t, struct slice word)
{
    struct slice value = word_value(word);
    uint64_t n = 0;

    if (slice_eq(word, SLICE("gone")))
        t->present = false;
    else if (slice_eq(word, SLICE("tls")))
        t->tls = true;
    else if (slice_eq(word, SLICE("datagrams")))
        t->datagrams = true;
    else if (slice_eq(word, SLICE("sealed")))
        t->sealed = true;
    else if (slice_starts(word, SLICE("answers=")))
        return word_answers(value, word_terminal_answer, &t->answers);
    else if (slice_starts(word, SLICE("takes=")))
        return !mem_cstr(t->takes, sizeof t->takes, value);
    else if (slice_starts(word, SLICE("key=")) && word_number(value, &n))
        t->key_no = (unsigned)n;
    else if (slice_starts(word, SLICE("max-size=")) && word_number(value, &n))
        t->max_size = (size_t)n;
    else
        return false;
    return true;
}

static bool step_terminal(struct replay_script *s, struct slice rest)
{
    struct word_range range = word_range_of(word_next(&rest));
    struct slice address;

    while (word_range_next(&range, &address)) {
        struct replay_terminal *t = replay_net_add(s->w->net, address);
        struct slice words = rest;
        struct slice word;

        while ((word = word_next(&words)).n)
            if (!terminal_word(t, word))
                return replay_fail(s, "unknown word \"%.*s\"", SLICE_FMT(word));
    }
    return true;
}

static bool step_initiator(struct replay_script *s, struct slice rest)
{
    return word_answers(word_next(&rest), word_initiator_answer, &s->w->net->initiator) ||
           replay_fail(s, "unknown answer");
}

static bool step_server(struct replay_script *s, struct slice rest)
{
    struct replay_server *server = replay_net_server(s->w->net, word_next(&rest));

    return word_answers(word_next(&rest), word_initiator_answer, &server->answers) ||
           replay_fail(s, "server HOST LIST");
}

static bool step_numbers(struct replay_script *s, struct slice rest)
{
    const struct replay_terminal *t = replay_net_terminal(s->w->net, word_next(&rest));
    struct store_numbers o = {.count = 0};
    uint64_t n = 0;
    char said[33];

    if (!t || !word_number(word_next(&rest), &n) || n > UINT32_MAX)
        return replay_fail(s, "numbers A N");
    replay_net_said(s->w->net, t, said);
    o.count = (uint32_t)n;
    return (!codec_unhex(slice_str(said), o.said, sizeof o.said) &&
            !replay_store(s->w, &o.op, STORE_NUMBERS)) ||
           replay_fail(s, "the store refuses");
}

/* --- submissions --- */

#define SI "<si><indication href=\"http://a.example/\">Hi</indication></si>"

static bool submit_content(struct replay_submit *sub, struct slice what)
{
    static const char *const words[] = {"si", "fixed-si", "broken-si"};
    size_t i;

    if (!word_choice(what, words, COUNT(words), &i))
        return false;
    sub->type = SLICE("text/vnd.wap.si");
    sub->body = i == 2 ? SLICE("<si>") : SLICE(SI);
    sub->headers = i == 1 ? SLICE("Cache-Control: no-transform\r\n") : SLICE_NONE;
    return true;
}

static bool submit_word(struct replay_submit *sub, struct slice word)
{
    static const char *const methods[] = {"notspecified", "confirmed", "preferconfirmed", "unconfirmed"};
    static const char *const priorities[] = {"high", "medium", "low"};
    static const char *const levels[] = {"none", "integrity", "full"};
    static const char *const replaces[] = {"", "all", "pending-only"};
    struct slice v = word_value(word);
    size_t i = 0;
    uint64_t n = 0;

    if (slice_eq(word, SLICE("notify")))
        return sub->notify = true;
    if (slice_starts(word, SLICE("notify="))) {
        sub->server = v;
        return sub->notify = true;
    }
    if (slice_starts(word, SLICE("before=")))
        return word_time(v, &sub->before_ms);
    if (slice_starts(word, SLICE("content=")))
        return submit_content(sub, v);
    if (slice_starts(word, SLICE("after=")))
        return word_time(v, &sub->after_ms);
    if (slice_starts(word, SLICE("replaces="))) {
        sub->replaces = v;
        sub->replace = sub->replace ? sub->replace : PPG_REPLACE_ALL;
    } else if (slice_starts(word, SLICE("replace=")) && word_choice(v, replaces, COUNT(replaces), &i)) {
        sub->replace = (enum ppg_replace)i;
    } else if (slice_starts(word, SLICE("from="))) {
        sub->initiator = v;
    } else if (slice_starts(word, SLICE("method=")) && word_choice(v, methods, COUNT(methods), &i)) {
        sub->method = (enum ppg_method)i;
    } else if (slice_starts(word, SLICE("priority=")) && word_choice(v, priorities, COUNT(priorities), &i)) {
        sub->priority = (enum ppg_priority)i;
    } else if (slice_starts(word, SLICE("ask=")) && word_choice(v, levels, COUNT(levels), &i)) {
        sub->asked = (uint8_t)i;
    } else if (slice_starts(word, SLICE("demand=")) && word_choice(v, levels, COUNT(levels), &i)) {
        sub->demanded = (uint8_t)i;
    } else if (slice_starts(word, SLICE("size=")) && word_number(v, &n)) {
        sub->body_n = (size_t)n;
    } else {
        return false;
    }
    return true;
}

/* The addresses of to=; their text is kept in mem. */
static size_t submit_to(struct slice list, struct arena *mem, struct slice *to, size_t to_max)
{
    struct slice item, address;
    size_t n = 0;

    while (slice_item(&list, &item)) {
        struct word_range range = word_range_of(item);

        while (n < to_max && word_range_next(&range, &address))
            MUST(!arena_dup(mem, address, &to[n++]));
    }
    return n;
}

static bool step_submit(struct replay_script *s, struct slice rest)
{
    struct slice *to = calloc(TO_MAX, sizeof *to);
    struct replay_submit sub = {
        .push_id = word_next(&rest), .initiator = SLICE("pi"), .priority = PPG_PRIO_MEDIUM, .body_n = 10};
    struct arena mem;
    struct slice word;
    bool good = true;

    MUST(to != NULL);
    arena_init(&mem, 4096, 1u << 20);
    while (good && (word = word_next(&rest)).n) {
        if (slice_starts(word, SLICE("to=")))
            sub.to_n = submit_to(word_value(word), &mem, to, TO_MAX);
        else
            good = submit_word(&sub, word);
    }
    sub.to = to;
    if (good && sub.to_n)
        (void)replay_submit(s->w, &sub);
    else
        good = replay_fail(s, "submit ID to=A,.. and known words");
    arena_clear(&mem);
    free(to);
    return good;
}

static bool step_cancel(struct replay_script *s, struct slice rest)
{
    struct slice to[32];
    struct slice push_id = word_next(&rest);
    struct slice initiator = SLICE("pi");
    struct slice word;
    struct arena mem;
    size_t to_n = 0;
    bool good = true;

    arena_init(&mem, 1024, 1u << 16);
    while (good && (word = word_next(&rest)).n) {
        if (slice_starts(word, SLICE("to=")))
            to_n = submit_to(word_value(word), &mem, to, COUNT(to));
        else if ((good = slice_starts(word, SLICE("from="))))
            initiator = word_value(word);
    }
    if (good)
        (void)replay_cancel(s->w, initiator, push_id, to, to_n);
    arena_clear(&mem);
    return good || replay_fail(s, "cancel ID [to=A,..] [from=NAME]");
}

/* --- what happens --- */

static bool step_in(struct replay_script *s, struct slice rest)
{
    struct replay_plan *p = s->plans;
    struct slice after;
    int64_t ms = 0;

    while (p->line.n && p < s->plans + REPLAY_PLANS_MAX - 1)
        p++;
    if (p->line.n || !word_time(word_next(&rest), &ms) || ms <= 0)
        return replay_fail(s, "in T [behind] STEP");
    after = slice_trim(rest);
    p->behind = slice_eq(word_next(&after), SLICE("behind"));
    p->line = p->behind ? slice_trim(after) : slice_trim(rest);
    p->at_mono = clk_mono_ms(&s->w->clk.clk) + ms;
    return slice_starts(p->line, SLICE("submit ")) || slice_starts(p->line, SLICE("cancel ")) ||
           replay_fail(s, "only submit and cancel can be planned");
}

static bool step_run(struct replay_script *s, struct slice rest)
{
    struct slice word;
    int64_t ms = 0;
    int64_t by = REPLAY_TICK_MS;

    if (!word_time(word_next(&rest), &ms))
        return replay_fail(s, "run T");
    word = word_next(&rest);
    if (word.n && !(slice_starts(word, SLICE("by=")) && word_time(word_value(word), &by) && by > 0))
        return replay_fail(s, "run T by=T");
    replay_run(s->w, ms, by);
    if (s->broken)
        return false;
    return !s->w->restless || replay_fail(s, "something spins");
}

static bool step_crash(struct replay_script *s, struct slice rest)
{
    struct slice word;
    int64_t down = 0;
    bool armed = false;

    while ((word = word_next(&rest)).n) {
        if (slice_starts(word, SLICE("before=")))
            s->w->cut.before = replay_kind(word_value(word));
        else if (slice_starts(word, SLICE("after=")))
            s->w->cut.after = replay_kind(word_value(word));
        else if (!slice_starts(word, SLICE("down=")) || !word_time(word_value(word), &down))
            return replay_fail(s, "unknown word \"%.*s\"", SLICE_FMT(word));
        armed |= !slice_starts(word, SLICE("down="));
    }
    if (armed) {
        replay_run(s->w, CRASH_WITHIN_MS, REPLAY_TICK_MS);
        if (!s->w->cut.cut)
            return replay_fail(s, "the crash never came");
    }
    return replay_crash(s->w, down) || replay_fail(s, "%s", s->w->why);
}

static bool step_fail(struct replay_script *s, struct slice rest)
{
    struct slice list = word_next(&rest);
    struct slice name;

    for (unsigned i = 0; i < STORE_KIND_COUNT; i++)
        s->w->cut.fails[i] = false;
    while (slice_item(&list, &name)) {
        struct slice bare = name, spared;
        uint64_t spares = 0;
        bool counted = slice_cut(name, '+', &bare, &spared);
        enum store_kind kind = replay_kind(bare);

        if (kind != STORE_KIND_COUNT && (!counted || word_number(spared, &spares))) {
            s->w->cut.fails[kind] = true;
            s->w->cut.spares[kind] = (unsigned)spares;
        } else if (!slice_eq(name, SLICE("none")))
            return replay_fail(s, "no such operation");
    }
    return true;
}

static bool step_drain(struct replay_script *s, struct slice rest)
{
    (void)rest;
    atomic_store(&s->w->shared.draining, true);
    return true;
}

static bool step_reload(struct replay_script *s, struct slice rest)
{
    (void)rest;
    return replay_reload(s->w) || replay_fail(s, "%s", s->w->why);
}

/* --- lines --- */

static const struct {
    const char *name;
    bool (*run)(struct replay_script *s, struct slice rest);
    bool before_start; /* says how the world is; everything else starts it */
} steps[] = {
    {"cores", step_cores, true},
    {"set", step_set, true},
    {"terminal", step_terminal, true},
    {"initiator", step_initiator, true},
    {"server", step_server, true},
    {"numbers", step_numbers, false},
    {"submit", step_submit, false},
    {"cancel", step_cancel, false},
    {"in", step_in, false},
    {"run", step_run, false},
    {"crash", step_crash, false},
    {"fail", step_fail, false},
    {"drain", step_drain, false},
    {"reload", step_reload, false},
    {"expect", replay_expect, false},
};

bool replay_fail(struct replay_script *s, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(s->why, sizeof s->why, fmt, args);
    va_end(args);
    return false;
}

static bool run_line(struct replay_script *s, struct slice line)
{
    struct slice name = word_next(&line);

    if (!name.n)
        return true;
    for (size_t i = 0; i < COUNT(steps); i++)
        if (slice_eq(name, slice_str(steps[i].name)))
            return (steps[i].before_start || replay_start(s->w) || replay_fail(s, "%s", s->w->why)) &&
                   steps[i].run(s, line);
    return replay_fail(s, "no such step");
}

static bool plans_run(void *arg, bool behind)
{
    struct replay_script *s = arg;
    bool any = false;

    for (size_t i = 0; i < REPLAY_PLANS_MAX; i++) {
        struct replay_plan *p = &s->plans[i];
        struct slice line = p->line;

        if (!line.n || p->behind != behind || clk_mono_ms(&s->w->clk.clk) < p->at_mono)
            continue;
        p->line = SLICE_NONE;
        any = true;
        s->broken |= !run_line(s, line);
    }
    return any;
}

void replay_script_run(const char *name)
{
    struct replay_script s = {.w = replay_world_create(name)};
    char path[200];
    char *text;
    size_t n;
    struct slice left, line, comment;
    bool good = true;

    s.w->moment = plans_run;
    s.w->moment_arg = &s;
    (void)snprintf(path, sizeof path, "replay/scenarios/%s.scn", name);
    text = test_read(path, &n);
    left = slice_of(text, n);
    for (unsigned no = 1; good && left.n; no++) {
        (void)slice_cut(left, '\n', &line, &left);
        (void)slice_cut(line, '#', &line, &comment);
        good = run_line(&s, line);
        if (!good)
            (void)fprintf(stderr, "\n%s:%u: %.*s\n    %s\n", path, no, SLICE_FMT(slice_trim(line)), s.why);
    }
    CU_ASSERT(good);
    CU_ASSERT(s.w->net->breaches == 0);
    free(text);
    replay_world_free(&s.w);
}
