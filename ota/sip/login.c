/* Answers to challenges; see login.h.  HA1 is made for each answer and wiped; the password is kept nowhere but where it came
 * from. */
#include "ota/sip/login.h"

#define STALES_MAX 2

void ota_sip_login_init(struct ota_sip_login *l)
{
    *l = (struct ota_sip_login){.n = 0};
    for (size_t i = 0; i < OTA_SIP_REALMS_MAX; i++) {
        buf_init(&l->realms[i].challenge, SEC_DIGEST_HEADER_MAX_N);
        sec_secret_init(&l->realms[i].password);
    }
}

void ota_sip_login_clear(struct ota_sip_login *l)
{
    const struct ota_sip_module *module = l->module;

    for (size_t i = 0; i < OTA_SIP_REALMS_MAX; i++) {
        buf_clear(&l->realms[i].challenge);
        sec_secret_clear(&l->realms[i].password);
    }
    ota_sip_login_init(l);
    l->module = module;
}

static struct ota_sip_realm *find(struct ota_sip_login *l, bool proxy, struct slice realm)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->realms[i].proxy == proxy && slice_eq(l->realms[i].offer.realm, realm))
            return &l->realms[i];
    return NULL;
}

/* A challenge that we can answer. */
static enum err choose(const struct ota_sip_login *l, struct slice value, struct sec_digest_offer *out)
{
    enum err e = sec_digest_choose(&value, 1, out);

    return e && l->module ? sec_digest_aka_choose(&value, 1, out) : e;
}

/* The run that the challenge asks for: its password, or where our numbers stand (RFC 3310 §3.2, §3.4). */
static enum err run_module(const struct ota_sip_login *l, struct ota_sip_realm *r)
{
    uint8_t rand[SEC_AKA_RAND_N], autn[SEC_AKA_AUTN_N];
    struct sec_aka_vector v;
    enum err e = sec_digest_aka_nonce(r->offer.nonce, rand, autn);

    sec_secret_clear(&r->password);
    r->sync = false;
    if (e)
        return e;
    e = l->module->run(l->module->arg, rand, autn, &v, r->auts);
    r->sync = e == ERR_EXISTS;
    if (e)
        return r->sync ? ERR_OK : e;
    e = sec_digest_aka_password(r->offer.algorithm, &v, &r->password);
    sec_aka_vector_clear(&v);
    return e;
}

static enum err keep(const struct ota_sip_login *l, struct ota_sip_realm *r, struct slice value)
{
    struct slice kept;
    enum err e;

    buf_reset(&r->challenge, SEC_DIGEST_HEADER_MAX_N);
    buf_add(&r->challenge, value);
    if (buf_err(&r->challenge))
        return buf_err(&r->challenge);
    kept = buf_slice(&r->challenge);
    r->nc = 0;
    e = choose(l, kept, &r->offer);
    return !e && r->offer.algorithm >= SEC_DIGEST_ALGORITHM_COUNT ? run_module(l, r) : e;
}

/* One challenge of a realm that may have been answered before. */
static enum err take(struct ota_sip_login *l, bool proxy, struct slice value,
                     const struct sec_digest_offer *offer)
{
    struct ota_sip_realm *r = find(l, proxy, offer->realm);
    enum err e;

    if (r && !r->recalled && ((!offer->stale && !r->sync) || r->stales == STALES_MAX))
        return ERR_DENIED;
    if (r) {
        r->stales += !r->recalled;
        r->recalled = false;
        return keep(l, r, value);
    }
    if (l->n == OTA_SIP_REALMS_MAX)
        return ERR_LIMIT;
    r = &l->realms[l->n];
    r->proxy = proxy;
    e = keep(l, r, value);
    if (!e)
        l->n++;
    return e;
}

/* Was the realm's challenge among the lines before this one?  Then this is another algorithm of it. */
static bool seen_before(const struct ota_sip_login *l, struct slice lines, struct slice until,
                        struct slice realm)
{
    struct sec_digest_offer offer;
    struct slice value;

    while (slice_cut(lines, '\n', &value, &lines) && value.p != until.p)
        if (!choose(l, value, &offer) && slice_eq(offer.realm, realm))
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
        if (choose(l, value, &offer) || seen_before(l, lines, value, offer.realm))
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
        e = take_all(l, ota_sip_reply_of_proxy(r), buf_slice(&lines));
    buf_clear(&lines);
    return e;
}

enum err ota_sip_login_recall(struct ota_sip_login *l, bool proxy, struct slice challenge, uint32_t nc)
{
    struct ota_sip_realm *r = &l->realms[l->n];
    enum err e;

    if (l->n == OTA_SIP_REALMS_MAX)
        return ERR_LIMIT;
    e = keep(l, r, challenge);
    if (e)
        return e;
    r->proxy = proxy;
    r->nc = nc;
    r->recalled = true;
    l->n++;
    return ERR_OK;
}

static void text(struct buf *out, const char *name, struct slice value)
{
    buf_addf(out, ", %s=\"", name);
    buf_add(out, value);
    buf_add_ch(out, '"');
}

