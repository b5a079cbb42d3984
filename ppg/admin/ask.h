/* One request of the operator: what it says, in query or body, and the JSON it is answered with.  For admin*.c only;
 * what a request does is its route's.  Loop 0.
 *
 * A GET says it in its query, name=percent-encoded pairs, each name once; a POST in its body, a JSON object.  Both know
 * the same names, "to" (an array of addresses) only in bodies, where all other values are strings. */
#ifndef PPG_ADMIN_ASK_H
#define PPG_ADMIN_ASK_H

#include <jansson.h>

#include "base/net/httpd.h"
#include "ppg/admin/admin.h"
#include "ppg/store/store.h"

/* Names a route knows, and those it cannot do without. */
#define PPG_ASK_ID          0x01u
#define PPG_ASK_INITIATOR   0x02u
#define PPG_ASK_AS          0x04u /* another push-id */
#define PPG_ASK_HEADS       0x08u
#define PPG_ASK_TO          0x10u
#define PPG_ASK_RULE        0x20u
#define PPG_ASK_LINE        0x40u
#define PPG_ASK_RECIPIENT   0x80u
#define PPG_ASK_APPLICATION 0x100u
#define PPG_ASK_TYPE        0x200u
#define PPG_ASK_URI         0x400u
#define PPG_ASK_SIZE        0x800u
#define PPG_ASK_ASKED       0x1000u
#define PPG_ASK_AT          0x2000u
#define PPG_ASK_OPERATION   0x4000u
#define PPG_ASK_OWNER       0x8000u
#define PPG_ASK_REPLAY      0x10000u
#define PPG_ASK_COUNT       0x20000u
#define PPG_ASK_FROM        0x40000u
#define PPG_ASK_SAN         0x80000u
#define PPG_ASK_SOURCE      0x100000u
#define PPG_ASK_USER        0x200000u
#define PPG_ASK_TERMINAL    0x400000u
#define PPG_ASK_ALL         0x800000u /* "yes" */
#define PPG_ASK_FILE        0x1000000u
/* Not a name: the body of the POST is text of its own, and names stand in the query. */
#define PPG_ASK_TEXT        0x80000000u

struct ppg_admin_ask {
    struct ppg_core *core;
    struct net_http_exchange *x;
    struct arena mem; /* of the slices below */
    unsigned given;   /* of PPG_ASK_... */
    struct slice id;
    struct slice initiator;
    struct slice as;
    uint64_t heads;
    struct slice rule; /* a line of the whitelist */
    uint64_t line;
    struct slice recipient;
    struct slice application;
    struct slice type;
    struct slice uri;
    uint64_t size;
    struct slice asked; /* a protection level */
    struct slice at;    /* a time */
    struct slice operation;
    struct slice owner;
    uint64_t replay_s;
    uint64_t count;
    uint64_t from;       /* a line */
    struct slice san;    /* "URI:...", "DNS:...", "EMAIL:..." */
    struct slice source; /* an IP address */
    struct slice user;
    struct slice terminal; /* an address as written */
    struct slice all;
    struct slice file;  /* a path of this machine */
    struct slice *to;   /* addresses as written */
    struct slice *keys; /* the same, canonical */
    size_t to_n;
};

struct ppg_admin_route {
    const char *path;
    const char *method;
    unsigned may;      /* names it knows */
    unsigned must;     /* names it needs, of those */
    const char *usage; /* told with a 400 */
    void (*run)(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r);
};

/* Reads the exchange's request as the route says.  On failure it is answered (400, 503) and nothing has to be cleared. */
enum err ppg_admin_ask_read(struct ppg_core *c, struct net_http_exchange *x, const struct ppg_admin_route *r,
                            struct ppg_admin_ask *out) MUST_USE;
void ppg_admin_ask_clear(struct ppg_admin_ask *a);
/* The canonical form of an address; it lives in the ask.  ERR_MALFORMED, ERR_NOMEM. */
enum err ppg_admin_ask_key(struct ppg_admin_ask *a, struct slice raw, struct slice *key) MUST_USE;
/* The same with room for what a route keeps until its answer: n octets of zeros that begin with the ask; free() them.  NULL:
 * answered. */
void *ppg_admin_ask_new(struct ppg_core *c, struct net_http_exchange *x, const struct ppg_admin_route *r,
                        size_t n) MUST_USE;

/* --- JSON; a NULL value, or an empty text or time, leaves the member away --- */

json_t *ppg_json_text(struct slice s); /* octets above 127 become "?" when s is no UTF-8 */
void ppg_json_set(json_t *o, const char *key, json_t *value); /* takes the value */
void ppg_json_set_text(json_t *o, const char *key, struct slice s);
void ppg_json_set_n(json_t *o, const char *key, uint64_t n);
void ppg_json_set_time(json_t *o, const char *key, int64_t utc_ms); /* RFC 3339 */

/* Send the exchange's answer; the object is gone afterwards. */
void ppg_admin_answer(struct net_http_exchange *x, unsigned status, json_t *o);
void ppg_admin_refuse(struct net_http_exchange *x, unsigned status, const char *why);
/* What the store said instead of doing it: 404, 409 or 503. */
void ppg_admin_refuse_err(struct net_http_exchange *x, enum err e);

#endif
