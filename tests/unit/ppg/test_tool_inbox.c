/* The client of an inbox against a server that plays a script: what is asked in which order, what comes of each item, and
 * what a gateway may not make it do. */
#include "ppg/handset/inbox.h"

#include <stdio.h>
#include <string.h>
#include "base/net/httpd.h"
#include "tests/unit/harness.h"
#include "tests/unit/netloop.h"

#define LIST(items) "{\"items\":[" items "],\"more\":false}"
#define ITEM(id)    "{\"id\":\"" id "\"}"
#define NONE                                                                                                 \
    {                                                                                                        \
        200, "", LIST("")                                                                                    \
    }
#define STEPS_MAX 12

/* One answer of the gateway. */
struct step {
    unsigned status;
    const char *headers, *body;
};

struct world {
    struct netloop nl;
    struct net_httpd *server;
    struct tool_inbox *inbox;
    const struct step *steps;
    size_t asked;
    char requests[1024]; /* "GET /inbox;GET /inbox/a;..." with ranges */
    char items[512];     /* contents, each with a bar behind it */
    enum tool_inbox_verdict verdict;
    size_t ended;
    size_t closed; /* the server */
    int status;
    char why[TOOL_WHY_N];
};

static void note(char *to, size_t cap, const char *what, struct slice a, struct slice b)
{
    size_t n = strlen(to);

    (void)snprintf(to + n, cap - n, "%.*s%s%.*s", (int)a.n, a.p ? a.p : "", what, (int)b.n, b.p ? b.p : "");
}

static void on_request(struct net_http_exchange *x, void *arg)
{
    const struct net_http_msg *m = net_http_exchange_msg(x);
    struct world *w = arg;
    const struct step *s = &w->steps[w->asked++];
    struct slice range = net_http_header(m, SLICE("Range"), NULL);

    note(w->requests, sizeof w->requests, " ", m->method, m->target);
    if (range.n)
        note(w->requests, sizeof w->requests, " ", SLICE_NONE, range);
    if (net_http_header(m, SLICE("Authorization"), NULL).n)
        note(w->requests, sizeof w->requests, " ", SLICE_NONE,
             slice_sub(net_http_header(m, SLICE("Authorization"), NULL), 0, 6));
    note(w->requests, sizeof w->requests, ";", SLICE_NONE, SLICE_NONE);
    MUST(w->asked <= STEPS_MAX && s->status);
    net_httpd_reply(x, s->status, SLICE_NONE, slice_str(s->headers), slice_str(s->body));
}

static enum tool_inbox_verdict got(const struct net_http_msg *head, struct slice content,
                                   const struct net_tls_peer *peer, void *arg)
{
    struct world *w = arg;

    CU_ASSERT(head->status == 200 || head->status == 206);
    CU_ASSERT(peer == NULL);
    note(w->items, sizeof w->items, "|", content, SLICE_NONE);
    return w->verdict;
}

static void ended(int status, const char *why, void *arg)
{
    struct world *w = arg;

    w->ended++;
    w->status = status;
    (void)snprintf(w->why, sizeof w->why, "%s", why);
    tool_inbox_close(&w->inbox);
}

static void server_closed(void *arg)
{
    ((struct world *)arg)->closed++;
}

/* Plays the steps out. */
static void play(struct world *w, const struct step *steps, struct tool_inbox_conf conf)
{
    w->steps = steps;
    netloop_open(&w->nl);
    w->server = netloop_httpd(&w->nl, NULL, on_request, w);
    conf.env = &w->nl.env;
    conf.host = SLICE("127.0.0.1");
    conf.port = net_httpd_port(w->server);
    conf.max_n = conf.max_n ? conf.max_n : 1000000;
    conf.got = got;
    conf.ended = ended;
    conf.arg = w;
    CU_ASSERT_FATAL(tool_inbox_create(&conf, &w->inbox) == ERR_OK);
    (void)netloop_until(&w->nl, &w->ended, 1);
    net_httpd_close(w->server, server_closed, w);
    (void)netloop_until(&w->nl, &w->closed, 1);
    netloop_close(&w->nl);
    CU_ASSERT(w->ended == 1);
}

#define R "bytes=0-262143"

