/* Scripted terminals and initiator; see replay_net.h. */
#include "tests/replay/replay_net.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/codec.h"
#include "base/mem.h"
#include "base/net/uri.h"
#include "ota/headers.h"
#include "ota/sia.h"
#include "security/gpl.h"

/* One answer on its way; either to the bearer's caller or to the poster's. */
struct pending {
    struct list link;
    int64_t at_mono;
    struct replay_answer answer;
    struct replay_terminal *terminal;
    struct ota_job *job; /* NULL: a notification */
    ota_done_fn *done;
    ppg_post_done_fn *posted;
    struct replay_server *server; /* of a notification */
    void *arg;
};

static void breach(struct replay_net *net, const char *what, struct slice where)
{
    net->breaches++;
    (void)fprintf(stderr, "replay: %s: %.*s\n", what, SLICE_FMT(where));
}

struct replay_net *replay_net_create(const struct clk *clk)
{
    struct replay_net *net = calloc(1, sizeof *net);

    MUST(net && !pap_parser_create(&net->parser));
    net->clk = clk;
    list_init(&net->pending);
    for (unsigned i = 0; i < REPLAY_CORES_MAX; i++)
        net->ports[i] = (struct replay_port){net, i};
    return net;
}

void replay_net_free(struct replay_net **netp)
{
    MUST(list_empty(&(*netp)->pending));
    for (size_t i = 0; i < (*netp)->terminals_n; i++) {
        sec_usim_free(&(*netp)->terminals[i].module.usim);
        sec_sa_clear(&(*netp)->terminals[i].module.sa);
    }
    pap_parser_free(&(*netp)->parser);
    free(*netp);
    *netp = NULL;
}

struct replay_terminal *replay_net_terminal(struct replay_net *net, struct slice key)
{
    for (size_t i = 0; i < net->terminals_n; i++)
        if (slice_eq(slice_str(net->terminals[i].key), key))
            return &net->terminals[i];
    return NULL;
}

struct replay_terminal *replay_net_add(struct replay_net *net, struct slice key)
{
    struct replay_terminal *t = replay_net_terminal(net, key);

    if (!t) {
        MUST(net->terminals_n < REPLAY_TERMINALS_MAX);
        t = &net->terminals[net->terminals_n++];
        MUST(!mem_cstr(t->key, sizeof t->key, key));
    }
    t->present = true;
    return t;
}

void replay_net_said(const struct replay_net *net, const struct replay_terminal *t, char out[33])
{
    (void)snprintf(out, 33, "%032zx", (size_t)(t - net->terminals) + 1);
}

void replay_net_key(const struct replay_net *net, const struct replay_terminal *t, char out[65])
{
    (void)snprintf(out, 65, "%032zx%032x", (size_t)(t - net->terminals) + 1, t->key_no + 1);
}

void replay_net_impi(const struct replay_net *net, const struct replay_terminal *t, char out[REPLAY_NAME_N])
{
    (void)snprintf(out, REPLAY_NAME_N, "user-%zu@ims.example", (size_t)(t - net->terminals) + 1);
}

void replay_net_k(const struct replay_net *net, const struct replay_terminal *t, char out[33])
{
    (void)snprintf(out, 33, "%032zx", (size_t)(t - net->terminals) + 4096);
}

size_t replay_net_sent(const struct replay_net *net, struct slice push_id, struct slice key)
{
    size_t n = 0;

    for (size_t i = 0; i < net->sends_n; i++)
        n += slice_eq(slice_str(net->sends[i].push_id), push_id) &&
             (!key.p || slice_eq(slice_str(net->sends[i].key), key));
    return n;
}

static struct replay_answer answer_next(struct replay_answers *a, struct replay_answer none)
{
    size_t at = a->at;

    if (!a->n)
        return none;
    if (a->at + 1 < a->n)
        a->at++;
    return a->v[at];
}

static void pend(struct replay_net *net, struct pending *p)
{
    struct pending *own = malloc(sizeof *own);

    MUST(own != NULL);
    *own = *p;
    own->at_mono = p->answer.kind == REPLAY_HANG ? INT64_MAX : clk_mono_ms(net->clk) + p->answer.delay_ms;
    list_push_back(&net->pending, &own->link);
}

/* --- terminals --- */

