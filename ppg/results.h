/* The grouped answer of a cancel or a status query: one result for each distinct outcome, with the addresses it covers
 * ([PAP §8.3, §8.4]).  Pure but for the memory; any thread. */
#ifndef PPG_RESULTS_H
#define PPG_RESULTS_H

#include "base/arena.h"
#include "pap/message.h"

/* Which outcome, as octets without holes: rows of equal octets share a result. */
struct ppg_verdict {
    int64_t event_s; /* UTC; -1: none */
    uint32_t state;  /* enum pap_state */
    uint32_t code;   /* enum pap_code */
};

/* One address and what is said about it. */
struct ppg_row {
    struct slice address;
    struct ppg_verdict verdict;
    size_t group; /* ours */
};

static inline struct ppg_row ppg_row_of(struct slice address, enum pap_state state, enum pap_code code)
{
    return (struct ppg_row){.address = address, .verdict = {-1, (uint32_t)state, (uint32_t)code}};
}

/* Results in the order of their first row, addresses in the order of the rows; the work is linear in them.  *out lives
 * in mem and borrows the addresses.  ERR_NOMEM. */
enum err ppg_results_group(struct arena *mem, struct ppg_row *rows, size_t rows_n,
                           struct pap_results *out) MUST_USE;

#endif
