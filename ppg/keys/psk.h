/* Keys that the gateway shares with those who come to its doors with TLS-PSK: one look-up for initiators and terminals alike.
 * An identity that nobody has, or that is good for another version of TLS, is not found, which its owner cannot tell from
 * a wrong key (base/net/tls_psk.h).  RFC 4279, RFC 9257 §4: a key is for one pair, one role, one version.  Any thread. */
#ifndef PPG_KEYS_PSK_H
#define PPG_KEYS_PSK_H

#include "base/net/tls.h"
#include "ppg/config.h"
#include "security/gba/gba.h"

/* SESSIONS: terminals that connect for a session of MSRP. */
enum ppg_psk_door { PPG_PSK_INITIATORS, PPG_PSK_TERMINALS, PPG_PSK_SESSIONS };

/* version: 12 or 13.  *key is borrowed from the configuration. */
bool ppg_psk_find(const struct ppg_config *config, enum ppg_psk_door door, struct slice identity,
                  unsigned version, struct slice *key);

/* The same for a TLS context: drop() gives back a hold on the configuration, which who made the context takes for it.
 * hint: borrowed; "": none, or 3GPP-bootstrapping where initiators may have bootstrapped their key (naf.h). */
struct net_tls_psk_source ppg_psk_source(struct ppg_config *config, enum ppg_psk_door door, const char *hint);

/* Whose bootstrapped key a session was made with, as IMPI; or a visitor's (security/terminal/visits.h), as visit:HOME:USER.  ERR_ABSENT, ERR_MALFORMED: nobody's; ERR_AGAIN: *want (may
 * be NULL) must be asked for first; ERR_NOMEM, ERR_IO. */
enum err ppg_psk_subscriber(const struct ppg_config *config, int64_t utc_ms, const struct net_tls_peer *peer,
                            struct sec_naf_want *want, char impi[SEC_GBA_IMPI_MAX_N],
                            size_t *impi_n) MUST_USE;

#endif
