/* Digest AKA header values from anywhere: Authorization and WWW-Authenticate.  What the terminal prints for a
 * challenge the server's parser must take, and nothing that a stranger sends may pass. */
#include <stdint.h>
#include "security/login/digest_aka.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct sec_digest_request request = {{"GET", 3}, {"/", 1}, {NULL, 0}, true};

static void server(const struct sec_digest_aka_request *got)
{
    struct sec_digest_aka_offer offer = {got->r.algorithm, got->r.realm, got->r.nonce, got->r.opaque, false};
    struct sec_secret ha1;

    if (got->kind != SEC_DIGEST_AKA_ANSWER)
        return;
    sec_secret_init(&ha1);
    MUST(sec_secret_random(&ha1, 32) == ERR_OK);
    MUST(sec_digest_aka_verify(&got->r, &request, &offer, &ha1) != ERR_OK);
}

static void terminal(const struct sec_digest_offer *offer)
{
    static const uint8_t auts[SEC_AKA_AUTS_N] = {1, 2, 3};
    uint8_t rand[SEC_AKA_RAND_N], autn[SEC_AKA_AUTN_N];
    struct sec_digest_aka_request got;
    struct buf out;

    (void)!sec_digest_aka_nonce(offer->nonce, rand, autn);
    buf_init(&out, 1 << 16);
    if (sec_digest_aka_sync(offer, SLICE("u"), auts, &request, SLICE("c"), &out) == ERR_OK &&
        out.n <= SEC_DIGEST_HEADER_MAX_N) {
        MUST(sec_digest_aka_parse(buf_slice(&out), &got) == ERR_OK && got.kind == SEC_DIGEST_AKA_SYNC);
        MUST(slice_eq(got.r.nonce, offer->nonce) &&
             slice_eq(slice_of(got.auts, sizeof got.auts), slice_of(auts, sizeof auts)));
    }
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n);
    struct sec_digest_aka_request got;
    struct sec_digest_offer offer;

    if (sec_digest_aka_parse(in, &got) == ERR_OK)
        server(&got);
    if (sec_digest_aka_choose(&in, 1, &offer) == ERR_OK)
        terminal(&offer);
    return 0;
}
