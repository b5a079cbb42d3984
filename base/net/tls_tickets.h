/* What lets clients resume their TLS sessions, by the name of the server: the last ticket of each, good once and not for
 * long (RFC 8446 §4.6.1, §C.4; RFC 5077).  Octets in, octets out, for tls_resume.c; the server's certificate is
 * judged again whenever a session was resumed.  It is part of a context, so that other credentials or trust anchors begin with
 * none.  Any thread. */
#ifndef BASE_NET_TLS_TICKETS_H
#define BASE_NET_TLS_TICKETS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define TLS_TICKETS_MAX   65536u
#define TLS_TICKET_MAX_N  16384u /* octets of a session; a longer one is not kept */
#define TLS_TICKET_LIFE_S (4 * 3600)

struct tls_tickets;
/* max_n 1..TLS_TICKETS_MAX servers; beyond it the one that was longest without a new ticket is forgotten.  ERR_LIMIT,
 * ERR_NOMEM. */
enum err tls_tickets_create(size_t max_n, struct tls_tickets **out) MUST_USE;
void tls_tickets_free(struct tls_tickets **t); /* wipes; NULL is fine */
/* Copies; in the place of what was there.  Nothing is kept when it is too long or memory is out. */
void tls_tickets_keep(struct tls_tickets *t, struct slice name, struct slice session, int64_t now_s);
/* Moves it out into `out`, which is clear, and is wiped by the caller; false: there is none, or it is too old. */
bool tls_tickets_take(struct tls_tickets *t, struct slice name, int64_t now_s, struct buf *out);
size_t tls_tickets_n(struct tls_tickets *t);

#endif
