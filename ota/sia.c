/* The session initiation content; see ota/sia.h.  Lists are counted in octets, options and tags in entries, one option
 * a contact point and one tag an option that says so, in their order.  [OTA-HTTP §9.1].  Any thread. */
#include "ota/sia.h"

#include "base/codec.h"
#include "base/mem.h"
#include "base/num.h"
#include "ota/headers.h"
#include "ota/wsp_value.h"

#define LIST_MAX_N     2048 /* octets of one list */
#define ADDRESS_MAX_N  63
#define ADDRESS_BEARER 0x80
#define ADDRESS_PORT   0x40
#define OPTION_HTTP    0 /* OTA-HTTP, no CPITag */
#define OPTION_TAG     1 /* OTA-HTTP, CPITag present */
#define PORT_N         2

bool ota_sia_tag(struct slice cpi_tag, uint8_t out[OTA_SIA_TAG_N])
{
    struct buf raw;
    bool good;

    buf_init(&raw, LIST_MAX_N);
    good = codec_unbase64(cpi_tag, false, &raw) == ERR_OK && raw.n == OTA_SIA_TAG_N;
    if (good)
        mem_copy(out, OTA_SIA_TAG_N, buf_slice(&raw));
    buf_clear(&raw);
    return good;
}

/* --- printing --- */

static enum err put_apps(const struct ota_sia *sia, struct buf *out)
{
    struct slice uri;
    int32_t number;

    for (size_t i = 0; i < sia->apps_n; i++) {
        if (ota_app_id_parse(sia->apps[i], &uri, &number) || !uri.n)
            return ERR_MALFORMED;
        if (number < 0)
            ota_wsp_put_text(out, uri);
        else
            ota_wsp_put_integer(out, (uint64_t)number);
    }
    return ERR_OK;
}

static enum err put_contacts(const struct ota_sia *sia, struct buf *out)
{
    for (size_t i = 0; i < sia->contacts_n; i++) {
        const struct ota_sia_contact *c = &sia->contacts[i];
        uint8_t port[PORT_N];

        if (c->address.n == 0 || c->address.n > ADDRESS_MAX_N)
            return ERR_MALFORMED;
        buf_add_ch(out, (char)((c->with_bearer ? ADDRESS_BEARER : 0) | (c->port ? ADDRESS_PORT : 0) |
                               (int)c->address.n));
        if (c->with_bearer)
            buf_add_ch(out, (char)c->bearer);
        num_put16(port, c->port);
        if (c->port)
            buf_add(out, slice_of(port, sizeof port));
        buf_add(out, c->address);
    }
    return ERR_OK;
}

/* A list behind its length in octets. */
static enum err put_list(const struct ota_sia *sia, enum err (*put)(const struct ota_sia *, struct buf *),
                         struct buf *out)
{
    struct buf list;
    enum err e;

    buf_init(&list, LIST_MAX_N);
    e = put(sia, &list);
    if (!e)
        e = buf_err(&list);
    if (!e) {
        ota_wsp_put_uintvar(out, (uint32_t)list.n);
        buf_add(out, buf_slice(&list));
    }
    buf_clear(&list);
    return e;
}

static void put_options(const struct ota_sia *sia, struct buf *out)
{
    ota_wsp_put_uintvar(out, (uint32_t)sia->contacts_n);
    for (size_t i = 0; i < sia->contacts_n; i++)
        ota_wsp_put_uintvar(out, sia->contacts[i].with_tag ? OPTION_TAG : OPTION_HTTP);
}

static void put_tags(const struct ota_sia *sia, struct buf *out)
{
    uint32_t n = 0;

    for (size_t i = 0; i < sia->contacts_n; i++)
        n += sia->contacts[i].with_tag;
    ota_wsp_put_uintvar(out, n);
    for (size_t i = 0; i < sia->contacts_n; i++)
        if (sia->contacts[i].with_tag)
            buf_add(out, slice_of(sia->contacts[i].tag, OTA_SIA_TAG_N));
}

enum err ota_sia_print(const struct ota_sia *sia, struct buf *out)
{
    enum err e;

    if (sia->apps_n > OTA_SIA_APPS_MAX || sia->contacts_n > OTA_SIA_CONTACTS_MAX ||
        sia->prov_url.n > LIST_MAX_N)
        return ERR_LIMIT;
    buf_add_ch(out, 1);
    e = put_list(sia, put_apps, out);
    if (e)
        return e;
    ota_wsp_put_uintvar(out, 0); /* no contact points over WSP */
    e = put_list(sia, put_contacts, out);
    if (e)
        return e;
    put_options(sia, out);
    ota_wsp_put_uintvar(out, (uint32_t)sia->prov_url.n);
    buf_add(out, sia->prov_url);
    put_tags(sia, out);
    return buf_err(out);
}

