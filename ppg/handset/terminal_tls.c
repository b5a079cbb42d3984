/* How the terminal proves itself in TLS, and knows its gateway: a shared key, or certificates from files or from what it was
 * provisioned with.  One thread. */
#include "ppg/handset/terminal.h"

#define CRL_MAX_N (4u << 20)

static bool find_psk(void *arg, struct slice identity, unsigned version, struct slice *key)
{
    const struct tool_terminal *t = arg;

    if (!slice_eq(identity, t->psk_name) || t->peer_used || (t->o->peer_key && version != 13))
        return false;
    *key = sec_secret_slice(&t->psk);
    return true;
}

/* The first handshake that comes to its end is the last. */
static bool use_psk(void *arg, struct slice identity)
{
    struct tool_terminal *t = arg;

    (void)identity;
    if (!t->o->peer_key)
        return true;
    if (t->peer_used || tool_peer_key_spend(&t->peer))
        return false;
    t->peer_used = true;
    return true;
}

static int load_psk(struct tool_terminal *t)
{
    char why[TOOL_WHY_N];

    if (t->o->peer_key) {
        t->psk_name = t->peer.name;
        return sec_secret_set(&t->psk, sec_secret_slice(&t->peer.psk))
                   ? tool_terminal_complain("--peer-key", "no key")
                   : 0;
    }
    if (!t->o->psk)
        return 0;
    if (!t->o->dtls && !t->o->gateway && !t->o->sip)
        return tool_terminal_complain("--psk", "is for --dtls, for sessions over SIP, and for a gateway");
    return tool_psk(t->o->psk, &t->psk_name, &t->psk, why) ? tool_terminal_complain("--psk", why) : 0;
}

/* Certificates that were provisioned are used whole, where none are named otherwise. */
static bool object_has_tls(const struct tool_terminal *t)
{
    const struct tool_terminal_options *o = t->o;

    return t->object && (t->object->chain_pem.n || t->object->ca_pem.n) && !o->cert && !o->key &&
           !o->pkcs12 && !o->ca && !t->psk.n;
}

/* With our certificate from where it is kept. */
static enum err make_ctx(struct tool_terminal *t, const struct net_tls_conf *conf, char why[TOOL_WHY_N])
{
    const struct tool_terminal_options *o = t->o;

    if (object_has_tls(t)) {
        const struct tool_pem pem = {.chain = buf_slice(&t->object->chain_pem),
                                     .key = buf_slice(&t->object->key_pem),
                                     .ca = buf_slice(&t->object->ca_pem)};

        return tool_tls_pem(*conf, &pem, &t->tls, why);
    }
    if (o->pkcs12)
        return tool_tls_pkcs12(*conf, o->pkcs12, o->pkcs12_password, o->ca, &t->tls, why);
    return tool_tls(*conf, o->cert, o->key, o->ca, &t->tls, why);
}

/* What it has for TLS. */
struct means {
    bool psk, certified, ca;
};

/* Has it what its way to the gateway needs, and nothing besides?  It may call in the clear with TLS in reserve. */
static int check_means(const struct tool_terminal *t, const struct means *m)
{
    const struct tool_terminal_options *o = t->o;
    bool calls = o->gateway != NULL;

    if (!calls && o->dtls && !m->psk && !m->certified)
        return tool_terminal_complain("--dtls", "needs --psk, or --cert and --key");
    if (o->pkcs12 ? o->cert || o->key : o->pkcs12_password != NULL)
        return tool_terminal_complain("--pkcs12",
                                      "stands for --cert and --key, and --pkcs12-password goes with it");
    if (o->crl && !m->ca)
        return tool_terminal_complain("--crl", "needs --ca");
    if ((calls || o->sip) && m->psk && (m->ca || m->certified))
        return tool_terminal_complain("--psk", "stands for certificates: neither --ca nor --cert");
    if (calls && t->gateway.https && !m->psk && !m->ca)
        return tool_terminal_complain("--ca", "needed, or --psk: how the gateway is known");
    if (calls && !t->gateway.https && m->ca && !o->ca)
        return tool_terminal_complain("--gateway", "https: it was provisioned with certificates");
    if (!calls && m->ca && !m->certified && !m->psk && !o->items)
        return tool_terminal_complain("--ca", "needs --cert and --key");
    return 0;
}

static int make_with_crl(struct tool_terminal *t, struct net_tls_conf *conf)
{
    char why[TOOL_WHY_N];
    struct buf crl;
    enum err e;

    buf_init(&crl, CRL_MAX_N);
    e = t->o->crl ? tool_read(t->o->crl, &crl) : ERR_OK;
    if (e)
        (void)tool_terminal_complain(t->o->crl, err_text(e));
    conf->crl_pem = buf_slice(&crl);
    if (!e && (e = make_ctx(t, conf, why)))
        (void)tool_terminal_complain(why, "");
    buf_clear(&crl);
    return e ? TOOL_TERMINAL_USAGE : 0;
}

int tool_terminal_tls(struct tool_terminal *t)
{
    int bad = load_psk(t);
    bool calls = t->o->gateway != NULL, provisioned = object_has_tls(t);
    const struct means m = {.psk = t->psk.n != 0,
                            .certified = t->o->cert || t->o->key || t->o->pkcs12 ||
                                         (provisioned && t->object->chain_pem.n),
                            .ca = t->o->ca || (provisioned && t->object->ca_pem.n)};
    struct net_tls_conf conf = {.role = calls ? NET_TLS_CLIENT : NET_TLS_SERVER,
                                .verify = m.ca ? NET_TLS_VERIFY_REQUIRED : NET_TLS_VERIFY_NONE,
                                .version_min = 12,
                                .alpn_http11 = !t->o->dtls,
                                .tickets_max = calls ? 1 : 0,
                                .datagrams = t->o->dtls};

    if (!bad && t->boot && t->gateway.https && !m.psk && !m.ca && !m.certified)
        return 0; /* by what is bootstrapped */
    if (!bad)
        bad = check_means(t, &m);
    if (bad || !(m.psk || (calls ? m.ca : m.certified)))
        return bad;
    if (m.psk && calls) {
        conf.psk_identity = t->psk_name;
        conf.psk_key = sec_secret_slice(&t->psk);
    } else if (m.psk) {
        conf.psk = (struct net_tls_psk_source){.find = find_psk, .used = use_psk, .arg = t};
    }
    return make_with_crl(t, &conf);
}
