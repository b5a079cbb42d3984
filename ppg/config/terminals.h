/* terminals.conf: how each known terminal is reached, and its provisioned association, to the table of
 * ota/registry.h.  Off the loops. */
#ifndef PPG_CONFIG_TERMINALS_H
#define PPG_CONFIG_TERMINALS_H

#include "ppg/config/ini.h"

/* Reads the file and the password and association files it names.  Tells every mistake; *out is written whenever a
 * table could be made, and is only good when nothing was told. */
void ppg_terminals_read(struct ppg_load *load, const char *path, struct ota_registry **out);
/* Text of an association file (said, key, suites, expires) to *out, which the caller wipes; tells every mistake. */
void ppg_association_read_text(struct ppg_load *load, struct slice text, const char *file,
                               struct ota_association *out);

#endif
