/* The gateway on a desk; see replay_world.h. */
#include "tests/replay/replay_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/num.h"
#include "ppg/notify.h"
#include "ppg/schedule.h"
#include "ppg/doors/waits.h"
#include "tests/unit/harness.h"

#define TURNS_MAX  5000u /* of one step; more is somebody spinning */
#define FORGET_MAX 100u  /* steps until memory is empty */

/* --- configuration --- */

void replay_set(struct replay_world *w, const char *section, const char *key, const char *value)
{
    size_t i = 0;
    size_t at = w->settings_n;

    while (i < w->settings_n &&
           (strcmp(w->settings[i].section, section) != 0 || strcmp(w->settings[i].key, key) != 0))
        i++;
    if (i == w->settings_n) { /* a section's keys stay together */
        MUST(w->settings_n++ < REPLAY_SETTINGS_MAX);
        while (at > 0 && strcmp(w->settings[at - 1].section, section) > 0) {
            w->settings[at] = w->settings[at - 1];
            at--;
        }
        i = at;
    }
    (void)snprintf(w->settings[i].section, sizeof w->settings[i].section, "%s", section);
    (void)snprintf(w->settings[i].key, sizeof w->settings[i].key, "%s", key);
    (void)snprintf(w->settings[i].value, sizeof w->settings[i].value, "%s", value);
}

static bool load(struct replay_world *w, struct ppg_config **out)
{
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);
    char path[300];
    enum err e = ERR_IO;

    MUST(errs != NULL);
    if (replay_conf_write(w, path)) {
        e = ppg_config_load(path, out, errs);
        if (e)
            (void)snprintf(w->why, sizeof w->why, "%s", errs->n ? errs->text[0] : err_text(e));
    }
    free(errs);
    return !e;
}

bool replay_reload(struct replay_world *w)
{
    struct ppg_config *fresh;

    if (!load(w, &fresh))
        return false;
    ppg_config_follow(fresh, w->config);
    for (unsigned i = 0; i < w->cores_n; i++)
        ppg_core_set_config(&w->cores[i].core, fresh);
    ppg_config_drop(&w->config);
    w->config = fresh;
    return true;
}

/* --- life --- */

static void hand(void *host, unsigned loop, struct list *targets)
{
    struct replay_port *port = host;
    struct replay_world *w = container_of(port->net->clk, struct replay_world, clk.clk);

    MUST(loop < w->cores_n && loop != port->core);
    list_splice_back(&w->cores[loop].handed, targets);
}

static void errand(void *host, struct ppg_errand *e)
{
    struct replay_port *port = host;
    struct replay_world *w = container_of(port->net->clk, struct replay_world, clk.clk);
    unsigned to = e->returning ? e->from : e->to;

    MUST(to < w->cores_n);
    list_push_back(&w->cores[to].errands, &e->link);
}

static void posted(void *arg, unsigned loop, struct list *done)
{
    struct replay_world *w = arg;

    list_splice_back(loop < w->cores_n ? &w->cores[loop].done : &w->mail, done);
}

static enum err core_start(struct replay_world *w, unsigned i)
{
    static const struct ota_bearer *const bearers[] = {&replay_bearer, &replay_datagrams, &ota_bearer_inbox};
    struct replay_core *rc = &w->cores[i];

    list_init(&rc->handed);
    list_init(&rc->errands);
    list_init(&rc->done);
    rc->world = w;
    rc->core = (struct ppg_core){.loop = i,
                                 .shared = &w->shared,
                                 .config = w->config,
                                 .bearers = bearers,
                                 .bearers_n = 3,
                                 .bearer_self = {&w->net->ports[i], &w->net->ports[i], &w->net->ports[i]},
                                 .hand = hand,
                                 .errand = errand,
                                 .post = replay_net_post,
                                 .host = &w->net->ports[i]};
    return ppg_core_init(&rc->core);
}

/* From the store up; the configuration is loaded. */
static bool open_all(struct replay_world *w)
{
    w->shared = (struct ppg_shared){.loops = w->cores_n, .spread = {1, 2}, .clk = &w->clk.clk};
    replay_cut_init(&w->cut);
    list_init(&w->mail);
    w->store_conf = (struct store_conf){.engine = "sqlite",
                                        .path = w->store_path,
                                        .pending_max = 100000,
                                        .loops = w->cores_n + 1, /* the last one is the world's own */
                                        .no_thread = true,
                                        .post = posted,
                                        .post_arg = w,
                                        .clk = &w->clk.clk,
                                        .io = &replay_engine,
                                        .step_arg = &w->cut};
    if (store_open(&w->store_conf, &w->shared.store, w->why))
        return false;
    MUST(!ota_profiles_create(REPLAY_TERMINALS_MAX, &w->shared.profiles) &&
         !ppg_waits_create(&w->shared.waits));
    w->net->profiles = w->shared.profiles;
    for (unsigned i = 0; i < w->cores_n; i++)
        MUST(!core_start(w, i));
    w->net->dead = w->dying = false;
    w->started = true;
    return true;
}

