/* What a terminal is told by whoever says to be its key server: refused, or a B-TID within its ceiling and a time. */
#include <stdint.h>
#include "security/gba/bootinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sec_bootinfo info;

    if (!sec_bootinfo_parse(slice_of(data, n), &info))
        MUST(info.btid_n >= 1 && info.btid_n <= sizeof info.btid && n <= SEC_BOOTINFO_MAX_N);
    return 0;
}
