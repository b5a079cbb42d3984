/* Requests of terminals that fetch: the list, at once or later, and the end of an item; see inbox.h.  RFC 9110.  The
 * core's loop; a job's memory may go on another. */
#include "ppg/doors/inbox.h"

#include <stdlib.h>
#include "base/codec.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"
#include "pap/time.h"
#include "ppg/doors/authmd5.h"
#include "ppg/doors/inbox_job.h"
#include "ppg/doors/inbox_who.h"
#include "ppg/item.h"
#include "ppg/keys/keyask.h"
#include "ppg/schedule.h"
#include "ppg/doors/waits.h"
#include "security/policy.h"

#define LIST_MAX_N    ((size_t)1 << 20) /* octets of one answer */
#define HEADERS_MAX_N 16384u
#define RETRY_S       "5"

struct ppg_inbox {
    struct ppg_core *core;
    struct list waits; /* struct ppg_inbox_job */
    size_t open;
    struct buf headers;
    struct buf text;
};

/* --- answers --- */

void ppg_inbox_job_free(struct ppg_inbox_job *j)
{
    if (j->push)
        ppg_push_drop(j->push);
    ota_registry_drop(&j->registry);
    buf_clear(&j->message.head);
    buf_clear(&j->message.sealed);
    buf_clear(&j->made);
    buf_wipe(&j->plain);
    free(j);
}

void ppg_inbox_answer(struct ppg_inbox_job *j, unsigned status, struct slice type, struct slice headers,
                      struct slice body)
{
    struct buf lines;

    buf_init(&lines, headers.n + PPG_AUTHMD5_NEXT_N);
    ppg_authmd5_next(j->core, j->x, &lines);
    if (lines.n) {
        buf_add(&lines, headers);
        headers = buf_err(&lines) ? headers : buf_slice(&lines);
    }
    net_httpd_reply(j->x, status, type, headers, body);
    buf_clear(&lines);
    j->x = NULL;
    j->core->inbox->open--;
    if (atomic_load(&j->legs) == 0)
        ppg_inbox_job_free(j);
}

static void answer_status(struct ppg_inbox_job *j, unsigned status)
{
    ppg_inbox_answer(j, status, SLICE_NONE,
                     status == 503 ? SLICE("Retry-After: " RETRY_S "\r\n") : SLICE_NONE, SLICE_NONE);
}

/* --- the list --- */

static void add_time(struct buf *out, const char *name, int64_t utc_ms)
{
    buf_addf(out, ",\"%s\":\"", name);
    if (pap_time_print(utc_ms / 1000, out))
        buf_add_ch(out, '?');
    buf_add_ch(out, '"');
}

/* No more than a sealed message shows on its outside: what it is for and how large. */
static void add_item(const struct ppg_core *c, const struct store_inbox_item *i, struct buf *out)
{
    static const char *const priorities[] = {"high", "medium", "low"};
    char id[PPG_ITEM_ID_N];

    ppg_item_print(store_name(c->shared->store), i->id, id);
    buf_addf(out, "{\"id\":\"%s\",\"octets\":%llu,\"priority\":\"%s\",\"application\":", id,
             (unsigned long long)i->body_n, priorities[i->priority < 3 ? i->priority : 1]);
    codec_json(out, i->app_id);
    add_time(out, "accepted", i->accepted_ms);
    add_time(out, "expires", i->expires_ms);
    buf_add_ch(out, '}');
}

static void answer_list(struct ppg_inbox_job *j, const struct store_inbox *list)
{
    struct ppg_inbox *inbox = j->core->inbox;
    struct buf *out = &inbox->text;

    buf_reset(out, HEADERS_MAX_N);
    buf_add_str(out, "{\"items\":[");
    for (size_t i = 0; list && i < list->items_n; i++) {
        buf_add_str(out, i ? "," : "");
        add_item(j->core, &list->items[i], out);
    }
    buf_addf(out, "],\"more\":%s}\n", list && list->more ? "true" : "false");
    if (buf_err(out))
        answer_status(j, 503);
    else
        ppg_inbox_answer(j, 200, SLICE("application/json"), SLICE("Cache-Control: no-store\r\n"),
                         buf_slice(out));
}

