/* Session descriptions for MSRP; see sdp.h. */
#include "ota/msrp/sdp.h"

#include "base/scan.h"

#define LINE_MAX_N 2048

static const struct {
    const char *word;
    enum ota_msrp_setup setup;
} setups[] = {{"active", OTA_MSRP_SETUP_ACTIVE},
              {"passive", OTA_MSRP_SETUP_PASSIVE},
              {"actpass", OTA_MSRP_SETUP_ACTPASS},
              {"holdconn", OTA_MSRP_SETUP_HOLD}};

struct reader {
    struct ota_msrp_sdp d;
    bool begun;  /* v=0 was there */
    bool inside; /* of the stream of MSRP */
    bool found;
    size_t media_n;
};

/* m=message PORT TCP[/TLS]/MSRP * (RFC 4975 §8.1); other streams count only as what they are. */
static enum err read_media(struct reader *r, struct slice value)
{
    struct scan s = scan_of(value);
    struct slice media = scan_until(&s, ' ', LINE_MAX_N), protocol;
    uint32_t port;

    scan_ch(&s, ' ');
    port = scan_u32(&s, 0, UINT16_MAX);
    if (scan_skip_ch(&s, '/')) /* a number of ports */
        (void)scan_u32(&s, 0, UINT16_MAX);
    scan_ch(&s, ' ');
    protocol = scan_until(&s, ' ', LINE_MAX_N);
    if (s.err)
        return s.err;
    r->inside = slice_eq_ci(media, SLICE("message")) &&
                (slice_eq_ci(protocol, SLICE("TCP/MSRP")) || slice_eq_ci(protocol, SLICE("TCP/TLS/MSRP")));
    if (slice_eq_ci(protocol, SLICE("RTP/SAVP")) || slice_eq_ci(protocol, SLICE("RTP/SAVPF")))
        r->d.realtime = true;
    if (++r->media_n > OTA_MSRP_MEDIA_MAX)
        return ERR_LIMIT;
    if (!r->inside)
        return ERR_OK;
    if (r->found)
        return ERR_MALFORMED;
    r->found = true;
    r->d.secure = slice_eq_ci(protocol, SLICE("TCP/TLS/MSRP"));
    r->d.refused = port == 0;
    return ERR_OK;
}

static enum err once(struct slice *to, struct slice value)
{
    if (to->n || value.n == 0)
        return ERR_MALFORMED;
    *to = value;
    return ERR_OK;
}

static enum err read_setup(struct reader *r, struct slice value)
{
    for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++)
        if (slice_eq_ci(value, slice_str(setups[i].word))) {
            r->d.setup = setups[i].setup;
            return ERR_OK;
        }
    return ERR_MALFORMED;
}

static enum err read_max_size(struct reader *r, struct slice value)
{
    struct scan s = scan_of(value);

    r->d.max_size = scan_u64(&s, 1, UINT64_MAX);
    scan_end(&s);
    return s.err;
}

/* a=NAME[:VALUE]; of the session or another stream: nothing to us, but the direction of all and the setup. */
static enum err read_attribute(struct reader *r, struct slice line)
{
    struct slice name, value;

    (void)slice_cut(line, ':', &name, &value);
    value = slice_trim(value);
    if (r->media_n && !r->inside)
        return ERR_OK;
    if (slice_eq_ci(name, SLICE("setup")))
        return read_setup(r, value);
    if (slice_eq_ci(name, SLICE("recvonly")))
        r->d.recv_only = true;
    if (slice_eq_ci(name, SLICE("sendonly")))
        r->d.send_only = true;
    if (slice_eq_ci(name, SLICE("inactive")))
        r->d.inactive = true;
    if (!r->inside)
        return ERR_OK;
    if (slice_eq_ci(name, SLICE("path")))
        return once(&r->d.path, value);
    if (slice_eq_ci(name, SLICE("accept-types")))
        return once(&r->d.accept, value);
    if (slice_eq_ci(name, SLICE("max-size")))
        return read_max_size(r, value);
    return ERR_OK;
}

