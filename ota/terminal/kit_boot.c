/* Bootstrapping; see boot.h.  The challenge is kept as it came, for what it offers is read as views into it. */
#include "ota/terminal/boot.h"

#include <stdlib.h>
#include "base/mem.h"
#include "base/num.h"
#include "ota/terminal/kit_state.h"
#include "security/gba/bootinfo.h"
#include "security/gba/gba.h"
#include "security/login/digest_aka.h"

#define CHALLENGES_MAX 8
#define SYNCS_MAX      2 /* in one run: the network follows at once, or never */

/* What the next request says. */
enum step { FIRST, ANSWER, SYNC };

struct kit_boot {
    struct kit *kit;
    char fqdn[SEC_GBA_FQDN_MAX_N]; /* of the BSF, fqdn_n octets */
    size_t fqdn_n;
    enum step step;
    unsigned syncs;
    struct buf challenge; /* that offer has views into */
    struct sec_digest_offer offer;
    struct buf cnonce;
    /* Of the run under way; what the one before came to stands until it is done. */
    uint8_t asked[SEC_AKA_RAND_N];
    struct sec_aka_vector vector;
    uint8_t auts[SEC_AKA_AUTS_N];
    struct sec_digest_response sent;
    struct sec_secret ha1;
    /* What came of it; expires_s 0: nothing. */
    uint8_t rand[SEC_AKA_RAND_N];
    struct sec_secret ks;
    char btid[SEC_BTID_MAX_N];
    size_t btid_n;
    int64_t made_s, expires_s;
    char tmpi[SEC_TMPI_MAX_N]; /* who we are in the next run; tmpi_n 0: the IMPI.  Outlives the keys */
    size_t tmpi_n;
};

static const struct sec_digest_request request = {SLICE("GET"), SLICE("/"), SLICE_NONE, true};

static struct slice impi_of(const struct kit_boot *b)
{
    return sec_usim_impi(b->kit->gba.usim);
}

/* In requests; keys are always the IMPI's. */
static struct slice name_of(const struct kit_boot *b)
{
    return b->tmpi_n ? slice_of(b->tmpi, b->tmpi_n) : impi_of(b);
}

struct slice kit_boot_bsf(const struct kit_boot *b)
{
    return slice_of(b->fqdn, b->fqdn_n);
}

/* --- life --- */

static enum err name_it(struct kit_boot *b, struct slice bsf)
{
    struct buf name;
    enum err e = ERR_OK;

    buf_init(&name, sizeof b->fqdn);
    if (bsf.n)
        buf_add(&name, bsf);
    else
        e = sec_gba_bsf_of_impi(impi_of(b), &name);
    if (!e)
        e = buf_err(&name);
    if (!e && !sec_gba_is_fqdn(buf_slice(&name)))
        e = ERR_MALFORMED;
    if (!e) {
        mem_copy(b->fqdn, sizeof b->fqdn, buf_slice(&name));
        b->fqdn_n = name.n;
    }
    buf_clear(&name);
    return e;
}

enum err kit_boot_create(struct kit *k, struct slice bsf, struct kit_boot **out)
{
    struct kit_boot *b = k->gba.usim ? calloc(1, sizeof *b) : NULL;
    enum err e;

    if (!b)
        return k->gba.usim ? ERR_NOMEM : ERR_ABSENT;
    b->kit = k;
    buf_init(&b->challenge, SEC_DIGEST_HEADER_MAX_N);
    buf_init(&b->cnonce, SEC_DIGEST_CNONCE_N);
    e = name_it(b, bsf);
    if (e)
        kit_boot_free(&b);
    else
        *out = b;
    return e;
}

/* The run under way is over. */
static void restart(struct kit_boot *b)
{
    b->step = FIRST;
    b->syncs = 0;
    sec_aka_vector_clear(&b->vector);
    sec_secret_clear(&b->ha1);
}

void kit_boot_forget(struct kit_boot *b)
{
    sec_secret_clear(&b->ks);
    b->expires_s = 0;
}

void kit_boot_free(struct kit_boot **bp)
{
    struct kit_boot *b = *bp;

    if (!b)
        return;
    buf_clear(&b->challenge);
    buf_clear(&b->cnonce);
    mem_wipe(b, sizeof *b);
    free(b);
    *bp = NULL;
}

/* --- requests --- */

static enum err fresh_cnonce(struct kit_boot *b)
{
    buf_reset(&b->cnonce, SEC_DIGEST_CNONCE_N);
    return sec_digest_cnonce(&b->cnonce);
}

