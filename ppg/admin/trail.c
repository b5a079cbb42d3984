/* The audit log as operators see it: its last lines, and whether its chain holds.  Routes of admin.c; loop 0, the files
 * off it. */
#include <stdlib.h>

#include "ppg/admin/work.h"

#define LINES_DEFAULT 20u
#define TAIL_MAX_N    ((size_t)8 << 20) /* octets */

static void done(struct ppg_admin_job *j)
{
    ppg_admin_job_end(j);
    free(j);
}

static void run_tail(struct ppg_admin_job *j)
{
    size_t n = j->ask.given & PPG_ASK_COUNT ? j->ask.count : LINES_DEFAULT;
    struct slice rest, line;
    json_t *lines = json_array(), *one;
    struct buf text;
    enum err e;

    buf_init(&text, TAIL_MAX_N);
    e = ppg_audit_tail(j->admin->conf.audit, n, &text);
    rest = buf_slice(&text);
    while (!e && rest.n) {
        (void)slice_cut(rest, '\n', &line, &rest);
        one = json_loadb(line.p, line.n, 0, NULL);
        (void)json_array_append_new(lines,
                                    one ? one : ppg_json_text(line)); /* a line that is none is shown */
    }
    buf_clear(&text);
    if (e) {
        ppg_admin_job_fail(j, 500, "the audit log: %s", e == ERR_LIMIT ? "too many octets" : err_text(e));
        json_decref(lines);
        return;
    }
    j->answer = json_object();
    ppg_json_set(j->answer, "lines", lines);
}

static void run_verify(struct ppg_admin_job *j)
{
    struct ppg_audit_report r;

    if (ppg_audit_verify(j->admin->conf.audit, &r)) {
        ppg_admin_job_fail(j, 500, "the audit log: %s", r.what);
        return;
    }
    j->answer = json_object();
    ppg_json_set(j->answer, "good", json_boolean(!r.bad));
    ppg_json_set_n(j->answer, "lines", r.lines);
    ppg_json_set_text(j->answer, "last", slice_str(r.last));
    if (r.bad) {
        ppg_json_set_n(j->answer, "bad_line", r.bad);
        ppg_json_set_text(j->answer, "what", slice_str(r.what));
    }
}

static void begin(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r,
                  void (*run)(struct ppg_admin_job *j))
{
    struct ppg_admin_job *j = a->conf.audit ? calloc(1, sizeof *j) : NULL;

    if (!j)
        ppg_admin_refuse(x, a->conf.audit ? 503 : 404,
                         a->conf.audit ? "out of memory" : "there is no audit log: [admin] audit names none");
    else if (ppg_admin_job_begin(j, a, x, r))
        free(j);
    else
        ppg_admin_job_start(j, run, done);
}

void ppg_admin_audit_tail(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    begin(a, x, r, run_tail);
}

void ppg_admin_audit_verify(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    begin(a, x, r, run_verify);
}
