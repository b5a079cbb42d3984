/* Sessions of clients that may be resumed; see tls_tickets.h.  They hold keys: wiped when they go, and never on disk.  Any
 * thread: a mutex is held for a look-up. */
#include "base/net/tls_tickets.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

struct ticket {
    struct list at; /* in recent */
    int64_t kept_s; /* UTC */
    size_t name_n;
    size_t session_n;
    char octets[]; /* name, session */
};

struct tls_tickets {
    pthread_mutex_t lock; /* protects all below */
    struct map by_name;
    struct list recent; /* oldest first */
};

enum err tls_tickets_create(size_t max_n, struct tls_tickets **out)
{
    struct tls_tickets *t;

    if (max_n < 1 || max_n > TLS_TICKETS_MAX)
        return ERR_LIMIT;
    t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    MUST(pthread_mutex_init(&t->lock, NULL) == 0);
    map_init(&t->by_name, max_n);
    list_init(&t->recent);
    *out = t;
    return ERR_OK;
}

static void ticket_free(struct ticket *one)
{
    mem_wipe(one->octets, one->name_n + one->session_n);
    free(one);
}

static void forget(struct tls_tickets *t, struct ticket *one)
{
    list_remove(&one->at);
    (void)map_del(&t->by_name, slice_of(one->octets, one->name_n));
    ticket_free(one);
}

void tls_tickets_free(struct tls_tickets **tickets)
{
    struct tls_tickets *t = *tickets;

    if (!t)
        return;
    while (!list_empty(&t->recent))
        forget(t, container_of(t->recent.next, struct ticket, at));
    map_clear(&t->by_name);
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
    *tickets = NULL;
}

static struct ticket *ticket_make(struct slice name, struct slice session, int64_t now_s)
{
    struct ticket *one = malloc(sizeof *one + name.n + session.n);

    if (!one)
        return NULL;
    *one = (struct ticket){.kept_s = now_s, .name_n = name.n, .session_n = session.n};
    list_init(&one->at);
    mem_copy(one->octets, name.n, name);
    mem_copy(one->octets + name.n, session.n, session);
    return one;
}

void tls_tickets_keep(struct tls_tickets *t, struct slice name, struct slice session, int64_t now_s)
{
    struct ticket *one = session.n <= TLS_TICKET_MAX_N ? ticket_make(name, session, now_s) : NULL;
    struct ticket *old;

    if (!one)
        return;
    (void)pthread_mutex_lock(&t->lock);
    old = map_get(&t->by_name, name);
    if (!old && t->by_name.n == t->by_name.max)
        old = container_of(t->recent.next, struct ticket, at);
    if (old)
        forget(t, old);
    if (map_put(&t->by_name, slice_of(one->octets, one->name_n), one))
        ticket_free(one);
    else
        list_push_back(&t->recent, &one->at);
    (void)pthread_mutex_unlock(&t->lock);
}

bool tls_tickets_take(struct tls_tickets *t, struct slice name, int64_t now_s, struct buf *out)
{
    struct ticket *one;
    bool good;

    (void)pthread_mutex_lock(&t->lock);
    one = map_get(&t->by_name, name);
    good = one && now_s >= one->kept_s && now_s - one->kept_s <= TLS_TICKET_LIFE_S;
    if (good)
        buf_add(out, slice_of(one->octets + one->name_n, one->session_n));
    if (one)
        forget(t, one);
    (void)pthread_mutex_unlock(&t->lock);
    return good && !buf_err(out);
}

size_t tls_tickets_n(struct tls_tickets *t)
{
    size_t n;

    (void)pthread_mutex_lock(&t->lock);
    n = t->by_name.n;
    (void)pthread_mutex_unlock(&t->lock);
    return n;
}
