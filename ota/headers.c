/* Push message headers as text: reading a block of lines, who may set which header, printing the head of a
 * message for a terminal, the initiator flags and application ids.  Not HTTP framing: base/net/http1.h.
 * [PAP §9]; numbers of applications: OMNA push application ids.  Any thread. */
#include "ota/headers.h"

#include "base/codec.h"
#include "base/mem.h"
#include "base/net/http1.h"
#include "base/scan.h"

#define APP_ID_MAX_N 255 /* octets of an application id */

static bool name_ok(struct slice name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!scan_is_token_ch((unsigned char)name.p[i]))
            return false;
    return name.n != 0;
}

/* Field text: anything but controls, tab excepted (RFC 9110 §5.5). */
static bool value_ok(struct slice value)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char ch = (unsigned char)value.p[i];

        if ((ch < 0x20 && ch != '\t') || ch == 0x7F)
            return false;
    }
    return true;
}

/* line = token ":" OWS value OWS CRLF (RFC 9112 §5, without obs-fold). */
bool ota_header_next(struct slice *block, struct slice *name, struct slice *value, bool *bad)
{
    size_t end = slice_find_slice(*block, SLICE("\r\n"));
    struct slice left, right;

    if (block->n == 0)
        return false;
    if (end == SIZE_MAX || !slice_cut(slice_sub(*block, 0, end), ':', &left, &right) || !name_ok(left) ||
        !value_ok(right)) {
        *bad = true;
        return false;
    }
    *name = left;
    *value = slice_trim(right);
    *block = slice_sub(*block, end + 2, SIZE_MAX);
    return true;
}

struct slice ota_header_find(struct slice block, struct slice name)
{
    struct slice n, v;
    bool bad = false;

    while (ota_header_next(&block, &n, &v, &bad))
        if (slice_eq_ci(n, name))
            return v;
    return SLICE_NONE;
}

/* First row that fits decides; a name that ends in "-" stands for everything that starts with it. */
static const struct {
    const char *name;
    enum ota_header_rule rule;
} rules[] = {
    {"Content-Type", OTA_HEADER_KNOWN},
    {"Content-Transfer-Encoding", OTA_HEADER_KNOWN},
    {"Date", OTA_HEADER_KNOWN},
    {"X-Wap-Application-Id", OTA_HEADER_KNOWN},
    {"X-Wap-Initiator-URI", OTA_HEADER_KNOWN},
    {"X-Push-Protection", OTA_HEADER_KNOWN},
    {"Content-Length", OTA_HEADER_GATEWAY},
    {"Push-Flag", OTA_HEADER_GATEWAY},
    {"X-Push-", OTA_HEADER_GATEWAY},
    {"X-Wap-Push-", OTA_HEADER_GATEWAY},
    {"X-Syncml-", OTA_HEADER_GATEWAY}, /* macs are not made up by initiators: DM message security 5.4.1.5 */
    {"X-Wap-CPITag", OTA_HEADER_GATEWAY},
    {"X-Wap-Terminal-Id", OTA_HEADER_GATEWAY},
    {"X-Wap-Authenticate", OTA_HEADER_GATEWAY},
    {"X-Wap-Authorization", OTA_HEADER_GATEWAY},
    {"X-Wap-Bearer-Indication", OTA_HEADER_GATEWAY},
    {OTA_VERIFY_HEADER, OTA_HEADER_GATEWAY},
    {"Host", OTA_HEADER_HOP},
    {"MIME-Version", OTA_HEADER_HOP},
    {"Connection", OTA_HEADER_HOP},
    {"Keep-Alive", OTA_HEADER_HOP},
    {"TE", OTA_HEADER_HOP},
    {"Trailer", OTA_HEADER_HOP},
    {"Transfer-Encoding", OTA_HEADER_HOP},
    {"Upgrade", OTA_HEADER_HOP},
    {"Expect", OTA_HEADER_HOP},
    {"Proxy-", OTA_HEADER_HOP},
    {"Authorization", OTA_HEADER_HOP},
    {"Authentication-Info", OTA_HEADER_HOP},
    {"WWW-Authenticate", OTA_HEADER_HOP},
    {"Cookie", OTA_HEADER_HOP},
    {"Set-Cookie", OTA_HEADER_HOP},
};

