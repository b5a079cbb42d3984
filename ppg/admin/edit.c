/* Changes of the whitelist.  Story of one: off the loops the file is read, the change is made in its text, and the new
 * text is read as the gateway would; what is broken is refused before anything is written.  The audit log gets its line,
 * the file is replaced whole, and loop 0 reloads the configuration.  Should that fail for a reason of its own (another
 * file is broken), the old text is put back, and the audit log says so: the change is made everywhere or nowhere.  One
 * at a time.  Routes of admin.c. */
#include "ppg/admin/edit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ppg/file.h"
#include "ppg/admin/rules.h"
#include "security/login/digest_hash.h"

/* --- what changed --- */

static void note_change(void *arg, bool added, const struct ppg_rules_line *l)
{
    struct ppg_admin_change *c = arg;
    uint64_t *n = added ? &c->added_n : &c->removed_n;
    json_t *one;

    if (++*n > PPG_ADMIN_RULES_MAX)
        return;
    one = json_object();
    ppg_json_set_n(one, "line", l->no);
    ppg_json_set_text(one, "rule", l->rule);
    (void)json_array_append_new(added ? c->added : c->removed, one);
}

enum err ppg_admin_change_find(struct slice was, struct slice is, struct ppg_admin_change *out)
{
    enum err e;

    *out = (struct ppg_admin_change){.removed = json_array(), .added = json_array()};
    e = ppg_rules_diff(was, is, note_change, out);
    if (e)
        ppg_admin_change_clear(out);
    return e;
}

void ppg_admin_change_clear(struct ppg_admin_change *c)
{
    json_decref(c->removed);
    json_decref(c->added);
    c->removed = c->added = NULL;
}

void ppg_admin_change_print(const struct ppg_admin_change *c, json_t *into)
{
    ppg_json_set(into, "removed", json_incref(c->removed));
    ppg_json_set(into, "added", json_incref(c->added));
    ppg_json_set_n(into, "removed_in_all", c->removed_n);
    ppg_json_set_n(into, "added_in_all", c->added_n);
}

bool ppg_admin_list_of(struct ppg_admin_job *j, const struct slice *text, struct sec_whitelist **out)
{
    struct sec_load_error at = {.what = ""};
    enum err e = ppg_config_whitelist_of(j->config, text, out, &at);

    if (e)
        ppg_admin_job_fail(j, e == ERR_NOMEM ? 503 : 422, "%s:%u: %s", at.file, (unsigned)at.line, at.what);
    return !e;
}

/* --- one change --- */

enum edit_how { EDIT_ADD, EDIT_REMOVE, EDIT_IMPORT };

static const char *const whats[] = {
    [EDIT_ADD] = "whitelist.add", [EDIT_REMOVE] = "whitelist.remove", [EDIT_IMPORT] = "whitelist.import"};

struct edit {
    struct ppg_admin_job job;
    enum edit_how how;
    char *path;       /* owned */
    struct buf given; /* of an import: the new text */
    struct buf was, is;
    struct ppg_file_stamp mark;
    struct ppg_admin_change change;
    uint32_t at; /* line of a rule that was added or taken out */
};

static struct edit *edit_of(struct ppg_admin_job *j)
{
    return container_of(j, struct edit, job);
}

/* One rule, and nothing that could end its line. */
static bool is_rule(struct edit *d)
{
    struct sec_whitelist_line line;
    struct slice rule = d->job.ask.rule;
    const char *why = "not a rule";
    bool good = true;

    for (size_t i = 0; i < rule.n; i++)
        good = good && (unsigned char)rule.p[i] >= ' ' && rule.p[i] != 0x7f;
    if (!good)
        why = "control character";
    good = good && !sec_whitelist_parse_line(rule, &line, &why);
    if (!good)
        ppg_admin_job_fail(&d->job, 422, "%s", why);
    return good;
}

/* The new text, from the old one. */
static enum err make(struct edit *d)
{
    const struct ppg_admin_ask *ask = &d->job.ask;
    struct slice was = buf_slice(&d->was);

