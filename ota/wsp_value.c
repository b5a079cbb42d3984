/* Numbers, texts and lengths of WSP; see ota/wsp_value.h.  [WSP §8.1.2, §8.4.2.1, §8.4.2.2].  Any thread. */
#include "ota/wsp_value.h"

#define SHORT_LENGTH_MAX 30   /* octets a Short-length can tell */
#define LENGTH_QUOTE     0x1F /* a uintvar length follows */
#define TEXT_QUOTE       0x7F /* before a text whose first octet could be taken for something else */
#define LONG_MAX_N       8    /* octets of a Long-integer that is looked at */

/* --- printing --- */

static void put_octet(struct buf *out, unsigned octet)
{
    buf_add_ch(out, (char)(unsigned char)octet);
}

void ota_wsp_put_uintvar(struct buf *out, uint32_t v)
{
    for (unsigned shift = 28; shift > 0; shift -= 7)
        if (v >> shift)
            put_octet(out, 0x80u | (v >> shift & 0x7Fu));
    put_octet(out, v & 0x7Fu);
}

void ota_wsp_put_long(struct buf *out, uint64_t v)
{
    unsigned n = 1;

    while (n < sizeof v && v >> (8 * n))
        n++;
    put_octet(out, n);
    while (n-- > 0)
        put_octet(out, (unsigned)(v >> (8 * n) & 0xFFu));
}

void ota_wsp_put_integer(struct buf *out, uint64_t v)
{
    if (v < 0x80)
        put_octet(out, 0x80u | (unsigned)v);
    else
        ota_wsp_put_long(out, v);
}

void ota_wsp_put_text(struct buf *out, struct slice text)
{
    if (text.n && (unsigned char)text.p[0] >= 0x80)
        put_octet(out, TEXT_QUOTE);
    buf_add(out, text);
    put_octet(out, 0);
}

void ota_wsp_put_quoted(struct buf *out, struct slice text)
{
    put_octet(out, '"');
    buf_add(out, text);
    put_octet(out, 0);
}

void ota_wsp_put_length(struct buf *out, size_t n)
{
    if (n <= SHORT_LENGTH_MAX) {
        put_octet(out, (unsigned)n);
        return;
    }
    put_octet(out, LENGTH_QUOTE);
    ota_wsp_put_uintvar(out, (uint32_t)n);
}

/* --- reading --- */

uint8_t ota_wsp_take_octet(struct scan *s)
{
    int ch = scan_peek(s);

    if (ch < 0) {
        scan_fail(s, ERR_MALFORMED);
        return 0;
    }
    s->p++;
    return (uint8_t)ch;
}

uint32_t ota_wsp_take_uintvar(struct scan *s)
{
    uint64_t v = 0;
    uint8_t octet;

    do {
        octet = ota_wsp_take_octet(s);
        v = v << 7 | (octet & 0x7Fu);
        if (v > UINT32_MAX)
            scan_fail(s, ERR_LIMIT);
    } while (octet & 0x80 && !s->err);
    return s->err ? 0 : (uint32_t)v;
}

uint64_t ota_wsp_take_long(struct scan *s)
{
    uint8_t n = ota_wsp_take_octet(s);
    uint64_t v = 0;

    if (n == 0 || n > SHORT_LENGTH_MAX)
        scan_fail(s, ERR_MALFORMED);
    if (n > LONG_MAX_N)
        scan_fail(s, ERR_LIMIT);
    for (; n > 0 && !s->err; n--)
        v = v << 8 | ota_wsp_take_octet(s);
    return s->err ? 0 : v;
}

uint64_t ota_wsp_take_integer(struct scan *s)
{
    if (scan_peek(s) >= 0x80)
        return ota_wsp_take_octet(s) & 0x7Fu;
    return ota_wsp_take_long(s);
}

struct slice ota_wsp_take_octets(struct scan *s, size_t n)
{
    struct slice left = scan_left(s);

    if (n > left.n)
        scan_fail(s, ERR_LIMIT);
    if (s->err)
        return SLICE_NONE;
    s->p += n;
    return slice_sub(left, 0, n);
}

static bool is_text(struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char ch = (unsigned char)text.p[i];

        if ((ch < 0x20 && ch != '\t') || ch == 0x7F)
            return false;
    }
    return true;
}

/* The quote octet stands where it must, and nowhere else [WSP §8.4.2.1]. */
static bool unquote(struct slice *text)
{
    if (text->n == 0 || text->p[0] != TEXT_QUOTE)
        return text->n == 0 || (unsigned char)text->p[0] < 0x80;
    *text = slice_sub(*text, 1, text->n);
    return text->n && (unsigned char)text->p[0] >= 0x80;
}

struct slice ota_wsp_take_text(struct scan *s)
{
    struct slice left = scan_left(s);
    size_t end = slice_find(left, '\0');
    struct slice text = slice_sub(left, 0, end);

    if (end == SIZE_MAX || !unquote(&text) || !is_text(text))
        scan_fail(s, ERR_MALFORMED);
    if (s->err)
        return SLICE_NONE;
    s->p += end + 1;
    return text;
}

struct slice ota_wsp_take_counted(struct scan *s)
{
    uint8_t first = ota_wsp_take_octet(s);

    if (first > LENGTH_QUOTE)
        scan_fail(s, ERR_MALFORMED);
    return ota_wsp_take_octets(s, first == LENGTH_QUOTE ? ota_wsp_take_uintvar(s) : first);
}

void ota_wsp_skip_value(struct scan *s)
{
    int first = scan_peek(s);

    if (first >= 0x80)
        (void)ota_wsp_take_octet(s);
    else if (first > LENGTH_QUOTE)
        (void)ota_wsp_take_text(s);
    else
        (void)ota_wsp_take_counted(s);
}