static const struct {
    enum tool_inbox_verdict verdict;
    bool keep;
    const char *item, *requests, *items;
    struct step steps[STEPS_MAX];
} each_rows[] = {
    {TOOL_INBOX_HAVE, false, "", "GET /inbox;", "", {NONE}},
    {TOOL_INBOX_HAVE,
     false,
     "",
     "GET /inbox;GET /inbox/a " R ";DELETE /inbox/a;GET /inbox/b-1 " R ";DELETE /inbox/b-1;GET /inbox;",
     "x|y|",
     {{200, "", LIST(ITEM("a") "," ITEM("b-1"))},
      {200, "", "x"},
      {204, "", ""},
      {200, "", "y"},
      {204, "", ""},
      NONE}},
    {TOOL_INBOX_LEAVE,
     false,
     "",
     "GET /inbox;GET /inbox/a " R ";GET /inbox?after=a;",
     "x|",
     {{200, "", LIST(ITEM("a"))}, {200, "", "x"}, NONE}},
    {TOOL_INBOX_HAVE,
     true,
     "",
     "GET /inbox;GET /inbox/a " R ";GET /inbox?after=a;",
     "x|",
     {{200, "", LIST(ITEM("a"))}, {200, "", "x"}, NONE}},
    {TOOL_INBOX_LAST,
     false,
     "",
     "GET /inbox;GET /inbox/a " R ";DELETE /inbox/a;",
     "x|",
     {{200, "", LIST(ITEM("a") "," ITEM("b"))}, {200, "", "x"}, {204, "", ""}}},
    {TOOL_INBOX_STOP,
     false,
     "",
     "GET /inbox;GET /inbox/a " R ";",
     "x|",
     {{200, "", LIST(ITEM("a") "," ITEM("b"))}, {200, "", "x"}}},
    {TOOL_INBOX_HAVE,
     false,
     "c",
     "GET /inbox/c " R ";DELETE /inbox/c;",
     "x|",
     {{200, "", "x"}, {204, "", ""}}},
    {TOOL_INBOX_HAVE, /* somebody else was faster */
     false,
     "",
     "GET /inbox;GET /inbox/a " R ";GET /inbox;",
     "",
     {{200, "", LIST(ITEM("a"))}, {404, "", ""}, NONE}},
    {TOOL_INBOX_HAVE, /* in parts */
     false,
     "c",
     "GET /inbox/c " R ";GET /inbox/c bytes=3-262146;DELETE /inbox/c;",
     "abcde|",
     {{206, "Content-Range: bytes 0-2/5\r\nETag: \"c\"\r\n", "abc"},
      {206, "Content-Range: bytes 3-4/5\r\n", "de"},
      {204, "", ""}}},
    {TOOL_INBOX_HAVE, /* it is another one meanwhile: all of it comes */
     false,
     "c",
     "GET /inbox/c " R ";GET /inbox/c bytes=3-262146;DELETE /inbox/c;",
     "wxyz|",
     {{206, "Content-Range: bytes 0-2/5\r\nETag: \"c\"\r\n", "abc"}, {200, "", "wxyz"}, {204, "", ""}}},
};

static void each_item_once(void)
{
    for (size_t i = 0; i < COUNT(each_rows); i++) {
        struct world w = {.verdict = each_rows[i].verdict};

        test_row(i);
        play(&w, each_rows[i].steps,
             (struct tool_inbox_conf){.keep = each_rows[i].keep, .item = slice_str(each_rows[i].item)});
        CU_ASSERT(w.status == TOOL_OK);
        CU_ASSERT_STRING_EQUAL(w.requests, each_rows[i].requests);
        CU_ASSERT_STRING_EQUAL(w.items, each_rows[i].items);
    }
}

static void logs_in(void)
{
    static const struct step basic[] = {{401, "WWW-Authenticate: Basic realm=\"push\"\r\n", ""}, NONE};
    static const struct step digest[] = {
        {401,
         "WWW-Authenticate: Basic realm=\"push\"\r\nWWW-Authenticate: Digest realm=\"push\", nonce=\"n\", "
         "qop=\"auth\", algorithm=SHA-256\r\n",
         ""},
        {200, "", LIST(ITEM("a"))},
        {401,
         "WWW-Authenticate: Digest realm=\"push\", nonce=\"m\", qop=\"auth\", algorithm=SHA-256, "
         "stale=true\r\n",
         ""},
        {200, "", "x"},
        {204, "", ""},
        NONE};
    static const struct step never[] = {{401, "WWW-Authenticate: Basic realm=\"push\"\r\n", ""},
                                        {401, "WWW-Authenticate: Basic realm=\"push\"\r\n", ""}};
    const struct tool_inbox_conf login = {.user = SLICE("me"), .password = SLICE("secret")};
    struct world w = {.verdict = TOOL_INBOX_HAVE};

    play(&w, basic, login);
    CU_ASSERT_STRING_EQUAL(w.requests, "GET /inbox;GET /inbox Basic ;");
    w = (struct world){.verdict = TOOL_INBOX_HAVE};
    play(&w, digest, login);
    CU_ASSERT(w.status == TOOL_OK && strcmp(w.items, "x|") == 0 && w.asked == 6);
    w = (struct world){.verdict = TOOL_INBOX_HAVE};
    play(&w, never, login);
    CU_ASSERT(w.status == TOOL_REFUSED && w.asked == 2);
    w = (struct world){.verdict = TOOL_INBOX_HAVE};
    play(&w, never, (struct tool_inbox_conf){.keep = false});
    CU_ASSERT(w.status == TOOL_REFUSED && w.asked == 1);
}

