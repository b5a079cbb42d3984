/* One message on its way out; see sender.h. */
#include "ota/msrp/sender.h"

#include "base/codec.h"
#include "base/mem.h"

#define TID_TRIES 8

void ota_msrp_sender_init(struct ota_msrp_sender *s, const struct ota_msrp_outgoing *what)
{
    *s = (struct ota_msrp_sender){.what = *what, .total_n = what->head.n + what->body.n};
}

/* An id that does not stand in the chunk behind hyphens, where it would end it (§7.1). */
static enum err fresh_tid(const struct ota_msrp_sender *s, struct slice chunk, char tid[OTA_MSRP_TID_N])
{
    uint8_t octets[OTA_MSRP_TID_N / 2];
    struct buf text;
    enum err e = ERR_MALFORMED;

    buf_init(&text, OTA_MSRP_TID_N);
    for (size_t i = 0; i < TID_TRIES && e == ERR_MALFORMED; i++) {
        enum err why = s->what.chance(octets, sizeof octets);

        buf_reset(&text, OTA_MSRP_TID_N);
        codec_hex(&text, slice_of(octets, sizeof octets));
        if (why || buf_err(&text))
            e = why ? why : buf_err(&text);
        else if (slice_find_slice(chunk, buf_slice(&text)) == SIZE_MAX)
            e = ERR_OK;
    }
    if (!e)
        mem_copy(tid, OTA_MSRP_TID_N, buf_slice(&text));
    buf_clear(&text);
    return e;
}

static void line(struct buf *out, const char *name, struct slice value)
{
    buf_add_str(out, name);
    buf_add(out, SLICE(": "));
    buf_add(out, value);
    buf_add(out, SLICE("\r\n"));
}

/* All chunks of a message have the same of these (§7.1). */
static void print_head(const struct ota_msrp_sender *s, struct slice tid, size_t n, struct buf *out)
{
    const struct ota_msrp_outgoing *w = &s->what;

    buf_add(out, SLICE("MSRP "));
    buf_add(out, tid);
    buf_add(out, SLICE(" SEND\r\n"));
    line(out, "To-Path", w->to_path);
    line(out, "From-Path", w->from_path);
    line(out, "Message-ID", w->message_id);
    buf_addf(out, "Byte-Range: %zu-%zu/%zu\r\n", s->sent_n + 1, s->sent_n + n, s->total_n);
    line(out, "Success-Report", w->success ? SLICE("yes") : SLICE("no"));
    line(out, "Failure-Report", SLICE("yes"));
}

static void print_chunk(const struct ota_msrp_sender *s, struct slice tid, struct slice chunk, bool last,
                        struct buf *out)
{
    print_head(s, tid, chunk.n, out);
    line(out, "Content-Type", s->what.content_type);
    buf_add(out, SLICE("\r\n"));
    buf_add(out, chunk);
    buf_add(out, SLICE("\r\n"));
    ota_msrp_end_print(tid, last ? '$' : '+', out);
}

/* Where it can be, the chunk stays where it is. */
static struct slice chunk_next(struct ota_msrp_sender *s)
{
    const struct ota_msrp_outgoing *w = &s->what;
    struct slice head = slice_sub(w->head, s->sent_n, w->chunk_n), body;

    if (s->sent_n >= w->head.n)
        return slice_sub(w->body, s->sent_n - w->head.n, w->chunk_n);
    if (head.n == w->chunk_n || w->body.n == 0)
        return head;
    body = slice_sub(w->body, 0, w->chunk_n - head.n);
    mem_copy(s->seam, sizeof s->seam, head);
    mem_copy(s->seam + head.n, sizeof s->seam - head.n, body);
    return slice_of(s->seam, head.n + body.n);
}

enum err ota_msrp_sender_next(struct ota_msrp_sender *s, int64_t now_ms, struct buf *out)
{
    struct slice chunk = chunk_next(s);
    struct ota_msrp_waiting *w = &s->waiting[s->waiting_n];
    enum err e;

