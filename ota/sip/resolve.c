/* Where a SIP URI leads; see resolve.h.  RFC 3263 §4.1, §4.2. */
#include "ota/sip/resolve.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/net/dns.h"

#define SERVICES_MAX 3
#define TARGETS_MAX  8

/* A service record to ask for. */
struct service {
    enum ota_sip_via via;
    char name[NET_RECORD_NAME_N];
};

/* A host whose addresses to ask for. */
struct target {
    enum ota_sip_via via;
    uint16_t port;
    char name[NET_RECORD_NAME_N];
};

struct ota_sip_search {
    const struct net_env *env;
    struct net_records *records;
    ota_sip_places_fn *done;
    void *arg;
    char host[OTA_SIP_HOST_MAX_N + 1];
    bool secure;
    enum ota_sip_transport transport;
    struct service services[SERVICES_MAX];
    size_t services_n, service_at;
    struct target targets[TARGETS_MAX];
    size_t targets_n, target_at;
    struct ota_sip_place places[OTA_SIP_PLACES_MAX];
    size_t places_n;
    struct net_records_query *asked; /* one of these two, while it is under way */
    struct net_dns_query *looked_up;
    void (*gone)(void *arg); /* cancelled */
    void *gone_arg;
    bool cancelled;
};

/* What each transport is called: for SRV (RFC 3263 §4.2) and NAPTR (§4.1).  The order is ours, where nobody else has one. */
static const struct {
    enum ota_sip_via via;
    const char *prefix, *service;
} names[] = {{OTA_SIP_TLS, "_sips._tcp.", "SIPS+D2T"},
             {OTA_SIP_UDP, "_sip._udp.", "SIP+D2U"},
             {OTA_SIP_TCP, "_sip._tcp.", "SIP+D2T"}};
#define NAMES (sizeof names / sizeof names[0])

static void next_service(struct ota_sip_search *s);
static void next_target(struct ota_sip_search *s);

/* --- ends --- */

static void finish(struct ota_sip_search *s)
{
    ota_sip_places_fn *done = s->done;
    struct ota_sip_search was = *s;

    free(s);
    done(was.places, was.places_n, was.arg);
}

static bool was_cancelled(struct ota_sip_search *s)
{
    if (!s->cancelled)
        return false;
    if (s->gone)
        s->gone(s->gone_arg);
    free(s);
    return true;
}

void ota_sip_search_cancel(struct ota_sip_search *s, void (*gone)(void *arg), void *arg)
{
    s->cancelled = true;
    s->gone = gone;
    s->gone_arg = arg;
    if (s->asked)
        net_records_cancel(s->asked);
    else if (s->looked_up)
        net_dns_cancel(s->looked_up);
}

/* --- which transport --- */

/* May this transport be used at all?  sips is for TLS; what the URI names is what is meant (§4.1). */
static bool fits(const struct ota_sip_search *s, enum ota_sip_via via)
{
    if (s->secure || s->transport == OTA_SIP_BY_TLS)
        return via == OTA_SIP_TLS;
    if (s->transport == OTA_SIP_BY_ANY)
        return via != OTA_SIP_TLS;
    return via == (s->transport == OTA_SIP_BY_TCP ? OTA_SIP_TCP : OTA_SIP_UDP);
}

static enum ota_sip_via plain_via(const struct ota_sip_search *s)
{
    if (s->secure || s->transport == OTA_SIP_BY_TLS)
        return OTA_SIP_TLS;
    return s->transport == OTA_SIP_BY_TCP ? OTA_SIP_TCP : OTA_SIP_UDP;
}

static void add_service(struct ota_sip_search *s, enum ota_sip_via via, const char *prefix, const char *name)
{
    struct service *to = &s->services[s->services_n];
    int n;

    if (s->services_n == SERVICES_MAX)
        return;
    to->via = via;
    n = snprintf(to->name, sizeof to->name, "%s%s", prefix, name);
    if (n > 0 && (size_t)n < sizeof to->name)
        s->services_n++;
}

static void add_target(struct ota_sip_search *s, enum ota_sip_via via, uint16_t port, const char *name)
{
    struct target *to = &s->targets[s->targets_n];

    if (s->targets_n == TARGETS_MAX)
        return;
    to->via = via;
    to->port = port;
    if (!mem_cstr(to->name, sizeof to->name, slice_str(name)))
        s->targets_n++;
}

/* --- addresses --- */

