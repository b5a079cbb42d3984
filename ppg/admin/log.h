/* Names of subscribers in the operator's answers, beside what stands for them in the log.  For the routes.  Loop 0. */
#ifndef PPG_ADMIN_LOG_H
#define PPG_ADMIN_LOG_H

#include <jansson.h>

#include "base/log.h"

/* The token of the name (log.h); left away when there is none. */
void ppg_admin_set_token(json_t *o, const char *key, struct log *log, struct slice name);

#endif
