/* One run of push-terminal, put together in order and taken apart again.  One thread. */
#include "ppg/handset/terminal.h"

#include "ppg/handset/provision.h"

int tool_terminal_complain(const char *what, const char *why)
{
    (void)fprintf(stderr, "push-terminal: %s%s%s\n", what, why[0] ? ": " : "", why);
    return TOOL_TERMINAL_USAGE;
}

int tool_terminal_login(const char *option, const char *login, struct buf *text, struct slice *user,
                        struct slice *password)
{
    enum err e = tool_login(login, text, user, password);

    return e ? tool_terminal_complain(option, e == ERR_MALFORMED ? "not USER:FILE" : err_text(e)) : 0;
}

static int load_object(struct tool_terminal *t)
{
    char why[TOOL_WHY_N];

    if (!t->o->provisioning ||
        !tool_provision(t->o->provisioning, t->kit, clk_utc_ms(&clk_real) / 1000, &t->object, why))
        return 0;
    return tool_terminal_complain(why, "");
}

static bool moved(void *arg)
{
    struct tool_terminal *t = arg;

    return !tool_state_keep(&t->state, t->kit);
}

static void unkeyed(void *arg)
{
    struct tool_terminal *t = arg;

    tool_verify_unkeyed(t->verify);
    tool_guest_unkeyed(t->guest);
}

static struct slice host_of(const char *url)
{
    struct net_uri uri;

    return url && !net_uri_parse(slice_str(url), &uri) ? uri.host : SLICE_NONE;
}

/* --bsf: the name of the gateway is as its certificate would have it. */
static int start_bootstrapping(struct tool_terminal *t)
{
    const struct tool_terminal_options *o = t->o;
    struct tool_boot_conf conf = {.env = &t->loop.env,
                                  .kit = t->kit,
                                  .bsf = &o->bsf,
                                  .naf = o->bsf.naf        ? slice_str(o->bsf.naf)
                                         : o->gateway_name ? slice_str(o->gateway_name)
                                                           : host_of(o->gateway ? o->gateway : o->home.url),
                                  .moved = moved,
                                  .keyed = tool_terminal_keyed,
                                  .unkeyed = unkeyed,
                                  .arg = t};
    char why[TOOL_WHY_N];

    if (!o->bsf.url)
        return o->bsf.ca || o->bsf.name || o->bsf.naf ? tool_terminal_complain("--bsf", "is missing") : 0;
    return tool_boot_create(&conf, &t->boot, why) ? tool_terminal_complain(why, "") : 0;
}

/* --home: whom we ask about pushes that ask us to connect. */
static int find_home(struct tool_terminal *t)
{
    const struct tool_verify_conf ask = {.env = &t->loop.env,
                                         .kit = t->kit,
                                         .home = &t->o->home,
                                         .boot = t->boot,
                                         .terminal_id = slice_str(t->o->terminal_id),
                                         .told = tool_terminal_verified,
                                         .limits = tool_terminal_limits(t),
                                         .request = tool_terminal_visit,
                                         .arg = t};
    char why[TOOL_WHY_N];

    if (!t->o->home.url)
        return 0;
    return tool_verify_create(&ask, &t->verify, why) ? tool_terminal_complain(why, "") : 0;
}

/* --items: where content lies that pushes name. */
static int find_items(struct tool_terminal *t)
{
    const struct tool_terminal_options *o = t->o;
    const struct tool_follow_conf conf = {.env = &t->loop.env,
                                          .inbox = &t->items,
                                          .md5 = o->proof_md5,
                                          .protection = slice_str(o->protection ? o->protection : ""),
                                          .max_n = (size_t)o->max_size,
                                          .got = tool_terminal_item,
                                          .idle = tool_terminal_followed,
                                          .arg = t};
    char why[TOOL_WHY_N];

    t->items = (struct tool_home){
        .url = o->items, .ca = o->ca, .cert = o->cert, .key = o->key, .psk = o->psk, .login = o->proof};
    if (!o->items)
        return 0;
    return tool_follow_create(&conf, &t->follow, why) ? tool_terminal_complain(why, "") : 0;
}

