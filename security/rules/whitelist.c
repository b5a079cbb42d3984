/* The compiled whitelist.  Rules are grouped by initiator; inside a group each kind of recipient has its own
 * index, so a decision looks at two groups (the initiator's and everybody's) and in each at one chain a kind, plus
 * one a length of prefix that occurs; "only" rules have such a group of their own, whoever the initiator is.  Deny beats
 * allow; no rule means no.  Decisions: any thread. */
#include "security/rules/whitelist.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/map.h"
#include "base/num.h"
#include "security/address.h"
#include "security/rules/addrset.h"
#include "security/rules/notes.h"
#include "security/uri.h"

#define ARENA_FIRST_N ((size_t)64 << 10)
#define ARENA_MAX_N   ((size_t)1 << 30)

struct rule {
    struct rule *next;             /* of the same initiator, kind and recipient, latest first */
    const struct sec_addrset *set; /* SEC_RECIPIENT_FILE, _GROUP: its addresses */
    uint64_t max_size;
    struct slice application, type, uri; /* in the arena */
    struct slice initiator;              /* of an "only" rule; "*": any */
    struct sec_hours hours;
    uint32_t line;
    enum sec_rule rule;
    enum sec_level protect;
    int asked;
};

/* The rules of one initiator. */
struct group {
    struct map exact, prefix, domain; /* recipient to struct rule, the head of its chain */
    uint64_t prefix_lengths;          /* bit n: a prefix of n octets occurs */
    struct rule *any;
    struct rule *files;
};

struct set_entry {
    struct slice name;
    struct sec_addrset *set; /* owned */
};

struct sec_whitelist {
    struct arena arena;    /* rules, groups and their text */
    struct map groups;     /* initiator to struct group; "*" not in it */
    struct map sets;       /* file name to struct set_entry */
    struct group everyone; /* initiator "*" */
    struct group only;     /* "only" rules */
    size_t only_n;
    struct sec_acl acl;
    struct sec_notes notes; /* of all rules */
    const char *file;
    size_t rules;
};

static void group_init(struct group *g)
{
    map_init(&g->exact, SEC_WHITELIST_RULES_MAX);
    map_init(&g->prefix, SEC_WHITELIST_RULES_MAX);
    map_init(&g->domain, SEC_WHITELIST_RULES_MAX);
}

static void group_clear(struct group *g)
{
    map_clear(&g->exact);
    map_clear(&g->prefix);
    map_clear(&g->domain);
}

enum err sec_whitelist_create(const char *file, struct sec_whitelist **out)
{
    struct sec_whitelist *w = calloc(1, sizeof *w);
    struct slice name;

    if (!w)
        return ERR_NOMEM;
    arena_init(&w->arena, ARENA_FIRST_N, ARENA_MAX_N);
    map_init(&w->groups, SEC_WHITELIST_RULES_MAX);
    map_init(&w->sets, SEC_WHITELIST_RULES_MAX);
    group_init(&w->everyone);
    group_init(&w->only);
    sec_acl_init(&w->acl, SEC_WHITELIST_RULES_MAX);
    if (arena_dup(&w->arena, slice_str(file), &name)) {
        sec_whitelist_free(&w);
        return ERR_NOMEM;
    }
    w->file = name.p;
    *out = w;
    return ERR_OK;
}

void sec_whitelist_free(struct sec_whitelist **w)
{
    struct sec_whitelist *v = *w;
    size_t pos = 0;
    struct group *g;
    struct set_entry *s;

    if (!v)
        return;
    while ((g = map_next(&v->groups, &pos)))
        group_clear(g);
    pos = 0;
    while ((s = map_next(&v->sets, &pos)))
        sec_addrset_free(&s->set);
    group_clear(&v->everyone);
    group_clear(&v->only);
    sec_acl_clear(&v->acl);
    map_clear(&v->groups);
    map_clear(&v->sets);
    sec_notes_clear(&v->notes);
    arena_clear(&v->arena);
    free(v);
    *w = NULL;
}

static enum err group_of(struct sec_whitelist *w, struct slice initiator, struct group **out)
{
    struct group *g = &w->everyone;
    struct slice key;
    enum err e;

