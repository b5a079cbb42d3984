/* Who signed a document by certificate: the chain that its KeyInfo brings along, judged by the caller's trust alone.
 * RSA of 2048 bits or more, in its time, allowed to sign.  [XMLDSIG §4.4.4], RFC 5280 §6.  Any thread. */
#ifndef SECURITY_XML_XMLCERT_H
#define SECURITY_XML_XMLCERT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct _xmlNode;

/* Appends the signer's certificate, DER.  KeyInfo = [KeyName] X509Data, that 1*4 X509Certificate, the signer's first; ca_pem: authorities, and certificates that are
 * trusted themselves.  ERR_UNSUPPORTED: another KeyInfo; ERR_ABSENT: nobody vouches for it, or it may not sign (now);
 * ERR_MALFORMED, ERR_LIMIT, ERR_NOMEM. */
enum err sec_xmlcert_signer(struct _xmlNode *key_info, struct slice ca_pem, int64_t now_s,
                            struct buf *der) MUST_USE;

#endif
