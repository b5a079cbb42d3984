/* Sections of one kind by a table of keys; see lists.h.  Off the loops. */
#include "ppg/config/lists.h"

#include "security/login/mac.h"

#define WANTED_MAX_N 200 /* octets of what names all words */
#define PSK_MIN_N    16  /* octets: RFC 9257 wants 128 bits */

void ppg_list_say(struct ppg_list *l, const struct ppg_ini_line *line, const char *what)
{
    ppg_load_say(l->load, ERR_MALFORMED, line->at, line->key, "%s", what);
}

static size_t faults(const struct ppg_list *l)
{
    return l->load->errs->n + l->load->errs->more;
}

static void open_section(struct ppg_list *l, struct ppg_place at, struct slice name)
{
    l->at = at;
    l->seen = 0;
    l->faults = faults(l);
    l->open = true;
    if (l->begin)
        l->begin(l, name);
}

static void close_section(struct ppg_list *l)
{
    for (size_t i = 0; l->open && i < l->keys_n; i++)
        if (l->keys[i].must && !(l->seen & UINT64_C(1) << i))
            ppg_load_say(l->load, ERR_MALFORMED, l->at, slice_str(l->keys[i].name), "missing");
    if (l->open && faults(l) == l->faults)
        l->end(l);
    l->open = false;
}

static void say_kinds(const struct ppg_list *first, const struct ppg_ini_line *line)
{
    struct buf kinds;

    buf_init(&kinds, 200);
    for (const struct ppg_list *l = first; l; l = l->next)
        buf_addf(&kinds, "%s[%s NAME]", l == first ? "" : ", ", l->kind);
    buf_add_ch(&kinds, '\0');
    ppg_load_say_of(first->load, ERR_MALFORMED, line->at, line->section, "sections here are %s",
                    buf_err(&kinds) ? first->kind : kinds.p);
    buf_clear(&kinds);
}

/* "kind name" */
static void next_section(struct ppg_list *first, const struct ppg_ini_line *line)
{
    struct slice kind, name;
    struct ppg_list *l = first;

    if (!first->kind) {
        ppg_load_say_of(first->load, ERR_MALFORMED, line->at, line->section, "this file has no sections");
        return;
    }
    close_section(first->current);
    if (!slice_cut(line->section, ' ', &kind, &name))
        l = NULL;
    while (l && !slice_eq(kind, slice_str(l->kind)))
        l = l->next;
    if (!l) {
        say_kinds(first, line);
        return;
    }
    first->current = l;
    open_section(l, line->at, slice_trim(name));
}

/* What is there already, by a key that stands for several.  True: told. */
static bool is_said(struct ppg_list *l, const struct ppg_ini_line *line, bool there)
{
    if (there)
        ppg_list_say(l, line, "another key of this section has said it");
    return there;
}

static void take_text(struct ppg_list *l, const struct ppg_ini_line *line, struct slice *out)
{
    if (!is_said(l, line, out->n != 0))
        ppg_list_text(l, line, l->mem, out);
}

static void take_value(struct ppg_list *l, const struct ppg_list_key *key, const struct ppg_ini_line *line)
{
    char *draft = (char *)l;

    if (key->set)
        key->set(l, line);
    else if (key->text_at)
        take_text(l, line, (struct slice *)(void *)(draft + key->text_at));
    else if (key->bool_at)
        ppg_list_bool(l, line, (bool *)(void *)(draft + key->bool_at));
    else
        ppg_list_secret(l, line, (struct buf *)(void *)(draft + key->secret_at));
}

static void take_key(struct ppg_list *l, const struct ppg_ini_line *line)
{
    size_t i = 0;

    while (i < l->keys_n && !slice_eq(line->key, slice_str(l->keys[i].name)))
        i++;
    if (i == l->keys_n)
        ppg_load_say_unknown(l->load, line, "key", line->key, &l->keys[0].name, sizeof l->keys[0], l->keys_n);
    else if ((l->seen & UINT64_C(1) << i) && !l->keys[i].repeats)
        ppg_list_say(l, line, "already set in this section");
    else
        take_value(l, &l->keys[i], line);
    if (i < l->keys_n)
        l->seen |= UINT64_C(1) << i;
}

static void take(const struct ppg_ini_line *line, void *arg)
{
    struct ppg_list *first = arg;

    if (line->key.n == 0)
        next_section(first, line);
    else if (first->current->open)
        take_key(first->current, line);
    else if (line->section.n == 0)
        ppg_list_say(first, line, "stands before any section");
}

