/* What the files of the embedded engine share: one connection, its prepared statements, and what it keeps in memory
 * about the file.  Private to ppg/store/sqlite*.c, the only files that see SQLite's header.  Everything runs on the
 * store's thread. */
#ifndef PPG_STORE_SQLITE_H
#define PPG_STORE_SQLITE_H

#include "base/map.h"
#include "ppg/store/engine.h"

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_backup;

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
    SQ_PUSH_ADD,
    SQ_TARGET_ADD,
    SQ_FINISH,
    SQ_MOVE,
    SQ_NOTICE_ADD,
    SQ_NOTICE_MOVE,
    SQ_NOTICE_DEL,
    SQ_TOLD,
    SQ_NUMBER_GET,
    SQ_NUMBER_SET,
    SQ_CLAIM,
    SQ_LEASE,
    SQ_NEXT_DUE,
    SQ_PUSH_GET,
    SQ_NOTICE_CLAIM,
    SQ_NOTICE_LEASE,
    SQ_NOTICE_NEXT_DUE,
    SQ_SHOW_PUSH,
    SQ_SHOW_PUSH_ANY,
    SQ_SHOW_TARGETS,
    SQ_COUNT_LEASED,
    SQ_COUNT_PAGES,
    SQ_PURGE_NEXT,
    SQ_PURGE_BUSY,
    SQ_PURGE_TARGETS,
    SQ_PURGE_PUSH,
    SQ_STMT_COUNT
};
extern const char *const sq_sql[SQ_STMT_COUNT];

/* What the engine knows about the file without asking; goes back with the transaction. */
struct sq_tally {
    int64_t next_id;  /* of the next push and target */
    uint64_t open;    /* targets that are not final */
    uint64_t notices; /* rows of the outbox */
    int64_t purge_at; /* the next purge looks at pushes above this id */
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
    int64_t epoch;         /* this run */
    int64_t old_target;    /* the one older epoch whose leases count as free; -1 none */
    int64_t old_notice;    /* likewise in the outbox */
    int wal_fd;            /* the write-ahead log, for sync(); SQLite keeps the file while it is open */
    int wal_frames;        /* in the write-ahead log after the last commit */
    struct log *log;
    struct sqlite3 *copy; /* a backup under way */
    struct sqlite3_backup *backup;
    char *copy_path; /* owned; removed when the backup fails */
    char identity[17];
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
/* Writes 16 random hexadecimal digits and a NUL. */
enum err sq_identity_make(char out[17]) MUST_USE;
/* The folder that holds `path` is synced, so that a new name in it lasts. */
enum err sq_folder_sync(const char *path) MUST_USE;

/* sqlite_write.c, sqlite_read.c: one function per kind of operation, with the contract of store.h */
enum err sq_insert(struct sq *q, struct store_insert *o) MUST_USE;
enum err sq_finish(struct sq *q, struct store_finish *o) MUST_USE;
enum err sq_move(struct sq *q, struct store_move *o) MUST_USE;
enum err sq_numbers(struct sq *q, struct store_numbers *o) MUST_USE;
enum err sq_notice_move(struct sq *q, struct store_notice_move *o) MUST_USE;
enum err sq_notice_done(struct sq *q, struct store_notice_done *o) MUST_USE;
enum err sq_purge(struct sq *q, struct store_purge *o) MUST_USE;
enum err sq_claim(struct sq *q, struct store_claim *o) MUST_USE;
enum err sq_notice_claim(struct sq *q, struct store_notice_claim *o) MUST_USE;
enum err sq_show(struct sq *q, struct store_show *o) MUST_USE;
enum err sq_count(struct sq *q, struct store_count *o) MUST_USE;
void sq_initiators_forget(struct sq *q);

/* sqlite_backup.c */
enum err sq_backup_start(void *self, const char *path) MUST_USE;
enum err sq_backup_step(void *self) MUST_USE;
void sq_backup_drop(struct sq *q); /* gives up what is under way */

#endif
