/* See json_wipe.h.  Texts that json_dumps() hands out are freed by whoever asked, and stay; keys are printed with json_dumpb()
 * into a buf, which is wiped. */
#include "ppg/json_wipe.h"

#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>
#include "base/mem.h"

void ppg_json_wipe_block(void *p)
{
    if (p)
        mem_wipe(p, malloc_usable_size(p));
}

static void wipe_and_free(void *p)
{
    ppg_json_wipe_block(p);
    free(p);
}

void ppg_json_wipe(void)
{
    json_set_alloc_funcs(malloc, wipe_and_free);
}
