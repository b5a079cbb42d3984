/* Text forms of octets: hexadecimal, base64 (RFC 4648 §4, §5), percent encoding (RFC 3986 §2.1), JSON strings; and UTF-8.  All append
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
/* base64url without padding (RFC 4648 §5, RFC 7515 §2): alphabet and zero pad bits, nothing else; ERR_MALFORMED.
 * ERR_LIMIT, ERR_NOMEM from out. */
enum err codec_unbase64url(struct slice in, struct buf *out) MUST_USE;
/* Decodes %XX; a bad escape is ERR_MALFORMED.  ERR_LIMIT, ERR_NOMEM from out. */
enum err codec_unpercent(struct slice in, struct buf *out) MUST_USE;
/* Escapes all but ALPHA DIGIT and the octets of `also`. */
void codec_percent(struct buf *out, struct slice in, const char *also);

/* A JSON string with its quotes (RFC 8259 §7); each octet that is no UTF-8 becomes \ufffd. */
void codec_json(struct buf *out, struct slice in);
/* Octets (1..4) and *code point of the UTF-8 character at s.p[0], s not empty; 0 when there is none (RFC 3629 §4). */
size_t codec_utf8_n(struct slice s, uint32_t *code);
bool codec_is_utf8(struct slice s); /* all of it */

#endif
