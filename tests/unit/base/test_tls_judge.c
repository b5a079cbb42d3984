/* base/net/tls_judge.c: what either end thinks of the other's certificate; two sessions back to back. */
#include "base/net/tls_judge.h"

#include <string.h>

#include "tests/unit/harness.h"
#include "tests/unit/tlsduo.h"

/* What the client thinks of the server's certificate. */
static void case_server_certificates(void)
{
    const struct {
        const struct test_cert *cert;
        const char *name, *ca, *crl;
        enum err want;
        const char *why;
    } rows[] = {
        {&tls_pki.server, "push.example", NULL, NULL, ERR_OK, ""},
        {&tls_pki.server, "127.0.0.1", NULL, NULL, ERR_OK, ""},
        {&tls_pki.server, "push.example", NULL, tls_pki.crl, ERR_OK, ""},
        {&tls_pki.server, "PUSH.example", NULL, NULL, ERR_OK, ""},
        {&tls_pki.expired, "push.example", NULL, NULL, ERR_DENIED, "cert-expired"},
        {&tls_pki.future, "push.example", NULL, NULL, ERR_DENIED, "cert-not-yet-valid"},
        {&tls_pki.server, "push.example.", NULL, NULL, ERR_DENIED, "cert-name"},
        {&tls_pki.server, "xpush.example", NULL, NULL, ERR_DENIED, "cert-name"},
        {&tls_pki.server, "server", NULL, NULL, ERR_DENIED, "cert-name"},
        {&tls_pki.server, "127.0.0.2", NULL, NULL, ERR_DENIED, "cert-name"},
        {&tls_pki.server, "push.example", tls_pki.stranger_ca.cert_pem, NULL, ERR_DENIED, "cert-untrusted"},
        {&tls_pki.revoked, "push.example", NULL, tls_pki.crl, ERR_DENIED, "cert-revoked"},
    };

    tls_pki_make();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tls_side client = {.verify = NET_TLS_VERIFY_REQUIRED, .ca = rows[i].ca, .crl = rows[i].crl};
        struct tls_side server = {.cert = rows[i].cert};
        struct tls_duo d = tls_duo_open(&client, &server, rows[i].name);

        test_row(i);
        CU_ASSERT_EQUAL(d.client_err, rows[i].want);
        TEST_SLICE_EQ(slice_str(net_tls_why(d.client)), slice_str(rows[i].why));
        CU_ASSERT_EQUAL(net_tls_peer(d.client)->verified, rows[i].want == ERR_OK);
        CU_ASSERT_EQUAL(d.server_err, rows[i].want == ERR_OK ? ERR_OK : ERR_PEER);
        if (rows[i].want)
            TEST_SLICE_EQ(slice_str(net_tls_why(d.server)), SLICE("alert"));
        tls_duo_close(&d);
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
        {NET_TLS_VERIFY_NONE, &tls_pki.client, ERR_OK, "", false}, /* never asked, never sent */
        {NET_TLS_VERIFY_OPTIONAL, NULL, ERR_OK, "", false},
        {NET_TLS_VERIFY_OPTIONAL, &tls_pki.client, ERR_OK, "", true},
        {NET_TLS_VERIFY_REQUIRED, &tls_pki.client, ERR_OK, "", true},
        {NET_TLS_VERIFY_REQUIRED, NULL, ERR_DENIED, "cert-missing", false},
        {NET_TLS_VERIFY_REQUIRED, &tls_pki.client_expired, ERR_DENIED, "cert-expired", false},
        {NET_TLS_VERIFY_OPTIONAL, &tls_pki.client_expired, ERR_DENIED, "cert-expired", false},
        {NET_TLS_VERIFY_REQUIRED, &tls_pki.revoked, ERR_DENIED, "cert-revoked", false},
        {NET_TLS_VERIFY_OPTIONAL, &tls_pki.revoked, ERR_DENIED, "cert-revoked", false},
    };
    static const char *const versions[] = {NULL, "NORMAL:-VERS-ALL:+VERS-TLS1.2"};

    tls_pki_make();
    for (size_t i = 0; i < COUNT(rows) * COUNT(versions); i++) {
        struct tls_side client = {.verify = NET_TLS_VERIFY_REQUIRED, .priority = versions[i / COUNT(rows)]};
        struct tls_side server = {.cert = &tls_pki.server, .crl = tls_pki.crl};
        size_t r = i % COUNT(rows);
        struct tls_duo d;
        char out[16];
        size_t n;

        test_row(i);
        client.cert = rows[r].cert;
        server.verify = rows[r].verify;
        d = tls_duo_open(&client, &server, "push.example");
        CU_ASSERT_EQUAL(d.server_err, rows[r].want);
        TEST_SLICE_EQ(slice_str(net_tls_why(d.server)), slice_str(rows[r].why));
        CU_ASSERT_EQUAL(net_tls_peer(d.server)->has_cert, rows[r].has_cert);
        CU_ASSERT_EQUAL(net_tls_peer(d.server)->verified, rows[r].has_cert);
        CU_ASSERT_EQUAL(strlen(net_tls_peer(d.server)->fingerprint), rows[r].has_cert ? 64 : 0);
        if (rows[r].want)
            CU_ASSERT_EQUAL(d.client_err ? d.client_err : net_tls_read(d.client, out, sizeof out, &n),
                            ERR_PEER);
        tls_duo_close(&d);
    }
}

