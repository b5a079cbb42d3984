/* Judging a push: find the message, open its seal if it has one - authenticate, then decrypt -, and let the
 * terminal's own policy decide.  When a message is sealed only what is inside the seal is believed.
 * [OTA-HTTP §7], receiver order of GPL-A1 [GBA-PUSH §6.2].  One thread. */
#include "ota/terminal/kit_state.h"
#include "ota/headers.h"
#include "ota/wsp.h"
#include "security/kdf.h"

static const struct kit_verdict good = {KIT_PUSH, KIT_REASON_NONE, 204, 400};

/* The wire says "refused" and no more: why stays here. */
static struct kit_verdict drop(enum kit_reason reason)
{
    return (struct kit_verdict){KIT_DROPPED, reason, 204, 235};
}

static struct kit_verdict drop_as(enum kit_reason reason, unsigned push_status)
{
    return (struct kit_verdict){KIT_DROPPED, reason, 204, push_status};
}

struct slice kit_header_find(const struct kit_request *req, struct slice name)
{
    for (size_t i = 0; i < req->headers_n; i++)
        if (slice_eq_ci(req->headers[i].name, name))
            return req->headers[i].value;
    return SLICE_NONE;
}

/* The direct form: the request's own header lines are the message's.  They are written out again as a block. */
static enum err direct_message(struct kit *k, const struct kit_request *req, struct kit_entity *out)
{
    buf_reset(&k->text, k->text.max);
    for (size_t i = 0; i < req->headers_n; i++) {
        buf_add(&k->text, req->headers[i].name);
        buf_add(&k->text, SLICE(": "));
        buf_add(&k->text, req->headers[i].value);
        buf_add(&k->text, SLICE("\r\n"));
    }
    if (buf_err(&k->text))
        return buf_err(&k->text);
    return kit_entity_read(buf_slice(&k->text), req->body, out);
}

/* Its own head is part of the entity, and of what a mac covers. */
static bool is_embedded(const struct kit_request *req)
{
    return slice_eq_ci(ota_type_bare(kit_header_find(req, SLICE("Content-Type"))), SLICE("application/http"));
}

static enum err message_of(struct kit *k, const struct kit_request *req, struct kit_entity *out)
{
    if (is_embedded(req))
        return kit_entity_parse_response(req->body, out);
    return direct_message(k, req, out);
}

enum kit_reason kit_seal_reason(enum err e)
{
    static const struct {
        enum err err;
        enum kit_reason reason;
    } rows[] = {{ERR_MALFORMED, KIT_REASON_MALFORMED}, {ERR_UNSUPPORTED, KIT_REASON_SUITE},
                {ERR_DENIED, KIT_REASON_MAC},          {ERR_EXISTS, KIT_REASON_REPLAY},
                {ERR_ABSENT, KIT_REASON_NO_SA},        {ERR_LATE, KIT_REASON_EXPIRED}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].err == e)
            return rows[i].reason;
    return KIT_REASON_RESOURCES;
}

/* Steps 1 to 7 of the receiver; *m is replaced by the inner message.  Until sec_sa_open has verified the tag nothing
 * of the message is used but the name of its association and, authentic by itself, a GPI. */
static struct kit_verdict open_seal(struct kit *k, const struct kit_transport *t, struct kit_entity *m,
                                    struct kit_push *push)
{
    struct sec_gpl_msg seal;
    struct kit_assoc *a;
    enum kit_reason why = KIT_REASON_NONE;
    enum err e = sec_gpl_parse(m->body, &seal);

    if (e)
        return drop(kit_seal_reason(e));
    if (seal.gpi.n)
        why = kit_gba_take(k, &seal, t->now_s, &push->associated);
    if (why != KIT_REASON_NONE)
        return drop(why);
    a = kit_assoc_find(k, seal.said);
    buf_reset(&k->plain, k->plain.max);
    e = a && a->present ? sec_sa_open(&a->sa, SEC_GPL_DOWNLINK, t->now_s, &seal, &k->plain) : ERR_ABSENT;
    if ((e == ERR_ABSENT || e == ERR_LATE) && k->gba.usim)
        k->said.word = OTA_SA_UNKNOWN;
    if (e)
        return drop(kit_seal_reason(e));
    push->gateway = kit_assoc_gateway(a);
    if (kit_entity_parse(buf_slice(&k->plain), m) || m->content_type.n == 0)
        return drop_as(KIT_REASON_INNER, 238);
    if (seal.gpi.n && t->answered)
        kit_gba_confirm(k, a, &seal, m->message_id, t->now_s);
    push->suite = seal.suite;
    push->sn = seal.sn;
    push->message_protection = sec_gpl_suite_encrypts(seal.suite) ? KIT_FULL : KIT_INTEGRITY;
    return good;
}

static struct kit_verdict open_xml(struct kit *k, const struct kit_transport *t, struct kit_entity *m,
                                   struct kit_push *push)
{
    enum kit_reason why = kit_xml_open(k, m->body, t->now_s, m, &push->message_protection);

    push->xml = why == KIT_REASON_NONE;
    if (why == KIT_REASON_INNER)
        return drop_as(why, 238);
    return push->xml ? good : drop(why);
}

