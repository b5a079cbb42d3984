/* What a stranger sends where terminals bootstrap: an Authorization value, to a server that knows one subscriber.  "@N"
 * in the input stands for the nonce of a real challenge.  Nobody without K may end up with a Ks. */
#include <stdint.h>
#include "security/gba/bootstrap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define IMPI SLICE("u@d")
#define BSF  SLICE("bsf.d")
#define NOW  INT64_C(1700000000000)

static const struct sec_digest_request get_root = {{"GET", 3}, {"/", 1}, {NULL, 0}, true};

struct world {
    struct sec_keyserver *server;
    struct sec_bootstrap *b;
    struct buf header;
};

static void world_make(struct world *w)
{
    struct sec_keyserver_conf keyserver = {10, 1};
    struct sec_bootstrap_conf conf = {BSF, 4, 60000, false};
    struct sec_subscriber c = {.impi = IMPI, .opc = SLICE("0123456789abcdef")};
    struct sec_secret k;

    sec_secret_init(&k);
    MUST(sec_secret_random(&k, SEC_AKA_K_N) == ERR_OK);
    c.k = sec_secret_slice(&k);
    MUST(sec_keyserver_create(&keyserver, &w->server) == ERR_OK);
    MUST(sec_keyserver_add(w->server, &c) == ERR_OK);
    MUST(sec_keyserver_reserved(w->server, IMPI, 1, 100) == ERR_OK);
    MUST(sec_bootstrap_create(&conf, &w->b) == ERR_OK);
    buf_init(&w->header, 1 << 16);
}

static enum sec_bootstrap_outcome step(struct world *w, struct slice authorization)
{
    struct sec_bootstrap_request q = {.authorization = authorization,
                                      .http = get_root,
                                      .tmpi = true,
                                      .life_s = 60,
                                      .utc_ms = NOW,
                                      .mono_ms = NOW};
    struct sec_bootstrap_answer a;
    enum err e;

    buf_reset(&w->header, 1 << 16);
    e = sec_bootstrap_step(w->b, w->server, &q, &a, &w->header);
    MUST(e == ERR_OK || (e == ERR_AGAIN && a.sync));
    MUST(e || a.outcome != SEC_BOOTSTRAP_DONE);
    return e ? SEC_BOOTSTRAP_REFUSED : a.outcome;
}

/* The input with the nonce of a challenge in it. */
static void fill(struct world *w, struct slice in, struct buf *out)
{
    struct sec_digest_offer offer;
    struct slice header;
    size_t at = slice_find_slice(in, SLICE("@N"));

    MUST(step(w, SLICE("Digest username=\"u@d\", realm=\"bsf.d\", nonce=\"\", uri=\"/\", response=\"\"")) ==
         SEC_BOOTSTRAP_CHALLENGE);
    header = buf_slice(&w->header);
    MUST(sec_digest_aka_choose(&header, 1, &offer) == ERR_OK);
    buf_add(out, slice_sub(in, 0, at));
    if (at < in.n) {
        buf_add(out, offer.nonce);
        buf_add(out, slice_sub(in, at + 2, in.n));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct world w;
    struct buf text;

    world_make(&w);
    buf_init(&text, 1 << 20);
    fill(&w, slice_of(data, n), &text);
    (void)step(&w, buf_slice(&text));
    MUST(sec_bootstrap_count(w.b) == 0);
    buf_clear(&text);
    buf_clear(&w.header);
    sec_bootstrap_free(&w.b);
    sec_keyserver_free(&w.server);
    return 0;
}
