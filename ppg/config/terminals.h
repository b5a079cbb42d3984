/* terminals.conf: how each known terminal is reached, and its provisioned association, to the table of
 * ota/registry.h.  Off the loops. */
#ifndef PPG_CONFIG_TERMINALS_H
#define PPG_CONFIG_TERMINALS_H

#include "ppg/config/ini.h"
#include "security/keyring.h"

/* Reads the file and the password and association files it names; associations keep those of their suites that have
 * their bit (1 << octet) in `suites`; md5: may MD5 prove anybody.  sip_domains: a comma list, for those that register over SIP.  Tells every mistake; *out is written whenever a table could be made, and is only
 * good when nothing was told. */
void ppg_terminals_read(struct ppg_load *load, const char *path, const struct sec_keyring *keyring,
                        unsigned suites, bool md5, struct slice sip_domains, struct ota_registry **out);
/* Text of an association file (said, key, suites, expires) to *out, which the caller wipes; tells every mistake. */
void ppg_association_read_text(struct ppg_load *load, struct slice text, const char *file,
                               struct ota_association *out);

/* "name, name" as octets, in that order; false: one is unknown or there twice. */
bool ppg_association_suites(struct slice names, uint8_t suites[OTA_SUITES_MAX], size_t *n);
/* Between an association and its key in the keyring: attr of k is `said and suites`, an octet each suite.  Reading: *out
 * is the caller's to wipe; ERR_MALFORMED the key is no association, or of unknown suites; else as sec_keyring_secret. */
enum err ppg_association_of_key(const struct sec_keyring *r, const struct sec_key *k,
                                struct ota_association *out) MUST_USE;
size_t ppg_association_attr(const struct ota_association *a, uint8_t attr[SEC_KEY_ATTR_MAX_N]);

#endif
