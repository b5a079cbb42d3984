/* The OTA-HTTP bearer against the terminal kit behind our own HTTP server: both ends of the protocol together. */
#include "ota/bearer.h"
#include "ota/headers.h"
#include "ota/terminal/kit.h"

#include <stdlib.h>
#include "base/net/httpd.h"
#include "base/net/hub.h"
#include "security/gba/keyserver.h"
#include "tests/unit/certs.h"
#include "tests/unit/harness.h"

#define KEY         SLICE("0123456789abcdef0123456789abcdef")
#define MODULE_IMPI SLICE("user@operator.example")
#define MODULE_K    SLICE("0123456789abcdef")

static const uint8_t said[16] = "association-0001";

struct world {
    uv_loop_t loop;
    struct net_env net;
    struct ota_env env;
    void *bearer;
    struct net_httpd *server;
    struct net_tls_ctx *server_tls, *client_tls;
    struct kit *kit;
    struct ota_terminal terminal;
    struct ota_job job;
    struct sec_sa sender;
    enum kit_event last;
    unsigned events[KIT_EVENT_COUNT];
    struct buf body; /* of the last good push */
    bool authenticated, done;
    unsigned closed;
};

static void on_request(struct net_http_exchange *x, void *arg)
{
    const struct net_http_msg *m = net_http_exchange_msg(x);
    struct world *w = arg;
    struct kit_header headers[64];
    struct kit_request req = {.method = m->method,
                              .target = m->target,
                              .headers = headers,
                              .headers_n = m->headers_n,
                              .body = m->body,
                              .tls = net_http_exchange_peer(x) != NULL,
                              .server_proved =
                                  net_http_exchange_peer(x) && net_http_exchange_peer(x)->verified,
                              .server = net_http_exchange_ip(x),
                              .now_s = clk_utc_ms(&clk_real) / 1000};
    struct kit_answer answer;
    struct kit_push push;
    const char *reason;

    for (size_t i = 0; i < m->headers_n; i++)
        headers[i] = (struct kit_header){m->headers[i].name, m->headers[i].value};
    w->last = kit_handle(w->kit, &req, &answer, &push, &reason);
    w->events[w->last]++;
    if (w->last == KIT_PUSH) {
        buf_reset(&w->body, 4096);
        buf_add(&w->body, push.body);
        w->authenticated = push.authenticated;
    }
    net_httpd_reply(x, answer.status, SLICE_NONE, buf_slice(&answer.headers), SLICE_NONE);
    buf_clear(&answer.headers);
}

static struct net_tls_ctx *context(enum net_tls_role role, const struct test_cert *own,
                                   const struct test_cert *ca)
{
    const struct net_tls_pair pair = {.cert_pem = slice_str(own->cert_pem),
                                      .key_pem = slice_str(own->key_pem)};
    const struct net_tls_conf conf = {.role = role,
                                      .verify = NET_TLS_VERIFY_REQUIRED,
                                      .pairs = &pair,
                                      .pairs_n = 1,
                                      .ca_pem = slice_str(ca->cert_pem),
                                      .version_min = 12};
    struct net_tls_ctx *ctx = NULL;
    const char *why;

    CU_ASSERT_FATAL(net_tls_ctx_create(&conf, &ctx, &why) == ERR_OK);
    return ctx;
}

static void make_contexts(struct world *w)
{
    static const char *const names[] = {"DNS:phone.example", NULL};
    struct test_cert ca, phone, gateway;

    test_cert_make(&(struct test_cert_conf){.cn = "authority", .ca = true}, NULL, &ca);
    test_cert_make(&(struct test_cert_conf){.cn = "phone", .sans = names}, &ca, &phone);
    test_cert_make(&(struct test_cert_conf){.cn = "gateway"}, &ca, &gateway);
    w->server_tls = context(NET_TLS_SERVER, &phone, &ca);
    w->client_tls = context(NET_TLS_CLIENT, &gateway, &ca);
}

static void start_server(struct world *w)
{
    const struct net_httpd_conf conf = {.name = "terminal",
                                        .address = "127.0.0.1",
                                        .limits = {.head_max_n = 16384,
                                                   .headers_max = 64,
                                                   .value_max_n = 4096,
                                                   .target_max_n = 256,
                                                   .body_max_n = 65536,
                                                   .head_ms = 5000,
                                                   .idle_ms = 5000,
                                                   .handshake_ms = 5000},
                                        .tls = w->server_tls,
                                        .request = on_request,
                                        .arg = w};
    const char *why = "";

    CU_ASSERT_FATAL(net_httpd_create(&w->net, &conf, &w->server, &why) == ERR_OK);
}

