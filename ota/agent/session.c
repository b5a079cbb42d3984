/* A session with a terminal: its dialog and its life; see session.h.  RFC 3261 §13.2, §15. */
#include "ota/agent/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ota/registrar/door.h"
#include "ota/sip/refusal.h"

#define UNAVAILABLE 4001
#define OTHER_TYPE  5030
#define NO_TLS      2005

static const struct ota_env *env_of(const struct ota_sip_session *s)
{
    return s->sip->env;
}

/* --- ends --- */

static void session_free(struct ota_sip_session *s)
{
    struct ota_sip *sip = s->sip;

    list_remove(&s->at);
    ota_sip_dialog_clear(&s->dialog);
    buf_clear(&s->ack);
    buf_clear(&s->bye);
    buf_clear(&s->out);
    ota_msrp_frame_clear(&s->frame);
    net_tls_ctx_free(&s->tls);
    ota_sip_login_clear(&s->login);
    if (s->password)
        mem_wipe(s->password, strlen(s->password));
    free(s->password);
    free(s->user);
    ota_msrp_guest_free(&s->guest);
    ota_msrp_parcel_free(&s->arrived);
    ota_sip_session_forget_addresses(s);
    free(s);
    sip->sessions_open--;
    ota_sip_check_end(sip);
}

void ota_sip_session_check_end(struct ota_sip_session *s)
{
    if (!s->target && !s->trans && !s->search && !s->query && !s->stream)
        session_free(s);
}

static void search_gone(void *arg)
{
    struct ota_sip *sip = arg;

    sip->searches--;
    ota_sip_check_end(sip);
}

static bool bye_again(struct ota_sip_session *s, const struct ota_sip_reply *reply);

static void bye_done(enum err why, const struct ota_sip_reply *reply, void *arg)
{
    struct ota_sip_session *s = arg;

    struct ota_sip_hop *hop = s->hop;

    s->trans = NULL;
    if (why == ERR_OK && (reply->status == 401 || reply->status == 407) && bye_again(s, reply))
        return;
    ota_sip_hop_leave(&s->hop, &s->rider);
    if (why == ERR_LATE)
        ota_sip_hop_silent(hop);
    ota_sip_session_check_end(s);
}

static enum err bye_send(void *arg)
{
    struct ota_sip_session *s = arg;
    enum err e = ota_sip_hop_send(s->hop, buf_slice(&s->bye));

    return e == ERR_AGAIN ? ERR_OK : e;
}

static enum err print(struct ota_sip_session *s, const char *method, struct slice more, struct buf *out)
{
    char sent_by[OTA_SIP_HOST_MAX_N + 10], branch[OTA_SIP_BRANCH_N + 1] = "z9hG4bK";
    enum err e = ota_sip_chance(branch + 7, OTA_SIP_BRANCH_N - 7);

    if (env_of(s)->sip.door)
        ota_sip_door_branch(env_of(s)->sip.door, branch);
    ota_sip_sent_by(env_of(s), s->hop, sent_by, sizeof sent_by);
    return e ? e
             : ota_sip_dialog_print(&s->dialog, method, s->place.via, slice_str(sent_by), slice_str(branch),
                                    more, out);
}

/* With answers to the challenges that there were. */
static enum err print_bye(struct ota_sip_session *s)
{
    const struct ota_login as = {slice_str(s->user), slice_str(s->password)};
    const struct sec_digest_request request = {SLICE("BYE"), slice_str(s->dialog.target), SLICE_NONE, true};
    struct buf *more = &s->sip->scratch;
    enum err e = ERR_OK;

    buf_reset(more, OTA_SIP_REALMS_MAX * SEC_DIGEST_HEADER_MAX_N);
    if (s->login.n)
        e = ota_sip_login_print(&s->login, &as, &request, NULL, more);
    buf_add_str(more, s->reason);
    buf_reset(&s->bye, OTA_SIP_HEAD_MAX_N);
    return e ? e : print(s, "BYE", buf_slice(more), &s->bye);
}

static bool start_bye(struct ota_sip_session *s)
{
    const struct ota_sip_trans_user user = {.send = bye_send, .done = bye_done, .arg = s};

    if (print_bye(s) || ota_sip_trans_start(s->sip->stack, buf_slice(&s->bye), &user, &s->trans))
        return false;
    ota_sip_watch(s->sip);
    return true;
}

/* Each realm is answered once, with the next number (RFC 3261 §22.2). */
static bool bye_again(struct ota_sip_session *s, const struct ota_sip_reply *reply)
{
    if (!s->user || !s->hop || s->sip->ended || ota_sip_login_challenged(&s->login, reply))
        return false;
    s->dialog.cseq++;
    return start_bye(s);
}

