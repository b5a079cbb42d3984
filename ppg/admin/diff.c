/* What would be different with another whitelist: which rules come and go, and which pushes of late it would decide
 * otherwise than the running one.  The store knows those that were accepted; what was refused left no push.  Nothing is
 * changed.  Routes of admin.c; the lists are read off the loops, decisions are made on loop 0, some at a time. */
#include <stdlib.h>

#include "ppg/admin/edit.h"
#include "ppg/file.h"
#include "ppg/recipients.h"

#define PIECE_PUSHES  100u
#define PIECE_TARGETS 1000u /* decisions in one turn of the loop: twice about a microsecond each */
#define ROWS_MAX      1000u /* that are listed; all are counted */

struct diff {
    struct ppg_admin_job job;
    struct buf given;            /* the other list */
    struct sec_whitelist *other; /* made of it */
    json_t *rows;
    uint64_t pushes, targets, differ; /* looked at, and decided otherwise */
    struct store_recent recent;
    struct store_show shows[PIECE_PUSHES];
};

static struct diff *diff_of(struct ppg_admin_job *j)
{
    return container_of(j, struct diff, job);
}

/* Two lists of a million addresses are nothing to free on a loop. */
static void end_run(struct ppg_admin_job *j)
{
    sec_whitelist_free(&diff_of(j)->other);
    ppg_config_drop(&j->config);
}

static void end_done(struct ppg_admin_job *j)
{
    struct diff *d = diff_of(j);

    ppg_admin_job_end(j);
    json_decref(d->rows);
    buf_clear(&d->given);
    sec_whitelist_free(&d->other);
    free(d);
}

static void end(struct diff *d)
{
    ppg_admin_job_start(&d->job, end_run, end_done);
}

/* --- the rules --- */

static void compare_rules(struct diff *d, struct slice was)
{
    struct ppg_admin_change change;

    if (ppg_admin_change_find(was, buf_slice(&d->given), &change)) {
        ppg_admin_job_fail(&d->job, 503, "out of memory");
        return;
    }
    d->job.answer = json_object();
    ppg_json_set_text(d->job.answer, "file", slice_str(ppg_config_settings(d->job.config)->files.whitelist));
    ppg_admin_change_print(&change, d->job.answer);
    ppg_admin_change_clear(&change);
}

static void run(struct ppg_admin_job *j)
{
    struct diff *d = diff_of(j);
    struct slice text = buf_slice(&d->given);
    struct ppg_file_stamp mark;
    char why[PPG_FILE_WHY_N];
    struct buf was;

    if (!ppg_admin_list_of(j, &text, &d->other))
        return;
    buf_init(&was, PPG_ADMIN_LIST_MAX_N);
    if (ppg_file_read(ppg_config_settings(j->config)->files.whitelist, &was, &mark, why))
        ppg_admin_job_fail(j, 500, "%s", why);
    else
        compare_rules(d, buf_slice(&was));
    buf_clear(&was);
}

/* --- the pushes --- */

/* "allow protect=full", "deny rule" */
static void set_verdict(json_t *row, const char *verdict, const char *line,
                        const struct sec_whitelist_verdict *v)
{
    static const char *const allowed[] = {[SEC_LEVEL_NONE] = "allow",
                                          [SEC_LEVEL_INTEGRITY] = "allow protect=integrity",
                                          [SEC_LEVEL_FULL] = "allow protect=full"};

    ppg_json_set_text(row, verdict, slice_str(v->allow ? allowed[v->demanded] : v->reason));
    if (v->line)
        ppg_json_set_n(row, line, v->line);
}

static void tell(struct diff *d, const struct ppg_push *p, const struct store_show_target *t,
                 const struct sec_whitelist_verdict *now, const struct sec_whitelist_verdict *then)
{
    json_t *row;

    if (++d->differ > ROWS_MAX)
        return;
    row = json_object();
    ppg_json_set_text(row, "push_id", p->push_id);
    ppg_json_set_text(row, "initiator", p->initiator);
    ppg_json_set_text(row, "recipient", t->address);
    ppg_json_set_time(row, "accepted", p->accepted_ms);
    set_verdict(row, "now", "now_line", now);
    set_verdict(row, "then", "then_line", then);
    (void)json_array_append_new(d->rows, row);
}

static void compare_push(struct diff *d, const struct store_show *s)
{
    struct sec_whitelist_query q = ppg_recipients_question(s->push, s->body_n, s->push->accepted_ms / 1000);

    for (size_t i = 0; i < s->targets_n; i++) {
        struct sec_whitelist_verdict now, then;

        q.recipient = s->targets[i].key;
        sec_whitelist_decide(ppg_config_whitelist(d->job.config), &q, &now);
        sec_whitelist_decide(d->other, &q, &then);
        d->targets++;
        if (now.allow != then.allow || now.demanded != then.demanded)
            tell(d, s->push, &s->targets[i], &now, &then);
    }
    d->pushes++;
}

static void replayed(struct diff *d)
{
    json_t *o = d->job.answer;

    ppg_json_set_n(o, "pushes", d->pushes);
    ppg_json_set_n(o, "decisions", d->targets);
    ppg_json_set_n(o, "otherwise_in_all", d->differ);
    ppg_json_set(o, "otherwise", json_incref(d->rows));
    end(d);
}

static void piece_done(struct store_op *op);

static void ask_piece(struct diff *d, int64_t before_id)
{
    d->recent.before_id = before_id;
    d->recent.op = (struct store_op){.kind = STORE_RECENT, .done = piece_done, .arg = d};
    ppg_core_submit(d->job.ask.core, &d->recent.op);
}

static void piece_done(struct store_op *op)
{
    struct diff *d = op->arg;

    for (size_t i = 0; !op->err && i < d->recent.shows_n; i++) {
        compare_push(d, &d->shows[i]);
        ppg_push_drop(d->shows[i].push);
    }
    if (op->err) {
        json_decref(d->job.answer);
        d->job.answer = NULL;
        ppg_admin_job_fail(&d->job, 503, "the store does not answer");
        end(d);
    } else if (d->recent.next_id) {
        ask_piece(d, d->recent.next_id);
    } else {
        replayed(d);
    }
}

static void done(struct ppg_admin_job *j)
{
    struct diff *d = diff_of(j);

    if (j->status || !(j->ask.given & PPG_ASK_REPLAY)) {
        end(d);
        return;
    }
    d->rows = json_array();
    d->recent =
        (struct store_recent){.since_ms = ppg_core_utc_ms(j->ask.core) - (int64_t)j->ask.replay_s * 1000,
                              .max = PIECE_PUSHES,
                              .targets_max = PIECE_TARGETS,
                              .shows = d->shows};
    ask_piece(d, 0);
}

void ppg_admin_whitelist_diff(struct ppg_admin *a, struct net_http_exchange *x,
                              const struct ppg_admin_route *r)
{
    struct diff *d = calloc(1, sizeof *d);

    if (!d) {
        ppg_admin_refuse(x, 503, "out of memory");
        return;
    }
    if (ppg_admin_job_begin(&d->job, a, x, r)) {
        free(d);
        return;
    }
    buf_init(&d->given, PPG_ADMIN_LIST_MAX_N);
    net_http_exchange_take_body(x, &d->given);
    ppg_admin_job_start(&d->job, run, done);
}
