/* One message on its way out in chunks: what is sent next, what the answers and reports come to.  RFC 4975 §5.4, §7.1.  No I/O, no
 * clock: octets are appended, heads and the time are handed in.  The body is borrowed until the sender is cleared.  One thread. */
#ifndef OTA_MSRP_SENDER_H
#define OTA_MSRP_SENDER_H

#include "ota/msrp/head.h"
#include "ota/msrp/ranges.h"

#define OTA_MSRP_CHUNK_N     2048  /* octets of each chunk but the last (§7.1.1) */
#define OTA_MSRP_WINDOW      32    /* chunks without an answer yet */
#define OTA_MSRP_RESPONSE_MS 30000 /* after the last octet of a chunk */
#define OTA_MSRP_TID_N       16

enum ota_msrp_end {
    OTA_MSRP_GOING,
    OTA_MSRP_SENT,       /* every chunk has its 200, and no report was wanted */
    OTA_MSRP_REPORTED,   /* success reports cover all octets */
    OTA_MSRP_REFUSED,    /* status: of an answer, or of a report */
    OTA_MSRP_SILENT,     /* no answer to a chunk in time */
    OTA_MSRP_UNREPORTED, /* every chunk has its 200, but no report came in time */
};

/* Borrowed until the sender is cleared. */
struct ota_msrp_outgoing {
    struct slice to_path, from_path;
    struct slice message_id; /* 4 to 32 octets */
    struct slice content_type;
    struct slice head; /* octets before the body, of one message with it; may be empty */
    struct slice body;
    size_t chunk_n;                          /* OTA_MSRP_CHUNK_N; less only in tests */
    bool success;                            /* a success report is wanted ... */
    int64_t report_ms;                       /* ... so long after the last chunk */
    enum err (*chance)(void *out, size_t n); /* for transaction ids: sec_random */
};

struct ota_msrp_sender {
    struct ota_msrp_outgoing what;
    size_t total_n;              /* octets of head and body */
    size_t sent_n;               /* of these, that have left */
    char seam[OTA_MSRP_CHUNK_N]; /* the chunk with the end of the head and the beginning of the body */
    bool all_sent;               /* and the last chunk with them */
    struct ota_msrp_waiting {
        char tid[OTA_MSRP_TID_N];
        int64_t late_ms; /* monotonic */
    } waiting[OTA_MSRP_WINDOW];
    size_t waiting_n;
    size_t chunks_n; /* that have left */
    struct ota_msrp_ranges reported;
    int64_t report_late_ms; /* 0: the last chunk has not left */
    enum ota_msrp_end end;
    unsigned status; /* REFUSED */
};

void ota_msrp_sender_init(struct ota_msrp_sender *s, const struct ota_msrp_outgoing *what);
/* Appends the next chunk.  ERR_ABSENT: nothing is to be sent now; ERR_MALFORMED: no transaction id is free of the content;
 * ERR_IO, ERR_LIMIT, ERR_NOMEM. */
enum err ota_msrp_sender_next(struct ota_msrp_sender *s, int64_t now_ms, struct buf *out) MUST_USE;
/* Tells the far end that no more will come of a message of which something has left (§7.1.1).  Nothing to say: nothing is added. */
enum err ota_msrp_sender_abort(struct ota_msrp_sender *s, struct buf *out) MUST_USE;
/* A response or report has come; one that is not of this message changes nothing.  True: it was. */
bool ota_msrp_sender_heard(struct ota_msrp_sender *s, const struct ota_msrp_head *h);
/* Sees what is late. */
void ota_msrp_sender_tick(struct ota_msrp_sender *s, int64_t now_ms);
/* Milliseconds until a tick is needed; -1: none is. */
int64_t ota_msrp_sender_wait_ms(const struct ota_msrp_sender *s, int64_t now_ms);

#endif
