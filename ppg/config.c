/* The whole configuration as one counted value: loads ppg.conf and the files it names, keeps all or nothing.  What a
 * key means is in config/keys.c.  Loading: off the loops; holding and dropping: any thread. */
#include "ppg/config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/mem.h"
#include "ppg/keys/bsf.h"
#include "ppg/keys/keyask.h"
#include "ppg/config/algorithms.h"
#include "ppg/config/groups.h"
#include "ppg/config/ini.h"
#include "ppg/config/initiators.h"
#include "ppg/config/nafs.h"
#include "ppg/config/schema.h"
#include "ppg/config/subscribers.h"
#include "ppg/config/terminals.h"
#include "ppg/config/users.h"
#include "ppg/limits.h"
#include "ppg/serial.h"
#include "ppg/doors/sip_names.h"
#include "security/rules/addrset.h"
#include "security/wrap.h"

#define FILE_MAX_N    (1 << 20) /* octets of ppg.conf */
#define ENTITIES_MAX  100000u
#define ONE_TIME_MAX  10000u /* one-time keys between entities, on their way */
#define ONE_TIME_S    300
#define STRINGS_MAX_N (1 << 20) /* octets of all text in the settings */

struct ppg_config {
    atomic_uint refs;
    struct arena strings; /* path and the text of settings */
    struct ppg_settings settings;
    struct sec_accounts *accounts;
    struct sec_whitelist *whitelist;
    struct ppg_groups *groups;
    struct ppg_limits *limits;
    struct ota_registry *registry;
    struct sec_keyserver *keyserver;
    struct sec_bootstrap *bootstrap; /* held */
    struct sec_farkeys *far;         /* likewise */
    struct sec_nafs *nafs;
    struct ppg_visits *visits;
    struct sec_visits *visitors; /* held */
    struct sec_accounts *users;
    struct sec_entities *entities; /* held */
    struct sec_keyring *keyring;
    struct sec_secret sa_key;
    struct log *log; /* borrowed; NULL: none */
    const char *path;
    uint64_t generation;
};

static void destroy(struct ppg_config *c)
{
    ppg_limits_free(&c->limits);
    sec_accounts_free(&c->accounts);
    sec_whitelist_free(&c->whitelist);
    ppg_groups_free(&c->groups);
    if (c->registry)
        ota_registry_drop(&c->registry);
    sec_bootstrap_free(&c->bootstrap);
    sec_farkeys_free(&c->far);
    sec_nafs_free(&c->nafs);
    ppg_visits_free(&c->visits);
    sec_visits_free(&c->visitors);
    sec_accounts_free(&c->users);
    sec_entities_free(&c->entities);
    sec_keyserver_free(&c->keyserver);
    sec_keyring_free(&c->keyring);
    sec_secret_clear(&c->sa_key);
    arena_clear(&c->strings);
    free(c);
}

static void read_settings(struct ppg_load *load, struct ppg_config *c)
{
    struct buf text;

    buf_init(&text, 0);
    if (ppg_load_file(load, c->path, FILE_MAX_N, 0, (struct ppg_place){c->path, 0}, SLICE_NONE, &text) ==
        ERR_OK)
        ppg_schema_read(load, buf_slice(&text), c->path, true, &c->strings, &c->settings);
    buf_clear(&text);
}

static enum err add_group(void *arg, struct slice name, struct sec_addrset *into)
{
    const struct ppg_config *c = arg;
    const struct ppg_group *group = ppg_groups_find(c->groups, name);
    enum err e = group ? ERR_OK : ERR_ABSENT;

    for (size_t i = 0; !e && i < group->members_n; i++)
        e = sec_addrset_add(into, group->members[i]);
    return e;
}

enum err ppg_config_whitelist_of(const struct ppg_config *c, const struct slice *text,
                                 struct sec_whitelist **out, struct sec_load_error *e)
{
    struct sec_whitelist_source from = {
        .path = c->settings.files.whitelist, .text = text, .group = add_group, .arg = (void *)(uintptr_t)c};

    return sec_whitelist_load(&from, out, e);
}

/* The key of the store's associations; without a master key one that dies with the program. */
static enum err make_sa_key(const struct sec_secret *master, struct sec_secret *out)
{
    return master->n ? sec_key_derive(sec_secret_slice(master), "store", SLICE("associations"), out)
                     : sec_secret_random(out, SEC_WRAP_KEY_N);
}

/* A mistake of this key of ppg.conf, told with its line. */
static void say_setting(struct ppg_load *load, const struct ppg_config *c, enum err e, const char *section,
                        const char *name, const char *why)
{
    struct ppg_place at = {c->path, ppg_schema_line(&c->settings, section, name)};

    ppg_load_say(load, e, at, slice_str(name), "%s", why);
}

