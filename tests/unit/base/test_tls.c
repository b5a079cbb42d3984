/* base/net/tls.c: two sessions back to back in memory: their octets, their end, and what is no TLS. */
#include "base/net/tls.h"

#include "tests/unit/harness.h"
#include "tests/unit/tlsduo.h"

static void case_data_both_ways(void)
{
    static const char *const versions[] = {NULL, "NORMAL:-VERS-ALL:+VERS-TLS1.2"};
    static char big[1000000];

    tls_pki_make();
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 7 + i / 251);
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct tls_side client = {.verify = NET_TLS_VERIFY_REQUIRED, .priority = versions[i]};
        struct tls_side server = {.cert = &tls_pki.server};
        struct tls_duo d = tls_duo_open(&client, &server, "push.example");
        size_t n;
        char out[16];

        test_row(i);
        CU_ASSERT(d.client_err == ERR_OK && d.server_err == ERR_OK);
        TEST_SLICE_EQ(slice_str(net_tls_peer(d.client)->version), i ? SLICE("TLS1.2") : SLICE("TLS1.3"));
        CU_ASSERT(strlen(net_tls_peer(d.server)->suite) > 10);
        tls_pass(d.client, d.server, SLICE("hello"));
        tls_pass(d.server, d.client, SLICE("hello yourself"));
        tls_pass(d.client, d.server, slice_of(big, sizeof big));
        tls_pass(d.server, d.client, slice_of(big, sizeof big));
        CU_ASSERT_EQUAL(net_tls_read(d.server, out, sizeof out, &n), ERR_AGAIN);
        net_tls_bye(d.client);
        tls_carry(d.client, d.server);
        CU_ASSERT_EQUAL(net_tls_read(d.server, out, sizeof out, &n), ERR_ABSENT);
        tls_pass(d.server, d.client, SLICE("we may still speak"));
        tls_duo_close(&d);
    }
}

static void case_hostile_wire(void)
{
    static char junk[200000];
    static const char hello_http[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct tls_side client = {.verify = NET_TLS_VERIFY_NONE};
    struct tls_side server = {.cert = &tls_pki.server};
    struct net_tls *t = NULL;
    struct net_tls_ctx *ctx;
    struct tls_duo d;
    char out[64];
    size_t n = 7;

    tls_pki_make();
    ctx = tls_side_ctx(NET_TLS_SERVER, &server);
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

    d = tls_duo_open(&client, &server, "push.example"); /* a record that was changed on the way */
    CU_ASSERT_EQUAL(net_tls_feed(d.server, SLICE("\x17\x03\x03\x00\x18"
                                                 "012345678901234567890123")),
                    ERR_OK);
    CU_ASSERT_EQUAL(net_tls_read(d.server, out, sizeof out, &n), ERR_PEER);
    CU_ASSERT_EQUAL(n, 7);
    CU_ASSERT(net_tls_out_n(d.server) > 0); /* bad_record_mac */
    CU_ASSERT_EQUAL(net_tls_write(d.server, SLICE("x")), ERR_PEER);
    tls_duo_close(&d);
}

static void case_client_needs_a_name(void)
{
    struct tls_side client = {.verify = NET_TLS_VERIFY_REQUIRED};
    struct net_tls *t = NULL;
    struct net_tls_ctx *ctx;

    tls_pki_make();
    ctx = tls_side_ctx(NET_TLS_CLIENT, &client);
    CU_ASSERT_EQUAL(net_tls_create(ctx, SLICE_NONE, &t), ERR_MALFORMED);
    CU_ASSERT_EQUAL(net_tls_create(ctx, SLICE("push.example\0evil"), &t), ERR_MALFORMED);
    CU_ASSERT(t == NULL);
    net_tls_ctx_free(&ctx);
}

const struct test_case test_cases[] = {
    {"data_both_ways", case_data_both_ways},
    {"hostile_wire", case_hostile_wire},
    {"client_needs_a_name", case_client_needs_a_name},
    {NULL, NULL},
};
