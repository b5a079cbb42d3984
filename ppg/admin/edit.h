/* What a change of the whitelist comes to, as JSON; for edit.c and diff.c.  Off the loops. */
#ifndef PPG_ADMIN_EDIT_H
#define PPG_ADMIN_EDIT_H

#include "ppg/admin/work.h"

#define PPG_ADMIN_LIST_MAX_N ((size_t)64 << 20) /* octets of a list that is edited over the socket */

/* Rules that one text has and the other lacks: at most PPG_ADMIN_RULES_MAX of each are listed, all are counted. */
struct ppg_admin_change {
    json_t *removed; /* [{"line", "rule"}, ...] */
    json_t *added;
    uint64_t removed_n;
    uint64_t added_n;
};
enum err ppg_admin_change_find(struct slice was, struct slice is, struct ppg_admin_change *out) MUST_USE;
void ppg_admin_change_clear(struct ppg_admin_change *c);
/* Into an answer: removed, added, and how many in all. */
void ppg_admin_change_print(const struct ppg_admin_change *c, json_t *into);

/* The list that this text would be, or the job failed with 422 and file:line: what.  False: it did. */
bool ppg_admin_list_of(struct ppg_admin_job *j, const struct slice *text, struct sec_whitelist **out);

#endif