static bool reaches(const struct ota_terminal *t)
{
    return t->route == OTA_ROUTE_HTTP && t->host.n != 0;
}

static bool reaches_by_datagram(const struct ota_terminal *t)
{
    return t->route == OTA_ROUTE_WSP;
}

static struct sec_caps caps(const struct ota_terminal *t)
{
    return *sec_caps_of(t->tls ? SEC_BINDING_HTTP_TLS : SEC_BINDING_HTTP_CLEAR);
}

struct sec_usim *replay_net_usim(struct replay_net *net, struct replay_terminal *t)
{
    char impi[REPLAY_NAME_N], hex[33];
    uint8_t k[SEC_AKA_K_N] = {0};
    struct sec_usim_conf conf = {.k = slice_of(k, sizeof k), .opc = slice_of(k, sizeof k)};

    if (t->module.usim)
        return t->module.usim;
    replay_net_impi(net, t, impi);
    replay_net_k(net, t, hex);
    conf.impi = slice_str(impi);
    MUST(!codec_unhex(slice_str(hex), k, sizeof k) && !sec_usim_create(&conf, &t->module.usim));
    return t->module.usim;
}

/* Takes what comes as push info; false: the module stands elsewhere, and *told says where. */
static bool module_takes(struct replay_net *net, struct replay_terminal *t, const struct sec_gpl_msg *msg)
{
    static const uint8_t suites[] = {SEC_GPL_CTR, SEC_GPL_HMAC};
    const struct slice nafs[] = {SLICE("ppg.example.net")};
    const struct sec_usim_policy policy = {nafs, 1, INT64_C(400) * 86400, clk_utc_ms(net->clk) / 1000};
    struct sec_sa_conf sa = {.suites = slice_of(suites, sizeof suites)};
    struct sec_usim_result r;
    struct sec_gpi_msg gpi;

    if (sec_gpi_parse(msg->gpi, &gpi) || !slice_eq(gpi.rand, msg->said) ||
        sec_usim_accept(replay_net_usim(net, t), &gpi, &policy, &r)) {
        breach(net, "no push info", slice_str(t->key));
        return false;
    }
    if (r.verdict == SEC_GPI_GOOD) {
        sec_sa_clear(&t->module.sa);
        sa.rand = gpi.rand;
        sa.ks = sec_secret_slice(&r.ks_naf);
        sa.ptid = slice_of(r.opened.ptid, r.opened.ptid_n);
        sa.expires_s = r.opened.expires_s;
        MUST(!sec_sa_init(&t->module.sa, &sa));
        t->module.has_sa = true;
        t->module.made++;
    } else {
        t->module.told.word = OTA_SA_RESYNC;
        mem_copy(t->module.told.rand, sizeof t->module.told.rand, gpi.rand);
        mem_copy(t->module.told.auts, sizeof t->module.told.auts, slice_of(r.auts, sizeof r.auts));
    }
    sec_usim_result_clear(&r);
    return t->module.told.word == OTA_SA_NOTHING;
}

/* The message that brought the association opened: what is said of it in return. */
static void confirm(const struct replay_net *net, struct replay_gba *g, struct slice plain)
{
    struct slice head = slice_sub(plain, 0, slice_find_slice(plain, SLICE("\r\n\r\n")) + 2), text;
    struct slice id = ota_header_find(head, SLICE("X-Push-Message-ID"));
    struct buf says, sealed;
    uint32_t sn = g->confirmed + 1;

    buf_init(&says, OTA_SA_UPLINK_MAX_N);
    buf_init(&sealed, OTA_SA_UPLINK_MAX_N);
    ota_sa_confirmation_print(slice_sub(id, g->errs, SIZE_MAX), &says);
    text = buf_slice(&says);
    MUST(!sec_sa_reserved(&g->sa, sn, sn + 1) &&
         !sec_sa_seal(&g->sa, SEC_GPL_UPLINK, clk_utc_ms(net->clk) / 1000, SLICE_NONE, &text, 1, &sealed,
                      &sn));
    sealed.p[sealed.n - 1] ^= g->forges;
    g->confirmed++;
    g->told.word = OTA_SA_CONFIRMED;
    g->told.uplink_n = sealed.n;
    mem_copy(g->told.uplink, sizeof g->told.uplink, buf_slice(&sealed));
    buf_clear(&says);
    buf_clear(&sealed);
}

