/* The handshake, step by step as octets come: with shared keys that may be far away one record at a time, and held back
 * while its key is asked for; whatever ends it, the peer gets the alert that says so.  No renegotiation, no early data.
 * RFC 8446 §4, RFC 5246 §7.4, RFC 4279 §2.  Not here: the verdict on a certificate (tls_judge.c), names of keys in
 * records (tls_hold.c).  On the session's thread. */
#include "base/net/tls.h"

#include <gnutls/gnutls.h>

#include "base/net/tls_judge.h"
#include "base/net/tls_psk.h"
#include "base/net/tls_resume.h"
#include "base/net/tls_session.h"

bool net_tls_key_question(const struct net_tls *t, struct net_tls_key_name *out)
{
    *out = t->wanted;
    return t->wanted.identity.n > 0;
}

void net_tls_answer(struct net_tls *t, enum net_tls_status status)
{
    if (t->wanted.identity.n) {
        t->wanted.identity = SLICE_NONE;
        t->in_ok += t->held_n;
        t->key_away = status != NET_TLS_STATUS_GOOD;
        return;
    }
    t->status = status;
    t->question = TLS_QUESTION_ANSWERED;
}

/* Do both ends prove themselves by a shared key? */
static bool keyed(const struct net_tls *t)
{
    return t->ctx->psk_server || t->ctx->psk_client;
}

static enum err refuse(struct net_tls *t, const char *why, gnutls_alert_description_t alert)
{
    t->failed = true;
    t->why = why;
    (void)gnutls_alert_send(t->session, GNUTLS_AL_FATAL, alert);
    return ERR_DENIED;
}

/* A key that is for one handshake is good for the first that comes so far. */
static enum err use_key(struct net_tls *t)
{
    const struct net_tls_psk_source *source = &t->ctx->psk;

    if (!t->ctx->psk_server || !source->used || source->used(source->arg, t->peer.info.psk))
        return ERR_OK;
    return refuse(t, "psk", GNUTLS_A_DECRYPT_ERROR);
}

/* After the last message.  A resumed session never ran the verifier, so it is judged here. */
static enum err handshake_done(struct net_tls *t)
{
    enum err e = gnutls_session_is_resumed(t->session) ? tls_judge(t) : ERR_OK;

    if (e == ERR_AGAIN)
        return e;
    if (keyed(t) && !tls_psk_used(t->session))
        return refuse(t, "psk", GNUTLS_A_BAD_CERTIFICATE);
    if (e)
        return refuse(t, t->why, GNUTLS_A_BAD_CERTIFICATE);
    e = tls_peer_read(&t->peer, t->session);
    t->peer.info.resumed = gnutls_session_is_resumed(t->session);
    if (!e)
        e = use_key(t);
    if (!e)
        tls_resume_keep(t);
    return e;
}

/* How a wrong key shows: in the first protected record under TLS 1.2, in the binder under TLS 1.3. */
static bool is_key_fault(int rc)
{
    return rc == GNUTLS_E_DECRYPTION_FAILED || rc == GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
}

/* Must the key of that name be asked for? */
static bool wants(struct net_tls *t, struct net_tls_key_name *name)
{
    const struct net_tls_psk_source *source = &t->ctx->psk;

    name->suite = name->version == 13 ? 0 : t->psk_suite;
    return source->wants(source->arg, name->identity, name->version, name->suite);
}

/* Lets GnuTLS have one more record; false: there is none, or it waits for its key. */
static bool admit(struct net_tls *t)
{
    struct slice rest = slice_sub(buf_slice(&t->in), t->in_ok, t->in.n);
    struct net_tls_key_name name;
    size_t n = t->hold && !t->wanted.identity.n ? tls_hold_record_n(rest) : 0;

    if (n == 0)
        return false;
    if (tls_hold_look(t->hold, slice_sub(rest, 0, n), &name.version, &name.identity) && wants(t, &name)) {
        t->wanted = name;
        t->held_n = n;
        return false;
    }
    t->in_ok += n;
    if (t->hold->over)
        tls_hold_free(&t->hold);
    return true;
}

/* One record at a time: what a later one means may hang on what GnuTLS makes of those before. */
static int step(struct net_tls *t)
{
    bool more;
    int rc;

    do {
        more = admit(t);
        rc = gnutls_handshake(t->session);
    } while (rc < 0 && (rc == GNUTLS_E_AGAIN ? more : !gnutls_error_is_fatal(rc)));
    return rc;
}

enum err net_tls_handshake(struct net_tls *t)
{
    int rc;

    if (t->failed)
        return ERR_PEER;
    if (t->key_away)
        return refuse(t, "key-away", GNUTLS_A_INTERNAL_ERROR);
    rc = t->shaken ? 0 : step(t); /* once over it stays over: a resumed one may still wait for an answer */
    if (rc == GNUTLS_E_AGAIN)
        return ERR_AGAIN;
    t->shaken = rc == 0;
    tls_hold_free(&t->hold);
    if (rc == 0)
        return handshake_done(t);
    if (t->ctx->psk_server && is_key_fault(rc)) {
        t->why = "psk";
        (void)gnutls_alert_send(t->session, GNUTLS_AL_FATAL, GNUTLS_A_DECRYPT_ERROR); /* RFC 4279 §2 */
    } else {
        (void)gnutls_alert_send_appropriate(t->session, rc); /* not possible for every rc */
    }
    return tls_fail(t, rc);
}