    if (s->all_sent || s->end != OTA_MSRP_GOING || s->waiting_n == OTA_MSRP_WINDOW)
        return ERR_ABSENT;
    e = fresh_tid(s, chunk, w->tid);
    if (e)
        return e;
    print_chunk(s, slice_of(w->tid, OTA_MSRP_TID_N), chunk, s->sent_n + chunk.n == s->total_n, out);
    if (buf_err(out))
        return buf_err(out);
    w->late_ms = now_ms + OTA_MSRP_RESPONSE_MS;
    s->waiting_n++;
    s->chunks_n++;
    s->sent_n += chunk.n;
    s->all_sent = s->sent_n == s->total_n;
    if (s->all_sent)
        s->report_late_ms = now_ms + s->what.report_ms;
    return ERR_OK;
}

enum err ota_msrp_sender_abort(struct ota_msrp_sender *s, struct buf *out)
{
    char tid[OTA_MSRP_TID_N];
    enum err e;

    if (s->all_sent || s->chunks_n == 0)
        return ERR_OK;
    e = fresh_tid(s, SLICE_NONE, tid);
    if (e)
        return e;
    print_head(s, slice_of(tid, sizeof tid), 0, out);
    ota_msrp_end_print(slice_of(tid, sizeof tid), '#', out);
    s->all_sent = true;
    return buf_err(out);
}

/* A report is the far end's own word: who says that it has all has all, whatever a hop has not answered (§7.1.2). */
static void settle(struct ota_msrp_sender *s)
{
    if (s->end != OTA_MSRP_GOING || !s->all_sent)
        return;
    if (s->what.success && ota_msrp_ranges_whole(&s->reported, s->total_n))
        s->end = OTA_MSRP_REPORTED;
    else if (!s->what.success && s->waiting_n == 0)
        s->end = OTA_MSRP_SENT;
}

static void refused(struct ota_msrp_sender *s, unsigned status)
{
    s->end = OTA_MSRP_REFUSED;
    s->status = status;
}

static bool answered(struct ota_msrp_sender *s, const struct ota_msrp_head *h)
{
    for (size_t i = 0; i < s->waiting_n; i++) {
        if (!slice_eq(h->tid, slice_of(s->waiting[i].tid, OTA_MSRP_TID_N)))
            continue;
        for (size_t k = i + 1; k < s->waiting_n; k++) /* the oldest stays the first */
            s->waiting[k - 1] = s->waiting[k];
        s->waiting_n--;
        if (h->status / 100 != 2)
            refused(s, h->status);
        else
            settle(s);
        return true;
    }
    return false;
}

/* Reports may cover any part, in any order; they are gathered until all is covered (§7.1.2).  One without a range is of all. */
static bool reported(struct ota_msrp_sender *s, const struct ota_msrp_head *h)
{
    uint64_t from = h->has_range ? h->from : 1, to = h->has_range ? h->to : s->total_n;

    if (!slice_eq(h->message_id, s->what.message_id) || h->report_status == 0)
        return false;
    if (h->report_status != 200)
        refused(s, h->report_status);
    else if (from <= s->sent_n && !ota_msrp_ranges_add(&s->reported, from, to < s->sent_n ? to : s->sent_n))
        settle(s);
    return true;
}

bool ota_msrp_sender_heard(struct ota_msrp_sender *s, const struct ota_msrp_head *h)
{
    if (s->end != OTA_MSRP_GOING)
        return false;
    if (h->kind == OTA_MSRP_RESPONSE)
        return answered(s, h);
    return h->kind == OTA_MSRP_REPORT && reported(s, h);
}

void ota_msrp_sender_tick(struct ota_msrp_sender *s, int64_t now_ms)
{
    if (s->end != OTA_MSRP_GOING)
        return;
    if (s->waiting_n && s->waiting[0].late_ms <= now_ms)
        s->end = OTA_MSRP_SILENT;
    else if (s->waiting_n == 0 && s->report_late_ms && s->report_late_ms <= now_ms)
        s->end = OTA_MSRP_UNREPORTED;
}

int64_t ota_msrp_sender_wait_ms(const struct ota_msrp_sender *s, int64_t now_ms)
{
    int64_t at = s->waiting_n ? s->waiting[0].late_ms : s->report_late_ms;

    if (s->end != OTA_MSRP_GOING || at == 0)
        return -1;
    return at > now_ms ? at - now_ms : 0;
}
