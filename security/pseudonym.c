/* One keyed state for all threads, used under a lock: to set one up takes memory, and a line of a log shall not.  See
 * pseudonym.h. */
#include "security/pseudonym.h"

#include <gnutls/crypto.h>
#include <pthread.h>
#include <stdlib.h>

#include "security/hash.h"

struct sec_pseudonyms {
    pthread_mutex_t lock;
    gnutls_hmac_hd_t mac; /* keyed, and fed nothing between two uses */
};

enum err sec_pseudonyms_create(struct slice key, struct sec_pseudonyms **out)
{
    struct sec_pseudonyms *p = calloc(1, sizeof *p);

    if (!p)
        return ERR_NOMEM;
    if (gnutls_hmac_init(&p->mac, GNUTLS_MAC_SHA256, key.p, key.n) < 0) {
        free(p);
        return ERR_NOMEM;
    }
    (void)pthread_mutex_init(&p->lock, NULL); /* without attributes it does not fail on Linux */
    *out = p;
    return ERR_OK;
}

void sec_pseudonyms_free(struct sec_pseudonyms **p)
{
    if (!*p)
        return;
    gnutls_hmac_deinit((*p)->mac, NULL);
    (void)pthread_mutex_destroy(&(*p)->lock);
    free(*p);
    *p = NULL;
}

bool sec_pseudonym(void *arg, struct slice name, char out[LOG_TOKEN_N])
{
    static const char hex[] = "0123456789abcdef";
    struct sec_pseudonyms *p = arg;
    uint8_t digest[SEC_HASH_MAX_N];
    bool good;

    (void)pthread_mutex_lock(&p->lock);
    good = gnutls_hmac(p->mac, name.p, name.n) >= 0;
    gnutls_hmac_output(p->mac, digest); /* and it is as new */
    (void)pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; good && i < LOG_TOKEN_N; i++)
        out[i] = hex[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
    return good;
}
