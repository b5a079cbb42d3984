/* Tokens of pushes that ask a terminal to connect somewhere: the terminal asks here whether such a push is genuine
 * before it acts on it (SEC_CF 1.1, use case B.7).  A table and a rule; no HTTP, no JSON, no knowledge of who is asking:
 * that was proved before.
 *
 * A token stands for one content to one terminal.  It is valid once, for its own terminal and content, until its time is
 * over; anything else is invalid, and the answer does not say which.  What is asked about a token with another content or
 * by another terminal does not use it up: a forger that has overheard one cannot take it from its owner.
 *
 * Any thread, with a lock inside for a moment. */
#ifndef SECURITY_TERMINAL_VERIFY_H
#define SECURITY_TERMINAL_VERIFY_H

#include "base/err.h"
#include "base/rate.h"
#include "base/slice.h"

#define SEC_VERIFY_TOKEN_N         32 /* hexadecimal digits of 128 random bits */
#define SEC_VERIFY_DIGEST_N        64 /* lower case hexadecimal digits of SHA-256 over the content */
#define SEC_VERIFY_INITIATOR_MAX_N 512
#define SEC_VERIFY_TOKENS_MAX      1000000

struct sec_verify;
/* tokens_max: good at once, some 300 octets each; 1..SEC_VERIFY_TOKENS_MAX.  ERR_LIMIT, ERR_NOMEM, ERR_IO. */
enum err sec_verify_create(size_t tokens_max, struct sec_verify **out) MUST_USE;
void sec_verify_free(struct sec_verify **v);

struct sec_verify_content {
    char digest[SEC_VERIFY_DIGEST_N];
};
/* ERR_NOMEM. */
enum err sec_verify_digest(struct slice content, struct sec_verify_content *out) MUST_USE;

/* Borrowed. */
struct sec_verify_push {
    struct slice terminal; /* canonical address */
    struct slice
        initiator; /* what the terminal is told of who it was: at most SEC_VERIFY_INITIATOR_MAX_N octets */
    const struct sec_verify_content *content;
    int64_t life_ms;
    int64_t utc_ms, mono_ms;
};
/* A fresh token.  ERR_LIMIT: too many are good, or a text is too long; ERR_NOMEM, ERR_IO (no random numbers). */
enum err sec_verify_issue(struct sec_verify *v, const struct sec_verify_push *p,
                          char token[SEC_VERIFY_TOKEN_N]) MUST_USE;

enum sec_verify_word {
    SEC_VERIFY_INVALID,
    SEC_VERIFY_VALID,
    SEC_VERIFY_WAIT /* it asks too often; wait_ms */
};
/* Borrowed; token and digest as they came. */
struct sec_verify_ask {
    struct slice terminal; /* proved */
    struct slice token, digest;
    struct rate rate; /* of questions, each terminal */
    int64_t mono_ms;
};
struct sec_verify_answer {
    enum sec_verify_word word;
    const char *reason; /* static, for the log */
    int64_t wait_ms;
    /* VALID: */
    int64_t not_after_s; /* UTC */
    size_t initiator_n;
    char initiator[SEC_VERIFY_INITIATOR_MAX_N];
};
void sec_verify_ask(struct sec_verify *v, const struct sec_verify_ask *ask, struct sec_verify_answer *out);

size_t sec_verify_count(struct sec_verify *v); /* tokens held */

#endif
