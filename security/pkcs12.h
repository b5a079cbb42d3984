/* A certificate and its key out of one file, as operators and phones pass them on (PKCS #12, RFC 7292).  Any thread. */
#ifndef SECURITY_PKCS12_H
#define SECURITY_PKCS12_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the key to *key_pem (its owner wipes it) and the certificates to *chain_pem, the key's own first.  ERR_DENIED
 * another password, or the octets were changed; ERR_MALFORMED no such file; ERR_ABSENT without a key or its certificate;
 * ERR_LIMIT past the ceiling of a buf, or rounds of its MAC without end; ERR_NOMEM. */
enum err sec_pkcs12_open(struct slice der, struct slice password, struct buf *key_pem,
                         struct buf *chain_pem) MUST_USE;

#endif
