/* Where the log goes.  Opened at the start and again by every reload, so that a file which was moved away (logrotate)
 * is not written to for ever.  Blocks: off the loops. */
#ifndef PPG_LOGFILE_H
#define PPG_LOGFILE_H

#include "base/err.h"

/* A descriptor of its own that appends to the file, made with mode 0600 when it is not there; NULL: standard error.
 * The caller closes it.  ERR_IO with errno. */
enum err ppg_logfile_open(const char *path, int *fd) MUST_USE;

#endif
