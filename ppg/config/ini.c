/* Lines of INI text, each with its number, and the telling of mistakes; see ini.h.  inih is given one line at
 * a time through its stream reader, so that the handler knows where it is.  Off the loops. */
#include "ppg/config/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"

#define WHAT_MAX_N 256 /* octets that say what is wrong, with the NUL */
#define WORD_MAX_N 40  /* octets of a word that a suggestion is looked for */

struct reading {
    struct ppg_load *load;
    struct slice left; /* lines not read yet */
    struct ppg_ini_line line;
    bool waiting; /* inih has a line that must turn out to be a key */
    ppg_ini_fn *fn;
    void *arg;
};

/* hidden: not for logs. */
static void tell(struct ppg_load *load, enum err e, struct ppg_place at, struct slice key, bool hidden,
                 const char *fmt, va_list args)
{
    struct ppg_config_errors *errs = load->errs;
    size_t size = sizeof errs->text[0], before;
    char *text;

    load->err = load->err ? load->err : e;
    if (errs->n == PPG_CONFIG_ERRORS_MAX) {
        errs->more++;
        return;
    }
    text = errs->text[errs->n];
    key.n = num_min(key.n, 64);
    (void)snprintf(text, size, "%.160s:%u: ", at.file, at.line);
    before = strlen(text);
    (void)snprintf(text + before, size - before, "%.*s%s", SLICE_FMT(key), key.n ? ": " : "");
    errs->name[errs->n].at = before;
    errs->name[errs->n].n = hidden ? strlen(text) - before : 0;
    before = strlen(text);
    (void)vsnprintf(text + before, num_min(size - before, WHAT_MAX_N), fmt, args);
    errs->n++;
}

void ppg_load_say(struct ppg_load *load, enum err e, struct ppg_place at, struct slice key, const char *fmt,
                  ...)
{
    va_list args;

    va_start(args, fmt);
    tell(load, e, at, key, false, fmt, args);
    va_end(args);
}

void ppg_load_say_of(struct ppg_load *load, enum err e, struct ppg_place at, struct slice name,
                     const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    tell(load, e, at, name, true, fmt, args);
    va_end(args);
}

bool ppg_load_mode(struct ppg_load *load, const char *path, const struct stat *st, unsigned forbidden,
                   struct ppg_place at, struct slice key)
{
    if (!(st->st_mode & forbidden))
        return true;
    ppg_load_say(load, ERR_DENIED, at, key, "%s is open to others: mode %04o, at most %04o", path,
                 (unsigned)st->st_mode & 0777, 0640 & ~forbidden);
    return false;
}

/* n octets, as far as is known; a NUL behind them. */
static enum err read_all(int fd, size_t n, struct buf *text)
{
    enum err e = buf_room(text, n + 1) ? fd_read(fd, text) : buf_err(text);

    if (e)
        return e;
    buf_add_ch(text, '\0');
    if (buf_err(text))
        return buf_err(text);
    buf_cut(text, text->n - 1);
    return ERR_OK;
}

enum err ppg_load_file(struct ppg_load *load, const char *path, size_t max_n, unsigned forbidden,
                       struct ppg_place at, struct slice key, struct buf *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hold us up */
    enum err e = ERR_IO;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0) {
        ppg_load_say(load, e, at, key, "cannot open %s: %s", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        ppg_load_say(load, e, at, key, "%s is not a file", path);
    } else if (!ppg_load_mode(load, path, &st, forbidden, at, key)) {
        e = ERR_DENIED;
    } else if ((uint64_t)st.st_size > max_n) {
        e = ERR_LIMIT;
        ppg_load_say(load, e, at, key, "%s is too long: at most %zu octets", path, max_n);
    } else {
        buf_init(text, max_n + 1);
        e = read_all(fd, (size_t)st.st_size, text);
        if (e)
            ppg_load_say(load, e, at, key, "cannot read %s: %s", path, err_text(e));
    }
    if (fd >= 0)
        (void)close(fd);
    return e;
}

void ppg_load_path(const char *file, struct slice name, struct buf *out)
{
    const char *slash = strrchr(file, '/');

    if (slash && !slice_starts(name, SLICE("/")))
        buf_add(out, slice_of(file, (size_t)(slash - file) + 1));
    buf_add(out, name);
    buf_add_ch(out, '\0');
}

static void say(struct reading *r, const char *what)
{
    ppg_load_say(r->load, ERR_MALFORMED, r->line.at, SLICE_NONE, "%s", what);
}

static bool is_comment(struct slice s)
{
    return s.n == 0 || *s.p == '#' || *s.p == ';';
}

