/* Keys by B-TID at our own doors; see naf.h.  Ua security protocol identifiers: TS 33.220 annex H. */
#include "security/gba/naf.h"

#include "base/mem.h"
#include "base/num.h"
#include "security/login/digest_hash.h"

#define TLS13_SUITES 0x13 /* first octet of each suite of TLS 1.3 (RFC 8446 annex B.4) */

/* 01 00 01 yy zz: TLS of that suite, as its shared key or with Digest inside. */
static void ua_of_suite(uint16_t suite, uint8_t ua[SEC_GBA_UA_N])
{
    mem_copy(ua, SEC_GBA_UA_N, SLICE("\x01\x00\x01"));
    num_put16(ua + 3, suite);
}

static enum err far_key(const struct sec_naf *naf, struct slice btid, const struct sec_naf_id *id,
                        struct sec_naf_key *out)
{
    enum err e = sec_farkeys_find(naf->far, btid, slice_of(id->octets, id->n), naf->now_s, out);

    if (e == ERR_AGAIN && naf->want) {
        mem_copy(naf->want->btid, sizeof naf->want->btid, btid);
        naf->want->btid_n = btid.n;
        naf->want->naf_id = *id;
    }
    return e;
}

/* What that B-TID gives a NAF of our name, for a protocol. */
static enum err key_of(const struct sec_naf *naf, struct slice btid, struct slice ua, struct sec_naf_key *out)
{
    struct sec_naf_id id;
    enum err e = sec_naf_on(naf) ? sec_gba_naf_id(naf->fqdn, ua, &id) : ERR_ABSENT;

    if (e)
        return e;
    return naf->far ? far_key(naf, btid, &id, out)
                    : sec_bootstrap_key(naf->bootstrap, naf->server, btid, slice_of(id.octets, id.n),
                                        naf->now_s, out);
}

static const struct sec_secret *secret_of(const struct sec_naf_key *key, enum sec_gba_kind kind)
{
    return kind == SEC_GBA_UICC ? &key->ks_int : &key->ks_naf;
}

/* --- shared keys of TLS --- */

bool sec_naf_psk(const struct sec_naf *naf, struct slice identity, unsigned version, uint16_t suite,
                 struct sec_secret *key)
{
    uint8_t ua[SEC_GBA_UA_N];
    struct sec_naf_key got;
    enum sec_gba_kind kind;
    struct slice btid;

    if (sec_gba_psk_identity_parse(identity, &kind, &btid) || kind == SEC_GBA_DIGEST)
        return false;
    ua_of_suite(suite, ua);
    if (key_of(naf, btid, version == 13 ? SEC_GBA_UA_TLS13 : slice_of(ua, sizeof ua), &got))
        return false;
    *key = *secret_of(&got, kind);
    sec_naf_key_clear(&got);
    return key->n > 0;
}

/* The BSF said so with the key that was used. */
static enum err far_impi(const struct sec_naf *naf, struct slice btid, struct slice ua,
                         char impi[SEC_GBA_IMPI_MAX_N], size_t *impi_n)
{
    struct sec_naf_key key;
    enum err e = key_of(naf, btid, ua, &key);

    if (e)
        return e;
    mem_copy(impi, SEC_GBA_IMPI_MAX_N, slice_of(key.impi, key.impi_n));
    *impi_n = key.impi_n;
    sec_naf_key_clear(&key);
    return ERR_OK;
}

static enum err impi_of(const struct sec_naf *naf, struct slice btid, struct slice ua,
                        char impi[SEC_GBA_IMPI_MAX_N], size_t *impi_n)
{
    if (naf->far)
        return far_impi(naf, btid, ua, impi, impi_n);
    return naf->bootstrap ? sec_bootstrap_impi(naf->bootstrap, naf->server, btid, naf->now_s, impi, impi_n)
                          : ERR_ABSENT;
}

enum err sec_naf_psk_impi(const struct sec_naf *naf, struct slice identity, uint16_t suite,
                          char impi[SEC_GBA_IMPI_MAX_N], size_t *impi_n)
{
    uint8_t ua[SEC_GBA_UA_N];
    enum sec_gba_kind kind;
    struct slice btid;
    enum err e = sec_gba_psk_identity_parse(identity, &kind, &btid);

    if (e)
        return e;
    ua_of_suite(suite, ua);
    return impi_of(naf, btid, suite >> 8 == TLS13_SUITES ? SEC_GBA_UA_TLS13 : slice_of(ua, sizeof ua), impi,
                   impi_n);
}