static enum err print_authorization(struct kit_boot *b, struct buf *out)
{
    enum err e = fresh_cnonce(b);

    if (e)
        return e;
    if (b->step == FIRST)
        return sec_digest_aka_first(name_of(b), kit_boot_bsf(b), request.uri, out);
    if (b->step == SYNC)
        return sec_digest_aka_sync(&b->offer, name_of(b), b->auts, &request, buf_slice(&b->cnonce), out);
    e = sec_digest_aka_ha1(b->offer.algorithm, name_of(b), b->offer.realm, &b->vector, &b->ha1);
    return e ? e
             : sec_digest_answer(&b->offer, name_of(b), &b->ha1, &request, buf_slice(&b->cnonce), 1, out,
                                 &b->sent);
}

enum err kit_boot_request(struct kit_boot *b, struct buf *out)
{
    enum err e;

    buf_addf(out,
             "GET / HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: " KIT_BOOT_PRODUCT " " KIT_BOOT_TMPI
             "\r\nAuthorization: ",
             (int)b->fqdn_n, b->fqdn);
    e = print_authorization(b, out);
    buf_add_str(out, "\r\n\r\n");
    return e ? e : buf_err(out);
}

/* --- answers --- */

static enum kit_boot_word failed(struct kit_boot *b, const char *what, const char **why)
{
    restart(b);
    *why = what;
    return KIT_BOOT_FAILED;
}

/* The challenge to keep, and its RAND and AUTN; NULL: why not. */
static const char *take_offer(struct kit_boot *b, const struct kit_heard *a, uint8_t autn[SEC_AKA_AUTN_N])
{
    struct slice values[CHALLENGES_MAX];
    size_t n = kit_heard_headers(a, SLICE("WWW-Authenticate"), values, CHALLENGES_MAX), at = 0;
    struct slice kept;

    while (at < n && sec_digest_aka_choose(&values[at], 1, &b->offer))
        at++;
    if (at == n)
        return "no challenge of AKA";
    buf_reset(&b->challenge, SEC_DIGEST_HEADER_MAX_N);
    buf_add(&b->challenge, values[at]);
    kept = buf_slice(&b->challenge);
    if (buf_err(&b->challenge) || sec_digest_aka_choose(&kept, 1, &b->offer))
        return "out of memory";
    if (!slice_eq(b->offer.realm, kit_boot_bsf(b)))
        return "another key server";
    return sec_digest_aka_nonce(b->offer.nonce, b->asked, autn) ? "a challenge that is none" : NULL;
}

/* TS 33.102 §6.3.3: a network that is not ours is told nothing. */
static enum kit_boot_word challenged(struct kit_boot *b, const struct kit_heard *a, const char **why)
{
    uint8_t autn[SEC_AKA_AUTN_N];
    const char *fault = b->step == ANSWER ? "our answer is refused" : take_offer(b, a, autn);
    enum err e;

    if (fault)
        return failed(b, fault, why);
    e = sec_usim_aka(b->kit->gba.usim, b->asked, autn, &b->vector, b->auts);
    if (e == ERR_DENIED)
        return failed(b, "the network is not ours", why);
    if (e && e != ERR_EXISTS)
        return failed(b, "out of memory", why);
    b->step = e ? SYNC : ANSWER;
    if (e && b->syncs++ == SYNCS_MAX)
        return failed(b, "the network does not follow our numbers", why);
    return KIT_BOOT_AGAIN;
}

/* That B-TID belongs to this run is in its name. */
static bool is_ours(const struct kit_boot *b, const struct sec_bootinfo *info)
{
    struct buf want;
    bool same;

    buf_init(&want, SEC_BTID_MAX_N);
    same = !sec_gba_btid(b->asked, kit_boot_bsf(b), &want) &&
           slice_eq(buf_slice(&want), slice_of(info->btid, info->btid_n));
    buf_clear(&want);
    return same;
}

/* Both sides make it when both know of them (TS 24.109 §4.2).  Without one the IMPI goes on being shown. */
static void rename_us(struct kit_boot *b, struct slice server)
{
    struct buf tmpi;

    b->tmpi_n = 0;
    buf_init(&tmpi, sizeof b->tmpi);
    if (slice_find_slice(server, SLICE(KIT_BOOT_TMPI)) < server.n &&
        !sec_gba_tmpi(&b->ks, b->rand, impi_of(b), kit_boot_bsf(b), &tmpi)) {
        mem_copy(b->tmpi, sizeof b->tmpi, buf_slice(&tmpi));
        b->tmpi_n = tmpi.n;
    }
    buf_clear(&tmpi);
}

