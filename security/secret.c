/* Key octets, and the one call to the random generator.  No specification; no thread of its own. */
#include "security/secret.h"

#include <gnutls/crypto.h>
#include <sys/mman.h>
#include "base/codec.h"
#include "base/mem.h"

void sec_secret_init(struct sec_secret *s)
{
    *s = (struct sec_secret){.n = 0};
}

enum err sec_secret_set(struct sec_secret *s, struct slice key)
{
    if (key.n > sizeof s->octets)
        return ERR_LIMIT;
    sec_secret_clear(s);
    mem_copy(s->octets, sizeof s->octets, key);
    s->n = key.n;
    return ERR_OK;
}

enum err sec_secret_set_hex(struct sec_secret *s, struct slice digits)
{
    struct sec_secret got;
    enum err e;

    if (digits.n == 0 || digits.n % 2)
        return ERR_MALFORMED;
    if (digits.n / 2 > sizeof got.octets)
        return ERR_LIMIT;
    sec_secret_init(&got);
    got.n = digits.n / 2;
    e = codec_unhex(digits, got.octets, got.n);
    if (!e)
        *s = got;
    sec_secret_clear(&got);
    return e;
}

enum err sec_secret_random(struct sec_secret *s, size_t n)
{
    struct sec_secret fresh;
    enum err e;

    if (n > sizeof fresh.octets)
        return ERR_LIMIT;
    sec_secret_init(&fresh);
    e = sec_random(fresh.octets, n);
    if (!e) {
        fresh.n = n;
        *s = fresh;
    }
    sec_secret_clear(&fresh);
    return e;
}

void sec_secret_clear(struct sec_secret *s)
{
    mem_wipe(s, sizeof *s);
}

enum err sec_random(void *out, size_t n)
{
    return gnutls_rnd(GNUTLS_RND_RANDOM, out, n) == 0 ? ERR_OK : ERR_IO;
}

void *sec_area_alloc(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    if (madvise(p, n, MADV_DONTDUMP)) {
        (void)munmap(p, n);
        return NULL;
    }
    (void)mlock(p, n); /* a process may lock little, and then swap is the operator's to encrypt */
    return p;
}

void sec_area_free(void *p, size_t n)
{
    if (!p)
        return;
    mem_wipe(p, n);
    (void)munmap(p, n);
}
