/* groups.conf and the member files it names; see groups.h. */
#include "ppg/config/groups.h"

#include <stdlib.h>
#include "base/list.h"
#include "base/map.h"
#include "base/num.h"
#include "ppg/config/lists.h"
#include "security/address.h"

#define FILE_MAX_N (64 << 20) /* octets of one file */
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

struct ppg_groups {
    struct map names; /* struct ppg_group by name */
    struct arena mem;
    size_t members_n; /* of all */
};

/* The section being read. */
struct draft {
    struct ppg_list list;
    struct ppg_groups *groups;
    struct ppg_group *group; /* NULL: its head is a mistake */
    struct map seen;         /* members of the section */
    struct slice *members;   /* owned; cap of them fit */
    size_t n, cap;
    bool full; /* a ceiling was passed and told */
};

static struct draft *draft_of(struct ppg_list *l)
{
    return container_of(l, struct draft, list);
}

static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '.' ||
              ch == '_' || ch == '-'))
            return false;
    }
    return s.n > 0 && s.n <= PPG_GROUP_NAME_MAX_N;
}

static void begin(struct ppg_list *l, struct slice name)
{
    struct draft *d = draft_of(l);
    struct ppg_group *g = is_name(name) ? arena_alloc(&d->groups->mem, sizeof *g) : NULL;
    enum err e = g ? arena_dup(&d->groups->mem, name, &g->name) : ERR_NOMEM;

    map_clear(&d->seen);
    map_init(&d->seen, PPG_GROUP_MEMBERS_MAX);
    d->n = 0;
    d->full = false;
    d->group = NULL;
    if (!is_name(name)) {
        ppg_load_say(l->load, ERR_MALFORMED, l->at, name,
                     "not a name of 1 to %u letters, digits, dots, dashes and underscores",
                     PPG_GROUP_NAME_MAX_N);
        return;
    }
    if (!e)
        e = map_put(&d->groups->names, g->name, g);
    if (e)
        ppg_load_say(l->load, e, l->at, name, "%s", e == ERR_EXISTS ? "already described" : err_text(e));
    else
        d->group = g;
}

/* A place for one more, or false. */
static bool room(struct draft *d)
{
    size_t cap = d->cap ? d->cap * 2 : 64;
    struct slice *v = d->members;

    if (d->n < d->cap)
        return true;
    v = realloc(v, cap * sizeof *v);
    if (!v)
        return false;
    d->members = v;
    d->cap = cap;
    return true;
}

static void say_once(struct draft *d, enum err e, struct ppg_place at, const char *what)
{
    d->full = true;
    ppg_load_say(d->list.load, e, at, SLICE("member"), "%s", what);
}

/* A member named twice is one member. */
static void add(struct draft *d, struct ppg_place at, struct slice text)
{
    struct sec_address address;
    struct slice kept;
    enum err e;

    if (d->full || !d->group)
        return;
    if (slice_starts(text, SLICE("$"))) {
        ppg_load_say(d->list.load, ERR_MALFORMED, at, text, "a group is no member of a group");
    } else if (sec_address_canonical(text, &address)) {
        ppg_load_say(d->list.load, ERR_MALFORMED, at, text, "not an address");
    } else if (!map_get(&d->seen, slice_of(address.text, address.n))) {
        e = room(d) ? arena_dup(&d->groups->mem, slice_of(address.text, address.n), &kept) : ERR_NOMEM;
        if (!e)
            e = map_put(&d->seen, kept, d);
        if (e == ERR_LIMIT)
            say_once(d, e, at, "more than 10000 in one group");
        else if (e)
            say_once(d, e, at, err_text(e));
        else if (d->groups->members_n + d->n >= PPG_GROUPS_MEMBERS_MAX)
            say_once(d, ERR_LIMIT, at, "more than 1000000 in all groups");
        else
            d->members[d->n++] = kept;
    }
}

static void set_member(struct ppg_list *l, const struct ppg_ini_line *line)
{
    if (line->value.n)
        add(draft_of(l), line->at, line->value);
    else
        ppg_list_say(l, line, "empty");
}

