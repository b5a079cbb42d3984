/* What a reload changed, counted for the log: two configurations side by side.  Off the loops: with many accounts and
 * rules it takes a while. */
#ifndef PPG_CHANGES_H
#define PPG_CHANGES_H

#include "ppg/snapshot.h"

struct ppg_changes {
    size_t accounts_added; /* by name */
    size_t accounts_removed;
    size_t accounts_changed; /* in anything but their place */
    size_t delegates;        /* token providers and proxies: new, gone or changed, their keys too */
    size_t rules_added;      /* of the whitelist, by their text */
    size_t rules_removed;
    size_t
        files; /* of certificates, keys and revocation lists: new ones, and those that say something else */
};

void ppg_changes_find(const struct ppg_snapshot *was, const struct ppg_snapshot *is, struct ppg_changes *out);

#endif
