/* Client transactions on a virtual clock, against the table of RFC 3261 §17.1.2.2. */
#include "ota/sip/trans.h"

#include <stdio.h>

#include "tests/unit/harness.h"

#define TRANSACTIONS_MAX 8

struct fix {
    struct clk_virtual clk;
    struct ota_sip_stack *stack;
    struct ota_sip_trans *trans;
    int64_t sent_ms[16];
    size_t sent;
    size_t refuse_from; /* the n-th send and all later ones fail; 0: none */
    size_t done;
    enum err why;
    unsigned status;
    char phrase[64];
    size_t acks; /* made by the transaction */
    char ack[1024];
    size_t rang;
};

static enum err on_send(void *arg)
{
    struct fix *f = arg;

    CU_ASSERT_FATAL(f->sent < COUNT(f->sent_ms));
    f->sent_ms[f->sent++] = f->clk.mono;
    return f->refuse_from && f->sent >= f->refuse_from ? ERR_PEER : ERR_OK;
}

static void on_done(enum err why, const struct ota_sip_reply *reply, void *arg)
{
    struct fix *f = arg;

    f->done++;
    f->why = why;
    f->trans = NULL;
    CU_ASSERT_EQUAL(why == ERR_OK, reply != NULL);
    f->status = reply ? reply->status : 0;
    if (reply)
        (void)snprintf(f->phrase, sizeof f->phrase, "%.*s", SLICE_FMT(reply->reason));
}

static void on_ack(struct slice request, void *arg)
{
    struct fix *f = arg;

    CU_ASSERT_EQUAL(f->done, 0);
    f->acks++;
    (void)snprintf(f->ack, sizeof f->ack, "%.*s", SLICE_FMT(request));
}

static void on_rang(void *arg)
{
    struct fix *f = arg;

    f->rang++;
}

static void fix_open(struct fix *f)
{
    *f = (struct fix){.sent = 0};
    clk_virtual_init(&f->clk, 1000);
    CU_ASSERT_FATAL(ota_sip_stack_create(&f->clk.clk, TRANSACTIONS_MAX, &f->stack) == ERR_OK);
}

static void fix_close(struct fix *f)
{
    CU_ASSERT_EQUAL(ota_sip_stack_n(f->stack), 0);
    CU_ASSERT_EQUAL(ota_sip_stack_wait_ms(f->stack), -1);
    ota_sip_stack_free(&f->stack);
}

static enum err start(struct fix *f, const char *transport, const char *branch)
{
    const struct ota_sip_trans_user user = {.send = on_send, .done = on_done, .arg = f};
    char text[512];

    (void)snprintf(text, sizeof text,
                   "MESSAGE sip:a@b SIP/2.0\r\nVia: SIP/2.0/%s ppg;branch=%s\r\nMax-Forwards: 70\r\n"
                   "From: <sip:p@q>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n"
                   "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi",
                   transport, branch);
    return ota_sip_trans_start(f->stack, slice_str(text), &user, &f->trans);
}

#define RING_MS 60000

static enum err invite(struct fix *f, const char *transport, const char *branch)
{
    const struct ota_sip_trans_user user = {
        .send = on_send, .done = on_done, .arg = f, .ack = on_ack, .rang = on_rang, .ring_ms = RING_MS};
    char text[512];

    (void)snprintf(text, sizeof text,
                   "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/%s ppg;branch=%s;rport\r\nMax-Forwards: 70\r\n"
                   "Route: <sip:proxy;lr>\r\nFrom: <sip:p@q>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\n"
                   "CSeq: 1 INVITE\r\nContact: <sip:p@ppg>\r\nContent-Type: application/sdp\r\n"
                   "Content-Length: 5\r\n\r\nv=0\r\n",
                   transport, branch);
    return ota_sip_trans_start(f->stack, slice_str(text), &user, &f->trans);
}

