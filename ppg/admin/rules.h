/* A list of rules as its operator wrote it: edits that leave every other line, comment and line end as it was, and what
 * two texts differ in.  A rule is a line that is neither blank nor a comment; two rules are the same when their words up
 * to a comment are.  What a rule means is security/rules/whitelist.h's.  Pure; any thread. */
#ifndef PPG_ADMIN_RULES_H
#define PPG_ADMIN_RULES_H

#include "base/buf.h"

struct ppg_rules_line {
    uint32_t no;        /* from 1 */
    struct slice whole; /* with its end, if it has one */
    struct slice rule;  /* trimmed, its comment too; n 0: blank or a comment */
};

/* Takes the next line off *rest; *line says which number the last one had (start with 0).  False at the end. */
bool ppg_rules_next(struct slice *rest, struct ppg_rules_line *line);
bool ppg_rules_same(struct slice a, struct slice b);

/* The text with `rule` in a line of its own before that line, 0: behind the last; *at is its number.  ERR_EXISTS: it
 * stands in line *at already; ERR_ABSENT: there is no such line; out's own. */
enum err ppg_rules_add(struct slice text, struct slice rule, uint32_t before, struct buf *out,
                       uint32_t *at) MUST_USE;

/* The text without the rule in that line, or, 0, without the line that has this rule; *at is its number.  ERR_ABSENT:
 * no such rule there; ERR_EXISTS: several lines have it, *at is the second; out's own. */
enum err ppg_rules_remove(struct slice text, struct slice rule, uint32_t line, struct buf *out,
                          uint32_t *at) MUST_USE;

/* A rule that only one of the texts has, or one has more often. */
typedef void ppg_rules_change_fn(void *arg, bool added, const struct ppg_rules_line *line);
/* Calls back for each, first those that `is` lacks.  A rule that only moved is no difference.  ERR_LIMIT, ERR_NOMEM. */
enum err ppg_rules_diff(struct slice was, struct slice is, ppg_rules_change_fn *fn, void *arg) MUST_USE;

#endif
