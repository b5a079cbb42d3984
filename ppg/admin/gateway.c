/* The gateway as a whole: what it is doing, its configuration anew, its end.  Routes of admin.c; loop 0. */
#include "ppg/admin/work.h"

#include <stdlib.h>

#include "ppg/admin/metrics.h"

struct job {
    struct ppg_admin *admin;
    struct net_http_exchange *x;
    struct store_count count;
};

static struct job *job_new(struct ppg_admin *a, struct net_http_exchange *x)
{
    struct job *j = calloc(1, sizeof *j);

    if (j)
        *j = (struct job){.admin = a, .x = x};
    return j;
}

/* --- GET /status --- */

static void event_add(const char *event, uint64_t count, void *arg)
{
    ppg_json_set_n(arg, event, count);
}

/* Where key material comes from, and since when it does not. */
static void add_bsf(const struct ppg_admin *a, json_t *o)
{
    const struct ppg_bsf_state *state = &a->conf.core->shared->bsf;
    const char *url = ppg_core_settings(a->conf.core)->key_server.bsf_url, *why = atomic_load(&state->why);
    struct sec_farkeys *far = ppg_config_naf(a->conf.core->config, 0).far;
    int64_t away_ms = atomic_load(&state->away_since_ms);
    json_t *bsf;

    if (!url)
        return;
    bsf = json_object();
    ppg_json_set_text(bsf, "url", slice_str(url));
    ppg_json_set_text(bsf, "state", away_ms ? SLICE("away") : SLICE("ok"));
    ppg_json_set_n(bsf, "asked", atomic_load(&state->asked));
    ppg_json_set_n(bsf, "keys", sec_farkeys_count(far));
    ppg_json_set_n(bsf, "refused_keys", sec_farkeys_refused(far));
    if (away_ms) {
        ppg_json_set_time(bsf, "away_since", away_ms);
        ppg_json_set_text(bsf, "reason", slice_str(why));
    }
    ppg_json_set(o, "bsf", bsf);
}

static json_t *status_json(const struct ppg_admin *a, const struct store_count *c)
{
    struct ppg_status s = {.loops = 0};
    json_t *o = json_object(), *targets = json_object(), *events = json_object();

    a->conf.status(a->conf.arg, &s);
    ppg_json_set_text(o, "version", SLICE(PPG_VERSION));
    ppg_json_set_n(o, "uptime_s", (uint64_t)(clk_mono_ms(a->env->clk) - a->started_ms) / 1000);
    ppg_json_set_n(o, "loops", s.loops);
    ppg_json_set_n(o, "generation", s.generation);
    ppg_json_set(o, "draining", json_boolean(s.draining));
    ppg_json_set_n(o, "connections", s.connections);
    ppg_json_set_n(targets, "live", s.live);
    ppg_json_set_n(targets, "waiting", c->waiting);
    ppg_json_set_n(targets, "leased", c->leased);
    ppg_json_set(o, "targets", targets);
    ppg_json_set_n(o, "notices", c->notices);
    ppg_json_set_n(o, "store_octets", c->file_n);
    add_bsf(a, o);
    if (a->conf.core->shared->log)
        log_counts(a->conf.core->shared->log, event_add, events);
    ppg_json_set(o, "events", events);
    return o;
}

static void status_done(struct store_op *op)
{
    struct job *j = op->arg;

    if (op->err)
        ppg_admin_refuse(j->x, 503, "the store does not answer");
    else
        ppg_admin_answer(j->x, 200, status_json(j->admin, &j->count));
    free(j);
}

void ppg_admin_status(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    struct job *j = job_new(a, x);

    (void)r;
    if (!j) {
        ppg_admin_refuse(x, 503, "out of memory");
        return;
    }
    j->count.op = (struct store_op){.kind = STORE_COUNT, .done = status_done, .arg = j};
    ppg_core_submit(a->conf.core, &j->count.op);
}

void ppg_admin_metrics(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    const struct ppg_metrics_from from = {
        .core = a->conf.core, .status = a->conf.status, .arg = a->conf.arg, .started_s = a->started_s};

    (void)r;
    ppg_metrics_answer(&from, x);
}

/* --- POST /reload, POST /drain --- */

json_t *ppg_admin_errors_json(enum err result, const struct ppg_config_errors *errs)
{
    json_t *o = json_object(), *lines = json_array();

    ppg_json_set_text(o, "error", slice_str(err_text(result)));
    for (size_t i = 0; i < errs->n; i++)
        (void)json_array_append_new(lines, ppg_json_text(slice_str(errs->text[i])));
    ppg_json_set(o, "errors", lines);
    ppg_json_set_n(o, "more", errs->more);
    return o;
}

/* What changed, where that is known. */
static void note_reload(const struct job *j, const struct ppg_status *s, const json_t *answer)
{
    json_t *changes = NULL;
    struct buf text;

    buf_init(&text, 2 * PPG_CHANGES_NAMED_N + 512);
    if (s->changes) {
        ppg_changes_print(s->changes, &text);
        changes = buf_err(&text) ? NULL : json_loadb(text.p, text.n, 0, NULL);
    }
    ppg_admin_note(j->admin, j->x, "reload", changes ? changes : answer);
    json_decref(changes);
    buf_clear(&text);
}

static void reload_done(void *arg, enum err result, const struct ppg_config_errors *errs)
{
    struct job *j = arg;
    struct ppg_status s = {.loops = 0};
    json_t *o;

    if (result) {
        ppg_admin_answer(j->x, 422, ppg_admin_errors_json(result, errs));
    } else {
        j->admin->conf.status(j->admin->conf.arg, &s);
        o = json_object();
        ppg_json_set_n(o, "generation", s.generation);
        if (s.at_start && s.at_start[0])
            ppg_json_set_text(o, "needs_restart", slice_str(s.at_start));
        note_reload(j, &s, o);
        ppg_admin_answer(j->x, 200, o);
    }
    free(j);
}

void ppg_admin_reload(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    struct job *j = job_new(a, x);
    enum err e = j ? a->conf.reload(a->conf.arg, reload_done, j) : ERR_NOMEM;

    (void)r;
    if (!e)
        return;
    ppg_admin_refuse(x, e == ERR_LATE ? 409 : 503, e == ERR_LATE ? "a reload is under way" : err_text(e));
    free(j);
}

void ppg_admin_drain(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    json_t *o = json_object();

    (void)r;
    ppg_json_set(o, "draining", json_true());
    ppg_admin_note(a, x, "drain", NULL);
    ppg_admin_answer(x, 200, o);
    a->conf.drain(a->conf.arg);
}