/* A response that says so much; false: nobody waits for it. */
static bool answer(struct fix *f, const char *status, const char *branch, const char *method)
{
    struct ota_sip_unit unit;
    struct ota_sip_reply r;
    struct buf text;
    char reply[512];
    bool taken;

    (void)snprintf(
        reply, sizeof reply,
        "SIP/2.0 %s\r\nVia: SIP/2.0/UDP ppg;branch=%s\r\nFrom: <sip:p@q>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n"
        "Call-ID: c\r\nCSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
        status, branch, method);
    buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
    CU_ASSERT_FATAL(ota_sip_datagram_read(slice_str(reply), &text, &unit) == ERR_OK);
    CU_ASSERT_FATAL(ota_sip_reply_read(&unit, &r) == ERR_OK);
    buf_clear(&text);
    taken = ota_sip_stack_reply(f->stack, &r);
    CU_ASSERT_EQUAL(taken, r.osip == NULL);
    ota_sip_reply_clear(&r);
    return taken;
}

/* Time passes in the steps that the stack asks for, for so long. */
static void pass(struct fix *f, int64_t ms)
{
    int64_t end = f->clk.mono + ms, wait;

    while ((wait = ota_sip_stack_wait_ms(f->stack)) >= 0 && f->clk.mono + wait <= end) {
        clk_virtual_advance(&f->clk, wait);
        ota_sip_stack_tick(f->stack);
    }
    clk_virtual_advance(&f->clk, end - f->clk.mono);
}

static void check_sent(const struct fix *f, const int64_t *want, size_t n)
{
    CU_ASSERT_EQUAL(f->sent, n);
    for (size_t i = 0; i < n && i < f->sent; i++) {
        test_row(i);
        CU_ASSERT_EQUAL(f->sent_ms[i] - f->sent_ms[0], want[i]);
    }
}

/* Eleven transmissions at their instants, then no answer at 32 s. */
static void a_silent_peer_over_udp(void)
{
    static const int64_t want[] = {0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(start(&f, "UDP", "z9hG4bK1"), ERR_OK);
    pass(&f, 31999);
    CU_ASSERT_EQUAL(f.done, 0);
    pass(&f, 1);
    CU_ASSERT(f.done == 1 && f.why == ERR_LATE);
    check_sent(&f, want, COUNT(want));
    pass(&f, 100000);
    CU_ASSERT_EQUAL(f.done, 1);
    fix_close(&f);
}

static void a_silent_peer_over_tcp(void)
{
    static const char *const transports[] = {"TCP", "TLS"};

    for (size_t i = 0; i < COUNT(transports); i++) {
        struct fix f;

        fix_open(&f);
        CU_ASSERT_EQUAL(start(&f, transports[i], "z9hG4bK1"), ERR_OK);
        pass(&f, 31999);
        CU_ASSERT(f.done == 0 && f.sent == 1);
        pass(&f, 1);
        CU_ASSERT(f.done == 1 && f.why == ERR_LATE);
        fix_close(&f);
    }
}

/* After a provisional response it is sent every T2, and given up all the same. */
static void proceeding(void)
{
    static const int64_t want[] = {0, 500, 4600, 8600, 12600, 16600, 20600, 24600, 28600};
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(start(&f, "UDP", "z9hG4bK1"), ERR_OK);
    pass(&f, 600);
    CU_ASSERT_TRUE(answer(&f, "100 Trying", "z9hG4bK1", "MESSAGE"));
    CU_ASSERT_EQUAL(f.done, 0);
    pass(&f, 31400);
    CU_ASSERT(f.done == 1 && f.why == ERR_LATE);
    check_sent(&f, want, COUNT(want));
    fix_close(&f);
}

static void final_responses(void)
{
    static const char *const statuses[] = {"200 OK", "202 Accepted", "302 Moved",
                                           "401 No", "503 Later",    "603 Decline"};
    static const unsigned numbers[] = {200, 202, 302, 401, 503, 603};

    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct fix f;

        test_row(i);
        fix_open(&f);
        CU_ASSERT_EQUAL(start(&f, "UDP", "z9hG4bK1"), ERR_OK);
        pass(&f, 700);
        if (i % 2)
            CU_ASSERT_TRUE(answer(&f, "183 Wait", "z9hG4bK1", "MESSAGE"));
        CU_ASSERT_TRUE(answer(&f, statuses[i], "z9hG4bK1", "MESSAGE"));
        CU_ASSERT(f.done == 1 && f.why == ERR_OK && f.status == numbers[i]);
        CU_ASSERT_STRING_EQUAL(f.phrase, statuses[i] + 4);
        CU_ASSERT_FALSE(answer(&f, statuses[i], "z9hG4bK1", "MESSAGE")); /* once more: dropped */
        pass(&f, 60000);
        CU_ASSERT(f.done == 1 && f.sent == 2);
        fix_close(&f);
    }
}

