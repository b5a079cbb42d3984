/* The way to a terminal: over which bearer, to which host, in which form, and where it is asked to call.  Keys and names of
 * TLS are terminal_tls.c's.  Off the loops. */
#include "ppg/config/terminal_parts.h"

#include "base/net/uri.h"
#include "ota/sip/uri.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

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
    struct ppg_terminal_draft *d = ppg_terminal_draft(l);
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
    struct ppg_terminal_draft *d = ppg_terminal_draft(l);
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

static void set_form(struct ppg_list *l, const struct ppg_ini_line *line)
{
    static const struct ppg_word words[] = {{"embedded", false}, {"direct", true}, {NULL, 0}};
    int direct = false;

    ppg_list_word(l, line, words, &direct);
    ppg_terminal_draft(l)->terminal.direct = direct;
}

/* wap://host[:port], or waps */
static void set_wake(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct ppg_terminal_draft *d = ppg_terminal_draft(l);
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

static const char *end(struct ppg_terminal_draft *d)
{
    struct ota_terminal *t = &d->terminal;

    take_wake(t);
    return t->host.n || t->call_in.calls || t->inbox || t->registers
               ? NULL
               : "neither route nor calls-in nor inbox nor registers";
}

static const struct ppg_list_key keys[] = {
    {"route", .set = set_route},
    {"wake", .set = set_wake},
    {"form", .set = set_form},
    {"terminal-id", .text_at = offsetof(struct ppg_terminal_draft, terminal.terminal_id)},
};

const struct ppg_terminal_part ppg_terminal_reach = {keys, sizeof keys / sizeof keys[0], end};
