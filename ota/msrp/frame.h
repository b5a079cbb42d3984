/* MSRP messages out of a stream of octets.  A message has no length: it ends with a line of seven hyphens, its transaction id
 * and a flag (RFC 4975 §7.1).  A body is handed on in pieces as it comes, so memory does not follow what a peer announces.  One
 * frame belongs to one connection and one thread. */
#ifndef OTA_MSRP_FRAME_H
#define OTA_MSRP_FRAME_H

#include "ota/msrp/head.h"

#define OTA_MSRP_PIECE_N ((size_t)8 << 10) /* so much of a body that has not ended yet is handed on */

struct ota_msrp_unit {
    const struct ota_msrp_head *head; /* the same one for all pieces of a message */
    bool begins;                      /* the first piece */
    bool has_body;
    struct slice body; /* this piece of it */
    char flag;         /* '$', '+' or '#': it ends with this piece; 0: there is more to come */
};

struct ota_msrp_frame {
    struct buf in;   /* what has come and was not taken */
    size_t taken_n;  /* octets at its front that the last unit had */
    size_t seen_n;   /* so many were looked through already */
    struct buf text; /* the head under way */
    struct ota_msrp_head head;
    bool in_body;
    bool begun;   /* a piece of the body was handed on */
    enum err err; /* once broken, always so: nobody knows where the next message begins */
};

/* Allocates nothing yet. */
void ota_msrp_frame_init(struct ota_msrp_frame *f);
void ota_msrp_frame_clear(struct ota_msrp_frame *f);
/* Take all units before feeding more than a read's worth (64 KiB): ERR_LIMIT; ERR_NOMEM. */
enum err ota_msrp_frame_feed(struct ota_msrp_frame *f, struct slice in) MUST_USE;
/* The next unit; what it borrows lives until the next call with this frame.  ERR_AGAIN: feed more.  ERR_MALFORMED, ERR_LIMIT (a
 * head too long), ERR_NOMEM: close the connection. */
enum err ota_msrp_frame_next(struct ota_msrp_frame *f, struct ota_msrp_unit *out) MUST_USE;

#endif
