/* What a terminal made of a request: to standard output, for people or as one JSON object a line.  Foreign text loses its
 * control octets.  For push-terminal; one thread. */
#ifndef PPG_HANDSET_PUSH_PRINT_H
#define PPG_HANDSET_PUSH_PRINT_H

#include "ota/terminal/kit.h"

/* push: with KIT_PUSH, KIT_VERIFY, KIT_CONNECT; reason: with what was dropped or refused. */
void tool_push_print(bool json, enum kit_event ev, const struct kit_request *req, const struct kit_push *push,
                     const char *reason);
/* "none", "integrity", "full" */
const char *tool_push_level(enum kit_protection level);
bool tool_push_level_parse(const char *text, enum kit_protection *out); /* false: none of these */

#endif
