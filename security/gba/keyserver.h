/* The embedded key server: who our subscribers are (IMPI, K, OPc, sequence numbers), and what is done with them: a
 * fresh association for a terminal, as a GPI to send and the keys to keep; an AKA run for one that bootstraps.  It plays the BSF and the HSS of TS 33.220
 * and TS 33.223 for a gateway that has none; whoever asks a far one asks for the same struct sec_push_request and gets
 * the same struct sec_push_info.  No storage, no network.
 *
 * One use: sec_keyserver_push_info says ERR_AGAIN; the caller asks sec_keyserver_wants where to reserve, keeps
 * [from, to) of the subscriber's SEQ durably, calls sec_keyserver_reserved, and asks again.  So no number is ever used
 * twice, whatever crashes.  A terminal that answers with AUTS: sec_keyserver_resync, then reserve as it says.
 *
 * Built aside by one thread (add, allow); then any thread, with a lock inside for a moment. */
#ifndef SECURITY_GBA_KEYSERVER_H
#define SECURITY_GBA_KEYSERVER_H

#include "security/aka.h"
#include "security/gba/gba.h"
#include "security/gba/gpi.h"
#include "security/secret.h"

#define SEC_KEYSERVER_IDENTITY_MAX_N 255 /* octets of an IMPI or a public identity */
#define SEC_KEYSERVER_PUBLICS_MAX    16  /* public identities of one subscriber */
#define SEC_KEYSERVER_NAFS_MAX       64

struct sec_keyserver;
struct sec_keyserver_conf {
    size_t names_max; /* IMPIs and public identities together */
    uint8_t ind;      /* our slot of the sequence numbers, of nobody else; below SEC_AKA_SLOTS */
};
/* ERR_LIMIT, ERR_NOMEM. */
enum err sec_keyserver_create(const struct sec_keyserver_conf *conf, struct sec_keyserver **out) MUST_USE;
void sec_keyserver_free(struct sec_keyserver **s); /* wipes */

/* What is known of a subscriber; copied. */
struct sec_subscriber {
    struct slice impi;
    const struct slice *publics; /* other names: addresses in canonical form */
    size_t publics_n;
    struct slice k, opc; /* SEC_AKA_K_N octets each */
    uint16_t amf;
    uint64_t sqn;           /* numbers up to here are used */
    int64_t expires_s;      /* UTC seconds; K is good strictly before; 0: for ever */
    enum sec_aka_star star; /* PLAIN: GBA_ME; else the hash a GBA_U module knows */
};
/* ERR_EXISTS (a name is known), ERR_LIMIT (lengths, counts, sqn), ERR_NOMEM.  On failure nothing was added. */
enum err sec_keyserver_add(struct sec_keyserver *s, const struct sec_subscriber *subscriber) MUST_USE;
/* This NAF may ask, for keys of at most so long.  ERR_MALFORMED (NAF_Id), ERR_EXISTS, ERR_LIMIT (too many, life not
 * above 0). */
enum err sec_keyserver_allow(struct sec_keyserver *s, struct slice naf_id, int64_t life_max_s) MUST_USE;
/* Goes on where `before` stands, which gives its reserved numbers up: after a reload nobody repeats one, and none is
 * skipped.  Subscribers of whom the files say a higher number keep that.  Before anybody else sees `s`. */
void sec_keyserver_follow(struct sec_keyserver *s, struct sec_keyserver *before);
size_t sec_keyserver_count(const struct sec_keyserver *s); /* subscribers */

