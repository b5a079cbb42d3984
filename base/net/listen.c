/* Listening sockets.  They are polled and accepted by hand rather than through uv_listen, so that a connection over
 * a ceiling costs two system calls and no memory.  Event net.refused tells of each.  Out of descriptors: accepting
 * pauses.  Loop thread only. */
#include "base/net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/net/dns.h"
#include "base/net/hub.h"

#define BACKLOG     1024
#define TURN_MAX    64  /* connections taken per readiness event */
#define FD_PAUSE_MS 200 /* when the process is out of descriptors */

struct net_listener {
    uv_poll_t poll;
    const struct net_env *env;
    struct net_listen_conf conf;
    struct net_timer pause;
    uv_os_sock_t fd;
    uint16_t port;
    void (*closed)(void *arg);
    void *closed_arg;
};

static void refused(const struct net_listener *l, const struct sockaddr_storage *peer, enum err why)
{
    char ip[INET6_ADDRSTRLEN] = "unix";

    if (peer->ss_family != AF_UNIX)
        (void)uv_ip_name((const struct sockaddr *)peer, ip, sizeof ip);
    LOG(l->env->log, LOG_WARN, "net.refused", LOG_C("listener", l->conf.name), LOG_C("peer", ip),
        LOG_C("why", err_name(why)));
}

static void take(struct net_listener *l, uv_os_sock_t fd, const struct sockaddr_storage *peer)
{
    struct net_gate_seat *seat = NULL;
    enum err e = ERR_OK;

    if (l->conf.gate)
        e = net_gate_enter(l->conf.gate, (const struct sockaddr *)peer, &seat);
    if (e) {
        (void)close(fd);
        refused(l, peer, e);
        return;
    }
    l->conf.accepted(fd, seat, l->conf.arg);
}

static void poll_cb(uv_poll_t *poll, int status, int events);

static void pause_over(struct net_timer *timer)
{
    struct net_listener *l = container_of(timer, struct net_listener, pause);

    (void)uv_poll_start(&l->poll, UV_READABLE, poll_cb);
}

static void out_of_descriptors(struct net_listener *l)
{
    LOG(l->env->log, LOG_ERROR, "net.descriptors", LOG_C("listener", l->conf.name),
        LOG_C("why", strerror(errno)));
    (void)uv_poll_stop(&l->poll);
    net_hub_timer_set(l->env->hub, &l->pause, FD_PAUSE_MS);
}

static void poll_cb(uv_poll_t *poll, int status, int events)
{
    struct net_listener *l = poll->data;

    (void)status;
    (void)events;
    for (unsigned i = 0; i < TURN_MAX && l->fd >= 0; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t n = sizeof peer;
        int fd = accept4(l->fd, (struct sockaddr *)&peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0)
            take(l, fd, &peer);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            out_of_descriptors(l);
        if (fd < 0 && errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

static bool set_option(int fd, int level, int option)
{
    int on = 1;

    return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* A descriptor bound to the address, or -1 with *why.  Datagrams that nobody else may have need no option. */
static int bound_socket(const char *address, uint16_t port, int type, bool shared, const char **why)
{
    struct sockaddr_storage at;
    socklen_t n;
    int fd;

    *why = "the listening address is not numeric";
    if (net_addr_parse(slice_str(address), port, &at))
        return -1;
    n = at.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    *why = "no socket can be opened";
    fd = socket(at.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if ((type == SOCK_DGRAM || set_option(fd, SOL_SOCKET, SO_REUSEADDR)) &&
        (!shared || set_option(fd, SOL_SOCKET, SO_REUSEPORT)) &&
        (at.ss_family == AF_INET || set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY)) &&
        bind(fd, (struct sockaddr *)&at, n) == 0)
        return fd;
    *why = errno == EADDRINUSE ? "the address is in use"
           : errno == EACCES   ? "no permission for this address"
                               : "the address cannot be bound";
    (void)close(fd);
    return -1;
}

/* An open descriptor that listens, or -1 with *why. */
static int tcp_socket(const struct net_listen_conf *conf, const char **why)
{
    int fd = bound_socket(conf->address, conf->port, SOCK_STREAM, !conf->alone, why);

    if (fd < 0 || listen(fd, BACKLOG) == 0)
        return fd;
    *why = "the address is in use";
    (void)close(fd);
    return -1;
}

enum err net_listen_vacant(const char *address, uint16_t port, bool datagrams, const char **why)
{
    int fd = bound_socket(address, port, datagrams ? SOCK_DGRAM : SOCK_STREAM, false, why);

    if (fd < 0)
        return ERR_IO;
    (void)close(fd);
    return ERR_OK;
}

/* A socket file left by a process that is gone may be replaced; one that somebody answers on may not. */
static bool unix_path_free(const struct sockaddr_un *at)
{
    struct stat st;
    int fd;
    bool answered;

    if (lstat(at->sun_path, &st) != 0)
        return errno == ENOENT;
    if (!S_ISSOCK(st.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    answered = connect(fd, (const struct sockaddr *)at, sizeof *at) == 0 || errno != ECONNREFUSED;
    (void)close(fd);
    return !answered && unlink(at->sun_path) == 0;
}

static int unix_socket(const char *path, const char **why)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd;

    *why = "the socket path is too long";
    if (mem_cstr(at.sun_path, sizeof at.sun_path, slice_str(path)))
        return -1;
    *why = "the socket path is in use, or no socket";
    if (!unix_path_free(&at))
        return -1;
    *why = "no socket can be opened";
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /* Nobody can connect before listen(), so there is no moment with a wider mode. */
    if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && chmod(path, 0600) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    *why = "the socket file cannot be made";
    (void)close(fd);
    return -1;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t n = sizeof at;

    if (getsockname(fd, (struct sockaddr *)&at, &n) != 0)
        return 0;
    if (at.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&at)->sin_port);
    return at.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&at)->sin6_port) : 0;
}

enum err net_listen(const struct net_env *env, const struct net_listen_conf *conf, struct net_listener **out,
                    const char **why)
{
    struct net_listener *l = calloc(1, sizeof *l);

    *why = "out of memory";
    if (!l)
        return ERR_NOMEM;
    l->env = env;
    l->conf = *conf;
    net_timer_init(&l->pause, pause_over);
    l->fd = conf->unix_path ? unix_socket(conf->unix_path, why) : tcp_socket(conf, why);
    if (l->fd >= 0 && uv_poll_init_socket(env->loop, &l->poll, l->fd) != 0) {
        *why = "the loop takes no more sockets";
        (void)close(l->fd);
        l->fd = -1;
    }
    if (l->fd < 0) {
        free(l);
        return ERR_IO;
    }
    l->port = port_of(l->fd);
    l->poll.data = l;
    (void)uv_poll_start(&l->poll, UV_READABLE, poll_cb);
    *out = l;
    return ERR_OK;
}

uint16_t net_listener_port(const struct net_listener *l)
{
    return l->port;
}

static void closed_cb(uv_handle_t *handle)
{
    struct net_listener *l = handle->data;

    if (l->closed)
        l->closed(l->closed_arg);
    free(l);
}

void net_listener_close(struct net_listener *l, void (*closed)(void *arg), void *arg)
{
    l->closed = closed;
    l->closed_arg = arg;
    net_hub_timer_stop(l->env->hub, &l->pause);
    uv_close((uv_handle_t *)&l->poll, closed_cb);
    (void)close(l->fd);
    l->fd = -1;
    if (l->conf.unix_path)
        (void)unlink(l->conf.unix_path);
}
