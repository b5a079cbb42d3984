/* base/net/tls.c: two sessions back to back in memory, and against a plain GnuTLS client where ours cannot
 * misbehave enough. */
#include "base/net/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "tests/unit/certs.h"
#include "tests/unit/harness.h"

static const char *const server_sans[] = {"DNS:push.example", "IP:127.0.0.1", NULL};
static const char *const other_sans[] = {"DNS:other.example", NULL};
static const char *const client_sans[] = {"URI:https://mms.example", "DNS:mms.example", "DNS:two.example",
                                          "email:push@mms.example", NULL};

static struct {
    bool made;
    struct test_cert ca, stranger_ca, server, other, expired, future, client, client_expired, revoked;
    struct test_cert client_stranger;
    char crl[2048];
} pki;

static void leaf(const char *cn, const char *const *sans, int64_t from_s, int64_t to_s,
                 const struct test_cert *ca, struct test_cert *out)
{
    struct test_cert_conf conf = {.cn = cn, .sans = sans, .from_s = from_s, .to_s = to_s};

    test_cert_make(&conf, ca, out);
}

static void pki_make(void)
{
    struct test_cert_conf ca = {.cn = "test authority", .ca = true};
    const struct test_cert *revoked[] = {&pki.revoked};

    if (pki.made)
        return;
    test_cert_make(&ca, NULL, &pki.ca);
    ca.cn = "another authority";
    test_cert_make(&ca, NULL, &pki.stranger_ca);
    leaf("server", server_sans, 0, 0, &pki.ca, &pki.server);
    leaf("other", other_sans, 0, 0, &pki.ca, &pki.other);
    leaf("expired", server_sans, -7200, -60, &pki.ca, &pki.expired);
    leaf("future", server_sans, 3600, 7200, &pki.ca, &pki.future);
    leaf("revoked", server_sans, 0, 0, &pki.ca, &pki.revoked);
    leaf("client", client_sans, 0, 0, &pki.ca, &pki.client);
    leaf("client expired", client_sans, -7200, -60, &pki.ca, &pki.client_expired);
    leaf("client stranger", client_sans, 0, 0, &pki.stranger_ca, &pki.client_stranger);
    test_crl_make(&pki.ca, revoked, 1, pki.crl, sizeof pki.crl);
    pki.made = true;
}

static struct net_tls_pair pair_of(const struct test_cert *c)
{
    return (struct net_tls_pair){.cert_pem = slice_str(c->cert_pem), .key_pem = slice_str(c->key_pem)};
}

struct side {
    enum net_tls_verify verify;
    const struct test_cert *cert;
    const struct test_cert *more[5]; /* behind it; ends with NULL */
    const char *ca;                  /* NULL: pki.ca */
    const char *crl;
    unsigned version_min; /* 0: 12 */
    const char *priority;
    bool crl_expired_ok;
    bool ask_status;
    unsigned ciphers;
};

static struct net_tls_ctx *ctx_of(enum net_tls_role role, const struct side *s)
{
    struct net_tls_pair pairs[COUNT(s->more) + 1];
    struct net_tls_conf conf = {
        .role = role,
        .verify = s->verify,
        .pairs = pairs,
        .ca_pem = slice_str(s->ca ? s->ca : pki.ca.cert_pem),
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
        pairs[conf.pairs_n++] = pair_of(s->cert);
    for (size_t i = 0; s->more[i]; i++)
        pairs[conf.pairs_n++] = pair_of(s->more[i]);
    CU_ASSERT_EQUAL_FATAL(net_tls_ctx_create(&conf, &ctx, &why), ERR_OK);
    return ctx;
}

struct duo {
    struct net_tls *client;
    struct net_tls *server;
    enum err client_err; /* of the handshake */
    enum err server_err;
};

static void carry(struct net_tls *from, struct net_tls *to)
{
    struct buf wire = {0};

    net_tls_out_take(from, &wire);
    CU_ASSERT_EQUAL(net_tls_feed(to, buf_slice(&wire)), ERR_OK);
    buf_clear(&wire);
}

/* Both sides until neither has anything to say. */
static void shake(struct duo *d)
{
    d->client_err = d->server_err = ERR_AGAIN;
    for (int i = 0; i < 10; i++) {
        if (d->client_err == ERR_AGAIN)
            d->client_err = net_tls_handshake(d->client);
        carry(d->client, d->server);
        if (d->server_err == ERR_AGAIN)
            d->server_err = net_tls_handshake(d->server);
        carry(d->server, d->client);
    }
}

static struct duo duo_open(const struct side *client, const struct side *server, const char *name)
{
    struct net_tls_ctx *cc = ctx_of(NET_TLS_CLIENT, client);
    struct net_tls_ctx *sc = ctx_of(NET_TLS_SERVER, server);
    struct duo d = {0};

