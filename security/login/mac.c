/* x-syncml-hmac: nested hashes and a small grammar; see mac.h.  [DM-SEC §5.1.4]; lists: RFC 9110 §5.6.1.  Any thread. */
#include "security/login/mac.h"

#include "base/codec.h"
#include "base/mem.h"
#include "base/scan.h"
#include "security/hash.h"
#include "security/kdf.h"
#include "security/login/digest_params.h"

static const enum sec_hash hashes[SEC_MAC_ALGORITHM_COUNT] = {
    [SEC_MAC_MD5] = SEC_HASH_MD5,
    [SEC_MAC_SHA256] = SEC_HASH_SHA256,
};

const char *sec_mac_algorithm_name(enum sec_mac_algorithm a)
{
    return sec_hash_name(hashes[a]);
}

/* --- keys --- */

bool sec_mac_keys_any(const struct sec_mac_keys *k)
{
    return k->key[SEC_MAC_MD5].n || k->key[SEC_MAC_SHA256].n;
}

enum sec_mac_algorithm sec_mac_keys_best(const struct sec_mac_keys *k)
{
    return k->key[SEC_MAC_SHA256].n ? SEC_MAC_SHA256 : SEC_MAC_MD5;
}

void sec_mac_keys_clear(struct sec_mac_keys *k)
{
    for (size_t i = 0; i < SEC_MAC_ALGORITHM_COUNT; i++)
        sec_secret_clear(&k->key[i]);
}

/* --- arithmetic --- */

/* base64; the copy in between is wiped, for it may be a key. */
static enum err text_of(struct slice octets, struct sec_mac_text *out)
{
    struct buf text;
    enum err e;

    buf_init(&text, sizeof out->p);
    (void)buf_room(&text, sizeof out->p);
    codec_base64(&text, octets);
    e = buf_err(&text);
    if (!e) {
        mem_copy(out->p, sizeof out->p, buf_slice(&text));
        out->n = text.n;
    }
    buf_wipe(&text);
    return e;
}

static enum err hash_text(enum sec_mac_algorithm a, const struct slice *parts, size_t count,
                          struct sec_mac_text *out)
{
    uint8_t digest[SEC_HASH_MAX_N];
    enum err e = sec_hash_make(hashes[a], parts, count, digest);

    if (!e)
        e = text_of(slice_of(digest, sec_hash_n(hashes[a])), out);
    mem_wipe(digest, sizeof digest);
    return e;
}

enum err sec_mac_inner(struct slice user, struct slice password, struct sec_secret *out)
{
    const struct slice parts[] = {user, SLICE(":"), password};
    struct sec_mac_text text;
    enum err e = hash_text(SEC_MAC_MD5, parts, 3, &text);

    if (!e)
        e = sec_secret_set(out, slice_of(text.p, text.n));
    mem_wipe(&text, sizeof text);
    return e;
}

enum err sec_mac_body(enum sec_mac_algorithm a, const struct slice *parts, size_t count,
                      struct sec_mac_text *out)
{
    return hash_text(a, parts, count, out);
}

enum err sec_mac_make(enum sec_mac_algorithm a, struct slice key, struct slice nonce,
                      const struct sec_mac_text *body, struct sec_mac_text *out)
{
    const struct slice parts[] = {key, SLICE(":"), nonce, SLICE(":"), slice_of(body->p, body->n)};
    uint8_t mac[SEC_SHA256_N];
    enum err e;

    if (a == SEC_MAC_MD5)
        return hash_text(a, parts, 5, out);
    e = sec_hmac_sha256(key, parts + 2, 3, mac);
    return e ? e : text_of(slice_of(mac, sizeof mac), out);
}

/* The base64 of the hexadecimal digits of what `text` is base64 of; false when it has no room or no memory. */
static bool as_hex(const struct sec_mac_text *text, struct sec_mac_text *out)
{
    struct buf octets, hex;
    bool good;

    buf_init(&octets, SEC_MAC_TEXT_MAX_N);
    buf_init(&hex, SEC_MAC_TEXT_MAX_N);
    good = !codec_unbase64(slice_of(text->p, text->n), false, &octets);
    codec_hex(&hex, buf_slice(&octets));
    good = good && !buf_err(&hex) && !text_of(buf_slice(&hex), out);
    buf_clear(&octets);
    buf_clear(&hex);
    return good;
}

bool sec_mac_same(const struct sec_mac *got, const struct sec_mac_text *want, bool hex)
{
    struct sec_mac_text other = {.n = 0};

    if (slice_eq_ct(got->mac, slice_of(want->p, want->n)))
        return true;
    return hex && got->algorithm == SEC_MAC_MD5 && as_hex(want, &other) &&
           slice_eq_ct(got->mac, slice_of(other.p, other.n));
}

/* --- header --- */

