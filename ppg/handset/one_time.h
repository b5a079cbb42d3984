/* One-time keys by way of the gateway (ppg/doors/entity_door.h): `give` makes one for another entity, sends it there wrapped, and keeps
 * ours; `take` fetches those that wait for us.  Each is a file of hexadecimal digits afterwards, for `listen --peer-key` and `peer`.  We
 * are an entity (--proof ENTITY:FILE, base64 of its key in the first line of FILE), and take no word of a gateway that does
 * not prove that it has that key too.  CPNS security 5.x.2, 5.x.3.  For push-terminal; one thread. */
#ifndef PPG_HANDSET_ONE_TIME_H
#define PPG_HANDSET_ONE_TIME_H

#include "ppg/handset/terminal_options.h"

/* --gateway, --ca, --proof, and --to with --out, the file to make: the exit status.  Blocks. */
int tool_one_time_give(const struct tool_terminal_options *o);
/* --gateway, --ca, --proof and --out, a folder: FROM.one-time in it, FROM.one-time.2 for a second one.  TOOL_TERMINAL_LATE: none
 * waits.  Blocks. */
int tool_one_time_take(const struct tool_terminal_options *o);

#endif
