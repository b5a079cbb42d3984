/* What every configuration file is read with: a load that gathers mistakes, INI text to lines with their numbers,
 * and file names.  inih splits keys from values; sections, line numbers and long lines are kept here.  Which keys
 * exist is not known here: schema.c, initiators.c, terminals.c.  Off the loops. */
#ifndef PPG_CONFIG_INI_H
#define PPG_CONFIG_INI_H

#include <sys/stat.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "ppg/config.h"

#define PPG_INI_LINE_MAX_N 4096 /* octets of one line */

/* One load under way: the first failure decides what it returns, all of them are told. */
struct ppg_load {
    struct ppg_config_errors *errs;
    enum err err;
};

/* A place in a file; line 0: the file itself. */
struct ppg_place {
    const char *file;
    uint32_t line;
};

/* Adds "file:line: key: what" (key may be empty) and keeps `e` if it is the first. */
void ppg_load_say(struct ppg_load *load, enum err e, struct ppg_place at, struct slice key, const char *fmt,
                  ...) __attribute__((format(printf, 5, 6)));
/* The same where `name` is what stands in the file and no word of ours: the log goes without it. */
void ppg_load_say_of(struct ppg_load *load, enum err e, struct ppg_place at, struct slice name,
                     const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Octets of a file, at most max_n, NUL behind them.  Tells what failed (ERR_IO, ERR_LIMIT, ERR_NOMEM) at `at`, or
 * ERR_DENIED when the file grants any permission in `forbidden` (a mode, 0: none).  `text` must be clear; it is wiped
 * by the caller when the file is secret. */
enum err ppg_load_file(struct ppg_load *load, const char *path, size_t max_n, unsigned forbidden,
                       struct ppg_place at, struct slice key, struct buf *text) MUST_USE;

/* Tells, and is false, when the file grants anything that `forbidden` names. */
bool ppg_load_mode(struct ppg_load *load, const char *path, const struct stat *st, unsigned forbidden,
                   struct ppg_place at, struct slice key);

/* `name` as it is when absolute, else below the folder that holds `file`; NUL behind it.  ERR_LIMIT, ERR_NOMEM stick
 * in `out`. */
void ppg_load_path(const char *file, struct slice name, struct buf *out);

struct ppg_ini_line {
    struct ppg_place at;
    struct slice section; /* what stands between the brackets, trimmed; n 0: before the first */
    struct slice key;     /* n 0: the section begins here */
    struct slice value;   /* trimmed, comment cut off; may be empty */
};

/* Slices live in the text or until the call returns. */
typedef void ppg_ini_fn(const struct ppg_ini_line *line, void *arg);

/* Calls fn for each section and each key in order; tells about every line that is neither.  A comment is a line that
 * starts with # or ;, or what follows such a mark behind white space. */
void ppg_ini_read(struct ppg_load *load, struct slice text, const char *file, ppg_ini_fn *fn, void *arg);

/* "word: unknown what, did you mean X?", X being the nearest of the n names (pointers to text, `stride` octets apart)
 * when one is near. */
void ppg_load_say_unknown(struct ppg_load *load, const struct ppg_ini_line *line, const char *what,
                          struct slice word, const char *const *names, size_t stride, size_t n);

#endif
