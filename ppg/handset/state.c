/* The state of a terminal's kit on disk; see state.h.  It may hold keys: no copy is left behind. */
#include "ppg/handset/state.h"

#include <unistd.h>
#include "ppg/handset/keep.h"
#include "ppg/tool/tool.h"

#define STATE_MAX_N (64u << 20)

void tool_state_init(struct tool_state *s, const char *path)
{
    s->path = path;
    buf_init(&s->disk, STATE_MAX_N);
}

void tool_state_clear(struct tool_state *s)
{
    buf_wipe(&s->disk);
}

enum err tool_state_load(const struct tool_state *s, struct kit *k)
{
    struct buf saved;
    enum err e;

    if (!s->path || access(s->path, F_OK) != 0)
        return ERR_OK;
    buf_init(&saved, STATE_MAX_N);
    e = tool_read(s->path, &saved);
    if (!e)
        e = kit_load(k, buf_slice(&saved));
    buf_wipe(&saved);
    return e;
}

/* Nothing is written when nothing changed: a stranger's requests cost no disk. */
enum err tool_state_keep(struct tool_state *s, const struct kit *k)
{
    struct buf now;
    enum err e;

    if (!s->path)
        return ERR_OK;
    buf_init(&now, STATE_MAX_N);
    kit_save(k, &now);
    e = buf_err(&now);
    if (!e && !slice_eq(buf_slice(&now), buf_slice(&s->disk))) {
        e = tool_keep(s->path, buf_slice(&now));
        buf_wipe(&s->disk);
        buf_move(&now, &s->disk);
    }
    buf_wipe(&now);
    return e;
}
