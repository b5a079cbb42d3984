/* The embedded engine: SQLite 3 with a write-ahead log that is synced before anything in it is acknowledged.  Here are
 * transactions, the use of prepared statements, and the upkeep between batches; each kind of operation has a file named
 * for it, opening is in sqlite_open.c, the copy in sqlite_backup.c.  Runs on the store's thread. */
#include "ppg/store/sqlite.h"

#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

/* Pages of 4 KiB in the log at which a checkpoint copies them into the database.  The short log, 2 MiB, keeps the wait
 * that a checkpoint means for others at some 5 ms.  When many wait already the rate counts and not the single wait:
 * then 16 MiB, so that a page written again and again (push-ids in no order touch them all over the index) is copied
 * once. */
#define SHORT_LOG_FRAMES 512
#define LONG_LOG_FRAMES  4096
#define MANY_QUEUED_N    128

enum err sq_fail(struct sq *q, struct sqlite3 *db, int rc)
{
    if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
        return ERR_OK;
    (void)snprintf(q->trouble, sizeof q->trouble, "%s (%d)", db ? sqlite3_errmsg(db) : sqlite3_errstr(rc),
                   rc);
    return (rc & 0xFF) == SQLITE_NOMEM ? ERR_NOMEM : ERR_IO;
}

struct sq_use sq_use(struct sq *q, enum sq_stmt which)
{
    return (struct sq_use){.q = q, .st = q->stmts[which]};
}

static void note(struct sq_use *u, int rc)
{
    if (!u->err)
        u->err = sq_fail(u->q, u->q->db, rc);
}

void sq_i64(struct sq_use *u, int64_t v)
{
    note(u, sqlite3_bind_int64(u->st, ++u->at, v));
}

void sq_text(struct sq_use *u, struct slice s)
{
    note(u, sqlite3_bind_text64(u->st, ++u->at, s.n ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8));
}

void sq_text_or_null(struct sq_use *u, struct slice s)
{
    if (s.n)
        sq_text(u, s);
    else
        note(u, sqlite3_bind_null(u->st, ++u->at));
}

void sq_i64_or_null(struct sq_use *u, int64_t v)
{
    if (v)
        sq_i64(u, v);
    else
        note(u, sqlite3_bind_null(u->st, ++u->at));
}

void sq_blob(struct sq_use *u, struct slice s)
{
    note(u, sqlite3_bind_blob64(u->st, ++u->at, s.n ? s.p : "", s.n, SQLITE_STATIC));
}

bool sq_row(struct sq_use *u)
{
    int rc;

    if (u->err)
        return false;
    rc = sqlite3_step(u->st);
    note(u, rc);
    return rc == SQLITE_ROW;
}

enum err sq_done(struct sq_use *u)
{
    (void)sqlite3_reset(u->st); /* repeats the error that step gave */
    return u->err;
}

enum err sq_exec(struct sq_use *u)
{
    (void)sq_row(u);
    return sq_done(u);
}

enum err sq_run(struct sq *q, enum sq_stmt which)
{
    struct sq_use u = sq_use(q, which);

    return sq_exec(&u);
}

uint64_t sq_changes(const struct sq *q)
{
    return (uint64_t)sqlite3_changes64(q->db);
}

int64_t sq_col(const struct sq_use *u, int column)
{
    return sqlite3_column_int64(u->st, column);
}

struct slice sq_col_bytes(const struct sq_use *u, int column)
{
    const void *p = sqlite3_column_blob(u->st, column);

    return p ? slice_of(p, (size_t)sqlite3_column_bytes(u->st, column)) : SLICE_NONE;
}

static enum err begin(void *self)
{
    struct sq *q = self;

    enum err e = sq_run(q, SQ_BEGIN);

    q->at_begin = q->tally;
    q->marked = false;
    q->begun = !e;
    return e;
}

static enum err mark(void *self)
{
    struct sq *q = self;
    enum err e = q->marked ? sq_run(q, SQ_UNMARK) : ERR_OK;

    q->marked = false;
    if (!e)
        e = sq_run(q, SQ_MARK);
    if (e)
        return e;
    q->marked = true;
    q->at_mark = q->tally;
    return ERR_OK;
}

static enum err back(void *self)
{
    struct sq *q = self;

    if (sqlite3_get_autocommit(q->db))
        return ERR_IO; /* SQLite gave up the whole transaction */
    q->tally = q->at_mark;
    sq_initiators_forget(q);
    return sq_run(q, SQ_BACK);
}

static void rollback(void *self)
{
    struct sq *q = self;

    if (!q->begun)
        return;
    q->begun = false;
    if (!sqlite3_get_autocommit(q->db))
        (void)sq_run(q, SQ_ROLLBACK);
    q->tally = q->at_begin;
    sq_initiators_forget(q);
}

