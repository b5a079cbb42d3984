/* One item of an inbox, fetched: loaded, decided and protected on the loop that owns the terminal, for its association
 * counts there; answered, whole or a range of it, on the loop the request came in on.  A sealed message is another one each
 * time, so there are no ranges of it.  RFC 9110 §14, RFC 2046.  [CPM 5.1.3.4, 5.1.3.5]. */
#include "ppg/doors/inbox_job.h"

#include <stdio.h>
#include "base/mem.h"
#include "base/net/range.h"
#include "ota/headers.h"
#include "ppg/doors/inbox.h"
#include "ppg/content.h"
#include "ppg/item.h"
#include "ppg/doors/verify.h"

#define ETAG_N 64
#define MORE_N 65536u /* octets of the header lines of one answer */

/* --- the answer; where the request came in --- */

static void print_etag(const struct ppg_inbox_job *j, char out[ETAG_N])
{
    char id[PPG_ITEM_ID_N];

    ppg_item_print(store_name(j->core->shared->store), j->id, id);
    (void)snprintf(out, ETAG_N, "\"%s%s\"", id, j->opened ? "-o" : j->route.content.transformed ? "-t" : "");
}

/* The message's own header lines, without those that the server prints. */
static void print_headers(const struct ppg_inbox_job *j, struct buf *out)
{
    static const char *const own[] = {"Date", "Content-Type", "Content-Length"};
    const struct ota_push_info info = {.authenticated = j->push->flags & PPG_AUTHENTICATED,
                                       .trusted = j->push->flags & PPG_TRUSTED};
    struct slice lines = buf_slice(&j->message.head), name, value;
    bool bad = false;

    while (ota_header_next(&lines, &name, &value, &bad)) {
        bool skip = false;

        for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
            skip = skip || slice_eq_ci(name, slice_str(own[i]));
        if (!skip)
            net_http_print_header(out, name, value);
    }
    if (!j->message.type.n && (info.authenticated || info.trusted)) {
        buf_add_str(out, "X-Wap-Push-Info: ");
        ota_push_info_print(&info, out);
        buf_add_str(out, "\r\n");
    }
    if (j->opened)
        buf_add_str(out, PPG_INBOX_OBJECT ": decrypted\r\n");
    buf_add_str(out, "Cache-Control: no-store\r\n");
}

/* What part of the content is asked for: 200, 206 or 416, and the lines that go with it. */
static unsigned take_range(const struct ppg_inbox_job *j, struct slice *body, struct buf *out)
{
    const struct net_http_msg *m = net_http_exchange_msg(j->x);
    size_t ranges, conditions, total = body->n;
    struct slice wanted = net_http_header(m, SLICE("Range"), &ranges);
    struct slice only_if = net_http_header(m, SLICE("If-Range"), &conditions);
    struct net_range r;
    char etag[ETAG_N];
    enum err e;

    if (j->message.type.n) {
        buf_add_str(out, "Accept-Ranges: none\r\n");
        return 200;
    }
    print_etag(j, etag);
    buf_addf(out, "Accept-Ranges: bytes\r\nETag: %s\r\n", etag);
    if (ranges != 1 || conditions > 1 || (conditions && !slice_eq(only_if, slice_str(etag))))
        return 200;
    e = net_range_parse(wanted, total, &r);
    if (e == ERR_LIMIT) {
        buf_addf(out, "Content-Range: bytes */%zu\r\n", total);
        *body = SLICE_NONE;
        return 416;
    }
    if (e)
        return 200;
    buf_addf(out, "Content-Range: bytes %llu-%llu/%zu\r\n", (unsigned long long)r.first,
             (unsigned long long)r.last, total);
    *body = slice_sub(*body, (size_t)r.first, (size_t)(r.last - r.first) + 1);
    return 206;
}

static void reply_content(struct ppg_inbox_job *j)
{
    struct slice body = j->message.body;
    struct slice type = j->message.type.n ? j->message.type : j->route.content.type;
    struct buf headers;
    unsigned status;

    buf_init(&headers, MORE_N);
    print_headers(j, &headers);
    status = take_range(j, &body, &headers);
    if (buf_err(&headers))
        ppg_inbox_answer(j, 503, SLICE_NONE, SLICE_NONE, SLICE_NONE);
    else
        ppg_inbox_answer(j, status, type, buf_slice(&headers), body);
    buf_clear(&headers);
}

static void reply_refusal(struct ppg_inbox_job *j)
{
    ppg_inbox_answer(j, j->status, j->why[0] ? SLICE("text/plain") : SLICE_NONE,
                     j->status == 503 ? SLICE("Retry-After: 5\r\n") : SLICE_NONE, slice_str(j->why));
}

/* --- errands --- */

/* The last one over frees; it was answered then. */
static void leg_over(struct ppg_inbox_job *j)
{
    if (atomic_fetch_sub(&j->legs, 1) == 1)
        ppg_inbox_job_free(j);
}

static void came_home(struct ppg_core *c, struct ppg_errand *e)
{
    struct ppg_inbox_job *j = container_of(e, struct ppg_inbox_job, home);

    (void)c;
    if (j->status == 200)
        reply_content(j);
    else
        reply_refusal(j);
}

/* Back where it began from, which is the owner: the other loop may still hold the job. */
static void home_over(struct ppg_core *c, struct ppg_errand *e)
{
    (void)c;
    leg_over(container_of(e, struct ppg_inbox_job, home));
}

static void go_over(struct ppg_core *c, struct ppg_errand *e)
{
    (void)c;
    leg_over(container_of(e, struct ppg_inbox_job, go));
}

static void go_home(struct ppg_inbox_job *j, unsigned status)
{
    j->status = status;
    j->home.run = came_home;
    j->home.back = home_over;
    ppg_core_errand(j->owner, &j->home, j->core->loop);
}

