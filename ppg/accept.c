/* From a request to a submission; see accept.h.  [PAP §3.1, §3.2]: HTTP speaks about HTTP only; once the entity
 * is taken, every outcome is a PAP document.  Runs on the core's loop. */
#include "ppg/accept.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "ppg/authenticate.h"
#include "ppg/authorize.h"
#include "ppg/keys/keyask.h"
#include "ppg/kept.h"
#include "ppg/limits.h"
#include "ppg/operation.h"
#include "ppg/submission.h"

#define PUSH_FIRST_N        3072u      /* octets that most pushes need for their attributes */
#define PUSH_MAX_N          (1u << 20) /* headers and all that does not grow with the addresses */
#define TARGET_MAX_N        512u       /* octets of one target besides its text */
#define SCRATCH_KEEP_N      4096u
#define QUEUE_RETRY_MS      5000
#define CONNECTION_RETRY_MS 1000 /* nobody knows when a connection ends */

struct ppg_accept {
    struct ppg_core *core;
    struct ppg_submission *free_submissions;
    size_t open;
};

/* --- head --- */

/* A server takes the absolute form as well, whatever host it names (RFC 9112 §3.2.2). */
static struct slice without_authority(struct slice target)
{
    size_t scheme_n = slice_starts_ci(target, SLICE("http://"))    ? 7
                      : slice_starts_ci(target, SLICE("https://")) ? 8
                                                                   : 0;
    size_t n = scheme_n;

    while (scheme_n && n < target.n && target.p[n] != '/' && target.p[n] != '?')
        n++;
    return slice_sub(target, n, target.n);
}

static bool path_is_ours(const struct ppg_core *c, struct slice target)
{
    struct slice path = without_authority(target), query;

    (void)slice_cut(path, '?', &path, &query);
    return slice_eq(path, slice_str(ppg_core_settings(c)->pap.path));
}

static bool type_is_possible(const struct net_http_msg *m)
{
    struct pap_media media;

    return !pap_media_parse(net_http_header(m, SLICE("Content-Type"), NULL), false, &media) &&
           (pap_media_is(&media, SLICE("multipart/related")) ||
            pap_media_is(&media, SLICE("application/xml")));
}

/* --- limits of the initiator ---
 * Asked once it is known who asks, and before its request costs more than its octets.  A refusal is of HTTP: nothing of
 * the entity has been looked at [PAP §3.2]. */

static unsigned over(struct ppg_core *c, const struct sec_account *account, const char *event,
                     int64_t wait_ms, struct buf *headers)
{
    const struct ppg_usage *usage = ppg_limits_of(ppg_config_limits(c->config), account);

    log_event(c->shared->log, LOG_INFO, event, (struct log_kv[]){LOG_S("initiator", account->name), LOG_END});
    ppg_usage_print(usage, account, ppg_core_mono_ms(c), -1, headers);
    ppg_reply_retry_after(wait_ms, headers);
    return 429; /* RFC 6585 §4 */
}

static unsigned check_connections(struct ppg_core *c, struct net_http_exchange *x,
                                  const struct sec_account *account, struct buf *headers)
{
    enum err e = ppg_kept_enter(x, ppg_limits_of(ppg_config_limits(c->config), account), account);

    if (e == ERR_LIMIT)
        return over(c, account, "limit.connections", CONNECTION_RETRY_MS, headers);
    return e ? 503 : 0;
}

static unsigned check_body(struct ppg_core *c, const struct sec_account *account, uint64_t body_n)
{
    if (!account->limits.body_max_n || body_n <= account->limits.body_max_n)
        return 0;
    LOG(c->shared->log, LOG_INFO, "limit.body", LOG_S("initiator", account->name), LOG_I("octets", body_n));
    return 413;
}

static unsigned check_rate(struct ppg_core *c, const struct sec_account *account, struct buf *headers)
{
    struct ppg_usage *usage = ppg_limits_of(ppg_config_limits(c->config), account);
    int64_t wait_ms = 0;

    if (ppg_usage_request(usage, account, ppg_core_mono_ms(c), &wait_ms))
        return 0;
    return over(c, account, "limit.requests", wait_ms, headers);
}

