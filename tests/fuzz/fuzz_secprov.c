/* A provisioning object from anywhere: refused, or whole and within its ceilings. */
#include <stdint.h>
#include <stdlib.h>
#include "security/terminal/secprov.h"
#include "security/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const struct sec_secprov *p)
{
    MUST(p->version >= 1 && p->ttl_s >= 0 && p->hash[63] && !p->hash[64]);
    MUST(p->white.servers_n <= SEC_SECPROV_ITEMS_MAX && p->black.initiators_n <= SEC_SECPROV_ITEMS_MAX);
    MUST(!p->chain_pem.n == !p->key_pem.n);
    for (size_t i = 0; i < p->white.initiators_n; i++)
        MUST(sec_uri_pattern_check(p->white.initiators[i]) == ERR_OK);
    for (size_t i = 0; i < p->sas_n; i++)
        MUST(p->sas[i].key.n == 32 && p->sas[i].suites_n >= 1 && p->sas[i].suites_n <= SEC_SECPROV_SUITES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sec_secprov *p = malloc(sizeof *p);
    const char *why;

    MUST(p != NULL);
    if (!sec_secprov_parse(slice_of(data, n), p, &why)) {
        check(p);
        sec_secprov_clear(p);
    } else {
        MUST(why != NULL);
    }
    free(p);
    return 0;
}
