/* Reading to the end, under a ceiling, from what gives a little at a time. */
#include "tests/unit/harness.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

static const struct {
    size_t n, max_n, room_n;
    enum err want;
} rows[] = {
    {0, 10, 0, ERR_OK},           {0, 0, 0, ERR_OK},           {1, 0, 0, ERR_LIMIT},
    {10, 10, 0, ERR_OK}, /* the ceiling is the end */
    {11, 10, 0, ERR_LIMIT},       {10, 10, 10, ERR_OK},        {10, 100, 3, ERR_OK},
    {16384, 1 << 20, 0, ERR_OK},  {50000, 1 << 20, 0, ERR_OK}, {50000, 1 << 20, 50000, ERR_OK},
    {50000, 49999, 0, ERR_LIMIT},
};

static void test_files(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = malloc(rows[i].n + 1);
        struct buf got;
        const char *first;
        int fd;

        test_row(i);
        MUST(text != NULL);
        for (size_t k = 0; k < rows[i].n; k++)
            text[k] = (char)('a' + k % 23);
        text[rows[i].n] = '\0';
        test_write_file("text", text, 0600);
        fd = open(test_in_scratch("text"), O_RDONLY | O_CLOEXEC);
        CU_ASSERT_FATAL(fd >= 0);
        buf_init(&got, rows[i].max_n);
        first = rows[i].room_n ? buf_room(&got, rows[i].room_n) : NULL;
        CU_ASSERT_EQUAL(fd_read(fd, &got), rows[i].want);
        CU_ASSERT(rows[i].want ? got.n == rows[i].max_n : got.n == rows[i].n);
        CU_ASSERT(slice_eq(buf_slice(&got), slice_of(text, got.n)));
        if (rows[i].room_n >= rows[i].n)
            CU_ASSERT(!first || got.p == first); /* it has not moved: no copy is left behind */
        buf_clear(&got);
        (void)close(fd);
        free(text);
    }
}

/* Appends to what is there; a pipe ends when its writer does. */
static void test_pipe(void)
{
    struct buf got;
    int ends[2];

    CU_ASSERT_FATAL(pipe(ends) == 0);
    CU_ASSERT_EQUAL_FATAL(fd_write(ends[1], SLICE("two")), ERR_OK);
    (void)close(ends[1]);
    buf_init(&got, 6);
    buf_add_str(&got, "one");
    CU_ASSERT_EQUAL(fd_read(ends[0], &got), ERR_OK);
    TEST_SLICE_EQ(buf_slice(&got), SLICE("onetwo"));
    buf_clear(&got);
    (void)close(ends[0]);
}

/* What is no file, and a buffer that has failed before. */
static void test_failures(void)
{
    struct buf got;
    int fd = open("/", O_RDONLY | O_CLOEXEC);

    CU_ASSERT_FATAL(fd >= 0);
    buf_init(&got, 10);
    CU_ASSERT_EQUAL(fd_read(fd, &got), ERR_IO);
    CU_ASSERT_EQUAL(fd_read(-1, &got), ERR_IO);
    CU_ASSERT(fd_write(-1, SLICE("x")) == ERR_IO && fd_write(-1, SLICE("")) == ERR_OK);
    buf_add_str(&got, "more than ten octets");
    CU_ASSERT_EQUAL(fd_read(fd, &got), ERR_LIMIT);
    buf_clear(&got);
    (void)close(fd);
}

const struct test_case test_cases[] = {
    {"files", test_files},
    {"pipe", test_pipe},
    {"failures", test_failures},
    {NULL, NULL},
};
