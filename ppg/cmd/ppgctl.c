/* ppgctl: the operator's tool; asks a running gateway over its UNIX socket (see ppg/admin.h) and prints the answer for
 * people, or as it came with --json.  It knows the requests and nothing about the gateway's inside.  Exit status: 0
 * done, 1 the gateway refused, 2 usage, 3 no answer, or one that makes no sense. */
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/net/http1.h"
#include "base/clk.h"
#include "ppg/tool/explain.h"
#include "ppg/tool/key.h"
#include "ppg/tool/socket.h"
#include "ppg/tool/table.h"
#include "ppg/tool/tool.h"

#define SOCKET_DEFAULT "/run/ppg/ppgd.sock"
#define ANSWER_MAX_N   (64u << 20)
#define TARGET_MAX_N   4096u
#define KEY_BODY_MAX_N 16384u

enum { EXIT_OK, EXIT_NO, EXIT_USAGE, EXIT_REACH };

struct options {
    const char *socket;
    const char *initiator;
    const char *as;
    struct tool_key key; /* name: not here, it is a word */
    int64_t heads;       /* -1: not said */
    int64_t timeout_s;
    bool json;
    bool help;
    bool version;
};

#define AT(member) offsetof(struct options, member)
static const struct tool_option options[] = {
    {"socket", "PATH", "default: $PPG_SOCKET, else " SOCKET_DEFAULT, TOOL_TEXT, AT(socket), 0, 0},
    {"initiator", "NAME", "push, queue: of this account; default: the newest push of any, all", TOOL_TEXT,
     AT(initiator), 0, 0},
    {"heads", "N", "queue: so many of those due longest; default: 10", TOOL_NUMBER, AT(heads), 0, 1000},
    {"as", "NEW-ID", "push replay: push-id of the copy; default: made from the old one", TOOL_TEXT, AT(as), 0,
     0},
    {"kind", "KIND", "key add: association, psk, password or subscriber", TOOL_TEXT, AT(key.kind), 0, 0},
    {"secret-file", "FILE",
     "key add, rotate: its one line, hexadecimal digits or a password; -: standard input", TOOL_TEXT,
     AT(key.secret_file), 0, 0},
    {"suites", "LIST", "key add, rotate: of an association, most wanted first", TOOL_TEXT, AT(key.suites), 0,
     0},
    {"expires", "TIME", "key add, rotate: never, +30d or 2027-01-31T00:00:00Z; default: never", TOOL_TEXT,
     AT(key.expires), 0, 0},
    {"grace", "TIME", "key rotate: how long the old key is still accepted, as 7d or 12h", TOOL_TEXT,
     AT(key.grace), 0, 0},
    {"file", "FILE", "key import: an association file", TOOL_TEXT, AT(key.file), 0, 0},
    {"timeout", "SECONDS", "wait so long for the answer; default: 60", TOOL_NUMBER, AT(timeout_s), 1, 3600},
    {"json", NULL, "print the answer as it came", TOOL_FLAG, AT(json), 0, 0},
    {"help", NULL, "print this", TOOL_FLAG, AT(help), 0, 0},
    {"version", NULL, "print the version", TOOL_FLAG, AT(version), 0, 0},
    {NULL, NULL, NULL, TOOL_FLAG, 0, 0, 0},
};

static int no_answer(const char *why)
{
    (void)fprintf(stderr, "ppgctl: %s\n", why);
    return EXIT_REACH;
}

/* --- printing --- */

static void print_queue(const json_t *answer)
{
    const json_t *heads = json_object_get(answer, "due_longest");

    tool_table_rows(json_object_get(answer, "initiators"));
    if (!json_array_size(heads)) {
        (void)puts("nothing waits");
        return;
    }
    (void)puts("\ndue longest:");
    tool_table_rows(heads);
}

static void print_keys(const json_t *answer)
{
    if (json_array_size(json_object_get(answer, "keys")))
        tool_table_rows(json_object_get(answer, "keys"));
    else
        (void)puts("no keys");
}

static void print_associations(const json_t *answer)
{
    json_int_t more = tool_json_n(answer, "more");

    if (json_array_size(json_object_get(answer, "associations")))
        tool_table_rows(json_object_get(answer, "associations"));
    else
        (void)puts("no associations");
    if (more > 0)
        (void)printf("and %" JSON_INTEGER_FORMAT " more\n", more);
}

/* What was done, then recipient by recipient. */
static void print_act(const json_t *answer)
{
    static const char *const lists[] = {"results", "refused"};

    if (json_object_get(answer, "replayed"))
        (void)printf("replayed %" JSON_INTEGER_FORMAT " as ", tool_json_n(answer, "replayed"));
    else
        (void)printf("cancelled %" JSON_INTEGER_FORMAT " of ", tool_json_n(answer, "cancelled"));
    tool_print(stdout, slice_str(tool_json_text(answer, "push_id")));
    (void)putchar('\n');
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        tool_table_rows(json_object_get(answer, lists[i]));
}

