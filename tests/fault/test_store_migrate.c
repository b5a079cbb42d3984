/* A file of version 1 whose migration is interrupted: by the end of the program at any moment, and by a disk that is full.  Whenever it
 * ends, the file is of one version or the other, whole, and the next opening goes on from there. */
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "ppg/store/schema.h"
#include "tests/unit/harness.h"
#include "tests/unit/ppg/store_fix.h"

#define TARGETS 4000

static const char v1_rows[] =
    "BEGIN; PRAGMA application_id = 0x50504753; PRAGMA user_version = 1;"
    "INSERT INTO meta VALUES(1, '0123456789abcdef', 3); INSERT INTO initiator VALUES(1, 'mms');"
    "INSERT INTO push VALUES(1, 1, 'old', 4000, 10, 0, 99999, 1, 1, 0, 0, 0, '', '', '', '', '', '', '', '', "
    "x'68');"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)"
    " INSERT INTO target(id, push_id, address, key, stage, code, tries, demanded, lease, due_ms, event_ms, "
    "notified)"
    " SELECT i, 1, 'tel:' || i, 'tel:' || i, 2 * (i % 4 = 0), 0, 1, 0, 3, 5, 0, i % 4 = 0 FROM n;"
    "INSERT INTO notice SELECT id, 3, 5, 1 FROM target WHERE stage = 2; COMMIT;";

static void exec(const char *path, const char *sql)
{
    sqlite3 *db = NULL;

    CU_ASSERT_FATAL(sqlite3_open(path, &db) == SQLITE_OK);
    CU_ASSERT(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    (void)sqlite3_close(db);
}

static int version_of(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    int v = -1;

    CU_ASSERT_FATAL(sqlite3_open(path, &db) == SQLITE_OK);
    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        v = sqlite3_column_int(st, 0);
    (void)sqlite3_finalize(st);
    (void)sqlite3_close(db);
    return v;
}

static void make_v1(struct fix *f)
{
    fix_init(f, test_scratch(), "v1.db", true);
    fix_remove_at(f->path);
    exec(f->path, schema_steps[0]);
    exec(f->path, v1_rows);
}

/* All its targets wait and all its notices are owed. */
static void is_whole(struct fix *f)
{
    struct store_notice_claim owed = {.now_ms = 5, .max = TARGETS};

    CU_ASSERT_FATAL(fix_open(f) == ERR_OK);
    CU_ASSERT(fix_claim(f, 5, TARGETS) == TARGETS / 4 * 3);
    CU_ASSERT(fix_run(f, &owed.op, STORE_NOTICE_CLAIM) == ERR_OK && fix_length(&owed.notices) == TARGETS / 4);
    fix_drop_notices(&owed.notices);
}

/* Opens in a child that a timer ends so many microseconds later, wherever it is. */
static void open_and_die(struct fix *f, long after_us)
{
    const struct itimerval timer = {.it_value = {0, after_us}};
    pid_t pid = fork();
    int status;

    CU_ASSERT_FATAL(pid >= 0);
    if (pid == 0) {
        (void)setitimer(ITIMER_REAL, &timer, NULL); /* SIGALRM, which nobody handles */
        (void)fix_open(f);
        for (;;)
            (void)pause();
    }
    CU_ASSERT(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
}

static void ended_anywhere(void)
{
    struct fix f;
    int old = 0;

    for (long i = 0; i < 40; i++) {
        int version;

        test_row((size_t)i);
        make_v1(&f);
        open_and_die(&f, 1 + i * i * 60); /* up to a tenth of a second */
        version = version_of(f.path);
        CU_ASSERT(version == 1 || version == SCHEMA_VERSION);
        old += version == 1;
        if (version == 1)
            exec(f.path,
                 "SELECT lease, due_ms FROM target INDEXED BY target_open WHERE stage < 2 AND lease = 3;"
                 "SELECT due_ms FROM notice INDEXED BY notice_open WHERE lease = 3;");
        is_whole(&f);
        fix_clear(&f);
    }
    CU_ASSERT(old > 0);
}

static void limit_file(rlim_t n)
{
    struct rlimit l;

    CU_ASSERT_FATAL(getrlimit(RLIMIT_FSIZE, &l) == 0);
    l.rlim_cur = n == RLIM_INFINITY ? l.rlim_max : n;
    CU_ASSERT_FATAL(setrlimit(RLIMIT_FSIZE, &l) == 0);
}

static void disk_full(void)
{
    size_t refused = 0;
    struct fix f;

    (void)signal(SIGXFSZ, SIG_IGN);
    for (rlim_t n = 4096; n < (1u << 20); n *= 2) {
        enum err e;

        test_row(n);
        make_v1(&f);
        limit_file(n);
        e = fix_open(&f);
        CU_ASSERT(e == ERR_OK || (e == ERR_IO && f.why[0]));
        refused += e != ERR_OK;
        store_close(&f.s);
        limit_file(RLIM_INFINITY);
        if (e)
            CU_ASSERT(version_of(f.path) == 1);
        is_whole(&f);
        fix_clear(&f);
    }
    CU_ASSERT(refused > 3);
}

const struct test_case test_cases[] = {
    {"ended_anywhere", ended_anywhere},
    {"disk_full", disk_full},
    {NULL, NULL},
};
