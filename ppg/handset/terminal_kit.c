/* The client library as the command line wants it: what the terminal says of itself, its logins, its associations and the
 * keys of its identity module.  One thread. */
#include <stdlib.h>

#include "base/mem.h"
#include "ppg/config/ini.h"
#include "ppg/config/module.h"
#include "ppg/config/terminals.h"
#include "ppg/handset/push_print.h"
#include "ppg/handset/terminal.h"

#define SEEN_MAX    10000 /* message ids remembered */
#define OUTSTANDING 1

/* What the terminal tells the gateway of itself, as header fields have it. */
struct said {
    struct buf password, proof, mac, xml;
    struct sec_secret mac_key;
    struct sec_xml_keys xml_keys;
    struct buf apps, accept, charsets, encodings, languages, verify_apps, pin_apps;
};

static void join(const struct tool_list *l, const char *none, struct buf *out)
{
    for (size_t i = 0; i < l->n; i++) {
        buf_add_str(out, i ? ", " : "");
        buf_add_str(out, l->v[i]);
    }
    if (l->n == 0)
        buf_add_str(out, none);
}

static enum err say(const struct tool_terminal_options *o, struct said *said, struct kit_conf *conf)
{
    const struct {
        const struct tool_list *list;
        const char *none;
        struct buf *text;
        struct slice *into;
    } rows[] = {{&o->apps, "*", &said->apps, &conf->accept_app},
                {&o->accept, "", &said->accept, &conf->accept},
                {&o->charsets, "", &said->charsets, &conf->accept_charset},
                {&o->encodings, "", &said->encodings, &conf->accept_encoding},
                {&o->languages, "", &said->languages, &conf->accept_language},
                {&o->verify_apps, "", &said->verify_apps, &conf->verify_apps},
                {&o->pin_apps, "", &said->pin_apps, &conf->user_apps}};
    enum err e = ERR_OK;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && !e; i++) {
        join(rows[i].list, rows[i].none, rows[i].text);
        *rows[i].into = buf_slice(rows[i].text);
        e = buf_err(rows[i].text);
    }
    return e;
}

/* Of one algorithm: whoever has both keys takes the stronger. */
static int take_mac(const struct tool_terminal_options *o, struct said *said, struct kit_conf *conf)
{
    struct slice text;
    int bad = o->mac && o->mac_md5 ? tool_terminal_complain("--mac and --mac-md5", "one of them") : 0;

    if (!bad)
        bad = tool_terminal_login(o->mac ? "--mac" : "--mac-md5", o->mac ? o->mac : o->mac_md5, &said->mac,
                                  &conf->mac_user, &text);
    if (bad)
        return bad;
    if (o->mac_md5) {
        conf->mac_password = text;
        return 0;
    }
    if (sec_secret_set_hex(&said->mac_key, text) || said->mac_key.n != SEC_MAC_KEY_N)
        return tool_terminal_complain("--mac", "the file holds no key of 64 hexadecimal digits");
    conf->mac_key = sec_secret_slice(&said->mac_key);
    return 0;
}

static int take_xml(const char *spec, struct said *said, struct kit_conf *conf)
{
    struct slice text;
    int bad = tool_terminal_login("--xml", spec, &said->xml, &conf->xml_name, &text);

    if (bad)
        return bad;
    if (sec_xml_keys_set_hex(&said->xml_keys, text))
        return tool_terminal_complain("--xml", "the file holds no two keys, 128 hexadecimal digits");
    conf->xml_keys = &said->xml_keys;
    return 0;
}

static struct kit_conf conf_of(struct tool_terminal *t)
{
    const struct tool_terminal_options *o = t->o;

    return (struct kit_conf){.terminal_id = slice_str(o->terminal_id),
                             .max_size = (size_t)o->max_size,
                             .max_outstanding = OUTSTANDING,
                             .trusted_only = o->trusted_only,
                             .servers = t->servers,
                             .servers_n = o->servers.n,
                             .seen_max = SEEN_MAX,
                             .calls_tls = t->gateway.host.n && (o->ca || o->psk),
                             .verify = o->home.url != NULL,
                             .user = tool_pin_ask,
                             .user_arg = &t->pin,
                             .verify_rate = (unsigned)o->verify_rate,
                             .window = (unsigned)o->window,
                             .provisioning = o->provisioning != NULL,
                             .proof_md5 = o->proof_md5};
}

/* Who asks whom for which password. */
static int take_logins(const struct tool_terminal *t, struct said *said, struct kit_conf *conf)
{
    const struct tool_terminal_options *o = t->o;
    int bad = 0;

    if (o->peer_key) {
        conf->login_user = t->peer.name;
        conf->login_password = buf_slice(&t->peer.password);
    }
    if (o->login)
        bad = tool_terminal_login("--login", o->login, &said->password, &conf->login_user,
                                  &conf->login_password);
    if (!bad && o->proof)
        bad =
            tool_terminal_login("--proof", o->proof, &said->proof, &conf->proof_user, &conf->proof_password);
    if (!bad && o->proof_md5 && (!o->proof || !o->ca))
        bad = tool_terminal_complain("--proof-md5", "goes with --proof and --ca");
    return bad;
}

