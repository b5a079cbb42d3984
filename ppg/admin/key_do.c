/* The keyring shown and changed for the operator.  Off the loops.  A change is read, checked, sealed and written whole in one
 * sec_keyring_change; what is shown is what is on disk, which may be newer than what is in force. */
#include "ppg/admin/key.h"

#include <stdlib.h>
#include "base/codec.h"
#include "base/mem.h"
#include "pap/time.h"
#include "ppg/admin/work.h"
#include "ppg/config/terminals.h"
#include "security/gpl.h"
#include "security/terminal/activation.h"

#define NO_KEYRING "no keyring is configured (keyring.path)"

/* --- what they say --- */

static const char *state_of(const struct sec_key *k, int64_t now_s)
{
    return sec_key_expired(k, now_s) ? "expired" : "good";
}

static void set_association(json_t *o, const struct sec_key *k)
{
    struct buf said, suites;

    buf_init(&said, 64);
    buf_init(&suites, 256);
    codec_hex(&said, slice_sub(k->attr, 0, 16));
    for (size_t i = 16; i < k->attr.n; i++) {
        buf_add_str(&suites, i > 16 ? ", " : "");
        buf_add_str(&suites, sec_gpl_suite_name((uint8_t)k->attr.p[i]));
    }
    ppg_json_set_text(o, "said", buf_slice(&said));
    ppg_json_set_text(o, "suites", buf_slice(&suites));
    buf_clear(&said);
    buf_clear(&suites);
}

json_t *ppg_keyjob_json(const struct sec_keyring *r, const struct sec_key *k)
{
    json_t *o = json_object();
    char print[SEC_KEY_PRINT_N];

    ppg_json_set_text(o, "name", k->name);
    ppg_json_set_text(o, "kind", slice_str(sec_key_kind_name(k->kind)));
    ppg_json_set_n(o, "version", k->version);
    ppg_json_set_time(o, "created", k->created_s * 1000);
    if (k->expires_s < INT64_MAX / 1000)
        ppg_json_set_time(o, "expires", k->expires_s * 1000);
    if (!sec_keyring_fingerprint(r, k, print))
        ppg_json_set_text(o, "fingerprint", slice_str(print));
    if (k->kind == SEC_KEY_ASSOCIATION)
        set_association(o, k);
    return o;
}

static json_t *key_row(const struct ppg_keyjob *job, const struct sec_keyring *r, const struct sec_key *k,
                       bool older)
{
    json_t *o = ppg_keyjob_json(r, k);
    bool expired = sec_key_expired(k, job->now_s);

    ppg_json_set_text(o, "state", slice_str(older && !expired ? "grace" : state_of(k, job->now_s)));
    return o;
}

static int by_name(const void *a, const void *b)
{
    const struct sec_key *const *x = a, *const *y = b;

    return slice_cmp((*x)->name, (*y)->name);
}

/* All names in order, each with its predecessors behind it. */
static enum err rows(struct ppg_keyjob *job, const struct sec_keyring *r, json_t *list)
{
    size_t n = 0, pos = 0, count = sec_keyring_n(r);
    const struct sec_key **keys = calloc(count + 1, sizeof *keys), *k;

    if (!keys)
        return ppg_keyjob_no(job, ERR_NOMEM, "out of memory");
    while ((k = sec_keyring_next(r, &pos)))
        keys[n++] = k;
    qsort(keys, n, sizeof *keys, by_name);
    for (size_t i = 0; i < n; i++)
        for (k = keys[i]; k; k = k->older)
            (void)json_array_append_new(list, key_row(job, r, k, k != keys[i]));
    free(keys);
    return ERR_OK;
}

enum err ppg_keyjob_list(struct ppg_keyjob *job)
{
    struct sec_keyring_conf conf;
    struct sec_keyring *r = NULL;
    json_t *list = json_array();
    enum err e = ERR_ABSENT;

    job->answer = json_object();
    if (!ppg_config_keyring_at(job->config, &conf))
        e = ppg_keyjob_no(job, ERR_ABSENT, NO_KEYRING);
    else if ((e = sec_keyring_load(&conf, &r, job->why)) == ERR_ABSENT)
        e = ERR_OK; /* nothing was added yet */
    if (!e && r) {
        ppg_json_set_n(job->answer, "generation", sec_keyring_generation(r));
        e = rows(job, r, list);
    }
    ppg_json_set(job->answer, "keys", list);
    sec_keyring_free(&r);
    return e;
}

