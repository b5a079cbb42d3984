/* Options, times and files of the command line programs; see tool.h. */
#include "ppg/tool/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/scan.h"
#include "pap/time.h"

#define HELP_AT   34                           /* column of the explanations */
#define DIGITS_OK (INT64_C(100) * 365 * 86400) /* a hundred years, in seconds */

static enum err say(char why[TOOL_WHY_N], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static enum err say(char why[TOOL_WHY_N], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, TOOL_WHY_N, fmt, ap);
    va_end(ap);
    return ERR_MALFORMED;
}

static const struct tool_option *find(const struct tool_option *options, struct slice name)
{
    for (const struct tool_option *o = options; o->name; o++)
        if (slice_eq(name, slice_str(o->name)))
            return o;
    return NULL;
}

static enum err list_add(struct tool_list *list, const char *text, const char *name, char why[TOOL_WHY_N])
{
    if (list->n == TOOL_LIST_MAX)
        return say(why, "%s: more than %d of them", name, TOOL_LIST_MAX);
    list->v[list->n++] = text;
    return ERR_OK;
}

static enum err number_set(const struct tool_option *o, const char *text, int64_t *at, char why[TOOL_WHY_N])
{
    struct scan s = scan_of(slice_str(text));
    uint64_t v = scan_u64(&s, (uint64_t)o->min, (uint64_t)o->max);

    scan_end(&s);
    if (s.err)
        return say(why, "--%s: \"%.40s\" is not a number from %lld to %lld", o->name, text, (long long)o->min,
                   (long long)o->max);
    *at = (int64_t)v;
    return ERR_OK;
}

static enum err set(const struct tool_option *o, const char *text, void *into, char why[TOOL_WHY_N])
{
    void *at = (char *)into + o->at;

    switch (o->kind) {
    case TOOL_FLAG:
        *(bool *)at = true;
        return ERR_OK;
    case TOOL_TEXT:
        *(const char **)at = text;
        return ERR_OK;
    case TOOL_LIST:
        return list_add(at, text, o->name, why);
    case TOOL_NUMBER:
        return number_set(o, text, at, why);
    }
    return ERR_UNSUPPORTED;
}

/* "--name", "--name=value" or "--name value"; *i moves over the value. */
static enum err option(const struct tool_option *options, int argc, char *const *argv, int *i, void *into,
                       char why[TOOL_WHY_N])
{
    struct slice arg = slice_str(argv[*i] + 2);
    size_t eq = slice_find(arg, '=');
    const struct tool_option *o = find(options, slice_sub(arg, 0, eq));
    const char *value = eq == SIZE_MAX ? NULL : arg.p + eq + 1;

    if (!o)
        return say(why, "%.60s: no such option", argv[*i]);
    if (o->kind == TOOL_FLAG && value)
        return say(why, "--%s takes no value", o->name);
    if (o->kind != TOOL_FLAG && !value && ++*i == argc)
        return say(why, "--%s needs a value", o->name);
    return set(o, value ? value : argv[*i], into, why);
}

enum err tool_parse(const struct tool_option *options, int argc, char *const *argv, void *into,
                    struct tool_list *words, char why[TOOL_WHY_N])
{
    bool only_words = false;

    for (int i = 0; i < argc; i++) {
        struct slice arg = slice_str(argv[i]);
        enum err e;

        if (only_words || !slice_starts(arg, SLICE("-")) || arg.n == 1) {
            e = list_add(words, argv[i], "words", why);
        } else if (slice_eq(arg, SLICE("--"))) {
            only_words = true;
            continue;
        } else if (!slice_starts(arg, SLICE("--"))) {
            e = say(why, "%.60s: options begin with --", argv[i]);
        } else {
            e = option(options, argc, argv, &i, into, why);
        }
        if (e)
            return e;
    }
    return ERR_OK;
}

void tool_help(FILE *to, const struct tool_option *options)
{
    for (const struct tool_option *o = options; o->name; o++) {
        int n = fprintf(to, "  --%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");

        (void)fprintf(to, "%*s%s\n", n < HELP_AT ? HELP_AT - n : 1, "", o->help);
    }
}

static int64_t unit_s(int ch)
{
    return ch == 's' ? 1 : ch == 'm' ? 60 : ch == 'h' ? 3600 : ch == 'd' ? 86400 : 0;
}

/* "+" 1*DIGIT ( "s" / "m" / "h" / "d" ) */
enum err tool_time(struct slice text, int64_t now_s, int64_t *utc_s)
{
    struct scan s = scan_of(text);
    int64_t n, unit;

    if (!scan_skip_ch(&s, '+'))
        return pap_time_parse(text, false, utc_s);
    n = (int64_t)scan_u64(&s, 0, (uint64_t)DIGITS_OK);
    unit = unit_s(scan_peek(&s));
    if (s.err)
        return s.err;
    if (unit == 0 || scan_left(&s).n != 1)
        return ERR_MALFORMED;
    if (n > (PAP_TIME_MAX_S - now_s) / unit)
        return ERR_LIMIT;
    *utc_s = now_s + n * unit;
    return ERR_OK;
}

enum err tool_read(const char *path, struct buf *out)
{
    bool standard = !path || slice_eq(slice_str(path), SLICE("-"));
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    enum err e = fd < 0 ? ERR_IO : ERR_OK;

    if (!e)
        e = fd_read(fd, out);
    if (fd >= 0 && !standard) {
        int why = errno;

        (void)close(fd);
        errno = why;
    }
    return e;
}

const char *tool_read_why(enum err e)
{
    return e == ERR_IO ? strerror(errno) : err_text(e);
}

enum err tool_login(const char *in, struct buf *text, struct slice *user, struct slice *password)
{
    const char *colon = strchr(in, ':');
    struct slice rest;
    enum err e = !colon || colon == in ? ERR_MALFORMED : tool_read(colon + 1, text);

    if (e)
        return e;
    *user = slice_of(in, (size_t)(colon - in));
    (void)slice_cut(buf_slice(text), '\n', password, &rest);
    return ERR_OK;
}

enum err tool_claim(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0)
        return errno == EEXIST ? ERR_EXISTS : ERR_IO;
    return close(fd) ? ERR_IO : ERR_OK;
}

void tool_unclaim(const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && st.st_size == 0)
        (void)unlink(path);
}

enum err tool_write(const char *path, struct slice text)
{
    char beside[1024];
    int n = snprintf(beside, sizeof beside, "%s.new", path);
    FILE *f;
    bool good;

    if (n < 0 || (size_t)n >= sizeof beside)
        return ERR_LIMIT;
    f = fopen(beside, "we");
    if (!f)
        return ERR_IO;
    good = fwrite(text.p, 1, text.n, f) == text.n;
    good = fclose(f) == 0 && good && rename(beside, path) == 0;
    if (!good)
        (void)unlink(beside);
    return good ? ERR_OK : ERR_IO;
}

void tool_print(FILE *to, struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char ch = (unsigned char)text.p[i];

        (void)fputc(ch < 0x20 || ch == 0x7f ? '?' : ch, to);
    }
}