enum ota_header_rule ota_header_rule(struct slice name)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct slice row = slice_str(rules[i].name);

        if (slice_ends(row, SLICE("-")) ? slice_starts_ci(name, row) : slice_eq_ci(name, row))
            return rules[i].rule;
    }
    return OTA_HEADER_PASS;
}

/* One line; text that would break out of it makes the whole print fail. */
static void print_line(struct buf *out, const char *name, struct slice value)
{
    if (!value_ok(value) && !out->err)
        out->err = ERR_MALFORMED;
    buf_add_str(out, name);
    buf_add(out, SLICE(": "));
    buf_add(out, value);
    buf_add(out, SLICE("\r\n"));
}

static void print_optional(struct buf *out, const char *name, struct slice value)
{
    if (value.n)
        print_line(out, name, value);
}

/* True of certain octets only (RFC 9110 §7.7). */
static bool is_of_octets(struct slice name)
{
    return slice_eq_ci(name, SLICE("Content-MD5")) || slice_eq_ci(name, SLICE("Content-Range")) ||
           slice_eq_ci(name, SLICE("Etag"));
}

/* Whatever an earlier stage let through, only what may travel does [PAP §9]. */
static void print_passed(struct slice lines, bool transformed, struct buf *out)
{
    struct slice rest = lines, name, value;
    bool bad = false;

    while (ota_header_next(&rest, &name, &value, &bad)) {
        if (ota_header_rule(name) == OTA_HEADER_PASS && !(transformed && is_of_octets(name)))
            buf_add(out, slice_of(lines.p, (size_t)(rest.p - lines.p)));
        lines = rest;
    }
    if (bad && !out->err)
        out->err = ERR_MALFORMED;
}

static void print_info(const struct ota_push_info *info, struct buf *out)
{
    if (!info->authenticated && !info->trusted && !info->last)
        return;
    buf_add(out, SLICE("X-Wap-Push-Info: "));
    ota_push_info_print(info, out);
    buf_add(out, SLICE("\r\n"));
}

void ota_headers_print(const struct ota_message_head *h, struct buf *out)
{
    net_http_print_date(out, h->date_s);
    print_optional(out, "X-Push-Message-ID", h->message_id);
    print_optional(out, "Content-Type", h->content_type);
    buf_add(out, SLICE("Content-Length: "));
    buf_add_u64(out, h->content_n);
    buf_add(out, SLICE("\r\n"));
    if (!slice_eq_ci(h->app_id, SLICE(OTA_APP_DEFAULT)))
        print_optional(out, "X-Wap-Application-Id", h->app_id);
    print_optional(out, "X-Wap-Initiator-URI", h->initiator_uri);
    print_optional(out, OTA_VERIFY_HEADER, h->verify);
    if (h->with_info)
        print_info(&h->info, out);
    print_passed(h->passed, h->transformed, out);
}

void ota_push_info_print(const struct ota_push_info *info, struct buf *out)
{
    const struct {
        bool set;
        const char *token;
    } tokens[] = {{info->authenticated, "authenticated"}, {info->trusted, "trusted"}, {info->last, "last"}};
    const char *sep = "";

    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
        if (tokens[i].set) {
            buf_add_str(out, sep);
            buf_add_str(out, tokens[i].token);
            sep = ", ";
        }
}

struct ota_push_info ota_push_info_parse(struct slice value)
{
    struct ota_push_info info = {false, false, false};
    struct slice item;

    while (slice_item(&value, &item)) {
        info.authenticated |= slice_eq_ci(item, SLICE("authenticated"));
        info.trusted |= slice_eq_ci(item, SLICE("trusted"));
        info.last |= slice_eq_ci(item, SLICE("last"));
    }
    return info;
}

