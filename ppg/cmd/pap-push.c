/* pap-push: a push initiator on the command line.  `submit` and `replace` hand one push to a gateway, `cancel` and
 * `status` ask about one, `capabilities` about a terminal; `listen` takes result notifications.  The exit status follows
 * the class of the PAP code.  Not for scripts that push thousands of contents: each call is one connection.
 * [PAP §2, §3, §4, §6]. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/mem.h"
#include "pap/vocab.h"
#include "ppg/tool/addresses.h"
#include "ppg/tool/listen.h"
#include "ppg/tool/post.h"
#include "ppg/tool/query.h"
#include "ppg/tool/report.h"
#include "ppg/tool/submit.h"
#include "security/secret.h"

#define CONTENT_MAX_N (64u << 20)
#define BODY_MAX_N    (80u << 20)
#define ANSWER_MAX_N  (64u << 20)
#define MEM_MAX_N     (256u << 20) /* addresses sent and addresses answered */
#define ID_N          8            /* random octets of a push-id */
#define BOUNDARY_N    16           /* random octets of a boundary */
#define NAME_N        128          /* octets of a name made here, NUL included */

struct options {
    struct tool_post post;
    struct tool_submit submit;
    struct tool_listen listen;
    struct tool_list to;
    struct tool_list headers;
    struct tool_list words;
    const char *to_file;
    const char *capabilities;
    const char *file;
    const char *text;
    const char *out;
    int64_t timeout_s;
    int64_t count;
    int64_t answer;
    int64_t http_status;
    bool json;
    bool help;
    bool version;
};

#define AT(member) offsetof(struct options, member)
#define COMMON                                                                                               \
    {"timeout", "SECONDS", "give up after so long", TOOL_NUMBER, AT(timeout_s), 1, 86400},                   \
        {"json", NULL, "print JSON objects, one a line", TOOL_FLAG, AT(json), 0, 0},                         \
        {"help", NULL, "print this", TOOL_FLAG, AT(help), 0, 0},                                             \
        {"version", NULL, "print the version", TOOL_FLAG, AT(version), 0, 0},                                \
        {NULL, NULL, NULL, TOOL_FLAG, 0, 0, 0},

/* Where the gateway is, and who we are. */
#define GATEWAY                                                                                              \
    {"url", "URL", "where the gateway takes submissions", TOOL_TEXT, AT(post.url), 0, 0},                    \
        {"pap-version", "N", "1.0, 2.0 (default) or 2.1", TOOL_TEXT, AT(submit.version), 0, 0},              \
        {"cert", "FILE", "our certificate, PEM", TOOL_TEXT, AT(post.cert), 0, 0},                            \
        {"key", "FILE", "its key", TOOL_TEXT, AT(post.key), 0, 0},                                           \
        {"ca", "FILE", "who signs the gateway; default: the system's list", TOOL_TEXT, AT(post.ca), 0, 0},   \
        {"psk-identity",                                                                                     \
         "NAME",                                                                                             \
         "of a key shared for TLS, instead of certificates",                                                 \
         TOOL_TEXT,                                                                                          \
         AT(post.psk_identity),                                                                              \
         0,                                                                                                  \
         0},                                                                                                 \
        {"psk-file", "FILE", "that key in hexadecimal", TOOL_TEXT, AT(post.psk_file), 0, 0},                 \
        {"user", "NAME", "for Digest", TOOL_TEXT, AT(post.user), 0, 0}, {"password-file",                    \
                                                                         "FILE",                             \
                                                                         "its first line is the password",   \
                                                                         TOOL_TEXT,                          \
                                                                         AT(post.password_file),             \
                                                                         0,                                  \
                                                                         0},                                 \
        {"token-file",                                                                                       \
         "FILE",                                                                                             \
         "its first line is a bearer token, for TLS only",                                                   \
         TOOL_TEXT,                                                                                          \
         AT(post.token_file),                                                                                \
         0,                                                                                                  \
         0},                                                                                                 \
        {"mac",     "USER:FILE",  "for x-syncml-hmac; key in FILE, 64 hexadecimal digits",                   \
         TOOL_TEXT, AT(post.mac), 0,                                                                         \
         0},                                                                                                 \
        {"mac-md5", "USER:FILE",      "the same of MD5, for old gateways; password in FILE",                 \
         TOOL_TEXT, AT(post.mac_md5), 0,                                                                     \
         0},                                                                                                 \
        {"basic", NULL, "Basic is good enough, inside TLS", TOOL_FLAG, AT(post.basic), 0, 0},

