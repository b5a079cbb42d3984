/* Paying the debts of the outbox; see notify.h.
 *
 * A notice that is owed or claimed first asks for its turn (turns.h): it gets a slot in memory and waits for a place
 * on the wire, or it goes back to the store until later.  A server that rests (rest.h) is not tried at all.  What the
 * initiator's answer means is in decide(): 2xx with a code 2xxx, 3xx and other 4xx are final refusals, every other 2xx
 * is told, everything else is tried again.  [PAP §3.4].  Runs on the core's loop, but for room_of(). */
#include "ppg/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/map.h"
#include "base/net/uri.h"
#include "base/num.h"
#include "pap/print.h"
#include "pap/vocab.h"
#include "ppg/outbound.h"
#include "ppg/reply.h"
#include "ppg/rest.h"
#include "ppg/stage.h"
#include "ppg/turns.h"

#define WAITING_MAX        2048u      /* notices in memory beyond those on the wire */
#define SPARE_MAX          256u       /* notices that a claim brought and that go back at once */
#define DOCUMENT_MAX       65536u     /* octets of a notification and of its answer */
#define AGAIN_MS           1000       /* the store could not write or memory is out: look again */
#define CROWDED_MIN_MS     1000       /* no turn: come again when the debt is twice as old, */
#define CROWDED_MAX_MS     60000      /* but not later than this */
#define RETRY_AFTER_MAX_MS 3600000    /* what a server may ask for: the longest step of the usual table */
#define OWED_MAX_MS        86400000   /* a debt this old to a server that rests is given up */
#define RESTING_MAX        4096u      /* servers with failures that are remembered */
#define PROBE_PART         4u         /* probes of rested servers hold at most one place in so many */
#define ROOMS_MAX_N        (4u << 20) /* octets of the names in one struct rooms */

struct sending {
    struct list link;     /* in notify.idle, or in notify.again while the store could not write it */
    struct ppg_turn turn; /* initiator NULL: it got none and is on its way back */
    struct ppg_notify *notify;
    struct ppg_notice *notice;
    bool probe;
    int64_t began_mono_ms;
    union {
        struct store_op op;
        struct store_notice_done done;
        struct store_notice_move move;
    } as;
};

/* What each initiator has room for while a claim is under way; not touched by the loop meanwhile. */
struct rooms {
    struct map by_name; /* of struct room, for those with something in memory */
    struct arena mem;
    size_t other; /* for everybody else */
    bool shut;    /* out: somebody was asked about and had no room */
};

struct room {
    struct slice initiator;
    size_t left;
};

struct ppg_notify {
    struct ppg_core *core;
    struct ppg_turns *turns;
    struct ppg_rest *rest;
    struct sending
        *all; /* the memory of every sending there can be: settling a debt must not fail for want of it */
    struct list idle;
    size_t spares;
    size_t probes;
    size_t probes_max;
    struct list again; /* what the store refused; tried again by the tick */
    int64_t again_mono_ms;
    bool claiming;
    bool shut;  /* a claim passed over initiators that had no room */
    bool freed; /* something left memory since that claim was made */
    struct store_notice_claim claim;
    struct rooms rooms;
    struct buf document;
    char server[300]; /* scratch of server_of() and who() */
    char who[1024];
};

/* --- the document --- */

enum err ppg_notify_print(const struct ppg_settings *set, const struct ppg_notice *n, struct buf *out)
{
    struct slice address = n->address;
    struct pap_message m = {.kind = PAP_KIND_RESULTNOTIFICATION_MESSAGE,
                            .version = (enum pap_version)n->version};

    m.notification = (struct pap_notification){
        .push_id = n->push_id,
        .sender_address = slice_str(set->gateway.name),
        .sender_name = slice_str(set->gateway.sender_name),
        .received_time = {n->accepted_ms / 1000, true},
        .event_time = {n->event_ms / 1000, true},
        .state = ppg_stage_state((enum ppg_stage)n->stage),
        .code = (enum pap_code)n->code,
        .desc = slice_str(pap_code_text((enum pap_code)n->code)),
        .addrs = {&address, 1},
        .qos = ppg_reply_qos(n->flags, n->priority, n->method, n->network, n->bearer),
    };
    return pap_print(&m, out);
}

