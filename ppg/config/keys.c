/* The table of ppg.conf; see keys.h.  Every ceiling of the gateway is a row here, with its unit and its reason.
 * Any thread. */
#include "ppg/config/keys.h"

#include <stddef.h>
#include <sys/un.h>
#include "base/net/dns.h"
#include "base/net/tls.h"
#include "base/net/uri.h"
#include "base/scan.h"
#include "ota/registry.h"
#include "ota/sip/uri.h"
#include "security/aka.h"
#include "security/gba/bootstrap.h"
#include "security/terminal/visits.h"
#include "security/gba/gba.h"
#include "security/gpl.h"
#include "security/terminal/verify.h"

#define DAY_MS INT64_C(86400000)
#define MIB    (1 << 20)

static const struct ppg_word client_certificate_words[] = {{"none", NET_TLS_VERIFY_NONE},
                                                           {"optional", NET_TLS_VERIFY_OPTIONAL},
                                                           {"required", NET_TLS_VERIFY_REQUIRED},
                                                           {NULL, 0}};
static const struct ppg_word tls_words[] = {{"1.2", 12}, {"1.3", 13}, {NULL, 0}};
const struct ppg_word ppg_cipher_words[] = {{"aes-128-gcm", NET_TLS_AES_128_GCM},
                                            {"aes-256-gcm", NET_TLS_AES_256_GCM},
                                            {"chacha20-poly1305", NET_TLS_CHACHA20_POLY1305},
                                            {NULL, 0}};
#define SUITE_WORD(octet, name, text) {text, 1 << (octet)},
const struct ppg_word ppg_suite_words[] = {SEC_GPL_SUITE_LIST(SUITE_WORD){NULL, 0}};
static const struct ppg_word crl_words[] = {{"refuse", false}, {"accept", true}, {NULL, 0}};
static const struct ppg_word ocsp_words[] = {{"off", PPG_OCSP_OFF},
                                             {"fail-closed", PPG_OCSP_FAIL_CLOSED},
                                             {"fail-open", PPG_OCSP_FAIL_OPEN},
                                             {NULL, 0}};
static const struct ppg_word staple_words[] = {{"if-sent", false}, {"required", true}, {NULL, 0}};
static const struct ppg_word capabilities_words[] = {{"lenient", PPG_CAPABILITIES_LENIENT},
                                                     {"strict", PPG_CAPABILITIES_STRICT},
                                                     {"ignore", PPG_CAPABILITIES_IGNORE},
                                                     {NULL, 0}};
static const struct ppg_word sip_digest_words[] = {
    {"sha-256", PPG_SIP_SHA256}, {"both", PPG_SIP_BOTH}, {"md5", PPG_SIP_MD5}, {NULL, 0}};
static const struct ppg_word sip_form_words[] = {
    {"auto", OTA_FORM_AUTO}, {"oma-push", OTA_FORM_ENVELOPE}, {"direct", OTA_FORM_DIRECT}, {NULL, 0}};
static const struct ppg_word status_words[] = {{"200", 200}, {"202", 202}, {NULL, 0}};
static const struct ppg_word level_words[] = {
    {"none", SEC_LEVEL_NONE}, {"integrity", SEC_LEVEL_INTEGRITY}, {"full", SEC_LEVEL_FULL}, {NULL, 0}};
static const struct ppg_word message_words[] = {
    {"auto", SEC_MESSAGE_AUTO}, {"always", SEC_MESSAGE_ALWAYS}, {NULL, 0}};
static const struct ppg_word confirmation_words[] = {
    {"delivery", PPG_CONFIRM_DELIVERY}, {"uplink", PPG_CONFIRM_UPLINK}, {NULL, 0}};
static const struct ppg_word log_words[] = {
    {"error", LOG_ERROR}, {"warn", LOG_WARN}, {"info", LOG_INFO}, {"debug", LOG_DEBUG}, {NULL, 0}};
static const struct ppg_word format_words[] = {{"text", LOG_TEXT}, {"json", LOG_JSON}, {NULL, 0}};
static const struct ppg_word addresses_words[] = {
    {"hashed", LOG_HASHED}, {"last-four", LOG_LAST_FOUR}, {"full", LOG_WHOLE}, {NULL, 0}};
static const struct ppg_word engine_words[] = {{"sqlite", 0}, {NULL, 0}};

static const char *check_uri(struct slice text)
{
    struct net_uri uri;

    return text.n && net_uri_parse(text, &uri) ? "not an http or https URI" : NULL;
}

static const char *check_inbox(struct slice text)
{
    struct net_uri uri;

    if (!text.n)
        return NULL;
    return net_uri_parse(text, &uri) || !uri.https || !slice_eq(uri.target, SLICE("/")) ||
                   slice_ends(text, SLICE("/"))
               ? "not https://HOST:PORT"
               : NULL;
}

static const char *check_http(struct slice text)
{
    return text.n && !slice_starts_ci(text, SLICE("http://")) ? "not an http URI" : check_uri(text);
}

static const char *check_path(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || text.p[i] > '~' || strchr("?#%", text.p[i]))
            return "not a plain path";
    return slice_starts(text, SLICE("/")) ? NULL : "does not start with /";
}

/* The realm stands in a quoted string of challenges (RFC 7616 §3.3). */
static const char *check_realm(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < ' ' || text.p[i] > '~' || text.p[i] == '"' || text.p[i] == '\\')
            return "neither quotes nor backslashes nor other than ASCII";
    return NULL;
}

static const char *check_socket(struct slice text)
{
    return text.n < sizeof((struct sockaddr_un *)NULL)->sun_path ? NULL
                                                                 : "longer than a socket's name may be";
}

static const char *check_fqdn(struct slice text)
{
    return sec_gba_is_fqdn(text) ? NULL : "not a domain name in lower case";
}

static const char *check_fqdn_or_none(struct slice text)
{
    return text.n ? check_fqdn(text) : NULL;
}

/* What From and the challenges' user are about: somebody at somewhere. */
static const char *check_identity(struct slice text)
{
    struct ota_sip_uri uri;

    return ota_sip_uri_parse(text, &uri) || !uri.has_user || strlen(uri.record) != text.n
               ? "not a SIP URI of user and host alone"
               : NULL;
}

