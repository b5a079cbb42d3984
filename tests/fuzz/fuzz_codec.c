/* The decoders of base/codec on octets from anywhere: none over-reads, none adds anything when it refuses, and
 * what one accepts comes back when it is encoded again. */
#include <stdint.h>

#include "base/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The octets of `in`, encoded, decode to themselves in all three forms. */
static void round_trip(struct slice in)
{
    struct buf text, back;

    buf_init(&text, in.n * 4 + 4);
    buf_init(&back, in.n);
    codec_base64(&text, in);
    MUST(codec_unbase64(buf_slice(&text), false, &back) == ERR_OK && slice_eq(buf_slice(&back), in));
    buf_cut(&text, 0);
    buf_cut(&back, 0);
    codec_percent(&text, in, "-._~");
    MUST(codec_unpercent(buf_slice(&text), &back) == ERR_OK && slice_eq(buf_slice(&back), in));
    buf_cut(&text, 0);
    buf_cut(&back, 0);
    codec_hex(&text, in);
    MUST(codec_unhex(buf_slice(&text), buf_room(&back, in.n), in.n) == ERR_OK);
    buf_commit(&back, in.n);
    MUST(slice_eq(buf_slice(&back), in));
    buf_clear(&text);
    buf_clear(&back);
}

static void unbase64(struct slice in, bool lenient)
{
    struct buf octets, text;
    enum err e;

    buf_init(&octets, in.n);
    buf_init(&text, in.n);
    e = codec_unbase64(in, lenient, &octets);
    MUST(e == ERR_OK || (e == ERR_MALFORMED && octets.n == 0));
    if (!e && !lenient) { /* strict: one value, one spelling */
        codec_base64(&text, buf_slice(&octets));
        MUST(slice_eq(buf_slice(&text), in));
    }
    buf_clear(&octets);
    buf_clear(&text);
}

static void unpercent(struct slice in)
{
    struct buf octets;
    enum err e;

    buf_init(&octets, in.n);
    e = codec_unpercent(in, &octets);
    MUST(e == ERR_OK || (e == ERR_MALFORMED && octets.n == 0));
    MUST((e == ERR_OK && octets.n == in.n) == (slice_find(in, '%') == SIZE_MAX));
    buf_clear(&octets);
}

static void unhex(struct slice in)
{
    struct buf octets;
    char *to;

    buf_init(&octets, in.n);
    to = buf_room(&octets, in.n / 2);
    MUST(to);
    if (codec_unhex(in, to, in.n / 2) == ERR_OK)
        buf_commit(&octets, in.n / 2);
    MUST(octets.n == 0 || octets.n * 2 == in.n);
    buf_clear(&octets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n);

    unbase64(in, false);
    unbase64(in, true);
    unpercent(in);
    unhex(in);
    round_trip(in);
    return 0;
}
