/* The door for sessions: two of them as of two loops, raw connections, who gets them and who is turned away. */
#include "ota/agent/msrp_door.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/netloop.h"

#define SEND_TO                                                                                              \
    "MSRP abcd1234 SEND\r\nTo-Path: msrp://127.0.0.1:%u/%s;tcp\r\nFrom-Path: msrp://127.0.0.1:9/x;tcp\r\n"
#define EMPTY "Message-ID: hello\r\nByte-Range: 1-0/0\r\n-------abcd1234$\r\n"

struct fix {
    struct netloop nl;
    struct net_gate *gate;
    struct ota_msrp_door *doors[2];
    uint16_t port; /* of the first */
    size_t came, closed, posted;
    char got[4096];
};

static void post(unsigned loop, struct ota_msrp_parcel *p, void *arg)
{
    struct fix *f = arg;

    f->posted++;
    ota_msrp_door_parcel(f->doors[loop], p);
}

static void on_came(void *arg)
{
    ((struct fix *)arg)->came++;
}

static void on_closed(void *arg)
{
    ((struct fix *)arg)->closed++;
}

static struct fix *fix_open(size_t per_address)
{
    struct fix *f = calloc(1, sizeof *f);
    const char *why;

    CU_ASSERT_FATAL(f != NULL);
    netloop_open(&f->nl);
    CU_ASSERT_FATAL(net_gate_create(100, per_address, &f->gate) == ERR_OK);
    for (unsigned i = 0; i < 2; i++) {
        const struct ota_msrp_door_conf conf = {.env = &f->nl.env,
                                                .loop = i,
                                                .loops = 2,
                                                .wait_ms = 1500,
                                                .gate = f->gate,
                                                .post = post,
                                                .arg = f};

        CU_ASSERT_FATAL(ota_msrp_door_create(&conf, &f->doors[i]) == ERR_OK);
    }
    CU_ASSERT_EQUAL(ota_msrp_door_port(f->doors[0], OTA_MSRP_ENTRY_CLEAR), 0);
    CU_ASSERT_FATAL(ota_msrp_door_listen(f->doors[0], OTA_MSRP_ENTRY_CLEAR, "msrp", "127.0.0.1", &f->port,
                                         &why) == ERR_OK);
    CU_ASSERT_EQUAL(ota_msrp_door_port(f->doors[0], OTA_MSRP_ENTRY_CLEAR), f->port);
    CU_ASSERT_EQUAL(ota_msrp_door_port(f->doors[0], OTA_MSRP_ENTRY_TLS), 0);
    return f;
}

static void fix_close(struct fix *f)
{
    for (unsigned i = 0; i < 2; i++)
        ota_msrp_door_close(f->doors[i], on_closed, f);
    CU_ASSERT_EQUAL(f->closed, 0); /* never from inside */
    (void)netloop_until(&f->nl, &f->closed, 2);
    netloop_close(&f->nl);
    CU_ASSERT_EQUAL(net_gate_open(f->gate), 0);
    net_gate_free(&f->gate);
    free(f);
}

static int visit(struct fix *f, const char *id, const char *rest)
{
    char text[1024];
    int fd = raw_connect(f->port);

    (void)snprintf(text, sizeof text, SEND_TO "%s", f->port, id, rest);
    CU_ASSERT_TRUE(raw_send(&f->nl, fd, slice_str(text)));
    return fd;
}

/* It may come before it is awaited, or after; what it said comes along. */
static void expected(void)
{
    for (unsigned late = 0; late < 2; late++)
        for (unsigned loop = 0; loop < 2; loop++) {
            struct fix *f = fix_open(10);
            struct ota_msrp_guest *g;
            struct ota_msrp_parcel *p;
            int fd;

            test_row(late * 2 + loop);
            CU_ASSERT_FATAL(ota_msrp_door_expect(f->doors[loop], OTA_MSRP_ENTRY_CLEAR, &g) == ERR_OK);
            CU_ASSERT_EQUAL(strlen(ota_msrp_guest_id(g)), OTA_MSRP_DOOR_ID_N);
            CU_ASSERT_PTR_NULL(ota_msrp_guest_take(g));
            if (!late)
                ota_msrp_guest_await(g, on_came, f);
            fd = visit(f, ota_msrp_guest_id(g), EMPTY);
            if (late) {
                netloop_for(&f->nl, 100);
                CU_ASSERT_EQUAL(f->came, 0);
                ota_msrp_guest_await(g, on_came, f);
                CU_ASSERT_EQUAL(f->came, 0);
            }
            (void)netloop_until(&f->nl, &f->came, 1);
            CU_ASSERT_EQUAL(f->posted, loop);
            p = ota_msrp_guest_take(g);
            CU_ASSERT_FATAL(p != NULL);
            CU_ASSERT(p->socket.fd >= 0 && p->octets.n == strlen(EMPTY) + strlen(SEND_TO) - 4 + 32 +
                                                              (size_t)snprintf(NULL, 0, "%u", f->port));
            CU_ASSERT_EQUAL(net_gate_open(f->gate), 1);
            ota_msrp_parcel_free(&p);
            CU_ASSERT(raw_read_until(&f->nl, fd, NULL, f->got, sizeof f->got) == 0); /* hung up on */
            ota_msrp_guest_free(&g);
            (void)close(fd);
            fix_close(f);
        }
}

