/* Pushes in the clear that carry their own integrity: x-syncml-hmac over the embedded message.  The terminal tells the
 * nonce - with the answer to OPTIONS, with a challenge, with each answer to a right one - and takes each once.  DM message
 * security 5.4, [DM-SEC §5.1.4].  One thread. */
#include "base/codec.h"
#include "ota/terminal/kit_state.h"

#define SENDERS_MAX 4 /* whose nonces are kept: there is one gateway */

enum err kit_mac_make(struct kit *k, const struct kit_conf *conf)
{
    enum err e = ERR_OK;

    if (conf->mac_user.n == 0)
        return ERR_OK;
    if (conf->mac_key.n && conf->mac_key.n != SEC_MAC_KEY_N)
        return ERR_LIMIT;
    if (conf->mac_key.n)
        e = sec_secret_set(&k->mac_keys.key[SEC_MAC_SHA256], conf->mac_key);
    if (!e && conf->mac_password.n)
        e = sec_mac_inner(conf->mac_user, conf->mac_password, &k->mac_keys.key[SEC_MAC_MD5]);
    return e ? e : sec_mac_guard_create(SENDERS_MAX, &k->macs);
}

/* The one header of that name; ERR_ABSENT, ERR_MALFORMED for two. */
static enum err only_header(const struct kit_request *req, struct slice *out)
{
    size_t n = 0;

    for (size_t i = 0; i < req->headers_n; i++)
        if (slice_eq_ci(req->headers[i].name, SLICE(SEC_MAC_HEADER))) {
            *out = req->headers[i].value;
            n++;
        }
    return n == 0 ? ERR_ABSENT : n == 1 ? ERR_OK : ERR_MALFORMED;
}

enum err kit_mac_check(struct kit *k, const struct kit_request *req)
{
    struct sec_mac_message message = {.body = &req->body, .body_parts = 1};
    struct sec_mac mac;
    struct slice value;
    enum err e = k->macs ? only_header(req, &value) : ERR_ABSENT;

    k->mac_session.proved = false;
    if (!e)
        e = sec_mac_parse(value, &mac);
    if (e)
        return e;
    message.mac = &mac;
    message.keys = slice_eq(mac.user, k->conf.mac_user) ? &k->mac_keys : NULL;
    return sec_mac_guard_verify(k->macs, &message, &k->mac_session, req->now_s * 1000);
}

/* A nonce that was told and not used is told again, so that a stranger who asks spoils nobody's. */
void kit_mac_challenge(struct kit *k, struct kit_answer *a)
{
    struct sec_mac_session *s = &k->mac_session;
    size_t start = a->headers.n;
    enum err e;

    buf_add_str(&a->headers, "WWW-Authenticate: ");
    if (s->offered)
        e = sec_mac_challenge(SLICE(KIT_REALM), slice_of(s->nonce, sizeof s->nonce), &a->headers);
    else
        e = sec_mac_guard_challenge(s, SLICE(KIT_REALM), &a->headers);
    buf_add_str(&a->headers, "\r\n");
    if (e)
        buf_cut(&a->headers, start);
}

static void nonce_line(struct slice nonce, struct kit_answer *a)
{
    buf_add_str(&a->headers, SEC_MAC_NONCE_HEADER ": ");
    codec_base64(&a->headers, nonce);
    buf_add_str(&a->headers, "\r\n");
}

void kit_mac_next(struct kit *k, struct kit_answer *a)
{
    struct sec_mac_session *s = &k->mac_session;

    if (!k->macs)
        return;
    if (s->proved)
        nonce_line(slice_of(s->next, sizeof s->next), a);
    else if (s->offered || !sec_mac_guard_offer(s))
        nonce_line(slice_of(s->nonce, sizeof s->nonce), a);
}
