/* Opening a database of the embedded engine: made when it is not there, refused with a message that says what to do
 * when it is another program's, newer, damaged or in use; nothing is repaired.  schema.c explains tables, leases and
 * recovery.  Runs on the thread that opens the store. */
#include "ppg/store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"
#include "ppg/store/schema.h"

#define INITIATORS_MAX 65536u /* names kept in memory; more are looked up each time */
#define PATH_MAX_N     4096u  /* octets, with the NUL */

/* Before the first read of the file.  The lock is the database's own and ends with the process.  No memory map: a
 * disk error shall be an error code and not a signal.  Freed pages are used again, so under steady load the file
 * stops growing; they are wiped only where that costs no write.  The page cache is small on purpose: a transaction that
 * balances a tree moves a page by way of the number past all others, and the commit then looks through the whole cache
 * for what is to be cut off (pcache1.c); what is not in it the system has. */
static const char pragmas[] =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA auto_vacuum = NONE;"
    "PRAGMA mmap_size = 0;"
    "PRAGMA cache_size = -4096;" /* KiB */
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA secure_delete = FAST;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA journal_size_limit = 67108864;" /* octets of log kept after a big batch */
    "PRAGMA synchronous = FULL;";

/* What store_open() answers with and why; rc is SQLite's. */
static enum err refuse(struct sq *q, const char *path, int rc, char why[256])
{
    switch (rc & 0xFF) {
    case SQLITE_OK:
        return ERR_OK;
    case SQLITE_BUSY:
        (void)snprintf(why, 256, "%s is in use by another program; stop that one or name another file", path);
        return ERR_EXISTS;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_ERROR: /* our own statements do not fit the tables */
    case SQLITE_SCHEMA:
        (void)snprintf(why, 256, "%s is damaged (%s); move it away and bring back a backup", path,
                       sqlite3_errmsg(q->db));
        return ERR_MALFORMED;
    case SQLITE_NOMEM:
        (void)snprintf(why, 256, "%s: memory is out", path);
        return ERR_NOMEM;
    default:
        (void)snprintf(why, 256, "%s cannot be opened (%s); check the disk and the rights of file and folder",
                       path, q->db ? sqlite3_errmsg(q->db) : sqlite3_errstr(rc));
        return ERR_IO;
    }
}

enum err sq_random_make(char *out, size_t digits_n)
{
    uint64_t v;

    for (size_t i = 0; i < digits_n; i += 16) {
        if (getrandom(&v, sizeof v, 0) != (ssize_t)sizeof v)
            return ERR_IO;
        (void)snprintf(out + i, 17, "%016llx", (unsigned long long)v);
    }
    return ERR_OK;
}

enum err sq_folder_sync(const char *path)
{
    struct slice all = slice_str(path);
    char folder[PATH_MAX_N] = ".";
    bool synced;
    int fd;

    while (all.n > 0 && all.p[all.n - 1] != '/')
        all.n--;
    if (all.n && mem_cstr(folder, sizeof folder, all))
        return ERR_IO;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    synced = fsync(fd) == 0;
    (void)close(fd);
    return synced ? ERR_OK : ERR_IO;
}

/* SQLite would make the file readable for all. */
static enum err file_make(const char *path, char why[256])
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST)
        return ERR_OK;
    if (fd < 0 || close(fd) != 0 || sq_folder_sync(path)) {
        (void)snprintf(why, 256, "%s cannot be made; check the rights of its folder and the space left",
                       path);
        return ERR_IO;
    }
    return ERR_OK;
}

static int read_int(struct sq *q, const char *sql, int64_t *out)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(q->db, sql, -1, &st, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        *out = sqlite3_column_int64(st, 0);
        rc = SQLITE_OK;
    }
    (void)sqlite3_finalize(st);
    return rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
}

/* Whose file is it, and which version of the schema does it have? */
static enum err recognise(struct sq *q, const char *path, int64_t *version, char why[256])
{
    int64_t application = 0;
    int64_t tables = 0;
    int64_t v = 0;
    int rc = read_int(q, "PRAGMA application_id", &application);

