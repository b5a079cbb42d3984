/* Proofs of terminals that call in; see proof.h. */
#include "ota/proof.h"

#include "ota/request.h"
#include "security/login/basic.h"

#define NAME_MAX_N 512 /* octets of a certificate's name with its kind; a longer one is nobody's */

enum err ota_proof_challenge(struct sec_digest_guard *guard, const struct ota_proof_offer *offer,
                             struct buf *out)
{
    enum err e = ERR_OK;

    for (int a = SEC_DIGEST_ALGORITHM_COUNT - 1; a >= 0 && !e; a--) {
        if (a == SEC_DIGEST_MD5 && !offer->md5)
            continue;
        buf_add(out, SLICE("X-Wap-Authenticate: "));
        e = sec_digest_challenge(guard, (enum sec_digest_algorithm)a, offer->realm, false, offer->now_ms,
                                 out);
        buf_add(out, SLICE("\r\n"));
    }
    if (offer->tls) {
        buf_add(out, SLICE("X-Wap-Authenticate: Basic realm=\""));
        buf_add(out, offer->realm);
        buf_add(out, SLICE("\"\r\n"));
    }
    if (offer->tls && offer->session && !e) {
        buf_add(out, SLICE("X-Wap-Authenticate: "));
        e = sec_authmd5_challenge(offer->session, offer->realm, out);
        buf_add(out, SLICE("\r\n"));
    }
    return e ? e : buf_err(out);
}

static const struct ota_terminal *by_name(const struct ota_registry *r, struct slice kind,
                                          const struct slice *names, size_t n)
{
    const struct ota_terminal *t = NULL;
    struct buf text;

    buf_init(&text, NAME_MAX_N);
    for (size_t i = 0; i < n && !t; i++) {
        buf_reset(&text, NAME_MAX_N);
        buf_add(&text, kind);
        buf_add(&text, names[i]);
        if (!buf_err(&text))
            t = ota_registry_find_certificate(r, buf_slice(&text));
    }
    buf_clear(&text);
    return t;
}

const struct ota_terminal *ota_proof_certificate(const struct ota_registry *r,
                                                 const struct net_tls_peer *peer)
{
    const struct ota_terminal *t;

    if (!peer || !peer->has_cert || !peer->verified)
        return NULL;
    t = by_name(r, SLICE("URI:"), peer->uris, peer->uris_n);
    if (!t)
        t = by_name(r, SLICE("DNS:"), peer->dns, peer->dns_n);
    return t ? t : by_name(r, SLICE("email:"), peer->emails, peer->emails_n);
}

const struct ota_terminal *ota_proof_psk(const struct ota_registry *r, const struct net_tls_peer *peer)
{
    return peer && peer->psk.n ? ota_registry_find_psk(r, peer->psk) : NULL;
}

/* The name it logs in with: what the operator says, else the identity it states. */
static struct slice user_of(const struct ota_proof_in *in)
{
    return in->terminal->call_in.user.n ? in->terminal->call_in.user : in->stated;
}

static enum err check_digest(struct sec_digest_guard *guard, const struct ota_proof_in *in)
{
    const struct sec_digest_request call = {SLICE("OPTIONS"), SLICE(OTA_PATH), SLICE_NONE, true};
    const struct sec_digest_request *request = in->request.method.n ? &in->request : &call;
    struct sec_digest_response r;
    struct sec_secret ha1;
    enum err e = sec_digest_parse(in->authorization, &r);

    if (e || !slice_eq(r.username, user_of(in)))
        return ERR_DENIED;
    sec_secret_init(&ha1);
    e = sec_digest_ha1(r.algorithm, r.username, in->realm, in->terminal->call_in.password, &ha1);
    if (!e)
        e = sec_digest_verify(guard, &r, request, in->realm, &ha1, in->now_ms);
    sec_secret_clear(&ha1);
    if (e == ERR_LATE && in->asks) /* right, with a challenge that is over */
        return e;
    return e == ERR_NOMEM || !e ? e : ERR_DENIED;
}

enum err ota_proof_info(const struct ota_proof_in *in, struct slice body, struct buf *out)
{
    struct sec_digest_response r;
    struct sec_secret ha1;
    enum err e = ota_proof_is_login(in) ? sec_digest_parse(in->authorization, &r) : ERR_ABSENT;

    if (e)
        return ERR_ABSENT;
    sec_secret_init(&ha1);
    e = sec_digest_ha1(r.algorithm, r.username, in->realm, in->terminal->call_in.password, &ha1);
    if (!e)
        e = sec_digest_info(&r, &ha1, body, out);
    sec_secret_clear(&ha1);
    return e;
}

