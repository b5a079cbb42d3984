/* The audit log: a chain that holds, and every way of touching a line. */
#include "ppg/admin/audit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/unit/harness.h"

#define LINES 6u

static const char *path_of(const char *name)
{
    static char path[300];

    (void)snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
    return path;
}

static struct ppg_audit *opened(const char *name)
{
    struct ppg_audit *a = NULL;
    char why[PPG_AUDIT_WHY_N];

    CU_ASSERT_FATAL(ppg_audit_open(path_of(name), SLICE_NONE, NULL, &a, why) == ERR_OK);
    return a;
}

static enum err add(struct ppg_audit *a, const char *what)
{
    struct ppg_audit_entry e = {.at_s = 1893456000,
                                .who = SLICE("o\"p"),
                                .what = slice_str(what),
                                .before = SLICE("{\"prev\":\"x\",\"hash\":\"y\"}")};

    return ppg_audit_add(a, &e);
}

static void write_lines(const char *name, const struct slice *lines, size_t n)
{
    FILE *f = fopen(path_of(name), "we");

    CU_ASSERT_FATAL(f != NULL);
    for (size_t i = 0; i < n; i++)
        CU_ASSERT(fwrite(lines[i].p, 1, lines[i].n, f) == lines[i].n);
    CU_ASSERT(fclose(f) == 0);
}

/* The text of a good log, and its lines with their ends. */
static void good_log(const char *name, struct buf *text, struct slice lines[LINES])
{
    struct ppg_audit *a = opened(name);
    struct slice rest;

    for (unsigned i = 0; i < LINES; i++)
        CU_ASSERT(add(a, "list.add") == ERR_OK);
    buf_init(text, 100000);
    CU_ASSERT(ppg_audit_tail(a, 100, text) == ERR_OK);
    ppg_audit_free(&a);
    rest = buf_slice(text);
    for (unsigned i = 0; i < LINES; i++) {
        lines[i] = slice_sub(rest, 0, slice_find(rest, '\n') + 1);
        rest = slice_sub(rest, lines[i].n, rest.n);
    }
    CU_ASSERT(rest.n == 0);
}

static void test_form(void)
{
    struct buf text;
    struct slice lines[LINES];
    struct stat st;

    good_log("form.log", &text, lines);
    CU_ASSERT(slice_starts(
        lines[0], SLICE("{\"seq\":1,\"at\":\"2030-01-01T00:00:00Z\",\"who\":\"o\\\"p\",\"what\":\"list.add\","
                        "\"before\":{\"prev\":\"x\",\"hash\":\"y\"},\"after\":null,\"prev\":\"0000")));
    CU_ASSERT(slice_starts(lines[5], SLICE("{\"seq\":6,")));
    CU_ASSERT(stat(path_of("form.log"), &st) == 0 && (st.st_mode & 0777) == 0600);
    buf_clear(&text);
}

#define KEY   SLICE("0123456789abcdef0123456789abcdef")
#define OTHER SLICE("0123456789abcdef0123456789abcdeF")

/* With a key: who has it finds all good, who has not finds the first line bad, and nothing that is made without it passes. */
static void test_keyed(void)
{
    struct ppg_audit_report r;
    struct slice lines[LINES];
    struct ppg_audit *a = NULL;
    char why[PPG_AUDIT_WHY_N];
    struct buf text;

    CU_ASSERT_FATAL(ppg_audit_open(path_of("keyed.log"), KEY, NULL, &a, why) == ERR_OK);
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT(add(a, "list.add") == ERR_OK);
    CU_ASSERT(ppg_audit_verify(a, &r) == ERR_OK && !r.bad && r.lines == 3);
    ppg_audit_free(&a);
    CU_ASSERT(ppg_audit_check(path_of("keyed.log"), KEY, &r) == ERR_OK && !r.bad && r.lines == 3);
    CU_ASSERT(ppg_audit_check(path_of("keyed.log"), OTHER, &r) == ERR_OK && r.bad == 1);
    CU_ASSERT(ppg_audit_check(path_of("keyed.log"), SLICE_NONE, &r) == ERR_OK && r.bad == 1);
    CU_ASSERT_FATAL(ppg_audit_open(path_of("keyed.log"), KEY, NULL, &a, why) == ERR_OK);
    CU_ASSERT(add(a, "list.add") == ERR_OK && ppg_audit_verify(a, &r) == ERR_OK && !r.bad && r.lines == 4);
    ppg_audit_free(&a);
    good_log("forged.log", &text, lines); /* a chain that is whole, but not made by who has the key */
    CU_ASSERT(ppg_audit_check(path_of("forged.log"), KEY, &r) == ERR_OK && r.bad == 1 && r.lines == 0);
    buf_clear(&text);
}

