/* A package into an association file: what is written is what the gateway's own reader takes. */
#include "ppg/handset/activate.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ppg/config/terminals.h"
#include "tests/unit/harness.h"

#define NOW  INT64_C(1800000000)
#define CODE "0123-4567-89AB-CDEF-GHJK-MNPQ"

static const char *package(const char *name)
{
    static char path[1000];

    (void)snprintf(path, sizeof path, "%s/%s", test_path("fuzz/corpus/activation"), name);
    return path;
}

static const char *scratch(const char *name)
{
    static char path[300];

    (void)snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
    return path;
}

static void test_what_it_makes_is_an_association(void)
{
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);
    struct ppg_load load = {.errs = errs};
    struct ota_association a = {.present = false};
    char made[TOOL_ACTIVATE_PATH_N], why[TOOL_WHY_N];
    struct stat st;
    struct buf text;

    CU_ASSERT_FATAL(errs != NULL);
    (void)umask(077);
    CU_ASSERT(tool_activate(package("good"), CODE, scratch("own"), NOW, made, why) == ERR_OK);
    CU_ASSERT_STRING_EQUAL(made, scratch("own"));
    CU_ASSERT(stat(made, &st) == 0 && (st.st_mode & 0777) == 0600);
    buf_init(&text, 4096);
    CU_ASSERT(tool_read(made, &text) == ERR_OK);
    ppg_association_read_text(&load, buf_slice(&text), made, &a);
    CU_ASSERT(!load.err && a.present && a.expires_ms == 0 && a.suites_n == 2 && a.suites[0] == 2);
    TEST_SLICE_EQ(sec_secret_slice(&a.key), SLICE("KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK"));
    TEST_SLICE_EQ(slice_of(a.said, 16), SLICE("SSSSSSSSSSSSSSSS"));
    sec_secret_clear(&a.key);
    buf_wipe(&text);
    free(errs);
}

static void test_refused(void)
{
    static const struct {
        const char *package, *code;
        enum err want;
        const char *word;
    } rows[] = {
        {"good", "0123-4567-89AB-CDEF-GHJK-MNPR", ERR_DENIED, "another code"},
        {"good", "0123", ERR_MALFORMED, "not a code"},
        {"good", "", ERR_MALFORMED, "not a code"},
        {"flip", CODE, ERR_DENIED, "changed"},
        {"cut", CODE, ERR_DENIED, "changed"},
        {"late", CODE, ERR_LATE, "too late"},
        {"later", CODE, ERR_UNSUPPORTED, "not offered"},
        {"nothing", CODE, ERR_MALFORMED, "no activation package"},
        {"bad_suite", CODE, ERR_MALFORMED, "no activation package"},
        {"there is none", CODE, ERR_IO, "operating system"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char made[TOOL_ACTIVATE_PATH_N], why[TOOL_WHY_N] = "";

        test_row(i);
        CU_ASSERT(tool_activate(package(rows[i].package), rows[i].code, scratch("never"), NOW, made, why) ==
                  rows[i].want);
        CU_ASSERT(strstr(why, rows[i].word) != NULL);
        CU_ASSERT(access(scratch("never"), F_OK) != 0);
    }
}

static void test_nothing_is_overwritten(void)
{
    char made[TOOL_ACTIVATE_PATH_N], why[TOOL_WHY_N] = "";
    struct buf text;

    buf_init(&text, 100);
    CU_ASSERT(tool_write(scratch("mine"), SLICE("mine")) == ERR_OK);
    CU_ASSERT(tool_activate(package("good"), CODE, scratch("mine"), NOW, made, why) == ERR_EXISTS);
    CU_ASSERT(tool_read(scratch("mine"), &text) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&text), SLICE("mine"));
    buf_clear(&text);
}

const struct test_case test_cases[] = {
    {"what_it_makes_is_an_association", test_what_it_makes_is_an_association},
    {"refused", test_refused},
    {"nothing_is_overwritten", test_nothing_is_overwritten},
    {NULL, NULL},
};