static void on_addresses(enum err why, const struct sockaddr_storage *to, size_t n, void *arg)
{
    struct ota_sip_search *s = arg;
    enum ota_sip_via via = s->targets[s->target_at].via;

    s->looked_up = NULL;
    if (was_cancelled(s))
        return;
    for (size_t i = 0; i < n && !why && s->places_n < OTA_SIP_PLACES_MAX; i++)
        s->places[s->places_n++] = (struct ota_sip_place){via, to[i]};
    s->target_at++;
    next_target(s);
}

static void next_target(struct ota_sip_search *s)
{
    for (; s->target_at < s->targets_n; s->target_at++) {
        const struct target *t = &s->targets[s->target_at];

        if (!net_dns_lookup(s->env, slice_str(t->name), t->port, on_addresses, s, &s->looked_up))
            return;
    }
    finish(s);
}

/* Addresses of the host itself, where nothing better is known (§4.2). */
static void plain_target(struct ota_sip_search *s)
{
    enum ota_sip_via via = plain_via(s);

    add_target(s, via, via == OTA_SIP_TLS ? 5061 : 5060, s->host);
}

/* --- service records --- */

static void on_services(enum err why, const struct net_record *records, size_t n, void *arg)
{
    struct ota_sip_search *s = arg;
    enum ota_sip_via via = s->services[s->service_at].via;

    s->asked = NULL;
    if (was_cancelled(s))
        return;
    for (size_t i = 0; i < n && !why; i++)
        add_target(s, via, records[i].port, records[i].name);
    s->service_at++;
    next_service(s);
}

static void next_service(struct ota_sip_search *s)
{
    for (; s->service_at < s->services_n; s->service_at++)
        if (!net_records_ask(s->records, NET_RECORD_SRV, slice_str(s->services[s->service_at].name),
                             on_services, s, &s->asked))
            return;
    if (s->targets_n == 0)
        plain_target(s);
    next_target(s);
}

/* Each transport that we have and may use, in our order, when the domain has none (§4.1). */
static void own_services(struct ota_sip_search *s)
{
    for (size_t i = 0; i < NAMES; i++)
        if (fits(s, names[i].via))
            add_service(s, names[i].via, names[i].prefix, s->host);
}

static void on_pointers(enum err why, const struct net_record *records, size_t n, void *arg)
{
    struct ota_sip_search *s = arg;

    s->asked = NULL;
    if (was_cancelled(s))
        return;
    for (size_t i = 0; i < n && !why; i++)
        for (size_t k = 0; k < NAMES; k++)
            if (slice_eq_ci(slice_str(records[i].service), slice_str(names[k].service)) &&
                fits(s, names[k].via))
                add_service(s, names[k].via, "", records[i].name);
    if (s->services_n == 0)
        own_services(s);
    next_service(s);
}

/* --- beginning --- */

static enum err begin(struct ota_sip_search *s, const struct ota_sip_uri *uri)
{
    struct sockaddr_storage number;

    if (!s->records || uri->port || !net_addr_parse(slice_str(s->host), 0, &number)) {
        struct ota_sip_uri meant = *uri;

        meant.secure = s->secure || meant.secure;
        add_target(s, plain_via(s), ota_sip_uri_port(&meant), s->host);
        return net_dns_lookup(s->env, slice_str(s->host), s->targets[0].port, on_addresses, s, &s->looked_up);
    }
    if (s->transport == OTA_SIP_BY_ANY)
        return net_records_ask(s->records, NET_RECORD_NAPTR, slice_str(s->host), on_pointers, s, &s->asked);
    own_services(s);
    if (s->services_n == 0)
        return ERR_LIMIT;
    return net_records_ask(s->records, NET_RECORD_SRV, slice_str(s->services[0].name), on_services, s,
                           &s->asked);
}

enum err ota_sip_search_start(const struct net_env *env, struct net_records *records,
                              const struct ota_sip_uri *uri, bool secure, ota_sip_places_fn *done, void *arg,
                              struct ota_sip_search **out)
{
    struct ota_sip_search *s = calloc(1, sizeof *s);
    enum err e;

    if (!s)
        return ERR_NOMEM;
    s->env = env;
    s->records = records;
    s->done = done;
    s->arg = arg;
    s->secure = secure || uri->secure;
    s->transport = uri->transport;
    e = mem_cstr(s->host, sizeof s->host, slice_str(uri->host));
    if (!e)
        e = begin(s, uri);
    if (e)
        free(s);
    else
        *out = s;
    return e;
}
