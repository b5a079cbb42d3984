/* Requests through the reader: fed whole and cut by a rule taken from the input itself, the events, what they
 * say and what stays unread must be the same. */
#include "tests/fuzz/http_compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    http_compare(NET_HTTP_SERVER, slice_of(data, n), false);
    return 0;
}
