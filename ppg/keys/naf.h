/* Clients with bootstrapped keys at the door of initiators: when they are asked for them, what proves the answer to
 * them, and whose they are.  What counts is security/gba/naf.h's and security/rules/trust.h's.  On the core's loop. */
#ifndef PPG_KEYS_NAF_H
#define PPG_KEYS_NAF_H

#include "base/net/httpd.h"
#include "base/net/tls.h"
#include "ppg/core.h"

/* Is this a client that speaks of bootstrapped keys (TS 24.109 §5.2.2: product 3gpp-gba; or it has shown one)? */
bool ppg_naf_client(const struct ppg_core *c, const struct net_http_exchange *x);
/* Appends the lines that ask it for them. */
void ppg_naf_challenges(const struct ppg_core *c, bool stale, struct buf *headers);
/* Appends the value of Authentication-Info; `r` has a realm of sec_naf_realm.  As sec_digest_info; ERR_ABSENT: the key
 * is over by now. */
enum err ppg_naf_info(const struct ppg_core *c, const struct net_http_exchange *x,
                      const struct sec_digest_response *r, struct slice body, struct buf *out) MUST_USE;
/* The IMPI, in `impi`, whose bootstrapped key the request was proved by: in Authorization (login), or as the shared key
 * of its TLS session; empty when it was not. */
struct slice ppg_naf_who(const struct ppg_core *c, const struct net_http_exchange *x, bool login,
                         char impi[SEC_GBA_IMPI_MAX_N]);

/* The derive() of a struct net_tls_psk_source whose arg is the configuration: shared keys by B-TID.  Any thread. */
bool ppg_naf_derive(void *config, struct slice identity, unsigned version, uint16_t suite,
                    uint8_t key[NET_TLS_PSK_MAX_N], size_t *key_n);

/* Its wants(): a key by B-TID that a far BSF must be asked for first. */
bool ppg_naf_wants(void *config, struct slice identity, unsigned version, uint16_t suite);

#endif
