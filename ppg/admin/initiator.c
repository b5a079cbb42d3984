/* The initiators as configured: all, one, and what somebody with these proofs would be let in as.  Never a secret.
 * Routes of admin.c; loop 0. */
#include "base/net/dns.h"
#include "ppg/admin/routes.h"
#include "ppg/limits.h"
#include "security/rules/trust.h"

static json_t *texts(const struct slice *v, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, ppg_json_text(v[i]));
    return list;
}

/* How it proves itself, in a few words each. */
static json_t *proofs(const struct sec_account *a)
{
    json_t *list = json_array();
    const struct {
        bool has;
        const char *word;
    } rows[] = {{a->certificates_n > 0, "certificate"},
                {a->psk_identity.n > 0, "psk"},
                {a->ha1_sha256.n > 0, "digest-sha256"},
                {a->ha1_md5.n > 0, "digest-md5"},
                {a->mac.key[SEC_MAC_SHA256].n > 0, "mac-sha256"},
                {a->mac.key[SEC_MAC_MD5].n > 0, "mac-md5"},
                {a->basic, "basic"},
                {a->basic_clear, "basic-clear"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].has)
            (void)json_array_append_new(list, json_string(rows[i].word));
    return list;
}

static void set_list(json_t *o, const char *key, const struct slice *v, size_t n)
{
    if (n)
        ppg_json_set(o, key, texts(v, n));
}

static void set_limits(json_t *o, const struct ppg_core *c, const struct sec_account *a)
{
    const struct ppg_limits *limits = ppg_config_limits(c->config);
    struct ppg_usage_figures f;

    if (!limits)
        return;
    ppg_usage_read(ppg_limits_of(limits, a), a, ppg_core_mono_ms(c), &f);
    ppg_json_set_n(o, "connections", f.connections);
    ppg_json_set_n(o, "requests_refused", f.requests_refused);
    ppg_json_set_n(o, "recipients_refused", f.recipients_refused);
    ppg_json_set_n(o, "connections_refused", f.connections_refused);
    ppg_json_set_n(o, "queue_refused", f.queue_refused);
}

static json_t *account_json(const struct ppg_core *c, const struct sec_account *a)
{
    json_t *o = json_object();

    ppg_json_set_text(o, "initiator", a->name);
    ppg_json_set(o, "proofs", proofs(a));
    ppg_json_set_text(o, "require", a->require == SEC_REQUIRE_ALL ? SLICE("all") : SLICE("any"));
    set_list(o, "certificates", a->certificates, a->certificates_n);
    set_list(o, "issuers", a->issuers, a->issuers_n);
    ppg_json_set_text(o, "psk_identity", a->psk_identity);
    ppg_json_set_text(o, "digest_user", a->digest_user);
    set_list(o, "networks", a->networks, a->networks_n);
    set_list(o, "initiator_uris", a->initiator_uris, a->initiator_uris_n);
    ppg_json_set(o, "trusted", json_boolean(a->trusted));
    ppg_json_set(o, "may_ask_protection", json_boolean(a->may_ask_protection));
    ppg_json_set(o, "anonymous", json_boolean(a->anonymous));
    set_limits(o, c, a);
    return o;
}

/* Enough for a row of a table. */
static json_t *account_row(const struct sec_account *a)
{
    json_t *o = json_object();

    ppg_json_set_text(o, "initiator", a->name);
    ppg_json_set(o, "certificate", json_boolean(a->certificates_n > 0));
    ppg_json_set(o, "psk", json_boolean(a->psk_identity.n > 0));
    ppg_json_set(o, "password", json_boolean(a->digest_user.n > 0));
    ppg_json_set_text(o, "require", a->require == SEC_REQUIRE_ALL ? SLICE("all") : SLICE("any"));
    ppg_json_set_n(o, "networks", a->networks_n);
    ppg_json_set_n(o, "initiator_uris", a->initiator_uris_n);
    ppg_json_set(o, "trusted", json_boolean(a->trusted));
    return o;
}

#define ROWS_MAX 10000u

static json_t *all_json(const struct sec_accounts *accounts, uint64_t from, uint64_t count)
{
    size_t n = sec_accounts_count(accounts);
    json_t *o = json_object(), *rows = json_array();
    uint64_t end = from < n ? from + count : from;

    for (uint64_t i = from; i < n && i < end; i++)
        (void)json_array_append_new(rows, account_row(sec_accounts_at(accounts, (size_t)i)));
    ppg_json_set(o, "initiators", rows);
    ppg_json_set_n(o, "all", n);
    return o;
}

void ppg_admin_initiator(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    struct ppg_core *c = a->conf.core;
    const struct sec_accounts *accounts = ppg_config_accounts(c->config);
    const struct sec_account *one;
    struct ppg_admin_ask ask;

    if (ppg_admin_ask_read(c, x, r, &ask))
        return;
    one = ask.initiator.n ? sec_accounts_find(accounts, ask.initiator) : NULL;
    if (one)
        ppg_admin_answer(x, 200, account_json(c, one));
    else if (ask.initiator.n)
        ppg_admin_refuse(x, 404, "no such initiator");
    else
        ppg_admin_answer(x, 200,
                         all_json(accounts, ask.from, ask.given & PPG_ASK_COUNT ? ask.count : ROWS_MAX));
    ppg_admin_ask_clear(&ask);
}

