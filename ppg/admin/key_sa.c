/* Associations in force, as the terminals of the configuration have them, and their revocation.  Off the loops; the
 * configuration is held and does not change. */
#include "ppg/admin/key.h"

#include <stdlib.h>
#include "base/codec.h"
#include "base/map.h"
#include "security/address.h"
#include "security/gpl.h"

#define ROWS_MAX 1000u
#define SAID_N   16

/* SAID to key: which of the keyring's a terminal has. */
static enum err index_keys(const struct sec_keyring *r, struct map *out)
{
    const struct sec_key *k;
    size_t pos = 0;
    enum err e = ERR_OK;

    map_init(out, SEC_KEYS_MAX);
    while (r && !e && (k = sec_keyring_next(r, &pos)))
        if (k->kind == SEC_KEY_ASSOCIATION)
            e = map_put(out, slice_sub(k->attr, 0, SAID_N), (void *)(uintptr_t)k);
    if (e == ERR_EXISTS) /* two names of one SAID: the first one's stands for both */
        e = ERR_OK;
    return e;
}

static json_t *row(const struct ppg_keyjob *job, const struct ota_terminal *t, const struct sec_key *k)
{
    const struct ota_association *a = &t->association;
    json_t *o = json_object();
    struct buf said, suites;

    buf_init(&said, 2 * SAID_N);
    buf_init(&suites, 256);
    codec_hex(&said, slice_of(a->said, sizeof a->said));
    for (size_t i = 0; i < a->suites_n; i++) {
        buf_add_str(&suites, i ? ", " : "");
        buf_add_str(&suites, sec_gpl_suite_name(a->suites[i]));
    }
    ppg_json_set_text(o, "terminal", t->key);
    ppg_json_set_text(o, "said", buf_slice(&said));
    ppg_json_set_text(o, "key", k ? k->name : SLICE_NONE);
    if (k)
        ppg_json_set_n(o, "version", k->version);
    ppg_json_set_text(o, "suites", buf_slice(&suites));
    ppg_json_set_text(o, "agreed", k ? SLICE("keyring") : SLICE("file"));
    ppg_json_set_time(o, "made", a->made_s * 1000);
    ppg_json_set_time(o, "expires", a->expires_ms);
    ppg_json_set_text(o, "state",
                      a->expires_ms && a->expires_ms / 1000 <= job->now_s ? SLICE("expired") : SLICE("good"));
    buf_clear(&said);
    buf_clear(&suites);
    return o;
}

/* What an operator may call it by. */
struct wanted {
    struct slice raw; /* n 0: all */
    struct sec_address address;
    bool is_address;
    uint8_t said[SAID_N];
    bool is_said;
};

static void wanted_read(struct slice name, struct wanted *out)
{
    out->raw = name;
    out->is_address = name.n && !sec_address_canonical(name, &out->address);
    out->is_said = !codec_unhex(name, out->said, SAID_N);
}

static bool is_wanted(const struct wanted *w, const struct ota_terminal *t, const struct sec_key *k)
{
    if (!w->raw.n || (k && slice_eq(w->raw, k->name)))
        return true;
    if (w->is_address && slice_eq(t->key, slice_of(w->address.text, w->address.n)))
        return true;
    return w->is_said && slice_eq(slice_of(w->said, SAID_N), slice_of(t->association.said, SAID_N));
}

typedef void found_fn(struct ppg_keyjob *job, const struct ota_terminal *t, const struct sec_key *k,
                      void *arg);

/* Calls fn for each association that the job's name means; how many. */
static enum err each(struct ppg_keyjob *job, found_fn *fn, void *arg, size_t *n)
{
    const struct ota_registry *terminals = ppg_config_registry(job->config);
    const struct ota_terminal *t;
    struct wanted w = {.is_said = false};
    struct map keys;
    size_t pos = 0;
    enum err e = index_keys(ppg_config_keyring(job->config), &keys);

    *n = 0;
    wanted_read(job->name, &w);
    while (!e && (t = ota_registry_next(terminals, &pos))) {
        const struct sec_key *k = map_get(&keys, slice_of(t->association.said, SAID_N));

        if (t->association.present && is_wanted(&w, t, k)) {
            fn(job, t, k, arg);
            ++*n;
        }
    }
    map_clear(&keys);
    return e ? ppg_keyjob_no(job, e, err_text(e)) : ERR_OK;
}

static void add_row(struct ppg_keyjob *job, const struct ota_terminal *t, const struct sec_key *k, void *list)
{
    if (json_array_size(list) < ROWS_MAX)
        (void)json_array_append_new(list, row(job, t, k));
}

enum err ppg_keyjob_sa(struct ppg_keyjob *job)
{
    json_t *list = json_array();
    size_t n;
    enum err e = each(job, add_row, list, &n);

    job->answer = json_object();
    ppg_json_set_n(job->answer, "more", n - json_array_size(list));
    ppg_json_set(job->answer, "associations", list);
    if (!e && !n && job->name.n)
        e = ppg_keyjob_no(job, ERR_ABSENT, "no association of that terminal, key or SAID");
    return e;
}

/* --- revocation --- */

struct revoke {
    const struct sec_key *key; /* of the configuration's keyring */
    size_t in_files;
    bool several;
};

static void find_key(struct ppg_keyjob *job, const struct ota_terminal *t, const struct sec_key *k, void *arg)
{
    struct revoke *v = arg;

    (void)job;
    (void)t;
    v->several = v->several || (k && v->key && v->key != k);
    v->key = k ? k : v->key;
    v->in_files += !k;
}

static enum err end(struct sec_keyring *r, void *arg)
{
    struct ppg_keyjob *job = arg;
    enum err e = sec_keyring_end(r, job->name, job->now_s);

    if (e)
        return ppg_keyjob_no(job, e, e == ERR_ABSENT ? "the keyring has no key of that name" : err_text(e));
    job->answer = ppg_keyjob_json(r, sec_keyring_find(r, job->name));
    return ERR_OK;
}

enum err ppg_keyjob_revoke(struct ppg_keyjob *job)
{
    struct revoke v = {.key = NULL};
    size_t n;
    enum err e = each(job, find_key, &v, &n);

    if (e)
        return e;
    if (v.in_files)
        return ppg_keyjob_no(job, ERR_LATE,
                             "its association is in a file; take it out of terminals.conf, then reload");
    if (v.several)
        return ppg_keyjob_no(job, ERR_LATE, "that means several keys; say which one");
    if (!n && !ppg_config_keyring(job->config))
        return ppg_keyjob_no(job, ERR_ABSENT, "no association of that terminal or SAID, and no keyring");
    if (v.key)
        job->name = v.key->name;
    return ppg_keyjob_change(job, end);
}
