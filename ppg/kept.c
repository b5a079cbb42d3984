/* One record for each connection that has something to keep; see kept.h. */
#include "ppg/kept.h"

#include <stdlib.h>
#include "ppg/limits.h"

struct kept {
    struct sec_login *login; /* owned; may be NULL */
    struct ppg_usage *usage; /* where it has a place; may be NULL */
    struct sec_mac_session mac;
};

static void kept_drop(void *arg)
{
    struct kept *k = arg;

    sec_login_free(&k->login);
    if (k->usage)
        ppg_usage_leave(k->usage);
    free(k);
}

/* The record, made when there is none; NULL: out of memory. */
static struct kept *kept_of(struct net_http_exchange *x)
{
    struct kept *k = net_http_exchange_kept(x);

    if (k)
        return k;
    k = calloc(1, sizeof *k);
    if (k)
        net_http_exchange_keep(x, k, kept_drop);
    return k;
}

const struct sec_login *ppg_kept_login(const struct net_http_exchange *x)
{
    const struct kept *k = net_http_exchange_kept(x);

    return k ? k->login : NULL;
}

void ppg_kept_set_login(struct net_http_exchange *x, struct sec_login *login)
{
    struct kept *k = kept_of(x);

    if (k) {
        sec_login_free(&k->login);
        k->login = login;
    } else {
        sec_login_free(&login);
    }
}

struct sec_mac_session *ppg_kept_mac(struct net_http_exchange *x)
{
    struct kept *k = kept_of(x);

    return k ? &k->mac : NULL;
}

enum err ppg_kept_enter(struct net_http_exchange *x, struct ppg_usage *usage,
                        const struct sec_account *account)
{
    struct kept *k = kept_of(x);

    if (!k)
        return ERR_NOMEM;
    if (k->usage == usage)
        return ERR_OK;
    if (k->usage)
        ppg_usage_leave(k->usage);
    k->usage = ppg_usage_enter(usage, account) ? usage : NULL;
    return k->usage ? ERR_OK : ERR_LIMIT;
}