/* A client of another authority sends nothing, for GnuTLS clients look at the authorities asked for; made to send. */
static void case_client_untrusted(void)
{
    struct tls_side client = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = &tls_pki.client_stranger};
    struct tls_side server = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = &tls_pki.server};
    struct tls_duo d;

    tls_pki_make();
    d = tls_duo_open(&client, &server, "push.example");
    CU_ASSERT_EQUAL(d.server_err, ERR_DENIED);
    CU_ASSERT(strcmp(net_tls_why(d.server), "cert-missing") == 0 ||
              strcmp(net_tls_why(d.server), "cert-untrusted") == 0);
    tls_duo_close(&d);
}

/* A revocation list past its next update refuses everybody, or is gone by all the same, as the operator says. */
static void case_old_revocation_list(void)
{
    static char old[2048];
    const struct test_cert *revoked[] = {&tls_pki.revoked};
    const struct {
        const struct test_cert *cert;
        const char *crl;
        bool accept;
        const char *why;
    } rows[] = {
        {&tls_pki.client, old, false, "crl-expired"},
        {&tls_pki.revoked, old, false, "cert-revoked"},
        {&tls_pki.client, old, true, ""},
        {&tls_pki.revoked, old, true, "cert-revoked"},
        {&tls_pki.client, tls_pki.crl, false, ""},
        {&tls_pki.client_expired, old, true, "cert-expired"},
    };

    tls_pki_make();
    test_crl_dated(&tls_pki.ca, revoked, 1, -60, old, sizeof old);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tls_side client = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = rows[i].cert};
        struct tls_side server = {.verify = NET_TLS_VERIFY_REQUIRED,
                                  .cert = &tls_pki.server,
                                  .crl = rows[i].crl,
                                  .crl_expired_ok = rows[i].accept};
        struct tls_duo d = tls_duo_open(&client, &server, "push.example");

        test_row(i);
        TEST_SLICE_EQ(slice_str(net_tls_why(d.server)), slice_str(rows[i].why));
        CU_ASSERT_EQUAL(d.server_err, *rows[i].why ? ERR_DENIED : ERR_OK);
        tls_duo_close(&d);
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
        {&tls_pki.client, true, NET_TLS_STATUS_GOOD, ERR_OK, ""},
        {&tls_pki.client, true, NET_TLS_STATUS_REVOKED, ERR_DENIED, "cert-revoked"},
        {&tls_pki.client, true, NET_TLS_STATUS_UNKNOWN, ERR_DENIED, "status-unknown"},
        {&tls_pki.client_expired, false, NET_TLS_STATUS_GOOD, ERR_DENIED,
         "cert-expired"}, /* no good word helps */
        {NULL, false, NET_TLS_STATUS_GOOD, ERR_OK, ""},
    };

    tls_pki_make();
    for (size_t i = 0; i < COUNT(rows) * COUNT(versions); i++) {
        size_t r = i % COUNT(rows);
        struct tls_side client = {.verify = NET_TLS_VERIFY_REQUIRED, .priority = versions[i / COUNT(rows)]};
        struct tls_side server = {
            .verify = NET_TLS_VERIFY_OPTIONAL, .cert = &tls_pki.server, .ask_status = true};
        struct slice leaf_der = SLICE_NONE, issuer_der = SLICE_NONE;
        struct tls_duo d;

        test_row(i);
        client.cert = rows[r].cert;
        d = tls_duo_open(&client, &server, "push.example");
        CU_ASSERT_EQUAL(net_tls_question(d.server, &leaf_der, &issuer_der), rows[r].asks);
        if (rows[r].asks) {
            CU_ASSERT_EQUAL(d.server_err, ERR_AGAIN);
            CU_ASSERT(leaf_der.n > 100 && issuer_der.n > 100 && !slice_eq(leaf_der, issuer_der));
            CU_ASSERT_EQUAL(net_tls_handshake(d.server), ERR_AGAIN); /* as often as one likes */
            net_tls_answer(d.server, rows[r].answer);
            CU_ASSERT(!net_tls_question(d.server, &leaf_der, &issuer_der));
            for (int k = 0; k < 4 && d.server_err == ERR_AGAIN; k++) {
                d.server_err = net_tls_handshake(d.server);
                tls_carry(d.server, d.client);
                d.client_err = d.client_err == ERR_AGAIN ? net_tls_handshake(d.client) : d.client_err;
                tls_carry(d.client, d.server);
            }
        }
        CU_ASSERT_EQUAL(d.server_err, rows[r].want);
        TEST_SLICE_EQ(slice_str(net_tls_why(d.server)), slice_str(rows[r].why));
        CU_ASSERT_EQUAL(net_tls_peer(d.server)->verified, rows[r].want == ERR_OK && rows[r].asks);
        if (!rows[r].want)
            tls_pass(d.client, d.server, SLICE("hello"));
        tls_duo_close(&d);
    }
}

const struct test_case test_cases[] = {
    {"server_certificates", case_server_certificates}, {"client_certificates", case_client_certificates},
    {"client_untrusted", case_client_untrusted},       {"old_revocation_list", case_old_revocation_list},
    {"status_question", case_status_question},         {NULL, NULL},
};
