/* Files that are replaced whole; see file.h.  Off the loops. */
#include "ppg/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

static enum err fail(enum err e, const char *path, const char *what, char why[PPG_FILE_WHY_N])
{
    (void)snprintf(why, PPG_FILE_WHY_N, "%.160s: %s%s%s", path, what, e == ERR_IO ? ": " : "",
                   e == ERR_IO ? strerror(errno) : "");
    return e;
}

enum err ppg_file_read(const char *path, struct buf *text, struct ppg_file_stamp *mark,
                       char why[PPG_FILE_WHY_N])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hold us up */
    enum err e;

    if (fd < 0)
        return fail(ERR_IO, path, "cannot be opened", why);
    e = fstat(fd, &mark->st) == 0 ? fd_read(fd, text) : ERR_IO;
    if (e)
        (void)fail(e, path, e == ERR_LIMIT ? "too big" : "cannot be read", why);
    (void)close(fd);
    return e;
}

enum err ppg_file_sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];
    int n = slash ? snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path)
                  : snprintf(folder, sizeof folder, ".");
    int fd = n > 0 && (size_t)n < sizeof folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    enum err e = fd >= 0 && fsync(fd) == 0 ? ERR_OK : ERR_IO;

    if (fd >= 0)
        (void)close(fd);
    return e;
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The new file, complete and on disk.  Who may read the old one may read it: mode and owner go with it; another owner can
 * only be kept by root. */
static enum err write_beside(int fd, struct slice text, const struct stat *as, struct stat *now)
{
    if (fd_write(fd, text) || fchmod(fd, as->st_mode & 07777) != 0)
        return ERR_IO;
    if ((as->st_uid != geteuid() || as->st_gid != getegid()) && fchown(fd, as->st_uid, as->st_gid) != 0 &&
        errno != EPERM)
        return ERR_IO;
    return fsync(fd) == 0 && fstat(fd, now) == 0 ? ERR_OK : ERR_IO;
}

static enum err rename_checked(const char *from, const char *path, const struct stat *was,
                               char why[PPG_FILE_WHY_N])
{
    struct stat is;

    if (stat(path, &is) != 0)
        return fail(ERR_IO, path, "cannot be looked at", why);
    if (!same(&is, was))
        return fail(ERR_LATE, path, "was changed by somebody else meanwhile", why);
    return rename(from, path) == 0 ? ERR_OK : fail(ERR_IO, path, "cannot be replaced", why);
}

static enum err replace(const char *real, struct slice text, struct ppg_file_stamp *mark,
                        char why[PPG_FILE_WHY_N])
{
    char beside[PATH_MAX];
    struct stat now;
    int n = snprintf(beside, sizeof beside, "%s.XXXXXX", real);
    int fd = n > 0 && (size_t)n < sizeof beside ? mkostemp(beside, O_CLOEXEC) : -1;
    enum err e;

    if (fd < 0)
        return fail(ERR_IO, real, "no file can be made beside it", why);
    e = write_beside(fd, text, &mark->st, &now);
    if (e)
        (void)fail(e, beside, "cannot be written", why);
    (void)close(fd);
    if (!e)
        e = rename_checked(beside, real, &mark->st, why);
    if (e) {
        (void)unlink(beside);
        return e;
    }
    mark->st = now;
    return ppg_file_sync_folder(real) ? fail(ERR_IO, real, "its folder cannot be synced", why) : ERR_OK;
}

enum err ppg_file_replace(const char *path, struct slice text, struct ppg_file_stamp *mark,
                          char why[PPG_FILE_WHY_N])
{
    char *real = realpath(path, NULL);
    enum err e = real ? replace(real, text, mark, why) : fail(ERR_IO, path, "cannot be found", why);

    free(real);
    return e;
}
