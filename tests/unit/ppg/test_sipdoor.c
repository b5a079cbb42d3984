/* The SIP door with the gateway behind it: who is let in, what is answered, and that what waits for who has come is due. */
#include "ppg/doors/sipdoor.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/net/stream.h"
#include "ota/sip/reply.h"
#include "security/gba/bootstrap.h"
#include "tests/unit/netloop.h"
#include "tests/unit/ppg/core_fix.h"

#define DOMAIN "ims.example"
#define ALICE  "sip:+1000@" DOMAIN

struct fix {
    struct netloop nl;
    struct replay_world *w;
    struct net_gate *gate;
    struct ppg_sipdoor *door;
    uint16_t port;
    size_t closed;
    int fd;
    unsigned cseq;
    char login[2048]; /* a header line, or "" */
    char answer[8192];
};

static void on_closed(void *arg)
{
    ((struct fix *)arg)->closed++;
}

static struct ppg_core *core_of(struct fix *f)
{
    return &f->w->cores[0].core;
}

static void open_shared(struct fix *f)
{
    const struct sec_digest_guard_conf guard = {60000, 100, false};
    struct ppg_shared *shared = &f->w->shared;

    CU_ASSERT_FATAL(sec_digest_guard_create(&guard, &shared->guard) == ERR_OK);
    CU_ASSERT_FATAL(sec_penalty_create(100, &shared->penalty) == ERR_OK);
    CU_ASSERT_FATAL(ota_sip_location_create(shared->clk, 10, &shared->location) == ERR_OK);
}

