/* Whitelist files: sets beside the list, and errors with file and line. */
#include "security/rules/whitelist.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "security/rules/addrset.h"
#include "tests/unit/harness.h"

static const char *write_file(const char *name, struct slice text)
{
    static char path[512];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
    f = fopen(path, "wb");
    MUST(f && fwrite(text.p, 1, text.n, f) == text.n);
    (void)fclose(f);
    return path;
}

static enum err group(void *arg, struct slice name, struct sec_addrset *into)
{
    (void)arg;
    return slice_eq(name, SLICE("$staff")) ? sec_addrset_add(into, SLICE("+7")) : ERR_ABSENT;
}

static enum err load(const char *path, struct sec_whitelist **out, struct sec_load_error *e)
{
    return sec_whitelist_load(&(struct sec_whitelist_source){.path = path, .group = group}, out, e);
}

static bool allowed(const struct sec_whitelist *w, const char *recipient, uint32_t *line)
{
    struct sec_whitelist_query q = {.initiator = SLICE("a"),
                                    .recipient = slice_str(recipient),
                                    .application = SLICE("x"),
                                    .type = SLICE("t/t"),
                                    .size = 1};
    struct sec_whitelist_verdict v;

    sec_whitelist_decide(w, &q, &v);
    *line = v.line;
    return v.allow;
}

static void test_load_with_files(void)
{
    struct sec_whitelist *w = NULL;
    struct sec_load_error e;
    uint32_t line;

    (void)write_file("in.list",
                     SLICE("# subscribers\n+15551111111\r\n\n  sip:Alice@Example.net # hers\n+15551111111"));
    (void)write_file("out.list", SLICE(""));
    CU_ASSERT_FATAL(load(write_file("w.conf", SLICE("# a list\n\ndeny * @out.list *\n"
                                                    "allow a @in.list *\nallow b @in.list *")),
                         &w, &e) == ERR_OK);
    CU_ASSERT(sec_whitelist_rules(w) == 3 && sec_whitelist_addresses(w) == 2); /* one set for both rules */
    CU_ASSERT(allowed(w, "+15551111111", &line) && line == 4);
    CU_ASSERT(allowed(w, "sip:Alice@example.net", &line) && line == 4);
    CU_ASSERT(!allowed(w, "+15551111112", &line) && line == 0);
    sec_whitelist_free(&w);
}

