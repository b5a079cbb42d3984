/* Two kits that hold a one-time key, which a gateway carried from one to the other (ppg/doors/entity_door.h): one listens, the other
 * calls it (`push-terminal listen --peer-key`, `peer`).  What is derived from the key is TLS 1.3's, then the password of Digest inside, with
 * which each proves itself to the other; the key's file goes as soon as a handshake has stood on it, so nobody uses it again.
 * CPNS security 5.x.2, 5.x.4.  For push-terminal; one thread. */
#ifndef PPG_HANDSET_PEER_H
#define PPG_HANDSET_PEER_H

#include "ppg/handset/terminal_options.h"
#include "security/secret.h"

#define TOOL_PEER_KEY_MIN_N 16 /* octets (128 bits) */

struct tool_peer_key {
    struct slice
        name; /* both know it by this: identity of TLS-PSK, user of Digest; borrows from the option, as file does */
    const char *file;
    struct sec_secret psk;
    struct buf password;
};
void tool_peer_key_init(struct tool_peer_key *k);
/* --peer-key NAME:FILE, hexadecimal digits in the first line of FILE.  ERR_MALFORMED, ERR_LIMIT, ERR_IO, ERR_NOMEM with
 * why[]. */
enum err tool_peer_key_read(const char *option, struct tool_peer_key *k, char why[TOOL_WHY_N]) MUST_USE;
/* It was used: its file goes.  ERR_IO: it does not, and the key is not good. */
enum err tool_peer_key_spend(const struct tool_peer_key *k) MUST_USE;
void tool_peer_key_clear(struct tool_peer_key *k); /* wipes */

/* `peer`: until both have proved themselves, or one has not; the exit status. */
int tool_peer_run(const struct tool_terminal_options *o);

#endif
