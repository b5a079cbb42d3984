/* How TLS knows a terminal that the gateway connects to, and when pushes go in sessions.  Off the loops. */
#include "ppg/config/terminal_parts.h"

static void set_psk_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_psk(l, line, &ppg_terminal_draft(l)->terminal.psk);
}

static void set_session(struct ppg_list *l, const struct ppg_ini_line *line)
{
    static const struct ppg_word words[] = {{"no", OTA_SESSION_NO},
                                            {"large", OTA_SESSION_LARGE},
                                            {"always", OTA_SESSION_ALWAYS},
                                            {"tls", OTA_SESSION_TLS},
                                            {NULL, 0}};
    int session = OTA_SESSION_NO;

    ppg_list_word(l, line, words, &session);
    ppg_terminal_draft(l)->terminal.session = (enum ota_session)session;
}

static const char *end(struct ppg_terminal_draft *d)
{
    const struct ota_terminal *t = &d->terminal;
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

static const struct ppg_list_key keys[] = {
    {"session", .set = set_session},
    {"tls-name", .text_at = offsetof(struct ppg_terminal_draft, terminal.tls_name)},
    {"psk-identity", .text_at = offsetof(struct ppg_terminal_draft, terminal.psk_identity)},
    {"psk-file", .set = set_psk_file},
};

const struct ppg_terminal_part ppg_terminal_tls = {keys, sizeof keys / sizeof keys[0], end};
