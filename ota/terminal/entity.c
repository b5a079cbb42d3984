/* Reading a push message; strict, because what a gateway prints is strict.  [PAP §9], [OTA-HTTP §7.1]. */
#include "ota/terminal/entity.h"

#include "base/scan.h"

#define HEADERS_MAX_N 16384 /* octets [OTA-HTTP §8] */

/* The headers we read; each may stand once. */
struct known {
    const char *name;
    struct slice value;
    bool seen;
};
enum { TYPE, LENGTH, ID, APP, INITIATOR, INFO, KNOWN_N };

static enum err note(struct known *known, struct slice name, struct slice value)
{
    for (size_t i = 0; i < KNOWN_N; i++) {
        if (!slice_eq_ci(name, slice_str(known[i].name)))
            continue;
        if (known[i].seen)
            return ERR_MALFORMED;
        known[i].seen = true;
        known[i].value = value;
    }
    return ERR_OK;
}

static enum err read_lines(struct slice headers, struct known *known)
{
    struct slice name, value;
    bool bad = false;
    enum err e = ERR_OK;

    if (headers.n > HEADERS_MAX_N)
        return ERR_LIMIT;
    for (size_t n = 0; !e && ota_header_next(&headers, &name, &value, &bad); n++)
        e = n == KIT_HEADERS_MAX ? ERR_LIMIT : note(known, name, value);
    return bad ? ERR_MALFORMED : e;
}

static bool length_ok(const struct known *length, size_t body_n)
{
    struct scan s = scan_of(length->value);
    uint64_t n;

    if (!length->seen)
        return true;
    n = scan_u64(&s, 0, UINT64_MAX);
    scan_end(&s);
    return !s.err && n == body_n;
}

static bool message_id_ok(struct slice id)
{
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] <= 0x20 || id.p[i] >= 0x7F)
            return false;
    return id.n <= KIT_MESSAGE_ID_MAX_N;
}

enum err kit_entity_read(struct slice headers, struct slice body, struct kit_entity *out)
{
    struct known k[KNOWN_N] = {
        [TYPE] = {.name = "Content-Type"},
        [LENGTH] = {.name = "Content-Length"},
        [ID] = {.name = "X-Push-Message-ID"},
        [APP] = {.name = "X-Wap-Application-Id"},
        [INITIATOR] = {.name = "X-Wap-Initiator-URI"},
        [INFO] = {.name = "X-Wap-Push-Info"},
    };
    struct slice app;
    int32_t number;
    enum err e = read_lines(headers, k);

    if (e)
        return e;
    if (!length_ok(&k[LENGTH], body.n) || !message_id_ok(k[ID].value) ||
        ota_app_id_parse(k[APP].value, &app, &number))
        return ERR_MALFORMED;
    *out = (struct kit_entity){.headers = headers,
                               .body = body,
                               .content_type = k[TYPE].value,
                               .message_id = k[ID].value,
                               .app_id = app.n ? app : SLICE(OTA_APP_DEFAULT),
                               .initiator_uri = k[INITIATOR].value,
                               .info = ota_push_info_parse(k[INFO].value)};
    return ERR_OK;
}

enum err kit_entity_parse(struct slice in, struct kit_entity *out)
{
    size_t end;

    if (slice_starts(in, SLICE("\r\n")))
        return kit_entity_read(SLICE_NONE, slice_sub(in, 2, SIZE_MAX), out);
    end = slice_find_slice(slice_sub(in, 0, HEADERS_MAX_N + 4), SLICE("\r\n\r\n"));
    if (end == SIZE_MAX)
        return in.n > HEADERS_MAX_N ? ERR_LIMIT : ERR_MALFORMED;
    return kit_entity_read(slice_sub(in, 0, end + 2), slice_sub(in, end + 4, SIZE_MAX), out);
}

/* status-line = "HTTP/1." DIGIT SP "2" 2DIGIT [SP phrase] CRLF (RFC 9112 §4) */
enum err kit_entity_parse_response(struct slice in, struct kit_entity *out)
{
    size_t end = slice_find_slice(slice_sub(in, 0, HEADERS_MAX_N), SLICE("\r\n"));
    struct scan s = scan_of(end == SIZE_MAX ? SLICE_NONE : slice_sub(in, 0, end));
    uint32_t status;

    scan_lit(&s, SLICE("HTTP/1."));
    (void)scan_digits(&s, 1);
    scan_ch(&s, ' ');
    status = scan_digits(&s, 3);
    if (!scan_done(&s))
        scan_ch(&s, ' ');
    if (s.err || status / 100 != 2)
        return ERR_MALFORMED;
    return kit_entity_parse(slice_sub(in, end + 2, SIZE_MAX), out);
}