/* --- waiting --- */

static void count_less(struct ppg_inbox_job *j)
{
    if (j->counted)
        ppg_waits_end(j->core->shared->waits, ppg_inbox_key(j));
    j->counted = false;
}

/* 0, or the status to refuse with. */
static unsigned count_more(struct ppg_inbox_job *j)
{
    const struct ppg_settings *set = ppg_core_settings(j->core);
    enum err e = ppg_waits_begin(j->core->shared->waits, ppg_inbox_key(j), set->inbox.waits_per_terminal_max,
                                 set->inbox.waits_max);

    if (e)
        return e == ERR_LIMIT ? 429 /* RFC 6585 §4 */ : 503;
    j->counted = true;
    LOG(j->core->shared->log, LOG_DEBUG, "inbox.wait", LOG_A("terminal", ppg_inbox_key(j)),
        LOG_I("until_ms", j->until_ms));
    return 0;
}

/* The request waits until something comes, or not any longer. */
static void wait_or_answer(struct ppg_inbox_job *j, const struct store_inbox *list)
{
    struct ppg_core *c = j->core;
    bool same = j->generation == ppg_config_generation(c->config);

    if (same && !list->items_n && ppg_core_mono_ms(c) < j->until_ms && !atomic_load(&c->shared->draining)) {
        list_push_back(&c->inbox->waits, &j->at);
        return;
    }
    count_less(j);
    answer_list(j, same ? list : NULL);
}

static void listed(struct store_op *op)
{
    struct ppg_inbox_job *j = op->arg;
    struct store_inbox list = j->as.list;

    if (op->err) {
        count_less(j);
        answer_status(j, 503);
        return;
    }
    wait_or_answer(j, &list);
    arena_clear(&list.mem);
}

static void ask_store(struct ppg_inbox_job *j)
{
    struct ppg_core *c = j->core;

    j->bell = atomic_load(ppg_shared_bell(c->shared, ppg_inbox_key(j)));
    j->as.list = (struct store_inbox){
        .key = ppg_inbox_key(j), .after_id = j->after_id, .now_ms = ppg_core_utc_ms(c), .max = j->max};
    j->as.op.kind = STORE_INBOX;
    j->as.op.done = listed;
    j->as.op.arg = j;
    ppg_core_submit(c, &j->as.op);
}

static void list_items(struct ppg_inbox_job *j, const struct ppg_item_target *t)
{
    struct ppg_core *c = j->core;
    const struct ppg_settings *set = ppg_core_settings(c);
    unsigned status = 0;

    if (t->after.n && ppg_item_parse(t->after, store_name(c->shared->store), &j->after_id)) {
        answer_status(j, 400);
        return;
    }
    j->max = t->max ? num_min((size_t)t->max, set->inbox.items_max) : set->inbox.items_max;
    j->until_ms = ppg_core_mono_ms(c) + num_min64(t->wait_s * 1000, set->inbox.wait_max_ms);
    if (t->wait_s)
        status = count_more(j);
    if (status)
        ppg_inbox_answer(j, status, SLICE_NONE, SLICE("Retry-After: " RETRY_S "\r\n"), SLICE_NONE);
    else
        ask_store(j);
}

void ppg_inbox_tick(struct ppg_inbox *inbox)
{
    struct ppg_core *c = inbox->core;
    int64_t now = ppg_core_mono_ms(c);

    LIST_EACH_SAFE (at, &inbox->waits) {
        struct ppg_inbox_job *j = container_of(at, struct ppg_inbox_job, at);
        bool over = now >= j->until_ms || atomic_load(&c->shared->draining) || net_http_exchange_gone(j->x) ||
                    j->generation != ppg_config_generation(c->config); /* who may fetch is asked anew */

        if (!over && atomic_load(ppg_shared_bell(c->shared, ppg_inbox_key(j))) == j->bell)
            continue;
        list_remove(&j->at);
        if (!over) {
            ask_store(j);
            continue;
        }
        count_less(j);
        answer_list(j, NULL);
    }
}

