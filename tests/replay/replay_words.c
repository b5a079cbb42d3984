/* Words of the scenario language; see replay_words.h. */
#include "tests/replay/replay_words.h"

#include <stdio.h>
#include "base/scan.h"
#include "tests/unit/harness.h"

struct slice word_next(struct slice *rest)
{
    struct slice word;

    *rest = slice_trim(*rest);
    (void)slice_cut(*rest, ' ', &word, rest);
    return word;
}

struct slice word_value(struct slice word)
{
    struct slice name, value;

    return slice_cut(word, '=', &name, &value) ? value : SLICE_NONE;
}

bool word_number(struct slice word, uint64_t *out)
{
    struct scan s = scan_of(word);
    uint64_t n = scan_u64(&s, 0, INT64_MAX);

    scan_end(&s);
    if (!s.err)
        *out = n;
    return !s.err;
}

bool word_time(struct slice word, int64_t *ms)
{
    static const struct {
        struct slice name;
        int64_t ms;
    } units[] = {
        {{"ms", 2}, 1}, {{"s", 1}, 1000}, {{"min", 3}, 60000}, {{"h", 1}, 3600000}, {{"d", 1}, 86400000}};
    struct scan s = scan_of(word);
    uint64_t n = scan_u64(&s, 0, 1000000000);

    for (size_t i = 0; i < COUNT(units) && !s.err; i++)
        if (slice_eq(scan_left(&s), units[i].name)) {
            *ms = (int64_t)n * units[i].ms;
            return true;
        }
    return false;
}

bool word_times(struct slice word, int64_t *from, int64_t *to)
{
    size_t dots = slice_find_slice(word, SLICE(".."));

    return dots < word.n && word_time(slice_sub(word, 0, dots), from) &&
           word_time(slice_sub(word, dots + 2, word.n), to);
}

bool word_choice(struct slice word, const char *const *of, size_t n, size_t *at)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(word, slice_str(of[i]))) {
            *at = i;
            return true;
        }
    return false;
}

struct word_range word_range_of(struct slice word)
{
    struct word_range r = {.one = word};
    size_t dots = slice_find_slice(word, SLICE("..+"));

    if (dots < word.n && word_number(slice_sub(word, 1, dots - 1), &r.at) &&
        word_number(slice_sub(word, dots + 3, word.n), &r.end))
        r.one = SLICE_NONE;
    return r;
}

bool word_range_next(struct word_range *r, struct slice *address)
{
    if (r->at > r->end || (!r->one.n && r->end == 0))
        return false;
    *address = r->one;
    if (!r->one.n) {
        (void)snprintf(r->text, sizeof r->text, "+%llu", (unsigned long long)r->at);
        *address = slice_str(r->text);
    }
    r->at++;
    return true;
}

bool word_terminal_answer(struct slice word, struct replay_answer *out)
{
    static const struct {
        const char *word;
        struct replay_answer answer;
    } rows[] = {
        {"ok", {.kind = REPLAY_OUTCOME, .outcome = OTA_DELIVERED, .code = 1000}},
        {"retry", {.kind = REPLAY_OUTCOME, .outcome = OTA_RETRY, .code = 4001}},
        {"ambiguous", {.kind = REPLAY_OUTCOME, .outcome = OTA_AMBIGUOUS, .code = 4001}},
        {"busy", {.kind = REPLAY_OUTCOME, .outcome = OTA_BUSY, .code = 5029}},
        {"refused", {.kind = REPLAY_OUTCOME, .outcome = OTA_ABORTED, .code = 5027}},
        {"fail", {.kind = REPLAY_OUTCOME, .outcome = OTA_UNDELIVERABLE, .code = 3007}},
        {"ring", {.kind = REPLAY_OUTCOME, .outcome = OTA_DELIVERED, .code = 1000, .rings = true}},
        {"unsuited", {.kind = REPLAY_OUTCOME, .outcome = OTA_UNSUITED, .code = 2006}},
        {"untyped", {.kind = REPLAY_OUTCOME, .outcome = OTA_ABORTED, .code = 5030}},
        {"hang", {.kind = REPLAY_HANG, .outcome = OTA_RETRY}},
        {"error", {.kind = REPLAY_REFUSE, .err = ERR_LIMIT}},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (slice_eq(word, slice_str(rows[i].word))) {
            *out = rows[i].answer;
            return true;
        }
    return false;
}

bool word_initiator_answer(struct slice word, struct replay_answer *out)
{
    static const struct {
        const char *word;
        struct replay_answer answer;
    } rows[] = {
        {"ok", {.kind = REPLAY_HTTP, .status = 200, .code = 1000}},
        {"empty", {.kind = REPLAY_HTTP, .status = 204}},
        {"bad", {.kind = REPLAY_HTTP, .status = 200, .code = 2000}},
        {"hang", {.kind = REPLAY_HANG}},
        {"broken", {.kind = REPLAY_BROKEN}},
        {"silent", {.kind = REPLAY_BROKEN, .err = ERR_LATE, .delay_ms = 30000}},
        {"full", {.kind = REPLAY_REFUSE, .err = ERR_LIMIT}},
        {"denied", {.kind = REPLAY_REFUSE, .err = ERR_DENIED}},
    };
    uint64_t status = 0;
    struct slice number, asked;
    int64_t after_ms = 0;

    for (size_t i = 0; i < COUNT(rows); i++)
        if (slice_eq(word, slice_str(rows[i].word))) {
            *out = rows[i].answer;
            return true;
        }
    if (slice_cut(word, '+', &number, &asked) && !word_time(asked, &after_ms))
        return false;
    if (!word_number(number, &status) || status < 100 || status > 599)
        return false;
    *out =
        (struct replay_answer){.kind = REPLAY_HTTP, .status = (unsigned)status, .retry_after_ms = after_ms};
    return true;
}

bool word_answers(struct slice list, word_answer_fn *read, struct replay_answers *out)
{
    struct replay_answers v = {.n = 0};
    struct slice item, name, delay;

    while (slice_item(&list, &item)) {
        bool late = slice_cut(item, '@', &name, &delay);

        if (v.n == REPLAY_ANSWERS_MAX || !read(name, &v.v[v.n]) ||
            (late && !word_time(delay, &v.v[v.n].delay_ms)))
            return false;
        v.n++;
    }
    *out = v;
    return v.n > 0;
}
