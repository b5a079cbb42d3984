/* Client transactions on libosip2; see trans.h.
 *
 * Its own lists and its own search are walks over all that is under way, so each transaction is taken off them at once: here a
 * map finds it by branch and method, and timers stand in queues of one length each, the earliest first. */
#include "ota/sip/trans.h"

#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <uv.h>

#include <osip2/osip.h> /* needs the two above */

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "ota/sip/acked.h"
#include "ota/sip/reply.h"

/* Milliseconds of timers A and E as they double, then of B, D and F (§17.1, Table 4). */
static const int64_t lengths[] = {500, 1000, 2000, 4000, 8000, 16000, 32000};
#define LENGTHS    (sizeof lengths / sizeof lengths[0])
#define TIMER_B_MS 32000

struct ota_sip_stack {
    const struct clk *clk;
    osip_t *osip;
    struct map by_key;
    struct list queues[LENGTHS]; /* of struct timer */
    struct list ringing;         /* of struct timer, the earliest first */
    struct ota_sip_acked acked;
};

struct timer {
    struct list at;
    int64_t due_ms;
    type_t event;
    struct ota_sip_trans *trans;
};

struct ota_sip_trans {
    struct ota_sip_stack *stack;
    osip_transaction_t *osip;
    struct ota_sip_trans_user user;
    char *key; /* owned: branch and method */
    size_t key_n;
    int64_t began_ms;     /* of our clock */
    struct timer again;   /* A, E */
    struct timer give_up; /* B, F */
    struct timer ring;    /* INVITE: how long it may ring */
    bool unsent;          /* send() said no */
    bool rung;            /* rang() has been called */
};

/* --- timers --- */

static void timer_stop(struct timer *t)
{
    list_remove(&t->at);
}

/* A length that is none of the table runs as long as the next longer one. */
static void timer_set(struct timer *t, int64_t ms)
{
    struct ota_sip_stack *s = t->trans->stack;
    size_t i = 0;

    while (i + 1 < LENGTHS && lengths[i] < ms)
        i++;
    list_remove(&t->at);
    t->due_ms = clk_mono_ms(s->clk) + lengths[i];
    list_push_back(&s->queues[i], &t->at);
}

/* An INVITE that rings is neither sent again nor given up, but it does not ring for ever (§17.1.1.2). */
static void ring(struct ota_sip_trans *t)
{
    struct list *at = &t->stack->ringing;

    timer_stop(&t->again);
    if (t->rung)
        return;
    timer_stop(&t->give_up);
    if (!list_empty(&t->ring.at))
        return;
    t->ring.due_ms = clk_mono_ms(t->stack->clk) + t->user.ring_ms;
    while (at->prev != &t->stack->ringing &&
           container_of(at->prev, struct timer, at)->due_ms > t->ring.due_ms)
        at = at->prev;
    list_insert_before(at, &t->ring.at);
}

void ota_sip_trans_give(struct ota_sip_trans *t, const struct ota_sip_trans_user *user)
{
    bool ringing = !list_empty(&t->ring.at);

    t->user = *user;
    timer_stop(&t->ring);
    if (ringing)
        ring(t);
}

static void timers_follow(struct ota_sip_trans *t)
{
    const osip_nict_t *n = t->osip->nict_context;
    const osip_ict_t *i = t->osip->ict_context;

    if (i && t->osip->state != ICT_CALLING)
        ring(t);
    else if (i && i->timer_a_length > 0 && i->timer_a_start.tv_sec >= 0)
        timer_set(&t->again, i->timer_a_length);
    else if (n && n->timer_e_length > 0 && n->timer_e_start.tv_sec >= 0)
        timer_set(&t->again, n->timer_e_length);
    else
        timer_stop(&t->again);
}

/* --- one transaction --- */

static struct ota_sip_trans *trans_of(osip_transaction_t *tr)
{
    return osip_transaction_get_your_instance(tr);
}

/* libosip2 has made it (§17.1.1.3). */
static void send_ack(struct ota_sip_trans *t, osip_message_t *m)
{
    struct slice branch = ota_sip_branch(m);
    char *text = NULL;
    size_t n = 0;

    if (branch.n == 0 || osip_message_to_str(m, &text, &n) || !text)
        return;
    t->user.ack(slice_of(text, n), t->user.arg);
    if (t->osip->ict_context->timer_d_length > 0) /* over UDP */
        ota_sip_acked_keep(&t->stack->acked, branch, slice_of(text, n));
    osip_free(text);
}