    CU_ASSERT_EQUAL_FATAL(net_tls_create(cc, slice_str(name), &d.client), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(net_tls_create(sc, SLICE_NONE, &d.server), ERR_OK);
    net_tls_ctx_free(&cc); /* sessions keep their contexts */
    net_tls_ctx_free(&sc);
    shake(&d);
    return d;
}

static void duo_close(struct duo *d)
{
    net_tls_free(&d->client);
    net_tls_free(&d->server);
}

/* Plain octets from one side to the other, however many records they take. */
static void pass(struct net_tls *from, struct net_tls *to, struct slice what)
{
    struct buf got;
    char out[16384];
    size_t n;

    buf_init(&got, what.n + 1);
    for (size_t at = 0; at < what.n; at += 60000) {
        CU_ASSERT_EQUAL(net_tls_write(from, slice_sub(what, at, 60000)), ERR_OK);
        carry(from, to);
        while (net_tls_read(to, out, sizeof out, &n) == ERR_OK)
            buf_add(&got, slice_of(out, n));
    }
    TEST_SLICE_EQ(buf_slice(&got), what);
    buf_clear(&got);
}

static void case_data_both_ways(void)
{
    static const char *const versions[] = {NULL, "NORMAL:-VERS-ALL:+VERS-TLS1.2"};
    static char big[1000000];

    pki_make();
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 7 + i / 251);
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct side client = {.verify = NET_TLS_VERIFY_REQUIRED, .priority = versions[i]};
        struct side server = {.cert = &pki.server};
        struct duo d = duo_open(&client, &server, "push.example");
        size_t n;
        char out[16];

        test_row(i);
        CU_ASSERT(d.client_err == ERR_OK && d.server_err == ERR_OK);
        TEST_SLICE_EQ(slice_str(net_tls_peer(d.client)->version), i ? SLICE("TLS1.2") : SLICE("TLS1.3"));
        CU_ASSERT(strlen(net_tls_peer(d.server)->suite) > 10);
        pass(d.client, d.server, SLICE("hello"));
        pass(d.server, d.client, SLICE("hello yourself"));
        pass(d.client, d.server, slice_of(big, sizeof big));
        pass(d.server, d.client, slice_of(big, sizeof big));
        CU_ASSERT_EQUAL(net_tls_read(d.server, out, sizeof out, &n), ERR_AGAIN);
        net_tls_bye(d.client);
        carry(d.client, d.server);
        CU_ASSERT_EQUAL(net_tls_read(d.server, out, sizeof out, &n), ERR_ABSENT);
        pass(d.server, d.client, SLICE("we may still speak"));
        duo_close(&d);
    }
}

/* What the client thinks of the server's certificate. */
static void case_server_certificates(void)
{
    const struct {
        const struct test_cert *cert;
        const char *name, *ca, *crl;
        enum err want;
        const char *why;
    } rows[] = {
        {&pki.server, "push.example", NULL, NULL, ERR_OK, ""},
        {&pki.server, "127.0.0.1", NULL, NULL, ERR_OK, ""},
        {&pki.server, "push.example", NULL, pki.crl, ERR_OK, ""},
        {&pki.server, "PUSH.example", NULL, NULL, ERR_OK, ""},
        {&pki.expired, "push.example", NULL, NULL, ERR_DENIED, "cert-expired"},
        {&pki.future, "push.example", NULL, NULL, ERR_DENIED, "cert-not-yet-valid"},
        {&pki.server, "push.example.", NULL, NULL, ERR_DENIED, "cert-name"},
        {&pki.server, "xpush.example", NULL, NULL, ERR_DENIED, "cert-name"},
        {&pki.server, "server", NULL, NULL, ERR_DENIED, "cert-name"},
        {&pki.server, "127.0.0.2", NULL, NULL, ERR_DENIED, "cert-name"},
        {&pki.server, "push.example", pki.stranger_ca.cert_pem, NULL, ERR_DENIED, "cert-untrusted"},
        {&pki.revoked, "push.example", NULL, pki.crl, ERR_DENIED, "cert-revoked"},
    };

    pki_make();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct side client = {.verify = NET_TLS_VERIFY_REQUIRED, .ca = rows[i].ca, .crl = rows[i].crl};
        struct side server = {.cert = rows[i].cert};
        struct duo d = duo_open(&client, &server, rows[i].name);

        test_row(i);
        CU_ASSERT_EQUAL(d.client_err, rows[i].want);
        TEST_SLICE_EQ(slice_str(net_tls_why(d.client)), slice_str(rows[i].why));
        CU_ASSERT_EQUAL(net_tls_peer(d.client)->verified, rows[i].want == ERR_OK);
        CU_ASSERT_EQUAL(d.server_err, rows[i].want == ERR_OK ? ERR_OK : ERR_PEER);
        if (rows[i].want)
            TEST_SLICE_EQ(slice_str(net_tls_why(d.server)), SLICE("alert"));
        duo_close(&d);
    }
}

