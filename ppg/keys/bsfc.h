/* A far BSF, asked for push info over Zpn and for keys by B-TID over Zn: JSON over mutual TLS (TS 29.309 §5.3).  One
 * question, one vector: what fails is asked again by who needs it, never answered from memory.  While the BSF does not
 * answer, questions fail at once and one in a while tries; pushes wait meanwhile, and who needs a key is told to come
 * again (keyask.h, which joins and bounds these).  One per loop. */
#ifndef PPG_KEYS_BSFC_H
#define PPG_KEYS_BSFC_H

#include "base/net/env.h"
#include "ppg/keys/pushinfo.h"
#include "ppg/snapshot.h"

struct ppg_bsfc;
enum err ppg_bsfc_create(const struct net_env *env, struct ppg_core *core, struct ppg_snapshot *snapshot,
                         struct ppg_bsfc **out) MUST_USE;
/* For new connections; takes a hold of its own. */
void ppg_bsfc_set(struct ppg_bsfc *b, struct ppg_snapshot *snapshot);
/* As ppg_pushinfo_get, of the BSF; ERR_IO: it is away, or the loop ends. */
enum err ppg_bsfc_ask(struct ppg_bsfc *b, struct ppg_pushinfo *p) MUST_USE;

/* A key by B-TID.  Good until done() has run, which it does once, later. */
struct ppg_bsfc_key {
    struct slice btid; /* borrowed */
    struct sec_naf_id naf_id;
    struct sec_naf_key key; /* out; wipe it */
    void (*done)(struct ppg_bsfc_key *k, enum err e);
};
/* ERR_AGAIN: done() will run, with ERR_OK, ERR_ABSENT (nobody has it, or not any more), ERR_DENIED (we may not have it),
 * ERR_IO (no answer).  ERR_IO: it is away, or the loop ends; ERR_NOMEM. */
enum err ppg_bsfc_ask_key(struct ppg_bsfc *b, struct ppg_bsfc_key *k) MUST_USE;
/* Ends what is under way (done with ERR_IO); the memory goes before closed() runs. */
void ppg_bsfc_close(struct ppg_bsfc *b, void (*closed)(void *arg), void *arg);

#endif
