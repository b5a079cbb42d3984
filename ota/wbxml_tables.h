/* The vocabularies of SI 1.0, SL 1.0 and CO 1.0 as data: what stands where, and its token.  No parsing; that is
 * ota/wbxml.c.
 * Specification: [PAP §9.2] for the grammars of SI and SL, [OTA-HTTP §9.4] for their tokens.  Any thread. */
#ifndef OTA_WBXML_TABLES_H
#define OTA_WBXML_TABLES_H

#include "base/slice.h"

enum ota_wbxml_attr_type {
    OTA_WBXML_TEXT, /* any characters */
    OTA_WBXML_NAME, /* a name token (XML 1.0 §2.3) */
    OTA_WBXML_DATE, /* YYYY-MM-DDThh:mm:ssZ */
    OTA_WBXML_WORD  /* one of the values of its rows */
};

/* One attribute start token.  An attribute has several rows when some values begin with a token of their own. */
struct ota_wbxml_attr {
    const char *name;
    enum ota_wbxml_attr_type type; /* the same in all rows of a name */
    const char *value;             /* what the token says of the value: all of a word, else how it begins */
    uint8_t token;
};

enum ota_wbxml_content { OTA_WBXML_EMPTY, OTA_WBXML_PCDATA, OTA_WBXML_ELEMENTS /* at least one */ };

struct ota_wbxml_elem {
    const char *name;
    uint8_t token;
    uint8_t parent; /* token of the element it stands in; 0: it is the root */
    uint8_t after;  /* token of the sibling just before it; 0: it comes first */
    bool many;      /* any number, behind any sibling */
    enum ota_wbxml_content content;
    const struct ota_wbxml_attr *attrs;
    size_t attrs_n;
    const char *required; /* the attribute that may not be missing, or NULL */
};

#define OTA_WBXML_DEPTH_MAX 3 /* of the grammars: si, info, item */

struct ota_wbxml_vocab {
    struct slice textual;
    struct slice tokenised;
    uint8_t public_id;
    const struct ota_wbxml_elem *elems; /* the root first */
    size_t elems_n;
};

/* By the textual media type, parameters ignored; NULL when there is none.  Static storage. */
const struct ota_wbxml_vocab *ota_wbxml_vocab_find(struct slice content_type);

/* The attribute value token at the start of s, the octets it stands for in *n; 0 when there is none. */
uint8_t ota_wbxml_value_token(struct slice s, size_t *n);

#endif
