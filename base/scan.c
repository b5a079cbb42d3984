/* The text cursor: each step takes what it was asked for or records the first failure, after which every step is
 * a no-op.  On a failure the cursor stays where the failing piece began.  Thread-free. */
#include "base/scan.h"

#include "base/num.h"

/* The next n octets, n <= those left. */
static struct slice take(struct scan *s, size_t n)
{
    struct slice taken = slice_of(s->p, n);

    s->p += n;
    return taken;
}

static struct slice refuse(struct scan *s, enum err e)
{
    scan_fail(s, e);
    return SLICE_NONE;
}

void scan_lit(struct scan *s, struct slice want)
{
    if (!slice_starts(scan_left(s), want))
        scan_fail(s, ERR_MALFORMED);
    if (!s->err)
        s->p += want.n;
}

bool scan_skip_ci(struct scan *s, struct slice want)
{
    if (s->err || !slice_starts_ci(scan_left(s), want))
        return false;
    s->p += want.n;
    return true;
}

void scan_lws(struct scan *s, size_t at_least)
{
    struct slice left = scan_left(s);
    size_t n = 0;

    while (n < left.n && (left.p[n] == ' ' || left.p[n] == '\t'))
        n++;
    if (n < at_least)
        scan_fail(s, ERR_MALFORMED);
    if (!s->err)
        s->p += n;
}

static bool is_digit(unsigned char ch)
{
    return ch >= '0' && ch <= '9';
}

/* 1..digits_max decimal digits, of a value in min..max. */
static uint64_t number(struct scan *s, size_t digits_max, uint64_t min, uint64_t max)
{
    struct slice left = scan_left(s);
    uint64_t v = 0;
    size_t n = 0;

    for (; n < left.n && is_digit((unsigned char)left.p[n]); n++)
        if (n == digits_max || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(left.p[n] - '0'), &v)) {
            scan_fail(s, ERR_LIMIT);
            return 0;
        }
    if (n == 0 || v < min)
        scan_fail(s, ERR_MALFORMED);
    else if (v > max)
        scan_fail(s, ERR_LIMIT);
    if (s->err)
        return 0;
    s->p += n;
    return v;
}

uint32_t scan_u32(struct scan *s, uint32_t min, uint32_t max)
{
    return (uint32_t)number(s, 10, min, max);
}

uint64_t scan_u64(struct scan *s, uint64_t min, uint64_t max)
{
    return number(s, 20, min, max);
}

uint32_t scan_digits(struct scan *s, size_t n)
{
    struct slice left = scan_left(s);
    uint32_t v = 0;

    MUST(n >= 1 && n <= 9);
    for (size_t i = 0; i < n; i++) {
        if (i >= left.n || !is_digit((unsigned char)left.p[i])) {
            scan_fail(s, ERR_MALFORMED);
            return 0;
        }
        v = v * 10 + (uint32_t)(left.p[i] - '0');
    }
    s->p += n;
    return v;
}

/* tchar, RFC 9110 §5.6.2: one bit an octet, 32 octets a word. */
static const uint32_t token_chs[8] = {
    0,          /* controls */
    0x03ff6cfa, /* !#$%&'*+-. 0-9 */
    0xc7fffffe, /* A-Z ^_ */
    0x57ffffff, /* ` a-z |~ */
};

bool scan_is_token_ch(unsigned char ch)
{
    return token_chs[ch / 32] >> (ch % 32) & 1;
}

struct slice scan_while(struct scan *s, bool (*is)(unsigned char ch), size_t max_n)
{
    struct slice left = scan_left(s);
    size_t n = 0;

    for (; n < left.n && is((unsigned char)left.p[n]); n++)
        if (n == max_n)
            return refuse(s, ERR_LIMIT);
    return n ? take(s, n) : refuse(s, ERR_MALFORMED);
}

struct slice scan_token(struct scan *s, size_t max_n)
{
    struct slice left = scan_left(s);
    size_t n = 0;

    while (n < left.n && scan_is_token_ch((unsigned char)left.p[n]))
        n++;
    if (n > max_n)
        return refuse(s, ERR_LIMIT);
    return n ? take(s, n) : refuse(s, ERR_MALFORMED);
}

struct slice scan_until(struct scan *s, char stop, size_t max_n)
{
    struct slice left = scan_left(s);
    size_t n = num_min(slice_find(left, stop), left.n);

    if (s->err)
        return SLICE_NONE;
    return n <= max_n ? take(s, n) : refuse(s, ERR_LIMIT);
}

/* What may stand in a quoted string, escaped or not: HTAB, SP, VCHAR, obs-text (RFC 9110 §5.6.4). */
static bool is_text(unsigned char ch)
{
    return ch == '\t' || (ch >= 0x20 && ch != 0x7f);
}

/* Octets of the quoted string that starts at in.p[0], both quotes included; 0 when it breaks its grammar. */
static size_t quoted_n(struct slice in)
{
    if (in.n == 0 || in.p[0] != '"')
        return 0;
    for (size_t i = 1; i < in.n; i++) {
        if (in.p[i] == '"')
            return i + 1;
        if (in.p[i] == '\\' && ++i == in.n)
            return 0;
        if (!is_text((unsigned char)in.p[i]))
            return 0;
    }
    return 0;
}

struct slice scan_quoted(struct scan *s, size_t max_n)
{
    struct slice left = scan_left(s);
    size_t n = quoted_n(left);

    if (n == 0)
        return refuse(s, ERR_MALFORMED);
    if (n - 2 > max_n)
        return refuse(s, ERR_LIMIT);
    return slice_sub(take(s, n), 1, n - 2);
}

struct slice scan_token_or_quoted(struct scan *s, size_t max_n)
{
    return scan_peek(s) == '"' ? scan_quoted(s, max_n) : scan_token(s, max_n);
}

void scan_end(struct scan *s)
{
    if (!scan_done(s))
        scan_fail(s, ERR_MALFORMED);
}
