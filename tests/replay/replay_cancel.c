/* Cancels in the replay world; see replay_world.h. */
#include <stdlib.h>

#include "tests/replay/replay_world.h"
#include "tests/unit/harness.h"

/* What is said about each target outlives the cancel. */
static void keep_targets(struct replay_cancel *c)
{
    const struct store_cancel *said = &c->x.cancel;

    c->targets = arena_array(&c->mem, said->targets_n + 1, sizeof *c->targets);
    MUST(c->targets != NULL);
    for (size_t i = 0; i < said->targets_n; i++) {
        c->targets[i].what = said->targets[i].what;
        MUST(!arena_dup(&c->mem, said->targets[i].key, &c->targets[i].key));
    }
    c->targets_n = said->targets_n;
}

static void cancelled(struct ppg_cancel *x, enum err result)
{
    struct replay_cancel *c = container_of(x, struct replay_cancel, x);

    c->answered = !c->world->dying;
    c->result = result;
    c->sends_n = c->world->net->sends_n;
    if (!result)
        keep_targets(c);
    arena_clear(&x->cancel.mem);
}

struct replay_cancel *replay_cancel(struct replay_world *w, struct slice initiator, struct slice push_id,
                                    const struct slice *to, size_t to_n)
{
    struct replay_cancel *c = calloc(1, sizeof *c);
    struct slice *keys;

    MUST(c != NULL);
    arena_init(&c->mem, 1024, 1u << 20);
    keys = arena_array(&c->mem, to_n + 1, sizeof *keys);
    MUST(keys && !arena_dup(&c->mem, push_id, &c->push_id) &&
         !arena_dup(&c->mem, initiator, &c->x.cancel.initiator));
    for (size_t i = 0; i < to_n; i++)
        MUST(!arena_dup(&c->mem, to[i], &keys[i]));
    c->world = w;
    c->x.cancel.push_id = c->push_id;
    c->x.cancel.keys = to_n ? keys : NULL;
    c->x.cancel.keys_n = to_n;
    c->x.done = cancelled;
    list_push_front(&w->cancels, &c->link);
    ppg_cancel_start(w->cores[0].core.control, &c->x);
    return c;
}

void replay_cancels_free(struct replay_world *w)
{
    struct list *at;

    while ((at = list_pop_front(&w->cancels))) {
        struct replay_cancel *c = container_of(at, struct replay_cancel, link);

        arena_clear(&c->mem);
        free(c);
    }
}