/* What the server thinks of the client's; under TLS 1.3 the client only learns of it with its first read. */
static void case_client_certificates(void)
{
    const struct {
        enum net_tls_verify verify;
        const struct test_cert *cert;
        enum err want;
        const char *why;
        bool has_cert;
    } rows[] = {
        {NET_TLS_VERIFY_NONE, NULL, ERR_OK, "", false},
        {NET_TLS_VERIFY_NONE, &pki.client, ERR_OK, "", false}, /* never asked, never sent */
        {NET_TLS_VERIFY_OPTIONAL, NULL, ERR_OK, "", false},
        {NET_TLS_VERIFY_OPTIONAL, &pki.client, ERR_OK, "", true},
        {NET_TLS_VERIFY_REQUIRED, &pki.client, ERR_OK, "", true},
        {NET_TLS_VERIFY_REQUIRED, NULL, ERR_DENIED, "cert-missing", false},
        {NET_TLS_VERIFY_REQUIRED, &pki.client_expired, ERR_DENIED, "cert-expired", false},
        {NET_TLS_VERIFY_OPTIONAL, &pki.client_expired, ERR_DENIED, "cert-expired", false},
        {NET_TLS_VERIFY_REQUIRED, &pki.revoked, ERR_DENIED, "cert-revoked", false},
        {NET_TLS_VERIFY_OPTIONAL, &pki.revoked, ERR_DENIED, "cert-revoked", false},
    };
    static const char *const versions[] = {NULL, "NORMAL:-VERS-ALL:+VERS-TLS1.2"};

    pki_make();
    for (size_t i = 0; i < COUNT(rows) * COUNT(versions); i++) {
        struct side client = {.verify = NET_TLS_VERIFY_REQUIRED, .priority = versions[i / COUNT(rows)]};
        struct side server = {.cert = &pki.server, .crl = pki.crl};
        size_t r = i % COUNT(rows);
        struct duo d;
        char out[16];
        size_t n;

        test_row(i);
        client.cert = rows[r].cert;
        server.verify = rows[r].verify;
        d = duo_open(&client, &server, "push.example");
        CU_ASSERT_EQUAL(d.server_err, rows[r].want);
        TEST_SLICE_EQ(slice_str(net_tls_why(d.server)), slice_str(rows[r].why));
        CU_ASSERT_EQUAL(net_tls_peer(d.server)->has_cert, rows[r].has_cert);
        CU_ASSERT_EQUAL(net_tls_peer(d.server)->verified, rows[r].has_cert);
        CU_ASSERT_EQUAL(strlen(net_tls_peer(d.server)->fingerprint), rows[r].has_cert ? 64 : 0);
        if (rows[r].want)
            CU_ASSERT_EQUAL(d.client_err ? d.client_err : net_tls_read(d.client, out, sizeof out, &n),
                            ERR_PEER);
        duo_close(&d);
    }
}

/* A revocation list past its next update refuses everybody, or is gone by all the same, as the operator says. */
static void case_old_revocation_list(void)
{
    static char old[2048];
    const struct test_cert *revoked[] = {&pki.revoked};
    const struct {
        const struct test_cert *cert;
        const char *crl;
        bool accept;
        const char *why;
    } rows[] = {
        {&pki.client, old, false, "crl-expired"},
        {&pki.revoked, old, false, "cert-revoked"},
        {&pki.client, old, true, ""},
        {&pki.revoked, old, true, "cert-revoked"},
        {&pki.client, pki.crl, false, ""},
        {&pki.client_expired, old, true, "cert-expired"},
    };

    pki_make();
    test_crl_dated(&pki.ca, revoked, 1, -60, old, sizeof old);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct side client = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = rows[i].cert};
        struct side server = {.verify = NET_TLS_VERIFY_REQUIRED,
                              .cert = &pki.server,
                              .crl = rows[i].crl,
                              .crl_expired_ok = rows[i].accept};
        struct duo d = duo_open(&client, &server, "push.example");

        test_row(i);
        TEST_SLICE_EQ(slice_str(net_tls_why(d.server)), slice_str(rows[i].why));
        CU_ASSERT_EQUAL(d.server_err, *rows[i].why ? ERR_DENIED : ERR_OK);
        duo_close(&d);
    }
}

