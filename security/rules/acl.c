/* Access control lists on a tree of names; see acl.h.  OMA DM message security 5.10, 5.10.1.  Any thread. */
#include "security/rules/acl.h"

#include "base/mem.h"
#include "base/scan.h"

#define ROOT       SLICE("/push")
#define NAME_MAX_N 128u /* octets of an initiator's name */
#define ID_MAX_N   255u /* octets of a push-id */
#define PATH_MAX_N (6u + NAME_MAX_N + 1 + ID_MAX_N + 1)

/* The list of one path. */
struct node {
    struct slice who[SEC_ACL_COMMANDS]; /* "a+b", "*"; n 0: nobody */
    uint32_t line;
};

static const char *const commands[SEC_ACL_COMMANDS] = {[SEC_ACL_GET] = "Get", [SEC_ACL_DELETE] = "Delete"};

void sec_acl_init(struct sec_acl *a, size_t max_n)
{
    *a = (struct sec_acl){.prefixes = false};
    map_init(&a->nodes, max_n);
    for (size_t i = 0; i < SEC_ACL_COMMANDS; i++)
        map_init(&a->named[i], max_n);
}

void sec_acl_clear(struct sec_acl *a)
{
    map_clear(&a->nodes);
    for (size_t i = 0; i < SEC_ACL_COMMANDS; i++)
        map_clear(&a->named[i]);
}

/* --- text --- */

/* "+" and "&" part a list, so a name with one of them cannot stand in it. */
static bool is_id(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!scan_is_token_ch((unsigned char)s.p[i]) || s.p[i] == '*' || s.p[i] == '+' || s.p[i] == '&')
            return false;
    return s.n > 0 && s.n <= NAME_MAX_N;
}

/* "*" / id *( "+" id ) */
static bool is_who(struct slice s)
{
    struct slice id;
    bool more = true;

    if (slice_eq(s, SLICE("*")))
        return true;
    while (more) {
        more = slice_cut(s, '+', &id, &s);
        if (!is_id(id))
            return false;
    }
    return true;
}

static bool is_path(struct slice path)
{
    struct slice name, id;
    bool deeper;

    if (slice_eq(path, ROOT))
        return true;
    if (!slice_starts(path, SLICE("/push/")))
        return false;
    deeper = slice_cut(slice_sub(path, 6, path.n), '/', &name, &id);
    if (!is_id(name) || (deeper && (id.n == 0 || id.n > ID_MAX_N)))
        return false;
    return !deeper || slice_find(slice_sub(id, 0, id.n - 1), '*') == SIZE_MAX;
}

/* entry = ( "Get" / "Delete" ) "=" who; takes it off the front of *list. */
static const char *next_entry(struct slice *list, enum sec_acl_command *command, struct slice *who)
{
    struct slice entry, name;
    bool more = slice_cut(*list, '&', &entry, list);
    size_t i = 0;

    if (more && list->n == 0)
        return "acl: an entry must follow \"&\"";
    if (!slice_cut(entry, '=', &name, who))
        return "acl: must be Get=NAME+NAME..., Delete=..., parted by \"&\"";
    while (i < SEC_ACL_COMMANDS && !slice_eq(name, slice_str(commands[i])))
        i++;
    if (i == SEC_ACL_COMMANDS)
        return "acl: the commands are Get and Delete";
    *command = (enum sec_acl_command)i;
    return is_who(*who) ? NULL : "acl: names are parted by \"+\", or \"*\" stands alone";
}

const char *sec_acl_check(struct slice path, struct slice list)
{
    bool seen[SEC_ACL_COMMANDS] = {false};
    enum sec_acl_command command = SEC_ACL_GET;
    const char *bad = NULL;
    struct slice who;

    if (!is_path(path))
        return "path: must be /push, /push/INITIATOR or /push/INITIATOR/PUSH-ID, \"*\" at most at its end";
    if (list.n == 0)
        return "acl: missing";
    while (list.n && !bad) {
        bad = next_entry(&list, &command, &who);
        if (!bad && seen[command])
            bad = "acl: a command stands twice";
        seen[command] = true;
    }
    return bad;
}

