/* A client's session and the tickets of its context (RFC 8446 §4.6.1, RFC 5077): offered before the handshake, kept as soon
 * as the server has given one.  Whoever resumes is judged again (tls_judge.c).  On the session's thread. */
#include "base/net/tls_resume.h"

#include <gnutls/gnutls.h>
#include <time.h>

#include "base/mem.h"

void tls_resume_offer(struct net_tls *t)
{
    struct buf session;

    buf_init(&session, TLS_TICKET_MAX_N);
    (void)buf_room(&session, TLS_TICKET_MAX_N); /* it never moves, and is wiped whole */
    if (tls_tickets_take(t->ctx->tickets, slice_str(t->name), (int64_t)time(NULL), &session))
        (void)gnutls_session_set_data(t->session, session.p, session.n);
    buf_wipe(&session);
}

/* Under TLS 1.3 the ticket comes at some time behind the handshake, and GnuTLS, asked earlier, would wait for it.  Under TLS 1.2
 * one may serve again (RFC 5077 §3.3). */
static bool has_ticket(const struct net_tls *t)
{
    return gnutls_protocol_get_version(t->session) != GNUTLS_TLS1_3 ||
           (gnutls_session_get_flags(t->session) & GNUTLS_SFLAGS_SESSION_TICKET);
}

void tls_resume_keep(struct net_tls *t)
{
    gnutls_datum_t session;

    if (!t->ctx->tickets || t->ticket_kept || !t->name || !has_ticket(t) ||
        gnutls_session_get_data2(t->session, &session) < 0)
        return;
    tls_tickets_keep(t->ctx->tickets, slice_str(t->name), slice_of(session.data, session.size),
                     (int64_t)time(NULL));
    mem_wipe(session.data, session.size);
    gnutls_free(session.data);
    t->ticket_kept = true;
}
