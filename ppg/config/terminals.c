/* terminals.conf; see terminals.h.  What a section may say is in the parts (terminal_parts.h), a file for each subject; here
 * they become one list of keys, and a section a terminal.  Off the loops. */
#include "ppg/config/terminals.h"

#include "ppg/config/terminal_parts.h"
#include "security/address.h"

#define FILE_MAX_N     (256 << 20) /* octets of terminals.conf */
#define TERMINALS_MAX  1000000
#define SECTION_MAX_N  (64 << 10) /* octets of text in one section */
#define PROFILES_MAX   10000      /* files that describe models */
#define PROFILES_MAX_N (64 << 20) /* octets of what they say */
#define COUNT(a)       (sizeof(a) / sizeof((a)[0]))

/* In the order in which they end: the first that finds something wrong is told. */
static const struct ppg_terminal_part *const parts[] = {&ppg_terminal_reach,    &ppg_terminal_call,
                                                        &ppg_terminal_register, &ppg_terminal_tls,
                                                        &ppg_terminal_keys,     &ppg_terminal_profile};

static void forget(struct ppg_terminal_draft *d)
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
    struct ppg_terminal_draft *d = ppg_terminal_draft(l);
    struct sec_address address;

    forget(d);
    d->terminal = (struct ota_terminal){.direct = false};
    d->model = NULL;
    if (sec_address_canonical(name, &address))
        ppg_load_say(l->load, ERR_MALFORMED, l->at, name, "not an address");
    else if (arena_dup(&d->mem, slice_of(address.text, address.n), &d->terminal.key))
        ppg_load_say(l->load, ERR_NOMEM, l->at, SLICE_NONE, "no memory");
}

static const char *add_trouble(enum err e, bool known)
{
    if (e == ERR_MALFORMED)
        return "calls in without terminal-id, and its address is no number";
    if (e == ERR_EXISTS)
        return known ? "already described" : "calls in or registers as another terminal does";
    return err_text(e);
}

static void end(struct ppg_list *l)
{
    struct ppg_terminal_draft *d = ppg_terminal_draft(l);
    const struct ota_terminal *t = &d->terminal;
    bool known = ota_registry_find(d->registry, t->key) != NULL;
    const char *wrong = NULL;
    enum err e = ERR_MALFORMED;

    for (size_t i = 0; i < COUNT(parts) && !wrong; i++)
        wrong = parts[i]->end(d);
    if (!wrong) {
        e = ota_registry_add(d->registry, t);
        wrong = e ? add_trouble(e, known) : NULL;
    }
    if (wrong)
        ppg_load_say_of(l->load, e, l->at, t->key, "%s", wrong);
    forget(d);
}

static void gather_keys(struct ppg_terminal_draft *d)
{
    struct ppg_list *l = &d->list;

    for (size_t i = 0; i < COUNT(parts); i++)
        for (size_t k = 0; k < parts[i]->keys_n; k++) {
            MUST(l->keys_n < COUNT(d->keys));
            d->keys[l->keys_n++] = parts[i]->keys[k];
        }
    l->keys = d->keys;
}

void ppg_terminals_read(struct ppg_load *load, const char *path, const struct sec_keyring *keyring,
                        unsigned suites, bool md5, struct slice sip_domains, struct ota_registry **out)
{
    struct ppg_place at = {path, 0};
    struct ppg_terminal_draft d = {
        .list = {.load = load, .mem = &d.mem, .kind = "terminal", .begin = begin, .end = end},
        .keyring = keyring,
        .suites = suites,
        .md5 = md5,
        .sip_domains = sip_domains};
    enum err e = ota_registry_create(TERMINALS_MAX, &d.registry);

    if (e) {
        ppg_load_say(load, e, at, SLICE_NONE, "no table of terminals: %s", err_text(e));
        return;
    }
    gather_keys(&d);
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
