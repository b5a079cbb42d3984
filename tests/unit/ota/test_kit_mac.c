/* Pushes in the clear with x-syncml-hmac, at the terminal: what is taken, what is asked for again, and what a mac does not
 * cover.  [DM-SEC §5.1.4]. */
#include "ota/terminal/kit.h"

#include <stdio.h>
#include "base/mem.h"
#include "ota/headers.h"
#include "ota/terminal/kit_state.h"
#include "tests/unit/harness.h"

#define KEY SLICE("0123456789abcdef0123456789abcdef")
#define ENTITY                                                                                               \
    SLICE("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Wap-Push-Info: authenticated, trusted\r\n"       \
          "Content-Length: 5\r\n\r\nhello")
#define DIRECT SLICE("hello")

struct bench {
    struct kit *kit;
    struct sec_mac_keys keys, wrong;
    struct sec_mac_nonce nonce; /* as last told */
    struct kit_push push;
    const char *reason;
    unsigned status;
    bool challenged;
    char tag[9];
};

static void heard(struct bench *b, const struct kit_answer *a)
{
    struct slice all = buf_slice(&a->headers);
    struct slice next = ota_header_find(all, SLICE(SEC_MAC_NONCE_HEADER));
    struct slice challenge = ota_header_find(all, SLICE("WWW-Authenticate"));

    b->status = a->status;
    b->challenged = challenge.n && !sec_mac_challenged(challenge, &b->nonce);
    if (next.n)
        CU_ASSERT(sec_mac_nonce_parse(next, &b->nonce) == ERR_OK);
}

static enum kit_event send(struct bench *b, const char *method, struct slice type, struct slice body,
                           const char *mac)
{
    struct kit_header headers[] = {{SLICE("Content-Type"), type},
                                   {SLICE("X-Wap-CPITag"), slice_str(b->tag)},
                                   {SLICE("X-Syncml-Hmac"), slice_str(mac)}};
    struct kit_request req = {.method = slice_str(method),
                              .target = SLICE("/wappush"),
                              .headers = headers,
                              .headers_n = mac ? 3 : 2,
                              .body = body,
                              .server = SLICE("192.0.2.1"),
                              .now_s = 1};
    struct kit_answer a;
    enum kit_event ev = kit_handle(b->kit, &req, &a, &b->push, &b->reason);
    struct slice tag = ota_header_find(buf_slice(&a.headers), SLICE("X-Wap-CPITag"));

    if (tag.n)
        CU_ASSERT(mem_cstr(b->tag, sizeof b->tag, tag) == ERR_OK);
    heard(b, &a);
    buf_clear(&a.headers);
    return ev;
}

static void start(struct bench *b, enum kit_protection floor)
{
    const struct kit_conf conf = {.accept_app = SLICE("*"),
                                  .max_size = 1000,
                                  .max_outstanding = 1,
                                  .seen_max = 4,
                                  .floor = floor,
                                  .mac_user = SLICE("ppg"),
                                  .mac_key = KEY,
                                  .mac_password = SLICE("secret")};

    *b = (struct bench){.status = 0};
    CU_ASSERT_FATAL(kit_create(&conf, &b->kit) == ERR_OK);
    CU_ASSERT(sec_secret_set(&b->keys.key[SEC_MAC_SHA256], KEY) == ERR_OK);
    CU_ASSERT(sec_mac_inner(SLICE("ppg"), SLICE("guess"), &b->wrong.key[SEC_MAC_MD5]) == ERR_OK);
    CU_ASSERT(send(b, "OPTIONS", SLICE_NONE, SLICE_NONE, NULL) == KIT_REGISTERED);
    CU_ASSERT(b->nonce.n == SEC_MAC_NONCE_N && !b->challenged);
}

static void made(const struct bench *b, const struct sec_mac_keys *keys, const char *user, struct slice body,
                 char out[256])
{
    struct buf text;

    buf_init(&text, 255);
    CU_ASSERT(sec_mac_print(slice_str(user), keys, slice_of(b->nonce.p, b->nonce.n), &body, 1, &text) ==
              ERR_OK);
    CU_ASSERT(mem_cstr(out, 256, buf_slice(&text)) == ERR_OK);
    buf_clear(&text);
}

static enum kit_event post(struct bench *b, struct slice body, const char *mac)
{
    return send(b, "POST", slice_eq(body, DIRECT) ? SLICE("text/plain") : SLICE("application/http"), body,
                mac);
}

