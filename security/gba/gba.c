/* Derivations and names of GBA; see gba.h for the clauses.  Any thread. */
#include "security/gba/gba.h"

#include "base/codec.h"
#include "base/mem.h"
#include "base/num.h"
#include "security/kdf.h"

#define FC_GBA         0x01 /* TS 33.220 annex B: every derivation here */
#define TMPI_N         24
#define EPOCH_1900     INT64_C(2208988800) /* seconds from 1900 to 1970 */
#define IMSI_MIN_N     6
#define IMSI_MAX_N     15
#define MCC_N          3
#define LABEL_MAX_N    63 /* octets between dots (RFC 1035 §2.3.4) */
#define BTID_RAND_N    24 /* base64 of SEC_AKA_RAND_N octets */
#define NETWORK_DOMAIN "3gppnetwork.org"
#define TMPI_DOMAIN    "@tmpi.bsf." NETWORK_DOMAIN

static enum err key_set(enum err e, uint8_t key[SEC_SHA256_N], struct sec_secret *out)
{
    if (!e)
        e = sec_secret_set(out, slice_of(key, SEC_GBA_KEY_N));
    mem_wipe(key, SEC_SHA256_N);
    return e;
}

/* The text is all there, or the buf is as before. */
static enum err text_end(struct buf *out, size_t before)
{
    if (buf_err(out))
        buf_cut(out, before);
    return buf_err(out);
}

void sec_gba_ks(const uint8_t ck[SEC_AKA_CK_N], const uint8_t ik[SEC_AKA_CK_N], struct sec_secret *ks)
{
    sec_secret_clear(ks);
    mem_copy(ks->octets, SEC_AKA_CK_N, slice_of(ck, SEC_AKA_CK_N));
    mem_copy(ks->octets + SEC_AKA_CK_N, SEC_AKA_CK_N, slice_of(ik, SEC_AKA_CK_N));
    ks->n = SEC_GBA_KEY_N;
}

/* Annex B.3; GBA_Digest: annex M. */
enum err sec_gba_naf_key(const struct sec_secret *ks, enum sec_gba_kind kind, struct slice challenge,
                         struct slice impi, struct slice naf_id, struct sec_secret *out)
{
    static const char *const labels[SEC_GBA_KIND_COUNT] = {"gba-me", "gba-u", "gba-digest"};
    struct slice params[] = {slice_str(labels[kind]), challenge, impi, naf_id};
    uint8_t key[SEC_SHA256_N];

    return key_set(sec_kdf(sec_secret_slice(ks), FC_GBA, params, 4, key), key, out);
}

enum err sec_gba_digest_password(struct slice ha1, struct slice tls_mk, struct sec_secret *out)
{
    struct slice params[] = {SLICE("GBA_Digest_RESP"), tls_mk};
    uint8_t key[SEC_SHA256_N];

    if (tls_mk.n != SEC_GBA_TLS_MK_N)
        return ERR_LIMIT;
    return key_set(sec_kdf(ha1, FC_GBA, params, 2, key), key, out);
}

enum err sec_gba_digest_ks(struct slice ha1, struct slice tls_mk, struct slice resp, struct sec_secret *out)
{
    struct slice params[] = {SLICE("GBA_Digest_Ks"), tls_mk, resp};
    uint8_t key[SEC_SHA256_N];

    if (tls_mk.n != SEC_GBA_TLS_MK_N)
        return ERR_LIMIT;
    return key_set(sec_kdf(ha1, FC_GBA, params, 3, key), key, out);
}

enum err sec_gba_password(const struct sec_secret *naf_key, struct sec_secret *out)
{
    struct buf text;
    enum err e;

    buf_init(&text, SEC_SECRET_MAX_N);
    if (buf_room(&text, SEC_SECRET_MAX_N)) /* all of it first: growth would leave a copy behind */
        codec_base64(&text, sec_secret_slice(naf_key));
    e = buf_err(&text);
    if (!e)
        e = sec_secret_set(out, buf_slice(&text));
    buf_wipe(&text);
    return e;
}

enum err sec_gba_premaster(struct slice psk, struct slice other, struct buf *out)
{
    size_t other_n = other.n ? other.n : psk.n;
    uint8_t *p;

    if (psk.n == 0 || psk.n > UINT16_MAX || other_n > UINT16_MAX)
        return ERR_LIMIT;
    p = (uint8_t *)buf_room(out, 4 + other_n + psk.n);
    if (!p)
        return buf_err(out);
    num_put16(p, (uint16_t)other_n);
    if (other.n)
        mem_copy(p + 2, other_n, other);
    else
        mem_wipe(p + 2, other_n);
    num_put16(p + 2 + other_n, (uint16_t)psk.n);
    mem_copy(p + 4 + other_n, psk.n, psk);
    buf_commit(out, 4 + other_n + psk.n);
    return ERR_OK;
}

