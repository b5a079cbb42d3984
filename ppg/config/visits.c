/* Sections [visited NAME] and [home NAME]; see visits.h. */
#include "ppg/config/visits.h"

#include <stdlib.h>
#include "base/list.h"
#include "base/net/uri.h"
#include "ppg/config/ini.h"
#include "ppg/config/lists.h"
#include "ppg/config/value.h"
#include "security/gba/gba.h"
#include "security/rules/matcher.h"
#include "security/terminal/visits.h"

#define FILE_MAX_N (1 << 20)
#define MEM_MAX_N  (4 << 20)
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

struct draft {
    struct ppg_list visited, home;
    struct ppg_visits *to;
    struct ppg_visited v;
    struct ppg_home h;
};

static struct draft *of_visited(struct ppg_list *l)
{
    return container_of(l, struct draft, visited);
}

static void set_url(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct net_uri uri;

    if (net_uri_parse(line->value, &uri) || !uri.https || !slice_eq(uri.target, SLICE("/")))
        ppg_list_say(l, line, "https://HOST:PORT: keys go over TLS alone");
    else
        ppg_list_text(l, line, &of_visited(l)->to->mem, &of_visited(l)->v.url);
}

static void set_host(struct ppg_list *l, const struct ppg_ini_line *line)
{
    size_t colon = slice_find(line->value, ':');

    if (colon == 0 || colon >= line->value.n - 1)
        ppg_list_say(l, line, "HOST:PORT");
    else
        ppg_list_text(l, line, &of_visited(l)->to->mem, &of_visited(l)->v.host);
}

static void set_identity(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_bool(l, line, &of_visited(l)->v.identity);
}

static void set_lifetime(struct ppg_list *l, const struct ppg_ini_line *line)
{
    int64_t ms = 0;

    if (ppg_value_time(line->value, 10000, SEC_VISIT_LIFE_MAX_S * 1000, &ms))
        ppg_list_say(l, line, "a time, 10s to 1h");
    else
        of_visited(l)->v.life_s = ms / 1000;
}

static void begin_visited(struct ppg_list *l, struct slice name)
{
    struct draft *d = of_visited(l);

    d->v = (struct ppg_visited){.life_s = 600};
    if (!sec_gba_is_fqdn(name) || ppg_visits_visited(d->to, name))
        ppg_load_say(l->load, ERR_MALFORMED, l->at, name, "not a domain name in lower case, or twice");
    else if (arena_dup(&d->to->mem, name, &d->v.name))
        ppg_load_say(l->load, ERR_NOMEM, l->at, name, "no memory");
}

static void end_visited(struct ppg_list *l)
{
    struct draft *d = of_visited(l);

    if (d->to->visited_n == PPG_VISITS_MAX)
        ppg_load_say(l->load, ERR_LIMIT, l->at, d->v.name, "too many");
    else
        d->to->visited[d->to->visited_n++] = d->v;
}

static void set_certificate(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = container_of(l, struct draft, home);
    char key[SEC_MATCHER_MAX_N];
    struct slice matcher = sec_matcher_parse(line->value, key);

    if (!matcher.n)
        ppg_list_say(l, line, "URI:.., DNS:.. or EMAIL:..");
    for (size_t i = 0; matcher.n && i < d->to->homes_n; i++)
        if (slice_eq(d->to->homes[i].certificate, matcher)) {
            ppg_list_say(l, line, "belongs to another home");
            return;
        }
    if (matcher.n && arena_dup(&d->to->mem, matcher, &d->h.certificate))
        ppg_list_say(l, line, "no memory");
}

static void set_share(struct ppg_list *l, const struct ppg_ini_line *line)
{
    int64_t n = 0;

    if (ppg_value_count(line->value, 1, SEC_VISITS_MAX, &n))
        ppg_list_say(l, line, "a number, 1 to 1000000");
    else
        container_of(l, struct draft, home)->h.share = (size_t)n;
}

