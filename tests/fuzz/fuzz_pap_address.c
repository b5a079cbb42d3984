/* Any octets as a client address, and as a notify URL.  Strict takes nothing that lenient refuses, blanks at
 * the ends aside, which lenient drops; the key holds no control character and is its own key. */
#include <stdint.h>
#include "base/arena.h"
#include "pap/address.h"
#include "pap/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void key_check(const struct pap_address *a)
{
    struct buf key;

    buf_init(&key, 4 * PAP_ADDRESS_MAX_N);
    pap_address_key(a, &key);
    MUST(buf_err(&key) == ERR_OK && key.n > 0);
    for (size_t i = 0; i < key.n; i++)
        MUST((unsigned char)key.p[i] >= 0x20 && key.p[i] != 0x7F);
    if (a->type == PAP_ADDRESS_SIP && key.n <= PAP_ADDRESS_MAX_N && key.p[0] == 's') {
        struct pap_address same = {.type = PAP_ADDRESS_SIP, .value = buf_slice(&key)};
        struct buf twice;

        buf_init(&twice, 4 * PAP_ADDRESS_MAX_N);
        pap_address_key(&same, &twice);
        MUST(slice_eq(buf_slice(&key), buf_slice(&twice)));
        buf_clear(&twice);
    }
    buf_clear(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n);
    struct pap_address lenient, strict;
    struct arena arena;
    enum err e;

    arena_init(&arena, 1024, 1 << 16);
    e = pap_address_parse(in, false, &arena, &lenient);
    if (!e)
        key_check(&lenient);
    if (slice_trim(in).n == in.n && pap_address_parse(in, true, &arena, &strict) == ERR_OK) {
        MUST(e == ERR_OK);
        MUST(lenient.type == strict.type && slice_eq(lenient.value, strict.value));
    }
    (void)pap_check_url(in);
    arena_clear(&arena);
    return 0;
}
