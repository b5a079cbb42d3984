/* The file that a terminal was provisioned with, for push-terminal.  Blocks. */
#ifndef PPG_HANDSET_PROVISION_H
#define PPG_HANDSET_PROVISION_H

#include "ota/terminal/kit.h"
#include "ppg/tool/tool.h"

/* Reads it and puts it in force in the kit; *out, for its certificates, stays NULL when there is no such file yet.
 * ERR_DENIED (others may read it), ERR_MALFORMED, ERR_LIMIT, ERR_IO, ERR_NOMEM, or what kit_provision says; with why[]. */
enum err tool_provision(const char *path, struct kit *kit, int64_t now_s, struct sec_secprov **out,
                        char why[TOOL_WHY_N]) MUST_USE;
void tool_provision_free(struct sec_secprov **object);

#endif
