/* Pre-shared keys: RFC 4279 and RFC 5487 under TLS 1.2, external PSK with psk_dhe_ke under TLS 1.3 (RFC 8446 §4.2.11),
 * bound to SHA-256 there.  An identity that nobody has is given a random key: the handshake goes on and fails where
 * a wrong key fails, with the same alert and after the same work.  Same thread as the session. */
#include "base/net/tls_psk.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/mem.h"
#include "base/net/tls_session.h"
#include "base/num.h"

#define IDENTITY_MAX_N 1024 /* octets; at least 128 must do (RFC 4279 §5.3) */
#define HELLO_ID_AT    34   /* the session id's length in a ServerHello */
#define STRANGER_KEY_N 32

static int give(gnutls_datum_t *out, struct slice key)
{
    out->data = gnutls_malloc(key.n);
    if (!out->data)
        return GNUTLS_E_MEMORY_ERROR;
    out->size = (unsigned)key.n;
    mem_copy(out->data, key.n, key);
    return 0;
}

/* The ServerHello that goes out (RFC 5246 §7.4.1.3): version, random, session id, and the suite, which GnuTLS tells
 * nobody before the handshake is over. */
static int hello_goes(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                      const gnutls_datum_t *msg)
{
    struct net_tls *t = gnutls_session_get_ptr(session);
    size_t at = HELLO_ID_AT;

    (void)type, (void)when;
    if (incoming || msg->size <= at)
        return 0;
    at += 1 + (size_t)msg->data[at];
    if (msg->size >= at + 2)
        t->psk_suite = num_get16(msg->data + at);
    return 0;
}

void tls_psk_watch(gnutls_session_t session)
{
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_SERVER_HELLO, GNUTLS_HOOK_PRE, hello_goes);
}

/* *key is in `made` when it was. */
static void look_up(gnutls_session_t session, struct slice identity, uint8_t made[NET_TLS_PSK_MAX_N],
                    struct slice *key)
{
    const struct net_tls *t = gnutls_session_get_ptr(session);
    const struct net_tls_psk_source *source = &t->ctx->psk;
    unsigned version = gnutls_protocol_get_version(session) == GNUTLS_TLS1_3 ? 13 : 12;
    uint16_t suite = version == 13 ? 0 : t->psk_suite;
    size_t n = 0;

    if (source->find(source->arg, identity, version, key) || !source->derive)
        return;
    if (source->derive(source->arg, identity, version, suite, made, &n))
        *key = slice_of(made, n);
}

static int find_key(gnutls_session_t session, const gnutls_datum_t *identity, gnutls_datum_t *key)
{
    unsigned char random[STRANGER_KEY_N]; /* made for everybody: it takes its time */
    uint8_t made[NET_TLS_PSK_MAX_N];
    int rc = gnutls_rnd(GNUTLS_RND_KEY, random, sizeof random);
    struct slice known = slice_of(random, sizeof random);

    if (rc < 0)
        return rc;
    if (identity->size <= IDENTITY_MAX_N)
        look_up(session, slice_of(identity->data, identity->size), made, &known);
    rc = give(key, known);
    mem_wipe(made, sizeof made);
    mem_wipe(random, sizeof random);
    return rc;
}

enum err tls_psk_server(const struct net_tls_psk_source *source, gnutls_psk_server_credentials_t *out)
{
    gnutls_psk_server_credentials_t cred;

    if (gnutls_psk_allocate_server_credentials(&cred) < 0)
        return ERR_NOMEM;
    gnutls_psk_set_server_credentials_function2(cred, find_key);
    /* For clients of TLS 1.2 that name no group of RFC 7919. */
    if (gnutls_psk_set_server_known_dh_params(cred, GNUTLS_SEC_PARAM_MEDIUM) < 0 ||
        (source->hint && gnutls_psk_set_server_credentials_hint(cred, source->hint) < 0)) {
        gnutls_psk_free_server_credentials(cred);
        return ERR_NOMEM;
    }
    *out = cred;
    return ERR_OK;
}

enum err tls_psk_client(struct slice identity, struct slice key, gnutls_psk_client_credentials_t *out)
{
    gnutls_datum_t name = {(unsigned char *)(uintptr_t)identity.p, (unsigned)identity.n};
    gnutls_datum_t secret = {(unsigned char *)(uintptr_t)key.p, (unsigned)key.n};
    gnutls_psk_client_credentials_t cred;

    if (identity.n == 0 || identity.n > IDENTITY_MAX_N || key.n == 0 || key.n > NET_TLS_PSK_MAX_N)
        return ERR_MALFORMED;
    if (gnutls_psk_allocate_client_credentials(&cred) < 0)
        return ERR_NOMEM;
    if (gnutls_psk_set_client_credentials2(cred, &name, &secret, GNUTLS_PSK_KEY_RAW) < 0) {
        gnutls_psk_free_client_credentials(cred);
        return ERR_NOMEM;
    }
    *out = cred;
    return ERR_OK;
}

bool tls_psk_used(gnutls_session_t session)
{
    gnutls_kx_algorithm_t kx = gnutls_kx_get(session);

    return kx == GNUTLS_KX_PSK || kx == GNUTLS_KX_DHE_PSK || kx == GNUTLS_KX_ECDHE_PSK;
}
