/* Answers; see reply.h.  [PAP §3.2]: once the entity is taken the HTTP status says so, the outcome is in the
 * document.  [PAP §3.3]: what can be attributed to an operation is answered with that operation's response. */
#include "ppg/reply.h"

#include <stdio.h>
#include "base/codec.h"
#include "pap/print.h"
#include "pap/vocab.h"
#include "ppg/authenticate.h"
#include "ppg/limits.h"
#include "security/secret.h"

#define ANSWER_KEEP_N  65536u
#define ANSWER_BASE_N  (256u << 10) /* octets: a document about one address, or capabilities */
#define ESCAPE_N       6u           /* octets that one of the request becomes at most: &quot; */
#define RESULT_MAX_N   1280u /* octets of a result about one address, names of network and bearer in it */
#define HEADERS_KEEP_N 4096u
#define NOTES_MAX      4u
#define TYPE_MAX_N     128u

static const enum pap_code codes[ERR_COUNT] = {
    [ERR_OK] = PAP_CODE_ACCEPTED,
    [ERR_AGAIN] = PAP_CODE_BAD_REQUEST,
    [ERR_MALFORMED] = PAP_CODE_BAD_REQUEST,
    [ERR_LIMIT] = PAP_CODE_BAD_REQUEST,
    [ERR_EXISTS] = PAP_CODE_DUPLICATE_PUSH_ID,
    [ERR_ABSENT] = PAP_CODE_PUSH_ID_NOT_FOUND,
    [ERR_LATE] = PAP_CODE_NOT_POSSIBLE,
    [ERR_DENIED] = PAP_CODE_FORBIDDEN,
    [ERR_UNSUPPORTED] = PAP_CODE_NOT_IMPLEMENTED,
    [ERR_PEER] = PAP_CODE_SERVICE_FAILURE,
    [ERR_NOMEM] = PAP_CODE_INTERNAL_ERROR,
    [ERR_IO] = PAP_CODE_INTERNAL_ERROR,
};

enum pap_code ppg_reply_code(enum err e)
{
    return codes[e];
}

static struct slice text_of(const struct ppg_outcome *o)
{
    return slice_str(o->why && *o->why ? o->why : pap_code_text(o->code));
}

size_t ppg_reply_max_n(const struct ppg_settings *set)
{
    return ANSWER_BASE_N + ESCAPE_N * set->pap.control_max_n + RESULT_MAX_N * set->pap.recipients_max;
}

struct pap_qos ppg_reply_qos(uint32_t flags, uint8_t priority, uint8_t method, struct slice network,
                             struct slice bearer)
{
    static const enum pap_priority priorities[] = {[PPG_PRIO_HIGH] = PAP_PRIORITY_HIGH,
                                                   [PPG_PRIO_MEDIUM] = PAP_PRIORITY_MEDIUM,
                                                   [PPG_PRIO_LOW] = PAP_PRIORITY_LOW};
    static const enum pap_delivery methods[] = {
        [PPG_METHOD_NOTSPECIFIED] = PAP_DELIVERY_NOTSPECIFIED,
        [PPG_METHOD_CONFIRMED] = PAP_DELIVERY_CONFIRMED,
        [PPG_METHOD_PREFERCONFIRMED] = PAP_DELIVERY_PREFERCONFIRMED,
        [PPG_METHOD_UNCONFIRMED] = PAP_DELIVERY_UNCONFIRMED,
    };

    return (struct pap_qos){.given = flags & PPG_HAS_QOS,
                            .priority = priorities[priority],
                            .delivery = methods[method],
                            .network = network.n ? network : SLICE_NONE,
                            .bearer = bearer.n ? bearer : SLICE_NONE,
                            .network_required = flags & PPG_NETWORK_REQUIRED,
                            .bearer_required = flags & PPG_BEARER_REQUIRED};
}

static struct pap_note note_of(const char *stage, const char *note, int64_t at_ms)
{
    return (struct pap_note){slice_str(stage), slice_str(note), {at_ms / 1000, true}};
}

