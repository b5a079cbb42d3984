/* Where registered devices are; see location.h. */
#include "ota/sip/location.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

struct binding {
    struct list at; /* in its record, the latest first */
    int64_t until_ms;
    uint32_t cseq;
    unsigned q;
    bool tagged, no_message;
    size_t contact_n, apps_n, call_id_n;
    char text[]; /* contact, applications, Call-ID */
};

struct record {
    struct list bindings;
    size_t n;
    size_t key_n;
    char key[];
};

struct ota_sip_location {
    pthread_mutex_t lock;
    const struct clk *clk;
    struct map records;
};

static struct slice contact_of(const struct binding *b)
{
    return slice_of(b->text, b->contact_n);
}

static struct slice apps_of(const struct binding *b)
{
    return slice_of(b->text + b->contact_n, b->apps_n);
}

static struct slice call_id_of(const struct binding *b)
{
    return slice_of(b->text + b->contact_n + b->apps_n, b->call_id_n);
}

static struct binding *binding_at(struct list *at)
{
    return container_of(at, struct binding, at);
}

/* --- records --- */

static void binding_free(struct record *r, struct binding *b)
{
    list_remove(&b->at);
    r->n--;
    free(b);
}

static void record_free(struct ota_sip_location *l, struct record *r)
{
    while (!list_empty(&r->bindings))
        binding_free(r, binding_at(r->bindings.next));
    (void)map_del(&l->records, slice_of(r->key, r->key_n));
    free(r);
}

/* Without what has expired; NULL when nothing is left. */
static struct record *record_find(struct ota_sip_location *l, struct slice key)
{
    struct record *r = map_get(&l->records, key);
    int64_t now = clk_mono_ms(l->clk);

    if (!r)
        return NULL;
    LIST_EACH_SAFE (at, &r->bindings)
        if (binding_at(at)->until_ms <= now)
            binding_free(r, binding_at(at));
    if (r->n)
        return r;
    record_free(l, r);
    return NULL;
}

/* When the table is full: those whose devices have gone make room. */
static void forget_expired(struct ota_sip_location *l)
{
    struct record *r;
    size_t pos = 0;

    while ((r = map_next(&l->records, &pos)))
        (void)record_find(l, slice_of(r->key, r->key_n));
}

static enum err record_new(struct ota_sip_location *l, struct slice key, struct record **out)
{
    struct record *r = malloc(sizeof *r + key.n);
    enum err e;

    if (!r)
        return ERR_NOMEM;
    list_init(&r->bindings);
    r->n = 0;
    r->key_n = key.n;
    mem_copy(r->key, key.n, key);
    if (l->records.n == l->records.max)
        forget_expired(l);
    e = map_put(&l->records, slice_of(r->key, key.n), r);
    if (e)
        free(r);
    else
        *out = r;
    return e;
}

/* --- changes --- */

/* A request that came late, or came again, changes nothing (§10.3 step 7). */
static bool stale(const struct record *r, struct slice contact, struct slice call_id, uint32_t cseq)
{
    LIST_EACH (at, &r->bindings) {
        const struct binding *b = binding_at(at);

        if ((contact.n == 0 || slice_eq(contact_of(b), contact)) && slice_eq(call_id_of(b), call_id) &&
            cseq <= b->cseq)
            return true;
    }
    return false;
}

static struct binding *binding_new(const struct ota_sip_location *l, const struct ota_sip_binding *from,
                                   struct slice call_id, uint32_t cseq)
{
    size_t n = from->contact.n + from->apps.n + call_id.n;
    struct binding *b = malloc(sizeof *b + n);

