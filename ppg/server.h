/* The gateway as a whole: wires the rooms together, owns the threads, the signals, reload and drain.
 *
 * Story of a day: create (store, loops, listeners; everything that can fail does so here, with a reason), run
 * (blocks; loop 0 runs on the caller's thread), SIGHUP or ppgctl reload (a new snapshot is built aside and mailed
 * to every loop, or everything stays as it was), SIGTERM (drain, then run returns). */
#ifndef PPG_SERVER_H
#define PPG_SERVER_H

#include "ppg/snapshot.h"
#include "base/log.h"

struct ppg_server;

/* Takes a hold of the snapshot.  ERR_IO and others with why[] in words. */
enum err ppg_server_create(struct ppg_snapshot *snapshot, struct log *log, struct ppg_server **out,
                           char why[256]) MUST_USE;
void ppg_server_run(struct ppg_server *s);
void ppg_server_free(struct ppg_server **s); /* after run has returned */

#endif