/* Its name is the front of what its users are called here. */
static void begin_home(struct ppg_list *l, struct slice name)
{
    struct draft *d = container_of(l, struct draft, home);
    bool known = false;

    d->h = (struct ppg_home){.name = SLICE_NONE};
    for (size_t i = 0; i < d->to->homes_n; i++)
        known |= slice_eq(d->to->homes[i].name, name);
    if (known || !sec_gba_is_fqdn(name) || name.n > 64)
        ppg_load_say(l->load, ERR_MALFORMED, l->at, name, "not a domain name in lower case, or twice");
    else if (arena_dup(&d->to->mem, name, &d->h.name))
        ppg_load_say(l->load, ERR_NOMEM, l->at, name, "no memory");
}

static void end_home(struct ppg_list *l)
{
    struct draft *d = container_of(l, struct draft, home);

    if (d->to->homes_n == PPG_VISITS_MAX)
        ppg_load_say(l->load, ERR_LIMIT, l->at, d->h.name, "too many");
    else
        d->to->homes[d->to->homes_n++] = d->h;
}

static const struct ppg_list_key visited_keys[] = {
    {"url", set_url, .repeats = false, .must = true},
    {"host", set_host, .repeats = false, .must = true},
    {"identity", set_identity, .must = false},
    {"lifetime", set_lifetime, .must = false},
};
static const struct ppg_list_key home_keys[] = {{"certificate", set_certificate, .must = true},
                                                {"share", set_share, .must = false}};

/* Who has none written gets an equal part of what the others leave, so that nobody's is another's. */
static void share_out(struct ppg_load *load, struct ppg_visits *v, size_t keys_max, struct ppg_place at)
{
    size_t written = 0, without = 0;

    for (size_t i = 0; i < v->homes_n; i++) {
        written += v->homes[i].share;
        without += v->homes[i].share == 0;
    }
    if (written + without > keys_max) {
        ppg_load_say(load, ERR_LIMIT, at, SLICE("share"),
                     "of all homes together more than key-server visitors-max, %zu", keys_max);
        return;
    }
    for (size_t i = 0; i < v->homes_n; i++)
        if (v->homes[i].share == 0)
            v->homes[i].share = (keys_max - written) / without;
}

void ppg_visits_read(struct ppg_load *load, const char *path, size_t keys_max, struct ppg_visits **out)
{
    struct ppg_place at = {path, 0};
    struct draft d = {.to = calloc(1, sizeof *d.to)};

    if (!d.to) {
        ppg_load_say(load, ERR_NOMEM, at, SLICE_NONE, "no memory");
        return;
    }
    arena_init(&d.to->mem, 1024, MEM_MAX_N);
    d.visited = (struct ppg_list){.load = load,
                                  .kind = "visited",
                                  .keys = visited_keys,
                                  .keys_n = COUNT(visited_keys),
                                  .begin = begin_visited,
                                  .end = end_visited,
                                  .next = &d.home};
    d.home = (struct ppg_list){.load = load,
                               .kind = "home",
                               .keys = home_keys,
                               .keys_n = COUNT(home_keys),
                               .begin = begin_home,
                               .end = end_home};
    ppg_list_read(&d.visited, path, FILE_MAX_N, 0, at, SLICE_NONE);
    share_out(load, d.to, keys_max, at);
    *out = d.to;
}

void ppg_visits_free(struct ppg_visits **v)
{
    if (*v)
        arena_clear(&(*v)->mem);
    free(*v);
    *v = NULL;
}

const struct ppg_visited *ppg_visits_visited(const struct ppg_visits *v, struct slice name)
{
    for (size_t i = 0; i < v->visited_n; i++)
        if (slice_eq(v->visited[i].name, name))
            return &v->visited[i];
    return NULL;
}

static bool shows(struct slice certificate, const char *kind, const struct slice *values, size_t n)
{
    char key[SEC_MATCHER_MAX_N];

    for (size_t i = 0; i < n; i++)
        if (slice_eq(sec_matcher_key(kind, values[i], key), certificate))
            return true;
    return false;
}

const struct ppg_home *ppg_visits_home(const struct ppg_visits *v, const struct sec_peer_names *names)
{
    for (size_t i = 0; i < v->homes_n; i++) {
        struct slice c = v->homes[i].certificate;

        if (shows(c, "URI:", names->uris, names->uris_n) || shows(c, "DNS:", names->dns, names->dns_n) ||
            shows(c, "EMAIL:", names->emails, names->emails_n))
            return &v->homes[i];
    }
    return NULL;
}
