/* The assigned numbers of WSP as data: media types, header names, charsets and the tokens of some values.  No coding;
 * that is ota/wsp_print.c and ota/wsp_parse.c.
 * Specification: WAP-230-WSP appendix A, tables 36 to 42; [OTA-HTTP §9.2]; charsets: IANA MIBenum.  Any thread. */
#ifndef OTA_WSP_TABLES_H
#define OTA_WSP_TABLES_H

#include "base/slice.h"

/* What stands behind the name of a header (WAP-230-WSP §8.4.2). */
enum ota_wsp_kind {
    OTA_WSP_TEXT,    /* Text-string, Uri-value, Token-text */
    OTA_WSP_QUOTED,  /* Quoted-string */
    OTA_WSP_INTEGER, /* Integer-value */
    OTA_WSP_DATE,    /* Long-integer, seconds since 1970 */
    OTA_WSP_CODING,  /* a token of ota_wsp_codings, or text */
    OTA_WSP_CACHE,   /* a token of ota_wsp_cache_tokens, or text */
    OTA_WSP_APP_ID,  /* Integer-value of a registered application, or text */
    OTA_WSP_FLAGS    /* Short-integer of Push-Flag bits */
};

struct ota_wsp_header {
    const char *name;
    uint8_t code; /* 7 bits; of code page 1 */
    enum ota_wsp_kind kind;
};
/* The row of a header of a push message; NULL: it travels by its name.  Of two codes of a name the newest is found by
 * name, both by code. */
const struct ota_wsp_header *ota_wsp_header_named(struct slice name);
const struct ota_wsp_header *ota_wsp_header_coded(uint8_t code);

/* Numbers: -1 when there is none; names: static text, "" when there is none.  Names are compared without case. */
int32_t ota_wsp_type_number(struct slice type);
struct slice ota_wsp_type_name(uint32_t number);
int32_t ota_wsp_charset_number(struct slice charset);
struct slice ota_wsp_charset_name(uint32_t number);

/* One word of a value that has a number of its own. */
struct ota_wsp_token {
    const char *text; /* NULL ends the table */
    uint8_t number;   /* 7 bits */
};
extern const struct ota_wsp_token ota_wsp_codings[];      /* Content-Encoding */
extern const struct ota_wsp_token ota_wsp_cache_tokens[]; /* directives without arguments */
/* Well-known parameters of a media type whose value is text; read only. */
extern const struct ota_wsp_token ota_wsp_parameters[];
#define OTA_WSP_PARAMETER_CHARSET 0x01 /* its value is a number */

int32_t ota_wsp_token_number(const struct ota_wsp_token *rows, struct slice text);
struct slice ota_wsp_token_text(const struct ota_wsp_token *rows, uint32_t number);

#endif
