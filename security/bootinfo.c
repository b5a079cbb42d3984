/* BootstrappingInfo with libxml2's writer; see bootinfo.h. */
#include "security/bootinfo.h"

#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <time.h>
#include "base/mem.h"

#define SPACE        "uri:3gpp-gba"
#define TIME_N       sizeof "2026-01-31T12:00:00Z"
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
