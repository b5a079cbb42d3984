/* A cursor over text.  The first error is kept and turns every later call into a no-op that returns nothing or
 * zero, so a parser reads like its grammar and checks once at the end.  Borrows the input. */
#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include "base/err.h"
#include "base/slice.h"

struct scan {
    const char *p;
    const char *end;
    enum err err; /* ERR_OK, ERR_MALFORMED or ERR_LIMIT */
};

/* The steps that parsers take for every octet stand here, so that they cost no call. */
static inline struct scan scan_of(struct slice in)
{
    const char *p = in.n ? in.p : "";

    return (struct scan){p, p + in.n, ERR_OK};
}

/* Records ERR_x unless something failed before. */
static inline void scan_fail(struct scan *s, enum err e)
{
    if (!s->err)
        s->err = e;
}

/* Nothing left, or failed. */
static inline bool scan_done(const struct scan *s)
{
    return s->err || s->p == s->end;
}

/* Next octet 0..255, -1 at the end or after a failure. */
static inline int scan_peek(const struct scan *s)
{
    return scan_done(s) ? -1 : (unsigned char)*s->p;
}

static inline struct slice scan_left(const struct scan *s)
{
    return s->err ? SLICE_NONE : slice_of(s->p, (size_t)(s->end - s->p));
}

/* This octet if it is next. */
static inline bool scan_skip_ch(struct scan *s, char want)
{
    if (scan_peek(s) != (unsigned char)want)
        return false;
    s->p++;
    return true;
}

/* Exactly this octet. */
static inline void scan_ch(struct scan *s, char want)
{
    if (!scan_skip_ch(s, want))
        scan_fail(s, ERR_MALFORMED);
}

void scan_lit(struct scan *s, struct slice want);     /* exactly these octets */
bool scan_skip_ci(struct scan *s, struct slice want); /* these octets, ASCII case folded, if next */
void scan_lws(struct scan *s, size_t at_least);       /* spaces and tabs */
/* Numbers: below min is ERR_MALFORMED, above max or too many digits is ERR_LIMIT. */
uint32_t scan_u32(struct scan *s, uint32_t min, uint32_t max); /* decimal, 1..10 digits; no sign */
uint64_t scan_u64(struct scan *s, uint64_t min, uint64_t max); /* decimal, 1..20 digits; no sign */
uint32_t scan_digits(struct scan *s, size_t n);                /* exactly n (1..9) decimal digits */
/* 1..max_n octets of RFC 9110 §5.6.2 token; longer is ERR_LIMIT. */
struct slice scan_token(struct scan *s, size_t max_n);
/* 0..max_n octets up to (not over) `stop`, or to the end when stop is absent; longer is ERR_LIMIT. */
struct slice scan_until(struct scan *s, char stop, size_t max_n);
/* 1..max_n octets for which is() is true. */
struct slice scan_while(struct scan *s, bool (*is)(unsigned char ch), size_t max_n);
/* A "quoted string" (RFC 9110 §5.6.4): the octets between the quotes, escapes still in. */
struct slice scan_quoted(struct scan *s, size_t max_n);
/* token or quoted string. */
struct slice scan_token_or_quoted(struct scan *s, size_t max_n);
void scan_end(struct scan *s); /* nothing may follow */

bool scan_is_token_ch(unsigned char ch);

#endif
