/* JSON of visits from anywhere: what a terminal asks at its home's door, what it is answered, and what a home tells the other
 * side, up to the table of visitors.  What is understood is understood again, the same, when it is printed. */
#include <stdint.h>
#include "ppg/keys/visit_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define MEM_MAX_N (8 * PPG_VISIT_JSON_MAX_N) /* of all that is parsed here, one after the other */
#define NOW       INT64_C(1800000000)

static void question(struct slice in, struct arena *mem)
{
    struct slice a, b;
    struct buf text;

    if (ppg_visit_question_parse(in, mem, &a))
        return;
    MUST(a.n > 0);
    buf_init(&text, PPG_VISIT_JSON_MAX_N);
    if (ppg_visit_question_print(a, &text) == ERR_OK)
        MUST(ppg_visit_question_parse(buf_slice(&text), mem, &b) == ERR_OK && slice_eq(a, b));
    buf_clear(&text);
}

/* A key that is taken is there under its name, once. */
static void keep(const struct ppg_visit_grant *g)
{
    struct sec_visit visit = {.identity = g->identity,
                              .key = slice_of(g->key, sizeof g->key),
                              .user = g->user,
                              .expires_s = g->expires_s,
                              .home = SLICE("home.example"),
                              .share = 1};
    struct sec_visits *v;

    MUST(sec_visits_create(2, &v) == ERR_OK);
    if (sec_visits_add(v, &visit, NOW) == ERR_OK) {
        MUST(sec_visits_add(v, &visit, NOW) == ERR_EXISTS);
        MUST(sec_visits_use(v, g->identity, NOW) && !sec_visits_use(v, g->identity, NOW));
    }
    sec_visits_free(&v);
}

static void grant(struct slice in, enum ppg_visit_reader reader, struct arena *mem)
{
    struct ppg_visit_grant a = {.user = SLICE_NONE}, b = a;
    struct buf text;

    if (ppg_visit_grant_parse(in, reader, mem, &a))
        return;
    MUST(a.identity.n > 0 && (reader == PPG_VISIT_PEER ? a.enabler.n : a.host.n) > 0);
    buf_init(&text, PPG_VISIT_JSON_MAX_N);
    if (ppg_visit_grant_print(&a, reader, &text) == ERR_OK) {
        MUST(ppg_visit_grant_parse(buf_slice(&text), reader, mem, &b) == ERR_OK);
        MUST(slice_eq(a.identity, b.identity) && slice_eq(a.host, b.host) && slice_eq(a.user, b.user));
        MUST(slice_eq(slice_of(a.key, sizeof a.key), slice_of(b.key, sizeof b.key)));
        MUST(slice_eq(a.enabler, b.enabler) && a.expires_s == b.expires_s);
    }
    buf_clear(&text);
    if (reader == PPG_VISIT_PEER)
        keep(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n);
    struct arena mem;

    arena_init(&mem, 256, MEM_MAX_N);
    question(in, &mem);
    grant(in, PPG_VISIT_TERMINAL, &mem);
    grant(in, PPG_VISIT_PEER, &mem);
    arena_clear(&mem);
    return 0;
}
