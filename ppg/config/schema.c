/* Reads ppg.conf by the table of keys.c, then checks the rules that span keys; see schema.h. */
#include "ppg/config/schema.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/net/tls.h"
#include "base/num.h"
#include "ppg/config/keys.h"

#define PATH_MAX_N 1024 /* octets of a file name, folder included */

struct reading {
    struct ppg_load *load;
    const char *file;
    struct arena *strings;
    struct ppg_settings *out;
};

static void *field(const struct reading *r, size_t at)
{
    return (char *)(void *)r->out + at;
}

/* Numbers of the settings are of several widths; ranges have made sure that they fit. */
static void put_number(void *to, size_t width, int64_t v)
{
    uint8_t v8 = (uint8_t)v;
    uint32_t v32 = (uint32_t)v;

    MUST(width == sizeof v8 || width == sizeof v32 || width == sizeof v);
    if (width == sizeof v8)
        mem_copy(to, width, slice_of(&v8, width));
    else if (width == sizeof v32)
        mem_copy(to, width, slice_of(&v32, width));
    else
        mem_copy(to, width, slice_of(&v, width));
}

static enum err put_string(struct reading *r, const char **to, struct slice text)
{
    struct slice kept;
    enum err e = arena_dup(r->strings, text, &kept);

    if (e == ERR_OK)
        *to = kept.p;
    return e;
}

static enum err put_path(struct reading *r, const char **to, struct slice name)
{
    struct buf path;
    enum err e;

    buf_init(&path, PATH_MAX_N);
    ppg_load_path(r->file, name, &path);
    e = buf_err(&path);
    if (e == ERR_OK)
        e = put_string(r, to, slice_of(path.p, path.n - 1));
    buf_clear(&path);
    return e;
}

static enum err put_number_key(struct reading *r, const struct ppg_config_key *key, struct slice value)
{
    bool yes = false;
    int word = 0;
    int64_t v = 0;
    enum err e;

    if (key->type == PPG_KEY_BOOL)
        e = ppg_value_bool(value, &yes);
    else if (key->type == PPG_KEY_WORD)
        e = ppg_value_word(value, key->words, &word);
    else if (key->type == PPG_KEY_WORDS)
        e = ppg_value_words(value, key->words, &word);
    else if (key->type == PPG_KEY_TIME)
        e = ppg_value_time(value, key->min, key->max, &v);
    else if (key->type == PPG_KEY_SIZE)
        e = ppg_value_size(value, key->min, key->max, &v);
    else
        e = ppg_value_count(value, key->min, key->max, &v);
    if (e == ERR_OK)
        put_number(field(r, key->at), key->width, v + word + yes); /* two of them are 0 */
    return e;
}

static enum err put_text_key(struct reading *r, const struct ppg_config_key *key, struct slice value)
{
    const char **to = field(r, key->at);
    int word;

    if (key->type == PPG_KEY_NAME && ppg_value_word(value, key->words, &word) != ERR_OK)
        return ERR_MALFORMED;
    if (key->type == PPG_KEY_TEXT && (value.n < (size_t)key->min || value.n > (size_t)key->max))
        return ERR_LIMIT;
    if (key->type == PPG_KEY_NAME || key->type == PPG_KEY_TEXT)
        return put_string(r, to, value);
    if (key->type == PPG_KEY_MASTER && slice_starts(value, SLICE("credential:")))
        return put_string(r, to, value);
    if (value.n)
        return put_path(r, to, value);
    *to = NULL;
    return key->min ? ERR_MALFORMED : ERR_OK;
}

static enum err put_item(struct reading *r, const struct ppg_config_key *key, size_t i, struct slice item)
{
    if (key->type == PPG_KEY_LISTENS)
        return ppg_value_listen(item, (struct ppg_listen *)field(r, key->at) + i);
    if (key->type == PPG_KEY_NETWORKS)
        return sec_network_parse(item, (struct sec_network *)field(r, key->at) + i);
    if (key->type == PPG_KEY_TIMES)
        return ppg_value_time(item, key->each_min, key->each_max, (int64_t *)field(r, key->at) + i);
    return put_path(r, (const char **)field(r, key->at) + i, item);
}

