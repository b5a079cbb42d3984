/* Any octets as a user agent profile.  What is accepted prints, the print is accepted and says the same, and prints the
 * same again. */
#include <stdint.h>
#include "pap/uaprof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void same(const struct pap_uaprof *a, const struct pap_uaprof *b)
{
    MUST(slice_eq(a->accept, b->accept) && slice_eq(a->charsets, b->charsets));
    MUST(slice_eq(a->encodings, b->encodings) && slice_eq(a->languages, b->languages));
    MUST(slice_eq(a->app_ids, b->app_ids) && a->size_max == b->size_max);
    MUST(a->outstanding_max == b->outstanding_max && b->skipped == 0);
}

static void again(const struct pap_uaprof *first, struct arena *mem)
{
    struct pap_uaprof second;
    struct buf text, more;
    const char *why;

    buf_init(&text, 1 << 20);
    buf_init(&more, 1 << 20);
    MUST(pap_uaprof_print(first, &text) == ERR_OK);
    MUST(text.n <= PAP_UAPROF_MAX_N);
    MUST(pap_uaprof_parse(buf_slice(&text), mem, &second, &why) == ERR_OK);
    same(first, &second);
    MUST(pap_uaprof_print(&second, &more) == ERR_OK && slice_eq(buf_slice(&text), buf_slice(&more)));
    buf_clear(&text);
    buf_clear(&more);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct pap_uaprof p = {.size_max = 7};
    const char *why = NULL;
    struct arena mem;

    arena_init(&mem, 1024, 1 << 20);
    if (pap_uaprof_parse(slice_of(data, n), &mem, &p, &why))
        MUST(why && why[0] && p.size_max == 7);
    else
        again(&p, &mem);
    arena_clear(&mem);
    return 0;
}
