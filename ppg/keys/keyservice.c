/* JSON of Nbsp_GBA; see keyservice.h.  Members and patterns: TS 29.309 §5.3.6 and annex A.  Key octets pass through
 * buffers that are wiped; jansson's own copies are (json_wipe.h), and live as long as one message. */
#include "ppg/keys/keyservice.h"

#include <jansson.h>
#include "base/codec.h"
#include "base/mem.h"
#include "pap/time.h"

#define TEXT_MAX_N 512u /* octets of an identity or a name */
#define HEX_MAX_N  (2 * SEC_GPI_MAX_N)

/* One message being read: the first fault wins. */
struct reader {
    json_t *root;
    struct arena *mem;
    enum err err;
    const char *why;
};

static void bad(struct reader *r, const char *why)
{
    if (!r->err) {
        r->err = ERR_MALFORMED;
        r->why = why;
    }
}

static struct reader reader_of(struct slice json, struct arena *mem)
{
    struct reader r = {.mem = mem, .why = ""};

    r.root = json.n <= PPG_KEYSERVICE_MAX_N
                 ? json_loadb(json.n ? json.p : "", json.n, JSON_REJECT_DUPLICATES, NULL)
                 : NULL;
    if (!json_is_object(r.root))
        bad(&r, "no JSON object");
    return r;
}

/* Text of 1..max_n octets; must: it may not be missing.  Borrowed from the tree. */
static struct slice text_of(struct reader *r, json_t *in, const char *name, size_t max_n, bool must)
{
    json_t *v = json_object_get(in, name);
    struct slice s =
        v && json_is_string(v) ? slice_of(json_string_value(v), json_string_length(v)) : SLICE_NONE;

    if (v ? !json_is_string(v) || s.n == 0 || s.n > max_n : must)
        bad(r, name);
    return r->err ? SLICE_NONE : s;
}

static struct slice kept_text(struct reader *r, const char *name, bool must)
{
    struct slice s = text_of(r, r->root, name, TEXT_MAX_N, must), kept = SLICE_NONE;

    if (!r->err && s.n && arena_dup(r->mem, s, &kept))
        r->err = ERR_NOMEM;
    return kept;
}

static bool flag_of(struct reader *r, const char *name)
{
    json_t *v = json_object_get(r->root, name);

    if (v && !json_is_boolean(v))
        bad(r, name);
    return json_is_true(v);
}

/* Exactly n octets as hexadecimal digits; false when the member is missing and may be. */
static bool hex_of(struct reader *r, json_t *in, const char *name, bool must, void *out, size_t n)
{
    struct slice s = text_of(r, in, name, HEX_MAX_N, must);

    if (!s.n)
        return false;
    if (codec_unhex(s, out, n))
        bad(r, name);
    return !r->err;
}

static int64_t time_of(struct reader *r, const char *name, bool must)
{
    struct slice s = text_of(r, r->root, name, 40, must);
    int64_t utc_s = 0;

    if (s.n && pap_time_parse(s, false, &utc_s))
        bad(r, name);
    return utc_s;
}

/* One of two words; the first is false. */
static bool word_of(struct reader *r, const char *name, const char *no, const char *yes)
{
    struct slice s = text_of(r, r->root, name, 16, true);

    if (!r->err && !slice_eq(s, slice_str(no)) && !slice_eq(s, slice_str(yes)))
        bad(r, name);
    return slice_eq(s, slice_str(yes));
}

static void naf_of(struct reader *r, struct sec_naf_id *out)
{
    json_t *naf = json_object_get(r->root, "nafId");
    uint8_t ua[SEC_GBA_UA_N];
    struct slice fqdn;

    if (!json_is_object(naf)) {
        bad(r, "nafId");
        return;
    }
    fqdn = text_of(r, naf, "nafFqdn", SEC_GBA_FQDN_MAX_N, true);
    if (hex_of(r, naf, "uaSecProtId", true, ua, sizeof ua) &&
        sec_gba_naf_id(fqdn, slice_of(ua, sizeof ua), out))
        bad(r, "nafFqdn");
}

static void ptid_of(struct reader *r, struct ppg_key_ask *a)
{
    struct slice s = text_of(r, r->root, "ptId", 2 * SEC_GPI_PTID_MAX_N, true);

    a->ptid_n = s.n / 2;
    if (!r->err && codec_unhex(s, a->ptid, a->ptid_n))
        bad(r, "ptId");
}

