/* The bearer for SIP against a scripted server: what leaves, what comes of it, and that everything is given back. */
#include "ota/bearer.h"

#include "tests/unit/agent/sip_fix.h"
#include "tests/unit/certs.h"
#include "tests/unit/dnspeer.h"

/* --- what leaves --- */

static void a_message_over_udp(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);
    const char *request = f->peer.requests[0], *body;
    char start[256];

    CU_ASSERT_EQUAL(push(f, 0, "hello"), ERR_OK);
    CU_ASSERT(f->done == 0 && f->peer.n == 0);
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(ended_as(f, 0, OTA_DELIVERED, 1000) && f->why[0] == ERR_OK);
    CU_ASSERT_STRING_EQUAL(f->jobs[0].result.note, "200 delivered");
    CU_ASSERT_EQUAL(f->jobs[0].result.wire_n, strlen(request));
    (void)snprintf(start, sizeof start, "MESSAGE %s SIP/2.0\r\nVia: SIP/2.0/UDP ppg.example:", f->uri);
    CU_ASSERT(strncmp(request, start, strlen(start)) == 0);
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 0, "To: "), "<sip:alice@127.0.0.1>");
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 0, "CSeq: "), "1 MESSAGE");
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 0, "Accept-Contact: "),
                           "*;+g.oma.pusheventapp=\"mms.ua\";require;explicit");
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 0, "Priority: "), "normal");
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 0, "P-Asserted"), "");
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 0, "Route"), "");
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 0, "Contact"), "");
    body = strstr(request, "\r\n\r\n") + 4;
    CU_ASSERT_STRING_EQUAL(body,
                           "Content-Type: text/plain\r\nX-Push-Message-ID: m-1\r\n"
                           "X-Wap-Application-Id: x-wap-application:mms.ua\r\nPush-Flag: 3\r\n\r\nhello");
    fix_close(f);
}

/* Nothing is the same in two pushes that must not be, and one connection serves both. */
static void two_over_one_connection(void)
{
    static const char *const unlike[] = {"Via: ", "From: ", "Call-ID: "};
    struct fix *f = fix_open(SIP_PEER_TCP, TCP, NULL, NULL);

    push_and_wait(f, 0);
    push_and_wait(f, 1);
    CU_ASSERT(ended_as(f, 0, OTA_DELIVERED, 1000) && ended_as(f, 1, OTA_DELIVERED, 1000));
    CU_ASSERT(f->peer.n == 2 && f->peer.streams_n == 1);
    CU_ASSERT(strncmp(sip_peer_header(&f->peer, 0, "Via: "), "SIP/2.0/TCP ppg.example;branch=z9hG4bK", 38) ==
              0);
    for (size_t i = 0; i < COUNT(unlike); i++)
        CU_ASSERT(strcmp(sip_peer_header(&f->peer, 0, unlike[i]), sip_peer_header(&f->peer, 1, unlike[i])) !=
                  0);
    fix_close(f);
}

static void the_content_alone(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);

    f->terminal.direct = true;
    push_and_wait(f, 0);
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 0, "Content-Type: "), "text/plain");
    CU_ASSERT_STRING_EQUAL(strstr(f->peer.requests[0], "\r\n\r\n"), "\r\n\r\nhello");
    fix_close(f);
}

static void deadline_and_priority(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);
    long left;

    CU_ASSERT_EQUAL(push(f, 0, "x"), ERR_OK);
    f->jobs[0].priority = 0;
    f->jobs[0].expires_ms = clk_utc_ms(&clk_real) + 100500;
    (void)netloop_until(&f->nl, &f->done, 1);
    left = strtol(sip_peer_header(&f->peer, 0, "Expires: "), NULL, 10);
    CU_ASSERT(left > 80 && left <= 100);
    CU_ASSERT_EQUAL(strlen(sip_peer_header(&f->peer, 0, "Date: ")), 29);
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 0, "Priority: "), "urgent");
    fix_close(f);
}

static void through_a_proxy(void)
{
    struct fix *f = fix_open(SIP_PEER_TCP, "sip:alice@nowhere.invalid:%u", NULL, NULL);
    char proxy[64];

    (void)snprintf(proxy, sizeof proxy, "sip:127.0.0.1:%u;lr;transport=tcp", f->peer.port);
    f->env.sip.proxy = slice_str(proxy);
    push_and_wait(f, 0);
    CU_ASSERT(ended_as(f, 0, OTA_DELIVERED, 1000));
    CU_ASSERT(strncmp(sip_peer_header(&f->peer, 0, "Route: <"), proxy, strlen(proxy)) == 0);
    CU_ASSERT(strncmp(f->peer.requests[0], "MESSAGE sip:alice@nowhere.invalid:", 34) == 0);
    fix_close(f);
}

