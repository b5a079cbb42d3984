/* May this be pushed, and can it?  The checks of a submission in the order of [PAP §8.1]; the first that fails
 * decides.  Fills the push from the parsed message and the content entity as it goes. */
#ifndef PPG_AUTHORIZE_H
#define PPG_AUTHORIZE_H

#include "ppg/submission.h"

/* PAP_CODE_ACCEPTED, or the code to refuse with and s->why in words.  s->message is a push-message, s->parts has its
 * content entity. */
enum pap_code ppg_authorize(struct ppg_submission *s);
/* The name of the i-th check in their order, for `push explain`; NULL past the last.  Any thread. */
const char *ppg_authorize_check(size_t i);
/* Keeps `why` in s->why and gives `code` back. */
enum pap_code ppg_refuse(struct ppg_submission *s, enum pap_code code, const char *why);

#endif
