/* A very large set of short strings, packed: about 8 octets a string more than its text.  Built once, then only
 * asked.  Building: one thread; asking: any thread. */
#ifndef SECURITY_RULES_ADDRSET_H
#define SECURITY_RULES_ADDRSET_H

#include "base/err.h"
#include "base/slice.h"

#define SEC_ADDRSET_ITEM_MAX_N 255 /* octets of one string; its length is kept in one octet */

struct sec_addrset;

enum err sec_addrset_create(struct sec_addrset **out) MUST_USE; /* ERR_NOMEM, ERR_IO (no random numbers) */
void sec_addrset_free(struct sec_addrset **s);
/* A string that is there already is fine.  ERR_LIMIT (longer than SEC_ADDRSET_ITEM_MAX_N, or 4 GiB of text),
 * ERR_NOMEM. */
enum err sec_addrset_add(struct sec_addrset *s, struct slice item) MUST_USE;
bool sec_addrset_has(const struct sec_addrset *s, struct slice item);
size_t sec_addrset_count(const struct sec_addrset *s);
size_t sec_addrset_memory(const struct sec_addrset *s); /* octets held */

#endif