/* RFC 3325 §5: only the next hops in our trust domain. */
static void identity_to_trusted_hops_alone(void)
{
    static const struct {
        const char *network;
        bool told;
    } rows[] = {{"127.0.0.0/8", true}, {"192.0.2.0/24", false}, {"127.0.0.2", false}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);
        struct sec_network net;

        test_row(i);
        CU_ASSERT_EQUAL(sec_network_parse(slice_str(rows[i].network), &net), ERR_OK);
        f->env.sip.trusted = &net;
        f->env.sip.trusted_n = 1;
        push_and_wait(f, 0);
        CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 0, "P-Asserted-Identity: "),
                               rows[i].told ? "<sip:push@ppg.example>" : "");
        fix_close(f);
    }
}

/* --- size --- */

/* A body that makes the request of so many octets. */
static struct slice body_for(struct fix *f, size_t wanted, char *body, size_t cap)
{
    push_and_wait(f, 0);
    memset(body, 'x', cap);
    CU_ASSERT_FATAL(wanted > f->jobs[0].result.wire_n && wanted - f->jobs[0].result.wire_n + 5 < cap);
    return slice_of(body, wanted - f->jobs[0].result.wire_n + 5);
}

/* "hello" makes a Content-Length of three digits as well. */
static void no_larger_than_1300(void)
{
    struct fix *f = fix_open(SIP_PEER_TCP, TCP, NULL, NULL);
    char body[2048];
    struct slice s = body_for(f, 1300, body, sizeof body);

    CU_ASSERT_EQUAL(push_to(f, 1, &f->terminal, s), ERR_OK);
    CU_ASSERT_EQUAL(push_to(f, 2, &f->terminal, slice_of(body, s.n + 1)), ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 3);
    CU_ASSERT(ended_as(f, 1, OTA_DELIVERED, 1000) && f->jobs[1].result.wire_n == 1300);
    CU_ASSERT(ended_as(f, 2, OTA_UNDELIVERABLE, 2006));
    CU_ASSERT_EQUAL(f->peer.n, 2); /* the third never left */
    fix_close(f);
}

static void larger_ones_take_tcp(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP | SIP_PEER_TCP, UDP, NULL, NULL);
    char body[2048];
    struct slice s = body_for(f, 1301, body, sizeof body);

    f->env.sip.large_ok = true;
    CU_ASSERT_EQUAL(push_to(f, 1, &f->terminal, s), ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 2);
    CU_ASSERT(ended_as(f, 1, OTA_DELIVERED, 1000));
    CU_ASSERT(strncmp(sip_peer_header(&f->peer, 0, "Via: "), "SIP/2.0/UDP", 11) == 0);
    CU_ASSERT(strncmp(sip_peer_header(&f->peer, 1, "Via: "), "SIP/2.0/TCP", 11) == 0);
    fix_close(f);
}

/* RFC 3261 §18.1.1: who refuses TCP gets it over UDP. */
static void tcp_refused(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);
    char body[2048];
    struct slice s = body_for(f, 1400, body, sizeof body);

    f->env.sip.large_ok = true;
    CU_ASSERT_EQUAL(push_to(f, 1, &f->terminal, s), ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 2);
    CU_ASSERT(ended_as(f, 1, OTA_DELIVERED, 1000));
    CU_ASSERT(strncmp(sip_peer_header(&f->peer, 1, "Via: "), "SIP/2.0/UDP", 11) == 0);
    fix_close(f);
}

/* --- one at a time --- */

static void one_to_a_uri_at_a_time(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);
    struct ota_terminal other = f->terminal;
    char uri[64];

    (void)snprintf(uri, sizeof uri, "sip:bob@127.0.0.1:%u", f->peer.port);
    other.sip_uri = slice_str(uri);
    f->peer.script[0] = "";
    f->peer.script[1] = "200 OK";
    CU_ASSERT(push(f, 0, "a") == ERR_OK && push(f, 1, "b") == ERR_OK);
    (void)netloop_until(&f->nl, &f->peer.n, 1);
    CU_ASSERT_EQUAL(push_to(f, 2, &other, SLICE("c")), ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT_EQUAL(f->order[0], 2); /* another URI does not wait */
    CU_ASSERT_EQUAL(f->peer.n, 2);
    (void)netloop_until(&f->nl, &f->done, 3); /* the first is sent again and answered, then the second goes */
    CU_ASSERT(f->order[1] == 0 && f->order[2] == 1);
    CU_ASSERT_EQUAL(f->peer.n, 4);
    CU_ASSERT_STRING_EQUAL(f->peer.requests[2], f->peer.requests[0]); /* octet for octet */
    CU_ASSERT(strstr(f->peer.requests[3], "\r\n\r\nb") != NULL);
    fix_close(f);
}