/* --- reading --- */

static struct slice take_list(struct scan *s)
{
    return ota_wsp_take_octets(s, ota_wsp_take_uintvar(s));
}

/* Integers are registered numbers. */
static struct slice take_app(struct scan *s)
{
    char text[24];
    struct buf digits;
    struct slice uri = SLICE_NONE;
    int32_t number;

    if (scan_peek(s) > 0x1F && scan_peek(s) < 0x80)
        return ota_wsp_take_text(s);
    buf_init(&digits, sizeof text - 1);
    buf_add_u64(&digits, ota_wsp_take_integer(s));
    if (s->err || buf_err(&digits) || mem_cstr(text, sizeof text, buf_slice(&digits)) ||
        ota_app_id_parse(slice_str(text), &uri, &number) || number < 0)
        uri = SLICE_NONE;
    buf_clear(&digits);
    return uri;
}

static void take_apps(struct scan *s, struct ota_sia *v)
{
    struct scan list = scan_of(take_list(s));

    while (!scan_done(&list)) {
        struct slice app = take_app(&list);

        if (v->apps_n == OTA_SIA_APPS_MAX)
            scan_fail(&list, ERR_LIMIT);
        else if (app.n)
            v->apps[v->apps_n++] = app;
    }
    scan_fail(s, list.err);
}

static struct ota_sia_contact take_contact(struct scan *s)
{
    uint8_t head = ota_wsp_take_octet(s);
    struct ota_sia_contact c = {.with_bearer = head & ADDRESS_BEARER};

    if (c.with_bearer)
        c.bearer = ota_wsp_take_octet(s);
    if (head & ADDRESS_PORT) {
        struct slice port = ota_wsp_take_octets(s, PORT_N);

        c.port = port.n ? num_get16(port.p) : 0;
    }
    c.address = ota_wsp_take_octets(s, head & ADDRESS_MAX_N);
    if (c.address.n == 0)
        scan_fail(s, ERR_MALFORMED);
    return c;
}

static void take_contacts(struct scan *s, struct ota_sia *v)
{
    struct scan list = scan_of(take_list(s));

    while (!scan_done(&list)) {
        struct ota_sia_contact c = take_contact(&list);

        if (v->contacts_n == OTA_SIA_CONTACTS_MAX)
            scan_fail(&list, ERR_LIMIT);
        else
            v->contacts[v->contacts_n++] = c;
    }
    scan_fail(s, list.err);
}

/* Options of other numbers are somebody else's. */
static void take_options(struct scan *s, struct ota_sia *v)
{
    uint32_t n = ota_wsp_take_uintvar(s);

    if (n > OTA_SIA_CONTACTS_MAX)
        scan_fail(s, ERR_LIMIT);
    for (uint32_t i = 0; i < n && !s->err; i++) {
        uint32_t option = ota_wsp_take_uintvar(s);

        if (i < v->contacts_n)
            v->contacts[i].with_tag = option == OPTION_TAG;
        else if (option == OPTION_TAG)
            scan_fail(s, ERR_MALFORMED);
    }
}

static void take_tags(struct scan *s, struct ota_sia *v)
{
    uint32_t n = ota_wsp_take_uintvar(s), due = 0;

    for (size_t i = 0; i < v->contacts_n; i++)
        due += v->contacts[i].with_tag;
    if (n != due)
        scan_fail(s, ERR_MALFORMED);
    for (size_t i = 0; i < v->contacts_n && !s->err; i++)
        if (v->contacts[i].with_tag)
            mem_copy(v->contacts[i].tag, OTA_SIA_TAG_N, ota_wsp_take_octets(s, OTA_SIA_TAG_N));
}

enum err ota_sia_parse(struct slice in, struct ota_sia *out)
{
    struct scan s = scan_of(in);
    struct ota_sia v = {.version = ota_wsp_take_octet(&s)};

    if (in.n > OTA_SIA_MAX_N)
        scan_fail(&s, ERR_LIMIT);
    if (v.version > 1)
        scan_fail(&s, ERR_UNSUPPORTED);
    take_apps(&s, &v);
    v.wsp_n = take_list(&s).n;
    if (v.version == 1) {
        take_contacts(&s, &v);
        take_options(&s, &v);
        v.prov_url = take_list(&s);
        take_tags(&s, &v);
    }
    scan_end(&s);
    if (s.err)
        return s.err;
    *out = v;
    return ERR_OK;
}
