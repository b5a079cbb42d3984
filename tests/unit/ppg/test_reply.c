/* Documents for outcomes: what each kind of answer names, progress notes, and that the longest fits its ceiling. */
#include "ppg/reply.h"

#include <stdio.h>
#include "pap/print.h"
#include "pap/vocab.h"
#include "tests/unit/ppg/core_fix.h"

static bool says(const struct buf *b, const char *text)
{
    return slice_find_slice(buf_slice(b), slice_str(text)) != SIZE_MAX;
}

static void test_kinds(void)
{
    static const struct {
        enum pap_kind kind;
        enum pap_code code;
        const char *texts[3];
    } rows[] = {
        {PAP_KIND_NONE,
         PAP_CODE_BAD_REQUEST,
         {"<badmessage-response", "code=\"2000\"", "bad-message-fragment=\"&lt;x\""}},
        {PAP_KIND_NONE, PAP_CODE_VERSION_NOT_SUPPORTED, {"code=\"3002\"", "wap-pap-ver", ""}},
        {PAP_KIND_PUSH_MESSAGE,
         PAP_CODE_ACCEPTED,
         {"<push-response push-id=\"p\"", "code=\"1001\"", "reply-time="}},
        {PAP_KIND_CANCEL_MESSAGE,
         PAP_CODE_PUSH_ID_NOT_FOUND,
         {"<cancel-response push-id=\"p\"", "code=\"2004\"", ""}},
        {PAP_KIND_STATUSQUERY_MESSAGE,
         PAP_CODE_PUSH_ID_NOT_FOUND,
         {"<statusquery-response push-id=\"p\"", "message-state=\"unknown\"", "code=\"2004\""}},
        {PAP_KIND_CCQ_MESSAGE,
         PAP_CODE_CAPABILITIES_NOT_AVAILABLE,
         {"<ccq-response query-id=\"q\"", "code=\"3008\"", "address-value=\"a\""}},
    };
    struct replay_world *w = fix_world("kinds", 0, NULL);
    struct buf out;

    fix_start(w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_outcome o = {.kind = rows[i].kind,
                                .code = rows[i].code,
                                .push_id = SLICE("p"),
                                .query_id = SLICE("q"),
                                .address = SLICE("a"),
                                .fragment = SLICE("<x")};

        test_row(i);
        buf_init(&out, 4096);
        CU_ASSERT(ppg_reply_print(&w->cores[0].core, &o, &out) == ERR_OK);
        for (size_t k = 0; k < COUNT(rows[i].texts); k++)
            CU_ASSERT(says(&out, rows[i].texts[k]));
        CU_ASSERT(!says(&out, "progress-note"));
        buf_clear(&out);
    }
    fix_end(w);
}

static void test_progress_notes(void)
{
    static const struct {
        int64_t validated_ms;
        int64_t stored_ms;
        bool replaces;
        const char *stages;
    } rows[] = {
        {0, 0, false, "received"},
        {1000, 0, false, "received validated"},
        {1000, 0, true, "received validated"},
        {1000, 2000, false, "received validated stored"},
        {1000, 2000, true, "received validated replaced stored"},
    };
    struct replay_world *w = fix_world("progress_notes", 0, NULL);
    struct buf out;

    fix_start(w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_outcome o = {.kind = PAP_KIND_PUSH_MESSAGE,
                                .code = PAP_CODE_ACCEPTED,
                                .push_id = SLICE("p"),
                                .progress_notes = true,
                                .validated_ms = rows[i].validated_ms,
                                .stored_ms = rows[i].stored_ms,
                                .replaces = rows[i].replaces,
                                .replaced_n = 3};
        struct slice rest;
        size_t at;
        char stages[80] = "";

        test_row(i);
        buf_init(&out, 4096);
        CU_ASSERT(ppg_reply_print(&w->cores[0].core, &o, &out) == ERR_OK);
        rest = buf_slice(&out);
        while ((at = slice_find_slice(rest, SLICE("stage=\""))) != SIZE_MAX) {
            size_t n = strlen(stages);

            rest = slice_sub(rest, at + 7, rest.n);
            (void)snprintf(stages + n, sizeof stages - n, "%s%.*s", n ? " " : "", (int)slice_find(rest, '"'),
                           rest.p);
        }
        CU_ASSERT_STRING_EQUAL(stages, rows[i].stages);
        CU_ASSERT(says(&out, "replaced 3 pending") == (rows[i].replaces && rows[i].stored_ms > 0));
        buf_clear(&out);
    }
    fix_end(w);
}

/* Every recipient with an outcome of its own, names and addresses that grow as much as they can. */
static void test_longest(void)
{
    enum { ADDRESSES = 120, ADDRESS_N = 512 };
    static char quotes[ADDRESS_N];
    struct replay_world *w = fix_world("longest", 0, NULL);
    struct slice address = slice_of(quotes, sizeof quotes);
    struct pap_result all[ADDRESSES];
    struct pap_results results = {all, ADDRESSES};
    struct ppg_outcome o = {.kind = PAP_KIND_STATUSQUERY_MESSAGE, .results = &results};
    struct buf out;

    replay_set(w, "pap", "control-max", "64k");
    replay_set(w, "pap", "recipients-max", "120");
    fix_start(w);
    for (size_t i = 0; i < sizeof quotes; i++)
        quotes[i] = '"';
    o.push_id = slice_of(quotes, 255);
    for (size_t i = 0; i < ADDRESSES; i++) {
        all[i] = (struct pap_result){.code = PAP_CODE_CLIENT_USERDCU,
                                     .desc = slice_str(pap_code_text(PAP_CODE_CLIENT_USERDCU)),
                                     .state = PAP_STATE_UNDELIVERABLE,
                                     .event_time = {(int64_t)i, true},
                                     .addrs = {&address, 1}};
        all[i].qos = (struct pap_qos){.given = true,
                                      .priority = PAP_PRIORITY_HIGH,
                                      .delivery = PAP_DELIVERY_PREFERCONFIRMED,
                                      .network = slice_of(quotes, 64),
                                      .bearer = slice_of(quotes, 64),
                                      .network_required = true,
                                      .bearer_required = true};
    }
    buf_init(&out, ppg_reply_max_n(ppg_config_settings(w->config)));
    CU_ASSERT(ppg_reply_print(&w->cores[0].core, &o, &out) == ERR_OK);
    CU_ASSERT(out.n > (size_t)ADDRESSES * ADDRESS_N * 6); /* it is as long as it was meant to be */
    buf_clear(&out);
    buf_init(&out, 4096);
    CU_ASSERT(ppg_reply_print(&w->cores[0].core, &o, &out) == ERR_LIMIT);
    buf_clear(&out);
    fix_end(w);
}

/* In whole seconds, never too early (RFC 9110 §10.2.3). */
static void test_retry_after(void)
{
    static const struct {
        int64_t wait_ms;
        const char *want;
    } rows[] = {{1, "Retry-After: 1\r\n"},
                {999, "Retry-After: 1\r\n"},
                {1000, "Retry-After: 1\r\n"},
                {1001, "Retry-After: 2\r\n"},
                {3600000, "Retry-After: 3600\r\n"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;

        test_row(i);
        buf_init(&out, 100);
        ppg_reply_retry_after(rows[i].wait_ms, &out);
        TEST_SLICE_EQ(buf_slice(&out), slice_str(rows[i].want));
        buf_clear(&out);
    }
}

const struct test_case test_cases[] = {{"retry_after", test_retry_after},
                                       {"kinds", test_kinds},
                                       {"progress_notes", test_progress_notes},
                                       {"longest", test_longest},
                                       {NULL, NULL}};
