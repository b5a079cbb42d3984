/* The certificates, and octets carried from one queue to the other. */
#include "tests/unit/tlsduo.h"

#include "base/buf.h"
#include "tests/unit/harness.h"

struct tls_pki tls_pki;

static const char *const server_sans[] = {"DNS:push.example", "IP:127.0.0.1", NULL};
static const char *const other_sans[] = {"DNS:other.example", NULL};
static const char *const client_sans[] = {"URI:https://mms.example", "DNS:mms.example", "DNS:two.example",
                                          "email:push@mms.example", NULL};

static void leaf(const char *cn, const char *const *sans, int64_t from_s, int64_t to_s,
                 const struct test_cert *ca, struct test_cert *out)
{
    struct test_cert_conf conf = {.cn = cn, .sans = sans, .from_s = from_s, .to_s = to_s};

    test_cert_make(&conf, ca, out);
}

void tls_pki_make(void)
{
    struct test_cert_conf ca = {.cn = "test authority", .ca = true};
    const struct test_cert *revoked[] = {&tls_pki.revoked};

    if (tls_pki.made)
        return;
    test_cert_make(&ca, NULL, &tls_pki.ca);
    ca.cn = "another authority";
    test_cert_make(&ca, NULL, &tls_pki.stranger_ca);
    leaf("server", server_sans, 0, 0, &tls_pki.ca, &tls_pki.server);
    leaf("other", other_sans, 0, 0, &tls_pki.ca, &tls_pki.other);
    leaf("expired", server_sans, -7200, -60, &tls_pki.ca, &tls_pki.expired);
    leaf("future", server_sans, 3600, 7200, &tls_pki.ca, &tls_pki.future);
    leaf("revoked", server_sans, 0, 0, &tls_pki.ca, &tls_pki.revoked);
    leaf("client", client_sans, 0, 0, &tls_pki.ca, &tls_pki.client);
    leaf("client expired", client_sans, -7200, -60, &tls_pki.ca, &tls_pki.client_expired);
    leaf("client stranger", client_sans, 0, 0, &tls_pki.stranger_ca, &tls_pki.client_stranger);
    test_crl_make(&tls_pki.ca, revoked, 1, tls_pki.crl, sizeof tls_pki.crl);
    tls_pki.made = true;
}

struct net_tls_pair tls_pair_of(const struct test_cert *c)
{
    return (struct net_tls_pair){.cert_pem = slice_str(c->cert_pem), .key_pem = slice_str(c->key_pem)};
}

struct net_tls_ctx *tls_side_ctx(enum net_tls_role role, const struct tls_side *s)
{
    struct net_tls_pair pairs[COUNT(s->more) + 1];
    struct net_tls_conf conf = {
        .role = role,
        .verify = s->verify,
        .pairs = pairs,
        .ca_pem = slice_str(s->ca ? s->ca : tls_pki.ca.cert_pem),
        .crl_pem = slice_str(s->crl),
        .version_min = s->version_min ? s->version_min : 12,
        .alpn_http11 = true,
        .priority = s->priority,
        .crl_expired_ok = s->crl_expired_ok,
        .ciphers = s->ciphers,
        .ask_status = s->ask_status,
    };
    struct net_tls_ctx *ctx = NULL;
    const char *why = "";

    if (s->cert)
        pairs[conf.pairs_n++] = tls_pair_of(s->cert);
    for (size_t i = 0; s->more[i]; i++)
        pairs[conf.pairs_n++] = tls_pair_of(s->more[i]);
    CU_ASSERT_EQUAL_FATAL(net_tls_ctx_create(&conf, &ctx, &why), ERR_OK);
    return ctx;
}

void tls_carry(struct net_tls *from, struct net_tls *to)
{
    struct buf wire = {0};

    net_tls_out_take(from, &wire);
    CU_ASSERT_EQUAL(net_tls_feed(to, buf_slice(&wire)), ERR_OK);
    buf_clear(&wire);
}

void tls_duo_go_on(struct tls_duo *d)
{
    for (int i = 0; i < 10; i++) {
        if (d->client_err == ERR_AGAIN)
            d->client_err = net_tls_handshake(d->client);
        tls_carry(d->client, d->server);
        if (d->server_err == ERR_AGAIN)
            d->server_err = net_tls_handshake(d->server);
        tls_carry(d->server, d->client);
    }
}

struct tls_duo tls_duo_of(struct net_tls_ctx *client, struct net_tls_ctx *server, const char *name)
{
    struct tls_duo d = {.client_err = ERR_AGAIN, .server_err = ERR_AGAIN};

    CU_ASSERT_EQUAL_FATAL(net_tls_create(client, slice_str(name), &d.client), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(net_tls_create(server, SLICE_NONE, &d.server), ERR_OK);
    tls_duo_go_on(&d);
    return d;
}

struct tls_duo tls_duo_open(const struct tls_side *client, const struct tls_side *server, const char *name)
{
    struct net_tls_ctx *cc = tls_side_ctx(NET_TLS_CLIENT, client);
    struct net_tls_ctx *sc = tls_side_ctx(NET_TLS_SERVER, server);
    struct tls_duo d = tls_duo_of(cc, sc, name);

    net_tls_ctx_free(&cc); /* sessions keep their contexts */
    net_tls_ctx_free(&sc);
    return d;
}

void tls_duo_close(struct tls_duo *d)
{
    net_tls_free(&d->client);
    net_tls_free(&d->server);
}

void tls_pass(struct net_tls *from, struct net_tls *to, struct slice what)
{
    struct buf got;
    char out[16384];
    size_t n;

    buf_init(&got, what.n + 1);
    for (size_t at = 0; at < what.n; at += 60000) {
        CU_ASSERT_EQUAL(net_tls_write(from, slice_sub(what, at, 60000)), ERR_OK);
        tls_carry(from, to);
        while (net_tls_read(to, out, sizeof out, &n) == ERR_OK)
            buf_add(&got, slice_of(out, n));
    }
    TEST_SLICE_EQ(buf_slice(&got), what);
    buf_clear(&got);
}
