/* A registration at a SIP registrar; see sip_register.h. */
#include "ppg/handset/sip_register.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/net/dns.h"
#include "base/net/hub.h"
#include "base/num.h"
#include "ota/sip/hop.h"
#include "ota/sip/login.h"
#include "ota/sip/trans.h"
#include "ota/sip/uri.h"

#define CONNECT_MS 10000
#define REFRESH_MS 600000 /* at the latest: a connection that nobody uses is closed by the far end */
#define AGAIN_MS   5000   /* after a failure; however little is granted, no sooner */
#define EXPIRES_S  86400  /* more is not asked for, whatever the registrar wants */
#define MESSAGE_N  16384
#define CHANCE_N   16 /* octets of what must not be guessed */
#define TEXT_N     (2 * CHANCE_N + 1)

struct tool_sip_register {
    struct tool_sip_register_conf conf;
    struct ota_env env; /* for the hops */
    struct ota_sip_stack *stack;
    struct ota_sip_hops *hops;
    struct ota_sip_uri registrar, record, contact;
    char domain[OTA_SIP_HOST_MAX_N + 8]; /* Request-URI */
    struct net_dns_query *query;
    struct sockaddr_storage to;
    struct ota_sip_rider rider;
    struct ota_sip_hop *hop;
    struct ota_sip_trans *trans;
    struct ota_sip_module module;
    struct ota_sip_login login;
    struct buf message;
    char call_id[TEXT_N], tag[TEXT_N];
    uint32_t cseq;
    struct net_timer timer; /* of the transaction */
    struct net_timer next;  /* registration */
    int64_t expires_s;      /* asked for */
    unsigned failures;      /* in a row: of the registrar's addresses the next has its turn */
    bool ended;
    bool hops_closed;
};

static struct net_hub *hub_of(const struct tool_sip_register *r)
{
    return r->conf.env->hub;
}

static void check_end(struct tool_sip_register *r)
{
    if (!r->ended || !r->hops_closed || r->query)
        return;
    ota_sip_stack_free(&r->stack);
    ota_sip_login_clear(&r->login);
    buf_clear(&r->message);
    free(r);
}

static void say(struct tool_sip_register *r, unsigned status, int64_t again_ms)
{
    net_hub_timer_set(hub_of(r), &r->next, num_max64(num_min64(again_ms, REFRESH_MS), AGAIN_MS));
    r->conf.told(status, r->conf.arg);
}

static void fail(struct tool_sip_register *r)
{
    r->failures++;
    say(r, 0, AGAIN_MS);
}

/* Half of what is granted, which may be less than was asked for (RFC 3261 §10.2.4). */
static void registered(struct tool_sip_register *r, const struct ota_sip_reply *reply)
{
    int64_t bound_s = ota_sip_reply_bound_s(reply, slice_str(r->conf.contact));

    say(r, reply->status, (bound_s < 0 ? r->expires_s : num_min64(bound_s, r->expires_s)) * 500);
}

/* --- the request --- */

static enum err chance(char out[TEXT_N])
{
    uint8_t octets[CHANCE_N];
    struct buf text;
    enum err e = sec_random(octets, sizeof octets);

    buf_init(&text, TEXT_N);
    codec_hex(&text, slice_of(octets, sizeof octets));
    if (!e)
        e = buf_err(&text) ? buf_err(&text) : mem_cstr(out, TEXT_N, buf_slice(&text));
    buf_clear(&text);
    return e;
}

static enum ota_sip_via via_of(const struct tool_sip_register *r)
{
    return r->registrar.transport == OTA_SIP_BY_TCP ? OTA_SIP_TCP : OTA_SIP_UDP;
}

/* Where we are, as the contact says it: a registrar believes a contact whose Via is true. */
static void print_sent_by(const struct tool_sip_register *r, struct buf *out)
{
    uint16_t port = ota_sip_hop_port(r->hop);
    bool v6 = strchr(r->contact.host, ':') != NULL;

    buf_addf(out, "%s%s%s", v6 ? "[" : "", r->contact.host, v6 ? "]" : "");
    if (port)
        buf_addf(out, ":%u", (unsigned)port);
}

