/* ppgctl: the operator's tool; asks a running gateway over its UNIX socket (see ppg/admin.h) and prints the answer for
 * people, or as it came with --json.  It knows the requests and nothing about the gateway's inside; only a copy of an audit
 * log it checks by itself.  Exit status: 0 done, 1 the gateway refused or a test says no, 2 usage, 3 no answer, or one
 * that makes no sense. */
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clk.h"
#include "base/codec.h"
#include "base/net/http1.h"
#include "ppg/audit.h"
#include "ppg/json_wipe.h"
#include "security/secret.h"
#include "ppg/tool/explain.h"
#include "ppg/tool/key.h"
#include "ppg/tool/lists.h"
#include "ppg/tool/socket.h"
#include "ppg/tool/table.h"
#include "ppg/tool/tool.h"

#define SOCKET_DEFAULT "/run/ppg/ppgd.sock"
#define ANSWER_MAX_N   (64u << 20)
#define TARGET_MAX_N   4096u
#define KEY_BODY_MAX_N 16384u
#define FILE_MAX_N     (64u << 20) /* octets of a list */
#define PACKAGE_MAX_N  1024u

enum { EXIT_OK, EXIT_NO, EXIT_USAGE, EXIT_REACH };

struct options {
    const char *socket;
    const char *initiator;
    const char *as;
    const char *recipient, *application, *type, *uri, *asked, *at, *operation, *owner, *push_id;
    const char *san, *user, *source;
    const char *replay;
    struct tool_key key; /* name: not here, it is a word */
    const char *package; /* file to write */
    int64_t heads;       /* -1: not said, as all below */
    int64_t line, size, count, from;
    int64_t timeout_s;
    bool all;
    bool json;
    bool help;
    bool version;
};

#define AT(member) offsetof(struct options, member)
static const struct tool_option options[] = {
    {"socket", "PATH", "default: $PPG_SOCKET, else " SOCKET_DEFAULT, TOOL_TEXT, AT(socket), 0, 0},
    {"initiator", "NAME", "push, queue, whitelist: of this account; default: any, all", TOOL_TEXT,
     AT(initiator), 0, 0},
    {"heads", "N", "queue: so many of those due longest; default: 10", TOOL_NUMBER, AT(heads), 0, 1000},
    {"as", "NEW-ID", "push replay: push-id of the copy; default: made from the old one", TOOL_TEXT, AT(as), 0,
     0},
    {"kind", "KIND", "key add: association, psk, password or subscriber", TOOL_TEXT, AT(key.kind), 0, 0},
    {"secret-file", "FILE",
     "key add, rotate: its one line, hexadecimal digits or a password; -: standard input; audit verify FILE",
     TOOL_TEXT, AT(key.secret_file), 0, 0},
    {"suites", "LIST", "key add, rotate: of an association, most wanted first", TOOL_TEXT, AT(key.suites), 0,
     0},
    {"expires", "TIME", "key add, rotate: never, +30d or 2027-01-31T00:00:00Z; default: never", TOOL_TEXT,
     AT(key.expires), 0, 0},
    {"grace", "TIME", "key rotate: how long the old key is still accepted, as 7d or 12h", TOOL_TEXT,
     AT(key.grace), 0, 0},
    {"package", "FILE", "key add, rotate: an association's key is made here and leaves in this file only",
     TOOL_TEXT, AT(package), 0, 0},
    {"file", "FILE", "key import: an association file", TOOL_TEXT, AT(key.file), 0, 0},
    {"recipient", "ADDRESS", "whitelist test: who would get it", TOOL_TEXT, AT(recipient), 0, 0},
    {"application", "ID", "whitelist test: its application; default: the one of pushes without", TOOL_TEXT,
     AT(application), 0, 0},
    {"type", "MEDIA-TYPE", "whitelist test: of its content", TOOL_TEXT, AT(type), 0, 0},
    {"size", "OCTETS", "whitelist test: of its content; default: 0", TOOL_NUMBER, AT(size), 0, INT64_MAX},
    {"asked", "LEVEL", "whitelist test: none, integrity or full", TOOL_TEXT, AT(asked), 0, 0},
    {"at", "TIME", "whitelist test: 2030-01-31T08:00:00Z; default: now", TOOL_TEXT, AT(at), 0, 0},
    {"uri", "URI", "whitelist test, initiator test: X-Wap-Initiator-URI", TOOL_TEXT, AT(uri), 0, 0},
    {"operation", "WORD", "whitelist test: submit (default), status or cancel", TOOL_TEXT, AT(operation), 0,
     0},
    {"owner", "NAME", "whitelist test: whose push is asked about or cancelled,", TOOL_TEXT, AT(owner), 0, 0},
    {"push-id", "ID", "and which", TOOL_TEXT, AT(push_id), 0, 0},
    {"san", "KIND:NAME", "initiator test: of its certificate, such as URI:https://mmsc.example.net",
     TOOL_TEXT, AT(san), 0, 0},
    {"user", "NAME", "initiator test: of its login", TOOL_TEXT, AT(user), 0, 0},
    {"source", "ADDRESS", "initiator test: IP address it comes from", TOOL_TEXT, AT(source), 0, 0},
    {"line", "N", "whitelist add: before this line; remove: this line", TOOL_NUMBER, AT(line), 1, UINT32_MAX},
    {"replay", "TIME", "whitelist diff: with the pushes accepted in 90s, 30m, 24h, 7d", TOOL_TEXT, AT(replay),
     0, 0},
    {"count", "N", "lists and audit tail: so many at most", TOOL_NUMBER, AT(count), 0, 10000},
    {"from", "N", "initiator, terminal list: behind so many; whitelist list: from this line on", TOOL_NUMBER,
     AT(from), 0, UINT32_MAX},
    {"timeout", "SECONDS", "wait so long for the answer; default: 60", TOOL_NUMBER, AT(timeout_s), 1, 3600},
    {"all", NULL, "terminal list: those without a connection too", TOOL_FLAG, AT(all), 0, 0},
    {"json", NULL, "print the answer as it came", TOOL_FLAG, AT(json), 0, 0},
    {"help", NULL, "print this; with a command, about that command", TOOL_FLAG, AT(help), 0, 0},
    {"version", NULL, "print the version", TOOL_FLAG, AT(version), 0, 0},
    {NULL, NULL, NULL, TOOL_FLAG, 0, 0, 0},
};

