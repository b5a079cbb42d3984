/* subscribers.conf: whose identity modules we know the keys of, to the embedded key server of security/gba/keyserver.h.
 * Keys are in the
 * keyring, or in the file itself, which is therefore its owner's alone (0600).  Off the loops. */
#ifndef PPG_CONFIG_SUBSCRIBERS_H
#define PPG_CONFIG_SUBSCRIBERS_H

#include "ppg/config/ini.h"
#include "security/gba/keyserver.h"
#include "security/keyring.h"

struct ppg_subscribers_conf {
    struct slice name;                 /* our own domain name, as terminals know it */
    int64_t life_s;                    /* of an association, at most */
    uint8_t slot;                      /* of the sequence numbers */
    const struct sec_keyring *keyring; /* holds the keys that the file names; NULL: none */
};

/* Reads the file; the gateway itself, for protected pushes, is the one who may ask.  Tells every mistake; *out is
 * written whenever a server could be made, and is only good when nothing was told. */
void ppg_subscribers_read(struct ppg_load *load, const char *path, const struct ppg_subscribers_conf *conf,
                          struct sec_keyserver **out);

#endif