#define TO_FILE                                                                                              \
    {"to-file", "FILE", "more recipients, one a line; # begins a comment", TOOL_TEXT, AT(to_file), 0, 0},

/* A push, but for what submit and replace call its delivery method. */
#define PUSH                                                                                                  \
    {"to",      "ADDRESS", "recipient, repeatable: WAPPUSH=..., +1555..., user@host, sip:..., $GROUP",        \
     TOOL_LIST, AT(to),    0,                                                                                 \
     0},                                                                                                      \
        TO_FILE{"id", "PUSH-ID", "default: a random one", TOOL_TEXT, AT(submit.push_id), 0, 0},               \
        {"file", "FILE", "the content; default: standard input", TOOL_TEXT, AT(file), 0, 0},                  \
        {"text", "TEXT", "the content", TOOL_TEXT, AT(text), 0, 0},                                           \
        {"type", "MIME", "of the content; default: text/plain", TOOL_TEXT, AT(submit.type), 0, 0},            \
        {"app", "APP-ID", "X-Wap-Application-Id", TOOL_TEXT, AT(submit.app_id), 0, 0},                        \
        {"initiator-uri", "URI", "X-Wap-Initiator-URI", TOOL_TEXT, AT(submit.initiator_uri), 0, 0},           \
        {"header", "'NAME: VALUE'", "another header of the content, repeatable", TOOL_LIST, AT(headers), 0,   \
         0},                                                                                                  \
        {"protection", "LEVEL", "none, integrity or full", TOOL_TEXT, AT(submit.protection), 0, 0},           \
        {"priority", "WORD", "high, medium or low", TOOL_TEXT, AT(submit.priority), 0, 0},                    \
        {"network", "NAME", "network to use", TOOL_TEXT, AT(submit.network), 0, 0},                           \
        {"network-required", NULL, "no other network will do", TOOL_FLAG, AT(submit.network_required), 0, 0}, \
        {"bearer", "NAME", "bearer to use", TOOL_TEXT, AT(submit.bearer), 0, 0},                              \
        {"bearer-required", NULL, "no other bearer will do", TOOL_FLAG, AT(submit.bearer_required), 0, 0},    \
        {"after",   "TIME",           "not before: 2030-01-31T12:00:00Z or +10m (s, m, h, d)",                \
         TOOL_TEXT, AT(submit.after), 0,                                                                      \
         0},                                                                                                  \
        {"before", "TIME", "not after", TOOL_TEXT, AT(submit.before), 0, 0},                                  \
        {"notify", "URL", "where the result is to be told", TOOL_TEXT, AT(submit.notify), 0, 0},              \
        {"source-reference", "TEXT", "name of the content provider", TOOL_TEXT, AT(submit.source_ref), 0, 0}, \
        {"progress", NULL, "ask for progress notes", TOOL_FLAG, AT(submit.progress), 0, 0},                   \
        {"capabilities",                                                                                      \
         "FILE",                                                                                              \
         "capabilities assumed of the client, RDF",                                                           \
         TOOL_TEXT,                                                                                           \
         AT(capabilities),                                                                                    \
         0,                                                                                                   \
         0},

#define METHODS "confirmed, preferconfirmed, unconfirmed or notspecified"

static const struct tool_option submit_options[] = {
    PUSH{"method", "WORD", METHODS, TOOL_TEXT, AT(submit.method), 0, 0}, GATEWAY COMMON};

