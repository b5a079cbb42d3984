/* From the addresses of a submission to the targets of a push, and whether each may and can be reached ([PAP §8.5,
 * §8.6, §8.8, §10]).  Three steps of authorize.c, and the address of any other operation; each answers
 * PAP_CODE_ACCEPTED, or the code to refuse with and s->why.  The first bad address decides for all. */
#ifndef PPG_RECIPIENTS_H
#define PPG_RECIPIENTS_H

#include "ppg/submission.h"

/* The canonical form of one address, in s->push->mem; PAP_CODE_ADDRESS_ERROR when it has none. */
enum pap_code ppg_recipient_key(struct ppg_submission *s, struct slice raw, struct slice *key);
enum pap_code ppg_recipients_take(struct ppg_submission *s);  /* addresses to s->push->targets */
enum pap_code ppg_recipients_allow(struct ppg_submission *s); /* the whitelist decides for each */
enum pap_code ppg_recipients_reach(struct ppg_submission *s); /* a bearer, a size, a protection for each */

#endif
