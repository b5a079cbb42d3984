/* See entities.h.  A one-time key is in the clear between two wrappings only, and not beyond one call. */
#include "security/rules/entities.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "base/codec.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "security/kdf.h"
#include "security/wrap.h"

#define FC 0xFB /* proprietary, unregistered range of TS 33.220 §B.2.2 */

struct entity {
    struct list link;
    struct sec_secret key; /* 256 bits */
    size_t id_n, user_n;
    char id[SEC_KEY_NAME_MAX_N];
    char user[SEC_ENTITY_USER_MAX_N];
};

/* A key on its way, wrapped for `to`. */
struct offer {
    struct list link; /* oldest first */
    int64_t expires_s;
    size_t from_n, to_n, wrapped_n;
    char from[SEC_KEY_NAME_MAX_N];
    char to[SEC_KEY_NAME_MAX_N];
    uint8_t wrapped[SEC_ONE_TIME_WRAPPED_N];
};

struct sec_entities {
    atomic_uint holders;
    pthread_mutex_t lock; /* protects all below */
    struct sec_entities_conf conf;
    struct map by_id;
    struct list all;
    struct list offers;
    size_t offers_n;
};

static struct slice id_of(const struct entity *e)
{
    return slice_of(e->id, e->id_n);
}

static struct slice user_of(const struct entity *e)
{
    return slice_of(e->user, e->user_n);
}

static void drop(struct sec_entities *t, struct entity *e)
{
    (void)map_del(&t->by_id, id_of(e));
    list_remove(&e->link);
    mem_wipe(e, sizeof *e);
    free(e);
}

static void forget(struct sec_entities *t, struct offer *o)
{
    list_remove(&o->link);
    t->offers_n--;
    mem_wipe(o, sizeof *o);
    free(o);
}

/* --- life --- */

enum err sec_entities_create(const struct sec_entities_conf *conf, struct sec_entities **out)
{
    struct sec_entities *t;

    if (conf->max < 1 || conf->max > SEC_KEYS_MAX || conf->waiting_max < 1 || conf->wait_s < 1)
        return ERR_LIMIT;
    t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    atomic_init(&t->holders, 1);
    MUST(pthread_mutex_init(&t->lock, NULL) == 0);
    t->conf = *conf;
    map_init(&t->by_id, conf->max);
    list_init(&t->all);
    list_init(&t->offers);
    *out = t;
    return ERR_OK;
}

struct sec_entities *sec_entities_hold(struct sec_entities *t)
{
    atomic_fetch_add(&t->holders, 1);
    return t;
}

void sec_entities_free(struct sec_entities **tp)
{
    struct sec_entities *t = *tp;

    *tp = NULL;
    if (!t || atomic_fetch_sub(&t->holders, 1) != 1)
        return;
    LIST_EACH_SAFE (at, &t->all)
        drop(t, container_of(at, struct entity, link));
    LIST_EACH_SAFE (at, &t->offers)
        forget(t, container_of(at, struct offer, link));
    map_clear(&t->by_id);
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}

/* --- entities; lock held --- */

static enum err put(struct sec_entities *t, struct slice id, struct slice user, const struct sec_secret *key)
{
    struct entity *e = map_get(&t->by_id, id);
    enum err err;

    if (e && !slice_eq(user_of(e), user))
        return ERR_EXISTS;
    if (e) {
        e->key = *key;
        return ERR_OK;
    }
    e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    mem_copy(e->id, sizeof e->id, id);
    e->id_n = id.n;
    mem_copy(e->user, sizeof e->user, user);
    e->user_n = user.n;
    e->key = *key;
    list_push_back(&t->all, &e->link);
    err = map_put(&t->by_id, id_of(e), e);
    if (err)
        drop(t, e);
    return err;
}

static enum err key_of(struct sec_entities *t, struct slice id, struct sec_secret *key)
{
    const struct entity *e;

    (void)pthread_mutex_lock(&t->lock);
    e = map_get(&t->by_id, id);
    if (e)
        *key = e->key;
    (void)pthread_mutex_unlock(&t->lock);
    return e ? ERR_OK : ERR_ABSENT;
}

/* --- entities --- */

