/* Fair shares of what the notifier has: slots (notices in memory) and places (notices on the wire).
 *
 * Story of an item.  add() gives it a slot and queues it behind its initiator's others; next() picks the items that
 * may go on the wire, initiator by initiator, and gives each a place; off() takes the place back, drop() the slot.
 *
 * The rule that keeps one initiator from holding up another is a dynamic threshold: who holds a quarter as many slots
 * or places as are still free gets no more.  So n initiators whose servers never answer come to hold 1/(n+4) of all
 * each, whatever the number of their servers, and in the worst order still leave (4/5)^n.  A server has a window on
 * top of that: one place until it has answered, one more with each good answer up to a ceiling, and one again when it
 * fails; so a dead server holds one place.
 *
 * A record of an initiator or a server lives only while something of it is in memory.  One core; no clock, no I/O. */
#ifndef PPG_TURNS_H
#define PPG_TURNS_H

#include "base/err.h"
#include "base/list.h"
#include "base/slice.h"

struct ppg_turns;
struct turns_party;

struct ppg_turns_conf {
    size_t slots_max;      /* items in memory */
    size_t places_max;     /* items on the wire */
    size_t per_server_max; /* items on the wire to one server */
};

/* Embedded by the caller; the fields are this module's. */
struct ppg_turn {
    struct list link;
    struct turns_party *initiator;
    struct turns_party *server;
    bool on_wire;
};

/* What an item's time on the wire said about its server. */
enum ppg_turn_word { PPG_TURN_NOTHING, PPG_TURN_GOOD, PPG_TURN_BAD };

enum err ppg_turns_create(const struct ppg_turns_conf *conf, struct ppg_turns **out) MUST_USE;
void ppg_turns_free(struct ppg_turns **t); /* nothing may be in memory */

/* ERR_LIMIT: the initiator or the server holds its share of the slots; ERR_NOMEM.  Names are copied. */
enum err ppg_turns_add(struct ppg_turns *t, struct ppg_turn *item, struct slice initiator,
                       struct slice server) MUST_USE;
/* The next item that may go on the wire, with a place; NULL: none may. */
struct ppg_turn *ppg_turns_next(struct ppg_turns *t);
/* Gives the place back; the slot is kept. */
void ppg_turns_off(struct ppg_turns *t, struct ppg_turn *item, enum ppg_turn_word word);
/* Gives the slot back, and the place or the place in the queue if it has one. */
void ppg_turns_drop(struct ppg_turns *t, struct ppg_turn *item);
/* Takes any item out of the queues, its slot is kept; NULL: none waits. */
struct ppg_turn *ppg_turns_recall(struct ppg_turns *t);

struct slice ppg_turn_initiator(const struct ppg_turn *item); /* borrowed until the drop */
struct slice ppg_turn_server(const struct ppg_turn *item);
size_t ppg_turns_held(const struct ppg_turns *t); /* slots in use */
size_t ppg_turns_free_slots(const struct ppg_turns *t);
/* How many more items of this initiator add() would take now. */
size_t ppg_turns_room(const struct ppg_turns *t, struct slice initiator);
/* Initiators with something in memory, one by one: *pos starts at 0; false at the end. */
bool ppg_turns_each(const struct ppg_turns *t, size_t *pos, struct slice *initiator);

#endif
