/* Terminals that call in (TO-TCP): a connection that somebody opened, until it is known who.
 *
 * Story.  The gateway speaks first: OPTIONS with challenges to prove an identity, or without when TLS has proved one that
 * needs no more, and with the tag of what is known of it.  The answer names the terminal
 * (X-Wap-Terminal-Id, or a name of its certificate, which is preferred), brings its proof (X-Wap-Authorization) where the operator demands one, and
 * registers it.  One that wants a mac of us first, or a login, is asked again with that.  A terminal that may call in, over this transport, and has proved who it is becomes a call: socket,
 * session and what it said of itself, ready to go to the loop that owns its address, where ota_bearer.take() makes it
 * that terminal's connection.  Everybody else is sent away; nobody receives anything before.  A login that failed is
 * challenged once more.
 *
 * TLS is used when both sides have it: who calls in the clear is offered it (Upgrade, RFC 9110 §7.8).  A terminal that has it
 * answers 426 and calls again at the other door, and one that has called there before is not let in here any more, for as
 * long as anything is known of it.  [OTA-HTTP §3..§6], CPNS 5.x.4.  One set of callers a loop. */
#ifndef OTA_CALLER_H
#define OTA_CALLER_H

#include "base/net/gate.h"
#include "base/net/stream.h"
#include "ota/bearer.h"
#include "ota/cpi.h"
#include "security/gba/gba.h"
#include "security/login/digest.h"
#include "security/login/mac.h"
#include "security/login/penalty.h"

/* A terminal on the line.  Owned by whoever holds it; on no thread. */
struct ota_call {
    struct net_handover socket;
    struct net_gate *gate; /* may be NULL */
    struct net_gate_seat *seat;
    struct ota_cpi
        cpi; /* what it said; or unknown but for a tag: nothing has changed since; or unknown, then it is asked again */
    struct sec_mac_nonce mac; /* that its first push is to be made with; n 0: it told none */
    bool tls;
    const char *proof;          /* static, as struct ota_line has it */
    char from[NET_ADDR_TEXT_N]; /* for logs */
    size_t key_n;
    char key[]; /* canonical address of the terminal */
};
/* Hangs up; *call may be NULL. */
void ota_call_drop(struct ota_call **call);

struct ota_callers;
struct ota_callers_conf {
    const struct ota_env *env;
    struct sec_digest_guard *guard;
    struct sec_penalty *penalty;  /* sources of failed logins wait; may be NULL */
    struct sec_mac_guard *logins; /* nonces of syncml:auth-md5; NULL: it is offered to nobody */
    struct sec_penalty *users;    /* names under which it failed wait too; may be NULL */
    struct net_gate *gate;        /* seats of the connections; may be NULL */
    struct slice realm;
    bool md5; /* offered beside SHA-256, for old terminals */
    /* The table of this moment, with a hold for the caller. */
    struct ota_registry *(*registry)(void *arg);
    /* Whose bootstrapped key a shared key of that identity is: an IMPI.  ERR_ABSENT, ERR_MALFORMED: nobody's.  NULL: no key
     * is bootstrapped. */
    enum err (*subscriber)(void *arg, const struct net_tls_peer *peer, char impi[SEC_GBA_IMPI_MAX_N],
                           size_t *impi_n);
    /* A call, which is the callee's; never from inside a function of this header. */
    void (*arrived)(struct ota_call *call, void *arg);
    void *arg;
};

/* Copies conf.  ERR_NOMEM. */
enum err ota_callers_create(const struct ota_callers_conf *conf, struct ota_callers **out) MUST_USE;
/* Takes a socket that was accepted, and its seat.  tls: a server context, NULL: clear; offer_tls: clear, and there is
 * another door inside TLS. */
void ota_callers_take(struct ota_callers *c, uv_os_sock_t fd, struct net_gate_seat *seat,
                      struct net_tls_ctx *tls, bool offer_tls);
size_t ota_callers_n(const struct ota_callers *c); /* connections that are not known yet */
/* Hangs up on them; closed() when they are gone, then the memory goes. */
void ota_callers_close(struct ota_callers *c, void (*closed)(void *arg), void *arg);

#endif
