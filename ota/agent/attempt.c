/* One attempt to push as a MESSAGE or in a session; see attempt.h.  RFC 3428, RFC 3261 §8.1, §13.2, §18.1.1, §22.2. */
#include "ota/agent/attempt.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/net/stream.h"
#include "ota/agent/dialog.h"
#include "ota/registrar/door.h"
#include "ota/agent/result.h"
#include "ota/agent/session.h"

#define TOO_LARGE   2006
#define FAILURE     4000
#define UNAVAILABLE 4001
#define BAD_ADDRESS 2002
#define NO_APP      5028
#define OTHER_TYPE  5030
#define NO_CONFIRM  3007
#define LINE_MAX_N  65536 /* octets of header lines of an envelope */

static const struct ota_env *env_of(const struct ota_sip_attempt *a)
{
    return a->target->sip->env;
}

static void launch(struct ota_sip_attempt *a);
static void launch_session(struct ota_sip_attempt *a);
static void resolve(struct ota_sip_attempt *a);

/* A device that has registered here is where it said, and nowhere else. */
static bool registered(const struct ota_sip_attempt *a)
{
    return a->job->terminal->registers != OTA_CALLS_NO;
}

bool ota_sip_attempt_by_flow(const struct ota_sip_attempt *a)
{
    return registered(a) && ota_sip_flow_any(&a->device.flow);
}

static struct slice app_of(const struct ota_sip_attempt *a)
{
    return ota_header_find(a->job->message_head, SLICE("X-Wap-Application-Id"));
}

/* --- texts --- */

enum err ota_sip_chance(char *out, size_t n)
{
    uint8_t octets[32];
    struct buf text;
    enum err e = sec_random(octets, n / 2);

    if (e)
        return e;
    buf_init(&text, n);
    codec_hex(&text, slice_of(octets, n / 2));
    e = buf_err(&text) ? buf_err(&text) : mem_cstr(out, n + 1, buf_slice(&text));
    buf_clear(&text);
    return e;
}

/* The body: in an envelope with its push headers, or bare. */
static enum err print_entity(struct ota_sip_attempt *a)
{
    const struct ota_push_info info = {a->job->authenticated, a->job->trusted, false};

    buf_reset(&a->entity, OTA_SIP_BODY_MAX_N);
    if (!a->bare) {
        enum err e = ota_sip_envelope_print(a->job->message_head, &info, &a->entity);

        if (e)
            return e;
    }
    buf_add(&a->entity, a->job->body);
    return buf_err(&a->entity);
}

static const struct ota_login *login_of(const struct ota_sip_attempt *a)
{
    return a->job->terminal->login.user.n ? &a->job->terminal->login : &env_of(a)->sip.login;
}

static struct slice body_of(const struct ota_sip_attempt *a)
{
    return a->session ? buf_slice(&a->offer) : buf_slice(&a->entity);
}

static enum err print_login(struct ota_sip_attempt *a, const struct ota_sip_verify *verify, struct buf *out)
{
    const struct sec_digest_request request = {a->session ? SLICE("INVITE") : SLICE("MESSAGE"),
                                               slice_str(a->uri), body_of(a), true};

    return ota_sip_login_print(&a->login, login_of(a), &request, verify, out);
}

/* What TLS protects because the URI says so needs no agreement (RFC 3329 §2.3.1); a device that has registered here has its own. */
static bool agrees(const struct ota_sip_attempt *a)
{
    return env_of(a)->sip.sec_agree && !registered(a) &&
           (a->via != OTA_SIP_TLS || a->agreed.mechanism == OTA_SIP_AGREED_TLS);
}

/* Lines of credentials, and of the agreement that they may be part of. */
static enum err print_security(struct ota_sip_attempt *a, struct buf *out)
{
    const struct ota_sip_agreement none = {.mechanism = OTA_SIP_NOT_AGREED}, *with = &a->agreed;
    struct ota_sip_verify verify = {.list = slice_str(with->list)};
    bool digest = agrees(a) && with->mechanism == OTA_SIP_AGREED_DIGEST && a->login.n;
    struct buf over;
    enum err e;