static enum err put_list_key(struct reading *r, const struct ppg_config_key *key, struct slice value)
{
    size_t *count = field(r, key->count_at);
    struct slice item;
    enum err e = ERR_OK;

    *count = 0;
    while (e == ERR_OK && slice_item(&value, &item)) {
        e = *count == (size_t)key->max ? ERR_LIMIT : put_item(r, key, *count, item);
        *count += e == ERR_OK;
    }
    return e;
}

static enum err put(struct reading *r, const struct ppg_config_key *key, struct slice value)
{
    if (key->type >= PPG_KEY_FILES)
        return put_list_key(r, key, value);
    if (key->type >= PPG_KEY_NAME)
        return put_text_key(r, key, value);
    return put_number_key(r, key, value);
}

static void say_allowed(struct reading *r, const struct ppg_config_key *key, const struct ppg_ini_line *line,
                        enum err e)
{
    struct buf allowed;

    buf_init(&allowed, 512);
    ppg_config_key_allowed(key, &allowed);
    buf_add_ch(&allowed, '\0');
    ppg_load_say(r->load, e == ERR_NOMEM ? e : ERR_MALFORMED, line->at, line->key, "%s \"%.*s\", allowed: %s",
                 e == ERR_LIMIT ? "out of range" : "cannot be", (int)num_min(line->value.n, 60),
                 line->value.p, buf_err(&allowed) ? "" : allowed.p);
    buf_clear(&allowed);
}

/* Keys [*first, *end) of the section; false when there is no such section. */
static bool section_keys(struct slice section, size_t *first, size_t *end)
{
    size_t i = 0;

    while (i < ppg_config_keys_n && !slice_eq(section, slice_str(ppg_config_keys[i].section)))
        i++;
    *first = i;
    while (i < ppg_config_keys_n && slice_eq(section, slice_str(ppg_config_keys[i].section)))
        i++;
    *end = i;
    return *first < *end;
}

static void take_key(struct reading *r, const struct ppg_ini_line *line, size_t first, size_t end)
{
    size_t i = first;
    enum err e;

    while (i < end && !slice_eq(line->key, slice_str(ppg_config_keys[i].name)))
        i++;
    if (i == end) {
        ppg_load_say_unknown(r->load, line, "key", line->key, &ppg_config_keys[first].name,
                             sizeof ppg_config_keys[0], end - first);
    } else if (r->out->lines[i]) {
        ppg_load_say(r->load, ERR_MALFORMED, line->at, line->key, "already set in line %u", r->out->lines[i]);
    } else {
        r->out->lines[i] = line->at.line;
        e = put(r, &ppg_config_keys[i], line->value);
        if (e)
            say_allowed(r, &ppg_config_keys[i], line, e);
    }
}

static void take(const struct ppg_ini_line *line, void *arg)
{
    struct reading *r = arg;
    size_t first, end;

    if (line->section.n == 0)
        ppg_load_say(r->load, ERR_MALFORMED, line->at, line->key, "stands before any [section]");
    else if (section_keys(line->section, &first, &end)) {
        if (line->key.n)
            take_key(r, line, first, end);
    } else if (line->key.n == 0) { /* once, not for each of its keys */
        ppg_load_say_unknown(r->load, line, "section", line->section, &ppg_config_keys[0].section,
                             sizeof ppg_config_keys[0], ppg_config_keys_n);
    }
}

/* What text must be beyond its length; file names are checked as they come out. */
static void check_texts(struct reading *r)
{
    for (size_t i = 0; i < ppg_config_keys_n; i++) {
        const struct ppg_config_key *key = &ppg_config_keys[i];
        const char *text = key->check ? *(const char **)field(r, key->at) : NULL;
        const char *why = text ? key->check(slice_str(text)) : NULL;

        if (why)
            ppg_load_say(r->load, ERR_MALFORMED, (struct ppg_place){r->file, r->out->lines[i]},
                         slice_str(key->name), "%s", why);
    }
}