static void too_many_wait(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);

    for (size_t i = 0; i < 65; i++)
        CU_ASSERT_EQUAL(push(f, i, "x"), ERR_OK);
    CU_ASSERT_EQUAL(push(f, 65, "x"), ERR_LIMIT);
    f->terminal.route = OTA_ROUTE_HTTP;
    CU_ASSERT_EQUAL(push(f, 66, "x"), ERR_UNSUPPORTED);
    ota_bearer_sip.close(f->bearer, on_closed, f);
    CU_ASSERT_EQUAL(push(f, 67, "x"), ERR_LATE);
    (void)netloop_until(&f->nl, &f->closed, 1);
    CU_ASSERT_EQUAL(f->done, 65);
    sip_peer_close(&f->peer);
    netloop_close(&f->nl);
    free(f);
}

/* --- answers --- */

#define CHALLENGE "401 No\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"n1\", qop=\"auth\", algorithm=MD5"

static void challenged(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);
    char call_id[128], want[160];

    f->env.sip.login = (struct ota_login){SLICE("ppg"), SLICE("gate-secret")};
    f->peer.script[0] = CHALLENGE;
    f->peer.script[1] = "407 No\r\nProxy-Authenticate: Digest realm=\"p\", nonce=\"n2\", algorithm=SHA-256, "
                        "qop=\"auth,auth-int\"";
    f->peer.script[2] = "401 No\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"n3\", qop=\"auth\", "
                        "algorithm=MD5, stale=true";
    f->peer.script[3] = "200 OK";
    push_and_wait(f, 0);
    CU_ASSERT(ended_as(f, 0, OTA_DELIVERED, 1000));
    CU_ASSERT_EQUAL(f->peer.n, 4);
    (void)snprintf(call_id, sizeof call_id, "%s", sip_peer_header(&f->peer, 0, "Call-ID: "));
    for (size_t i = 1; i < 4; i++) {
        (void)snprintf(want, sizeof want, "%zu MESSAGE", i + 1);
        CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, i, "CSeq: "), want);
        CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, i, "Call-ID: "), call_id);
        CU_ASSERT(strcmp(sip_peer_header(&f->peer, i, "Via: "), sip_peer_header(&f->peer, i - 1, "Via: ")) !=
                  0);
    }
    CU_ASSERT(strstr(sip_peer_header(&f->peer, 1, "Authorization: "), "nc=00000001") != NULL);
    (void)snprintf(want, sizeof want, "uri=\"%s\"", f->uri);
    CU_ASSERT(strstr(sip_peer_header(&f->peer, 1, "Authorization: "), want) != NULL);
    CU_ASSERT(strstr(sip_peer_header(&f->peer, 2, "Authorization: "), "nc=00000002") != NULL);
    CU_ASSERT(strstr(sip_peer_header(&f->peer, 2, "Proxy-Authorization: "), "SHA-256") != NULL);
    CU_ASSERT(strstr(sip_peer_header(&f->peer, 3, "Authorization: "), "nonce=\"n3\"") != NULL);
    CU_ASSERT(strstr(sip_peer_header(&f->peer, 3, "Proxy-Authorization: "), "nonce=\"n2\"") != NULL);
    fix_close(f);
}

/* The second push to the same place carries its credentials at once; a nonce that has aged meanwhile costs one request more. */
static void challenged_once(void)
{
    struct fix *f = fix_open(SIP_PEER_TCP, TCP, NULL, NULL);

    f->env.sip.login = (struct ota_login){SLICE("ppg"), SLICE("gate-secret")};
    f->peer.script[0] = CHALLENGE;
    f->peer.script[1] = "200 OK";
    f->peer.script[3] = "200 OK\r\nAuthentication-Info: nextnonce=\"m1\"";
    f->peer.script[4] =
        "401 No\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"m2\", qop=\"auth\", algorithm=MD5";
    f->peer.script[5] = "200 OK";
    for (size_t i = 0; i < 4; i++) {
        push_and_wait(f, i);
        CU_ASSERT(ended_as(f, i, OTA_DELIVERED, 1000));
    }
    CU_ASSERT_EQUAL(f->peer.n, 6);
    CU_ASSERT(strstr(sip_peer_header(&f->peer, 2, "Authorization: "), "nc=00000002") != NULL);
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 2, "CSeq: "), "1 MESSAGE");
    CU_ASSERT(strstr(sip_peer_header(&f->peer, 3, "Authorization: "), "nc=00000003") != NULL);
    CU_ASSERT(strstr(sip_peer_header(&f->peer, 4, "Authorization: "), "nonce=\"m1\"") != NULL);
    CU_ASSERT(strstr(sip_peer_header(&f->peer, 4, "Authorization: "), "nc=00000001") != NULL);
    CU_ASSERT(strstr(sip_peer_header(&f->peer, 5, "Authorization: "), "nonce=\"m2\"") != NULL);
    fix_close(f);
}

