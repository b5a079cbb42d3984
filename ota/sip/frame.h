/* Messages out of octets.  On a stream (TCP, TLS) a message ends where Content-Length says, which must be there; a double
 * CRLF between messages is a ping (RFC 5626 §3.5.1), a single one nothing.  A datagram is one message; what is longer than it
 * says is cut, what is shorter is broken (RFC 3261 §18.3).  One frame belongs to one connection and one thread. */
#ifndef OTA_SIP_FRAME_H
#define OTA_SIP_FRAME_H

#include "base/buf.h"
#include "ota/sip/head.h"

#define OTA_SIP_BODY_MAX_N ((size_t)64 << 10)

struct ota_sip_unit {
    bool ping;         /* and nothing else: one CRLF answers it */
    struct slice head; /* text for the parser, NUL behind it */
    struct slice body; /* octets */
    size_t wire_n;     /* of the whole */
};

struct ota_sip_frame {
    struct buf in;   /* what has come and was not taken */
    struct buf text; /* the head of the unit that was taken last */
    size_t taken_n;  /* octets at the front of `in` that belong to it */
    size_t need_n;   /* so many octets must be there before it is worth looking again ... */
    size_t seen_n;   /* ... and in so many the head does not end */
    enum err err;    /* once broken, always so: nobody knows where the next message begins */
};

/* Allocates nothing yet. */
void ota_sip_frame_init(struct ota_sip_frame *f);
void ota_sip_frame_clear(struct ota_sip_frame *f);
/* ERR_LIMIT: more than one message may have, with units waiting to be taken; ERR_NOMEM. */
enum err ota_sip_frame_feed(struct ota_sip_frame *f, struct slice in) MUST_USE;
/* The next unit; its slices live until the next call with this frame.  ERR_AGAIN: feed more.  ERR_MALFORMED (no
 * Content-Length among them), ERR_LIMIT, ERR_NOMEM: close the connection. */
enum err ota_sip_frame_next(struct ota_sip_frame *f, struct ota_sip_unit *out) MUST_USE;

/* Head to *text (which must be empty), body borrowed from the datagram.  ERR_ABSENT: nothing but line ends, a keep-alive.
 * ERR_MALFORMED, ERR_LIMIT, ERR_NOMEM: drop it. */
enum err ota_sip_datagram_read(struct slice datagram, struct buf *text, struct ota_sip_unit *out) MUST_USE;

#endif