/* Branch and method both (§17.1.3). */
static void what_answers_nothing(void)
{
    struct fix f;

    fix_open(&f);
    CU_ASSERT_FALSE(answer(&f, "200 OK", "z9hG4bK1", "MESSAGE"));
    CU_ASSERT_EQUAL(start(&f, "TCP", "z9hG4bK1"), ERR_OK);
    CU_ASSERT_FALSE(answer(&f, "200 OK", "z9hG4bK2", "MESSAGE"));
    CU_ASSERT_FALSE(answer(&f, "200 OK", "z9hG4bK1", "OPTIONS"));
    CU_ASSERT_FALSE(answer(&f, "200 OK", "Z9hG4bK1", "MESSAGE"));
    CU_ASSERT_EQUAL(f.done, 0);
    CU_ASSERT_TRUE(answer(&f, "200 OK", "z9hG4bK1", "MESSAGE"));
    CU_ASSERT_EQUAL(f.done, 1);
    fix_close(&f);
}

static void not_sent(void)
{
    struct fix f;

    fix_open(&f);
    f.refuse_from = 1;
    CU_ASSERT_EQUAL(start(&f, "UDP", "z9hG4bK1"), ERR_PEER);
    CU_ASSERT(f.done == 0 && f.trans == NULL);
    f.refuse_from = 3;
    CU_ASSERT_EQUAL(start(&f, "UDP", "z9hG4bK1"), ERR_OK);
    pass(&f, 500);
    CU_ASSERT(f.done == 1 && f.why == ERR_PEER && f.sent == 3);
    fix_close(&f);
}

static void dropped(void)
{
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(start(&f, "UDP", "z9hG4bK1"), ERR_OK);
    pass(&f, 600);
    ota_sip_trans_drop(&f.trans);
    CU_ASSERT_PTR_NULL(f.trans);
    CU_ASSERT_FALSE(answer(&f, "200 OK", "z9hG4bK1", "MESSAGE"));
    pass(&f, 60000);
    CU_ASSERT(f.done == 0 && f.sent == 2);
    ota_sip_trans_drop(&f.trans);
    fix_close(&f);
}

static void ceilings_and_bad_requests(void)
{
    const struct ota_sip_trans_user user = {.send = on_send, .done = on_done};
    static const char *const bad[] = {
        "", "x", "SIP/2.0 200 OK\r\n\r\n", "MESSAGE sip:a@b SIP/2.0\r\n\r\n",
        ("MESSAGE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP x\r\nFrom: <sip:p@q>\r\nTo: <sip:a@b>\r\n"
         "Call-ID: c\r\nCSeq: 1 MESSAGE\r\n\r\n")};
    struct ota_sip_trans *t[TRANSACTIONS_MAX], *none = NULL;
    struct fix f;
    char branch[32];

    fix_open(&f);
    for (size_t i = 0; i < TRANSACTIONS_MAX; i++) {
        (void)snprintf(branch, sizeof branch, "z9hG4bK%zu", i);
        CU_ASSERT_EQUAL(start(&f, "TCP", branch), ERR_OK);
        t[i] = f.trans;
    }
    CU_ASSERT_EQUAL(start(&f, "TCP", "z9hG4bK0"), ERR_EXISTS);
    CU_ASSERT_EQUAL(start(&f, "TCP", "z9hG4bKx"), ERR_LIMIT);
    CU_ASSERT_EQUAL(f.sent, TRANSACTIONS_MAX);
    for (size_t i = 0; i < TRANSACTIONS_MAX; i++)
        ota_sip_trans_drop(&t[i]);
    for (size_t i = 0; i < COUNT(bad); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(ota_sip_trans_start(f.stack, slice_str(bad[i]), &user, &none), ERR_MALFORMED);
        CU_ASSERT_PTR_NULL(none);
    }
    fix_close(&f);
}

