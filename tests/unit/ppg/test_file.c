/* Files replaced whole: what stays, what is noticed, what is left behind. */
#include "ppg/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "tests/unit/harness.h"

static char path[300];

static void write_text(const char *name, const char *text)
{
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
    f = fopen(path, "we");
    CU_ASSERT_FATAL(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static enum err read_text(const char *from, size_t max_n, struct buf *text, struct ppg_file_stamp *mark)
{
    char why[PPG_FILE_WHY_N] = "";
    enum err e;

    buf_init(text, max_n);
    e = ppg_file_read(from, text, mark, why);
    CU_ASSERT(!e == !*why);
    return e;
}

/* Files of the scratch folder whose name begins so. */
static unsigned files(const char *begin)
{
    DIR *d = opendir(test_scratch());
    struct dirent *one;
    unsigned n = 0;

    CU_ASSERT_FATAL(d != NULL);
    while ((one = readdir(d)))
        n += slice_starts(slice_str(one->d_name), slice_str(begin));
    (void)closedir(d);
    return n;
}

static void test_replace(void)
{
    char why[PPG_FILE_WHY_N];
    struct ppg_file_stamp mark, again;
    struct buf text;

    write_text("r.conf", "old\n");
    CU_ASSERT_FATAL(chmod(path, 0640) == 0);
    CU_ASSERT(read_text(path, 100, &text, &mark) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&text), SLICE("old\n"));
    buf_clear(&text);
    CU_ASSERT(ppg_file_replace(path, SLICE("new\n"), &mark, why) == ERR_OK);
    CU_ASSERT(ppg_file_replace(path, SLICE("newer\n"), &mark, why) == ERR_OK); /* the mark went along */
    CU_ASSERT(read_text(path, 100, &text, &again) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&text), SLICE("newer\n"));
    CU_ASSERT((again.st.st_mode & 07777) == 0640 && again.st.st_ino == mark.st.st_ino);
    buf_clear(&text);
    CU_ASSERT(ppg_file_replace(path, SLICE(""), &mark, why) == ERR_OK);
    CU_ASSERT(read_text(path, 100, &text, &again) == ERR_OK && text.n == 0);
    buf_clear(&text);
    CU_ASSERT(files("r.conf") == 1);
}

static void test_changed_meanwhile(void)
{
    char why[PPG_FILE_WHY_N];
    struct ppg_file_stamp mark;
    struct buf text;

    write_text("c.conf", "old\n");
    CU_ASSERT(read_text(path, 100, &text, &mark) == ERR_OK);
    buf_clear(&text);
    write_text("c.conf", "another hand\n");
    CU_ASSERT(ppg_file_replace(path, SLICE("new\n"), &mark, why) == ERR_LATE);
    CU_ASSERT(slice_ends(slice_str(why), SLICE("was changed by somebody else meanwhile")));
    CU_ASSERT(read_text(path, 100, &text, &mark) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&text), SLICE("another hand\n"));
    buf_clear(&text);
    CU_ASSERT_FATAL(unlink(path) == 0);
    CU_ASSERT(ppg_file_replace(path, SLICE("new\n"), &mark, why) == ERR_IO);
    CU_ASSERT(files("c.conf") == 0);
}

static void test_symbolic_link_stays(void)
{
    char link_path[320], why[PPG_FILE_WHY_N];
    struct ppg_file_stamp mark;
    struct buf text;
    struct stat st;

    write_text("target.conf", "old\n");
    (void)snprintf(link_path, sizeof link_path, "%s/link.conf", test_scratch());
    CU_ASSERT_FATAL(symlink("target.conf", link_path) == 0);
    CU_ASSERT(read_text(link_path, 100, &text, &mark) == ERR_OK);
    buf_clear(&text);
    CU_ASSERT(ppg_file_replace(link_path, SLICE("new\n"), &mark, why) == ERR_OK);
    CU_ASSERT(lstat(link_path, &st) == 0 && S_ISLNK(st.st_mode));
    CU_ASSERT(read_text(path, 100, &text, &mark) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&text), SLICE("new\n"));
    buf_clear(&text);
}

static void test_unreadable(void)
{
    struct ppg_file_stamp mark;
    struct buf text;

    write_text("big.conf", "0123456789");
    CU_ASSERT(read_text(path, 9, &text, &mark) == ERR_LIMIT);
    buf_clear(&text);
    CU_ASSERT(read_text("/no/such/file", 9, &text, &mark) == ERR_IO);
    buf_clear(&text);
    CU_ASSERT(read_text(test_scratch(), 9, &text, &mark) == ERR_IO);
    buf_clear(&text);
    CU_ASSERT(ppg_file_sync_folder("/no/such/file") == ERR_IO);
    CU_ASSERT(ppg_file_sync_folder(path) == ERR_OK && ppg_file_sync_folder("beside") == ERR_OK);
}

const struct test_case test_cases[] = {
    {"replace", test_replace},
    {"changed_meanwhile", test_changed_meanwhile},
    {"symbolic_link_stays", test_symbolic_link_stays},
    {"unreadable", test_unreadable},
    {NULL, NULL},
};