static void what_a_gateway_may_not(void)
{
    static const struct {
        struct step steps[3];
        size_t max_n;
    } rows[] = {
        {{{200, "", "no list"}}, 0},
        {{{200, "", ""}}, 0},
        {{{200, "", "{\"items\":[],\"items\":[]}"}}, 0},
        {{{200, "", LIST("{}")}}, 0},
        {{{200, "", LIST("{\"id\":7}")}}, 0},
        {{{200, "", LIST(ITEM(""))}}, 0},
        {{{200, "", LIST(ITEM("../x"))}}, 0},
        {{{200, "", LIST(ITEM("a b"))}}, 0},
        {{{200, "", LIST(ITEM("a\\r\\nX: y"))}}, 0},
        {{{403, "", ""}}, 0},
        {{{500, "", "trouble"}}, 0},
        {{{204, "", ""}}, 0},
        {{{200, "", LIST(ITEM("a"))}, {200, "", "123456"}}, 5},
        {{{200, "", LIST(ITEM("a"))}, {206, "Content-Range: bytes 0-5/6\r\n", "123456"}}, 5},
        {{{200, "", LIST(ITEM("a"))}, {403, "", "2005 above the provider's ceiling"}}, 0},
        {{{200, "", LIST(ITEM("a"))}, {416, "", ""}}, 0},
        {{{200, "", LIST(ITEM("a"))}, {206, "", "abc"}}, 0}, /* parts of no one knows what (RFC 9110 §14.4) */
        {{{200, "", LIST(ITEM("a"))}, {206, "Content-Range: bytes 1-3/5\r\n", "bcd"}}, 0},
        {{{200, "", LIST(ITEM("a"))}, {206, "Content-Range: bytes 0-2/5\r\n", "abcd"}}, 0},
        {{{200, "", LIST(ITEM("a"))}, {206, "Content-Range: bytes 0-2/2\r\n", "abc"}}, 0},
        {{{200, "", LIST(ITEM("a"))}, {206, "Content-Range: bytes 0-2/*\r\n", "abc"}}, 0},
        {{{200, "", LIST(ITEM("a"))}, {206, "Content-Range: bytes 0-2/5x\r\n", "abc"}}, 0},
        {{{200, "", LIST(ITEM("a"))},
          {206, "Content-Range: bytes 0-2/5\r\n", "abc"},
          {206, "Content-Range: bytes 0-2/5\r\n", "abc"}},
         0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w = {.verdict = TOOL_INBOX_HAVE};

        test_row(i);
        play(&w, rows[i].steps, (struct tool_inbox_conf){.max_n = rows[i].max_n});
        CU_ASSERT(w.status == TOOL_REFUSED && w.why[0] && !w.items[0]);
    }
}

static void follows(void)
{
    static const struct step steps[] = {
        NONE, NONE, {200, "", LIST(ITEM("a"))}, {200, "", "x"}, {204, "", ""}};
    struct world w = {.verdict = TOOL_INBOX_LAST};
    int64_t began_ms = clk_mono_ms(&clk_real);

    play(&w, steps, (struct tool_inbox_conf){.follow = true});
    CU_ASSERT(clk_mono_ms(&clk_real) - began_ms >= 1000); /* who answers at once is not asked at once */
    CU_ASSERT_STRING_EQUAL(w.requests, "GET /inbox;GET /inbox?wait=60;GET /inbox?wait=60;GET /inbox/a " R
                                       ";DELETE /inbox/a;");
    CU_ASSERT(w.status == TOOL_OK && strcmp(w.items, "x|") == 0);
}

static void nobody_there(void)
{
    struct world w = {.verdict = TOOL_INBOX_HAVE};
    struct tool_inbox_conf conf = {
        .host = SLICE("127.0.0.1"), .max_n = 10, .got = got, .ended = ended, .arg = &w};
    uint16_t port;
    int listener = raw_listen(&port);

    raw_reset(listener);
    netloop_open(&w.nl);
    conf.env = &w.nl.env;
    conf.port = port;
    CU_ASSERT_FATAL(tool_inbox_create(&conf, &w.inbox) == ERR_OK);
    CU_ASSERT(netloop_until(&w.nl, &w.ended, 1) && w.status == TOOL_REACH && w.why[0]);
    CU_ASSERT_FATAL(tool_inbox_create(&conf, &w.inbox) == ERR_OK);
    tool_inbox_close(&w.inbox); /* before anything happened: nobody is told */
    netloop_close(&w.nl);
    CU_ASSERT(w.ended == 1);
}

const struct test_case test_cases[] = {
    {"each_item_once", each_item_once},
    {"logs_in", logs_in},
    {"what_a_gateway_may_not", what_a_gateway_may_not},
    {"follows", follows},
    {"nobody_there", nobody_there},
    {NULL, NULL},
};
