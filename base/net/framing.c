/* Where an HTTP/1.1 message starts, how it is framed and where it ends, with none of the leniency that lets two
 * readers see two messages in the same octets (request smuggling).  One small function per state; each takes a
 * run of octets, may stop at any of them and go on in the next call, and answers the same however the input was
 * cut.  It keeps no part of a message but the word in hand.  RFC 9112; RFC 9110 §5.5, §6.5.  One thread. */
#include "base/net/framing.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/net/framing_head.h"
#include "base/num.h"

#define WORD_MAX_N      256 /* octets of a field name, and of a value that framing depends on */
#define METHOD_MAX_N    32
#define VERSION_N       8 /* "HTTP/1.1" */
#define CODE_N          3
#define EXT_MAX_N       256 /* octets of chunk extensions on one line */
#define SIZE_DIGITS_MAX 15  /* hexadecimal digits of a chunk size: below 2^60 */

/* Octet classes; no octet above 127 is in any. */
#define TOKEN           0x01 /* RFC 9110 §5.6.2 */
#define TARGET          0x02 /* octets of a URI but '#' (RFC 3986 §2) */
#define TEXT            0x04 /* visible octets, space, tab */
#define HEX             0x08
#define DIGIT           0x10

static const uint8_t classes[256] = {
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x04, 0x07, 0x04, 0x05, 0x07, 0x07, 0x07, 0x07, 0x06, 0x06, 0x07, 0x07, 0x06, 0x07, 0x07, 0x06,
    0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x06, 0x06, 0x04, 0x06, 0x04, 0x06,
    0x06, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07,
    0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x06, 0x04, 0x06, 0x05, 0x07,
    0x05, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07,
    0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x04, 0x05, 0x04, 0x07, 0x00,
};

/* States up to S_HEAD_LF read lines of the head or of a trailer, whose octets count against head_max_n. */
enum state {
    S_START,
    S_START_LF,
    S_METHOD,
    S_TARGET,
    S_VERSION,
    S_RESPONSE,
    S_CODE,
    S_REASON,
    S_FIELD,
    S_NAME,
    S_VALUE,
    S_LINE_LF,
    S_HEAD_LF,
    S_SIZE,
    S_EXT,
    S_SIZE_LF,
    S_DATA,
    S_DATA_CR,
    S_DATA_LF,
    S_LENGTH,
    S_UNTIL_CLOSE,
    S_DONE,
    S_STATES
};

struct net_framing {
    struct net_http_limits limits;
    bool no_body; /* the next final response answers HEAD */

    enum state state;
    enum net_rule rule; /* the first one broken */
    bool stop;          /* this feed ends here */
    bool blank;         /* the one empty line before the start line was there */
    bool head_done;
    size_t head_n;   /* octets of head and trailer so far */
    size_t fields_n; /* of head and trailer so far */
    enum net_field field;
    struct net_framing_head head;
    enum net_framing_body body;
    uint64_t left;   /* octets of the chunk or of the whole body still to come */
    uint64_t body_n; /* octets of the body announced or taken */

    size_t n; /* octets of the element in hand; word holds the first of them once a feed ended inside it */
    char word[WORD_MAX_N];
};

/* The octets of one feed that may be looked at. */
struct window {
    const char *p;
    const char *end;
};

static void refuse(struct net_framing *f, enum net_rule r)
{
    f->rule = r;
    f->stop = true;
}

static void enter(struct net_framing *f, enum state s)
{
    f->state = s;
    f->n = 0;
}

static void finish(struct net_framing *f)
{
    f->state = S_DONE;
    f->stop = true;
}

static bool is(char ch, uint8_t class)
{
    return classes[(unsigned char)ch] & class;
}

static const char *skip(const char *p, const char *end, uint8_t class)
{
    if (class == TEXT)
        p += slice_printable_n(slice_of(p, (size_t)(end - p)));
    while (p < end && is(*p, class))
        p++;
    return p;
}

/* Takes octets of a class into the element in hand.  True when an octet of another class ends it in this window;
 * *all is then the whole element, if it is no longer than a word or was not cut. */
static bool run(struct net_framing *f, struct window *w, uint8_t class, size_t max_n, enum net_rule over,
                struct slice *all)
{
    const char *from = w->p;
    size_t n;

    w->p = skip(from, w->end, class);
    n = (size_t)(w->p - from);
    if (n > max_n - f->n) {
        refuse(f, over);
        return false;
    }
    *all = slice_of(from, n);
    if (f->n || w->p == w->end) {
        if (f->n < WORD_MAX_N)
            mem_copy(f->word + f->n, WORD_MAX_N - f->n, slice_sub(*all, 0, WORD_MAX_N - f->n));
        *all = slice_of(f->word, num_min(f->n + n, WORD_MAX_N));
    }
    f->n += n;
    return w->p < w->end;
}

