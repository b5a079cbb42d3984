/* All that is behind a descriptor, under a ceiling, and all of a text into one.  Opening it, judging whose file it is, and
 * syncing it is the caller's.
 * Blocks: off the loops. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include "base/buf.h"

/* Appends all that can be read.  Nothing but `out` has seen the octets; for a secret make its room first (buf_room), for growth
 * leaves copies behind.  ERR_IO, errno says why; ERR_LIMIT, ERR_NOMEM, or the sticky error of `out`; what was read by
 * then is in it. */
enum err fd_read(int fd, struct buf *out) MUST_USE;
/* All of it, in as many writes as it takes.  ERR_IO, errno says why. */
enum err fd_write(int fd, struct slice text) MUST_USE;

#endif