/* A strict router would take the Request-URI away (RFC 3261 §16.12). */
static const char *check_proxy(struct slice text)
{
    struct ota_sip_uri uri;

    if (text.n == 0)
        return NULL;
    if (ota_sip_uri_parse(text, &uri))
        return "not a SIP URI over udp, tcp or tls";
    return uri.loose ? NULL : "without ;lr";
}

static const char *check_token(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!scan_is_token_ch((unsigned char)text.p[i]))
            return "not a token";
    return NULL;
}

static const char *check_host(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!scan_is_token_ch((unsigned char)text.p[i]) && text.p[i] != ':')
            return "not a host name or address";
    return NULL;
}

static const char *check_domains(struct slice text)
{
    struct slice item;

    while (slice_item(&text, &item))
        if (item.n == 0 || check_host(item))
            return "not host names or addresses, comma separated";
    return NULL;
}

/* "192.0.2.53, 192.0.2.54:53", as c-ares reads it. */
static const char *check_dns(struct slice text)
{
    struct sockaddr_storage at;
    struct ppg_listen listen;
    struct slice item;

    while (slice_item(&text, &item))
        if (net_addr_parse(item, 0, &at) && ppg_value_listen(item, &listen))
            return "not addresses, with or without a port";
    return NULL;
}

static const char *check_urn(struct slice text)
{
    if (text.n && !slice_starts_ci(text, SLICE("urn:")))
        return "not a URN";
    return slice_printable_n(text) == text.n && slice_find(text, ' ') == SIZE_MAX ? NULL : "not a URN";
}

static const char *check_bsf(struct slice text)
{
    struct net_uri uri;

    return net_uri_parse(text, &uri) || !uri.https ? "not an https URI" : NULL;
}

#define FIELD(kind, in, key, field)                                                                          \
    .name = (key), .section = (in), .type = PPG_KEY_##kind, .at = offsetof(struct ppg_settings, field),      \
    .width = sizeof((struct ppg_settings *)NULL)->field
#define NUMBER(kind, in, key, field, lo, hi, is, text)                                                       \
    {                                                                                                        \
        FIELD(kind, in, key, field), .min = (lo), .max = (hi), .preset = (is), .help = (text)                \
    }
#define YES_NO(in, key, field, is, text)                                                                     \
    {                                                                                                        \
        FIELD(BOOL, in, key, field), .preset = (is), .help = (text)                                          \
    }
#define CHOICE(kind, in, key, field, of, is, text)                                                           \
    {                                                                                                        \
        FIELD(kind, in, key, field), .words = (of), .preset = (is), .help = (text)                           \
    }
#define TEXT(in, key, field, lo, hi, good, is, text)                                                         \
    {                                                                                                        \
        FIELD(TEXT, in, key, field), .min = (lo), .max = (hi), .check = (good), .preset = (is),              \
                                     .help = (text)                                                          \
    }
/* must: 1 when it may not be empty. */
#define A_FILE(kind, in, key, field, must, good, is, like, text)                                             \
    {                                                                                                        \
        FIELD(kind, in, key, field), .min = (must), .check = (good), .preset = (is), .sample = (like),       \
                                     .help = (text)                                                          \
    }
/* lo, hi: range of each item, where items are numbers. */
#define LIST(kind, in, key, field, count, most, lo, hi, is, like, text)                                      \
    {                                                                                                        \
        FIELD(kind, in, key, field), .count_at = offsetof(struct ppg_settings, count), .max = (most),        \
                                     .each_min = (lo), .each_max = (hi), .preset = (is), .sample = (like),   \
                                     .help = (text)                                                          \
    }

