/* Requests whose work is done off the loops; see work.h. */
#include "ppg/admin/work.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_ROOM_N 4096u /* octets of an entry of the user database */

enum err ppg_admin_job_begin(struct ppg_admin_job *j, struct ppg_admin *a, struct net_http_exchange *x,
                             const struct ppg_admin_route *r)
{
    enum err e;

    *j = (struct ppg_admin_job){.admin = a, .uv.data = j};
    if (net_http_exchange_uid(x, &j->uid)) {
        ppg_admin_refuse(x, 403, "it is not known who asks");
        return ERR_DENIED;
    }
    e = ppg_admin_ask_read(a->conf.core, x, r, &j->ask);
    if (!e)
        j->config = ppg_config_hold(a->conf.core->config);
    return e;
}

static void work(uv_work_t *uv)
{
    struct ppg_admin_job *j = uv->data;

    j->run(j);
}

static void after(uv_work_t *uv, int status)
{
    struct ppg_admin_job *j = uv->data;

    if (status)
        ppg_admin_job_fail(j, 503, "the gateway is ending");
    j->done(j);
}

void ppg_admin_job_start(struct ppg_admin_job *j, void (*run)(struct ppg_admin_job *j),
                         void (*done)(struct ppg_admin_job *j))
{
    j->run = run;
    j->done = done;
    if (uv_queue_work(j->admin->env->loop, &j->uv, work, after)) {
        ppg_admin_job_fail(j, 503, "no thread to do it");
        done(j);
    }
}

void ppg_admin_job_fail(struct ppg_admin_job *j, unsigned status, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(j->why, sizeof j->why, fmt, ap);
    va_end(ap);
    j->status = status;
}

void ppg_admin_job_end(struct ppg_admin_job *j)
{
    if (j->answer)
        ppg_admin_answer(j->ask.x, j->status ? j->status : 200, j->answer);
    else
        ppg_admin_refuse(j->ask.x, j->status ? j->status : 500, j->why);
    ppg_config_drop(&j->config);
    ppg_admin_ask_clear(&j->ask);
}

/* "root (uid 0)" */
static void who(uid_t uid, char *out, size_t n)
{
    char room[NAME_ROOM_N];
    struct passwd entry, *found = NULL;

    if (getpwuid_r(uid, &entry, room, sizeof room, &found) != 0 || !found)
        (void)snprintf(out, n, "uid %lu", (unsigned long)uid);
    else
        (void)snprintf(out, n, "%.100s (uid %lu)", found->pw_name, (unsigned long)uid);
}

enum err ppg_admin_audit(const struct ppg_admin_job *j, const char *what, const json_t *before,
                         const json_t *after_it)
{
    const struct ppg_shared *shared = j->admin->conf.core->shared;
    char *old = before ? json_dumps(before, JSON_COMPACT) : NULL;
    char *new = after_it ? json_dumps(after_it, JSON_COMPACT) : NULL;
    char name[160];
    struct ppg_audit_entry e = {.at_s = clk_utc_ms(shared->clk) / 1000,
                                .what = slice_str(what),
                                .before = slice_str(old ? old : ""),
                                .after = slice_str(new ? new : "")};
    enum err result = ERR_ABSENT;

    who(j->uid, name, sizeof name);
    e.who = slice_str(name);
    if ((before && !old) || (after_it && !new))
        result = ERR_NOMEM;
    else if (j->admin->conf.audit)
        result = ppg_audit_add(j->admin->conf.audit, &e);
    free(old);
    free(new);
    return result;
}

/* --- what was done without a file --- */

struct note {
    uv_work_t uv;
    struct ppg_audit *audit;
    struct log *log;
    struct ppg_audit_entry entry; /* who is found out by the worker */
    bool known;
    uid_t uid;
    char what[64];
    char *after_it; /* JSON */
};

static void note_run(uv_work_t *uv)
{
    struct note *n = uv->data;
    char name[160] = "one who left at once";
    enum err e;

    if (n->known)
        who(n->uid, name, sizeof name);
    n->entry.who = slice_str(name);
    e = ppg_audit_add(n->audit, &n->entry);
    if (e)
        LOG(n->log, LOG_ERROR, "audit.fail", LOG_C("what", n->what), LOG_C("error", err_name(e)));
}

static void note_done(uv_work_t *uv, int status)
{
    struct note *n = uv->data;

    (void)status;
    free(n->after_it);
    free(n);
}

void ppg_admin_note(struct ppg_admin *a, const struct net_http_exchange *x, const char *what,
                    const json_t *after_it)
{
    const struct ppg_shared *shared = a->conf.core->shared;
    struct note *n = a->conf.audit ? calloc(1, sizeof *n) : NULL;

    if (!a->conf.audit)
        return;
    if (n) {
        n->after_it = after_it ? json_dumps(after_it, JSON_COMPACT) : NULL;
        n->uv.data = n;
        n->audit = a->conf.audit;
        n->log = shared->log;
        n->known = !net_http_exchange_uid(x, &n->uid);
        (void)snprintf(n->what, sizeof n->what, "%s", what);
        n->entry = (struct ppg_audit_entry){.at_s = clk_utc_ms(shared->clk) / 1000,
                                            .what = slice_str(n->what),
                                            .after = slice_str(n->after_it ? n->after_it : "")};
        if (!uv_queue_work(a->env->loop, &n->uv, note_run, note_done))
            return;
        note_done(&n->uv, 0);
    }
    LOG(shared->log, LOG_ERROR, "audit.fail", LOG_C("what", what), LOG_C("error", "no thread or no memory"));
}
