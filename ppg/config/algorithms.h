/* The policy of algorithms: a signed file that raises what ppg.conf allows, and never lowers it; it holds for TLS on all
 * sides, for Digest and for seals.  Each has a serial, and one that is older than what was once in force is refused, so
 * that nobody can put a weaker one back together with its good signature.  Off the loops. */
#ifndef PPG_CONFIG_ALGORITHMS_H
#define PPG_CONFIG_ALGORITHMS_H

#include "ppg/config/ini.h"
#include "ppg/settings.h"

/* Reads s->files.algorithms and the signature beside it (the same name and ".sig"), checks it by s->files.algorithms_key
 * before anything in the file is looked at, and narrows *s.  Tells mistakes; a policy that is not signed, or of a serial
 * below serial_min, is one, and nothing of it counts. */
void ppg_algorithms_read(struct ppg_load *load, uint64_t serial_min, struct ppg_settings *s);
/* The same with text whose signature was checked. */
void ppg_algorithms_read_text(struct ppg_load *load, struct slice text, const char *file, uint64_t serial_min,
                              struct ppg_settings *s);

#endif
