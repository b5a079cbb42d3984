/* Recipients as people write them, in a shell or a file, to the spelling of PAP ([PAP §10]); for pap-push.  What an
 * address means is the gateway's to say.  One thread. */
#ifndef PPG_TOOL_ADDRESSES_H
#define PPG_TOOL_ADDRESSES_H

#include "base/arena.h"
#include "pap/message.h"
#include "ppg/tool/tool.h"

/* The PAP spelling of an address: WAPPUSH= as it is; "+" digits as PLMN; an IP address; everything else, also sip:
 * and tel: URIs and $GROUP, escaped as TYPE=USER.  Errors stick to the buf. */
void tool_address_print(struct slice text, struct buf *out);

/* Appends the words to *out, in `mem`.  ERR_MALFORMED (an empty or endless one) with why[]; ERR_NOMEM. */
enum err tool_addresses_add(const char *const *words, size_t n, struct arena *mem, struct pap_addrs *out,
                            char why[TOOL_WHY_N]) MUST_USE;

/* Appends those of a file, one a line; blank lines and lines that begin with # are skipped.  ERR_MALFORMED as above,
 * ERR_IO, ERR_LIMIT (64 MiB) with why[]; ERR_NOMEM. */
enum err tool_addresses_read(const char *path, struct arena *mem, struct pap_addrs *out,
                             char why[TOOL_WHY_N]) MUST_USE;

#endif
