/* Tokens and grammars, see ota/wbxml_tables.h.  Rows only; how they are used is in ota/wbxml.c.
 * Specification: [PAP §9.2], [OTA-HTTP §9.4].  The type of `class`, and the numbers and the grammar of CO 1.0, are
 * those of Wireshark's WBXML dissector and of libwbxml 0.11.8, which agree.  Any thread. */
#include "ota/wbxml_tables.h"

#include "ota/headers.h"

#define ROWS(a) (a), sizeof(a) / sizeof((a)[0])

static const struct ota_wbxml_attr indication_attrs[] = {
    {"action", OTA_WBXML_WORD, "signal-none", 0x05},
    {"action", OTA_WBXML_WORD, "signal-low", 0x06},
    {"action", OTA_WBXML_WORD, "signal-medium", 0x07},
    {"action", OTA_WBXML_WORD, "signal-high", 0x08},
    {"action", OTA_WBXML_WORD, "delete", 0x09},
    {"created", OTA_WBXML_DATE, "", 0x0A},
    {"href", OTA_WBXML_TEXT, "", 0x0B},
    {"href", OTA_WBXML_TEXT, "http://", 0x0C},
    {"href", OTA_WBXML_TEXT, "http://www.", 0x0D},
    {"href", OTA_WBXML_TEXT, "https://", 0x0E},
    {"href", OTA_WBXML_TEXT, "https://www.", 0x0F},
    {"si-expires", OTA_WBXML_DATE, "", 0x10},
    {"si-id", OTA_WBXML_TEXT, "", 0x11},
};
static const struct ota_wbxml_attr item_attrs[] = {
    {"class", OTA_WBXML_NAME, "", 0x12},
};
/* si = indication info?; info = item+ */
static const struct ota_wbxml_elem si_elems[] = {
    {.name = "si", .token = 0x05, .content = OTA_WBXML_ELEMENTS},
    {"indication", 0x06, 0x05, 0, false, OTA_WBXML_PCDATA, ROWS(indication_attrs), NULL},
    {.name = "info", .token = 0x07, .parent = 0x05, .after = 0x06, .content = OTA_WBXML_ELEMENTS},
    {"item", 0x08, 0x07, 0, true, OTA_WBXML_PCDATA, ROWS(item_attrs), "class"},
};

static const struct ota_wbxml_attr sl_attrs[] = {
    {"action", OTA_WBXML_WORD, "execute-low", 0x05}, {"action", OTA_WBXML_WORD, "execute-high", 0x06},
    {"action", OTA_WBXML_WORD, "cache", 0x07},       {"href", OTA_WBXML_TEXT, "", 0x08},
    {"href", OTA_WBXML_TEXT, "http://", 0x09},       {"href", OTA_WBXML_TEXT, "http://www.", 0x0A},
    {"href", OTA_WBXML_TEXT, "https://", 0x0B},      {"href", OTA_WBXML_TEXT, "https://www.", 0x0C},
};
static const struct ota_wbxml_elem sl_elems[] = {
    {"sl", 0x05, 0, 0, false, OTA_WBXML_EMPTY, ROWS(sl_attrs), "href"},
};

static const struct ota_wbxml_attr invalidate_attrs[] = {
    {"uri", OTA_WBXML_TEXT, "", 0x05},
    {"uri", OTA_WBXML_TEXT, "http://", 0x06},
    {"uri", OTA_WBXML_TEXT, "http://www.", 0x07},
    {"uri", OTA_WBXML_TEXT, "https://", 0x08},
    {"uri", OTA_WBXML_TEXT, "https://www.", 0x09},
};
/* co = (invalidate-object | invalidate-service)+ */
static const struct ota_wbxml_elem co_elems[] = {
    {.name = "co", .token = 0x05, .content = OTA_WBXML_ELEMENTS},
    {"invalidate-object", 0x06, 0x05, 0, true, OTA_WBXML_EMPTY, ROWS(invalidate_attrs), "uri"},
    {"invalidate-service", 0x07, 0x05, 0, true, OTA_WBXML_EMPTY, ROWS(invalidate_attrs), "uri"},
};

const struct ota_wbxml_vocab *ota_wbxml_vocab_find(struct slice content_type)
{
    static const struct ota_wbxml_vocab rows[] = {
        {SLICE("text/vnd.wap.si"), SLICE("application/vnd.wap.sic"), 0x05, ROWS(si_elems)},
        {SLICE("text/vnd.wap.sl"), SLICE("application/vnd.wap.slc"), 0x06, ROWS(sl_elems)},
        {SLICE("text/vnd.wap.co"), SLICE("application/vnd.wap.coc"), 0x07, ROWS(co_elems)},
    };
    struct slice bare = ota_type_bare(content_type);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (slice_eq_ci(bare, rows[i].textual))
            return &rows[i];
    return NULL;
}

uint8_t ota_wbxml_value_token(struct slice s, size_t *n)
{
    static const struct {
        struct slice text;
        uint8_t token;
    } rows[] = {
        {SLICE(".com/"), 0x85},
        {SLICE(".edu/"), 0x86},
        {SLICE(".net/"), 0x87},
        {SLICE(".org/"), 0x88},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (slice_starts(s, rows[i].text)) {
            *n = rows[i].text.n;
            return rows[i].token;
        }
    return 0;
}
