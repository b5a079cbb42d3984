/* Challenges that prove themselves, and verdicts on what comes back; see bootstrap.h.  The server data behind RAND and
 * AUTN in a nonce is time || tag, the tag an HMAC under a secret of this server over all of it and the IMPI: vectors made
 * for anything else, and numbers of another time, open nothing here. */
#include "security/gba/bootstrap.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "base/codec.h"
#include "base/mem.h"
#include "base/num.h"
#include "security/gba/runs.h"
#include "security/kdf.h"

#define TIME_N  8
#define TAG_N   16
#define DATA_N  (TIME_N + TAG_N)
#define NONCE_N (SEC_AKA_RAND_N + SEC_AKA_AUTN_N + DATA_N)

struct sec_bootstrap {
    atomic_uint holders;
    pthread_mutex_t lock; /* protects runs */
    struct sec_runs runs;
    struct sec_secret secret; /* 256 bits; of the tags */
    int64_t challenge_ms;
    bool auth;
    char fqdn[SEC_GBA_FQDN_MAX_N];
    size_t fqdn_n;
};

/* A nonce that came back. */
struct challenge {
    uint8_t rand[SEC_AKA_RAND_N];
    uint8_t autn[SEC_AKA_AUTN_N];
    int64_t made_ms; /* UTC */
};

/* One step on its way. */
struct step {
    struct sec_bootstrap *b;
    struct sec_keyserver *server;
    const struct sec_bootstrap_request *q;
    struct sec_digest_aka_request says;
    struct sec_bootstrap_answer *out;
    struct buf *header;
};

/* --- life --- */

enum err sec_bootstrap_create(const struct sec_bootstrap_conf *conf, struct sec_bootstrap **out)
{
    struct sec_bootstrap *b;

    if (!sec_gba_is_fqdn(conf->fqdn))
        return ERR_MALFORMED;
    if (conf->runs_max < 1 || conf->runs_max > SEC_BOOTSTRAP_RUNS_MAX || conf->challenge_ms < 1)
        return ERR_LIMIT;
    b = calloc(1, sizeof *b);
    if (!b)
        return ERR_NOMEM;
    atomic_init(&b->holders, 1);
    MUST(pthread_mutex_init(&b->lock, NULL) == 0);
    sec_runs_init(&b->runs, conf->runs_max);
    b->challenge_ms = conf->challenge_ms;
    b->auth = conf->auth;
    mem_copy(b->fqdn, sizeof b->fqdn, conf->fqdn);
    b->fqdn_n = conf->fqdn.n;
    if (sec_secret_random(&b->secret, SEC_SHA256_N)) {
        sec_bootstrap_free(&b);
        return ERR_IO;
    }
    *out = b;
    return ERR_OK;
}

void sec_bootstrap_free(struct sec_bootstrap **bp)
{
    struct sec_bootstrap *b = *bp;

    *bp = NULL;
    if (!b || atomic_fetch_sub(&b->holders, 1) != 1)
        return;
    sec_runs_clear(&b->runs);
    (void)pthread_mutex_destroy(&b->lock);
    sec_secret_clear(&b->secret);
    free(b);
}

struct sec_bootstrap *sec_bootstrap_hold(struct sec_bootstrap *b)
{
    atomic_fetch_add(&b->holders, 1);
    return b;
}

struct slice sec_bootstrap_fqdn(const struct sec_bootstrap *b)
{
    return slice_of(b->fqdn, b->fqdn_n);
}

/* --- the proof in a nonce --- */

static enum err tag_make(const struct sec_bootstrap *b, const uint8_t rand[SEC_AKA_RAND_N],
                         const uint8_t autn[SEC_AKA_AUTN_N], const uint8_t time[TIME_N], struct slice impi,
                         uint8_t tag[SEC_SHA256_N])
{
    struct slice parts[] = {slice_of(rand, SEC_AKA_RAND_N), slice_of(autn, SEC_AKA_AUTN_N),
                            slice_of(time, TIME_N), impi};

    return sec_hmac_sha256(sec_secret_slice(&b->secret), parts, 4, tag);
}

