/* What a tool must find again after a crash, in a file of its owner's alone.  Blocks. */
#ifndef PPG_HANDSET_KEEP_H
#define PPG_HANDSET_KEEP_H

#include "base/err.h"
#include "base/slice.h"

/* On disk whole, synced, of mode 0600, or as it was: written beside, then renamed.  ERR_LIMIT (the name), ERR_IO. */
enum err tool_keep(const char *path, struct slice text) MUST_USE;

#endif
