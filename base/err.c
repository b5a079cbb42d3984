/* Texts of the one error list, and the end of the program when we are wrong ourselves.  Not for reporting
 * anything a peer or an operator did.  Thread-free. */
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

const char *err_text(enum err e)
{
    static const char *const texts[] = {
#define ERR_TEXT(name, text) text,
        ERR_LIST(ERR_TEXT)
#undef ERR_TEXT
    };

    return (unsigned)e < ERR_COUNT ? texts[e] : "unknown error";
}

const char *err_name(enum err e)
{
    /* The preprocessor cannot fold case; the unit test compares these with the list. */
    static const char *const names[] = {
        [ERR_OK] = "ok",       [ERR_AGAIN] = "again",   [ERR_MALFORMED] = "malformed",
        [ERR_LIMIT] = "limit", [ERR_EXISTS] = "exists", [ERR_ABSENT] = "absent",
        [ERR_LATE] = "late",   [ERR_DENIED] = "denied", [ERR_UNSUPPORTED] = "unsupported",
        [ERR_PEER] = "peer",   [ERR_NOMEM] = "nomem",   [ERR_IO] = "io",
    };
    _Static_assert(sizeof names / sizeof names[0] == ERR_COUNT, "a name for every error");

    return (unsigned)e < ERR_COUNT ? names[e] : "unknown";
}

_Noreturn void must_fail(const char *what, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: must hold: %s\n", file, line, what);
    abort();
}
