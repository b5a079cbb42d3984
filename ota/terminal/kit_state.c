/* Making a kit, its associations and counters, and the text that survives a restart:
 *
 *     push-terminal-state 1
 *     sa <SAID, 32 hexadecimal digits> <highest number seen> <which of the 64 below, 16 hexadecimal digits>
 *     id <how it was proved, one letter><message id>
 *
 * Lines end in LF.  A number that was seen stays seen even while its association is not installed. */
#include "ota/terminal/kit_state.h"

#include <stdlib.h>
#include "base/codec.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/scan.h"

#define CONF_MAX_N    65536 /* octets of all configured text */
#define PLAIN_MAX_N   (64 * 1024 * 1024)
#define STATE_MAX_N   (64 * 1024 * 1024)
#define STATE_LINE    "push-terminal-state 1"
#define NONCE_LIFE_MS 60000 /* [OTA-HTTP §6] */
#define NONCES_MAX    1024

const char *kit_reason_text(enum kit_reason r)
{
    static const char *const texts[] = {
#define KIT_REASON_TEXT(name, text) text,
        KIT_REASON_LIST(KIT_REASON_TEXT)
#undef KIT_REASON_TEXT
    };

    return texts[r];
}

/* --- making --- */

static enum err copy(struct arena *a, struct slice *s)
{
    return s->n ? arena_dup(a, *s, s) : ERR_OK;
}

static enum err copy_servers(struct kit *k)
{
    struct slice *servers = arena_array(&k->arena, k->conf.servers_n, sizeof *servers);
    enum err e = servers || k->conf.servers_n == 0 ? ERR_OK : ERR_NOMEM;

    for (size_t i = 0; i < k->conf.servers_n && !e; i++) {
        servers[i] = k->conf.servers[i];
        e = copy(&k->arena, &servers[i]);
    }
    k->conf.servers = servers;
    return e;
}

/* What goes into header lines ends none; an identity is one word. */
static bool sayable(const struct kit_conf *c, struct slice *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_printable_n(*texts[i]) != texts[i]->n)
            return false;
    return slice_find(c->terminal_id, ' ') == SIZE_MAX;
}

static enum err copy_conf(struct kit *k)
{
    struct kit_conf *c = &k->conf;
    struct slice *const texts[] = {&c->terminal_id,     &c->accept,          &c->accept_charset,
                                   &c->accept_encoding, &c->accept_language, &c->accept_app,
                                   &c->login_user,      &c->proof_user,      &c->mac_user,
                                   &c->xml_name,        &c->verify_apps,     &c->user_apps};
    enum err e = ERR_OK;

    c->login_password = c->proof_password = c->mac_password = c->mac_key = SLICE_NONE;
    c->xml_keys = NULL;
    if (!sayable(c, texts, sizeof texts / sizeof texts[0]))
        return ERR_MALFORMED;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && !e; i++)
        e = copy(&k->arena, texts[i]);
    return e ? e : copy_servers(k);
}

/* First four octets of a hash over everything the gateway is told, as base64 [OTA-HTTP §4]. */
static enum err make_tag(struct kit *k)
{
    static const uint64_t key[2] = {0x7075736870757368,
                                    0x6370697461676370}; /* fixed: the tag outlives a run */
    const struct kit_conf *c = &k->conf;
    uint8_t octets[8];
    struct buf text;
    enum err e;

    buf_init(&text, CONF_MAX_N);
    buf_addf(&text, "%zu %u\n", c->max_size, c->max_outstanding);
    buf_add(&text, c->accept);
    buf_add_ch(&text, '\n');
    buf_add(&text, c->accept_charset);
    buf_add_ch(&text, '\n');
    if (c->accept_encoding.n) { /* so that tags from before it could be said stay */
        buf_add(&text, c->accept_encoding);
        buf_add_ch(&text, '\n');
    }
    buf_add(&text, c->accept_language);
    buf_add_ch(&text, '\n');
    buf_add(&text, c->accept_app);
    num_put64(octets, map_hash(key, buf_slice(&text)));
    buf_reset(&text, CONF_MAX_N);
    codec_base64(&text, slice_of(octets, 4));
    e = buf_err(&text);
    if (!e)
        mem_copy(k->tag, sizeof k->tag, buf_slice(&text));
    buf_clear(&text);
    return e;
}

static enum err make_login(struct kit *k, struct slice password)
{
    const struct sec_digest_guard_conf conf = {NONCE_LIFE_MS, NONCES_MAX, true};
    enum err e = ERR_OK;

    if (k->conf.login_user.n == 0)
        return ERR_OK;
    for (size_t i = 0; i < SEC_DIGEST_ALGORITHM_COUNT && !e; i++)
        e = sec_digest_ha1((enum sec_digest_algorithm)i, k->conf.login_user, SLICE(KIT_REALM), password,
                           &k->ha1[i]);
    return e ? e : sec_digest_guard_create(&conf, &k->guard);
}