static void fix_open_with(struct fix *f, const char *address_bound)
{
    const struct ppg_listen at = {.address = "127.0.0.1"};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *why = "";

    *f = (struct fix){.closed = 0};
    netloop_open(&f->nl);
    f->w = fix_world("sipdoor", 2, "ok");
    f->w->net->terminals[0].registers = true;
    replay_set(f->w, "gateway", "loops", "1");
    replay_set(f->w, "ota-sip", "identity", "sip:push@" DOMAIN);
    replay_set(f->w, "ota-sip", "address-bound", address_bound);
    fix_start(f->w);
    open_shared(f);
    CU_ASSERT_FATAL(net_gate_create(4, 4, &f->gate) == ERR_OK);
    CU_ASSERT_EQUAL_FATAL(ppg_sipdoor_create(&f->nl.env, core_of(f), f->gate, &f->door), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(ppg_sipdoor_listen(f->door, OTA_SIP_UDP, "sip", &at, &f->port, &why), ERR_OK);
    to.sin_port = htons(f->port);
    f->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(f->fd >= 0 && connect(f->fd, (struct sockaddr *)&to, sizeof to) == 0);
}

static void fix_open(struct fix *f)
{
    fix_open_with(f, "no");
}

static void fix_close(struct fix *f)
{
    struct ppg_shared *shared = &f->w->shared;

    ppg_sipdoor_drain(f->door);
    ppg_sipdoor_close(f->door, on_closed, f);
    CU_ASSERT(netloop_until(&f->nl, &f->closed, 1));
    (void)close(f->fd);
    netloop_close(&f->nl);
    net_gate_free(&f->gate);
    replay_turn(f->w);
    ota_sip_location_free(&shared->location);
    sec_penalty_free(&shared->penalty);
    sec_digest_guard_free(&shared->guard);
    fix_end(f->w);
}

/* The status of the answer. */
static unsigned ask(struct fix *f, const char *method, const char *to, const char *lines)
{
    char text[4096];

    f->cseq++;
    (void)snprintf(text, sizeof text,
                   "%s sip:" DOMAIN
                   " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK%u;rport\r\nFrom: "
                   "<%s>;tag=a\r\nTo: <%s>\r\nCall-ID: c\r\nCSeq: %u %s\r\n%s%sContent-Length: 0\r\n\r\n",
                   method, f->cseq, to, to, f->cseq, method, f->login, lines);
    CU_ASSERT_FATAL(send(f->fd, text, strlen(text), 0) == (ssize_t)strlen(text));
    CU_ASSERT_FATAL(raw_read_until(&f->nl, f->fd, "\r\n\r\n", f->answer, sizeof f->answer) > 0);
    return (unsigned)strtoul(f->answer + strlen("SIP/2.0 "), NULL, 10);
}

/* Answers the challenge of the last answer. */
static void log_in(struct fix *f, const char *method, const char *user, const char *password)
{
    const struct sec_digest_request request = {slice_str(method), SLICE("sip:" DOMAIN), SLICE_NONE, true};
    char *value = strstr(f->answer, "WWW-Authenticate: ");
    struct sec_digest_response sent;
    struct sec_digest_offer offer;
    struct sec_secret ha1;
    struct slice challenge;
    struct buf out;

    CU_ASSERT_FATAL(value != NULL);
    challenge = slice_str(value + strlen("WWW-Authenticate: "));
    challenge.n = slice_find(challenge, '\r');
    CU_ASSERT_EQUAL_FATAL(sec_digest_choose(&challenge, 1, &offer), ERR_OK);
    sec_secret_init(&ha1);
    buf_init(&out, sizeof f->login - 1);
    CU_ASSERT_EQUAL(sec_digest_ha1(offer.algorithm, slice_str(user), offer.realm, slice_str(password), &ha1),
                    ERR_OK);
    buf_add(&out, SLICE("Authorization: "));
    CU_ASSERT_EQUAL(
        sec_digest_answer(&offer, slice_str(user), &ha1, &request, SLICE("c0ffee"), 1, &out, &sent), ERR_OK);
    buf_add(&out, SLICE("\r\n"));
    (void)snprintf(f->login, sizeof f->login, "%.*s", SLICE_FMT(buf_slice(&out)));
    buf_clear(&out);
    sec_secret_clear(&ha1);
}

static unsigned ask_as(struct fix *f, const char *method, const char *user, const char *password,
                       const char *to, const char *lines)
{
    unsigned status;

    f->login[0] = '\0';
    CU_ASSERT_EQUAL(ask(f, method, to, lines), 401);
    log_in(f, method, user, password);
    status = ask(f, method, to, lines);
    f->login[0] = '\0';
    return status;
}

#define USER    "+1000"
#define CONTACT "Contact: <sip:x@127.0.0.1:9>;+g.oma.pusheventapp=\"wml.ua\"\r\n"

static void who_is_let_in(void)
{
    static const struct {
        const char *user, *password, *to, *lines;
        unsigned status;
    } rows[] = {
        {USER, "sesame", ALICE, CONTACT, 200},
        {USER, "wrong", ALICE, CONTACT, 401},
        {"+1001", "sesame", ALICE, CONTACT, 401}, /* it does not register */
        {"", "sesame", ALICE, CONTACT, 401},
        {USER, "sesame", "sip:+1001@" DOMAIN, CONTACT, 403},
        {USER, "sesame", ALICE, "Contact: *\r\n", 400},
        {USER, "sesame", ALICE, "Contact: *\r\nExpires: 0\r\n", 200},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix f;

        test_row(i);
        fix_open(&f);
        CU_ASSERT_EQUAL(ask_as(&f, "REGISTER", rows[i].user, rows[i].password, rows[i].to, rows[i].lines),
                        rows[i].status);
        CU_ASSERT_EQUAL(ota_sip_location_has(f.w->shared.location, SLICE(ALICE)), i == 0);
        CU_ASSERT_EQUAL(sec_penalty_count(f.w->shared.penalty) > 0, rows[i].status == 401);
        fix_close(&f);
    }
}

/* RFC 3261 §8.2.1, §11.2, §15.1.2: never a 6xx; 405 says what there is instead, and no event package is made up. */
static void what_else_is_asked(void)
{
    static const struct {
        const char *method;
        unsigned status;
    } rows[] = {{"MESSAGE", 405}, {"INVITE", 405}, {"SUBSCRIBE", 405}, {"NOTIFY", 405}, {"PUBLISH", 405},
                {"UPDATE", 405},  {"REFER", 405},  {"INFO", 405},      {"PRACK", 405},  {"BYE", 481},
                {"CANCEL", 481},  {"FROB", 501},   {"OPTIONS", 401}};
    struct fix f;

    fix_open(&f);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(ask(&f, rows[i].method, ALICE, ""), rows[i].status);
        CU_ASSERT_EQUAL(strstr(f.answer, "\r\nAllow: OPTIONS, REGISTER, BYE\r\n") != NULL,
                        rows[i].status == 405 || rows[i].status == 501);
        CU_ASSERT_PTR_NULL(strstr(f.answer, "Allow-Events"));
    }
    CU_ASSERT_EQUAL(ask_as(&f, "OPTIONS", USER, "sesame", ALICE, CONTACT), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.answer, "\r\nAllow: OPTIONS, REGISTER, BYE\r\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(f.answer, "\r\nContact: <sip:push@" DOMAIN ">;+g.oma.pusheventapp=\"wml.ua\"\r\n"));
    CU_ASSERT(!ota_sip_location_has(f.w->shared.location, SLICE(ALICE)));
    fix_close(&f);
}

