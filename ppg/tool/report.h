/* PAP answers and notifications for people, a line each, or as JSON objects, one a line; and what they mean for an exit
 * status.  For pap-push; writes to standard output.  [PAP §4, §6, §7].  One thread. */
#ifndef PPG_TOOL_REPORT_H
#define PPG_TOOL_REPORT_H

#include "ppg/tool/query.h"

/* 0 for a code 1xxx, else the class, 2 to 5; TOOL_FAULT for a number that is none.  [PAP §6]. */
int tool_report_exit(enum pap_code code);

/* These print and give the exit status.  Of several results the highest class counts: one recipient that could not be
 * cancelled makes it 2, whatever the others came to. */
int tool_report_push(bool json, const struct pap_push_response *r);
int tool_report_results(bool json, const struct pap_query_response *r); /* of a cancel or a status query */
/* file: where the capabilities were written to; NULL: they are printed. */
int tool_report_capabilities(bool json, const struct tool_answer *a, const char *file);
int tool_report_bad(bool json, const struct pap_bad *bad);

void tool_report_notification(bool json, const struct pap_notification *n);

/* What came of it when no PAP answer did: gives `status` back. */
int tool_report_failure(bool json, int status, const char *why);

#endif