static enum err take_hop(struct ota_sip_session *s)
{
    const struct ota_sip_way way = {s->place.via, s->place.to, slice_str(s->name),
                                    ota_sip_flow_any(&s->flow) ? &s->flow : NULL};

    return ota_sip_hop_take(s->sip->hops, &way, &s->rider, &s->hop);
}

/* A connection that has closed since is opened again; where the device had opened it, there is none. */
static bool may_say(struct ota_sip_session *s)
{
    return s->hop || (!s->sip->ended && !ota_sip_flow_any(&s->flow) && !take_hop(s));
}

/* When it cannot be said the far end finds out by itself: the stream of messages has gone. */
static void say_bye(struct ota_sip_session *s, const char *text)
{
    if (!may_say(s))
        return;
    (void)snprintf(s->reason, sizeof s->reason, "Reason: SIP ;cause=200 ;text=\"%s\"\r\n", text);
    if (s->sip->ended && !print_bye(s)) /* nobody is left to wait for an answer */
        (void)!ota_sip_hop_send(s->hop, buf_slice(&s->bye));
    else if (!s->sip->ended && start_bye(s))
        return;
    ota_sip_hop_leave(&s->hop, &s->rider);
}

/* Off its target, and off the loop; the rest goes when it is done. */
static void end(struct ota_sip_session *s, const char *bye)
{
    struct ota_sip_search *search = s->search;
    struct ota_sip_target *t = s->target;

    if (!t)
        return;
    LOG(env_of(s)->net->log, LOG_DEBUG, "ota.sip.session.end", LOG_C("why", bye ? bye : "the far end"));
    list_remove(&s->at);
    list_push_back(&s->sip->leaving, &s->at);
    s->target = NULL;
    t->session = NULL;
    ota_sip_target_free_later(t);
    (void)map_del(&s->sip->sessions, slice_str(s->dialog.call_id));
    net_hub_timer_stop(env_of(s)->net->hub, &s->timer);
    ota_sip_session_hang_up(s);
    if (bye && s->acked)
        say_bye(s, bye);
    else
        ota_sip_hop_leave(&s->hop, &s->rider);
    s->search = NULL;
    if (search)
        ota_sip_search_cancel(search, search_gone, s->sip);
    ota_sip_session_check_end(s);
}

void ota_sip_session_pushed(struct ota_sip_session *s, bool keep, enum ota_outcome outcome, unsigned code,
                            const char *fmt, ...)
{
    struct ota_sip_attempt *a = s->push;
    bool secure = s->secure; /* the session may be gone when it has ended */
    char note[96];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(note, sizeof note, fmt, args);
    va_end(args);
    s->push = NULL;
    if (keep) {
        s->sending = false;
        list_push_back(&s->sip->idle, &s->at);
        net_hub_timer_set(env_of(s)->net->hub, &s->timer, env_of(s)->sip.session_idle_ms);
    } else {
        end(s, note);
    }
    if (a)
        ota_sip_finish(a, outcome, code, "%s: %s", secure ? "msrps" : "msrp", note);
}

void ota_sip_session_close(struct ota_sip_session *s, const char *reason)
{
    ota_sip_session_pushed(s, false, OTA_AMBIGUOUS, UNAVAILABLE, "%s", reason);
}

void ota_sip_session_leave(struct ota_sip_attempt *a)
{
    struct ota_sip_session *s = a->target->session;

    if (!s || s->push != a)
        return;
    s->push = NULL;
    end(s, "given up");
}

bool ota_sip_session_told(const struct ota_sip_attempt *a)
{
    const struct ota_sip_session *s = a->target->session;

    return s && s->push == a && s->sending;
}

/* --- the beginning --- */

static void rider_lost(struct ota_sip_rider *rider, bool opened, const char *note)
{
    struct ota_sip_session *s = container_of(rider, struct ota_sip_session, rider);

    (void)opened, (void)note;
    s->hop = NULL; /* the messages go on without it; a BYE is said over another one */
    ota_sip_trans_drop(&s->trans);
    ota_sip_session_check_end(s);
}

static void refuse_answer(struct ota_sip_session *s, enum err e)
{
    if (e == ERR_DENIED)
        ota_sip_session_pushed(s, false, OTA_UNDELIVERABLE, NO_TLS,
                               "offered inside TLS, answered in the clear");
    else if (e == ERR_NOMEM)
        ota_sip_session_pushed(s, false, OTA_RETRY, UNAVAILABLE, "%s", err_text(e));
    else
        ota_sip_session_pushed(s, false, OTA_ABORTED, OTHER_TYPE, "no stream of messages in the answer: %s",
                               err_text(e));
}

