/* The server side of HTTP Digest: challenges, nonces, and the verdict on an answer (RFC 7616 §3.3, §3.4, §5.4,
 * §5.5).
 *
 * A nonce is base64(time || random || tag), the tag an HMAC under a secret of this guard: issuing one costs no
 * memory.  The table below holds nonces that were used with a right answer: sets of SET_N entries, chosen by the
 * tag.  When a set is full its oldest nonce goes, and the set remembers how old that was: whatever is not younger
 * and not in the table is stale, so forgetting never lets a count be used again.
 *
 * Any thread: a mutex is held while one set is looked through. */
#include "security/login/digest.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/codec.h"
#include "base/mem.h"
#include "base/num.h"
#include "security/kdf.h"
#include "security/login/digest_hash.h"
#include "security/login/digest_params.h"

#define NONCE_TIME_N 8
#define NONCE_RAND_N 8
#define NONCE_TAG_N  16
#define NONCE_N      (NONCE_TIME_N + NONCE_RAND_N + NONCE_TAG_N)
#define NONCE_TEXT_N 44 /* base64 of NONCE_N octets */
#define SET_N        8
#define NONCES_MAX   1000000
#define LIFE_MAX_MS  (INT64_C(7) * 24 * 3600 * 1000)
#define COUNT_WINDOW 64 /* counts below the highest that may still arrive: connections race */

struct nonce {
    uint64_t id; /* from the tag; 0: free */
    int64_t issued_ms;
    uint64_t seen; /* bit i: count high - 1 - i was used */
    uint32_t high; /* highest count used */
};

struct nonce_set {
    struct nonce entry[SET_N];
    int64_t floor_ms; /* nonces not in the set are stale when issued then or before */
};

struct sec_digest_guard {
    pthread_mutex_t lock; /* protects sets */
    struct nonce_set *sets;
    size_t sets_n;
    struct sec_digest_guard_conf conf;
    struct sec_secret secret; /* 256 bits; the nonce tags' key */
};

enum err sec_digest_guard_create(const struct sec_digest_guard_conf *conf, struct sec_digest_guard **out)
{
    struct sec_digest_guard *g;

    if (conf->nonces_max < 1 || conf->nonces_max > NONCES_MAX || conf->nonce_life_ms < 1 ||
        conf->nonce_life_ms > LIFE_MAX_MS)
        return ERR_LIMIT;
    g = calloc(1, sizeof *g);
    if (!g)
        return ERR_NOMEM;
    g->conf = *conf;
    g->sets_n = (conf->nonces_max + SET_N - 1) / SET_N;
    g->sets = calloc(g->sets_n, sizeof *g->sets);
    MUST(pthread_mutex_init(&g->lock, NULL) == 0);
    if (!g->sets || sec_secret_random(&g->secret, SEC_SHA256_N)) {
        enum err e = g->sets ? ERR_IO : ERR_NOMEM;

        sec_digest_guard_free(&g);
        return e;
    }
    for (size_t i = 0; i < g->sets_n; i++)
        g->sets[i].floor_ms = INT64_MIN;
    *out = g;
    return ERR_OK;
}

void sec_digest_guard_free(struct sec_digest_guard **guard)
{
    struct sec_digest_guard *g = *guard;

    if (!g)
        return;
    (void)pthread_mutex_destroy(&g->lock);
    sec_secret_clear(&g->secret);
    free(g->sets);
    free(g);
    *guard = NULL;
}

static enum err nonce_tag(const struct sec_digest_guard *g, const uint8_t *nonce, uint8_t tag[SEC_SHA256_N])
{
    struct slice part = slice_of(nonce, NONCE_TIME_N + NONCE_RAND_N);

    return sec_hmac_sha256(sec_secret_slice(&g->secret), &part, 1, tag);
}

static enum err nonce_make(const struct sec_digest_guard *g, int64_t now_ms, uint8_t nonce[NONCE_N])
{
    uint8_t tag[SEC_SHA256_N];
    enum err e;

