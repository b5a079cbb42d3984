/* Who may ask about and take back the pushes of another initiator: access control lists on a tree of names, as OMA DM
 * has them for managed objects (OMA DM message security 5.10).
 *
 *     /push                     all pushes
 *     /push/bank                those of the initiator bank
 *     /push/bank/loan-1         one push of bank, by its push-id; "/push/bank/loan-*": those whose id starts so
 *
 * A list says for each command who may give it: "Get=auditor+desk&Delete=desk", "Get=*".  Get is a status query, Delete a
 * cancel.  The list nearest to a push decides alone: a longer path overrides a shorter one whole, and what has no list of
 * its own inherits the nearest one above it.  Without any, and for a command the list does not name, nobody may.  Whose
 * push it is may always, and is not asked about here.  Built once; asking: any thread. */
#ifndef SECURITY_RULES_ACL_H
#define SECURITY_RULES_ACL_H

#include "base/arena.h"
#include "base/map.h"

enum sec_acl_command { SEC_ACL_GET, SEC_ACL_DELETE, SEC_ACL_COMMANDS };

struct sec_acl {
    struct map nodes; /* path to its list */
    bool prefixes;    /* a path with "*" occurs */
    /* Names that stand in any list, and whether "*" does. */
    struct map named[SEC_ACL_COMMANDS];
    bool anybody[SEC_ACL_COMMANDS];
};

void sec_acl_init(struct sec_acl *a, size_t max_n);
void sec_acl_clear(struct sec_acl *a);

/* NULL when both are well formed, else what is wrong: static text. */
const char *sec_acl_check(struct slice path, struct slice list);
/* A path and a list that were checked, copied into mem, which outlives the tree.  ERR_EXISTS: the path has one already;
 * ERR_LIMIT, ERR_NOMEM. */
enum err sec_acl_add(struct sec_acl *a, struct arena *mem, struct slice path, struct slice list,
                     uint32_t line) MUST_USE;

/* May `who` give the command for this push of `owner`?  *line is that of the list that decides, 0 when there is none. */
bool sec_acl_allows(const struct sec_acl *a, enum sec_acl_command command, struct slice who,
                    struct slice owner, struct slice push_id, uint32_t *line);
/* Does any list allow it for some push of somebody? */
bool sec_acl_any(const struct sec_acl *a, enum sec_acl_command command, struct slice who);

#endif
