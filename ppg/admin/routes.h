/* The operator's requests; which path leads to which is the table in admin.c.  Each answers its exchange once, at once or
 * when the store, the loops or the reload are done.  Loop 0. */
#ifndef PPG_ADMIN_ROUTES_H
#define PPG_ADMIN_ROUTES_H

#include "ppg/admin/ask.h"

struct ppg_admin {
    const struct net_env *env;
    struct ppg_admin_conf conf; /* socket is owned */
    struct net_gate *gate;
    struct net_httpd *httpd;
    int64_t started_ms; /* monotonic */
    int64_t started_s;  /* the same since 1970 */
    bool editing;       /* a change of a list is under way */
    void (*closed)(void *arg);
    void *closed_arg;
};

typedef void ppg_admin_route_fn(struct ppg_admin *a, struct net_http_exchange *x,
                                const struct ppg_admin_route *r);

/* gateway.c */
ppg_admin_route_fn ppg_admin_status;
ppg_admin_route_fn ppg_admin_metrics;
ppg_admin_route_fn ppg_admin_reload;
ppg_admin_route_fn ppg_admin_drain;
/* backup.c */
ppg_admin_route_fn ppg_admin_backup;
/* push.c */
ppg_admin_route_fn ppg_admin_push_show;
ppg_admin_route_fn ppg_admin_push_explain;
/* act.c */
ppg_admin_route_fn ppg_admin_push_cancel;
ppg_admin_route_fn ppg_admin_push_replay;
/* key.c */
ppg_admin_route_fn ppg_admin_key;
/* queue.c */
ppg_admin_route_fn ppg_admin_queue;
/* initiator.c */
ppg_admin_route_fn ppg_admin_initiator;
ppg_admin_route_fn ppg_admin_initiator_test;
/* terminal.c */
ppg_admin_route_fn ppg_admin_terminal;
ppg_admin_route_fn ppg_admin_terminal_disconnect;
/* log.c */
ppg_admin_route_fn ppg_admin_log_token;
/* whitelist.c */
ppg_admin_route_fn ppg_admin_whitelist;
ppg_admin_route_fn ppg_admin_whitelist_test;
/* edit.c */
ppg_admin_route_fn ppg_admin_whitelist_add;
ppg_admin_route_fn ppg_admin_whitelist_remove;
ppg_admin_route_fn ppg_admin_whitelist_import;
/* diff.c */
ppg_admin_route_fn ppg_admin_whitelist_diff;
/* trail.c */
ppg_admin_route_fn ppg_admin_audit_tail;
ppg_admin_route_fn ppg_admin_audit_verify;

/* What a reload refused, line by line. */
json_t *ppg_admin_errors_json(enum err result, const struct ppg_config_errors *errs);

#endif
