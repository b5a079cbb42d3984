/* What the command line programs share: options as a table, words of time, bounded files and the exit statuses of
 * sysexits.h.  Not for the gateway itself.  One thread. */
#ifndef PPG_TOOL_H
#define PPG_TOOL_H

#include <stdio.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum tool_exit {
    TOOL_OK = 0,
    TOOL_USAGE = 64,   /* the command line, or a file it names */
    TOOL_REACH = 69,   /* nobody answers, or not in time */
    TOOL_SELF = 70,    /* memory or the operating system */
    TOOL_FAULT = 76,   /* the far end broke the protocol */
    TOOL_REFUSED = 77, /* one side is not authenticated */
};

#define TOOL_WHY_N    200  /* octets of an explanation, NUL included */
#define TOOL_LIST_MAX 1000 /* values of one repeated option, and words of a command line */

struct tool_list {
    const char *v[TOOL_LIST_MAX]; /* borrowed from the command line */
    size_t n;
};

enum tool_kind {
    TOOL_FLAG,   /* bool */
    TOOL_TEXT,   /* const char *; once */
    TOOL_LIST,   /* struct tool_list */
    TOOL_NUMBER, /* int64_t in min..max; once */
};

/* One row an option; a row without a name ends the table. */
struct tool_option {
    const char *name;  /* without "--" */
    const char *value; /* what the help calls its value; NULL for flags */
    const char *help;
    enum tool_kind kind;
    size_t at; /* offset of the member in the struct that tool_parse fills */
    int64_t min;
    int64_t max;
};

/* Reads "--name value", "--name=value" and plain words in any order; "--" ends the options.  `into` holds the
 * defaults before the call.  ERR_MALFORMED with why[]; *into is then of no use. */
enum err tool_parse(const struct tool_option *options, int argc, char *const *argv, void *into,
                    struct tool_list *words, char why[TOOL_WHY_N]) MUST_USE;
/* One line an option. */
void tool_help(FILE *to, const struct tool_option *options);

/* A PAP timestamp, or "+" number unit (s, m, h, d) after now_s.  ERR_MALFORMED, ERR_LIMIT past the year 9999. */
enum err tool_time(struct slice text, int64_t now_s, int64_t *utc_s) MUST_USE;

/* Appends a whole file; path NULL or "-": standard input.  ERR_IO, ERR_LIMIT (out's ceiling), ERR_NOMEM. */
enum err tool_read(const char *path, struct buf *out) MUST_USE;
/* Words for an error of tool_read(), to be asked for at once: what the system said where it was the system. */
const char *tool_read_why(enum err e);
/* "USER:FILE": the user, and the first line of the file, which lies in *text then.  ERR_MALFORMED: not so; else as above. */
enum err tool_login(const char *in, struct buf *text, struct slice *user, struct slice *password) MUST_USE;
/* A new and empty file, which nobody else has made before and tool_write() may then fill.  ERR_EXISTS, ERR_IO. */
enum err tool_claim(const char *path) MUST_USE;
/* Away with what was claimed, if it is still empty. */
void tool_unclaim(const char *path);
/* A file that appears complete or not at all.  ERR_IO, ERR_LIMIT (path too long). */
enum err tool_write(const char *path, struct slice text) MUST_USE;

/* Peer text for a terminal: control octets become "?". */
void tool_print(FILE *to, struct slice text);

#endif
