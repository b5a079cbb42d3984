/* Sessions of push-terminal: invitations, the connection that comes or is made, messages out of chunks. */
#include "ppg/handset/sip_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "ota/sip/reply.h"
#include "ota/sip/request.h"
#include "tests/unit/harness.h"
#include "tests/unit/names.h"
#include "tests/unit/netloop.h"

#define REQUEST                                                                                              \
    "%s sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:9;branch=z9hG4bK1;rport\r\nFrom: "                     \
    "<sip:a@b>;tag=%s\r\n"                                                                                   \
    "To: <sip:x@y>%s%s\r\nCall-ID: %s\r\nCSeq: 1 %s\r\nAccept-Contact: "                                     \
    "*;+g.oma.pusheventapp=\"mms.ua\"\r\n\r\n"
#define OFFER                                                                                                \
    "v=0\r\nm=message %u TCP/MSRP "                                                                          \
    "*\r\na=accept-types:*\r\na=setup:%s\r\na=path:msrp://127.0.0.1:%u/ours;tcp\r\n"

struct fix {
    struct netloop nl;
    struct tool_sip_sessions *sessions;
    size_t pushes, closed;
    char content[64], app[64], got[8192], path[512];
    unsigned status; /* that the kit answers with */
};

static unsigned on_push(const struct tool_sip_push *p, void *arg)
{
    struct fix *f = arg;

    f->pushes++;
    CU_ASSERT_EQUAL(mem_cstr(f->content, sizeof f->content, p->body), ERR_OK);
    CU_ASSERT_EQUAL(mem_cstr(f->app, sizeof f->app, p->app_id), ERR_OK);
    CU_ASSERT(p->peer == NULL && slice_eq(p->ip, SLICE("127.0.0.1")));
    return f->status;
}

static void on_closed(void *arg)
{
    ((struct fix *)arg)->closed++;
}

static struct fix *fix_open(bool connects)
{
    struct fix *f = calloc(1, sizeof *f);
    struct tool_sip_sessions_conf conf = {.address = "127.0.0.1",
                                          .connects = connects,
                                          .max_n = 1 << 20,
                                          .app_tag = SLICE("g.oma.pusheventapp"),
                                          .push = on_push};

    CU_ASSERT_FATAL(f != NULL);
    ota_sip_parser_start();
    netloop_open(&f->nl);
    conf.env = &f->nl.env;
    conf.arg = f;
    f->status = 200;
    CU_ASSERT_FATAL(tool_sip_sessions_create(&conf, &f->sessions) == ERR_OK);
    return f;
}

static void fix_close(struct fix *f)
{
    tool_sip_sessions_close(f->sessions, on_closed, f);
    (void)netloop_until(&f->nl, &f->closed, 1);
    netloop_close(&f->nl);
    free(f);
}

/* Tags of From and To; NULL: To has none yet. */
static void read_tagged(const char *method, const char *call_id, const char *from, const char *to,
                        struct ota_sip_request *out)
{
    char text[1024];
    struct ota_sip_unit unit;
    struct buf head;