const struct ppg_config_key ppg_config_keys[] = {
    TEXT("gateway", "name", gateway.name, 1, 1000, check_uri, "https://ppg.example.net/pap",
         "URI of this gateway; initiators see it as the sender of answers and notifications."),
    TEXT("gateway", "sender-name", gateway.sender_name, 0, 100, NULL, "push proxy gateway",
         "The same for people."),
    NUMBER(COUNT, "gateway", "loops", gateway.loops, 0, 64, "0",
           "Event loops, each with a thread; 0 means one for each core."),
    A_FILE(PATH, "gateway", "port-file", gateway.port_file, 0, NULL, NULL, "/run/ppg/ports",
           "Where to write the real ports once listening; of use when a port is 0."),
    YES_NO("gateway", "core-dumps", gateway.core_dumps, "no",
           "Leave a core file when it crashes.  Such a file holds what is being pushed, and keys in use; "
           "without it "
           "nobody but root can look into the process either."),

    A_FILE(PATH, "files", "initiators", files.initiators, 1, NULL, "initiators.conf", NULL,
           "Who may push, and how each proves it."),
    A_FILE(PATH, "files", "whitelist", files.whitelist, 1, NULL, "whitelist.conf", NULL,
           "Who may push what to whom; no rule means no."),
    A_FILE(PATH, "files", "groups", files.groups, 0, NULL, NULL, "groups.conf",
           "Names that stand for many terminals."),
    A_FILE(PATH, "files", "terminals", files.terminals, 1, NULL, "terminals.conf", NULL,
           "How terminals are reached."),
    A_FILE(PATH, "files", "subscribers", files.subscribers, 0, NULL, NULL, "subscribers.conf",
           "Keys of identity modules, for the embedded key server; its owner's alone (mode 0600)."),
    A_FILE(PATH, "files", "users", files.users, 0, NULL, NULL, "users.conf",
           "People who may be assigned keys for their entities."),
    A_FILE(PATH, "files", "nafs", files.nafs, 0, NULL, NULL, "nafs.conf",
           "Other services that may ask the embedded key server, and for what."),
    A_FILE(
        PATH, "files", "visits", files.visits, 0, NULL, NULL, "visits.conf",
        "Functions of other networks that our terminals may visit, and whose terminals may visit us; needs "
        "cert, key and ca of [key-server]."),
    A_FILE(FILE, "files", "algorithms", files.algorithms, 0, NULL, NULL, "algorithms.conf",
           "A policy that raises the least of tls-min, ciphers, digest-md5 and the suites of [protection], "
           "for TLS on "
           "all sides; it must be signed, in algorithms.conf.sig."),
    A_FILE(FILE, "files", "algorithms-key", files.algorithms_key, 0, NULL, NULL, "algorithms-key.pem",
           "The public key of who signs it."),
    A_FILE(PATH, "files", "algorithms-serial", files.algorithms_serial, 1, NULL,
           "/var/lib/ppg/algorithms.serial", NULL,
           "Where the serial of the last policy in force is kept: an older one is refused, however well "
           "signed."),

    A_FILE(PATH, "keyring", "path", keyring.path, 0, NULL, NULL, "/var/lib/ppg/keyring",
           "Where keys and passwords are kept, each sealed under the master key; made by the first ppgctl "
           "key add."),
    A_FILE(MASTER, "keyring", "master", keyring.master, 0, NULL, NULL, "master.key",
           "The master key: a file of 64 hexadecimal digits that is its owner's alone (openssl rand -hex "
           "32), or "
           "credential:NAME, which the service manager hands over.  Keep a copy where the keyring is not."),
    A_FILE(MASTER, "keyring", "master-previous", keyring.master_previous, 0, NULL, NULL, "master.old",
           "The one before, while a new master key is taken into use: the next start or reload seals the "
           "keyring anew, "
           "and then this goes away."),

    LIST(LISTENS, "pap", "listen", pap.listen, pap.listen_n, PPG_LISTEN_MAX, 0, 0, "127.0.0.1:8080", NULL,
         "Where initiators submit without TLS; leave it empty or on loopback unless the network is yours."),
    LIST(LISTENS, "pap", "listen-tls", pap.listen_tls, pap.listen_tls_n, PPG_LISTEN_MAX, 0, 0, NULL,
         "0.0.0.0:8443, [::]:8443", "Where initiators submit over TLS; needs cert and key."),
    LIST(LISTENS, "pap", "listen-psk", pap.listen_psk, pap.listen_psk_n, PPG_LISTEN_MAX, 0, 0, NULL,
         "0.0.0.0:8444", "Where initiators submit over TLS with shared keys instead of certificates."),
    TEXT("pap", "psk-hint", pap.psk_hint, 0, 128, check_realm, "",
         "What clients of TLS 1.2 are told there to find their key by; unless set, 3GPP-bootstrapping when "
         "there are "
         "subscribers, else nothing."),
    TEXT("pap", "path", pap.path, 1, 200, check_path, "/pap", "Path of the submission URI."),
    LIST(FILES, "pap", "cert", pap.cert, pap.cert_n, PPG_FILES_MAX, 0, 0, NULL, "tls/cert.pem",
         "Certificate chains, leaf first; with several the name that the initiator asks for decides."),
    LIST(PRIVATES, "pap", "key", pap.key, pap.key_n, PPG_FILES_MAX, 0, 0, NULL, "tls/key.pem",
         "Their private keys, in the same order."),
    LIST(FILES, "pap", "staple", pap.staple, pap.staple_n, PPG_FILES_MAX, 0, 0, NULL, "tls/cert.ocsp",
         "OCSP responses about them (DER), in the same order, shown to who asks; renew them and reload."),
    A_FILE(FILE, "pap", "ca", pap.ca, 0, NULL, NULL, "tls/initiators-ca.pem",
           "Who signs the certificates of initiators."),
    A_FILE(FILE, "pap", "crl", pap.crl, 0, NULL, NULL, "tls/initiators.crl",
           "Certificates of theirs that are revoked."),
    CHOICE(WORD, "pap", "crl-expired", pap.crl_expired_ok, crl_words, "refuse",
           "When that list is past its next update: refuse every certificate, or go by the old list."),
    CHOICE(WORD, "pap", "ocsp", pap.ocsp, ocsp_words, "off",
           "Ask the responder of an initiator's certificate whether it is revoked; without an answer the "
           "certificate is refused (fail-closed) or taken (fail-open)."),
    TEXT("pap", "ocsp-responder", pap.ocsp_responder, 0, 1000, check_http, "",
         "Ask this one instead of the one that the certificate names."),
    NUMBER(TIME, "pap", "ocsp-timeout", pap.ocsp_timeout_ms, 100, 30000, "3s",
           "How long a handshake waits for the answer."),
    NUMBER(TIME, "pap", "expiry-warning", pap.expiry_warning_ms, 0, 90 * DAY_MS, "7d",
           "How long before its end a certificate of ours, a revocation list or a staple is warned of."),
    CHOICE(WORD, "pap", "client-certificate", pap.client_certificate, client_certificate_words, "optional",
           "Whether an initiator on TLS must show a certificate; one that is shown must verify."),
    CHOICE(WORD, "pap", "tls-min", pap.tls_min, tls_words, "1.2", "The oldest TLS version taken."),
    CHOICE(WORDS, "pap", "ciphers", pap.ciphers, ppg_cipher_words,
           "aes-128-gcm, aes-256-gcm, chacha20-poly1305", "What TLS may encrypt with."),
    YES_NO("pap", "strict", pap.strict, "no",
           "Refuse PAP documents that bend the rules in ways seen in the field."),
    CHOICE(WORD, "pap", "capabilities", pap.capabilities, capabilities_words, "lenient",
           "When a submission says what it assumes of its terminals and nothing is known to compare it with: "
           "take it "
           "(lenient) or refuse it (strict).  ignore: never look at it."),
    CHOICE(WORD, "pap", "success-status", pap.success_status, status_words, "202",
           "HTTP status that goes with a PAP answer."),
    YES_NO("pap", "clear-basic", pap.clear_basic, "no",
           "Take Basic passwords on listeners without TLS; anybody on the way can read them."),
    TEXT("pap", "realm", pap.realm, 1, 100, check_realm, "ppg",
         "Realm of passwords; a stored HA1 is good for one realm only."),
    YES_NO("pap", "digest-md5", pap.digest_md5, "no",
           "Offer Digest with MD5 beside SHA-256, for initiators that know nothing newer."),
    YES_NO("pap", "mac-hex", pap.mac_hex, "no",
           "Take an x-syncml-hmac that is base64 of hexadecimal digits too, as some senders make it."),
    NUMBER(TIME, "pap", "nonce-lifetime", pap.nonce_life_ms, 100, 3600000, "5min",
           "How long a Digest challenge is good."),
    NUMBER(SIZE, "pap", "body-max", pap.body_max_n, 1024, 64 * MIB, "1M",
           "The longest request body: PAP document and content together."),
    NUMBER(SIZE, "pap", "control-max", pap.control_max_n, 1024, 16 * MIB, "64k",
           "The longest PAP document; a recipient takes 60 to 100 octets of it."),
    NUMBER(COUNT, "pap", "recipients-max", pap.recipients_max, 1, 100000, "1000",
           "Addresses of one push; they must fit into control-max too."),
    NUMBER(TIME, "pap", "default-lifetime", pap.default_lifetime_ms, 1000, 365 * DAY_MS, "24h",
           "How long a push without a deadline of its own is tried, from the moment it may first be."),
    NUMBER(TIME, "pap", "max-lifetime", pap.max_lifetime_ms, 1000, 365 * DAY_MS, "30d",
           "The longest that any push is tried, whatever its initiator asks."),
    NUMBER(COUNT, "pap", "connections-max", pap.connections_max, 1, 1000000, "10000",
           "Connections of all initiators together."),
    NUMBER(COUNT, "pap", "connections-per-address", pap.connections_per_address_max, 1, 1000000, "1000",
           "Connections from one address."),
    NUMBER(TIME, "pap", "head-timeout", pap.head_ms, 100, 600000, "10s",
           "From the first octet of a request to the end of its headers."),
    NUMBER(TIME, "pap", "idle-timeout", pap.idle_ms, 100, 3600000, "1min",
           "How long a kept connection waits for its next request."),
    NUMBER(SIZE, "pap", "body-rate", pap.body_rate, 0, MIB, "1k",
           "Octets a second that a request body must make on average; 0 takes any."),
    NUMBER(TIME, "pap", "handshake-timeout", pap.handshake_ms, 100, 60000, "10s",
           "From the start of a connection to the end of its TLS handshake."),
    TEXT("pap", "aliases", pap.aliases, 0, 1000, NULL, "",
         "Names of this gateway in client addresses (the part behind @), comma separated; empty takes any."),

    NUMBER(TIME, "ota-http", "connect-timeout", ota_http.connect_ms, 10, 300000, "10s",
           "To reach a terminal: name, TCP and TLS together."),
    NUMBER(TIME, "ota-http", "response-timeout", ota_http.response_ms, 10, 600000, "30s",
           "To hear the terminal's answer to one request."),
    NUMBER(TIME, "ota-http", "idle-timeout", ota_http.idle_ms, 100, DAY_MS, "10min",
           "A connection closes after so long without a push."),
    NUMBER(COUNT, "ota-http", "connections-max", ota_http.connections_max, 1, 1000000, "10000",
           "Connections to terminals, of one loop."),
    A_FILE(FILE, "ota-http", "cert", ota_http.cert, 0, NULL, NULL, "tls/gateway-cert.pem",
           "The certificate the gateway shows to terminals."),
    A_FILE(PRIVATE, "ota-http", "key", ota_http.key, 0, NULL, NULL, "tls/gateway-key.pem",
           "Its private key."),
    A_FILE(FILE, "ota-http", "ca", ota_http.ca, 0, NULL, NULL, "tls/terminals-ca.pem",
           "Who signs the certificates of terminals; without it no https route works."),
    CHOICE(WORD, "ota-http", "staple", ota_http.staple_required, staple_words, "if-sent",
           "Whether a terminal on TLS must show an OCSP response; one that is shown must be good."),
    TEXT("ota-http", "prov-url", ota_http.prov_url, 0, 1000, check_uri, "",
         "Provisioning URL told to terminals (X-Wap-Push-ProvURL); empty tells none."),
    LIST(LISTENS, "ota-http", "listen", ota_http.listen, ota_http.listen_n, PPG_LISTEN_MAX, 0, 0, NULL,
         "127.0.0.1:4035", "Where terminals call in without TLS; for networks that are yours."),
    LIST(LISTENS, "ota-http", "listen-tls", ota_http.listen_tls, ota_http.listen_tls_n, PPG_LISTEN_MAX, 0, 0,
         NULL, "0.0.0.0:4036, [::]:4036", "Where terminals call in over TLS; needs cert and key."),
    LIST(LISTENS, "ota-http", "listen-psk", ota_http.listen_psk, ota_http.listen_psk_n, PPG_LISTEN_MAX, 0, 0,
         NULL, "0.0.0.0:4436", "Where terminals call in over TLS with shared keys instead of certificates."),
    NUMBER(COUNT, "ota-http", "calls-max", ota_http.calls_max, 1, 1000000, "20000",
           "Connections that terminals opened, all loops together."),
    NUMBER(COUNT, "ota-http", "calls-per-address", ota_http.calls_per_address_max, 1, 1000000, "1000",
           "Of these, from one address; many terminals may share one."),
    NUMBER(TIME, "ota-http", "keep-alive", ota_http.keep_alive_ms, 100, 3600000, "4min",
           "A terminal that called in and is silent is asked so often whether it is still there."),
    TEXT("ota-http", "realm", ota_http.realm, 1, 100, NULL, "push",
         "Realm of the logins of terminals that call in."),
    LIST(LISTENS, "ota-http", "contacts", ota_http.contacts, ota_http.contacts_n, PPG_LISTEN_MAX, 0, 0, NULL,
         "192.0.2.10:4036",
         "Where terminals that a datagram asks to call find the gateway, as they see its addresses."),
    NUMBER(
        TIME, "ota-http", "wake-first", ota_http.wake_first_ms, 100, 600000, "10s",
        "One that is asked and does not call is asked again after this, then after twice that, and so on."),
    NUMBER(COUNT, "ota-http", "wake-tries", ota_http.wake_tries, 1, PPG_WAKE_TRIES_MAX, "4",
           "How often it is asked, until a later push asks it anew."),

    LIST(LISTENS, "inbox", "listen-tls", inbox.listen_tls, inbox.listen_tls_n, PPG_LISTEN_MAX, 0, 0, NULL,
         "0.0.0.0:4038, [::]:4038",
         "Where terminals fetch what waits for them; needs cert and key of [ota-http].  There is no clear "
         "door."),
    LIST(LISTENS, "inbox", "listen-psk", inbox.listen_psk, inbox.listen_psk_n, PPG_LISTEN_MAX, 0, 0, NULL,
         "0.0.0.0:4039, [::]:4039",
         "The same for terminals that prove themselves by a shared key (call-proof = psk)."),
    TEXT("inbox", "url", inbox.url, 0, 500, check_inbox, "",
         "How terminals reach that: https://HOST:PORT.  With it content that is too large to be pushed is "
         "delivered as the "
         "place to fetch it from."),
    NUMBER(SIZE, "inbox", "indirect-above", inbox.indirect_above_n, 0, 1 << 30, "0",
           "Larger content is always delivered so to terminals with inbox = yes; 0: only what they do not "
           "take."),
    NUMBER(COUNT, "inbox", "items-max", inbox.items_max, 1, 1000, "100", "Items in one answer."),
    NUMBER(TIME, "inbox", "wait-max", inbox.wait_max_ms, 0, 3600000, "5min",
           "How long a terminal may wait for something new in one request."),
    NUMBER(COUNT, "inbox", "waits-max", inbox.waits_max, 1, 1000000, "20000",
           "Terminals that wait at the same time, all loops together."),
    NUMBER(COUNT, "inbox", "waits-per-terminal", inbox.waits_per_terminal_max, 1, 100, "2",
           "Of these, requests of one terminal."),
    YES_NO("inbox", "peer-certificate", inbox.peer_certificate, "yes",
           "Whether the store of another gateway (peer-store = yes) must prove itself by a certificate; "
           "without, it is logged."),

    NUMBER(COUNT, "ota-wsp", "source-port", ota_wsp.source_port, 0, 65535, "9200",
           "Where pushes in datagrams come from; 0: the system chooses.  DTLS always lets it choose."),
    NUMBER(SIZE, "ota-wsp", "datagram-max", ota_wsp.datagram_max_n, 128, 65507, "1400",
           "The largest datagram; a push that is larger with its headers cannot be delivered there."),
    NUMBER(SIZE, "ota-wsp", "dtls-mtu", ota_wsp.mtu, 256, 16384, "1200",
           "The largest datagram of DTLS; a push that is larger with its headers cannot be delivered there."),
    NUMBER(TIME, "ota-wsp", "settle-time", ota_wsp.settle_ms, 0, 10000, "200ms",
           "How long the network may say that nobody listens before a datagram counts as sent."),
    NUMBER(TIME, "ota-wsp", "idle-timeout", ota_wsp.idle_ms, 100, DAY_MS, "10min",
           "The socket of a terminal, and its DTLS session, closes after so long without a push."),
    NUMBER(COUNT, "ota-wsp", "terminals-max", ota_wsp.flows_max, 1, 1000000, "10000",
           "Terminals with an open socket, of one loop."),

    TEXT("ota-sip", "identity", ota_sip.identity, 5, 255, check_identity, "sip:push@localhost",
         "The SIP URI that pushes come from, and that servers challenge."),
    TEXT("ota-sip", "host", ota_sip.host, 0, 253, check_host, "",
         "Our host as servers find it in Via; empty: that of the identity."),
    TEXT("ota-sip", "outbound-proxy", ota_sip.proxy, 0, 255, check_proxy, "",
         "Where all requests go first, like sip:proxy.example.net;lr;transport=tcp; empty: where each route "
         "says."),
    LIST(NETWORKS, "ota-sip", "trusted-peers", ota_sip.trusted, ota_sip.trusted_n, PPG_NETWORKS_MAX, 0, 0,
         NULL, "192.0.2.0/28",
         "Next hops in our trust domain: they are told who we are in P-Asserted-Identity."),
    TEXT("ota-sip", "service", ota_sip.service, 0, 255, check_urn, "",
         "URN of the push service in the network, like urn:urn-7:3gpp-service.NAME; empty names none."),
    TEXT("ota-sip", "app-tag", ota_sip.app_tag, 1, 64, check_token, "g.oma.pusheventapp",
         "Feature tag by which devices say which applications they have."),
    TEXT("ota-sip", "dns", ota_sip.dns, 0, 255, check_dns, "",
         "Servers that are asked for service records (NAPTR, SRV) of next hops; empty: those of the system.  "
         "Taken at a start."),
    YES_NO("ota-sip", "large-messages", ota_sip.large_ok, "no",
           "Send requests of more than 1300 octets, over TCP or TLS; only where every hop to the terminals "
           "is known to."),
    YES_NO(
        "ota-sip", "sec-agree", ota_sip.sec_agree, "no",
        "Agree on TLS or Digest with each next hop that is not reached over TLS anyway (RFC 3329); one that "
        "does not know it must refuse.  The first request to a hop is a push already."),
    CHOICE(
        WORD, "ota-sip", "envelope", ota_sip.form, sip_form_words, "auto",
        "The body of a push: application/vnd.oma.push with the push headers in it (oma-push), or the content "
        "itself (direct), for all; auto: by `form` of the terminal and what it says that it accepts, in the "
        "other form where that is refused, which is remembered for an hour."),
    YES_NO("ota-sip", "probe", ota_sip.probe, "no",
           "Ask a terminal that has not said what it takes (OPTIONS) before its first push, then again after "
           "an hour or when it registers."),
    NUMBER(COUNT, "ota-sip", "connections-max", ota_sip.hops_max, 1, 1000000, "10000",
           "Next hops with an open socket, of one loop."),
    NUMBER(COUNT, "ota-sip", "transactions-max", ota_sip.transactions_max, 1, 1000000, "20000",
           "Requests without an answer yet, of one loop."),
    NUMBER(TIME, "ota-sip", "idle-timeout", ota_sip.idle_ms, 100, DAY_MS, "10min",
           "A socket closes after so long without a push."),
    NUMBER(COUNT, "ota-sip", "sessions-max", ota_sip.sessions_max, 1, 1000000, "10000",
           "Sessions of MSRP that are open, of one loop; the one that has been idle longest makes room.  "
           "Taken at "
           "a start."),
    NUMBER(TIME, "ota-sip", "ring-timeout", ota_sip.ring_ms, 1000, 600000, "60s",
           "How long a terminal may ring before the invitation to a session is cancelled."),
    NUMBER(TIME, "ota-sip", "report-timeout", ota_sip.report_ms, 1000, 3600000, "120s",
           "How long the success report of a confirmed push may take, after its last octet in a session."),
    NUMBER(TIME, "ota-sip", "session-idle-timeout", ota_sip.session_idle_ms, 100, DAY_MS, "30s",
           "A session of MSRP ends after so long without a push."),
    LIST(LISTENS, "ota-sip", "listen-msrp", ota_sip.listen_msrp, ota_sip.listen_msrp_n, PPG_LISTEN_MAX, 0, 0,
         NULL, "0.0.0.0:2855, [::]:2855",
         "Where terminals connect for sessions of MSRP in the clear, if they would rather connect than be "
         "connected to "
         "(RFC 6135); without it we always connect.  Counts with calls-max."),
    LIST(LISTENS, "ota-sip", "listen-msrps", ota_sip.listen_msrps, ota_sip.listen_msrps_n, PPG_LISTEN_MAX, 0,
         0, NULL, "0.0.0.0:2856, [::]:2856",
         "The same inside TLS, for terminals with certificates (tls-name); needs cert, key and ca of "
         "[ota-http]."),
    LIST(LISTENS, "ota-sip", "listen-msrps-psk", ota_sip.listen_msrps_psk, ota_sip.listen_msrps_psk_n,
         PPG_LISTEN_MAX, 0, 0, NULL, "0.0.0.0:2857, [::]:2857",
         "The same for terminals with a shared key (psk-identity)."),

    LIST(LISTENS, "ota-sip", "listen-udp", ota_sip.listen_udp, ota_sip.listen_udp_n, PPG_LISTEN_MAX, 0, 0,
         NULL, "0.0.0.0:5060, [::]:5060", "Where devices register over UDP."),
    LIST(LISTENS, "ota-sip", "listen-tcp", ota_sip.listen_tcp, ota_sip.listen_tcp_n, PPG_LISTEN_MAX, 0, 0,
         NULL, "0.0.0.0:5060, [::]:5060",
         "The same over TCP.  Connections count with those of terminals that call in (calls-max)."),
    LIST(LISTENS, "ota-sip", "listen-tls", ota_sip.listen_tls, ota_sip.listen_tls_n, PPG_LISTEN_MAX, 0, 0,
         NULL, "0.0.0.0:5061, [::]:5061", "The same over TLS; needs cert and key of [ota-http]."),
    TEXT("ota-sip", "domains", ota_sip.domains, 0, 1000, check_domains, "",
         "Domains whose addresses register here, comma separated; empty: the host of the identity."),
    TEXT("ota-sip", "realm", ota_sip.realm, 0, 100, check_realm, "",
         "Realm of the logins of devices; empty: the first of the domains."),
    CHOICE(
        WORD, "ota-sip", "digest", ota_sip.digest, sip_digest_words, "sha-256",
        "What devices with passwords are challenged with; both: SHA-256 first, which old clients may not get "
        "over."),
    NUMBER(TIME, "ota-sip", "expires-min", ota_sip.expires_min_ms, 1000, DAY_MS, "1min",
           "A shorter registration is refused (423)."),
    NUMBER(TIME, "ota-sip", "expires", ota_sip.expires_ms, 1000, DAY_MS, "1h",
           "How long a registration is good that does not say."),
    NUMBER(TIME, "ota-sip", "expires-max", ota_sip.expires_max_ms, 1000, 365 * DAY_MS, "24h",
           "A longer one becomes so long."),
    NUMBER(COUNT, "ota-sip", "registered-max", ota_sip.registered_max, 1, 10000000, "200000",
           "Addresses that are registered at the same time; some 600 octets each."),
    YES_NO("ota-sip", "untagged-ok", ota_sip.untagged_ok, "no",
           "Whether a device that says nothing about its applications gets the pushes of all."),
    YES_NO("ota-sip", "address-bound", ota_sip.address_bound, "no",
           "Take OPTIONS without a login from the address that a device has registered from, as early IMS "
           "does (TS 33.178); registering takes a login still.  For networks where nobody can write "
           "another's address."),
    NUMBER(TIME, "ota-sip", "login-timeout", ota_sip.enter_ms, 100, 600000, "32s",
           "A connection on which nobody has logged in, or said which session it is for, after so long is "
           "closed."),
    NUMBER(
        TIME, "ota-sip", "flow-timeout", ota_sip.flow_ms, 1000, DAY_MS, "15min",
        "Any other on which nothing has come for so long; devices keep theirs with empty lines (RFC 5626)."),

    NUMBER(TIME, "delivery", "retry-first", delivery.retry_first_ms, 10, 3600000, "5s",
           "The wait before the second attempt, at least some 100 ms; it doubles with each further one."),
    NUMBER(TIME, "delivery", "retry-max", delivery.retry_max_ms, 10, DAY_MS, "10min",
           "The longest wait between attempts."),
    NUMBER(COUNT, "delivery", "tries-max", delivery.tries_max, 1, 10000, "200",
           "Attempts before a push is undeliverable; its deadline may end it earlier."),
    NUMBER(COUNT, "delivery", "in-memory-max", delivery.live_max, 1, 10000000, "20000",
           "Targets in memory, all loops together; the rest waits in the store."),
    NUMBER(COUNT, "delivery", "claim-batch", delivery.claim_max, 1, 10000, "500",
           "Targets taken from the store at once."),

    CHOICE(NAME, "store", "engine", store.engine, engine_words, "sqlite", "What keeps the messages."),
    A_FILE(PATH, "store", "path", store.path, 1, NULL, "/var/lib/ppg/ppg.db", NULL,
           "The database file; on a disk that keeps what it says it has written."),
    NUMBER(COUNT, "store", "pending-max", store.pending_max, 16, 1000000, "10000",
           "Writes that may wait; beyond it initiators are told to try later."),
    NUMBER(TIME, "store", "keep", store.keep_ms, 0, 365 * DAY_MS, "24h",
           "How long a finished push can still be asked about."),

    LIST(TIMES, "notify", "retries", notify.retry_ms, notify.retries_n, PPG_RETRIES_MAX, 10, DAY_MS,
         "5s, 30s, 2min, 10min, 1h", NULL,
         "The waits between attempts to tell an initiator the result; after the last it is given up."),
    NUMBER(TIME, "notify", "timeout", notify.timeout_ms, 10, 300000, "30s", "For one attempt."),
    NUMBER(COUNT, "notify", "connections-max", notify.connections_max, 1, 10000, "100",
           "Connections to initiators, of one loop."),
    YES_NO("notify", "private-addresses", notify.private_addresses, "no",
           "Send notifications to private and loopback addresses; no keeps initiators from reaching into "
           "your network."),
    A_FILE(FILE, "notify", "ca", notify.ca, 0, NULL, NULL, "tls/notify-ca.pem",
           "Who signs the certificates of initiators' servers; the system's list unless set."),
    CHOICE(WORD, "notify", "staple", notify.staple_required, staple_words, "if-sent",
           "Whether an initiator's server must show an OCSP response; one that is shown must be good."),

    CHOICE(WORD, "protection", "floor", protection.floor, level_words, "none",
           "The least protection of any delivery, whatever initiator and whitelist ask."),
    CHOICE(WORD, "protection", "ceiling", protection.ceiling, level_words, "full",
           "The most; a push that needs more is refused."),
    CHOICE(WORD, "protection", "message", protection.message, message_words, "auto",
           "Seal messages only where the transport does not protect (auto), or always."),
    CHOICE(WORDS, "protection", "suites", protection.suites, ppg_suite_words,
           "hmac-sha256, aes-ctr-hmac-sha256, aes-cbc-hmac-sha256, aes-gcm, hmac-sha256-8, "
           "aes-ctr-hmac-sha256-8",
           "What messages may be sealed with, of what an association allows.  Those that end in -8 have tags "
           "of 64 "
           "bits."),
    NUMBER(COUNT, "protection", "number-range", protection.number_range, 1, 65536, "1024",
           "Sequence numbers of an association reserved at once; a crash skips up to so many."),
    CHOICE(
        WORD, "protection", "confirmation", protection.confirmation, confirmation_words, "delivery",
        "What shows that a terminal has the association that a push brought, so that no further push brings "
        "it: a protected message of its own, always; with delivery also an answer that its TLS proves to "
        "be its own."),

    TEXT("key-server", "name", key_server.name, 1, SEC_GBA_FQDN_MAX_N, check_fqdn, "ppg.example.net",
         "Domain name of this gateway as terminals know it; every key it gets is made for this name."),
    NUMBER(TIME, "key-server", "key-lifetime", key_server.life_ms, 60000, 365 * DAY_MS, "7d",
           "How long an association is good that the gateway sets up with a push."),
    NUMBER(COUNT, "key-server", "slot", key_server.slot, 0, SEC_AKA_SLOTS - 1, "1",
           "Slot (IND) of the subscribers' sequence numbers that is the gateway's alone."),
    LIST(LISTENS, "key-server", "listen-ub", key_server.listen_ub, key_server.listen_ub_n, PPG_LISTEN_MAX, 0,
         0, NULL, "0.0.0.0:8446",
         "Where subscribers' terminals bootstrap (Ub), over TLS; needs cert and key."),
    TEXT("key-server", "bsf-name", key_server.bsf_name, 0, SEC_GBA_FQDN_MAX_N, check_fqdn_or_none, "",
         "Domain name by which they know that door; bsf. and name unless set."),
    LIST(LISTENS, "key-server", "listen-naf", key_server.listen_naf, key_server.listen_naf_n, PPG_LISTEN_MAX,
         0, 0, NULL, "0.0.0.0:8447",
         "Where other services (NAFs) ask for keys and push info, over TLS; needs cert, key and ca."),
    LIST(LISTENS, "key-server", "listen-entities", key_server.listen_entities, key_server.listen_entities_n,
         PPG_LISTEN_MAX, 0, 0, NULL, "0.0.0.0:8448",
         "Where users are assigned keys for their entities, and entities come with them, over TLS; needs "
         "cert, key and "
         "a keyring."),
    A_FILE(FILE, "key-server", "cert", key_server.cert, 0, NULL, NULL, "tls/bsf-cert.pem",
           "The certificate shown at these."),
    A_FILE(PRIVATE, "key-server", "key", key_server.key, 0, NULL, NULL, "tls/bsf-key.pem",
           "Its private key."),
    A_FILE(FILE, "key-server", "ca", key_server.ca, 0, NULL, NULL, "tls/nafs-ca.pem",
           "Who signs the certificates of NAFs."),
    {FIELD(TEXT, "key-server", "bsf-url", key_server.bsf_url), .min = 1, .max = 1000, .check = check_bsf,
     .sample = "https://bsf.example.net:8447",
     .help = "A far key server (BSF) that is asked instead of the embedded one: for push info, and for the "
             "keys of "
             "those who come to the gateway's doors with a B-TID; needs cert, key and bsf-ca."},
    A_FILE(FILE, "key-server", "bsf-ca", key_server.bsf_ca, 0, NULL, NULL, "tls/bsf-ca.pem",
           "Who signs its certificate."),
    NUMBER(TIME, "key-server", "bsf-timeout", key_server.bsf_timeout_ms, 10, 60000, "5s",
           "To reach it, and to hear its answer; while it is away pushes that need it wait, and logins that "
           "do are "
           "refused."),
    NUMBER(COUNT, "key-server", "bsf-rate", key_server.bsf_rate, 1, 100000, "500",
           "Questions for keys by B-TID a second, at most, and a tenth of them for one source address."),
    NUMBER(TIME, "key-server", "ks-lifetime", key_server.ks_life_ms, 60000, 365 * DAY_MS, "24h",
           "How long what a terminal has bootstrapped is good, and every key derived from it."),
    NUMBER(COUNT, "key-server", "bootstrapped-max", key_server.bootstrapped_max, 1, SEC_BOOTSTRAP_RUNS_MAX,
           "100000",
           "Terminals whose bootstrapped key is kept, some 600 octets each; beyond it the oldest goes.  With "
           "bsf-url: keys "
           "that it gave, some 900 octets each."),
    LIST(LISTENS, "key-server", "listen-peer", key_server.listen_peer, key_server.listen_peer_n,
         PPG_LISTEN_MAX, 0, 0, NULL, "0.0.0.0:8449",
         "Where home functions bring keys for terminals that visit us, over TLS with certificates both ways; "
         "needs visits."),
    NUMBER(COUNT, "key-server", "visitors-max", key_server.visitors_max, 1, SEC_VISITS_MAX, "10000",
           "Such keys kept at once, some 600 octets each; of each home no more than its share (visits)."),

    LIST(LISTENS, "verify", "listen-tls", verify.listen_tls, verify.listen_tls_n, PPG_LISTEN_MAX, 0, 0, NULL,
         "0.0.0.0:8450",
         "Where terminals ask whether a push that bids them connect is genuine (POST /sec/v1/verify), with "
         "the "
         "certificate of [ota-http].  With such a door every session initiation carries a token "
         "(X-Oma-Verify)."),
    LIST(LISTENS, "verify", "listen-psk", verify.listen_psk, verify.listen_psk_n, PPG_LISTEN_MAX, 0, 0, NULL,
         "0.0.0.0:8451", "The same for terminals with shared keys (call-key, call-psk-identity)."),
    TEXT("verify", "applications", verify.applications, 0, 4096, NULL, "",
         "Application ids whose pushes carry a token whatever they hold, comma separated."),
    TEXT("verify", "initiators", verify.initiators, 0, 4096, NULL, "",
         "Initiators whose pushes do, by their names in initiators.conf, comma separated."),
    NUMBER(TIME, "verify", "lifetime", verify.life_ms, 1000, 3600000, "5min",
           "How long a token is good, from when the push is sent."),
    NUMBER(COUNT, "verify", "tokens-max", verify.tokens_max, 1, SEC_VERIFY_TOKENS_MAX, "100000",
           "Tokens good at once, some 300 octets each; at the ceiling such pushes wait."),
    NUMBER(COUNT, "verify", "rate", verify.rate, 1, 6000, "30",
           "Questions of one terminal in a minute, and visits that it asks for."),

    CHOICE(WORD, "log", "level", log.level, log_words, "info", "How much is said."),
    CHOICE(WORD, "log", "format", log.format, format_words, "text",
           "One line an event, as words or as JSON."),
    CHOICE(WORD, "log", "addresses", log.identities, addresses_words, "hashed",
           "How subscribers are named (addresses, SIP and user names, IMPIs, names of keys): by a token that "
           "stays the "
           "same as long as the store does (ppgctl log token), by the last four characters, or in full.  "
           "What was not "
           "proved is always a token."),
    A_FILE(PATH, "log", "file", log.file, 0, NULL, NULL, "/var/log/ppg/ppgd.log",
           "Where lines go; standard error unless set.  A reload opens it anew."),

    A_FILE(PATH, "admin", "socket", admin.socket, 0, check_socket, "/run/ppg/ppgd.sock", NULL,
           "UNIX socket that ppgctl talks to; empty for none."),
    A_FILE(PATH, "admin", "audit", admin.audit, 0, NULL, NULL, "/var/lib/ppg/audit.log",
           "Hash-chained record of what operators change; without it ppgctl changes no list."),
    A_FILE(
        MASTER, "admin", "audit-key", admin.audit_key, 0, NULL, NULL, "audit.key",
        "A key for its hashes, so that nobody who can write the file alone writes it anew: 64 hexadecimal "
        "digits in a "
        "file that is its owner's alone, or credential:NAME.  Move a record away that was begun without it."),
    LIST(LISTENS, "admin", "listen-metrics", admin.listen_metrics, admin.listen_metrics_n, PPG_LISTEN_MAX, 0,
         0, NULL, "127.0.0.1:9464",
         "Where a collector of metrics asks (GET /metrics, OpenMetrics), in the clear; counts alone, no "
         "names."),
};
const size_t ppg_config_keys_n = sizeof ppg_config_keys / sizeof ppg_config_keys[0];

