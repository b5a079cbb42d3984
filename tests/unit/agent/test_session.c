/* Sessions of the bearer for SIP against a scripted server and a raw far end of the stream: what leaves, what comes of it, and that
 * everything is given back. */
#include "ota/agent/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/agent/agent_env.h"
#include "tests/unit/harness.h"
#include "tests/unit/names.h"
#include "tests/unit/sippeer.h"

#define HEAD    "Content-Type: text/plain\r\nX-Push-Message-ID: m-1\r\n"
#define ACCEPT  "200 OK\r\nContact: <sip:device@127.0.0.1:%u;transport=tcp>"
#define STREAM  "v=0\r\nm=message %u TCP/MSRP *\r\na=accept-types:*\r\na=path:msrp://127.0.0.1:%u/s1;tcp\r\n"
#define SILENCE ""

struct fix {
    struct netloop nl;
    struct ota_env env;
    void *bearer;
    struct sip_peer peer;
    struct ota_terminal terminal;
    struct ota_job jobs[2];
    char uri[96], accept[128], body[512], got[16384];
    int listener, stream; /* the far end of the messages */
    uint16_t port;
    size_t done, closed;
};

static void on_done(struct ota_job *job, enum err why, void *arg)
{
    (void)job, (void)why;
    ((struct fix *)arg)->done++;
}

static void on_closed(void *arg)
{
    ((struct fix *)arg)->closed++;
}

static struct fix *fix_open(enum ota_session session)
{
    struct fix *f = calloc(1, sizeof *f);

    CU_ASSERT_FATAL(f != NULL);
    netloop_open(&f->nl);
    f->env = agent_env(&f->nl.env);
    sip_peer_open(&f->peer, &f->nl, SIP_PEER_TCP, NULL);
    f->listener = raw_listen(&f->port);
    f->stream = -1;
    (void)snprintf(f->uri, sizeof f->uri, "sip:alice@127.0.0.1:%u;transport=tcp", f->peer.port);
    (void)snprintf(f->accept, sizeof f->accept, ACCEPT, f->peer.port);
    (void)snprintf(f->body, sizeof f->body, STREAM, f->port, f->port);
    f->peer.script[0] = f->accept;
    f->peer.script[1] = SILENCE; /* ACK */
    f->peer.script[2] = "200 OK";
    f->peer.body = f->body;
    f->terminal = (struct ota_terminal){.key = SLICE("sip:alice@127.0.0.1"),
                                        .route = OTA_ROUTE_SIP,
                                        .sip_uri = slice_str(f->uri),
                                        .session = session,
                                        .tls_name = session == OTA_SESSION_TLS ? SLICE("phone") : SLICE_NONE};
    CU_ASSERT_FATAL(ota_bearer_sip.create(&f->env, &f->bearer) == ERR_OK);
    return f;
}

static void fix_close(struct fix *f)
{
    if (f->stream >= 0)
        (void)close(f->stream);
    ota_bearer_sip.close(f->bearer, on_closed, f);
    (void)netloop_until(&f->nl, &f->closed, 1);
    sip_peer_close(&f->peer);
    (void)close(f->listener);
    netloop_close(&f->nl);
    free(f);
}

static void push(struct fix *f, size_t i)
{
    f->jobs[i] = (struct ota_job){
        .terminal = &f->terminal, .message_head = SLICE(HEAD), .body = SLICE("hello"), .push_id = SLICE("p")};
    CU_ASSERT_EQUAL(ota_bearer_sip.send(f->bearer, &f->jobs[i], on_done, f), ERR_OK);
}

static bool ended_as(const struct fix *f, size_t i, enum ota_outcome outcome, unsigned code)
{
    return agent_ended_as(&f->jobs[i], outcome, code);
}

static void get_chunk(struct fix *f)
{
    if (f->stream < 0)
        f->stream = raw_accept(&f->nl, f->listener);
    CU_ASSERT_FATAL(raw_read_until(&f->nl, f->stream, "$\r\n", f->got, sizeof f->got) > 0);
}

