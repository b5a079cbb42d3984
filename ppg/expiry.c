/* The ends of validity of a configuration's TLS contexts, told in time; see expiry.h. */
#include "ppg/expiry.h"

struct end {
    const char *section;
    int64_t at_s;
    const char *expired, *expiring; /* events */
};

static void tell(const struct end *e, int64_t now_s, int64_t ahead_s, struct log *log)
{
    if (e->at_s == INT64_MAX || e->at_s - now_s > ahead_s)
        return;
    if (e->at_s <= now_s)
        LOG(log, LOG_ERROR, e->expired, LOG_C("section", e->section), LOG_I("since_s", now_s - e->at_s));
    else
        LOG(log, LOG_WARN, e->expiring, LOG_C("section", e->section), LOG_I("in_s", e->at_s - now_s));
}

static void tell_context(const char *section, const struct net_tls_ctx *ctx, int64_t now_s, int64_t ahead_s,
                         struct log *log)
{
    struct net_tls_dates d = net_tls_ctx_dates(ctx);
    const struct end ends[] = {{section, d.cert_s, "tls.cert.expired", "tls.cert.expiring"},
                               {section, d.crl_s, "tls.crl.expired", "tls.crl.expiring"},
                               {section, d.staple_s, "tls.staple.expired", "tls.staple.expiring"}};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        tell(&ends[i], now_s, ahead_s, log);
}

void ppg_expiry_tell(const struct ppg_snapshot *s, int64_t now_s, struct log *log)
{
    int64_t ahead_s = ppg_config_settings(s->config)->pap.expiry_warning_ms / 1000;

    if (s->pap)
        tell_context("pap", s->pap, now_s, ahead_s, log);
    if (s->terminal)
        tell_context("ota-http", s->terminal, now_s, ahead_s, log);
}
