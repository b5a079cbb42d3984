/* The configuration anew, whole or not at all, and the end of the old one.
 *
 * Story of a reload.  begin() starts it on a worker: everything is read and built aside, the file of the log is opened
 * anew, and what changed is counted.  Back on loop 0, a mistake anywhere keeps the old configuration (each line is
 * logged), and otherwise take() hands the new one out.  Loops change over in their own time and let go of the old one;
 * when nobody else holds it, tick() has a worker free it: a million addresses would stop a loop for milliseconds.
 *
 * What a signal asked for is written to the audit log here, before it is in force; who asks over the operator's socket
 * is known there, and writes a line of its own.
 * The log's file is opened anew in either case: whoever moved it away need not care for mistakes elsewhere.
 * Everything here runs on loop 0 but for the two jobs of the worker. */
#ifndef PPG_RELOAD_H
#define PPG_RELOAD_H

#include <uv.h>
#include "base/log.h"
#include "ppg/changes.h"

struct ppg_audit;
struct ppg_reload;

/* Once per reload that was begun, later; errs is read during the call only. */
typedef void ppg_reload_done_fn(void *arg, enum err result, const struct ppg_config_errors *errs);

struct ppg_reload_conf {
    uv_loop_t *loop;
    struct log *log;
    struct ppg_audit *audit; /* NULL: none */
    /* The new one is good: use it.  It is borrowed until the next take() has run, `before` during the call. */
    void (*take)(void *arg, struct ppg_snapshot *before, struct ppg_snapshot *fresh);
    void *arg;
};

/* `snapshot` is what the program started with; takes a hold of it.  ERR_NOMEM. */
enum err ppg_reload_create(const struct ppg_reload_conf *conf, struct ppg_snapshot *snapshot,
                           struct ppg_reload **out) MUST_USE;
void ppg_reload_free(struct ppg_reload **r); /* not while it is busy */

/* ERR_LATE: one is under way.  done may be NULL; it does not run after a failure, and never from inside. */
enum err ppg_reload_begin(struct ppg_reload *r, ppg_reload_done_fn *done, void *done_arg) MUST_USE;
/* The same for who cannot come again, such as a signal: while one is under way another one follows it, however often this
 * was asked meanwhile.  ERR_IO. */
enum err ppg_reload_soon(struct ppg_reload *r) MUST_USE;
/* By the last one that was good; zeros: none was. */
const struct ppg_changes *ppg_reload_changes(const struct ppg_reload *r);
bool ppg_reload_busy(const struct ppg_reload *r); /* a worker is at it */
void ppg_reload_tick(struct ppg_reload *r);

#endif
