/* The serial on disk: it only grows, and what is there that is none stops everything. */
#include "ppg/serial.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/harness.h"

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    MUST(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void test_raise(void)
{
    static const struct {
        const char *there; /* NULL: no file */
        uint64_t was;      /* 77: nothing is written on failure */
        uint64_t serial;
        enum err want;
        const char *then;
    } rows[] = {
        {NULL, 0, 0, ERR_OK, NULL},
        {NULL, 0, 7, ERR_OK, "7\n"},
        {"", 0, 7, ERR_OK, "7\n"},
        {"7\n", 7, 7, ERR_OK, "7\n"},
        {"7", 7, 8, ERR_OK, "8\n"},
        {"9\n", 9, 8, ERR_OK, "9\n"},
        {"7\n", 7, 0, ERR_OK, "7\n"},
        {"9223372036854775807\n", INT64_MAX, 8, ERR_OK, "9223372036854775807\n"},
        {"x\n", 77, 8, ERR_MALFORMED, "x\n"},
        {"-1", 77, 8, ERR_MALFORMED, "-1"},
        {"7\n8\n", 77, 8, ERR_MALFORMED, "7\n8\n"},
        {"9223372036854775808", 77, 8, ERR_MALFORMED, "9223372036854775808"},
        {"7 and more than a number has", 77, 8, ERR_LIMIT, "7 and more than a number has"},
    };
    char path[600], why[PPG_FILE_WHY_N];
    uint64_t n;
    struct ppg_file_stamp mark;
    struct buf text;

    (void)snprintf(path, sizeof path, "%s/serial", test_scratch());
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        (void)unlink(path);
        if (rows[i].there)
            write_file(path, rows[i].there);
        n = 77;
        CU_ASSERT_EQUAL(ppg_serial_read(path, &n, why), rows[i].serial ? rows[i].want : ERR_OK);
        CU_ASSERT_EQUAL(n, rows[i].was);
        CU_ASSERT_EQUAL(ppg_serial_raise(path, rows[i].serial, why), rows[i].want);
        CU_ASSERT_EQUAL(access(path, F_OK) == 0, rows[i].then != NULL);
        if (!rows[i].then)
            continue;
        buf_init(&text, 100);
        CU_ASSERT_EQUAL(ppg_file_read(path, &text, &mark, why), ERR_OK);
        TEST_SLICE_EQ(buf_slice(&text), slice_str(rows[i].then));
        buf_clear(&text);
    }
    (void)snprintf(path, sizeof path, "%s/no-such-folder/serial", test_scratch());
    CU_ASSERT_EQUAL(ppg_serial_raise(path, 7, why), ERR_IO);
    CU_ASSERT(strstr(why, "cannot be made") != NULL);
}

const struct test_case test_cases[] = {
    {"raise", test_raise},
    {NULL, NULL},
};