/* A rule between two keys: broken is said of the first, in the line of the one that was written last. */
struct rule {
    size_t at; /* of the key that is named */
    size_t with;
    bool (*broken)(const struct ppg_settings *s);
    const char *what;
};

static bool no_listener(const struct ppg_settings *s)
{
    return s->pap.listen_n + s->pap.listen_tls_n + s->pap.listen_psk_n == 0;
}
static bool tls_without_cert(const struct ppg_settings *s)
{
    return s->pap.listen_tls_n && s->pap.cert_n == 0;
}
static bool cert_without_key(const struct ppg_settings *s)
{
    return s->pap.cert_n != s->pap.key_n;
}
static bool staple_without_cert(const struct ppg_settings *s)
{
    return s->pap.staple_n && s->pap.staple_n != s->pap.cert_n;
}
static bool policy_without_key(const struct ppg_settings *s)
{
    return s->files.algorithms && !s->files.algorithms_key;
}
static bool verify_without_ca(const struct ppg_settings *s)
{
    return s->pap.listen_tls_n && s->pap.client_certificate != NET_TLS_VERIFY_NONE && !s->pap.ca;
}
static bool crl_without_ca(const struct ppg_settings *s)
{
    return s->pap.crl && !s->pap.ca;
}
static bool control_above_body(const struct ppg_settings *s)
{
    return s->pap.control_max_n > s->pap.body_max_n;
}
static bool default_above_max(const struct ppg_settings *s)
{
    return s->pap.default_lifetime_ms > s->pap.max_lifetime_ms;
}
static bool terminal_cert_without_key(const struct ppg_settings *s)
{
    return !s->ota_http.cert != !s->ota_http.key;
}
static bool calls_without_cert(const struct ppg_settings *s)
{
    return s->ota_http.listen_tls_n && !s->ota_http.cert;
}
static bool bsf_cert_without_key(const struct ppg_settings *s)
{
    return !s->key_server.cert != !s->key_server.key;
}
static bool ub_without_cert(const struct ppg_settings *s)
{
    return s->key_server.listen_ub_n && !s->key_server.cert;
}
static bool entities_without_cert(const struct ppg_settings *s)
{
    return s->key_server.listen_entities_n && !s->key_server.cert;
}
static bool entities_without_users(const struct ppg_settings *s)
{
    return s->key_server.listen_entities_n && !s->files.users;
}
static bool users_without_keyring(const struct ppg_settings *s)
{
    return s->files.users && !s->keyring.path;
}
static bool naf_without_ca(const struct ppg_settings *s)
{
    return s->key_server.listen_naf_n && (!s->key_server.cert || !s->key_server.ca);
}
static bool naf_without_nafs(const struct ppg_settings *s)
{
    return s->key_server.listen_naf_n && !s->files.nafs;
}
static bool peer_without_visits(const struct ppg_settings *s)
{
    return s->key_server.listen_peer_n && !s->files.visits;
}
static bool visits_without_ca(const struct ppg_settings *s)
{
    return s->files.visits && (!s->key_server.cert || !s->key_server.ca);
}
static bool bsf_without_certs(const struct ppg_settings *s)
{
    return s->key_server.bsf_url && (!s->key_server.cert || !s->key_server.bsf_ca);
}
static bool bsf_and_subscribers(const struct ppg_settings *s)
{
    return s->key_server.bsf_url && s->files.subscribers;
}
static bool nafs_without_subscribers(const struct ppg_settings *s)
{
    return s->files.nafs && !s->files.subscribers;
}
static bool ub_without_subscribers(const struct ppg_settings *s)
{
    return s->key_server.listen_ub_n && !s->files.subscribers;
}
static bool inbox_without_cert(const struct ppg_settings *s)
{
    return s->inbox.listen_tls_n && !s->ota_http.cert;
}
static bool sip_without_cert(const struct ppg_settings *s)
{
    return s->ota_sip.listen_tls_n && !s->ota_http.cert;
}
static bool msrps_without_ca(const struct ppg_settings *s)
{
    return s->ota_sip.listen_msrps_n && (!s->ota_http.cert || !s->ota_http.ca);
}
static bool expires_out_of_order(const struct ppg_settings *s)
{
    return s->ota_sip.expires_min_ms > s->ota_sip.expires_ms ||
           s->ota_sip.expires_ms > s->ota_sip.expires_max_ms;
}
static bool verify_without_cert(const struct ppg_settings *s)
{
    return s->verify.listen_tls_n && !s->ota_http.cert;
}
static bool first_above_max(const struct ppg_settings *s)
{
    return s->delivery.retry_first_ms > s->delivery.retry_max_ms;
}
static bool claim_above_live(const struct ppg_settings *s)
{
    return s->delivery.claim_max > s->delivery.live_max;
}
static bool floor_above_ceiling(const struct ppg_settings *s)
{
    return s->protection.floor > s->protection.ceiling;
}

