/* The texts of an attempt: its requests, the entity in them, credentials; see attempt.h.  RFC 3261 §8.1.1, §22.2; RFC 3428 §4; RFC 3329. */
#include "ota/agent/attempt.h"

#include <stdio.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/net/stream.h"
#include "ota/registrar/door.h"

static const struct ota_env *env_of(const struct ota_sip_attempt *a)
{
    return a->target->sip->env;
}

struct slice ota_sip_attempt_app(const struct ota_sip_attempt *a)
{
    return ota_header_find(a->job->message_head, SLICE("X-Wap-Application-Id"));
}

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

enum err ota_sip_attempt_entity(struct ota_sip_attempt *a)
{
    const struct ota_push_info info = {a->job->authenticated, a->job->trusted, false};

    buf_reset(&a->entity, OTA_SIP_BODY_MAX_N);
    if (!a->bare) {
        enum err e = ota_sip_envelope_print(a->job->message_head, &info, &a->entity);

        if (e)
            return e;
    }
    if (!a->session) /* there it goes as it stands */
        buf_add(&a->entity, a->job->body);
    return buf_err(&a->entity);
}

const struct ota_login *ota_sip_attempt_login(const struct ota_sip_attempt *a)
{
    return a->job->terminal->login.user.n ? &a->job->terminal->login : &env_of(a)->sip.login;
}

static struct slice method_of(const struct ota_sip_attempt *a)
{
    if (a->asking)
        return SLICE("OPTIONS");
    return a->session ? SLICE("INVITE") : SLICE("MESSAGE");
}

static struct slice body_of(const struct ota_sip_attempt *a)
{
    if (a->asking)
        return SLICE_NONE;
    return a->session ? buf_slice(&a->offer) : buf_slice(&a->entity);
}

static enum err print_login(struct ota_sip_attempt *a, const struct ota_sip_verify *verify, struct buf *out)
{
    const struct sec_digest_request request = {method_of(a), slice_str(a->uri), body_of(a), true};

    return ota_sip_login_print(&a->login, ota_sip_attempt_login(a), &request, verify, out);
}

/* What TLS protects because the URI says so needs no agreement (RFC 3329 §2.3.1); a device that has registered here has its own. */
static bool agrees(const struct ota_sip_attempt *a)
{
    return env_of(a)->sip.sec_agree && !ota_sip_attempt_registered(a) &&
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
                                 ota_sip_attempt_login(a)->user};
}

void ota_sip_attempt_recall(struct ota_sip_attempt *a)
{
    struct ota_sip_whom whom = whom_of(a);

    if (a->login.n == 0 && whom.user.n)
        ota_sip_known_recall(&a->target->sip->known, &whom, &a->login);
}

void ota_sip_attempt_learn(struct ota_sip_attempt *a, const struct ota_sip_reply *r, enum ota_sip_next next)
{
    struct ota_sip_whom whom = whom_of(a);

    if (next == OTA_SIP_LOGIN || next == OTA_SIP_AGREE)
        return;
    if (a->agreed.mechanism != OTA_SIP_NOT_AGREED)
        ota_sip_agreements_put(&a->target->sip->agreements, slice_str(a->next), &a->agreed);
    if (a->login.n)
        ota_sip_known_learn(&a->target->sip->known, &whom, &a->login, r);
}

bool ota_sip_attempt_login_refused(struct ota_sip_attempt *a, const struct ota_sip_reply *r)
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
    struct ota_sip_message m = {
        .uri = slice_str(a->uri),
        .via = a->via,
        .route = ota_sip_attempt_registered(a) ? SLICE_NONE : conf->proxy,
        .path = ota_sip_attempt_registered(a) ? slice_str(a->device.path) : SLICE_NONE,
        .from = conf->identity,
        .from_tag = slice_str(a->tag),
        .to = ota_sip_attempt_registered(a) ? a->job->terminal->sip_record : slice_str(a->to.record),
        .call_id = slice_str(a->call_id),
        .cseq = a->cseq + 1,
        .trusted = hop_trusted(a),
        .service = conf->service,
        .app_tag = conf->app_tag,
        .user_agent = env_of(a)->product,
        .body = body_of(a)};

    m.app_id = ota_sip_attempt_app(a);
    m.options = a->asking;
    if (a->asking)
        return m;
    m.content_type = a->session ? SLICE("application/sdp") : ota_sip_attempt_type(a);
    fill_life(a, &m);
    return m;
}

enum err ota_sip_attempt_request(struct ota_sip_attempt *a)
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