static void set_bare(struct ppg_list *l, const struct ppg_ini_line *line)
{
    bool bare = false;

    ppg_list_bool(l, line, &bare);
    if (draft_of(l)->group)
        draft_of(l)->group->bare = bare;
}

/* One address a line; blank lines and lines that begin with # are none. */
static void add_lines(struct draft *d, const char *path, struct slice text)
{
    struct ppg_place at = {path, 0};
    struct slice line;

    while (text.n) {
        (void)slice_cut(text, '\n', &line, &text);
        at.line++;
        if (slice_ends(line, SLICE("\r")))
            line.n--;
        line = slice_trim(line);
        if (line.n && line.p[0] != '#')
            add(d, at, line);
    }
}

static void set_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct buf path, text;

    buf_init(&path, PPG_INI_LINE_MAX_N + 1);
    buf_init(&text, 0);
    ppg_load_path(line->at.file, line->value, &path);
    if (!line->value.n)
        ppg_list_say(l, line, "empty");
    else if (buf_err(&path))
        ppg_load_say(l->load, buf_err(&path), line->at, line->key, "file name too long");
    else if (ppg_load_file(l->load, path.p, FILE_MAX_N, 0, line->at, line->key, &text) == ERR_OK)
        add_lines(draft_of(l), path.p, buf_slice(&text));
    buf_clear(&text);
    buf_clear(&path);
}

static const struct ppg_list_key keys[] = {
    {"member", set_member, .repeats = true},
    {"file", set_file, .repeats = true},
    {"bare", set_bare, .repeats = false},
};

static void end(struct ppg_list *l)
{
    struct draft *d = draft_of(l);
    struct slice *members = arena_array(&d->groups->mem, d->n, sizeof *members);

    if (!d->group)
        return;
    if (d->n && !members) {
        ppg_load_say(l->load, ERR_NOMEM, l->at, d->group->name, "no memory");
        return;
    }
    for (size_t i = 0; i < d->n; i++)
        members[i] = d->members[i];
    d->group->members = members;
    d->group->members_n = d->n;
    d->groups->members_n += d->n;
}

static struct ppg_groups *groups_create(void)
{
    struct ppg_groups *g = calloc(1, sizeof *g);

    if (g) {
        map_init(&g->names, PPG_GROUPS_MAX);
        arena_init(&g->mem, 4096, (size_t)PPG_GROUPS_MEMBERS_MAX * 2 * (SEC_ADDRESS_MAX_N + 1));
    }
    return g;
}

void ppg_groups_read_text(struct ppg_load *load, struct slice text, const char *file, struct ppg_groups **out)
{
    struct draft d = {
        .list =
            {.load = load, .kind = "group", .keys = keys, .keys_n = COUNT(keys), .begin = begin, .end = end},
        .groups = groups_create()};

    if (!d.groups) {
        ppg_load_say(load, ERR_NOMEM, (struct ppg_place){file, 0}, SLICE_NONE, "no table of groups");
        return;
    }
    map_init(&d.seen, PPG_GROUP_MEMBERS_MAX);
    ppg_list_read_text(&d.list, text, file);
    map_clear(&d.seen);
    free(d.members);
    *out = d.groups;
}

void ppg_groups_read(struct ppg_load *load, const char *path, struct ppg_groups **out)
{
    struct buf text;

    buf_init(&text, 0);
    if (ppg_load_file(load, path, FILE_MAX_N, 0, (struct ppg_place){path, 0}, SLICE_NONE, &text) == ERR_OK)
        ppg_groups_read_text(load, buf_slice(&text), path, out);
    buf_clear(&text);
}

void ppg_groups_free(struct ppg_groups **groups)
{
    struct ppg_groups *g = *groups;

    *groups = NULL;
    if (!g)
        return;
    map_clear(&g->names);
    arena_clear(&g->mem);
    free(g);
}

const struct ppg_group *ppg_groups_find(const struct ppg_groups *groups, struct slice value)
{
    bool marked = slice_starts(value, SLICE("$"));
    const struct ppg_group *g =
        groups && groups->names.n ? map_get(&groups->names, slice_sub(value, marked, value.n)) : NULL;

    return g && (marked || g->bare) ? g : NULL;
}
