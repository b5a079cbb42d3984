/* Responses that may be asked for again; see answered.h. */
#include "ota/sip/answered.h"

#include <stdlib.h>

#include "base/mem.h"

#define KEY_MAX_N 1024

struct kept {
    struct list at;
    int64_t until_ms;
    size_t key_n;
    size_t response_n;
    char text[]; /* key, then response */
};

void ota_sip_answered_init(struct ota_sip_answered *a, const struct clk *clk, size_t responses_max)
{
    a->clk = clk;
    map_init(&a->by_key, responses_max);
    list_init(&a->oldest);
}

static void forget(struct ota_sip_answered *a, struct kept *k)
{
    (void)map_del(&a->by_key, slice_of(k->text, k->key_n));
    list_remove(&k->at);
    free(k);
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

static void keep(struct ota_sip_answered *a, struct slice key, struct slice response)
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
}

void ota_sip_answered_keep(struct ota_sip_answered *a, const struct ota_sip_request *r, struct slice response)
{
    struct buf key;

    forget_old(a);
    if (a->by_key.n == a->by_key.max && first_of(a))
        forget(a, first_of(a));
    buf_init(&key, KEY_MAX_N);
    if (!key_of(r, &key))
        keep(a, buf_slice(&key), response);
    buf_clear(&key);
}
