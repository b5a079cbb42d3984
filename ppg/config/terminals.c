/* terminals.conf; see terminals.h.  Off the loops. */
#include "ppg/config/terminals.h"

#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/net/uri.h"
#include "ota/profile.h"
#include "ota/sip/uri.h"
#include "pap/uaprof.h"
#include "ppg/config/lists.h"
#include "ppg/config/value.h"
#include "security/address.h"

#define FILE_MAX_N        (256 << 20) /* octets of terminals.conf */
#define TERMINALS_MAX     1000000
#define SECTION_MAX_N     (64 << 10) /* octets of text in one section */
#define ASSOCIATION_MAX_N 4096       /* octets of an association file */
#define CONTENT_MAX_N     (INT64_C(1) << 30)
#define PROFILES_MAX      10000      /* files that describe models */
#define PROFILES_MAX_N    (64 << 20) /* octets of what they say */
#define PSK_MIN_N         16         /* octets: RFC 9257 wants 128 bits */
#define ITEM_MAX_N        255
#define COUNT(a)          (sizeof(a) / sizeof((a)[0]))

/* The section being read. */
struct draft {
    struct ppg_list list;
    struct arena mem; /* text of the section */
    struct ota_terminal terminal;
    struct buf password;
    struct buf call_password;
    struct buf mac_password;
    bool has_proof;
    struct ota_registry *registry;
    const struct sec_keyring *keyring;
    unsigned suites; /* 1 << octet of those that may seal */
    bool md5;        /* is of use */
    struct slice sip_domains;
    const struct ota_profile *model; /* of the section's profile-file; NULL: none */
    struct map models;               /* file name -> struct model: many terminals name one */
    struct arena models_mem;
};

struct model {
    struct slice path;
    struct ota_profile profile;
};

static struct draft *draft_of(struct ppg_list *l)
{
    return container_of(l, struct draft, list);
}

static void forget(struct draft *d)
{
    sec_secret_clear(&d->terminal.association.key);
    sec_secret_clear(&d->terminal.psk);
    sec_secret_clear(&d->terminal.call_in.psk);
    sec_mac_keys_clear(&d->terminal.mac.keys);
    sec_xml_keys_clear(&d->terminal.xml.keys);
    sec_xml_keys_clear(&d->terminal.object.keys);
    buf_wipe(&d->mac_password);
    buf_wipe(&d->password);
    buf_wipe(&d->call_password);
    d->has_proof = false;
    arena_clear(&d->mem);
}

static void begin(struct ppg_list *l, struct slice name)
{
    struct draft *d = draft_of(l);
    struct sec_address address;

    forget(d);
    d->terminal = (struct ota_terminal){.direct = false};
    d->model = NULL;
    if (sec_address_canonical(name, &address))
        ppg_load_say(l->load, ERR_MALFORMED, l->at, name, "not an address");
    else if (arena_dup(&d->mem, slice_of(address.text, address.n), &d->terminal.key))
        ppg_load_say(l->load, ERR_NOMEM, l->at, SLICE_NONE, "no memory");
}

static const struct route {
    const char *scheme;
    enum ota_route route;
    bool tls;
    uint16_t port; /* when the route names none */
} routes[] = {{"http", OTA_ROUTE_HTTP, false, 80},
              {"https", OTA_ROUTE_HTTP, true, 443},
              {"wap", OTA_ROUTE_WSP, false, 2948},
              {"waps", OTA_ROUTE_WSP, true, 2949}};

static const struct route *route_of(struct slice scheme)
{
    for (size_t i = 0; i < COUNT(routes); i++)
        if (slice_eq_ci(scheme, slice_str(routes[i].scheme)))
            return &routes[i];
    return NULL;
}

/* sip:user@host[:port][;transport=udp|tcp|tls], or sips */
static void set_sip_route(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);
    struct ota_terminal *t = &d->terminal;
    struct ota_sip_uri uri;

    if (ota_sip_uri_parse(line->value, &uri) || !uri.has_user) {
        ppg_list_say(l, line, "not like sip:alice@example.net;transport=tcp, over udp, tcp or tls");
    } else if (arena_dup(&d->mem, line->value, &t->sip_uri) ||
               arena_dup(&d->mem, slice_str(uri.host), &t->host)) {
        ppg_load_say(l->load, ERR_NOMEM, line->at, line->key, "no memory");
    } else {
        t->route = OTA_ROUTE_SIP;
        t->port = ota_sip_uri_port(&uri);
        t->tls = uri.secure || uri.transport == OTA_SIP_BY_TLS;
    }
}

