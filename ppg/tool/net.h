/* What the tools that use the network share: a loop for the length of one call, and certificates from files. */
#ifndef PPG_TOOL_NET_H
#define PPG_TOOL_NET_H

#include "base/net/env.h"
#include "base/net/tls.h"
#include "ppg/tool/tool.h"
#include "security/secret.h"

struct tool_loop {
    uv_loop_t loop;
    struct net_env env;
};
/* ERR_NOMEM.  No log; real clock. */
enum err tool_loop_open(struct tool_loop *l) MUST_USE;
/* Everything on the loop is closed or closing. */
void tool_loop_close(struct tool_loop *l);

/* A context from PEM files; any of them may be NULL.  conf brings role, verification and all else.
 * ERR_MALFORMED, ERR_IO, ERR_NOMEM with why[]. */
enum err tool_tls(struct net_tls_conf conf, const char *cert, const char *key, const char *ca,
                  struct net_tls_ctx **out, char why[TOOL_WHY_N]) MUST_USE;

/* The same with certificate and key out of one PKCS #12 file; its password is the first line of password_path, NULL: it has
 * none. */
enum err tool_tls_pkcs12(struct net_tls_conf conf, const char *path, const char *password_path,
                         const char *ca, struct net_tls_ctx **out, char why[TOOL_WHY_N]) MUST_USE;

/* The same with what is at hand already; empty: there is none. */
struct tool_pem {
    struct slice chain, key, ca;
};
enum err tool_tls_pem(struct net_tls_conf conf, const struct tool_pem *pem, struct net_tls_ctx **out,
                      char why[TOOL_WHY_N]) MUST_USE;

/* A shared key: NAME:FILE, hexadecimal digits in the first line of FILE.  *name borrows from the text.  ERR_MALFORMED,
 * ERR_LIMIT, ERR_IO with why[]. */
enum err tool_psk(const char *text, struct slice *name, struct sec_secret *key,
                  char why[TOOL_WHY_N]) MUST_USE;

#define TOOL_ADDRESS_N 64 /* octets of a numeric address, NUL included */
/* ADDR:PORT or [ADDR]:PORT; address without brackets, NUL behind it.  ERR_MALFORMED, ERR_LIMIT. */
enum err tool_bind(const char *text, char address[TOOL_ADDRESS_N], uint16_t *port) MUST_USE;

#endif
