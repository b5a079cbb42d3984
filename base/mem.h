/* The only place that copies raw memory.  Sizes are octets. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/err.h"
#include "base/slice.h"

/* Copies src into dst; our mistake (MUST) when it does not fit in cap. */
void mem_copy(void *dst, size_t cap, struct slice src);
/* Copies src and a NUL into dst; ERR_LIMIT when it does not fit, dst then untouched. */
enum err mem_cstr(char *dst, size_t cap, struct slice src) MUST_USE;
/* A heap copy with NUL behind it, or NULL; free with free(). */
char *mem_dup(struct slice src) MUST_USE;
/* Wipes in a way the compiler keeps. */
void mem_wipe(void *p, size_t n);

#endif
