/* Digest and Basic header values from anywhere: Authorization, WWW-Authenticate and Authentication-Info.  What the
 * client prints for a challenge, the server's parser must take. */
#include <stdint.h>
#include "security/login/basic.h"
#include "security/login/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct sec_digest_request request = {{"POST", 4}, {"/pap", 4}, {"body", 4}, true};

static void answer(const struct sec_digest_offer *offer)
{
    struct sec_digest_response sent, parsed;
    struct sec_secret ha1;
    struct buf out;

    buf_init(&out, 1 << 16);
    sec_secret_init(&ha1);
    MUST(sec_digest_ha1(offer->algorithm, SLICE("u"), offer->realm, SLICE("p"), &ha1) == ERR_OK);
    if (sec_digest_answer(offer, SLICE("u"), &ha1, &request, SLICE("c"), 1, &out, &sent) == ERR_OK &&
        sent.qop != SEC_QOP_NONE && out.n <= SEC_DIGEST_HEADER_MAX_N) {
        MUST(sec_digest_parse(buf_slice(&out), &parsed) == ERR_OK);
        MUST(slice_eq(parsed.nonce, offer->nonce) && slice_eq(parsed.realm, offer->realm));
    }
    buf_clear(&out);
}

static void verify(const struct sec_digest_response *r)
{
    static const struct sec_digest_guard_conf conf = {1000, 8, true};
    struct sec_digest_guard *guard;
    struct sec_secret ha1;

    sec_secret_init(&ha1);
    MUST(sec_digest_ha1(r->algorithm, r->username, r->realm, SLICE("p"), &ha1) == ERR_OK);
    MUST(sec_digest_guard_create(&conf, &guard) == ERR_OK);
    MUST(sec_digest_verify(guard, r, &request, r->realm, &ha1, 0) != ERR_OK); /* its nonce is not ours */
    sec_digest_guard_free(&guard);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n);
    struct slice values[2];
    struct sec_digest_response r = {.nonce = SLICE("n"), .uri = SLICE("/"), .cnonce = SLICE("c"), .nc = 1};
    struct sec_digest_offer offer;
    struct sec_secret ha1;
    struct sec_basic b;
    struct buf secret;

    if (sec_digest_parse(in, &r) == ERR_OK)
        verify(&r);
    (void)slice_cut(in, '\n', &values[0], &values[1]); /* two header lines */
    if (sec_digest_choose(values, 2, &offer) == ERR_OK)
        answer(&offer);
    sec_secret_init(&ha1);
    (void)!sec_digest_check_info(in, &r, &ha1, SLICE("body"));
    buf_init(&secret, SEC_BASIC_MAX_N);
    if (sec_basic_parse(in, &secret, &b) == ERR_OK)
        MUST(b.user.n + b.password.n + 1 == secret.n);
    buf_wipe(&secret);
    return 0;
}