static void print_lines(const json_t *lines)
{
    const json_t *line;
    size_t i;

    json_array_foreach(lines, i, line)
    {
        tool_table_value(stderr, line);
        (void)fputc('\n', stderr);
    }
}

/* Whom it was refused for, when the gateway says so. */
static void print_refused(const json_t *answer)
{
    static const char *const lists[] = {"results", "refused"};
    const json_t *one;
    size_t i;

    for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++)
        json_array_foreach(json_object_get(answer, lists[k]), i, one)
        {
            tool_print(stderr, slice_str(tool_json_text(one, "address")));
            (void)fputs(": ", stderr);
            tool_print(stderr, slice_str(tool_json_text(one, k ? "why" : "result")));
            (void)fputc('\n', stderr);
        }
}

static int refused(const json_t *answer, unsigned status)
{
    const json_t *lines = json_object_get(answer, "errors");
    const char *why = json_string_value(json_object_get(answer, "error"));
    json_int_t more = tool_json_n(answer, "more");

    print_lines(lines);
    if (more > 0)
        (void)fprintf(stderr, "and %" JSON_INTEGER_FORMAT " more\n", more);
    if (!json_array_size(lines)) {
        (void)fputs("ppgctl: ", stderr);
        tool_print(stderr, slice_str(why ? why : net_http_reason(status)));
        (void)fputc('\n', stderr);
    }
    print_refused(answer);
    return EXIT_NO;
}

typedef void print_fn(const json_t *answer);

static int print_answer(const struct options *o, unsigned http_status, struct slice body, print_fn *print)
{
    json_t *answer = json_loadb(body.p ? body.p : "", body.n, 0, NULL);
    bool good = http_status >= 200 && http_status < 300;
    int status = good ? EXIT_OK : EXIT_NO;

    if (good && !json_is_object(answer)) {
        status = no_answer("the gateway's answer: not a JSON object");
    } else if (o->json && body.n) {
        (void)fwrite(body.p, 1, body.n, stdout);
        (void)fputs(slice_ends(body, SLICE("\n")) ? "" : "\n", stdout);
    } else if (good) {
        print(answer);
    } else {
        status = refused(answer, http_status);
    }
    json_decref(answer);
    return fflush(stdout) == 0 ? status : EXIT_REACH;
}

/* --- commands --- */

struct command {
    const char *words; /* "push show" */
    const char *more;  /* what stands behind them */
    const char *help;
    const char *method;
    const char *target;
    print_fn *print;
    bool id;        /* a push-id follows */
    bool addresses; /* and perhaps addresses */
    bool initiator; /* --initiator may be said, */
    bool must_name; /* and must */
    bool heads;
    bool as;
    bool name;     /* a name follows, of a key or association */
    unsigned says; /* of SAY_...: what else is said of a key */
    unsigned must; /* and what has to be */
};

#define SAY_KIND    0x01u
#define SAY_SECRET  0x02u
#define SAY_SUITES  0x04u
#define SAY_EXPIRES 0x08u
#define SAY_GRACE   0x10u
#define SAY_FILE    0x20u

