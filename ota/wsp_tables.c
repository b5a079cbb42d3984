/* The assigned numbers, see ota/wsp_tables.h.  Rows, and looking them up.  Any thread. */
#include "ota/wsp_tables.h"

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

/* WAP-230-WSP table 39.  The newest code of a name first: a row further down is only read. */
static const struct ota_wsp_header headers[] = {
    {"Content-Encoding", 0x0B, OTA_WSP_CODING},
    {"Content-Language", 0x0C, OTA_WSP_TEXT},
    {"Content-Length", 0x0D, OTA_WSP_INTEGER},
    {"Content-Location", 0x0E, OTA_WSP_TEXT},
    {"Date", 0x12, OTA_WSP_DATE},
    {"Etag", 0x13, OTA_WSP_TEXT},
    {"Expires", 0x14, OTA_WSP_DATE},
    {"From", 0x15, OTA_WSP_TEXT},
    {"Last-Modified", 0x1D, OTA_WSP_DATE},
    {"Location", 0x1C, OTA_WSP_TEXT},
    {"Server", 0x26, OTA_WSP_TEXT},
    {"X-Wap-Application-Id", 0x2F, OTA_WSP_APP_ID},
    {"X-Wap-Content-URI", 0x30, OTA_WSP_TEXT},
    {"X-Wap-Initiator-URI", 0x31, OTA_WSP_TEXT},
    {"X-Wap-Push-Info", 0x34, OTA_WSP_FLAGS}, /* Push-Flag; the words are those of OTA-HTTP */
    {"Profile", 0x35, OTA_WSP_TEXT},
    {"Content-ID", 0x40, OTA_WSP_QUOTED},
    {"Cache-Control", 0x47, OTA_WSP_CACHE},
    {"Cache-Control", 0x3D, OTA_WSP_CACHE},
    {"Cache-Control", 0x08, OTA_WSP_CACHE},
};

const struct ota_wsp_header *ota_wsp_header_named(struct slice name)
{
    for (size_t i = 0; i < ROWS(headers); i++)
        if (slice_eq_ci(name, slice_str(headers[i].name)))
            return &headers[i];
    return NULL;
}

const struct ota_wsp_header *ota_wsp_header_coded(uint8_t code)
{
    for (size_t i = 0; i < ROWS(headers); i++)
        if (headers[i].code == code)
            return &headers[i];
    return NULL;
}

struct numbered {
    const char *name;
    uint16_t number;
};

static int32_t number_of(const struct numbered *rows, size_t n, struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq_ci(name, slice_str(rows[i].name)))
            return rows[i].number;
    return -1;
}

static struct slice name_of(const struct numbered *rows, size_t n, uint32_t number)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].number == number)
            return slice_str(rows[i].name);
    return SLICE_NONE;
}

/* WAP-230-WSP table 40, and what OMNA registered behind it. */
static const struct numbered types[] = {
    {"*/*", 0x00},
    {"text/*", 0x01},
    {"text/html", 0x02},
    {"text/plain", 0x03},
    {"text/x-hdml", 0x04},
    {"text/x-ttml", 0x05},
    {"text/x-vCalendar", 0x06},
    {"text/x-vCard", 0x07},
    {"text/vnd.wap.wml", 0x08},
    {"text/vnd.wap.wmlscript", 0x09},
    {"text/vnd.wap.wta-event", 0x0A},
    {"multipart/*", 0x0B},
    {"multipart/mixed", 0x0C},
    {"multipart/form-data", 0x0D},
    {"multipart/byteranges", 0x0E},
    {"multipart/alternative", 0x0F},
    {"application/*", 0x10},
    {"application/java-vm", 0x11},
    {"application/x-www-form-urlencoded", 0x12},
    {"application/x-hdmlc", 0x13},
    {"application/vnd.wap.wmlc", 0x14},
    {"application/vnd.wap.wmlscriptc", 0x15},
    {"application/vnd.wap.wta-eventc", 0x16},
    {"application/vnd.wap.uaprof", 0x17},
    {"application/vnd.wap.wtls-ca-certificate", 0x18},
    {"application/vnd.wap.wtls-user-certificate", 0x19},
    {"application/x-x509-ca-cert", 0x1A},
    {"application/x-x509-user-cert", 0x1B},
    {"image/*", 0x1C},
    {"image/gif", 0x1D},
    {"image/jpeg", 0x1E},
    {"image/tiff", 0x1F},
    {"image/png", 0x20},
    {"image/vnd.wap.wbmp", 0x21},
    {"application/vnd.wap.multipart.*", 0x22},
    {"application/vnd.wap.multipart.mixed", 0x23},
    {"application/vnd.wap.multipart.form-data", 0x24},
    {"application/vnd.wap.multipart.byteranges", 0x25},
    {"application/vnd.wap.multipart.alternative", 0x26},
    {"application/xml", 0x27},
    {"text/xml", 0x28},
    {"application/vnd.wap.wbxml", 0x29},
    {"application/x-x968-cross-cert", 0x2A},
    {"application/x-x968-ca-cert", 0x2B},
    {"application/x-x968-user-cert", 0x2C},
    {"text/vnd.wap.si", 0x2D},
    {"application/vnd.wap.sic", 0x2E},
    {"text/vnd.wap.sl", 0x2F},
    {"application/vnd.wap.slc", 0x30},
    {"text/vnd.wap.co", 0x31},
    {"application/vnd.wap.coc", 0x32},
    {"application/vnd.wap.multipart.related", 0x33},
    {"application/vnd.wap.sia", 0x34},
    {"text/vnd.wap.connectivity-xml", 0x35},
    {"application/vnd.wap.connectivity-wbxml", 0x36},
    {"application/pkcs7-mime", 0x37},
    {"application/vnd.wap.hashed-certificate", 0x38},
    {"application/vnd.wap.signed-certificate", 0x39},
    {"application/vnd.wap.cert-response", 0x3A},
    {"application/xhtml+xml", 0x3B},
    {"application/wml+xml", 0x3C},
    {"text/css", 0x3D},
    {"application/vnd.wap.mms-message", 0x3E},
    {"application/vnd.wap.rollover-certificate", 0x3F},
    {"application/vnd.wap.locc+wbxml", 0x40},
    {"application/vnd.wap.loc+xml", 0x41},
    {"application/vnd.syncml.dm+wbxml", 0x42},
    {"application/vnd.syncml.dm+xml", 0x43},
    {"application/vnd.syncml.notification", 0x44},
    {"application/vnd.wap.xhtml+xml", 0x45},
    {"application/vnd.wv.csp.cir", 0x46},
    {"application/vnd.oma.dd+xml", 0x47},
    {"application/vnd.oma.drm.message", 0x48},
    {"application/vnd.oma.drm.content", 0x49},
    {"application/vnd.oma.drm.rights+xml", 0x4A},
    {"application/vnd.oma.drm.rights+wbxml", 0x4B},
    {"application/vnd.wv.csp+xml", 0x4C},
    {"application/vnd.wv.csp+wbxml", 0x4D},
    {"application/vnd.syncml.ds.notification", 0x4E},
    {"audio/*", 0x4F},
    {"video/*", 0x50},
    {"application/vnd.oma.dd2+xml", 0x51},
    {"application/mikey", 0x52},
    {"application/vnd.wap.emn+wbxml", 0x030A},
};

