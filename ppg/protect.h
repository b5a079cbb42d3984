/* The only place where content and keys meet.  Turns a target and the decision of security/policy into the
 * octets a bearer sends: in the clear for protected transports, sealed under the terminal's association
 * otherwise, or signed and encrypted as XML.  Sequence numbers come from ranges the store has reserved, so none is ever used twice.  One per core. */
#ifndef PPG_PROTECT_H
#define PPG_PROTECT_H

#include "ppg/content.h"
#include "ppg/core.h"
#include "ppg/item.h"
#include "ota/headers.h"
#include "security/policy.h"
#include "security/sa.h"

enum err ppg_protect_create(struct ppg_core *c, struct ppg_protect **out) MUST_USE;
void ppg_protect_free(struct ppg_protect **p); /* nobody may be waiting */

/* Somebody for whom a number range is being reserved; fn runs once, later: try again. */
struct ppg_protect_wait {
    struct list link;
    void (*fn)(void *arg);
    void *arg;
};

#define PPG_PROTECT_ID_N (PPG_ITEM_ID_N + 2)
struct ppg_protected {
    struct buf head;   /* push message header lines for the outside */
    struct buf sealed; /* the sealed message, when there is one */
    struct slice body; /* what the bearer sends: sealed, or the content itself */
    struct slice
        type;    /* static: what body is when it is sealed, or protected as XML; empty: the content itself */
    uint32_t sn; /* 0: not under an association */
    uint8_t suite;
    uint8_t said[SEC_SA_RAND_N];       /* of the association that sealed */
    bool bootstrapped;                 /* it is one of ours (gba.h), not a provisioned one */
    char message_id[PPG_PROTECT_ID_N]; /* that the terminal knows it by; "" before */
    size_t gpi_n;                      /* octets of the push info that rides along; 0: none */
};

/* ERR_OK: *out is filled (its bufs are the caller's, initialised).  ERR_AGAIN: *wait is queued.  ERR_LATE: the
 * association has run out; ERR_ABSENT: there is none; ERR_UNSUPPORTED: no suite of it gives what is asked; ERR_IO:
 * no numbers could be reserved, or other keys of the same association are in use: later. */
enum err ppg_protect(struct ppg_protect *p, const struct ppg_target *t, const struct ppg_content *content,
                     const struct ota_terminal *terminal, const struct sec_policy_out *decision,
                     struct ppg_protect_wait *wait, struct ppg_protected *out) MUST_USE;

/* Has the terminal an association, or can it be given one?  Any core, whoever owns the terminal. */
bool ppg_protect_possible(const struct ppg_core *c, const struct ota_terminal *terminal, bool encrypts);
/* The terminal itself, and nobody on the way, says that it has taken a sealed message. */
void ppg_protect_taken(struct ppg_protect *p, const struct ota_terminal *terminal,
                       const struct ppg_protected *message);
/* What is said to be its word of the association.  A confirmation counts when it is protected, and of that message.  True: one
 * was refused, and the push may go out again with another association. */
bool ppg_protect_answered(struct ppg_protect *p, const struct ota_terminal *terminal,
                          const struct ppg_protected *message, const struct ota_sa_answer *answer);
/* The terminal's bootstrapped associations end now. */
void ppg_protect_revoke(struct ppg_protect *p, struct slice terminal);

/* Terminals may have new keys: associations are made anew from what the next push brings along. */
void ppg_protect_forget(struct ppg_protect *p);

#endif
