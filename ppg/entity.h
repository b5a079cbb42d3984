/* From the headers and octets of the content entity to the fields of a push ([PAP §9]).  One step of authorize.c. */
#ifndef PPG_ENTITY_H
#define PPG_ENTITY_H

#include "ppg/submission.h"

/* Content type, application, initiator URI, protection asked and passed headers go into s->push.  PAP_CODE_ACCEPTED, or
 * the code to refuse with and s->why. */
enum pap_code ppg_entity_take(struct ppg_submission *s);
/* How many octets the content has once its transfer encoding is undone; the parts stay.  Refuses likewise. */
enum pap_code ppg_entity_size(struct ppg_submission *s, uint64_t *n);
/* The body with its transfer encoding undone, likewise.  Where there was one, the octets as received are gone afterwards,
 * and with them all parts: the last step that reads s->parts. */
enum pap_code ppg_entity_decode(struct ppg_submission *s);
/* What the account is known by when it claims nothing: its first URI, a trailing star taken off. */
struct slice ppg_entity_own_uri(const struct sec_account *account);

/* Behind all checks that look at who it is: an anonymous account's identity goes no further.  PAP_CODE_ACCEPTED, or
 * PAP_CODE_INTERNAL_ERROR. */
enum pap_code ppg_entity_conceal(struct ppg_submission *s);

#endif