static bool quotable(struct slice s)
{
    return s.n && s.n <= SEC_DIGEST_VALUE_MAX_N && slice_printable_n(s) == s.n &&
           slice_find(s, '"') == SIZE_MAX && slice_find(s, '\\') == SIZE_MAX;
}

enum err ota_sip_login_next(const struct ota_sip_realm *realm, const struct ota_sip_reply *r, struct buf *out)
{
    struct slice nonce = ota_sip_reply_next_nonce(r, realm->proxy);
    const struct sec_digest_offer *o = &realm->offer;

    if (nonce.n == 0)
        return ERR_ABSENT;
    if (!quotable(nonce))
        return ERR_MALFORMED;
    buf_add(out, SLICE("Digest realm=\""));
    buf_add(out, o->realm);
    buf_add_ch(out, '"');
    text(out, "nonce", nonce);
    if (o->opaque.n)
        text(out, "opaque", o->opaque);
    if (o->qop_given)
        text(out, "qop",
             o->auth && o->auth_int ? SLICE("auth,auth-int")
             : o->auth              ? SLICE("auth")
                                    : SLICE("auth-int"));
    buf_addf(out, ", algorithm=%s", sec_digest_algorithm_name(o->algorithm));
    return buf_err(out);
}

/* The digest over the list is that of a request whose URI the list goes on with (RFC 3329 §2.2). */
static enum err verify_list(const struct sec_digest_offer *offer, struct slice user,
                            const struct sec_secret *ha1, const struct sec_digest_request *request,
                            struct slice cnonce, uint32_t nc, const struct ota_sip_verify *v)
{
    static const struct slice mark = SLICE("response=\"");
    struct sec_digest_request listed = *request;
    struct sec_digest_response sent;
    struct buf uri, line;
    struct slice rest, digest;
    size_t at;
    enum err e;

    buf_init(&uri, SEC_DIGEST_VALUE_MAX_N);
    buf_init(&line, SEC_DIGEST_HEADER_MAX_N);
    buf_add(&uri, request->uri);
    buf_add_ch(&uri, ':');
    buf_add(&uri, v->list);
    listed.uri = buf_slice(&uri);
    e = buf_err(&uri) ? buf_err(&uri)
                      : sec_digest_answer(offer, user, ha1, &listed, cnonce, nc, &line, &sent);
    at = slice_find_slice(buf_slice(&line), mark);
    if (!e && (at == SIZE_MAX ||
               !slice_cut(slice_sub(buf_slice(&line), at + mark.n, SIZE_MAX), '"', &digest, &rest)))
        e = ERR_MALFORMED;
    if (!e)
        buf_add(v->digest, digest);
    buf_clear(&line);
    buf_clear(&uri);
    return e ? e : buf_err(v->digest);
}

static enum err answer(struct ota_sip_realm *r, const struct ota_login *as,
                       const struct sec_digest_request *request, struct slice cnonce,
                       const struct ota_sip_verify *v, struct buf *out)
{
    struct sec_digest_offer offer = r->offer;
    struct sec_digest_response sent;
    struct sec_secret ha1;
    enum err e;

    if (v && !offer.auth)
        return ERR_UNSUPPORTED;
    if (v)
        offer.auth_int = false;
    if (v && v->algorithm)
        offer.algorithm = *v->algorithm;
    buf_add_str(out, r->proxy ? "Proxy-Authorization: " : "Authorization: ");
    if (r->sync) {
        e = sec_digest_aka_sync(&offer, as->user, r->auts, request, cnonce, out);
        buf_add(out, SLICE("\r\n"));
        return e ? e : buf_err(out);
    }
    sec_secret_init(&ha1);
    e = sec_digest_ha1(offer.algorithm, as->user, offer.realm,
                       sec_secret_slice(&r->password).n ? sec_secret_slice(&r->password) : as->password,
                       &ha1);
    if (!e)
        e = sec_digest_answer(&offer, as->user, &ha1, request, cnonce, ++r->nc, out, &sent);
    buf_add(out, SLICE("\r\n"));
    if (!e && v)
        e = verify_list(&offer, as->user, &ha1, request, cnonce, r->nc, v);
    sec_secret_clear(&ha1);
    return e ? e : buf_err(out);
}

/* Which realm is the next hop's. */
static size_t hop_realm(const struct ota_sip_login *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->realms[i].proxy)
            return i;
    return 0;
}

enum err ota_sip_login_print(struct ota_sip_login *l, const struct ota_login *as,
                             const struct sec_digest_request *request, const struct ota_sip_verify *verify,
                             struct buf *out)
{
    struct buf cnonce;
    enum err e = ERR_OK;

    buf_init(&cnonce, SEC_DIGEST_CNONCE_N);
    for (size_t i = 0; i < l->n && !e; i++) {
        buf_reset(&cnonce, SEC_DIGEST_CNONCE_N);
        e = sec_digest_cnonce(&cnonce);
        if (!e)
            e = answer(&l->realms[i], as, request, buf_slice(&cnonce), i == hop_realm(l) ? verify : NULL,
                       out);
    }
    buf_clear(&cnonce);
    return e;
}