/* --- changes --- */

static enum err refuse_err(struct ppg_keyjob *job, enum err e)
{
    static const struct {
        enum err e;
        const char *why;
    } says[] = {
        {ERR_EXISTS, "that name is used already; names are one space for all kinds"},
        {ERR_ABSENT, "the keyring has no key of that name"},
        {ERR_LIMIT, "too many keys, or too many old ones of this name in their grace"},
        {ERR_MALFORMED, "name, secret or suites are not what this kind of key has"},
    };

    for (size_t i = 0; i < sizeof says / sizeof says[0]; i++)
        if (says[i].e == e)
            return ppg_keyjob_no(job, e, says[i].why);
    return ppg_keyjob_no(job, e, err_text(e));
}

/* "never" or a time. */
static enum err time_of(struct ppg_keyjob *job, struct slice text, int64_t *out)
{
    int64_t utc_s = 0;

    if (text.n && !slice_eq(text, SLICE("never"))) {
        if (pap_time_parse(text, true, &utc_s))
            return ppg_keyjob_no(job, ERR_MALFORMED, "not a time as 2027-01-31T00:00:00Z");
        if (utc_s <= 0)
            return ppg_keyjob_no(job, ERR_MALFORMED, "a time long gone");
    }
    *out = utc_s;
    return ERR_OK;
}

/* The end of a key that is made now; one that is gone already would make a key that nobody can use. */
static enum err end_of(struct ppg_keyjob *job, int64_t *out)
{
    int64_t utc_s = 0;
    enum err e = time_of(job, job->expires, &utc_s);

    if (!e && utc_s && utc_s <= job->now_s)
        return ppg_keyjob_no(job, ERR_MALFORMED, "the key would have expired already");
    if (!e)
        *out = utc_s;
    return e;
}

/* Passwords are text, all else hexadecimal digits; without either one of our own, which leaves in a package only. */
static enum err secret_of(struct ppg_keyjob *job, enum sec_key_kind kind, struct sec_secret *out)
{
    if (!job->secret.n == !job->package_until.n)
        return ppg_keyjob_no(job, ERR_MALFORMED, "either a secret or a package is needed");
    if (job->package_until.n && kind != SEC_KEY_ASSOCIATION)
        return ppg_keyjob_no(job, ERR_MALFORMED, "packages are for associations");
    if (job->package_until.n)
        return sec_secret_random(out, SEC_GPL_KEY_N) ? ppg_keyjob_no(job, ERR_IO, "no random numbers")
                                                     : ERR_OK;
    if (kind == SEC_KEY_PASSWORD)
        return sec_secret_set(out, job->secret)
                   ? ppg_keyjob_no(job, ERR_LIMIT, "a password has at most 64 octets")
                   : ERR_OK;
    return sec_secret_set_hex(out, job->secret)
               ? ppg_keyjob_no(job, ERR_MALFORMED, "a key is at most 128 hexadecimal digits")
               : ERR_OK;
}

/* The suites of an association as octets behind a fresh SAID; `was`: those it had, when none are said. */
static enum err attr_of(struct ppg_keyjob *job, enum sec_key_kind kind, struct slice was,
                        uint8_t attr[SEC_KEY_ATTR_MAX_N], size_t *n)
{
    struct slice names = job->suites.n ? job->suites : SLICE("aes-ctr-hmac-sha256, aes-gcm, hmac-sha256");
    struct ota_association a = {.suites_n = 0};

    *n = 0;
    if (kind == SEC_KEY_ENTITY)
        return ppg_keyjob_no(job, ERR_MALFORMED, "an entity's key is assigned when its user asks for it");
    if (kind == SEC_KEY_SUBSCRIBER) {
        attr[0] = attr[1] = 0; /* AMF: no bit of it means anything to bootstrapping [TS 33.102 annex H] */
        *n = 2;
    }
    if (kind != SEC_KEY_ASSOCIATION)
        return job->suites.n ? ppg_keyjob_no(job, ERR_MALFORMED, "only associations have suites") : ERR_OK;
    if (!job->suites.n && was.n) {
        a.suites_n = was.n - sizeof a.said;
        for (size_t i = 0; i < a.suites_n; i++)
            a.suites[i] = (uint8_t)was.p[sizeof a.said + i];
    } else if (!ppg_association_suites(names, a.suites, &a.suites_n)) {
        return ppg_keyjob_no(job, ERR_MALFORMED, "unknown or repeated suite");
    }
    if (sec_random(a.said, sizeof a.said))
        return ppg_keyjob_no(job, ERR_IO, "no random numbers");
    *n = ppg_association_attr(&a, attr);
    return ERR_OK;
}