/* --- names --- */

/* "https://host:port", case folded: what notices have in common that go to one server. */
static struct slice server_of(struct ppg_notify *n, struct slice url)
{
    struct net_uri u;
    int len;

    if (net_uri_parse(url, &u))
        return url; /* post() will say no */
    len = snprintf(n->server, sizeof n->server, "%s://%.*s:%u", u.https ? "https" : "http", SLICE_FMT(u.host),
                   u.port);
    for (char *p = n->server; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return slice_of(n->server, num_min((size_t)len, sizeof n->server - 1));
}

/* A server as one initiator uses it: nobody can make it rest for somebody else. */
static struct slice who(struct ppg_notify *n, struct slice initiator, struct slice server)
{
    int len = snprintf(n->who, sizeof n->who, "%.*s %.*s", SLICE_FMT(initiator),
                       SLICE_FMT(slice_sub(server, 0, 600)));

    return slice_of(n->who, num_min((size_t)len, sizeof n->who - 1));
}

static struct slice who_is(struct sending *s)
{
    return who(s->notify, ppg_turn_initiator(&s->turn), ppg_turn_server(&s->turn));
}

/* --- memory --- */

static struct sending *sending_new(struct ppg_notify *n)
{
    struct list *at = list_pop_front(&n->idle);
    struct sending *s = at ? container_of(at, struct sending, link) : NULL;

