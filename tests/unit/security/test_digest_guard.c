/* The Digest server: whole exchanges, replayed counts, old and foreign nonces, a table too small. */
#include "security/login/digest.h"

#include <stdio.h>
#include "tests/unit/harness.h"

#define REALM SLICE("push")
#define LIFE  1000

struct world {
    struct sec_digest_guard *guard;
    struct sec_secret ha1; /* SHA-256, user u, password p */
    struct buf challenge, answer;
};

static void world_open(struct world *w, size_t nonces_max, bool auth_int)
{
    struct sec_digest_guard_conf conf = {LIFE, nonces_max, auth_int};

    buf_init(&w->challenge, 1000);
    buf_init(&w->answer, 2000);
    sec_secret_init(&w->ha1);
    MUST(sec_digest_guard_create(&conf, &w->guard) == ERR_OK);
    MUST(sec_digest_ha1(SEC_DIGEST_SHA256, SLICE("u"), REALM, SLICE("p"), &w->ha1) == ERR_OK);
}

static void world_close(struct world *w)
{
    sec_digest_guard_free(&w->guard);
    buf_clear(&w->challenge);
    buf_clear(&w->answer);
}

static void challenged(struct world *w, int64_t now_ms)
{
    buf_reset(&w->challenge, SIZE_MAX);
    MUST(sec_digest_challenge(w->guard, SEC_DIGEST_SHA256, REALM, false, now_ms, &w->challenge) == ERR_OK);
}

/* The client's answer to the challenge of now, as the server parses it. */
static struct sec_digest_response answered(struct world *w, const struct sec_secret *ha1,
                                           const struct sec_digest_request *request, uint32_t nc)
{
    struct slice value = buf_slice(&w->challenge);
    struct sec_digest_response sent, r;
    struct sec_digest_offer offer;

    buf_reset(&w->answer, SIZE_MAX);
    MUST(sec_digest_choose(&value, 1, &offer) == ERR_OK);
    MUST(sec_digest_answer(&offer, SLICE("u"), ha1, request, SLICE("cn"), nc, &w->answer, &sent) == ERR_OK);
    MUST(sec_digest_parse(buf_slice(&w->answer), &r) == ERR_OK);
    return r;
}

static const struct sec_digest_request post = {{"POST", 4}, {"/pap", 4}, {"body", 4}, true};

static enum err tried(struct world *w, uint32_t nc, int64_t now_ms)
{
    struct sec_digest_response r = answered(w, &w->ha1, &post, nc);

    return sec_digest_verify(w->guard, &r, &post, REALM, &w->ha1, now_ms);
}

static void test_good_once_a_count(void)
{
    struct world w;

    world_open(&w, 100, true);
    challenged(&w, 0);
    CU_ASSERT(tried(&w, 1, 10) == ERR_OK);
    CU_ASSERT(tried(&w, 1, 10) == ERR_LATE); /* replayed */
    CU_ASSERT(tried(&w, 2, 10) == ERR_OK);
    CU_ASSERT(tried(&w, 9, 10) == ERR_OK);
    CU_ASSERT(tried(&w, 5, 10) == ERR_OK); /* connections race */
    CU_ASSERT(tried(&w, 5, 10) == ERR_LATE);
    CU_ASSERT(tried(&w, 200, 10) == ERR_OK);
    CU_ASSERT(tried(&w, 135, 10) == ERR_LATE); /* too far behind to know */
    CU_ASSERT(tried(&w, 136, 10) == ERR_OK);
    CU_ASSERT(tried(&w, 9, 10) == ERR_LATE);
    world_close(&w);
}

static void test_nonce_age(void)
{
    struct world w;

    world_open(&w, 100, true);
    challenged(&w, 5000);
    CU_ASSERT(tried(&w, 1, 5000 + LIFE) == ERR_OK);
    CU_ASSERT(tried(&w, 2, 5001 + LIFE) == ERR_LATE);
    CU_ASSERT(tried(&w, 3, 4000) == ERR_OK); /* the clock went back a little */
    CU_ASSERT(tried(&w, 4, 3999) == ERR_LATE);
    world_close(&w);
}

static void test_foreign_nonces_are_stale(void)
{
    static const char *const rows[] = {"n", "", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                                       "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!"};
    struct world w;

    world_open(&w, 100, true);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        buf_reset(&w.challenge, SIZE_MAX);
        buf_addf(&w.challenge, "Digest realm=\"push\", qop=\"auth\", algorithm=SHA-256, nonce=\"%s\"",
                 rows[i]);
        CU_ASSERT(tried(&w, 1, 0) == ERR_LATE);
    }
    world_close(&w);
}

