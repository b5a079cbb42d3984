/* How a message towards a terminal is called: X-Push-Message-ID, and the name of an item in its inbox.  The random name
 * of the database and the target's row, so it is the same in every try and never used twice.  Pure; any thread. */
#ifndef PPG_ITEM_H
#define PPG_ITEM_H

#include "base/err.h"
#include "base/slice.h"

#define PPG_ITEM_ID_N 48 /* octets, NUL included */

void ppg_item_print(const char *store_name, int64_t target_id, char out[PPG_ITEM_ID_N]);
/* ERR_MALFORMED: not printed so by this database. */
enum err ppg_item_parse(struct slice in, const char *store_name, int64_t *target_id) MUST_USE;

/* What a terminal asks of its inbox (the path and query of a request):
 *     target = "/inbox" [ "/" item / "?" pair *( "&" pair ) ]
 *     pair   = "after=" item / "wait=" 1*DIGIT / "max=" 1*DIGIT       ; each at most once */
struct ppg_item_target {
    struct slice item;  /* empty: the list */
    struct slice after; /* only what came behind that item; empty: all */
    int64_t wait_s;     /* so long for something to come */
    int64_t max;        /* items of the answer; 0: not said */
};
#define PPG_ITEM_WAIT_MAX_S INT64_C(86400)
/* Slices borrow from `in`.  ERR_ABSENT: another path; ERR_MALFORMED: the query. */
enum err ppg_item_target_parse(struct slice in, struct ppg_item_target *out) MUST_USE;

#endif