static enum err print(struct tool_sip_register *r)
{
    const struct sec_digest_request asked = {SLICE("REGISTER"), slice_str(r->domain), SLICE_NONE, true};
    struct buf *m = &r->message;
    char branch[TEXT_N];
    enum err e = chance(branch);

    buf_reset(m, MESSAGE_N);
    buf_addf(m, "REGISTER %s SIP/2.0\r\nVia: SIP/2.0/%s ", r->domain, ota_sip_via_name(via_of(r)));
    print_sent_by(r, m);
    buf_addf(m, ";branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\n", branch);
    buf_addf(m, "From: <%s>;tag=%s\r\nTo: <%s>\r\nCall-ID: %s\r\nCSeq: %u REGISTER\r\n", r->record.record,
             r->tag, r->record.record, r->call_id, (unsigned)++r->cseq);
    buf_addf(m, "Contact: <%s>;expires=%lld;methods=\"MESSAGE,INVITE,ACK,BYE,OPTIONS\"", r->conf.contact,
             (long long)r->expires_s);
    if (r->conf.apps.n) {
        buf_add(m, SLICE(";+"));
        buf_add(m, r->conf.app_tag);
        buf_add(m, SLICE("=\""));
        buf_add(m, r->conf.apps);
        buf_add(m, SLICE("\""));
    }
    buf_add(m, SLICE("\r\n"));
    if (!e)
        e = ota_sip_login_print(&r->login, &r->conf.login, &asked, NULL, m);
    buf_add(m, SLICE("Content-Length: 0\r\n\r\n"));
    return e ? e : buf_err(m);
}

/* --- what comes back --- */

static void launch(struct tool_sip_register *r);

static void lost(struct ota_sip_rider *rider, bool opened, const char *note)
{
    struct tool_sip_register *r = container_of(rider, struct tool_sip_register, rider);

    (void)opened, (void)note;
    r->hop = NULL;
    ota_sip_trans_drop(&r->trans);
    fail(r);
}

/* The registrar wants it longer, and says how long (§10.2.8). */
static bool longer(struct tool_sip_register *r, const struct ota_sip_reply *reply)
{
    int64_t min_s = ota_sip_reply_min_expires_s(reply);

    if (min_s <= r->expires_s || min_s > EXPIRES_S)
        return false;
    r->expires_s = min_s;
    return true;
}

static void done(enum err why, const struct ota_sip_reply *reply, void *arg)
{
    struct tool_sip_register *r = arg;

    r->trans = NULL;
    ota_sip_hop_leave(&r->hop, &r->rider);
    if (why)
        fail(r);
    else if (reply->status == 200)
        registered(r, reply);
    else if (((reply->status == 401 || reply->status == 407) && r->conf.login.user.n &&
              !ota_sip_login_challenged(&r->login, reply)) ||
             (reply->status == 423 && longer(r, reply)))
        launch(r);
    else
        say(r, reply->status, reply->retry_s * 1000);
}

static void watch(struct tool_sip_register *r)
{
    int64_t wait = ota_sip_stack_wait_ms(r->stack);

    if (wait >= 0)
        net_hub_timer_set(hub_of(r), &r->timer, wait ? wait : 1);
}

static void tick(struct net_timer *timer)
{
    struct tool_sip_register *r = container_of(timer, struct tool_sip_register, timer);

    ota_sip_stack_tick(r->stack);
    watch(r);
}

static void on_message(struct ota_sip_hop *hop, const struct ota_sip_unit *unit, void *arg)
{
    struct tool_sip_register *r = arg;
    struct ota_sip_reply reply;
    enum err e = ota_sip_reply_read(unit, &reply);

    if (e == ERR_UNSUPPORTED) {
        struct slice answer =
            r->conf.request(unit, ota_sip_hop_peer(hop), via_of(r) == OTA_SIP_UDP, r->conf.arg);

        if (answer.n)
            (void)!ota_sip_hop_send(hop, answer); /* who hears nothing asks again */
    } else if (!e && !ota_sip_stack_reply(r->stack, &reply)) {
        ota_sip_reply_clear(&reply);
    }
}

/* --- sending --- */

static enum err send_message(void *arg)
{
    struct tool_sip_register *r = arg;

