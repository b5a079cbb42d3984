/* Entities of users, and the key that each shares with the gateway alone (EUKey, 32 octets): assigned when the user has
 * logged in for it, kept in the keyring with entity and user, secret of its Digest from then on.  It serves nobody else:
 * two entities that want to talk get a one-time key, made by one, carried from it to the gateway and from there to the
 * other, wrapped under what each shares with the gateway, and forgotten with that.  CPNS security 5.x.1 to 5.x.3.
 *
 * No network.  Any thread, with a lock inside for a moment. */
#ifndef SECURITY_RULES_ENTITIES_H
#define SECURITY_RULES_ENTITIES_H

#include "base/buf.h"
#include "security/keyring.h"
#include "security/login/digest.h"
#include "security/rules/accounts.h"

#define SEC_EUKEY_N            32
#define SEC_ENTITY_USER_MAX_N  64 /* octets of a user id */
#define SEC_ONE_TIME_MIN_N     16 /* octets of a one-time key */
#define SEC_ONE_TIME_MAX_N     64
#define SEC_ONE_TIME_WRAPPED_N (SEC_ONE_TIME_MAX_N + 28)

struct sec_entities;
struct sec_entities_conf {
    size_t max;         /* entities */
    size_t waiting_max; /* one-time keys on their way, all together */
    int64_t wait_s;     /* how long one waits to be fetched */
};
enum err sec_entities_create(const struct sec_entities_conf *conf, struct sec_entities **out) MUST_USE;
struct sec_entities *sec_entities_hold(struct sec_entities *t);
void sec_entities_free(struct sec_entities **t); /* gives a handle back; the last one wipes */

/* From now on those that the keyring has, of users that there are.  ERR_LIMIT, ERR_NOMEM, ERR_DENIED as
 * sec_keyring_secret. */
enum err sec_entities_load(struct sec_entities *t, const struct sec_keyring *keyring,
                           const struct sec_accounts *users) MUST_USE;
/* A key for that entity, in the place of the one it had.  ERR_EXISTS: it is another user's; ERR_LIMIT, ERR_NOMEM. */
enum err sec_entities_put(struct sec_entities *t, struct slice entity, struct slice user,
                          const struct sec_secret *key) MUST_USE;
size_t sec_entities_count(struct sec_entities *t);
/* Whose it is; ERR_ABSENT. */
enum err sec_entities_user(struct sec_entities *t, struct slice entity, char user[SEC_ENTITY_USER_MAX_N],
                           size_t *user_n) MUST_USE;
/* HA1 of Digest: user name is the entity's id, password base64 of its key.  ERR_ABSENT, ERR_NOMEM. */
enum err sec_entities_ha1(struct sec_entities *t, struct slice entity, enum sec_digest_algorithm a,
                          struct slice realm, struct sec_secret *ha1) MUST_USE;
/* Appends the entities of that user, each with a line feed behind it; the sticky error of `out`. */
enum err sec_entities_of(struct sec_entities *t, struct slice user, struct buf *out) MUST_USE;

/* --- one-time keys --- */

/* What wraps a one-time key between an entity and the gateway: KDF(EUKey, FC=FB, P0="one-time"), 32 octets; sec_wrap's
 * context is the originator's id, a zero octet, and the peer's. */
enum err sec_entity_wrap_key(const struct sec_secret *eukey, struct sec_secret *out) MUST_USE;
/* Takes `from`'s key for `to`.  ERR_ABSENT (`to` has no key), ERR_DENIED (not wrapped by `from` for `to`), ERR_MALFORMED
 * (length, or for itself), ERR_LIMIT (too many wait), ERR_NOMEM, ERR_IO. */
enum err sec_entities_offer(struct sec_entities *t, struct slice from, struct slice to, struct slice wrapped,
                            int64_t now_s) MUST_USE;
/* The oldest that waits for `to`: who made it, and the key as wrapped for `to`; it is forgotten here.  ERR_ABSENT. */
enum err sec_entities_take(struct sec_entities *t, struct slice to, int64_t now_s,
                           char from[SEC_KEY_NAME_MAX_N], size_t *from_n,
                           uint8_t wrapped[SEC_ONE_TIME_WRAPPED_N], size_t *wrapped_n) MUST_USE;
/* How many wait. */
size_t sec_entities_waiting(struct sec_entities *t);

#endif
