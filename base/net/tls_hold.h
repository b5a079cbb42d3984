/* The clear part of a client's handshake, looked at before GnuTLS gets it: which shared key will be wanted?  GnuTLS asks for
 * one where it cannot wait, neither in that callback nor in a hook before it; so tls_handshake.c keeps the record with the name back
 * until the key is at hand.  The name stands in the first identity of pre_shared_key in a ClientHello (RFC 8446 §4.2.11),
 * or in a ClientKeyExchange (RFC 4279 §2, RFC 5489 §2).  Names are all that is read: what else is wrong is GnuTLS's to say.
 * Bytes only; one thread a session. */
#ifndef BASE_NET_TLS_HOLD_H
#define BASE_NET_TLS_HOLD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct tls_hold {
    struct buf message; /* octets of handshake messages behind those that were looked at */
    struct buf name;    /* the identity that was found last */
    bool over;          /* nothing that comes now is clear, or of use */
};

enum err tls_hold_create(struct tls_hold **out) MUST_USE; /* ERR_NOMEM */
void tls_hold_free(struct tls_hold **h);                  /* NULL is fine */

/* Octets of the record at the start of `wire`; 0: it is not all there.  What can be no record is one of all that there is. */
size_t tls_hold_record_n(struct slice wire);
/* Looks at one record, complete and in order.  True: *version (12 or 13) and *identity, which lives until the next call. */
bool tls_hold_look(struct tls_hold *h, struct slice record, unsigned *version, struct slice *identity);

#endif