static void acknowledge(struct ota_sip_session *s)
{
    enum err e = print(s, "ACK", SLICE_NONE, &s->ack);

    if (!e)
        e = ota_sip_hop_send(s->hop, buf_slice(&s->ack));
    s->acked = e == ERR_OK || e == ERR_AGAIN;
    if (!s->acked)
        ota_sip_session_pushed(s, false, OTA_RETRY, UNAVAILABLE, "not acknowledged: %s", err_text(e));
    else if (s->answer)
        refuse_answer(s, s->answer);
    else
        ota_sip_session_connect(s);
}

static void go(struct ota_sip_session *s)
{
    enum err e = take_hop(s);

    if (e)
        ota_sip_session_pushed(s, false, OTA_RETRY, UNAVAILABLE, "no way to who answered: %s", err_text(e));
    else
        acknowledge(s);
}

static void found(const struct ota_sip_place *places, size_t n, void *arg)
{
    struct ota_sip_session *s = arg;
    size_t at = 0;

    s->search = NULL;
    s->sip->searches--;
    if (n == 0) {
        ota_sip_session_pushed(s, false, OTA_RETRY, UNAVAILABLE, "name of who answered not found");
        return;
    }
    while (at < n && places[at].via != s->first_via) /* as the INVITE went, if that leads there */
        at++;
    s->place = places[at < n ? at : 0];
    go(s);
}

/* Requests of the dialog go to the first route, else to Contact (§12.2.1.1). */
static enum err find_way(struct ota_sip_session *s, const struct ota_sip_attempt *a)
{
    struct ota_sip_uri hop;
    enum err e = ota_sip_uri_parse(slice_str(s->dialog.next), &hop);

    if (!e)
        e = mem_cstr(s->name, sizeof s->name, slice_str(hop.host));
    if (!e)
        e = ota_sip_search_start(env_of(s)->net, s->sip->records, &hop, a->to.secure, found, s, &s->search);
    if (!e)
        s->sip->searches++;
    return e;
}

static enum err session_new(struct ota_sip_attempt *a, const struct ota_sip_reply *r,
                            struct ota_sip_session **out)
{
    struct ota_sip *sip = a->target->sip;
    struct ota_sip_session *s = calloc(1, sizeof *s);
    enum err e = s ? ota_sip_dialog_read(r, &s->dialog) : ERR_NOMEM;

    if (!e) {
        e = map_put(&sip->sessions, slice_str(s->dialog.call_id), s);
        if (e)
            ota_sip_dialog_clear(&s->dialog);
    }
    if (e) {
        free(s);
        return e;
    }
    s->sip = sip;
    sip->sessions_open++;
    buf_init(&s->ack, OTA_SIP_HEAD_MAX_N);
    buf_init(&s->bye, OTA_SIP_HEAD_MAX_N);
    buf_init(&s->out, OTA_MSRP_HEAD_MAX_N + OTA_MSRP_WINDOW * (OTA_MSRP_HEAD_MAX_N + OTA_MSRP_CHUNK_N));
    ota_msrp_frame_init(&s->frame);
    ota_sip_login_init(&s->login);
    list_init(&s->at);
    list_init(&s->rider.at);
    s->rider.lost = rider_lost;
    ota_sip_session_timer_init(s);
    *out = s;
    return ERR_OK;
}

/* The session outlives the push that it began with, and a reload. */
static enum err keep_login(struct ota_sip_session *s, const struct ota_login *as)
{
    if (!as->user.n)
        return ERR_OK;
    s->user = mem_dup(as->user);
    s->password = mem_dup(as->password);
    return s->user && s->password ? ERR_OK : ERR_NOMEM;
}

static enum err begin(struct ota_sip_session *s, struct ota_sip_attempt *a, const struct ota_sip_reply *r)
{
    const struct ota_terminal *t = a->job->terminal;
    enum err e;

    s->first_via = a->via;
    s->answer = ota_sip_session_answer(s, a, r->body);
    (void)snprintf(s->own_path, sizeof s->own_path, "%s", a->own_path);
    e = ota_sip_session_terms(a, s->terms);
    if (!e)
        e = keep_login(s, ota_sip_attempt_login(a));
    if (!e)
        e = mem_cstr(s->tls_name, sizeof s->tls_name, t->tls_name);
    if (!e && s->guest)
        e = mem_cstr(s->psk_identity, sizeof s->psk_identity, t->psk_identity);
    else if (!e && s->secure)
        e = ota_sip_session_credentials(s, t);
    if (!e && ota_sip_attempt_by_flow(a)) {
        s->flow = a->device.flow;
        s->place.via = a->via;
        go(s);
        return ERR_OK;
    }
    return e ? e : find_way(s, a);
}

