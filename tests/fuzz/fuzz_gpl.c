/* A protected message from anywhere: parsed, and opened with keys of its suite, which must fail or, when it opens,
 * seal to the same octets again; and heard from a terminal, which is good at most once. */
#include <stdint.h>
#include "security/sa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The key of tests/vectors/gpl_a1.json, so that its messages (the seeds) open. */
static const uint8_t ks[SEC_GPL_KEY_N] = {0x88, 0x83, 0xa6, 0xa6, 0x6c, 0xc8, 0x51, 0x83, 0x7f, 0x0e, 0xfa,
                                          0xcd, 0x33, 0xe5, 0xef, 0xd1, 0xb5, 0x31, 0x7a, 0xa5, 0x46, 0x06,
                                          0xe1, 0xfb, 0x69, 0x49, 0x1d, 0x61, 0xb3, 0xde, 0x85, 0x71};

static void open_it(struct slice in, const struct sec_gpl_msg *msg)
{
    struct sec_gpl_keys *keys;
    struct buf plain, again;
    struct slice part;

    buf_init(&plain, 1 << 20);
    buf_init(&again, 1 << 20);
    MUST(sec_gpl_keys_create(slice_of(ks, sizeof ks), msg->direction, msg->suite, &keys) == ERR_OK);
    if (sec_gpl_open(keys, msg, &plain) == ERR_OK) {
        part = buf_slice(&plain);
        MUST(sec_gpl_seal(keys, msg->sn, msg->said, msg->gpi, &part, 1, &again) == ERR_OK);
        MUST(slice_eq(buf_slice(&again), in));
    } else {
        MUST(plain.n == 0);
    }
    sec_gpl_keys_free(&keys);
    buf_clear(&plain);
    buf_clear(&again);
}

/* As the gateway hears it from its terminal: a good one is good once. */
static void hear(const struct sec_gpl_msg *msg)
{
    const struct sec_sa_conf conf = {.rand = SLICE("0123456789abcdef"),
                                     .ptid = msg->said,
                                     .ks = slice_of(ks, sizeof ks),
                                     .suites = slice_of(&msg->suite, 1),
                                     .expires_s = 2,
                                     .window = SEC_SA_WINDOW_MAX};
    struct sec_sa sa;
    struct buf plain;
    enum err e;

    buf_init(&plain, 1 << 20);
    MUST(sec_sa_init(&sa, &conf) == ERR_OK);
    e = sec_sa_open(&sa, SEC_GPL_UPLINK, 1, msg, &plain);
    MUST(!e || (plain.n == 0 && sa.window.high == 0));
    MUST(sec_sa_open(&sa, SEC_GPL_UPLINK, 1, msg, &plain) == (e ? e : ERR_EXISTS));
    MUST(sec_sa_open(&sa, SEC_GPL_UPLINK, 2, msg, &plain) ==
         (msg->direction == SEC_GPL_UPLINK ? ERR_LATE : ERR_ABSENT));
    sec_sa_clear(&sa);
    buf_clear(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n);
    struct sec_gpl_msg msg;

    if (sec_gpl_parse(in, &msg) == ERR_OK) {
        MUST(msg.header.n + msg.payload.n + msg.tag.n == n);
        MUST(msg.covered.n + msg.tag.n == n);
        open_it(in, &msg);
        hear(&msg);
    }
    return 0;
}