/* The key that the setting `name` of `section` says where to find.  False: told. */
static bool read_master(struct ppg_load *load, const struct ppg_config *c, const char *section,
                        const char *name, const char *where, struct sec_secret *out)
{
    char why[SEC_KEYRING_WHY_N];
    enum err e = sec_master_read(where, out, why);

    if (e)
        say_setting(load, c, e, section, name, why);
    return !e;
}

/* False: told.  No file yet is an empty keyring; no master key, or none of those before while it is named, never is. */
static bool read_keyring(struct ppg_load *load, struct ppg_config *c)
{
    char why[SEC_KEYRING_WHY_N] = "out of memory";
    struct sec_secret master, previous;
    struct sec_keyring_conf conf;
    enum err e = ERR_ABSENT;

    sec_secret_init(&master);
    sec_secret_init(&previous);
    if (!ppg_config_keyring_at(c, &conf))
        return !make_sa_key(&master, &c->sa_key);
    if (!conf.master)
        say_setting(load, c, e, "keyring", "path", "needs master");
    else if (read_master(load, c, "keyring", "master", conf.master, &master) &&
             (!conf.previous ||
              read_master(load, c, "keyring", "master-previous", conf.previous, &previous))) {
        e = sec_keyring_load(&conf, &c->keyring, why);
        if (e == ERR_ABSENT)
            e = sec_keyring_create(sec_secret_slice(&master), &c->keyring);
        if (!e)
            e = make_sa_key(&master, &c->sa_key);
        if (e)
            say_setting(load, c, e, "keyring", "path", why);
    }
    sec_secret_clear(&master);
    sec_secret_clear(&previous);
    return !e;
}

/* The start needs it; whoever only looks at the configuration is told as well. */
static void look_at_audit_key(struct ppg_load *load, const struct ppg_config *c)
{
    struct sec_secret key;

    sec_secret_init(&key);
    if (c->settings.admin.audit && c->settings.admin.audit_key)
        (void)read_master(load, c, "admin", "audit-key", c->settings.admin.audit_key, &key);
    sec_secret_clear(&key);
}

static void read_whitelist(struct ppg_load *load, struct ppg_config *c)
{
    struct sec_load_error at = {.what = ""};
    enum err e = ppg_config_whitelist_of(c, NULL, &c->whitelist, &at);

    if (e)
        ppg_load_say(load, e, (struct ppg_place){at.file, at.line}, SLICE_NONE, "%s", at.what);
}

static void read_subscribers(struct ppg_load *load, struct ppg_config *c)
{
    const struct ppg_settings *s = &c->settings;
    struct ppg_subscribers_conf conf = {.name = slice_str(s->key_server.name),
                                        .life_s = s->key_server.life_ms / 1000,
                                        .slot = (uint8_t)s->key_server.slot,
                                        .keyring = c->keyring};

    ppg_subscribers_read(load, s->files.subscribers, &conf, &c->keyserver);
}

static void read_policy(struct ppg_load *load, struct ppg_config *c)
{
    char why[PPG_FILE_WHY_N];
    uint64_t last = 0;
    enum err e = ppg_serial_read(c->settings.files.algorithms_serial, &last, why);

    if (e)
        say_setting(load, c, e, "files", "algorithms-serial", why);
    else
        ppg_algorithms_read(load, last, &c->settings);
}

static void read_users(struct ppg_load *load, struct ppg_config *c)
{
    struct sec_entities_conf conf = {ENTITIES_MAX, ONE_TIME_MAX, ONE_TIME_S};
    enum err e;

    ppg_users_read(load, c->settings.files.users, c->keyring, &c->users);
    e = c->users ? sec_entities_create(&conf, &c->entities) : ERR_OK;
    if (!e && c->users)
        e = sec_entities_load(c->entities, c->keyring, c->users);
    if (e)
        ppg_load_say(load, e, (struct ppg_place){c->settings.files.users, 0}, SLICE_NONE,
                     "keys of entities: %s", err_text(e));
}

/* Mistakes in one file do not hide those in the next. */
static void read_all(struct ppg_load *load, struct ppg_config *c)
{
    const struct ppg_settings *s = &c->settings;

    read_settings(load, c);
    if (s->files.algorithms && s->files.algorithms_key)
        read_policy(load, c);
    look_at_audit_key(load, c);
    if (!read_keyring(load, c))
        return; /* every key named in the other files would be told as unknown */
    if (s->files.initiators && s->pap.realm)
        ppg_initiators_read(load, s->files.initiators, slice_str(s->pap.realm), s->pap.digest_md5, c->keyring,
                            &c->accounts);
    if (s->files.groups)
        ppg_groups_read(load, s->files.groups, &c->groups);
    if (s->files.whitelist)
        read_whitelist(load, c);
    if (s->files.terminals)
        ppg_terminals_read(load, s->files.terminals, c->keyring, s->protection.suites, s->pap.digest_md5,
                           ppg_sip_domains(s), &c->registry);
    if (s->files.subscribers && s->key_server.name)
        read_subscribers(load, c);
    if (s->files.users)
        read_users(load, c);
    if (s->files.nafs && c->keyserver)
        ppg_nafs_read(load, s->files.nafs, s->key_server.life_ms / 1000, c->keyserver, &c->nafs);
    if (s->files.visits)
        ppg_visits_read(load, s->files.visits, s->key_server.visitors_max, &c->visits);
}

