/* Requests about keys and associations: what they say, where they run, how they are answered.  What each does:
 * key_do.c, key_sa.c.  A body may hold a secret: it is taken out of the exchange and wiped, and jansson
 * wipes what it made of it (json_wipe.h).  Loop 0, but work(). */
#include "ppg/admin/key.h"

#include <stdlib.h>
#include "base/codec.h"

#define QUERY_MAX_N 1024

static const struct ppg_keyop ops[] = {
    {"/keys", 0, 0, ppg_keyjob_list, NULL, NULL},
    {"/keys/add", PPG_KEYJOB_NAME | PPG_KEYJOB_KIND,
     PPG_KEYJOB_SECRET | PPG_KEYJOB_PACKAGE | PPG_KEYJOB_SUITES | PPG_KEYJOB_EXPIRES, ppg_keyjob_add,
     "key.added", NULL},
    {"/keys/import", PPG_KEYJOB_NAME | PPG_KEYJOB_ASSOCIATION, 0, ppg_keyjob_import, "key.imported", NULL},
    {"/keys/rotate", PPG_KEYJOB_NAME | PPG_KEYJOB_UNTIL,
     PPG_KEYJOB_SECRET | PPG_KEYJOB_PACKAGE | PPG_KEYJOB_SUITES | PPG_KEYJOB_EXPIRES, ppg_keyjob_rotate,
     "key.rotated", NULL},
    {"/keys/remove", PPG_KEYJOB_NAME, 0, ppg_keyjob_remove, "key.removed", NULL},
    {"/sa", 0, PPG_KEYJOB_NAME, ppg_keyjob_sa, NULL, ppg_keyjob_sa_stored},
    {"/sa/revoke", PPG_KEYJOB_NAME, 0, ppg_keyjob_revoke, "sa.revoked", ppg_keyjob_revoke_stored},
};

static const struct word {
    const char *name;
    unsigned bit;
    size_t at;
    size_t max_n;
} words[] = {
    {"name", PPG_KEYJOB_NAME, offsetof(struct ppg_keyjob, name), 512},
    {"kind", PPG_KEYJOB_KIND, offsetof(struct ppg_keyjob, kind), 32},
    {"secret", PPG_KEYJOB_SECRET, offsetof(struct ppg_keyjob, secret), 2 * SEC_SECRET_MAX_N},
    {"association", PPG_KEYJOB_ASSOCIATION, offsetof(struct ppg_keyjob, association), 4096},
    {"suites", PPG_KEYJOB_SUITES, offsetof(struct ppg_keyjob, suites), 200},
    {"expires", PPG_KEYJOB_EXPIRES, offsetof(struct ppg_keyjob, expires), 40},
    {"package_until", PPG_KEYJOB_PACKAGE, offsetof(struct ppg_keyjob, package_until), 40},
    {"until", PPG_KEYJOB_UNTIL, offsetof(struct ppg_keyjob, until), 40},
};

enum err ppg_keyjob_no(struct ppg_keyjob *job, enum err e, const char *why)
{
    (void)snprintf(job->why, sizeof job->why, "%s", why);
    return e;
}

/* --- reading --- */

static enum err set_word(struct ppg_keyjob *job, struct slice name, struct slice value)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const struct word *w = &words[i];

        if (!slice_eq(name, slice_str(w->name)))
            continue;
        if (!((job->op->may | job->op->must) & w->bit) || job->given & w->bit || !value.n ||
            value.n > w->max_n)
            return ERR_MALFORMED;
        job->given |= w->bit;
        *(struct slice *)(void *)((char *)job + w->at) = value;
        return ERR_OK;
    }
    return ERR_MALFORMED;
}

static enum err body_read(struct ppg_keyjob *job)
{
    struct buf text;
    const char *name;
    json_t *value;
    enum err e;

    buf_init(&text, 0);
    net_http_exchange_take_body(job->x, &text);
    job->body = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
    buf_wipe(&text);
    e = json_is_object(job->body) ? ERR_OK : ERR_MALFORMED;
    json_object_foreach(job->body, name, value)
    {
        if (!e)
            e = json_is_string(value)
                    ? set_word(job, slice_str(name),
                               slice_of(json_string_value(value), json_string_length(value)))
                    : ERR_MALFORMED;
    }
    return e;
}

/* Nothing, or one name=value. */
static enum err query_read(struct ppg_keyjob *job, struct slice query)
{
    struct slice name, value;
    enum err e;

    if (!query.n)
        return ERR_OK;
    if (!slice_cut(query, '=', &name, &value))
        return ERR_MALFORMED;
    e = codec_unpercent(value, &job->query);
    return e ? e : set_word(job, name, buf_slice(&job->query));
}

