/* What comes over MSRP: octets of a stream to messages, those to a receiver, their heads to answers and reports for a sender; paths. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "ota/msrp/frame.h"
#include "ota/msrp/receiver.h"
#include "ota/msrp/sender.h"
#include "ota/msrp/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define MAX_N     4096 /* octets of a message */
#define ANSWERS_N 65536

static enum err chance(void *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)out)[i] = (uint8_t)(0xa0 + i);
    return ERR_OK;
}

static unsigned on_message(const struct ota_msrp_incoming *m, void *arg)
{
    (void)arg;
    if (m->body.n > MAX_N || m->message_id.n == 0 || m->content_type.n == 0)
        abort();
    return m->body.n % 2 ? 200 : 415;
}

static void look(const struct ota_msrp_unit *u, struct ota_msrp_sender *s)
{
    const struct ota_msrp_head *h = u->head;
    struct ota_msrp_uri uri;
    struct buf text;

    if (h->tid.n < OTA_MSRP_TID_MIN_N || h->tid.n > OTA_MSRP_ID_MAX_N || h->to_path.n == 0 ||
        h->from_path.n == 0 ||
        (h->has_range && (h->from == 0 || (h->to != OTA_MSRP_ANY && h->to + 1 < h->from))))
        abort();
    if (!ota_msrp_uri_parse(ota_msrp_first(h->to_path), &uri) && (uri.port == 0 || uri.session.n == 0))
        abort();
    if (!u->begins)
        return;
    buf_init(&text, 2 * OTA_MSRP_HEAD_MAX_N);
    ota_msrp_response_print(h, 200, &text);
    buf_clear(&text);
    (void)ota_msrp_sender_heard(s, h);
    if (s->reported.n > OTA_MSRP_RANGES_MAX)
        abort();
}

static void take(struct ota_msrp_receiver *r, const struct ota_msrp_unit *u)
{
    struct buf answers;

    buf_init(&answers, ANSWERS_N);
    if (ota_msrp_receiver_take(r, u, &answers) || r->parts_n > OTA_MSRP_INCOMING_MAX)
        abort();
    buf_clear(&answers);
}

/* In steps, so that nothing depends on where the stream is cut: the first octet says how long they are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct ota_msrp_outgoing what = {.to_path = SLICE("msrp://a:1/x;tcp"),
                                           .from_path = SLICE("msrp://b:2/y;tcp"),
                                           .message_id = SLICE("m-00041"),
                                           .content_type = SLICE("text/plain"),
                                           .head = SLICE("012345"),
                                           .body = SLICE("6789abcdefghij"),
                                           .chunk_n = 12,
                                           .success = true,
                                           .report_ms = 1000,
                                           .chance = chance};
    const struct ota_msrp_receiver_conf conf = {
        .path = SLICE("msrp://b:2/y;tcp"), .max_n = MAX_N, .message = on_message};
    size_t step = n ? 1 + (size_t)data[0] * 64 : 1;
    struct ota_msrp_frame f;
    struct ota_msrp_sender s;
    struct ota_msrp_receiver r;
    struct ota_msrp_unit u;
    struct buf out;
    enum err e = ERR_AGAIN;

    ota_msrp_frame_init(&f);
    ota_msrp_sender_init(&s, &what);
    ota_msrp_receiver_init(&r, &conf);
    buf_init(&out, 8192);
    while (!ota_msrp_sender_next(&s, 0, &out))
        ;
    for (size_t at = 1; at < n && e == ERR_AGAIN; at += step) {
        e = ota_msrp_frame_feed(&f, slice_sub(slice_of(data, n), at, step));
        while (!e && !(e = ota_msrp_frame_next(&f, &u))) {
            look(&u, &s);
            take(&r, &u);
        }
    }
    ota_msrp_receiver_clear(&r);
    buf_clear(&out);
    ota_msrp_frame_clear(&f);
    return 0;
}
