/* The terminal's side of OTA-HTTP: which requests it takes, registration, the login it asks for, and the answers.
 * What a push is worth is judged in kit_push.c.  [OTA-HTTP §4, §6, §7].  No I/O; one thread. */
#include "ota/terminal/kit.h"

#include "ota/terminal/kit_state.h"

#define ANSWER_MAX_N 16384

static void line(struct kit_answer *a, const char *name, struct slice value)
{
    buf_add_str(&a->headers, name);
    buf_add(&a->headers, SLICE(": "));
    buf_add(&a->headers, value);
    buf_add(&a->headers, SLICE("\r\n"));
}

static void line_number(struct kit_answer *a, const char *name, uint64_t value)
{
    buf_addf(&a->headers, "%s: %llu\r\n", name, (unsigned long long)value);
}

static void line_optional(struct kit_answer *a, const char *name, struct slice value)
{
    if (value.n)
        line(a, name, value);
}

static struct slice tag_of(const struct kit *k)
{
    return slice_of(k->tag, sizeof k->tag);
}

static void print_cpi(const struct kit *k, struct kit_answer *a)
{
    line_optional(a, "X-Wap-Push-Accept", k->conf.accept);
    line_optional(a, "X-Wap-Push-Accept-Charset", k->conf.accept_charset);
    line_optional(a, "X-Wap-Push-Accept-Encoding", k->conf.accept_encoding);
    line_optional(a, "X-Wap-Push-Accept-Language", k->conf.accept_language);
    line_optional(a, "X-Wap-Push-Accept-AppID", k->conf.accept_app);
    line_number(a, "X-Wap-Push-MaxMsgSize", k->conf.max_size);
    line_number(a, "X-Wap-Push-Accept-MaxPushReq", k->conf.max_outstanding);
}

/* 500: the gateway's tag is current, nothing more to say.  501: all of it.  [OTA-HTTP §4] */
static struct kit_verdict register_gateway(struct kit *k, const struct kit_request *req, struct kit_answer *a)
{
    bool current = slice_eq(kit_header_find(req, SLICE("X-Wap-CPITag")), tag_of(k));

    line_optional(a, "X-Wap-Terminal-Id", k->conf.terminal_id);
    line(a, "X-Wap-CPITag", tag_of(k));
    if (!current)
        print_cpi(k, a);
    kit_prove(k, req, a);
    kit_mac_next(k, a);
    return (struct kit_verdict){KIT_REGISTERED, KIT_REASON_NONE, 204, current ? 500 : 501};
}

/* Is more wanted than nothing, and no more than a mac gives? */
static bool mac_would_do(const struct kit *k)
{
    return k->macs && k->conf.floor <= KIT_INTEGRITY &&
           (!k->prov || kit_prov_floor(k->prov) <= KIT_INTEGRITY);
}

/* Where a mac could give what is missing, it is asked for. */
static struct kit_verdict judge_maced(struct kit *k, const struct kit_request *req, struct kit_transport *t,
                                      struct kit_answer *a, struct kit_push *push)
{
    enum err e = kit_mac_check(k, req);
    struct kit_verdict v = {KIT_REFUSED, KIT_REASON_HMAC, 401, 0};

    t->mac = !e;
    if (!e || e == ERR_ABSENT)
        v = kit_push_judge(k, req, t, push);
    if (mac_would_do(k) && !t->mac && v.reason == KIT_REASON_FLOOR)
        v = (struct kit_verdict){KIT_REFUSED, KIT_REASON_HMAC, 401, 0};
    if (v.http == 401)
        kit_mac_challenge(k, a);
    else if (t->mac)
        kit_mac_next(k, a);
    return v;
}

/* A gateway that does not know our current state pushes in vain [OTA-HTTP §7.1, §7.2]. */
static struct kit_verdict post(struct kit *k, const struct kit_request *req, struct kit_transport *t,
                               struct kit_answer *a, struct kit_push *push)
{
    if (slice_eq(kit_header_find(req, SLICE("X-Wap-CPITag")), tag_of(k)))
        return judge_maced(k, req, t, a, push);
    line(a, "X-Wap-CPITag", tag_of(k));
    return (struct kit_verdict){KIT_REFUSED, KIT_REASON_STALE_TAG, 204, 256};
}

static void challenge(struct kit *k, const struct kit_request *req, bool stale, struct kit_answer *a)
{
    for (size_t i = SEC_DIGEST_ALGORITHM_COUNT; i-- > 0;) { /* strongest first (RFC 7616 §3.7) */
        size_t start = a->headers.n;

        buf_add(&a->headers, SLICE("WWW-Authenticate: "));
        if (sec_digest_challenge(k->guard, (enum sec_digest_algorithm)i, SLICE(KIT_REALM), stale,
                                 req->now_s * 1000, &a->headers))
            buf_cut(&a->headers, start);
        else
            buf_add(&a->headers, SLICE("\r\n"));
    }
}

