/* Questions about pushes; see verify.h.  Anything but a clear yes is no. */
#include "ppg/handset/verify.h"

#include <jansson.h>
#include <stdlib.h>
#include "ota/headers.h"
#include "ota/sia.h"
#include "pap/time.h"
#include "ppg/handset/ask.h"
#include "ppg/handset/visit.h"

#define PATH SLICE("/sec/v1/verify")

struct tool_verify {
    struct tool_verify_conf conf;
    struct tool_ask *ask;
    struct tool_visit *visit;
    bool ended;
};

struct question {
    struct tool_verify *verify;
    unsigned place;
};

/* --- answers --- */

/* A genuine one, which has waited for this. */
static void follow(struct tool_verify *v, const struct kit_push *push)
{
    enum err e = ERR_OK;

    if (slice_eq_ci(ota_type_bare(push->content_type), SLICE(OTA_SIA_TYPE)))
        e = tool_visit_go(v->visit, push->body);
    if (e)
        LOG(v->conf.env->log, LOG_WARN, "visit.fail", LOG_C("why", err_text(e)));
}

static void tell(struct tool_verify *v, unsigned place, const struct kit_verified *said)
{
    const char *reason;
    struct kit_push push;
    enum kit_event ev = kit_verify_done(v->conf.kit, place, said, &push, &reason);

    if (ev == KIT_CONNECT)
        follow(v, &push);
    v->conf.told(ev, ev == KIT_CONNECT ? &push : NULL, reason, v->conf.arg);
}

/* {"valid": true, "not_after": TIME}; no member may be missing or stand twice. */
static void read_answer(struct slice body, struct kit_verified *said)
{
    json_t *o = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *valid = json_object_get(o, "valid"), *until = json_object_get(o, "not_after");

    said->answered = json_is_boolean(valid);
    said->valid = json_is_true(valid) && json_is_string(until) &&
                  !pap_time_parse(slice_of(json_string_value(until), json_string_length(until)), true,
                                  &said->not_after_s);
    json_decref(o);
}

static void on_answer(const struct net_http_msg *m, const char *why, void *arg)
{
    struct question *q = arg;
    struct tool_verify *v = q->verify;
    struct kit_verified said = {.now_s = clk_utc_ms(v->conf.env->clk) / 1000};

    if (m && m->status == 200)
        read_answer(m->body, &said);
    else
        LOG(v->conf.env->log, LOG_WARN, "verify.unanswered", LOG_I("status", m ? m->status : 0),
            LOG_C("why", m ? "refused" : why));
    if (!v->ended)
        tell(v, q->place, &said);
    free(q);
}

/* --- questions --- */

static enum err print_question(const struct kit_question *k, struct buf *out)
{
    json_t *o =
        json_pack("{s:s%, s:s%}", "token", k->token.p, k->token.n, "digest", k->digest.p, k->digest.n);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

    json_decref(o);
    if (!text)
        return ERR_NOMEM;
    buf_add_str(out, text);
    free(text);
    return buf_err(out);
}

static enum err begin(struct tool_verify *v, const struct kit_question *k)
{
    struct question *q = calloc(1, sizeof *q);
    struct buf body;
    enum err e = ERR_NOMEM;

    buf_init(&body, TOOL_ASK_BODY_MAX_N);
    if (q) {
        q->verify = v;
        q->place = k->place;
        e = print_question(k, &body);
    }
    if (!e)
        e = tool_ask_send(v->ask, PATH, buf_slice(&body), on_answer, q);
    buf_clear(&body);
    if (e)
        free(q);
    return e;
}

void tool_verify_go(struct tool_verify *v)
{
    const struct kit_verified nothing = {.answered = false};
    struct kit_question k;

    while (!v->ended && kit_verify_next(v->conf.kit, &k))
        if (begin(v, &k))
            tell(v, k.place, &nothing);
}

size_t tool_verify_open(const struct tool_verify *v)
{
    return tool_ask_open(v->ask);
}

/* --- life --- */

static enum err make_visit(struct tool_verify *v, struct net_tls_ctx *tls)
{
    const struct tool_visit_conf visit = {.env = v->conf.env,
                                          .tls = tls,
                                          .limits = v->conf.limits,
                                          .request = v->conf.request,
                                          .arg = v->conf.arg};

    return tool_visit_create(&visit, &v->visit);
}

void tool_verify_keyed(struct tool_verify *v)
{
    bool visits = true;

    if (!v || v->ended)
        return;
    if (v->visit)
        tool_visit_set_tls(v->visit, tool_ask_tls(v->ask));
    else
        visits = !make_visit(v, tool_ask_tls(v->ask));
    if (visits)
        tool_ask_keyed(v->ask);
    else
        tool_ask_unkeyed(v->ask);
}

void tool_verify_unkeyed(struct tool_verify *v)
{
    if (v)
        tool_ask_unkeyed(v->ask);
}

static void gone(void *arg)
{
    free(arg);
}

enum err tool_verify_create(const struct tool_verify_conf *conf, struct tool_verify **out,
                            char why[TOOL_WHY_N])
{
    const struct tool_ask_conf ask = {conf->env, conf->home, conf->boot, conf->terminal_id};
    struct tool_verify *v = calloc(1, sizeof *v);
    enum err e = ERR_NOMEM;

    (void)snprintf(why, TOOL_WHY_N, "%s", err_text(e));
    if (!v)
        return e;
    v->conf = *conf;
    e = tool_ask_create(&ask, &v->ask, why);
    if (!e && tool_ask_tls(v->ask)) /* else with the key, tool_verify_keyed() */
        e = make_visit(v, tool_ask_tls(v->ask));
    if (!e)
        *out = v;
    else if (v->ask)
        tool_ask_close(&v->ask, gone, v);
    else
        free(v);
    return e;
}

void tool_verify_drain(struct tool_verify *v)
{
    if (!v)
        return;
    v->ended = true;
    tool_ask_drain(v->ask);
    tool_visit_drain(v->visit);
}

void tool_verify_close(struct tool_verify **vp)
{
    struct tool_verify *v = *vp;

    *vp = NULL;
    if (!v)
        return;
    v->ended = true;
    tool_visit_close(&v->visit);
    tool_ask_close(&v->ask, gone, v);
}
