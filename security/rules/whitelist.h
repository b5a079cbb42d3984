/* Which initiator may push what to whom, and who may ask about or take back the pushes of others.  Lines of text:
 *     verdict initiator recipient application [condition...]
 *     allow   mms       +1555*    mms.ua
 *     allow   bank      sip:*@example.net  *  protect=full
 *     deny    *         @optout.list       *
 *     only    bank      sip:bob@example.net *
 *     acl     /push/bank  Get=desk+auditor&Delete=desk
 * A recipient is an exact address, "+1555*" (numbers that start so), "sip:*@example.net" (a domain), "*", "@file" (a file
 * with one address a line, beside the list), or "$group" (the group and its members).  Conditions narrow a rule to
 * type=media/type (or media/<star>), uri=pattern (security/uri.h), time=08:00-20:00 (hours.h; UTC unless it says otherwise),
 * asked=none|integrity|full (the protection the push asks for), on allow rules also max-size=octets; protect= on an allow
 * rule demands a level.
 * Rules that match: any deny decides, the first in file order is named.  Else, a recipient that "only" rules name takes
 * pushes only from the services they name: when none of them matches, the first about the recipient refuses.  Else the
 * first allow in file order decides and its protect= is the demand; else the answer is no.
 * "acl" lines are acl.h's: they decide about status queries and cancels of somebody else's push.
 * An application id compares without regard to case; "mms.ua" is short for "x-wap-application:mms.ua".
 * Addresses compare in canonical form (security/address.h).  The built list never changes: a reload swaps it whole.
 * Decisions: any thread. */
#ifndef SECURITY_RULES_WHITELIST_H
#define SECURITY_RULES_WHITELIST_H

#include "base/err.h"
#include "base/slice.h"
#include "security/policy.h"
#include "security/rules/acl.h"
#include "security/rules/hours.h"

#define SEC_WHITELIST_LINE_MAX_N    1024 /* octets */
#define SEC_WHITELIST_PREFIX_MAX_N  32   /* octets before the star: a number has 15 digits at most */
#define SEC_WHITELIST_RULES_MAX     1000000
#define SEC_WHITELIST_FILE_ADDR_MAX 20000000 /* addresses of all files of one list */

enum sec_recipient_kind {
    SEC_RECIPIENT_EXACT,
    SEC_RECIPIENT_PREFIX, /* text is what stands before the star */
    SEC_RECIPIENT_DOMAIN, /* text is the domain */
    SEC_RECIPIENT_ANY,
    SEC_RECIPIENT_FILE, /* text is the file name */
    SEC_RECIPIENT_GROUP /* text is the group's name without the "$" */
};

enum sec_rule { SEC_RULE_ALLOW, SEC_RULE_DENY, SEC_RULE_ONLY, SEC_RULE_ACL };
#define SEC_ASKED_ANY (-1)

/* One line, parsed; slices are views into it. */
struct sec_whitelist_line {
    enum sec_rule rule;
    struct slice path, acl; /* of SEC_RULE_ACL, which has nothing of what follows */
    struct slice initiator; /* "*": any */
    enum sec_recipient_kind kind;
    struct slice recipient;
    struct slice application; /* "*": any */
    enum sec_level protect;   /* the demand; NONE when absent */
    struct slice type;        /* n 0: any */
    struct slice uri;         /* n 0: any */
    uint64_t max_size;        /* octets; UINT64_MAX: any */
    int asked;                /* enum sec_level or SEC_ASKED_ANY */
    struct sec_hours hours;
};

/* ERR_OK; ERR_ABSENT (blank or comment); ERR_MALFORMED, ERR_LIMIT with *why a static text.  No line end in `line`. */
enum err sec_whitelist_parse_line(struct slice line, struct sec_whitelist_line *out,
                                  const char **why) MUST_USE;

/* --- building; one thread, off the loops --- */
struct sec_whitelist;
struct sec_addrset;

/* An empty list (it allows nobody) of rules from `file`.  ERR_NOMEM. */
enum err sec_whitelist_create(const char *file, struct sec_whitelist **out) MUST_USE;
void sec_whitelist_free(struct sec_whitelist **w);
/* Adds a parsed line, copied.  For SEC_RECIPIENT_FILE and _GROUP `set` is what sec_whitelist_set gave, else NULL.  Lines
 * come in file order.  ERR_EXISTS (an acl of that path), ERR_LIMIT, ERR_NOMEM. */
