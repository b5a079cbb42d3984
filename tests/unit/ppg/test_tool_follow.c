/* Content that lies elsewhere: which places a push may name, and that what it names comes, one after the other. */
#include "ppg/handset/follow.h"

#include <stdio.h>

#include "base/net/httpd.h"
#include "tests/unit/certs.h"
#include "tests/unit/harness.h"
#include "tests/unit/netloop.h"

struct fix {
    struct netloop nl;
    struct net_httpd *server;
    struct net_tls_ctx *tls;
    struct tool_follow *follow;
    struct tool_home home;
    char url[64];
    char asked[2048]; /* "GET /inbox/a;DELETE /inbox/a;" */
    char items[512];  /* contents, each with a bar behind it */
    size_t idle, closed;
};

static void on_request(struct net_http_exchange *x, void *arg)
{
    const struct net_http_msg *m = net_http_exchange_msg(x);
    struct fix *f = arg;
    size_t n = strlen(f->asked);
    bool get = slice_eq(m->method, SLICE("GET")), gone = slice_ends(m->target, SLICE("gone"));

    (void)snprintf(f->asked + n, sizeof f->asked - n, "%.*s %.*s;", SLICE_FMT(m->method),
                   SLICE_FMT(m->target));
    net_httpd_reply(x,
                    gone  ? 404
                    : get ? 200
                          : 204,
                    SLICE_NONE, SLICE_NONE, get && !gone ? slice_sub(m->target, 7, SIZE_MAX) : SLICE_NONE);
}

static enum tool_inbox_verdict got(const struct net_http_msg *head, struct slice content,
                                   const struct net_tls_peer *peer, void *arg)
{
    struct fix *f = arg;
    size_t n = strlen(f->items);

    CU_ASSERT(head->status == 200 && peer && peer->verified);
    (void)snprintf(f->items + n, sizeof f->items - n, "%.*s|", SLICE_FMT(content));
    return TOOL_INBOX_HAVE;
}

static void on_idle(void *arg)
{
    ((struct fix *)arg)->idle++;
}

static void on_closed(void *arg)
{
    ((struct fix *)arg)->closed++;
}

static void open_server(struct fix *f, const struct test_cert *leaf)
{
    const struct net_tls_pair pair = {.cert_pem = slice_str(leaf->cert_pem),
                                      .key_pem = slice_str(leaf->key_pem)};
    const struct net_tls_conf tls = {.role = NET_TLS_SERVER, .pairs = &pair, .pairs_n = 1, .version_min = 12};
    struct net_httpd_conf conf = {.name = "inbox",
                                  .address = "127.0.0.1",
                                  .limits = {.head_max_n = 4096,
                                             .headers_max = 16,
                                             .value_max_n = 1024,
                                             .target_max_n = 1024,
                                             .body_max_n = 16,
                                             .head_ms = NETLOOP_MS,
                                             .idle_ms = NETLOOP_MS,
                                             .handshake_ms = NETLOOP_MS},
                                  .request = on_request,
                                  .arg = f};
    const char *why = "";

    CU_ASSERT_EQUAL_FATAL(net_tls_ctx_create(&tls, &f->tls, &why), ERR_OK);
    conf.tls = f->tls;
    CU_ASSERT_EQUAL_FATAL(net_httpd_create(&f->nl.env, &conf, &f->server, &why), ERR_OK);
}

static void fix_open(struct fix *f)
{
    static const char *const names[] = {"IP:127.0.0.1", "DNS:localhost", NULL};
    struct tool_follow_conf conf = {
        .env = &f->nl.env, .inbox = &f->home, .max_n = 1000, .got = got, .idle = on_idle, .arg = f};
    struct test_cert ca, leaf;
    char why[TOOL_WHY_N];

    *f = (struct fix){.idle = 0};
    netloop_open(&f->nl);
    test_cert_make(&(struct test_cert_conf){.cn = "ca", .ca = true}, NULL, &ca);
    test_cert_make(&(struct test_cert_conf){.cn = "inbox", .sans = names}, &ca, &leaf);
    open_server(f, &leaf);
    (void)snprintf(f->url, sizeof f->url, "https://localhost:%u", (unsigned)net_httpd_port(f->server));
    f->home = (struct tool_home){.url = f->url, .ca = test_file_write("ca.crt", ca.cert_pem, 0644)};
    CU_ASSERT_EQUAL_FATAL(tool_follow_create(&conf, &f->follow, why), ERR_OK);
}

static void fix_close(struct fix *f)
{
    tool_follow_close(f->follow);
    net_httpd_close(f->server, on_closed, f);
    CU_ASSERT(netloop_until(&f->nl, &f->closed, 1));
    netloop_close(&f->nl);
    tool_follow_free(&f->follow);
    net_tls_ctx_free(&f->tls);
}

/* fmt: of the type, the inbox's own place in it. */
static bool push(struct fix *f, const char *fmt)
{
    char type[512];

    (void)snprintf(type, sizeof type, fmt, f->url);
    return tool_follow_push(f->follow, slice_str(type));
}

#define TYPE "message/external-body; access-type=URL; URL="

