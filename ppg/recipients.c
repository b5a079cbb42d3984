/* Who a push is for; see recipients.h.  [PAP §8.5, §8.6, §10].  Runs on the core's loop. */
#include "ppg/recipients.h"

#include <stdio.h>
#include "base/map.h"
#include "ota/headers.h"
#include "pap/address.h"
#include "ppg/authorize.h"
#include "ppg/config/groups.h"
#include "ppg/content.h"
#include "ppg/route.h"
#include "ppg/entity.h"

#define MEMBERS_MAX  100000u /* of all groups of one submission: it is in memory as a whole */
#define MEMBER_MAX_N 512u    /* octets of a member's target and its address */
#define RULE_MAX_N   300u    /* octets of a rule in words */
#define DEVICES      ";gr="  /* behind an address, and what the device is called (RFC 5627) */

/* [PAP §10]: a foreign @ppg is refused when this gateway's names are configured. */
static bool gateway_is_ours(const struct ppg_settings *set, struct slice ppg)
{
    struct slice list = slice_str(set->pap.aliases), alias;

    if (!ppg.n || !list.n)
        return true;
    while (slice_item(&list, &alias))
        if (slice_eq_ci(alias, ppg))
            return true;
    return false;
}

/* [PAP §8.6]: a bare name of a group is that group, which is called "$NAME" from here on. */
static void group_mark(const struct ppg_config *config, struct buf *key)
{
    const struct ppg_group *group = ppg_groups_find(ppg_config_groups(config), buf_slice(key));

    if (!group || slice_starts(buf_slice(key), SLICE("$")))
        return;
    buf_cut(key, 0);
    buf_add_ch(key, '$');
    buf_add(key, group->name);
}

enum pap_code ppg_recipient_key(struct ppg_submission *s, struct slice raw, struct slice *key)
{
    const struct ppg_settings *set = ppg_core_settings(s->core);
    struct pap_address a;
    struct buf text;
    enum pap_code code = PAP_CODE_ACCEPTED;

    if (pap_address_parse(raw, set->pap.strict, &s->push->mem, &a))
        return ppg_refuse(s, PAP_CODE_ADDRESS_ERROR, "address is malformed or of an unknown type");
    if (!gateway_is_ours(set, a.ppg))
        return ppg_refuse(s, PAP_CODE_ADDRESS_ERROR, "address names another gateway");
    buf_init(&text, PAP_ADDRESS_MAX_N * 2);
    pap_address_key(&a, &text);
    group_mark(s->core->config, &text);
    if (buf_err(&text) || !text.n)
        code = ppg_refuse(s, PAP_CODE_ADDRESS_ERROR, "address is empty");
    else if (arena_dup(&s->push->mem, buf_slice(&text), key))
        code = ppg_refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
    buf_clear(&text);
    return code;
}

/* Addresses taken so far; one recipient, the usual case, needs no table. */
static enum err note_key(struct map *seen, struct slice key, void *value)
{
    return seen->max ? map_put(seen, key, value) : ERR_OK;
}

static const struct ppg_group *group_of(const struct ppg_submission *s, const struct ppg_target *t)
{
    return ppg_groups_find(ppg_config_groups(s->core->config), t->key);
}

/* [PAP §8.6]: members_n of a group is how many it has, until they are taken. */
static enum pap_code take_one(struct ppg_submission *s, struct slice raw, struct ppg_target *t)
{
    enum pap_code code = ppg_recipient_key(s, raw, &t->key);
    const struct ppg_group *group;

    t->address = raw;
    if (code != PAP_CODE_ACCEPTED || !slice_starts(t->key, SLICE("$")))
        return code;
    group = group_of(s, t);
    if (!group)
        return ppg_refuse(s, PAP_CODE_ADDRESS_ERROR, "there is no such group");
    t->members_n = (uint32_t)group->members_n;
    return t->members_n ? PAP_CODE_ACCEPTED
                        : ppg_refuse(s, PAP_CODE_ADDRESS_ERROR, "the group has no members");
}

/* Is one of its devices addressed?  That is noted under the address with DEVICES behind it, which no key has. */
static bool has_device(const struct map *seen, struct slice key)
{
    char name[PAP_ADDRESS_MAX_N + sizeof DEVICES];
    int n = snprintf(name, sizeof name, "%.*s" DEVICES, SLICE_FMT(key));

    return n > 0 && (size_t)n < sizeof name && map_get(seen, slice_of(name, (size_t)n));
}

