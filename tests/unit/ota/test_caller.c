/* Callers over real sockets: who is let in and as whom, who is sent away, what guessing costs.  The terminal is a raw socket
 * beside the loop; its answers are texts, its Digest is the client library's. */
#include "ota/caller.h"

#include <stdio.h>
#include <netinet/in.h>
#include <unistd.h>
#include "ota/headers.h"
#include "ota/terminal/kit.h"
#include "tests/unit/harness.h"
#include "tests/unit/netloop.h"

#define REALM SLICE("push")
#define NONE  "X-Wap-Terminal-Id: 4+15550100\r\n" /* who proves nothing */
#define LOGIN "X-Wap-Terminal-Id: 4+15550101\r\n" /* who logs in */
#define TLS   "X-Wap-Terminal-Id: 4+15550102\r\n" /* who calls over TLS alone */
#define NEVER "X-Wap-Terminal-Id: 4+15550103\r\n" /* who is only called */
#define TAG   "X-Wap-CPITag: q83vEg==\r\n"

struct fix {
    struct netloop nl;
    struct ota_env env;
    struct sec_digest_guard *guard;
    struct sec_penalty *penalty;
    struct ota_registry *registry;
    struct net_gate *gate;
    struct ota_callers *callers;
    struct ota_call *call; /* the last that arrived */
    size_t arrived;
    size_t closed;
    int listener;
    uint16_t port;
};

static struct ota_registry *registry_of(void *arg)
{
    return ota_registry_hold(((struct fix *)arg)->registry);
}

static void on_arrived(struct ota_call *call, void *arg)
{
    struct fix *f = arg;

    ota_call_drop(&f->call);
    f->call = call;
    f->arrived++;
}

static void on_closed(void *arg)
{
    ((struct fix *)arg)->closed++;
}

static void add(struct fix *f, const char *key, enum ota_calls calls, enum ota_proof proof)
{
    struct ota_terminal t = {.key = slice_str(key), .call_in = {.calls = calls, .proof = proof}};
    char id[32];

    (void)snprintf(id, sizeof id, "4%s", key);
    t.terminal_id = slice_str(id);
    if (proof == OTA_PROOF_DIGEST)
        t.call_in.password = SLICE("secret");
    if (calls == OTA_CALLS_NO) {
        t.host = SLICE("127.0.0.1");
        t.port = 1;
    }
    CU_ASSERT_FATAL(ota_registry_add(f->registry, &t) == ERR_OK);
}

static void open_fix(struct fix *f, int64_t response_ms)
{
    const struct sec_digest_guard_conf guard = {60000, 100, false};
    struct ota_callers_conf conf = {
        .env = &f->env, .realm = REALM, .registry = registry_of, .arrived = on_arrived, .arg = f};

    *f = (struct fix){.arrived = 0};
    netloop_open(&f->nl);
    f->env = (struct ota_env){
        .net = &f->nl.env, .product = SLICE("test"), .connect_ms = NETLOOP_MS, .response_ms = response_ms};
    CU_ASSERT_FATAL(sec_digest_guard_create(&guard, &f->guard) == ERR_OK);
    CU_ASSERT_FATAL(sec_penalty_create(16, &f->penalty) == ERR_OK);
    CU_ASSERT_FATAL(net_gate_create(4, 4, &f->gate) == ERR_OK);
    CU_ASSERT_FATAL(ota_registry_create(8, &f->registry) == ERR_OK);
    add(f, "+15550100", OTA_CALLS_ANY, OTA_PROOF_NONE);
    add(f, "+15550101", OTA_CALLS_ANY, OTA_PROOF_DIGEST);
    add(f, "+15550102", OTA_CALLS_TLS, OTA_PROOF_NONE);
    add(f, "+15550103", OTA_CALLS_NO, OTA_PROOF_NONE);
    conf.guard = f->guard;
    conf.penalty = f->penalty;
    conf.gate = f->gate;
    CU_ASSERT_FATAL(ota_callers_create(&conf, &f->callers) == ERR_OK);
    f->listener = raw_listen(&f->port);
}

