/* AKA logins at the SIP door; see sip_aka.h. */
#include "ppg/doors/sip_aka.h"

#include <stdlib.h>

#include "base/mem.h"
#include "ppg/keys/seq.h"
#include "ppg/doors/sip_names.h"
#include "security/gba/bootstrap.h"

#define CHALLENGE_MS 60000
#define LOGINS_MAX   200000u
#define KEEP_S                                                                                               \
    3600 /* a login is remembered so long: what answered an older challenge is refused by its age */
#define TEXT_N    8192u
#define WAITS_MAX 3u

struct ppg_sip_aka {
    struct ppg_sip_aka_conf conf;
    struct list logins; /* that wait for numbers */
    size_t waiting;
    bool stopped;
    struct buf more; /* scratch */
};

struct login {
    struct list at;
    struct ppg_sip_aka *aka;
    struct ota_sip_asked *q; /* NULL: answered already, as it all stops */
    struct ppg_seq_wait wait;
    bool synced;    /* AUTS was followed */
    unsigned waits; /* for numbers, so far */
    size_t impi_n;
    char impi[];
};

enum err ppg_sip_aka_create(const struct ppg_settings *set, struct sec_bootstrap **out)
{
    const struct sec_bootstrap_conf conf = {
        .fqdn = ppg_sip_realm(set), .runs_max = LOGINS_MAX, .challenge_ms = CHALLENGE_MS, .auth = true};
    enum err e = sec_bootstrap_create(&conf, out);

    if (e == ERR_MALFORMED) {
        *out = NULL;
        e = ERR_OK;
    }
    return e;
}

/* --- ends --- */

static void aka_free(struct ppg_sip_aka *a)
{
    buf_clear(&a->more);
    free(a);
}

static void login_free(struct login *l)
{
    list_remove(&l->at);
    free(l);
}

static void end(struct login *l, unsigned status, struct slice impi, bool failed)
{
    struct ppg_sip_aka *a = l->aka;
    const struct ppg_sip_aka_end said = {status, failed, impi, &a->more};
    struct ota_sip_asked *q = l->q;

    login_free(l);
    a->conf.ended(q, &said, a->conf.arg);
}

static void end_busy(struct login *l, int64_t wait_ms)
{
    buf_addf(&l->aka->more, "Retry-After: %lld\r\n", (long long)(wait_ms / 1000 + 1));
    end(l, 503, SLICE_NONE, false);
}

/* --- steps --- */

static void step(struct login *l);

static void numbers_came(void *arg, enum err e)
{
    struct login *l = arg;
    struct ppg_sip_aka *a = l->aka;

    a->waiting--;
    if (!l->q) {
        login_free(l);
        if (a->stopped && a->waiting == 0)
            aka_free(a);
    } else if (e) {
        buf_reset(&a->more, TEXT_N);
        end(l, e == ERR_ABSENT || e == ERR_LATE ? 403 : 503, SLICE_NONE, false);
    } else {
        step(l);
    }
}

/* ERR_EXISTS: what AUTS says was followed already. */
static void wait_numbers(struct login *l, const struct sec_bootstrap_answer *said)
{
    struct slice impi = slice_of(said->impi, said->impi_n);
    struct ppg_seq *seq = l->aka->conf.core->seq;
    enum err e;

    l->wait = (struct ppg_seq_wait){.fn = numbers_came, .arg = l};
    if (l->waits++ == WAITS_MAX)
        e = ERR_LIMIT;
    else if (said->sync)
        e = ppg_seq_resync(seq, impi, said->rand, said->auts, &l->wait);
    else
        e = ppg_seq_reserve(seq, impi, &l->wait);
    l->synced = l->synced || (said->sync && (!e || e == ERR_EXISTS));
    if (e == ERR_OK)
        l->aka->waiting++;
    else if (e == ERR_EXISTS)
        step(l);
    else if (e == ERR_DENIED || e == ERR_ABSENT)
        end(l, 403, SLICE_NONE, true);
    else
        end_busy(l, 0);
}

/* What the request says, or what one that says nothing of the kind is taken to have said: its own name, to be challenged. */
static enum err read_login(const struct login *l, struct slice realm, struct buf *out)
{
    struct slice rest = l->q->r.logins, value;
    struct sec_digest_aka_request said;

    while (slice_cut(rest, '\n', &value, &rest))
        if (!sec_digest_aka_parse(value, &said) && slice_eq(said.r.realm, realm)) {
            buf_add(out, value);
            return buf_err(out);
        }
    return sec_digest_aka_first(slice_of(l->impi, l->impi_n), realm, l->q->r.uri, out);
}