/* The server's handshake waits for the word about the client's certificate, and goes by it. */
static void case_status_question(void)
{
    static const char *const versions[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.2"};
    static const struct {
        const struct test_cert *cert;
        bool asks;
        enum net_tls_status answer;
        enum err want;
        const char *why;
    } rows[] = {
        {&pki.client, true, NET_TLS_STATUS_GOOD, ERR_OK, ""},
        {&pki.client, true, NET_TLS_STATUS_REVOKED, ERR_DENIED, "cert-revoked"},
        {&pki.client, true, NET_TLS_STATUS_UNKNOWN, ERR_DENIED, "status-unknown"},
        {&pki.client_expired, false, NET_TLS_STATUS_GOOD, ERR_DENIED,
         "cert-expired"}, /* no good word helps */
        {NULL, false, NET_TLS_STATUS_GOOD, ERR_OK, ""},
    };

    pki_make();
    for (size_t i = 0; i < COUNT(rows) * COUNT(versions); i++) {
        size_t r = i % COUNT(rows);
        struct side client = {.verify = NET_TLS_VERIFY_REQUIRED, .priority = versions[i / COUNT(rows)]};
        struct side server = {.verify = NET_TLS_VERIFY_OPTIONAL, .cert = &pki.server, .ask_status = true};
        struct slice leaf_der = SLICE_NONE, issuer_der = SLICE_NONE;
        struct duo d;

        test_row(i);
        client.cert = rows[r].cert;
        d = duo_open(&client, &server, "push.example");
        CU_ASSERT_EQUAL(net_tls_question(d.server, &leaf_der, &issuer_der), rows[r].asks);
        if (rows[r].asks) {
            CU_ASSERT_EQUAL(d.server_err, ERR_AGAIN);
            CU_ASSERT(leaf_der.n > 100 && issuer_der.n > 100 && !slice_eq(leaf_der, issuer_der));
            CU_ASSERT_EQUAL(net_tls_handshake(d.server), ERR_AGAIN); /* as often as one likes */
            net_tls_answer(d.server, rows[r].answer);
            CU_ASSERT(!net_tls_question(d.server, &leaf_der, &issuer_der));
            for (int k = 0; k < 4 && d.server_err == ERR_AGAIN; k++) {
                d.server_err = net_tls_handshake(d.server);
                carry(d.server, d.client);
                d.client_err = d.client_err == ERR_AGAIN ? net_tls_handshake(d.client) : d.client_err;
                carry(d.client, d.server);
            }
        }
        CU_ASSERT_EQUAL(d.server_err, rows[r].want);
        TEST_SLICE_EQ(slice_str(net_tls_why(d.server)), slice_str(rows[r].why));
        CU_ASSERT_EQUAL(net_tls_peer(d.server)->verified, rows[r].want == ERR_OK && rows[r].asks);
        if (!rows[r].want)
            pass(d.client, d.server, SLICE("hello"));
        duo_close(&d);
    }
}

/* Every reason that is a verdict on the peer has its own event for each role; the others have none. */
static void case_events(void)
{
    static const char *const verdicts[] = {
        "cert-expired", "cert-not-yet-valid", "cert-revoked",   "cert-untrusted", "cert-name",
        "cert-missing", "cert-purpose",       "cert-weak",      "crl-expired",    "psk",
        "staple-bad",   "crl-not-yet-valid",  "staple-missing", "status-unknown"};
    static const char *const others[] = {"",     "alert", "protocol", "version", "no-shared-suite",
                                         "cert", "closed"};

    for (size_t i = 0; i < COUNT(verdicts); i++) {
        const char *event = net_tls_event(NET_TLS_CLIENT, verdicts[i]);

        test_row(i);
        CU_ASSERT_FATAL(event != NULL);
        CU_ASSERT(slice_starts(slice_str(event), SLICE("tls.client.")));
        CU_ASSERT(slice_starts(slice_str(net_tls_event(NET_TLS_SERVER, verdicts[i])), SLICE("tls.server.")));
        for (size_t k = 0; k < i; k++)
            CU_ASSERT_STRING_NOT_EQUAL(event, net_tls_event(NET_TLS_CLIENT, verdicts[k]));
    }
    for (size_t i = 0; i < COUNT(others); i++)
        CU_ASSERT_PTR_NULL(net_tls_event(NET_TLS_CLIENT, others[i]));
}

/* Who signed the certificate is told, whether the client sends the signer along or not. */
static void case_issuer_is_told(void)
{
    struct side client = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = &pki.client};
    struct side server = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = &pki.server};
    struct test_cert with_issuer;
    struct duo d;
    char first[65];

    pki_make();
    d = duo_open(&client, &server, "push.example");
    CU_ASSERT_EQUAL(strlen(net_tls_peer(d.server)->issuer), 64);
    CU_ASSERT(mem_cstr(first, sizeof first, slice_str(net_tls_peer(d.server)->issuer)) == ERR_OK);
    CU_ASSERT_STRING_NOT_EQUAL(first, net_tls_peer(d.server)->fingerprint);
    duo_close(&d);
    with_issuer = pki.client;
    (void)snprintf(with_issuer.cert_pem, sizeof with_issuer.cert_pem, "%.2000s%.2000s", pki.client.cert_pem,
                   pki.ca.cert_pem);
    client.cert = &with_issuer;
    d = duo_open(&client, &server, "push.example");
    CU_ASSERT_STRING_EQUAL(first, net_tls_peer(d.server)->issuer);
    duo_close(&d);
}

/* A client of another authority sends nothing, for GnuTLS clients look at the authorities asked for; made to send. */
static void case_client_untrusted(void)
{
    struct side client = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = &pki.client_stranger};
    struct side server = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = &pki.server};
    struct duo d;

    pki_make();
    d = duo_open(&client, &server, "push.example");
    CU_ASSERT_EQUAL(d.server_err, ERR_DENIED);
    CU_ASSERT(strcmp(net_tls_why(d.server), "cert-missing") == 0 ||
              strcmp(net_tls_why(d.server), "cert-untrusted") == 0);
    duo_close(&d);
}

