/* pap-push: a push initiator on the command line.  `submit` hands one push to a gateway and says what became of it;
 * `listen` takes result notifications.  The exit status follows the class of the PAP code.  Not for scripts that push
 * thousands: each call is one connection.  [PAP §3, §4, §6]. */
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/mem.h"
#include "pap/parse.h"
#include "pap/time.h"
#include "pap/vocab.h"
#include "ppg/tool/tool.h"
#include "ppg/tool/listen.h"
#include "ppg/tool/post.h"
#include "ppg/tool/submit.h"
#include "security/secret.h"

#define CONTENT_MAX_N (64u << 20)
#define BODY_MAX_N    (80u << 20)
#define ANSWER_MAX_N  (4u << 20)
#define MEM_MAX_N     (16u << 20)
#define ID_N          8  /* random octets of a push-id */
#define BOUNDARY_N    16 /* random octets of a boundary */

struct options {
    struct tool_post post;
    struct tool_submit submit;
    struct tool_listen listen;
    struct tool_list to;
    struct tool_list headers;
    const char *capabilities;
    const char *file;
    const char *text;
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
        {"json", NULL, "print JSON objects", TOOL_FLAG, AT(json), 0, 0},                                     \
        {"help", NULL, "print this", TOOL_FLAG, AT(help), 0, 0},                                             \
        {"version", NULL, "print the version", TOOL_FLAG, AT(version), 0, 0},                                \
        {NULL, NULL, NULL, TOOL_FLAG, 0, 0, 0},

static const struct tool_option submit_options[] = {
    {"url", "URL", "where the gateway takes submissions", TOOL_TEXT, AT(post.url), 0, 0},
    {"to", "ADDRESS", "recipient, repeatable: WAPPUSH=..., +1555..., user@host, sip:...", TOOL_LIST, AT(to),
     0, 0},
    {"id", "PUSH-ID", "default: a random one", TOOL_TEXT, AT(submit.push_id), 0, 0},
    {"file", "FILE", "the content; default: standard input", TOOL_TEXT, AT(file), 0, 0},
    {"text", "TEXT", "the content", TOOL_TEXT, AT(text), 0, 0},
    {"type", "MIME", "of the content; default: text/plain", TOOL_TEXT, AT(submit.type), 0, 0},
    {"app", "APP-ID", "X-Wap-Application-Id", TOOL_TEXT, AT(submit.app_id), 0, 0},
    {"initiator-uri", "URI", "X-Wap-Initiator-URI", TOOL_TEXT, AT(submit.initiator_uri), 0, 0},
    {"header", "'NAME: VALUE'", "another header of the content, repeatable", TOOL_LIST, AT(headers), 0, 0},
    {"protection", "LEVEL", "none, integrity or full", TOOL_TEXT, AT(submit.protection), 0, 0},
    {"priority", "WORD", "high, medium or low", TOOL_TEXT, AT(submit.priority), 0, 0},
    {"method", "WORD", "confirmed, preferconfirmed, unconfirmed or notspecified", TOOL_TEXT,
     AT(submit.method), 0, 0},
    {"network", "NAME", "network to use", TOOL_TEXT, AT(submit.network), 0, 0},
    {"network-required", NULL, "no other network will do", TOOL_FLAG, AT(submit.network_required), 0, 0},
    {"bearer", "NAME", "bearer to use", TOOL_TEXT, AT(submit.bearer), 0, 0},
    {"bearer-required", NULL, "no other bearer will do", TOOL_FLAG, AT(submit.bearer_required), 0, 0},
    {"after", "TIME", "not before: 2030-01-31T12:00:00Z or +10m (s, m, h, d)", TOOL_TEXT, AT(submit.after), 0,
     0},
    {"before", "TIME", "not after", TOOL_TEXT, AT(submit.before), 0, 0},
    {"notify", "URL", "where the result is to be told", TOOL_TEXT, AT(submit.notify), 0, 0},
    {"source-reference", "TEXT", "name of the content provider", TOOL_TEXT, AT(submit.source_ref), 0, 0},
    {"progress", NULL, "ask for progress notes", TOOL_FLAG, AT(submit.progress), 0, 0},
    {"capabilities", "FILE", "capabilities of the client, RDF", TOOL_TEXT, AT(capabilities), 0, 0},
    {"pap-version", "N", "1.0, 2.0 (default) or 2.1", TOOL_TEXT, AT(submit.version), 0, 0},
    {"cert", "FILE", "our certificate, PEM", TOOL_TEXT, AT(post.cert), 0, 0},
    {"key", "FILE", "its key", TOOL_TEXT, AT(post.key), 0, 0},
    {"ca", "FILE", "who signs the gateway; default: the system's list", TOOL_TEXT, AT(post.ca), 0, 0},
    {"user", "NAME", "for Digest", TOOL_TEXT, AT(post.user), 0, 0},
    {"password-file", "FILE", "its first line is the password", TOOL_TEXT, AT(post.password_file), 0, 0},
    {"basic", NULL, "Basic is good enough, inside TLS", TOOL_FLAG, AT(post.basic), 0, 0},
    COMMON};

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

static int leave(int status)
{
    return fflush(stdout) == 0 ? status : TOOL_SELF;
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

static void set_text(json_t *into, const char *key, struct slice text)
{
    if (text.p)
        (void)json_object_set_new(into, key, json_stringn(text.p, text.n));
}

static void set_time(json_t *into, const char *key, struct pap_time time)
{
    struct buf text;

    buf_init(&text, 64);
    if (time.given && !pap_time_print(time.utc_s, &text))
        set_text(into, key, buf_slice(&text));
    buf_clear(&text);
}

static void set_code(json_t *into, enum pap_code code, struct slice desc)
{
    (void)json_object_set_new(into, "code", json_integer(code));
    set_text(into, "text", slice_str(pap_code_text(code)));
    set_text(into, "description", desc);
}

/* One object, one line; the object is gone afterwards. */
static void print_json(json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
    json_decref(object);
}

static void print_word(const char *name, struct slice text)
{
    if (!text.n)
        return;
    (void)printf("%s", name);
    tool_print(stdout, text);
}

static void print_time(const char *name, struct pap_time time)
{
    struct buf text;

    buf_init(&text, 64);
    if (time.given && !pap_time_print(time.utc_s, &text))
        print_word(name, buf_slice(&text));
    buf_clear(&text);
}

/* "1001 Accepted for Processing push-id=ID: what the gateway adds" */
static void print_code(enum pap_code code, struct slice push_id, struct slice desc)
{
    (void)printf("%u %s", code, pap_code_text(code));
    print_word(" push-id=", push_id);
    if (!slice_eq_ci(desc, slice_str(pap_code_text(code))))
        print_word(": ", desc);
    (void)fputc('\n', stdout);
}

static void response_json(const struct pap_push_response *r)
{
    json_t *o = json_object(), *notes = json_array();

    set_code(o, r->result.code, r->result.desc);
    set_text(o, "push_id", r->push_id);
    set_text(o, "sender_address", r->sender_address);
    set_text(o, "sender_name", r->sender_name);
    set_time(o, "reply_time", r->reply_time);
    for (size_t i = 0; i < r->notes.n; i++) {
        json_t *note = json_object();

        set_text(note, "stage", r->notes.v[i].stage);
        set_text(note, "note", r->notes.v[i].note);
        set_time(note, "time", r->notes.v[i].time);
        (void)json_array_append_new(notes, note);
    }
    (void)json_object_set_new(o, "progress", notes);
    print_json(o);
}

static void response_text(const struct pap_push_response *r)
{
    print_code(r->result.code, r->push_id, r->result.desc);
    for (size_t i = 0; i < r->notes.n; i++) {
        print_word("note ", r->notes.v[i].stage);
        print_time(" ", r->notes.v[i].time);
        print_word(": ", r->notes.v[i].note);
        (void)fputc('\n', stdout);
    }
}

/* What came of it when no PAP answer did. */
static int report_failure(const struct options *o, int status, const char *why)
{
    json_t *object;

    if (!o->json) {
        (void)fprintf(stderr, "pap-push: %s\n", why);
        return status;
    }
    object = json_object();
    set_text(object, "error", slice_str(why));
    (void)json_object_set_new(object, "exit", json_integer(status));
    print_json(object);
    return leave(status);
}

/* 0 for 1xxx, else the class [PAP §6]. */
static int exit_of(enum pap_code code)
{
    unsigned class = (unsigned)pap_code_class(code) / 1000;

    return class == 0 ? TOOL_FAULT : class == 1 ? TOOL_OK : (int)class;
}

static int report_bad(const struct options *o, const struct pap_bad *bad)
{
    enum pap_code code = bad->code ? bad->code : PAP_CODE_BAD_REQUEST; /* 1.0 has no code there */
    json_t *object;

    if (!o->json) {
        print_code(code, SLICE_NONE, bad->desc);
        print_word("fragment ", bad->fragment);
        (void)fputs(bad->fragment.n ? "\n" : "", stdout);
        return leave(exit_of(code));
    }
    object = json_object();
    set_code(object, code, bad->desc);
    set_text(object, "fragment", bad->fragment);
    print_json(object);
    return leave(exit_of(code));
}

static int report(const struct options *o, const struct pap_message *m)
{
    if (m->kind == PAP_KIND_BADMESSAGE_RESPONSE)
        return report_bad(o, &m->bad);
    if (m->kind != PAP_KIND_PUSH_RESPONSE)
        return report_failure(o, TOOL_FAULT, "the gateway answered something else than a push-response");
    if (!slice_eq(m->push_response.push_id, slice_str(o->submit.push_id)))
        return report_failure(o, TOOL_FAULT, "the gateway answered about another push");
    if (o->json)
        response_json(&m->push_response);
    else
        response_text(&m->push_response);
    return leave(exit_of(m->push_response.result.code));
}

static int report_answer(const struct options *o, struct slice xml, struct arena *mem)
{
    const struct pap_limits limits = PAP_LIMITS_DEFAULT;
    struct pap_parser *parser;
    struct pap_message m;
    struct pap_fault fault;
    char why[TOOL_WHY_N];
    enum err e = pap_parser_create(&parser);

    if (e)
        return report_failure(o, TOOL_SELF, err_text(e));
    e = pap_parse(parser, xml, &limits, mem, &m, &fault);
    pap_parser_free(&parser);
    if (!e)
        return report(o, &m);
    (void)snprintf(why, sizeof why, "the gateway's answer is no PAP: %s", fault.desc);
    return report_failure(o, TOOL_FAULT, why);
}

static int send_push(struct options *o, struct slice content, struct slice capabilities)
{
    struct buf type, body, answer;
    struct arena mem;
    char boundary[2 * BOUNDARY_N + 1], why[TOOL_WHY_N] = "out of memory";
    int status = TOOL_USAGE;

    random_hex(boundary, BOUNDARY_N);
    arena_init(&mem, 4096, MEM_MAX_N);
    buf_init(&type, 256);
    buf_init(&body, BODY_MAX_N);
    buf_init(&answer, ANSWER_MAX_N);
    o->submit.boundary = boundary;
    o->submit.content = content;
    o->submit.capabilities = capabilities;
    o->submit.now_s = (int64_t)time(NULL);
    if (!tool_submit_print(&o->submit, &mem, &type, &body, why)) {
        o->post.content_type = buf_slice(&type);
        o->post.body = buf_slice(&body);
        status = tool_post(&o->post, &answer, why);
    }
    status = status ? report_failure(o, status, why) : report_answer(o, buf_slice(&answer), &mem);
    buf_clear(&type);
    buf_clear(&body);
    buf_clear(&answer);
    arena_clear(&mem);
    return status;
}

/* Fills in what was not said. */
static void submit_defaults(struct options *o, char id[128])
{
    char host[64] = "", number[2 * ID_N + 1];

    if (!o->submit.push_id) { /* the customary shape, token@host [PAP §4.1] */
        (void)gethostname(host, sizeof host - 1);
        random_hex(number, ID_N);
        (void)snprintf(id, 128, "%s@%s", number, *host ? host : "pap-push");
        o->submit.push_id = id;
    }
    if (!o->submit.type)
        o->submit.type = "text/plain";
    if (!o->submit.version)
        o->submit.version = "2.0";
    o->submit.to = &o->to;
    o->submit.headers = &o->headers;
    o->post.timeout_ms = o->timeout_s ? o->timeout_s * 1000 : 30000;
}

static int file_error(const char *path, enum err e)
{
    (void)fprintf(stderr, "pap-push: %s: %s\n", path ? path : "standard input", err_text(e));
    return TOOL_USAGE;
}

static int submit(struct options *o)
{
    struct buf content, capabilities;
    struct slice rdf = SLICE_NONE;
    char id[128];
    int status;
    enum err e = ERR_OK;

    if (!o->post.url)
        return usage_error("submit: --url is needed");
    if (o->file && o->text)
        return usage_error("submit: --file or --text, not both");
    submit_defaults(o, id);
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

static void heard_json(const struct pap_notification *n)
{
    json_t *o = json_object(), *addresses = json_array();

    set_code(o, n->code, n->desc);
    set_text(o, "push_id", n->push_id);
    set_text(o, "state", slice_str(pap_state_text(n->state)));
    set_text(o, "sender_address", n->sender_address);
    set_text(o, "sender_name", n->sender_name);
    set_time(o, "received_time", n->received_time);
    set_time(o, "event_time", n->event_time);
    for (size_t i = 0; i < n->addrs.n; i++)
        (void)json_array_append_new(addresses, json_stringn(n->addrs.v[i].p, n->addrs.v[i].n));
    (void)json_object_set_new(o, "addresses", addresses);
    if (n->qos.given) {
        set_text(o, "priority", slice_str(pap_priority_text(n->qos.priority)));
        set_text(o, "method", slice_str(pap_delivery_text(n->qos.delivery)));
    }
    print_json(o);
}

static void heard(const struct pap_notification *n, void *arg)
{
    const struct options *o = arg;

    if (o->json) {
        heard_json(n);
        return;
    }
    (void)printf("%s %u %s", pap_state_text(n->state), n->code, pap_code_text(n->code));
    print_word(" push-id=", n->push_id);
    for (size_t i = 0; i < n->addrs.n; i++)
        print_word(" address=", n->addrs.v[i]);
    print_time(" event-time=", n->event_time);
    if (!slice_eq_ci(n->desc, slice_str(pap_code_text(n->code))))
        print_word(": ", n->desc);
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
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
    return leave(status);
}

static const struct command {
    const char *name;
    const char *help;
    const struct tool_option *options;
    int (*run)(struct options *o);
} commands[] = {
    {"submit", "hand one push to a gateway", submit_options, submit},
    {"listen", "take result notifications", listen_options, listen_for},
};

static void help(FILE *to)
{
    (void)fputs("usage: pap-push COMMAND [OPTIONS]\n", to);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
    (void)fputs(
        "  pap-push COMMAND --help tells more\n"
        "exit status: 0 for a PAP code 1xxx, 2 to 5 for 2xxx to 5xxx, 1 too few notifications in time,\n"
        "  64 usage, 69 nobody answers, 70 no memory, 76 the far end broke the protocol, 77 not "
        "authenticated\n",
        to);
}

static int version(void)
{
    (void)puts("pap-push " PPG_VERSION);
    return leave(TOOL_OK);
}

static int run(const struct command *c, int argc, char *const *argv)
{
    struct options o = {.json = false};
    struct tool_list words = {.n = 0};
    char why[TOOL_WHY_N];

    if (tool_parse(c->options, argc, argv, &o, &words, why))
        return usage_error(why);
    if (o.version)
        return version();
    if (o.help) {
        (void)printf("usage: pap-push %s [OPTIONS]: %s\n", c->name, c->help);
        tool_help(stdout, c->options);
        return leave(TOOL_OK);
    }
    if (words.n)
        return usage_error("words without an option are not understood");
    return c->run(&o);
}

int main(int argc, char **argv)
{
    struct slice name = slice_str(argc > 1 ? argv[1] : NULL);

    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (slice_eq(name, slice_str(commands[i].name)))
            return run(&commands[i], argc - 2, argv + 2);
    if (slice_eq(name, SLICE("--version")))
        return version();
    if (slice_eq(name, SLICE("--help"))) {
        help(stdout);
        return leave(TOOL_OK);
    }
    (void)fprintf(stderr, "pap-push: %s%s\n", name.n ? "no such command: " : "a command is needed",
                  name.n ? argv[1] : "");
    help(stderr);
    return TOOL_USAGE;
}
