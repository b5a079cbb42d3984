/* See reload.h. */
#include "ppg/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/list.h"
#include "ppg/admin/audit.h"
#include "ppg/logfile.h"

/* A configuration nobody is to use any more. */
struct retired {
    struct list link;
    struct ppg_snapshot *snapshot; /* held until the loops have let go of it */
    struct ppg_config *config;     /* held longer: by TLS sessions and attempts that began under it, too */
};

struct ppg_reload {
    struct ppg_reload_conf conf;
    struct ppg_snapshot *current; /* held */
    uv_work_t work;
    bool loading;
    bool again; /* once more when this one is over */
    bool by_signal;
    struct ppg_changes last;

    /* Of the reload under way; the worker's until it is back. */
    struct ppg_snapshot *fresh;
    enum err result;
    struct ppg_config_errors errs;
    struct ppg_changes changes;
    int log_fd; /* -1: stays as it is */
    ppg_reload_done_fn *done;
    void *done_arg;

    struct list retired;
    uv_work_t burial;
    struct retired *burying; /* the worker's; NULL: none */
};

/* --- the worker's part --- */

static void complain(struct ppg_reload *r, const char *what, const char *detail)
{
    if (r->errs.n < PPG_CONFIG_ERRORS_MAX)
        (void)snprintf(r->errs.text[r->errs.n++], sizeof r->errs.text[0], "%s: %s%s",
                       ppg_config_path(r->current->config), what, detail);
}

/* Listeners are made at the start: one that is open cannot lose its certificate. */
static enum err check_listeners(struct ppg_reload *r)
{
    const struct {
        const char *what;
        const struct net_tls_ctx *was, *is;
    } rows[] = {{"[pap] listen-tls: ", r->current->pap, r->fresh->pap},
                {"[pap] listen-psk: ", r->current->psk, r->fresh->psk},
                {"[key-server] listen-ub, listen-entities: ", r->current->ub, r->fresh->ub},
                {"[key-server] listen-naf: ", r->current->naf, r->fresh->naf},
                {"[ota-http] listen-tls: ", r->current->calls, r->fresh->calls},
                {"[ota-http] listen-psk: ", r->current->calls_psk, r->fresh->calls_psk}};
    enum err e = ERR_OK;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].was && !rows[i].is) {
            complain(r, rows[i].what, "is open and cannot be taken away without a restart");
            e = ERR_MALFORMED;
        }
    return e;
}

static enum err log_open(struct ppg_reload *r, const struct ppg_snapshot *whose)
{
    const char *path = ppg_config_settings(whose->config)->log.file;
    enum err e = ppg_logfile_open(path, &r->log_fd);

    if (e && whose == r->fresh)
        complain(r, "[log] file: cannot be opened: ", strerror(errno));
    return e;
}

static enum err fence(struct ppg_reload *r)
{
    char why[PPG_FILE_WHY_N];
    enum err e = ppg_config_fence(r->fresh->config, why);

    if (e)
        complain(r, "[files] algorithms-serial: ", why);
    return e;
}

/* A line that cannot be written stops no reload: it may be what mends that. */
static void note_signal(struct ppg_reload *r)
{
    struct ppg_audit_entry entry = {
        .at_s = clk_utc_ms(&clk_real) / 1000, .who = SLICE("a signal (SIGHUP)"), .what = SLICE("reload")};
    struct buf after;
    enum err e;

    if (!r->by_signal || !r->conf.audit)
        return;
    buf_init(&after, 2 * PPG_CHANGES_NAMED_N + 512);
    ppg_changes_print(&r->changes, &after);
    entry.after = buf_slice(&after);
    e = buf_err(&after) ? buf_err(&after) : ppg_audit_add(r->conf.audit, &entry);
    if (e)
        LOG(r->conf.log, LOG_ERROR, "audit.fail", LOG_C("what", "reload"), LOG_C("error", err_name(e)));
    buf_clear(&after);
}

static void load(uv_work_t *work)
{
    struct ppg_reload *r = work->data;

    r->fresh = NULL;
    r->log_fd = -1;
    r->errs = (struct ppg_config_errors){.n = 0};
    r->result = ppg_snapshot_load(ppg_config_path(r->current->config), &r->fresh, &r->errs);
    if (!r->result)
        r->result = check_listeners(r);
    if (!r->result)
        r->result = fence(r);
    if (!r->result)
        r->result = log_open(r, r->fresh);
    if (!r->result) {
        ppg_config_follow(r->fresh->config, r->current->config);
        ppg_config_set_log(r->fresh->config, r->conf.log);
        ppg_config_rewrap(r->fresh->config, r->conf.log);
        ppg_config_prune(r->fresh->config, r->conf.log);
        ppg_changes_find(r->current, r->fresh, &r->changes);
        note_signal(r);
        return;
    }
    ppg_snapshot_drop(&r->fresh);
    if (log_open(r, r->current)) /* the old file goes on where it is */
        r->log_fd = -1;
}

/* --- retired configurations --- */

static void retire(struct ppg_reload *r, struct ppg_snapshot *old)
{
    struct retired *it = malloc(sizeof *it);

    if (!it) { /* then whoever is the last frees it, wherever that is */
        ppg_snapshot_drop(&old);
        return;
    }
    it->snapshot = old;
    it->config = ppg_config_hold(old->config);
    list_push_back(&r->retired, &it->link);
}

static bool is_free(const struct retired *it)
{
    return it->snapshot ? ppg_snapshot_alone(it->snapshot) : ppg_config_alone(it->config);
}

