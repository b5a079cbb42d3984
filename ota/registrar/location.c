/* Where registered devices are; see location.h. */
#include "ota/registrar/location.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "ota/sip/uri.h"

enum text { CONTACT, APPS, CALL_ID, PATH, INSTANCE, AGENT, ACCEPT, TEXTS };

struct binding {
    struct list at;    /* in its record, the latest first */
    struct list bound; /* in its connection's; alone when it needs none */
    struct record *record;
    int64_t since_ms, until_ms;
    struct ota_sip_flow flow;
    uint32_t cseq, reg_id;
    uint16_t q;
    bool tagged, gruu, flow_only;
    struct ota_sip_methods methods;
    uint16_t ends[TEXTS];
    char text[];
};

struct record {
    struct list bindings;
    uint16_t n;
    bool missed;
    uint16_t key_n;
    char key[];
};

struct ota_sip_location {
    pthread_mutex_t lock;
    const struct clk *clk;
    int64_t began_ms; /* monotonic */
    struct map records;
};

static struct slice text_of(const struct binding *b, enum text which)
{
    size_t start = which ? b->ends[which - 1] : 0;

    return slice_of(b->text + start, b->ends[which] - start);
}

static struct slice contact_of(const struct binding *b)
{
    return text_of(b, CONTACT);
}

static struct binding *binding_at(struct list *at)
{
    return container_of(at, struct binding, at);
}

static struct binding *binding_bound(struct list *bound)
{
    return container_of(bound, struct binding, bound);
}

/* --- records --- */

static void binding_free(struct record *r, struct binding *b)
{
    list_remove(&b->at);
    list_remove(&b->bound);
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
    struct record *r = key.n <= UINT16_MAX ? malloc(sizeof *r + key.n) : NULL;
    enum err e;

    if (!r)
        return ERR_NOMEM;
    list_init(&r->bindings);
    r->n = 0;
    r->missed = false;
    r->key_n = (uint16_t)key.n;
    mem_copy(r->key, key.n, key);
    if (l->records.n == l->records.max)
        forget_expired(l);
    e = map_put(&l->records, slice_of(r->key, key.n), r);
    if (e)
        free(r);
    else
        *out = r;
    return e == ERR_LIMIT ? ERR_AGAIN : e; /* others leave, and the record is not to blame */
}

/* --- changes --- */

/* A request that came late, or came again, changes nothing (§10.3 step 7). */
static bool stale(const struct binding *b, struct slice call_id, uint32_t cseq)
{
    return slice_eq(text_of(b, CALL_ID), call_id) && cseq <= b->cseq;
}

/* The same contact, or the same flow of the same device, wherever that is now (RFC 5626 §6). */
static bool same(struct slice contact, struct slice instance, uint32_t reg_id,
                 const struct ota_sip_binding *other)
{
    return ota_sip_uri_same(contact, other->contact) ||
           (instance.n && reg_id && reg_id == other->reg_id && slice_eq(instance, other->instance));
}

static bool replaced_by(const struct binding *b, const struct ota_sip_binding *other)
{
    return same(contact_of(b), text_of(b, INSTANCE), b->reg_id, other);
}

/* Of two in one request the later one stands: they are done one after the other. */
static bool overtaken(const struct ota_sip_binding *bindings, size_t n, size_t i)
{
    for (size_t j = i + 1; j < n; j++)
        if (same(bindings[i].contact, bindings[i].instance, bindings[i].reg_id, &bindings[j]))
            return true;
    return false;
}

static void texts_of(const struct ota_sip_binding *from, struct slice call_id, struct slice out[TEXTS])
{
    out[CONTACT] = from->contact;
    out[APPS] = from->apps;
    out[CALL_ID] = call_id;
    out[PATH] = from->path;
    out[INSTANCE] = from->instance;
    out[AGENT] = from->agent;
    out[ACCEPT] = from->accept.n <= OTA_SIP_SAID_MAX_N ? from->accept : SLICE_NONE;
}

static size_t size_of(const struct slice texts[TEXTS])
{
    size_t n = 0;

    for (size_t i = 0; i < TEXTS; i++)
        n += texts[i].n;
    return n;
}

static struct binding *binding_new(const struct ota_sip_location *l, const struct ota_sip_binding *from,
                                   const struct slice texts[TEXTS], uint32_t cseq)
{
    int64_t now = clk_mono_ms(l->clk);
    size_t size = size_of(texts), n = 0;
    struct binding *b = malloc(sizeof *b + size);

    if (!b)
        return NULL;
    *b = (struct binding){.since_ms = now,
                          .until_ms = now + from->expires_s * 1000,
                          .flow = from->flow,
                          .cseq = cseq,
                          .reg_id = from->reg_id,
                          .q = (uint16_t)from->q,
                          .tagged = from->tagged,
                          .methods = from->methods,
                          .gruu = from->gruu,
                          .flow_only = from->flow_only};
    list_init(&b->at);
    list_init(&b->bound);
    for (size_t i = 0; i < TEXTS; i++) {
        mem_copy(b->text + n, size - n, texts[i]);
        n += texts[i].n;
        b->ends[i] = (uint16_t)n;
    }
    return b;
}

