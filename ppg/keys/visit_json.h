/* The JSON of visits, as visit.h shows it: what a terminal asks its home, what it is answered, and what the home tells the other
 * side.  Text and structs, for all three of them; who may ask, and what becomes of a key, is not here.  Members that are not
 * known are passed over, none may stand twice, none may be of another type.  Any thread. */
#ifndef PPG_KEYS_VISIT_JSON_H
#define PPG_KEYS_VISIT_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "security/terminal/visits.h"

#define PPG_VISIT_JSON_MAX_N 2048u /* octets of any of them */

/* The name that is asked for lives in `mem`.  ERR_MALFORMED, ERR_NOMEM. */
enum err ppg_visit_question_parse(struct slice json, struct arena *mem, struct slice *enabler) MUST_USE;
/* Appends a question.  The sticky error of `out`. */
enum err ppg_visit_question_print(struct slice enabler, struct buf *out) MUST_USE;

/* To whom a grant is told. */
enum ppg_visit_reader { PPG_VISIT_TERMINAL, PPG_VISIT_PEER };
struct ppg_visit_grant {
    struct slice identity; /* of TLS-PSK */
    uint8_t key[SEC_VISIT_KEY_N];
    int64_t expires_s; /* UTC */
    struct slice host; /* to the terminal: HOST:PORT where it goes */
    struct slice
        enabler;       /* to the other side: who is meant, in its own spelling, and whose terminal comes: */
    struct slice user; /* n 0: not told */
};
/* Slices live in `mem`; wipe *out.  ERR_MALFORMED, ERR_NOMEM. */
enum err ppg_visit_grant_parse(struct slice json, enum ppg_visit_reader reader, struct arena *mem,
                               struct ppg_visit_grant *out) MUST_USE;
/* Appends it; wipe the buf.  ERR_LIMIT (a time that cannot be said) or the sticky error of `out`. */
enum err ppg_visit_grant_print(const struct ppg_visit_grant *g, enum ppg_visit_reader reader,
                               struct buf *out) MUST_USE;

#endif