static void close_fix(struct fix *f)
{
    ota_call_drop(&f->call);
    if (!f->closed)
        ota_callers_close(f->callers, on_closed, f);
    CU_ASSERT(netloop_until(&f->nl, &f->closed, 1));
    CU_ASSERT(net_gate_open(f->gate) == 0);
    (void)close(f->listener);
    netloop_close(&f->nl);
    net_gate_free(&f->gate);
    ota_registry_drop(&f->registry);
    sec_penalty_free(&f->penalty);
    sec_digest_guard_free(&f->guard);
}

/* A terminal dials; the gateway's end goes to the callers with a seat. */
static int dial_where(struct fix *f, bool offer_tls)
{
    const struct sockaddr_in from = {.sin_family = AF_INET};
    struct net_gate_seat *seat = NULL;
    int fd = raw_connect(f->port), gateway = raw_accept(&f->nl, f->listener);

    CU_ASSERT_FATAL(net_gate_enter(f->gate, (const struct sockaddr *)&from, &seat) == ERR_OK);
    ota_callers_take(f->callers, gateway, seat, NULL, offer_tls);
    return fd;
}

static int dial(struct fix *f)
{
    return dial_where(f, false);
}

/* Reads one request of the gateway. */
static void hear(struct fix *f, int fd, char *to, size_t cap)
{
    CU_ASSERT(raw_read_until(&f->nl, fd, "\r\n\r\n", to, cap) > 0);
    CU_ASSERT(slice_starts(slice_str(to), SLICE("OPTIONS /wappush HTTP/1.1\r\n")));
}

static void say(struct fix *f, int fd, const char *status, const char *fields)
{
    char text[2048];

    (void)snprintf(text, sizeof text, "HTTP/1.1 %s\r\n%s\r\n", status, fields);
    CU_ASSERT(raw_send(&f->nl, fd, slice_str(text)));
}

/* The gateway ends the connection, having said nothing more. */
static void expect_end(struct fix *f, int fd)
{
    char rest[1024];

    CU_ASSERT(raw_read_until(&f->nl, fd, NULL, rest, sizeof rest) == 0);
    (void)close(fd);
    while (ota_callers_n(f->callers)) /* it lingers for what we might have said */
        netloop_for(&f->nl, 1);
}

/* X-Wap-Authorization for the challenges of a request, as a client makes it. */
static void login(const char *request, const char *password, char *to, size_t cap)
{
    struct kit_conf conf = {.terminal_id = SLICE("4+15550101"),
                            .accept_app = SLICE("*"),
                            .max_size = 1000,
                            .max_outstanding = 1,
                            .seen_max = 3,
                            .proof_user = SLICE("4+15550101"),
                            .proof_password = slice_str(password)};
    struct kit_header header = {
        SLICE("X-Wap-Authenticate"),
        ota_header_find(slice_sub(slice_str(request), 27, SIZE_MAX), SLICE("X-Wap-Authenticate"))};
    struct kit_request req = {
        .method = SLICE("OPTIONS"), .target = SLICE("/wappush"), .headers = &header, .headers_n = 1};
    struct kit_answer answer;
    struct kit_push push;
    const char *reason;
    struct kit *kit;

    CU_ASSERT_FATAL(kit_create(&conf, &kit) == ERR_OK);
    CU_ASSERT(kit_handle(kit, &req, &answer, &push, &reason) == KIT_REGISTERED);
    (void)snprintf(to, cap, LOGIN "X-Wap-Authorization: %.*s\r\n",
                   SLICE_FMT(ota_header_find(buf_slice(&answer.headers), SLICE("X-Wap-Authorization"))));
    buf_clear(&answer.headers);
    kit_free(&kit);
}

