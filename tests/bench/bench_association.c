/* Setting up an association, as the gateway does before a first push: number, vector, keys of the NAF, GPI, and the
 * keys of the default suite; against the bare GnuTLS calls that the same takes.  One core.  Prints
 *     bench association ours=N peer=N ratio=R        (a second; the best of several rounds each)
 *     bench association_bytes ours=N peer=N ratio=R  (resident each, confirmed and at rest, of many; against the aim) */
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "security/gba/keyserver.h"
#include "security/gba/naf_sa.h"

#define ROUND_N 4000
#define ROUNDS  15
#define NOW     1700000000
#define MANY    100000
#define AIM_N   300 /* octets */
#define HMACS   7   /* KDF: Ks_NAF, two of GPI, three of GPL; the GPI's MAC */
#define CIPHERS 4   /* Milenage, GPI, two of GPL */
#define BLOCKS  7   /* six of Milenage, one of the GPI */

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sec_keyserver *server_make(const struct sec_push_request *q)
{
    struct sec_keyserver_conf conf = {1, 1};
    struct sec_subscriber subscriber = {
        .impi = q->ue, .k = SLICE("0123456789abcdef"), .opc = SLICE("fedcba9876543210")};
    struct sec_keyserver *s;

    MUST(sec_keyserver_create(&conf, &s) == ERR_OK);
    MUST(sec_keyserver_add(s, &subscriber) == ERR_OK);
    MUST(sec_keyserver_allow(s, q->naf_id, 604800) == ERR_OK);
    MUST(sec_keyserver_reserved(s, q->ue, 1, ROUND_N * ROUNDS + 2) == ERR_OK);
    return s;
}

static double ours(struct sec_keyserver *s, const struct sec_push_request *q)
{
    double start = now_s();

    for (size_t i = 0; i < ROUND_N; i++) {
        struct sec_push_info info;
        struct sec_gpl_keys *keys;

        MUST(sec_keyserver_push_info(s, q, NOW, &info) == ERR_OK);
        MUST(sec_gpl_keys_create(sec_secret_slice(&info.ks_naf), SEC_GPL_DOWNLINK, SEC_GPL_CTR, &keys) ==
             ERR_OK);
        sec_gpl_keys_free(&keys);
        sec_push_info_clear(&info);
    }
    return ROUND_N / (now_s() - start);
}

static void peer_one(void)
{
    unsigned char octets[96] = {1}, mac[32], iv[16] = {0};
    gnutls_datum_t key = {octets, 16};
    gnutls_cipher_hd_t aes[CIPHERS];
    gnutls_hmac_hd_t hmac;

    MUST(gnutls_rnd(GNUTLS_RND_RANDOM, octets, 16) == 0);
    for (size_t i = 0; i < CIPHERS; i++)
        MUST(gnutls_cipher_init(&aes[i], i < 3 ? GNUTLS_CIPHER_AES_128_CBC : GNUTLS_CIPHER_AES_128_GCM, &key,
                                NULL) == 0);
    for (size_t i = 0; i < BLOCKS; i++) {
        gnutls_cipher_set_iv(aes[0], iv, sizeof iv);
        MUST(gnutls_cipher_encrypt2(aes[0], octets, 16, octets, 16) == 0);
    }
    for (size_t i = 0; i < HMACS; i++)
        MUST(gnutls_hmac_fast(GNUTLS_MAC_SHA256, octets, 32, octets, sizeof octets, mac) == 0);
    MUST(gnutls_hmac_init(&hmac, GNUTLS_MAC_SHA256, octets, 32) == 0);
    gnutls_hmac_deinit(hmac, NULL);
    for (size_t i = 0; i < CIPHERS; i++)
        gnutls_cipher_deinit(aes[i]);
}

static double peer(void)
{
    double start = now_s();

    for (size_t i = 0; i < ROUND_N; i++)
        peer_one();
    return ROUND_N / (now_s() - start);
}

/* What a million would take, from some. */
static void bytes(struct sec_keyserver *s, const struct sec_push_request *q)
{
    static const uint8_t suites[] = {SEC_GPL_CTR, SEC_GPL_HMAC};
    static struct sec_naf_sa *all[MANY];
    const struct sec_naf_sa_conf conf = {.suites = {(const char *)suites, sizeof suites}};
    struct sec_push_info info;
    size_t before = mallinfo2().uordblks, each;

    MUST(sec_keyserver_push_info(s, q, NOW, &info) == ERR_OK);
    for (size_t i = 0; i < MANY; i++) {
        MUST(sec_naf_sa_create(&conf, &all[i]) == ERR_OK);
        MUST(sec_naf_sa_adopt(all[i], &info, q->ptid, NOW) == ERR_OK);
        (void)sec_naf_sa_confirm(all[i], info.rand);
    }
    each = (mallinfo2().uordblks - before) / MANY;
    (void)printf("bench association_bytes ours=%zu peer=%d ratio=%.3f\n", each, AIM_N, (double)each / AIM_N);
    for (size_t i = 0; i < MANY; i++)
        sec_naf_sa_free(&all[i]);
    sec_push_info_clear(&info);
}

int main(void)
{
    struct sec_push_request q = {SLICE("234150999999999@ims.mnc015.mcc234.3gppnetwork.org"),
                                 SLICE("ppg.operator.example\x01\x00\x00\x00\x05"), SLICE("12345678"),
                                 SLICE_NONE, NOW + 604800};
    struct sec_keyserver *s = server_make(&q);
    double best_ours = 0, best_peer = 0;

    for (int i = 0; i < ROUNDS; i++) {
        double a = ours(s, &q), b = peer();

        best_ours = a > best_ours ? a : best_ours;
        best_peer = b > best_peer ? b : best_peer;
    }
    (void)printf("bench association ours=%.0f peer=%.0f ratio=%.3f\n", best_ours, best_peer,
                 best_ours / best_peer);
    bytes(s, &q);
    sec_keyserver_free(&s);
    return 0;
}