/* SCHEME://host[:port], or a SIP URI */
static void set_route(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);
    const struct route *r = NULL;
    struct net_server at;

    if (slice_starts_ci(line->value, SLICE("sip:")) || slice_starts_ci(line->value, SLICE("sips:"))) {
        set_sip_route(l, line);
        return;
    }
    if (net_server_parse(line->value, &at) == ERR_OK)
        r = route_of(at.scheme);
    if (!r) {
        ppg_list_say(l, line, "not HOST:PORT behind http://, https://, wap:// or waps://, nor a SIP URI");
    } else if (arena_dup(&d->mem, at.host, &d->terminal.host)) {
        ppg_load_say(l->load, ERR_NOMEM, line->at, line->key, "no memory");
    } else {
        d->terminal.route = r->route;
        d->terminal.port = at.port ? at.port : r->port;
        d->terminal.tls = r->tls;
    }
}

static void set_tls_name(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_text(l, line, &draft_of(l)->mem, &draft_of(l)->terminal.tls_name);
}

static void set_psk_identity(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_text(l, line, &draft_of(l)->mem, &draft_of(l)->terminal.psk_identity);
}

/* Hexadecimal digits, as initiators.conf has them. */
static void psk_read(struct ppg_list *l, const struct ppg_ini_line *line, struct sec_secret *out)
{
    struct buf text;

    buf_init(&text, PPG_LIST_SECRET_MAX_N + 1);
    ppg_list_secret(l, line, &text);
    if (text.n && (sec_secret_set_hex(out, buf_slice(&text)) || out->n < PSK_MIN_N))
        ppg_list_say(l, line, "the file holds no key of 32 to 128 hexadecimal digits");
    buf_wipe(&text);
}

static void set_psk_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    psk_read(l, line, &draft_of(l)->terminal.psk);
}

static void set_form(struct ppg_list *l, const struct ppg_ini_line *line)
{
    static const struct ppg_word words[] = {{"embedded", false}, {"direct", true}, {NULL, 0}};
    int direct = false;

    if (ppg_value_word(line->value, words, &direct))
        ppg_list_say(l, line, "embedded or direct");
    else
        draft_of(l)->terminal.direct = direct;
}

static void set_session(struct ppg_list *l, const struct ppg_ini_line *line)
{
    static const struct ppg_word words[] = {{"no", OTA_SESSION_NO},
                                            {"large", OTA_SESSION_LARGE},
                                            {"always", OTA_SESSION_ALWAYS},
                                            {"tls", OTA_SESSION_TLS},
                                            {NULL, 0}};
    int session = OTA_SESSION_NO;

    if (ppg_value_word(line->value, words, &session))
        ppg_list_say(l, line, "no, large, always or tls");
    else
        draft_of(l)->terminal.session = (enum ota_session)session;
}

static void set_terminal_id(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_text(l, line, &draft_of(l)->mem, &draft_of(l)->terminal.terminal_id);
}

static void set_login_user(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_text(l, line, &draft_of(l)->mem, &draft_of(l)->terminal.login.user);
}

static void set_login_password_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_secret(l, line, &draft_of(l)->password);
}

static void set_mac_user(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_text(l, line, &draft_of(l)->mem, &draft_of(l)->terminal.mac.user);
}

static void set_mac_key_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_mac_key(l, line, &draft_of(l)->terminal.mac.keys.key[SEC_MAC_SHA256]);
}

static void set_xml_name(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_text(l, line, &draft_of(l)->mem, &draft_of(l)->terminal.xml.name);
}

static void set_object_name(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_text(l, line, &draft_of(l)->mem, &draft_of(l)->terminal.object.name);
}

static void set_object_key_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_xml_keys(l, line, &draft_of(l)->terminal.object.keys);
}

static void set_xml_key_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_xml_keys(l, line, &draft_of(l)->terminal.xml.keys);
}

static void set_mac_password_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_secret(l, line, &draft_of(l)->mac_password);
}

static void set_calls_in(struct ppg_list *l, const struct ppg_ini_line *line)
{
    static const struct ppg_word words[] = {
        {"no", OTA_CALLS_NO}, {"tls", OTA_CALLS_TLS}, {"any", OTA_CALLS_ANY}, {NULL, 0}};
    int calls = OTA_CALLS_NO;

    if (ppg_value_word(line->value, words, &calls))
        ppg_list_say(l, line, "no, tls or any");
    else
        draft_of(l)->terminal.call_in.calls = (enum ota_calls)calls;
}