/* The rate is asked here only of who waits for a word before it sends its body: to refuse one that is on its way would
 * cost the connection. */
static unsigned check_head(struct ppg_core *c, struct net_http_exchange *x, struct buf *headers)
{
    const struct net_http_msg *m = net_http_exchange_msg(x);
    const struct sec_account *account = ppg_authenticated(c, x);
    unsigned status = check_connections(c, x, account, headers);

    if (!status)
        status = check_body(c, account, m->body_announced_n);
    return !status && m->expect_continue ? check_rate(c, account, headers) : status;
}

/* RFC 9110 §8.4: a body that was compressed would be told of as one without a boundary.  Other words there, such as
 * "binary", are seen in the field and mean nothing. */
static bool body_is_coded(const struct net_http_msg *m)
{
    static const char *const codings[] = {"gzip", "x-gzip",   "deflate",   "br",
                                          "zstd", "compress", "x-compress"};
    struct slice rest = net_http_header(m, SLICE("Content-Encoding"), NULL), one;

    while (slice_item(&rest, &one))
        for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++)
            if (slice_eq_ci(one, slice_str(codings[i])))
                return true;
    return false;
}

unsigned ppg_accept_head(struct net_http_exchange *x, struct buf *headers, void *arg)
{
    struct ppg_core *c = arg;
    const struct net_http_msg *m = net_http_exchange_msg(x);
    struct sec_naf_want want;
    unsigned status;

    if (!path_is_ours(c, m->target))
        return 404;
    if (!slice_eq(m->method, SLICE("POST"))) {
        buf_add_str(headers, "Allow: POST\r\n");
        return 405;
    }
    if (atomic_load(&c->shared->draining) || store_full(c->shared->store)) {
        buf_add_str(headers, "Retry-After: 1\r\n");
        return 503;
    }
    if (ppg_core_settings(c)->pap.strict && !type_is_possible(m))
        return 415;
    if (body_is_coded(m)) {
        buf_add_str(headers, "Accept-Encoding: identity\r\n"); /* RFC 9110 §12.5.3 */
        return 415;
    }
    status = ppg_authenticate(c, x, false, headers, &want);
    return status || !ppg_authenticated(c, x) ? status : check_head(c, x, headers);
}

/* --- a submission --- */

/* Memory of the largest submission the settings let in: its text at most four times (as parsed, as spelled, as
 * routed, and the growth of arrays), and its targets. */
static size_t push_max_n(const struct ppg_settings *set)
{
    return PUSH_MAX_N + 4 * set->pap.control_max_n + set->pap.recipients_max * TARGET_MAX_N;
}

static struct ppg_submission *submission_new(struct ppg_core *c, struct net_http_exchange *x,
                                             const struct sec_account *account)
{
    struct ppg_submission *s = c->accept->free_submissions;

    if (s)
        c->accept->free_submissions = s->next_free;
    else
        s = malloc(sizeof *s);
    if (!s)
        return NULL;
    s->core = c;
    s->exchange = x;
    s->account = account;
    s->why[0] = '\0';
    s->message = (struct pap_message){.kind = PAP_KIND_NONE};
    s->outcome = (struct ppg_outcome){.code = PAP_CODE_ACCEPTED, .received_ms = ppg_core_utc_ms(c)};
    s->push = ppg_push_create(PUSH_FIRST_N, push_max_n(ppg_core_settings(c)));
    if (s->push && arena_dup(&s->push->mem, account->name, &s->push->initiator)) {
        ppg_push_drop(s->push);
        s->push = NULL;
    }
    c->accept->open++;
    return s;
}

void ppg_submission_free(struct ppg_submission *s)
{
    struct ppg_accept *a = s->core->accept;

    if (s->push)
        ppg_push_drop(s->push);
    s->next_free = a->free_submissions;
    a->free_submissions = s;
    a->open--;
}