static enum err check_basic(const struct ota_proof_in *in)
{
    struct sec_basic pair;
    struct buf secret;
    enum err e;

    buf_init(&secret, SEC_BASIC_MAX_N);
    e = sec_basic_parse(in->authorization, &secret, &pair);
    if (!e && (!slice_eq(pair.user, user_of(in)) ||
               !sec_password_eq(pair.password, in->terminal->call_in.password)))
        e = ERR_DENIED;
    buf_wipe(&secret);
    return e == ERR_NOMEM || !e ? e : ERR_DENIED;
}

/* One found by its certificate or key may leave its identity out, or must state its own. */
static bool states_itself(const struct ota_proof_in *in)
{
    const struct ota_terminal *t = in->terminal;

    return !in->states_another &&
           (!in->stated.n || !t->terminal_id.n || ota_registry_same_id(in->stated, t->terminal_id));
}

static bool may_prove(const struct ota_proof_in *in)
{
    const struct ota_call_in *c = &in->terminal->call_in;

    return in->asks && in->terminal->inbox
               ? in->tls
               : c->calls == OTA_CALLS_ANY || (c->calls == OTA_CALLS_TLS && in->tls);
}

/* The nonce of one that calls is of this connection alone: a wrong one is as any other. */
enum err ota_proof_md5(const struct ota_proof_in *in)
{
    bool known = in->terminal && may_prove(in) && in->terminal->call_in.proof == OTA_PROOF_SYNCML_MD5;
    struct sec_mac said;
    enum err e = ERR_DENIED;

    if (!in->tls || !in->logins || !in->session || sec_authmd5_parse(in->authorization, &said))
        return e;
    known = known && slice_eq(said.user, user_of(in));
    e = sec_authmd5_verify(in->logins, &said, known ? &in->terminal->call_in.password : NULL, in->session,
                           in->now_ms);
    return e == ERR_LATE && !in->asks ? ERR_DENIED : e;
}

enum err ota_proof_check(struct sec_digest_guard *guard, const struct ota_proof_in *in)
{
    const struct ota_call_in *c = &in->terminal->call_in;

    if (!may_prove(in))
        return ERR_UNSUPPORTED;
    switch (c->proof) {
    case OTA_PROOF_CERTIFICATE:
        return in->by_certificate && states_itself(in) ? ERR_OK : ERR_DENIED;
    case OTA_PROOF_PSK:
        return in->by_psk && states_itself(in) ? ERR_OK : ERR_DENIED;
    case OTA_PROOF_BASIC:
        if (slice_starts_ci(in->authorization, SLICE("Basic ")))
            return in->tls ? check_basic(in) : ERR_DENIED;
        return check_digest(guard, in);
    case OTA_PROOF_SYNCML_MD5:
        return sec_authmd5_is(in->authorization) ? ota_proof_md5(in) : check_digest(guard, in);
    case OTA_PROOF_DIGEST:
        return check_digest(guard, in);
    case OTA_PROOF_AKA:
        break; /* does not call in */
    case OTA_PROOF_NONE:
        return ERR_OK;
    }
    return ERR_DENIED;
}

const char *ota_proof_name(const struct ota_proof_in *in)
{
    switch (in->terminal->call_in.proof) {
    case OTA_PROOF_CERTIFICATE:
        return "certificate";
    case OTA_PROOF_PSK:
        return "psk";
    case OTA_PROOF_BASIC:
        return slice_starts_ci(in->authorization, SLICE("Basic ")) ? "basic" : "digest";
    case OTA_PROOF_SYNCML_MD5:
        return sec_authmd5_is(in->authorization) ? "syncml-md5" : "digest";
    case OTA_PROOF_DIGEST:
        return "digest";
    case OTA_PROOF_AKA:
    case OTA_PROOF_NONE:
        break;
    }
    return "nothing";
}

bool ota_proof_is_login(const struct ota_proof_in *in)
{
    return ota_registry_logs_in(in->terminal);
}

struct slice ota_proof_identity(const struct ota_terminal *t)
{
    if (t->call_in.proof == OTA_PROOF_CERTIFICATE)
        return t->call_in.certificate;
    if (t->call_in.proof == OTA_PROOF_PSK)
        return t->call_in.subscriber.n ? t->call_in.subscriber : t->call_in.psk_identity;
    return t->call_in.user.n ? t->call_in.user : t->terminal_id;
}
