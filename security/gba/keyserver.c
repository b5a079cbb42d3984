/* The embedded key server; see keyserver.h.  The tables do not change once built; each subscriber's numbers do, under
 * the lock.  A range is [SEQ of sqn + 1, end): taking a number moves sqn, and only a reservation moves end.  Profile
 * GPI-A1, TS 33.220 §4.5.2, TS 33.102 annex C. */
#include "security/gba/keyserver.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rate.h"

#define SEQ_END    ((SEC_AKA_SQN_MAX >> SEC_AKA_IND_BITS) + 1)
#define LIFE_MAX_S (INT64_C(1) << 30) /* half of what a Diameter Time can tell apart */

/* Anybody may name a subscriber, and each run uses a number up: a module takes one that is 2^28 ahead (TS 33.102
 * §C.2.1), which is far away at one a second. */
static const struct rate runs_rate = {.count = 1, .burst = 10, .period_ms = 1000};

struct subscriber {
    struct list link;
    uint8_t k[SEC_AKA_K_N], opc[SEC_AKA_K_N]; /* 128 bits each */
    enum sec_aka_star star;
    uint16_t amf;
    int64_t expires_s; /* UTC; 0: never */
    uint64_t sqn;      /* the last number used, or given up */
    uint64_t end;      /* SEQ; numbers below it are reserved.  0: none yet */
    struct rate_bucket runs;
    struct slice impi; /* in names */
    char names[];      /* the IMPI and the public identities, one behind the other */
};

struct naf {
    struct sec_naf_id id;
    int64_t life_max_s;
};

struct sec_keyserver {
    pthread_mutex_t lock; /* protects sqn and end of every subscriber; runs looks after itself */
    struct map names;     /* name -> struct subscriber, in its names */
    struct list subscribers;
    size_t subscribers_n;
    struct naf nafs[SEC_KEYSERVER_NAFS_MAX];
    size_t nafs_n;
    uint8_t ind;
};

enum err sec_keyserver_create(const struct sec_keyserver_conf *conf, struct sec_keyserver **out)
{
    struct sec_keyserver *s;

    if (conf->names_max < 1 || conf->ind >= SEC_AKA_SLOTS)
        return ERR_LIMIT;
    s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    MUST(pthread_mutex_init(&s->lock, NULL) == 0);
    map_init(&s->names, conf->names_max);
    list_init(&s->subscribers);
    s->ind = conf->ind;
    *out = s;
    return ERR_OK;
}

static void subscriber_free(struct subscriber *u)
{
    mem_wipe(u, sizeof *u);
    free(u);
}

void sec_keyserver_free(struct sec_keyserver **server)
{
    struct sec_keyserver *s = *server;
    struct list *at;

    if (!s)
        return;
    map_clear(&s->names);
    while ((at = list_pop_front(&s->subscribers)))
        subscriber_free(container_of(at, struct subscriber, link));
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
    *server = NULL;
}

static bool is_name(struct slice name)
{
    return name.n >= 1 && name.n <= SEC_KEYSERVER_IDENTITY_MAX_N;
}

static enum err subscriber_check(const struct sec_subscriber *c, size_t *names_n)
{
    size_t n = c->impi.n;

    if (!is_name(c->impi) || c->k.n != SEC_AKA_K_N || c->opc.n != SEC_AKA_K_N ||
        c->publics_n > SEC_KEYSERVER_PUBLICS_MAX || c->sqn > SEC_AKA_SQN_MAX)
        return ERR_LIMIT;
    for (size_t i = 0; i < c->publics_n; i++) {
        if (!is_name(c->publics[i]))
            return ERR_LIMIT;
        n += c->publics[i].n;
    }
    *names_n = n;
    return ERR_OK;
}

/* Puts the IMPI and the public identities into the table, or none of them. */
static enum err names_put(struct sec_keyserver *s, const struct sec_subscriber *c, struct subscriber *u,
                          size_t names_n)
{
    enum err e = ERR_OK;
    size_t at = 0;

    for (size_t i = 0; i <= c->publics_n && !e; i++) {
        struct slice name = i ? c->publics[i - 1] : c->impi;

        mem_copy(u->names + at, names_n - at, name);
        e = map_put(&s->names, slice_of(u->names + at, name.n), u);
        if (!e)
            at += name.n;
    }
    for (size_t i = 0, back = 0; e && back < at; i++) {
        size_t n = i ? c->publics[i - 1].n : c->impi.n;

        (void)map_del(&s->names, slice_of(u->names + back, n));
        back += n;
    }
    return e;
}