static void challenged_in_vain(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);

    f->peer.script[0] = CHALLENGE;
    push_and_wait(f, 0);
    CU_ASSERT(ended_as(f, 0, OTA_UNDELIVERABLE, 4000) && f->peer.n == 1); /* nothing to answer with */
    f->terminal.login = (struct ota_login){SLICE("ppg"), SLICE("wrong")};
    push_and_wait(f, 1);
    CU_ASSERT(ended_as(f, 1, OTA_UNDELIVERABLE, 4000));
    CU_ASSERT_EQUAL(f->peer.n, 3); /* two requests, no more */
    f->peer.script[3] = "401 No\r\nWWW-Authenticate: Basic realm=\"a\"";
    push_and_wait(f, 2);
    CU_ASSERT(ended_as(f, 2, OTA_UNDELIVERABLE, 4000) && f->peer.n == 4); /* never Basic */
    fix_close(f);
}

static void another_form(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);

    f->peer.script[0] = "415 No\r\nAccept: text/plain";
    f->peer.script[1] = "200 OK";
    f->peer.script[2] = "488 No";
    push_and_wait(f, 0);
    CU_ASSERT(ended_as(f, 0, OTA_DELIVERED, 1000));
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 0, "Content-Type: "), OTA_SIP_ENVELOPE_TYPE);
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 1, "Content-Type: "), "text/plain");
    push_and_wait(f, 1);
    CU_ASSERT(ended_as(f, 1, OTA_ABORTED, 5030));
    CU_ASSERT_EQUAL(f->peer.n, 4);
    fix_close(f);
}

static void moved(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);
    struct sip_peer *there = calloc(1, sizeof *there);
    char answer[256];

    CU_ASSERT_FATAL(there != NULL);
    sip_peer_open(there, &f->nl, SIP_PEER_TCP, NULL);
    there->script[0] = "200 OK";
    (void)snprintf(answer, sizeof answer, "302 Moved\r\nContact: <sip:a2@127.0.0.1:%u;transport=tcp>",
                   there->port);
    f->peer.script[0] = answer;
    push_and_wait(f, 0);
    CU_ASSERT(ended_as(f, 0, OTA_DELIVERED, 1000));
    CU_ASSERT(f->peer.n == 1 && there->n == 1);
    CU_ASSERT(strncmp(there->requests[0], "MESSAGE sip:a2@127.0.0.1:", 25) == 0);
    CU_ASSERT_STRING_EQUAL(sip_peer_header(there, 0, "To: "), "<sip:alice@127.0.0.1>");
    sip_peer_close(there);
    free(there);
    fix_close(f);
}

static void moved_in_circles(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);
    char answer[256];

    (void)snprintf(answer, sizeof answer, "302 Moved\r\nContact: <%s>", f->uri);
    f->peer.script[0] = answer;
    push_and_wait(f, 0);
    CU_ASSERT(ended_as(f, 0, OTA_UNDELIVERABLE, 2002) && f->peer.n == 6);
    f->peer.script[6] = "302 Moved";
    push_and_wait(f, 1);
    CU_ASSERT(ended_as(f, 1, OTA_UNDELIVERABLE, 2002) && f->peer.n == 7);
    fix_close(f);
}

static void statuses(void)
{
    static const struct {
        const char *status;
        enum ota_outcome outcome;
        unsigned code;
        int64_t retry_ms;
        bool taken; /* the terminal itself said so */
        enum ota_sa_word word;
    } rows[] = {
        {"200 OK", OTA_DELIVERED, 1000, 0, true, OTA_SA_NOTHING},
        {"202 Accepted", OTA_DELIVERED, 1000, 0, false, OTA_SA_NOTHING},
        {"404 No", OTA_UNDELIVERABLE, 2002, 0, false, OTA_SA_NOTHING},
        {"480 Away\r\nRetry-After: 60", OTA_RETRY, 4001, 60000, false, OTA_SA_NOTHING},
        {"503 No\r\nRetry-After: 7 (x)", OTA_RETRY, 4001, 7000, false, OTA_SA_NOTHING},
        {"603 Decline", OTA_ABORTED, 5027, 0, false, OTA_SA_NOTHING},
        {"603 Decline\r\nX-Push-Association: unknown", OTA_ABORTED, 5027, 0, false, OTA_SA_UNKNOWN},
        {"603 Decline\r\nX-Push-Association: resync rand=000102030405060708090a0b0c0d0e0f, "
         "auts=101112131415161718191a1b1c1d",
         OTA_ABORTED, 5027, 0, false, OTA_SA_RESYNC},
        {"603 Decline\r\nX-Push-Association: resync", OTA_ABORTED, 5027, 0, false, OTA_SA_NOTHING},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);

        test_row(i);
        f->peer.script[0] = rows[i].status;
        push_and_wait(f, 0);
        CU_ASSERT(ended_as(f, 0, rows[i].outcome, rows[i].code));
        CU_ASSERT_EQUAL(f->jobs[0].result.retry_after_ms, rows[i].retry_ms);
        CU_ASSERT(f->jobs[0].result.taken == rows[i].taken);
        CU_ASSERT(f->jobs[0].result.association.word == rows[i].word);
        CU_ASSERT_EQUAL(f->peer.n, 1);
        fix_close(f);
    }
}

