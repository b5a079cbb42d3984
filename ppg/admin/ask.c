/* Requests to names and values, values to JSON; see ask.h. */
#include "ppg/admin/ask.h"

#include <stdlib.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/scan.h"
#include "pap/address.h"
#include "pap/time.h"
#include "ppg/config/groups.h"

#define WORD_MAX_N 1024u      /* octets of one value, decoded: a line of the whitelist */
#define MEM_MAX_N  (4u << 20) /* octets; a body has at most one MiB */
#define JSON_MAX_N (1u << 20) /* octets of a body that says names and values: it is taken apart on the loop */
#define HEADS_MAX  1000u
#define COUNT_MAX  10000u
#define YEAR_S     31536000u

/* --- JSON --- */

json_t *ppg_json_text(struct slice s)
{
    json_t *t = json_stringn(s.p ? s.p : "", s.n);
    char *copy;

    if (t)
        return t;
    copy = mem_dup(s);
    for (size_t i = 0; copy && i < s.n; i++)
        if (copy[i] & 0x80)
            copy[i] = '?';
    t = copy ? json_stringn(copy, s.n) : NULL;
    free(copy);
    return t;
}

void ppg_json_set(json_t *o, const char *key, json_t *value)
{
    (void)json_object_set_new(o, key, value); /* a NULL is refused there */
}

void ppg_json_set_text(json_t *o, const char *key, struct slice s)
{
    if (s.n)
        ppg_json_set(o, key, ppg_json_text(s));
}

void ppg_json_set_n(json_t *o, const char *key, uint64_t n)
{
    ppg_json_set(o, key, json_integer((json_int_t)n));
}

void ppg_json_set_time(json_t *o, const char *key, int64_t utc_ms)
{
    struct buf b;

    buf_init(&b, 64);
    if (utc_ms && !pap_time_print(utc_ms / 1000, &b))
        ppg_json_set_text(o, key, buf_slice(&b));
    buf_clear(&b);
}

void ppg_admin_answer(struct net_http_exchange *x, unsigned status, json_t *o)
{
    char *out = json_dumps(o, JSON_INDENT(1));

    json_decref(o);
    if (out)
        net_httpd_reply(x, status, SLICE("application/json"), SLICE_NONE, slice_str(out));
    else
        net_httpd_reply(x, 500, SLICE_NONE, SLICE_NONE, SLICE_NONE);
    free(out);
}

void ppg_admin_refuse(struct net_http_exchange *x, unsigned status, const char *why)
{
    json_t *o = json_object();

    ppg_json_set_text(o, "error", slice_str(why));
    ppg_admin_answer(x, status, o);
}

void ppg_admin_refuse_err(struct net_http_exchange *x, enum err e)
{
    if (e == ERR_ABSENT)
        ppg_admin_refuse(x, 404, "no such push");
    else if (e == ERR_EXISTS)
        ppg_admin_refuse(x, 409, "that push-id is used already");
    else if (e == ERR_NOMEM)
        ppg_admin_refuse(x, 503, "out of memory");
    else
        ppg_admin_refuse(x, 503, "the store does not answer");
}

/* --- names and values --- */

static enum err set_number(struct slice value, uint64_t max, uint64_t *out)
{
    struct scan s = scan_of(value);
    uint64_t n = scan_u64(&s, 0, max);

    scan_end(&s);
    if (!s.err)
        *out = n;
    return s.err ? ERR_MALFORMED : ERR_OK;
}

#define AT(member) offsetof(struct ppg_admin_ask, member)

static const struct {
    const char *name;
    unsigned bit;
    size_t at;
    uint64_t max; /* of a number; 0: it is a text */
} words[] = {{"id", PPG_ASK_ID, AT(id), 0},
             {"initiator", PPG_ASK_INITIATOR, AT(initiator), 0},
             {"as", PPG_ASK_AS, AT(as), 0},
             {"heads", PPG_ASK_HEADS, AT(heads), HEADS_MAX},
             {"rule", PPG_ASK_RULE, AT(rule), 0},
             {"line", PPG_ASK_LINE, AT(line), UINT32_MAX},
             {"recipient", PPG_ASK_RECIPIENT, AT(recipient), 0},
             {"application", PPG_ASK_APPLICATION, AT(application), 0},
             {"type", PPG_ASK_TYPE, AT(type), 0},
             {"uri", PPG_ASK_URI, AT(uri), 0},
             {"size", PPG_ASK_SIZE, AT(size), UINT64_MAX},
             {"asked", PPG_ASK_ASKED, AT(asked), 0},
             {"at", PPG_ASK_AT, AT(at), 0},
             {"operation", PPG_ASK_OPERATION, AT(operation), 0},
             {"owner", PPG_ASK_OWNER, AT(owner), 0},
             {"replay", PPG_ASK_REPLAY, AT(replay_s), YEAR_S},
             {"count", PPG_ASK_COUNT, AT(count), COUNT_MAX},
             {"from", PPG_ASK_FROM, AT(from), UINT32_MAX},
             {"san", PPG_ASK_SAN, AT(san), 0},
             {"source", PPG_ASK_SOURCE, AT(source), 0},
             {"user", PPG_ASK_USER, AT(user), 0},
             {"terminal", PPG_ASK_TERMINAL, AT(terminal), 0},
             {"all", PPG_ASK_ALL, AT(all), 0},
             {"file", PPG_ASK_FILE, AT(file), 0}};

