/* What is known of a terminal's capabilities, told to initiators that ask, and compared with what they assume
 * ([PAP §8.7], part three of a submission [PAP §3.1]).  Known is what the operator wrote in terminals.conf and what the
 * terminal said when it was registered, which counts for seven days ([OTA-HTTP §4]).  Runs on the core's loop. */
#ifndef PPG_CAPABILITIES_H
#define PPG_CAPABILITIES_H

#include "ota/profile.h"
#include "pap/message.h"
#include "ppg/submission.h"

/* The profile to go by; its texts live in the registry and in mem.  !out->known: nothing is known.  ERR_NOMEM. */
enum err ppg_capabilities_known(const struct ppg_core *c, const struct ota_terminal *t, struct arena *mem,
                                struct ota_profile *out) MUST_USE;

/* The answer to a capability query: PAP_CODE_OK and the profile as RDF appended to *rdf, with the types that the gateway
 * takes and converts among those it takes.  PAP_CODE_ADDRESS_ERROR: no such terminal; PAP_CODE_CAPABILITIES_NOT_AVAILABLE:
 * nothing is known of it, or it does not serve the application asked for (empty: none was); PAP_CODE_INTERNAL_ERROR:
 * memory. */
enum pap_code ppg_capabilities_answer(struct ppg_core *c, struct slice key, struct slice app_id,
                                      struct buf *rdf);

/* A step of authorize.c.  Without a third part, or told to ignore it: PAP_CODE_ACCEPTED.  Else PAP_CODE_BAD_REQUEST: it
 * cannot be read; PAP_CODE_CAPABILITIES_MISMATCH: it claims what a recipient is known not to take;
 * PAP_CODE_MATCHING_NOT_SUPPORTED: nothing to compare, where that is an error.  s->why says why. */
enum pap_code ppg_capabilities_match(struct ppg_submission *s);

#endif
