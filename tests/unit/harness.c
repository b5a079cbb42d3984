/* The main() of every unit test program; see harness.h. */
#include "tests/unit/harness.h"

#include <CUnit/Basic.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t current_row;
static int row_used;
static char scratch[256];

void test_row(size_t row)
{
    current_row = row;
    row_used = 1;
}

const char *test_path(const char *below_tests)
{
    static char path[1024];
    const char *top = getenv("TEST_SOURCE_DIR");

    (void)snprintf(path, sizeof path, "%s/tests/%s", top ? top : ".", below_tests);
    return path;
}

char *test_read(const char *below_tests, size_t *n)
{
    FILE *f = fopen(test_path(below_tests), "rb");
    char *bytes = NULL;
    long size;

    if (!f || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0) {
        perror(test_path(below_tests));
        exit(2);
    }
    rewind(f);
    bytes = calloc(1, (size_t)size + 1);
    if (!bytes || fread(bytes, 1, (size_t)size, f) != (size_t)size) {
        perror(test_path(below_tests));
        exit(2);
    }
    (void)fclose(f);
    *n = (size_t)size;
    return bytes;
}

static void scratch_remove(void)
{
    char path[600];
    struct dirent *e;
    DIR *d = opendir(scratch);

    while (d && (e = readdir(d))) {
        (void)snprintf(path, sizeof path, "%s/%s", scratch, e->d_name);
        (void)unlink(path);
    }
    if (d)
        (void)closedir(d);
    (void)rmdir(scratch);
}

const char *test_scratch(void)
{
    if (!scratch[0]) {
        const char *tmp = getenv("TMPDIR");

        (void)snprintf(scratch, sizeof scratch, "%s/ppg-test-XXXXXX", tmp ? tmp : "/tmp");
        if (!mkdtemp(scratch)) {
            perror(scratch);
            exit(2);
        }
        (void)atexit(scratch_remove);
    }
    return scratch;
}

const char *test_in_scratch(const char *name)
{
    static char path[600];

    (void)snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
    return path;
}

void test_write_file(const char *name, const char *text, unsigned mode)
{
    const char *path = test_in_scratch(name);
    FILE *f = fopen(path, "we");

    if (!f || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path, (mode_t)mode) != 0) {
        perror(path);
        exit(2);
    }
}

int test_slice_eq_report(struct slice got, struct slice want, const char *file, int line)
{
    if (slice_eq(got, want))
        return 1;
    (void)fprintf(stderr, "%s:%d: got \"%.*s\" want \"%.*s\"\n", file, line, (int)got.n, got.p, (int)want.n,
                  want.p);
    return 0;
}

/* One file a program, written anew by each run, so that a deleted case cannot stay listed. */
static FILE *ran_open(void)
{
    char path[1024];
    const char *dir = getenv("TEST_RAN_DIR");
    const char *name = getenv("TEST_NAME");

    if (!dir || !name)
        return NULL;
    (void)snprintf(path, sizeof path, "%s/%s.ran", dir, name);
    return fopen(path, "w");
}

static unsigned failures_before;

static void case_start(const CU_pTest test, const CU_pSuite suite)
{
    (void)test;
    (void)suite;
    row_used = 0;
    failures_before = CU_get_number_of_failures();
}

static FILE *ran;

static void case_complete(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failure)
{
    (void)suite;
    (void)failure;
    if (CU_get_number_of_failures() == failures_before) {
        if (ran)
            (void)fprintf(ran, "%s:%s\n", getenv("TEST_NAME"), test->pName);
    } else if (row_used) {
        (void)fprintf(stderr, "case %s failed; last row %zu\n", test->pName, current_row);
    }
}

int main(void)
{
    CU_pSuite suite;
    unsigned failed;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    suite = CU_add_suite("cases", NULL, NULL);
    for (const struct test_case *t = test_cases; t->name; t++)
        if (!CU_add_test(suite, t->name, t->run))
            return 2;
    ran = ran_open();
    CU_set_test_start_handler(case_start);
    CU_set_test_complete_handler(case_complete);
    (void)CU_run_all_tests();
    CU_basic_show_failures(CU_get_failure_list());
    failed = CU_get_number_of_failures();
    (void)printf("\n%u assertions, %u failed\n", CU_get_number_of_asserts(), failed);
    if (ran)
        (void)fclose(ran);
    CU_cleanup_registry();
    return failed ? 1 : 0;
}