/* Is it ours, for that IMPI, and young enough?  ERR_LATE when not. */
static enum err challenge_of(const struct sec_bootstrap *b, struct slice nonce, struct slice impi,
                             int64_t utc_ms, struct challenge *c)
{
    uint8_t tag[SEC_SHA256_N];
    struct buf octets;
    const uint8_t *p;
    enum err e;

    buf_init(&octets, NONCE_N + 3);
    e = codec_unbase64(nonce, false, &octets);
    if (e || octets.n != NONCE_N) {
        buf_clear(&octets);
        return e == ERR_NOMEM ? e : ERR_LATE;
    }
    p = (const uint8_t *)octets.p;
    mem_copy(c->rand, sizeof c->rand, slice_of(p, SEC_AKA_RAND_N));
    mem_copy(c->autn, sizeof c->autn, slice_of(p + SEC_AKA_RAND_N, SEC_AKA_AUTN_N));
    p += SEC_AKA_RAND_N + SEC_AKA_AUTN_N;
    c->made_ms = (int64_t)num_get64(p);
    e = tag_make(b, c->rand, c->autn, p, impi, tag);
    if (!e && (!slice_eq_ct(slice_of(tag, TAG_N), slice_of(p + TIME_N, TAG_N)) || c->made_ms > utc_ms ||
               utc_ms - c->made_ms > b->challenge_ms))
        e = ERR_LATE;
    buf_clear(&octets);
    return e;
}

/* --- outcomes --- */

static enum err say(struct step *s, enum sec_bootstrap_outcome o, const char *reason)
{
    s->out->outcome = o;
    s->out->reason = reason;
    return ERR_OK;
}

static enum err refuse(struct step *s, const char *reason)
{
    s->out->failed_login = true;
    return say(s, SEC_BOOTSTRAP_REFUSED, reason);
}

static struct slice impi_of(const struct step *s)
{
    return slice_of(s->out->impi, s->out->impi_n);
}

static enum err print_challenge(struct step *s, const struct sec_aka_vector *v)
{
    struct sec_digest_aka_offer offer = {
        .algorithm = SEC_DIGEST_AKAV1_MD5, .realm = sec_bootstrap_fqdn(s->b), .auth = s->b->auth};
    uint8_t data[TIME_N + SEC_SHA256_N];
    struct buf nonce;
    enum err e;

    num_put64(data, (uint64_t)s->q->utc_ms);
    e = tag_make(s->b, v->rand, v->autn, data, impi_of(s), data + TIME_N);
    if (e)
        return e;
    buf_init(&nonce, SEC_DIGEST_VALUE_MAX_N);
    e = sec_digest_aka_nonce_print(v, slice_of(data, DATA_N), &nonce);
    offer.nonce = buf_slice(&nonce);
    if (!e)
        e = sec_digest_aka_challenge(&offer, s->header);
    buf_clear(&nonce);
    return e;
}

/* A fresh run; for whatever reason. */
static enum err challenge(struct step *s, const char *reason)
{
    struct sec_keyserver_run run;
    enum err e =
        sec_keyserver_run(s->server, impi_of(s), s->q->utc_ms, s->q->mono_ms, &run, &s->out->wait_ms);

    if (e == ERR_ABSENT &&
        sec_gba_is_tmpi(impi_of(s))) /* forgotten: its terminal comes again with its own name */
        return say(s, SEC_BOOTSTRAP_REFUSED, "nobody has that TMPI");
    if (e == ERR_ABSENT)
        return refuse(s, "no subscriber of that name");
    if (e == ERR_LIMIT)
        return say(s, SEC_BOOTSTRAP_BUSY, "asked for too often");
    if (e == ERR_LATE)
        return say(s, SEC_BOOTSTRAP_REFUSED, "the subscriber's key or its numbers are over");
    if (e)
        return e;
    e = print_challenge(s, &run.vector);
    sec_aka_vector_clear(&run.vector);
    return e ? e : say(s, SEC_BOOTSTRAP_CHALLENGE, reason);
}

/* --- an answer --- */

/* The same answer again, or one to a challenge before the last that was answered? */
static bool used(struct step *s, const struct challenge *c)
{
    const struct sec_run *r;
    bool is;

    (void)pthread_mutex_lock(&s->b->lock);
    r = sec_runs_by_impi(&s->b->runs, impi_of(s), s->q->utc_ms / 1000);
    is = r && r->challenged_ms >= c->made_ms;
    (void)pthread_mutex_unlock(&s->b->lock);
    return is;
}

static enum err tmpi_make(struct step *s, const struct sec_run *of, struct sec_run *run)
{
    struct buf text;
    enum err e;

    buf_init(&text, sizeof run->tmpi);
    e = sec_gba_tmpi(&of->ks, of->rand, impi_of(s), sec_bootstrap_fqdn(s->b), &text);
    if (!e) {
        mem_copy(run->tmpi, sizeof run->tmpi, buf_slice(&text));
        run->tmpi_n = text.n;
    }
    buf_clear(&text);
    return e;
}

