/* Zn and Zpn; see zn.h.  A request that waits for sequence numbers is held in its struct zn. */
#include "ppg/keys/zn.h"

#include <stdlib.h>
#include "base/mem.h"
#include "base/net/tls.h"
#include "ppg/keys/keyservice.h"
#include "ppg/keys/pushinfo.h"
#include "ppg/reply.h"
#include "security/address.h"
#include "security/gba/naf.h"

#define MEM_FIRST_N 1024u
#define MEM_MAX_N   (64u << 10)
#define HEADERS_N   4096u

struct zn {
    struct ppg_core *core;
    struct net_http_exchange *exchange;
    struct arena mem; /* of the slices in ask */
    struct ppg_key_ask ask;
    struct ppg_pushinfo push;
    struct sec_address ue; /* a public identity in its one spelling */
    char naf[64];          /* who asks, for the log */
    bool push_asked;       /* else a key by B-TID */
    bool identity;         /* it may be told the IMPI */
};

/* --- who asks --- */

static const struct sec_naf_peer *peer_of(const struct ppg_core *c, const struct net_http_exchange *x)
{
    const struct net_tls_peer *p = net_http_exchange_peer(x);
    const struct sec_nafs *nafs = ppg_config_nafs(c->config);
    struct sec_peer_names names;

    if (!p || !p->has_cert || !p->verified || !nafs)
        return NULL;
    names = (struct sec_peer_names){
        p->uris, p->dns, p->emails, p->uris_n, p->dns_n, p->emails_n, net_http_exchange_ip(x)};
    return sec_nafs_find(nafs, &names);
}

static bool is_path(struct slice target, bool *push)
{
    *push = slice_eq(target, SLICE(PPG_KEYSERVICE_PUSH_PATH));
    return *push || slice_eq(target, SLICE(PPG_KEYSERVICE_KEYS_PATH));
}

unsigned ppg_zn_head(struct net_http_exchange *x, struct buf *headers, void *arg)
{
    struct ppg_core *c = arg;
    bool push;

    if (!peer_of(c, x)) {
        LOG(c->shared->log, LOG_WARN, "zn.stranger", LOG_S("peer", net_http_exchange_ip(x)));
        return 403;
    }
    if (!is_path(net_http_exchange_msg(x)->target, &push))
        return 404;
    return ppg_reply_head(c, x, "POST", PPG_KEYSERVICE_MAX_N, headers);
}

/* --- answers --- */

static void end(struct zn *z, unsigned status, struct slice type, struct slice body)
{
    struct buf *headers = &z->core->answer_headers;

    buf_reset(headers, HEADERS_N);
    if (status == 503)
        ppg_reply_retry_after(PPG_BUSY_RETRY_MS, headers);
    net_httpd_reply(z->exchange, status, type, buf_slice(headers), body);
    sec_push_info_clear(&z->push.info);
    arena_clear(&z->mem);
    free(z);
}

static void problem(struct zn *z, unsigned status, const char *detail)
{
    struct buf body;

    LOG(z->core->shared->log, status == 403 ? LOG_WARN : LOG_INFO, "zn.refused", LOG_C("naf", z->naf),
        LOG_B("push", z->push_asked), LOG_I("status", status), LOG_C("reason", detail));
    buf_init(&body, 1024);
    ppg_problem_print(status, detail, &body);
    end(z, status, SLICE(PPG_PROBLEM_TYPE), buf_slice(&body));
    buf_clear(&body);
}

static void failed(struct zn *z, enum err e)
{
    if (e == ERR_ABSENT)
        problem(z, 404, z->push_asked ? "no such user" : "no such B-TID, or not any more");
    else if (e == ERR_DENIED)
        problem(z, 403, "not allowed for this NAF, or AUTS is not the user's");
    else if (e == ERR_LATE)
        problem(z, 403, "no lifetime is left");
    else if (e == ERR_MALFORMED)
        problem(z, 400, "malformed");
    else
        problem(z, 503, "not now");
}

static void answer(struct zn *z, const struct ppg_key_answer *a)
{
    struct buf body;

    buf_init(&body, PPG_KEYSERVICE_MAX_N);
    if (ppg_key_answer_print(a, &body)) {
        failed(z, ERR_NOMEM);
    } else {
        LOG(z->core->shared->log, LOG_INFO, z->push_asked ? "zn.push-info" : "zn.key", LOG_C("naf", z->naf),
            LOG_I("life_s", a->expires_s - ppg_core_utc_ms(z->core) / 1000));
        end(z, 200, SLICE("application/json"), buf_slice(&body));
    }
    buf_wipe(&body);
}

/* --- keys by B-TID --- */

