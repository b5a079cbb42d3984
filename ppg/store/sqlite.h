/* What the files of the embedded engine share: one connection, its prepared statements, and what it keeps in memory
 * about the file.  Private to ppg/store/sqlite*.c, the only files that see SQLite's header.  Everything runs on the
 * store's thread. */
#ifndef PPG_STORE_SQLITE_H
#define PPG_STORE_SQLITE_H

#include "base/clk.h"
#include "base/map.h"
#include "ppg/store/engine.h"

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_backup;

#define SQ_LEASE_GROUP (-1) /* of an open group: no run's */
#define SQ_NO_OLD      (-2) /* of sq.old_target, sq.old_notice: no older run holds anything */

/* Every statement of the engine by name; the texts stand in sqlite_sql.c. */
enum sq_stmt {
    SQ_BEGIN,
    SQ_COMMIT,
    SQ_ROLLBACK,
    SQ_MARK,
    SQ_BACK,
    SQ_UNMARK,
    SQ_INITIATOR_GET,
    SQ_INITIATOR_ADD,
    SQ_INITIATOR_NAME,
    SQ_PUSH_ADD,
    SQ_TARGET_ADD,
    SQ_PUSH_FIND,
    SQ_PUSH_FIND_ANY,
    SQ_PUSH_TARGETS,
    SQ_FINISH,
    SQ_MOVE,
    SQ_ATTEMPT_ADD,
    SQ_ATTEMPT_CUT,
    SQ_CANCEL,
    SQ_GROUP_LESS,
    SQ_GROUP_OUTCOME,
    SQ_GROUP_END,
    SQ_NOTICE_ADD,
    SQ_NOTICE_MOVE,
    SQ_NOTICE_DEL,
    SQ_TOLD,
    SQ_NUMBER_GET,
    SQ_NUMBER_SET,
    SQ_SEQ_GET,
    SQ_SEQ_SET,
    SQ_SA_TIDY,
    SQ_SA_LESS,
    SQ_SA_ADD,
    SQ_SA_FIND,
    SQ_SA_CONFIRM,
    SQ_SA_DROP,
    SQ_SA_DROP_ALL,
    SQ_SA_LIST,
    SQ_TURN,
    SQ_OPEN_OF,
    SQ_CLAIM,
    SQ_CLAIM_AHEAD,
    SQ_LEASE,
    SQ_PUSH_GET,
    SQ_NOTICE_TURN,
    SQ_NOTICES_OF,
    SQ_NOTICE_CLAIM,
    SQ_NOTICE_LEASE,
    SQ_SHOW_PUSH,
    SQ_SHOW_PUSH_ANY,
    SQ_RECENT,
    SQ_SHOW_TARGETS,
    SQ_SHOW_ATTEMPTS,
    SQ_COUNT_LEASED,
    SQ_COUNT_PAGES,
    SQ_QUEUE_FIRST,
    SQ_QUEUE_HEAD,
    SQ_WAITING_CALL,
    SQ_WAITING_REST,
    SQ_REPLAY_PUSH,
    SQ_REPLAY_TARGET,
    SQ_PUT_OFF,
    SQ_WAKE,
    SQ_INBOX,
    SQ_ITEM,
    SQ_PURGE_NEXT,
    SQ_PURGE_BUSY,
    SQ_PURGE_LAST,
    SQ_PURGE_ATTEMPTS,
    SQ_PURGE_TARGETS,
    SQ_PURGE_PUSH,
    SQ_STMT_COUNT
};
extern const char *const sq_sql[SQ_STMT_COUNT];

/* What the engine knows about the file without asking; goes back with the transaction. */
struct sq_tally {
    int64_t next_id;  /* of the next push and target */
    uint64_t open;    /* targets that are not final; a group does not count beside its members */
    uint64_t notices; /* rows of the outbox */
    int64_t purge_at; /* the next purge looks at pushes above this id */
    int64_t turn;     /* the initiator that was served last by a claim */
    int64_t notice_turn;
};

