/* What a gateway says about queues, keys, terminals, initiators, the whitelist and the audit log (ppg/admin/admin.h), for people.  For ppgctl; writes to
 * standard output; peer text loses its control octets.  One thread. */
#ifndef PPG_TOOL_LISTS_H
#define PPG_TOOL_LISTS_H

#include <jansson.h>

void tool_lists_queue(const json_t *answer);
void tool_lists_act(const json_t *answer); /* what was done to a push, then recipient by recipient */
void tool_lists_keys(const json_t *answer);
void tool_lists_associations(const json_t *answer);
void tool_lists_terminals(const json_t *answer);
void tool_lists_initiators(const json_t *answer);
void tool_lists_checks(const json_t *answer); /* of a test of an initiator */
void tool_lists_list(const json_t *answer);   /* rules with their lines */
void tool_lists_verdict(const json_t *answer);
void tool_lists_change(const json_t *answer); /* rules that went and came */
void tool_lists_diff(const json_t *answer);   /* and pushes that would be decided otherwise */
void tool_lists_audit(const json_t *answer);  /* the last lines */
void tool_lists_chain(const json_t *answer);  /* whether it holds */

#endif
