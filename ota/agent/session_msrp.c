/* A session's stream of messages: the connection, and the push on its way; see session.h.  RFC 4975 §5.4, §7; the outcomes are the
 * table in the room's README. */
#include "ota/agent/session.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/net/dns.h"
#include "base/net/stream.h"
#include "security/secret.h"

#define OK           1000
#define CAPABILITIES 2006
#define FAILURE      4000
#define UNAVAILABLE  4001
#define STOPPED      5026
#define OTHER_TYPE   5030
#define STRANGER     "another than the terminal connected"

static const struct ota_env *env_of(const struct ota_sip_session *s)
{
    return s->sip->env;
}

static int64_t now_ms(const struct ota_sip_session *s)
{
    return clk_mono_ms(env_of(s)->net->clk);
}

/* --- what came of a push --- */

static const struct refusal {
    unsigned status;
    bool keep; /* it is the message's fault, not the session's */
    enum ota_outcome outcome;
    unsigned code;
    const char *note;
} refusals[] = {{408, false, OTA_RETRY, UNAVAILABLE, "408 no answer on the way"},
                {413, true, OTA_ABORTED, STOPPED, "413 the terminal stopped it"},
                {415, true, OTA_ABORTED, OTHER_TYPE, "415 type not accepted"},
                {481, false, OTA_RETRY, UNAVAILABLE, "481 session not known"}};

static void refused(struct ota_sip_session *s, unsigned status)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (refusals[i].status == status) {
            const struct refusal *r = &refusals[i];

            ota_sip_session_pushed(s, r->keep, r->outcome, r->code, "%s", r->note);
            return;
        }
    ota_sip_session_pushed(s, false, OTA_UNDELIVERABLE, FAILURE, "%u refused", status);
}

/* Chunks went to the terminal itself when there is no relay in its path. */
static bool direct(const struct ota_sip_session *s)
{
    return strchr(s->path, ' ') == NULL;
}

static void concluded(struct ota_sip_session *s)
{
    struct ota_result *r = &s->push->job->result;
    size_t chunks = s->sender.chunks_n;

    switch (s->sender.end) {
    case OTA_MSRP_GOING:
        break;
    case OTA_MSRP_SENT:
    case OTA_MSRP_REPORTED:
        r->taken = direct(s) || s->sender.end == OTA_MSRP_REPORTED;
        ota_sip_session_pushed(s, true, OTA_DELIVERED, OK, "%s, %zu chunks",
                               s->sender.end == OTA_MSRP_SENT ? "taken" : "success reported", chunks);
        break;
    case OTA_MSRP_REFUSED:
        if (ota_msrp_sender_abort(&s->sender, &s->out) == ERR_OK && s->out.n && s->stream)
            (void)net_stream_write(s->stream, buf_slice(&s->out));
        buf_reset(&s->out, OTA_MSRP_HEAD_MAX_N);
        refused(s, s->sender.status);
        break;
    case OTA_MSRP_SILENT:
        ota_sip_session_pushed(s, false, OTA_AMBIGUOUS, UNAVAILABLE, "no answer to a chunk");
        break;
    case OTA_MSRP_UNREPORTED:
        ota_sip_session_pushed(s, false, OTA_AMBIGUOUS, UNAVAILABLE, "no success report");
        break;
    }
}

/* --- sending --- */

static void progress(struct ota_sip_session *s)
{
    struct net_hub *hub = env_of(s)->net->hub;
    enum err e = ERR_OK;
    int64_t wait;

    buf_reset(&s->out, OTA_MSRP_HEAD_MAX_N);
    while (!(e = ota_msrp_sender_next(&s->sender, now_ms(s), &s->out)))
        s->push->job->result.wire_n = s->sender.sent_n;
    if (e != ERR_ABSENT) {
        ota_sip_session_pushed(s, false, OTA_RETRY, UNAVAILABLE, "not sent: %s", err_text(e));
        return;
    }
    if (s->out.n)
        (void)net_stream_write(s->stream, buf_slice(&s->out));
    buf_reset(&s->out, OTA_MSRP_HEAD_MAX_N);
    wait = ota_msrp_sender_wait_ms(&s->sender, now_ms(s));
    if (wait >= 0)
        net_hub_timer_set(hub, &s->timer, wait > 0 ? wait : 1);
    concluded(s);
}

