/* One configuration value: text to a typed, bounded number or list, and back to text for help and messages.  No
 * files and no keys: schema.c.  Any thread. */
#ifndef PPG_CONFIG_VALUE_H
#define PPG_CONFIG_VALUE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/rate.h"
#include "base/slice.h"
#include "ppg/settings.h"

/* A word of a fixed choice; a list of them ends with a NULL word. */
struct ppg_word {
    const char *word;
    int value;
};

/* All write *out only on success.  ERR_MALFORMED: another form; ERR_LIMIT: outside min..max. */

/* yes, no */
enum err ppg_value_bool(struct slice in, bool *out) MUST_USE;
/* Decimal digits. */
enum err ppg_value_count(struct slice in, int64_t min, int64_t max, int64_t *out) MUST_USE;
/* Digits and one of ms s min h d; a unit is a must, but for 0.  Milliseconds. */
enum err ppg_value_time(struct slice in, int64_t min, int64_t max, int64_t *out) MUST_USE;
/* Digits and k, M, G (powers of 1024) or nothing.  Octets. */
enum err ppg_value_size(struct slice in, int64_t min, int64_t max, int64_t *out) MUST_USE;
/* "200/s burst 400"; units s, min and h; without a burst it is the count.  ERR_LIMIT: rate_good() says no. */
enum err ppg_value_rate(struct slice in, struct rate *out) MUST_USE;
enum err ppg_value_word(struct slice in, const struct ppg_word *words, int *out) MUST_USE;
/* At least one of them, comma separated, as the sum of their bits; twice the same is harmless. */
enum err ppg_value_words(struct slice in, const struct ppg_word *words, int *out) MUST_USE;
/* "192.0.2.1:80", "[2001:db8::1]:443"; port 0 is good. */
enum err ppg_value_listen(struct slice in, struct ppg_listen *out) MUST_USE;

/* Append the shortest text that the functions above read again. */
void ppg_value_time_print(int64_t ms, struct buf *out);
void ppg_value_size_print(int64_t octets, struct buf *out);
void ppg_value_words_print(const struct ppg_word *words, struct buf *out); /* "a, b or c" */

#endif