struct replay_world *replay_world_create(const char *name)
{
    static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
    struct replay_world *w = calloc(1, sizeof *w);
    char side[320];

    MUST(w != NULL);
    clk_virtual_init(&w->clk, REPLAY_START_MS);
    w->net = replay_net_create(&w->clk.clk);
    w->cores_n = 1;
    list_init(&w->submissions);
    list_init(&w->cancels);
    (void)snprintf(w->folder, sizeof w->folder, "%s", test_scratch());
    (void)snprintf(w->store_path, sizeof w->store_path, "%s/%s.db", w->folder, name);
    for (size_t i = 0; i < COUNT(tails); i++) {
        (void)snprintf(side, sizeof side, "%s%s", w->store_path, tails[i]);
        (void)unlink(side);
    }
    return w;
}

/* --- turns --- */

static bool core_turn(struct replay_core *rc)
{
    bool moved = !list_empty(&rc->handed) || !list_empty(&rc->errands) || !list_empty(&rc->done) ||
                 !list_empty(&rc->core.ops);
    struct list errands, *at;

    while ((at = list_pop_front(&rc->handed)))
        ppg_schedule_add(rc->core.schedule, container_of(at, struct ppg_target, link));
    list_init(&errands); /* those that come in now wait for the next turn */
    list_splice_back(&errands, &rc->errands);
    while ((at = list_pop_front(&errands)))
        ppg_core_errand_arrived(&rc->core, container_of(at, struct ppg_errand, link));
    ppg_core_done(&rc->core, &rc->done);
    ppg_core_flush(&rc->core);
    return moved;
}

static bool moment(struct replay_world *w, bool behind)
{
    return w->moment && !w->dying && w->moment(w->moment_arg, behind);
}

static bool turn_once(struct replay_world *w)
{
    bool moved = false;
    size_t live = atomic_load(&w->shared.live);

    for (unsigned i = 0; i < w->cores_n; i++)
        moved |= core_turn(&w->cores[i]);
    moved |= store_turn(w->shared.store);
    if (w->cut.cut && !w->dying)
        return false; /* the power is gone: what memory thinks does not matter any more */
    moved |= replay_net_fire(w->net);
    moved |= moment(w, true);
    w->live_most = live > w->live_most ? live : w->live_most;
    return moved;
}

void replay_turn(struct replay_world *w)
{
    unsigned n = 0;

    while (turn_once(w) && ++n < TURNS_MAX)
        ;
    if (n == TURNS_MAX)
        w->restless = true;
}

static void tick(struct replay_world *w)
{
    (void)moment(w, false);
    for (unsigned i = 0; i < w->cores_n; i++)
        ppg_core_tick(&w->cores[i].core);
    replay_turn(w);
}

bool replay_start(struct replay_world *w)
{
    if (w->started)
        return true;
    if (!load(w, &w->config) || !open_all(w))
        return false;
    tick(w); /* the gateway looks into its store before anybody can reach it */
    return true;
}

void replay_run(struct replay_world *w, int64_t ms, int64_t step_ms)
{
    int64_t end = clk_mono_ms(&w->clk.clk) + ms;

    replay_turn(w);
    if (!w->cut.cut)
        tick(w);
    while (!w->cut.cut && clk_mono_ms(&w->clk.clk) < end) {
        clk_virtual_advance(&w->clk, num_min64(step_ms, end - clk_mono_ms(&w->clk.clk)));
        tick(w);
    }
}

bool replay_busy(const struct replay_world *w)
{
    for (unsigned i = 0; i < w->cores_n; i++)
        if (ppg_core_busy(&w->cores[i].core) || !list_empty(&w->cores[i].handed))
            return true;
    return !list_empty(&w->net->pending);
}

/* --- crashes --- */

/* The store did this, but the process died before it heard. */
static void unhear(struct store_op *op)
{
    struct list *at;

    if (!op->err && op->kind == STORE_CLAIM)
        while ((at = list_pop_front(&container_of(op, struct store_claim, op)->targets)))
            ppg_push_drop(container_of(at, struct ppg_target, link)->push);
    if (!op->err && op->kind == STORE_NOTICE_CLAIM)
        while ((at = list_pop_front(&container_of(op, struct store_notice_claim, op)->notices))) {
            struct ppg_notice *n = container_of(at, struct ppg_notice, link);

            ppg_notice_free(&n);
        }
    op->err = ERR_IO;
}

/* Drains all memory while nothing can be written or sent. */
static void forget(struct replay_world *w)
{
    w->dying = w->net->dead = w->cut.cut = true;
    atomic_store(&w->shared.draining, true);
    for (unsigned i = 0; i < w->cores_n; i++)
        LIST_EACH (at, &w->cores[i].done)
            unhear(container_of(at, struct store_op, link));
    for (unsigned n = 0; n < FORGET_MAX && replay_busy(w); n++) {
        replay_net_break(w->net);
        tick(w);
    }
    MUST(!replay_busy(w));
    for (unsigned i = 0; i < w->cores_n; i++)
        ppg_core_clear(&w->cores[i].core);
    store_close(&w->shared.store);
    ota_profiles_free(&w->shared.profiles);
    ppg_waits_free(&w->shared.waits);
    w->started = false;
}

