/* A keyring on disk: reading it and its master key, and putting a changed one in its place.
 *
 * A change, in this order: take the lock of the folder; read; change; write PATH.new; fsync it; rename it over PATH; fsync the
 * folder.  Until the rename the old file is there whole, from it on the new one; a PATH.new that somebody left behind is
 * overwritten.  With another master key it is the same: before the rename the file opens with the old one, after it with the new
 * one, and both are named until the operator takes the old one away.  Blocks: off the loops. */
#include "security/keyring_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/codec.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"

#define PATH_N       1024
#define MASTER_MAX_N (2 * SEC_MASTER_N + 1) /* digits and the end of the line */
#define CREDENTIAL   SLICE("credential:")

static enum err say(char why[SEC_KEYRING_WHY_N], enum err e, const char *path, const char *what)
{
    (void)snprintf(why, SEC_KEYRING_WHY_N, "%.180s: %.60s", path, what);
    return e;
}

/* --- reading --- */

static enum err read_fd(int fd, size_t n, struct buf *out)
{
    enum err e = buf_room(out, n) ? fd_read(fd, out) : buf_err(out);

    return e || out->n == n ? e : ERR_IO;
}

/* A regular file that grants nothing in `forbidden`; at most max_n octets, which the caller wipes. */
static enum err read_file(const char *path, unsigned forbidden, size_t max_n, struct buf *out,
                          char why[SEC_KEYRING_WHY_N])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); /* a FIFO must not hold us up */
    struct stat st;
    enum err e;

    if (fd < 0)
        return say(why, errno == ENOENT ? ERR_ABSENT : ERR_IO, path, strerror(errno));
    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        e = say(why, ERR_DENIED, path, "not a file");
    else if (st.st_mode & forbidden)
        e = say(why, ERR_DENIED, path, "is open to others; it must be its owner's alone (mode 0600)");
    else if ((uint64_t)st.st_size > max_n)
        e = say(why, ERR_LIMIT, path, "is too long");
    else if ((e = read_fd(fd, (size_t)st.st_size, out)))
        (void)say(why, e, path, err_text(e));
    (void)close(fd);
    return e;
}

/* Where a master key is; *forbidden: what its file may not grant.  The system's manager shares credentials with a service
 * by an access list, which shows as read permission of the group. */
static enum err master_path(const char *name, char path[PATH_N], unsigned *forbidden,
                            char why[SEC_KEYRING_WHY_N])
{
    struct slice rest = slice_str(name);
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    int n;

    *forbidden = S_IRWXG | S_IRWXO;
    if (!slice_starts(rest, CREDENTIAL)) {
        n = snprintf(path, PATH_N, "%s", name);
        return n < PATH_N ? ERR_OK : say(why, ERR_LIMIT, name, "name too long");
    }
    rest = slice_sub(rest, CREDENTIAL.n, rest.n);
    if (!folder)
        return say(why, ERR_ABSENT, name, "$CREDENTIALS_DIRECTORY is not set");
    if (!rest.n || slice_find(rest, '/') != SIZE_MAX || *rest.p == '.')
        return say(why, ERR_MALFORMED, name, "not the name of a credential");
    *forbidden = S_IWGRP | S_IXGRP | S_IRWXO;
    n = snprintf(path, PATH_N, "%s/%.*s", folder, SLICE_FMT(rest));
    return n < PATH_N ? ERR_OK : say(why, ERR_LIMIT, name, "name too long");
}

/* 64 hexadecimal digits as the last part of a name: a key itself, which no message may have. */
static bool is_key(const char *name)
{
    struct slice all = slice_str(name),
                 last = slice_sub(all, all.n - num_min(all.n, 2 * SEC_MASTER_N), all.n);
    uint8_t octets[SEC_MASTER_N];
    bool is = !codec_unhex(last, octets, sizeof octets) &&
              (last.p == all.p || last.p[-1] == '/' || last.p[-1] == ':');

    mem_wipe(octets, sizeof octets);
    return is;
}

enum err sec_master_read(const char *name, struct sec_secret *secret, char why[SEC_KEYRING_WHY_N])
{
    uint8_t octets[SEC_MASTER_N];
    char path[PATH_N];
    unsigned forbidden;
    struct slice text;
    struct buf in;
    enum err e;

    if (is_key(name))
        return say(why, ERR_MALFORMED, "a key itself", "put it into a file and name that here");
    e = master_path(name, path, &forbidden, why);
    if (e)
        return e;
    buf_init(&in, MASTER_MAX_N);
    e = read_file(path, forbidden, MASTER_MAX_N, &in, why);
    text = buf_slice(&in);
    if (!e && slice_ends(text, SLICE("\n")))
        text.n--;
    if (!e && codec_unhex(text, octets, sizeof octets))
        e = say(why, ERR_MALFORMED, path, "is not 64 hexadecimal digits");
    if (!e)
        e = sec_secret_set(secret, slice_of(octets, sizeof octets));
    mem_wipe(octets, sizeof octets);
    buf_wipe(&in);
    return e;
}

struct masters {
    struct sec_secret now, previous;
};