static void done(struct login *l, const struct sec_bootstrap_answer *said)
{
    struct buf *more = &l->aka->more;

    buf_add(more, SLICE("Authentication-Info: "));
    if (sec_digest_info(&said->says, &said->ha1, SLICE_NONE, more))
        buf_reset(more, TEXT_N);
    else
        buf_add(more, SLICE("\r\n"));
    end(l, 0, slice_of(said->impi, said->impi_n), false);
}

static void follow(struct login *l, enum err e, const struct sec_bootstrap_answer *said,
                   struct slice challenge)
{
    if (e == ERR_AGAIN) {
        wait_numbers(l, said);
    } else if (e) {
        end_busy(l, 0);
    } else if (said->outcome == SEC_BOOTSTRAP_CHALLENGE) {
        buf_add(&l->aka->more, SLICE("WWW-Authenticate: "));
        buf_add(&l->aka->more, challenge);
        buf_add(&l->aka->more, SLICE("\r\n"));
        end(l, 401, SLICE_NONE, false);
    } else if (said->outcome == SEC_BOOTSTRAP_DONE) {
        done(l, said);
    } else if (said->outcome == SEC_BOOTSTRAP_BUSY) {
        end_busy(l, said->wait_ms);
    } else {
        LOG(l->aka->conf.core->shared->log, LOG_WARN, "sip.aka.refused", LOG_S("peer", l->q->ip),
            LOG_U("impi", slice_of(said->impi, said->impi_n)), LOG_C("reason", said->reason));
        end(l, 403, SLICE_NONE, said->failed_login);
    }
}

static void step(struct login *l)
{
    struct ppg_core *c = l->aka->conf.core;
    struct sec_bootstrap *table = c->shared->sip_aka;
    struct sec_bootstrap_answer said = {.reason = ""};
    struct sec_bootstrap_request q = {.http = {l->q->r.method, l->q->r.uri, SLICE_NONE, true},
                                      .synced = l->synced,
                                      .life_s = KEEP_S,
                                      .utc_ms = ppg_core_utc_ms(c),
                                      .mono_ms = ppg_core_mono_ms(c)};
    struct buf authorization, challenge;
    enum err e;

    buf_reset(&l->aka->more, TEXT_N);
    buf_init(&authorization, TEXT_N);
    buf_init(&challenge, TEXT_N);
    e = read_login(l, sec_bootstrap_fqdn(table), &authorization);
    q.authorization = buf_slice(&authorization);
    if (!e)
        e = sec_bootstrap_step(table, ppg_config_keyserver(c->config), &q, &said, &challenge);
    follow(l, e, &said, buf_slice(&challenge));
    sec_secret_clear(&said.ha1);
    buf_clear(&challenge);
    buf_clear(&authorization);
}

void ppg_sip_aka_begin(struct ppg_sip_aka *a, struct ota_sip_asked *q, struct slice impi)
{
    const struct ppg_core *c = a->conf.core;
    struct ppg_sip_aka_end said = {.status = 503, .more = &a->more};
    struct login *l = NULL;

    buf_reset(&a->more, TEXT_N);
    if (!c->shared->sip_aka || !ppg_config_keyserver(c->config))
        said.status = 403; /* there is nobody to ask */
    else if (q->body.n)
        said.status = 400; /* a registration has none */
    else
        l = calloc(1, sizeof *l + impi.n);
    if (!l) {
        a->conf.ended(q, &said, a->conf.arg);
        return;
    }
    l->aka = a;
    l->q = q;
    l->impi_n = impi.n;
    mem_copy(l->impi, impi.n, impi);
    list_push_back(&a->logins, &l->at);
    step(l);
}

/* --- life --- */

enum err ppg_sip_aka_start(const struct ppg_sip_aka_conf *conf, struct ppg_sip_aka **out)
{
    struct ppg_sip_aka *a = calloc(1, sizeof *a);

    if (!a)
        return ERR_NOMEM;
    a->conf = *conf;
    list_init(&a->logins);
    buf_init(&a->more, TEXT_N);
    *out = a;
    return ERR_OK;
}

void ppg_sip_aka_stop(struct ppg_sip_aka **ap)
{
    struct ppg_sip_aka *a = *ap;
    struct list *e;

    *ap = NULL;
    a->stopped = true;
    while ((e = list_pop_front(&a->logins))) {
        struct login *l = container_of(e, struct login, at);
        const struct ppg_sip_aka_end said = {.status = 503, .more = &a->more};
        struct ota_sip_asked *q = l->q;

        l->q = NULL;
        buf_reset(&a->more, TEXT_N);
        a->conf.ended(q, &said, a->conf.arg);
    }
    if (a->waiting == 0)
        aka_free(a);
}