int32_t ota_wsp_type_number(struct slice type)
{
    return number_of(types, ROWS(types), type);
}

struct slice ota_wsp_type_name(uint32_t number)
{
    return name_of(types, ROWS(types), number);
}

/* IANA MIBenum; the preferred MIME name is printed, so it stands before its aliases. */
static const struct numbered charsets[] = {
    {"us-ascii", 3},
    {"iso-8859-1", 4},
    {"iso-8859-2", 5},
    {"iso-8859-3", 6},
    {"iso-8859-4", 7},
    {"iso-8859-5", 8},
    {"iso-8859-6", 9},
    {"iso-8859-7", 10},
    {"iso-8859-8", 11},
    {"iso-8859-9", 12},
    {"iso-8859-10", 13},
    {"shift_jis", 17},
    {"euc-jp", 18},
    {"euc-kr", 38},
    {"iso-8859-15", 111},
    {"utf-8", 106},
    {"iso-10646-ucs-2", 1000},
    {"utf-16be", 1013},
    {"utf-16le", 1014},
    {"utf-16", 1015},
    {"gb2312", 2025},
    {"big5", 2026},
    {"koi8-r", 2084},
    {"windows-1252", 2252},
};

int32_t ota_wsp_charset_number(struct slice charset)
{
    return number_of(charsets, ROWS(charsets), charset);
}

struct slice ota_wsp_charset_name(uint32_t number)
{
    return name_of(charsets, ROWS(charsets), number);
}

/* WAP-230-WSP §8.4.2.23 */
const struct ota_wsp_token ota_wsp_codings[] = {
    {"gzip", 0x00}, {"compress", 0x01}, {"deflate", 0x02}, {NULL, 0}};

/* WAP-230-WSP §8.4.2.15: codes of version 1.4 */
const struct ota_wsp_token ota_wsp_cache_tokens[] = {
    {"no-cache", 0x00},        {"no-store", 0x01},         {"only-if-cached", 0x05},
    {"public", 0x06},          {"private", 0x07},          {"no-transform", 0x08},
    {"must-revalidate", 0x09}, {"proxy-revalidate", 0x0A}, {NULL, 0}};

/* WAP-230-WSP table 38, of those with text; two numbers where the form changed between versions. */
const struct ota_wsp_token ota_wsp_parameters[] = {
    {"name", 0x17},  {"name", 0x05},       {"filename", 0x18},   {"filename", 0x06}, {"start", 0x19},
    {"start", 0x0A}, {"start-info", 0x1A}, {"start-info", 0x0B}, {"path", 0x1D},     {"creator", 0x0C},
    {NULL, 0}};

int32_t ota_wsp_token_number(const struct ota_wsp_token *rows, struct slice text)
{
    for (; rows->text; rows++)
        if (slice_eq_ci(text, slice_str(rows->text)))
            return rows->number;
    return -1;
}

struct slice ota_wsp_token_text(const struct ota_wsp_token *rows, uint32_t number)
{
    for (; rows->text; rows++)
        if (rows->number == number)
            return slice_str(rows->text);
    return SLICE_NONE;
}