void ppg_submission_reply(struct ppg_submission *s)
{
    ppg_reply(s->core, s->exchange, s->account, &s->outcome);
}

static void answer(struct ppg_submission *s)
{
    ppg_submission_reply(s);
    ppg_submission_free(s);
}

/* --- the entity --- */

static void bad_message(struct ppg_submission *s, enum pap_code code, const char *why)
{
    s->outcome.code = code;
    s->outcome.why = why;
    s->outcome.kind = PAP_KIND_NONE;
}

static void take_fault(struct ppg_submission *s, const struct pap_fault *fault)
{
    (void)snprintf(s->why, sizeof s->why, "%s", fault->desc);
    s->outcome.code = fault->code;
    s->outcome.why = s->why;
    s->outcome.kind = fault->kind;
    s->outcome.version = fault->version;
    s->outcome.push_id = fault->push_id;
    s->outcome.query_id = fault->query_id;
    s->outcome.address = fault->address;
    s->outcome.fragment = fault->fragment;
}

static bool is_bare_xml(struct slice type)
{
    struct pap_media media;

    return !pap_media_parse(type, false, &media) && pap_media_is(&media, SLICE("application/xml"));
}

/* [PAP §3.1]: a push is multipart/related, everything else a bare application/xml. */
static bool split_entity(struct ppg_submission *s, struct slice *control)
{
    struct slice type = net_http_header(net_http_exchange_msg(s->exchange), SLICE("Content-Type"), NULL);
    struct slice body = buf_slice(&s->push->body_mem);
    const char *why;
    enum err e = pap_mime_split(type, body, ppg_core_settings(s->core)->pap.strict, &s->parts, &why);

    if (e == ERR_UNSUPPORTED && is_bare_xml(type)) {
        *control = body;
        return true;
    }
    if (e) {
        bad_message(s, PAP_CODE_BAD_REQUEST, why);
        return false;
    }
    *control = s->parts.part[0].body;
    return true;
}

/* RFC 2045 §6: whoever makes the parts may put any of them so. */
static bool decode_control(struct ppg_submission *s, struct buf *decoded, struct slice *control)
{
    struct slice encoding = SLICE_NONE;
    enum err e = s->parts.n
                     ? pap_mime_header_find(s->parts.part[0].headers, SLICE("Content-Transfer-Encoding"),
                                            &s->push->mem, &encoding)
                     : ERR_ABSENT;

    if (!e)
        e = pap_mime_decode(encoding, *control, decoded, control);
    if (!e || e == ERR_ABSENT)
        return true;
    bad_message(s, e == ERR_NOMEM ? PAP_CODE_INTERNAL_ERROR : PAP_CODE_BAD_REQUEST,
                "transfer encoding of the control entity is bad or unknown");
    return false;
}

/* What came with the control entity says its character encoding, before it does so itself. */
static struct slice control_charset(const struct ppg_submission *s)
{
    const struct net_http_msg *m = net_http_exchange_msg(s->exchange);

    return pap_mime_charset(s->parts.n ? s->parts.part[0].type
                                       : net_http_header(m, SLICE("Content-Type"), NULL));
}

static bool parse_control(struct ppg_submission *s, struct slice control)
{
    const struct ppg_settings *set = ppg_core_settings(s->core);
    struct pap_limits limits = PAP_LIMITS_DEFAULT;
    struct pap_fault fault;

    limits.control_max_n = set->pap.control_max_n;
    limits.addresses_max = set->pap.recipients_max;
    limits.strict = set->pap.strict;
    if (pap_parse_as(s->core->parser, control, control_charset(s), &limits, &s->push->mem, &s->message,
                     &fault)) {
        take_fault(s, &fault);
        return false;
    }
    s->outcome.kind = s->message.kind;
    s->outcome.version = s->message.version;
    return true;
}

/* --- a push --- */

