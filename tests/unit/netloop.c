/* See netloop.h. */
#include "tests/unit/netloop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "tests/unit/harness.h"

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(2);
}

void netloop_open(struct netloop *nl)
{
    struct log_conf conf = {.level = LOG_ERROR, .format = LOG_TEXT, .fd = 2};

    need(uv_loop_init(&nl->loop) == 0, "loop");
    need(log_create(&conf, &clk_real, &nl->log) == ERR_OK, "log");
    nl->env = (struct net_env){.loop = &nl->loop, .clk = &clk_real, .log = nl->log};
    need(net_hub_create(&nl->env) == ERR_OK, "hub");
}

struct net_httpd *netloop_httpd(struct netloop *nl, struct net_tls_ctx *tls, net_httpd_request_fn *request,
                                void *arg)
{
    const struct net_httpd_conf conf = {.name = "server",
                                        .address = "127.0.0.1",
                                        .tls = tls,
                                        .limits = {.head_max_n = 4096,
                                                   .headers_max = 20,
                                                   .value_max_n = 1024,
                                                   .target_max_n = 1024,
                                                   .body_max_n = 4096,
                                                   .head_ms = NETLOOP_MS,
                                                   .idle_ms = NETLOOP_MS,
                                                   .handshake_ms = NETLOOP_MS},
                                        .request = request,
                                        .arg = arg};
    struct net_httpd *s = NULL;
    const char *why = "";

    need(net_httpd_create(&nl->env, &conf, &s, &why) == ERR_OK, "server");
    return s;
}

/* One turn: waits for the loop, or for fd (-1: none), for at most ms. */
static void turn(struct netloop *nl, int fd, short events, int64_t ms)
{
    struct pollfd fds[2] = {{.fd = uv_backend_fd(&nl->loop), .events = POLLIN}, {.fd = fd, .events = events}};
    int64_t loop_ms = uv_backend_timeout(&nl->loop);

    if (loop_ms >= 0)
        ms = num_min64(ms, loop_ms);
    (void)poll(fds, 2, (int)ms);
    (void)uv_run(&nl->loop, UV_RUN_NOWAIT);
}

void netloop_for(struct netloop *nl, int64_t ms)
{
    int64_t end = clk_mono_ms(&clk_real) + ms;

    for (int64_t left = ms; left > 0; left = end - clk_mono_ms(&clk_real))
        turn(nl, -1, 0, left);
}

bool netloop_until(struct netloop *nl, const size_t *counter, size_t want)
{
    int64_t end = clk_mono_ms(&clk_real) + NETLOOP_MS;

    (void)uv_run(&nl->loop, UV_RUN_NOWAIT);
    while (*counter < want && clk_mono_ms(&clk_real) < end)
        turn(nl, -1, 0, 100);
    CU_ASSERT_TRUE(*counter >= want);
    return *counter >= want;
}

static void count_closed(void *arg)
{
    size_t *n = arg;

    (*n)++;
}

void netloop_close(struct netloop *nl)
{
    int64_t end = clk_mono_ms(&clk_real) + NETLOOP_MS;
    size_t closed = 0;
    int rc;

    net_hub_close(nl->env.hub, count_closed, &closed);
    (void)netloop_until(nl, &closed, 1);
    (void)uv_run(&nl->loop, UV_RUN_NOWAIT);
    while (uv_loop_alive(&nl->loop) &&
           clk_mono_ms(&clk_real) < end) /* a cancelled look-up is still in the pool */
        turn(nl, -1, 0, 100);
    rc = uv_loop_close(&nl->loop);
    CU_ASSERT(rc == 0);
    log_free(&nl->log);
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int raw_listen(uint16_t *port)
{
    struct sockaddr_in at = loopback(0);
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    need(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0 && listen(fd, 16) == 0, "listen");
    need(getsockname(fd, (struct sockaddr *)&at, &n) == 0, "getsockname");
    *port = ntohs(at.sin_port);
    return fd;
}

int raw_accept(struct netloop *nl, int listener)
{
    int64_t end = clk_mono_ms(&clk_real) + NETLOOP_MS;
    int fd = -1;

    while (fd < 0 && clk_mono_ms(&clk_real) < end) {
        (void)uv_run(&nl->loop, UV_RUN_NOWAIT);
        fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            turn(nl, listener, POLLIN, 100);
    }
    CU_ASSERT(fd >= 0);
    return fd;
}

int raw_connect(uint16_t port)
{
    struct sockaddr_in at = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    need(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0, "connect");
    return fd;
}

int raw_connect_unix(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    need(mem_cstr(at.sun_path, sizeof at.sun_path, slice_str(path)) == ERR_OK, "path");
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

bool raw_send(struct netloop *nl, int fd, struct slice octets)
{
    int64_t end = clk_mono_ms(&clk_real) + NETLOOP_MS;

    while (octets.n && clk_mono_ms(&clk_real) < end) {
        ssize_t n = send(fd, octets.p, octets.n, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0)
            octets = slice_sub(octets, (size_t)n, octets.n);
        else if (errno != EAGAIN)
            return false; /* the peer has left */
        if (octets.n)
            turn(nl, fd, POLLOUT, 100);
    }
    return octets.n == 0;
}

int raw_read_until(struct netloop *nl, int fd, const char *what, char *to, size_t cap)
{
    int64_t end = clk_mono_ms(&clk_real) + NETLOOP_MS;
    size_t n = 0;

    to[0] = '\0';
    while (clk_mono_ms(&clk_real) < end) {
        ssize_t got = recv(fd, to + n, cap - 1 - n, MSG_DONTWAIT);

        if (got > 0) {
            n += (size_t)got;
            to[n] = '\0';
        }
        if (what && slice_find_slice(slice_of(to, n), slice_str(what)) != SIZE_MAX)
            return (int)n;
        if (got == 0 || (got < 0 && errno != EAGAIN) || n + 1 >= cap)
            return what ? -2 : (int)n;
        if (got < 0)
            turn(nl, fd, POLLIN, 100);
    }
    CU_FAIL("nothing more came");
    return -1;
}

void raw_reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    (void)close(fd);
}
