/* A terminal that registers over SIP at the gateway itself, and the address of record that it has there.  How it proves who it
 * is: terminal_call.c.  Off the loops. */
#include "ppg/config/terminal_parts.h"

#include <stdio.h>
#include <string.h>

#include "ota/sip/uri.h"

static void set_registers(struct ppg_list *l, const struct ppg_ini_line *line)
{
    static const struct ppg_word words[] = {
        {"no", OTA_CALLS_NO}, {"tls", OTA_CALLS_TLS}, {"any", OTA_CALLS_ANY}, {NULL, 0}};
    int over = OTA_CALLS_NO;

    ppg_list_word(l, line, words, &over);
    ppg_terminal_draft(l)->terminal.registers = (enum ota_calls)over;
}

static bool is_sip_domain(const struct ppg_terminal_draft *d, struct slice host)
{
    struct slice rest = d->sip_domains, domain;

    while (slice_item(&rest, &domain))
        if (slice_eq_ci(domain, host))
            return true;
    return false;
}

/* The address of record as the registrar has it: scheme sip, host in lower case. */
static enum err keep_record(struct ppg_terminal_draft *d, const struct ota_sip_uri *uri)
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
    struct ppg_terminal_draft *d = ppg_terminal_draft(l);
    struct ota_sip_uri uri;

    if (ota_sip_uri_parse(line->value, &uri) || !uri.has_user || uri.secure)
        ppg_list_say(l, line, "not like sip:alice@example.net");
    else if (!is_sip_domain(d, slice_str(uri.host)))
        ppg_list_say(l, line, "not of a domain of [ota-sip] domains");
    else if (keep_record(d, &uri))
        ppg_load_say(l->load, ERR_NOMEM, line->at, line->key, "no memory");
}

/* Without registers-as: its address, or its number in the first domain.  False: that is no record of ours. */
static bool default_record(struct ppg_terminal_draft *d)
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

static const char *end(struct ppg_terminal_draft *d)
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

static const struct ppg_list_key keys[] = {
    {"registers", .set = set_registers},
    {"registers-as", .set = set_registers_as},
};

const struct ppg_terminal_part ppg_terminal_register = {keys, sizeof keys / sizeof keys[0], end};
