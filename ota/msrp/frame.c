/* MSRP messages out of a stream; see frame.h. */
#include "ota/msrp/frame.h"

#define READ_N    ((size_t)64 << 10)
#define HYPHENS   7
#define END_MAX_N (2 + HYPHENS + OTA_MSRP_ID_MAX_N + 3) /* CRLF, end-line */

void ota_msrp_frame_init(struct ota_msrp_frame *f)
{
    *f = (struct ota_msrp_frame){.err = ERR_OK};
    buf_init(&f->in, READ_N + OTA_MSRP_HEAD_MAX_N + OTA_MSRP_PIECE_N + END_MAX_N);
    buf_init(&f->text, OTA_MSRP_HEAD_MAX_N);
}

void ota_msrp_frame_clear(struct ota_msrp_frame *f)
{
    buf_clear(&f->in);
    buf_clear(&f->text);
    f->in_body = false;
    f->taken_n = f->seen_n = 0;
}

static void drop_taken(struct ota_msrp_frame *f)
{
    buf_drop(&f->in, f->taken_n);
    f->taken_n = 0;
}

enum err ota_msrp_frame_feed(struct ota_msrp_frame *f, struct slice in)
{
    drop_taken(f);
    buf_add(&f->in, in);
    if (!f->err)
        f->err = buf_err(&f->in);
    return f->err;
}

/* Is this, up to its CRLF, the end-line of the transaction?  Its flag, or 0. */
static char end_flag(struct slice line, struct slice tid)
{
    char flag;

    if (line.n != HYPHENS + tid.n + 1 || !slice_starts(line, SLICE("-------")) ||
        !slice_eq(slice_sub(line, HYPHENS, tid.n), tid))
        return 0;
    flag = line.p[line.n - 1];
    return flag == '$' || flag == '+' || flag == '#' ? flag : 0;
}

/* What stands between the first and the second space: the transaction id of a start line. */
static struct slice tid_of(struct slice start)
{
    struct slice rest, tid;

    if (!slice_cut(start, ' ', &tid, &rest))
        return SLICE_NONE;
    (void)slice_cut(rest, ' ', &tid, &rest);
    return tid;
}

/* The head ends with an empty line, where a body follows, or with the end-line.  *n: its octets; *skip: of what ends it. */
static enum err head_end(struct slice in, size_t *n, size_t *skip, char *flag)
{
    struct slice tid = SLICE_NONE;
    size_t at = 0;

    for (;;) {
        struct slice rest = slice_sub(in, at, SIZE_MAX), line;
        size_t end = slice_find_slice(rest, SLICE("\r\n"));

        if (end == SIZE_MAX || at + end > OTA_MSRP_HEAD_MAX_N)
            return in.n > OTA_MSRP_HEAD_MAX_N ? ERR_LIMIT : ERR_AGAIN;
        line = slice_sub(rest, 0, end);
        if (at == 0)
            tid = tid_of(line);
        *flag = at ? end_flag(line, tid) : 0;
        *n = at;
        *skip = end + 2;
        if (*flag || (end == 0 && at))
            return ERR_OK;
        if (end == 0)
            return ERR_MALFORMED;
        at += end + 2;
    }
}

static enum err take_head(struct ota_msrp_frame *f, struct ota_msrp_unit *out)
{
    struct slice in = buf_slice(&f->in);
    size_t n, skip;
    char flag;
    enum err e;

    if (in.n && !slice_starts(in, slice_sub(SLICE("MSRP "), 0, in.n)))
        return ERR_MALFORMED;
    e = head_end(in, &n, &skip, &flag);
    if (e)
        return e;
    buf_reset(&f->text, OTA_MSRP_HEAD_MAX_N);
    buf_add(&f->text, slice_sub(in, 0, n));
    e = buf_err(&f->text) ? buf_err(&f->text) : ota_msrp_head_read(buf_slice(&f->text), &f->head);
    if (e)
        return e;
    f->taken_n = n + skip;
    f->in_body = flag == 0;
    f->begun = false;
    f->seen_n = 0;
    *out = (struct ota_msrp_unit){.head = &f->head, .begins = true, .flag = flag};
    return ERR_OK;
}

/* Where the CRLF stands that the end-line follows; SIZE_MAX: not yet. */
static size_t find_end(struct ota_msrp_frame *f, struct slice in, char *flag)
{
    for (;;) {
        struct slice rest = slice_sub(in, f->seen_n, SIZE_MAX), line;
        size_t at = slice_find_slice(rest, SLICE("\r\n-------")), end;

        if (at == SIZE_MAX) {
            f->seen_n = in.n > HYPHENS + 2 ? in.n - HYPHENS - 2 : 0;
            return SIZE_MAX;
        }
        f->seen_n += at;
        line = slice_sub(in, f->seen_n + 2, END_MAX_N);
        end = slice_find_slice(line, SLICE("\r\n"));
        if (end == SIZE_MAX && line.n < HYPHENS + f->head.tid.n + 3)
            return SIZE_MAX;
        *flag = end == SIZE_MAX ? 0 : end_flag(slice_sub(line, 0, end), f->head.tid);
        if (*flag)
            return f->seen_n;
        f->seen_n += 2; /* hyphens of the content */
    }
}

static enum err take_body(struct ota_msrp_frame *f, struct ota_msrp_unit *out)
{
    struct slice in = buf_slice(&f->in);
    struct ota_msrp_unit u = {.head = &f->head, .begins = !f->begun, .has_body = true};
    size_t end = find_end(f, in, &u.flag);

    if (end != SIZE_MAX) {
        u.body = slice_sub(in, 0, end);
        f->taken_n = end + 2 + HYPHENS + f->head.tid.n + 3;
        f->in_body = false;
    } else if (in.n >= OTA_MSRP_PIECE_N + END_MAX_N) {
        size_t n = f->seen_n < in.n - END_MAX_N ? f->seen_n : in.n - END_MAX_N;

        u.flag = 0;
        u.body = slice_sub(in, 0, n);
        f->taken_n = n;
    } else {
        return ERR_AGAIN;
    }
    f->seen_n = 0;
    f->begun = true;
    *out = u;
    return ERR_OK;
}

enum err ota_msrp_frame_next(struct ota_msrp_frame *f, struct ota_msrp_unit *out)
{
    struct ota_msrp_unit u;
    enum err e = f->err;

    drop_taken(f);
    if (!e && !f->in_body)
        e = take_head(f, &u);
    if (!e && f->in_body) {
        drop_taken(f);
        e = take_body(f, &u);
    }
    if (e && e != ERR_AGAIN)
        f->err = e;
    if (!e)
        *out = u;
    return e;
}
