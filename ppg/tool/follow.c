/* See follow.h. */
#include "ppg/tool/follow.h"

#include <stdlib.h>
#include "base/mem.h"
#include "base/net/uri.h"
#include "pap/mime.h"

#define WAITING_MAX  16
#define ITEM_N       128 /* octets of an item's name, NUL included */
#define SECRET_MAX_N 1024u
#define PATH         "/inbox/"

struct tool_follow {
    struct tool_follow_conf conf;
    struct net_uri uri;
    struct net_tls_ctx *tls;
    struct buf text; /* the password's file */
    struct slice user, password;
    struct tool_inbox *under_way;      /* fetches the first */
    char waiting[WAITING_MAX][ITEM_N]; /* a ring */
    size_t first;
    size_t waiting_n;
};

/* type = "message/external-body" ; access-type=URL ; URL="https://our inbox/inbox/ITEM" */
static bool item_of(const struct tool_follow *f, struct slice content_type, struct slice *item)
{
    const struct net_uri *ours = &f->uri;
    struct pap_media m;
    struct net_uri uri;
    struct slice access, url;

    if (pap_media_parse(content_type, false, &m) || !pap_media_is(&m, SLICE("message/external-body")) ||
        pap_media_param(&m, SLICE("access-type"), &access) || !slice_eq_ci(access, SLICE("URL")) ||
        pap_media_param(&m, SLICE("URL"), &url) || net_uri_parse(url, &uri))
        return false;
    if (!uri.https || !slice_eq_ci(uri.host, ours->host) || uri.port != ours->port ||
        !slice_starts(uri.target, SLICE(PATH)))
        return false;
    *item = slice_sub(uri.target, sizeof PATH - 1, SIZE_MAX);
    return tool_inbox_item_ok(*item) && item->n < ITEM_N;
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
        LOG(f->conf.env->log, LOG_WARN, "follow.fail", LOG_C("item", f->waiting[f->first]),
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
                                         .protection = f->conf.protection,
                                         .item = slice_str(f->waiting[f->first]),
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
    struct slice item;

    if (!item_of(f, content_type, &item) || f->waiting_n == WAITING_MAX ||
        mem_cstr(f->waiting[(f->first + f->waiting_n) % WAITING_MAX], ITEM_N, item))
        return false;
    if (++f->waiting_n == 1)
        fetch(f);
    return true;
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
