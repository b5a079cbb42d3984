/* Master keys and keys of each kind for the tests of the keyring. */
#ifndef TESTS_UNIT_SECURITY_KEYRING_FIX_H
#define TESTS_UNIT_SECURITY_KEYRING_FIX_H

#include "security/keyring.h"
#include "tests/unit/harness.h"

#define MASTER  SLICE("0123456789abcdefghijklmnopqrstuv")
#define MASTER2 SLICE("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345")
#define KS      SLICE("ks ks ks ks ks ks ks ks ks ks ks")
#define KS2     SLICE("KS KS KS KS KS KS KS KS KS KS KS")
#define SAID    SLICE("said said said !\2")
#define CREATED INT64_C(1800000000)

static inline struct sec_key key_of(enum sec_key_kind kind, const char *name)
{
    struct sec_key k = {.kind = kind, .name = slice_str(name), .created_s = CREATED};

    if (kind == SEC_KEY_ASSOCIATION)
        k.attr = SAID;
    if (kind == SEC_KEY_SUBSCRIBER)
        k.attr = SLICE("\x80\0");
    return k;
}

static inline enum err ring_add(struct sec_keyring *r, enum sec_key_kind kind, const char *name)
{
    struct sec_key k = key_of(kind, name);

    return sec_keyring_add(r, &k, kind == SEC_KEY_PASSWORD ? SLICE("hunter2") : KS);
}

/* One of each kind: "a", "p", "w", "s@x". */
static inline struct sec_keyring *ring_full(void)
{
    struct sec_keyring *r;

    MUST(sec_keyring_create(MASTER, &r) == ERR_OK);
    MUST(ring_add(r, SEC_KEY_ASSOCIATION, "a") == ERR_OK && ring_add(r, SEC_KEY_PSK, "p") == ERR_OK);
    MUST(ring_add(r, SEC_KEY_PASSWORD, "w") == ERR_OK && ring_add(r, SEC_KEY_SUBSCRIBER, "s@x") == ERR_OK);
    return r;
}

/* Is that the secret of k? */
static inline bool opens_to(const struct sec_keyring *r, const struct sec_key *k, struct slice want)
{
    struct sec_secret got;
    bool same;

    sec_secret_init(&got);
    same = k && sec_keyring_secret(r, k, &got) == ERR_OK && slice_eq(sec_secret_slice(&got), want);
    sec_secret_clear(&got);
    return same;
}

#endif
