/* Other NAFs that may ask our key server for keys (Zn) and push info (Zpn): which certificate each has, which names and
 * protocols it may ask for, and what it is told.  TS 33.220 §4.5.3, TS 29.309.  Built aside by one thread and never
 * changed afterwards; then any thread. */
#ifndef SECURITY_RULES_NAFS_H
#define SECURITY_RULES_NAFS_H

#include "security/gba/gba.h"
#include "security/rules/delegates.h"

#define SEC_NAFS_MAX      256
#define SEC_NAF_ITEMS_MAX 16                    /* certificates, names or protocols of one */
#define SEC_NAF_UA_TLS    SLICE("\x01\x00\x01") /* in place of a protocol: TLS of any suite */

/* Given to sec_nafs_add with borrowed slices (all is copied); got back with slices that live as long as the table. */
struct sec_naf_peer {
    struct slice name;                /* what operators call it */
    const struct slice *certificates; /* as matcher.h; any of them */
    size_t certificates_n;
    const struct slice *fqdns; /* domain names it may ask for, in lower case */
    size_t fqdns_n;
    const struct slice *uas; /* Ua security protocol identifiers, or SEC_NAF_UA_TLS */
    size_t uas_n;
    int64_t life_max_s; /* of what it gets; above 0 */
    bool push;          /* may ask for push info */
    bool identity;      /* is told the IMPI */
};

struct sec_nafs;
enum err sec_nafs_create(struct sec_nafs **out) MUST_USE; /* ERR_NOMEM */
void sec_nafs_free(struct sec_nafs **t);
/* ERR_EXISTS (name, certificate or domain name of another), ERR_MALFORMED (an item, or none of a kind), ERR_LIMIT,
 * ERR_NOMEM, with a static text in *why. */
enum err sec_nafs_add(struct sec_nafs *t, const struct sec_naf_peer *peer, const char **why) MUST_USE;
size_t sec_nafs_count(const struct sec_nafs *t);
const struct sec_naf_peer *sec_nafs_at(const struct sec_nafs *t, size_t i); /* in the order added */
/* The one with that verified certificate, or NULL. */
const struct sec_naf_peer *sec_nafs_find(const struct sec_nafs *t, const struct sec_peer_names *names);
/* May it ask for that NAF_Id? */
bool sec_naf_peer_may(const struct sec_naf_peer *peer, struct slice naf_id);

#endif
