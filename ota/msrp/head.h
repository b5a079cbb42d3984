/* The head of an MSRP request or response, as text: start line and headers up to the body or the end-line, and the texts that
 * we write.  RFC 4975 §7.1, §7.2, §9.  Reading is over a complete head (frame.h waits for one); views only.  Any thread. */
#ifndef OTA_MSRP_HEAD_H
#define OTA_MSRP_HEAD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define OTA_MSRP_HEAD_MAX_N ((size_t)4 << 10) /* octets */
#define OTA_MSRP_TID_MIN_N  4
#define OTA_MSRP_ID_MAX_N   32         /* of transaction ids and Message-IDs */
#define OTA_MSRP_ANY        UINT64_MAX /* "*" in Byte-Range */

enum ota_msrp_kind { OTA_MSRP_SEND, OTA_MSRP_REPORT, OTA_MSRP_OTHER, OTA_MSRP_RESPONSE };
enum ota_msrp_failure { OTA_MSRP_FAILURE_YES, OTA_MSRP_FAILURE_NO, OTA_MSRP_FAILURE_PARTIAL };

struct ota_msrp_head {
    enum ota_msrp_kind kind;
    struct slice tid;
    unsigned status;         /* of a response, 100..999 */
    struct slice to_path;    /* URIs, a space between any two */
    struct slice from_path;  /* likewise */
    struct slice message_id; /* n 0: none */
    bool has_range;
    uint64_t from, to, total; /* OTA_MSRP_ANY where it has "*" */
    bool success_report;
    enum ota_msrp_failure failure_report;
    unsigned report_status;    /* Status of a report, of name space 000; 0: none */
    struct slice content_type; /* n 0: none */
};

/* text: the lines, each with its CRLF, without the empty line.  ERR_MALFORMED: a line without CRLF, a control octet, a bad
 * transaction id, To-Path and From-Path not first, a known header twice or unreadable; ERR_LIMIT: longer than
 * OTA_MSRP_HEAD_MAX_N. */
enum err ota_msrp_head_read(struct slice text, struct ota_msrp_head *out) MUST_USE;

/* The first URI of a path. */
struct slice ota_msrp_first(struct slice path);

/* A whole response to a request; it goes where the request came from last (§7.2). */
void ota_msrp_response_print(const struct ota_msrp_head *request, unsigned status, struct buf *out);

/* "-------" tid flag CRLF.  flag: '$' the last chunk, '+' more to come, '#' given up. */
void ota_msrp_end_print(struct slice tid, char flag, struct buf *out);

#endif