static void set_registers(struct ppg_list *l, const struct ppg_ini_line *line)
{
    static const struct ppg_word words[] = {
        {"no", OTA_CALLS_NO}, {"tls", OTA_CALLS_TLS}, {"any", OTA_CALLS_ANY}, {NULL, 0}};
    int over = OTA_CALLS_NO;

    if (ppg_value_word(line->value, words, &over))
        ppg_list_say(l, line, "no, tls or any");
    else
        draft_of(l)->terminal.registers = (enum ota_calls)over;
}

static bool is_sip_domain(const struct draft *d, struct slice host)
{
    struct slice rest = d->sip_domains, domain;

    while (slice_item(&rest, &domain))
        if (slice_eq_ci(domain, host))
            return true;
    return false;
}

/* The address of record as the registrar has it: scheme sip, host in lower case. */
static enum err keep_record(struct draft *d, const struct ota_sip_uri *uri)
{
    char text[OTA_SIP_URI_MAX_N + 1] = "sip:";
    const char *rest = strchr(uri->record, ':') + 1;
    size_t at = strchr(rest, '@') ? (size_t)(strchr(rest, '@') - rest) : 0;

    for (size_t i = 0; rest[i]; i++)
        text[4 + i] = i > at && rest[i] >= 'A' && rest[i] <= 'Z' ? (char)(rest[i] - 'A' + 'a') : rest[i];
    return arena_dup(&d->mem, slice_str(text), &d->terminal.sip_record);
}

static void set_registers_as(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);
    struct ota_sip_uri uri;

    if (ota_sip_uri_parse(line->value, &uri) || !uri.has_user || uri.secure)
        ppg_list_say(l, line, "not like sip:alice@example.net");
    else if (!is_sip_domain(d, slice_str(uri.host)))
        ppg_list_say(l, line, "not of a domain of [ota-sip] domains");
    else if (keep_record(d, &uri))
        ppg_load_say(l->load, ERR_NOMEM, line->at, line->key, "no memory");
}

/* Without registers-as: its address, or its number in the first domain.  False: that is no record of ours. */
static bool default_record(struct draft *d)
{
    struct slice key = d->terminal.key, rest = d->sip_domains, first;
    char text[OTA_SIP_URI_MAX_N + 1];
    struct ota_sip_uri uri;

    if (slice_starts_ci(key, SLICE("sip:")))
        (void)snprintf(text, sizeof text, "%.*s", SLICE_FMT(key));
    else if (slice_find(key, '@') != SIZE_MAX)
        (void)snprintf(text, sizeof text, "sip:%.*s", SLICE_FMT(key));
    else if (slice_starts(key, SLICE("+")) && slice_item(&rest, &first))
        (void)snprintf(text, sizeof text, "sip:%.*s@%.*s", SLICE_FMT(key), SLICE_FMT(first));
    else
        return false;
    return !ota_sip_uri_parse(slice_str(text), &uri) && uri.has_user &&
           is_sip_domain(d, slice_str(uri.host)) && !keep_record(d, &uri);
}

/* What is wrong with how it registers; NULL: nothing. */
static const char *register_wrong(struct draft *d)
{
    struct ota_terminal *t = &d->terminal;
    const struct ota_call_in *c = &t->call_in;

    if (!t->registers)
        return t->sip_record.n ? "registers-as is for terminals with registers = tls or any" : NULL;
    if (t->route == OTA_ROUTE_SIP && t->host.n)
        return "registers goes with no sip route: where it is, it says itself";
    if (!d->call_password.n && !c->subscriber.n)
        return "registers needs call-proof = digest with call-password-file, or aka with call-subscriber";
    if (c->proof == OTA_PROOF_SYNCML_MD5)
        return "registers needs call-proof = digest or aka";
    if (!t->sip_record.n && !default_record(d))
        return "registers needs registers-as: the address is not of a domain of [ota-sip] domains";
    return NULL;
}

static void set_inbox(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_bool(l, line, &draft_of(l)->terminal.inbox);
}

static void set_peer_store(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_bool(l, line, &draft_of(l)->terminal.peer_store);
}

static void set_call_proof(struct ppg_list *l, const struct ppg_ini_line *line)
{
    static const struct ppg_word words[] = {{"certificate", OTA_PROOF_CERTIFICATE},
                                            {"psk", OTA_PROOF_PSK},
                                            {"digest", OTA_PROOF_DIGEST},
                                            {"basic", OTA_PROOF_BASIC},
                                            {"syncml-md5", OTA_PROOF_SYNCML_MD5},
                                            {"aka", OTA_PROOF_AKA},
                                            {"none", OTA_PROOF_NONE},
                                            {NULL, 0}};
    int proof = OTA_PROOF_CERTIFICATE;

    if (ppg_value_word(line->value, words, &proof))
        ppg_list_say(l, line, "certificate, psk, digest, basic, syncml-md5, aka or none");
    if (proof == OTA_PROOF_SYNCML_MD5 && !draft_of(l)->md5)
        ppg_list_say(l, line, "MD5 is off: digest-md5 of [pap] or of the policy of algorithms is no");
    draft_of(l)->terminal.call_in.proof = (enum ota_proof)proof;
    draft_of(l)->has_proof = true;
}

