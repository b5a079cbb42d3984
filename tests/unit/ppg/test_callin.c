/* Doors of one loop: a terminal that is let in comes to the core that owns it and to the bearer there, with what was accepted for
 * it due; what changes on the way is looked at when it arrives. */
#include "ppg/doors/callin.h"

#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>
#include "base/mem.h"
#include "ota/caller.h"
#include "tests/unit/netloop.h"
#include "tests/unit/ppg/core_fix.h"

struct fix {
    struct netloop nl;
    struct replay_world *w;
    struct ota_env env;
    struct net_gate *gate;
    struct ppg_callin *callin;
    uint16_t port;
    size_t closed;
    size_t taken;
    char key[32];
    const char *proof;
};

/* The bearer of the core: keeps nothing of what it takes. */
static void take(void *self, struct ota_call *call, const struct ota_terminal *t, struct ota_registry *held)
{
    struct fix *f = self;

    f->taken++;
    f->proof = call->proof;
    CU_ASSERT(!mem_cstr(f->key, sizeof f->key, t->key));
    CU_ASSERT(ota_registry_find(held, slice_of(call->key, call->key_n)) == t);
    ota_call_drop(&call);
    ota_registry_drop(&held);
}

static const struct ota_bearer taker = {.name = "taker", .take = take};
static const struct ota_bearer *const takers[] = {&taker};

static void on_closed(void *arg)
{
    ((struct fix *)arg)->closed++;
}

static void open_fix(struct fix *f)
{
    const struct sec_digest_guard_conf guard = {60000, 100, false};
    const struct ppg_listen at = {.address = "127.0.0.1"};
    struct ppg_callin_conf conf = {.ota = &f->env};
    const char *why = "";

    *f = (struct fix){.closed = 0};
    netloop_open(&f->nl);
    f->env = (struct ota_env){
        .net = &f->nl.env, .product = SLICE("test"), .connect_ms = NETLOOP_MS, .response_ms = NETLOOP_MS};
    f->w = fix_world("callin", 1, "ok");
    f->w->net->terminals[0].away = true;
    replay_set(f->w, "gateway", "loops", "1");
    fix_start(f->w);
    conf.core = &f->w->cores[0].core;
    CU_ASSERT_FATAL(sec_digest_guard_create(&guard, &conf.core->shared->guard) == ERR_OK);
    CU_ASSERT_FATAL(net_gate_create(4, 4, &f->gate) == ERR_OK);
    conf.gate = f->gate;
    CU_ASSERT_FATAL(ppg_callin_create(&conf, &f->callin) == ERR_OK);
    CU_ASSERT_FATAL(ppg_callin_listen(f->callin, "ota", &at, PPG_CALLIN_CLEAR, &f->port, &why) == ERR_OK);
    CU_ASSERT(f->port != 0);
}

static void close_fix(struct fix *f)
{
    struct ppg_shared *shared = &f->w->shared;

    ppg_callin_close(f->callin, on_closed, f);
    CU_ASSERT(netloop_until(&f->nl, &f->closed, 1));
    CU_ASSERT(net_gate_open(f->gate) == 0);
    netloop_close(&f->nl);
    net_gate_free(&f->gate);
    sec_digest_guard_free(&shared->guard);
    fix_end(f->w);
}

/* From here on the core's bearer is the taker. */
static void watch(struct fix *f)
{
    struct ppg_core *c = &f->w->cores[0].core;

    c->bearers = takers;
    c->bearers_n = 1;
    c->bearer_self[0] = f;
}

static int call_in(struct fix *f, const char *id)
{
    char heard[2048], answer[256];
    int fd = raw_connect(f->port);

    CU_ASSERT(raw_read_until(&f->nl, fd, "\r\n\r\n", heard, sizeof heard) > 0);
    (void)snprintf(answer, sizeof answer,
                   "HTTP/1.1 204 No Content\r\nX-Wap-Terminal-Id: %s\r\nX-Wap-CPITag: q83vEg==\r\n\r\n", id);
    CU_ASSERT(raw_send(&f->nl, fd, slice_str(answer)));
    return fd;
}

