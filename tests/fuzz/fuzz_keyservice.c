/* JSON of the key service from anywhere: questions of NAFs, and what a BSF may answer.  A question that is understood is
 * understood again when it is printed. */
#include <stdint.h>
#include "ppg/keys/keyservice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void again(const struct ppg_key_ask *a)
{
    struct ppg_key_ask b;
    struct arena mem;
    struct buf text;
    const char *why;

    arena_init(&mem, 256, 1 << 16);
    buf_init(&text, 2 * PPG_KEYSERVICE_MAX_N);
    if (ppg_key_ask_print(a, &text) == ERR_OK) {
        MUST(ppg_key_ask_parse(buf_slice(&text), true, &mem, &b, &why) == ERR_OK);
        MUST(slice_eq(a->ue, b.ue) && a->ptid_n == b.ptid_n && a->naf.n == b.naf.n && a->resync == b.resync);
    }
    buf_clear(&text);
    arena_clear(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n);
    struct ppg_key_ask ask = {.ptid = {1}, .ptid_n = 1};
    struct sec_push_info info;
    struct arena mem;
    const char *why = NULL;

    arena_init(&mem, 256, 1 << 16);
    if (ppg_key_ask_parse(in, false, &mem, &ask, &why))
        MUST(why);
    if (ppg_key_ask_parse(in, true, &mem, &ask, &why) == ERR_OK)
        again(&ask);
    arena_clear(&mem);
    ask = (struct ppg_key_ask){.ptid = {1}, .ptid_n = 1};
    MUST(sec_gba_naf_id(SLICE("naf.example"), SEC_GBA_UA_GPL, &ask.naf) == ERR_OK);
    (void)!ppg_push_answer_parse(in, &ask, 1700000000, &info, &why);
    return 0;
}