enum err sec_entities_put(struct sec_entities *t, struct slice entity, struct slice user,
                          const struct sec_secret *key)
{
    enum err e;

    if (!sec_key_name_ok(entity) || user.n == 0 || user.n > SEC_ENTITY_USER_MAX_N || key->n != SEC_EUKEY_N)
        return ERR_LIMIT;
    (void)pthread_mutex_lock(&t->lock);
    e = put(t, entity, user, key);
    (void)pthread_mutex_unlock(&t->lock);
    return e;
}

enum err sec_entities_load(struct sec_entities *t, const struct sec_keyring *keyring,
                           const struct sec_accounts *users)
{
    const struct sec_key *k;
    struct sec_secret key;
    size_t pos = 0;
    enum err e = ERR_OK;

    sec_secret_init(&key);
    (void)pthread_mutex_lock(&t->lock);
    LIST_EACH_SAFE (at, &t->all)
        drop(t, container_of(at, struct entity, link));
    while (keyring && !e && (k = sec_keyring_next(keyring, &pos))) {
        if (k->kind != SEC_KEY_ENTITY || !sec_accounts_by_user(users, k->attr))
            continue;
        e = sec_keyring_secret(keyring, k, &key);
        if (!e)
            e = put(t, k->name, k->attr, &key);
    }
    (void)pthread_mutex_unlock(&t->lock);
    sec_secret_clear(&key);
    return e;
}

size_t sec_entities_count(struct sec_entities *t)
{
    size_t n;

    (void)pthread_mutex_lock(&t->lock);
    n = t->by_id.n;
    (void)pthread_mutex_unlock(&t->lock);
    return n;
}

