/* What far ends take; see learnt.h. */
#include "ota/agent/learnt.h"

#include <stdlib.h>

#include "base/mem.h"

struct learnt {
    struct list at;
    int64_t at_ms; /* monotonic */
    struct ota_sip_takes takes;
    size_t uri_n;
    char uri[];
};

void ota_sip_learnt_init(struct ota_sip_learnt *l, const struct clk *clk, size_t max)
{
    l->clk = clk;
    map_init(&l->by_uri, max);
    list_init(&l->used);
}

static void learnt_free(struct ota_sip_learnt *l, struct learnt *e)
{
    (void)map_del(&l->by_uri, slice_of(e->uri, e->uri_n));
    list_remove(&e->at);
    free(e);
}

static struct learnt *oldest(struct ota_sip_learnt *l)
{
    return list_empty(&l->used) ? NULL : container_of(l->used.next, struct learnt, at);
}

void ota_sip_learnt_clear(struct ota_sip_learnt *l)
{
    struct learnt *e;

    while ((e = oldest(l)))
        learnt_free(l, e);
    map_clear(&l->by_uri);
}

const struct ota_sip_takes *ota_sip_learnt_find(struct ota_sip_learnt *l, struct slice uri, int64_t since_ms)
{
    struct learnt *e = map_get(&l->by_uri, uri);

    if (!e)
        return NULL;
    if (e->at_ms < since_ms || clk_mono_ms(l->clk) - e->at_ms >= OTA_SIP_LEARNT_MS) {
        learnt_free(l, e);
        return NULL;
    }
    return &e->takes;
}

static struct learnt *add(struct ota_sip_learnt *l, struct slice uri)
{
    struct learnt *e = calloc(1, sizeof *e + uri.n);

    if (!e)
        return NULL;
    if (l->by_uri.n == l->by_uri.max && oldest(l))
        learnt_free(l, oldest(l));
    list_init(&e->at);
    e->uri_n = uri.n;
    mem_copy(e->uri, uri.n, uri);
    if (map_put(&l->by_uri, slice_of(e->uri, uri.n), e)) {
        free(e);
        return NULL;
    }
    return e;
}

void ota_sip_learnt_put(struct ota_sip_learnt *l, struct slice uri, const struct ota_sip_takes *takes)
{
    struct learnt *e = map_get(&l->by_uri, uri);

    if (!e)
        e = add(l, uri);
    if (!e)
        return;
    e->takes = *takes;
    e->at_ms = clk_mono_ms(l->clk);
    list_remove(&e->at);
    list_push_back(&l->used, &e->at);
}
