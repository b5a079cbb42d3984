/* Words and lines to recipients; see addresses.h. */
#include "ppg/tool/addresses.h"

#include <arpa/inet.h>

#include "base/codec.h"
#include "base/mem.h"

#define ADDRESS_MAX_N (3u * 512u) /* every octet escaped; the gateway judges the length */
#define FILE_MAX_N    (64u << 20)

static bool is_ip(int family, struct slice text)
{
    struct in6_addr at;
    char z[INET6_ADDRSTRLEN];

    return !mem_cstr(z, sizeof z, text) && inet_pton(family, z, &at) == 1;
}

static bool is_number(struct slice text)
{
    if (text.n < 2 || text.p[0] != '+')
        return false;
    for (size_t i = 1; i < text.n; i++)
        if (!strchr("0123456789-.", text.p[i]) || !text.p[i])
            return false;
    return true;
}

void tool_address_print(struct slice text, struct buf *out)
{
    const char *type = "USER";

    if (slice_starts_ci(text, SLICE("WAPPUSH=")) || slice_starts_ci(text, SLICE("/WAPPUSH="))) {
        buf_add(out, text);
        return;
    }
    buf_add_str(out, "WAPPUSH=");
    if (is_number(text))
        type = "PLMN";
    else if (is_ip(AF_INET, text))
        type = "IPV4";
    else if (is_ip(AF_INET6, text))
        type = "IPV6";
    if (slice_eq(slice_str(type), SLICE("USER")))
        codec_percent(out, text, "+-._");
    else
        buf_add(out, text);
    buf_add_str(out, "/TYPE=");
    buf_add_str(out, type);
}

static enum err add(struct slice text, struct arena *mem, struct pap_addrs *out, char why[TOOL_WHY_N])
{
    struct buf b;
    enum err e;

    buf_init(&b, ADDRESS_MAX_N);
    tool_address_print(text, &b);
    e = !text.n ? ERR_MALFORMED : buf_err(&b);
    if (!e)
        e = arena_dup(mem, buf_slice(&b), &out->v[out->n]);
    buf_clear(&b);
    if (e == ERR_MALFORMED || e == ERR_LIMIT) {
        (void)snprintf(why, TOOL_WHY_N, "recipient %zu is %s", out->n + 1, text.n ? "too long" : "empty");
        return ERR_MALFORMED;
    }
    out->n += e == ERR_OK;
    return e;
}

/* Place for n more behind what is there. */
static enum err room(struct arena *mem, size_t n, struct pap_addrs *out)
{
    struct slice *v = arena_array(mem, out->n + n, sizeof *v);

    if (!v && out->n + n)
        return ERR_NOMEM;
    for (size_t i = 0; i < out->n; i++)
        v[i] = out->v[i];
    out->v = v;
    return ERR_OK;
}

enum err tool_addresses_add(const char *const *words, size_t n, struct arena *mem, struct pap_addrs *out,
                            char why[TOOL_WHY_N])
{
    enum err e = n ? room(mem, n, out) : ERR_OK;

    for (size_t i = 0; i < n && !e; i++)
        e = add(slice_str(words[i]), mem, out, why);
    return e;
}

static bool next_line(struct slice *text, struct slice *line)
{
    while (text->n) {
        (void)slice_cut(*text, '\n', line, text);
        if (slice_ends(*line, SLICE("\r")))
            line->n--;
        *line = slice_trim(*line);
        if (line->n && line->p[0] != '#')
            return true;
    }
    return false;
}

static enum err add_lines(struct slice text, struct arena *mem, struct pap_addrs *out, char why[TOOL_WHY_N])
{
    const struct slice mark = SLICE("\xEF\xBB\xBF"); /* of UTF-8, as some editors begin a file */
    struct slice rest, line;
    size_t n = 0;
    enum err e;

    if (slice_starts(text, mark))
        text = slice_sub(text, mark.n, text.n);
    rest = text;
    while (next_line(&rest, &line))
        n++;
    e = room(mem, n, out);
    while (!e && next_line(&text, &line))
        e = add(line, mem, out, why);
    return e;
}

enum err tool_addresses_read(const char *path, struct arena *mem, struct pap_addrs *out, char why[TOOL_WHY_N])
{
    struct buf text;
    enum err e;

    buf_init(&text, FILE_MAX_N);
    e = tool_read(path, &text);
    if (e)
        (void)snprintf(why, TOOL_WHY_N, "%.120s: %s", path, tool_read_why(e));
    else
        e = add_lines(buf_slice(&text), mem, out, why);
    buf_clear(&text);
    return e;
}