static int open_wire(struct tool_terminal *t)
{
    if (!t->o->wire)
        return 0;
    t->wire = fopen(t->o->wire, "wbe");
    return t->wire ? 0 : tool_terminal_complain(t->o->wire, "cannot be written");
}

static int open_log(struct tool_terminal *t)
{
    const struct log_conf conf = {
        .level = LOG_INFO, .format = t->o->json ? LOG_JSON : LOG_TEXT, .identities = LOG_LAST_FOUR, .fd = 2};

    if (log_create(&conf, &clk_real, &t->log))
        return tool_terminal_complain("out of memory", "");
    t->loop.env.log = t->log;
    return 0;
}

static int load_peer_key(struct tool_terminal *t)
{
    char why[TOOL_WHY_N];

    if (!t->o->peer_key)
        return 0;
    return tool_peer_key_read(t->o->peer_key, &t->peer, why) ? tool_terminal_complain(why, "") : 0;
}

static int set_up(struct tool_terminal *t)
{
    int bad = open_log(t);

    if (!bad)
        bad = load_peer_key(t);
    if (!bad)
        bad = tool_terminal_kit(t);
    if (!bad)
        bad = tool_state_load(&t->state, t->kit) ? tool_terminal_complain(t->o->state, "cannot be read") : 0;
    if (!bad)
        bad = load_object(t);
    if (!bad && tool_state_keep(&t->state, t->kit)) /* better now than when the first push comes */
        bad = tool_terminal_complain(t->o->state, "cannot be written");
    if (!bad)
        bad = start_bootstrapping(t);
    if (!bad)
        bad = tool_terminal_tls(t);
    if (!bad)
        bad = open_wire(t);
    if (!bad)
        bad = find_home(t);
    if (!bad)
        bad = find_items(t);
    if (!bad && net_gate_create(TOOL_TERMINAL_CONNECTIONS_MAX, TOOL_TERMINAL_CONNECTIONS_MAX, &t->gate))
        bad = tool_terminal_complain("out of memory", "");
    return bad ? bad : tool_terminal_start(t);
}

int tool_terminal_run(const struct tool_terminal_options *o)
{
    struct tool_terminal t = {.o = o};

    if (o->gateway &&
        (net_uri_parse(slice_str(o->gateway), &t.gateway) || !slice_eq(t.gateway.target, SLICE("/"))))
        return tool_terminal_complain("--gateway", "not https://HOST:PORT or http://HOST:PORT");
    if (o->item && !tool_inbox_item_ok(slice_str(o->item)))
        return tool_terminal_complain("--item", "not the name of an item");
    tool_state_init(&t.state, o->state);
    buf_init(&t.login, TOOL_TERMINAL_FILE_MAX_N);
    tool_peer_key_init(&t.peer);
    if (tool_loop_open(&t.loop))
        return tool_terminal_complain("out of memory", "");
    t.exit = set_up(&t);
    (void)uv_run(&t.loop.loop, UV_RUN_DEFAULT);
    if (t.httpd || t.udp || t.dtls || t.sip || t.verify || t.boot)
        tool_terminal_end(&t); /* drained: the timer alone does not keep the loop going */
    tool_loop_close(&t.loop);
    tool_follow_free(&t.follow);
    kit_free(&t.kit);
    net_gate_free(&t.gate);
    net_tls_ctx_free(&t.tls);
    sec_secret_clear(&t.psk);
    tool_peer_key_clear(&t.peer);
    tool_pin_clear(&t.pin);
    tool_provision_free(&t.object);
    log_free(&t.log);
    tool_state_clear(&t.state);
    buf_wipe(&t.login);
    if (t.wire)
        (void)fclose(t.wire);
    return t.exit;
}
