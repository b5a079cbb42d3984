/* Session descriptions of far ends. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "ota/msrp/sdp.h"
#include "ota/msrp/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ota_msrp_offer offer = {.port = 1, .host = SLICE("a"), .direction = "recvonly"};
    struct ota_msrp_sdp d, again;
    struct buf out;

    if (ota_msrp_sdp_read(slice_of(data, n), &d))
        return 0;
    if (!d.refused && (d.path.n == 0 || d.accept.n == 0))
        abort();
    (void)ota_msrp_sdp_accepts(&d, SLICE("text/plain"));
    if (d.refused)
        return 0;
    offer.accept = d.accept;
    offer.path = d.path;
    offer.secure = d.secure;
    offer.max_size = d.max_size;
    offer.setup = d.setup;
    buf_init(&out, 4 * OTA_MSRP_SDP_MAX_N);
    if (!ota_msrp_sdp_print(&offer, &out) && buf_slice(&out).n <= OTA_MSRP_SDP_MAX_N &&
        (ota_msrp_sdp_read(buf_slice(&out), &again) || !slice_eq(again.path, d.path) ||
         again.max_size != d.max_size || again.setup != d.setup || again.secure != d.secure))
        abort(); /* what was read can be said again */
    buf_clear(&out);
    return 0;
}
