/* Keys by B-TID of a far BSF, for the gateway's own doors: whoever shows one that is not known here waits until the BSF was
 * asked (bsfc.h).  What it says is kept in the configuration's table (security/gba/farkeys.h), where the look-ups find it.
 *
 * One login: the look-up says which key it wants (struct sec_naf_want); the door parks the request, or the handshake of TLS
 * waits, one question goes out however many wait for the same key on whichever loops, and with the answer the door gets
 * the request once more, or the handshake goes on.
 *
 * A stranger may not make us flood the BSF: so many questions are under way at once, so many go out a second, a tenth of
 * these for one source; what it has refused is remembered for a while.  Without an answer nobody is let in: 503, or 429
 * for a source that made us ask too often, with Retry-After; the end of the handshake with internal_error.  On the core's loop. */
#ifndef PPG_KEYS_KEYASK_H
#define PPG_KEYS_KEYASK_H

#include "base/net/httpd.h"
#include "base/net/tls.h"
#include "ppg/core.h"

/* What a configuration's table holds, by these settings; *out stays NULL without a far BSF.  ERR_NOMEM. */
enum err ppg_keyask_table(const struct ppg_settings *set, struct sec_farkeys **out) MUST_USE;

struct ppg_keyask;
enum err ppg_keyask_create(struct ppg_keyask **out) MUST_USE;
void ppg_keyask_free(struct ppg_keyask **k); /* nobody may be waiting */

/* The exchange is answered with 503 or 429, now or later, or handed to again(x, c) later, which looks the key up anew. */
void ppg_keyask_park(struct ppg_core *c, struct net_http_exchange *x, const struct sec_naf_want *want,
                     net_httpd_request_fn *again);

/* env's key(), with arg the core: the handshake is answered GOOD when the table knows. */
void ppg_keyask_handshake(const struct net_tls_key_name *name, struct slice peer_ip, struct net_tls_wait *w,
                          void *core);

#endif
