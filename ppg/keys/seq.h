/* Sequence numbers for authentication vectors: whoever asks the embedded key server for one (a push that needs an
 * association, a terminal that bootstraps) and is told ERR_AGAIN comes here.  A range is reserved in the store before the key
 * server may use it, so that no number is used twice whatever crashes.  One per core; the key server is one for all of them,
 * ppg_config_keyserver() of the configuration in force, and goes on with its numbers after a reload. */
#ifndef PPG_KEYS_SEQ_H
#define PPG_KEYS_SEQ_H

#include "ppg/core.h"
#include "security/aka.h"

#define PPG_SEQ_RANGE                                                                                        \
    16u /* numbers reserved at once: a restart skips them, one write gives so many vectors */

struct ppg_seq;
enum err ppg_seq_create(struct ppg_core *c, struct ppg_seq **out) MUST_USE;
void ppg_seq_free(struct ppg_seq **s); /* nobody may be waiting */

/* Owned by whoever waits.  fn runs once, later, on the core's loop.  ERR_OK: ask the key server again; ERR_ABSENT: it does
 * not know the subscriber any more; ERR_LATE: all numbers are used; ERR_IO, ERR_NOMEM: the store failed. */
struct ppg_seq_wait {
    struct list link;
    void (*fn)(void *arg, enum err e);
    void *arg;
};

/* More numbers for that subscriber (IMPI or public identity).  ERR_ABSENT; ERR_NOMEM, ERR_LIMIT: fn does not run. */
enum err ppg_seq_reserve(struct ppg_seq *s, struct slice ue, struct ppg_seq_wait *wait) MUST_USE;
/* The terminal refused the number that came with RAND: sec_keyserver_resync, and numbers from where it stands.  Also
 * ERR_DENIED: AUTS is not the subscriber's; ERR_EXISTS: our next number is good, just ask; ERR_LIMIT: numbers of it are
 * being reserved, let it come again.  fn does not run. */
enum err ppg_seq_resync(struct ppg_seq *s, struct slice ue, const uint8_t rand[SEC_AKA_RAND_N],
                        const uint8_t auts[SEC_AKA_AUTS_N], struct ppg_seq_wait *wait) MUST_USE;

#endif