static void set_call_certificate(struct ppg_list *l, const struct ppg_ini_line *line)
{
    const struct slice kinds[] = {SLICE("URI:"), SLICE("DNS:"), SLICE("email:")};
    size_t i = 0;

    while (i < COUNT(kinds) && !(slice_starts(line->value, kinds[i]) && line->value.n > kinds[i].n))
        i++;
    if (i == COUNT(kinds))
        ppg_list_say(l, line, "URI:, DNS: or email: and a name");
    else
        ppg_list_text(l, line, &draft_of(l)->mem, &draft_of(l)->terminal.call_in.certificate);
}

static void set_call_user(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_text(l, line, &draft_of(l)->mem, &draft_of(l)->terminal.call_in.user);
}

static void set_call_password_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_secret(l, line, &draft_of(l)->call_password);
}

static void set_call_psk_identity(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_text(l, line, &draft_of(l)->mem, &draft_of(l)->terminal.call_in.psk_identity);
}

static void set_call_psk_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    psk_read(l, line, &draft_of(l)->terminal.call_in.psk);
}

static void set_call_psk_tls(struct ppg_list *l, const struct ppg_ini_line *line)
{
    static const struct ppg_word words[] = {{"1.2", 12}, {"1.3", 13}, {NULL, 0}};
    int word = 13;

    if (ppg_value_word(line->value, words, &word))
        ppg_list_say(l, line, "1.2 or 1.3");
    draft_of(l)->terminal.call_in.psk_version = (unsigned)word;
}

static void set_call_subscriber(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_text(l, line, &draft_of(l)->mem, &draft_of(l)->terminal.call_in.subscriber);
}

/* A shared key of the keyring, known by its name. */
static void set_call_key(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);
    struct ota_call_in *c = &d->terminal.call_in;
    const struct sec_key *k = sec_keyring_find(d->keyring, line->value);

    if (c->psk_identity.n || c->psk.n)
        ppg_list_say(l, line, "stands for call-psk-identity and call-psk-file: leave them out");
    else if (!k || sec_keyring_psk(d->keyring, k, &c->psk))
        ppg_list_say(l, line, "the keyring has no shared key of that name");
    else if (arena_dup(&d->mem, k->name, &c->psk_identity))
        ppg_load_say(l->load, ERR_NOMEM, line->at, line->key, "no memory");
}

/* wap://host[:port], or waps */
static void set_wake(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);
    const struct route *r = NULL;
    struct net_server at;

    if (net_server_parse(line->value, &at) == ERR_OK)
        r = route_of(at.scheme);
    if (!r || r->route != OTA_ROUTE_WSP)
        ppg_list_say(l, line, "not HOST[:PORT] behind wap:// or waps://");
    else if (arena_dup(&d->mem, at.host, &d->terminal.call_in.wake_host))
        ppg_load_say(l->load, ERR_NOMEM, line->at, line->key, "no memory");
    else {
        d->terminal.call_in.wake_port = at.port ? at.port : r->port;
        d->terminal.call_in.wake_tls = r->tls;
    }
}

/* A terminal that calls in gets no content in datagrams: a wap route is where it is asked to call. */
static void take_wake(struct ota_terminal *t)
{
    if (!t->call_in.calls || t->route != OTA_ROUTE_WSP || t->call_in.wake_host.n)
        return;
    t->call_in.wake_host = t->host;
    t->call_in.wake_port = t->port;
    t->call_in.wake_tls = t->tls;
    t->tls = false;
    t->route = OTA_ROUTE_HTTP;
    t->host = SLICE_NONE;
    t->port = 0;
}

static void set_max_size(struct ppg_list *l, const struct ppg_ini_line *line)
{
    int64_t n = 0;

    if (ppg_value_size(line->value, 0, CONTENT_MAX_N, &n))
        ppg_list_say(l, line, "octets, 0 to 1G; 0: as the terminal says");
    else
        draft_of(l)->terminal.profile.size_max = (uint64_t)n;
}

