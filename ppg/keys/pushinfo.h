/* Push info for a terminal: from the embedded key server, with sequence numbers from the store, or from a far BSF over Zpn
 * (bsfc.h) where the configuration names one.  Who asks need not know which.  On the core's loop. */
#ifndef PPG_KEYS_PUSHINFO_H
#define PPG_KEYS_PUSHINFO_H

#include "ppg/core.h"
#include "ppg/keys/seq.h"
#include "security/gba/keyserver.h"

struct ppg_pushinfo {
    struct sec_push_request request; /* naf_id of anybody who is allowed; slices borrowed until the end */
    bool resync;                     /* the terminal refused the number that came with rand */
    uint8_t rand[SEC_AKA_RAND_N];
    uint8_t auts[SEC_AKA_AUTS_N];
    void (*done)(void *arg, enum err e);
    void *arg;
    struct sec_push_info info; /* out; wipe it */

    struct ppg_core *core; /* the rest is pushinfo.c's */
    struct ppg_seq_wait wait;
    unsigned waits;
};

/* ERR_OK: info is there.  ERR_AGAIN: done() runs once, later, with one of the others.  ERR_ABSENT (no such subscriber),
 * ERR_DENIED (this NAF may not ask, or AUTS is not the subscriber's), ERR_LATE (no lifetime or no number is left),
 * ERR_MALFORMED, ERR_LIMIT, ERR_IO, ERR_PEER (not now), ERR_NOMEM. */
enum err ppg_pushinfo_get(struct ppg_core *c, struct ppg_pushinfo *p) MUST_USE;
/* The same, of the embedded key server whatever the configuration says. */
enum err ppg_pushinfo_own(struct ppg_core *c, struct ppg_pushinfo *p) MUST_USE;

#endif
