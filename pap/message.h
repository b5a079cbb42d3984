/* One struct per PAP document: what pap/parse.c makes of bytes and pap/print.c turns into bytes.
 * Plain data without behaviour.  Slices borrow; after a parse they live in the arena handed to the parser.
 * A text attribute that was not given has p == NULL; one given as "" has p != NULL and n == 0.  A zeroed
 * struct is "nothing given, every default", so a writer fills in only what it means.
 * Specification: WAP-164 PAP 1.0 and its DTD, WAP-247 PAP 2.0, OMA PAP 2.1 to 2.3.  Thread-free. */
#ifndef PAP_MESSAGE_H
#define PAP_MESSAGE_H

#include "base/slice.h"

/* X(NAME, element name, member of struct pap_message) in the order of enum pap_kind. */
#define PAP_KIND_LIST(X)                                                                                     \
    X(PUSH_MESSAGE, "push-message", push)                                                                    \
    X(PUSH_RESPONSE, "push-response", push_response)                                                         \
    X(CANCEL_MESSAGE, "cancel-message", cancel)                                                              \
    X(CANCEL_RESPONSE, "cancel-response", cancel_response)                                                   \
    X(RESULTNOTIFICATION_MESSAGE, "resultnotification-message", notification)                                \
    X(RESULTNOTIFICATION_RESPONSE, "resultnotification-response", notification_response)                     \
    X(STATUSQUERY_MESSAGE, "statusquery-message", status)                                                    \
    X(STATUSQUERY_RESPONSE, "statusquery-response", status_response)                                         \
    X(CCQ_MESSAGE, "ccq-message", ccq)                                                                       \
    X(CCQ_RESPONSE, "ccq-response", ccq_response)                                                            \
    X(BADMESSAGE_RESPONSE, "badmessage-response", bad)

enum pap_kind {
    PAP_KIND_NONE, /* not known; never the kind of a parsed message */
#define PAP_KIND_ENUM(name, text, member) PAP_KIND_##name,
    PAP_KIND_LIST(PAP_KIND_ENUM)
#undef PAP_KIND_ENUM
        PAP_KIND_COUNT
};

/* From the public identifier of the DOCTYPE.  A later minor of a known major counts as the latest one here. */
enum pap_version {
    PAP_VERSION_NONE, /* no DOCTYPE, or one that names no PAP version */
    PAP_VERSION_1_0,
    PAP_VERSION_2_0,
    PAP_VERSION_2_1,
    PAP_VERSION_2_2,
    PAP_VERSION_2_3,
    PAP_VERSION_UNSUPPORTED, /* another major: refused with 3002 */
    PAP_VERSION_COUNT
};

/* X(number, NAME, text).  Class by first digit; x500 to x999 are private. */
#define PAP_CODE_LIST(X)                                                                                     \
    X(1000, OK, "OK")                                                                                        \
    X(1001, ACCEPTED, "Accepted for Processing")                                                             \
    X(2000, BAD_REQUEST, "Bad Request")                                                                      \
    X(2001, FORBIDDEN, "Forbidden")                                                                          \
    X(2002, ADDRESS_ERROR, "Address Error")                                                                  \
    X(2003, ADDRESS_NOT_FOUND, "Address Not Found")                                                          \
    X(2004, PUSH_ID_NOT_FOUND, "Push ID Not Found")                                                          \
    X(2005, CAPABILITIES_MISMATCH, "Capabilities Mismatch")                                                  \
    X(2006, CAPABILITIES_NOT_SUPPORTED, "Required Capabilities Not Supported")                               \
    X(2007, DUPLICATE_PUSH_ID, "Duplicate Push ID")                                                          \
    X(2008, CANCELLATION_NOT_POSSIBLE, "Cancellation Not Possible")                                          \
    X(3000, INTERNAL_ERROR, "Internal Server Error")                                                         \
    X(3001, NOT_IMPLEMENTED, "Not Implemented")                                                              \
    X(3002, VERSION_NOT_SUPPORTED, "Version Not Supported")                                                  \
    X(3003, NOT_POSSIBLE, "Not Possible")                                                                    \
    X(3004, MATCHING_NOT_SUPPORTED, "Capability Matching Not Supported")                                     \
    X(3005, MULTIPLE_ADDRESSES, "Multiple Addresses Not Supported")                                          \
    X(3006, TRANSFORMATION_FAILURE, "Transformation Failure")                                                \
    X(3007, METHOD_NOT_POSSIBLE, "Specified Delivery Method Not Possible")                                   \
    X(3008, CAPABILITIES_NOT_AVAILABLE, "Capabilities Not Available")                                        \
    X(3009, NETWORK_NOT_AVAILABLE, "Required Network Not Available")                                         \
    X(3010, BEARER_NOT_AVAILABLE, "Required Bearer Not Available")                                           \
    X(3011, REPLACEMENT_NOT_SUPPORTED, "Replacement Not Supported")                                          \
    X(4000, SERVICE_FAILURE, "Service Failure")                                                              \
    X(4001, SERVICE_UNAVAILABLE, "Service Unavailable")                                                      \
    X(5000, CLIENT_ABORTED, "Mobile Client Aborted")                                                         \
    X(5026, CLIENT_USERREQ, "Mobile Client Aborted: requested by client")                                    \
    X(5027, CLIENT_USERRFS, "Mobile Client Aborted: refused, do not try again")                              \
    X(5028, CLIENT_USERPND, "Mobile Client Aborted: application not reachable")                              \
    X(5029, CLIENT_USERDCR, "Mobile Client Aborted: lack of resources")                                      \
    X(5030, CLIENT_USERDCU, "Mobile Client Aborted: content type cannot be processed")