static void timer_fired(struct net_timer *timer)
{
    struct ota_sip_session *s = container_of(timer, struct ota_sip_session, timer);

    if (s->awaited) {
        ota_sip_session_pushed(s, false, OTA_RETRY, UNAVAILABLE, "the terminal did not connect");
        return;
    }
    if (!s->sending) {
        ota_sip_session_close(s, "idle");
        return;
    }
    ota_msrp_sender_tick(&s->sender, now_ms(s));
    progress(s);
}

void ota_sip_session_timer_init(struct ota_sip_session *s)
{
    net_timer_init(&s->timer, timer_fired);
}

static void start(struct ota_sip_session *s)
{
    const struct ota_sip_attempt *a = s->push;
    const struct ota_msrp_outgoing what = {.to_path = slice_str(s->path),
                                           .from_path = slice_str(s->own_path),
                                           .message_id = slice_str(s->message_id),
                                           .content_type = ota_sip_attempt_type(a),
                                           .head = buf_slice(&a->entity),
                                           .body = a->job->body,
                                           .chunk_n = OTA_MSRP_CHUNK_N,
                                           .success = a->job->confirmed,
                                           .report_ms = env_of(s)->sip.report_ms,
                                           .chance = sec_random};

    ota_msrp_sender_init(&s->sender, &what);
    s->sending = true;
    progress(s);
}

void ota_sip_session_send(struct ota_sip_session *s)
{
    const struct ota_msrp_sdp far = {.accept = slice_str(s->accept)};
    bool large = s->max_size && s->push->entity.n + s->push->job->body.n > s->max_size;

    s->push->job->result.large = large;
    if (large)
        ota_sip_session_pushed(s, false, OTA_UNDELIVERABLE, CAPABILITIES, "larger than the terminal takes");
    else if (!ota_msrp_sdp_accepts(&far, ota_sip_attempt_type(s->push)))
        ota_sip_session_pushed(s, false, OTA_ABORTED, OTHER_TYPE, "type not among those the terminal takes");
    else if (ota_sip_session_message_id(s))
        ota_sip_session_pushed(s, false, OTA_RETRY, UNAVAILABLE, "out of memory");
    else
        start(s);
}

/* --- what comes --- */

/* Nobody sends to us: an empty message, which only says that it lives, is fine (RFC 4975 §7.3.1).  Who has connected must be at the path
 * that its answer names (§8.2): a session is between two URIs. */
static unsigned status_for(const struct ota_sip_session *s, const struct ota_msrp_unit *u)
{
    if (!ota_msrp_uri_same(ota_msrp_first(u->head->to_path), slice_str(s->own_path)) ||
        (s->guest && !ota_msrp_path_same(u->head->from_path, slice_str(s->path))))
        return 481;
    if (u->head->kind == OTA_MSRP_OTHER)
        return 501;
    return u->has_body && u->body.n ? 403 : 200;
}

static void answer(struct ota_sip_session *s, const struct ota_msrp_unit *u)
{
    unsigned status = status_for(s, u);

    if (u->head->failure_report != OTA_MSRP_FAILURE_NO) {
        buf_reset(&s->out, OTA_MSRP_HEAD_MAX_N);
        ota_msrp_response_print(u->head, status, &s->out);
        (void)net_stream_write(s->stream, buf_slice(&s->out));
    }
    if (status == 481 && s->guest && s->push && !s->sending) /* the first it says: it is sent nothing */
        ota_sip_session_pushed(s, false, OTA_RETRY, UNAVAILABLE, STRANGER);
}