static void test_wrong_is_denied(void)
{
    struct sec_digest_request other = post;
    struct sec_digest_response r;
    struct sec_secret wrong;
    struct world w;

    world_open(&w, 100, true);
    challenged(&w, 0);
    sec_secret_init(&wrong);
    CU_ASSERT(sec_digest_ha1(SEC_DIGEST_SHA256, SLICE("u"), REALM, SLICE("q"), &wrong) == ERR_OK);
    r = answered(&w, &wrong, &post, 1);
    CU_ASSERT(sec_digest_verify(w.guard, &r, &post, REALM, &w.ha1, 0) == ERR_DENIED);
    r = answered(&w, &w.ha1, &post, 1);
    CU_ASSERT(sec_digest_verify(w.guard, &r, &post, REALM, NULL, 0) == ERR_DENIED); /* unknown user */
    sec_secret_init(&wrong);
    CU_ASSERT(sec_digest_verify(w.guard, &r, &post, REALM, &wrong, 0) == ERR_DENIED);
    CU_ASSERT(sec_digest_verify(w.guard, &r, &post, SLICE("other"), &w.ha1, 0) == ERR_DENIED);
    other.method = SLICE("GET");
    CU_ASSERT(sec_digest_verify(w.guard, &r, &other, REALM, &w.ha1, 0) == ERR_DENIED);
    other = post;
    other.uri = SLICE("/other");
    CU_ASSERT(sec_digest_verify(w.guard, &r, &other, REALM, &w.ha1, 0) == ERR_DENIED);
    other = post;
    other.body = SLICE("another body");
    CU_ASSERT(sec_digest_verify(w.guard, &r, &other, REALM, &w.ha1, 0) == ERR_DENIED); /* auth-int */
    other.body_known = false;
    CU_ASSERT(sec_digest_verify(w.guard, &r, &other, REALM, &w.ha1, 0) == ERR_AGAIN);
    CU_ASSERT(sec_digest_verify(w.guard, &r, &post, REALM, &w.ha1, 0) ==
              ERR_OK); /* none of these used it up */
    world_close(&w);
}

static void test_auth_int_only_when_offered(void)
{
    struct sec_digest_response r;
    struct world w;

    world_open(&w, 100, false);
    challenged(&w, 0);
    CU_ASSERT(slice_find_slice(buf_slice(&w.challenge), SLICE("auth-int")) == SIZE_MAX);
    CU_ASSERT(tried(&w, 1, 0) == ERR_OK);
    r = answered(&w, &w.ha1, &post, 2);
    r.qop = SEC_QOP_AUTH_INT;
    CU_ASSERT(sec_digest_verify(w.guard, &r, &post, REALM, &w.ha1, 0) == ERR_DENIED);
    r.qop = SEC_QOP_NONE;
    CU_ASSERT(sec_digest_verify(w.guard, &r, &post, REALM, &w.ha1, 0) == ERR_DENIED);
    world_close(&w);
}

/* Many nonces through a small table: whatever was used once is never accepted with the same count again. */
static void test_small_table_never_forgets_into_acceptance(void)
{
    static struct buf kept[200];
    struct world w;

    world_open(&w, 8, true);
    for (size_t i = 0; i < COUNT(kept); i++) {
        challenged(&w, (int64_t)i);
        buf_init(&kept[i], 1000);
        buf_add(&kept[i], buf_slice(&w.challenge));
        CU_ASSERT(tried(&w, 1, (int64_t)i) == ERR_OK);
    }
    for (size_t i = 0; i < COUNT(kept); i++) {
        test_row(i);
        buf_reset(&w.challenge, SIZE_MAX);
        buf_add(&w.challenge, buf_slice(&kept[i]));
        CU_ASSERT(tried(&w, 1, 200) == ERR_LATE);
        CU_ASSERT((tried(&w, 2, 200) == ERR_OK) ==
                  (i >= COUNT(kept) - 8)); /* the youngest still have a place */
        buf_clear(&kept[i]);
    }
    world_close(&w);
}

static void test_challenge_text(void)
{
    struct world w;

    world_open(&w, 100, true);
    CU_ASSERT(sec_digest_challenge(w.guard, SEC_DIGEST_MD5, SLICE("a\"b"), false, 0, &w.challenge) ==
              ERR_MALFORMED);
    CU_ASSERT(sec_digest_challenge(w.guard, SEC_DIGEST_MD5, SLICE("a\r\nb"), false, 0, &w.challenge) ==
              ERR_MALFORMED);
    CU_ASSERT(w.challenge.n == 0);
    CU_ASSERT(sec_digest_challenge(w.guard, SEC_DIGEST_MD5, REALM, true, 0, &w.challenge) == ERR_OK);
    CU_ASSERT(slice_starts(buf_slice(&w.challenge),
                           SLICE("Digest realm=\"push\", qop=\"auth, auth-int\", algorithm=MD5, nonce=\"")));
    CU_ASSERT(slice_ends(buf_slice(&w.challenge), SLICE("\", stale=true")));
    world_close(&w);
}