/* A message of a bootstrapped association; told: why it does not open. */
static void open_bootstrapped(struct replay_net *net, struct replay_terminal *t, struct slice body,
                              struct replay_send *s, struct buf *plain)
{
    struct replay_gba *g = &t->module;
    struct sec_gpl_msg msg;
    bool known;

    g->told = (struct ota_sa_answer){.word = OTA_SA_NOTHING};
    if (sec_gpl_parse(body, &msg)) {
        breach(net, "sealed message does not parse", slice_str(t->key));
        return;
    }
    g->infos += msg.gpi.n != 0;
    s->sn = msg.sn;
    if (g->deaf)
        return;
    known = g->has_sa && slice_eq(sec_sa_said(&g->sa, SEC_GPL_DOWNLINK), msg.said);
    if (!known && !msg.gpi.n) {
        g->told.word = OTA_SA_UNKNOWN;
        return;
    }
    if (!known && !module_takes(net, t, &msg))
        return;
    if (sec_sa_open(&g->sa, SEC_GPL_DOWNLINK, clk_utc_ms(net->clk) / 1000, &msg, plain))
        breach(net, "sealed message does not open, or its number was used before", slice_str(t->key));
    else if (msg.gpi.n && !g->mute)
        confirm(net, g, buf_slice(plain));
}

/* Opens a sealed message as the handset would; the inner header lines land in *plain. */
static void open_sealed(struct replay_net *net, struct replay_terminal *t, struct slice body,
                        struct replay_send *s, struct buf *plain)
{
    struct sec_gpl_keys *keys = NULL;
    struct sec_gpl_msg msg;
    char hex[65];
    uint8_t key[SEC_GPL_KEY_N];

    replay_net_key(net, t, hex);
    if (codec_unhex(slice_str(hex), key, sizeof key) || sec_gpl_parse(body, &msg) ||
        sec_gpl_keys_create(slice_of(key, sizeof key), SEC_GPL_DOWNLINK, msg.suite, &keys) ||
        sec_gpl_open(keys, &msg, plain)) {
        breach(net, "sealed message does not open", slice_str(t->key));
    } else {
        if (msg.sn <= t->sn_high)
            breach(net, "sequence number used before", slice_str(t->key));
        s->sn = t->sn_high = msg.sn;
    }
    sec_gpl_keys_free(&keys);
}

/* False: it did not open for the terminal. */
static bool read_message(struct replay_net *net, struct replay_terminal *t, const struct ota_job *job,
                         struct replay_send *s)
{
    struct slice head = job->message_head;
    struct slice id;
    struct buf plain;

    buf_init(&plain, 1u << 24);
    if (slice_eq(ota_header_find(head, SLICE("Content-Type")), SLICE(OTA_TYPE_GPL_A1))) {
        if (t->gba)
            open_bootstrapped(net, t, job->body, s, &plain);
        else
            open_sealed(net, t, job->body, s, &plain);
        if (t->gba && !plain.n) {
            buf_clear(&plain);
            return false;
        }
        head = slice_sub(buf_slice(&plain), 0, slice_find_slice(buf_slice(&plain), SLICE("\r\n\r\n")) + 2);
    }
    MUST(!mem_cstr(s->type, sizeof s->type, ota_header_find(head, SLICE("Content-Type"))));
    id = ota_header_find(head, SLICE("X-Push-Message-ID"));
    if (!id.n || mem_cstr(s->message_id, sizeof s->message_id, id))
        breach(net, "no message id", job->push_id);
    buf_clear(&plain);
    return true;
}

static void watch_message_id(struct replay_net *net, const struct replay_send *s)
{
    for (size_t i = 0; i < net->sends_n; i++) {
        const struct replay_send *o = &net->sends[i];
        bool same = strcmp(o->push_id, s->push_id) == 0 && strcmp(o->key, s->key) == 0;

        if (!o->message_id[0]) /* it did not open */
            continue;

        if (same != (strcmp(o->message_id, s->message_id) == 0)) {
            breach(net, same ? "message id changed" : "message id used twice", slice_str(s->push_id));
            return;
        }
    }
}

