/* What a list of lines says, as a bag of hashes, so that two lists can be told apart without keeping their text.  A list
 * is an operator's own: nobody gains by two lines with one hash.  One thread while it is filled. */
#ifndef SECURITY_RULES_NOTES_H
#define SECURITY_RULES_NOTES_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/slice.h"

/* All zero: empty. */
struct sec_notes {
    uint64_t *v; /* owned */
    size_t n;
    size_t cap;
};

void sec_notes_clear(struct sec_notes *notes);
/* The words of a line; how they are spaced, and a comment behind them, do not count.  ERR_NOMEM. */
enum err sec_notes_add(struct sec_notes *notes, struct slice line) MUST_USE;
/* Lines that are in one and not in the other; one that stands twice counts twice.  Without memory to compare, all of
 * both. */
void sec_notes_changes(const struct sec_notes *was, const struct sec_notes *is, size_t *added,
                       size_t *removed);

#endif