static void test_taken(void)
{
    struct bench b;
    char mac[256];

    start(&b, KIT_INTEGRITY);
    for (unsigned i = 0; i < 3; i++) {
        const struct sec_mac_keys md5 = {.key = {{.n = 0}}};
        struct sec_mac_keys keys = i == 1 ? md5 : b.keys;

        test_row(i);
        if (i == 1)
            CU_ASSERT(sec_mac_inner(SLICE("ppg"), SLICE("secret"), &keys.key[SEC_MAC_MD5]) == ERR_OK);
        made(&b, &keys, "ppg", ENTITY, mac);
        CU_ASSERT(post(&b, ENTITY, mac) == KIT_PUSH && b.status == 204);
        CU_ASSERT(b.push.message_protection == KIT_INTEGRITY && b.push.proofs == KIT_PROOF_MAC);
        CU_ASSERT(b.push.authenticated && b.push.trusted && b.push.suite == 0);
        CU_ASSERT(post(&b, ENTITY, mac) == KIT_REFUSED && b.status == 401 && b.challenged); /* again */
    }
    kit_free(&b.kit);
}

static void test_refused(void)
{
    struct bench b;
    char mac[256], two[600];

    start(&b, KIT_INTEGRITY);
    made(&b, &b.keys, "ppg", ENTITY, mac);
    CU_ASSERT(post(&b, ENTITY, NULL) == KIT_REFUSED && b.challenged);
    CU_ASSERT(post(&b, SLICE("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhullo"),
                   mac) == KIT_REFUSED &&
              b.challenged);
    (void)snprintf(two, sizeof two, "%s, mac=AAAA", mac);
    CU_ASSERT(post(&b, ENTITY, two) == KIT_REFUSED && b.challenged);
    CU_ASSERT(post(&b, ENTITY, "") == KIT_REFUSED && b.challenged);
    made(&b, &b.wrong, "ppg", ENTITY, two);
    CU_ASSERT(post(&b, ENTITY, two) == KIT_REFUSED && b.challenged);
    made(&b, &b.keys, "other", ENTITY, two);
    CU_ASSERT(post(&b, ENTITY, two) == KIT_REFUSED && b.challenged);
    CU_ASSERT(slice_eq(slice_str(b.reason), SLICE("hmac")));
    CU_ASSERT(post(&b, ENTITY, mac) == KIT_PUSH); /* its nonce stood all the while */
    kit_free(&b.kit);
}

/* Its own head is not part of the entity of a direct push, so the mac makes it no better. */
static void test_direct(void)
{
    struct bench b;
    char mac[256];

    start(&b, KIT_NONE);
    made(&b, &b.keys, "ppg", DIRECT, mac);
    CU_ASSERT(post(&b, DIRECT, mac) == KIT_PUSH);
    CU_ASSERT(b.push.message_protection == KIT_NONE && b.push.proofs == 0 && !b.push.trusted);
    kit_free(&b.kit);
    start(&b, KIT_INTEGRITY);
    made(&b, &b.keys, "ppg", DIRECT, mac);
    CU_ASSERT(post(&b, DIRECT, mac) == KIT_DROPPED && b.status == 204 && !b.challenged);
    kit_free(&b.kit);
}

/* Where nothing is wanted nothing is asked for, and where more is wanted it would not help. */
static void test_not_asked_for(void)
{
    struct bench b;
    char mac[256];

    start(&b, KIT_NONE);
    CU_ASSERT(post(&b, ENTITY, NULL) == KIT_PUSH && !b.challenged && !b.push.trusted);
    kit_free(&b.kit);
    start(&b, KIT_FULL);
    CU_ASSERT(post(&b, ENTITY, NULL) == KIT_DROPPED && !b.challenged);
    made(&b, &b.keys, "ppg", ENTITY, mac);
    CU_ASSERT(post(&b, ENTITY, mac) == KIT_DROPPED && !b.challenged);
    CU_ASSERT(slice_eq(slice_str(b.reason), SLICE("protection-below-floor")));
    kit_free(&b.kit);
}

static void test_settings(void)
{
    struct kit_conf conf = {.accept_app = SLICE("*"),
                            .max_size = 1,
                            .max_outstanding = 1,
                            .seen_max = 1,
                            .mac_user = SLICE("ppg"),
                            .mac_key = SLICE("short")};
    struct kit *k = NULL;

    CU_ASSERT(kit_create(&conf, &k) == ERR_LIMIT && k == NULL);
}

const struct test_case test_cases[] = {
    {"taken", test_taken},       {"refused", test_refused},
    {"direct", test_direct},     {"not_asked_for", test_not_asked_for},
    {"settings", test_settings}, {NULL, NULL},
};
