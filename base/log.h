/* One event is one line.  `LOG(log, LOG_INFO, "deliver.done", LOG_S("push_id", id), LOG_I("try", 2));` writes
 *     2026-01-31T12:00:00.123Z level=info event=deliver.done push_id=... try=2
 * or the same as one JSON object.  Every event also counts under its name, whatever its level.  Peer text is
 * escaped and cut to 200 octets.  There is no formatter for keys, credentials or bodies: do not pass them.  What
 * says who a subscriber is goes through LOG_A or LOG_U and never through LOG_S.
 * Thread-safe; LOG on a NULL log does nothing.  Lines go to a sink: direct (one write() a line; tests, tools)
 * or through a bounded memory queue and a writer thread (ppgd), which counts what it had to drop and
 * says so in an event log.dropped.  Event names and keys are literals: they are kept and never escaped. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/clk.h"
#include "base/err.h"
#include "base/slice.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };
enum log_type { LOG_T_STR, LOG_T_INT, LOG_T_BOOL, LOG_T_WHO, LOG_T_CLAIM };
/* How subscribers are shown: by a token, by the last four characters of what they are called, or whole. */
enum log_identities { LOG_HASHED, LOG_LAST_FOUR, LOG_WHOLE };

struct log_kv {
    const char *key;
    enum log_type type;
    struct slice s; /* LOG_T_STR, LOG_T_WHO, LOG_T_CLAIM */
    int64_t i;      /* LOG_T_INT, LOG_T_BOOL */
};

#define LOG_S(k, v) ((struct log_kv){(k), LOG_T_STR, (v), 0})
#define LOG_C(k, v) ((struct log_kv){(k), LOG_T_STR, slice_str(v), 0})
#define LOG_I(k, v) ((struct log_kv){(k), LOG_T_INT, SLICE_NONE, (int64_t)(v)})
#define LOG_B(k, v) ((struct log_kv){(k), LOG_T_BOOL, SLICE_NONE, (v) ? 1 : 0})
/* A subscriber: an address, a SIP name, an IMPI, a user, the name of a key.  Shown as enum log_identities says. */
#define LOG_A(k, v) ((struct log_kv){(k), LOG_T_WHO, (v), 0})
/* What a peer calls itself and has not proved: it may be a B-TID or a secret in the wrong place.  Always a token. */
#define LOG_U(k, v) ((struct log_kv){(k), LOG_T_CLAIM, (v), 0})

/* Makes what stands for `identity`: the same for the same octets, and nobody who reads it can tell of whom.  false: it cannot
 * be made.  Any thread. */
#define LOG_TOKEN_N 12
typedef bool log_token_fn(void *arg, struct slice identity, char out[LOG_TOKEN_N]);

struct log;
struct log_conf {
    enum log_level level;
    enum log_format format;
    enum log_identities identities; /* LOG_HASHED: as "*" until log_set_tokens */
    int fd;                         /* where lines go; borrowed */
    size_t queue_n;                 /* octets of the memory queue; 0: write directly */
};

enum err log_create(const struct log_conf *conf, const struct clk *clk, struct log **out) MUST_USE;
void log_free(struct log **log); /* writes out what is queued */
void log_flush(struct log *log); /* returns when all lines queued before are written */
void log_set(struct log *log, enum log_level level, enum log_format format,
             enum log_identities identities); /* any thread */
/* From here on subscribers have tokens; one thread, fn NULL: none any more.  arg is borrowed until then. */
void log_set_tokens(struct log *log, log_token_fn *fn, void *arg);
/* The token of an identity, whatever is shown; false: there are none (yet).  Any thread. */
bool log_token(struct log *log, struct slice identity, char out[LOG_TOKEN_N]);

/* From here on lines go to what `fd` is open on, which stays the caller's to close; the log keeps its own descriptor and
 * puts it in the place of what that was open on.  Any thread.  ERR_IO with errno: nothing changed. */
enum err log_move(struct log *log, int fd) MUST_USE;

/* Ends an array of pairs. */
#define LOG_END ((struct log_kv){NULL, LOG_T_INT, {NULL, 0}, 0})
/* No pairs are fine too; the LOG_END in front lets the comma go in that case. */
#define LOG(log, level, event, ...)                                                                          \
    log_event((log), (level), (event), (const struct log_kv[]){LOG_END, ##__VA_ARGS__, LOG_END} + 1)
void log_event(struct log *log, enum log_level level, const char *event, const struct log_kv *kv);

/* Calls fn for each event name seen so far with its count; any thread.  Names past the 512th count together as
 * "log.other"; "log.dropped" counts lost lines. */
void log_counts(struct log *log, void (*fn)(const char *event, uint64_t count, void *arg), void *arg);
uint64_t log_count(struct log *log, const char *event); /* 0 when never seen */

#endif