    if (d->how == EDIT_IMPORT) {
        buf_move(&d->given, &d->is);
        return ERR_OK;
    }
    if (d->how == EDIT_REMOVE)
        return ppg_rules_remove(was, ask->rule, (uint32_t)ask->line, &d->is, &d->at);
    return is_rule(d) ? ppg_rules_add(was, ask->rule, (uint32_t)ask->line, &d->is, &d->at) : ERR_MALFORMED;
}

static void make_failed(struct edit *d, enum err e)
{
    bool add = d->how == EDIT_ADD;

    if (d->job.status)
        return;
    if (e == ERR_EXISTS)
        ppg_admin_job_fail(&d->job, 409,
                           add ? "line %u is that rule already" : "line %u is that rule too: say which line",
                           (unsigned)d->at);
    else if (e == ERR_ABSENT)
        ppg_admin_job_fail(&d->job, 404, add ? "there is no such line" : "there is no such rule");
    else
        ppg_admin_job_fail(&d->job, e == ERR_NOMEM ? 503 : 422, "the list: %s", err_text(e));
}

static json_t *text_json(const struct edit *d, struct slice text, json_t *rules, uint64_t n)
{
    struct sec_digest_hex hash = {.n = 0};
    json_t *o = json_object();

    ppg_json_set_text(o, "file", slice_str(d->path));
    if (!sec_digest_hash(SEC_DIGEST_SHA256, &text, 1, &hash))
        ppg_json_set_text(o, "sha256", slice_of(hash.p, hash.n));
    ppg_json_set(o, "rules", json_incref(rules));
    if (n > PPG_ADMIN_RULES_MAX)
        ppg_json_set_n(o, "rules_in_all", n);
    return o;
}

/* No change without its line in the audit log, nor the end of one that failed. */
static bool audited(struct edit *d, bool undone)
{
    char what[64];
    json_t *old = text_json(d, buf_slice(&d->was), d->change.removed, d->change.removed_n);
    json_t *new = text_json(d, buf_slice(&d->is), d->change.added, d->change.added_n);
    enum err e;

    (void)snprintf(what, sizeof what, "%s%s", whats[d->how], undone ? ".undone" : "");
    e = ppg_admin_audit(&d->job, what, undone ? new : old, undone ? old : new);
    json_decref(old);
    json_decref(new);
    if (e == ERR_ABSENT)
        ppg_admin_job_fail(&d->job, 422, "no change without a record of it: [admin] audit names no file");
    else if (e)
        ppg_admin_job_fail(&d->job, 503, "the audit log cannot be written: nothing was changed");
    return !e;
}

static void put_in_place(struct edit *d)
{
    char why[PPG_FILE_WHY_N];
    enum err e = ppg_file_replace(d->path, buf_slice(&d->is), &d->mark, why);

    if (!e)
        return;
    (void)audited(d, true);
    ppg_admin_job_fail(&d->job, e == ERR_LATE ? 409 : 500, "%s", why);
}

/* All but the reload. */
static void edit(struct ppg_admin_job *j)
{
    struct edit *d = edit_of(j);
    struct sec_whitelist *list = NULL;
    char why[PPG_FILE_WHY_N];
    struct slice is;
    enum err e;

    if (ppg_file_read(d->path, &d->was, &d->mark, why)) {
        ppg_admin_job_fail(j, 500, "%s", why);
        return;
    }
    e = make(d);
    is = buf_slice(&d->is);
    if (e) {
        make_failed(d, e);
    } else if (slice_eq(is, buf_slice(&d->was))) {
        ppg_admin_job_fail(j, 409, "that is what the file has already");
    } else if (ppg_admin_list_of(j, &is, &list)) {
        sec_whitelist_free(&list);
        if (ppg_admin_change_find(buf_slice(&d->was), is, &d->change))
            ppg_admin_job_fail(j, 503, "out of memory");
        else if (audited(d, false))
            put_in_place(d);
    }
}

/* Off the loops.  The reload may leave the old configuration to its last holder: that must not be loop 0. */
static void edit_run(struct ppg_admin_job *j)
{
    edit(j);
    ppg_config_drop(&j->config);
}