/* Items as in a header field: visible, and nothing that could end one or begin a quoted string. */
static bool list_ok(struct slice list, bool types)
{
    struct slice item, left, right;
    size_t n = 0;

    for (size_t i = 0; i < list.n; i++)
        if (list.p[i] < ' ' || list.p[i] > '~' || list.p[i] == '"')
            return false;
    for (; slice_item(&list, &item); n++)
        if (item.n > ITEM_MAX_N ||
            (types && !slice_eq(item, SLICE("*")) && !slice_cut(item, '/', &left, &right)))
            return false;
    return n > 0;
}

static void set_list(struct ppg_list *l, const struct ppg_ini_line *line, struct slice *out, bool types)
{
    if (!list_ok(line->value, types))
        ppg_list_say(l, line, types ? "not media types, comma separated" : "not names, comma separated");
    else
        ppg_list_text(l, line, &draft_of(l)->mem, out);
}

static void set_accept(struct ppg_list *l, const struct ppg_ini_line *line)
{
    set_list(l, line, &draft_of(l)->terminal.profile.accept, true);
}

static void set_applications(struct ppg_list *l, const struct ppg_ini_line *line)
{
    set_list(l, line, &draft_of(l)->terminal.profile.app_ids, false);
}

static void set_charsets(struct ppg_list *l, const struct ppg_ini_line *line)
{
    set_list(l, line, &draft_of(l)->terminal.profile.charsets, false);
}

static void set_encodings(struct ppg_list *l, const struct ppg_ini_line *line)
{
    set_list(l, line, &draft_of(l)->terminal.profile.encodings, false);
}

static void set_languages(struct ppg_list *l, const struct ppg_ini_line *line)
{
    set_list(l, line, &draft_of(l)->terminal.profile.languages, false);
}

static enum err model_parse(struct draft *d, struct slice text, struct model *m, const char **why)
{
    struct pap_uaprof p;
    enum err e = pap_uaprof_parse(text, &d->models_mem, &p, why);

    if (!e)
        m->profile = (struct ota_profile){.accept = p.accept,
                                          .charsets = p.charsets,
                                          .encodings = p.encodings,
                                          .languages = p.languages,
                                          .app_ids = p.app_ids,
                                          .size_max = p.size_max};
    return e;
}

/* A file that no section has named before. */
static void read_model(struct draft *d, const struct ppg_ini_line *line, struct slice path)
{
    struct model *m = arena_alloc(&d->models_mem, sizeof *m);
    const char *why = "too many profiles";
    struct buf text;
    enum err e;

    buf_init(&text, 0);
    if (!m || arena_dup(&d->models_mem, path, &m->path)) {
        ppg_load_say(d->list.load, ERR_NOMEM, line->at, line->key, "too many profiles");
    } else if (!ppg_load_file(d->list.load, m->path.p, PAP_UAPROF_MAX_N, 0, line->at, line->key, &text)) {
        e = model_parse(d, buf_slice(&text), m, &why);
        if (!e)
            e = map_put(&d->models, m->path, m);
        if (e)
            ppg_load_say(d->list.load, e, line->at, line->key, "%s: %s", m->path.p, why);
        else
            d->model = &m->profile;
    }
    buf_clear(&text);
}

static void set_profile_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);
    const struct model *known;
    struct buf path;

    buf_init(&path, PPG_INI_LINE_MAX_N + 1);
    ppg_load_path(line->at.file, line->value, &path);
    if (buf_err(&path)) {
        ppg_load_say(l->load, buf_err(&path), line->at, line->key, "file name too long");
    } else {
        struct slice name = slice_of(path.p, path.n - 1); /* without its NUL */

        known = map_get(&d->models, name);
        if (known)
            d->model = &known->profile;
        else
            read_model(d, line, name);
    }
    buf_clear(&path);
}

/* Since when that file says what it says; 0: gone meanwhile. */
static int64_t written_s(const char *path)
{
    struct stat st;

    return stat(path, &st) ? 0 : st.st_mtime;
}

static void set_association_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct ota_association *a = &draft_of(l)->terminal.association;
    struct buf path, text;

    buf_init(&path, PPG_INI_LINE_MAX_N + 1);
    buf_init(&text, 0);
    ppg_load_path(line->at.file, line->value, &path);
    if (a->present)
        ppg_list_say(l, line, "association and association-file are two ways to say one thing");
    else if (buf_err(&path))
        ppg_load_say(l->load, buf_err(&path), line->at, line->key, "file name too long");
    else if (ppg_load_file(l->load, path.p, ASSOCIATION_MAX_N, S_IRWXG | S_IRWXO, line->at, line->key,
                           &text) == ERR_OK)
        ppg_association_read_text(l->load, buf_slice(&text), path.p, a);
    if (a->present && a->made_s == 0)
        a->made_s = written_s(path.p);
    buf_wipe(&text);
    buf_clear(&path);
}

