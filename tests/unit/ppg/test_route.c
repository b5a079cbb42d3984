/* Which way a push takes: over which bearer, with which protection, in which form; and the words of a refusal.  The bearers
 * are a table of this file's own, so that each has one peculiarity. */
#include "ppg/route.h"

#include <stdio.h>
#include <string.h>
#include "tests/unit/ppg/core_fix.h"

#define SI     "<?xml version=\"1.0\"?><si><indication href=\"http://www.a.example/\">Hi</indication></si>"
#define TEXT   "text/plain"
#define TEXTSI "text/vnd.wap.si"
#define SIC    "application/vnd.wap.sic"

/* --- terminals --- */

enum {
    PLAIN,  /* nothing is known of it */
    SEALED, /* has an association that encrypts */
    MACS,   /* one that only authenticates */
    BOXED,  /* may fetch */
    SMALL,  /* takes 50 octets */
    SMALLB, /* and may fetch */
    TOKENS, /* takes tokenised indications only */
    MOOT,   /* serves one application, which is not the default */
    TERMINALS,
    NOBODY
};

/* The terminal says what it takes. */
static void say(struct replay_world *w, unsigned terminal, struct ota_profile said)
{
    said.known = true;
    said.learnt_ms = REPLAY_START_MS;
    CU_ASSERT(!ota_profiles_learn(w->net->profiles, slice_str(w->net->terminals[terminal].key), &said));
}

static struct replay_world *world(const char *name, bool has_url)
{
    struct replay_world *w = fix_world(name, TERMINALS, "ok");

    w->net->terminals[SEALED].sealed = true;
    w->net->terminals[MACS].sealed = true;
    w->net->terminals[MACS].suites = "hmac-sha256";
    w->net->terminals[BOXED].inbox = true;
    w->net->terminals[SMALL].max_size = 50;
    w->net->terminals[SMALLB].max_size = 50;
    w->net->terminals[SMALLB].inbox = true;
    if (has_url)
        replay_set(w, "inbox", "url", "https://box.example");
    fix_start(w);
    say(w, TOKENS, (struct ota_profile){.accept = SLICE(SIC)});
    say(w, MOOT, (struct ota_profile){.app_ids = SLICE("x-other")});
    return w;
}

/* --- bearers, by their letters --- */

static bool everybody(const struct ota_terminal *t)
{
    (void)t;
    return true;
}

static bool nobody(const struct ota_terminal *t)
{
    (void)t;
    return false;
}

static bool with_box(const struct ota_terminal *t)
{
    return t->inbox;
}

static struct sec_caps of_tls(const struct ota_terminal *t)
{
    (void)t;
    return *sec_caps_of(SEC_BINDING_HTTP_TLS);
}

static struct sec_caps of_clear(const struct ota_terminal *t)
{
    (void)t;
    return *sec_caps_of(SEC_BINDING_HTTP_CLEAR);
}

static bool absent(void *self, const struct ota_terminal *t)
{
    (void)self;
    (void)t;
    return true;
}

static bool device(void *self, const struct ota_terminal *t, struct slice name)
{
    (void)self;
    (void)t;
    return slice_eq(name, SLICE("known"));
}

static const struct ota_bearer table[] = {
    {.name = "clear", .body_max_n = 1000, .confirms = true, .reaches = everybody, .caps = of_clear},
    {.name = "tls", .body_max_n = 1000, .confirms = true, .reaches = everybody, .caps = of_tls},
    {.name = "narrow", .body_max_n = 200, .narrow = true, .reaches = everybody, .caps = of_clear},
    {.name = "devices",
     .body_max_n = 1000,
     .confirms = true,
     .devices = true,
     .reaches = everybody,
     .caps = of_clear,
     .device = device},
    {.name = "gone",
     .body_max_n = 1000,
     .confirms = true,
     .reaches = everybody,
     .caps = of_tls,
     .absent = absent},
    {.name = "box",
     .body_max_n = SIZE_MAX,
     .confirms = true,
     .fetched = true,
     .reaches = with_box,
     .caps = of_tls},
    {.name = "unreachable", .body_max_n = 1000, .confirms = true, .reaches = nobody, .caps = of_clear},
};

/* --- questions --- */

/* n: of a text of so many octets; 0: an indication. */
struct question {
    unsigned terminal;
    const char *bearers;
    uint8_t asked;
    enum ppg_method method;
    const char *type;
    size_t n;
    const char *device;
    unsigned tried;
    bool home;
};

