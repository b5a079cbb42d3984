/* Configuration and TLS contexts as one value; see snapshot.h. */
#include "ppg/snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/mem.h"
#include "ppg/config/schema.h"
#include "ppg/psk.h"
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
    int fd = open(path, O_RDONLY | O_CLOEXEC);
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

static enum err load_pap(const struct ppg_settings *set, struct ppg_snapshot *s,
                         char why[SEC_CREDENTIALS_WHY_N])
{
    struct sec_credentials_pair pairs[PPG_FILES_MAX];
    struct sec_credentials_conf conf = {
        .role = NET_TLS_SERVER,
        .verify = (enum net_tls_verify)set->pap.client_certificate,
        .pairs = pairs,
        .pairs_n = set->pap.cert_n,
        .ca_file = set->pap.ca,
        .crl_file = set->pap.crl,
        .crl_expired_ok = set->pap.crl_expired_ok,
        .ask_status = set->pap.ocsp != PPG_OCSP_OFF,
        .version_min = set->pap.tls_min,
        .ciphers = set->pap.ciphers,
        .alpn_http11 = true,
    };

    for (size_t i = 0; i < set->pap.cert_n; i++)
        pairs[i] = (struct sec_credentials_pair){set->pap.cert[i], set->pap.key[i],
                                                 set->pap.staple_n ? set->pap.staple[i] : NULL};
    return set->pap.listen_tls_n ? sec_credentials_load(&conf, &clk_real, &s->pap, why) : ERR_OK;
}

static enum err load_psk(const struct ppg_settings *set, struct ppg_snapshot *s,
                         char why[SEC_CREDENTIALS_WHY_N])
{
    struct sec_credentials_conf conf = {
        .role = NET_TLS_SERVER,
        .version_min = set->pap.tls_min,
        .ciphers = set->pap.ciphers,
        .alpn_http11 = true,
        .psk = ppg_psk_source(s->config, PPG_PSK_INITIATORS, set->pap.psk_hint),
    };
    enum err e = set->pap.listen_psk_n ? sec_credentials_load(&conf, &clk_real, &s->psk, why) : ERR_OK;

    if (s->psk)
        (void)ppg_config_hold(s->config); /* the context's: sessions may outlive this snapshot */
    return e;
}

static enum err load_terminal(const struct ppg_settings *set, struct ppg_snapshot *s,
                              char why[SEC_CREDENTIALS_WHY_N])
{
    struct sec_credentials_pair own = {.cert_file = set->ota_http.cert, .key_file = set->ota_http.key};
    struct sec_credentials_conf conf = {
        .role = NET_TLS_CLIENT,
        .verify = NET_TLS_VERIFY_REQUIRED,
        .pairs = &own,
        .pairs_n = set->ota_http.cert ? 1 : 0,
        .ca_file = set->ota_http.ca,
        .staple_required = set->ota_http.staple_required,
        .version_min = set->policy.tls_min,
        .ciphers = set->policy.ciphers,
        .alpn_http11 = true,
        .tickets_max = TICKETS_MAX,
    };
    enum err e = set->ota_http.ca ? sec_credentials_load(&conf, &clk_real, &s->terminal, why) : ERR_OK;

    if (e || !set->ota_http.ca)
        return e;
    conf.alpn_http11 = false;
    conf.datagrams = true;
    return sec_credentials_load(&conf, &clk_real, &s->datagram, why);
}

/* A certificate is asked for and not demanded: who must have one is each terminal's matter. */
static enum err load_calls(const struct ppg_settings *set, struct ppg_snapshot *s,
                           char why[SEC_CREDENTIALS_WHY_N])
{
    struct sec_credentials_pair own = {.cert_file = set->ota_http.cert, .key_file = set->ota_http.key};
    struct sec_credentials_conf conf = {
        .role = NET_TLS_SERVER,
        .verify = set->ota_http.ca ? NET_TLS_VERIFY_OPTIONAL : NET_TLS_VERIFY_NONE,
        .pairs = &own,
        .pairs_n = 1,
        .ca_file = set->ota_http.ca,
        .version_min = 12,
        .alpn_http11 = true,
    };

    return set->ota_http.listen_tls_n || set->inbox.listen_tls_n || set->verify.listen_tls_n
               ? sec_credentials_load(&conf, &clk_real, &s->calls, why)
               : ERR_OK;
}

