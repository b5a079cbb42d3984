/* ppgctl: the operator's tool; asks a running gateway over its UNIX socket (see ppg/admin/admin.h) and prints the answer for
 * people, or as it came with --json.  It knows the requests and nothing about the gateway's inside; only a copy of an audit
 * log it checks by itself.  Exit status: 0 done, 1 the gateway refused or a test says no, 2 usage, 3 no answer, or one
 * that makes no sense. */
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clk.h"
#include "base/codec.h"
#include "base/net/http1.h"
#include "ppg/admin/audit.h"
#include "ppg/json_wipe.h"
#include "security/secret.h"
#include "ppg/tool/ctl.h"
#include "ppg/tool/lists.h"
#include "ppg/tool/socket.h"
#include "ppg/tool/table.h"
#include "ppg/tool/tool.h"

#define ANSWER_MAX_N   (64u << 20)
#define TARGET_MAX_N   4096u
#define KEY_BODY_MAX_N 16384u
#define FILE_MAX_N     (64u << 20) /* octets of a list */
#define PACKAGE_MAX_N  1024u

enum { EXIT_OK, EXIT_NO, EXIT_USAGE, EXIT_REACH };

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

static int print_answer(const struct ctl *o, unsigned http_status, struct slice body, ctl_print_fn *print)
{
    json_t *answer = json_loadb(body.p ? body.p : "", body.n, 0, NULL);
    bool good = http_status >= 200 && http_status < 300;
    int status = good && !says_no(answer) ? EXIT_OK : EXIT_NO;

    if (good && !json_is_object(answer)) {
        status = no_answer("the gateway's answer: not a JSON object");
    } else if (good && o->package && !package_write(o->package, answer)) {
        status = no_answer("the package cannot be written; the key is there, rotate it for another");
    } else if (o->json && good && o->package) { /* which is in its file, and nowhere else */
        (void)json_dumpf(answer, stdout, JSON_INDENT(1));
        (void)fputc('\n', stdout);
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

/* --- a request --- */

/* The command line, taken apart. */
struct asked {
    const struct ctl_command *c;
    const struct ctl *o;
    const char *const *words; /* behind the command's own */
    size_t n;
    struct buf text; /* a rule, or a body */
};

/* The name its first word goes by; NULL: it has none. */
static const char *operand_name(const struct ctl_command *c)
{
    return c->operand == CTL_AN_ID        ? "id"
           : c->operand == CTL_A_NAME     ? "initiator"
           : c->operand == CTL_A_KEY      ? "name"
           : c->operand == CTL_A_TERMINAL ? "terminal"
                                          : NULL;
}

static bool is_rule(const struct ctl_command *c)
{
    return c->operand == CTL_A_RULE || c->operand == CTL_MAYBE_RULE;
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
    bool body = slice_eq(slice_str(a->c->method), SLICE("POST")) && a->c->operand != CTL_A_FILE;
    char number[CTL_NUMBER_N];

    buf_add_str(target, a->c->target);
    if (body)
        return;
    if (operand_name(a->c))
        query_add(target, operand_name(a->c), a->words[0]);
    for (size_t i = 0; i < ctl_says_n; i++)
        query_add(target, ctl_says[i].name, ctl_said(a->o, &ctl_says[i], number));
}

static bool body_set(json_t *body, const char *name, const char *value)
{
    return !value || json_object_set_new(body, name, json_string(value)) == 0;
}

/* NULL: a word is no UTF-8, or memory is out. */
static char *body_print(const struct asked *a)
{
    json_t *body = json_object(), *list = json_array();
    char number[CTL_NUMBER_N], *out = NULL;
    bool good = true;

    if (operand_name(a->c))
        good = body_set(body, operand_name(a->c), a->words[0]);
    if (a->text.n)
        good = json_object_set_new(body, is_rule(a->c) ? "rule" : "file",
                                   json_stringn(a->text.p, a->text.n)) == 0;
    for (size_t i = 0; i < ctl_says_n && good; i++)
        good = body_set(body, ctl_says[i].name, ctl_said(a->o, &ctl_says[i], number));
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
    const struct ctl *o = a->o;
    const char *from_env = getenv("PPG_SOCKET");
    struct tool_socket in = {.path = o->socket  ? o->socket
                                     : from_env ? from_env
                                                : CTL_SOCKET_DEFAULT,
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
    char *json = has_body && a->c->operand != CTL_A_FILE ? body_print(a) : NULL;
    struct buf target;
    int status;

    buf_init(&target, TARGET_MAX_N);
    target_print(a, &target);
    if (buf_err(&target) || (has_body && !json && a->c->operand != CTL_A_FILE))
        status = no_answer("the request: too long, or no UTF-8");
    else
        status = call(a, buf_slice(&target), json ? slice_str(json) : buf_slice(&a->text));
    buf_clear(&target);
    free(json);
    return status;
}

/* A file for the package before there is a key that waits for it; never that of another key's package. */
static bool package_claim(const char *path, char why[TOOL_WHY_N])
{
    enum err e = path ? tool_claim(path) : ERR_OK;

    if (e)
        (void)snprintf(why, TOOL_WHY_N, "%s: %s", path,
                       e == ERR_EXISTS ? "there is a file of that name already" : "cannot be written");
    return !e;
}

/* The body may hold a secret, so it is made in one piece and wiped. */
static int ask_about_key(const struct asked *a)
{
    const char *package = a->o->package;
    struct tool_key key = a->o->key;
    char why[TOOL_WHY_N] = "out of memory";
    struct buf body;
    int status = EXIT_USAGE;

    key.name = a->words[0];
    key.package = package != NULL;
    buf_init(&body, KEY_BODY_MAX_N);
    if (!buf_room(&body, KEY_BODY_MAX_N) || tool_key_body(&key, clk_utc_ms(&clk_real) / 1000, &body, why) ||
        !package_claim(package, why)) {
        (void)fprintf(stderr, "ppgctl: %s\n", why);
    } else {
        status = call(a, slice_str(a->c->target), buf_slice(&body));
        if (package)
            tool_unclaim(package);
    }
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
        (void)fprintf(stderr, "ppgctl: %s: %s\n", path, tool_read_why(e));
    buf_wipe(&text);
    return e;
}

/* A copy of an audit log, without a gateway. */
static int check_copy(const struct ctl *o, const char *path)
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

/* The gateway has a working folder of its own. */
static enum err take_path(const char *path, struct buf *out)
{
    char here[PATH_MAX];

    if (*path != '/') {
        if (!getcwd(here, sizeof here))
            return ERR_IO;
        buf_add_str(out, here);
        buf_add_ch(out, '/');
    }
    buf_add_str(out, path);
    return buf_err(out);
}

/* The rule that the words make, the path or the file that the first names, to a->text. */
static enum err take_text(struct asked *a)
{
    if (a->c->operand == CTL_A_FILE)
        return tool_read(a->words[0], &a->text);
    if (a->c->operand == CTL_A_NEW_FILE)
        return take_path(a->words[0], &a->text);
    for (size_t i = 0; is_rule(a->c) && i < a->n; i++) {
        buf_add_str(&a->text, i ? " " : "");
        buf_add_str(&a->text, a->words[i]);
    }
    return buf_err(&a->text);
}

static int run(struct asked *a)
{
    int status;

    if (a->c->operand == CTL_MAYBE_FILE && a->n)
        return check_copy(a->o, a->words[0]);
    if (a->c->operand == CTL_MAYBE_FILE && a->o->key.secret_file) {
        (void)fprintf(stderr, "ppgctl: --secret-file is for a copy: the gateway has its key\n");
        return EXIT_USAGE;
    }
    if (a->c->operand == CTL_A_KEY && slice_eq(slice_str(a->c->method), SLICE("POST")))
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

static void help_command(FILE *to, const struct ctl_command *c)
{
    (void)fprintf(to, "usage: ppgctl [OPTIONS] %s%s\n%s\n%s", c->words, c->more, c->help,
                  c->usage ? c->usage : "");
    for (const struct tool_option *o = ctl_options; o->name; o++)
        for (size_t i = 0; i < ctl_says_n; i++)
            if (slice_eq(slice_str(ctl_says[i].option), slice_str(o->name)) && c->may >> i & 1)
                (void)fprintf(to, "  --%s%s%s\n        %s\n", o->name, o->value ? " " : "",
                              o->value ? o->value : "", o->help);
}

static void help(FILE *to)
{
    (void)fputs("usage: ppgctl [OPTIONS] COMMAND\n", to);
    for (size_t i = 0; i < ctl_commands_n; i++) {
        int n = fprintf(to, "  %s%s", ctl_commands[i].words, ctl_commands[i].more);

        (void)fprintf(to, "%*s%s\n", n < 32 ? 32 - n : 1, "", ctl_commands[i].help);
    }
    tool_help(to, ctl_options);
    (void)fputs("exit status: 0 done, 1 the gateway refused or a test says no, 2 usage, 3 no answer\n", to);
}

/* With what there is to say about the command that was meant, so that the mistake stays in sight. */
static int usage_error(const struct ctl_command *c, const char *why)
{
    if (c)
        help_command(stderr, c);
    (void)fprintf(stderr, "ppgctl: %s%s\n", why, c ? "" : "; ppgctl --help lists commands and options");
    return EXIT_USAGE;
}

/* Do the words begin with the command's?  *n words are its own then. */
static bool matches(const struct ctl_command *c, const struct tool_list *words, size_t *n)
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
static const char *replay_seconds(struct ctl *o, char text[CTL_NUMBER_N])
{
    char plus[CTL_NUMBER_N];
    int64_t seconds = 0;
    int n;

    if (!o->replay)
        return NULL;
    n = snprintf(plus, sizeof plus, "+%s", o->replay);
    if (n < 0 || (size_t)n >= sizeof plus || tool_time(slice_str(plus), 0, &seconds))
        return "--replay: a number and s, m, h or d";
    (void)snprintf(text, CTL_NUMBER_N, "%lld", (long long)seconds);
    o->replay = text;
    return NULL;
}

static const char *wrong_with_words(const struct ctl_command *c, const char *const *words, size_t n)
{
    static const char *const needs[] = {
        [CTL_AN_ID] = "a push-id is needed",  [CTL_A_NAME] = "a name is needed",
        [CTL_A_KEY] = "a name is needed",     [CTL_A_TERMINAL] = "an address is needed",
        [CTL_A_RULE] = "a rule is needed",    [CTL_A_FILE] = "a file is needed",
        [CTL_A_NEW_FILE] = "a file is needed"};
    bool one = operand_name(c) || c->operand == CTL_A_FILE || c->operand == CTL_A_NEW_FILE;

    if ((one || c->operand == CTL_A_RULE) && (!n || !*words[0]))
        return needs[c->operand];
    if (n > (one || c->operand == CTL_MAYBE_FILE ? 1u : 0u) && !c->addresses && !is_rule(c))
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
    char number[CTL_NUMBER_N];

    for (size_t i = 0; i < ctl_says_n && !wrong; i++) {
        bool given = ctl_said(a->o, &ctl_says[i], number);

        if (given == ((given ? a->c->may : a->c->must) >> i & 1))
            continue;
        (void)snprintf(why, TOOL_WHY_N, "--%s %s", ctl_says[i].option,
                       given ? "does not go with this command" : "is needed");
        wrong = why;
    }
    if (!wrong && a->c->may & CTL_PACKAGE && !a->o->key.secret_file == !a->o->package)
        wrong = "--secret-file or --package is needed";
    if (!wrong && a->c->operand == CTL_MAYBE_RULE && (a->n > 0) == (a->o->line >= 0))
        wrong = "a rule or its --line is needed";
    return wrong;
}

static int dispatch(struct ctl *o, const struct tool_list *words)
{
    char seconds[CTL_NUMBER_N], text[TOOL_WHY_N];

    for (size_t i = 0; i < ctl_commands_n; i++) {
        struct asked a = {.c = &ctl_commands[i], .o = o};
        const char *why;
        size_t n;

        if (!matches(a.c, words, &n))
            continue;
        if (o->help) {
            help_command(stdout, a.c);
            return EXIT_OK;
        }
        a.words = words->v + n;
        a.n = words->n - n;
        why = wrong_with(&a, text);
        if (!why)
            why = replay_seconds(o, seconds);
        return why ? usage_error(a.c, why) : run(&a);
    }
    return usage_error(NULL, words->n ? "no such command" : "a command is needed");
}

int main(int argc, char **argv)
{
    struct ctl o = {.heads = -1, .line = -1, .size = -1, .count = -1, .from = -1, .timeout_s = 60};
    struct tool_list words = {.n = 0};
    char why[TOOL_WHY_N];

    ppg_json_wipe();
    (void)signal(SIGPIPE, SIG_IGN);
    if (tool_parse(ctl_options, argc - 1, argv + 1, &o, &words, why))
        return usage_error(NULL, why);
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
