/* Associations that the gateway sets up itself, with terminals whose identity modules the key server knows (GBA Push): one
 * record for each terminal of this core, made when a push first needs it.
 *
 * Story of one.  protect.c asks for the terminal's with ppg_gba_get.  The store is asked what is left of an earlier run;
 * where there is nothing usable, the key server makes push info, which is kept in the store, sealed, with the first
 * numbers, before it is used.  Pushes wait meanwhile.  Each carries the push info until the terminal has shown that it has
 * the association, by a message of its own (ppg_gba_confirmed) or an answer that is nobody else's (ppg_gba_taken).  A
 * terminal that has no such association, or whose module stands elsewhere, says so: ppg_gba_answered gives the association
 * up, and the same push goes out with the next one.  After SEC_NAF_SA_TRIES that were not taken the terminal rests, and its
 * pushes wait.  Content is not here.  One per core. */
#ifndef PPG_KEYS_GBA_H
#define PPG_KEYS_GBA_H

#include "ota/headers.h"
#include "ppg/protect.h"
#include "security/gba/naf_sa.h"

struct ppg_gba;
enum err ppg_gba_create(struct ppg_core *c, struct ppg_gba **out) MUST_USE;
void ppg_gba_free(struct ppg_gba **g); /* nobody may be waiting */

/* Can this terminal be given an association, and one that encrypts?  Any core, whoever owns the terminal. */
bool ppg_gba_offers(const struct ppg_core *c, struct slice terminal, bool encrypts);

/* ERR_OK: *out seals, unless it says ERR_AGAIN: then ppg_gba_reserve.  Good until the turn's end.  ERR_AGAIN: *wait is
 * queued.  ERR_IO: not now: the store failed, or the terminal has refused several; ERR_ABSENT, ERR_LATE, ERR_DENIED: the
 * key server gives none. */
enum err ppg_gba_get(struct ppg_gba *g, struct slice terminal, struct ppg_protect_wait *wait,
                     struct sec_naf_sa **out) MUST_USE;
/* It needs numbers.  ERR_AGAIN: *wait is queued; ERR_IO: not now. */
enum err ppg_gba_reserve(struct ppg_gba *g, struct slice terminal, struct ppg_protect_wait *wait) MUST_USE;
/* It has sealed: more numbers are fetched before they are needed. */
void ppg_gba_sealed(struct ppg_gba *g, struct slice terminal);

/* The terminal has taken a push of that association, which its transport proves. */
void ppg_gba_taken(struct ppg_gba *g, struct slice terminal, const uint8_t said[SEC_SA_RAND_N]);
/* An answer that is to confirm that association (CONFIRMED): it does if its message is good, new, and of the push that it
 * answers.  Another is logged and changes nothing: whoever is on the way may have written it. */
void ppg_gba_confirmed(struct ppg_gba *g, struct slice terminal, const uint8_t said[SEC_SA_RAND_N],
                       struct slice message_id, const struct ota_sa_answer *answer);
/* What it said of that association when it refused a push.  True: the push may go out again, with another one. */
bool ppg_gba_answered(struct ppg_gba *g, struct slice terminal, const uint8_t said[SEC_SA_RAND_N],
                      const struct ota_sa_answer *answer);

/* All of the terminal's are given up, here and in the store. */
void ppg_gba_revoke(struct ppg_gba *g, struct slice terminal);
/* After a reload: settings, keys and subscribers may be others.  What is in the store is found again. */
void ppg_gba_forget(struct ppg_gba *g);

#endif