/* A ceiling passed or a name twice is a mistake in the file like any other. */
static enum err outcome(enum err e)
{
    return e == ERR_OK || e == ERR_IO || e == ERR_DENIED || e == ERR_NOMEM ? e : ERR_MALFORMED;
}

void ppg_config_error_bare(const struct ppg_config_errors *errs, size_t i, char out[512])
{
    const char *text = errs->text[i];

    (void)snprintf(out, 512, "%.*s%s", (int)errs->name[i].at, text,
                   text + errs->name[i].at + errs->name[i].n);
}

enum err ppg_config_load(const char *path, struct ppg_config **out, struct ppg_config_errors *errs)
{
    static _Atomic uint64_t loads;
    struct ppg_load load = {.errs = errs};
    struct ppg_config *c = calloc(1, sizeof *c);
    struct slice kept;

    errs->n = errs->more = 0;
    if (!c)
        return ERR_NOMEM;
    atomic_init(&c->refs, 1);
    arena_init(&c->strings, 4096, STRINGS_MAX_N);
    load.err = arena_dup(&c->strings, slice_str(path), &kept);
    if (load.err == ERR_OK) {
        c->path = kept.p;
        read_all(&load, c);
    }
    if (!load.err && c->keyserver)
        load.err = ppg_bsf_create(&c->settings, &c->bootstrap);
    if (!load.err)
        load.err = ppg_keyask_table(&c->settings, &c->far);
    if (!load.err && c->visits)
        load.err = sec_visits_create(c->settings.key_server.visitors_max, &c->visitors);
    if (!load.err)
        load.err = ppg_limits_create(c->accounts, &c->limits);
    if (load.err) {
        destroy(c);
        return outcome(load.err);
    }
    c->generation = atomic_fetch_add(&loads, 1) + 1;
    *out = c;
    return ERR_OK;
}