/* That we have the password too (RFC 7616 §3.5); no answer of ours has a body. */
static void info(const struct sec_digest_response *r, const struct sec_secret *ha1, struct kit_answer *a)
{
    size_t start = a->headers.n;

    buf_add(&a->headers, SLICE("Authentication-Info: "));
    if (sec_digest_info(r, ha1, SLICE_NONE, &a->headers))
        buf_cut(&a->headers, start);
    else
        buf_add(&a->headers, SLICE("\r\n"));
}

/* Does the gateway know the login?  True also when none is asked for; a proof only when it was shown. */
static bool login_ok(struct kit *k, const struct kit_request *req, struct kit_answer *a, unsigned *proofs)
{
    const struct sec_digest_request shown = {req->method, req->target, req->body, true};
    struct sec_digest_response r;
    const struct sec_secret *ha1 = NULL;
    enum err e;

    if (!k->guard)
        return true;
    e = sec_digest_parse(kit_header_find(req, SLICE("Authorization")), &r);
    if (!e) {
        if (slice_eq(r.username, k->conf.login_user))
            ha1 = &k->ha1[r.algorithm];
        e = sec_digest_verify(k->guard, &r, &shown, SLICE(KIT_REALM), ha1, req->now_s * 1000);
    }
    if (e) {
        challenge(k, req, e == ERR_LATE, a);
        return false;
    }
    *proofs |= KIT_PROOF_DIGEST;
    info(&r, ha1, a);
    return true;
}

enum kit_standing kit_server_standing(const struct kit *k, struct slice server)
{
    if (k->prov)
        return kit_prov_standing(k->prov, server);
    for (size_t i = 0; i < k->conf.servers_n; i++)
        if (slice_eq_ci(k->conf.servers[i], server))
            return KIT_LISTED;
    return KIT_NEUTRAL;
}

static bool server_ok(const struct kit *k, struct slice server)
{
    bool only_listed = k->prov ? kit_prov_has_servers(k->prov) : k->conf.servers_n != 0;
    enum kit_standing s = kit_server_standing(k, server);

    return s == KIT_LISTED || (s == KIT_NEUTRAL && !only_listed);
}

/* Of whichever version (RFC 2817 §3): which it is TLS itself agrees on. */
static bool offers_tls(const struct kit_request *req)
{
    struct slice list = kit_header_find(req, SLICE("Upgrade")), token;

    while (slice_item(&list, &token))
        if (slice_starts_ci(token, SLICE("TLS/")))
            return true;
    return false;
}

static struct kit_transport transport_of(const struct kit_request *req)
{
    return (struct kit_transport){
        .proofs = !req->server_proved ? 0u
                  : req->by_psk       ? (unsigned)KIT_PROOF_PSK
                                      : (unsigned)KIT_PROOF_CERTIFICATE,
        .tls = req->tls,
        .server = req->server,
        .info = ota_push_info_parse(kit_header_find(req, SLICE("X-Wap-Push-Info"))),
        .now_s = req->now_s,
    };
}

static struct kit_verdict handle(struct kit *k, const struct kit_request *req, struct kit_answer *a,
                                 struct kit_push *push)
{
    bool options = slice_eq(req->method, SLICE("OPTIONS"));
    struct kit_transport t = transport_of(req);

    t.answered = true;
    if (!slice_eq(req->target, SLICE("/wappush")))
        return (struct kit_verdict){KIT_REFUSED, KIT_REASON_PATH, 404, 0};
    line(a, "X-Wap-Push-OTA-Version", SLICE("1.0"));
    if (!options && !slice_eq(req->method, SLICE("POST"))) {
        line(a, "Allow", SLICE("POST, OPTIONS"));
        return (struct kit_verdict){KIT_REFUSED, KIT_REASON_METHOD, 405, 0};
    }
    if (!server_ok(k, req->server))
        return (struct kit_verdict){KIT_DROPPED, KIT_REASON_SERVER, 204, 235};
    if (options && k->conf.calls_tls && !req->tls && offers_tls(req)) {
        line(a, "Upgrade", SLICE("TLS/1.2"));
        return (struct kit_verdict){KIT_UPGRADE, KIT_REASON_NONE, 426, 0};
    }
    if (!login_ok(k, req, a, &t.proofs))
        return (struct kit_verdict){KIT_REFUSED, KIT_REASON_LOGIN, 401, 0};
    t.full = req->tls && t.proofs;
    return options ? register_gateway(k, req, a) : post(k, req, &t, a, push);
}

