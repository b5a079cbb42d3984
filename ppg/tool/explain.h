/* The life of one push in plain words, from what the gateway says about it (GET /push/explain of ppg/admin/admin.h).  For
 * ppgctl; writes to standard output.  One thread. */
#ifndef PPG_TOOL_EXPLAIN_H
#define PPG_TOOL_EXPLAIN_H

#include <jansson.h>

void tool_explain(const json_t *push);

#endif
