/* Activation packages; octets and key are in activation.h.  AES-256-GCM of GnuTLS (SP 800-38D). */
#include "security/terminal/activation.h"

#include <gnutls/crypto.h>
#include "base/mem.h"
#include "base/num.h"
#include "security/gpl.h"
#include "security/kdf.h"

#define FC       0xFA /* proprietary, unregistered range of TS 33.220 §B.2.2 */
#define MAGIC    SLICE("PPGACTV\1")
#define SALT_N   16
#define NONCE_N  12
#define HEAD_N   36 /* magic, salt, nonce */
#define TAG_N    16
#define FIXED_N  69 /* octets of what is sealed, without suites and name */
#define PLAIN_N  (FIXED_N + SEC_ACTIVATION_SUITES_MAX + SEC_KEY_NAME_MAX_N)
#define CODE_N   15 /* octets a code stands for */
#define DIGITS_N 24

/* Digits of five bits without I, L, O and U, which people misread. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* --- the code --- */

static void code_print(const uint8_t octets[CODE_N], char out[SEC_ACTIVATION_CODE_N])
{
    unsigned bits = 0, held = 0;
    size_t at = 0, n = 0;

    for (size_t i = 0; i < DIGITS_N; i++) {
        if (held < 5) {
            bits = bits << 8 | octets[at++];
            held += 8;
        }
        held -= 5;
        if (i && i % 4 == 0)
            out[n++] = '-';
        out[n++] = alphabet[bits >> held & 31];
    }
    out[n] = '\0';
}

