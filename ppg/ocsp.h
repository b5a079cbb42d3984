/* Asks the responders of initiators' certificates whether one is revoked, while its TLS handshake waits.  One per loop;
 * nothing blocks.  Answers are kept within their validity, failures for a few seconds; both are bounded in number, and so
 * are requests under way.  What an answer is worth is security/ocsp.c's.  RFC 6960, RFC 5019. */
#ifndef PPG_OCSP_H
#define PPG_OCSP_H

#include "base/net/env.h"
#include "base/net/tls.h"
#include "ppg/snapshot.h"

#define PPG_OCSP_KEPT_MAX   10000u /* certificates whose status is remembered */
#define PPG_OCSP_ASKING_MAX 32u    /* requests under way; beyond it the status is not to be had */
#define PPG_OCSP_RETRY_S    5      /* a responder that failed is not asked the same again before */

struct ppg_ocsp;

/* Takes a hold of the snapshot.  ERR_NOMEM. */
enum err ppg_ocsp_create(const struct net_env *env, struct ppg_snapshot *snapshot,
                         struct ppg_ocsp **out) MUST_USE;
/* After a reload: what is known is asked again. */
void ppg_ocsp_set(struct ppg_ocsp *o, struct ppg_snapshot *snapshot);
/* A net_httpd_status_fn; arg is the struct ppg_ocsp.  Answers at once what is known. */
void ppg_ocsp_ask(struct slice leaf, struct slice issuer, struct net_tls_wait *w, void *arg);
/* Who still waits is answered; the memory goes before closed() runs. */
void ppg_ocsp_close(struct ppg_ocsp *o, void (*closed)(void *arg), void *arg);

#endif
