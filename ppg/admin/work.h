/* What a request of the operator needs from files: done off the loops, and written to the audit log.  For admin*.c. */
#ifndef PPG_ADMIN_WORK_H
#define PPG_ADMIN_WORK_H

#include <sys/types.h>
#include <uv.h>

#include "ppg/admin/routes.h"
#include "ppg/admin/audit.h"

#define PPG_ADMIN_RULES_MAX 100u /* rules that an audit line or an answer about a change lists */

/* One request, from its arrival to its answer; embedded, first or not. */
struct ppg_admin_job {
    uv_work_t uv;
    struct ppg_admin *admin;
    struct ppg_admin_ask ask;
    /* Held: that of the request's arrival.  Who drops it last frees it, which takes long: run() does when it can. */
    struct ppg_config *config;
    uid_t uid;                             /* who asks */
    void (*run)(struct ppg_admin_job *j);  /* on a thread of its own */
    void (*done)(struct ppg_admin_job *j); /* then, on loop 0 */
    unsigned status;                       /* not 0: what to answer, with `answer` or why[] */
    char why[512];
    json_t *answer;
};

/* Reads the request, holds the configuration, notes who asks.  On failure it is answered and nothing has to be freed. */
enum err ppg_admin_job_begin(struct ppg_admin_job *j, struct ppg_admin *a, struct net_http_exchange *x,
                             const struct ppg_admin_route *r) MUST_USE;
/* run() then done(), both once; when there is no thread to be had, done() alone, now, with a status of 503. */
void ppg_admin_job_start(struct ppg_admin_job *j, void (*run)(struct ppg_admin_job *j),
                         void (*done)(struct ppg_admin_job *j));
/* Answers with the status and `answer`, or with why[]; gives everything back but *j itself. */
void ppg_admin_job_end(struct ppg_admin_job *j);

/* What the job has to say instead of an answer. */
void ppg_admin_job_fail(struct ppg_admin_job *j, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Off the loops: one line of the audit log; objects may be NULL and are not taken.  ERR_ABSENT: there is no audit log.
 * Others as ppg_audit_add. */
enum err ppg_admin_audit(const struct ppg_admin_job *j, const char *what, const json_t *before,
                         const json_t *after) MUST_USE;

/* Something was done for who asks on x: a line of the audit log, where there is one.  Returns at once; a line that cannot
 * be written is told in the log.  Loop 0, before x is answered; `after_it` is not taken. */
void ppg_admin_note(struct ppg_admin *a, const struct net_http_exchange *x, const char *what,
                    const json_t *after_it);

#endif
