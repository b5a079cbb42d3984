/* A push message as text: header lines, an empty line, content; alone (sealed or direct) or inside an HTTP
 * response message.  Views only.  [PAP §9], [OTA-HTTP §7.1].  Any thread. */
#ifndef OTA_TERMINAL_ENTITY_H
#define OTA_TERMINAL_ENTITY_H

#include "base/err.h"
#include "base/slice.h"
#include "ota/headers.h"

#define KIT_MESSAGE_ID_MAX_N 128 /* octets */
#define KIT_HEADERS_MAX      64

struct kit_entity {
    struct slice headers; /* lines ending in CRLF */
    struct slice body;
    struct slice content_type;
    struct slice message_id; /* visible characters; n 0: none */
    struct slice app_id;     /* the default application when the message names none */
    struct slice initiator_uri;
    struct ota_push_info info; /* what the message says of itself: count it only where it is protected */
};

/* headers = *line, body apart.  ERR_MALFORMED: a line, a header that may stand once stands twice, a
 * Content-Length that is not the body's, a bad id.  ERR_LIMIT. */
enum err kit_entity_read(struct slice headers, struct slice body, struct kit_entity *out) MUST_USE;
/* entity = *line CRLF body.  As above. */
enum err kit_entity_parse(struct slice in, struct kit_entity *out) MUST_USE;
/* "HTTP/1.x 2xx" CRLF entity.  As above. */
enum err kit_entity_parse_response(struct slice in, struct kit_entity *out) MUST_USE;

#endif