void kit_answer_more(const struct kit *k, struct buf *out)
{
    if (k->said.word == OTA_SA_NOTHING)
        return;
    buf_add(out, SLICE(OTA_SA_HEADER ": "));
    ota_sa_answer_print(&k->said, out);
    buf_add(out, SLICE("\r\n"));
}

enum kit_event kit_handle(struct kit *k, const struct kit_request *req, struct kit_answer *answer,
                          struct kit_push *push, const char **reason)
{
    struct kit_verdict v;

    buf_init(&answer->headers, ANSWER_MAX_N);
    k->said.word = OTA_SA_NOTHING;
    v = handle(k, req, answer, push);
    answer->status = v.http;
    kit_answer_more(k, &answer->headers);
    if (v.event == KIT_PUSH && push->provisioned)
        buf_addf(&answer->headers, KIT_PROVISIONED_HEADER ": %llu; sha-256=%.*s\r\n",
                 (unsigned long long)push->provisioned, (int)push->provisioned_hash.n,
                 push->provisioned_hash.p);
    if (v.push_status)
        line_number(answer, "X-Wap-Push-Status", v.push_status);
    k->counts[v.reason]++;
    *reason = kit_reason_text(v.reason);
    return v.event;
}

enum kit_event kit_handle_fetched(struct kit *k, const struct kit_request *req, struct kit_push *push,
                                  const char **reason)
{
    struct kit_transport t = transport_of(req);
    struct kit_verdict v = {KIT_DROPPED, KIT_REASON_SERVER, 0, 0};

    t.full = req->tls && t.proofs;
    t.expected = req->expected;
    k->said.word = OTA_SA_NOTHING;
    if (server_ok(k, req->server))
        v = kit_push_judge(k, req, &t, push);
    k->counts[v.reason]++;
    *reason = kit_reason_text(v.reason);
    return v.event;
}

/* A login cannot be asked for where nothing is answered. */
static struct kit_verdict handle_datagram(struct kit *k, const struct kit_datagram *d, struct kit_push *push)
{
    struct kit_transport t = {.proofs = d->proofs,
                              .full = d->dtls && d->proofs,
                              .tls = d->dtls,
                              .server = d->server,
                              .now_s = d->now_s};

    if (!server_ok(k, d->server))
        return (struct kit_verdict){KIT_DROPPED, KIT_REASON_SERVER, 0, 0};
    if (k->guard && !d->proofs)
        return (struct kit_verdict){KIT_DROPPED, KIT_REASON_LOGIN, 0, 0};
    return kit_push_judge_datagram(k, d->octets, &t, push);
}

enum kit_event kit_handle_datagram(struct kit *k, const struct kit_datagram *d, struct kit_push *push,
                                   const char **reason)
{
    struct kit_verdict v = handle_datagram(k, d, push);

    k->counts[v.reason]++;
    *reason = kit_reason_text(v.reason);
    return v.event;
}

static struct kit_verdict handle_message(struct kit *k, const struct kit_message *m, struct kit_push *push)
{
    const struct kit_transport t = {.proofs = m->proofs,
                                    .full = m->tls && m->proofs,
                                    .tls = m->tls,
                                    .answered = true,
                                    .server = m->server,
                                    .now_s = m->now_s};

    if (!server_ok(k, m->server))
        return (struct kit_verdict){KIT_DROPPED, KIT_REASON_SERVER, 204, 235};
    if (k->guard && !m->proofs)
        return (struct kit_verdict){KIT_DROPPED, KIT_REASON_LOGIN, 204, 235};
    return kit_push_judge_message(k, m, &t, push);
}

/* The words of SIP for a verdict (RFC 3428 §7); why something was dropped stays here. */
static unsigned message_status(const struct kit_verdict *v)
{
    if (v->event == KIT_PUSH || v->event == KIT_VERIFY || v->event == KIT_DUPLICATE)
        return 200;
    if (v->http >= 400)
        return v->http;
    if (v->push_status == 238)
        return 415;
    return v->push_status == 237 ? 486 : 603;
}

enum kit_event kit_handle_message(struct kit *k, const struct kit_message *m, unsigned *status,
                                  struct kit_push *push, const char **reason)
{
    struct kit_verdict v;

    k->said.word = OTA_SA_NOTHING;
    v = handle_message(k, m, push);
    k->counts[v.reason]++;
    *status = message_status(&v);
    *reason = kit_reason_text(v.reason);
    return v.event;
}
