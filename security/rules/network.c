/* CIDR networks (RFC 4632 §3.1, RFC 4291 §2.3).  Any thread. */
#include "security/rules/network.h"

#include <arpa/inet.h>
#include "base/mem.h"
#include "base/scan.h"

static enum err address_parse(struct slice in, uint8_t out[16], bool *v4)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char text[INET6_ADDRSTRLEN];
    uint8_t v[16];

    if (slice_find(in, '\0') < in.n || mem_cstr(text, sizeof text, in))
        return ERR_MALFORMED;
    *v4 = inet_pton(AF_INET, text, v + 12) == 1;
    if (*v4)
        mem_copy(v, 12, slice_of(mapped, sizeof mapped));
    else if (inet_pton(AF_INET6, text, v) != 1)
        return ERR_MALFORMED;
    mem_copy(out, 16, slice_of(v, sizeof v));
    return ERR_OK;
}

static bool bit(const uint8_t *address, unsigned i)
{
    return address[i / 8] >> (7 - i % 8) & 1;
}

enum err sec_network_parse(struct slice in, struct sec_network *out)
{
    struct slice address, length;
    bool has_length = slice_cut(in, '/', &address, &length);
    struct scan s = scan_of(length);
    struct sec_network v;
    bool v4;
    enum err e = address_parse(address, v.address, &v4);

    if (e)
        return e;
    v.bits = v4 ? 32 : 128;
    if (has_length)
        v.bits = scan_u32(&s, 0, v.bits);
    scan_end(&s);
    if (s.err)
        return ERR_MALFORMED;
    v.bits += v4 ? 96 : 0;
    for (unsigned i = v.bits; i < 128; i++)
        if (bit(v.address, i))
            return ERR_MALFORMED;
    *out = v;
    return ERR_OK;
}

bool sec_network_has(const struct sec_network *net, struct slice address)
{
    uint8_t v[16];
    bool v4;

    if (address_parse(address, v, &v4))
        return false;
    for (unsigned i = 0; i < net->bits; i++)
        if (bit(v, i) != bit(net->address, i))
            return false;
    return true;
}

bool sec_network_meets(const struct sec_network *a, const struct sec_network *b)
{
    for (unsigned i = 0; i < a->bits && i < b->bits; i++)
        if (bit(a->address, i) != bit(b->address, i))
            return false;
    return true;
}