    buf_init(&over, SEC_DIGEST_HEX_MAX_N);
    verify.digest = &over;
    verify.algorithm = with->algorithm_given ? &with->digest.algorithm : NULL;
    e = print_login(a, digest ? &verify : NULL, out);
    if (with->mechanism == OTA_SIP_AGREED_DIGEST && !digest)
        with = &none; /* the challenge is forgotten: once more from the beginning */
    if (!e && agrees(a))
        e = ota_sip_agree_print(with, buf_slice(&over), out);
    buf_clear(&over);
    return e;
}

static struct ota_sip_whom whom_of(const struct ota_sip_attempt *a)
{
    return (struct ota_sip_whom){a->via == OTA_SIP_TLS, slice_str(a->next), slice_str(a->to.record),
                                 login_of(a)->user};
}

/* Credentials that were good last time go along at once. */
static void recall_login(struct ota_sip_attempt *a)
{
    struct ota_sip_whom whom = whom_of(a);

    if (a->login.n == 0 && whom.user.n)
        ota_sip_known_recall(&a->target->sip->known, &whom, &a->login);
}

/* What was good for this request is for the next one. */
static void learn(struct ota_sip_attempt *a, const struct ota_sip_reply *r, enum ota_sip_next next)
{
    struct ota_sip_whom whom = whom_of(a);

    if (next == OTA_SIP_LOGIN || next == OTA_SIP_AGREE)
        return;
    if (a->agreed.mechanism != OTA_SIP_NOT_AGREED)
        ota_sip_agreements_put(&a->target->sip->agreements, slice_str(a->next), &a->agreed);
    if (a->login.n)
        ota_sip_known_learn(&a->target->sip->known, &whom, &a->login, r);
}

static bool login_refused(struct ota_sip_attempt *a, const struct ota_sip_reply *r)
{
    struct ota_sip_whom whom = whom_of(a);

    if (whom.user.n && !ota_sip_login_challenged(&a->login, r))
        return false;
    ota_sip_known_forget(&a->target->sip->known, &whom);
    return true;
}

static bool hop_trusted(const struct ota_sip_attempt *a)
{
    const struct ota_sip_env *conf = &env_of(a)->sip;
    const struct sockaddr_storage *to = &a->places[a->place_at].to;
    char text[NET_ADDR_TEXT_N];

    if (uv_ip_name((const struct sockaddr *)to, text, sizeof text))
        return false;
    for (size_t i = 0; i < conf->trusted_n; i++)
        if (sec_network_has(&conf->trusted[i], slice_str(text)))
            return true;
    return false;
}

void ota_sip_own_host(const struct ota_env *env, char *out, size_t cap)
{
    const struct ota_sip_env *conf = &env->sip;
    struct ota_sip_uri own;

    if (conf->host.n == 0 && !ota_sip_uri_parse(conf->identity, &own))
        (void)snprintf(out, cap, "%s", own.host);
    else
        (void)snprintf(out, cap, "%.*s", SLICE_FMT(conf->host));
}

void ota_sip_sent_by(const struct ota_env *env, const struct ota_sip_hop *hop, char *out, size_t cap)
{
    char host[OTA_SIP_HOST_MAX_N + 1];
    uint16_t port = ota_sip_hop_port(hop);
    bool v6;

    ota_sip_own_host(env, host, sizeof host);
    v6 = strchr(host, ':') != NULL;
    (void)snprintf(out, cap, "%s%s%s", v6 ? "[" : "", host, v6 ? "]" : "");
    if (port)
        (void)snprintf(out + strlen(out), cap - strlen(out), ":%u", (unsigned)port);
}

/* Where requests of the far end find us: over the way that this one goes. */
static void print_contact(const struct ota_sip_attempt *a, const char *sent_by, char *out, size_t cap)
{
    static const char *const ways[] = {
        [OTA_SIP_UDP] = "", [OTA_SIP_TCP] = ";transport=tcp", [OTA_SIP_TLS] = ";transport=tls"};
    struct slice user = env_of(a)->sip.identity, rest;

    if (!slice_cut(user, ':', &rest, &user) || !slice_cut(user, '@', &user, &rest))
        user = SLICE("push");
    (void)snprintf(out, cap, "sip:%.*s@%s%s", SLICE_FMT(user), sent_by, ways[a->via]);
}

static struct slice priority_of(const struct ota_job *job)
{
    static const char *const words[] = {"urgent", "normal", "non-urgent"};

