/* The head of an MSRP request or response; see head.h. */
#include "ota/msrp/head.h"

#include "base/scan.h"

#define STATUS_MAX 999

static bool is_ident(unsigned char ch)
{
    return (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') ||
           (ch && strchr(".-+%=", ch));
}

/* ALPHANUM 3*31ident-char (§9) */
static struct slice take_ident(struct scan *s)
{
    struct slice id = scan_while(s, is_ident, OTA_MSRP_ID_MAX_N);

    if (!s->err && (id.n < OTA_MSRP_TID_MIN_N || strchr(".-+%=", id.p[0])))
        scan_fail(s, ERR_MALFORMED);
    return id;
}

static unsigned take_status(struct scan *s)
{
    unsigned status = scan_digits(s, 3);

    if (!s->err && status < 100)
        scan_fail(s, ERR_MALFORMED);
    return status;
}

/* "MSRP" SP tid SP (method / status [ SP comment ]) */
static enum err read_start(struct slice line, struct ota_msrp_head *h)
{
    struct scan s = scan_of(line);
    struct slice method;

    scan_lit(&s, SLICE("MSRP "));
    h->tid = take_ident(&s);
    scan_ch(&s, ' ');
    if (scan_peek(&s) >= '0' && scan_peek(&s) <= '9') {
        h->kind = OTA_MSRP_RESPONSE;
        h->status = take_status(&s);
        if (!scan_done(&s))
            scan_ch(&s, ' ');
        return s.err;
    }
    method = scan_token(&s, OTA_MSRP_ID_MAX_N);
    scan_end(&s);
    h->kind = slice_eq(method, SLICE("SEND"))     ? OTA_MSRP_SEND
              : slice_eq(method, SLICE("REPORT")) ? OTA_MSRP_REPORT
                                                  : OTA_MSRP_OTHER;
    return s.err;
}

static uint64_t take_bound(struct scan *s)
{
    return scan_skip_ch(s, '*') ? OTA_MSRP_ANY : scan_u64(s, 0, OTA_MSRP_ANY - 1);
}

/* range-start "-" range-end "/" total */
static enum err read_range(struct slice value, struct ota_msrp_head *h)
{
    struct scan s = scan_of(value);

    h->from = scan_u64(&s, 1, OTA_MSRP_ANY - 1);
    scan_ch(&s, '-');
    h->to = take_bound(&s);
    scan_ch(&s, '/');
    h->total = take_bound(&s);
    scan_end(&s);
    if (!s.err && h->to != OTA_MSRP_ANY &&
        (h->to + 1 < h->from || (h->total != OTA_MSRP_ANY && h->to > h->total)))
        return ERR_MALFORMED;
    return s.err;
}

static enum err read_message_id(struct slice value, struct ota_msrp_head *h)
{
    struct scan s = scan_of(value);

    h->message_id = take_ident(&s);
    scan_end(&s);
    return s.err;
}

static enum err read_success(struct slice value, struct ota_msrp_head *h)
{
    h->success_report = slice_eq_ci(value, SLICE("yes"));
    return h->success_report || slice_eq_ci(value, SLICE("no")) ? ERR_OK : ERR_MALFORMED;
}

static enum err read_failure(struct slice value, struct ota_msrp_head *h)
{
    if (slice_eq_ci(value, SLICE("no")))
        h->failure_report = OTA_MSRP_FAILURE_NO;
    else if (slice_eq_ci(value, SLICE("partial")))
        h->failure_report = OTA_MSRP_FAILURE_PARTIAL;
    else if (!slice_eq_ci(value, SLICE("yes")))
        return ERR_MALFORMED;
    return ERR_OK;
}

/* namespace SP status-code [ SP text ]; other name spaces than 000 say nothing to us (§7.1.2). */
static enum err read_status(struct slice value, struct ota_msrp_head *h)
{
    struct scan s = scan_of(value);
    uint32_t space = scan_digits(&s, 3);
    unsigned status;

    scan_ch(&s, ' ');
    status = take_status(&s);
    if (!s.err && !scan_done(&s))
        scan_ch(&s, ' ');
    h->report_status = space == 0 ? status : 0;
    return s.err;
}

static enum err read_type(struct slice value, struct ota_msrp_head *h)
{
    h->content_type = value;
    return value.n && slice_find(value, '/') != SIZE_MAX ? ERR_OK : ERR_MALFORMED;
}

static enum err read_path(struct slice value)
{
    return value.n && slice_starts_ci(value, SLICE("msrp")) ? ERR_OK : ERR_MALFORMED;
}

static enum err read_to(struct slice value, struct ota_msrp_head *h)
{
    h->to_path = value;
    return read_path(value);
}

static enum err read_from(struct slice value, struct ota_msrp_head *h)
{
    h->from_path = value;
    return read_path(value);
}

static enum err read_byte_range(struct slice value, struct ota_msrp_head *h)
{
    h->has_range = true;
    return read_range(value, h);
}

static const struct row {
    const char *name;
    enum err (*read)(struct slice value, struct ota_msrp_head *h);
} rows[] = {{"To-Path", read_to},
            {"From-Path", read_from},
            {"Message-ID", read_message_id},
            {"Byte-Range", read_byte_range},
            {"Success-Report", read_success},
            {"Failure-Report", read_failure},
            {"Status", read_status},
            {"Content-Type", read_type}};
#define ROWS (sizeof rows / sizeof rows[0])

/* Name ":" SP value; seen: which known ones there were. */
static enum err read_header(struct slice line, size_t at, bool seen[ROWS], struct ota_msrp_head *h)
{
    struct slice name, value;

    if (!slice_cut(line, ':', &name, &value) || name.n == 0 || name.n != slice_trim(name).n)
        return ERR_MALFORMED;
    value = slice_trim(value);
    for (size_t i = 0; i < ROWS; i++) {
        if (!slice_eq_ci(name, slice_str(rows[i].name)))
            continue;
        if (seen[i] || (i < 2) != (at < 2) || (at < 2 && i != at))
            return ERR_MALFORMED;
        seen[i] = true;
        return rows[i].read(value, h);
    }
    return at < 2 ? ERR_MALFORMED : ERR_OK; /* To-Path, then From-Path, then the others (§7.1) */
}

static bool next_line(struct slice *text, struct slice *line)
{
    size_t end = slice_find_slice(*text, SLICE("\r\n"));

    if (end == SIZE_MAX)
        return false;
    *line = slice_sub(*text, 0, end);
    *text = slice_sub(*text, end + 2, SIZE_MAX);
    return true;
}

static bool clean(struct slice line)
{
    for (size_t i = 0; i < line.n; i++)
        if (((unsigned char)line.p[i] < ' ' && line.p[i] != '\t') || line.p[i] == 0x7F)
            return false;
    return true;
}

enum err ota_msrp_head_read(struct slice text, struct ota_msrp_head *out)
{
    struct ota_msrp_head h = {.kind = OTA_MSRP_OTHER};
    bool seen[ROWS] = {false};
    struct slice line;
    size_t at = 0;
    enum err e;

    if (text.n > OTA_MSRP_HEAD_MAX_N)
        return ERR_LIMIT;
    if (!next_line(&text, &line) || !clean(line))
        return ERR_MALFORMED;
    e = read_start(line, &h);
    while (!e && text.n)
        e = next_line(&text, &line) && clean(line) ? read_header(line, at++, seen, &h) : ERR_MALFORMED;
    if (!e && (!seen[0] || !seen[1]))
        e = ERR_MALFORMED;
    if (!e)
        *out = h;
    return e;
}

struct slice ota_msrp_first(struct slice path)
{
    return slice_sub(path, 0, slice_find(path, ' '));
}

static const char *phrase_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } phrases[] = {{200, "OK"},         {400, "Bad Request"},   {403, "Forbidden"},
                   {413, "Stop"},       {415, "Unknown Type"},  {481, "No Such Session"},
                   {501, "Not Served"}, {506, "Already In Use"}};

    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Other";
}

void ota_msrp_response_print(const struct ota_msrp_head *request, unsigned status, struct buf *out)
{
    buf_add(out, SLICE("MSRP "));
    buf_add(out, request->tid);
    buf_addf(out, " %03u %s\r\nTo-Path: ", status, phrase_of(status));
    buf_add(out, ota_msrp_first(request->from_path));
    buf_add(out, SLICE("\r\nFrom-Path: "));
    buf_add(out, ota_msrp_first(request->to_path));
    buf_add(out, SLICE("\r\n"));
    ota_msrp_end_print(request->tid, '$', out);
}

void ota_msrp_end_print(struct slice tid, char flag, struct buf *out)
{
    buf_add(out, SLICE("-------"));
    buf_add(out, tid);
    buf_add_ch(out, flag);
    buf_add(out, SLICE("\r\n"));
}
