/* The SIP door on a real loop, with raw sockets at the other end: framing, answers, ceilings, and flows across two doors. */
#include "ota/registrar/door.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/unit/harness.h"
#include "tests/unit/netloop.h"

#define PARCELS 8

struct fix {
    struct netloop nl;
    struct ota_sip_location *location;
    struct ota_sip_door *doors[2]; /* of loops 0 and 1, on one loop here */
    uint16_t udp, tcp;
    unsigned status;
    bool let_in, later;
    struct ota_sip_asked *waiting, *held[2];
    unsigned dialog;          /* what the other loop's user says of a request in a dialog */
    struct ota_sip_flow flow; /* of the last request */
    size_t asked, replies, lost, closed, parcels;
    unsigned replied_at;
    int fd; /* a datagram socket */
};

/* Who is at work: which door a callback belongs to. */
struct side {
    struct fix *f;
    unsigned loop;
};

static struct side sides[2];

static void on_request(struct ota_sip_asked *q, void *arg)
{
    struct side *s = arg;
    struct fix *f = s->f;

    f->asked++;
    f->flow = q->flow;
    q->let_in = f->let_in;
    if (f->later)
        f->waiting = q;
    else
        ota_sip_door_answer(f->doors[s->loop], q, f->status, SLICE("X-Count: 1\r\n"));
}

static void on_post(unsigned loop, struct ota_sip_parcel *p, void *arg)
{
    struct side *s = arg;

    s->f->parcels++;
    ota_sip_door_parcel(s->f->doors[loop], p);
    free(p);
}

static void on_reply(const struct ota_sip_unit *unit, const struct ota_sip_flow *flow, void *arg)
{
    struct side *s = arg;

    CU_ASSERT(ota_sip_flow_any(flow));
    CU_ASSERT(slice_starts(unit->head, SLICE("SIP/2.0 200 OK\r\n")));
    TEST_SLICE_EQ(unit->body, SLICE("v=0\r\n"));
    s->f->replies++;
    s->f->replied_at = s->loop;
}

static void on_lost(const struct ota_sip_flow *flow, void *arg)
{
    struct side *s = arg;

    CU_ASSERT_EQUAL(flow->id, s->f->flow.id);
    s->f->lost++;
}

/* Sessions are of loop 1 alone. */
static unsigned on_dialog(const struct ota_sip_request *r, struct buf *more, void *arg)
{
    struct side *s = arg;

    buf_add(more, SLICE("X-More: 1\r\n"));
    CU_ASSERT(r->to_tag && r->tag.n);
    return s->loop ? s->f->dialog : 0;
}

static void on_closed(void *arg)
{
    ((struct fix *)arg)->closed++;
}

static void fix_open(struct fix *f, size_t asked_max)
{
    const char *why;

    *f = (struct fix){.status = 200, .fd = -1};
    netloop_open(&f->nl);
    CU_ASSERT_FATAL(ota_sip_location_create(f->nl.env.clk, 10, &f->location) == ERR_OK);
    for (unsigned i = 0; i < 2; i++) {
        const struct ota_sip_door_conf conf = {.env = &f->nl.env,
                                               .location = f->location,
                                               .loop = i,
                                               .loops = 2,
                                               .responses_max = 4,
                                               .asked_max = asked_max,
                                               .enter_ms = 1500,
                                               .idle_ms = 60000,
                                               .request = on_request,
                                               .post = on_post,
                                               .arg = &sides[i]};
        const struct ota_sip_door_user user = {on_reply, on_lost, on_dialog, &sides[i]};

        sides[i] = (struct side){f, i};
        CU_ASSERT_FATAL(ota_sip_door_create(&conf, &f->doors[i]) == ERR_OK);
        ota_sip_door_attach(f->doors[i], &user);
        if (i == 0)
            CU_ASSERT_FATAL(ota_sip_door_listen(f->doors[i], OTA_SIP_TCP, "t", "127.0.0.1", &f->tcp, &why) ==
                            ERR_OK);
        CU_ASSERT_FATAL(ota_sip_door_listen(f->doors[i], OTA_SIP_UDP, "t", "127.0.0.1", &f->udp, &why) ==
                        ERR_OK);
    }
}

static void fix_close(struct fix *f)
{
    for (unsigned i = 0; i < 2; i++) {
        ota_sip_door_attach(f->doors[i], NULL);
        ota_sip_door_close(f->doors[i], on_closed, f);
    }
    if (f->fd >= 0)
        (void)close(f->fd);
    CU_ASSERT(netloop_until(&f->nl, &f->closed, 2));
    netloop_close(&f->nl);
    ota_sip_location_free(&f->location);
}

