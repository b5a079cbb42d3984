/* One attempt to push as a MESSAGE or in a session; see attempt.h.  RFC 3428, RFC 3261 §8.1, §13.2, §18.1.1, §22.2. */
#include "ota/agent/attempt.h"

#include <stdio.h>

#include "ota/agent/session.h"
#include "ota/registrar/door.h"

#define TOO_LARGE   2006
#define FAILURE     4000
#define UNAVAILABLE 4001
#define OTHER_TYPE  5030
#define NO_CONFIRM  3007

static const struct ota_env *env_of(const struct ota_sip_attempt *a)
{
    return a->target->sip->env;
}

static void search_gone(void *arg)
{
    struct ota_sip *s = arg;

    s->searches--;
    ota_sip_check_end(s);
}

void ota_sip_attempt_stop(struct ota_sip_attempt *a)
{
    struct ota_sip_search *search = a->search;

    if (a->session && a->trans)
        ota_sip_attempt_abandon(a);
    ota_sip_trans_drop(&a->trans);
    ota_sip_trans_drop(&a->cancelling);
    ota_sip_hop_leave(&a->hop, &a->rider);
    ota_sip_session_leave(a);
    a->search = NULL;
    if (search)
        ota_sip_search_cancel(search, search_gone, a->target->sip);
}