static int digit_of(char ch)
{
    char upper = ch >= 'a' && ch <= 'z' ? (char)(ch - 'a' + 'A') : ch;
    const char *at;

    if (upper == 'O')
        upper = '0';
    if (upper == 'I' || upper == 'L')
        upper = '1';
    at = upper ? strchr(alphabet, upper) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

static enum err code_read(struct slice text, uint8_t out[CODE_N])
{
    unsigned bits = 0, held = 0;
    size_t digits = 0, n = 0;

    for (size_t i = 0; i < text.n; i++) {
        int digit = digit_of(text.p[i]);

        if (text.p[i] == '-' || text.p[i] == ' ')
            continue;
        if (digit < 0 || digits++ == DIGITS_N)
            return ERR_MALFORMED;
        bits = bits << 5 | (unsigned)digit;
        held += 5;
        if (held >= 8) {
            held -= 8;
            out[n++] = (uint8_t)(bits >> held);
        }
    }
    return digits == DIGITS_N ? ERR_OK : ERR_MALFORMED;
}

/* --- the seal --- */

static enum err cipher(const uint8_t code[CODE_N], const uint8_t *salt, gnutls_aead_cipher_hd_t *out)
{
    const struct slice params[] = {SLICE("activation"), slice_of(salt, SALT_N)};
    uint8_t key[SEC_SHA256_N];
    gnutls_datum_t k = {key, sizeof key};
    enum err e = sec_kdf(slice_of(code, CODE_N), FC, params, 2, key);

    if (!e && gnutls_aead_cipher_init(out, GNUTLS_CIPHER_AES_256_GCM, &k) < 0)
        e = ERR_NOMEM;
    mem_wipe(key, sizeof key);
    return e;
}

static size_t plain_print(const struct sec_activation *a, int64_t until_s, uint8_t out[PLAIN_N])
{
    num_put64(out, (uint64_t)until_s);
    num_put32(out + 8, a->version);
    num_put64(out + 12, (uint64_t)a->expires_s);
    mem_copy(out + 20, 32, sec_secret_slice(&a->key));
    mem_copy(out + 52, 16, slice_of(a->said, sizeof a->said));
    out[68] = (uint8_t)a->suites_n;
    mem_copy(out + FIXED_N, SEC_ACTIVATION_SUITES_MAX, slice_of(a->suites, a->suites_n));
    mem_copy(out + FIXED_N + a->suites_n, SEC_KEY_NAME_MAX_N, slice_of(a->name, a->name_n));
    return FIXED_N + a->suites_n + a->name_n;
}

static bool may_be(const struct sec_activation *a)
{
    if (a->suites_n < 1 || a->suites_n > SEC_ACTIVATION_SUITES_MAX || a->name_n > SEC_KEY_NAME_MAX_N)
        return false;
    for (size_t i = 0; i < a->suites_n; i++)
        if (!sec_gpl_suite_known(a->suites[i]) ||
            memchr(a->suites + i + 1, a->suites[i], a->suites_n - i - 1))
            return false;
    return sec_key_name_ok(slice_of(a->name, a->name_n)) && a->key.n == 32 && a->version && a->expires_s >= 0;
}

/* Salt and nonce, then the sealed rest behind them. */
static enum err seal(const uint8_t code[CODE_N], const uint8_t *plain, size_t n, struct buf *package)
{
    uint8_t out[HEAD_N + PLAIN_N + TAG_N];
    size_t sealed_n = n + TAG_N;
    gnutls_aead_cipher_hd_t gcm;
    enum err e;

    mem_copy(out, sizeof out, MAGIC);
    e = sec_random(out + MAGIC.n, SALT_N + NONCE_N);
    if (!e)
        e = cipher(code, out + MAGIC.n, &gcm);
    if (e)
        return e;
    if (gnutls_aead_cipher_encrypt(gcm, out + MAGIC.n + SALT_N, NONCE_N, out, HEAD_N, TAG_N, plain, n,
                                   out + HEAD_N, &sealed_n) < 0)
        e = ERR_IO;
    gnutls_aead_cipher_deinit(gcm);
    if (!e)
        buf_add(package, slice_of(out, HEAD_N + sealed_n));
    return e ? e : buf_err(package);
}

enum err sec_activation_seal(const struct sec_activation *a, int64_t until_s, struct buf *package,
                             char code[SEC_ACTIVATION_CODE_N])
{
    uint8_t plain[PLAIN_N], octets[CODE_N];
    enum err e;

    if (!may_be(a))
        return ERR_MALFORMED;
    e = sec_random(octets, sizeof octets);
    if (!e)
        e = seal(octets, plain, plain_print(a, until_s, plain), package);
    if (!e)
        code_print(octets, code);
    mem_wipe(plain, sizeof plain);
    mem_wipe(octets, sizeof octets);
    return e;
}

/* --- opening --- */

static enum err plain_read(const uint8_t *p, size_t n, int64_t now_s, struct sec_activation *out)
{
    struct sec_activation a = {.version = num_get32(p + 8), .expires_s = (int64_t)num_get64(p + 12)};
    struct slice rest = slice_of(p + FIXED_N, n - FIXED_N);
    enum err e = ERR_MALFORMED;

    a.suites_n = p[68];
    a.name_n = rest.n - num_min(rest.n, a.suites_n);
    if (a.suites_n <= SEC_ACTIVATION_SUITES_MAX && a.name_n <= sizeof a.name) {
        mem_copy(a.said, sizeof a.said, slice_of(p + 52, sizeof a.said));
        mem_copy(a.suites, sizeof a.suites, slice_sub(rest, 0, a.suites_n));
        mem_copy(a.name, sizeof a.name, slice_sub(rest, a.suites_n, a.name_n));
        e = sec_secret_set(&a.key, slice_of(p + 20, 32));
    }
    if (!e && !may_be(&a))
        e = ERR_MALFORMED;
    if (!e && now_s >= (int64_t)num_get64(p))
        e = ERR_LATE;
    if (!e)
        *out = a;
    sec_secret_clear(&a.key);
    return e;
}

enum err sec_activation_open(struct slice package, struct slice code, int64_t now_s,
                             struct sec_activation *out)
{
    const uint8_t *in = (const uint8_t *)package.p;
    uint8_t octets[CODE_N], plain[PLAIN_N];
    size_t n = sizeof plain;
    gnutls_aead_cipher_hd_t gcm;
    enum err e;

    if (!slice_starts(package, slice_sub(MAGIC, 0, 7)) || package.n < HEAD_N + FIXED_N + TAG_N ||
        package.n > HEAD_N + PLAIN_N + TAG_N)
        return ERR_MALFORMED;
    if (in[7] != 1)
        return in[7] > 1 ? ERR_UNSUPPORTED : ERR_MALFORMED;
    e = code_read(code, octets);
    if (!e)
        e = cipher(octets, in + MAGIC.n, &gcm);
    mem_wipe(octets, sizeof octets);
    if (e)
        return e;
    if (gnutls_aead_cipher_decrypt(gcm, in + MAGIC.n + SALT_N, NONCE_N, in, HEAD_N, TAG_N, in + HEAD_N,
                                   package.n - HEAD_N, plain, &n) < 0)
        e = ERR_DENIED;
    gnutls_aead_cipher_deinit(gcm);
    if (!e)
        e = plain_read(plain, n, now_s, out);
    mem_wipe(plain, sizeof plain);
    return e;
}
