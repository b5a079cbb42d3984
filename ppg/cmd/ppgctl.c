/* ppgctl: the operator's tool; asks a running gateway over its UNIX socket (see ppg/admin.h) and prints the answer as
 * tables, or as it came with --json.  It knows the requests and nothing about the gateway's inside.  Exit status: 0
 * done, 1 the gateway refused, 2 usage, 3 no answer, or one that makes no sense. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clk.h"
#include "base/codec.h"
#include "base/mem.h"
#include "base/net/http1.h"
#include "base/num.h"
#include "ppg/tool/tool.h"

#define SOCKET_DEFAULT "/run/ppg/ppgd.sock"
#define ANSWER_MAX_N   (64u << 20)
#define CONNECT_S      10
#define NAME_WIDTH     20 /* columns of a name in a table */
#define EVENT_WIDTH    32

enum { EXIT_OK, EXIT_NO, EXIT_USAGE, EXIT_REACH };

struct options {
    const char *socket;
    const char *initiator;
    int64_t timeout_s;
    bool json;
    bool help;
    bool version;
};

#define AT(member) offsetof(struct options, member)
static const struct tool_option options[] = {
    {"socket", "PATH", "default: $PPG_SOCKET, else " SOCKET_DEFAULT, TOOL_TEXT, AT(socket), 0, 0},
    {"initiator", "NAME", "push show: of this account; default: the newest of any", TOOL_TEXT, AT(initiator),
     0, 0},
    {"timeout", "SECONDS", "wait so long for the answer; default: 60", TOOL_NUMBER, AT(timeout_s), 1, 3600},
    {"json", NULL, "print the answer as it came", TOOL_FLAG, AT(json), 0, 0},
    {"help", NULL, "print this", TOOL_FLAG, AT(help), 0, 0},
    {"version", NULL, "print the version", TOOL_FLAG, AT(version), 0, 0},
    {NULL, NULL, NULL, TOOL_FLAG, 0, 0, 0},
};

/* --- asking --- */

/* One request and its answer on a connection of its own. */
struct ask {
    int fd;
    int64_t until_ms; /* monotonic */
    struct net_http_reader *reader;
};