static void start_kit(struct world *w, const char *password)
{
    static const uint8_t suites[] = {0x02};
    const struct kit_conf conf = {.terminal_id = SLICE("4+15550100"),
                                  .accept_app = SLICE("*"),
                                  .max_size = 10000,
                                  .max_outstanding = 1,
                                  .login_user = password ? SLICE("gw") : SLICE_NONE,
                                  .login_password = slice_str(password),
                                  .seen_max = 100};

    kit_free(&w->kit);
    CU_ASSERT_FATAL(kit_create(&conf, &w->kit) == ERR_OK);
    CU_ASSERT(kit_add_association(w->kit, said, KEY, suites, 1, 0) == ERR_OK);
}

static struct world *start_with(const char *password, bool tls)
{
    static const uint8_t suite = 0x02;
    const struct sec_sa_conf sa = {
        .rand = slice_of(said, 16), .ks = KEY, .suites = slice_of(&suite, 1), .expires_s = INT64_MAX};
    struct world *w = calloc(1, sizeof *w);

    CU_ASSERT_FATAL(w != NULL && uv_loop_init(&w->loop) == 0);
    w->net = (struct net_env){.loop = &w->loop, .clk = &clk_real};
    CU_ASSERT_FATAL(net_hub_create(&w->net) == ERR_OK);
    w->env = (struct ota_env){
        .net = &w->net, .connect_ms = 2000, .response_ms = 5000, .idle_ms = 60000, .connections_max = 4};
    CU_ASSERT_FATAL(ota_bearer_http.create(&w->env, &w->bearer) == ERR_OK);
    CU_ASSERT_FATAL(sec_sa_init(&w->sender, &sa) == ERR_OK);
    CU_ASSERT(sec_sa_reserved(&w->sender, 1, 100) == ERR_OK);
    buf_init(&w->body, 4096);
    if (tls)
        make_contexts(w);
    ota_bearer_http.set_tls(w->bearer, w->client_tls, NULL);
    start_server(w);
    start_kit(w, password);
    w->terminal = (struct ota_terminal){.key = SLICE("+15550100"),
                                        .host = SLICE("127.0.0.1"),
                                        .port = net_httpd_port(w->server),
                                        .terminal_id = SLICE("4+15550100"),
                                        .login = {SLICE("gw"), SLICE("secret")}};
    return w;
}

static struct world *start(const char *password)
{
    return start_with(password, false);
}

static void on_closed(void *arg)
{
    ((struct world *)arg)->closed++;
}

static void stop(struct world *w)
{
    ota_bearer_http.close(w->bearer, on_closed, w);
    net_httpd_close(w->server, on_closed, w);
    while (w->closed < 2)
        (void)uv_run(&w->loop, UV_RUN_ONCE);
    net_hub_close(w->net.hub, NULL, NULL);
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    CU_ASSERT(uv_loop_close(&w->loop) == 0);
    kit_free(&w->kit);
    sec_sa_clear(&w->sender);
    net_tls_ctx_free(&w->server_tls);
    net_tls_ctx_free(&w->client_tls);
    buf_clear(&w->body);
    free(w);
}

static void on_done(struct ota_job *job, enum err why, void *arg)
{
    (void)job;
    CU_ASSERT(why == ERR_OK);
    ((struct world *)arg)->done = true;
}

static const struct ota_result *push(struct world *w, struct slice head, struct slice body)
{
    w->job =
        (struct ota_job){.terminal = &w->terminal, .message_head = head, .body = body, .authenticated = true};
    w->done = false;
    CU_ASSERT(ota_bearer_http.send(w->bearer, &w->job, on_done, w) == ERR_OK);
    while (!w->done)
        (void)uv_run(&w->loop, UV_RUN_ONCE);
    return &w->job.result;
}

#define HEAD SLICE("Content-Type: text/plain\r\nContent-Length: 5\r\nX-Push-Message-ID: m1\r\n")

static void open_push_arrives(void)
{
    struct world *w = start(NULL);

    for (unsigned direct = 0; direct < 2; direct++) {
        w->terminal.direct = direct;
        start_kit(w, NULL);
        CU_ASSERT(push(w, HEAD, SLICE("hello"))->outcome == OTA_DELIVERED);
        TEST_SLICE_EQ(buf_slice(&w->body), SLICE("hello"));
        CU_ASSERT(!w->authenticated); /* nobody proved anything */
        CU_ASSERT(push(w, HEAD, SLICE("hello"))->outcome == OTA_DELIVERED && w->last == KIT_DUPLICATE);
    }
    CU_ASSERT(w->events[KIT_PUSH] == 2 && w->events[KIT_REGISTERED] == 2); /* another form, another route */
    stop(w);
}