static void answer_chunk(struct fix *f, unsigned status)
{
    char answer[256], tid[OTA_MSRP_TID_N + 1];

    (void)snprintf(tid, sizeof tid, "%.16s", f->got + 5);
    (void)snprintf(answer, sizeof answer,
                   "MSRP %s %u x\r\nTo-Path: msrp://ppg.example:9/x;tcp\r\nFrom-Path: "
                   "msrp://127.0.0.1:%u/s1;tcp\r\n-------%s$\r\n",
                   tid, status, f->port, tid);
    CU_ASSERT_TRUE(raw_send(&f->nl, f->stream, slice_str(answer)));
}

/* Takes the one chunk of a push and answers it. */
static void take_chunk(struct fix *f, unsigned status)
{
    get_chunk(f);
    answer_chunk(f, status);
}

/* One INVITE, one ACK, one connection; the second push goes in what is open; BYE when the bearer closes. */
static void two_pushes_in_one_session(void)
{
    struct fix *f = fix_open(OTA_SESSION_ALWAYS);

    push(f, 0);
    take_chunk(f, 200);
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(ended_as(f, 0, OTA_DELIVERED, 1000) && f->jobs[0].result.taken);
    CU_ASSERT_STRING_EQUAL(f->jobs[0].result.note, "msrp: taken, 1 chunks");
    CU_ASSERT(strstr(f->got, "\r\nByte-Range: 1-71/71\r\n") && strstr(f->got, "\r\nSuccess-Report: no\r\n"));
    CU_ASSERT(strncmp(f->peer.requests[0], "INVITE ", 7) == 0 &&
              strncmp(f->peer.requests[1], "ACK ", 4) == 0);
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 0, "Contact: "), "<sip:push@ppg.example;transport=tcp>");
    CU_ASSERT_PTR_NOT_NULL(strstr(f->peer.requests[0], "\r\na=path:msrp://ppg.example:9/"));
    push(f, 1);
    take_chunk(f, 200);
    (void)netloop_until(&f->nl, &f->done, 2);
    CU_ASSERT(ended_as(f, 1, OTA_DELIVERED, 1000) && f->peer.n == 2);
    fix_close(f);
}

/* Nobody listens at the first addresses of the name: the next is tried, up to so many as are looked at. */
static void a_name_with_several_addresses(void)
{
    static const struct {
        const char *host;
        enum ota_outcome outcome;
        unsigned code;
    } names[] = {
        {"there1.stream.example", OTA_DELIVERED, 1000}, {"there2.stream.example", OTA_DELIVERED, 1000},
        {"there8.stream.example", OTA_DELIVERED, 1000}, {"there9.stream.example", OTA_RETRY, 4001},
        {"nobody3.stream.example", OTA_RETRY, 4001},    {"nobody0.stream.example", OTA_RETRY, 4001},
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        struct fix *f = fix_open(OTA_SESSION_ALWAYS);

        test_row(i);
        (void)snprintf(f->body, sizeof f->body,
                       "v=0\r\nm=message %u TCP/MSRP *\r\na=accept-types:*\r\na=path:msrp://%s:%u/s1;tcp\r\n",
                       f->port, names[i].host, f->port);
        push(f, 0);
        if (names[i].outcome == OTA_DELIVERED)
            take_chunk(f, 200);
        (void)netloop_until(&f->nl, &f->done, 1);
        CU_ASSERT(ended_as(f, 0, names[i].outcome, names[i].code));
        fix_close(f);
    }
}

static void refused_chunks(void)
{
    static const struct {
        unsigned status;
        enum ota_outcome outcome;
        unsigned code;
    } rows[] = {
        {413, OTA_ABORTED, 5026},       {415, OTA_ABORTED, 5030},       {408, OTA_RETRY, 4001},
        {481, OTA_RETRY, 4001},         {400, OTA_UNDELIVERABLE, 4000}, {403, OTA_UNDELIVERABLE, 4000},
        {501, OTA_UNDELIVERABLE, 4000}, {506, OTA_UNDELIVERABLE, 4000}, {999, OTA_UNDELIVERABLE, 4000}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix *f = fix_open(OTA_SESSION_ALWAYS);

        test_row(i);
        push(f, 0);
        take_chunk(f, rows[i].status);
        (void)netloop_until(&f->nl, &f->done, 1);
        CU_ASSERT(ended_as(f, 0, rows[i].outcome, rows[i].code));
        fix_close(f);
    }
}

