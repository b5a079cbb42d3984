/* What a terminal must find again after a restart, in a file: written when it changed, before an answer leaves.  Blocks. */
#ifndef PPG_HANDSET_STATE_H
#define PPG_HANDSET_STATE_H

#include "ota/terminal/kit.h"

struct tool_state {
    const char *path; /* NULL: nothing is kept */
    struct buf disk;  /* as it is there */
};

void tool_state_init(struct tool_state *s, const char *path);
void tool_state_clear(struct tool_state *s);
/* ERR_IO, ERR_NOMEM, and those of kit_load(); a file that is not there is an empty one. */
enum err tool_state_load(const struct tool_state *s, struct kit *k) MUST_USE;
/* ERR_IO, ERR_LIMIT, ERR_NOMEM. */
enum err tool_state_keep(struct tool_state *s, const struct kit *k) MUST_USE;

#endif
