/* Sealing 1 KiB with the default suite against the bare GnuTLS calls that the same octets cost: counter-mode
 * encryption (GnuTLS has it inside GCM only) and HMAC-SHA-256, handles reused.  Prints
 *     bench gpl_seal ours=N peer=N ratio=R        (messages a second; the best of several rounds each) */
#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "security/gpl.h"

#define PAYLOAD_N 1024
#define ROUND_N   20000
#define ROUNDS    15

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double ours(const struct sec_gpl_keys *keys, struct buf *out)
{
    char payload[PAYLOAD_N] = {1};
    struct slice parts[] = {slice_of(payload, 100), slice_of(payload + 100, PAYLOAD_N - 100)};
    double start = now_s();

    for (uint32_t sn = 1; sn <= ROUND_N; sn++) {
        buf_reset(out, SIZE_MAX);
        MUST(sec_gpl_seal(keys, sn, SLICE("RRRRRRRRRRRRRRRR"), SLICE_NONE, parts, 2, out) == ERR_OK);
    }
    return ROUND_N / (now_s() - start);
}

static double peer(gnutls_cipher_hd_t aes, gnutls_hmac_hd_t mac)
{
    unsigned char message[23 + PAYLOAD_N] = {1};
    unsigned char nonce[12] = {0}, tag[32];
    double start = now_s();

    for (uint32_t sn = 1; sn <= ROUND_N; sn++) {
        nonce[11] = (unsigned char)sn;
        gnutls_cipher_set_iv(aes, nonce, sizeof nonce);
        MUST(gnutls_cipher_encrypt2(aes, message + 23, PAYLOAD_N, message + 23, PAYLOAD_N) == 0);
        MUST(gnutls_hmac(mac, message, sizeof message) == 0);
        gnutls_hmac_output(mac, tag);
    }
    return ROUND_N / (now_s() - start);
}

int main(void)
{
    unsigned char key[32] = {7};
    gnutls_datum_t aes_key = {key, 16};
    gnutls_cipher_hd_t aes;
    gnutls_hmac_hd_t mac;
    struct sec_gpl_keys *keys;
    struct buf out;
    double best_ours = 0, best_peer = 0;

    buf_init(&out, 4096);
    MUST(sec_gpl_keys_create(slice_of(key, sizeof key), SEC_GPL_DOWNLINK, SEC_GPL_CTR, &keys) == ERR_OK);
    MUST(gnutls_cipher_init(&aes, GNUTLS_CIPHER_AES_128_GCM, &aes_key, NULL) == 0);
    MUST(gnutls_hmac_init(&mac, GNUTLS_MAC_SHA256, key, sizeof key) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        double a = ours(keys, &out), b = peer(aes, mac);

        best_ours = a > best_ours ? a : best_ours;
        best_peer = b > best_peer ? b : best_peer;
    }
    (void)printf("bench gpl_seal ours=%.0f peer=%.0f ratio=%.3f\n", best_ours, best_peer,
                 best_ours / best_peer);
    gnutls_cipher_deinit(aes);
    gnutls_hmac_deinit(mac, NULL);
    sec_gpl_keys_free(&keys);
    buf_clear(&out);
    return 0;
}
