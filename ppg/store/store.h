/* What must survive a power cut; the one interface to every engine.
 *
 * Story of one push.  `insert` writes the push, its content once, and a row per target in one transaction; a
 * target that is due now is leased to this run of the program by the very insert.  Its loop tries it.  `finish`
 * writes the final stage, who carried it, how it was protected, and - when a notification is owed - a row of the
 * outbox, leased too.  `move` writes a later due time and gives the lease back or keeps it.  `claim` leases due
 * targets nobody holds: retries, deferred ones and, after a restart, whatever the last run held: opening the
 * store starts a new run (epoch), which ends all older leases at once.  Notices live likewise: `notice_claim`,
 * `notice_move`, `notice_done`.  Numbers for associations are reserved in ranges before they are used, so that a
 * crash skips numbers and never repeats one.
 *
 * Operations are structs that the caller owns until done() has run.  store_submit() may be called from any
 * thread; the store thread takes the whole list, runs it in one transaction with one sync, and posts the batch
 * back, so done() runs on the loop the operation names.  An operation that fails (op.err) does not spoil its
 * batch.  If the commit itself fails, every write of the batch has op.err ERR_IO and nothing of it is stored. */
#ifndef PPG_STORE_STORE_H
#define PPG_STORE_STORE_H

#include "base/log.h"
#include "ppg/push.h"

struct store;
struct store_op;
struct store_engine;

typedef void store_done_fn(struct store_op *op);
/* On the store's thread: `done` holds operations (by store_op.link) that all belong to `loop`. */
typedef void store_post_fn(void *arg, unsigned loop, struct list *done);

struct store_conf {
    const char *engine; /* "sqlite" */
    const char *path;   /* the database file */
    size_t pending_max; /* operations queued; store_submit beyond it is refused by store_full() */
    unsigned loops;
    bool no_thread; /* tests: nothing runs until store_turn() */
    store_post_fn *post;
    void *post_arg;
    const struct clk *clk;
    struct log *log;

    /* Tests only; NULL in production. */
    const struct store_engine *io; /* this engine instead of the named one */
    void (*step)(void *arg,
                 const char *name); /* on the store's thread, before and after each step of a batch */
    void *step_arg;
};

/* Opens or makes the database, checks its schema version, starts a new epoch, frees older leases.  ERR_IO,
 * ERR_UNSUPPORTED (made by a newer program), ERR_MALFORMED (damaged): why[] says what to do; nothing is
 * repaired or overwritten silently.  A second program on the same file is ERR_EXISTS. */
enum err store_open(const struct store_conf *conf, struct store **out, char why[256]) MUST_USE;
/* Runs what is queued, syncs, closes. */
void store_close(struct store **s);
/* Advisory back-pressure: true while the queue is at its ceiling. Any thread. */
bool store_full(const struct store *s);
/* A list of operations by store_op.link; all are taken, *list is empty afterwards. */
void store_submit(struct store *s, struct list *ops);
/* no_thread only: runs one batch, posts it; false when nothing was queued. */
bool store_turn(struct store *s);
/* Random identity of this database, 16 hexadecimal digits; names messages towards terminals. */
const char *store_name(const struct store *s);

enum store_kind {
    STORE_INSERT,
    STORE_FINISH,
    STORE_MOVE,
    STORE_CLAIM,
    STORE_NUMBERS,
    STORE_NOTICE_CLAIM,
    STORE_NOTICE_MOVE,
    STORE_NOTICE_DONE,
    STORE_SHOW,
    STORE_COUNT,
    STORE_PURGE,
    STORE_BACKUP,
    STORE_KIND_COUNT
};

struct store_op {
    struct list link;
    enum store_kind kind;
    unsigned loop;
    enum err err; /* result */
    store_done_fn *done;
    void *arg;
};

/* ERR_EXISTS: this initiator has used the push-id already; nothing is written.  On success push->id and every
 * targets[].id are set; ids are never given twice in the life of a database, and those of one push follow each
 * other.  Targets with `leased` set belong to this run; a target whose stage is final is stored as it is. */
struct store_insert {
    struct store_op op;
    struct ppg_push *push;
};

