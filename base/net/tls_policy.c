/* The TLS profile: 1.2 and 1.3, ephemeral key exchange, AEAD ciphers (RFC 8446, RFC 5246, RFC 5288, RFC 7905); with
 * pre-shared keys DHE_PSK and ECDHE_PSK (RFC 5487, RFC 7905), whose finite-field groups are those of RFC 7919.  What an
 * operator does not allow is not offered.  Any thread. */
#include "base/net/tls_policy.h"

#include <gnutls/gnutls.h>

#include "base/num.h"

#define CERTIFICATES ":+ECDHE-ECDSA:+ECDHE-RSA"
/* DHE first: all three of OpenSSL, GnuTLS and the GBA profile have it with AES-GCM, which ECDHE_PSK has not here. */
#define KEYS         ":+DHE-PSK:+ECDHE-PSK:+GROUP-FFDHE2048:+GROUP-FFDHE3072"
#define GROUPS       ":+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1"
#define SIGNATURES                                                                                           \
    ":+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SECP384R1-SHA384"       \
    ":+SIGN-EDDSA-ED25519:+SIGN-RSA-PSS-SHA256:+SIGN-RSA-PSS-SHA384:+SIGN-RSA-PSS-RSAE-SHA256"               \
    ":+SIGN-RSA-PSS-RSAE-SHA384:+SIGN-RSA-SHA256:+SIGN-RSA-SHA384"
#define REST               ":+AEAD:+SHA256:+SHA384:+CTYPE-X509:+COMP-NULL:%SERVER_PRECEDENCE:%PROFILE_MEDIUM"

#define SUPPORTED_VERSIONS 43 /* extension, RFC 8446 §4.2.1 */
#define TLS_13             0x0304

void tls_policy_print(const struct net_tls_conf *conf, struct buf *out)
{
    static const struct {
        unsigned bit;
        const char *text;
    } ciphers[] = {{NET_TLS_AES_128_GCM, ":+AES-128-GCM"},
                   {NET_TLS_AES_256_GCM, ":+AES-256-GCM"},
                   {NET_TLS_CHACHA20_POLY1305, ":+CHACHA20-POLY1305"}};
    unsigned allowed = conf->ciphers ? conf->ciphers : NET_TLS_CIPHERS_ALL;
    bool keys = conf->psk.find != NULL || conf->psk_identity.n;

    buf_add_str(out, conf->datagrams           ? "NONE:+VERS-DTLS1.2"
                     : conf->version_min == 13 ? "NONE:+VERS-TLS1.3"
                                               : "NONE:+VERS-TLS1.3:+VERS-TLS1.2");
    buf_add_str(out, keys ? KEYS : CERTIFICATES);
    buf_add_str(out, GROUPS);
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++)
        if (allowed & ciphers[i].bit)
            buf_add_str(out, ciphers[i].text);
    buf_add_str(out, SIGNATURES REST);
    buf_add_ch(out, '\0');
}

/* A list of versions behind one octet of length. */
static int offers_13(void *arg, unsigned extension, const unsigned char *data, unsigned n)
{
    bool *offered = arg;

    if (extension == SUPPORTED_VERSIONS)
        for (unsigned i = 1; i + 1 < n; i += 2)
            *offered = *offered || num_get16(data + i) == TLS_13;
    return 0;
}

static int hello_came(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                      const gnutls_datum_t *msg)
{
    bool offered = false;

    (void)session, (void)type, (void)when;
    if (!incoming)
        return 0;
    (void)gnutls_ext_raw_parse(&offered, offers_13, msg, GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO);
    return offered ? 0 : GNUTLS_E_UNSUPPORTED_VERSION_PACKET;
}

void tls_policy_demand_13(gnutls_session_t session)
{
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_PRE, hello_came);
}
