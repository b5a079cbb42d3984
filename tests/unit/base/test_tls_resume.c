/* Clients that resume: the same server by the same name under the same credentials, judged anew each time; and a full
 * handshake wherever that is not so. */
#include "base/net/tls_resume.h"

#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "tests/unit/certs.h"
#include "tests/unit/harness.h"
#include "tests/unit/tlsduo.h"

static const char *const sans[] = {"DNS:push.example", "DNS:other.example", NULL};

static struct {
    bool made;
    struct test_cert ca, server, client;
} pki;

static int64_t later_s; /* what GnuTLS takes for the time, from now */

static time_t shifted(time_t *out)
{
    time_t now = time(NULL) + (time_t)later_s;

    if (out)
        *out = now;
    return now;
}

static void pki_make(void)
{
    struct test_cert_conf conf = {.cn = "test authority", .ca = true};

    later_s = 0;
    if (pki.made)
        return;
    gnutls_global_set_time_function(shifted);
    test_cert_make(&conf, NULL, &pki.ca);
    conf = (struct test_cert_conf){.cn = "server", .sans = sans, .from_s = -60, .to_s = 3600};
    test_cert_make(&conf, &pki.ca, &pki.server);
    conf.cn = "client";
    test_cert_make(&conf, &pki.ca, &pki.client);
    pki.made = true;
}

static struct net_tls_ctx *ctx_of(enum net_tls_role role, enum net_tls_verify verify, size_t tickets_max,
                                  const char *priority)
{
    const struct test_cert *own = role == NET_TLS_SERVER ? &pki.server : &pki.client;
    const struct net_tls_pair pair = {.cert_pem = slice_str(own->cert_pem),
                                      .key_pem = slice_str(own->key_pem)};
    struct net_tls_conf conf = {.role = role,
                                .verify = verify,
                                .pairs = &pair,
                                .pairs_n = 1,
                                .ca_pem = slice_str(pki.ca.cert_pem),
                                .version_min = 12,
                                .alpn_http11 = true,
                                .priority = priority,
                                .tickets_max = tickets_max};
    struct net_tls_ctx *ctx = NULL;
    const char *why;

    CU_ASSERT_FATAL(net_tls_ctx_create(&conf, &ctx, &why) == ERR_OK);
    return ctx;
}

struct bench {
    struct net_tls_ctx *client, *server;
};

static void bench_open(struct bench *b, const char *priority)
{
    pki_make();
    b->client = ctx_of(NET_TLS_CLIENT, NET_TLS_VERIFY_REQUIRED, 4, priority);
    b->server = ctx_of(NET_TLS_SERVER, NET_TLS_VERIFY_REQUIRED, 0, NULL);
}

static void bench_close(struct bench *b)
{
    net_tls_ctx_free(&b->client);
    net_tls_ctx_free(&b->server);
}

struct outcome {
    enum err client, server;
    bool resumed, verified, client_known;
    char why[32];
};

/* A whole session: the handshake, a word each way, the end. */
static struct outcome session(struct bench *b, const char *name)
{
    struct outcome o = {ERR_AGAIN, ERR_AGAIN, false, false, false, ""};
    struct tls_duo d = tls_duo_of(b->client, b->server, name);
    char word[16];
    size_t n;

    o.client = d.client_err;
    o.server = d.server_err;
    if (!o.client && !o.server) {
        CU_ASSERT(net_tls_write(d.server, SLICE("hello")) == ERR_OK);
        tls_carry(d.server, d.client);
        CU_ASSERT(net_tls_read(d.client, word, sizeof word, &n) == ERR_OK && n == 5);
        CU_ASSERT(net_tls_write(d.client, SLICE("hello")) == ERR_OK);
        tls_carry(d.client, d.server);
        CU_ASSERT(net_tls_read(d.server, word, sizeof word, &n) == ERR_OK && n == 5);
        o.resumed = net_tls_peer(d.client)->resumed;
        o.verified = net_tls_peer(d.client)->verified;
        o.client_known = net_tls_peer(d.server)->verified;
    }
    (void)snprintf(o.why, sizeof o.why, "%s", net_tls_why(d.client));
    net_tls_free(&d.client);
    net_tls_free(&d.server);
    return o;
}

static const char *const versions[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.2"};

/* Both ends know each other as well as the first time. */
static void test_goes_on(void)
{
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct bench b;

        test_row(i);
        bench_open(&b, versions[i]);
        for (int k = 0; k < 4; k++) {
            struct outcome o = session(&b, "push.example");

            CU_ASSERT(!o.client && !o.server && o.verified && o.client_known);
            CU_ASSERT(o.resumed == (k > 0));
        }
        bench_close(&b);
    }
}

/* Another name of the same server, another context, none asked for: a handshake of its own. */
static void test_apart(void)
{
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct bench b;
        struct outcome o;

        test_row(i);
        bench_open(&b, versions[i]);
        CU_ASSERT(!session(&b, "push.example").client);
        o = session(&b, "other.example");
        CU_ASSERT(!o.client && o.verified && !o.resumed);
        o = session(&b, "stranger.example");
        CU_ASSERT(o.client == ERR_DENIED && strcmp(o.why, "cert-name") == 0);
        net_tls_ctx_free(&b.client); /* as a reload does */
        b.client = ctx_of(NET_TLS_CLIENT, NET_TLS_VERIFY_REQUIRED, 4, versions[i]);
        CU_ASSERT(!session(&b, "push.example").resumed);
        CU_ASSERT(session(&b, "push.example").resumed);
        net_tls_ctx_free(&b.server); /* a server that has lost its key */
        b.server = ctx_of(NET_TLS_SERVER, NET_TLS_VERIFY_REQUIRED, 0, NULL);
        o = session(&b, "push.example");
        CU_ASSERT(!o.client && o.verified && !o.resumed);
        net_tls_ctx_free(&b.client);
        b.client = ctx_of(NET_TLS_CLIENT, NET_TLS_VERIFY_REQUIRED, 0, versions[i]);
        CU_ASSERT(!session(&b, "push.example").resumed && !session(&b, "push.example").resumed);
        bench_close(&b);
    }
}

/* A certificate that is over is refused, whatever it was when the session began; and the next try begins anew. */
static void test_judged_again(void)
{
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct bench b;
        struct outcome o;

        test_row(i);
        bench_open(&b, versions[i]);
        CU_ASSERT(!session(&b, "push.example").client && session(&b, "push.example").resumed);
        later_s = 2 * 3600;
        o = session(&b, "push.example");
        CU_ASSERT(o.client == ERR_DENIED && strcmp(o.why, "cert-expired") == 0);
        later_s = 0;
        o = session(&b, "push.example");
        CU_ASSERT(!o.client && o.verified && !o.resumed);
        bench_close(&b);
    }
}

const struct test_case test_cases[] = {
    {"goes_on", test_goes_on}, {"apart", test_apart}, {"judged_again", test_judged_again}, {NULL, NULL}};
