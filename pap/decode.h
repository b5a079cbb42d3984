/* A document of any character encoding that is read here, in UTF-8.  With libxml2's decoders, so that what they take
 * and what its parser takes is one thing.  XML 1.0 (5th ed.) §4.3.3.  Any thread. */
#ifndef PAP_DECODE_H
#define PAP_DECODE_H

#include "base/buf.h"
#include "base/err.h"
#include "pap/prescan.h"

/* UTF-8 is given back as it is; else `work` is made anew, holds the octets and *out borrows from it.
 * ERR_UNSUPPORTED: another encoding; ERR_MALFORMED: octets that are not of it; ERR_NOMEM.  in.n is below INT_MAX / 2. */
enum err pap_decode(enum pap_charset charset, struct slice in, struct buf *work, struct slice *out) MUST_USE;

#endif