static const struct tool_option replace_options[] = {
    {"method", "WORD", "who gets it: all (default), or pending-only", TOOL_TEXT, AT(submit.replace_method), 0,
     0},
    PUSH{"delivery-method", "WORD", METHODS, TOOL_TEXT, AT(submit.method), 0, 0},
    GATEWAY COMMON};

static const struct tool_option query_options[] = {TO_FILE GATEWAY COMMON};

static const struct tool_option capabilities_options[] = {
    {"app", "APP-ID", "the application they are wanted for", TOOL_TEXT, AT(submit.app_id), 0, 0},
    {"id", "QUERY-ID", "default: a random one", TOOL_TEXT, AT(submit.push_id), 0, 0},
    {"out", "FILE", "where they go; default: standard output", TOOL_TEXT, AT(out), 0, 0},
    GATEWAY COMMON};

static const struct tool_option listen_options[] = {
    {"bind", "ADDR:PORT", "port 0: the system chooses", TOOL_TEXT, AT(listen.bind), 0, 0},
    {"path", "PATH", "default: /notify", TOOL_TEXT, AT(listen.path), 0, 0},
    {"cert", "FILE", "speak TLS with this certificate, PEM", TOOL_TEXT, AT(listen.cert), 0, 0},
    {"key", "FILE", "its key", TOOL_TEXT, AT(listen.key), 0, 0},
    {"count", "N", "end after N notifications", TOOL_NUMBER, AT(count), 1, INT64_MAX},
    {"port-file", "FILE", "gets the port once it listens", TOOL_TEXT, AT(listen.port_file), 0, 0},
    {"answer", "CODE", "PAP code of the answers; default: 1000", TOOL_NUMBER, AT(answer), 1000, 5999},
    {"http-status", "N", "HTTP status of the answers; default: 202", TOOL_NUMBER, AT(http_status), 200, 599},
    COMMON};

static int usage_error(const char *why)
{
    (void)fprintf(stderr, "pap-push: %s\n", why);
    return TOOL_USAGE;
}

static void random_hex(char *out, size_t octets_n)
{
    unsigned char octets[BOUNDARY_N];
    struct buf hex;

    MUST(octets_n <= sizeof octets && !sec_random(octets, octets_n));
    buf_init(&hex, 2 * octets_n);
    codec_hex(&hex, slice_of(octets, octets_n));
    MUST(!mem_cstr(out, 2 * octets_n + 1, buf_slice(&hex)));
    buf_clear(&hex);
}

/* The customary shape, token@host [PAP §4.1]. */
static void name_make(char out[NAME_N])
{
    char host[64] = "", number[2 * ID_N + 1];

    (void)gethostname(host, sizeof host - 1);
    random_hex(number, ID_N);
    (void)snprintf(out, NAME_N, "%s@%s", number, *host ? host : "pap-push");
}

/* --- one request and its answer --- */

struct exchange {
    struct arena mem;
    struct buf type; /* of the request */
    struct buf body;
    struct tool_posted posted;
    struct buf work; /* what an answer's transfer encoding hid */
    struct tool_answer answer;
    char why[TOOL_WHY_N];
};

static void exchange_init(struct exchange *x)
{
    arena_init(&x->mem, 4096, MEM_MAX_N);
    buf_init(&x->type, 256);
    buf_init(&x->body, BODY_MAX_N);
    buf_init(&x->posted.type, ANSWER_MAX_N);
    buf_init(&x->posted.body, ANSWER_MAX_N);
    buf_init(&x->work, ANSWER_MAX_N);
    (void)snprintf(x->why, sizeof x->why, "out of memory");
}

static void exchange_clear(struct exchange *x)
{
    arena_clear(&x->mem);
    buf_clear(&x->type);
    buf_clear(&x->body);
    buf_clear(&x->posted.type);
    buf_clear(&x->posted.body);
    buf_clear(&x->work);
}