#define OF(field) offsetof(struct ppg_settings, field)
static const struct rule rules[] = {
    {OF(pap.listen), OF(pap.listen_tls), no_listener, "none of listen, listen-tls and listen-psk is set"},
    {OF(pap.listen_tls), OF(pap.cert), tls_without_cert, "needs cert and key"},
    {OF(pap.key), OF(pap.cert), cert_without_key, "must name as many files as cert"},
    {OF(files.algorithms), OF(files.algorithms_key), policy_without_key, "needs algorithms-key"},
    {OF(pap.staple), OF(pap.cert), staple_without_cert, "must name as many files as cert"},
    {OF(pap.client_certificate), OF(pap.listen_tls), verify_without_ca, "needs ca, or none here"},
    {OF(pap.crl), OF(pap.ca), crl_without_ca, "needs ca"},
    {OF(pap.control_max_n), OF(pap.body_max_n), control_above_body, "must not be above body-max"},
    {OF(pap.default_lifetime_ms), OF(pap.max_lifetime_ms), default_above_max,
     "must not be above max-lifetime"},
    {OF(ota_http.key), OF(ota_http.cert), terminal_cert_without_key, "cert and key go together"},
    {OF(ota_http.listen_tls), OF(ota_http.cert), calls_without_cert, "needs cert and key"},
    {OF(key_server.key), OF(key_server.cert), bsf_cert_without_key, "cert and key go together"},
    {OF(key_server.listen_ub), OF(key_server.cert), ub_without_cert, "needs cert and key"},
    {OF(key_server.listen_entities), OF(key_server.cert), entities_without_cert, "needs cert and key"},
    {OF(key_server.listen_entities), OF(files.users), entities_without_users, "needs users"},
    {OF(files.users), OF(keyring.path), users_without_keyring, "needs a keyring"},
    {OF(key_server.listen_naf), OF(key_server.ca), naf_without_ca, "needs cert, key and ca"},
    {OF(key_server.listen_naf), OF(files.nafs), naf_without_nafs, "needs nafs"},
    {OF(key_server.listen_peer), OF(files.visits), peer_without_visits, "needs visits"},
    {OF(files.visits), OF(key_server.ca), visits_without_ca, "needs cert, key and ca of [key-server]"},
    {OF(key_server.bsf_url), OF(key_server.bsf_ca), bsf_without_certs, "needs cert, key and bsf-ca"},
    {OF(key_server.bsf_url), OF(files.subscribers), bsf_and_subscribers, "not together with subscribers"},
    {OF(files.nafs), OF(files.subscribers), nafs_without_subscribers, "needs subscribers"},
    {OF(key_server.listen_ub), OF(files.subscribers), ub_without_subscribers, "needs subscribers"},
    {OF(inbox.listen_tls), OF(ota_http.cert), inbox_without_cert, "needs cert and key of [ota-http]"},
    {OF(ota_sip.listen_tls), OF(ota_http.cert), sip_without_cert, "needs cert and key of [ota-http]"},
    {OF(ota_sip.listen_msrps), OF(ota_http.ca), msrps_without_ca, "needs cert, key and ca of [ota-http]"},
    {OF(ota_sip.expires_ms), OF(ota_sip.expires_max_ms), expires_out_of_order,
     "must be between expires-min and expires-max"},
    {OF(verify.listen_tls), OF(ota_http.cert), verify_without_cert, "needs cert and key of [ota-http]"},
    {OF(delivery.retry_first_ms), OF(delivery.retry_max_ms), first_above_max, "must not be above retry-max"},
    {OF(delivery.claim_max), OF(delivery.live_max), claim_above_live, "must not be above in-memory-max"},
    {OF(protection.floor), OF(protection.ceiling), floor_above_ceiling, "must not be above ceiling"},
};