/* --- what does not get there --- */

static void nobody_listens(void)
{
    static const char *const uris[] = {UDP, TCP, "sip:alice@nobody.invalid:%u"};

    for (size_t i = 0; i < COUNT(uris); i++) {
        struct fix *f = fix_open(SIP_PEER_UDP, uris[i], NULL, NULL);

        test_row(i);
        sip_peer_close(&f->peer);
        f->peer.udp = NULL;
        f->peer.ended = 0;
        push_and_wait(f, 0);
        CU_ASSERT(ended_as(f, 0, OTA_RETRY, 4001));
        push_and_wait(f, 1); /* and the same again */
        CU_ASSERT(ended_as(f, 1, OTA_RETRY, 4001));
        fix_close(f);
    }
}

static void connection_lost(void)
{
    struct fix *f = fix_open(SIP_PEER_TCP, TCP, NULL, NULL);

    f->peer.script[0] = "";
    CU_ASSERT_EQUAL(push(f, 0, "a"), ERR_OK);
    (void)netloop_until(&f->nl, &f->peer.n, 1);
    net_stream_abort(f->peer.streams[0].stream, ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(ended_as(f, 0, OTA_AMBIGUOUS, 4001)); /* it may have been read */
    f->peer.script[1] = "200 OK";
    push_and_wait(f, 1);
    CU_ASSERT(ended_as(f, 1, OTA_DELIVERED, 1000) && f->peer.streams_n == 2);
    fix_close(f);
}

/* The far end may ask whether we live; nobody pushes through us. */
static void asked_by_the_far_end(void)
{
    static const struct {
        const char *method, *start;
    } rows[] = {{"OPTIONS", "SIP/2.0 200 OK\r\n"},
                {"MESSAGE", "SIP/2.0 405 "},
                {"SUBSCRIBE", "SIP/2.0 405 "},
                {"REGISTER", "SIP/2.0 405 "}};
    struct fix *f = fix_open(SIP_PEER_TCP, TCP, NULL, NULL);

    push_and_wait(f, 0);
    f->peer.script[1] = "";
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[512];

        test_row(i);
        (void)snprintf(text, sizeof text,
                       "%s sip:push@ppg.example SIP/2.0\r\nVia: SIP/2.0/TCP "
                       "proxy;branch=z9hG4bKp;rport\r\nFrom: <sip:p@q>;tag=1\r\n"
                       "To: <sip:push@ppg.example>\r\nCall-ID: c\r\nCSeq: 7 %s\r\nContent-Length: 0\r\n\r\n",
                       rows[i].method, rows[i].method);
        (void)net_stream_write(f->peer.streams[0].stream, slice_str(text));
        (void)netloop_until(&f->nl, &f->peer.n, 2 + i);
        CU_ASSERT(strncmp(f->peer.requests[1 + i], rows[i].start, strlen(rows[i].start)) == 0);
        CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 1 + i, "Allow: "), "OPTIONS, BYE");
        CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 1 + i, "To: "),
                               "<sip:push@ppg.example>;tag=z9hG4bKp");
        CU_ASSERT(strstr(sip_peer_header(&f->peer, 1 + i, "Via: "), "received=127.0.0.1") != NULL);
    }
    fix_close(f);
}

static void cancelled(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);

    f->peer.script[0] = "";
    CU_ASSERT(push(f, 0, "a") == ERR_OK && push(f, 1, "b") == ERR_OK);
    (void)netloop_until(&f->nl, &f->peer.n, 1);
    ota_bearer_sip.cancel(f->bearer, &f->jobs[1]);
    ota_bearer_sip.cancel(f->bearer, &f->jobs[1]);
    ota_bearer_sip.cancel(f->bearer, &f->jobs[0]);
    CU_ASSERT_EQUAL(f->done, 0);
    (void)netloop_until(&f->nl, &f->done, 2);
    CU_ASSERT(ended_as(f, 0, OTA_AMBIGUOUS, 4001) && f->why[0] == ERR_LATE);
    CU_ASSERT(ended_as(f, 1, OTA_RETRY, 4001) && f->why[1] == ERR_LATE);
    netloop_for(&f->nl, 600);
    CU_ASSERT_EQUAL(f->peer.n, 1); /* nor is there a CANCEL */
    f->peer.script[1] = "200 OK";
    push_and_wait(f, 2);
    CU_ASSERT(ended_as(f, 2, OTA_DELIVERED, 1000));
    fix_close(f);
}

static void cancelled_before_its_name_is_known(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP, "sip:alice@localhost:%u", NULL, NULL);

    CU_ASSERT_EQUAL(push(f, 0, "a"), ERR_OK);
    ota_bearer_sip.cancel(f->bearer, &f->jobs[0]);
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(ended_as(f, 0, OTA_RETRY, 4001) && f->why[0] == ERR_LATE);
    CU_ASSERT_EQUAL(push(f, 1, "a"), ERR_OK);
    fix_close(f); /* as it is being looked up */
}