    return job->priority < sizeof words / sizeof words[0] ? slice_str(words[job->priority]) : SLICE_NONE;
}

static void fill_life(const struct ota_sip_attempt *a, struct ota_sip_message *m)
{
    int64_t now_ms = clk_utc_ms(env_of(a)->net->clk);

    m->now_s = now_ms / 1000;
    m->expires_s = a->job->expires_ms > now_ms ? (a->job->expires_ms - now_ms) / 1000 : 0;
    m->priority = priority_of(a->job);
}

struct slice ota_sip_attempt_type(const struct ota_sip_attempt *a)
{
    return a->bare ? ota_header_find(a->job->message_head, SLICE("Content-Type"))
                   : SLICE(OTA_SIP_ENVELOPE_TYPE);
}

/* Who asks for what; what changes from request to request is the caller's. */
static struct ota_sip_message request_of(const struct ota_sip_attempt *a)
{
    const struct ota_sip_env *conf = &env_of(a)->sip;
    struct ota_sip_message m = {.uri = slice_str(a->uri),
                                .via = a->via,
                                .route = registered(a) ? SLICE_NONE : conf->proxy,
                                .path = registered(a) ? slice_str(a->device.path) : SLICE_NONE,
                                .from = conf->identity,
                                .from_tag = slice_str(a->tag),
                                .to = registered(a) ? a->job->terminal->sip_record : slice_str(a->to.record),
                                .call_id = slice_str(a->call_id),
                                .cseq = a->cseq + 1,
                                .trusted = hop_trusted(a),
                                .service = conf->service,
                                .app_tag = conf->app_tag,
                                .user_agent = env_of(a)->product,
                                .body = body_of(a)};

    m.app_id = app_of(a);
    m.content_type = a->session ? SLICE("application/sdp") : ota_sip_attempt_type(a);
    fill_life(a, &m);
    return m;
}

/* The next request of the attempt: another branch, another number (RFC 3261 §8.1.1.7, §22.2). */
static enum err print_request(struct ota_sip_attempt *a)
{
    struct buf *login = &a->target->sip->scratch;
    struct ota_sip_message m;
    char sent_by[OTA_SIP_HOST_MAX_N + 10], branch[OTA_SIP_BRANCH_N + 1] = "z9hG4bK";
    char contact[2 * OTA_SIP_URI_MAX_N];
    enum err e = ota_sip_chance(branch + 7, OTA_SIP_BRANCH_N - 7);

    if (env_of(a)->sip.door)
        ota_sip_door_branch(env_of(a)->sip.door, branch);
    ota_sip_sent_by(env_of(a), a->hop, sent_by, sizeof sent_by);
    print_contact(a, sent_by, contact, sizeof contact);
    buf_reset(login, SEC_DIGEST_HEADER_MAX_N);
    if (!e)
        e = print_security(a, login);
    if (e)
        return e;
    m = request_of(a);
    m.sent_by = slice_str(sent_by);
    m.branch = slice_str(branch);
    m.contact = a->session ? slice_str(contact) : SLICE_NONE;
    m.login = buf_slice(login);
    buf_reset(&a->message, OTA_SIP_MESSAGE_MAX_N);
    e = ota_sip_message_print(&m, &a->message);
    buf_add(&a->message, m.body);
    return e ? e : buf_err(&a->message);
}

/* --- ends --- */

static void search_gone(void *arg)
{
    struct ota_sip *s = arg;

    s->searches--;
    ota_sip_check_end(s);
}

void ota_sip_attempt_stop(struct ota_sip_attempt *a)
{
    struct ota_sip_search *search = a->search;

    ota_sip_trans_drop(&a->trans);
    ota_sip_trans_drop(&a->cancelling);
    ota_sip_hop_leave(&a->hop, &a->rider);
    ota_sip_session_leave(a);
    a->search = NULL;
    if (search)
        ota_sip_search_cancel(search, search_gone, a->target->sip);
}

static void take_place(struct ota_sip_attempt *a, size_t at)
{
    a->place_at = at;
    a->via = a->places[at].via;
    a->widened = a->narrowed = false;
}