/* --- the item; where the terminal belongs --- */

static void protect(void *arg)
{
    struct ppg_inbox_job *j = arg;
    enum err e = ppg_protect(j->owner->protect, j->target, &j->route.content, j->route.terminal,
                             &j->route.decision, &j->wait, &j->message);

    if (e == ERR_AGAIN)
        return; /* numbers are being reserved; we are called again */
    if (e) {
        (void)snprintf(j->why, sizeof j->why, "2005 association cannot protect this push\n");
        go_home(j, e == ERR_NOMEM || e == ERR_IO ? 503 : 403);
        return;
    }
    LOG(j->owner->shared->log, LOG_INFO, "inbox.fetch", LOG_S("push_id", j->push->push_id),
        LOG_A("to", ppg_inbox_key(j)), LOG_C("level", sec_level_name(j->route.decision.level)),
        LOG_I("sn", j->message.sn), LOG_I("octets", j->message.body.n));
    go_home(j, 200);
}

/* One that asks the terminal to connect brings a token, as when it is pushed (SEC_CF B.7). */
static enum err vouch(struct ppg_inbox_job *j)
{
    enum err e = ppg_verify_token(j->owner, j->target, &j->route.content, j->token);

    if (!e)
        j->route.content.verify = slice_of(j->token, sizeof j->token);
    return e == ERR_ABSENT ? ERR_OK : e;
}

/* What it says of itself, if that is a media type and fits into a header line. */
static struct slice object_type(struct ppg_inbox_job *j, const struct buf *said)
{
    struct slice type = buf_slice(said);

    if (buf_err(said) || !ppg_content_type_good(type) ||
        mem_cstr(j->object_type, sizeof j->object_type, type))
        return SLICE("application/octet-stream");
    return slice_str(j->object_type);
}

/* What was encrypted for the terminal, opened by its keys here instead of its own.  One refusal for whatever is wrong, keys or
 * object, for nobody is to try objects on us; the log has the reason. */
static unsigned open_object(struct ppg_inbox_job *j)
{
    const struct ota_xml *with = &j->route.terminal->object;
    struct ppg_content *content = &j->route.content;
    bool encrypted = false;
    enum err e = ERR_ABSENT;
    struct buf type;

    buf_init(&type, sizeof j->object_type - 1);
    if (with->name.n)
        e = sec_xml_open_typed(content->body, with->name, &with->keys, &encrypted, &type, &j->plain);
    content->type = e ? content->type : object_type(j, &type);
    buf_clear(&type);
    if (e == ERR_NOMEM)
        return 503;
    LOG(j->owner->shared->log, LOG_INFO, "inbox.open", LOG_S("push_id", j->push->push_id),
        LOG_A("to", ppg_inbox_key(j)), LOG_C("result", e || encrypted ? err_name(e) : "signed only"));
    if (e || !encrypted) {
        (void)snprintf(j->why, sizeof j->why, "not an object that keys of yours open here\n");
        return 403;
    }
    content->body = buf_slice(&j->plain);
    return 0;
}

/* The decision is taken anew: policy may have changed since it was accepted, and the terminal may ask for more. */
static void decide(struct ppg_inbox_job *j)
{
    uint8_t asked = j->asked > j->push->asked ? j->asked : j->push->asked;
    const struct ppg_route_ask ask = {.key = ppg_inbox_key(j),
                                      .asked = asked,
                                      .demanded = j->target->demanded,
                                      .push = j->push,
                                      .made = &j->made};
    char why[PPG_ROUTE_WHY_N];
    unsigned code, status;

    j->registry = ota_registry_hold(ppg_config_registry(j->owner->config));
    code = ppg_route_fetch(j->owner, j->registry, &ask, &j->route);
    status = code == PAP_CODE_OK && j->opened ? open_object(j) : 0;
    if (code == PAP_CODE_OK && !status && vouch(j))
        status = 503;
    if (status) {
        go_home(j, status);
        return;
    }
    if (code == PAP_CODE_OK) {
        j->wait = (struct ppg_protect_wait){.fn = protect, .arg = j};
        protect(j);
        return;
    }
    ppg_route_why(&j->route, why);
    LOG(j->owner->shared->log, LOG_INFO, "inbox.impossible", LOG_S("push_id", j->push->push_id),
        LOG_A("to", ppg_inbox_key(j)), LOG_I("code", code), LOG_C("why", why));
    (void)snprintf(j->why, sizeof j->why, "%u %s\n", code, why);
    go_home(j, code == PAP_CODE_INTERNAL_ERROR ? 503 : 403);
}

static void loaded(struct store_op *op)
{
    struct ppg_inbox_job *j = op->arg;

    if (op->err) {
        go_home(j, op->err == ERR_ABSENT ? 404 : 503);
        return;
    }
    j->target = j->as.item.target;
    j->push = j->target->push;
    ppg_push_charge(j->push, &j->owner->shared->live_n);
    decide(j);
}

static void arrived(struct ppg_core *owner, struct ppg_errand *e)
{
    struct ppg_inbox_job *j = container_of(e, struct ppg_inbox_job, go);

    j->owner = owner;
    j->as.item = (struct store_item){.key = ppg_inbox_key(j), .id = j->id, .now_ms = ppg_core_utc_ms(owner)};
    j->as.op.kind = STORE_ITEM;
    j->as.op.done = loaded;
    j->as.op.arg = j;
    ppg_core_submit(owner, &j->as.op);
}

void ppg_inbox_fetch(struct ppg_inbox_job *j)
{
    atomic_store(&j->legs, 2);
    j->go.run = arrived;
    j->go.back = go_over;
    ppg_core_errand(j->core, &j->go, ppg_core_owner(j->core, ppg_inbox_key(j)));
}