static const char *request(const char *branch, const char *more)
{
    static char text[2048];

    (void)snprintf(
        text, sizeof text,
        "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.1;branch=%s;rport\r\nFrom: <sip:x@a>;tag=1\r\n"
        "To: <sip:x@a>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n%sContent-Length: 0\r\n\r\n",
        branch, more);
    return text;
}

static void udp_open(struct fix *f)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(f->udp), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    f->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(f->fd >= 0 && connect(f->fd, (struct sockaddr *)&to, sizeof to) == 0);
}

static void tell(struct fix *f, const char *text)
{
    CU_ASSERT(send(f->fd, text, strlen(text), 0) == (ssize_t)strlen(text));
}

/* RFC 3261 §17.2.2: the same request, the same answer, and nobody is asked twice. */
static void said_again(void)
{
    char first[2048], second[2048];
    struct fix f;

    fix_open(&f, 10);
    udp_open(&f);
    tell(&f, request("z9hG4bK1", ""));
    CU_ASSERT(raw_read_until(&f.nl, f.fd, "\r\n\r\n", first, sizeof first) > 0);
    f.status = 404;
    tell(&f, request("z9hG4bK1", ""));
    CU_ASSERT(raw_read_until(&f.nl, f.fd, "\r\n\r\n", second, sizeof second) > 0);
    CU_ASSERT_STRING_EQUAL(first, second);
    CU_ASSERT_EQUAL(f.asked, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(first, ";received=127.0.0.1"));
    tell(&f, request("z9hG4bK2", ""));
    CU_ASSERT(raw_read_until(&f.nl, f.fd, "\r\n\r\n", second, sizeof second) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(second, "SIP/2.0 404 "));
    tell(&f, "\r\n\r\n");   /* a keep-alive: nothing comes back ... */
    tell(&f, "OPTIONS ;;"); /* ... nor to what has no Via */
    tell(&f, request("z9hG4bK3", ""));
    CU_ASSERT(raw_read_until(&f.nl, f.fd, "\r\n\r\n", second, sizeof second) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(second, "z9hG4bK3"));
    fix_close(&f);
}

/* What strangers ask does not push out what was answered after a login. */
static void strangers_push_out_nobody(void)
{
    char text[2048], branch[16];
    struct fix f;

    fix_open(&f, 10);
    udp_open(&f);
    f.let_in = true;
    tell(&f, request("z9hG4bKin", ""));
    CU_ASSERT(raw_read_until(&f.nl, f.fd, "\r\n\r\n", text, sizeof text) > 0);
    f.let_in = false;
    for (unsigned i = 0; i < 9; i++) { /* room for four */
        (void)snprintf(branch, sizeof branch, "z9hG4bK%u", i);
        tell(&f, request(branch, ""));
        CU_ASSERT(raw_read_until(&f.nl, f.fd, branch, text, sizeof text) > 0);
    }
    CU_ASSERT_EQUAL(f.asked, 10);
    tell(&f, request("z9hG4bKin", ""));
    CU_ASSERT(raw_read_until(&f.nl, f.fd, "z9hG4bKin", text, sizeof text) > 0);
    CU_ASSERT_EQUAL(f.asked, 10);
    tell(&f, request("z9hG4bK0", ""));
    CU_ASSERT(raw_read_until(&f.nl, f.fd, "z9hG4bK0", text, sizeof text) > 0);
    CU_ASSERT_EQUAL(f.asked, 11); /* forgotten, and asked anew */
    fix_close(&f);
}