/* --- Digest --- */

enum err sec_naf_digest_impi(const struct sec_naf *naf, struct slice btid, char impi[SEC_GBA_IMPI_MAX_N],
                             size_t *impi_n)
{
    return impi_of(naf, btid, SEC_GBA_UA_DIGEST, impi, impi_n);
}

bool sec_naf_realm(struct slice realm)
{
    return slice_starts(realm, SLICE("3GPP-bootstrapping@")) ||
           slice_starts(realm, SLICE("3GPP-bootstrapping-uicc@"));
}

void sec_naf_realm_print(const struct sec_naf *naf, enum sec_gba_kind kind, struct buf *out)
{
    buf_add_str(out, sec_gba_kind_prefix(kind));
    buf_add_ch(out, '@');
    buf_add(out, naf->fqdn);
}

/* prefix "@" FQDN of ours (TS 24.109 §5.2.4: the name is checked every time). */
static bool realm_kind(const struct sec_naf *naf, struct slice realm, enum sec_gba_kind *kind)
{
    struct slice prefix, fqdn;

    if (!slice_cut(realm, '@', &prefix, &fqdn) || !slice_eq(fqdn, naf->fqdn))
        return false;
    for (unsigned k = SEC_GBA_ME; k <= SEC_GBA_UICC; k++)
        if (slice_eq(prefix, slice_str(sec_gba_kind_prefix((enum sec_gba_kind)k)))) {
            *kind = (enum sec_gba_kind)k;
            return true;
        }
    return false;
}

static enum err ha1_for(const struct sec_naf *naf, const struct sec_digest_response *r,
                        enum sec_gba_kind kind, struct slice ua, struct sec_secret *ha1,
                        struct sec_naf_key *key)
{
    struct sec_secret password;
    enum err e = key_of(naf, r->username, ua, key);

    if (e)
        return e == ERR_MALFORMED ? ERR_ABSENT : e;
    sec_secret_init(&password);
    e = secret_of(key, kind)->n ? sec_gba_password(secret_of(key, kind), &password) : ERR_ABSENT;
    if (!e)
        e = sec_digest_ha1(r->algorithm, r->username, r->realm, sec_secret_slice(&password), ha1);
    sec_secret_clear(&password);
    return e;
}

static bool fits(const struct sec_digest_response *r, const struct sec_digest_request *request,
                 const struct sec_secret *ha1)
{
    struct sec_digest_hex want;

    if (r->qop == SEC_QOP_AUTH_INT && !request->body_known)
        return false;
    return sec_digest_formula(r, sec_secret_slice(ha1), request->method, request->body, &want) == ERR_OK &&
           sec_digest_hex_eq(r->response, &want);
}

enum err sec_naf_ha1(const struct sec_naf *naf, const struct sec_digest_response *r,
                     const struct sec_digest_request *request, uint16_t suite, struct sec_secret *ha1,
                     char impi[SEC_GBA_IMPI_MAX_N], size_t *impi_n)
{
    struct sec_secret tunnelled;
    uint8_t ua[SEC_GBA_UA_N];
    struct sec_naf_key key;
    enum sec_gba_kind kind;
    enum err e;

    if (!realm_kind(naf, r->realm, &kind))
        return ERR_DENIED;
    e = ha1_for(naf, r, kind, SEC_GBA_UA_DIGEST, ha1, &key);
    if (e)
        return e;
    mem_copy(impi, SEC_GBA_IMPI_MAX_N, slice_of(key.impi, key.impi_n));
    *impi_n = key.impi_n;
    sec_secret_init(&tunnelled);
    ua_of_suite(suite, ua);
    if (suite && !fits(r, request, ha1))
        e = ha1_for(naf, r, kind, slice_of(ua, sizeof ua), &tunnelled, &key);
    if (tunnelled.n && fits(r, request, &tunnelled))
        *ha1 = tunnelled;
    sec_secret_clear(&tunnelled);
    sec_naf_key_clear(&key);
    if (e != ERR_AGAIN)
        return ERR_OK;
    sec_secret_clear(ha1);
    return e;
}
