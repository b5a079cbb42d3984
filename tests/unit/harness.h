/* What every unit test file stands on: a file defines test_cases[], harness.c has the main() that runs them
 * under CUnit and appends "NAME:CASE" of each case that passed to $TEST_RAN_DIR/NAME.ran, where NAME is the
 * ctest name (unit.pap.time).  The conformance lint reads those lists. */
#ifndef TESTS_UNIT_HARNESS_H
#define TESTS_UNIT_HARNESS_H

#include <CUnit/CUnit.h>
#include <stddef.h>
#include "base/slice.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct test_case {
    const char *name;
    void (*run)(void);
};

/* Defined by each test file; ends with a row of NULLs. */
extern const struct test_case test_cases[];

/* Names the table row under test; printed when an assertion of the case fails. */
void test_row(size_t row);

/* Absolute path of a file below the source tree's tests/ folder; static storage, overwritten by each call. */
const char *test_path(const char *below_tests);

/* A whole file below tests/ as bytes, NUL added; ends the program when it cannot be read.  Free with free(). */
char *test_read(const char *below_tests, size_t *n);

/* A fresh scratch folder, removed with its files when the program ends; static storage. */
const char *test_scratch(void);
/* A path in it; static storage until the next call. */
const char *test_in_scratch(const char *name);
/* Writes a file in it, of this mode; ends the program when it cannot. */
void test_write_file(const char *name, const char *text, unsigned mode);

#define TEST_SLICE_EQ(got, want) CU_ASSERT_TRUE(test_slice_eq_report((got), (want), __FILE__, __LINE__))
/* True when equal; prints both otherwise. */
int test_slice_eq_report(struct slice got, struct slice want, const char *file, int line);

#endif