/* --- building --- */

static enum err note_names(struct sec_acl *a, enum sec_acl_command command, struct slice who)
{
    enum err e = ERR_OK;
    struct slice id;
    bool more = true;

    if (slice_eq(who, SLICE("*"))) {
        a->anybody[command] = true;
        return ERR_OK;
    }
    while (more && !e) {
        more = slice_cut(who, '+', &id, &who);
        e = map_put(&a->named[command], id, a);
        if (e == ERR_EXISTS)
            e = ERR_OK;
    }
    return e;
}

enum err sec_acl_add(struct sec_acl *a, struct arena *mem, struct slice path, struct slice list,
                     uint32_t line)
{
    struct node *n = arena_alloc(mem, sizeof *n);
    enum sec_acl_command command = SEC_ACL_GET;
    struct slice who, key, text;
    enum err e;

    if (!n || arena_dup(mem, path, &key) || arena_dup(mem, list, &text))
        return ERR_NOMEM;
    n->line = line;
    e = map_put(&a->nodes, key, n);
    while (!e && text.n) {
        MUST(!next_entry(&text, &command, &who));
        n->who[command] = who;
        e = note_names(a, command, who);
    }
    a->prefixes = a->prefixes || slice_ends(path, SLICE("*"));
    return e;
}

/* --- asking --- */

static bool lists(struct slice who, struct slice name)
{
    struct slice id;
    bool more = true;

    if (slice_eq(who, SLICE("*")))
        return true;
    while (more && who.n) {
        more = slice_cut(who, '+', &id, &who);
        if (slice_eq(id, name))
            return true;
    }
    return false;
}

/* "/push/OWNER/" in path[], how long it is; 0: no path of ours can be so long. */
static size_t owner_path(char path[PATH_MAX_N], struct slice owner)
{
    size_t n = 6 + owner.n + 1;

    if (owner.n > NAME_MAX_N || slice_find(owner, '/') != SIZE_MAX)
        return 0;
    mem_copy(path, PATH_MAX_N, SLICE("/push/"));
    mem_copy(path + 6, PATH_MAX_N - 6, owner);
    path[n - 1] = '/';
    return n;
}

/* The push itself, then ever shorter beginnings of its id. */
static const struct node *below_owner(const struct sec_acl *a, char path[PATH_MAX_N], size_t n,
                                      struct slice id)
{
    const struct node *found;

    if (id.n > ID_MAX_N)
        return NULL;
    mem_copy(path + n, PATH_MAX_N - n, id);
    found = map_get(&a->nodes, slice_of(path, n + id.n));
    for (size_t k = id.n; !found && a->prefixes && k != SIZE_MAX; k--) {
        path[n + k] = '*';
        found = map_get(&a->nodes, slice_of(path, n + k + 1));
    }
    return found;
}

static const struct node *nearest(const struct sec_acl *a, struct slice owner, struct slice push_id)
{
    char path[PATH_MAX_N];
    size_t n = owner_path(path, owner);
    const struct node *found = n ? below_owner(a, path, n, push_id) : NULL;

    if (!found && n)
        found = map_get(&a->nodes, slice_of(path, n - 1));
    return found ? found : map_get(&a->nodes, ROOT);
}

bool sec_acl_allows(const struct sec_acl *a, enum sec_acl_command command, struct slice who,
                    struct slice owner, struct slice push_id, uint32_t *line)
{
    const struct node *n = nearest(a, owner, push_id);

    *line = n ? n->line : 0;
    return n && lists(n->who[command], who);
}

bool sec_acl_any(const struct sec_acl *a, enum sec_acl_command command, struct slice who)
{
    return a->anybody[command] || map_get(&a->named[command], who);
}