enum err sec_keyserver_add(struct sec_keyserver *s, const struct sec_subscriber *c)
{
    struct subscriber *u;
    size_t names_n;
    enum err e = subscriber_check(c, &names_n);

    if (e)
        return e;
    u = calloc(1, sizeof *u + names_n);
    if (!u)
        return ERR_NOMEM;
    e = names_put(s, c, u, names_n);
    if (e) {
        subscriber_free(u);
        return e;
    }
    mem_copy(u->k, sizeof u->k, c->k);
    mem_copy(u->opc, sizeof u->opc, c->opc);
    u->impi = slice_of(u->names, c->impi.n);
    u->star = c->star;
    u->amf = c->amf;
    u->sqn = c->sqn;
    u->expires_s = c->expires_s;
    list_push_back(&s->subscribers, &u->link);
    s->subscribers_n++;
    return ERR_OK;
}

size_t sec_keyserver_count(const struct sec_keyserver *s)
{
    return s->subscribers_n;
}

static const struct naf *naf_find(const struct sec_keyserver *s, struct slice naf_id)
{
    for (size_t i = 0; i < s->nafs_n; i++)
        if (slice_eq(slice_of(s->nafs[i].id.octets, s->nafs[i].id.n), naf_id))
            return &s->nafs[i];
    return NULL;
}

enum err sec_keyserver_allow(struct sec_keyserver *s, struct slice naf_id, int64_t life_max_s)
{
    struct naf *naf = &s->nafs[s->nafs_n];
    struct slice fqdn, ua;

    if (s->nafs_n == SEC_KEYSERVER_NAFS_MAX || life_max_s < 1 || life_max_s > LIFE_MAX_S)
        return ERR_LIMIT;
    if (naf_id.n > SEC_GBA_NAF_ID_MAX_N || sec_gba_naf_id_split(naf_id, &fqdn, &ua))
        return ERR_MALFORMED;
    if (naf_find(s, naf_id))
        return ERR_EXISTS;
    mem_copy(naf->id.octets, sizeof naf->id.octets, naf_id);
    naf->id.n = naf_id.n;
    naf->life_max_s = life_max_s;
    s->nafs_n++;
    return ERR_OK;
}

/* --- numbers --- */

/* The first SEQ not reserved; lock held. */
static uint64_t seq_floor(const struct subscriber *u)
{
    uint64_t next = (u->sqn >> SEC_AKA_IND_BITS) + 1;

    return next > u->end ? next : u->end;
}

static enum err number_take(struct sec_keyserver *s, struct subscriber *u, uint64_t *out)
{
    uint64_t sqn;
    enum err e;

    (void)pthread_mutex_lock(&s->lock);
    e = sec_aka_sqn_next(u->sqn, s->ind, &sqn);
    if (!e && sqn >> SEC_AKA_IND_BITS >= u->end)
        e = ERR_AGAIN;
    if (!e)
        *out = u->sqn = sqn;
    (void)pthread_mutex_unlock(&s->lock);
    return e;
}

enum err sec_keyserver_wants(struct sec_keyserver *s, struct slice ue, struct slice *impi, uint64_t *from)
{
    const struct subscriber *u = map_get(&s->names, ue);

    if (!u)
        return ERR_ABSENT;
    (void)pthread_mutex_lock(&s->lock);
    *from = seq_floor(u);
    (void)pthread_mutex_unlock(&s->lock);
    *impi = u->impi;
    return ERR_OK;
}

enum err sec_keyserver_reserved(struct sec_keyserver *s, struct slice ue, uint64_t from, uint64_t to)
{
    struct subscriber *u = map_get(&s->names, ue);
    enum err e = ERR_OK;