/* OMNA push application ids [PAP §9.3]. */
static const struct {
    const char *uri;
    int32_t number;
} applications[] = {
    {OTA_APP_ANY, 0x00},
    {"x-wap-application:push.sia", 0x01},
    {OTA_APP_DEFAULT, 0x02},
    {"x-wap-application:wta.ua", 0x03},
    {"x-wap-application:mms.ua", 0x04},
    {"x-wap-application:push.syncml", 0x05},
    {"x-wap-application:loc.ua", 0x06},
    {"x-wap-application:syncml.dm", 0x07},
    {"x-wap-application:drm.ua", 0x08},
    {"x-wap-application:emn.ua", 0x09},
    {"x-wap-application:wv.ua", 0x0A},
    {"x-oma-application:ulp.ua", 0x10},
    {"x-oma-application:dlota.ua", 0x11},
    {"x-oma-application:java-ams", 0x12},
    {"x-oma-application:bcast.ua", 0x13},
    {"x-oma-application:dpe.ua", 0x14},
    {"x-oma-application:cpm:ua", 0x15},
    {"x-oma-application:evvm.ua", 0x16},
    {"x-wap-microsoft:localcontent.ua", 0x8000},
    {"x-wap-docomo:imode.mail.ua", 0x8002},
    {"x-motorola:otaprov.ua", 0x8007},
    {"x-oma-nokia:call.ua", 0x9002},
    {"x-oma-nokia:sip.ua", 0x9010},
    {"x-oma-application:scidm.ua", 0x905B},
    {"x-oma-application:push.scws", 0x9065},
};

static int32_t registered_number(struct slice uri)
{
    for (size_t i = 0; i < sizeof applications / sizeof applications[0]; i++)
        if (slice_eq_ci(uri, slice_str(applications[i].uri)))
            return applications[i].number;
    return -1;
}

static struct slice registered_uri(uint32_t number)
{
    for (size_t i = 0; i < sizeof applications / sizeof applications[0]; i++)
        if (applications[i].number == (int32_t)number)
            return slice_str(applications[i].uri);
    return SLICE_NONE;
}

/* Visible, and not a character that would end the id in a list or a parameter. */
static bool is_app_id_ch(unsigned char ch)
{
    return ch > 0x20 && ch < 0x7F && ch != ';' && ch != ',' && ch != '"' && ch != '<' && ch != '>';
}

/* A registered number, 1*DIGIT, stands for its id; another number is an id as any. */
static struct slice named(struct slice id)
{
    struct scan s = scan_of(id);
    uint32_t number = scan_u32(&s, 0, UINT16_MAX);
    struct slice uri;

    scan_end(&s);
    uri = s.err ? SLICE_NONE : registered_uri(number);
    return uri.n ? uri : id;
}

/* value = app-id [OWS ";" OWS "app-encoding=" 1*DIGIT]; "/" or nothing: absent [PAP §9]. */
enum err ota_app_id_parse(struct slice value, struct slice *uri, int32_t *number)
{
    struct scan s = scan_of(slice_trim(value));
    struct slice id;
    int32_t code;

    if (scan_done(&s) || slice_eq(scan_left(&s), SLICE("/"))) {
        *uri = SLICE_NONE;
        *number = -1;
        return ERR_OK;
    }
    id = named(scan_while(&s, is_app_id_ch, APP_ID_MAX_N));
    code = registered_number(id);
    scan_lws(&s, 0);
    if (scan_skip_ch(&s, ';')) {
        scan_lws(&s, 0);
        if (!scan_skip_ci(&s, SLICE("app-encoding=")))
            scan_fail(&s, ERR_MALFORMED);
        code = (int32_t)scan_u32(&s, 0, UINT16_MAX);
    }
    scan_end(&s);
    if (s.err)
        return s.err;
    *uri = id;
    *number = code;
    return ERR_OK;
}

struct slice ota_type_bare(struct slice type)
{
    struct slice bare, parameters;

    (void)slice_cut(type, ';', &bare, &parameters);
    return slice_trim(bare);
}

