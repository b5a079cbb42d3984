/* GPL-A1: the profile and suite tables, and the parser of a protected message.  Sealing and opening are in
 * gpl_seal.c.  The receiver's order of checks is the profile's; only step 1 is here.  Any thread. */
#include "security/gpl.h"

#include "base/num.h"

#define GPL_VERSION    0x10 /* bits 7-4 of the flags */
#define GPL_VERSION_OF 0xF0
#define GPL_UPLINK     0x08
#define GPL_HAS_GPI    0x04
#define GPL_ENCRYPTED  0x02
#define GPL_RESERVED   0x01
#define GPL_FIXED_N    7 /* flags, suite, SN, Ls */
#define GPL_BLOCK_N    16

static const struct sec_gpl_profile profiles[] = {
    {"gpl-a1", "application/x-push-gpl-a1"},
};
#define PROFILES_N (sizeof profiles / sizeof profiles[0])

const struct sec_gpl_profile *sec_gpl_profile_by_name(struct slice name)
{
    for (size_t i = 0; i < PROFILES_N; i++)
        if (slice_eq(slice_str(profiles[i].name), name))
            return &profiles[i];
    return NULL;
}

const struct sec_gpl_profile *sec_gpl_profile_by_media_type(struct slice media_type)
{
    for (size_t i = 0; i < PROFILES_N; i++)
        if (slice_eq_ci(slice_str(profiles[i].media_type), media_type))
            return &profiles[i];
    return NULL;
}

const char *sec_gpl_suite_name(uint8_t suite)
{
    switch (suite) {
#define GPL_SUITE_NAME(octet, name, text)                                                                    \
    case octet:                                                                                              \
        return text;
        SEC_GPL_SUITE_LIST(GPL_SUITE_NAME)
#undef GPL_SUITE_NAME
    default:
        return "unknown";
    }
}

bool sec_gpl_suite_known(uint8_t suite)
{
    switch (suite) {
#define GPL_SUITE_KNOWN(octet, name, text) case octet:
        SEC_GPL_SUITE_LIST(GPL_SUITE_KNOWN)
#undef GPL_SUITE_KNOWN
        return true;
    default:
        return false;
    }
}

bool sec_gpl_suite_encrypts(uint8_t suite)
{
    return sec_gpl_suite_known(suite) && suite != SEC_GPL_HMAC && suite != SEC_GPL_HMAC_8;
}

static size_t tag_n(uint8_t suite)
{
    return suite == SEC_GPL_HMAC_8 || suite == SEC_GPL_CTR_8 ? 8 : 16;
}

size_t sec_gpl_overhead(uint8_t suite, size_t said_n, size_t gpi_n)
{
    return GPL_FIXED_N + said_n + (gpi_n ? 2 + gpi_n : 0) + (suite == SEC_GPL_CBC ? GPL_BLOCK_N : 0) +
           tag_n(suite);
}

/* flags, suite, SN, Ls: what can be said about them without looking further. */
static enum err fixed_parse(const uint8_t *b, struct sec_gpl_msg *v)
{
    if ((b[0] & GPL_VERSION_OF) != GPL_VERSION || (b[0] & GPL_RESERVED))
        return ERR_MALFORMED;
    if (!sec_gpl_suite_known(b[1]))
        return ERR_UNSUPPORTED;
    v->suite = b[1];
    v->direction = b[0] & GPL_UPLINK ? SEC_GPL_UPLINK : SEC_GPL_DOWNLINK;
    v->sn = num_get32(b + 2);
    if (!(b[0] & GPL_ENCRYPTED) != !sec_gpl_suite_encrypts(v->suite) || v->sn == 0)
        return ERR_MALFORMED;
    if ((b[0] & GPL_HAS_GPI) && v->direction == SEC_GPL_UPLINK)
        return ERR_MALFORMED;
    return ERR_OK;
}

/* Takes the next n octets of `in` at *at; false when there are not so many. */
static bool take(struct slice in, size_t *at, size_t n, struct slice *out)
{
    if (in.n - *at < n)
        return false;
    *out = slice_of(in.p + *at, n);
    *at += n;
    return true;
}

/* flags(1) suite(1) SN(4) Ls(1) SAID(Ls) [Lg(2) GPI(Lg)] payload tag(8 or 16). */
enum err sec_gpl_parse(struct slice in, struct sec_gpl_msg *out)
{
    struct sec_gpl_msg v = {.gpi = SLICE_NONE};
    const uint8_t *b = (const uint8_t *)in.p;
    struct slice length;
    size_t at = GPL_FIXED_N;
    enum err e;

    if (in.n < GPL_FIXED_N)
        return ERR_MALFORMED;
    e = fixed_parse(b, &v);
    if (e)
        return e;
    if (b[6] < 1 || b[6] > SEC_GPL_SAID_MAX_N || !take(in, &at, b[6], &v.said))
        return ERR_MALFORMED;
    if (b[0] & GPL_HAS_GPI)
        if (!take(in, &at, 2, &length) || !take(in, &at, num_get16(length.p), &v.gpi) || v.gpi.n == 0)
            return ERR_MALFORMED;
    if (in.n - at < tag_n(v.suite))
        return ERR_MALFORMED;
    v.header = slice_of(in.p, at);
    v.covered = slice_of(in.p, in.n - tag_n(v.suite));
    v.tag = slice_of(in.p + in.n - tag_n(v.suite), tag_n(v.suite));
    v.payload = slice_of(in.p + at, in.n - at - v.tag.n);
    if (v.suite == SEC_GPL_CBC && (v.payload.n == 0 || v.payload.n % GPL_BLOCK_N != 0))
        return ERR_MALFORMED;
    *out = v;
    return ERR_OK;
}

const char *sec_gpl_reject_name(enum err e)
{
    switch (e) {
    case ERR_UNSUPPORTED:
        return "suite";
    case ERR_DENIED:
        return "mac";
    case ERR_EXISTS:
        return "replay";
    case ERR_ABSENT:
        return "no-sa";
    case ERR_LATE:
        return "expired";
    default:
        return err_name(e);
    }
}