    if (!u)
        return ERR_ABSENT;
    if (from >= to || to > SEQ_END)
        return ERR_LIMIT;
    (void)pthread_mutex_lock(&s->lock);
    if (from < seq_floor(u)) {
        e = ERR_EXISTS;
    } else {
        if (from != u->end)
            u->sqn = (from - 1) << SEC_AKA_IND_BITS;
        u->end = to;
    }
    (void)pthread_mutex_unlock(&s->lock);
    return e;
}

void sec_keyserver_follow(struct sec_keyserver *s, struct sec_keyserver *before)
{
    LIST_EACH (at, &s->subscribers) {
        struct subscriber *u = container_of(at, struct subscriber, link);
        struct subscriber *was = map_get(&before->names, u->impi);

        if (!was)
            continue;
        (void)pthread_mutex_lock(&before->lock);
        if (was->sqn >= u->sqn) {
            u->sqn = was->sqn;
            u->end = was->end;
            was->end = 0;
        }
        (void)pthread_mutex_unlock(&before->lock);
    }
}

static enum err milenage_of(const struct subscriber *u, struct sec_milenage **out)
{
    return sec_milenage_create(slice_of(u->k, sizeof u->k), slice_of(u->opc, sizeof u->opc), out);
}

enum err sec_keyserver_resync(struct sec_keyserver *s, struct slice ue, const uint8_t rand[SEC_AKA_RAND_N],
                              const uint8_t auts[SEC_AKA_AUTS_N], uint64_t *from)
{
    struct subscriber *u = map_get(&s->names, ue);
    struct sec_milenage *m = NULL;
    uint64_t theirs, sqn;
    enum err e;

    if (!u)
        return ERR_ABSENT;
    e = milenage_of(u, &m);
    if (!e)
        e = sec_aka_auts_open(m, rand, auts, &theirs);
    sec_milenage_free(&m);
    if (e)
        return e;
    (void)pthread_mutex_lock(&s->lock);
    sqn = sec_aka_sqn_resync(u->sqn, theirs);
    if (sqn == u->sqn) {
        e = ERR_EXISTS;
    } else {
        u->sqn = sqn;
        u->end = 0;
        *from = seq_floor(u);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return e;
}

/* --- push info --- */

void sec_push_info_clear(struct sec_push_info *info)
{
    mem_wipe(info, sizeof *info);
}

static enum err vector_make(struct sec_keyserver *s, struct subscriber *u, struct sec_aka_vector *v)
{
    uint8_t rand[SEC_AKA_RAND_N];
    struct sec_milenage *m = NULL;
    uint64_t sqn;
    enum err e = sec_random(rand, sizeof rand);

    if (!e)
        e = milenage_of(u, &m);
    if (!e)
        e = number_take(s, u, &sqn);
    if (!e)
        e = sec_aka_vector_make(m, rand, sqn, u->amf, u->star, v);
    sec_milenage_free(&m);
    return e;
}

/* Ks is disposable: one set of keys comes of it, then it is forgotten (TS 33.223 §3.1). */
static enum err keys_make(const struct subscriber *u, const struct sec_aka_vector *v, struct slice naf_id,
                          struct sec_push_info *info)
{
    struct slice rand = slice_of(v->rand, sizeof v->rand);
    struct sec_secret ks;
    enum err e;

    sec_secret_init(&ks);
    sec_gba_ks(v->ck, v->ik, &ks);
    e = sec_gba_naf_key(&ks, SEC_GBA_ME, rand, u->impi, naf_id, &info->ks_naf);
    if (!e && u->star != SEC_AKA_PLAIN)
        e = sec_gba_naf_key(&ks, SEC_GBA_UICC, rand, u->impi, naf_id, &info->ks_int);
    sec_secret_clear(&ks);
    return e;
}

static enum err gpi_make(const struct subscriber *u, const struct sec_aka_vector *v,
                         const struct sec_push_request *q, struct sec_push_info *info)
{
    struct sec_gpi_conf conf = {.uicc = u->star != SEC_AKA_PLAIN,
                                .confidential = true,
                                .rand = slice_of(v->rand, sizeof v->rand),
                                .autn = slice_of(v->autn, sizeof v->autn),
                                .label = q->label,
                                .naf_id = q->naf_id,
                                .ptid = q->ptid,
                                .expires_s = info->expires_s};
    struct buf gpi;
    enum err e;

    buf_init(&gpi, sizeof info->gpi);
    e = sec_gpi_seal(&info->ks_naf, &conf, &gpi);
    if (!e) {
        mem_copy(info->gpi, sizeof info->gpi, buf_slice(&gpi));
        info->gpi_n = gpi.n;
    }
    buf_clear(&gpi);
    return e;
}

enum err sec_keyserver_push_info(struct sec_keyserver *s, const struct sec_push_request *request,
                                 int64_t now_s, struct sec_push_info *out)
{
    struct subscriber *u = map_get(&s->names, request->ue);
    const struct naf *naf = naf_find(s, request->naf_id);
    struct sec_push_info info = {.created_s = now_s};
    struct sec_aka_vector v;
    enum err e;

    if (!naf)
        return ERR_DENIED;
    if (!u)
        return ERR_ABSENT;
    info.expires_s = num_min64(request->expires_s, now_s + naf->life_max_s);
    if (u->expires_s)
        info.expires_s = num_min64(info.expires_s, u->expires_s);
    if (info.expires_s <= now_s)
        return ERR_LATE;
    e = vector_make(s, u, &v);
    if (e)
        return e;
    e = keys_make(u, &v, request->naf_id, &info);
    if (!e)
        e = gpi_make(u, &v, request, &info);
    if (!e) {
        mem_copy(info.rand, sizeof info.rand, slice_of(v.rand, sizeof v.rand));
        *out = info;
    }
    sec_aka_vector_clear(&v);
    sec_push_info_clear(&info);
    return e;
}

/* --- runs over Ub --- */

static bool over(const struct subscriber *u, int64_t now_s)
{
    return u->expires_s && u->expires_s <= now_s;
}

/* By IMPI only: a terminal that bootstraps has one (TS 24.109 §4.2). */
static struct subscriber *by_impi(const struct sec_keyserver *s, struct slice impi)
{
    struct subscriber *u = map_get(&s->names, impi);

    return u && slice_eq(u->impi, impi) ? u : NULL;
}

bool sec_keyserver_knows(const struct sec_keyserver *s, struct slice impi, int64_t now_s)
{
    const struct subscriber *u = by_impi(s, impi);

    return u && !over(u, now_s);
}

enum err sec_keyserver_run(struct sec_keyserver *s, struct slice impi, int64_t utc_ms, int64_t mono_ms,
                           struct sec_keyserver_run *out, int64_t *wait_ms)
{
    struct subscriber *u = by_impi(s, impi);
    enum err e;

    if (!u)
        return ERR_ABSENT;
    if (over(u, utc_ms / 1000))
        return ERR_LATE;
    if (!rate_left(&u->runs, &runs_rate, mono_ms)) {
        *wait_ms = runs_rate.period_ms;
        return ERR_LIMIT;
    }
    e = vector_make(s, u, &out->vector);
    if (e)
        return e;
    (void)rate_take(&u->runs, &runs_rate, 1, mono_ms, wait_ms); /* not for one that only asks for numbers */
    out->uicc = u->star != SEC_AKA_PLAIN;
    out->expires_s = u->expires_s;
    return ERR_OK;
}

enum err sec_keyserver_rerun(struct sec_keyserver *s, struct slice impi, int64_t utc_ms,
                             const uint8_t rand[SEC_AKA_RAND_N], const uint8_t autn[SEC_AKA_AUTN_N],
                             struct sec_keyserver_run *out)
{
    const struct subscriber *u = by_impi(s, impi);
    struct sec_milenage *m = NULL;
    enum err e;

    if (!u)
        return ERR_ABSENT;
    if (over(u, utc_ms / 1000))
        return ERR_LATE;
    e = milenage_of(u, &m);
    if (!e)
        e = sec_aka_vector_again(m, rand, autn, u->star, &out->vector);
    sec_milenage_free(&m);
    if (e)
        return e;
    out->uicc = u->star != SEC_AKA_PLAIN;
    out->expires_s = u->expires_s;
    return ERR_OK;
}