static void test_load_refused(void)
{
    static const struct {
        struct slice list, addresses;
        enum err want;
        const char *file; /* how its path ends */
        uint32_t line;
        const char *what; /* how it ends */
    } rows[] = {
        {SLICE("allow a * *\nbad line\n"), SLICE(""), ERR_MALFORMED, "w.conf", 2,
         "verdict: must be allow, deny, only or acl"},
        {SLICE("allow a * *\n\n#\nallow a * * x=y"), SLICE(""), ERR_MALFORMED, "w.conf", 4,
         "condition: must be protect=, type=, max-size=, uri=, asked= or time="},
        {SLICE("allow a @in.list *\n"), SLICE("+1\n+2\na b\n"), ERR_MALFORMED, "in.list", 3,
         "not an address"},
        {SLICE("allow a @none.list *\n"), SLICE(""), ERR_IO, "w.conf", 1,
         "/none.list cannot be opened: No such file or directory"},
        {SLICE("#\nallow a @in.list *\nallow b @in.list/none *\n"), SLICE(""), ERR_IO, "w.conf", 3,
         "/in.list/none cannot be opened: Not a directory"},
        {SLICE("\nallow a @. *\n"), SLICE(""), ERR_IO, "w.conf", 2, "/. cannot be read: Is a directory"},
        {SLICE("allow a @/no/such *\n"), SLICE(""), ERR_IO, "w.conf", 1,
         "/no/such cannot be opened: No such file or directory"},
        {SLICE("allow a * *\nallow \0 * *\n"), SLICE(""), ERR_MALFORMED, "w.conf", 2,
         "a NUL in it: not a text file"},
        {SLICE("deny * @in.list *\n"), SLICE("+1\0\n"), ERR_MALFORMED, "in.list", 1,
         "a NUL in it: not a text file"},
        {SLICE("allow a * *\nallow b * *\0"), SLICE(""), ERR_MALFORMED, "w.conf",
         2, /* in a last line without end */
         "a NUL in it: not a text file"},
        {SLICE("\xFF\xFE"
               "a\0l\0l\0"),
         SLICE(""), ERR_MALFORMED, "w.conf", 1, "a NUL in it: not a text file"},
        {SLICE("allow a * *\n\xEF\xBB\xBF"
               "allow a * *\n"),
         SLICE(""), ERR_MALFORMED, "w.conf", 2, "verdict: must be allow, deny, only or acl"},
        {SLICE("allow a * *\rallow b * *\r"), SLICE(""), ERR_MALFORMED, "w.conf", 1, "control character"},
        {SLICE("acl /push Get=a\nallow a * *\nacl /push Get=b\n"), SLICE(""), ERR_EXISTS, "w.conf", 3,
         "path: it has an acl already"},
        {SLICE("allow a $none *\n"), SLICE(""), ERR_MALFORMED, "w.conf", 1,
         "recipient: there is no such group"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_whitelist *w = NULL;
        struct sec_load_error e = {.line = 99};

        test_row(i);
        (void)write_file("in.list", rows[i].addresses);
        CU_ASSERT(load(write_file("w.conf", rows[i].list), &w, &e) == rows[i].want);
        CU_ASSERT(w == NULL && e.line == rows[i].line);
        CU_ASSERT(slice_ends(slice_str(e.what), slice_str(rows[i].what)));
        CU_ASSERT(slice_ends(slice_str(e.file), slice_str(rows[i].file)));
    }
}

static void test_load_long_lines_and_no_file(void)
{
    struct sec_whitelist *w = NULL;
    struct sec_load_error e;
    size_t n = SEC_WHITELIST_LINE_MAX_N;
    char *text = calloc(1, n + 20);
    uint32_t line;

    MUST(text);
    memset(text, ' ', n + 1);
    mem_copy(text, n, SLICE("allow a * *"));
    text[n] = '\n';
    CU_ASSERT_FATAL(load(write_file("w.conf", slice_of(text, n + 1)), &w, &e) == ERR_OK);
    CU_ASSERT(allowed(w, "+1", &line) && line == 1);
    sec_whitelist_free(&w);
    text[n] = ' ';
    text[n + 1] = ' ';
    CU_ASSERT(load(write_file("w.conf", slice_of(text, n + 2)), &w, &e) == ERR_LIMIT);
    CU_ASSERT(e.line == 1 && w == NULL);
    CU_ASSERT(load("/nonexistent/w.conf", &w, &e) == ERR_IO);
    CU_ASSERT(e.line == 0 && w == NULL);
    CU_ASSERT_STRING_EQUAL(e.file, "/nonexistent/w.conf");
    CU_ASSERT_STRING_EQUAL(e.what, "cannot be opened: No such file or directory");
    CU_ASSERT(load(test_scratch(), &w, &e) == ERR_IO); /* a folder */
    CU_ASSERT_STRING_EQUAL(e.what, "cannot be read: Is a directory");
    free(text);
}

static void test_load_bom_and_crlf(void)
{
    struct sec_whitelist *w = NULL;
    struct sec_load_error e;
    uint32_t line;

    (void)write_file("in.list", SLICE("\xEF\xBB\xBF"
                                      "+15551111111\r\n+2"));
    CU_ASSERT_FATAL(load(write_file("w.conf", SLICE("\xEF\xBB\xBF"
                                                    "# list\r\nallow a @in.list *\r\n\r\ndeny a +2 *\r\n")),
                         &w, &e) == ERR_OK);
    CU_ASSERT(sec_whitelist_rules(w) == 2);
    CU_ASSERT(allowed(w, "+15551111111", &line) && line == 2);
    CU_ASSERT(!allowed(w, "+2", &line) && line == 4);
    sec_whitelist_free(&w);
}

static void test_load_groups(void)
{
    struct sec_whitelist *w = NULL;
    struct sec_load_error e;
    uint32_t line;

    CU_ASSERT_FATAL(load(write_file("w.conf", SLICE("deny b $staff *\nallow a $staff *\n")), &w, &e) ==
                    ERR_OK);
    CU_ASSERT(allowed(w, "+7", &line) && line == 2);
    CU_ASSERT(allowed(w, "$staff", &line) && line == 2);
    CU_ASSERT(!allowed(w, "+8", &line) && line == 0);
    sec_whitelist_free(&w);
}

/* Text that is not in the file yet is read as if it were. */
static void test_load_text_for_a_file(void)
{
    struct slice good = SLICE("deny a @in.list *\nallow a * *"), bad = SLICE("\nnonsense\n"),
                 none = SLICE("");
    struct sec_whitelist_source from = {.path = write_file("w.conf", SLICE("allow a * *\n")), .text = &good};
    struct sec_whitelist *w = NULL;
    struct sec_load_error e;
    char path[512];
    uint32_t line;

    (void)snprintf(path, sizeof path, "%s", from.path);
    from.path = path;
    (void)write_file("in.list", SLICE("+1\n"));
    CU_ASSERT_FATAL(sec_whitelist_load(&from, &w, &e) == ERR_OK);
    CU_ASSERT(!allowed(w, "+1", &line) && line == 1);
    CU_ASSERT(allowed(w, "+2", &line) && line == 2);
    sec_whitelist_free(&w);
    from.text = &bad;
    CU_ASSERT(sec_whitelist_load(&from, &w, &e) == ERR_MALFORMED && e.line == 2);
    CU_ASSERT_STRING_EQUAL(e.file, path);
    from.text = &none;
    CU_ASSERT_FATAL(sec_whitelist_load(&from, &w, &e) == ERR_OK);
    CU_ASSERT(sec_whitelist_rules(w) == 0);
    sec_whitelist_free(&w);
}

#define MANY 1000000u

/* A million lines: taken; with one broken in the middle, or one too many, refused whole with its number. */
static void test_load_million_lines(void)
{
    static const struct {
        uint32_t broken, extra;
        enum err want;
        uint32_t line;
    } rows[] = {{0, 0, ERR_OK, 0}, {MANY / 2, 0, ERR_MALFORMED, MANY / 2}, {0, 1, ERR_LIMIT, MANY + 1}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_whitelist *w = NULL;
        struct sec_load_error e = {.line = 0};
        char path[512];
        FILE *f;
        uint32_t at;

        test_row(i);
        (void)snprintf(path, sizeof path, "%s/many.conf", test_scratch());
        f = fopen(path, "we");
        MUST(f);
        for (uint32_t n = 1; n <= MANY + rows[i].extra; n++)
            (void)fprintf(f, "%s a +1555%07u *\n", n == rows[i].broken ? "alow" : "allow", n);
        MUST(fclose(f) == 0);
        CU_ASSERT(load(path, &w, &e) == rows[i].want && e.line == rows[i].line);
        CU_ASSERT((w != NULL) == (rows[i].want == ERR_OK));
        CU_ASSERT(!w || (allowed(w, "+15550999999", &at) && at == 999999));
        sec_whitelist_free(&w);
    }
}

const struct test_case test_cases[] = {
    {"load_with_files", test_load_with_files},
    {"load_refused", test_load_refused},
    {"load_bom_and_crlf", test_load_bom_and_crlf},
    {"load_groups", test_load_groups},
    {"load_text_for_a_file", test_load_text_for_a_file},
    {"load_million_lines", test_load_million_lines},
    {"load_long_lines_and_no_file", test_load_long_lines_and_no_file},
    {NULL, NULL},
};