static bool is_label_ch(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '-';
}

/* label *( "." label ); RFC 1123 §2.1, in lower case. */
bool sec_gba_is_fqdn(struct slice name)
{
    size_t label_n = 0;

    if (name.n < 1 || name.n > SEC_GBA_FQDN_MAX_N)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] != '.') {
            if (!is_label_ch(name.p[i]) || ++label_n > LABEL_MAX_N || (label_n == 1 && name.p[i] == '-'))
                return false;
        } else if (label_n == 0 || name.p[i - 1] == '-') {
            return false;
        } else {
            label_n = 0;
        }
    }
    return label_n > 0 && name.p[name.n - 1] != '-';
}

enum err sec_gba_naf_id(struct slice fqdn, struct slice ua, struct sec_naf_id *out)
{
    struct sec_naf_id v;

    if (fqdn.n > SEC_GBA_FQDN_MAX_N || ua.n != SEC_GBA_UA_N)
        return ERR_MALFORMED;
    for (size_t i = 0; i < fqdn.n; i++)
        v.octets[i] = (uint8_t)(fqdn.p[i] >= 'A' && fqdn.p[i] <= 'Z' ? fqdn.p[i] | 0x20 : fqdn.p[i]);
    if (!sec_gba_is_fqdn(slice_of(v.octets, fqdn.n)))
        return ERR_MALFORMED;
    mem_copy(v.octets + fqdn.n, SEC_GBA_UA_N, ua);
    v.n = fqdn.n + SEC_GBA_UA_N;
    *out = v;
    return ERR_OK;
}

enum err sec_gba_naf_id_split(struct slice naf_id, struct slice *fqdn, struct slice *ua)
{
    struct slice name;

    if (naf_id.n <= SEC_GBA_UA_N)
        return ERR_MALFORMED;
    name = slice_sub(naf_id, 0, naf_id.n - SEC_GBA_UA_N);
    if (!sec_gba_is_fqdn(name))
        return ERR_MALFORMED;
    *fqdn = name;
    *ua = slice_sub(naf_id, name.n, SEC_GBA_UA_N);
    return ERR_OK;
}

enum err sec_gba_btid(const uint8_t rand[SEC_AKA_RAND_N], struct slice fqdn, struct buf *out)
{
    size_t before = out->n;

    codec_base64(out, slice_of(rand, SEC_AKA_RAND_N));
    buf_add_ch(out, '@');
    buf_add(out, fqdn);
    return text_end(out, before);
}

enum err sec_gba_btid_parse(struct slice btid, uint8_t rand[SEC_AKA_RAND_N], struct slice *fqdn)
{
    struct slice text, name;
    struct buf octets;
    enum err e;

    if (!slice_cut(btid, '@', &text, &name) || text.n != BTID_RAND_N || !sec_gba_is_fqdn(name))
        return ERR_MALFORMED;
    buf_init(&octets, BTID_RAND_N);
    e = codec_unbase64(text, false, &octets);
    if (!e && octets.n != SEC_AKA_RAND_N)
        e = ERR_MALFORMED;
    if (!e) {
        mem_copy(rand, SEC_AKA_RAND_N, buf_slice(&octets));
        *fqdn = name;
    }
    buf_clear(&octets);
    return e;
}

bool sec_gba_is_tmpi(struct slice name)
{
    return name.n <= SEC_TMPI_MAX_N && slice_ends(name, SLICE(TMPI_DOMAIN));
}

enum err sec_gba_tmpi(const struct sec_secret *ks, const uint8_t rand[SEC_AKA_RAND_N], struct slice impi,
                      struct slice bsf_fqdn, struct buf *out)
{
    size_t before = out->n;
    struct sec_naf_id id;
    struct sec_secret key;
    enum err e = sec_gba_naf_id(bsf_fqdn, SEC_GBA_UA_TMPI, &id);

    if (e)
        return e;
    sec_secret_init(&key);
    e = sec_gba_naf_key(ks, SEC_GBA_ME, slice_of(rand, SEC_AKA_RAND_N), impi, slice_of(id.octets, id.n),
                        &key);
    if (e)
        return e;
    codec_base64(out, slice_sub(sec_secret_slice(&key), 0, TMPI_N));
    buf_add_str(out, TMPI_DOMAIN);
    sec_secret_clear(&key);
    return text_end(out, before);
}

