/* Comparing and cutting borrowed bytes.  Nothing here allocates, fails or looks at the locale: case folding is
 * ASCII, white space is space and tab (RFC 9110 §5.6.3).  Thread-free. */
#include "base/slice.h"

#include "base/num.h"

/* Eight octets that need not be aligned. */
static uint64_t word_at(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

static unsigned char fold(char ch)
{
    return (unsigned char)(ch >= 'A' && ch <= 'Z' ? ch + ('a' - 'A') : ch);
}

/* Names are nearly always spelt as in their specification, so the octets themselves are looked at first. */
bool slice_same_ci(const char *a, const char *b, size_t n)
{
    if (n == 0 || memcmp(a, b, n) == 0)
        return true;
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

bool slice_list_eq(const struct slice *a, size_t a_n, const struct slice *b, size_t b_n)
{
    for (size_t i = 0; a_n == b_n && i < a_n; i++)
        if (!slice_eq(a[i], b[i]))
            return false;
    return a_n == b_n;
}

bool slice_eq_ct(struct slice a, struct slice b)
{
    volatile uint64_t differs = 0; /* volatile: the loops may not end at the first difference */
    size_t i = 0;

    if (a.n != b.n)
        return false;
    for (; a.n - i >= sizeof(uint64_t); i += sizeof(uint64_t))
        differs |= word_at(a.p + i) ^ word_at(b.p + i);
    for (; i < a.n; i++)
        differs |= (unsigned char)(a.p[i] ^ b.p[i]);
    return differs == 0;
}

/* Eight octets at a time as long as all are printable: below, the subtraction sets the top bit, above, one of both
 * does; a borrow or carry into a neighbour comes from such an octet only. */
size_t slice_printable_n(struct slice s)
{
    const uint64_t ones = UINT64_MAX / 255;
    size_t n = 0;

    for (; s.n - n >= sizeof(uint64_t); n += sizeof(uint64_t)) {
        uint64_t v = word_at(s.p + n);

        if (((v - ones * 0x20) | (v + ones)) & (ones * 0x80))
            break;
    }
    while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7F)
        n++;
    return n;
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
