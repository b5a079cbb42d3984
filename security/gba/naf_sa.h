/* The gateway's side of one terminal's bootstrapped associations: which one seals the next push, whether its GPI rides
 * along, when a new one is due, and what deliveries and answers say about it.  The record of a Push-NAF (TS 24.109
 * annex A1; profile GPL-A1, combined delivery and defaults).  No storage, no network, no clock.
 *
 * One life: sec_naf_sa_need says NEW; the caller gets a struct sec_push_info from its key server and hands it to
 * sec_naf_sa_adopt.  Each push goes through sec_naf_sa_seal; until the terminal has shown that it has the association,
 * its GPI is in every message.  What shows it is the caller's to say: a message of the terminal's own (sec_naf_sa_open), or a
 * delivery that it took where nobody else can answer for it; then sec_naf_sa_confirm.  One that it refused is
 * sec_naf_sa_refuse, and the association is given up: the next push brings another, at most SEC_NAF_SA_TRIES in a row.
 * When a tenth of the life or half of the numbers is left, need says REFRESH: seal goes on, and adopt puts a new one in
 * front.  The old one is the way back as long as the new one is not confirmed, and opens answers for a minute more.
 *
 * One thread at a time. */
#ifndef SECURITY_GBA_NAF_SA_H
#define SECURITY_GBA_NAF_SA_H

#include "security/gba/keyserver.h"
#include "security/sa.h"

#define SEC_NAF_SA_TRIES 3 /* associations in a row that the terminal did not take */
#define SEC_NAF_SA_OVERLAP_S                                                                                 \
    60 /* an old association opens answers so long after the first use of the new one */

struct sec_naf_sa_conf {
    struct slice suites; /* one octet a suite, most wanted first */
    int64_t
        confirm_s; /* an association not confirmed so long after its first use counts as refused; 0: for ever */
    int64_t rest_s; /* after SEC_NAF_SA_TRIES: no further try before so long */
    uint8_t window; /* W, for answers */
};

struct sec_naf_sa;
enum err sec_naf_sa_create(const struct sec_naf_sa_conf *conf,
                           struct sec_naf_sa **out) MUST_USE; /* ERR_NOMEM */
void sec_naf_sa_free(struct sec_naf_sa **n);                  /* wipes */

enum sec_naf_sa_need {
    SEC_NAF_SA_READY,   /* seal */
    SEC_NAF_SA_REFRESH, /* seal, and adopt a new one soon */
    SEC_NAF_SA_NEW,     /* adopt one first */
    SEC_NAF_SA_FAILED   /* the terminal took none; an operator should know.  NEW again after rest_s */
};
enum sec_naf_sa_need sec_naf_sa_need(struct sec_naf_sa *n, int64_t now_s);

/* Copies what it needs; `ptid` is the one of the request.  ERR_LATE (expired already), ERR_MALFORMED, ERR_UNSUPPORTED
 * (suites), ERR_NOMEM. */
enum err sec_naf_sa_adopt(struct sec_naf_sa *n, const struct sec_push_info *info, struct slice ptid,
                          int64_t now_s) MUST_USE;
/* Puts back one that was adopted before a restart; the older ones first.  Its numbers are to be reserved anew.  As adopt. */
enum err sec_naf_sa_restore(struct sec_naf_sa *n, const struct sec_push_info *info, struct slice ptid,
                            bool confirmed, int64_t now_s) MUST_USE;
/* The name of the association that seals now, to reserve numbers under; ERR_ABSENT: none. */
enum err sec_naf_sa_name(struct sec_naf_sa *n, int64_t now_s, uint8_t said[SEC_SA_RAND_N]) MUST_USE;
/* As sec_sa_reserved, for the association of that name; ERR_ABSENT: it is no longer the one that seals. */
enum err sec_naf_sa_reserved(struct sec_naf_sa *n, const uint8_t said[SEC_SA_RAND_N], uint32_t from,
                             uint32_t to) MUST_USE;
/* As sec_sa_seal, downlink, with the GPI where it is still needed; ERR_ABSENT without an association, ERR_AGAIN:
 * reserve numbers first.  *said names the
 * association used; it is what confirm and refuse are told. */
enum err sec_naf_sa_seal(struct sec_naf_sa *n, int64_t now_s, const struct slice *parts, size_t parts_n,
                         struct buf *out, uint8_t said[SEC_SA_RAND_N], uint32_t *sn) MUST_USE;

/* Numbers keep pace with the clock: none below this may be reserved now.  So an association whose record comes back from an
 * older copy meets no number that was used since, as long as it seals less than SEC_NAF_SA_PACE messages a second over its
 * life (fewer when that is longer than SEC_NAF_SA_PACED numbers last). */
#define SEC_NAF_SA_PACE  1000
#define SEC_NAF_SA_PACED (UINT32_C(1) << 30)
uint32_t sec_naf_sa_floor(const struct sec_naf_sa *n, int64_t now_s);
/* Numbers left in the reserved range of the one that seals. */
uint32_t sec_naf_sa_left(const struct sec_naf_sa *n);
/* What the next message carries along; n 0: nothing. */
struct slice sec_naf_sa_gpi(const struct sec_naf_sa *n);

/* The terminal has that association; of another one: no effect.  True: it was not known before. */
bool sec_naf_sa_confirm(struct sec_naf_sa *n, const uint8_t said[SEC_SA_RAND_N]);
/* It refused one.  The association is given up; of another one: no effect. */
void sec_naf_sa_refuse(struct sec_naf_sa *n, const uint8_t said[SEC_SA_RAND_N], int64_t now_s);
/* A message of the terminal, by the current association or the old one, as sec_sa_open; *said names which.  What it has seen is
 * forgotten with a restart: such a message can do no more than confirm, and what it confirmed stays so. */
enum err sec_naf_sa_open(struct sec_naf_sa *n, int64_t now_s, const struct sec_gpl_msg *msg,
                         struct buf *plain, uint8_t said[SEC_SA_RAND_N]) MUST_USE;

#endif