static void turned_away(void)
{
    static const struct {
        const char *id, *rest, *answer;
    } rows[] = {{"0000000000000000000000000000000a", EMPTY, "MSRP abcd1234 481 "},
                {"0100000000000000000000000000000a", EMPTY, "MSRP abcd1234 481 "}, /* of the other loop */
                {"ff00000000000000000000000000000a", EMPTY, "MSRP abcd1234 481 "}, /* of none */
                {"XX00000000000000000000000000000a", EMPTY, "MSRP abcd1234 481 "},
                {"s", EMPTY, "MSRP abcd1234 481 "},
                {"s", "Message-ID: hello\r\nFailure-Report: no\r\n-------abcd1234$\r\n", NULL},
                {"", EMPTY, NULL},
                {"s", "no header\r\n\r\n", NULL},
                {"s", "Message-ID: hello\r\n", NULL}}; /* and no more */

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix *f = fix_open(10);
        int fd = visit(f, rows[i].id, rows[i].rest), n;

        test_row(i);
        n = raw_read_until(&f->nl, fd, NULL, f->got, sizeof f->got);
        CU_ASSERT(rows[i].answer ? n > 0 && strncmp(f->got, rows[i].answer, strlen(rows[i].answer)) == 0
                                 : n == 0);
        (void)close(fd);
        fix_close(f);
    }
}

/* One connection a session, by the entry that was offered; after the session is gone it is not known any more. */
static void not_twice(void)
{
    struct fix *f = fix_open(10);
    struct ota_msrp_guest *g, *inside;
    char id[OTA_MSRP_DOOR_ID_N + 1];
    int first, second;

    CU_ASSERT_FATAL(ota_msrp_door_expect(f->doors[0], OTA_MSRP_ENTRY_CLEAR, &g) == ERR_OK);
    CU_ASSERT_FATAL(ota_msrp_door_expect(f->doors[0], OTA_MSRP_ENTRY_TLS, &inside) == ERR_OK);
    CU_ASSERT_FATAL(mem_cstr(id, sizeof id, slice_str(ota_msrp_guest_id(g))) == ERR_OK);
    CU_ASSERT(strcmp(id, ota_msrp_guest_id(inside)) != 0);
    ota_msrp_guest_await(g, on_came, f);
    first = visit(f, id, EMPTY);
    (void)netloop_until(&f->nl, &f->came, 1);
    for (unsigned taken = 0; taken < 2; taken++) {
        second = visit(f, id, EMPTY);
        CU_ASSERT(raw_read_until(&f->nl, second, " 506 ", f->got, sizeof f->got) > 0);
        (void)close(second);
        if (!taken) {
            struct ota_msrp_parcel *p = ota_msrp_guest_take(g);

            ota_msrp_parcel_free(&p);
        }
    }
    second = visit(f, ota_msrp_guest_id(inside), EMPTY);
    CU_ASSERT(raw_read_until(&f->nl, second, " 481 ", f->got, sizeof f->got) > 0);
    (void)close(second);
    ota_msrp_guest_free(&g);
    ota_msrp_guest_free(&inside);
    second = visit(f, id, EMPTY);
    CU_ASSERT(raw_read_until(&f->nl, second, " 481 ", f->got, sizeof f->got) > 0);
    (void)close(second);
    (void)close(first);
    CU_ASSERT_EQUAL(f->came, 1);
    fix_close(f);
}

static void silence_and_crowds(void)
{
    struct fix *f = fix_open(2);
    int fds[3];

    for (size_t i = 0; i < COUNT(fds); i++)
        fds[i] = raw_connect(f->port);
    for (size_t i = COUNT(fds); i-- > 0;) { /* the third at once, the others when their time is over */
        CU_ASSERT_EQUAL(raw_read_until(&f->nl, fds[i], NULL, f->got, sizeof f->got), 0);
        (void)close(fds[i]);
    }
    fix_close(f);
}

/* The door ends when its last guest does; who has come to that one is hung up on. */
static void the_door_waits_for_its_guests(void)
{
    struct fix *f = fix_open(10);
    struct ota_msrp_guest *g;
    int fd;

    CU_ASSERT_FATAL(ota_msrp_door_expect(f->doors[0], OTA_MSRP_ENTRY_CLEAR, &g) == ERR_OK);
    ota_msrp_guest_await(g, on_came, f);
    fd = visit(f, ota_msrp_guest_id(g), EMPTY);
    (void)netloop_until(&f->nl, &f->came, 1);
    for (unsigned i = 0; i < 2; i++)
        ota_msrp_door_close(f->doors[i], on_closed, f);
    netloop_for(&f->nl, 100);
    CU_ASSERT_EQUAL(f->closed, 1);
    ota_msrp_guest_free(&g);
    CU_ASSERT_EQUAL(raw_read_until(&f->nl, fd, NULL, f->got, sizeof f->got), 0);
    (void)close(fd);
    (void)netloop_until(&f->nl, &f->closed, 2);
    netloop_close(&f->nl);
    net_gate_free(&f->gate);
    free(f);
}

const struct test_case test_cases[] = {{"expected", expected},
                                       {"turned_away", turned_away},
                                       {"not_twice", not_twice},
                                       {"silence_and_crowds", silence_and_crowds},
                                       {"the_door_waits_for_its_guests", the_door_waits_for_its_guests},
                                       {NULL, NULL}};