/* Besides every address that is listened on. */
#define OF(field) offsetof(struct ppg_settings, field)
static const size_t at_start[] = {
    OF(gateway.loops),   OF(gateway.port_file), OF(gateway.core_dumps), OF(pap.nonce_life_ms),
    OF(store.engine),    OF(store.path),        OF(store.pending_max),  OF(ota_sip.realm),
    OF(ota_sip.dns),     OF(verify.tokens_max), OF(admin.socket),       OF(admin.audit),
    OF(admin.audit_key),
};

bool ppg_config_key_at_start(const struct ppg_config_key *key)
{
    bool found = key->type == PPG_KEY_LISTENS;

    for (size_t i = 0; i < sizeof at_start / sizeof at_start[0] && !found; i++)
        found = key->at == at_start[i];
    return found;
}

static void print_number(enum ppg_key_type type, int64_t v, struct buf *out)
{
    if (type == PPG_KEY_TIME || type == PPG_KEY_TIMES)
        ppg_value_time_print(v, out);
    else if (type == PPG_KEY_SIZE)
        ppg_value_size_print(v, out);
    else
        buf_add_i64(out, v);
}

static void print_range(const char *what, enum ppg_key_type type, int64_t min, int64_t max, struct buf *out)
{
    buf_add_str(out, what);
    print_number(type, min, out);
    buf_add_str(out, " to ");
    print_number(type, max, out);
}