/* A core with bearers of this file, and what it is asked. */
struct desk {
    struct replay_world *w;
    struct ppg_core *c;
    const struct ota_registry *registry;
    struct ppg_core own; /* as the world made it */
    const struct ota_bearer *chosen[OTA_BEARERS_MAX];
    struct ppg_push push;
    struct buf made;
    char key[8];
    struct ppg_route_ask ask;
};

static void desk_open(struct desk *d, struct replay_world *w)
{
    *d = (struct desk){.w = w, .c = &w->cores[0].core, .own = w->cores[0].core};
    d->registry = ppg_config_registry(d->c->config);
    d->c->bearers = d->chosen;
    buf_init(&d->made, PPG_CONTENT_MADE_MAX_N);
}

static void desk_close(struct desk *d)
{
    d->c->bearers = d->own.bearers;
    d->c->bearers_n = d->own.bearers_n;
    for (size_t i = 0; i < OTA_BEARERS_MAX; i++)
        d->c->bearer_self[i] = d->own.bearer_self[i];
    buf_clear(&d->made);
    fix_end(d->w);
}

/* The bearers whose names begin with these letters, in their order. */
static void choose(struct desk *d, const char *letters)
{
    d->c->bearers_n = strlen(letters);
    MUST(d->c->bearers_n <= OTA_BEARERS_MAX);
    for (size_t i = 0; i < d->c->bearers_n; i++) {
        d->c->bearer_self[i] = d->w;
        for (size_t k = 0; k < COUNT(table); k++)
            if (table[k].name[0] == letters[i])
                d->chosen[i] = &table[k];
    }
}

static void ask(struct desk *d, size_t row, const struct question *q)
{
    static const uint8_t zeros[4096];

    test_row(row);
    choose(d, q->bearers);
    buf_reset(&d->made, PPG_CONTENT_MADE_MAX_N);
    d->push = (struct ppg_push){.content_type = slice_str(q->type),
                                .body = q->n ? slice_of(zeros, q->n) : SLICE(SI),
                                .method = (uint8_t)q->method};
    d->ask = (struct ppg_route_ask){
        .key = slice_of(d->key, (size_t)snprintf(d->key, sizeof d->key, "+%u", 1000 + q->terminal)),
        .device = slice_str(q->device),
        .asked = q->asked,
        .push = &d->push,
        .made = &d->made,
        .tried = q->tried,
        .home = q->home};
}

/* What the route says in one letter: plain, tokenised, or a notice of where it is to be fetched. */
static char form_of(const struct ppg_route *r)
{
    return r->indirect ? 'i' : r->content.transformed ? 't' : 'p';
}