/* --- the end of an item --- */

static void acknowledged(struct store_op *op)
{
    struct ppg_inbox_job *j = op->arg;
    struct ppg_shared *shared = j->core->shared;

    if (op->err && op->err != ERR_ABSENT && op->err != ERR_LATE) {
        answer_status(j, 503);
        return;
    }
    if (op->err) {
        answer_status(j, 404);
        return;
    }
    if (j->push->notify_url.n)
        ppg_shared_due(&shared->next_notice_ms, j->as.finish.event_ms);
    LOG(shared->log, LOG_INFO, "target.final", LOG_S("push_id", j->push->push_id),
        LOG_S("initiator", j->push->initiator), LOG_A("to", ppg_inbox_key(j)),
        LOG_C("stage", ppg_stage_name(ST_DELIVERED)), LOG_I("code", PAP_CODE_OK),
        LOG_I("tries", j->target->tries));
    ppg_stats_final(&j->core->stats, j->push, ST_DELIVERED, j->as.finish.event_ms);
    answer_status(j, 204);
}

static void finish(struct ppg_inbox_job *j)
{
    const struct ppg_target *t = j->target;

    j->as.finish = (struct store_finish){
        .target_id = t->id,
        .push_id = j->push->id,
        .initiator = j->push->initiator,
        .group_id = t->group_id,
        .stage = ST_DELIVERED,
        .code = PAP_CODE_OK,
        .tries = (uint16_t)(t->tries + 1),
        .event_ms = ppg_core_utc_ms(j->core),
        .key = ppg_inbox_key(j),
        .notify = j->push->notify_url.n > 0,
        .record = {.bearer = SLICE("inbox"),
                   .note = SLICE("fetched and acknowledged"),
                   .began_ms = ppg_core_utc_ms(j->core),
                   .wire_n = j->push->body.n},
    };
    j->as.op.kind = STORE_FINISH;
    j->as.op.done = acknowledged;
    j->as.op.arg = j;
    ppg_core_submit(j->core, &j->as.op);
}

static void found(struct store_op *op)
{
    struct ppg_inbox_job *j = op->arg;

    if (op->err) {
        answer_status(j, op->err == ERR_ABSENT ? 404 : 503);
        return;
    }
    j->target = j->as.item.target;
    j->push = j->target->push;
    finish(j);
}

static void end_item(struct ppg_inbox_job *j)
{
    j->as.item =
        (struct store_item){.key = ppg_inbox_key(j), .id = j->id, .now_ms = ppg_core_utc_ms(j->core)};
    j->as.op.kind = STORE_ITEM;
    j->as.op.done = found;
    j->as.op.arg = j;
    ppg_core_submit(j->core, &j->as.op);
}

/* --- requests --- */

static struct ppg_inbox_job *job_new(struct ppg_core *c, struct net_http_exchange *x,
                                     const struct ota_terminal *t)
{
    struct ppg_inbox_job *j = calloc(1, sizeof *j + t->key.n);

    if (!j)
        return NULL;
    j->core = c;
    j->x = x;
    list_init(&j->at);
    atomic_init(&j->legs, 0);
    buf_init(&j->message.head, HEADERS_MAX_N * 4);
    buf_init(&j->message.sealed, SIZE_MAX / 2);
    buf_init(&j->made, PPG_CONTENT_MADE_MAX_N);
    buf_init(&j->plain, SEC_XML_CONTENT_MAX_N);
    j->generation = ppg_config_generation(c->config);
    j->key_n = t->key.n;
    mem_copy(j->key, t->key.n, t->key);
    c->inbox->open++;
    return j;
}

/* X-Push-Protection, as in a submission. */
static bool take_asked(struct ppg_inbox_job *j, const struct net_http_msg *m)
{
    size_t n;
    struct slice value = net_http_header(m, SLICE("X-Push-Protection"), &n);
    enum sec_level level = SEC_LEVEL_NONE;

    if (n > 1 || (n && sec_level_parse(value, &level)))
        return false;
    j->asked = (uint8_t)level;
    return true;
}