static int no_answer(const char *why)
{
    (void)fprintf(stderr, "ppgctl: %s\n", why);
    return EXIT_REACH;
}

/* --- printing --- */

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

/* A test whose answer is no. */
static bool says_no(const json_t *answer)
{
    return json_is_false(json_object_get(answer, "allow")) || json_is_false(json_object_get(answer, "good"));
}

typedef void print_fn(const json_t *answer);

/* The answer's activation package to a file, and out of the answer. */
static bool package_write(const char *path, json_t *answer)
{
    const char *text = json_string_value(json_object_get(answer, "package"));
    struct buf package;
    bool good;

    buf_init(&package, PACKAGE_MAX_N);
    good =
        text && !codec_unbase64(slice_str(text), false, &package) && !tool_write(path, buf_slice(&package));
    buf_clear(&package);
    (void)json_object_del(answer, "package");
    return good;
}

static int print_answer(const struct options *o, unsigned http_status, struct slice body, print_fn *print)
{
    json_t *answer = json_loadb(body.p ? body.p : "", body.n, 0, NULL);
    bool good = http_status >= 200 && http_status < 300;
    int status = good && !says_no(answer) ? EXIT_OK : EXIT_NO;

    if (good && !json_is_object(answer)) {
        status = no_answer("the gateway's answer: not a JSON object");
    } else if (good && o->package && !package_write(o->package, answer)) {
        status = no_answer("the package cannot be written; the key is there, rotate it for another");
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

/* What stands behind a command's words. */
enum operand {
    NOTHING,
    AN_ID,      /* "id", */
    A_NAME,     /* "initiator", */
    A_KEY,      /* "name", of a key or association */
    A_TERMINAL, /* "terminal" */
    A_RULE,     /* words that make a rule: "rule" */
    MAYBE_RULE,
    A_FILE,    /* whose octets are the body */
    MAYBE_FILE /* looked at here, and the gateway is not asked */
};

/* Options that go with a command, by the bit of their row in `says`. */
enum {
    S_INITIATOR = 1 << 0,
    S_HEADS = 1 << 1,
    S_AS = 1 << 2,
    S_RECIPIENT = 1 << 3,
    S_APPLICATION = 1 << 4,
    S_TYPE = 1 << 5,
    S_SIZE = 1 << 6,
    S_ASKED = 1 << 7,
    S_AT = 1 << 8,
    S_URI = 1 << 9,
    S_OPERATION = 1 << 10,
    S_OWNER = 1 << 11,
    S_PUSH_ID = 1 << 12,
    S_SAN = 1 << 13,
    S_USER = 1 << 14,
    S_SOURCE = 1 << 15,
    S_LINE = 1 << 16,
    S_REPLAY = 1 << 17,
    S_COUNT = 1 << 18,
    S_FROM = 1 << 19,
    S_KIND = 1 << 20, /* from here on of keys, which have a body of their own */
    S_SECRET = 1 << 21,
    S_SUITES = 1 << 22,
    S_EXPIRES = 1 << 23,
    S_GRACE = 1 << 24,
    S_FILE = 1 << 25,
    S_PACKAGE = 1 << 26,
    S_ALL = 1 << 27 /* a flag */
};

static const struct say {
    const char *option; /* without "--" */
    const char *name;   /* towards the gateway */
    size_t at;
    enum { A_TEXT, A_NUMBER, A_FLAG } kind;
} says[] = {{"initiator", "initiator", AT(initiator), A_TEXT},
            {"heads", "heads", AT(heads), A_NUMBER},
            {"as", "as", AT(as), A_TEXT},
            {"recipient", "recipient", AT(recipient), A_TEXT},
            {"application", "application", AT(application), A_TEXT},
            {"type", "type", AT(type), A_TEXT},
            {"size", "size", AT(size), A_NUMBER},
            {"asked", "asked", AT(asked), A_TEXT},
            {"at", "at", AT(at), A_TEXT},
            {"uri", "uri", AT(uri), A_TEXT},
            {"operation", "operation", AT(operation), A_TEXT},
            {"owner", "owner", AT(owner), A_TEXT},
            {"push-id", "id", AT(push_id), A_TEXT},
            {"san", "san", AT(san), A_TEXT},
            {"user", "user", AT(user), A_TEXT},
            {"source", "source", AT(source), A_TEXT},
            {"line", "line", AT(line), A_NUMBER},
            {"replay", "replay", AT(replay), A_TEXT},
            {"count", "count", AT(count), A_NUMBER},
            {"from", "from", AT(from), A_NUMBER},
            {"kind", "kind", AT(key.kind), A_TEXT},
            {"secret-file", "secret-file", AT(key.secret_file), A_TEXT},
            {"suites", "suites", AT(key.suites), A_TEXT},
            {"expires", "expires", AT(key.expires), A_TEXT},
            {"grace", "grace", AT(key.grace), A_TEXT},
            {"file", "file", AT(key.file), A_TEXT},
            {"package", "", AT(package), A_TEXT},
            {"all", "all", AT(all), A_FLAG}};
#define SAYS_N   (sizeof says / sizeof says[0])
#define NUMBER_N 24u

/* What an option says, as text; NULL: it was not given. */
static const char *said(const struct options *o, const struct say *s, char number[NUMBER_N])
{
    const void *at = (const char *)o + s->at;

    if (s->kind == A_FLAG)
        return *(const bool *)at ? "yes" : NULL;
    if (s->kind == A_TEXT)
        return *(const char *const *)at;
    if (*(const int64_t *)at < 0)
        return NULL;
    (void)snprintf(number, NUMBER_N, "%lld", (long long)*(const int64_t *)at);
    return number;
}

struct command {
    const char *words; /* "push show" */
    const char *more;  /* what stands behind them */
    const char *help;
    const char *usage; /* a paragraph for --help with the command; NULL: help says it all */
    const char *method;
    const char *target;
    print_fn *print;
    enum operand operand;
    bool addresses; /* perhaps addresses behind an id */
    unsigned may;   /* of S_..., */
    unsigned must;  /* and those it needs */
};

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
     .print = tool_lists_queue,
     .may = S_INITIATOR | S_HEADS},
    {.words = "push show",
     .more = " ID",
     .help = "what is so of one push; never its content",
     .method = "GET",
     .target = "/push",
     .print = tool_table_object,
     .operand = AN_ID,
     .may = S_INITIATOR},
    {.words = "push explain",
     .more = " ID",
     .help = "its whole life in plain words: who, which rule, every attempt",
     .method = "GET",
     .target = "/push/explain",
     .print = tool_explain,
     .operand = AN_ID,
     .may = S_INITIATOR},
    {.words = "push cancel",
     .more = " ID [ADDRESS...]",
     .help = "take it back, from all or from these",
     .method = "POST",
     .target = "/push/cancel",
     .print = tool_lists_act,
     .operand = AN_ID,
     .addresses = true,
     .may = S_INITIATOR},
    {.words = "push replay",
     .more = " ID [ADDRESS...]",
     .help = "try a copy for those that did not get it; needs --initiator",
     .method = "POST",
     .target = "/push/replay",
     .print = tool_lists_act,
     .operand = AN_ID,
     .addresses = true,
     .may = S_INITIATOR | S_AS,
     .must = S_INITIATOR},
    {.words = "key list",
     .more = "",
     .help = "names, kinds, ages, ends and fingerprints; never a key",
     .method = "GET",
     .target = "/keys",
     .print = tool_lists_keys},
    {.words = "key add",
     .more = " NAME",
     .help = "needs --kind, and --secret-file or --package; --suites, --expires",
     .method = "POST",
     .target = "/keys/add",
     .print = tool_table_object,
     .operand = A_KEY,
     .may = S_KIND | S_SECRET | S_SUITES | S_EXPIRES | S_PACKAGE,
     .must = S_KIND},
    {.words = "key import",
     .more = " NAME",
     .help = "an association out of the file --file",
     .method = "POST",
     .target = "/keys/import",
     .print = tool_table_object,
     .operand = A_KEY,
     .may = S_FILE,
     .must = S_FILE},
    {.words = "key rotate",
     .more = " NAME",
     .help = "another key from now on; needs --grace, and --secret-file or --package",
     .method = "POST",
     .target = "/keys/rotate",
     .print = tool_table_object,
     .operand = A_KEY,
     .may = S_SECRET | S_SUITES | S_EXPIRES | S_GRACE | S_PACKAGE,
     .must = S_GRACE},
    {.words = "key remove",
     .more = " NAME",
     .help = "all versions of it; what still names it keeps the configuration as it is",
     .method = "POST",
     .target = "/keys/remove",
     .print = tool_table_object,
     .operand = A_KEY},
    {.words = "terminal list",
     .more = "",
     .help = "terminals with a connection; with --all every one that is known",
     .usage =
         "A terminal is connected when it has called in, or when the gateway's connection to it is kept.\n"
         "With --all those without are listed too, in the order of the gateway's table.\n",
     .method = "GET",
     .target = "/terminal",
     .print = tool_lists_terminals,
     .may = S_FROM | S_COUNT | S_ALL},
    {.words = "terminal show",
     .more = " ADDRESS",
     .help = "how it is reached, who it proved to be, what it can take, what waits",
     .usage = "\"waiting\" is what is in memory; \"stored\" what waits for it in the store beside, \"at "
              "least\" so much where\n"
              "others have too much waiting for all of it to be looked through.\n",
     .method = "GET",
     .target = "/terminal",
     .print = tool_table_object,
     .operand = A_TERMINAL},
    {.words = "terminal disconnect",
     .more = " ADDRESS",
     .help = "end its connection; it may come back",
     .usage = "What is on the wire is tried again.  The audit log tells who did it.\n",
     .method = "POST",
     .target = "/terminal/disconnect",
     .print = tool_table_object,
     .operand = A_TERMINAL},
    {.words = "sa list",
     .more = "",
     .help = "associations with terminals that are in force",
     .method = "GET",
     .target = "/sa",
     .print = tool_lists_associations},
    {.words = "sa show",
     .more = " NAME",
     .help = "those of an address, a key or a SAID",
     .method = "GET",
     .target = "/sa",
     .print = tool_lists_associations,
     .operand = A_KEY},
    {.words = "sa revoke",
     .more = " NAME",
     .help = "nothing is sealed under it any more",
     .method = "POST",
     .target = "/sa/revoke",
     .print = tool_table_object,
     .operand = A_KEY},
    {.words = "initiator list",
     .more = "",
     .help = "who may push, and how each proves itself",
     .method = "GET",
     .target = "/initiator",
     .print = tool_lists_initiators,
     .may = S_FROM | S_COUNT},
    {.words = "initiator show",
     .more = " NAME",
     .help = "one of them, whole but for secrets",
     .method = "GET",
     .target = "/initiator",
     .print = tool_table_object,
     .operand = A_NAME},
    {.words = "initiator test",
     .more = " NAME",
     .help = "would this certificate, login, address or URI be taken for it?",
     .usage =
         "Each of --san, --user, --source and --uri that is said is held against the running configuration,\n"
         "and --san and --user also against what the account requires.  Passwords are not looked at.  Exit\n"
         "status 1: something is not good.\n",
     .method = "GET",
     .target = "/initiator/test",
     .print = tool_lists_checks,
     .operand = A_NAME,
     .may = S_SAN | S_USER | S_SOURCE | S_URI},
    {.words = "whitelist list",
     .more = "",
     .help = "its rules with their lines, as the file stands",
     .method = "GET",
     .target = "/whitelist",
     .print = tool_lists_list,
     .may = S_INITIATOR | S_FROM | S_COUNT},
    {.words = "whitelist test",
     .more = "",
     .help = "may this be pushed, and which line says so; needs --initiator",
     .usage = "Asks the list that is running: for a push to --recipient, or with --operation status or "
              "cancel for\n"
              "the push --push-id of --owner.  What is not said is as for a push without it.  Exit status 1: "
              "no.\n",
     .method = "GET",
     .target = "/whitelist/test",
     .print = tool_lists_verdict,
     .may = S_INITIATOR | S_RECIPIENT | S_APPLICATION | S_TYPE | S_SIZE | S_ASKED | S_AT | S_URI |
            S_OPERATION | S_OWNER | S_PUSH_ID,
     .must = S_INITIATOR},
    {.words = "whitelist add",
     .more = " RULE",
     .help = "put a rule at the end, or before --line, and reload",
     .usage =
         "RULE is a line as in whitelist.conf, in one word of the shell or in several.  The file keeps its\n"
         "comments and order, is replaced whole, and only when the configuration can be reloaded with it.  "
         "The\n"
         "audit log tells who did it.\n",
     .method = "POST",
     .target = "/whitelist/add",
     .print = tool_lists_change,
     .operand = A_RULE,
     .may = S_LINE},
    {.words = "whitelist remove",
     .more = " [RULE]",
     .help = "take a rule out, by its words or its --line, and reload",
     .usage = "A rule that stands several times is only taken out by its line.  All else as whitelist add.\n",
     .method = "POST",
     .target = "/whitelist/remove",
     .print = tool_lists_change,
     .operand = MAYBE_RULE,
     .may = S_LINE},
    {.words = "whitelist diff",
     .more = " FILE",
     .help = "which rules an edited copy changes, and which pushes of late",
     .usage =
         "With --replay every push accepted in that time is held against the running list and against FILE.\n"
         "What was refused then is not known any more.  A rule that only moved is shown by its effect "
         "alone.\n"
         "Nothing is changed.\n",
     .method = "POST",
     .target = "/whitelist/diff",
     .print = tool_lists_diff,
     .operand = A_FILE,
     .may = S_REPLAY},
    {.words = "whitelist import",
     .more = " FILE",
     .help = "put an edited copy in the list's place, and reload",
     .usage = "All or nothing, audited, as whitelist add.\n",
     .method = "POST",
     .target = "/whitelist/import",
     .print = tool_lists_change,
     .operand = A_FILE},
    {.words = "audit tail",
     .more = "",
     .help = "the last changes: who, when, what",
     .method = "GET",
     .target = "/audit",
     .print = tool_lists_audit,
     .may = S_COUNT},
    {.words = "audit verify",
     .more = " [FILE]",
     .help = "has a line of the audit log been changed, taken out or moved?",
     .usage = "Without FILE the gateway checks its log, and that the last line it wrote is there.  With FILE "
              "a copy\n"
              "is checked here, with --secret-file the key of [admin] audit-key.  Exit status 1: it has.\n",
     .method = "GET",
     .target = "/audit/verify",
     .print = tool_lists_chain,
     .operand = MAYBE_FILE,
     .may = S_SECRET},
};

