/* XML control entity to struct pap_message.  One pass of libxml2's SAX2 push parser over a reused context; no
 * tree, no DTD, no entity but the five predefined, no network, no file.  The XML declaration and the DOCTYPE
 * never reach libxml2: pap/prescan.c reads them.
 * Lenient mode takes what deployed initiators send: unknown attributes, folded case of enumerated values,
 * children out of order, any DOCTYPE identifiers.  Well-formedness and the ceilings are the same in both.
 * Specification: PAP 1.0 to 2.3, XML 1.0 (5th ed.).  A parser belongs to one thread at a time. */
#ifndef PAP_PARSE_H
#define PAP_PARSE_H

#include "base/arena.h"
#include "base/err.h"
#include "pap/message.h"

struct pap_parser; /* libxml2 context and state, reused from document to document */

struct pap_limits {
    size_t control_max_n;    /* octets of the control entity */
    size_t attributes_max;   /* attributes of one element */
    size_t depth_max;        /* nested elements */
    size_t addresses_max;    /* repeated children of the whole document; more is 3005 */
    size_t attr_value_max_n; /* octets of one attribute value */
    size_t url_max_n;        /* octets of ppg-notify-requested-to */
    bool strict;
};

#define PAP_LIMITS_DEFAULT ((struct pap_limits){65536, 64, 16, 1000, 4096, 2048, false})

#define PAP_FRAGMENT_MAX   256 /* characters of a bad-message-fragment */

/* Why a document was refused and how to answer it.  kind names the message when it got far enough to be
 * attributed and is well-formed up to the fault; answer with pap_kind_answer(kind) and push_id or query_id.
 * PAP_KIND_NONE: answer with a badmessage-response. */
struct pap_fault {
    enum pap_code code; /* 2000, 3000 (memory), 3002 (version), 3005 (address count) */
    enum pap_kind kind;
    enum pap_version version;
    struct slice push_id;  /* in the arena; p == NULL when not known */
    struct slice query_id; /* ccq only; likewise */
    struct slice address;  /* first address read, for answers that must name one; likewise */
    char desc[128];        /* one short line, printable ASCII */
    struct slice fragment; /* offending input from its '<' on, clipped, without control characters; in the
                            * arena; may be broken UTF-8, which pap_print() repairs */
};

/* ERR_NOMEM. */
enum err pap_parser_create(struct pap_parser **out) MUST_USE;
void pap_parser_free(struct pap_parser **parser);

/* Parses one whole document.  *out, its slices and *fault live in `arena` (the parser keeps nothing).
 * ERR_MALFORMED: XML or grammar; ERR_LIMIT: a ceiling; ERR_UNSUPPORTED: PAP version (3002) or character
 * encoding (2000); ERR_NOMEM: the arena or the heap.  *fault is written on failure, *out on success, never
 * both. */
enum err pap_parse(struct pap_parser *parser, struct slice xml, const struct pap_limits *limits,
                   struct arena *arena, struct pap_message *out, struct pap_fault *fault) MUST_USE;
/* The same of a document that came with a media type: `charset` is that parameter of it, as pap_mime_charset() finds it,
 * and stands above the encoding that the document declares (RFC 7303 §3.2). */
enum err pap_parse_as(struct pap_parser *parser, struct slice xml, struct slice charset,
                      const struct pap_limits *limits, struct arena *arena, struct pap_message *out,
                      struct pap_fault *fault) MUST_USE;

#endif
