/* One attempt at one target: find the terminal and its bearer, let policy decide, choose the form of the content, protect,
 * send, and turn what the bearer says into an event of the state table.  A terminal that turns out to want another form
 * gets it within the same attempt, once.  One per core. */
#ifndef PPG_DELIVER_H
#define PPG_DELIVER_H

#include "ppg/content.h"
#include "ppg/core.h"

enum err ppg_deliver_create(struct ppg_core *c, struct ppg_deliver **out) MUST_USE;
void ppg_deliver_free(struct ppg_deliver **d); /* no attempt may be under way */

/* Ends in exactly one ppg_schedule_ended() for the target, perhaps before this returns. */
void ppg_deliver_start(struct ppg_deliver *d, struct ppg_target *t);

/* The attempt under way is not wanted any more.  True: the terminal gets nothing of the push, and the attempt is over without
 * ppg_schedule_ended(); false: it goes on. */
bool ppg_deliver_withdraw(struct ppg_deliver *d, struct ppg_target *t) MUST_USE;

/* How much protection a message to that terminal on that way needs, and who gives it: the one decision about whatever
 * leaves for a terminal, content or not.  asked, demanded: levels, as in push.h; xml: it is a document of XML. */
void ppg_deliver_decide(const struct ppg_core *c, const struct ota_bearer *bearer,
                        const struct ota_terminal *terminal, uint8_t asked, uint8_t demanded, bool xml,
                        struct sec_policy_out *out);

/* Could this be delivered to that terminal as the configuration stands?  The same decisions as an attempt, for
 * the checks of a submission.  PAP_CODE_OK, or the code to refuse with; why[] gets the reason in words. */
#define PPG_DELIVER_WHY_N 160 /* octets of a reason, NUL included */
struct ppg_deliver_ask {
    struct slice key;    /* canonical address */
    struct slice device; /* the one of several that is meant; empty: any */
    uint8_t asked;       /* protection levels, as in push.h */
    uint8_t demanded;
    const struct ppg_push *push;
    struct buf *made; /* for the form of the content, as ppg_content_choose wants it */
};
unsigned ppg_deliver_possible(struct ppg_core *c, const struct ppg_deliver_ask *ask,
                              char why[PPG_DELIVER_WHY_N]);

/* For a terminal that fetches: the same decisions, whatever else would reach it, and the form of the content, however large.
 * Code and why[] as above; *out is filled on PAP_CODE_OK and borrows from the registry, the push and ask->made. */
struct ppg_deliver_fetch {
    const struct ota_terminal *terminal;
    struct sec_policy_out decision;
    struct ppg_content content;
};
unsigned ppg_deliver_fetch(struct ppg_core *c, const struct ota_registry *registry,
                           const struct ppg_deliver_ask *ask, struct ppg_deliver_fetch *out,
                           char why[PPG_DELIVER_WHY_N]);

#endif
