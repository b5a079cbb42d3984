/* A device and its registration; see sip_terminal.h. */
#include "ppg/handset/sip_terminal.h"

#include <stdio.h>
#include <stdlib.h>

#include "ota/sip/message.h"
#include "ppg/tool/net.h"

#define REGISTER_S 3600
#define FEATURES_N 4096
#define CONTACT_N  (TOOL_ADDRESS_N + 64)

struct tool_sip {
    struct tool_sip_conf conf;
    struct tool_sip_device *device;
    struct tool_sip_register *registration;
    struct buf features; /* our applications, as the feature tag has them */
    char contact[CONTACT_N];
};

static enum err trouble(char why[TOOL_WHY_N], const char *text, enum err e)
{
    (void)snprintf(why, TOOL_WHY_N, "%s", text);
    return e;
}

/* A list holds tokens alone (RFC 3840 §9); one application may be anything. */
static enum err print_features(struct tool_sip *s)
{
    const struct tool_list *apps = s->conf.apps;
    enum err e = ERR_OK;

    for (size_t i = 0; i < apps->n && !e; i++) {
        size_t start = s->features.n;

        buf_add_str(&s->features, i ? "," : "");
        e = ota_sip_app_value(slice_str(apps->v[i]), &s->features);
        if (!e && apps->n > 1 &&
            slice_find(slice_sub(buf_slice(&s->features), start, SIZE_MAX), '<') != SIZE_MAX)
            e = ERR_MALFORMED;
    }
    return e;
}

static void on_registration(unsigned status, void *arg)
{
    const struct tool_sip *s = arg;

    if (s->conf.json)
        (void)printf("{\"event\":\"registration\",\"status\":%u}\n", status);
    else
        (void)printf("registration of %s: %u\n", s->conf.record, status);
    (void)fflush(stdout);
}

static struct slice on_request(const struct ota_sip_unit *unit, const struct sockaddr *from, bool datagram,
                               void *arg)
{
    struct tool_sip *s = arg;

    return tool_sip_device_serve(s->device, unit, from, datagram);
}

static enum err enrol(struct tool_sip *s, const char *address, char why[TOOL_WHY_N])
{
    struct tool_sip_register_conf conf = {.env = s->conf.env,
                                          .registrar = s->conf.registrar,
                                          .record = s->conf.record,
                                          .contact = s->contact,
                                          .app_tag = SLICE(OTA_SIP_APP_TAG),
                                          .login = {s->conf.user, s->conf.password},
                                          .aka = s->conf.aka,
                                          .aka_arg = s->conf.arg,
                                          .expires_s = REGISTER_S,
                                          .request = on_request,
                                          .told = on_registration,
                                          .arg = s};
    bool v6 = strchr(address, ':') != NULL;

    if (print_features(s))
        return trouble(why, "an application that cannot be registered", ERR_MALFORMED);
    conf.apps = buf_slice(&s->features);
    (void)snprintf(s->contact, sizeof s->contact, "sip:terminal@%s%s%s:%u%s", v6 ? "[" : "", address,
                   v6 ? "]" : "", (unsigned)tool_sip_device_port(s->device),
                   s->conf.tls ? ";transport=tls" : "");
    if (tool_sip_register_create(&conf, &s->registration))
        return trouble(why, "--record or --registrar is not a SIP URI", ERR_MALFORMED);
    return ERR_OK;
}

enum err tool_sip_create(const struct tool_sip_conf *conf, char address[], struct tool_sip **out,
                         unsigned *port, char why[TOOL_WHY_N])
{
    struct tool_sip_device_conf device = {.env = conf->env,
                                          .address = address,
                                          .tls = conf->tls,
                                          .session_tls = conf->session_tls,
                                          .connects = conf->connects,
                                          .client = conf->client,
                                          .max_n = conf->max_n,
                                          .app_tag = SLICE(OTA_SIP_APP_TAG),
                                          .push = conf->push,
                                          .wire = conf->wire,
                                          .arg = conf->arg};
    struct tool_sip *s;
    enum err e;

    if (tool_bind(conf->bind, address, &device.port))
        return trouble(why, "--bind: not ADDR:PORT", ERR_MALFORMED);
    s = calloc(1, sizeof *s);
    if (!s)
        return trouble(why, "out of memory", ERR_NOMEM);
    s->conf = *conf;
    s->conf.client = device.client = net_tls_ctx_hold(conf->client);
    buf_init(&s->features, FEATURES_N);
    e = tool_sip_device_create(&device, &s->device);
    if (e)
        (void)trouble(why, "--bind: cannot be bound to", e);
    else if (conf->record)
        e = enrol(s, address, why);
    if (e) {
        tool_sip_close(&s);
        return e;
    }
    *port = tool_sip_device_port(s->device);
    *out = s;
    return ERR_OK;
}

void tool_sip_close(struct tool_sip **sp)
{
    struct tool_sip *s = *sp;

    *sp = NULL;
    if (!s)
        return;
    tool_sip_register_close(&s->registration);
    tool_sip_device_close(&s->device);
    net_tls_ctx_free(&s->conf.client);
    buf_clear(&s->features);
    free(s);
}