static int no_answer(const char *what, const char *why)
{
    (void)fprintf(stderr, "ppgctl: %s: %s\n", what, why);
    return EXIT_REACH;
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

static enum err request_print(struct buf *out, const char *method, struct slice target)
{
    net_http_print_request(out, slice_str(method), target);
    buf_add_str(out, "Host: localhost\r\nConnection: close\r\n");
    if (slice_eq(slice_str(method), SLICE("POST")))
        buf_add_str(out, "Content-Length: 0\r\n");
    buf_add_str(out, "\r\n");
    return buf_err(out);
}

static int ask(struct ask *a, const char *socket_path, const char *method, struct slice target)
{
    const struct net_http_limits limits = {.head_max_n = 65536,
                                           .headers_max = 100,
                                           .value_max_n = 16384,
                                           .target_max_n = 8192,
                                           .body_max_n = ANSWER_MAX_N};
    struct buf request;
    int status = EXIT_OK;

    buf_init(&request, 16384);
    if (request_print(&request, method, target) ||
        net_http_reader_create(NET_HTTP_CLIENT, &limits, &a->reader))
        status = no_answer("request", "too long, or out of memory");
    else if (!dial(a, socket_path) || !send_all(a, buf_slice(&request)))
        status = no_answer(socket_path, strerror(errno));
    else if (!receive(a))
        status = no_answer(socket_path, errno ? strerror(errno) : "the answer is cut short, or no HTTP");
    buf_clear(&request);
    return status;
}

/* --- printing --- */

/* Names of JSON members as words. */
static void print_name(const char *name, int indent, int width)
{
    int n = printf("%*s", indent, "");

    for (; *name; name++, n++)
        (void)putchar(*name == '_' ? ' ' : *name);
    (void)printf("%*s ", n < width ? width - n : 0, "");
}

static void print_value(const json_t *v)
{
    if (json_is_string(v))
        tool_print(stdout, slice_of(json_string_value(v), json_string_length(v)));
    else if (json_is_integer(v))
        (void)printf("%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_boolean(v))
        (void)fputs(json_is_true(v) ? "yes" : "no", stdout);
    (void)putchar('\n');
}

static void print_object(json_t *o, int indent, int width)
{
    const char *name;
    json_t *v, *row;
    size_t i;

    json_object_foreach(o, name, v)
    {
        print_name(name, indent, json_is_object(v) || json_is_array(v) ? 0 : width);
        if (json_is_object(v)) {
            (void)putchar('\n');
            print_object(v, indent + 2, EVENT_WIDTH);
        } else if (json_is_array(v)) {
            (void)printf("(%zu)\n", json_array_size(v));
            json_array_foreach(v, i, row)
            {
                print_object(row, indent + 2, width);
                (void)putchar('\n');
            }
        } else {
            print_value(v);
        }
    }
}

static int refused(const json_t *answer, unsigned status)
{
    json_t *lines = json_object_get(answer, "errors");
    const char *why = json_string_value(json_object_get(answer, "error"));
    json_int_t more = json_integer_value(json_object_get(answer, "more"));
    json_t *line;
    size_t i;

    json_array_foreach(lines, i, line)
    {
        tool_print(stderr, slice_str(json_string_value(line)));
        (void)fputc('\n', stderr);
    }
    if (more > 0)
        (void)fprintf(stderr, "and %" JSON_INTEGER_FORMAT " more\n", more);
    if (!json_array_size(lines)) {
        (void)fputs("ppgctl: ", stderr);
        tool_print(stderr, slice_str(why ? why : net_http_reason(status)));
        (void)fputc('\n', stderr);
    }
    return EXIT_NO;
}

static int print_answer(const struct options *o, const struct net_http_msg *m)
{
    json_t *answer = json_loadb(m->body.p ? m->body.p : "", m->body.n, 0, NULL);
    bool good = m->status >= 200 && m->status < 300;
    int status = good ? EXIT_OK : EXIT_NO;

    if (good && !json_is_object(answer)) {
        status = no_answer("the gateway's answer", "not a JSON object");
    } else if (o->json && m->body.n) {
        (void)fwrite(m->body.p, 1, m->body.n, stdout);
        (void)fputs(slice_ends(m->body, SLICE("\n")) ? "" : "\n", stdout);
    } else if (good) {
        print_object(answer, 0, NAME_WIDTH);
    } else {
        status = refused(answer, m->status);
    }
    json_decref(answer);
    return fflush(stdout) == 0 ? status : EXIT_REACH;
}

/* --- commands --- */

static int call(const struct options *o, const char *method, struct slice target)
{
    const char *from_env = getenv("PPG_SOCKET");
    const char *path = o->socket ? o->socket : from_env ? from_env : SOCKET_DEFAULT;
    struct ask a = {.fd = -1, .until_ms = clk_mono_ms(&clk_real) + o->timeout_s * 1000};
    int status = ask(&a, path, method, target);

    if (status == EXIT_OK)
        status = print_answer(o, net_http_reader_msg(a.reader));
    net_http_reader_free(&a.reader);
    if (a.fd >= 0)
        (void)close(a.fd);
    return status;
}

static int show(const struct options *o, const char *id)
{
    struct buf target;
    int status;

    buf_init(&target, 4096);
    buf_add_str(&target, "/push?id=");
    codec_percent(&target, slice_str(id), "-._~");
    if (o->initiator) {
        buf_add_str(&target, "&initiator=");
        codec_percent(&target, slice_str(o->initiator), "-._~");
    }
    status = buf_err(&target) ? no_answer("push show", "too long") : call(o, "GET", buf_slice(&target));
    buf_clear(&target);
    return status;
}

static void help(FILE *to)
{
    (void)fputs("usage: ppgctl [OPTIONS] COMMAND\n"
                "  status            what the gateway is doing\n"
                "  reload            read the configuration anew, whole or not at all\n"
                "  drain             accept and start nothing new, finish, end\n"
                "  push show ID      all about one push but its content\n",
                to);
    tool_help(to, options);
    (void)fputs("exit status: 0 done, 1 the gateway refused, 2 usage, 3 no answer\n", to);
}

static int usage_error(const char *why)
{
    (void)fprintf(stderr, "ppgctl: %s\n", why);
    help(stderr);
    return EXIT_USAGE;
}

static const struct command {
    const char *name;
    const char *method;
    const char *target;
} commands[] = {
    {"status", "GET", "/status"},
    {"reload", "POST", "/reload"},
    {"drain", "POST", "/drain"},
};

static int run(const struct options *o, const struct tool_list *words)
{
    struct slice first = slice_str(words->n ? words->v[0] : NULL);

    if (slice_eq(first, SLICE("push"))) {
        if (words->n != 3 || !slice_eq(slice_str(words->v[1]), SLICE("show")) || !*words->v[2])
            return usage_error("push show ID");
        return show(o, words->v[2]);
    }
    if (o->initiator)
        return usage_error("--initiator goes with push show");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (words->n == 1 && slice_eq(first, slice_str(commands[i].name)))
            return call(o, commands[i].method, slice_str(commands[i].target));
    return usage_error(words->n ? "no such command" : "a command is needed");
}

int main(int argc, char **argv)
{
    struct options o = {.timeout_s = 60};
    struct tool_list words = {.n = 0};
    char why[TOOL_WHY_N];

    (void)signal(SIGPIPE, SIG_IGN);
    if (tool_parse(options, argc - 1, argv + 1, &o, &words, why))
        return usage_error(why);
    if (o.version) {
        (void)puts("ppgctl " PPG_VERSION);
        return EXIT_OK;
    }
    if (o.help) {
        help(stdout);
        return EXIT_OK;
    }
    return run(&o, &words);
}