/* Each line changed in each octet, taken out, doubled and swapped with the next is found, and where. */
static void test_touched(void)
{
    struct ppg_audit_report r;
    struct slice lines[LINES], touched[LINES + 1];
    struct buf text;

    good_log("touch.log", &text, lines);
    CU_ASSERT(ppg_audit_check(path_of("touch.log"), SLICE_NONE, &r) == ERR_OK && !r.bad && r.lines == LINES);
    for (unsigned i = 0; i < LINES; i++) {
        test_row(i);
        for (size_t at = 0; at + 1 < lines[i].n; at += 7) {
            char *ch = (char *)(uintptr_t)lines[i].p + at;

            *ch ^= 1;
            write_lines("t.log", lines, LINES);
            CU_ASSERT(ppg_audit_check(path_of("t.log"), SLICE_NONE, &r) == ERR_OK);
            CU_ASSERT((r.bad == i + 1 && r.lines == i) || (*ch == '\n' && r.bad));
            *ch ^= 1;
        }
        for (unsigned k = 0; k < LINES - 1; k++)
            touched[k] = lines[k + (k >= i)];
        write_lines("t.log", touched, LINES - 1);
        CU_ASSERT(ppg_audit_check(path_of("t.log"), SLICE_NONE, &r) == ERR_OK);
        CU_ASSERT(r.bad ==
                  (i == LINES - 1 ? 0 : i + 1)); /* the end alone cannot be missed without knowing it */
        for (unsigned k = 0; k < LINES + 1; k++)
            touched[k] = lines[k - (k > i)];
        write_lines("t.log", touched, LINES + 1);
        CU_ASSERT(ppg_audit_check(path_of("t.log"), SLICE_NONE, &r) == ERR_OK && r.bad == i + 2);
        for (unsigned k = 0; k < LINES; k++)
            touched[k] = lines[k == i && i + 1 < LINES ? k + 1 : k == i + 1 ? i : k];
        write_lines("t.log", touched, LINES);
        CU_ASSERT(ppg_audit_check(path_of("t.log"), SLICE_NONE, &r) == ERR_OK &&
                  r.bad == (i + 1 < LINES ? i + 1 : 0));
    }
    buf_clear(&text);
}

static void test_bad_lines(void)
{
    static const struct {
        struct slice text;
        uint64_t bad;
    } rows[] = {
        {SLICE(""), 0},
        {SLICE("\n"), 1},
        {SLICE("x\n"), 1},
        {SLICE("{\"seq\":1"), 1},
        {SLICE("{\"seq\":}\n"), 1},
        {SLICE("{\"seq\":1,\"prev\":\"\",\"hash\":\"\"}\n"), 1},
        {SLICE("\0\0\0\n"), 1},
    };
    struct ppg_audit_report r;

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        write_lines("b.log", &rows[i].text, 1);
        CU_ASSERT(ppg_audit_check(path_of("b.log"), SLICE_NONE, &r) == ERR_OK && r.bad == rows[i].bad &&
                  r.lines == 0);
    }
    CU_ASSERT(ppg_audit_check("/no/such/log", SLICE_NONE, &r) == ERR_IO && *r.what);
    CU_ASSERT(ppg_audit_check(test_scratch(), SLICE_NONE, &r) == ERR_IO);
}

/* The one that writes knows what it wrote last. */
static void test_cut_off(void)
{
    struct ppg_audit_report r;
    struct ppg_audit *a = opened("cut.log");
    struct stat st;

    CU_ASSERT(ppg_audit_verify(a, &r) == ERR_OK && !r.bad && r.lines == 0);
    CU_ASSERT(add(a, "one") == ERR_OK && stat(path_of("cut.log"), &st) == 0 && add(a, "two") == ERR_OK);
    CU_ASSERT(ppg_audit_verify(a, &r) == ERR_OK && !r.bad && r.lines == 2);
    CU_ASSERT(truncate(path_of("cut.log"), st.st_size) == 0);
    CU_ASSERT(ppg_audit_check(path_of("cut.log"), SLICE_NONE, &r) == ERR_OK && !r.bad);
    CU_ASSERT(ppg_audit_verify(a, &r) == ERR_OK && r.bad == 2 && r.lines == 1);
    CU_ASSERT(add(a, "three") == ERR_OK); /* goes on from what was written, so the gap shows for good */
    CU_ASSERT(ppg_audit_check(path_of("cut.log"), SLICE_NONE, &r) == ERR_OK && r.bad == 2);
    ppg_audit_free(&a);
    ppg_audit_free(&a);
}

