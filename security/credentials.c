/* PEM files to a TLS context.  Keys are wiped from memory as soon as GnuTLS has its own copy; a key file that its
 * group or the world may read is refused (spec profile: files of mode 0600).  Judges dates and the match of key and
 * certificate here, so that the operator reads which file is wrong; whether a chain is trusted is the peer's affair. */
#include "security/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"

#define CERT_MAX_N   ((size_t)1 << 20)
#define CRL_MAX_N    ((size_t)32 << 20)
#define KEY_MAX_N    ((size_t)64 << 10)
#define STAPLE_MAX_N ((size_t)64 << 10)

struct loaded {
    struct net_tls_pair pairs[SEC_CREDENTIALS_PAIRS_MAX];
    struct buf certs[SEC_CREDENTIALS_PAIRS_MAX];
    struct buf keys[SEC_CREDENTIALS_PAIRS_MAX];
    struct buf staples[SEC_CREDENTIALS_PAIRS_MAX];
    struct buf ca;
    struct buf crl;
};

static enum err fault(char *why, enum err e, const char *file, const char *what)
{
    (void)snprintf(why, SEC_CREDENTIALS_WHY_N, "%s: %s", file, what);
    return e;
}

/* The file's kind and mode, asked of the open descriptor so that nobody can swap it in between. */
static enum err check_mode(int fd, const char *file, bool secret, size_t max_n, char *why)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return fault(why, ERR_IO, file, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fault(why, ERR_DENIED, file, "not a regular file");
    if (secret && (st.st_mode & 077) != 0)
        return fault(why, ERR_DENIED, file,
                     "others than its owner may use this key file; make its mode 0600");
    if ((uint64_t)st.st_size > max_n)
        return fault(why, ERR_LIMIT, file, "too large");
    return ERR_OK;
}

static enum err read_all(int fd, const char *file, struct buf *out, char *why)
{
    enum err e = fd_read(fd, out);

    return e ? fault(why, e, file, e == ERR_IO ? strerror(errno) : "too large") : ERR_OK;
}

static enum err read_file(const char *file, bool secret, size_t max_n, struct buf *out, char *why)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hold us up */
    enum err e;

    if (fd < 0 && errno == ENOENT)
        return fault(why, ERR_ABSENT, file, "no such file");
    if (fd < 0)
        return fault(why, ERR_IO, file, strerror(errno));
    /* All the room at once: growing would leave copies of a key behind. */
    buf_init(out, max_n);
    e = check_mode(fd, file, secret, max_n, why);
    if (!e && secret && !buf_room(out, max_n))
        e = fault(why, ERR_NOMEM, file, "out of memory");
    if (!e)
        e = read_all(fd, file, out, why);
    (void)close(fd);
    return e;
}

static gnutls_datum_t datum_of(const struct buf *b)
{
    return (gnutls_datum_t){(unsigned char *)b->p, (unsigned)b->n};
}

static enum err check_dates(gnutls_x509_crt_t crt, const struct clk *clk, const char *file, char *why)
{
    int64_t now_s = clk_utc_ms(clk) / 1000;

    if (gnutls_x509_crt_get_expiration_time(crt) < now_s)
        return fault(why, ERR_MALFORMED, file, "the certificate has expired");
    if (gnutls_x509_crt_get_activation_time(crt) > now_s)
        return fault(why, ERR_MALFORMED, file, "the certificate is not valid yet");
    return ERR_OK;
}

/* Every certificate of the chain must be valid now. */
static enum err check_chain(const struct buf *pem, const struct clk *clk, const char *file, char *why)
{
    gnutls_datum_t data = datum_of(pem);
    gnutls_x509_crt_t *chain;
    unsigned n = 0;
    enum err e = ERR_OK;

    if (gnutls_x509_crt_list_import2(&chain, &n, &data, GNUTLS_X509_FMT_PEM,
                                     GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED) < 0)
        return fault(why, ERR_MALFORMED, file, "no certificate chain in PEM form, leaf first");
    for (unsigned i = 0; i < n; i++) {
        if (!e)
            e = check_dates(chain[i], clk, file, why);
        gnutls_x509_crt_deinit(chain[i]);
    }
    gnutls_free(chain);
    return e;
}

/* GnuTLS itself says whether the key is readable and the certificate's. */
static enum err check_key(const struct buf *cert_pem, const struct buf *key_pem, const char *file, char *why)
{
    gnutls_datum_t cert = datum_of(cert_pem);
    gnutls_datum_t key = datum_of(key_pem);
    gnutls_certificate_credentials_t trial;
    int rc;