static void sealed_push_arrives(void)
{
    static const struct slice outer = SLICE("Content-Type: " OTA_TYPE_GPL_A1 "\r\n");
    struct ota_message_head h = {.message_id = SLICE("m1"),
                                 .content_type = SLICE("text/plain"),
                                 .content_n = 5,
                                 .initiator_uri = SLICE("https://bank.example/"),
                                 .info = {.authenticated = true},
                                 .with_info = true};
    struct slice parts[3];
    struct world *w = start(NULL);
    struct buf head, sealed;
    uint32_t sn;

    buf_init(&head, 4096);
    buf_init(&sealed, 8192);
    ota_headers_print(&h, &head);
    parts[0] = buf_slice(&head);
    parts[1] = SLICE("\r\n");
    parts[2] = SLICE("hello");
    CU_ASSERT(sec_sa_seal(&w->sender, SEC_GPL_DOWNLINK, 0, SLICE_NONE, parts, 3, &sealed, &sn) == ERR_OK);
    CU_ASSERT(push(w, outer, buf_slice(&sealed))->outcome == OTA_DELIVERED);
    CU_ASSERT(w->last == KIT_PUSH && w->authenticated);
    TEST_SLICE_EQ(buf_slice(&w->body), SLICE("hello"));
    CU_ASSERT(push(w, outer, buf_slice(&sealed))->code == 5027 && w->last == KIT_DROPPED); /* a replay */
    buf_reset(&sealed, 8192);
    CU_ASSERT(sec_sa_seal(&w->sender, SEC_GPL_DOWNLINK, 0, SLICE_NONE, parts, 3, &sealed, &sn) == ERR_OK);
    CU_ASSERT(push(w, outer, buf_slice(&sealed))->outcome == OTA_DELIVERED && w->last == KIT_DUPLICATE);
    buf_clear(&head);
    buf_clear(&sealed);
    stop(w);
}

/* A push that brings an association of which the terminal's module has taken the number already. */
static void seal_with_used_number(struct buf *out, uint8_t rand[16])
{
    static const uint8_t suite = SEC_GPL_CTR;
    const struct sec_keyserver_conf conf = {1, 0};
    const struct sec_subscriber s = {.impi = MODULE_IMPI, .k = MODULE_K, .opc = MODULE_K};
    const struct sec_push_request q = {MODULE_IMPI, SLICE("ppg.example.net\x01\x00\x00\x00\x05"), SLICE("p"),
                                       SLICE_NONE, INT64_MAX / 2};
    const struct slice part = SLICE("content");
    struct sec_gpl_keys *keys = NULL;
    struct sec_keyserver *server = NULL;
    struct sec_push_info info;

    CU_ASSERT_FATAL(
        sec_keyserver_create(&conf, &server) == ERR_OK && sec_keyserver_add(server, &s) == ERR_OK &&
        sec_keyserver_allow(server, q.naf_id, 1000) == ERR_OK &&
        sec_keyserver_reserved(server, q.ue, 1, 2) == ERR_OK &&
        sec_keyserver_push_info(server, &q, 1, &info) == ERR_OK &&
        sec_gpl_keys_create(sec_secret_slice(&info.ks_naf), SEC_GPL_DOWNLINK, suite, &keys) == ERR_OK);
    CU_ASSERT(sec_gpl_seal(keys, 1, slice_of(info.rand, 16), slice_of(info.gpi, info.gpi_n), &part, 1, out) ==
              ERR_OK);
    for (size_t i = 0; i < 16; i++)
        rand[i] = info.rand[i];
    sec_gpl_keys_free(&keys);
    sec_push_info_clear(&info);
    sec_keyserver_free(&server);
}

/* What the terminal says of the association comes back with the result: that it is unknown, or where its module stands;
 * and that a push was taken. */