    if (!slice_eq(initiator, SLICE("*")))
        g = map_get(&w->groups, initiator);
    if (!g) {
        g = arena_alloc(&w->arena, sizeof *g);
        if (!g || arena_dup(&w->arena, initiator, &key))
            return ERR_NOMEM;
        group_init(g);
        e = map_put(&w->groups, key, g);
        if (e)
            return e;
    }
    *out = g;
    return ERR_OK;
}

/* Puts the rule behind the head of its chain, so that the index never changes for a known recipient; the order
 * inside a chain does not matter. */
static enum err chain(struct sec_whitelist *w, struct map *index, struct slice recipient, struct rule *r)
{
    struct rule *head = map_get(index, recipient);
    struct slice key;
    enum err e;

    if (head) {
        r->next = head->next;
        head->next = r;
        return ERR_OK;
    }
    e = arena_dup(&w->arena, recipient, &key);
    return e ? e : map_put(index, key, r);
}

static enum err chain_exact(struct sec_whitelist *w, struct group *g, struct slice recipient, struct rule *r)
{
    struct sec_address a;
    enum err e = sec_address_canonical(recipient, &a);

    return e ? e : chain(w, &g->exact, slice_of(a.text, a.n), r);
}

/* A domain in the same lower case as addresses have it. */
static enum err chain_domain(struct sec_whitelist *w, struct group *g, struct slice domain, struct rule *r)
{
    char text[SEC_ADDRESS_MAX_N + 1];
    struct sec_address a;
    int n = snprintf(text, sizeof text, "sip:%.*s", SLICE_FMT(slice_sub(domain, 0, SEC_ADDRESS_MAX_N)));
    enum err e = sec_address_canonical(slice_of(text, num_min((size_t)n, sizeof text - 1)), &a);

    return e ? e : chain(w, &g->domain, slice_of(a.text + a.domain, a.n - a.domain), r);
}

static enum err chain_rule(struct sec_whitelist *w, struct group *g, const struct sec_whitelist_line *line,
                           struct rule *r)
{
    switch (line->kind) {
    case SEC_RECIPIENT_EXACT:
        return chain_exact(w, g, line->recipient, r);
    case SEC_RECIPIENT_DOMAIN:
        return chain_domain(w, g, line->recipient, r);
    case SEC_RECIPIENT_PREFIX:
        g->prefix_lengths |= UINT64_C(1) << line->recipient.n;
        return chain(w, &g->prefix, line->recipient, r);
    case SEC_RECIPIENT_FILE:
    case SEC_RECIPIENT_GROUP:
        r->next = g->files;
        g->files = r;
        return ERR_OK;
    case SEC_RECIPIENT_ANY:
    default:
        r->next = g->any;
        g->any = r;
        return ERR_OK;
    }
}

static enum err rule_of(struct sec_whitelist *w, const struct sec_whitelist_line *line, uint32_t line_no,
                        struct rule **out)
{
    struct rule *r = arena_alloc(&w->arena, sizeof *r);

    if (!r || arena_dup(&w->arena, line->application, &r->application) ||
        arena_dup(&w->arena, line->type, &r->type) || arena_dup(&w->arena, line->uri, &r->uri) ||
        (line->rule == SEC_RULE_ONLY && arena_dup(&w->arena, line->initiator, &r->initiator)))
        return ERR_NOMEM;
    r->max_size = line->max_size;
    r->hours = line->hours;
    r->line = line_no;
    r->rule = line->rule;
    r->protect = line->protect;
    r->asked = line->asked;
    *out = r;
    return ERR_OK;
}

static enum err add_rule(struct sec_whitelist *w, const struct sec_whitelist_line *line, uint32_t line_no,
                         const struct sec_addrset *set)
{
    struct group *g = &w->only;
    struct rule *r = NULL;
    enum err e = rule_of(w, line, line_no, &r);

    if (e)
        return e;
    r->set = set;
    if (line->rule != SEC_RULE_ONLY)
        e = group_of(w, line->initiator, &g);
    if (!e)
        e = chain_rule(w, g, line, r);
    w->only_n += !e && line->rule == SEC_RULE_ONLY;
    return e;
}