/* The key whose value is kept at `at` of the settings. */
static size_t key_of(size_t at)
{
    size_t k = 0;

    while (k < ppg_config_keys_n && ppg_config_keys[k].at != at)
        k++;
    MUST(k < ppg_config_keys_n);
    return k;
}

uint32_t ppg_schema_line(const struct ppg_settings *s, const char *section, const char *name)
{
    size_t k = 0;

    while (k < ppg_config_keys_n &&
           (strcmp(ppg_config_keys[k].section, section) != 0 || strcmp(ppg_config_keys[k].name, name) != 0))
        k++;
    MUST(k < ppg_config_keys_n);
    return s->lines[k];
}

static void check_rules(struct reading *r)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        size_t k = key_of(rules[i].at);
        uint32_t with_line = r->out->lines[key_of(rules[i].with)];
        struct ppg_place at = {r->file, r->out->lines[k] > with_line ? r->out->lines[k] : with_line};

        if (rules[i].broken(r->out))
            ppg_load_say(r->load, ERR_MALFORMED, at, slice_str(ppg_config_keys[k].name), "%s", rules[i].what);
    }
}

/* Where connections or datagrams come in; other addresses only tell about somebody. */
static bool is_door(const struct ppg_config_key *key)
{
    return key->type == PPG_KEY_LISTENS && slice_starts(slice_str(key->name), SLICE("listen"));
}

static bool takes_datagrams(const struct ppg_config_key *key)
{
    return slice_eq(slice_str(key->name), SLICE("listen-udp"));
}

static const struct ppg_listen *doors_of(const struct ppg_settings *s, const struct ppg_config_key *key,
                                         size_t *n)
{
    *n = *(const size_t *)(const void *)((const char *)s + key->count_at);
    return (const struct ppg_listen *)(const void *)((const char *)s + key->at);
}

/* The key before `k` that has this address, or one before the n-th of its own; NULL: none. */
static const struct ppg_config_key *door_before(const struct reading *r, size_t k,
                                                const struct ppg_listen *door, size_t n)
{
    for (size_t i = 0; i <= k; i++) {
        const struct ppg_config_key *key = &ppg_config_keys[i];
        const struct ppg_listen *others;
        size_t others_n;

        if (!is_door(key) || takes_datagrams(key) != takes_datagrams(&ppg_config_keys[k]))
            continue;
        others = doors_of(r->out, key, &others_n);
        for (size_t j = 0; j < (i == k ? n : others_n); j++)
            if (door->port && others[j].port == door->port &&
                slice_eq(slice_str(others[j].address), slice_str(door->address)))
                return key;
    }
    return NULL;
}

/* Loops share the address of a door, so two doors would share theirs, and each get what is for the other. */
static void check_doors(struct reading *r)
{
    for (size_t k = 0; k < ppg_config_keys_n; k++) {
        const struct ppg_config_key *key = &ppg_config_keys[k], *before;
        const struct ppg_listen *doors;
        size_t n;

        if (!is_door(key))
            continue;
        doors = doors_of(r->out, key, &n);
        for (size_t i = 0; i < n; i++)
            if ((before = door_before(r, k, &doors[i], i)))
                ppg_load_say(r->load, ERR_MALFORMED, (struct ppg_place){r->file, r->out->lines[k]},
                             slice_str(key->name), "port %u of that address is %s of [%s] already",
                             (unsigned)doors[i].port, before->name, before->section);
    }
}