/* --- INVITE (§17.1.1) --- */

/* Timer A doubles from T1; timer B ends it. */
static void an_invite_without_an_answer(void)
{
    static const int64_t want[] = {0, 500, 1500, 3500, 7500, 15500, 31500};
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(invite(&f, "UDP", "z9hG4bK1"), ERR_OK);
    pass(&f, 31999);
    CU_ASSERT_EQUAL(f.done, 0);
    pass(&f, 1);
    CU_ASSERT(f.done == 1 && f.why == ERR_LATE);
    check_sent(&f, want, COUNT(want));
    fix_close(&f);

    fix_open(&f);
    CU_ASSERT_EQUAL(invite(&f, "TCP", "z9hG4bK1"), ERR_OK);
    pass(&f, 32000);
    CU_ASSERT(f.done == 1 && f.why == ERR_LATE && f.sent == 1);
    fix_close(&f);
}

/* No timer of the transaction runs then; ours does, and after it the response to a CANCEL is waited for (§9.1). */
static void an_invite_that_rings(void)
{
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(invite(&f, "UDP", "z9hG4bK1"), ERR_OK);
    pass(&f, 600);
    CU_ASSERT_TRUE(answer(&f, "100 Trying", "z9hG4bK1", "INVITE"));
    pass(&f, 1000);
    CU_ASSERT_TRUE(answer(&f, "180 Ringing", "z9hG4bK1", "INVITE"));
    pass(&f, RING_MS - 1001);
    CU_ASSERT(f.done == 0 && f.sent == 2 && f.rang == 0);
    pass(&f, 1);
    CU_ASSERT(f.done == 0 && f.sent == 2 && f.rang == 1);
    CU_ASSERT_TRUE(answer(&f, "180 Ringing", "z9hG4bK1", "INVITE"));
    pass(&f, 31999);
    CU_ASSERT(f.done == 0 && f.rang == 1);
    pass(&f, 1);
    CU_ASSERT(f.done == 1 && f.why == ERR_LATE && f.sent == 2);
    fix_close(&f);
}

static void an_invite_that_rang_and_was_cancelled(void)
{
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(invite(&f, "TCP", "z9hG4bK1"), ERR_OK);
    CU_ASSERT_TRUE(answer(&f, "180 Ringing", "z9hG4bK1", "INVITE"));
    pass(&f, RING_MS);
    CU_ASSERT_EQUAL(f.rang, 1);
    CU_ASSERT_TRUE(answer(&f, "487 Request Terminated", "z9hG4bK1", "INVITE"));
    CU_ASSERT(f.done == 1 && f.status == 487 && f.acks == 1);
    fix_close(&f);
}

/* The ACK has the branch of the INVITE, its number, its Route and the tag of the response (§17.1.1.3). */
static void a_refused_invite_is_acknowledged(void)
{
    static const char *const lines[] = {
        "ACK sip:a@b SIP/2.0\r\n",       "\r\nVia: SIP/2.0/UDP ppg;branch=z9hG4bK1",
        "\r\nRoute: <sip:proxy;lr>\r\n", "\r\nFrom: <sip:p@q>;tag=1\r\n",
        "\r\nTo: <sip:a@b>;tag=2\r\n",   "\r\nCall-ID: c\r\n",
        "\r\nCSeq: 1 ACK\r\n",           "\r\nContent-Length: 0\r\n\r\n"};
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(invite(&f, "UDP", "z9hG4bK1"), ERR_OK);
    CU_ASSERT_TRUE(answer(&f, "486 Busy", "z9hG4bK1", "INVITE"));
    CU_ASSERT(f.done == 1 && f.status == 486 && f.acks == 1 && f.sent == 1);
    for (size_t i = 0; i < COUNT(lines); i++) {
        test_row(i);
        CU_ASSERT_PTR_NOT_NULL(strstr(f.ack, lines[i]));
    }
    pass(&f, 40000);
    fix_close(&f);
}

