/* Reading a terminal's answer to OPTIONS, and the cache of what it said.  No I/O.  [OTA-HTTP §4, §5, §8]. */
#include "ota/cpi.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/scan.h"

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

/* What each list is sent as; X-Wap-Profile is the name of old terminals for Profile. */
static const struct {
    struct slice name;
    struct slice alias;
} lists[OTA_CPI_LISTS] = {
    [OTA_CPI_ACCEPT] = {SLICE("X-Wap-Push-Accept"), SLICE_NONE},
    [OTA_CPI_CHARSETS] = {SLICE("X-Wap-Push-Accept-Charset"), SLICE_NONE},
    [OTA_CPI_ENCODINGS] = {SLICE("X-Wap-Push-Accept-Encoding"), SLICE_NONE},
    [OTA_CPI_LANGUAGES] = {SLICE("X-Wap-Push-Accept-Language"), SLICE_NONE},
    [OTA_CPI_APP_IDS] = {SLICE("X-Wap-Push-Accept-AppID"), SLICE_NONE},
    [OTA_CPI_PROFILE_URL] = {SLICE("X-Wap-Profile"), SLICE("Profile")},
};

void ota_cpi_init(struct ota_cpi *c)
{
    *c = (struct ota_cpi){.outstanding_max = 1};
    for (size_t i = 0; i < OTA_CPI_LISTS; i++)
        buf_init(&c->lists[i], OTA_CPI_LIST_MAX_N);
}

void ota_cpi_clear(struct ota_cpi *c)
{
    for (size_t i = 0; i < OTA_CPI_LISTS; i++)
        buf_clear(&c->lists[i]);
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

/* All lists; the first error. */
static enum err read_lists(struct ota_cpi *c, const struct net_http_msg *m)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < OTA_CPI_LISTS && !e; i++) {
        join(m, lists[i].name, &c->lists[i]);
        if (c->lists[i].n == 0 && lists[i].alias.n)
            join(m, lists[i].alias, &c->lists[i]);
        e = buf_err(&c->lists[i]);
    }
    return e;
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
    e = read_lists(c, m);
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

void ota_cpi_move(struct ota_cpi *from, struct ota_cpi *to)
{
    *to = *from;
    for (size_t i = 0; i < OTA_CPI_LISTS; i++) {
        buf_init(&to->lists[i], OTA_CPI_LIST_MAX_N);
        buf_move(&from->lists[i], &to->lists[i]);
    }
    ota_cpi_init(from);
}

struct slice ota_cpi_tag(const struct ota_cpi *c)
{
    return slice_of(c->tag, c->tag_n);
}

struct ota_profile ota_cpi_profile(const struct ota_cpi *c)
{
    return (struct ota_profile){.accept = buf_slice(&c->lists[OTA_CPI_ACCEPT]),
                                .charsets = buf_slice(&c->lists[OTA_CPI_CHARSETS]),
                                .encodings = buf_slice(&c->lists[OTA_CPI_ENCODINGS]),
                                .languages = buf_slice(&c->lists[OTA_CPI_LANGUAGES]),
                                .app_ids = buf_slice(&c->lists[OTA_CPI_APP_IDS]),
                                .profile_url = buf_slice(&c->lists[OTA_CPI_PROFILE_URL]),
                                .tag = ota_cpi_tag(c),
                                .size_max = c->size_max,
                                .known = c->known};
}