    num_put64(nonce, (uint64_t)now_ms);
    e = sec_random(nonce + NONCE_TIME_N, NONCE_RAND_N);
    if (!e)
        e = nonce_tag(g, nonce, tag);
    if (!e)
        mem_copy(nonce + NONCE_TIME_N + NONCE_RAND_N, NONCE_TAG_N, slice_of(tag, NONCE_TAG_N));
    return e;
}

/* Ours and young enough?  ERR_LATE when not. */
static enum err nonce_check(const struct sec_digest_guard *g, struct slice text, int64_t now_ms,
                            struct nonce *out)
{
    uint8_t tag[SEC_SHA256_N];
    struct buf nonce;
    enum err e = ERR_LATE;

    buf_init(&nonce, NONCE_N + 3);
    if (text.n == NONCE_TEXT_N && !codec_unbase64(text, false, &nonce) && nonce.n == NONCE_N)
        e = nonce_tag(g, (const uint8_t *)nonce.p, tag);
    if (!e && !slice_eq_ct(slice_of(tag, NONCE_TAG_N),
                           slice_sub(buf_slice(&nonce), NONCE_N - NONCE_TAG_N, NONCE_TAG_N)))
        e = ERR_LATE;
    if (!e) {
        out->issued_ms = (int64_t)num_get64(nonce.p);
        out->id = num_get64(tag) | 1; /* never 0, which marks a free entry */
        if (now_ms - out->issued_ms > g->conf.nonce_life_ms ||
            out->issued_ms - now_ms > g->conf.nonce_life_ms)
            e = ERR_LATE;
    }
    buf_clear(&nonce);
    return e;
}

/* Marks the count used; false when it was, or is too far below the highest. */
static bool count_use(struct nonce *n, uint32_t nc)
{
    uint32_t ahead, back;

    if (nc > n->high) {
        ahead = nc - n->high;
        n->seen = ahead < COUNT_WINDOW ? n->seen << ahead : 0;
        if (ahead <= COUNT_WINDOW && n->high)
            n->seen |= UINT64_C(1) << (ahead - 1);
        n->high = nc;
        return true;
    }
    back = n->high - nc;
    if (back == 0 || back > COUNT_WINDOW || (n->seen >> (back - 1) & 1))
        return false;
    n->seen |= UINT64_C(1) << (back - 1);
    return true;
}

/* The entry of that nonce, a new one if need be; NULL when the nonce may have been forgotten. */
static struct nonce *entry_of(struct nonce_set *set, const struct nonce *n)
{
    struct nonce *oldest = &set->entry[0];

    for (size_t i = 0; i < SET_N; i++) {
        struct nonce *entry = &set->entry[i];

        if (entry->id == n->id && entry->issued_ms == n->issued_ms)
            return entry;
        if (oldest->id && (!entry->id || entry->issued_ms < oldest->issued_ms))
            oldest = entry;
    }
    if (n->issued_ms <= set->floor_ms)
        return NULL;
    if (oldest->id)
        set->floor_ms = num_max64(set->floor_ms, oldest->issued_ms);
    *oldest = (struct nonce){.id = n->id, .issued_ms = n->issued_ms};
    return oldest;
}

static enum err nonce_use(struct sec_digest_guard *g, const struct nonce *n, uint32_t nc)
{
    struct nonce *entry;
    bool fresh;

    (void)pthread_mutex_lock(&g->lock);
    entry = entry_of(&g->sets[(n->id >> 1) % g->sets_n], n);
    fresh = entry && count_use(entry, nc);
    (void)pthread_mutex_unlock(&g->lock);
    return fresh ? ERR_OK : ERR_LATE;
}

enum err sec_digest_challenge(struct sec_digest_guard *guard, enum sec_digest_algorithm a, struct slice realm,
                              bool stale, int64_t now_ms, struct buf *out)
{
    uint8_t nonce[NONCE_N];
    size_t before = out->n;
    enum err e;

    if (!sec_param_quotable(realm))
        return ERR_MALFORMED;
    e = nonce_make(guard, now_ms, nonce);
    if (e)
        return e;
    buf_add(out, SLICE("Digest realm=\""));
    buf_add(out, realm);
    buf_addf(out, "\", qop=\"%s\", algorithm=%s, nonce=\"", guard->conf.auth_int ? "auth, auth-int" : "auth",
             sec_digest_algorithm_name(a));
    codec_base64(out, slice_of(nonce, sizeof nonce));
    buf_add_str(out, stale ? "\", stale=true" : "\"");
    if (buf_err(out))
        buf_cut(out, before);
    return buf_err(out);
}

