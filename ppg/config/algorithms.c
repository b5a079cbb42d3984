/* The policy of algorithms; see algorithms.h.  A file without sections:
 *     serial = 7
 *     tls-min = 1.3
 *     ciphers = aes-256-gcm, chacha20-poly1305
 *     digest-md5 = no
 *     seal-suites = aes-gcm, aes-ctr-hmac-sha256
 * Off the loops. */
#include "ppg/config/algorithms.h"

#include <inttypes.h>

#include "base/list.h"
#include "ppg/config/keys.h"
#include "ppg/config/lists.h"
#include "ppg/config/value.h"
#include "security/signed.h"

#define FILE_MAX_N 4096
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

struct draft {
    struct ppg_list list; /* keys name fields by their distance from it */
    struct ppg_settings *out;
    uint64_t serial_min;
    uint64_t serial;
    unsigned tls_min, ciphers, suites;
    bool digest_md5;
};
_Static_assert(offsetof(struct draft, list) == 0, "the list is first");

static struct draft *draft_of(struct ppg_list *l)
{
    return container_of(l, struct draft, list);
}

static void set_serial(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);
    int64_t n = 0;

    if (ppg_value_count(line->value, 1, INT64_MAX, &n))
        ppg_list_say(l, line, "a number from 1 on");
    else if ((uint64_t)n < d->serial_min)
        ppg_load_say(l->load, ERR_MALFORMED, line->at, line->key,
                     "an older policy: one with the serial %" PRIu64 " was in force", d->serial_min);
    d->serial = (uint64_t)n;
}

static void set_tls_min(struct ppg_list *l, const struct ppg_ini_line *line)
{
    static const struct ppg_word words[] = {{"1.2", 12}, {"1.3", 13}, {NULL, 0}};
    int word = 0;

    if (ppg_value_word(line->value, words, &word))
        ppg_list_say(l, line, "1.2 or 1.3");
    draft_of(l)->tls_min = (unsigned)word;
}

/* Some of the words, of which one at least must be among those that are configured. */
static void set_words(struct ppg_list *l, const struct ppg_ini_line *line, const struct ppg_word *words,
                      unsigned configured, const char *none, unsigned *out)
{
    struct buf allowed;
    int bits = 0;

    buf_init(&allowed, 512);
    if (ppg_value_words(line->value, words, &bits)) {
        ppg_value_words_print(words, &allowed);
        ppg_load_say(l->load, ERR_MALFORMED, line->at, line->key, "comma separated, some of %.*s",
                     (int)allowed.n, allowed.p);
    } else if (!((unsigned)bits & configured)) {
        ppg_list_say(l, line, none);
    }
    *out = (unsigned)bits;
    buf_clear(&allowed);
}

static void set_ciphers(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);

    set_words(l, line, ppg_cipher_words, d->out->pap.ciphers, "leaves none of the ciphers in [pap]",
              &d->ciphers);
}

static void set_suites(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);

    set_words(l, line, ppg_suite_words, d->out->protection.suites,
              "leaves none of the suites in [protection]", &d->suites);
}

static const struct ppg_list_key keys[] = {
    {"serial", set_serial, .must = true},
    {"tls-min", set_tls_min, .must = true},
    {"ciphers", set_ciphers, .must = true},
    {"digest-md5", .bool_at = offsetof(struct draft, digest_md5), .must = true},
    {"seal-suites", set_suites, .must = true},
};

/* Only ever narrower. */
static void end(struct ppg_list *l)
{
    struct draft *d = draft_of(l);
    struct ppg_settings *s = d->out;

    s->policy.serial = d->serial;
    s->policy.tls_min = d->tls_min;
    s->policy.ciphers = d->ciphers;
    if (s->pap.tls_min < d->tls_min)
        s->pap.tls_min = d->tls_min;
    s->pap.ciphers &= d->ciphers;
    s->pap.digest_md5 = s->pap.digest_md5 && d->digest_md5;
    if (!d->digest_md5)
        s->ota_sip.digest = PPG_SIP_SHA256;
    s->protection.suites &= d->suites;
}

void ppg_algorithms_read_text(struct ppg_load *load, struct slice text, const char *file, uint64_t serial_min,
                              struct ppg_settings *s)
{
    struct draft d = {.list = {.load = load, .keys = keys, .keys_n = COUNT(keys), .end = end},
                      .out = s,
                      .serial_min = serial_min};

    ppg_list_read_text(&d.list, text, file);
}

static bool is_signed(struct ppg_load *load, const struct ppg_settings *s, struct slice text)
{
    struct ppg_place at = {s->files.algorithms, 0};
    struct buf name, signature, key;
    enum err e = ERR_IO;

    buf_init(&name, PPG_INI_LINE_MAX_N + 8);
    buf_init(&signature, 0);
    buf_init(&key, 0);
    buf_add_str(&name, s->files.algorithms);
    buf_add(&name, slice_of(".sig", sizeof ".sig")); /* with its NUL */
    if (!buf_err(&name) && ppg_load_file(load, name.p, FILE_MAX_N, 0, at, SLICE_NONE, &signature) == ERR_OK &&
        ppg_load_file(load, s->files.algorithms_key, FILE_MAX_N, 0, at, SLICE_NONE, &key) == ERR_OK) {
        e = sec_signed_check(text, buf_slice(&signature), buf_slice(&key));
        if (e == ERR_DENIED)
            ppg_load_say(load, ERR_MALFORMED, at, SLICE_NONE, "not signed by the key of algorithms-key");
        else if (e)
            ppg_load_say(load, ERR_MALFORMED, at, SLICE_NONE,
                         "algorithms-key is no public key in PEM (ECDSA, RSA of 2048 bits, Ed25519)");
    }
    buf_clear(&name);
    buf_clear(&signature);
    buf_clear(&key);
    return e == ERR_OK;
}

void ppg_algorithms_read(struct ppg_load *load, uint64_t serial_min, struct ppg_settings *s)
{
    struct buf text;

    buf_init(&text, 0);
    if (ppg_load_file(load, s->files.algorithms, FILE_MAX_N, 0, (struct ppg_place){s->files.algorithms, 0},
                      SLICE_NONE, &text) == ERR_OK &&
        is_signed(load, s, buf_slice(&text)))
        ppg_algorithms_read_text(load, buf_slice(&text), s->files.algorithms, serial_min, s);
    buf_clear(&text);
}
