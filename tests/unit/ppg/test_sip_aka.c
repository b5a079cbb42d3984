/* Logins at the SIP door by AKA, with a module at the other end and the store in between: what is challenged, what is let in, what is
 * refused, and what becomes of those that wait for numbers when it all stops. */
#include "ppg/doors/sip_aka.h"

#include <stdlib.h>

#include "ota/sip/reply.h"
#include "ppg/doors/sip_names.h"
#include "security/gba/bootstrap.h"
#include "security/login/digest_aka.h"
#include "tests/unit/ppg/core_fix.h"

#define REALM "ims.example"
#define URI   "sip:" REALM

struct fix {
    struct replay_world *w;
    struct ppg_sip_aka *aka;
    struct ota_sip_asked q;
    char impi[REPLAY_NAME_N];
    char ended_as[REPLAY_NAME_N]; /* who it is */
    char more[8192];
    unsigned status, ended;
    bool failed_login;
};

static void on_ended(struct ota_sip_asked *q, const struct ppg_sip_aka_end *end, void *arg)
{
    struct fix *f = arg;

    CU_ASSERT(q == &f->q);
    f->ended++;
    f->status = end->status;
    f->failed_login = end->failed_login;
    (void)snprintf(f->ended_as, sizeof f->ended_as, "%.*s", SLICE_FMT(end->impi));
    (void)snprintf(f->more, sizeof f->more, "%.*s", SLICE_FMT(buf_slice(end->more)));
}

static void fix_open(struct fix *f, bool keyserver)
{
    struct ppg_sip_aka_conf conf = {.ended = on_ended, .arg = f};

    *f = (struct fix){.status = 999};
    ota_sip_parser_start();
    f->w = fix_world("sip_aka", 1, "ok");
    f->w->net->terminals[0].gba = true;
    replay_set(f->w, "gateway", "loops", "1");
    if (keyserver) {
        replay_set(f->w, "files", "subscribers", "subscribers.conf");
        replay_set(f->w, "key-server", "name", "ppg.example.net");
    }
    replay_set(f->w, "ota-sip", "identity", "sip:push@" REALM);
    fix_start(f->w);
    replay_net_impi(f->w->net, &f->w->net->terminals[0], f->impi);
    conf.core = &f->w->cores[0].core;
    CU_ASSERT_EQUAL_FATAL(ppg_sip_aka_create(ppg_core_settings(conf.core), &f->w->shared.sip_aka), ERR_OK);
    CU_ASSERT_FATAL(f->w->shared.sip_aka != NULL);
    CU_ASSERT_EQUAL_FATAL(ppg_sip_aka_start(&conf, &f->aka), ERR_OK);
}

static void fix_close(struct fix *f)
{
    if (f->aka)
        ppg_sip_aka_stop(&f->aka);
    replay_turn(f->w);
    sec_bootstrap_free(&f->w->shared.sip_aka);
    fix_end(f->w);
}