    if (rc == SQLITE_OK)
        rc = read_int(q, "SELECT count(*) FROM sqlite_schema", &tables);
    if (rc == SQLITE_OK)
        rc = read_int(q, "PRAGMA user_version", &v);
    if (rc != SQLITE_OK)
        return refuse(q, path, rc, why);
    if (application != SCHEMA_APPLICATION_ID && (tables || application || v)) {
        (void)snprintf(why, 256, "%s is another program's database; name another file", path);
        return ERR_MALFORMED;
    }
    if (v < 0 || v > SCHEMA_VERSION) {
        (void)snprintf(why, 256, "%s has schema %lld and this program knows %d; start the newer program",
                       path, (long long)v, SCHEMA_VERSION);
        return ERR_UNSUPPORTED;
    }
    *version = v;
    return ERR_OK;
}

static int exec(struct sq *q, const char *sql)
{
    return sqlite3_exec(q->db, sql, NULL, NULL, NULL);
}

/* Brings the tables from `version` to ours; runs inside a transaction. */
static int migrate(struct sq *q, int64_t version)
{
    char sql[256];
    int rc = SQLITE_OK;

    if (version < SCHEMA_VERSION && sq_random_make(q->secret, STORE_SECRET_N))
        return SQLITE_IOERR;
    for (int64_t v = version; rc == SQLITE_OK && v < SCHEMA_VERSION; v++)
        rc = exec(q, schema_steps[v]);
    if (rc != SQLITE_OK || version == SCHEMA_VERSION)
        return rc;
    (void)snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                   SCHEMA_APPLICATION_ID, SCHEMA_VERSION);
    rc = exec(q, sql);
    if (rc == SQLITE_OK && version == 0) {
        (void)snprintf(sql, sizeof sql, "INSERT INTO meta(one, identity, epoch) VALUES(1, '%s', 0);",
                       q->identity);
        rc = exec(q, sql);
    }
    (void)snprintf(sql, sizeof sql, "UPDATE meta SET secret = '%s' WHERE secret = '';", q->secret);
    return rc == SQLITE_OK ? exec(q, sql) : rc;
}

/* Makes `table` hold leases of one older epoch at most: the oldest, or SQ_NO_OLD when there is none. */
static int fold_leases(struct sq *q, const char *table, const char *open, int64_t *old)
{
    char sql[256];
    int rc;

    (void)snprintf(sql, sizeof sql, "SELECT coalesce(min(lease), %d) FROM %s WHERE lease > 0%s", SQ_NO_OLD,
                   table, open);
    rc = read_int(q, sql, old);
    if (rc != SQLITE_OK || *old < 0)
        return rc;
    (void)snprintf(sql, sizeof sql, "UPDATE %s SET lease = %lld WHERE lease > %lld%s", table, (long long)*old,
                   (long long)*old, open);
    return exec(q, sql);
}

/* Starts a new run: its number is on disk before a row can be leased to it. */
static int epoch_start(struct sq *q)
{
    int rc = exec(q, "UPDATE meta SET epoch = epoch + 1");

    if (rc == SQLITE_OK)
        rc = read_int(q, "SELECT epoch FROM meta", &q->epoch);
    if (rc == SQLITE_OK)
        rc = fold_leases(q, "target", " AND stage < 2", &q->old_target);
    if (rc == SQLITE_OK)
        rc = fold_leases(q, "notice", "", &q->old_notice);
    return rc;
}

/* Reads the index of open targets whole, which is also when damage in it shows. */
static int tally_start(struct sq *q)
{
    int64_t open = 0;
    int64_t notices = 0;
    int rc = read_int(q,
                      "SELECT 1 + max(coalesce((SELECT max(id) FROM target), 0),"
                      " coalesce((SELECT max(id) FROM push), 0))",
                      &q->tally.next_id);

    if (rc == SQLITE_OK)
        rc = read_int(q, "SELECT count(*) FROM target WHERE stage < 2 AND lease >= 0", &open);
    if (rc == SQLITE_OK)
        rc = read_int(q, "SELECT count(*) FROM notice", &notices);
    q->tally.open = (uint64_t)open;
    q->tally.notices = (uint64_t)notices;
    return rc;
}

