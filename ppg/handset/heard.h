/* An answer of a server, as the kit's library reads them.  One thread. */
#ifndef PPG_HANDSET_HEARD_H
#define PPG_HANDSET_HEARD_H

#include "base/net/http1.h"
#include "ota/terminal/login.h"

#define TOOL_HEARD_HEADERS_MAX 64 /* of an answer; more are not looked at */

struct tool_heard {
    struct kit_heard answer; /* borrows from the message and from below: stays where it is */
    struct kit_header headers[TOOL_HEARD_HEADERS_MAX];
};
void tool_heard(const struct net_http_msg *m, struct tool_heard *out);
/* What a login makes of it; as kit_login_heard. */
enum kit_login_word tool_login_heard(struct kit_login *l, const struct net_http_msg *m);

#endif