static void case_peer_names(void)
{
    struct side client = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = &pki.client};
    struct side server = {.verify = NET_TLS_VERIFY_OPTIONAL, .cert = &pki.server};
    const struct net_tls_peer *p;
    struct duo d;

    pki_make();
    d = duo_open(&client, &server, "push.example");
    p = net_tls_peer(d.server);
    CU_ASSERT_FATAL(p->uris_n == 1 && p->dns_n == 2 && p->emails_n == 1);
    TEST_SLICE_EQ(p->uris[0], SLICE("https://mms.example"));
    TEST_SLICE_EQ(p->dns[0], SLICE("mms.example"));
    TEST_SLICE_EQ(p->dns[1], SLICE("two.example"));
    TEST_SLICE_EQ(p->emails[0], SLICE("push@mms.example"));
    p = net_tls_peer(d.client);
    CU_ASSERT_FATAL(p->dns_n == 1 && p->uris_n == 0);
    TEST_SLICE_EQ(p->dns[0], SLICE("push.example"));
    duo_close(&d);
}

#define ONLY_12  "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define ONLY_13  "NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define NO_ECDSA ":-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-SHA256"
#define NO_RSA   ":-SIGN-ALL:+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SECP256R1-SHA256"

/* Which of several certificates a client sees: the names ignore case (RFC 4343), a wildcard stands for one label
 * (RFC 6125 §6.4.3), the exact name goes first, and of two with a name the one that the client can check. */
static const struct {
    const char *name, *priority; /* of the client */
    const char *want;            /* the certificate's mailbox; NULL: no handshake */
} sni_rows[] = {
    {"first.example", NULL, "first@"},
    {"other.example", NULL, "other@"},
    {"OTHER.example", NULL, "other@"},
    {"a.wild.example", NULL, "wild@"},
    {"A.Wild.EXAMPLE", NULL, "wild@"},
    {"b.wild.example", NULL, "exact@"},
    {"B.wild.example", NULL, "exact@"},
    {"wild.example", NULL, "first@"},
    {"a.b.wild.example", NULL, "first@"},
    {"xother.example", NULL, "first@"},
    {"nobody.example", NULL, "first@"},
    {"127.0.0.1", NULL, "first@"},
    {NULL, NULL, "first@"},
    {"other.example", ONLY_12, "other@"},
    {"OTHER.example", ONLY_12, "other@"},
    {"a.wild.example", ONLY_12, "wild@"},
    {"nobody.example", ONLY_12, "first@"},
    {"other.example", ONLY_13 NO_ECDSA, "rsa@"},
    {"OTHER.example", ONLY_13 NO_ECDSA, "rsa@"},
    {"OTHER.example", ONLY_13 NO_RSA, "other@"},
    {"OTHER.example", ONLY_12 NO_ECDSA, "rsa@"},
    {"OTHER.example", ONLY_12 ":-KX-ALL:+ECDHE-RSA", "rsa@"}, /* the suites say it, not the signatures */
    {"OTHER.example", ONLY_12 ":-KX-ALL:+ECDHE-ECDSA", "other@"},
    {"second.example", NULL, "rsa@"},
    {"SECOND.example", ONLY_12, "rsa@"},
    {"SECOND.example", ONLY_13 NO_RSA, NULL}, /* never one of another name */
    {"nobody.example", ONLY_13 NO_ECDSA, "rsa@"},
    {"first.example", ONLY_13 NO_ECDSA, NULL},
    {"B.wild.example", ONLY_12 NO_ECDSA, NULL},
};

static void case_sni_chooses(void)
{
    static const char *const names[][4] = {
        {"DNS:first.example", "IP:127.0.0.2", "email:first@", NULL},
        {"DNS:Other.example", "email:other@", NULL},
        {"DNS:second.example", "DNS:other.Example", "email:rsa@", NULL},
        {"DNS:*.wild.example", "email:wild@", NULL},
        {"DNS:b.wild.example", "email:exact@", NULL},
    };
    static struct test_cert certs[COUNT(names)];
    struct side server = {.cert = &certs[0], .more = {&certs[1], &certs[2], &certs[3], &certs[4]}};

    pki_make();
    for (size_t i = 0; i < COUNT(names); i++) {
        struct test_cert_conf conf = {.cn = "leaf", .sans = names[i], .rsa = i == 2};

        test_cert_make(&conf, &pki.ca, &certs[i]);
    }
    for (size_t i = 0; i < COUNT(sni_rows); i++) {
        struct side client = {.verify = NET_TLS_VERIFY_NONE, .priority = sni_rows[i].priority};
        struct duo d = duo_open(&client, &server, sni_rows[i].name);

        test_row(i);
        CU_ASSERT_EQUAL(d.server_err, sni_rows[i].want ? ERR_OK : ERR_PEER);
        CU_ASSERT_EQUAL_FATAL(net_tls_peer(d.client)->emails_n, sni_rows[i].want ? 1 : 0);
        if (sni_rows[i].want)
            TEST_SLICE_EQ(net_tls_peer(d.client)->emails[0], slice_str(sni_rows[i].want));
        duo_close(&d);
    }
}

