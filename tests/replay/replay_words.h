/* Words of the scenario language: blanks, numbers, times, ranges of addresses, lists of answers.  Borrows the line;
 * no state but a range's. */
#ifndef TESTS_REPLAY_WORDS_H
#define TESTS_REPLAY_WORDS_H

#include "tests/replay/replay_net.h"

struct slice word_next(struct slice *rest); /* n 0 at the end */
struct slice word_value(struct slice word); /* behind "=" */
bool word_number(struct slice word, uint64_t *out);
bool word_time(struct slice word, int64_t *ms);                 /* 10s */
bool word_times(struct slice word, int64_t *from, int64_t *to); /* 5s..10s */
bool word_choice(struct slice word, const char *const *of, size_t n, size_t *at);

/* "+1000..+1049", or one address of any form. */
struct word_range {
    struct slice one;
    uint64_t at;
    uint64_t end; /* at > end: used up */
    char text[32];
};
struct word_range word_range_of(struct slice word);
bool word_range_next(struct word_range *r, struct slice *address); /* borrowed from *r until the next call */

typedef bool word_answer_fn(struct slice word, struct replay_answer *out);
bool word_terminal_answer(struct slice word, struct replay_answer *out);
bool word_initiator_answer(struct slice word, struct replay_answer *out);
bool word_answers(struct slice list, word_answer_fn *read, struct replay_answers *out);

#endif
