/* The file of a terminal's identity module in software, for push-terminal: impi, k and opc (or op), what kind of module it
 * is, and whose associations it takes.  As secret as the module: its owner's alone (0600).  Off the loops. */
#ifndef PPG_CONFIG_MODULE_H
#define PPG_CONFIG_MODULE_H

#include "base/arena.h"
#include "ppg/config/lists.h"
#include "security/aka.h"

#define PPG_MODULE_GATEWAYS_MAX 64

struct ppg_module {
    struct arena mem; /* impi and gateways live here */
    struct slice impi;
    uint8_t k[SEC_AKA_K_N], opc[SEC_AKA_K_N];
    enum sec_aka_star star;
    struct slice gateways[PPG_MODULE_GATEWAYS_MAX]; /* domain names; none: nobody may bring an association */
    size_t gateways_n;
    int64_t life_max_s; /* of an association */
    uint32_t rate;      /* push infos that came to nothing, in a minute */
};

/* Reads the file.  Tells every mistake; *out is to be cleared in any case, and only good when nothing was told. */
void ppg_module_read(struct ppg_load *load, const char *path, struct ppg_module *out);
void ppg_module_clear(struct ppg_module *m); /* wipes */

/* The value of a `module` key: what kind of module it is.  Tells a mistake; *out is then untouched. */
void ppg_module_kind(struct ppg_list *l, const struct ppg_ini_line *line, enum sec_aka_star *out);

#endif