/* Where the device is, or the next one; false: there is none. */
static bool find_device(struct ota_sip_attempt *a, enum err *why)
{
    const struct ota_sip_env *conf = &env_of(a)->sip;
    struct buf app;

    buf_init(&app, OTA_SIP_LINE_MAX_N);
    *why = conf->location ? ota_sip_app_value(app_of(a), &app) : ERR_ABSENT;
    if (!*why)
        *why = ota_sip_location_find(conf->location, a->job->terminal->sip_record, buf_slice(&app),
                                     conf->untagged_ok, a->skip, &a->device);
    buf_clear(&app);
    if (!*why)
        *why = mem_cstr(a->uri, sizeof a->uri, slice_str(a->device.contact));
    if (!*why)
        *why = ota_sip_uri_parse(slice_str(a->device.contact), &a->to);
    return *why == ERR_OK;
}

static void go_to_device(struct ota_sip_attempt *a)
{
    if (!ota_sip_attempt_by_flow(a)) {
        resolve(a);
        return;
    }
    a->places[0] = (struct ota_sip_place){.via = a->device.flow.via};
    mem_copy(&a->places[0].to, sizeof a->places[0].to,
             slice_of(&a->device.flow.peer, sizeof a->device.flow.peer));
    a->places_n = 1;
    take_place(a, 0);
    launch(a);
}

/* This address did not work: the next one, another device, or what came of it. */
static void elsewhere(struct ota_sip_attempt *a, enum ota_outcome outcome, const char *note)
{
    enum err why;

    if (a->place_at + 1 < a->places_n) {
        take_place(a, a->place_at + 1);
        launch(a);
        return;
    }
    a->skip++;
    if (registered(a) && find_device(a, &why))
        go_to_device(a);
    else
        ota_sip_finish(a, outcome, UNAVAILABLE, "%s", note);
}

static void refuse(struct ota_sip_attempt *a, enum err e)
{
    switch (e) {
    case ERR_LIMIT:
        ota_sip_finish(a, OTA_UNDELIVERABLE, TOO_LARGE, "larger than a MESSAGE may be");
        break;
    case ERR_MALFORMED:
        ota_sip_finish(a, OTA_UNDELIVERABLE, FAILURE, "cannot be said in a MESSAGE");
        break;
    case ERR_UNSUPPORTED:
        ota_sip_finish(a, OTA_RETRY, UNAVAILABLE, "no TLS: there are no certificates of terminals' signers");
        break;
    default:
        ota_sip_finish(a, OTA_RETRY, UNAVAILABLE, "not sent: %s", err_text(e));
        break;
    }
}

/* Whether what is no MESSAGE may go in a session instead. */
static bool may_session(const struct ota_sip_attempt *a)
{
    return !a->session && a->job->terminal->session != OTA_SESSION_NO;
}

/* The way to the peer is gone. */
static void lost(struct ota_sip_rider *rider, bool opened, const char *note)
{
    struct ota_sip_attempt *a = container_of(rider, struct ota_sip_attempt, rider);

    a->hop = NULL;
    ota_sip_trans_drop(&a->trans);
    ota_sip_trans_drop(&a->cancelling);
    if (!opened && a->widened && !a->narrowed) { /* RFC 3261 §18.1.1 */
        a->narrowed = true;
        a->via = OTA_SIP_UDP;
        launch(a);
    } else {
        elsewhere(a, opened && a->via != OTA_SIP_UDP && !a->session ? OTA_AMBIGUOUS : OTA_RETRY, note);
    }
}

/* --- what comes back --- */

static void move(struct ota_sip_attempt *a, const struct ota_sip_reply *r, const struct ota_sip_verdict *v)
{
    struct ota_sip_uri to;
    struct buf text;
    enum err e;

    buf_init(&text, OTA_SIP_URI_MAX_N);
    e = ota_sip_reply_contact(r, &text);
    if (!e)
        e = ota_sip_uri_parse(buf_slice(&text), &to);
    if (!e && (a->to.secure && !to.secure)) /* never down from sips (§8.1.3.4) */
        e = ERR_DENIED;
    if (!e && a->moves++ == OTA_SIP_MOVES_MAX)
        e = ERR_LIMIT;
    if (!e)
        e = mem_cstr(a->uri, sizeof a->uri, buf_slice(&text));
    buf_clear(&text);
    if (e) {
        ota_sip_finish(a, v->outcome, v->code, "%u %s, and not followed", r->status, v->note);
        return;
    }
    a->to.secure = to.secure;
    a->to.transport = to.transport;
    a->to.port = to.port;
    (void)snprintf(a->to.host, sizeof a->to.host, "%s", to.host); /* To stays what it was (§8.1.3.4) */
    resolve(a);
}