/* Sends what was printed; TOOL_OK: x->answer is of that kind, or a badmessage-response. */
static int exchange(struct options *o, struct exchange *x, enum pap_kind want)
{
    int status;

    o->post.content_type = buf_slice(&x->type);
    o->post.body = buf_slice(&x->body);
    status = tool_post(&o->post, &x->posted, x->why);
    if (status)
        return status;
    if (tool_answer_read(buf_slice(&x->posted.type), buf_slice(&x->posted.body), &x->mem, &x->work,
                         &x->answer, x->why))
        return TOOL_FAULT;
    if (x->answer.message.kind == want || x->answer.message.kind == PAP_KIND_BADMESSAGE_RESPONSE)
        return TOOL_OK;
    (void)snprintf(x->why, sizeof x->why, "the gateway answered a %s to what was asked",
                   pap_kind_text(x->answer.message.kind));
    return TOOL_FAULT;
}

/* An answer about something else is none. */
static int about(struct exchange *x, struct slice answered, const char *asked, const char *what)
{
    if (slice_eq(answered, slice_str(asked)))
        return TOOL_OK;
    (void)snprintf(x->why, sizeof x->why, "the gateway answered about another %s", what);
    return TOOL_FAULT;
}

static enum err recipients(const struct options *o, const char *const *words, size_t n, struct exchange *x,
                           struct pap_addrs *out)
{
    enum err e = tool_addresses_add(words, n, &x->mem, out, x->why);

    return !e && o->to_file ? tool_addresses_read(o->to_file, &x->mem, out, x->why) : e;
}

/* What was not said. */
static void defaults(struct options *o)
{
    if (!o->submit.version)
        o->submit.version = "2.0";
    o->post.timeout_ms = o->timeout_s ? o->timeout_s * 1000 : 30000;
}

/* --- submit, replace --- */

static int report_push(const struct options *o, struct exchange *x)
{
    const struct pap_message *m = &x->answer.message;

    if (m->kind == PAP_KIND_BADMESSAGE_RESPONSE)
        return tool_report_bad(o->json, &m->bad);
    if (about(x, m->push_response.push_id, o->submit.push_id, "push"))
        return tool_report_failure(o->json, TOOL_FAULT, x->why);
    return tool_report_push(o->json, &m->push_response);
}

static int send_push(struct options *o, struct slice content, struct slice capabilities)
{
    char boundary[2 * BOUNDARY_N + 1];
    struct exchange x;
    int status = TOOL_USAGE;

    random_hex(boundary, BOUNDARY_N);
    exchange_init(&x);
    o->submit.boundary = boundary;
    o->submit.content = content;
    o->submit.capabilities = capabilities;
    o->submit.now_s = (int64_t)time(NULL);
    if (!recipients(o, o->to.v, o->to.n, &x, &o->submit.to) &&
        !tool_submit_print(&o->submit, &x.type, &x.body, x.why))
        status = exchange(o, &x, PAP_KIND_PUSH_RESPONSE);
    status = status ? tool_report_failure(o->json, status, x.why) : report_push(o, &x);
    exchange_clear(&x);
    return status;
}

static int file_error(const char *path, enum err e)
{
    (void)fprintf(stderr, "pap-push: %s: %s\n", path ? path : "standard input", tool_read_why(e));
    return TOOL_USAGE;
}

/* Content and capabilities from where they are. */
static int read_and_send(struct options *o)
{
    struct buf content, capabilities;
    struct slice rdf = SLICE_NONE;
    int status;
    enum err e = ERR_OK;

    buf_init(&content, CONTENT_MAX_N);
    buf_init(&capabilities, CONTENT_MAX_N);
    if (o->text)
        buf_add_str(&content, o->text);
    else
        e = tool_read(o->file, &content);
    if (e) {
        status = file_error(o->file, e);
    } else if (o->capabilities && (e = tool_read(o->capabilities, &capabilities))) {
        status = file_error(o->capabilities, e);
    } else {
        if (o->capabilities)
            rdf = capabilities.n ? buf_slice(&capabilities) : SLICE("");
        status = send_push(o, buf_slice(&content), rdf);
    }
    buf_clear(&content);
    buf_clear(&capabilities);
    return status;
}