bool ota_type_is_xml(struct slice type)
{
    static const char *const names[] = {"text/xml",        "application/xml",
                                        "text/vnd.wap.si", "text/vnd.wap.sl",
                                        "text/vnd.wap.co", "text/vnd.wap.connectivity-xml"};

    type = ota_type_bare(type);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_eq_ci(type, slice_str(names[i])))
            return true;
    return slice_ends_ci(type, SLICE("+xml"));
}

static bool range_has(struct slice range, struct slice type)
{
    return slice_eq(range, SLICE("*")) || slice_eq(range, SLICE("*/*")) || slice_eq_ci(range, type) ||
           (slice_ends(range, SLICE("/*")) && slice_starts_ci(type, slice_sub(range, 0, range.n - 1)));
}

bool ota_accepts_type(struct slice list, struct slice type)
{
    struct slice range;

    if (list.n == 0)
        return true;
    type = ota_type_bare(type);
    while (slice_item(&list, &range))
        if (range_has(ota_type_bare(range), type))
            return true;
    return false;
}

bool ota_accepts_app(struct slice list, struct slice app_id)
{
    struct slice item;

    if (list.n == 0)
        return true;
    if (app_id.n == 0)
        app_id = SLICE(OTA_APP_DEFAULT);
    while (slice_item(&list, &item)) {
        item = named(ota_type_bare(item)); /* without app-encoding */
        if (slice_eq(item, SLICE("*")) || slice_eq_ci(item, SLICE(OTA_APP_ANY)) || slice_eq_ci(item, app_id))
            return true;
    }
    return false;
}

#define RESYNC_RAND "resync rand="
#define RESYNC_AUTS ", auts="
#define CONFIRMED   "confirmed; gpl="

void ota_sa_confirmation_print(struct slice message_id, struct buf *out)
{
    buf_add(out, SLICE("X-Push-Message-ID: "));
    buf_add(out, message_id);
    buf_add(out, SLICE("\r\n\r\n"));
}

void ota_sa_answer_print(const struct ota_sa_answer *a, struct buf *out)
{
    if (a->word == OTA_SA_UNKNOWN) {
        buf_add(out, SLICE("unknown"));
        return;
    }
    if (a->word == OTA_SA_CONFIRMED) {
        buf_add(out, SLICE(CONFIRMED));
        codec_base64(out, slice_of(a->uplink, a->uplink_n));
        return;
    }
    buf_add(out, SLICE(RESYNC_RAND));
    codec_hex(out, slice_of(a->rand, sizeof a->rand));
    buf_add(out, SLICE(RESYNC_AUTS));
    codec_hex(out, slice_of(a->auts, sizeof a->auts));
}

static struct ota_sa_answer confirmed_parse(struct slice text)
{
    struct ota_sa_answer a = {.word = OTA_SA_NOTHING};
    struct buf message;

    buf_init(&message, sizeof a.uplink);
    if (!codec_unbase64(text, false, &message) && message.n) {
        a.word = OTA_SA_CONFIRMED;
        a.uplink_n = message.n;
        mem_copy(a.uplink, sizeof a.uplink, buf_slice(&message));
    }
    buf_clear(&message);
    return a;
}

struct ota_sa_answer ota_sa_answer_parse(struct slice value)
{
    const struct ota_sa_answer nothing = {.word = OTA_SA_NOTHING};
    struct ota_sa_answer a = {.word = OTA_SA_RESYNC};
    struct slice rand, auts;
    struct scan s = scan_of(value);

    if (slice_eq(value, SLICE("unknown")))
        return (struct ota_sa_answer){.word = OTA_SA_UNKNOWN};
    if (slice_starts(value, SLICE(CONFIRMED)))
        return confirmed_parse(slice_sub(value, sizeof CONFIRMED - 1, SIZE_MAX));
    scan_lit(&s, SLICE(RESYNC_RAND));
    rand = scan_token(&s, 2 * sizeof a.rand);
    scan_lit(&s, SLICE(RESYNC_AUTS));
    auts = scan_token(&s, 2 * sizeof a.auts);
    scan_end(&s);
    if (s.err || codec_unhex(rand, a.rand, sizeof a.rand) || codec_unhex(auts, a.auts, sizeof a.auts))
        return nothing;
    return a;
}
