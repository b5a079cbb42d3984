/* Edits of a list of rules as text; see rules.h.  Any thread. */
#include "ppg/admin/rules.h"

#include "base/arena.h"
#include "base/map.h"

#define LINES_MAX   20000000u
#define WORDS_MAX_N ((size_t)1 << 30) /* octets of all rules of a text */

static bool blank(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

bool ppg_rules_next(struct slice *rest, struct ppg_rules_line *line)
{
    size_t end = slice_find(*rest, '\n');

    if (rest->n == 0)
        return false;
    line->no++;
    line->whole = slice_sub(*rest, 0, end == SIZE_MAX ? rest->n : end + 1);
    *rest = slice_sub(*rest, line->whole.n, rest->n);
    line->rule = line->whole;
    if (line->no == 1 && slice_starts(line->rule, SLICE("\xEF\xBB\xBF")))
        line->rule = slice_sub(line->rule, 3, line->rule.n);
    while (line->rule.n && blank(line->rule.p[line->rule.n - 1]))
        line->rule.n--;
    line->rule = slice_trim(line->rule);
    if (slice_starts(line->rule, SLICE("#")))
        line->rule = SLICE_NONE;
    return true;
}

/* The next word; n 0 at the end or at a comment. */
static struct slice word(struct slice *rest)
{
    struct slice w;
    size_t n = 0;

    while (rest->n && blank(rest->p[0]))
        *rest = slice_sub(*rest, 1, rest->n);
    if (slice_starts(*rest, SLICE("#")))
        *rest = SLICE_NONE;
    while (n < rest->n && !blank(rest->p[n]))
        n++;
    w = slice_sub(*rest, 0, n);
    *rest = slice_sub(*rest, n, rest->n);
    return w;
}

bool ppg_rules_same(struct slice a, struct slice b)
{
    struct slice of_a, of_b;

    do {
        of_a = word(&a);
        of_b = word(&b);
        if (!slice_eq(of_a, of_b))
            return false;
    } while (of_a.n);
    return true;
}

/* --- edits --- */

static bool has_end(struct slice whole)
{
    return slice_ends(whole, SLICE("\n"));
}

/* As the list's first line has it. */
static const char *line_end(struct slice text)
{
    size_t at = slice_find(text, '\n');

    return at != SIZE_MAX && at > 0 && text.p[at - 1] == '\r' ? "\r\n" : "\n";
}

enum err ppg_rules_add(struct slice text, struct slice rule, uint32_t before, struct buf *out, uint32_t *at)
{
    struct ppg_rules_line l = {.no = 0};
    struct slice rest = text;
    uint32_t place = 0;

    while (ppg_rules_next(&rest, &l)) {
        if (l.rule.n && ppg_rules_same(l.rule, rule)) {
            *at = l.no;
            return ERR_EXISTS;
        }
        if (l.no == before) {
            place = l.no;
            buf_add(out, rule);
            buf_add_str(out, line_end(text));
        }
        buf_add(out, l.whole);
    }
    if (before && !place)
        return ERR_ABSENT;
    if (!before) {
        place = l.no + 1;
        buf_add_str(out, l.no && !has_end(l.whole) ? line_end(text) : "");
        buf_add(out, rule);
        buf_add_str(out, line_end(text));
    }
    *at = place;
    return buf_err(out);
}

enum err ppg_rules_remove(struct slice text, struct slice rule, uint32_t line, struct buf *out, uint32_t *at)
{
    struct ppg_rules_line l = {.no = 0};
    uint32_t found = 0;

    while (ppg_rules_next(&text, &l)) {
        bool it = l.rule.n && (line ? l.no == line : ppg_rules_same(l.rule, rule));

        if (it && found) {
            *at = l.no;
            return ERR_EXISTS;
        }
        if (it)
            found = l.no;
        else
            buf_add(out, l.whole);
    }
    if (!found)
        return ERR_ABSENT;
    *at = found;
    return buf_err(out);
}

/* --- differences --- */

/* How often a rule stands in the other text and is nobody's partner yet. */
struct count {
    struct slice words;
    uint32_t n;
};

struct diff {
    struct arena mem;
    struct map counts;
};

/* The rule with one space between its words, in memory that the next rule uses again unless it is kept. */
static enum err squeeze(struct buf *b, struct slice rule)
{
    struct slice w;

    buf_reset(b, SIZE_MAX);
    while ((w = word(&rule)).n) {
        buf_add_str(b, b->n ? " " : "");
        buf_add(b, w);
    }
    return buf_err(b);
}

static enum err count_in(struct diff *d, struct slice words)
{
    struct count *c = map_get(&d->counts, words);
    enum err e;

    if (!c) {
        c = arena_alloc(&d->mem, sizeof *c);
        if (!c || arena_dup(&d->mem, words, &c->words))
            return ERR_NOMEM;
        e = map_put(&d->counts, c->words, c);
        if (e)
            return e;
    }
    c->n++;
    return ERR_OK;
}

/* A step for one rule; ERR_EXISTS: it is a difference. */
typedef enum err step_fn(struct diff *d, struct slice words);

/* Has it a partner in the other text? */
static enum err count_out(struct diff *d, struct slice words)
{
    struct count *c = map_get(&d->counts, words);

    if (!c || !c->n)
        return ERR_EXISTS;
    c->n--;
    return ERR_OK;
}

static enum err walk(struct diff *d, struct slice text, step_fn *step, bool added, ppg_rules_change_fn *fn,
                     void *arg)
{
    struct ppg_rules_line l = {.no = 0};
    struct buf words;
    enum err e = ERR_OK;

    buf_init(&words, SIZE_MAX / 2);
    while (!e && ppg_rules_next(&text, &l)) {
        if (!l.rule.n)
            continue;
        e = squeeze(&words, l.rule);
        if (!e)
            e = step(d, buf_slice(&words));
        if (e == ERR_EXISTS) {
            if (fn)
                fn(arg, added, &l);
            e = ERR_OK;
        }
    }
    buf_clear(&words);
    return e;
}

/* The rules of one text that the other has not, or not so often. */
static enum err one_way(struct slice other, struct slice text, bool added, ppg_rules_change_fn *fn, void *arg)
{
    struct diff d;
    enum err e;

    arena_init(&d.mem, 65536, WORDS_MAX_N);
    map_init(&d.counts, LINES_MAX);
    e = walk(&d, other, count_in, added, NULL, NULL);
    if (!e)
        e = walk(&d, text, count_out, added, fn, arg);
    map_clear(&d.counts);
    arena_clear(&d.mem);
    return e;
}

enum err ppg_rules_diff(struct slice was, struct slice is, ppg_rules_change_fn *fn, void *arg)
{
    enum err e = one_way(is, was, false, fn, arg);

    return e ? e : one_way(was, is, true, fn, arg);
}