/* The right digest, or ERR_DENIED.  An unknown user's answer is compared with that of a secret nobody has. */
static enum err response_check(const struct sec_digest_guard *g, const struct sec_digest_response *r,
                               const struct sec_digest_request *request, const struct sec_secret *ha1)
{
    bool known = ha1 && ha1->n == sec_digest_hex_n(r->algorithm);
    char nobody[SEC_DIGEST_HEX_MAX_N];
    struct sec_digest_hex want;
    bool right;
    enum err e;

    for (size_t i = 0; i < sizeof nobody; i++)
        nobody[i] = (char)g->secret.octets[i % SEC_SHA256_N];
    e = sec_digest_formula(r,
                           known ? sec_secret_slice(ha1) : slice_of(nobody, sec_digest_hex_n(r->algorithm)),
                           request->method, request->body, &want);
    mem_wipe(nobody, sizeof nobody);
    if (e)
        return e;
    right = sec_digest_hex_eq(r->response, &want);
    return known && right ? ERR_OK : ERR_DENIED;
}

enum err sec_digest_verify(struct sec_digest_guard *guard, const struct sec_digest_response *r,
                           const struct sec_digest_request *request, struct slice realm,
                           const struct sec_secret *ha1, int64_t now_ms)
{
    struct nonce n;
    enum err e;

    if (!slice_eq(r->uri, request->uri) || !slice_eq(r->realm, realm))
        return ERR_DENIED;
    if (r->qop == SEC_QOP_NONE || (r->qop == SEC_QOP_AUTH_INT && !guard->conf.auth_int))
        return ERR_DENIED;
    if (r->qop == SEC_QOP_AUTH_INT && !request->body_known) { /* a body is read for a nonce of ours only */
        e = nonce_check(guard, r->nonce, now_ms, &n);
        return e ? e : ERR_AGAIN;
    }
    e = response_check(guard, r, request, ha1);
    if (!e)
        e = nonce_check(guard, r->nonce, now_ms, &n);
    return e ? e : nonce_use(guard, &n, r->nc);
}

enum err sec_digest_next_nonce(const struct sec_digest_guard *guard, struct slice nonce, int64_t now_ms,
                               struct buf *out)
{
    uint8_t next[NONCE_N];
    struct nonce n;
    enum err e = nonce_check(guard, nonce, now_ms, &n);

    if (e == ERR_LATE || (!e && now_ms - n.issued_ms < guard->conf.nonce_life_ms / 2))
        return ERR_OK;
    if (!e)
        e = nonce_make(guard, now_ms, next);
    if (e)
        return e;
    buf_add_str(out, ", nextnonce=\"");
    codec_base64(out, slice_of(next, sizeof next));
    buf_add_ch(out, '"');
    return buf_err(out);
}

enum err sec_digest_info(const struct sec_digest_response *r, const struct sec_secret *ha1,
                         struct slice response_body, struct buf *out)
{
    struct sec_digest_hex rspauth;
    size_t before = out->n;
    enum err e = sec_digest_formula(r, sec_secret_slice(ha1), SLICE_NONE, response_body, &rspauth);

    if (e)
        return e;
    buf_addf(out, "qop=%s, rspauth=\"", r->qop == SEC_QOP_AUTH_INT ? "auth-int" : "auth");
    buf_add(out, slice_of(rspauth.p, rspauth.n));
    buf_add(out, SLICE("\", cnonce=\""));
    buf_add(out, r->cnonce);
    buf_addf(out, "\", nc=%08x", (unsigned)r->nc);
    if (buf_err(out))
        buf_cut(out, before);
    return buf_err(out);
}