static enum kit_boot_word done(struct kit_boot *b, const struct kit_heard *a, int64_t now_s, const char **why)
{
    struct sec_bootinfo info;

    if (b->step != ANSWER ||
        sec_digest_check_info(kit_heard_header(a, SLICE("Authentication-Info")), &b->sent, &b->ha1, a->body))
        return failed(b, "it does not prove that it is the key server", why);
    if (sec_bootinfo_parse(a->body, &info) || !is_ours(b, &info))
        return failed(b, "what it says of the run is not understood", why);
    if (info.expires_s <= now_s)
        return failed(b, "over already", why);
    sec_gba_ks(b->vector.ck, b->vector.ik, &b->ks);
    mem_copy(b->rand, sizeof b->rand, slice_of(b->asked, sizeof b->asked));
    mem_copy(b->btid, sizeof b->btid, slice_of(info.btid, info.btid_n));
    b->btid_n = info.btid_n;
    b->expires_s = info.expires_s;
    b->made_s = now_s;
    rename_us(b, kit_heard_header(a, SLICE("Server")));
    restart(b);
    return KIT_BOOT_DONE;
}

enum kit_boot_word kit_boot_heard(struct kit_boot *b, const struct kit_heard *a, int64_t now_s,
                                  const char **why)
{
    if (a->status == 401)
        return challenged(b, a, why);
    if (a->status == 200)
        return done(b, a, now_s, why);
    if (b->tmpi_n && a->status == 403) { /* the TMPI is forgotten there: as who we are, once more */
        b->tmpi_n = 0;
        restart(b);
        return KIT_BOOT_AGAIN;
    }
    return failed(b, a->status == 503 ? "not now" : "refused", why);
}

/* --- keys --- */

bool kit_boot_good(const struct kit_boot *b, int64_t now_s)
{
    return b->expires_s > now_s;
}

int64_t kit_boot_left_s(const struct kit_boot *b, int64_t now_s)
{
    return kit_boot_good(b, now_s) ? b->expires_s - now_s : 0;
}

int64_t kit_boot_due_s(const struct kit_boot *b, int64_t now_s)
{
    int64_t life_s = b->expires_s - b->made_s;

    return kit_boot_good(b, now_s) ? num_max64(b->made_s + life_s * 9 / 10 - now_s, 0) : 0;
}

static enum err naf_key(const struct kit_boot *b, struct slice fqdn, struct slice ua, struct sec_secret *out)
{
    struct sec_naf_id id;
    enum err e = b->expires_s ? sec_gba_naf_id(fqdn, ua, &id) : ERR_ABSENT;

    return e ? e
             : sec_gba_naf_key(&b->ks, SEC_GBA_ME, slice_of(b->rand, sizeof b->rand), impi_of(b),
                               slice_of(id.octets, id.n), out);
}

enum err kit_boot_psk(const struct kit_boot *b, struct slice fqdn, unsigned version, uint16_t suite,
                      struct buf *identity, struct sec_secret *key)
{
    const uint8_t of_suite[SEC_GBA_UA_N] = {1, 0, 1, (uint8_t)(suite >> 8), (uint8_t)suite};
    enum err e =
        naf_key(b, fqdn, version == 13 ? SEC_GBA_UA_TLS13 : slice_of(of_suite, sizeof of_suite), key);

    return e ? e : sec_gba_psk_identity(SEC_GBA_ME, slice_of(b->btid, b->btid_n), identity);
}

enum err kit_boot_login(const struct kit_boot *b, struct slice fqdn, struct kit_login **out)
{
    struct sec_secret key, password;
    struct buf realm;
    enum err e;

    sec_secret_init(&key);
    sec_secret_init(&password);
    buf_init(&realm, SEC_DIGEST_VALUE_MAX_N);
    buf_add_str(&realm, sec_gba_kind_prefix(SEC_GBA_ME));
    buf_add_ch(&realm, '@');
    buf_add(&realm, fqdn);
    e = buf_err(&realm);
    if (!e)
        e = naf_key(b, fqdn, SEC_GBA_UA_DIGEST, &key);
    if (!e)
        e = sec_gba_password(&key, &password);
    if (!e)
        e = kit_login_create(&(struct kit_login_conf){.user = slice_of(b->btid, b->btid_n),
                                                      .password = sec_secret_slice(&password),
                                                      .realm = buf_slice(&realm),
                                                      .mutual = true},
                             out);
    sec_secret_clear(&key);
    sec_secret_clear(&password);
    buf_clear(&realm);
    return e;
}