static void nothing_but_its_own_inbox(void)
{
    static const char *const types[] = {
        "text/plain",
        "message/external-body",
        "message/external-body; URL=\"%s/inbox/a\"",
        "message/external-body; access-type=URL",
        "message/external-body; access-type=ftp; URL=\"%s/inbox/a\"",
        "message/rfc822; access-type=URL; URL=\"%s/inbox/a\"",
        TYPE "\"\"",
        TYPE "\"%s\"",
        TYPE "\"%s/inbox\"",
        TYPE "\"%s/inbox/\"",
        TYPE "\"%s/inbox/a/b\"",
        TYPE "\"%s/inbox/../a\"",
        TYPE "\"%s/inbox/a?wait=1\"",
        TYPE "\"%s/other/a\"",
        TYPE "\"%s.example/inbox/a\"",
        TYPE "\"https://elsewhere.example/inbox/a\"",
        TYPE "\"http://localhost/inbox/a\"",
        TYPE "\"https://localhost:1/inbox/a\"",
        /* Not there any more, or more than is taken; and what cannot be read. */
        TYPE "\"%s/inbox/a\"; expiration=\"Sun, 06 Nov 1994 08:49:37 GMT\"",
        TYPE "\"%s/inbox/a\"; expiration=tomorrow",
        TYPE "\"%s/inbox/a\"; size=1001",
        TYPE "\"%s/inbox/a\"; size=-1",
        TYPE "\"%s/inbox/a\"; size=1k",
        TYPE "\"%s/inbox/a\"; hash=a9993e364706816aba3e25717850c26c9cd0d8",
        TYPE "\"%s/inbox/a\"; hash=a9993e364706816aba3e25717850c26c9cd0d89x",
    };
    struct fix f;

    fix_open(&f);
    for (size_t i = 0; i < COUNT(types); i++) {
        test_row(i);
        CU_ASSERT(!push(&f, types[i]));
    }
    TEST_SLICE_EQ(tool_follow_host(f.follow), SLICE("localhost"));
    CU_ASSERT_STRING_EQUAL(f.asked, "");
    fix_close(&f);
}

static void one_after_the_other(void)
{
    struct fix f;

    fix_open(&f);
    CU_ASSERT(push(&f, TYPE "\"%s/inbox/a\""));
    CU_ASSERT(push(&f, TYPE "\"%s/inbox/gone\"")); /* what is not there any more stops nothing */
    CU_ASSERT(push(&f, "Message/External-Body;Access-Type=url;url=\"%s/inbox/b-1\""));
    CU_ASSERT(netloop_until(&f.nl, &f.idle, 1));
    CU_ASSERT_STRING_EQUAL(f.items, "a|b-1|");
    CU_ASSERT_STRING_EQUAL(f.asked,
                           "GET /inbox/a;DELETE /inbox/a;GET /inbox/gone;GET /inbox/b-1;DELETE /inbox/b-1;");
    CU_ASSERT(push(&f, TYPE "\"%s/inbox/c\"")); /* and again when it had come to rest */
    CU_ASSERT(netloop_until(&f.nl, &f.idle, 2));
    CU_ASSERT_STRING_EQUAL(f.items, "a|b-1|c|");
    fix_close(&f);
}

/* RFC 4483 §4: what the push has said goes along to who judges what comes. */
static void what_was_said(void)
{
    struct fix f;

    fix_open(&f);
    CU_ASSERT(push(
        &f, TYPE
        "\"%s/inbox/a\"; Size=1000; HASH=A9993E364706816ABA3E25717850C26C9CD0D89D; expiration=\"Thu, 31 Dec "
        "2099 08:49:37 GMT\""));
    CU_ASSERT(tool_follow_expected(f.follow)->sized && tool_follow_expected(f.follow)->size == 1000);
    CU_ASSERT(tool_follow_expected(f.follow)->hashed && tool_follow_expected(f.follow)->sha1[19] == 0x9d);
    CU_ASSERT(push(&f, TYPE "\"%s/inbox/b\""));
    CU_ASSERT(netloop_until(&f.nl, &f.idle, 1));
    CU_ASSERT_STRING_EQUAL(f.items, "a|b|");
    fix_close(&f);
}

static void so_many_wait(void)
{
    size_t taken = 0;
    struct fix f;

    fix_open(&f);
    for (size_t i = 0; i < 20; i++)
        taken += push(&f, TYPE "\"%s/inbox/a\"");
    CU_ASSERT_EQUAL(taken, 16);
    fix_close(&f); /* in the middle of it */
}

static void what_makes_none(void)
{
    static const struct {
        struct tool_home home;
        const char *why;
    } rows[] = {{{.url = "http://localhost:1", .ca = "x"}, "--items: not https://HOST:PORT"},
                {{.url = "https://localhost:1/inbox", .ca = "x"}, "--items: not https://HOST:PORT"},
                {{.url = "", .ca = "x"}, "--items: not https://HOST:PORT"},
                {{.url = "https://localhost:1"}, "--items: needs --ca or --psk: how it is known"},
                {{.url = "https://localhost:1", .ca = "x", .login = "no colon"}, "no colon: "},
                {{.url = "https://localhost:1", .ca = "/nowhere"}, "/nowhere"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct tool_follow_conf conf = {.inbox = &rows[i].home, .got = got, .idle = on_idle};
        struct tool_follow *follow = NULL;
        char why[TOOL_WHY_N] = "";

        test_row(i);
        CU_ASSERT_NOT_EQUAL(tool_follow_create(&conf, &follow, why), ERR_OK);
        CU_ASSERT_PTR_NULL(follow);
        CU_ASSERT(strncmp(why, rows[i].why, strlen(rows[i].why)) == 0);
    }
    tool_follow_close(NULL);
}

const struct test_case test_cases[] = {{"nothing_but_its_own_inbox", nothing_but_its_own_inbox},
                                       {"what_was_said", what_was_said},
                                       {"one_after_the_other", one_after_the_other},
                                       {"so_many_wait", so_many_wait},
                                       {"what_makes_none", what_makes_none},
                                       {NULL, NULL}};
