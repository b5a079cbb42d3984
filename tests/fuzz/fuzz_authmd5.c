/* Values of Syncml-MD5 from anywhere, credentials and challenges.  What is read well is printed and read again; nothing that was
 * not made with the password is ever taken. */
#include <stdint.h>
#include "base/mem.h"
#include "security/login/authmd5.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void log_in(const struct sec_mac *said)
{
    struct slice password = SLICE("p");
    struct sec_mac_session session = {.offered = true};
    struct sec_mac_nonce nonce = {.n = SEC_MAC_NONCE_N};
    struct sec_mac_guard *guard;
    struct sec_mac again;
    struct buf out;

    buf_init(&out, 2048);
    MUST(sec_mac_guard_create(4, &guard) == ERR_OK);
    /* A nonce that nobody could guess. */
    MUST(sec_mac_guard_offer(&session) == ERR_OK);
    MUST(sec_authmd5_verify(guard, said, &password, &session, 0) == ERR_DENIED);
    mem_copy(nonce.p, sizeof nonce.p, slice_of(session.nonce, sizeof session.nonce));
    MUST(sec_authmd5_print(said->user, password, &nonce, &out) == ERR_OK);
    MUST(sec_authmd5_parse(buf_slice(&out), &again) == ERR_OK && slice_eq(again.user, said->user));
    MUST(sec_authmd5_verify(guard, &again, NULL, &session, 0) == ERR_DENIED);
    MUST(sec_authmd5_verify(guard, &again, &password, &session, 0) == ERR_OK);
    sec_mac_guard_free(&guard);
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n);
    struct sec_mac said;
    struct sec_mac_nonce nonce;

    if (sec_authmd5_parse(in, &said) == ERR_OK) {
        MUST(sec_authmd5_is(in));
        log_in(&said);
    }
    if (sec_authmd5_challenged(in, &nonce) == ERR_OK)
        MUST(nonce.n && nonce.n <= SEC_MAC_NONCE_MAX_N);
    return 0;
}