/* RFC 5626 §3.5.1, RFC 3261 §18.3. */
static void streams(void)
{
    char text[4096];
    struct fix f;
    int fd;

    fix_open(&f, 10);
    f.let_in = true;
    fd = raw_connect(f.tcp);
    CU_ASSERT(raw_send(&f.nl, fd, SLICE("\r\n\r\n")));
    CU_ASSERT_EQUAL(raw_read_until(&f.nl, fd, "\r\n", text, sizeof text), 2);
    CU_ASSERT(raw_send(&f.nl, fd, slice_str(request("z9hG4bK1", ""))));
    CU_ASSERT(raw_read_until(&f.nl, fd, "\r\n\r\n", text, sizeof text) > 0);
    CU_ASSERT(raw_send(
        &f.nl, fd, slice_str(request("z9hG4bK1", "")))); /* on a stream nothing comes again: two requests */
    CU_ASSERT(raw_read_until(&f.nl, fd, "\r\n\r\n", text, sizeof text) > 0);
    CU_ASSERT_EQUAL(f.asked, 2);
    CU_ASSERT(raw_send(&f.nl, fd, SLICE("OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n"))); /* no Content-Length */
    CU_ASSERT(raw_read_until(&f.nl, fd, NULL, text, sizeof text) >= 0);
    (void)close(fd);
    f.let_in = false; /* talks, and is not let in: hung up on */
    fd = raw_connect(f.tcp);
    CU_ASSERT(raw_send(&f.nl, fd, slice_str(request("z9hG4bK2", ""))));
    CU_ASSERT(raw_read_until(&f.nl, fd, NULL, text, sizeof text) > 0);
    (void)close(fd);
    fix_close(&f);
}

/* A push from the other loop: out over this one's connection, its response back by its branch, its end told. */
static void flows_across_loops(void)
{
    char branch[OTA_SIP_BRANCH_N + 1] = "z9hG4bK000102030405060708090a0b0c0d0e0f", text[4096];
    struct ota_sip_flow gone;
    struct fix f;
    int fd;

    fix_open(&f, 10);
    f.let_in = true;
    fd = raw_connect(f.tcp);
    CU_ASSERT(raw_send(&f.nl, fd, slice_str(request("z9hG4bK1", ""))));
    CU_ASSERT(raw_read_until(&f.nl, fd, "\r\n\r\n", text, sizeof text) > 0);
    ota_sip_door_branch(f.doors[1], branch);
    CU_ASSERT_EQUAL(ota_sip_door_send(f.doors[1], &f.flow, SLICE("MESSAGE x\r\n\r\n")), ERR_OK);
    CU_ASSERT(raw_read_until(&f.nl, fd, "MESSAGE x\r\n\r\n", text, sizeof text) > 0);
    (void)snprintf(
        text, sizeof text,
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a;branch=%s\r\nFrom: <sip:x@a>;tag=1\r\nTo: <sip:x@a>;tag=2\r\n"
        "Call-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 5\r\n\r\nv=0\r\n",
        branch);
    CU_ASSERT(raw_send(&f.nl, fd, slice_str(text)));
    CU_ASSERT(netloop_until(&f.nl, &f.replies, 1));
    CU_ASSERT_EQUAL(f.replied_at, 1);
    CU_ASSERT_EQUAL(f.lost, 0);
    raw_reset(fd);
    CU_ASSERT(netloop_until(&f.nl, &f.lost, 1));
    CU_ASSERT_EQUAL(ota_sip_door_send(f.doors[0], &f.flow, SLICE("x")), ERR_PEER);
    CU_ASSERT_EQUAL(ota_sip_door_send(f.doors[1], &f.flow, SLICE("x")), ERR_OK); /* told a moment later */
    CU_ASSERT_EQUAL(f.lost, 2);
    CU_ASSERT_PTR_NULL(ota_sip_door_bound(f.doors[0], &f.flow));
    gone = f.flow;
    gone.via = OTA_SIP_UDP;
    gone.socket = 7;
    CU_ASSERT_EQUAL(ota_sip_door_send(f.doors[0], &gone, SLICE("x")), ERR_PEER);
    fix_close(&f);
}

/* A branch of another's making is nobody's; so is one of a loop that there is not. */
static void replies_to_nothing(void)
{
    static const char *const branches[] = {"z9hG4bK1", "z9hG4bKff0102030405060708090a0b0c0d0e0f",
                                           "z9hG4bKzz0102030405060708090a0b0c0d0e0f", "1"};
    char text[1024];
    struct fix f;

    fix_open(&f, 10);
    udp_open(&f);
    for (size_t i = 0; i < COUNT(branches); i++) {
        (void)snprintf(text, sizeof text,
                       "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a;branch=%s\r\nFrom: <sip:x@a>;tag=1\r\nTo: "
                       "<sip:x@a>;tag=2\r\n"
                       "Call-ID: 1\r\nCSeq: 1 MESSAGE\r\n\r\n",
                       branches[i]);
        tell(&f, text);
    }
    tell(&f, request("z9hG4bK9", ""));
    CU_ASSERT(raw_read_until(&f.nl, f.fd, "\r\n\r\n", text, sizeof text) > 0);
    CU_ASSERT_EQUAL(f.replies, 0);
    fix_close(&f);
}

