/* What a reload changed, counted and named for the log and the audit log: two configurations side by side.  Off the loops:
 * with many accounts and rules it takes a while. */
#ifndef PPG_CHANGES_H
#define PPG_CHANGES_H

#include "base/buf.h"
#include "ppg/snapshot.h"

#define PPG_CHANGES_NAMED_N 512u

struct ppg_changes {
    size_t accounts_added; /* by name */
    size_t accounts_removed;
    size_t accounts_changed; /* in anything but their place */
    size_t delegates;        /* token providers and proxies: new, gone or changed, their keys too */
    size_t rules_added;      /* of the whitelist, by their text */
    size_t rules_removed;
    size_t
        files; /* of certificates, keys and revocation lists: new ones, and those that say something else */
    uint64_t generation; /* of the new one */
    char named
        [PPG_CHANGES_NAMED_N]; /* "+new ~changed -gone": accounts, as many as there is room for, then "..." */
};

void ppg_changes_find(const struct ppg_snapshot *was, const struct ppg_snapshot *is, struct ppg_changes *out);
/* Appends {"generation":7,"accounts":"+bank","rules_added":2}: what is 0 is left out. */
void ppg_changes_print(const struct ppg_changes *c, struct buf *out);

#endif