/* No protocol is agreed on: whoever comes to speak HTTP finds none. */
static enum err load_sip(const struct ppg_settings *set, struct ppg_snapshot *s,
                         char why[SEC_CREDENTIALS_WHY_N])
{
    struct sec_credentials_pair own = {.cert_file = set->ota_http.cert, .key_file = set->ota_http.key};
    struct sec_credentials_conf conf = {
        .role = NET_TLS_SERVER,
        .verify = NET_TLS_VERIFY_NONE,
        .pairs = &own,
        .pairs_n = 1,
        .version_min = set->policy.tls_min,
        .ciphers = set->policy.ciphers,
    };

    return set->ota_sip.listen_tls_n ? sec_credentials_load(&conf, &clk_real, &s->sip, why) : ERR_OK;
}

/* Whoever has a certificate of ours gets as far as to say which session it is for; that knows whose it must be. */
static enum err load_msrp(const struct ppg_settings *set, struct ppg_snapshot *s,
                          char why[SEC_CREDENTIALS_WHY_N])
{
    struct sec_credentials_pair own = {.cert_file = set->ota_http.cert, .key_file = set->ota_http.key};
    struct sec_credentials_conf conf = {
        .role = NET_TLS_SERVER,
        .verify = NET_TLS_VERIFY_REQUIRED,
        .pairs = &own,
        .pairs_n = 1,
        .ca_file = set->ota_http.ca,
        .version_min = set->policy.tls_min,
        .ciphers = set->policy.ciphers,
    };

    return set->ota_sip.listen_msrps_n ? sec_credentials_load(&conf, &clk_real, &s->msrp, why) : ERR_OK;
}

static enum err load_msrp_psk(const struct ppg_settings *set, struct ppg_snapshot *s,
                              char why[SEC_CREDENTIALS_WHY_N])
{
    struct sec_credentials_conf conf = {
        .role = NET_TLS_SERVER,
        .version_min = set->policy.tls_min,
        .ciphers = set->policy.ciphers,
        .psk = ppg_psk_source(s->config, PPG_PSK_SESSIONS, ""),
    };
    enum err e =
        set->ota_sip.listen_msrps_psk_n ? sec_credentials_load(&conf, &clk_real, &s->msrp_psk, why) : ERR_OK;

    if (s->msrp_psk)
        (void)ppg_config_hold(s->config); /* the context's, as above */
    return e;
}

/* The terminal proves itself above TLS. */
static enum err load_ub(const struct ppg_settings *set, struct ppg_snapshot *s,
                        char why[SEC_CREDENTIALS_WHY_N])
{
    struct sec_credentials_pair own = {.cert_file = set->key_server.cert, .key_file = set->key_server.key};
    struct sec_credentials_conf conf = {
        .role = NET_TLS_SERVER,
        .verify = NET_TLS_VERIFY_NONE,
        .pairs = &own,
        .pairs_n = 1,
        .version_min = set->policy.tls_min,
        .ciphers = set->policy.ciphers,
        .alpn_http11 = true,
    };

    return set->key_server.listen_ub_n + set->key_server.listen_entities_n
               ? sec_credentials_load(&conf, &clk_real, &s->ub, why)
               : ERR_OK;
}

static enum err load_calls_psk(const struct ppg_settings *set, struct ppg_snapshot *s,
                               char why[SEC_CREDENTIALS_WHY_N])
{
    struct sec_credentials_conf conf = {
        .role = NET_TLS_SERVER,
        .version_min = 12,
        .alpn_http11 = true,
        .psk = ppg_psk_source(s->config, PPG_PSK_TERMINALS, ""),
    };
    enum err e = set->ota_http.listen_psk_n || set->inbox.listen_psk_n || set->verify.listen_psk_n
                     ? sec_credentials_load(&conf, &clk_real, &s->calls_psk, why)
                     : ERR_OK;

    if (s->calls_psk)
        (void)ppg_config_hold(s->config); /* the context's, as above */
    return e;
}

static enum err load_naf(const struct ppg_settings *set, struct ppg_snapshot *s,
                         char why[SEC_CREDENTIALS_WHY_N])
{
    struct sec_credentials_pair own = {.cert_file = set->key_server.cert, .key_file = set->key_server.key};
    struct sec_credentials_conf conf = {
        .role = NET_TLS_SERVER,
        .verify = NET_TLS_VERIFY_REQUIRED,
        .pairs = &own,
        .pairs_n = 1,
        .ca_file = set->key_server.ca,
        .version_min = set->policy.tls_min,
        .ciphers = set->policy.ciphers,
        .alpn_http11 = true,
    };

    return set->key_server.listen_naf_n + set->key_server.listen_peer_n
               ? sec_credentials_load(&conf, &clk_real, &s->naf, why)
               : ERR_OK;
}

