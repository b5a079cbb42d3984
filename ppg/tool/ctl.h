/* What ppgctl can be told: its options, and its commands as a table - what each is called, what may and must be said with
 * it, which request it becomes (ppg/admin/admin.h) and how the answer is printed.  Constant; any thread. */
#ifndef PPG_TOOL_CTL_H
#define PPG_TOOL_CTL_H

#include "ppg/tool/key.h"
#include "ppg/tool/table.h"
#include "ppg/tool/tool.h"

#define CTL_SOCKET_DEFAULT "/run/ppg/ppgd.sock"

/* Texts are NULL when not given; they are the command line's. */
struct ctl {
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

/* Ends with a NULL name; into a struct ctl. */
extern const struct tool_option ctl_options[];

/* What stands behind a command's words. */
enum ctl_operand {
    CTL_NOTHING,
    CTL_AN_ID,      /* "id", */
    CTL_A_NAME,     /* "initiator", */
    CTL_A_KEY,      /* "name", of a key or association */
    CTL_A_TERMINAL, /* "terminal" */
    CTL_A_RULE,     /* words that make a rule: "rule" */
    CTL_MAYBE_RULE,
    CTL_A_FILE,     /* whose octets are the body */
    CTL_A_NEW_FILE, /* "file": the gateway writes it */
    CTL_MAYBE_FILE  /* looked at here, and the gateway is not asked */
};

/* Options that go with a command, by the bit of their row in ctl_says. */
enum ctl_option {
    CTL_INITIATOR = 1 << 0,
    CTL_HEADS = 1 << 1,
    CTL_AS = 1 << 2,
    CTL_RECIPIENT = 1 << 3,
    CTL_APPLICATION = 1 << 4,
    CTL_TYPE = 1 << 5,
    CTL_SIZE = 1 << 6,
    CTL_ASKED = 1 << 7,
    CTL_AT = 1 << 8,
    CTL_URI = 1 << 9,
    CTL_OPERATION = 1 << 10,
    CTL_OWNER = 1 << 11,
    CTL_PUSH_ID = 1 << 12,
    CTL_SAN = 1 << 13,
    CTL_USER = 1 << 14,
    CTL_SOURCE = 1 << 15,
    CTL_LINE = 1 << 16,
    CTL_REPLAY = 1 << 17,
    CTL_COUNT = 1 << 18,
    CTL_FROM = 1 << 19,
    CTL_KIND = 1 << 20, /* from here on of keys, which have a body of their own */
    CTL_SECRET = 1 << 21,
    CTL_SUITES = 1 << 22,
    CTL_EXPIRES = 1 << 23,
    CTL_GRACE = 1 << 24,
    CTL_FILE = 1 << 25,
    CTL_PACKAGE = 1 << 26,
    CTL_ALL = 1 << 27 /* a flag */
};

struct ctl_say {
    const char *option; /* without "--" */
    const char *name;   /* towards the gateway */
    size_t at;
    enum { CTL_A_TEXT, CTL_A_NUMBER, CTL_A_FLAG } kind;
};
extern const struct ctl_say ctl_says[];
extern const size_t ctl_says_n;

/* What an option says, as text; NULL: it was not given. */
#define CTL_NUMBER_N 24u
const char *ctl_said(const struct ctl *o, const struct ctl_say *s, char number[CTL_NUMBER_N]);

typedef void ctl_print_fn(const json_t *answer);

struct ctl_command {
    const char *words; /* "push show" */
    const char *more;  /* what stands behind them */
    const char *help;
    const char *usage; /* a paragraph for --help with the command; NULL: help says it all */
    const char *method;
    const char *target;
    ctl_print_fn *print;
    enum ctl_operand operand;
    bool addresses; /* perhaps addresses behind an id */
    unsigned may;   /* of enum ctl_option, */
    unsigned must;  /* and those it needs */
};
extern const struct ctl_command ctl_commands[];
extern const size_t ctl_commands_n;

#endif