struct sq {
    struct sqlite3 *db;
    struct sqlite3_stmt *stmts[SQ_STMT_COUNT];
    struct sq_tally tally;
    struct sq_tally at_begin;
    struct sq_tally at_mark;
    bool begun;            /* a batch is open, until commit or rollback */
    bool marked;           /* a savepoint stands */
    struct map initiators; /* name -> struct sq_initiator, owned */
    struct map counted;    /* number -> those of them whose open targets are known */
    int64_t epoch;         /* this run */
    int64_t old_target;    /* the one older epoch whose leases count as free, or SQ_NO_OLD */
    int64_t old_notice;    /* likewise in the outbox */
    int wal_fd;            /* the write-ahead log, for sync(); SQLite keeps the file while it is open */
    int wal_frames;        /* in the write-ahead log after the last commit */
    const struct clk *clk;
    struct log *log;
    struct sqlite3 *copy; /* a backup under way */
    struct sqlite3_backup *backup;
    char *copy_path; /* owned; removed when the backup fails */
    char identity[17];
    char secret[STORE_SECRET_N + 1];
    char trouble[128];
};

/* A statement being filled and read.  The first failure sticks; column reads follow a true sq_row(). */
struct sq_use {
    struct sq *q;
    struct sqlite3_stmt *st;
    int at; /* parameters bound so far */
    enum err err;
};
struct sq_use sq_use(struct sq *q, enum sq_stmt which);
void sq_i64(struct sq_use *u, int64_t v);
void sq_text(struct sq_use *u, struct slice s);         /* borrowed until sq_done() */
void sq_text_or_null(struct sq_use *u, struct slice s); /* NULL when empty */
void sq_i64_or_null(struct sq_use *u, int64_t v);       /* NULL when 0 */
void sq_blob(struct sq_use *u, struct slice s);
bool sq_row(struct sq_use *u);      /* steps; true while there is a row */
enum err sq_done(struct sq_use *u); /* resets; the first error of the use */
enum err sq_exec(struct sq_use *u); /* steps a statement without rows, resets */
enum err sq_run(struct sq *q, enum sq_stmt which);
uint64_t sq_changes(const struct sq *q); /* rows the last write changed */
int64_t sq_col(const struct sq_use *u, int column);
struct slice sq_col_bytes(const struct sq_use *u, int column); /* good until the next step or done */
/* Keeps the connection's words in q->trouble and turns the code into ERR_NOMEM or ERR_IO. */
enum err sq_fail(struct sq *q, struct sqlite3 *db, int rc);

/* sqlite_open.c */
enum err sq_open(const struct store_conf *conf, void **self, char why[256]) MUST_USE;
void sq_close(void *self);
/* Writes random hexadecimal digits, a multiple of 16, and a NUL.  ERR_IO. */
enum err sq_random_make(char *out, size_t digits_n) MUST_USE;
/* The folder that holds `path` is synced, so that a new name in it lasts. */
enum err sq_folder_sync(const char *path) MUST_USE;

/* sqlite_initiator.c */
enum err sq_initiator_no(struct sq *q, struct slice name,
                         int64_t *no) MUST_USE; /* given one when it is new */
enum err sq_initiator_find(struct sq *q, struct slice name,
                           int64_t *no) MUST_USE; /* ERR_ABSENT when it is new */
void sq_initiators_forget(struct sq *q);
/* Targets of this initiator that are not final; counted the first time it is asked, known from then on as long as
 * everybody who changes q->tally.open tells of whom. */
enum err sq_open_of(struct sq *q, struct slice name, int64_t no, uint64_t *n) MUST_USE;
void sq_open_change(struct sq *q, int64_t no, uint64_t tally_before);
void sq_open_change_of(struct sq *q, struct slice name, uint64_t tally_before); /* by its name */