static int make_kit_with(struct tool_terminal *t, struct said *said)
{
    const struct tool_terminal_options *o = t->o;
    struct kit_conf conf = conf_of(t);
    char why[TOOL_WHY_N];
    enum err e = say(o, said, &conf);
    int bad = 0;

    if (!tool_push_level_parse(o->require, &conf.floor))
        bad = tool_terminal_complain("--require", "none, integrity or full");
    if (!bad)
        bad = take_logins(t, said, &conf);
    if (!bad && (o->mac || o->mac_md5))
        bad = take_mac(o, said, &conf);
    if (!bad && o->xml)
        bad = take_xml(o->xml, said, &conf);
    if (!bad && o->pin && tool_pin_read(o->pin, &t->pin, why))
        bad = tool_terminal_complain(why, "");
    if (bad)
        return bad;
    if (e || o->servers.n > TOOL_TERMINAL_SERVERS_MAX)
        return tool_terminal_complain("too many applications, types or servers", "");
    for (size_t i = 0; i < o->servers.n; i++)
        t->servers[i] = slice_str(o->servers.v[i]);
    e = kit_create(&conf, &t->kit);
    return e ? tool_terminal_complain("what the terminal says of itself", err_text(e)) : 0;
}

static int make_kit(struct tool_terminal *t)
{
    struct said said;
    struct buf *const texts[] = {&said.apps,      &said.accept,      &said.charsets, &said.encodings,
                                 &said.languages, &said.verify_apps, &said.pin_apps};
    int bad;

    buf_init(&said.password, TOOL_TERMINAL_FILE_MAX_N);
    buf_init(&said.proof, TOOL_TERMINAL_FILE_MAX_N);
    buf_init(&said.mac, TOOL_TERMINAL_FILE_MAX_N);
    buf_init(&said.xml, TOOL_TERMINAL_FILE_MAX_N);
    said.xml_keys = (struct sec_xml_keys){.sign = {.n = 0}};
    sec_secret_init(&said.mac_key);
    (void)buf_room(&said.password, TOOL_TERMINAL_FILE_MAX_N); /* so that it never moves, and is wiped whole */
    (void)buf_room(&said.proof, TOOL_TERMINAL_FILE_MAX_N);
    (void)buf_room(&said.mac, TOOL_TERMINAL_FILE_MAX_N);
    (void)buf_room(&said.xml, TOOL_TERMINAL_FILE_MAX_N);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        buf_init(texts[i], TOOL_TERMINAL_FILE_MAX_N);
    bad = make_kit_with(t, &said);
    buf_wipe(&said.password);
    buf_wipe(&said.proof);
    buf_wipe(&said.mac);
    buf_wipe(&said.xml);
    sec_xml_keys_clear(&said.xml_keys);
    sec_secret_clear(&said.mac_key);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        buf_clear(texts[i]);
    return bad;
}

static int add_association(struct tool_terminal *t, const char *path, struct ppg_config_errors *errs)
{
    struct ppg_load load = {.errs = errs};
    struct ota_association a = {.present = false};
    struct buf text;
    enum err e;

    buf_init(&text, TOOL_TERMINAL_FILE_MAX_N);
    e = ppg_load_file(&load, path, TOOL_TERMINAL_FILE_MAX_N, 0077, (struct ppg_place){path, 0}, SLICE_NONE,
                      &text);
    if (!e) {
        ppg_association_read_text(&load, buf_slice(&text), path, &a);
        e = load.err;
    }
    if (!e)
        e = kit_add_association(t->kit, a.said, sec_secret_slice(&a.key), a.suites, a.suites_n, a.expires_ms);
    if (e)
        (void)tool_terminal_complain(path, errs->n ? errs->text[0] : err_text(e));
    sec_secret_clear(&a.key);
    buf_wipe(&text);
    return e ? TOOL_TERMINAL_USAGE : 0;
}

static int add_associations(struct tool_terminal *t)
{
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);
    int bad = errs ? 0 : tool_terminal_complain("out of memory", "");

    for (size_t i = 0; i < t->o->associations.n && !bad; i++)
        bad = add_association(t, t->o->associations.v[i], errs);
    free(errs);
    return bad;
}

static int add_module(struct tool_terminal *t)
{
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);
    struct ppg_load load = {.errs = errs};
    struct ppg_module m;
    int bad = errs ? 0 : tool_terminal_complain("out of memory", "");

    if (!bad && t->o->module) {
        ppg_module_read(&load, t->o->module, &m);
        if (!load.err)
            load.err = kit_add_module(t->kit, &(struct kit_module){.impi = m.impi,
                                                                   .k = slice_of(m.k, sizeof m.k),
                                                                   .opc = slice_of(m.opc, sizeof m.opc),
                                                                   .star = m.star,
                                                                   .gateways = m.gateways,
                                                                   .gateways_n = m.gateways_n,
                                                                   .life_max_s = m.life_max_s,
                                                                   .rate = m.rate});
        ppg_module_clear(&m);
        if (load.err)
            bad = tool_terminal_complain(t->o->module, errs->n ? errs->text[0] : err_text(load.err));
    }
    free(errs);
    return bad;
}

int tool_terminal_kit(struct tool_terminal *t)
{
    int bad = make_kit(t);

    if (!bad)
        bad = add_associations(t);
    return bad ? bad : add_module(t);
}
