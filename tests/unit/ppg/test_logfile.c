/* Where the log goes: a file that is made and appended to, standard error, and what cannot be opened. */
#include "tests/unit/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ppg/logfile.h"

static void test_file(void)
{
    char path[600], text[8] = "";
    struct stat st;
    int fd = -1;

    (void)snprintf(path, sizeof path, "%s/log", test_scratch());
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_FATAL(ppg_logfile_open(path, &fd) == ERR_OK);
        CU_ASSERT(write(fd, "ab", 2) == 2 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
        (void)close(fd);
    }
    CU_ASSERT(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    fd = open(path, O_RDONLY);
    CU_ASSERT(read(fd, text, sizeof text - 1) == 4);
    CU_ASSERT_STRING_EQUAL(text, "abab");
    (void)close(fd);
}

static void test_standard_error(void)
{
    struct stat own, theirs;
    int fd = -1;

    CU_ASSERT_FATAL(ppg_logfile_open(NULL, &fd) == ERR_OK);
    CU_ASSERT(fd != STDERR_FILENO && fstat(fd, &own) == 0 && fstat(STDERR_FILENO, &theirs) == 0);
    CU_ASSERT(own.st_ino == theirs.st_ino && own.st_dev == theirs.st_dev);
    (void)close(fd);
}

static void test_bad(void)
{
    char path[600];
    int fd = -7;

    (void)snprintf(path, sizeof path, "%s/no/such", test_scratch());
    CU_ASSERT(ppg_logfile_open(path, &fd) == ERR_IO && errno == ENOENT && fd == -7);
    CU_ASSERT(ppg_logfile_open(test_scratch(), &fd) == ERR_IO && errno == EISDIR && fd == -7);
}

const struct test_case test_cases[] = {
    {"file", test_file}, {"standard_error", test_standard_error}, {"bad", test_bad}, {NULL, NULL}};