/* Acknowledged and ended, and nothing is connected to. */
static void never_in_the_clear(void)
{
    struct fix *f = fix_open(OTA_SESSION_TLS);

    push(f, 0);
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(ended_as(f, 0, OTA_UNDELIVERABLE, 2005));
    (void)netloop_until(&f->nl, &f->peer.n, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(f->peer.requests[0], "\r\nm=message 9 TCP/TLS/MSRP *\r\n"));
    CU_ASSERT(strncmp(f->peer.requests[1], "ACK ", 4) == 0 && strncmp(f->peer.requests[2], "BYE ", 4) == 0);
    fix_close(f);
}

static void answers_that_are_no_use(void)
{
    static const struct {
        const char *accept, *body;
        enum ota_outcome outcome;
        unsigned code;
    } rows[] = {
        {"200 OK", NULL, OTA_RETRY, 4001}, /* no Contact: nothing can be said to it */
        {NULL, "v=0\r\n", OTA_ABORTED, 5030},
        {NULL, "nonsense", OTA_ABORTED, 5030},
        {NULL, "v=0\r\nm=message 0 TCP/MSRP *\r\n", OTA_ABORTED, 5030},
        {NULL, "v=0\r\nm=message 1 TCP/MSRP *\r\na=accept-types:a/b\r\na=path:msrp://127.0.0.1:1/x;sctp\r\n",
         OTA_ABORTED, 5030},
        {NULL, "v=0\r\nm=message 1 TCP/MSRP *\r\na=accept-types:*\r\na=path:msrp://127.0.0.1:1/x;tcp\r\n",
         OTA_RETRY, 4001}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix *f = fix_open(OTA_SESSION_ALWAYS);

        test_row(i);
        f->peer.script[0] = rows[i].accept ? rows[i].accept : f->accept;
        f->peer.body = rows[i].body ? rows[i].body : f->body;
        push(f, 0);
        (void)netloop_until(&f->nl, &f->done, 1);
        CU_ASSERT(ended_as(f, 0, rows[i].outcome, rows[i].code));
        fix_close(f);
    }
}

/* More than the terminal takes in a session: it may be told where it lies instead (ppg/deliver.c). */
static void larger_than_it_takes(void)
{
    struct fix *f = fix_open(OTA_SESSION_ALWAYS);

    (void)snprintf(f->body + strlen(f->body), sizeof f->body - strlen(f->body), "a=max-size:20\r\n");
    f->stream = -1;
    push(f, 0);
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(ended_as(f, 0, OTA_UNDELIVERABLE, 2006) && f->jobs[0].result.large);
    fix_close(f);
}

/* What was sent may have arrived; the session is ended. */
static void cancelled_half_way(void)
{
    struct fix *f = fix_open(OTA_SESSION_ALWAYS);

    push(f, 0);
    get_chunk(f);
    ota_bearer_sip.cancel(f->bearer, &f->jobs[0]);
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(ended_as(f, 0, OTA_AMBIGUOUS, 4001));
    (void)netloop_until(&f->nl, &f->peer.n, 3);
    CU_ASSERT(strncmp(f->peer.requests[2], "BYE ", 4) == 0);
    fix_close(f);
}

static void lost_half_way(void)
{
    struct fix *f = fix_open(OTA_SESSION_ALWAYS);

    push(f, 0);
    get_chunk(f);
    raw_reset(f->stream);
    f->stream = -1;
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(ended_as(f, 0, OTA_AMBIGUOUS, 4001));
    fix_close(f);
}

static void close_and_wait(struct fix *f, size_t requests)
{
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(ended_as(f, 0, OTA_AMBIGUOUS, 4001));
    (void)netloop_until(&f->nl, &f->peer.n, requests);
}

