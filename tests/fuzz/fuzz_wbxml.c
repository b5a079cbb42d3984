/* Any octets as a textual SI, SL or CO; the first octet chooses the type.  What is accepted is WBXML to a plain
 * reader, and the text that this one makes of it gives the same octets again. */
#include <stdint.h>
#include "base/buf.h"
#include "ota/wbxml.h"
#include "ota/wbxml_tables.h"

#define OUT_MAX_N ((size_t)4 * OTA_WBXML_TEXT_MAX_N)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const types[] = {
    "text/vnd.wap.si",
    "text/vnd.wap.sl",
    "text/vnd.wap.co",
    "text/vnd.wap.si; charset=iso-8859-1",
};

struct reader {
    const struct ota_wbxml_vocab *vocab;
    const uint8_t *p, *end;
    struct buf *xml;
};

static uint8_t next(struct reader *r)
{
    MUST(r->p < r->end);
    return *r->p++;
}

/* As character references, so that nothing in it means anything to XML. */
static void escaped(struct reader *r, const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == '<' || *s == '>' || *s == '&' || *s == '\'' || *s == '"')
            buf_addf(r->xml, "&#%d;", *s);
        else
            buf_add_ch(r->xml, *s);
}

static void string(struct reader *r)
{
    struct slice left = slice_of(r->p, (size_t)(r->end - r->p));
    size_t n = slice_find(left, '\0');

    MUST(n != SIZE_MAX && n > 0);
    escaped(r, left.p);
    r->p += n + 1;
}

static void date(struct reader *r)
{
    unsigned part[7] = {0};
    size_t n = next(r);

    MUST(n >= 4 && n <= 7);
    for (size_t i = 0; i < n; i++) {
        uint8_t bcd = next(r);

        MUST(bcd >> 4 <= 9 && (bcd & 15) <= 9);
        part[i] = (bcd >> 4) * 10u + (bcd & 15u);
    }
    MUST(part[n - 1] != 0);
    buf_addf(r->xml, "%02u%02u-%02u-%02uT%02u:%02u:%02uZ", part[0], part[1], part[2], part[3], part[4],
             part[5], part[6]);
}

static const char *value_text(uint8_t token)
{
    static const char *const rows[] = {".com/", ".edu/", ".net/", ".org/"};

    MUST(token >= 0x85 && token <= 0x88);
    return rows[token - 0x85];
}

/* Up to and with the END behind the attributes. */
static void attributes(struct reader *r, const struct ota_wbxml_elem *e)
{
    while (*r->p != 0x01) {
        uint8_t token = next(r);
        size_t i = 0;

        while (i < e->attrs_n && e->attrs[i].token != token)
            i++;
        MUST(i < e->attrs_n);
        buf_addf(r->xml, " %s='%s", e->attrs[i].name, e->attrs[i].value);
        for (MUST(r->p < r->end); *r->p == 0x03 || *r->p >= 0x80; MUST(r->p < r->end)) {
            token = next(r);
            if (token == 0x03)
                string(r);
            else if (token == 0xC3)
                date(r);
            else
                buf_add_str(r->xml, value_text(token));
        }
        buf_add_ch(r->xml, '\'');
    }
    r->p++;
}

static void element(struct reader *r)
{
    uint8_t tag = next(r);
    const struct ota_wbxml_elem *e = NULL;

    for (size_t i = 0; i < r->vocab->elems_n; i++)
        if (r->vocab->elems[i].token == (tag & 0x3F))
            e = &r->vocab->elems[i];
    MUST(e != NULL);
    buf_addf(r->xml, "<%s", e->name);
    if (tag & 0x80)
        attributes(r, e);
    buf_add_ch(r->xml, '>');
    if (tag & 0x40) {
        while (MUST(r->p < r->end), *r->p != 0x01)
            if (*r->p == 0x03) {
                r->p++;
                string(r);
            } else {
                element(r);
            }
        r->p++;
    }
    buf_addf(r->xml, "</%s>", e->name);
}

static void again(const char *type, const struct buf *first)
{
    struct buf xml, second;
    struct reader r = {ota_wbxml_vocab_find(slice_str(type)), (const uint8_t *)first->p,
                       (const uint8_t *)first->p + first->n, &xml};

    buf_init(&xml, OUT_MAX_N);
    buf_init(&second, OUT_MAX_N);
    buf_add_str(&xml, "<?xml version='1.0' encoding='utf-8'?>");
    MUST(next(&r) == 0x02 && next(&r) == r.vocab->public_id && next(&r) == 0x6A && next(&r) == 0);
    element(&r);
    MUST(r.p == r.end && buf_err(&xml) == ERR_OK);
    if (xml.n <= OTA_WBXML_TEXT_MAX_N) { /* references and end tags make a document longer */
        MUST(ota_wbxml_from_text(slice_str(type), buf_slice(&xml), &second) == ERR_OK);
        MUST(slice_eq(buf_slice(first), buf_slice(&second)));
    }
    buf_clear(&xml);
    buf_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *type;
    struct buf out;
    enum err e;

    if (n == 0)
        return 0;
    type = types[data[0] % (sizeof types / sizeof types[0])];
    buf_init(&out, OUT_MAX_N);
    e = ota_wbxml_from_text(slice_str(type), slice_of(data + 1, n - 1), &out);
    if (e == ERR_OK)
        again(type, &out);
    else
        MUST(e == ERR_MALFORMED || e == ERR_UNSUPPORTED || e == ERR_LIMIT);
    buf_clear(&out);
    return 0;
}
