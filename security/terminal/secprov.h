/* What a terminal is provisioned with in one piece: whom it trusts, which gateways and initiators may push to it, keys, the
 * least protection.  An XML object that arrives sealed, or lies in the terminal's module file:
 *
 *     <SecProv version="7" ttl="86400">
 *       <Certs><Cert id="root" purpose="ca">BASE64</Cert><Cert id="me" purpose="client">BASE64</Cert></Certs>
 *       <WhiteList><Ppg uri="ppg.example.net"/><Initiator uri="https://news.example.com/..."/></WhiteList>
 *       <BlackList><Initiator uri="https://evil.example/..."/></BlackList>
 *       <Keys><Key id="phone" use="association" alg="aes-gcm hmac-sha256" expires="2027-01-31T00:00:00Z">BASE64</Key>
 *             <Key id="me" use="client" alg="pkcs8">BASE64</Key></Keys>
 *       <Algs min="full"/>
 *     </SecProv>
 *
 * The dots stand for a star (security/uri.h).  An association's key is SAID and K_s, 16 and 32 octets; a client's is
 * PKCS #8, and client certificates follow their leaf.  A list that is empty or not there restricts nothing; whoever is on
 * the black one is refused.  SEC_CF 1.1 B.5, B.8.  Pure; any thread. */
#ifndef SECURITY_TERMINAL_SECPROV_H
#define SECURITY_TERMINAL_SECPROV_H

#include "base/arena.h"
#include "base/buf.h"
#include "security/policy.h"
#include "security/secret.h"

#define SEC_SECPROV_APP       "x-wap-application:sec.prov.ua"
#define SEC_SECPROV_MAX_N     65536u /* octets of an object */
#define SEC_SECPROV_ITEMS_MAX 64u    /* of each kind */
#define SEC_SECPROV_SUITES    6u

struct sec_secprov_list {
    struct slice servers[SEC_SECPROV_ITEMS_MAX]; /* names of certificates, or addresses */
    size_t servers_n;
    struct slice initiators[SEC_SECPROV_ITEMS_MAX]; /* patterns of security/uri.h */
    size_t initiators_n;
};

struct sec_secprov_sa {
    struct slice id;
    uint8_t said[16];
    struct sec_secret key;
    uint8_t suites[SEC_SECPROV_SUITES];
    size_t suites_n;
    int64_t expires_s; /* UTC; INT64_MAX: never */
};

struct sec_secprov {
    struct arena mem; /* of all slices */
    uint64_t version;
    int64_t ttl_s; /* from its application on; 0: for ever */
    struct sec_secprov_list white, black;
    struct sec_secprov_sa sas[SEC_SECPROV_ITEMS_MAX];
    size_t sas_n;
    struct buf ca_pem, chain_pem, key_pem; /* as TLS takes them; empty: none */
    enum sec_level floor;
    char hash[65]; /* SHA-256 of the object's octets, hexadecimal */
};

/* Whole or not at all; *out, which is large, is to be cleared only after success.  ERR_MALFORMED with *why, static text;
 * ERR_LIMIT, ERR_NOMEM. */
enum err sec_secprov_parse(struct slice xml, struct sec_secprov *out, const char **why) MUST_USE;
void sec_secprov_clear(struct sec_secprov *p); /* wipes */

#endif
