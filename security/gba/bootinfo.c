/* BootstrappingInfo with libxml2's writer and its SAX2 parser; see bootinfo.h.  There is no tree, and nothing is fetched. */
#include "security/gba/bootinfo.h"

#include <libxml/parser.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <time.h>
#include "base/codec.h"
#include "base/mem.h"
#include "base/xml/sax.h"

#define SPACE        "uri:3gpp-gba"
#define TIME_N       sizeof "2026-01-31T12:00:00Z"
#define DEPTH_MAX    8u
#define TEXT_MAX_N   512u /* octets of an element */
#define YEAR_10000_S INT64_C(253402300800)

static const xmlChar *xml(const char *text)
{
    return (const xmlChar *)text;
}

static enum err time_print(int64_t utc_s, char text[TIME_N])
{
    time_t t = (time_t)utc_s;
    struct tm tm;

    if (utc_s < 0 || utc_s >= YEAR_10000_S || !gmtime_r(&t, &tm) ||
        strftime(text, TIME_N, "%Y-%m-%dT%H:%M:%SZ", &tm) != TIME_N - 1)
        return ERR_LIMIT;
    return ERR_OK;
}

/* Order and names: annex C.  Any step's failure shows in the sum. */
static enum err document(xmlTextWriterPtr w, const char *btid, const char *expires, const char *now)
{
    bool bad = xmlTextWriterStartDocument(w, NULL, "UTF-8", NULL) < 0;

    bad = bad || xmlTextWriterStartElement(w, xml("BootstrappingInfo")) < 0;
    bad = bad || xmlTextWriterWriteAttribute(w, xml("xmlns"), xml(SPACE)) < 0;
    bad = bad || xmlTextWriterWriteElement(w, xml("btid"), xml(btid)) < 0;
    bad = bad || xmlTextWriterWriteElement(w, xml("lifetime"), xml(expires)) < 0;
    bad = bad || xmlTextWriterStartElement(w, xml("Extension")) < 0;
    bad = bad || xmlTextWriterWriteElement(w, xml("currenttime"), xml(now)) < 0;
    bad = bad || xmlTextWriterEndDocument(w) < 0;
    return bad ? ERR_NOMEM : ERR_OK;
}

static enum err print(const char *btid, const char *expires, const char *now, struct buf *out)
{
    xmlBufferPtr text = xmlBufferCreate();
    xmlTextWriterPtr w = text ? xmlNewTextWriterMemory(text, 0) : NULL;
    enum err e = w ? document(w, btid, expires, now) : ERR_NOMEM;

    if (w)
        xmlFreeTextWriter(w); /* what it still held is in text then */
    if (!e)
        buf_add(out, slice_of(xmlBufferContent(text), (size_t)xmlBufferLength(text)));
    if (text)
        xmlBufferFree(text);
    return e ? e : buf_err(out);
}

enum err sec_bootinfo_print(struct slice btid, int64_t expires_s, int64_t now_s, struct buf *out)
{
    char expires[TIME_N], now[TIME_N];
    char *id = mem_dup(btid);
    enum err e = id ? time_print(expires_s, expires) : ERR_NOMEM;

    if (!e)
        e = time_print(now_s, now);
    if (!e)
        e = print(id, expires, now, out);
    free(id);
    return e;
}

/* --- reading --- */

enum element { OTHER, BTID, LIFETIME };

struct reader {
    unsigned depth;    /* of what is open; 1: the document's own element */
    enum element open; /* of depth 2 */
    struct buf text;   /* in it */
    struct sec_bootinfo info;
    unsigned seen; /* bit of each element */
    enum err err;
};

static void refuse(struct reader *r, enum err e)
{
    if (!r->err)
        r->err = e;
}

/* Names of annex C; those inside Extension, and any other, are passed over. */
static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *space,
                     int spaces_n, const xmlChar **spaces, int n, int defaulted, const xmlChar **attributes)
{
    struct reader *r = arg;
    struct slice is = slice_str((const char *)name);
    bool ours = space && slice_eq(slice_str((const char *)space), SLICE(SPACE));

    (void)prefix, (void)spaces_n, (void)spaces, (void)n, (void)defaulted, (void)attributes;
    if (++r->depth > DEPTH_MAX)
        refuse(r, ERR_LIMIT);
    if (r->depth == 1 && !(ours && slice_eq(is, SLICE("BootstrappingInfo"))))
        refuse(r, ERR_MALFORMED);
    if (r->depth != 2)
        return;
    r->open = !ours                             ? OTHER
              : slice_eq(is, SLICE("btid"))     ? BTID
              : slice_eq(is, SLICE("lifetime")) ? LIFETIME
                                                : OTHER;
    if (r->open != OTHER && r->seen >> r->open & 1)
        refuse(r, ERR_MALFORMED);
    r->seen |= 1u << r->open;
    buf_reset(&r->text, TEXT_MAX_N);
}

static void take_btid(struct reader *r, struct slice text)
{
    if (!text.n || text.n > sizeof r->info.btid) {
        refuse(r, ERR_MALFORMED);
        return;
    }
    mem_copy(r->info.btid, sizeof r->info.btid, text);
    r->info.btid_n = text.n;
}

static void take_lifetime(struct reader *r, struct slice text)
{
    struct tm tm = {.tm_year = 0};
    char copy[TIME_N];
    const char *end = mem_cstr(copy, sizeof copy, text) ? NULL : strptime(copy, "%Y-%m-%dT%H:%M:%SZ", &tm);

    if (end && !*end)
        r->info.expires_s = timegm(&tm);
    else
        refuse(r, ERR_MALFORMED);
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *space)
{
    struct reader *r = arg;
    struct slice text = slice_trim(buf_slice(&r->text));

    (void)name, (void)prefix, (void)space;
    if (r->depth-- != 2 || r->err)
        return;
    if (buf_err(&r->text))
        refuse(r, buf_err(&r->text));
    else if (r->open == BTID)
        take_btid(r, text);
    else if (r->open == LIFETIME)
        take_lifetime(r, text);
    r->open = OTHER;
}

static void on_text(void *arg, const xmlChar *text, int n)
{
    struct reader *r = arg;

    if (r->depth == 2 && r->open != OTHER)
        buf_add(&r->text, slice_of(text, (size_t)n));
}

static void run(struct reader *r, struct slice xml)
{
    const xmlSAXHandler sax = {.startElementNs = on_start, .endElementNs = on_end, .characters = on_text};
    enum err e = xml_sax_run(&sax, r, xml, NULL);

    if (e)
        refuse(r, e);
}

enum err sec_bootinfo_parse(struct slice xml, struct sec_bootinfo *out)
{
    struct reader r = {.depth = 0};

    if (xml.n > SEC_BOOTINFO_MAX_N)
        return ERR_LIMIT;
    if (!xml.n || !codec_is_utf8(xml) || slice_find_slice(xml, SLICE("<!")) < xml.n)
        return ERR_MALFORMED;
    buf_init(&r.text, TEXT_MAX_N);
    run(&r, xml);
    buf_clear(&r.text);
    if (!r.err && (r.seen & (1u << BTID | 1u << LIFETIME)) != (1u << BTID | 1u << LIFETIME))
        r.err = ERR_MALFORMED;
    if (!r.err)
        *out = r.info;
    return r.err;
}
