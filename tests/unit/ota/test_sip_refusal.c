/* Requests refused at first sight, and the messages of RFC 4475: tests/vectors/rfc4475/ holds its appendix, bit for bit. */
#include "ota/sip/refusal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "ota/registrar/registrar.h"
#include "ota/sip/reply.h"
#include "ota/sip/trans.h"

#include "tests/unit/harness.h"

#define START "MESSAGE sip:x@y SIP/2.0\r\n"
#define VIA   "Via: SIP/2.0/UDP 192.0.2.1:9;branch=z9hG4bK1;rport\r\n"
#define REST  "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: 7@b\r\n"

static struct sockaddr *sender(struct sockaddr_in *from)
{
    *from = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(9)};
    CU_ASSERT_EQUAL(inet_pton(AF_INET, "127.0.0.1", &from->sin_addr), 1);
    return (struct sockaddr *)from;
}

/* What a server of these methods answers a datagram, as text; n 0: nothing.  "200" stands for going on. */
static void serve(struct slice in, struct slice allow, struct buf *out)
{
    struct sockaddr_in from;
    struct ota_sip_request r;
    struct ota_sip_unit unit;
    struct buf text, more;
    enum err e;

    ota_sip_parser_start();
    buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
    buf_init(&more, OTA_SIP_HEAD_MAX_N);
    buf_init(out, 2 * OTA_SIP_HEAD_MAX_N);
    e = ota_sip_datagram_read(in, &text, &unit);
    if (e) {
        e = ota_sip_refusal_print(in, sender(&from), allow, out);
    } else if (ota_sip_request_read(&unit, sender(&from), &r)) {
        e = ota_sip_refusal_print(unit.head, sender(&from), allow, out);
    } else {
        unsigned status = ota_sip_request_refused(&r, allow, &more);

        e = ota_sip_response_print(&r, status ? status : 200, SLICE("t"), buf_slice(&more), out);
        ota_sip_request_clear(&r);
    }
    if (e)
        buf_clear(out);
    buf_clear(&more);
    buf_clear(&text);
}

static unsigned status_of(const struct buf *answer)
{
    return answer->n < 12 ? 0 : (unsigned)strtoul(answer->p + 8, NULL, 10);
}

