/* Logging in with Digest; see login.h.  A challenge is kept as it came, for what it offers is read as views into it.
 * RFC 7616 §3.3 to §3.5.  One thread. */
#include "ota/terminal/login.h"

#include <stdlib.h>
#include "base/arena.h"
#include "base/mem.h"

#define CHALLENGES_MAX 8

struct kit_login {
    struct arena mem; /* user, realm */
    struct slice user, realm;
    struct buf password;
    bool mutual;
    struct buf challenge; /* that offer has views into */
    struct sec_digest_offer offer;
    bool offered;
    uint32_t nc; /* uses of the nonce */
    /* What was said with the last request; answered false: nothing. */
    bool answered;
    struct buf cnonce;
    struct sec_digest_response sent;
    struct sec_secret ha1;
};

struct slice kit_heard_header(const struct kit_heard *a, struct slice name)
{
    struct slice value = SLICE_NONE;

    (void)kit_heard_headers(a, name, &value, 1);
    return value;
}

size_t kit_heard_headers(const struct kit_heard *a, struct slice name, struct slice *values, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < a->headers_n && n < max; i++)
        if (slice_eq_ci(a->headers[i].name, name))
            values[n++] = a->headers[i].value;
    return n;
}

enum err kit_login_create(const struct kit_login_conf *conf, struct kit_login **out)
{
    struct kit_login *l;
    enum err e;

    if (conf->password.n > SEC_DIGEST_VALUE_MAX_N)
        return ERR_LIMIT;
    l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    arena_init(&l->mem, 512, 8192);
    buf_init(&l->password, SEC_DIGEST_VALUE_MAX_N);
    buf_init(&l->challenge, SEC_DIGEST_HEADER_MAX_N);
    buf_init(&l->cnonce, SEC_DIGEST_CNONCE_N);
    l->mutual = conf->mutual;
    (void)buf_room(&l->password, conf->password.n); /* growth would leave a copy behind */
    buf_add(&l->password, conf->password);
    e = buf_err(&l->password);
    if (!e)
        e = arena_dup(&l->mem, conf->user, &l->user);
    if (!e)
        e = arena_dup(&l->mem, conf->realm, &l->realm);
    if (e)
        kit_login_free(&l);
    else
        *out = l;
    return e;
}

void kit_login_free(struct kit_login **lp)
{
    struct kit_login *l = *lp;

    if (!l)
        return;
    buf_wipe(&l->password);
    buf_clear(&l->challenge);
    buf_clear(&l->cnonce);
    arena_clear(&l->mem);
    mem_wipe(l, sizeof *l);
    free(l);
    *lp = NULL;
}

/* --- asking --- */

enum err kit_login_print(struct kit_login *l, const struct sec_digest_request *request, struct buf *out)
{
    enum err e;

    l->answered = false;
    if (!l->offered)
        return ERR_OK;
    buf_reset(&l->cnonce, SEC_DIGEST_CNONCE_N);
    e = sec_digest_cnonce(&l->cnonce);
    if (e)
        return e;
    e = sec_digest_ha1(l->offer.algorithm, l->user, l->offer.realm, buf_slice(&l->password), &l->ha1);
    buf_add_str(out, "Authorization: ");
    if (!e)
        e = sec_digest_answer(&l->offer, l->user, &l->ha1, request, buf_slice(&l->cnonce), ++l->nc, out,
                              &l->sent);
    buf_add_str(out, "\r\n");
    e = e ? e : buf_err(out);
    l->answered = !e;
    return e;
}

/* --- answers --- */

/* What is shown to nobody who asks for another realm: a password of one NAF is none of another's (TS 24.109 §5.2.4). */
static bool choose(struct kit_login *l, const struct slice *values, size_t n)
{
    struct sec_digest_offer one;
    size_t at = n;
    int best = -1; /* algorithms: weakest first */

    for (size_t i = 0; i < n; i++)
        if (!sec_digest_choose(&values[i], 1, &one) && (!l->realm.n || slice_eq(one.realm, l->realm)) &&
            (int)one.algorithm > best) {
            best = (int)one.algorithm;
            at = i;
        }
    if (at == n)
        return false;
    buf_reset(&l->challenge, SEC_DIGEST_HEADER_MAX_N);
    buf_add(&l->challenge, values[at]);
    values = (struct slice[]){buf_slice(&l->challenge)};
    return !buf_err(&l->challenge) && !sec_digest_choose(values, 1, &l->offer);
}

static enum kit_login_word challenged(struct kit_login *l, const struct kit_heard *a)
{
    struct slice values[CHALLENGES_MAX];
    size_t n = kit_heard_headers(a, SLICE("WWW-Authenticate"), values, CHALLENGES_MAX);
    bool tried = l->answered;

    l->answered = false;
    l->offered = l->user.n && choose(l, values, n);
    l->nc = 0;
    return l->offered && (!tried || l->offer.stale) ? KIT_LOGIN_AGAIN : KIT_LOGIN_REFUSED;
}

enum kit_login_word kit_login_heard(struct kit_login *l, const struct kit_heard *a)
{
    struct slice info = kit_heard_header(a, SLICE("Authentication-Info"));
    enum err e;

    if (a->status == 401)
        return challenged(l, a);
    if (!l->answered || !info.n)
        return l->mutual && a->status / 100 == 2 ? KIT_LOGIN_IMPOSTOR : KIT_LOGIN_GOOD;
    e = sec_digest_check_info(info, &l->sent, &l->ha1, a->body);
    if (e == ERR_ABSENT && !(l->mutual && a->status / 100 == 2))
        e = ERR_OK; /* a nextnonce alone */
    return e ? KIT_LOGIN_IMPOSTOR : KIT_LOGIN_GOOD;
}
