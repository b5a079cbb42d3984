/* How the terminal proves who it is when the gateway asks: HTTP authentication with the roles turned round.  Digest, or
 * Basic inside TLS with a gateway that has proved itself; or syncml:auth-md5 there, and then nothing else.  [OTA-HTTP §6]:
 * X-Wap-Authenticate, X-Wap-Authorization; RFC 7616, RFC 7617, [DM-SEC §5.1.3].  One thread. */
#include "base/codec.h"
#include "ota/terminal/kit_state.h"
#include "security/login/authmd5.h"

#define CHALLENGES_MAX 8
#define CNONCE_N       16 /* octets of chance in a cnonce */

static struct slice user_of(const struct kit *k)
{
    return k->conf.proof_user.n ? k->conf.proof_user : k->conf.terminal_id;
}

static enum err print_digest(const struct kit *k, const struct kit_request *req,
                             const struct sec_digest_offer *offer, struct buf *out)
{
    const struct sec_digest_request shown = {req->method, req->target, req->body, true};
    struct sec_digest_response sent;
    struct sec_secret ha1;
    uint8_t chance[CNONCE_N];
    struct buf cnonce;
    enum err e = sec_random(chance, sizeof chance);

    sec_secret_init(&ha1);
    buf_init(&cnonce, 2 * CNONCE_N);
    codec_hex(&cnonce, slice_of(chance, sizeof chance));
    if (!e)
        e = buf_err(&cnonce);
    if (!e)
        e = sec_digest_ha1(offer->algorithm, user_of(k), offer->realm, buf_slice(&k->proof_password), &ha1);
    if (!e)
        e = sec_digest_answer(offer, user_of(k), &ha1, &shown, buf_slice(&cnonce), 1, out, &sent);
    sec_secret_clear(&ha1);
    buf_clear(&cnonce);
    return e;
}

static enum err print_basic(const struct kit *k, struct buf *out)
{
    struct buf pair;
    enum err e;

    buf_init(&pair, user_of(k).n + k->proof_password.n + 1);
    (void)buf_room(&pair, pair.max);
    buf_add(&pair, user_of(k));
    buf_add_ch(&pair, ':');
    buf_add(&pair, buf_slice(&k->proof_password));
    e = buf_err(&pair);
    buf_add(out, SLICE("Basic "));
    codec_base64(out, buf_slice(&pair));
    buf_wipe(&pair);
    return e;
}

static size_t challenges(const struct kit_request *req, struct slice values[CHALLENGES_MAX], bool *basic)
{
    size_t n = 0;

    for (size_t i = 0; i < req->headers_n && n < CHALLENGES_MAX; i++)
        if (slice_eq_ci(req->headers[i].name, SLICE("X-Wap-Authenticate"))) {
            *basic |= slice_starts_ci(req->headers[i].value, SLICE("Basic "));
            values[n++] = req->headers[i].value;
        }
    return n;
}

/* Only a server that is proved gets an answer of MD5, and what it hashes is its nonce. */
static enum err print_md5(const struct kit *k, const struct kit_request *req, const struct slice *values,
                          size_t n, struct buf *out)
{
    struct sec_mac_nonce nonce;

    for (size_t i = 0; i < n && req->tls && req->server_proved; i++)
        if (!sec_authmd5_challenged(values[i], &nonce))
            return sec_authmd5_print(user_of(k), buf_slice(&k->proof_password), &nonce, out);
    return ERR_ABSENT;
}

void kit_prove(const struct kit *k, const struct kit_request *req, struct kit_answer *a)
{
    struct slice values[CHALLENGES_MAX];
    struct sec_digest_offer offer;
    size_t start = a->headers.n;
    bool basic = false;
    size_t n = k->proof_password.n ? challenges(req, values, &basic) : 0;
    enum err e = ERR_ABSENT;

    if (!n)
        return;
    buf_add(&a->headers, SLICE("X-Wap-Authorization: "));
    if (k->conf.proof_md5)
        e = print_md5(k, req, values, n, &a->headers);
    else if (!sec_digest_choose(values, n, &offer))
        e = print_digest(k, req, &offer, &a->headers);
    else if (basic && req->tls && req->server_proved)
        e = print_basic(k, &a->headers);
    buf_add(&a->headers, SLICE("\r\n"));
    if (e)
        buf_cut(&a->headers, start); /* unproved, which the gateway will see */
}
