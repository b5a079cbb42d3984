/* See follow.h. */
#include "ppg/handset/follow.h"

#include <stdlib.h>
#include "base/codec.h"
#include "base/mem.h"
#include "base/net/uri.h"
#include "base/scan.h"
#include "pap/mime.h"

#define WAITING_MAX  16
#define ITEM_N       128 /* octets of an item's name, NUL included */
#define SECRET_MAX_N 1024u
#define PATH         "/inbox/"

struct named {
    char item[ITEM_N];
    struct kit_expected expected;
};

struct tool_follow {
    struct tool_follow_conf conf;
    struct net_uri uri;
    struct net_tls_ctx *tls;
    struct buf text; /* the password's file */
    struct slice user, password;
    struct tool_inbox *under_way;      /* fetches the first */
    struct named waiting[WAITING_MAX]; /* a ring */
    size_t first;
    size_t waiting_n;
};

/* size = 1*DIGIT, hash = 40 hexadecimal digits: what is there and cannot be read is nothing to go by (RFC 4483 §4). */
static bool read_expected(const struct pap_media *m, struct kit_expected *out)
{
    struct slice size, hash;
    struct scan s;

    *out = (struct kit_expected){.sized = !pap_media_param(m, SLICE("size"), &size),
                                 .hashed = !pap_media_param(m, SLICE("hash"), &hash)};
    if (out->hashed && (hash.n != 2 * sizeof out->sha1 || codec_unhex(hash, out->sha1, sizeof out->sha1)))
        return false;
    if (!out->sized)
        return true;
    s = scan_of(size);
    out->size = scan_u64(&s, 0, INT64_MAX);
    scan_end(&s);
    return !s.err;
}

/* Is it there still, and is it not more than is taken? */
static bool worth_it(const struct tool_follow *f, const struct pap_media *m, const struct kit_expected *x,
                     const char **why)
{
    struct slice until;
    int64_t until_s;

    *why = "expired";
    if (!pap_media_param(m, SLICE("expiration"), &until) &&
        (net_http_date_parse(until, &until_s) || until_s <= clk_utc_ms(f->conf.env->clk) / 1000))
        return false;
    *why = "too large";
    return !x->sized || x->size <= f->conf.max_n;
}

/* type = "message/external-body" ; access-type=URL ; URL="https://our inbox/inbox/ITEM" */
static bool item_of(const struct tool_follow *f, const struct pap_media *m, struct slice *item)
{
    const struct net_uri *ours = &f->uri;
    struct net_uri uri;
    struct slice access, url;

    if (!pap_media_is(m, SLICE("message/external-body")) ||
        pap_media_param(m, SLICE("access-type"), &access) || !slice_eq_ci(access, SLICE("URL")) ||
        pap_media_param(m, SLICE("URL"), &url) || net_uri_parse(url, &uri))
        return false;
    if (!uri.https || !slice_eq_ci(uri.host, ours->host) || uri.port != ours->port ||
        !slice_starts(uri.target, SLICE(PATH)))
        return false;
    *item = slice_sub(uri.target, sizeof PATH - 1, SIZE_MAX);
    return tool_inbox_item_ok(*item) && item->n < ITEM_N;
}

static bool named_of(const struct tool_follow *f, struct slice content_type, struct named *out)
{
    const char *why = "not to be read";
    struct slice item;
    struct pap_media m;

    if (pap_media_parse(content_type, false, &m) || !item_of(f, &m, &item) ||
        mem_cstr(out->item, sizeof out->item, item))
        return false;
    if (read_expected(&m, &out->expected) && worth_it(f, &m, &out->expected, &why))
        return true;
    LOG(f->conf.env->log, LOG_WARN, "follow.fail", LOG_S("item", item), LOG_C("why", why));
    return false;
}

static enum tool_inbox_verdict got(const struct net_http_msg *head, struct slice content,
                                   const struct net_tls_peer *peer, void *arg)
{
    const struct tool_follow *f = arg;

    return f->conf.got(head, content, peer, f->conf.arg);
}

