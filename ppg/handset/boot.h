/* A terminal's bootstrapped key, kept fresh without a word to anybody: made at the start with the module and the network's
 * key server (BSF, over TLS), made anew before it is over and when a server does not know it, and tried again while the BSF
 * is away.  With it the terminal proves itself to one gateway, by shared key of TLS or by Digest.  TS 24.109 §4, §5.  For
 * push-terminal; one thread. */
#ifndef PPG_HANDSET_BOOT_H
#define PPG_HANDSET_BOOT_H

#include "base/net/env.h"
#include "base/net/tls.h"
#include "ota/terminal/boot.h"
#include "ppg/tool/tool.h"

/* Texts are NULL when not given. */
struct tool_bsf {
    const char *url;  /* https://HOST:PORT; NULL: there is none */
    const char *ca;   /* file: who signs it */
    const char *name; /* of the BSF; NULL: as the module's identity says */
    const char *naf;  /* of the gateway; NULL: its host */
};

struct tool_boot;
struct tool_boot_conf {
    const struct net_env *env;
    struct kit *kit; /* with a module */
    const struct tool_bsf *bsf;
    struct slice naf;         /* the gateway's own name; outlives it */
    bool (*moved)(void *arg); /* the kit's state is to be kept before anything is said; false: it cannot be */
    void (*keyed)(void *arg); /* there is a key, or another one */
    void (*unkeyed)(void *arg); /* a try came to nothing; there will be another */
    void *arg;
};
/* Begins; nobody is called from inside.  ERR_MALFORMED, ERR_ABSENT, ERR_IO, ERR_NOMEM with why[]. */
enum err tool_boot_create(const struct tool_boot_conf *conf, struct tool_boot **out,
                          char why[TOOL_WHY_N]) MUST_USE;
/* The memory goes when its connections are closed.  NULL is fine. */
void tool_boot_close(struct tool_boot **b);

bool tool_boot_ready(const struct tool_boot *b);
/* A client context with the key, for TLS 1.3; good until the next keyed() has returned.  NULL: not ready. */
struct net_tls_ctx *tool_boot_tls(const struct tool_boot *b);
/* A login with it; as kit_boot_login(). */
enum err tool_boot_login(const struct tool_boot *b, struct kit_login **out) MUST_USE;
/* The gateway does not know it (any more). */
void tool_boot_refused(struct tool_boot *b);

#endif