/* The client's certificate is judged alike whichever certificate the server shows. */
static void case_sni_keeps_the_judge(void)
{
    static const struct {
        const char *name;
        const struct test_cert *cert;
        enum err want;
        const char *why;
    } rows[] = {
        {"OTHER.example", &pki.client, ERR_OK, ""},
        {"push.example", &pki.client, ERR_OK, ""},
        {"OTHER.example", NULL, ERR_DENIED, "cert-missing"},
        {"OTHER.example", &pki.client_expired, ERR_DENIED, "cert-expired"},
        {"OTHER.example", &pki.revoked, ERR_DENIED, "cert-revoked"},
        {"push.example", &pki.revoked, ERR_DENIED, "cert-revoked"},
    };
    struct side server = {
        .verify = NET_TLS_VERIFY_REQUIRED, .cert = &pki.server, .more = {&pki.other}, .crl = pki.crl};

    pki_make();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct side client = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = rows[i].cert};
        struct duo d = duo_open(&client, &server, rows[i].name);

        test_row(i);
        CU_ASSERT_EQUAL(d.server_err, rows[i].want);
        TEST_SLICE_EQ(slice_str(net_tls_why(d.server)), slice_str(rows[i].why));
        duo_close(&d);
    }
}

static void case_versions(void)
{
    static const struct {
        const char *client;
        unsigned server_min;
        enum err want;
        const char *why;
    } rows[] = {
        {NULL, 13, ERR_OK, ""},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2", 12, ERR_OK, ""},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2", 13, ERR_PEER, "version"},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.1", 12, ERR_PEER, "version"},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.0", 12, ERR_PEER, "version"},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA", 12, ERR_PEER, "no-shared-suite"},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC", 12, ERR_PEER, "no-shared-suite"},
    };

    pki_make();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct side client = {.verify = NET_TLS_VERIFY_NONE, .priority = rows[i].client};
        struct side server = {.cert = &pki.server, .version_min = rows[i].server_min};
        struct duo d = duo_open(&client, &server, "push.example");

        test_row(i);
        CU_ASSERT_EQUAL(d.server_err, rows[i].want);
        TEST_SLICE_EQ(slice_str(net_tls_why(d.server)), slice_str(rows[i].why));
        duo_close(&d);
    }
}

/* A plain GnuTLS client beside a server session of ours. */
struct raw {
    gnutls_session_t session;
    gnutls_certificate_credentials_t cred;
    struct buf in, out;
    struct net_tls *server;
    enum err server_err;
};

static ssize_t raw_pull(gnutls_transport_ptr_t ptr, void *to, size_t cap)
{
    struct raw *r = ptr;
    size_t n = num_min(cap, r->in.n);

    if (n == 0) {
        gnutls_transport_set_errno(r->session, EAGAIN);
        return -1;
    }
    mem_copy(to, cap, slice_of(r->in.p, n));
    buf_drop(&r->in, n);
    return (ssize_t)n;
}

static ssize_t raw_push(gnutls_transport_ptr_t ptr, const void *from, size_t n)
{
    struct raw *r = ptr;

    buf_add(&r->out, slice_of(from, n));
    return (ssize_t)n;
}

static int raw_ready(gnutls_transport_ptr_t ptr, unsigned ms)
{
    const struct raw *r = ptr;

    (void)ms;
    return r->in.n > 0;
}

static void raw_open(struct raw *r, struct net_tls_ctx *server, const struct test_cert *cert,
                     const char *priority)
{
    gnutls_datum_t pem = {(unsigned char *)(uintptr_t)cert->cert_pem, (unsigned)strlen(cert->cert_pem)};
    gnutls_datum_t key = {(unsigned char *)(uintptr_t)cert->key_pem, (unsigned)strlen(cert->key_pem)};

    *r = (struct raw){.server_err = ERR_AGAIN};
    buf_init(&r->in, 1 << 20);
    buf_init(&r->out, 1 << 20);
    CU_ASSERT_EQUAL_FATAL(gnutls_init(&r->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK), 0);
    CU_ASSERT_EQUAL_FATAL(gnutls_certificate_allocate_credentials(&r->cred), 0);
    CU_ASSERT(gnutls_certificate_set_x509_key_mem(r->cred, &pem, &key, GNUTLS_X509_FMT_PEM) == 0);
    CU_ASSERT(gnutls_credentials_set(r->session, GNUTLS_CRD_CERTIFICATE, r->cred) == 0);
    CU_ASSERT(gnutls_priority_set_direct(r->session, priority, NULL) == 0);
    gnutls_transport_set_ptr(r->session, r);
    gnutls_transport_set_pull_function(r->session, raw_pull);
    gnutls_transport_set_push_function(r->session, raw_push);
    gnutls_transport_set_pull_timeout_function(r->session, raw_ready);
    CU_ASSERT_EQUAL_FATAL(net_tls_create(server, SLICE_NONE, &r->server), ERR_OK);
}