void ota_sip_session_begin(struct ota_sip_attempt *a, const struct ota_sip_reply *r)
{
    struct ota_sip_session *s;
    enum err e = session_new(a, r, &s);

    if (e) {
        ota_sip_finish(a, OTA_RETRY, UNAVAILABLE, "%u, and no session: %s", r->status, err_text(e));
        return;
    }
    s->target = a->target;
    a->target->session = s;
    s->push = a;
    e = begin(s, a, r);
    if (e)
        ota_sip_session_pushed(s, false, OTA_RETRY, UNAVAILABLE, "no session: %s", err_text(e));
}

bool ota_sip_session_push(struct ota_sip_attempt *a)
{
    struct ota_sip_session *s = a->target->session;
    uint8_t terms[SEC_SHA256_N];

    if (ota_sip_session_terms(a, terms) ||
        !slice_eq_ct(slice_of(terms, sizeof terms), slice_of(s->terms, sizeof s->terms))) {
        ota_sip_session_close(s, "other settings");
        return false;
    }
    list_remove(&s->at);
    s->push = a;
    ota_sip_session_send(s);
    return true;
}

bool ota_sip_session_room(struct ota_sip *sip)
{
    if (sip->sessions.n < sip->sessions.max)
        return true;
    if (list_empty(&sip->idle))
        return false;
    ota_sip_session_close(container_of(sip->idle.next, struct ota_sip_session, at), "its place is needed");
    return true;
}

void ota_sip_sessions_end(struct ota_sip *sip)
{
    LIST_EACH_SAFE (at, &sip->leaving) {
        struct ota_sip_session *s = container_of(at, struct ota_sip_session, at);

        ota_sip_trans_drop(&s->trans);
        ota_sip_hop_leave(&s->hop, &s->rider);
        ota_sip_session_check_end(s);
    }
}

/* --- what the far end says --- */

/* Whether we live, and what a session does not do: it goes on, where 481 would end it (RFC 3261 §12.2.1.2). */
static unsigned refuse_request(const struct ota_sip_request *r, struct buf *more)
{
    unsigned status = ota_sip_request_refused(r, SLICE(OTA_SIP_AGENT_METHODS), more);

    if (status == 0)
        buf_add(more, SLICE("Allow: " OTA_SIP_AGENT_METHODS "\r\n"));
    return status ? status : 200;
}

unsigned ota_sip_session_request(struct ota_sip *sip, const struct ota_sip_request *r, struct buf *more)
{
    struct ota_sip_session *s = map_get(&sip->sessions, ota_sip_request_call_id(r));

    if (!s || !ota_sip_dialog_owns(&s->dialog, r))
        return 0;
    if (slice_eq(r->method, SLICE("INVITE"))) /* what was agreed stands (RFC 3261 §14.2) */
        return 488;
    if (!slice_eq(r->method, SLICE("BYE")))
        return refuse_request(r, more);
    s->acked = false; /* who has hung up is told nothing more */
    ota_sip_session_close(s, "the terminal said BYE");
    return 200;
}

static void end_stray(struct ota_sip *sip, struct ota_sip_hop *hop, const struct ota_sip_dialog *d)
{
    static const char *const methods[] = {"ACK", "BYE"};
    char sent_by[OTA_SIP_HOST_MAX_N + 10], branch[OTA_SIP_BRANCH_N + 1] = "z9hG4bK";

    ota_sip_sent_by(sip->env, hop, sent_by, sizeof sent_by);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        enum err e = ota_sip_chance(branch + 7, OTA_SIP_BRANCH_N - 7);

        buf_reset(&sip->scratch, OTA_SIP_HEAD_MAX_N);
        if (!e)
            e = ota_sip_dialog_print(d, methods[i], ota_sip_hop_via(hop), slice_str(sent_by),
                                     slice_str(branch), SLICE_NONE, &sip->scratch);
        if (e || ota_sip_hop_send(hop, buf_slice(&sip->scratch)))
            return;
    }
}

void ota_sip_session_stray(struct ota_sip *sip, struct ota_sip_hop *hop, const struct ota_sip_reply *r)
{
    struct ota_sip_session *s = map_get(&sip->sessions, ota_sip_reply_call_id(r));
    struct ota_sip_dialog d;

    if (ota_sip_dialog_read(r, &d))
        return;
    if (!s || strcmp(s->dialog.peer_tag, d.peer_tag) !=
                  0) { /* of a fork: a dialog of its own (RFC 3261 §13.2.2.4) */
        if (hop)
            end_stray(sip, hop, &d);
    } else if (s->acked && s->hop) {
        (void)!ota_sip_hop_send(s->hop, buf_slice(&s->ack));
    }
    ota_sip_dialog_clear(&d);
}
