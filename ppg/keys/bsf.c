/* Ub; see bsf.h.  An exchange that waits for numbers is held in a struct ub; everything else is answered at once. */
#include "ppg/keys/bsf.h"

#include <stdio.h>
#include <stdlib.h>
#include "ppg/reply.h"
#include "ppg/keys/seq.h"
#include "security/gba/bootinfo.h"
#include "security/gba/bootstrap.h"

#define CHALLENGE_MS 60000
#define TEXT_MAX_N   8192u /* octets of the header lines, and of the body, of an answer */
#define PRODUCT_TMPI "3gpp-gba-tmpi"

struct ub {
    struct ppg_core *core;
    struct net_http_exchange *exchange;
    struct ppg_seq_wait wait;
    bool synced;    /* AUTS was followed */
    unsigned waits; /* for numbers, so far */
};

enum err ppg_bsf_create(const struct ppg_settings *set, struct sec_bootstrap **out)
{
    char fqdn[SEC_GBA_FQDN_MAX_N + sizeof "bsf."];
    bool own = set->key_server.bsf_name[0] != '\0';
    struct sec_bootstrap_conf conf = {.runs_max = set->key_server.bootstrapped_max,
                                      .challenge_ms = CHALLENGE_MS};

    (void)snprintf(fqdn, sizeof fqdn, "%s%s", own ? "" : "bsf.",
                   own ? set->key_server.bsf_name : set->key_server.name);
    conf.fqdn = slice_str(fqdn);
    return sec_bootstrap_create(&conf, out);
}

/* --- answers --- */

static void answer(struct ub *u, unsigned status, struct slice type, struct slice headers, struct slice body)
{
    net_httpd_reply(u->exchange, status, type, headers, body);
    free(u);
}

static void answer_status(struct ub *u, unsigned status)
{
    struct buf *headers = &u->core->answer_headers;

    buf_reset(headers, TEXT_MAX_N);
    if (status == 503)
        ppg_reply_retry_after(PPG_BUSY_RETRY_MS, headers);
    answer(u, status, SLICE("text/plain"), buf_slice(headers), SLICE_NONE);
}

static struct slice impi_of(const struct sec_bootstrap_answer *a)
{
    return slice_of(a->impi, a->impi_n);
}

static void answer_refused(struct ub *u, const struct sec_bootstrap_answer *a)
{
    struct ppg_core *c = u->core;
    struct slice ip = net_http_exchange_ip(u->exchange);

    if (a->failed_login)
        sec_penalty_fail(c->shared->penalty, ip, ppg_core_mono_ms(c));
    LOG(c->shared->log, LOG_WARN, "ub.refused", LOG_S("peer", ip), LOG_U("impi", impi_of(a)),
        LOG_C("reason", a->reason));
    answer_status(u, 403);
}

static void answer_challenge(struct ub *u, const struct sec_bootstrap_answer *a, struct slice challenge)
{
    struct buf *headers = &u->core->answer_headers;

    LOG(u->core->shared->log, LOG_INFO, "ub.challenge", LOG_U("impi", impi_of(a)),
        LOG_C("reason", a->reason));
    buf_reset(headers, TEXT_MAX_N);
    buf_add_str(headers, "WWW-Authenticate: ");
    buf_add(headers, challenge);
    buf_add_str(headers, "\r\n");
    answer(u, 401, SLICE("text/plain"), buf_slice(headers), SLICE_NONE);
}

static enum err print_done(struct ub *u, const struct sec_bootstrap_answer *a, struct buf *body)
{
    struct buf *headers = &u->core->answer_headers;
    enum err e =
        sec_bootinfo_print(slice_of(a->btid, a->btid_n), a->expires_s, ppg_core_utc_ms(u->core) / 1000, body);

    buf_reset(headers, TEXT_MAX_N);
    buf_add_str(headers, "Authentication-Info: ");
    if (!e)
        e = sec_digest_info(&a->says, &a->ha1, buf_slice(body), headers);
    buf_add_str(headers, "\r\n");
    return e ? e : buf_err(headers);
}

static void answer_done(struct ub *u, const struct sec_bootstrap_answer *a)
{
    struct ppg_core *c = u->core;
    struct buf body;

    buf_init(&body, TEXT_MAX_N);
    sec_penalty_clear(c->shared->penalty, net_http_exchange_ip(u->exchange));
    LOG(c->shared->log, LOG_INFO, "ub.bootstrapped", LOG_A("impi", impi_of(a)),
        LOG_I("life_s", a->expires_s - ppg_core_utc_ms(c) / 1000));
    if (print_done(u, a, &body))
        answer_status(u, 503);
    else
        answer(u, 200, SLICE(SEC_BOOTINFO_TYPE), buf_slice(&c->answer_headers), buf_slice(&body));
    buf_clear(&body);
}

