/* Options, times and files of the command line programs. */
#include "ppg/tool/tool.h"

#include <stdlib.h>
#include <unistd.h>
#include "tests/unit/harness.h"

struct into {
    bool flag;
    const char *text;
    struct tool_list list;
    int64_t number;
};

static const struct tool_option options[] = {
    {"flag", NULL, "a flag", TOOL_FLAG, offsetof(struct into, flag), 0, 0},
    {"text", "TEXT", "a text", TOOL_TEXT, offsetof(struct into, text), 0, 0},
    {"list", "ITEM", "items", TOOL_LIST, offsetof(struct into, list), 0, 0},
    {"number", "N", "from 5 to 50", TOOL_NUMBER, offsetof(struct into, number), 5, 50},
    {NULL, NULL, NULL, TOOL_FLAG, 0, 0, 0},
};

static int length(char *const *argv)
{
    int n = 0;

    while (argv[n])
        n++;
    return n;
}

static void options_are_read(void)
{
    static char *const argv[] = {
        "one", "--list", "a",      "--flag", "--text=x=y", "--list=", "--number", "50",
        "-",   "--list", "--flag", "--",     "--flag",     "--no",    "--text=z", NULL};
    static struct tool_list words;
    static struct into v;
    char why[TOOL_WHY_N];

    CU_ASSERT(tool_parse(options, length(argv), argv, &v, &words, why) == ERR_OK);
    CU_ASSERT(v.flag && v.number == 50);
    CU_ASSERT_STRING_EQUAL(v.text, "x=y");
    CU_ASSERT_FATAL(v.list.n == 3);
    CU_ASSERT_STRING_EQUAL(v.list.v[0], "a");
    CU_ASSERT_STRING_EQUAL(v.list.v[1], "");
    CU_ASSERT_STRING_EQUAL(v.list.v[2], "--flag"); /* a value is a value */
    CU_ASSERT_FATAL(words.n == 5);
    CU_ASSERT_STRING_EQUAL(words.v[1], "-");
    CU_ASSERT_STRING_EQUAL(words.v[4], "--text=z");
}

static void defaults_stay(void)
{
    static struct tool_list words;
    static struct into v = {.number = 7, .text = "t"};
    char *const none[] = {NULL};
    char why[TOOL_WHY_N];

    CU_ASSERT(tool_parse(options, 0, none, &v, &words, why) == ERR_OK);
    CU_ASSERT(v.number == 7 && !v.flag && words.n == 0);
    CU_ASSERT_STRING_EQUAL(v.text, "t");
}

