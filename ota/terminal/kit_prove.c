/* How the terminal proves who it is when the gateway asks: HTTP authentication with the roles turned round.  Digest, or
 * Basic inside TLS with a gateway that has proved itself; or syncml:auth-md5 there, and then nothing else.  [OTA-HTTP §6]:
 * X-Wap-Authenticate, X-Wap-Authorization; RFC 7616, RFC 7617, [DM-SEC §5.1.3].  One thread. */
#include "ota/terminal/kit_state.h"
#include "security/login/authmd5.h"
#include "security/login/basic.h"

#define CHALLENGES_MAX 8

static struct slice user_of(const struct kit *k)
{
    return k->conf.proof_user.n ? k->conf.proof_user : k->conf.terminal_id;
}

static enum err print_digest(const struct kit *k, const struct kit_request *req,
                             const struct sec_digest_offer *offer, struct buf *out)
{
    const struct sec_digest_request shown = {req->method, req->target, req->body, true};

    return sec_digest_answer_password(offer, user_of(k), buf_slice(&k->proof_password), &shown, 1, out);
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
        e = sec_basic_print(user_of(k), buf_slice(&k->proof_password), &a->headers);
    buf_add(&a->headers, SLICE("\r\n"));
    if (e)
        buf_cut(&a->headers, start); /* unproved, which the gateway will see */
}
