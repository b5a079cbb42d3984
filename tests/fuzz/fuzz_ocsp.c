/* OCSP responses from anywhere, judged for a certificate of the vectors, and certificates from anywhere asked where their
 * responder is.  Only what the authority signed may be taken. */
#include <stdint.h>
#include <stdlib.h>
#include "security/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Two certificates and the response in one input: lengths of the first two, two octets each, before them. */
static bool cut(struct slice *in, struct slice *piece)
{
    size_t n = in->n < 2 ? 0 : (size_t)((uint8_t)in->p[0] << 8 | (uint8_t)in->p[1]);

    if (in->n < 2 || n > in->n - 2)
        return false;
    *piece = slice_sub(*in, 2, 2 + n);
    *in = slice_sub(*in, 2 + n, in->n);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const int64_t now_s = 1795277600; /* when the seeds were good */
    struct slice in = slice_of(data, n), leaf, issuer;
    struct sec_ocsp_answer a = {SEC_OCSP_UNKNOWN, 0};
    struct buf out;

    if (!cut(&in, &leaf) || !cut(&in, &issuer))
        return 0;
    buf_init(&out, 1 << 16);
    if (sec_ocsp_url(leaf, &out) == ERR_OK)
        MUST(slice_starts_ci(buf_slice(&out), SLICE("http://")));
    (void)!sec_ocsp_request(leaf, issuer, &out);
    if (sec_ocsp_judge(in, leaf, issuer, now_s, &a) == ERR_OK)
        MUST(a.until_s > now_s && a.until_s <= now_s + SEC_OCSP_KEPT_MAX_S);
    buf_clear(&out);
    return 0;
}
