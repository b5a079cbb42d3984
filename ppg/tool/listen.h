/* An initiator's ear: takes result notifications over HTTP until enough have come.  [PAP §3.4]; for pap-push.  Makes
 * a loop of its own for the call.  One thread. */
#ifndef PPG_TOOL_LISTEN_H
#define PPG_TOOL_LISTEN_H

#include "pap/message.h"
#include "ppg/tool/tool.h"

/* A notification as it came; borrowed. */
typedef void tool_heard_fn(const struct pap_notification *n, void *arg);
/* A request that is none; why is static or borrowed. */
typedef void tool_noise_fn(const char *why, void *arg);

struct tool_listen {
    const char *bind; /* ADDR:PORT or [ADDR]:PORT; port 0: the system chooses */
    const char *cert; /* files; NULL: clear */
    const char *key;
    const char *path;      /* others are answered 404 */
    uint64_t count;        /* notifications to take; 0: no end */
    int64_t timeout_ms;    /* 0: no end */
    const char *port_file; /* gets the port once it listens; NULL */
    unsigned answer;       /* PAP code of the answers */
    unsigned http_status;  /* of the answers; outside 2xx they have no body */
    tool_heard_fn *heard;
    tool_noise_fn *noise;
    void *arg;
};

/* TOOL_OK after count notifications, 1 at the timeout; otherwise an exit status and why[]. */
int tool_listen(const struct tool_listen *conf, char why[TOOL_WHY_N]);

#endif
