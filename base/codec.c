/* Octets as text and back.  Each decoder first walks the input to check it and to learn the exact size, then
 * writes: a refused input adds nothing, and a ceiling that fits the result is never refused.  Thread-free. */
#include "base/codec.h"

#include "base/num.h"

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF"; /* RFC 3986 §2.1 */

void codec_hex(struct buf *out, struct slice in)
{
    size_t n;
    char *to;

    if (!num_mul(in.n, 2, &n))
        n = SIZE_MAX; /* past every ceiling: the buf refuses it */
    to = buf_room(out, n);
    if (!to)
        return;
    for (size_t i = 0; i < in.n; i++) {
        unsigned char octet = (unsigned char)in.p[i];

        *to++ = hex_lower[octet >> 4];
        *to++ = hex_lower[octet & 15];
    }
    buf_commit(out, n);
}

static int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    if (ch >= 'a' && ch <= 'f')
        return ch - 'a' + 10;
    if (ch >= 'A' && ch <= 'F')
        return ch - 'A' + 10;
    return -1;
}

/* The octet of two hexadecimal digits, or -1. */
static int hex_octet(const char *two)
{
    int high = hex_digit(two[0]);
    int low = hex_digit(two[1]);

    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

enum err codec_unhex(struct slice in, void *out, size_t out_n)
{
    unsigned char *to = out;

    if (in.n / 2 != out_n || in.n % 2)
        return ERR_MALFORMED;
    for (size_t i = 0; i < out_n; i++)
        if (hex_octet(in.p + 2 * i) < 0)
            return ERR_MALFORMED;
    for (size_t i = 0; i < out_n; i++)
        to[i] = (unsigned char)hex_octet(in.p + 2 * i);
    return ERR_OK;
}

void codec_base64(struct buf *out, struct slice in)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t groups = in.n / 3 + (in.n % 3 != 0);
    size_t n;
    char *to;

    if (!num_mul(groups, 4, &n))
        n = SIZE_MAX;
    to = buf_room(out, n);
    if (!to)
        return;
    for (size_t i = 0; i < in.n; i += 3) {
        size_t have = num_min(3, in.n - i);
        uint32_t bits = (uint32_t)(unsigned char)in.p[i] << 16;

        bits |= have > 1 ? (uint32_t)(unsigned char)in.p[i + 1] << 8 : 0;
        bits |= have > 2 ? (uint32_t)(unsigned char)in.p[i + 2] : 0;
        *to++ = digits[bits >> 18];
        *to++ = digits[bits >> 12 & 63];
        *to++ = have > 1 ? digits[bits >> 6 & 63] : '=';
        *to++ = have > 2 ? digits[bits & 63] : '=';
    }
    buf_commit(out, n);
}

static int base64_digit(char ch)
{
    if (ch >= 'A' && ch <= 'Z')
        return ch - 'A';
    if (ch >= 'a' && ch <= 'z')
        return ch - 'a' + 26;
    if (ch >= '0' && ch <= '9')
        return ch - '0' + 52;
    return ch == '+' ? 62 : ch == '/' ? 63 : -1;
}