/* The queue empties as terminals are reached: nobody knows when. */
static void queue_full(struct ppg_submission *s)
{
    LOG(s->core->shared->log, LOG_INFO, "limit.queue", LOG_S("push_id", s->outcome.push_id),
        LOG_I("queued", s->enqueue.insert.queued));
    if (s->account)
        ppg_usage_queue_refused(ppg_limits_of(ppg_config_limits(s->core->config), s->account));
    s->outcome.code = PAP_CODE_SERVICE_UNAVAILABLE;
    s->outcome.why = "the queue of this initiator is full";
    s->outcome.retry_ms = QUEUE_RETRY_MS;
}

static void stored(enum err result, void *arg)
{
    struct ppg_submission *s = arg;

    s->account = ppg_authenticated(s->core, s->exchange);
    s->outcome.code = ppg_reply_code(result);
    s->outcome.queue_known = s->enqueue.insert.queue_max && (!result || result == ERR_LIMIT);
    s->outcome.queued = s->enqueue.insert.queued;
    if (result == ERR_LIMIT)
        queue_full(s);
    if (!result) {
        s->outcome.stored_ms = ppg_core_utc_ms(s->core);
        s->outcome.replaced_n = s->enqueue.replaced_n;
    }
    answer(s);
}

static void looked_up(struct store_op *op)
{
    struct ppg_submission *s = op->arg;
    const struct store_show *show = container_of(op, struct store_show, op);

    s->account = ppg_authenticated(s->core, s->exchange);
    if (!op->err) {
        ppg_push_drop(show->push);
        s->outcome.code = PAP_CODE_DUPLICATE_PUSH_ID;
        s->outcome.why = NULL;
    }
    answer(s);
}

/* [PAP §8.1]: that a push-id is used already comes before what else is wrong.  The insert finds that by itself, so only
 * a refusal pays for a look. */
static void refuse(struct ppg_submission *s)
{
    struct store_show *show = arena_alloc(&s->push->mem, sizeof *show);

    s->outcome.why = s->why;
    if (!show || !s->outcome.push_id.n || s->outcome.code == PAP_CODE_INTERNAL_ERROR) {
        answer(s);
        return;
    }
    show->initiator = s->push->initiator;
    show->push_id = s->outcome.push_id;
    show->brief = true;
    show->op = (struct store_op){.kind = STORE_SHOW, .done = looked_up, .arg = s};
    ppg_core_submit(s->core, &show->op);
}

static void submit(struct ppg_submission *s)
{
    struct ppg_push *push = s->push;

    s->outcome.push_id = s->message.push.push_id;
    s->outcome.progress_notes = s->message.push.progress_notes_requested;
    if (s->parts.n < 2) {
        s->outcome.code = PAP_CODE_BAD_REQUEST;
        s->outcome.why = "a push needs a content entity";
        answer(s);
        return;
    }
    s->outcome.code = ppg_authorize(s);
    if (s->outcome.code != PAP_CODE_ACCEPTED) {
        refuse(s);
        return;
    }
    s->outcome.validated_ms = ppg_core_utc_ms(s->core);
    s->outcome.replaces = push->replace != PPG_REPLACE_NONE;
    s->push = NULL; /* the store's now */
    MUST(!mem_cstr(s->answer_push_id, sizeof s->answer_push_id, push->push_id));
    s->outcome.push_id = slice_of(s->answer_push_id, push->push_id.n);
    ppg_enqueue(s->core, &s->enqueue, push, s->account->limits.queue_max, stored, s);
}

static void reply_status(struct ppg_core *c, struct net_http_exchange *x, unsigned status)
{
    net_httpd_reply(x, status, SLICE("text/plain"), buf_slice(&c->answer_headers), SLICE_NONE);
}

/* What a token must be for: to change something, or to ask. */
static enum sec_scope scope_of(enum pap_kind kind)
{
    return kind == PAP_KIND_STATUSQUERY_MESSAGE || kind == PAP_KIND_CCQ_MESSAGE ? SEC_SCOPE_STATUS
                                                                                : SEC_SCOPE_SUBMIT;
}

