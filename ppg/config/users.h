/* users.conf: people who may be assigned keys for their entities (devices), each in a section [user ID].  Off the loops. */
#ifndef PPG_CONFIG_USERS_H
#define PPG_CONFIG_USERS_H

#include "ppg/config/ini.h"
#include "security/keyring.h"
#include "security/rules/accounts.h"

#define PPG_USERS_REALM SLICE("users")

/* Tells every mistake; *out is written whenever a table could be made, and only good when nothing was told. */
void ppg_users_read(struct ppg_load *load, const char *path, const struct sec_keyring *keyring,
                    struct sec_accounts **out);

#endif