/* An idle socket closes; the next push opens another. */
static void idle_connections_close(void)
{
    struct fix *f = fix_open(SIP_PEER_TCP, TCP, NULL, NULL);

    ota_bearer_sip.close(f->bearer, on_closed, f);
    (void)netloop_until(&f->nl, &f->closed, 1);
    f->closed = 0;
    f->env.sip.idle_ms = 100;
    CU_ASSERT_FATAL(ota_bearer_sip.create(&f->env, &f->bearer) == ERR_OK);
    push_and_wait(f, 0);
    (void)netloop_until(&f->nl, &f->peer.closed, 1);
    push_and_wait(f, 1);
    CU_ASSERT(ended_as(f, 1, OTA_DELIVERED, 1000) && f->peer.streams_n == 2);
    fix_close(f);
}

static void begin_anew(struct fix *f, struct clk_virtual *clk)
{
    ota_bearer_sip.close(f->bearer, on_closed, f);
    (void)netloop_until(&f->nl, &f->closed, 1);
    f->closed = 0;
    clk_virtual_init(clk, 1000);
    f->nl.env.clk = &clk->clk;
    CU_ASSERT_FATAL(ota_bearer_sip.create(&f->env, &f->bearer) == ERR_OK);
}

/* The peer has gone without a word, as one does that lost its power: its connection is not used for ever. */
static void a_silent_connection_is_left(void)
{
    struct fix *f = fix_open(SIP_PEER_TCP, TCP, NULL, NULL);
    struct clk_virtual clk;
    struct ota_terminal bob = f->terminal;
    char uri[64];

    begin_anew(f, &clk);
    f->peer.script[0] = "";
    (void)snprintf(uri, sizeof uri, "sip:bob@127.0.0.1:%u;transport=tcp", f->peer.port);
    bob.sip_uri = slice_str(uri);
    CU_ASSERT_EQUAL(push(f, 0, "into the void"), ERR_OK);
    (void)netloop_until(&f->nl, &f->peer.n, 1);
    clk_virtual_advance(&clk, 33000);
    CU_ASSERT_EQUAL(push_to(f, 1, &bob, SLICE("after it")), ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 2);
    CU_ASSERT(ended_as(f, 0, OTA_AMBIGUOUS, 4001) && ended_as(f, 1, OTA_AMBIGUOUS, 4001));
    (void)netloop_until(&f->nl, &f->peer.closed, 1);
    f->peer.script[f->peer.n] = "200 OK";
    push_and_wait(f, 2);
    CU_ASSERT(ended_as(f, 2, OTA_DELIVERED, 1000) && f->peer.streams_n == 2);
    fix_close(f);
}

/* It answers others: one terminal behind it is slow, and costs nobody the connection. */
static void a_connection_that_speaks_stays(void)
{
    struct fix *f = fix_open(SIP_PEER_TCP, TCP, NULL, NULL);
    struct clk_virtual clk;
    struct ota_terminal others[2] = {f->terminal, f->terminal};
    char uris[2][64];

    begin_anew(f, &clk);
    f->peer.script[0] = "";
    f->peer.script[1] = "200 OK";
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(uris[i], sizeof uris[i], "sip:other%u@127.0.0.1:%u;transport=tcp", i, f->peer.port);
        others[i].sip_uri = slice_str(uris[i]);
    }
    CU_ASSERT_EQUAL(push(f, 0, "slow"), ERR_OK);
    (void)netloop_until(&f->nl, &f->peer.n, 1);
    clk_virtual_advance(&clk, 20000);
    CU_ASSERT_EQUAL(push_to(f, 1, &others[0], SLICE("quick")), ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(ended_as(f, 1, OTA_DELIVERED, 1000));
    clk_virtual_advance(&clk, 13000);
    CU_ASSERT_EQUAL(push_to(f, 2, &others[1], SLICE("quick")), ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 3);
    CU_ASSERT(ended_as(f, 0, OTA_AMBIGUOUS, 4001) && ended_as(f, 2, OTA_DELIVERED, 1000));
    CU_ASSERT(f->peer.streams_n == 1 && f->peer.closed == 0);
    fix_close(f);
}

