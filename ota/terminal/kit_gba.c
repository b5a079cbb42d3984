/* Associations that pushes bring along: what the terminal does with a GBA Push Info, and what of it survives a restart.
 * The order of checks of GPI-A1 is sec_usim_accept's; here are the ones around it: that the message names the association
 * it brings, that one which is there already costs nothing, how many may come to nothing, and that it is new.
 * [GBA-PUSH §4.4, §6.2].  One thread. */
#include "ota/terminal/kit_state.h"

#include <stdlib.h>
#include "base/codec.h"
#include "base/mem.h"
#include "base/num.h"
#include "security/gba/gpi.h"

#define RATE_WINDOW_S   60
#define RETIRED_S       60 /* the one before opens so long after a new one [GBA-PUSH §6.2] */
#define SEEN_N          (8 * SEC_AKA_SLOTS)
/* Numbers of what we seal keep pace with the clock, so that a state that comes back from an older copy meets none that was
 * used since, nor one that the gateway takes for a replay. */
#define UPLINK_PACE     16 /* a second */
#define UPLINK_PACE_END (INT64_C(1) << 30)

/* What we open; the gateway seals with one of them. */
static const uint8_t suites[] = {SEC_GPL_CTR, SEC_GPL_HMAC, SEC_GPL_GCM};

static const enum kit_reason reasons[] = {
    [SEC_GPI_GOOD] = KIT_REASON_NONE,           [SEC_GPI_POLICY] = KIT_REASON_GPI_POLICY,
    [SEC_GPI_AUTH_MAC] = KIT_REASON_AUTH_MAC,   [SEC_GPI_AUTH_SYNC] = KIT_REASON_AUTH_SYNC,
    [SEC_GPI_GPI_MAC] = KIT_REASON_GPI_MAC,     [SEC_GPI_MALFORMED] = KIT_REASON_GPI_MALFORMED,
    [SEC_GPI_EXPIRED] = KIT_REASON_GPI_EXPIRED,
};

enum err kit_add_module(struct kit *k, const struct kit_module *m)
{
    const struct sec_usim_conf conf = {m->impi, m->k, m->opc, m->star};
    struct kit_gba *g = &k->gba;
    enum err e = ERR_OK;

    if (g->usim)
        return ERR_EXISTS;
    if (m->gateways_n > KIT_SERVERS_MAX || m->rate < 1 || m->life_max_s < 1)
        return ERR_LIMIT;
    for (size_t i = 0; i < m->gateways_n && !e; i++)
        e = arena_dup(&k->arena, m->gateways[i], &g->gateways[i]);
    if (!e)
        e = sec_usim_create(&conf, &g->usim);
    if (e)
        return e;
    g->gateways_n = m->gateways_n;
    g->life_max_s = m->life_max_s;
    g->rate = m->rate;
    if (g->has_seen)
        sec_usim_restore(g->usim, &g->seen);
    return ERR_OK;
}

struct slice kit_assoc_gateway(const struct kit_assoc *a)
{
    struct sec_gpi_msg gpi;
    struct slice name = SLICE_NONE, ua;

    if (!a->gpi_n || sec_gpi_parse(slice_of(a->gpi, a->gpi_n), &gpi) ||
        sec_gba_naf_id_split(gpi.naf_id, &name, &ua))
        return SLICE_NONE;
    return name;
}

/* --- making one --- */

/* Forgets what has run out, so that there is room. */
static void tidy(struct kit *k, int64_t now_s)
{
    for (size_t i = k->assocs_n; i-- > 0;)
        if (k->assocs[i]->gpi_n && sec_sa_expired(&k->assocs[i]->sa, now_s))
            kit_assoc_drop(k, i);
}

/* One that is live has this name for the way up, with the same gateway. */
static bool ptid_used(const struct kit *k, struct slice gateway, const struct sec_gpi_opened *opened)
{
    struct slice ptid = slice_of(opened->ptid, opened->ptid_n);

    for (size_t i = 0; i < k->assocs_n; i++)
        if (k->assocs[i]->gpi_n && slice_eq(kit_assoc_gateway(k->assocs[i]), gateway) &&
            slice_eq(sec_sa_said(&k->assocs[i]->sa, SEC_GPL_UPLINK), ptid))
            return true;
    return false;
}