enum err sec_whitelist_add(struct sec_whitelist *w, const struct sec_whitelist_line *line, uint32_t line_no,
                           const struct sec_addrset *set)
{
    enum err e;

    if (w->rules == SEC_WHITELIST_RULES_MAX)
        return ERR_LIMIT;
    e = line->rule == SEC_RULE_ACL ? sec_acl_add(&w->acl, &w->arena, line->path, line->acl, line_no)
                                   : add_rule(w, line, line_no, set);
    if (!e)
        w->rules++;
    return e;
}

enum err sec_whitelist_set(struct sec_whitelist *w, struct slice name, struct sec_addrset **set, bool *fresh)
{
    struct set_entry *s = map_get(&w->sets, name);
    enum err e = ERR_OK;

    *fresh = !s;
    if (!s) {
        s = arena_alloc(&w->arena, sizeof *s);
        if (!s || arena_dup(&w->arena, name, &s->name))
            return ERR_NOMEM;
        e = sec_addrset_create(&s->set);
        if (e)
            return e;
        e = map_put(&w->sets, s->name, s);
    }
    if (e)
        sec_addrset_free(&s->set);
    else
        *set = s->set;
    return e;
}

/* --- deciding --- */

/* A decision on its way: the question in canonical form, and the best rules so far. */
struct ask {
    const struct sec_whitelist_query *q;
    struct sec_address to;
    const struct rule *deny, *allow; /* lowest line of each */
    const struct rule *only;         /* the first about this recipient */
    bool subscribed;                 /* one of those matches */
};

static bool type_matches(struct slice pattern, struct slice type)
{
    if (pattern.n == 0)
        return true;
    if (slice_ends(pattern, SLICE("/*")))
        return slice_starts_ci(type, slice_sub(pattern, 0, pattern.n - 1));
    return slice_eq_ci(pattern, type);
}

/* "mms.ua" is short for "x-wap-application:mms.ua". */
static struct slice app_name(struct slice app)
{
    const struct slice scheme = SLICE("x-wap-application:");

    return slice_starts_ci(app, scheme) ? slice_sub(app, scheme.n, app.n) : app;
}

/* Terminals compare application ids without regard to case, so do rules.  A push to any application ("*",
 * [PAP §9.3]) may reach each of them: every deny meets it, and no allow that names one. */
static bool app_matches(const struct rule *r, struct slice app)
{
    struct slice rule = app_name(r->application), name = app_name(app);

    if (slice_eq(r->application, SLICE("*")))
        return true;
    return slice_eq(name, SLICE("*")) ? r->rule == SEC_RULE_DENY || slice_eq(rule, name)
                                      : slice_eq_ci(rule, name);
}

/* A URI that only is claimed opens no door, but may close one. */
static bool uri_matches(const struct rule *r, const struct sec_whitelist_query *q)
{
    if (r->uri.n == 0)
        return true;
    return !(r->rule != SEC_RULE_DENY && q->uri_foreign) && sec_uri_matches(r->uri, q->uri);
}

static bool conditions_match(const struct rule *r, const struct ask *a)
{
    const struct sec_whitelist_query *q = a->q;

    return app_matches(r, q->application) && q->size <= r->max_size && type_matches(r->type, q->type) &&
           uri_matches(r, q) && (r->asked == SEC_ASKED_ANY || r->asked == (int)q->asked) &&
           sec_hours_has(&r->hours, q->at_s);
}

static bool recipient_matches(const struct rule *r, const struct ask *a)
{
    return !r->set || sec_addrset_has(r->set, slice_of(a->to.text, a->to.n));
}

static void consider_only(const struct rule *r, struct ask *a)
{
    if (!recipient_matches(r, a))
        return;
    if (!a->only || r->line < a->only->line)
        a->only = r;
    if (slice_eq(r->initiator, SLICE("*")) || slice_eq(r->initiator, a->q->initiator))
        a->subscribed = a->subscribed || conditions_match(r, a);
}

static void consider(const struct rule *r, struct ask *a)
{
    const struct rule **best = r->rule == SEC_RULE_ALLOW ? &a->allow : &a->deny;

    if (r->rule == SEC_RULE_ONLY)
        consider_only(r, a);
    else if ((!*best || r->line < (*best)->line) && conditions_match(r, a) && recipient_matches(r, a))
        *best = r;
}

static void consider_chain(const struct rule *r, struct ask *a)
{
    for (; r; r = r->next)
        consider(r, a);
}

