/* What must survive a power cut; the one interface to every engine.
 *
 * Story of one push.  `insert` writes the push, its content once, and a row per target in one transaction; a
 * target that is due now is leased to this run of the program by the very insert.  Its loop tries it.  `finish`
 * writes the final stage, who carried it, how it was protected, and - when a notification is owed - a row of the
 * outbox, leased too.  `move` writes a later due time and gives the lease back or keeps it.  `claim` leases due
 * targets nobody holds: retries, deferred ones and, after a restart, whatever the last run held: opening the
 * store starts a new run (epoch), which ends all older leases at once.  Notices live likewise: `notice_claim`,
 * `notice_move`, `notice_done`.  `cancel` ends what waits; what a loop of this run holds, that loop must let go first
 * (ppg_schedule_recall).  A group of recipients is a row whose members follow it: the last member that ends also ends
 * the group, in the same transaction, and only the group owes a notification.  Numbers for associations are reserved in ranges before they are used, so that a
 * crash skips numbers and never repeats one.
 *
 * Operations are structs that the caller owns until done() has run.  store_submit() may be called from any
 * thread; the store thread takes the whole list and runs it in one transaction; once that is synced the batch is posted
 * back, so done() runs on the loop the operation names.  An operation that fails (op.err) does not spoil its
 * batch.  If the commit itself fails, every write of the batch has op.err ERR_IO and nothing of it is stored.  If the
 * disk fails to sync what was committed, every write from then on has ERR_IO until the program is started anew: what of
 * the last batches is stored only the next start can tell. */
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
/* Advisory back-pressure: true while the queue is at its ceiling, and from a failed sync on. Any thread. */
bool store_full(const struct store *s);
/* A list of operations by store_op.link; all are taken, *list is empty afterwards. */
void store_submit(struct store *s, struct list *ops);
/* no_thread only: runs one batch, posts it; false when nothing was queued. */
bool store_turn(struct store *s);
/* Random identity of this database, 16 hexadecimal digits; names messages towards terminals. */
const char *store_name(const struct store *s);
/* A random secret made once with the database, STORE_SECRET_N hexadecimal digits.  Who can read it can read all pushes. */
#define STORE_SECRET_N 64
const char *store_secret(const struct store *s);

