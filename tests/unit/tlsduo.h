/* Two TLS sessions back to back in memory, with certificates of every kind that a judge must know. */
#ifndef TESTS_UNIT_TLSDUO_H
#define TESTS_UNIT_TLSDUO_H

#include "base/net/tls.h"
#include "tests/unit/certs.h"

/* Of one authority, but for those called stranger; made by tls_pki_make(), which may be called again. */
struct tls_pki {
    bool made;
    struct test_cert ca, stranger_ca, server, other, expired, future, client, client_expired, revoked;
    struct test_cert client_stranger;
    char crl[2048];
};
extern struct tls_pki tls_pki;
void tls_pki_make(void);
struct net_tls_pair tls_pair_of(const struct test_cert *c);

/* What a case says of one end. */
struct tls_side {
    enum net_tls_verify verify;
    const struct test_cert *cert;
    const struct test_cert *more[5]; /* behind it; ends with NULL */
    const char *ca;                  /* NULL: tls_pki.ca */
    const char *crl;
    unsigned version_min; /* 0: 12 */
    const char *priority;
    bool crl_expired_ok;
    bool ask_status;
    unsigned ciphers;
};
struct net_tls_ctx *tls_side_ctx(enum net_tls_role role, const struct tls_side *s);

struct tls_duo {
    struct net_tls *client, *server;
    enum err client_err, server_err; /* of the handshake */
};
/* What one end has to say, to the other. */
void tls_carry(struct net_tls *from, struct net_tls *to);
/* New sessions of both contexts, and their handshake. */
struct tls_duo tls_duo_of(struct net_tls_ctx *client, struct net_tls_ctx *server, const char *name);
/* The handshake of both ends until neither has anything to say; again when one was waiting for an answer. */
void tls_duo_go_on(struct tls_duo *d);
struct tls_duo tls_duo_open(const struct tls_side *client, const struct tls_side *server, const char *name);
void tls_duo_close(struct tls_duo *d);
/* Plain octets from one side to the other, however many records they take. */
void tls_pass(struct net_tls *from, struct net_tls *to, struct slice what);

#endif
