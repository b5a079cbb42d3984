/* Comparing and cutting borrowed bytes.  Nothing here allocates, fails or looks at the locale: case folding is
 * ASCII, white space is space and tab (RFC 9110 §5.6.3).  Thread-free. */
#include "base/slice.h"

#include "base/num.h"

static unsigned char fold(char ch)
{
    return (unsigned char)(ch >= 'A' && ch <= 'Z' ? ch + ('a' - 'A') : ch);
}

bool slice_same_ci(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fold(a[i]) != fold(b[i]))
            return false;
    return true;
}

bool slice_starts_ci(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && slice_eq_ci(slice_sub(s, 0, prefix.n), prefix);
}

bool slice_ends(struct slice s, struct slice suffix)
{
    return s.n >= suffix.n && slice_eq(slice_sub(s, s.n - suffix.n, suffix.n), suffix);
}

bool slice_ends_ci(struct slice s, struct slice suffix)
{
    return s.n >= suffix.n && slice_eq_ci(slice_sub(s, s.n - suffix.n, suffix.n), suffix);
}

int slice_cmp(struct slice a, struct slice b)
{
    size_t n = num_min(a.n, b.n);
    int order = n ? memcmp(a.p, b.p, n) : 0;

    if (order != 0)
        return order < 0 ? -1 : 1;
    return (a.n > b.n) - (a.n < b.n);
}

bool slice_eq_ct(struct slice a, struct slice b)
{
    volatile unsigned char differs = 0; /* volatile: the loop may not end at the first difference */

    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        differs = (unsigned char)(differs | (a.p[i] ^ b.p[i]));
    return differs == 0;
}

static bool is_blank(char ch)
{
    return ch == ' ' || ch == '\t';
}

struct slice slice_trim(struct slice s)
{
    while (s.n && is_blank(s.p[0]))
        s = slice_sub(s, 1, s.n);
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

struct slice slice_sub(struct slice s, size_t from, size_t n)
{
    from = num_min(from, s.n);
    return slice_of(s.p ? s.p + from : NULL, num_min(n, s.n - from));
}

size_t slice_find(struct slice s, char ch)
{
    const char *hit = s.n ? memchr(s.p, ch, s.n) : NULL;

    return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

size_t slice_find_slice(struct slice s, struct slice what)
{
    const char *hit;

    if (what.n == 0)
        return 0;
    hit = s.n ? memmem(s.p, s.n, what.p, what.n) : NULL;
    return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

bool slice_cut(struct slice in, char sep, struct slice *head, struct slice *tail)
{
    size_t at = slice_find(in, sep);

    if (at == SIZE_MAX) {
        *head = in;
        *tail = SLICE_NONE;
        return false;
    }
    *head = slice_sub(in, 0, at);
    *tail = slice_sub(in, at + 1, in.n);
    return true;
}

/* Octets before the first comma that stands outside quotes; a quote left open runs to the end. */
static size_t item_n(struct slice list)
{
    bool quoted = false;

    for (size_t i = 0; i < list.n; i++) {
        char ch = list.p[i];

        if (ch == ',' && !quoted)
            return i;
        if (ch == '"')
            quoted = !quoted;
        else if (ch == '\\' && quoted)
            i++;
    }
    return list.n;
}

bool slice_item(struct slice *list, struct slice *item)
{
    while (list->n) {
        size_t n = item_n(*list);
        struct slice found = slice_trim(slice_sub(*list, 0, n));

        *list = slice_sub(*list, n + 1, list->n);
        if (found.n) { /* empty elements do not count, RFC 9110 §5.6.1.2 */
            *item = found;
            return true;
        }
    }
    return false;
}