static void consider_number(const struct group *g, struct ask *a)
{
    for (size_t n = 1; n <= SEC_WHITELIST_PREFIX_MAX_N && n <= a->to.n; n++)
        if (g->prefix_lengths >> n & 1)
            consider_chain(map_get(&g->prefix, slice_of(a->to.text, n)), a);
}

static void consider_group(const struct group *g, struct ask *a)
{
    const struct sec_address *to = &a->to;

    consider_chain(map_get(&g->exact, slice_of(to->text, to->n)), a);
    if (to->domain == to->n)
        consider_number(g, a);
    else if (slice_starts(slice_of(to->text, to->n), SLICE("sip:")))
        consider_chain(map_get(&g->domain, slice_of(to->text + to->domain, to->n - to->domain)), a);
    consider_chain(g->any, a);
    consider_chain(g->files, a);
}

/* The rule that decides, NULL: none; the verdict's reason. */
static const struct rule *deciding(const struct ask *a, const char **reason)
{
    if (a->deny) {
        *reason = "deny rule";
        return a->deny;
    }
    if (a->only && !a->subscribed) {
        *reason = "not subscribed";
        return a->only;
    }
    *reason = a->allow ? "allow rule" : "no rule";
    return a->allow;
}

static void decide_submission(const struct sec_whitelist *w, const struct sec_whitelist_query *q,
                              struct sec_whitelist_verdict *out)
{
    const struct group *own = map_get(&w->groups, q->initiator);
    struct ask a = {.q = q};
    const struct rule *r;

    out->reason = "bad address";
    if (sec_address_canonical(q->recipient, &a.to))
        return;
    if (own)
        consider_group(own, &a);
    consider_group(&w->everyone, &a);
    if (w->only_n)
        consider_group(&w->only, &a);
    r = deciding(&a, &out->reason);
    if (!r)
        return;
    out->allow = r->rule == SEC_RULE_ALLOW;
    out->demanded = r->protect;
    out->line = r->line;
}

static enum sec_acl_command command_of(enum sec_operation operation)
{
    return operation == SEC_CANCEL ? SEC_ACL_DELETE : SEC_ACL_GET;
}

static void decide_about_push(const struct sec_whitelist *w, const struct sec_whitelist_query *q,
                              struct sec_whitelist_verdict *out)
{
    if (slice_eq(q->owner, q->initiator)) {
        out->allow = true;
        out->reason = "own push";
        return;
    }
    out->allow =
        sec_acl_allows(&w->acl, command_of(q->operation), q->initiator, q->owner, q->push_id, &out->line);
    out->reason = out->line ? "acl" : "no rule";
}

void sec_whitelist_decide(const struct sec_whitelist *w, const struct sec_whitelist_query *q,
                          struct sec_whitelist_verdict *out)
{
    *out = (struct sec_whitelist_verdict){.file = w->file};
    if (q->operation == SEC_SUBMIT)
        decide_submission(w, q, out);
    else
        decide_about_push(w, q, out);
}

bool sec_whitelist_reaches_others(const struct sec_whitelist *w, enum sec_operation operation,
                                  struct slice who)
{
    return sec_acl_any(&w->acl, command_of(operation), who);
}

enum err sec_whitelist_note(struct sec_whitelist *w, struct slice text)
{
    return sec_notes_add(&w->notes, text);
}

void sec_whitelist_changes(const struct sec_whitelist *was, const struct sec_whitelist *is, size_t *added,
                           size_t *removed)
{
    sec_notes_changes(&was->notes, &is->notes, added, removed);
}

size_t sec_whitelist_rules(const struct sec_whitelist *w)
{
    return w->rules;
}

size_t sec_whitelist_addresses(const struct sec_whitelist *w)
{
    const struct set_entry *s;
    size_t pos = 0, n = 0;

    while ((s = map_next(&w->sets, &pos)))
        n += sec_addrset_count(s->set);
    return n;
}

size_t sec_whitelist_memory(const struct sec_whitelist *w)
{
    const struct set_entry *s;
    size_t pos = 0, n = sizeof *w + w->arena.used;

    while ((s = map_next(&w->sets, &pos)))
        n += sec_addrset_memory(s->set);
    return n;
}