/* TS 33.178: only where the operator says so, from where it has registered, and not through somebody. */
static void bound_to_an_address(void)
{
    static const struct {
        const char *knob;
        bool registered;
        const char *from, *lines;
        unsigned status;
    } rows[] = {
        {"no", true, ALICE, "", 401},
        {"yes", false, ALICE, "", 401},
        {"yes", true, ALICE, "", 200},
        {"yes", true, "sip:+1001@" DOMAIN, "", 401},
        {"yes", true, "sip:+1000@elsewhere.example", "", 401},
        {"yes", true, ALICE, "Via: SIP/2.0/UDP 127.0.0.1:7;branch=z9hG4bKx\r\n", 401},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix f;

        test_row(i);
        fix_open_with(&f, rows[i].knob);
        if (rows[i].registered)
            CU_ASSERT_EQUAL(ask_as(&f, "REGISTER", USER, "sesame", ALICE, CONTACT), 200);
        CU_ASSERT_EQUAL(ask(&f, "OPTIONS", rows[i].from, rows[i].lines), rows[i].status);
        CU_ASSERT_EQUAL(ask(&f, "REGISTER", ALICE, CONTACT), 401);
        CU_ASSERT_EQUAL(ask(&f, "MESSAGE", ALICE, ""), 405);
        fix_close(&f);
    }
}

/* Guessing costs time, which is of who sends datagrams from there; and nobody comes in while we leave. */
static void not_now(void)
{
    struct fix f;

    fix_open(&f);
    for (unsigned i = 0; i < 20 && ask_as(&f, "REGISTER", USER, "wrong", ALICE, CONTACT) == 401; i++)
        ;
    CU_ASSERT(strncmp(f.answer, "SIP/2.0 503 ", 12) == 0 && strstr(f.answer, "\r\nRetry-After: ") != NULL);
    CU_ASSERT(sec_penalty_wait_ms(f.w->shared.penalty, SLICE("127.0.0.1"), ppg_core_mono_ms(core_of(&f))) ==
              0);
    CU_ASSERT_EQUAL(ask(&f, "REGISTER", ALICE, CONTACT), 401); /* who does not guess is heard */
    atomic_store(&f.w->shared.draining, true);
    CU_ASSERT_EQUAL(ask(&f, "REGISTER", ALICE, CONTACT), 503);
    atomic_store(&f.w->shared.draining, false);
    fix_close(&f);
}

/* An errand to the terminal's loop: what waits is due. */
static void what_waits_is_due(void)
{
    struct fix f;

    fix_open(&f);
    CU_ASSERT(list_empty(&f.w->cores[0].errands));
    CU_ASSERT_EQUAL(ask_as(&f, "REGISTER", USER, "sesame", ALICE, CONTACT), 200);
    CU_ASSERT(!list_empty(&f.w->cores[0].errands));
    replay_turn(f.w);
    CU_ASSERT_EQUAL(ask_as(&f, "REGISTER", USER, "sesame", ALICE, CONTACT), 200); /* nothing new */
    CU_ASSERT(list_empty(&f.w->cores[0].errands));
    fix_close(&f);
}

const struct test_case test_cases[] = {{"who_is_let_in", who_is_let_in},
                                       {"what_else_is_asked", what_else_is_asked},
                                       {"bound_to_an_address", bound_to_an_address},
                                       {"not_now", not_now},
                                       {"what_waits_is_due", what_waits_is_due},
                                       {NULL, NULL}};
