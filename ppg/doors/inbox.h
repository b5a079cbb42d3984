/* The door through which terminals fetch what waits for them (pull).
 *
 * Story.  A push to a terminal that fetches goes the way of every push until there is nothing to send: then it waits in the
 * store as an item of that terminal's inbox (schedule.h, ppg_schedule_parked).  The terminal connects with TLS, proves who
 * it is, and asks: GET /inbox lists what there is, at once or when something has come; GET /inbox/ITEM brings one, whole or
 * a range of it, protected as the push, the terminal and policy want; DELETE /inbox/ITEM says that the terminal has it,
 * which ends the target as delivered, durably, before the answer.  An object that the initiator encrypted for the terminal
 * waits and goes as it came; a terminal whose keys for objects are here (object-name) may ask for what is in it instead, with
 * X-Push-Object: decrypted, and then has it inside TLS and as `full` or not at all.  [DM message security 5.9].  What is another's, was fetched or never was is 404, all
 * alike.  [CPM 5.1.3.4, 5.1.3.5].  One per core; the item's content is protected on the loop that owns the terminal. */
#ifndef PPG_DOORS_INBOX_H
#define PPG_DOORS_INBOX_H

#include "base/net/httpd.h"
#include "ppg/core.h"

#define PPG_INBOX_NAME "inbox" /* stands for the initiator in rules about who may fetch */

enum err ppg_inbox_create(struct ppg_core *c, struct ppg_inbox **out) MUST_USE;
void ppg_inbox_free(struct ppg_inbox **i); /* no request may be open */

/* The callback of its listeners; arg is the struct ppg_core. */
void ppg_inbox_request(struct net_http_exchange *x, void *arg);
/* Answers those who waited long enough, or for whom something has come; when draining all. */
void ppg_inbox_tick(struct ppg_inbox *i);
size_t ppg_inbox_open(const struct ppg_inbox *i); /* requests without answer */

#endif