/* A commit that fails leaves the transaction open, or SQLite has ended it already: both are for rollback(). */
static enum err commit(void *self)
{
    struct sq *q = self;
    enum err e = sqlite3_get_autocommit(q->db) ? ERR_IO : sq_run(q, SQ_COMMIT);

    if (!e)
        q->begun = false;
    return e;
}

/* SQLite writes the log in order and a reader takes it up to the first page that does not fit the checksums, so that one
 * sync covers every commit before it.  A checkpoint that began the log anew has synced what it copied. */
static enum err sync_log(void *self)
{
    const struct sq *q = self;

    return fdatasync(q->wal_fd) ? ERR_IO : ERR_OK;
}

static enum err run(void *self, struct store_op *op)
{
    switch (op->kind) {
    case STORE_INSERT:
        return sq_insert(self, container_of(op, struct store_insert, op));
    case STORE_FINISH:
        return sq_finish(self, container_of(op, struct store_finish, op));
    case STORE_MOVE:
        return sq_move(self, container_of(op, struct store_move, op));
    case STORE_CLAIM:
        return sq_claim(self, container_of(op, struct store_claim, op));
    case STORE_CANCEL:
        return sq_cancel(self, container_of(op, struct store_cancel, op));
    case STORE_NUMBERS:
        return sq_numbers(self, container_of(op, struct store_numbers, op));
    case STORE_SEQ:
        return sq_seq(self, container_of(op, struct store_seq, op));
    case STORE_SA_KEEP:
        return sq_sa_keep(self, container_of(op, struct store_sa_keep, op));
    case STORE_SA_FIND:
        return sq_sa_find(self, container_of(op, struct store_sa_find, op));
    case STORE_SA_CONFIRM:
        return sq_sa_confirm(self, container_of(op, struct store_sa_confirm, op));
    case STORE_SA_DROP:
        return sq_sa_drop(self, container_of(op, struct store_sa_drop, op));
    case STORE_SA_LIST:
        return sq_sa_list(self, container_of(op, struct store_sa_list, op));
    case STORE_NOTICE_CLAIM:
        return sq_notice_claim(self, container_of(op, struct store_notice_claim, op));
    case STORE_NOTICE_MOVE:
        return sq_notice_move(self, container_of(op, struct store_notice_move, op));
    case STORE_NOTICE_DONE:
        return sq_notice_done(self, container_of(op, struct store_notice_done, op));
    case STORE_SHOW:
        return sq_show(self, container_of(op, struct store_show, op));
    case STORE_COUNT:
        return sq_count(self, container_of(op, struct store_count, op));
    case STORE_PURGE:
        return sq_purge(self, container_of(op, struct store_purge, op));
    case STORE_RECENT:
        return sq_recent(self, container_of(op, struct store_recent, op));
    case STORE_QUEUE:
        return sq_queue(self, container_of(op, struct store_queue, op));
    case STORE_WAITING:
        return sq_waiting(self, container_of(op, struct store_waiting, op));
    case STORE_REPLAY:
        return sq_replay(self, container_of(op, struct store_replay, op));
    case STORE_WAKE:
        return sq_wake(self, container_of(op, struct store_wake, op));
    case STORE_INBOX:
        return sq_inbox(self, container_of(op, struct store_inbox, op));
    case STORE_ITEM:
        return sq_item(self, container_of(op, struct store_item, op));
    case STORE_BACKUP:
    case STORE_KIND_COUNT:
        break;
    }
    return ERR_UNSUPPORTED;
}

/* Nobody else reads this file, so the checkpoint always reaches the end of the log and the next commit writes it
 * from the start: the log stays near LONG_LOG_FRAMES or the biggest batch.  A failure loses nothing, the log is
 * kept and the next batch tries again. */
static void tend(void *self, size_t queued_n)
{
    struct sq *q = self;
    int rc;

    if (q->wal_frames < (queued_n < MANY_QUEUED_N ? SHORT_LOG_FRAMES : LONG_LOG_FRAMES))
        return;
    rc = sqlite3_wal_checkpoint_v2(q->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (sq_fail(q, q->db, rc))
        LOG(q->log, LOG_ERROR, "store.checkpoint", LOG_C("why", q->trouble));
    else
        q->wal_frames = 0;
}

static const char *identity(const void *self)
{
    return ((const struct sq *)self)->identity;
}

static const char *secret(const void *self)
{
    return ((const struct sq *)self)->secret;
}

static const char *trouble(const void *self)
{
    return ((const struct sq *)self)->trouble;
}

const struct store_engine store_engine_sqlite = {
    .name = "sqlite",
    .open = sq_open,
    .close = sq_close,
    .identity = identity,
    .secret = secret,
    .begin = begin,
    .run = run,
    .mark = mark,
    .back = back,
    .commit = commit,
    .sync = sync_log,
    .rollback = rollback,
    .tend = tend,
    .backup_start = sq_backup_start,
    .backup_step = sq_backup_step,
    .trouble = trouble,
};
