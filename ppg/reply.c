/* Answers; see reply.h.  [PAP §3.2]: once the entity is taken the HTTP status says so, the outcome is in the
 * document.  [PAP §3.3]: what can be attributed to an operation is answered with that operation's response. */
#include "ppg/reply.h"

#include "pap/print.h"
#include "pap/vocab.h"
#include "ppg/authenticate.h"

#define ANSWER_MAX_N  65536u
#define HEADERS_MAX_N 4096u

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

static void fill_push_response(const struct ppg_core *c, const struct ppg_outcome *o,
                               struct pap_note notes[2], struct pap_message *m)
{
    const struct ppg_settings *set = ppg_core_settings(c);
    struct pap_time now = {ppg_core_utc_ms(c) / 1000, true};
    struct pap_time received = {o->received_ms / 1000, true};

    m->push_response = (struct pap_push_response){.push_id = o->push_id,
                                                  .sender_address = slice_str(set->gateway.name),
                                                  .sender_name = slice_str(set->gateway.sender_name),
                                                  .reply_time = now};
    m->push_response.result.code = o->code;
    m->push_response.result.desc = text_of(o);
    if (!o->progress_notes)
        return;
    notes[0] = (struct pap_note){SLICE("received"), SLICE_NONE, received};
    notes[1] = (struct pap_note){SLICE("stored"), SLICE("durable and queued for delivery"), now};
    m->push_response.notes.v = notes;
    m->push_response.notes.n = o->code == PAP_CODE_ACCEPTED ? 2 : 1;
}

static void fill_query_response(const struct ppg_outcome *o, struct pap_result *result, struct pap_message *m)
{
    *result = (struct pap_result){.code = o->code, .desc = text_of(o), .state = PAP_STATE_UNKNOWN};
    m->cancel_response = (struct pap_query_response){.push_id = o->push_id, .results = {result, 1}};
}

enum err ppg_reply_print(const struct ppg_core *c, const struct ppg_outcome *o, struct buf *out)
{
    struct pap_message m = {.kind = pap_kind_answer(o->kind), .version = o->version};
    struct pap_note notes[2];
    struct pap_result result;
    struct slice address = o->address;

    switch (m.kind) {
    case PAP_KIND_PUSH_RESPONSE:
        fill_push_response(c, o, notes, &m);
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

void ppg_reply(struct ppg_core *c, struct net_http_exchange *x, const struct sec_account *account,
               const struct ppg_outcome *o)
{
    const struct ppg_settings *set = ppg_core_settings(c);
    struct buf *body = &c->answer;
    struct buf *headers = &c->answer_headers;
    enum err e;

    buf_reset(body, ANSWER_MAX_N);
    buf_reset(headers, HEADERS_MAX_N);
    e = ppg_reply_print(c, o, body);
    if (!e && account)
        ppg_authenticate_info(c, x, account, buf_slice(body), headers);
    LOG(c->shared->log, LOG_INFO, "pap.answered", LOG_S("initiator", account ? account->name : SLICE_NONE),
        LOG_S("push_id", o->push_id), LOG_I("code", o->code), LOG_C("why", o->why ? o->why : ""));
    if (e || buf_err(headers))
        net_httpd_reply(x, 503, SLICE("text/plain"), SLICE("Retry-After: 1\r\n"), SLICE("out of memory\n"));
    else
        net_httpd_reply(x, set->pap.success_status, SLICE("application/xml"), buf_slice(headers),
                        buf_slice(body));
}