static bool is_base64(unsigned char ch)
{
    return (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '+' ||
           ch == '/' || ch == '=';
}

static enum err algorithm_of(struct slice name, enum sec_mac_algorithm *out)
{
    for (unsigned a = 0; a < SEC_MAC_ALGORITHM_COUNT; a++)
        if (slice_eq_ci(name, slice_str(sec_hash_name(hashes[a])))) {
            *out = (enum sec_mac_algorithm)a;
            return ERR_OK;
        }
    return ERR_UNSUPPORTED;
}

struct fields {
    struct slice algorithm, user, mac;
};

static void take(struct scan *s, struct slice *to, struct slice value)
{
    if (s->err)
        return;
    if (to->n || !value.n)
        scan_fail(s, ERR_MALFORMED);
    else
        *to = value;
}

/* param = name "=" value, white space at both sides of the sign. */
static enum err param_add(struct fields *p, struct slice item)
{
    struct scan s = scan_of(item);
    struct slice name = scan_token(&s, SEC_MAC_USER_MAX_N);

    scan_lws(&s, 0);
    scan_ch(&s, '=');
    scan_lws(&s, 0);
    if (slice_eq_ci(name, SLICE("algorithm")))
        take(&s, &p->algorithm, scan_token(&s, SEC_MAC_USER_MAX_N));
    else if (slice_eq_ci(name, SLICE("username")))
        take(&s, &p->user, scan_quoted(&s, SEC_MAC_USER_MAX_N));
    else if (slice_eq_ci(name, SLICE("mac")))
        take(&s, &p->mac, scan_while(&s, is_base64, SEC_MAC_TEXT_MAX_N));
    else
        scan_fail(&s, ERR_MALFORMED);
    scan_lws(&s, 0);
    scan_end(&s);
    return s.err;
}

enum err sec_mac_parse(struct slice value, struct sec_mac *out)
{
    struct fields p = {.mac = SLICE_NONE};
    struct sec_mac v = {.algorithm = SEC_MAC_MD5};
    struct slice item;
    enum err e = value.n > SEC_MAC_HEADER_MAX_N ? ERR_LIMIT : ERR_OK;

    while (!e && slice_item(&value, &item))
        e = param_add(&p, item);
    if (!e && (!p.user.n || !p.mac.n || !sec_param_quotable(p.user)))
        e = ERR_MALFORMED;
    if (!e && p.algorithm.n)
        e = algorithm_of(p.algorithm, &v.algorithm);
    if (e)
        return e;
    v.user = p.user;
    v.mac = p.mac;
    *out = v;
    return ERR_OK;
}

enum err sec_mac_print(struct slice user, const struct sec_mac_keys *keys, struct slice nonce,
                       const struct slice *body, size_t body_parts, struct buf *out)
{
    enum sec_mac_algorithm a = sec_mac_keys_best(keys);
    struct sec_mac_text content, mac = {.n = 0};
    enum err e = sec_param_quotable(user) && user.n && user.n <= SEC_MAC_USER_MAX_N ? ERR_OK : ERR_MALFORMED;

    if (!e)
        e = sec_mac_body(a, body, body_parts, &content);
    if (!e)
        e = sec_mac_make(a, sec_secret_slice(&keys->key[a]), nonce, &content, &mac);
    if (e)
        return e;
    buf_addf(out, "algorithm=%s, username=\"", sec_hash_name(hashes[a]));
    buf_add(out, user);
    buf_add_str(out, "\", mac=");
    buf_add(out, slice_of(mac.p, mac.n));
    return buf_err(out);
}

/* --- challenges --- */

enum err sec_mac_challenge(struct slice realm, struct slice nonce, struct buf *out)
{
    size_t before = out->n;

    if (!sec_param_quotable(realm))
        return ERR_MALFORMED;
    buf_add_str(out, "Syncml-MAC realm=\"");
    buf_add(out, realm);
    buf_add_str(out, "\", nonce=\"");
    codec_base64(out, nonce);
    buf_add_ch(out, '"');
    if (buf_err(out))
        buf_cut(out, before);
    return buf_err(out);
}

enum err sec_mac_nonce_parse(struct slice text, struct sec_mac_nonce *out)
{
    struct buf octets;
    enum err e;

    buf_init(&octets, SEC_MAC_NONCE_MAX_N);
    e = codec_unbase64(text, false, &octets);
    if (!e && !octets.n)
        e = ERR_MALFORMED;
    if (!e) {
        mem_copy(out->p, sizeof out->p, buf_slice(&octets));
        out->n = octets.n;
    }
    buf_clear(&octets);
    return e;
}

enum err sec_mac_challenged(struct slice value, struct sec_mac_nonce *out)
{
    struct slice scheme, rest;
    struct sec_params p;
    enum err e;

    if (!slice_cut(value, ' ', &scheme, &rest) || !slice_eq_ci(scheme, SLICE("Syncml-MAC")))
        return ERR_UNSUPPORTED;
    e = sec_params_parse(rest, &p);
    if (!e && !p.has[SEC_PARAM_NONCE])
        e = ERR_MALFORMED;
    return e ? e : sec_mac_nonce_parse(p.value[SEC_PARAM_NONCE], out);
}