/* --- a request --- */

/* The command line, taken apart. */
struct asked {
    const struct command *c;
    const struct options *o;
    const char *const *words; /* behind the command's own */
    size_t n;
    struct buf text; /* a rule, or a body */
};

/* The name its first word goes by; NULL: it has none. */
static const char *operand_name(const struct command *c)
{
    return c->operand == AN_ID        ? "id"
           : c->operand == A_NAME     ? "initiator"
           : c->operand == A_KEY      ? "name"
           : c->operand == A_TERMINAL ? "terminal"
                                      : NULL;
}

static bool is_rule(const struct command *c)
{
    return c->operand == A_RULE || c->operand == MAYBE_RULE;
}

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

static void target_print(const struct asked *a, struct buf *target)
{
    bool body = slice_eq(slice_str(a->c->method), SLICE("POST")) && a->c->operand != A_FILE;
    char number[NUMBER_N];

    buf_add_str(target, a->c->target);
    if (body)
        return;
    if (operand_name(a->c))
        query_add(target, operand_name(a->c), a->words[0]);
    for (size_t i = 0; i < SAYS_N; i++)
        query_add(target, says[i].name, said(a->o, &says[i], number));
}

static bool body_set(json_t *body, const char *name, const char *value)
{
    return !value || json_object_set_new(body, name, json_string(value)) == 0;
}