static void take(struct ota_sip_session *s, const struct ota_msrp_unit *u)
{
    bool request = u->head->kind == OTA_MSRP_SEND || u->head->kind == OTA_MSRP_OTHER;

    if (request && u->begins)
        answer(s, u);
    else if (!request && s->sending && ota_msrp_sender_heard(&s->sender, u->head))
        progress(s);
}

static void on_data(struct net_stream *stream, struct slice data, void *arg)
{
    struct ota_sip_session *s = arg;
    enum err e = ota_msrp_frame_feed(&s->frame, data);
    struct ota_msrp_unit u;

    while (!e && s->target && !(e = ota_msrp_frame_next(&s->frame, &u)))
        take(s, &u);
    if (s->target && e != ERR_AGAIN)
        net_stream_abort(stream, e);
}

/* Was it the terminal that connected?  The id alone says so where nothing has to be protected; its key or the name in its certificate
 * where that is (RFC 4975 §14.4). */
static bool peer_good(const struct ota_sip_session *s)
{
    const struct net_tls_peer *peer = net_stream_peer(s->stream);

    if (!s->guest || !s->secure)
        return true;
    if (!peer)
        return false;
    if (s->psk_identity[0])
        return slice_eq(peer->psk, slice_str(s->psk_identity));
    for (size_t i = 0; peer->has_cert && peer->verified && i < peer->dns_n; i++)
        if (slice_eq_ci(peer->dns[i], slice_str(s->tls_name)))
            return true;
    return false;
}

static void on_opened(struct net_stream *stream, void *arg)
{
    struct ota_sip_session *s = arg;

    if (!peer_good(s)) {
        ota_sip_session_pushed(s, false, OTA_RETRY, UNAVAILABLE, STRANGER);
        return;
    }
    s->open = true;
    ota_sip_session_forget_addresses(s);
    if (s->arrived)
        on_data(stream, buf_slice(&s->arrived->octets), s);
    if (s->target && s->push)
        ota_sip_session_send(s);
}

static void connect_next(struct ota_sip_session *s);

/* Nobody listened there: the name may have another address.  A verdict of TLS is about all of them. */
static bool may_try_next(const struct ota_sip_session *s, enum err why)
{
    return s->target && !s->open && !s->arrived && why == ERR_PEER &&
           *net_stream_tls_why(s->stream) == '\0' && s->to_at < s->to_n;
}

/* Connection lost: all its sessions have failed (RFC 4975 §5.4). */
static void on_closed(struct net_stream *stream, enum err why, void *arg)
{
    struct ota_sip_session *s = arg;
    const char *tls = net_stream_tls_why(stream);
    bool next = may_try_next(s, why);

    s->stream = NULL;
    ota_msrp_parcel_free(&s->arrived);
    if (next)
        connect_next(s);
    else if (!s->target)
        ota_sip_session_check_end(s);
    else
        ota_sip_session_pushed(s, false, s->sender.chunks_n && s->sending ? OTA_AMBIGUOUS : OTA_RETRY,
                               UNAVAILABLE, "%s: %s%s", s->open ? "connection lost" : "not connected",
                               tls[0] ? "TLS: " : "", tls[0] ? tls : err_text(why));
}

/* --- the connection --- */

enum err ota_sip_session_credentials(struct ota_sip_session *s, const struct ota_terminal *t)
{
    const struct net_tls_conf conf = {.role = NET_TLS_CLIENT,
                                      .version_min = 12,
                                      .psk_identity = t->psk_identity,
                                      .psk_key = sec_secret_slice(&t->psk)};
    const char *why;

    if (t->psk_identity.n)
        return net_tls_ctx_create(&conf, &s->tls, &why);
    s->tls = net_tls_ctx_hold(s->sip->tls);
    return s->tls ? ERR_OK : ERR_UNSUPPORTED;
}

