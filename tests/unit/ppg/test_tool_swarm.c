/* A swarm against a gateway of raw sockets: registration in pieces, bodies passed over, silence, and calling again. */
#include "ppg/handset/swarm.h"

#include <netinet/in.h>
#include <unistd.h>
#include "tests/unit/harness.h"
#include "tests/unit/netloop.h"

#define OPTIONS "OPTIONS /wappush HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
#define POST    "POST /wappush HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n\r\n\r\nx"

struct fix {
    struct netloop nl;
    struct tool_swarm *swarm;
    int listener;
    uint16_t port;
    size_t closed;
};

static void on_closed(void *arg)
{
    ((struct fix *)arg)->closed++;
}

static void open_fix(struct fix *f, size_t terminals, size_t silent)
{
    struct tool_swarm_conf conf = {.first = 15550100,
                                   .terminals = terminals,
                                   .at_once = 1,
                                   .silent = silent,
                                   .outstanding = 2,
                                   .pause_ms = 1,
                                   .report_ms = 3600000};
    struct sockaddr_in *to = (struct sockaddr_in *)&conf.to;

    *f = (struct fix){.closed = 0};
    netloop_open(&f->nl);
    f->listener = raw_listen(&f->port);
    *to = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(f->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    conf.env = &f->nl.env;
    CU_ASSERT_FATAL(tool_swarm_create(&conf, &f->swarm) == ERR_OK);
}

static void close_fix(struct fix *f)
{
    tool_swarm_close(f->swarm, on_closed, f);
    CU_ASSERT(netloop_until(&f->nl, &f->closed, 1));
    (void)close(f->listener);
    netloop_close(&f->nl);
}

/* Hears the answer to an OPTIONS, which must be the last of what it was sent, and how many pushes it took before. */
static size_t hear(struct fix *f, int fd, const char *id)
{
    char heard[2048];
    struct slice rest;
    size_t n = 0, at;

    CU_ASSERT(raw_read_until(&f->nl, fd, "X-Wap-Push-Accept-MaxPushReq: 2\r\n\r\n", heard, sizeof heard) > 0);
    rest = slice_str(heard);
    CU_ASSERT(slice_find_slice(rest, slice_str(id)) != SIZE_MAX);
    while ((at = slice_find_slice(rest, SLICE("X-Wap-Push-Status: 400\r\n\r\n"))) != SIZE_MAX) {
        rest = slice_sub(rest, at + 1, SIZE_MAX);
        n++;
    }
    return n;
}

static void registers_and_takes(void)
{
    static const char id[] = "X-Wap-Terminal-Id: 4+15550100\r\nX-Wap-CPITag: q83vEg==\r\n";
    char heard[512];
    struct fix f;
    int fd;

    open_fix(&f, 1, 0);
    fd = raw_accept(&f.nl, f.listener);
    for (size_t i = 0; i + 1 < sizeof OPTIONS; i += 7) { /* in pieces */
        CU_ASSERT(raw_send(&f.nl, fd, slice_sub(SLICE(OPTIONS), i, 7)));
        netloop_for(&f.nl, 1);
    }
    CU_ASSERT(hear(&f, fd, id) == 0);
    CU_ASSERT(raw_send(&f.nl, fd, SLICE(POST POST OPTIONS))); /* a body may look like the end of a head */
    CU_ASSERT(hear(&f, fd, id) == 2);
    CU_ASSERT(raw_send(&f.nl, fd, SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
    CU_ASSERT(raw_read_until(&f.nl, fd, "HTTP/1.1 400 ", heard, sizeof heard) > 0);
    (void)close(fd);
    fd = raw_accept(&f.nl, f.listener); /* it calls again */
    CU_ASSERT(raw_send(&f.nl, fd, SLICE(OPTIONS)));
    CU_ASSERT(hear(&f, fd, id) == 0);
    close_fix(&f);
    (void)close(fd);
}

/* One after the other, each as itself; the second takes pushes and says nothing to them. */
static void the_nth_is_silent(void)
{
    static const char *const ids[] = {": 4+15550100\r\n", ": 4+15550101\r\n", ": 4+15550102\r\n"};
    struct fix f;
    int fds[COUNT(ids)];

    open_fix(&f, COUNT(ids), 2);
    for (size_t i = 0; i < COUNT(ids); i++) {
        test_row(i);
        fds[i] = raw_accept(&f.nl, f.listener);
        CU_ASSERT(raw_send(&f.nl, fds[i], SLICE(OPTIONS)));
        CU_ASSERT(hear(&f, fds[i], ids[i]) == 0);
        CU_ASSERT(raw_send(&f.nl, fds[i], SLICE(POST OPTIONS)));
        CU_ASSERT(hear(&f, fds[i], ids[i]) == (i == 1 ? 0u : 1u));
    }
    close_fix(&f);
    for (size_t i = 0; i < COUNT(ids); i++)
        (void)close(fds[i]);
}

/* A gateway that never ends its head is left. */
static void a_head_has_an_end(void)
{
    char big[20000];
    struct fix f;
    int fd;

    memset(big, 'x', sizeof big);
    open_fix(&f, 1, 0);
    fd = raw_accept(&f.nl, f.listener);
    (void)raw_send(&f.nl, fd, slice_of(big, sizeof big));
    CU_ASSERT(raw_read_until(&f.nl, fd, NULL, big, sizeof big) <= 0);
    (void)close(fd);
    close_fix(&f);
}

const struct test_case test_cases[] = {
    {"registers_and_takes", registers_and_takes},
    {"the_nth_is_silent", the_nth_is_silent},
    {"a_head_has_an_end", a_head_has_an_end},
    {NULL, NULL},
};