    if (s) {
        *s = (struct sending){.notify = n};
        list_init(&s->link);
    }
    return s;
}

/* Who was kept out of a claim may have room now. */
static void claim_shut_out(struct ppg_notify *n)
{
    if (!n->shut || !n->freed)
        return;
    n->shut = n->freed = false;
    ppg_shared_due(&n->core->shared->next_notice_ms, ppg_core_utc_ms(n->core));
}

static void sending_free(struct sending *s)
{
    struct ppg_notify *n = s->notify;

    if (s->turn.initiator) {
        ppg_turns_drop(n->turns, &s->turn);
        n->freed = true;
        claim_shut_out(n);
    } else {
        n->spares--;
    }
    ppg_notice_free(&s->notice);
    list_push_back(&n->idle, &s->link);
}

/* --- settling a debt --- */

/* The store could not write: the debt stays in memory, where it is bounded, and is written again. */
static bool unrecorded(struct sending *s)
{
    struct ppg_shared *shared = s->notify->core->shared;

    if (!s->as.op.err || s->as.op.err == ERR_LATE)
        return false;
    LOG(shared->log, LOG_ERROR, "notify.unrecorded", LOG_I("notice", s->notice->id),
        LOG_C("error", err_name(s->as.op.err)));
    if (atomic_load(&shared->draining))
        return false;
    list_push_back(&s->notify->again, &s->link);
    return true;
}

static void write_again(struct ppg_notify *n)
{
    struct list *at;

    if (ppg_core_mono_ms(n->core) < n->again_mono_ms && !atomic_load(&n->core->shared->draining))
        return;
    n->again_mono_ms = ppg_core_mono_ms(n->core) + AGAIN_MS;
    while ((at = list_pop_front(&n->again)))
        ppg_core_submit(n->core, &container_of(at, struct sending, link)->as.op);
}

static void settled(struct store_op *op)
{
    struct sending *s = container_of(op, struct sending, as.op);

    if (unrecorded(s))
        return;
    if (op->err)
        LOG(s->notify->core->shared->log, LOG_WARN, "notify.settled-already", LOG_I("notice", s->notice->id));
    else if (op->kind == STORE_NOTICE_MOVE)
        ppg_shared_due(&s->notify->core->shared->next_notice_ms, s->as.move.due_ms);
    sending_free(s);
}

static void close_debt(struct sending *s, bool told, unsigned code)
{
    LOG(s->notify->core->shared->log, told ? LOG_INFO : LOG_WARN, told ? "notify.told" : "notify.refused",
        LOG_S("push_id", s->notice->push_id), LOG_S("initiator", s->notice->initiator), LOG_I("code", code),
        LOG_I("try", s->notice->tries));
    s->as.done = (struct store_notice_done){.notice_id = s->notice->id, .told = told, .code = (uint16_t)code};
    s->as.op = (struct store_op){.kind = STORE_NOTICE_DONE, .done = settled};
    ppg_core_submit(s->notify->core, &s->as.op);
}

static void postpone(struct sending *s, int64_t in_ms)
{
    s->as.move = (struct store_notice_move){.notice_id = s->notice->id,
                                            .due_ms = ppg_core_utc_ms(s->notify->core) + in_ms,
                                            .tries = s->notice->tries};
    s->as.op = (struct store_op){.kind = STORE_NOTICE_MOVE, .done = settled};
    ppg_core_submit(s->notify->core, &s->as.op);
}

/* No turn: each time the wait is as long as the debt is old, so that a crowd does not keep the store busy. */
static int64_t crowded_ms(const struct ppg_notify *n, int64_t event_ms)
{
    return num_min64(num_max64(ppg_core_utc_ms(n->core) - event_ms, CROWDED_MIN_MS), CROWDED_MAX_MS);
}

/* Not tried, for its server rests. */
static void wait_out(struct sending *s, int64_t in_ms)
{
    if (ppg_core_utc_ms(s->notify->core) - s->notice->event_ms > OWED_MAX_MS)
        close_debt(s, false, 0);
    else
        postpone(s, in_ms);
}

/* --- what the initiator answered --- */

/* The code in the answer's document, or 0 when there is none to read. */
static unsigned answer_code(struct ppg_core *c, struct slice body)
{
    struct pap_limits limits = PAP_LIMITS_DEFAULT;
    struct pap_message m;
    struct pap_fault fault;
    struct arena mem;
    unsigned code = 0;

    arena_init(&mem, 1024, DOCUMENT_MAX);
    if (!pap_parse(c->parser, body, &limits, &mem, &m, &fault) &&
        m.kind == PAP_KIND_RESULTNOTIFICATION_RESPONSE)
        code = m.notification_response.code;
    arena_clear(&mem);
    return code;
}

static void try_again(struct sending *s, const struct ppg_post_answer *a)
{
    const struct ppg_settings *set = ppg_core_settings(s->notify->core);
    int64_t asked_ms = num_min64(a->retry_after_ms, RETRY_AFTER_MAX_MS);
    int64_t in_ms;

    if (s->notice->tries > set->notify.retries_n) {
        close_debt(s, false, a->status);
        return;
    }
    in_ms = num_max64(set->notify.retry_ms[s->notice->tries - 1], asked_ms);
    LOG(s->notify->core->shared->log, LOG_INFO, "notify.retry", LOG_S("push_id", s->notice->push_id),
        LOG_S("initiator", s->notice->initiator), LOG_I("try", s->notice->tries), LOG_I("status", a->status),
        LOG_C("error", a->err ? err_name(a->err) : ""), LOG_C("tls", a->tls_why), LOG_I("in_ms", in_ms));
    postpone(s, in_ms);
}

static void decide(struct sending *s, const struct ppg_post_answer *a)
{
    unsigned code;

    if (a->err || a->status >= 500 || a->status == 429 || a->status == 408 || a->status < 200) {
        try_again(s, a);
        return;
    }
    if (a->status >= 300) { /* 3xx is not followed, 4xx will not change its mind */
        close_debt(s, false, a->status);
        return;
    }
    code = a->body.n ? answer_code(s->notify->core, a->body) : PAP_CODE_OK;
    close_debt(s, pap_code_class((enum pap_code)code) != PAP_CODE_BAD_REQUEST, code);
}

/* The server could not be reached, did not prove who it is, or kept silent; whatever else it says, it lives. */
static enum ppg_turn_word word_of(const struct ppg_notify *n, enum err err)
{
    if (atomic_load(&n->core->shared->draining) || err == ERR_NOMEM || err == ERR_IO)
        return PPG_TURN_NOTHING; /* our own doing */
    return err == ERR_PEER || err == ERR_LATE || err == ERR_ABSENT || err == ERR_DENIED ? PPG_TURN_BAD
                                                                                        : PPG_TURN_GOOD;
}

static void tell_rest(struct sending *s, enum ppg_turn_word word, const struct ppg_post_answer *a)
{
    struct ppg_notify *n = s->notify;
    int64_t now = ppg_core_mono_ms(n->core);
    enum ppg_rest_change change;

    if (word == PPG_TURN_NOTHING)
        return;
    change = ppg_rest_tell(n->rest, who_is(s), word == PPG_TURN_GOOD, s->began_mono_ms, now,
                           ppg_core_settings(n->core)->notify.retry_ms[0]);
    if (change == PPG_REST_BEGAN)
        LOG(n->core->shared->log, LOG_WARN, "notify.rested", LOG_S("initiator", s->notice->initiator),
            LOG_S("server", ppg_turn_server(&s->turn)), LOG_C("error", err_name(a->err)),
            LOG_C("tls", a->tls_why));
    else if (change == PPG_REST_ENDED)
        LOG(n->core->shared->log, LOG_INFO, "notify.resumed", LOG_S("initiator", s->notice->initiator),
            LOG_S("server", ppg_turn_server(&s->turn)));
}

static void off_the_wire(struct sending *s, enum ppg_turn_word word)
{
    s->notify->probes -= s->probe;
    s->probe = false;
    ppg_turns_off(s->notify->turns, &s->turn, word);
}

static void pump(struct ppg_notify *n);

static void judge(const struct ppg_post_answer *a, void *arg)
{
    struct sending *s = arg;
    struct ppg_notify *n = s->notify;
    enum ppg_turn_word word = word_of(n, a->err);

    tell_rest(s, word, a);
    off_the_wire(s, word);
    decide(s, a);
    pump(n);
}

/* --- sending --- */

/* Whether the server rests; a probe of one that does is let through if there are not too many. */
static bool may_try(struct sending *s)
{
    struct ppg_notify *n = s->notify;
    int64_t attempt_ms = ppg_core_settings(n->core)->notify.timeout_ms;

    s->began_mono_ms = ppg_core_mono_ms(n->core);
    if (!ppg_rest_ask(n->rest, who_is(s), s->began_mono_ms, attempt_ms, &s->probe))
        return false;
    if (s->probe && n->probes >= n->probes_max)
        return s->probe = false;
    n->probes += s->probe;
    return true;
}

static enum err post(struct sending *s)
{
    struct ppg_notify *n = s->notify;
    enum err e;