static void set_association(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);
    const struct sec_key *k = sec_keyring_find(d->keyring, line->value);

    if (d->terminal.association.present)
        ppg_list_say(l, line, "association and association-file are two ways to say one thing");
    else if (!k || ppg_association_of_key(d->keyring, k, &d->terminal.association))
        ppg_list_say(l, line, "the keyring has no association of that name");
}

static void set_login_key(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);
    const struct sec_key *k = sec_keyring_find(d->keyring, line->value);
    struct sec_secret secret;
    enum err e = k ? ERR_OK : ERR_ABSENT;

    if (d->password.n || d->terminal.login.user.n) {
        ppg_list_say(l, line, "stands for login-user and login-password-file: leave them out");
        return;
    }
    sec_secret_init(&secret);
    if (!e)
        e = sec_keyring_password(d->keyring, k, &secret);
    if (!e)
        e = arena_dup(&d->mem, k->name, &d->terminal.login.user);
    if (!e)
        buf_add(&d->password, sec_secret_slice(&secret));
    sec_secret_clear(&secret);
    if (e)
        ppg_load_say(l->load, e, line->at, line->key,
                     "the keyring has no password or association of that name");
}

static const struct ppg_list_key keys[] = {
    {"route", set_route, .must = false},
    {"calls-in", set_calls_in, .must = false},
    {"inbox", set_inbox, .must = false},
    {"peer-store", set_peer_store, .must = false},
    {"registers", set_registers, .must = false},
    {"registers-as", set_registers_as, .must = false},
    {"call-proof", set_call_proof, .must = false},
    {"call-certificate", set_call_certificate, .must = false},
    {"call-user", set_call_user, .must = false},
    {"call-password-file", set_call_password_file, .must = false},
    {"call-psk-identity", set_call_psk_identity, .must = false},
    {"call-psk-file", set_call_psk_file, .must = false},
    {"call-psk-tls", set_call_psk_tls, .must = false},
    {"call-subscriber", set_call_subscriber, .must = false},
    {"call-key", set_call_key, .must = false},
    {"wake", set_wake, .must = false},
    {"tls-name", set_tls_name, .must = false},
    {"psk-identity", set_psk_identity, .must = false},
    {"psk-file", set_psk_file, .must = false},
    {"form", set_form, .must = false},
    {"session", set_session, .must = false},
    {"terminal-id", set_terminal_id, .must = false},
    {"login-user", set_login_user, .must = false},
    {"login-password-file", set_login_password_file, .must = false},
    {"mac-user", set_mac_user, .must = false},
    {"mac-key-file", set_mac_key_file, .must = false},
    {"mac-password-file", set_mac_password_file, .must = false},
    {"xml-name", set_xml_name, .must = false},
    {"xml-key-file", set_xml_key_file, .must = false},
    {"object-name", set_object_name, .must = false},
    {"object-key-file", set_object_key_file, .must = false},
    {"max-size", set_max_size, .must = false},
    {"accept", set_accept, .must = false},
    {"applications", set_applications, .must = false},
    {"charsets", set_charsets, .must = false},
    {"encodings", set_encodings, .must = false},
    {"languages", set_languages, .must = false},
    {"profile-file", set_profile_file, .must = false},
    {"association-file", set_association_file, .must = false},
    {"association", set_association, .must = false},
    {"login-key", set_login_key, .must = false},
};

/* The section's own keys stand before those of its profile. */
static void complete_profile(struct draft *d)
{
    static const struct ota_profile none = {.known = false};
    struct ota_profile own = d->terminal.profile;
    struct slice *texts[OTA_PROFILE_TEXTS];

    own = ota_profile_merge(&own, d->model ? d->model : &none);
    own.known = own.size_max != 0;
    ota_profile_texts(&own, texts);
    for (size_t i = 0; i < OTA_PROFILE_TEXTS; i++)
        own.known = own.known || texts[i]->n;
    d->terminal.profile = own;
}