static int submit(struct options *o)
{
    char id[NAME_N];

    if (o->file && o->text)
        return usage_error("--file or --text, not both");
    if (!o->submit.push_id) {
        name_make(id);
        o->submit.push_id = id;
    }
    if (!o->submit.type)
        o->submit.type = "text/plain";
    o->submit.headers = &o->headers;
    return read_and_send(o);
}

static int replace(struct options *o)
{
    o->submit.replace_id = o->words.v[0];
    return submit(o);
}

/* --- cancel, status, capabilities --- */

static int ask(struct options *o, struct exchange *x, enum pap_kind kind, const char *id,
               const char *const *words, size_t n)
{
    struct tool_query q = {.kind = kind, .id = id, .app_id = o->submit.app_id, .version = o->submit.version};

    buf_add_str(&x->type, "application/xml");
    if (recipients(o, words, n, x, &q.to) || tool_query_print(&q, &x->body, x->why))
        return TOOL_USAGE;
    return exchange(o, x, pap_kind_answer(kind));
}

static int query(struct options *o, enum pap_kind kind)
{
    const char *push_id = o->words.v[0];
    const struct pap_message *m;
    struct exchange x;
    int status;

    exchange_init(&x);
    m = &x.answer.message;
    status = ask(o, &x, kind, push_id, o->words.v + 1, o->words.n - 1);
    if (!status && m->kind != PAP_KIND_BADMESSAGE_RESPONSE)
        status = about(&x, m->cancel_response.push_id, push_id, "push");
    if (status)
        status = tool_report_failure(o->json, status, x.why);
    else if (m->kind == PAP_KIND_BADMESSAGE_RESPONSE)
        status = tool_report_bad(o->json, &m->bad);
    else
        status = tool_report_results(o->json, &m->cancel_response); /* the same struct for both */
    exchange_clear(&x);
    return status;
}

static int cancel(struct options *o)
{
    return query(o, PAP_KIND_CANCEL_MESSAGE);
}

static int ask_status(struct options *o)
{
    return query(o, PAP_KIND_STATUSQUERY_MESSAGE);
}

static int report_capabilities(const struct options *o, const struct tool_answer *a)
{
    if (o->out && a->capabilities.p && tool_write(o->out, a->capabilities)) {
        (void)fprintf(stderr, "pap-push: %s: cannot be written\n", o->out);
        return TOOL_USAGE;
    }
    return tool_report_capabilities(o->json, a, o->out);
}

static int ask_capabilities(struct options *o)
{
    const struct pap_message *m;
    char id[NAME_N];
    struct exchange x;
    int status;

    if (!o->submit.push_id) {
        name_make(id);
        o->submit.push_id = id;
    }
    exchange_init(&x);
    m = &x.answer.message;
    status = ask(o, &x, PAP_KIND_CCQ_MESSAGE, o->submit.push_id, o->words.v, 1);
    if (!status && m->kind == PAP_KIND_CCQ_RESPONSE && m->ccq_response.query_id.p)
        status = about(&x, m->ccq_response.query_id, o->submit.push_id, "question");
    if (status)
        status = tool_report_failure(o->json, status, x.why);
    else if (m->kind == PAP_KIND_BADMESSAGE_RESPONSE)
        status = tool_report_bad(o->json, &m->bad);
    else
        status = report_capabilities(o, &x.answer);
    exchange_clear(&x);
    return status;
}

/* --- listen --- */

static void heard(const struct pap_notification *n, void *arg)
{
    tool_report_notification(((const struct options *)arg)->json, n);
}

static void noise(const char *why, void *arg)
{
    (void)arg;
    (void)fprintf(stderr, "pap-push: refused: %s\n", why);
}