/* The value of a name that is none of "to"; each at most once. */
static enum err set_word(struct ppg_admin_ask *a, unsigned may, struct slice name, struct slice value)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        void *at = (char *)a + words[i].at;

        if (!slice_eq(name, slice_str(words[i].name)))
            continue;
        if (!(may & words[i].bit) || a->given & words[i].bit || !value.n || value.n > WORD_MAX_N)
            return ERR_MALFORMED;
        a->given |= words[i].bit;
        return words[i].max ? set_number(value, words[i].max, at) : arena_dup(&a->mem, value, at);
    }
    return ERR_MALFORMED;
}

static enum err query_read(struct ppg_admin_ask *a, unsigned may, struct slice query)
{
    struct slice pair, name, value;
    enum err e = ERR_OK;

    while (query.n && !e) {
        struct buf plain;

        (void)slice_cut(query, '&', &pair, &query);
        if (!slice_cut(pair, '=', &name, &value))
            return ERR_MALFORMED;
        buf_init(&plain, WORD_MAX_N);
        e = codec_unpercent(value, &plain);
        if (!e)
            e = set_word(a, may, name, buf_slice(&plain));
        buf_clear(&plain);
    }
    return e;
}

/* What an operator writes is what an initiator may write, and a group needs no mark. */
enum err ppg_admin_ask_key(struct ppg_admin_ask *a, struct slice raw, struct slice *key)
{
    const struct ppg_group *group;
    struct pap_address address;
    struct buf text;
    enum err e = pap_address_parse(raw, false, &a->mem, &address);

    if (e)
        return e == ERR_NOMEM ? e : ERR_MALFORMED;
    buf_init(&text, 2 * PAP_ADDRESS_MAX_N);
    pap_address_key(&address, &text);
    group = ppg_groups_find(ppg_config_groups(a->core->config), buf_slice(&text));
    if (group) {
        buf_cut(&text, 0);
        buf_add_ch(&text, '$');
        buf_add(&text, group->name);
    }
    e = buf_err(&text) ? buf_err(&text) : arena_dup(&a->mem, buf_slice(&text), key);
    buf_clear(&text);
    return e;
}

static enum err set_to(struct ppg_admin_ask *a, const json_t *list)
{
    size_t n = json_array_size(list);
    enum err e = ERR_OK;

    if (!json_is_array(list) || a->given & PPG_ASK_TO)
        return ERR_MALFORMED;
    a->given |= PPG_ASK_TO;
    a->to = arena_array(&a->mem, n + 1, sizeof *a->to);
    a->keys = arena_array(&a->mem, n + 1, sizeof *a->keys);
    if (!a->to || !a->keys)
        return ERR_NOMEM;
    for (size_t i = 0; i < n && !e; i++) {
        const json_t *one = json_array_get(list, i);
        struct slice raw = slice_of(json_string_value(one), json_string_length(one));

        e = json_is_string(one) && raw.n ? arena_dup(&a->mem, raw, &a->to[i]) : ERR_MALFORMED;
        if (!e)
            e = ppg_admin_ask_key(a, a->to[i], &a->keys[i]);
        a->to_n += e == ERR_OK;
    }
    return e;
}

static enum err body_read(struct ppg_admin_ask *a, unsigned may, struct slice body)
{
    json_t *o = json_loadb(body.p ? body.p : "", body.n, JSON_REJECT_DUPLICATES, NULL), *value;
    const char *name;
    enum err e = json_is_object(o) ? ERR_OK : ERR_MALFORMED;

    json_object_foreach(o, name, value)
    {
        struct slice key = slice_str(name);

        if (e)
            break;
        if (slice_eq(key, SLICE("to")))
            e = may & PPG_ASK_TO ? set_to(a, value) : ERR_MALFORMED;
        else if (json_is_string(value))
            e = set_word(a, may, key, slice_of(json_string_value(value), json_string_length(value)));
        else
            e = ERR_MALFORMED;
    }
    json_decref(o);
    return e;
}

enum err ppg_admin_ask_read(struct ppg_core *c, struct net_http_exchange *x, const struct ppg_admin_route *r,
                            struct ppg_admin_ask *out)
{
    const struct net_http_msg *m = net_http_exchange_msg(x);
    struct ppg_admin_ask a = {.core = c, .x = x};
    struct slice path, query;
    enum err e;

    arena_init(&a.mem, 512, MEM_MAX_N);
    (void)slice_cut(m->target, '?', &path, &query);
    if (slice_eq(m->method, SLICE("POST")) && !(r->may & PPG_ASK_TEXT))
        e = m->body.n > JSON_MAX_N ? ERR_MALFORMED : body_read(&a, r->may, m->body);
    else
        e = query_read(&a, r->may, query);
    if (!e && (a.given & r->must) != r->must)
        e = ERR_MALFORMED;
    if (e) {
        ppg_admin_refuse(x, e == ERR_NOMEM ? 503 : 400, e == ERR_NOMEM ? "out of memory" : r->usage);
        arena_clear(&a.mem);
        return e;
    }
    *out = a;
    return ERR_OK;
}

void *ppg_admin_ask_new(struct ppg_core *c, struct net_http_exchange *x, const struct ppg_admin_route *r,
                        size_t n)
{
    struct ppg_admin_ask *a = calloc(1, n);

    if (!a)
        ppg_admin_refuse(x, 503, "out of memory");
    else if (ppg_admin_ask_read(c, x, r, a))
        free(a);
    else
        return a;
    return NULL;
}

void ppg_admin_ask_clear(struct ppg_admin_ask *a)
{
    arena_clear(&a->mem);
}
