/* struct pap_message to XML, in the spelling of the vocabulary tables.  Defaults are left out; attribute values
 * are escaped so that every character XML can carry comes back from a parser as it was.  Characters XML cannot
 * carry are dropped, broken UTF-8 becomes U+FFFD.
 * Specification: PAP 1.0 to 2.3, XML 1.0 §2.2, §2.4, §3.3.3.  Any thread. */
#ifndef PAP_PRINT_H
#define PAP_PRINT_H

#include "base/buf.h"
#include "base/err.h"
#include "pap/message.h"

/* What an initiator that sent `request` reads best: itself when 1.0, 2.0 or 2.1; 2.1 for 2.2 and 2.3; 2.0 when
 * no version, or one we do not speak, was named. */
enum pap_version pap_answer_version(enum pap_version request);

/* Appends the document with the DOCTYPE of pap_answer_version(m->version).  A badmessage-response with code
 * 3002 lists the versions we speak in the wap-pap-ver instruction.  ERR_MALFORMED: m lacks a code, state or
 * child that its kind requires (required text that is not given is printed empty); ERR_LIMIT, ERR_NOMEM: out's.
 * On failure out may hold a part. */
enum err pap_print(const struct pap_message *m, struct buf *out) MUST_USE;

#endif