/* RFC 7616 §3.5: told in the second half of a nonce's life, and then good without a challenge. */
static void test_next_nonce(void)
{
    static const struct {
        int64_t now_ms;
        bool told;
    } rows[] = {{0, false}, {LIFE / 2 - 1, false}, {LIFE / 2, true}, {LIFE, true}, {LIFE + 1, false}};
    struct sec_digest_response r;
    struct slice rest, next;
    struct buf info;
    struct world w;

    world_open(&w, 100, true);
    buf_init(&info, 1000);
    challenged(&w, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        buf_reset(&info, SIZE_MAX);
        r = answered(&w, &w.ha1, &post, 1);
        CU_ASSERT(sec_digest_next_nonce(w.guard, r.nonce, rows[i].now_ms, &info) == ERR_OK);
        CU_ASSERT(slice_starts(buf_slice(&info), SLICE(", nextnonce=\"")) == rows[i].told);
        CU_ASSERT(info.n == (rows[i].told ? strlen(", nextnonce=\"\"") + r.nonce.n : 0));
    }
    buf_reset(&info, SIZE_MAX);
    CU_ASSERT(sec_digest_next_nonce(w.guard, SLICE("bm90IG91cnM="), LIFE / 2, &info) == ERR_OK &&
              info.n == 0);
    r = answered(&w, &w.ha1, &post, 1);
    CU_ASSERT(sec_digest_next_nonce(w.guard, r.nonce, LIFE, &info) == ERR_OK);
    (void)slice_cut(buf_slice(&info), '"', &rest, &next);
    CU_ASSERT(!slice_eq(slice_sub(next, 0, next.n - 1), r.nonce));
    buf_reset(&w.challenge, SIZE_MAX);
    buf_addf(&w.challenge, "Digest realm=\"push\", qop=\"auth\", algorithm=SHA-256, nonce=\"%.*s",
             SLICE_FMT(next));
    CU_ASSERT(tried(&w, 1, LIFE + LIFE / 2) == ERR_OK); /* when the first one would long be stale */
    CU_ASSERT(tried(&w, 1, LIFE + LIFE / 2) == ERR_LATE);
    buf_clear(&info);
    world_close(&w);
}

/* Without the body only those are heard who hold a nonce of ours. */
static void test_auth_int_waits_for_the_body(void)
{
    struct sec_digest_request unread = {SLICE("POST"), SLICE("/pap"), SLICE_NONE, false};
    struct sec_digest_response r;
    struct world w, other;

    world_open(&w, 100, true);
    world_open(&other, 100, true);
    challenged(&w, 0);
    r = answered(&w, &w.ha1, &post, 1);
    CU_ASSERT(r.qop == SEC_QOP_AUTH_INT);
    CU_ASSERT(sec_digest_verify(w.guard, &r, &unread, REALM, &w.ha1, 10) == ERR_AGAIN);
    CU_ASSERT(sec_digest_verify(w.guard, &r, &unread, REALM, &w.ha1, LIFE + 1) == ERR_LATE);
    CU_ASSERT(sec_digest_verify(other.guard, &r, &unread, REALM, &w.ha1, 10) == ERR_LATE);
    CU_ASSERT(sec_digest_verify(w.guard, &r, &post, REALM, &w.ha1, 10) ==
              ERR_OK); /* the look cost no count */
    world_close(&w);
    world_close(&other);
}

static void test_create_limits(void)
{
    static const struct sec_digest_guard_conf rows[] = {
        {0, 10, true}, {1000, 0, true}, {1000, 1000001, true}, {INT64_MAX, 10, true}};
    struct sec_digest_guard *g = NULL;

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(sec_digest_guard_create(&rows[i], &g) == ERR_LIMIT && g == NULL);
    }
    sec_digest_guard_free(&g);
}

const struct test_case test_cases[] = {
    {"good_once_a_count", test_good_once_a_count},
    {"nonce_age", test_nonce_age},
    {"foreign_nonces_are_stale", test_foreign_nonces_are_stale},
    {"wrong_is_denied", test_wrong_is_denied},
    {"auth_int_only_when_offered", test_auth_int_only_when_offered},
    {"small_table_never_forgets_into_acceptance", test_small_table_never_forgets_into_acceptance},
    {"challenge_text", test_challenge_text},
    {"next_nonce", test_next_nonce},
    {"auth_int_waits_for_the_body", test_auth_int_waits_for_the_body},
    {"create_limits", test_create_limits},
    {NULL, NULL},
};