static int on_send(osip_transaction_t *tr, osip_message_t *m, char *host, int port, int socket)
{
    struct ota_sip_trans *t = trans_of(tr);

    (void)host, (void)port, (void)socket;
    if (MSG_IS_ACK(m)) {
        send_ack(t, m);
        return 0;
    }
    t->unsent = t->user.send(t->user.arg) != ERR_OK;
    return t->unsent ? -1 : 0;
}

static void timers_stop(struct ota_sip_trans *t)
{
    timer_stop(&t->again);
    timer_stop(&t->give_up);
    timer_stop(&t->ring);
}

static void trans_free(struct ota_sip_trans *t)
{
    timers_stop(t);
    if (t->key)
        (void)map_del(&t->stack->by_key, slice_of(t->key, t->key_n));
    if (t->osip)
        osip_transaction_free2(t->osip);
    free(t->key);
    free(t);
}

void ota_sip_trans_drop(struct ota_sip_trans **t)
{
    if (*t)
        trans_free(*t);
    *t = NULL;
}

/* The event takes m over; so does the transaction.  ERR_NOMEM: m is still the caller's. */
static enum err execute(struct ota_sip_trans *t, type_t type, osip_message_t *m)
{
    osip_event_t *ev = osip_malloc(sizeof *ev);

    if (!ev)
        return ERR_NOMEM;
    *ev = (osip_event_t){.type = type, .transactionid = t->osip->transactionid, .sip = m};
    (void)osip_transaction_execute(t->osip, ev); /* frees it */
    return ERR_OK;
}

static bool ended(const struct ota_sip_trans *t)
{
    switch (t->osip->state) {
    case ICT_COMPLETED:
    case ICT_TERMINATED:
    case NICT_COMPLETED:
    case NICT_TERMINATED:
        return true;
    default:
        return false;
    }
}

static void finish(struct ota_sip_trans *t, enum err why, const struct ota_sip_reply *r)
{
    struct ota_sip_trans_user user = t->user;

    (void)map_del(&t->stack->by_key, slice_of(t->key, t->key_n));
    timers_stop(t);
    user.done(why, r, user.arg);
    free(t->key);
    t->key = NULL;
    trans_free(t);
}

/* --- beginning --- */

static uv_once_t once = UV_ONCE_INIT;

/* The first of them makes tables of the process without a lock; the loops may be many. */
static void first(void)
{
    osip_t *osip;

    if (!osip_init(&osip))
        osip_release(osip);
}

enum err ota_sip_stack_create(const struct clk *clk, size_t transactions_max, struct ota_sip_stack **out)
{
    struct ota_sip_stack *s = calloc(1, sizeof *s);

    if (!s)
        return ERR_NOMEM;
    ota_sip_parser_start();
    uv_once(&once, first);
    if (osip_init(&s->osip)) {
        free(s);
        return ERR_NOMEM;
    }
    osip_set_cb_send_message(s->osip, on_send);
    s->clk = clk;
    map_init(&s->by_key, transactions_max);
    ota_sip_acked_init(&s->acked, clk, transactions_max);
    list_init(&s->ringing);
    for (size_t i = 0; i < LENGTHS; i++)
        list_init(&s->queues[i]);
    *out = s;
    return ERR_OK;
}

void ota_sip_stack_free(struct ota_sip_stack **sp)
{
    struct ota_sip_stack *s = *sp;

    *sp = NULL;
    if (!s)
        return;
    MUST(s->by_key.n == 0);
    ota_sip_acked_clear(&s->acked);
    map_clear(&s->by_key);
    osip_release(s->osip);
    free(s);
}

/* What a transaction goes by; libosip2 keeps what it has read many times over, so the rest of a request stays with its sender.
 * Route: goes into the ACK (§17.1.1.3). */
static bool tells(struct slice header, bool invite)
{
    static const char *const names[] = {"Via:", "From:", "To:", "Call-ID:", "CSeq:"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_starts_ci(header, slice_str(names[i])))
            return true;
    return invite && slice_starts_ci(header, SLICE("Route:"));
}

static enum err print_brief(struct slice head, struct buf *out)
{
    struct slice rest = head, line;
    bool invite = slice_starts(head, SLICE("INVITE "));

