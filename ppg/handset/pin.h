/* A PIN before a push is shown: asked for on standard error, read from standard input, compared with the first line of a
 * file of its owner's alone.  Blocks.  For push-terminal; one thread. */
#ifndef PPG_HANDSET_PIN_H
#define PPG_HANDSET_PIN_H

#include "ota/terminal/kit.h"
#include "ppg/tool/tool.h"
#include "security/secret.h"

#define TOOL_PIN_TRIES 3 /* wrong in a row: nothing that needs it is shown any more */

struct tool_pin {
    struct sec_secret pin; /* n 0: there is none */
    unsigned wrong;        /* in a row */
};

/* path: 4 octets at least.  ERR_IO, ERR_LIMIT, ERR_MALFORMED with why[]. */
enum err tool_pin_read(const char *path, struct tool_pin *out, char why[TOOL_WHY_N]) MUST_USE;
void tool_pin_clear(struct tool_pin *p);
/* As kit_conf.user; arg is the struct tool_pin. */
bool tool_pin_ask(const struct kit_push *push, void *arg);

#endif
