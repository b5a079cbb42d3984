/* Tokens of pushes that ask to connect; see verify.h.  Held in the order they were made; what is over goes when another is
 * made, so the table never outgrows its ceiling and needs no timer.  Questions of a terminal are rationed by a bucket it
 * may share with others that its name meets in the hash: they only wait a little longer than they must. */
#include "security/terminal/verify.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "security/login/digest_hash.h"
#include "security/secret.h"

#define BUCKETS_N 16384u
#define RANDOM_N  (SEC_VERIFY_TOKEN_N / 2)

struct token {
    struct list age;
    char name[SEC_VERIFY_TOKEN_N];
    struct sec_verify_content content;
    int64_t until_ms; /* monotonic */
    int64_t not_after_s;
    size_t terminal_n, initiator_n;
    char text[]; /* terminal, then initiator */
};

struct sec_verify {
    pthread_mutex_t mutex; /* guards tokens and age */
    struct map tokens;     /* by name, owned */
    struct list age;       /* oldest first */
    uint64_t spread[2];
    struct rate_bucket buckets[BUCKETS_N];
};

enum err sec_verify_create(size_t tokens_max, struct sec_verify **out)
{
    struct sec_verify *v;

    if (tokens_max < 1 || tokens_max > SEC_VERIFY_TOKENS_MAX)
        return ERR_LIMIT;
    v = calloc(1, sizeof *v);
    if (!v)
        return ERR_NOMEM;
    if (sec_random(v->spread, sizeof v->spread)) {
        free(v);
        return ERR_IO;
    }
    (void)pthread_mutex_init(&v->mutex, NULL);
    map_init(&v->tokens, tokens_max);
    list_init(&v->age);
    *out = v;
    return ERR_OK;
}

static void forget(struct sec_verify *v, struct token *t)
{
    (void)map_del(&v->tokens, slice_of(t->name, sizeof t->name));
    list_remove(&t->age);
    free(t);
}

void sec_verify_free(struct sec_verify **vp)
{
    struct sec_verify *v = *vp;

    *vp = NULL;
    if (!v)
        return;
    LIST_EACH_SAFE (at, &v->age)
        forget(v, container_of(at, struct token, age));
    map_clear(&v->tokens);
    (void)pthread_mutex_destroy(&v->mutex);
    free(v);
}

enum err sec_verify_digest(struct slice content, struct sec_verify_content *out)
{
    struct sec_digest_hex hex;
    enum err e = sec_digest_hash(SEC_DIGEST_SHA256, &content, 1, &hex);

    if (!e)
        mem_copy(out->digest, sizeof out->digest, slice_of(hex.p, hex.n));
    return e;
}

/* --- making --- */

static enum err name_make(char name[SEC_VERIFY_TOKEN_N])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t octets[RANDOM_N];

    if (sec_random(octets, sizeof octets))
        return ERR_IO;
    for (size_t i = 0; i < RANDOM_N; i++) {
        name[2 * i] = digits[octets[i] >> 4];
        name[2 * i + 1] = digits[octets[i] & 15];
    }
    return ERR_OK;
}

static struct token *token_make(const struct sec_verify_push *p)
{
    struct token *t = calloc(1, sizeof *t + p->terminal.n + p->initiator.n);

    if (!t)
        return NULL;
    list_init(&t->age);
    t->content = *p->content;
    t->until_ms = p->mono_ms + p->life_ms;
    t->not_after_s = (p->utc_ms + p->life_ms) / 1000;
    t->terminal_n = p->terminal.n;
    t->initiator_n = p->initiator.n;
    mem_copy(t->text, t->terminal_n, p->terminal);
    mem_copy(t->text + t->terminal_n, t->initiator_n, p->initiator);
    return t;
}

static void sweep(struct sec_verify *v, int64_t mono_ms)
{
    LIST_EACH_SAFE (at, &v->age) {
        struct token *t = container_of(at, struct token, age);

        if (t->until_ms > mono_ms)
            return;
        forget(v, t);
    }
}

static enum err keep(struct sec_verify *v, struct token *t, int64_t mono_ms)
{
    enum err e;

    (void)pthread_mutex_lock(&v->mutex);
    sweep(v, mono_ms);
    e = map_put(&v->tokens, slice_of(t->name, sizeof t->name), t);
    if (!e)
        list_push_back(&v->age, &t->age);
    (void)pthread_mutex_unlock(&v->mutex);
    return e;
}

enum err sec_verify_issue(struct sec_verify *v, const struct sec_verify_push *p,
                          char token[SEC_VERIFY_TOKEN_N])
{
    struct token *t;
    char name[SEC_VERIFY_TOKEN_N];
    enum err e;

    if (p->initiator.n > SEC_VERIFY_INITIATOR_MAX_N)
        return ERR_LIMIT;
    t = token_make(p);
    if (!t)
        return ERR_NOMEM;
    e = name_make(t->name);
    mem_copy(name, sizeof name,
             slice_of(t->name, sizeof t->name)); /* once kept, another thread may free it */
    if (!e)
        e = keep(v, t, p->mono_ms);
    if (e)
        free(t);
    else
        mem_copy(token, SEC_VERIFY_TOKEN_N, slice_of(name, sizeof name));
    return e;
}

/* --- asking --- */

static const char *wrong(const struct token *t, const struct sec_verify_ask *ask)
{
    if (!t)
        return "no such token";
    if (!slice_eq(slice_of(t->text, t->terminal_n), ask->terminal))
        return "token of another terminal";
    if (t->until_ms <= ask->mono_ms)
        return "token is over";
    return slice_eq(slice_of(t->content.digest, sizeof t->content.digest), ask->digest)
               ? NULL
               : "token of another content";
}

/* Under the lock. */
static void decide(struct sec_verify *v, const struct sec_verify_ask *ask, struct sec_verify_answer *out)
{
    struct token *t = map_get(&v->tokens, ask->token);

    out->reason = wrong(t, ask);
    if (out->reason)
        return;
    out->word = SEC_VERIFY_VALID;
    out->reason = "genuine";
    out->not_after_s = t->not_after_s;
    out->initiator_n = t->initiator_n;
    mem_copy(out->initiator, sizeof out->initiator, slice_of(t->text + t->terminal_n, t->initiator_n));
    forget(v, t);
}

void sec_verify_ask(struct sec_verify *v, const struct sec_verify_ask *ask, struct sec_verify_answer *out)
{
    struct rate_bucket *b = &v->buckets[map_hash(v->spread, ask->terminal) % BUCKETS_N];

    *out = (struct sec_verify_answer){.word = SEC_VERIFY_INVALID};
    if (!rate_take(b, &ask->rate, 1, ask->mono_ms, &out->wait_ms)) {
        out->word = SEC_VERIFY_WAIT;
        out->reason = "asks too often";
        return;
    }
    (void)pthread_mutex_lock(&v->mutex);
    decide(v, ask, out);
    (void)pthread_mutex_unlock(&v->mutex);
}

size_t sec_verify_count(struct sec_verify *v)
{
    size_t n;

    (void)pthread_mutex_lock(&v->mutex);
    n = v->tokens.n;
    (void)pthread_mutex_unlock(&v->mutex);
    return n;
}
