/* A session initiation content: what is taken prints, and the print reads as the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "ota/sia.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ota_sia sia, again;
    struct buf out;

    if (ota_sia_parse(slice_of(data, n), &sia))
        return 0;
    if (sia.apps_n > OTA_SIA_APPS_MAX || sia.contacts_n > OTA_SIA_CONTACTS_MAX)
        abort();
    buf_init(&out, 2 * OTA_SIA_MAX_N);
    if (ota_sia_print(&sia, &out) == ERR_OK &&
        (ota_sia_parse(buf_slice(&out), &again) || again.apps_n != sia.apps_n ||
         again.contacts_n != sia.contacts_n || !slice_eq(again.prov_url, sia.prov_url)))
        abort();
    buf_clear(&out);
    return 0;
}