static void test_goes_on(void)
{
    struct slice half = SLICE("{\"seq\":2,\"at\":\"20"), whole[2];
    struct ppg_audit_report r;
    struct ppg_audit *a = opened("on.log");
    struct buf text;

    CU_ASSERT(add(a, "one") == ERR_OK);
    buf_init(&text, 10000);
    CU_ASSERT(ppg_audit_tail(a, 1, &text) == ERR_OK);
    ppg_audit_free(&a);
    whole[0] = buf_slice(&text);
    whole[1] = half;
    write_lines("on.log", whole, 2);
    a = opened("on.log"); /* half a line is cut off */
    CU_ASSERT(add(a, "two") == ERR_OK);
    CU_ASSERT(ppg_audit_verify(a, &r) == ERR_OK && !r.bad && r.lines == 2);
    ppg_audit_free(&a);
    whole[1] = SLICE("nonsense\n");
    write_lines("on.log", whole, 2);
    a = opened("on.log"); /* what is broken stays broken, and is no reason not to write */
    CU_ASSERT(add(a, "two") == ERR_OK);
    CU_ASSERT(ppg_audit_verify(a, &r) == ERR_OK && r.bad == 2);
    ppg_audit_free(&a);
    buf_clear(&text);
}

static void test_refused(void)
{
    struct ppg_audit *a = NULL;
    char why[PPG_AUDIT_WHY_N] = "", *big = calloc(1, PPG_AUDIT_LINE_MAX_N);
    struct ppg_audit_report r;
    struct buf text;

    CU_ASSERT(ppg_audit_open("/no/such/folder/log", SLICE_NONE, NULL, &a, why) == ERR_IO && !a && *why);
    CU_ASSERT(ppg_audit_open(test_scratch(), SLICE_NONE, NULL, &a, why) == ERR_IO && !a);
    MUST(big);
    memset(big, 'x', PPG_AUDIT_LINE_MAX_N - 1);
    a = opened("big.log");
    CU_ASSERT(add(a, big) == ERR_LIMIT);
    CU_ASSERT(add(a, "small") == ERR_OK);
    CU_ASSERT(ppg_audit_verify(a, &r) == ERR_OK && !r.bad && r.lines == 1);
    buf_init(&text, 10);
    CU_ASSERT(ppg_audit_tail(a, 5, &text) == ERR_LIMIT);
    buf_clear(&text);
    buf_init(&text, 10);
    CU_ASSERT(ppg_audit_tail(a, 0, &text) == ERR_OK && text.n == 0);
    buf_clear(&text);
    ppg_audit_free(&a);
    free(big);
}

/* Two who append to one file would each go on from its own last line. */
static void test_one_writer(void)
{
    struct ppg_audit *a = opened("one.log"), *second = NULL;
    char why[PPG_AUDIT_WHY_N] = "";

    CU_ASSERT(ppg_audit_open(path_of("one.log"), SLICE_NONE, NULL, &second, why) == ERR_EXISTS && !second);
    CU_ASSERT(strstr(why, "in use") != NULL);
    CU_ASSERT(add(a, "one") == ERR_OK);
    CU_ASSERT(ppg_audit_open(path_of("one.log"), SLICE_NONE, NULL, &second, why) == ERR_EXISTS);
    ppg_audit_free(&a);
    a = opened("one.log");
    ppg_audit_free(&a);
}

static void *add_many(void *arg)
{
    for (unsigned i = 0; i < 50; i++)
        CU_ASSERT(add(arg, "many") == ERR_OK);
    return NULL;
}

static void test_many_threads(void)
{
    struct ppg_audit *a = opened("many.log");
    struct ppg_audit_report r;
    pthread_t threads[4];

    for (size_t i = 0; i < COUNT(threads); i++)
        MUST(pthread_create(&threads[i], NULL, add_many, a) == 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        (void)pthread_join(threads[i], NULL);
    CU_ASSERT(ppg_audit_verify(a, &r) == ERR_OK && !r.bad && r.lines == 200);
    ppg_audit_free(&a);
}

const struct test_case test_cases[] = {
    {"keyed", test_keyed},
    {"form", test_form},
    {"touched", test_touched},
    {"bad_lines", test_bad_lines},
    {"cut_off", test_cut_off},
    {"goes_on", test_goes_on},
    {"refused", test_refused},
    {"one_writer", test_one_writer},
    {"many_threads", test_many_threads},
    {NULL, NULL},
};