static bool bearer_absent(void *self, const struct ota_terminal *terminal)
{
    struct replay_port *port = self;
    const struct replay_terminal *t = replay_net_terminal(port->net, terminal->key);

    return t && t->away;
}

static enum err bearer_send(void *self, struct ota_job *job, ota_done_fn *done, void *arg)
{
    struct replay_port *port = self;
    struct replay_net *net = port->net;
    struct replay_terminal *t = replay_net_terminal(net, job->terminal->key);
    const struct replay_answer ok = {.kind = REPLAY_OUTCOME, .outcome = OTA_DELIVERED, .code = 1000};
    struct pending p = {.terminal = t, .job = job, .done = done, .arg = arg};
    struct replay_send *s;

    if (net->dead)
        return ERR_PEER;
    MUST(t && net->sends_n < REPLAY_SENDS_MAX);
    if (slice_eq(job->content_type, SLICE(OTA_SIA_TYPE))) { /* no push of anybody's */
        t->asked++;
        t->in_flight++;
        p.answer = ok;
        pend(net, &p);
        return ERR_OK;
    }
    p.answer = answer_next(&t->answers, ok);
    if (p.answer.kind == REPLAY_REFUSE)
        return p.answer.err;
    s = &net->sends[net->sends_n];
    *s = (struct replay_send){.at_ms = clk_utc_ms(net->clk), .core = port->core};
    MUST(!mem_cstr(s->push_id, sizeof s->push_id, job->push_id) &&
         !mem_cstr(s->key, sizeof s->key, job->terminal->key));
    if (!read_message(net, t, job, s))
        p.answer = (struct replay_answer){.kind = REPLAY_OUTCOME, .outcome = OTA_ABORTED, .code = 5027};
    else
        watch_message_id(net, s);
    net->sends_n += p.answer.outcome != OTA_UNSUITED; /* registered, and nothing sent */
    if (t->in_flight++)
        breach(net, "two attempts in flight", job->terminal->key);
    job->attempt = &port->net->pending;
    pend(net, &p);
    return ERR_OK;
}

/* It asks whether the push may come before it sends any of it. */
static bool bearer_withdraw(void *self, struct ota_job *job)
{
    struct replay_port *port = self;

    LIST_EACH (at, &port->net->pending) {
        struct pending *p = container_of(at, struct pending, link);

        if (p->job != job || !p->answer.rings)
            continue;
        p->terminal->in_flight--;
        port->net->withdrawn++;
        job->attempt = NULL;
        list_remove(&p->link);
        free(p);
        return true;
    }
    return false;
}

const struct ota_bearer replay_bearer = {
    .name = "replay",
    .body_max_n = 1u << 20,
    .confirms = true,
    .reaches = reaches,
    .caps = caps,
    .absent = bearer_absent,
    .send = bearer_send,
    .withdraw = bearer_withdraw,
};

const struct ota_bearer replay_datagrams = {
    .name = "datagrams",
    .body_max_n = 1u << 16,
    .narrow = true,
    .reaches = reaches_by_datagram,
    .caps = caps,
    .send = bearer_send,
};

static void answer_job(struct replay_net *net, struct pending *p)
{
    struct ota_job *job = p->job;

    p->terminal->in_flight--;
    job->attempt = NULL;
    if (p->answer.outcome == OTA_UNSUITED) {
        const struct ota_profile said = {.accept = slice_str(p->terminal->takes),
                                         .learnt_ms = clk_utc_ms(net->clk)};

        MUST(!ota_profiles_learn(net->profiles, slice_str(p->terminal->key), &said));
    }
    job->result = (struct ota_result){.outcome = p->answer.outcome, .code = p->answer.code};
    job->result.taken = p->answer.outcome == OTA_DELIVERED && !p->terminal->datagrams;
    if (p->answer.outcome == OTA_ABORTED || job->result.taken)
        job->result.association = p->terminal->module.told;
    (void)snprintf(job->result.note, sizeof job->result.note, "script");
    p->done(job, ERR_OK, p->arg);
}

/* --- initiators --- */

struct replay_server *replay_net_server(struct replay_net *net, struct slice host)
{
    struct replay_server *s;

    for (size_t i = 0; i < net->servers_n; i++)
        if (slice_eq(slice_str(net->servers[i].host), host))
            return &net->servers[i];
    MUST(net->servers_n < REPLAY_SERVERS_MAX);
    s = &net->servers[net->servers_n++];
    MUST(!mem_cstr(s->host, sizeof s->host, host));
    return s;
}