static enum err read_request(struct ppg_keyjob *job)
{
    const struct net_http_msg *m = net_http_exchange_msg(job->x);
    struct slice path, query;
    enum err e;

    (void)slice_cut(m->target, '?', &path, &query);
    e = slice_eq(m->method, SLICE("POST")) ? body_read(job) : query_read(job, query);
    return !e && (job->given & job->op->must) != job->op->must ? ERR_MALFORMED : e;
}

/* --- answering --- */

static void job_free(struct ppg_keyjob *job)
{
    json_decref(job->body);
    buf_clear(&job->query);
    json_decref(job->answer);
    ppg_config_drop(&job->config);
    free(job);
}

void ppg_keyjob_answer(struct ppg_keyjob *job)
{
    ppg_admin_answer(job->x, 200, job->answer);
    job->answer = NULL;
    job_free(job);
}

static void not_in_force(struct ppg_keyjob *job, const char *why, const struct ppg_config_errors *errs)
{
    json_t *lines = json_array();

    ppg_json_set(job->answer, "in_force", json_false());
    ppg_json_set_text(job->answer, "why", slice_str(why));
    for (size_t i = 0; errs && i < errs->n; i++)
        (void)json_array_append_new(lines, ppg_json_text(slice_str(errs->text[i])));
    ppg_json_set(job->answer, "errors", lines);
}

static void reloaded(void *arg, enum err result, const struct ppg_config_errors *errs)
{
    struct ppg_keyjob *job = arg;

    if (result)
        not_in_force(job, "the configuration has mistakes", errs);
    else
        ppg_json_set(job->answer, "in_force", json_true());
    ppg_keyjob_answer(job);
}

/* On disk; a reload brings it into force. */
static void changed(struct ppg_keyjob *job)
{
    struct ppg_admin *a = job->admin;

    LOG(a->env->log, LOG_WARN, job->op->event, LOG_A("key", job->name),
        LOG_C("kind", json_string_value(json_object_get(job->answer, "kind"))),
        LOG_I("version", json_integer_value(json_object_get(job->answer, "version"))));
    if (!a->conf.reload(a->conf.arg, reloaded, job))
        return;
    not_in_force(job, "a reload is under way; ask for another", NULL);
    ppg_keyjob_answer(job);
}

static unsigned status_of(enum err e)
{
    switch (e) {
    case ERR_ABSENT:
        return 404;
    case ERR_EXISTS:
    case ERR_LATE:
        return 409;
    case ERR_MALFORMED:
    case ERR_UNSUPPORTED:
    case ERR_LIMIT:
        return 422;
    default:
        return 503;
    }
}

static void work(uv_work_t *w)
{
    struct ppg_keyjob *job = w->data;

    job->err = job->op->run(job);
}

void ppg_keyjob_finish(struct ppg_keyjob *job)
{
    if (!job->err && job->op->event) {
        changed(job);
    } else if (!job->err) {
        ppg_keyjob_answer(job);
    } else {
        LOG(job->admin->env->log, LOG_WARN, "key.refused", LOG_C("request", job->op->path),
            LOG_A("key", job->name), LOG_C("why", job->why));
        ppg_admin_refuse(job->x, status_of(job->err), job->why);
        job_free(job);
    }
}

static void work_done(uv_work_t *w, int status)
{
    struct ppg_keyjob *job = w->data;

    if (status)
        job->err = ppg_keyjob_no(job, ERR_LATE, "the gateway ends");
    if (!status && job->op->then)
        job->op->then(job);
    else
        ppg_keyjob_finish(job);
}

static const struct ppg_keyop *op_of(const char *path)
{
    size_t i = 0;

    while (!slice_eq(slice_str(ops[i].path), slice_str(path)))
        MUST(++i < sizeof ops / sizeof ops[0]);
    return &ops[i];
}

void ppg_admin_key(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    struct ppg_keyjob *job = calloc(1, sizeof *job);

    if (!job) {
        ppg_admin_refuse(x, 503, "out of memory");
        return;
    }
    job->admin = a;
    job->x = x;
    job->op = op_of(r->path);
    job->config = ppg_config_hold(a->conf.core->config);
    job->now_s = clk_utc_ms(a->env->clk) / 1000;
    job->uid = (uid_t)-1;
    (void)!net_http_exchange_uid(x, &job->uid);
    job->work.data = job;
    buf_init(&job->query, QUERY_MAX_N);
    if (read_request(job)) {
        ppg_admin_refuse(x, 400, r->usage);
        job_free(job);
    } else if (uv_queue_work(a->env->loop, &job->work, work, work_done)) {
        ppg_admin_refuse(x, 503, "out of memory");
        job_free(job);
    }
}