/* [PAP §4.1]: one note for each stage that was reached. */
static void fill_notes(const struct ppg_outcome *o, struct pap_note notes[NOTES_MAX], char replaced[48],
                       struct pap_notes *out)
{
    out->v = notes;
    notes[out->n++] = note_of("received", NULL, o->received_ms);
    if (o->validated_ms)
        notes[out->n++] = note_of("validated", NULL, o->validated_ms);
    if (o->stored_ms && o->replaces) {
        (void)snprintf(replaced, 48, "replaced %zu pending", o->replaced_n);
        notes[out->n++] = note_of("replaced", replaced, o->stored_ms);
    }
    if (o->stored_ms)
        notes[out->n++] = note_of("stored", "durable and queued for delivery", o->stored_ms);
}

static void fill_push_response(const struct ppg_core *c, const struct ppg_outcome *o, struct pap_message *m)
{
    const struct ppg_settings *set = ppg_core_settings(c);
    struct pap_time now = {ppg_core_utc_ms(c) / 1000, true};

    m->push_response = (struct pap_push_response){.push_id = o->push_id,
                                                  .sender_address = slice_str(set->gateway.name),
                                                  .sender_name = slice_str(set->gateway.sender_name),
                                                  .reply_time = now};
    m->push_response.result.code = o->code;
    m->push_response.result.desc = text_of(o);
}

static void fill_query_response(const struct ppg_outcome *o, struct pap_result *result, struct pap_message *m)
{
    *result = (struct pap_result){.code = o->code, .desc = text_of(o), .state = PAP_STATE_UNKNOWN};
    m->cancel_response = (struct pap_query_response){.push_id = o->push_id, .results = {result, 1}};
    if (o->results)
        m->cancel_response.results = *o->results;
}

enum err ppg_reply_print(const struct ppg_core *c, const struct ppg_outcome *o, struct buf *out)
{
    struct pap_message m = {.kind = pap_kind_answer(o->kind), .version = o->version};
    struct pap_note notes[NOTES_MAX];
    char replaced[48];
    struct pap_result result;
    struct slice address = o->address;

    switch (m.kind) {
    case PAP_KIND_PUSH_RESPONSE:
        fill_push_response(c, o, &m);
        if (o->progress_notes)
            fill_notes(o, notes, replaced, &m.push_response.notes);
        break;
    case PAP_KIND_CANCEL_RESPONSE:
    case PAP_KIND_STATUSQUERY_RESPONSE:
        fill_query_response(o, &result, &m);
        break;
    case PAP_KIND_CCQ_RESPONSE:
        m.ccq_response = (struct pap_ccq_response){
            .query_id = o->query_id, .code = o->code, .desc = text_of(o), .addrs = {&address, 1}};
        break;
    default:
        m.kind = PAP_KIND_BADMESSAGE_RESPONSE;
        m.bad = (struct pap_bad){.code = o->code, .desc = text_of(o), .fragment = o->fragment};
        break;
    }
    return pap_print(&m, out);
}

/* [PAP §8.7]: the response, then what it describes. */
static enum err print_related(const struct ppg_core *c, const struct ppg_outcome *o, const char *boundary,
                              struct buf *out)
{
    enum err e;

    buf_addf(out, "--%s\r\nContent-Type: application/xml\r\n\r\n", boundary);
    if ((e = ppg_reply_print(c, o, out)))
        return e;
    buf_addf(out, "\r\n--%s\r\nContent-Type: application/rdf+xml\r\n\r\n", boundary);
    buf_add(out, o->rdf);
    buf_addf(out, "\r\n--%s--\r\n", boundary);
    return buf_err(out);
}

/* The whole entity and its type. */
static enum err entity_of(const struct ppg_core *c, const struct ppg_outcome *o, struct buf *out,
                          char type[TYPE_MAX_N])
{
    char boundary[48];
    uint8_t dice[16];
    struct buf text;

    (void)snprintf(type, TYPE_MAX_N, "application/xml");
    if (!o->rdf.n)
        return ppg_reply_print(c, o, out);
    if (sec_random(dice, sizeof dice)) /* 128 random bits do not occur in the parts */
        return ERR_IO;
    buf_init(&text, sizeof boundary - 8);
    codec_hex(&text, slice_of(dice, sizeof dice));
    (void)snprintf(boundary, sizeof boundary, "pap-%.*s", SLICE_FMT(buf_slice(&text)));
    buf_clear(&text);
    (void)snprintf(type, TYPE_MAX_N, "multipart/related; type=\"application/xml\"; boundary=\"%s\"",
                   boundary);
    return print_related(c, o, boundary, out);
}

