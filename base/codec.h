/* Text forms of octets: hexadecimal, base64 (RFC 4648 §4), percent encoding (RFC 3986 §2.1).  All append
 * to a buf whose ceiling bounds them; a decoder that fails has added nothing.  Thread-free. */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

void codec_hex(struct buf *out, struct slice in); /* lower case */
enum err codec_unhex(struct slice in, void *out,
                     size_t out_n) MUST_USE;         /* exactly out_n octets, or ERR_MALFORMED */
void codec_base64(struct buf *out, struct slice in); /* padded, one line */
/* strict: alphabet, padding and no white space; ERR_MALFORMED.  lenient: white space skipped (MIME bodies).
 * Pad bits must be zero either way (RFC 4648 §3.5).  ERR_LIMIT, ERR_NOMEM from out. */
enum err codec_unbase64(struct slice in, bool lenient, struct buf *out) MUST_USE;
/* Decodes %XX; a bad escape is ERR_MALFORMED.  ERR_LIMIT, ERR_NOMEM from out. */
enum err codec_unpercent(struct slice in, struct buf *out) MUST_USE;
/* Escapes all but ALPHA DIGIT and the octets of `also`. */
void codec_percent(struct buf *out, struct slice in, const char *also);

#endif