/* Who is addressed otherwise in this push is not pushed twice. */
static enum pap_code take_members(struct ppg_submission *s, const struct ppg_group *group, struct map *seen,
                                  struct ppg_target *at, uint32_t *taken)
{
    struct arena *mem = &s->push->mem;
    enum err e = ERR_OK;

    *taken = 0;
    for (size_t i = 0; i < group->members_n && (!e || e == ERR_EXISTS); i++) {
        struct ppg_target *t = &at[*taken];

        if (seen->max && (map_get(seen, group->members[i]) || has_device(seen, group->members[i])))
            continue;
        e = arena_dup(mem, group->members[i], &t->key);
        if (!e)
            e = note_key(seen, t->key, t);
        t->address = t->key;
        *taken += e == ERR_OK;
    }
    if (e)
        return ppg_refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
    return *taken ? PAP_CODE_ACCEPTED
                  : ppg_refuse(s, PAP_CODE_ADDRESS_ERROR,
                               "every member of the group is addressed otherwise in this push");
}

/* Puts the members behind their groups.  A group that none is left of is the first bad address and those behind it leave;
 * else the answer is `so_far`. */
static enum pap_code expand(struct ppg_submission *s, size_t members_n, struct map *seen,
                            enum pap_code so_far)
{
    struct ppg_push *p = s->push;
    enum pap_code code = PAP_CODE_ACCEPTED;
    struct ppg_target *all;
    size_t n = 0;

    if (members_n > MEMBERS_MAX)
        return ppg_refuse(s, PAP_CODE_MULTIPLE_ADDRESSES, "the groups have too many members for one push");
    p->mem.max += members_n * MEMBER_MAX_N; /* the ceiling knew only of what the initiator listed */
    all = arena_array(&p->mem, p->targets_n + members_n, sizeof *all);
    if (!all)
        return ppg_refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
    for (size_t i = 0; i < p->targets_n && code == PAP_CODE_ACCEPTED; i++) {
        struct ppg_target *t = &all[n++];

        *t = p->targets[i];
        if (!t->members_n)
            continue;
        code = take_members(s, group_of(s, t), seen, &all[n], &t->members_n);
        n += t->members_n;
    }
    p->targets = all;
    p->targets_n = code == PAP_CODE_ACCEPTED ? n : n - 1;
    return code == PAP_CODE_ACCEPTED ? so_far : code;
}

static enum err note_text(struct ppg_submission *s, struct slice text, struct ppg_target *t, struct map *seen)
{
    struct slice name;
    enum err e = arena_dup(&s->push->mem, text, &name);

    return e ? e : note_key(seen, name, t);
}

/* Two devices of one address are two recipients, one device spelt twice is not.  ERR_ABSENT: it names none. */
static enum err note_device(struct ppg_submission *s, struct ppg_target *t, struct map *seen)
{
    bool strict = ppg_core_settings(s->core)->pap.strict;
    struct buf text;
    enum err e;

    buf_init(&text, PAP_ADDRESS_MAX_N * 3);
    buf_add(&text, t->key);
    buf_add_str(&text, DEVICES);
    e = pap_address_device(t->address, strict, &text);
    if (!e)
        e = note_text(s, buf_slice(&text), t, seen);
    if (!e) {
        buf_cut(&text, t->key.n + strlen(DEVICES));
        e = note_text(s, buf_slice(&text), t, seen);
        e = e == ERR_EXISTS ? ERR_OK : e; /* another device of it was named before */
    }
    buf_clear(&text);
    return e;
}

static enum err note(struct ppg_submission *s, struct ppg_target *t, struct map *seen)
{
    enum err e = ERR_ABSENT;

    if (seen->max && pap_address_may_name_device(t->address))
        e = note_device(s, t, seen);
    return e == ERR_ABSENT ? note_key(seen, t->key, t) : e;
}

/* *members_n: of the groups among those taken, with or without a bad one behind them. */
static enum pap_code take_all(struct ppg_submission *s, struct map *seen, size_t *members_n)
{
    const struct pap_addrs *addrs = &s->message.push.addrs;
    struct ppg_push *p = s->push;
    enum pap_code code = PAP_CODE_ACCEPTED;

    for (size_t i = 0; i < addrs->n && code == PAP_CODE_ACCEPTED; i++) {
        struct ppg_target *t = &p->targets[p->targets_n];
        enum err e = ERR_OK;

        code = take_one(s, addrs->v[i], t);
        if (code == PAP_CODE_ACCEPTED)
            e = note(s, t, seen);
        if (e && e != ERR_EXISTS)
            code = ppg_refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
        if (code != PAP_CODE_ACCEPTED || e == ERR_EXISTS) {
            *t = (struct ppg_target){.push = NULL};
            continue;
        }
        *members_n += t->members_n;
        p->targets_n++;
    }
    return code;
}

