/* A terminal's library under a flood: forged pushes of 1 KiB under the name of an association that it has, each dropped at
 * its tag, against the bare HMAC-SHA-256 of GnuTLS over the same octets.  One core.  Prints
 *     bench kit_forged ours=N peer=N ratio=R grown_kb=N    (a second; resident memory from the first round to the last) */
#include <gnutls/crypto.h>
#include <stdio.h>
#include <time.h>
#include "base/codec.h"
#include "ota/headers.h"
#include "ota/terminal/kit.h"

#define BODY_N  1100
#define ROUND_N 20000
#define ROUNDS  10
#define NOW     1700000000

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long resident_kb(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    long pages = 0;

    MUST(f && fscanf(f, "%*d %ld", &pages) == 1);
    (void)fclose(f);
    return pages * 4;
}

static enum kit_event ask(struct kit *k, struct slice method, const char *tag, struct slice body,
                          struct kit_answer *answer, const char **reason)
{
    const struct kit_header headers[] = {{SLICE("Content-Type"), SLICE("application/x-push-gpl-a1")},
                                         {SLICE("X-Wap-CPITag"), slice_str(tag)}};
    const struct kit_request req = {.method = method,
                                    .target = SLICE("/wappush"),
                                    .headers = headers,
                                    .headers_n = 2,
                                    .body = body,
                                    .server = SLICE("192.0.2.1"),
                                    .now_s = NOW};
    struct kit_push push;

    return kit_handle(k, &req, answer, &push, reason);
}

static double ours(struct kit *k, const char *tag, uint8_t body[BODY_N])
{
    double start = now_s();

    for (uint32_t i = 0; i < ROUND_N; i++) {
        struct kit_answer answer;
        const char *reason;

        body[5] = (uint8_t)(i | 1); /* of the number: each another one */
        body[4] = (uint8_t)(i >> 8);
        MUST(ask(k, SLICE("POST"), tag, slice_of(body, BODY_N), &answer, &reason) == KIT_DROPPED);
        MUST(slice_eq(slice_str(reason), SLICE("mac")));
        buf_clear(&answer.headers);
    }
    return ROUND_N / (now_s() - start);
}

static double peer(const uint8_t body[BODY_N])
{
    double start = now_s();
    gnutls_hmac_hd_t mac;
    uint8_t tag[32];

    MUST(gnutls_hmac_init(&mac, GNUTLS_MAC_SHA256, body, 32) == 0);
    for (uint32_t i = 0; i < ROUND_N; i++) {
        MUST(gnutls_hmac(mac, body, BODY_N - 16) == 0);
        gnutls_hmac_output(mac, tag);
    }
    gnutls_hmac_deinit(mac, NULL);
    return ROUND_N / (now_s() - start);
}

int main(void)
{
    static const uint8_t said[16] = {1}, suites[] = {SEC_GPL_CTR}, key[SEC_GPL_KEY_N] = {2};
    const struct kit_conf conf = {
        .accept_app = SLICE("*"), .max_size = 65536, .max_outstanding = 1, .seen_max = 1000};
    /* version 1 and encrypted, suite, number, length and octets of the SAID: GPL-A1 */
    uint8_t body[BODY_N] = {0x12, SEC_GPL_CTR, 0, 0, 0, 1, 16, 1};
    double best_ours = 0, best_peer = 0;
    struct kit_answer answer;
    const char *reason;
    struct kit *k;
    char tag[16];
    long first_kb = 0;

    MUST(kit_create(&conf, &k) == ERR_OK);
    MUST(kit_add_association(k, said, slice_of(key, sizeof key), suites, 1, 0) == ERR_OK);
    MUST(ask(k, SLICE("OPTIONS"), "", SLICE_NONE, &answer, &reason) == KIT_REGISTERED);
    (void)snprintf(tag, sizeof tag, "%.*s",
                   SLICE_FMT(ota_header_find(buf_slice(&answer.headers), SLICE("X-Wap-CPITag"))));
    buf_clear(&answer.headers);
    for (int i = 0; i < ROUNDS; i++) {
        double a = ours(k, tag, body), b = peer(body);

        best_ours = a > best_ours ? a : best_ours;
        best_peer = b > best_peer ? b : best_peer;
        first_kb = i > 1 ? first_kb : resident_kb(); /* once the libraries have what they keep */
    }
    (void)printf("bench kit_forged ours=%.0f peer=%.0f ratio=%.3f grown_kb=%ld\n", best_ours, best_peer,
                 best_ours / best_peer, resident_kb() - first_kb);
    kit_free(&k);
    return 0;
}