static void lets_in_who_is_known(void)
{
    char heard[4096];
    struct fix f;
    int fd;

    open_fix(&f, NETLOOP_MS);
    fd = dial(&f);
    hear(&f, fd, heard, sizeof heard);
    CU_ASSERT(slice_find_slice(slice_str(heard), SLICE("X-Wap-Authenticate: Digest ")) != SIZE_MAX);
    CU_ASSERT(slice_find_slice(slice_str(heard), SLICE("CPITag")) == SIZE_MAX); /* of whom? */
    CU_ASSERT(slice_find_slice(slice_str(heard), SLICE("Basic")) == SIZE_MAX);  /* in the clear */
    say(&f, fd, "204 No Content", NONE TAG "X-Wap-Push-Status: 501\r\nX-Wap-Push-Accept: text/plain\r\n");
    CU_ASSERT_FATAL(netloop_until(&f.nl, &f.arrived, 1));
    CU_ASSERT(slice_eq(slice_of(f.call->key, f.call->key_n), SLICE("+15550100")));
    CU_ASSERT(f.call->cpi.known && slice_eq(ota_cpi_tag(&f.call->cpi), SLICE("q83vEg==")));
    CU_ASSERT(slice_eq(buf_slice(&f.call->cpi.lists[OTA_CPI_ACCEPT]), SLICE("text/plain")));
    CU_ASSERT_STRING_EQUAL(f.call->proof, "nothing");
    CU_ASSERT(!f.call->tls && slice_starts(slice_str(f.call->from), SLICE("127.0.0.1:")));
    CU_ASSERT(net_gate_open(f.gate) == 1 && ota_callers_n(f.callers) == 0);
    ota_call_drop(&f.call); /* the seat is free, and the terminal hears of it */
    CU_ASSERT(net_gate_open(f.gate) == 0);
    expect_end(&f, fd);
    close_fix(&f);
}

/* "Unchanged" to somebody who cannot know what was said before: the owner asks again. */
static void asks_later_what_is_unchanged(void)
{
    char heard[4096];
    struct fix f;
    int fd;

    open_fix(&f, NETLOOP_MS);
    fd = dial(&f);
    hear(&f, fd, heard, sizeof heard);
    say(&f, fd, "200 OK", NONE TAG "X-Wap-Push-Status: 500\r\nContent-Length: 0\r\n");
    CU_ASSERT_FATAL(netloop_until(&f.nl, &f.arrived, 1));
    CU_ASSERT(!f.call->cpi.known);
    (void)close(fd);
    close_fix(&f);
}

static void sends_away_who_is_not(void)
{
    static const struct {
        const char *status, *fields;
        size_t asked; /* OPTIONS until then */
    } rows[] = {
        {"204 No Content", TAG, 1},                                          /* it says not who it is */
        {"204 No Content", "X-Wap-Terminal-Id: 4+15550109\r\n" TAG, 1},      /* somebody else */
        {"204 No Content", "X-Wap-Terminal-Id: 5+15550100\r\n" TAG, 1},      /* another kind of identity */
        {"204 No Content", NONE "X-Wap-Terminal-Id: 4+15550101\r\n" TAG, 1}, /* two */
        {"204 No Content", NONE TAG "X-Wap-CPITag: AAAAAA==\r\n", 1},        /* two tags */
        {"204 No Content", NONE "X-Wap-CPITag: \x01\r\n", 1},
        {"204 No Content", NONE TAG "X-Wap-Push-Status: 400\r\n", 1}, /* that answers a push */
        {"204 No Content", NONE TAG "X-Wap-Push-Status: 5\r\n", 1},
        {"204 No Content", TLS TAG, 1},
        {"204 No Content", NEVER TAG, 1},
        {"204 No Content", LOGIN TAG, 2}, /* challenged once more */
        {"204 No Content", LOGIN TAG "X-Wap-Authorization: Digest nonsense\r\n", 2},
        {"204 No Content", LOGIN TAG "X-Wap-Authorization: Basic NCsxNTU1MDEwMTpzZWNyZXQ=\r\n", 2},
        {"401 Unauthorized", NONE "WWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n", 1},
        {"404 Not Found", "Content-Length: 0\r\n", 1},
        {"302 Found", "Location: http://192.0.2.1/\r\nContent-Length: 0\r\n", 1},
        {"100 Continue", "", 1},
        {"204 No Content", NONE TAG "\r\nHTTP/1.1 204 No Content\r\n" NONE TAG, 1}, /* and one more answer */
        {"OK 200", "", 1},
    };
    char heard[4096];

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix f;
        int fd;

        test_row(i);
        open_fix(&f, slice_starts(slice_str(rows[i].status), SLICE("100")) ? 100 : NETLOOP_MS);
        fd = dial(&f);
        for (size_t k = 0; k < rows[i].asked; k++) {
            hear(&f, fd, heard, sizeof heard);
            say(&f, fd, rows[i].status, rows[i].fields);
        }
        expect_end(&f, fd);
        CU_ASSERT(f.arrived == 0);
        close_fix(&f);
    }
}

