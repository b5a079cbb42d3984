/* Copies and wipes of raw memory, with the bound at hand.  Thread-free. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void mem_copy(void *dst, size_t cap, struct slice src)
{
    MUST(src.n <= cap);
    if (src.n)
        memmove(dst, src.p, src.n);
}

enum err mem_cstr(char *dst, size_t cap, struct slice src)
{
    if (src.n >= cap)
        return ERR_LIMIT;
    mem_copy(dst, cap, src);
    dst[src.n] = '\0';
    return ERR_OK;
}

char *mem_dup(struct slice src)
{
    char *copy = src.n < SIZE_MAX ? malloc(src.n + 1) : NULL;

    if (copy) {
        mem_copy(copy, src.n, src);
        copy[src.n] = '\0';
    }
    return copy;
}

void mem_wipe(void *p, size_t n)
{
    if (n)
        explicit_bzero(p, n);
}