static const struct command commands[] = {
    {.words = "status",
     .more = "",
     .help = "what the gateway is doing",
     .method = "GET",
     .target = "/status",
     .print = tool_table_object},
    {.words = "reload",
     .more = "",
     .help = "read the configuration anew, whole or not at all",
     .method = "POST",
     .target = "/reload",
     .print = tool_table_object},
    {.words = "drain",
     .more = "",
     .help = "accept and start nothing new, finish, end",
     .method = "POST",
     .target = "/drain",
     .print = tool_table_object},
    {.words = "queue",
     .more = "",
     .help = "what waits, by initiator, and what has been due longest",
     .method = "GET",
     .target = "/queue",
     .print = print_queue,
     .initiator = true,
     .heads = true},
    {.words = "push show",
     .more = " ID",
     .help = "what is so of one push; never its content",
     .method = "GET",
     .target = "/push",
     .print = tool_table_object,
     .id = true,
     .initiator = true},
    {.words = "push explain",
     .more = " ID",
     .help = "its whole life in plain words: who, which rule, every attempt",
     .method = "GET",
     .target = "/push/explain",
     .print = tool_explain,
     .id = true,
     .initiator = true},
    {.words = "push cancel",
     .more = " ID [ADDRESS...]",
     .help = "take it back, from all or from these",
     .method = "POST",
     .target = "/push/cancel",
     .print = print_act,
     .id = true,
     .addresses = true,
     .initiator = true},
    {.words = "push replay",
     .more = " ID [ADDRESS...]",
     .help = "try a copy for those that did not get it; needs --initiator",
     .method = "POST",
     .target = "/push/replay",
     .print = print_act,
     .id = true,
     .addresses = true,
     .initiator = true,
     .must_name = true,
     .as = true},
    {.words = "key list",
     .more = "",
     .help = "names, kinds, ages, ends and fingerprints; never a key",
     .method = "GET",
     .target = "/keys",
     .print = print_keys},
    {.words = "key add",
     .more = " NAME",
     .help = "needs --kind and --secret-file; --suites, --expires",
     .method = "POST",
     .target = "/keys/add",
     .print = tool_table_object,
     .name = true,
     .says = SAY_KIND | SAY_SECRET | SAY_SUITES | SAY_EXPIRES,
     .must = SAY_KIND | SAY_SECRET},
    {.words = "key import",
     .more = " NAME",
     .help = "an association out of the file --file",
     .method = "POST",
     .target = "/keys/import",
     .print = tool_table_object,
     .name = true,
     .says = SAY_FILE,
     .must = SAY_FILE},
    {.words = "key rotate",
     .more = " NAME",
     .help = "another key from now on; needs --secret-file and --grace",
     .method = "POST",
     .target = "/keys/rotate",
     .print = tool_table_object,
     .name = true,
     .says = SAY_SECRET | SAY_SUITES | SAY_EXPIRES | SAY_GRACE,
     .must = SAY_SECRET | SAY_GRACE},
    {.words = "key remove",
     .more = " NAME",
     .help = "all versions of it; what still names it keeps the configuration as it is",
     .method = "POST",
     .target = "/keys/remove",
     .print = tool_table_object,
     .name = true},
    {.words = "sa list",
     .more = "",
     .help = "associations with terminals that are in force",
     .method = "GET",
     .target = "/sa",
     .print = print_associations},
    {.words = "sa show",
     .more = " NAME",
     .help = "those of an address, a key or a SAID",
     .method = "GET",
     .target = "/sa",
     .print = print_associations,
     .name = true},
    {.words = "sa revoke",
     .more = " NAME",
     .help = "nothing is sealed under it any more",
     .method = "POST",
     .target = "/sa/revoke",
     .print = tool_table_object,
     .name = true},
};

/* ?name=value or &name=value */
static void query_add(struct buf *target, const char *name, const char *value)
{
    if (!value)
        return;
    buf_add_ch(target, slice_find(buf_slice(target), '?') == SIZE_MAX ? '?' : '&');
    buf_add_str(target, name);
    buf_add_ch(target, '=');
    codec_percent(target, slice_str(value), "-._~");
}

static void target_print(const struct command *c, const struct options *o, const char *id, struct buf *target)
{
    char heads[24];

    buf_add_str(target, c->target);
    if (slice_eq(slice_str(c->method), SLICE("POST")))
        return;
    (void)snprintf(heads, sizeof heads, "%lld", (long long)o->heads);
    query_add(target, c->name ? "name" : "id", id);
    query_add(target, "initiator", o->initiator);
    query_add(target, "heads", o->heads < 0 ? NULL : heads);
}

static void body_set(json_t *body, const char *name, const char *value)
{
    if (value)
        (void)json_object_set_new(body, name, json_string(value));
}

/* NULL: this command has none, or a word is no UTF-8. */
static char *body_print(const struct options *o, const char *id, const char *const *to, size_t to_n)
{
    json_t *body = json_object(), *list = json_array();
    char *out = NULL;
    bool good = true;

    body_set(body, "id", id);
    body_set(body, "initiator", o->initiator);
    body_set(body, "as", o->as);
    for (size_t i = 0; i < to_n; i++)
        good = json_array_append_new(list, json_string(to[i])) == 0 && good;
    if (to_n)
        (void)json_object_set(body, "to", list);
    if (good && json_object_get(body, "id"))
        out = json_dumps(body, JSON_COMPACT);
    json_decref(list);
    json_decref(body);
    return out;
}

static int call(const struct command *c, const struct options *o, struct slice target, struct slice body)
{
    const char *from_env = getenv("PPG_SOCKET");
    struct tool_socket in = {.path = o->socket  ? o->socket
                                     : from_env ? from_env
                                                : SOCKET_DEFAULT,
                             .method = c->method,
                             .target = target,
                             .body = body,
                             .timeout_ms = o->timeout_s * 1000};
    char why[TOOL_WHY_N];
    struct buf answer;
    unsigned http_status;
    int status;

    buf_init(&answer, ANSWER_MAX_N);
    if (tool_socket(&in, &http_status, &answer, why))
        status = no_answer(why);
    else
        status = print_answer(o, http_status, buf_slice(&answer), c->print);
    buf_clear(&answer);
    return status;
}

