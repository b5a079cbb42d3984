/* How a push goes by what the far end takes: asked first, found out, remembered. */
#include "ota/agent/attempt.h"

#include "tests/unit/agent/sip_fix.h"

/* What one push has found out the next one knows. */
static void the_form_that_was_taken(void)
{
    static const struct {
        enum ota_form form;
        size_t requests;
        const char *first, *last;
    } rows[] = {{OTA_FORM_AUTO, 3, "application/vnd.oma.push", "text/plain"},
                {OTA_FORM_ENVELOPE, 2, "application/vnd.oma.push", "application/vnd.oma.push"},
                {OTA_FORM_DIRECT, 2, "text/plain", "text/plain"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);

        test_row(i);
        f->env.sip.form = rows[i].form;
        f->peer.script[0] = "415 No";
        f->peer.script[1] = "200 OK";
        push_and_wait(f, 0);
        push_and_wait(f, 1);
        CU_ASSERT(ended_as(f, 0, rows[i].form ? OTA_ABORTED : OTA_DELIVERED, rows[i].form ? 5030 : 1000));
        CU_ASSERT(ended_as(f, 1, OTA_DELIVERED, 1000));
        CU_ASSERT_EQUAL(f->peer.n, rows[i].requests);
        CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 0, "Content-Type: "), rows[i].first);
        CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, f->peer.n - 1, "Content-Type: "), rows[i].last);
        fix_close(f);
    }
}

/* --- what is asked first --- */

static bool is(const struct fix *f, size_t n, const char *method)
{
    return strncmp(f->peer.requests[n], method, strlen(method)) == 0;
}

/* RFC 3261 §11: asked once in a while, with a login too, and then pushed to as it says. */
static void asked_before_the_first_push(void)
{
    struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);

    f->env.sip.probe = true;
    f->terminal.login = (struct ota_login){SLICE("ppg"), SLICE("gate-secret")};
    f->peer.script[0] = "401 No\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth\"";
    f->peer.script[1] = "200 OK\r\nAllow: MESSAGE, OPTIONS\r\nAccept: text/plain";
    f->peer.script[2] = "200 OK";
    push_and_wait(f, 0);
    push_and_wait(f, 1);
    CU_ASSERT(ended_as(f, 0, OTA_DELIVERED, 1000) && ended_as(f, 1, OTA_DELIVERED, 1000));
    CU_ASSERT_EQUAL_FATAL(f->peer.n, 4);
    CU_ASSERT(is(f, 0, "OPTIONS ") && is(f, 1, "OPTIONS ") && is(f, 2, "MESSAGE ") && is(f, 3, "MESSAGE "));
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 1, "CSeq: "), "2 OPTIONS");
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 1, "Content-Length: "), "0");
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 1, "Accept: "), "application/sdp");
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 1, "Accept-Contact: "),
                           "*;+g.oma.pusheventapp=\"mms.ua\";require;explicit");
    CU_ASSERT(strstr(f->peer.requests[1], "Authorization: ") != NULL);
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 2, "CSeq: "), "3 MESSAGE");
    CU_ASSERT_STRING_EQUAL(sip_peer_header(&f->peer, 2, "Content-Type: "),
                           "text/plain"); /* it accepts no envelope */
    fix_close(f);
}

/* A far end that does not know the question gets the push; one that is away does not. */
static void asked_in_vain(void)
{
    static const struct {
        const char *says;
        enum ota_outcome outcome;
        unsigned code;
        size_t requests;
    } rows[] = {{"405 No\r\nAllow: MESSAGE", OTA_DELIVERED, 1000, 2},
                {"501 No", OTA_DELIVERED, 1000, 2},
                {"200 OK", OTA_DELIVERED, 1000, 2},
                {"404 No", OTA_DELIVERED, 1000, 2},
                {"480 Away", OTA_RETRY, 4001, 1},
                {"503 No", OTA_RETRY, 4001, 1}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);

        test_row(i);
        f->env.sip.probe = true;
        f->peer.script[0] = rows[i].says;
        f->peer.script[1] = "200 OK";
        push_and_wait(f, 0);
        CU_ASSERT(ended_as(f, 0, rows[i].outcome, rows[i].code));
        CU_ASSERT_EQUAL(f->peer.n, rows[i].requests);
        fix_close(f);
    }
}