static bool in_scope(struct ppg_submission *s)
{
    struct ppg_core *c = s->core;
    unsigned status;

    buf_reset(&c->answer_headers, SCRATCH_KEEP_N);
    status = ppg_authenticate_scope(c, s->exchange, scope_of(s->message.kind), &c->answer_headers);
    if (!status)
        return true;
    reply_status(c, s->exchange, status);
    ppg_submission_free(s);
    return false;
}

static bool read_message(struct ppg_submission *s)
{
    struct slice control;
    struct buf decoded; /* what is read of it lives in the push */
    bool good;

    buf_init(&decoded, ppg_core_settings(s->core)->pap.body_max_n);
    good = split_entity(s, &control) && decode_control(s, &decoded, &control) && parse_control(s, control);
    buf_clear(&decoded);
    return good;
}

static void handle(struct ppg_submission *s)
{
    net_http_exchange_take_body(s->exchange, &s->push->body_mem);
    s->parts.n = 0;
    if (!read_message(s)) {
        answer(s);
        return;
    }
    if (!in_scope(s))
        return;
    if (s->message.kind == PAP_KIND_PUSH_MESSAGE)
        submit(s);
    else
        ppg_operation(s);
}

/* What the head did not tell: the rate, and the size of a body in chunks.  0: go on. */
static unsigned check_request(struct ppg_core *c, struct net_http_exchange *x,
                              const struct sec_account *account, struct buf *headers)
{
    const struct net_http_msg *m = net_http_exchange_msg(x);
    unsigned status = m->expect_continue ? 0 : check_rate(c, account, headers);

    return status ? status : check_body(c, account, m->body.n);
}

/* The account of the exchange; identified anew when the configuration changed between head and body, or only the body
 * could tell.  NULL: answered already, or it waits for a key and comes again. */
static const struct sec_account *account_of(struct ppg_core *c, struct net_http_exchange *x)
{
    const struct sec_account *account = ppg_authenticated(c, x);
    struct sec_naf_want want;
    unsigned status;

    if (account)
        return account;
    buf_reset(&c->answer_headers, SCRATCH_KEEP_N);
    status = ppg_authenticate(c, x, true, &c->answer_headers, &want);
    account = ppg_authenticated(c, x);
    if (account) {
        status = check_connections(c, x, account, &c->answer_headers);
    } else if (!status) {
        ppg_keyask_park(c, x, &want, ppg_accept_request);
        return NULL;
    }
    if (!status)
        return account;
    reply_status(c, x, status);
    return NULL;
}

void ppg_accept_request(struct net_http_exchange *x, void *arg)
{
    struct ppg_core *c = arg;
    const struct sec_account *account = account_of(c, x);
    struct ppg_submission *s;
    unsigned status;

    if (!account)
        return;
    buf_reset(&c->answer_headers, SCRATCH_KEEP_N);
    status = check_request(c, x, account, &c->answer_headers);
    if (status) {
        reply_status(c, x, status);
        return;
    }
    s = submission_new(c, x, account);
    if (!s || !s->push) {
        if (s)
            ppg_submission_free(s);
        buf_reset(&c->answer_headers, SCRATCH_KEEP_N);
        buf_add_str(&c->answer_headers, "Retry-After: 1\r\n");
        reply_status(c, x, 503);
        return;
    }
    handle(s);
}

/* --- life --- */

enum err ppg_accept_create(struct ppg_core *c, struct ppg_accept **out)
{
    struct ppg_accept *a = calloc(1, sizeof *a);

    if (!a)
        return ERR_NOMEM;
    a->core = c;
    *out = a;
    return ERR_OK;
}

void ppg_accept_free(struct ppg_accept **ap)
{
    struct ppg_accept *a = *ap;

    if (!a)
        return;
    MUST(a->open == 0);
    while (a->free_submissions) {
        struct ppg_submission *s = a->free_submissions;

        a->free_submissions = s->next_free;
        free(s);
    }
    free(a);
    *ap = NULL;
}