    for (bool first = true; slice_cut(rest, '\n', &line, &rest); first = false)
        if (first || tells(line, invite)) {
            buf_add(out, line);
            buf_add_ch(out, '\n');
        }
    buf_add(out, SLICE("\r\n"));
    return buf_err(out);
}

static enum err read_request(struct slice request, osip_message_t **out)
{
    struct ota_sip_unit unit;
    osip_message_t *m = NULL;
    struct buf text, brief;
    enum err e;

    buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
    buf_init(&brief, 2 * OTA_SIP_HEAD_MAX_N);
    e = ota_sip_datagram_read(request, &text, &unit);
    if (!e)
        e = print_brief(unit.head, &brief);
    if (!e && osip_message_init(&m))
        e = ERR_NOMEM;
    if (!e && osip_message_parse(m, brief.p, brief.n))
        e = ERR_MALFORMED;
    buf_clear(&brief);
    buf_clear(&text);
    if (e)
        osip_message_free(m);
    else
        *out = m;
    return e == ERR_ABSENT ? ERR_MALFORMED : e;
}

static enum err key_of(struct slice branch, struct slice method, struct buf *out)
{
    buf_add(out, branch);
    buf_add_ch(out, '\n');
    buf_add(out, method);
    return buf_err(out);
}

static enum err enter(struct ota_sip_trans *t, const osip_message_t *m)
{
    struct slice branch = ota_sip_branch(m);
    struct buf key;
    enum err e;

    if (branch.n == 0 || !m->sip_method)
        return ERR_MALFORMED;
    buf_init(&key, OTA_SIP_HEAD_MAX_N);
    e = key_of(branch, slice_str(m->sip_method), &key);
    t->key = e ? NULL : mem_dup(buf_slice(&key));
    t->key_n = key.n;
    buf_clear(&key);
    if (!t->key)
        return e ? e : ERR_NOMEM;
    e = map_put(&t->stack->by_key, slice_of(t->key, t->key_n), t);
    if (e) {
        free(t->key);
        t->key = NULL;
    }
    return e;
}

static enum err begin(struct ota_sip_trans *t, osip_message_t *m)
{
    osip_t *osip = t->stack->osip;
    bool invite = MSG_IS_INVITE(m);
    int rc = osip_transaction_init(&t->osip, invite ? ICT : NICT, osip, m);
    enum err e;

    if (rc)
        return rc == OSIP_NOMEM ? ERR_NOMEM : ERR_MALFORMED;
    (void)osip_remove_transaction(osip, t->osip);
    (void)osip_transaction_set_your_instance(t->osip, t);
    e = enter(t, m);
    return e ? e : execute(t, invite ? SND_REQINVITE : SND_REQUEST, m);
}

static void timer_init(struct timer *timer, struct ota_sip_trans *t, type_t event)
{
    *timer = (struct timer){.event = event, .trans = t};
    list_init(&timer->at);
}

enum err ota_sip_trans_start(struct ota_sip_stack *s, struct slice request,
                             const struct ota_sip_trans_user *user, struct ota_sip_trans **out)
{
    struct ota_sip_trans *t = calloc(1, sizeof *t);
    osip_message_t *m = NULL;
    enum err e = t ? read_request(request, &m) : ERR_NOMEM;

    if (e) {
        free(t);
        return e;
    }
    t->stack = s;
    t->user = *user;
    t->began_ms = clk_mono_ms(s->clk);
    timer_init(&t->again, t, MSG_IS_INVITE(m) ? TIMEOUT_A : TIMEOUT_E);
    timer_init(&t->give_up, t, MSG_IS_INVITE(m) ? TIMEOUT_B : TIMEOUT_F);
    timer_init(&t->ring, t, UNKNOWN_EVT);
    e = begin(t, m);
    if (e)
        osip_message_free(m);
    else if (ended(t))
        e = ERR_PEER;
    if (e) {
        trans_free(t);
        return e;
    }
    timers_follow(t);
    timer_set(&t->give_up, TIMER_B_MS);
    *out = t;
    return ERR_OK;
}

/* --- what comes --- */

static type_t event_of(unsigned status)
{
    if (status < 200)
        return RCV_STATUS_1XX;
    return status < 300 ? RCV_STATUS_2XX : RCV_STATUS_3456XX;
}