static void who_says_nothing_is_not_waited_for_long(void)
{
    char heard[4096];
    struct fix f;
    int fd;

    open_fix(&f, 100);
    fd = dial(&f);
    hear(&f, fd, heard, sizeof heard);
    expect_end(&f, fd);
    close_fix(&f);
}

/* A terminal logs in, once or, when it is challenged again, twice. */
static void try_login(struct fix *f, const char *password, int times, bool let_in)
{
    char heard[4096], fields[1024];
    size_t before = f->arrived;
    int fd = dial(f);

    for (int k = 0; k < times; k++) {
        hear(f, fd, heard, sizeof heard);
        login(heard, password, fields, sizeof fields);
        say(f, fd, "204 No Content", fields);
    }
    if (let_in && netloop_until(&f->nl, &f->arrived, before + 1))
        CU_ASSERT_STRING_EQUAL(f->call->proof, "digest");
    ota_call_drop(&f->call);
    expect_end(f, fd);
    CU_ASSERT(f->arrived == before + let_in);
}

/* Three are free; the source, which has no port, is the one of other doors. */
static void guessing_slows_its_source(void)
{
    struct fix f;

    open_fix(&f, NETLOOP_MS);
    try_login(&f, "secret", 1, true);
    try_login(&f, "guess", 2, false);
    try_login(&f, "secret", 1, true); /* and all is forgotten */
    try_login(&f, "guess", 2, false);
    CU_ASSERT(sec_penalty_wait_ms(f.penalty, SLICE("127.0.0.1"), clk_mono_ms(&clk_real)) == 0);
    try_login(&f, "guess", 2, false);
    CU_ASSERT(sec_penalty_wait_ms(f.penalty, SLICE("127.0.0.1"), clk_mono_ms(&clk_real)) > 0);
    CU_ASSERT(sec_penalty_count(f.penalty) == 1);
    try_login(&f, "secret", 1, false); /* not even listened to */
    close_fix(&f);
}

/* Somebody else's guesses do not keep out who has nothing to guess. */
static void a_neighbour_is_not_slowed(void)
{
    char heard[4096];
    struct fix f;
    int fd;

    open_fix(&f, NETLOOP_MS);
    for (int i = 0; i < 6; i++)
        sec_penalty_fail(f.penalty, SLICE("127.0.0.1"), clk_mono_ms(&clk_real));
    fd = dial(&f);
    hear(&f, fd, heard, sizeof heard);
    say(&f, fd, "204 No Content", NONE TAG);
    CU_ASSERT(netloop_until(&f.nl, &f.arrived, 1));
    (void)close(fd);
    close_fix(&f);
}

#define OFFER SLICE("Upgrade: TLS/1.2\r\nConnection: Upgrade\r\n")