enum err kit_gba_make(struct kit *k, const struct kit_gba_conf *conf, struct kit_assoc **out)
{
    struct sec_sa_conf sa = {.ptid = conf->ptid,
                             .ks = conf->ks,
                             .suites = slice_of(suites, sizeof suites),
                             .expires_s = conf->expires_s,
                             .window = (uint8_t)k->conf.window};
    struct kit_assoc *a = NULL;
    struct sec_gpi_msg gpi;
    struct sec_sa made;
    enum err e = sec_gpi_parse(conf->gpi, &gpi);

    if (!e) {
        sa.rand = gpi.rand;
        e = sec_sa_init(&made, &sa);
    }
    if (e)
        return e;
    e = kit_assoc_add(k, sa.rand, &a);
    if (!e) {
        a->sa = made;
        a->present = true;
        a->gpi_n = conf->gpi.n;
        a->made_s = conf->made_s;
        mem_copy(a->gpi, sizeof a->gpi, conf->gpi);
        *out = a;
    }
    mem_wipe(made.ks, sizeof made.ks);
    return e;
}

/* The others with this gateway give way, not at once: pushes may be on their way still. */
static void retire_others(struct kit *k, const struct kit_assoc *kept, int64_t now_s)
{
    for (size_t i = 0; i < k->assocs_n; i++) {
        struct kit_assoc *a = k->assocs[i];

        if (a != kept && a->gpi_n && slice_eq(kit_assoc_gateway(a), kit_assoc_gateway(kept)))
            a->sa.expires_s = num_min64(a->sa.expires_s, now_s + RETIRED_S);
    }
}

static enum kit_reason keep(struct kit *k, struct slice gpi, const struct sec_gpi_msg *msg,
                            const struct sec_usim_result *r, int64_t now_s)
{
    const struct kit_gba_conf conf = {.gpi = gpi,
                                      .ptid = slice_of(r->opened.ptid, r->opened.ptid_n),
                                      .ks = sec_secret_slice(&r->ks_naf),
                                      .expires_s = r->opened.expires_s,
                                      .made_s = now_s};
    struct slice gateway, ua;
    struct kit_assoc *a;

    tidy(k, now_s);
    if (sec_gba_naf_id_split(msg->naf_id, &gateway, &ua) || ptid_used(k, gateway, &r->opened))
        return KIT_REASON_GPI_DUPLICATE;
    if (kit_gba_make(k, &conf, &a))
        return KIT_REASON_RESOURCES;
    retire_others(k, a, now_s);
    return KIT_REASON_NONE;
}

/* --- taking one --- */

/* Each costs a run of the module, and whoever sends it is not known before. */
static bool rate_ok(struct kit_gba *g, int64_t now_s)
{
    if (now_s < g->since_s || now_s - g->since_s >= RATE_WINDOW_S) {
        g->since_s = now_s;
        g->failed = 0;
    }
    return g->failed < g->rate;
}

static enum kit_reason accept(struct kit *k, struct slice gpi, const struct sec_gpi_msg *msg, int64_t now_s)
{
    const struct sec_usim_policy policy = {k->gba.gateways, k->gba.gateways_n, k->gba.life_max_s, now_s};
    struct sec_usim_result r;
    enum kit_reason why;

    if (sec_usim_accept(k->gba.usim, msg, &policy, &r))
        return KIT_REASON_RESOURCES;
    why = reasons[r.verdict];
    if (why == KIT_REASON_NONE)
        why = keep(k, gpi, msg, &r, now_s);
    else if (why != KIT_REASON_GPI_POLICY) /* which cost nothing */
        k->gba.failed++;
    if (why == KIT_REASON_AUTH_SYNC) {
        k->said.word = OTA_SA_RESYNC;
        mem_copy(k->said.rand, sizeof k->said.rand, msg->rand);
        mem_copy(k->said.auts, sizeof k->said.auts, slice_of(r.auts, sizeof r.auts));
    }
    sec_usim_result_clear(&r);
    return why;
}

enum kit_reason kit_gba_take(struct kit *k, const struct sec_gpl_msg *msg, int64_t now_s, bool *made)
{
    struct kit_assoc *a = kit_assoc_find(k, msg->said);
    struct sec_gpi_msg gpi;
    enum kit_reason why;

    if (!k->gba.usim)
        return KIT_REASON_GPI;
    if (sec_gpi_parse(msg->gpi, &gpi))
        return KIT_REASON_GPI_MALFORMED;
    if (!slice_eq(gpi.rand, msg->said)) /* it would be spent for a message that cannot open */
        return KIT_REASON_NO_SA;
    if (a && a->gpi_n && slice_eq(slice_of(a->gpi, a->gpi_n), msg->gpi))
        return KIT_REASON_NONE;
    if (a && a->present)
        return KIT_REASON_GPI_DUPLICATE;
    if (!rate_ok(&k->gba, now_s))
        return KIT_REASON_GPI_RATE;
    why = accept(k, msg->gpi, &gpi, now_s);
    *made = why == KIT_REASON_NONE;
    return why;
}