static void print_list(const struct ppg_config_key *key, struct buf *out)
{
    buf_add_str(out, "at most ");
    buf_add_i64(out, key->max);
    if (key->type == PPG_KEY_LISTENS)
        buf_add_str(out, " of address:port");
    else if (key->type == PPG_KEY_NETWORKS)
        buf_add_str(out, " of networks like 192.0.2.0/24");
    else if (key->type == PPG_KEY_TIMES)
        print_range(" times of ", key->type, key->each_min, key->each_max, out);
    else
        buf_add_str(out, " file names");
    buf_add_str(out, ", comma separated");
}

void ppg_config_key_allowed(const struct ppg_config_key *key, struct buf *out)
{
    switch (key->type) {
    case PPG_KEY_BOOL:
        buf_add_str(out, "yes or no");
        return;
    case PPG_KEY_COUNT:
        print_range("a number, ", key->type, key->min, key->max, out);
        return;
    case PPG_KEY_TIME:
        print_range("a time, ", key->type, key->min, key->max, out);
        return;
    case PPG_KEY_SIZE:
        print_range("octets, ", key->type, key->min, key->max, out);
        return;
    case PPG_KEY_WORD:
    case PPG_KEY_NAME:
        ppg_value_words_print(key->words, out);
        return;
    case PPG_KEY_WORDS:
        buf_add_str(out, "comma separated, some of ");
        ppg_value_words_print(key->words, out);
        return;
    case PPG_KEY_TEXT:
        print_range("text of ", PPG_KEY_COUNT, key->min, key->max, out);
        buf_add_str(out, " octets");
        return;
    case PPG_KEY_MASTER:
        buf_add_str(out, "a file name, or credential:NAME");
        return;
    case PPG_KEY_PATH:
    case PPG_KEY_FILE:
    case PPG_KEY_PRIVATE:
        buf_add_str(out, "a file name");
        return;
    case PPG_KEY_FILES:
    case PPG_KEY_PRIVATES:
    case PPG_KEY_LISTENS:
    case PPG_KEY_TIMES:
    case PPG_KEY_NETWORKS:
        print_list(key, out);
        return;
    }
}