static void give_key(struct zn *z, int64_t life_max_s)
{
    struct ppg_core *c = z->core;
    struct sec_naf us = ppg_config_naf(c->config, ppg_core_utc_ms(c));
    struct slice naf_id = slice_of(z->ask.naf.octets, z->ask.naf.n);
    struct sec_naf_key key;
    struct ppg_key_answer a = {.ks_naf = &key.ks_naf};
    enum err e = us.bootstrap
                     ? sec_bootstrap_key(us.bootstrap, us.server, z->ask.btid, naf_id, us.now_s, &key)
                     : ERR_ABSENT;

    if (e) {
        failed(z, e == ERR_MALFORMED ? ERR_ABSENT : e);
        return;
    }
    a.ks_int = z->ask.aware ? &key.ks_int : NULL;
    a.created_s = key.created_s;
    a.expires_s = key.expires_s < us.now_s + life_max_s ? key.expires_s : us.now_s + life_max_s;
    if (z->identity)
        a.impi = slice_of(key.impi, key.impi_n);
    answer(z, &a);
    sec_naf_key_clear(&key);
}

/* --- push info --- */

static void give_push(struct zn *z)
{
    struct sec_push_info *info = &z->push.info;
    struct sec_keyserver *server = ppg_config_keyserver(z->core->config);
    struct ppg_key_answer a = {.ks_naf = &info->ks_naf,
                               .ks_int = z->ask.aware ? &info->ks_int : NULL,
                               .gpi = slice_of(info->gpi, info->gpi_n),
                               .created_s = info->created_s,
                               .expires_s = info->expires_s};
    uint64_t from;

    if (z->ask.gba_u && info->ks_int.n == 0) {
        problem(z, 403, "the user's module holds no keys");
        return;
    }
    if (z->identity && z->ask.wants_impi && server &&
        sec_keyserver_wants(server, z->push.request.ue, &a.impi, &from))
        a.impi = SLICE_NONE;
    answer(z, &a);
}

static void push_came(void *arg, enum err e)
{
    if (e)
        failed(arg, e);
    else
        give_push(arg);
}

/* Public identities are known by their one spelling, private ones as they are. */
static bool user_of(struct zn *z, struct slice *ue)
{
    *ue = z->ask.ue;
    if (z->ask.is_private)
        return true;
    if (sec_address_canonical(z->ask.ue, &z->ue))
        return false;
    *ue = slice_of(z->ue.text, z->ue.n);
    return true;
}

static void ask_push(struct zn *z)
{
    struct ppg_pushinfo *p = &z->push;
    enum err e;

    p->request = (struct sec_push_request){.naf_id = slice_of(z->ask.naf.octets, z->ask.naf.n),
                                           .ptid = slice_of(z->ask.ptid, z->ask.ptid_n),
                                           .label = z->ask.label,
                                           .expires_s = z->ask.expires_s};
    p->resync = z->ask.resync;
    mem_copy(p->rand, sizeof p->rand, slice_of(z->ask.rand, sizeof z->ask.rand));
    mem_copy(p->auts, sizeof p->auts, slice_of(z->ask.auts, sizeof z->ask.auts));
    p->done = push_came;
    p->arg = z;
    e = user_of(z, &p->request.ue) ? ppg_pushinfo_own(z->core, p) : ERR_ABSENT;
    if (e != ERR_AGAIN)
        push_came(z, e);
}

/* --- requests --- */

static struct zn *zn_new(struct ppg_core *c, struct net_http_exchange *x, const struct sec_naf_peer *peer)
{
    struct zn *z = calloc(1, sizeof *z);

    if (!z)
        return NULL;
    z->core = c;
    z->exchange = x;
    z->identity = peer->identity;
    arena_init(&z->mem, MEM_FIRST_N, MEM_MAX_N);
    mem_copy(z->naf, sizeof z->naf - 1, slice_sub(peer->name, 0, sizeof z->naf - 1));
    return z;
}

void ppg_zn_request(struct net_http_exchange *x, void *arg)
{
    struct ppg_core *c = arg;
    const struct net_http_msg *m = net_http_exchange_msg(x);
    const struct sec_naf_peer *peer = peer_of(c, x); /* a reload may have come since the head */
    struct zn *z = peer ? zn_new(c, x, peer) : NULL;
    const char *why;
    enum err e;

    if (!z) {
        net_httpd_reply(x, peer ? 503 : 403, SLICE("text/plain"), SLICE_NONE, SLICE_NONE);
        return;
    }
    (void)is_path(m->target, &z->push_asked);
    e = ppg_key_ask_parse(m->body, z->push_asked, &z->mem, &z->ask, &why);
    if (e)
        problem(z, e == ERR_NOMEM ? 503 : 400, why);
    else if (!sec_naf_peer_may(peer, slice_of(z->ask.naf.octets, z->ask.naf.n)))
        problem(z, 403, "another NAF, or a protocol it may not use");
    else if (z->push_asked && !peer->push)
        problem(z, 403, "may not ask for push info");
    else if (z->push_asked)
        ask_push(z);
    else
        give_key(z, peer->life_max_s);
}
