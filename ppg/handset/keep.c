/* A file that is there whole or as it was; see keep.h. */
#include "ppg/handset/keep.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"

enum err tool_keep(const char *path, struct slice text)
{
    char beside[4096];
    int n = snprintf(beside, sizeof beside, "%s.new", path), fd;
    bool good;

    if (n < 0 || (size_t)n >= sizeof beside)
        return ERR_LIMIT;
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return ERR_IO;
    good = fd_write(fd, text) == ERR_OK && fsync(fd) == 0;
    good = close(fd) == 0 && good && rename(beside, path) == 0;
    if (!good)
        (void)unlink(beside);
    return good ? ERR_OK : ERR_IO;
}
