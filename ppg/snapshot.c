/* Configuration and TLS contexts as one value; see snapshot.h. */
#include "ppg/snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/mem.h"
#include "ppg/config/schema.h"
#include "ppg/keys/psk.h"
#include "security/credentials.h"

#define SYSTEM_CA   "/etc/ssl/certs/ca-certificates.crt" /* Debian's list of public authorities */
#define TICKETS_MAX 4096 /* terminals whose TLS sessions may be resumed; some 2 kB each */

/* The line of ppg.conf that names the file at fault. */
struct culprit {
    const char *why; /* "FILE: what" */
    const char *key; /* NULL: no file of the settings */
    uint32_t line;
};

static void suspect(const char *path, const char *key, uint32_t line, void *arg)
{
    struct culprit *c = arg;
    size_t n = strlen(path);

    if (c->key || strncmp(c->why, path, n) != 0 || c->why[n] != ':')
        return;
    c->key = key;
    c->line = line;
}

static void complain(struct ppg_config_errors *errs, const struct ppg_config *config, const char *section,
                     const char *why)
{
    struct culprit c = {.why = why};

    if (errs->n == PPG_CONFIG_ERRORS_MAX)
        return;
    ppg_schema_each_file(ppg_config_settings(config), suspect, &c);
    errs->name[errs->n].at = errs->name[errs->n].n = 0;
    if (c.key)
        (void)snprintf(errs->text[errs->n++], sizeof errs->text[0], "%s:%u: %s: %s", ppg_config_path(config),
                       (unsigned)c.line, c.key, why);
    else
        (void)snprintf(errs->text[errs->n++], sizeof errs->text[0], "%s: [%s] %s", ppg_config_path(config),
                       section, why);
}

/* FNV-1a of 64 bits: tells versions of an operator's own files apart, and nothing depends on it but what is told. */
static uint64_t hash_more(uint64_t h, struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
    return h;
}
#define HASH_NONE UINT64_C(14695981039346656037)

static uint64_t content_hash(const char *path)
{
    char piece[4096];
    uint64_t h = HASH_NONE;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t n;

    while (fd >= 0 && (n = read(fd, piece, sizeof piece)) > 0)
        h = hash_more(h, slice_of(piece, (size_t)n));
    if (fd >= 0)
        (void)close(fd);
    mem_wipe(piece, sizeof piece); /* it may have been a key */
    return h;
}

static void mark(const char *path, const char *key, uint32_t line, void *arg)
{
    struct ppg_snapshot *s = arg;

    (void)key;
    (void)line;
    if (s->files_n < PPG_SNAPSHOT_FILES_MAX)
        s->files[s->files_n++] =
            (struct ppg_file_mark){hash_more(HASH_NONE, slice_str(path)), content_hash(path)};
}

/* --- contexts --- */

/* One context and what it is made of. */
struct part {
    const char *section; /* of ppg.conf, for who reads of a mistake */
    struct net_tls_ctx **ctx;
    bool wanted;
    struct sec_credentials_conf conf;
};

/* By certificates, in the versions of the policy.  No protocol is agreed on: whoever comes to speak HTTP finds none. */
static struct sec_credentials_conf certs(const struct ppg_settings *set, enum net_tls_role role,
                                         enum net_tls_verify verify, const struct sec_credentials_pair *own,
                                         const char *ca)
{
    return (struct sec_credentials_conf){.role = role,
                                         .verify = verify,
                                         .pairs = own,
                                         .pairs_n = own->cert_file != NULL,
                                         .ca_file = ca,
                                         .version_min = set->policy.tls_min,
                                         .ciphers = set->policy.ciphers};
}

static struct sec_credentials_conf keys(struct ppg_config *config, enum ppg_psk_door door, const char *hint)
{
    const struct ppg_settings *set = ppg_config_settings(config);

    return (struct sec_credentials_conf){.role = NET_TLS_SERVER,
                                         .version_min = set->policy.tls_min,
                                         .ciphers = set->policy.ciphers,
                                         .psk = ppg_psk_source(config, door, hint)};
}

static struct sec_credentials_conf http(struct sec_credentials_conf conf)
{
    conf.alpn_http11 = true;
    return conf;
}