enum store_kind {
    STORE_INSERT,
    STORE_FINISH,
    STORE_MOVE,
    STORE_CLAIM,
    STORE_CANCEL,
    STORE_NUMBERS,
    STORE_SEQ,
    STORE_SA_KEEP,
    STORE_SA_FIND,
    STORE_SA_CONFIRM,
    STORE_SA_DROP,
    STORE_SA_LIST,
    STORE_NOTICE_CLAIM,
    STORE_NOTICE_MOVE,
    STORE_NOTICE_DONE,
    STORE_SHOW,
    STORE_COUNT,
    STORE_QUEUE,
    STORE_WAITING,
    STORE_REPLAY,
    STORE_WAKE,
    STORE_INBOX,
    STORE_ITEM,
    STORE_PURGE,
    STORE_BACKUP,
    STORE_RECENT,
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

/* ERR_EXISTS: this initiator has used the push-id already; ERR_LIMIT: with this push more than queue_max of its targets
 * would not be final (a group counts by its members; what it replaces is gone by then).  Nothing is written.  On success push->id and every
 * targets[].id are set; ids are never given twice in the life of a database, and those of one push follow each
 * other.  Targets with `leased` set belong to this run; a target whose stage is final is stored as it is, and owes its
 * notification at once (unleased) when the push asks for one.
 *
 * Replacing (push->replace): `old` names the earlier push, its keys are those of push->targets.  Old targets that wait
 * are cancelled in the same transaction.  ERR_ABSENT: no such push of this initiator.  ERR_AGAIN: old->targets says
 * which are held; nothing is written.  PPG_REPLACE_PENDING_ONLY: a target whose old one was not cancelled now is
 * stored as ST_CANCELLED with code 3003 and loses `leased`. */
struct store_cancel;
struct store_insert {
    struct store_op op;
    struct ppg_push *push;
    struct store_cancel *old; /* NULL: replaces nothing; its op is not used */
    uint64_t queue_max;       /* 0: no limit */
    uint64_t
        queued; /* out, with a queue_max: targets of the initiator that are not final, this push's among them */
};

/* What a cancel came to for one target. */
enum store_cancel_what {
    STORE_CANCEL_DONE, /* was waiting, is cancelled; its notification is owed (unleased) when one was asked for */
    STORE_CANCEL_LATE,    /* final already, or on the wire */
    STORE_CANCEL_HELD,    /* leased by this run and not let go */
    STORE_CANCEL_STRANGER /* no recipient of this push */
};
struct store_cancel_target {
    enum store_cancel_what what;
    int64_t id;           /* 0: stranger */
    int64_t group_id;     /* not 0: a member, listed only while it is held */
    struct slice address; /* as the submission spelt it; empty: stranger */
    struct slice key;
};

/* Cancels the targets of a push that wait: all or nothing of what is listed is looked at before anything is written.
 * ERR_ABSENT: this initiator has no such push.  ERR_AGAIN: at least one is held by a loop; nothing is written, targets
 * tells which; the caller recalls them and comes again with what was let go in `released` and what is on the wire in
 * `busy`.  force: do not say ERR_AGAIN, take what is still held as late.
 * A group is done when at least one of its members is cancelled by this. */
struct store_cancel {
    struct store_op op;
    struct slice initiator; /* borrowed until done; empty: any (operators), the newest */
    struct slice push_id;
    const struct slice *keys; /* canonical addresses; a group's is its own */
    size_t keys_n;            /* 0: all recipients */
    const int64_t *released;  /* target ids, ascending */
    size_t released_n;
    const int64_t *busy; /* likewise */
    size_t busy_n;
    bool force;
    int64_t event_ms;
    struct slice note; /* for the record: who cancelled; cut to 255 octets */
    struct arena mem;  /* out: what follows lives here; the caller clears it, whatever the result */
    /* In the order of keys, one for each; without keys in the order of the push.  After ERR_AGAIN always in the order of
     * the push, those that are asked for and held members, each once; a group itself is never held. */
    struct store_cancel_target *targets;
    size_t targets_n;
};

/* One attempt or decision, for `push show`; texts are cut to 255 octets; an empty text leaves the one before. */
struct store_record {
    struct slice bearer;     /* "http" */
    struct slice protection; /* the decision in words */
    struct slice note;       /* what the terminal said */
    int64_t began_ms; /* when the attempt began; 0: there was none, and nothing is added to the history */
    uint64_t wire_n;  /* octets that were sent for it */
    int64_t pause_ms; /* the far end asked not to be tried again before; for the schedule, not kept */
};

/* ERR_LATE: the target was final already; nothing changes. */
struct store_finish {
    struct store_op op;
    int64_t target_id;
    int64_t push_id;        /* row of the push, for engines that count its open targets */
    struct slice initiator; /* of the push; borrowed until done */
    int64_t group_id; /* of the target; 0: none.  Not 0: `notify` is about the group, and notice_id stays 0 */
    enum ppg_stage stage;
    uint16_t code;
    uint16_t tries;
    int64_t event_ms;
    struct store_record record;
    /* Not empty: the terminal of that address has fetched it.  ERR_ABSENT unless the target is an item of its inbox; a
     * notification that is owed waits unleased, and notice_id stays 0.  Borrowed until done. */
    struct slice key;
    bool notify;       /* owe a result notification */
    int64_t notice_id; /* out: outbox row when notify and the target is no member of a group */
    bool
        group_ended; /* out: the last member; the group is final, and its notification, if any, waits unleased */
};

/* Another due time, more tries; ERR_LATE when the target is final.  keep: the lease stays (used to note an attempt
 * before it begins).  by_call: `wake` of its terminal makes it due earlier.  A record with began_ms adds the
 * attempt to the history that `show` lists. */
struct store_move {
    struct store_op op;
    int64_t target_id;
    int64_t due_ms;
    uint16_t tries;
    bool keep;
    bool by_call;
    struct store_record record;
};

/* A terminal has called in: what was put off with by_call is due at due_ms, the oldest first, some at a time.  Says whose
 * that is, so that a claim can be made. */
#define STORE_WAKE_MAX        256u /* targets at a time */
#define STORE_WAKE_INITIATORS 16u
struct store_wake {
    struct store_op op;
    struct slice key; /* the terminal's address; borrowed until done */
    int64_t due_ms;
    size_t woken_n;                                 /* out */
    bool more;                                      /* out: ask again */
    struct slice initiators[STORE_WAKE_INITIATORS]; /* out; in mem */
    size_t initiators_n;
    struct arena mem; /* the store makes it, the caller clears it */
};

/* The inbox of a terminal: what was put off with by_call and is not past its deadline, the oldest first. */
struct store_inbox_item {
    int64_t id;
    int64_t accepted_ms;
    int64_t expires_ms;
    uint64_t body_n;
    uint8_t priority;
    struct slice app_id; /* in mem */
};
struct store_inbox {
    struct store_op op;
    struct slice key; /* the terminal's address; borrowed until done */
    int64_t after_id; /* only those behind it; 0: all */
    int64_t now_ms;
    size_t max;
    struct store_inbox_item *items; /* out; in mem */
    size_t items_n;
    bool more;        /* out: there are others behind the last */
    struct arena mem; /* the store makes it, the caller clears it */
};

/* One item of it with its content; it stays where it is and nobody's.  ERR_ABSENT: this terminal has no such item. */
struct store_item {
    struct store_op op;
    struct slice key; /* as above */
    int64_t id;
    int64_t now_ms;
    struct ppg_target *target; /* out: in its push's memory, which is held for the caller */
};

/* What one initiator has left in the store after a claim. */
struct store_share {
    struct slice initiator;
    int64_t
        next_due_ms; /* earliest due time of what is left; a past one: more is due than was taken.  0: nothing left */
};

/* How many more of this initiator's may come into memory now; NULL: any number.  Runs on the store's thread. */
typedef size_t store_room_fn(void *arg, struct slice initiator);

/* Leases up to `max` targets due at now_ms and up to max_n octets of content (but at least one target when one is due
 * and has room).  Initiators take turns, each gets an equal part of max, goes on where the last claim ended, and gets
 * no more than room() says; within one initiator the oldest due comes first, then the lowest id.  Out: `targets` (by
 * ppg_target.link), each with its push loaded and held; targets of one push in one claim share it, and each lives in
 * its push's memory (push->targets stays empty).  shares: every initiator that has, or had until this claim, free
 * targets waiting.  more: there was more due than was taken.  next_due_ms: the earliest due time of what is left
 * waiting, 0 when there is none. */
struct store_claim {
    struct store_op op;
    int64_t now_ms;
    bool ahead; /* a look ahead of the time: what a call of its terminal makes due is left alone */
    size_t max;
    size_t max_n;
    store_room_fn *room;
    void *room_arg;
    struct list targets;
    struct arena mem; /* out: shares live here; the caller clears it, whatever the result */
    struct store_share *shares;
    size_t shares_n;
    bool more;
    int64_t next_due_ms;
};

/* Reserves `count` numbers of the association: [from, to).  They begin at 1, or where the last reservation ended, and not
 * below `floor`.  ERR_LATE: used up (2^32-1). */
struct store_numbers {
    struct store_op op;
    uint8_t said[16];
    uint32_t floor;
    uint32_t count;
    uint32_t from;
    uint32_t to;
};

/* Reserves `count` sequence numbers (SEQ of TS 33.102 §C.1.1.1) of a subscriber: [from, to).  They begin at `floor`, or where
 * the last reservation ended when that is higher.  set: at floor in any case, because the terminal said where it stands.
 * ERR_LATE: used up (2^43). */
struct store_seq {
    struct store_op op;
    struct slice impi; /* borrowed until done */
    uint64_t floor;
    bool set;
    uint32_t count;
    uint64_t from;
    uint64_t to;
};

/* An association that the gateway has set up with a terminal.  octets: what it is made of, sealed; not of the store's
 * concern. */
struct store_sa {
    uint8_t said[16];
    struct slice terminal; /* canonical address */
    int64_t made_s;        /* UTC */
    int64_t expires_s;     /* UTC */
    bool confirmed;        /* the terminal has it; of a new one: no */
    struct slice octets;
};
/* Keeps a new one, with numbers [1, 1 + count) reserved.  It takes the place of the terminal's others, but for the newest
 * that was confirmed.  A few that ran out before it was made are forgotten. */
struct store_sa_keep {
    struct store_op op;
    struct store_sa sa; /* slices borrowed until done */
    uint32_t count;
};
/* The terminal's, the newest first. */
#define STORE_SA_OF_TERMINAL 2
struct store_sa_find {
    struct store_op op;
    struct slice terminal; /* borrowed until done */
    struct store_sa sas[STORE_SA_OF_TERMINAL];
    size_t n;         /* out */
    struct arena mem; /* out: slices live here; the caller clears it, whatever the result */
};
struct store_sa_confirm { /* ERR_ABSENT */
    struct store_op op;
    uint8_t said[16];
};
struct store_sa_drop {
    struct store_op op;
    struct slice terminal; /* borrowed until done; all of it.  Empty: the one of that name */
    uint8_t said[16];
    size_t gone; /* out */
};
/* At most `max`, by terminal, the newest first; octets are left out. */
struct store_sa_list {
    struct store_op op;
    struct slice terminal; /* borrowed until done; empty: any */
    uint8_t said[16];
    bool by_said; /* that one only */
    size_t max;
    struct arena mem; /* out: what follows lives here; the caller clears it, whatever the result */
    struct store_sa *sas;
    size_t n;
    bool more;
};

/* Leases up to `max` notices due; initiators take turns as in a claim of targets, each with no more than room() says;
 * within one the oldest due comes first.  Out: `notices` by ppg_notice.link.  more: an initiator that had room has more
 * due.  next_due_ms: the earliest due time of what is left of initiators that had room, 0 when there is none: whoever
 * keeps an initiator out with room() comes again when it has room. */
struct store_notice_claim {
    struct store_op op;
    int64_t now_ms;
    size_t max;
    store_room_fn *room; /* NULL: any number */
    void *room_arg;
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

/* One attempt that did not end its target, or the one that did. */
struct store_show_attempt {
    int64_t began_ms;
    int64_t ended_ms;
    uint16_t no; /* of the target's tries, from 1 */
    uint64_t wire_n;
    struct slice bearer;
    struct slice protection;
    struct slice note;
};

/* May this initiator's push be shown to who asks?  Runs on the store's thread. */
typedef bool store_may_fn(void *arg, struct slice initiator);

/* All about one push.  initiator empty: any (operators), the newest; with may, the newest for which it says yes, of the 64
 * newest of that name.  ERR_ABSENT.  brief: no attempts, no rule, no
 * texts but the address: enough for a status query. */
struct store_show_target {
    struct slice address;
    struct slice key;
    enum ppg_stage stage;
    uint16_t code;
    uint16_t tries;
    uint8_t demanded;
    bool leased;
    uint32_t members_n; /* > 0: a group; its members follow */
    int64_t group_id;   /* not 0: a member */
    int64_t id;
    int64_t due_ms;
    int64_t event_ms; /* 0 until final */
    struct slice bearer;
    struct slice protection;
    struct slice note;
    struct slice rule;
    struct store_show_attempt *attempts; /* in order; at most the last 64 */
    size_t attempts_n;
    uint64_t wire_n;       /* octets of the last attempt */
    int64_t began_ms;      /* of the last attempt; 0: none */
    int notified;          /* 0 none owed, 1 owed, 2 told, 3 given up */
    uint16_t told_code;    /* what the initiator answered, 0 nothing */
    uint16_t notice_tries; /* while it is owed */
    int64_t notice_due_ms; /* likewise */
};
struct store_show {
    struct store_op op;
    struct slice initiator; /* borrowed from the caller until done */
    struct slice push_id;
    bool brief;
    store_may_fn *may; /* only without initiator; NULL: any */
    void *may_arg;
    struct ppg_push *push;             /* out: held for the caller; content is not loaded */
    uint64_t body_n;                   /* out: octets of the content */
    struct store_show_target *targets; /* out: in push->mem */
    size_t targets_n;
};

/* Pushes accepted at since_ms or later, the newest first, a piece at a time: those before the row before_id (0: from the
 * newest on), at most `max` and, but for the first, no more than fit in targets_max targets.  Each is as a brief `show`
 * has it.  next_id: where the next piece goes on; 0: that was all. */
struct store_recent {
    struct store_op op;
    int64_t before_id;
    int64_t since_ms;
    size_t max;
    size_t targets_max;
    struct store_show *shows; /* room for `max`, of the caller, who drops their pushes */
    size_t shows_n;           /* out */
    int64_t next_id;          /* out */
};

struct store_count {
    struct store_op op;
    uint64_t waiting; /* not final, not leased */
    uint64_t leased;
    uint64_t notices;
    uint64_t file_n; /* octets of the database file */
};

/* What waits, by initiator: at most `max` of them, those with most waiting first; and the `heads_max` targets that have
 * been due longest, or of `initiator` alone when it is given. */
struct store_queue_share {
    struct slice initiator;
    uint64_t waiting; /* not final, not leased */
    uint64_t leased;
    uint64_t notices; /* owed */
    int64_t next_due_ms;
};
struct store_queue_head {
    struct slice initiator;
    struct slice push_id;
    struct slice address;
    uint16_t tries;
    bool leased;
    int64_t due_ms;
    struct slice note; /* of the last attempt */
};
struct store_queue {
    struct store_op op;
    struct slice initiator; /* borrowed until done; empty: all */
    size_t max;
    size_t heads_max;
    struct arena mem; /* out: what follows lives here; the caller clears it, whatever the result */
    struct store_queue_share *shares;
    size_t shares_n;
    struct store_queue_head *heads;
    size_t heads_n;
};

/* How many targets wait for one terminal in the store, in nobody's memory.  Those that wait for its call have an index; of
 * the others the first `look_max` of all terminals are looked through. */
struct store_waiting {
    struct store_op op;
    struct slice key; /* its address; borrowed until done */
    uint64_t look_max;
    uint64_t waiting; /* out */
    bool more;        /* out: there may be others behind those that were looked at */
};

/* Copies a push to a new one with the same content for its targets that ended undeliverable, expired, aborted or timed
 * out (or for those of `keys` among them), to be tried at once: a final target stays as it is.  The copy asks for no
 * notification and expires at expires_ms.  ERR_ABSENT: no such push; ERR_LATE: none of its targets can be replayed;
 * ERR_EXISTS: new_push_id is taken.  initiator must be given.  Members of a group are copied by themselves, each when
 * its own key or its group's is asked for. */
struct store_replay {
    struct store_op op;
    struct slice initiator; /* borrowed until done */
    struct slice push_id;
    struct slice new_push_id;
    const struct slice *keys;
    size_t keys_n; /* 0: all that can be */
    int64_t now_ms;
    int64_t expires_ms;
    struct slice how; /* of the copy: who asked for it */
    size_t targets_n; /* out */
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
 * neither a message's name nor a number; associations of the gateway's own making are not in it. */
struct store_backup {
    struct store_op op;
    const char *path;
};

#endif