static void edit_end(struct edit *d)
{
    d->job.admin->editing = false;
    ppg_admin_job_end(&d->job);
    ppg_admin_change_clear(&d->change);
    buf_clear(&d->given);
    buf_clear(&d->was);
    buf_clear(&d->is);
    free(d->path);
    free(d);
}

/* --- a reload that failed --- */

static void undo_run(struct ppg_admin_job *j)
{
    struct edit *d = edit_of(j);
    char why[PPG_FILE_WHY_N];

    if (ppg_file_replace(d->path, buf_slice(&d->was), &d->mark, why))
        ppg_json_set_text(j->answer, "not_undone", slice_str(why));
    else
        (void)audited(d, true);
}

static void undo_done(struct ppg_admin_job *j)
{
    edit_end(edit_of(j));
}

static void undo(struct edit *d, unsigned status, json_t *answer)
{
    d->job.status = status;
    d->job.answer = answer;
    ppg_admin_job_start(&d->job, undo_run, undo_done);
}

static void reloaded(void *arg, enum err result, const struct ppg_config_errors *errs)
{
    struct edit *d = arg;
    struct ppg_status status = {.loops = 0};
    json_t *o;

    if (result) {
        undo(d, 422, ppg_admin_errors_json(result, errs));
        return;
    }
    d->job.admin->conf.status(d->job.admin->conf.arg, &status);
    o = json_object();
    ppg_json_set_text(o, "file", slice_str(d->path));
    if (d->at)
        ppg_json_set_n(o, "line", d->at);
    ppg_admin_change_print(&d->change, o);
    ppg_json_set_n(o, "generation", status.generation);
    d->job.answer = o;
    edit_end(d);
}

static void edit_done(struct ppg_admin_job *j)
{
    struct edit *d = edit_of(j);
    json_t *o;
    enum err e;

    if (j->status) {
        edit_end(d);
        return;
    }
    e = j->admin->conf.reload(j->admin->conf.arg, reloaded, d);
    if (!e)
        return;
    o = json_object();
    ppg_json_set_text(
        o, "error", e == ERR_LATE ? SLICE("a reload is under way: nothing was changed") : SLICE("no reload"));
    undo(d, e == ERR_LATE ? 409 : 503, o);
}

/* --- routes --- */

static void begin(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r,
                  enum edit_how how)
{
    struct edit *d = a->editing ? NULL : calloc(1, sizeof *d);

    if (!d) {
        ppg_admin_refuse(x, a->editing ? 409 : 503,
                         a->editing ? "another change is under way" : "out of memory");
        return;
    }
    if (ppg_admin_job_begin(&d->job, a, x, r)) {
        free(d);
        return;
    }
    a->editing = true;
    buf_init(&d->given, PPG_ADMIN_LIST_MAX_N);
    buf_init(&d->was, PPG_ADMIN_LIST_MAX_N);
    buf_init(&d->is, PPG_ADMIN_LIST_MAX_N);
    d->how = how;
    d->path = mem_dup(slice_str(ppg_config_settings(d->job.config)->files.whitelist));
    if (how == EDIT_IMPORT)
        net_http_exchange_take_body(x, &d->given);
    if (how == EDIT_REMOVE && !d->job.ask.given) {
        ppg_admin_job_fail(&d->job, 400, "%s", r->usage);
        edit_end(d);
    } else if (!d->path) {
        ppg_admin_job_fail(&d->job, 503, "out of memory");
        edit_end(d);
    } else {
        ppg_admin_job_start(&d->job, edit_run, edit_done);
    }
}

void ppg_admin_whitelist_add(struct ppg_admin *a, struct net_http_exchange *x,
                             const struct ppg_admin_route *r)
{
    begin(a, x, r, EDIT_ADD);
}

void ppg_admin_whitelist_remove(struct ppg_admin *a, struct net_http_exchange *x,
                                const struct ppg_admin_route *r)
{
    begin(a, x, r, EDIT_REMOVE);
}

void ppg_admin_whitelist_import(struct ppg_admin *a, struct net_http_exchange *x,
                                const struct ppg_admin_route *r)
{
    begin(a, x, r, EDIT_IMPORT);
}
