/* What everything that lives on a loop needs.  Outlives all of it. */
#ifndef BASE_NET_ENV_H
#define BASE_NET_ENV_H

#include <uv.h>
#include "base/clk.h"
#include "base/log.h"

struct net_hub; /* hub.h: deferred work, timers and buffers of the loop */

struct net_env {
    uv_loop_t *loop;
    const struct clk *clk;
    struct log *log;
    struct net_hub *hub; /* made by net_hub_create; needed by all but UDP */
};

#endif