static enum err init_seen(struct kit *k, size_t max)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < KIT_SEEN_RINGS && !e; i++)
        e = kit_seen_init(&k->seen[i], max);
    return e;
}

static enum err make(struct kit *k, const struct kit_conf *conf)
{
    enum err e;

    k->conf = *conf;
    arena_init(&k->arena, 1024, CONF_MAX_N);
    buf_init(&k->plain, PLAIN_MAX_N);
    buf_init(&k->text, CONF_MAX_N);
    buf_init(&k->proof_password, conf->proof_password.n);
    buf_add(&k->proof_password, conf->proof_password);
    if (buf_err(&k->proof_password))
        return buf_err(&k->proof_password);
    e = init_seen(k, conf->seen_max);
    if (!e)
        e = kit_verify_init(&k->verify);
    if (!e)
        e = copy_conf(k);
    if (!e)
        e = make_tag(k);
    if (!e)
        e = kit_mac_make(k, conf);
    if (!e)
        e = kit_xml_make(k, conf);
    return e ? e : make_login(k, conf->login_password);
}

enum err kit_create(const struct kit_conf *conf, struct kit **out)
{
    struct kit *k;
    enum err e;

    if (conf->servers_n > KIT_SERVERS_MAX || conf->window > SEC_SA_WINDOW_MAX || conf->max_outstanding == 0 ||
        conf->max_size == 0 || conf->max_size > PLAIN_MAX_N)
        return ERR_LIMIT;
    k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    e = make(k, conf);
    if (e)
        kit_free(&k);
    else
        *out = k;
    return e;
}

static void assoc_free(struct kit_assoc *a)
{
    if (a->present)
        sec_sa_clear(&a->sa);
    free(a);
}

void kit_assoc_drop(struct kit *k, size_t at)
{
    assoc_free(k->assocs[at]);
    k->assocs_n--;
    for (size_t i = at; i < k->assocs_n; i++)
        k->assocs[i] = k->assocs[i + 1];
}

void kit_free(struct kit **kit)
{
    struct kit *k = *kit;

    *kit = NULL;
    if (!k)
        return;
    for (size_t i = 0; i < k->assocs_n; i++)
        assoc_free(k->assocs[i]);
    sec_usim_free(&k->gba.usim);
    kit_prov_free(&k->prov);
    for (size_t i = 0; i < SEC_DIGEST_ALGORITHM_COUNT; i++)
        sec_secret_clear(&k->ha1[i]);
    sec_digest_guard_free(&k->guard);
    sec_mac_guard_free(&k->macs);
    sec_mac_keys_clear(&k->mac_keys);
    sec_xml_keys_clear(&k->xml_keys);
    for (size_t i = 0; i < KIT_SEEN_RINGS; i++)
        kit_seen_clear(&k->seen[i]);
    kit_verify_clear(&k->verify);
    buf_wipe(&k->plain);
    buf_wipe(&k->proof_password);
    buf_clear(&k->text);
    arena_clear(&k->arena);
    free(k);
}

struct kit_seen *kit_seen_of(struct kit *k, struct slice id)
{
    char proof = id.n ? id.p[0] : 'c';

    return &k->seen[proof == 's' || proof == 'S'   ? KIT_SEEN_SEALED
                    : proof == 't' || proof == 'T' ? KIT_SEEN_TLS
                                                   : KIT_SEEN_CLEAR];
}

/* --- associations --- */

struct kit_assoc *kit_assoc_find(struct kit *k, struct slice said)
{
    for (size_t i = 0; i < k->assocs_n; i++)
        if (slice_eq(slice_of(k->assocs[i]->said, SEC_SA_RAND_N), said))
            return k->assocs[i];
    return NULL;
}

enum err kit_assoc_add(struct kit *k, struct slice said, struct kit_assoc **out)
{
    struct kit_assoc *a;

    if (k->assocs_n == KIT_SA_MAX)
        return ERR_LIMIT;
    a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    mem_copy(a->said, sizeof a->said, said);
    k->assocs[k->assocs_n++] = a;
    *out = a;
    return ERR_OK;
}

enum err kit_add_association(struct kit *k, const uint8_t said[16], struct slice key, const uint8_t *suites,
                             size_t suites_n, int64_t expires_ms)
{
    const struct sec_sa_conf conf = {.rand = slice_of(said, SEC_SA_RAND_N),
                                     .ks = key,
                                     .suites = slice_of(suites, suites_n),
                                     .expires_s = expires_ms ? expires_ms / 1000 : INT64_MAX,
                                     .window = (uint8_t)k->conf.window};
    struct kit_assoc *a = kit_assoc_find(k, conf.rand);
    struct sec_sa sa;
    enum err e = a && a->present ? ERR_EXISTS : sec_sa_init(&sa, &conf);

    if (!e && !a)
        e = kit_assoc_add(k, conf.rand, &a);
    if (e)
        return e;
    a->sa = sa;
    mem_wipe(sa.ks, sizeof sa.ks);
    a->sa.window.high = a->high;
    a->sa.window.seen = a->seen;
    a->present = true;
    return ERR_OK;
}