static void bad_options_are_named(void)
{
    static const struct {
        char *const argv[3];
        const char *why;
    } rows[] = {
        {{"--nothing"}, "--nothing: no such option"},
        {{"--fla"}, "--fla: no such option"},
        {{"--flags"}, "--flags: no such option"},
        {{"--flag=yes"}, "--flag takes no value"},
        {{"--flag="}, "--flag takes no value"},
        {{"--text"}, "--text needs a value"},
        {{"-t"}, "-t: options begin with --"},
        {{"--=x"}, "--=x: no such option"},
        {{"--number", "4"}, "--number: \"4\" is not a number from 5 to 50"},
        {{"--number", "51"}, "--number: \"51\" is not a number from 5 to 50"},
        {{"--number", ""}, "--number: \"\" is not a number from 5 to 50"},
        {{"--number", "5x"}, "--number: \"5x\" is not a number from 5 to 50"},
        {{"--number", "-5"}, "--number: \"-5\" is not a number from 5 to 50"},
        {{"--number=99999999999999999999"},
         "--number: \"99999999999999999999\" is not a number from 5 to 50"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        static struct tool_list words;
        static struct into v;
        char why[TOOL_WHY_N] = "";

        test_row(i);
        CU_ASSERT(tool_parse(options, length(rows[i].argv), rows[i].argv, &v, &words, why) == ERR_MALFORMED);
        CU_ASSERT_STRING_EQUAL(why, rows[i].why);
    }
}

static void lists_have_a_ceiling(void)
{
    static char *argv[TOOL_LIST_MAX + 1];
    static struct tool_list words;
    static struct into v;
    char why[TOOL_WHY_N];

    for (size_t i = 0; i < COUNT(argv); i++)
        argv[i] = i % 2 ? "word" : "w";
    CU_ASSERT(tool_parse(options, TOOL_LIST_MAX, argv, &v, &words, why) == ERR_OK);
    CU_ASSERT(words.n == TOOL_LIST_MAX);
    words.n = 0;
    CU_ASSERT(tool_parse(options, TOOL_LIST_MAX + 1, argv, &v, &words, why) == ERR_MALFORMED);
}

static void times(void)
{
    static const struct {
        const char *text;
        enum err want;
        int64_t utc_s;
    } rows[] = {
        {"1970-01-01T00:00:00Z", ERR_OK, 0},
        {"2024-02-29T12:00:00Z", ERR_OK, 1709208000},
        {"+0s", ERR_OK, 1000},
        {"+90s", ERR_OK, 1090},
        {"+10m", ERR_OK, 1600},
        {"+2h", ERR_OK, 8200},
        {"+1d", ERR_OK, 87400},
        {"2023-02-29T12:00:00Z", ERR_MALFORMED, 0},
        {"", ERR_MALFORMED, 0},
        {"+", ERR_MALFORMED, 0},
        {"+m", ERR_MALFORMED, 0},
        {"+10", ERR_MALFORMED, 0},
        {"+10w", ERR_MALFORMED, 0},
        {"+10ms", ERR_MALFORMED, 0},
        {"+-1s", ERR_MALFORMED, 0},
        {"+ 1s", ERR_MALFORMED, 0},
        {"10m", ERR_MALFORMED, 0},
        {"+1h30m", ERR_MALFORMED, 0},
        {"+99999999999s", ERR_LIMIT, 0},
        {"+3000000d", ERR_LIMIT, 0},
        {"+99999999999999999999s", ERR_LIMIT, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t got = -7;
        enum err e = tool_time(slice_str(rows[i].text), 1000, &got);

        test_row(i);
        CU_ASSERT(e == rows[i].want);
        CU_ASSERT(got == (e ? -7 : rows[i].utc_s));
    }
}

static void files_there_and_back(void)
{
    char path[512], beside[600], text[50000];
    struct buf b;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    (void)snprintf(path, sizeof path, "%s/file", test_scratch());
    (void)snprintf(beside, sizeof beside, "%s.new", path);
    CU_ASSERT(tool_write(path, SLICE("old")) == ERR_OK);
    CU_ASSERT(tool_write(path, slice_of(text, sizeof text)) == ERR_OK);
    CU_ASSERT(access(beside, F_OK) != 0);
    buf_init(&b, sizeof text);
    CU_ASSERT(tool_read(path, &b) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&b), slice_of(text, sizeof text));
    buf_clear(&b);
    buf_init(&b, sizeof text - 1);
    CU_ASSERT(tool_read(path, &b) == ERR_LIMIT);
    buf_clear(&b);
}

static void files_that_fail(void)
{
    char path[2048];
    struct buf b;

    buf_init(&b, 10);
    (void)snprintf(path, sizeof path, "%s/absent/file", test_scratch());
    CU_ASSERT(tool_read(path, &b) == ERR_IO);
    CU_ASSERT(tool_read(test_scratch(), &b) == ERR_IO); /* a folder */
    CU_ASSERT(tool_write(path, SLICE("x")) == ERR_IO);
    CU_ASSERT(tool_write(test_scratch(), SLICE("x")) == ERR_IO);
    (void)snprintf(path, sizeof path, "/%01030d", 1);
    CU_ASSERT(tool_write(path, SLICE("x")) == ERR_LIMIT);
    CU_ASSERT(b.n == 0);
    buf_clear(&b);
}

/* "USER:FILE": the first line counts. */
static void logins_are_read(void)
{
    static const struct {
        const char *text, *password;
    } rows[] = {
        {"secret\n", "secret"}, {"secret", "secret"}, {"a b:c\nmore\n", "a b:c"}, {"\n", ""}, {"", ""}};
    char path[300], login[320];
    struct slice user, password;
    struct buf text;

    buf_init(&text, 100);
    (void)snprintf(path, sizeof path, "%s/login", test_scratch());
    (void)snprintf(login, sizeof login, "me:%s", path);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        buf_reset(&text, 100);
        CU_ASSERT(tool_write(path, slice_str(rows[i].text)) == ERR_OK);
        CU_ASSERT(tool_login(login, &text, &user, &password) == ERR_OK);
        CU_ASSERT(slice_eq(user, SLICE("me")) && slice_eq(password, slice_str(rows[i].password)));
    }
    CU_ASSERT(tool_login("me", &text, &user, &password) == ERR_MALFORMED);
    CU_ASSERT(tool_login(login + 2, &text, &user, &password) == ERR_MALFORMED); /* nobody */
    CU_ASSERT(tool_login("me:/no/such/file", &text, &user, &password) == ERR_IO);
    buf_clear(&text);
}

static void peer_text_is_tamed(void)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    CU_ASSERT_FATAL(f != NULL);
    tool_print(f, SLICE("a\x1b[31m\tb\x7f\r\n\xc3\xa9 \0z"));
    (void)fclose(f);
    TEST_SLICE_EQ(slice_of(text, n), SLICE("a?[31m?b???\xc3\xa9 ?z"));
    free(text);
}

static void help_names_every_option(void)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    CU_ASSERT_FATAL(f != NULL);
    tool_help(f, options);
    (void)fclose(f);
    for (const struct tool_option *o = options; o->name; o++) {
        CU_ASSERT(slice_find_slice(slice_of(text, n), slice_str(o->name)) != SIZE_MAX);
        CU_ASSERT(slice_find_slice(slice_of(text, n), slice_str(o->help)) != SIZE_MAX);
    }
    free(text);
}

const struct test_case test_cases[] = {
    {"options_are_read", options_are_read},
    {"defaults_stay", defaults_stay},
    {"bad_options_are_named", bad_options_are_named},
    {"lists_have_a_ceiling", lists_have_a_ceiling},
    {"times", times},
    {"files_there_and_back", files_there_and_back},
    {"files_that_fail", files_that_fail},
    {"logins_are_read", logins_are_read},
    {"peer_text_is_tamed", peer_text_is_tamed},
    {"help_names_every_option", help_names_every_option},
    {NULL, NULL},
};