/* "[name]", a comment may follow.  inih would cut the name at 49 octets and not tell of a section without keys. */
static void begin_section(struct reading *r, struct slice line)
{
    struct slice name, behind;

    if (!slice_cut(slice_sub(line, 1, line.n), ']', &name, &behind) || !is_comment(slice_trim(behind))) {
        say(r, "a section is written [name]");
        return;
    }
    r->line.section = slice_trim(name);
    r->line.key = r->line.value = SLICE_NONE;
    r->fn(&r->line, r->arg);
}

static bool has_control(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t')
            return true;
    return false;
}

/* What inih may see of a line: nothing, or a line that should be a key and its value. */
static struct slice take_line(struct reading *r)
{
    struct slice line;

    (void)slice_cut(r->left, '\n', &line, &r->left);
    r->line.at.line++;
    if (slice_ends(line, SLICE("\r")))
        line.n--;
    line = slice_trim(line); /* inih takes an indented line for more of the last value */
    if (is_comment(line))
        return SLICE_NONE;
    if (has_control(line)) {
        say(r, "control character");
    } else if (line.n > PPG_INI_LINE_MAX_N) {
        say(r, "line too long, at most 4096 octets");
    } else if (*line.p == '[') {
        begin_section(r, line);
    } else {
        r->waiting = true;
        return line;
    }
    return SLICE_NONE;
}

static void end_line(struct reading *r)
{
    if (r->waiting)
        say(r, "neither [section] nor key = value");
    r->waiting = false;
}

/* inih's reader: one line into out[0..n). */
static char *next_line(char *out, int n, void *arg)
{
    struct reading *r = arg;
    struct slice line;

    end_line(r);
    if (r->left.n == 0)
        return NULL;
    line = take_line(r);
    if (mem_cstr(out, (size_t)n, line) != ERR_OK)
        return NULL;
    return out;
}

/* inih knows comments behind a value by ';' alone. */
static struct slice cut_comment(struct slice value)
{
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] == '#' && (i == 0 || value.p[i - 1] == ' ' || value.p[i - 1] == '\t'))
            return slice_trim(slice_sub(value, 0, i));
    return slice_trim(value);
}

static int take_key(void *arg, const char *section, const char *name, const char *value)
{
    struct reading *r = arg;

    (void)section;
    if (*name == '\0')
        return 1; /* "= value": end_line() tells */
    r->waiting = false;
    r->line.key = slice_str(name);
    r->line.value = cut_comment(slice_str(value));
    r->fn(&r->line, r->arg);
    return 1;
}

/* The library's line length is a variable of the process; it is set once, before the first use. */
static void widen_lines(void)
{
    ini_max_line = PPG_INI_LINE_MAX_N + 3; /* it wants room for CR, LF and NUL */
}

void ppg_ini_read(struct ppg_load *load, struct slice text, const char *file, ppg_ini_fn *fn, void *arg)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct reading r = {.load = load, .left = text, .line.at.file = file, .fn = fn, .arg = arg};

    (void)pthread_once(&once, widen_lines);
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        r.left = slice_sub(text, 3, text.n);
    (void)ini_parse_stream(next_line, &r, take_key,
                           &r); /* its one error is a line that end_line() tells of */
}

/* Octets to insert, delete or change to make `a` of `b` (Levenshtein); both at most WORD_MAX_N. */
static size_t distance(struct slice a, struct slice b)
{
    size_t row[WORD_MAX_N + 1], left, above_left;

    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 0; i < a.n; i++) {
        above_left = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.n; j++) {
            left = row[j];
            size_t changed = above_left + (a.p[i] != b.p[j]);

            above_left = row[j + 1];
            row[j + 1] = num_min(changed, num_min(left, above_left) + 1);
        }
    }
    return row[b.n];
}

/* The nearest of `names`, or NULL when none is near. */
static const char *nearest(struct slice word, const char *const *names, size_t stride, size_t n)
{
    const char *best = NULL;
    size_t best_d = 4; /* further away is another word */

    for (size_t i = 0; i < n && word.n <= WORD_MAX_N; i++) {
        struct slice name =
            slice_str(*(const char *const *)(const void *)((const char *)(const void *)names + i * stride));
        size_t d = name.n > WORD_MAX_N ? best_d : distance(name, word);

        if (d < best_d && d < word.n) {
            best_d = d;
            best = name.p;
        }
    }
    return best;
}

void ppg_load_say_unknown(struct ppg_load *load, const struct ppg_ini_line *line, const char *what,
                          struct slice word, const char *const *names, size_t stride, size_t n)
{
    const char *near = nearest(word, names, stride, n);

    ppg_load_say_of(load, ERR_MALFORMED, line->at, word, "unknown %s%s%s%s", what,
                    near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
}
