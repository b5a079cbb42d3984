/* The key service's messages as JSON: Nbsp_GBA of TS 29.309 (bootstrapping-info-retrieval, which is Zn, and
 * push-info-retrieval, Zpn), in both roles.  Text and structs; who may ask is security/rules/nafs.h's, the transport
 * zn.h's and bsfc.h's.  P-TIDs travel as hexadecimal digits.  Any thread. */
#ifndef PPG_KEYS_KEYSERVICE_H
#define PPG_KEYS_KEYSERVICE_H

#include "base/arena.h"
#include "security/gba/bootstrap.h"
#include "security/gba/keyserver.h"

#define PPG_KEYSERVICE_MAX_N     16384u /* octets of a message */
#define PPG_KEYSERVICE_KEYS_PATH "/nbsp-gba/v1/bootstrapping-info-retrieval"
#define PPG_KEYSERVICE_PUSH_PATH "/nbsp-gba/v1/push-info-retrieval"

/* A question of either kind. */
struct ppg_key_ask {
    struct sec_naf_id naf;
    bool aware; /* the NAF understands GBA_U: it is told the module's key too */
    /* bootstrapping info: */
    struct slice btid;
    /* push info: */
    struct slice ue;
    bool is_private; /* ue is an IMPI */
    struct slice label;
    uint8_t ptid[SEC_GPI_PTID_MAX_N];
    size_t ptid_n;
    bool gba_u; /* the association ends in the module */
    bool wants_impi;
    bool resync; /* the terminal refused rand's number: */
    uint8_t rand[SEC_AKA_RAND_N];
    uint8_t auts[SEC_AKA_AUTS_N];
    int64_t expires_s; /* UTC */
};
/* Slices live in `mem`.  Unknown members are passed over.  ERR_MALFORMED with a static text in *why; ERR_NOMEM. */
enum err ppg_key_ask_parse(struct slice json, bool push, struct arena *mem, struct ppg_key_ask *out,
                           const char **why) MUST_USE;
/* Appends a question: for bootstrapping info when it has a B-TID, else for push info.  ERR_NOMEM, ERR_MALFORMED (text that is no UTF-8), or the sticky error of `out`. */
enum err ppg_key_ask_print(const struct ppg_key_ask *ask, struct buf *out) MUST_USE;

/* What answers it; what is left out is empty. */
struct ppg_key_answer {
    const struct sec_secret *ks_naf, *ks_int; /* ks_int: NULL or n 0: none */
    struct slice gpi;                         /* of push info */
    struct slice impi;
    int64_t created_s, expires_s; /* UTC */
};
/* Appends it; wipe the buf.  As ppg_key_ask_print. */
enum err ppg_key_answer_print(const struct ppg_key_answer *a, struct buf *out) MUST_USE;
/* The answer to a question for push info, which must be about what was asked: the GPI names that NAF and P-TID and was
 * made with that key.  ERR_MALFORMED with a static text in *why, ERR_LATE (it is over), ERR_NOMEM, ERR_IO. */
enum err ppg_push_answer_parse(struct slice json, const struct ppg_key_ask *ask, int64_t now_s,
                               struct sec_push_info *out, const char **why) MUST_USE;

/* The answer to a question for bootstrapping info: keys, IMPI (impi_n 0: not told) and times; created_s 0: not told,
 * expires_s INT64_MAX: likewise.  Clear *out.  ERR_MALFORMED with a static text in *why. */
enum err ppg_key_answer_parse(struct slice json, struct sec_naf_key *out, const char **why) MUST_USE;

/* Appends ProblemDetails (RFC 9457, TS 29.571). */
void ppg_problem_print(unsigned status, const char *detail, struct buf *out);
#define PPG_PROBLEM_TYPE "application/problem+json"

#endif