static enum err load_bsf(const struct ppg_settings *set, struct ppg_snapshot *s,
                         char why[SEC_CREDENTIALS_WHY_N])
{
    struct sec_credentials_pair own = {.cert_file = set->key_server.cert, .key_file = set->key_server.key};
    struct sec_credentials_conf conf = {
        .role = NET_TLS_CLIENT,
        .verify = NET_TLS_VERIFY_REQUIRED,
        .pairs = &own,
        .pairs_n = 1,
        .ca_file = set->key_server.bsf_ca,
        .version_min = set->policy.tls_min,
        .ciphers = set->policy.ciphers,
        .alpn_http11 = true,
    };

    return set->key_server.bsf_url ? sec_credentials_load(&conf, &clk_real, &s->bsf, why) : ERR_OK;
}

/* Of those too we are a client with a certificate. */
static enum err load_peers(const struct ppg_settings *set, struct ppg_snapshot *s,
                           char why[SEC_CREDENTIALS_WHY_N])
{
    struct sec_credentials_pair own = {.cert_file = set->key_server.cert, .key_file = set->key_server.key};
    struct sec_credentials_conf conf = {
        .role = NET_TLS_CLIENT,
        .verify = NET_TLS_VERIFY_REQUIRED,
        .pairs = &own,
        .pairs_n = 1,
        .ca_file = set->key_server.ca,
        .version_min = set->policy.tls_min,
        .ciphers = set->policy.ciphers,
        .alpn_http11 = true,
    };

    return set->files.visits ? sec_credentials_load(&conf, &clk_real, &s->peers, why) : ERR_OK;
}

/* Without a list of our own the system's is used, where there is one; without any, https notifications fail and
 * are logged. */
static enum err load_notify(const struct ppg_settings *set, struct ppg_snapshot *s,
                            char why[SEC_CREDENTIALS_WHY_N])
{
    struct sec_credentials_conf conf = {
        .role = NET_TLS_CLIENT,
        .verify = NET_TLS_VERIFY_REQUIRED,
        .ca_file = set->notify.ca ? set->notify.ca : SYSTEM_CA,
        .staple_required = set->notify.staple_required,
        .version_min = set->policy.tls_min,
        .ciphers = set->policy.ciphers,
        .alpn_http11 = true,
    };
    enum err e = sec_credentials_load(&conf, &clk_real, &s->notify, why);

    return e == ERR_ABSENT && !set->notify.ca ? ERR_OK : e;
}

static const struct {
    const char *section;
    enum err (*load)(const struct ppg_settings *set, struct ppg_snapshot *s, char why[SEC_CREDENTIALS_WHY_N]);
} parts[] = {{"pap", load_pap},
             {"pap", load_psk},
             {"ota-http", load_terminal},
             {"ota-http", load_calls},
             {"ota-http", load_calls_psk},
             {"ota-http", load_sip},
             {"ota-http", load_msrp},
             {"ota-sip", load_msrp_psk},
             {"key-server", load_ub},
             {"key-server", load_naf},
             {"key-server", load_bsf},
             {"key-server", load_peers},
             {"notify", load_notify}};

enum err ppg_snapshot_load(const char *path, struct ppg_snapshot **out, struct ppg_config_errors *errs)
{
    struct ppg_snapshot *s = calloc(1, sizeof *s);
    enum err first = s ? ppg_config_load(path, &s->config, errs) : ERR_NOMEM;
    char why[SEC_CREDENTIALS_WHY_N];

    if (s)
        atomic_init(&s->refs, 1);
    for (size_t i = 0; !first && i < sizeof parts / sizeof parts[0]; i++) {
        first = parts[i].load(ppg_config_settings(s->config), s, why);
        if (first)
            complain(errs, s->config, parts[i].section, why);
    }
    if (!first)
        ppg_schema_each_file(ppg_config_settings(s->config), mark, s);
    if (first)
        ppg_snapshot_drop(&s);
    else
        *out = s;
    return first;
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