/* A parsed document may carry any number from 1000 to 5999; 0 is "no code given". */
enum pap_code {
    PAP_CODE_NONE = 0,
#define PAP_CODE_ENUM(number, name, text) PAP_CODE_##name = (number),
    PAP_CODE_LIST(PAP_CODE_ENUM)
#undef PAP_CODE_ENUM
};

/* message-state; all but pending and unknown are final. */
#define PAP_STATE_LIST(X)                                                                                    \
    X(REJECTED, "rejected")                                                                                  \
    X(PENDING, "pending")                                                                                    \
    X(DELIVERED, "delivered")                                                                                \
    X(UNDELIVERABLE, "undeliverable")                                                                        \
    X(EXPIRED, "expired")                                                                                    \
    X(ABORTED, "aborted")                                                                                    \
    X(TIMEOUT, "timeout")                                                                                    \
    X(CANCELLED, "cancelled")                                                                                \
    X(UNKNOWN, "unknown")

enum pap_state {
    PAP_STATE_NONE,
#define PAP_STATE_ENUM(name, text) PAP_STATE_##name,
    PAP_STATE_LIST(PAP_STATE_ENUM)
#undef PAP_STATE_ENUM
        PAP_STATE_COUNT
};

/* Zero is the default of the DTD in each of these. */
enum pap_priority { PAP_PRIORITY_MEDIUM, PAP_PRIORITY_HIGH, PAP_PRIORITY_LOW, PAP_PRIORITY_COUNT };
enum pap_delivery {
    PAP_DELIVERY_NOTSPECIFIED,
    PAP_DELIVERY_CONFIRMED,
    PAP_DELIVERY_PREFERCONFIRMED,
    PAP_DELIVERY_UNCONFIRMED,
    PAP_DELIVERY_COUNT
};
enum pap_replace { PAP_REPLACE_ALL, PAP_REPLACE_PENDING_ONLY, PAP_REPLACE_COUNT };

struct pap_time {
    int64_t utc_s; /* seconds since 1970, never negative; meaningful when given */
    bool given;
};

/* address-value of each address, in document order, as the sender spelt it (entities resolved). */
struct pap_addrs {
    struct slice *v;
    size_t n;
};

/* quality-of-service */
struct pap_qos {
    bool given;
    enum pap_priority priority;
    enum pap_delivery delivery; /* delivery-method */
    struct slice network;
    struct slice bearer;
    bool network_required;
    bool bearer_required;
};

/* progress-note */
struct pap_note {
    struct slice stage;
    struct slice note;
    struct pap_time time;
};
struct pap_notes {
    struct pap_note *v;
    size_t n;
};

/* response-result (code, desc), cancel-result (and addrs), statusquery-result (all members) */
struct pap_result {
    enum pap_code code;
    struct slice desc;
    enum pap_state state;       /* message-state */
    struct pap_time event_time; /* when that state was reached */
    struct pap_addrs addrs;
    struct pap_qos qos;
};
struct pap_results {
    struct pap_result *v;
    size_t n;
};

struct pap_push {
    struct slice push_id;
    struct slice replace_push_id; /* 2.0 and later */
    enum pap_replace replace_method;
    struct pap_time deliver_before;
    struct pap_time deliver_after;
    struct slice source_reference;
    bool progress_notes_requested;
    struct slice notify_to; /* ppg-notify-requested-to: URL, unchecked (pap/check.h) */
    struct pap_addrs addrs;
    struct pap_qos qos;
};

struct pap_push_response {
    struct slice push_id;
    struct slice sender_address;
    struct slice sender_name;
    struct pap_time reply_time;
    struct pap_notes notes;
    struct pap_result result; /* code and desc only */
};

/* cancel-message, statusquery-message; no address means all recipients */
struct pap_query {
    struct slice push_id;
    struct pap_addrs addrs;
};

/* cancel-response, statusquery-response */
struct pap_query_response {
    struct slice push_id;
    struct pap_results results;
};

struct pap_notification {
    struct slice push_id;
    struct slice sender_address;
    struct slice sender_name;
    struct pap_time received_time;
    struct pap_time event_time;
    enum pap_state state;
    enum pap_code code;
    struct slice desc;
    struct pap_addrs addrs; /* one by the DTD; more are read */
    struct pap_qos qos;
};

struct pap_notification_response {
    struct slice push_id;
    enum pap_code code;
    struct slice desc;
    struct pap_addrs addrs; /* one or none */
};

struct pap_ccq {
    struct slice query_id;
    struct slice app_id;
    struct pap_addrs addrs; /* exactly one */
};

struct pap_ccq_response {
    struct slice query_id;
    enum pap_code code;
    struct slice desc;
    struct pap_addrs addrs; /* exactly one */
};

struct pap_bad {
    enum pap_code code; /* absent in plain 1.0 */
    struct slice desc;
    struct slice fragment; /* bad-message-fragment */
};

struct pap_message {
    enum pap_kind kind; /* names the valid member of the union */
    enum pap_version version;
    struct slice product_name;
    struct slice supported_versions; /* of the wap-pap-ver instruction, "2.0,1.*"; read, never printed */
    union {
        struct pap_push push;
        struct pap_push_response push_response;
        struct pap_query cancel;
        struct pap_query_response cancel_response;
        struct pap_notification notification;
        struct pap_notification_response notification_response;
        struct pap_query status;
        struct pap_query_response status_response;
        struct pap_ccq ccq;
        struct pap_ccq_response ccq_response;
        struct pap_bad bad;
    };
};

#endif