static void fetch(struct tool_follow *f);

/* What could not be fetched stays there, for who asks for all of it. */
static void over(int status, const char *why, void *arg)
{
    struct tool_follow *f = arg;

    if (status)
        LOG(f->conf.env->log, LOG_WARN, "follow.fail", LOG_C("item", f->waiting[f->first].item),
            LOG_C("why", why));
    tool_inbox_close(&f->under_way);
    f->first = (f->first + 1) % WAITING_MAX;
    f->waiting_n--;
    fetch(f);
    if (!f->waiting_n)
        f->conf.idle(f->conf.arg);
}

static void fetch(struct tool_follow *f)
{
    const struct tool_inbox_conf conf = {.env = f->conf.env,
                                         .host = f->uri.host,
                                         .port = f->uri.port,
                                         .tls = f->tls,
                                         .user = f->user,
                                         .password = f->password,
                                         .md5 = f->conf.md5,
                                         .protection = f->conf.protection,
                                         .item = slice_str(f->waiting[f->first].item),
                                         .max_n = f->conf.max_n,
                                         .got = got,
                                         .ended = over,
                                         .arg = f};

    if (!f->waiting_n)
        return;
    if (tool_inbox_create(&conf, &f->under_way)) {
        LOG(f->conf.env->log, LOG_WARN, "follow.fail", LOG_C("why", err_text(ERR_NOMEM)));
        f->waiting_n = 0;
    }
}

bool tool_follow_push(struct tool_follow *f, struct slice content_type)
{
    if (f->waiting_n == WAITING_MAX ||
        !named_of(f, content_type, &f->waiting[(f->first + f->waiting_n) % WAITING_MAX]))
        return false;
    if (++f->waiting_n == 1)
        fetch(f);
    return true;
}

const struct kit_expected *tool_follow_expected(const struct tool_follow *f)
{
    return &f->waiting[f->first].expected;
}

struct slice tool_follow_host(const struct tool_follow *f)
{
    return f->uri.host;
}

static enum err make(struct tool_follow *f, char why[TOOL_WHY_N])
{
    const struct tool_home *h = f->conf.inbox;
    enum err e = ERR_OK;

    if (net_uri_parse(slice_str(h->url), &f->uri) || !f->uri.https || !slice_eq(f->uri.target, SLICE("/"))) {
        (void)snprintf(why, TOOL_WHY_N, "--items: not https://HOST:PORT");
        return ERR_MALFORMED;
    }
    if (!h->ca && !h->psk) {
        (void)snprintf(why, TOOL_WHY_N, "--items: needs --ca or --psk: how it is known");
        return ERR_MALFORMED;
    }
    (void)buf_room(&f->text, SECRET_MAX_N); /* growth would leave copies behind */
    if (h->login)
        e = tool_login(h->login, &f->text, &f->user, &f->password);
    if (e)
        (void)snprintf(why, TOOL_WHY_N, "%.120s: %s", h->login, err_text(e));
    return e ? e : tool_home_tls(h, &f->tls, why);
}

enum err tool_follow_create(const struct tool_follow_conf *conf, struct tool_follow **out,
                            char why[TOOL_WHY_N])
{
    struct tool_follow *f = calloc(1, sizeof *f);
    enum err e;

    (void)snprintf(why, TOOL_WHY_N, "%s", err_text(ERR_NOMEM));
    if (!f)
        return ERR_NOMEM;
    f->conf = *conf;
    buf_init(&f->text, SECRET_MAX_N);
    e = make(f, why);
    if (e)
        tool_follow_free(&f);
    else
        *out = f;
    return e;
}

void tool_follow_close(struct tool_follow *f)
{
    if (f)
        tool_inbox_close(&f->under_way);
}

void tool_follow_free(struct tool_follow **fp)
{
    struct tool_follow *f = *fp;

    *fp = NULL;
    if (!f)
        return;
    net_tls_ctx_free(&f->tls);
    buf_wipe(&f->text);
    free(f);
}