static const struct {
    struct question q;
    char bearer, form;
    enum sec_means integrity;
} goes[] = {
    {{PLAIN, "ct", 0, 0, TEXT, 10, "", 0, true}, 'c', 'p', SEC_MEANS_NONE},
    {{PLAIN, "nct", 0, 0, TEXT, 10, "", 0, true}, 'n', 'p', SEC_MEANS_NONE},
    {{PLAIN, "ct", 1, 0, TEXT, 10, "", 0, true}, 't', 'p', SEC_MEANS_TRANSPORT}, /* protects */
    {{PLAIN, "nc", 0, PPG_METHOD_CONFIRMED, TEXT, 10, "", 0, true}, 'c', 'p', SEC_MEANS_NONE},
    {{PLAIN, "nc", 0, 0, TEXT, 201, "", 0, true}, 'c', 'p', SEC_MEANS_NONE}, /* carries it */
    {{PLAIN, "gc", 0, 0, TEXT, 10, "", 0, true}, 'c', 'p', SEC_MEANS_NONE},  /* is open */
    {{PLAIN, "gc", 0, 0, TEXT, 10, "", 0, false}, 'g', 'p', SEC_MEANS_TRANSPORT},
    {{PLAIN, "ct", 0, 0, TEXT, 10, "", 1, true}, 't', 'p', SEC_MEANS_TRANSPORT}, /* is new */
    {{PLAIN, "cd", 0, 0, TEXT, 10, "known", 0, true}, 'd', 'p', SEC_MEANS_NONE},
    {{PLAIN, "g", 0, 0, TEXT, 10, "", 0, true}, 'g', 'p', SEC_MEANS_TRANSPORT}, /* it waits */
    {{SEALED, "ct", 2, 0, TEXT, 10, "", 0, true}, 'c', 'p', SEC_MEANS_GPL},
    {{MACS, "ct", 2, 0, TEXT, 10, "", 0, true}, 't', 'p', SEC_MEANS_TRANSPORT},
    {{MACS, "ct", 1, 0, TEXT, 10, "", 0, true}, 'c', 'p', SEC_MEANS_GPL},
    {{BOXED, "b", 0, 0, TEXT, 10, "", 0, true}, 'b', 'p', SEC_MEANS_TRANSPORT},
    {{BOXED, "cb", 0, 0, TEXT, 1001, "", 0, true}, 'c', 'i', SEC_MEANS_NONE},
    {{SMALLB, "cb", 0, 0, TEXT, 51, "", 0, true}, 'c', 'i', SEC_MEANS_NONE},
    {{SMALLB, "b", 0, 0, TEXT, 51, "", 0, true}, 'b', 'p', SEC_MEANS_TRANSPORT},
    {{BOXED, "cdb", 0, 0, TEXT, 1001, "known", 0, true}, 'd', 'i', SEC_MEANS_NONE},
    {{SMALL, "c", 0, 0, TEXT, 50, "", 0, true}, 'c', 'p', SEC_MEANS_NONE},
    {{TOKENS, "c", 0, 0, TEXTSI, 0, "", 0, true}, 'c', 't', SEC_MEANS_NONE},
    {{PLAIN, "c", 0, 0, TEXTSI, 0, "", 0, true}, 'c', 'p', SEC_MEANS_NONE},
    {{PLAIN, "n", 0, 0, TEXTSI, 0, "", 0, true}, 'n', 't', SEC_MEANS_NONE},
};

/* The first that is open and does; the form that the terminal is known to take. */
static void test_goes(void)
{
    struct desk d;

    desk_open(&d, world("goes", true));
    for (size_t i = 0; i < COUNT(goes); i++) {
        struct ppg_route r;

        ask(&d, i, &goes[i].q);
        CU_ASSERT_EQUAL(ppg_route_find(d.c, d.registry, &d.ask, &r), PAP_CODE_OK);
        CU_ASSERT_FATAL(r.bearer && r.bearer == d.chosen[r.bearer_at]);
        CU_ASSERT(r.bearer->name[0] == goes[i].bearer);
        CU_ASSERT(r.terminal && slice_eq(r.terminal->key, d.ask.key));
        CU_ASSERT(form_of(&r) == goes[i].form);
        CU_ASSERT(r.decision.refusal == SEC_POLICY_OK && r.decision.integrity == goes[i].integrity);
        CU_ASSERT((r.decision.conf != SEC_MEANS_NONE) == (goes[i].q.asked == 2 || r.bearer->caps == of_tls));
    }
    desk_close(&d);
}

