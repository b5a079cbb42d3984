/* Challenges that are remembered; see known.h. */
#include "ota/sip/known.h"

#include <stdlib.h>

#include "base/mem.h"

#define KEY_MAX_N 2048

/* One realm; several of one place stand one after another, numbered. */
struct known {
    struct list at;
    char *key; /* owned */
    size_t key_n;
    struct buf challenge;
    uint32_t nc; /* uses of its nonce */
};

void ota_sip_known_init(struct ota_sip_known *k, size_t realms_max)
{
    map_init(&k->by_key, realms_max);
    list_init(&k->used);
}

static void known_free(struct ota_sip_known *k, struct known *e)
{
    (void)map_del(&k->by_key, slice_of(e->key, e->key_n));
    list_remove(&e->at);
    buf_clear(&e->challenge);
    free(e->key);
    free(e);
}

static struct known *first_of(struct ota_sip_known *k)
{
    return list_empty(&k->used) ? NULL : container_of(k->used.next, struct known, at);
}

void ota_sip_known_clear(struct ota_sip_known *k)
{
    struct known *e;

    while ((e = first_of(k)))
        known_free(k, e);
    map_clear(&k->by_key);
}

/* A proxy's realms are those of the hop, the far end's those of the address. */
static enum err key_of(const struct ota_sip_whom *whom, bool proxy, size_t number, struct buf *out)
{
    buf_reset(out, KEY_MAX_N);
    buf_addf(out, "%c%c%zu\n", proxy ? 'p' : 'e', whom->tls ? 's' : 'c', number);
    buf_add(out, proxy ? whom->hop : whom->to);
    buf_add_ch(out, '\n');
    buf_add(out, whom->user);
    return buf_err(out);
}

static struct known *find(struct ota_sip_known *k, const struct ota_sip_whom *whom, bool proxy, size_t number)
{
    struct known *e = NULL;
    struct buf key;

    buf_init(&key, KEY_MAX_N);
    if (!key_of(whom, proxy, number, &key))
        e = map_get(&k->by_key, buf_slice(&key));
    buf_clear(&key);
    return e;
}

static void recall_kind(struct ota_sip_known *k, const struct ota_sip_whom *whom, bool proxy,
                        struct ota_sip_login *l)
{
    struct known *e;

    for (size_t i = 0; (e = find(k, whom, proxy, i)); i++) {
        if (ota_sip_login_recall(l, proxy, buf_slice(&e->challenge), e->nc))
            return;
        e->nc++;
        list_remove(&e->at);
        list_push_back(&k->used, &e->at);
    }
}

void ota_sip_known_recall(struct ota_sip_known *k, const struct ota_sip_whom *whom, struct ota_sip_login *l)
{
    recall_kind(k, whom, true, l);
    recall_kind(k, whom, false, l);
}

static struct known *add(struct ota_sip_known *k, const struct ota_sip_whom *whom, bool proxy, size_t number)
{
    struct known *e = calloc(1, sizeof *e);
    struct buf key;
    enum err err;

    if (!e)
        return NULL;
    buf_init(&key, KEY_MAX_N);
    buf_init(&e->challenge, SEC_DIGEST_HEADER_MAX_N);
    list_init(&e->at);
    if (k->by_key.n == k->by_key.max && first_of(k))
        known_free(k, first_of(k));
    err = key_of(whom, proxy, number, &key);
    e->key = err ? NULL : mem_dup(buf_slice(&key));
    e->key_n = key.n;
    buf_clear(&key);
    if (!e->key || map_put(&k->by_key, slice_of(e->key, e->key_n), e)) {
        free(e->key);
        free(e);
        return NULL;
    }
    list_push_back(&k->used, &e->at);
    return e;
}

/* The newer challenge counts, and of one challenge the higher count. */
static void keep(struct known *e, const struct ota_sip_realm *r, struct slice next)
{
    bool same = slice_eq(buf_slice(&e->challenge), buf_slice(&r->challenge));

    if (next.n) {
        buf_reset(&e->challenge, SEC_DIGEST_HEADER_MAX_N);
        buf_add(&e->challenge, next);
        e->nc = 0;
    } else if (same) {
        e->nc = e->nc > r->nc ? e->nc : r->nc;
    } else if (!r->recalled || e->challenge.n == 0) {
        buf_reset(&e->challenge, SEC_DIGEST_HEADER_MAX_N);
        buf_add(&e->challenge, buf_slice(&r->challenge));
        e->nc = r->nc;
    }
}

void ota_sip_known_learn(struct ota_sip_known *k, const struct ota_sip_whom *whom,
                         const struct ota_sip_login *l, const struct ota_sip_reply *r)
{
    size_t seen[2] = {0, 0};
    struct buf next;

    buf_init(&next, SEC_DIGEST_HEADER_MAX_N);
    for (size_t i = 0; i < l->n; i++) {
        const struct ota_sip_realm *realm = &l->realms[i];
        size_t number = seen[realm->proxy]++;
        struct known *e = find(k, whom, realm->proxy, number);

        if (!e)
            e = add(k, whom, realm->proxy, number);
        if (!e)
            break;
        buf_reset(&next, SEC_DIGEST_HEADER_MAX_N);
        if (ota_sip_login_next(realm, r, &next))
            buf_reset(&next, 0);
        keep(e, realm, buf_slice(&next));
        if (buf_err(&e->challenge))
            known_free(k, e);
    }
    buf_clear(&next);
}

void ota_sip_known_forget(struct ota_sip_known *k, const struct ota_sip_whom *whom)
{
    struct known *e;

    for (int proxy = 0; proxy < 2; proxy++)
        for (size_t i = 0; (e = find(k, whom, proxy, i)); i++)
            known_free(k, e);
}