void ota_sip_attempt_refuse(struct ota_sip_attempt *a, enum err e)
{
    switch (e) {
    case ERR_LIMIT:
        a->job->result.large = true;
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

/* --- what comes back --- */

/* The request on its way has the push itself: of a question, or an INVITE, nothing has been taken. */
static bool pushed(const struct ota_sip_attempt *a)
{
    return !a->asking && !a->session;
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
        ota_sip_attempt_launch(a);
    } else {
        ota_sip_attempt_elsewhere(a, opened && a->via != OTA_SIP_UDP && pushed(a) ? OTA_AMBIGUOUS : OTA_RETRY,
                                  note);
    }
}

/* The next hop wants an agreement, or another one.  Never from TLS to less; with Digest its challenge must be there. */
static enum err agree(struct ota_sip_attempt *a, const struct ota_sip_reply *r)
{
    struct ota_sip_agreement with;
    struct buf list;
    enum err e;

    if (!env_of(a)->sip.sec_agree || ota_sip_attempt_registered(a) || a->agrees++ == OTA_SIP_AGREES_MAX)
        return ERR_UNSUPPORTED;
    buf_init(&list, OTA_SIP_LIST_MAX_N);
    e = ota_sip_reply_security(r, &list);
    if (!e)
        e = ota_sip_agree(buf_slice(&list), &with);
    buf_clear(&list);
    if (!e && a->via == OTA_SIP_TLS && with.mechanism != OTA_SIP_AGREED_TLS)
        e = ERR_DENIED;
    if (!e && with.mechanism == OTA_SIP_AGREED_DIGEST && ota_sip_attempt_login_refused(a, r))
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
        ota_sip_attempt_resolve(a);
    else
        ota_sip_attempt_launch(a);
}

/* For who it is from, what it is or how large (RFC 3261 §21.4, §21.5): nobody has taken anything of it. */
static bool refused_unread(unsigned status)
{
    return status == 401 || status == 405 || status == 407 || status == 413 || status == 501 || status == 513;
}

static void judge(struct ota_sip_attempt *a, const struct ota_sip_reply *r)
{
    struct ota_sip_verdict v = ota_sip_verdict(r->status, a->job->confirmed);
    char note[64];

    if (a->form_tried &&
        v.outcome == OTA_ABORTED) /* who has opened the first form refuses the second as a replay */
        v.code = OTHER_TYPE;
    (void)snprintf(note, sizeof note, "%u %s", r->status, v.note);
    if (pushed(a) && refused_unread(r->status))
        a->told--;
    a->job->result.retry_after_ms = r->retry_s * 1000;
    a->job->result.taken = v.outcome == OTA_DELIVERED && r->status == 200; /* 202 is a relay's */
    a->job->result.association = ota_sa_answer_parse(r->association);
    ota_sip_attempt_learn(a, r, v.next);
    ota_sip_attempt_taught(a, r);
    if (ota_sip_attempt_may_session(a) && (v.code == TOO_LARGE || v.code == NO_CONFIRM)) {
        ota_sip_attempt_offer(a);
    } else if (v.next == OTA_SIP_LOGIN && !ota_sip_attempt_login_refused(a, r)) {
        ota_sip_attempt_launch(a);
    } else if (v.next == OTA_SIP_OTHER_FORM &&
               (ota_sip_attempt_other_form(a) || ota_sip_attempt_no_session(a))) {
        ota_sip_attempt_launch(a);
    } else if (v.next == OTA_SIP_AGREE) {
        agree_and_go_on(a, r, &v);
    } else if (v.next == OTA_SIP_MOVED &&
               !ota_sip_attempt_registered(a)) { /* a device says with REGISTER where it is */
        ota_sip_attempt_move(a, r, &v);
    } else if (v.next == OTA_SIP_ELSEWHERE) {
        ota_sip_attempt_elsewhere(a, v.outcome, note);
    } else if ((v.next != OTA_SIP_NOT_THERE && v.next != OTA_SIP_GONE) ||
               !ota_sip_attempt_next_device(a, v.next == OTA_SIP_GONE)) {
        if (r->status == 413 && r->retry_s) { /* for the time being (RFC 3261 §21.4.11) */
            v.outcome = OTA_RETRY;
            v.code = UNAVAILABLE;
        }
        a->job->result.large = r->status == 413 || r->status == 513;
        ota_sip_finish(a, v.outcome, v.code, "%s", note);
    }
}

/* Challenges are answered, and a device that is not there is not pushed to; whatever else is said, the push is next. */
static void judge_asked(struct ota_sip_attempt *a, const struct ota_sip_reply *r)
{
    struct ota_sip_verdict v = ota_sip_verdict(r->status, false);

    if (v.next == OTA_SIP_LOGIN && !ota_sip_attempt_login_refused(a, r)) {
        ota_sip_attempt_launch(a);
        return;
    }
    if (v.next == OTA_SIP_ELSEWHERE || v.next == OTA_SIP_AGREE || v.outcome == OTA_RETRY) {
        judge(a, r);
        return;
    }
    ota_sip_attempt_learn(a, r, v.next);
    ota_sip_attempt_asked(a, r);
    ota_sip_attempt_launch(a);
}

static void trans_done(enum err why, const struct ota_sip_reply *reply, void *arg)
{
    struct ota_sip_attempt *a = arg;
    struct ota_sip_hop *hop = a->hop;

    a->trans = NULL;
    ota_sip_trans_drop(&a->cancelling);
    ota_sip_hop_leave(&a->hop, &a->rider);
    if (why == ERR_LATE)
        ota_sip_hop_silent(hop);
    if (why == ERR_OK && a->session && reply->status / 100 == 2)
        ota_sip_session_begin(a, reply);
    else if (why == ERR_OK && a->asking)
        judge_asked(a, reply);
    else if (why == ERR_OK)
        judge(a, reply);
    else
        ota_sip_attempt_elsewhere(a, why == ERR_LATE && pushed(a) ? OTA_AMBIGUOUS : OTA_RETRY,
                                  why == ERR_LATE ? "no answer" : "not sent");
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

/* Nor does it ring when the push is of no use any more. */
static int64_t ring_ms(const struct ota_sip_attempt *a)
{
    int64_t max_ms = env_of(a)->sip.ring_ms, left_ms = a->job->expires_ms - clk_utc_ms(env_of(a)->net->clk);

    if (a->job->expires_ms == 0 || left_ms > max_ms)
        return max_ms;
    return left_ms > 0 ? left_ms : 0;
}

static enum err try_send(struct ota_sip_attempt *a)
{
    const struct ota_sip_trans_user user = {.send = trans_send,
                                            .done = trans_done,
                                            .arg = a,
                                            .ack = ota_sip_attempt_ack,
                                            .rang = ota_sip_attempt_rang,
                                            .ring_ms = ring_ms(a)};
    const struct ota_sip_way way = {a->via, a->places[a->place_at].to, slice_str(a->name),
                                    ota_sip_attempt_by_flow(a) ? &a->device.flow : NULL};
    struct ota_sip *s = a->target->sip;
    enum err e = no_room(ota_sip_hop_take(s->hops, &way, &a->rider, &a->hop));

    if (!e) {
        ota_sip_attempt_recall(a);
        e = ota_sip_attempt_request(a);
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
    a->told += pushed(a);
    ota_sip_watch(s);
    return ERR_OK;
}

void ota_sip_attempt_launch(struct ota_sip_attempt *a)
{
    enum err e;

    if (!a->asking && ota_sip_attempt_must_session(a)) {
        ota_sip_attempt_offer(a);
        return;
    }
    if (ota_sip_attempt_unreadable(a)) {
        ota_sip_finish(a, OTA_UNDELIVERABLE, TOO_LARGE, "told of no content that lies elsewhere");
        return;
    }
    e = ota_sip_attempt_entity(a);
    if (!e)
        e = try_send(a);
    if (e == ERR_AGAIN) {
        a->via = OTA_SIP_TCP;
        a->widened = true;
        e = try_send(a);
    }
    if (e == ERR_PEER)
        ota_sip_attempt_elsewhere(a, OTA_RETRY, "port unreachable");
    else if (e == ERR_LIMIT && ota_sip_attempt_may_session(a))
        ota_sip_attempt_offer(a);
    else if (e)
        ota_sip_attempt_refuse(a, e);
}

void ota_sip_attempt_begin(struct ota_sip_attempt *a)
{
    enum err e = ota_sip_chance(a->call_id, OTA_SIP_CALL_ID_N);

    a->stage = OTA_SIP_FLYING;
    a->rider.lost = lost;
    list_init(&a->rider.at);
    if (!e)
        e = ota_sip_chance(a->tag, OTA_SIP_TAG_N);
    if (env_of(a)->sip.door)
        ota_sip_door_tag(env_of(a)->sip.door, a->tag);
    if (e)
        ota_sip_attempt_refuse(a, e);
    else
        ota_sip_attempt_find(a);
}