static const struct {
    struct question q;
    unsigned code;
    const char *why; /* words of it */
} fails[] = {
    {{NOBODY, "ct", 0, 0, TEXT, 10, "", 0, true}, PAP_CODE_ADDRESS_ERROR, "no such terminal"},
    {{PLAIN, "", 0, 0, TEXT, 10, "", 0, true}, PAP_CODE_SERVICE_FAILURE, "no bearer reaches the terminal"},
    {{PLAIN, "bu", 0, 0, TEXT, 10, "", 0, true}, PAP_CODE_SERVICE_FAILURE, "no bearer reaches the terminal"},
    {{PLAIN, "ct", 0, 0, TEXT, 10, "", 3, true}, PAP_CODE_SERVICE_FAILURE, "no bearer reaches the terminal"},
    {{PLAIN, "ct", 0, 0, TEXT, 10, "known", 0, true}, PAP_CODE_SERVICE_FAILURE, "one device"},
    {{BOXED, "cb", 0, 0, TEXT, 10, "known", 0, true}, PAP_CODE_SERVICE_FAILURE, "one device"},
    {{BOXED, "b", 0, 0, TEXT, 10, "known", 0, true}, PAP_CODE_SERVICE_FAILURE, "one device"},
    {{PLAIN, "cd", 0, 0, TEXT, 10, "known", 2, true}, PAP_CODE_SERVICE_FAILURE, "one device"},
    {{PLAIN, "n", 0, PPG_METHOD_CONFIRMED, TEXT, 10, "", 0, true},
     PAP_CODE_METHOD_NOT_POSSIBLE,
     "nothing confirms"},
    {{PLAIN, "c", 0, 0, TEXT, 1001, "", 0, true}, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, "bearer carries"},
    {{PLAIN, "nc", 0, 0, TEXT, 1001, "", 0, true}, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, "bearer carries"},
    {{PLAIN, "cb", 0, 0, TEXT, 1001, "", 0, true}, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, "bearer carries"},
    {{PLAIN, "cn", 2, 0, TEXT, 10, "", 0, true}, PAP_CODE_CAPABILITIES_MISMATCH, "level=full"},
    {{PLAIN, "cn", 1, 0, TEXT, 10, "", 0, true}, PAP_CODE_CAPABILITIES_MISMATCH, "level=integrity"},
    {{PLAIN, "ct", 2, 0, TEXT, 10, "", 2, true}, PAP_CODE_CAPABILITIES_MISMATCH, "level=full"},
    {{PLAIN, "cg", 2, 0, TEXT, 10, "", 0, true},
     PAP_CODE_CAPABILITIES_MISMATCH,
     "level=full"}, /* is closed */
    {{MACS, "c", 2, 0, TEXT, 10, "", 0, true}, PAP_CODE_CAPABILITIES_MISMATCH, "does not encrypt"},
    {{BOXED, "cb", 2, 0, TEXT, 1, "", 0, true}, PAP_CODE_CAPABILITIES_MISMATCH, "level=full"},
    {{BOXED, "cb", 2, 0, TEXT, 1001, "", 0, true}, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, "bearer carries"},
    {{SMALL, "c", 0, 0, TEXT, 51, "", 0, true}, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, "terminal takes"},
    {{SMALL, "cb", 0, 0, TEXT, 51, "", 0, true}, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, "terminal takes"},
    {{TOKENS, "c", 0, 0, TEXT, 10, "", 0, true}, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, "content type"},
    {{TOKENS, "c", 0, 0, TEXTSI, 10, "", 0, true}, PAP_CODE_TRANSFORMATION_FAILURE, "cannot be brought"},
    {{MOOT, "c", 0, 0, TEXT, 10, "", 0, true}, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, "application"},
    {{MOOT, "cb", 0, 0, TEXT, 10, "", 0, true}, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, "application"},
};

/* The code and the words are those of the first way of all; a submission is told the same as an attempt ends with. */
static void test_fails(void)
{
    struct desk d;

    desk_open(&d, world("fails", true));
    for (size_t i = 0; i < COUNT(fails); i++) {
        char why[PPG_ROUTE_WHY_N] = "", said[PPG_ROUTE_WHY_N] = "";
        struct ppg_route r;

        ask(&d, i, &fails[i].q);
        CU_ASSERT_EQUAL(ppg_route_find(d.c, d.registry, &d.ask, &r), fails[i].code);
        ppg_route_why(&r, why);
        CU_ASSERT(strstr(why, fails[i].why) != NULL);
        CU_ASSERT(!r.indirect && !r.content.transformed);
        CU_ASSERT_EQUAL(ppg_route_possible(d.c, &d.ask, said), fails[i].code);
        CU_ASSERT_STRING_EQUAL(said, why);
    }
    desk_close(&d);
}

/* Nothing is accepted for a device that there is not; any other reason not to go comes first. */
static void test_devices(void)
{
    static const struct {
        struct question q;
        unsigned code;
        const char *why;
    } rows[] = {
        {{PLAIN, "cd", 0, 0, TEXT, 10, "known", 0, false}, PAP_CODE_OK, ""},
        {{BOXED, "db", 0, 0, TEXT, 1001, "known", 0, false}, PAP_CODE_OK, ""},
        {{PLAIN, "cd", 0, 0, TEXT, 10, "", 0, false}, PAP_CODE_OK, ""},
        {{PLAIN, "cd", 0, 0, TEXT, 10, "other", 0, false}, PAP_CODE_ADDRESS_ERROR, "no such device"},
        {{BOXED, "db", 0, 0, TEXT, 1001, "other", 0, false}, PAP_CODE_ADDRESS_ERROR, "no such device"},
        {{PLAIN, "c", 0, 0, TEXT, 10, "other", 0, false}, PAP_CODE_SERVICE_FAILURE, "one device"},
        {{PLAIN, "d", 2, 0, TEXT, 10, "other", 0, false}, PAP_CODE_CAPABILITIES_MISMATCH, "level=full"},
        {{NOBODY, "d", 0, 0, TEXT, 10, "other", 0, false}, PAP_CODE_ADDRESS_ERROR, "no such terminal"},
    };
    struct desk d;

    desk_open(&d, world("devices", true));
    for (size_t i = 0; i < COUNT(rows); i++) {
        char why[PPG_ROUTE_WHY_N] = "?";

        ask(&d, i, &rows[i].q);
        CU_ASSERT_EQUAL(ppg_route_possible(d.c, &d.ask, why), rows[i].code);
        CU_ASSERT(rows[i].why[0] ? strstr(why, rows[i].why) != NULL : why[0] == '\0');
    }
    desk_close(&d);
}

