/* What a terminal says about itself when it is registered over OTA-HTTP: its capability and preference
 * information, the tag that names this state of it, its identity.  Everything here is a stranger's text: bounded,
 * and used for nothing but sparing a push the terminal would refuse.  What one connection goes by is here; the copy
 * that others ask for is ota/profile.h, made anew from here at each registration.  [OTA-HTTP §4, §5, §8].  One thread at
 * a time. */
#ifndef OTA_CPI_H
#define OTA_CPI_H

#include "base/buf.h"
#include "base/err.h"
#include "base/net/http1.h"
#include "base/slice.h"
#include "ota/profile.h"

#define OTA_CPI_TAG_MAX_N  32   /* octets of a tag as sent; opaque, echoed as it came */
#define OTA_CPI_LIST_MAX_N 4096 /* octets of one list, repeated fields joined */
#define OTA_CPI_REQ_MAX    16   /* outstanding pushes we make use of, whatever the terminal allows */

/* The lists it says, in the order of the header names in cpi.c. */
enum ota_cpi_list {
    OTA_CPI_ACCEPT,
    OTA_CPI_CHARSETS,
    OTA_CPI_ENCODINGS,
    OTA_CPI_LANGUAGES,
    OTA_CPI_APP_IDS,
    OTA_CPI_PROFILE_URL,
    OTA_CPI_LISTS
};

/* A registration answer; views into the message. */
struct ota_registration {
    unsigned status;          /* X-Wap-Push-Status; 0: none, 1000: not three digits */
    struct slice tag;         /* n 0: none */
    struct slice terminal_id; /* n 0: none */
};

/* The cache for one terminal. */
struct ota_cpi {
    bool known; /* a registration filled it */
    char tag[OTA_CPI_TAG_MAX_N];
    size_t tag_n;                    /* octets; 0: no tag */
    uint64_t size_max;               /* octets of content; 0: not said */
    unsigned outstanding_max;        /* pushes without an answer on one connection, 1..OTA_CPI_REQ_MAX */
    struct buf lists[OTA_CPI_LISTS]; /* by enum ota_cpi_list; empty: not said */
    int64_t at_ms;                   /* monotonic, when it was learned */
};

/* X-Wap-Push-Status = 3DIGIT [SP phrase]: its number, 0 without the header, OTA_STATUS_BAD for anything else or two
 * that differ. */
#define OTA_STATUS_BAD 1000
unsigned ota_push_status(const struct net_http_msg *m);

/* ERR_MALFORMED: two different tags or identities, or a tag that is not 1..32 visible characters. */
enum err ota_registration_read(const struct net_http_msg *m, struct ota_registration *out) MUST_USE;

void ota_cpi_init(struct ota_cpi *c);
void ota_cpi_clear(struct ota_cpi *c);
/* Replaces everything by what the answer says; a value that breaks its grammar counts as not said.  ERR_LIMIT,
 * ERR_NOMEM: the cache is then empty. */
enum err ota_cpi_set(struct ota_cpi *c, const struct net_http_msg *m, const struct ota_registration *r,
                     int64_t now_ms) MUST_USE;
void ota_cpi_move(struct ota_cpi *from, struct ota_cpi *to); /* to must be clear; from is clear afterwards */
struct slice ota_cpi_tag(const struct ota_cpi *c);           /* borrowed */
/* All of it as a profile; borrowed until the next set or clear.  learnt_ms is the caller's to fill. */
struct ota_profile ota_cpi_profile(const struct ota_cpi *c);

#endif
