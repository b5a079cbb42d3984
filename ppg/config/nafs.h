/* nafs.conf: other services that may ask our key server, each in a section [naf NAME], to the table of security/rules/nafs.h.
 * Off the loops. */
#ifndef PPG_CONFIG_NAFS_H
#define PPG_CONFIG_NAFS_H

#include "ppg/config/ini.h"
#include "security/gba/keyserver.h"
#include "security/rules/nafs.h"

/* Tells every mistake.  Those that may ask for push info are allowed it at `server` (not NULL); *out is written whenever
 * a table could be made, and only good when nothing was told. */
void ppg_nafs_read(struct ppg_load *load, const char *path, int64_t life_max_s, struct sec_keyserver *server,
                   struct sec_nafs **out);

#endif