/* On within an attempt: only to push, only where it is open. */
static void test_next(void)
{
    static const struct {
        struct question q;
        char bearer; /* 'x': none */
    } rows[] = {
        {{PLAIN, "ct", 0, 0, TEXT, 10, "", 1, true}, 't'},
        {{PLAIN, "cgt", 0, 0, TEXT, 10, "", 1, true}, 't'},
        {{PLAIN, "c", 0, 0, TEXT, 10, "", 1, true}, 'x'},
        {{PLAIN, "ct", 0, 0, TEXT, 10, "", 3, true}, 'x'},
        {{PLAIN, "cg", 0, 0, TEXT, 10, "", 1, true}, 'x'},
        {{BOXED, "cb", 0, 0, TEXT, 10, "", 1, true}, 'x'},
        {{BOXED, "cbt", 0, 0, TEXT, 10, "", 1, true}, 'x'}, /* a box was the first left: it lies there */
        {{PLAIN, "tc", 1, 0, TEXT, 10, "", 1, true}, 'x'},
        {{PLAIN, "dc", 0, 0, TEXT, 10, "known", 1, true}, 'x'},
        {{SMALLB, "ct", 0, 0, TEXT, 51, "", 1, true}, 'x'},
    };
    struct desk d;

    desk_open(&d, world("next", true));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_route r = {.bearer_at = 77};
        bool is;

        ask(&d, i, &rows[i].q);
        is = ppg_route_next(d.c, d.registry, &d.ask, &r);
        CU_ASSERT(is == (rows[i].bearer != 'x'));
        CU_ASSERT(is ? r.bearer->name[0] == rows[i].bearer : r.bearer_at == 77);
    }
    desk_close(&d);
}

/* A terminal that fetches: its size does not matter, everything else does. */
static void test_fetch(void)
{
    static const struct {
        struct question q;
        unsigned code;
    } rows[] = {
        {{BOXED, "cb", 0, 0, TEXT, 10, "", 0, true}, PAP_CODE_OK},
        {{BOXED, "cb", 2, 0, TEXT, 4000, "", 0, true}, PAP_CODE_OK},
        {{SMALLB, "cb", 0, 0, TEXT, 51, "", 0, true}, PAP_CODE_OK},
        {{PLAIN, "cb", 0, 0, TEXT, 10, "", 0, true}, PAP_CODE_SERVICE_FAILURE},
        {{BOXED, "ct", 0, 0, TEXT, 10, "", 0, true}, PAP_CODE_SERVICE_FAILURE},
        {{NOBODY, "cb", 0, 0, TEXT, 10, "", 0, true}, PAP_CODE_ADDRESS_ERROR},
    };
    struct desk d;

    desk_open(&d, world("fetch", true));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_route r;

        ask(&d, i, &rows[i].q);
        CU_ASSERT_EQUAL(ppg_route_fetch(d.c, d.registry, &d.ask, &r), rows[i].code);
        CU_ASSERT(rows[i].code != PAP_CODE_OK || (r.bearer->fetched && !r.indirect));
    }
    desk_close(&d);
}