static enum err keep(struct step *s, const struct challenge *c, const struct sec_keyserver_run *from)
{
    int64_t now_s = s->q->utc_ms / 1000;
    struct sec_run run = {.challenged_ms = c->made_ms, .created_s = now_s, .uicc = from->uicc};
    enum err e = ERR_OK;

    run.expires_s = now_s + s->q->life_s;
    if (from->expires_s)
        run.expires_s = num_min64(run.expires_s, from->expires_s);
    mem_copy(run.rand, sizeof run.rand, slice_of(c->rand, sizeof c->rand));
    mem_copy(run.impi, sizeof run.impi, impi_of(s));
    run.impi_n = s->out->impi_n;
    sec_gba_ks(from->vector.ck, from->vector.ik, &run.ks);
    if (s->q->tmpi)
        e = tmpi_make(s, &run, &run);
    if (!e) {
        (void)pthread_mutex_lock(&s->b->lock);
        e = sec_runs_put(&s->b->runs, &run, now_s);
        (void)pthread_mutex_unlock(&s->b->lock);
    }
    s->out->expires_s = run.expires_s;
    mem_wipe(&run, sizeof run);
    return e;
}

static enum err done(struct step *s, const struct challenge *c, const struct sec_keyserver_run *run)
{
    struct buf btid;
    enum err e;

    buf_init(&btid, sizeof s->out->btid);
    e = sec_gba_btid(c->rand, sec_bootstrap_fqdn(s->b), &btid);
    if (!e)
        e = keep(s, c, run);
    if (!e) {
        mem_copy(s->out->btid, sizeof s->out->btid, buf_slice(&btid));
        s->out->btid_n = btid.n;
        s->out->says = s->says.r;
        e = say(s, SEC_BOOTSTRAP_DONE, "bootstrapped");
    }
    buf_clear(&btid);
    return e;
}

static enum err verify(struct step *s, const struct challenge *c)
{
    struct sec_digest_aka_offer offer = {.algorithm = SEC_DIGEST_AKAV1_MD5,
                                         .realm = sec_bootstrap_fqdn(s->b),
                                         .nonce = s->says.r.nonce,
                                         .auth = s->b->auth};
    struct sec_keyserver_run run;
    enum err e = sec_keyserver_rerun(s->server, impi_of(s), s->q->utc_ms, c->rand, c->autn, &run);

    if (e == ERR_ABSENT || e == ERR_LATE || e == ERR_DENIED) /* struck off, or its keys changed, since */
        return refuse(s, "no subscriber of that name any more");
    if (e)
        return e;
    e = sec_digest_aka_ha1(offer.algorithm, s->says.r.username, offer.realm, &run.vector, &s->out->ha1);
    if (!e)
        e = sec_digest_aka_verify(&s->says.r, &s->q->http, &offer, &s->out->ha1);
    if (!e)
        e = done(s, c, &run);
    else if (e == ERR_DENIED)
        e = refuse(s, "wrong response");
    sec_aka_vector_clear(&run.vector);
    return e;
}

static enum err answer(struct step *s)
{
    struct challenge c;
    enum err e = challenge_of(s->b, s->says.r.nonce, impi_of(s), s->q->utc_ms, &c);

    if (e == ERR_LATE || (!e && used(s, &c)))
        return challenge(s, "nonce too old or used");
    return e ? e : verify(s, &c);
}

/* Only for a challenge of ours that is young: an AUTS of another day would bring the numbers of that day back. */
static enum err synchronise(struct step *s)
{
    struct challenge c;
    enum err e = s->q->synced ? ERR_LATE : challenge_of(s->b, s->says.r.nonce, impi_of(s), s->q->utc_ms, &c);

    if (e == ERR_LATE)
        return challenge(s, s->q->synced ? "resynchronised" : "nonce too old");
    if (e)
        return e;
    s->out->sync = true;
    mem_copy(s->out->rand, sizeof s->out->rand, slice_of(c.rand, sizeof c.rand));
    mem_copy(s->out->auts, sizeof s->out->auts, slice_of(s->says.auts, sizeof s->says.auts));
    return ERR_AGAIN;
}

/* --- a request --- */

/* A TMPI stands for the IMPI that it was made for. */
static void identity(struct step *s)
{
    struct slice name = s->says.r.username;
    const struct sec_run *r;

    (void)pthread_mutex_lock(&s->b->lock);
    r = sec_runs_by_tmpi(&s->b->runs, name, s->q->utc_ms / 1000);
    if (r)
        name = slice_of(r->impi, r->impi_n);
    if (name.n <= sizeof s->out->impi) {
        mem_copy(s->out->impi, sizeof s->out->impi, name);
        s->out->impi_n = name.n;
    }
    (void)pthread_mutex_unlock(&s->b->lock);
}