enum err sec_whitelist_add(struct sec_whitelist *w, const struct sec_whitelist_line *line, uint32_t line_no,
                           const struct sec_addrset *set) MUST_USE;
/* Remembers the text of a rule, for sec_whitelist_changes.  ERR_NOMEM. */
enum err sec_whitelist_note(struct sec_whitelist *w, struct slice text) MUST_USE;
/* The addresses of a file by the name the rules use, or of a group by its name behind a "$": one set however many rules
 * name it.  *fresh says that it is new and empty, to be filled by the caller, a group's with its "$name" too.
 * ERR_NOMEM. */
enum err sec_whitelist_set(struct sec_whitelist *w, struct slice name, struct sec_addrset **set,
                           bool *fresh) MUST_USE;

struct sec_load_error {
    char file[256];
    uint32_t line;  /* from 1; 0: the file itself */
    char what[384]; /* of an address file that is missing: its path, and why; the line is the rule's */
};
/* Puts the members of the group "$name", canonical, into the set.  ERR_ABSENT: there is no such group; ERR_NOMEM. */
typedef enum err sec_group_fn(void *arg, struct slice name, struct sec_addrset *into);
struct sec_whitelist_source {
    const char *path;         /* of the list; files it names are beside it */
    const struct slice *text; /* instead of what the file holds; NULL: the file is read */
    sec_group_fn *group;      /* NULL: there are no groups */
    void *arg;
};
/* Reads the list and the files it names (whitelist_load.c), whole or not at all: on failure *e says where and what.  A
 * byte order mark of UTF-8 at the front and CR LF are taken; a NUL and any other control octet are not.  ERR_IO,
 * ERR_MALFORMED, ERR_EXISTS, ERR_LIMIT, ERR_NOMEM.  Blocking; call it off the loops. */
enum err sec_whitelist_load(const struct sec_whitelist_source *from, struct sec_whitelist **out,
                            struct sec_load_error *e) MUST_USE;

/* --- asking; any thread --- */
enum sec_operation { SEC_SUBMIT, SEC_STATUS, SEC_CANCEL };
struct sec_whitelist_query {
    enum sec_operation operation;
    struct slice initiator; /* account name of who asks */
    /* Of a status query and a cancel: whose push it is.  What follows is of a submission. */
    struct slice owner;
    struct slice push_id;
    struct slice recipient;   /* "+15551234567", "sip:alice@example.net", ... */
    struct slice application; /* application id */
    struct slice type;        /* media type without parameters; n 0: unknown, matches no type= */
    struct slice uri;         /* X-Wap-Initiator-URI; n 0: none, matches no uri= */
    bool uri_foreign;         /* claimed, but not one of the account's: meets deny rules only */
    uint64_t size;            /* octets of content */
    enum sec_level asked;     /* protection the push asks for */
    int64_t at_s;             /* UTC: when */
};

struct sec_whitelist_verdict {
    bool allow;
    enum sec_level demanded; /* of the deciding allow rule */
    const char *file;        /* the list; lives as long as it */
    uint32_t line;           /* of the deciding rule; 0: no rule decided */
    const char
        *reason; /* static: "allow rule", "deny rule", "not subscribed", "no rule", "bad address", "own push",
                              * "acl" */
};

/* Submissions, status queries and cancels alike. */
void sec_whitelist_decide(const struct sec_whitelist *w, const struct sec_whitelist_query *q,
                          struct sec_whitelist_verdict *out);
/* Is there anybody whose pushes `who` might ask about or take back? */
bool sec_whitelist_reaches_others(const struct sec_whitelist *w, enum sec_operation operation,
                                  struct slice who);
/* Rules that were noted in one and not in the other, by their words; one that stands twice counts twice.  Takes a while
 * for long lists; what memory does not allow to compare counts as changed. */
void sec_whitelist_changes(const struct sec_whitelist *was, const struct sec_whitelist *is, size_t *added,
                           size_t *removed);
size_t sec_whitelist_rules(const struct sec_whitelist *w);     /* rules held */
size_t sec_whitelist_addresses(const struct sec_whitelist *w); /* addresses of all files */
size_t sec_whitelist_memory(const struct sec_whitelist *w);    /* octets held */

#endif