static void refused_at_first_sight(void)
{
    static const struct {
        const char *in, *want;
    } rows[] = {
        {START VIA REST "CSeq: 1 OPTIONS\r\n\r\n",
         "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP "
         "192.0.2.1:9;branch=z9hG4bK1;rport;received=127.0.0.1\r\n"
         "From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>;tag=refused\r\nCall-ID: 7@b\r\nCSeq: 1 "
         "OPTIONS\r\nContent-Length: "
         "0\r\n\r\n"},
        {"MESSAGE sip:x@y SIP/3.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\n ;rport , SIP/2.0/TCP p\r\nf: "
         "<sip:a@b>\r\n"
         "t: <sip:x@y>;tag=9\r\ni: 7\r\ni: 8\r\nCSeq: 1 MESSAGE\r\nSubject: none\r\n\r\nbody: of it\r\n",
         "SIP/2.0 505 Version Not Supported\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1 "
         ";rport;received=127.0.0.1, "
         "SIP/2.0/TCP p\r\nFrom: <sip:a@b>\r\nTo: <sip:x@y>;tag=9\r\nCall-ID: 7\r\nCSeq: 1 "
         "MESSAGE\r\nContent-Length: "
         "0\r\n\r\n"},
        {"FETCH sip:x@y SIP/2.0\r\n" VIA VIA "\r\n",
         "SIP/2.0 501 Not Implemented\r\nVia: SIP/2.0/UDP "
         "192.0.2.1:9;branch=z9hG4bK1;rport;received=127.0.0.1\r\n" VIA
         "Allow: MESSAGE, OPTIONS\r\nContent-Length: 0\r\n\r\n"},
        {"MESSAGE soap.beep://x SIP/2.0\r\n" VIA "To: x\n y\r\n\r\n",
         "SIP/2.0 416 Unsupported URI Scheme\r\nVia: SIP/2.0/UDP "
         "192.0.2.1:9;branch=z9hG4bK1;rport;received=127.0.0.1\r\nTo: x y;tag=refused\r\nContent-Length: "
         "0\r\n\r\n"},
        {START REST "\r\n", ""},                               /* without Via */
        {"ACK sip:x@y SIP/2.0\r\n" VIA "CSeq: x\r\n\r\n", ""}, /* never answered */
        {"SIP/2.0 200 OK\r\n" VIA "CSeq: x\r\n\r\n", ""},
        {"GET / HTTP/1.1\r\n" VIA "\r\n", ""},
        {"MESSAGE", ""},
        {"\r\n", ""},
        {"\r\n\r\n" VIA START "\r\n", ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf got;

        test_row(i);
        serve(slice_str(rows[i].in), SLICE("MESSAGE, OPTIONS"), &got);
        TEST_SLICE_EQ(buf_slice(&got), slice_str(rows[i].want));
        buf_clear(&got);
    }
}

static void refused_by_what_they_are(void)
{
    static const struct {
        const char *method, *uri, *more, *want; /* lines of the answer beside what it copies */
        unsigned status;
    } rows[] = {
        {"MESSAGE", "sip:x@y", "", "", 200},
        {"OPTIONS", "SIPS:x@y", "Proxy-Require: a\r\n", "", 200},
        {"BYE", "sip:x@y", "", "Allow: MESSAGE, OPTIONS\r\n", 405},
        {"message", "sip:x@y", "", "Allow: MESSAGE, OPTIONS\r\n", 501},
        {"CANCEL", "sip:x@y", "", "", 481},
        {"MESSAGE", "tel:+15551230123", "", "", 416},
        {"MESSAGE", "sip:x@y", "Require: a, b\r\n", "Unsupported: a\r\nUnsupported: b\r\n", 420},
        {"MESSAGE", "sip:x%00y@y", "", "", 400},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char in[512];
        struct buf got;

        test_row(i);
        (void)snprintf(in, sizeof in, "%s %s SIP/2.0\r\n" VIA REST "CSeq: 1 %s\r\n%s\r\n", rows[i].method,
                       rows[i].uri, rows[i].method, rows[i].more);
        serve(slice_str(in), SLICE("MESSAGE, OPTIONS"), &got);
        CU_ASSERT_EQUAL(status_of(&got), rows[i].status);
        CU_ASSERT(!rows[i].want[0] || slice_find_slice(buf_slice(&got), slice_str(rows[i].want)) != SIZE_MAX);
        buf_clear(&got);
    }
}

/* --- RFC 4475 --- */

static struct slice torture(const char *name, char **owner)
{
    char path[64];
    size_t n = 0;

    (void)snprintf(path, sizeof path, "vectors/rfc4475/%s.dat", name);
    *owner = test_read(path, &n);
    return slice_of(*owner, n);
}

/* What a device answers that takes MESSAGE and OPTIONS, and what is made of it on a stream. */
static const struct {
    const char *name;
    unsigned status;
    enum err stream;
    const char *why; /* where the RFC has a choice, or knows better */
} requests[] = {
    /* §3.1.1 valid */
    {"wsinv", 405, ERR_OK, ""},
    {"intmeth", 501, ERR_MALFORMED, "a NUL, quoted or not, does not go to a parser of strings"},
    {"esc01", 405, ERR_OK, ""},
    {"escnull", 405, ERR_OK, ""},
    {"esc02", 501, ERR_OK, ""},
    {"lwsdisp", 200, ERR_OK, ""},
    {"longreq", 405, ERR_OK, ""},
    {"dblreq", 405, ERR_OK, ""},
    {"semiuri", 200, ERR_OK, ""},
    {"transports", 200, ERR_OK, ""},
    {"mpart01", 200, ERR_OK, ""},
    /* §3.1.2 invalid */
    {"badinv01", 400, ERR_OK, ""},
    {"clerr", 400, ERR_AGAIN, ""},
    {"ncl", 400, ERR_MALFORMED, ""},
    {"scalar02", 400, ERR_OK, ""},
    {"quotbal", 400, ERR_OK, ""},
    {"ltgtruri", 400, ERR_OK, ""},
    {"lwsruri", 400, ERR_MALFORMED, ""},
    {"lwsstart", 400, ERR_MALFORMED, ""},
    {"trws", 400, ERR_MALFORMED, ""},
    {"escruri", 405, ERR_OK, ""},
    {"baddate", 405, ERR_OK, "Date does not matter here"},
    {"regbadct", 405, ERR_OK, ""},
    {"badaspec", 400, ERR_OK, ""},
    {"baddn", 400, ERR_AGAIN, "and it lacks its empty line"},
    {"badvers", 505, ERR_MALFORMED, ""},
    {"mismatch01", 400, ERR_OK, ""},
    {"mismatch02", 501, ERR_OK, ""},
    /* §3.2 to §3.4 */
    {"badbranch", 200, ERR_OK, "as one without a branch"},
    {"insuf", 400, ERR_OK, ""},
    {"unkscm", 416, ERR_OK, ""},
    {"novelsc", 416, ERR_OK, ""},
    {"unksm2", 405, ERR_OK, ""},
    {"bext01", 420, ERR_OK, ""},
    {"invut", 405, ERR_OK, ""},
    {"regaut01", 405, ERR_OK, ""},
    {"multi01", 400, ERR_OK, ""},
    {"mcl01", 400, ERR_MALFORMED, ""},
    {"zeromf", 200, ERR_OK, ""},
    {"cparam01", 405, ERR_OK, ""},
    {"cparam02", 405, ERR_OK, ""},
    {"regescrt", 405, ERR_OK, ""},
    {"sdp01", 405, ERR_OK, ""},
    {"test", 0, ERR_MALFORMED, "not of the text: INVITE without a version"},
    {"inv2543", 405, ERR_MALFORMED, "legal with the end of the datagram for its length"},
};

static enum err stream_of(struct slice in)
{
    struct ota_sip_frame f;
    struct ota_sip_unit u;
    enum err e;

    ota_sip_frame_init(&f);
    CU_ASSERT_EQUAL(ota_sip_frame_feed(&f, in), ERR_OK);
    e = ota_sip_frame_next(&f, &u);
    ota_sip_frame_clear(&f);
    return e;
}

static void torture_requests(void)
{
    for (size_t i = 0; i < COUNT(requests); i++) {
        struct buf got;
        char *owner;
        struct slice in = torture(requests[i].name, &owner);

        test_row(i);
        serve(in, SLICE("MESSAGE, OPTIONS"), &got);
        CU_ASSERT_EQUAL(status_of(&got), requests[i].status);
        CU_ASSERT_EQUAL(stream_of(in), requests[i].stream);
        buf_clear(&got);
        free(owner);
    }
}

/* The body ends where its length says, whatever is in it or behind it. */
static void torture_bodies(void)
{
    static const struct {
        const char *name;
        size_t n;
    } rows[] = {{"mpart01", 553}, {"dblreq", 0}, {"esc01", 150}, {"inv2543", 105}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_unit u;
        struct buf text;
        char *owner;
        struct slice in = torture(rows[i].name, &owner);

        test_row(i);
        buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
        CU_ASSERT_EQUAL_FATAL(ota_sip_datagram_read(in, &text, &u), ERR_OK);
        CU_ASSERT_EQUAL(u.body.n, rows[i].n);
        buf_clear(&text);
        free(owner);
    }
}

/* --- at a registrar --- */

static bool account(void *arg, struct slice user, struct ota_sip_account *out)
{
    (void)arg, (void)user, (void)out;
    return false;
}

static struct ota_sip_registrar registrar(void)
{
    static const struct slice domains[] = {SLICE("example.com"), SLICE("registrar.example.com")};
    const struct sec_digest_guard_conf conf = {.nonce_life_ms = 600000, .nonces_max = 1};
    struct ota_sip_registrar g = {.clk = &clk_real,
                                  .domains = domains,
                                  .domains_n = 2,
                                  .realm = SLICE("example.com"),
                                  .app_tag = SLICE("g.oma.pusheventapp"),
                                  .expires_min_s = 60,
                                  .expires_s = 3600,
                                  .expires_max_s = 86400,
                                  .account = account};

    CU_ASSERT_EQUAL_FATAL(ota_sip_location_create(&clk_real, 10, &g.location), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(sec_digest_guard_create(&conf, &g.guard), ERR_OK);
    return g;
}

/* stranger: what everybody hears that has not logged in; known: what who has. */
static const struct {
    const char *name;
    unsigned stranger, known;
    const char *contact; /* in the list of who is there; RFC 4475 §3.3.12, §3.3.13 */
} registers[] = {
    {"escnull", 400, 0, NULL}, /* libosip2 would take it for the record "null-" */
    {"dblreq", 401, 200, "<sip:j.user@host.example.com>;"},
    {"regbadct", 401, 400, NULL},
    {"unksm2", 401, 400, NULL},
    {"regaut01", 401, 200, NULL},
    {"cparam01", 401, 200, "<sip:+19725552222@gw1.example.net>;"},
    {"cparam02", 401, 200, "<sip:+19725552222@gw1.example.net;unknownparam>;"},
    {"regescrt", 401, 400, NULL}, /* nobody's contact makes us say what it likes in a header */
};

/* The same request of one who has been let in. */
static void known(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                  const struct ota_sip_origin *from, struct ota_sip_answer *answer, unsigned want)
{
    const struct ota_sip_account user = {.record = SLICE("sip:user@example.com")};

    buf_reset(answer->record, OTA_SIP_HEAD_MAX_N);
    buf_add(answer->record, user.record);
    CU_ASSERT_EQUAL(ota_sip_register_bind(g, r, from, &user, answer), want);
}

static void torture_registers(void)
{
    for (size_t i = 0; i < COUNT(registers); i++) {
        struct ota_sip_registrar g = registrar();
        struct ota_sip_request r;
        struct ota_sip_unit u;
        const struct ota_sip_origin from = {.trusted = false};
        struct buf text, record, more;
        struct ota_sip_answer answer = {.record = &record, .more = &more};
        char *owner;

        test_row(i);
        ota_sip_parser_start();
        buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
        buf_init(&record, OTA_SIP_HEAD_MAX_N);
        buf_init(&more, OTA_SIP_HEAD_MAX_N);
        CU_ASSERT_EQUAL_FATAL(ota_sip_datagram_read(torture(registers[i].name, &owner), &text, &u), ERR_OK);
        CU_ASSERT_EQUAL_FATAL(ota_sip_request_read(&u, NULL, &r), ERR_OK);
        CU_ASSERT_EQUAL(ota_sip_register(&g, &r, &from, &answer), registers[i].stranger);
        buf_reset(&more, OTA_SIP_HEAD_MAX_N);
        if (registers[i].known)
            known(&g, &r, &from, &answer, registers[i].known);
        if (registers[i].contact)
            CU_ASSERT_NOT_EQUAL(slice_find_slice(buf_slice(&more), slice_str(registers[i].contact)),
                                SIZE_MAX);
        ota_sip_request_clear(&r);
        buf_clear(&more);
        buf_clear(&record);
        buf_clear(&text);
        ota_sip_location_free(&g.location);
        sec_digest_guard_free(&g.guard);
        free(owner);
    }
}

/* --- responses --- */

struct end {
    enum err why;
    unsigned status, n;
};

static enum err sent(void *arg)
{
    (void)arg;
    return ERR_OK;
}

static void done(enum err why, const struct ota_sip_reply *reply, void *arg)
{
    *(struct end *)arg = (struct end){why, reply ? reply->status : 0, ((struct end *)arg)->n + 1};
}

/* Each comes as the answer to a request of the same branch and method as it has.  100 is taken and says nothing yet. */
static const struct {
    const char *name, *branch, *method;
    bool taken;
    unsigned status;
} responses[] = {
    {"unreason", "z9hG4bK1324923", "INVITE", true, 200},
    {"noreason", "z9hG4bK2398ndaoe", "INVITE", true, 0},
    {"scalarlg", "z9hG4bKzzxdiwo34sw", "OPTIONS", false, 0},
    {"bigcode", "z9hG4bK2398ndaoe", "INVITE", false, 0},
    {"bcast", "z9hG4bK1324923", "INVITE", false, 0},
};

static bool answered_with(struct ota_sip_stack *s, struct slice in)
{
    struct ota_sip_reply reply;
    struct ota_sip_unit u;
    struct buf text;
    bool taken = false;

    buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
    if (!ota_sip_datagram_read(in, &text, &u) && !ota_sip_reply_read(&u, &reply)) {
        taken = ota_sip_stack_reply(s, &reply);
        ota_sip_reply_clear(&reply);
    }
    buf_clear(&text);
    return taken;
}

static void torture_responses(void)
{
    for (size_t i = 0; i < COUNT(responses); i++) {
        struct end end = {.n = 0};
        const struct ota_sip_trans_user user = {.send = sent, .done = done, .arg = &end};
        struct ota_sip_stack *stack;
        struct ota_sip_trans *t;
        char request[512], *owner;

        test_row(i);
        CU_ASSERT_EQUAL_FATAL(ota_sip_stack_create(&clk_real, 10, &stack), ERR_OK);
        (void)snprintf(request, sizeof request,
                       "%s sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=%s\r\n" REST "CSeq: 35 %s\r\n\r\n",
                       responses[i].method, responses[i].branch, responses[i].method);
        CU_ASSERT_EQUAL_FATAL(ota_sip_trans_start(stack, slice_str(request), &user, &t), ERR_OK);
        CU_ASSERT_EQUAL(answered_with(stack, torture(responses[i].name, &owner)), responses[i].taken);
        CU_ASSERT(end.n == (responses[i].status != 0) && end.status == responses[i].status);
        if (end.n == 0)
            ota_sip_trans_drop(&t);
        ota_sip_stack_free(&stack);
        free(owner);
    }
}

const struct test_case test_cases[] = {{"refused_at_first_sight", refused_at_first_sight},
                                       {"refused_by_what_they_are", refused_by_what_they_are},
                                       {"torture_requests", torture_requests},
                                       {"torture_bodies", torture_bodies},
                                       {"torture_registers", torture_registers},
                                       {"torture_responses", torture_responses},
                                       {NULL, NULL}};
