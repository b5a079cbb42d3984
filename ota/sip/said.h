/* What a message says of what its sender takes: methods in Allow, media types in Accept (RFC 3261 §11, §20.1, §20.5).  Any thread. */
#ifndef OTA_SIP_SAID_H
#define OTA_SIP_SAID_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define OTA_SIP_SAID_MAX_N 255 /* octets of Accept; of a longer one nothing is known */

struct osip_message;

/* Of the methods that matter to a push. */
struct ota_sip_methods {
    bool said;            /* it has listed its methods ... */
    bool message, invite; /* ... and these are among them */
};

/* Of a list like that in methods="..." of a Contact (RFC 3840); and of the Allow lines of a message. */
struct ota_sip_methods ota_sip_methods_of(struct slice list);
struct ota_sip_methods ota_sip_said_methods(const struct osip_message *m);
/* The media types of all Accept lines as one list without parameters, appended; nothing where there is none.  ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_said_accept(const struct osip_message *m, struct buf *out) MUST_USE;
/* Is a media type, perhaps with parameters, in such a list, by name or as one of a range?  An empty list says nothing: true. */
bool ota_sip_accepts(struct slice accept, struct slice type);

#endif
