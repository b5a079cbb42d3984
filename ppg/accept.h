/* The front door: an HTTP request of an initiator becomes a submission, or an answer.  Order of the stages:
 * head (path, method, load, authentication) - body - MIME - XML - rules - enqueue - reply.  One per core. */
#ifndef PPG_ACCEPT_H
#define PPG_ACCEPT_H

#include "base/net/httpd.h"
#include "ppg/core.h"

enum err ppg_accept_create(struct ppg_core *c, struct ppg_accept **out) MUST_USE;
void ppg_accept_free(struct ppg_accept **a); /* no submission may be open */

/* The callbacks of a PAP listener; arg is the struct ppg_core. */
unsigned ppg_accept_head(struct net_http_exchange *x, struct buf *headers, void *arg);
void ppg_accept_request(struct net_http_exchange *x, void *arg);

#endif
