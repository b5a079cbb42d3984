/* The file of the log; see logfile.h. */
#include "ppg/logfile.h"

#include <fcntl.h>
#include <unistd.h>

enum err ppg_logfile_open(const char *path, int *fd)
{
    int got = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
                   : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

    if (got < 0)
        return ERR_IO;
    *fd = got;
    return ERR_OK;
}
