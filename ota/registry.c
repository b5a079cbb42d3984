/* The table of known terminals: one arena for all strings and rows, one map from address to row.  Built whole,
 * then read only; the last drop wipes passwords and keys before the memory goes.  Lookups from any thread. */
#include "ota/registry.h"

#include <stdatomic.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"

#define FIELD_MAX_N 255 /* octets of one string: a DNS name or an address is never longer */
#define FIELDS      18  /* strings of a terminal */
#define ID_MAX_N    (FIELD_MAX_N + 1)
#define SHARED_MAX  1000000u /* different strings of profiles, each kept once for all that have it */
#define ALIGN_N     _Alignof(max_align_t) /* the arena rounds up to it */
#define FIRST_N     4096                  /* octets of the first block */

struct ota_registry {
    atomic_size_t holds;
    struct arena arena;      /* rows and their strings */
    struct map rows;         /* key -> struct ota_terminal, in the arena */
    struct map ids;          /* canonical identity of one that calls in -> row */
    struct map names;        /* its certificate's name -> row */
    struct map psks;         /* the identity of its shared key -> row */
    struct map users;        /* call_in.user of one that fetches -> row */
    struct map records;      /* sip_record of one that registers -> row */
    struct map logins;       /* the name that it logs in with then -> row */
    struct map session_psks; /* likewise, of the key for sessions */
    struct map impis;        /* the subscriber whose bootstrapped keys it has -> row */
    bool syncml_md5;         /* one calls in or fetches so */
    struct map shared; /* text of profiles -> itself, in the arena: many phones of one model are alike */
};

enum err ota_registry_create(size_t terminals_max, struct ota_registry **out)
{
    size_t each_n = sizeof(struct ota_terminal) + ALIGN_N + FIELDS * (FIELD_MAX_N + 1 + ALIGN_N) + ID_MAX_N +
                    ALIGN_N + OTA_PROFILE_MAX_N + OTA_PROFILE_TEXTS * (1 + ALIGN_N);
    size_t max_n;
    struct ota_registry *r;

    if (!num_mul(terminals_max, each_n, &max_n))
        return ERR_LIMIT;
    r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    atomic_init(&r->holds, 1);
    arena_init(&r->arena, FIRST_N, max_n);
    map_init(&r->rows, terminals_max);
    map_init(&r->ids, terminals_max);
    map_init(&r->names, terminals_max);
    map_init(&r->psks, terminals_max);
    map_init(&r->users, terminals_max);
    map_init(&r->session_psks, terminals_max);
    map_init(&r->impis, terminals_max);
    map_init(&r->records, terminals_max);
    map_init(&r->logins, terminals_max);
    map_init(&r->shared, SHARED_MAX);
    *out = r;
    return ERR_OK;
}

static bool fields_fit(const struct ota_terminal *t)
{
    const struct slice fields[FIELDS] = {t->key,
                                         t->host,
                                         t->sip_uri,
                                         t->tls_name,
                                         t->terminal_id,
                                         t->psk_identity,
                                         t->login.user,
                                         t->mac.user,
                                         t->xml.name,
                                         t->object.name,
                                         t->login.password,
                                         t->call_in.certificate,
                                         t->call_in.psk_identity,
                                         t->call_in.subscriber,
                                         t->call_in.wake_host,
                                         t->sip_record,
                                         t->call_in.user,
                                         t->call_in.password};

    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].n > FIELD_MAX_N)
            return false;
    return t->key.n != 0 && t->association.suites_n <= OTA_SUITES_MAX && ota_profile_fits(&t->profile);
}

static enum err copy_field(struct arena *a, struct slice *field)
{
    return field->n ? arena_dup(a, *field, field) : ERR_OK;
}

/* Replaces each borrowed string of *t by a copy; passwords last, and a failure wipes what was copied of them. */
static enum err copy_fields(struct arena *a, struct ota_terminal *t)
{
    struct slice *const fields[FIELDS] = {&t->key,
                                          &t->host,
                                          &t->sip_uri,
                                          &t->tls_name,
                                          &t->terminal_id,
                                          &t->psk_identity,
                                          &t->login.user,
                                          &t->mac.user,
                                          &t->xml.name,
                                          &t->object.name,
                                          &t->call_in.certificate,
                                          &t->call_in.psk_identity,
                                          &t->call_in.subscriber,
                                          &t->call_in.wake_host,
                                          &t->sip_record,
                                          &t->call_in.user,
                                          &t->call_in.password,
                                          &t->login.password};
    const char *from = fields[FIELDS - 2]->p;
    enum err e = ERR_OK;

    for (size_t i = 0; i < FIELDS && !e; i++)
        e = copy_field(a, fields[i]);
    if (e && fields[FIELDS - 2]->n && fields[FIELDS - 2]->p != from)
        mem_wipe((void *)(uintptr_t)fields[FIELDS - 2]->p, fields[FIELDS - 2]->n);
    return e;
}

