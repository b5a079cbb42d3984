/* Which files are opened and which are refused; every bad file is made here. */
#include "ppg/store/schema.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include "tests/unit/harness.h"
#include "tests/unit/ppg/store_fix.h"

/* Makes a good store with some rows in it. */
static void make_store(struct fix *f)
{
    char name[16];

    fix_init(f, test_scratch(), "schema.db", true);
    fix_remove_at(f->path);
    CU_ASSERT_FATAL(fix_open(f) == ERR_OK);
    for (int i = 0; i < 50; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        CU_ASSERT(fix_insert(f, "mms", name, 20, 1, i % 2 != 0) > 0);
    }
    store_close(&f->s);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *why = NULL;

    CU_ASSERT_FATAL(sqlite3_open(path, &db) == SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        (void)fprintf(stderr, "%s: %s\n", sql, why);
    CU_ASSERT_PTR_NULL(why);
    sqlite3_free(why);
    (void)sqlite3_close(db);
}

static void overwrite(const char *path, long at, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "r+b");

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT(fseek(f, at, SEEK_SET) == 0 && fwrite(bytes, 1, n, f) == n);
    (void)fclose(f);
}

static long file_size(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

static void fresh_file(void)
{
    struct stat st;
    struct fix f;

    make_store(&f);
    CU_ASSERT(stat(f.path, &st) == 0 && (st.st_mode & 0777) == 0600);
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    CU_ASSERT(fix_claim(&f, 1, 2000) == 1000);
    fix_clear(&f);
}

/* Made once, and another for each database. */
static void secret_of_its_own(void)
{
    char before[STORE_SECRET_N + 1];
    struct fix f, g;

    make_store(&f);
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    (void)snprintf(before, sizeof before, "%s", store_secret(f.s));
    CU_ASSERT_EQUAL(strspn(before, "0123456789abcdef"), STORE_SECRET_N);
    store_close(&f.s);
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    CU_ASSERT_STRING_EQUAL(store_secret(f.s), before);
    fix_init(&g, test_scratch(), "other.db", true);
    fix_remove_at(g.path);
    CU_ASSERT_FATAL(fix_open(&g) == ERR_OK);
    CU_ASSERT_STRING_NOT_EQUAL(store_secret(g.s), before);
    fix_clear(&g);
    fix_clear(&f);
}

static void other_versions_and_programs(void)
{
    static const struct {
        const char *sql;
        enum err want;
        const char *says;
    } rows[] = {
        {"PRAGMA user_version = 6", ERR_OK, ""},
        {"PRAGMA user_version = 7", ERR_UNSUPPORTED, "newer program"},
        {"PRAGMA user_version = 1", ERR_MALFORMED, "damaged"}, /* it has the columns of 2 already, */
        {"PRAGMA user_version = 2", ERR_MALFORMED, "damaged"}, /* and of 3, */
        {"PRAGMA user_version = 3", ERR_MALFORMED, "damaged"}, /* and the tables of 4 */
        {"PRAGMA user_version = 4", ERR_MALFORMED, "damaged"}, /* and of 5, */
        {"PRAGMA user_version = 5", ERR_MALFORMED, "damaged"}, /* and the column of 6 */
        {"PRAGMA user_version = 2147483647", ERR_UNSUPPORTED, "newer program"},
        {"PRAGMA user_version = -1", ERR_UNSUPPORTED, "newer program"},
        {"PRAGMA application_id = 7", ERR_MALFORMED, "another program"},
        {"PRAGMA application_id = 0", ERR_MALFORMED, "another program"},
        {"PRAGMA user_version = 0", ERR_MALFORMED, "damaged"}, /* its tables are there already */
        {"DROP TABLE meta", ERR_MALFORMED, "damaged"},
        {"DELETE FROM meta", ERR_MALFORMED, "damaged"},
        {"UPDATE meta SET identity = 'short'", ERR_MALFORMED, "damaged"},
        {"UPDATE meta SET secret = ''", ERR_MALFORMED, "damaged"},
        {"DROP TABLE number", ERR_MALFORMED, "damaged"},
        {"DROP TABLE seq", ERR_MALFORMED, "damaged"},
        {"DROP TABLE association", ERR_MALFORMED, "damaged"},
        {"DROP TABLE attempt", ERR_MALFORMED, "damaged"},
        {"ALTER TABLE target DROP COLUMN open_n", ERR_MALFORMED, "damaged"},
        {"ALTER TABLE target DROP COLUMN note", ERR_MALFORMED, "damaged"},
        {"ALTER TABLE push RENAME COLUMN body TO content", ERR_MALFORMED, "damaged"},
        {"DROP INDEX push_name", ERR_MALFORMED, "damaged"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix f;
        long size;

        test_row(i);
        make_store(&f);
        run_sql(f.path, rows[i].sql);
        size = file_size(f.path);
        CU_ASSERT(fix_open(&f) == rows[i].want);
        CU_ASSERT_PTR_NOT_NULL(strstr(f.why, rows[i].says));
        CU_ASSERT((f.s != NULL) == (rows[i].want == ERR_OK));
        if (rows[i].want != ERR_OK)
            CU_ASSERT(file_size(f.path) == size);
        fix_clear(&f);
    }
}

static void foreign_database(void)
{
    struct fix f;

    fix_init(&f, test_scratch(), "schema.db", true);
    fix_remove_at(f.path);
    run_sql(f.path, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    CU_ASSERT(fix_open(&f) == ERR_MALFORMED);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.why, "another program"));
    run_sql(f.path, "SELECT a FROM t"); /* as it was */
    fix_clear(&f);
}

/* Octets in place of the file's; the pages hit are the ones every opening reads. */
static void damaged_files(void)
{
    static const struct {
        long at;
        const char *bytes;
        size_t n;
    } rows[] = {
        {0, "SQLite format 4", 15},
        {0, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16},
        {16, "\x01\x00", 2},
        {16, "\x10\x01", 2},
        {100, "\xFF\xFF\xFF\xFF", 4},
        {108, "\xFF\xFF\xFF\xFF", 4},
        {4096, "\xEE\xEE\xEE\xEE\xEE", 5},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix f;

        test_row(i);
        make_store(&f);
        overwrite(f.path, rows[i].at, rows[i].bytes, rows[i].n);
        CU_ASSERT(fix_open(&f) == ERR_MALFORMED);
        CU_ASSERT_PTR_NOT_NULL(strstr(f.why, "damaged"));
        CU_ASSERT_PTR_NOT_NULL(strstr(f.why, "backup"));
        fix_clear(&f);
    }
}

static void cut_files(void)
{
    static const struct {
        long keep;
        enum err want;
    } rows[] = {
        {0, ERR_OK}, /* an empty file is a new one */
        {2, ERR_MALFORMED},    {99, ERR_MALFORMED},   {511, ERR_MALFORMED},
        {4096, ERR_MALFORMED}, {4097, ERR_MALFORMED}, {20480, ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix f;

        test_row(i);
        make_store(&f);
        CU_ASSERT(truncate(f.path, rows[i].keep) == 0);
        CU_ASSERT(fix_open(&f) == rows[i].want);
        fix_clear(&f);
    }
}

/* Every page in turn filled with one octet: refused, or opened; never a crash, and claims either work or say so. */
static void each_page_spoilt(void)
{
    char page[4096];
    size_t refused = 0;
    struct fix f;
    long pages;

    memset(page, 0xA5, sizeof page);
    make_store(&f);
    pages = file_size(f.path) / (long)sizeof page;
    fix_clear(&f);
    for (long i = 0; i < pages; i++) {
        enum err e;

        make_store(&f);
        overwrite(f.path, i * (long)sizeof page, page, sizeof page);
        e = fix_open(&f);
        CU_ASSERT(e == ERR_OK || e == ERR_MALFORMED);
        refused += e != ERR_OK;
        if (!e)
            (void)fix_claim(&f, 1, 2000);
        fix_clear(&f);
    }
    CU_ASSERT(refused >= 8); /* at least the roots */
}

static void no_way_to_the_file(void)
{
    static const char *const names[] = {"no/such/folder/x.db", ".", ""};

    for (size_t i = 0; i < COUNT(names); i++) {
        struct fix f;

        test_row(i);
        fix_init(&f, test_scratch(), names[i], true);
        CU_ASSERT(fix_open(&f) == ERR_IO);
        CU_ASSERT(strlen(f.why) > 20);
        fix_clear(&f);
    }
}

static void unknown_engine(void)
{
    static const char *const names[] = {"postgres", "SQLite", "", NULL};

    for (size_t i = 0; i < COUNT(names); i++) {
        struct fix f;

        test_row(i);
        fix_init(&f, test_scratch(), "engine.db", true);
        f.conf.engine = names[i];
        CU_ASSERT(fix_open(&f) == ERR_UNSUPPORTED);
        CU_ASSERT_PTR_NOT_NULL(strstr(f.why, "no store engine"));
        fix_clear(&f);
    }
}

/* Hostile names travel as data. */
static void sql_in_names(void)
{
    static const char *const names[] = {"'); DROP TABLE push; --", "\"", "?1", "%s%n", "\x01\xFF\xFE", ""};
    struct fix f;

    make_store(&f);
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct store_show o = {.initiator = slice_str(names[i]), .push_id = slice_str(names[i])};

        test_row(i);
        CU_ASSERT(fix_insert(&f, names[i], names[i], 1, 1, false) > 0);
        CU_ASSERT(fix_insert(&f, names[i], names[i], 1, 1, false) == 0);
        CU_ASSERT_FATAL(fix_run(&f, &o.op, STORE_SHOW) == ERR_OK);
        TEST_SLICE_EQ(o.push->push_id, slice_str(names[i]));
        ppg_push_drop(o.push);
    }
    fix_clear(&f);
}

/* A file as version 1 left it: its run ended without closing, so targets are leased; one is done, one notice is owed. */
static const char v1_rows[] =
    "PRAGMA application_id = 0x50504753; PRAGMA user_version = 1;"
    "INSERT INTO meta VALUES(1, '0123456789abcdef', 3);"
    "INSERT INTO initiator VALUES(1, 'bank'), (2, 'mms');"
    "INSERT INTO push VALUES(1, 2, 'old', 3, 10, 0, 99999, 1, 1, 0, 0, 0, '', 'http://127.0.0.1/r', '', '', "
    "'', '',"
    " 'text/plain', '', x'6869');"
    "INSERT INTO push VALUES(4, 1, 'next', 1, 11, 0, 99999, 1, 1, 0, 0, 0, '', '', '', '', '', '', "
    "'text/plain',"
    " '', x'686f');"
    "INSERT INTO target(id, push_id, address, key, stage, code, tries, demanded, lease, due_ms, event_ms, "
    "notified)"
    " VALUES(1, 1, 'tel:1', 'tel:1', 2, 1000, 1, 0, 0, 10, 20, 1), (2, 1, 'tel:2', 'tel:2', 0, 0, 1, 0, 3, "
    "30, 0, 0),"
    " (3, 1, 'tel:3', 'tel:3', 0, 0, 0, 0, 0, 40, 0, 0), (4, 4, 'tel:1', 'tel:1', 0, 0, 0, 2, 2, 11, 0, 0);"
    "INSERT INTO notice VALUES(1, 3, 20, 4);"
    "INSERT INTO number VALUES(x'00000000000000000000000000000000', 77);";

static void make_v1(struct fix *f)
{
    fix_init(f, test_scratch(), "v1.db", true);
    fix_remove_at(f->path);
    run_sql(f->path, schema_steps[0]);
    run_sql(f->path, v1_rows);
}

/* Everything version 1 knew is there, and does what version 2 does. */
static void v1_is_there(struct fix *f)
{
    struct store_claim claim = {.now_ms = 100, .max = 10, .max_n = SIZE_MAX};
    struct store_notice_claim owed = {.now_ms = 100, .max = 10};
    struct store_numbers numbers = {.count = 1};
    struct store_show show = {.push_id = SLICE("old")};

    CU_ASSERT_STRING_EQUAL(store_name(f->s), "0123456789abcdef");
    CU_ASSERT_EQUAL(strlen(store_secret(f->s)), STORE_SECRET_N);
    CU_ASSERT(fix_run(f, &claim.op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT(fix_length(&claim.targets) == 3 && claim.shares_n == 2);
    TEST_SLICE_EQ(claim.shares[0].initiator, SLICE("bank"));
    TEST_SLICE_EQ(claim.shares[1].initiator, SLICE("mms"));
    fix_drop_claim(&claim);
    CU_ASSERT(fix_run(f, &owed.op, STORE_NOTICE_CLAIM) == ERR_OK);
    CU_ASSERT_FATAL(fix_length(&owed.notices) == 1);
    TEST_SLICE_EQ(container_of(owed.notices.next, struct ppg_notice, link)->initiator, SLICE("mms"));
    CU_ASSERT(container_of(owed.notices.next, struct ppg_notice, link)->tries == 4);
    fix_drop_notices(&owed.notices);
    CU_ASSERT(fix_run(f, &numbers.op, STORE_NUMBERS) == ERR_OK && numbers.from == 77);
    CU_ASSERT_FATAL(fix_run(f, &show.op, STORE_SHOW) == ERR_OK);
    CU_ASSERT(show.targets_n == 3 && show.body_n == 2 && show.push->how.n == 0);
    CU_ASSERT(show.targets[0].stage == ST_DELIVERED && show.targets[0].notified == 1 &&
              show.targets[1].leased);
    CU_ASSERT(show.targets[0].attempts_n == 0 && show.targets[0].rule.n == 0);
    ppg_push_drop(show.push);
    CU_ASSERT(fix_finish(f, 2, ST_DELIVERED, true) == ERR_OK);
    CU_ASSERT(fix_insert(f, "mms", "old", 1, 1, false) == 0);
    CU_ASSERT(fix_insert(f, "mms", "new", 1, 1, false) == 5);
}

static void version_1_is_migrated(void)
{
    struct fix f;

    make_v1(&f);
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    v1_is_there(&f);
    store_close(&f.s);
    CU_ASSERT(fix_open(&f) == ERR_OK); /* and is one of ours from then on */
    fix_clear(&f);
}

/* What version 1 would do with the file works: it is as it was. */
static void still_v1(const char *path)
{
    run_sql(path,
            "SELECT 1 / (user_version = 1) FROM pragma_user_version;"
            "SELECT lease, due_ms, stage FROM target INDEXED BY target_open WHERE stage < 2 AND lease = 3;"
            "CREATE TEMP TABLE same(x CHECK(x = 4)); INSERT INTO same SELECT count(*) FROM target;"
            "CREATE TEMP TABLE none(x CHECK(x = 0));"
            "INSERT INTO none SELECT count(*) FROM pragma_table_info('target') WHERE name = 'rule';"
            "CREATE TEMP TABLE v1(x CHECK(x = 1)); INSERT INTO v1 SELECT * FROM pragma_user_version;");
}

/* Something in the way of each step of the migration. */
static void migration_that_fails_changes_nothing(void)
{
    static const struct {
        const char *bad, *good;
    } rows[] = {
        {"CREATE TABLE attempt(x)", "DROP TABLE attempt"},
        {"DELETE FROM push WHERE id = 4", /* its target has no initiator any more */
         "INSERT INTO push VALUES(4, 1, 'next', 1, 11, 0, 99999, 1, 1, 0, 0, 0, '', '', '', '', '', '', "
         "'text/plain',"
         " '', x'686f')"},
        {"CREATE TRIGGER t BEFORE UPDATE ON meta BEGIN SELECT raise(ABORT, 'no'); END", "DROP TRIGGER t"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix f;

        test_row(i);
        make_v1(&f);
        run_sql(f.path, rows[i].bad);
        CU_ASSERT(fix_open(&f) != ERR_OK);
        CU_ASSERT_PTR_NULL(f.s);
        still_v1(f.path);
        run_sql(f.path, rows[i].good);
        CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
        v1_is_there(&f);
        fix_clear(&f);
    }
}

const struct test_case test_cases[] = {
    {"fresh_file", fresh_file},
    {"secret_of_its_own", secret_of_its_own},
    {"other_versions_and_programs", other_versions_and_programs},
    {"foreign_database", foreign_database},
    {"damaged_files", damaged_files},
    {"cut_files", cut_files},
    {"each_page_spoilt", each_page_spoilt},
    {"no_way_to_the_file", no_way_to_the_file},
    {"unknown_engine", unknown_engine},
    {"sql_in_names", sql_in_names},
    {"version_1_is_migrated", version_1_is_migrated},
    {"migration_that_fails_changes_nothing", migration_that_fails_changes_nothing},
    {NULL, NULL},
};
