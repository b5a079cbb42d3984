/* A service that knows nothing of push on the security room alone: hotel doors.  A desk proves itself with a password,
 * rules say which desk may speak to which door, and what it says is sealed for that door.  That the room serves
 * other enablers with little work is a requirement (SEC_CF-USAB-002); tests/integration/test_sample.py runs this.
 *
 * Usage: room_service RULES < REQUESTS.  A request is a line "BASIC-CREDENTIALS DOOR-ADDRESS MESSAGE"; the answer a
 * line: "sealed HEX" or "refused WHY".  One thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "security/rules/trust.h"
#include "security/rules/whitelist.h"
#include "security/sa.h"

#define LINE_MAX_N 1024
#define NUMBERS    1000 /* messages of one run */

struct service {
    struct sec_accounts *desks;
    struct sec_whitelist *rules;
    struct sec_sa door; /* one door in this sample */
};

/* A real service reads desks from a file of its own, as ppg/config/ does. */
static enum err add_desk(struct service *s, struct slice name, struct slice password)
{
    struct sec_account desk = {.name = name, .digest_user = name, .basic = true};
    const char *why;
    enum err e;

    sec_secret_init(&desk.ha1_sha256);
    e = sec_digest_ha1(SEC_DIGEST_SHA256, name, SLICE("doors"), password, &desk.ha1_sha256);
    if (!e)
        e = sec_accounts_add(s->desks, &desk, &why);
    sec_secret_clear(&desk.ha1_sha256);
    return e;
}

static enum err open_service(struct service *s, const char *rules)
{
    static const uint8_t key[SEC_GPL_KEY_N] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                               11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                               22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    static const uint8_t suite = SEC_GPL_HMAC;
    const struct sec_sa_conf door = {.rand = SLICE("association-0001"),
                                     .ks = slice_of(key, sizeof key),
                                     .suites = slice_of(&suite, 1),
                                     .expires_s = INT64_MAX};
    struct sec_load_error where;
    enum err e = sec_accounts_create(SLICE("doors"), 10, &s->desks);

    if (!e)
        e = add_desk(s, SLICE("lobby"), SLICE("lobby-7391"));
    if (!e)
        e = add_desk(s, SLICE("spa"), SLICE("spa-2604"));
    if (!e)
        e = sec_whitelist_load(&(struct sec_whitelist_source){.path = rules}, &s->rules, &where);
    if (!e)
        e = sec_sa_init(&s->door, &door);
    return e ? e : sec_sa_reserved(&s->door, 1, NUMBERS);
}

static void close_service(struct service *s)
{
    sec_accounts_free(&s->desks);
    sec_whitelist_free(&s->rules);
    sec_sa_clear(&s->door);
}

static void refuse(const char *why)
{
    (void)printf("refused %s\n", why);
}

static void seal(struct service *s, struct slice message)
{
    struct buf sealed, hex;
    uint32_t number;
    enum err e;

    buf_init(&sealed, 2 * LINE_MAX_N);
    buf_init(&hex, 4 * LINE_MAX_N);
    e = sec_sa_seal(&s->door, SEC_GPL_DOWNLINK, 0, SLICE_NONE, &message, 1, &sealed, &number);
    codec_hex(&hex, buf_slice(&sealed));
    if (e || buf_err(&hex))
        refuse(err_text(e ? e : buf_err(&hex)));
    else
        (void)printf("sealed %.*s\n", SLICE_FMT(buf_slice(&hex)));
    buf_clear(&sealed);
    buf_clear(&hex);
}

/* Who is it, may it, then seal it. */
static void serve(struct service *s, struct slice credentials, struct slice door, struct slice message)
{
    struct buf header;
    struct sec_identity who;
    struct sec_whitelist_verdict verdict;
    struct sec_evidence evidence = {.tls = true, .peer = SLICE("127.0.0.1")};
    struct sec_whitelist_query ask = {
        .recipient = door, .application = SLICE("doors"), .size = message.n, .initiator = SLICE("nobody")};

    buf_init(&header, LINE_MAX_N);
    buf_add_str(&header, "Basic ");
    buf_add(&header, credentials);
    evidence.authorization = buf_slice(&header);
    if (sec_trust_identify(s->desks, &evidence, NULL, 0, &who) || who.outcome != SEC_IDENTIFIED) {
        refuse("who are you");
    } else {
        ask.initiator = who.account->name;
        sec_whitelist_decide(s->rules, &ask, &verdict);
        if (verdict.allow)
            seal(s, message);
        else
            refuse(verdict.reason);
    }
    buf_wipe(&header);
}

int main(int argc, char **argv)
{
    struct service s = {.desks = NULL};
    char line[LINE_MAX_N];

    if (argc != 2 || open_service(&s, argv[1])) {
        (void)fprintf(stderr, "room_service: no service without good rules\n");
        close_service(&s);
        return 2;
    }
    while (fgets(line, sizeof line, stdin)) {
        struct slice rest, after, credentials, door;

        (void)slice_cut(slice_str(line), '\n', &rest, &after);
        if (slice_cut(rest, ' ', &credentials, &rest) && slice_cut(rest, ' ', &door, &rest))
            serve(&s, credentials, door, rest);
        else
            refuse("not three words");
    }
    close_service(&s);
    return 0;
}