    buf_reset(&n->document, DOCUMENT_MAX);
    e = ppg_notify_print(ppg_core_settings(n->core), s->notice, &n->document);
    if (!e)
        e = n->core->post(n->core->host, s->notice->url, buf_slice(&n->document), judge, s);
    return e;
}

static void transmit(struct sending *s)
{
    struct ppg_notify *n = s->notify;
    int64_t now = ppg_core_mono_ms(n->core);
    enum err e;

    if (!may_try(s)) {
        off_the_wire(s, PPG_TURN_NOTHING);
        wait_out(s, ppg_rest_until(n->rest, who_is(s), now) - now);
        return;
    }
    s->notice->tries++;
    e = post(s);
    if (!e)
        return;
    off_the_wire(s, PPG_TURN_NOTHING);
    if (e == ERR_MALFORMED || e == ERR_UNSUPPORTED || e == ERR_DENIED) {
        close_debt(s, false, 0);
    } else { /* nothing was sent and the server had no part in it: that is no try */
        s->notice->tries--;
        postpone(s, crowded_ms(n, s->notice->event_ms));
    }
}

/* Sends what has its turn. */
static void pump(struct ppg_notify *n)
{
    struct ppg_turn *turn;

    while ((turn = ppg_turns_next(n->turns)))
        transmit(container_of(turn, struct sending, turn));
}

/* A turn for one more notice.  ERR_LATE: its server rests; ERR_LIMIT, ERR_NOMEM: no turn; come again in *in_ms. */
static enum err admit(struct ppg_notify *n, struct sending *s, struct slice initiator, struct slice url,
                      int64_t event_ms, int64_t *in_ms)
{
    struct slice server = server_of(n, url);
    int64_t now = ppg_core_mono_ms(n->core);
    int64_t until = ppg_rest_until(n->rest, who(n, initiator, server), now);
    enum err e;

    if (until) {
        *in_ms = until - now;
        return ERR_LATE;
    }
    e = ppg_turns_add(n->turns, &s->turn, initiator, server);
    if (e)
        *in_ms = crowded_ms(n, event_ms);
    return e;
}

/* --- new debts --- */

static enum err copy_slices(struct ppg_notice *to, const struct ppg_target *t)
{
    const struct ppg_push *p = t->push;
    struct {
        struct slice from;
        struct slice *into;
    } const pairs[] = {{p->initiator, &to->initiator}, {p->push_id, &to->push_id}, {p->notify_url, &to->url},
                       {t->address, &to->address},     {p->network, &to->network}, {p->bearer, &to->bearer}};
    enum err e = ERR_OK;

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0] && !e; i++)
        e = arena_dup(&to->mem, pairs[i].from, pairs[i].into);
    return e;
}

