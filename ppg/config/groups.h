/* groups.conf: names that stand for many terminals, to a table of their members ([PAP §8.6]).
 *
 *     [group staff]
 *     member = +15550100
 *     member = sip:alice@example.net
 *     file   = staff.list          # one address a line, beside this file
 *     bare   = yes                 # "staff" names it too, not only "$staff"
 *
 * The table never changes: a reload swaps it whole.  Reading: off the loops; asking: any thread. */
#ifndef PPG_CONFIG_GROUPS_H
#define PPG_CONFIG_GROUPS_H

#include "ppg/config/ini.h"

#define PPG_GROUP_MEMBERS_MAX  10000u   /* of one group: a submission is in memory as a whole */
#define PPG_GROUPS_MEMBERS_MAX 1000000u /* of all groups: they stay in memory */
#define PPG_GROUPS_MAX         10000u
#define PPG_GROUP_NAME_MAX_N   64u /* octets */

struct ppg_group {
    struct slice name; /* without the "$" */
    bool bare;         /* the name alone is enough */
    const struct slice
        *members;     /* canonical addresses (security/address.h), each once, in the order of the file */
    size_t members_n; /* may be 0 */
};

/* Reads the file and those it names.  Tells every mistake; *out is written whenever a table could be made, and is only
 * good when nothing was told. */
void ppg_groups_read(struct ppg_load *load, const char *path, struct ppg_groups **out);
/* The same for text. */
void ppg_groups_read_text(struct ppg_load *load, struct slice text, const char *file,
                          struct ppg_groups **out);
void ppg_groups_free(struct ppg_groups **groups);

/* The group that an address value names: "$NAME", or NAME when it is bare.  NULL: none; groups may be NULL. */
const struct ppg_group *ppg_groups_find(const struct ppg_groups *groups, struct slice value);

#endif
