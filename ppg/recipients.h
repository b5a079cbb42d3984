/* From the addresses of a submission to the targets of a push, and whether each may and can be reached ([PAP §8.5,
 * §8.6, §8.8, §10]).  Three steps of authorize.c, and the address of any other operation; each answers
 * PAP_CODE_ACCEPTED, or the code to refuse with and s->why.  The first bad address decides for all.
 *
 * A group is one address to the initiator and many targets here: its members, as the configuration of the moment lists
 * them, follow it in s->push->targets.  A member that may not or cannot be reached is left out; a group that loses all
 * of them refuses the submission. */
#ifndef PPG_RECIPIENTS_H
#define PPG_RECIPIENTS_H

#include "ppg/submission.h"

/* The canonical form of one address, in s->push->mem, "$NAME" for a group; PAP_CODE_ADDRESS_ERROR when it has none. */
enum pap_code ppg_recipient_key(struct ppg_submission *s, struct slice raw, struct slice *key);
enum pap_code
ppg_recipients_take(struct ppg_submission *s); /* addresses to s->push->targets; asks the whitelist when one
                                                                * is bad, for an earlier one may be forbidden */
enum pap_code ppg_recipients_allow(struct ppg_submission *s); /* the whitelist decides for each */
enum pap_code ppg_recipients_reach(struct ppg_submission *s); /* a bearer, a size, a protection for each */

/* What the whitelist is asked about a push, but for the recipient.  size: octets of its content. */
struct sec_whitelist_query ppg_recipients_question(const struct ppg_push *p, uint64_t size, int64_t at_s);

/* What a step asks about one target: PAP_CODE_ACCEPTED, or the code to refuse it with and s->why. */
typedef enum pap_code ppg_recipient_fn(struct ppg_submission *s, struct ppg_target *t, void *arg);
/* Asks about each target; members for whom the answer is no leave their group. */
enum pap_code ppg_recipients_each(struct ppg_submission *s, ppg_recipient_fn *ask, void *arg);

#endif