static void a_ceiling_of_what_is_asked(void)
{
    char text[2048];
    struct fix f;

    fix_open(&f, 1);
    udp_open(&f);
    f.later = true;
    tell(&f, request("z9hG4bK1", ""));
    CU_ASSERT(netloop_until(&f.nl, &f.asked, 1));
    tell(&f, request("z9hG4bK2", ""));
    CU_ASSERT(raw_read_until(&f.nl, f.fd, "\r\n\r\n", text, sizeof text) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "SIP/2.0 503 "));
    CU_ASSERT_EQUAL(ota_sip_door_asked(f.doors[0]) + ota_sip_door_asked(f.doors[1]), 1);
    ota_sip_door_answer(f.doors[f.flow.loop], f.waiting, 200, SLICE_NONE);
    CU_ASSERT(raw_read_until(&f.nl, f.fd, "\r\n\r\n", text, sizeof text) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "z9hG4bK1"));
    fix_close(&f);
}

/* Who asks much waits, others come in. */
static void a_share_of_what_is_asked(void)
{
    char text[2048], branch[32];
    struct fix f;

    fix_open(&f, 16);
    udp_open(&f);
    f.later = true;
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(branch, sizeof branch, "z9hG4bK%u", i);
        tell(&f, request(branch, ""));
        CU_ASSERT(netloop_until(&f.nl, &f.asked, i + 1));
        f.held[i] = f.waiting;
    }
    tell(&f, request("z9hG4bK9", ""));
    CU_ASSERT(raw_read_until(&f.nl, f.fd, "\r\n\r\n", text, sizeof text) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "SIP/2.0 503 "));
    for (unsigned i = 0; i < 2; i++)
        ota_sip_door_answer(f.doors[f.flow.loop], f.held[i], 200, SLICE_NONE);
    tell(&f, request("z9hG4bKA", ""));
    CU_ASSERT(netloop_until(&f.nl, &f.asked, 3));
    ota_sip_door_answer(f.doors[f.flow.loop], f.waiting, 200, SLICE_NONE);
    fix_close(&f);
}

/* A BYE comes by a connection of one loop, for a session of another: the answer goes back over the connection. */
static void a_dialog_of_another_loop(void)
{
    static const struct {
        const char *tag;
        unsigned dialog, want;
        size_t parcels;
    } rows[] = {
        {"0123456789abcdef", 200, 200, 2}, {"0123456789abcdef", 0, 481, 2}, {"0023456789abcdef", 0, 481, 0},
        {"ff23456789abcdef", 200, 481, 0}, {"01234567", 200, 481, 0},       {"zz23456789abcdef", 200, 481, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char bye[512], want[32], text[2048];
        struct fix f;
        int fd;

        test_row(i);
        fix_open(&f, 10);
        f.status = 481;
        f.dialog = rows[i].dialog;
        fd = raw_connect(f.tcp);
        (void)snprintf(bye, sizeof bye,
                       "BYE sip:push@a SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK7;rport\r\n"
                       "From: <sip:x@a>;tag=t\r\nTo: <sip:push@a>;tag=%s\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n"
                       "Content-Length: 0\r\n\r\n",
                       rows[i].tag);
        CU_ASSERT(raw_send(&f.nl, fd, slice_str(bye)));
        CU_ASSERT(raw_read_until(&f.nl, fd, "\r\n\r\n", text, sizeof text) > 0);
        (void)snprintf(want, sizeof want, "SIP/2.0 %u ", rows[i].want);
        CU_ASSERT(strncmp(text, want, strlen(want)) == 0);
        CU_ASSERT(rows[i].want == 481 || strstr(text, "\r\nX-More: 1\r\n"));
        CU_ASSERT_EQUAL(f.parcels, rows[i].parcels);
        CU_ASSERT_EQUAL(ota_sip_door_asked(f.doors[0]) + ota_sip_door_asked(f.doors[1]), 0);
        raw_reset(fd);
        fix_close(&f);
    }
}

const struct test_case test_cases[] = {{"said_again", said_again},
                                       {"strangers_push_out_nobody", strangers_push_out_nobody},
                                       {"streams", streams},
                                       {"flows_across_loops", flows_across_loops},
                                       {"replies_to_nothing", replies_to_nothing},
                                       {"a_ceiling_of_what_is_asked", a_ceiling_of_what_is_asked},
                                       {"a_share_of_what_is_asked", a_share_of_what_is_asked},
                                       {"a_dialog_of_another_loop", a_dialog_of_another_loop},
                                       {NULL, NULL}};