/* A full table of hops: idle ones make room, busy ones do not. */
static void bounded_number_of_hops(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);
    struct sip_peer *other = calloc(1, sizeof *other);

    CU_ASSERT_FATAL(other != NULL);
    ota_bearer_sip.close(f->bearer, on_closed, f);
    (void)netloop_until(&f->nl, &f->closed, 1);
    f->closed = 0;
    f->env.sip.hops_max = 1;
    CU_ASSERT_FATAL(ota_bearer_sip.create(&f->env, &f->bearer) == ERR_OK);
    sip_peer_open(other, &f->nl, SIP_PEER_UDP, NULL);
    other->script[0] = "200 OK";
    push_and_wait(f, 0);
    route(f, UDP, other->port);
    push_and_wait(f, 1);
    CU_ASSERT(ended_as(f, 1, OTA_DELIVERED, 1000) && other->n == 1);
    other->script[0] = "";
    CU_ASSERT_EQUAL(push(f, 2, "stays"), ERR_OK);
    (void)netloop_until(&f->nl, &other->n, 2);
    {
        struct ota_terminal t = f->terminal;
        char uri[64];

        (void)snprintf(uri, sizeof uri, UDP, f->peer.port);
        t.sip_uri = slice_str(uri);
        CU_ASSERT_EQUAL(push_to(f, 3, &t, SLICE("no room")), ERR_OK);
        (void)netloop_until(&f->nl, &f->done, 3);
        CU_ASSERT(ended_as(f, 3, OTA_RETRY, 4001) && f->peer.n == 1);
    }
    ota_bearer_sip.cancel(f->bearer, &f->jobs[2]);
    (void)netloop_until(&f->nl, &f->done, 4);
    sip_peer_close(other);
    free(other);
    fix_close(f);
}

/* --- more than one place --- */

/* Two servers of one domain: what the first does not do is done by the second (RFC 3263 §4.3). */
static void failover(const char *first_says, bool first_listens)
{
    struct fix *f = fix_open(SIP_PEER_UDP | SIP_PEER_TCP, "sip:alice@net.example;transport=tcp", NULL, NULL);
    struct sip_peer *second = calloc(1, sizeof *second);
    struct dns_row rows[] = {
        {.name = "_sip._tcp.net.example",
         .type = 33,
         .a = 1,
         .b = 0,
         .port = f->peer.port,
         .target = "localhost"},
        {.name = "_sip._tcp.net.example", .type = 33, .a = 2, .b = 0, .target = "localhost"},
    };
    struct dns_peer dns;

    CU_ASSERT_FATAL(second != NULL);
    sip_peer_open(second, &f->nl, SIP_PEER_TCP, NULL);
    second->script[0] = "200 OK";
    rows[1].port = second->port;
    dns_peer_open(&dns, &f->nl, rows, COUNT(rows));
    ota_bearer_sip.close(f->bearer, on_closed, f);
    (void)netloop_until(&f->nl, &f->closed, 1);
    f->closed = 0;
    f->env.sip.dns = dns.servers;
    CU_ASSERT_FATAL(ota_bearer_sip.create(&f->env, &f->bearer) == ERR_OK);
    f->peer.script[0] = first_says;
    if (!first_listens) {
        sip_peer_close(&f->peer);
        f->peer.udp = NULL;
        f->peer.listener = NULL;
    }
    route(f, "sip:alice@net.example;transport=tcp", 0);
    push_and_wait(f, 0);
    CU_ASSERT(ended_as(f, 0, OTA_DELIVERED, 1000));
    CU_ASSERT(second->n == 1 && f->peer.n == (first_listens ? 1 : 0));
    sip_peer_close(second);
    dns_peer_close(&dns);
    free(second);
    fix_close(f);
}

static void the_next_server_is_tried(void)
{
    failover("200 OK", false);
    failover("503 Later", true);
    failover("408 Late", true);
}

/* --- TLS --- */

static struct net_tls_ctx *tls_of(enum net_tls_role role, const struct test_cert *ca,
                                  const struct test_cert *leaf)
{
    struct net_tls_pair pair = {.cert_pem = SLICE_NONE};
    struct net_tls_conf conf = {.role = role,
                                .pairs = &pair,
                                .pairs_n = leaf != NULL,
                                .ca_pem = slice_str(ca->cert_pem),
                                .version_min = 12,
                                .verify =
                                    role == NET_TLS_CLIENT ? NET_TLS_VERIFY_REQUIRED : NET_TLS_VERIFY_NONE};
    struct net_tls_ctx *ctx = NULL;
    const char *why;

    if (leaf)
        pair =
            (struct net_tls_pair){.cert_pem = slice_str(leaf->cert_pem), .key_pem = slice_str(leaf->key_pem)};
    CU_ASSERT_EQUAL_FATAL(net_tls_ctx_create(&conf, &ctx, &why), ERR_OK);
    return ctx;
}

