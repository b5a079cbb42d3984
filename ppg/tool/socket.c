/* One request over the operator's socket, with plain blocking calls; see socket.h. */
#include "ppg/tool/socket.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clk.h"
#include "base/mem.h"
#include "base/net/http1.h"
#include "base/num.h"

#define ANSWER_MAX_N  (64u << 20)
#define REQUEST_MAX_N (2u << 20)
#define CONNECT_S     10

/* One request and its answer on a connection of its own. */
struct ask {
    int fd;
    int64_t until_ms; /* monotonic */
    struct net_http_reader *reader;
};

static enum err no_answer(char why[TOOL_WHY_N], const char *what, const char *reason)
{
    (void)snprintf(why, TOOL_WHY_N, "%.100s: %s", what, reason);
    return ERR_PEER;
}

static bool wait_for(const struct ask *a, short events)
{
    struct pollfd p = {.fd = a->fd, .events = events};
    int64_t left_ms = a->until_ms - clk_mono_ms(&clk_real);
    int n = left_ms > 0 ? poll(&p, 1, (int)num_min64(left_ms, INT32_MAX)) : 0;

    if (n == 0)
        errno = ETIMEDOUT;
    return n > 0 || (n < 0 && errno == EINTR);
}

static bool dial(struct ask *a, const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval wait = {.tv_sec = CONNECT_S}; /* for a gateway that is stuck */

    if (mem_cstr(at.sun_path, sizeof at.sun_path, slice_str(path))) {
        errno = ENAMETOOLONG;
        return false;
    }
    a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return a->fd >= 0 && setsockopt(a->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0 &&
           connect(a->fd, (const struct sockaddr *)&at, sizeof at) == 0;
}

static bool send_all(const struct ask *a, struct slice s)
{
    while (s.n) {
        ssize_t n = wait_for(a, POLLOUT) ? send(a->fd, s.p, s.n, MSG_DONTWAIT | MSG_NOSIGNAL) : -1;

        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        s = slice_sub(s, n > 0 ? (size_t)n : 0, s.n);
    }
    return true;
}

/* Feeds the reader until a whole message is there; false with errno, 0 when the answer is no HTTP. */
static bool receive(const struct ask *a)
{
    enum net_http_event ev = NET_HTTP_MORE;
    char piece[16384];

    while (ev != NET_HTTP_DONE && ev != NET_HTTP_FAULT) {
        ssize_t n = wait_for(a, POLLIN) ? recv(a->fd, piece, sizeof piece, MSG_DONTWAIT) : -1;
        struct slice in = slice_of(piece, n > 0 ? (size_t)n : 0);

        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (n == 0) {
            ev = net_http_reader_eof(a->reader);
            break;
        }
        do
            ev = net_http_reader_feed(a->reader, &in);
        while (ev == NET_HTTP_HEAD);
    }
    errno = 0;
    return ev == NET_HTTP_DONE;
}

static enum err request_print(struct buf *out, const struct tool_socket *in)
{
    net_http_print_request(out, slice_str(in->method), in->target);
    buf_add_str(out, "Host: localhost\r\nConnection: close\r\n");
    if (in->body.n)
        buf_add_str(out, "Content-Type: application/json\r\n");
    if (slice_eq(slice_str(in->method), SLICE("POST")))
        buf_addf(out, "Content-Length: %zu\r\n", in->body.n);
    buf_add_str(out, "\r\n");
    buf_add(out, in->body);
    return buf_err(out);
}

static enum err ask(struct ask *a, const struct tool_socket *in, char why[TOOL_WHY_N])
{
    const struct net_http_limits limits = {.head_max_n = 65536,
                                           .headers_max = 100,
                                           .value_max_n = 16384,
                                           .target_max_n = 8192,
                                           .body_max_n = ANSWER_MAX_N};
    struct buf request;
    enum err e = ERR_OK;

    buf_init(&request, REQUEST_MAX_N);
    if (request_print(&request, in) || net_http_reader_create(NET_HTTP_CLIENT, &limits, &a->reader))
        e = no_answer(why, "request", "too long, or out of memory");
    else if (!dial(a, in->path) || !send_all(a, buf_slice(&request)))
        e = no_answer(why, in->path, strerror(errno));
    else if (!receive(a))
        e = no_answer(why, in->path, errno ? strerror(errno) : "the answer is cut short, or no HTTP");
    buf_clear(&request);
    return e;
}

enum err tool_socket(const struct tool_socket *in, unsigned *status, struct buf *body, char why[TOOL_WHY_N])
{
    struct ask a = {.fd = -1, .until_ms = clk_mono_ms(&clk_real) + in->timeout_ms};
    enum err e = ask(&a, in, why);

    if (!e) {
        *status = net_http_reader_msg(a.reader)->status;
        buf_add(body, net_http_reader_msg(a.reader)->body);
        if (buf_err(body))
            e = no_answer(why, "the answer", err_text(buf_err(body)));
    }
    net_http_reader_free(&a.reader);
    if (a.fd >= 0)
        (void)close(a.fd);
    return e;
}
