/* The error list: every error has a text and the lower-case form of its own name. */
#include "tests/unit/harness.h"

#include <ctype.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

static const char *const spelled[] = {
#define ERR_SPELLED(name, text) #name,
    ERR_LIST(ERR_SPELLED)
#undef ERR_SPELLED
};

static void test_names(void)
{
    CU_ASSERT_EQUAL(COUNT(spelled), ERR_COUNT);
    for (size_t i = 0; i < COUNT(spelled); i++) {
        const char *name = err_name((enum err)i);

        test_row(i);
        CU_ASSERT_EQUAL(strlen(name), strlen(spelled[i]));
        for (size_t k = 0; name[k]; k++)
            CU_ASSERT_EQUAL(name[k], tolower((unsigned char)spelled[i][k]));
    }
}

static void test_texts(void)
{
    CU_ASSERT_STRING_EQUAL(err_text(ERR_OK), "ok");
    CU_ASSERT_STRING_EQUAL(err_text(ERR_IO), "the operating system said no");
    for (size_t i = 0; i < ERR_COUNT; i++)
        CU_ASSERT(strlen(err_text((enum err)i)) > 0);
}

static void test_out_of_range(void)
{
    CU_ASSERT_STRING_EQUAL(err_text(ERR_COUNT), "unknown error");
    CU_ASSERT_STRING_EQUAL(err_name(ERR_COUNT), "unknown");
    CU_ASSERT_STRING_EQUAL(err_name((enum err)4000), "unknown");
}

static void test_must(void)
{
    int status = 0;
    pid_t child;

    MUST(1 + 1 == 2);
    child = fork();
    if (child == 0) {
        (void)close(STDERR_FILENO);
        MUST(1 + 1 == 3);
        _exit(0);
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

const struct test_case test_cases[] = {
    {"names", test_names},
    {"texts", test_texts},
    {"out_of_range", test_out_of_range},
    {"must_ends_the_program", test_must},
    {NULL, NULL},
};
