/* What operators see of associations of the gateway's own making, and how they end them: beside those of the configuration,
 * by address and by name, and what the store refuses. */
#include "ppg/admin/admin.h"

#include "base/arena.h"
#include "ppg/protect.h"
#include "tests/unit/ppg/admin_fix.h"

#define SAID_1 "01000000000000000000000000000000"

/* One loop: what it is asked to do is done on the spot. */
static void errand(void *host, struct ppg_errand *e)
{
    ppg_core_errand_arrived(&((struct world *)host)->core, e);
}

static void begin_with(struct world *w)
{
    begin(w);
    w->core.errand = errand;
    w->core.host = w;
    CU_ASSERT_FATAL(ppg_protect_create(&w->core, &w->core.protect) == ERR_OK);
}

static void end_with(struct world *w)
{
    for (int i = 0; i < 3; i++)
        turn(w);
    ppg_protect_free(&w->core.protect);
    end(w);
}

static void keep(struct world *w, const char *terminal, uint8_t id, int64_t expires_s, bool confirmed)
{
    struct store_sa_keep o = {.sa = {.said = {id},
                                     .terminal = slice_str(terminal),
                                     .made_s = 1000 + id,
                                     .expires_s = expires_s,
                                     .octets = SLICE("sealed")},
                              .count = 1};
    struct store_sa_confirm c = {.said = {id}};

    CU_ASSERT(fix_run(&w->store, &o.op, STORE_SA_KEEP) == ERR_OK);
    if (confirmed)
        CU_ASSERT(fix_run(&w->store, &c.op, STORE_SA_CONFIRM) == ERR_OK);
}

static size_t kept(struct world *w)
{
    struct store_sa_list o = {.max = 100};
    size_t n;

    CU_ASSERT(fix_run(&w->store, &o.op, STORE_SA_LIST) == ERR_OK);
    n = o.n;
    arena_clear(&o.mem);
    return n;
}

static const json_t *rows_of(const struct client *c)
{
    return json_object_get(c->json, "associations");
}

static void lists(void)
{
    struct world w;
    struct client c;
    const json_t *row;

    begin_with(&w);
    client_open(&w, &c);
    CU_ASSERT(ask(&w, &c, "GET", "/sa") == 200 && json_array_size(rows_of(&c)) == 0);
    CU_ASSERT(ask(&w, &c, "GET", "/sa?name=%2B1") == 404);
    keep(&w, "+1", 1, INT64_C(4000000000), true);
    keep(&w, "+2", 2, INT64_C(4000000000), false);
    keep(&w, "+3", 3, 1500, true);
    CU_ASSERT(ask(&w, &c, "GET", "/sa") == 200 && json_array_size(rows_of(&c)) == 3);
    row = json_array_get(rows_of(&c), 0);
    CU_ASSERT_STRING_EQUAL(text_of(row, "terminal"), "+1");
    CU_ASSERT_STRING_EQUAL(text_of(row, "said"), SAID_1);
    CU_ASSERT_STRING_EQUAL(text_of(row, "key"), "gba-push");
    CU_ASSERT_STRING_EQUAL(text_of(row, "state"), "confirmed");
    CU_ASSERT_STRING_EQUAL(text_of(row, "made"), "1970-01-01T00:16:41Z");
    CU_ASSERT_STRING_EQUAL(text_of(json_array_get(rows_of(&c), 1), "state"), "pending");
    CU_ASSERT_STRING_EQUAL(text_of(json_array_get(rows_of(&c), 2), "state"), "expired");
    CU_ASSERT(ask(&w, &c, "GET", "/sa?name=%2B2") == 200 && json_array_size(rows_of(&c)) == 1);
    CU_ASSERT(ask(&w, &c, "GET", "/sa?name=" SAID_1) == 200 && json_array_size(rows_of(&c)) == 1);
    CU_ASSERT(ask(&w, &c, "GET", "/sa?name=ff" SAID_1) == 404);
    CU_ASSERT(ask(&w, &c, "GET", "/sa?name=nobody") == 404);
    client_close(&c);
    end_with(&w);
}

static void revokes(void)
{
    struct world w;
    struct client c;

    begin_with(&w);
    client_open(&w, &c);
    keep(&w, "+1", 1, INT64_C(4000000000), true);
    keep(&w, "+2", 2, INT64_C(4000000000), true);
    CU_ASSERT(post(&w, &c, "/sa/revoke", "{\"name\": \"+9\"}") == 404 && kept(&w) == 2);
    CU_ASSERT(post(&w, &c, "/sa/revoke", "{\"name\": \"nobody\"}") == 404 && kept(&w) == 2);
    CU_ASSERT(post(&w, &c, "/sa/revoke", "{\"name\": \"+2\"}") == 200 && kept(&w) == 1);
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "terminal"), "+2");
    CU_ASSERT(n_of(c.json, "associations_ended") == 1);
    CU_ASSERT(post(&w, &c, "/sa/revoke", "{\"name\": \"" SAID_1 "\"}") == 200 && kept(&w) == 0);
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "terminal"), "+1");
    CU_ASSERT(post(&w, &c, "/sa/revoke", "{\"name\": \"+1\"}") == 404);
    CU_ASSERT(post(&w, &c, "/sa/revoke", "{}") == 400);
    client_close(&c);
    end_with(&w);
}

const struct test_case test_cases[] = {
    {"lists", lists},
    {"revokes", revokes},
    {NULL, NULL},
};
