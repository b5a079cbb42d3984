/* What everything that lives on a loop needs.  Outlives all of it. */
#ifndef BASE_NET_ENV_H
#define BASE_NET_ENV_H

#include <uv.h>
#include "base/clk.h"
#include "base/log.h"
#include "base/slice.h"

struct net_tls_key_name;
struct net_tls_wait;
struct net_hub; /* hub.h: deferred work, timers and buffers of the loop */

struct net_env {
    uv_loop_t *loop;
    const struct clk *clk;
    struct log *log;
    struct net_hub *hub; /* made by net_hub_create; needed by all but UDP */
    /* Where handshakes from that address ask for shared keys that are far away (net_tls_key_question): w is put in a list
     * and answered, now or later.  NULL: nowhere, such handshakes fail. */
    void (*key)(const struct net_tls_key_name *name, struct slice peer_ip, struct net_tls_wait *w, void *arg);
    void *key_arg;
};

#endif
