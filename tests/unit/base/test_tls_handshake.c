/* base/net/tls_handshake.c: what two ends agree on, or not; against a plain GnuTLS client where ours cannot misbehave
 * enough. */
#include "base/net/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "tests/unit/harness.h"
#include "tests/unit/tlsduo.h"

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

    tls_pki_make();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tls_side client = {.verify = NET_TLS_VERIFY_NONE, .priority = rows[i].client};
        struct tls_side server = {.cert = &tls_pki.server, .version_min = rows[i].server_min};
        struct tls_duo d = tls_duo_open(&client, &server, "push.example");

        test_row(i);
        CU_ASSERT_EQUAL(d.server_err, rows[i].want);
        TEST_SLICE_EQ(slice_str(net_tls_why(d.server)), slice_str(rows[i].why));
        tls_duo_close(&d);
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
        {{NULL}, ERR_OK},
        {{"http/1.1"}, ERR_OK},
        {{"h2", "http/1.1"}, ERR_OK},
        {{"http/1.0", "h2"}, ERR_OK},
        {{"h2"}, ERR_PEER},
        {{"http/0.9", "h2"}, ERR_PEER},
    };
    struct tls_side server = {.cert = &tls_pki.server};
    struct net_tls_ctx *ctx;

    tls_pki_make();
    ctx = tls_side_ctx(NET_TLS_SERVER, &server);
    for (size_t i = 0; i < COUNT(rows); i++) {
        gnutls_datum_t offer[3];
        unsigned n = 0;
        struct raw r;

        test_row(i);
        raw_open(&r, ctx, &tls_pki.client, "NORMAL");
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
    struct tls_side server = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = &tls_pki.server};
    struct net_tls_ctx *ctx;

    tls_pki_make();
    ctx = tls_side_ctx(NET_TLS_SERVER, &server);
    for (size_t i = 0; i < COUNT(versions); i++) {
        gnutls_datum_t ticket = {NULL, 0};
        struct raw first, second;
        char byte[4];

        test_row(i);
        raw_open(&first, ctx, &tls_pki.client, versions[i]);
        CU_ASSERT_EQUAL(raw_shake(&first), 0);
        (void)gnutls_record_recv(first.session, byte, sizeof byte); /* the ticket of TLS 1.3 */
        CU_ASSERT_EQUAL(gnutls_session_get_data2(first.session, &ticket), 0);
        raw_open(&second, ctx, &tls_pki.client, versions[i]);
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

const struct test_case test_cases[] = {
    {"versions", case_versions},
    {"alpn", case_alpn},
    {"resumed_identity", case_resumed_identity},
    {NULL, NULL},
};
