/* The audit log: what operators changed, one JSON line each, chained by SHA-256 so that a line that was changed, taken out
 * or moved shows.
 *
 *     {"seq":2,"at":"2026-01-01T00:00:00Z","who":"root (uid 0)","what":"whitelist.add","before":...,"after":...,
 *      "prev":HASH,"hash":HASH}
 *
 * (on one line).  `hash` is that of the line's octets before ,"hash": and `prev` is the line before's; the first has 64
 * zeros.  With a key it is HMAC-SHA-256 (RFC 2104), and then nobody without the key writes the file anew.  A line is on disk before the change it tells of is made.  Lines taken off the end are noticed by the gateway
 * that wrote them, which remembers the last; each is also an event of the log, with its hash.  Without a
 * key whoever can write the file can write it anew from any line on: then keep the hashes of the log elsewhere.
 * Blocks: off the loops.  Functions on a struct ppg_audit lock it, any thread. */
#ifndef PPG_ADMIN_AUDIT_H
#define PPG_ADMIN_AUDIT_H

#include "base/buf.h"
#include "base/log.h"

#define PPG_AUDIT_HASH_N     64u          /* hexadecimal digits */
#define PPG_AUDIT_LINE_MAX_N (256u << 10) /* octets */
#define PPG_AUDIT_WHY_N      200u

struct ppg_audit;

/* key: empty for none; a log that was begun with another one, or none, is a broken chain.  A new file is made when there is none, of mode 0600; an end without line end, which a power cut left, is cut off.  A
 * broken chain is told in the log and goes on from its last line.  ERR_EXISTS another has it open, ERR_IO, both with why[];
 * ERR_NOMEM. */
enum err ppg_audit_open(const char *path, struct slice key, struct log *log, struct ppg_audit **out,
                        char why[PPG_AUDIT_WHY_N]) MUST_USE;
void ppg_audit_free(struct ppg_audit **a);

struct ppg_audit_entry {
    int64_t at_s; /* UTC */
    struct slice who;
    struct slice what;
    struct slice before; /* JSON; empty: nothing, as after */
    struct slice after;
};
/* Appended and synced.  ERR_IO, ERR_LIMIT, ERR_NOMEM: it is not there. */
enum err ppg_audit_add(struct ppg_audit *a, const struct ppg_audit_entry *e) MUST_USE;

struct ppg_audit_report {
    uint64_t lines;                  /* that are good, from the first on */
    char last[PPG_AUDIT_HASH_N + 1]; /* hash of the last good one; zeros: none */
    uint64_t bad;                    /* number of the first bad line; 0: none */
    char what[PPG_AUDIT_WHY_N];      /* what is wrong with it */
};
/* Of a file.  ERR_IO (cannot be read: what[] says why), ERR_NOMEM; a bad line is no error. */
enum err ppg_audit_check(const char *path, struct slice key, struct ppg_audit_report *out) MUST_USE;
/* Of this one's, and that its last line is what was written last. */
enum err ppg_audit_verify(struct ppg_audit *a, struct ppg_audit_report *out) MUST_USE;
/* Appends the last n lines, oldest first, good or not.  ERR_IO, ERR_LIMIT, ERR_NOMEM. */
enum err ppg_audit_tail(struct ppg_audit *a, size_t n, struct buf *out) MUST_USE;

#endif
