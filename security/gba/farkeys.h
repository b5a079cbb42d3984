/* Keys of a NAF that a far BSF has given, or refused, by B-TID and NAF_Id (TS 33.220 §4.5.3): what is known here, what must
 * be asked, and who waits for an answer.  It asks nobody itself.
 *
 * One key: sec_farkeys_find says ERR_AGAIN; the caller calls sec_farkeys_begin, and if that says ERR_OK it asks the BSF;
 * others who want the same key meanwhile are told ERR_AGAIN and wait with it.  sec_farkeys_end keeps the answer and gives
 * all who waited back.
 *
 * Bounded: keys are kept until they are over, beyond known_max the oldest goes; that nobody has a B-TID is kept for
 * refused_s in a table of its own, so that a stranger's guesses crowd no key out; and asking_max questions are under way
 * at once.  Any thread, with a lock inside for a moment. */
#ifndef SECURITY_GBA_FARKEYS_H
#define SECURITY_GBA_FARKEYS_H

#include "base/list.h"
#include "security/gba/bootstrap.h"

struct sec_farkeys;
struct sec_farkeys_conf {
    size_t known_max;   /* some 900 octets each; 1..SEC_BOOTSTRAP_RUNS_MAX */
    size_t refused_max; /* likewise */
    size_t asking_max;  /* above 0 */
    int64_t refused_s;  /* above 0 */
};
/* ERR_LIMIT, ERR_NOMEM. */
enum err sec_farkeys_create(const struct sec_farkeys_conf *conf, struct sec_farkeys **out) MUST_USE;
/* Another owner's handle, as sec_bootstrap_hold. */
struct sec_farkeys *sec_farkeys_hold(struct sec_farkeys *f);
void sec_farkeys_free(struct sec_farkeys **f); /* gives a handle back; the last one wipes; nobody may wait */

/* ERR_OK: a copy, clear it.  ERR_ABSENT: the BSF has said of late that nobody has it, or we may not.  ERR_AGAIN: ask.
 * ERR_MALFORMED: no B-TID or no NAF_Id. */
enum err sec_farkeys_find(struct sec_farkeys *f, struct slice btid, struct slice naf_id, int64_t now_s,
                          struct sec_naf_key *out) MUST_USE;

/* Queues the waiter.  ERR_OK: the caller is the one to ask, and to call sec_farkeys_end; ERR_AGAIN: another asks already.
 * ERR_LIMIT (too many questions under way), ERR_MALFORMED, ERR_NOMEM: it is not queued. */
enum err sec_farkeys_begin(struct sec_farkeys *f, struct slice btid, struct slice naf_id,
                           struct list *waiter) MUST_USE;
/* e ERR_OK: the key, kept until it is over.  ERR_ABSENT, ERR_DENIED: nobody has it, or we may not.  Another: there was no
 * answer, nothing is kept.  Who waited is appended to *waiters. */
void sec_farkeys_end(struct sec_farkeys *f, struct slice btid, struct slice naf_id, enum err e,
                     const struct sec_naf_key *key, int64_t now_s, struct list *waiters);

/* Wipes what is over; now and then. */
void sec_farkeys_sweep(struct sec_farkeys *f, int64_t now_s);
size_t sec_farkeys_count(struct sec_farkeys *f);   /* keys that are kept */
size_t sec_farkeys_refused(struct sec_farkeys *f); /* and B-TIDs that nobody has */

#endif
