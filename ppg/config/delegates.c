/* [token-issuer URI] and [auth-proxy NAME]; see delegates.h.  RFC 7517 (key sets), TS 24.109 §7 (proxies).  Off the
 * loops. */
#include "ppg/config/delegates.h"

#include "base/list.h"
#include "ppg/config/value.h"

#define SECTION_MAX_N (64 << 10) /* octets of text in one section */
#define SKEW_PRESET_S 30
#define SKEW_MAX_MS   (600 * 1000)
#define COUNT(a)      (sizeof(a) / sizeof((a)[0]))

static void forget(struct ppg_delegates_draft *d)
{
    sec_jwks_free(&d->keys);
    arena_clear(&d->mem);
}

static void keep_name(struct ppg_list *l, struct arena *mem, struct slice name, struct slice *out)
{
    if (arena_dup(mem, name, out))
        ppg_load_say(l->load, ERR_NOMEM, l->at, SLICE_NONE, "no memory");
}

static void add_item(struct ppg_list *l, const struct ppg_ini_line *line, struct arena *mem,
                     struct slice *items, size_t max, size_t *n)
{
    if (*n == max)
        ppg_list_say(l, line, "too many in one section");
    else {
        ppg_list_text(l, line, mem, &items[*n]);
        *n += 1;
    }
}

/* --- [token-issuer URI] --- */

static struct ppg_delegates_draft *of_issuers(struct ppg_list *l)
{
    return container_of(l, struct ppg_delegates_draft, issuers);
}

static void begin_issuer(struct ppg_list *l, struct slice name)
{
    struct ppg_delegates_draft *d = of_issuers(l);

    forget(d);
    d->issuer = (struct sec_issuer){.audiences = d->audiences, .skew_s = SKEW_PRESET_S};
    keep_name(l, &d->mem, name, &d->issuer.name);
}

static void set_audience(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct ppg_delegates_draft *d = of_issuers(l);

    add_item(l, line, &d->mem, d->audiences, SEC_TOKEN_AUDIENCE_MAX, &d->issuer.audiences_n);
}

static void set_subject_claim(struct ppg_list *l, const struct ppg_ini_line *line)
{
    static const struct ppg_word words[] = {
        {"sub", SEC_TOKEN_SUB}, {"client_id", SEC_TOKEN_CLIENT_ID}, {NULL, 0}};
    int word = 0;

    if (ppg_value_word(line->value, words, &word))
        ppg_list_say(l, line, "sub or client_id");
    else
        of_issuers(l)->issuer.subject = (enum sec_token_claim)word;
}

static void set_clock_skew(struct ppg_list *l, const struct ppg_ini_line *line)
{
    int64_t ms = 0;

    if (ppg_value_time(line->value, 0, SKEW_MAX_MS, &ms))
        ppg_list_say(l, line, "a time, 0 to 10min");
    else
        of_issuers(l)->issuer.skew_s = ms / 1000;
}

static void read_keys(struct ppg_list *l, const struct ppg_ini_line *line, const char *path, struct buf *text)
{
    struct ppg_delegates_draft *d = of_issuers(l);
    const char *why;
    struct stat st;

    if (ppg_load_file(l->load, path, SEC_JWKS_MAX_N, 0, line->at, line->key, text))
        return;
    if (sec_jwks_parse(buf_slice(text), &d->keys, &why))
        ppg_list_say(l, line, why);
    else if (sec_jwks_secret(d->keys) && stat(path, &st) == 0)
        (void)ppg_load_mode(l->load, path, &st, S_IRWXG | S_IRWXO, line->at, line->key);
}

static void set_jwks_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct buf path, text;

    buf_init(&path, PPG_INI_LINE_MAX_N + 1);
    buf_init(&text, 0);
    ppg_load_path(line->at.file, line->value, &path);
    if (buf_err(&path))
        ppg_load_say(l->load, buf_err(&path), line->at, line->key, "file name too long");
    else
        read_keys(l, line, path.p, &text);
    buf_clear(&path);
    buf_wipe(&text);
}

static void end_issuer(struct ppg_list *l)
{
    struct ppg_delegates_draft *d = of_issuers(l);
    const char *why;
    enum err e = sec_delegates_add_issuer(d->to, &d->issuer, &d->keys, &why);

    if (e)
        ppg_load_say(l->load, e, l->at, d->issuer.name, "%s", why);
    forget(d);
}

static const struct ppg_list_key issuer_keys[] = {
    {"audience", set_audience, .repeats = true, .must = true},
    {"jwks-file", set_jwks_file, .must = true},
    {"subject-claim", set_subject_claim, .must = false},
    {"clock-skew", set_clock_skew, .must = false},
};

/* --- [auth-proxy NAME] --- */

static struct ppg_delegates_draft *of_proxies(struct ppg_list *l)
{
    return container_of(l, struct ppg_delegates_draft, proxies);
}

static void begin_proxy(struct ppg_list *l, struct slice name)
{
    struct ppg_delegates_draft *d = of_proxies(l);

    forget(d);
    d->proxy = (struct sec_proxy){.certificates = d->certificates, .networks = d->networks};
    keep_name(l, &d->mem, name, &d->proxy.name);
}

static void set_certificate(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct ppg_delegates_draft *d = of_proxies(l);

    add_item(l, line, &d->mem, d->certificates, SEC_DELEGATE_LIST_MAX, &d->proxy.certificates_n);
}

static void set_network(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct ppg_delegates_draft *d = of_proxies(l);

    add_item(l, line, &d->mem, d->networks, SEC_DELEGATE_LIST_MAX, &d->proxy.networks_n);
}

static void end_proxy(struct ppg_list *l)
{
    struct ppg_delegates_draft *d = of_proxies(l);
    const char *why;
    enum err e = sec_delegates_add_proxy(d->to, &d->proxy, &why);

    if (e)
        ppg_load_say(l->load, e, l->at, d->proxy.name, "%s", why);
    forget(d);
}

static const struct ppg_list_key proxy_keys[] = {
    {"certificate", set_certificate, .repeats = true, .must = true},
    {"network", set_network, .repeats = true, .must = true},
};

void ppg_delegates_init(struct ppg_delegates_draft *d, struct ppg_load *load, struct sec_delegates *to)
{
    *d = (struct ppg_delegates_draft){
        .issuers = {.load = load,
                    .kind = "token-issuer",
                    .keys = issuer_keys,
                    .keys_n = COUNT(issuer_keys),
                    .begin = begin_issuer,
                    .end = end_issuer},
        .proxies = {.load = load,
                    .kind = "auth-proxy",
                    .keys = proxy_keys,
                    .keys_n = COUNT(proxy_keys),
                    .begin = begin_proxy,
                    .end = end_proxy},
        .to = to,
    };
    arena_init(&d->mem, 1024, SECTION_MAX_N);
    d->issuers.next = &d->proxies;
}

void ppg_delegates_clear(struct ppg_delegates_draft *d)
{
    forget(d);
}
