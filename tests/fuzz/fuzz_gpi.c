/* A GPI from anywhere, alone or in its envelope: parsed, and opened with a key, which must fail or, when it opens,
 * seal to the same octets again. */
#include <stdint.h>
#include "security/gba/gpi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The key of tests/vectors/gpi_a1.json, so that its vectors (the seeds) open. */
static const uint8_t ks[SEC_GBA_KEY_N] = {0x88, 0x83, 0xa6, 0xa6, 0x6c, 0xc8, 0x51, 0x83, 0x7f, 0x0e, 0xfa,
                                          0xcd, 0x33, 0xe5, 0xef, 0xd1, 0xb5, 0x31, 0x7a, 0xa5, 0x46, 0x06,
                                          0xe1, 0xfb, 0x69, 0x49, 0x1d, 0x61, 0xb3, 0xde, 0x85, 0x71};

static void open_it(struct slice in, const struct sec_gpi_msg *m)
{
    struct sec_gpi_conf conf = {m->uicc,  m->confidential, m->rand,    m->autn,
                                m->label, m->naf_id,       SLICE_NONE, 0};
    struct sec_gpi_opened opened;
    struct sec_secret key;
    struct buf again;

    sec_secret_init(&key);
    MUST(sec_secret_set(&key, slice_of(ks, sizeof ks)) == ERR_OK);
    if (sec_gpi_open(&key, m, 0, &opened) == ERR_OK) {
        buf_init(&again, SEC_GPI_MAX_N);
        conf.ptid = slice_of(opened.ptid, opened.ptid_n);
        conf.expires_s = opened.expires_s;
        MUST(sec_gpi_seal(&key, &conf, &again) == ERR_OK && slice_eq(buf_slice(&again), in));
        buf_clear(&again);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n), inside;
    struct sec_gpi_msg msg;
    uint16_t session;

    if (sec_gpi_parse(in, &msg) == ERR_OK) {
        MUST(n <= SEC_GPI_MAX_N && msg.covered.n + msg.mac.n == n);
        open_it(in, &msg);
    }
    if (sec_gpi_envelope_parse(in, &session, &inside) == ERR_OK && sec_gpi_parse(inside, &msg) == ERR_OK)
        open_it(inside, &msg);
    return 0;
}