static struct sec_credentials_conf of_versions(struct sec_credentials_conf conf, unsigned min,
                                               unsigned ciphers)
{
    conf.version_min = min;
    conf.ciphers = ciphers;
    return conf;
}

/* own[0..cert_n) is filled. */
static struct sec_credentials_conf initiators(const struct ppg_settings *set,
                                              struct sec_credentials_pair own[PPG_FILES_MAX])
{
    for (size_t i = 0; i < set->pap.cert_n; i++)
        own[i] = (struct sec_credentials_pair){set->pap.cert[i], set->pap.key[i],
                                               set->pap.staple_n ? set->pap.staple[i] : NULL};
    return (struct sec_credentials_conf){.role = NET_TLS_SERVER,
                                         .verify = (enum net_tls_verify)set->pap.client_certificate,
                                         .pairs = own,
                                         .pairs_n = set->pap.cert_n,
                                         .ca_file = set->pap.ca,
                                         .crl_file = set->pap.crl,
                                         .crl_expired_ok = set->pap.crl_expired_ok,
                                         .ask_status = set->pap.ocsp != PPG_OCSP_OFF,
                                         .version_min = set->pap.tls_min,
                                         .ciphers = set->pap.ciphers};
}

/* Of terminals that we call. */
static struct sec_credentials_conf called(const struct ppg_settings *set,
                                          const struct sec_credentials_pair *own, bool datagrams)
{
    struct sec_credentials_conf conf =
        certs(set, NET_TLS_CLIENT, NET_TLS_VERIFY_REQUIRED, own, set->ota_http.ca);

    conf.staple_required = set->ota_http.staple_required;
    conf.tickets_max = TICKETS_MAX;
    conf.datagrams = datagrams;
    return conf;
}

/* Of initiators' servers.  Without a list of our own the system's is used, where there is one; without any, https
 * notifications fail and are logged. */
static struct sec_credentials_conf notified(const struct ppg_settings *set)
{
    static const struct sec_credentials_pair none = {NULL, NULL, NULL};
    struct sec_credentials_conf conf = certs(set, NET_TLS_CLIENT, NET_TLS_VERIFY_REQUIRED, &none,
                                             set->notify.ca ? set->notify.ca : SYSTEM_CA);

    conf.staple_required = set->notify.staple_required;
    return conf;
}

static enum err part_load(struct ppg_snapshot *s, const struct part *p, char why[SEC_CREDENTIALS_WHY_N])
{
    enum err e = p->wanted ? sec_credentials_load(&p->conf, &clk_real, p->ctx, why) : ERR_OK;

    if (*p->ctx && p->conf.psk.find)
        (void)ppg_config_hold(s->config); /* the context's: sessions may outlive this snapshot */
    return e;
}

/* Up to the first mistake.  Who calls may show a certificate: who must have one is each terminal's matter.  Whoever
 * connects for a session must show one of ours; the session knows whose.  Terminals prove themselves to ub above TLS. */