    (void)snprintf(text, sizeof text, REQUEST, method, from, to ? ";tag=" : "", to ? to : "", call_id,
                   method);
    buf_init(&head, 2 * OTA_SIP_HEAD_MAX_N);
    CU_ASSERT_EQUAL_FATAL(ota_sip_datagram_read(slice_str(text), &head, &unit), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(ota_sip_request_read(&unit, NULL, out), ERR_OK);
    buf_clear(&head);
}

static void read_request(const char *method, const char *call_id, struct ota_sip_request *out)
{
    read_tagged(method, call_id, "far", strcmp(method, "INVITE") ? "own" : NULL, out);
}

/* The status; f->path gets the path of the answer. */
static unsigned invite(struct fix *f, const char *call_id, const char *offer)
{
    struct ota_sip_request r;
    struct buf description;
    struct slice before, rest;
    unsigned status;

    buf_init(&description, 8192);
    read_request("INVITE", call_id, &r);
    status = tool_sip_sessions_invited(f->sessions, &r, SLICE("own"), slice_str(offer), &description);
    ota_sip_request_clear(&r);
    if (status == 200) {
        size_t at = slice_find_slice(buf_slice(&description), SLICE("a=path:"));

        CU_ASSERT_FATAL(at != SIZE_MAX);
        CU_ASSERT_TRUE(slice_cut(slice_sub(buf_slice(&description), at + 7, SIZE_MAX), '\r', &before, &rest));
        CU_ASSERT_EQUAL_FATAL(mem_cstr(f->path, sizeof f->path, before), ERR_OK);
        (void)snprintf(f->got, sizeof f->got, "%.*s", SLICE_FMT(buf_slice(&description)));
    }
    buf_clear(&description);
    return status;
}

static void send_to(struct fix *f, int fd, const char *range, const char *body, char flag)
{
    char text[2048];

    (void)snprintf(
        text, sizeof text,
        "MSRP abcd1234 SEND\r\nTo-Path: %s\r\nFrom-Path: msrp://127.0.0.1:9/ours;tcp\r\nMessage-ID: "
        "m-0001\r\nByte-Range: %s\r\nSuccess-Report: yes\r\nContent-Type: text/plain\r\n\r\n%s\r\n"
        "-------abcd1234%c\r\n",
        f->path, range, body, flag);
    CU_ASSERT_TRUE(raw_send(&f->nl, fd, slice_str(text)));
}

static uint16_t port_of(const char *path)
{
    return (uint16_t)strtoul(strrchr(path, ':') + 1, NULL, 10);
}

/* It listens, puts two chunks together, hands them over once and reports; afterwards BYE ends the session. */
static void it_is_connected_to(void)
{
    struct fix *f = fix_open(false);
    struct ota_sip_request r;
    char offer[512];
    int fd;

    (void)snprintf(offer, sizeof offer, OFFER, 9, "actpass", 9);
    CU_ASSERT_EQUAL_FATAL(invite(f, "c1", offer), 200);
    CU_ASSERT(strstr(f->got, "a=setup:passive") && strstr(f->got, "a=recvonly"));
    fd = raw_connect(port_of(f->path));
    send_to(f, fd, "1-3/5", "hel", '+');
    CU_ASSERT(raw_read_until(&f->nl, fd, "MSRP abcd1234 200", f->got, sizeof f->got) > 0);
    CU_ASSERT_EQUAL(f->pushes, 0);
    send_to(f, fd, "4-5/5", "lo", '$');
    CU_ASSERT(raw_read_until(&f->nl, fd, "Status: 000 200", f->got, sizeof f->got) > 0);
    CU_ASSERT_EQUAL(f->pushes, 1);
    CU_ASSERT_STRING_EQUAL(f->content, "hello");
    CU_ASSERT_STRING_EQUAL(f->app, "x-wap-application:mms.ua");
    for (unsigned status = 200; status <= 481; status += 281) {
        read_request("BYE", "c1", &r);
        CU_ASSERT_EQUAL(tool_sip_sessions_bye(f->sessions, &r), status);
        ota_sip_request_clear(&r);
    }
    send_to(f, fd, "1-2/2", "no", '$');
    CU_ASSERT(raw_read_until(&f->nl, fd, " 481 ", f->got, sizeof f->got) > 0);
    (void)close(fd);
    CU_ASSERT_EQUAL(f->pushes, 1);
    fix_close(f);
}

/* It connects where the offer leaves that open, and says so first. */
static void it_connects(void)
{
    struct fix *f = fix_open(true);
    char offer[512];
    uint16_t port;
    int listener = raw_listen(&port), fd;

    (void)snprintf(offer, sizeof offer, OFFER, port, "actpass", port);
    CU_ASSERT_EQUAL_FATAL(invite(f, "c1", offer), 200);
    CU_ASSERT(strstr(f->got, "a=setup:active") && strstr(f->got, "m=message 9 "));
    fd = raw_accept(&f->nl, listener);
    CU_ASSERT_FATAL(raw_read_until(&f->nl, fd, "$\r\n", f->got, sizeof f->got) > 0);
    CU_ASSERT(strstr(f->got, "/ours;tcp\r\nFrom-Path: ") && strstr(f->got, f->path) &&
              strstr(f->got, "Byte-Range: 1-0/0\r\n-------"));
    f->status = 415;
    send_to(f, fd, "1-5/5", "hello", '$');
    CU_ASSERT(raw_read_until(&f->nl, fd, " 415 ", f->got, sizeof f->got) > 0);
    CU_ASSERT_EQUAL(f->pushes, 1);
    (void)snprintf(offer, sizeof offer, OFFER, port, "active", port);
    CU_ASSERT_EQUAL(invite(f, "c2", offer), 200); /* who connects itself is listened for */
    CU_ASSERT_PTR_NOT_NULL(strstr(f->got, "a=setup:passive"));
    (void)close(fd);
    (void)close(listener);
    fix_close(f);
}

/* Nobody listens at the first addresses of the name: the next is tried. */
static void it_connects_to_a_name(void)
{
    static const char *const names[] = {"there1.example", "there2.example", "there8.example",
                                        "nobody3.example"};

    for (size_t i = 0; i < COUNT(names); i++) {
        struct fix *f = fix_open(true);
        char offer[512];
        uint16_t port;
        int listener = raw_listen(&port), fd;

        test_row(i);
        (void)snprintf(offer, sizeof offer,
                       "v=0\r\nm=message %u TCP/MSRP *\r\na=accept-types:*\r\na=setup:actpass\r\n"
                       "a=path:msrp://%s:%u/ours;tcp\r\n",
                       port, names[i], port);
        CU_ASSERT_EQUAL_FATAL(invite(f, "c1", offer), 200);
        if (strncmp(names[i], "there", 5) == 0) {
            fd = raw_accept(&f->nl, listener);
            CU_ASSERT_FATAL(raw_read_until(&f->nl, fd, "$\r\n", f->got, sizeof f->got) > 0);
            (void)close(fd);
        }
        (void)close(listener);
        fix_close(f);
    }
}

/* Nobody there, or it ends before it is connected: nothing is left. */
static void it_connects_to_nobody(void)
{
    for (unsigned wait = 0; wait < 2; wait++) {
        struct fix *f = fix_open(true);
        char offer[512];
        uint16_t port;
        int listener = raw_listen(&port);

        (void)close(listener);
        (void)snprintf(offer, sizeof offer, OFFER, port, "actpass", port);
        CU_ASSERT_EQUAL(invite(f, "c1", offer), 200);
        if (wait)
            netloop_for(&f->nl, 100);
        fix_close(f);
    }
}

static void offers_that_are_refused(void)
{
    static const char *const rows[] = {
        "",
        "v=0\r\n",
        "v=0\r\nm=message 0 TCP/MSRP *\r\n",
        "v=0\r\nm=message 9 TCP/TLS/MSRP *\r\na=accept-types:*\r\na=path:msrps://127.0.0.1:9/x;tcp\r\n",
        "v=0\r\nm=message 9 TCP/MSRP "
        "*\r\na=accept-types:*\r\na=setup:passive\r\na=path:msrp://127.0.0.1:9/x;tcp\r\n",
        "v=0\r\nm=message 9 TCP/MSRP "
        "*\r\na=accept-types:*\r\na=setup:holdconn\r\na=path:msrp://127.0.0.1:9/x;tcp\r\n",
        "v=0\r\nm=message 9 TCP/MSRP "
        "*\r\na=accept-types:*\r\na=recvonly\r\na=path:msrp://127.0.0.1:9/x;tcp\r\n",
        "v=0\r\nm=message 9 TCP/MSRP "
        "*\r\na=accept-types:*\r\na=inactive\r\na=path:msrp://127.0.0.1:9/x;tcp\r\n",
        "v=0\r\nm=audio 9 RTP/AVP 0\r\n"};
    struct fix *f = fix_open(false);

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(invite(f, "c1", rows[i]), 488);
    }
    fix_close(f);
}