/* The next hop wants an agreement, or another one.  Never from TLS to less; with Digest its challenge must be there. */
static enum err agree(struct ota_sip_attempt *a, const struct ota_sip_reply *r)
{
    struct ota_sip_agreement with;
    struct buf list;
    enum err e;

    if (!env_of(a)->sip.sec_agree || registered(a) || a->agrees++ == OTA_SIP_AGREES_MAX)
        return ERR_UNSUPPORTED;
    buf_init(&list, OTA_SIP_LIST_MAX_N);
    e = ota_sip_reply_security(r, &list);
    if (!e)
        e = ota_sip_agree(buf_slice(&list), &with);
    buf_clear(&list);
    if (!e && a->via == OTA_SIP_TLS && with.mechanism != OTA_SIP_AGREED_TLS)
        e = ERR_DENIED;
    if (!e && with.mechanism == OTA_SIP_AGREED_DIGEST && login_refused(a, r))
        e = ERR_ABSENT;
    if (!e)
        a->agreed = with;
    return e;
}

static void agree_and_go_on(struct ota_sip_attempt *a, const struct ota_sip_reply *r,
                            const struct ota_sip_verdict *v)
{
    enum err e = agree(a, r);

    if (e)
        ota_sip_finish(a, v->outcome, v->code, "%u %s, no agreement: %s", r->status, v->note, err_text(e));
    else if (a->agreed.mechanism == OTA_SIP_AGREED_TLS)
        resolve(a);
    else
        launch(a);
}

static void judge(struct ota_sip_attempt *a, const struct ota_sip_reply *r)
{
    struct ota_sip_verdict v = ota_sip_verdict(r->status, a->job->confirmed);
    char note[64];

    if (a->form_tried &&
        v.outcome == OTA_ABORTED) /* who has opened the first form refuses the second as a replay */
        v.code = OTHER_TYPE;
    (void)snprintf(note, sizeof note, "%u %s", r->status, v.note);
    a->job->result.retry_after_ms = r->retry_s * 1000;
    a->job->result.taken = v.outcome == OTA_DELIVERED && r->status == 200; /* 202 is a relay's */
    a->job->result.association = ota_sa_answer_parse(r->association);
    learn(a, r, v.next);
    if (may_session(a) && (v.code == TOO_LARGE || v.code == NO_CONFIRM)) {
        launch_session(a);
    } else if (v.next == OTA_SIP_LOGIN && !login_refused(a, r)) {
        launch(a);
    } else if (v.next == OTA_SIP_OTHER_FORM && !a->form_tried && !a->session) {
        a->form_tried = true;
        a->bare = !a->bare;
        launch(a);
    } else if (v.next == OTA_SIP_AGREE) {
        agree_and_go_on(a, r, &v);
    } else if (v.next == OTA_SIP_MOVED && !registered(a)) { /* a device says with REGISTER where it is */
        move(a, r, &v);
    } else if (v.next == OTA_SIP_ELSEWHERE) {
        elsewhere(a, v.outcome, note);
    } else {
        ota_sip_finish(a, v.outcome, v.code, "%s", note);
    }
}

static void trans_done(enum err why, const struct ota_sip_reply *reply, void *arg)
{
    struct ota_sip_attempt *a = arg;

    a->trans = NULL;
    ota_sip_trans_drop(&a->cancelling);
    ota_sip_hop_leave(&a->hop, &a->rider);
    if (why == ERR_OK && a->session && reply->status / 100 == 2)
        ota_sip_session_begin(a, reply);
    else if (why == ERR_OK)
        judge(a, reply);
    else /* of an INVITE nothing has been taken */
        elsewhere(a, why == ERR_LATE && !a->session ? OTA_AMBIGUOUS : OTA_RETRY,
                  why == ERR_LATE ? "no answer" : "not sent");
}

/* --- ringing --- */

static void trans_ack(struct slice request, void *arg)
{
    struct ota_sip_attempt *a = arg;

    (void)!ota_sip_hop_send(a->hop, request); /* lost: it is asked for again (RFC 3261 §17.1.1.2) */
}