static void association_is_answered(void)
{
    static const struct slice outer = SLICE("Content-Type: " OTA_TYPE_GPL_A1 "\r\n");
    static const struct slice gateways[] = {{"ppg.example.net", 15}};
    const struct kit_module module = {.impi = MODULE_IMPI,
                                      .k = MODULE_K,
                                      .opc = MODULE_K,
                                      .gateways = gateways,
                                      .gateways_n = 1,
                                      .life_max_s = 1000,
                                      .rate = 9};
    struct world *w = start(NULL);
    struct slice part = SLICE("Content-Type: text/plain\r\n\r\nhello");
    const struct ota_result *r;
    uint8_t rand[16];
    struct buf sealed, state;
    uint32_t sn;

    buf_init(&sealed, 8192);
    buf_init(&state, 8192);
    CU_ASSERT(kit_add_module(w->kit, &module) == ERR_OK);
    CU_ASSERT(sec_sa_seal(&w->sender, SEC_GPL_DOWNLINK, 0, SLICE_NONE, &part, 1, &sealed, &sn) == ERR_OK);
    r = push(w, outer, buf_slice(&sealed));
    CU_ASSERT(r->outcome == OTA_DELIVERED && r->taken && r->association.word == OTA_SA_NOTHING);
    r = push(w, outer, buf_slice(&sealed)); /* a replay: nothing is told */
    CU_ASSERT(r->outcome == OTA_ABORTED && !r->taken && r->association.word == OTA_SA_NOTHING);
    sealed.p[7] ^= 1; /* of the association's name */
    r = push(w, outer, buf_slice(&sealed));
    CU_ASSERT(r->outcome == OTA_ABORTED && !r->taken && r->association.word == OTA_SA_UNKNOWN);
    buf_add_str(&state, "push-terminal-state 1\nmodule ");
    for (int i = 0; i < 32; i++)
        buf_add_str(&state, "0000000000000009");
    buf_add_str(&state, "\n");
    CU_ASSERT(kit_load(w->kit, buf_slice(&state)) == ERR_OK);
    buf_reset(&sealed, 8192);
    seal_with_used_number(&sealed, rand);
    r = push(w, outer, buf_slice(&sealed));
    CU_ASSERT(r->outcome == OTA_ABORTED && !r->taken && r->association.word == OTA_SA_RESYNC);
    TEST_SLICE_EQ(slice_of(r->association.rand, 16), slice_of(rand, 16));
    buf_clear(&sealed);
    buf_clear(&state);
    stop(w);
}

static void changed_terminal_registers_again(void)
{
    struct world *w = start(NULL);
    struct kit_conf conf = {
        .terminal_id = SLICE("4+15550100"), .max_size = 7, .max_outstanding = 3, .seen_max = 1};

    CU_ASSERT(push(w, HEAD, SLICE("hello"))->outcome == OTA_DELIVERED);
    kit_free(&w->kit);
    CU_ASSERT_FATAL(kit_create(&conf, &w->kit) == ERR_OK); /* another tag from now on */
    CU_ASSERT(push(w, HEAD, SLICE("hello"))->outcome == OTA_DELIVERED);
    CU_ASSERT(w->events[KIT_REGISTERED] == 2 && w->events[KIT_REFUSED] == 1 && w->events[KIT_PUSH] == 2);
    CU_ASSERT(push(w, HEAD, SLICE("too long"))->code == 2006);
    stop(w);
}

static void login_is_proved(void)
{
    struct world *w = start("secret");

    CU_ASSERT(push(w, HEAD, SLICE("hello"))->outcome == OTA_DELIVERED);
    CU_ASSERT(push(w, HEAD, SLICE("hello"))->outcome == OTA_DELIVERED);
    CU_ASSERT(w->events[KIT_REFUSED] == 1); /* one challenge serves all */
    w->terminal.login.password = SLICE("wrong");
    CU_ASSERT(push(w, HEAD, SLICE("hello"))->outcome == OTA_UNDELIVERABLE);
    stop(w);
}

static void certificates_prove_both_ends(void)
{
    struct world *w = start_with(NULL, true);

    w->terminal.tls = true;
    w->terminal.tls_name = SLICE("phone.example");
    CU_ASSERT(push(w, HEAD, SLICE("hello"))->outcome == OTA_DELIVERED);
    CU_ASSERT(w->last == KIT_PUSH && w->authenticated); /* the flag counts now */
    stop(w);
}

static void wrong_terminal_certificate_gets_nothing(void)
{
    struct world *w = start_with(NULL, true);
    const struct ota_result *r;

    w->terminal.tls = true;
    w->terminal.tls_name = SLICE("other.example");
    r = push(w, HEAD, SLICE("hello"));
    CU_ASSERT(r->outcome == OTA_RETRY);
    TEST_SLICE_EQ(slice_str(r->note), SLICE("cert-name"));
    w->terminal.tls = false; /* nor does a clear connection get through to it */
    CU_ASSERT(push(w, HEAD, SLICE("hello"))->outcome == OTA_RETRY);
    for (size_t i = 0; i < KIT_EVENT_COUNT; i++)
        CU_ASSERT(w->events[i] == 0);
    stop(w);
}

const struct test_case test_cases[] = {
    {"open_push_arrives", open_push_arrives},
    {"sealed_push_arrives", sealed_push_arrives},
    {"association_is_answered", association_is_answered},
    {"changed_terminal_registers_again", changed_terminal_registers_again},
    {"login_is_proved", login_is_proved},
    {"certificates_prove_both_ends", certificates_prove_both_ends},
    {"wrong_terminal_certificate_gets_nothing", wrong_terminal_certificate_gets_nothing},
    {NULL, NULL},
};