static int raw_shake(struct raw *r)
{
    int rc = GNUTLS_E_AGAIN;

    for (int i = 0; i < 10; i++) {
        struct buf wire = {0};

        if (rc == GNUTLS_E_AGAIN)
            rc = gnutls_handshake(r->session);
        CU_ASSERT_EQUAL(net_tls_feed(r->server, buf_slice(&r->out)), ERR_OK);
        buf_cut(&r->out, 0);
        if (r->server_err == ERR_AGAIN)
            r->server_err = net_tls_handshake(r->server);
        net_tls_out_take(r->server, &wire);
        buf_add(&r->in, buf_slice(&wire));
        buf_clear(&wire);
    }
    return rc;
}

static void raw_close(struct raw *r)
{
    gnutls_deinit(r->session);
    gnutls_certificate_free_credentials(r->cred);
    net_tls_free(&r->server);
    buf_clear(&r->in);
    buf_clear(&r->out);
}

static void case_alpn(void)
{
    static const struct {
        const char *offer[3];
        enum err want;
    } rows[] = {
        {{NULL}, ERR_OK},   {{"http/1.1"}, ERR_OK},         {{"h2", "http/1.1"}, ERR_OK},
        {{"h2"}, ERR_PEER}, {{"http/1.0", "h2"}, ERR_PEER},
    };
    struct side server = {.cert = &pki.server};
    struct net_tls_ctx *ctx;

    pki_make();
    ctx = ctx_of(NET_TLS_SERVER, &server);
    for (size_t i = 0; i < COUNT(rows); i++) {
        gnutls_datum_t offer[3];
        unsigned n = 0;
        struct raw r;

        test_row(i);
        raw_open(&r, ctx, &pki.client, "NORMAL");
        for (; rows[i].offer[n]; n++)
            offer[n] = (gnutls_datum_t){(unsigned char *)(uintptr_t)rows[i].offer[n],
                                        (unsigned)strlen(rows[i].offer[n])};
        if (n)
            CU_ASSERT(gnutls_alpn_set_protocols(r.session, offer, n, 0) == 0);
        (void)raw_shake(&r);
        CU_ASSERT_EQUAL(r.server_err, rows[i].want);
        TEST_SLICE_EQ(slice_str(net_tls_why(r.server)), rows[i].want ? SLICE("alpn") : SLICE(""));
        raw_close(&r);
    }
    net_tls_ctx_free(&ctx);
}

/* A ticket brings the certificate back: same names, judged anew. */
static void case_resumed_identity(void)
{
    static const char *const versions[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.2"};
    struct side server = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = &pki.server};
    struct net_tls_ctx *ctx;

    pki_make();
    ctx = ctx_of(NET_TLS_SERVER, &server);
    for (size_t i = 0; i < COUNT(versions); i++) {
        gnutls_datum_t ticket = {NULL, 0};
        struct raw first, second;
        char byte[4];

        test_row(i);
        raw_open(&first, ctx, &pki.client, versions[i]);
        CU_ASSERT_EQUAL(raw_shake(&first), 0);
        (void)gnutls_record_recv(first.session, byte, sizeof byte); /* the ticket of TLS 1.3 */
        CU_ASSERT_EQUAL(gnutls_session_get_data2(first.session, &ticket), 0);
        raw_open(&second, ctx, &pki.client, versions[i]);
        CU_ASSERT_EQUAL(gnutls_session_set_data(second.session, ticket.data, ticket.size), 0);
        CU_ASSERT_EQUAL(raw_shake(&second), 0);
        CU_ASSERT_TRUE(gnutls_session_is_resumed(second.session));
        CU_ASSERT_EQUAL(second.server_err, ERR_OK);
        CU_ASSERT_TRUE(net_tls_peer(second.server)->verified);
        CU_ASSERT_FATAL(net_tls_peer(second.server)->uris_n == 1);
        TEST_SLICE_EQ(net_tls_peer(second.server)->uris[0], SLICE("https://mms.example"));
        gnutls_free(ticket.data);
        raw_close(&first);
        raw_close(&second);
    }
    net_tls_ctx_free(&ctx);
}