/* Makes all that is asked for, before anything that is there changes. */
static enum err make_all(const struct ota_sip_location *l, const struct ota_sip_binding *from, size_t n,
                         struct slice call_id, uint32_t cseq, struct list *made)
{
    for (size_t i = 0; i < n; i++) {
        struct slice texts[TEXTS];
        struct binding *b;

        texts_of(&from[i], call_id, texts);
        if (size_of(texts) > OTA_SIP_BINDING_MAX_N)
            texts[ACCEPT] = SLICE_NONE; /* nobody is kept out for that */
        if (from[i].contact.n > OTA_SIP_CONTACT_MAX_N || from[i].path.n > OTA_SIP_PATH_MAX_N ||
            size_of(texts) > OTA_SIP_BINDING_MAX_N)
            return ERR_LIMIT;
        if (from[i].expires_s == 0 || overtaken(from, n, i))
            continue;
        b = binding_new(l, &from[i], texts, cseq);
        if (!b)
            return ERR_NOMEM;
        list_push_back(made, &b->at);
        if (from[i].bound)
            list_push_back(from[i].bound, &b->bound);
    }
    return ERR_OK;
}

/* What came to nothing. */
static void free_all(struct list *made)
{
    struct list *e;

    while ((e = list_pop_front(made))) {
        list_remove(&binding_at(e)->bound);
        free(binding_at(e));
    }
}

static size_t count(const struct list *l)
{
    size_t n = 0;

    LIST_EACH (at, l)
        n++;
    return n;
}

static bool replaced(const struct binding *b, const struct ota_sip_binding *bindings, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (replaced_by(b, &bindings[i]))
            return true;
    return false;
}

/* Some of what it would take the place of is newer than the request; n 0: of all. */
static bool comes_late(const struct record *r, struct slice call_id, uint32_t cseq,
                       const struct ota_sip_binding *bindings, size_t n)
{
    LIST_EACH (at, &r->bindings)
        if (stale(binding_at(at), call_id, cseq) && (n == 0 || replaced(binding_at(at), bindings, n)))
            return true;
    return false;
}

static size_t replaced_n(const struct record *r, const struct ota_sip_binding *bindings, size_t n)
{
    size_t found = 0;

    LIST_EACH (at, &r->bindings)
        found += replaced(binding_at(at), bindings, n);
    return found;
}

/* True: there is one that was not. */
static bool replace(struct record *r, const struct ota_sip_binding *bindings, size_t n, struct list *made)
{
    size_t gone = 0, come = 0;
    struct list *e;

    LIST_EACH_SAFE (at, &r->bindings)
        if (replaced(binding_at(at), bindings, n)) {
            binding_free(r, binding_at(at));
            gone++;
        }
    for (; (e = list_pop_front(made)); come++) {
        list_push_front(&r->bindings, e);
        binding_at(e)->record = r;
        r->n++;
    }
    return come > gone;
}

static enum err update(struct ota_sip_location *l, struct slice key, struct slice call_id, uint32_t cseq,
                       const struct ota_sip_binding *bindings, size_t n, struct list *made, bool *fresh)
{
    struct record *r = record_find(l, key);
    bool more;
    enum err e;

    if (r && comes_late(r, call_id, cseq, bindings, n))
        return ERR_LATE;
    e = make_all(l, bindings, n, call_id, cseq, made);
    if (!e && count(made) + (r ? r->n - replaced_n(r, bindings, n) : 0) > OTA_SIP_BINDINGS_MAX)
        e = ERR_LIMIT;
    if (!e && !r && !list_empty(made))
        e = record_new(l, key, &r);
    if (e || !r)
        return e;
    more = replace(r, bindings, n, made);
    *fresh = more || (r->missed && r->n);
    if (r->n == 0)
        record_free(l, r);
    else
        r->missed = false;
    return ERR_OK;
}

enum err ota_sip_location_update(struct ota_sip_location *l, struct slice record, struct slice call_id,
                                 uint32_t cseq, const struct ota_sip_binding *bindings, size_t n, bool *fresh)
{
    struct list made;
    bool news = false;
    enum err e;

    list_init(&made);
    (void)pthread_mutex_lock(&l->lock);
    e = update(l, record, call_id, cseq, bindings, n, &made, &news);
    free_all(&made);
    (void)pthread_mutex_unlock(&l->lock);
    if (!e)
        *fresh = news;
    return e;
}