/* X-Push-Object: encrypted, as it was submitted, or decrypted, which is never given with less than full protection. */
static bool take_form(struct ppg_inbox_job *j, const struct net_http_msg *m)
{
    size_t n;
    struct slice value = net_http_header(m, SLICE(PPG_INBOX_OBJECT), &n);

    j->opened = n == 1 && slice_eq_ci(value, SLICE("decrypted"));
    if (j->opened)
        j->asked = SEC_LEVEL_FULL;
    return n == 0 || j->opened || (n == 1 && slice_eq_ci(value, SLICE("encrypted")));
}

static void item_request(struct ppg_inbox_job *j, const struct net_http_msg *m, struct slice item)
{
    if (ppg_item_parse(item, store_name(j->core->shared->store), &j->id))
        answer_status(j, 404);
    else if (slice_eq(m->method, SLICE("DELETE")))
        end_item(j);
    else if (!take_asked(j, m) || !take_form(j, m))
        answer_status(j, 400);
    else
        ppg_inbox_fetch(j);
}

static bool method_fits(const struct net_http_msg *m, bool item)
{
    return slice_eq(m->method, SLICE("GET")) || (item && slice_eq(m->method, SLICE("DELETE")));
}

/* 0: go on; without a terminal, when the key it wants has been asked for. */
static unsigned look(struct ppg_core *c, struct net_http_exchange *x, struct ppg_item_target *target,
                     const struct ota_terminal **t, struct buf *headers, struct sec_naf_want *want)
{
    const struct net_http_msg *m = net_http_exchange_msg(x);
    unsigned status;
    enum err e;

    if (atomic_load(&c->shared->draining) || store_full(c->shared->store) || !ppg_shared_room(c->shared)) {
        buf_add_str(headers, "Retry-After: " RETRY_S "\r\n");
        return 503;
    }
    status = ppg_inbox_who(c, x, ppg_config_registry(c->config), t, headers, want);
    if (status || !*t)
        return status;
    e = ppg_item_target_parse(m->target, target);
    if (e)
        return e == ERR_ABSENT ? 404 : 400;
    if (method_fits(m, target->item.n != 0))
        return 0;
    buf_add_str(headers, target->item.n ? "Allow: GET, DELETE\r\n" : "Allow: GET\r\n");
    return 405;
}

void ppg_inbox_request(struct net_http_exchange *x, void *arg)
{
    struct ppg_core *c = arg;
    struct buf *headers = &c->inbox->headers;
    const struct ota_terminal *t = NULL;
    struct ppg_item_target target;
    struct sec_naf_want want;
    struct ppg_inbox_job *j;
    unsigned status;

    buf_reset(headers, HEADERS_MAX_N);
    status = look(c, x, &target, &t, headers, &want);
    if (!status && !t) {
        ppg_keyask_park(c, x, &want, ppg_inbox_request);
        return;
    }
    j = status ? NULL : job_new(c, x, t);
    if (!j)
        ppg_authmd5_next(c, x, headers);
    if (!j)
        net_httpd_reply(x, status ? status : 503, SLICE_NONE, buf_slice(headers), SLICE_NONE);
    else if (target.item.n)
        item_request(j, net_http_exchange_msg(x), target.item);
    else
        list_items(j, &target);
}

/* --- life --- */

enum err ppg_inbox_create(struct ppg_core *c, struct ppg_inbox **out)
{
    struct ppg_inbox *i = calloc(1, sizeof *i);

    if (!i)
        return ERR_NOMEM;
    i->core = c;
    list_init(&i->waits);
    buf_init(&i->headers, HEADERS_MAX_N);
    buf_init(&i->text, LIST_MAX_N);
    *out = i;
    return ERR_OK;
}

void ppg_inbox_free(struct ppg_inbox **ip)
{
    struct ppg_inbox *i = *ip;

    if (!i)
        return;
    MUST(i->open == 0);
    buf_clear(&i->headers);
    buf_clear(&i->text);
    free(i);
    *ip = NULL;
}

size_t ppg_inbox_open(const struct ppg_inbox *i)
{
    return i->open;
}