/* Names of certificates: DNS, or SIP domains, which then are the only ones (RFC 5922 §7.1). */
static void over_tls(void)
{
    static const struct {
        const char *const sans[4];
        bool good;
    } rows[] = {
        {{"DNS:localhost", NULL}, true},
        {{"DNS:localhost", "URI:sip:localhost", NULL}, true},
        {{"DNS:localhost", "URI:https://example.net", "URI:sip:alice@example.net", NULL}, true},
        {{"DNS:localhost", "URI:sip:example.net", "URI:sip:LOCALHOST", NULL}, true},
        {{"DNS:localhost", "URI:sip:example.net", NULL}, false},
        {{"DNS:example.net", NULL}, false},
    };
    static struct test_cert ca, leaf;

    test_cert_make(&(struct test_cert_conf){.cn = "ca", .ca = true}, NULL, &ca);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_tls_ctx *server, *client = tls_of(NET_TLS_CLIENT, &ca, NULL);
        struct fix *f;

        test_row(i);
        test_cert_make(&(struct test_cert_conf){.cn = "peer", .sans = rows[i].sans}, &ca, &leaf);
        server = tls_of(NET_TLS_SERVER, &ca, &leaf);
        f = fix_open(SIP_PEER_TCP, "sips:alice@localhost:%u", server, client);
        push_and_wait(f, 0);
        if (rows[i].good) {
            CU_ASSERT(ended_as(f, 0, OTA_DELIVERED, 1000));
            CU_ASSERT(strncmp(sip_peer_header(&f->peer, 0, "Via: "), "SIP/2.0/TLS", 11) == 0);
            CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 0, "To: "), "<sips:alice@localhost>");
        } else {
            CU_ASSERT(ended_as(f, 0, OTA_RETRY, 4001) && f->peer.n == 0);
            CU_ASSERT_STRING_EQUAL(f->jobs[0].result.note, "TLS: cert-name");
        }
        fix_close(f);
        net_tls_ctx_free(&server);
        net_tls_ctx_free(&client);
    }
}

static void no_tls_without_signers(void)
{
    struct fix *f = fix_open(SIP_PEER_TCP, "sips:alice@127.0.0.1:%u", NULL, NULL);

    push_and_wait(f, 0);
    CU_ASSERT(ended_as(f, 0, OTA_RETRY, 4001) && f->peer.streams_n == 0);
    fix_close(f);
}

/* A redirection never leads from sips to sip. */
static void sips_stays_sips(void)
{
    static const char *const sans[] = {"IP:127.0.0.1", NULL};
    static struct test_cert ca, leaf;
    struct net_tls_ctx *server, *client;
    struct fix *f;
    char answer[256];

    test_cert_make(&(struct test_cert_conf){.cn = "ca", .ca = true}, NULL, &ca);
    test_cert_make(&(struct test_cert_conf){.cn = "peer", .sans = sans}, &ca, &leaf);
    server = tls_of(NET_TLS_SERVER, &ca, &leaf);
    client = tls_of(NET_TLS_CLIENT, &ca, NULL);
    f = fix_open(SIP_PEER_TCP, "sips:alice@127.0.0.1:%u", server, client);
    (void)snprintf(answer, sizeof answer, "302 Moved\r\nContact: <sip:alice@127.0.0.1:%u;transport=tcp>",
                   f->peer.port);
    f->peer.script[0] = answer;
    push_and_wait(f, 0);
    CU_ASSERT(ended_as(f, 0, OTA_UNDELIVERABLE, 2002) && f->peer.n == 1);
    fix_close(f);
    net_tls_ctx_free(&server);
    net_tls_ctx_free(&client);
}

const struct test_case test_cases[] = {
    {"a_message_over_udp", a_message_over_udp},
    {"two_over_one_connection", two_over_one_connection},
    {"the_content_alone", the_content_alone},
    {"deadline_and_priority", deadline_and_priority},
    {"through_a_proxy", through_a_proxy},
    {"identity_to_trusted_hops_alone", identity_to_trusted_hops_alone},
    {"no_larger_than_1300", no_larger_than_1300},
    {"larger_ones_take_tcp", larger_ones_take_tcp},
    {"tcp_refused", tcp_refused},
    {"one_to_a_uri_at_a_time", one_to_a_uri_at_a_time},
    {"too_many_wait", too_many_wait},
    {"challenged", challenged},
    {"challenged_once", challenged_once},
    {"challenged_in_vain", challenged_in_vain},
    {"another_form", another_form},
    {"moved", moved},
    {"moved_in_circles", moved_in_circles},
    {"statuses", statuses},
    {"nobody_listens", nobody_listens},
    {"connection_lost", connection_lost},
    {"asked_by_the_far_end", asked_by_the_far_end},
    {"cancelled", cancelled},
    {"cancelled_before_its_name_is_known", cancelled_before_its_name_is_known},
    {"idle_connections_close", idle_connections_close},
    {"a_silent_connection_is_left", a_silent_connection_is_left},
    {"a_connection_that_speaks_stays", a_connection_that_speaks_stays},
    {"bounded_number_of_hops", bounded_number_of_hops},
    {"the_next_server_is_tried", the_next_server_is_tried},
    {"over_tls", over_tls},
    {"no_tls_without_signers", no_tls_without_signers},
    {"sips_stays_sips", sips_stays_sips},
    {NULL, NULL},
};