/* Outside a seal and a mac the flags are the transport's word: worth something only where it proved itself and cannot be
 * changed on the way. */
static void believe(const struct kit_transport *t, const struct kit_entity *m, struct kit_push *push)
{
    struct ota_push_info info = m->info;

    if (push->message_protection == KIT_NONE)
        info = t->full ? t->info : (struct ota_push_info){false, false, false};
    push->authenticated = info.authenticated;
    push->trusted = info.trusted;
    push->message_id = m->message_id;
    push->app_id = m->app_id;
    push->initiator_uri = m->initiator_uri;
    push->content_type = m->content_type;
    push->headers = m->headers;
    push->body = m->body;
    push->tls = t->tls;
    push->server = t->server;
    push->proofs = t->proofs | (push->suite ? KIT_PROOF_SEAL : 0u) | (t->mac ? KIT_PROOF_MAC : 0u) |
                   (push->xml ? KIT_PROOF_XML : 0u);
}

static bool is_object(const struct kit *k, const struct kit_push *push)
{
    return k->conf.provisioning && slice_eq_ci(push->app_id, SLICE(SEC_SECPROV_APP));
}

static struct kit_verdict police(const struct kit *k, const struct kit_transport *t,
                                 const struct kit_push *push)
{
    const struct kit_conf *c = &k->conf;
    enum kit_protection level = t->full ? KIT_FULL : push->message_protection;
    enum kit_reason why = KIT_REASON_NONE;

    if (k->prov && level < kit_prov_floor(k->prov))
        return drop(KIT_REASON_FLOOR);
    if (k->prov)
        why = kit_prov_police(k->prov, push, t->now_s);
    if (why == KIT_REASON_INITIATOR || (why == KIT_REASON_PROVISIONING_OLD && !is_object(k, push)))
        return drop(why); /* only a new object mends one that is too old */

    if (c->server_proof && !push->proofs)
        return drop(KIT_REASON_UNPROVED);
    if (level < c->floor)
        return drop(KIT_REASON_FLOOR);
    if (c->trusted_only && !push->trusted)
        return drop(KIT_REASON_UNTRUSTED);
    if (is_object(k, push))
        return good;
    if (!ota_accepts_app(c->accept_app, push->app_id))
        return drop_as(KIT_REASON_APPLICATION, 236);
    if (!ota_accepts_type(c->accept, push->content_type))
        return drop_as(KIT_REASON_CONTENT_TYPE, 238);
    return good;
}

/* Ids are kept apart by how they were proved, so that an unproved push cannot make a proved one with the same id look
 * known; in capitals stand those of pushes that were dropped afterwards. */
static enum err print_id(const struct kit_transport *t, const struct kit_push *push, bool dropped,
                         struct buf *out)
{
    char proof = push->message_protection != KIT_NONE ? 's' : t->full ? 't' : 'c';

    buf_add_ch(out, dropped ? (char)(proof - 'a' + 'A') : proof);
    buf_add(out, push->message_id);
    return buf_err(out);
}

static enum err remember(struct kit *k, const struct kit_transport *t, const struct kit_push *push,
                         bool dropped)
{
    struct buf id;
    enum err e;

    buf_init(&id, KIT_MESSAGE_ID_MAX_N + 1);
    e = print_id(t, push, dropped, &id);
    if (!e)
        e = kit_seen_add(kit_seen_of(k, buf_slice(&id)), buf_slice(&id));
    buf_clear(&id);
    return e;
}

static bool is_known(struct kit *k, const struct kit_transport *t, const struct kit_push *push, bool dropped)
{
    struct buf id;
    bool known;

    buf_init(&id, KIT_MESSAGE_ID_MAX_N + 1);
    known = !print_id(t, push, dropped, &id) && kit_seen_has(kit_seen_of(k, buf_slice(&id)), buf_slice(&id));
    buf_clear(&id);
    return known;
}

/* A known id is answered as accepted and not delivered again; that of a push that was dropped stays dropped. */
static struct kit_verdict once(struct kit *k, const struct kit_transport *t, const struct kit_push *push)
{
    if (push->message_id.n == 0)
        return good;
    if (is_known(k, t, push, true))
        return drop(KIT_REASON_DUPLICATE);
    if (is_known(k, t, push, false))
        return (struct kit_verdict){KIT_DUPLICATE, KIT_REASON_DUPLICATE, 204, 400};
    return remember(k, t, push, false) ? drop_as(KIT_REASON_RESOURCES, 237) : good;
}

/* Before its id is noted: one that could not be put in force may come again. */
static struct kit_verdict take_object(struct kit *k, const struct kit_transport *t, struct kit_push *push)
{
    bool full = t->full || push->message_protection == KIT_FULL;
    enum kit_reason why = kit_prov_take(k, full, t->now_s, push);

    return why == KIT_REASON_NONE ? good : drop(why);
}

/* Only then is anybody bothered: a stranger's push cannot make the terminal ask for a PIN.  SEC_CF 1.1, authentication of
 * the end user. */