/* [PAP §8.5]: the first bad address decides, and one that this initiator may not push to may stand before the malformed
 * one. */
static enum pap_code forbidden_before(struct ppg_submission *s)
{
    char why[sizeof s->why];

    (void)snprintf(why, sizeof why, "%s", s->why);
    if (ppg_recipients_allow(s) == PAP_CODE_FORBIDDEN)
        return PAP_CODE_FORBIDDEN;
    return ppg_refuse(s, PAP_CODE_ADDRESS_ERROR, why);
}

/* [PAP §8.5]: duplicated addresses collapse to one; one bad address refuses the whole. */
enum pap_code ppg_recipients_take(struct ppg_submission *s)
{
    const struct pap_addrs *addrs = &s->message.push.addrs;
    struct ppg_push *p = s->push;
    struct map seen = {.slots = NULL};
    size_t members_n = 0;
    enum pap_code code;

    p->targets = arena_array(&p->mem, addrs->n, sizeof *p->targets);
    if (!p->targets)
        return ppg_refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
    if (addrs->n > 1)
        map_init(&seen, 2 * addrs->n + MEMBERS_MAX);
    code = take_all(s, &seen, &members_n);
    if (members_n && (code == PAP_CODE_ACCEPTED || code == PAP_CODE_ADDRESS_ERROR))
        code = expand(s, members_n, &seen, code);
    if (addrs->n > 1)
        map_clear(&seen);
    return code == PAP_CODE_ADDRESS_ERROR ? forbidden_before(s) : code;
}

/* --- asking about each --- */

/* Targets that stay move up to where others left. */
struct walk {
    struct ppg_submission *s;
    ppg_recipient_fn *ask;
    void *arg;
    size_t next; /* to be asked about */
    size_t kept;
};

static enum pap_code ask_next(struct walk *w)
{
    struct ppg_target *targets = w->s->push->targets, *t = &targets[w->next++];
    enum pap_code code = w->ask(w->s, t, w->arg);

    if (code != PAP_CODE_ACCEPTED)
        return code;
    if (t != &targets[w->kept])
        targets[w->kept] = *t;
    w->kept++;
    return code;
}

/* The members of the group that was kept last.  When all are out, and for one reason, that is the reason. */
static enum pap_code ask_members(struct walk *w)
{
    const struct ppg_push *p = w->s->push;
    struct ppg_target *group = &p->targets[w->kept - 1];
    enum pap_code why = PAP_CODE_ACCEPTED;
    uint32_t out = 0;

    for (uint32_t i = 0; i < group->members_n; i++) {
        enum pap_code code = ask_next(w);

        if (code == PAP_CODE_INTERNAL_ERROR)
            return code;
        if (code == PAP_CODE_ACCEPTED)
            continue;
        why = !out++ || why == code ? code : PAP_CODE_ADDRESS_ERROR;
    }
    if (!out)
        return PAP_CODE_ACCEPTED;
    LOG(w->s->core->shared->log, LOG_INFO, "group.members.out", LOG_S("initiator", p->initiator),
        LOG_S("push_id", p->push_id), LOG_S("group", group->key), LOG_I("out", out),
        LOG_I("of", group->members_n));
    group->members_n -= out;
    return group->members_n ? PAP_CODE_ACCEPTED
                            : ppg_refuse(w->s, why, "no member of the group may be reached with this push");
}

enum pap_code ppg_recipients_each(struct ppg_submission *s, ppg_recipient_fn *ask, void *arg)
{
    struct ppg_push *p = s->push;
    struct walk w = {.s = s, .ask = ask, .arg = arg};
    enum pap_code code = PAP_CODE_ACCEPTED;

    while (w.next < p->targets_n && code == PAP_CODE_ACCEPTED) {
        code = ask_next(&w);
        if (code == PAP_CODE_ACCEPTED && p->targets[w.kept - 1].members_n)
            code = ask_members(&w);
    }
    p->targets_n = w.kept;
    return code;
}

/* --- the whitelist --- */

struct allow {
    struct sec_whitelist_query query;
    struct sec_whitelist_verdict last; /* whose rule is in words below */
    struct slice rule;
};

/* "whitelist.conf:12 allow protect=full", made once for all recipients that one rule lets through; empty when memory is
 * out: it is only told to people. */