static bool is_imsi(struct slice imsi, size_t mnc_n)
{
    if (imsi.n < IMSI_MIN_N || imsi.n > IMSI_MAX_N || (mnc_n != 2 && mnc_n != 3))
        return false;
    for (size_t i = 0; i < imsi.n; i++)
        if (imsi.p[i] < '0' || imsi.p[i] > '9')
            return false;
    return true;
}

/* mnc<three digits>.mcc<three digits>. (TS 23.003 §13.2) */
static void add_network(struct buf *out, struct slice imsi, size_t mnc_n)
{
    buf_add_str(out, mnc_n == 2 ? "mnc0" : "mnc");
    buf_add(out, slice_sub(imsi, MCC_N, mnc_n));
    buf_add_str(out, ".mcc");
    buf_add(out, slice_sub(imsi, 0, MCC_N));
    buf_add_ch(out, '.');
}

enum err sec_gba_impi_of_imsi(struct slice imsi, size_t mnc_n, struct buf *out)
{
    size_t before = out->n;

    if (!is_imsi(imsi, mnc_n))
        return ERR_MALFORMED;
    buf_add(out, imsi);
    buf_add_str(out, "@ims.");
    add_network(out, imsi, mnc_n);
    buf_add_str(out, NETWORK_DOMAIN);
    return text_end(out, before);
}

enum err sec_gba_bsf_of_imsi(struct slice imsi, size_t mnc_n, struct buf *out)
{
    size_t before = out->n;

    if (!is_imsi(imsi, mnc_n))
        return ERR_MALFORMED;
    buf_add_str(out, "bsf.");
    add_network(out, imsi, mnc_n);
    buf_add_str(out, "pub." NETWORK_DOMAIN);
    return text_end(out, before);
}

/* TS 23.003 §16.2: "bsf." in front; "pub." before the domain of the networks. */
enum err sec_gba_bsf_of_impi(struct slice impi, struct buf *out)
{
    struct slice network = SLICE("." NETWORK_DOMAIN);
    size_t before = out->n;
    struct slice user, domain;

    if (!slice_cut(impi, '@', &user, &domain) || user.n == 0 || !sec_gba_is_fqdn(domain))
        return ERR_MALFORMED;
    buf_add_str(out, "bsf.");
    if (slice_ends(domain, network)) {
        buf_add(out, slice_sub(domain, 0, domain.n - network.n));
        buf_add_str(out, ".pub." NETWORK_DOMAIN);
    } else {
        buf_add(out, domain);
    }
    return text_end(out, before);
}

const char *sec_gba_kind_prefix(enum sec_gba_kind kind)
{
    static const char *const prefixes[SEC_GBA_KIND_COUNT] = {"3GPP-bootstrapping", "3GPP-bootstrapping-uicc",
                                                             "3GPP-bootstrapping-digest"};

    return prefixes[kind];
}

enum err sec_gba_psk_identity(enum sec_gba_kind kind, struct slice btid, struct buf *out)
{
    size_t before = out->n;

    buf_add_str(out, sec_gba_kind_prefix(kind));
    buf_add_ch(out, ';');
    buf_add(out, btid);
    return text_end(out, before);
}

enum err sec_gba_psk_identity_parse(struct slice identity, enum sec_gba_kind *kind, struct slice *btid)
{
    uint8_t rand[SEC_AKA_RAND_N];
    struct slice prefix, rest, fqdn;

    if (!slice_cut(identity, ';', &prefix, &rest) || sec_gba_btid_parse(rest, rand, &fqdn))
        return ERR_MALFORMED;
    for (unsigned k = 0; k < SEC_GBA_KIND_COUNT; k++)
        if (slice_eq(prefix, slice_str(sec_gba_kind_prefix((enum sec_gba_kind)k)))) {
            *kind = (enum sec_gba_kind)k;
            *btid = rest;
            return ERR_OK;
        }
    return ERR_MALFORMED;
}

uint32_t sec_gba_time_of(int64_t utc_s)
{
    return (uint32_t)((uint64_t)utc_s + (uint64_t)EPOCH_1900);
}

/* The distance from now modulo 2^32, taken as signed, is the shortest way. */
int64_t sec_gba_time_near(uint32_t time, int64_t now_s)
{
    uint32_t ahead = time - sec_gba_time_of(now_s);

    return now_s + (ahead <= INT32_MAX ? (int64_t)ahead : (int64_t)ahead - (INT64_C(1) << 32));
}
