/* Pushes that ask a terminal to connect: which ones carry a token, and the door where terminals ask about one before they
 * act (SEC_CF 1.1, use case B.7).  HTTP, JSON and the log; what a token is worth is security/terminal/verify.h's.
 *
 *     POST /sec/v1/verify {"token": "...", "digest": "..."}      digest: SHA-256 of the content, hexadecimal
 *     200 {"valid": true, "initiator": "URI or empty", "not_after": "2026-01-01T00:00:00Z"}   or {"valid": false}
 *     400 no such question, 401 who asks, 429 asks too often
 *
 *     POST /sec/v1/visit: visit.h
 *
 * The asking terminal proves itself as one that calls in does (call-proof in terminals.conf): by its certificate, its
 * shared key, or a login of HTTP Digest - or Basic where that is its proof - with X-Wap-Terminal-Id to say whose.  It
 * hears of its own tokens only.  On the core's loop; arg is the core. */
#ifndef PPG_DOORS_VERIFY_H
#define PPG_DOORS_VERIFY_H

#include "base/net/httpd.h"
#include "ppg/content.h"
#include "ppg/core.h"
#include "security/terminal/verify.h"

/* As net_httpd_head_fn and net_httpd_request_fn. */
unsigned ppg_verify_head(struct net_http_exchange *x, struct buf *headers, void *arg);
void ppg_verify_request(struct net_http_exchange *x, void *arg);

/* What cores share, by these settings; *out stays NULL without a door.  ERR_LIMIT, ERR_NOMEM, ERR_IO. */
enum err ppg_verify_create(const struct ppg_settings *set, struct sec_verify **out) MUST_USE;

/* A token for this content to that target.  ERR_ABSENT: it needs none; ERR_LIMIT, ERR_NOMEM, ERR_IO: none can be had
 * now. */
enum err ppg_verify_token(struct ppg_core *c, const struct ppg_target *t, const struct ppg_content *content,
                          char token[SEC_VERIFY_TOKEN_N]) MUST_USE;

/* The same for a session initiation of our own, from gateway.name. */
enum err ppg_verify_own_token(struct ppg_core *c, struct slice terminal, struct slice content,
                              char token[SEC_VERIFY_TOKEN_N]) MUST_USE;

#endif
