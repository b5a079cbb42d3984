/* A number on disk that only grows: the serial of the policy of algorithms that was in force last, so that no older one
 * is taken again.  Blocks: off the loops. */
#ifndef PPG_SERIAL_H
#define PPG_SERIAL_H

#include <stdint.h>
#include "ppg/file.h"

/* No file, and an empty one that a power cut left, are 0.  ERR_IO, ERR_MALFORMED, ERR_LIMIT, ERR_NOMEM with why[]. */
enum err ppg_serial_read(const char *path, uint64_t *out, char why[PPG_FILE_WHY_N]) MUST_USE;
/* On disk when it returns, unless that or more is there already; 0 is never written.  Errors as above. */
enum err ppg_serial_raise(const char *path, uint64_t to, char why[PPG_FILE_WHY_N]) MUST_USE;

#endif