static unsigned bye(struct fix *f, const char *call_id)
{
    struct ota_sip_request r;
    unsigned status;

    read_request("BYE", call_id, &r);
    status = tool_sip_sessions_bye(f->sessions, &r);
    ota_sip_request_clear(&r);
    return status;
}

/* RFC 3261 §12.2.2: who knows a Call-ID alone, as every proxy on the way does, ends nothing. */
static void a_dialog_is_more_than_a_call_id(void)
{
    static const struct {
        const char *call_id, *from, *to;
        unsigned status;
    } rows[] = {
        {"c1@h.example", "far", NULL, 481},
        {"c1@h.example", "far", "other", 481},
        {"c1@h.example", "other", "own", 481},
        {"c1@h.example", "own", "far", 481},
        {"c1", "far", "own", 481},
        {"c1@other.example", "far", "own", 481},
        {"c1@h.example", "far", "own", 200},
        {"c1@h.example", "far", "own", 481},
    };
    struct fix *f = fix_open(false);
    struct ota_sip_request r;
    char offer[512];

    (void)snprintf(offer, sizeof offer, OFFER, 9, "active", 9);
    CU_ASSERT_EQUAL_FATAL(invite(f, "c1@h.example", offer), 200);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        read_tagged("BYE", rows[i].call_id, rows[i].from, rows[i].to, &r);
        CU_ASSERT_EQUAL(tool_sip_sessions_bye(f->sessions, &r), rows[i].status);
        ota_sip_request_clear(&r);
    }
    fix_close(f);
}