static int identity_read(struct sq *q)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(q->db, "SELECT identity, secret FROM meta", -1, &st, NULL);

    if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW && sqlite3_column_bytes(st, 0) == 16 &&
        sqlite3_column_bytes(st, 1) == STORE_SECRET_N) {
        (void)snprintf(q->identity, sizeof q->identity, "%s", (const char *)sqlite3_column_text(st, 0));
        (void)snprintf(q->secret, sizeof q->secret, "%s", (const char *)sqlite3_column_text(st, 1));
    } else {
        rc = rc ? rc : SQLITE_CORRUPT;
    }
    (void)sqlite3_finalize(st);
    return rc;
}

static int prepare(struct sq *q)
{
    int rc = SQLITE_OK;

    for (size_t i = 0; rc == SQLITE_OK && i < SQ_STMT_COUNT; i++)
        rc = sqlite3_prepare_v3(q->db, sq_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &q->stmts[i], NULL);
    return rc;
}

/* SQLite calls this after each commit and then leaves checkpoints to us. */
static int wal_grew(void *arg, sqlite3 *db, const char *name, int frames)
{
    (void)db;
    (void)name;
    ((struct sq *)arg)->wal_frames = frames;
    return SQLITE_OK;
}

/* The log of the file, which the transaction of the start has made. */
static enum err log_open(struct sq *q, const char *path, char why[256])
{
    char name[PATH_MAX_N];
    int n = snprintf(name, sizeof name, "%s-wal", path);

    q->wal_fd = n > 0 && (size_t)n < sizeof name ? open(name, O_RDWR | O_CLOEXEC) : -1;
    if (q->wal_fd >= 0)
        return ERR_OK;
    (void)snprintf(why, 256, "%.200s-wal cannot be opened", path);
    return ERR_IO;
}

/* All that opening writes is one transaction: a crash leaves the file as it was. */
static enum err start(struct sq *q, const char *path, char why[256])
{
    int64_t version = 0;
    int rc = exec(q, pragmas);
    enum err e = rc == SQLITE_OK ? recognise(q, path, &version, why) : refuse(q, path, rc, why);

    if (e)
        return e;
    (void)sqlite3_wal_hook(q->db, wal_grew, q);
    rc = exec(q, "BEGIN IMMEDIATE");
    if (rc == SQLITE_OK)
        rc = migrate(q, version);
    if (rc == SQLITE_OK)
        rc = epoch_start(q);
    if (rc == SQLITE_OK)
        rc = tally_start(q);
    if (rc == SQLITE_OK)
        rc = identity_read(q);
    if (rc == SQLITE_OK)
        rc = exec(q, "COMMIT");
    if (rc == SQLITE_OK)
        rc = exec(q, "PRAGMA synchronous = NORMAL"); /* from here on sync() does it, beside the next batch */
    if (rc == SQLITE_OK)
        rc = prepare(q);
    e = refuse(q, path, rc, why);
    return e ? e : log_open(q, path, why);
}

enum err sq_open(const struct store_conf *conf, void **self, char why[256])
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    struct sq *q = calloc(1, sizeof *q);
    enum err e = file_make(conf->path, why);
    int rc;

    if (q) {
        q->log = conf->log;
        q->wal_fd = -1;
        q->clk = conf->clk;
        map_init(&q->initiators, INITIATORS_MAX);
        map_init(&q->counted, INITIATORS_MAX);
    }
    if (q && !e)
        e = sq_random_make(q->identity, 16);
    if (!q || e) {
        free(q);
        return e ? e : ERR_NOMEM;
    }
    rc = sqlite3_open_v2(conf->path, &q->db, flags, NULL);
    e = rc == SQLITE_OK ? start(q, conf->path, why) : refuse(q, conf->path, rc, why);
    if (e) {
        sq_close(q);
        return e;
    }
    *self = q;
    return ERR_OK;
}

/* Closing copies the log into the database and removes it. */
void sq_close(void *self)
{
    struct sq *q = self;

    sq_backup_drop(q);
    for (size_t i = 0; i < SQ_STMT_COUNT; i++)
        (void)sqlite3_finalize(q->stmts[i]);
    (void)sqlite3_close(q->db);
    if (q->wal_fd >= 0)
        (void)close(q->wal_fd);
    sq_initiators_forget(q);
    free(q);
}
