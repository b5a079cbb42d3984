/* An activation package from anywhere, under the code of the seeds: refused, or whole.  As the tag keeps a fuzzer out, the
 * input is also sealed and opened as what is inside. */
#include <gnutls/crypto.h>
#include <stdint.h>
#include "base/num.h"
#include "security/kdf.h"
#include "security/terminal/activation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CODE   SLICE("0123-4567-89AB-CDEF-GHJK-MNPQ")
#define HEAD_N 36

static void open_it(struct slice package)
{
    struct sec_activation a;

    if (sec_activation_open(package, CODE, 0, &a))
        return;
    MUST(sec_key_name_ok(slice_of(a.name, a.name_n)) && a.key.n == 32);
    MUST(a.suites_n >= 1 && a.suites_n <= SEC_ACTIVATION_SUITES_MAX);
    sec_secret_clear(&a.key);
}

static void open_as_plain(struct slice plain)
{
    /* the octets of CODE: five bits a digit */
    static const uint8_t code[15] = {0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6,
                                     0x35, 0xcf, 0x84, 0x65, 0x3a, 0x56, 0xd7};
    uint8_t out[HEAD_N + SEC_ACTIVATION_MAX_N] = "PPGACTV\1", key[SEC_SHA256_N];
    const struct slice params[] = {SLICE("activation"), slice_of(out + 8, 16)};
    gnutls_datum_t k = {key, sizeof key};
    size_t sealed_n = sizeof out - HEAD_N;
    gnutls_aead_cipher_hd_t gcm;

    if (plain.n > SEC_ACTIVATION_MAX_N - 16)
        return;
    MUST(sec_kdf(slice_of(code, sizeof code), 0xFA, params, 2, key) == ERR_OK);
    MUST(gnutls_aead_cipher_init(&gcm, GNUTLS_CIPHER_AES_256_GCM, &k) == 0);
    MUST(gnutls_aead_cipher_encrypt(gcm, out + 24, 12, out, HEAD_N, 16, plain.p, plain.n, out + HEAD_N,
                                    &sealed_n) == 0);
    gnutls_aead_cipher_deinit(gcm);
    open_it(slice_of(out, HEAD_N + sealed_n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    open_it(slice_of(data, n));
    open_as_plain(slice_of(data, n));
    return 0;
}
