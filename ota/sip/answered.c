/* Responses that may be asked for again; see answered.h. */
#include "ota/sip/answered.h"

#include <stdlib.h>

#include "base/mem.h"

#define KEY_MAX_N 1024
#define SHARE     8 /* one address may have so manieth of all */

/* An address that has some. */
struct source {
    struct list kept; /* the oldest first */
    size_t n;
    size_t key_n;
    char key[];
};

struct kept {
    struct list at;
    struct list of;        /* in its source's */
    struct source *source; /* NULL: not counted */
    int64_t until_ms;
    size_t key_n;
    size_t response_n;
    char text[]; /* key, then response */
};

void ota_sip_answered_init(struct ota_sip_answered *a, const struct clk *clk, size_t responses_max)
{
    a->clk = clk;
    map_init(&a->by_key, responses_max);
    map_init(&a->by_source, responses_max);
    list_init(&a->oldest);
}

static void forget(struct ota_sip_answered *a, struct kept *k)
{
    struct source *s = k->source;

    (void)map_del(&a->by_key, slice_of(k->text, k->key_n));
    list_remove(&k->at);
    list_remove(&k->of);
    free(k);
    if (s && --s->n == 0) {
        (void)map_del(&a->by_source, slice_of(s->key, s->key_n));
        free(s);
    }
}

static struct kept *first_of(struct ota_sip_answered *a)
{
    return list_empty(&a->oldest) ? NULL : container_of(a->oldest.next, struct kept, at);
}

static void forget_old(struct ota_sip_answered *a)
{
    int64_t now = clk_mono_ms(a->clk);
    struct kept *k;

    while ((k = first_of(a)) && k->until_ms <= now)
        forget(a, k);
}

void ota_sip_answered_clear(struct ota_sip_answered *a)
{
    struct kept *k;

    while ((k = first_of(a)))
        forget(a, k);
    map_clear(&a->by_key);
    map_clear(&a->by_source);
}

/* Branch, sent-by and method of the request (§17.2.3); the number too, for branches that are no good. */
static enum err key_of(const struct ota_sip_request *r, struct buf *out)
{
    buf_add(out, r->branch);
    buf_add_ch(out, '\n');
    buf_add(out, r->sent_by);
    buf_add_ch(out, '\n');
    buf_add(out, r->method);
    buf_addf(out, "\n%u", (unsigned)r->cseq);
    return buf_err(out);
}

struct slice ota_sip_answered_find(struct ota_sip_answered *a, const struct ota_sip_request *r)
{
    const struct kept *k = NULL;
    struct buf key;

    forget_old(a);
    buf_init(&key, KEY_MAX_N);
    if (!key_of(r, &key))
        k = map_get(&a->by_key, buf_slice(&key));
    buf_clear(&key);
    return k ? slice_of(k->text + k->key_n, k->response_n) : SLICE_NONE;
}

/* NULL: no memory.  One that has nothing yet is forgotten by whoever gives it nothing. */
static struct source *source_of(struct ota_sip_answered *a, struct slice key)
{
    struct source *s = map_get(&a->by_source, key);

    if (s)
        return s;
    s = malloc(sizeof *s + key.n);
    if (!s)
        return NULL;
    list_init(&s->kept);
    s->n = 0;
    s->key_n = key.n;
    mem_copy(s->key, key.n, key);
    if (map_put(&a->by_source, slice_of(s->key, key.n), s)) {
        free(s);
        return NULL;
    }
    return s;
}

static void own(struct ota_sip_answered *a, struct kept *k, struct slice source)
{
    k->source = source.n ? source_of(a, source) : NULL;
    list_init(&k->of);
    if (k->source) {
        list_push_back(&k->source->kept, &k->of);
        k->source->n++;
    }
}

/* Makes room at the expense of who has the most already. */
static bool hold_to_share(struct ota_sip_answered *a, struct slice source)
{
    const struct source *s = source.n ? map_get(&a->by_source, source) : NULL;

    if (!s || s->n < (a->by_key.max + SHARE - 1) / SHARE)
        return false;
    forget(a, container_of(s->kept.next, struct kept, of));
    return true;
}

static void keep(struct ota_sip_answered *a, struct slice key, struct slice source, struct slice response)
{
    struct kept *k = malloc(sizeof *k + key.n + response.n);

    if (!k)
        return;
    k->until_ms = clk_mono_ms(a->clk) + OTA_SIP_TIMER_J_MS;
    k->key_n = key.n;
    k->response_n = response.n;
    mem_copy(k->text, key.n, key);
    mem_copy(k->text + key.n, response.n, response);
    if (map_put(&a->by_key, slice_of(k->text, key.n), k)) {
        free(k);
        return;
    }
    list_push_back(&a->oldest, &k->at);
    own(a, k, source);
}

bool ota_sip_answered_keep(struct ota_sip_answered *a, const struct ota_sip_request *r, struct slice source,
                           struct slice response)
{
    struct buf key;
    bool held;

    forget_old(a);
    held = hold_to_share(a, source);
    if (a->by_key.n == a->by_key.max && first_of(a))
        forget(a, first_of(a));
    buf_init(&key, KEY_MAX_N);
    if (!key_of(r, &key))
        keep(a, buf_slice(&key), source, response);
    buf_clear(&key);
    return held;
}
