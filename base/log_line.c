/* Prints an event into fixed memory.  A pair is printed whole or not at all: past the end of the memory nothing
 * is stored but counting goes on, and the pair is then taken back.  RFC 8259 §7 for JSON strings, RFC 3629 §4
 * for what is UTF-8.  Thread-free. */
#include "base/log_line.h"

#include <stdio.h>
#include <time.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/num.h"

#define TAIL_N 24 /* octets kept free for `,"cut":true}` and the newline */
#define END_N  4  /* octets of a name that are shown */

static void put(struct log_line *l, struct slice s)
{
    if (l->n < sizeof l->p)
        mem_copy(l->p + l->n, sizeof l->p - l->n, slice_sub(s, 0, sizeof l->p - l->n));
    l->n += s.n;
}

static void put_str(struct log_line *l, const char *cstr)
{
    put(l, slice_str(cstr));
}

static void put_ch(struct log_line *l, char ch)
{
    put(l, slice_of(&ch, 1));
}

static void put_i64(struct log_line *l, int64_t v)
{
    uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (v < 0)
        put_ch(l, '-');
    put(l, slice_of(digits + at, sizeof digits - at));
}

/* Zero-padded, right-aligned decimal. */
static void put_digits(struct log_line *l, int v, size_t n)
{
    char digits[4];

    for (size_t i = n; i-- > 0; v /= 10)
        digits[i] = (char)('0' + v % 10);
    put(l, slice_of(digits, n));
}

static void put_utc(struct log_line *l, int64_t utc_ms)
{
    int64_t ms = num_max64(0, num_min64(utc_ms, 253402300799999)); /* years 1970 to 9999 */
    time_t s = (time_t)(ms / 1000);
    struct tm t;

    (void)gmtime_r(&s, &t);
    put_digits(l, t.tm_year + 1900, 4);
    put_ch(l, '-');
    put_digits(l, t.tm_mon + 1, 2);
    put_ch(l, '-');
    put_digits(l, t.tm_mday, 2);
    put_ch(l, 'T');
    put_digits(l, t.tm_hour, 2);
    put_ch(l, ':');
    put_digits(l, t.tm_min, 2);
    put_ch(l, ':');
    put_digits(l, t.tm_sec, 2);
    put_ch(l, '.');
    put_digits(l, (int)(ms % 1000), 3);
    put_ch(l, 'Z');
}

static bool is_more(struct slice s, size_t i)
{
    return i < s.n && ((unsigned char)s.p[i] & 0xc0) == 0x80;
}

/* Would a terminal or a viewer act on it, or not show it: C0, DEL, C1, soft hyphen, what has no width, bidi marks and
 * controls, line and paragraph separators. */
static bool is_control(uint32_t c)
{
    static const struct {
        uint32_t from, to;
    } ranges[] = {{0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e},
                  {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}};

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return true;
    return false;
}

static void put_control(struct log_line *l, uint32_t c, enum log_format format)
{
    char text[16];

    if (c == '\n' || c == '\r' || c == '\t')
        put_str(l, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    else {
        (void)snprintf(text, sizeof text, format == LOG_JSON ? "\\u%04x" : "\\u{%x}", (unsigned)c);
        put_str(l, text);
    }
}

static void put_no_utf8(struct log_line *l, unsigned char octet, enum log_format format)
{
    static const char hex[] = "0123456789abcdef";

    if (format == LOG_JSON)
        put_str(l, "\\ufffd");
    else
        put(l, slice_of((char[]){'\\', 'x', hex[octet >> 4], hex[octet & 15]}, 4));
}

static void put_escaped(struct log_line *l, struct slice s, enum log_format format)
{
    size_t i = 0;

    while (i < s.n) {
        struct slice left = slice_sub(s, i, s.n);
        uint32_t code = 0;
        size_t n = codec_utf8_n(left, &code);

        if (i + (n ? n : 1) > LOG_VALUE_MAX_N) {
            put_str(l, "...");
            return;
        }
        if (n == 0)
            put_no_utf8(l, (unsigned char)left.p[0], format);
        else if (is_control(code))
            put_control(l, code, format);
        else {
            if (code == '"' || code == '\\')
                put_ch(l, '\\');
            put(l, slice_sub(left, 0, n));
        }
        i += n ? n : 1;
    }
}

/* Nothing to escape, and in text nothing that needs quotes. */
static bool is_plain(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];

        if (ch <= ' ' || ch >= 0x7f || ch == '"' || ch == '=' || ch == '\\')
            return false;
    }
    return s.n > 0 && s.n <= LOG_VALUE_MAX_N;
}

