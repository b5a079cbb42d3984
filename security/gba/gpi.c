/* GPI-A1:
 *   flags(1) RAND(16) AUTN(16) La(1) label(La) Ln(1) NAF_Id(Ln) Lp(1) protected(Lp) MAC(16)
 *   protected = Key_LT(4) Lt(1) P-TID(Lt), with flag C under AES-128-CTR from the zero block
 *   MAC = first 16 octets of HMAC-SHA-256(K_gpi_int, all before), after encryption
 * Both keys are KDF(Ks_(ext)_NAF, F0, label, RAND); F0 is in TS 33.220's proprietary range.  The zero counter block is
 * safe because a vector, and so a key, makes one GPI.  Any thread. */
#include "security/gba/gpi.h"

#include "base/codec.h"
#include "base/mem.h"
#include "base/num.h"
#include "security/aes.h"
#include "security/kdf.h"

#define GPI_FC          0xF0
#define GPI_VERSION     0x10 /* bits 7-4 of the flags */
#define GPI_VERSION_OF  0xF0
#define GPI_UICC        0x08
#define GPI_ENCRYPTED   0x04
#define GPI_RESERVED    0x03
#define GPI_NAF_ID_MIN  6 /* octets: a name of one, and the Ua id */
#define GPI_INNER_FIXED 5 /* octets of Key_LT and Lt */
#define GPI_INNER_MIN   (GPI_INNER_FIXED + 1)
#define GPI_INNER_MAX   (GPI_INNER_FIXED + SEC_GPI_PTID_MAX_N)
#define ENVELOPE_N      3 /* octets in front of the GPI */
#define ENVELOPE_1      0x01

static enum err derive(const struct sec_secret *ks_naf, struct slice label, struct slice rand,
                       uint8_t out[SEC_SHA256_N])
{
    struct slice params[] = {label, rand};

    if (ks_naf->n != SEC_GBA_KEY_N)
        return ERR_LIMIT;
    return sec_kdf(sec_secret_slice(ks_naf), GPI_FC, params, 2, out);
}

static enum err mac_of(const struct sec_secret *ks_naf, struct slice rand, struct slice covered,
                       uint8_t mac[SEC_SHA256_N])
{
    uint8_t key[SEC_SHA256_N];
    enum err e = derive(ks_naf, SLICE("gpi-int"), rand, key);

    if (!e)
        e = sec_hmac_sha256(slice_of(key, sizeof key), &covered, 1, mac);
    mem_wipe(key, sizeof key);
    return e;
}

/* Encrypts or decrypts in place. */
static enum err inner_crypt(const struct sec_secret *ks_naf, struct slice rand, uint8_t *p, size_t n)
{
    static const uint8_t zero[SEC_AES_N];
    struct sec_aes *aes = NULL;
    uint8_t key[SEC_SHA256_N];
    enum err e = derive(ks_naf, SLICE("gpi-enc"), rand, key);

    if (!e)
        e = sec_aes_create(slice_of(key, SEC_AES_N), &aes);
    if (!e)
        e = sec_aes_ctr(aes, zero, p, n);
    sec_aes_free(&aes);
    mem_wipe(key, sizeof key);
    return e;
}

static enum err conf_check(const struct sec_gpi_conf *c)
{
    struct slice fqdn, ua;

    if (c->rand.n != SEC_AKA_RAND_N || c->autn.n != SEC_AKA_AUTN_N || c->label.n > SEC_GPI_LABEL_MAX_N ||
        c->naf_id.n > SEC_GBA_NAF_ID_MAX_N || c->ptid.n < 1 || c->ptid.n > SEC_GPI_PTID_MAX_N)
        return ERR_LIMIT;
    if (!codec_is_utf8(c->label))
        return ERR_MALFORMED;
    return sec_gba_naf_id_split(c->naf_id, &fqdn, &ua);
}

/* Where the next octets of a GPI go. */
struct pen {
    uint8_t *p;
    size_t n, cap;
};

static void put(struct pen *w, struct slice s)
{
    mem_copy(w->p + w->n, w->cap - w->n, s);
    w->n += s.n;
}

static void put_octet(struct pen *w, size_t octet)
{
    uint8_t b = (uint8_t)octet;

    put(w, slice_of(&b, 1));
}

/* Everything before the MAC, not encrypted yet; the protected part are the last octets. */
static void put_all(struct pen *w, const struct sec_gpi_conf *c)
{
    uint8_t time[4];

    num_put32(time, sec_gba_time_of(c->expires_s));
    put_octet(w, GPI_VERSION | (c->uicc ? GPI_UICC : 0u) | (c->confidential ? GPI_ENCRYPTED : 0u));
    put(w, c->rand);
    put(w, c->autn);
    put_octet(w, c->label.n);
    put(w, c->label);
    put_octet(w, c->naf_id.n);
    put(w, c->naf_id);
    put_octet(w, GPI_INNER_FIXED + c->ptid.n);
    put(w, slice_of(time, sizeof time));
    put_octet(w, c->ptid.n);
    put(w, c->ptid);
}

