/* Nonces of x-syncml-hmac and the verdict on a mac; see mac_guard.h.  A user has a place here once it has proved itself,
 * so strangers cost nothing.  [DM-SEC §5.1.3, §5.1.4].  Any thread: a mutex is held while one user's nonces are
 * looked at, never while hashes are made. */
#include "security/login/mac_guard.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "security/login/authmd5.h"

#define USERS_MAX  1000000
#define ISSUED_N   8 /* nonces remembered of a user: its connections take turns */
#define CANDIDATES (1 + ISSUED_N)

struct issued {
    uint8_t nonce[SEC_MAC_NONCE_N];
    bool there;
    bool used;
    int64_t replaced_ms; /* monotonic; not of the newest */
};

struct user {
    struct list at;                 /* in recent */
    struct issued issued[ISSUED_N]; /* newest first */
    size_t name_n;
    char name[];
};

struct sec_mac_guard {
    pthread_mutex_t lock; /* protects users and recent */
    struct map users;
    struct list recent;       /* least recently heard first */
    struct sec_secret nobody; /* key that names nobody has are tried with */
};

enum err sec_mac_guard_create(size_t users_max, struct sec_mac_guard **out)
{
    struct sec_mac_guard *g;

    if (users_max < 1 || users_max > USERS_MAX)
        return ERR_LIMIT;
    g = calloc(1, sizeof *g);
    if (!g)
        return ERR_NOMEM;
    MUST(pthread_mutex_init(&g->lock, NULL) == 0);
    map_init(&g->users, users_max);
    list_init(&g->recent);
    if (sec_secret_random(&g->nobody, SEC_MAC_KEY_N)) {
        sec_mac_guard_free(&g);
        return ERR_IO;
    }
    *out = g;
    return ERR_OK;
}

static void forget(struct sec_mac_guard *g, struct user *u)
{
    list_remove(&u->at);
    (void)map_del(&g->users, slice_of(u->name, u->name_n));
    free(u);
}

void sec_mac_guard_free(struct sec_mac_guard **guard)
{
    struct sec_mac_guard *g = *guard;

    if (!g)
        return;
    while (!list_empty(&g->recent))
        forget(g, container_of(g->recent.next, struct user, at));
    map_clear(&g->users);
    sec_secret_clear(&g->nobody);
    (void)pthread_mutex_destroy(&g->lock);
    free(g);
    *guard = NULL;
}

size_t sec_mac_guard_users(struct sec_mac_guard *guard)
{
    size_t n;

    (void)pthread_mutex_lock(&guard->lock);
    n = guard->users.n;
    (void)pthread_mutex_unlock(&guard->lock);
    return n;
}

enum err sec_mac_guard_offer(struct sec_mac_session *session)
{
    enum err e = sec_random(session->nonce, sizeof session->nonce);

    session->offered = session->offered || !e;
    return e;
}

enum err sec_mac_guard_challenge(struct sec_mac_session *session, struct slice realm, struct buf *out)
{
    uint8_t nonce[SEC_MAC_NONCE_N];
    enum err e = sec_random(nonce, sizeof nonce);

    if (!e)
        e = sec_mac_challenge(realm, slice_of(nonce, sizeof nonce), out);
    if (e)
        return e;
    mem_copy(session->nonce, sizeof session->nonce, slice_of(nonce, sizeof nonce));
    session->offered = true;
    return ERR_OK;
}

/* --- users; under the lock --- */

static struct user *user_make(struct sec_mac_guard *g, struct slice name)
{
    struct user *u = calloc(1, sizeof *u + name.n);

    if (!u)
        return NULL;
    if (g->users.n == g->users.max)
        forget(g, container_of(g->recent.next, struct user, at));
    u->name_n = name.n;
    mem_copy(u->name, name.n, name);
    list_init(&u->at);
    if (map_put(&g->users, slice_of(u->name, u->name_n), u)) {
        free(u);
        return NULL;
    }
    return u;
}

static enum err issue(struct sec_mac_guard *g, struct slice name, const uint8_t nonce[SEC_MAC_NONCE_N],
                      int64_t now_ms)
{
    struct user *u = map_get(&g->users, name);

    if (!u)
        u = user_make(g, name);
    if (!u)
        return ERR_NOMEM;
    list_remove(&u->at);
    list_push_back(&g->recent, &u->at);
    for (size_t i = ISSUED_N - 1; i > 0; i--)
        u->issued[i] = u->issued[i - 1];
    u->issued[1].replaced_ms = now_ms;
    u->issued[0] = (struct issued){.there = true};
    mem_copy(u->issued[0].nonce, SEC_MAC_NONCE_N, slice_of(nonce, SEC_MAC_NONCE_N));
    return ERR_OK;
}

