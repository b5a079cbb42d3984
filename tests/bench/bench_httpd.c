/* The bare HTTP server of base/net on one loop, answering every request with a static 202: the ceiling for
 * everything built on it, to be held against nginx with the same load tool.
 *     bench_httpd PORT [--tls CERT KEY]
 * Ends at SIGTERM. */
#include <stdio.h>
#include <stdlib.h>

#include "base/net/httpd.h"
#include "base/net/hub.h"
#include "security/credentials.h"

static const struct net_http_limits limits = {
    .head_max_n = 16384,
    .headers_max = 64,
    .value_max_n = 8192,
    .target_max_n = 2048,
    .body_max_n = 1 << 20,
    .head_ms = 10000,
    .idle_ms = 60000,
    .handshake_ms = 10000,
};

static void answer(struct net_http_exchange *x, void *arg)
{
    (void)arg;
    net_httpd_reply(x, 202, SLICE("application/xml"), SLICE_NONE, SLICE("<?xml version=\"1.0\"?><pap/>\n"));
}

static void hub_end(void *arg)
{
    struct net_env *env = arg;

    net_hub_close(env->hub, NULL, NULL);
}

static void server_end(uv_signal_t *sig, int number)
{
    void **state = sig->data;

    (void)number;
    uv_close((uv_handle_t *)sig, NULL);
    if (state[0])
        net_httpd_close(state[0], hub_end, state[1]);
    state[0] = NULL;
}

static struct net_tls_ctx *tls_of(const char *cert, const char *key)
{
    struct sec_credentials_pair pair = {.cert_file = cert, .key_file = key};
    struct sec_credentials_conf conf = {
        .role = NET_TLS_SERVER, .pairs = &pair, .pairs_n = 1, .version_min = 12, .alpn_http11 = true};
    struct net_tls_ctx *ctx = NULL;
    char why[SEC_CREDENTIALS_WHY_N];

    if (sec_credentials_load(&conf, &clk_real, &ctx, why)) {
        (void)fprintf(stderr, "%s\n", why);
        exit(1);
    }
    return ctx;
}

int main(int argc, char **argv)
{
    struct net_env env = {.loop = uv_default_loop(), .clk = &clk_real};
    struct net_httpd_conf conf = {
        .name = "bench", .address = "127.0.0.1", .limits = limits, .request = answer};
    struct net_httpd *server = NULL;
    const char *why = "";
    void *state[2];
    uv_signal_t sig;

    if (argc != 2 && argc != 5) {
        (void)fprintf(stderr, "usage: bench_httpd PORT [--tls CERT KEY]\n");
        return 2;
    }
    conf.port = (uint16_t)strtoul(argv[1], NULL, 10);
    if (argc == 5)
        conf.tls = tls_of(argv[3], argv[4]);
    if (net_hub_create(&env) || net_httpd_create(&env, &conf, &server, &why)) {
        (void)fprintf(stderr, "bench_httpd: %s\n", why);
        return 1;
    }
    (void)printf("listening on 127.0.0.1:%u\n", net_httpd_port(server));
    (void)fflush(stdout);
    state[0] = server;
    state[1] = &env;
    sig.data = state;
    if (uv_signal_init(env.loop, &sig) || uv_signal_start(&sig, server_end, SIGTERM))
        return 1;
    (void)uv_run(env.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(env.loop);
    net_tls_ctx_free(&conf.tls);
    return 0;
}
