/* Counts connections per address in a hash table with a keyed hash; an address leaves the table with its last
 * connection.  Any thread. */
#include "base/net/gate.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

#define KEY_N 9 /* family mark, then 4 octets of IPv4 or 8 of IPv6 */

struct net_gate {
    pthread_mutex_t lock;
    size_t open;
    size_t max;
    size_t max_per_address;
    struct map seats;
};

struct net_gate_seat {
    size_t n; /* connections from here */
    size_t key_n;
    char key[KEY_N];
};

enum err net_gate_create(size_t max, size_t max_per_address, struct net_gate **out)
{
    struct net_gate *g = calloc(1, sizeof *g);

    if (!g)
        return ERR_NOMEM;
    MUST(pthread_mutex_init(&g->lock, NULL) == 0);
    g->max = max;
    g->max_per_address = max_per_address;
    map_init(&g->seats, SIZE_MAX / 2); /* `max` is the ceiling */
    *out = g;
    return ERR_OK;
}

void net_gate_free(struct net_gate **g)
{
    if (!*g)
        return;
    MUST((*g)->open == 0);
    map_clear(&(*g)->seats);
    (void)pthread_mutex_destroy(&(*g)->lock);
    free(*g);
    *g = NULL;
}

static void lock(struct net_gate *g)
{
    MUST(pthread_mutex_lock(&g->lock) == 0);
}

static void unlock(struct net_gate *g)
{
    MUST(pthread_mutex_unlock(&g->lock) == 0);
}

size_t net_gate_open(struct net_gate *g)
{
    size_t n;

    lock(g);
    n = g->open;
    unlock(g);
    return n;
}

void net_gate_set(struct net_gate *g, size_t max, size_t max_per_address)
{
    lock(g);
    g->max = max;
    g->max_per_address = max_per_address;
    unlock(g);
}

/* What an address is counted under; a UNIX peer has no address and shares one key. */
static size_t key_of(const struct sockaddr *peer, char key[KEY_N])
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)peer;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)peer;

    key[0] = (char)peer->sa_family;
    if (peer->sa_family == AF_INET) {
        mem_copy(key + 1, 4, slice_of(&v4->sin_addr, 4));
        return 5;
    }
    if (peer->sa_family != AF_INET6)
        return 1;
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        key[0] = AF_INET;
        mem_copy(key + 1, 4, slice_of(&v6->sin6_addr.s6_addr[12], 4));
        return 5;
    }
    mem_copy(key + 1, 8, slice_of(&v6->sin6_addr, 8));
    return 9;
}

/* A seat nobody sits on yet, in the table. */
static enum err seat_new(struct net_gate *g, struct slice key, struct net_gate_seat **out)
{
    struct net_gate_seat *seat = calloc(1, sizeof *seat);
    enum err e;

    if (!seat)
        return ERR_NOMEM;
    mem_copy(seat->key, sizeof seat->key, key);
    seat->key_n = key.n;
    e = map_put(&g->seats, slice_of(seat->key, seat->key_n), seat);
    if (e)
        free(seat);
    else
        *out = seat;
    return e;
}

static enum err enter_locked(struct net_gate *g, struct slice key, struct net_gate_seat **out)
{
    struct net_gate_seat *seat = map_get(&g->seats, key);
    enum err e;

    if (g->open >= g->max || (seat ? seat->n : 0) >= g->max_per_address)
        return ERR_LIMIT;
    if (!seat) {
        e = seat_new(g, key, &seat);
        if (e)
            return e;
    }
    seat->n++;
    g->open++;
    *out = seat;
    return ERR_OK;
}

enum err net_gate_enter(struct net_gate *g, const struct sockaddr *peer, struct net_gate_seat **out)
{
    char key[KEY_N];
    size_t n = key_of(peer, key);
    enum err e;

    lock(g);
    e = enter_locked(g, slice_of(key, n), out);
    unlock(g);
    return e;
}

void net_gate_leave(struct net_gate *g, struct net_gate_seat *seat)
{
    lock(g);
    g->open--;
    if (--seat->n == 0) {
        (void)map_del(&g->seats, slice_of(seat->key, seat->key_n));
        free(seat);
    }
    unlock(g);
}
