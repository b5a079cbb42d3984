/* Keys between gateway and terminal that no transport asks for: its association, the login at it, macs, XML, objects.
 * Off the loops. */
#include "ppg/config/terminal_parts.h"

#include "ppg/config/terminals.h"

#define ASSOCIATION_MAX_N 4096 /* octets of an association file */

static void set_login_key(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct ppg_terminal_draft *d = ppg_terminal_draft(l);
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

static void set_mac_key_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_mac_key(l, line, &ppg_terminal_draft(l)->terminal.mac.keys.key[SEC_MAC_SHA256]);
}

static void set_xml_key_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_xml_keys(l, line, &ppg_terminal_draft(l)->terminal.xml.keys);
}

static void set_object_key_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_xml_keys(l, line, &ppg_terminal_draft(l)->terminal.object.keys);
}

/* Since when that file says what it says; 0: gone meanwhile. */
static int64_t written_s(const char *path)
{
    struct stat st;

    return stat(path, &st) ? 0 : st.st_mtime;
}

static void set_association_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct ota_association *a = &ppg_terminal_draft(l)->terminal.association;
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
    struct ppg_terminal_draft *d = ppg_terminal_draft(l);
    const struct sec_key *k = sec_keyring_find(d->keyring, line->value);

    if (d->terminal.association.present)
        ppg_list_say(l, line, "association and association-file are two ways to say one thing");
    else if (!k || ppg_association_of_key(d->keyring, k, &d->terminal.association))
        ppg_list_say(l, line, "the keyring has no association of that name");
}

/* Takes the password of macs; what is wrong with them, NULL: nothing.  A push in the direct form has its headers outside of
 * what a mac covers. */
static const char *take_mac(struct ppg_terminal_draft *d)
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

static void keep_suites(struct ota_association *a, unsigned suites)
{
    size_t kept = 0;

    for (size_t i = 0; i < a->suites_n; i++)
        if (suites >> a->suites[i] & 1)
            a->suites[kept++] = a->suites[i];
    a->suites_n = kept;
}

static const char *end(struct ppg_terminal_draft *d)
{
    struct ota_terminal *t = &d->terminal;
    const char *wrong = take_mac(d);

    if (!wrong)
        wrong = xml_wrong(&t->xml);
    if (!wrong)
        wrong = object_wrong(t);
    keep_suites(&t->association, d->suites);
    t->login.password = buf_slice(&d->password);
    if (!wrong && !t->login.user.n != !t->login.password.n)
        wrong = "login-user and login-password-file go together";
    return wrong;
}

static const struct ppg_list_key keys[] = {
    {"login-user", .text_at = offsetof(struct ppg_terminal_draft, terminal.login.user)},
    {"login-password-file", .secret_at = offsetof(struct ppg_terminal_draft, password)},
    {"login-key", .set = set_login_key},
    {"mac-user", .text_at = offsetof(struct ppg_terminal_draft, terminal.mac.user)},
    {"mac-key-file", .set = set_mac_key_file},
    {"mac-password-file", .secret_at = offsetof(struct ppg_terminal_draft, mac_password)},
    {"xml-name", .text_at = offsetof(struct ppg_terminal_draft, terminal.xml.name)},
    {"xml-key-file", .set = set_xml_key_file},
    {"object-name", .text_at = offsetof(struct ppg_terminal_draft, terminal.object.name)},
    {"object-key-file", .set = set_object_key_file},
    {"association-file", .set = set_association_file},
    {"association", .set = set_association},
};

const struct ppg_terminal_part ppg_terminal_keys = {keys, sizeof keys / sizeof keys[0], end};
