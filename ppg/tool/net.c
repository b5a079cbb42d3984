/* A loop and certificates for the tools; see net.h. */
#include "ppg/tool/net.h"

#include "base/mem.h"
#include "base/net/hub.h"
#include "base/scan.h"
#include "security/pkcs12.h"

#define PEM_MAX_N (4u << 20)
#define PSK_MAX_N 1024u /* octets of a file with a key */

enum err tool_loop_open(struct tool_loop *l)
{
    if (uv_loop_init(&l->loop) != 0)
        return ERR_NOMEM;
    l->env = (struct net_env){.loop = &l->loop, .clk = &clk_real};
    if (net_hub_create(&l->env) == ERR_OK)
        return ERR_OK;
    (void)uv_loop_close(&l->loop);
    return ERR_NOMEM;
}

void tool_loop_close(struct tool_loop *l)
{
    (void)uv_run(&l->loop, UV_RUN_DEFAULT);
    net_hub_close(l->env.hub, NULL, NULL);
    (void)uv_run(&l->loop, UV_RUN_DEFAULT);
    MUST(uv_loop_close(&l->loop) == 0);
}

static enum err pem_read(const char *path, struct buf *out, char why[TOOL_WHY_N])
{
    enum err e = path ? tool_read(path, out) : ERR_OK;

    if (e)
        (void)snprintf(why, TOOL_WHY_N, "%.120s: %s", path, tool_read_why(e));
    return e;
}

enum err tool_tls_pem(struct net_tls_conf conf, const struct tool_pem *pem, struct net_tls_ctx **out,
                      char why[TOOL_WHY_N])
{
    const struct net_tls_pair pair = {.cert_pem = pem->chain, .key_pem = pem->key};
    const char *what = "";
    enum err e;

    conf.pairs = &pair;
    conf.pairs_n = pem->chain.n ? 1 : 0;
    conf.ca_pem = pem->ca;
    e = net_tls_ctx_create(&conf, out, &what);
    if (e)
        (void)snprintf(why, TOOL_WHY_N, "TLS: %s", what);
    return e;
}

/* With key and certificates as they came from wherever, and authorities from a file. */
static enum err make(struct net_tls_conf conf, const struct buf *chain, const struct buf *key, const char *ca,
                     struct net_tls_ctx **out, char why[TOOL_WHY_N])
{
    struct tool_pem pem = {.chain = buf_slice(chain), .key = buf_slice(key)};
    struct buf ca_pem;
    enum err e;

    buf_init(&ca_pem, PEM_MAX_N);
    e = pem_read(ca, &ca_pem, why);
    pem.ca = buf_slice(&ca_pem);
    if (!e)
        e = tool_tls_pem(conf, &pem, out, why);
    buf_clear(&ca_pem);
    return e;
}

enum err tool_tls(struct net_tls_conf conf, const char *cert, const char *key, const char *ca,
                  struct net_tls_ctx **out, char why[TOOL_WHY_N])
{
    struct buf cert_pem, key_pem;
    enum err e;

    if (!cert != !key) {
        (void)snprintf(why, TOOL_WHY_N, "--cert and --key go together");
        return ERR_MALFORMED;
    }
    buf_init(&cert_pem, PEM_MAX_N);
    buf_init(&key_pem, PEM_MAX_N);
    e = pem_read(cert, &cert_pem, why);
    if (!e)
        e = pem_read(key, &key_pem, why);
    if (!e)
        e = make(conf, &cert_pem, &key_pem, ca, out, why);
    buf_clear(&cert_pem);
    buf_wipe(&key_pem);
    return e;
}

static enum err pkcs12_open(const char *path, struct slice der, struct slice password, struct buf *key_pem,
                            struct buf *chain_pem, char why[TOOL_WHY_N])
{
    struct slice first, rest;
    enum err e;

    (void)slice_cut(password, '\n', &first, &rest);
    e = sec_pkcs12_open(der, first, key_pem, chain_pem);
    if (e)
        (void)snprintf(why, TOOL_WHY_N, "%.120s: %s", path,
                       e == ERR_DENIED      ? "another password"
                       : e == ERR_ABSENT    ? "no key, or no certificate of it"
                       : e == ERR_MALFORMED ? "not PKCS #12, or without its MAC"
                                            : err_text(e));
    return e;
}

enum err tool_tls_pkcs12(struct net_tls_conf conf, const char *path, const char *password_path,
                         const char *ca, struct net_tls_ctx **out, char why[TOOL_WHY_N])
{
    struct buf der, password, key_pem, chain_pem;
    enum err e;

    buf_init(&der, PEM_MAX_N);
    buf_init(&password, PEM_MAX_N);
    buf_init(&key_pem, PEM_MAX_N);
    buf_init(&chain_pem, PEM_MAX_N);
    e = pem_read(path, &der, why);
    if (!e)
        e = pem_read(password_path, &password, why);
    if (!e)
        e = pkcs12_open(path, buf_slice(&der), buf_slice(&password), &key_pem, &chain_pem, why);
    if (!e)
        e = make(conf, &chain_pem, &key_pem, ca, out, why);
    buf_clear(&der);
    buf_wipe(&password);
    buf_wipe(&key_pem);
    buf_clear(&chain_pem);
    return e;
}

/* ADDR ":" PORT or "[" ADDR "]" ":" PORT */
enum err tool_bind(const char *text, char address[TOOL_ADDRESS_N], uint16_t *port)
{
    struct slice in = slice_str(text), host;
    const char *colon = text ? strrchr(text, ':') : NULL;
    struct scan s;

    if (!colon)
        return ERR_MALFORMED;
    host = slice_sub(in, 0, (size_t)(colon - text));
    s = scan_of(slice_str(colon + 1));
    *port = (uint16_t)scan_u32(&s, 0, UINT16_MAX);
    scan_end(&s);
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = slice_sub(host, 1, host.n - 2);
    return s.err ? s.err : mem_cstr(address, TOOL_ADDRESS_N, host);
}

enum err tool_psk(const char *text, struct slice *name, struct sec_secret *key, char why[TOOL_WHY_N])
{
    struct slice file;
    struct buf digits;
    enum err e;

    if (!slice_cut(slice_str(text), ':', name, &file) || !name->n) {
        (void)snprintf(why, TOOL_WHY_N, "not NAME:FILE");
        return ERR_MALFORMED;
    }
    buf_init(&digits, PSK_MAX_N);
    (void)buf_room(&digits, PSK_MAX_N); /* growth would leave copies behind */
    e = tool_read(file.p, &digits);
    if (!e)
        e = sec_secret_set_hex(
            key, slice_trim(slice_sub(buf_slice(&digits), 0, slice_find(buf_slice(&digits), '\n'))));
    if (e)
        (void)snprintf(why, TOOL_WHY_N, "%.120s: %s", file.p, tool_read_why(e));
    buf_wipe(&digits);
    return e;
}
