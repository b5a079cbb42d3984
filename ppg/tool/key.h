/* What an operator says about a key, as the body of a request to ppg/admin/admin.h; secrets come from files, never from the command
 * line.  For ppgctl.  One thread. */
#ifndef PPG_TOOL_KEY_H
#define PPG_TOOL_KEY_H

#include "ppg/tool/tool.h"

struct tool_key {
    const char *name;
    const char *kind;
    const char *secret_file; /* one line: a password as text, else hexadecimal digits; "-": standard input */
    const char *file;        /* an association file */
    const char *suites;
    const char *expires; /* as tool_time, or "never" */
    const char *grace;   /* "7d": how long the old key is still good */
    bool package;        /* a key of the gateway's own, in an activation package that is good for a week */
};

/* Appends a JSON object with what is not NULL; the caller wipes `out`.  ERR_IO, ERR_MALFORMED, ERR_LIMIT with why[]. */
enum err tool_key_body(const struct tool_key *k, int64_t now_s, struct buf *out,
                       char why[TOOL_WHY_N]) MUST_USE;

#endif
