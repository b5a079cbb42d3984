/* What an initiator asks besides a push: cancel, status, capabilities ([PAP §8.3, §8.4, §8.7]).  From a parsed message
 * to the outcome that reply.c prints; a push is authorize.c's and enqueue.c's. */
#ifndef PPG_OPERATION_H
#define PPG_OPERATION_H

#include "ppg/submission.h"

/* s->message is of any kind but a push-message.  Ends in exactly one ppg_submission_reply() and ppg_submission_free(),
 * perhaps before this returns: *s may be gone then. */
void ppg_operation(struct ppg_submission *s);

#endif