static enum err share_field(struct ota_registry *r, struct slice *field)
{
    void *kept = map_get(&r->shared, *field);
    enum err e;

    if (kept) {
        field->p = kept;
        return ERR_OK;
    }
    e = arena_dup(&r->arena, *field, field);
    return e ? e : map_put(&r->shared, *field, (void *)(uintptr_t)field->p);
}

static enum err share_profile(struct ota_registry *r, struct ota_profile *p)
{
    struct slice *fields[OTA_PROFILE_TEXTS];
    enum err e = ERR_OK;

    ota_profile_texts(p, fields);
    for (size_t i = 0; i < OTA_PROFILE_TEXTS && !e; i++)
        if (fields[i]->n)
            e = share_field(r, fields[i]);
    return e;
}

static void wipe(struct ota_terminal *t)
{
    const struct slice secrets[] = {t->login.password, t->call_in.password};

    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        if (secrets[i].n)
            mem_wipe((void *)(uintptr_t)secrets[i].p, secrets[i].n);
    sec_secret_clear(&t->association.key);
    sec_secret_clear(&t->psk);
    sec_secret_clear(&t->call_in.psk);
    sec_mac_keys_clear(&t->mac.keys);
    sec_xml_keys_clear(&t->xml.keys);
    sec_xml_keys_clear(&t->object.keys);
}

/* One spelling for each identity: a number by its digits, anything else in lower case.  Empty: too long. */
static struct slice id_canonical(struct slice id, char out[ID_MAX_N])
{
    bool number = id.n > 0 && id.p[0] == '4';
    size_t n = 0;

    if (id.n > ID_MAX_N)
        return SLICE_NONE;
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];

        if (!number)
            out[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        else if (c >= '0' && c <= '9')
            out[n++] = c;
        else if (c != '+' || i != 1)
            return SLICE_NONE;
    }
    return slice_of(out, n);
}

/* The identity that a terminal calls in with: the one it is said to have, or its number. */
static struct slice id_of(const struct ota_terminal *t, char out[ID_MAX_N])
{
    char number[ID_MAX_N];

    if (t->terminal_id.n)
        return id_canonical(t->terminal_id, out);
    if (!t->key.n || t->key.p[0] != '+')
        return SLICE_NONE;
    number[0] = '4';
    mem_copy(number + 1, sizeof number - 1, t->key);
    return id_canonical(slice_of(number, t->key.n + 1), out);
}

static enum err id_add(struct ota_registry *r, struct ota_terminal *t)
{
    char text[ID_MAX_N];
    struct slice id = id_of(t, text);
    enum err e;

    if (!id.n)
        return t->call_in.certificate.n || t->call_in.psk_identity.n || t->call_in.subscriber.n ||
                       (t->call_in.user.n && !t->call_in.calls)
                   ? ERR_OK
                   : ERR_MALFORMED;
    e = arena_dup(&r->arena, id, &id);
    return e ? e : map_put(&r->ids, id, t);
}

/* Where it is found when it calls or fetches. */
static enum err call_in_add(struct ota_registry *r, struct ota_terminal *t)
{
    enum err e;

    if (!t->call_in.calls && !t->inbox)
        return ERR_OK;
    r->syncml_md5 |= t->call_in.proof == OTA_PROOF_SYNCML_MD5;
    e = id_add(r, t);
    if (!e && t->call_in.certificate.n)
        e = map_put(&r->names, t->call_in.certificate, t);
    if (!e && t->call_in.psk_identity.n)
        e = map_put(&r->psks, t->call_in.psk_identity, t);
    if (!e && t->inbox && t->call_in.user.n)
        e = map_put(&r->users, t->call_in.user, t);
    if (!e && t->call_in.subscriber.n)
        e = map_put(&r->impis, t->call_in.subscriber, t);
    return e;
}

/* Where it is found when it connects for a session. */
static enum err session_add(struct ota_registry *r, struct ota_terminal *t)
{
    enum err e = t->session == OTA_SESSION_TLS && t->psk_identity.n
                     ? map_put(&r->session_psks, t->psk_identity, t)
                     : ERR_OK;

    return e == ERR_EXISTS ? ERR_OK : e;
}

/* Where it is found when it registers over SIP. */
static enum err record_add(struct ota_registry *r, struct ota_terminal *t)
{
    struct slice address = slice_starts(t->key, SLICE("sip:")) ? slice_sub(t->key, 4, SIZE_MAX) : t->key;
    struct slice user = t->call_in.user.n         ? t->call_in.user
                        : t->call_in.subscriber.n ? t->call_in.subscriber
                                                  : address;
    enum err e;

    if (!t->registers)
        return ERR_OK;
    e = map_put(&r->records, t->sip_record, t);
    return e ? e : map_put(&r->logins, user, t);
}

