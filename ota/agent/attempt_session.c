/* What an attempt in a session does that one of a MESSAGE does not: an offer, ringing, CANCEL; see attempt.h.  RFC 3261 §9.1, §13.2. */
#include "ota/agent/attempt.h"
#include "ota/agent/dialog.h"
#include "ota/agent/session.h"

#define UNAVAILABLE 4001

void ota_sip_attempt_ack(struct slice request, void *arg)
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

void ota_sip_attempt_rang(void *arg)
{
    const struct ota_sip_trans_user user = {.send = cancel_send, .done = cancel_done, .arg = arg};
    struct ota_sip_attempt *a = arg;
    struct ota_sip *s = a->target->sip;

    buf_reset(&a->cancel, OTA_SIP_HEAD_MAX_N);
    if (!ota_sip_cancel_print(buf_slice(&a->message), &a->cancel) &&
        !ota_sip_trans_start(s->stack, buf_slice(&a->cancel), &user, &a->cancelling))
        ota_sip_watch(s);
}

void ota_sip_attempt_offer(struct ota_sip_attempt *a)
{
    enum err e;

    a->session = true;
    e = ota_sip_attempt_entity(a);
    if (e) {
        ota_sip_attempt_refuse(a, e);
        return;
    }
    if (a->target->session && ota_sip_session_push(a))
        return;
    if (!ota_sip_session_room(a->target->sip)) {
        ota_sip_finish(a, OTA_RETRY, UNAVAILABLE, "so many sessions are open");
        return;
    }
    buf_reset(&a->offer, OTA_MSRP_SDP_MAX_N);
    e = ota_sip_session_offer(a, &a->offer);
    if (e)
        ota_sip_attempt_refuse(a, e);
    else
        ota_sip_attempt_launch(a);
}