/* --- confirming one --- */

static uint32_t uplink_floor(const struct kit_assoc *a, int64_t now_s)
{
    int64_t age_s = num_min64(now_s - a->made_s, UPLINK_PACE_END / UPLINK_PACE);

    return age_s > 0 ? 1 + (uint32_t)(age_s * UPLINK_PACE) : 1;
}

/* In the suite of the push, which the gateway allows. */
static enum err seal_confirmation(struct kit_assoc *a, const struct sec_gpl_msg *msg, struct slice message_id,
                                  int64_t now_s, struct buf *out)
{
    uint32_t from = (uint32_t)num_max64(a->sa.numbers.end, uplink_floor(a, now_s)), sn;
    struct buf text;
    struct slice part;
    enum err e;

    buf_init(&text, OTA_SA_UPLINK_MAX_N);
    ota_sa_confirmation_print(message_id, &text);
    part = buf_slice(&text);
    e = buf_err(&text);
    if (!e)
        e = sec_sa_reserved(&a->sa, from, from + 1);
    if (!e) {
        a->sa.preferred = msg->suite;
        e = sec_sa_seal(&a->sa, SEC_GPL_UPLINK, now_s, SLICE_NONE, &part, 1, out, &sn);
    }
    buf_clear(&text);
    return e;
}

/* As long as the gateway does not know, it goes on bringing it: one that cannot be made is left out. */
void kit_gba_confirm(struct kit *k, struct kit_assoc *a, const struct sec_gpl_msg *msg,
                     struct slice message_id, int64_t now_s)
{
    struct ota_sa_answer *said = &k->said;
    struct buf sealed;

    if (!message_id.n)
        return;
    buf_init(&sealed, sizeof said->uplink);
    if (!seal_confirmation(a, msg, message_id, now_s, &sealed)) {
        said->word = OTA_SA_CONFIRMED;
        said->uplink_n = sealed.n;
        mem_copy(said->uplink, sizeof said->uplink, buf_slice(&sealed));
    }
    buf_clear(&sealed);
}

/* --- saving --- */

static void save_seen(const struct sec_aka_seen *seen, struct buf *out)
{
    buf_add(out, SLICE("module "));
    for (size_t i = 0; i < SEC_AKA_SLOTS; i++)
        buf_addf(out, "%016llx", (unsigned long long)seen->seq[i]);
    buf_add_ch(out, '\n');
}

static void save_assoc(const struct kit_assoc *a, struct buf *out)
{
    const struct slice parts[] = {slice_of(a->gpi, a->gpi_n), slice_of(a->sa.ks, sizeof a->sa.ks),
                                  sec_sa_said(&a->sa, SEC_GPL_UPLINK)};

    buf_add(out, SLICE("made "));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        codec_hex(out, parts[i]);
        buf_add_ch(out, ' ');
    }
    buf_addf(out, "%llu %lu %016llx %lu %llu\n", (unsigned long long)a->sa.expires_s,
             (unsigned long)a->sa.window.high, (unsigned long long)a->sa.window.seen,
             (unsigned long)a->sa.numbers.end, (unsigned long long)a->made_s);
}

void kit_gba_save(const struct kit *k, struct buf *out)
{
    if (k->gba.usim)
        save_seen(sec_usim_seen(k->gba.usim), out);
    else if (k->gba.has_seen)
        save_seen(&k->gba.seen, out);
    for (size_t i = 0; i < k->assocs_n; i++)
        if (k->assocs[i]->gpi_n)
            save_assoc(k->assocs[i], out);
}

/* --- logins elsewhere --- */

enum err kit_aka(struct kit *k, const uint8_t rand[SEC_AKA_RAND_N], const uint8_t autn[SEC_AKA_AUTN_N],
                 struct sec_aka_vector *out, uint8_t auts[SEC_AKA_AUTS_N])
{
    return k->gba.usim ? sec_usim_aka(k->gba.usim, rand, autn, out, auts) : ERR_ABSENT;
}

struct slice kit_impi(const struct kit *k)
{
    return k->gba.usim ? sec_usim_impi(k->gba.usim) : SLICE_NONE;
}

/* --- loading --- */

