/* base/net/tls_names.c by way of whole handshakes: the certificate that a client sees is one of the name it asked for. */
#include "base/net/tls_names.h"

#include "tests/unit/harness.h"
#include "tests/unit/tlsduo.h"

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
    struct tls_side server = {.cert = &certs[0], .more = {&certs[1], &certs[2], &certs[3], &certs[4]}};

    tls_pki_make();
    for (size_t i = 0; i < COUNT(names); i++) {
        struct test_cert_conf conf = {.cn = "leaf", .sans = names[i], .rsa = i == 2};

        test_cert_make(&conf, &tls_pki.ca, &certs[i]);
    }
    for (size_t i = 0; i < COUNT(sni_rows); i++) {
        struct tls_side client = {.verify = NET_TLS_VERIFY_NONE, .priority = sni_rows[i].priority};
        struct tls_duo d = tls_duo_open(&client, &server, sni_rows[i].name);

        test_row(i);
        CU_ASSERT_EQUAL(d.server_err, sni_rows[i].want ? ERR_OK : ERR_PEER);
        CU_ASSERT_EQUAL_FATAL(net_tls_peer(d.client)->emails_n, sni_rows[i].want ? 1 : 0);
        if (sni_rows[i].want)
            TEST_SLICE_EQ(net_tls_peer(d.client)->emails[0], slice_str(sni_rows[i].want));
        tls_duo_close(&d);
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
        {"OTHER.example", &tls_pki.client, ERR_OK, ""},
        {"push.example", &tls_pki.client, ERR_OK, ""},
        {"OTHER.example", NULL, ERR_DENIED, "cert-missing"},
        {"OTHER.example", &tls_pki.client_expired, ERR_DENIED, "cert-expired"},
        {"OTHER.example", &tls_pki.revoked, ERR_DENIED, "cert-revoked"},
        {"push.example", &tls_pki.revoked, ERR_DENIED, "cert-revoked"},
    };
    struct tls_side server = {.verify = NET_TLS_VERIFY_REQUIRED,
                              .cert = &tls_pki.server,
                              .more = {&tls_pki.other},
                              .crl = tls_pki.crl};

    tls_pki_make();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tls_side client = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = rows[i].cert};
        struct tls_duo d = tls_duo_open(&client, &server, rows[i].name);

        test_row(i);
        CU_ASSERT_EQUAL(d.server_err, rows[i].want);
        TEST_SLICE_EQ(slice_str(net_tls_why(d.server)), slice_str(rows[i].why));
        tls_duo_close(&d);
    }
}

const struct test_case test_cases[] = {
    {"sni_chooses", case_sni_chooses},
    {"sni_keeps_the_judge", case_sni_keeps_the_judge},
    {NULL, NULL},
};
