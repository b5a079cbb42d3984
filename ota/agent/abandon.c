/* An invitation that nobody wants an answer to any more: its push was cancelled, has expired, or the gateway goes down.  It must not
 * ring on, and who accepts it in the same moment must not wait for messages.  See attempt.h.  RFC 3261 §9.1, §13.2.2.4, §15. */
#include <stdlib.h>

#include "ota/agent/attempt.h"
#include "ota/agent/dialog.h"
#include "ota/agent/session.h"

struct abandoned {
    struct list at; /* in the bearer's */
    struct ota_sip *sip;
    struct ota_sip_rider rider;
    struct ota_sip_hop *hop;
    struct buf invite, cancel;
    struct ota_sip_trans *inviting, *cancelling;
};

static void abandoned_free(struct abandoned *b)
{
    list_remove(&b->at);
    ota_sip_trans_drop(&b->inviting);
    ota_sip_trans_drop(&b->cancelling);
    ota_sip_hop_leave(&b->hop, &b->rider);
    buf_clear(&b->invite);
    buf_clear(&b->cancel);
    free(b);
}

static enum err send_text(struct abandoned *b, const struct buf *text)
{
    enum err e = ota_sip_hop_send(b->hop, buf_slice(text));

    return e == ERR_AGAIN ? ERR_OK : e;
}

static enum err invite_send(void *arg)
{
    struct abandoned *b = arg;

    return send_text(b, &b->invite);
}

static enum err cancel_send(void *arg)
{
    struct abandoned *b = arg;

    return send_text(b, &b->cancel);
}

static void cancel_done(enum err why, const struct ota_sip_reply *reply, void *arg)
{
    struct abandoned *b = arg;

    (void)why, (void)reply; /* what counts is the answer to the INVITE */
    b->cancelling = NULL;
}

static void on_ack(struct slice request, void *arg)
{
    struct abandoned *b = arg;

    (void)!ota_sip_hop_send(b->hop, request);
}

static void on_rang(void *arg)
{
    const struct ota_sip_trans_user user = {.send = cancel_send, .done = cancel_done, .arg = arg};
    struct abandoned *b = arg;

    if (!ota_sip_cancel_print(buf_slice(&b->invite), &b->cancel) &&
        !ota_sip_trans_start(b->sip->stack, buf_slice(&b->cancel), &user, &b->cancelling))
        ota_sip_watch(b->sip);
}

/* The 2xx has crossed the CANCEL: it founds a session that nobody is in. */
static void invite_done(enum err why, const struct ota_sip_reply *reply, void *arg)
{
    struct abandoned *b = arg;

    b->inviting = NULL;
    if (why == ERR_OK && reply->status / 100 == 2)
        ota_sip_session_stray(b->sip, b->hop, reply);
    abandoned_free(b);
}

static void on_lost(struct ota_sip_rider *rider, bool opened, const char *note)
{
    struct abandoned *b = container_of(rider, struct abandoned, rider);

    (void)opened, (void)note;
    b->hop = NULL;
    abandoned_free(b);
}

/* Its transactions, its texts and its place on the hop become b's. */
static void take_over(struct abandoned *b, struct ota_sip_attempt *a)
{
    const struct ota_sip_trans_user inviting = {.send = invite_send,
                                                .done = invite_done,
                                                .arg = b,
                                                .ack = on_ack,
                                                .rang = on_rang,
                                                .ring_ms = 0},
                                    cancelling = {.send = cancel_send, .done = cancel_done, .arg = b};

    b->sip = a->target->sip;
    b->rider.lost = on_lost;
    list_init(&b->rider.at);
    b->invite = a->message;
    b->cancel = a->cancel;
    buf_init(&a->message, OTA_SIP_MESSAGE_MAX_N);
    buf_init(&a->cancel, OTA_SIP_HEAD_MAX_N);
    b->inviting = a->trans;
    b->cancelling = a->cancelling;
    b->hop = a->hop;
    a->trans = a->cancelling = NULL;
    a->hop = NULL;
    ota_sip_hop_pass(b->hop, &a->rider, &b->rider);
    ota_sip_trans_give(b->inviting, &inviting);
    if (b->cancelling)
        ota_sip_trans_give(b->cancelling, &cancelling);
}

/* Without memory it rings until the far end gives up; a late 2xx is ended all the same. */
void ota_sip_attempt_abandon(struct ota_sip_attempt *a)
{
    struct abandoned *b = a->hop ? calloc(1, sizeof *b) : NULL;

    if (!b)
        return;
    take_over(b, a);
    list_init(&b->at);
    list_push_back(&b->sip->abandoned, &b->at);
    ota_sip_watch(b->sip);
}

void ota_sip_abandoned_end(struct ota_sip *s)
{
    ota_sip_stack_tick(s->stack); /* those that ring are cancelled */
    LIST_EACH_SAFE (at, &s->abandoned)
        abandoned_free(container_of(at, struct abandoned, at));
}
