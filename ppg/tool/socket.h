/* One request to a running gateway over its UNIX socket (ppg/admin/admin.h), waited for.  For ppgctl.  One thread. */
#ifndef PPG_TOOL_SOCKET_H
#define PPG_TOOL_SOCKET_H

#include "ppg/tool/tool.h"

struct tool_socket {
    const char *path;   /* of the socket */
    const char *method; /* GET, POST */
    struct slice target;
    struct slice body;  /* JSON; empty: none */
    int64_t timeout_ms; /* for everything together */
};

/* Any HTTP answer is ERR_OK: its status, its body appended to *body.  ERR_PEER with why[]: there was none. */
enum err tool_socket(const struct tool_socket *in, unsigned *status, struct buf *body,
                     char why[TOOL_WHY_N]) MUST_USE;

#endif