bool replay_crash(struct replay_world *w, int64_t down_ms)
{
    forget(w);
    clk_virtual_advance(&w->clk, down_ms);
    ppg_config_drop(&w->config); /* the numbers of a key server are memory, too */
    return load(w, &w->config) && open_all(w);
}

void replay_world_free(struct replay_world **wp)
{
    struct replay_world *w = *wp;
    struct list *at;

    if (w->started)
        forget(w);
    while ((at = list_pop_front(&w->submissions)))
        free(container_of(at, struct replay_submission, link));
    replay_cancels_free(w);
    ppg_config_drop(&w->config);
    replay_net_free(&w->net);
    free(w);
    *wp = NULL;
}

/* --- submissions --- */

static void enqueued(enum err result, void *arg)
{
    struct replay_submission *s = arg;

    s->answered = !s->world->dying;
    s->result = result;
}

static struct slice copy(struct ppg_push *p, struct slice s)
{
    struct slice out = SLICE_NONE;

    MUST(!s.n || !arena_dup(&p->mem, s, &out));
    return out;
}

static struct slice url_of(struct ppg_push *p, struct slice host)
{
    char url[100];

    (void)snprintf(url, sizeof url, "http://%.*s/result", SLICE_FMT(host));
    return copy(p, slice_str(url));
}

static void push_fill(struct replay_world *w, struct ppg_push *p, const struct replay_submit *s)
{
    int64_t now = clk_utc_ms(&w->clk.clk);
    char *body = s->body.p ? NULL : arena_alloc(&p->mem, s->body_n + 1);

    MUST(body || s->body.p);
    p->push_id = copy(p, s->push_id);
    p->initiator = copy(p, s->initiator);
    if (s->notify)
        p->notify_url = url_of(p, s->server.n ? s->server : SLICE("pi.example"));
    p->content_type = copy(p, s->type.n ? s->type : SLICE("text/plain"));
    p->body = s->body.p ? copy(p, s->body) : slice_of(body, s->body_n);
    p->headers = copy(p, s->headers);
    p->flags = PPG_AUTHENTICATED | PPG_HAS_QOS;
    p->version = PAP_VERSION_1_0;
    p->priority = (uint8_t)s->priority;
    p->method = (uint8_t)s->method;
    p->asked = s->asked;
    p->replace_id = copy(p, s->replaces);
    p->replace = (uint8_t)s->replace;
    p->accepted_ms = now;
    p->not_before_ms = s->after_ms ? now + s->after_ms : 0;
    p->expires_ms =
        now + (s->before_ms ? s->before_ms : ppg_config_settings(w->config)->pap.default_lifetime_ms);
    p->targets = arena_array(&p->mem, s->to_n, sizeof *p->targets);
    p->targets_n = s->to_n;
    MUST(p->targets != NULL);
    for (size_t i = 0; i < s->to_n; i++) {
        p->targets[i].address = copy(p, s->to[i]);
        p->targets[i].key = p->targets[i].address;
        p->targets[i].demanded = s->demanded;
    }
}

struct replay_submission *replay_submit(struct replay_world *w, const struct replay_submit *s)
{
    struct replay_submission *sub = calloc(1, sizeof *sub);
    struct ppg_push *p = ppg_push_create(4096, 1u << 24);

    MUST(sub && p);
    push_fill(w, p, s);
    sub->world = w;
    MUST(!mem_cstr(sub->push_id, sizeof sub->push_id, s->push_id));
    list_push_front(&w->submissions, &sub->link);
    ppg_enqueue(&w->cores[0].core, &sub->enqueue, p, 0, enqueued, sub);
    return sub;
}

/* --- looking into the store --- */

enum err replay_store(struct replay_world *w, struct store_op *op, enum store_kind kind)
{
    struct list ops;

    list_init(&ops);
    op->kind = kind;
    op->loop = w->cores_n;
    list_push_back(&ops, &op->link);
    store_submit(w->shared.store, &ops);
    while (list_empty(&w->mail))
        MUST(store_turn(w->shared.store));
    MUST(list_pop_front(&w->mail) == &op->link);
    return op->err;
}

enum err replay_show(struct replay_world *w, struct slice push_id, struct slice address,
                     struct replay_state *out)
{
    struct store_show show = {.push_id = push_id};
    enum err e = replay_store(w, &show.op, STORE_SHOW);

    if (e)
        return e;
    e = ERR_ABSENT;
    for (size_t i = 0; i < show.targets_n; i++) {
        const struct store_show_target *t = &show.targets[i];

        if (!slice_eq(t->address, address))
            continue;
        *out = (struct replay_state){.stage = t->stage,
                                     .code = t->code,
                                     .tries = t->tries,
                                     .notified = t->notified,
                                     .leased = t->leased,
                                     .due_ms = t->due_ms};
        mem_copy(out->note, sizeof out->note - 1, slice_sub(t->note, 0, sizeof out->note - 1));
        e = ERR_OK;
    }
    ppg_push_drop(show.push);
    return e;
}