static enum err notice_of(const struct ppg_target *t, struct ppg_notice **out)
{
    struct ppg_notice *notice = ppg_notice_create();

    if (!notice || copy_slices(notice, t)) {
        ppg_notice_free(&notice);
        return ERR_NOMEM;
    }
    notice->flags = t->push->flags;
    notice->version = t->push->version;
    notice->priority = t->push->priority;
    notice->method = t->push->method;
    notice->stage = t->stage;
    notice->code = t->code;
    notice->accepted_ms = t->push->accepted_ms;
    *out = notice;
    return ERR_OK;
}

bool ppg_notify_owe(struct ppg_notify *n, const struct ppg_target *t, int64_t notice_id, int64_t event_ms,
                    int64_t *due_ms)
{
    int64_t in_ms = AGAIN_MS;
    struct ppg_notice *notice;
    struct sending *s = NULL;

    if (notice_of(t, &notice) == ERR_OK) {
        notice->id = notice_id;
        notice->event_ms = event_ms;
        s = sending_new(n);
        if (s && admit(n, s, notice->initiator, notice->url, event_ms, &in_ms) == ERR_OK) {
            s->notice = notice;
            pump(n);
            return true;
        }
        ppg_notice_free(&notice);
    }
    if (s)
        list_push_back(&n->idle, &s->link);
    *due_ms = ppg_core_utc_ms(n->core) + in_ms;
    return false;
}

/* --- claims --- */

/* On the store's thread. */
static size_t room_of(void *arg, struct slice initiator)
{
    struct rooms *r = arg;
    const struct room *known = map_get(&r->by_name, initiator);
    size_t left = known ? known->left : r->other;

    r->shut = r->shut || left == 0;
    return left;
}

static void rooms_clear(struct rooms *r)
{
    map_clear(&r->by_name);
    arena_clear(&r->mem);
}

static enum err rooms_make(struct ppg_notify *n, struct rooms *r)
{
    size_t pos = 0;
    struct slice initiator;
    enum err e = ERR_OK;

    *r = (struct rooms){.other = ppg_turns_room(n->turns, SLICE_NONE)};
    arena_init(&r->mem, 4096, ROOMS_MAX_N);
    map_init(&r->by_name, ppg_turns_held(n->turns));
    while (!e && ppg_turns_each(n->turns, &pos, &initiator)) {
        struct room *room = arena_alloc(&r->mem, sizeof *room);

        e = room ? arena_dup(&r->mem, initiator, &room->initiator) : ERR_NOMEM;
        if (e)
            break;
        room->left = ppg_turns_room(n->turns, initiator);
        e = map_put(&r->by_name, room->initiator, room);
    }
    if (e)
        rooms_clear(r);
    return e;
}

static void take(struct ppg_notify *n, struct ppg_notice *notice)
{
    struct sending *s = sending_new(n);
    int64_t in_ms = 0;
    enum err e;

    MUST(s != NULL); /* a claim brings no more than there are spare ones */
    s->notice = notice;
    e = admit(n, s, notice->initiator, notice->url, notice->event_ms, &in_ms);
    n->spares += e != ERR_OK;
    if (e == ERR_LATE)
        wait_out(s, in_ms);
    else if (e)
        postpone(s, in_ms);
}