/* A number never goes back. */
enum err kit_gba_load_seen(struct kit *k, struct scan *s, bool apply)
{
    struct slice text = scan_token(s, 2 * SEEN_N);
    uint8_t octets[SEEN_N];
    struct sec_aka_seen now = k->gba.seen;

    scan_end(s);
    if (s->err)
        return s->err;
    if (codec_unhex(text, octets, sizeof octets))
        return ERR_MALFORMED;
    if (k->gba.usim)
        now = *sec_usim_seen(k->gba.usim);
    for (size_t i = 0; i < SEC_AKA_SLOTS; i++) {
        uint64_t seq = num_get64(octets + 8 * i);

        if (seq > SEC_AKA_SQN_MAX >> SEC_AKA_IND_BITS)
            return ERR_MALFORMED;
        if (seq > now.seq[i])
            now.seq[i] = seq;
    }
    if (!apply)
        return ERR_OK;
    k->gba.seen = now;
    k->gba.has_seen = true;
    if (k->gba.usim)
        sec_usim_restore(k->gba.usim, &now);
    return ERR_OK;
}

/* At most max_n octets, as hexadecimal digits; n 0: none, or too many, or not such digits. */
static size_t octets_read(struct scan *s, uint8_t *out, size_t max_n)
{
    struct slice text = scan_token(s, 2 * max_n);

    scan_ch(s, ' ');
    return s->err || text.n % 2 || codec_unhex(text, out, text.n / 2) ? 0 : text.n / 2;
}

struct saved {
    uint8_t gpi[SEC_GPI_MAX_N], ks[SEC_GPL_KEY_N], ptid[SEC_GPI_PTID_MAX_N];
    size_t gpi_n, ks_n, ptid_n;
    uint64_t expires_s, made_s;
    uint32_t high, next;
    uint64_t seen;
};

/* What older states lack: of those associations the gateway knew when the push was answered. */
static void saved_uplink(struct scan *s, struct saved *v)
{
    v->made_s = v->expires_s;
    v->next = 0;
    if (scan_peek(s) != ' ')
        return;
    scan_ch(s, ' ');
    v->next = scan_u32(s, 0, UINT32_MAX);
    scan_ch(s, ' ');
    v->made_s = scan_u64(s, 0, INT64_MAX);
}

static enum err saved_parse(struct scan *s, struct saved *v)
{
    uint8_t bits[8];
    struct sec_gpi_msg gpi;
    struct slice text;

    v->gpi_n = octets_read(s, v->gpi, sizeof v->gpi);
    v->ks_n = octets_read(s, v->ks, sizeof v->ks);
    v->ptid_n = octets_read(s, v->ptid, sizeof v->ptid);
    v->expires_s = scan_u64(s, 1, INT64_MAX);
    scan_ch(s, ' ');
    v->high = scan_u32(s, 0, UINT32_MAX);
    scan_ch(s, ' ');
    text = scan_token(s, 2 * sizeof bits);
    saved_uplink(s, v);
    scan_end(s);
    if (s->err)
        return s->err;
    if (!v->ptid_n || v->ks_n != SEC_GPL_KEY_N || codec_unhex(text, bits, sizeof bits) ||
        sec_gpi_parse(slice_of(v->gpi, v->gpi_n), &gpi))
        return ERR_MALFORMED;
    v->seen = num_get64(bits);
    return ERR_OK;
}

static enum err saved_apply(struct kit *k, const struct saved *v)
{
    const struct kit_gba_conf conf = {.gpi = slice_of(v->gpi, v->gpi_n),
                                      .ptid = slice_of(v->ptid, v->ptid_n),
                                      .ks = slice_of(v->ks, v->ks_n),
                                      .expires_s = (int64_t)v->expires_s,
                                      .made_s = (int64_t)v->made_s};
    struct sec_gpi_msg gpi;
    struct kit_assoc *a;
    enum err e = sec_gpi_parse(conf.gpi, &gpi);

    if (!e && kit_assoc_find(k, gpi.rand))
        return ERR_OK; /* it is there, and knows more */
    if (!e)
        e = kit_gba_make(k, &conf, &a);
    if (!e) {
        a->sa.window.high = v->high;
        a->sa.window.seen = v->seen;
        a->sa.numbers = (struct sec_sa_numbers){v->next, v->next};
    }
    return e;
}

enum err kit_gba_load_assoc(struct kit *k, struct scan *s, bool apply)
{
    struct saved v;
    enum err e = saved_parse(s, &v);

    if (!e && apply)
        e = saved_apply(k, &v);
    mem_wipe(&v, sizeof v);
    return e;
}