    if (gnutls_certificate_allocate_credentials(&trial) < 0)
        return fault(why, ERR_NOMEM, file, "out of memory");
    rc = gnutls_certificate_set_x509_key_mem2(trial, &cert, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_certificate_free_credentials(trial);
    if (rc == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        return fault(why, ERR_MALFORMED, file, "this is not the key of its certificate");
    if (rc < 0)
        return fault(why, ERR_MALFORMED, file, "no unencrypted private key in PEM form");
    return ERR_OK;
}

static enum err load_pair(const struct sec_credentials_pair *files, const struct clk *clk, struct loaded *to,
                          size_t i, char *why)
{
    enum err e = read_file(files->cert_file, false, CERT_MAX_N, &to->certs[i], why);

    if (!e)
        e = read_file(files->key_file, true, KEY_MAX_N, &to->keys[i], why);
    if (!e)
        e = check_chain(&to->certs[i], clk, files->cert_file, why);
    if (!e)
        e = check_key(&to->certs[i], &to->keys[i], files->key_file, why);
    if (!e && files->staple_file)
        e = read_file(files->staple_file, false, STAPLE_MAX_N, &to->staples[i], why);
    to->pairs[i] = (struct net_tls_pair){.cert_pem = buf_slice(&to->certs[i]),
                                         .key_pem = buf_slice(&to->keys[i]),
                                         .staple_der = buf_slice(&to->staples[i])};
    return e;
}

/* Trust anchors or revocation lists: at least one, and all of them readable. */
static enum err check_list(const struct buf *pem,
                           int (*set)(gnutls_certificate_credentials_t, const gnutls_datum_t *,
                                      gnutls_x509_crt_fmt_t),
                           const char *file, char *why)
{
    gnutls_datum_t data = datum_of(pem);
    gnutls_certificate_credentials_t trial;
    int n;

    if (gnutls_certificate_allocate_credentials(&trial) < 0)
        return fault(why, ERR_NOMEM, file, "out of memory");
    n = data.size ? set(trial, &data, GNUTLS_X509_FMT_PEM) : 0;
    gnutls_certificate_free_credentials(trial);
    return n > 0 ? ERR_OK : fault(why, ERR_MALFORMED, file, "nothing readable in PEM form");
}

static enum err load_files(const struct sec_credentials_conf *conf, const struct clk *clk, struct loaded *to,
                           char *why)
{
    enum err e = ERR_OK;

    if (conf->pairs_n > SEC_CREDENTIALS_PAIRS_MAX)
        return fault(why, ERR_LIMIT, conf->pairs[SEC_CREDENTIALS_PAIRS_MAX].cert_file,
                     "too many certificates");
    for (size_t i = 0; i < conf->pairs_n && !e; i++)
        e = load_pair(&conf->pairs[i], clk, to, i, why);
    if (!e && conf->ca_file)
        e = read_file(conf->ca_file, false, CERT_MAX_N, &to->ca, why);
    if (!e && conf->ca_file)
        e = check_list(&to->ca, gnutls_certificate_set_x509_trust_mem, conf->ca_file, why);
    if (!e && conf->crl_file)
        e = read_file(conf->crl_file, false, CRL_MAX_N, &to->crl, why);
    if (!e && conf->crl_file)
        e = check_list(&to->crl, gnutls_certificate_set_x509_crl_mem, conf->crl_file, why);
    return e;
}

static void loaded_clear(struct loaded *l)
{
    for (size_t i = 0; i < SEC_CREDENTIALS_PAIRS_MAX; i++) {
        buf_clear(&l->certs[i]);
        buf_wipe(&l->keys[i]);
        buf_clear(&l->staples[i]);
    }
    buf_clear(&l->ca);
    buf_clear(&l->crl);
    free(l);
}

static enum err build(const struct sec_credentials_conf *conf, const struct loaded *l,
                      struct net_tls_ctx **out, char *why)
{
    struct net_tls_conf tls = {.role = conf->role,
                               .verify = conf->verify,
                               .pairs = l->pairs,
                               .pairs_n = conf->pairs_n,
                               .ca_pem = buf_slice(&l->ca),
                               .crl_pem = buf_slice(&l->crl),
                               .crl_expired_ok = conf->crl_expired_ok,
                               .staple_required = conf->staple_required,
                               .ask_status = conf->ask_status,
                               .version_min = conf->version_min,
                               .ciphers = conf->ciphers,
                               .psk = conf->psk,
                               .alpn_http11 = conf->alpn_http11,
                               .tickets_max = conf->tickets_max,
                               .datagrams = conf->datagrams,
                               .priority = conf->priority};
    const char *text = "";
    enum err e = net_tls_ctx_create(&tls, out, &text);

    return e ? fault(why, e, "TLS settings", text) : ERR_OK;
}

enum err sec_credentials_load(const struct sec_credentials_conf *conf, const struct clk *clk,
                              struct net_tls_ctx **out, char why[SEC_CREDENTIALS_WHY_N])
{
    struct loaded *l = calloc(1, sizeof *l);
    enum err e;

    why[0] = '\0';
    if (!l)
        return fault(why, ERR_NOMEM, "TLS settings", "out of memory");
    e = load_files(conf, clk, l, why);
    if (!e)
        e = build(conf, l, out, why);
    loaded_clear(l);
    return e;
}