static struct slice repeated(struct fix *f, unsigned status, const char *method)
{
    const struct ota_sip_reply r = {
        .status = status, .branch = SLICE("z9hG4bK1"), .method = slice_str(method)};

    return ota_sip_stack_ack(f->stack, &r);
}

/* For timer D over UDP, never over TCP, where nothing is repeated. */
static void the_ack_is_said_again(void)
{
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(invite(&f, "UDP", "z9hG4bK1"), ERR_OK);
    CU_ASSERT_TRUE(answer(&f, "486 Busy", "z9hG4bK1", "INVITE"));
    CU_ASSERT_FALSE(answer(&f, "486 Busy", "z9hG4bK1", "INVITE"));
    TEST_SLICE_EQ(repeated(&f, 486, "INVITE"), slice_str(f.ack));
    CU_ASSERT_EQUAL(repeated(&f, 200, "INVITE").n, 0);
    CU_ASSERT_EQUAL(repeated(&f, 486, "MESSAGE").n, 0);
    pass(&f, 31999);
    TEST_SLICE_EQ(repeated(&f, 486, "INVITE"), slice_str(f.ack));
    pass(&f, 1);
    CU_ASSERT_EQUAL(repeated(&f, 486, "INVITE").n, 0);
    fix_close(&f);

    fix_open(&f);
    CU_ASSERT_EQUAL(invite(&f, "TCP", "z9hG4bK1"), ERR_OK);
    CU_ASSERT_TRUE(answer(&f, "486 Busy", "z9hG4bK1", "INVITE"));
    CU_ASSERT(f.acks == 1 && repeated(&f, 486, "INVITE").n == 0);
    fix_close(&f);
}

/* Its ACK is the user's (§13.2.2.4). */
static void an_invite_that_is_accepted(void)
{
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(invite(&f, "UDP", "z9hG4bK1"), ERR_OK);
    CU_ASSERT_TRUE(answer(&f, "180 Ringing", "z9hG4bK1", "INVITE"));
    CU_ASSERT_TRUE(answer(&f, "200 OK", "z9hG4bK1", "INVITE"));
    CU_ASSERT(f.done == 1 && f.status == 200 && f.acks == 0);
    CU_ASSERT_FALSE(answer(&f, "200 OK", "z9hG4bK1", "INVITE"));
    pass(&f, 100000);
    CU_ASSERT(f.rang == 0 && f.sent == 1);
    fix_close(&f);
}

const struct test_case test_cases[] = {
    {"a_silent_peer_over_udp", a_silent_peer_over_udp},
    {"a_silent_peer_over_tcp", a_silent_peer_over_tcp},
    {"proceeding", proceeding},
    {"final_responses", final_responses},
    {"what_answers_nothing", what_answers_nothing},
    {"not_sent", not_sent},
    {"dropped", dropped},
    {"ceilings_and_bad_requests", ceilings_and_bad_requests},
    {"an_invite_without_an_answer", an_invite_without_an_answer},
    {"an_invite_that_rings", an_invite_that_rings},
    {"an_invite_that_rang_and_was_cancelled", an_invite_that_rang_and_was_cancelled},
    {"a_refused_invite_is_acknowledged", a_refused_invite_is_acknowledged},
    {"the_ack_is_said_again", the_ack_is_said_again},
    {"an_invite_that_is_accepted", an_invite_that_is_accepted},
    {NULL, NULL}};
