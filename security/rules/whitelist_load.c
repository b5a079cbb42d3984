/* Reads a whitelist and the address files it names, line by line with stdio; the parsing and the table are
 * elsewhere.  Bounded in line length, rules and addresses.  Blocking: never on a loop. */
#include "security/rules/whitelist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/mem.h"
#include "security/address.h"
#include "security/rules/addrset.h"

#define PATH_MAX_N 4096

/* A file being read. */
struct reader {
    FILE *f;
    const char *path;
    const struct reader *by; /* an address file: the list whose rule names it; else NULL */
    uint32_t line;
    char text[SEC_WHITELIST_LINE_MAX_N + 4]; /* a line, a byte order mark and a CR */
    struct sec_load_error *e;
};

static enum err fail(struct reader *r, enum err e, const char *what)
{
    (void)snprintf(r->e->file, sizeof r->e->file, "%s", r->path);
    r->e->line = r->line;
    (void)snprintf(r->e->what, sizeof r->e->what, "%s", what);
    return e;
}

/* The file as a whole is no good, errno says why, unless it is 0: told where the file is named. */
static enum err fail_file(struct reader *r, const char *what)
{
    const struct reader *at = r->by ? r->by : r;
    const char *colon = errno ? ": " : "", *why = errno ? strerror(errno) : "";

    (void)snprintf(r->e->file, sizeof r->e->file, "%s", at->path);
    r->e->line = at->line;
    (void)snprintf(r->e->what, sizeof r->e->what, "%s%s%s%s%s", r->by ? r->path : "", r->by ? " " : "", what,
                   colon, why);
    return ERR_IO;
}

/* A FIFO must not hold us up, and is no list; NULL: errno says why, and 0 that it is no file. */
static FILE *file_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    FILE *f = NULL;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
        f = fdopen(fd, "r");
    else
        errno = 0;
    if (!f) {
        int why = errno;

        (void)close(fd);
        errno = why;
    }
    return f;
}

static enum err reader_open(struct reader *r, const char *path, const struct reader *by,
                            struct sec_load_error *e)
{
    r->path = path;
    r->by = by;
    r->line = 0;
    r->e = e;
    r->f = file_open(path);
    return r->f ? ERR_OK : fail_file(r, errno ? "cannot be opened" : "is not a file");
}

/* Text that stands for the file of that name. */
static enum err reader_open_text(struct reader *r, const char *path, struct slice text,
                                 struct sec_load_error *e)
{
    *r = (struct reader){.path = path, .e = e};
    r->f = fmemopen((char *)(uintptr_t)(text.n ? text.p : ""), text.n, "r");
    return r->f ? ERR_OK : fail_file(r, "cannot be read");
}

/* Octets up to the end of the line, which is taken too.  ERR_ABSENT at the end of the file. */
static enum err reader_octets(struct reader *r, size_t *n)
{
    int ch;

    r->line++;
    for (*n = 0; (ch = getc_unlocked(r->f)) != EOF && ch != '\n'; r->text[(*n)++] = (char)ch) {
        if (ch == 0)
            return fail(r, ERR_MALFORMED, "a NUL in it: not a text file");
        if (*n == sizeof r->text)
            return fail(r, ERR_LIMIT, "line too long");
    }
    if (ch == EOF && ferror(r->f)) {
        r->line = 0;
        return fail_file(r, "cannot be read");
    }
    return ch == EOF && *n == 0 ? ERR_ABSENT : ERR_OK;
}

/* The next line without its end, and the first without a byte order mark. */
static enum err reader_line(struct reader *r, struct slice *out)
{
    struct slice line;
    size_t n;
    enum err e = reader_octets(r, &n);

    if (e)
        return e;
    if (n && r->text[n - 1] == '\r')
        n--;
    line = slice_of(r->text, n);
    if (r->line == 1 && slice_starts(line, SLICE("\xEF\xBB\xBF")))
        line = slice_sub(line, 3, n);
    *out = line;
    return ERR_OK;
}

/* One address a line; blank lines and comments are skipped. */
static enum err address_add(struct reader *r, struct slice line, struct sec_addrset *set)
{
    struct slice text = slice_trim(slice_sub(line, 0, slice_find(line, '#')));
    struct sec_address a;
    enum err e;

    if (text.n == 0)
        return ERR_OK;
    if (sec_address_canonical(text, &a))
        return fail(r, ERR_MALFORMED, "not an address");
    e = sec_addrset_add(set, slice_of(a.text, a.n));
    return e ? fail(r, e, "too many addresses") : ERR_OK;
}

static enum err addresses_load(const char *path, const struct reader *by, struct sec_addrset *set)
{
    struct reader r;
    struct slice line;
    enum err e = reader_open(&r, path, by, by->e);