/* Uses the nonce up; ERR_LATE: it was, or its grace is over, or it is not known any more. */
static enum err spend(struct sec_mac_guard *g, struct slice name, const uint8_t nonce[SEC_MAC_NONCE_N],
                      int64_t now_ms)
{
    struct user *u = map_get(&g->users, name);

    for (size_t i = 0; u && i < ISSUED_N; i++) {
        struct issued *n = &u->issued[i];

        if (!n->there || !slice_eq(slice_of(n->nonce, SEC_MAC_NONCE_N), slice_of(nonce, SEC_MAC_NONCE_N)))
            continue;
        if (n->used || (i > 0 && now_ms - n->replaced_ms > SEC_MAC_GRACE_MS))
            return ERR_LATE;
        n->used = true;
        return ERR_OK;
    }
    return ERR_LATE;
}

/* --- the verdict --- */

struct candidates {
    struct issued nonce[CANDIDATES]; /* the connection's first */
};

static void gather(struct sec_mac_guard *g, struct slice name, const struct sec_mac_session *session,
                   struct candidates *out)
{
    const struct user *u;

    *out = (struct candidates){.nonce = {{.there = session->offered}}};
    mem_copy(out->nonce[0].nonce, SEC_MAC_NONCE_N, slice_of(session->nonce, SEC_MAC_NONCE_N));
    (void)pthread_mutex_lock(&g->lock);
    u = map_get(&g->users, name);
    for (size_t i = 0; u && i < ISSUED_N; i++)
        out->nonce[1 + i] = u->issued[i];
    (void)pthread_mutex_unlock(&g->lock);
}

/* Was it made with this nonce?  A login is tried in both readings of it, whatever comes of the first. */
static enum err was_made(const struct sec_mac_message *m, struct slice key, struct slice nonce,
                         const struct sec_mac_text *body, bool *same)
{
    struct sec_mac_text want;
    enum err e = ERR_OK;

    *same = false;
    if (!m->login) {
        e = sec_mac_make(m->mac->algorithm, key, nonce, body, &want);
        *same = !e && sec_mac_same(m->mac, &want, m->hex);
    }
    for (int reading = 0; m->login && !e && reading < SEC_AUTHMD5_READINGS; reading++) {
        e = sec_authmd5_make(key, nonce, (enum sec_authmd5_reading)reading, &want);
        *same |= !e && sec_mac_same(m->mac, &want, false);
    }
    return e;
}

/* Which of the nonces it was made with.  All are tried, the empty places too, so that the time tells neither whether
 * the name is known nor how often it was here.  ERR_DENIED: none. */
static enum err match(const struct sec_mac_guard *g, const struct sec_mac_message *m,
                      const struct candidates *c, size_t *which)
{
    enum sec_mac_algorithm a = m->mac->algorithm;
    const struct sec_secret *own = m->keys ? &m->keys->key[a] : NULL;
    bool known = own && own->n;
    struct sec_mac_text body = {.n = 0};
    enum err e = m->login ? ERR_OK : sec_mac_body(a, m->body, m->body_parts, &body);
    size_t found = CANDIDATES;
    bool same;

    for (size_t i = 0; i < CANDIDATES && !e; i++) {
        e = was_made(m, sec_secret_slice(known ? own : &g->nobody),
                     slice_of(c->nonce[i].nonce, SEC_MAC_NONCE_N), &body, &same);
        if (!e && same && c->nonce[i].there)
            found = i;
    }
    if (e)
        return e;
    *which = found;
    return known && found < CANDIDATES ? ERR_OK : ERR_DENIED;
}

enum err sec_mac_guard_verify(struct sec_mac_guard *guard, const struct sec_mac_message *message,
                              struct sec_mac_session *session, int64_t now_ms)
{
    struct slice name = message->mac->user;
    struct candidates c;
    uint8_t next[SEC_MAC_NONCE_N];
    size_t which = CANDIDATES;
    enum err e;

    gather(guard, name, session, &c);
    e = match(guard, message, &c, &which);
    if (!e)
        e = sec_random(next, sizeof next);
    if (e)
        return e;
    (void)pthread_mutex_lock(&guard->lock);
    if (which > 0)
        e = spend(guard, name, c.nonce[which].nonce, now_ms);
    if (!e)
        e = issue(guard, name, next, now_ms);
    (void)pthread_mutex_unlock(&guard->lock);
    if (e)
        return e;
    session->offered = session->only = false;
    session->proved = true;
    mem_copy(session->next, sizeof session->next, slice_of(next, sizeof next));
    return ERR_OK;
}