struct slice ota_sip_stack_ack(const struct ota_sip_stack *s, const struct ota_sip_reply *r)
{
    bool refused = slice_eq(r->method, SLICE("INVITE")) && r->status >= 300;

    return refused ? ota_sip_acked_find(&s->acked, r->branch) : SLICE_NONE;
}

bool ota_sip_stack_reply(struct ota_sip_stack *s, struct ota_sip_reply *r)
{
    struct ota_sip_reply reply = *r; /* its message becomes the transaction's */
    struct ota_sip_trans *t = NULL;
    struct buf key;

    buf_init(&key, OTA_SIP_HEAD_MAX_N);
    if (!key_of(r->branch, r->method, &key))
        t = map_get(&s->by_key, buf_slice(&key));
    buf_clear(&key);
    if (!t)
        return false;
    *r = (struct ota_sip_reply){.osip = NULL};
    if (execute(t, event_of(reply.status), reply.osip)) {
        ota_sip_reply_clear(&reply);
        finish(t, ERR_NOMEM, NULL);
    } else if (ended(t)) {
        finish(t, ERR_OK, &reply);
    } else {
        timers_follow(t); /* Proceeding: E is T2 from now on */
    }
    return true;
}

/* libosip2 doubles timer E by the age of the transaction, which it takes from a clock of its own: let that be our age. */
static void tell_age(struct ota_sip_trans *t)
{
    int64_t age_us = (clk_mono_ms(t->stack->clk) - t->began_ms) * 1000, born_us;
    struct timeval now;

    (void)osip_gettimeofday(&now, NULL);
    born_us = (int64_t)now.tv_sec * 1000000 + now.tv_usec - age_us;
    t->osip->created_time = (struct timeval){born_us / 1000000, born_us % 1000000};
}

/* Nothing came of the CANCEL, or of the INVITE that it was for: libosip2 waits for ever then (§9.1). */
static void fire(struct timer *timer)
{
    struct ota_sip_trans *t = timer->trans;

    timer_stop(timer);
    tell_age(t);
    if (timer == &t->give_up && t->rung) {
        finish(t, ERR_LATE, NULL);
        return;
    }
    if (execute(t, timer->event, NULL))
        finish(t, ERR_NOMEM, NULL);
    else if (ended(t))
        finish(t, t->unsent ? ERR_PEER : ERR_LATE, NULL);
    else
        timers_follow(t);
}

static void ring_over(struct timer *timer)
{
    struct ota_sip_trans *t = timer->trans;

    timer_stop(timer);
    t->rung = true;
    timer_set(&t->give_up, TIMER_B_MS);
    t->user.rang(t->user.arg);
}

void ota_sip_stack_tick(struct ota_sip_stack *s)
{
    int64_t now = clk_mono_ms(s->clk);

    ota_sip_acked_tick(&s->acked);
    while (!list_empty(&s->ringing)) {
        struct timer *first = container_of(s->ringing.next, struct timer, at);

        if (first->due_ms > now)
            break;
        ring_over(first);
    }

    for (size_t i = LENGTHS; i-- > 0;) /* giving up goes first */
        while (!list_empty(&s->queues[i])) {
            struct timer *first = container_of(s->queues[i].next, struct timer, at);

            if (first->due_ms > now)
                break;
            fire(first);
        }
}

static int64_t sooner(int64_t wait, int64_t due_ms, int64_t now)
{
    int64_t left = due_ms > now ? due_ms - now : 0;

    return wait < 0 || left < wait ? left : wait;
}

int64_t ota_sip_stack_wait_ms(const struct ota_sip_stack *s)
{
    int64_t now = clk_mono_ms(s->clk), wait = -1;

    for (size_t i = 0; i < LENGTHS; i++)
        if (!list_empty(&s->queues[i]))
            wait = sooner(wait, container_of(s->queues[i].next, struct timer, at)->due_ms, now);
    if (!list_empty(&s->ringing))
        wait = sooner(wait, container_of(s->ringing.next, struct timer, at)->due_ms, now);
    if (ota_sip_acked_due_ms(&s->acked) >= 0)
        wait = sooner(wait, ota_sip_acked_due_ms(&s->acked), now);
    return wait;
}

size_t ota_sip_stack_n(const struct ota_sip_stack *s)
{
    return s->by_key.n;
}