static enum net_rule wrong_octet(char ch, enum net_rule otherwise)
{
    return ch == '\n' ? RULE_BARE_LF : otherwise;
}

static void on_start(struct net_framing *f, struct window *w)
{
    /* RFC 9112 §2.2: a server ignores at least one empty line; we exactly one */
    if (f->head.role == NET_HTTP_SERVER && *w->p == '\r' && !f->blank) {
        w->p++;
        f->blank = true;
        enter(f, S_START_LF);
        return;
    }
    enter(f, f->head.role == NET_HTTP_SERVER ? S_METHOD : S_RESPONSE);
}

static void expect_lf(struct net_framing *f, struct window *w, enum state then)
{
    if (*w->p != '\n') {
        refuse(f, RULE_BARE_CR);
        return;
    }
    w->p++;
    enter(f, then);
}

static void on_start_lf(struct net_framing *f, struct window *w)
{
    expect_lf(f, w, S_START);
}

static void on_method(struct net_framing *f, struct window *w)
{
    struct slice method;

    if (!run(f, w, TOKEN, METHOD_MAX_N, RULE_METHOD_N, &method))
        return;
    if (*w->p != ' ' || method.n == 0) {
        refuse(f, wrong_octet(*w->p, RULE_METHOD));
    } else if (slice_eq(method, SLICE("CONNECT"))) {
        refuse(f, RULE_CONNECT);
    } else {
        w->p++;
        enter(f, S_TARGET);
    }
}

static void on_target(struct net_framing *f, struct window *w)
{
    struct slice part;

    if (!run(f, w, TARGET, f->limits.target_max_n, RULE_TARGET_N, &part))
        return;
    if (*w->p == '\r') {
        refuse(f, RULE_HTTP_0_9);
    } else if (*w->p != ' ' || f->n == 0) {
        refuse(f, wrong_octet(*w->p, RULE_TARGET));
    } else {
        w->p++;
        enter(f, S_VERSION);
    }
}

static void read_version_until(struct net_framing *f, struct window *w, char stop, enum state then)
{
    struct slice version;
    enum net_rule broken;

    if (!run(f, w, TOKEN | TARGET, VERSION_N, RULE_VERSION, &version))
        return;
    broken = *w->p == stop ? net_head_version(&f->head, version) : wrong_octet(*w->p, RULE_VERSION);
    if (broken) {
        refuse(f, broken);
        return;
    }
    w->p++;
    enter(f, then);
}

static void on_version(struct net_framing *f, struct window *w)
{
    read_version_until(f, w, '\r', S_LINE_LF);
}

static void on_response(struct net_framing *f, struct window *w)
{
    read_version_until(f, w, ' ', S_CODE);
}

/* The space behind the code may be missing when the reason is (RFC 9112 §4 has it, not every server). */
static void on_code(struct net_framing *f, struct window *w)
{
    struct slice code;
    enum net_rule broken;

    if (!run(f, w, DIGIT, CODE_N, RULE_CODE, &code))
        return;
    broken = *w->p == ' ' || *w->p == '\r' ? net_head_code(&f->head, code) : wrong_octet(*w->p, RULE_CODE);
    if (broken)
        refuse(f, broken);
    else
        enter(f, *w->p++ == ' ' ? S_REASON : S_LINE_LF);
}

static void on_reason(struct net_framing *f, struct window *w)
{
    struct slice part;

    if (!run(f, w, TEXT, SIZE_MAX, RULE_HEAD_N, &part))
        return;
    if (*w->p != '\r') {
        refuse(f, wrong_octet(*w->p, RULE_REASON));
    } else {
        w->p++;
        enter(f, S_LINE_LF);
    }
}

static void on_line_lf(struct net_framing *f, struct window *w)
{
    expect_lf(f, w, S_FIELD);
}

static void on_field(struct net_framing *f, struct window *w)
{
    if (*w->p == '\r') {
        w->p++;
        enter(f, S_HEAD_LF);
    } else if (*w->p == ' ' || *w->p == '\t') {
        refuse(f, RULE_FOLD);
    } else if (f->fields_n == f->limits.headers_max) {
        refuse(f, RULE_FIELDS);
    } else {
        f->fields_n++;
        enter(f, S_NAME);
    }
}

