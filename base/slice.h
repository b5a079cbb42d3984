/* Borrowed bytes.  A struct slice by value is good until the call returns unless a header names what it lives
 * in.  p may be NULL only when n is 0; p is not NUL-terminated. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *p;
    size_t n; /* bytes */
};

#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
#define SLICE_NONE     ((struct slice){NULL, 0})
/* For "%.*s"; the caller has made sure that n fits an int. */
#define SLICE_FMT(s)   (int)(s).n, (s).p

static inline struct slice slice_of(const void *p, size_t n)
{
    return (struct slice){p, n};
}

static inline struct slice slice_str(const char *cstr)
{
    return cstr ? (struct slice){cstr, strlen(cstr)} : SLICE_NONE;
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The octets of two stretches of n, ASCII case folded; octets above 0x7F compare exactly. */
bool slice_same_ci(const char *a, const char *b, size_t n);

static inline bool slice_eq_ci(struct slice a, struct slice b)
{
    return a.n == b.n && slice_same_ci(a.p, b.p, a.n);
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && slice_eq(slice_of(s.p, prefix.n), prefix);
}
bool slice_starts_ci(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);
bool slice_ends_ci(struct slice s, struct slice suffix);
/* Order of the octets, shorter first on a tie. */
int slice_cmp(struct slice a, struct slice b);
/* Equality in time that depends only on the lengths; for secrets and tags. */
bool slice_eq_ct(struct slice a, struct slice b);
/* Two lists: the same, in the same order? */
bool slice_list_eq(const struct slice *a, size_t a_n, const struct slice *b, size_t b_n);

/* Without spaces and tabs at both ends. */
struct slice slice_trim(struct slice s);
/* From octet `from` on, at most n octets; never past the end.  Here, as parsers cut for every piece they take. */
static inline struct slice slice_sub(struct slice s, size_t from, size_t n)
{
    from = from < s.n ? from : s.n;
    return slice_of(s.p ? s.p + from : NULL, n < s.n - from ? n : s.n - from);
}

/* Position of the first `ch` / `what`, or SIZE_MAX. */
static inline size_t slice_find(struct slice s, char ch)
{
    const char *hit = s.n ? (const char *)memchr(s.p, ch, s.n) : NULL;

    return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}
size_t slice_find_slice(struct slice s, struct slice what);
/* How many octets at the front are printable ASCII (0x20 to 0x7E). */
size_t slice_printable_n(struct slice s);
/* Splits at the first `sep`: *head before, *tail after.  False (head = all, tail = none) when there is none. */
bool slice_cut(struct slice in, char sep, struct slice *head, struct slice *tail);
/* Takes the next item of a comma list, trimmed, quoted strings kept whole; false when the list is used up.
 * Empty items are skipped (RFC 9110 §5.6.1.2); a quote left open runs to the end. */
bool slice_item(struct slice *list, struct slice *item);

#endif