static void read_notice(struct replay_net *net, struct slice body)
{
    struct pap_limits limits = PAP_LIMITS_DEFAULT;
    struct replay_notice *n = &net->notices[net->notices_n];
    struct pap_message m;
    struct pap_fault fault;
    struct arena mem;

    MUST(net->notices_n < REPLAY_NOTICES_MAX);
    arena_init(&mem, 1024, 1u << 20);
    if (pap_parse(net->parser, body, &limits, &mem, &m, &fault) ||
        m.kind != PAP_KIND_RESULTNOTIFICATION_MESSAGE || m.notification.addrs.n != 1) {
        breach(net, "not a result notification", body);
    } else {
        *n = (struct replay_notice){.state = m.notification.state,
                                    .code = (unsigned)m.notification.code,
                                    .at_ms = clk_utc_ms(net->clk)};
        MUST(!mem_cstr(n->push_id, sizeof n->push_id, m.notification.push_id) &&
             !mem_cstr(n->address, sizeof n->address, m.notification.addrs.v[0]));
        net->notices_n++;
    }
    arena_clear(&mem);
}

enum err replay_net_post(void *host, struct slice url, struct slice body, ppg_post_done_fn *done, void *arg)
{
    struct replay_port *port = host;
    struct replay_net *net = port->net;
    const struct replay_answer ok = {.kind = REPLAY_HTTP, .status = 200, .code = 1000};
    struct pending p = {.posted = done, .arg = arg};
    struct net_uri uri;

    if (net->dead)
        return ERR_DENIED;
    if (net_uri_parse(url, &uri)) {
        breach(net, "notification without a URL", body);
        return ERR_MALFORMED;
    }
    p.server = replay_net_server(net, uri.host);
    p.answer = answer_next(p.server->answers.n ? &p.server->answers : &net->initiator, ok);
    if (p.answer.kind == REPLAY_REFUSE)
        return p.answer.err;
    read_notice(net, body);
    p.server->posts++;
    if (++p.server->under_way > p.server->most)
        p.server->most = p.server->under_way;
    pend(net, &p);
    return ERR_OK;
}

static void answer_post(struct pending *p)
{
    char body[300];
    int n = 0;
    struct ppg_post_answer a = {.tls_why = "", .status = p->answer.status};

    p->server->under_way--;
    if (p->answer.kind != REPLAY_HTTP) {
        p->posted(&(struct ppg_post_answer){.err = p->answer.err ? p->answer.err : ERR_PEER, .tls_why = ""},
                  p->arg);
        return;
    }
    if (p->answer.code)
        n = snprintf(
            body, sizeof body,
            "<?xml version=\"1.0\"?>\n<pap><resultnotification-response push-id=\"x\" code=\"%u\">"
            "<address address-value=\"WAPPUSH=1/TYPE=PLMN@ppg\"/></resultnotification-response></pap>",
            p->answer.code);
    a.body = slice_of(body, (size_t)n);
    a.retry_after_ms = p->answer.retry_after_ms;
    p->posted(&a, p->arg);
}

/* --- time --- */

static void answer(struct replay_net *net, struct pending *p)
{
    list_remove(&p->link);
    if (p->job)
        answer_job(net, p);
    else
        answer_post(p);
    free(p);
}

static struct pending *due_first(struct replay_net *net, int64_t now_mono)
{
    struct pending *first = NULL;

    LIST_EACH (at, &net->pending) {
        struct pending *p = container_of(at, struct pending, link);

        if (p->at_mono <= now_mono && (!first || p->at_mono < first->at_mono))
            first = p;
    }
    return first;
}

bool replay_net_fire(struct replay_net *net)
{
    struct pending *p;
    bool any = false;

    while ((p = due_first(net, clk_mono_ms(net->clk)))) {
        any = true;
        answer(net, p);
    }
    return any;
}

void replay_net_break(struct replay_net *net)
{
    while (!list_empty(&net->pending)) {
        struct pending *p = container_of(net->pending.next, struct pending, link);

        p->answer = (struct replay_answer){.kind = REPLAY_BROKEN, .outcome = OTA_RETRY};
        answer(net, p);
    }
}
