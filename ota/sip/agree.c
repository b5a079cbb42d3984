/* Security agreement; see agree.h.  RFC 3329 §2.2, §2.3.1, §2.4. */
#include "ota/sip/agree.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/scan.h"

#define MECHANISMS_MAX 16
#define VALUE_MAX_N    64
#define REQUIRES       "Require: sec-agree\r\nProxy-Require: sec-agree\r\n"

/* One of the list. */
struct mechanism {
    enum ota_sip_mechanism known;
    unsigned q; /* thousandths */
    struct sec_digest_offer digest;
    bool algorithm_given;
};

/* qvalue: 0 or 1 with up to three digits (§2.2). */
static enum err read_q(struct slice text, unsigned *out)
{
    struct scan s = scan_of(text);
    unsigned q = scan_u32(&s, 0, 1) * 1000, worth = 100;

    if (scan_skip_ch(&s, '.'))
        for (; worth && !scan_done(&s); worth /= 10)
            q += scan_digits(&s, 1) * worth;
    scan_end(&s);
    if (s.err || q > 1000)
        return ERR_MALFORMED;
    *out = q;
    return ERR_OK;
}

/* What we cannot do makes the mechanism one that we do not know. */
static enum err param(struct mechanism *m, struct slice name, struct slice value)
{
    if (slice_eq_ci(name, SLICE("q")))
        return read_q(value, &m->q);
    if (m->known != OTA_SIP_AGREED_DIGEST)
        return ERR_OK;
    if (slice_eq_ci(name, SLICE("d-qop")) && !slice_eq_ci(value, SLICE("auth")))
        m->known = OTA_SIP_NOT_AGREED;
    if (slice_eq_ci(name, SLICE("d-alg"))) {
        m->algorithm_given = true;
        if (slice_eq_ci(value, SLICE("MD5")))
            m->digest.algorithm = SEC_DIGEST_MD5;
        else if (slice_eq_ci(value, SLICE("SHA-256")))
            m->digest.algorithm = SEC_DIGEST_SHA256;
        else
            m->known = OTA_SIP_NOT_AGREED;
    }
    return ERR_OK;
}

/* sec-mechanism = mechanism-name *(SEMI mech-parameters) */
static enum err read_one(struct scan *s, struct mechanism *m)
{
    struct slice name = scan_token(s, VALUE_MAX_N);
    enum err e = ERR_OK;

    *m = (struct mechanism){.known = slice_eq_ci(name, SLICE("tls"))      ? OTA_SIP_AGREED_TLS
                                     : slice_eq_ci(name, SLICE("digest")) ? OTA_SIP_AGREED_DIGEST
                                                                          : OTA_SIP_NOT_AGREED};
    for (scan_lws(s, 0); !e && scan_skip_ch(s, ';'); scan_lws(s, 0)) {
        struct slice value = SLICE_NONE;

        scan_lws(s, 0);
        name = scan_token(s, VALUE_MAX_N);
        scan_lws(s, 0);
        if (scan_skip_ch(s, '=')) {
            scan_lws(s, 0);
            value = scan_token_or_quoted(s, OTA_SIP_LIST_MAX_N);
        }
        e = s->err ? s->err : param(m, name, value);
    }
    return e ? e : s->err;
}

static bool same_q(const struct mechanism *list, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++)
        if (list[i].q == list[n - 1].q)
            return true;
    return false;
}

static enum err read_list(struct slice text, struct mechanism *list, size_t *n)
{
    struct scan s = scan_of(text);

    for (*n = 0; *n < MECHANISMS_MAX;) {
        enum err e = ERR_OK;

        scan_lws(&s, 0);
        e = read_one(&s, &list[(*n)++]);
        if (e)
            return e;
        if (same_q(list, *n))
            return ERR_MALFORMED;
        if (!scan_skip_ch(&s, ','))
            break;
    }
    scan_end(&s);
    return s.err;
}