/* CANCEL once it rings, not before (RFC 3261 §9.1); who has accepted meanwhile is told goodbye. */
static void cancelled_while_it_rings(void)
{
    static const struct {
        bool early; /* cancelled before anything has come back */
        const char *answer;
        const char *then[3]; /* what leaves next */
    } rows[] = {{false, "180 Ringing", {"CANCEL ", NULL}},
                {true, "180 Ringing", {"CANCEL ", NULL}},
                {true, "100 Trying", {"CANCEL ", NULL}},
                {true, "486 Busy Here", {"ACK ", NULL}},
                {true, NULL, {"ACK ", "BYE ", NULL}}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix *f = fix_open(OTA_SESSION_ALWAYS);
        size_t n = 1;

        test_row(i);
        if (rows[i].answer)
            f->peer.script[0] = rows[i].answer;
        push(f, 0);
        if (rows[i].early)
            while (((const struct ota_sip_attempt *)f->jobs[0].attempt)->cseq == 0)
                (void)uv_run(&f->nl.loop, UV_RUN_NOWAIT);
        else
            (void)netloop_until(&f->nl, &f->peer.n, 1);
        if (!rows[i].early)
            netloop_for(&f->nl, 50);
        ota_bearer_sip.cancel(f->bearer, &f->jobs[0]);
        while (rows[i].then[n - 1])
            n++;
        close_and_wait(f, n);
        for (size_t k = 1; k < n; k++)
            CU_ASSERT(strncmp(f->peer.requests[k], rows[i].then[k - 1], strlen(rows[i].then[k - 1])) == 0);
        CU_ASSERT_EQUAL(f->peer.n, n);
        fix_close(f);
    }
}

/* Nothing of a push is in an INVITE: CANCEL once it rings, BYE to who has accepted in the same moment; done() stays away. */
static void withdrawn_before_it_is_told(void)
{
    enum { AT_ONCE, SENT, RINGS };
    static const struct {
        int when;
        const char *answer;
        const char *then[3]; /* what leaves next */
    } rows[] = {{AT_ONCE, "180 Ringing", {NULL}},
                {SENT, "180 Ringing", {"CANCEL ", NULL}},
                {RINGS, "180 Ringing", {"CANCEL ", NULL}},
                {SENT, "486 Busy Here", {"ACK ", NULL}},
                {SENT, NULL, {"ACK ", "BYE ", NULL}}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix *f = fix_open(OTA_SESSION_ALWAYS);
        size_t n = rows[i].when != AT_ONCE;

        test_row(i);
        if (rows[i].answer)
            f->peer.script[0] = rows[i].answer;
        push(f, 0);
        while (rows[i].when && ((const struct ota_sip_attempt *)f->jobs[0].attempt)->cseq == 0)
            (void)uv_run(&f->nl.loop, UV_RUN_NOWAIT);
        if (rows[i].when == RINGS) {
            (void)netloop_until(&f->nl, &f->peer.n, 1);
            netloop_for(&f->nl, 50);
        }
        CU_ASSERT_TRUE(ota_bearer_sip.withdraw(f->bearer, &f->jobs[0]));
        CU_ASSERT_PTR_NULL(f->jobs[0].attempt);
        CU_ASSERT_FALSE(ota_bearer_sip.withdraw(f->bearer, &f->jobs[0]));
        for (size_t k = 0; rows[i].then[k]; k++, n++) {
            (void)netloop_until(&f->nl, &f->peer.n, n + 1);
            CU_ASSERT(strncmp(f->peer.requests[n], rows[i].then[k], strlen(rows[i].then[k])) == 0);
        }
        netloop_for(&f->nl, 50);
        CU_ASSERT(f->peer.n == n && f->done == 0);
        fix_close(f);
    }
}

/* One that waits for its turn goes alone; one whose content has left is not to be had back, in a session or as a MESSAGE. */
static void not_withdrawn_once_it_is_told(void)
{
    struct fix *f = fix_open(OTA_SESSION_ALWAYS);

    push(f, 0);
    push(f, 1);
    get_chunk(f);
    CU_ASSERT_FALSE(ota_bearer_sip.withdraw(f->bearer, &f->jobs[0]));
    CU_ASSERT_TRUE(ota_bearer_sip.withdraw(f->bearer, &f->jobs[1]));
    answer_chunk(f, 200);
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(ended_as(f, 0, OTA_DELIVERED, 1000));
    CU_ASSERT_FALSE(ota_bearer_sip.withdraw(f->bearer, &f->jobs[0]));
    fix_close(f);

    f = fix_open(OTA_SESSION_NO);
    f->peer.script[0] = SILENCE;
    push(f, 0);
    (void)netloop_until(&f->nl, &f->peer.n, 1);
    CU_ASSERT_FALSE(ota_bearer_sip.withdraw(f->bearer, &f->jobs[0]));
    ota_bearer_sip.cancel(f->bearer, &f->jobs[0]);
    (void)netloop_until(&f->nl, &f->done, 1);
    fix_close(f);
}

