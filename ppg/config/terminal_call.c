/* How a terminal calls in or fetches, and by what it proves who it is, there and where it registers.  Off the loops. */
#include "ppg/config/terminal_parts.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void set_calls_in(struct ppg_list *l, const struct ppg_ini_line *line)
{
    static const struct ppg_word words[] = {
        {"no", OTA_CALLS_NO}, {"tls", OTA_CALLS_TLS}, {"any", OTA_CALLS_ANY}, {NULL, 0}};
    int calls = OTA_CALLS_NO;

    ppg_list_word(l, line, words, &calls);
    ppg_terminal_draft(l)->terminal.call_in.calls = (enum ota_calls)calls;
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
    struct ppg_terminal_draft *d = ppg_terminal_draft(l);
    int proof = OTA_PROOF_CERTIFICATE;

    ppg_list_word(l, line, words, &proof);
    if (proof == OTA_PROOF_SYNCML_MD5 && !d->md5)
        ppg_list_say(l, line, "MD5 is off: digest-md5 of [pap] or of the policy of algorithms is no");
    d->terminal.call_in.proof = (enum ota_proof)proof;
    d->has_proof = true;
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
        ppg_list_text(l, line, &ppg_terminal_draft(l)->mem,
                      &ppg_terminal_draft(l)->terminal.call_in.certificate);
}

static void set_call_psk_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_psk(l, line, &ppg_terminal_draft(l)->terminal.call_in.psk);
}

static void set_call_psk_tls(struct ppg_list *l, const struct ppg_ini_line *line)
{
    static const struct ppg_word words[] = {{"1.2", 12}, {"1.3", 13}, {NULL, 0}};
    int word = 13;

    ppg_list_word(l, line, words, &word);
    ppg_terminal_draft(l)->terminal.call_in.psk_version = (unsigned)word;
}

/* A shared key of the keyring, known by its name. */
static void set_call_key(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct ppg_terminal_draft *d = ppg_terminal_draft(l);
    struct ota_call_in *c = &d->terminal.call_in;
    const struct sec_key *k = sec_keyring_find(d->keyring, line->value);

    if (c->psk_identity.n || c->psk.n)
        ppg_list_say(l, line, "stands for call-psk-identity and call-psk-file: leave them out");
    else if (!k || sec_keyring_psk(d->keyring, k, &c->psk))
        ppg_list_say(l, line, "the keyring has no shared key of that name");
    else if (arena_dup(&d->mem, k->name, &c->psk_identity))
        ppg_load_say(l->load, ERR_NOMEM, line->at, line->key, "no memory");
}

/* What is wrong with how it comes; NULL: nothing. */
static const char *calls_wrong(const struct ppg_terminal_draft *d)
{
    const struct ota_terminal *t = &d->terminal;
    const struct ota_call_in *c = &t->call_in;

    if (t->peer_store && !t->inbox)
        return "peer-store is for terminals with inbox = yes";
    if (c->wake_host.n && !c->calls)
        return "wake is for terminals with calls-in = tls or any";
    if (c->calls && t->host.n && t->route != OTA_ROUTE_HTTP)
        return "calls-in goes with an http or wap route, or none";
    if (t->inbox && (!d->has_proof || c->proof == OTA_PROOF_NONE))
        return "inbox needs call-proof = certificate, psk, digest, basic or syncml-md5";
    if (!d->has_proof && c->calls)
        return "calls-in needs call-proof = certificate, psk, digest, basic, syncml-md5 or none";
    return NULL;
}

/* Each proof has keys of its own; what is wrong with them, NULL: nothing. */
static const char *proof_wrong(const struct ppg_terminal_draft *d)
{
    const struct ota_terminal *t = &d->terminal;
    const struct ota_call_in *c = &t->call_in;
    bool login = ota_registry_logs_in(t), key = c->psk.n != 0, subscriber = c->subscriber.n != 0;

    if ((c->proof == OTA_PROOF_CERTIFICATE) != (c->certificate.n != 0))
        return "call-proof = certificate and call-certificate go together";
    if (c->proof == OTA_PROOF_AKA && (c->calls || t->inbox))
        return "call-proof = aka is for terminals that register and do nothing else";
    if (c->proof == OTA_PROOF_AKA)
        return subscriber && !key && !c->user.n && !d->call_password.n
                   ? NULL
                   : "call-proof = aka goes with call-subscriber alone";
    if ((c->psk_identity.n != 0) != key || (c->psk_version && !key) ||
        (c->proof == OTA_PROOF_PSK ? key == subscriber : key || subscriber))
        return "call-proof = psk goes with call-key, call-subscriber, or call-psk-identity and call-psk-file";
    if (login != (d->call_password.n != 0) || (c->user.n && !login))
        return "call-proof = digest, basic or syncml-md5 and call-password-file go together";
    if (c->calls == OTA_CALLS_ANY && c->proof != OTA_PROOF_DIGEST && c->proof != OTA_PROOF_NONE)
        return "that call-proof needs calls-in = tls";
    return NULL;
}

/* Is there anything about coming in? */
static bool any(const struct ppg_terminal_draft *d)
{
    const struct ota_call_in *c = &d->terminal.call_in;

    return d->has_proof || c->certificate.n || c->user.n || d->call_password.n || c->psk.n ||
           c->psk_identity.n || c->psk_version || c->subscriber.n || c->wake_host.n;
}

static const char *end(struct ppg_terminal_draft *d)
{
    struct ota_terminal *t = &d->terminal;
    const char *wrong;

    if (!t->call_in.calls && !t->inbox && !t->registers && !t->peer_store)
        return any(d) ? "call-... and wake are for terminals with calls-in = tls or any, inbox = yes, or "
                        "registers = tls or any"
                      : NULL;
    wrong = calls_wrong(d);
    if (!wrong && d->has_proof)
        wrong = proof_wrong(d);
    if (t->call_in.psk.n && !t->call_in.psk_version)
        t->call_in.psk_version = 13;
    t->call_in.password = buf_slice(&d->call_password);
    return wrong;
}

static const struct ppg_list_key keys[] = {
    {"calls-in", .set = set_calls_in},
    {"inbox", .bool_at = offsetof(struct ppg_terminal_draft, terminal.inbox)},
    {"peer-store", .bool_at = offsetof(struct ppg_terminal_draft, terminal.peer_store)},
    {"call-proof", .set = set_call_proof},
    {"call-certificate", .set = set_call_certificate},
    {"call-user", .text_at = offsetof(struct ppg_terminal_draft, terminal.call_in.user)},
    {"call-password-file", .secret_at = offsetof(struct ppg_terminal_draft, call_password)},
    {"call-psk-identity", .text_at = offsetof(struct ppg_terminal_draft, terminal.call_in.psk_identity)},
    {"call-psk-file", .set = set_call_psk_file},
    {"call-psk-tls", .set = set_call_psk_tls},
    {"call-subscriber", .text_at = offsetof(struct ppg_terminal_draft, terminal.call_in.subscriber)},
    {"call-key", .set = set_call_key},
};

const struct ppg_terminal_part ppg_terminal_call = {keys, sizeof keys / sizeof keys[0], end};
