/* Answers to challenges; see login.h.  HA1 is made for each answer and wiped; the password is kept nowhere but where it came
 * from. */
#include "ota/sip/login.h"

#include "base/codec.h"

#define CNONCE_N   16 /* octets of chance */
#define STALES_MAX 2

void ota_sip_login_init(struct ota_sip_login *l)
{
    *l = (struct ota_sip_login){.n = 0};
    for (size_t i = 0; i < OTA_SIP_REALMS_MAX; i++)
        buf_init(&l->realms[i].challenge, SEC_DIGEST_HEADER_MAX_N);
}

void ota_sip_login_clear(struct ota_sip_login *l)
{
    for (size_t i = 0; i < OTA_SIP_REALMS_MAX; i++)
        buf_clear(&l->realms[i].challenge);
    ota_sip_login_init(l);
}

static struct ota_sip_realm *find(struct ota_sip_login *l, bool proxy, struct slice realm)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->realms[i].proxy == proxy && slice_eq(l->realms[i].offer.realm, realm))
            return &l->realms[i];
    return NULL;
}

static enum err keep(struct ota_sip_realm *r, struct slice value)
{
    struct slice kept;

    buf_reset(&r->challenge, SEC_DIGEST_HEADER_MAX_N);
    buf_add(&r->challenge, value);
    if (buf_err(&r->challenge))
        return buf_err(&r->challenge);
    kept = buf_slice(&r->challenge);
    r->nc = 0;
    return sec_digest_choose(&kept, 1, &r->offer);
}

/* One challenge of a realm that may have been answered before. */
static enum err take(struct ota_sip_login *l, bool proxy, struct slice value,
                     const struct sec_digest_offer *offer)
{
    struct ota_sip_realm *r = find(l, proxy, offer->realm);
    enum err e;

    if (r && (!offer->stale || r->stales == STALES_MAX))
        return ERR_DENIED;
    if (r) {
        r->stales++;
        return keep(r, value);
    }
    if (l->n == OTA_SIP_REALMS_MAX)
        return ERR_LIMIT;
    r = &l->realms[l->n];
    r->proxy = proxy;
    e = keep(r, value);
    if (!e)
        l->n++;
    return e;
}

/* Was the realm's challenge among the lines before this one?  Then this is another algorithm of it. */
static bool seen_before(struct slice lines, struct slice until, struct slice realm)
{
    struct sec_digest_offer offer;
    struct slice value;

    while (slice_cut(lines, '\n', &value, &lines) && value.p != until.p)
        if (!sec_digest_choose(&value, 1, &offer) && slice_eq(offer.realm, realm))
            return true;
    return false;
}

static enum err take_all(struct ota_sip_login *l, bool proxy, struct slice lines)
{
    struct slice rest = lines, value;
    struct sec_digest_offer offer;
    bool any = false;
    enum err e;

    while (slice_cut(rest, '\n', &value, &rest)) {
        if (sec_digest_choose(&value, 1, &offer) || seen_before(lines, value, offer.realm))
            continue;
        e = take(l, proxy, value, &offer);
        if (e)
            return e;
        any = true;
    }
    return any ? ERR_OK : ERR_ABSENT;
}

enum err ota_sip_login_challenged(struct ota_sip_login *l, const struct ota_sip_reply *r)
{
    struct buf lines;
    enum err e;

    buf_init(&lines, OTA_SIP_HEAD_MAX_N);
    e = ota_sip_reply_challenges(r, &lines);
    if (!e)
        e = take_all(l, r->status == 407, buf_slice(&lines));
    buf_clear(&lines);
    return e;
}

static enum err answer(struct ota_sip_realm *r, const struct ota_login *as,
                       const struct sec_digest_request *request, struct slice cnonce, struct buf *out)
{
    struct sec_digest_response sent;
    struct sec_secret ha1;
    enum err e;

    sec_secret_init(&ha1);
    e = sec_digest_ha1(r->offer.algorithm, as->user, r->offer.realm, as->password, &ha1);
    buf_add_str(out, r->proxy ? "Proxy-Authorization: " : "Authorization: ");
    if (!e)
        e = sec_digest_answer(&r->offer, as->user, &ha1, request, cnonce, ++r->nc, out, &sent);
    buf_add(out, SLICE("\r\n"));
    sec_secret_clear(&ha1);
    return e ? e : buf_err(out);
}

enum err ota_sip_login_print(struct ota_sip_login *l, const struct ota_login *as,
                             const struct sec_digest_request *request, struct buf *out)
{
    uint8_t chance[CNONCE_N];
    struct buf cnonce;
    enum err e = ERR_OK;

    buf_init(&cnonce, 2 * CNONCE_N);
    for (size_t i = 0; i < l->n && !e; i++) {
        buf_reset(&cnonce, 2 * CNONCE_N);
        e = sec_random(chance, sizeof chance);
        codec_hex(&cnonce, slice_of(chance, sizeof chance));
        if (!e)
            e = buf_err(&cnonce);
        if (!e)
            e = answer(&l->realms[i], as, request, buf_slice(&cnonce), out);
    }
    buf_clear(&cnonce);
    return e;
}
