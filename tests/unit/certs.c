/* Test certificates on GnuTLS's X.509 interface; see certs.h. */
#include "tests/unit/certs.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "tests/unit/harness.h"

static void need(int rc, const char *what)
{
    if (rc >= 0)
        return;
    (void)fprintf(stderr, "certs: %s: %s\n", what, gnutls_strerror(rc));
    exit(2);
}

static gnutls_datum_t datum(const char *text)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text, (unsigned)strlen(text)};
}

static void add_san(gnutls_x509_crt_t crt, const char *san)
{
    static const struct {
        const char *prefix;
        gnutls_x509_subject_alt_name_t type;
    } kinds[] = {
        {"DNS:", GNUTLS_SAN_DNSNAME},
        {"URI:", GNUTLS_SAN_URI},
        {"email:", GNUTLS_SAN_RFC822NAME},
        {"IP:", GNUTLS_SAN_IPADDRESS},
    };
    unsigned char ip[16];

    for (size_t i = 0; i < COUNT(kinds); i++) {
        const char *value = san + strlen(kinds[i].prefix);
        const void *octets = value;
        unsigned n = (unsigned)strlen(value);

        if (strncmp(san, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
            continue;
        if (kinds[i].type == GNUTLS_SAN_IPADDRESS) {
            n = strchr(value, ':') ? 16 : 4;
            need(inet_pton(n == 4 ? AF_INET : AF_INET6, value, ip) == 1 ? 0 : -1, "IP");
            octets = ip;
        }
        need(gnutls_x509_crt_set_subject_alt_name(crt, kinds[i].type, octets, n, GNUTLS_FSAN_APPEND), san);
        return;
    }
    need(-1, san);
}

static void fill(gnutls_x509_crt_t crt, const struct test_cert_conf *conf, unsigned serial)
{
    unsigned char number[4];
    bool dated = conf->from_s || conf->to_s;
    time_t now = time(NULL);

    num_put32(number, serial);
    need(gnutls_x509_crt_set_version(crt, 3), "version");
    need(gnutls_x509_crt_set_serial(crt, number, sizeof number), "serial");
    need(gnutls_x509_crt_set_activation_time(crt, now + (dated ? conf->from_s : -3600)), "from");
    need(gnutls_x509_crt_set_expiration_time(crt, now + (dated ? conf->to_s : 86400)), "to");
    need(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, conf->cn,
                                       (unsigned)strlen(conf->cn)),
         "name");
    need(gnutls_x509_crt_set_basic_constraints(crt, conf->ca, -1), "constraints");
    need(gnutls_x509_crt_set_key_usage(crt, conf->ca ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
                                                     : GNUTLS_KEY_DIGITAL_SIGNATURE),
         "usage");
    for (size_t i = 0; conf->sans && conf->sans[i]; i++)
        add_san(crt, conf->sans[i]);
}

static void load(const struct test_cert *c, gnutls_x509_crt_t *crt, gnutls_x509_privkey_t *key)
{
    gnutls_datum_t cert_pem = datum(c->cert_pem);
    gnutls_datum_t key_pem = datum(c->key_pem);

    need(gnutls_x509_crt_init(crt), "init");
    need(gnutls_x509_privkey_init(key), "init");
    need(gnutls_x509_crt_import(*crt, &cert_pem, GNUTLS_X509_FMT_PEM), "issuer");
    need(gnutls_x509_privkey_import(*key, &key_pem, GNUTLS_X509_FMT_PEM), "issuer key");
}

void test_cert_make(const struct test_cert_conf *conf, const struct test_cert *issuer, struct test_cert *out)
{
    static unsigned last_serial = 1000;
    size_t cert_n = sizeof out->cert_pem - 1;
    size_t key_n = sizeof out->key_pem - 1;
    gnutls_x509_crt_t crt;
    gnutls_x509_crt_t issuer_crt = NULL;
    gnutls_x509_privkey_t key;
    gnutls_x509_privkey_t issuer_key = NULL;

    *out = (struct test_cert){.serial = ++last_serial};
    need(gnutls_x509_privkey_init(&key), "init");
    need(gnutls_x509_privkey_generate(key, conf->rsa ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA,
                                      conf->rsa ? 2048 : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
         "key");
    need(gnutls_x509_crt_init(&crt), "init");
    fill(crt, conf, out->serial);
    need(gnutls_x509_crt_set_key(crt, key), "key");
    if (issuer)
        load(issuer, &issuer_crt, &issuer_key);
    need(gnutls_x509_crt_sign2(crt, issuer ? issuer_crt : crt, issuer ? issuer_key : key, GNUTLS_DIG_SHA256,
                               0),
         "sign");
    need(gnutls_x509_crt_export(crt, GNUTLS_X509_FMT_PEM, out->cert_pem, &cert_n), "export");
    need(gnutls_x509_privkey_export_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, out->key_pem,
                                          &key_n),
         "export key");
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
    if (issuer) {
        gnutls_x509_crt_deinit(issuer_crt);
        gnutls_x509_privkey_deinit(issuer_key);
    }
}

void test_crl_make(const struct test_cert *issuer, const struct test_cert *const *revoked, size_t n,
                   char *pem, size_t pem_cap)
{
    test_crl_dated(issuer, revoked, n, 86400, pem, pem_cap);
}

void test_crl_dated(const struct test_cert *issuer, const struct test_cert *const *revoked, size_t n,
                    int64_t next_s, char *pem, size_t pem_cap)
{
    size_t pem_n = pem_cap - 1;
    time_t now = time(NULL);
    gnutls_x509_crl_t crl;
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;

    load(issuer, &crt, &key);
    need(gnutls_x509_crl_init(&crl), "init");
    need(gnutls_x509_crl_set_version(crl, 2), "version");
    need(gnutls_x509_crl_set_this_update(crl, now - 7200), "this update");
    need(gnutls_x509_crl_set_next_update(crl, now + next_s), "next update");
    need(gnutls_x509_crl_set_number(crl, "\1", 1), "number");
    for (size_t i = 0; i < n; i++) {
        unsigned char number[4];

        num_put32(number, revoked[i]->serial);
        need(gnutls_x509_crl_set_crt_serial(crl, number, sizeof number, now - 60), "revoke");
    }
    need(gnutls_x509_crl_sign2(crl, crt, key, GNUTLS_DIG_SHA256, 0), "sign list");
    memset(pem, 0, pem_cap);
    need(gnutls_x509_crl_export(crl, GNUTLS_X509_FMT_PEM, pem, &pem_n), "export list");
    gnutls_x509_crl_deinit(crl);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

const char *test_file_write(const char *name, const char *text, unsigned mode)
{
    static char paths[64][512];
    static unsigned next;
    char *path = paths[next++ % 64];
    int fd;

    (void)snprintf(path, sizeof paths[0], "%s/%s", test_scratch(), name);
    (void)unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fchmod(fd, mode) != 0) {
        perror(path);
        exit(2);
    }
    (void)close(fd);
    return path;
}
