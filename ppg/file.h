/* Files of the configuration that the gateway itself changes: read whole, put in place whole.  A reader of the file sees
 * the old text or the new, never a mixture, also after a power cut.  Blocks: off the loops. */
#ifndef PPG_FILE_H
#define PPG_FILE_H

#include <sys/stat.h>
#include "base/buf.h"

#define PPG_FILE_WHY_N 256

/* What a file was when it was read; tells whether somebody else has changed it since. */
struct ppg_file_stamp {
    struct stat st;
};

/* Appends the file to *text up to its ceiling.  ERR_IO, ERR_LIMIT, ERR_NOMEM with why[]. */
enum err ppg_file_read(const char *path, struct buf *text, struct ppg_file_stamp *mark,
                       char why[PPG_FILE_WHY_N]) MUST_USE;

/* Written beside it, synced, renamed over it, its folder synced; mode, owner and a symbolic link to it stay.  On success
 * *mark is that of the new file.  ERR_LATE: it is not the file that was marked; ERR_IO: nothing has changed, or, when
 * only the last sync failed, it has and may be gone after a power cut.  Both with why[]. */
enum err ppg_file_replace(const char *path, struct slice text, struct ppg_file_stamp *mark,
                          char why[PPG_FILE_WHY_N]) MUST_USE;

/* The folder's entries survive a power cut.  ERR_IO. */
enum err ppg_file_sync_folder(const char *path_of_a_file) MUST_USE;

#endif