static enum err cancel_send(void *arg)
{
    struct ota_sip_attempt *a = arg;
    enum err e = ota_sip_hop_send(a->hop, buf_slice(&a->cancel));

    return e == ERR_AGAIN ? ERR_OK : e;
}

static void cancel_done(enum err why, const struct ota_sip_reply *reply, void *arg)
{
    struct ota_sip_attempt *a = arg;

    (void)why, (void)reply; /* what counts is the answer to the INVITE */
    a->cancelling = NULL;
}

static void trans_rang(void *arg)
{
    const struct ota_sip_trans_user user = {.send = cancel_send, .done = cancel_done, .arg = arg};
    struct ota_sip_attempt *a = arg;
    struct ota_sip *s = a->target->sip;

    buf_reset(&a->cancel, OTA_SIP_HEAD_MAX_N);
    if (!ota_sip_cancel_print(buf_slice(&a->message), &a->cancel) &&
        !ota_sip_trans_start(s->stack, buf_slice(&a->cancel), &user, &a->cancelling))
        ota_sip_watch(s);
}

/* --- sending --- */

static enum err trans_send(void *arg)
{
    struct ota_sip_attempt *a = arg;
    enum err e = ota_sip_hop_send(a->hop, buf_slice(&a->message));

    return e == ERR_AGAIN ? ERR_OK : e; /* the kernel is full: as lost on the way, and sent again */
}

/* How large it may be, and over what (RFC 3428 §8, RFC 3261 §18.1.1).  ERR_AGAIN: over TCP. */
static enum err size_good(const struct ota_sip_attempt *a)
{
    if (a->message.n <= OTA_SIP_PAGER_MAX_N)
        return ERR_OK;
    if (!env_of(a)->sip.large_ok && !a->session)
        return ERR_LIMIT;
    if (a->via == OTA_SIP_UDP && ota_sip_attempt_by_flow(a))
        return ERR_LIMIT; /* it is there and nowhere else */
    return a->via == OTA_SIP_UDP && !a->narrowed ? ERR_AGAIN : ERR_OK;
}

/* A table that is full is our trouble, not the push's. */
static enum err no_room(enum err e)
{
    return e == ERR_LIMIT ? ERR_NOMEM : e;
}

static enum err try_send(struct ota_sip_attempt *a)
{
    const struct ota_sip_trans_user user = {.send = trans_send,
                                            .done = trans_done,
                                            .arg = a,
                                            .ack = trans_ack,
                                            .rang = trans_rang,
                                            .ring_ms = env_of(a)->sip.ring_ms};
    const struct ota_sip_way way = {a->via, a->places[a->place_at].to, slice_str(a->name),
                                    ota_sip_attempt_by_flow(a) ? &a->device.flow : NULL};
    struct ota_sip *s = a->target->sip;
    enum err e = no_room(ota_sip_hop_take(s->hops, &way, &a->rider, &a->hop));

    if (!e) {
        recall_login(a);
        e = print_request(a);
    }
    if (!e)
        e = size_good(a);
    if (!e) {
        a->job->result.wire_n = a->message.n;
        e = no_room(ota_sip_trans_start(s->stack, buf_slice(&a->message), &user, &a->trans));
    }
    if (e) {
        ota_sip_hop_leave(&a->hop, &a->rider);
        return e;
    }
    a->cseq++;
    ota_sip_watch(s);
    return ERR_OK;
}

static void launch(struct ota_sip_attempt *a)
{
    enum err e;

    if (!a->session && a->job->terminal->session > OTA_SESSION_LARGE) {
        launch_session(a);
        return;
    }
    e = print_entity(a);
    if (!e)
        e = try_send(a);
    if (e == ERR_AGAIN) {
        a->via = OTA_SIP_TCP;
        a->widened = true;
        e = try_send(a);
    }
    if (e == ERR_PEER)
        elsewhere(a, OTA_RETRY, "port unreachable");
    else if (e == ERR_LIMIT && may_session(a))
        launch_session(a);
    else if (e)
        refuse(a, e);
}