static void on_name(struct net_framing *f, struct window *w)
{
    struct slice name;

    if (!run(f, w, TOKEN, WORD_MAX_N, RULE_NAME_N, &name))
        return;
    if (*w->p != ':' || name.n == 0) {
        refuse(f, *w->p == ' ' || *w->p == '\t' ? RULE_NAME_SPACE : wrong_octet(*w->p, RULE_NAME));
    } else if (f->head_done && net_field_barred(name)) {
        refuse(f, RULE_TRAILER);
    } else {
        w->p++;
        f->field = net_field_of(name);
        enter(f, S_VALUE);
    }
}

static void on_value(struct net_framing *f, struct window *w)
{
    size_t max_n = f->limits.value_max_n;
    struct slice value;
    enum net_rule broken;

    while (f->n == 0 && w->p < w->end && (*w->p == ' ' || *w->p == '\t'))
        w->p++;
    if (!run(f, w, TEXT, f->field ? num_min(max_n, WORD_MAX_N) : max_n, RULE_VALUE_N, &value))
        return;
    if (*w->p == '\r')
        broken = f->field ? net_head_field(&f->head, f->field, slice_trim(value)) : RULE_NONE;
    else
        broken = wrong_octet(*w->p, (unsigned char)*w->p >= 0x80 ? RULE_VALUE_8BIT : RULE_VALUE_CTL);
    if (broken) {
        refuse(f, broken);
        return;
    }
    w->p++;
    enter(f, S_LINE_LF);
}

static void end_head(struct net_framing *f)
{
    static const enum state first[] = {
        [NET_BODY_NONE] = S_DONE,
        [NET_BODY_LENGTH] = S_LENGTH,
        [NET_BODY_CHUNKED] = S_SIZE,
        [NET_BODY_UNTIL_CLOSE] = S_UNTIL_CLOSE,
    };
    enum net_rule broken = net_head_check(&f->head);

    f->body = net_head_body(&f->head, f->no_body);
    if (!broken && f->body == NET_BODY_LENGTH) {
        f->left = f->body_n = f->head.length;
        if (f->head.length > f->limits.body_max_n)
            broken = RULE_BODY_N;
    }
    if (broken) {
        refuse(f, broken);
        return;
    }
    f->head_done = true;
    f->stop = true;
    enter(f, first[f->body]);
}

static void on_head_lf(struct net_framing *f, struct window *w)
{
    bool trailer = f->head_done;

    expect_lf(f, w, S_DONE);
    if (f->rule)
        return;
    if (trailer)
        finish(f);
    else
        end_head(f);
}

/* chunk-size = 1*HEXDIG, and nothing but ';' or the end of the line behind it (RFC 9112 §7.1). */
static void on_size(struct net_framing *f, struct window *w)
{
    struct slice digits;

    if (!run(f, w, HEX, SIZE_DIGITS_MAX, RULE_CHUNK_SIZE, &digits))
        return;
    if ((*w->p != '\r' && *w->p != ';') || digits.n == 0) {
        refuse(f, wrong_octet(*w->p, RULE_CHUNK_SIZE));
        return;
    }
    f->left = 0;
    for (size_t i = 0; i < digits.n; i++)
        f->left = f->left * 16 +
                  (uint64_t)(is(digits.p[i], DIGIT) ? digits.p[i] - '0' : (digits.p[i] | 0x20) - 'a' + 10);
    if (f->left > f->limits.body_max_n - f->body_n) {
        refuse(f, RULE_BODY_N);
        return;
    }
    f->body_n += f->left;
    enter(f, *w->p++ == ';' ? S_EXT : S_SIZE_LF);
}

static void on_ext(struct net_framing *f, struct window *w)
{
    struct slice part;

    if (!run(f, w, TEXT, EXT_MAX_N, RULE_CHUNK_EXT_N, &part))
        return;
    if (*w->p != '\r') {
        refuse(f, wrong_octet(*w->p, RULE_CHUNK_EXT));
    } else {
        w->p++;
        enter(f, S_SIZE_LF);
    }
}

static void on_size_lf(struct net_framing *f, struct window *w)
{
    expect_lf(f, w, f->left ? S_DATA : S_FIELD);
}

/* True when the last octet announced is taken. */
static bool take_left(struct net_framing *f, struct window *w)
{
    uint64_t n = (uint64_t)(w->end - w->p);

    if (n > f->left)
        n = f->left;
    w->p += n;
    f->left -= n;
    return f->left == 0;
}

static void on_data(struct net_framing *f, struct window *w)
{
    if (take_left(f, w))
        enter(f, S_DATA_CR);
}

