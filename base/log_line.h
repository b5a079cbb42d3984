/* One event as one line of text or JSON.  Pure: the caller brings memory and time.  Whatever a peer put in a
 * value, the line stays one line and its pairs stay what they are: in text a value with anything but plain
 * characters is quoted, control characters become \n, \r, \t or \u{hex} and octets that are no UTF-8 become
 * \xHH; in JSON (RFC 8259 §7) control characters become \uHHHH and each octet that is no UTF-8 becomes \ufffd.
 * Strings are cut to 200 octets, marked "...".  Thread-free. */
#ifndef BASE_LOG_LINE_H
#define BASE_LOG_LINE_H

#include "base/log.h"

#define LOG_VALUE_MAX_N 200  /* octets of a string before escaping */
#define LOG_LINE_MAX_N  8192 /* octets of a line; pairs that do not fit give way to cut=true */

struct log_style {
    enum log_level level; /* of this event */
    enum log_format format;
    enum log_identities identities;
    log_token_fn *token; /* NULL: none */
    void *token_arg;
};

struct log_line {
    size_t n; /* octets of p, the newline included */
    char p[LOG_LINE_MAX_N];
};

void log_line_print(struct log_line *out, const struct log_style *style, int64_t utc_ms, const char *event,
                    const struct log_kv *kv);

#endif
