/* Rules of a push-message that span fields or need the time, in the order they are to be reported.  What needs
 * more than the message (rights, duplicates, routes, address syntax) is the gateway's business.
 * Specification: PAP (push-message).  Any thread. */
#ifndef PAP_CHECK_H
#define PAP_CHECK_H

#include "pap/message.h"

struct pap_check_limits {
    size_t push_id_max_n; /* octets of push-id and replace-push-id */
    size_t url_max_n;     /* octets of ppg-notify-requested-to */
    size_t name_max_n;    /* octets of network and bearer, which answers repeat */
    size_t addresses_max; /* recipients of one submission */
    bool confirmed;       /* some route can confirm delivery */
    bool replace;         /* replacing an earlier push is offered */
};

#define PAP_CHECK_LIMITS_DEFAULT ((struct pap_check_limits){255, 2048, 64, 1000, true, true})

struct pap_verdict {
    enum pap_code code; /* PAP_CODE_OK when every rule holds */
    const char *why;    /* static text; "" when OK */
};

/* First rule that fails decides.  now_s: UTC seconds. */
struct pap_verdict pap_check_push(const struct pap_push *push, const struct pap_check_limits *limits,
                                  int64_t now_s);

/* http or https with a host, printable, without userinfo and fragment. */
bool pap_check_url(struct slice url);

#endif
