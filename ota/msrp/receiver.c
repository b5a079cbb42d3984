/* Messages on their way in; see receiver.h. */
#include "ota/msrp/receiver.h"

#include <stdlib.h>

#include "base/mem.h"
#include "ota/msrp/uri.h"

/* A message that is not whole yet. */
struct ota_msrp_part {
    struct list at;
    char id[OTA_MSRP_ID_MAX_N + 1];
    char *type; /* owned */
    struct buf body;
    struct ota_msrp_ranges there;
    uint64_t total; /* OTA_MSRP_ANY: not known */
};

void ota_msrp_receiver_init(struct ota_msrp_receiver *r, const struct ota_msrp_receiver_conf *conf)
{
    *r = (struct ota_msrp_receiver){.conf = *conf};
    list_init(&r->parts);
}

static struct ota_msrp_part *part_at(struct list *at)
{
    return container_of(at, struct ota_msrp_part, at);
}

static void part_free(struct ota_msrp_receiver *r, struct ota_msrp_part *p)
{
    list_remove(&p->at);
    r->parts_n--;
    if (r->part == p)
        r->part = NULL;
    buf_clear(&p->body);
    free(p->type);
    free(p);
}

void ota_msrp_receiver_clear(struct ota_msrp_receiver *r)
{
    while (!list_empty(&r->parts))
        part_free(r, part_at(r->parts.next));
}

static struct ota_msrp_part *part_find(struct ota_msrp_receiver *r, struct slice id)
{
    LIST_EACH (at, &r->parts)
        if (slice_eq(slice_str(part_at(at)->id), id))
            return part_at(at);
    return NULL;
}

static struct ota_msrp_part *part_new(struct ota_msrp_receiver *r, const struct ota_msrp_head *h)
{
    struct ota_msrp_part *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->type = mem_dup(h->content_type);
    if (!p->type || mem_cstr(p->id, sizeof p->id, h->message_id)) {
        free(p->type);
        free(p);
        return NULL;
    }
    if (r->parts_n == OTA_MSRP_INCOMING_MAX)
        part_free(r, part_at(r->parts.next));
    buf_init(&p->body, r->conf.max_n);
    p->total = OTA_MSRP_ANY;
    list_push_back(&r->parts, &p->at);
    r->parts_n++;
    return p;
}

static bool known(uint64_t n)
{
    return n != OTA_MSRP_ANY;
}

/* A chunk begins: whether it is taken. */
static unsigned begin(struct ota_msrp_receiver *r, const struct ota_msrp_unit *u)
{
    const struct ota_msrp_head *h = u->head;

    r->part = NULL;
    r->at = h->has_range ? h->from : 1;
    if (!ota_msrp_uri_same(ota_msrp_first(h->to_path), r->conf.path))
        return 481;
    if (h->kind == OTA_MSRP_OTHER)
        return 501;
    if (!u->has_body) { /* it only says that it lives, or gives up */
        r->part = u->flag == '#' ? part_find(r, h->message_id) : NULL;
        return 200;
    }
    if (h->message_id.n == 0 || h->content_type.n == 0)
        return 400;
    if (r->at - 1 > r->conf.max_n || (known(h->total) && h->has_range && h->total > r->conf.max_n) ||
        (known(h->to) && h->has_range && h->to > r->conf.max_n))
        return 413;
    r->part = part_find(r, h->message_id);
    if (!r->part)
        r->part = part_new(r, h);
    if (!r->part)
        return 413;
    if (known(h->total) && h->has_range)
        r->part->total = h->total;
    return 200;
}

/* Later octets win where they overlap. */
static enum err put(struct ota_msrp_part *p, uint64_t at, struct slice piece)
{
    size_t from = (size_t)(at - 1), need = from + piece.n;
    size_t more = need > p->body.n ? need - p->body.n : 0;

    if (more) {
        char *room = buf_room(&p->body, more);

        if (!room)
            return buf_err(&p->body);
        mem_wipe(room, more);
        buf_commit(&p->body, more);
    }
    if (piece.n)
        mem_copy(p->body.p + from, p->body.n - from, piece);
    return ota_msrp_ranges_add(&p->there, at, at + piece.n - 1);
}

static unsigned add(struct ota_msrp_receiver *r, const struct ota_msrp_unit *u)
{
    if (!r->part || !u->has_body)
        return r->status;
    if (u->body.n > r->conf.max_n - (size_t)(r->at - 1) || put(r->part, r->at, u->body)) {
        part_free(r, r->part);
        return 413;
    }
    r->at += u->body.n;
    return 200;
}

/* Is it whole with this chunk?  Then the user has it. */
static unsigned conclude(struct ota_msrp_receiver *r, const struct ota_msrp_unit *u, uint64_t *total)
{
    struct ota_msrp_part *p = r->part;
    struct ota_msrp_incoming m;
    unsigned status;

    if (u->flag == '$' && !known(p->total))
        p->total = r->at - 1;
    if (!known(p->total) || !ota_msrp_ranges_whole(&p->there, p->total))
        return 200;
    m = (struct ota_msrp_incoming){slice_str(p->id), slice_str(p->type),
                                   slice_sub(buf_slice(&p->body), 0, (size_t)p->total)};
    status = r->conf.message(&m, r->conf.arg);
    if (status == 200)
        *total = p->total;
    part_free(r, p);
    return status;
}

/* The transaction of a report is nobody's business but its end-line's: that of the chunk will do. */
static void print_report(const struct ota_msrp_head *h, struct slice path, uint64_t total, struct buf *out)
{
    buf_add(out, SLICE("MSRP "));
    buf_add(out, h->tid);
    buf_add(out, SLICE(" REPORT\r\nTo-Path: "));
    buf_add(out, h->from_path);
    buf_add(out, SLICE("\r\nFrom-Path: "));
    buf_add(out, path);
    buf_add(out, SLICE("\r\nMessage-ID: "));
    buf_add(out, h->message_id);
    buf_addf(out, "\r\nByte-Range: 1-%llu/%llu\r\nStatus: 000 200 OK\r\n", (unsigned long long)total,
             (unsigned long long)total);
    ota_msrp_end_print(h->tid, '$', out);
}

static void answer(const struct ota_msrp_head *h, unsigned status, struct buf *out)
{
    bool wanted = h->failure_report == OTA_MSRP_FAILURE_YES ||
                  (h->failure_report == OTA_MSRP_FAILURE_PARTIAL && status != 200);

    if (wanted)
        ota_msrp_response_print(h, status, out);
}

enum err ota_msrp_receiver_take(struct ota_msrp_receiver *r, const struct ota_msrp_unit *u, struct buf *out)
{
    const struct ota_msrp_head *h = u->head;
    uint64_t total = OTA_MSRP_ANY;

    if (h->kind == OTA_MSRP_RESPONSE || h->kind == OTA_MSRP_REPORT) /* neither is answered (§7.2) */
        return ERR_OK;
    if (u->begins)
        r->status = begin(r, u);
    if (r->status == 200)
        r->status = add(r, u);
    if (u->flag == '#' && r->part)
        part_free(r, r->part);
    else if (u->flag && r->status == 200 && r->part)
        r->status = conclude(r, u, &total);
    if (u->flag)
        answer(h, r->status, out);
    if (u->flag && known(total) && h->success_report)
        print_report(h, r->conf.path, total, out);
    return buf_err(out);
}