/* What is wrong with how it calls in; NULL: nothing. */
static const char *call_in_wrong(const struct draft *d)
{
    const struct ota_call_in *c = &d->terminal.call_in;
    bool login = ota_registry_logs_in(&d->terminal);

    if (d->terminal.peer_store && !d->terminal.inbox)
        return "peer-store is for terminals with inbox = yes";
    if (!c->calls && !d->terminal.inbox && !d->terminal.registers)
        return d->has_proof || c->certificate.n || c->user.n || d->call_password.n || c->psk.n ||
                       c->psk_identity.n || c->psk_version || c->subscriber.n || c->wake_host.n
                   ? "call-... and wake are for terminals with calls-in = tls or any, inbox = yes, or "
                     "registers = "
                     "tls or any"
                   : NULL;
    if (c->wake_host.n && !c->calls)
        return "wake is for terminals with calls-in = tls or any";
    if (c->calls && d->terminal.host.n && d->terminal.route != OTA_ROUTE_HTTP)
        return "calls-in goes with an http or wap route, or none";
    if (d->terminal.inbox && (!d->has_proof || c->proof == OTA_PROOF_NONE))
        return "inbox needs call-proof = certificate, psk, digest, basic or syncml-md5";
    if (!d->has_proof && c->calls)
        return "calls-in needs call-proof = certificate, psk, digest, basic, syncml-md5 or none";
    if (!d->has_proof)
        return NULL; /* it registers: see there */
    if ((c->proof == OTA_PROOF_CERTIFICATE) != (c->certificate.n != 0))
        return "call-proof = certificate and call-certificate go together";
    if (c->proof == OTA_PROOF_AKA && (c->calls || d->terminal.inbox))
        return "call-proof = aka is for terminals that register and do nothing else";
    if (c->proof == OTA_PROOF_AKA)
        return c->subscriber.n && !c->psk.n && !c->user.n && !d->call_password.n
                   ? NULL
                   : "call-proof = aka goes with call-subscriber alone";
    if (!c->psk_identity.n != !c->psk.n ||
        (c->proof == OTA_PROOF_PSK ? (c->psk.n != 0) == (c->subscriber.n != 0)
                                   : c->psk.n || c->subscriber.n) ||
        (c->psk_version && !c->psk.n))
        return "call-proof = psk goes with call-key, call-subscriber, or call-psk-identity and call-psk-file";
    if (login != (d->call_password.n != 0) || (c->user.n && !login))
        return "call-proof = digest, basic or syncml-md5 and call-password-file go together";
    if (c->calls == OTA_CALLS_ANY && c->proof != OTA_PROOF_DIGEST && c->proof != OTA_PROOF_NONE)
        return "that call-proof needs calls-in = tls";
    return NULL;
}

/* What is wrong with how TLS knows the terminal, or with its sessions; NULL: nothing. */
static const char *secured_wrong(const struct ota_terminal *t)
{
    bool sip = t->route == OTA_ROUTE_SIP, inside = t->session == OTA_SESSION_TLS;

    if (t->session && !sip && !t->registers)
        return "session is for sip routes and terminals that register";
    if (inside && !t->tls_name.n == !t->psk_identity.n)
        return "session = tls needs tls-name, or psk-identity and psk-file";
    if (t->tls_name.n && !inside && !t->call_in.wake_tls && (!t->tls || t->route == OTA_ROUTE_SIP))
        return "tls-name is for https and waps routes, wake = waps:// and session = tls";
    if (!t->psk_identity.n != !t->psk.n)
        return "psk-identity and psk-file go together";
    if (t->psk.n && !inside && !t->call_in.wake_tls && !(t->tls && t->route == OTA_ROUTE_WSP))
        return "a shared key is for waps routes, wake = waps:// and session = tls";
    return NULL;
}

/* Takes the password of macs; what is wrong with them, NULL: nothing.  A push in the direct form has its headers outside of
 * what a mac covers. */
static const char *take_mac(struct draft *d)
{
    struct ota_terminal *t = &d->terminal;
    struct sec_mac_keys *of = &t->mac.keys;

    if (d->mac_password.n && sec_mac_inner(t->mac.user, buf_slice(&d->mac_password), &of->key[SEC_MAC_MD5]))
        return "the password for macs cannot be hashed";
    if ((t->mac.user.n != 0) != sec_mac_keys_any(of))
        return "mac-user goes with mac-key-file or mac-password-file";
    if (t->mac.user.n > SEC_MAC_USER_MAX_N || slice_find(t->mac.user, '"') < t->mac.user.n ||
        slice_find(t->mac.user, '\\') < t->mac.user.n)
        return "mac-user is too long, or has a character that cannot be quoted";
    if (t->mac.user.n && t->route != OTA_ROUTE_HTTP)
        return "mac-user is for terminals with an http route, or that call in";
    return t->mac.user.n && t->direct ? "mac-user needs form = embedded" : NULL;
}

static const char *xml_wrong(const struct ota_xml *x)
{
    if ((x->name.n != 0) != sec_xml_keys_any(&x->keys))
        return "xml-name and xml-key-file go together";
    return x->name.n && !sec_xml_name_good(x->name) ? "xml-name is too long, or has markup in it" : NULL;
}