static bool is_space(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

/* 4*digits with padding only at the end, RFC 4648 §4; *digits_n counts without padding. */
static enum err base64_check(struct slice in, bool lenient, size_t *digits_n)
{
    size_t n = 0;
    size_t pad = 0;

    for (size_t i = 0; i < in.n; i++) {
        if (lenient && is_space(in.p[i]))
            continue;
        if (in.p[i] == '=')
            pad++;
        else if (pad || base64_digit(in.p[i]) < 0)
            return ERR_MALFORMED;
        else
            n++;
    }
    if (pad > 2 || (n + pad) % 4)
        return ERR_MALFORMED;
    *digits_n = n;
    return ERR_OK;
}

/* The octets of digits_n digits; what digit() gives nothing for is skipped.  Digits left over must be zero bits: one
 * value, one spelling (RFC 4648 §3.5). */
static enum err base64_unpack(struct slice in, size_t digits_n, int (*digit_of)(char ch), struct buf *out)
{
    char *to = buf_room(out, digits_n / 4 * 3 + digits_n % 4 * 3 / 4);
    uint32_t bits = 0;
    unsigned held = 0; /* bits not yet written, 0..7 between digits */
    size_t done = 0;

    if (!to)
        return buf_err(out);
    for (size_t i = 0; done < digits_n; i++) {
        int digit = digit_of(in.p[i]);

        if (digit < 0)
            continue;
        bits = (bits << 6 | (uint32_t)digit) & 0x3fff;
        held += 6;
        done++;
        if (held >= 8) {
            held -= 8;
            *to++ = (char)(bits >> held);
        }
    }
    if (bits & ((1U << held) - 1))
        return ERR_MALFORMED;
    buf_commit(out, (size_t)(to - (out->p + out->n)));
    return ERR_OK;
}

enum err codec_unbase64(struct slice in, bool lenient, struct buf *out)
{
    size_t digits_n;
    enum err e = base64_check(in, lenient, &digits_n);

    return e ? e : base64_unpack(in, digits_n, base64_digit, out);
}

static int base64url_digit(char ch)
{
    if (ch == '+' || ch == '/')
        return -1;
    return ch == '-' ? 62 : ch == '_' ? 63 : base64_digit(ch);
}

enum err codec_unbase64url(struct slice in, struct buf *out)
{
    if (in.n % 4 == 1)
        return ERR_MALFORMED;
    for (size_t i = 0; i < in.n; i++)
        if (base64url_digit(in.p[i]) < 0)
            return ERR_MALFORMED;
    return base64_unpack(in, in.n, base64url_digit, out);
}

enum err codec_unpercent(struct slice in, struct buf *out)
{
    size_t n = 0;
    char *to;

    for (size_t i = 0; i < in.n; i++, n++)
        if (in.p[i] == '%') {
            if (in.n - i < 3 || hex_octet(in.p + i + 1) < 0)
                return ERR_MALFORMED;
            i += 2;
        }
    to = buf_room(out, n);
    if (!to)
        return buf_err(out);
    for (size_t i = 0; i < in.n; i++)
        if (in.p[i] == '%') {
            *to++ = (char)hex_octet(in.p + i + 1);
            i += 2;
        } else {
            *to++ = in.p[i];
        }
    buf_commit(out, n);
    return ERR_OK;
}

static bool is_alnum(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
}

void codec_percent(struct buf *out, struct slice in, const char *also)
{
    struct slice kept = slice_str(also);

    for (size_t i = 0; i < in.n; i++) {
        unsigned char octet = (unsigned char)in.p[i];

        if (is_alnum(in.p[i]) || slice_find(kept, in.p[i]) != SIZE_MAX)
            buf_add_ch(out, in.p[i]);
        else
            buf_add(out, slice_of((char[]){'%', hex_upper[octet >> 4], hex_upper[octet & 15]}, 3));
    }
}

static bool is_more(struct slice s, size_t i)
{
    return i < s.n && ((unsigned char)s.p[i] & 0xc0) == 0x80;
}

size_t codec_utf8_n(struct slice s, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)s.p[0];
    size_t n = first < 0x80   ? 1
               : first < 0xc2 ? 0
               : first < 0xe0 ? 2
               : first < 0xf0 ? 3
               : first < 0xf5 ? 4
                              : 0;
    uint32_t c = n == 1 ? first : (uint32_t)(first & (0x7f >> n));

    for (size_t i = 1; i < n; i++) {
        if (!is_more(s, i))
            return 0;
        c = c << 6 | ((unsigned char)s.p[i] & 0x3f);
    }
    if (n == 0 || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *code = c;
    return n;
}

bool codec_is_utf8(struct slice s)
{
    uint32_t code;

    for (size_t at = 0, n; at < s.n; at += n) {
        n = codec_utf8_n(slice_sub(s, at, SIZE_MAX), &code);
        if (n == 0)
            return false;
    }
    return true;
}

static void json_char(struct buf *out, struct slice ch, uint32_t code)
{
    if (code == '"' || code == '\\')
        buf_add_ch(out, '\\');
    if (code < 0x20 || code == 0x7f)
        buf_addf(out, "\\u%04x", (unsigned)code);
    else
        buf_add(out, ch);
}

void codec_json(struct buf *out, struct slice in)
{
    uint32_t code = 0;

    buf_add_ch(out, '"');
    for (size_t at = 0, n; at < in.n; at += n ? n : 1) {
        n = codec_utf8_n(slice_sub(in, at, SIZE_MAX), &code);
        if (n)
            json_char(out, slice_sub(in, at, n), code);
        else
            buf_add(out, SLICE("\\ufffd"));
    }
    buf_add_ch(out, '"');
}
