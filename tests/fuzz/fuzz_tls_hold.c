/* What a stranger opens a TLS connection with, where the name of a shared key is read before GnuTLS sees it: octets of the
 * wire, cut into records as they come.  A name lies in what came, and is no longer than one may be. */
#include <stdint.h>
#include <stdlib.h>
#include "base/err.h"
#include "base/net/tls_hold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice wire = slice_of(data, n), identity;
    unsigned version = 0;
    struct tls_hold *h = NULL;
    size_t record_n;

    MUST(tls_hold_create(&h) == ERR_OK);
    while (!h->over && (record_n = tls_hold_record_n(wire))) {
        MUST(record_n <= wire.n);
        if (tls_hold_look(h, slice_sub(wire, 0, record_n), &version, &identity))
            MUST((version == 12 || version == 13) && identity.n > 0 && identity.n <= 1024 && identity.n < n);
        wire = slice_sub(wire, record_n, wire.n);
    }
    tls_hold_free(&h);
    return 0;
}