static int listen_for(struct options *o)
{
    char why[TOOL_WHY_N];
    int status;

    if (!o->listen.bind)
        return usage_error("listen: --bind is needed");
    if (!o->listen.path)
        o->listen.path = "/notify";
    o->listen.count = (uint64_t)o->count;
    o->listen.timeout_ms = o->timeout_s * 1000;
    o->listen.answer = o->answer ? (unsigned)o->answer : PAP_CODE_OK;
    o->listen.http_status = o->http_status ? (unsigned)o->http_status : 202;
    o->listen.heard = heard;
    o->listen.noise = noise;
    o->listen.arg = o;
    status = tool_listen(&o->listen, why);
    if (status)
        (void)fprintf(stderr, "pap-push: %s\n", why);
    return status;
}

/* --- commands --- */

static const struct command {
    const char *name;
    const char *words; /* what stands behind it */
    const char *help;
    const struct tool_option *options;
    size_t words_min, words_max;
    bool url; /* must be given */
    int (*run)(struct options *o);
} commands[] = {
    {"submit", "", "hand one push to a gateway", submit_options, 0, 0, true, submit},
    {"replace", " OLD-ID", "hand over a push that takes the place of an earlier one", replace_options, 1, 1,
     true, replace},
    {"cancel", " PUSH-ID [ADDRESS...]", "take a push back, from all or from these", query_options, 1,
     TOOL_LIST_MAX, true, cancel},
    {"status", " PUSH-ID [ADDRESS...]", "what became of a push, for all or for these", query_options, 1,
     TOOL_LIST_MAX, true, ask_status},
    {"capabilities", " ADDRESS", "what a terminal can take", capabilities_options, 1, 1, true,
     ask_capabilities},
    {"listen", "", "take result notifications", listen_options, 0, 0, false, listen_for},
};

static void help(FILE *to)
{
    (void)fputs("usage: pap-push COMMAND [OPTIONS]\n", to);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)fprintf(to, "  %-13s %s\n", commands[i].name, commands[i].help);
    (void)fputs("  pap-push COMMAND --help tells more\n"
                "exit status: 0 for a PAP code 1xxx, 2 to 5 for 2xxx to 5xxx; an answer with several results "
                "counts as the\n"
                "  highest of their classes.  1 too few notifications in time, 64 usage, 69 nobody answers, "
                "70 no memory,\n"
                "  76 the far end broke the protocol, 77 not authenticated\n",
                to);
}

static int version(void)
{
    (void)puts("pap-push " PPG_VERSION);
    return TOOL_OK;
}

static int run(const struct command *c, int argc, char *const *argv)
{
    struct options o = {.json = false};
    char why[TOOL_WHY_N];

    if (tool_parse(c->options, argc, argv, &o, &o.words, why))
        return usage_error(why);
    if (o.version)
        return version();
    if (o.help) {
        (void)printf("usage: pap-push %s%s [OPTIONS]: %s\n", c->name, c->words, c->help);
        tool_help(stdout, c->options);
        return TOOL_OK;
    }
    if (o.words.n < c->words_min || o.words.n > c->words_max || (o.words.n && !*o.words.v[0])) {
        (void)fprintf(stderr, "pap-push: usage: pap-push %s%s [OPTIONS]\n", c->name, c->words);
        return TOOL_USAGE;
    }
    if (c->url && !o.post.url)
        return usage_error("--url is needed");
    defaults(&o);
    return c->run(&o);
}

static int dispatch(int argc, char **argv)
{
    struct slice name = slice_str(argc > 1 ? argv[1] : NULL);

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (slice_eq(name, slice_str(commands[i].name)))
            return run(&commands[i], argc - 2, argv + 2);
    if (slice_eq(name, SLICE("--version")))
        return version();
    if (slice_eq(name, SLICE("--help"))) {
        help(stdout);
        return TOOL_OK;
    }
    (void)fprintf(stderr, "pap-push: %s%s\n", name.n ? "no such command: " : "a command is needed",
                  name.n ? argv[1] : "");
    help(stderr);
    return TOOL_USAGE;
}

int main(int argc, char **argv)
{
    int status;

    (void)signal(SIGPIPE, SIG_IGN);
    status = dispatch(argc, argv);
    return fflush(stdout) == 0 ? status : TOOL_SELF;
}
