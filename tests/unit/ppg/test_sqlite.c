/* The embedded engine where it differs from any other: the size of its log, and that no hot statement reads a table
 * from end to end.  The contract is test_store.c's. */
#include "ppg/store/sqlite.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include "tests/unit/harness.h"
#include "tests/unit/ppg/store_fix.h"

static long log_size(const struct fix *f)
{
    char path[1024];
    struct stat st;

    (void)snprintf(path, sizeof path, "%s-wal", f->path);
    return stat(path, &st) == 0 ? (long)st.st_size : 0;
}

/* 24 MiB go through a log that is emptied at 2 MiB. */
static void log_is_bounded(void)
{
    const size_t n = 1u << 18;
    char *body = calloc(1, n);
    char name[16];
    struct fix f;

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    fix_init(&f, test_scratch(), "log.db", true);
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    for (int i = 0; i < 96; i++) {
        struct store_insert o = {.push = NULL};

        (void)snprintf(name, sizeof name, "%d", i);
        o.push = fix_push("mms", name, 1, 1);
        o.push->body = slice_of(body, n);
        CU_ASSERT(fix_run(&f, &o.op, STORE_INSERT) == ERR_OK);
        ppg_push_drop(o.push);
        CU_ASSERT(log_size(&f) < (3 << 20));
    }
    fix_clear(&f);
    CU_ASSERT(log_size(&f) == 0);
    free(body);
}

