/* See turns.h.  Slots and places follow one rule, below(): the dynamic threshold of switches with shared buffers. */
#include "ppg/turns.h"

#include <stdlib.h>
#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"

#define PART 4u /* of what is free: who holds 1/PART of it gets no more */

struct turns_party {
    struct list ring;    /* initiators: in turns.ring while items wait */
    struct list waiting; /* initiators: items, oldest first */
    size_t slots;        /* the record goes when this is 0 */
    size_t places;
    size_t window; /* servers: places it may have */
    size_t key_n;
    char key[];
};

struct ppg_turns {
    struct ppg_turns_conf conf;
    struct map initiators;
    struct map servers;
    struct list ring; /* initiators in the order of their turns */
    size_t slots;
    size_t places;
};

/* --- records --- */

static struct slice key_of(const struct turns_party *p)
{
    return slice_of(p->key, p->key_n);
}

static struct turns_party *party_get(struct map *m, struct slice key)
{
    struct turns_party *p = map_get(m, key);

    if (p)
        return p;
    p = calloc(1, sizeof *p + key.n);
    if (!p)
        return NULL;
    list_init(&p->ring);
    list_init(&p->waiting);
    p->window = 1;
    p->key_n = key.n;
    mem_copy(p->key, key.n, key);
    if (map_put(m, key_of(p), p)) {
        free(p);
        return NULL;
    }
    return p;
}

static void party_forget(struct map *m, struct turns_party *p)
{
    if (p->slots)
        return;
    list_remove(&p->ring);
    (void)map_del(m, key_of(p));
    free(p);
}

/* --- ceilings --- */

/* Who holds `own` may have one more. */
static bool below(size_t own, size_t used, size_t max)
{
    return PART * own < max - used;
}

size_t ppg_turns_free_slots(const struct ppg_turns *t)
{
    return t->conf.slots_max - t->slots;
}

/* A server gets half of what its initiator may have, so that another one of the same initiator finds a slot. */
static bool slot_allowed(const struct ppg_turns *t, const struct turns_party *initiator,
                         const struct turns_party *server)
{
    return below(initiator->slots, t->slots, t->conf.slots_max) &&
           below(2 * server->slots, t->slots, t->conf.slots_max);
}

static bool place_allowed(const struct ppg_turns *t, const struct ppg_turn *item)
{
    return below(item->initiator->places, t->places, t->conf.places_max) &&
           below(item->server->places, t->places, t->conf.places_max) &&
           item->server->places < item->server->window;
}

/* --- items --- */

enum err ppg_turns_add(struct ppg_turns *t, struct ppg_turn *item, struct slice initiator,
                       struct slice server)
{
    struct turns_party *i = party_get(&t->initiators, initiator);
    struct turns_party *v = party_get(&t->servers, server);
    enum err e = i && v ? ERR_OK : ERR_NOMEM;

    if (!e && !slot_allowed(t, i, v))
        e = ERR_LIMIT;
    if (!e) {
        *item = (struct ppg_turn){.initiator = i, .server = v};
        list_init(&item->link);
        list_push_back(&i->waiting, &item->link);
        if (list_empty(&i->ring))
            list_push_back(&t->ring, &i->ring);
        i->slots++;
        v->slots++;
        t->slots++;
        return ERR_OK;
    }
    if (i)
        party_forget(&t->initiators, i);
    if (v)
        party_forget(&t->servers, v);
    return e;
}

/* Out of the queue, if it is in one. */
static void unqueue(struct ppg_turn *item)
{
    list_remove(&item->link);
    if (list_empty(&item->initiator->waiting))
        list_remove(&item->initiator->ring);
}

/* The oldest item of the initiator that may go: one server's must not wait for another's. */
static struct ppg_turn *first_allowed(const struct ppg_turns *t, struct turns_party *initiator)
{
    if (!below(initiator->places, t->places, t->conf.places_max))
        return NULL;
    LIST_EACH (at, &initiator->waiting) {
        struct ppg_turn *item = container_of(at, struct ppg_turn, link);

        if (place_allowed(t, item))
            return item;
    }
    return NULL;
}

struct ppg_turn *ppg_turns_next(struct ppg_turns *t)
{
    LIST_EACH (at, &t->ring) {
        struct turns_party *i = container_of(at, struct turns_party, ring);
        struct ppg_turn *item = first_allowed(t, i);

        if (!item)
            continue;
        list_remove(&i->ring); /* its next turn comes behind the others */
        list_push_back(&t->ring, &i->ring);
        unqueue(item);
        item->on_wire = true;
        i->places++;
        item->server->places++;
        t->places++;
        return item;
    }
    return NULL;
}

void ppg_turns_off(struct ppg_turns *t, struct ppg_turn *item, enum ppg_turn_word word)
{
    MUST(item->on_wire);
    item->on_wire = false;
    item->initiator->places--;
    item->server->places--;
    t->places--;
    if (word == PPG_TURN_BAD)
        item->server->window = 1;
    else if (word == PPG_TURN_GOOD)
        item->server->window = num_min(item->server->window + 1, t->conf.per_server_max);
}

void ppg_turns_drop(struct ppg_turns *t, struct ppg_turn *item)
{
    if (item->on_wire)
        ppg_turns_off(t, item, PPG_TURN_NOTHING);
    unqueue(item);
    item->initiator->slots--;
    item->server->slots--;
    t->slots--;
    party_forget(&t->initiators, item->initiator);
    party_forget(&t->servers, item->server);
}

struct ppg_turn *ppg_turns_recall(struct ppg_turns *t)
{
    struct turns_party *i;
    struct ppg_turn *item;

    if (list_empty(&t->ring))
        return NULL;
    i = container_of(t->ring.next, struct turns_party, ring);
    item = container_of(i->waiting.next, struct ppg_turn, link);
    unqueue(item);
    return item;
}

/* --- looking --- */

struct slice ppg_turn_initiator(const struct ppg_turn *item)
{
    return key_of(item->initiator);
}

struct slice ppg_turn_server(const struct ppg_turn *item)
{
    return key_of(item->server);
}

size_t ppg_turns_held(const struct ppg_turns *t)
{
    return t->slots;
}

size_t ppg_turns_room(const struct ppg_turns *t, struct slice initiator)
{
    const struct turns_party *i = map_get(&t->initiators, initiator);
    size_t own = i ? i->slots : 0;
    size_t left = ppg_turns_free_slots(t);

    return PART * own < left ? (left - PART * own + PART) / (PART + 1)
                             : 0; /* each one taken is one less free */
}

bool ppg_turns_each(const struct ppg_turns *t, size_t *pos, struct slice *initiator)
{
    const struct turns_party *p = map_next(&t->initiators, pos);

    if (p)
        *initiator = key_of(p);
    return p != NULL;
}

/* --- life --- */

enum err ppg_turns_create(const struct ppg_turns_conf *conf, struct ppg_turns **out)
{
    struct ppg_turns *t = calloc(1, sizeof *t);

    if (!t)
        return ERR_NOMEM;
    t->conf = *conf;
    map_init(&t->initiators, conf->slots_max + 1); /* one more: add() makes the record before it asks */
    map_init(&t->servers, conf->slots_max + 1);
    list_init(&t->ring);
    *out = t;
    return ERR_OK;
}

void ppg_turns_free(struct ppg_turns **tp)
{
    struct ppg_turns *t = *tp;

    if (!t)
        return;
    MUST(t->slots == 0 && t->places == 0);
    map_clear(&t->initiators);
    map_clear(&t->servers);
    free(t);
    *tp = NULL;
}
