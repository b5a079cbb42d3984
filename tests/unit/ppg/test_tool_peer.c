/* One-time keys between kits: what is taken for one, what is derived from it, and that it goes when it is used. */
#include "ppg/handset/peer.h"

#include <unistd.h>
#include "base/codec.h"
#include "security/keyring.h"
#include "tests/unit/harness.h"

#define DIGITS "000102030405060708090a0b0c0d0e0f"

static const char *file_of(const char *text)
{
    static char option[600];
    FILE *file;

    (void)snprintf(option, sizeof option, "a:%s/one-time", test_scratch());
    file = fopen(option + 2, "w");
    MUST(file && fputs(text, file) >= 0 && fclose(file) == 0);
    return option;
}

static void rows(void)
{
    static const struct {
        const char *text;
        enum err want;
    } keys[] = {
        {DIGITS "\n", ERR_OK},
        {DIGITS DIGITS DIGITS DIGITS, ERR_OK},
        {DIGITS "\nmore", ERR_OK},
        {"000102030405060708090a0b0c0d0e\n", ERR_LIMIT}, /* less than 128 bits */
        {"", ERR_MALFORMED},
        {"\n" DIGITS, ERR_MALFORMED},
        {DIGITS "0\n", ERR_MALFORMED},
        {"0x" DIGITS "\n", ERR_MALFORMED},
        {"opensesame-opensesame-opensesame\n", ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(keys); i++) {
        struct tool_peer_key k;
        char why[TOOL_WHY_N] = "";
        enum err e;

        test_row(i);
        tool_peer_key_init(&k);
        e = tool_peer_key_read(file_of(keys[i].text), &k, why);
        CU_ASSERT(keys[i].want ? e != ERR_OK && why[0] : e == ERR_OK);
        if (keys[i].want == ERR_LIMIT)
            CU_ASSERT(e == ERR_LIMIT);
        tool_peer_key_clear(&k);
    }
}

/* Neither what TLS gets nor what Digest gets is the key, or the other. */
static void derived_and_spent(void)
{
    struct tool_peer_key k;
    struct sec_secret want;
    struct buf text;
    char why[TOOL_WHY_N];

    tool_peer_key_init(&k);
    sec_secret_init(&want);
    buf_init(&text, 64);
    CU_ASSERT(tool_peer_key_read("a", &k, why) == ERR_MALFORMED);
    CU_ASSERT(tool_peer_key_read(":/dev/null", &k, why) == ERR_MALFORMED);
    CU_ASSERT(tool_peer_key_read("a:/nowhere/at/all", &k, why) == ERR_IO);
    CU_ASSERT_FATAL(tool_peer_key_read(file_of(DIGITS "\n"), &k, why) == ERR_OK);
    TEST_SLICE_EQ(k.name, SLICE("a"));
    CU_ASSERT(sec_key_derive(SLICE("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17"), "psk-tls", SLICE("a"),
                             &want) == ERR_OK);
    TEST_SLICE_EQ(sec_secret_slice(&k.psk), sec_secret_slice(&want));
    CU_ASSERT(sec_key_derive(SLICE("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17"), "digest", SLICE("a"),
                             &want) == ERR_OK);
    codec_base64(&text, sec_secret_slice(&want));
    TEST_SLICE_EQ(buf_slice(&k.password), buf_slice(&text));
    CU_ASSERT(tool_peer_key_spend(&k) == ERR_OK && access(k.file, F_OK) != 0);
    CU_ASSERT(tool_peer_key_spend(&k) == ERR_IO); /* there is nothing to be used a second time */
    tool_peer_key_clear(&k);
    CU_ASSERT(k.psk.n == 0 && k.password.n == 0);
    sec_secret_clear(&want);
    buf_clear(&text);
}

const struct test_case test_cases[] = {
    {"rows", rows}, {"derived_and_spent", derived_and_spent}, {NULL, NULL}};