enum err sec_bootstrap_step(struct sec_bootstrap *b, struct sec_keyserver *server,
                            const struct sec_bootstrap_request *request, struct sec_bootstrap_answer *out,
                            struct buf *header)
{
    struct step s = {.b = b, .server = server, .q = request, .out = out, .header = header};
    enum err e;

    *out = (struct sec_bootstrap_answer){.reason = ""};
    e = sec_digest_aka_parse(request->authorization, &s.says);
    if (e == ERR_NOMEM)
        return e;
    if (e)
        return refuse(&s, "names nobody as Digest AKA does");
    if (!slice_eq(s.says.r.realm, sec_bootstrap_fqdn(b)))
        return refuse(&s, "another realm than ours");
    identity(&s);
    if (s.says.kind == SEC_DIGEST_AKA_ANSWER)
        return answer(&s);
    return s.says.kind == SEC_DIGEST_AKA_SYNC ? synchronise(&s) : challenge(&s, "first request");
}

/* --- what NAFs get --- */

void sec_naf_key_clear(struct sec_naf_key *key)
{
    mem_wipe(key, sizeof *key);
}

/* Copies the run of a B-TID of ours. */
static enum err run_of(struct sec_bootstrap *b, const struct sec_keyserver *server, struct slice btid,
                       int64_t now_s, struct sec_run *run)
{
    uint8_t rand[SEC_AKA_RAND_N];
    const struct sec_run *r;
    struct slice fqdn;
    enum err e = sec_gba_btid_parse(btid, rand, &fqdn);

    if (e)
        return e;
    if (!slice_eq(fqdn, sec_bootstrap_fqdn(b)))
        return ERR_ABSENT;
    (void)pthread_mutex_lock(&b->lock);
    r = sec_runs_by_rand(&b->runs, rand, now_s);
    if (r)
        *run = *r;
    (void)pthread_mutex_unlock(&b->lock);
    if (!r)
        return ERR_ABSENT;
    if (server && sec_keyserver_knows(server, slice_of(run->impi, run->impi_n), now_s))
        return ERR_OK;
    mem_wipe(run, sizeof *run);
    return ERR_ABSENT;
}

enum err sec_bootstrap_key(struct sec_bootstrap *b, const struct sec_keyserver *server, struct slice btid,
                           struct slice naf_id, int64_t now_s, struct sec_naf_key *out)
{
    struct sec_naf_key key = {.impi_n = 0};
    struct slice rand, impi;
    struct sec_run run;
    enum err e = run_of(b, server, btid, now_s, &run);

    if (e)
        return e;
    rand = slice_of(run.rand, sizeof run.rand);
    impi = slice_of(run.impi, run.impi_n);
    e = sec_gba_naf_key(&run.ks, SEC_GBA_ME, rand, impi, naf_id, &key.ks_naf);
    if (!e && run.uicc)
        e = sec_gba_naf_key(&run.ks, SEC_GBA_UICC, rand, impi, naf_id, &key.ks_int);
    if (!e) {
        mem_copy(key.impi, sizeof key.impi, impi);
        key.impi_n = impi.n;
        key.created_s = run.created_s;
        key.expires_s = run.expires_s;
        *out = key;
    }
    sec_naf_key_clear(&key);
    mem_wipe(&run, sizeof run);
    return e;
}

enum err sec_bootstrap_impi(struct sec_bootstrap *b, const struct sec_keyserver *server, struct slice btid,
                            int64_t now_s, char impi[SEC_GBA_IMPI_MAX_N], size_t *impi_n)
{
    struct sec_run run;
    enum err e = run_of(b, server, btid, now_s, &run);

    if (e)
        return e;
    mem_copy(impi, SEC_GBA_IMPI_MAX_N, slice_of(run.impi, run.impi_n));
    *impi_n = run.impi_n;
    mem_wipe(&run, sizeof run);
    return ERR_OK;
}

void sec_bootstrap_sweep(struct sec_bootstrap *b, int64_t now_s)
{
    (void)pthread_mutex_lock(&b->lock);
    sec_runs_sweep(&b->runs, now_s);
    (void)pthread_mutex_unlock(&b->lock);
}

size_t sec_bootstrap_count(struct sec_bootstrap *b)
{
    size_t n;

    (void)pthread_mutex_lock(&b->lock);
    n = b->runs.n;
    (void)pthread_mutex_unlock(&b->lock);
    return n;
}