static void on_data_cr(struct net_framing *f, struct window *w)
{
    if (*w->p != '\r') {
        refuse(f, RULE_CHUNK_END);
    } else {
        w->p++;
        enter(f, S_DATA_LF);
    }
}

static void on_data_lf(struct net_framing *f, struct window *w)
{
    if (*w->p != '\n') {
        refuse(f, RULE_CHUNK_END);
    } else {
        w->p++;
        enter(f, S_SIZE);
    }
}

static void on_length(struct net_framing *f, struct window *w)
{
    if (take_left(f, w))
        finish(f);
}

static void on_until_close(struct net_framing *f, struct window *w)
{
    uint64_t n = (uint64_t)(w->end - w->p);

    if (n > f->limits.body_max_n - f->body_n) {
        refuse(f, RULE_BODY_N);
        return;
    }
    f->body_n += n;
    w->p = w->end;
}

/* Each is called with at least one octet and takes some, or changes the state, or refuses. */
typedef void step_fn(struct net_framing *f, struct window *w);
static step_fn *const steps[S_STATES] = {
    [S_START] = on_start,     [S_START_LF] = on_start_lf, [S_METHOD] = on_method,
    [S_TARGET] = on_target,   [S_VERSION] = on_version,   [S_RESPONSE] = on_response,
    [S_CODE] = on_code,       [S_REASON] = on_reason,     [S_FIELD] = on_field,
    [S_NAME] = on_name,       [S_VALUE] = on_value,       [S_LINE_LF] = on_line_lf,
    [S_HEAD_LF] = on_head_lf, [S_SIZE] = on_size,         [S_EXT] = on_ext,
    [S_SIZE_LF] = on_size_lf, [S_DATA] = on_data,         [S_DATA_CR] = on_data_cr,
    [S_DATA_LF] = on_data_lf, [S_LENGTH] = on_length,     [S_UNTIL_CLOSE] = on_until_close,
};

static bool in_lines(const struct net_framing *f)
{
    return f->state <= S_HEAD_LF;
}

/* Lines of the head or of a trailer, as far as head_max_n allows. */
static void feed_lines(struct net_framing *f, struct window *w)
{
    size_t room = f->limits.head_max_n - f->head_n;
    struct window part = {w->p, (size_t)(w->end - w->p) > room ? w->p + room : w->end};

    if (room == 0) {
        refuse(f, RULE_HEAD_N);
        return;
    }
    while (part.p < part.end && !f->stop)
        steps[f->state](f, &part);
    f->head_n += (size_t)(part.p - w->p);
    w->p = part.p;
}

enum err net_framing_feed(struct net_framing *f, struct slice in, size_t *taken, bool *done)
{
    struct window w = {in.p, in.p + in.n};

    f->stop = f->rule != RULE_NONE || f->state == S_DONE;
    while (w.p < w.end && !f->stop)
        if (in_lines(f))
            feed_lines(f, &w);
        else
            steps[f->state](f, &w);
    if (f->rule)
        return net_rule_err(f->rule);
    *taken = (size_t)(w.p - in.p);
    *done = f->state == S_DONE;
    return ERR_OK;
}

enum err net_framing_create(enum net_http_role role, const struct net_http_limits *limits,
                            struct net_framing **out)
{
    struct net_framing *f = calloc(1, sizeof *f);

    if (!f)
        return ERR_NOMEM;
    f->head.role = role;
    f->limits = *limits;
    *out = f;
    return ERR_OK;
}

void net_framing_free(struct net_framing **f)
{
    free(*f);
    *f = NULL;
}

void net_framing_no_body(struct net_framing *f, bool no_body)
{
    f->no_body = no_body;
}

void net_framing_next(struct net_framing *f)
{
    if (f->head.code >= 200)
        f->no_body = false;
    f->state = S_START;
    f->rule = RULE_NONE;
    f->blank = f->head_done = false;
    f->head_n = f->fields_n = f->n = 0;
    f->head = (struct net_framing_head){.role = f->head.role};
    f->left = f->body_n = 0;
    f->body = NET_BODY_NONE;
}

unsigned net_framing_status(const struct net_framing *f)
{
    return net_rule_status(f->rule);
}

const char *net_framing_text(const struct net_framing *f)
{
    return net_rule_text(f->rule);
}

bool net_framing_idle(const struct net_framing *f)
{
    return f->state <= S_START_LF && !f->rule;
}

bool net_framing_head_done(const struct net_framing *f)
{
    return f->head_done;
}

enum net_framing_body net_framing_body(const struct net_framing *f, uint64_t *n)
{
    *n = f->body == NET_BODY_LENGTH ? f->body_n : 0;
    return f->body;
}
