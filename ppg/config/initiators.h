/* initiators.conf: who may push and how each proves it, to the table of security/rules/trust.h.  Off the loops. */
#ifndef PPG_CONFIG_INITIATORS_H
#define PPG_CONFIG_INITIATORS_H

#include "ppg/config/ini.h"
#include "security/keyring.h"

/* Reads the file; `realm` is what passwords are made for, `md5` whether MD5 digests are of use.  Tells every mistake;
 * *out is written whenever a table could be made, and is only good when nothing was told. */
void ppg_initiators_read(struct ppg_load *load, const char *path, struct slice realm, bool md5,
                         const struct sec_keyring *keyring, struct sec_accounts **out);
/* The same for text; `file` is for messages, and files it names are below its folder. */
void ppg_initiators_read_text(struct ppg_load *load, struct slice text, const char *file, struct slice realm,
                              bool md5, const struct sec_keyring *keyring, struct sec_accounts **out);

#endif