/* Who has TLS is told that there is a door for it, and says so; who has not registers here. */
static void offers_tls_where_there_is_some(void)
{
    static const struct {
        bool offer;
        const char *status, *fields;
        size_t arrived;
    } rows[] = {
        {true, "426 Upgrade Required", "Upgrade: TLS/1.2\r\nContent-Length: 0\r\n", 0},
        {true, "426 Upgrade Required", "Content-Length: 0\r\n", 0},
        {false, "426 Upgrade Required", "Upgrade: TLS/1.2\r\nContent-Length: 0\r\n", 0},
        {true, "101 Switching Protocols", "Upgrade: TLS/1.2\r\nConnection: Upgrade\r\n", 0},
        {true, "204 No Content", NONE TAG, 1},
        {false, "204 No Content", NONE TAG, 1},
    };
    char heard[4096];

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix f;
        int fd;

        test_row(i);
        open_fix(&f, NETLOOP_MS);
        fd = dial_where(&f, rows[i].offer);
        hear(&f, fd, heard, sizeof heard);
        CU_ASSERT((slice_find_slice(slice_str(heard), OFFER) != SIZE_MAX) == rows[i].offer);
        say(&f, fd, rows[i].status, rows[i].fields);
        if (rows[i].arrived) {
            CU_ASSERT(netloop_until(&f.nl, &f.arrived, 1));
            ota_call_drop(&f.call);
        }
        expect_end(&f, fd);
        CU_ASSERT(f.arrived == rows[i].arrived);
        close_fix(&f);
    }
}

/* Whoever says in the clear that he is a terminal that has TLS is not heard, where there is TLS. */
static void who_has_tls_is_not_let_in_without(void)
{
    static const struct {
        const char *known;
        bool tls, offer;
        size_t arrived;
    } rows[] = {{"+15550100", true, true, 0},
                {"+15550100", true, false, 1},
                {"+15550100", false, true, 1},
                {"+15550101", true, true, 1}};
    char heard[4096];

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct ota_profile said = {.tag = SLICE("AAAAAA=="), .tls = rows[i].tls};
        struct ota_profiles *profiles;
        struct fix f;
        int fd;

        test_row(i);
        open_fix(&f, NETLOOP_MS);
        CU_ASSERT_FATAL(ota_profiles_create(16, &profiles) == ERR_OK);
        CU_ASSERT(ota_profiles_learn(profiles, slice_str(rows[i].known), &said) == ERR_OK);
        f.env.profiles = profiles;
        fd = dial_where(&f, rows[i].offer);
        hear(&f, fd, heard, sizeof heard);
        say(&f, fd, "204 No Content", NONE TAG);
        if (rows[i].arrived) {
            CU_ASSERT(netloop_until(&f.nl, &f.arrived, 1));
            ota_call_drop(&f.call);
        }
        expect_end(&f, fd);
        CU_ASSERT(f.arrived == rows[i].arrived);
        close_fix(&f);
        ota_profiles_free(&profiles);
    }
}

static void closing_hangs_up_on_who_is_at_the_door(void)
{
    char heard[4096];
    struct fix f;
    int fds[3];

    open_fix(&f, NETLOOP_MS);
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = dial(&f);
        hear(&f, fds[i], heard, sizeof heard);
    }
    CU_ASSERT(ota_callers_n(f.callers) == COUNT(fds) && net_gate_open(f.gate) == COUNT(fds));
    ota_callers_close(f.callers, on_closed, &f);
    CU_ASSERT(f.closed == 0); /* not from inside */
    CU_ASSERT(netloop_until(&f.nl, &f.closed, 1));
    for (size_t i = 0; i < COUNT(fds); i++) {
        CU_ASSERT(raw_read_until(&f.nl, fds[i], NULL, heard, sizeof heard) == 0);
        (void)close(fds[i]);
    }
    CU_ASSERT(f.arrived == 0);
    close_fix(&f);
}

const struct test_case test_cases[] = {
    {"lets_in_who_is_known", lets_in_who_is_known},
    {"asks_later_what_is_unchanged", asks_later_what_is_unchanged},
    {"sends_away_who_is_not", sends_away_who_is_not},
    {"who_says_nothing_is_not_waited_for_long", who_says_nothing_is_not_waited_for_long},
    {"guessing_slows_its_source", guessing_slows_its_source},
    {"a_neighbour_is_not_slowed", a_neighbour_is_not_slowed},
    {"offers_tls_where_there_is_some", offers_tls_where_there_is_some},
    {"who_has_tls_is_not_let_in_without", who_has_tls_is_not_let_in_without},
    {"closing_hangs_up_on_who_is_at_the_door", closing_hangs_up_on_who_is_at_the_door},
    {NULL, NULL},
};
