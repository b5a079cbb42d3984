/* Reading a terminal's answer to OPTIONS, and the cache of what it said.  No I/O.  [OTA-HTTP §4, §5, §8]. */
#include "ota/cpi.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/scan.h"
#include "ota/headers.h"

/* The one value of a field that may stand once; a repetition must be equal.  ERR_MALFORMED [OTA-HTTP §8]. */
static enum err single(const struct net_http_msg *m, struct slice name, struct slice *out)
{
    struct slice first = SLICE_NONE;
    bool seen = false;

    for (size_t i = 0; i < m->headers_n; i++) {
        if (!slice_eq_ci(m->headers[i].name, name))
            continue;
        if (seen && !slice_eq(first, m->headers[i].value))
            return ERR_MALFORMED;
        first = m->headers[i].value;
        seen = true;
    }
    *out = first;
    return ERR_OK;
}

unsigned ota_push_status(const struct net_http_msg *m)
{
    struct slice value;
    struct scan s;
    uint32_t status;

    if (single(m, SLICE("X-Wap-Push-Status"), &value))
        return OTA_STATUS_BAD;
    if (value.n == 0)
        return 0;
    s = scan_of(value);
    status = scan_digits(&s, 3);
    if (!scan_done(&s))
        scan_ch(&s, ' ');
    return s.err || status == 0 ? OTA_STATUS_BAD : status;
}

static bool visible(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= 0x20 || s.p[i] >= 0x7F)
            return false;
    return true;
}

enum err ota_registration_read(const struct net_http_msg *m, struct ota_registration *out)
{
    struct ota_registration r = {.status = ota_push_status(m)};
    enum err e = single(m, SLICE("X-Wap-CPITag"), &r.tag);

    if (!e)
        e = single(m, SLICE("X-Wap-Terminal-Id"), &r.terminal_id);
    if (!e && (r.tag.n > OTA_CPI_TAG_MAX_N || !visible(r.tag)))
        e = ERR_MALFORMED;
    if (!e)
        *out = r;
    return e;
}

void ota_cpi_init(struct ota_cpi *c)
{
    *c = (struct ota_cpi){.outstanding_max = 1};
    buf_init(&c->accept, OTA_CPI_LIST_MAX_N);
    buf_init(&c->app_ids, OTA_CPI_LIST_MAX_N);
}

void ota_cpi_clear(struct ota_cpi *c)
{
    buf_clear(&c->accept);
    buf_clear(&c->app_ids);
    ota_cpi_init(c);
}

/* A field that may be repeated, joined by commas (RFC 9110 §5.3). */
static void join(const struct net_http_msg *m, struct slice name, struct buf *out)
{
    for (size_t i = 0; i < m->headers_n; i++) {
        if (!slice_eq_ci(m->headers[i].name, name))
            continue;
        if (out->n)
            buf_add_ch(out, ',');
        buf_add(out, m->headers[i].value);
    }
}

/* 1*DIGIT under the first of the names that is there; 0 when it is not, or is not a number. */
static uint64_t number(const struct net_http_msg *m, struct slice name, struct slice alias)
{
    struct slice value = net_http_header(m, name, NULL);
    struct scan s = scan_of(value.n ? value : net_http_header(m, alias, NULL));
    uint64_t n = scan_u64(&s, 0, UINT64_MAX);

    scan_end(&s);
    return s.err ? 0 : n;
}

enum err ota_cpi_set(struct ota_cpi *c, const struct net_http_msg *m, const struct ota_registration *r,
                     int64_t now_ms)
{
    uint64_t outstanding = number(m, SLICE("X-Wap-Push-Accept-MaxPushReq"), SLICE_NONE);
    enum err e;

    ota_cpi_clear(c);
    join(m, SLICE("X-Wap-Push-Accept"), &c->accept);
    join(m, SLICE("X-Wap-Push-Accept-AppID"), &c->app_ids);
    e = buf_err(&c->accept) ? buf_err(&c->accept) : buf_err(&c->app_ids);
    if (e) {
        ota_cpi_clear(c);
        return e;
    }
    mem_copy(c->tag, sizeof c->tag, r->tag);
    c->tag_n = r->tag.n;
    c->size_max = number(m, SLICE("X-Wap-Push-MaxMsgSize"), SLICE("X-Wap-Push-MsgSize"));
    c->outstanding_max = outstanding > OTA_CPI_REQ_MAX ? OTA_CPI_REQ_MAX : (unsigned)outstanding;
    if (c->outstanding_max == 0)
        c->outstanding_max = 1; /* not said [OTA-HTTP §7.1] */
    c->at_ms = now_ms;
    c->known = true;
    return ERR_OK;
}

struct slice ota_cpi_tag(const struct ota_cpi *c)
{
    return slice_of(c->tag, c->tag_n);
}

bool ota_cpi_takes_app(const struct ota_cpi *c, struct slice app_id)
{
    return ota_accepts_app(buf_slice(&c->app_ids), app_id);
}

bool ota_cpi_takes_type(const struct ota_cpi *c, struct slice content_type)
{
    return ota_accepts_type(buf_slice(&c->accept), content_type);
}
