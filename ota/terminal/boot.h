/* A terminal that bootstraps with its own module (Ub): from one run with its network's key server (BSF) it has keys for every
 * server of that network, without a word from the user.  Octets in, octets out, no sockets.  TS 24.109 §4 and §5,
 * TS 33.220 §4.5.2, RFC 3310.
 *
 * Story: the program prints kit_boot_request(), sends it to the BSF over TLS, and hands the answer to kit_boot_heard();
 * AGAIN: the next request, once more.  After each it saves the kit's state, for the module's numbers have moved.  DONE:
 * until kit_boot_good() says no, kit_boot_psk() and kit_boot_login() are what a server is shown.  A server that does not know
 * them any more asks for another run: begin anew; so does kit_boot_due_s() before they are over.  After the first run the
 * terminal goes by the temporary identity (TMPI) that came of it, where the BSF knows of those; one that has forgotten it
 * is told the lasting one again.  Ks is nowhere but in here.  One thread. */
#ifndef OTA_TERMINAL_BOOT_H
#define OTA_TERMINAL_BOOT_H

#include "ota/terminal/login.h"

#define KIT_BOOT_PRODUCT "3gpp-gba"      /* in User-Agent, towards BSF and servers: what we can do */
#define KIT_BOOT_TMPI    "3gpp-gba-tmpi" /* towards the BSF besides, and in its Server header */

struct kit_boot;
/* bsf: its domain name, which is the realm; empty: the one that the module's identity says.  The kit outlives it.  ERR_ABSENT:
 * the kit has no module; ERR_MALFORMED no domain name, ERR_NOMEM. */
enum err kit_boot_create(struct kit *k, struct slice bsf, struct kit_boot **out) MUST_USE;
void kit_boot_free(struct kit_boot **b);             /* wipes; takes NULL */
struct slice kit_boot_bsf(const struct kit_boot *b); /* the name to ask for */

/* Appends the head of the next request, complete: GET without content.  ERR_NOMEM, ERR_IO, or the sticky error of `out`. */
enum err kit_boot_request(struct kit_boot *b, struct buf *out) MUST_USE;
enum kit_boot_word { KIT_BOOT_AGAIN, KIT_BOOT_DONE, KIT_BOOT_FAILED };
/* FAILED: *why, static text; the next request begins anew. */
enum kit_boot_word kit_boot_heard(struct kit_boot *b, const struct kit_heard *a, int64_t now_s,
                                  const char **why);

bool kit_boot_good(const struct kit_boot *b, int64_t now_s);
int64_t kit_boot_left_s(const struct kit_boot *b, int64_t now_s); /* of their life; 0: over */
/* Until the next run should begin, which is when nine tenths of their life are over; 0: now.  The keys are good meanwhile. */
int64_t kit_boot_due_s(const struct kit_boot *b, int64_t now_s);
void kit_boot_forget(struct kit_boot *b); /* the keys; a server does not know them */
/* Identity (appended) and key of TLS with the server of that name: version 13, or 12 with one suite, on which the key depends.
 * ERR_ABSENT: not bootstrapped; ERR_MALFORMED, ERR_NOMEM, ERR_IO. */
enum err kit_boot_psk(const struct kit_boot *b, struct slice fqdn, unsigned version, uint16_t suite,
                      struct buf *identity, struct sec_secret *key) MUST_USE;
/* The login to the server of that name, which must ask in its own name and prove that it has the key too.  As above. */
enum err kit_boot_login(const struct kit_boot *b, struct slice fqdn, struct kit_login **out) MUST_USE;

#endif