/* RFC 3840: who takes no MESSAGE gets a session, if it is no telephone. */
static void methods_decide(void)
{
    static const struct {
        const char *options;
        const char *method;
    } rows[] = {
        {"Allow: INVITE, ACK, BYE\r\nContact: <sip:a@b>;+g.oma.pusheventapp=\"mms.ua\"", "INVITE "},
        {"Allow: INVITE, ACK, BYE\r\nContact: <sip:a@b>", "MESSAGE "},
        {"Allow: INVITE, MESSAGE\r\nContact: <sip:a@b>;+g.oma.pusheventapp=\"mms.ua\"", "MESSAGE "},
        {"Contact: <sip:a@b>;+g.oma.pusheventapp=\"mms.ua\"", "MESSAGE "},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix *f = fix_open(SIP_PEER_TCP, TCP, NULL, NULL);
        char says[256];

        test_row(i);
        f->env.sip.probe = true;
        (void)snprintf(says, sizeof says, "200 OK\r\n%s", rows[i].options);
        f->peer.script[0] = says;
        f->peer.script[1] = "486 Busy";
        push_and_wait(f, 0);
        CU_ASSERT(ended_as(f, 0, OTA_RETRY, 4001));
        CU_ASSERT(f->peer.n >= 2 && is(f, 1, rows[i].method));
        fix_close(f);
    }
}

/* What its size alone keeps from going is told apart, for who can say where it lies instead. */
static void what_is_only_too_large(void)
{
    static const struct {
        const char *says;
        size_t body_n;
        unsigned code;
        bool large;
    } rows[] = {{"200 OK", 1400, 2006, true},
                {"413 No", 5, 2006, true},
                {"513 No", 5, 2006, true},
                {"405 No", 5, 2006, false},
                {"404 No", 5, 2002, false}};
    static char body[1400];

    memset(body, 'x', sizeof body);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);

        test_row(i);
        f->peer.script[0] = rows[i].says;
        CU_ASSERT_EQUAL(push_to(f, 0, &f->terminal, slice_of(body, rows[i].body_n)), ERR_OK);
        (void)netloop_until(&f->nl, &f->done, 1);
        CU_ASSERT(ended_as(f, 0, OTA_UNDELIVERABLE, rows[i].code));
        CU_ASSERT_EQUAL(f->jobs[0].result.large, rows[i].large);
        fix_close(f);
    }
}

/* RFC 4483 §3.1: what lies elsewhere is for those who accept that. */
static void nothing_external_for_who_does_not_list_it(void)
{
    static const struct {
        const char *options;
        bool sent;
    } rows[] = {{"200 OK", true},
                {"200 OK\r\nAccept: text/plain, message/external-body", true},
                {"200 OK\r\nAccept: */*", true},
                {"200 OK\r\nAccept: text/plain, application/vnd.oma.push", false}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix *f = fix_open(SIP_PEER_UDP, UDP, NULL, NULL);

        test_row(i);
        f->env.sip.probe = true;
        f->peer.script[0] = rows[i].options;
        f->peer.script[1] = "200 OK";
        CU_ASSERT_EQUAL(push(f, 0, "x"), ERR_OK);
        f->jobs[0].content_type = SLICE("message/external-body; access-type=URL");
        (void)netloop_until(&f->nl, &f->done, 1);
        CU_ASSERT(
            ended_as(f, 0, rows[i].sent ? OTA_DELIVERED : OTA_UNDELIVERABLE, rows[i].sent ? 1000 : 2006));
        CU_ASSERT_EQUAL(f->peer.n, rows[i].sent ? 2 : 1);
        fix_close(f);
    }
}

const struct test_case test_cases[] = {
    {"the_form_that_was_taken", the_form_that_was_taken},
    {"asked_before_the_first_push", asked_before_the_first_push},
    {"asked_in_vain", asked_in_vain},
    {"methods_decide", methods_decide},
    {"what_is_only_too_large", what_is_only_too_large},
    {"nothing_external_for_who_does_not_list_it", nothing_external_for_who_does_not_list_it},
    {NULL, NULL}};