enum err ota_sip_location_remove(struct ota_sip_location *l, struct slice record, struct slice call_id,
                                 uint32_t cseq)
{
    struct record *r;
    enum err e = ERR_OK;

    (void)pthread_mutex_lock(&l->lock);
    r = record_find(l, record);
    if (r && comes_late(r, call_id, cseq, NULL, 0))
        e = ERR_LATE;
    else if (r)
        record_free(l, r);
    (void)pthread_mutex_unlock(&l->lock);
    return e;
}

size_t ota_sip_location_drop(struct ota_sip_location *l, struct slice record)
{
    struct record *r;
    size_t n;

    (void)pthread_mutex_lock(&l->lock);
    r = record_find(l, record);
    n = r ? r->n : 0;
    if (r)
        record_free(l, r);
    (void)pthread_mutex_unlock(&l->lock);
    return n;
}

/* Who can be reached otherwise stays. */
void ota_sip_location_lost(struct ota_sip_location *l, struct list *bound)
{
    (void)pthread_mutex_lock(&l->lock);
    while (!list_empty(bound)) {
        struct binding *b = binding_bound(bound->next);
        struct record *r = b->record;

        if (b->flow_only) {
            binding_free(r, b);
        } else {
            list_remove(&b->bound);
            b->flow = (struct ota_sip_flow){.id = 0};
        }
        if (r->n == 0)
            record_free(l, r);
    }
    (void)pthread_mutex_unlock(&l->lock);
}

void ota_sip_location_gone(struct ota_sip_location *l, struct slice record, struct slice contact)
{
    struct record *r;

    (void)pthread_mutex_lock(&l->lock);
    r = record_find(l, record);
    if (r)
        LIST_EACH_SAFE (at, &r->bindings)
            if (slice_eq(contact_of(binding_at(at)), contact))
                binding_free(r, binding_at(at));
    if (r && r->n == 0)
        record_free(l, r);
    (void)pthread_mutex_unlock(&l->lock);
}

void ota_sip_location_missed(struct ota_sip_location *l, struct slice record)
{
    struct record *r;

    (void)pthread_mutex_lock(&l->lock);
    r = record_find(l, record);
    if (r)
        r->missed = true;
    (void)pthread_mutex_unlock(&l->lock);
}

void ota_sip_location_set_max(struct ota_sip_location *l, size_t records_max)
{
    (void)pthread_mutex_lock(&l->lock);
    l->records.max = records_max;
    (void)pthread_mutex_unlock(&l->lock);
}

/* --- questions --- */

/* The record's own URI with the device's name as parameter (RFC 5627 §3.2, §5.1). */
static void print_gruu(const struct record *r, const struct binding *b, struct buf *out)
{
    struct slice instance = text_of(b, INSTANCE);

    if (!b->gruu || instance.n < 3)
        return;
    buf_add(out, SLICE(";pub-gruu=\""));
    buf_add(out, slice_of(r->key, r->key_n));
    buf_add(out, SLICE(";gr="));
    buf_add(out, slice_sub(instance, 1, instance.n - 2));
    buf_add(out, SLICE("\""));
}

static void print_binding(const struct record *r, const struct binding *b, int64_t now, struct buf *out)
{
    struct slice instance = text_of(b, INSTANCE);

    buf_add(out, SLICE("Contact: <"));
    buf_add(out, contact_of(b));
    buf_addf(out, ">;expires=%lld", (long long)((b->until_ms - now + 999) / 1000));
    if (b->q < 1000)
        buf_addf(out, ";q=0.%03u", (unsigned)b->q);
    if (instance.n) {
        buf_add(out, SLICE(";+sip.instance=\""));
        buf_add(out, instance);
        buf_add(out, SLICE("\""));
    }
    if (b->reg_id)
        buf_addf(out, ";reg-id=%u", (unsigned)b->reg_id);
    print_gruu(r, b, out);
    buf_add(out, SLICE("\r\n"));
}

void ota_sip_location_print(struct ota_sip_location *l, struct slice record, struct buf *out)
{
    struct record *r;
    int64_t now;

    (void)pthread_mutex_lock(&l->lock);
    now = clk_mono_ms(l->clk);
    r = record_find(l, record);
    if (r)
        LIST_EACH (at, &r->bindings)
            print_binding(r, binding_at(at), now, out);
    (void)pthread_mutex_unlock(&l->lock);
}

/* Tokens compare without case, strings in angle brackets with it (RFC 3841 §7.2.4). */
static bool has_app(const struct binding *b, struct slice app)
{
    bool exact = slice_starts(app, SLICE("<"));
    struct slice list = text_of(b, APPS), item;

    if (exact)
        return slice_eq(list, app);
    while (slice_item(&list, &item))
        if (slice_eq_ci(item, app))
            return true;
    return false;
}