/* Strangers who never connect keep nobody out: the oldest of theirs goes. */
static void so_many_sessions(void)
{
    struct fix *f = fix_open(false);
    char offer[512], call_id[16];
    int fd;

    (void)snprintf(offer, sizeof offer, OFFER, 9, "active", 9);
    CU_ASSERT_EQUAL_FATAL(invite(f, "good", offer), 200);
    fd = raw_connect(port_of(f->path));
    send_to(f, fd, "1-3/5", "hel", '+');
    CU_ASSERT(raw_read_until(&f->nl, fd, "MSRP abcd1234 200", f->got, sizeof f->got) > 0);
    for (unsigned i = 0; i < 100; i++) {
        test_row(i);
        (void)snprintf(call_id, sizeof call_id, "c%u", i);
        CU_ASSERT_EQUAL(invite(f, call_id, offer), 200);
    }
    CU_ASSERT(bye(f, "c36") == 481 && bye(f, "c37") == 200);
    CU_ASSERT_EQUAL(bye(f, "good"), 200); /* somebody has connected */
    (void)close(fd);
    fix_close(f);
}

/* All of them are connected to, or will be. */
static void no_more_sessions(void)
{
    struct fix *f = fix_open(true);
    char offer[512], call_id[16];
    uint16_t port;
    int listener = raw_listen(&port);

    (void)snprintf(offer, sizeof offer, OFFER, port, "actpass", port);
    for (unsigned i = 0; i <= 64; i++) {
        test_row(i);
        (void)snprintf(call_id, sizeof call_id, "c%u", i);
        CU_ASSERT_EQUAL(invite(f, call_id, offer), i < 64 ? 200 : 486);
    }
    (void)close(listener);
    fix_close(f);
}

const struct test_case test_cases[] = {{"it_is_connected_to", it_is_connected_to},
                                       {"it_connects", it_connects},
                                       {"it_connects_to_a_name", it_connects_to_a_name},
                                       {"it_connects_to_nobody", it_connects_to_nobody},
                                       {"offers_that_are_refused", offers_that_are_refused},
                                       {"a_dialog_is_more_than_a_call_id", a_dialog_is_more_than_a_call_id},
                                       {"so_many_sessions", so_many_sessions},
                                       {"no_more_sessions", no_more_sessions},
                                       {NULL, NULL}};