static enum err audit(struct ppg_keyjob *job, const json_t *before, const json_t *after)
{
    struct ppg_admin_job who = {.admin = job->admin, .uid = job->uid};
    enum err e = ppg_admin_audit(&who, job->op->event, before, after);

    return e && e != ERR_ABSENT ? ppg_keyjob_no(job, ERR_IO, "the audit log cannot be written") : ERR_OK;
}

static enum err audited(struct sec_keyring *r, void *arg)
{
    struct ppg_keyjob *job = arg;
    const struct sec_key *was = sec_keyring_find(r, job->name), *is;
    json_t *before = was ? ppg_keyjob_json(r, was) : NULL, *after = NULL;
    enum err e = job->fn(r, job);

    is = e ? NULL : sec_keyring_find(r, job->name);
    if (is)
        after = ppg_keyjob_json(r, is);
    if (!e)
        e = audit(job, before, after);
    json_decref(before);
    json_decref(after);
    return e;
}

enum err ppg_keyjob_change(struct ppg_keyjob *job, sec_keyring_change_fn *fn)
{
    struct sec_keyring_conf conf;

    if (!ppg_config_keyring_at(job->config, &conf))
        return ppg_keyjob_no(job, ERR_LATE, NO_KEYRING);
    job->fn = fn;
    return sec_keyring_change(&conf, audited, job, job->why);
}

static void answer_key(struct ppg_keyjob *job, const struct sec_keyring *r)
{
    job->answer = ppg_keyjob_json(r, sec_keyring_find(r, job->name));
}

/* What add and rotate make of a request. */
struct draft {
    struct sec_key k; /* slices into the job and attr */
    uint8_t attr[SEC_KEY_ATTR_MAX_N];
    struct sec_secret secret;
};

/* k.kind is set; `was`: the attr it had. */
static enum err draft_fill(struct ppg_keyjob *job, struct slice was, struct draft *d)
{
    size_t attr_n = 0;
    enum err e = end_of(job, &d->k.expires_s);

    d->k.name = job->name;
    d->k.created_s = job->now_s;
    sec_secret_init(&d->secret);
    if (!e)
        e = attr_of(job, d->k.kind, was, d->attr, &attr_n);
    if (!e)
        e = secret_of(job, d->k.kind, &d->secret);
    d->k.attr = slice_of(d->attr, attr_n);
    return e;
}

/* Into the answer: the newest key of that name in an activation package, and its code. */
static enum err answer_package(struct ppg_keyjob *job, const struct sec_keyring *r)
{
    const struct sec_key *k = sec_keyring_find(r, job->name);
    struct ota_association a = {.present = false};
    struct sec_activation out = {.name_n = k->name.n, .version = k->version, .expires_s = k->expires_s};
    char code[SEC_ACTIVATION_CODE_N];
    struct buf package, text;
    int64_t until_s = 0;
    enum err e = time_of(job, job->package_until, &until_s);

    buf_init(&package, SEC_ACTIVATION_MAX_N);
    buf_init(&text, 2 * SEC_ACTIVATION_MAX_N);
    if (!e)
        e = ppg_association_of_key(r, k, &a);
    out.key = a.key;
    out.suites_n = a.suites_n;
    mem_copy(out.said, sizeof out.said, slice_of(a.said, sizeof a.said));
    mem_copy(out.suites, sizeof out.suites, slice_of(a.suites, a.suites_n));
    mem_copy(out.name, sizeof out.name, k->name);
    if (!e)
        e = sec_activation_seal(&out, until_s, &package, code);
    if (!e) {
        codec_base64(&text, buf_slice(&package));
        ppg_json_set_text(job->answer, "package", buf_slice(&text));
        ppg_json_set_text(job->answer, "code", slice_str(code));
    }
    sec_secret_clear(&out.key);
    sec_secret_clear(&a.key);
    buf_clear(&package);
    buf_clear(&text);
    return e;
}