static enum err read_line(struct reader *r, struct slice line)
{
    if (line.n < 2 || line.p[1] != '=' || line.n > LINE_MAX_N)
        return line.n > LINE_MAX_N ? ERR_LIMIT : ERR_MALFORMED;
    for (size_t i = 0; i < line.n; i++)
        if ((unsigned char)line.p[i] < ' ' && line.p[i] != '\t')
            return ERR_MALFORMED;
    if (!r->begun) {
        r->begun = true;
        return slice_eq(line, SLICE("v=0")) ? ERR_OK : ERR_MALFORMED;
    }
    if (line.p[0] == 'm')
        return read_media(r, slice_sub(line, 2, SIZE_MAX));
    return line.p[0] == 'a' ? read_attribute(r, slice_sub(line, 2, SIZE_MAX)) : ERR_OK;
}

/* Lines end in CRLF; LF alone is taken too (RFC 8866 §5). */
static bool next_line(struct slice *text, struct slice *line)
{
    if (text->n == 0)
        return false;
    if (!slice_cut(*text, '\n', line, text))
        *text = SLICE_NONE;
    if (line->n && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

enum err ota_msrp_sdp_read(struct slice text, struct ota_msrp_sdp *out)
{
    struct reader r = {.begun = false};
    struct slice line;
    enum err e = text.n > OTA_MSRP_SDP_MAX_N ? ERR_LIMIT : ERR_OK;

    while (!e && next_line(&text, &line))
        e = read_line(&r, line);
    if (!e && !r.begun)
        e = ERR_MALFORMED;
    if (!e && !r.found) {
        out->realtime = r.d.realtime;
        return ERR_ABSENT;
    }
    if (!e && !r.d.refused && (r.d.path.n == 0 || r.d.accept.n == 0))
        e = ERR_MALFORMED;
    if (!e)
        *out = r.d;
    return e;
}

/* "*", TYPE/"*" or TYPE/SUBTYPE */
static bool type_matches(struct slice pattern, struct slice type)
{
    if (slice_eq(pattern, SLICE("*")) || slice_eq(pattern, SLICE("*/*")))
        return true;
    if (slice_ends(pattern, SLICE("/*")))
        return slice_starts_ci(type, slice_sub(pattern, 0, pattern.n - 1));
    return slice_eq_ci(pattern, type);
}

bool ota_msrp_sdp_accepts(const struct ota_msrp_sdp *d, struct slice content_type)
{
    struct slice list = d->accept, item,
                 type = slice_trim(slice_sub(content_type, 0, slice_find(content_type, ';')));

    while (list.n) {
        if (!slice_cut(list, ' ', &item, &list))
            list = SLICE_NONE;
        if (item.n && type_matches(slice_trim(slice_sub(item, 0, slice_find(item, ';'))), type))
            return true;
    }
    return false;
}

static bool clean(struct slice s, bool blanks)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7F || (s.p[i] == ' ' && !blanks))
            return false;
    return s.n != 0;
}

static const char *setup_word(enum ota_msrp_setup setup)
{
    for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++)
        if (setups[i].setup == setup)
            return setups[i].word;
    return NULL;
}

static void attribute(struct buf *out, const char *name, struct slice value)
{
    buf_add(out, SLICE("a="));
    buf_add_str(out, name);
    buf_add(out, value.n ? SLICE(":") : SLICE_NONE);
    buf_add(out, value);
    buf_add(out, SLICE("\r\n"));
}

enum err ota_msrp_sdp_print(const struct ota_msrp_offer *o, struct buf *out)
{
    const char *net = slice_find(o->host, ':') == SIZE_MAX ? "IP4" : "IP6";
    const char *setup = setup_word(o->setup);

    if (!clean(o->host, false) || !clean(o->path, true) || !clean(o->accept, true))
        return ERR_MALFORMED;
    buf_addf(out, "v=0\r\no=ppg %llu 1 IN %s %.*s\r\ns=-\r\nc=IN %s %.*s\r\nt=0 0\r\n",
             (unsigned long long)o->id, net, SLICE_FMT(o->host), net, SLICE_FMT(o->host));
    buf_addf(out, "m=message %u %s *\r\n", (unsigned)o->port, o->secure ? "TCP/TLS/MSRP" : "TCP/MSRP");
    attribute(out, "accept-types", o->accept);
    if (o->max_size)
        buf_addf(out, "a=max-size:%llu\r\n", (unsigned long long)o->max_size);
    if (setup)
        attribute(out, "setup", slice_str(setup));
    attribute(out, o->direction, SLICE_NONE);
    attribute(out, "path", o->path);
    return buf_err(out);
}