enum err ota_registry_add(struct ota_registry *r, const struct ota_terminal *t)
{
    struct ota_terminal *row;
    enum err e;

    if (!fields_fit(t))
        return ERR_LIMIT;
    if (map_get(&r->rows, t->key))
        return ERR_EXISTS;
    row = arena_alloc(&r->arena, sizeof *row);
    if (!row)
        return r->rows.n < r->rows.max ? ERR_NOMEM : ERR_LIMIT;
    *row = *t;
    e = share_profile(r, &row->profile);
    if (!e)
        e = copy_fields(&r->arena, row);
    if (e) {
        sec_secret_clear(&row->association.key);
        sec_secret_clear(&row->psk);
        sec_secret_clear(&row->call_in.psk);
        sec_mac_keys_clear(&row->mac.keys);
        sec_xml_keys_clear(&row->xml.keys);
        sec_xml_keys_clear(&row->object.keys);
        return e;
    }
    e = map_put(&r->rows, row->key, row);
    if (e)
        wipe(row);
    else
        e = call_in_add(r, row);
    if (!e)
        e = session_add(r, row);
    return e ? e : record_add(r, row);
}

size_t ota_registry_n(const struct ota_registry *r)
{
    return r->rows.n;
}

const struct ota_terminal *ota_registry_find(const struct ota_registry *r, struct slice key)
{
    return map_get(&r->rows, key);
}

const struct ota_terminal *ota_registry_find_id(const struct ota_registry *r, struct slice id)
{
    char text[ID_MAX_N];
    struct slice key = id_canonical(id, text);

    return key.n ? map_get(&r->ids, key) : NULL;
}

bool ota_registry_same_id(struct slice a, struct slice b)
{
    char text_a[ID_MAX_N], text_b[ID_MAX_N];
    struct slice id_a = id_canonical(a, text_a), id_b = id_canonical(b, text_b);

    return slice_eq_ci(a, b) || (id_a.n && slice_eq(id_a, id_b));
}

const struct ota_terminal *ota_registry_find_certificate(const struct ota_registry *r, struct slice name)
{
    return map_get(&r->names, name);
}

const struct ota_terminal *ota_registry_find_subscriber(const struct ota_registry *r, struct slice impi)
{
    return map_get(&r->impis, impi);
}

const struct ota_terminal *ota_registry_find_psk(const struct ota_registry *r, struct slice identity)
{
    return map_get(&r->psks, identity);
}

const struct ota_terminal *ota_registry_find_session_psk(const struct ota_registry *r, struct slice identity)
{
    return map_get(&r->session_psks, identity);
}

bool ota_registry_logs_in(const struct ota_terminal *t)
{
    return t->call_in.proof == OTA_PROOF_DIGEST || t->call_in.proof == OTA_PROOF_BASIC ||
           t->call_in.proof == OTA_PROOF_SYNCML_MD5;
}

bool ota_registry_syncml_md5(const struct ota_registry *r)
{
    return r->syncml_md5;
}

const struct ota_terminal *ota_registry_find_user(const struct ota_registry *r, struct slice user)
{
    const struct ota_terminal *t = map_get(&r->users, user);

    if (t)
        return t;
    t = ota_registry_find_id(r, user);
    return t && !t->call_in.user.n ? t : NULL;
}

const struct ota_terminal *ota_registry_find_record(const struct ota_registry *r, struct slice record)
{
    return map_get(&r->records, record);
}

const struct ota_terminal *ota_registry_find_sip_user(const struct ota_registry *r, struct slice user)
{
    return map_get(&r->logins, user);
}

const struct ota_terminal *ota_registry_next(const struct ota_registry *r, size_t *pos)
{
    return map_next(&r->rows, pos);
}

struct ota_registry *ota_registry_hold(struct ota_registry *r)
{
    (void)atomic_fetch_add_explicit(&r->holds, 1, memory_order_relaxed);
    return r;
}

bool ota_registry_alone(const struct ota_registry *r)
{
    return atomic_load_explicit(&r->holds, memory_order_acquire) == 1;
}

static void destroy(struct ota_registry *r)
{
    struct ota_terminal *t;
    size_t pos = 0;

    while ((t = map_next(&r->rows, &pos)))
        wipe(t);
    map_clear(&r->ids);
    map_clear(&r->names);
    map_clear(&r->psks);
    map_clear(&r->users);
    map_clear(&r->session_psks);
    map_clear(&r->impis);
    map_clear(&r->records);
    map_clear(&r->logins);
    map_clear(&r->rows);
    map_clear(&r->shared);
    arena_clear(&r->arena);
    free(r);
}

void ota_registry_drop(struct ota_registry **r)
{
    struct ota_registry *gone = *r;

    *r = NULL;
    if (gone && atomic_fetch_sub_explicit(&gone->holds, 1, memory_order_acq_rel) == 1)
        destroy(gone);
}