static enum err answer_new(struct ppg_keyjob *job, const struct sec_keyring *r)
{
    answer_key(job, r);
    return job->package_until.n ? answer_package(job, r) : ERR_OK;
}

static enum err add(struct sec_keyring *r, void *arg)
{
    struct ppg_keyjob *job = arg;
    struct draft d = {.k = {.version = 1}};
    enum err e;

    if (sec_key_kind_of(job->kind, &d.k.kind))
        return ppg_keyjob_no(job, ERR_MALFORMED, "kinds are association, psk, password, subscriber");
    e = draft_fill(job, SLICE_NONE, &d);
    sec_keyring_prune(r, job->now_s);
    if (!e && (e = sec_keyring_add(r, &d.k, sec_secret_slice(&d.secret))))
        (void)refuse_err(job, e);
    sec_secret_clear(&d.secret);
    return e ? e : answer_new(job, r);
}

enum err ppg_keyjob_add(struct ppg_keyjob *job)
{
    return ppg_keyjob_change(job, add);
}

static enum err rotate(struct sec_keyring *r, void *arg)
{
    struct ppg_keyjob *job = arg;
    const struct sec_key *was = sec_keyring_find(r, job->name);
    struct draft d = {.k = {.version = 1}};
    int64_t until_s = 0;
    enum err e;

    if (!was)
        return refuse_err(job, ERR_ABSENT);
    d.k.kind = was->kind;
    e = draft_fill(job, was->attr, &d);
    if (!e)
        e = time_of(job, job->until, &until_s);
    sec_keyring_prune(r, job->now_s);
    if (!e && (e = sec_keyring_rotate(r, &d.k, sec_secret_slice(&d.secret), until_s)))
        (void)refuse_err(job, e);
    sec_secret_clear(&d.secret);
    return e ? e : answer_new(job, r);
}

enum err ppg_keyjob_rotate(struct ppg_keyjob *job)
{
    return ppg_keyjob_change(job, rotate);
}

static enum err remove_key(struct sec_keyring *r, void *arg)
{
    struct ppg_keyjob *job = arg;
    enum err e;

    if (!sec_keyring_find(r, job->name))
        return refuse_err(job, ERR_ABSENT);
    answer_key(job, r);
    e = sec_keyring_remove(r, job->name);
    sec_keyring_prune(r, job->now_s);
    return e;
}

enum err ppg_keyjob_remove(struct ppg_keyjob *job)
{
    return ppg_keyjob_change(job, remove_key);
}

/* --- an association file's text --- */

static enum err read_association(struct ppg_keyjob *job, struct ota_association *out)
{
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);
    struct ppg_load load = {.errs = errs};

    if (!errs)
        return ppg_keyjob_no(job, ERR_NOMEM, "out of memory");
    ppg_association_read_text(&load, job->association, "association", out);
    if (load.err)
        (void)ppg_keyjob_no(job, ERR_MALFORMED, errs->text[0]);
    free(errs);
    return load.err ? ERR_MALFORMED : ERR_OK;
}

static enum err import(struct sec_keyring *r, void *arg)
{
    struct ppg_keyjob *job = arg;
    struct ota_association a = {.present = false};
    struct sec_key k = {.kind = SEC_KEY_ASSOCIATION, .name = job->name, .created_s = job->now_s};
    uint8_t attr[SEC_KEY_ATTR_MAX_N];
    enum err e;

    sec_secret_init(&a.key);
    e = read_association(job, &a);
    if (!e && a.expires_ms && a.expires_ms / 1000 <= job->now_s)
        e = ppg_keyjob_no(job, ERR_MALFORMED, "the association has expired already");
    if (!e) {
        k.attr = slice_of(attr, ppg_association_attr(&a, attr));
        k.expires_s = a.expires_ms / 1000;
        e = sec_keyring_add(r, &k, sec_secret_slice(&a.key));
        if (e)
            (void)refuse_err(job, e);
    }
    sec_secret_clear(&a.key);
    if (!e)
        answer_key(job, r);
    return e;
}

enum err ppg_keyjob_import(struct ppg_keyjob *job)
{
    return ppg_keyjob_change(job, import);
}
