/* What ppgctl says about a key: times, secrets out of files, and what it does not send. */
#include "ppg/tool/key.h"

#include <stdio.h>
#include "tests/unit/harness.h"

#define NOW INT64_C(1800000000) /* 2027-01-15T08:00:00Z */

/* A file of that text; the name lives until the fourth call behind it. */
static const char *file(const char *name, const char *text)
{
    static char paths[4][300];
    static size_t turn;
    char *path = paths[turn++ % COUNT(paths)];
    FILE *f;

    (void)snprintf(path, sizeof paths[0], "%s/%s", test_scratch(), name);
    f = fopen(path, "w");
    MUST(f && fputs(text, f) >= 0 && fclose(f) == 0);
    return path;
}

static void test_bodies(void)
{
    const struct {
        struct tool_key k;
        const char *want;
    } rows[] = {
        {{.name = "n"}, "{\"name\": \"n\"}"},
        {{.name = "a\"b\xc3\xa9"}, "{\"name\": \"a\\\"b\xc3\xa9\"}"},
        {{.name = "n", .kind = "psk", .secret_file = file("s", "00ff\r\n"), .expires = "never"},
         "{\"name\": \"n\", \"kind\": \"psk\", \"secret\": \"00ff\", \"expires\": \"never\"}"},
        {{.name = "n", .expires = "+1h", .suites = "aes-gcm"},
         "{\"name\": \"n\", \"suites\": \"aes-gcm\", \"expires\": \"2027-01-15T09:00:00Z\"}"},
        {{.name = "n", .grace = "1d"}, "{\"name\": \"n\", \"until\": \"2027-01-16T08:00:00Z\"}"},
        {{.name = "n", .package = true}, "{\"name\": \"n\", \"package_until\": \"2027-01-22T08:00:00Z\"}"},
        {{.name = "n", .file = file("a", "said = 1\nkey = 2\n")},
         "{\"name\": \"n\", \"association\": \"said = 1\\u000akey = 2\\u000a\"}"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char why[TOOL_WHY_N];
        struct buf out;

        test_row(i);
        buf_init(&out, 4096);
        CU_ASSERT(tool_key_body(&rows[i].k, NOW, &out, why) == ERR_OK);
        TEST_SLICE_EQ(buf_slice(&out), slice_str(rows[i].want));
        buf_wipe(&out);
    }
}

static void test_refused(void)
{
    const struct {
        struct tool_key k;
        enum err want;
        const char *word;
    } rows[] = {
        {{.name = "n", .secret_file = file("two", "a\nb\n")}, ERR_MALFORMED, "one line"},
        {{.name = "n", .secret_file = file("none", "\n")}, ERR_MALFORMED, "one line"},
        {{.name = "n", .secret_file = "/nowhere/at/all"}, ERR_IO, "/nowhere"},
        {{.name = "n", .file = "/nowhere/at/all"}, ERR_IO, "/nowhere"},
        {{.name = "n", .expires = "soon"}, ERR_MALFORMED, "soon"},
        {{.name = "n", .expires = ""}, ERR_MALFORMED, "never"},
        {{.name = "n", .grace = "2027-01-31T00:00:00Z"}, ERR_MALFORMED, "length of time"},
        {{.name = "n", .grace = "1y"}, ERR_MALFORMED, "1y"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char why[TOOL_WHY_N] = "";
        struct buf out;

        test_row(i);
        buf_init(&out, 4096);
        CU_ASSERT(tool_key_body(&rows[i].k, NOW, &out, why) == rows[i].want);
        CU_ASSERT(strstr(why, rows[i].word) != NULL);
        buf_wipe(&out);
    }
}

static void test_ceiling(void)
{
    struct tool_key k = {.name = "a name that is longer than there is room for"};
    char why[TOOL_WHY_N] = "";
    struct buf out;

    buf_init(&out, 16);
    CU_ASSERT(tool_key_body(&k, NOW, &out, why) == ERR_LIMIT && why[0]);
    buf_wipe(&out);
}

const struct test_case test_cases[] = {
    {"bodies", test_bodies},
    {"refused", test_refused},
    {"ceiling", test_ceiling},
    {NULL, NULL},
};
