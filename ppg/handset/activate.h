/* An activation package into an association file that `push-terminal listen --association` takes.  One thread. */
#ifndef PPG_HANDSET_ACTIVATE_H
#define PPG_HANDSET_ACTIVATE_H

#include "ppg/tool/tool.h"

#define TOOL_ACTIVATE_PATH_N 512

/* code "-": the first line of standard input.  out NULL: NAME.VERSION in this folder; a file that is there already is not
 * touched.  made: what was written, of mode 0600 by the caller's umask.  ERR_DENIED another code or a changed package, ERR_LATE,
 * ERR_EXISTS, ERR_MALFORMED, ERR_UNSUPPORTED, ERR_IO, with why[]. */
enum err tool_activate(const char *package, const char *code, const char *out, int64_t now_s,
                       char made[TOOL_ACTIVATE_PATH_N], char why[TOOL_WHY_N]) MUST_USE;

#endif
