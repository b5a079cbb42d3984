/* Session initiation: the content that asks a terminal to connect to the gateway (application/vnd.wap.sia), sent as a
 * connectionless push when the gateway cannot connect itself.  Printing for our contact points; reading for the kit
 * and for tests.  Who sends one, and when, is decided elsewhere.
 * Specification: WAP-235-PushOTA, session initiation; [OTA-HTTP §9.1].  Any thread. */
#ifndef OTA_SIA_H
#define OTA_SIA_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define OTA_SIA_TYPE         "application/vnd.wap.sia"
#define OTA_SIA_APP          "x-wap-application:push.sia"
#define OTA_SIA_APPS_MAX     16
#define OTA_SIA_CONTACTS_MAX 8
#define OTA_SIA_TAG_N        4
#define OTA_SIA_MAX_N        4096 /* octets of a whole SIA */

enum ota_sia_bearer { OTA_SIA_IPV4 = 0x00, OTA_SIA_IPV6 = 0x01, OTA_SIA_GPRS = 0x0B };

/* Where to connect over TCP. */
struct ota_sia_contact {
    uint8_t bearer; /* WDP bearer type */
    bool with_bearer;
    uint16_t port;        /* 0: the bearer's default */
    struct slice address; /* 4 or 16 octets, or the address as text */
    bool with_tag;        /* the terminal's CPITag, when its capabilities are known */
    uint8_t tag[OTA_SIA_TAG_N];
};

struct ota_sia {
    uint8_t version; /* 0 or 1; 1 is printed */
    struct slice apps[OTA_SIA_APPS_MAX];
    size_t apps_n;
    size_t wsp_n; /* octets of contact points over WSP; read only, none are printed */
    struct ota_sia_contact contacts[OTA_SIA_CONTACTS_MAX];
    size_t contacts_n;
    struct slice prov_url; /* may be empty */
};

/* The raw octets of a CPITag as it stands in a header: base64 of four octets.  False: it is another text, and the SIA
 * goes without. */
bool ota_sia_tag(struct slice cpi_tag, uint8_t out[OTA_SIA_TAG_N]);

/* Appends the content.  ERR_LIMIT: more than the ceilings; ERR_MALFORMED: an address of no or more than 63 octets, an
 * application id that is none; ERR_NOMEM. */
enum err ota_sia_print(const struct ota_sia *sia, struct buf *out) MUST_USE;
/* Views into `in`, registered application ids as static text; those of no registered number are left out.
 * ERR_MALFORMED, ERR_LIMIT, ERR_UNSUPPORTED: another version. */
enum err ota_sia_parse(struct slice in, struct ota_sia *out) MUST_USE;

#endif
