/* An association of the gateway's own making as octets for the store: Ks_NAF, P-TID and push info, sealed under a key that
 * the store does not have, and bound to its name, its terminal and its times.  Any thread. */
#ifndef PPG_KEYS_GBA_RECORD_H
#define PPG_KEYS_GBA_RECORD_H

#include "ppg/store/store.h"
#include "security/gba/keyserver.h"

#define PPG_GBA_SEALED_MAX_N 1024 /* octets */

struct ppg_gba_record {
    struct sec_push_info info; /* wipe it */
    uint8_t ptid[SEC_GPI_PTID_MAX_N];
    size_t ptid_n;
};

/* Appends.  ERR_NOMEM, ERR_IO, ERR_LIMIT. */
enum err ppg_gba_record_seal(const struct sec_secret *key, struct slice terminal,
                             const struct ppg_gba_record *r, struct buf *out) MUST_USE;
/* ERR_DENIED: of another key, or anything of the row was changed; ERR_MALFORMED; ERR_NOMEM, ERR_IO. */
enum err ppg_gba_record_open(const struct sec_secret *key, const struct store_sa *row,
                             struct ppg_gba_record *out) MUST_USE;

#endif