enum err sec_gpi_seal(const struct sec_secret *ks_naf, const struct sec_gpi_conf *conf, struct buf *out)
{
    uint8_t octets[SEC_GPI_MAX_N], mac[SEC_SHA256_N];
    struct pen w = {octets, 0, sizeof octets};
    size_t inner_n = GPI_INNER_FIXED + conf->ptid.n;
    enum err e = conf_check(conf);

    if (e)
        return e;
    put_all(&w, conf);
    if (conf->confidential)
        e = inner_crypt(ks_naf, conf->rand, octets + w.n - inner_n, inner_n);
    if (!e)
        e = mac_of(ks_naf, conf->rand, slice_of(octets, w.n), mac);
    if (!e && !buf_room(out, w.n + SEC_GPI_MAC_N))
        e = buf_err(out);
    if (!e) {
        put(&w, slice_of(mac, SEC_GPI_MAC_N));
        buf_add(out, slice_of(octets, w.n));
    }
    mem_wipe(octets, sizeof octets);
    return e;
}

/* Takes the next n octets of `in` at *at; false when there are not so many. */
static bool take(struct slice in, size_t *at, size_t n, struct slice *out)
{
    if (in.n - *at < n)
        return false;
    *out = slice_of(in.p + *at, n);
    *at += n;
    return true;
}

/* A length octet between min and max, and so many octets. */
static bool take_counted(struct slice in, size_t *at, size_t min, size_t max, struct slice *out)
{
    struct slice length;
    size_t n;

    if (!take(in, at, 1, &length))
        return false;
    n = (uint8_t)length.p[0];
    return n >= min && n <= max && take(in, at, n, out);
}

enum err sec_gpi_parse(struct slice in, struct sec_gpi_msg *out)
{
    struct sec_gpi_msg v;
    struct slice flags;
    size_t at = 0;

    if (!take(in, &at, 1, &flags) || (flags.p[0] & GPI_VERSION_OF) != GPI_VERSION ||
        (flags.p[0] & GPI_RESERVED))
        return ERR_MALFORMED;
    v.uicc = flags.p[0] & GPI_UICC;
    v.confidential = flags.p[0] & GPI_ENCRYPTED;
    if (!take(in, &at, SEC_AKA_RAND_N, &v.rand) || !take(in, &at, SEC_AKA_AUTN_N, &v.autn) ||
        !take_counted(in, &at, 0, SEC_GPI_LABEL_MAX_N, &v.label) ||
        !take_counted(in, &at, GPI_NAF_ID_MIN, SEC_GBA_NAF_ID_MAX_N, &v.naf_id) ||
        !take_counted(in, &at, GPI_INNER_MIN, GPI_INNER_MAX, &v.protected_part))
        return ERR_MALFORMED;
    v.covered = slice_of(in.p, at);
    if (!take(in, &at, SEC_GPI_MAC_N, &v.mac) || at != in.n)
        return ERR_MALFORMED;
    *out = v;
    return ERR_OK;
}

/* protected = Key_LT(4) Lt(1) P-TID(Lt), Lt all the rest */
static enum err inner_parse(struct slice inner, int64_t now_s, struct sec_gpi_opened *out)
{
    size_t ptid_n = (uint8_t)inner.p[4];

    if (ptid_n != inner.n - GPI_INNER_FIXED)
        return ERR_MALFORMED;
    mem_copy(out->ptid, sizeof out->ptid, slice_sub(inner, GPI_INNER_FIXED, ptid_n));
    out->ptid_n = ptid_n;
    out->expires_s = sec_gba_time_near(num_get32(inner.p), now_s);
    return ERR_OK;
}

enum err sec_gpi_open(const struct sec_secret *ks_naf, const struct sec_gpi_msg *msg, int64_t now_s,
                      struct sec_gpi_opened *out)
{
    uint8_t mac[SEC_SHA256_N], inner[GPI_INNER_MAX];
    size_t n = msg->protected_part.n;
    enum err e = mac_of(ks_naf, msg->rand, msg->covered, mac);

    if (!e && !slice_eq_ct(slice_of(mac, SEC_GPI_MAC_N), msg->mac))
        e = ERR_DENIED;
    if (e)
        return e;
    mem_copy(inner, sizeof inner, msg->protected_part);
    if (msg->confidential)
        e = inner_crypt(ks_naf, msg->rand, inner, n);
    if (!e)
        e = inner_parse(slice_of(inner, n), now_s, out);
    mem_wipe(inner, sizeof inner);
    return e;
}

enum err sec_gpi_envelope(uint16_t session_id, struct slice gpi, struct buf *out)
{
    uint8_t head[ENVELOPE_N] = {ENVELOPE_1};

    num_put16(head + 1, session_id);
    if (!buf_room(out, sizeof head + gpi.n))
        return buf_err(out);
    buf_add(out, slice_of(head, sizeof head));
    buf_add(out, gpi);
    return ERR_OK;
}

enum err sec_gpi_envelope_parse(struct slice in, uint16_t *session_id, struct slice *gpi)
{
    if (in.n <= ENVELOPE_N || in.p[0] != ENVELOPE_1)
        return ERR_MALFORMED;
    *session_id = num_get16(in.p + 1);
    *gpi = slice_sub(in, ENVELOPE_N, in.n);
    return ERR_OK;
}