struct ppg_config *ppg_config_hold(struct ppg_config *c)
{
    (void)atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void ppg_config_drop(struct ppg_config **config)
{
    struct ppg_config *c = *config;

    *config = NULL;
    if (c && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
        destroy(c);
}

bool ppg_config_alone(const struct ppg_config *c)
{
    return atomic_load_explicit(&c->refs, memory_order_acquire) == 1 && ota_registry_alone(c->registry);
}

const struct ppg_settings *ppg_config_settings(const struct ppg_config *c)
{
    return &c->settings;
}

const struct sec_accounts *ppg_config_accounts(const struct ppg_config *c)
{
    return c->accounts;
}

const struct sec_whitelist *ppg_config_whitelist(const struct ppg_config *c)
{
    return c->whitelist;
}

const struct ppg_groups *ppg_config_groups(const struct ppg_config *c)
{
    return c->groups;
}

struct ppg_limits *ppg_config_limits(const struct ppg_config *c)
{
    return c->limits;
}

/* Keys of another BSF, or for another name, are none of ours any more. */
static bool same_bsf(const struct ppg_config *a, const struct ppg_config *b)
{
    return a->far && b->far &&
           slice_eq(slice_str(a->settings.key_server.bsf_url), slice_str(b->settings.key_server.bsf_url)) &&
           slice_eq(slice_str(a->settings.key_server.name), slice_str(b->settings.key_server.name));
}

void ppg_config_follow(struct ppg_config *c, const struct ppg_config *before)
{
    ppg_limits_inherit(c->limits, c->accounts, before->limits, before->accounts);
    if (!c->keyring && !before->keyring)
        c->sa_key = before->sa_key;
    if (c->keyserver && before->keyserver)
        sec_keyserver_follow(c->keyserver, before->keyserver);
    if (c->entities && before->entities && !sec_entities_load(before->entities, c->keyring, c->users)) {
        sec_entities_free(&c->entities);
        c->entities = sec_entities_hold(before->entities);
    }
    if (c->bootstrap && before->bootstrap &&
        slice_eq(sec_bootstrap_fqdn(c->bootstrap), sec_bootstrap_fqdn(before->bootstrap))) {
        sec_bootstrap_free(&c->bootstrap);
        c->bootstrap = sec_bootstrap_hold(before->bootstrap);
    }
    if (same_bsf(c, before)) {
        sec_farkeys_free(&c->far);
        c->far = sec_farkeys_hold(before->far);
    }
    if (c->visitors && before->visitors) {
        sec_visits_free(&c->visitors);
        c->visitors = sec_visits_hold(before->visitors);
    }
}

const struct sec_keyring *ppg_config_keyring(const struct ppg_config *c)
{
    return c->keyring;
}

bool ppg_config_keyring_at(const struct ppg_config *c, struct sec_keyring_conf *out)
{
    *out = (struct sec_keyring_conf){.path = c->settings.keyring.path,
                                     .master = c->settings.keyring.master,
                                     .previous = c->settings.keyring.master_previous};
    return out->path != NULL;
}

/* Whoever loads it under another master key has it sealed anew already. */
static enum err as_it_is(struct sec_keyring *r, void *arg)
{
    (void)r;
    (void)arg;
    return ERR_OK;
}

void ppg_config_rewrap(const struct ppg_config *c, struct log *log)
{
    char why[SEC_KEYRING_WHY_N] = "";
    struct sec_keyring_conf conf;

    if (!c->keyring || !sec_keyring_is_old(c->keyring) || !ppg_config_keyring_at(c, &conf))
        return;
    if (sec_keyring_change(&conf, as_it_is, NULL, why))
        LOG(log, LOG_ERROR, "keyring.rewrap-failed", LOG_C("why", why));
    else
        LOG(log, LOG_WARN, "keyring.rewrapped");
}

/* The first whose user is gone; NULL: none. */
static const struct sec_key *orphan(const struct sec_keyring *r, const struct sec_accounts *users)
{
    const struct sec_key *k;
    size_t pos = 0;

    while ((k = sec_keyring_next(r, &pos)))
        if (k->kind == SEC_KEY_ENTITY && !sec_accounts_by_user(users, k->attr))
            return k;
    return NULL;
}

static enum err take_orphans(struct sec_keyring *r, void *arg)
{
    const struct sec_key *k;
    char name[SEC_KEY_NAME_MAX_N];
    enum err e = ERR_OK;

    while (!e && (k = orphan(r, arg))) {
        struct slice kept = slice_of(name, k->name.n);

        mem_copy(name, sizeof name, k->name); /* the record's own goes with it */
        e = sec_keyring_remove(r, kept);
    }
    return e;
}

void ppg_config_prune(const struct ppg_config *c, struct log *log)
{
    char why[SEC_KEYRING_WHY_N] = "";
    struct sec_keyring_conf conf;

    if (!c->users || !c->keyring || !orphan(c->keyring, c->users) || !ppg_config_keyring_at(c, &conf))
        return;
    if (sec_keyring_change(&conf, take_orphans, c->users, why))
        LOG(log, LOG_ERROR, "entity.prune-failed", LOG_C("why", why));
    else
        LOG(log, LOG_WARN, "entity.pruned");
}

enum err ppg_config_fence(const struct ppg_config *c, char why[PPG_FILE_WHY_N])
{
    return ppg_serial_raise(c->settings.files.algorithms_serial, c->settings.policy.serial, why);
}

struct ota_registry *ppg_config_registry(const struct ppg_config *c)
{
    return c->registry;
}

const struct sec_accounts *ppg_config_users(const struct ppg_config *c)
{
    return c->users;
}

struct sec_entities *ppg_config_entities(const struct ppg_config *c)
{
    return c->entities;
}

const struct sec_nafs *ppg_config_nafs(const struct ppg_config *c)
{
    return c->nafs;
}

const struct ppg_visits *ppg_config_visits(const struct ppg_config *c)
{
    return c->visits;
}

struct sec_visits *ppg_config_visitors(const struct ppg_config *c)
{
    return c->visitors;
}

struct sec_bootstrap *ppg_config_bootstrap(const struct ppg_config *c)
{
    return c->bootstrap;
}

struct sec_naf ppg_config_naf(const struct ppg_config *c, int64_t utc_ms)
{
    return (struct sec_naf){.bootstrap = c->bootstrap,
                            .server = c->keyserver,
                            .far = c->far,
                            .fqdn = slice_str(c->settings.key_server.name),
                            .now_s = utc_ms / 1000};
}

const struct sec_secret *ppg_config_sa_key(const struct ppg_config *c)
{
    return &c->sa_key;
}

struct sec_keyserver *ppg_config_keyserver(const struct ppg_config *c)
{
    return c->keyserver;
}

void ppg_config_set_log(struct ppg_config *c, struct log *log)
{
    c->log = log;
}

struct log *ppg_config_log(const struct ppg_config *c)
{
    return c->log;
}

const char *ppg_config_path(const struct ppg_config *c)
{
    return c->path;
}

uint64_t ppg_config_generation(const struct ppg_config *c)
{
    return c->generation;
}