/* A REGISTER with these header lines, for who must be `impi`. */
static void begin(struct fix *f, const char *lines, const char *impi)
{
    struct ota_sip_unit unit;
    struct buf text;
    char in[4096];

    (void)snprintf(in, sizeof in,
                   "REGISTER " URI " SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nFrom: "
                   "<sip:x@" REALM ">;tag=a\r\nTo: <sip:x@" REALM ">\r\nCall-ID: c\r\nCSeq: 1 "
                   "REGISTER\r\n%s\r\n",
                   lines);
    buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
    CU_ASSERT_EQUAL_FATAL(ota_sip_datagram_read(slice_str(in), &text, &unit), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(ota_sip_request_read(&unit, NULL, &f->q.r), ERR_OK);
    buf_clear(&text);
    f->ended = 0;
    f->status = 999;
    ppg_sip_aka_begin(f->aka, &f->q, slice_str(impi));
}

static void forget(struct fix *f)
{
    ota_sip_request_clear(&f->q.r);
}

/* Until it has ended. */
static void ask(struct fix *f, const char *lines)
{
    begin(f, lines, f->impi);
    replay_turn(f->w);
    CU_ASSERT_EQUAL(f->ended, 1);
    forget(f);
}

/* What the module says to the challenge in more: an Authorization line.  wrong: as who does not know RES. */
static const char *answer(struct fix *f, bool wrong)
{
    static char line[4096];
    const struct sec_digest_request request = {SLICE("REGISTER"), SLICE(URI), SLICE_NONE, true};
    struct slice value = slice_sub(slice_str(f->more), strlen("WWW-Authenticate: "), SIZE_MAX);
    uint8_t rand[SEC_AKA_RAND_N], autn[SEC_AKA_AUTN_N], auts[SEC_AKA_AUTS_N];
    struct sec_digest_response sent;
    struct sec_digest_offer offer;
    struct sec_aka_vector v;
    struct sec_secret ha1;
    struct buf out;
    enum err e;

    CU_ASSERT(slice_starts(slice_str(f->more), SLICE("WWW-Authenticate: ")));
    value.n -= strlen("\r\n");
    CU_ASSERT_EQUAL_FATAL(sec_digest_aka_choose(&value, 1, &offer), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(sec_digest_aka_nonce(offer.nonce, rand, autn), ERR_OK);
    e = sec_usim_aka(replay_net_usim(f->w->net, &f->w->net->terminals[0]), rand, autn, &v, auts);
    CU_ASSERT(e == ERR_OK || e == ERR_EXISTS);
    sec_secret_init(&ha1);
    buf_init(&out, sizeof line - 1);
    buf_add(&out, SLICE("Authorization: "));
    if (e) {
        CU_ASSERT_EQUAL(
            sec_digest_aka_sync(&offer, slice_str(f->impi), auts, &request, SLICE("c0ffee"), &out), ERR_OK);
    } else {
        v.res[0] ^= wrong;
        CU_ASSERT_EQUAL(sec_digest_aka_ha1(offer.algorithm, slice_str(f->impi), offer.realm, &v, &ha1),
                        ERR_OK);
        CU_ASSERT_EQUAL(
            sec_digest_answer(&offer, slice_str(f->impi), &ha1, &request, SLICE("c0ffee"), 1, &out, &sent),
            ERR_OK);
        sec_aka_vector_clear(&v);
    }
    buf_add(&out, SLICE("\r\n"));
    CU_ASSERT(!buf_err(&out));
    (void)snprintf(line, sizeof line, "%.*s", SLICE_FMT(buf_slice(&out)));
    buf_clear(&out);
    sec_secret_clear(&ha1);
    return line;
}

/* RFC 3310 §3: challenged, answered, let in; the same answer is good once. */
static void a_login(void)
{
    char line[4096];
    struct fix f;

    fix_open(&f, true);
    ask(&f, "");
    CU_ASSERT(f.status == 401 && !f.failed_login);
    (void)snprintf(line, sizeof line, "%s", answer(&f, false));
    ask(&f, line);
    CU_ASSERT(f.status == 0 && !f.failed_login);
    CU_ASSERT_STRING_EQUAL(f.ended_as, f.impi);
    CU_ASSERT(strncmp(f.more, "Authentication-Info: ", 21) == 0); /* it knows RES too */
    ask(&f, line);
    CU_ASSERT(f.status != 0);
    fix_close(&f);
}

static void what_is_no_login(void)
{
    struct fix f;

    fix_open(&f, true);
    ask(&f, "");
    ask(&f, answer(&f, true));
    CU_ASSERT(f.status != 0 && f.failed_login);
    ask(&f, "Authorization: Digest username=\"x\", realm=\"elsewhere\", nonce=\"n\", uri=\"" URI "\", "
            "response=\"0\"\r\n");
    CU_ASSERT_EQUAL(f.status, 401); /* nothing for us: a challenge */
    begin(&f, "", "nobody@" REALM);
    replay_turn(f.w);
    CU_ASSERT(f.ended == 1 && f.status == 403);
    forget(&f);
    f.q.body = SLICE("x");
    ask(&f, "");
    CU_ASSERT_EQUAL(f.status, 400);
    fix_close(&f);
}

static void nobody_to_ask(void)
{
    struct fix f;

    fix_open(&f, false);
    ask(&f, "");
    CU_ASSERT(f.status == 403 && !f.failed_login);
    fix_close(&f);
}

/* A module whose numbers are ahead says so, and is followed (RFC 3310 §3.4). */
static void numbers_elsewhere(void)
{
    struct sec_aka_seen ahead;
    struct fix f;

    fix_open(&f, true);
    for (size_t i = 0; i < SEC_AKA_SLOTS; i++)
        ahead.seq[i] = 1000;
    sec_usim_restore(replay_net_usim(f.w->net, &f.w->net->terminals[0]), &ahead);
    ask(&f, "");
    ask(&f, answer(&f, false));
    CU_ASSERT(f.status == 401 && !f.failed_login);
    ask(&f, answer(&f, false));
    CU_ASSERT_EQUAL(f.status, 0);
    fix_close(&f);
}

/* Who waits for numbers is told at once; what comes later finds nobody. */
static void it_stops(void)
{
    struct fix f;

    fix_open(&f, true);
    begin(&f, "", f.impi);
    CU_ASSERT_EQUAL(f.ended, 0);
    ppg_sip_aka_stop(&f.aka);
    CU_ASSERT(f.ended == 1 && f.status == 503 && f.aka == NULL);
    forget(&f);
    replay_turn(f.w);
    CU_ASSERT_EQUAL(f.ended, 1);
    fix_close(&f);
}

const struct test_case test_cases[] = {{"a_login", a_login},
                                       {"what_is_no_login", what_is_no_login},
                                       {"nobody_to_ask", nobody_to_ask},
                                       {"numbers_elsewhere", numbers_elsewhere},
                                       {"it_stops", it_stops},
                                       {NULL, NULL}};
