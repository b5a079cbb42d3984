/* Key octets: fixed capacity inline, wiped when cleared, and no way to print them.  Not a password store and not
 * a key at rest: those are digests and wrapped keys.  Any thread, one at a time. */
#ifndef SECURITY_SECRET_H
#define SECURITY_SECRET_H

#include "base/err.h"
#include "base/slice.h"

#define SEC_SECRET_MAX_N 64 /* octets; the longest PSK of RFC 4279 §5.3 and a SHA-256 digest in hexadecimal */

struct sec_secret {
    uint8_t octets[SEC_SECRET_MAX_N]; /* valid: octets[0..n); the rest is zero */
    size_t n;                         /* 0: no key */
};

void sec_secret_init(struct sec_secret *s);
/* Copies `key`; ERR_LIMIT above SEC_SECRET_MAX_N, *s then untouched. */
enum err sec_secret_set(struct sec_secret *s, struct slice key) MUST_USE;
/* Two hexadecimal digits an octet; ERR_MALFORMED no such digits, an odd number or none, ERR_LIMIT; *s then untouched. */
enum err sec_secret_set_hex(struct sec_secret *s, struct slice digits) MUST_USE;
/* A fresh random key of n octets; ERR_LIMIT, ERR_IO (no random numbers). */
enum err sec_secret_random(struct sec_secret *s, size_t n) MUST_USE;
/* Wipes; the struct is as after sec_secret_init. */
void sec_secret_clear(struct sec_secret *s);

/* Borrowed, good while *s is unchanged; to hand to a cipher or MAC and to nothing else. */
static inline struct slice sec_secret_slice(const struct sec_secret *s)
{
    return slice_of(s->octets, s->n);
}

/* Pages of their own for key octets: zeroed, left out of core dumps, kept from swap where the system lets us.  NULL: no
 * memory.  sec_area_free wipes and takes NULL; n is that of the allocation. */
void *sec_area_alloc(size_t n) MUST_USE;
void sec_area_free(void *p, size_t n);

/* n octets of the system's cryptographic generator; ERR_IO. */
enum err sec_random(void *out, size_t n) MUST_USE;

#endif