static void answer_busy(struct ub *u, const struct sec_bootstrap_answer *a)
{
    struct buf *headers = &u->core->answer_headers;

    LOG(u->core->shared->log, LOG_INFO, "ub.busy", LOG_U("impi", impi_of(a)), LOG_I("wait_ms", a->wait_ms));
    buf_reset(headers, TEXT_MAX_N);
    ppg_reply_retry_after(a->wait_ms, headers);
    answer(u, 503, SLICE("text/plain"), buf_slice(headers), SLICE_NONE);
}

/* --- a step, and what it needs first --- */

static void step(struct ub *u);

static void numbers_came(void *arg, enum err e)
{
    struct ub *u = arg;

    if (e)
        answer_status(u, e == ERR_ABSENT || e == ERR_LATE ? 403 : 503);
    else
        step(u);
}

/* ERR_EXISTS: what AUTS says was followed already. */
static void wait_numbers(struct ub *u, struct sec_bootstrap_answer *a)
{
    struct ppg_seq *seq = u->core->seq;
    enum err e;

    u->wait = (struct ppg_seq_wait){.fn = numbers_came, .arg = u};
    if (u->waits++ > 2)
        e = ERR_LIMIT;
    else if (a->sync)
        e = ppg_seq_resync(seq, impi_of(a), a->rand, a->auts, &u->wait);
    else
        e = ppg_seq_reserve(seq, impi_of(a), &u->wait);
    u->synced = u->synced || (a->sync && (!e || e == ERR_EXISTS));
    if (e == ERR_EXISTS) {
        step(u);
    } else if (e == ERR_DENIED || e == ERR_ABSENT) {
        a->failed_login = true;
        a->reason = "AUTS is not the subscriber's";
        answer_refused(u, a);
    } else if (e) {
        answer_status(u, 503);
    }
}

static struct sec_bootstrap_request request_of(const struct ub *u)
{
    const struct net_http_msg *m = net_http_exchange_msg(u->exchange);
    struct slice product = net_http_header(m, SLICE("User-Agent"), NULL);
    size_t n;
    struct slice authorization = net_http_header(m, SLICE("Authorization"), &n);

    return (struct sec_bootstrap_request){
        .authorization = n == 1 ? authorization : SLICE_NONE,
        .http = {m->method, m->target, m->body, true},
        .synced = u->synced,
        .tmpi = slice_find_slice(product, SLICE(PRODUCT_TMPI)) < product.n,
        .life_s = ppg_core_settings(u->core)->key_server.ks_life_ms / 1000,
        .utc_ms = ppg_core_utc_ms(u->core),
        .mono_ms = ppg_core_mono_ms(u->core),
    };
}

static void step(struct ub *u)
{
    struct sec_keyserver *server = ppg_config_keyserver(u->core->config);
    struct sec_bootstrap *bootstrap = ppg_config_bootstrap(u->core->config);
    struct sec_bootstrap_request q = request_of(u);
    struct sec_bootstrap_answer a = {.reason = ""};
    struct buf challenge;
    enum err e;

    buf_init(&challenge, TEXT_MAX_N);
    e = bootstrap ? sec_bootstrap_step(bootstrap, server, &q, &a, &challenge) : ERR_IO;
    if (e == ERR_AGAIN)
        wait_numbers(u, &a);
    else if (e)
        answer_status(u, 503);
    else if (a.outcome == SEC_BOOTSTRAP_CHALLENGE)
        answer_challenge(u, &a, buf_slice(&challenge));
    else if (a.outcome == SEC_BOOTSTRAP_DONE)
        answer_done(u, &a);
    else if (a.outcome == SEC_BOOTSTRAP_BUSY)
        answer_busy(u, &a);
    else
        answer_refused(u, &a);
    sec_secret_clear(&a.ha1);
    buf_clear(&challenge);
}

/* --- requests --- */

unsigned ppg_bsf_head(struct net_http_exchange *x, struct buf *headers, void *arg)
{
    const struct ppg_core *c = arg;
    unsigned status;

    if (!slice_eq(net_http_exchange_msg(x)->target, SLICE("/")))
        return 404;
    status = ppg_reply_head(c, x, "GET", SIZE_MAX, headers);
    return status ? status : ppg_reply_slowed(c, net_http_exchange_ip(x), headers);
}

void ppg_bsf_request(struct net_http_exchange *x, void *arg)
{
    struct ub *u = malloc(sizeof *u);

    if (!u) {
        net_httpd_reply(x, 503, SLICE("text/plain"), SLICE_NONE, SLICE_NONE);
        return;
    }
    *u = (struct ub){.core = arg, .exchange = x};
    step(u);
}