    if (e)
        return e;
    while (!(e = reader_line(&r, &line))) {
        e = address_add(&r, line, set);
        if (!e && sec_addrset_count(set) > SEC_WHITELIST_FILE_ADDR_MAX)
            e = fail(&r, ERR_LIMIT, "too many addresses");
        if (e)
            break;
    }
    (void)fclose(r.f);
    return e == ERR_ABSENT ? ERR_OK : e;
}

/* A name beside the list, unless it is absolute. */
static enum err beside(const char *list, struct slice name, char path[PATH_MAX_N])
{
    const char *slash = strrchr(list, '/');
    int dir_n = slash && !slice_starts(name, SLICE("/")) ? (int)(slash - list) + 1 : 0;
    int n = snprintf(path, PATH_MAX_N, "%.*s%.*s", dir_n, list, SLICE_FMT(name));

    return n < 0 || n >= PATH_MAX_N ? ERR_LIMIT : ERR_OK;
}

static enum err set_load(struct reader *r, struct sec_whitelist *w, struct slice name,
                         struct sec_addrset **set)
{
    char path[PATH_MAX_N];
    bool fresh;

    if (beside(r->path, name, path))
        return fail(r, ERR_LIMIT, "file name too long");
    if (sec_whitelist_set(w, name, set, &fresh))
        return fail(r, ERR_NOMEM, "out of memory");
    return fresh ? addresses_load(path, r, *set) : ERR_OK;
}

/* The set of a group holds its members, and the name a push to the group as such comes under. */
static enum err group_load(struct reader *r, const struct sec_whitelist_source *from, struct sec_whitelist *w,
                           struct slice name, struct sec_addrset **set)
{
    char key[SEC_ADDRESS_MAX_N];
    int n = snprintf(key, sizeof key, "$%.*s", SLICE_FMT(name));
    bool fresh;
    enum err e;

    if (n < 0 || (size_t)n >= sizeof key)
        return fail(r, ERR_LIMIT, "recipient: the group's name is too long");
    if (sec_whitelist_set(w, slice_of(key, (size_t)n), set, &fresh))
        return fail(r, ERR_NOMEM, "out of memory");
    if (!fresh)
        return ERR_OK;
    e = from->group ? from->group(from->arg, slice_of(key, (size_t)n), *set) : ERR_ABSENT;
    if (!e)
        e = sec_addrset_add(*set, slice_of(key, (size_t)n));
    if (!e)
        return ERR_OK;
    return fail(r, e == ERR_ABSENT ? ERR_MALFORMED : e,
                e == ERR_ABSENT ? "recipient: there is no such group" : err_text(e));
}

static const char *add_fault(enum err e)
{
    return e == ERR_LIMIT ? "too many rules" : e == ERR_EXISTS ? "path: it has an acl already" : err_text(e);
}

static enum err rule_add(struct reader *r, const struct sec_whitelist_source *from, struct slice text,
                         struct sec_whitelist *w)
{
    struct sec_whitelist_line line;
    struct sec_addrset *set = NULL;
    const char *why = NULL;
    enum err e = sec_whitelist_parse_line(text, &line, &why);

    if (e == ERR_ABSENT)
        return ERR_OK;
    if (e)
        return fail(r, e, why);
    if (line.rule != SEC_RULE_ACL && line.kind == SEC_RECIPIENT_FILE)
        e = set_load(r, w, line.recipient, &set);
    else if (line.rule != SEC_RULE_ACL && line.kind == SEC_RECIPIENT_GROUP)
        e = group_load(r, from, w, line.recipient, &set);
    if (e)
        return e;
    e = sec_whitelist_add(w, &line, r->line, set);
    if (!e)
        e = sec_whitelist_note(w, text);
    return e ? fail(r, e, add_fault(e)) : ERR_OK;
}

enum err sec_whitelist_load(const struct sec_whitelist_source *from, struct sec_whitelist **out,
                            struct sec_load_error *error)
{
    struct sec_whitelist *w = NULL;
    struct reader r;
    struct slice line;
    enum err e = from->text ? reader_open_text(&r, from->path, *from->text, error)
                            : reader_open(&r, from->path, NULL, error);

    if (e)
        return e;
    e = sec_whitelist_create(from->path, &w);
    if (e)
        (void)fail(&r, e, "out of memory");
    while (!e && !(e = reader_line(&r, &line)))
        e = rule_add(&r, from, line, w);
    (void)fclose(r.f);
    if (e != ERR_ABSENT) {
        sec_whitelist_free(&w);
        return e;
    }
    *out = w;
    return ERR_OK;
}
