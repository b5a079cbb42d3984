/* base/net/tls_peer.c: what a certificate says, and the words for what is wrong with it. */
#include "base/net/tls_peer.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/tlsduo.h"

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
    struct tls_side client = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = &tls_pki.client};
    struct tls_side server = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = &tls_pki.server};
    struct test_cert with_issuer;
    struct tls_duo d;
    char first[65];

    tls_pki_make();
    d = tls_duo_open(&client, &server, "push.example");
    CU_ASSERT_EQUAL(strlen(net_tls_peer(d.server)->issuer), 64);
    CU_ASSERT(mem_cstr(first, sizeof first, slice_str(net_tls_peer(d.server)->issuer)) == ERR_OK);
    CU_ASSERT_STRING_NOT_EQUAL(first, net_tls_peer(d.server)->fingerprint);
    tls_duo_close(&d);
    with_issuer = tls_pki.client;
    (void)snprintf(with_issuer.cert_pem, sizeof with_issuer.cert_pem, "%.2000s%.2000s",
                   tls_pki.client.cert_pem, tls_pki.ca.cert_pem);
    client.cert = &with_issuer;
    d = tls_duo_open(&client, &server, "push.example");
    CU_ASSERT_STRING_EQUAL(first, net_tls_peer(d.server)->issuer);
    tls_duo_close(&d);
}

static void case_peer_names(void)
{
    struct tls_side client = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = &tls_pki.client};
    struct tls_side server = {.verify = NET_TLS_VERIFY_OPTIONAL, .cert = &tls_pki.server};
    const struct net_tls_peer *p;
    struct tls_duo d;

    tls_pki_make();
    d = tls_duo_open(&client, &server, "push.example");
    p = net_tls_peer(d.server);
    CU_ASSERT_FATAL(p->uris_n == 1 && p->dns_n == 2 && p->emails_n == 1);
    TEST_SLICE_EQ(p->uris[0], SLICE("https://mms.example"));
    TEST_SLICE_EQ(p->dns[0], SLICE("mms.example"));
    TEST_SLICE_EQ(p->dns[1], SLICE("two.example"));
    TEST_SLICE_EQ(p->emails[0], SLICE("push@mms.example"));
    p = net_tls_peer(d.client);
    CU_ASSERT_FATAL(p->dns_n == 1 && p->uris_n == 0);
    TEST_SLICE_EQ(p->dns[0], SLICE("push.example"));
    tls_duo_close(&d);
}

const struct test_case test_cases[] = {
    {"events", case_events},
    {"issuer_is_told", case_issuer_is_told},
    {"peer_names", case_peer_names},
    {NULL, NULL},
};