    if (!b)
        return NULL;
    *b = (struct binding){.until_ms = clk_mono_ms(l->clk) + from->expires_s * 1000,
                          .cseq = cseq,
                          .q = from->q,
                          .tagged = from->tagged,
                          .no_message = from->no_message,
                          .contact_n = from->contact.n,
                          .apps_n = from->apps.n,
                          .call_id_n = call_id.n};
    list_init(&b->at);
    mem_copy(b->text, n, from->contact);
    mem_copy(b->text + from->contact.n, n - from->contact.n, from->apps);
    mem_copy(b->text + from->contact.n + from->apps.n, call_id.n, call_id);
    return b;
}

/* Makes all that is asked for, before anything that is there changes. */
static enum err make_all(const struct ota_sip_location *l, const struct ota_sip_binding *from, size_t n,
                         struct slice call_id, uint32_t cseq, struct list *made)
{
    for (size_t i = 0; i < n; i++) {
        struct binding *b;

        if (from[i].contact.n > OTA_SIP_CONTACT_MAX_N ||
            from[i].contact.n + from[i].apps.n + call_id.n > OTA_SIP_BINDING_MAX_N)
            return ERR_LIMIT;
        if (from[i].expires_s == 0)
            continue;
        b = binding_new(l, &from[i], call_id, cseq);
        if (!b)
            return ERR_NOMEM;
        list_push_back(made, &b->at);
    }
    return ERR_OK;
}

static void free_all(struct list *made)
{
    struct list *e;

    while ((e = list_pop_front(made)))
        free(binding_at(e));
}

static size_t count(const struct list *l)
{
    size_t n = 0;

    LIST_EACH (at, l)
        n++;
    return n;
}

static size_t replaced_n(const struct record *r, const struct ota_sip_binding *bindings, size_t n)
{
    size_t found = 0;

    LIST_EACH (at, &r->bindings)
        for (size_t i = 0; i < n; i++)
            if (slice_eq(contact_of(binding_at(at)), bindings[i].contact)) {
                found++;
                break;
            }
    return found;
}

static void replace(struct record *r, const struct ota_sip_binding *bindings, size_t n, struct list *made)
{
    struct list *e;

    LIST_EACH_SAFE (at, &r->bindings)
        for (size_t i = 0; i < n; i++)
            if (slice_eq(contact_of(binding_at(at)), bindings[i].contact)) {
                binding_free(r, binding_at(at));
                break;
            }
    while ((e = list_pop_front(made))) {
        list_push_front(&r->bindings, e);
        r->n++;
    }
}

static enum err update(struct ota_sip_location *l, struct slice key, struct slice call_id, uint32_t cseq,
                       const struct ota_sip_binding *bindings, size_t n, struct list *made)
{
    struct record *r = record_find(l, key);
    enum err e;

    for (size_t i = 0; r && i < n; i++)
        if (stale(r, bindings[i].contact, call_id, cseq))
            return ERR_LATE;
    e = make_all(l, bindings, n, call_id, cseq, made);
    if (!e && count(made) + (r ? r->n - replaced_n(r, bindings, n) : 0) > OTA_SIP_BINDINGS_MAX)
        e = ERR_LIMIT;
    if (!e && !r && !list_empty(made))
        e = record_new(l, key, &r);
    if (e || !r)
        return e;
    replace(r, bindings, n, made);
    if (r->n == 0)
        record_free(l, r);
    return ERR_OK;
}

enum err ota_sip_location_update(struct ota_sip_location *l, struct slice record, struct slice call_id,
                                 uint32_t cseq, const struct ota_sip_binding *bindings, size_t n)
{
    struct list made;
    enum err e;

    list_init(&made);
    (void)pthread_mutex_lock(&l->lock);
    e = update(l, record, call_id, cseq, bindings, n, &made);
    (void)pthread_mutex_unlock(&l->lock);
    free_all(&made);
    return e;
}

enum err ota_sip_location_remove(struct ota_sip_location *l, struct slice record, struct slice call_id,
                                 uint32_t cseq)
{
    struct record *r;
    enum err e = ERR_OK;

    (void)pthread_mutex_lock(&l->lock);
    r = record_find(l, record);
    if (r && stale(r, SLICE_NONE, call_id, cseq))
        e = ERR_LATE;
    else if (r)
        record_free(l, r);
    (void)pthread_mutex_unlock(&l->lock);
    return e;
}