enum err sec_entities_user(struct sec_entities *t, struct slice entity, char user[SEC_ENTITY_USER_MAX_N],
                           size_t *user_n)
{
    const struct entity *e;

    (void)pthread_mutex_lock(&t->lock);
    e = map_get(&t->by_id, entity);
    if (e) {
        mem_copy(user, SEC_ENTITY_USER_MAX_N, user_of(e));
        *user_n = e->user_n;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return e ? ERR_OK : ERR_ABSENT;
}

enum err sec_entities_ha1(struct sec_entities *t, struct slice entity, enum sec_digest_algorithm a,
                          struct slice realm, struct sec_secret *ha1)
{
    struct sec_secret key;
    struct buf password;
    enum err e;

    sec_secret_init(&key);
    e = key_of(t, entity, &key);
    if (e)
        return e;
    buf_init(&password, SEC_SECRET_MAX_N);
    if (buf_room(&password, SEC_SECRET_MAX_N)) /* all of it first: growth would leave a copy behind */
        codec_base64(&password, sec_secret_slice(&key));
    e = buf_err(&password);
    if (!e)
        e = sec_digest_ha1(a, entity, realm, buf_slice(&password), ha1);
    buf_wipe(&password);
    sec_secret_clear(&key);
    return e;
}

enum err sec_entities_of(struct sec_entities *t, struct slice user, struct buf *out)
{
    (void)pthread_mutex_lock(&t->lock);
    LIST_EACH (at, &t->all) {
        const struct entity *e = container_of(at, struct entity, link);

        if (slice_eq(user_of(e), user)) {
            buf_add(out, id_of(e));
            buf_add_ch(out, '\n');
        }
    }
    (void)pthread_mutex_unlock(&t->lock);
    return buf_err(out);
}

/* --- one-time keys --- */

enum err sec_entity_wrap_key(const struct sec_secret *eukey, struct sec_secret *out)
{
    struct slice label = SLICE("one-time");
    uint8_t key[SEC_SHA256_N];
    enum err e = sec_kdf(sec_secret_slice(eukey), FC, &label, 1, key);

    if (!e)
        e = sec_secret_set(out, slice_of(key, sizeof key));
    mem_wipe(key, sizeof key);
    return e;
}

static void context_print(struct slice from, struct slice to, struct buf *out)
{
    buf_add(out, from);
    buf_add_ch(out, '\0');
    buf_add(out, to);
}

/* Out of `from`'s wrapping, into `to`'s. */
static enum err wrap_again(const struct sec_secret *from, const struct sec_secret *to, struct slice context,
                           struct slice wrapped, struct buf *out)
{
    struct sec_secret key;
    struct buf plain;
    enum err e = sec_entity_wrap_key(from, &key);

    buf_init(&plain, SEC_ONE_TIME_WRAPPED_N);
    if (!e)
        e = sec_unwrap(&key, context, wrapped, &plain);
    if (!e)
        e = sec_entity_wrap_key(to, &key);
    if (!e)
        e = sec_wrap(&key, context, buf_slice(&plain), out);
    buf_wipe(&plain);
    sec_secret_clear(&key);
    return e;
}

/* Those that nobody fetched in time go first. */
static enum err keep(struct sec_entities *t, struct slice from, struct slice to, struct slice wrapped,
                     int64_t now_s)
{
    struct offer *o;
    enum err e = ERR_OK;

    (void)pthread_mutex_lock(&t->lock);
    LIST_EACH_SAFE (at, &t->offers)
        if (container_of(at, struct offer, link)->expires_s <= now_s)
            forget(t, container_of(at, struct offer, link));
    o = t->offers_n < t->conf.waiting_max ? calloc(1, sizeof *o) : NULL;
    if (o) {
        *o = (struct offer){
            .expires_s = now_s + t->conf.wait_s, .from_n = from.n, .to_n = to.n, .wrapped_n = wrapped.n};
        mem_copy(o->from, sizeof o->from, from);
        mem_copy(o->to, sizeof o->to, to);
        mem_copy(o->wrapped, sizeof o->wrapped, wrapped);
        list_push_back(&t->offers, &o->link);
        t->offers_n++;
    } else {
        e = ERR_LIMIT;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return e;
}

enum err sec_entities_offer(struct sec_entities *t, struct slice from, struct slice to, struct slice wrapped,
                            int64_t now_s)
{
    struct sec_secret ours, theirs;
    struct buf context, again;
    enum err e;

    if (wrapped.n < SEC_ONE_TIME_MIN_N + SEC_WRAP_MORE_N || wrapped.n > SEC_ONE_TIME_WRAPPED_N ||
        slice_eq(from, to))
        return ERR_MALFORMED;
    sec_secret_init(&ours);
    sec_secret_init(&theirs);
    buf_init(&context, 2 * SEC_KEY_NAME_MAX_N + 1);
    buf_init(&again, SEC_ONE_TIME_WRAPPED_N);
    context_print(from, to, &context);
    e = key_of(t, to, &theirs);
    if (!e)
        e = key_of(t, from, &ours);
    if (!e)
        e = buf_err(&context);
    if (!e)
        e = wrap_again(&ours, &theirs, buf_slice(&context), wrapped, &again);
    if (!e)
        e = keep(t, from, to, buf_slice(&again), now_s);
    sec_secret_clear(&ours);
    sec_secret_clear(&theirs);
    buf_clear(&context);
    buf_wipe(&again);
    return e;
}

enum err sec_entities_take(struct sec_entities *t, struct slice to, int64_t now_s,
                           char from[SEC_KEY_NAME_MAX_N], size_t *from_n,
                           uint8_t wrapped[SEC_ONE_TIME_WRAPPED_N], size_t *wrapped_n)
{
    enum err e = ERR_ABSENT;

    (void)pthread_mutex_lock(&t->lock);
    LIST_EACH_SAFE (at, &t->offers) {
        struct offer *o = container_of(at, struct offer, link);

        if (!slice_eq(slice_of(o->to, o->to_n), to) || o->expires_s <= now_s)
            continue;
        mem_copy(from, SEC_KEY_NAME_MAX_N, slice_of(o->from, o->from_n));
        *from_n = o->from_n;
        mem_copy(wrapped, SEC_ONE_TIME_WRAPPED_N, slice_of(o->wrapped, o->wrapped_n));
        *wrapped_n = o->wrapped_n;
        forget(t, o);
        e = ERR_OK;
        break;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return e;
}

size_t sec_entities_waiting(struct sec_entities *t)
{
    size_t n;

    (void)pthread_mutex_lock(&t->lock);
    n = t->offers_n;
    (void)pthread_mutex_unlock(&t->lock);
    return n;
}