static struct kit_verdict ask_user(const struct kit *k, const struct kit_push *push)
{
    struct slice wanted = ota_header_find(push->headers, SLICE(KIT_USER_HEADER));
    bool flagged = slice_eq_ci(wanted, SLICE("required")) ||
                   (k->conf.user_apps.n && ota_accepts_app(k->conf.user_apps, push->app_id));

    if (!flagged || (k->conf.user && k->conf.user(push, k->conf.user_arg)))
        return good;
    return drop(KIT_REASON_USER);
}

/* Once: it may be that nobody hears the answer, and it comes again. */
static struct kit_verdict hand_out(struct kit *k, const struct kit_transport *t, const struct kit_push *push)
{
    struct kit_verdict v = once(k, t, push);

    if (v.event != KIT_PUSH)
        return v;
    v = ask_user(k, push);
    if (v.event == KIT_PUSH && !push->provisioned && kit_verify_wanted(k, push))
        v = kit_verify_take(k, t->now_s, push);
    if (v.event == KIT_DROPPED && push->message_id.n)
        (void)!remember(k, t, push, true); /* without memory it is taken for accepted then */
    return v;
}

static bool as_expected(const struct kit_expected *x, struct slice body)
{
    uint8_t sha1[SEC_SHA1_N];

    if (!x)
        return true;
    return (!x->sized || x->size == body.n) &&
           (!x->hashed ||
            (!sec_sha1(body, sha1) && slice_eq(slice_of(sha1, sizeof sha1), slice_of(x->sha1, sizeof sha1))));
}

static struct kit_verdict judge(struct kit *k, struct kit_entity *m, const struct kit_transport *t,
                                struct kit_push *push)
{
    struct kit_push p = {.message_protection = t->mac ? KIT_INTEGRITY : KIT_NONE};
    struct kit_verdict v = good;

    if (m->body.n > k->conf.max_size)
        return (struct kit_verdict){KIT_REFUSED, KIT_REASON_SIZE, 413, 0};
    if (m->content_type.n == 0)
        return (struct kit_verdict){KIT_REFUSED, KIT_REASON_CONTENT_TYPE, 204, 238};
    if (sec_gpl_profile_by_media_type(m->content_type))
        v = open_seal(k, t, m, &p);
    else if (kit_xml_is(m->content_type))
        v = open_xml(k, t, m, &p);
    if (v.event != KIT_PUSH)
        return v;
    believe(t, m, &p);
    v = police(k, t, &p);
    if (v.event == KIT_PUSH && !as_expected(t->expected, p.body))
        v = drop(KIT_REASON_OTHER);
    if (v.event == KIT_PUSH && is_object(k, &p))
        v = take_object(k, t, &p);
    if (v.event == KIT_PUSH)
        v = hand_out(k, t, &p);
    if (v.event == KIT_PUSH || v.event == KIT_VERIFY)
        *push = p;
    return v;
}

struct kit_verdict kit_push_judge(struct kit *k, const struct kit_request *req, const struct kit_transport *t,
                                  struct kit_push *push)
{
    struct kit_transport came = *t;
    struct kit_entity m;

    if (message_of(k, req, &m))
        return (struct kit_verdict){KIT_REFUSED, KIT_REASON_FORM, 400, 0};
    came.mac = t->mac && is_embedded(req);
    return judge(k, &m, &came, push);
}

/* A type, charset or coding whose number we do not know is a form we do not take.  [OTA-HTTP §9.2] */
struct kit_verdict kit_push_judge_datagram(struct kit *k, struct slice datagram, struct kit_transport *t,
                                           struct kit_push *push)
{
    struct ota_wsp_push w;
    struct kit_entity m;

    buf_reset(&k->text, k->text.max);
    if (ota_wsp_push_parse(datagram, &k->text, &w) || kit_entity_read(w.headers, w.content, &m))
        return (struct kit_verdict){KIT_REFUSED, KIT_REASON_FORM, 400, 0};
    t->info = m.info;
    return judge(k, &m, t, push);
}

/* Of an envelope the flags count no more than the way it came (OTA-SIP §4.2). */
struct kit_verdict kit_push_judge_message(struct kit *k, const struct kit_message *msg,
                                          const struct kit_transport *t, struct kit_push *push)
{
    struct kit_entity m;
    enum err e;

    if (slice_eq_ci(ota_type_bare(msg->content_type), SLICE("application/vnd.oma.push"))) {
        e = kit_entity_parse(msg->body, &m);
    } else {
        buf_reset(&k->text, k->text.max);
        buf_add(&k->text, SLICE("Content-Type: "));
        buf_add(&k->text, msg->content_type);
        buf_add(&k->text, msg->app_id.n ? SLICE("\r\nX-Wap-Application-Id: ") : SLICE_NONE);
        buf_add(&k->text, msg->app_id);
        buf_add(&k->text, SLICE("\r\n"));
        e = buf_err(&k->text) ? buf_err(&k->text) : kit_entity_read(buf_slice(&k->text), msg->body, &m);
    }
    if (e)
        return (struct kit_verdict){KIT_REFUSED, KIT_REASON_FORM, 400, 0};
    return judge(k, &m, t, push);
}
