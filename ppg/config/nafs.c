/* Sections [naf NAME]; see nafs.h. */
#include "ppg/config/nafs.h"

#include "base/codec.h"
#include "base/list.h"
#include "base/mem.h"
#include "ppg/config/lists.h"
#include "ppg/config/value.h"

#define FILE_MAX_N    (4 << 20)
#define SECTION_MAX_N (64 << 10)
#define LIFE_MAX_MS   (INT64_C(365) * 24 * 3600 * 1000)
#define COUNT(a)      (sizeof(a) / sizeof((a)[0]))

struct draft {
    struct ppg_list list; /* keys name fields by their distance from it */
    struct arena mem;
    struct sec_naf_peer peer;
    struct slice certificates[SEC_NAF_ITEMS_MAX], fqdns[SEC_NAF_ITEMS_MAX], uas[SEC_NAF_ITEMS_MAX];
    int64_t life_max_s; /* unless a section says less */
    struct sec_keyserver *server;
    struct sec_nafs *to;
};
_Static_assert(offsetof(struct draft, list) == 0, "the list is first");

static struct draft *draft_of(struct ppg_list *l)
{
    return container_of(l, struct draft, list);
}

static void begin(struct ppg_list *l, struct slice name)
{
    struct draft *d = draft_of(l);

    arena_clear(&d->mem);
    d->peer = (struct sec_naf_peer){
        .certificates = d->certificates, .fqdns = d->fqdns, .uas = d->uas, .life_max_s = d->life_max_s};
    if (arena_dup(&d->mem, name, &d->peer.name))
        ppg_load_say(l->load, ERR_NOMEM, l->at, SLICE_NONE, "no memory");
}

static void add(struct ppg_list *l, const struct ppg_ini_line *line, struct slice *items, size_t *n)
{
    if (*n == SEC_NAF_ITEMS_MAX)
        ppg_list_say(l, line, "too many in one section");
    else
        ppg_list_text(l, line, &draft_of(l)->mem, &items[(*n)++]);
}

static void set_certificate(struct ppg_list *l, const struct ppg_ini_line *line)
{
    add(l, line, draft_of(l)->certificates, &draft_of(l)->peer.certificates_n);
}

static void set_name(struct ppg_list *l, const struct ppg_ini_line *line)
{
    if (!sec_gba_is_fqdn(line->value))
        ppg_list_say(l, line, "not a domain name in lower case");
    else
        add(l, line, draft_of(l)->fqdns, &draft_of(l)->peer.fqdns_n);
}

/* A word for the usual ones (TS 33.220 annex H), else the identifier itself. */
static bool ua_of(struct slice text, uint8_t octets[SEC_GBA_UA_N], struct slice *ua)
{
    const struct {
        struct slice word, ua;
    } words[] = {{SLICE("digest"), SEC_GBA_UA_DIGEST},
                 {SLICE("push"), SEC_GBA_UA_GPL},
                 {SLICE("tls"), SEC_NAF_UA_TLS},
                 {SLICE("tls13"), SEC_GBA_UA_TLS13}};

    *ua = slice_of(octets, SEC_GBA_UA_N);
    for (size_t i = 0; i < COUNT(words); i++)
        if (slice_eq(text, words[i].word)) {
            *ua = words[i].ua;
            return true;
        }
    return !codec_unhex(text, octets, SEC_GBA_UA_N);
}

static void set_protocol(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);
    uint8_t octets[SEC_GBA_UA_N];
    struct slice ua;

    if (d->peer.uas_n == SEC_NAF_ITEMS_MAX)
        ppg_list_say(l, line, "too many in one section");
    else if (!ua_of(line->value, octets, &ua))
        ppg_list_say(l, line, "digest, tls, tls13, push, or an identifier of 10 hexadecimal digits");
    else if (arena_dup(&d->mem, ua, &d->uas[d->peer.uas_n]))
        ppg_load_say(l->load, ERR_NOMEM, line->at, line->key, "no memory");
    else
        d->peer.uas_n++;
}

static void set_lifetime(struct ppg_list *l, const struct ppg_ini_line *line)
{
    int64_t ms = 0;

    if (ppg_value_time(line->value, 60000, LIFE_MAX_MS, &ms))
        ppg_list_say(l, line, "a time, 1min to 365d");
    else
        draft_of(l)->peer.life_max_s = ms / 1000;
}

static const struct ppg_list_key keys[] = {
    {"certificate", set_certificate, .repeats = true, .must = true},
    {"name", set_name, .repeats = true, .must = true},
    {"protocol", set_protocol, .repeats = true, .must = true},
    {"push", .bool_at = offsetof(struct draft, peer.push)},
    {"identity", .bool_at = offsetof(struct draft, peer.identity)},
    {"lifetime", set_lifetime, .must = false},
};

/* Push info is for one name and one protocol. */
static enum err allow(struct draft *d, const char **why)
{
    const struct sec_naf_peer *p = &d->peer;
    struct sec_naf_id id;
    enum err e = ERR_OK;

    *why = "too many names and protocols that may ask for push info, or one that is the gateway's own";
    for (size_t i = 0; i < p->fqdns_n; i++)
        for (size_t k = 0; k < p->uas_n && !e; k++) {
            if (p->uas[k].n != SEC_GBA_UA_N)
                continue;
            e = sec_gba_naf_id(p->fqdns[i], p->uas[k], &id);
            if (!e)
                e = sec_keyserver_allow(d->server, slice_of(id.octets, id.n), p->life_max_s);
        }
    return e;
}

static void end(struct ppg_list *l)
{
    struct draft *d = draft_of(l);
    const char *why;
    enum err e = sec_nafs_add(d->to, &d->peer, &why);

    if (!e && d->peer.push)
        e = allow(d, &why);
    if (e)
        ppg_load_say(l->load, e, l->at, d->peer.name, "%s", why);
    arena_clear(&d->mem);
}

void ppg_nafs_read(struct ppg_load *load, const char *path, int64_t life_max_s, struct sec_keyserver *server,
                   struct sec_nafs **out)
{
    struct ppg_place at = {path, 0};
    struct draft d = {
        .list =
            {.load = load, .kind = "naf", .keys = keys, .keys_n = COUNT(keys), .begin = begin, .end = end},
        .life_max_s = life_max_s,
        .server = server};
    enum err e = sec_nafs_create(&d.to);

    if (e) {
        ppg_load_say(load, e, at, SLICE_NONE, "%s", err_text(e));
        return;
    }
    arena_init(&d.mem, 1024, SECTION_MAX_N);
    ppg_list_read(&d.list, path, FILE_MAX_N, 0, at, SLICE_NONE);
    arena_clear(&d.mem);
    *out = d.to;
}
