/* One provisioned association: said, key, suites and expires of a file that is its owner's alone, or of a key in the
 * keyring.  Where a terminal names it: terminals.c.  Off the loops. */
#include "ppg/config/terminals.h"

#include "base/codec.h"
#include "base/list.h"
#include "base/mem.h"
#include "pap/time.h"
#include "ppg/config/lists.h"
#include "security/gpl.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct draft {
    struct ppg_list list;
    struct ota_association *out;
};

static struct ota_association *out_of(struct ppg_list *l)
{
    return container_of(l, struct draft, list)->out;
}

static void set_said(struct ppg_list *l, const struct ppg_ini_line *line)
{
    if (codec_unhex(line->value, out_of(l)->said, sizeof out_of(l)->said))
        ppg_list_say(l, line, "not 32 hexadecimal digits");
}

static void set_key(struct ppg_list *l, const struct ppg_ini_line *line)
{
    uint8_t key[SEC_GPL_KEY_N];

    if (codec_unhex(line->value, key, sizeof key) ||
        sec_secret_set(&out_of(l)->key, slice_of(key, sizeof key)))
        ppg_list_say(l, line, "not 64 hexadecimal digits");
    mem_wipe(key, sizeof key);
}

/* The octet of a suite's name; 0: there is none. */
static uint8_t suite_of(struct slice name)
{
    for (unsigned octet = 1; octet <= UINT8_MAX; octet++)
        if (sec_gpl_suite_known((uint8_t)octet) &&
            slice_eq(name, slice_str(sec_gpl_suite_name((uint8_t)octet))))
            return (uint8_t)octet;
    return 0;
}

bool ppg_association_suites(struct slice names, uint8_t suites[OTA_SUITES_MAX], size_t *n)
{
    struct slice name;

    *n = 0;
    while (slice_item(&names, &name)) {
        uint8_t suite = suite_of(name);

        if (!suite || *n == OTA_SUITES_MAX || memchr(suites, suite, *n))
            return false;
        suites[(*n)++] = suite;
    }
    return true;
}

static void set_suites(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct ota_association *a = out_of(l);

    if (!ppg_association_suites(line->value, a->suites, &a->suites_n))
        ppg_list_say(l, line,
                     "unknown or repeated suite, allowed: hmac-sha256, aes-ctr-hmac-sha256, "
                     "aes-cbc-hmac-sha256, aes-gcm, hmac-sha256-8, aes-ctr-hmac-sha256-8");
    else if (a->suites_n == 0)
        ppg_list_say(l, line, "names no suite");
}

static void set_expires(struct ppg_list *l, const struct ppg_ini_line *line)
{
    int64_t utc_s = 0;

    if (!slice_eq(line->value, SLICE("never")) && pap_time_parse(line->value, true, &utc_s))
        ppg_list_say(l, line, "never, or a time as 2027-01-31T00:00:00Z");
    else
        out_of(l)->expires_ms = utc_s * 1000;
}

static const struct ppg_list_key keys[] = {
    {"said", set_said, .must = true},
    {"key", set_key, .must = true},
    {"suites", set_suites, .must = true},
    {"expires", set_expires, .must = true},
};

static void end(struct ppg_list *l)
{
    out_of(l)->present = true;
}

void ppg_association_read_text(struct ppg_load *load, struct slice text, const char *file,
                               struct ota_association *out)
{
    struct draft d = {.list = {.load = load, .keys = keys, .keys_n = COUNT(keys), .end = end}, .out = out};

    ppg_list_read_text(&d.list, text, file);
}

/* --- in the keyring --- */

static bool attr_ok(struct slice attr)
{
    for (size_t i = sizeof((struct ota_association *)NULL)->said; i < attr.n; i++)
        if (!sec_gpl_suite_known((uint8_t)attr.p[i]) || memchr(attr.p + i + 1, attr.p[i], attr.n - i - 1))
            return false;
    return true;
}

enum err ppg_association_of_key(const struct sec_keyring *r, const struct sec_key *k,
                                struct ota_association *out)
{
    struct ota_association a = {.present = true, .expires_ms = k->expires_s * 1000, .made_s = k->created_s};
    enum err e;

    if (k->kind != SEC_KEY_ASSOCIATION || !attr_ok(k->attr) || k->expires_s > INT64_MAX / 1000)
        return ERR_MALFORMED;
    e = sec_keyring_secret(r, k, &a.key);
    if (e)
        return e;
    mem_copy(a.said, sizeof a.said, slice_sub(k->attr, 0, sizeof a.said));
    a.suites_n = k->attr.n - sizeof a.said;
    mem_copy(a.suites, sizeof a.suites, slice_sub(k->attr, sizeof a.said, a.suites_n));
    *out = a;
    sec_secret_clear(&a.key);
    return ERR_OK;
}

size_t ppg_association_attr(const struct ota_association *a, uint8_t attr[SEC_KEY_ATTR_MAX_N])
{
    mem_copy(attr, SEC_KEY_ATTR_MAX_N, slice_of(a->said, sizeof a->said));
    mem_copy(attr + sizeof a->said, SEC_KEY_ATTR_MAX_N - sizeof a->said, slice_of(a->suites, a->suites_n));
    return sizeof a->said + a->suites_n;
}
