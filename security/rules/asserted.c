/* Asserted identities; see asserted.h.  Any thread. */
#include "security/rules/asserted.h"

#include "base/scan.h"

bool sec_asserted_good(struct slice id)
{
    return id.n > 0 && id.n <= SEC_ASSERTED_MAX_N && slice_printable_n(id) == id.n &&
           slice_find(id, '"') == SIZE_MAX && slice_find(id, '\\') == SIZE_MAX;
}

enum err sec_asserted_parse(struct slice value, struct sec_asserted *out)
{
    struct scan s = scan_of(value);
    struct sec_asserted v = {.n = 0};

    do {
        struct slice id;

        scan_lws(&s, 0);
        id = scan_quoted(&s, SEC_ASSERTED_MAX_N);
        scan_lws(&s, 0);
        if (s.err || !sec_asserted_good(id))
            return s.err ? s.err : ERR_MALFORMED;
        if (v.n == SEC_ASSERTED_MAX)
            return ERR_LIMIT;
        v.id[v.n++] = id;
    } while (scan_skip_ch(&s, ','));
    scan_end(&s);
    if (s.err)
        return s.err;
    *out = v;
    return ERR_OK;
}

bool sec_asserted_has(const struct sec_asserted *a, struct slice id)
{
    for (size_t i = 0; i < a->n; i++)
        if (slice_eq(a->id[i], id))
            return true;
    return false;
}
