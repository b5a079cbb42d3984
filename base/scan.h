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

struct scan scan_of(struct slice in);
/* Records ERR_x unless something failed before. */
void scan_fail(struct scan *s, enum err e);
bool scan_done(const struct scan *s); /* nothing left, or failed */
int scan_peek(const struct scan *s);  /* next octet 0..255, -1 at the end or after a failure */
struct slice scan_left(const struct scan *s);

void scan_ch(struct scan *s, char want);              /* exactly this octet */
bool scan_skip_ch(struct scan *s, char want);         /* this octet if it is next */
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