/* --- questions --- */

void ota_sip_location_print(struct ota_sip_location *l, struct slice record, struct buf *out)
{
    struct record *r;
    int64_t now;

    (void)pthread_mutex_lock(&l->lock);
    now = clk_mono_ms(l->clk);
    r = record_find(l, record);
    if (r)
        LIST_EACH (at, &r->bindings) {
            const struct binding *b = binding_at(at);

            buf_add(out, SLICE("Contact: <"));
            buf_add(out, contact_of(b));
            buf_addf(out, ">;expires=%lld\r\n", (long long)((b->until_ms - now + 999) / 1000));
        }
    (void)pthread_mutex_unlock(&l->lock);
}

/* Tokens compare without case, strings in angle brackets with it (RFC 3841 §7.2.4). */
static bool has_app(const struct binding *b, struct slice app)
{
    bool exact = slice_starts(app, SLICE("<"));
    struct slice list = apps_of(b), item;

    if (exact)
        return slice_eq(list, app);
    while (slice_item(&list, &item))
        if (slice_eq_ci(item, app))
            return true;
    return false;
}

static bool takes(const struct binding *b, struct slice app, bool untagged_ok)
{
    return b->tagged ? !b->no_message && has_app(b, app) : untagged_ok;
}

/* The best of those that are worse than skip others; the list has the latest first, so the first of equals stays. */
static const struct binding *best_of(const struct record *r, struct slice app, bool untagged_ok, size_t skip)
{
    bool used[OTA_SIP_BINDINGS_MAX] = {false};

    for (;;) {
        const struct binding *best = NULL;
        size_t i = 0, best_at = 0;

        LIST_EACH (at, &r->bindings) {
            const struct binding *b = binding_at(at);

            if (!used[i] && takes(b, app, untagged_ok) && (!best || b->q > best->q)) {
                best = b;
                best_at = i;
            }
            i++;
        }
        if (!best || skip-- == 0)
            return best;
        used[best_at] = true;
    }
}

enum err ota_sip_location_find(struct ota_sip_location *l, struct slice record, struct slice app,
                               bool untagged_ok, size_t skip, struct buf *out)
{
    const struct binding *b;
    struct record *r;
    enum err e = ERR_ABSENT;

    (void)pthread_mutex_lock(&l->lock);
    r = record_find(l, record);
    b = r ? best_of(r, app, untagged_ok, skip) : NULL;
    if (b) {
        buf_add(out, contact_of(b));
        e = buf_err(out);
    } else if (r && skip == 0) {
        e = ERR_UNSUPPORTED;
    }
    (void)pthread_mutex_unlock(&l->lock);
    return e;
}

size_t ota_sip_location_n(struct ota_sip_location *l)
{
    size_t n;

    (void)pthread_mutex_lock(&l->lock);
    n = l->records.n;
    (void)pthread_mutex_unlock(&l->lock);
    return n;
}

enum err ota_sip_location_create(const struct clk *clk, size_t records_max, struct ota_sip_location **out)
{
    struct ota_sip_location *l = calloc(1, sizeof *l);

    if (!l)
        return ERR_NOMEM;
    if (pthread_mutex_init(&l->lock, NULL)) {
        free(l);
        return ERR_NOMEM;
    }
    l->clk = clk;
    map_init(&l->records, records_max);
    *out = l;
    return ERR_OK;
}

void ota_sip_location_free(struct ota_sip_location **lp)
{
    struct ota_sip_location *l = *lp;
    struct record *r;
    size_t pos = 0;

    *lp = NULL;
    if (!l)
        return;
    while ((r = map_next(&l->records, &pos)))
        record_free(l, r);
    map_clear(&l->records);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}
