/* Push message headers ([PAP §9]): what an initiator may set, what the gateway sets, and the trusted-initiator
 * flags.  Text in, text out; no allocation but the given buf. */
#ifndef OTA_HEADERS_H
#define OTA_HEADERS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct ota_push_info {
    bool authenticated;
    bool trusted;
    bool last;
};

/* One header line of a block of CRLF-ended lines; folded values are not allowed here.  False at the end;
 * ERR_MALFORMED is told through *bad. */
bool ota_header_next(struct slice *block, struct slice *name, struct slice *value, bool *bad);
/* First value of the name, SLICE_NONE when absent. */
struct slice ota_header_find(struct slice block, struct slice name);

/* How the header of a content entity is treated, from a const table. */
enum ota_header_rule {
    OTA_HEADER_PASS,    /* travels to the terminal */
    OTA_HEADER_GATEWAY, /* only the gateway sets it: stripped from initiators (Push-Flag, X-Wap-Push-*, ...) */
    OTA_HEADER_HOP,     /* never forwarded (Host, Connection, Authorization, ...) */
    OTA_HEADER_KNOWN,   /* read into the push: Content-Type, X-Wap-Application-Id, X-Wap-Initiator-URI, ... */
};
enum ota_header_rule ota_header_rule(struct slice name);

/* What goes over the air for one target, as header lines in *out, in a fixed order: Date, X-Push-Message-ID,
 * Content-Type, Content-Length, X-Wap-Application-Id (left out for the default application), X-Wap-Initiator-URI,
 * X-Oma-Verify, then the passed headers.  info is printed as X-Wap-Push-Info only where `with_info` (inside protected content). */
struct ota_message_head {
    int64_t date_s;
    struct slice message_id;
    struct slice content_type;
    size_t content_n;
    struct slice app_id; /* without app-encoding parameter; empty: default */
    struct slice initiator_uri;
    struct slice verify; /* OTA_VERIFY_HEADER; empty: none */
    struct slice passed; /* lines ending in CRLF */
    bool transformed;    /* the content is not the initiator's octets: what was said of those stays behind */
    struct ota_push_info info;
    bool with_info;
};
void ota_headers_print(const struct ota_message_head *h, struct buf *out);

/* The value of X-Wap-Push-Info; nothing when no flag is set.  Unknown tokens are ignored when it is read. */
void ota_push_info_print(const struct ota_push_info *info, struct buf *out);
struct ota_push_info ota_push_info_parse(struct slice value);

/* X-Push-Association: what a terminal answers to a sealed push about its association.  UNKNOWN: it has none of that name;
 * RESYNC: the numbers of its identity module and the network's do not meet, and where it stands (TS 33.102 §6.3.5);
 * CONFIRMED: it has the one that the push brought along, and shows it by a protected message of its own (GPL-A1 §6.2, return
 * channel), which says ota_sa_confirmation_print() of that push.  Nothing of what is refused for another reason is told.
 * Text: "unknown"; "resync rand=", 32 hexadecimal digits, ", auts=" and 28 of them; "confirmed; gpl=" and base64. */
#define OTA_SA_UPLINK_MAX_N 256 /* octets of that message */
enum ota_sa_word { OTA_SA_NOTHING, OTA_SA_UNKNOWN, OTA_SA_RESYNC, OTA_SA_CONFIRMED };
struct ota_sa_answer {
    enum ota_sa_word word;
    uint8_t rand[16];                    /* RAND, with RESYNC */
    uint8_t auts[14];                    /* AUTS, likewise */
    uint8_t uplink[OTA_SA_UPLINK_MAX_N]; /* the message, with CONFIRMED: uplink_n octets */
    size_t uplink_n;
};
#define OTA_SA_HEADER "X-Push-Association"
/* A MIME entity of one header and no content: which push it answers. */
void ota_sa_confirmation_print(struct slice message_id, struct buf *out);
void ota_sa_answer_print(const struct ota_sa_answer *a, struct buf *out); /* the value; not of NOTHING */
struct ota_sa_answer ota_sa_answer_parse(struct slice value);             /* NOTHING for any other text */

/* X-Oma-Verify: a token by which the terminal asks the gateway, over a channel of its own, whether this push is genuine
 * before it connects to where the push says. */
#define OTA_VERIFY_HEADER "X-Oma-Verify"

/* A media type without its parameters. */
struct slice ota_type_bare(struct slice type);
/* Is that a media type of XML documents?  RFC 7303 §8, and the textual formats of WAP. */
bool ota_type_is_xml(struct slice type);
/* Does an accept list ("text/plain, image/<star>", "*", the like) take the media type?  An empty list takes all. */
bool ota_accepts_type(struct slice list, struct slice type);
/* The same for application ids; an empty id is the default application.  Items may be registered numbers. */
bool ota_accepts_app(struct slice list, struct slice app_id);

/* X-Wap-Application-Id: strips ";app-encoding=..", "/" and empty count as absent; a registered number in place of the id
 * is the id, which is what goes on air over HTTP and SIP; *number is the registered or given code or -1.  ERR_MALFORMED, ERR_LIMIT (255 octets). */
enum err ota_app_id_parse(struct slice value, struct slice *uri, int32_t *number) MUST_USE;
#define OTA_APP_DEFAULT        "x-wap-application:wml.ua"
#define OTA_APP_ANY            "x-wap-application:*" /* in a list: every application */

#define OTA_TYPE_GPL_A1        "application/x-push-gpl-a1"
/* A message that is signed, or signed and encrypted, as XML: an EncryptedData, or a Signature around base64.  Inside is the entity as in
 * a seal, with a line more: when it was made, in seconds UTC, as there are no numbers that would show that it is new. */
#define OTA_TYPE_XML_ENCRYPTED "application/x-push-xmlenc+xml"
#define OTA_TYPE_XML_SIGNED    "application/x-push-xmldsig+xml"
#define OTA_XML_MADE_HEADER    "X-Push-Made"

#endif