static void push_of(struct reader *r, struct ppg_key_ask *a)
{
    a->ue = kept_text(r, "ueId", true);
    a->is_private = word_of(r, "ueIdType", "PUBLIC", "PRIVATE");
    a->label = kept_text(r, "uiccAppLabel", true);
    if (slice_eq(a->label, SLICE("USIM"))) /* the default one has no name in a GPI */
        a->label = SLICE_NONE;
    ptid_of(r, a);
    a->gba_u = word_of(r, "uiccOrMe", "GBA_ME", "GBA_U");
    a->expires_s = time_of(r, "requestedLifeTime", true);
    a->wants_impi = flag_of(r, "privateIdRequest");
    a->resync = hex_of(r, r->root, "rand", false, a->rand, sizeof a->rand);
    if (hex_of(r, r->root, "auts", a->resync, a->auts, sizeof a->auts) != a->resync)
        bad(r, "rand");
}

enum err ppg_key_ask_parse(struct slice json, bool push, struct arena *mem, struct ppg_key_ask *out,
                           const char **why)
{
    struct reader r = reader_of(json, mem);
    struct ppg_key_ask a = {.btid = SLICE_NONE};

    naf_of(&r, &a.naf);
    a.aware = flag_of(&r, "gbaUAware");
    if (push)
        push_of(&r, &a);
    else
        a.btid = kept_text(&r, "btId", true);
    json_decref(r.root);
    if (r.err) {
        *why = r.why;
        return r.err;
    }
    *out = a;
    return ERR_OK;
}

/* --- printing --- */

static void set_text(json_t *o, const char *name, struct slice s)
{
    (void)json_object_set_new(o, name,
                              json_stringn(s.p ? s.p : "", s.n)); /* a NULL is refused, and seen by size */
}

static void set_hex(json_t *o, const char *name, struct slice octets)
{
    struct buf hex;

    buf_init(&hex, HEX_MAX_N);
    if (buf_room(&hex, 2 * octets.n)) /* all of it first: growth would leave a copy of a key behind */
        codec_hex(&hex, octets);
    set_text(o, name, buf_slice(&hex));
    buf_wipe(&hex);
}

static void set_time(json_t *o, const char *name, int64_t utc_s)
{
    struct buf text;

    buf_init(&text, 64);
    if (!pap_time_print(utc_s, &text))
        set_text(o, name, buf_slice(&text));
    buf_clear(&text);
}

/* Appends it; members: how many it must have got. */
static enum err dump(json_t *o, size_t members, struct buf *out)
{
    char *room;
    size_t n = 0;

    if (!o || json_object_size(o) != members)
        return ERR_MALFORMED;
    room = buf_room(out, PPG_KEYSERVICE_MAX_N);
    if (room)
        n = json_dumpb(o, room, PPG_KEYSERVICE_MAX_N, JSON_COMPACT);
    if (n == 0 || n > PPG_KEYSERVICE_MAX_N)
        return buf_err(out) ? buf_err(out) : ERR_LIMIT;
    buf_commit(out, n);
    return ERR_OK;
}

static json_t *naf_json(const struct sec_naf_id *id)
{
    json_t *o = json_object();
    struct slice fqdn, ua;

    if (o && !sec_gba_naf_id_split(slice_of(id->octets, id->n), &fqdn, &ua)) {
        set_text(o, "nafFqdn", fqdn);
        set_hex(o, "uaSecProtId", ua);
    }
    return o;
}

/* How many members it sets. */
static size_t set_push(json_t *o, const struct ppg_key_ask *ask)
{
    set_text(o, "ueId", ask->ue);
    set_text(o, "ueIdType", ask->is_private ? SLICE("PRIVATE") : SLICE("PUBLIC"));
    set_text(o, "uiccAppLabel", ask->label.n ? ask->label : SLICE("USIM"));
    set_hex(o, "ptId", slice_of(ask->ptid, ask->ptid_n));
    set_text(o, "uiccOrMe", ask->gba_u ? SLICE("GBA_U") : SLICE("GBA_ME"));
    set_time(o, "requestedLifeTime", ask->expires_s);
    if (!ask->resync)
        return 6;
    set_hex(o, "rand", slice_of(ask->rand, sizeof ask->rand));
    set_hex(o, "auts", slice_of(ask->auts, sizeof ask->auts));
    return 8;
}

enum err ppg_key_ask_print(const struct ppg_key_ask *ask, struct buf *out)
{
    json_t *o = json_object();
    size_t members = 2;
    enum err e;

    (void)json_object_set_new(o, "nafId", naf_json(&ask->naf));
    (void)json_object_set_new(o, "gbaUAware", json_boolean(ask->aware));
    if (ask->btid.n) {
        set_text(o, "btId", ask->btid);
        members++;
    } else {
        members += set_push(o, ask);
    }
    e = dump(o, members, out);
    json_decref(o);
    return e;
}

enum err ppg_key_answer_print(const struct ppg_key_answer *a, struct buf *out)
{
    json_t *o = json_object();
    size_t members = 4;
    enum err e;

