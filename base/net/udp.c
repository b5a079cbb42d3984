/* Datagrams over libuv; see udp.h.  Received into the loop's shared buffer.  RFC 768; errors that ICMP brought to a connected
 * socket: RFC 1122 §4.1.3.3.  Loop thread only. */
#include "base/net/udp.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/net/hub.h"

#define WAITING_N                                                                                            \
    (1 << 20) /* octets: a burst of some hundred answers waits in the kernel until the loop reads on */

struct net_udp {
    uv_udp_t handle;
    const struct net_env *env;
    struct net_udp_user user;
    bool connected;
    void (*closed)(void *arg);
    void *closed_arg;
};

static enum err from_uv(int rc)
{
    static const struct {
        int uv;
        enum err err;
    } rows[] = {{UV_ECONNREFUSED, ERR_PEER},
                {UV_EMSGSIZE, ERR_LIMIT},
                {UV_EAGAIN, ERR_AGAIN},
                {UV_ENOBUFS, ERR_AGAIN},
                {UV_ENOMEM, ERR_NOMEM}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].uv == rc)
            return rows[i].err;
    return rc < 0 ? ERR_IO : ERR_OK;
}

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    struct net_udp *u = handle->data;

    (void)wanted;
    *out = uv_buf_init(net_hub_read_buf(u->env->hub), NET_HUB_READ_N);
}

/* libuv calls with 0 octets and no sender when the socket is drained. */
static void received(uv_udp_t *handle, ssize_t n, const uv_buf_t *octets, const struct sockaddr *from,
                     unsigned flags)
{
    struct net_udp *u = handle->data;

    if (n < 0) {
        if (u->user.fault)
            u->user.fault(u, from_uv((int)n), u->user.arg);
    } else if (from && !(flags & UV_UDP_PARTIAL)) {
        u->user.data(u, from, slice_of(octets->base, (size_t)n), u->user.arg);
    }
}

static void gone(uv_handle_t *handle)
{
    struct net_udp *u = handle->data;
    void (*closed)(void *arg) = u->closed;
    void *arg = u->closed_arg;

    free(u);
    if (closed)
        closed(arg);
}

void net_udp_close(struct net_udp *u, void (*closed)(void *arg), void *arg)
{
    u->closed = closed;
    u->closed_arg = arg;
    uv_close((uv_handle_t *)&u->handle, gone);
}

/* As much as the system allows. */
static int receive(struct net_udp *u)
{
    int waiting_n = WAITING_N;

    (void)uv_recv_buffer_size((uv_handle_t *)&u->handle, &waiting_n);
    return uv_udp_recv_start(&u->handle, give_buffer, received);
}

static int start(struct net_udp *u, const struct sockaddr *local, const struct sockaddr *peer)
{
    int rc = local ? uv_udp_bind(&u->handle, local, peer ? UV_UDP_REUSEADDR : 0) : 0;

    if (rc == 0 && peer)
        rc = uv_udp_connect(&u->handle, peer);
    return rc ? rc : receive(u);
}

static enum err udp_new(const struct net_env *env, const struct net_udp_user *user, struct net_udp **out)
{
    struct net_udp *u = calloc(1, sizeof *u);
    int rc;

    if (!u)
        return ERR_NOMEM;
    u->env = env;
    u->user = *user;
    rc = uv_udp_init(env->loop, &u->handle);
    if (rc) {
        free(u);
        return from_uv(rc);
    }
    u->handle.data = u;
    *out = u;
    return ERR_OK;
}

enum err net_udp_open(const struct net_env *env, const struct sockaddr *local, const struct sockaddr *peer,
                      const struct net_udp_user *user, struct net_udp **out)
{
    struct net_udp *u = NULL;
    enum err e = udp_new(env, user, &u);
    int rc;

    if (e)
        return e;
    u->connected = peer != NULL;
    rc = start(u, local, peer);
    if (rc) {
        net_udp_close(u, NULL, NULL);
        return rc == UV_ENOMEM ? ERR_NOMEM : ERR_IO;
    }
    *out = u;
    return ERR_OK;
}

/* An open descriptor, or -1. */
static int shared_socket(const struct sockaddr *local)
{
    socklen_t n = local->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    int fd = socket(local->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
        (local->sa_family == AF_INET || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
        bind(fd, local, n) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

enum err net_udp_listen(const struct net_env *env, const struct sockaddr *local,
                        const struct net_udp_user *user, struct net_udp **out)
{
    struct net_udp *u = NULL;
    enum err e = udp_new(env, user, &u);
    int fd;

    if (e)
        return e;
    fd = shared_socket(local);
    if (fd < 0 || uv_udp_open(&u->handle, fd)) {
        if (fd >= 0)
            (void)close(fd);
        net_udp_close(u, NULL, NULL);
        return ERR_IO;
    }
    if (receive(u)) {
        net_udp_close(u, NULL, NULL);
        return ERR_IO;
    }
    *out = u;
    return ERR_OK;
}

enum err net_udp_send(struct net_udp *u, const struct sockaddr *to, struct slice datagram)
{
    uv_buf_t octets;
    int rc;

    if (datagram.n > NET_UDP_MAX_N)
        return ERR_LIMIT;
    octets = uv_buf_init((char *)(uintptr_t)datagram.p, (unsigned)datagram.n);
    rc = uv_udp_try_send(&u->handle, &octets, 1, u->connected ? NULL : to);
    return rc < 0 ? from_uv(rc) : ERR_OK;
}

uint16_t net_udp_port(const struct net_udp *u)
{
    struct sockaddr_storage at = {.ss_family = AF_UNSPEC};
    int n = sizeof at;

    if (uv_udp_getsockname(&u->handle, (struct sockaddr *)&at, &n))
        return 0;
    return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                          : ((struct sockaddr_in *)&at)->sin_port);
}