/* Each white space as one space (§2.2, digest-verify). */
static enum err keep_list(struct slice text, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        char ch = text.p[i] == '\t' ? ' ' : text.p[i];

        if (ch == ' ' && n && out[n - 1] == ' ')
            continue;
        if ((unsigned char)ch < ' ' || ch == 0x7F)
            return ERR_MALFORMED;
        if (n == OTA_SIP_LIST_MAX_N)
            return ERR_LIMIT;
        out[n++] = ch;
    }
    out[n] = '\0';
    return ERR_OK;
}

enum err ota_sip_agree(struct slice text, struct ota_sip_agreement *out)
{
    struct ota_sip_agreement a = {.mechanism = OTA_SIP_NOT_AGREED};
    struct mechanism list[MECHANISMS_MAX], *best = NULL;
    size_t n;
    enum err e = keep_list(slice_trim(text), a.list);

    if (!e)
        e = read_list(slice_str(a.list), list, &n);
    if (e)
        return e;
    for (size_t i = 0; i < n; i++)
        if (list[i].known && (!best || list[i].q > best->q))
            best = &list[i];
    if (!best)
        return ERR_ABSENT;
    a.mechanism = best->known;
    a.digest = best->digest;
    a.algorithm_given = best->algorithm_given;
    *out = a;
    return ERR_OK;
}

static bool is_digest(struct slice item)
{
    struct scan s = scan_of(item);

    return slice_eq_ci(scan_token(&s, VALUE_MAX_N), SLICE("digest"));
}

/* The list with the digest as the last parameter of its mechanism. */
static void add_verified(struct buf *out, struct slice list, struct slice verify)
{
    struct slice rest = list, item;
    bool first = true;

    while (slice_item(&rest, &item)) {
        buf_add(out, first ? SLICE_NONE : SLICE(", "));
        buf_add(out, item);
        if (is_digest(item)) {
            buf_add(out, SLICE(";d-ver=\""));
            buf_add(out, verify);
            buf_add_ch(out, '"');
        }
        first = false;
    }
}

enum err ota_sip_agree_print(const struct ota_sip_agreement *a, struct slice verify, struct buf *out)
{
    if (a->mechanism == OTA_SIP_NOT_AGREED) {
        buf_add(out, SLICE("Security-Client: tls, digest\r\n" REQUIRES));
        return buf_err(out);
    }
    buf_add(out, SLICE("Security-Verify: "));
    if (verify.n)
        add_verified(out, slice_str(a->list), verify);
    else
        buf_add_str(out, a->list); /* to the letter */
    buf_add(out, SLICE("\r\n" REQUIRES));
    return buf_err(out);
}

/* --- remembered --- */

struct agreed {
    struct ota_sip_agreement with;
    size_t hop_n;
    char hop[];
};

void ota_sip_agreements_init(struct ota_sip_agreements *s, size_t hops_max)
{
    map_init(&s->by_hop, hops_max);
}

void ota_sip_agreements_clear(struct ota_sip_agreements *s)
{
    struct agreed *a;
    size_t pos = 0;

    while ((a = map_next(&s->by_hop, &pos)))
        free(a);
    map_clear(&s->by_hop);
}

struct ota_sip_agreement ota_sip_agreements_find(const struct ota_sip_agreements *s, struct slice hop)
{
    const struct agreed *a = map_get(&s->by_hop, hop);

    return a ? a->with : (struct ota_sip_agreement){.mechanism = OTA_SIP_NOT_AGREED};
}

void ota_sip_agreements_put(struct ota_sip_agreements *s, struct slice hop,
                            const struct ota_sip_agreement *with)
{
    struct agreed *a = map_get(&s->by_hop, hop);

    if (!a) {
        a = malloc(sizeof *a + hop.n);
        if (!a)
            return;
        a->hop_n = hop.n;
        mem_copy(a->hop, hop.n, hop);
        if (map_put(&s->by_hop, slice_of(a->hop, hop.n), a)) {
            free(a);
            return;
        }
    }
    a->with = *with;
}
