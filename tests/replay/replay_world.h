/* A gateway on a desk: cores, a store without a thread, far ends that follow a script, and a clock that moves only
 * when told.  No loop, no thread, no socket.
 *
 * Story of a scenario.  replay_world_create(), settings and terminals, replay_start(); then submissions, runs and
 * crashes in any order.  A turn hands arrived targets and finished store operations to the cores, takes what they
 * hand over, runs the store once and gives the answers that are due, until nothing moves; replay_run() does that
 * after each 100 ms step of the clock.  A crash cuts the store off first, then drains what is in memory: the objects
 * go the way their owners let them go, and nothing of it is written. */
#ifndef TESTS_REPLAY_WORLD_H
#define TESTS_REPLAY_WORLD_H

#include "ppg/core.h"
#include "ppg/enqueue.h"
#include "tests/replay/replay_engine.h"
#include "tests/replay/replay_net.h"

#define REPLAY_SETTINGS_MAX 32
#define REPLAY_START_MS     INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define REPLAY_TICK_MS      100

struct replay_world;

struct replay_core {
    struct ppg_core core;
    struct replay_world *world;
    struct list handed;  /* targets from other cores */
    struct list errands; /* from other cores, or back */
    struct list done;    /* operations the store is done with */
};

/* What an initiator asked for; times are from now on, 0: not said. */
struct replay_submit {
    struct slice push_id;
    struct slice initiator;
    const struct slice *to; /* canonical addresses */
    size_t to_n;
    int64_t before_ms;
    int64_t after_ms;
    enum ppg_method method;
    enum ppg_priority priority;
    uint8_t asked;
    uint8_t demanded;
    bool notify;
    struct slice server;   /* host that is notified; empty: pi.example */
    size_t body_n;         /* of a body of no particular content */
    struct slice body;     /* p not NULL: this one */
    struct slice type;     /* empty: text/plain */
    struct slice headers;  /* that travel along */
    struct slice replaces; /* push-id of the earlier push */
    enum ppg_replace replace;
};

struct replay_submission {
    struct list link;
    struct ppg_enqueue enqueue;
    struct replay_world *world;
    char push_id[REPLAY_NAME_N];
    bool answered; /* false: the process died first */
    enum err result;
};

/* What an initiator was told about each target. */
struct replay_cancel {
    struct list link;
    struct ppg_cancel x;
    struct replay_world *world;
    struct slice push_id;
    bool answered; /* false: the process died first */
    enum err result;
    size_t sends_n; /* attempts that terminals had seen by then */
    struct replay_cancelled {
        struct slice key;
        enum store_cancel_what what;
    } * targets; /* with ERR_OK */
    size_t targets_n;
    struct arena mem;
};

struct replay_world {
    struct clk_virtual clk;
    struct replay_net *net;
    struct replay_cut cut;
    struct store_conf store_conf;
    struct ppg_shared shared;
    struct replay_core cores[REPLAY_CORES_MAX];
    unsigned cores_n;
    struct ppg_config *config;
    struct list mail;        /* operations of the world's own, done */
    struct list submissions; /* struct replay_submission, the newest first */
    struct list cancels;     /* struct replay_cancel, likewise */
    /* Called at each moment: before anything else happens in it, and behind the answers of the far ends.  True: it did
     * something. */
    bool (*moment)(void *arg, bool behind);
    void *moment_arg;
    struct {
        char section[24];
        char key[40];
        char value[80];
    } settings[REPLAY_SETTINGS_MAX];
    size_t settings_n;
    char folder[256];
    char store_path[300];
    bool started;
    bool dying;    /* in a crash */
    bool restless; /* nothing came to rest within a step: somebody spins */
    size_t live_most;
    char why[512];
};

/* name: of the files it makes in the scratch folder.  Ends the program when memory is out. */
struct replay_world *replay_world_create(const char *name);
void replay_world_free(struct replay_world **w);

void replay_set(struct replay_world *w, const char *section, const char *key, const char *value);
/* Writes the configuration, loads it, opens the store.  False: why[] says what. */
bool replay_start(struct replay_world *w);
/* Writes and loads the configuration anew and swaps it in every core. */
bool replay_reload(struct replay_world *w);

/* Enqueues on core 0, as if a checked submission arrived there. */
struct replay_submission *replay_submit(struct replay_world *w, const struct replay_submit *s);
/* A cancel that arrives at core 0; to_n 0: of everybody.  replay_cancel.c */
struct replay_cancel *replay_cancel(struct replay_world *w, struct slice initiator, struct slice push_id,
                                    const struct slice *to, size_t to_n);
void replay_cancels_free(struct replay_world *w);
/* Everything that can move without the clock; stops short when the store is cut off. */
void replay_turn(struct replay_world *w);
void replay_run(struct replay_world *w, int64_t ms, int64_t step_ms);
/* Forgets all memory, lets down_ms pass, starts again. */
bool replay_crash(struct replay_world *w, int64_t down_ms);
bool replay_busy(const struct replay_world *w);

/* One operation of the world's own through the store, at once. */
enum err replay_store(struct replay_world *w, struct store_op *op, enum store_kind kind);

struct replay_state {
    enum ppg_stage stage;
    unsigned code;
    unsigned tries;
    int notified; /* as store_show_target */
    bool leased;
    int64_t due_ms;
    char note[160];
};
/* What the store knows of one target; ERR_ABSENT. */
enum err replay_show(struct replay_world *w, struct slice push_id, struct slice address,
                     struct replay_state *out);

/* replay_conf.c: the files a configuration is loaded from; false: why[] says what. */
bool replay_conf_write(struct replay_world *w, char path[300]);

#endif