/* --- saving --- */

static void save_assoc(const struct kit_assoc *a, struct buf *out)
{
    uint32_t high = a->present ? a->sa.window.high : a->high;
    uint64_t seen = a->present ? a->sa.window.seen : a->seen;

    buf_add(out, SLICE("sa "));
    codec_hex(out, slice_of(a->said, SEC_SA_RAND_N));
    buf_addf(out, " %lu %016llx\n", (unsigned long)high, (unsigned long long)seen);
}

static void save_seen(const struct kit_seen *seen, struct buf *out)
{
    struct slice id;
    size_t pos = 0;

    while (kit_seen_next(seen, &pos, &id)) {
        buf_add(out, SLICE("id "));
        buf_add(out, id);
        buf_add_ch(out, '\n');
    }
}

void kit_save(const struct kit *k, struct buf *out)
{
    buf_add(out, SLICE(STATE_LINE "\n"));
    for (size_t i = 0; i < k->assocs_n; i++)
        if (!k->assocs[i]->gpi_n)
            save_assoc(k->assocs[i], out);
    kit_gba_save(k, out);
    for (size_t i = 0; i < KIT_SEEN_RINGS; i++)
        save_seen(&k->seen[i], out);
}

/* --- loading --- */

struct saved_assoc {
    uint8_t said[SEC_SA_RAND_N];
    uint32_t high;
    uint64_t seen;
};

static enum err parse_assoc(struct scan *s, struct saved_assoc *out)
{
    struct saved_assoc v;
    uint8_t seen[8];
    struct slice said = scan_token(s, 2 * SEC_SA_RAND_N), bits;

    scan_ch(s, ' ');
    v.high = scan_u32(s, 0, UINT32_MAX);
    scan_ch(s, ' ');
    bits = scan_token(s, 2 * sizeof seen);
    scan_end(s);
    if (s->err)
        return s->err;
    if (codec_unhex(said, v.said, sizeof v.said) || codec_unhex(bits, seen, sizeof seen))
        return ERR_MALFORMED;
    v.seen = num_get64(seen);
    *out = v;
    return ERR_OK;
}

/* A number never goes back. */
static enum err load_assoc(struct kit *k, const struct saved_assoc *v)
{
    struct slice said = slice_of(v->said, SEC_SA_RAND_N);
    struct kit_assoc *a = kit_assoc_find(k, said);
    enum err e = a ? ERR_OK : kit_assoc_add(k, said, &a);

    if (e)
        return e;
    if (a->present && v->high > a->sa.window.high) {
        a->sa.window.high = v->high;
        a->sa.window.seen = v->seen;
    } else if (!a->present && v->high >= a->high) {
        a->high = v->high;
        a->seen = v->seen;
    }
    return ERR_OK;
}

static bool is_id_ch(unsigned char ch)
{
    return ch > 0x20 && ch < 0x7F;
}

static enum err load_line(struct kit *k, struct slice text, bool apply)
{
    struct scan s = scan_of(text);
    struct saved_assoc v;
    struct slice id;
    enum err e;

    if (scan_skip_ci(&s, SLICE("sa "))) {
        e = parse_assoc(&s, &v);
        return e || !apply ? e : load_assoc(k, &v);
    }
    if (scan_skip_ci(&s, SLICE("module ")))
        return kit_gba_load_seen(k, &s, apply);
    if (scan_skip_ci(&s, SLICE("made ")))
        return kit_gba_load_assoc(k, &s, apply);
    scan_lit(&s, SLICE("id "));
    id = scan_while(&s, is_id_ch, KIT_MESSAGE_ID_MAX_N + 1);
    scan_end(&s);
    if (s.err)
        return s.err;
    return apply ? kit_seen_add(kit_seen_of(k, id), id) : ERR_OK;
}

static enum err load_lines(struct kit *k, struct slice saved, bool apply)
{
    struct slice text;
    enum err e = ERR_OK;

    if (!slice_starts(saved, SLICE(STATE_LINE "\n")) || !slice_ends(saved, SLICE("\n")))
        return ERR_MALFORMED;
    saved = slice_sub(saved, sizeof STATE_LINE, SIZE_MAX);
    while (!e && saved.n) {
        (void)slice_cut(saved, '\n', &text, &saved);
        e = load_line(k, text, apply);
    }
    return e;
}

/* Read twice: a state that is broken anywhere changes nothing. */
enum err kit_load(struct kit *k, struct slice saved)
{
    enum err e = saved.n > STATE_MAX_N ? ERR_LIMIT : load_lines(k, saved, false);

    return e ? e : load_lines(k, saved, true);
}

/* --- counting --- */

bool kit_count_next(const struct kit *k, size_t *pos, const char **reason, uint64_t *n)
{
    if (*pos >= KIT_REASON_COUNT)
        return false;
    *reason = kit_reason_text((enum kit_reason) * pos);
    *n = k->counts[*pos];
    (*pos)++;
    return true;
}
