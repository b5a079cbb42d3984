/* See pushinfo.h. */
#include "ppg/keys/pushinfo.h"

#include "ppg/keys/bsfc.h"

#define WAITS_MAX 4u /* for numbers: another loop may have taken those that came */

static enum err go(struct ppg_pushinfo *p);

static void numbers_came(void *arg, enum err e)
{
    struct ppg_pushinfo *p = arg;

    if (!e)
        e = go(p);
    if (e != ERR_AGAIN)
        p->done(p->arg, e);
}

/* ERR_EXISTS: the numbers are good as they are. */
static enum err follow(struct ppg_pushinfo *p)
{
    enum err e = ppg_seq_resync(p->core->seq, p->request.ue, p->rand, p->auts, &p->wait);

    p->resync = false;
    return e ? e : ERR_AGAIN;
}

static enum err go(struct ppg_pushinfo *p)
{
    struct sec_keyserver *server = ppg_config_keyserver(p->core->config);
    enum err e = server ? ERR_EXISTS : ERR_ABSENT;

    if (server && p->resync)
        e = follow(p);
    if (e != ERR_EXISTS)
        return e;
    e = sec_keyserver_push_info(server, &p->request, ppg_core_utc_ms(p->core) / 1000, &p->info);
    if (e != ERR_AGAIN)
        return e;
    if (p->waits++ == WAITS_MAX)
        return ERR_IO;
    e = ppg_seq_reserve(p->core->seq, p->request.ue, &p->wait);
    return e ? e : ERR_AGAIN;
}

enum err ppg_pushinfo_get(struct ppg_core *c, struct ppg_pushinfo *p)
{
    if (!ppg_core_settings(c)->key_server.bsf_url)
        return ppg_pushinfo_own(c, p);
    return c->bsfc ? ppg_bsfc_ask(c->bsfc, p) : ERR_IO;
}

enum err ppg_pushinfo_own(struct ppg_core *c, struct ppg_pushinfo *p)
{
    p->core = c;
    p->waits = 0;
    p->wait = (struct ppg_seq_wait){.fn = numbers_came, .arg = p};
    return go(p);
}
