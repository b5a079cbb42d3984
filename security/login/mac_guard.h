/* Which nonces a mac of x-syncml-hmac may be made with, and the verdict on one: what the receiver of messages keeps.
 *
 * Story of a sender.  It has no nonce, or an old one: its message is answered with a challenge, whose nonce belongs to
 * the connection (struct sec_mac_session), costs no memory beside it and touches nobody's stored nonces, for nobody has
 * proved anything yet.  A right mac gets the next nonce with the answer; that one is kept for its user here, so that the
 * first message of another connection needs no challenge.  Each nonce is good for one message: a message that comes again
 * is refused with it.  One that was replaced is good for a grace of 30 s still, for messages cross; the last few are
 * remembered beyond it, to tell a sender that is late from one that guesses.  [DM-SEC §5.1.3, §5.1.4].  Any thread. */
#ifndef SECURITY_LOGIN_MAC_GUARD_H
#define SECURITY_LOGIN_MAC_GUARD_H

#include "security/login/mac.h"

#define SEC_MAC_NONCE_N  16    /* octets of ours: 128 bits */
#define SEC_MAC_GRACE_MS 30000 /* a nonce that was not used is good so long after the next one */

/* What a connection was asked and has proved; zeroed at its start.  One thread. */
struct sec_mac_session {
    uint8_t nonce[SEC_MAC_NONCE_N];
    bool offered; /* nonce is good for one message */
    bool only; /* nothing but a mac was asked for: the next message brings a right one, or the session ends */
    bool proved; /* by the message at hand: next is to be told */
    uint8_t next[SEC_MAC_NONCE_N];
};

struct sec_mac_guard;
/* users_max 1..1000000: whose nonces are kept; beyond it the least recently heard is forgotten.  ERR_LIMIT, ERR_NOMEM,
 * ERR_IO (no random numbers). */
enum err sec_mac_guard_create(size_t users_max, struct sec_mac_guard **out) MUST_USE;
void sec_mac_guard_free(struct sec_mac_guard **guard);
size_t sec_mac_guard_users(struct sec_mac_guard *guard);

/* A new nonce for the connection, told in another way than by a challenge.  ERR_IO. */
enum err sec_mac_guard_offer(struct sec_mac_session *session) MUST_USE;
/* Appends a challenge with a new nonce for the connection.  ERR_MALFORMED (realm), ERR_IO, or the sticky error of `out`. */
enum err sec_mac_guard_challenge(struct sec_mac_session *session, struct slice realm,
                                 struct buf *out) MUST_USE;

struct sec_mac_message {
    const struct sec_mac *mac;
    const struct sec_mac_keys *keys; /* of its user; NULL: nobody has that name, which takes as long */
    const struct slice *body;        /* parts of the entity as it was transferred */
    size_t body_parts;
    bool hex;   /* as sec_mac_same() */
    bool login; /* a response of authmd5.h instead, which is over no body */
};
/* ERR_OK: right; its nonce is spent and the next one is in the session.  ERR_DENIED: wrong.  ERR_LATE: right, but of a
 * nonce that was used or is too old.  ERR_NOMEM, ERR_IO. */
enum err sec_mac_guard_verify(struct sec_mac_guard *guard, const struct sec_mac_message *message,
                              struct sec_mac_session *session, int64_t now_ms) MUST_USE;

#endif
