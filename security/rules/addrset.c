/* Open addressing with linear probing over 8-octet slots: 32 bits of a keyed hash (SipHash, so that nobody can
 * prepare a list that collides) and the place of the string in one packed text.  At most three quarters full.
 * Asking touches one slot for most strings that are absent, and the text only when the hash agrees. */
#include "security/rules/addrset.h"

#include <stdlib.h>
#include "base/map.h"
#include "base/mem.h"
#include "security/secret.h"

#define SET_FIRST_CAP 64
#define SET_FIRST_N   1024

struct set_slot {
    uint32_t hash;
    uint32_t at; /* where the item starts in text, plus 1; 0: free */
};

struct sec_addrset {
    struct set_slot *slots; /* owned; cap of them, a power of two */
    size_t cap;
    size_t count;
    char *text;  /* owned; items one behind the other, each behind its length in one octet */
    size_t n;    /* octets of text used */
    size_t room; /* octets of text allocated */
    uint64_t key[2];
};

enum err sec_addrset_create(struct sec_addrset **out)
{
    struct sec_addrset *s = calloc(1, sizeof *s);

    if (!s)
        return ERR_NOMEM;
    s->cap = SET_FIRST_CAP;
    s->room = SET_FIRST_N;
    s->slots = calloc(s->cap, sizeof *s->slots);
    s->text = malloc(s->room);
    if (!s->slots || !s->text || sec_random(s->key, sizeof s->key)) {
        sec_addrset_free(&s);
        return ERR_NOMEM;
    }
    *out = s;
    return ERR_OK;
}

void sec_addrset_free(struct sec_addrset **s)
{
    if (!*s)
        return;
    free((*s)->slots);
    free((*s)->text);
    free(*s);
    *s = NULL;
}

static struct slice item_at(const struct sec_addrset *s, uint32_t at)
{
    return slice_of(s->text + at, (unsigned char)s->text[at - 1]);
}

/* The slot that holds the item, or the free one where it would go. */
static struct set_slot *find(const struct sec_addrset *s, uint32_t hash, struct slice item)
{
    for (size_t i = hash & (s->cap - 1);; i = (i + 1) & (s->cap - 1)) {
        struct set_slot *slot = &s->slots[i];

        if (slot->at == 0 || (slot->hash == hash && slice_eq(item_at(s, slot->at), item)))
            return slot;
    }
}

static enum err grow_slots(struct sec_addrset *s)
{
    size_t cap = s->cap * 2;
    struct set_slot *slots = calloc(cap, sizeof *slots);

    if (!slots)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->cap; i++) {
        size_t to = s->slots[i].hash & (cap - 1);

        if (s->slots[i].at == 0)
            continue;
        while (slots[to].at)
            to = (to + 1) & (cap - 1);
        slots[to] = s->slots[i];
    }
    free(s->slots);
    s->slots = slots;
    s->cap = cap;
    return ERR_OK;
}

static enum err grow_text(struct sec_addrset *s)
{
    size_t room = s->room + s->room / 2;
    char *text = realloc(s->text, room);

    if (!text)
        return ERR_NOMEM;
    s->text = text;
    s->room = room;
    return ERR_OK;
}

enum err sec_addrset_add(struct sec_addrset *s, struct slice item)
{
    uint32_t hash = (uint32_t)map_hash(s->key, item);
    struct set_slot *slot;

    if (item.n > SEC_ADDRSET_ITEM_MAX_N || s->n + item.n >= UINT32_MAX)
        return ERR_LIMIT;
    if (s->count >= s->cap / 4 * 3 && grow_slots(s))
        return ERR_NOMEM;
    if (s->room - s->n <= item.n && grow_text(s))
        return ERR_NOMEM;
    slot = find(s, hash, item);
    if (slot->at)
        return ERR_OK;
    s->text[s->n] = (char)item.n;
    mem_copy(s->text + s->n + 1, s->room - s->n - 1, item);
    *slot = (struct set_slot){hash, (uint32_t)s->n + 1};
    s->n += 1 + item.n;
    s->count++;
    return ERR_OK;
}

bool sec_addrset_has(const struct sec_addrset *s, struct slice item)
{
    return find(s, (uint32_t)map_hash(s->key, item), item)->at != 0;
}

size_t sec_addrset_count(const struct sec_addrset *s)
{
    return s->count;
}

size_t sec_addrset_memory(const struct sec_addrset *s)
{
    return sizeof *s + s->cap * sizeof *s->slots + s->room;
}