static enum err contexts_load(struct ppg_snapshot *s, struct ppg_config_errors *errs)
{
    const enum net_tls_role server = NET_TLS_SERVER, client = NET_TLS_CLIENT;
    const enum net_tls_verify none = NET_TLS_VERIFY_NONE, must = NET_TLS_VERIFY_REQUIRED;
    const struct ppg_settings *set = ppg_config_settings(s->config);
    const struct sec_credentials_pair ota = {set->ota_http.cert, set->ota_http.key, NULL};
    const struct sec_credentials_pair key_server = {set->key_server.cert, set->key_server.key, NULL};
    const char *ota_ca = set->ota_http.ca, *functions_ca = set->key_server.ca;
    const enum net_tls_verify may = ota_ca ? NET_TLS_VERIFY_OPTIONAL : none;
    const bool calls = set->ota_http.listen_tls_n || set->inbox.listen_tls_n || set->verify.listen_tls_n;
    const bool calls_psk = set->ota_http.listen_psk_n || set->inbox.listen_psk_n || set->verify.listen_psk_n;
    const bool ub = set->key_server.listen_ub_n || set->key_server.listen_entities_n;
    const bool naf = set->key_server.listen_naf_n || set->key_server.listen_peer_n;
    struct sec_credentials_pair pap[PPG_FILES_MAX];
    struct sec_credentials_conf psk = keys(s->config, PPG_PSK_INITIATORS, set->pap.psk_hint);
    const struct part parts[] = {
        {"pap", &s->pap, set->pap.listen_tls_n, http(initiators(set, pap))},
        {"pap", &s->psk, set->pap.listen_psk_n, http(of_versions(psk, set->pap.tls_min, set->pap.ciphers))},
        {"ota-http", &s->terminal, ota_ca, http(called(set, &ota, false))},
        {"ota-http", &s->datagram, ota_ca, called(set, &ota, true)},
        {"ota-http", &s->calls, calls, http(of_versions(certs(set, server, may, &ota, ota_ca), 12, 0))},
        {"ota-http", &s->calls_psk, calls_psk,
         http(of_versions(keys(s->config, PPG_PSK_TERMINALS, ""), 12, 0))},
        {"ota-http", &s->sip, set->ota_sip.listen_tls_n, certs(set, server, none, &ota, NULL)},
        {"ota-http", &s->msrp, set->ota_sip.listen_msrps_n, certs(set, server, must, &ota, ota_ca)},
        {"ota-sip", &s->msrp_psk, set->ota_sip.listen_msrps_psk_n, keys(s->config, PPG_PSK_SESSIONS, "")},
        {"key-server", &s->ub, ub, http(certs(set, server, none, &key_server, NULL))},
        {"key-server", &s->naf, naf, http(certs(set, server, must, &key_server, functions_ca))},
        {"key-server", &s->bsf, set->key_server.bsf_url,
         http(certs(set, client, must, &key_server, set->key_server.bsf_ca))},
        {"key-server", &s->peers, set->files.visits,
         http(certs(set, client, must, &key_server, functions_ca))},
        {"notify", &s->notify, set->notify.ca || access(SYSTEM_CA, F_OK) == 0, http(notified(set))},
    };
    char why[SEC_CREDENTIALS_WHY_N];
    enum err e = ERR_OK;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && !e; i++) {
        e = part_load(s, &parts[i], why);
        if (e)
            complain(errs, s->config, parts[i].section, why);
    }
    return e;
}

enum err ppg_snapshot_load(const char *path, struct ppg_snapshot **out, struct ppg_config_errors *errs)
{
    struct ppg_snapshot *s = calloc(1, sizeof *s);
    enum err e = s ? ppg_config_load(path, &s->config, errs) : ERR_NOMEM;

    if (s)
        atomic_init(&s->refs, 1);
    if (!e)
        e = contexts_load(s, errs);
    if (!e)
        ppg_schema_each_file(ppg_config_settings(s->config), mark, s);
    if (e)
        ppg_snapshot_drop(&s);
    else
        *out = s;
    return e;
}

struct ppg_snapshot *ppg_snapshot_hold(struct ppg_snapshot *s)
{
    atomic_fetch_add(&s->refs, 1);
    return s;
}

bool ppg_snapshot_alone(const struct ppg_snapshot *s)
{
    return atomic_load(&s->refs) == 1;
}

void ppg_snapshot_drop(struct ppg_snapshot **sp)
{
    struct ppg_snapshot *s = *sp;

    *sp = NULL;
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    net_tls_ctx_free(&s->pap);
    net_tls_ctx_free(&s->psk);
    net_tls_ctx_free(&s->terminal);
    net_tls_ctx_free(&s->calls);
    net_tls_ctx_free(&s->calls_psk);
    net_tls_ctx_free(&s->sip);
    net_tls_ctx_free(&s->msrp);
    net_tls_ctx_free(&s->msrp_psk);
    net_tls_ctx_free(&s->datagram);
    net_tls_ctx_free(&s->ub);
    net_tls_ctx_free(&s->naf);
    net_tls_ctx_free(&s->bsf);
    net_tls_ctx_free(&s->peers);
    net_tls_ctx_free(&s->notify);
    ppg_config_drop(&s->config);
    free(s);
}