static void put_value(struct log_line *l, struct slice s, enum log_format format)
{
    bool plain = is_plain(s);
    const char *quote = plain && format == LOG_TEXT ? "" : "\"";

    put_str(l, quote);
    if (plain)
        put(l, s);
    else
        put_escaped(l, s, format);
    put_str(l, quote);
}

/* "*" and the end of the name, enough to tell terminals apart and not to know them. */
static void put_last_four(struct log_line *l, struct slice s, enum log_format format)
{
    char text[1 + END_N] = "*";
    size_t from = s.n > END_N ? s.n - END_N : 0;
    struct slice end;

    while (from && is_more(s, from)) /* not from inside a character */
        from++;
    end = slice_sub(s, from, s.n);
    mem_copy(text + 1, END_N, end);
    put_value(l, slice_of(text, 1 + end.n), format);
}

/* "*" alone: nobody, or nothing that may be shown. */
static void put_who(struct log_line *l, const struct log_kv *kv, const struct log_style *style)
{
    enum log_identities shown = kv->type == LOG_T_WHO ? style->identities : LOG_HASHED;
    char token[LOG_TOKEN_N];

    if (shown == LOG_WHOLE)
        put_value(l, kv->s, style->format);
    else if (shown == LOG_LAST_FOUR)
        put_last_four(l, kv->s, style->format);
    else if (kv->s.n && style->token && style->token(style->token_arg, kv->s, token))
        put_value(l, slice_of(token, sizeof token), style->format);
    else
        put_value(l, SLICE("*"), style->format);
}

static void put_key(struct log_line *l, const char *key, enum log_format format)
{
    put_str(l, format == LOG_JSON ? ",\"" : " ");
    put_str(l, key);
    put_str(l, format == LOG_JSON ? "\":" : "=");
}

static void put_pair(struct log_line *l, const struct log_kv *kv, const struct log_style *style)
{
    put_key(l, kv->key, style->format);
    switch (kv->type) {
    case LOG_T_STR:
        put_value(l, kv->s, style->format);
        break;
    case LOG_T_INT:
        put_i64(l, kv->i);
        break;
    case LOG_T_BOOL:
        put_str(l, kv->i ? "true" : "false");
        break;
    case LOG_T_WHO:
    case LOG_T_CLAIM:
        put_who(l, kv, style);
        break;
    }
}

static void put_head(struct log_line *l, const struct log_style *style, int64_t utc_ms, const char *event)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    bool json = style->format == LOG_JSON;

    put_str(l, json ? "{\"time\":\"" : "");
    put_utc(l, utc_ms);
    put_str(l, json ? "\",\"level\":\"" : " level=");
    put_str(l, levels[style->level]);
    put_str(l, json ? "\",\"event\":\"" : " event=");
    put(l, slice_sub(slice_str(event), 0, LOG_VALUE_MAX_N));
    put_str(l, json ? "\"" : "");
}

void log_line_print(struct log_line *out, const struct log_style *style, int64_t utc_ms, const char *event,
                    const struct log_kv *kv)
{
    bool json = style->format == LOG_JSON;

    out->n = 0;
    put_head(out, style, utc_ms, event);
    for (; kv->key; kv++) {
        size_t before = out->n;

        put_pair(out, kv, style);
        if (out->n > sizeof out->p - TAIL_N) {
            out->n = before;
            put_key(out, "cut", style->format);
            put_str(out, "true");
            break;
        }
    }
    put_str(out, json ? "}\n" : "\n");
}