/* In the session that there is, else in one that is offered now. */
static void launch_session(struct ota_sip_attempt *a)
{
    enum err e;

    a->session = true;
    e = print_entity(a);
    if (e) {
        refuse(a, e);
        return;
    }
    if (a->target->session) {
        ota_sip_session_push(a);
        return;
    }
    if (!ota_sip_session_room(a->target->sip)) {
        ota_sip_finish(a, OTA_RETRY, UNAVAILABLE, "so many sessions are open");
        return;
    }
    buf_reset(&a->offer, OTA_MSRP_SDP_MAX_N);
    e = ota_sip_session_offer(a, &a->offer);
    if (e)
        refuse(a, e);
    else
        launch(a);
}

static void found(const struct ota_sip_place *places, size_t n, void *arg)
{
    struct ota_sip_attempt *a = arg;

    a->search = NULL;
    a->target->sip->searches--;
    a->place_at = 0;
    for (a->places_n = 0; a->places_n < n; a->places_n++)
        a->places[a->places_n] = places[a->places_n];
    if (n) {
        take_place(a, 0);
        launch(a);
    } else {
        elsewhere(a, OTA_RETRY, "name not found");
    }
}

/* Another next hop than before has an agreement of its own, or none. */
static void note_next(struct ota_sip_attempt *a, uint16_t port)
{
    char next[sizeof a->next];

    (void)snprintf(next, sizeof next, "%s:%u", a->name, (unsigned)port);
    if (strcmp(next, a->next) == 0)
        return;
    (void)snprintf(a->next, sizeof a->next, "%s", next);
    a->agreed = env_of(a)->sip.sec_agree && !registered(a)
                    ? ota_sip_agreements_find(&a->target->sip->agreements, slice_str(next))
                    : (struct ota_sip_agreement){.mechanism = OTA_SIP_NOT_AGREED};
}

/* The next hop: the first proxy on the way to a device that registered through it, the outbound proxy, else where the Request-URI
 * says (RFC 3327 §5.4, RFC 3261 §8.1.2). */
static enum err next_hop(const struct ota_sip_attempt *a, struct ota_sip_uri *hop)
{
    struct slice first = registered(a) ? SLICE_NONE : env_of(a)->sip.proxy;
    enum err e = ERR_OK;

    *hop = a->to;
    if (registered(a) && a->device.path[0])
        e = ota_sip_route_first(slice_str(a->device.path), &first);
    return !e && first.n ? ota_sip_uri_parse(first, hop) : e;
}

static void resolve(struct ota_sip_attempt *a)
{
    struct ota_sip *s = a->target->sip;
    struct ota_sip_uri hop;
    enum err e = next_hop(a, &hop);

    if (!e)
        e = mem_cstr(a->name, sizeof a->name, slice_str(hop.host));
    if (!e)
        note_next(a, hop.port);
    if (!e)
        e = ota_sip_search_start(env_of(a)->net, s->records, &hop,
                                 a->to.secure || a->agreed.mechanism == OTA_SIP_AGREED_TLS, found, a,
                                 &a->search);
    if (e)
        refuse(a, e);
    else
        s->searches++;
}

static void begin_device(struct ota_sip_attempt *a)
{
    enum err why;

    if (find_device(a, &why))
        go_to_device(a);
    else if (why == ERR_UNSUPPORTED)
        ota_sip_finish(a, OTA_ABORTED, NO_APP, "registered, but no device has the application");
    else if (why == ERR_ABSENT)
        ota_sip_finish(a, OTA_RETRY, UNAVAILABLE, "not registered");
    else
        refuse(a, why);
}

static enum err begin_route(struct ota_sip_attempt *a)
{
    struct slice uri = a->job->terminal->sip_uri;
    enum err e = ota_sip_uri_parse(uri, &a->to);

    return e ? e : mem_cstr(a->uri, sizeof a->uri, uri);
}

void ota_sip_attempt_begin(struct ota_sip_attempt *a)
{
    enum err e = ota_sip_chance(a->call_id, OTA_SIP_CALL_ID_N);

    a->stage = OTA_SIP_FLYING;
    a->rider.lost = lost;
    list_init(&a->rider.at);
    a->bare = a->job->terminal->direct;
    if (!e)
        e = ota_sip_chance(a->tag, OTA_SIP_TAG_N);
    if (e)
        refuse(a, e);
    else if (registered(a))
        begin_device(a);
    else if (begin_route(a))
        ota_sip_finish(a, OTA_UNDELIVERABLE, BAD_ADDRESS, "not a SIP URI");
    else
        resolve(a);
}
