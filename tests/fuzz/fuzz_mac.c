/* Values of x-syncml-hmac, x-syncml-nonce and challenges of Syncml-MAC from anywhere.  What is read well is printed and
 * read again; nothing that was not made with the key is ever taken. */
#include <stdint.h>
#include "security/login/mac_guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void verify(const struct sec_mac *mac)
{
    struct slice body = SLICE("body");
    struct sec_mac_keys keys = {.key = {{.n = 0}}};
    struct sec_mac_session session = {.offered = true};
    struct sec_mac_guard *guard;
    struct sec_mac again;
    struct buf out;

    buf_init(&out, 2048);
    MUST(sec_mac_inner(mac->user, SLICE("p"), &keys.key[SEC_MAC_MD5]) == ERR_OK);
    MUST(sec_mac_guard_create(4, &guard) == ERR_OK);
    /* A nonce that nobody drew, and a key nobody knows: made with chance alone. */
    MUST(sec_random(session.nonce, sizeof session.nonce) == ERR_OK);
    MUST(sec_mac_guard_verify(guard, &(struct sec_mac_message){mac, &keys, &body, 1, true, false}, &session,
                              0) == ERR_DENIED);
    MUST(sec_mac_print(mac->user, &keys, slice_of(session.nonce, sizeof session.nonce), &body, 1, &out) ==
         ERR_OK);
    MUST(sec_mac_parse(buf_slice(&out), &again) == ERR_OK && slice_eq(again.user, mac->user));
    MUST(sec_mac_guard_verify(guard, &(struct sec_mac_message){&again, &keys, &body, 1, false, false},
                              &session, 0) == ERR_OK);
    sec_mac_guard_free(&guard);
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n);
    struct sec_mac mac;
    struct sec_mac_nonce nonce;

    if (sec_mac_parse(in, &mac) == ERR_OK)
        verify(&mac);
    if (sec_mac_challenged(in, &nonce) == ERR_OK)
        MUST(nonce.n && nonce.n <= SEC_MAC_NONCE_MAX_N);
    if (sec_mac_nonce_parse(in, &nonce) == ERR_OK)
        MUST(nonce.n && nonce.n <= SEC_MAC_NONCE_MAX_N);
    return 0;
}