static struct slice rule_text(struct ppg_submission *s, struct allow *a,
                              const struct sec_whitelist_verdict *v)
{
    struct slice path = slice_str(v->file), name = path;
    char text[RULE_MAX_N];

    if (v->line == a->last.line && v->file == a->last.file)
        return a->rule;
    a->last = *v;
    a->rule = SLICE_NONE;
    while (slice_cut(path, '/', &name, &path))
        name = path;
    (void)snprintf(text, sizeof text, "%.200s:%u allow%s%s", name.p, (unsigned)v->line,
                   v->demanded ? " protect=" : "", v->demanded ? sec_level_name(v->demanded) : "");
    return arena_dup(&s->push->mem, slice_str(text), &a->rule) ? SLICE_NONE : a->rule;
}

static enum pap_code allow_one(struct ppg_submission *s, struct ppg_target *t, void *arg)
{
    struct allow *a = arg;
    struct sec_whitelist_verdict v;

    a->query.recipient = t->key;
    sec_whitelist_decide(ppg_config_whitelist(s->core->config), &a->query, &v);
    if (!v.allow) {
        LOG(s->core->shared->log, LOG_WARN, "whitelist.denied", LOG_S("initiator", s->push->initiator),
            LOG_S("push_id", s->push->push_id), LOG_A("to", t->key), LOG_C("why", v.reason),
            LOG_C("file", v.file), LOG_I("line", v.line));
        return ppg_refuse(s, PAP_CODE_FORBIDDEN, "this initiator may not push this to that recipient");
    }
    t->demanded = (uint8_t)v.demanded;
    t->rule = rule_text(s, a, &v);
    return PAP_CODE_ACCEPTED;
}

struct sec_whitelist_query ppg_recipients_question(const struct ppg_push *p, uint64_t size, int64_t at_s)
{
    return (struct sec_whitelist_query){.initiator = p->initiator,
                                        .application = p->app_id.n ? p->app_id : SLICE(OTA_APP_DEFAULT),
                                        .type = ota_type_bare(p->content_type),
                                        .uri = p->initiator_uri,
                                        .uri_foreign = !(p->flags & PPG_AUTHENTICATED),
                                        .size = size,
                                        .asked = (enum sec_level)p->asked,
                                        .at_s = at_s};
}

enum pap_code ppg_recipients_allow(struct ppg_submission *s)
{
    const struct ppg_push *p = s->push;
    struct allow a = {.last = {.line = 0}};
    uint64_t size = 0;
    enum pap_code code = ppg_entity_size(s, &size);

    if (code != PAP_CODE_ACCEPTED)
        return code;
    a.query = ppg_recipients_question(p, size, p->accepted_ms / 1000);
    return ppg_recipients_each(s, allow_one, &a);
}

/* --- the way there --- */

/* PAP_CODE_OK, or why it is not possible. */
static unsigned possible(struct ppg_submission *s, const struct ppg_target *t, struct buf *made)
{
    const struct ppg_push *p = s->push;
    struct ppg_route_ask ask = {
        .key = t->key, .asked = p->asked, .demanded = t->demanded, .push = p, .made = made};
    unsigned code = PAP_CODE_INTERNAL_ERROR;
    struct buf device;
    enum err e = ERR_ABSENT;

    buf_init(&device, PAP_ADDRESS_MAX_N);
    if (pap_address_may_name_device(t->address))
        e = pap_address_device(t->address, ppg_core_settings(s->core)->pap.strict, &device);
    ask.device = buf_slice(&device);
    if (!e || e == ERR_ABSENT)
        code = ppg_route_possible(s->core, &ask, s->why);
    buf_clear(&device);
    return code;
}

static enum pap_code reach_one(struct ppg_submission *s, struct ppg_target *t, void *arg)
{
    const struct ppg_push *p = s->push;
    unsigned code;

    if (t->members_n) /* it is its members that are reached */
        return PAP_CODE_ACCEPTED;
    code = possible(s, t, arg);
    if (code == PAP_CODE_OK)
        return PAP_CODE_ACCEPTED;
    LOG(s->core->shared->log, LOG_INFO, "submission.impossible", LOG_S("initiator", p->initiator),
        LOG_S("push_id", p->push_id), LOG_A("to", t->key), LOG_I("code", code), LOG_C("why", s->why));
    return (enum pap_code)code;
}

enum pap_code ppg_recipients_reach(struct ppg_submission *s)
{
    struct buf made; /* once for all who take it so */
    enum pap_code code;

    buf_init(&made, PPG_CONTENT_MADE_MAX_N);
    code = ppg_recipients_each(s, reach_one, &made);
    buf_clear(&made);
    return code;
}
