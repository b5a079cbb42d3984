/* multipart/related as slices into the body that came in: one pass, no copy, bounded.  Also the media type and
 * the header fields of a part, and its transfer encoding.
 * Lenient mode takes bare LF as line end, an unquoted `type` with a slash, a boundary with blanks and a missing
 * type parameter; strict mode is RFC 2046 and RFC 2387 to the letter.
 * Specification: PAP (HTTP binding), RFC 2045 §5, §6, RFC 2046 §5.1, RFC 2387, RFC 822 §3.1 (folding).  Any thread. */
#ifndef PAP_MIME_H
#define PAP_MIME_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define PAP_MIME_PARTS_MAX      3     /* control, content, capabilities */
#define PAP_MIME_HEADERS_MAX    64    /* fields of one part */
#define PAP_MIME_HEADERS_MAX_N  16384 /* octets of one part's header block */
#define PAP_MIME_VALUE_MAX_N    4096  /* octets of one field value, folding included */
#define PAP_MIME_BOUNDARY_MAX_N 70    /* RFC 2046 §5.1.1 */

struct pap_part {
    struct slice headers; /* raw block without the empty line; checked, so walking it cannot be malformed */
    struct slice type; /* value of Content-Type as it stands (maybe folded); p == NULL when there is none */
    struct slice body; /* still in its transfer encoding */
};

struct pap_parts {
    struct pap_part part[PAP_MIME_PARTS_MAX]; /* 0: control (the root), 1: content, 2: capabilities */
    size_t n;                                 /* 2 or 3 */
};

/* Splits the body of a request with this Content-Type.  All slices borrow from `body`.  The part that `start`
 * names is the root, else the first.  ERR_UNSUPPORTED: not multipart/related; ERR_MALFORMED; ERR_LIMIT: a
 * fourth part, or a ceiling above.  *why: static text of the reason, written on failure only. */
enum err pap_mime_split(struct slice content_type, struct slice body, bool strict, struct pap_parts *out,
                        const char **why) MUST_USE;

struct pap_header {
    struct slice name;
    struct slice value; /* trimmed; a folded one is joined with single spaces, in the arena */
};

/* Takes the next field of a header block off the front of *headers.  ERR_ABSENT at the end; ERR_MALFORMED;
 * ERR_LIMIT: the value is too long; ERR_NOMEM: the arena.  *headers moves on success only. */
enum err pap_mime_header_next(struct slice *headers, struct arena *arena, struct pap_header *out) MUST_USE;
/* Value of the first field of that name, case folded.  ERR_ABSENT and the errors above. */
enum err pap_mime_header_find(struct slice headers, struct slice name, struct arena *arena,
                              struct slice *value) MUST_USE;

/* Undoes a Content-Transfer-Encoding: base64, quoted-printable, or none (7bit, 8bit, binary, empty), for which
 * *out is `body` itself.  Else *out borrows from `work`, to which the result is appended.  ERR_UNSUPPORTED:
 * another encoding; ERR_MALFORMED; ERR_LIMIT, ERR_NOMEM: work's. */
enum err pap_mime_decode(struct slice encoding, struct slice body, struct buf *work,
                         struct slice *out) MUST_USE;

struct pap_media {
    struct slice type;    /* "multipart" */
    struct slice subtype; /* "related" */
    struct slice full;    /* "multipart/related" as spelt */
    struct slice params;  /* from the first ';' on; checked */
};

/* type "/" subtype *( ";" name "=" value ), folding and blanks allowed between.  Borrows.  ERR_MALFORMED;
 * ERR_LIMIT past 64 parameters or 4 KiB. */
enum err pap_media_parse(struct slice in, bool strict, struct pap_media *out) MUST_USE;
bool pap_media_is(const struct pap_media *m, struct slice full); /* case folded */
/* Value of the first parameter of that name, without its quotes, escapes still in.  ERR_ABSENT. */
enum err pap_media_param(const struct pap_media *m, struct slice name, struct slice *value) MUST_USE;
/* Value of the charset parameter of a Content-Type, read leniently; p == NULL: it has none, or is no media type. */
struct slice pap_mime_charset(struct slice content_type);

#endif
