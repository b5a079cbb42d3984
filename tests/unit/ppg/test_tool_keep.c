/* A file that is kept: whole, its owner's alone, and untouched when it cannot be replaced. */
#include "ppg/handset/keep.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ppg/tool/tool.h"
#include "tests/unit/harness.h"

static const char *in_scratch(const char *name)
{
    static char path[600];

    (void)snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
    return path;
}

static void holds(const char *path, struct slice want)
{
    struct stat st;
    struct buf text;

    buf_init(&text, 1u << 20);
    CU_ASSERT(tool_read(path, &text) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&text), want);
    CU_ASSERT(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    buf_clear(&text);
}

static void written_and_replaced(void)
{
    const char *path = in_scratch("kept");

    (void)unlink(path);
    CU_ASSERT(tool_keep(path, SLICE("one\n")) == ERR_OK);
    holds(path, SLICE("one\n"));
    CU_ASSERT(tool_keep(path, SLICE("")) == ERR_OK);
    holds(path, SLICE_NONE);
    CU_ASSERT(tool_keep(path, SLICE("another\0line\n")) == ERR_OK);
    holds(path, SLICE("another\0line\n"));
}

static void refused(void)
{
    char name[5000];

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CU_ASSERT(tool_keep(name, SLICE("x")) == ERR_LIMIT);
    CU_ASSERT(tool_keep(in_scratch("no/such/folder"), SLICE("x")) == ERR_IO);
    CU_ASSERT(tool_keep("/", SLICE("x")) == ERR_IO);
}

const struct test_case test_cases[] = {
    {"written_and_replaced", written_and_replaced},
    {"refused", refused},
    {NULL, NULL},
};
