/* Responses through the reader, also as the answer to HEAD: fed whole and cut, the outcome must be the same. */
#include "tests/fuzz/http_compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    http_compare(NET_HTTP_CLIENT, slice_of(data, n), false);
    http_compare(NET_HTTP_CLIENT, slice_of(data, n), true);
    return 0;
}