/* On the way it is on already: the notice goes there, and nothing changes where it cannot. */
static void test_indirect(void)
{
    static const struct {
        struct question q;
        bool url, is;
    } rows[] = {
        {{BOXED, "cb", 0, 0, TEXT, 10, "", 0, true}, true, true},
        {{BOXED, "db", 0, 0, TEXT, 10, "known", 0, true}, true, true},
        {{BOXED, "cb", 0, 0, TEXT, 10, "", 0, true}, false, false},
        {{BOXED, "b", 0, 0, TEXT, 10, "", 0, true}, true, false}, /* it is fetched anyway */
        {{BOXED, "c", 0, 0, TEXT, 10, "", 0, true}, true, false},
        {{PLAIN, "cb", 0, 0, TEXT, 10, "", 0, true}, true, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_route r;
        struct desk d;

        desk_open(&d, world("indirect", rows[i].url));
        ask(&d, i, &rows[i].q);
        CU_ASSERT_EQUAL(ppg_route_find(d.c, d.registry, &d.ask, &r), PAP_CODE_OK);
        CU_ASSERT(!r.indirect);
        CU_ASSERT(ppg_route_indirect(d.c, d.registry, &d.ask, &r) == rows[i].is);
        CU_ASSERT(r.indirect == rows[i].is && r.bearer == d.chosen[0]);
        desk_close(&d);
    }
}

/* [inbox] indirect-above: what could be pushed is told of, where the terminal can fetch it. */
static void test_indirect_above(void)
{
    static const struct {
        struct question q;
        char form;
    } rows[] = {
        {{BOXED, "cb", 0, 0, TEXT, 101, "", 0, true}, 'i'},
        {{BOXED, "cb", 0, 0, TEXT, 100, "", 0, true}, 'p'},
        {{PLAIN, "cb", 0, 0, TEXT, 101, "", 0, true}, 'p'},
        {{BOXED, "b", 0, 0, TEXT, 101, "", 0, true}, 'p'},
    };
    struct replay_world *w = fix_world("indirect_above", TERMINALS, "ok");
    struct desk d;

    w->net->terminals[BOXED].inbox = true;
    replay_set(w, "inbox", "url", "https://box.example");
    replay_set(w, "inbox", "indirect-above", "100");
    fix_start(w);
    desk_open(&d, w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_route r;

        ask(&d, i, &rows[i].q);
        CU_ASSERT_EQUAL(ppg_route_find(d.c, d.registry, &d.ask, &r), PAP_CODE_OK);
        CU_ASSERT(form_of(&r) == rows[i].form);
    }
    desk_close(&d);
}

/* After an answer: the form that is known now, and the one that is left. */
static void test_forms(void)
{
    const struct question text = {PLAIN, "c", 0, 0, TEXT, 10, "", 0, true};
    const struct question indication = {PLAIN, "c", 0, 0, TEXTSI, 0, "", 0, true};
    struct ppg_content content;
    const char *why = "";
    struct ppg_route r;
    struct desk d;

    desk_open(&d, world("forms", true));
    ask(&d, 0, &indication);
    CU_ASSERT_EQUAL(ppg_route_find(d.c, d.registry, &d.ask, &r), PAP_CODE_OK);
    CU_ASSERT(ppg_route_other_form(d.c, &r, &d.push, &d.made, &content) && content.transformed);
    say(d.w, PLAIN, (struct ota_profile){.accept = SLICE(SIC)});
    CU_ASSERT(ppg_route_form(d.c, &r, &d.push, &d.made, &content, &why) == PAP_CODE_OK &&
              content.transformed);
    say(d.w, PLAIN, (struct ota_profile){.accept = SLICE("text/html")});
    CU_ASSERT(!ppg_route_other_form(d.c, &r, &d.push, &d.made, &content));
    CU_ASSERT_EQUAL(ppg_route_form(d.c, &r, &d.push, &d.made, &content, &why),
                    PAP_CODE_CAPABILITIES_NOT_SUPPORTED);
    CU_ASSERT(why[0] != '\0');
    ask(&d, 1, &text);
    CU_ASSERT(!ppg_route_other_form(d.c, &r, &d.push, &d.made, &content));
    desk_close(&d);
}

/* One rule for submissions and attempts: what ppg_route_possible() refuses, an attempt ends with. */
static void test_possible(void)
{
    static const struct {
        const char *to;
        uint8_t asked;
        size_t content_n;
        const char *floor, *ceiling;
        unsigned code;
    } rows[] = {
        {"+1000", 0, 10, "none", "full", 1000},       /* clear */
        {"+1000", 1, 10, "none", "full", 2005},       /* no association */
        {"+1000", 0, 10, "integrity", "full", 2005},  /* floor */
        {"+1001", 2, 10, "none", "full", 1000},       /* TLS */
        {"+1002", 2, 10, "none", "full", 1000},       /* sealed */
        {"+1002", 2, 10, "none", "integrity", 2005},  /* ceiling */
        {"+1009", 0, 10, "none", "full", 2002},       /* nobody */
        {"+1000", 0, 1u << 20, "none", "full", 1000}, /* all the bearer takes */
        {"+1000", 0, (1u << 20) + 1, "none", "full", 2006},
        {"+1001", 0, 100, "none", "full", 1000}, /* max-size 100 */
        {"+1001", 0, 101, "none", "full", 2006},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replay_world *w = fix_world("possible", 3, "ok");
        const struct ppg_push content = {.content_type = SLICE("text/plain"),
                                         .body = slice_of(NULL, rows[i].content_n)};
        struct buf made;
        struct ppg_route_ask ask = {
            .key = slice_str(rows[i].to), .asked = rows[i].asked, .push = &content, .made = &made};
        char why[PPG_ROUTE_WHY_N] = "?";

        test_row(i);
        buf_init(&made, PPG_CONTENT_MADE_MAX_N);
        w->net->terminals[1].tls = true;
        w->net->terminals[1].max_size = 100;
        w->net->terminals[2].sealed = true;
        replay_set(w, "protection", "floor", rows[i].floor);
        replay_set(w, "protection", "ceiling", rows[i].ceiling);
        fix_start(w);
        CU_ASSERT(ppg_route_possible(&w->cores[0].core, &ask, why) == rows[i].code);
        CU_ASSERT(strcmp(why, "?") != 0 && (rows[i].code == 1000) == (why[0] == '\0'));
        (void)fix_submit(w, "a", rows[i].to,
                         (struct replay_submit){.asked = rows[i].asked, .body_n = rows[i].content_n});
        replay_run(w, 200, REPLAY_TICK_MS);
        CU_ASSERT(
            fix_is(w, "a", rows[i].to, rows[i].code == 1000 ? ST_DELIVERED : ST_UNDELIVERABLE, rows[i].code));
        CU_ASSERT(fix_sent(w, "a") == (rows[i].code == 1000));
        fix_end(w);
    }
}

/* [PAP §5.3]: refused at the submission, and by an attempt whose terminal has moved since. */
static void test_confirmed_needs_an_answer(void)
{
    static const struct {
        enum ppg_method method;
        bool datagrams;
        unsigned code;
    } rows[] = {
        {PPG_METHOD_CONFIRMED, false, 1000},      {PPG_METHOD_CONFIRMED, true, 3007},
        {PPG_METHOD_PREFERCONFIRMED, true, 1000}, {PPG_METHOD_UNCONFIRMED, true, 1000},
        {PPG_METHOD_NOTSPECIFIED, true, 1000},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replay_world *w = fix_world("confirmed_needs_an_answer", 1, "ok");
        const struct ppg_push content = {
            .content_type = SLICE("text/plain"), .body = SLICE("x"), .method = (uint8_t)rows[i].method};
        struct buf made;
        struct ppg_route_ask ask = {.key = SLICE("+1000"), .push = &content, .made = &made};
        char why[PPG_ROUTE_WHY_N] = "";

        test_row(i);
        buf_init(&made, PPG_CONTENT_MADE_MAX_N);
        w->net->terminals[0].datagrams = rows[i].datagrams;
        fix_start(w);
        CU_ASSERT_EQUAL(ppg_route_possible(&w->cores[0].core, &ask, why), rows[i].code);
        CU_ASSERT((rows[i].code == 1000) == (why[0] == '\0'));
        (void)fix_submit(w, "a", "+1000", (struct replay_submit){.method = rows[i].method});
        replay_run(w, 200, REPLAY_TICK_MS);
        CU_ASSERT(
            fix_is(w, "a", "+1000", rows[i].code == 1000 ? ST_DELIVERED : ST_UNDELIVERABLE, rows[i].code));
        CU_ASSERT(fix_sent(w, "a") == (rows[i].code == 1000));
        fix_end(w);
    }
}

const struct test_case test_cases[] = {{"goes", test_goes},
                                       {"fails", test_fails},
                                       {"devices", test_devices},
                                       {"next", test_next},
                                       {"fetch", test_fetch},
                                       {"indirect", test_indirect},
                                       {"indirect_above", test_indirect_above},
                                       {"forms", test_forms},
                                       {"possible", test_possible},
                                       {"confirmed_needs_an_answer", test_confirmed_needs_an_answer},
                                       {NULL, NULL}};