    return ota_sip_hop_send(r->hop, buf_slice(&r->message));
}

static void launch(struct tool_sip_register *r)
{
    const struct ota_sip_trans_user user = {.send = send_message, .done = done, .arg = r};
    const struct ota_sip_way way = {via_of(r), r->to, SLICE_NONE, NULL};
    enum err e = ota_sip_hop_take(r->hops, &way, &r->rider, &r->hop);

    if (!e)
        e = print(r);
    if (!e)
        e = ota_sip_trans_start(r->stack, buf_slice(&r->message), &user, &r->trans);
    if (!e) {
        watch(r);
        return;
    }
    ota_sip_hop_leave(&r->hop, &r->rider);
    fail(r);
}

static void resolved(enum err why, const struct sockaddr_storage *to, size_t n, void *arg)
{
    struct tool_sip_register *r = arg;

    r->query = NULL;
    if (r->ended) {
        check_end(r);
    } else if (why || n == 0) {
        fail(r);
    } else {
        r->to = to[r->failures % n];
        launch(r);
    }
}

static void begin(struct net_timer *timer)
{
    struct tool_sip_register *r = container_of(timer, struct tool_sip_register, next);

    ota_sip_login_clear(&r->login);
    if (net_dns_lookup(r->conf.env, slice_str(r->registrar.host), ota_sip_uri_port(&r->registrar), resolved,
                       r, &r->query))
        fail(r);
}

/* --- life --- */

static enum err set_up(struct tool_sip_register *r)
{
    const struct ota_sip_hops_conf hops = {
        .env = &r->env, .hops_max = 1, .idle_ms = r->conf.expires_s * 1000, .message = on_message, .arg = r};
    enum err e = ota_sip_uri_parse(slice_str(r->conf.registrar), &r->registrar);

    if (!e)
        e = ota_sip_uri_parse(slice_str(r->conf.record), &r->record);
    if (!e)
        e = ota_sip_uri_parse(slice_str(r->conf.contact), &r->contact);
    if (!e && !r->record.has_user)
        e = ERR_MALFORMED;
    if (!e)
        e = chance(r->call_id);
    if (!e)
        e = chance(r->tag);
    if (!e)
        e = ota_sip_stack_create(r->conf.env->clk, 1, &r->stack);
    if (!e)
        e = ota_sip_hops_create(&hops, &r->hops);
    return e;
}

enum err tool_sip_register_create(const struct tool_sip_register_conf *conf, struct tool_sip_register **out)
{
    struct tool_sip_register *r = calloc(1, sizeof *r);
    enum err e;

    if (!r)
        return ERR_NOMEM;
    r->conf = *conf;
    r->expires_s = conf->expires_s;
    r->env = (struct ota_env){.net = conf->env, .connect_ms = CONNECT_MS};
    r->rider.lost = lost;
    ota_sip_login_init(&r->login);
    r->module = (struct ota_sip_module){conf->aka, conf->aka_arg};
    r->login.module = conf->aka ? &r->module : NULL;
    buf_init(&r->message, MESSAGE_N);
    net_timer_init(&r->timer, tick);
    net_timer_init(&r->next, begin);
    list_init(&r->rider.at);
    e = set_up(r);
    if (e) {
        ota_sip_stack_free(&r->stack);
        free(r);
        return e;
    }
    (void)snprintf(r->domain, sizeof r->domain, "sip:%s", r->record.host);
    net_hub_timer_set(conf->env->hub, &r->next, 1);
    *out = r;
    return ERR_OK;
}

static void on_hops_closed(void *arg)
{
    struct tool_sip_register *r = arg;

    r->hops_closed = true;
    check_end(r);
}

void tool_sip_register_close(struct tool_sip_register **rp)
{
    struct tool_sip_register *r = *rp;

    *rp = NULL;
    if (!r)
        return;
    r->ended = true;
    net_hub_timer_stop(hub_of(r), &r->timer);
    net_hub_timer_stop(hub_of(r), &r->next);
    ota_sip_trans_drop(&r->trans);
    ota_sip_hop_leave(&r->hop, &r->rider);
    if (r->query)
        net_dns_cancel(r->query);
    ota_sip_hops_close(r->hops, on_hops_closed, r);
}