static enum err masters_read(const struct sec_keyring_conf *conf, struct masters *m,
                             char why[SEC_KEYRING_WHY_N])
{
    enum err e;

    sec_secret_init(&m->now);
    sec_secret_init(&m->previous);
    e = sec_master_read(conf->master, &m->now, why);
    if (!e && conf->previous)
        e = sec_master_read(conf->previous, &m->previous, why);
    return e;
}

static void masters_clear(struct masters *m)
{
    sec_secret_clear(&m->now);
    sec_secret_clear(&m->previous);
}

static const char *fault(enum err e)
{
    switch (e) {
    case ERR_MALFORMED:
        return "damaged, or no keyring; put a backup in its place";
    case ERR_DENIED:
        return "is under another master key";
    case ERR_UNSUPPORTED:
        return "was written by a later version";
    default:
        return err_text(e);
    }
}

static enum err load(const struct sec_keyring_conf *conf, const struct masters *m, struct sec_keyring **out,
                     char why[SEC_KEYRING_WHY_N])
{
    struct buf in;
    enum err e;

    buf_init(&in, SEC_KEYRING_MAX_N);
    e = read_file(conf->path, S_IRWXG | S_IRWXO, SEC_KEYRING_MAX_N, &in, why);
    if (!e) {
        e = sec_keyring_parse(buf_slice(&in), sec_secret_slice(&m->now), sec_secret_slice(&m->previous), out);
        if (e)
            (void)say(why, e, conf->path, fault(e));
    }
    buf_clear(&in);
    return e;
}

enum err sec_keyring_load(const struct sec_keyring_conf *conf, struct sec_keyring **out,
                          char why[SEC_KEYRING_WHY_N])
{
    struct masters m;
    enum err e = masters_read(conf, &m, why);

    if (e == ERR_ABSENT)
        e = ERR_IO; /* who is told that something is absent begins a keyring of no keys */
    if (!e)
        e = load(conf, &m, out, why);
    masters_clear(&m);
    return e;
}

/* --- writing --- */

/* The folder that holds `path`, open and locked; -1 with *why. */
static int folder_lock(const char *path, char why[SEC_KEYRING_WHY_N])
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_N] = ".";
    int fd = -1;

    if (!slash ||
        !mem_cstr(folder, sizeof folder, slice_of(path, slash == path ? 1 : (size_t)(slash - path))))
        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX)) {
        (void)close(fd);
        fd = -1;
    }
    if (fd < 0)
        (void)say(why, ERR_IO, folder, strerror(errno));
    return fd;
}

static enum err write_fd(int fd, struct slice octets)
{
    enum err e = fd_write(fd, octets);

    return e || fsync(fd) == 0 ? e : ERR_IO;
}

/* The steps of the head comment from "write" on. */
static enum err replace(const char *path, int folder, struct slice octets, char why[SEC_KEYRING_WHY_N])
{
    char fresh[PATH_N + 8];
    enum err e;
    int fd;

    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    if (unlink(fresh) && errno != ENOENT)
        return say(why, ERR_IO, fresh, strerror(errno));
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return say(why, ERR_IO, fresh, strerror(errno));
    e = write_fd(fd, octets);
    if (close(fd))
        e = ERR_IO;
    if (e || rename(fresh, path)) {
        e = say(why, ERR_IO, fresh, strerror(errno));
        (void)unlink(fresh);
        return e;
    }
    return fsync(folder) ? say(why, ERR_IO, path, strerror(errno)) : ERR_OK;
}

static enum err save(const struct sec_keyring *r, const char *path, int folder, char why[SEC_KEYRING_WHY_N])
{
    struct buf out;
    enum err e;

    buf_init(&out, SEC_KEYRING_MAX_N);
    e = sec_keyring_print(r, &out);
    if (e)
        (void)say(why, e, path, err_text(e));
    else
        e = replace(path, folder, buf_slice(&out), why);
    buf_clear(&out);
    return e;
}

static enum err change_locked(const struct sec_keyring_conf *conf, const struct masters *m, int folder,
                              sec_keyring_change_fn *fn, void *arg, char why[SEC_KEYRING_WHY_N])
{
    struct sec_keyring *r = NULL;
    enum err e = load(conf, m, &r, why);

    if (e == ERR_ABSENT)
        e = sec_keyring_create(sec_secret_slice(&m->now), &r);
    if (!e) {
        (void)say(why, ERR_OK, conf->path, "refused");
        e = fn(r, arg);
    }
    if (!e)
        e = save(r, conf->path, folder, why);
    sec_keyring_free(&r);
    return e;
}

enum err sec_keyring_change(const struct sec_keyring_conf *conf, sec_keyring_change_fn *fn, void *arg,
                            char why[SEC_KEYRING_WHY_N])
{
    struct masters m;
    enum err e = masters_read(conf, &m, why);
    int folder = e ? -1 : folder_lock(conf->path, why);

    if (!e && folder < 0)
        e = ERR_IO;
    if (!e)
        e = change_locked(conf, &m, folder, fn, arg, why);
    if (folder >= 0)
        (void)close(folder); /* and with it the lock */
    masters_clear(&m);
    return e;
}
