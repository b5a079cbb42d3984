/* An online copy of the database, a bounded number of pages at a time; what batches write meanwhile goes into the copy
 * as well, because they use the same connection.  The copy is made ready to be brought back much later: a new identity,
 * so that its messages are not taken for those that had the same ids since, and numbers that skip what may have been
 * reserved since.  Runs on the store's thread. */
#include "ppg/store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

#define STEP_PAGES 256        /* 1 MiB: a few milliseconds between two batches */
#define SKIP       "16777216" /* numbers of an association that a copy leaves out: 2^24 of 2^32 */
#define SEQ_SKIP                                                                                             \
    "16777216" /* of a subscriber: 2^24 of 2^43; a module follows a jump of 2^28 (TS 33.102 §C.3.2) */

void sq_backup_drop(struct sq *q)
{
    if (q->backup)
        (void)sqlite3_backup_finish(q->backup);
    if (q->copy)
        (void)sqlite3_close(q->copy);
    if (q->copy_path)
        (void)unlink(q->copy_path);
    free(q->copy_path);
    q->backup = NULL;
    q->copy = NULL;
    q->copy_path = NULL;
}

static enum err copy_open(struct sq *q)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(q->copy_path, &q->copy, flags, NULL);
    enum err e = sq_fail(q, q->copy, rc);

    if (e)
        return e;
    q->backup = sqlite3_backup_init(q->copy, "main", q->db, "main");
    return q->backup ? ERR_OK : sq_fail(q, q->copy, sqlite3_errcode(q->copy));
}

enum err sq_backup_start(void *self, const char *path)
{
    struct sq *q = self;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum err e;

    if (fd < 0)
        return errno == EEXIST ? ERR_EXISTS : ERR_IO;
    (void)close(fd);
    q->copy_path = mem_dup(slice_str(path));
    if (!q->copy_path) {
        (void)unlink(path);
        return ERR_NOMEM;
    }
    e = copy_open(q);
    if (e)
        sq_backup_drop(q);
    return e;
}

static enum err copy_finish(struct sq *q)
{
    char sql[512];
    char identity[17];
    enum err e = sq_random_make(identity, 16);
    int rc = sqlite3_backup_finish(q->backup);

    q->backup = NULL;
    if (e || rc != SQLITE_OK)
        return e ? e : sq_fail(q, q->copy, rc);
    (void)snprintf(
        sql, sizeof sql,
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; BEGIN;"
        "UPDATE meta SET identity = '%s';"
        "DELETE FROM association;"
        "UPDATE number SET next = min(next + " SKIP ", 4294967295);"
        "UPDATE seq SET next = min(next + " SEQ_SKIP ", 8796093022208); COMMIT;",
        identity);
    return sq_fail(q, q->copy, sqlite3_exec(q->copy, sql, NULL, NULL, NULL));
}

enum err sq_backup_step(void *self)
{
    struct sq *q = self;
    int rc = sqlite3_backup_step(q->backup, STEP_PAGES);
    enum err e = rc == SQLITE_DONE ? copy_finish(q) : sq_fail(q, q->copy, rc);

    if (rc == SQLITE_OK && !e)
        return ERR_AGAIN;
    if (!e)
        e = sq_folder_sync(q->copy_path);
    if (!e) { /* it stays */
        free(q->copy_path);
        q->copy_path = NULL;
    }
    sq_backup_drop(q);
    return e;
}
