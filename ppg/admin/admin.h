/* The operator's socket: HTTP/1.1 with JSON bodies on a UNIX socket of mode 0600, for root and the gateway's own user
 * only.
 *
 *     GET  /status                            counters of the gateway, the store and every event
 *     GET  /metrics                           the same for a collector; see metrics.h
 *     POST /reload                            reads the configuration anew, whole or not at all
 *     POST /drain                             accepts and starts nothing new, then ends
 *     POST /backup                            {"file": ABSOLUTE PATH}: a copy of the store, in a new file of the gateway's user
 *     GET  /queue?initiator=NAME&heads=N      what waits, by initiator, and the N targets due longest; both optional
 *     GET  /push?id=PUSH-ID&initiator=NAME    what is so of one push, but its content; initiator may be left out
 *     GET  /push/explain?id=...               the same and how it came to that: checks, rules, every attempt
 *     POST /push/cancel                       {"id", "initiator", "to": [ADDRESS, ...]}: takes it back; only id is a must
 *     POST /push/replay                       {"id", "initiator", "as": NEW-ID, "to": [...]}: tries a copy for those that
 *                                             did not get it and whom the whitelist of today allows
 *     GET  /keys                              the keyring: names, kinds, ages, ends, fingerprints; never a key
 *     POST /keys/add                          {"name", "kind", "secret" or "package_until", "suites", "expires"}: without a
 *                                             secret one of our own, told only as "package", an activation package in base64
 *                                             that is good until then under "code"
 *     POST /keys/import                       {"name", "association": what an association file holds}
 *     POST /keys/rotate                       {"name", "secret" or "package_until", "suites", "expires", "until": end of the old one's grace}
 *     POST /keys/remove                       {"name"}
 *     GET  /sa?name=ADDRESS                   associations of all terminals, or those of an address, key or SAID; those of
 *                                             the gateway's own making have the key gba-push
 *     POST /sa/revoke                         {"name"}: of that terminal or key no association is good any more
 *                                             A change of keys is on disk, then in force by a reload, when it is answered;
 *                                             "in_force" is false when other mistakes in the configuration prevent that.
 *
 *     GET  /initiator?from=N&count=N          the initiators, a row each; ?initiator=NAME: one, whole, but secrets
 *     GET  /initiator/test?initiator=NAME&san=URI:...&user=NAME&source=ADDRESS&uri=URI
 *                                             would these be taken for it?  At least one of the last four
 *     GET  /terminal?all=yes&from=N&count=N   terminals with a connection, or all, a row each; ?terminal=ADDRESS: one, whole
 *     POST /terminal/disconnect               {"terminal": ADDRESS}: ends its connection
 *     GET  /log/token?terminal=ADDRESS        what stands for the address, or another name, in the log
 *     GET  /whitelist?initiator=NAME&from=LINE&count=N   rules as the file stands; all may be left out
 *     GET  /whitelist/test?initiator=NAME&recipient=ADDRESS&...   what the running list says, and which line decides
 *     POST /whitelist/add, /whitelist/remove  {"rule": RULE, "line": "N"}: changes the file and reloads
 *     POST /whitelist/import                  the body becomes the file
 *     POST /whitelist/diff?replay=SECONDS     what would be different if the body were the file, for pushes too that were
 *                                             accepted in so many seconds
 *     GET  /audit?count=N, /audit/verify      last lines of the audit log; does its chain hold
 *
 * Answers: 200; 400, 403, 404, 405; 409 busy, or nothing to be done; 422 a configuration with mistakes; 500, 503.  Refusals are
 * {"error": "...", "errors": ["file:line: key: what", ...]}.  Times are RFC 3339 in UTC.  It decides nothing and
 * keeps nothing: server.c, control.c and the store do.  Everything runs on loop 0. */
#ifndef PPG_ADMIN_ADMIN_H
#define PPG_ADMIN_ADMIN_H

#include "ppg/config.h"
#include "ppg/core.h"
#include "ppg/reload.h"

struct ppg_admin;
struct ppg_audit;
struct net_env;

struct ppg_status {
    unsigned loops;
    uint64_t generation; /* of the configuration */
    size_t connections;  /* of initiators, now */
    size_t live;         /* targets in memory */
    bool draining;
    struct ppg_stats stats;            /* of all loops together */
    const struct ppg_changes *changes; /* of the last reload; NULL: none is known.  Until the next one */
    const char
        *at_start; /* what it found changed that only a start can change; NULL or "": nothing.  Likewise */
};

struct ppg_admin_conf {
    const char *socket;    /* copied */
    struct ppg_core *core; /* loop 0's; store operations go through it */
    void (*status)(void *arg, struct ppg_status *out);
    /* ERR_LATE: one is under way, or it is too late for one.  done() does not run after a failure, and never
     * from inside. */
    enum err (*reload)(void *arg, ppg_reload_done_fn *done, void *done_arg);
    void (*drain)(void *arg); /* the answer is queued by then */
    struct ppg_audit *audit;  /* NULL: none, lists cannot be changed; outlives the admin */
    void *arg;
};

/* env outlives it.  ERR_NOMEM, ERR_IO: *why is static text. */
enum err ppg_admin_create(const struct net_env *env, const struct ppg_admin_conf *conf,
                          struct ppg_admin **out, const char **why) MUST_USE;
/* Takes no more requests; closed() runs once those under way have been answered, after which the memory is gone. */
void ppg_admin_close(struct ppg_admin *a, void (*closed)(void *arg), void *arg);

#endif