static void check_file(struct reading *r, size_t k, const char *path)
{
    const struct ppg_config_key *key = &ppg_config_keys[k];
    bool is_private = key->type == PPG_KEY_PRIVATE || key->type == PPG_KEY_PRIVATES;
    struct ppg_place at = {r->file, r->out->lines[k]};
    struct slice name = slice_str(key->name);
    struct stat st;

    if (stat(path, &st) != 0 || access(path, R_OK) != 0)
        ppg_load_say(r->load, ERR_IO, at, name, "cannot read %s: %s", path, strerror(errno));
    else if (is_private)
        (void)ppg_load_mode(r->load, path, &st, S_IRWXO, at, name);
}

/* The files of a key: how many, *paths. */
static size_t files_of(const struct ppg_settings *s, const struct ppg_config_key *key,
                       const char *const **paths)
{
    const char *at = (const char *)s + key->at;

    *paths = (const char *const *)(const void *)at;
    if (key->type == PPG_KEY_FILES || key->type == PPG_KEY_PRIVATES)
        return *(const size_t *)(const void *)((const char *)s + key->count_at);
    if (key->type == PPG_KEY_FILE || key->type == PPG_KEY_PRIVATE)
        return **paths != NULL;
    return 0;
}

/* Every file that the gateway will want to read. */
static void check_files(struct reading *r)
{
    for (size_t k = 0; k < ppg_config_keys_n; k++) {
        const char *const *paths;
        size_t n = files_of(r->out, &ppg_config_keys[k], &paths);

        for (size_t i = 0; i < n; i++)
            check_file(r, k, paths[i]);
    }
}

/* Before the text is read: what it does not set stays so. */
static void put_presets(struct reading *r)
{
    for (size_t i = 0; i < ppg_config_keys_n; i++) {
        const struct ppg_config_key *key = &ppg_config_keys[i];
        enum err e = key->preset ? put(r, key, slice_str(key->preset)) : ERR_OK;

        if (e)
            ppg_load_say(r->load, e, (struct ppg_place){r->file, 0}, slice_str(key->name), "its default: %s",
                         err_text(e));
    }
}

void ppg_schema_read(struct ppg_load *load, struct slice text, const char *file, bool look,
                     struct arena *strings, struct ppg_settings *out)
{
    struct reading r = {.load = load, .file = file, .strings = strings, .out = out};

    MUST(ppg_config_keys_n <= PPG_KEYS_MAX);
    *out = (struct ppg_settings){.policy = {.tls_min = 12}};
    put_presets(&r);
    ppg_ini_read(load, text, file, take, &r);
    check_texts(&r);
    if (load->err == ERR_OK) /* a value that was not understood would be blamed twice */
        check_rules(&r);
    if (load->err == ERR_OK)
        check_doors(&r);
    if (look)
        check_files(&r);
}

void ppg_schema_each_file(const struct ppg_settings *s, ppg_schema_file_fn *fn, void *arg)
{
    for (size_t k = 0; k < ppg_config_keys_n; k++) {
        const char *const *paths;
        size_t n = files_of(s, &ppg_config_keys[k], &paths);

        for (size_t i = 0; i < n; i++)
            fn(paths[i], ppg_config_keys[k].name, s->lines[k], arg);
    }
}

static bool same(const struct ppg_config_key *key, const struct ppg_settings *was,
                 const struct ppg_settings *is)
{
    const void *a = (const char *)was + key->at, *b = (const char *)is + key->at;

    if (key->type >= PPG_KEY_NAME && key->type < PPG_KEY_FILES)
        return slice_eq(slice_str(*(const char *const *)a), slice_str(*(const char *const *)b));
    return slice_eq(slice_of(a, key->width), slice_of(b, key->width)); /* lists of files do not get here */
}

void ppg_schema_each_at_start(const struct ppg_settings *was, const struct ppg_settings *is,
                              ppg_schema_key_fn *fn, void *arg)
{
    for (size_t k = 0; k < ppg_config_keys_n; k++) {
        const struct ppg_config_key *key = &ppg_config_keys[k];

        if (ppg_config_key_at_start(key) && !same(key, was, is))
            fn(key->section, key->name, arg);
    }
}
