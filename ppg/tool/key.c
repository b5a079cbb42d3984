/* Requests about keys; see key.h. */
#include "ppg/tool/key.h"

#include "base/codec.h"
#include "pap/time.h"

#define SECRET_MAX_N 1024
#define FILE_MAX_N   4096
#define PACKAGE_GOOD "7d" /* until the terminal has taken it */

static void add(struct buf *out, const char *name, struct slice value)
{
    buf_add_str(out, slice_ends(buf_slice(out), SLICE("{")) ? "\"" : ", \"");
    buf_add_str(out, name);
    buf_add_str(out, "\": ");
    codec_json(out, value);
}

static void add_text(struct buf *out, const char *name, const char *value)
{
    if (value)
        add(out, name, slice_str(value));
}

static enum err add_file(struct buf *out, const char *name, const char *path, size_t max_n, bool line,
                         char why[TOOL_WHY_N])
{
    struct buf text;
    struct slice value;
    enum err e;

    if (!path)
        return ERR_OK;
    buf_init(&text, max_n);
    e = tool_read(path, &text);
    value = buf_slice(&text);
    while (line && (slice_ends(value, SLICE("\n")) || slice_ends(value, SLICE("\r"))))
        value.n--;
    if (!e && line && (!value.n || slice_find(value, '\n') != SIZE_MAX))
        e = ERR_MALFORMED;
    if (e)
        (void)snprintf(why, TOOL_WHY_N, "%.150s: %s", path,
                       e == ERR_MALFORMED ? "must hold one line" : tool_read_why(e));
    else
        add(out, name, value);
    buf_wipe(&text);
    return e;
}

/* A time, or a length of time from now when `length`, as the gateway reads times. */
static enum err add_time(struct buf *out, const char *name, const char *value, bool length, int64_t now_s,
                         char why[TOOL_WHY_N])
{
    struct buf text;
    int64_t utc_s;
    enum err e;

    if (!value || slice_eq(slice_str(value), SLICE("never"))) {
        add_text(out, name, value);
        return ERR_OK;
    }
    buf_init(&text, 64);
    buf_add_str(&text, length ? "+" : "");
    buf_add_str(&text, value);
    e = tool_time(buf_slice(&text), now_s, &utc_s);
    buf_reset(&text, 64);
    if (!e)
        e = pap_time_print(utc_s, &text);
    if (e)
        (void)snprintf(why, TOOL_WHY_N, "%.60s: %s", value,
                       length ? "not a length of time as 7d, 12h"
                              : "not never, +30d or 2027-01-31T00:00:00Z");
    else
        add(out, name, buf_slice(&text));
    buf_clear(&text);
    return e;
}

enum err tool_key_body(const struct tool_key *k, int64_t now_s, struct buf *out, char why[TOOL_WHY_N])
{
    enum err e;

    buf_add_ch(out, '{');
    add_text(out, "name", k->name);
    add_text(out, "kind", k->kind);
    add_text(out, "suites", k->suites);
    e = add_file(out, "secret", k->secret_file, SECRET_MAX_N, true, why);
    if (!e)
        e = add_file(out, "association", k->file, FILE_MAX_N, false, why);
    if (!e)
        e = add_time(out, "expires", k->expires, false, now_s, why);
    if (!e)
        e = add_time(out, "until", k->grace, true, now_s, why);
    if (!e && k->package)
        e = add_time(out, "package_until", PACKAGE_GOOD, true, now_s, why);
    buf_add_ch(out, '}');
    if (!e && buf_err(out)) {
        e = buf_err(out);
        (void)snprintf(why, TOOL_WHY_N, "the request: %s", err_text(e));
    }
    return e;
}
