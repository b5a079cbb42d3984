/* push-terminal: a handset's push client on the command line.  `listen` waits for a gateway to connect, or for its datagrams,
 * `connect` calls it, `sip` takes MESSAGE requests, `inbox` fetches what waits, `swarm` is many terminals at once, `peer`
 * calls another kit, `give` and `take` have the gateway carry one-time keys for that, `activate` opens a package of keys.  Here is only what the command line means; a run is ppg/handset/terminal.h.  One thread. */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clk.h"
#include "ppg/json_wipe.h"
#include "ppg/handset/activate.h"
#include "ppg/handset/one_time.h"
#include "ppg/handset/swarm_run.h"
#include "ppg/handset/terminal.h"
#include "security/xml/xmlsec.h"

#define USAGE                                                                                                \
    "usage: push-terminal listen --bind ADDR:PORT [OPTIONS]\n"                                               \
    "       push-terminal connect --gateway URI [OPTIONS]\n"                                                 \
    "       push-terminal connect --visit NAME --home URI [OPTIONS]\n"                                       \
    "       push-terminal sip --bind ADDR:PORT [--record URI --registrar URI] [OPTIONS]\n"                   \
    "       push-terminal swarm --gateway URI [OPTIONS; swarm --help]\n"                                     \
    "       push-terminal inbox --gateway https://HOST:PORT [--follow] [OPTIONS]\n"                          \
    "       push-terminal peer --gateway https://HOST:PORT --peer-key NAME:FILE [--json]\n"                  \
    "       push-terminal give --gateway https://HOST:PORT --ca FILE --proof ENTITY:FILE --to ENTITY --out " \
    "FILE\n"                                                                                                 \
    "       push-terminal take --gateway https://HOST:PORT --ca FILE --proof ENTITY:FILE --out FOLDER\n"     \
    "       push-terminal activate --package FILE --code CODE [--out FILE]"

/* A gateway of ours, or one that our home gives us the way and the key to. */
static bool visit_ok(const struct tool_terminal_options *o)
{
    if (!o->visit)
        return o->gateway;
    return o->home.url && !o->gateway && !o->gateway_name && !o->psk && !o->ca && !o->cert && !o->pkcs12 &&
           !o->dtls;
}

/* Each command has its own way to the gateway, and needs it. */
static bool command_ok(const char *word, struct tool_terminal_options *o)
{
    o->fetch = slice_eq(slice_str(word), SLICE("inbox"));
    if (o->fetch)
        return o->gateway && slice_starts_ci(slice_str(o->gateway), SLICE("https:")) && !o->bind && !o->udp &&
               !o->dtls && !o->peer_key;
    if (o->follow || o->keep || o->item || o->protection)
        return false;
    if (o->connects && !o->sip)
        return false;
    if (slice_eq(slice_str(word), SLICE("connect")))
        return visit_ok(o) && !o->bind && !o->peer_key && !o->port_file && !o->udp;
    if (o->visit ||
        (o->peer_key && (o->udp || o->dtls || o->cert || o->ca || o->psk || o->pkcs12 || o->login)))
        return false;
    if (o->sip)
        return !o->peer_key && o->bind && !o->gateway && !o->udp && !o->dtls && !o->record == !o->registrar;
    return slice_eq(slice_str(word), SLICE("listen")) && o->bind && !o->gateway && !o->gateway_name &&
           !o->record && !o->registrar;
}

static int help(void)
{
    (void)puts(
        USAGE
        "\nA handset's push client: waits for a gateway or calls it, verifies, opens and prints pushes.\n");
    tool_help(stdout, tool_terminal_options);
    (void)puts("\nexit status: 0 the pushes came, 1 not in time, 2 a mistake in what was asked");
    return 0;
}

static int run_activate(const struct tool_terminal_options *o)
{
    char why[TOOL_WHY_N], made[TOOL_ACTIVATE_PATH_N];

    if (!o->package || !o->code)
        return tool_terminal_complain("usage: push-terminal activate --package FILE --code CODE [--out FILE]",
                                      "");
    (void)umask(077);
    if (tool_activate(o->package, o->code, o->out, clk_utc_ms(&clk_real) / 1000, made, why))
        return tool_terminal_complain(o->package, why);
    (void)printf("%s\n", made);
    return 0;
}

static bool one_time_ok(const struct tool_terminal_options *o)
{
    return o->gateway && o->ca && o->proof && o->out && !o->bind && !o->visit && !o->peer_key;
}

/* The library of XML security is there before anything else is, and only for who needs it. */
static int run(const struct tool_terminal_options *o)
{
    int status;

    if (o->xml && sec_xml_start())
        return tool_terminal_complain("--xml", "the library of XML security does not start");
    status = tool_terminal_run(o);
    if (o->xml)
        sec_xml_stop();
    return status;
}

int main(int argc, char **argv)
{
    struct tool_terminal_options o = {
        .require = "none", .max_size = 65536, .verify_rate = 10, .tls_port = TOOL_TERMINAL_TLS_PORT};
    struct tool_list words = {.n = 0};
    char why[TOOL_WHY_N];

    (void)signal(SIGPIPE, SIG_IGN);
    ppg_json_wipe();
    if (argc > 1 && slice_eq(slice_str(argv[1]), SLICE("swarm")))
        return tool_swarm_run(argc - 2, argv + 2);
    if (tool_parse(tool_terminal_options, argc - 1, argv + 1, &o, &words, why))
        return tool_terminal_complain(why, "");
    if (o.help)
        return help();
    if (o.version) {
        (void)puts("push-terminal " PPG_VERSION);
        return 0;
    }
    if (words.n == 1 && slice_eq(slice_str(words.v[0]), SLICE("activate")))
        return run_activate(&o);
    if (words.n == 1 && slice_eq(slice_str(words.v[0]), SLICE("peer")))
        return o.gateway && o.peer_key && !o.bind && !o.visit ? tool_peer_run(&o)
                                                              : tool_terminal_complain(USAGE, "");
    if (words.n == 1 && slice_eq(slice_str(words.v[0]), SLICE("give")))
        return one_time_ok(&o) && o.to ? tool_one_time_give(&o) : tool_terminal_complain(USAGE, "");
    if (words.n == 1 && slice_eq(slice_str(words.v[0]), SLICE("take")))
        return one_time_ok(&o) && !o.to ? tool_one_time_take(&o) : tool_terminal_complain(USAGE, "");
    o.sip = words.n == 1 && slice_eq(slice_str(words.v[0]), SLICE("sip"));
    if (words.n != 1 || !command_ok(words.v[0], &o))
        return tool_terminal_complain(USAGE, "");
    return run(&o);
}
