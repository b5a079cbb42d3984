/* Going where a session initiation says; see visit.h. */
#include "ppg/handset/visit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include "base/mem.h"
#include "ota/sia.h"
#include "ppg/handset/call.h"

#define PORT_SECURE 4036 /* OTA-HTTP over TLS, where the contact point names no port */
#define HOST_N      64

struct tool_visit {
    struct tool_visit_conf conf;
    struct net_httpd *httpd; /* without listener */
    struct tool_call *call;
    char host[HOST_N];
};

enum err tool_visit_create(const struct tool_visit_conf *conf, struct tool_visit **out)
{
    struct tool_visit *v = calloc(1, sizeof *v);
    const struct net_httpd_conf httpd = {.name = "visit",
                                         .tls = conf->tls,
                                         .server = "push-terminal",
                                         .limits = conf->limits,
                                         .request = conf->request,
                                         .arg = conf->arg};
    const char *why;

    if (!v || net_httpd_create(conf->env, &httpd, &v->httpd, &why)) {
        free(v);
        return ERR_NOMEM;
    }
    v->conf = *conf;
    *out = v;
    return ERR_OK;
}

/* Octets of an address become its text; what is text already stays. */
static enum err host_of(const struct ota_sia_contact *c, char host[HOST_N])
{
    bool v4 = c->address.n == 4, v6 = c->address.n == 16 && c->with_bearer && c->bearer == OTA_SIA_IPV6;

    if (!v4 && !v6)
        return mem_cstr(host, HOST_N, c->address);
    return inet_ntop(v4 ? AF_INET : AF_INET6, c->address.p, host, HOST_N) ? ERR_OK : ERR_MALFORMED;
}

enum err tool_visit_go(struct tool_visit *v, struct slice content)
{
    struct tool_call_conf conf = {.env = v->conf.env, .httpd = v->httpd, .once = true};
    struct ota_sia sia;
    enum err e = ota_sia_parse(content, &sia);

    if (e || sia.contacts_n == 0)
        return e ? ERR_MALFORMED : ERR_ABSENT;
    tool_call_close(&v->call);
    e = host_of(&sia.contacts[0], v->host);
    conf.host = slice_str(v->host);
    conf.port = sia.contacts[0].port ? sia.contacts[0].port : PORT_SECURE;
    return e ? e : tool_call_create(&conf, &v->call);
}

void tool_visit_set_tls(struct tool_visit *v, struct net_tls_ctx *tls)
{
    net_httpd_set_tls(v->httpd, tls);
}

void tool_visit_drain(struct tool_visit *v)
{
    if (!v)
        return;
    tool_call_close(&v->call);
    net_httpd_drain(v->httpd);
}

static void closed(void *arg)
{
    free(arg);
}

void tool_visit_close(struct tool_visit **vp)
{
    struct tool_visit *v = *vp;

    *vp = NULL;
    if (!v)
        return;
    tool_call_close(&v->call);
    net_httpd_close(v->httpd, closed, v);
}