/* NULL: a word is no UTF-8, or memory is out. */
static char *body_print(const struct asked *a)
{
    json_t *body = json_object(), *list = json_array();
    char number[NUMBER_N], *out = NULL;
    bool good = true;

    if (operand_name(a->c))
        good = body_set(body, operand_name(a->c), a->words[0]);
    if (is_rule(a->c) && a->text.n)
        good = json_object_set_new(body, "rule", json_stringn(a->text.p, a->text.n)) == 0;
    for (size_t i = 0; i < SAYS_N && good; i++)
        good = body_set(body, says[i].name, said(a->o, &says[i], number));
    for (size_t i = 1; a->c->addresses && i < a->n && good; i++)
        good = json_array_append_new(list, json_string(a->words[i])) == 0;
    if (good && json_array_size(list))
        good = json_object_set(body, "to", list) == 0;
    if (good)
        out = json_dumps(body, JSON_COMPACT);
    json_decref(list);
    json_decref(body);
    return out;
}

static int call(const struct asked *a, struct slice target, struct slice body)
{
    const struct options *o = a->o;
    const char *from_env = getenv("PPG_SOCKET");
    struct tool_socket in = {.path = o->socket  ? o->socket
                                     : from_env ? from_env
                                                : SOCKET_DEFAULT,
                             .method = a->c->method,
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
        status = print_answer(o, http_status, buf_slice(&answer), a->c->print);
    buf_clear(&answer);
    return status;
}

static int ask(const struct asked *a)
{
    bool has_body = slice_eq(slice_str(a->c->method), SLICE("POST")) && (a->n || a->c->may);
    char *json = has_body && a->c->operand != A_FILE ? body_print(a) : NULL;
    struct buf target;
    int status;

    buf_init(&target, TARGET_MAX_N);
    target_print(a, &target);
    if (buf_err(&target) || (has_body && !json && a->c->operand != A_FILE))
        status = no_answer("the request: too long, or no UTF-8");
    else
        status = call(a, buf_slice(&target), json ? slice_str(json) : buf_slice(&a->text));
    buf_clear(&target);
    free(json);
    return status;
}

/* The body may hold a secret, so it is made in one piece and wiped. */
static int ask_about_key(const struct asked *a)
{
    struct tool_key key = a->o->key;
    char why[TOOL_WHY_N] = "out of memory";
    struct buf body;
    int status = EXIT_USAGE;

    key.name = a->words[0];
    key.package = a->o->package != NULL;
    buf_init(&body, KEY_BODY_MAX_N);
    if (!buf_room(&body, KEY_BODY_MAX_N) || tool_key_body(&key, clk_utc_ms(&clk_real) / 1000, &body, why))
        (void)fprintf(stderr, "ppgctl: %s\n", why);
    else
        status = call(a, slice_str(a->c->target), buf_slice(&body));
    buf_wipe(&body);
    return status;
}

/* The key of an audit log; none is fine. */
static enum err read_audit_key(const char *path, struct sec_secret *key)
{
    struct slice first, rest;
    struct buf text;
    enum err e;

    sec_secret_init(key);
    if (!path)
        return ERR_OK;
    buf_init(&text, FILE_MAX_N);
    e = tool_read(path, &text);
    (void)slice_cut(buf_slice(&text), '\n', &first, &rest);
    if (!e)
        e = sec_secret_set_hex(key, slice_trim(first));
    if (e)
        (void)fprintf(stderr, "ppgctl: %s: %s\n", path, err_text(e));
    buf_wipe(&text);
    return e;
}

/* A copy of an audit log, without a gateway. */
static int check_copy(const struct options *o, const char *path)
{
    struct ppg_audit_report r;
    struct sec_secret key;
    json_t *answer;
    enum err e;

    if (read_audit_key(o->key.secret_file, &key))
        return EXIT_USAGE;
    e = ppg_audit_check(path, sec_secret_slice(&key), &r);
    sec_secret_clear(&key);
    if (e) {
        (void)fprintf(stderr, "ppgctl: %s: %s\n", path, r.what);
        return EXIT_REACH;
    }
    answer = json_pack("{s:b,s:I,s:s}", "good", r.bad == 0, "lines", (json_int_t)r.lines, "last", r.last);
    if (r.bad) {
        (void)json_object_set_new(answer, "bad_line", json_integer((json_int_t)r.bad));
        (void)json_object_set_new(answer, "what", json_string(r.what));
    }
    if (o->json)
        (void)json_dumpf(answer, stdout, JSON_INDENT(1));
    else
        tool_lists_chain(answer);
    (void)fputs(o->json ? "\n" : "", stdout);
    json_decref(answer);
    return r.bad ? EXIT_NO : EXIT_OK;
}

/* The rule that the words make, or the file that the first names, to a->text. */
static enum err take_text(struct asked *a)
{
    if (a->c->operand == A_FILE)
        return tool_read(a->words[0], &a->text);
    for (size_t i = 0; is_rule(a->c) && i < a->n; i++) {
        buf_add_str(&a->text, i ? " " : "");
        buf_add_str(&a->text, a->words[i]);
    }
    return buf_err(&a->text);
}

static int run(struct asked *a)
{
    int status;

    if (a->c->operand == MAYBE_FILE && a->n)
        return check_copy(a->o, a->words[0]);
    if (a->c->operand == MAYBE_FILE && a->o->key.secret_file) {
        (void)fprintf(stderr, "ppgctl: --secret-file is for a copy: the gateway has its key\n");
        return EXIT_USAGE;
    }
    if (a->c->operand == A_KEY && slice_eq(slice_str(a->c->method), SLICE("POST")))
        return ask_about_key(a);
    buf_init(&a->text, FILE_MAX_N);
    if (take_text(a)) {
        (void)fprintf(stderr, "ppgctl: %s: cannot be read, or too big\n", a->words[0]);
        status = EXIT_USAGE;
    } else {
        status = ask(a);
    }
    buf_clear(&a->text);
    return status;
}

static void help_command(const struct command *c)
{
    (void)printf("usage: ppgctl [OPTIONS] %s%s\n%s\n%s", c->words, c->more, c->help,
                 c->usage ? c->usage : "");
    for (const struct tool_option *o = options; o->name; o++)
        for (size_t i = 0; i < SAYS_N; i++)
            if (slice_eq(slice_str(says[i].option), slice_str(o->name)) && c->may >> i & 1)
                (void)printf("  --%s %s\n        %s\n", o->name, o->value, o->help);
}

static void help(FILE *to)
{
    (void)fputs("usage: ppgctl [OPTIONS] COMMAND\n", to);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        int n = fprintf(to, "  %s%s", commands[i].words, commands[i].more);

        (void)fprintf(to, "%*s%s\n", n < 32 ? 32 - n : 1, "", commands[i].help);
    }
    tool_help(to, options);
    (void)fputs("exit status: 0 done, 1 the gateway refused or a test says no, 2 usage, 3 no answer\n", to);
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

/* --replay 24h to seconds, as the gateway takes it. */
static const char *replay_seconds(struct options *o, char text[NUMBER_N])
{
    char plus[NUMBER_N];
    int64_t seconds = 0;
    int n;

    if (!o->replay)
        return NULL;
    n = snprintf(plus, sizeof plus, "+%s", o->replay);
    if (n < 0 || (size_t)n >= sizeof plus || tool_time(slice_str(plus), 0, &seconds))
        return "--replay: a number and s, m, h or d";
    (void)snprintf(text, NUMBER_N, "%lld", (long long)seconds);
    o->replay = text;
    return NULL;
}

static const char *wrong_with_words(const struct command *c, const char *const *words, size_t n)
{
    static const char *const needs[] = {
        [AN_ID] = "a push-id is needed",       [A_NAME] = "a name is needed", [A_KEY] = "a name is needed",
        [A_TERMINAL] = "an address is needed", [A_RULE] = "a rule is needed", [A_FILE] = "a file is needed"};
    bool one = operand_name(c) || c->operand == A_FILE;

    if ((one || c->operand == A_RULE) && (!n || !*words[0]))
        return needs[c->operand];
    if (n > (one || c->operand == MAYBE_FILE ? 1u : 0u) && !c->addresses && !is_rule(c))
        return "words too many";
    for (size_t i = 0; i < n; i++)
        if (!*words[i])
            return c->addresses ? "an address is empty" : "a word is empty";
    return NULL;
}

/* NULL: well said. */
static const char *wrong_with(const struct asked *a, char why[TOOL_WHY_N])
{
    const char *wrong = wrong_with_words(a->c, a->words, a->n);
    char number[NUMBER_N];

    for (size_t i = 0; i < SAYS_N && !wrong; i++) {
        bool given = said(a->o, &says[i], number);

        if (given == ((given ? a->c->may : a->c->must) >> i & 1))
            continue;
        (void)snprintf(why, TOOL_WHY_N, "--%s %s", says[i].option,
                       given ? "does not go with this command" : "is needed");
        wrong = why;
    }
    if (!wrong && a->c->may & S_PACKAGE && !a->o->key.secret_file == !a->o->package)
        wrong = "--secret-file or --package is needed";
    if (!wrong && a->c->operand == MAYBE_RULE && (a->n > 0) == (a->o->line >= 0))
        wrong = "a rule or its --line is needed";
    return wrong;
}

static int dispatch(struct options *o, const struct tool_list *words)
{
    char seconds[NUMBER_N], text[TOOL_WHY_N];

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        struct asked a = {.c = &commands[i], .o = o};
        const char *why;
        size_t n;

        if (!matches(a.c, words, &n))
            continue;
        if (o->help) {
            help_command(a.c);
            return EXIT_OK;
        }
        a.words = words->v + n;
        a.n = words->n - n;
        why = wrong_with(&a, text);
        if (!why)
            why = replay_seconds(o, seconds);
        return why ? usage_error(why) : run(&a);
    }
    return usage_error(words->n ? "no such command" : "a command is needed");
}

int main(int argc, char **argv)
{
    struct options o = {.heads = -1, .line = -1, .size = -1, .count = -1, .from = -1, .timeout_s = 60};
    struct tool_list words = {.n = 0};
    char why[TOOL_WHY_N];

    ppg_json_wipe();
    (void)signal(SIGPIPE, SIG_IGN);
    if (tool_parse(options, argc - 1, argv + 1, &o, &words, why))
        return usage_error(why);
    if (o.version) {
        (void)puts("ppgctl " PPG_VERSION);
        return EXIT_OK;
    }
    if (o.help && !words.n) {
        help(stdout);
        return EXIT_OK;
    }
    return dispatch(&o, &words);
}