    set_hex(o, "meKeyMaterial", sec_secret_slice(a->ks_naf));
    set_time(o, "keyExpiryTime", a->expires_s);
    set_time(o, "bootstrappingInfoCreationTime", a->created_s);
    set_text(o, "gbaType", SLICE("3G_GBA"));
    if (a->ks_int && a->ks_int->n) {
        set_hex(o, "uiccKeyMaterial", sec_secret_slice(a->ks_int));
        members++;
    }
    if (a->gpi.n) {
        set_hex(o, "gbaPushInfo", a->gpi);
        members++;
    }
    if (a->impi.n) {
        set_text(o, "impi", a->impi);
        members++;
    }
    e = dump(o, members, out);
    json_decref(o);
    return e;
}

void ppg_problem_print(unsigned status, const char *detail, struct buf *out)
{
    buf_addf(out, "{\"status\":%u,\"detail\":", status);
    codec_json(out, slice_str(detail));
    buf_add_ch(out, '}');
}

/* --- an answer with push info --- */

static void secret_of(struct reader *r, const char *name, bool must, struct sec_secret *out)
{
    uint8_t key[SEC_GBA_KEY_N];

    if (hex_of(r, r->root, name, must, key, sizeof key) && sec_secret_set(out, slice_of(key, sizeof key)))
        bad(r, name);
    mem_wipe(key, sizeof key);
}

static void gpi_of(struct reader *r, struct sec_push_info *info)
{
    struct slice s = text_of(r, r->root, "gbaPushInfo", HEX_MAX_N, true);

    info->gpi_n = s.n / 2;
    if (!r->err && codec_unhex(s, info->gpi, info->gpi_n))
        bad(r, "gbaPushInfo");
}

/* A BSF that mixes answers up would have us plant another's association. */
static enum err check_gpi(const struct ppg_key_ask *ask, int64_t now_s, struct sec_push_info *info,
                          const char **why)
{
    struct sec_gpi_opened opened;
    struct sec_gpi_msg msg;
    enum err e;

    *why = "gbaPushInfo is of another profile, for another NAF or P-TID, or not made with that key";
    if (sec_gpi_parse(slice_of(info->gpi, info->gpi_n), &msg) ||
        !slice_eq(msg.naf_id, slice_of(ask->naf.octets, ask->naf.n)))
        return ERR_MALFORMED;
    e = sec_gpi_open(&info->ks_naf, &msg, now_s, &opened);
    if (e)
        return e == ERR_NOMEM || e == ERR_IO ? e : ERR_MALFORMED;
    if (!slice_eq(slice_of(opened.ptid, opened.ptid_n), slice_of(ask->ptid, ask->ptid_n)))
        return ERR_MALFORMED;
    mem_copy(info->rand, sizeof info->rand, msg.rand);
    if (!info->expires_s || info->expires_s > opened.expires_s)
        info->expires_s = opened.expires_s;
    *why = "it is over already";
    return info->expires_s > now_s ? ERR_OK : ERR_LATE;
}

enum err ppg_push_answer_parse(struct slice json, const struct ppg_key_ask *ask, int64_t now_s,
                               struct sec_push_info *out, const char **why)
{
    struct reader r = reader_of(json, NULL);
    struct sec_push_info info = {.created_s = now_s};

    gpi_of(&r, &info);
    secret_of(&r, "meKeyMaterial", true, &info.ks_naf);
    secret_of(&r, "uiccKeyMaterial", false, &info.ks_int);
    info.expires_s = time_of(&r, "keyExpiryTime", false);
    json_decref(r.root);
    *why = r.why;
    if (!r.err)
        r.err = check_gpi(ask, now_s, &info, why);
    if (!r.err)
        *out = info;
    sec_push_info_clear(&info);
    return r.err;
}

/* --- an answer with bootstrapping info --- */

enum err ppg_key_answer_parse(struct slice json, struct sec_naf_key *out, const char **why)
{
    struct reader r = reader_of(json, NULL);
    struct sec_naf_key key = {.impi_n = 0};
    struct slice impi;

    secret_of(&r, "meKeyMaterial", true, &key.ks_naf);
    secret_of(&r, "uiccKeyMaterial", false, &key.ks_int);
    impi = text_of(&r, r.root, "impi", SEC_GBA_IMPI_MAX_N, false);
    mem_copy(key.impi, sizeof key.impi, impi);
    key.impi_n = impi.n;
    key.created_s = time_of(&r, "bootstrappingInfoCreationTime", false);
    key.expires_s = time_of(&r, "keyExpiryTime", false);
    if (!key.expires_s)
        key.expires_s = INT64_MAX;
    json_decref(r.root);
    *why = r.why;
    if (!r.err)
        *out = key;
    sec_naf_key_clear(&key);
    return r.err;
}
