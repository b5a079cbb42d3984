/* Certificate names in one spelling; see matcher.h. */
#include "security/rules/matcher.h"

#include "base/mem.h"

static char lower(char ch)
{
    return ch >= 'A' && ch <= 'Z' ? (char)(ch | 0x20) : ch;
}

struct slice sec_matcher_key(const char *kind, struct slice value, char key[SEC_MATCHER_MAX_N])
{
    size_t kind_n = strlen(kind), fold_from = value.n;

    if (value.n == 0 || value.n > SEC_MATCHER_MAX_N - kind_n || slice_find(value, '\0') < value.n)
        return SLICE_NONE;
    if (strcmp(kind, "DNS:") == 0)
        fold_from = 0;
    else if (strcmp(kind, "EMAIL:") == 0)
        fold_from = slice_find(value, '@') < value.n ? slice_find(value, '@') : value.n;
    mem_copy(key, SEC_MATCHER_MAX_N, slice_of(kind, kind_n));
    for (size_t i = 0; i < value.n; i++)
        key[kind_n + i] = i >= fold_from ? lower(value.p[i]) : value.p[i];
    return slice_of(key, kind_n + value.n);
}

struct slice sec_matcher_parse(struct slice matcher, char key[SEC_MATCHER_MAX_N])
{
    static const char *const kinds[] = {"URI:", "DNS:", "EMAIL:"};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (slice_starts(matcher, slice_str(kinds[i])))
            return sec_matcher_key(kinds[i], slice_sub(matcher, strlen(kinds[i]), matcher.n), key);
    return SLICE_NONE;
}