static void claimed(struct store_op *op)
{
    struct ppg_notify *n = op->arg;
    struct ppg_shared *shared = n->core->shared;
    struct list *at;

    n->claiming = false;
    n->shut = n->rooms.shut;
    rooms_clear(&n->rooms);
    claim_shut_out(n);
    if (op->err) {
        ppg_shared_due(&shared->next_notice_ms, ppg_core_utc_ms(n->core) + AGAIN_MS);
        return;
    }
    if (n->claim.more)
        ppg_shared_due(&shared->next_notice_ms, ppg_core_utc_ms(n->core));
    else if (n->claim.next_due_ms)
        ppg_shared_due(&shared->next_notice_ms, n->claim.next_due_ms);
    while ((at = list_pop_front(&n->claim.notices)))
        take(n, container_of(at, struct ppg_notice, link));
    pump(n);
}

static void claim(struct ppg_notify *n)
{
    struct ppg_shared *shared = n->core->shared;
    int64_t now = ppg_core_utc_ms(n->core);
    size_t max = num_min(ppg_turns_free_slots(n->turns), SPARE_MAX - n->spares);

    if (n->claiming || !max || now < atomic_load(&shared->next_notice_ms) || rooms_make(n, &n->rooms))
        return;
    atomic_store(&shared->next_notice_ms, INT64_MAX);
    n->claim = (struct store_notice_claim){.now_ms = now, .max = max, .room = room_of, .room_arg = &n->rooms};
    n->claim.op = (struct store_op){.kind = STORE_NOTICE_CLAIM, .done = claimed, .arg = n};
    list_init(&n->claim.notices);
    n->claiming = true;
    n->freed = false;
    ppg_core_submit(n->core, &n->claim.op);
}

/* The gateway ends: what waits for its turn is for the next run. */
static void give_back(struct ppg_notify *n)
{
    struct ppg_turn *turn;

    while ((turn = ppg_turns_recall(n->turns)))
        postpone(container_of(turn, struct sending, turn), 0);
}

void ppg_notify_tick(struct ppg_notify *n)
{
    write_again(n);
    if (atomic_load(&n->core->shared->draining))
        give_back(n);
    else if (n->core->loop == 0)
        claim(n);
}

/* --- life --- */

enum err ppg_notify_create(struct ppg_core *c, struct ppg_notify **out)
{
    const size_t places = ppg_core_settings(c)->notify.connections_max;
    const struct ppg_turns_conf conf = {.slots_max = places + WAITING_MAX,
                                        .places_max = places,
                                        .per_server_max = PPG_OUTBOUND_PER_SERVER_MAX};
    struct ppg_notify *n = calloc(1, sizeof *n);

    if (!n)
        return ERR_NOMEM;
    n->core = c;
    n->probes_max = places / PROBE_PART + 1;
    list_init(&n->idle);
    list_init(&n->again);
    buf_init(&n->document, DOCUMENT_MAX);
    n->all = calloc(conf.slots_max + SPARE_MAX, sizeof *n->all);
    if (!n->all || ppg_turns_create(&conf, &n->turns) || ppg_rest_create(RESTING_MAX, &n->rest)) {
        ppg_notify_free(&n);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < conf.slots_max + SPARE_MAX; i++)
        list_push_back(&n->idle, &n->all[i].link);
    *out = n;
    return ERR_OK;
}

void ppg_notify_free(struct ppg_notify **np)
{
    struct ppg_notify *n = *np;

    if (!n)
        return;
    MUST(!n->claiming && (!n->turns || ppg_notify_under_way(n) == 0));
    ppg_turns_free(&n->turns);
    ppg_rest_free(&n->rest);
    buf_clear(&n->document);
    free(n->all);
    free(n);
    *np = NULL;
}

size_t ppg_notify_under_way(const struct ppg_notify *n)
{
    return ppg_turns_held(n->turns) + n->spares;
}
