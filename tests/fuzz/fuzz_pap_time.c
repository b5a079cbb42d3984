/* Any octets as a timestamp: what is accepted prints as the same instant. */
#include <stdint.h>
#include "pap/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n);

    for (int strict = 0; strict < 2; strict++) {
        int64_t at_s = -1, again_s = -2;
        struct buf text;

        if (pap_time_parse(in, strict, &at_s)) {
            MUST(at_s == -1);
            continue;
        }
        buf_init(&text, 32);
        MUST(pap_time_print(at_s, &text) == ERR_OK);
        MUST(slice_starts(in, slice_sub(buf_slice(&text), 0, 19)));
        MUST(pap_time_parse(buf_slice(&text), true, &again_s) == ERR_OK && again_s == at_s);
        buf_clear(&text);
    }
    return 0;
}
