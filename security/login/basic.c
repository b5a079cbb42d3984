/* Basic credentials: "Basic" 1*SP base64(user ":" password) (RFC 7617 §2).  Any thread. */
#include "security/login/basic.h"

#include <stdlib.h>
#include "base/codec.h"
#include "base/mem.h"
#include "base/scan.h"
#include "security/kdf.h"
#include "security/secret.h"

static bool has_control(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

enum err sec_basic_parse(struct slice authorization, struct buf *secret, struct sec_basic *out)
{
    struct scan s = scan_of(authorization);
    struct sec_basic v;
    struct slice text;
    enum err e;

    if (!scan_skip_ci(&s, SLICE("Basic")) || scan_peek(&s) != ' ')
        return ERR_UNSUPPORTED;
    text = slice_trim(scan_left(&s));
    if (text.n > SEC_BASIC_MAX_N / 3 * 4)
        return ERR_LIMIT;
    buf_reset(secret, SIZE_MAX);
    e = codec_unbase64(text, false, secret);
    if (!e)
        e = buf_err(secret);
    if (e)
        return e;
    if (!slice_cut(buf_slice(secret), ':', &v.user, &v.password) || has_control(v.user) ||
        has_control(v.password))
        return ERR_MALFORMED;
    *out = v;
    return ERR_OK;
}

enum err sec_basic_print(struct slice user, struct slice password, struct buf *out)
{
    struct buf pair;
    enum err e;

    if (slice_find(user, ':') < user.n)
        return ERR_MALFORMED;
    buf_init(&pair, user.n + password.n + 1);
    (void)buf_room(&pair, pair.max); /* growth would leave copies behind */
    buf_add(&pair, user);
    buf_add_ch(&pair, ':');
    buf_add(&pair, password);
    e = buf_err(&pair);
    if (!e) {
        buf_add_str(out, "Basic ");
        codec_base64(out, buf_slice(&pair));
    }
    buf_wipe(&pair);
    return e ? e : buf_err(out);
}

bool sec_password_eq(struct slice a, struct slice b)
{
    struct sec_secret key;
    uint8_t x[SEC_SHA256_N], y[SEC_SHA256_N];
    bool same = false;

    sec_secret_init(&key);
    if (!sec_secret_random(&key, SEC_SHA256_N) && !sec_hmac_sha256(sec_secret_slice(&key), &a, 1, x) &&
        !sec_hmac_sha256(sec_secret_slice(&key), &b, 1, y))
        same = slice_eq_ct(slice_of(x, sizeof x), slice_of(y, sizeof y));
    sec_secret_clear(&key);
    mem_wipe(x, sizeof x);
    mem_wipe(y, sizeof y);
    return same;
}
