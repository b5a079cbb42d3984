/* Reads a whitelist and the address files it names, line by line with stdio; the parsing and the table are
 * elsewhere.  Bounded in line length, rules and addresses.  Blocking: never on a loop. */
#include "security/whitelist.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"
#include "security/address.h"
#include "security/addrset.h"

#define PATH_MAX_N 4096

/* A file being read. */
struct reader {
    FILE *f;
    const char *path;
    const struct reader *by; /* an address file: the list whose rule names it; else NULL */
    uint32_t line;
    char text[SEC_WHITELIST_LINE_MAX_N + 2]; /* a line, its end and a NUL */
    struct sec_load_error *e;
};

static enum err fail(struct reader *r, enum err e, const char *what)
{
    (void)snprintf(r->e->file, sizeof r->e->file, "%s", r->path);
    r->e->line = r->line;
    (void)snprintf(r->e->what, sizeof r->e->what, "%s", what);
    return e;
}

/* The file as a whole is no good, errno says why: told where the file is named. */
static enum err fail_file(struct reader *r, const char *what)
{
    const struct reader *at = r->by ? r->by : r;
    const char *why = strerror(errno);

    (void)snprintf(r->e->file, sizeof r->e->file, "%s", at->path);
    r->e->line = at->line;
    (void)snprintf(r->e->what, sizeof r->e->what, "%s%s%s: %s", r->by ? r->path : "", r->by ? " " : "", what,
                   why);
    return ERR_IO;
}

static enum err reader_open(struct reader *r, const char *path, const struct reader *by,
                            struct sec_load_error *e)
{
    r->path = path;
    r->by = by;
    r->line = 0;
    r->e = e;
    r->f = fopen(path, "re");
    return r->f ? ERR_OK : fail_file(r, "cannot be opened");
}

/* The next line without its end.  ERR_ABSENT at the end of the file. */
static enum err reader_line(struct reader *r, struct slice *out)
{
    size_t n;

    if (!fgets(r->text, sizeof r->text, r->f))
        return ferror(r->f) ? fail_file(r, "cannot be read") : ERR_ABSENT;
    r->line++;
    n = strlen(r->text);
    if (n && r->text[n - 1] == '\n')
        n--;
    else if (!feof(r->f))
        return fail(r, ERR_LIMIT, "line too long, or a NUL in it");
    if (n && r->text[n - 1] == '\r')
        n--;
    *out = slice_of(r->text, n);
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

static enum err rule_add(struct reader *r, struct slice text, struct sec_whitelist *w)
{
    struct sec_whitelist_line line;
    struct sec_addrset *set = NULL;
    const char *why = NULL;
    enum err e = sec_whitelist_parse_line(text, &line, &why);

    if (e == ERR_ABSENT)
        return ERR_OK;
    if (e)
        return fail(r, e, why);
    if (line.kind == SEC_RECIPIENT_FILE)
        e = set_load(r, w, line.recipient, &set);
    if (e)
        return e;
    e = sec_whitelist_add(w, &line, r->line, set);
    return e ? fail(r, e, e == ERR_LIMIT ? "too many rules" : err_text(e)) : ERR_OK;
}

enum err sec_whitelist_load(const char *path, struct sec_whitelist **out, struct sec_load_error *error)
{
    struct sec_whitelist *w = NULL;
    struct reader r;
    struct slice line;
    enum err e = reader_open(&r, path, NULL, error);

    if (e)
        return e;
    e = sec_whitelist_create(path, &w);
    if (e)
        (void)fail(&r, e, "out of memory");
    while (!e && !(e = reader_line(&r, &line)))
        e = rule_add(&r, line, w);
    (void)fclose(r.f);
    if (e != ERR_ABSENT) {
        sec_whitelist_free(&w);
        return e;
    }
    *out = w;
    return ERR_OK;
}
