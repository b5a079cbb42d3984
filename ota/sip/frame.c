/* Messages out of octets; see frame.h.  RFC 3261 §7.5, §18.3. */
#include "ota/sip/frame.h"

#define MESSAGE_MAX_N (OTA_SIP_HEAD_MAX_N + OTA_SIP_BODY_MAX_N)
#define FEED_MAX_N    ((size_t)64 << 10) /* one read of a stream: what may follow a message */
#define KEEP_N        4096               /* octets of memory that a quiet connection keeps */

void ota_sip_frame_init(struct ota_sip_frame *f)
{
    buf_init(&f->in, MESSAGE_MAX_N + FEED_MAX_N);
    buf_init(&f->text, 2 * OTA_SIP_HEAD_MAX_N);
    f->taken_n = 0;
    f->need_n = 0;
    f->seen_n = 0;
    f->err = ERR_OK;
}

void ota_sip_frame_clear(struct ota_sip_frame *f)
{
    buf_clear(&f->in);
    buf_clear(&f->text);
}

enum err ota_sip_frame_feed(struct ota_sip_frame *f, struct slice in)
{
    buf_add(&f->in, in);
    return buf_err(&f->in);
}

/* NUL behind the text: the parser is given a string.  The octet is not part of the buffer. */
static enum err close_text(struct buf *text)
{
    char *end = buf_room(text, 1);

    if (!end)
        return buf_err(text);
    *end = '\0';
    return ERR_OK;
}

static void forget_taken(struct ota_sip_frame *f)
{
    if (f->taken_n == f->in.n)
        buf_reset(&f->in, KEEP_N);
    else
        buf_drop(&f->in, f->taken_n);
    f->taken_n = 0;
    buf_reset(&f->text, KEEP_N);
}

/* Line ends before a message (§7.5).  True: a ping. */
static bool skip_line_ends(struct ota_sip_frame *f)
{
    struct slice in = buf_slice(&f->in);

    if (slice_starts(in, SLICE("\r\n\r\n"))) {
        f->taken_n = 4;
        return true;
    }
    if (in.n > 3 || (in.n == 3 && in.p[2] != '\r'))
        if (slice_starts(in, SLICE("\r\n")))
            buf_drop(&f->in, 2);
    return false;
}

/* Looks at each octet once, however slowly they come. */
static bool head_ends(struct ota_sip_frame *f)
{
    struct slice in = buf_slice(&f->in);

    if (in.n >= OTA_SIP_HEAD_MAX_N ||
        slice_find_slice(slice_sub(in, f->seen_n, SIZE_MAX), SLICE("\r\n\r\n")) != SIZE_MAX)
        return true;
    f->seen_n = in.n > 3 ? in.n - 3 : 0;
    return false;
}

static enum err read_message(struct ota_sip_frame *f, struct ota_sip_unit *out)
{
    struct slice in = buf_slice(&f->in);
    struct ota_sip_head head;
    enum err e;

    if (in.n < f->need_n || !head_ends(f))
        return ERR_AGAIN;
    e = ota_sip_head_read(in, OTA_SIP_BODY_MAX_N, &head, &f->text);
    if (!e && !head.has_length)
        e = ERR_MALFORMED;
    if (!e && in.n - head.wire_n < head.length) {
        f->need_n = head.wire_n + head.length;
        e = ERR_AGAIN;
    }
    if (!e)
        e = close_text(&f->text);
    if (e)
        return e;
    f->need_n = 0;
    f->seen_n = 0;
    f->taken_n = head.wire_n + head.length;
    *out = (struct ota_sip_unit){
        .head = buf_slice(&f->text), .body = slice_sub(in, head.wire_n, head.length), .wire_n = f->taken_n};
    return ERR_OK;
}

enum err ota_sip_frame_next(struct ota_sip_frame *f, struct ota_sip_unit *out)
{
    if (f->err)
        return f->err;
    forget_taken(f);
    if (skip_line_ends(f)) {
        *out = (struct ota_sip_unit){.ping = true, .wire_n = 4};
        return ERR_OK;
    }
    f->err = read_message(f, out);
    if (f->err == ERR_AGAIN) {
        f->err = ERR_OK;
        return ERR_AGAIN;
    }
    return f->err;
}

enum err ota_sip_datagram_read(struct slice datagram, struct buf *text, struct ota_sip_unit *out)
{
    struct slice in = datagram;
    struct ota_sip_head head;
    enum err e;

    while (in.n && (in.p[0] == '\r' || in.p[0] == '\n' || in.p[0] == '\0'))
        in = slice_sub(in, 1, SIZE_MAX);
    if (in.n == 0)
        return ERR_ABSENT;
    e = ota_sip_head_read(in, OTA_SIP_BODY_MAX_N, &head, text);
    if (e == ERR_AGAIN || (!e && head.has_length && head.length > in.n - head.wire_n))
        e = ERR_MALFORMED;
    if (!e && in.n - head.wire_n > OTA_SIP_BODY_MAX_N)
        e = ERR_LIMIT;
    if (!e)
        e = close_text(text);
    if (e)
        return e;
    *out = (struct ota_sip_unit){.head = buf_slice(text),
                                 .body = slice_sub(in, head.wire_n, head.has_length ? head.length : SIZE_MAX),
                                 .wire_n = datagram.n};
    return ERR_OK;
}