/* sqlite_write.c: what several operations write.  A notice of this run, or of nobody when it is unleased. */
enum err sq_notice_add(struct sq *q, int64_t target_id, int64_t due_ms, bool leased) MUST_USE;
#define SQ_TEXT_MAX_N   255u /* octets of a text of struct store_record */
#define SQ_ATTEMPTS_MAX 64   /* kept and shown of each target, the last ones */

/* sqlite_group.c: n members of an open group have become final.  *ended when they were the last: then the group is
 * final too, and owes its notice, unleased, if `notify`. */
enum err sq_group_less(struct sq *q, int64_t group_id, int64_t n, int64_t event_ms, bool notify,
                       bool *ended) MUST_USE;
/* The group has no open member. */
enum err sq_group_end(struct sq *q, int64_t group_id, int64_t members_n, int64_t event_ms,
                      bool notify) MUST_USE;

/* sqlite_push.c: a push that is stored, as far as a cancel or a replay looks at it. */
struct sq_push {
    int64_t id;
    int64_t initiator_no;
    size_t targets_n;
    bool notify; /* it asked for notifications */
};
struct sq_target {
    struct slice address;
    struct slice key;
    int64_t id;
    int64_t group_id;
    size_t members_n; /* that follow it */
    enum ppg_stage stage;
    bool held; /* by this run */
};
/* initiator empty: any, the newest.  ERR_ABSENT. */
enum err sq_push_find(struct sq *q, struct slice initiator, struct slice push_id,
                      struct sq_push *out) MUST_USE;
/* All its targets in order, in `mem`; *n may be less than push->targets_n while it is being purged. */
enum err sq_push_targets(struct sq *q, const struct sq_push *push, struct arena *mem, struct sq_target **out,
                         size_t *n) MUST_USE;

/* sqlite_cancel.c: looks at the old push of a replacement without writing, then cancels what may be.  *c lives in
 * old->mem. */
struct sq_cancel;
enum err sq_replace_look(struct sq *q, struct store_insert *o, struct sq_cancel **c) MUST_USE;
enum err sq_cancel_write(struct sq_cancel *c) MUST_USE;
size_t sq_cancel_n(const struct sq_cancel *c); /* targets it makes final, groups aside */

/* sqlite_load.c: copies of columns in one arena; the first failure sticks. */
struct sq_load {
    const struct sq_use *u;
    struct arena *mem;
    enum err err;
};
struct slice sq_load_text(struct sq_load *l, int column);
/* The columns TARGET_COLUMNS of sqlite_sql.c, in the push's memory; it holds the push. */
enum err sq_load_target(const struct sq_use *u, struct ppg_push *p, struct ppg_target **out) MUST_USE;
/* `how` and the content of a row of SQ_PUSH_GET. */
enum err sq_load_body(const struct sq_use *u, struct ppg_push *p) MUST_USE;
/* The push of a statement's PUSH_COLUMNS; room for one target is set aside.  Which columns come next: */
enum err sq_load_push(const struct sq_use *u, struct ppg_push **out) MUST_USE;
enum {
    SQ_COL_INITIATOR = 1,
    SQ_COL_ACCEPTED = 3,
    SQ_COL_TARGETS_N = 19,
    SQ_COL_BODY_N = 20,
    SQ_COL_SHOW_HOW = 21,
    SQ_COL_BODY = 21,
    SQ_COL_HOW = 22
};
#define SQ_LOADED_MAX_N (SIZE_MAX / 4) /* our own rows; what was accepted was bounded then */

