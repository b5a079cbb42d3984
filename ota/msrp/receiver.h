/* Messages on their way in, in one session: put together out of chunks, answered, reported.  RFC 4975 §5.4, §7.3.  Ceilings come before
 * memory: what says that it is too large is stopped (413) before it is kept.  No I/O: units in, octets out.  One thread. */
#ifndef OTA_MSRP_RECEIVER_H
#define OTA_MSRP_RECEIVER_H

#include "base/list.h"
#include "ota/msrp/frame.h"
#include "ota/msrp/ranges.h"

#define OTA_MSRP_INCOMING_MAX 4 /* messages that are not whole yet; one more pushes out the oldest */

/* A whole message; borrowed during the call. */
struct ota_msrp_incoming {
    struct slice message_id;
    struct slice content_type;
    struct slice body;
};

struct ota_msrp_receiver_conf {
    struct slice path; /* ours; outlives the receiver */
    size_t max_n;      /* octets of a message */
    /* The status for its last chunk: 200, or why not. */
    unsigned (*message)(const struct ota_msrp_incoming *m, void *arg);
    void *arg;
};

struct ota_msrp_receiver {
    struct ota_msrp_receiver_conf conf;
    struct list parts; /* of messages, the oldest first */
    size_t parts_n;
    struct ota_msrp_part *part; /* that the chunk under way belongs to; NULL: none */
    unsigned status;            /* of that chunk */
    uint64_t at;                /* number of its next octet */
};

void ota_msrp_receiver_init(struct ota_msrp_receiver *r, const struct ota_msrp_receiver_conf *conf);
void ota_msrp_receiver_clear(struct ota_msrp_receiver *r);
/* The next unit of the connection; what is to be sent back is appended: answers, success reports.  ERR_LIMIT, ERR_NOMEM: of out. */
enum err ota_msrp_receiver_take(struct ota_msrp_receiver *r, const struct ota_msrp_unit *u,
                                struct buf *out) MUST_USE;

#endif