/* Until the call is on its way to its owner. */
static void wait_errand(struct fix *f)
{
    int64_t end = clk_mono_ms(&clk_real) + NETLOOP_MS;

    while (list_empty(&f->w->cores[0].errands) && clk_mono_ms(&clk_real) < end)
        netloop_for(&f->nl, 1);
    CU_ASSERT(!list_empty(&f->w->cores[0].errands));
}

static void a_call_comes_home(void)
{
    char rest[64];
    struct fix f;
    int fd;

    open_fix(&f);
    (void)fix_submit(f.w, "a", "+1000", (struct replay_submit){.notify = false});
    replay_run(f.w, 1000, REPLAY_TICK_MS);
    CU_ASSERT(f.w->net->sends_n == 0);
    fd = call_in(&f, "4+1000");
    wait_errand(&f);
    watch(&f);
    CU_ASSERT(f.taken == 0); /* not before it is there */
    replay_turn(f.w);
    CU_ASSERT(f.taken == 1);
    CU_ASSERT_STRING_EQUAL(f.key, "+1000");
    CU_ASSERT_STRING_EQUAL(f.proof, "nothing");
    CU_ASSERT(raw_read_until(&f.nl, fd, NULL, rest, sizeof rest) == 0);
    (void)close(fd);
    close_fix(&f);
}

/* Taken out of the configuration while its call was under way. */
static void who_is_gone_is_hung_up_on(void)
{
    char rest[64];
    struct fix f;
    int fd;

    open_fix(&f);
    fd = call_in(&f, "4+1000");
    wait_errand(&f);
    f.w->net->terminals[0].present = false;
    CU_ASSERT(replay_reload(f.w));
    watch(&f);
    replay_turn(f.w);
    CU_ASSERT(f.taken == 0);
    CU_ASSERT(raw_read_until(&f.nl, fd, NULL, rest, sizeof rest) == 0);
    (void)close(fd);
    close_fix(&f);
}

/* And a bearer that is being closed takes nobody. */
static void nobody_is_taken_at_the_end(void)
{
    char rest[64];
    struct fix f;
    int fd;

    open_fix(&f);
    fd = call_in(&f, "4+1000");
    wait_errand(&f);
    watch(&f);
    f.w->cores[0].core.bearer_self[0] = NULL;
    replay_turn(f.w);
    CU_ASSERT(f.taken == 0);
    CU_ASSERT(raw_read_until(&f.nl, fd, NULL, rest, sizeof rest) == 0);
    (void)close(fd);
    close_fix(&f);
}

static void a_drained_door_is_closed(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char heard[2048];
    struct fix f;
    int fd, late;

    open_fix(&f);
    fd = raw_connect(f.port);
    CU_ASSERT(raw_read_until(&f.nl, fd, "\r\n\r\n", heard, sizeof heard) > 0);
    ppg_callin_drain(f.callin);
    ppg_callin_drain(f.callin); /* once is enough */
    netloop_for(&f.nl, 1);
    to.sin_port = htons(f.port);
    late = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT(connect(late, (struct sockaddr *)&to, sizeof to) != 0); /* nobody may call any more */
    (void)close(late);
    close_fix(&f); /* who is at the door still is hung up on */
    CU_ASSERT(recv(fd, heard, sizeof heard, 0) <= 0);
    (void)close(fd);
}

const struct test_case test_cases[] = {
    {"a_call_comes_home", a_call_comes_home},
    {"who_is_gone_is_hung_up_on", who_is_gone_is_hung_up_on},
    {"nobody_is_taken_at_the_end", nobody_is_taken_at_the_end},
    {"a_drained_door_is_closed", a_drained_door_is_closed},
    {NULL, NULL},
};