/* What the gateway asks (TS 29.309 §5.3: PushInfoRequest); borrowed. */
struct sec_push_request {
    struct slice ue;     /* IMPI or public identity */
    struct slice naf_id; /* our own name and protocol */
    struct slice ptid;   /* 1..SEC_GPI_PTID_MAX_N octets */
    struct slice label;  /* UICC application, empty: default USIM */
    int64_t expires_s;   /* UTC seconds; the answer's is this or earlier */
};
/* And what it gets.  A GPI goes out as it is; a second one needs a second request. */
struct sec_push_info {
    uint8_t rand[SEC_AKA_RAND_N]; /* names the association downlink */
    uint8_t gpi[SEC_GPI_MAX_N];   /* gpi_n octets */
    size_t gpi_n;
    struct sec_secret ks_naf; /* Ks_NAF or Ks_ext_NAF */
    struct sec_secret ks_int; /* Ks_int_NAF, GBA_U only; n 0: none */
    int64_t created_s, expires_s;
};
void sec_push_info_clear(struct sec_push_info *info); /* wipes */

/* ERR_ABSENT (no such subscriber), ERR_DENIED (this NAF may not ask), ERR_AGAIN (no number is reserved), ERR_LATE
 * (expires_s is over, or all numbers are used), ERR_LIMIT, ERR_MALFORMED (label), ERR_NOMEM, ERR_IO.  Uses a number up
 * unless it fails before. */
enum err sec_keyserver_push_info(struct sec_keyserver *s, const struct sec_push_request *request,
                                 int64_t now_s, struct sec_push_info *out) MUST_USE;

/* One AKA run of a terminal that bootstraps by itself, over Ub (TS 33.220 §4.5.2). */
struct sec_keyserver_run {
    struct sec_aka_vector vector; /* clear it */
    bool uicc;                    /* GBA_U: keys live in the module */
    int64_t expires_s;            /* UTC seconds, of K; 0: never */
};
/* By IMPI, not by a public identity; as sec_keyserver_push_info, and ERR_LIMIT: this subscriber was asked for too often
 * of late, by whomever; *wait_ms says how long to wait. */
enum err sec_keyserver_run(struct sec_keyserver *s, struct slice impi, int64_t utc_ms, int64_t mono_ms,
                           struct sec_keyserver_run *out, int64_t *wait_ms) MUST_USE;
/* The same run again, from what of it travelled; uses no number.  ERR_ABSENT, ERR_LATE (K is over), ERR_DENIED (AUTN is
 * none of ours for that RAND), ERR_NOMEM, ERR_IO. */
enum err sec_keyserver_rerun(struct sec_keyserver *s, struct slice impi, int64_t utc_ms,
                             const uint8_t rand[SEC_AKA_RAND_N], const uint8_t autn[SEC_AKA_AUTN_N],
                             struct sec_keyserver_run *out) MUST_USE;
/* Is there such a subscriber, with a K that is good still? */
bool sec_keyserver_knows(const struct sec_keyserver *s, struct slice impi, int64_t now_s);

/* The subscriber's IMPI (good as long as the server; what a store keeps numbers under), and the first SEQ that may be
 * reserved: a store that knows of a higher end takes that.  ERR_ABSENT. */
enum err sec_keyserver_wants(struct sec_keyserver *s, struct slice ue, struct slice *impi,
                             uint64_t *from) MUST_USE;
/* The caller has made SEQ [from, to) durably its own.  ERR_ABSENT; ERR_EXISTS (below what may be reserved), ERR_LIMIT
 * (empty, or beyond SEC_AKA_SQN_MAX).  A range that does not join the earlier one takes its place. */
enum err sec_keyserver_reserved(struct sec_keyserver *s, struct slice ue, uint64_t from,
                                uint64_t to) MUST_USE;
/* The terminal refused RAND's number and says where it stands.  ERR_OK: if it stands elsewhere, all numbers are given
 * up, and *from is where to reserve, below an earlier end also: the store's end is set, not raised.  ERR_ABSENT,
 * ERR_DENIED (AUTS is not the subscriber's), ERR_EXISTS (our next number is good: just ask again), ERR_NOMEM, ERR_IO. */
enum err sec_keyserver_resync(struct sec_keyserver *s, struct slice ue, const uint8_t rand[SEC_AKA_RAND_N],
                              const uint8_t auts[SEC_AKA_AUTS_N], uint64_t *from) MUST_USE;

#endif