/* A push of times when the settings allowed more may have more to say than fits now. */
static enum err print_entity(const struct ppg_core *c, const struct ppg_outcome *o, struct buf *out,
                             char type[TYPE_MAX_N])
{
    enum err e = entity_of(c, o, out, type);
    struct ppg_outcome shorter = *o;

    if (e != ERR_LIMIT)
        return e;
    shorter.results = NULL;
    shorter.rdf = SLICE_NONE;
    shorter.code = PAP_CODE_INTERNAL_ERROR;
    shorter.why = "the answer would be too long: ask about fewer addresses";
    buf_reset(out, ANSWER_KEEP_N);
    return entity_of(c, &shorter, out, type);
}

/* What this initiator may still do, and when to come again (RFC 9110 §10.2.3). */
static void print_limits(const struct ppg_core *c, const struct sec_account *account,
                         const struct ppg_outcome *o, struct buf *headers)
{
    if (account)
        ppg_usage_print(ppg_limits_of(ppg_config_limits(c->config), account), account, ppg_core_mono_ms(c),
                        o->queue_known ? (int64_t)o->queued : -1, headers);
    if (o->retry_ms)
        ppg_reply_retry_after(o->retry_ms, headers);
}

void ppg_reply_retry_after(int64_t wait_ms, struct buf *headers)
{
    buf_addf(headers, "Retry-After: %lld\r\n", (long long)(wait_ms + 999) / 1000);
}

unsigned ppg_reply_head(const struct ppg_core *c, struct net_http_exchange *x, const char *method,
                        size_t body_max_n, struct buf *headers)
{
    const struct net_http_msg *m = net_http_exchange_msg(x);

    if (!slice_eq(m->method, slice_str(method))) {
        buf_addf(headers, "Allow: %s\r\n", method);
        return 405;
    }
    if (m->body_announced_n > body_max_n)
        return 413;
    if (atomic_load(&c->shared->draining)) {
        ppg_reply_retry_after(PPG_BUSY_RETRY_MS, headers);
        return 503;
    }
    return 0;
}

unsigned ppg_reply_slowed(const struct ppg_core *c, struct slice source, struct buf *headers)
{
    int64_t wait_ms = sec_penalty_wait_ms(c->shared->penalty, source, ppg_core_mono_ms(c));

    if (wait_ms <= 0)
        return 0;
    ppg_reply_retry_after(wait_ms, headers);
    return 429; /* RFC 6585 §4 */
}

void ppg_reply(struct ppg_core *c, struct net_http_exchange *x, const struct sec_account *account,
               const struct ppg_outcome *o)
{
    const struct ppg_settings *set = ppg_core_settings(c);
    struct buf *body = &c->answer;
    struct buf *headers = &c->answer_headers;
    char type[TYPE_MAX_N];
    enum err e;

    buf_reset(body, ANSWER_KEEP_N);
    buf_reset(headers, HEADERS_KEEP_N);
    e = print_entity(c, o, body, type);
    if (!e && account)
        ppg_authenticate_info(c, x, account, buf_slice(body), headers);
    print_limits(c, account, o, headers);
    LOG(c->shared->log, LOG_INFO, "pap.answered", LOG_S("initiator", account ? account->name : SLICE_NONE),
        LOG_S("push_id", o->push_id), LOG_I("code", o->code), LOG_C("why", o->why ? o->why : ""));
    ppg_stats_answer(&c->stats, o->code);
    if (e || buf_err(headers))
        net_httpd_reply(x, 503, SLICE("text/plain"), SLICE("Retry-After: 1\r\n"), SLICE("out of memory\n"));
    else
        net_httpd_reply(x, set->pap.success_status, slice_str(type), buf_slice(headers), buf_slice(body));
}