/* One attempt or decision, for `push show`; texts are cut to 255 octets; an empty text leaves the one before. */
struct store_record {
    struct slice bearer;     /* "http" */
    struct slice protection; /* the decision in words */
    struct slice note;       /* what the terminal said */
};

/* ERR_LATE: the target was final already; nothing changes. */
struct store_finish {
    struct store_op op;
    int64_t target_id;
    int64_t push_id; /* row of the push, for engines that count its open targets */
    enum ppg_stage stage;
    uint16_t code;
    uint16_t tries;
    int64_t event_ms;
    struct store_record record;
    bool notify;       /* owe a result notification */
    int64_t notice_id; /* out: outbox row when notify */
};

/* Another due time, more tries; ERR_LATE when the target is final.  keep: the lease stays (used to note an attempt
 * before it begins). */
struct store_move {
    struct store_op op;
    int64_t target_id;
    int64_t due_ms;
    uint16_t tries;
    bool keep;
    struct store_record record;
};

/* Leases up to `max` targets due at now_ms, oldest due first, and up to max_n octets of content (but at least one
 * target when one is due).  Out: `targets` (by ppg_target.link), each with its push loaded and held; targets of one
 * push in one claim share it, and each lives in its push's memory (push->targets stays empty).  more: there was more
 * than was taken.  next_due_ms: the earliest due time of what is left waiting, 0 when there is none. */
struct store_claim {
    struct store_op op;
    int64_t now_ms;
    size_t max;
    size_t max_n;
    struct list targets;
    bool more;
    int64_t next_due_ms;
};

/* Reserves `count` numbers of the association: [from, to).  Numbers start at 1.  ERR_LATE: used up (2^32-1). */
struct store_numbers {
    struct store_op op;
    uint8_t said[16];
    uint32_t count;
    uint32_t from;
    uint32_t to;
};

/* Leases up to `max` notices due, oldest due first; out: `notices` by ppg_notice.link. */
struct store_notice_claim {
    struct store_op op;
    int64_t now_ms;
    size_t max;
    struct list notices;
    bool more;
    int64_t next_due_ms;
};
/* ERR_LATE: the debt is closed already. */
struct store_notice_move {
    struct store_op op;
    int64_t notice_id;
    int64_t due_ms;
    uint16_t tries;
};
/* Told, or given up (told false): the debt is closed either way and the target remembers which.
 * ERR_LATE: it was closed before. */
struct store_notice_done {
    struct store_op op;
    int64_t notice_id;
    bool told;
    uint16_t code; /* what the initiator answered, 0 none */
};

/* All about one push.  initiator empty: any (operators), the newest.  ERR_ABSENT. */
struct store_show_target {
    struct slice address;
    enum ppg_stage stage;
    uint16_t code;
    uint16_t tries;
    uint8_t demanded;
    bool leased;
    int64_t id;
    int64_t due_ms;
    int64_t event_ms; /* 0 until final */
    struct slice bearer;
    struct slice protection;
    struct slice note;
    int notified; /* 0 none owed, 1 owed, 2 told, 3 given up */
};
struct store_show {
    struct store_op op;
    struct slice initiator; /* borrowed from the caller until done */
    struct slice push_id;
    struct ppg_push *push;             /* out: held for the caller; content is not loaded */
    uint64_t body_n;                   /* out: octets of the content */
    struct store_show_target *targets; /* out: in push->mem */
    size_t targets_n;
};

struct store_count {
    struct store_op op;
    uint64_t waiting; /* not final, not leased */
    uint64_t leased;
    uint64_t notices;
    uint64_t file_n; /* octets of the database file */
};

/* Forgets pushes whose last target became final before `before_ms` and that owe no notice; at most `max`.  Looks at a
 * bounded number of pushes and goes on from there the next time; the newest push always stays. */
struct store_purge {
    struct store_op op;
    int64_t before_ms;
    size_t max;
    size_t gone; /* out */
};

/* Online copy to a new file; ERR_EXISTS when it is there.  Taken in steps between batches, so it may end much later
 * than its batch.  The copy gets an identity of its own and its numbers skip ahead, so that bringing it back repeats
 * neither a message's name nor a number. */
struct store_backup {
    struct store_op op;
    const char *path;
};

#endif