/* sqlite_turn.c: initiators take turns in a claim; see there. */
struct sq_turn {
    int64_t no;
    struct slice name;
    int64_t due_ms; /* earliest due time of what is free; 0 nothing */
    size_t room;
    bool had_room;
};
#define SQ_TURNS_FIRST_N 4096u /* octets of arena: some twenty initiators */
struct sq_turns {
    struct sq *q;
    enum sq_stmt step; /* SQ_TURN or SQ_NOTICE_TURN */
    int64_t old;       /* the older epoch that counts as free */
    int64_t now_ms;
    size_t max;
    int64_t *last; /* who was served last, for the next claim */
    /* Takes up to n of what is due of one initiator; *taken fewer: it has no more due, or the claim is *full. */
    enum err (*take)(void *arg, const struct sq_turn *t, size_t n, size_t *taken, bool *full);
    void *arg;
    struct arena *mem; /* turns live here */
    struct sq_turn *at;
    size_t n;
    size_t cap;
};
/* Fills t->at with who has free rows. */
enum err sq_turns_find(struct sq_turns *t, store_room_fn *room, void *room_arg) MUST_USE;
/* Deals; afterwards due_ms of each is that of what is left. */
enum err sq_turns_deal(struct sq_turns *t) MUST_USE;
/* Every (lease, initiator) of the index that `which` steps through, from *no on: the next one above it. */
enum err sq_turn_next(struct sq *q, enum sq_stmt which, int64_t lease, int64_t *no, int64_t *due_ms,
                      bool *found) MUST_USE;
enum err sq_initiator_name(struct sq *q, int64_t no, struct arena *mem, struct slice *out) MUST_USE;

/* One function per kind of operation, with the contract of store.h. */
enum err sq_insert(struct sq *q, struct store_insert *o) MUST_USE;
enum err sq_finish(struct sq *q, struct store_finish *o) MUST_USE;
enum err sq_move(struct sq *q, struct store_move *o) MUST_USE;
enum err sq_cancel(struct sq *q, struct store_cancel *o) MUST_USE;
enum err sq_numbers(struct sq *q, struct store_numbers *o) MUST_USE;
enum err sq_seq(struct sq *q, struct store_seq *o) MUST_USE;
enum err sq_sa_keep(struct sq *q, struct store_sa_keep *o) MUST_USE; /* sqlite_association.c */
enum err sq_sa_find(struct sq *q, struct store_sa_find *o) MUST_USE;
enum err sq_sa_confirm(struct sq *q, struct store_sa_confirm *o) MUST_USE;
enum err sq_sa_drop(struct sq *q, struct store_sa_drop *o) MUST_USE;
enum err sq_sa_list(struct sq *q, struct store_sa_list *o) MUST_USE;
enum err sq_notice_move(struct sq *q, struct store_notice_move *o) MUST_USE;
enum err sq_notice_done(struct sq *q, struct store_notice_done *o) MUST_USE;
enum err sq_purge(struct sq *q, struct store_purge *o) MUST_USE;
enum err sq_claim(struct sq *q, struct store_claim *o) MUST_USE;
enum err sq_notice_claim(struct sq *q, struct store_notice_claim *o) MUST_USE;
enum err sq_show(struct sq *q, struct store_show *o) MUST_USE;
enum err sq_count(struct sq *q, struct store_count *o) MUST_USE;
enum err sq_queue(struct sq *q, struct store_queue *o) MUST_USE;
enum err sq_waiting(struct sq *q, struct store_waiting *o) MUST_USE;
enum err sq_recent(struct sq *q, struct store_recent *o) MUST_USE;
/* Fills targets of *o, which is brief or not, in the push's memory. */
enum err sq_show_targets(struct sq *q, struct ppg_push *p, size_t targets_n, struct store_show *o) MUST_USE;
enum err sq_wake(struct sq *q, struct store_wake *o) MUST_USE;   /* sqlite_wake.c */
enum err sq_inbox(struct sq *q, struct store_inbox *o) MUST_USE; /* sqlite_inbox.c */
enum err sq_item(struct sq *q, struct store_item *o) MUST_USE;
bool sq_item_is(struct sq *q, int64_t id, struct slice key, enum err *e); /* of this terminal's inbox */
enum err sq_replay(struct sq *q, struct store_replay *o) MUST_USE;

/* sqlite_backup.c */
enum err sq_backup_start(void *self, const char *path) MUST_USE;
enum err sq_backup_step(void *self) MUST_USE;
void sq_backup_drop(struct sq *q); /* gives up what is under way */

#endif