static int number_of(const struct fix *f, const char *sql)
{
    sqlite3_stmt *st = NULL;
    sqlite3 *db = NULL;
    int n = -1;

    CU_ASSERT_FATAL(sqlite3_open(f->path, &db) == SQLITE_OK);
    CU_ASSERT_FATAL(sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK);
    if (sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int(st, 0);
    (void)sqlite3_finalize(st);
    (void)sqlite3_close(db);
    return n;
}

/* Of a target that is tried for ever the last attempts are kept; of one that is delivered at once there is no row. */
static void history_is_bounded(void)
{
    struct store_move move = {.due_ms = 1};
    struct store_finish fin = {.stage = ST_DELIVERED, .tries = 1, .event_ms = 9, .record = {.began_ms = 8}};
    struct fix f;

    fix_init(&f, test_scratch(), "history.db", true);
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    move.target_id = fix_insert(&f, "mms", "a", 1, 1, true);
    fin.target_id = fix_insert(&f, "mms", "b", 1, 1, true);
    CU_ASSERT(fix_run(&f, &fin.op, STORE_FINISH) == ERR_OK);
    for (uint16_t no = 1; no <= 300; no++) {
        move.tries = no;
        move.record.began_ms = no;
        CU_ASSERT(fix_run(&f, &move.op, STORE_MOVE) == ERR_OK);
    }
    fix_clear(&f);
    CU_ASSERT(number_of(&f, "SELECT count(*) FROM attempt") == SQ_ATTEMPTS_MAX);
    CU_ASSERT(number_of(&f, "SELECT min(no) FROM attempt") == 300 - SQ_ATTEMPTS_MAX + 1);
}

/* The plan of a statement as text. */
static void plan(sqlite3 *db, enum sq_stmt which, char *out, size_t n)
{
    sqlite3_stmt *st = NULL;
    char sql[2048];
    size_t at = 0;

    (void)snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", sq_sql[which]);
    CU_ASSERT_FATAL(sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK);
    out[0] = 0;
    while (sqlite3_step(st) == SQLITE_ROW && at < n)
        at += (size_t)snprintf(out + at, n - at, "%s\n", (const char *)sqlite3_column_text(st, 3));
    (void)sqlite3_finalize(st);
}

/* As the index has it: nothing may be sorted, for there may be a million of them.  (A claim sorts what it takes.) */
static bool in_order(enum sq_stmt which)
{
    return which == SQ_TURN || which == SQ_QUEUE_FIRST || which == SQ_NOTICE_TURN;
}

static void statements_use_indexes(void)
{
    static const struct {
        enum sq_stmt which;
        const char *has;
    } rows[] = {
        {SQ_FINISH, "SEARCH target USING INTEGER PRIMARY KEY"},
        {SQ_MOVE, "SEARCH target USING INTEGER PRIMARY KEY"},
        {SQ_CLAIM,
         "LEFT\nSEARCH target USING COVERING INDEX target_open (lease=? AND initiator_no=? AND due_ms<?)\n"
         "RIGHT\nSEARCH target USING COVERING INDEX target_open (lease=? AND initiator_no=? AND due_ms<?)\n"
         "SCAN f\n"},
        {SQ_TURN, "SEARCH target USING COVERING INDEX target_open (lease=? AND initiator_no>?)\n"},
        {SQ_OPEN_OF, "SEARCH target USING COVERING INDEX target_open (lease=? AND initiator_no=?)\n"},
        {SQ_QUEUE_FIRST, "SEARCH target USING COVERING INDEX target_open (lease=? AND initiator_no=?)\n"},
        {SQ_COUNT_LEASED, "USING COVERING INDEX target_open (lease=?)"},
        {SQ_PUSH_GET, "SEARCH p USING INTEGER PRIMARY KEY"},
        {SQ_NOTICE_CLAIM,
         "LEFT\nSEARCH notice USING INDEX notice_open (lease=? AND initiator_no=? AND due_ms<?)\n"
         "RIGHT\nSEARCH notice USING INDEX notice_open (lease=? AND initiator_no=? AND due_ms<?)\n"
         "SCAN f\n"},
        {SQ_NOTICE_TURN, "SEARCH notice USING COVERING INDEX notice_open (lease=? AND initiator_no>?)\n"},
        {SQ_NOTICES_OF, "SEARCH notice USING COVERING INDEX notice_open (lease=? AND initiator_no=?)\n"},
        {SQ_PUSH_FIND, "USING INDEX push_name (initiator_no=? AND push_id=?)"},
        {SQ_PUSH_FIND_ANY, "USING INDEX push_name (initiator_no=? AND push_id=?)"},
        {SQ_PUSH_TARGETS, "SEARCH target USING INTEGER PRIMARY KEY"},
        {SQ_GROUP_LESS, "SEARCH target USING INTEGER PRIMARY KEY"},
        {SQ_GROUP_OUTCOME, "SEARCH target USING INTEGER PRIMARY KEY"},
        {SQ_CANCEL, "SEARCH target USING INTEGER PRIMARY KEY"},
        {SQ_REPLAY_PUSH, "SEARCH push USING INTEGER PRIMARY KEY"},
        {SQ_SHOW_PUSH, "USING INDEX push_name (initiator_no=? AND push_id=?)"},
        {SQ_SHOW_PUSH_ANY, "USING INDEX push_name (initiator_no=? AND push_id=?)"},
        {SQ_SHOW_TARGETS, "SEARCH t USING INTEGER PRIMARY KEY"},
        {SQ_SHOW_ATTEMPTS, "SEARCH attempt USING PRIMARY KEY (target_id>? AND target_id<?)"},
        {SQ_PURGE_NEXT, "SEARCH push USING INTEGER PRIMARY KEY"},
        {SQ_PURGE_BUSY, "SEARCH target USING INTEGER PRIMARY KEY"},
    };
    char text[2048];
    struct fix f;
    sqlite3 *db = NULL;

    fix_init(&f, test_scratch(), "plan.db", true);
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    fix_clear(&f);
    CU_ASSERT_FATAL(sqlite3_open(f.path, &db) == SQLITE_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        plan(db, rows[i].which, text, sizeof text);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, rows[i].has));
        CU_ASSERT(!strstr(text, "SCAN target") && !strstr(text, "SCAN push") && !strstr(text, "SCAN p\n"));
        CU_ASSERT(!in_order(rows[i].which) || !strstr(text, "TEMP B-TREE"));
    }
    (void)sqlite3_close(db);
}

const struct test_case test_cases[] = {
    {"log_is_bounded", log_is_bounded},
    {"history_is_bounded", history_is_bounded},
    {"statements_use_indexes", statements_use_indexes},
    {NULL, NULL},
};