void ppg_list_read_text(struct ppg_list *l, struct slice text, const char *file)
{
    l->open = false;
    l->current = l;
    if (!l->kind)
        open_section(l, (struct ppg_place){file, 0}, SLICE_NONE);
    ppg_ini_read(l->load, text, file, take, l);
    close_section(l->current);
}

void ppg_list_read(struct ppg_list *l, const char *path, size_t max_n, unsigned forbidden,
                   struct ppg_place at, struct slice key)
{
    struct buf text;

    buf_init(&text, 0);
    if (ppg_load_file(l->load, path, max_n, forbidden, at, key, &text) == ERR_OK)
        ppg_list_read_text(l, buf_slice(&text), path);
    buf_wipe(&text);
}

void ppg_list_bool(struct ppg_list *l, const struct ppg_ini_line *line, bool *out)
{
    if (ppg_value_bool(line->value, out))
        ppg_list_say(l, line, "yes or no");
}

void ppg_list_text(struct ppg_list *l, const struct ppg_ini_line *line, struct arena *mem, struct slice *out)
{
    if (line->value.n == 0)
        ppg_list_say(l, line, "empty");
    else if (arena_dup(mem, line->value, out))
        ppg_load_say(l->load, ERR_NOMEM, line->at, line->key, "no memory");
}

void ppg_list_word(struct ppg_list *l, const struct ppg_ini_line *line, const struct ppg_word *words,
                   int *out)
{
    struct buf wanted;

    if (ppg_value_word(line->value, words, out) == ERR_OK)
        return;
    buf_init(&wanted, WANTED_MAX_N);
    ppg_value_words_print(words, &wanted);
    buf_add_ch(&wanted, '\0');
    ppg_list_say(l, line, buf_err(&wanted) ? "not one of the words" : wanted.p);
    buf_clear(&wanted);
}

static bool one_line(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return s.n > 0;
}

void ppg_list_secret(struct ppg_list *l, const struct ppg_ini_line *line, struct buf *secret)
{
    struct buf path;

    if (is_said(l, line, secret->n != 0))
        return;
    buf_init(&path, PPG_INI_LINE_MAX_N + 1);
    ppg_load_path(line->at.file, line->value, &path);
    if (buf_err(&path))
        ppg_load_say(l->load, buf_err(&path), line->at, line->key, "file name too long");
    else if (ppg_load_file(l->load, path.p, PPG_LIST_SECRET_MAX_N, S_IRWXG | S_IRWXO, line->at, line->key,
                           secret) == ERR_OK) {
        while (secret->n && (secret->p[secret->n - 1] == '\n' || secret->p[secret->n - 1] == '\r'))
            buf_cut(secret, secret->n - 1);
        if (!one_line(buf_slice(secret)))
            ppg_list_say(l, line, "the file must hold one line");
    }
    buf_clear(&path);
}

void ppg_list_mac_key(struct ppg_list *l, const struct ppg_ini_line *line, struct sec_secret *out)
{
    struct sec_secret key;
    struct buf text;

    buf_init(&text, PPG_LIST_SECRET_MAX_N + 1);
    sec_secret_init(&key);
    ppg_list_secret(l, line, &text);
    if (text.n && (sec_secret_set_hex(&key, buf_slice(&text)) || key.n != SEC_MAC_KEY_N))
        ppg_list_say(l, line, "the file holds no key of 64 hexadecimal digits");
    else
        *out = key;
    sec_secret_clear(&key);
    buf_wipe(&text);
}

void ppg_list_psk(struct ppg_list *l, const struct ppg_ini_line *line, struct sec_secret *out)
{
    struct buf text;

    if (is_said(l, line, out->n != 0))
        return;
    buf_init(&text, PPG_LIST_SECRET_MAX_N + 1);
    ppg_list_secret(l, line, &text);
    if (text.n && (sec_secret_set_hex(out, buf_slice(&text)) || out->n < PSK_MIN_N))
        ppg_list_say(l, line, "the file holds no key of 32 to 128 hexadecimal digits");
    buf_wipe(&text);
}

void ppg_list_xml_keys(struct ppg_list *l, const struct ppg_ini_line *line, struct sec_xml_keys *out)
{
    struct buf text;

    buf_init(&text, PPG_LIST_SECRET_MAX_N + 1);
    ppg_list_secret(l, line, &text);
    if (text.n && sec_xml_keys_set_hex(out, buf_slice(&text)))
        ppg_list_say(l, line, "the file holds no two keys, 128 hexadecimal digits");
    buf_wipe(&text);
}