static void bury(uv_work_t *work)
{
    struct retired *it = ((struct ppg_reload *)work->data)->burying;

    if (it->snapshot)
        ppg_snapshot_drop(&it->snapshot);
    else
        ppg_config_drop(&it->config);
}

static void buried(uv_work_t *work, int status)
{
    struct ppg_reload *r = work->data;

    (void)status;
    if (r->burying->config)
        list_push_back(&r->retired, &r->burying->link);
    else
        free(r->burying);
    r->burying = NULL;
}

void ppg_reload_tick(struct ppg_reload *r)
{
    if (r->burying)
        return;
    LIST_EACH_SAFE (at, &r->retired) {
        struct retired *it = container_of(at, struct retired, link);

        if (!is_free(it))
            continue;
        r->burying = it;
        if (uv_queue_work(r->conf.loop, &r->burial, bury, buried))
            r->burying = NULL;
        else
            list_remove(at);
        return;
    }
}

/* --- the end of a reload --- */

/* Lines that are queued go to the new file too: nothing is lost. */
static void log_move_on(struct ppg_reload *r)
{
    if (r->log_fd < 0)
        return;
    if (log_move(r->conf.log, r->log_fd))
        LOG(r->conf.log, LOG_ERROR, "log.reopen.fail", LOG_C("why", strerror(errno)));
    (void)close(r->log_fd);
}

static void tell_kept(struct ppg_reload *r)
{
    char what[512];

    for (size_t i = 0; i < r->errs.n; i++) {
        ppg_config_error_bare(&r->errs, i, what);
        LOG(r->conf.log, LOG_ERROR, "config.error", LOG_C("what", what));
    }
    LOG(r->conf.log, LOG_ERROR, "reload.kept", LOG_I("errors", r->errs.n + r->errs.more));
}

static void tell_done(struct ppg_reload *r)
{
    const struct ppg_config *config = r->current->config;
    const struct ppg_changes *c = &r->changes;

    LOG(r->conf.log, LOG_WARN, "reload.done", LOG_I("generation", ppg_config_generation(config)),
        LOG_I("accounts", sec_accounts_count(ppg_config_accounts(config))),
        LOG_I("accounts_added", c->accounts_added), LOG_I("accounts_removed", c->accounts_removed),
        LOG_I("accounts_changed", c->accounts_changed), LOG_C("accounts_named", c->named),
        LOG_I("delegates_changed", c->delegates),
        LOG_I("rules", sec_whitelist_rules(ppg_config_whitelist(config))),
        LOG_I("rules_added", c->rules_added), LOG_I("rules_removed", c->rules_removed),
        LOG_I("addresses", sec_whitelist_addresses(ppg_config_whitelist(config))),
        LOG_I("terminals", ota_registry_n(ppg_config_registry(config))),
        LOG_I("tls_files_changed", c->files));
}

static void loaded(uv_work_t *work, int status)
{
    struct ppg_reload *r = work->data;
    struct ppg_snapshot *old = r->current;
    ppg_reload_done_fn *done = r->done;

    r->loading = false;
    r->done = NULL;
    if (status)
        r->result = ERR_LATE;
    else
        log_move_on(r);
    if (r->result) {
        tell_kept(r);
    } else {
        r->current = r->fresh;
        r->last = r->changes;
        r->conf.take(r->conf.arg, old, r->current);
        tell_done(r);
        retire(r, old);
    }
    if (done)
        done(r->done_arg, r->result, &r->errs);
    if (r->again && !r->loading && ppg_reload_soon(r))
        LOG(r->conf.log, LOG_ERROR, "reload.fail");
}

static enum err begin(struct ppg_reload *r, bool by_signal, ppg_reload_done_fn *done, void *done_arg)
{
    if (r->loading)
        return ERR_LATE;
    r->by_signal = by_signal; /* the worker looks at it at once */
    if (uv_queue_work(r->conf.loop, &r->work, load, loaded))
        return ERR_IO;
    r->loading = true;
    r->again = false;
    r->done = done;
    r->done_arg = done_arg;
    return ERR_OK;
}

enum err ppg_reload_begin(struct ppg_reload *r, ppg_reload_done_fn *done, void *done_arg)
{
    return begin(r, false, done, done_arg);
}

enum err ppg_reload_soon(struct ppg_reload *r)
{
    r->again = r->loading;
    return r->loading ? ERR_OK : begin(r, true, NULL, NULL);
}

const struct ppg_changes *ppg_reload_changes(const struct ppg_reload *r)
{
    return &r->last;
}

/* --- life --- */

enum err ppg_reload_create(const struct ppg_reload_conf *conf, struct ppg_snapshot *snapshot,
                           struct ppg_reload **out)
{
    struct ppg_reload *r = calloc(1, sizeof *r);

    if (!r)
        return ERR_NOMEM;
    r->conf = *conf;
    r->current = ppg_snapshot_hold(snapshot);
    r->work.data = r->burial.data = r;
    list_init(&r->retired);
    *out = r;
    return ERR_OK;
}

void ppg_reload_free(struct ppg_reload **rp)
{
    struct ppg_reload *r = *rp;
    struct list *at;

    MUST(!ppg_reload_busy(r));
    while ((at = list_pop_front(&r->retired))) {
        struct retired *it = container_of(at, struct retired, link);

        ppg_snapshot_drop(&it->snapshot);
        ppg_config_drop(&it->config);
        free(it);
    }
    ppg_snapshot_drop(&r->current);
    free(r);
    *rp = NULL;
}

bool ppg_reload_busy(const struct ppg_reload *r)
{
    return r->loading || r->burying;
}