static bool is_device(const struct binding *b, struct slice instance)
{
    struct slice own = text_of(b, INSTANCE);

    return instance.n == 0 || (own.n > 2 && slice_eq(slice_sub(own, 1, own.n - 2), instance));
}

static bool has_device(const struct record *r, struct slice instance)
{
    LIST_EACH (at, &r->bindings)
        if (is_device(binding_at(at), instance))
            return true;
    return false;
}

static bool takes(const struct binding *b, const struct ota_sip_wanted *w)
{
    const struct ota_sip_methods *m = &b->methods;
    bool invite = m->invite && (b->tagged || w->session); /* else it would ring at somebody's telephone */

    if (m->said && !invite && (w->session || !m->message))
        return false;
    return is_device(b, w->instance) && (b->tagged ? has_app(b, w->app) : w->untagged_ok);
}

/* The best of those that are worse than skip others; the list has the latest first, so the first of equals stays. */
static const struct binding *best_of(const struct record *r, const struct ota_sip_wanted *w, size_t skip)
{
    bool used[OTA_SIP_BINDINGS_MAX] = {false};

    for (;;) {
        const struct binding *best = NULL;
        size_t i = 0, best_at = 0;

        LIST_EACH (at, &r->bindings) {
            const struct binding *b = binding_at(at);

            if (!used[i] && takes(b, w) && (!best || b->q > best->q)) {
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

static enum err show(const struct binding *b, struct ota_sip_found *out)
{
    enum err e = mem_cstr(out->contact, sizeof out->contact, contact_of(b));

    if (!e)
        e = mem_cstr(out->path, sizeof out->path, text_of(b, PATH));
    if (!e)
        e = mem_cstr(out->accept, sizeof out->accept, text_of(b, ACCEPT));
    out->methods = b->methods;
    out->tagged = b->tagged;
    out->since_ms = b->since_ms;
    out->flow = b->flow;
    return e;
}

enum err ota_sip_location_find(struct ota_sip_location *l, const struct ota_sip_wanted *wanted, size_t skip,
                               struct ota_sip_found *out)
{
    const struct binding *b;
    struct record *r;
    enum err e = ERR_ABSENT;

    (void)pthread_mutex_lock(&l->lock);
    r = record_find(l, wanted->record);
    b = r ? best_of(r, wanted, skip) : NULL;
    if (b)
        e = show(b, out);
    else if (r && skip == 0 && has_device(r, wanted->instance))
        e = ERR_UNSUPPORTED;
    (void)pthread_mutex_unlock(&l->lock);
    return e;
}

/* In the first while after the start not everybody has had to say again that he is here. */
bool ota_sip_location_may_come(struct ota_sip_location *l, struct slice record, struct slice instance,
                               int64_t registered_ms)
{
    const struct record *r;
    bool may;

    (void)pthread_mutex_lock(&l->lock);
    r = record_find(l, record);
    may = !r || has_device(r, instance) || clk_mono_ms(l->clk) - l->began_ms < registered_ms;
    (void)pthread_mutex_unlock(&l->lock);
    return may;
}

bool ota_sip_location_has(struct ota_sip_location *l, struct slice record)
{
    bool has;

    (void)pthread_mutex_lock(&l->lock);
    has = record_find(l, record) != NULL;
    (void)pthread_mutex_unlock(&l->lock);
    return has;
}

void ota_sip_location_each(struct ota_sip_location *l, struct slice record, ota_sip_binding_fn *fn, void *arg)
{
    struct record *r;
    int64_t now;

    (void)pthread_mutex_lock(&l->lock);
    now = clk_mono_ms(l->clk);
    r = record_find(l, record);
    if (r)
        LIST_EACH (at, &r->bindings) {
            const struct binding *b = binding_at(at);
            const struct ota_sip_binding seen = {.contact = contact_of(b),
                                                 .apps = text_of(b, APPS),
                                                 .path = text_of(b, PATH),
                                                 .instance = text_of(b, INSTANCE),
                                                 .agent = text_of(b, AGENT),
                                                 .tagged = b->tagged,
                                                 .accept = text_of(b, ACCEPT),
                                                 .methods = b->methods,
                                                 .gruu = b->gruu,
                                                 .q = b->q,
                                                 .reg_id = b->reg_id,
                                                 .expires_s = (b->until_ms - now + 999) / 1000,
                                                 .flow = b->flow,
                                                 .flow_only = b->flow_only};

            fn(&seen, b->since_ms, arg);
        }
    (void)pthread_mutex_unlock(&l->lock);
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
    l->began_ms = clk_mono_ms(clk);
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
