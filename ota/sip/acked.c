/* ACKs that may be asked for again; see acked.h. */
#include "ota/sip/acked.h"

#include <stdlib.h>

#include "base/mem.h"

struct kept {
    struct list at;
    int64_t until_ms;
    size_t key_n, text_n;
    char text[]; /* branch, then the ACK */
};

void ota_sip_acked_init(struct ota_sip_acked *a, const struct clk *clk, size_t max)
{
    a->clk = clk;
    map_init(&a->by_branch, max);
    list_init(&a->oldest);
}

static struct kept *first_of(const struct ota_sip_acked *a)
{
    return list_empty(&a->oldest) ? NULL : container_of(a->oldest.next, struct kept, at);
}

static void forget(struct ota_sip_acked *a, struct kept *k)
{
    (void)map_del(&a->by_branch, slice_of(k->text, k->key_n));
    list_remove(&k->at);
    free(k);
}

void ota_sip_acked_clear(struct ota_sip_acked *a)
{
    struct kept *k;

    while ((k = first_of(a)))
        forget(a, k);
    map_clear(&a->by_branch);
}

void ota_sip_acked_keep(struct ota_sip_acked *a, struct slice branch, struct slice ack)
{
    struct kept *k = malloc(sizeof *k + branch.n + ack.n);

    if (!k)
        return;
    k->until_ms = clk_mono_ms(a->clk) + OTA_SIP_TIMER_D_MS;
    k->key_n = branch.n;
    k->text_n = ack.n;
    mem_copy(k->text, branch.n, branch);
    mem_copy(k->text + branch.n, ack.n, ack);
    if (map_put(&a->by_branch, slice_of(k->text, branch.n), k))
        free(k);
    else
        list_push_back(&a->oldest, &k->at);
}

struct slice ota_sip_acked_find(const struct ota_sip_acked *a, struct slice branch)
{
    const struct kept *k = map_get(&a->by_branch, branch);

    return k ? slice_of(k->text + k->key_n, k->text_n) : SLICE_NONE;
}

void ota_sip_acked_tick(struct ota_sip_acked *a)
{
    int64_t now = clk_mono_ms(a->clk);
    struct kept *k;

    while ((k = first_of(a)) && k->until_ms <= now)
        forget(a, k);
}

int64_t ota_sip_acked_due_ms(const struct ota_sip_acked *a)
{
    const struct kept *k = first_of(a);

    return k ? k->until_ms : -1;
}