static int run(const struct command *c, const struct options *o, const char *const *words, size_t n)
{
    const char *id = c->id || c->name ? words[0] : NULL;
    bool has_body = c->id && slice_eq(slice_str(c->method), SLICE("POST"));
    char *body = has_body ? body_print(o, id, words + 1, n - 1) : NULL;
    struct buf target;
    int status;

    buf_init(&target, TARGET_MAX_N);
    target_print(c, o, id, &target);
    if (buf_err(&target) || (has_body && !body))
        status = no_answer("the request: too long, or no UTF-8");
    else
        status = call(c, o, buf_slice(&target), slice_str(body));
    buf_clear(&target);
    free(body);
    return status;
}

/* The body may hold a secret, so it is made in one piece and wiped. */
static int run_key(const struct command *c, const struct options *o, const char *name)
{
    struct tool_key key = o->key;
    char why[TOOL_WHY_N] = "out of memory";
    struct buf body;
    int status = EXIT_USAGE;

    key.name = name;
    buf_init(&body, KEY_BODY_MAX_N);
    if (!buf_room(&body, KEY_BODY_MAX_N) || tool_key_body(&key, clk_utc_ms(&clk_real) / 1000, &body, why))
        (void)fprintf(stderr, "ppgctl: %s\n", why);
    else
        status = call(c, o, slice_str(c->target), buf_slice(&body));
    buf_wipe(&body);
    return status;
}

static void help(FILE *to)
{
    (void)fputs("usage: ppgctl [OPTIONS] COMMAND\n", to);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        int n = fprintf(to, "  %s%s", commands[i].words, commands[i].more);

        (void)fprintf(to, "%*s%s\n", n < 32 ? 32 - n : 1, "", commands[i].help);
    }
    tool_help(to, options);
    (void)fputs("exit status: 0 done, 1 the gateway refused, 2 usage, 3 no answer\n", to);
}

static int usage_error(const char *why)
{
    (void)fprintf(stderr, "ppgctl: %s\n", why);
    help(stderr);
    return EXIT_USAGE;
}

/* Do the words begin with the command's?  *n words are its own then. */
static bool matches(const struct command *c, const struct tool_list *words, size_t *n)
{
    struct slice rest = slice_str(c->words), word;

    for (*n = 0; rest.n; (*n)++) {
        (void)slice_cut(rest, ' ', &word, &rest);
        if (*n == words->n || !slice_eq(word, slice_str(words->v[*n])))
            return false;
    }
    return true;
}

static unsigned said_of(const struct tool_key *k)
{
    return (k->kind ? SAY_KIND : 0) | (k->secret_file ? SAY_SECRET : 0) | (k->suites ? SAY_SUITES : 0) |
           (k->expires ? SAY_EXPIRES : 0) | (k->grace ? SAY_GRACE : 0) | (k->file ? SAY_FILE : 0);
}

static const char *wrong_key(const struct command *c, const struct options *o)
{
    unsigned said = said_of(&o->key);

    if (said & ~c->says)
        return "an option about keys does not go with this command";
    return (said & c->must) != c->must ? "an option is missing that this command needs" : NULL;
}

/* NULL: well said. */
static const char *wrong_with(const struct command *c, const struct options *o, const char *const *words,
                              size_t n)
{
    if ((c->id || c->name) && (!n || !*words[0]))
        return c->name ? "a name is needed" : "a push-id is needed";
    if (n > (c->id || c->name ? 1u : 0u) && !c->addresses)
        return "words too many";
    for (size_t i = 0; i < n; i++)
        if (!*words[i])
            return "an address is empty";
    if (o->initiator && !c->initiator)
        return "--initiator does not go with this command";
    if (c->must_name && !o->initiator)
        return "--initiator is needed";
    if (o->heads >= 0 && !c->heads)
        return "--heads goes with queue";
    if (o->as && !c->as)
        return "--as goes with push replay";
    return wrong_key(c, o);
}

static int dispatch(const struct options *o, const struct tool_list *words)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct command *c = &commands[i];
        const char *why;
        size_t n;

        if (!matches(c, words, &n))
            continue;
        why = wrong_with(c, o, words->v + n, words->n - n);
        if (why)
            return usage_error(why);
        if (c->name && slice_eq(slice_str(c->method), SLICE("POST")))
            return run_key(c, o, words->v[n]);
        return run(c, o, words->v + n, words->n - n);
    }
    return usage_error(words->n ? "no such command" : "a command is needed");
}

int main(int argc, char **argv)
{
    struct options o = {.heads = -1, .timeout_s = 60};
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
    return dispatch(&o, &words);
}