/* A gateway that goes down waits for nothing, and leaves nobody ringing. */
static void closed_while_it_rings(void)
{
    struct fix *f = fix_open(OTA_SESSION_ALWAYS);

    f->peer.script[0] = "180 Ringing";
    push(f, 0);
    (void)netloop_until(&f->nl, &f->peer.n, 1);
    netloop_for(&f->nl, 100);
    ota_bearer_sip.close(f->bearer, on_closed, f);
    (void)netloop_until(&f->nl, &f->closed, 1);
    CU_ASSERT(f->done == 1 && ended_as(f, 0, OTA_AMBIGUOUS, 4001));
    (void)netloop_until(&f->nl, &f->peer.n, 2);
    CU_ASSERT(strncmp(f->peer.requests[1], "CANCEL ", 7) == 0);
    sip_peer_close(&f->peer);
    (void)close(f->listener);
    netloop_close(&f->nl);
    free(f);
}

/* With a login for who asks; who asks again is not answered again. */
static void bye_is_challenged(void)
{
    for (unsigned stubborn = 0; stubborn < 2; stubborn++) {
        static const char *const ask = "407 Proxy Authentication Required\r\nProxy-Authenticate: Digest "
                                       "realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
        struct fix *f = fix_open(OTA_SESSION_ALWAYS);

        test_row(stubborn);
        f->env.sip.login = (struct ota_login){SLICE("ppg"), SLICE("gate-secret")};
        f->env.sip.session_idle_ms = 1;
        f->peer.script[2] = ask;
        f->peer.script[3] = stubborn ? ask : "200 OK";
        push(f, 0);
        take_chunk(f, 200);
        (void)netloop_until(&f->nl, &f->peer.n, 4);
        CU_ASSERT(strncmp(f->peer.requests[2], "BYE ", 4) == 0 &&
                  !strstr(f->peer.requests[2], "Authorization"));
        CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 2, "CSeq: "), "2 BYE");
        CU_ASSERT(strncmp(f->peer.requests[3], "BYE ", 4) == 0 &&
                  strstr(f->peer.requests[3], "\r\nProxy-Authorization: Digest username=\"ppg\""));
        CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 3, "CSeq: "), "3 BYE");
        CU_ASSERT_PTR_NOT_NULL(strstr(f->peer.requests[3], "\r\nReason: SIP ;cause=200"));
        netloop_for(&f->nl, 100);
        CU_ASSERT_EQUAL(f->peer.n, 4);
        fix_close(f);
    }
}

/* The connection of the signalling has closed, as they do when nothing is said: BYE goes over another one (RFC 3261 §12.2.1.1). */
static void bye_over_another_connection(void)
{
    struct fix *f = fix_open(OTA_SESSION_ALWAYS);

    f->env.sip.session_idle_ms = 1500;
    push(f, 0);
    take_chunk(f, 200);
    (void)netloop_until(&f->nl, &f->done, 1);
    (void)netloop_until(&f->nl, &f->peer.n, 2);
    net_stream_close(f->peer.streams[0].stream);
    (void)netloop_until(&f->nl, &f->peer.n, 3);
    CU_ASSERT(strncmp(f->peer.requests[2], "BYE sip:device@127.0.0.1:", 25) == 0);
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 2, "CSeq: "), "2 BYE");
    CU_ASSERT_EQUAL(f->peer.streams_n, 2);
    fix_close(f);
}

const struct test_case test_cases[] = {{"two_pushes_in_one_session", two_pushes_in_one_session},
                                       {"a_name_with_several_addresses", a_name_with_several_addresses},
                                       {"refused_chunks", refused_chunks},
                                       {"never_in_the_clear", never_in_the_clear},
                                       {"answers_that_are_no_use", answers_that_are_no_use},
                                       {"cancelled_half_way", cancelled_half_way},
                                       {"lost_half_way", lost_half_way},
                                       {"cancelled_while_it_rings", cancelled_while_it_rings},
                                       {"withdrawn_before_it_is_told", withdrawn_before_it_is_told},
                                       {"not_withdrawn_once_it_is_told", not_withdrawn_once_it_is_told},
                                       {"closed_while_it_rings", closed_while_it_rings},
                                       {"bye_is_challenged", bye_is_challenged},
                                       {"bye_over_another_connection", bye_over_another_connection},
                                       {"larger_than_it_takes", larger_than_it_takes},
                                       {NULL, NULL}};