/* --- GET /initiator/test --- */

static void row(json_t *rows, const char *check, bool good, const char *why)
{
    json_t *o = json_object();

    ppg_json_set_text(o, "check", slice_str(check));
    ppg_json_set(o, "good", json_boolean(good));
    ppg_json_set_text(o, "why", slice_str(why));
    (void)json_array_append_new(rows, o);
}

/* "URI:https://..." to the account whose certificate says so. */
static const struct sec_account *by_san(const struct sec_accounts *accounts, struct slice san)
{
    struct slice kind, value;

    if (!slice_cut(san, ':', &kind, &value))
        return NULL;
    if (slice_eq(kind, SLICE("URI")))
        return sec_accounts_by_san(accounts, "URI:", &value, 1);
    if (slice_eq(kind, SLICE("DNS")))
        return sec_accounts_by_san(accounts, "DNS:", &value, 1);
    return slice_eq(kind, SLICE("EMAIL")) ? sec_accounts_by_san(accounts, "EMAIL:", &value, 1) : NULL;
}

static bool row_found(json_t *rows, const char *check, const struct sec_account *found,
                      const struct sec_account *one)
{
    row(rows, check, found == one,
        found == one ? "is this initiator's"
        : found      ? "is another initiator's"
                     : "is nobody's");
    return found == one;
}

/* Is what is shown enough, if it is proved? */
static bool row_enough(json_t *rows, const struct ppg_admin_ask *ask, const struct sec_account *one)
{
    bool cert = ask->san.n > 0, user = ask->user.n > 0;
    bool enough = one->require == SEC_REQUIRE_ANY
                      ? cert || user
                      : (cert || !one->certificates_n) && (user || !one->digest_user.n) && (cert || user);

    row(rows, "require", enough, enough ? "all that is needed is shown" : "more has to be shown");
    return enough;
}

static json_t *test_json(const struct sec_accounts *accounts, const struct ppg_admin_ask *ask,
                         const struct sec_account *one)
{
    json_t *o = json_object(), *rows = json_array();
    bool good = true, here;

    if (ask->san.n)
        good = row_found(rows, "certificate", by_san(accounts, ask->san), one) && good;
    if (ask->user.n)
        good = row_found(rows, "user", sec_accounts_by_user(accounts, ask->user), one) && good;
    if (ask->san.n || ask->user.n)
        good = row_enough(rows, ask, one) && good;
    if (ask->source.n) {
        here = sec_account_from_here(one, ask->source);
        row(rows, "network", here, here ? "it may come from there" : "it comes from elsewhere");
        good = good && here;
    }
    if (ask->uri.n) {
        here = sec_initiator_uri_allowed(one, ask->uri);
        row(rows, "initiator-uri", here, here ? "it may claim that" : "it may not claim that");
        good = good && here;
    }
    ppg_json_set_text(o, "initiator", one->name);
    ppg_json_set(o, "good", json_boolean(good));
    ppg_json_set(o, "checks", rows);
    return o;
}

/* NULL: well said.  What is no name or address at all must not look like one that is merely not this initiator's. */
static const char *wrong_with(const struct ppg_admin_ask *ask)
{
    struct sockaddr_storage at;
    struct slice san = ask->san;

    if (san.n && !slice_starts(san, SLICE("URI:")) && !slice_starts(san, SLICE("DNS:")) &&
        !slice_starts(san, SLICE("EMAIL:")))
        return "san is URI:..., DNS:... or EMAIL:...";
    return ask->source.n && net_addr_parse(ask->source, 0, &at) ? "source is an IP address" : NULL;
}

void ppg_admin_initiator_test(struct ppg_admin *a, struct net_http_exchange *x,
                              const struct ppg_admin_route *r)
{
    const struct sec_accounts *accounts = ppg_config_accounts(a->conf.core->config);
    const struct sec_account *one;
    struct ppg_admin_ask ask;
    const char *bad;

    if (ppg_admin_ask_read(a->conf.core, x, r, &ask))
        return;
    one = sec_accounts_find(accounts, ask.initiator);
    bad = wrong_with(&ask);
    if (!one)
        ppg_admin_refuse(x, 404, "no such initiator");
    else if (bad)
        ppg_admin_refuse(x, 400, bad);
    else if (!(ask.given & (PPG_ASK_SAN | PPG_ASK_USER | PPG_ASK_SOURCE | PPG_ASK_URI)))
        ppg_admin_refuse(x, 400, r->usage);
    else
        ppg_admin_answer(x, 200, test_json(accounts, &ask, one));
    ppg_admin_ask_clear(&ask);
}