/* One that knows the keys of pushes could make some, so they are not those of objects. */
static const char *object_wrong(const struct ota_terminal *t)
{
    const struct ota_xml *x = &t->object;

    if ((x->name.n != 0) != sec_xml_keys_any(&x->keys))
        return "object-name and object-key-file go together";
    if (x->name.n && !sec_xml_name_good(x->name))
        return "object-name is too long, or has markup in it";
    if (x->name.n && !t->inbox)
        return "object-name is for terminals with inbox = yes";
    return x->name.n && t->xml.name.n &&
                   slice_eq_ct(sec_secret_slice(&x->keys.sign), sec_secret_slice(&t->xml.keys.sign))
               ? "object-key-file and xml-key-file must not have the same key"
               : NULL;
}

static const char *add_trouble(enum err e, bool known)
{
    if (e == ERR_MALFORMED)
        return "calls in without terminal-id, and its address is no number";
    if (e == ERR_EXISTS)
        return known ? "already described" : "calls in or registers as another terminal does";
    return err_text(e);
}

static void keep_suites(struct ota_association *a, unsigned suites)
{
    size_t kept = 0;

    for (size_t i = 0; i < a->suites_n; i++)
        if (suites >> a->suites[i] & 1)
            a->suites[kept++] = a->suites[i];
    a->suites_n = kept;
}

static void end(struct ppg_list *l)
{
    struct draft *d = draft_of(l);
    struct ota_terminal *t = &d->terminal;
    const char *wrong;
    bool known = ota_registry_find(d->registry, t->key) != NULL;
    enum err e;

    take_wake(t);
    wrong = call_in_wrong(d);
    if (!wrong)
        wrong = register_wrong(d);
    if (!wrong)
        wrong = secured_wrong(t);
    if (!wrong)
        wrong = take_mac(d);
    if (!wrong)
        wrong = xml_wrong(&t->xml);
    if (!wrong)
        wrong = object_wrong(t);
    complete_profile(d);
    keep_suites(&t->association, d->suites);
    if (t->call_in.psk.n && !t->call_in.psk_version)
        t->call_in.psk_version = 13;
    t->login.password = buf_slice(&d->password);
    t->call_in.password = buf_slice(&d->call_password);
    if (!t->host.n && !t->call_in.calls && !t->inbox && !t->registers) {
        ppg_load_say_of(l->load, ERR_MALFORMED, l->at, t->key,
                        "neither route nor calls-in nor inbox nor registers");
    } else if (wrong) {
        ppg_load_say_of(l->load, ERR_MALFORMED, l->at, t->key, "%s", wrong);
    } else if (!t->login.user.n != !t->login.password.n) {
        ppg_load_say_of(l->load, ERR_MALFORMED, l->at, t->key,
                        "login-user and login-password-file go together");
    } else {
        e = ota_registry_add(d->registry, t);
        if (e)
            ppg_load_say_of(l->load, e, l->at, t->key, "%s", add_trouble(e, known));
    }
    forget(d);
}

void ppg_terminals_read(struct ppg_load *load, const char *path, const struct sec_keyring *keyring,
                        unsigned suites, bool md5, struct slice sip_domains, struct ota_registry **out)
{
    struct ppg_place at = {path, 0};
    struct draft d = {.list = {.load = load,
                               .kind = "terminal",
                               .keys = keys,
                               .keys_n = COUNT(keys),
                               .begin = begin,
                               .end = end},
                      .keyring = keyring,
                      .suites = suites,
                      .md5 = md5,
                      .sip_domains = sip_domains};
    enum err e = ota_registry_create(TERMINALS_MAX, &d.registry);

    if (e) {
        ppg_load_say(load, e, at, SLICE_NONE, "no table of terminals: %s", err_text(e));
        return;
    }
    arena_init(&d.mem, 1024, SECTION_MAX_N);
    arena_init(&d.models_mem, 4096, PROFILES_MAX_N);
    map_init(&d.models, PROFILES_MAX);
    buf_init(&d.password, PPG_LIST_SECRET_MAX_N + 1);
    buf_init(&d.call_password, PPG_LIST_SECRET_MAX_N + 1);
    buf_init(&d.mac_password, PPG_LIST_SECRET_MAX_N + 1);
    ppg_list_read(&d.list, path, FILE_MAX_N, 0, at, SLICE_NONE);
    forget(&d);
    map_clear(&d.models);
    arena_clear(&d.models_mem);
    *out = d.registry;
}