static void case_hostile_wire(void)
{
    static char junk[200000];
    static const char hello_http[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct side client = {.verify = NET_TLS_VERIFY_NONE};
    struct side server = {.cert = &pki.server};
    struct net_tls *t = NULL;
    struct net_tls_ctx *ctx;
    struct duo d;
    char out[64];
    size_t n = 7;

    pki_make();
    ctx = ctx_of(NET_TLS_SERVER, &server);
    CU_ASSERT_EQUAL_FATAL(net_tls_create(ctx, SLICE_NONE, &t), ERR_OK);
    CU_ASSERT_EQUAL(net_tls_handshake(t), ERR_AGAIN);
    CU_ASSERT_EQUAL(net_tls_feed(t, slice_of(hello_http, sizeof hello_http - 1)), ERR_OK);
    CU_ASSERT_EQUAL(net_tls_handshake(t), ERR_PEER);
    CU_ASSERT_EQUAL(net_tls_handshake(t), ERR_PEER);
    net_tls_free(&t);
    CU_ASSERT_EQUAL_FATAL(net_tls_create(ctx, SLICE_NONE, &t), ERR_OK);
    CU_ASSERT_EQUAL(net_tls_feed(t, slice_of(junk, sizeof junk)), ERR_LIMIT);
    net_tls_free(&t);
    net_tls_ctx_free(&ctx);

    d = duo_open(&client, &server, "push.example"); /* a record that was changed on the way */
    CU_ASSERT_EQUAL(net_tls_feed(d.server, SLICE("\x17\x03\x03\x00\x18"
                                                 "012345678901234567890123")),
                    ERR_OK);
    CU_ASSERT_EQUAL(net_tls_read(d.server, out, sizeof out, &n), ERR_PEER);
    CU_ASSERT_EQUAL(n, 7);
    CU_ASSERT(net_tls_out_n(d.server) > 0); /* bad_record_mac */
    CU_ASSERT_EQUAL(net_tls_write(d.server, SLICE("x")), ERR_PEER);
    duo_close(&d);
}

static void case_bad_settings(void)
{
    struct net_tls_pair good, mixed, broken = {.cert_pem = SLICE("no PEM"), .key_pem = SLICE("no PEM")};
    const struct {
        const struct net_tls_pair *pair;
        enum net_tls_role role;
        enum net_tls_verify verify;
        const char *ca, *crl, *priority;
        unsigned version_min;
    } rows[] = {
        {NULL, NET_TLS_SERVER, NET_TLS_VERIFY_NONE, NULL, NULL, NULL, 12},
        {&mixed, NET_TLS_SERVER, NET_TLS_VERIFY_NONE, NULL, NULL, NULL, 12},
        {&broken, NET_TLS_SERVER, NET_TLS_VERIFY_NONE, NULL, NULL, NULL, 12},
        {&good, NET_TLS_SERVER, NET_TLS_VERIFY_NONE, NULL, NULL, NULL, 11},
        {&good, NET_TLS_SERVER, NET_TLS_VERIFY_REQUIRED, NULL, NULL, NULL, 12},
        {&good, NET_TLS_SERVER, NET_TLS_VERIFY_REQUIRED, "no PEM", NULL, NULL, 12},
        {&good, NET_TLS_SERVER, NET_TLS_VERIFY_REQUIRED, pki.ca.cert_pem, "no PEM", NULL, 12},
        {&good, NET_TLS_SERVER, NET_TLS_VERIFY_NONE, NULL, NULL, "+NONSENSE", 12},
        {NULL, NET_TLS_CLIENT, NET_TLS_VERIFY_REQUIRED, NULL, NULL, NULL, 12},
    };

    pki_make();
    good = pair_of(&pki.server);
    mixed = (struct net_tls_pair){.cert_pem = good.cert_pem, .key_pem = slice_str(pki.other.key_pem)};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_tls_conf conf = {.role = rows[i].role,
                                    .verify = rows[i].verify,
                                    .pairs = rows[i].pair,
                                    .pairs_n = rows[i].pair != NULL,
                                    .ca_pem = slice_str(rows[i].ca),
                                    .crl_pem = slice_str(rows[i].crl),
                                    .version_min = rows[i].version_min,
                                    .priority = rows[i].priority};
        struct net_tls_ctx *ctx = NULL;
        const char *why = NULL;

        test_row(i);
        CU_ASSERT_EQUAL(net_tls_ctx_create(&conf, &ctx, &why), ERR_MALFORMED);
        CU_ASSERT(ctx == NULL && why && *why);
    }
}

static void case_client_needs_a_name(void)
{
    struct side client = {.verify = NET_TLS_VERIFY_REQUIRED};
    struct net_tls *t = NULL;
    struct net_tls_ctx *ctx;

    pki_make();
    ctx = ctx_of(NET_TLS_CLIENT, &client);
    CU_ASSERT_EQUAL(net_tls_create(ctx, SLICE_NONE, &t), ERR_MALFORMED);
    CU_ASSERT_EQUAL(net_tls_create(ctx, SLICE("push.example\0evil"), &t), ERR_MALFORMED);
    CU_ASSERT(t == NULL);
    net_tls_ctx_free(&ctx);
}

const struct test_case test_cases[] = {
    {"data_both_ways", case_data_both_ways},
    {"server_certificates", case_server_certificates},
    {"client_certificates", case_client_certificates},
    {"client_untrusted", case_client_untrusted},
    {"old_revocation_list", case_old_revocation_list},
    {"status_question", case_status_question},
    {"events", case_events},
    {"issuer_is_told", case_issuer_is_told},
    {"peer_names", case_peer_names},
    {"sni_chooses", case_sni_chooses},
    {"sni_keeps_the_judge", case_sni_keeps_the_judge},
    {"versions", case_versions},
    {"alpn", case_alpn},
    {"resumed_identity", case_resumed_identity},
    {"hostile_wire", case_hostile_wire},
    {"bad_settings", case_bad_settings},
    {"client_needs_a_name", case_client_needs_a_name},
    {NULL, NULL},
};
