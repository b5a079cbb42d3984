/* See visit_json.h. */
#include "ppg/keys/visit_json.h"

#include <jansson.h>
#include "base/codec.h"
#include "base/mem.h"
#include "pap/time.h"

/* Empty is as good as missing. */
static enum err text_of(const json_t *o, const char *name, struct slice *out)
{
    const json_t *t = json_object_get(o, name);

    if (!json_is_string(t) || json_string_length(t) == 0)
        return ERR_MALFORMED;
    *out = slice_of(json_string_value(t), json_string_length(t));
    return ERR_OK;
}

static enum err take(const json_t *o, const char *name, struct arena *mem, struct slice *out)
{
    struct slice text;
    enum err e = text_of(o, name, &text);

    if (!e && arena_dup(mem, text, out))
        e = ERR_NOMEM;
    return e;
}

static json_t *read_object(struct slice json)
{
    json_t *o = json.n && json.n <= PPG_VISIT_JSON_MAX_N
                    ? json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL)
                    : NULL;

    if (json_is_object(o))
        return o;
    json_decref(o);
    return NULL;
}

enum err ppg_visit_question_parse(struct slice json, struct arena *mem, struct slice *enabler)
{
    json_t *o = read_object(json);
    enum err e = o ? take(o, "enabler", mem, enabler) : ERR_MALFORMED;

    json_decref(o);
    return e;
}

static void member(struct buf *json, char before, const char *name, struct slice value)
{
    buf_add_ch(json, before);
    buf_addf(json, "\"%s\":", name);
    codec_json(json, value);
}

enum err ppg_visit_question_print(struct slice enabler, struct buf *out)
{
    member(out, '{', "enabler", enabler);
    buf_add_ch(out, '}');
    return buf_err(out);
}

static enum err key_of(const json_t *o, uint8_t key[SEC_VISIT_KEY_N])
{
    struct slice text;
    struct buf octets;
    enum err e = text_of(o, "psk", &text);

    buf_init(&octets, SEC_VISIT_KEY_N);
    if (!e && (codec_unbase64(text, false, &octets) || octets.n != SEC_VISIT_KEY_N))
        e = ERR_MALFORMED;
    if (!e)
        mem_copy(key, SEC_VISIT_KEY_N, buf_slice(&octets));
    buf_wipe(&octets);
    return e;
}

static enum err time_of(const json_t *o, int64_t *out)
{
    struct slice text;
    enum err e = text_of(o, "expires", &text);

    return e ? e : pap_time_parse(text, true, out);
}

static enum err read_grant(const json_t *o, enum ppg_visit_reader reader, struct arena *mem,
                           struct ppg_visit_grant *g)
{
    enum err e = take(o, "psk_identity", mem, &g->identity);

    if (!e)
        e = key_of(o, g->key);
    if (!e)
        e = time_of(o, &g->expires_s);
    if (!e && reader == PPG_VISIT_TERMINAL)
        return take(o, "host", mem, &g->host);
    if (!e)
        e = take(o, "enabler", mem, &g->enabler);
    if (!e && json_object_get(o, "user"))
        e = take(o, "user", mem, &g->user);
    return e;
}

enum err ppg_visit_grant_parse(struct slice json, enum ppg_visit_reader reader, struct arena *mem,
                               struct ppg_visit_grant *out)
{
    struct ppg_visit_grant g = {.user = SLICE_NONE};
    json_t *o = read_object(json);
    enum err e = o ? read_grant(o, reader, mem, &g) : ERR_MALFORMED;

    json_decref(o);
    if (!e)
        *out = g;
    mem_wipe(&g, sizeof g);
    return e;
}

enum err ppg_visit_grant_print(const struct ppg_visit_grant *g, enum ppg_visit_reader reader, struct buf *out)
{
    struct buf when;
    enum err e;

    buf_init(&when, 64);
    e = pap_time_print(g->expires_s, &when);
    member(out, '{', "psk_identity", g->identity);
    buf_add_str(out, ",\"psk\":\"");
    codec_base64(out, slice_of(g->key, sizeof g->key));
    buf_add_ch(out, '"');
    member(out, ',', "expires", buf_slice(&when));
    buf_clear(&when);
    if (reader == PPG_VISIT_TERMINAL)
        member(out, ',', "host", g->host);
    else
        member(out, ',', "enabler", g->enabler);
    if (reader == PPG_VISIT_PEER && g->user.n)
        member(out, ',', "user", g->user);
    buf_add_ch(out, '}');
    return e ? e : buf_err(out);
}