void ota_sip_session_forget_addresses(struct ota_sip_session *s)
{
    free(s->to);
    s->to = NULL;
    s->to_n = s->to_at = 0;
}

/* The certificate must be for the host of the URI (RFC 4975 §14.2), or for the name that the terminal is known by. */
static void connect_next(struct ota_sip_session *s)
{
    const struct net_stream_user user = {.opened = on_opened, .data = on_data, .closed = on_closed, .arg = s};
    const struct net_env *net = env_of(s)->net;
    int64_t left_ms = s->connect_by_ms - now_ms(s);
    enum err e = ERR_LATE;

    if (left_ms > 0)
        e = net_stream_connect(net, (const struct sockaddr *)&s->to[s->to_at++], s->tls,
                               slice_str(s->tls_name), left_ms, left_ms, &user, &s->stream);
    if (e)
        ota_sip_session_pushed(s, false, OTA_RETRY, UNAVAILABLE, "not connected: %s", err_text(e));
}

static void looked_up(enum err e, const struct sockaddr_storage *to, size_t n, void *arg)
{
    struct ota_sip_session *s = arg;

    s->query = NULL;
    if (!s->target) {
        ota_sip_session_check_end(s);
        return;
    }
    s->to = !e && n ? calloc(n, sizeof *s->to) : NULL;
    if (!s->to) {
        ota_sip_session_pushed(s, false, OTA_RETRY, UNAVAILABLE, "name of the terminal's stream not found");
        return;
    }
    for (; s->to_n < n; s->to_n++)
        s->to[s->to_n] = to[s->to_n];
    connect_next(s);
}

/* It has come, and said which session it is for. */
static void came(void *arg)
{
    struct ota_sip_session *s = arg;
    const struct net_stream_user user = {.opened = on_opened, .data = on_data, .closed = on_closed, .arg = s};
    enum err e;

    s->arrived = ota_msrp_guest_take(s->guest);
    s->awaited = false;
    net_hub_timer_stop(env_of(s)->net->hub, &s->timer);
    e = net_stream_resume(env_of(s)->net, &s->arrived->socket, &user, &s->stream);
    if (e)
        ota_sip_session_pushed(s, false, OTA_RETRY, UNAVAILABLE, "not connected: %s", err_text(e));
    else
        s->arrived->socket = (struct net_handover){.fd = -1};
}

static void await(struct ota_sip_session *s)
{
    s->awaited = true;
    net_hub_timer_set(env_of(s)->net->hub, &s->timer, env_of(s)->connect_ms);
    ota_msrp_guest_await(s->guest, came, s);
}

void ota_sip_session_connect(struct ota_sip_session *s)
{
    struct ota_msrp_uri uri;
    enum err e = ota_msrp_uri_parse(ota_msrp_first(slice_str(s->path)), &uri);

    if (!e && s->tls_name[0] == '\0')
        e = mem_cstr(s->tls_name, sizeof s->tls_name, slice_str(uri.host));
    if (!e && s->guest) {
        await(s);
        return;
    }
    s->connect_by_ms = now_ms(s) + env_of(s)->connect_ms;
    if (!e)
        e = net_dns_lookup(env_of(s)->net, slice_str(uri.host), uri.port, looked_up, s, &s->query);
    if (e)
        ota_sip_session_pushed(s, false, OTA_RETRY, UNAVAILABLE, "not connected: %s", err_text(e));
}

void ota_sip_session_hang_up(struct ota_sip_session *s)
{
    s->awaited = false;
    ota_msrp_guest_free(&s->guest);
    if (s->query)
        net_dns_cancel(s->query);
    if (!s->stream)
        return;
    buf_reset(&s->out, OTA_MSRP_HEAD_MAX_N);
    if (s->open && s->sending && !ota_msrp_sender_abort(&s->sender, &s->out))
        (void)net_stream_write(s->stream, buf_slice(&s->out));
    net_stream_close(s->stream);
}
